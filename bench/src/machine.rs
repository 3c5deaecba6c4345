//! The machine beside Lua: the same programs in both, every result equal, each run in a state of its own.

use crate::harness::{Contender, Fresh, Outcome, Plan, Report, Role, Work, measure};
use kerai_vm::bytecode::{Limits, Program, Verified};
use kerai_vm::encoding::{self, Options};
use kerai_vm::execute::Machine;
use kerai_vm::value::{Heap, Kind, Value};
use mlua::{Function, Lua};
use serde_json::json;
use std::fmt;

/// One program in assembly and in Lua, with what the export `run` is called with.
pub struct Example {
    pub name: &'static str,
    pub about: &'static str,
    asm: &'static str,
    other: Other,
    argument: i64,
    /// At most this multiple of the other's time.
    target: f64,
}

/// What a program is measured against.
enum Other {
    Lua(&'static str),
    /// Another program of ours, whose result times the factor is the same.
    Twin {
        asm: &'static str,
        lua: &'static str,
        factor: f64,
    },
}

macro_rules! program {
    ($name:literal) => {
        include_str!(concat!("../programs/", $name))
    };
}

pub const EXAMPLES: &[Example] = &[
    Example {
        name: "fib",
        about: "fib(30): calls",
        asm: program!("fib.asm"),
        other: Other::Lua(program!("fib.lua")),
        argument: 30,
        target: 0.55,
    },
    Example {
        name: "sieve",
        about: "the primes below 2,000,000: lists by position",
        asm: program!("sieve.asm"),
        other: Other::Lua(program!("sieve.lua")),
        argument: 2_000_000,
        target: 0.65,
    },
    Example {
        name: "strings",
        about: "50,000 rows of eight fields, appended piece by piece, then joined",
        asm: program!("strings.asm"),
        other: Other::Lua(program!("strings.lua")),
        argument: 50_000,
        target: 0.3,
    },
    Example {
        name: "sort",
        about: "300,000 numbers put into a list one by one and sorted",
        asm: program!("sort.asm"),
        other: Other::Lua(program!("sort.lua")),
        argument: 300_000,
        target: 0.35,
    },
    Example {
        name: "sort-comparator",
        about: "the same, sorted by a comparator of the program",
        asm: program!("sort-comparator.asm"),
        other: Other::Lua(program!("sort-comparator.lua")),
        argument: 300_000,
        target: 0.5,
    },
    Example {
        name: "n-body",
        about: "200,000 steps of five bodies, in floats",
        asm: program!("n-body.asm"),
        other: Other::Lua(program!("n-body.lua")),
        argument: 200_000,
        target: 1.0,
    },
    Example {
        name: "decimals",
        about: "10,000,000 amounts of two places summed, beside the same in integers",
        asm: program!("amounts-decimal.asm"),
        other: Other::Twin { asm: program!("amounts-integer.asm"), lua: program!("amounts-integer.lua"), factor: 0.01 },
        argument: 10_000,
        target: 3.0,
    },
];

/// The programs whose geometric mean has a target, and that target.
const TOGETHER: (&[&str], f64) = (&["fib", "sieve", "strings", "sort", "n-body"], 0.45);

/// What one example came to: its report, and our time as a multiple of the first peer's.
pub struct Finding {
    report: Report,
    multiple: f64,
    target: f64,
    /// What metering adds to the time without it.
    metering: f64,
}

impl Finding {
    pub fn multiple(&self) -> f64 {
        self.multiple
    }

    /// The report's keys, and how it compares with the targets.
    pub fn to_json(&self, name: &str) -> serde_json::Value {
        let mut json = self.report.to_json(name);
        if let Some(object) = json.as_object_mut() {
            object.insert("multiple".to_owned(), rounded(self.multiple).into());
            object.insert("target".to_owned(), self.target.into());
            object.insert("metering".to_owned(), rounded(self.metering).into());
            object.insert("multiple_means".to_owned(), MULTIPLE.into());
        }
        json
    }

    pub fn to_table(&self, name: &str) -> String {
        let Finding { report, multiple, target, metering } = self;
        let table = report.to_table(name);
        let metering = metering * 100.0;
        format!("{table}\n  {multiple:.3} of the first peer's time, target {target}; metering {metering:+.1} %")
    }
}

const MULTIPLE: &str = "our median over the first peer's: below 1 means ours is faster";

fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The geometric mean of the multiples that have a target together.
pub struct Mean(f64);

pub fn geometric_mean(multiples: &[(&str, f64)]) -> Option<Mean> {
    let (names, _) = TOGETHER;
    let of = |name: &&str| multiples.iter().find(|multiple| multiple.0 == *name).map(|multiple| multiple.1.ln());
    let logarithms = names.iter().map(of).collect::<Option<Vec<f64>>>()?;
    Some(Mean((logarithms.iter().sum::<f64>() / logarithms.len() as f64).exp()))
}

impl Mean {
    pub fn to_json(&self) -> serde_json::Value {
        let (names, target) = TOGETHER;
        json!({ "name": "machine", "geometric_mean": rounded(self.0), "of": names, "target": target, "multiple_means": MULTIPLE })
    }
}

impl fmt::Display for Mean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (names, target) = TOGETHER;
        write!(f, "machine: geometric mean {:.3} of Lua's times for {}, target {target}", self.0, names.join(", "))
    }
}

