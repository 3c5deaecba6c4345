//! Judging: what becomes of an op that is offered to the log. Pure: whoever calls says what the log knows and what time
//! it is, and writes down what comes of it.

use super::foresight::{self, Foresight, Standing};
use super::mixing::Mixing;
use super::{LogTree, Outcome, Record};
use crate::code::{Class, Code, Refused};
use crate::document::{Hash, program_text};
use crate::fold::{self, Input, Step};
use crate::gate::Gate;
use crate::governance::Governance;
use crate::op::{Checked, Offered, Op, Read, SignedOp, Sound};
use crate::program::{FOLD_EXPORTS, Library, POLICY_EXPORTS, Stored};
use kerai_vm::bytecode::{Order, ProgramKind};
use kerai_vm::ulid::Ulid;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The end of an author's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub sequence: u64,
    pub op: Hash,
}

/// What the log holds already of what is offered: asked for by the caller, kept up by the log as it commits.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Positions by op id.
    pub committed: HashMap<Hash, u64, Mixing>,
    /// What was given under an author's ULID.
    pub given: HashMap<(Hash, Ulid), Hash, Mixing>,
}

/// An op with its place in the log.
#[derive(Debug, Clone)]
pub struct Commit {
    pub op: Checked,
    pub record: Record,
    /// The record's canonical bytes.
    pub bytes: Vec<u8>,
    /// The hash of what its author gave.
    pub given: Hash,
}

/// What came of an offer.
#[derive(Debug, Clone)]
pub enum Offer {
    Committed(Box<Commit>),
    /// The same op stands at this position.
    Repeat(u64),
    /// It has no position; where it is evidence of a fork it is kept.
    Refused(Refused, Option<Box<Checked>>),
}

/// A stream's log, as far as the next op needs to know it.
#[derive(Debug, Clone)]
pub struct Log {
    /// The op id of the genesis.
    pub stream: Hash,
    /// The time of the last record.
    pub received: u64,
    pub tree: LogTree,
    pub heads: BTreeMap<Hash, Head>,
    pub governance: Arc<Governance>,
    /// The governance ops that were admitted.
    pub governance_ops: Vec<Input>,
}

impl Log {
    /// Begins a log with its genesis, which is admitted by itself.
    ///
    /// # Errors
    /// Where the op is no genesis, or what it binds can't run.
    pub fn begin(signed: SignedOp, library: &Library, now: u64) -> Result<(Log, Commit), Refused> {
        Log::begin_with(signed.read().sound()?, library, now)
    }

    /// As [`Log::begin`], with an op that was looked at before.
    ///
    /// # Errors
    /// As [`Log::begin`].
    pub fn begin_with(sound: Sound, library: &Library, now: u64) -> Result<(Log, Commit), Refused> {
        let Sound { op, given } = sound;
        let id = op.id;
        if op.op.stream.is_some() {
            return Err(Refused::new(Code::STREAM_OTHER, "the first op is no genesis"));
        }
        let record = Record {
            position: 1,
            op: id,
            outcome: Outcome::Admitted,
            rules: Vec::new(),
            input: None,
            received: now,
            governance: 1,
        };
        let inputs = vec![Input { position: 1, received: now, op: op.clone() }];
        let root = crate::governance::genesis_root(&op.signed.payload)?;
        let governance = Arc::new(govern(&inputs, &root, library)?);
        if !governance.binds(&op.op.actor, &op.op.author) {
            return Err(Refused::new(Code::ACTOR_UNBOUND, format!("`{}`", op.op.actor)));
        }
        if !governance.binding.takes(&op.op.fold_root, &op.op.policy_root) {
            return Err(Refused::new(Code::EPOCH_BROKEN, "the genesis consents to other roots than it binds"));
        }
        let (tree, heads) = (LogTree::default(), BTreeMap::new());
        let mut log = Log { stream: id, received: now, tree, heads, governance, governance_ops: inputs };
        let commit = log.commit(op, record, given)?;
        Ok((log, commit))
    }

