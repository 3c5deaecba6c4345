//! Verifying, the pure part: everything computed again from the ops, and the first thing that is not what it was said to be.

use crate::audit::{self, Ask, Differing, Item, Recall, differs};
use crate::backend::{Columns, StateRow, StoredOp, Stream};
use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::document::{Hash, data_text, hash, to_hex};
use crate::fault::Fault;
use crate::fold::{Rows, Snapshot};
use crate::governance::Binding;
use crate::log::{Commit, Log, Outcome};
use crate::materialize;
use crate::op::SignedOp;
use crate::pages::{self, Entry, Map, Place, present};
use crate::program::Library;
use kerai_vm::encoding::map::{row_key, row_value};
use kerai_vm::encoding::root::Context;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What is stored of a stream: all that verifying looks at.
#[derive(Debug)]
pub struct Evidence {
    pub stream: Stream,
    pub ops: Vec<StoredOp>,
    pub state: BTreeMap<Vec<u8>, StateRow>,
    /// The latest first.
    pub checkpoints: Vec<SignedCheckpoint>,
    /// The snapshots that are kept, each with its epoch.
    pub snapshots: Vec<(u64, Snapshot)>,
    /// Ops of the stream's epoch that left no trace, by position, with their traps.
    pub poison: BTreeMap<u64, String>,
    /// The pages of the maps, in the order of [`Map::ALL`].
    pub pages: [BTreeMap<Place, Vec<u8>>; 2],
    pub library: Library,
}

/// Where what is stored first parts from what the ops give.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Divergence {
    /// The counts of the checkpoints between which it lies.
    pub interval: Option<(u64, u64)>,
    /// The position of the op.
    pub op: Option<u64>,
    pub op_id: Option<Hash>,
    /// The row's path and name.
    pub key: Option<(String, String)>,
    /// What it is that differs.
    pub what: String,
    pub stored: String,
    pub computed: String,
    /// The rule that decides, where a decision differs.
    pub rule: Option<String>,
    /// The rows that differ, as many as are told of.
    pub keys: Vec<Differing>,
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checked {
    pub ops: u64,
    pub rows: u64,
    pub checkpoints: u64,
    pub proofs: u64,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    pub checked: Checked,
    /// Whether the stream or the signer of its checkpoints is among those that the asker trusts.
    pub is_anchored: bool,
    /// Whether everything was decided and folded again: not where parts of ops are hidden.
    pub is_replayed: bool,
    pub first_divergence: Option<Divergence>,
}

/// Why verifying ended early.
type Stop = Box<Divergence>;

/// Computes everything again from what is stored.
///
/// # Errors
/// Never where all is at hand, as it is.
pub fn verify(evidence: &Evidence, ask: &Ask, told: &mut dyn FnMut(u64, f64)) -> Result<Verification, Fault> {
    let mut tables = Tables::of(evidence);
    let audited = audit::audit(&mut tables, &evidence.library, ask, told)?;
    let mut answer = audited.verification;
    if let Some(log) = audited.log {
        let rows = audited.rows.unwrap_or_default();
        let result = tip(evidence, &log)
            .and_then(|()| closings(evidence, &audited.closings))
            .and_then(|()| pages(evidence, &rows))
            .and_then(|()| projections(evidence, &rows))
            .and_then(|()| poison(evidence, audited.poison.as_ref()));
        answer.checked.rows = rows.len() as u64;
        answer.first_divergence = result.err().map(|stop| *stop);
        answer.is_anchored &= answer.first_divergence.is_none();
    }
    Ok(answer)
}

/// What comes next: an op by its place in the evidence, or what belongs behind it.
enum Next {
    Op(usize),
    Other(Box<Item>),
}

/// What is stored, as evidence.
pub struct Tables<'e> {
    evidence: &'e Evidence,
    items: VecDeque<Next>,
    given: usize,
}

impl Tables<'_> {
    #[must_use]
    pub fn of(evidence: &Evidence) -> Tables<'_> {
        Tables { evidence, items: items(evidence), given: 0 }
    }
}

