//! `utf8`.

use super::{Given, counted, string};
use crate::evaluator::operator::to_integer;
use crate::evaluator::{Evaluator, Outcome, Value};
use kerai_vm::bytecode::Builtin;
use kerai_vm::trap::TrapCode;

const fn continues(byte: u8) -> bool {
    byte >= 0x80 && byte < 0xc0
}

/// The bytes of a code point below 2^31, in the form of up to six bytes that UTF-8 once had.
fn encode(code: u32) -> Vec<u8> {
    if code < 0x80 {
        return vec![code as u8];
    }
    // Each further byte has six bits, and takes one from the first.
    let further = (1..6).find(|&further| code < 1 << (6 * further + 6 - further)).unwrap_or(5);
    let first = (0xff_u8 << (7 - further)) | (code >> (6 * further)) as u8;
    let rest = (0..further).rev().map(|place| 0x80 | (code >> (6 * place) & 0x3f) as u8);
    [first].into_iter().chain(rest).collect()
}

/// The code point that bytes begin with, and its length.
fn decode(bytes: &[u8], is_lax: bool) -> Option<(u32, usize)> {
    let length = 1 + bytes.iter().skip(1).take_while(|&&byte| continues(byte)).count();
    (1..=length.min(6)).find_map(|length| {
        let bytes = bytes.get(..length)?;
        if !is_lax {
            let mut characters = str::from_utf8(bytes).ok()?.chars();
            return characters.next().map(|character| (character.into(), length));
        }
        // The code point whose bytes these are, if there is one.
        let bits = bytes.iter().skip(1).fold(0_u32, |bits, byte| bits << 6 | u32::from(byte & 0x3f));
        let first = u32::from(*bytes.first()?);
        let mark = if length == 1 { first } else { first & (0x7f >> length) };
        let code = mark << (6 * (length - 1)) | bits;
        (code < 1 << 31 && encode(code) == bytes).then_some((code, length))
    })
}

fn behind(text: &[u8], at: i128) -> &[u8] {
    usize::try_from(at).ok().and_then(|at| text.get(at..)).unwrap_or_default()
}

fn offset(text: &[u8], given: &Given) -> Outcome<Vec<Value>> {
    let n = given.wanted_integer(1)?;
    let from = given.integer(2)?.unwrap_or(if n >= 0 { 1 } else { text.len() as i64 + 1 });
    let at = counted(from, text.len()).max(0) - 1;
    if at < 0 || at > text.len() as i128 {
        return Err(TrapCode::ARGUMENTS.into());
    }
    // Where code points begin; the first byte and the end count in any case.
    let is_start = |at: &usize| *at == 0 || !text.get(*at).copied().is_some_and(continues);
    let starts: Vec<i128> = (0..=text.len()).filter(is_start).map(|at| at as i128).collect();
    let is_inside = behind(text, at).first().copied().is_some_and(continues);
    let found = if n == 0 {
        starts.iter().rev().find(|&&start| start <= at)
    } else if is_inside {
        return Err(TrapCode::UTF8.into());
    } else if n > 0 {
        starts.iter().filter(|&&start| start >= at).nth(usize::try_from(n - 1).unwrap_or(usize::MAX))
    } else {
        let back = usize::try_from(n.unsigned_abs() - 1).unwrap_or(usize::MAX);
        starts.iter().rev().filter(|&&start| start < at).nth(back)
    };
    Ok(vec![found.map_or(Value::Nil, |&start| Value::integer(start as i64 + 1))])
}

fn next(text: &[u8], given: &Given) -> Outcome<Vec<Value>> {
    let position = given.wanted_integer(1)?;
    if position < 0 {
        return Err(TrapCode::ARGUMENTS.into());
    }
    if position == 0 && text.first().copied().is_some_and(continues) {
        return Err(TrapCode::UTF8.into());
    }
    let rest = behind(text, position.into());
    let skipped = rest.iter().take_while(|&&byte| continues(byte)).count();
    let rest = rest.get(skipped..).unwrap_or_default();
    if rest.is_empty() {
        return Ok(vec![Value::Nil]);
    }
    let (code, length) = decode(rest, given.is_true(2)).ok_or(TrapCode::UTF8)?;
    if rest.get(length).copied().is_some_and(continues) {
        return Err(TrapCode::UTF8.into());
    }
    let at = position + skipped as i64 + 1;
    Ok(vec![Value::integer(at), Value::integer(code.into())])
}

pub(super) fn call(evaluator: &mut Evaluator, builtin: Builtin, given: &Given) -> Outcome<Vec<Value>> {
    if builtin == Builtin::Utf8Char {
        let mut out = Vec::new();
        for value in given.0 {
            let code = u32::try_from(to_integer(value)?).ok().filter(|&code| code < 1 << 31);
            out.extend(encode(code.ok_or(TrapCode::ARGUMENTS)?));
        }
        return Ok(vec![string(out)]);
    }
    let text = given.text(0)?;
    evaluator.burn(text.len() as u64)?;
    match builtin {
        Builtin::Utf8Offset => return offset(&text, given),
        Builtin::Utf8Next => return next(&text, given),
        _ => {}
    }
    let is_counting = builtin == Builtin::Utf8Length;
    let from = given.integer(1)?.unwrap_or(1);
    let to = given.integer(2)?.unwrap_or(if is_counting { -1 } else { from });
    let (from, to) = (counted(from, text.len()).max(0), counted(to, text.len()).max(0));
    let length = text.len() as i128;
    if from < 1 || to > length || is_counting && from > length + 1 {
        return Err(TrapCode::ARGUMENTS.into());
    }
    let (mut at, mut codes) = (from - 1, Vec::new());
    while at < to {
        match decode(behind(&text, at), given.is_true(3)) {
            Some((code, length)) => {
                at += length as i128;
                codes.push(Value::integer(code.into()));
            }
            None if is_counting => return Ok(vec![Value::Nil, Value::integer(at as i64 + 1)]),
            None => return Err(TrapCode::UTF8.into()),
        }
    }
    Ok(if is_counting { vec![Value::integer(codes.len() as i64)] } else { codes })
}
