//! `table`, lists, and what is known of any table.

use super::build::Build;
use super::string::pay_values;
use super::{Call, integral, text};
use crate::execute::{Outcome, arithmetic};
use crate::meter::{self, Meter};
use crate::number::Float;
use crate::trap::TrapCode;
use crate::value::{Heap, Kind, Value};

pub(super) fn count(call: &mut Call) -> Outcome<Value> {
    call.heap.count(call.argument(0)).map(integral).ok_or(TrapCode::KIND)
}

/// The length of a table. Where there are gaps it must be counted, which is charged.
pub(in crate::execute) fn length(heap: &Heap, meter: &mut Meter, table: Value) -> Outcome<i64> {
    let length = heap.length(table).ok_or(TrapCode::KIND)?;
    if !heap.is_gapless(table) {
        meter.charge(length.cast_unsigned())?;
    }
    Ok(length)
}

pub(in crate::execute) fn put(
    heap: &mut Heap,
    meter: &mut Meter,
    table: Value,
    position: i64,
    value: Value,
) -> Outcome<()> {
    if heap.set(table, Value::integer(position), value)? {
        meter.allocate(meter::ENTRY)?;
    }
    Ok(())
}

fn take(heap: &Heap, table: Value, position: i64) -> Value {
    heap.get(table, Value::integer(position)).unwrap_or(Value::NIL)
}

pub(super) fn insert(call: &mut Call) -> Outcome<()> {
    let (table, position, value) = match *call.arguments {
        [table, value] => (table, None, value),
        [table, position, value] => (table, Some(arithmetic::integer(call.heap, position)?), value),
        _ => return Err(TrapCode::ARGUMENTS),
    };
    let length = length(call.heap, call.meter, table)?;
    let position = position.unwrap_or(length + 1);
    if !(1..=length + 1).contains(&position) {
        return Err(TrapCode::ARGUMENTS);
    }
    call.meter.charge((length + 1 - position).cast_unsigned())?;
    for place in (position..=length).rev() {
        let moved = take(call.heap, table, place);
        put(call.heap, call.meter, table, place + 1, moved)?;
    }
    put(call.heap, call.meter, table, position, value)
}

pub(super) fn remove(call: &mut Call) -> Outcome<Value> {
    let table = call.argument(0);
    let length = length(call.heap, call.meter, table)?;
    let position = call.integer(1)?.unwrap_or(length);
    // Of an empty list the last place is 0, which is taken like any other.
    if position != length && !(1..=length.saturating_add(1)).contains(&position) {
        return Err(TrapCode::ARGUMENTS);
    }
    call.meter.charge((length - position.min(length)).cast_unsigned())?;
    let removed = take(call.heap, table, position);
    for place in position..length {
        let moved = take(call.heap, table, place + 1);
        put(call.heap, call.meter, table, place, moved)?;
    }
    put(call.heap, call.meter, table, position.max(length), Value::NIL)?;
    Ok(removed)
}

pub(super) fn concat(call: &mut Call) -> Outcome<Value> {
    let (table, between) = (call.argument(0), call.argument(1));
    let from = call.integer(2)?.unwrap_or(1);
    let to = match call.integer(3)? {
        Some(to) => to,
        None => length(call.heap, call.meter, table)?,
    };
    let gap = if between.is_nil() { 0 } else { text(call.heap, &between)?.len() };
    call.heap.length(table).ok_or(TrapCode::KIND)?;
    let mut build = Build::new(call.heap, call.meter)?;
    for position in from..=to {
        build.meter.charge(1)?;
        // A range that is too long ends here: what is absent is no text.
        let part = take(build.heap, table, position);
        if !build.push_value(part)? {
            return Err(TrapCode::KIND);
        }
        if position < to {
            build.push_part(between, 0..gap)?;
        }
    }
    Ok(build.finish())
}

/// Sorts a list of numbers or a list of strings into canonical order, which is total: no two ways to sort can differ.
/// All is charged beforehand, because how often a library's sort compares is its own affair.
pub(super) fn sort(call: &mut Call) -> Outcome<()> {
    let table = call.argument(0);
    let length = length(call.heap, call.meter, table)?;
    let count = usize::try_from(length).unwrap_or(usize::MAX);
    call.meter.charge_sort(count)?;
    let mut items: Vec<Value> = match call.heap.items(table) {
        Some(items) if items.len() == count => items.to_vec(),
        _ => (1..=length).map(|place| take(call.heap, table, place)).collect(),
    };
    sort_plain(call.heap, call.meter, &mut items)?.then_some(()).ok_or(TrapCode::KIND)?;
    for (place, &item) in (1..).zip(&items) {
        put(call.heap, call.meter, table, place, item)?;
    }
    Ok(())
}

