//! Lua's patterns: a backtracker that keeps its choices in a list of its own, so no pattern can exhaust the host's stack.
//!
//! It walks the pattern from left to right. A repetition, an optional item and a capture leave a note of what to take
//! back; where nothing fits, the newest note says where to go on. Each step costs gas before it is done.

use crate::execute::Outcome;
use crate::limit;
use crate::meter::Meter;
use crate::trap::TrapCode;

const MOST_CAPTURES: usize = limit::PATTERN_CAPTURES.value as usize;
const MOST_NOTES: usize = limit::PATTERN_DEPTH.value as usize;
const ESCAPE: u8 = b'%';
/// Gas for one item of the pattern against one place of the subject.
const STEP: u64 = 3;
/// Gas for looking whether a byte is what an item wants, beside what a set costs.
const BYTE: u64 = 2;

/// What a pair of parentheses caught, by places in the subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Capture {
    /// It is not closed yet.
    Open(usize),
    Text(usize, usize),
    Position(usize),
}

/// The captures of a match, in the order of their opening.
pub(super) struct Captures {
    list: [Capture; MOST_CAPTURES],
    count: usize,
}

impl Captures {
    pub(super) const fn new() -> Captures {
        Captures { list: [Capture::Open(0); MOST_CAPTURES], count: 0 }
    }

    pub(super) fn all(&self) -> &[Capture] {
        self.list.get(..self.count).unwrap_or_default()
    }

    fn get(&self, index: usize) -> Option<Capture> {
        self.all().get(index).copied()
    }

    fn set(&mut self, index: usize, capture: Capture) {
        if let Some(place) = self.list.get_mut(index) {
            *place = capture;
        }
    }

    fn push(&mut self, capture: Capture) -> Outcome<()> {
        *self.list.get_mut(self.count).ok_or(TrapCode::PATTERN)? = capture;
        self.count += 1;
        Ok(())
    }
}

/// What is taken back, and how the match goes on then.
#[derive(Clone, Copy)]
enum Note {
    /// The last capture is forgotten.
    Opened,
    /// A capture is open again.
    Closed { index: usize, start: usize },
    /// The repetition gives back one byte, down to `least`.
    Greedy { least: usize, at: usize, next: usize },
    /// The repetition of an item takes one byte more.
    Lazy { at: usize, item: usize, end: usize },
}

/// A place in the subject and one in the pattern.
#[derive(Clone, Copy)]
struct State {
    at: usize,
    place: usize,
}

enum Step {
    Go(State),
    Matched(usize),
    Failed,
}

/// A pattern over a subject.
pub(super) struct Matcher<'m> {
    subject: &'m [u8],
    pattern: &'m [u8],
    /// Where the pattern begins, behind its anchor.
    first: usize,
    captures: &'m mut Captures,
    notes: Vec<Note>,
    meter: &'m mut Meter,
}

