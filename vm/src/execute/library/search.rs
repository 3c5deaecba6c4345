//! The functions of `string` that take patterns.

use super::build::Build;
use super::pattern::{self, Capture, Captures, Matcher};
use super::string::share;
use super::{Call, from_start, integral, text};
use crate::execute::Outcome;
use crate::meter::Meter;
use crate::trap::TrapCode;
use crate::value::{Heap, Value};

/// A match: where it begins and ends, and what it caught.
struct Match {
    start: usize,
    end: usize,
}

/// How a search takes its pattern.
#[derive(Clone, Copy)]
struct Search {
    subject: Value,
    pattern: Value,
    /// Whether a leading `^` is an anchor.
    is_anchoring: bool,
}

impl Search {
    /// The first match from a place on, which does not end at `barred`.
    fn next(
        self,
        heap: &Heap,
        meter: &mut Meter,
        captures: &mut Captures,
        from: usize,
        barred: Option<usize>,
    ) -> Outcome<Option<Match>> {
        let (subject, pattern) = (text(heap, &self.subject)?, text(heap, &self.pattern)?);
        let found = Matcher::new(subject, pattern, self.is_anchoring, captures, meter).search(from, barred)?;
        Ok(found.map(|(start, end)| Match { start, end }))
    }

    fn is_anchored(self, heap: &Heap) -> Outcome<bool> {
        Ok(self.is_anchoring && pattern::is_anchored(text(heap, &self.pattern)?))
    }
}

/// The place in the subject where a search begins, if it lies in it.
fn start_of(call: &Call, place: usize, length: usize) -> Outcome<Option<usize>> {
    let signed = i64::try_from(length).unwrap_or(i64::MAX);
    let from = from_start(call.integer(place)?.unwrap_or(1), signed) - 1;
    Ok(usize::try_from(from).ok().filter(|&from| from <= length))
}

/// What a capture is worth: a text, or a position.
fn caught(call: &mut Call, subject: Value, capture: Capture) -> Outcome<Value> {
    match capture {
        Capture::Text(start, end) => share(call.heap, call.meter, subject, start..end),
        Capture::Position(at) => Ok(integral(at + 1)),
        Capture::Open(_) => Err(TrapCode::PATTERN),
    }
}

/// Gives the captures, or the whole match where there are none.
fn give_captures(call: &mut Call, subject: Value, captures: &Captures, whole: Option<&Match>) -> Outcome<()> {
    for &capture in captures.all() {
        let value = caught(call, subject, capture)?;
        call.give(value);
    }
    if let Some(whole) = whole.filter(|_| captures.all().is_empty()) {
        let value = caught(call, subject, Capture::Text(whole.start, whole.end))?;
        call.give(value);
    }
    Ok(())
}

/// Whether a condition holds: everything but nil and false.
fn is_true(value: Value) -> bool {
    !value.is_nil() && value.as_bool() != Some(false)
}

pub(super) fn find(call: &mut Call) -> Outcome<()> {
    let search = Search { subject: call.argument(0), pattern: call.argument(1), is_anchoring: true };
    let (subject, pattern) = (text(call.heap, &search.subject)?, text(call.heap, &search.pattern)?);
    let Some(from) = start_of(call, 2, subject.len())? else {
        call.give(Value::NIL);
        return Ok(());
    };
    call.meter.charge_bytes(pattern.len())?;
    if is_true(call.argument(3)) || pattern::is_plain(pattern) {
        let found = find_plain(call.meter, subject, pattern, from)?;
        let end = found.map(|start| integral(start + pattern.len()));
        call.give(found.map_or(Value::NIL, |start| integral(start + 1)));
        end.into_iter().for_each(|end| call.give(end));
        return Ok(());
    }
    let mut captures = Captures::new();
    match search.next(call.heap, call.meter, &mut captures, from, None)? {
        None => call.give(Value::NIL),
        Some(found) => {
            call.give(integral(found.start + 1));
            call.give(integral(found.end));
            give_captures(call, search.subject, &captures, None)?;
        }
    }
    Ok(())
}

/// Bytes that are looked at for one gas, when looking for the first byte of a text.
const SCANNED_A_GAS: usize = 8;

/// Where a text first stands. Each place where it may begin is paid for before it is looked at.
fn find_plain(meter: &mut Meter, subject: &[u8], sought: &[u8], from: usize) -> Outcome<Option<usize>> {
    let Some(&first) = sought.first() else { return Ok(Some(from)) };
    let mut at = from;
    loop {
        let rest = subject.get(at..).unwrap_or_default();
        // Looking goes piece by piece, so that what is found early is cheap.
        let piece = rest.get(..SCANNED_A_GAS * SCANNED_A_GAS).unwrap_or(rest);
        if rest.len() < sought.len() {
            return Ok(None);
        }
        meter.charge((piece.len() / SCANNED_A_GAS) as u64)?;
        match piece.iter().position(|&byte| byte == first) {
            None => at += piece.len(),
            Some(offset) => {
                meter.charge(1)?;
                meter.charge_bytes(sought.len())?;
                at += offset;
                if subject.get(at..).unwrap_or_default().starts_with(sought) {
                    return Ok(Some(at));
                }
                at += 1;
            }
        }
    }
}

pub(super) fn find_captures(call: &mut Call) -> Outcome<()> {
    let search = Search { subject: call.argument(0), pattern: call.argument(1), is_anchoring: true };
    let length = text(call.heap, &search.subject)?.len();
    text(call.heap, &search.pattern)?;
    let mut captures = Captures::new();
    let found = match start_of(call, 2, length)? {
        Some(from) => search.next(call.heap, call.meter, &mut captures, from, None)?,
        None => None,
    };
    match found {
        None => call.give(Value::NIL),
        Some(found) => give_captures(call, search.subject, &captures, Some(&found))?,
    }
    Ok(())
}

