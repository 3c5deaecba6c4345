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

/// Where rows are emitted: what the path comes to is the same for all of them.
pub(crate) struct Place {
    /// How their keys begin: all but the entry's.
    pub(crate) prefix: Vec<u8>,
    limits: Limits,
    gas: u64,
    output: u64,
}

impl Place {
    pub(crate) fn new(heap: &Heap, limits: Limits, path: Value) -> Outcome<Place> {
        let mut meter = Meter::new(limits);
        let mut prefix = vec![ROW_KEY];
        encode(heap, &mut meter, path, &mut prefix)?;
        let left = meter.left();
        Ok(Place { prefix, limits, gas: limits.gas - left.gas, output: limits.output - left.output })
    }

    /// What emitting a row here takes and comes to. The room is for writing, whatever is in it.
    pub(crate) fn emission(&self, heap: &Heap, key: Value, value: Value, room: &mut Vec<u8>) -> Outcome<Emission> {
        let mut meter = Meter::new(self.limits);
        room.clear();
        room.extend_from_slice(&self.prefix);
        encode(heap, &mut meter, key, room)?;
        let middle = room.len();
        encode(heap, &mut meter, value, room)?;
        // Rows are kept, by the hundred thousand: each part takes just the room that it needs.
        let (key, value) = room.split_at_checked(middle).unwrap_or_default();
        let row = Row { key: key.to_vec(), value: value.to_vec() };
        let left = meter.left();
        let (gas, output) = (self.limits.gas - left.gas, self.limits.output - left.output);
        Ok(Emission { row, gas: gas.saturating_add(self.gas), output: output.saturating_add(self.output) })
    }
}

impl Emission {
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

/// Bytes that most rows don't pass: room for them is asked for once.
const USUAL: usize = 256;

/// A row, paid for.
fn row(heap: &Heap, meter: &mut Meter, path: Value, key: Value, value: Value) -> Outcome<Row> {
    let mut room = Vec::with_capacity(USUAL);
    room.push(ROW_KEY);
    encode(heap, meter, path, &mut room)?;
    encode(heap, meter, key, &mut room)?;
    let middle = room.len();
    encode(heap, meter, value, &mut room)?;
    // Rows are kept, by the hundred thousand: each part takes just the room that it needs.
    let (key, value) = room.split_at_checked(middle).unwrap_or_default();
    Ok(Row { key: key.to_vec(), value: value.to_vec() })
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
