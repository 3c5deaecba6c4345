//! Documents: tables that `finish` emits a row an entry. Their rows are kept, and made anew only for entries that were
//! changed, or that reach a table which was. What a row costs is counted as if all of them had been made.

use super::owners::Owners;
use crate::bytecode::Limits;
use crate::execute::{Deferred, Emission, Place, Row};
use crate::value::{Heap, TOGETHER, TableId, Value};
use std::collections::BTreeMap;

/// What an emission takes of the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Cost {
    pub(super) gas: u64,
    pub(super) output: u64,
}

impl Cost {
    pub(super) fn add(&mut self, other: Cost) -> Option<()> {
        self.gas = self.gas.checked_add(other.gas)?;
        self.output = self.output.checked_add(other.output)?;
        Some(())
    }

    fn remove(&mut self, other: Cost) {
        self.gas = self.gas.saturating_sub(other.gas);
        self.output = self.output.saturating_sub(other.output);
    }
}

/// Rows by their keys; nothing for one that is gone.
pub(super) type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A table that was emitted, with what its rows cost.
pub(super) struct Document {
    place: Place,
    table: Value,
    id: TableId,
    costs: BTreeMap<Vec<u8>, Cost>,
    total: Cost,
    owners: Owners,
}

impl Document {
    /// Makes all rows of a table. Nothing where that is for the general way to do: where a row can't be made, is beyond
    /// the limits, or has a key that is no text as it stands.
    pub(super) fn build(heap: &Heap, limits: Limits, emitted: &Deferred, rows: &mut Vec<Row>) -> Option<Document> {
        let mut document = Document {
            place: Place::new(heap, limits, emitted.path).ok()?,
            table: emitted.table,
            id: emitted.table.as_table()?,
            costs: BTreeMap::new(),
            total: Cost::default(),
            owners: Owners::default(),
        };
        let entries = heap.entries(emitted.table)?;
        let (mut costs, mut room) = (Vec::with_capacity(entries.len()), Vec::new());
        rows.reserve(entries.len());
        for some in entries.chunks(TOGETHER) {
            heap.fetch_with_texts(some.iter().map(|entry| entry.1));
            for &(key, value) in some {
                let (text, cost, row) = document.put(heap, key, value, &mut room)?;
                costs.push((text, cost));
                rows.push(row);
            }
        }
        // They are sorted already, so that no search is needed.
        document.costs = costs.into_iter().collect();
        document.owners.forget_repeats();
        Some(document)
    }

    /// Whether it is the same table at the same path.
    pub(super) fn is(&self, heap: &Heap, limits: Limits, emitted: &Deferred) -> bool {
        let place = Place::new(heap, limits, emitted.path);
        self.table.is_same_table(emitted.table) && place.is_ok_and(|place| place.prefix == self.place.prefix)
    }

    /// The rows of entries that can be others than they were, by what was changed since: tables and keys. Nothing where
    /// all must be made.
    pub(super) fn update(&mut self, heap: &Heap, changed: &[(TableId, Value)]) -> Option<Changes> {
        let mut keys: BTreeMap<Vec<u8>, Value> = BTreeMap::new();
        for &(table, key) in changed {
            // A change of the table's kind has no key.
            let own = (table == self.id).then_some(key);
            for key in own.iter().chain(self.owners.of(table)) {
                keys.insert(heap.as_string(key)?.to_vec(), *key);
            }
        }
        let (mut changes, mut room) = (Changes::new(), Vec::new());
        for (text, key) in keys {
            let before = self.costs.remove(&text);
            before.iter().for_each(|&cost| self.total.remove(cost));
            match heap.get(self.table, key) {
                Some(value) => {
                    let (text, cost, row) = self.put(heap, key, value, &mut room)?;
                    self.costs.insert(text, cost);
                    changes.insert(row.key, Some(row.value));
                }
                None if before.is_some() => {
                    changes.insert(self.place.emission(heap, key, Value::NIL, &mut room).ok()?.row.key, None);
                }
                None => {}
            }
        }
        (self.owners.repeats() <= 2 * self.costs.len() + FEWEST_REPEATS).then_some(changes)
    }

    /// The row of an entry, its key's text and what it costs, which is added to the total.
    fn put(&mut self, heap: &Heap, key: Value, value: Value, room: &mut Vec<u8>) -> Option<(Vec<u8>, Cost, Row)> {
        let text = heap.as_string(&key)?;
        let Emission { row, gas, output } = self.place.emission(heap, key, value, room).ok()?;
        // A text that is written otherwise than it stands could meet another one.
        if row.key.len() != self.place.prefix.len() + text_length(text.len()) || !row.key.ends_with(text) {
            return None;
        }
        let cost = Cost { gas, output };
        self.total.add(cost)?;
        heap.each_table(value, &mut |table| self.owners.add(table, key));
        Some((text.to_vec(), cost, row))
    }

    /// What the emission of the whole table costs.
    pub(super) fn cost(&self, heap: &Heap) -> Option<Cost> {
        let gas = Emission::sorting(heap.count(self.table)?);
        let mut cost = self.total;
        cost.add(Cost { gas, output: 0 })?;
        Some(cost)
    }

    /// Whether a row's path is the document's.
    pub(super) fn covers(&self, row: &Row) -> bool {
        row.key.starts_with(&self.place.prefix)
    }

    /// Whether another document is at the same path.
    pub(super) fn meets(&self, other: &Document) -> bool {
        self.place.prefix == other.place.prefix
    }
}

/// Repeated entries of tables that many entries reach before all is looked at anew.
const FEWEST_REPEATS: usize = 1 << 12;

/// The length of a text in canonical CBOR.
const fn text_length(length: usize) -> usize {
    length
        + match length {
            0..=23 => 1,
            24..=0xff => 2,
            0x100..=0xffff => 3,
            0x1_0000..=0xffff_ffff => 5,
            _ => 9,
        }
}
