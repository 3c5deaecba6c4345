//! Changing tables: entries come, go and are replaced, and tables change their form as they must.
//!
//! Whatever a program does, the cost of a change is constant on average: a key moves from the dictionary to the
//! slots once for each time that it was put there, and back only where three quarters of the slots became holes.

use super::content::Probe;
use super::dictionary::Dictionary;
use super::heap::narrow;
use super::read::Place;
use super::shape::ShapeId;
use super::table::{Form, Layout, Table, TableFault, TableId};
use super::{Heap, Value};

/// The fewest slots that a table which grows takes.
pub(super) const FEWEST_SLOTS: u32 = 4;

/// The most positions that one new key may skip; further ones go to the dictionary.
const SKIPPED: i64 = 8;

/// Slots in use below which holes don't matter.
const SPARSE: u32 = 16;

impl Heap {
    /// Puts a value at a key, or removes the key where the value is nil. True where a key was added.
    ///
    /// # Errors
    /// Where the first value is no list or map, or the key can't be one.
    // Key and value stay in registers, also on the way elsewhere: a copy from memory waits for the stores before it.
    #[inline(always)]
    pub fn set(&mut self, table: Value, key: Value, value: Value) -> Result<bool, TableFault> {
        let id = table.as_table().ok_or(TableFault::NotTable)?;
        let header = self.tables.get(id.0 as usize).ok_or(TableFault::NotTable)?;
        if !value.is_nil() && id.0 >= self.watched {
            if let Some(slot) = self.near(header, key) {
                if let Some(old) = self.slots.get_mut(slot)
                    && !old.is_nil()
                {
                    *old = value;
                    return Ok(false);
                }
            } else if header.form == Form::List
                && header.used < header.capacity
                && key.as_i64() == Some(i64::from(header.used) + 1)
            {
                self.push_slot(id, value);
                return Ok(true);
            }
        }
        self.set_elsewhere(id, key.window(), value.window())
    }

