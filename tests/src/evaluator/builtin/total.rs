//! Operations that are total: what has no answer is nil.

use super::{Given, string};
use crate::evaluator::operator::{arithmetic, compare, equals};
use crate::evaluator::{Evaluator, Outcome, Stop, Value};
use kerai_compiler::ir::Binary;
use kerai_vm::address::Network;
use kerai_vm::bytecode::Builtin;
use kerai_vm::trap::TrapCode;
use std::cmp::Ordering;

fn answer(truth: Option<bool>) -> Value {
    truth.map_or(Value::Nil, Value::Bool)
}

/// Whether two scalars of one kind are equal.
fn same(a: &Value, b: &Value) -> Option<bool> {
    let of_one_kind = matches!(
        (a, b),
        (Value::Bool(_), Value::Bool(_))
            | (Value::Number(_), Value::Number(_))
            | (Value::String(_), Value::String(_))
            | (Value::Bytes(_), Value::Bytes(_))
    );
    of_one_kind.then(|| equals(a, b))
}

fn ordered(a: &Value, b: &Value, holds: fn(Ordering) -> bool) -> Outcome<Value> {
    Ok(match (a, b) {
        (Value::Number(_), Value::Number(_)) | (Value::String(_), Value::String(_)) => {
            answer(compare(a, b)?.map(holds))
        }
        _ => Value::Nil,
    })
}

fn computed(operator: Binary, a: &Value, b: &Value) -> Outcome<Value> {
    if !matches!((a, b), (Value::Number(_), Value::Number(_))) {
        return Ok(Value::Nil);
    }
    match arithmetic(operator, a, b) {
        Err(TrapCode::RANGE | TrapCode::DIVISION) => Ok(Value::Nil),
        other => other.map_err(Stop::Trap),
    }
}

/// Whether one of a list's items is a value; open where one can't be compared with it and none is it.
fn item(evaluator: &mut Evaluator, whole: &Value, part: &Value) -> Outcome<Value> {
    let is_list = evaluator.table(whole).is_ok_and(|table| table.is_set || table.is_list());
    if !is_list {
        return Ok(Value::Nil);
    }
    let answers: Vec<Option<bool>> = evaluator.items(whole)?.iter().map(|item| same(item, part)).collect();
    evaluator.burn(answers.len() as u64)?;
    Ok(answer(if answers.contains(&Some(true)) {
        Some(true)
    } else if part.is_nil() || answers.contains(&None) {
        None
    } else {
        Some(false)
    }))
}

fn includes(evaluator: &mut Evaluator, whole: &Value, part: &Value) -> Outcome<Value> {
    match (evaluator.table(whole), part) {
        (Ok(table), Value::String(_)) if table.kind() == "map" => {
            Ok(answer((!table.get(part).is_nil()).then_some(true)))
        }
        _ => item(evaluator, whole, part),
    }
}

fn of_texts(a: &Value, b: &Value, holds: fn(&[u8], &[u8]) -> bool) -> Value {
    match (a, b) {
        (Value::String(a), Value::String(b)) => Value::Bool(holds(a, b)),
        _ => Value::Nil,
    }
}

fn has_part(text: &[u8], part: &[u8]) -> bool {
    (0..=text.len()).any(|at| text.get(at..).is_some_and(|rest| rest.starts_with(part)))
}

/// Whether segments are of a form, by trying every number of them for a `**`.
fn is_of_form(segments: &[&[u8]], form: &[&[u8]]) -> bool {
    match (form, segments) {
        ([], []) => true,
        ([b"**", form @ ..], _) => {
            (0..=segments.len()).any(|taken| is_of_form(segments.get(taken..).unwrap_or_default(), form))
        }
        ([head, form @ ..], [segment, segments @ ..]) if *head == b"*" || head == segment => is_of_form(segments, form),
        _ => false,
    }
}

fn matches(path: &[u8], form: &[u8]) -> bool {
    let segments = |text| -> Vec<&[u8]> { <[u8]>::split(text, |&byte| byte == b'/').collect() };
    is_of_form(&segments(path), &segments(form))
}

/// By the machine's reading of addresses.
fn within(address: &[u8], network: &[u8]) -> Option<bool> {
    Network::parse(network).zip(Network::parse(address)).map(|(network, address)| network.has(address))
}

pub(super) fn call(evaluator: &mut Evaluator, builtin: Builtin, given: &Given) -> Outcome<Vec<Value>> {
    use Builtin as B;
    let (a, b) = (given.value(0), given.value(1));
    Ok(vec![match builtin {
        B::TotalField => match evaluator.table(&a) {
            Ok(table) if table.kind() == "map" => table.get(&b),
            _ => Value::Nil,
        },
        B::TotalOf => {
            let wanted = given.text(1)?;
            let kind = match super::convert::kind(evaluator, &a) {
                "set" => "list",
                kind => kind,
            };
            if kind.as_bytes() == &wanted[..] { a } else { Value::Nil }
        }
        B::TotalEqual => answer(same(&a, &b)),
        B::TotalLess => ordered(&a, &b, Ordering::is_lt)?,
        B::TotalAtMost => ordered(&a, &b, Ordering::is_le)?,
        B::TotalAdd => computed(Binary::Add, &a, &b)?,
        B::TotalSubtract => computed(Binary::Subtract, &a, &b)?,
        B::TotalMultiply => computed(Binary::Multiply, &a, &b)?,
        B::TotalDivide => computed(Binary::Divide, &a, &b)?,
        B::TotalFloorDivide => computed(Binary::FloorDivide, &a, &b)?,
        B::TotalModulo => computed(Binary::Modulo, &a, &b)?,
        B::TotalIncludes => includes(evaluator, &a, &b)?,
        B::TotalContains if matches!(a, Value::String(_)) => of_texts(&a, &b, has_part),
        B::TotalContains => includes(evaluator, &a, &b)?,
        B::TotalStarts => of_texts(&a, &b, <[u8]>::starts_with),
        B::TotalEnds => of_texts(&a, &b, <[u8]>::ends_with),
        B::TotalMatches => of_texts(&a, &b, matches),
        B::TotalWithin => match (&a, &b) {
            (Value::String(a), Value::String(b)) => answer(within(a, b)),
            _ => Value::Nil,
        },
        B::TotalSize => match (&a, evaluator.table(&a)) {
            (Value::String(text), _) => Value::integer(text.len() as i64),
            (_, Ok(table)) if table.is_set || table.is_list() => Value::integer(table.entries.len() as i64),
            _ => Value::Nil,
        },
        B::TotalLower => match &a {
            Value::String(text) => string(text.to_ascii_lowercase()),
            _ => Value::Nil,
        },
        _ => item(evaluator, &a, &b)?,
    }])
}
