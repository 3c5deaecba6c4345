//! Emitting: rows of path, key and value.

use super::Call;
use super::weigh::Scale;
use crate::bytecode::Limits;
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
pub(crate) struct Output {
    pub(crate) rows: Vec<Row>,
    keys: BTreeSet<Vec<u8>>,
    /// Tables below this number are not written, when they are emitted a row an entry, but put down here.
    defers_below: u32,
    pub(crate) deferred: Vec<Deferred>,
}

/// A table that was to be emitted a row an entry.
#[derive(Clone, Copy)]
pub(crate) struct Deferred {
    pub(crate) path: Value,
    pub(crate) table: Value,
}

impl Output {
    /// Forgets everything, which usually is nothing. Tables with lower numbers are left to whoever asked for that.
    pub(in crate::execute) fn begin(&mut self, defers_below: u32) {
        if !self.keys.is_empty() || !self.deferred.is_empty() {
            *self = Output::default();
        }
        self.defers_below = defers_below;
    }
}

/// A row, and what of the limits emitting it takes.
pub(crate) struct Emission {
    pub(crate) row: Row,
    pub(crate) gas: u64,
    pub(crate) output: u64,
}

impl Emission {
    pub(crate) fn new(heap: &Heap, limits: Limits, path: Value, key: Value, value: Value) -> Outcome<Emission> {
        let mut meter = Meter::new(limits);
        let row = row(heap, &mut meter, path, key, value)?;
        let left = meter.left();
        Ok(Emission { row, gas: limits.gas - left.gas, output: limits.output - left.output })
    }

    /// How the keys of all rows at a path begin.
    pub(crate) fn prefix(heap: &Heap, limits: Limits, path: Value) -> Outcome<Vec<u8>> {
        let mut prefix = vec![ROW_KEY];
        encode(heap, &mut Meter::new(limits), path, &mut prefix)?;
        Ok(prefix)
    }

    /// The gas for putting so many entries in order.
    pub(crate) fn sorting(count: usize) -> u64 {
        Meter::sorting(count)
    }
}

/// The head of a list of two: path and key.
const ROW_KEY: u8 = 0x82;

/// Appends the canonical CBOR of a value, paid for.
fn encode(heap: &Heap, meter: &mut Meter, value: Value, out: &mut Vec<u8>) -> Outcome<()> {
    let bytes = limit::DATA_SIZE.value;
    Scale { heap, meter, bytes, too_long: TrapCode::OUTPUT, too_deep: TrapCode::TEXT }.weigh(value)?;
    let before = out.len();
    cbor::encode(heap, value, &Options::CANONICAL, out).map_err(|_| TrapCode::TEXT)?;
    let bytes = out.len() - before;
    meter.charge_bytes(bytes)?;
    meter.emit(bytes as u64)
}

/// Bytes that most rows' keys and values don't pass: room for them is asked for once.
const USUAL: usize = 128;

/// A row, paid for.
fn row(heap: &Heap, meter: &mut Meter, path: Value, key: Value, value: Value) -> Outcome<Row> {
    let mut row = Row { key: Vec::with_capacity(USUAL), value: Vec::with_capacity(USUAL) };
    row.key.push(ROW_KEY);
    encode(heap, meter, path, &mut row.key)?;
    encode(heap, meter, key, &mut row.key)?;
    encode(heap, meter, value, &mut row.value)?;
    // Rows are kept, by the hundred thousand.
    row.key.shrink_to_fit();
    row.value.shrink_to_fit();
    Ok(row)
}

fn put(call: &mut Call, path: Value, key: Value, value: Value) -> Outcome<()> {
    let row = row(call.heap, call.meter, path, key, value)?;
    if !call.output.keys.insert(row.key.clone()) {
        return Err(TrapCode::EMITTED_TWICE);
    }
    call.output.rows.push(row);
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
    if value.as_table().is_some_and(|id| id.0 < call.output.defers_below) {
        call.output.deferred.push(Deferred { path, table: value });
        return Ok(());
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
