//! Reading values: kinds, contents, entries.

use super::content::Probe;
use super::dictionary::Dictionary;
use super::key::{Key, KeyFault};
use super::table::{Entries, Form, Layout, Table};
use super::{Heap, Kind, Tag, Value};
use crate::number::{Fixed, Number};
use core::cmp::Ordering;

/// Where an entry lies.
pub(super) enum Place {
    Slot(usize),
    /// By the number of the dictionary and of the entry in it.
    Entry(u32, usize),
}

impl Heap {
    #[must_use]
    pub fn kind(&self, value: Value) -> Kind {
        match value.tag() {
            Tag::Nil => Kind::Nil,
            Tag::Bool => Kind::Bool,
            Tag::Number | Tag::WideNumber => Kind::Number,
            Tag::Float => Kind::Float,
            Tag::Fixed => Kind::Fixed,
            Tag::ShortString | Tag::LongString => Kind::String,
            Tag::Bytes => Kind::Bytes,
            Tag::Function | Tag::Closure => Kind::Function,
            Tag::Table => match self.layout(value) {
                Some(Layout::List(_)) => Kind::List,
                Some(Layout::Set(_)) => Kind::Set,
                Some(Layout::Record(..) | Layout::Map) | None => Kind::Map,
            },
        }
    }

    #[must_use]
    pub fn as_number(&self, value: Value) -> Option<Number> {
        let coefficient = match value.tag() {
            Tag::Number => i128::from(value.body().cast_signed()),
            Tag::WideNumber => self.content.wide(value),
            Tag::Nil
            | Tag::Bool
            | Tag::Float
            | Tag::Fixed
            | Tag::ShortString
            | Tag::LongString
            | Tag::Bytes
            | Tag::Table
            | Tag::Function
            | Tag::Closure => return None,
        };
        Number::new(coefficient, u32::from(value.second_byte())).ok()
    }

    #[must_use]
    pub fn as_fixed(&self, value: Value) -> Option<Fixed> {
        (value.tag() == Tag::Fixed).then(|| Fixed::from_bits(self.content.wide(value)))
    }

    /// The bytes of a string.
    #[must_use]
    pub fn as_string<'a>(&'a self, value: &'a Value) -> Option<&'a [u8]> {
        match value.tag() {
            Tag::ShortString => Some(value.short_bytes()),
            Tag::LongString => Some(self.content.span(*value)),
            Tag::Number
            | Tag::Nil
            | Tag::Bool
            | Tag::WideNumber
            | Tag::Float
            | Tag::Fixed
            | Tag::Bytes
            | Tag::Table
            | Tag::Function
            | Tag::Closure => None,
        }
    }

    #[must_use]
    pub fn as_bytes(&self, value: Value) -> Option<&[u8]> {
        (value.tag() == Tag::Bytes).then(|| self.content.span(value))
    }

    // Tables.

    pub(super) fn table(&self, value: Value) -> Option<&Table> {
        self.tables.get(value.as_table()?.0 as usize)
    }

    pub(super) fn slots_of(&self, table: &Table) -> &[Value] {
        self.slots.get(table.slots()).unwrap_or_default()
    }

    /// The entries of a table that are found by hash.
    pub(super) fn dictionary(&self, table: &Table) -> Option<&Dictionary> {
        match table.form {
            Form::Dictionary(number) => self.dictionaries.get(number as usize),
            Form::List | Form::Record(_) | Form::Set => None,
        }
    }

