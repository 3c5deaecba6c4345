//! `string` without patterns.

use super::build::Build;
use super::{Call, integral, range, text};
use crate::execute::{Outcome, arithmetic};
use crate::meter::{self, Meter};
use crate::trap::TrapCode;
use crate::value::{Heap, Value};

pub(super) fn length(call: &mut Call) -> Outcome<Value> {
    text(call.heap, &call.argument(0)).map(<[u8]>::len).map(integral)
}

/// A part of a string, which shares its bytes but counts like any other.
pub(super) fn share(
    heap: &mut Heap,
    meter: &mut Meter,
    string: Value,
    range: core::ops::Range<usize>,
) -> Outcome<Value> {
    meter.charge_bytes(range.len())?;
    meter.allocate(meter::STRING + range.len() as u64)?;
    Ok(heap.part(string, range))
}

/// A position that is an integer; one beyond 64 bits lies as far off as one can.
fn position(heap: &Heap, value: Value, default: i64) -> Outcome<i64> {
    if value.is_nil() {
        return Ok(default);
    }
    match heap.as_number(value) {
        Some(number) if number.is_integer() => {
            Ok(number.to_i64().unwrap_or(if number.is_negative() { i64::MIN } else { i64::MAX }))
        }
        _ => arithmetic::integer(heap, value),
    }
}

pub(super) fn part(call: &mut Call) -> Outcome<Value> {
    let value = call.argument(0);
    let length = text(call.heap, &value)?.len();
    if call.argument(1).is_nil() {
        return Err(TrapCode::KIND);
    }
    let from = position(call.heap, call.argument(1), 1)?;
    let to = position(call.heap, call.argument(2), -1)?;
    share(call.heap, call.meter, value, range(from, to, length))
}

pub(super) fn byte(call: &mut Call) -> Outcome<()> {
    let value = call.argument(0);
    let content = text(call.heap, &value)?;
    let from = position(call.heap, call.argument(1), 1)?;
    let to = position(call.heap, call.argument(2), from)?;
    let found = content.get(range(from, to, content.len())).unwrap_or_default();
    pay_values(call.meter, found.len() as u64)?;
    found.iter().for_each(|&byte| call.results.push(Value::integer(byte.into())));
    Ok(())
}

/// Pays for giving so many results.
pub(super) fn pay_values(meter: &mut Meter, count: u64) -> Outcome<()> {
    meter.charge(count)?;
    if count > super::FEW as u64 { meter.allocate(meter::VALUE.saturating_mul(count)) } else { Ok(()) }
}

pub(super) fn char(call: &mut Call) -> Outcome<Value> {
    call.meter.charge_values(call.arguments.len())?;
    let mut build = Build::new(call.heap, call.meter)?;
    for &value in call.arguments {
        let code = arithmetic::integer(build.heap, value)?;
        build.push(&[u8::try_from(code).map_err(|_| TrapCode::ARGUMENTS)?])?;
    }
    Ok(build.finish())
}

pub(super) fn repeat(call: &mut Call) -> Outcome<Value> {
    let (value, between) = (call.argument(0), call.argument(2));
    let length = text(call.heap, &value)?.len();
    let gap = if between.is_nil() { 0 } else { text(call.heap, &between)?.len() };
    let times = match call.argument(1) {
        times if times.is_nil() => return Err(TrapCode::KIND),
        times => u64::try_from(position(call.heap, times, 0)?).unwrap_or(0),
    };
    let mut build = Build::new(call.heap, call.meter)?;
    // What is empty however often it stands there is no work.
    if times == 0 || length + gap == 0 {
        return Ok(build.finish());
    }
    let all = times.saturating_mul(length as u64).saturating_add((times - 1).saturating_mul(gap as u64));
    build.grow(all)?;
    build.meter.charge(times)?;
    for time in 0..times {
        build.heap.copy_text(value, 0..length);
        if gap > 0 && time + 1 < times {
            build.heap.copy_text(between, 0..gap);
        }
    }
    Ok(build.finish())
}

/// A string of the same length, made from a copy.
fn changed(call: &mut Call, change: fn(&mut [u8])) -> Outcome<Value> {
    let value = call.argument(0);
    let length = text(call.heap, &value)?.len();
    call.meter.charge_bytes(length)?;
    let mut build = Build::new(call.heap, call.meter)?;
    let start = build.heap.begin_text();
    build.push_part(value, 0..length)?;
    change(build.heap.text().get_mut(start..).unwrap_or_default());
    Ok(build.finish())
}

pub(super) fn reverse(call: &mut Call) -> Outcome<Value> {
    changed(call, <[u8]>::reverse)
}

pub(super) fn upper(call: &mut Call) -> Outcome<Value> {
    changed(call, <[u8]>::make_ascii_uppercase)
}

pub(super) fn lower(call: &mut Call) -> Outcome<Value> {
    changed(call, <[u8]>::make_ascii_lowercase)
}

/// Strings and numbers, one after the other.
pub(in crate::execute) fn join(heap: &mut Heap, meter: &mut Meter, parts: &[Value]) -> Outcome<Value> {
    meter.charge_values(parts.len())?;
    let mut build = Build::new(heap, meter)?;
    for &part in parts {
        if !build.push_value(part)? {
            return Err(TrapCode::KIND);
        }
    }
    Ok(build.finish())
}
