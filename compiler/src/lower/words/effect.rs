//! Effects: what a word takes from the stack and what it leaves there.

use std::fmt;

/// What is known of an item before anything runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    #[default]
    Any,
    Nil,
    Bool,
    /// Exact, float or fixed.
    Number,
    Text,
    /// A list, map or set.
    Table,
}

impl Kind {
    const ALL: &[Kind] = &[Kind::Nil, Kind::Bool, Kind::Number, Kind::Text, Kind::Table];

    /// Its name in effects; what may be anything has none.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Kind::Any => None,
            Kind::Nil => Some("nil"),
            Kind::Bool => Some("bool"),
            Kind::Number => Some("number"),
            Kind::Text => Some("text"),
            Kind::Table => Some("table"),
        }
    }

    pub(super) fn of_name(name: &str) -> Kind {
        Kind::ALL.iter().copied().find(|kind| kind.name() == Some(name)).unwrap_or_default()
    }

    /// Whether an item of this kind can be one of the other.
    pub(super) fn may_be(self, other: Kind) -> bool {
        self == other || self == Kind::Any || other == Kind::Any
    }

    /// What is known where an item is of one kind or the other.
    pub(super) fn or(self, other: Kind) -> Kind {
        if self == other { self } else { Kind::Any }
    }
}

/// What a word takes and leaves, the top last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effect {
    pub takes: Vec<Kind>,
    pub leaves: Vec<Leaves>,
}

/// An item that a word leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Leaves {
    pub kind: Kind,
    /// The place of the item that it was, among those that were taken.
    pub was: Option<usize>,
}

/// Names for items of which no kind is known.
const LETTERS: &[&str] = &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"];

impl Effect {
    /// Reads what a table says of a word without quotations. Items of one name are one item.
    pub(super) fn of_text(text: &str) -> Effect {
        let (takes, leaves) = text.split_once("--").unwrap_or((text, ""));
        let names: Vec<&str> = takes.split_ascii_whitespace().collect();
        let leaves = leaves.split_ascii_whitespace().map(|name| {
            let kind = Kind::of_name(name);
            // A kind's name says what an item is, not which one.
            let was = names.iter().position(|taken| *taken == name).filter(|_| kind == Kind::Any);
            Leaves { kind, was }
        });
        Effect { takes: names.iter().map(|name| Kind::of_name(name)).collect(), leaves: leaves.collect() }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = LETTERS.iter().copied().chain(std::iter::repeat("x"));
        let mut name = |kind: Kind| kind.name().unwrap_or_else(|| letters.next().unwrap_or("x"));
        let takes: Vec<&str> = self.takes.iter().map(|&kind| name(kind)).collect();
        let leaves: Vec<&str> = self
            .leaves
            .iter()
            .map(|leaves| match leaves.was.and_then(|place| takes.get(place)) {
                Some(taken) => taken,
                None => name(leaves.kind),
            })
            .collect();
        let all = takes.iter().copied().chain(["--"]).chain(leaves.iter().copied());
        f.write_str(&all.collect::<Vec<_>>().join(" "))
    }
}
