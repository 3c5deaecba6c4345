//! Arithmetic on values of any numeric kind. The quick cases stand with the instructions.

use super::Outcome;
use crate::meter::{self, Meter};
use crate::number::{Fixed, Float, Number, NumberFault, power_of_ten, raw};
use crate::trap::TrapCode;
use crate::value::{Heap, Value};
use core::cmp::Ordering;

/// The operations that take two numbers and give one.
#[derive(Clone, Copy)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Modulo,
    Power,
}

impl From<NumberFault> for TrapCode {
    fn from(fault: NumberFault) -> TrapCode {
        match fault {
            NumberFault::DivisionByZero => TrapCode::DIVISION,
            NumberFault::NotInteger => TrapCode::NOT_INTEGER,
            NumberFault::Range | NumberFault::Places | NumberFault::NotFinite => TrapCode::RANGE,
            NumberFault::Syntax | NumberFault::MinusZero | NumberFault::TextTooLong => TrapCode::KIND,
        }
    }
}

/// A numeric value, by its kind.
enum Operand {
    Number(Number),
    Float(Float),
    Fixed(Fixed),
}

fn operand(heap: &Heap, value: Value) -> Outcome<Operand> {
    let number = || heap.as_number(value).map(Operand::Number);
    let fixed = || heap.as_fixed(value).map(Operand::Fixed);
    value.as_float().map(Operand::Float).or_else(number).or_else(fixed).ok_or(TrapCode::KIND)
}

/// A number that meets a float is first rounded to one.
fn rounded(number: Number) -> Float {
    Float::from_bits(number.to_float_bits())
}

fn numbers(operation: Binary, a: Number, b: Number) -> Result<Number, NumberFault> {
    match operation {
        Binary::Add => a.add(b),
        Binary::Subtract => a.subtract(b),
        Binary::Multiply => a.multiply(b),
        Binary::Divide => a.divide(b),
        Binary::FloorDivide => a.floor_divide(b),
        Binary::Modulo => a.modulo(b),
        Binary::Power => a.power(b),
    }
}

fn floats(operation: Binary, a: Float, b: Float) -> Float {
    match operation {
        Binary::Add => a.add(b),
        Binary::Subtract => a.subtract(b),
        Binary::Multiply => a.multiply(b),
        Binary::Divide => a.divide(b),
        Binary::FloorDivide => a.floor_divide(b),
        Binary::Modulo => a.modulo(b),
        Binary::Power => a.power(b),
    }
}

fn fixeds(operation: Binary, a: Fixed, b: Fixed) -> Outcome<Fixed> {
    Ok(match operation {
        Binary::Add => a.add(b)?,
        Binary::Subtract => a.subtract(b)?,
        Binary::Multiply => a.multiply(b)?,
        Binary::Divide => a.divide(b)?,
        Binary::FloorDivide => a.floor_divide(b)?,
        Binary::Modulo => a.modulo(b)?,
        Binary::Power => return Err(TrapCode::KIND),
    })
}

/// The value of a number, which is counted where it does not fit a word.
pub(super) fn number(heap: &mut Heap, meter: &mut Meter, number: Number) -> Outcome<Value> {
    match Value::small_number(number) {
        Some(value) => Ok(value),
        None => {
            meter.allocate(meter::WIDE)?;
            Ok(heap.number(number))
        }
    }
}

pub(super) fn fixed(heap: &mut Heap, meter: &mut Meter, fixed: Fixed) -> Outcome<Value> {
    meter.allocate(meter::WIDE)?;
    Ok(heap.fixed(fixed))
}

pub(super) fn binary(heap: &mut Heap, meter: &mut Meter, operation: Binary, a: Value, b: Value) -> Outcome<Value> {
    match (operand(heap, a)?, operand(heap, b)?) {
        (Operand::Number(a), Operand::Number(b)) => number(heap, meter, numbers(operation, a, b)?),
        (Operand::Float(a), Operand::Float(b)) => Ok(Value::float(floats(operation, a, b))),
        (Operand::Number(a), Operand::Float(b)) => Ok(Value::float(floats(operation, rounded(a), b))),
        (Operand::Float(a), Operand::Number(b)) => Ok(Value::float(floats(operation, a, rounded(b)))),
        (Operand::Fixed(a), Operand::Fixed(b)) => fixed(heap, meter, fixeds(operation, a, b)?),
        // Fixed-point numbers mix with nothing.
        (Operand::Fixed(_), _) | (_, Operand::Fixed(_)) => Err(TrapCode::KIND),
    }
}

/// The float that a float or an exact number is, rounded once.
pub(super) fn to_float(heap: &Heap, value: Value) -> Outcome<Float> {
    match operand(heap, value)? {
        Operand::Float(float) => Ok(float),
        Operand::Number(number) => Ok(rounded(number)),
        Operand::Fixed(_) => Err(TrapCode::KIND),
    }
}

/// Two decimals that fit a word give a third, or an integer and a float give a float: the usual cases beside those
/// that stand with the instructions.
pub(super) fn quickly(operation: Binary, a: Value, b: Value) -> Option<Value> {
    match (a.as_decimal(), b.as_decimal()) {
        (Some(a), Some(b)) => decimals(operation, a, b),
        (Some((integer, 0)), None) if b.is_float() => floats_of_bits(operation, raw::from_i64(integer), b.body()),
        (None, Some((integer, 0))) if a.is_float() => floats_of_bits(operation, a.body(), raw::from_i64(integer)),
        _ => None,
    }
}

