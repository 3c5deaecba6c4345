//! Patterns by plain recursion: each way to go on is tried, and the first that leads to the end is taken.

use crate::evaluator::{Outcome, Stop};
use kerai_vm::limit;
use kerai_vm::trap::TrapCode;

/// What a pair of parentheses caught.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Caught {
    Open(usize),
    Text(usize, usize),
    Position(usize),
}

/// A match: where it begins and ends, and what it caught.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) caught: Vec<Caught>,
}

/// Choices that may wait here: fewer than the machine's limit, up to which both must agree.
const DEEPEST: usize = 100;

/// Steps of one search.
const STEPS: u64 = 20_000;

pub(super) struct Matcher<'m> {
    subject: &'m [u8],
    pattern: &'m [u8],
    caught: Vec<Caught>,
    steps: u64,
}

type Matched = Outcome<Option<usize>>;

fn malformed<T>() -> Outcome<T> {
    Err(TrapCode::PATTERN.into())
}

/// The first match from a place on that does not end at `barred`.
pub(super) fn search(
    subject: &[u8],
    pattern: &[u8],
    anchors: bool,
    from: usize,
    barred: Option<usize>,
) -> Outcome<Option<Found>> {
    let anchored = anchors && pattern.first() == Some(&b'^');
    let mut matcher = Matcher { subject, pattern, caught: Vec::new(), steps: STEPS };
    for start in from..=subject.len() {
        matcher.caught.clear();
        let end = matcher.matches(start, usize::from(anchored), 0)?;
        if let Some(end) = end.filter(|&end| Some(end) != barred) {
            return Ok(Some(Found { start, end, caught: matcher.caught }));
        }
        if anchored {
            break;
        }
    }
    Ok(None)
}

