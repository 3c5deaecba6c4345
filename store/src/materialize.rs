//! Materializing, the pure part: from a log's ops to rows, roots and what must change in the tables.

use crate::backend::{Projection, StateRow, StoredOp, damaged};
use crate::checkpoint::Checkpoint;
use crate::code::Refused;
use crate::document::Hash;
use crate::fold::{self, Folded, Input, Order, Rows};
use crate::governance::Binding;
use crate::log::{Head, LogTree, Outcome, Record};
use crate::op::{Checked, Op};
use crate::program::{FOLD_EXPORTS, Library};
use crate::state;
use kerai_vm::bytecode::{PROFILE, ProgramKind};
use kerai_vm::encoding::{Options, cbor, json};
use kerai_vm::value::{Heap, Value};
use std::collections::BTreeMap;

/// An op of the log with its record, understood.
#[derive(Debug, Clone)]
pub struct Logged {
    pub input: Input,
    pub outcome: Outcome,
    pub record: Vec<u8>,
}

impl Logged {
    /// Reads what is stored. Signatures and decisions are not checked again here: `verify` does.
    ///
    /// # Errors
    /// `LOG_DAMAGED` where op or record don't decode, or don't belong together.
    pub fn of(stored: StoredOp) -> Result<Logged, Refused> {
        let record = Record::decode(&stored.record)?;
        let op = Op::decode(&stored.signed.body).map_err(|refused| damaged(refused.to_string()))?;
        if record.position != stored.position || record.op != stored.columns.op_id {
            return Err(damaged(format!("the record of op {} is another's", stored.position)));
        }
        let op = Checked { id: record.op, op, signed: stored.signed };
        let input = Input { position: record.position, received: record.received, op };
        Ok(Logged { input, outcome: record.outcome, record: stored.record })
    }
}

/// What a log amounts to.
#[derive(Debug, Clone)]
pub struct State {
    pub count: u64,
    pub vector: BTreeMap<Hash, Head>,
    pub inputs_root: Hash,
    pub log_head: Hash,
    pub state_root: Hash,
    pub snapshot_root: Hash,
    pub folded: Folded,
}

/// Folds a whole log under the fold that is bound.
///
/// # Errors
/// `FOLD_TRAP`, or the fold is missing.
pub fn state(ops: &[Logged], binding: &Binding, library: &Library) -> Result<State, Refused> {
    let program = library.find(&binding.fold_root, ProgramKind::Fold, FOLD_EXPORTS)?;
    let (mut tree, mut vector) = (LogTree::default(), BTreeMap::new());
    for logged in ops {
        tree.push(&logged.record);
        let op = &logged.input.op;
        vector.insert(op.op.author, Head { sequence: op.op.sequence, op: op.id });
    }
    let admitted = || ops.iter().filter(|logged| logged.outcome == Outcome::Admitted).map(|logged| &logged.input);
    let inputs: Vec<Input> = admitted().filter(|input| !input.op.op.is_governance()).cloned().collect();
    let folded = fold::fold(&program.verified, Order::Ulid, None, &inputs)?;
    Ok(State {
        count: tree.count(),
        vector,
        inputs_root: state::inputs_root(admitted().map(|input| &input.op.id)),
        log_head: tree.head(),
        state_root: state::state_root(&folded.rows),
        snapshot_root: folded.snapshot_root(),
        folded,
    })
}

impl State {
    /// The checkpoint of this state, as yet unsigned.
    #[must_use]
    pub fn checkpoint(&self, stream: Hash, binding: &Binding, signer: Hash) -> Checkpoint {
        Checkpoint {
            stream,
            epoch: binding.epoch,
            count: self.count,
            vector: self.vector.clone(),
            inputs_root: self.inputs_root,
            log_head: self.log_head,
            state_root: self.state_root,
            snapshot_root: self.snapshot_root,
            fold_root: binding.fold_root,
            policy_root: binding.policy_root,
            governance_root: binding.governance_root,
            profile: u64::from(PROFILE),
            signer,
        }
    }
}

/// The rows to write so that the tables say what the fold does: new ones, changed ones, tombstones.
#[must_use]
pub fn changes(rows: &Rows, stored: &BTreeMap<Vec<u8>, StateRow>) -> Vec<StateRow> {
    let wanted = rows.iter().map(|(key, value)| row(key, Some(value)));
    let gone = stored.keys().filter(|&key| !rows.contains_key(key)).map(|key| row(key, None));
    let mut changes: Vec<StateRow> = wanted.chain(gone).filter(|row| stored.get(&row.key) != Some(row)).collect();
    changes.sort_by(|a, b| a.key.cmp(&b.key));
    changes
}

/// A row with its projections; without a value, its tombstone.
#[must_use]
pub fn row(key: &[u8], value: Option<&Vec<u8>>) -> StateRow {
    let mut heap = Heap::new(0);
    let pair = cbor::decode(&mut heap, key, &Options::CANONICAL).unwrap_or(Value::NIL);
    let parts = heap.items(pair).map(<[Value]>::to_vec).unwrap_or_default();
    let path = parts.first().and_then(|path| crate::document::text_of(&heap, *path)).unwrap_or_default();
    let name = parts.get(1).and_then(|name| view(&heap, *name)).unwrap_or_default();
    let shown = value.and_then(|bytes| {
        let value = cbor::decode(&mut heap, bytes, &Options::CANONICAL).ok()?;
        view(&heap, value)
    });
    StateRow { key: key.to_vec(), value: value.cloned(), projection: Projection { path, name, view: shown } }
}

/// The value as JSON, where JSON can show it.
fn view(heap: &Heap, value: Value) -> Option<String> {
    let mut out = Vec::new();
    json::encode(heap, value, &Options::CANONICAL, &mut out).ok()?;
    String::from_utf8(out).ok()
}
