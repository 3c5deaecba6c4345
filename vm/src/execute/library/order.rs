//! Canonical order, paid for step by step: comparing, and sorting by it.

use super::Call;
use super::table::sort_plain;
use crate::execute::Outcome;
use crate::limit;
use crate::meter::{self, Meter};
use crate::trap::TrapCode;
use crate::value::{Heap, Kind, Value};
use core::cmp::Ordering;

const DEEPEST: u64 = limit::DATA_DEPTH.value;

pub(super) fn compare(call: &mut Call) -> Outcome<Value> {
    compared(call.heap, call.meter, call.argument(0), call.argument(1))
}

/// Where the first value stands to the second.
pub(super) fn compared(heap: &Heap, meter: &mut Meter, a: Value, b: Value) -> Outcome<Value> {
    Ok(Value::integer(ordered(heap, meter, a, b, 0)? as i64))
}

/// The canonical order of two values; tables are compared down to the deepest level that a document may have.
fn ordered(heap: &Heap, meter: &mut Meter, a: Value, b: Value, depth: u64) -> Outcome<Ordering> {
    meter.charge(1)?;
    // Integers, which most values are that are compared, need no look at what they are.
    if let (Some(a), Some(b)) = (a.as_i64(), b.as_i64()) {
        return Ok(a.cmp(&b));
    }
    let (kind_a, kind_b) = (heap.kind(a), heap.kind(b));
    let is_table = |kind| matches!(kind, Kind::List | Kind::Map | Kind::Set);
    if !is_table(kind_a) || kind_a != kind_b {
        let bytes = |value: &Value| heap.as_string(value).or_else(|| heap.as_bytes(*value)).map_or(0, <[u8]>::len);
        meter.charge_order(bytes(&a).min(bytes(&b)))?;
        return Ok(heap.order(a, b));
    }
    if a.is_same_table(b) {
        return Ok(Ordering::Equal);
    }
    if depth >= DEEPEST {
        return Err(TrapCode::NESTED);
    }
    if kind_a == Kind::Map {
        return ordered_maps(heap, meter, a, b, depth);
    }
    let (a, b) = (heap.items(a).unwrap_or_default(), heap.items(b).unwrap_or_default());
    for (&a, &b) in a.iter().zip(b) {
        let order = ordered(heap, meter, a, b, depth + 1)?;
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(a.len().cmp(&b.len()))
}

fn ordered_maps(heap: &Heap, meter: &mut Meter, a: Value, b: Value, depth: u64) -> Outcome<Ordering> {
    for map in [a, b] {
        meter.charge_sort(heap.count(map).unwrap_or_default())?;
    }
    let (a, b) = (heap.entries(a).unwrap_or_default(), heap.entries(b).unwrap_or_default());
    for (a, b) in a.iter().zip(&b) {
        let by_key = ordered(heap, meter, a.0, b.0, depth + 1)?;
        let order = if by_key.is_ne() { by_key } else { ordered(heap, meter, a.1, b.1, depth + 1)? };
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(a.len().cmp(&b.len()))
}

pub(super) fn sorted(call: &mut Call) -> Outcome<Value> {
    let items = call.heap.items(call.argument(0));
    let count = call.heap.count(call.argument(0)).ok_or(TrapCode::KIND)?;
    let items = items.or((count == 0).then_some(&[])).ok_or(TrapCode::KIND)?;
    call.meter.charge_sort(items.len())?;
    call.meter.allocate(meter::TABLE + 2 * meter::VALUE * items.len() as u64)?;
    let mut items = items.to_vec();
    if !sort_plain(call.heap, call.meter, &mut items)? {
        merge_sort(call.heap, call.meter, &mut items)?;
    }
    Ok(call.heap.list(&items))
}

/// Merge sort from runs of one upwards, which is stable and compares in an order that is its own and always the same.
fn merge_sort(heap: &Heap, meter: &mut Meter, items: &mut Vec<Value>) -> Outcome<()> {
    let mut width = 1;
    let mut merged = Vec::with_capacity(items.len());
    while width < items.len() {
        merged.clear();
        for pair in items.chunks(2 * width) {
            let (mut left, mut right) = pair.split_at_checked(width).unwrap_or((pair, &[]));
            while let ([first, left_rest @ ..], [second, right_rest @ ..]) = (left, right) {
                if ordered(heap, meter, *second, *first, 0)?.is_lt() {
                    merged.push(*second);
                    right = right_rest;
                } else {
                    merged.push(*first);
                    left = left_rest;
                }
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        core::mem::swap(items, &mut merged);
        width *= 2;
    }
    Ok(())
}
