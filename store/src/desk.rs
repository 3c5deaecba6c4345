//! The desk: a stream's log under the writer's lock, where ops are signed, offered and written down.

use crate::backend::{Database, Session, StoredOp, Stream, damaged};
use crate::code::{Class, Code, Refused};
use crate::document::Hash;
use crate::fault::Fault;
use crate::gate::Gate;
use crate::governance::Binding;
use crate::host::{Host, Point};
use crate::log::{Commit, Facts, Log, LogTree, Offer, Outcome};
use crate::op::signature::SecretKey;
use crate::op::{Draft, Offered, Op, Salts, SignedOp, payload_root};
use crate::program::{Library, Stored};
use crate::recent::Recent;
use crate::store::{Answer, Committed, Signers, fresh_ulid, logged, resume, unknown};
use kerai_vm::bytecode::Order;
use kerai_vm::ulid::Ulid;
use std::collections::{BTreeMap, BTreeSet};

/// Moves the tip of a stream to the end of its log.
pub(crate) async fn move_tip(session: &mut Session<'_>, stream: &mut Stream, log: &Log) -> Result<(), Fault> {
    let binding = &log.governance.binding;
    *stream = Stream {
        epoch: binding.epoch,
        fold_root: binding.fold_root,
        policy_root: binding.policy_root,
        governance_root: binding.governance_root,
        count: log.tree.count(),
        received: log.received,
        edge: log.tree.to_bytes(),
        ..stream.clone()
    };
    session.move_tip(stream).await
}

/// A stream's log under the writer's lock.
pub(crate) struct Desk<'s> {
    session: Session<'s>,
    host: &'s mut Host,
    stream: Stream,
    library: Library,
    log: Log,
    facts: Facts,
    /// What actors gave under ULIDs before.
    repeatable: BTreeSet<(Ulid, Hash)>,
    /// Authors whose chains were asked for.
    met: BTreeSet<Hash>,
    /// Ops that have a position and are not written yet.
    pending: Vec<StoredOp>,
    /// What a fold will need of them.
    recent: Recent,
}