/// Everything in the order in which it is audited.
fn items(evidence: &Evidence) -> VecDeque<Next> {
    let mut checkpoints: Vec<(u64, u64, &SignedCheckpoint)> = Vec::new();
    for signed in &evidence.checkpoints {
        // What can't be read comes first, where it is told of.
        let place = Checkpoint::decode(&signed.body).map(|checkpoint| (checkpoint.count, checkpoint.epoch));
        let (count, epoch) = place.unwrap_or_default();
        checkpoints.push((count, epoch, signed));
    }
    checkpoints.sort_by_key(|&(count, epoch, _)| (count, epoch));
    let mut checkpoints = checkpoints.into_iter().peekable();
    let mut items = VecDeque::new();
    let mut behind = |items: &mut VecDeque<Next>, until: u64| {
        while let Some((count, epoch, signed)) = checkpoints.next_if(|next| next.0 <= until) {
            items.push_back(Next::Other(Box::new(Item::Checkpoint(signed.clone()))));
            let snapshot = evidence.snapshots.iter().find(|kept| kept.0 == epoch && kept.1.count == count);
            if let Some((_, snapshot)) = snapshot {
                items.push_back(Next::Other(Box::new(Item::Snapshot(snapshot.clone()))));
            }
        }
    };
    for number in 0..evidence.ops.len() {
        items.push_back(Next::Op(number));
        behind(&mut items, number as u64 + 1);
    }
    behind(&mut items, u64::MAX);
    for row in evidence.state.values() {
        if let Some(value) = &row.value {
            items.push_back(Next::Other(Box::new(Item::Row(row.key.clone(), value.clone()))));
        }
    }
    items
}

impl Recall for Tables<'_> {
    fn recall(&mut self, place: u64) -> Result<(Vec<u8>, SignedOp), Fault> {
        let op = usize::try_from(place).ok().and_then(|place| self.evidence.ops.get(place));
        let op = op.ok_or_else(|| crate::backend::damaged("an op that is gone"))?;
        Ok((op.record.clone(), op.signed.clone()))
    }
}

impl audit::Evidence for Tables<'_> {
    fn next(&mut self) -> Result<Option<Item>, Fault> {
        self.given += 1;
        Ok(match self.items.pop_front() {
            None => None,
            Some(Next::Other(item)) => Some(*item),
            Some(Next::Op(number)) => self.evidence.ops.get(number).map(|op| Item::Op {
                place: number as u64,
                record: op.record.clone(),
                signed: op.signed.clone(),
            }),
        })
    }

    fn agrees(&self, place: u64, commit: &Commit, before: &Binding) -> Result<(), Stop> {
        let stored = usize::try_from(place).ok().and_then(|place| self.evidence.ops.get(place));
        let computed = Columns::of(commit, before.fold_root, before.policy_root);
        let is_same = |stored: &StoredOp| {
            let op = (stored.position, &stored.record, &stored.signed);
            stored.columns == computed && op == (commit.record.position, &commit.bytes, &commit.op.signed)
        };
        match stored {
            Some(stored) if is_same(stored) => Ok(()),
            Some(stored) => {
                let (stored, computed) = (format!("{:?}", stored.columns), format!("{computed:?}"));
                Err(differs("the op's columns", stored, computed))
            }
            None => Err(differs("the op's columns", "nothing", "an op")),
        }
    }

    fn progress(&self) -> f64 {
        self.given as f64 / (self.given + self.items.len()).max(1) as f64
    }
}

/// The stream's own line against the log's end.
fn tip(evidence: &Evidence, log: &Log) -> Result<(), Stop> {
    let (stored, binding) = (&evidence.stream, &log.governance.binding);
    let computed = Stream {
        number: stored.number,
        name: stored.name.clone(),
        genesis: log.stream,
        epoch: binding.epoch,
        fold_root: binding.fold_root,
        policy_root: binding.policy_root,
        governance_root: binding.governance_root,
        count: log.tree.count(),
        received: log.received,
        edge: log.tree.to_bytes(),
    };
    if *stored == computed {
        return Ok(());
    }
    let shown = |stream: &Stream| format!("{} records, epoch {}", stream.count, stream.epoch);
    Err(differs("the tip of the log", shown(stored), shown(&computed)))
}

