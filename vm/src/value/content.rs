//! Content: what values lie outside of their two words, and how keys are hashed and compared.

use super::shape::fold;
use super::{Span, Tag, Value};
use crate::number::Number;

/// Long strings and bytes end to end, and numbers beyond a word.
pub(crate) struct Content {
    pub(crate) bytes: Vec<u8>,
    /// Coefficients of exact numbers, and fixed-point numbers.
    pub(crate) wides: Vec<i128>,
    /// Spreads in-memory hashes only.
    pub(crate) seed: u64,
}

/// A key to look for, in its one form: a float may equal a wide number that no value in the heap holds yet.
#[derive(Clone, Copy)]
pub(crate) enum Probe {
    Value(Value),
    Wide(Number),
}

impl Probe {
    /// The place that the key means in a list.
    pub(crate) const fn position(self) -> Option<i64> {
        match self {
            Probe::Value(value) => value.as_i64(),
            Probe::Wide(_) => None,
        }
    }
}

impl Content {
    pub(crate) fn wide(&self, value: Value) -> i128 {
        usize::try_from(value.body()).ok().and_then(|index| self.wides.get(index)).copied().unwrap_or_default()
    }

    pub(crate) fn span(&self, value: Value) -> &[u8] {
        self.bytes.get(Span::of(value).range()).unwrap_or_default()
    }

    /// Keeps a number that does not fit a value's words, or makes it of them.
    pub(crate) fn number(&mut self, number: Number) -> Value {
        Value::small_number(number).unwrap_or_else(|| {
            self.wides.push(number.coefficient());
            Value::wide_number(self.wides.len() as u64 - 1, number.scale())
        })
    }

    /// Whether a key in its one form is the one that is looked for.
    #[inline]
    pub(crate) fn is_key(&self, key: Value, probe: Probe) -> bool {
        match probe {
            Probe::Value(value) => self.is_same_key(key, value),
            Probe::Wide(number) => {
                key.tag() == Tag::WideNumber
                    && u32::from(key.second_byte()) == number.scale()
                    && self.wide(key) == number.coefficient()
            }
        }
    }

    /// Whether two keys in their one form are the same.
    #[inline]
    pub(crate) fn is_same_key(&self, a: Value, b: Value) -> bool {
        // The usual cases, yes and no, need no look at what the values are.
        if a.is_same_words(b) {
            return true;
        }
        if a.tag() != b.tag() {
            return false;
        }
        match a.tag() {
            Tag::WideNumber => a.second_byte() == b.second_byte() && self.wide(a) == self.wide(b),
            Tag::Fixed => self.wide(a) == self.wide(b),
            Tag::LongString => a.long_string_hash() == b.long_string_hash() && self.span(a) == self.span(b),
            Tag::Table => a.is_same_table(b),
            Tag::Number
            | Tag::Nil
            | Tag::Bool
            | Tag::Float
            | Tag::ShortString
            | Tag::Bytes
            | Tag::Function
            | Tag::Closure => false,
        }
    }

    pub(crate) fn hash(&self, probe: Probe) -> u64 {
        match probe {
            Probe::Value(value) => self.hash_key(value),
            Probe::Wide(number) => self.hash_wide(number.coefficient()),
        }
    }

    #[inline]
    pub(crate) fn hash_key(&self, key: Value) -> u64 {
        match key.tag() {
            Tag::WideNumber | Tag::Fixed => self.hash_wide(self.wide(key)),
            Tag::LongString => fold(self.seed, u64::from(key.long_string_hash()), 1),
            Tag::Number
            | Tag::Nil
            | Tag::Bool
            | Tag::Float
            | Tag::ShortString
            | Tag::Bytes
            | Tag::Table
            | Tag::Function
            | Tag::Closure => self.hash_words(key),
        }
    }

    /// As [`Content::hash_key`], for a key that is its words.
    #[inline]
    pub(crate) fn hash_words(&self, key: Value) -> u64 {
        let window = key.window();
        fold(self.seed, window as u64, (window >> 64) as u64)
    }

    fn hash_wide(&self, wide: i128) -> u64 {
        fold(self.seed, wide as u64, (wide >> 64) as u64)
    }

    pub(crate) fn hash_bytes(&self, bytes: &[u8]) -> u32 {
        let (chunks, rest) = bytes.as_chunks::<16>();
        let mut hash = self.seed ^ bytes.len() as u64;
        for chunk in chunks {
            let window = u128::from_le_bytes(*chunk);
            hash = fold(hash, window as u64, (window >> 64) as u64);
        }
        // The last sixteen bytes once more instead of the odd rest: no short loads.
        let tail = bytes.last_chunk::<16>().map_or(0, |last| u128::from_le_bytes(*last));
        if !rest.is_empty() {
            hash = fold(hash, tail as u64, (tail >> 64) as u64);
        }
        if bytes.len() < 16 {
            hash = bytes.iter().fold(hash, |hash, &byte| fold(hash, u64::from(byte), 1));
        }
        (hash >> 32) as u32
    }
}