/// Sorts numbers, or strings; false where the items are neither. Their number is paid for already.
pub(super) fn sort_plain(heap: &Heap, meter: &mut Meter, items: &mut [Value]) -> Outcome<bool> {
    // Equal integers can't be told apart, so nothing shows how they were sorted.
    if let Some(mut integers) = items.iter().map(|item| item.as_i64()).collect::<Option<Vec<i64>>>() {
        integers.sort_unstable();
        items.iter_mut().zip(integers).for_each(|(item, integer)| *item = Value::integer(integer));
        return Ok(true);
    }
    let is_number = |item: &Value| {
        matches!(heap.kind(*item), Kind::Number | Kind::Float | Kind::Fixed)
            && !item.as_float().is_some_and(Float::is_nan)
    };
    let texts = items.iter().filter_map(|item| heap.as_string(item));
    let (count, bytes) = texts.fold((0, 0), |(count, bytes), text| (count + 1, bytes + text.len()));
    if count == items.len() {
        meter.charge_sort(bytes / 16)?;
    } else if count > 0 || !items.iter().all(is_number) {
        return Ok(false);
    }
    items.sort_by(|&a, &b| heap.order(a, b));
    Ok(true)
}

pub(super) fn pack(call: &mut Call) -> Outcome<Value> {
    let count = call.arguments.len();
    call.meter.charge_values(count)?;
    call.meter.allocate(meter::TABLE)?;
    let table = call.heap.new_table();
    for (position, &value) in (1..).zip(call.arguments) {
        put(call.heap, call.meter, table, position, value)?;
    }
    call.meter.allocate(meter::ENTRY)?;
    let name = call.heap.string(b"n");
    call.heap.set(table, name, integral(count))?;
    Ok(table)
}

pub(super) fn unpack(call: &mut Call) -> Outcome<()> {
    let table = call.argument(0);
    let from = call.integer(1)?.unwrap_or(1);
    let to = match call.integer(2)? {
        Some(to) => to,
        None => length(call.heap, call.meter, table)?,
    };
    call.heap.length(table).ok_or(TrapCode::KIND)?;
    if from > to {
        return Ok(());
    }
    pay_values(call.meter, to.abs_diff(from).saturating_add(1))?;
    for position in from..=to {
        let value = take(call.heap, table, position);
        call.results.push(value);
    }
    Ok(())
}

pub(super) fn shift(call: &mut Call) -> Outcome<Value> {
    let source = call.argument(0);
    let target = if call.argument(4).is_nil() { source } else { call.argument(4) };
    let [Some(from), Some(to), Some(place)] = [call.integer(1)?, call.integer(2)?, call.integer(3)?] else {
        return Err(TrapCode::KIND);
    };
    if call.heap.length(source).is_none() || call.heap.length(target).is_none() {
        return Err(TrapCode::KIND);
    }
    if to < from {
        return Ok(target);
    }
    // Neither the number of values nor the last place may leave the range of positions.
    let last = to.checked_sub(from).and_then(|further| place.checked_add(further)).ok_or(TrapCode::ARGUMENTS)?;
    call.meter.charge((to - from).cast_unsigned().saturating_add(1))?;
    let is_same = source.is_same_table(target);
    let mut copy = |offset: i64| -> Outcome<()> {
        let value = take(call.heap, source, from + offset);
        put(call.heap, call.meter, target, place + offset, value)
    };
    // Where the ranges meet, what is still to be copied must not be overwritten.
    if is_same && place > from && place <= to {
        (0..=last - place).rev().try_for_each(&mut copy)?;
    } else {
        (0..=last - place).try_for_each(&mut copy)?;
    }
    Ok(target)
}

pub(super) fn values(call: &mut Call) -> Outcome<Value> {
    let table = call.argument(0);
    let count = call.heap.count(table).ok_or(TrapCode::KIND)?;
    call.meter.charge_sort(count)?;
    call.meter.allocate(meter::TABLE + meter::VALUE * count as u64)?;
    let entries = call.heap.entries(table).ok_or(TrapCode::KIND)?;
    let values: Vec<Value> = entries.into_iter().map(|(_, value)| value).collect();
    Ok(call.heap.list(&values))
}

pub(super) fn list(call: &mut Call) -> Outcome<Value> {
    // A place without a value would be no place of a list.
    if call.arguments.iter().any(|value| value.is_nil()) {
        return Err(TrapCode::KIND);
    }
    let count = call.arguments.len();
    call.meter.charge_values(count)?;
    call.meter.allocate(meter::TABLE + meter::VALUE * count as u64)?;
    Ok(call.heap.list(call.arguments))
}
