//! Auditing, the pure part: a log from its first op on, everything computed again, and the first thing that is not as it
//! was said to be.
//!
//! One pass: ops are looked at ahead of the log by as many threads as there are, decided again in the log's order, and
//! folded. At each checkpoint everything that it binds is compared, so that the first interval that diverges is known
//! when it is reached; nothing has to be folded twice but what a late op goes back over.

mod ahead;
mod index;
mod partial;
mod refold;
mod rows;
mod tables;
mod trace;
mod writer;

pub(crate) use refold::draws;
pub use rows::Differing;
pub use tables::Tables;
pub(crate) use tables::{after, beside};
pub use trace::{Traced, Which, rows_by, trace};
pub use writer::Written;

use crate::backend::Columns;
use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::code::{Code, Refused};
use crate::document::{Hash, data_text, hash, program_text, to_hex};
use crate::fault::Fault;
use crate::fold::{Snapshot, Step};
use crate::gate::Gate;
use crate::governance::Binding;
use crate::log::{Commit, Foresight, Log, Outcome, Record};
use crate::op::{SignedOp, Sound, op_id};
use crate::pack::{self, Hidden, PrunedOp, named_roots};
use crate::program::{FOLD_EXPORTS, Library};
use crate::proof;
use crate::verify::{Checked as Counts, Divergence, Verification};
use ahead::{Foreseen, Known};
use index::{Index, Inputs};
use kerai_vm::bytecode::{Certificate, Class, Grounds, Order, PROFILE, ProgramKind};
use kerai_vm::encoding::root::{Context, Root};
use kerai_vm::law;
use kerai_vm::ulid::Ulid;
use refold::Refold;
use rows::Given;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Keys and streams that the asker knows by other means.
    pub trusted: Vec<Hash>,
    /// A checkpoint that was right: the log must go on from it.
    pub extends: Option<Checkpoint>,
    /// The count of the checkpoint from whose snapshot on is folded; what it binds before is taken from it.
    pub from: Option<u64>,
    /// Threads that look at ops ahead of the log.
    pub jobs: usize,
    /// Whether signatures are verified.
    pub signatures: bool,
}

impl Default for Ask {
    fn default() -> Ask {
        Ask { trusted: Vec::new(), extends: None, from: None, jobs: 1, signatures: true }
    }
}

/// A piece of evidence. Ops come in the order of the log, a checkpoint behind the last op that it counts, a snapshot
/// behind its checkpoint, and the rows after the last one at the end, in the order of their keys.
#[derive(Debug)]
pub enum Item {
    Op {
        place: u64,
        record: Vec<u8>,
        signed: SignedOp,
    },
    /// An op as it lies in a pack.
    PackedOp {
        place: u64,
        content: Vec<u8>,
    },
    HiddenOp {
        place: u64,
        record: Vec<u8>,
        hidden: Hidden,
    },
    PrunedOp {
        place: u64,
        record: Vec<u8>,
        left: Box<PrunedOp>,
    },
    Checkpoint(SignedCheckpoint),
    Snapshot(Snapshot),
    Row(Vec<u8>, Vec<u8>),
    Proof(Vec<u8>),
}

/// What can be asked for an op again.
pub trait Recall {
    /// The record and the op that an item of this place held.
    ///
    /// # Errors
    /// Where it can't be read again, or is gone.
    fn recall(&mut self, place: u64) -> Result<(Vec<u8>, SignedOp), Fault>;
}

/// All that is at hand of a stream.
pub trait Evidence: Recall {
    /// # Errors
    /// Where it can't be read, or is not in its form.
    fn next(&mut self) -> Result<Option<Item>, Fault>;

    /// Whether what else is kept of an op agrees with what it comes to.
    ///
    /// # Errors
    /// Where it does not.
    fn agrees(&mut self, _place: u64, _position: u64, _computed: &dyn Fn() -> Columns) -> Result<(), Box<Divergence>> {
        Ok(())
    }

