//! Verifying, the pure part: everything computed again from the ops, and the first thing that is not what it was said to be.

use crate::backend::{StateRow, StoredOp, Stream};
use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::code::Refused;
use crate::document::{Hash, data_text, hash, to_hex};
use crate::gate::Gate;
use crate::governance::Binding;
use crate::log::{Commit, Facts, Log, Offer, Outcome, Record};
use crate::materialize::{self, Logged, State};
use crate::pages::{self, Entry, Map, Place, present};
use crate::program::Library;
use kerai_vm::encoding::map::{row_key, row_value};
use kerai_vm::encoding::root::Context;
use std::collections::{BTreeMap, BTreeSet};

/// What is stored of a stream: all that verifying looks at.
#[derive(Debug)]
pub struct Evidence {
    pub stream: Stream,
    pub ops: Vec<StoredOp>,
    pub state: BTreeMap<Vec<u8>, StateRow>,
    /// The latest first.
    pub checkpoints: Vec<SignedCheckpoint>,
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
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checked {
    pub ops: u64,
    pub rows: u64,
    pub checkpoints: u64,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    pub checked: Checked,
    /// Whether the stream or the signer of its checkpoints is among those that the asker trusts.
    pub is_anchored: bool,
    pub first_divergence: Option<Divergence>,
}

/// Why verifying ended early.
type Stop = Box<Divergence>;

fn differs(what: &str, stored: impl Into<String>, computed: impl Into<String>) -> Stop {
    let (what, stored, computed) = (what.into(), stored.into(), computed.into());
    Box::new(Divergence { what, stored, computed, ..Divergence::default() })
}

fn refused(what: &str, refused: &Refused) -> Stop {
    differs(what, "accepted", refused.to_string())
}

/// Computes everything again. `trusted` are keys and streams that the asker knows by other means.
#[must_use]
pub fn verify(evidence: &Evidence, trusted: &[Hash]) -> Verification {
    let mut answer = Verification::default();
    let result = Replay::of(evidence, &mut answer.checked);
    let signers = evidence.checkpoints.iter().filter_map(|signed| Checkpoint::decode(&signed.body).ok());
    let latest = signers.map(|checkpoint| checkpoint.signer).next();
    let is_trusted = |hash: Option<Hash>| hash.is_some_and(|hash| trusted.contains(&hash));
    answer.first_divergence = result.err().map(|stop| *stop);
    answer.is_anchored = answer.first_divergence.is_none()
        && (is_trusted(evidence.ops.first().map(|op| op.columns.op_id)) || is_trusted(latest));
    answer
}

/// The log as it is decided again, with what it was after each count that a checkpoint speaks of.
struct Replay<'e> {
    evidence: &'e Evidence,
    logged: Vec<Logged>,
    facts: Facts,
    bindings: BTreeMap<u64, Binding>,
}