    /// The position that the next op would get.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.tree.count() + 1
    }

    /// Takes in what a process that was here before committed.
    fn commit(&mut self, op: Checked, record: Record, given: Hash) -> Result<Commit, Refused> {
        let bytes = record.encode()?;
        self.tree.push(&bytes);
        self.heads.insert(op.op.author, Head { sequence: op.op.sequence, op: op.id });
        self.received = record.received;
        Ok(Commit { op, record, bytes, given })
    }

    /// What ops can be judged by ahead of the log, until governance changes; none where the policy is missing.
    pub(crate) fn standing<'l>(&self, library: &'l Library) -> Option<Standing<'l>> {
        let policy = &self.policy(library).ok()?.verified;
        Some(Standing { stream: self.stream, governance: self.governance.clone(), policy })
    }

    /// Whether what was foreseen is what becomes of an op that comes now, of whose author nothing was given under its ULID
    /// before: then it is taken in.
    pub(crate) fn take_foreseen(&mut self, foresight: &Foresight, governance: &Arc<Governance>) -> bool {
        let comes_true = Arc::ptr_eq(governance, &self.governance)
            && foresight.position == self.next()
            && foresight.received >= self.received
            && self.comes_next(&foresight.author, foresight.sequence, foresight.previous).is_ok();
        if comes_true {
            self.tree.push_leaf(foresight.leaf);
            self.heads.insert(foresight.author, Head { sequence: foresight.sequence, op: foresight.op });
            self.received = foresight.received;
        }
        comes_true
    }

    /// Offers an op. What is refused or a repeat leaves the log as it was.
    ///
    /// # Errors
    /// Where the log itself can't go on: a program that it binds is missing.
    pub fn offer(
        &mut self,
        offered: Offered,
        facts: &mut Facts,
        library: &Library,
        gate: &mut Gate<'_>,
        now: u64,
    ) -> Result<Offer, Refused> {
        let id = offered.id;
        if let Some(&position) = facts.committed.get(&id) {
            return Ok(Offer::Repeat(position));
        }
        let (op, given) = match self.checked(offered) {
            Ok(op) => op,
            Err(refused) => return Ok(Offer::Refused(refused, None)),
        };
        if let Err(refused) = self.follows(&op.op) {
            let is_evidence = matches!(refused.code, Code::CHAIN_FORK | Code::FF_VIOLATION);
            return Ok(Offer::Refused(refused, is_evidence.then(|| Box::new(op))));
        }
        let given = given?;
        let received = now.max(self.received);
        let before = facts.given.get(&(op.op.author, op.op.ulid)).copied();
        let record = match self.fault_of(&op.op, given, before, received) {
            Some(code) => foresight::rejected(self.next(), op.id, code, &self.governance, received),
            None => self.decide(&op, received, library, gate)?,
        };
        facts.committed.insert(id, record.position);
        facts.given.entry((op.op.author, op.op.ulid)).or_insert(given);
        Ok(Offer::Committed(Box::new(self.commit(op, record, given)?)))
    }

    /// The policy that decides on the next op.
    ///
    /// # Errors
    /// Where it is missing.
    pub fn policy<'l>(&self, library: &'l Library) -> Result<&'l Stored, Refused> {
        library.find(&self.governance.binding.policy_root, ProgramKind::Policy, POLICY_EXPORTS)
    }

    /// Places an op that was looked at before, of which a log says that it has a place. `before` is what its author gave
    /// under its ULID before; the gate is kept for the next one.
    ///
    /// # Errors
    /// Where it can have none, or the log itself can't go on.
    pub fn place<'p>(
        &mut self,
        sound: Sound,
        before: Option<Hash>,
        library: &'p Library,
        now: u64,
        gate: &mut Option<Gate<'p>>,
    ) -> Result<Commit, Refused> {
        let Sound { op, given } = sound;
        self.belongs(&op.op)?;
        self.follows(&op.op)?;
        let received = now.max(self.received);
        let record = match self.fault_of(&op.op, given, before, received) {
            Some(code) => foresight::rejected(self.next(), op.id, code, &self.governance, received),
            None => {
                let policy = &self.policy(library)?.verified;
                let kept = gate.take().filter(|gate| gate.is_of(policy));
                self.decide(&op, received, library, gate.insert(kept.unwrap_or_else(|| Gate::new(policy))))?
            }
        };
        self.commit(op, record, given)
    }

    /// Takes a log's word for what became of an op, as far as it can't be decided again: of whose payload parts are hidden.
    ///
    /// # Errors
    /// As [`Log::place`].
    pub fn trust(&mut self, op: &Op, id: Hash, record: &Record) -> Result<Vec<u8>, Refused> {
        self.belongs(op)?;
        self.follows(op)?;
        let bytes = record.encode()?;
        self.tree.push(&bytes);
        self.heads.insert(op.author, Head { sequence: op.sequence, op: id });
        self.received = record.received;
        Ok(bytes)
    }

    /// As [`Log::trust`], for an op that is gone but for its record, its author and its place in the author's chain.
    ///
    /// # Errors
    /// As [`Log::place`].
    pub fn trust_pruned(&mut self, author: &Hash, sequence: u64, record: &Record) -> Result<Vec<u8>, Refused> {
        if !self.governance.knows(author) {
            return Err(Refused::new(Code::AUTHOR_UNKNOWN, format!("`{}`", crate::document::to_hex(author))));
        }
        let expected = self.heads.get(author).map_or(1, |head| head.sequence + 1);
        if sequence != expected {
            return Err(Refused::new(Code::CHAIN_GAP, format!("seq {sequence} where {expected} comes next")));
        }
        let bytes = record.encode()?;
        self.tree.push(&bytes);
        self.heads.insert(*author, Head { sequence, op: record.op });
        self.received = record.received;
        Ok(bytes)
    }

    /// As [`Log::trust`], for an op of governance's, of which nothing is hidden.
    ///
    /// # Errors
    /// As [`Log::place`].
    pub fn trust_whole(&mut self, sound: Sound, record: Record, library: &Library) -> Result<Commit, Refused> {
        let Sound { op, given } = sound;
        self.belongs(&op.op)?;
        self.follows(&op.op)?;
        if record.outcome == Outcome::Admitted && op.op.is_governance() {
            let amended = self.amend(&op, record.position, record.received, library)?;
            if let Outcome::Rejected(code) = amended {
                return Err(Refused::new(code, "a governance op that was admitted"));
            }
        }
        self.commit(op, record, given)
    }

    /// Whether it is an op of this stream, by an author who is known here.
    fn belongs(&self, op: &Op) -> Result<(), Refused> {
        if op.stream != Some(self.stream) {
            return Err(Refused::new(Code::STREAM_OTHER, ""));
        }
        if !self.governance.knows(&op.author) {
            return Err(Refused::new(Code::AUTHOR_UNKNOWN, format!("`{}`", crate::document::to_hex(&op.author))));
        }
        Ok(())
    }

    /// Whether it is an op of this stream, signed by someone who is known here; with the hash of what was given.
    fn checked(&self, offered: Offered) -> Result<(Checked, Result<Hash, Refused>), Refused> {
        let Offered { id, signed, read } = offered;
        let Read { op, fault, given } = read?;
        self.belongs(&op)?;
        match fault {
            Some(fault) => Err(fault),
            None => Ok((Checked { id, op, signed }, given)),
        }
    }

    /// Whether the op extends its author's chain.
    fn follows(&self, op: &Op) -> Result<(), Refused> {
        self.comes_next(&op.author, op.sequence, op.previous)
    }

    fn comes_next(&self, author: &Hash, sequence: u64, previous: Option<Hash>) -> Result<(), Refused> {
        let head = self.heads.get(author);
        let expected = head.map_or(1, |head| head.sequence + 1);
        let refuse = |code| Err(Refused::new(code, format!("seq {sequence} where {expected} comes next")));
        if sequence > expected {
            refuse(Code::CHAIN_GAP)
        } else if sequence < expected {
            refuse(Code::CHAIN_FORK)
        } else if previous != head.map(|head| head.op) {
            refuse(Code::FF_VIOLATION)
        } else {
            Ok(())
        }
    }

    /// The record of an op that the policy is asked about.
    fn decide(
        &mut self,
        op: &Checked,
        received: u64,
        library: &Library,
        gate: &mut Gate<'_>,
    ) -> Result<Record, Refused> {
        let position = self.next();
        let mut record = foresight::decided(position, op, &self.governance, received, gate);
        if record.outcome == Outcome::Admitted && op.op.is_governance() {
            record.outcome = self.amend(op, position, received, library)?;
        }
        Ok(record)
    }

    /// What keeps an op from being asked about.
    fn fault_of(&self, op: &Op, given: Hash, before: Option<Hash>, received: u64) -> Option<Code> {
        match before {
            Some(before) if before == given => Some(Code::REPEATED),
            Some(_) => Some(Code::DUP_COMMIT),
            None => foresight::fault_of(op, &self.governance, received),
        }
    }

    /// Takes a governance op in, if governance can go on with it.
    fn amend(&mut self, op: &Checked, position: u64, received: u64, library: &Library) -> Result<Outcome, Refused> {
        self.governance_ops.push(Input { position, received, op: op.clone() });
        match govern(&self.governance_ops, &self.governance.binding.governance_root, library) {
            Ok(governance) if reopens(&self.governance, &governance) => {
                self.governance_ops.pop();
                Ok(Outcome::Rejected(Code::GOVERNANCE_BROKEN))
            }
            Ok(governance) => {
                self.governance = Arc::new(governance);
                Ok(Outcome::Admitted)
            }
            Err(refused) if refused.code.class() == Class::Rejected => {
                self.governance_ops.pop();
                Ok(Outcome::Rejected(refused.code))
            }
            Err(refused) => Err(refused),
        }
    }
}

