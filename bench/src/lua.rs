//! Lua's side of the machine's benchmarks.

use crate::harness::Outcome;
use mlua::{Function, Lua};

/// A Lua that is measured beside.
#[derive(Clone, Copy)]
pub struct Peer {
    pub name: &'static str,
    /// As that, where it runs the twin of a program in integers.
    pub integers: &'static str,
    /// What it runs before all else.
    first: &'static str,
}

/// The Lua of this build, the first one being what multiples are of.
#[cfg(not(feature = "luajit"))]
pub const PEERS: &[Peer] = &[Peer { name: "lua-5.4", integers: "lua-5.4-integers", first: "" }];
#[cfg(feature = "luajit")]
pub const PEERS: &[Peer] = &[
    Peer { name: "luajit", integers: "luajit-integers", first: "" },
    Peer { name: "luajit-interpreted", integers: "luajit-interpreted-integers", first: "jit.off()" },
];

/// Whether integers are exact beyond 2⁵³, without which some programs mean something else.
pub const HAS_INTEGERS: bool = cfg!(not(feature = "luajit"));

/// A Lua with a program loaded.
pub struct LoadedLua {
    pub lua: Lua,
}

pub fn said(error: mlua::Error) -> String {
    format!("Lua fails: {error}")
}

impl LoadedLua {
    pub fn new(peer: Peer, source: &str) -> Outcome<LoadedLua> {
        let lua = Lua::new();
        lua.load(peer.first).exec().map_err(said)?;
        lua.load(source).exec().map_err(said)?;
        Ok(LoadedLua { lua })
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
