//! From the checked IR to a program: registers for variables, instructions for everything else.
//!
//! What comes out depends on the canonical IR alone. Functions are numbered as they are first met, beginning with the
//! exports in the order of their names, so neither names nor the order of declarations can be seen.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the arms name the few nodes that have a short way, every other takes the long one"
)]

mod call;
mod code;
mod condition;
mod expression;
mod function;
mod map;
mod results;

pub use map::{FunctionMap, Map};

use crate::intern::Interner;
use crate::ir::{CheckedIr, Free, FunctionId, Ir, Lambda, Usage, VariableId};
use crate::{Code, Diagnostic, Span};
use code::{Body, Home, Instructions};
use core::array;
use kerai_vm::bytecode::{Certificate, Constant, Function, Merging, Op, Operand, Order, PROFILE, Program, Role};
use kerai_vm::law::{self, Counterexample, Law};
use results::Results;
use std::collections::{BTreeMap, VecDeque};

/// Something that a program has no room for.
type Emit<T> = Result<T, Diagnostic>;

/// A function that was met and is not emitted yet.
struct Job<'i> {
    lambda: &'i Lambda,
    name: &'i str,
    /// The variables that it keeps, and whether each is shared with others that assign it.
    captures: Vec<(VariableId, bool)>,
}

/// What the functions of a program have in common while it is emitted.
struct Emitter<'i> {
    ir: &'i Ir,
    results: Results,
    usage: &'i Usage,
    free: Free,
    /// Where variables are in the function that is being emitted.
    homes: Vec<Home>,
    numbers: Vec<Option<u32>>,
    jobs: VecDeque<Job<'i>>,
    met: u32,
    constants: Constants<'i>,
    code: Instructions,
}

/// The constants, each once.
#[derive(Default)]
struct Constants<'i> {
    strings: Interner<'i>,
    others: BTreeMap<&'i Constant, u32>,
    constants: Vec<&'i Constant>,
}

impl<'i> Constants<'i> {
    fn number(&mut self, constant: &'i Constant) -> u32 {
        let next = u32::try_from(self.constants.len()).unwrap_or(u32::MAX);
        let number = match constant {
            Constant::String(text) => self.strings.number(text, next),
            other => *self.others.entry(other).or_insert(next),
        };
        if number == next {
            self.constants.push(constant);
        }
        number
    }

    /// The constants that the code uses, in the order of their first use there, which gives them their numbers.
    fn in_order_of_use(&self, functions: &mut [Function]) -> Vec<Constant> {
        let is_constant = |operand: &&Operand| matches!(operand.role, Role::Constant | Role::Name);
        let operand = |op: Op| op.information().operands.iter().find(is_constant).copied();
        // No instruction uses two, and most use none.
        let operands: [Option<Operand>; 256] = array::from_fn(|byte| operand(Op::of(u8::try_from(byte).ok()?)?));
        let mut numbers: Vec<Option<u32>> = vec![None; self.constants.len()];
        let mut constants = Vec::with_capacity(numbers.len());
        for word in functions.iter_mut().flat_map(|function| &mut function.code) {
            let Some(&Some(operand)) = operands.get(usize::from(word.byte())) else { continue };
            let place = word.get(operand) as usize;
            let (Some(known), Some(&constant)) = (numbers.get_mut(place), self.constants.get(place)) else {
                continue;
            };
            let next = u32::try_from(constants.len()).unwrap_or(u32::MAX);
            if known.is_none() {
                constants.push(constant.clone());
            }
            *word = word.with(operand, *known.get_or_insert(next));
        }
        constants
    }
}

/// Makes the program, and the map from its instructions to the source.
///
/// # Errors
/// Where a function is larger than a program has room for.
pub fn emit(checked: &CheckedIr) -> Result<(Program, Map), Diagnostic> {
    let ir = checked.ir();
    let mut emitter = Emitter {
        ir,
        results: Results::of(ir),
        usage: checked.usage(),
        free: Free::new(ir.variables.len()),
        homes: vec![Home::default(); ir.variables.len()],
        numbers: vec![None; ir.functions.len()],
        jobs: VecDeque::new(),
        met: 0,
        constants: Constants::default(),
        code: Instructions::with_room(),
    };
    let exports = ir.exports.iter().map(|(name, &id)| (name.clone(), emitter.function(id))).collect();
    let (mut functions, mut map) = (Vec::new(), Map::default());
    while let Some(job) = emitter.jobs.pop_front() {
        let (function, function_map) = Body::emit(&mut emitter, &job)?;
        functions.push(function);
        map.functions.push(function_map);
    }
    let constants = emitter.constants.in_order_of_use(&mut functions);
    let program = Program {
        profile: PROFILE,
        kind: ir.kind,
        constants,
        functions,
        exports,
        limits: ir.limits,
        rules: ir.rules.clone(),
        merging: ir.merging(),
    };
    Ok((certified(program, &map)?, map))
}

/// The program with what is known of its joins, where it takes operations in any order.
fn certified(program: Program, map: &Map) -> Result<Program, Diagnostic> {
    if program.merging.order != Order::Join {
        return Ok(program);
    }
    let span = program.exports.get("join").and_then(|&join| map.span(join, 0)).unwrap_or_default();
    let merging = Merging { order: Order::Ulid, certificate: None, ..program.merging.clone() };
    // Of a fold in the order by ULID nothing is claimed, so it can be examined.
    let examined = Program { merging, ..program.clone() }.verify().and_then(|verified| law::examine(&verified));
    let verdict = examined.map_err(|refusal| Diagnostic::new(Code::FOLD_LAW, span, refusal.to_string()))?;
    match (verdict.class, verdict.counterexample) {
        (Some(class), _) => {
            let certificate = Some(Certificate { class, grounds: verdict.grounds });
            Ok(Program { merging: Merging { certificate, ..program.merging.clone() }, ..program })
        }
        (None, found) => {
            let law = found.as_ref().map_or("", |found| found.law.about());
            let diagnostic = Diagnostic::new(Code::FOLD_LAW, span, format!("`join` breaks a law: {law}"));
            Err(match found {
                Some(found) if !found.states.is_empty() => diagnostic.with_help(told(&found)),
                Some(_) | None => diagnostic,
            })
        }
    }
}

/// A counterexample in a line.
fn told(found: &Counterexample) -> String {
    let states: Vec<String> =
        ["a", "b", "c"].iter().zip(&found.states).map(|(name, state)| format!("{name} = {state}")).collect();
    let [left, right] = &found.results;
    match found.law {
        Law::Traps => format!("with {} it ends in {left}", states.join(", ")),
        _ => format!("with {} it gives {left} and {right}", states.join(", ")),
    }
}

impl<'i> Emitter<'i> {
    /// The number that a function of the program has in code.
    fn function(&mut self, id: FunctionId) -> u32 {
        if let Some(&Some(number)) = self.numbers.get(id.0 as usize) {
            return number;
        }
        let Some(function) = self.ir.functions.get(id.0 as usize) else { return u32::MAX };
        let number = self.meet(Job { lambda: &function.lambda, name: &function.name, captures: Vec::new() });
        if let Some(known) = self.numbers.get_mut(id.0 as usize) {
            *known = Some(number);
        }
        number
    }

    fn meet(&mut self, job: Job<'i>) -> u32 {
        let number = self.met;
        self.met = self.met.saturating_add(1);
        self.jobs.push_back(job);
        number
    }
}

fn too_large(code: Code, span: Span) -> Diagnostic {
    Diagnostic::plain(code, span)
}