/// The checkpoints that closed epochs are anchored by are here.
fn closings(evidence: &Evidence, closings: &BTreeMap<Hash, u64>) -> Result<(), Stop> {
    let here: BTreeSet<Hash> =
        evidence.checkpoints.iter().map(|signed| hash(Context::Checkpoint, &signed.body)).collect();
    match closings.iter().find(|(checkpoint, _)| !here.contains(*checkpoint)) {
        None => Ok(()),
        Some((checkpoint, position)) => {
            let stop = differs("a closed epoch's checkpoint", "nothing", data_text(checkpoint));
            Err(Box::new(Divergence { op: Some(*position), ..*stop }))
        }
    }
}

/// The pages of the maps against what the last checkpoint's inputs and rows give.
fn pages(evidence: &Evidence, rows: &Rows) -> Result<(), Stop> {
    let counts = evidence.checkpoints.iter().filter_map(|signed| Checkpoint::decode(&signed.body).ok());
    let count = counts.map(|checkpoint| checkpoint.count).max().unwrap_or(0);
    let is_in = |op: &&StoredOp| op.position <= count && op.columns.outcome == Outcome::Admitted.name();
    let inputs: Vec<Entry> = evidence.ops.iter().filter(is_in).map(|op| (op.columns.op_id, present())).collect();
    let rows: Vec<Entry> = rows.iter().map(|(key, value)| (row_key(key), row_value(value))).collect();
    for ((map, entries), stored) in Map::ALL.into_iter().zip([inputs, rows]).zip(&evidence.pages) {
        let computed: BTreeMap<Place, Vec<u8>> = pages::whole(map, entries).added.into_iter().collect();
        let differing = |place: &&Place| stored.get(*place) != computed.get(*place);
        if let Some(place) = computed.keys().chain(stored.keys()).find(differing) {
            let shown = |page: Option<&Vec<u8>>| page.map_or_else(|| "no page".into(), |page| to_hex(page));
            let what = format!("page `{}` of the map of {}", to_hex(place), map.name());
            return Err(differs(&what, shown(stored.get(place)), shown(computed.get(place))));
        }
    }
    Ok(())
}

/// The ops that left no trace, where the last checkpoint is of the stream's epoch.
fn poison(evidence: &Evidence, computed: Option<&BTreeMap<u64, String>>) -> Result<(), Stop> {
    let latest = evidence.checkpoints.iter().filter_map(|signed| Checkpoint::decode(&signed.body).ok());
    let is_its =
        latest.max_by_key(|checkpoint| checkpoint.count).is_some_and(|last| last.epoch == evidence.stream.epoch);
    let Some(computed) = computed.filter(|_| is_its) else { return Ok(()) };
    let mut positions = computed.keys().chain(evidence.poison.keys());
    let Some(&position) = positions.find(|&position| computed.get(position) != evidence.poison.get(position)) else {
        return Ok(());
    };
    let shown = |trap: Option<&String>| trap.map_or_else(|| "no trap".into(), Clone::clone);
    let stop = differs("what is said of poison", shown(evidence.poison.get(&position)), shown(computed.get(&position)));
    Err(Box::new(Divergence { op: Some(position), ..*stop }))
}

/// What is projected of the rows, and the tombstones, against what follows from the rows.
fn projections(evidence: &Evidence, rows: &Rows) -> Result<(), Stop> {
    let Some(wanted) = materialize::changes(rows, &evidence.state).into_iter().next() else { return Ok(()) };
    let shown = |row: Option<&StateRow>| match row {
        None => "no row".to_owned(),
        Some(StateRow { value: None, .. }) => "a tombstone".to_owned(),
        Some(StateRow { value: Some(value), projection, .. }) => match &projection.view {
            Some(view) => format!("{view} ({})", to_hex(value)),
            None => to_hex(value),
        },
    };
    let mut stop = differs("a row", shown(evidence.state.get(&wanted.key)), shown(Some(&wanted)));
    stop.key = Some((wanted.projection.path, wanted.projection.name));
    Err(stop)
}
