//! Emitting: rows of path, key and value.

use super::Call;
use super::weigh::Scale;
use crate::encoding::{Options, cbor};
use crate::execute::Outcome;
use crate::limit;
use crate::meter::Meter;
use crate::trap::TrapCode;
use crate::value::{Heap, Kind, Value};
use std::collections::BTreeSet;

/// A row that was emitted: the canonical CBOR of its key, which is path and key, and of its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub key: Vec<u8>,
    pub value: Vec<u8>,
}

/// What a run has emitted.
#[derive(Default)]
pub(in crate::execute) struct Output {
    pub(in crate::execute) rows: Vec<Row>,
    keys: BTreeSet<Vec<u8>>,
}

impl Output {
    /// Forgets everything; usually nothing was emitted.
    pub(in crate::execute) fn clear(&mut self) {
        if !self.keys.is_empty() {
            *self = Output::default();
        }
    }
}

/// The canonical CBOR of a value, paid for.
fn encoded(heap: &Heap, meter: &mut Meter, value: Value) -> Outcome<Vec<u8>> {
    let bytes = limit::DATA_SIZE.value;
    Scale { heap, meter, bytes, too_long: TrapCode::OUTPUT, too_deep: TrapCode::TEXT }.weigh(value)?;
    let mut out = Vec::new();
    cbor::encode(heap, value, &Options::CANONICAL, &mut out).map_err(|_| TrapCode::TEXT)?;
    meter.charge_bytes(out.len())?;
    meter.emit(out.len() as u64)?;
    Ok(out)
}

fn put(call: &mut Call, path: Value, key: Value, value: Value) -> Outcome<()> {
    let mut row_key = vec![0x82];
    row_key.extend(encoded(call.heap, call.meter, path)?);
    row_key.extend(encoded(call.heap, call.meter, key)?);
    let value = encoded(call.heap, call.meter, value)?;
    if !call.output.keys.insert(row_key.clone()) {
        return Err(TrapCode::EMITTED_TWICE);
    }
    call.output.rows.push(Row { key: row_key, value });
    Ok(())
}

pub(super) fn emit(call: &mut Call) -> Outcome<()> {
    let (path, key) = (call.argument(0), call.argument(1));
    if call.heap.as_string(&path).is_none() || call.heap.as_string(&key).is_none() {
        return Err(TrapCode::KIND);
    }
    put(call, path, key, call.argument(2))
}

pub(super) fn emit_document(call: &mut Call) -> Outcome<()> {
    let (path, value) = (call.argument(0), call.argument(1));
    if call.heap.as_string(&path).is_none() {
        return Err(TrapCode::KIND);
    }
    if call.heap.kind(value) != Kind::Map {
        let key = call.heap.string(b"");
        return put(call, path, key, value);
    }
    call.meter.charge_sort(call.heap.count(value).unwrap_or_default())?;
    for (key, value) in call.heap.entries(value).unwrap_or_default() {
        let key = key_text(call, key)?;
        put(call, path, key, value)?;
    }
    Ok(())
}

/// A key as the text between its quotes in JSON.
fn key_text(call: &mut Call, key: Value) -> Outcome<Value> {
    if call.heap.as_string(&key).is_some() {
        return Ok(key);
    }
    super::json::view(call, key)
}
