//! `utf8`: code points in strings of bytes, as Lua counts them.

use super::build::Build;
use super::string::pay_values;
use super::{Call, integral, text};
use crate::execute::{Outcome, arithmetic};
use crate::trap::TrapCode;
use crate::value::Value;

/// The greatest code point, and the greatest that six bytes write.
const GREATEST: u32 = 0x10_ffff;
const GREATEST_LAX: u32 = 0x7fff_ffff;

/// The least value that so many further bytes are needed for.
const LEAST: [u32; 6] = [0, 0x80, 0x800, 0x1_0000, 0x20_0000, 0x400_0000];

const fn is_continuing(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// The code point that bytes begin with, and its length; none where they are no UTF-8. Lax, up to six bytes and
/// surrogates are taken.
fn decode(bytes: &[u8], is_lax: bool) -> Option<(u32, usize)> {
    let (&first, rest) = bytes.split_first()?;
    let further = match first.leading_ones() {
        0 => return Some((first.into(), 1)),
        length @ 2..=6 => length as usize - 1,
        _ => return None,
    };
    let mut code = u32::from(first) & (0x3f >> further);
    for &byte in rest.get(..further)? {
        if !is_continuing(byte) {
            return None;
        }
        code = code << 6 | u32::from(byte & 0x3f);
    }
    let is_shortest = LEAST.get(further).is_some_and(|&least| code >= least);
    let is_scalar = is_lax || code <= GREATEST && !(0xd800..=0xdfff).contains(&code);
    (is_shortest && is_scalar).then_some((code, further + 1))
}

/// Appends a code point's bytes: up to six.
fn encode(code: u32) -> ([u8; 6], usize) {
    let mut bytes = [0; 6];
    let further = LEAST.iter().rposition(|&least| code >= least).unwrap_or(0);
    let mut rest = code;
    for byte in bytes.iter_mut().take(further + 1).skip(1).rev() {
        *byte = 0x80 | (rest & 0x3f) as u8;
        rest >>= 6;
    }
    let mark = if further == 0 { 0 } else { !(0x7f_u8 >> further) };
    if let Some(first) = bytes.first_mut() {
        *first = mark | rest as u8;
    }
    (bytes, further + 1)
}

pub(super) fn char(call: &mut Call) -> Outcome<Value> {
    call.meter.charge_values(call.arguments.len())?;
    let mut build = Build::new(call.heap, call.meter)?;
    for &value in call.arguments {
        let code = u32::try_from(arithmetic::integer(build.heap, value)?).ok();
        let (bytes, length) = encode(code.filter(|&code| code <= GREATEST_LAX).ok_or(TrapCode::ARGUMENTS)?);
        build.push(bytes.get(..length).unwrap_or_default())?;
    }
    Ok(build.finish())
}

/// A position, counted from the end where negative; 0 where that is before the first byte.
const fn counted(position: i64, length: i64) -> i64 {
    match position {
        0.. => position,
        _ if position < -length => 0,
        _ => length + position + 1,
    }
}

/// The places from a position, by default the first, to another, which must both lie in the string.
fn places(call: &Call, length: usize, default_end: Option<i64>) -> Outcome<(i64, i64)> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let from = counted(call.integer(1)?.unwrap_or(1), length);
    let to = counted(call.integer(2)?.or(default_end).unwrap_or(from), length);
    Ok((from, to))
}

fn is_lax(call: &Call, place: usize) -> bool {
    let value = call.argument(place);
    !value.is_nil() && value.as_bool() != Some(false)
}

fn behind(bytes: &[u8], place: i64) -> &[u8] {
    usize::try_from(place).ok().and_then(|place| bytes.get(place..)).unwrap_or_default()
}

