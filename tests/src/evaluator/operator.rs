//! What operators do to values that are no tables.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the arms name the kinds that something is done with, any other is refused alike"
)]

use super::value::{Value, numeric_order};
use kerai_compiler::ir::Binary;
use kerai_vm::number::{Fixed, Float, Number, NumberFault};
use kerai_vm::trap::TrapCode;
use std::cmp::Ordering;

type Outcome<T> = Result<T, TrapCode>;

/// The trap that a fault of numbers is.
#[must_use]
pub const fn trap_of(fault: NumberFault) -> TrapCode {
    match fault {
        NumberFault::DivisionByZero => TrapCode::DIVISION,
        NumberFault::NotInteger => TrapCode::NOT_INTEGER,
        NumberFault::Range | NumberFault::Places | NumberFault::NotFinite => TrapCode::RANGE,
        NumberFault::Syntax | NumberFault::MinusZero | NumberFault::TextTooLong => TrapCode::KIND,
    }
}

/// The float that a number or float is, rounded once.
pub fn to_float(value: &Value) -> Outcome<Float> {
    match value {
        Value::Number(number) => Ok(Float::from_bits(number.to_float_bits())),
        Value::Float(float) => Ok(*float),
        _ => Err(TrapCode::KIND),
    }
}

/// The integer that a bit operation or a position takes.
pub fn to_integer(value: &Value) -> Outcome<i64> {
    match value {
        Value::Number(number) => number.to_i64().ok_or(TrapCode::NOT_INTEGER),
        Value::Float(float) => float.to_i64_exact().ok_or(TrapCode::NOT_INTEGER),
        _ => Err(TrapCode::KIND),
    }
}

/// An operation of arithmetic: on exact numbers, on floats, or on fixed-point numbers, which mix with nothing.
pub fn arithmetic(operator: Binary, a: &Value, b: &Value) -> Outcome<Value> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => exact(operator, *a, *b).map(Value::Number),
        (Value::Fixed(a), Value::Fixed(b)) => fixed(operator, *a, *b).map(Value::Fixed),
        (Value::Number(_) | Value::Float(_), Value::Number(_) | Value::Float(_)) => {
            Ok(Value::Float(float(operator, to_float(a)?, to_float(b)?)?))
        }
        _ => Err(TrapCode::KIND),
    }
}

/// A number of units of 10^-18, where the range has it.
fn of_units(units: Option<i128>) -> Outcome<Number> {
    units.and_then(|units| Number::from_units(units).ok()).ok_or(TrapCode::RANGE)
}

fn exact(operator: Binary, a: Number, b: Number) -> Outcome<Number> {
    match operator {
        // Sums are sums of units, whatever the scales.
        Binary::Add => of_units(a.units().checked_add(b.units())),
        Binary::Subtract => of_units(a.units().checked_sub(b.units())),
        Binary::Multiply => a.multiply(b).map_err(trap_of),
        Binary::Divide => a.divide(b).map_err(trap_of),
        Binary::FloorDivide => a.floor_divide(b).map_err(trap_of),
        Binary::Modulo if b.is_zero() => Err(TrapCode::DIVISION),
        Binary::Modulo => {
            let rest = a.units().wrapping_rem(b.units());
            let is_other_sign = rest != 0 && (rest < 0) != (b.units() < 0);
            of_units(Some(if is_other_sign { rest + b.units() } else { rest }))
        }
        Binary::Power => a.power(b).map_err(trap_of),
        _ => Err(TrapCode::KIND),
    }
}

fn float(operator: Binary, a: Float, b: Float) -> Outcome<Float> {
    Ok(match operator {
        Binary::Add => a.add(b),
        Binary::Subtract => a.subtract(b),
        Binary::Multiply => a.multiply(b),
        Binary::Divide | Binary::FloatDivide => a.divide(b),
        Binary::FloorDivide => a.floor_divide(b),
        Binary::Modulo => a.modulo(b),
        Binary::Power | Binary::FloatPower => a.power(b),
        _ => return Err(TrapCode::KIND),
    })
}

