//! Assertions on calls: what the vector says, what the model says in both arithmetics, and what the machine does.

use super::body;
use super::literal::{self, NAN};
use super::model::{Model, Scalar, Stop};
use super::module::{Constant, Function, Instruction, Module, Type};
use super::syntax::Node;
use crate::folder::File;
use crate::judge::{Expected, Outcome, Report};
use crate::rules::{Case, WasmFacts};
use kerai_vm::bytecode::{Limits, Verified};
use kerai_vm::execute::Machine;
use kerai_vm::number::{Float, Number};
use kerai_vm::trap::TrapCode;
use kerai_vm::value::{Heap, Value};

/// So many calls of a module are shown.
const SHOWN: usize = 40;

/// What a vector says of a result.
enum Pattern {
    Integer(i128, u32),
    Float(u64),
    CanonicalNan,
    ArithmeticNan,
}

impl Pattern {
    fn read(node: &Node) -> Result<Pattern, String> {
        let Some((kind, [Node::Word(literal)])) = node.form() else { return Err("a result that is no number".into()) };
        match (kind, literal.as_str()) {
            ("f64.const", "nan:canonical") => return Ok(Pattern::CanonicalNan),
            ("f64.const", "nan:arithmetic") => return Ok(Pattern::ArithmeticNan),
            _ => {}
        }
        let constant = body::constant(kind, literal)?;
        Ok(match constant {
            Constant::Integer(value) => Pattern::Integer(value, if kind == "i32.const" { 32 } else { 64 }),
            Constant::Float(bits, _) => Pattern::Float(bits),
        })
    }

    fn is_met(&self, scalar: Scalar) -> bool {
        const QUIET: u64 = 1 << 51;
        match (self, scalar) {
            (Pattern::Integer(value, _), Scalar::Integer(is)) => *value == is,
            (Pattern::Float(bits), Scalar::Float(is)) => *bits == is,
            (Pattern::CanonicalNan, Scalar::Float(is)) => is | 1 << 63 == NAN | 1 << 63,
            (Pattern::ArithmeticNan, Scalar::Float(is)) => f64::from_bits(is).is_nan() && is & QUIET != 0,
            (Pattern::Integer(..), Scalar::Float(_)) => false,
            (Pattern::Float(_) | Pattern::CanonicalNan | Pattern::ArithmeticNan, Scalar::Integer(_)) => false,
        }
    }

    /// The result in the words of outcomes, where every NaN that an operation may make is the one NaN.
    fn text(&self) -> String {
        shown(match self {
            Pattern::Integer(value, _) => Scalar::Integer(*value),
            Pattern::Float(bits) => Scalar::Float(*bits),
            Pattern::CanonicalNan | Pattern::ArithmeticNan => Scalar::Float(NAN),
        })
    }
}

fn shown(scalar: Scalar) -> String {
    match scalar {
        Scalar::Integer(value) => value.to_string(),
        Scalar::Float(NAN) => "float nan".to_owned(),
        Scalar::Float(bits) => format!("float {bits:016x}"),
    }
}

fn joined(texts: impl Iterator<Item = String>) -> Vec<u8> {
    texts.collect::<Vec<_>>().join(" ").into_bytes()
}

/// The trap that a message stands for.
fn trap(message: &str) -> Option<TrapCode> {
    Some(match message {
        "integer divide by zero" => TrapCode::DIVISION,
        "integer overflow" | "invalid conversion to integer" => TrapCode::RANGE,
        "unreachable" => TrapCode::RAISED,
        _ => return None,
    })
}

/// A module at work: in the machine, and in the model under both arithmetics.
pub struct Instance<'m> {
    module: &'m Module,
    exports: &'m [Result<String, String>],
    machine: Machine<'m>,
    memory: Option<Value>,
    wrapping: Model<'m>,
    exact: Model<'m>,
    /// Calls as golden cases write them, where they are about integers alone: JSON has no others of its kinds.
    shown: Vec<String>,
    /// Why memory is no longer what the script takes it for.
    lost: Option<String>,
}

/// A call that a script asks for.
struct Call<'m> {
    index: usize,
    export: &'m str,
    arguments: Vec<Constant>,
}

/// What came of a call in the three ways to make it.
struct Ran {
    machine: Outcome,
    exact: Outcome,
    wrapping: Result<Vec<Scalar>, TrapCode>,
}

