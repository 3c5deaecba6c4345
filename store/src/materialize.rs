//! Materializing, the pure part: from a log's ops to rows, roots and what must change in the tables.

use crate::backend::{Projection, StateRow, StoredOp, damaged};
use crate::checkpoint::Checkpoint;
use crate::code::Refused;
use crate::document::{Hash, Scratch};
use crate::fold::{Folded, Input, Rows};
use crate::governance::Binding;
use crate::log::{Head, LogTree, Outcome, Record};
use crate::op::{Checked, Op};
use crate::state;
use kerai_vm::encoding::{Options, cbor, json};
use kerai_vm::value::{Heap, Value};
use std::collections::BTreeMap;

/// An op of the log with its record, understood.
#[derive(Debug, Clone)]
pub struct Logged {
    pub input: Input,
    pub outcome: Outcome,
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
        Ok(Logged { input, outcome: record.outcome })
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

/// What a log amounts to: its records from the first on, and the fold of what came after a state.
///
/// # Errors
/// `FOLD_TRAP`, or `LOG_DAMAGED` where a record does not decode.
pub fn state(records: &[Vec<u8>], vector: BTreeMap<Hash, Head>, folded: Folded) -> Result<State, Refused> {
    let mut tree = LogTree::default();
    let mut admitted = Vec::new();
    for bytes in records {
        tree.push(bytes);
        let record = Record::decode(bytes)?;
        if record.outcome == Outcome::Admitted {
            admitted.push(record.op);
        }
    }
    Ok(State {
        count: tree.count(),
        vector,
        inputs_root: state::inputs_root(admitted.iter()),
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
            count: self.count,
            vector: self.vector.clone(),
            inputs_root: self.inputs_root,
            log_head: self.log_head,
            state_root: self.state_root,
            snapshot_root: self.snapshot_root,
            ..Checkpoint::under(stream, binding, signer)
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

/// Which of the kept snapshots, by their counts, the newest first, are needed no more: of those whose ages have as many
/// bits, the oldest is kept. So there are few, and a late op goes back not much further than it must.
#[must_use]
pub fn surplus(counts: &[u64]) -> Vec<u64> {
    let newest = counts.first().copied().unwrap_or(0);
    let bits = |count: u64| newest.saturating_sub(count).checked_ilog2();
    let pairs = counts.iter().zip(counts.iter().skip(1));
    pairs.filter(|&(&count, &older)| count != newest && bits(count) == bits(older)).map(|(&count, _)| count).collect()
}

/// A row with its projections; without a value, its tombstone. Databases hold no text with U+0000: its picture stands for it.
#[must_use]
pub fn row(key: &[u8], value: Option<&Vec<u8>>) -> StateRow {
    let mut heap = Scratch::new();
    let pair = cbor::decode(&mut heap, key, &Options::CANONICAL).unwrap_or(Value::NIL);
    let parts = heap.items(pair).map(<[Value]>::to_vec).unwrap_or_default();
    let path = parts.first().and_then(|path| crate::document::text_of(&heap, *path)).unwrap_or_default();
    let path = path.replace('\0', "\u{2400}");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_no_database_holds_is_shown() {
        let (key, value) = (b"\x82\x63a\0b\x61k", vec![0x61, 0]);
        let row = row(key, Some(&value));
        assert_eq!((row.key.as_slice(), row.value.as_ref()), (&key[..], Some(&value)));
        let shown = Projection { path: "a\u{2400}b".into(), name: "\"k\"".into(), view: Some("\"\\u0000\"".into()) };
        assert_eq!(row.projection, shown);
    }

    #[test]
    fn few_snapshots_are_kept_and_none_too_far() {
        let mut kept: Vec<u64> = Vec::new();
        for newest in 1..=1000_u64 {
            kept.insert(0, newest);
            let gone = surplus(&kept);
            kept.retain(|count| !gone.contains(count));
            assert!(kept.len() <= 2 + newest.ilog2() as usize, "{newest}: {kept:?}");
            assert_eq!(kept.first(), Some(&newest));
            for late in 1..newest {
                let back = kept.iter().find(|&&count| count <= newest - late).map(|count| newest - count);
                assert!(back.is_some_and(|back| back <= 4 * late), "{newest}: {late} back is {back:?} of {kept:?}");
            }
        }
    }
}