/// Whether ops could go behind what was closed before.
fn reopens(before: &Governance, after: &Governance) -> bool {
    let last = |governance: &Governance| governance.binding.closed.map(|closed| closed.ulid);
    last(after) < last(before)
}

/// Governance after its ops, all of which must count, under the governance fold with this root, or under the one that
/// they bind instead.
///
/// # Errors
/// `GOVERNANCE_BROKEN` where nothing would be bound that can run.
pub(crate) fn govern(inputs: &[Input], root: &Hash, library: &Library) -> Result<Governance, Refused> {
    let governance = govern_by(inputs, root, library)?;
    let binding = &governance.binding;
    let programs = [
        (binding.fold_root, ProgramKind::Fold, FOLD_EXPORTS),
        (binding.policy_root, ProgramKind::Policy, POLICY_EXPORTS),
        (binding.governance_root, ProgramKind::Fold, FOLD_EXPORTS),
    ];
    for (root, kind, exports) in programs {
        library.find(&root, kind, exports).map_err(|refused| broken(&refused))?;
    }
    if binding.governance_root == *root {
        return Ok(governance);
    }
    let next = govern_by(inputs, &binding.governance_root, library)?;
    if next.binding.governance_root == binding.governance_root {
        Ok(next)
    } else {
        let what = format!("`{}` binds another governance fold again", program_text(&binding.governance_root));
        Err(Refused::new(Code::GOVERNANCE_BROKEN, what))
    }
}

fn govern_by(inputs: &[Input], root: &Hash, library: &Library) -> Result<Governance, Refused> {
    let program = library.find(root, ProgramKind::Fold, FOLD_EXPORTS).map_err(|refused| broken(&refused))?;
    let steps = inputs.iter().map(|input| Step::of(input, Order::Commit)).collect::<Result<_, _>>()?;
    // Governance is under no policy, but under its own rules.
    let folded = fold::fold(&program.verified, Order::Commit, &[0; 32], steps).map_err(|refused| broken(&refused))?;
    if let Some((position, trap)) = folded.poison.first_key_value() {
        return Err(Refused::new(Code::GOVERNANCE_BROKEN, format!("op {position}: {trap}")));
    }
    Governance::of(&folded.rows, inputs.last().map_or(0, |input| input.position))
}

fn broken(refused: &Refused) -> Refused {
    Refused::new(Code::GOVERNANCE_BROKEN, refused.to_string())
}