pub fn run(example: &Example, plan: &Plan) -> Outcome<Finding> {
    let ours = verified(example.asm)?;
    let expected = in_kerai(&ours, Way::Shipped, example.argument)?;
    let argument = example.argument;
    let twin;
    let mut contenders = vec![kerai_contender(Role::Ours, "kerai", (&ours, Way::Shipped), argument, &expected)];
    match example.other {
        Other::Lua(source) => {
            let lua = Lua54::new(source, argument)?.call()?;
            if lua != expected {
                return Err(format!("kerai gives {expected}, Lua {lua}"));
            }
            contenders.push(lua_contender("lua-5.4", source, example.argument, &lua));
        }
        Other::Twin { asm, lua, factor } => {
            twin = verified(asm)?;
            let integers = in_kerai(&twin, Way::Shipped, argument)?;
            let (a, b): (f64, f64) = (number(&expected)?, number(&integers)?);
            if (a - b * factor).abs() > a.abs() * 1e-12 {
                return Err(format!("decimals give {expected}, integers {integers}"));
            }
            contenders.push(kerai_contender(Role::Peer, "kerai-integers", (&twin, Way::Shipped), argument, &integers));
            contenders.push(lua_contender("lua-5.4-integers", lua, argument, &integers));
        }
    }
    contenders.push(kerai_contender(Role::Ceiling, "kerai-unmetered", (&ours, Way::Unmetered), argument, &expected));
    let report = measure(example.about.to_owned(), plan.rounds, contenders)?;
    let missing = || "a contender was not measured".to_owned();
    let multiple = report.multiple(Role::Peer).ok_or_else(missing)?;
    let metering = report.multiple(Role::Ceiling).ok_or_else(missing)? - 1.0;
    Ok(Finding { report, multiple, target: example.target, metering })
}

fn number(text: &str) -> Outcome<f64> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

fn verified(asm: &str) -> Outcome<Verified> {
    let program = Program::from_text(asm).map_err(|refusal| format!("kerai refuses the program: {refusal}"))?;
    program.verify().map_err(|refusal| format!("kerai refuses the program: {refusal}"))
}

/// A pass is one call: a call is its own unit of work.
const CALL: Work = Work { units: 1, bytes: 0 };

fn kerai_contender<'p>(
    role: Role,
    name: &'static str,
    (program, way): (&'p Verified, Way),
    argument: i64,
    expected: &str,
) -> Contender<'p> {
    Contender::fresh(role, name, CALL, digest(expected), move || Box::new(Kerai::new(program, way, argument)))
}

fn lua_contender<'a>(name: &'static str, source: &'static str, argument: i64, expected: &str) -> Contender<'a> {
    Contender::fresh(Role::Peer, name, CALL, digest(expected), move || match Lua54::new(source, argument) {
        Ok(lua) => Box::new(lua),
        Err(_) => Box::new(Broken),
    })
}

/// A number that stands for a result's text.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[derive(Clone, Copy)]
enum Way {
    Shipped,
    Unmetered,
}

/// A machine of ours that has not run yet.
struct Kerai<'p> {
    machine: Machine<'p>,
    way: Way,
    argument: i64,
}

impl<'p> Kerai<'p> {
    fn new(program: &'p Verified, way: Way, argument: i64) -> Kerai<'p> {
        Kerai { machine: Machine::new(program, 1, Limits::DEFAULT), way, argument }
    }

    fn call(&mut self) -> Outcome<String> {
        let arguments = [Value::integer(self.argument)];
        let result = match self.way {
            Way::Shipped => self.machine.call("run", &arguments),
            Way::Unmetered => self.machine.call_unmetered("run", &arguments),
        };
        let results = result.ok_or("there is no export `run`")?.map_err(|trap| trap.to_string())?;
        Ok(results.iter().map(|&value| shown(self.machine.values(), value)).collect::<Vec<String>>().join(" "))
    }
}

impl Fresh for Kerai<'_> {
    fn pass(&mut self) -> u64 {
        self.call().map_or(0, |text| digest(&text))
    }
}

fn in_kerai(program: &Verified, way: Way, argument: i64) -> Outcome<String> {
    Kerai::new(program, way, argument).call()
}

/// Floats by their bits, everything else as JSON.
fn shown(heap: &Heap, value: Value) -> String {
    match value.as_float() {
        Some(float) if heap.kind(value) == Kind::Float => format!("{:016x}", float.to_bits()),
        _ => {
            let mut out = Vec::new();
            match encoding::json::encode(heap, value, &Options::default(), &mut out) {
                Ok(()) => String::from_utf8_lossy(&out).into_owned(),
                Err(refusal) => refusal.to_string(),
            }
        }
    }
}

/// A Lua that has not run yet.
struct Lua54 {
    run: Function,
    argument: i64,
    _lua: Lua,
}

impl Lua54 {
    fn new(source: &str, argument: i64) -> Outcome<Lua54> {
        let said = |error: mlua::Error| format!("Lua refuses the program: {error}");
        let lua = Lua::new();
        lua.load(source).exec().map_err(said)?;
        let run = lua.globals().get("run").map_err(said)?;
        Ok(Lua54 { run, argument, _lua: lua })
    }

    fn call(&mut self) -> Outcome<String> {
        let results: mlua::MultiValue = self.run.call(self.argument).map_err(|error| format!("Lua fails: {error}"))?;
        let shown = |value: &mlua::Value| match value {
            mlua::Value::Integer(integer) => integer.to_string(),
            mlua::Value::Number(float) => format!("{:016x}", float.to_bits()),
            other => other.to_string().unwrap_or_default(),
        };
        Ok(results.iter().map(shown).collect::<Vec<String>>().join(" "))
    }
}

impl Fresh for Lua54 {
    fn pass(&mut self) -> u64 {
        self.call().map_or(0, |text| digest(&text))
    }
}

/// What could not be prepared gives no result, which no one expects.
struct Broken;

impl Fresh for Broken {
    fn pass(&mut self) -> u64 {
        0
    }
}
