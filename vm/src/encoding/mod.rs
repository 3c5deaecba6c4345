//! Encodings: the one canonical form of every value, and its readable view.

pub mod cbor;
pub mod json;
pub mod map;
pub mod root;
pub mod text;

use crate::limit::{self, Limit};
use crate::refusal::{Code, Refusal};
use crate::value::{Heap, Value};
use std::borrow::Cow;

/// What strings may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strings {
    /// Documents, ops and rows: assigned UTF-8 in normalization form C. Encoding normalizes, canonical decoding refuses.
    #[default]
    Canonical,
    /// Snapshots: every string byte for byte as the program made it.
    Verbatim,
}

/// How to read or write: what strings may hold, and limits that may only be lowered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    pub strings: Strings,
    pub depth: usize,
    pub string: usize,
    pub values: usize,
    pub size: usize,
}

const fn of(limit: Limit) -> usize {
    limit.value as usize
}

impl Options {
    pub const CANONICAL: Options = Options {
        strings: Strings::Canonical,
        depth: of(limit::DATA_DEPTH),
        string: of(limit::DATA_STRING),
        values: of(limit::DATA_VALUES),
        size: of(limit::DATA_SIZE),
    };

    pub const SNAPSHOT: Options = Options { strings: Strings::Verbatim, ..Options::CANONICAL };

    /// Snapshots of whole states, where tables stand side by side.
    pub const STATE: Options =
        Options { depth: 1, values: of(limit::STATE_VALUES), size: of(limit::STATE_SIZE), ..Options::SNAPSHOT };

    /// The limit behind a code, as it is in force here.
    fn limit(&self, code: Code) -> Option<Limit> {
        let limits = [
            (Code::DATA_DEPTH, limit::DATA_DEPTH, self.depth),
            (Code::DATA_STRING, limit::DATA_STRING, self.string),
            (Code::DATA_VALUES, limit::DATA_VALUES, self.values),
            (Code::DATA_SIZE, limit::DATA_SIZE, self.size),
            (Code::STATE_VALUES, limit::STATE_VALUES, self.values),
            (Code::STATE_SIZE, limit::STATE_SIZE, self.size),
            (Code::NUMBER_TEXT, limit::NUMBER_TEXT, of(limit::NUMBER_TEXT)),
        ];
        let (_, limit, value) = limits.into_iter().find(|&(limited, ..)| limited == code)?;
        Some(Limit { value: value as u64, ..limit })
    }
}

impl Default for Options {
    fn default() -> Self {
        Options::CANONICAL
    }
}

/// A refusal under way: small, so that results stay in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stop {
    pub code: Code,
    pub offset: usize,
}

impl Stop {
    pub(crate) const fn new(code: Code, offset: usize) -> Stop {
        Stop { code, offset }
    }

    /// The same of a snapshot of state, which has limits of its own, and where tables don't nest.
    fn in_state(self) -> Stop {
        let codes = [
            (Code::DATA_SIZE, Code::STATE_SIZE),
            (Code::DATA_VALUES, Code::STATE_VALUES),
            (Code::DATA_DEPTH, Code::STATE_FORM),
        ];
        let code = codes.into_iter().find(|codes| codes.0 == self.code).map_or(self.code, |codes| codes.1);
        Stop { code, ..self }
    }

    fn refusal(self, options: &Options) -> Refusal {
        Refusal { limit: options.limit(self.code), ..Refusal::new(self.code, self.offset) }
    }
}

/// What is left of the values and bytes that one document may hold.
#[derive(Debug, Clone, Copy)]
struct Budget {
    values: usize,
}

impl Budget {
    /// Takes `count` values, or says no.
    fn take(&mut self, count: usize, offset: usize) -> Result<(), Stop> {
        self.values = self.values.checked_sub(count).ok_or(Stop::new(Code::DATA_VALUES, offset))?;
        Ok(())
    }
}

/// A set's members in the order in which they are written: those that are no strings, then the strings' content.
struct Members<'a> {
    plain: &'a [Value],
    texts: Vec<Cow<'a, [u8]>>,
}

/// Strings come last in canonical order; normalizing may put them into another, and make two of them one.
fn members_in_order<'a>(heap: &'a Heap, members: &'a [Value], strings: Strings) -> Result<Members<'a>, Code> {
    let first = members.iter().position(|member| heap.as_string(member).is_some()).unwrap_or(members.len());
    let (plain, texts) = members.split_at_checked(first).unwrap_or((members, &[]));
    let content = |member: &'a Value| heap.as_string(member).unwrap_or_default();
    let mut texts = match strings {
        Strings::Verbatim => texts.iter().map(|member| Cow::Borrowed(content(member))).collect(),
        Strings::Canonical => texts
            .iter()
            .map(|member| text::normalize(content(member)).map_err(|fault| fault.code))
            .collect::<Result<Vec<_>, _>>()?,
    };
    texts.sort();
    if texts.iter().zip(texts.iter().skip(1)).any(|(a, b)| a == b) {
        return Err(Code::DATA_DUPLICATE_KEY);
    }
    Ok(Members { plain, texts })
}
