//! The store: what the pure parts decide, done in one transaction each.

use crate::backend::{Address, Database, Session, StoredOp, Stream, damaged};
use crate::checkpoint::Checkpoint;
use crate::code::{Class, Code, Refused};
use crate::document::Hash;
use crate::fault::Fault;
use crate::fold::Snapshot;
use crate::gate::Gate;
use crate::governance::{Binding, Genesis, Governance, rotation};
use crate::host::{Host, Point};
use crate::limit::{self, length};
use crate::log::{Commit, Facts, Head, Log, LogTree, Offer, Outcome};
use crate::materialize::{self, Logged, State};
use crate::op::signature::SecretKey;
use crate::op::{BIND, Draft, GENESIS, Op, ROTATE, Salts, SignedOp, is_segment, op_id, payload_root};
use crate::program::{FOLD_EXPORTS, Library, POLICY_EXPORTS, Stored};
use crate::state;
use crate::verify::{self, Evidence, Verification};
use kerai_vm::bytecode::ProgramKind;
use kerai_vm::ulid::Ulid;
use std::collections::{BTreeMap, BTreeSet};

/// The lock of all streams' names, among those of their tables: no stream has this number.
const NAMES: i64 = 0;

/// A store on one database.
pub struct Store {
    database: Database,
    host: Host,
}

/// A stream that is to be made.
pub struct NewStream<'a> {
    pub name: &'a str,
    pub fold: &'a Stored,
    pub policy: &'a Stored,
    pub governance: &'a Stored,
    /// Who may act from the start, each with the keys that it signs with.
    pub actors: BTreeMap<String, Vec<Hash>>,
    /// Who makes the stream and owns it.
    pub owner: &'a str,
    pub key: &'a SecretKey,
}

/// The keys that an append signs with, by actor.
pub struct Signers {
    pub keys: BTreeMap<String, SecretKey>,
    /// Who acts where an op does not say.
    pub default: String,
}

/// What became of an op that was appended or ingested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Committed(Committed),
    /// It was there before.
    Duplicate(Option<u64>),
    Refused(Refused),
}

/// An op that has a position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    pub position: u64,
    pub op: Hash,
    pub ulid: Ulid,
    pub outcome: Outcome,
    pub rules: Vec<String>,
    /// Why, in the words of the policy, or what keeps the op from being asked about.
    pub reason: String,
}

/// A stream whose tables say what its log does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Materialized {
    pub checkpoint: Checkpoint,
    /// Ops that left no trace, by position, each with its trap.
    pub poison: BTreeMap<u64, String>,
    /// How many rows were written; none where everything was there already.
    pub written: usize,
    pub rows: usize,
}

impl Store {
    /// Opens the database, and makes it where there is none.
    ///
    /// # Errors
    /// `SCHEMA_NEWER`, `SCHEMA_FOREIGN`, `ACK_TIMEOUT`, or it can't be opened.
    pub async fn open(address: &Address, host: Host) -> Result<Store, Fault> {
        Ok(Store { database: Database::open(address, host.wait).await?, host })
    }

    /// # Errors
    /// Where the database fails.
    pub async fn streams(&mut self) -> Result<Vec<Stream>, Fault> {
        self.database.read().await?.streams().await
    }

    /// Makes a stream: keeps its programs and commits its genesis.
    ///
    /// # Errors
    /// `STREAM_NAME`, `STREAM_EXISTS`, `PROGRAM_KIND`, or what keeps a genesis from being admitted.
    pub async fn create(&mut self, new: &NewStream<'_>) -> Result<Stream, Fault> {
        let Host { now, random, reached, .. } = &mut self.host;
        if !is_segment(new.name) || new.name.len() > length(limit::OP_NAME) {
            return Err(Refused::new(Code::STREAM_NAME, format!("`{}`", new.name.escape_default())).into());
        }
        new.fold.expect(ProgramKind::Fold, FOLD_EXPORTS)?;
        new.policy.expect(ProgramKind::Policy, POLICY_EXPORTS)?;
        new.governance.expect(ProgramKind::Fold, FOLD_EXPORTS)?;
        let mut session = self.database.write().await?;
        session.lock_tables(NAMES).await?;
        if session.stream(new.name).await?.is_some() {
            return Err(Refused::new(Code::STREAM_EXISTS, format!("`{}`", new.name)).into());
        }
        for program in [new.fold, new.policy, new.governance] {
            session.add_program(program).await?;
        }
        reached(Point::CreateProgram);
        let signed = genesis(new, now(), random)?;
        let (log, commit) = Log::begin(signed, &session.programs().await?, now())?;
        let binding = &log.governance.binding;
        let mut stream = Stream {
            number: 0,
            name: new.name.into(),
            genesis: log.stream,
            epoch: binding.epoch,
            fold_root: binding.fold_root,
            policy_root: binding.policy_root,
            governance_root: binding.governance_root,
            count: 0,
            received: 0,
            edge: Vec::new(),
        };
        stream.number = session.add_stream(&stream).await?;
        let first = StoredOp::of(&commit, binding.fold_root, binding.policy_root);
        session.add_ops(stream.number, &[first], || ()).await?;
        move_tip(&mut session, &mut stream, &log).await?;
        reached(Point::CreateTip);
        session.commit().await?;
        Ok(stream)
    }

