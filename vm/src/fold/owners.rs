//! Owners: which entries of a table reach another one.

use crate::value::{TableId, Value};
use std::collections::BTreeMap;

/// For tables by their numbers: the keys of the entries that reach them, and perhaps of some that no longer do.
#[derive(Default)]
pub(super) struct Owners {
    /// The key of the one entry; nil for none, true where there are many.
    one: Vec<Value>,
    many: BTreeMap<u32, Vec<Value>>,
    /// How many keys were added to those that are there.
    repeats: usize,
}

/// No key: it stands for a list of them.
const MANY: Value = Value::bool(true);

impl Owners {
    pub(super) fn add(&mut self, table: TableId, key: Value) {
        let place = table.0 as usize;
        if place >= self.one.len() {
            self.one.resize(place + 1, Value::NIL);
        }
        let Some(one) = self.one.get_mut(place) else { return };
        if one.is_nil() {
            *one = key;
        } else if !one.is_same_words(key) {
            let keys = self.many.entry(table.0).or_default();
            if !one.is_same_words(MANY) {
                keys.push(*one);
                *one = MANY;
            }
            if !keys.last().is_some_and(|last| last.is_same_words(key)) {
                keys.push(key);
                self.repeats += 1;
            }
        }
    }

    pub(super) fn of(&self, table: TableId) -> &[Value] {
        match self.one.get(table.0 as usize) {
            Some(one) if one.is_same_words(MANY) => self.many.get(&table.0).map_or(&[], Vec::as_slice),
            Some(one) if !one.is_nil() => core::slice::from_ref(one),
            _ => &[],
        }
    }

    /// How many keys were added to those that a table had since that was last forgotten.
    pub(super) const fn repeats(&self) -> usize {
        self.repeats
    }

    pub(super) const fn forget_repeats(&mut self) {
        self.repeats = 0;
    }
}
