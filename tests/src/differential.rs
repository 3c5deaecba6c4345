//! One program, two meanings: what the evaluator and the machine make of the same call.
#![expect(clippy::wildcard_enum_match_arm, reason = "the arms name the traps that are seen in another way")]

use crate::evaluator::{Evaluator, Form, Row, Stop, encode};
use crate::generate::{self, Generated, Input, input};
use crate::property::Random;
use crate::rewrite;
use crate::shrink::shrink;
use kerai_compiler::emit;
use kerai_compiler::ir::{CheckedIr, Ir};
use kerai_vm::bytecode::{Builtin, Limits, Op, Program, Verified};
use kerai_vm::encoding::{Options, cbor};
use kerai_vm::execute::Machine;
use kerai_vm::trap::{Trap, TrapCode};
use kerai_vm::value::{Heap, Value};
use std::collections::BTreeSet;

/// What came of a call, as far as both can know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    Results { values: Vec<Shown>, rows: Vec<Row> },
    Trap(TrapCode),
    Raised(Shown),
}

/// A value's bytes; none where it has none.
pub type Shown = Option<Vec<u8>>;

/// A call of an export.
#[derive(Debug, Clone)]
pub struct Call {
    pub export: String,
    pub input: Input,
}

/// Values in a result that is compared: shared tables can stand in one very often.
const VALUES: usize = 10_000;

const SHOWN: Options = Options { values: VALUES, ..Options::SNAPSHOT };

/// What one evaluation may take, in steps of the evaluator.
const FUEL: u64 = 20_000;

/// What one call may use on the machine: more than programs need that the evaluator sees to their end.
const LIMITS: Limits = Limits { gas: 2_000_000, memory: 32 << 20, ..Limits::DEFAULT };

/// Calls for each export of a generated program.
#[must_use]
pub fn calls(random: &mut Random, generated: &Generated, each: usize) -> Vec<Call> {
    let exports = generated.exports.iter();
    exports
        .flat_map(|(export, signature)| (0..each).map(move |_| (export, signature)))
        .map(|(export, signature)| Call { export: export.clone(), input: input(random, &signature.parameters) })
        .collect()
}

/// What the evaluator makes of a call; none where it gives up.
#[must_use]
pub fn evaluate(ir: &Ir, call: &Call) -> Option<Ending> {
    let mut evaluator = Evaluator::new(ir, call.input.tables.clone(), FUEL);
    let result = evaluator.call_export(&call.export, call.input.arguments.clone())?;
    let form = Form { is_normal: false, values: VALUES };
    let show = |value| encode(&evaluator.tables, &value, form);
    match result {
        Ok(values) => Some(Ending::Results { values: values.into_iter().map(show).collect(), rows: evaluator.rows }),
        Err(Stop::Trap(code)) => Some(Ending::Trap(code)),
        Err(Stop::Raised(value)) => Some(Ending::Raised(show(value))),
        Err(Stop::Unknown) => None,
    }
}

fn show(heap: &Heap, value: Value) -> Shown {
    let mut out = Vec::new();
    cbor::encode(heap, value, &SHOWN, &mut out).ok().map(|()| out)
}

/// A way to run: quickly, or plainly.
type Way<'p> = fn(&mut Machine<'p>, &str, &[Value]) -> Option<Result<Vec<Value>, Trap>>;

/// What came of a call on the machine, all that can be seen of it.
#[derive(Debug, PartialEq, Eq)]
struct Ran {
    result: Result<Vec<Shown>, Trap>,
    raised: Shown,
    rows: Vec<Row>,
    gas: u64,
}

fn run<'p>(program: &'p Verified, call: &Call, seed: u64, way: Way<'p>) -> Ran {
    let mut machine = Machine::new(program, seed, LIMITS);
    let read = |bytes: &Vec<u8>| cbor::decode(machine.heap(), bytes, &Options::SNAPSHOT).expect("data");
    let arguments: Vec<Value> = call.input.encoded().iter().map(read).collect();
    let result = way(&mut machine, &call.export, &arguments).expect("an export");
    let heap = machine.values();
    Ran {
        result: result.map(|values| values.into_iter().map(|value| show(heap, value)).collect()),
        raised: show(heap, machine.raised()),
        rows: machine.rows().iter().map(|row| (row.key.clone(), row.value.clone())).collect(),
        gas: machine.gas_used(),
    }
}