    /// Signs drafts and commits them, as many as fit into one transaction at a time.
    ///
    /// # Errors
    /// `STREAM_UNKNOWN`, `ACK_TIMEOUT`, or the database fails. Whatever was committed before stays.
    pub async fn append(&mut self, name: &str, signers: &Signers, drafts: &[Draft]) -> Result<Vec<Answer>, Fault> {
        let mut answers = Vec::with_capacity(drafts.len());
        for batch in drafts.chunks(length(limit::LOG_BATCH)) {
            let mut desk = Desk::open(&mut self.database, &mut self.host, name).await?;
            desk.learn(&batch.iter().map(|draft| draft.ulid).collect::<Vec<_>>()).await?;
            for draft in batch {
                answers.push(desk.append(draft, signers).await?);
            }
            desk.close().await?;
        }
        Ok(answers)
    }

    /// Commits ops that others signed.
    ///
    /// # Errors
    /// As [`Store::append`].
    pub async fn ingest(&mut self, name: &str, ops: &[SignedOp]) -> Result<Vec<Answer>, Fault> {
        let mut answers = Vec::with_capacity(ops.len());
        for batch in ops.chunks(length(limit::LOG_BATCH)) {
            let mut desk = Desk::open(&mut self.database, &mut self.host, name).await?;
            let ids: Vec<Hash> = batch.iter().map(|op| op_id(&op.body)).collect();
            desk.facts.committed = desk.session.positions(desk.stream.number, &ids).await?;
            let ulids: Vec<Ulid> = batch.iter().filter_map(|op| Some(Op::decode(&op.body).ok()?.ulid)).collect();
            desk.learn(&ulids).await?;
            for op in batch {
                answers.push(desk.ingest(op.clone()).await?);
            }
            desk.close().await?;
        }
        Ok(answers)
    }

    /// Binds another fold, another policy, or both, by a governance op: a new epoch, whose fold starts from the first op.
    ///
    /// # Errors
    /// As [`Store::append`], or `PROGRAM_KIND`.
    pub async fn bind(
        &mut self,
        name: &str,
        signers: &Signers,
        fold: Option<&Stored>,
        policy: Option<&Stored>,
    ) -> Result<Answer, Fault> {
        let mut desk = Desk::open(&mut self.database, &mut self.host, name).await?;
        let mut binding = desk.log.governance.binding.clone();
        if let Some(fold) = fold {
            fold.expect(ProgramKind::Fold, FOLD_EXPORTS)?;
            binding.fold_root = fold.root;
        }
        if let Some(policy) = policy {
            policy.expect(ProgramKind::Policy, POLICY_EXPORTS)?;
            binding.policy_root = policy.root;
        }
        for program in [fold, policy].into_iter().flatten() {
            desk.session.add_program(program).await?;
            desk.library.add(program.clone());
        }
        let draft = Draft {
            ulid: fresh_ulid((desk.host.now)(), &mut desk.host.random),
            actor: None,
            resource: None,
            kind: BIND.into(),
            payload: binding.payload()?,
            caps: None,
            labels: None,
        };
        let answer = desk.append(&draft, signers).await?;
        desk.close().await?;
        Ok(answer)
    }

    /// Replaces an actor's key by another one, by a governance op that the old key signs; none where the stream knows
    /// the actor by other keys, as when it was done before.
    ///
    /// # Errors
    /// As [`Store::append`].
    pub async fn rotate(
        &mut self,
        name: &str,
        actor: &str,
        key: SecretKey,
        next: &Hash,
    ) -> Result<Option<Answer>, Fault> {
        let mut desk = Desk::open(&mut self.database, &mut self.host, name).await?;
        let previous = key.public();
        if !desk.log.governance.binds(actor, &previous) {
            return Ok(None);
        }
        let draft = Draft {
            ulid: fresh_ulid((desk.host.now)(), &mut desk.host.random),
            actor: None,
            resource: None,
            kind: ROTATE.into(),
            payload: rotation(actor, &previous, next)?,
            caps: None,
            labels: None,
        };
        let signers = Signers { keys: BTreeMap::from([(actor.to_owned(), key)]), default: actor.into() };
        let answer = desk.append(&draft, &signers).await?;
        desk.close().await?;
        Ok(Some(answer))
    }

