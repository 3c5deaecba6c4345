//! Lua's side of the machine's benchmarks.

use crate::harness::Outcome;
use mlua::{Function, Lua};

/// A Lua with a program loaded.
pub struct Lua54 {
    pub lua: Lua,
}

pub fn said(error: mlua::Error) -> String {
    format!("Lua fails: {error}")
}

impl Lua54 {
    pub fn new(source: &str) -> Outcome<Lua54> {
        let lua = Lua::new();
        lua.load(source).exec().map_err(said)?;
        Ok(Lua54 { lua })
    }

    /// A function of the program.
    pub fn function(&self, name: &str) -> Outcome<Function> {
        self.lua.globals().get(name).map_err(said)
    }

    /// What `run` gives, floats by their bits.
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other kind is a result here")]
    pub fn call(&self, argument: i64) -> Outcome<String> {
        let results: mlua::MultiValue = self.function("run")?.call(argument).map_err(said)?;
        let shown = |value: &mlua::Value| match value {
            mlua::Value::Integer(integer) => integer.to_string(),
            mlua::Value::Number(float) => format!("{:016x}", float.to_bits()),
            other => other.to_string().unwrap_or_default(),
        };
        Ok(results.iter().map(shown).collect::<Vec<String>>().join(" "))
    }
}
