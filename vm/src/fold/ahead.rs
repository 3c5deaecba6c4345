//! Looking ahead: the entries that waiting operations will ask for are fetched together, before their steps.
//!
//! What a fold asks a large dictionary for usually stands in its operations, at the same place in each. Where, is learnt
//! from a step now and then. No result depends on it: what is fetched for nothing is only read.

use crate::value::{Heap, TOGETHER, Value};

/// How many steps there are from one that is learnt from to the next.
pub(super) const LEARNS_EVERY: u64 = 128;

/// A large dictionary, and the names under which operations hold the key that it is asked for; the second may be nil.
struct Ask {
    dictionary: u32,
    path: [Value; 2],
}

impl Ask {
    fn key(&self, heap: &Heap, operation: Value) -> Option<Value> {
        let [first, second] = self.path;
        let value = heap.get(operation, first)?;
        if second.is_nil() { Some(value) } else { heap.get(value, second) }
    }
}

/// What is known of what steps ask for.
#[derive(Default)]
pub(super) struct Ahead(Vec<Ask>);

impl Ahead {
    /// Learns from an operation that was just folded what such operations make their steps ask for.
    #[cold]
    pub(super) fn learn(&mut self, heap: &Heap, operation: Value) {
        for (dictionary, key) in heap.asked_last() {
            // Not each operation asks, and not each finds what it asked for.
            let Some(path) = path_to(heap, operation, key) else { continue };
            match self.0.iter_mut().find(|ask| ask.dictionary == dictionary) {
                Some(ask) => ask.path = path,
                None => self.0.push(Ask { dictionary, path }),
            }
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
            heap.fetch_entries(ask.dictionary, keys.get(..count).unwrap_or_default());
        }
    }
}

/// The names that lead from an operation to a value: one or two.
fn path_to(heap: &Heap, operation: Value, sought: Value) -> Option<[Value; 2]> {
    let within = |table: Value| heap.fields(table).find(|field| field.1.is_same_words(sought)).map(|field| field.0);
    match within(operation) {
        Some(name) => Some([name, Value::NIL]),
        None => heap.fields(operation).find_map(|(name, value)| Some([name, within(value)?])),
    }
}