    /// The table as one reads it, whatever its form.
    pub(crate) fn layout(&self, value: Value) -> Option<Layout<'_>> {
        let table = self.table(value)?;
        Some(match table.form {
            Form::Record(shape) => Layout::Record(self.shapes.get(shape), self.slots_of(table)),
            Form::Set => Layout::Set(self.slots_of(table)),
            Form::List | Form::Dictionary(_) if table.count != table.used => Layout::Map,
            Form::List => Layout::List(self.slots_of(table)),
            Form::Dictionary(_) => match self.dictionary(table) {
                Some(others) if others.count() == 0 && (table.count > 0 || others.is_list_when_empty) => {
                    Layout::List(self.slots_of(table))
                }
                _ => Layout::Map,
            },
        })
    }

    /// How many entries a list, map or set has, null ones included.
    #[must_use]
    pub fn count(&self, value: Value) -> Option<usize> {
        Some(self.table(value)?.count as usize)
    }

    /// The least n with nil after it: at n + 1 there is no entry, or a null one. `None` for sets and what is no table.
    ///
    /// The time is constant where no position before the last one reads as nil, else it grows with the answer.
    #[must_use]
    pub fn length(&self, value: Value) -> Option<i64> {
        let table = self.table(value)?;
        match table.form {
            Form::Set => None,
            Form::Record(_) => Some(0),
            Form::List | Form::Dictionary(_) if table.gaps == 0 => Some(i64::from(table.used)),
            Form::List | Form::Dictionary(_) => {
                let length = self.slots_of(table).iter().take_while(|value| !value.is_nil()).count();
                i64::try_from(length).ok()
            }
        }
    }

    /// Whether the positions (integers from 1 that fit a word) among the keys are exactly 1 to n, and none of them is null: a property of the
    /// entries alone, whatever form they take. Then the length is known at once.
    #[must_use]
    pub fn is_gapless(&self, value: Value) -> bool {
        self.table(value).is_none_or(|table| match table.form {
            Form::Set | Form::Record(_) => true,
            Form::List => table.gaps == 0,
            Form::Dictionary(_) => {
                table.gaps == 0 && self.dictionary(table).is_none_or(|dictionary| dictionary.positives == 0)
            }
        })
    }

    /// The items of a list or the members of a set, in order.
    #[must_use]
    pub fn items(&self, value: Value) -> Option<&[Value]> {
        match self.layout(value)? {
            Layout::List(items) | Layout::Set(items) => Some(items),
            Layout::Record(..) | Layout::Map => None,
        }
    }

    /// Whether a set has a member.
    ///
    /// # Errors
    /// Where the value can't be a member of any set.
    pub(crate) fn has_member(&self, set: Value, member: Value) -> Result<bool, KeyFault> {
        let sought = self.as_key(&member)?;
        let members = self.items(set).unwrap_or_default();
        let found = members.binary_search_by(|other| match self.as_key(other) {
            Ok(other) => other.order(&sought),
            Err(_) => Ordering::Less,
        });
        Ok(found.is_ok())
    }

    /// Calls for the entries of a list or map in canonical order of their keys, until one fails.
    pub(crate) fn each_entry<E>(
        &self,
        value: Value,
        called: impl FnMut((Value, Value)) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(Layout::Record(shape, slots)) = self.layout(value) else {
            return self.entries(value).unwrap_or_default().into_iter().try_for_each(called);
        };
        let entry = |&slot: &u8| Some((shape.fields.get(usize::from(slot))?.key, *slots.get(usize::from(slot))?));
        shape.text_order.iter().filter_map(entry).try_for_each(called)
    }

    /// The fields of a record, in no order; of any other value, none.
    pub(crate) fn fields(&self, value: Value) -> impl Iterator<Item = (Value, Value)> {
        let (fields, slots) = match self.layout(value) {
            Some(Layout::Record(shape, slots)) => (shape.fields.as_slice(), slots),
            Some(Layout::List(_) | Layout::Map | Layout::Set(_)) | None => (&[][..], &[][..]),
        };
        fields.iter().map(|field| field.key).zip(slots.iter().copied())
    }

    /// The entries of a list or map in canonical order of their keys.
    #[must_use]
    pub fn entries(&self, value: Value) -> Option<Entries> {
        let table = self.table(value)?;
        if let Form::Set = table.form {
            return None;
        }
        if let Form::Record(shape) = table.form {
            let (shape, slots) = (self.shapes.get(shape), self.slots_of(table));
            let entry = |&slot: &u8| Some((shape.fields.get(usize::from(slot))?.key, *slots.get(usize::from(slot))?));
            return Some(shape.text_order.iter().filter_map(entry).collect());
        }
        let positions = (1..).map(Value::integer).zip(self.slots_of(table).iter().copied());
        let mut entries: Entries = Vec::with_capacity(table.count as usize);
        entries.extend(positions.filter(|entry| !entry.1.is_absent()));
        if let Some(others) = self.dictionary(table)
            && others.count() > 0
        {
            entries.extend(others.entries());
            // Short strings, which most keys are, need no look at what they are.
            if entries.iter().all(|entry| entry.0.is_short_string()) {
                entries.sort_unstable_by_key(|entry| entry.0.short_order());
            } else {
                entries.sort_unstable_by(|a, b| self.order(a.0, b.0));
            }
        }
        Some(entries)
    }

    /// A new list of the keys of a list or map, those of null values included, in canonical order.
    pub fn keys(&mut self, value: Value) -> Option<Value> {
        if let Some(key) = self.only_key(value) {
            return Some(self.list(&[key]));
        }
        let keys: Vec<Value> = match self.layout(value)? {
            Layout::Set(_) => return None,
            Layout::List(items) => (1..).map(Value::integer).zip(items).map(|(key, _)| key).collect(),
            Layout::Record(shape, _) => {
                let key = |&slot: &u8| shape.fields.get(usize::from(slot)).map(|field| field.key);
                shape.text_order.iter().filter_map(key).collect()
            }
            Layout::Map => self.entries(value)?.into_iter().map(|(key, _)| key).collect(),
        };
        Some(self.list(&keys))
    }

    /// The key of a list or map that has one entry, where it is found without a search.
    fn only_key(&self, value: Value) -> Option<Value> {
        let table = self.table(value).filter(|table| table.count == 1)?;
        match table.form {
            Form::Record(shape) => self.shapes.get(shape).fields.first().map(|field| field.key),
            Form::Dictionary(_) if table.used == 0 => self.dictionary(table)?.entries().next().map(|entry| entry.0),
            Form::List | Form::Dictionary(_) | Form::Set => None,
        }
    }

    /// The value at a key of a list or map; `None` where the key is absent or can't be one.
    #[must_use]
    #[inline]
    pub fn get(&self, table: Value, key: Value) -> Option<Value> {
        let table = self.table(table)?;
        if let Some(slot) = self.near(table, key) {
            return self.slots.get(slot).copied().filter(|value| !value.is_absent());
        }
        self.get_elsewhere(table, key.window())
    }

    /// As [`Heap::get`], for a program that may ask for the same key again.
    pub(crate) fn get_again(&mut self, table: Value, key: Value) -> Option<Value> {
        if key.is_string()
            && let Form::Dictionary(number) = self.table(table)?.form
        {
            let dictionary = self.dictionaries.get_mut(number as usize)?;
            return dictionary.find_again(&self.content, key).and_then(|entry| dictionary.value(entry));
        }
        self.get(table, key)
    }

    #[inline(never)]
    fn get_elsewhere(&self, table: &Table, key: u128) -> Option<Value> {
        let key = Value::from_window(key);
        if key.is_plain_key() {
            let dictionary = self.dictionary(table)?;
            return dictionary.find_value(&self.content, key).and_then(|entry| dictionary.value(entry));
        }
        match self.locate(table, self.probe(key).ok()?)? {
            Place::Slot(slot) => self.slots.get(slot).copied(),
            Place::Entry(number, entry) => self.dictionaries.get(number as usize)?.value(entry),
        }
    }

    /// The slot of an integer or a short string, where there is one: a hole too. The usual way to an entry.
    #[inline]
    pub(super) fn near(&self, table: &Table, key: Value) -> Option<usize> {
        if let Some(position) = key.as_i64() {
            return table.slot_of(position);
        }
        match table.form {
            Form::Record(shape) if key.is_short_string() => {
                Some(table.start as usize + self.shapes.get(shape).find(key)?)
            }
            Form::List | Form::Record(_) | Form::Dictionary(_) | Form::Set => None,
        }
    }

    /// Where the entry of a key lies, if it is present.
    pub(super) fn locate(&self, table: &Table, probe: Probe) -> Option<Place> {
        if let Probe::Value(key) = probe
            && let Some(slot) = self.near(table, key)
        {
            let is_present = self.slots.get(slot).is_some_and(|value| !value.is_absent());
            return is_present.then_some(Place::Slot(slot));
        }
        let Form::Dictionary(number) = table.form else { return None };
        let entry = self.dictionary(table)?.find(&self.content, probe)?;
        Some(Place::Entry(number, entry))
    }

    // Keys.

    /// The value as a key, in its one form.
    ///
    /// # Errors
    /// Where it can't be a key.
    pub fn as_key<'a>(&'a self, value: &'a Value) -> Result<Key<'a>, KeyFault> {
        match value.tag() {
            Tag::Bool => Ok(Key::Bool(value.body() == 1)),
            Tag::Number | Tag::WideNumber => self.as_number(*value).map(Key::Number).ok_or(KeyFault::Kind),
            Tag::Float => value.as_float().map_or(Err(KeyFault::Kind), Key::from_float),
            Tag::Fixed => self.as_fixed(*value).map(Key::from_fixed).ok_or(KeyFault::Kind),
            Tag::ShortString | Tag::LongString => self.as_string(value).map(Key::String).ok_or(KeyFault::Kind),
            Tag::Nil | Tag::Bytes | Tag::Table | Tag::Function | Tag::Closure => Err(KeyFault::Kind),
        }
    }

    /// Whether two keys in their one form are the same.
    #[inline]
    pub(crate) fn is_same_key(&self, a: Value, b: Value) -> bool {
        self.content.is_same_key(a, b)
    }

    /// The value as a key to look for.
    pub(super) fn probe(&self, value: Value) -> Result<Probe, KeyFault> {
        match value.tag() {
            Tag::Number | Tag::WideNumber | Tag::Bool | Tag::ShortString | Tag::LongString => Ok(Probe::Value(value)),
            Tag::Nil | Tag::Bytes | Tag::Table | Tag::Function | Tag::Closure => Err(KeyFault::Kind),
            Tag::Float | Tag::Fixed => Ok(match self.as_key(&value)? {
                Key::Number(number) => Value::small_number(number).map_or(Probe::Wide(number), Probe::Value),
                Key::Float(float) => Probe::Value(Value::float(float)),
                Key::Bool(_) | Key::Fixed(_) | Key::String(_) => Probe::Value(value),
            }),
        }
    }
}
