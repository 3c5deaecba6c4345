//! Folding: a fold's program over ops in their order, to rows.

use crate::code::{Code, Refused};
use crate::document::{Hash, encode, integer, to_hex};
use crate::op::Checked;
use kerai_vm::bytecode::{Limits, Verified};
use kerai_vm::encoding::root::{Context, Root};
use kerai_vm::encoding::{Options, cbor};
use kerai_vm::execute::Machine;
use kerai_vm::refusal::Refusal;
use kerai_vm::trap::Trap;
use kerai_vm::ulid::Ulid;
use kerai_vm::value::{Heap, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Rows: the canonical CBOR of `[path, key]` to that of the value.
pub type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// An op as a fold gets it.
#[derive(Debug, Clone)]
pub struct Input {
    pub position: u64,
    pub received: u64,
    pub op: Checked,
}

/// In which order a fold gets its ops, which says what it may know of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By ULID: a late op comes where it belongs, so that the time of its receipt says nothing.
    Ulid,
    /// By position: the order of the log, whose time is `received_ms`.
    Commit,
}

/// What came of folding.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folded {
    pub rows: Rows,
    /// Ops whose step trapped, by position: they left no trace in the state.
    pub poison: BTreeMap<u64, Trap>,
}

/// Where an op stands in the order by ULID: the ULID, the content's hash, the op id.
#[must_use]
pub fn ulid_order(input: &Input) -> (Ulid, Hash, Hash) {
    let op = &input.op.op;
    let mut heap = Heap::new(0);
    let kind = heap.string(op.kind.as_bytes());
    let resource = op.resource.as_ref().map_or(Value::NIL, |resource| heap.string(resource.as_bytes()));
    let payload = cbor::decode(&mut heap, &input.op.signed.payload, &Options::CANONICAL).unwrap_or(Value::NIL);
    let list = heap.list(&[kind, resource, payload]);
    // A checked op's parts have an encoding.
    let content = encode(&heap, list).unwrap_or_default();
    (op.ulid, *Root::of_data(Context::Order, &content).bytes(), input.op.id)
}

/// The op as a document: what its author gave, who signed it, and where it stands in the author's chain.
fn document(heap: &mut Heap, input: &Input, order: Order) -> Result<Value, Refusal> {
    let op = &input.op.op;
    let mut entries = Vec::new();
    let ulid = op.ulid.to_string();
    let (author, id) = (to_hex(&op.author), to_hex(&input.op.id));
    let texts = [("ulid", ulid.as_str()), ("type", &op.kind), ("actor", &op.actor), ("author", &author), ("id", &id)];
    for (name, text) in texts.into_iter().chain(op.resource.as_deref().map(|resource| ("resource", resource))) {
        entries.push((heap.string(name.as_bytes()), heap.string(text.as_bytes())));
    }
    entries.push((heap.string(b"seq"), integer(op.sequence)));
    if order == Order::Commit {
        entries.push((heap.string(b"received_ms"), integer(input.received)));
    }
    let payload = Some(&input.op.signed.payload);
    for (name, bytes) in [("payload", payload), ("caps", op.caps.as_ref()), ("labels", op.labels.as_ref())] {
        if let Some(bytes) = bytes {
            let value = cbor::decode(heap, bytes, &Options::CANONICAL)?;
            entries.push((heap.string(name.as_bytes()), value));
        }
    }
    Ok(heap.map(&entries).unwrap_or(Value::NIL))
}

fn trapped(export: &str, trap: Trap) -> Refused {
    Refused::new(Code::FOLD_TRAP, format!("`{export}`: {trap}"))
}

/// Folds ops from nothing. They come in no order or in that of the log.
///
/// A step is a transaction: where one traps, its op is poison and the state is as before it. The machine can't undo
/// a step, so folding begins again without the op.
///
/// # Errors
/// `FOLD_TRAP` where `init` or `finish` traps.
pub fn fold(program: &Verified, order: Order, inputs: &[Input]) -> Result<Folded, Refused> {
    let mut inputs: Vec<&Input> = inputs.iter().collect();
    match order {
        Order::Ulid => inputs.sort_by_cached_key(|input| ulid_order(input)),
        Order::Commit => inputs.sort_by_key(|input| input.position),
    }
    let mut poison: BTreeMap<u64, Trap> = BTreeMap::new();
    loop {
        match attempt(program, order, &inputs, &poison.keys().copied().collect())? {
            Attempt::Done(rows) => return Ok(Folded { rows, poison }),
            Attempt::Poison(position, trap) => drop(poison.insert(position, trap)),
        }
    }
}

enum Attempt {
    Done(Rows),
    Poison(u64, Trap),
}

fn attempt(program: &Verified, order: Order, inputs: &[&Input], poison: &BTreeSet<u64>) -> Result<Attempt, Refused> {
    // The seed can't be observed in any result.
    let mut machine = Machine::new(program, 0, Limits::DEFAULT);
    let missing = |export: &str| Refused::new(Code::PROGRAM_KIND, format!("no export `{export}`"));
    let begun = machine.call("init", &[]).ok_or_else(|| missing("init"))?;
    let mut state = first(&begun.map_err(|trap| trapped("init", trap))?);
    for input in inputs.iter().filter(|input| !poison.contains(&input.position)) {
        let op = document(machine.heap(), input, order)
            .map_err(|refusal| Refused::new(Code::LOG_DAMAGED, format!("op {}: {refusal}", input.position)))?;
        match machine.call("step", &[state, op]).ok_or_else(|| missing("step"))? {
            // A step changes the state it got, or gives another.
            Ok(results) => state = results.first().copied().unwrap_or(state),
            Err(trap) => return Ok(Attempt::Poison(input.position, trap)),
        }
    }
    let ended = machine.call("finish", &[state]).ok_or_else(|| missing("finish"))?;
    ended.map_err(|trap| trapped("finish", trap))?;
    Ok(Attempt::Done(machine.rows().iter().map(|row| (row.key.clone(), row.value.clone())).collect()))
}

fn first(values: &[Value]) -> Value {
    values.first().copied().unwrap_or(Value::NIL)
}