/// The next match of a walk over all of them: `from` is a position, and no match may end where the one before did.
fn next(call: &mut Call, is_anchoring: bool, captures: &mut Captures) -> Outcome<Option<Match>> {
    let search = Search { subject: call.argument(0), pattern: call.argument(1), is_anchoring };
    let length = text(call.heap, &search.subject)?.len();
    text(call.heap, &search.pattern)?;
    let from = start_of(call, 2, length)?;
    let barred = call.integer(3)?;
    // An anchored pattern has no second match.
    if barred.is_some() && search.is_anchored(call.heap)? {
        return Ok(None);
    }
    let barred = barred.and_then(|position| usize::try_from(position).ok()?.checked_sub(1));
    match from {
        Some(from) => search.next(call.heap, call.meter, captures, from, barred),
        None => Ok(None),
    }
}

pub(super) fn next_match(call: &mut Call) -> Outcome<()> {
    let mut captures = Captures::new();
    match next(call, false, &mut captures)? {
        None => call.give(Value::NIL),
        Some(found) => {
            call.give(integral(found.end + 1));
            give_captures(call, call.argument(0), &captures, Some(&found))?;
        }
    }
    Ok(())
}

pub(super) fn next_replaced(call: &mut Call) -> Outcome<()> {
    let mut captures = Captures::new();
    match next(call, true, &mut captures)? {
        None => call.give(Value::NIL),
        Some(found) => {
            call.give(integral(found.start + 1));
            call.give(integral(found.end + 1));
            give_captures(call, call.argument(0), &captures, Some(&found))?;
        }
    }
    Ok(())
}

pub(super) fn replace(call: &mut Call) -> Outcome<()> {
    let search = Search { subject: call.argument(0), pattern: call.argument(1), is_anchoring: true };
    let replacement = call.argument(2);
    let length = text(call.heap, &search.subject)?.len();
    let is_anchored = search.is_anchored(call.heap)?;
    if call.heap.as_string(&replacement).is_none() && call.heap.length(replacement).is_none() {
        return Err(TrapCode::KIND);
    }
    let most = call.integer(3)?.unwrap_or(i64::MAX);
    let mut captures = Captures::new();
    let (mut count, mut from, mut barred) = (0, 0, None);
    let mut build = Build::new(call.heap, call.meter)?;
    while count < most {
        let Some(found) = search.next(build.heap, build.meter, &mut captures, from, barred)? else { break };
        count += 1;
        build.push_part(search.subject, from..found.start)?;
        put_replacement(&mut build, search.subject, replacement, &captures, &found)?;
        (from, barred) = (found.end, Some(found.end));
        if is_anchored {
            break;
        }
    }
    build.push_part(search.subject, from..length)?;
    let replaced = build.finish();
    call.give(replaced);
    call.give(Value::integer(count));
    Ok(())
}

/// Appends what stands for a match: a text with its `%1`, or what a table holds for the first capture.
fn put_replacement(
    build: &mut Build,
    subject: Value,
    replacement: Value,
    captures: &Captures,
    found: &Match,
) -> Outcome<()> {
    if build.heap.as_string(&replacement).is_some() {
        return put_text(build, subject, replacement, captures, found);
    }
    let key = match capture(captures, found, 0)? {
        Capture::Text(start, end) => {
            build.meter.charge_bytes(end - start)?;
            build.heap.part(subject, start..end)
        }
        Capture::Position(at) => integral(at + 1),
        Capture::Open(_) => return Err(TrapCode::PATTERN),
    };
    let value = build.heap.get(replacement, key).unwrap_or(Value::NIL);
    if !is_true(value) {
        return build.push_part(subject, found.start..found.end);
    }
    build.push_value(value)?.then_some(()).ok_or(TrapCode::KIND)
}

/// A capture by its number from 0; the first is the whole match where there are none.
fn capture(captures: &Captures, found: &Match, index: usize) -> Outcome<Capture> {
    match captures.all().get(index) {
        Some(Capture::Open(_)) => Err(TrapCode::PATTERN),
        Some(&capture) => Ok(capture),
        None if index == 0 => Ok(Capture::Text(found.start, found.end)),
        None => Err(TrapCode::PATTERN),
    }
}

fn put_text(build: &mut Build, subject: Value, replacement: Value, captures: &Captures, found: &Match) -> Outcome<()> {
    let mut from = 0;
    loop {
        // The replacement is looked at anew after each piece, because writing may move it.
        let content = text(build.heap, &replacement)?;
        let rest = content.get(from..).unwrap_or_default();
        build.meter.charge(1 + (rest.len() / SCANNED_A_GAS) as u64)?;
        let Some(plain) = rest.iter().position(|&byte| byte == b'%') else {
            return build.push_part(replacement, from..content.len());
        };
        let mark = rest.get(plain + 1).copied();
        let escape = from + plain;
        build.push_part(replacement, from..escape)?;
        let piece = match mark {
            Some(b'%') => {
                build.push(b"%")?;
                None
            }
            Some(b'0') => Some(Capture::Text(found.start, found.end)),
            Some(digit @ b'1'..=b'9') => Some(capture(captures, found, usize::from(digit - b'1'))?),
            _ => return Err(TrapCode::PATTERN),
        };
        match piece {
            Some(Capture::Text(start, end)) => build.push_part(subject, start..end)?,
            Some(Capture::Position(at)) => {
                build.push_value(integral(at + 1))?;
            }
            Some(Capture::Open(_)) | None => {}
        }
        from = escape + 2;
    }
}
