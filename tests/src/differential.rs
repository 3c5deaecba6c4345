//! One program, two meanings: what the evaluator and the machine make of the same call.
#![expect(clippy::wildcard_enum_match_arm, reason = "the arms name the traps that are seen in another way")]

use crate::evaluator::{Evaluator, Form, Row, Stop, encode};
use crate::generate::{Generated, Input, input};
use crate::property::Random;
use crate::rewrite;
use kerai_compiler::emit;
use kerai_compiler::ir::{CheckedIr, Ir};
use kerai_vm::bytecode::{Limits, Program, Verified};
use kerai_vm::encoding::{Options, cbor};
use kerai_vm::execute::Machine;
use kerai_vm::trap::TrapCode;
use kerai_vm::value::{Heap, Value};

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

/// What the machine makes of a call, and its gas; none where a limit ended it that the evaluator does not know.
///
/// # Panics
/// If the program has no such export, or the arguments are no data.
#[must_use]
pub fn execute(program: &Verified, call: &Call, seed: u64) -> (Option<Ending>, u64) {
    let mut machine = Machine::new(program, seed, LIMITS);
    let read = |bytes: &Vec<u8>| cbor::decode(machine.heap(), bytes, &Options::SNAPSHOT).expect("data");
    let arguments: Vec<Value> = call.input.encoded().iter().map(read).collect();
    let result = machine.call(&call.export, &arguments).expect("an export");
    let heap = machine.values();
    let ending = match result {
        Ok(values) => {
            let rows = machine.rows().iter().map(|row| (row.key.clone(), row.value.clone())).collect();
            Some(Ending::Results { values: values.into_iter().map(|value| show(heap, value)).collect(), rows })
        }
        Err(trap) => match trap.code {
            TrapCode::GAS | TrapCode::MEMORY | TrapCode::OUTPUT | TrapCode::STRING => None,
            TrapCode::RAISED => Some(Ending::Raised(show(heap, machine.raised()))),
            _ => Some(Ending::Trap(trap.code)),
        },
    };
    (ending, machine.gas_used())
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
#[must_use]
pub fn fault(ir: &Ir, calls: &[Call], seed: u64) -> Option<String> {
    match compile(ir) {
        Ok(compiled) => {
            broken_law(ir, &compiled).or_else(|| calls.iter().find_map(|call| parting(ir, &compiled, call, seed)))
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

/// Where the evaluator and the machine part over a call, if they do.
#[must_use]
pub fn parting(ir: &Ir, compiled: &Compiled, call: &Call, seed: u64) -> Option<String> {
    let (machine, _) = execute(&compiled.verified, call, seed);
    let machine = machine?;
    for (name, ir) in [("as written", ir), ("in canonical form", compiled.checked.ir())] {
        match evaluate(ir, call) {
            Some(evaluator) if evaluator != machine => {
                let Call { export, input } = call;
                return Some(format!(
                    "called {export} with {input:?}\nevaluator, {name}: {evaluator:x?}\nmachine: {machine:x?}"
                ));
            }
            Some(_) => {}
            None => return None,
        }
    }
    None
}
