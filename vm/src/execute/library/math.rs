//! `math`: exact on numbers and fixed-point numbers; elementary functions round the number to a float and give one.

use super::Call;
use super::convert::nearest_float;
use crate::execute::{Outcome, arithmetic};
use crate::number::{Fixed, Float, Number, NumberFault};
use crate::trap::TrapCode;
use crate::value::{Heap, Kind, Value};
use core::cmp::Ordering;

pub(super) fn math_type(call: &mut Call) -> Outcome<Value> {
    let value = call.argument(0);
    let name = match call.heap.kind(value) {
        Kind::Number if call.heap.as_number(value).is_some_and(Number::is_integer) => "integer",
        Kind::Number => "decimal",
        Kind::Float => "float",
        Kind::Fixed => "fixed",
        Kind::Nil | Kind::Bool | Kind::String | Kind::Bytes | Kind::List | Kind::Map | Kind::Set | Kind::Function => {
            return Ok(Value::NIL);
        }
    };
    Ok(call.heap.string(name.as_bytes()))
}

/// A function on numbers of each kind.
struct Kinds {
    number: fn(Number) -> Result<Number, NumberFault>,
    float: fn(Float) -> Float,
    fixed: fn(Fixed) -> Result<Fixed, NumberFault>,
}

impl Kinds {
    fn of(&self, call: &mut Call, value: Value) -> Outcome<Value> {
        if let Some(exact) = call.heap.as_number(value) {
            return arithmetic::number(call.heap, call.meter, (self.number)(exact)?);
        }
        if let Some(operand) = call.heap.as_fixed(value) {
            return arithmetic::fixed(call.heap, call.meter, (self.fixed)(operand)?);
        }
        value.as_float().map(|operand| Value::float((self.float)(operand))).ok_or(TrapCode::KIND)
    }
}

const FLOOR: Kinds = Kinds { number: Number::floor, float: Float::floor, fixed: |fixed| Ok(fixed.floor()) };
const CEILING: Kinds = Kinds { number: Number::ceiling, float: Float::ceiling, fixed: Fixed::ceiling };
const TRUNCATION: Kinds =
    Kinds { number: |number| Ok(number.truncate()), float: Float::truncate, fixed: |fixed| Ok(fixed.truncate()) };
const ABSOLUTE: Kinds =
    Kinds { number: |number| Ok(number.absolute()), float: Float::absolute, fixed: Fixed::absolute };

/// Of a float the integer, where 64 bits hold it, as Lua does.
fn integral(call: &mut Call, kinds: &Kinds) -> Outcome<Value> {
    let value = call.argument(0);
    if value.as_i64().is_some() {
        return Ok(value);
    }
    kinds.of(call, value).map(as_integer)
}

fn as_integer(value: Value) -> Value {
    value.as_float().and_then(Float::to_i64_exact).map_or(value, Value::integer)
}

pub(super) fn floor(call: &mut Call) -> Outcome<Value> {
    integral(call, &FLOOR)
}

pub(super) fn ceiling(call: &mut Call) -> Outcome<Value> {
    integral(call, &CEILING)
}

pub(super) fn absolute(call: &mut Call) -> Outcome<Value> {
    let value = call.argument(0);
    ABSOLUTE.of(call, value)
}

fn is_number(heap: &Heap, value: Value) -> bool {
    matches!(heap.kind(value), Kind::Number | Kind::Float | Kind::Fixed)
}

/// The first argument that no other passes.
fn extreme(call: &mut Call, passes: Ordering) -> Outcome<Value> {
    call.meter.charge_values(call.arguments.len())?;
    let mut best = call.argument(0);
    for &value in call.arguments {
        if !is_number(call.heap, value) {
            return Err(TrapCode::KIND);
        }
        if arithmetic::compare(call.heap, call.meter, value, best)? == Some(passes) {
            best = value;
        }
    }
    Ok(best)
}

pub(super) fn maximum(call: &mut Call) -> Outcome<Value> {
    extreme(call, Ordering::Greater)
}

pub(super) fn minimum(call: &mut Call) -> Outcome<Value> {
    extreme(call, Ordering::Less)
}

