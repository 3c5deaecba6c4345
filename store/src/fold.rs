//! Folding: a fold's program over ops in their order, to rows.

use crate::code::{Code, Refused};
use crate::document::{Form, Hash, Scratch, encode};
use crate::limit::{self, length};
use crate::op::{Checked, Plain};
use kerai_vm::bytecode::{Limits, Order, Verified};
use kerai_vm::encoding::root::{Context, Root};
use kerai_vm::encoding::{Options, cbor};
use kerai_vm::fold::{self as vm_fold, FoldFault, Folding, RowChanges};
use kerai_vm::refusal::Refusal;
use kerai_vm::trap::Trap;
use kerai_vm::ulid::Ulid;
use kerai_vm::value::{Point, Value};
use std::collections::{BTreeMap, VecDeque};

/// Rows: the canonical CBOR of `[path, key]` to that of the value.
pub type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// An op as a fold gets it.
#[derive(Debug, Clone)]
pub struct Input {
    pub position: u64,
    pub received: u64,
    pub op: Checked,
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
    /// The root of the state, rows or not.
    #[must_use]
    pub fn root(&self) -> Hash {
        *Folding::snapshot_root(&self.bytes).bytes()
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

/// An op as it is folded: its document, and what its place in the order follows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub position: u64,
    pub ulid: Ulid,
    pub op: Hash,
    /// Canonical CBOR.
    pub document: Vec<u8>,
}

impl Step {
    /// # Errors
    /// `LOG_DAMAGED` where a part of the op has no canonical form.
    pub fn of(input: &Input, order: Order) -> Result<Step, Refused> {
        Step::at(input.position, input.received, &input.op, order)
    }

    /// As [`Step::of`], of an op that the caller keeps.
    ///
    /// # Errors
    /// As [`Step::of`].
    pub fn at(position: u64, received: u64, op: &Checked, order: Order) -> Result<Step, Refused> {
        let damaged = |refusal| Refused::new(Code::LOG_DAMAGED, format!("op {position}: {refusal}"));
        let mut document = Vec::new();
        write_document(op.plain(), received, order, &mut document).map_err(damaged)?;
        Ok(Step { position, ulid: op.op.ulid, op: op.id, document })
    }

    /// Where the op stands in the order by ULID.
    #[must_use]
    pub fn place(&self) -> Place {
        let heap = &mut Scratch::new();
        // It was encoded from a value.
        let value = cbor::decode(heap, &self.document, &Options::CANONICAL).unwrap_or(Value::NIL);
        let mut field = |name: &str| {
            let key = heap.string(name.as_bytes());
            heap.get(value, key).unwrap_or(Value::NIL)
        };
        let parts = [field("type"), field("resource"), field("payload")];
        let list = heap.list(&parts);
        // A checked op's parts have an encoding.
        let content = encode(heap, list).unwrap_or_default();
        (self.ulid, *Root::of_data(Context::Order, &content).bytes(), self.op)
    }
}

/// Appends the op as a document: what its author gave, who signed it, and where it stands in the author's chain.
pub(crate) fn write_document(op: Plain<'_>, received: u64, order: Order, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let Plain { id, op, payload } = op;
    let mut form = Form::new();
    form.hex("id", id).integer("seq", op.sequence).document_if("caps", op.caps.as_ref()).text("type", &op.kind);
    form.text("ulid", &op.ulid.to_string()).text("actor", &op.actor).hex("author", &op.author);
    form.document_if("labels", op.labels.as_ref()).document("payload", payload);
    form.text_if("resource", op.resource.as_deref());
    if order == Order::Commit {
        form.integer("received_ms", received);
    }
    form.finish_into(out)
}

/// The least place of ops; places of one ULID are told apart by their contents, which are looked at only then.
#[must_use]
pub fn first(steps: &[Step]) -> Option<Place> {
    let ulid = steps.iter().map(|step| step.ulid).min()?;
    steps.iter().filter(|step| step.ulid == ulid).map(Step::place).min()
}

/// Ops in a fold's order.
fn sort(order: Order, steps: &mut [Step]) {
    if order == Order::Commit {
        return steps.sort_by_key(|step| step.position);
    }
    // Any order would do for a fold of joins: this one makes poison and places the same everywhere.
    steps.sort_by_key(|step| step.ulid);
    for same in steps.chunk_by_mut(|a, b| a.ulid == b.ulid).filter(|same| same.len() > 1) {
        same.sort_by_cached_key(Step::place);
    }
}

/// Ops that are folded between two words about it.
const TOLD: usize = 1024;

/// A fold under way.
pub struct Run<'p> {
    folding: Folding<'p>,
    order: Order,
    last: Option<Place>,
    poison: BTreeMap<u64, Trap>,
    /// Points to go back to, each with the count of records that the log had, the oldest first.
    points: VecDeque<(Point, u64, Option<Place>)>,
}

