//! What policies compute with: operations that are total. What can't be answered, because something is missing, of the
//! wrong kind, out of range or divided by zero, is nil. Only what a run may use can still end it.
//!
//! Each is monotone: where an argument becomes nil, the result stays as it is or becomes nil. So a condition never
//! turns from one truth to the other because something was left out.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the arms name the kinds that an operation answers for, of every other kind the answer is nil"
)]

use super::{Call, integral};
use crate::address::Network;
use crate::execute::Outcome;
use crate::execute::arithmetic::{self, Binary};
use crate::glob;
use crate::meter::Meter;
use crate::trap::TrapCode;
use crate::value::{Heap, Kind, Value};
use core::cmp::Ordering;

/// What a map holds under a key. Everything else, a list too, holds nothing.
pub(super) fn field(call: &mut Call) -> Outcome<Value> {
    let (map, key) = (call.argument(0), call.argument(1));
    let is_map = call.heap.kind(map) == Kind::Map && !key.is_nil();
    Ok(if is_map { call.heap.get(map, key).unwrap_or(Value::NIL) } else { Value::NIL })
}

/// The value if it is of a kind, by the kind's name. A set is a list here: what has items.
pub(super) fn of(call: &mut Call) -> Outcome<Value> {
    let (value, wanted) = (call.argument(0), call.argument(1));
    let kind = match call.heap.kind(value) {
        Kind::Set => Kind::List,
        kind => kind,
    };
    let is_of = call.heap.as_string(&wanted) == Some(kind.name().as_bytes());
    Ok(if is_of { value } else { Value::NIL })
}

/// Whether two scalars of one kind are equal.
fn same(heap: &Heap, meter: &mut Meter, a: Value, b: Value) -> Outcome<Option<bool>> {
    Ok(match (heap.kind(a), heap.kind(b)) {
        (Kind::Bool, Kind::Bool) => Some(a.as_bool() == b.as_bool()),
        (Kind::Number, Kind::Number) | (Kind::String, Kind::String) | (Kind::Bytes, Kind::Bytes) => {
            Some(arithmetic::equals(heap, meter, a, b)?)
        }
        _ => None,
    })
}

fn answer(truth: Option<bool>) -> Value {
    truth.map_or(Value::NIL, Value::bool)
}

pub(super) fn equal(call: &mut Call) -> Outcome<Value> {
    same(call.heap, call.meter, call.argument(0), call.argument(1)).map(answer)
}

/// The order of two numbers or two strings.
fn order(call: &mut Call) -> Outcome<Option<Ordering>> {
    let (a, b) = (call.argument(0), call.argument(1));
    match (call.heap.kind(a), call.heap.kind(b)) {
        (Kind::Number, Kind::Number) | (Kind::String, Kind::String) => arithmetic::compare(call.heap, call.meter, a, b),
        _ => Ok(None),
    }
}

pub(super) fn less(call: &mut Call) -> Outcome<Value> {
    order(call).map(|order| answer(order.map(Ordering::is_lt)))
}

pub(super) fn at_most(call: &mut Call) -> Outcome<Value> {
    order(call).map(|order| answer(order.map(Ordering::is_le)))
}

/// Arithmetic on exact numbers.
fn compute(call: &mut Call, operation: Binary) -> Outcome<Value> {
    let (a, b) = (call.argument(0), call.argument(1));
    if call.heap.kind(a) != Kind::Number || call.heap.kind(b) != Kind::Number {
        return Ok(Value::NIL);
    }
    match arithmetic::binary(call.heap, call.meter, operation, a, b) {
        Err(TrapCode::RANGE | TrapCode::DIVISION) => Ok(Value::NIL),
        other => other,
    }
}

pub(super) fn add(call: &mut Call) -> Outcome<Value> {
    compute(call, Binary::Add)
}

pub(super) fn subtract(call: &mut Call) -> Outcome<Value> {
    compute(call, Binary::Subtract)
}

pub(super) fn multiply(call: &mut Call) -> Outcome<Value> {
    compute(call, Binary::Multiply)
}

pub(super) fn divide(call: &mut Call) -> Outcome<Value> {
    compute(call, Binary::Divide)
}