impl<'m> Instance<'m> {
    pub fn new(module: &'m Module, exports: &'m [Result<String, String>], verified: &'m Verified) -> Instance<'m> {
        let mut machine = Machine::new(verified, 0, Limits::DEFAULT);
        let memory = module.has_memory.then(|| memory(machine.heap(), module));
        let (wrapping, exact) = (Model::new(module, false), Model::new(module, true));
        Instance { module, exports, machine, memory, wrapping, exact, shown: Vec::new(), lost: None }
    }

    /// Runs a command and judges it where it asserts something; the error says why it can't be run.
    pub fn judge(&mut self, file: &File, command: &Node, report: &mut Report) -> Result<(), String> {
        self.lost.clone().map_or(Ok(()), Err)?;
        let result = self.command(file, command, report);
        // A call without results that was left out may have written to memory.
        let is_action = matches!(command.form(), Some(("invoke", _) | ("assert_return", [_])));
        if let Err(reason) = result.as_ref().map_err(Clone::clone)
            && is_action
            && self.module.has_memory
        {
            self.lost = Some(format!("memory after what was not run: {reason}"));
        }
        result
    }

    fn command(&mut self, file: &File, command: &Node, report: &mut Report) -> Result<(), String> {
        match command.form() {
            Some(("invoke", _)) => {
                let call = self.find(command)?;
                let ran = self.call(&call)?;
                if ran.machine != ran.exact {
                    report.fail(&file.path, line(command), format!("{:?}", ran.exact), format!("{:?}", ran.machine));
                }
                Ok(())
            }
            Some(("assert_return", [action, results @ ..])) => {
                let patterns = results.iter().map(Pattern::read).collect::<Result<Vec<_>, _>>()?;
                let call = self.find(action)?;
                let mut ran = self.call(&call)?;
                if !ran.wrapping.as_ref().is_ok_and(|scalars| meets(&patterns, scalars)) {
                    disagrees(file, command, &ran, report);
                    return Ok(());
                }
                self.check_congruence(&call, &patterns, &mut ran);
                let expected = Expected::Gives(joined(patterns.iter().map(Pattern::text)));
                self.settle(file, command, &expected, &ran, report);
                Ok(())
            }
            Some(("assert_trap", [action, Node::Text(message)])) => {
                let message = String::from_utf8_lossy(message);
                let code = trap(&message).ok_or_else(|| format!("the trap `{message}`"))?;
                let call = self.find(action)?;
                let ran = self.call(&call)?;
                if ran.wrapping != Err(code) {
                    disagrees(file, command, &ran, report);
                    return Ok(());
                }
                self.settle(file, command, &Expected::Refuses, &ran, report);
                Ok(())
            }
            Some(("assert_invalid", _)) => Err("static types: kerai's registers have none".to_owned()),
            Some((kind, _)) => Err(format!("`{kind}`")),
            None => Ok(()),
        }
    }

    fn settle(&self, file: &File, command: &Node, expected: &Expected, ran: &Ran, report: &mut Report) {
        let arithmetic = self.exact.arithmetic;
        let facts = WasmFacts {
            has_grown: arithmetic.has_grown,
            has_other_nan: arithmetic.has_other_nan,
            kerai: ran.exact.clone(),
            ..WasmFacts::default()
        };
        // A trap must be the one that the vector means, not just any.
        let outcome = match (&ran.machine, &ran.wrapping) {
            (Outcome::Refused(code), Err(meant)) if *code != meant.name() && ran.machine != ran.exact => {
                Outcome::Broken(format!("{code} instead of {}", meant.name()))
            }
            (outcome, _) => outcome.clone(),
        };
        report.judge(&file.path, line(command), &Case::Wasm(&facts), expected, &outcome);
    }

    /// Sums, differences and products that grew must be what the vector says, but for multiples of the modulus.
    fn check_congruence(&self, call: &Call<'_>, patterns: &[Pattern], ran: &mut Ran) {
        let Some(Ok(function)) = self.module.functions.get(call.index) else { return };
        let (Outcome::Gave(text), [Pattern::Integer(value, width)]) = (&ran.machine, patterns) else { return };
        let got = str::from_utf8(text).ok().and_then(|text| text.parse::<i128>().ok());
        if is_ring(function) && got.is_none_or(|got| literal::wrap(got, *width) != *value) {
            ran.machine = Outcome::Broken(format!("{got:?} is not {value} modulo 2^{width}"));
        }
    }

    fn find(&self, action: &Node) -> Result<Call<'m>, String> {
        let Some(("invoke", of)) = action.form() else { return Err("an action that is no call".to_owned()) };
        let of = match of {
            [Node::Word(name), rest @ ..] if self.module.name.as_ref() == Some(name) => rest,
            [Node::Word(_), ..] => return Err("a call to a module further up".to_owned()),
            all => all,
        };
        let (name, arguments) = of.split_first().ok_or("a call without a name")?;
        let name = name.text().unwrap_or_default();
        let index = *self.module.exports.get(&name).ok_or("an export that is not there")?;
        let export = self.exports.get(index).ok_or("an export that is not there")?.as_ref().map_err(Clone::clone)?;
        let argument = |node: &Node| match node.form() {
            Some((kind, [Node::Word(literal)])) => body::constant(kind, literal),
            _ => Err("an argument that is no number".to_owned()),
        };
        let arguments = arguments.iter().map(argument).collect::<Result<_, _>>()?;
        Ok(Call { index, export, arguments })
    }

