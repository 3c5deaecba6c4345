//! Looking ahead: the entries that waiting operations will ask for are fetched together, before their steps.
//!
//! What a fold asks a large dictionary for usually stands in its operations, at the same place in each. Where, is learnt
//! from a step now and then. No result depends on it: what is fetched for nothing is only read.

use crate::value::{FieldPlace, Heap, TOGETHER, Value};

/// How many steps there are from one that is learnt from to the next.
pub(super) const LEARNS_EVERY: u64 = 128;

/// A large dictionary, and the names under which operations hold the key that it is asked for.
struct Ask {
    dictionary: u32,
    first: Name,
    second: Option<Name>,
    /// Whether steps look at the texts of what they find.
    with_texts: bool,
}

/// A name, and where it was found.
#[derive(Clone, Copy)]
struct Name(Value, FieldPlace);

impl Name {
    fn get(self, heap: &Heap, table: Value) -> Option<Value> {
        heap.recall(table, self.1).or_else(|| heap.get(table, self.0))
    }
}

impl Ask {
    #[inline]
    fn key(&self, heap: &Heap, operation: Value) -> Option<Value> {
        let value = self.first.get(heap, operation)?;
        self.second.map_or(Some(value), |second| second.get(heap, value))
    }
}

/// What is known of what steps ask for.
#[derive(Default)]
pub(super) struct Ahead(Vec<Ask>);

impl Ahead {
    /// Learns from an operation that was just folded, whose step put texts in order or did not, what such operations make
    /// their steps ask for.
    #[cold]
    pub(super) fn learn(&mut self, heap: &Heap, operation: Value, has_ordered_texts: bool) {
        for (dictionary, key) in heap.asked_last() {
            // Not each operation asks, and not each finds what it asked for.
            let Some((first, second)) = path_to(heap, operation, key) else { continue };
            let known =
                self.0.iter().position(|ask| ask.dictionary == dictionary).map(|place| self.0.swap_remove(place));
            let with_texts = has_ordered_texts || known.is_some_and(|known| known.with_texts);
            self.0.push(Ask { dictionary, first, second, with_texts });
        }
    }

    /// Fetches what the steps of some operations will ask for.
    #[inline(never)]
    pub(super) fn fetch(&self, heap: &Heap, operations: impl Iterator<Item = Value> + Clone) {
        if self.0.is_empty() {
            return;
        }
        heap.fetch(operations.clone());
        for ask in &self.0 {
            let mut keys = [Value::NIL; TOGETHER];
            let mut count = 0;
            for (key, place) in operations.clone().filter_map(|operation| ask.key(heap, operation)).zip(&mut keys) {
                *place = key;
                count += 1;
            }
            heap.fetch_entries(ask.dictionary, keys.get(..count).unwrap_or_default(), ask.with_texts);
        }
    }
}

/// The names that lead from an operation to a value: one or two.
fn path_to(heap: &Heap, operation: Value, sought: Value) -> Option<(Name, Option<Name>)> {
    let named = |table, name| Name(name, heap.field_place(table, name).unwrap_or_default());
    let within = |table: Value| {
        let found = heap.fields(table).find(|field| field.1.is_same_words(sought));
        found.map(|(name, _)| named(table, name))
    };
    match within(operation) {
        Some(name) => Some((name, None)),
        None => heap.fields(operation).find_map(|(name, value)| Some((named(operation, name), Some(within(value)?)))),
    }
}