    #[inline(never)]
    fn set_elsewhere(&mut self, id: TableId, key: u128, value: u128) -> Result<bool, TableFault> {
        let (key, value) = (Value::from_window(key), Value::from_window(value));
        let table = *self.tables.get(id.0 as usize).ok_or(TableFault::NotTable)?;
        if table.form == Form::Set {
            return Err(TableFault::NotTable);
        }
        if self.is_frozen(id) {
            return Err(TableFault::ReadOnly);
        }
        // The usual ways to an entry that is there already.
        if let Some(slot) = self.near(&table, key)
            && !value.is_nil()
            && let Some(held) = self.slots.get_mut(slot)
            && !held.is_nil()
        {
            let old = core::mem::replace(held, value);
            self.note(id, key, (old, value));
            return Ok(false);
        }
        if let Form::Dictionary(number) = table.form
            && key.is_plain_key()
            && !value.is_nil()
            && let Some(dictionary) = self.dictionaries.get_mut(number as usize)
            && let Some(entry) = dictionary.find_again(&self.content, key)
            && let Some((key, old)) = dictionary.replace(entry, value)
        {
            self.note(id, key, (old, value));
            return Ok(false);
        }
        let probe = self.probe(key)?;
        let place = self.locate(&table, probe);
        if let Some(place) = &place
            && id.0 < self.watched
        {
            self.note_present(id, probe, place, value);
        }
        if value.is_nil() {
            if let Some(place) = place {
                self.remove(id, table, probe, place);
            }
            return Ok(false);
        }
        match place {
            Some(Place::Slot(slot)) => self.fill(id, slot, value),
            Some(Place::Entry(number, entry)) => {
                if let Some(dictionary) = self.dictionaries.get_mut(number as usize) {
                    dictionary.replace(entry, value);
                }
            }
            None => {
                let key = self.key_of(probe);
                self.note_absent(id, &table, key, value);
                self.add(id, key, value);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Logs the value that is about to be changed.
    fn note_present(&mut self, id: TableId, probe: Probe, place: &Place, new: Value) {
        let found = match (place, probe) {
            (&Place::Entry(number, at), _) => {
                self.dictionaries.get_mut(number as usize).and_then(|others| others.entry_mut(at).copied())
            }
            (&Place::Slot(slot), Probe::Value(key)) => self.slots.get(slot).map(|&old| (key, old)),
            // Numbers beyond a word have no slot.
            (Place::Slot(_), Probe::Wide(_)) => None,
        };
        if let Some((key, old)) = found {
            self.note(id, key, (old, new));
        }
    }

    /// Logs that a key is about to be added, and what a table without entries is.
    fn note_absent(&mut self, id: TableId, table: &Table, key: Value, new: Value) {
        if id.0 >= self.watched {
            return;
        }
        if table.count == 0 {
            let is_list = matches!(self.layout(Value::table(id, table.start)), Some(Layout::List(_)));
            self.note(id, Value::NIL, (Value::bool(is_list), Value::NIL));
        }
        self.note(id, key, (Value::ABSENT, new));
    }

    /// Puts a null value, which counts as present, at a key.
    pub(super) fn put_null(&mut self, id: TableId, key: Value) {
        if self.set_elsewhere(id, key.window(), Value::TRUE.window()).is_err() {
            return;
        }
        let Some(table) = self.table_at(id) else { return };
        match self.probe(key).ok().and_then(|probe| self.locate(&table, probe)) {
            Some(Place::Slot(slot)) => {
                if let Some(value) = self.slots.get_mut(slot) {
                    *value = Value::NIL;
                }
                if let Some(table) = self.header(id)
                    && matches!(table.form, Form::List | Form::Dictionary(_))
                {
                    table.gaps += 1;
                }
            }
            Some(Place::Entry(number, entry)) => {
                if let Some(dictionary) = self.dictionaries.get_mut(number as usize) {
                    dictionary.replace(entry, Value::NIL);
                }
            }
            None => {}
        }
    }

    /// Says of a table without entries what it is.
    pub(super) fn restore_kind(&mut self, id: TableId, is_list: bool) {
        if self.table_at(id).is_some_and(|table| table.count == 0) {
            self.keep_kind(id, is_list);
        }
    }

    /// The key as a value: only where it is new may it take room.
    pub(super) fn key_of(&mut self, probe: Probe) -> Value {
        match probe {
            Probe::Value(value) => value,
            Probe::Wide(number) => self.content.number(number),
        }
    }

    fn header(&mut self, id: TableId) -> Option<&mut Table> {
        self.tables.get_mut(id.0 as usize)
    }

    fn table_at(&self, id: TableId) -> Option<Table> {
        self.tables.get(id.0 as usize).copied()
    }

    fn dictionary_mut(&mut self, id: TableId) -> Option<&mut Dictionary> {
        match self.table_at(id)?.form {
            Form::Dictionary(number) => self.dictionaries.get_mut(number as usize),
            Form::List | Form::Record(_) | Form::Set => None,
        }
    }

    // Slots.

    /// Puts a value into a slot whose key is present.
    fn fill(&mut self, id: TableId, slot: usize, value: Value) {
        let Some(old) = self.slots.get_mut(slot) else { return };
        let was_nil = old.is_nil();
        *old = value;
        if let Some(table) = self.header(id)
            && was_nil
        {
            table.gaps = table.gaps.saturating_sub(1);
        }
    }

    /// Puts a present value behind the slots in use.
    #[inline(always)]
    fn push_slot(&mut self, id: TableId, value: Value) {
        self.extend(id, value);
        if let Some(table) = self.header(id) {
            table.count += 1;
        }
    }

    /// Puts any value behind the slots in use, without counting it.
    #[inline(always)]
    fn extend(&mut self, id: TableId, value: Value) {
        let Some(table) = self.tables.get_mut(id.0 as usize) else { return };
        if table.used >= table.capacity {
            grow(table, &mut self.slots);
            if (id.0 as usize) < self.watermark.tables {
                self.moved.push(id);
            }
        }
        if let Some(slot) = self.slots.get_mut(table.slots().end) {
            *slot = value;
            table.used += 1;
        }
    }

    // Adding.

    /// Adds a key that is absent.
    fn add(&mut self, id: TableId, key: Value, value: Value) {
        let Some(table) = self.table_at(id) else { return };
        match table.form {
            Form::Record(shape) => self.add_field(id, shape, key, value),
            Form::List if table.count == 0 && key.is_short_string() => {
                self.add_field(id, ShapeId::EMPTY, key, value);
            }
            Form::List | Form::Dictionary(_) => self.add_other(id, key, value),
            Form::Set => {}
        }
    }

    fn add_field(&mut self, id: TableId, shape: ShapeId, key: Value, value: Value) {
        let child = if key.is_short_string() { self.shapes.step(shape, key) } else { None };
        let Some(child) = child else {
            self.leave_record(id);
            return self.add_other(id, key, value);
        };
        self.push_slot(id, value);
        if let Some(table) = self.header(id) {
            table.form = Form::Record(child);
        }
    }

    /// Adds a key to a list or dictionary.
    fn add_other(&mut self, id: TableId, key: Value, value: Value) {
        if let Some(position @ 1..) = key.as_i64()
            && self.add_position(id, position, value)
        {
            return;
        }
        self.leave_list(id);
        self.add_entry(id, key, value);
        if let Some(table) = self.header(id) {
            table.count += 1;
        }
    }

    /// Adds an entry to the dictionary, without counting it in the table.
    fn add_entry(&mut self, id: TableId, key: Value, value: Value) {
        let Some(Form::Dictionary(number)) = self.table_at(id).map(|table| table.form) else { return };
        if let Some(dictionary) = self.dictionaries.get_mut(number as usize) {
            dictionary.insert(&self.content, key, value);
        }
    }

    /// Takes the value of a position out of the dictionary, without counting it in the table.
    fn take_entry(&mut self, id: TableId, position: i64) -> Option<Value> {
        let Form::Dictionary(number) = self.table_at(id)?.form else { return None };
        let dictionary = self.dictionaries.get_mut(number as usize)?;
        if dictionary.positives == 0 {
            return None;
        }
        dictionary.remove(&self.content, Probe::Value(Value::integer(position)))
    }

    /// How many positions in use are absent.
    fn holes(&self, table: &Table) -> u32 {
        let others = self.dictionary(table).map_or(0, |dictionary| narrow(dictionary.count()));
        (table.used + others).saturating_sub(table.count)
    }

    /// Adds a position to the slots where it is near enough; else it is the dictionary's.
    fn add_position(&mut self, id: TableId, position: i64, value: Value) -> bool {
        let Some(table) = self.table_at(id) else { return false };
        if let Some(slot) = table.slot_of(position) {
            self.fill(id, slot, value);
            if let Some(table) = self.header(id) {
                table.count += 1;
            }
            return true;
        }
        let skipped = position - i64::from(table.used) - 1;
        let is_dense = || (i64::from(self.holes(&table)) + skipped).saturating_mul(2) <= position;
        if skipped > 0 && (skipped > SKIPPED || !is_dense()) {
            return false;
        }
        for position in (position - skipped)..position {
            let known = self.take_entry(id, position).unwrap_or(Value::ABSENT);
            self.extend_counting(id, known);
        }
        self.push_slot(id, value);
        self.settle(id);
        true
    }

    /// Puts a value that was there before, or a hole, behind the slots in use.
    fn extend_counting(&mut self, id: TableId, value: Value) {
        self.extend(id, value);
        if let Some(table) = self.header(id)
            && value.is_nil()
        {
            table.gaps += 1;
        }
    }

    /// Moves the positions that follow the slots in use out of the dictionary.
    pub(super) fn settle(&mut self, id: TableId) {
        while let Some(table) = self.table_at(id)
            && let Some(value) = self.take_entry(id, i64::from(table.used) + 1)
        {
            self.extend_counting(id, value);
        }
    }

    // Removing.

    fn remove(&mut self, id: TableId, table: Table, probe: Probe, place: Place) {
        match (place, table.form) {
            (Place::Slot(slot), Form::Record(shape)) => {
                let field = slot.saturating_sub(table.start as usize);
                return self.remove_field(id, shape, field, probe);
            }
            (Place::Slot(slot), _) => self.remove_position(id, slot),
            (Place::Entry(number, _), _) => {
                if let Some(dictionary) = self.dictionaries.get_mut(number as usize) {
                    dictionary.remove(&self.content, probe);
                }
            }
        }
        let Some(table) = self.header(id) else { return };
        table.count = table.count.saturating_sub(1);
        if table.count == 0 {
            self.keep_kind(id, probe.position() == Some(1));
        } else {
            self.spill(id);
        }
    }

    /// What a table without entries is: a list where the last one was.
    fn keep_kind(&mut self, id: TableId, was_list: bool) {
        if let Some(dictionary) = self.dictionary_mut(id) {
            dictionary.is_list_when_empty = was_list;
        } else if let Some(table) = self.header(id) {
            table.form = if was_list { Form::List } else { Form::Record(ShapeId::EMPTY) };
        }
    }

    fn remove_position(&mut self, id: TableId, slot: usize) {
        let Some(value) = self.slots.get_mut(slot) else { return };
        let was_nil = value.is_nil();
        *value = Value::ABSENT;
        let Some(table) = self.tables.get_mut(id.0 as usize) else { return };
        table.gaps += u32::from(!was_nil);
        while let Some(last) = table.slots().next_back().and_then(|last| self.slots.get(last))
            && last.is_absent()
        {
            table.used -= 1;
            table.gaps = table.gaps.saturating_sub(1);
        }
    }

    /// Moves positions behind the first hole to the dictionary where the slots in use became sparse.
    fn spill(&mut self, id: TableId) {
        let Some(table) = self.table_at(id) else { return };
        if table.used < SPARSE || table.gaps < table.used / 4 * 3 {
            return;
        }
        // Null values are gaps but no holes.
        if self.holes(&table) < table.used / 4 * 3 {
            return;
        }
        let slots = self.slots_of(&table);
        let dense = slots.iter().take_while(|value| !value.is_absent()).count();
        let nulls = slots.iter().take(dense).filter(|value| value.is_nil()).count();
        let spilled: Vec<(Value, Value)> = (1..)
            .map(Value::integer)
            .zip(slots.iter().copied())
            .skip(dense)
            .filter(|entry| !entry.1.is_absent())
            .collect();
        self.leave_list(id);
        for (key, value) in spilled {
            self.add_entry(id, key, value);
        }
        if let Some(table) = self.header(id) {
            table.used = narrow(dense);
            table.gaps = narrow(nulls);
        }
    }

    fn remove_field(&mut self, id: TableId, shape: ShapeId, field: usize, probe: Probe) {
        let Some(without) = self.shapes.without(shape, field) else {
            self.leave_record(id);
            let Some(table) = self.table_at(id) else { return };
            let Some(place) = self.locate(&table, probe) else { return };
            // A dictionary's entry this time, so there is no third one.
            return self.remove(id, table, probe, place);
        };
        let Some(table) = self.tables.get_mut(id.0 as usize) else { return };
        if let Some(slots) = self.slots.get_mut(table.slots())
            && let Some(rest) = slots.get_mut(field..)
            && !rest.is_empty()
        {
            rest.rotate_left(1);
        }
        table.form = Form::Record(without);
        table.used = table.used.saturating_sub(1);
        table.count = table.used;
    }

    // Changing form.

    /// Makes a record one with a dictionary, or with positions where it has no entries.
    fn leave_record(&mut self, id: TableId) {
        let Some(table) = self.table_at(id) else { return };
        let Form::Record(shape) = table.form else { return };
        let mut dictionary = Dictionary::default();
        for (field, &value) in self.shapes.get(shape).fields.iter().zip(self.slots_of(&table)) {
            dictionary.insert(&self.content, field.key, value);
        }
        let form = if table.count == 0 { Form::List } else { Form::Dictionary(narrow(self.dictionaries.len())) };
        if table.count > 0 {
            self.push_dictionary_of(id, dictionary);
        }
        if let Some(table) = self.header(id) {
            *table = Table { form, used: 0, gaps: 0, ..*table };
        }
    }

    /// Keeps the dictionary of a table that had none.
    fn push_dictionary_of(&mut self, id: TableId, dictionary: Dictionary) {
        self.dictionaries.push(dictionary);
        if (id.0 as usize) < self.watermark.tables {
            self.moved.push(id);
        }
    }

    /// Gives a list a dictionary for other keys. Its slots stay.
    fn leave_list(&mut self, id: TableId) {
        let number = narrow(self.dictionaries.len());
        if let Some(table) = self.header(id)
            && table.form == Form::List
        {
            table.form = Form::Dictionary(number);
            self.push_dictionary_of(id, Dictionary::default());
        }
    }
}

/// Doubles a table's slots: in place where they are the last ones, else behind all others.
#[cold]
fn grow(table: &mut Table, slots: &mut Vec<Value>) {
    let capacity = table.capacity.saturating_mul(2).max(FEWEST_SLOTS);
    let start = table.start as usize;
    if start + table.capacity as usize != slots.len() {
        let end = table.slots().end.min(slots.len());
        table.start = narrow(slots.len());
        slots.extend_from_within(start.min(end)..end);
    }
    slots.resize(table.start as usize + capacity as usize, Value::ABSENT);
    table.capacity = capacity;
}
