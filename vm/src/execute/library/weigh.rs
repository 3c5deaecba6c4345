//! Weighing: what a value is worth in work, paid for before it is walked, so that neither a cycle nor much sharing is free.

use crate::execute::Outcome;
use crate::limit;
use crate::meter::Meter;
use crate::trap::TrapCode;
use crate::value::{Heap, Kind, Value};

const DEEPEST: u64 = limit::DATA_DEPTH.value;
/// Gas for writing a value, beside its content.
const VALUE: u64 = 4;
/// Gas for a byte that is no ASCII: it must be normalized.
const FOREIGN: u64 = 8;

/// Pays for reading or writing text.
pub(super) fn charge_text(meter: &mut Meter, content: &[u8]) -> Outcome<()> {
    meter.charge_values(content.len())?;
    meter.charge(FOREIGN * content.iter().filter(|byte| !byte.is_ascii()).count() as u64)
}

/// What limits a value that is to be written.
pub(super) struct Scale<'w> {
    pub(super) heap: &'w Heap,
    pub(super) meter: &'w mut Meter,
    /// Bytes that may still come: no writing is shorter than its strings.
    pub(super) bytes: u64,
    /// The trap where they do not suffice, and where the value is too deep.
    pub(super) too_long: TrapCode,
    pub(super) too_deep: TrapCode,
}

impl Scale<'_> {
    /// Pays for a value and all that it holds, as often as it holds it.
    pub(super) fn weigh(&mut self, value: Value) -> Outcome<()> {
        self.value(value, 0)
    }

    fn value(&mut self, value: Value, depth: u64) -> Outcome<()> {
        if let Some(length) = value.ascii_length() {
            self.meter.charge(VALUE)?;
            self.meter.charge(length)?;
            self.bytes = self.bytes.checked_sub(length).ok_or(self.too_long)?;
            return Ok(());
        }
        if value.as_i64().is_some() || value.is_nil() {
            return self.meter.charge(VALUE);
        }
        let content = self.heap.as_string(&value).or_else(|| self.heap.as_bytes(value)).unwrap_or_default();
        let bytes = content.len() as u64;
        self.meter.charge(VALUE)?;
        charge_text(self.meter, content)?;
        self.bytes = self.bytes.checked_sub(bytes).ok_or(self.too_long)?;
        match self.heap.kind(value) {
            Kind::List | Kind::Set => {
                self.deeper(depth)?;
                let items = self.heap.items(value).unwrap_or_default();
                items.iter().try_for_each(|&item| self.value(item, depth + 1))
            }
            Kind::Map => {
                self.deeper(depth)?;
                self.meter.charge_sort(self.heap.count(value).unwrap_or_default())?;
                let heap = self.heap;
                heap.each_entry(value, |(key, value)| {
                    self.value(key, depth + 1)?;
                    self.value(value, depth + 1)
                })
            }
            Kind::Float => {
                let float = value.as_float().map_or(0, crate::number::Expansion::work);
                self.meter.charge(float)
            }
            Kind::Nil | Kind::Bool | Kind::Number | Kind::Fixed | Kind::String | Kind::Bytes | Kind::Function => Ok(()),
        }
    }

    fn deeper(&self, depth: u64) -> Outcome<()> {
        if depth < DEEPEST { Ok(()) } else { Err(self.too_deep) }
    }
}
