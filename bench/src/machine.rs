//! The machine beside Lua: the same sources in both, every result equal, each run in a state of its own.

use crate::harness::{Contender, Fresh, Outcome, Plan, Report, Role, Work, in_turns, measure};
use crate::lua::{HAS_INTEGERS, LoadedLua, PEERS, Peer};
use crate::wasm::Wasm;
use crate::{files, invoices};
use kerai_compiler::{Language, Source, compile};
use kerai_vm::bytecode::{Limits, Program, Verified};
use kerai_vm::encoding::{self, Options};
use kerai_vm::execute::Machine;
use kerai_vm::value::{Heap, Kind, Value};
use serde_json::json;
use std::fmt;

/// One program in Lua, which we compile and Lua runs as it stands.
pub struct Example {
    pub name: &'static str,
    pub about: &'static str,
    pub lua: &'static str,
    /// The same in WebAssembly's text, where it means something there.
    wasm: Option<&'static str>,
    /// Whether it computes with integers beyond 2⁵³.
    is_wide: bool,
    work: Measure,
    /// At most this multiple of the first peer's time.
    pub target: f64,
}

/// How a program is measured.
enum Measure {
    /// Its export `run` is called with a number, beside the same program in assembly. What metering costs is told by a
    /// smaller one, of a few milliseconds.
    Run { argument: i64, brief: i64, asm: &'static str },
    /// As that, but the first peer is another program of ours, whose result times the factor is the same.
    Twin { argument: i64, brief: i64, asm: &'static str, twin: &'static str, factor: f64 },
    /// It is a fold, to which the events of the plan are given.
    Fold,
    /// As that: some more events on top of all the others.
    More,
    /// As that, on top of a saved file.
    Resume,
    /// From bytes to bytes.
    EndToEnd,
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
        lua: program!("fib.lua"),
        wasm: Some(program!("fib.wat")),
        is_wide: false,
        work: Measure::Run { argument: 30, brief: 24, asm: program!("fib.asm") },
        target: 0.55,
    },
    Example {
        name: "sieve",
        about: "the primes below 2,000,000: lists by position",
        lua: program!("sieve.lua"),
        wasm: Some(program!("sieve.wat")),
        is_wide: false,
        work: Measure::Run { argument: 2_000_000, brief: 100_000, asm: program!("sieve.asm") },
        target: 0.65,
    },
    Example {
        name: "strings",
        about: "50,000 rows of eight fields, appended piece by piece, then joined",
        lua: program!("strings.lua"),
        wasm: None,
        is_wide: false,
        work: Measure::Run { argument: 50_000, brief: 2_500, asm: program!("strings.asm") },
        target: 0.3,
    },
    Example {
        name: "sort",
        about: "300,000 numbers put into a list one by one and sorted",
        lua: program!("sort.lua"),
        wasm: None,
        is_wide: true,
        work: Measure::Run { argument: 300_000, brief: 15_000, asm: program!("sort.asm") },
        target: 0.35,
    },
    Example {
        name: "sort-comparator",
        about: "the same, sorted by a comparator of the program",
        lua: program!("sort-comparator.lua"),
        wasm: None,
        is_wide: true,
        work: Measure::Run { argument: 300_000, brief: 15_000, asm: program!("sort-comparator.asm") },
        target: 0.5,
    },
    Example {
        name: "n-body",
        about: "200,000 steps of five bodies, in floats",
        lua: program!("n-body.lua"),
        wasm: Some(program!("n-body.wat")),
        is_wide: false,
        work: Measure::Run { argument: 200_000, brief: 2_000, asm: program!("n-body.asm") },
        target: 1.0,
    },
    Example {
        name: "decimals",
        about: "10,000,000 amounts of two places summed, beside the same in integers",
        lua: program!("amounts-decimal.lua"),
        wasm: None,
        is_wide: false,
        work: Measure::Twin {
            argument: 10_000,
            brief: 400,
            asm: program!("amounts-decimal.asm"),
            twin: program!("amounts-integer.lua"),
            factor: 0.01,
        },
        target: 3.0,
    },
    Example {
        name: "invoices",
        about: "events folded into invoices, decoded before; ours step by step, each in a transaction",
        lua: program!("invoices.lua"),
        wasm: None,
        is_wide: false,
        work: Measure::Fold,
        target: 0.4,
    },
    Example {
        name: "invoices-more",
        about: "events folded and finished, rows and root; ours is a thousand more on top of them",
        lua: program!("invoices.lua"),
        wasm: None,
        is_wide: false,
        work: Measure::More,
        target: 0.02,
    },
    Example {
        name: "resume",
        about: "events in a file, folded and saved; ours goes on from a saved file with a thousand more and saves again",
        lua: program!("invoices.lua"),
        wasm: None,
        is_wide: false,
        work: Measure::Resume,
        target: 0.2,
    },
    Example {
        name: "end-to-end",
        about: "events from canonical CBOR to canonical JSON and root; Lua's are decoded and encoded in Rust",
        lua: program!("invoices.lua"),
        wasm: None,
        is_wide: false,
        work: Measure::EndToEnd,
        target: 1.0,
    },
];

