//! The functions of `string` that take patterns.

use super::pattern::{Caught, Found, search};
use super::{Given, counted, put_text, string};
use crate::evaluator::{Evaluator, LONGEST, Outcome, Stop, Value};
use kerai_vm::trap::TrapCode;

/// The place where a search begins, if it lies in the subject.
fn start(given: &Given, place: usize, length: usize) -> Outcome<Option<usize>> {
    let from = counted(given.integer(place)?.unwrap_or(1), length).max(1) as usize - 1;
    Ok(Some(from).filter(|&from| from <= length))
}

fn value_of(subject: &[u8], caught: Caught) -> Outcome<Value> {
    match caught {
        Caught::Text(start, end) => Ok(string(subject.get(start..end).unwrap_or_default())),
        Caught::Position(at) => Ok(Value::integer(at as i64 + 1)),
        Caught::Open(_) => Err(TrapCode::PATTERN.into()),
    }
}

fn whole(found: &Found) -> Caught {
    Caught::Text(found.start, found.end)
}

/// What was caught; the whole match where nothing was, if it is wanted then.
fn values(subject: &[u8], found: &Found, wants_whole: bool) -> Outcome<Vec<Value>> {
    let mut caught = found.caught.clone();
    if caught.is_empty() && wants_whole {
        caught.push(whole(found));
    }
    caught.into_iter().map(|caught| value_of(subject, caught)).collect()
}

pub(super) fn find(evaluator: &mut Evaluator, given: &Given) -> Outcome<Vec<Value>> {
    let (subject, pattern) = (given.text(0)?, given.text(1)?);
    evaluator.burn(subject.len() as u64)?;
    let Some(from) = start(given, 2, subject.len())? else { return Ok(vec![Value::Nil]) };
    let place = |place: usize| Value::integer(place as i64);
    // A pattern without any of these is a text, whatever else would be wrong with it.
    let is_text = !pattern.iter().any(|byte| b"^$*+?.([%-".contains(byte));
    if given.is_true(3) || is_text {
        let is_there = |&at: &usize| subject.get(at..).is_some_and(|rest| rest.starts_with(&pattern));
        let found = (from..=subject.len()).find(is_there);
        return Ok(found.map_or(vec![Value::Nil], |at| vec![place(at + 1), place(at + pattern.len())]));
    }
    Ok(match search(&subject, &pattern, true, from, None)? {
        None => vec![Value::Nil],
        Some(found) => {
            let caught = values(&subject, &found, false)?;
            [vec![place(found.start + 1), place(found.end)], caught].concat()
        }
    })
}

pub(super) fn captures(evaluator: &mut Evaluator, given: &Given) -> Outcome<Vec<Value>> {
    let (subject, pattern) = (given.text(0)?, given.text(1)?);
    evaluator.burn(subject.len() as u64)?;
    let Some(from) = start(given, 2, subject.len())? else { return Ok(vec![Value::Nil]) };
    match search(&subject, &pattern, true, from, None)? {
        None => Ok(vec![Value::Nil]),
        Some(found) => values(&subject, &found, true),
    }
}

/// One step of a walk over all matches.
pub(super) fn next(evaluator: &mut Evaluator, given: &Given, says_start: bool) -> Outcome<Vec<Value>> {
    let (subject, pattern) = (given.text(0)?, given.text(1)?);
    evaluator.burn(subject.len() as u64)?;
    let from = start(given, 2, subject.len())?;
    let barred = given.integer(3)?;
    let is_over = says_start && pattern.first() == Some(&b'^') && barred.is_some();
    let Some(from) = from.filter(|_| !is_over) else { return Ok(vec![Value::Nil]) };
    let barred = barred.and_then(|position| usize::try_from(position).ok()?.checked_sub(1));
    Ok(match search(&subject, &pattern, says_start, from, barred)? {
        None => vec![Value::Nil],
        Some(found) => {
            let mut results = vec![Value::integer(found.end as i64 + 1)];
            if says_start {
                results.insert(0, Value::integer(found.start as i64 + 1));
            }
            results.extend(values(&subject, &found, true)?);
            results
        }
    })
}

pub(super) fn replace(evaluator: &mut Evaluator, given: &Given) -> Outcome<Vec<Value>> {
    let (subject, pattern, replacement) = (given.text(0)?, given.text(1)?, given.value(2));
    evaluator.burn(subject.len() as u64)?;
    if !matches!(replacement, Value::String(_)) {
        evaluator.length(&replacement)?;
    }
    let most = given.integer(3)?.unwrap_or(i64::MAX);
    let (mut out, mut count, mut from, mut barred) = (Vec::new(), 0, 0, None);
    while count < most {
        evaluator.burn(1)?;
        let Some(found) = search(&subject, &pattern, true, from, barred)? else { break };
        count += 1;
        out.extend_from_slice(subject.get(from..found.start).unwrap_or_default());
        put_replacement(evaluator, &subject, &replacement, &found, &mut out)?;
        (from, barred) = (found.end, Some(found.end));
        if pattern.first() == Some(&b'^') {
            break;
        }
        if out.len() > LONGEST {
            return Err(Stop::Unknown);
        }
    }
    out.extend_from_slice(subject.get(from..).unwrap_or_default());
    Ok(vec![string(out), Value::integer(count)])
}

fn numbered(found: &Found, index: usize) -> Outcome<Caught> {
    match found.caught.get(index) {
        Some(caught) => Ok(*caught),
        None if index == 0 => Ok(whole(found)),
        None => Err(TrapCode::PATTERN.into()),
    }
}

fn put_replacement(
    evaluator: &Evaluator,
    subject: &[u8],
    replacement: &Value,
    found: &Found,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    let Value::String(template) = replacement else {
        let key = value_of(subject, numbered(found, 0)?)?;
        let value = evaluator.table(replacement)?.get(&key);
        let kept = Value::String(subject.get(found.start..found.end).unwrap_or_default().into());
        return Ok(put_text(if value.is_true() { &value } else { &kept }, out)?);
    };
    let mut bytes = template.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'%') => out.push(b'%'),
            Some(b'0') => put_text(&value_of(subject, whole(found))?, out)?,
            Some(digit @ b'1'..=b'9') => {
                let caught = numbered(found, usize::from(digit - b'1'))?;
                put_text(&value_of(subject, caught)?, out)?;
            }
            _ => return Err(TrapCode::PATTERN.into()),
        }
    }
    Ok(())
}