pub(super) fn codepoint(call: &mut Call) -> Outcome<()> {
    let value = call.argument(0);
    let content = text(call.heap, &value)?;
    let (from, to) = places(call, content.len(), None)?;
    let is_lax = is_lax(call, 3);
    if from < 1 || to > i64::try_from(content.len()).unwrap_or(i64::MAX) {
        return Err(TrapCode::ARGUMENTS);
    }
    let mut at = from - 1;
    while at < to {
        pay_values(call.meter, 1)?;
        let (code, length) = decode(behind(content, at), is_lax).ok_or(TrapCode::UTF8)?;
        call.results.push(Value::integer(code.into()));
        at += length as i64;
    }
    Ok(())
}

pub(super) fn length(call: &mut Call) -> Outcome<()> {
    let value = call.argument(0);
    let content = text(call.heap, &value)?;
    let (from, to) = places(call, content.len(), Some(-1))?;
    let is_lax = is_lax(call, 3);
    let most = i64::try_from(content.len()).unwrap_or(i64::MAX);
    if from < 1 || from > most + 1 || to > most {
        return Err(TrapCode::ARGUMENTS);
    }
    let (mut at, mut count) = (from - 1, 0);
    while at < to {
        call.meter.charge(2)?;
        match decode(behind(content, at), is_lax) {
            Some((_, length)) => at += length as i64,
            None => {
                call.give(Value::NIL);
                call.give(Value::integer(at + 1));
                return Ok(());
            }
        }
        count += 1;
    }
    call.give(Value::integer(count));
    Ok(())
}

pub(super) fn offset(call: &mut Call) -> Outcome<Value> {
    let value = call.argument(0);
    let content = text(call.heap, &value)?;
    let length = i64::try_from(content.len()).unwrap_or(i64::MAX);
    let n = call.integer(1)?.ok_or(TrapCode::KIND)?;
    let from = call.integer(2)?.unwrap_or(if n >= 0 { 1 } else { length + 1 });
    let mut at = counted(from, length) - 1;
    if !(0..=length).contains(&at) {
        return Err(TrapCode::ARGUMENTS);
    }
    let continues = |at: i64| behind(content, at).first().is_some_and(|&byte| is_continuing(byte));
    if n == 0 {
        while at > 0 && continues(at) {
            call.meter.charge(1)?;
            at -= 1;
        }
        return Ok(Value::integer(at + 1));
    }
    if continues(at) {
        return Err(TrapCode::UTF8);
    }
    // Steps that are left; the first code point forwards is the one that begins here.
    let mut left = if n > 0 { n - 1 } else { n };
    while left < 0 && at > 0 {
        at -= 1;
        while at > 0 && continues(at) {
            call.meter.charge(1)?;
            at -= 1;
        }
        call.meter.charge(1)?;
        left += 1;
    }
    while left > 0 && at < length {
        at += 1;
        while continues(at) {
            call.meter.charge(1)?;
            at += 1;
        }
        call.meter.charge(1)?;
        left -= 1;
    }
    Ok(if left == 0 { Value::integer(at + 1) } else { Value::NIL })
}

/// As the function that Lua's `utf8.codes` gives: from the position of a code point, 0 before the first, to the next.
pub(super) fn next(call: &mut Call) -> Outcome<()> {
    let value = call.argument(0);
    let content = text(call.heap, &value)?;
    let position = call.integer(1)?.ok_or(TrapCode::KIND)?;
    if position < 0 {
        return Err(TrapCode::ARGUMENTS);
    }
    let is_lax = is_lax(call, 2);
    let mut at = usize::try_from(position).unwrap_or(content.len());
    // Before the first code point there is none that could go on.
    if at == 0 && content.first().is_some_and(|&byte| is_continuing(byte)) {
        return Err(TrapCode::UTF8);
    }
    while content.get(at).is_some_and(|&byte| is_continuing(byte)) {
        call.meter.charge(1)?;
        at += 1;
    }
    if at >= content.len() {
        call.give(Value::NIL);
        return Ok(());
    }
    let (code, length) = decode(content.get(at..).unwrap_or_default(), is_lax).ok_or(TrapCode::UTF8)?;
    if content.get(at + length).is_some_and(|&byte| is_continuing(byte)) {
        return Err(TrapCode::UTF8);
    }
    call.give(integral(at + 1));
    call.give(Value::integer(code.into()));
    Ok(())
}