impl Matcher<'_> {
    fn at(&self, place: usize) -> Option<u8> {
        self.pattern.get(place).copied()
    }

    /// Where the rest of the pattern, matched from a place of the subject on, ends.
    fn matches(&mut self, at: usize, place: usize, depth: usize) -> Matched {
        self.steps = self.steps.checked_sub(1).ok_or(Stop::Unknown)?;
        if depth > DEEPEST {
            return Err(Stop::Unknown);
        }
        match (self.at(place), self.at(place + 1)) {
            (None, _) => Ok(Some(at)),
            (Some(b'('), next) => {
                let is_position = next == Some(b')');
                if self.caught.len() as u64 >= limit::PATTERN_CAPTURES.value {
                    return malformed();
                }
                self.caught.push(if is_position { Caught::Position(at) } else { Caught::Open(at) });
                let end = self.matches(at, place + if is_position { 2 } else { 1 }, depth + 1)?;
                if end.is_none() {
                    self.caught.pop();
                }
                Ok(end)
            }
            (Some(b')'), _) => {
                let before = self.caught.clone();
                let open = self.caught.iter_mut().rev().find(|caught| matches!(caught, Caught::Open(_)));
                let Some(open) = open else { return malformed() };
                if let Caught::Open(start) = *open {
                    *open = Caught::Text(start, at);
                }
                let end = self.matches(at, place + 1, depth + 1)?;
                if end.is_none() {
                    self.caught = before;
                }
                Ok(end)
            }
            (Some(b'$'), None) => Ok((at == self.subject.len()).then_some(at)),
            (Some(b'%'), Some(b'b')) => match (self.at(place + 2), self.at(place + 3)) {
                (Some(opening), Some(closing)) => match self.balanced(at, opening, closing) {
                    Some(end) => self.matches(end, place + 4, depth),
                    None => Ok(None),
                },
                _ => malformed(),
            },
            (Some(b'%'), Some(b'f')) => {
                let end =
                    if self.at(place + 2) == Some(b'[') { self.item_end(place + 2)? } else { return malformed() };
                let set = self.pattern.get(place + 2..end).unwrap_or_default();
                let before = if at == 0 { 0 } else { self.subject.get(at - 1).copied().unwrap_or(0) };
                let after = self.subject.get(at).copied().unwrap_or(0);
                if wants(set, before) || !wants(set, after) { Ok(None) } else { self.matches(at, end, depth) }
            }
            (Some(b'%'), Some(digit @ b'0'..=b'9')) => {
                let index = usize::from(digit).wrapping_sub(usize::from(b'1'));
                match self.caught.get(index) {
                    None | Some(Caught::Open(_)) => malformed(),
                    Some(Caught::Position(_)) => Ok(None),
                    Some(&Caught::Text(start, end)) => {
                        let again = self.subject.get(start..end).unwrap_or_default();
                        let is_there = self.subject.get(at..).is_some_and(|rest| rest.starts_with(again));
                        if is_there { self.matches(at + again.len(), place + 2, depth) } else { Ok(None) }
                    }
                }
            }
            _ => self.item(at, place, depth),
        }
    }

    /// From an opening byte to the closing one that balances it.
    fn balanced(&self, at: usize, opening: u8, closing: u8) -> Option<usize> {
        self.subject.get(at).filter(|&&byte| byte == opening)?;
        let mut open = 1_usize;
        for (place, &byte) in self.subject.iter().enumerate().skip(at + 1) {
            if byte == closing {
                open -= 1;
            } else if byte == opening {
                open += 1;
            }
            if open == 0 {
                return Some(place + 1);
            }
        }
        None
    }

    fn item(&mut self, at: usize, place: usize, depth: usize) -> Matched {
        let end = self.item_end(place)?;
        let item = self.pattern.get(place..end).unwrap_or_default();
        let (subject, pattern) = (self.subject, self.pattern);
        let fits = |at: usize| subject.get(at).is_some_and(|&byte| wants(item, byte));
        let many = subject.iter().skip(at).take_while(|&&byte| wants(item, byte)).count();
        let next = end + 1;
        let counts: Vec<usize> = match pattern.get(end) {
            Some(b'?') => (0..=many.min(1)).rev().collect(),
            Some(b'*') => (0..=many).rev().collect(),
            Some(b'+') => (1..=many).rev().collect(),
            Some(b'-') => (0..=many).collect(),
            _ => return if fits(at) { self.matches(at + 1, end, depth) } else { Ok(None) },
        };
        let last = counts.last().copied();
        let is_lazy = pattern.get(end) == Some(&b'-');
        for count in counts {
            // The last way that is left is no choice that waits.
            let waits = is_lazy || Some(count) != last;
            let found = self.matches(at + count, next, depth + usize::from(waits))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Where the item at a place ends.
    fn item_end(&self, place: usize) -> Outcome<usize> {
        match (self.at(place), self.at(place + 1)) {
            (Some(b'%'), None) => malformed(),
            (Some(b'%'), _) => Ok(place + 2),
            (Some(b'['), second) => {
                let mut at = if second == Some(b'^') { place + 2 } else { place + 1 };
                // The first member may be the bracket that else ends the set.
                loop {
                    at += match self.at(at) {
                        None => return malformed(),
                        Some(b'%') => 2,
                        Some(_) => 1,
                    };
                    if self.at(at) == Some(b']') {
                        return Ok(at + 1);
                    }
                }
            }
            _ => Ok(place + 1),
        }
    }
}

/// Whether an item, which is a byte, a class or a set, wants a byte.
fn wants(item: &[u8], byte: u8) -> bool {
    match item {
        [b'.'] => true,
        [b'%', class] => is_of(*class, byte),
        [b'[', set @ .., b']'] => {
            let (inverts, mut set) = match set {
                [b'^', rest @ ..] => (true, rest),
                _ => (false, set),
            };
            let mut is_in = false;
            while let Some(&first) = set.first() {
                let length = match set {
                    [b'%', class, ..] => {
                        is_in |= is_of(*class, byte);
                        2
                    }
                    [low, b'-', high, ..] => {
                        is_in |= *low <= byte && byte <= *high;
                        3
                    }
                    _ => {
                        is_in |= first == byte;
                        1
                    }
                };
                set = set.get(length..).unwrap_or_default();
            }
            is_in != inverts
        }
        other => other == [byte],
    }
}

fn is_of(class: u8, byte: u8) -> bool {
    let character = char::from(byte);
    let is_in = match class.to_ascii_lowercase() {
        b'a' => character.is_ascii_alphabetic(),
        b'c' => character.is_ascii_control(),
        b'd' => character.is_ascii_digit(),
        b'g' => character.is_ascii_graphic(),
        b'l' => character.is_ascii_lowercase(),
        b'p' => character.is_ascii_punctuation(),
        b's' => b" \t\n\x0b\x0c\r".contains(&byte),
        b'u' => character.is_ascii_uppercase(),
        b'w' => character.is_ascii_alphanumeric(),
        b'x' => character.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return class == byte,
    };
    is_in != class.is_ascii_uppercase()
}