pub(super) fn floor_divide(call: &mut Call) -> Outcome<Value> {
    compute(call, Binary::FloorDivide)
}

pub(super) fn modulo(call: &mut Call) -> Outcome<Value> {
    compute(call, Binary::Modulo)
}

/// Whether one of a list's items equals the value: all the equalities under `or`, so that an item of another kind,
/// which could have been it, leaves open what no other item settles. A map can only show that it has a key.
pub(super) fn includes(call: &mut Call) -> Outcome<Value> {
    let (whole, part) = (call.argument(0), call.argument(1));
    match call.heap.kind(whole) {
        Kind::List | Kind::Set => item(call),
        Kind::Map if call.heap.kind(part) == Kind::String => {
            let value = call.heap.get(whole, part).unwrap_or(Value::NIL);
            Ok(answer((!value.is_nil()).then_some(true)))
        }
        _ => Ok(Value::NIL),
    }
}

pub(super) fn item(call: &mut Call) -> Outcome<Value> {
    let (whole, part) = (call.argument(0), call.argument(1));
    if !matches!(call.heap.kind(whole), Kind::List | Kind::Set) {
        return Ok(Value::NIL);
    }
    let items = call.heap.items(whole).unwrap_or_default();
    call.meter.charge_values(items.len())?;
    let mut truth = if call.heap.kind(part) == Kind::Nil { None } else { Some(false) };
    for &item in items {
        match same(call.heap, call.meter, item, part)? {
            Some(true) => return Ok(Value::bool(true)),
            Some(false) => {}
            None => truth = None,
        }
    }
    Ok(answer(truth))
}

/// As `includes`, and of a text whether it has a part.
pub(super) fn contains(call: &mut Call) -> Outcome<Value> {
    if call.heap.kind(call.argument(0)) != Kind::String {
        return includes(call);
    }
    texts(call, |text, part| {
        // A part is looked for byte by byte; the product of the lengths was charged.
        part.is_empty() || text.windows(part.len()).any(|window| window == part)
    })
}

/// An answer about two texts, whose work is at most the product of their lengths.
fn texts(call: &mut Call, holds: impl FnOnce(&[u8], &[u8]) -> bool) -> Outcome<Value> {
    let (a, b) = (call.argument(0), call.argument(1));
    let (Some(a), Some(b)) = (call.heap.as_string(&a), call.heap.as_string(&b)) else { return Ok(Value::NIL) };
    call.meter.charge((a.len() as u64 / 16 + 1).saturating_mul(b.len() as u64 / 16 + 1))?;
    Ok(Value::bool(holds(a, b)))
}

pub(super) fn starts(call: &mut Call) -> Outcome<Value> {
    texts(call, <[u8]>::starts_with)
}

pub(super) fn ends(call: &mut Call) -> Outcome<Value> {
    texts(call, <[u8]>::ends_with)
}

/// Whether a path is of a form: `*` stands for one segment, `**` for any number of them.
pub(super) fn matches(call: &mut Call) -> Outcome<Value> {
    texts(call, glob::matches)
}

/// Whether an address, or all of a network, is in a network.
pub(super) fn within(call: &mut Call) -> Outcome<Value> {
    let (address, network) = (call.argument(0), call.argument(1));
    let read = |value: &Value| call.heap.as_string(value).and_then(Network::parse);
    let truth = read(&network).zip(read(&address)).map(|(network, address)| network.has(address));
    Ok(answer(truth))
}

/// How many items a list has, or bytes a text.
pub(super) fn size(call: &mut Call) -> Outcome<Value> {
    let value = call.argument(0);
    if let Some(text) = call.heap.as_string(&value) {
        return Ok(integral(text.len()));
    }
    Ok(match call.heap.kind(value) {
        Kind::List | Kind::Set => call.heap.count(value).map_or(Value::NIL, integral),
        _ => Value::NIL,
    })
}

pub(super) fn lower(call: &mut Call) -> Outcome<Value> {
    match call.heap.kind(call.argument(0)) {
        Kind::String => super::string::lower(call),
        _ => Ok(Value::NIL),
    }
}
