//! Folding: a fold's program over ops in their order, to rows.

use crate::code::{Code, Refused};
use crate::document::{Hash, encode, integer, to_hex};
use crate::op::Checked;
use kerai_vm::bytecode::{Limits, Verified};
use kerai_vm::encoding::root::{Context, Root};
use kerai_vm::encoding::{Options, cbor};
use kerai_vm::fold::{FoldFault, Folding};
use kerai_vm::refusal::Refusal;
use kerai_vm::trap::Trap;
use kerai_vm::ulid::Ulid;
use kerai_vm::value::{Heap, Value};
use std::collections::BTreeMap;

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

/// A state to go on from: nothing tells it from one that never stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// How many records the log had.
    pub count: u64,
    /// How many ops were folded.
    pub folded: u64,
    /// The place of the last op in the order by ULID; none where no op was folded.
    pub last: Option<Place>,
    pub bytes: Vec<u8>,
}

impl Snapshot {
    /// Whether ops can be folded on top of it: all come later in the order by ULID.
    #[must_use]
    pub fn precedes(&self, inputs: &[Input]) -> bool {
        self.last.is_none_or(|last| inputs.iter().all(|input| place(input) > last))
    }
}

/// What came of folding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded {
    pub rows: Rows,
    /// Ops whose step trapped, by position: they left no trace in the state.
    pub poison: BTreeMap<u64, Trap>,
    /// How many ops were folded, those of the snapshot included.
    pub folded: u64,
    pub last: Option<Place>,
    /// The state itself.
    pub snapshot: Vec<u8>,
}

impl Folded {
    /// The root of the state, rows or not.
    #[must_use]
    pub fn snapshot_root(&self) -> Hash {
        *Folding::snapshot_root(&self.snapshot).bytes()
    }
}

/// A place in the order by ULID: the ULID, the content's hash, the op id.
pub type Place = (Ulid, Hash, Hash);

/// Where an op stands in the order by ULID.
#[must_use]
pub fn place(input: &Input) -> Place {
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
pub(crate) fn document(input: &Input, order: Order) -> Result<Vec<u8>, Refusal> {
    let heap = &mut Heap::new(0);
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
    let map = heap.map(&entries).unwrap_or(Value::NIL);
    encode(heap, map)
}

/// The op as a fold by ULID gets it, as canonical CBOR.
///
/// # Errors
/// Where a part of it has no canonical form.
pub fn op_document(input: &Input) -> Result<Vec<u8>, Refusal> {
    document(input, Order::Ulid)
}

/// Folds ops from a snapshot, or from nothing. They come in no order or in that of the log; where they go on from a
/// snapshot, all of them must come after it in the fold's order.
///
/// # Errors
/// `FOLD_TRAP` where `init` or `finish` traps, `PROGRAM_KIND` where the program is no fold, `LOG_DAMAGED` where the
/// snapshot is none.
pub fn fold(program: &Verified, order: Order, from: Option<&Snapshot>, inputs: &[Input]) -> Result<Folded, Refused> {
    let mut places: Vec<(Place, &Input)> = inputs.iter().map(|input| (place(input), input)).collect();
    match order {
        Order::Ulid => places.sort_by_key(|found| found.0),
        Order::Commit => places.sort_by_key(|found| found.1.position),
    }
    // The seed can't be observed in any result.
    let mut folding = match from {
        None => Folding::new(program, 0, Limits::DEFAULT).map_err(|fault| begun(&fault))?,
        Some(from) => Folding::resume(program, 0, Limits::DEFAULT, &from.bytes, from.folded)
            .map_err(|fault| Refused::new(Code::LOG_DAMAGED, format!("a snapshot: {}", begun(&fault))))?,
    };
    let mut poison = BTreeMap::new();
    let damaged = |position, refusal| Refused::new(Code::LOG_DAMAGED, format!("op {position}: {refusal}"));
    for (_, input) in &places {
        let op = document(input, order).and_then(|op| folding.offer(&op));
        op.map_err(|refusal| damaged(input.position, refusal))?;
        if let Some(Err(trap)) = folding.step() {
            poison.insert(input.position, trap);
        }
    }
    folding.finish().map_err(|trap| Refused::new(Code::FOLD_TRAP, format!("`finish`: {trap}")))?;
    let rows = folding.rows().sorted().iter().map(|row| (row.key.clone(), row.value.clone())).collect();
    let snapshot = folding.snapshot().map_err(|refusal| Refused::new(Code::FOLD_TRAP, refusal.to_string()))?;
    let last = places.last().map(|found| found.0).or(from.and_then(|from| from.last));
    Ok(Folded { rows, poison, folded: folding.count(), last, snapshot })
}

fn begun(fault: &FoldFault) -> Refused {
    match fault {
        FoldFault::Refused(refusal) => Refused::new(Code::PROGRAM_KIND, refusal.to_string()),
        FoldFault::Trapped(trap) => Refused::new(Code::FOLD_TRAP, format!("`init`: {trap}")),
    }
}