    /// Up to which record ops may be gone; the state after it comes as a snapshot.
    fn pruned(&self) -> Option<u64> {
        None
    }

    /// How much of it was given, from 0 to 1.
    fn progress(&self) -> f64 {
        0.0
    }
}

/// Why auditing ended early.
pub(crate) enum Stopped {
    Diverged(Box<Divergence>),
    Fault(Fault),
}

impl Stopped {
    /// The same, found at an op.
    fn at_op(self, position: u64, op: Hash) -> Stopped {
        match self {
            Stopped::Diverged(stop) => {
                Stopped::Diverged(Box::new(Divergence { op: Some(position), op_id: Some(op), ..*stop }))
            }
            Stopped::Fault(fault) => Stopped::Fault(fault),
        }
    }
}

impl From<Box<Divergence>> for Stopped {
    fn from(divergence: Box<Divergence>) -> Stopped {
        Stopped::Diverged(divergence)
    }
}

impl From<Refused> for Stopped {
    fn from(no: Refused) -> Stopped {
        Stopped::Diverged(refused("the log", &no))
    }
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Stopped {
        match fault {
            // What is not in its form is an answer: what was to be checked is damaged.
            Fault::Refused(no) => Stopped::Diverged(refused("the evidence", &no)),
            fault @ (Fault::File { .. } | Fault::Database(_)) => Stopped::Fault(fault),
        }
    }
}

pub(crate) fn differs(what: &str, stored: impl Into<String>, computed: impl Into<String>) -> Box<Divergence> {
    let (what, stored, computed) = (what.into(), stored.into(), computed.into());
    Box::new(Divergence { what, stored, computed, ..Divergence::default() })
}

pub(crate) fn refused(what: &str, refused: &Refused) -> Box<Divergence> {
    differs(what, "accepted", refused.to_string())
}

/// What was found, and what is left to compare it with.
pub struct Audited {
    pub verification: Verification,
    /// The log at its end, where nothing diverged before.
    pub log: Option<Log>,
    /// The rows after the last checkpoint, where they were computed.
    pub rows: Option<BTreeMap<Vec<u8>, Vec<u8>>>,
    /// The ops that left no trace in them, by position, with their traps; none where it was not all folded here.
    pub poison: Option<BTreeMap<u64, String>>,
}

/// Computes everything again.
///
/// # Errors
/// Where the evidence can't be read; what diverges is the answer and no error.
pub fn audit(
    evidence: &mut dyn Evidence,
    library: &Library,
    ask: &Ask,
    told: &mut dyn FnMut(u64, f64),
) -> Result<Audited, Fault> {
    let mut audit = Audit::new(library, ask);
    let known = audit.known.clone();
    let run = ahead::each(evidence, ask, &known, &mut |item, evidence| {
        audit.item(item, evidence)?;
        if audit.counts.ops.is_multiple_of(1024) {
            told(audit.counts.ops, evidence.progress());
        }
        Ok(())
    });
    let ended = run.and_then(|()| audit.end());
    let first_divergence = match ended {
        Ok(()) => None,
        Err(Stopped::Fault(fault)) => return Err(fault),
        Err(Stopped::Diverged(stop)) => Some(*audit.explained(stop, evidence)?),
    };
    Ok(audit.answer(first_divergence))
}

/// An op that was looked at ahead of the log.
pub(crate) enum Looked<'b> {
    Op(Box<LookedOp>),
    Foreseen(Foreseen<'b>),
    Other(Item),
}

/// An op with what is said by it and its record alone.
pub(crate) struct LookedOp {
    place: u64,
    record: Vec<u8>,
    op: Hash,
    said: Result<Record, Refused>,
    sound: Result<Sound, Refused>,
    /// What its fold gets, made for this order.
    step: Option<(Order, Step)>,
}

