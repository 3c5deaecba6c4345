//! Calls of built-ins on the machine, and values that both sides can hold.

use kerai_vm::bytecode::{Builtin, Limits, Program, Verified};
use kerai_vm::execute::Machine;
use kerai_vm::number::{Float, Number};
use kerai_vm::trap::TrapCode;
use kerai_vm::value::{Heap, Kind, Value};
use std::fmt::Write as _;

/// A value that stock Lua has too, but for decimals.
#[derive(Clone, Debug)]
pub enum Datum {
    Nil,
    Bool(bool),
    Integer(i128),
    Decimal(Number),
    Float(f64),
    Text(Vec<u8>),
}

impl Datum {
    pub fn text(text: &str) -> Datum {
        Datum::Text(text.as_bytes().to_vec())
    }
}

/// Equal as the kinds have it: floats by their bits, and NaN is NaN.
impl PartialEq for Datum {
    fn eq(&self, other: &Datum) -> bool {
        match (self, other) {
            (Datum::Nil, Datum::Nil) => true,
            (Datum::Bool(a), Datum::Bool(b)) => a == b,
            (Datum::Integer(a), Datum::Integer(b)) => a == b,
            (Datum::Decimal(a), Datum::Decimal(b)) => a == b,
            (Datum::Float(a), Datum::Float(b)) => a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan(),
            (Datum::Text(a), Datum::Text(b)) => a == b,
            _ => false,
        }
    }
}

/// A program that has an export for every built-in, under its name with letters only.
pub fn program() -> Verified {
    let mut text = "profile 1\nkind words\n".to_owned();
    for (number, builtin) in Builtin::ALL.iter().enumerate() {
        let _ = writeln!(text, "export {} {number}", export(*builtin));
    }
    for builtin in Builtin::ALL {
        let name = builtin.name();
        let _ = writeln!(text, "function parameters 0 registers 1 variadic");
        let _ = writeln!(text, "    call-builtin r0 1... all {name}\n    return r0 1...");
    }
    let program = Program::from_text(&text).unwrap_or_else(|refusal| panic!("{refusal}\n{text}"));
    program.verify().unwrap_or_else(|refusal| panic!("{refusal}\n{text}"))
}

fn export(builtin: Builtin) -> String {
    builtin.name().replace(['.', '-'], "_")
}

/// A machine that forgets what a call made.
pub struct Library<'p> {
    machine: Machine<'p>,
}

impl<'p> Library<'p> {
    pub fn new(program: &'p Verified) -> Library<'p> {
        let limits = Limits { gas: 100_000_000, ..Limits::DEFAULT };
        Library { machine: Machine::new(program, 7, limits) }
    }

    /// Calls a built-in.
    pub fn call(&mut self, builtin: Builtin, arguments: &[Datum]) -> Result<Vec<Datum>, TrapCode> {
        let mark = self.machine.heap().mark();
        let values: Vec<Value> = arguments.iter().map(|datum| value(self.machine.heap(), datum)).collect();
        let result = self.machine.call(&export(builtin), &values).expect("every built-in is exported");
        let result = match result {
            Ok(values) => Ok(values.iter().map(|&value| datum(self.machine.values(), value)).collect()),
            Err(trap) => Err(trap.code),
        };
        self.machine.heap().rewind(mark);
        result
    }

    pub const fn gas_used(&self) -> u64 {
        self.machine.gas_used()
    }
}

fn value(heap: &mut Heap, datum: &Datum) -> Value {
    match datum {
        Datum::Nil => Value::NIL,
        Datum::Bool(value) => Value::bool(*value),
        Datum::Integer(value) => heap.number(Number::from_integer(*value).expect("in range")),
        Datum::Decimal(value) => heap.number(*value),
        Datum::Float(value) => Value::float(Float::from_f64(*value)),
        Datum::Text(text) => heap.string(text),
    }
}

fn datum(heap: &Heap, value: Value) -> Datum {
    if let Some(text) = heap.as_string(&value) {
        return Datum::Text(text.to_vec());
    }
    if let Some(number) = heap.as_number(value) {
        return if number.is_integer() { Datum::Integer(number.coefficient()) } else { Datum::Decimal(number) };
    }
    match (value.as_bool(), value.as_float(), heap.kind(value)) {
        (Some(value), ..) => Datum::Bool(value),
        (_, Some(value), _) => Datum::Float(value.to_f64()),
        (_, _, Kind::Nil) => Datum::Nil,
        (_, _, kind) => Datum::Text(kind.name().as_bytes().to_vec()),
    }
}
