//! Rows: what `finish` emitted, in order, and the map whose root is the state's.

use super::documents::Changes;
use crate::encoding::map::{Hash, RowMap, row_key, row_value};
use crate::encoding::root::Root;
use crate::execute::Row;
use core::cmp::Ordering;

/// The rows of a fold as of the last `finish` that did not trap.
#[derive(Default)]
pub struct Rows {
    sorted: Vec<Row>,
    map: RowMap,
    root: Hash,
    as_of: u64,
}

/// How rows differ from those before: what a table that holds them must be told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowChanges {
    /// Rows that are new or have another value, in order.
    pub put: Vec<Row>,
    /// Keys of rows that are gone, in order.
    pub removed: Vec<Vec<u8>>,
}

/// Path and key of a row as they are ordered: the content of two texts in canonical CBOR.
fn texts(row: &Row) -> (&[u8], &[u8]) {
    let first = row.key.get(1..).unwrap_or_default();
    let (path, rest) = text(first);
    (path, text(rest).0)
}

/// The content of the text that canonical CBOR begins with, and what follows it.
fn text(bytes: &[u8]) -> (&[u8], &[u8]) {
    let Some((&head, rest)) = bytes.split_first() else { return (&[], &[]) };
    let width = match head & 0x1f {
        small @ 0..=23 => return rest.split_at_checked(usize::from(small)).unwrap_or((rest, &[])),
        24 => 1,
        25 => 2,
        26 => 4,
        _ => 8,
    };
    let (length, rest) = rest.split_at_checked(width).unwrap_or((&[], rest));
    let length = length.iter().fold(0_usize, |length, &byte| length.wrapping_shl(8) | usize::from(byte));
    rest.split_at_checked(length).unwrap_or((rest, &[]))
}

/// The order of rows: by path, then by key, both bytewise.
fn order(a: &Row, b: &Row) -> Ordering {
    texts(a).cmp(&texts(b)).then_with(|| a.key.cmp(&b.key))
}

/// How many of some sorted rows come before one: looked for from the front in steps that double, for what is sought next
/// lies near to what was found last, and rows far away would have to come from memory.
fn before(rows: &[Row], row: &Row) -> usize {
    let is_before = |other: &Row| order(other, row).is_lt();
    let (mut known, mut step) = (0, 1);
    while rows.get(known + step - 1).is_some_and(is_before) {
        known += step;
        step *= 2;
    }
    let open = rows.get(known..rows.len().min(known + step)).unwrap_or_default();
    known + open.partition_point(is_before)
}

impl Rows {
    /// The rows, by path and then key.
    #[must_use]
    pub fn sorted(&self) -> &[Row] {
        &self.sorted
    }

    /// How many operations had been folded when the rows were emitted.
    #[must_use]
    pub const fn as_of(&self) -> u64 {
        self.as_of
    }

    /// The root of all rows.
    #[must_use]
    pub const fn state_root(&self) -> Root {
        Root::Blake3(self.root)
    }

    /// The map of rows, to prove what it holds and what it does not.
    pub const fn map(&mut self) -> &mut RowMap {
        &mut self.map
    }

    /// Takes other rows, in any order and each key once, and says what is different.
    pub(super) fn replace(&mut self, mut rows: Vec<Row>, as_of: u64) -> RowChanges {
        rows.sort_by(order);
        let changes = self.changes(&rows);
        self.sorted = rows;
        self.take_over(&changes, as_of);
        changes
    }

    /// Changes rows by their keys; a row that stays as it was is no change.
    pub(super) fn change(&mut self, changes: Changes, as_of: u64) -> RowChanges {
        let row = |(key, value): (Vec<u8>, Option<Vec<u8>>)| match value {
            Some(value) => (Row { key, value }, true),
            None => (Row { key, value: Vec::new() }, false),
        };
        let mut changes: Vec<(Row, bool)> = changes.into_iter().map(row).collect();
        changes.sort_by(|a, b| order(&a.0, &b.0));
        let mut told = RowChanges::default();
        let mut old = core::mem::take(&mut self.sorted).into_iter();
        let mut sorted = Vec::with_capacity(old.len() + changes.len());
        for (row, stays) in changes {
            let before = before(old.as_slice(), &row);
            sorted.extend(old.by_ref().take(before));
            let is_there = old.as_slice().first().is_some_and(|other| other.key == row.key);
            let gone = if is_there { old.next() } else { None };
            if stays {
                if gone.is_none_or(|gone| gone.value != row.value) {
                    told.put.push(row.clone());
                }
                sorted.push(row);
            } else if gone.is_some() {
                told.removed.push(row.key);
            }
        }
        sorted.extend(old);
        self.sorted = sorted;
        self.take_over(&told, as_of);
        told
    }

    fn take_over(&mut self, changes: &RowChanges, as_of: u64) {
        self.map.put_all(changes.put.iter().map(|row| (row_key(&row.key), row_value(&row.value))).collect());
        for key in &changes.removed {
            self.map.remove(&row_key(key));
        }
        self.root = self.map.root();
        self.as_of = as_of;
    }

    /// What is different in other rows, both sorted.
    fn changes(&self, rows: &[Row]) -> RowChanges {
        let mut changes = RowChanges::default();
        let (mut old, mut new) = (self.sorted.iter().peekable(), rows.iter().peekable());
        loop {
            let next = match (old.peek(), new.peek()) {
                (None, None) => return changes,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(old), Some(new)) => order(old, new),
            };
            let gone = if next.is_le() { old.next() } else { None };
            let come = if next.is_ge() { new.next() } else { None };
            match (gone, come) {
                (Some(gone), None) => changes.removed.push(gone.key.clone()),
                (Some(gone), Some(come)) if gone.value == come.value => {}
                (_, Some(come)) => changes.put.push(come.clone()),
                (None, None) => {}
            }
        }
    }
}
