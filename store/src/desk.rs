//! The desk: a stream's log under the writer's lock, where ops are signed, offered and written down.

use crate::backend::{Database, NewOp, Session, Stream, damaged};
use crate::code::{Class, Code, Refused};
use crate::document::Hash;
use crate::fault::Fault;
use crate::gate::Gate;
use crate::governance::Binding;
use crate::host::{Host, Point};
use crate::log::{Commit, Facts, Log, LogTree, Offer, Outcome};
use crate::op::signature::SecretKey;
use crate::op::{Checked, Draft, Offered, Op, Salts, SignedOp, payload_root};
use crate::program::{Library, Stored};
use crate::recent::Recent;
use crate::store::{Answer, Committed, Signers, fresh_ulid, logged, resume, unknown};
use kerai_vm::bytecode::Order;
use kerai_vm::ulid::Ulid;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// ULIDs that the database is asked about at a time.
const LEARNED: usize = 1024;

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
    clerk: Clerk<'s>,
    /// Authors whose chains were asked for.
    met: BTreeSet<Hash>,
}

/// What decides at the desk, without asking the database: so ops are on their way there while the next ones are decided.
struct Clerk<'s> {
    host: &'s mut Host,
    stream: Stream,
    library: Library,
    log: Log,
    facts: Facts,
    /// What actors gave under ULIDs before.
    repeatable: BTreeSet<(Ulid, Hash)>,
    /// What was refused, with its evidence.
    refused: Vec<(Code, u64, Option<Box<Checked>>)>,
    has_committed: bool,
    /// What a fold will need of what was committed.
    recent: Recent,
}

/// What became of an op, and what is to be written of it.
type Decided = (Answer, Option<NewOp>);

