//! A program on stock Lua and on the machine: the text that it gives, and the rows that it emits.

use kerai_compiler::{Language, Source, compile};
use kerai_golden::MAP_SEED;
use kerai_vm::bytecode::Limits;
use kerai_vm::encoding::{Options, cbor, json};
use kerai_vm::execute::Machine;
use kerai_vm::value::Heap;
use mlua::{HookTriggers, Lua, Table};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The text that a program gives and its rows, or what went wrong.
pub type Outcome = Result<(String, Vec<String>), String>;

/// Programs that take longer say nothing: loops in loops come by chance.
const MOST_INSTRUCTIONS: i64 = 300_000;
const STRIDE: u32 = 1_000;
const MOST_GAS: u64 = 10_000_000;
const TOO_LONG: &str = "too long";

/// Whether a program took too long on one of the two.
pub fn is_too_long(stock: &Outcome, kerai: &Outcome) -> bool {
    let fails_by = |outcome: &Outcome, why: &str| outcome.as_ref().is_err_and(|fault| fault.contains(why));
    fails_by(stock, TOO_LONG) || fails_by(kerai, "GAS") || fails_by(kerai, "MEMORY")
}

/// Whether two outcomes are one. What an error says is documented to differ.
pub fn agree(stock: &Outcome, kerai: &Outcome) -> bool {
    if is_too_long(stock, kerai) {
        return true;
    }
    match (stock, kerai) {
        (Ok(stock), Ok(kerai)) => stock == kerai,
        (Err(_), Err(fault)) => !fault.starts_with("refused") && !fault.starts_with("broken"),
        _ => false,
    }
}

/// The first line in which two outcomes part.
pub fn difference(stock: &Outcome, kerai: &Outcome) -> String {
    let lines = |outcome: &Outcome| -> Vec<String> {
        match outcome {
            Ok((text, rows)) => text.lines().map(str::to_owned).chain(rows.iter().cloned()).collect(),
            Err(fault) => vec![fault.clone()],
        }
    };
    let (stock, kerai) = (lines(stock), lines(kerai));
    let place = stock.iter().zip(&kerai).position(|(a, b)| a != b).unwrap_or(stock.len().min(kerai.len()));
    let show = |lines: &[String]| lines.get(place).cloned().unwrap_or_else(|| "nothing".to_owned());
    format!("in line {}: stock Lua gives {}\nkerai gives {}", place + 1, show(&stock), show(&kerai))
}

pub struct Stock {
    lua: Lua,
    /// How many instructions the program may still take.
    left: Arc<AtomicI64>,
}

impl Stock {
    pub fn new() -> Stock {
        let lua = Lua::new();
        let left = Arc::new(AtomicI64::new(0));
        let seen = Arc::clone(&left);
        let triggers = HookTriggers::new().every_nth_instruction(STRIDE);
        let hook = move |_: &Lua, _: &mlua::debug::Debug| match seen.fetch_sub(STRIDE.into(), Ordering::Relaxed) {
            0.. => Ok(mlua::VmState::Continue),
            _ => Err(mlua::Error::runtime(TOO_LONG)),
        };
        lua.set_hook(triggers, hook).unwrap_or_else(|error| panic!("{error}"));
        lua.load(include_str!("shim.lua")).exec().unwrap_or_else(|error| panic!("{error}"));
        Stock { lua, left }
    }

    pub fn run(&self, text: &str) -> Outcome {
        self.left.store(MOST_INSTRUCTIONS, Ordering::Relaxed);
        let outcome = self.run_on(text);
        // A program may catch the error by which it is ended.
        if self.left.load(Ordering::Relaxed) < 0 { Err(TOO_LONG.to_owned()) } else { outcome }
    }

    /// The values that an example gives, as text.
    pub fn values(&self, text: &str) -> Result<Vec<String>, String> {
        self.left.store(MOST_INSTRUCTIONS, Ordering::Relaxed);
        let given: Result<mlua::MultiValue, _> = self.lua.load(text).set_name("=example").eval();
        if self.left.load(Ordering::Relaxed) < 0 {
            return Err("does not end".to_owned());
        }
        let shown = |value: &mlua::Value| {
            if let mlua::Value::String(text) = value {
                format!("\"{}\"", text.to_string_lossy())
            } else if value.is_number() {
                let text = self.lua.coerce_string(value.clone()).ok().flatten();
                text.map(|text| text.to_string_lossy()).unwrap_or_default()
            } else {
                if value.is_nil() { "null".to_owned() } else { value.to_string().unwrap_or_default() }
            }
        };
        given.map(|given| given.iter().map(shown).collect()).map_err(|_| "raises an error".to_owned())
    }

    fn run_on(&self, text: &str) -> Outcome {
        self.lua.load("rows = {}").exec().map_err(|error| error.to_string())?;
        let given: mlua::LuaString = self.lua.load(text).eval().map_err(|error| error.to_string())?;
        let rows: Table = self.lua.globals().get("rows").map_err(|error| error.to_string())?;
        let mut rows: Vec<String> =
            rows.sequence_values().collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        rows.sort();
        Ok((given.to_string_lossy(), rows))
    }
}

pub fn kerai(text: &str) -> Outcome {
    let source = Source::read(text.as_bytes()).map_err(|refused| format!("refused: {}", refused.message))?;
    let compiled = compile(Language::Lua, &source).map_err(|refused| {
        format!("refused: {}", refused.iter().map(|one| one.describe(source.text())).collect::<Vec<_>>().join("; "))
    })?;
    let verified = compiled.program.verify().map_err(|refusal| format!("broken: {refusal}"))?;
    let mut machine = Machine::new(&verified, MAP_SEED, Limits { gas: MOST_GAS, ..Limits::DEFAULT });
    let result = machine.call("main", &[]).ok_or("broken: no main")?;
    let values = result.map_err(|trap| {
        format!(
            "{} at {:?}",
            trap.code.name(),
            compiled.map.span(trap.function, trap.instruction).map(|span| span.text(source.text()))
        )
    })?;
    let given = values.first().and_then(|value| machine.values().as_string(value)).ok_or("broken: no text")?;
    let given = String::from_utf8_lossy(given).into_owned();
    let mut rows = Vec::new();
    for row in machine.rows() {
        let mut shown = Vec::new();
        for part in [&row.key, &row.value] {
            let mut heap = Heap::new(MAP_SEED);
            let value =
                cbor::decode(&mut heap, part, &Options::CANONICAL).map_err(|refusal| format!("broken: {refusal}"))?;
            let mut text = Vec::new();
            json::encode(&heap, value, &Options::CANONICAL, &mut text)
                .map_err(|refusal| format!("broken: {refusal}"))?;
            shown.push(String::from_utf8_lossy(&text).into_owned());
        }
        rows.push(shown.join(" "));
    }
    rows.sort();
    Ok((given, rows))
}