/// The gas that a call uses, with the code of the trap where one ends it.
///
/// # Panics
/// If the program has no such export, or the arguments are no data.
#[must_use]
pub fn gas(program: &Verified, call: &Call) -> String {
    let Ran { result, gas, .. } = run(program, call, 1, Machine::call);
    result.map_or_else(|trap| format!("{gas} {}", trap.code.name()), |_| gas.to_string())
}

/// What the machine makes of a call; none where a limit ended it that the evaluator does not know.
///
/// # Errors
/// Where the two ways to run, under two seeds of in-memory hashes, do not agree on all there is, gas included.
///
/// # Panics
/// If the program has no such export, or the arguments are no data.
pub fn execute(program: &Verified, call: &Call, seed: u64) -> Result<Option<Ending>, String> {
    let quickly = run(program, call, seed, Machine::call);
    let plainly = run(program, call, !seed, Machine::call_plainly);
    if quickly != plainly {
        return Err(format!("quickly: {quickly:x?}\nplainly: {plainly:x?}"));
    }
    let Ran { result, raised, rows, .. } = quickly;
    Ok(match result {
        Ok(values) => Some(Ending::Results { values, rows }),
        Err(trap) => match trap.code {
            TrapCode::GAS | TrapCode::MEMORY | TrapCode::OUTPUT | TrapCode::STRING => None,
            TrapCode::RAISED => Some(Ending::Raised(raised)),
            other => Some(Ending::Trap(other)),
        },
    })
}

/// A program on its way through the compiler.
pub struct Compiled {
    pub checked: CheckedIr,
    pub program: Program,
    pub verified: Verified,
}

/// Why a program is not compiled.
#[derive(Debug)]
pub enum Refused {
    /// It was not well formed: its author's fault.
    Check(String),
    /// A function needs more room than there is.
    TooLarge,
    /// The compiler made something that may not run: the compiler's fault.
    Verifier(String),
}

/// Compiles a program.
///
/// # Errors
/// Where it is refused, by whom.
pub fn compile(ir: &Ir) -> Result<Compiled, Refused> {
    let checked = ir.clone().check().map_err(|faults| Refused::Check(format!("{faults:?}")))?;
    let (program, _) = emit::emit(&checked).map_err(|_| Refused::TooLarge)?;
    let verified = program.clone().verify();
    let verified = verified.map_err(|refusal| Refused::Verifier(format!("{refusal}\n{}", program.to_text())))?;
    Ok(Compiled { checked, program, verified })
}

/// What is wrong with a program or what becomes of it, if anything is.
fn fault(ir: &Ir, calls: &[Call], seed: u64) -> Option<String> {
    match compile(ir) {
        Ok(compiled) => {
            broken_law(ir, &compiled).or_else(|| calls.iter().find_map(|call| ending(ir, &compiled, call, seed).err()))
        }
        Err(Refused::Verifier(refusal)) => Some(format!("the verifier refuses what was made: {refusal}")),
        Err(Refused::Check(_) | Refused::TooLarge) => None,
    }
}

/// What must hold of every program, whatever it does, and does not hold here.
fn broken_law(ir: &Ir, compiled: &Compiled) -> Option<String> {
    for ir in [&rewrite::numbered(ir), compiled.checked.ir()] {
        let text = ir.to_text();
        let again = Ir::from_text(&text);
        if !again.as_ref().is_ok_and(|again| is_same(again, ir)) {
            return Some(format!("the text reads as something else, {again:?}:\n{text}"));
        }
    }
    let again = compiled.program.encode().and_then(|bytes| Program::decode(&bytes));
    if again.as_ref() != Ok(&compiled.program) {
        return Some("the bytes read as something else".to_owned());
    }
    let mut random = Random::new(compiled.program.functions.len() as u64);
    let renamed = rewrite::renamed(ir, &mut random);
    match compile(&renamed) {
        Ok(other) if other.program == compiled.program => None,
        Ok(other) => Some(format!("under other names it is another program:\n{}", other.program.to_text())),
        Err(refused) => Some(format!("under other names it is refused: {refused:?}")),
    }
}

/// Whether two programs are the same but for what can't stand in a word of the text.
fn is_same(a: &Ir, b: &Ir) -> bool {
    a.to_text() == b.to_text() && a.variables.len() == b.variables.len() && a.functions.len() == b.functions.len()
}

