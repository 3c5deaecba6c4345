//! `math`.

use super::convert::float as nearest;
use super::{Given, boolean, of};
use crate::evaluator::operator::{arithmetic, compare, to_integer};
use crate::evaluator::{Outcome, Value};
use kerai_compiler::ir::Binary;
use kerai_vm::bytecode::Builtin;
use kerai_vm::number::{Fixed, Float, Number, NumberFault};
use kerai_vm::trap::TrapCode;
use std::cmp::Ordering;

type Way<T> = fn(T) -> Result<T, NumberFault>;

/// What is done to a number of each kind.
fn by_kind(value: &Value, number: Way<Number>, float: fn(Float) -> Float, fixed: Way<Fixed>) -> Outcome<Value> {
    match value {
        Value::Number(exact) => of(number(*exact)).map(Value::Number),
        Value::Float(operand) => Ok(Value::Float(float(*operand))),
        Value::Fixed(operand) => of(fixed(*operand)).map(Value::Fixed),
        _ => Err(TrapCode::KIND.into()),
    }
}

fn truncated(value: &Value) -> Outcome<Value> {
    by_kind(value, |number| Ok(number.truncate()), Float::truncate, |fixed| Ok(fixed.truncate()))
}

/// An integral float as the integer, where 64 bits hold it.
fn as_integer(value: Value) -> Value {
    match value {
        Value::Float(float) => float.to_i64_exact().map_or(value, Value::integer),
        other => other,
    }
}

/// The float behind an argument; fixed-point numbers, and texts, have none here.
fn float(value: &Value) -> Outcome<Float> {
    match value {
        Value::Number(_) | Value::Float(_) => nearest(value),
        _ => Err(TrapCode::KIND.into()),
    }
}

fn math_type(value: &Value) -> Value {
    match value {
        Value::Number(number) if number.scale() == 0 => Value::text("integer"),
        Value::Number(_) => Value::text("decimal"),
        Value::Float(_) => Value::text("float"),
        Value::Fixed(_) => Value::text("fixed"),
        _ => Value::Nil,
    }
}

/// The first argument that no other passes.
fn extreme(given: &Given, passes: Ordering) -> Outcome<Value> {
    let mut best = given.value(0);
    for value in given.0 {
        if !value.is_numeric() {
            return Err(TrapCode::KIND.into());
        }
        if compare(value, &best)? == Some(passes) {
            best = value.clone();
        }
    }
    Ok(best)
}

fn remainder(a: &Value, b: &Value) -> Outcome<Value> {
    match (a, b) {
        (Value::Number(_), Value::Number(b)) if b.is_zero() => Err(TrapCode::DIVISION.into()),
        (Value::Number(a), Value::Number(b)) => of(Number::from_units(a.units() % b.units())).map(Value::Number),
        (Value::Fixed(_), Value::Fixed(b)) if b.to_bits() == 0 => Err(TrapCode::DIVISION.into()),
        (Value::Fixed(a), Value::Fixed(b)) => Ok(Value::Fixed(Fixed::from_bits(a.to_bits().wrapping_rem(b.to_bits())))),
        _ => Ok(Value::Float(float(a)?.truncate_remainder(float(b)?))),
    }
}

fn parts(value: &Value) -> Outcome<Vec<Value>> {
    let whole = truncated(value)?;
    let rest = match value {
        // What is infinite leaves nothing, not NaN.
        Value::Float(float) if float.is_infinite() => Value::Float(Float::ZERO),
        _ => arithmetic(Binary::Subtract, value, &whole)?,
    };
    Ok(vec![as_integer(whole), rest])
}

fn to_exact_integer(value: &Value) -> Value {
    let number = match value {
        Value::Number(number) => Some(*number),
        Value::Fixed(fixed) => fixed.to_number_exact(),
        Value::Float(float) => return float.to_i64_exact().map_or(Value::Nil, Value::integer),
        _ => None,
    };
    number.filter(|number| number.scale() == 0).map_or(Value::Nil, Value::Number)
}

fn logarithm(given: &Given) -> Outcome<Float> {
    let value = float(&given.value(0))?;
    if given.value(1).is_nil() {
        return Ok(value.logarithm());
    }
    let base = float(&given.value(1))?;
    Ok(match base.to_f64() {
        2.0 => value.logarithm_2(),
        10.0 => value.logarithm_10(),
        _ => value.logarithm().divide(base.logarithm()),
    })
}

pub(super) fn call(builtin: Builtin, given: &Given) -> Outcome<Vec<Value>> {
    use Builtin as B;
    let value = given.value(0);
    let floated = |function: fn(Float) -> Float| Ok(vec![Value::Float(function(float(&value)?))]);
    let one = |value: Value| Ok(vec![value]);
    match builtin {
        B::MathType => one(math_type(&value)),
        B::Floor => {
            by_kind(&value, Number::floor, Float::floor, |fixed| Ok(fixed.floor())).map(|value| vec![as_integer(value)])
        }
        B::Ceiling => {
            by_kind(&value, Number::ceiling, Float::ceiling, Fixed::ceiling).map(|value| vec![as_integer(value)])
        }
        B::Absolute => one(by_kind(&value, |number| Ok(number.absolute()), Float::absolute, Fixed::absolute)?),
        B::Maximum => one(extreme(given, Ordering::Greater)?),
        B::Minimum => one(extreme(given, Ordering::Less)?),
        B::Remainder => one(remainder(&value, &given.value(1))?),
        B::Parts => parts(&value),
        B::ToInteger => one(to_exact_integer(&value)),
        B::UnsignedLess => {
            let (a, b) = (to_integer(&value)?, to_integer(&given.value(1))?);
            Ok(boolean(a.cast_unsigned() < b.cast_unsigned()))
        }
        B::SquareRoot => floated(Float::square_root),
        B::Exponential => floated(Float::exponential),
        B::Logarithm => one(Value::Float(logarithm(given)?)),
        B::Sine => floated(Float::sine),
        B::Cosine => floated(Float::cosine),
        B::Tangent => floated(Float::tangent),
        B::ArcSine => floated(Float::arc_sine),
        B::ArcCosine => floated(Float::arc_cosine),
        B::ArcTangent => {
            let y = float(&value)?;
            let x = if given.value(1).is_nil() { Float::ONE } else { float(&given.value(1))? };
            one(Value::Float(y.arc_tangent_2(x)))
        }
        B::Degrees => floated(|angle| angle.multiply(Float::from_f64(180.0 / std::f64::consts::PI))),
        B::Radians => floated(|angle| angle.multiply(Float::from_f64(std::f64::consts::PI / 180.0))),
        _ => Err(TrapCode::KIND.into()),
    }
}