pub(super) fn remainder(call: &mut Call) -> Outcome<Value> {
    let (a, b) = (call.argument(0), call.argument(1));
    match (call.heap.as_number(a), call.heap.as_number(b), call.heap.as_fixed(a), call.heap.as_fixed(b)) {
        (Some(a), Some(b), ..) => arithmetic::number(call.heap, call.meter, a.truncate_remainder(b)?),
        (_, _, Some(a), Some(b)) => {
            let dividend = a.to_bits().checked_rem(b.to_bits());
            // Only the least value by -2^-64 has no quotient: it leaves nothing.
            let rest = if b.to_bits() == 0 { return Err(TrapCode::DIVISION) } else { dividend.unwrap_or(0) };
            arithmetic::fixed(call.heap, call.meter, Fixed::from_bits(rest))
        }
        _ => Ok(Value::float(float(call.heap, a)?.truncate_remainder(float(call.heap, b)?))),
    }
}

pub(super) fn parts(call: &mut Call) -> Outcome<()> {
    let value = call.argument(0);
    let whole = TRUNCATION.of(call, value)?;
    call.give(as_integer(whole));
    let rest = match (value.as_float(), whole.as_float()) {
        // What is infinite leaves nothing, not NaN.
        (Some(a), Some(b)) if a.equals(b) => Value::float(Float::ZERO),
        _ => arithmetic::binary(call.heap, call.meter, arithmetic::Binary::Subtract, value, whole)?,
    };
    call.give(rest);
    Ok(())
}

pub(super) fn to_integer(call: &mut Call) -> Outcome<Value> {
    let value = call.argument(0);
    if let Some(float) = value.as_float() {
        return Ok(float.to_i64_exact().map_or(Value::NIL, Value::integer));
    }
    let fixed = call.heap.as_fixed(value).and_then(Fixed::to_number_exact);
    match call.heap.as_number(value).or(fixed).filter(|number| number.is_integer()) {
        Some(number) => arithmetic::number(call.heap, call.meter, number),
        None => Ok(Value::NIL),
    }
}

pub(super) fn unsigned_less(call: &mut Call) -> Outcome<Value> {
    let a = arithmetic::integer(call.heap, call.argument(0))?;
    let b = arithmetic::integer(call.heap, call.argument(1))?;
    Ok(Value::bool(a.cast_unsigned() < b.cast_unsigned()))
}

/// The float behind an argument: fixed-point numbers mix with nothing.
fn float(heap: &Heap, value: Value) -> Outcome<Float> {
    if heap.as_fixed(value).is_some() { Err(TrapCode::KIND) } else { nearest_float(heap, value) }
}

macro_rules! elementary {
    ($($name:ident $function:ident;)+) => {
        $(pub(super) fn $name(call: &mut Call) -> Outcome<Value> {
            Ok(Value::float(float(call.heap, call.argument(0))?.$function()))
        })+
    };
}

elementary! {
    square_root square_root;
    exponential exponential;
    sine sine;
    cosine cosine;
    tangent tangent;
    arc_sine arc_sine;
    arc_cosine arc_cosine;
}

const TWO: Float = Float::from_bits(0x4000_0000_0000_0000);
const TEN: Float = Float::from_bits(0x4024_0000_0000_0000);
/// 180 / π, rounded once, and its like the other way.
const DEGREES: Float = Float::from_bits(0x404c_a5dc_1a63_c1f8);
const RADIANS: Float = Float::from_bits(0x3f91_df46_a252_9d39);

pub(super) fn logarithm(call: &mut Call) -> Outcome<Value> {
    let value = float(call.heap, call.argument(0))?;
    let base = call.argument(1);
    if base.is_nil() {
        return Ok(Value::float(value.logarithm()));
    }
    let base = float(call.heap, base)?;
    Ok(Value::float(if base.equals(TWO) {
        value.logarithm_2()
    } else if base.equals(TEN) {
        value.logarithm_10()
    } else {
        value.logarithm().divide(base.logarithm())
    }))
}

pub(super) fn arc_tangent(call: &mut Call) -> Outcome<Value> {
    let y = float(call.heap, call.argument(0))?;
    let x = if call.argument(1).is_nil() { Float::ONE } else { float(call.heap, call.argument(1))? };
    Ok(Value::float(y.arc_tangent_2(x)))
}

pub(super) fn degrees(call: &mut Call) -> Outcome<Value> {
    Ok(Value::float(float(call.heap, call.argument(0))?.multiply(DEGREES)))
}

pub(super) fn radians(call: &mut Call) -> Outcome<Value> {
    Ok(Value::float(float(call.heap, call.argument(0))?.multiply(RADIANS)))
}
