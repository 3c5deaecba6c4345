//! The shortest ways to entries that are there: an item of a list, a field where it was found last.
//!
//! Each gives up where it does not apply, and then the general way gives the same answer.

use super::dictionary::Dictionary;
use super::heap::narrow;
use super::shape::ShapeId;
use super::table::{Form, Table, TableId};
use super::{Heap, Value};

/// Where a field was found: the same in all records of one shape.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldPlace {
    shape: ShapeId,
    slot: u32,
    /// The shape of which the field makes this one, where it is the last.
    parent: ShapeId,
}

impl Default for FieldPlace {
    /// A place in no shape.
    fn default() -> FieldPlace {
        FieldPlace::nowhere(ShapeId::NONE)
    }
}

impl FieldPlace {
    /// A slot behind all that there are.
    const NO_SLOT: u32 = u32::MAX;

    /// That records of a shape don't have the field.
    const fn nowhere(shape: ShapeId) -> FieldPlace {
        FieldPlace { shape, slot: FieldPlace::NO_SLOT, parent: ShapeId::NONE }
    }

    /// Whether the field was found in no record yet.
    pub(crate) const fn is_nowhere(self) -> bool {
        self.slot == FieldPlace::NO_SLOT
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
            // Where nothing reads as nil, what is replaced need not be looked at: that would wait for memory.
            return if header.gaps == 0 { self.overwrite(id, slot, value) } else { Wrote::Nothing };
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

    /// Puts a value that is not nil at positions that have one, from a first one on and so far apart, at most so many times;
    /// how often it did.
    pub(crate) fn put_same(&mut self, table: Value, (first, apart): (i64, i64), times: u64, value: Value) -> u64 {
        let Some(id) = table.as_table() else { return 0 };
        let Some(header) = self.tables.get(id.0 as usize) else { return 0 };
        let Some(slot) = header.slot_of(first) else { return 0 };
        if header.gaps > 0 || id.0 < self.watched {
            return 0;
        }
        let items = self.slots.get_mut(slot..header.slots().end).unwrap_or_default();
        let apart = usize::try_from(apart).unwrap_or(usize::MAX).min(items.len());
        let reach = apart.saturating_mul(usize::try_from(times).unwrap_or(usize::MAX)).min(items.len());
        let items = items.get_mut(..reach).unwrap_or_default();
        let (mut at, mut done) = (0_usize, 0);
        while let Some(item) = items.get_mut(at) {
            *item = value;
            at = at.wrapping_add(apart);
            done += 1;
        }
        done
    }

    /// How many values there is room for at a position and behind it, where it is the next one of a list.
    pub(crate) fn room_at(&self, table: Value, position: i64) -> u64 {
        let id = table.as_table().filter(|id| id.0 >= self.watched);
        let header = id.and_then(|id| self.tables.get(id.0 as usize));
        let is_next = |header: &&Table| header.form == Form::List && position == i64::from(header.used) + 1;
        header.filter(is_next).map_or(0, |header| u64::from(header.capacity - header.used))
    }

    /// Puts a value that is not nil so often behind the items of a list that has room for it.
    pub(crate) fn append_same(&mut self, table: Value, times: u64, value: Value) {
        let header = table.as_table().and_then(|id| self.tables.get_mut(id.0 as usize));
        let (Some(header), Ok(times)) = (header, u32::try_from(times)) else { return };
        let end = header.slots().end;
        header.used += times;
        header.count += times;
        self.slots.get_mut(end..end + times as usize).unwrap_or_default().fill(value);
    }

    /// The value of a field in a record of the shape where it was found last, or nil in one where it was missed last.
    #[inline(always)]
    pub(crate) fn recall(&self, table: Value, place: FieldPlace) -> Option<Value> {
        let header = self.tables.get(table.as_table()?.0 as usize)?;
        let start = header.slots_of_record(table, place.shape)?;
        match self.slots.get((start as usize).saturating_add(place.slot as usize)) {
            Some(value) => Some(value.copied()),
            None => place.is_nowhere().then_some(Value::NIL),
        }
    }

    /// Puts a value that is not nil at a field in a record of the shape where it was found last, or in one that has just
    /// this field not yet.
    #[inline(always)]
    pub(crate) fn put_recalled(
        &mut self,
        table: Value,
        place: FieldPlace,
        value: Value,
        key: impl FnOnce() -> Value,
    ) -> Wrote {
        let Some(id) = table.as_table() else { return Wrote::Nothing };
        let Some(header) = self.tables.get_mut(id.0 as usize) else { return Wrote::Nothing };
        let Form::Record(shape) = header.form else { return Wrote::Nothing };
        if let Some(start) = header.slots_of_record(table, place.shape) {
            let slot = (start as usize).saturating_add(place.slot as usize);
            return if id.0 < self.watched {
                self.overwrite_older(id, slot, key(), value)
            } else {
                self.overwrite(id, slot, value)
            };
        }
        if shape == place.parent && id.0 >= self.watched && header.used < header.capacity {
            let end = header.start as usize + header.used as usize;
            header.form = Form::Record(place.shape);
            header.used += 1;
            header.count += 1;
            if let Some(slot) = self.slots.get_mut(end) {
                *slot = value;
            }
            return Wrote::Added;
        }
        Wrote::Nothing
    }

    /// Puts a value at a text that a program computed into a new table without entries, which has room for other fields
    /// only where others like it have this one. False, and nothing done, where it is anything else.
    #[inline]
    pub(crate) fn put_first(&mut self, table: Value, key: Value, value: Value) -> bool {
        let Some(id) = table.as_table().filter(|id| id.0 >= self.watched) else { return false };
        let Some(header) = self.tables.get_mut(id.0 as usize) else { return false };
        if header.form != Form::Record(ShapeId::EMPTY) || !key.is_string() || value.is_nil() {
            return false;
        }
        if key.is_short_string()
            && let Some(shape) = self.shapes.begin(key)
        {
            if header.capacity == 0 {
                return false;
            }
            if let Some(slot) = self.slots.get_mut(header.start as usize) {
                *slot = value;
            }
            (header.form, header.used) = (Form::Record(shape), 1);
        } else {
            // The room for fields is given back where it is the last.
            if header.start as usize + header.capacity as usize == self.slots.len() {
                self.slots.truncate(header.start as usize);
                header.capacity = 0;
            }
            header.form = Form::Dictionary(narrow(self.dictionaries.len()));
            self.dictionaries.push(Dictionary::single(key, value));
        }
        header.count = 1;
        true
    }

    /// Replaces a value in an older table, whose changes are logged.
    #[inline(never)]
    fn overwrite_older(&mut self, id: TableId, slot: usize, key: Value, value: Value) -> Wrote {
        if self.is_frozen(id) {
            return Wrote::Nothing;
        }
        match self.slots.get_mut(slot) {
            Some(held) if !held.is_nil() => {
                let old = core::mem::replace(held, value);
                self.note(id, key, (old, value));
                Wrote::Replaced
            }
            _ => Wrote::Nothing,
        }
    }

    /// Every short way to replace a value ends here. Positions that read as nil are left to the general way, which
    /// counts them; fields that do are no different from others.
    #[inline(always)]
    fn overwrite(&mut self, id: TableId, slot: usize, value: Value) -> Wrote {
        // Changes of older tables are logged, on the general way.
        if id.0 < self.watched {
            return Wrote::Nothing;
        }
        match self.slots.get_mut(slot) {
            Some(old) => {
                *old = value;
                Wrote::Replaced
            }
            None => Wrote::Nothing,
        }
    }

    /// That a record does not have the field which was looked for, to be remembered.
    pub(crate) fn missing_place(&self, table: Value) -> Option<FieldPlace> {
        let Form::Record(shape) = self.table(table)?.form else { return None };
        Some(FieldPlace::nowhere(shape))
    }

    /// Where a field lies in a record, to be remembered.
    pub(crate) fn field_place(&self, table: Value, key: Value) -> Option<FieldPlace> {
        let table = self.table(table)?;
        let Form::Record(shape) = table.form else { return None };
        if !key.is_short_string() {
            return None;
        }
        let found = self.shapes.get(shape);
        let slot = found.find(key)?;
        let parent = if slot + 1 == found.fields.len() { found.parent } else { ShapeId::NONE };
        Some(FieldPlace { shape, slot: u32::try_from(slot).ok()?, parent })
    }
}