impl Example {
    /// Whether it means the same in the Lua of this build.
    pub const fn is_comparable(&self) -> bool {
        HAS_INTEGERS || !self.is_wide
    }
}

/// The programs whose geometric mean has a target, and that target.
const TOGETHER: (&[&str], f64) = (&["fib", "sieve", "strings", "sort", "n-body"], 0.45);

/// What one example came to: its report, and our time as a multiple of the first peer's.
pub struct Finding {
    report: Report,
    multiple: f64,
    target: f64,
    /// What metering adds to the time without it, where both were measured.
    metering: Option<f64>,
}

impl Finding {
    /// Of a report, and of our time over the time without metering where that was measured.
    pub fn new(report: Report, target: f64, metered: Option<f64>) -> Outcome<Finding> {
        let multiple = report.multiple(Role::Peer).ok_or("a contender was not measured")?;
        Ok(Finding { multiple, target, metering: metered.map(|with| with - 1.0), report })
    }

    pub fn multiple(&self) -> f64 {
        self.multiple
    }

    /// The report's keys, and how it compares with the targets.
    pub fn to_json(&self, name: &str) -> serde_json::Value {
        let mut json = self.report.to_json(name);
        if let Some(object) = json.as_object_mut() {
            object.insert("multiple".to_owned(), rounded(self.multiple).into());
            object.insert("target".to_owned(), self.target.into());
            if let Some(metering) = self.metering {
                object.insert("metering".to_owned(), rounded(metering).into());
            }
            object.insert("multiple_means".to_owned(), MULTIPLE.into());
        }
        json
    }

    pub fn to_table(&self, name: &str) -> String {
        let Finding { report, multiple, target, metering } = self;
        let table = report.to_table(name);
        let metering = metering.map(|more| format!("; metering {:+.1} %", more * 100.0)).unwrap_or_default();
        format!("{table}\n  {multiple:.3} of the first peer's time, target {target}{metering}")
    }
}

const MULTIPLE: &str = "the median of our time over the first peer's in the same round: below 1 means ours is faster";

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
    match example.work {
        Measure::Run { argument, brief, asm } => run_program(example, plan, (argument, brief, asm)),
        Measure::Twin { argument, brief, asm, twin, factor } => {
            run_twins(example, plan, (argument, brief, asm), (twin, factor))
        }
        Measure::Fold => {
            let metered = invoices::metered(example, plan)?;
            Finding::new(invoices::measure_fold(example, plan)?, example.target, Some(metered))
        }
        Measure::More => Finding::new(invoices::measure_more(example, plan)?, example.target, None),
        Measure::Resume => Finding::new(files::measure_resume(example, plan)?, example.target, None),
        Measure::EndToEnd => Finding::new(files::measure_whole(example, plan)?, example.target, None),
    }
}

/// How many turns a round is worth where what metering costs is measured.
pub const TURNS: usize = 25;

/// Our time of a small number over that without metering.
fn metered(program: &Verified, brief: i64, plan: &Plan) -> Outcome<f64> {
    let expected = in_kerai(program, Way::Shipped, brief)?;
    let side = |role: Role, name: &'static str, way: Way| kerai_contender(role, name, (program, way), brief, &expected);
    let without = side(Role::Ceiling, "kerai-unmetered", Way::Unmetered);
    in_turns(TURNS * plan.rounds, side(Role::Ours, "kerai", Way::Shipped), without)
}