fn fixed(operator: Binary, a: Fixed, b: Fixed) -> Outcome<Fixed> {
    let result = match operator {
        Binary::Add => a.add(b),
        Binary::Subtract => a.subtract(b),
        Binary::Multiply => a.multiply(b),
        Binary::Divide => a.divide(b),
        Binary::FloorDivide => a.floor_divide(b),
        Binary::Modulo => a.modulo(b),
        _ => return Err(TrapCode::KIND),
    };
    result.map_err(trap_of)
}

/// An operation of two values, whatever it is.
pub fn binary(operator: Binary, a: &Value, b: &Value) -> Outcome<Value> {
    let bits = |operation: fn(i64, i64) -> i64| {
        let (a, b) = (to_integer(a)?, to_integer(b)?);
        Ok(Value::integer(operation(a, b)))
    };
    match operator {
        Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide => arithmetic(operator, a, b),
        Binary::FloorDivide | Binary::Modulo | Binary::Power => arithmetic(operator, a, b),
        Binary::FloatDivide | Binary::FloatPower => float(operator, to_float(a)?, to_float(b)?).map(Value::Float),
        Binary::BitAnd => bits(|a, b| a & b),
        Binary::BitOr => bits(|a, b| a | b),
        Binary::BitExclusiveOr => bits(|a, b| a ^ b),
        Binary::ShiftLeft => bits(shifted),
        Binary::ShiftRight => bits(|a, b| shifted(a, b.saturating_neg())),
        Binary::Equal => Ok(Value::Bool(equals(a, b))),
        Binary::Different => Ok(Value::Bool(!equals(a, b))),
        Binary::Less => Ok(Value::Bool(compare(a, b)?.is_some_and(Ordering::is_lt))),
        Binary::AtMost => Ok(Value::Bool(compare(a, b)?.is_some_and(Ordering::is_le))),
        Binary::Greater => Ok(Value::Bool(compare(a, b)?.is_some_and(Ordering::is_gt))),
        Binary::AtLeast => Ok(Value::Bool(compare(a, b)?.is_some_and(Ordering::is_ge))),
    }
}

/// Bits moved up, or down where `by` is negative; zeros come in, and all are gone after 64 places.
fn shifted(bits: i64, by: i64) -> i64 {
    let places = u32::try_from(by.unsigned_abs()).unwrap_or(u32::MAX);
    let bits = bits.cast_unsigned();
    let moved = if by < 0 { bits.checked_shr(places) } else { bits.checked_shl(places) };
    moved.unwrap_or(0).cast_signed()
}

pub fn negate(value: &Value) -> Outcome<Value> {
    match value {
        Value::Number(number) => of_units(number.units().checked_neg()).map(Value::Number),
        Value::Float(float) => Ok(Value::Float(float.negate())),
        Value::Fixed(fixed) => fixed.negate().map(Value::Fixed).map_err(trap_of),
        _ => Err(TrapCode::KIND),
    }
}

/// `==`: by value across kinds of number, by content for strings and bytes, else by identity.
#[must_use]
pub fn equals(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::String(a), Value::String(b)) | (Value::Bytes(a), Value::Bytes(b)) => a == b,
        (Value::Table(a), Value::Table(b)) | (Value::Closure(a), Value::Closure(b)) => a == b,
        (Value::Function(a), Value::Function(b)) => a == b,
        _ => numeric_order(a, b) == Some(Ordering::Equal),
    }
}

/// The order behind `<`: numbers, or strings; none where one is NaN.
pub fn compare(a: &Value, b: &Value) -> Outcome<Option<Ordering>> {
    match (a, b) {
        (Value::String(a), Value::String(b)) => Ok(Some(a.cmp(b))),
        _ if a.is_numeric() && b.is_numeric() => Ok(numeric_order(a, b)),
        _ => Err(TrapCode::KIND),
    }
}

/// Appends a string, or the text of a number that is no float.
pub fn put_exact(value: &Value, out: &mut Vec<u8>) -> Outcome<()> {
    match value {
        Value::String(text) => out.extend_from_slice(text),
        Value::Number(number) => number.write_text(out),
        Value::Fixed(fixed) => fixed.write_text(out),
        _ => return Err(TrapCode::KIND),
    }
    Ok(())
}