impl<'s> Desk<'s> {
    /// Opens the log. Programs that the library lacks are added to it.
    pub(crate) async fn open(
        database: &'s mut Database,
        host: &'s mut Host,
        name: &str,
        library: &mut Library,
    ) -> Result<Desk<'s>, Fault> {
        let mut session = database.write().await?;
        let stream = session.lock_log(name).await?.ok_or_else(|| unknown(name))?;
        (host.reached)(Point::AppendBegun);
        session.meet_programs(library).await?;
        let library = library.clone();
        let governance_ops = logged(session.governance_ops(stream.number).await?)?;
        let governance = resume(stream.governance_root, &governance_ops, &library)?;
        let tree = LogTree::from_bytes(stream.count, &stream.edge).ok_or_else(|| damaged("the tip of the log"))?;
        let log = Log {
            stream: stream.genesis,
            received: stream.received,
            tree,
            heads: BTreeMap::new(),
            governance: Arc::new(governance),
            governance_ops: governance_ops.into_iter().map(|logged| logged.input).collect(),
        };
        let order = library.get(&stream.fold_root).map(Stored::order).unwrap_or_default();
        let recent = Recent::after(stream.number, stream.count, order);
        let (facts, repeatable, refused) = (Facts::default(), BTreeSet::new(), Vec::new());
        let clerk = Clerk { host, stream, library, log, facts, repeatable, refused, has_committed: false, recent };
        Ok(Desk { session, clerk, met: BTreeSet::new() })
    }

    /// What is bound to the stream.
    pub(crate) fn binding(&self) -> &Binding {
        &self.clerk.log.governance.binding
    }

    /// Whether any actor signs with the key.
    pub(crate) fn knows(&self, key: &Hash) -> bool {
        self.clerk.log.governance.knows(key)
    }

    /// How many records the log has.
    pub(crate) const fn count(&self) -> u64 {
        self.clerk.log.tree.count()
    }

    /// The last ULID that a fold by ULID has folded; none where it takes ops in another order.
    pub(crate) async fn last_folded(&mut self) -> Result<Option<Ulid>, Fault> {
        let Clerk { library, stream, .. } = &self.clerk;
        match library.get(&stream.fold_root).map(Stored::order) {
            Some(Order::Ulid) => self.session.last_folded(stream.number).await,
            Some(Order::Join | Order::Commit) | None => Ok(None),
        }
    }

    /// # Errors
    /// `PRUNED` where ops were pruned that another binding would fold again.
    pub(crate) async fn goes_on(&mut self, binding: &Binding) -> Result<(), Fault> {
        let pruned = self.session.pruned(self.clerk.stream.number).await?;
        if let (Some(pruned), Some(fold)) = (pruned, self.clerk.library.get(&binding.fold_root)) {
            pruned.must_go_on(binding, fold)?;
        }
        Ok(())
    }

    /// Whether the actor signs with the key.
    pub(crate) fn binds(&self, actor: &str, key: &Hash) -> bool {
        self.clerk.log.governance.binds(actor, key)
    }

    /// Keeps a program, so that an op can bind it.
    pub(crate) async fn keep(&mut self, program: &Stored) -> Result<(), Fault> {
        self.session.add_program(program).await?;
        self.clerk.library.add(program.clone());
        Ok(())
    }

    /// A new op of governance's, by whoever acts by default.
    pub(crate) fn draft(&mut self, kind: &str, payload: Vec<u8>) -> Draft {
        let host = &mut self.clerk.host;
        let ulid = fresh_ulid((host.now)(), &mut host.random);
        Draft { ulid, actor: None, resource: None, kind: kind.into(), payload, caps: None, labels: None }
    }

    /// Signs drafts on top of their authors' chains and offers them.
    pub(crate) async fn append(&mut self, drafts: &[Draft], signers: &Signers) -> Result<Vec<Answer>, Fault> {
        self.learn(&drafts.iter().map(|draft| draft.ulid).collect::<Vec<_>>()).await?;
        for key in drafts.iter().filter_map(|draft| signers.key(draft)) {
            self.meet(&key.public()).await?;
        }
        self.decide(drafts, |clerk, draft, gate| clerk.append(draft, signers, gate)).await
    }

    /// Offers ops that others signed.
    pub(crate) async fn ingest(&mut self, ops: Vec<Offered>) -> Result<Vec<Answer>, Fault> {
        for read in ops.iter().filter_map(|op| op.read.as_ref().ok()).filter(|read| read.fault.is_none()) {
            self.meet(&read.op.author).await?;
        }
        let ulids: Vec<Ulid> = ops.iter().filter_map(|op| Some(op.read.as_ref().ok()?.op.ulid)).collect();
        self.learn(&ulids).await?;
        self.decide(ops, Clerk::offer).await
    }

    /// Decides on one after the other, each under the policy that is bound then, and writes down what is committed.
    async fn decide<T>(
        &mut self,
        offers: impl IntoIterator<Item = T>,
        mut one: impl FnMut(&mut Clerk<'s>, T, &mut Gate<'_>) -> Result<Decided, Refused>,
    ) -> Result<Vec<Answer>, Fault> {
        let Desk { session, clerk, .. } = self;
        let mut writing = session.ops_to_add(&clerk.stream).await?;
        let library = clerk.library.clone();
        let mut answers = Vec::new();
        let mut offers = offers.into_iter().peekable();
        while offers.peek().is_some() {
            let policy = clerk.log.policy(&library)?;
            let mut gate = Gate::new(&policy.verified);
            // An op may bind another policy.
            while let Some(offer) = offers.next_if(|_| clerk.log.governance.binding.policy_root == policy.root) {
                let (answer, op) = one(clerk, offer, &mut gate)?;
                if let Some(op) = op {
                    writing.add(&op).await?;
                    (clerk.host.reached)(Point::AppendOp);
                }
                answers.push(answer);
            }
        }
        let heads = writing.finish().await?;
        session.put_heads(clerk.stream.number, &heads).await?;
        Ok(answers)
    }

    /// Asks the database for what was given under ULIDs, and for which ops: what is sent again is found by its ULID.
    async fn learn(&mut self, ulids: &[Ulid]) -> Result<(), Fault> {
        let (session, clerk) = (&mut self.session, &mut self.clerk);
        // Most are later than all that were given before.
        let last = session.last_ulid(clerk.stream.number).await?;
        let mut ulids: Vec<Ulid> = ulids.iter().copied().filter(|&ulid| Some(ulid) <= last).collect();
        ulids.sort_unstable();
        ulids.dedup();
        for ulids in ulids.chunks(LEARNED) {
            for op in session.ops_under(clerk.stream.number, ulids).await? {
                let (author, ulid) = (op.columns.author, Ulid::from_bytes(op.columns.ulid));
                let given = op.given()?;
                clerk.facts.committed.insert(op.columns.op_id, op.position);
                clerk.facts.given.entry((author, ulid)).or_insert(given);
                // Under whichever key: an actor that has a new one repeats itself all the same.
                clerk.repeatable.insert((ulid, given));
            }
        }
        Ok(())
    }

    /// Asks the database for the end of an author's chain, once.
    async fn meet(&mut self, author: &Hash) -> Result<(), Fault> {
        if self.met.insert(*author)
            && let Some(head) = self.session.head(self.clerk.stream.number, author).await?
        {
            self.clerk.log.heads.insert(*author, head);
        }
        Ok(())
    }

    /// Commits everything, or nothing; what a fold will need of it.
    pub(crate) async fn close(mut self) -> Result<Recent, Fault> {
        let Clerk { mut stream, log, refused, has_committed, recent, host, .. } = self.clerk;
        for (code, at, evidence) in refused {
            if let Some(op) = evidence {
                self.session.add_fork(stream.number, &op, code, at).await?;
            }
            if code.class() == Class::Refused {
                self.session.count_refusal(stream.number, code).await?;
            }
        }
        move_tip(&mut self.session, &mut stream, &log).await?;
        if has_committed {
            self.session.tell().await?;
        }
        (host.reached)(Point::AppendTip);
        self.session.commit().await?;
        (host.reached)(Point::AppendCommitted);
        Ok(recent)
    }
}