fn floats_of_bits(operation: Binary, a: u64, b: u64) -> Option<Value> {
    Some(Value::float_of_bits(match operation {
        Binary::Add => raw::add(a, b),
        Binary::Subtract => raw::subtract(a, b),
        Binary::Multiply => raw::multiply(a, b),
        Binary::Divide => raw::divide(a, b),
        Binary::FloorDivide | Binary::Modulo | Binary::Power => return None,
    }))
}

/// Coefficients that fit a word are far within the range of numbers, so that only overflow must be looked for.
fn decimals(operation: Binary, (a, scale_a): (i64, u32), (b, scale_b): (i64, u32)) -> Option<Value> {
    let b = match operation {
        Binary::Add => b,
        Binary::Subtract => b.checked_neg()?,
        Binary::Multiply => {
            let scale = scale_a + scale_b;
            return if scale <= Number::PLACES { in_lowest_terms(a.checked_mul(b)?, scale) } else { None };
        }
        Binary::Divide | Binary::FloorDivide | Binary::Modulo | Binary::Power => return None,
    };
    if scale_a == scale_b {
        return in_lowest_terms(a.checked_add(b)?, scale_a);
    }
    // Ten divides the term of fewer places, at the scale of the other, and not that other: so it does not divide the sum.
    let (more, fewer, scale, places) =
        if scale_a > scale_b { (a, b, scale_a, scale_a - scale_b) } else { (b, a, scale_b, scale_b - scale_a) };
    let power = i64::try_from(power_of_ten(places)).ok()?;
    Some(Value::decimal(fewer.checked_mul(power)?.checked_add(more)?, scale))
}

fn in_lowest_terms(mut coefficient: i64, mut scale: u32) -> Option<Value> {
    while scale > 0 && coefficient.unsigned_abs().is_multiple_of(10) {
        coefficient /= 10;
        scale -= 1;
    }
    Some(Value::decimal(coefficient, scale))
}

pub(super) fn negate(heap: &mut Heap, meter: &mut Meter, value: Value) -> Outcome<Value> {
    match operand(heap, value)? {
        Operand::Number(a) => number(heap, meter, a.negate()),
        Operand::Float(a) => Ok(Value::float(a.negate())),
        Operand::Fixed(a) => fixed(heap, meter, a.negate()?),
    }
}

/// The integer that bit operations take.
pub(super) fn integer(heap: &Heap, value: Value) -> Outcome<i64> {
    if let Some(integer) = value.as_i64() {
        return Ok(integer);
    }
    match operand(heap, value)? {
        Operand::Number(number) => number.to_i64().ok_or(TrapCode::NOT_INTEGER),
        Operand::Float(float) => float.to_i64_exact().ok_or(TrapCode::NOT_INTEGER),
        Operand::Fixed(_) => Err(TrapCode::KIND),
    }
}

/// Lua's shift: by 64 or more gives 0, a negative one goes the other way, zeros come in.
pub(super) fn shift_left(value: i64, by: i64) -> i64 {
    let bits = value.cast_unsigned();
    let shifted = match by {
        0..=63 => bits << by,
        -63..0 => bits >> -by,
        _ => 0,
    };
    shifted.cast_signed()
}

/// `a == b`: mathematical value across numeric kinds, content for strings and bytes, identity for tables and functions.
pub(super) fn equals(heap: &Heap, meter: &mut Meter, a: Value, b: Value) -> Outcome<bool> {
    if let (Ok(_), Ok(_)) = (operand(heap, a), operand(heap, b)) {
        return Ok(compare_numeric(heap, a, b) == Some(Ordering::Equal));
    }
    let content = |value| heap.as_bytes(value);
    if let (Some(a), Some(b)) = (heap.as_string(&a), heap.as_string(&b)) {
        meter.charge_bytes(if a.len() == b.len() { a.len() } else { 0 })?;
    }
    if let (Some(a), Some(b)) = (content(a), content(b)) {
        meter.charge_bytes(if a.len() == b.len() { a.len() } else { 0 })?;
        return Ok(a == b);
    }
    Ok(heap.is_same_key(a, b))
}

/// The order of two numbers, by value across kinds; none where one is NaN.
fn compare_numeric(heap: &Heap, a: Value, b: Value) -> Option<Ordering> {
    match (operand(heap, a).ok()?, operand(heap, b).ok()?) {
        (Operand::Number(a), Operand::Number(b)) => Some(a.cmp(&b)),
        (Operand::Float(a), Operand::Float(b)) => a.compare(b),
        (Operand::Fixed(a), Operand::Fixed(b)) => Some(a.compare(b)),
        (Operand::Number(a), Operand::Float(b)) => a.compare_float_bits(b.to_bits()),
        (Operand::Float(a), Operand::Number(b)) => b.compare_float_bits(a.to_bits()).map(Ordering::reverse),
        (Operand::Fixed(a), Operand::Float(b)) => a.compare_float_bits(b.to_bits()),
        (Operand::Float(a), Operand::Fixed(b)) => b.compare_float_bits(a.to_bits()).map(Ordering::reverse),
        (Operand::Fixed(a), Operand::Number(b)) => Some(a.compare_number(b)),
        (Operand::Number(a), Operand::Fixed(b)) => Some(b.compare_number(a).reverse()),
    }
}

/// The order behind `<` and `<=`: numbers, or strings bytewise; none where one is NaN.
pub(super) fn compare(heap: &Heap, meter: &mut Meter, a: Value, b: Value) -> Outcome<Option<Ordering>> {
    if let (Some(a), Some(b)) = (heap.as_string(&a), heap.as_string(&b)) {
        meter.charge_order(a.len().min(b.len()))?;
        return Ok(Some(a.cmp(b)));
    }
    operand(heap, a)?;
    operand(heap, b)?;
    Ok(compare_numeric(heap, a, b))
}