impl<'m> Matcher<'m> {
    /// `is_anchoring` says whether a leading `^` is an anchor.
    pub(super) fn new(
        subject: &'m [u8],
        pattern: &'m [u8],
        is_anchoring: bool,
        captures: &'m mut Captures,
        meter: &'m mut Meter,
    ) -> Matcher<'m> {
        let first = usize::from(is_anchoring && is_anchored(pattern));
        Matcher { subject, pattern, first, captures, notes: Vec::new(), meter }
    }

    /// The first match that begins at `from` or later and does not end at `barred`: where it begins and ends.
    pub(super) fn search(&mut self, from: usize, barred: Option<usize>) -> Outcome<Option<(usize, usize)>> {
        let last = if self.first == 1 { from } else { self.subject.len() };
        for start in from..=last.min(self.subject.len()) {
            if let Some(end) = self.match_at(start)?.filter(|&end| Some(end) != barred) {
                return Ok(Some((start, end)));
            }
        }
        Ok(None)
    }

    /// Where a match that begins at `start` ends.
    fn match_at(&mut self, start: usize) -> Outcome<Option<usize>> {
        self.captures.count = 0;
        self.notes.clear();
        let mut state = State { at: start, place: self.first };
        loop {
            self.meter.charge(STEP)?;
            match self.step(state)? {
                Step::Go(next) => state = next,
                Step::Matched(end) => return Ok(Some(end)),
                Step::Failed => match self.retry()? {
                    Some(next) => state = next,
                    None => return Ok(None),
                },
            }
        }
    }

    fn at(&self, place: usize) -> Option<u8> {
        self.pattern.get(place).copied()
    }

    fn note(&mut self, note: Note) -> Outcome<()> {
        if self.notes.len() >= MOST_NOTES {
            return Err(TrapCode::PATTERN);
        }
        self.notes.push(note);
        Ok(())
    }

    /// Takes back what the newest notes say until one of them knows another way.
    fn retry(&mut self) -> Outcome<Option<State>> {
        while let Some(note) = self.notes.pop() {
            match note {
                Note::Opened => self.captures.count = self.captures.count.saturating_sub(1),
                Note::Closed { index, start } => self.captures.set(index, Capture::Open(start)),
                Note::Greedy { least, at, next } => {
                    let at = at - 1;
                    if at > least {
                        self.notes.push(Note::Greedy { least, at, next });
                    }
                    return Ok(Some(State { at, place: next }));
                }
                Note::Lazy { at, item, end } => {
                    if self.is_single(at, item, end)? {
                        self.notes.push(Note::Lazy { at: at + 1, item, end });
                        return Ok(Some(State { at: at + 1, place: end + 1 }));
                    }
                }
            }
        }
        Ok(None)
    }

    /// What stands at the pattern's place, against the subject's.
    fn step(&mut self, State { at, place }: State) -> Outcome<Step> {
        match self.at(place) {
            None => Ok(Step::Matched(at)),
            Some(b'(') => self.open(at, place),
            Some(b')') => self.close(at, place),
            Some(b'$') if place + 1 == self.pattern.len() => {
                Ok(if at == self.subject.len() { Step::Matched(at) } else { Step::Failed })
            }
            Some(ESCAPE) => match self.at(place + 1) {
                Some(b'b') => self.balance(at, place + 2),
                Some(b'f') => self.frontier(at, place + 2),
                Some(digit @ b'0'..=b'9') => self.reference(at, place + 2, digit),
                _ => self.item(at, place),
            },
            Some(_) => self.item(at, place),
        }
    }

    fn open(&mut self, at: usize, place: usize) -> Outcome<Step> {
        let is_position = self.at(place + 1) == Some(b')');
        self.captures.push(if is_position { Capture::Position(at) } else { Capture::Open(at) })?;
        self.note(Note::Opened)?;
        Ok(Step::Go(State { at, place: place + if is_position { 2 } else { 1 } }))
    }

    fn close(&mut self, at: usize, place: usize) -> Outcome<Step> {
        let is_open = |capture: &Capture| matches!(capture, Capture::Open(_));
        let index = self.captures.all().iter().rposition(is_open).ok_or(TrapCode::PATTERN)?;
        if let Some(Capture::Open(start)) = self.captures.get(index) {
            self.captures.set(index, Capture::Text(start, at));
            self.note(Note::Closed { index, start })?;
        }
        Ok(Step::Go(State { at, place: place + 1 }))
    }

    /// `%bxy`: from an x to the y that balances it.
    fn balance(&mut self, at: usize, place: usize) -> Outcome<Step> {
        let (Some(opening), Some(closing)) = (self.at(place), self.at(place + 1)) else {
            return Err(TrapCode::PATTERN);
        };
        if self.subject.get(at) != Some(&opening) {
            return Ok(Step::Failed);
        }
        let mut depth = 1_usize;
        for (offset, &byte) in self.subject.get(at + 1..).unwrap_or_default().iter().enumerate() {
            self.meter.charge(1)?;
            if byte == closing {
                depth -= 1;
            } else if byte == opening {
                depth += 1;
            }
            if depth == 0 {
                return Ok(Step::Go(State { at: at + offset + 2, place: place + 2 }));
            }
        }
        Ok(Step::Failed)
    }

    /// `%f[set]`: between a byte outside of the set and one in it; beyond both ends stands a zero.
    fn frontier(&mut self, at: usize, place: usize) -> Outcome<Step> {
        if self.at(place) != Some(b'[') {
            return Err(TrapCode::PATTERN);
        }
        let end = self.item_end(place)?;
        let before = at.checked_sub(1).and_then(|before| self.subject.get(before)).copied().unwrap_or(0);
        let after = self.subject.get(at).copied().unwrap_or(0);
        let is_frontier = !self.is_member(before, place, end) && self.is_member(after, place, end);
        Ok(if is_frontier { Step::Go(State { at, place: end }) } else { Step::Failed })
    }

    /// `%1`: what a capture caught, once more.
    fn reference(&mut self, at: usize, next: usize, digit: u8) -> Outcome<Step> {
        let index = usize::from(digit).checked_sub(usize::from(b'1')).ok_or(TrapCode::PATTERN)?;
        match self.captures.get(index) {
            None | Some(Capture::Open(_)) => Err(TrapCode::PATTERN),
            Some(Capture::Position(_)) => Ok(Step::Failed),
            Some(Capture::Text(start, end)) => {
                self.meter.charge_bytes(end - start)?;
                let caught = self.subject.get(start..end).unwrap_or_default();
                let follows = self.subject.get(at..).unwrap_or_default().starts_with(caught);
                Ok(if follows { Step::Go(State { at: at + caught.len(), place: next }) } else { Step::Failed })
            }
        }
    }

    /// A byte, a class or a set, and how often it stands there.
    fn item(&mut self, at: usize, item: usize) -> Outcome<Step> {
        let end = self.item_end(item)?;
        let go = |at, place| Ok(Step::Go(State { at, place }));
        match self.at(end) {
            Some(b'?') => {
                if !self.is_single(at, item, end)? {
                    return go(at, end + 1);
                }
                self.note(Note::Greedy { least: at, at: at + 1, next: end + 1 })?;
                go(at + 1, end + 1)
            }
            Some(b'-') => {
                self.note(Note::Lazy { at, item, end })?;
                go(at, end + 1)
            }
            Some(b'*') => self.repeat(at, item, end),
            Some(b'+') if self.is_single(at, item, end)? => self.repeat(at + 1, item, end),
            Some(b'+') => Ok(Step::Failed),
            _ if self.is_single(at, item, end)? => go(at + 1, end),
            _ => Ok(Step::Failed),
        }
    }

    /// As often as it goes.
    fn repeat(&mut self, least: usize, item: usize, end: usize) -> Outcome<Step> {
        let mut at = least;
        while self.is_single(at, item, end)? {
            at += 1;
        }
        if at > least {
            self.note(Note::Greedy { least, at, next: end + 1 })?;
        }
        Ok(Step::Go(State { at, place: end + 1 }))
    }

    /// Where the item that begins at a place ends.
    fn item_end(&mut self, place: usize) -> Outcome<usize> {
        match self.at(place) {
            Some(ESCAPE) if self.at(place + 1).is_none() => Err(TrapCode::PATTERN),
            Some(ESCAPE) => Ok(place + 2),
            Some(b'[') => self.set_end(place),
            _ => Ok(place + 1),
        }
    }

    /// Where a set ends. A `]` that stands first is a member.
    fn set_end(&mut self, place: usize) -> Outcome<usize> {
        let mut at = place + if self.at(place + 1) == Some(b'^') { 2 } else { 1 };
        let first = at;
        loop {
            match self.at(at) {
                None => return Err(TrapCode::PATTERN),
                Some(b']') if at > first => {
                    self.meter.charge((at - place) as u64 / 2)?;
                    return Ok(at + 1);
                }
                // What is escaped ends no set.
                Some(ESCAPE) => at += 2,
                Some(_) => at += 1,
            }
        }
    }

    /// Whether a byte of the subject is what an item wants.
    fn is_single(&mut self, at: usize, item: usize, end: usize) -> Outcome<bool> {
        self.meter.charge(BYTE + (end - item) as u64 / 2)?;
        let Some(&byte) = self.subject.get(at) else { return Ok(false) };
        Ok(match self.at(item) {
            Some(b'.') => true,
            Some(ESCAPE) => self.at(item + 1).is_some_and(|class| is_of_class(byte, class)),
            Some(b'[') => self.is_member(byte, item, end),
            other => other == Some(byte),
        })
    }

    /// Whether a byte is in the set that begins at `place` and ends before `end`.
    fn is_member(&self, byte: u8, place: usize, end: usize) -> bool {
        let set = self.pattern.get(place + 1..end - 1).unwrap_or_default();
        let (is_complement, mut rest) = match set {
            [b'^', rest @ ..] => (true, rest),
            _ => (false, set),
        };
        loop {
            let (is_in, next) = match rest {
                [ESCAPE, class, next @ ..] => (is_of_class(byte, *class), next),
                [low, b'-', high, next @ ..] => ((*low..=*high).contains(&byte), next),
                [single, next @ ..] => (*single == byte, next),
                [] => return is_complement,
            };
            if is_in {
                return !is_complement;
            }
            rest = next;
        }
    }
}