/// How a call ends; none where that is not known.
///
/// # Errors
/// Where the evaluator and the machine, or its two ways to run, part over it.
fn ending(ir: &Ir, compiled: &Compiled, call: &Call, seed: u64) -> Result<Option<Ending>, String> {
    let Call { export, input } = call;
    let called = format_args!("called {export} with {input:?}");
    let machine = execute(&compiled.verified, call, seed).map_err(|ways| format!("{called}\n{ways}"))?;
    let Some(machine) = machine else { return Ok(None) };
    for (name, ir) in [("as written", ir), ("in canonical form", compiled.checked.ir())] {
        match evaluate(ir, call) {
            None => return Ok(None),
            Some(evaluator) if evaluator != machine => {
                return Err(format!("{called}\nevaluator, {name}: {evaluator:x?}\nmachine: {machine:x?}"));
            }
            Some(_) => {}
        }
    }
    Ok(Some(machine))
}

/// What a run has met, so that it can't have looked at too little.
#[derive(Default)]
pub struct Met {
    operations: BTreeSet<u8>,
    builtins: BTreeSet<u32>,
    /// Calls, and how those ended that both know.
    calls: u64,
    results: u64,
    traps: u64,
}

impl Met {
    fn meet(&mut self, program: &Program) {
        for word in program.functions.iter().flat_map(|function| &function.code) {
            self.operations.insert(word.byte());
            if word.op() == Some(Op::CallBuiltin) {
                self.builtins.insert(word.wide());
            }
        }
    }

    fn end(&mut self, ending: Option<&Ending>) {
        self.calls += 1;
        match ending {
            None => {}
            Some(Ending::Results { .. }) => self.results += 1,
            Some(Ending::Trap(_) | Ending::Raised(_)) => self.traps += 1,
        }
    }

    /// Operations and built-ins that no program had.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let operations = Op::ALL.iter().filter(|op| !self.operations.contains(&(**op as u8)));
        let builtins = Builtin::ALL.iter().filter(|builtin| !self.builtins.contains(&builtin.number()));
        operations.map(|op| op.information().name).chain(builtins.map(|builtin| builtin.name())).collect()
    }

    /// How many calls of a thousand both saw to their end.
    #[must_use]
    pub const fn compared(&self) -> u64 {
        (self.results + self.traps) * 1000 / if self.calls == 0 { 1 } else { self.calls }
    }
}

impl core::fmt::Display for Met {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Met { calls, results, traps, operations, builtins } = self;
        write!(out, "{calls} calls: {results} gave results and {traps} traps, in both; ")?;
        write!(out, "{} operations and {} built-ins met", operations.len(), builtins.len())
    }
}

/// Makes a program and judges it.
///
/// # Errors
/// The smallest program that is still wrong, with what is wrong.
pub fn judge(random: &mut Random, seed: u64, met: &mut Met) -> Result<(), String> {
    let generated = generate::program(random);
    let calls = calls(random, &generated, 2);
    let ir = &generated.ir;
    let compiled = match compile(ir) {
        Ok(compiled) => compiled,
        Err(Refused::Check(fault)) => return Err(format!("the program is not well formed: {fault}\n{}", ir.to_text())),
        Err(Refused::TooLarge) => return Ok(()),
        Err(Refused::Verifier(_)) => return Err(smallest(ir, &calls, seed)),
    };
    met.meet(&compiled.program);
    if broken_law(ir, &compiled).is_some() {
        return Err(smallest(ir, &calls, seed));
    }
    for call in &calls {
        match ending(ir, &compiled, call, seed) {
            Ok(ending) => met.end(ending.as_ref()),
            Err(_) => return Err(smallest(ir, &calls, seed)),
        }
    }
    Ok(())
}

/// The smallest program that is still wrong, with what is wrong.
fn smallest(ir: &Ir, calls: &[Call], seed: u64) -> String {
    let small = shrink(ir.clone(), |ir| fault(ir, calls, seed).is_some());
    let code = compile(&small).map(|compiled| compiled.program.to_text()).unwrap_or_default();
    format!("{}\n{}\n{code}", fault(&small, calls, seed).unwrap_or_default(), small.to_text())
}

/// The stack of a thread that evaluates: 200 calls deep, in a build without optimization.
const STACK: usize = 1 << 30;

/// Does something with room for the evaluator's recursion.
///
/// # Panics
/// Where it panics.
pub fn with_room<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(work).expect("a thread");
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