impl Replay<'_> {
    fn of(evidence: &Evidence, checked: &mut Checked) -> Result<(), Stop> {
        let mut replay = Replay { evidence, logged: Vec::new(), facts: Facts::default(), bindings: BTreeMap::new() };
        let log = replay.ops(checked)?;
        replay.tip(&log)?;
        let latest = replay.checkpoints(checked)?;
        replay.closings()?;
        replay.pages(latest.as_ref())?;
        replay.rows(latest, checked)
    }

    /// Every op decided again, in its order.
    fn ops(&mut self, checked: &mut Checked) -> Result<Log, Stop> {
        let missing = || differs("the genesis", "nothing", "an op at position 1");
        let (first, rest) = self.evidence.ops.split_first().ok_or_else(missing)?;
        let library = &self.evidence.library;
        let at = |stored: &StoredOp, stop: Stop| {
            Box::new(Divergence { op: Some(stored.position), op_id: Some(stored.columns.op_id), ..*stop })
        };
        let begun = Log::begin(first.signed.clone(), library, received(first).map_err(|stop| at(first, stop))?);
        let (mut log, commit) = begun.map_err(|no| at(first, refused("the genesis", &no)))?;
        let binding = log.governance.binding.clone();
        self.take(first, &commit, &binding, &log, checked).map_err(|stop| at(first, stop))?;
        let mut rest = rest.iter().peekable();
        while let Some(next) = rest.peek() {
            let policy = log.policy(library).map_err(|no| at(next, refused("the policy", &no)))?;
            let mut gate = Gate::new(&policy.verified);
            let is_bound = |log: &Log| log.governance.binding.policy_root == policy.root;
            while let Some(stored) = rest.next_if(|_| is_bound(&log)) {
                let binding = log.governance.binding.clone();
                let offer = received(stored).and_then(|received| {
                    let offered = stored.signed.clone().read();
                    let offer = log.offer(offered, &mut self.facts, library, &mut gate, received);
                    offer.map_err(|no| refused("the op", &no))
                });
                let commit = match offer.map_err(|stop| at(stored, stop))? {
                    Offer::Committed(commit) => commit,
                    Offer::Repeat(position) => {
                        return Err(at(stored, differs("the op", "a position", format!("a repeat of op {position}"))));
                    }
                    Offer::Refused(no, _) => return Err(at(stored, refused("the op", &no))),
                };
                self.take(stored, &commit, &binding, &log, checked).map_err(|stop| at(stored, stop))?;
            }
        }
        Ok(log)
    }

    /// Compares what is stored of an op with what it comes to.
    fn take(
        &mut self,
        stored: &StoredOp,
        commit: &Commit,
        binding: &Binding,
        log: &Log,
        checked: &mut Checked,
    ) -> Result<(), Stop> {
        self.facts.committed.insert(commit.op.id, commit.record.position);
        self.facts.given.entry((commit.op.op.author, commit.op.op.ulid)).or_insert(commit.given);
        let computed = StoredOp::of(commit, binding.fold_root, binding.policy_root);
        if stored.record != computed.record {
            let shown = |bytes: &[u8]| Record::decode(bytes).map_or_else(|no| no.to_string(), |record| show(&record));
            return Err(differs("the commit record", shown(&stored.record), shown(&computed.record)));
        }
        if *stored != computed {
            let (stored, computed) = (format!("{:?}", stored.columns), format!("{:?}", computed.columns));
            return Err(differs("the op's columns", stored, computed));
        }
        self.logged.push(Logged::of(computed).map_err(|no| refused("the op", &no))?);
        self.bindings.insert(commit.record.position, log.governance.binding.clone());
        checked.ops += 1;
        Ok(())
    }

    /// The stream's own line against the log's end.
    fn tip(&self, log: &Log) -> Result<(), Stop> {
        let (stored, binding) = (&self.evidence.stream, &log.governance.binding);
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

    /// The state after so many records.
    fn state(&self, count: u64) -> Result<Option<(State, &Binding)>, Stop> {
        let Some(binding) = self.bindings.get(&count) else { return Ok(None) };
        let ops = usize::try_from(count).ok().and_then(|count| self.logged.get(..count)).unwrap_or_default();
        let state = materialize::state(ops, binding, &self.evidence.library);
        Ok(Some((state.map_err(|no| refused("the fold", &no))?, binding)))
    }

    /// Every checkpoint against the log at its count, the oldest first; the state after the latest.
    fn checkpoints(&self, checked: &mut Checked) -> Result<Option<State>, Stop> {
        let (mut latest, mut before) = (None, 0);
        for signed in self.evidence.checkpoints.iter().rev() {
            let checkpoint = signed.check().map_err(|no| refused("a checkpoint", &no))?;
            let interval = Some((before, checkpoint.count));
            let at = |stop: Stop| Box::new(Divergence { interval, ..*stop });
            let counts =
                || differs("a checkpoint's count", checkpoint.count.to_string(), self.logged.len().to_string());
            let (state, binding) = self.state(checkpoint.count).map_err(at)?.ok_or_else(counts).map_err(at)?;
            let computed = state.checkpoint(self.evidence.stream.genesis, binding, checkpoint.signer);
            compare(&checkpoint, &computed).map_err(at)?;
            before = checkpoint.count;
            checked.checkpoints += 1;
            latest = Some(state);
        }
        Ok(latest)
    }

    /// The checkpoints that closed epochs are anchored by are here.
    fn closings(&self) -> Result<(), Stop> {
        let here = self.evidence.checkpoints.iter().map(|signed| hash(Context::Checkpoint, &signed.body));
        let here: BTreeSet<Hash> = here.collect();
        let anchors = self.bindings.iter().filter_map(|(position, binding)| Some((*position, binding.closed?)));
        match anchors.into_iter().find(|(_, closed)| !here.contains(&closed.checkpoint)) {
            None => Ok(()),
            Some((position, closed)) => {
                let stop = differs("a closed epoch's checkpoint", "nothing", data_text(&closed.checkpoint));
                Err(Box::new(Divergence { op: Some(position), ..*stop }))
            }
        }
    }

    /// The pages of the maps against what the state after the latest checkpoint gives.
    fn pages(&self, latest: Option<&State>) -> Result<(), Stop> {
        let count = latest.map_or(0, |state| state.count);
        let is_in = |logged: &&Logged| logged.outcome == Outcome::Admitted && logged.input.position <= count;
        let inputs: Vec<Entry> =
            self.logged.iter().filter(is_in).map(|logged| (logged.input.op.id, present())).collect();
        let rows = latest.map(|state| {
            state.folded.rows.iter().map(|(key, value)| (row_key(key), row_value(value))).collect::<Vec<Entry>>()
        });
        let entries = [inputs, rows.unwrap_or_default()];
        for ((map, entries), stored) in Map::ALL.into_iter().zip(entries).zip(&self.evidence.pages) {
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

    /// The tables against the state after the latest checkpoint.
    fn rows(&self, latest: Option<State>, checked: &mut Checked) -> Result<(), Stop> {
        let rows = latest.map(|state| state.folded.rows).unwrap_or_default();
        let Some(wanted) = materialize::changes(&rows, &self.evidence.state).into_iter().next() else {
            checked.rows = rows.len() as u64;
            return Ok(());
        };
        let shown = |row: Option<&StateRow>| match row {
            None => "no row".to_owned(),
            Some(StateRow { value: None, .. }) => "a tombstone".to_owned(),
            Some(StateRow { value: Some(value), projection, .. }) => match &projection.view {
                Some(view) => format!("{view} ({})", to_hex(value)),
                None => to_hex(value),
            },
        };
        let mut stop = differs("a row", shown(self.evidence.state.get(&wanted.key)), shown(Some(&wanted)));
        stop.key = Some((wanted.projection.path, wanted.projection.name));
        Err(stop)
    }
}

fn received(stored: &StoredOp) -> Result<u64, Stop> {
    let record = Record::decode(&stored.record).map_err(|no| refused("the commit record", &no))?;
    Ok(record.received)
}

fn show(record: &Record) -> String {
    let code = record.outcome.code().map(|code| format!(" {}", code.name())).unwrap_or_default();
    let input = record.input.map_or_else(|| "no input".into(), |input| data_text(&input));
    format!(
        "op {} {}{code} by {:?}, {input}, received {}, under governance {}",
        record.position,
        record.outcome.name(),
        record.rules,
        record.received,
        record.governance
    )
}

fn compare(stored: &Checkpoint, computed: &Checkpoint) -> Result<(), Stop> {
    for ((name, stored), (_, computed)) in stored.roots().into_iter().zip(computed.roots()) {
        if stored != computed {
            return Err(differs(&format!("a checkpoint's {name}"), to_hex(stored), to_hex(computed)));
        }
    }
    if stored == computed {
        return Ok(());
    }
    let shown = |checkpoint: &Checkpoint| {
        let authors = checkpoint.vector.iter().map(|(author, head)| format!("{} {}", to_hex(author), head.sequence));
        let vector: Vec<String> = authors.collect();
        format!("epoch {}, profile {}, vector {}", checkpoint.epoch, checkpoint.profile, vector.join(", "))
    };
    Err(differs("a checkpoint", shown(stored), shown(computed)))
}
