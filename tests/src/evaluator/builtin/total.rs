//! What policies and merge folds ask: an answer, or nil where there is none.

use super::{Given, operator, string};
use crate::evaluator::{Evaluator, Outcome, Stop, Value, encode};
use kerai_compiler::ir::Binary;
use kerai_vm::address::Network;
use kerai_vm::bytecode::Builtin;
use kerai_vm::encoding::root::{Context, Root};
use kerai_vm::trap::TrapCode;

fn kind(evaluator: &Evaluator, value: &Value) -> &'static str {
    match value {
        Value::Nil => "nil",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::Float(_) => "float",
        Value::Fixed(_) => "fixed",
        Value::String(_) => "string",
        Value::Bytes(_) => "bytes",
        Value::Table(_) => evaluator.table(value).map_or("map", |table| table.kind()),
        Value::Function(_) | Value::Closure(_) => "function",
    }
}

fn equal(a: &Value, b: &Value) -> Option<bool> {
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => Some(a == b),
        (Value::Number(a), Value::Number(b)) => Some(a == b),
        (Value::String(a), Value::String(b)) | (Value::Bytes(a), Value::Bytes(b)) => Some(a == b),
        _ => None,
    }
}

fn order(a: &Value, b: &Value) -> Option<std::cmp::Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Some(a.cmp(b)),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// Whether segments are of a form, by trying every number of segments for a `**`.
fn is_of_form(path: &[&[u8]], form: &[&[u8]]) -> bool {
    match form.split_first() {
        None => path.is_empty(),
        Some((&b"**", rest)) => {
            (0..=path.len()).any(|skipped| is_of_form(path.get(skipped..).unwrap_or_default(), rest))
        }
        Some((&pattern, rest)) => path.split_first().is_some_and(|(&segment, following)| {
            (pattern == b"*" || pattern == segment) && is_of_form(following, rest)
        }),
    }
}

fn matches(path: &[u8], form: &[u8]) -> bool {
    fn segments(text: &[u8]) -> Vec<&[u8]> {
        text.split(|&byte| byte == b'/').collect()
    }
    is_of_form(&segments(path), &segments(form))
}

fn texts(a: &Value, b: &Value, holds: impl Fn(&[u8], &[u8]) -> bool) -> Option<bool> {
    match (a, b) {
        (Value::String(a), Value::String(b)) => Some(holds(a, b)),
        _ => None,
    }
}

fn item(evaluator: &Evaluator, whole: &Value, part: &Value) -> Outcome<Option<bool>> {
    if !["list", "set"].contains(&kind(evaluator, whole)) {
        return Ok(None);
    }
    let table = evaluator.table(whole)?;
    let items: Vec<Value> = match table.is_set {
        true => table.entries.keys().map(crate::evaluator::Key::to_value).collect(),
        false => table.entries.values().cloned().collect(),
    };
    let answers: Vec<Option<bool>> = items.iter().map(|item| equal(item, part)).collect();
    Ok(match (answers.contains(&Some(true)), answers.contains(&None) || part.is_nil()) {
        (true, _) => Some(true),
        (false, true) => None,
        (false, false) => Some(false),
    })
}

fn includes(evaluator: &Evaluator, whole: &Value, part: &Value) -> Outcome<Option<bool>> {
    match (kind(evaluator, whole), part) {
        ("map", Value::String(_)) => Ok((!evaluator.table(whole)?.get(part).is_nil()).then_some(true)),
        _ => item(evaluator, whole, part),
    }
}

fn compute(operator: Binary, a: &Value, b: &Value) -> Outcome<Value> {
    if !matches!((a, b), (Value::Number(_), Value::Number(_))) {
        return Ok(Value::Nil);
    }
    match operator::binary(operator, a, b) {
        Err(TrapCode::RANGE | TrapCode::DIVISION) => Ok(Value::Nil),
        other => Ok(other?),
    }
}

