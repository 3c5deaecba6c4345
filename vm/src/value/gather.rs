//! Gathering: how decoders make tables whose entries come one by one, nested ones in between.

use super::content::Probe;
use super::dictionary::Dictionary;
use super::shape::ShapeId;
use super::table::{Form, TableId};
use super::{Heap, RECORD_KEYS, Value};

/// Entries of all tables under way, the innermost last; a table takes its own off the end when it is closed.
pub(crate) struct Gather<'h> {
    pub(crate) heap: &'h mut Heap,
    pending: Vec<Value>,
    /// The tables of a snapshot, where one is read.
    pub(crate) links: Option<Links>,
}

/// References to tables by number: each new one is the next, so that there is one way to number them.
pub(crate) struct Links {
    /// The table with the number 0: the others follow it in the heap.
    first: u32,
    /// How many numbers were met.
    seen: u32,
}

impl Links {
    pub(crate) fn link(&mut self, number: u64) -> Option<Value> {
        let number = u32::try_from(number).ok().filter(|&number| number <= self.seen)?;
        if number == self.seen {
            self.seen = self.seen.checked_add(1)?;
        }
        // Where it will lie is not known yet.
        Some(Value::table(TableId(self.first.checked_add(number)?), 0))
    }
}

/// A list or set under way.
#[derive(Clone, Copy)]
pub(crate) struct Items {
    base: usize,
}

/// A map under way: a record while its keys have a shape, else a dictionary.
pub(crate) struct Fields {
    base: usize,
    shape: ShapeId,
    dictionary: Option<Box<Dictionary>>,
    key: Value,
}

impl<'h> Gather<'h> {
    pub(crate) fn new(heap: &'h mut Heap) -> Gather<'h> {
        let pending = core::mem::take(&mut heap.pending);
        Gather { heap, pending, links: None }
    }

    /// Gathers the tables of a snapshot.
    pub(crate) fn with_links(heap: &'h mut Heap) -> Gather<'h> {
        let links = Links { first: heap.mark().tables(), seen: 0 };
        let mut gather = Gather::new(heap);
        gather.links = Some(links);
        gather
    }

    /// How many tables of a snapshot were referred to, and how many were made.
    pub(crate) fn links_and_tables(&self) -> (u32, u32) {
        let links = self.links.as_ref();
        let made = self.heap.mark().tables().saturating_sub(links.map_or(0, |links| links.first));
        (links.map_or(0, |links| links.seen), made)
    }

    pub(crate) fn begin_items(&mut self) -> Items {
        Items { base: self.pending.len() }
    }

    pub(crate) fn item(&mut self, value: Value) {
        self.pending.push(value);
    }

    pub(crate) fn list(&mut self, items: Items) -> Value {
        self.close(Form::List, items.base)
    }

    /// The items must be keys, ascending in canonical order.
    pub(crate) fn set(&mut self, items: Items) -> Value {
        self.close(Form::Set, items.base)
    }

    fn close(&mut self, form: Form, base: usize) -> Value {
        let value = self.heap.push_table(form, self.pending.get(base..).unwrap_or_default());
        self.pending.truncate(base);
        value
    }

    /// A map of `count` entries, as far as that is known.
    pub(crate) fn begin_fields(&mut self, count: usize) -> Fields {
        let dictionary = (count > RECORD_KEYS).then(Box::default);
        Fields { base: self.pending.len(), shape: ShapeId::EMPTY, dictionary, key: Value::NIL }
    }

    /// The length of the next key's CBOR, where `window` begins with it and it is known to follow in order.
    #[inline]
    pub(crate) fn predict(&self, fields: &mut Fields, window: u128) -> Option<usize> {
        if fields.dictionary.is_some() {
            return None;
        }
        let (child, length) = self.heap.shapes.predict(fields.shape, window)?;
        fields.shape = child;
        Some(length)
    }

    /// The key of the next value, in its one form.
    pub(crate) fn field(&mut self, fields: &mut Fields, key: Value) {
        if fields.dictionary.is_none() {
            if key.is_short_string()
                && let Some(child) = self.heap.shapes.step(fields.shape, key)
            {
                fields.shape = child;
                return;
            }
            fields.dictionary = Some(Box::new(self.leave_record(fields)));
        }
        fields.key = key;
    }

    /// The value of the key that was given last.
    pub(crate) fn value(&mut self, fields: &mut Fields, value: Value) {
        match &mut fields.dictionary {
            None => self.pending.push(value),
            Some(dictionary) => dictionary.insert(&self.heap.content, fields.key, value),
        }
    }

    /// Whether the key that was given last stands in the map already.
    pub(crate) fn has(&self, fields: &Fields) -> bool {
        let probe = Probe::Value(fields.key);
        fields.dictionary.as_ref().is_some_and(|dictionary| dictionary.find(&self.heap.content, probe).is_some())
    }

    pub(crate) fn map(&mut self, fields: Fields) -> Value {
        match fields.dictionary {
            None => self.close(Form::Record(fields.shape), fields.base),
            Some(dictionary) => self.heap.push_dictionary(*dictionary),
        }
    }

    /// Goes on as a dictionary from where the record came to.
    fn leave_record(&mut self, fields: &Fields) -> Dictionary {
        let mut dictionary = Dictionary::default();
        let keys = &self.heap.shapes.get(fields.shape).fields;
        for (field, &value) in keys.iter().zip(self.pending.get(fields.base..).unwrap_or_default()) {
            dictionary.insert(&self.heap.content, field.key, value);
        }
        self.pending.truncate(fields.base);
        dictionary
    }
}

impl Drop for Gather<'_> {
    /// The room is kept for the next document.
    fn drop(&mut self) {
        self.pending.clear();
        self.heap.pending = core::mem::take(&mut self.pending);
    }
}
