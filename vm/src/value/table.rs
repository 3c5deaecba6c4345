//! Tables: lists, records, dictionaries and sets. Which form a map takes can't be observed.

use super::{Value, shape::ShapeId};
use hashbrown::HashTable;

/// A table's number in its heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableId(pub(crate) u32);

/// How a table's entries lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Slots hold the values 1 to n.
    List,
    /// Slots hold the values of a shape's keys.
    Record(ShapeId),
    /// An index of its own, by its number.
    Dictionary(u32),
    /// Slots hold the members, ascending in canonical order.
    Set,
}

/// A table: its form, and its slots in the heap's one array of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    pub(crate) form: Form,
    pub(crate) start: u32,
    pub(crate) count: u32,
}

impl Table {
    pub(crate) const fn slots(&self) -> core::ops::Range<usize> {
        let start = self.start as usize;
        start..start + self.count as usize
    }
}

/// A map's entries by hash. The entries keep their order of insertion; the index finds them.
#[derive(Default)]
pub(crate) struct Dictionary {
    pub(crate) entries: Vec<(Value, Value)>,
    pub(crate) index: HashTable<u32>,
}

/// The entries of a table in canonical order of their keys.
pub type Entries = Vec<(Value, Value)>;