fn run_program(example: &Example, plan: &Plan, (argument, brief, asm): (i64, i64, &str)) -> Outcome<Finding> {
    let (ours, assembled) = (compiled(example.lua)?, assembled(asm)?);
    let expected = in_kerai(&ours, Way::Shipped, argument)?;
    let metered = metered(&ours, brief, plan)?;
    let mut contenders = vec![
        kerai_contender(Role::Ours, "kerai", (&ours, Way::Shipped), argument, &expected),
        kerai_contender(Role::Ceiling, "kerai-unmetered", (&ours, Way::Unmetered), argument, &expected),
    ];
    for peer in PEERS {
        let found = LoadedLua::new(*peer, example.lua)?.call(argument)?;
        if found != expected {
            return Err(format!("kerai gives {expected}, {} {found}", peer.name));
        }
        contenders.push(lua_contender((*peer, peer.name), example.lua, argument, &expected));
    }
    if let Some(text) = example.wasm {
        let found = Wasm::new(text)?.call(argument)?;
        if found != expected {
            return Err(format!("kerai gives {expected}, wasmi {found}"));
        }
        contenders.push(wasm_contender(text, argument, &expected));
    }
    contenders.push(kerai_contender(Role::Ceiling, "kerai-assembly", (&assembled, Way::Shipped), argument, &expected));
    Finding::new(measure(example.about.to_owned(), plan.rounds, contenders)?, example.target, Some(metered))
}

fn run_twins(
    example: &Example,
    plan: &Plan,
    (argument, brief, asm): (i64, i64, &str),
    (twin, factor): (&'static str, f64),
) -> Outcome<Finding> {
    let (ours, assembled, integers) = (compiled(example.lua)?, assembled(asm)?, compiled(twin)?);
    let expected = in_kerai(&ours, Way::Shipped, argument)?;
    let whole = in_kerai(&integers, Way::Shipped, argument)?;
    let (a, b): (f64, f64) = (number(&expected)?, number(&whole)?);
    if (a - b * factor).abs() > a.abs() * 1e-12 {
        return Err(format!("decimals give {expected}, integers {whole}"));
    }
    let metered = metered(&ours, brief, plan)?;
    let mut contenders = vec![
        kerai_contender(Role::Ours, "kerai", (&ours, Way::Shipped), argument, &expected),
        kerai_contender(Role::Peer, "kerai-integers", (&integers, Way::Shipped), argument, &whole),
        kerai_contender(Role::Ceiling, "kerai-unmetered", (&ours, Way::Unmetered), argument, &expected),
        kerai_contender(Role::Ceiling, "kerai-assembly", (&assembled, Way::Shipped), argument, &expected),
    ];
    contenders.extend(PEERS.iter().map(|peer| lua_contender((*peer, peer.integers), twin, argument, &whole)));
    Finding::new(measure(example.about.to_owned(), plan.rounds, contenders)?, example.target, Some(metered))
}

fn number(text: &str) -> Outcome<f64> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}

fn assembled(asm: &str) -> Outcome<Verified> {
    verified(Program::from_text(asm).map_err(|refusal| format!("kerai refuses the program: {refusal}"))?)
}

/// A program in Lua, as we compile it.
pub fn compiled(lua: &str) -> Outcome<Verified> {
    let source = Source::read(lua.as_bytes()).map_err(|diagnostic| format!("{diagnostic:?}"))?;
    verified(compile(Language::Lua, &source).map_err(|diagnostics| format!("{diagnostics:?}"))?.program)
}

fn verified(program: Program) -> Outcome<Verified> {
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

fn lua_contender<'a>(
    (peer, name): (Peer, &'static str),
    source: &'a str,
    argument: i64,
    expected: &str,
) -> Contender<'a> {
    Contender::fresh(Role::Peer, name, CALL, digest(expected), move || match LoadedLua::new(peer, source) {
        Ok(lua) => Box::new(LuaRun { lua, argument }),
        Err(_) => Box::new(Broken),
    })
}

fn wasm_contender<'a>(text: &'a str, argument: i64, expected: &str) -> Contender<'a> {
    Contender::fresh(Role::Peer, "wasmi-with-fuel", CALL, digest(expected), move || match Wasm::new(text) {
        Ok(wasm) => Box::new(WasmRun { wasm, argument }),
        Err(_) => Box::new(Broken),
    })
}

/// A number that stands for a result's text.
fn digest(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[derive(Clone, Copy)]
pub enum Way {
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
struct LuaRun {
    lua: LoadedLua,
    argument: i64,
}

impl Fresh for LuaRun {
    fn pass(&mut self) -> u64 {
        self.lua.call(self.argument).map_or(0, |text| digest(&text))
    }
}

/// A WebAssembly instance that has not run yet.
struct WasmRun {
    wasm: Wasm,
    argument: i64,
}

impl Fresh for WasmRun {
    fn pass(&mut self) -> u64 {
        self.wasm.call(self.argument).map_or(0, |text| digest(&text))
    }
}

/// What could not be prepared gives no result, which no one expects.
pub struct Broken;

impl Fresh for Broken {
    fn pass(&mut self) -> u64 {
        0
    }
}
