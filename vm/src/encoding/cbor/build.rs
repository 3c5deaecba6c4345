//! Decoding: the strict reader with a heap behind it.

use super::read::{Sink, document};
use crate::encoding::Options;
use crate::number::{Fixed, Float, Number};
use crate::refusal::Refusal;
use crate::value::{Fields, Gather, Heap, Items, Key, Value};

/// Decodes one canonical document into the heap; on refusal the heap is as it was.
///
/// # Errors
/// Every input that is not the one encoding of a value, with the offset of the fault.
pub fn decode(heap: &mut Heap, input: &[u8], options: &Options) -> Result<Value, Refusal> {
    let mark = heap.mark();
    let result = document(input, options, &mut Gather::new(heap));
    result.inspect_err(|_| heap.rewind(mark))
}

impl Sink for Gather<'_> {
    type Node = Value;
    type Items = Items;
    type Fields = Fields;

    fn nil(&mut self) -> Value {
        Value::NIL
    }

    fn bool(&mut self, value: bool) -> Value {
        Value::bool(value)
    }

    fn integer(&mut self, value: i64) -> Value {
        Value::integer(value)
    }

    fn number(&mut self, number: Number) -> Value {
        self.heap.number(number)
    }

    fn float(&mut self, float: Float) -> Value {
        Value::float(float)
    }

    fn fixed(&mut self, fixed: Fixed) -> Value {
        self.heap.fixed(fixed)
    }

    fn string(&mut self, content: &[u8]) -> Value {
        self.heap.shared_string(content)
    }

    fn short_string(&mut self, window: u128, length: usize) -> Value {
        Value::short_string(window, length)
    }

    fn bytes(&mut self, content: &[u8]) -> Value {
        self.heap.bytes(content)
    }

    fn key(&mut self, key: Key<'_>) -> Value {
        self.heap.key(key)
    }

    fn has_links(&self) -> bool {
        self.links.is_some()
    }

    fn link(&mut self, number: u64) -> Option<Value> {
        self.links.as_mut()?.link(number)
    }

    fn begin_items(&mut self, _: usize) -> Items {
        Gather::begin_items(self)
    }

    fn item(&mut self, _: &mut Items, node: Value) {
        Gather::item(self, node);
    }

    fn list(&mut self, items: Items) -> Value {
        Gather::list(self, items)
    }

    fn set(&mut self, items: Items) -> Value {
        Gather::set(self, items)
    }

    fn begin_fields(&mut self, count: usize) -> Fields {
        Gather::begin_fields(self, count)
    }

    #[inline]
    fn predict(&mut self, fields: &mut Fields, window: u128) -> Option<usize> {
        Gather::predict(self, fields, window)
    }

    fn field(&mut self, fields: &mut Fields, key: Key<'_>) {
        let key = self.heap.key(key);
        Gather::field(self, fields, key);
    }

    fn value(&mut self, fields: &mut Fields, node: Value) {
        Gather::value(self, fields, node);
    }

    fn map(&mut self, fields: Fields) -> Value {
        Gather::map(self, fields)
    }
}