    /// The ops of a stream as they were signed, in the order of the log.
    ///
    /// # Errors
    /// `STREAM_UNKNOWN`, or the database fails.
    pub async fn ops(&mut self, name: &str) -> Result<Vec<StoredOp>, Fault> {
        let mut session = self.database.read().await?;
        let stream = find(&mut session, name).await?;
        session.ops_after(stream.number, 0).await
    }

    /// What was refused, by code, and the ops that are evidence of forks.
    ///
    /// # Errors
    /// `STREAM_UNKNOWN`, or the database fails.
    pub async fn refusals(&mut self, name: &str) -> Result<(BTreeMap<String, u64>, Vec<Hash>), Fault> {
        let mut session = self.database.read().await?;
        let stream = find(&mut session, name).await?;
        Ok((session.refusals(stream.number).await?, session.forks(stream.number).await?))
    }

    /// Folds a stream's log and writes what changed: rows, tombstones and the checkpoint in one transaction.
    ///
    /// # Errors
    /// `STREAM_UNKNOWN`, `FOLD_TRAP`, `ACK_TIMEOUT`, or the database fails: then the tables are as before.
    pub async fn materialize(&mut self, name: &str, key: &SecretKey) -> Result<Materialized, Fault> {
        let reached = &self.host.reached;
        let mut session = self.database.read().await?;
        let stream = find(&mut session, name).await?;
        let base = Base::find(&mut session, &stream).await?;
        // Read to its end, so that folding keeps nobody waiting.
        session.commit().await?;
        let state = base.state(&stream)?;
        let checkpoint = state.checkpoint(stream.genesis, &base.binding, key.public());
        reached(Point::MaterializeFolded);
        let mut session = self.database.write().await?;
        session.lock_tables(stream.number).await?;
        let last = session.last_checkpoint(stream.number).await?.map(|last| last.check()).transpose()?;
        let place = |checkpoint: &Checkpoint| (checkpoint.epoch, checkpoint.count);
        if let Some(last) = last.filter(|last| place(last) >= place(&checkpoint)) {
            // Another materializer was here first, or nothing has come since.
            let rows = session.state(stream.number).await?.values().filter(|row| row.value.is_some()).count();
            let poison = session.poison(stream.number, last.epoch).await?;
            return Ok(Materialized { checkpoint: last, poison, written: 0, rows });
        }
        let changes = materialize::changes(&state.folded.rows, &session.state(stream.number).await?);
        session.put_rows(stream.number, &changes, &checkpoint, || reached(Point::MaterializeRow)).await?;
        session.put_poison(stream.number, checkpoint.epoch, base.count(), &state.folded.poison).await?;
        session.add_checkpoint(stream.number, &checkpoint, &checkpoint.sign(key)?).await?;
        session.add_snapshot(stream.number, &checkpoint, &state.folded).await?;
        for count in materialize::surplus(&session.snapshots(stream.number, checkpoint.epoch).await?) {
            session.drop_snapshot(stream.number, checkpoint.epoch, count).await?;
        }
        reached(Point::MaterializeCheckpoint);
        let poison = session.poison(stream.number, checkpoint.epoch).await?;
        session.commit().await?;
        reached(Point::MaterializeCommitted);
        Ok(Materialized { checkpoint, poison, written: changes.len(), rows: state.folded.rows.len() })
    }

    /// Waits until a stream's log has more than so many records.
    ///
    /// # Errors
    /// `STREAM_UNKNOWN`, or the database fails.
    pub async fn follow(&mut self, name: &str, count: u64) -> Result<(), Fault> {
        loop {
            let mut session = self.database.read().await?;
            if find(&mut session, name).await?.count > count {
                return Ok(());
            }
            drop(session);
            self.database.hear().await?;
        }
    }