fn hash(evaluator: &Evaluator, given: &Given) -> Outcome<Value> {
    let mut content = vec![0x83];
    for part in given.0 {
        content.extend(encode(&evaluator.tables, part, crate::evaluator::ROW).ok_or(Stop::Trap(TrapCode::TEXT))?);
    }
    let digits =
        Root::of_data(Context::Order, &content).bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Ok(Value::text(&digits))
}

fn lies_within(resource: &Value, glob: &[u8]) -> bool {
    let Value::String(resource) = resource else { return false };
    let path = resource.strip_prefix(b"gatos://").and_then(|rest| {
        let mut parts = rest.splitn(2, |&byte| byte == b'/');
        parts.next().filter(|repository| !repository.is_empty())?;
        parts.next().filter(|path| !path.is_empty())
    });
    path.is_some_and(|path| matches(path, glob))
}

pub(super) fn call(evaluator: &mut Evaluator, builtin: Builtin, given: &Given) -> Outcome<Vec<Value>> {
    use Builtin as B;
    let (a, b) = (given.value(0), given.value(1));
    let truth = match builtin {
        B::TotalField => {
            let is_map = kind(evaluator, &a) == "map";
            return Ok(vec![if is_map { evaluator.table(&a)?.get(&b) } else { Value::Nil }]);
        }
        B::TotalOf => {
            let wanted = given.text(1)?;
            let kind = kind(evaluator, &a).replace("set", "list");
            return Ok(vec![if kind.as_bytes() == &*wanted { a } else { Value::Nil }]);
        }
        B::TotalAdd => return Ok(vec![compute(Binary::Add, &a, &b)?]),
        B::TotalSubtract => return Ok(vec![compute(Binary::Subtract, &a, &b)?]),
        B::TotalMultiply => return Ok(vec![compute(Binary::Multiply, &a, &b)?]),
        B::TotalDivide => return Ok(vec![compute(Binary::Divide, &a, &b)?]),
        B::TotalFloorDivide => return Ok(vec![compute(Binary::FloorDivide, &a, &b)?]),
        B::TotalModulo => return Ok(vec![compute(Binary::Modulo, &a, &b)?]),
        B::TotalSize => {
            let size = match (&a, kind(evaluator, &a)) {
                (Value::String(text), _) => Some(text.len()),
                (_, "list" | "set") => Some(evaluator.table(&a)?.entries.len()),
                _ => None,
            };
            return Ok(vec![size.map_or(Value::Nil, |size| Value::integer(size as i64))]);
        }
        B::TotalLower => {
            let is_text = matches!(a, Value::String(_));
            return if is_text { string::call(evaluator, B::StringLower, given) } else { Ok(vec![Value::Nil]) };
        }
        B::OperationHash => return Ok(vec![hash(evaluator, given)?]),
        B::Within => Some(lies_within(&a, &given.text(1)?)),
        B::TotalEqual => equal(&a, &b),
        B::TotalLess => order(&a, &b).map(std::cmp::Ordering::is_lt),
        B::TotalAtMost => order(&a, &b).map(std::cmp::Ordering::is_le),
        B::TotalIncludes => includes(evaluator, &a, &b)?,
        B::TotalItem => item(evaluator, &a, &b)?,
        B::TotalContains if matches!(a, Value::String(_)) => {
            texts(&a, &b, |text, part| part.is_empty() || text.windows(part.len()).any(|window| window == part))
        }
        B::TotalContains => includes(evaluator, &a, &b)?,
        B::TotalStarts => texts(&a, &b, <[u8]>::starts_with),
        B::TotalEnds => texts(&a, &b, <[u8]>::ends_with),
        B::TotalMatches => texts(&a, &b, matches),
        _ => match (&a, &b) {
            (Value::String(a), Value::String(b)) => {
                Network::parse(b).zip(Network::parse(a)).map(|(network, address)| network.has(address))
            }
            _ => None,
        },
    };
    Ok(vec![truth.map_or(Value::Nil, Value::Bool)])
}
