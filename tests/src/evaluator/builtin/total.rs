//! What policies compute with: whatever has no answer is nil.

use super::{Given, convert};
use crate::evaluator::operator::{arithmetic, compare, equals};
use crate::evaluator::{Evaluator, Key, Value};
use kerai_compiler::ir::Binary;
use kerai_golden::policy::naive;
use kerai_vm::bytecode::Builtin;

/// The result of a call.
pub(super) fn call(evaluator: &Evaluator, builtin: Builtin, given: &Given) -> Value {
    let (a, b) = (given.value(0), given.value(1));
    let truth = |truth: Option<bool>| truth.map_or(Value::Nil, Value::Bool);
    match builtin {
        Builtin::TotalField => field(evaluator, &a, &b).unwrap_or(Value::Nil),
        Builtin::TotalOf => {
            let kind = convert::kind(evaluator, &a).replace("set", "list");
            if matches!(&b, Value::String(wanted) if **wanted == *kind.as_bytes()) { a } else { Value::Nil }
        }
        Builtin::TotalEqual => truth(same(&a, &b)),
        Builtin::TotalLess => truth(order(&a, &b).map(std::cmp::Ordering::is_lt)),
        Builtin::TotalAtMost => truth(order(&a, &b).map(std::cmp::Ordering::is_le)),
        Builtin::TotalAdd => number(Binary::Add, &a, &b),
        Builtin::TotalSubtract => number(Binary::Subtract, &a, &b),
        Builtin::TotalMultiply => number(Binary::Multiply, &a, &b),
        Builtin::TotalDivide => number(Binary::Divide, &a, &b),
        Builtin::TotalFloorDivide => number(Binary::FloorDivide, &a, &b),
        Builtin::TotalModulo => number(Binary::Modulo, &a, &b),
        Builtin::TotalItem => truth(item(evaluator, &a, &b)),
        Builtin::TotalIncludes => truth(member(evaluator, &a, &b)),
        Builtin::TotalSize => size(evaluator, &a).map_or(Value::Nil, |size| Value::integer(size as i64)),
        Builtin::TotalLower => match a {
            Value::String(text) => Value::String(text.to_ascii_lowercase().into()),
            _ => Value::Nil,
        },
        _ => match (&a, &b) {
            (Value::String(a), Value::String(b)) => truth(of_texts(builtin, a, b)),
            _ if builtin == Builtin::TotalContains => truth(member(evaluator, &a, &b)),
            _ => Value::Nil,
        },
    }
}

fn of_texts(builtin: Builtin, a: &[u8], b: &[u8]) -> Option<bool> {
    match builtin {
        Builtin::TotalStarts => Some(a.starts_with(b)),
        Builtin::TotalEnds => Some(a.ends_with(b)),
        Builtin::TotalContains => Some((0..=a.len()).any(|from| a.get(from..).is_some_and(|rest| rest.starts_with(b)))),
        Builtin::TotalMatches => {
            let segments = |text| <[u8]>::split(text, |&byte| byte == b'/').collect::<Vec<_>>();
            Some(naive::is_of_form(&segments(a), &segments(b)))
        }
        _ => naive::within(str::from_utf8(a).ok()?, str::from_utf8(b).ok()?),
    }
}

fn field(evaluator: &Evaluator, map: &Value, key: &Value) -> Option<Value> {
    if convert::kind(evaluator, map) != "map" {
        return None;
    }
    evaluator.table(map).ok()?.entries.get(&Key::of(key)?).cloned()
}

fn same(a: &Value, b: &Value) -> Option<bool> {
    match (a, b) {
        (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_))
        | (Value::Bytes(_), Value::Bytes(_)) => Some(equals(a, b)),
        _ => None,
    }
}

fn order(a: &Value, b: &Value) -> Option<std::cmp::Ordering> {
    match (a, b) {
        (Value::Number(_), Value::Number(_)) | (Value::String(_), Value::String(_)) => compare(a, b).ok()?,
        _ => None,
    }
}

fn number(operator: Binary, a: &Value, b: &Value) -> Value {
    match (a, b) {
        (Value::Number(_), Value::Number(_)) => arithmetic(operator, a, b).unwrap_or(Value::Nil),
        _ => Value::Nil,
    }
}

/// The items of a list or members of a set.
fn items(evaluator: &Evaluator, whole: &Value) -> Option<Vec<Value>> {
    let table = evaluator.table(whole).ok()?;
    match convert::kind(evaluator, whole) {
        "set" => Some(table.entries.keys().map(Key::to_value).collect()),
        "list" => Some(table.entries.values().cloned().collect()),
        _ => None,
    }
}

fn item(evaluator: &Evaluator, whole: &Value, part: &Value) -> Option<bool> {
    let items = items(evaluator, whole)?;
    if part.is_nil() {
        return None;
    }
    let truths: Vec<Option<bool>> = items.iter().map(|item| same(item, part)).collect();
    if truths.contains(&Some(true)) { Some(true) } else { (!truths.contains(&None)).then_some(false) }
}

fn member(evaluator: &Evaluator, whole: &Value, part: &Value) -> Option<bool> {
    match part {
        Value::String(_) if convert::kind(evaluator, whole) == "map" => {
            field(evaluator, whole, part).filter(|value| !value.is_nil()).map(|_| true)
        }
        _ => item(evaluator, whole, part),
    }
}

fn size(evaluator: &Evaluator, value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.len()),
        _ => items(evaluator, value).map(|items| items.len()),
    }
}