impl Clerk<'_> {
    /// What can be known before is not signed.
    fn append(&mut self, draft: &Draft, signers: &Signers, gate: &mut Gate<'_>) -> Result<Decided, Refused> {
        let refuse = |refused| Ok((Answer::Refused(refused), None));
        let actor = signers.actor(draft);
        let Some(key) = signers.key(draft) else {
            return refuse(Refused::new(Code::ACTOR_UNBOUND, format!("no key signs for `{actor}` here")));
        };
        let author = key.public();
        let given = match draft.given(actor) {
            Ok(given) => given,
            Err(refused) => return refuse(refused),
        };
        if let Some(&before) = self.facts.given.get(&(author, draft.ulid))
            && before != given
        {
            return refuse(Refused::new(Code::DUP_COMMIT, format!("`{}`", draft.ulid)));
        }
        if self.repeatable.contains(&(draft.ulid, given)) || self.facts.given.get(&(author, draft.ulid)) == Some(&given)
        {
            return Ok((Answer::Duplicate(None), None));
        }
        let ahead = self.log.governance.binding.ahead;
        if draft.ulid.milliseconds() > (self.host.now)().max(self.log.received).saturating_add(ahead) {
            return refuse(Refused::new(Code::CLOCK_SKEW, format!("`{}`", draft.ulid)));
        }
        match self.sign(draft, actor, key) {
            Ok(signed) => self.offer(signed.read(), gate),
            Err(refused) => refuse(refused),
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

    fn offer(&mut self, op: Offered, gate: &mut Gate<'_>) -> Result<Decided, Refused> {
        let Binding { fold_root, policy_root, .. } = self.log.governance.binding;
        let now = (self.host.now)();
        match self.log.offer(op, &mut self.facts, &self.library, gate, now)? {
            Offer::Repeat(position) => Ok((Answer::Duplicate(Some(position)), None)),
            Offer::Refused(refused, evidence) => {
                self.refused.push((refused.code, now.max(self.log.received), evidence));
                Ok((Answer::Refused(refused), None))
            }
            Offer::Committed(commit) => {
                self.has_committed = true;
                self.recent.take(&commit)?;
                let answer = Answer::Committed(self.committed(&commit, &policy_root));
                Ok((answer, Some(NewOp { commit, fold_root, policy_root })))
            }
        }
    }

    fn committed(&self, commit: &Commit, policy_root: &Hash) -> Committed {
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
            rules: commit.record.rules.clone(),
            reason,
        }
    }
}