impl<'p> Run<'p> {
    /// Begins with no ops, or goes on from a snapshot. The policy that ops passed is part of what chance is drawn from.
    ///
    /// # Errors
    /// `FOLD_TRAP` where `init` traps, `PROGRAM_KIND` where the program is no fold, `LOG_DAMAGED` where the snapshot is
    /// none.
    pub fn begin(
        program: &'p Verified,
        order: Order,
        policy_root: &Hash,
        from: Option<&Snapshot>,
    ) -> Result<Run<'p>, Refused> {
        // The seed can't be observed in any result.
        let mut folding = match from {
            None => Folding::new(program, 0, Limits::DEFAULT).map_err(|fault| begun(&fault))?,
            Some(from) => Folding::resume(program, 0, Limits::DEFAULT, &from.bytes, from.folded)
                .map_err(|fault| Refused::new(Code::LOG_DAMAGED, format!("a snapshot: {}", begun(&fault))))?,
        };
        folding.under_policy(*policy_root);
        let last = from.and_then(|from| from.last);
        Ok(Run { folding, order, last, poison: BTreeMap::new(), points: VecDeque::new() })
    }

    /// Folds ops, which come in any order; in the fold's order all of them come after those that were folded before.
    ///
    /// # Errors
    /// `LOG_DAMAGED` where a document is none.
    pub fn take(&mut self, steps: Vec<Step>) -> Result<(), Refused> {
        self.take_told(steps, &|_| ())
    }

    /// As [`Run::take`], and tells how many are folded.
    ///
    /// # Errors
    /// As [`Run::take`].
    pub fn take_told(&mut self, mut steps: Vec<Step>, told: &dyn Fn(usize)) -> Result<(), Refused> {
        sort(self.order, &mut steps);
        let damaged = |position, refusal| Refused::new(Code::LOG_DAMAGED, format!("op {position}: {refusal}"));
        let position = |number: usize| steps.get(number).map_or(0, |step| step.position);
        let poison = &mut self.poison;
        let taken = self.folding.take(steps.iter().map(|step| step.document.as_slice()), |number, result| {
            if number.is_multiple_of(TOLD) {
                told(number);
            }
            if let Err(trap) = result {
                poison.insert(position(number), trap);
            }
        });
        taken.map_err(|(number, refusal)| damaged(position(number), refusal))?;
        // Where late ops need no rewinding, the last one is not always the greatest.
        self.last = self.last.max(steps.last().map(Step::place));
        Ok(())
    }

    /// Makes the rows of the state, and says how they differ from those that were made before.
    ///
    /// # Errors
    /// `FOLD_TRAP` where `finish` traps: the rows are as before.
    pub fn finish(&mut self) -> Result<RowChanges, Refused> {
        self.folding.finish().map_err(|trap| Refused::new(Code::FOLD_TRAP, format!("`finish`: {trap}")))
    }

    /// The rows as they were made last.
    pub const fn rows(&mut self) -> &mut vm_fold::Rows {
        self.folding.rows()
    }

    /// The state itself.
    ///
    /// # Errors
    /// `FOLD_TRAP` where it passes a limit on snapshots.
    pub fn snapshot(&self) -> Result<Vec<u8>, Refused> {
        self.folding.snapshot().map_err(|refusal| Refused::new(Code::FOLD_TRAP, refusal.to_string()))
    }

    /// How many ops were folded, those of the snapshot included, and the place of the last one.
    #[must_use]
    pub const fn folded(&self) -> (u64, Option<Place>) {
        (self.folding.count(), self.last)
    }

    /// Ops whose step trapped since the fold was begun, went on or went back, by position.
    #[must_use]
    pub const fn poison(&self) -> &BTreeMap<u64, Trap> {
        &self.poison
    }

    /// Keeps the state of a log with so many records as a point to go back to.
    pub fn keep(&mut self, count: u64) {
        self.poison.clear();
        let point = self.folding.point();
        self.points.push_back((point, count, self.last));
        if self.points.len() > length(limit::FOLD_POINTS) {
            self.points.pop_front();
            if let Some(oldest) = self.points.front() {
                self.folding.forget_before(oldest.0);
            }
        }
    }

    /// The newest point that comes before a place; none where only older states do.
    #[must_use]
    pub fn before(&self, place: Option<&Place>) -> Option<u64> {
        let is_before = |last: &Option<Place>| place.is_none_or(|place| last.is_none_or(|last| last < *place));
        self.points.iter().rev().find(|point| is_before(&point.2)).map(|point| point.1)
    }

    /// Goes back to the point of a count; false where there is none.
    pub fn rewind(&mut self, count: u64) -> bool {
        let Some(at) = self.points.iter().position(|point| point.1 == count) else { return false };
        self.points.truncate(at + 1);
        let Some(&(point, _, last)) = self.points.back() else { return false };
        self.last = last;
        self.poison.clear();
        self.folding.rewind_to(point)
    }
}

/// Folds ops from nothing.
///
/// # Errors
/// As [`Run::begin`] and [`Run::finish`].
pub fn fold(program: &Verified, order: Order, policy_root: &Hash, steps: Vec<Step>) -> Result<Folded, Refused> {
    fold_on(None, program, order, policy_root, steps)
}

/// Folds ops on top of a state.
///
/// # Errors
/// As [`fold`].
pub fn fold_on(
    from: Option<&Snapshot>,
    program: &Verified,
    order: Order,
    policy_root: &Hash,
    steps: Vec<Step>,
) -> Result<Folded, Refused> {
    let mut run = Run::begin(program, order, policy_root, from)?;
    run.take(steps)?;
    run.finish()?;
    let rows = run.rows().sorted().iter().map(|row| (row.key.clone(), row.value.clone())).collect();
    let (folded, last) = run.folded();
    Ok(Folded { rows, snapshot: run.snapshot()?, poison: run.poison, folded, last })
}

fn begun(fault: &FoldFault) -> Refused {
    match fault {
        FoldFault::Refused(refusal) => Refused::new(Code::PROGRAM_KIND, refusal.to_string()),
        FoldFault::Trapped(trap) => Refused::new(Code::FOLD_TRAP, format!("`init`: {trap}")),
    }
}