    /// A stream's state after so many records, under what was bound then; nothing is written.
    ///
    /// # Errors
    /// `STREAM_UNKNOWN`, `LOG_SHORT` where the log has fewer records, or as [`Store::materialize`].
    pub async fn at(&mut self, name: &str, count: u64) -> Result<State, Fault> {
        let mut session = self.database.read().await?;
        let stream = find(&mut session, name).await?;
        if count == 0 || count > stream.count {
            return Err(Refused::new(Code::LOG_SHORT, format!("{count}, where it has {}", stream.count)).into());
        }
        let library = session.programs().await?;
        let mut ops = logged(session.ops_after(stream.number, 0).await?)?;
        ops.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        let first = ops.first().ok_or_else(|| damaged("a log without its genesis"))?;
        let root = crate::governance::genesis_root(&first.input.op.signed.payload)?;
        Ok(materialize::state(&ops, &resume(root, &ops, &library)?.binding, &library)?)
    }

    /// Computes everything again from the ops and compares it with what is stored.
    ///
    /// # Errors
    /// `STREAM_UNKNOWN`, or the database fails; what diverges is the answer and no error.
    pub async fn verify(&mut self, name: &str, trusted: &[Hash]) -> Result<Verification, Fault> {
        let mut session = self.database.read().await?;
        let stream = find(&mut session, name).await?;
        let evidence = Evidence {
            ops: session.ops_after(stream.number, 0).await?,
            state: session.state(stream.number).await?,
            checkpoints: session.checkpoints(stream.number).await?,
            library: session.programs().await?,
            stream,
        };
        Ok(verify::verify(&evidence, trusted))
    }
}

async fn find(session: &mut Session<'_>, name: &str) -> Result<Stream, Fault> {
    Ok(session.stream(name).await?.ok_or_else(|| unknown(name))?)
}

fn unknown(name: &str) -> Refused {
    Refused::new(Code::STREAM_UNKNOWN, format!("`{}`", name.escape_default()))
}

fn logged(ops: Vec<StoredOp>) -> Result<Vec<Logged>, Refused> {
    ops.into_iter().map(Logged::of).collect()
}

/// What a stream's state is computed from: the newest snapshot that no later op comes before, and the ops since.
struct Base {
    binding: Binding,
    library: Library,
    snapshot: Option<Snapshot>,
    vector: BTreeMap<Hash, Head>,
    ops: Vec<Logged>,
    admitted: Vec<Hash>,
}

impl Base {
    async fn find(session: &mut Session<'_>, stream: &Stream) -> Result<Base, Fault> {
        let library = session.programs().await?;
        let governance_ops = logged(session.governance_ops(stream.number).await?)?;
        let binding = resume(stream.governance_root, &governance_ops, &library)?.binding;
        let admitted = session.admitted(stream.number).await?;
        for count in session.snapshots(stream.number, binding.epoch).await? {
            let Some((snapshot, signed)) = session.snapshot(stream.number, binding.epoch, count).await? else {
                continue;
            };
            let ops = logged(session.ops_after(stream.number, count).await?)?;
            if snapshot.precedes(&materialize::inputs(&ops)) {
                let vector = signed.check()?.vector;
                return Ok(Base { binding, library, snapshot: Some(snapshot), vector, ops, admitted });
            }
        }
        let ops = logged(session.ops_after(stream.number, 0).await?)?;
        Ok(Base { binding, library, snapshot: None, vector: BTreeMap::new(), ops, admitted })
    }

    /// How many records the snapshot knows of.
    fn count(&self) -> u64 {
        self.snapshot.as_ref().map_or(0, |snapshot| snapshot.count)
    }

    fn state(&self, stream: &Stream) -> Result<State, Refused> {
        let folded = materialize::folded(&self.ops, self.snapshot.as_ref(), &self.binding, &self.library)?;
        let tree = LogTree::from_bytes(stream.count, &stream.edge).ok_or_else(|| damaged("the tip of the log"))?;
        Ok(State {
            count: stream.count,
            vector: materialize::vector(self.vector.clone(), &self.ops),
            inputs_root: state::inputs_root(self.admitted.iter()),
            log_head: tree.head(),
            state_root: state::state_root(&folded.rows),
            snapshot_root: folded.snapshot_root(),
            folded,
        })
    }
}

/// Governance as the stored ops leave it, under the governance fold that is known to be bound.
fn resume(root: Hash, ops: &[Logged], library: &Library) -> Result<Governance, Refused> {
    let is_its = |logged: &&Logged| logged.outcome == Outcome::Admitted && logged.input.op.op.is_governance();
    let inputs: Vec<_> = ops.iter().filter(is_its).map(|logged| logged.input.clone()).collect();
    crate::log::govern(&inputs, &root, library)
}