struct Audit<'p> {
    library: &'p Library,
    ask: &'p Ask,
    log: Option<Log>,
    index: Index,
    inputs: Inputs,
    refold: Option<Refold<'p>>,
    /// For those who look ahead.
    known: Rc<RefCell<Known<'p>>>,
    gate: Option<Gate<'p>>,
    /// The roots that governance ever named.
    bound: BTreeSet<Hash>,
    /// The folds whose certificates were tried again.
    tried: BTreeSet<Hash>,
    /// The checkpoints that were met.
    checkpoints: BTreeSet<Hash>,
    counts: Counts,
    /// How many records the checkpoint before had.
    before: u64,
    latest: Option<SignedCheckpoint>,
    signer: Option<Hash>,
    /// Whether parts of ops are hidden, so that nothing can be folded.
    is_hidden: bool,
    /// Up to which record ops are gone, so that folding begins behind it.
    pruned: Option<u64>,
    /// Whether the log was that of the checkpoint that it must extend.
    has_extended: bool,
    given: Given,
    /// What a checkpoint binds that the fold does not give: rows that follow say which.
    pending: Option<Box<Divergence>>,
}

impl<'p> Audit<'p> {
    fn new(library: &'p Library, ask: &'p Ask) -> Audit<'p> {
        Audit {
            library,
            ask,
            log: None,
            index: Index::new(),
            inputs: Inputs::new(),
            refold: None,
            known: Rc::default(),
            gate: None,
            bound: BTreeSet::new(),
            tried: BTreeSet::new(),
            checkpoints: BTreeSet::new(),
            counts: Counts::default(),
            before: 0,
            latest: None,
            signer: None,
            is_hidden: false,
            pruned: None,
            has_extended: ask.extends.is_none(),
            given: Given::default(),
            pending: None,
        }
    }

    fn item(&mut self, looked: Looked<'_>, evidence: &mut dyn Evidence) -> Result<(), Stopped> {
        if self.pending.is_some() {
            match &looked {
                Looked::Other(Item::Row(..)) => {}
                // It is the checkpoint's, which is wrong already: rows may follow that say how.
                Looked::Other(Item::Snapshot(_)) => return Ok(()),
                Looked::Op(_) | Looked::Foreseen(_) | Looked::Other(_) => {
                    return self.pending.take().map_or(Ok(()), |stop| Err(stop.into()));
                }
            }
        }
        match looked {
            Looked::Op(looked) => {
                let (position, op) = (self.counts.ops + 1, looked.op);
                self.op(*looked, evidence).map_err(|stop| stop.at_op(position, op))
            }
            Looked::Foreseen(foreseen) => {
                let (position, op) = (self.counts.ops + 1, foreseen.foresight.op);
                self.foreseen(foreseen, evidence).map_err(|stop| stop.at_op(position, op))
            }
            Looked::Other(Item::HiddenOp { place, record, hidden }) => {
                let (position, op) = (self.counts.ops + 1, op_id(&hidden.body));
                self.hidden(place, &record, &hidden).map_err(|stop| {
                    Stopped::Diverged(Box::new(Divergence { op: Some(position), op_id: Some(op), ..*stop }))
                })
            }
            Looked::Other(Item::PrunedOp { place, record, left }) => {
                let (position, op) = (self.counts.ops + 1, Some(left.op));
                self.gone(place, &record, &left, evidence)
                    .map_err(|stop| Stopped::Diverged(Box::new(Divergence { op: Some(position), op_id: op, ..*stop })))
            }
            Looked::Other(Item::Checkpoint(signed)) => self.checkpoint(signed, evidence),
            Looked::Other(Item::Snapshot(snapshot)) => self.snapshot(snapshot, evidence),
            Looked::Other(Item::Row(key, value)) => {
                self.counts.rows += 1;
                let rows = if self.is_hidden { None } else { self.refold.as_mut().and_then(Refold::rows) };
                self.given.put(&key, &value, rows);
                Ok(())
            }
            Looked::Other(Item::Proof(file)) => Ok(self.proof(&file)?),
            // Ops are looked at before they come here.
            Looked::Other(Item::Op { .. } | Item::PackedOp { .. }) => Ok(()),
        }
    }

    // Ops.

    /// Takes an op of which was foreseen what becomes of it, or looks again where that does not come true.
    fn foreseen(&mut self, foreseen: Foreseen<'_>, evidence: &mut dyn Evidence) -> Result<(), Stopped> {
        let Foreseen { place, content, foresight, governance, order, document } = foreseen;
        let Foresight { op, author, ulid, is_admitted, .. } = foresight;
        let is_known = self.refold.as_ref().is_some_and(|refold| refold.order() == order)
            && self.index.given(&author, ulid).is_none()
            && self.log.as_mut().is_some_and(|log| log.take_foreseen(&foresight, governance));
        if !is_known {
            let (record, signed) = pack::open_op(content).ok_or_else(|| pack::no_op(place))?;
            // Its signature was looked at.
            return self.op(ahead::look(place, record, signed, order, false), evidence);
        }
        let is_left = self.is_hidden || self.is_pruned(foresight.position);
        let number = self.count(&author, ulid, op, place, is_admitted);
        match &mut self.refold {
            Some(refold) if is_admitted && !is_left => Ok(refold.take(number, ulid, &self.index, |_| Ok(document))?),
            _ => Ok(()),
        }
    }

    fn op(&mut self, looked: LookedOp, evidence: &mut dyn Evidence) -> Result<(), Stopped> {
        let LookedOp { place, record, said, sound, step, .. } = looked;
        let said = said.map_err(|no| refused("the commit record", &no))?;
        let sound = sound.map_err(|no| refused("the op", &no))?;
        let (author, ulid) = (sound.op.op.author, sound.op.op.ulid);
        let Some(log) = &mut self.log else {
            let begun = Log::begin_with(sound, self.library, said.received);
            let (log, commit) = begun.map_err(|no| refused("the genesis", &no))?;
            let binding = log.governance.binding.clone();
            let fold = self.fold(&binding)?;
            self.certified(fold)?;
            self.pruned = evidence.pruned();
            let refold = Refold::new(fold, binding.policy_root, self.ask.from.or(self.pruned).is_some());
            self.log = Some(log);
            self.refold = Some(refold);
            self.tell();
            self.agree(place, &record, &commit, &binding, evidence)?;
            return self.took(place, commit, step);
        };
        let before = match self.index.given(&author, ulid) {
            Some(entry) => given_before(entry.place(), evidence)?,
            None => Before::Nothing,
        };
        let binding = log.governance.binding.clone();
        // Whether the store held a program that nobody had bound yet is nowhere recorded but in what became of the op.
        let received = said.received;
        let before = match before {
            Before::Hidden => None,
            Before::Nothing => Some(None),
            Before::Given(given) => Some(Some(given)),
        };
        let commit = match before {
            None => log.trust_whole(sound, said, self.library),
            Some(before) if said.outcome == Outcome::Rejected(Code::GOVERNANCE_BROKEN) => {
                log.place(sound, before, &self.library.of_roots(&self.bound), received, &mut None)
            }
            Some(before) => log.place(sound, before, self.library, received, &mut self.gate),
        };
        let commit = commit.map_err(|no| refused("the op", &no))?;
        self.agree(place, &record, &commit, &binding, evidence)?;
        self.took(place, commit, step)
    }

    /// Whether a state that is gone on from stands for the op of a position.
    fn is_pruned(&self, position: u64) -> bool {
        self.pruned.is_some_and(|pruned| position <= pruned)
    }

    /// Tells those who look ahead what is bound.
    fn tell(&self) {
        let mut known = self.known.borrow_mut();
        known.order = self.refold.as_ref().map(Refold::order).unwrap_or_default();
        known.standing = self.log.as_ref().and_then(|log| log.standing(self.library));
    }

    /// The fold that is bound.
    fn fold(&self, binding: &Binding) -> Result<&'p crate::program::Stored, Box<Divergence>> {
        let found = self.library.find(&binding.fold_root, ProgramKind::Fold, FOLD_EXPORTS);
        found.map_err(|no| refused("the fold", &no))
    }

    /// Tries again what a fold's certificate claims to have been tried. What can be derived was, when the program was
    /// read.
    fn certified(&mut self, program: &'p crate::program::Stored) -> Result<(), Box<Divergence>> {
        let certificate = program.verified.program().merging.certificate;
        let Some(claim @ Certificate { grounds: Grounds::Tested { .. }, .. }) = certificate else { return Ok(()) };
        if !self.tried.insert(program.root) {
            return Ok(());
        }
        let verdict = law::examine(&program.verified);
        let found = verdict.ok().and_then(|found| Some((found.class?, found.grounds)));
        if found == Some((claim.class, claim.grounds)) {
            return Ok(());
        }
        let shown =
            |class: Class, grounds: Grounds| format!("{} {} {:?}", class.name(), grounds.name(), grounds.numbers());
        let what = format!("the certificate of {}", program_text(&program.root));
        let computed = found.map_or_else(|| "unlawful".into(), |(class, grounds)| shown(class, grounds));
        Err(differs(&what, shown(claim.class, claim.grounds), computed))
    }

    /// A closed epoch is anchored by a checkpoint that was met, and was right.
    fn closed(&mut self, checkpoint: &Hash) -> Result<(), Box<Divergence>> {
        if self.checkpoints.contains(checkpoint) {
            return Ok(());
        }
        Err(differs("a closed epoch's checkpoint", "nothing", data_text(checkpoint)))
    }

    /// Compares what is said of an op with what it comes to.
    fn agree(
        &self,
        place: u64,
        record: &[u8],
        commit: &Commit,
        binding: &Binding,
        evidence: &mut dyn Evidence,
    ) -> Result<(), Box<Divergence>> {
        if record != commit.bytes {
            let shown = |bytes: &[u8]| Record::decode(bytes).map_or_else(|no| no.to_string(), |record| show(&record));
            let found = differs("the commit record", shown(record), shown(&commit.bytes));
            return Err(Box::new(Divergence { rule: commit.record.rules.first().cloned(), ..*found }));
        }
        let columns = || Columns::of(commit, binding.fold_root, binding.policy_root);
        evidence.agrees(place, commit.record.position, &columns)
    }

    fn took(&mut self, place: u64, commit: Commit, step: Option<(Order, Step)>) -> Result<(), Stopped> {
        let Commit { op, record, .. } = commit;
        let is_admitted = record.outcome == Outcome::Admitted;
        let number = self.count(&op.op.author, op.op.ulid, op.id, place, is_admitted);
        if !is_admitted {
            return Ok(());
        }
        if op.op.is_governance() {
            self.bound.extend(named_roots(&op.signed.payload));
            let Some(binding) = self.log.as_ref().map(|log| log.governance.binding.clone()) else { return Ok(()) };
            if let Some(closed) = binding.closed {
                self.closed(&closed.checkpoint)?;
            }
            let program = self.fold(&binding)?;
            self.certified(program)?;
            if let Some(refold) = &mut self.refold {
                refold.bind(program, binding.policy_root);
            }
            self.tell();
            return Ok(());
        }
        if self.is_pruned(record.position) {
            // It is in the state that is gone on from.
            return Ok(());
        }
        let ulid = op.op.ulid;
        let input = crate::fold::Input { position: record.position, received: record.received, op };
        match &mut self.refold {
            Some(refold) if !self.is_hidden => {
                let document = |order| match step {
                    Some((made_for, step)) if made_for == order => Ok(step.document),
                    _ => Ok(Step::of(&input, order)?.document),
                };
                Ok(refold.take(number, ulid, &self.index, document)?)
            }
            _ => Ok(()),
        }
    }

    /// Counts an op; its number.
    fn count(&mut self, author: &Hash, ulid: Ulid, op: Hash, place: u64, is_admitted: bool) -> u32 {
        let number = self.index.push(op, author, ulid, place);
        if is_admitted {
            self.inputs.put(number, &op, &self.index);
        }
        self.counts.ops += 1;
        self.extend();
        number
    }

    /// Notes whether the log came by the checkpoint that it must extend.
    fn extend(&mut self) {
        let (Some(known), Some(log)) = (&self.ask.extends, &self.log) else { return };
        if known.count == log.tree.count() {
            self.has_extended = known.stream == log.stream && known.log_head == log.tree.head();
        }
    }

    // Checkpoints.

    fn checkpoint(&mut self, signed: SignedCheckpoint, evidence: &mut dyn Evidence) -> Result<(), Stopped> {
        let decoded = Checkpoint::decode(&signed.body).map_err(|no| refused("a checkpoint", &no));
        let count = decoded.as_ref().map_or(self.counts.ops, |checkpoint| checkpoint.count);
        let interval = Some((self.before, count));
        let at = |stop: Box<Divergence>| Box::new(Divergence { interval, ..*stop });
        let checkpoint = if self.ask.signatures {
            signed.check().map_err(|no| at(refused("a checkpoint", &no)))?
        } else {
            decoded.map_err(at)?
        };
        let Some(log) = &self.log else { return Err(at(differs("a checkpoint", "one", "no log")).into()) };
        if checkpoint.count != log.tree.count() {
            let counts = (checkpoint.count.to_string(), log.tree.count().to_string());
            return Err(at(differs("a checkpoint's count", counts.0, counts.1)).into());
        }
        let (stream, binding) = (log.stream, log.governance.binding.clone());
        let mut computed = Checkpoint {
            stream,
            epoch: binding.epoch,
            count,
            vector: log.heads.clone(),
            inputs_root: self.inputs.root(&self.index),
            log_head: log.tree.head(),
            fold_root: binding.fold_root,
            policy_root: binding.policy_root,
            governance_root: binding.governance_root,
            profile: u64::from(PROFILE),
            ..checkpoint.clone()
        };
        compare(&checkpoint, &computed).map_err(at)?;
        let is_folded = !self.is_hidden && self.from().is_none_or(|from| count > from);
        if is_folded && let Some(refold) = &mut self.refold {
            if refold.waits {
                return Err(self.nowhere_from().into());
            }
            refold.settle(&self.index, evidence)?;
            let folded = state(refold);
            (computed.state_root, computed.snapshot_root) = folded.map_err(|no| at(refused("the fold", &no)))?;
        }
        self.counts.checkpoints += 1;
        self.checkpoints.insert(hash(Context::Checkpoint, &signed.body));
        self.signer = Some(checkpoint.signer);
        self.latest = Some(signed);
        if let Err(stop) = compare(&checkpoint, &computed) {
            // The rows that may follow say in which keys.
            self.pending = Some(at(stop));
        }
        self.before = count;
        Ok(())
    }

    /// A snapshot against the fold at its checkpoint, or the state that is gone on from.
    fn snapshot(&mut self, snapshot: Snapshot, evidence: &mut dyn Evidence) -> Result<(), Stopped> {
        let interval = Some((self.before, self.before));
        let at = |stop: Box<Divergence>| Box::new(Divergence { interval, ..*stop });
        let missing = || at(differs("a snapshot", "one", "no checkpoint that it belongs to"));
        let checkpoint = self.latest.as_ref().and_then(|latest| Checkpoint::decode(&latest.body).ok());
        let checkpoint = checkpoint.ok_or_else(missing)?;
        let root = *kerai_vm::fold::Folding::snapshot_root(&snapshot.bytes).bytes();
        if root != checkpoint.snapshot_root {
            return Err(at(differs("a snapshot", to_hex(&root), to_hex(&checkpoint.snapshot_root))).into());
        }
        let (from, is_anchor) = (self.from(), self.pruned == Some(checkpoint.count));
        let (Some(refold), false) = (&mut self.refold, self.is_hidden) else { return Ok(()) };
        if is_anchor {
            // Behind it all ops are here, of which some may be late.
            refold.anchor(&snapshot, checkpoint.fold_root, checkpoint.policy_root);
        }
        if from.is_some_and(|from| checkpoint.count < from) {
            return Ok(());
        }
        if refold.waits {
            refold.settle(&self.index, evidence)?;
            refold.resume(&snapshot).map_err(|no| at(refused("a snapshot", &no)))?;
            let (state_root, _) = state(refold).map_err(|no| at(refused("the fold", &no)))?;
            let computed = Checkpoint { state_root, ..checkpoint.clone() };
            compare(&checkpoint, &computed).map_err(at)?;
        }
        let last = refold.last(&self.index, evidence)?.or(snapshot.last);
        let folded = refold.folding().map_or(0, |folding| folding.count());
        if (snapshot.folded, snapshot.last) != (folded, last) {
            let shown =
                |folded: u64, ulid: Option<String>| format!("{folded} ops, the last {}", ulid.unwrap_or_default());
            let ulid = |place: Option<crate::fold::Place>| place.map(|place| place.0.to_string());
            return Err(at(differs(
                "a snapshot",
                shown(snapshot.folded, ulid(snapshot.last)),
                shown(folded, ulid(last)),
            ))
            .into());
        }
        Ok(())
    }

    /// A proof that was given instead of all rows.
    fn proof(&mut self, file: &[u8]) -> Result<(), Box<Divergence>> {
        let shown = proof::check(file).map_err(|no| refused("a proof", &no))?;
        match self.latest.as_ref().map(|latest| &latest.body) {
            Some(body) if *body == shown.signed.body => {
                self.counts.proofs += 1;
                Ok(())
            }
            _ => Err(differs("a proof", "one of the last checkpoint", "one of another")),
        }
    }

    // The end.

    fn end(&mut self) -> Result<(), Stopped> {
        if let Some(pending) = self.pending.take() {
            return Err(pending.into());
        }
        let Some(log) = &self.log else {
            return Err(differs("the genesis", "nothing", "an op at position 1").into());
        };
        if let Some(refold) = &self.refold
            && refold.waits
            && !self.is_hidden
        {
            return Err(self.nowhere_from().into());
        }
        if !self.has_extended {
            let known = self.ask.extends.as_ref();
            let what = match known {
                Some(known) if known.stream != log.stream => "another stream",
                Some(known) if known.count > log.tree.count() => "a log that is shorter: it was rolled back",
                _ => "a log with another history",
            };
            let known = known.map(|known| format!("{} records, {}", known.count, to_hex(&known.log_head)));
            return Err(differs("what is to be extended", known.unwrap_or_default(), what).into());
        }
        if !self.ask.trusted.is_empty() && !self.is_trusted() {
            let signer = self.signer.map_or_else(|| "nobody".into(), |signer| to_hex(&signer));
            let found = format!("stream {}, signed by {signer}", to_hex(&log.stream));
            return Err(differs("who is trusted", found, "neither the stream nor its signer").into());
        }
        self.rows()
    }

    fn nowhere_from(&self) -> Box<Divergence> {
        let from = self.from().unwrap_or_default();
        differs("what to fold from", format!("the checkpoint after {from} records"), "no snapshot of it is at hand")
    }

    fn is_trusted(&self) -> bool {
        let stream = self.log.as_ref().map(|log| log.stream);
        let is_known = |hash: Option<Hash>| hash.is_some_and(|hash| self.ask.trusted.contains(&hash));
        is_known(stream) || is_known(self.signer)
    }

    /// The rows that were given, against those of the last checkpoint.
    fn rows(&mut self) -> Result<(), Stopped> {
        let latest = self.latest.as_ref().and_then(|latest| Checkpoint::decode(&latest.body).ok());
        let rows = match &mut self.refold {
            Some(refold) if !self.is_hidden && latest.is_some() => refold.rows(),
            _ => None,
        };
        let differing = self.given.end(rows, latest.map(|latest| latest.state_root))?;
        rows::divergence(differing).map_or(Ok(()), |stop| Err(stop.into()))
    }

    /// A divergence with the keys that differ, where there are rows at hand on both sides, and what wrote them.
    fn explained(&mut self, mut stop: Box<Divergence>, evidence: &mut dyn Evidence) -> Result<Box<Divergence>, Fault> {
        let is_of_roots = ["a checkpoint's state_root", "a checkpoint's snapshot_root"].contains(&&*stop.what);
        if is_of_roots
            && !self.given.is_empty()
            && let Err(Stopped::Diverged(rows)) = self.rows()
        {
            (stop.key, stop.keys) = (rows.key, rows.keys);
        }
        if let Some(refold) = &self.refold {
            writer::find(refold, &self.index, evidence, &mut stop.keys)?;
        }
        Ok(stop)
    }

    fn answer(mut self, first_divergence: Option<Divergence>) -> Audited {
        let is_replayed = !self.is_hidden && self.pruned.is_none();
        let is_asked = !self.ask.trusted.is_empty() || self.ask.extends.is_some();
        let is_anchored = first_divergence.is_none() && is_asked;
        let rows = self.refold.as_mut().and_then(Refold::rows).filter(|_| !self.is_hidden && self.latest.is_some());
        let rows = rows.map(|rows| rows.sorted().iter().map(|row| (row.key.clone(), row.value.clone())).collect());
        let poison = self.refold.as_ref().and_then(Refold::poison).filter(|_| self.from().is_none());
        let poison = poison.map(|poison| {
            let known = poison.range(..=self.before);
            known.map(|(&position, trap)| (position, trap.to_string())).collect()
        });
        let log = if first_divergence.is_none() { self.log } else { None };
        let (checked, pruned) = (self.counts, self.pruned);
        let verification = Verification { checked, is_anchored, is_replayed, pruned, first_divergence };
        Audited { verification, log, rows, poison }
    }
}

