//! Dictionaries: entries found by the hash of their keys.

use super::Value;
use super::content::{Content, Probe};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// The entries of a map by hash, but for those that its slots hold by position. Their order means nothing.
#[derive(Default)]
pub(crate) struct Dictionary {
    pub(crate) entries: Vec<(Value, Value)>,
    index: HashTable<u32>,
    /// The number of the entry that was met last: who asks for one and then changes it asks for the same key again.
    last: u32,
    /// How many keys are positive integers.
    pub(crate) positives: u32,
    /// Whether the table is a list while it has no entries at all.
    pub(crate) is_list_when_empty: bool,
}

const fn is_positive(key: Value) -> bool {
    matches!(key.as_i64(), Some(1..))
}

impl Dictionary {
    /// The number of the key's entry.
    pub(crate) fn find(&self, content: &Content, probe: Probe) -> Option<usize> {
        match probe {
            Probe::Value(key) => self.find_value(content, key),
            Probe::Wide(_) => {
                let same = |&number: &u32| self.key(number).is_some_and(|key| content.is_key(key, probe));
                self.index.find(content.hash(probe), same).map(|&number| number as usize)
            }
        }
    }

    /// The number of the entry of a key that is in its one form.
    #[inline]
    pub(crate) fn find_value(&self, content: &Content, key: Value) -> Option<usize> {
        let same = |&number: &u32| self.key(number).is_some_and(|other| content.is_same_key(other, key));
        self.index.find(content.hash_key(key), same).map(|&number| number as usize)
    }

    /// As [`Dictionary::find_value`], and next time the same key is found without its hash.
    #[inline]
    pub(crate) fn find_again(&mut self, content: &Content, key: Value) -> Option<usize> {
        if self.key(self.last).is_some_and(|last| last.is_same_words(key)) {
            return Some(self.last as usize);
        }
        let found = self.find_value(content, key)?;
        self.last = u32::try_from(found).unwrap_or(u32::MAX);
        Some(found)
    }

    /// The value of an entry.
    pub(crate) fn value(&self, entry: usize) -> Option<Value> {
        self.entries.get(entry).map(|entry| entry.1)
    }

    /// Puts another value into an entry, and gives what it was.
    #[inline]
    pub(crate) fn replace(&mut self, entry: usize, value: Value) -> Option<(Value, Value)> {
        let entry = self.entries.get_mut(entry)?;
        let old = *entry;
        entry.1 = value;
        Some(old)
    }

    fn key(&self, number: u32) -> Option<Value> {
        self.entries.get(number as usize).map(|entry| entry.0)
    }

    /// Puts an entry in, in the place of one with the same key. The key is in its one form.
    pub(crate) fn insert(&mut self, content: &Content, key: Value, value: Value) {
        let Dictionary { entries, index, positives, .. } = self;
        let at = |number: u32| entries.get(number as usize).map_or(Value::NIL, |entry| entry.0);
        let entry = index.entry(
            content.hash_key(key),
            |&number| content.is_same_key(at(number), key),
            |&number| content.hash_key(at(number)),
        );
        match entry {
            Entry::Occupied(found) => {
                if let Some(entry) = entries.get_mut(*found.get() as usize) {
                    entry.1 = value;
                }
            }
            Entry::Vacant(vacant) => {
                vacant.insert(u32::try_from(entries.len()).unwrap_or(u32::MAX));
                entries.push((key, value));
                *positives += u32::from(is_positive(key));
            }
        }
    }

    /// Takes an entry out; the last one takes its number.
    pub(crate) fn remove(&mut self, content: &Content, probe: Probe) -> Option<Value> {
        let Dictionary { entries, index, positives, .. } = self;
        let same = |&number: &u32| entries.get(number as usize).is_some_and(|entry| content.is_key(entry.0, probe));
        let (number, _) = index.find_entry(content.hash(probe), same).ok()?.remove();
        let last = u32::try_from(entries.len()).unwrap_or(u32::MAX).wrapping_sub(1);
        if number != last {
            let moved = entries.last()?.0;
            *index.find_mut(content.hash_key(moved), |&other| other == last)? = number;
        }
        let (key, value) = entries.swap_remove(number as usize);
        *positives = positives.saturating_sub(u32::from(is_positive(key)));
        Some(value)
    }
}
