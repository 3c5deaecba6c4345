//! Fetching ahead: what is read here is only read so that it is near when a step asks for it.
//!
//! Several reads that don't wait for one another wait for memory together; a step's own come one after the other. So
//! each loop here does one kind of read.

use super::dictionary::Dictionary;
use super::table::Form;
use super::{Heap, Span, Tag, Value};
use core::hint::black_box;

/// How many tables are fetched together: more than a processor waits for at once, and little beside what stays near.
pub(crate) const TOGETHER: usize = 32;

/// Slots of a table that are looked at for texts.
const SLOTS: usize = 8;

/// Places below which a dictionary stays near by itself.
const FEWEST_PLACES: usize = 1 << 12;

/// How many dictionaries are looked at for a large one: the state's own are among the first.
const DICTIONARIES: usize = 16;

/// Slots from one line of a processor's cache to the next.
const LINE: usize = 4;

impl Heap {
    /// The large dictionaries, by number, with the keys that they were asked for last.
    pub(crate) fn asked_last(&self) -> impl Iterator<Item = (u32, Value)> {
        let last = |(number, dictionary): (u32, &Dictionary)| Some((number, dictionary.last_key(FEWEST_PLACES)?));
        (0..).zip(self.dictionaries.iter().take(DICTIONARIES)).filter_map(last)
    }

    /// Fetches tables: their heads, and their first slots where those most likely still are.
    pub(crate) fn fetch(&self, values: impl Iterator<Item = Value>) {
        let slot_at = |slot: usize| self.slots.get(slot).map_or(0, |slot| slot.body());
        let read = |value: Value| {
            let (table, slot) = (value.body() as usize, value.start() as usize);
            let head = self.tables.get(table).map_or(0, |table| u64::from(table.start));
            head ^ slot_at(slot) ^ slot_at(slot + LINE - 1)
        };
        black_box(values.fold(0, |all, value| all ^ read(value)));
    }

    /// As [`Heap::fetch`], and with them the texts that their first slots hold.
    pub(crate) fn fetch_with_texts(&self, values: impl Iterator<Item = Value> + Clone) {
        self.fetch(values.clone());
        let slots =
            values.filter_map(|value| self.table(value)).flat_map(|table| self.slots_of(table).iter().take(SLOTS));
        let texts = slots.filter(|slot| slot.tag() == Tag::LongString).map(|&text| Span::of(text).range().start);
        let read = |start: usize| self.content.bytes.get(start).copied().unwrap_or(0);
        black_box(texts.fold(0, |all, start| all ^ read(start)));
    }

    /// As [`Heap::fetch_entries`], of a table that may be anything.
    pub(crate) fn fetch_entries_of(&self, table: Value, keys: &[Value]) {
        let form = self.table(table).map(|table| table.form);
        if let Some(Form::Dictionary(number)) = form {
            self.fetch_entries(number, keys, true);
        }
    }

    /// Fetches the entries that a dictionary has at some keys, and the tables there; with their texts where steps tell by them
    /// what is later.
    pub(crate) fn fetch_entries(&self, dictionary: u32, keys: &[Value], with_texts: bool) {
        let Some(dictionary) = self.dictionaries.get(dictionary as usize) else { return };
        let mut places = [0; TOGETHER];
        let begun = keys.iter().zip(&mut places);
        // The places first, for as little as can be between two reads.
        let count = begun.map(|(&key, place)| *place = dictionary.first_place(&self.content, key)).count();
        black_box(dictionary.fetch(places.get(..count).unwrap_or_default()));
        let mut found = [Value::NIL; TOGETHER];
        let places = keys.iter().zip(places).zip(&mut found);
        places.for_each(|((&key, place), found)| {
            *found = dictionary.value_from(&self.content, place, key).unwrap_or(Value::NIL);
        });
        let found = found.into_iter().filter(|value| value.as_table().is_some());
        if with_texts {
            self.fetch_with_texts(found.clone());
        } else {
            self.fetch(found.clone());
        }
        // Of what lies in a table that was found, a step asks for one entry: where all are few, all are fetched.
        let mut within: [Option<&Dictionary>; TOGETHER] = [None; TOGETHER];
        let dictionaries = found.filter_map(|value| self.dictionary(self.table(value)?));
        let count = dictionaries.zip(&mut within).map(|(dictionary, place)| *place = Some(dictionary)).count();
        let within = within.iter().take(count).flatten();
        black_box(within.clone().fold(0, |all, dictionary| all ^ dictionary.count()));
        black_box(within.fold(0, |all, dictionary| all ^ dictionary.fetch_few()));
    }
}