/// Marks the place of an op of which parts are hidden or pruned: it can't be recalled.
const HIDDEN: u64 = 1 << 63;

/// What an author gave under a ULID before.
enum Before {
    Nothing,
    Given(Hash),
    Hidden,
}

fn given_before(place: u64, recall: &mut dyn Evidence) -> Result<Before, Stopped> {
    if place & HIDDEN != 0 {
        return Ok(Before::Hidden);
    }
    let (_, signed) = recall.recall(place)?;
    Ok(Before::Given(signed.read_unsigned().sound()?.given))
}

/// The roots of rows and state, made anew.
fn state(refold: &mut Refold<'_>) -> Result<(Hash, Hash), Refused> {
    let trapped = |what: String| Refused::new(Code::FOLD_TRAP, what);
    let folding = refold.folding().ok_or_else(|| trapped("no fold".into()))?;
    folding.finish().map_err(|trap| trapped(format!("`finish`: {trap}")))?;
    let snapshot = folding.snapshot().map_err(|refusal| trapped(refusal.to_string()))?;
    let Root::Blake3(rows) = folding.rows().state_root() else { return Err(trapped("no root".into())) };
    Ok((rows, *kerai_vm::fold::Folding::snapshot_root(&snapshot).bytes()))
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

fn compare(stored: &Checkpoint, computed: &Checkpoint) -> Result<(), Box<Divergence>> {
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
