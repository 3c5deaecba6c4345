//! Canonical order, and sorting.

use super::Given;
use super::table::{items, put_items};
use crate::evaluator::value::numeric_order;
use crate::evaluator::{Evaluator, Outcome, Stop, Table, Value};
use kerai_vm::limit;
use kerai_vm::trap::TrapCode;
use std::cmp::Ordering;

fn rank(evaluator: &Evaluator, value: &Value) -> u8 {
    match value {
        Value::Nil => 0,
        Value::Bool(_) => 1,
        Value::Number(_) | Value::Float(_) | Value::Fixed(_) => 2,
        Value::String(_) => 3,
        Value::Bytes(_) => 4,
        Value::Table(_) => rank_of_table(evaluator, value),
        Value::Function(_) | Value::Closure(_) => 8,
    }
}

/// Numbers by value; those of equal value by sign, then by kind. NaN is the last.
fn numbers(a: &Value, b: &Value) -> Ordering {
    let is_nan = |value: &Value| matches!(value, Value::Float(float) if float.is_nan());
    let kind = |value: &Value| match value {
        Value::Number(_) => 0,
        Value::Float(_) => 1,
        _ => 2,
    };
    let sign = |value: &Value| matches!(value, Value::Float(float) if !float.is_negative());
    let both_floats = kind(a) == 1 && kind(b) == 1;
    let by_sign = if both_floats { sign(a).cmp(&sign(b)) } else { Ordering::Equal };
    let by_value = numeric_order(a, b).unwrap_or(is_nan(a).cmp(&is_nan(b)));
    by_value.then(by_sign).then(kind(a).cmp(&kind(b)))
}

/// The canonical order of two values.
pub(super) fn compare(evaluator: &mut Evaluator, a: &Value, b: &Value, depth: u64) -> Outcome<Ordering> {
    evaluator.burn(1)?;
    let by_rank = rank(evaluator, a).cmp(&rank(evaluator, b));
    if by_rank.is_ne() {
        return Ok(by_rank);
    }
    Ok(match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) | (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
        (Value::Table(a), Value::Table(b)) if a == b => Ordering::Equal,
        (Value::Table(_), Value::Table(_)) if depth >= limit::DATA_DEPTH.value => return Err(TrapCode::NESTED.into()),
        (Value::Table(_), Value::Table(_)) => {
            let (a, b) = (content(evaluator.table(a)?), content(evaluator.table(b)?));
            for (a, b) in a.iter().zip(&b) {
                let order = compare(evaluator, a, b, depth + 1)?;
                if order.is_ne() {
                    return Ok(order);
                }
            }
            a.len().cmp(&b.len())
        }
        (Value::Function(a), Value::Function(b)) if a == b => Ordering::Equal,
        (Value::Closure(a), Value::Closure(b)) if a == b => Ordering::Equal,
        // Functions stand in an order that only the machine knows.
        (Value::Function(_) | Value::Closure(_), _) => return Err(Stop::Unknown),
        _ if a.is_numeric() => numbers(a, b),
        _ => Ordering::Equal,
    })
}

/// What a table holds, one after the other.
fn content(table: &Table) -> Vec<Value> {
    let entries = table.entries.iter();
    if table.is_set {
        entries.map(|(key, _)| key.to_value()).collect()
    } else if table.is_list() {
        entries.map(|(_, value)| value.clone()).collect()
    } else {
        entries.flat_map(|(key, value)| [key.to_value(), value.clone()]).collect()
    }
}

fn rank_of_table(evaluator: &Evaluator, value: &Value) -> u8 {
    match evaluator.table(value) {
        Ok(table) if table.is_set => 7,
        Ok(table) if table.is_list() => 5,
        _ => 6,
    }
}

/// A stable sort: runs of one are merged two by two, until there is one. The question is always whether the first item
/// of the right run comes before that of the left.
fn merge_sort(
    evaluator: &mut Evaluator,
    items: Vec<Value>,
    comes_before: &mut dyn FnMut(&mut Evaluator, &Value, &Value) -> Outcome<bool>,
) -> Outcome<Vec<Value>> {
    let mut runs: Vec<Vec<Value>> = items.into_iter().map(|item| vec![item]).collect();
    while runs.len() > 1 {
        let mut merged = Vec::new();
        let mut pairs = runs.into_iter();
        while let Some(left) = pairs.next() {
            let mut run = Vec::new();
            let mut left = left.into_iter().peekable();
            let mut right = pairs.next().unwrap_or_default().into_iter().peekable();
            while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
                let next = if comes_before(evaluator, b, a)? { right.next() } else { left.next() };
                run.extend(next);
            }
            run.extend(left.chain(right));
            merged.push(run);
        }
        runs = merged;
    }
    Ok(runs.pop().unwrap_or_default())
}

fn canonical_sort(evaluator: &mut Evaluator, items: Vec<Value>) -> Outcome<Vec<Value>> {
    merge_sort(evaluator, items, &mut |evaluator, b, a| Ok(compare(evaluator, b, a, 0)?.is_lt()))
}

pub(super) fn sort(evaluator: &mut Evaluator, given: &Given) -> Outcome<Vec<Value>> {
    let (table, comparator) = (given.value(0), given.value(1));
    let sorted = if comparator.is_nil() {
        let items = items(evaluator, &table)?;
        let is_text = |item: &Value| matches!(item, Value::String(_));
        let is_number = |item: &Value| item.is_numeric() && numeric_order(item, item).is_some();
        if !items.iter().all(is_text) && !items.iter().all(is_number) {
            return Err(TrapCode::KIND.into());
        }
        canonical_sort(evaluator, items)?
    } else {
        evaluator.function(&comparator)?;
        let items = items(evaluator, &table)?;
        merge_sort(evaluator, items, &mut |evaluator, b, a| {
            let (lambda, cells) = evaluator.function(&comparator)?;
            let answer = evaluator.enter(lambda, cells, vec![b.clone(), a.clone()])?;
            Ok(answer.first().is_some_and(Value::is_true))
        })?
    };
    put_items(evaluator, &table, sorted)?;
    Ok(Vec::new())
}

pub(super) fn sorted(evaluator: &mut Evaluator, given: &Given) -> Outcome<Vec<Value>> {
    let items = evaluator.items(&given.value(0))?;
    let sorted = canonical_sort(evaluator, items)?;
    Ok(vec![evaluator.new_table(Table::list(sorted))])
}
