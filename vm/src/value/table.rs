//! Tables: lists, records, dictionaries and sets. Which form a map takes can't be observed.
//!
//! Slots of lists and dictionaries hold the values 1 to n by position, with holes where a key is absent; a
//! dictionary finds all other keys by hash. It never holds the key n + 1 there: it moves to the slots as soon as
//! the places before it do. So a table whose keys are exactly 1 to n has them all in its slots, and no hole.

use super::shape::{Shape, ShapeId};
use super::{KeyFault, Value};

/// A table's number in its heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableId(pub(crate) u32);

/// How a table's entries lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Slots hold the values by position, and there are no others. Without entries, it is a list.
    List,
    /// Slots hold the values of a shape's keys.
    Record(ShapeId),
    /// Slots hold values by position, a dictionary (by its number) the others.
    Dictionary(u32),
    /// Slots hold the members, ascending in canonical order.
    Set,
}

/// A table: its form, and its slots in the heap's one array of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    pub(crate) form: Form,
    pub(crate) start: u32,
    pub(crate) capacity: u32,
    /// Slots in use, holes included; the last one in use is no hole.
    pub(crate) used: u32,
    /// Entries that are present, wherever they lie.
    pub(crate) count: u32,
    /// Positions in use that read as nil: holes and null values.
    pub(crate) gaps: u32,
    /// Makes its size a power of two, so that its place is found by one shift.
    pub(crate) _filler: u32,
}

impl Table {
    pub(crate) const fn slots(&self) -> core::ops::Range<usize> {
        let start = self.start as usize;
        start..start + self.used as usize
    }

    /// Where the slots begin, if it is a record of a shape. The value that names the table says where they began when it was
    /// made: where that still holds, a processor need not wait for the table to know where to read on. So both are compared
    /// as one number: of two equal ones the compiler would take the table's.
    #[inline(always)]
    pub(crate) const fn slots_of_record(&self, named: Value, shape: ShapeId) -> Option<u32> {
        let Form::Record(own) = self.form else { return None };
        let start = named.start();
        if (own.0 as u64) << 32 | self.start as u64 == (shape.0 as u64) << 32 | start as u64 {
            Some(start)
        } else if own.0 == shape.0 {
            Some(self.start)
        } else {
            None
        }
    }

    /// Where the value at a position lies, if the slots reach so far.
    #[inline]
    pub(crate) const fn slot_of(&self, position: i64) -> Option<usize> {
        let before = position.wrapping_sub(1).cast_unsigned();
        if before < self.used as u64 && matches!(self.form, Form::List | Form::Dictionary(_)) {
            Some(self.start as usize + before as usize)
        } else {
            None
        }
    }
}

/// A table as others may read it.
pub(crate) enum Layout<'h> {
    List(&'h [Value]),
    /// Values in the order of the shape's keys.
    Record(&'h Shape, &'h [Value]),
    /// Any other map.
    Map,
    Set(&'h [Value]),
}

/// Why a table does not take an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFault {
    /// No table, or a set.
    NotTable,
    /// The table is read-only.
    ReadOnly,
    /// The key is of a kind that can't be one.
    Kind,
    /// The key is NaN.
    Nan,
}

impl From<KeyFault> for TableFault {
    fn from(fault: KeyFault) -> TableFault {
        match fault {
            KeyFault::Kind => TableFault::Kind,
            KeyFault::Nan => TableFault::Nan,
        }
    }
}

/// The entries of a table in canonical order of their keys.
pub type Entries = Vec<(Value, Value)>;