/// Whether a pattern is bound to where the search begins.
pub(super) fn is_anchored(pattern: &[u8]) -> bool {
    pattern.first() == Some(&b'^')
}

/// Whether a pattern has anything that does not stand for itself.
pub(super) fn is_plain(pattern: &[u8]) -> bool {
    !pattern.iter().any(|byte| b"^$*+?.([%-".contains(byte))
}

/// Whether a byte is of a class, which an upper-case letter turns around; what is no class stands for itself.
const fn is_of_class(byte: u8, class: u8) -> bool {
    let is_in = match class.to_ascii_lowercase() {
        b'a' => byte.is_ascii_alphabetic(),
        b'c' => byte.is_ascii_control(),
        b'd' => byte.is_ascii_digit(),
        b'g' => byte.is_ascii_graphic(),
        b'l' => byte.is_ascii_lowercase(),
        b'p' => byte.is_ascii_punctuation(),
        b's' => matches!(byte, b'\t'..=b'\r' | b' '),
        b'u' => byte.is_ascii_uppercase(),
        b'w' => byte.is_ascii_alphanumeric(),
        b'x' => byte.is_ascii_hexdigit(),
        b'z' => byte == 0,
        _ => return byte == class,
    };
    is_in != class.is_ascii_uppercase()
}