    fn call(&mut self, call: &Call<'_>) -> Result<Ran, String> {
        let told = |result: Result<Vec<Scalar>, Stop>| match result {
            Ok(scalars) => Ok(Ok(scalars)),
            Err(Stop::Trap(code)) => Ok(Err(code)),
            Err(Stop::Untold(why)) => Err(why.to_owned()),
        };
        let wrapping = told(self.wrapping.call(call.index, &call.arguments))?;
        let exact = match told(self.exact.call(call.index, &call.arguments))? {
            Ok(scalars) => Outcome::Gave(joined(scalars.into_iter().map(shown))),
            Err(code) => Outcome::Refused(code.name()),
        };
        Ok(Ran { machine: self.run(call), exact, wrapping })
    }

    /// Calls that were made, as golden cases write them, some of many.
    pub fn shown(&self) -> Vec<String> {
        let step = self.shown.len().div_ceil(SHOWN).max(1);
        self.shown.iter().step_by(step).cloned().collect()
    }

    fn run(&mut self, call: &Call<'_>) -> Outcome {
        let integers: Option<Vec<String>> = call
            .arguments
            .iter()
            .map(|argument| match argument {
                Constant::Integer(value) => Some(value.to_string()),
                Constant::Float(..) => None,
            })
            .collect();
        if let (Some(integers), None) = (integers, self.memory) {
            self.shown.push(format!("{} [{}]", call.export, integers.join(",")));
        }
        let heap = self.machine.heap();
        let mut arguments: Vec<Value> = call.arguments.iter().map(|argument| value(heap, argument)).collect();
        arguments.extend(self.memory);
        match self.machine.call(call.export, &arguments) {
            None => Outcome::Absent,
            Some(Err(trap)) => Outcome::Refused(trap.code.name()),
            Some(Ok(values)) => {
                let scalars: Option<Vec<Scalar>> =
                    values.iter().map(|&value| scalar(self.machine.values(), value)).collect();
                match scalars {
                    Some(scalars) => Outcome::Gave(joined(scalars.into_iter().map(shown))),
                    None => Outcome::Broken("a result that is no integer and no float".to_owned()),
                }
            }
        }
    }
}

fn line(command: &Node) -> String {
    format!("line {}", command.line())
}

fn meets(patterns: &[Pattern], scalars: &[Scalar]) -> bool {
    patterns.len() == scalars.len() && patterns.iter().zip(scalars).all(|(pattern, scalar)| pattern.is_met(*scalar))
}

/// The model in WebAssembly's own arithmetic does not give what the vector says: then it can't predict kerai's either.
fn disagrees(file: &File, command: &Node, ran: &Ran, report: &mut Report) {
    report.fail(&file.path, line(command), "the vector's result in the model", format!("{:?}", ran.wrapping));
}

/// Whether a function adds, subtracts and multiplies integers and does nothing else.
fn is_ring(function: &Function) -> bool {
    let is_plain = |instruction: &Instruction| {
        matches!(instruction, Instruction::Constant(_) | Instruction::Get(_))
            || matches!(instruction, Instruction::Numeric(numeric) if numeric.operation.is_ring())
    };
    function.body.iter().all(is_plain) && function.parameters.iter().all(|kind| *kind != Type::Float)
}

/// The map that stands for memory, with what is in it from the beginning.
fn memory(heap: &mut Heap, module: &Module) -> Value {
    let table = heap.new_table();
    let cells = module
        .data
        .iter()
        .flat_map(|(place, bytes)| bytes.iter().enumerate().map(move |(at, byte)| (place + at, byte)));
    for (place, byte) in cells {
        // An integer can always be a key.
        let place = Value::integer(i64::try_from(place).unwrap_or(i64::MAX));
        let _ = heap.set(table, place, Value::integer(i64::from(*byte)));
    }
    table
}

fn value(heap: &mut Heap, constant: &Constant) -> Value {
    match constant {
        Constant::Integer(value) => Number::from_integer(*value).map_or(Value::NIL, |number| heap.number(number)),
        Constant::Float(bits, _) => Value::float(Float::from_bits(*bits)),
    }
}

fn scalar(heap: &Heap, value: Value) -> Option<Scalar> {
    let integer = heap.as_number(value).filter(|number| number.is_integer());
    integer
        .map(|number| Scalar::Integer(number.coefficient()))
        .or_else(|| value.as_float().map(|float| Scalar::Float(float.to_bits())))
}