/// The genesis of a new stream.
fn genesis(new: &NewStream<'_>, now: u64, random: &mut dyn FnMut(&mut [u8])) -> Result<SignedOp, Refused> {
    let mut actors: BTreeMap<String, _> =
        new.actors.iter().map(|(actor, keys)| (actor.clone(), keys.iter().copied().collect())).collect();
    let owner: &mut BTreeSet<Hash> = actors.entry(new.owner.into()).or_default();
    owner.insert(new.key.public());
    let genesis = Genesis {
        name: new.name.into(),
        fold_root: new.fold.root,
        policy_root: new.policy.root,
        governance_root: new.governance.root,
        actors,
        owners: vec![new.owner.into()],
    };
    let payload = genesis.payload()?;
    let salts = Salts::fresh(&payload, random)?;
    let op = Op {
        stream: None,
        ulid: fresh_ulid(now, random),
        author: new.key.public(),
        actor: new.owner.into(),
        sequence: 1,
        previous: None,
        resource: None,
        kind: GENESIS.into(),
        payload_root: payload_root(&payload, &salts)?,
        caps: None,
        labels: None,
        fold_root: new.fold.root,
        policy_root: new.policy.root,
    };
    SignedOp::sign(&op, payload, salts, new.key)
}

/// A new ULID: 48 bits of time, 80 of randomness.
pub fn fresh_ulid(now: u64, random: &mut dyn FnMut(&mut [u8])) -> Ulid {
    let mut bytes = [0; 16];
    random(&mut bytes);
    let low = u128::from_be_bytes(bytes) & ((1 << 80) - 1);
    Ulid::from_bytes((u128::from(now & ((1 << 48) - 1)) << 80 | low).to_be_bytes())
}

async fn move_tip(session: &mut Session<'_>, stream: &mut Stream, log: &Log) -> Result<(), Fault> {
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
struct Desk<'s> {
    session: Session<'s>,
    host: &'s mut Host,
    stream: Stream,
    library: Library,
    log: Log,
    facts: Facts,
    /// What actors gave under ULIDs before.
    repeatable: BTreeSet<(Ulid, Hash)>,
    /// Ops that have a position and are not written yet.
    pending: Vec<StoredOp>,
}

impl<'s> Desk<'s> {
    async fn open(database: &'s mut Database, host: &'s mut Host, name: &str) -> Result<Desk<'s>, Fault> {
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
        let (facts, repeatable, pending) = (Facts::default(), BTreeSet::new(), Vec::new());
        Ok(Desk { session, host, stream, library, log, facts, repeatable, pending })
    }

    /// Asks the database for what was given under ULIDs.
    async fn learn(&mut self, ulids: &[Ulid]) -> Result<(), Fault> {
        self.facts.given = self.session.given(self.stream.number, ulids).await?;
        // Under whichever key: an actor that has a new one repeats itself all the same.
        self.repeatable = self.facts.given.iter().map(|(&(_, ulid), &given)| (ulid, given)).collect();
        Ok(())
    }

    /// Asks the database for the end of an author's chain, once.
    async fn meet(&mut self, author: &Hash) -> Result<(), Fault> {
        if !self.log.heads.contains_key(author)
            && let Some(head) = self.session.head(self.stream.number, author).await?
        {
            self.log.heads.insert(*author, head);
        }
        Ok(())
    }

    /// Signs a draft on top of its author's chain and offers it. What can be known before is not signed.
    async fn append(&mut self, draft: &Draft, signers: &Signers) -> Result<Answer, Fault> {
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
            Ok(signed) => self.offer(signed).await,
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

    /// Offers an op that someone signed.
    async fn ingest(&mut self, signed: SignedOp) -> Result<Answer, Fault> {
        if let Ok(op) = Op::decode(&signed.body) {
            self.meet(&op.author).await?;
        }
        self.offer(signed).await
    }

    async fn offer(&mut self, signed: SignedOp) -> Result<Answer, Fault> {
        let Binding { fold_root, policy_root, .. } = self.log.governance.binding;
        let now = (self.host.now)();
        let number = self.stream.number;
        match self.log.offer(signed, &mut self.facts, &self.library, now)? {
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

    /// Commits everything, or nothing.
    async fn close(mut self) -> Result<(), Fault> {
        let reached = &self.host.reached;
        self.session.add_ops(self.stream.number, &self.pending, || reached(Point::AppendOp)).await?;
        move_tip(&mut self.session, &mut self.stream, &self.log).await?;
        if !self.pending.is_empty() {
            self.session.tell().await?;
        }
        reached(Point::AppendTip);
        self.session.commit().await?;
        reached(Point::AppendCommitted);
        Ok(())
    }
}
