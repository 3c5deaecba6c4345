//! The shortest ways to entries that are there: an item of a list, a field where it was found last.
//!
//! Each gives up where it does not apply, and then the general way gives the same answer.

use super::shape::ShapeId;
use super::table::{Form, TableId};
use super::{Heap, Value};

/// Where a field was found: the same in all records of one shape.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldPlace {
    shape: ShapeId,
    slot: u32,
}

impl Default for FieldPlace {
    /// A place in no shape.
    fn default() -> FieldPlace {
        FieldPlace { shape: ShapeId::NONE, slot: 0 }
    }
}

/// What became of a short way to write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrote {
    Replaced,
    Added,
    /// Nothing: the general way must be taken.
    Nothing,
}

impl Heap {
    /// The item of a list at a position.
    #[inline(always)]
    pub(crate) fn item(&self, table: Value, position: i64) -> Option<Value> {
        let table = self.tables.get(table.as_table()?.0 as usize)?;
        let value = self.slots.get(table.slot_of(position)?)?;
        if value.is_absent() { None } else { Some(value.copied()) }
    }

    /// Puts a value that is not nil at a position that has one, or right behind the last one.
    #[inline(always)]
    pub(crate) fn put_item(&mut self, table: Value, position: i64, value: Value) -> Wrote {
        let Some(id) = table.as_table() else { return Wrote::Nothing };
        let Some(header) = self.tables.get_mut(id.0 as usize) else { return Wrote::Nothing };
        if let Some(slot) = header.slot_of(position) {
            return self.overwrite(id, slot, value);
        }
        if id.0 >= self.watched
            && header.form == Form::List
            && header.used < header.capacity
            && position == i64::from(header.used) + 1
        {
            let end = header.start as usize + header.used as usize;
            header.used += 1;
            header.count += 1;
            if let Some(slot) = self.slots.get_mut(end) {
                *slot = value;
            }
            return Wrote::Added;
        }
        Wrote::Nothing
    }

    /// The value of a field in a record of the shape where it was found last.
    #[inline(always)]
    pub(crate) fn recall(&self, table: Value, place: FieldPlace) -> Option<Value> {
        let table = self.tables.get(table.as_table()?.0 as usize)?;
        if table.form != Form::Record(place.shape) {
            return None;
        }
        self.slots.get(table.start as usize + place.slot as usize).map(Value::copied)
    }

    /// Puts a value that is not nil at a field in a record of the shape where it was found last.
    #[inline(always)]
    pub(crate) fn put_recalled(&mut self, table: Value, place: FieldPlace, value: Value) -> Wrote {
        let Some(id) = table.as_table() else { return Wrote::Nothing };
        match self.tables.get(id.0 as usize) {
            Some(table) if table.form == Form::Record(place.shape) => {
                self.overwrite(id, table.start as usize + place.slot as usize, value)
            }
            _ => Wrote::Nothing,
        }
    }

    /// Every short way to replace a value ends here. Nil values are left to the general way, which counts them.
    #[inline(always)]
    fn overwrite(&mut self, id: TableId, slot: usize, value: Value) -> Wrote {
        // Changes of older tables are logged, on the general way.
        if id.0 < self.watched {
            return Wrote::Nothing;
        }
        match self.slots.get_mut(slot) {
            Some(old) if !old.is_nil() => {
                *old = value;
                Wrote::Replaced
            }
            _ => Wrote::Nothing,
        }
    }

    /// Where a field lies in a record, to be remembered.
    pub(crate) fn field_place(&self, table: Value, key: Value) -> Option<FieldPlace> {
        let table = self.table(table)?;
        let Form::Record(shape) = table.form else { return None };
        if !key.is_short_string() {
            return None;
        }
        let slot = u32::try_from(self.shapes.get(shape).find(key)?).ok()?;
        Some(FieldPlace { shape, slot })
    }
}