impl<'s> Desk<'s> {
    pub(crate) async fn open(database: &'s mut Database, host: &'s mut Host, name: &str) -> Result<Desk<'s>, Fault> {
        let mut session = database.write().await?;
        let stream = session.lock_log(name).await?.ok_or_else(|| unknown(name))?;
        (host.reached)(Point::AppendBegun);
        let library = session.programs().await?;
        let governance_ops = logged(session.governance_ops(stream.number).await?)?;
        let governance = resume(stream.governance_root, &governance_ops, &library)?;
        let tree = LogTree::from_bytes(stream.count, &stream.edge).ok_or_else(|| damaged("the tip of the log"))?;
        let log = Log {
            stream: stream.genesis,
            received: stream.received,
            tree,
            heads: BTreeMap::new(),
            governance,
            governance_ops: governance_ops.into_iter().map(|logged| logged.input).collect(),
        };
        let order = library.get(&stream.fold_root).map(Stored::order).unwrap_or_default();
        let recent = Recent::after(stream.number, stream.count, order);
        let (facts, repeatable, met, pending) = (Facts::default(), BTreeSet::new(), BTreeSet::new(), Vec::new());
        Ok(Desk { session, host, stream, library, log, facts, repeatable, met, pending, recent })
    }

    /// What is bound to the stream.
    pub(crate) const fn binding(&self) -> &Binding {
        &self.log.governance.binding
    }

    /// Whether any actor signs with the key.
    pub(crate) fn knows(&self, key: &Hash) -> bool {
        self.log.governance.knows(key)
    }

    /// How many records the log has.
    pub(crate) const fn count(&self) -> u64 {
        self.log.tree.count()
    }

    /// The last ULID that a fold by ULID has folded; none where it takes ops in another order.
    pub(crate) async fn last_folded(&mut self) -> Result<Option<Ulid>, Fault> {
        match self.library.get(&self.stream.fold_root).map(Stored::order) {
            Some(Order::Ulid) => self.session.last_folded(self.stream.number).await,
            Some(Order::Join | Order::Commit) | None => Ok(None),
        }
    }

    /// Whether the actor signs with the key.
    pub(crate) fn binds(&self, actor: &str, key: &Hash) -> bool {
        self.log.governance.binds(actor, key)
    }

    /// Keeps a program, so that an op can bind it.
    pub(crate) async fn keep(&mut self, program: &Stored) -> Result<(), Fault> {
        self.session.add_program(program).await?;
        self.library.add(program.clone());
        Ok(())
    }

    /// A new op of governance's, by whoever acts by default.
    pub(crate) fn draft(&mut self, kind: &str, payload: Vec<u8>) -> Draft {
        let ulid = fresh_ulid((self.host.now)(), &mut self.host.random);
        Draft { ulid, actor: None, resource: None, kind: kind.into(), payload, caps: None, labels: None }
    }

    /// Signs drafts on top of their authors' chains and offers them.
    pub(crate) async fn append(&mut self, drafts: &[Draft], signers: &Signers) -> Result<Vec<Answer>, Fault> {
        self.learn(&drafts.iter().map(|draft| draft.ulid).collect::<Vec<_>>()).await?;
        let library = self.library.clone();
        let mut answers = Vec::with_capacity(drafts.len());
        let mut drafts = drafts.iter().peekable();
        while drafts.peek().is_some() {
            let policy = self.log.policy(&library)?;
            let mut gate = Gate::new(&policy.verified);
            // An op may bind another policy.
            while let Some(draft) = drafts.next_if(|_| self.binding().policy_root == policy.root) {
                answers.push(self.append_one(draft, signers, &mut gate).await?);
            }
        }
        Ok(answers)
    }

    /// Offers ops that others signed.
    pub(crate) async fn ingest(&mut self, ops: Vec<Offered>) -> Result<Vec<Answer>, Fault> {
        self.recognize(&ops).await?;
        let ulids: Vec<Ulid> = ops.iter().filter_map(|op| Some(op.read.as_ref().ok()?.op.ulid)).collect();
        self.learn(&ulids).await?;
        let library = self.library.clone();
        let mut answers = Vec::with_capacity(ops.len());
        let mut ops = ops.into_iter().peekable();
        while ops.peek().is_some() {
            let policy = self.log.policy(&library)?;
            let mut gate = Gate::new(&policy.verified);
            while let Some(op) = ops.next_if(|_| self.binding().policy_root == policy.root) {
                answers.push(self.offer(op, &mut gate).await?);
            }
        }
        Ok(answers)
    }

    /// Finds those ops that the log has: at their places of their authors' chains.
    async fn recognize(&mut self, ops: &[Offered]) -> Result<(), Fault> {
        let mut known: BTreeMap<Hash, Vec<u64>> = BTreeMap::new();
        for op in ops.iter().filter_map(|op| op.read.as_ref().ok()).filter(|read| read.fault.is_none()) {
            let op = &op.op;
            self.meet(&op.author).await?;
            let head = self.log.heads.get(&op.author).map_or(0, |head| head.sequence);
            if op.sequence <= head {
                known.entry(op.author).or_default().push(op.sequence);
            }
        }
        for (author, mut sequences) in known {
            sequences.sort_unstable();
            sequences.dedup();
            // What is sent again comes in runs of its chain.
            for run in sequences.chunk_by(|a, b| a + 1 == *b) {
                if let (Some(&first), Some(&last)) = (run.first(), run.last()) {
                    let found = self.session.positions(self.stream.number, &author, first, last).await?;
                    self.facts.committed.extend(found);
                }
            }
        }
        Ok(())
    }

    /// Asks the database for what was given under ULIDs.
    async fn learn(&mut self, ulids: &[Ulid]) -> Result<(), Fault> {
        // Most are later than all that were given before.
        let last = self.session.last_ulid(self.stream.number).await?;
        let ulids: Vec<Ulid> = ulids.iter().copied().filter(|&ulid| Some(ulid) <= last).collect();
        self.facts.given = self.session.given(self.stream.number, &ulids).await?;
        // Under whichever key: an actor that has a new one repeats itself all the same.
        self.repeatable = self.facts.given.iter().map(|(&(_, ulid), &given)| (ulid, given)).collect();
        Ok(())
    }

    /// Asks the database for the end of an author's chain, once.
    async fn meet(&mut self, author: &Hash) -> Result<(), Fault> {
        if self.met.insert(*author)
            && let Some(head) = self.session.head(self.stream.number, author).await?
        {
            self.log.heads.insert(*author, head);
        }
        Ok(())
    }

    /// What can be known before is not signed.
    async fn append_one(&mut self, draft: &Draft, signers: &Signers, gate: &mut Gate<'_>) -> Result<Answer, Fault> {
        let actor = draft.actor.as_deref().unwrap_or(&signers.default);
        let Some(key) = signers.keys.get(actor) else {
            return Ok(Answer::Refused(Refused::new(Code::ACTOR_UNBOUND, format!("no key signs for `{actor}` here"))));
        };
        let author = key.public();
        self.meet(&author).await?;
        let given = match draft.given(actor) {
            Ok(given) => given,
            Err(refused) => return Ok(Answer::Refused(refused)),
        };
        if let Some(&before) = self.facts.given.get(&(author, draft.ulid))
            && before != given
        {
            return Ok(Answer::Refused(Refused::new(Code::DUP_COMMIT, format!("`{}`", draft.ulid))));
        }
        if self.repeatable.contains(&(draft.ulid, given)) || self.facts.given.get(&(author, draft.ulid)) == Some(&given)
        {
            return Ok(Answer::Duplicate(None));
        }
        let ahead = self.log.governance.binding.ahead;
        if draft.ulid.milliseconds() > (self.host.now)().max(self.log.received).saturating_add(ahead) {
            return Ok(Answer::Refused(Refused::new(Code::CLOCK_SKEW, format!("`{}`", draft.ulid))));
        }
        match self.sign(draft, actor, key) {
            Ok(signed) => self.offer(signed.read(), gate).await,
            Err(refused) => Ok(Answer::Refused(refused)),
        }
    }

    fn sign(&mut self, draft: &Draft, actor: &str, key: &SecretKey) -> Result<SignedOp, Refused> {
        let author = key.public();
        let head = self.log.heads.get(&author);
        let salts = Salts::fresh(&draft.payload, &mut self.host.random)?;
        let Binding { fold_root, policy_root, .. } = self.log.governance.binding;
        let op = Op {
            stream: Some(self.log.stream),
            ulid: draft.ulid,
            author,
            actor: actor.into(),
            sequence: head.map_or(1, |head| head.sequence + 1),
            previous: head.map(|head| head.op),
            resource: draft.resource.clone(),
            kind: draft.kind.clone(),
            payload_root: payload_root(&draft.payload, &salts)?,
            caps: draft.caps.clone(),
            labels: draft.labels.clone(),
            fold_root,
            policy_root,
        };
        SignedOp::sign(&op, draft.payload.clone(), salts, key)
    }

    async fn offer(&mut self, op: Offered, gate: &mut Gate<'_>) -> Result<Answer, Fault> {
        let Binding { fold_root, policy_root, .. } = self.log.governance.binding;
        let now = (self.host.now)();
        let number = self.stream.number;
        match self.log.offer(op, &mut self.facts, &self.library, gate, now)? {
            Offer::Repeat(position) => Ok(Answer::Duplicate(Some(position))),
            Offer::Refused(refused, evidence) => {
                if let Some(op) = evidence {
                    self.session.add_fork(number, &op, refused.code, now.max(self.log.received)).await?;
                }
                if refused.code.class() == Class::Refused {
                    self.session.count_refusal(number, refused.code).await?;
                }
                Ok(Answer::Refused(refused))
            }
            Offer::Committed(commit) => {
                self.pending.push(StoredOp::of(&commit, fold_root, policy_root));
                self.recent.take(&commit)?;
                Ok(Answer::Committed(self.committed(*commit, &policy_root)))
            }
        }
    }

    fn committed(&self, commit: Commit, policy_root: &Hash) -> Committed {
        let reason = match (commit.record.outcome, self.library.get(policy_root)) {
            (Outcome::Rejected(code), _) => code.summary().into(),
            (_, Some(policy)) => Gate::reason(&policy.verified, &commit.record.rules),
            (_, None) => String::new(),
        };
        Committed {
            position: commit.record.position,
            op: commit.op.id,
            ulid: commit.op.op.ulid,
            outcome: commit.record.outcome,
            rules: commit.record.rules,
            reason,
        }
    }

    /// Commits everything, or nothing; what a fold will need of it.
    pub(crate) async fn close(mut self) -> Result<Recent, Fault> {
        let reached = &self.host.reached;
        self.session.add_ops(self.stream.number, &self.pending, || reached(Point::AppendOp)).await?;
        move_tip(&mut self.session, &mut self.stream, &self.log).await?;
        if !self.pending.is_empty() {
            self.session.tell().await?;
        }
        reached(Point::AppendTip);
        self.session.commit().await?;
        reached(Point::AppendCommitted);
        Ok(self.recent)
    }
}
