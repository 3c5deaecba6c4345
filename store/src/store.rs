//! The store: what the pure parts decide, done in one transaction each.

use crate::audit::{self, Ask, Tables, Traced, Which};
use crate::backend::{Address, Database, NewOp, Session, StoredOp, Stream, damaged};
use crate::bundle::Opened;
use crate::checkpoint::Checkpoint;
use crate::code::{Code, Refused};
use crate::desk::{Desk, move_tip};
use crate::document::{Hash, to_hex};
use crate::fault::Fault;
use crate::fold::{Rows, fold_on};
use crate::governance::{Closed, Genesis, Governance, rotation};
use crate::host::{Host, Point};
use crate::limit::{self, length};
use crate::log::{Log, Outcome};
use crate::materialize::{self, Logged, State};
use crate::materializer::{Materializer, since};
use crate::op::signature::SecretKey;
use crate::op::{BIND, Draft, GENESIS, Offered, Op, ROTATE, Salts, SignedOp, is_segment, payload_root};
use crate::pack::Archives;
use crate::program::{FOLD_EXPORTS, Library, POLICY_EXPORTS, Stored};
use crate::recent::{Recent, Since};
use crate::verify::{self, Verification};
use kerai_vm::bytecode::ProgramKind;
use kerai_vm::ulid::Ulid;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::task::JoinHandle;

/// The lock of all streams' names, among those of their tables: no stream has this number.
const NAMES: i64 = 0;

/// Ops for which a thread of their own is worth its while.
const READ_AT_LEAST: usize = 64;

/// A store on one database.
pub struct Store {
    address: Address,
    database: Database,
    host: Host,
    recent: Option<Recent>,
    /// The programs that were read, which never change.
    library: Library,
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

impl Signers {
    /// Who acts.
    pub(crate) fn actor<'d>(&'d self, draft: &'d Draft) -> &'d str {
        draft.actor.as_deref().unwrap_or(&self.default)
    }

    /// The key that signs.
    pub(crate) fn key(&self, draft: &Draft) -> Option<&SecretKey> {
        self.keys.get(self.actor(draft))
    }
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
        let database = Database::open(address, host.wait).await?;
        Ok(Store { address: address.clone(), database, host, recent: None, library: Library::default() })
    }

    /// For what writes and stands in other files: the database, and who is told of points.
    pub(crate) fn parts(&mut self) -> (&mut Database, &dyn Fn(Point)) {
        (&mut self.database, &self.host.reached)
    }

    /// For what only reads and stands in other files.
    pub(crate) const fn database(&mut self) -> &mut Database {
        &mut self.database
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
        let first = NewOp { commit: Box::new(commit), fold_root: binding.fold_root, policy_root: binding.policy_root };
        let mut ops = session.ops_to_add(&stream).await?;
        ops.add(&first).await?;
        let heads = ops.finish().await?;
        session.put_heads(stream.number, &heads).await?;
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
            let mut desk = Desk::open(&mut self.database, &mut self.host, name, &mut self.library).await?;
            answers.extend(desk.append(batch, signers).await?);
            let recent = desk.close().await?;
            Recent::extend(&mut self.recent, recent);
        }
        Ok(answers)
    }

    /// Commits ops that others signed.
    ///
    /// # Errors
    /// As [`Store::append`].
    pub async fn ingest(&mut self, name: &str, ops: &[SignedOp]) -> Result<Vec<Answer>, Fault> {
        self.ingest_all(name, ops.to_vec()).await
    }

    /// As [`Store::ingest`], of ops that the caller needs no more.
    ///
    /// # Errors
    /// As [`Store::append`].
    pub async fn ingest_all(&mut self, name: &str, ops: Vec<SignedOp>) -> Result<Vec<Answer>, Fault> {
        self.ingest_by(name, ops, SignedOp::read).await
    }

    /// As [`Store::ingest`], of ops whose signatures the caller has checked. No build has it but those that measure what
    /// signatures cost: nothing unsigned comes into a log otherwise.
    ///
    /// # Errors
    /// As [`Store::append`].
    #[cfg(feature = "trusting")]
    pub async fn ingest_verified(&mut self, name: &str, ops: Vec<SignedOp>) -> Result<Vec<Answer>, Fault> {
        self.ingest_by(name, ops, SignedOp::read_unsigned).await
    }

    async fn ingest_by(
        &mut self,
        name: &str,
        ops: Vec<SignedOp>,
        read: fn(SignedOp) -> Offered,
    ) -> Result<Vec<Answer>, Fault> {
        let mut answers = Vec::with_capacity(ops.len());
        let mut ops = ops.into_iter();
        let mut next = Some(read_all(batch(&mut ops), read));
        while let Some(reading) = next.take() {
            let offered = finish_reading(reading).await;
            // While these are committed, the next ones are read beside.
            next = Some(batch(&mut ops)).filter(|batch| !batch.is_empty()).map(|batch| read_all(batch, read));
            if offered.is_empty() {
                break;
            }
            let mut desk = Desk::open(&mut self.database, &mut self.host, name, &mut self.library).await?;
            answers.extend(desk.ingest(offered).await?);
            let recent = desk.close().await?;
            Recent::extend(&mut self.recent, recent);
        }
        Ok(answers)
    }

    /// Binds another fold, another policy, or both, by a governance op: a new epoch, whose fold starts from the first op.
    /// Where they are from a bundle, one of the stream's actors must have signed it, and none older is taken.
    ///
    /// # Errors
    /// As [`Store::append`], or `PROGRAM_KIND`, `BUNDLE_UNSIGNED`, `BUNDLE_SIGNER`, `BUNDLE_OLD`.
    pub async fn bind(
        &mut self,
        name: &str,
        signers: &Signers,
        fold: Option<&Stored>,
        policy: Option<&Stored>,
        bundle: Option<&Opened>,
    ) -> Result<Answer, Fault> {
        let mut desk = Desk::open(&mut self.database, &mut self.host, name, &mut self.library).await?;
        let mut binding = desk.binding().clone();
        if let Some(bundle) = bundle {
            let signer = bundle.signer.ok_or_else(|| Refused::new(Code::BUNDLE_UNSIGNED, ""))?;
            if !desk.knows(&signer) {
                return Err(Refused::new(Code::BUNDLE_SIGNER, format!("`{}`", to_hex(&signer))).into());
            }
            if let Some(mark) = &binding.bundle {
                mark.gives_way(&bundle.mark())?;
            }
            binding.bundle = Some(bundle.mark());
        }
        if let Some(fold) = fold {
            fold.expect(ProgramKind::Fold, FOLD_EXPORTS)?;
            binding.fold_root = fold.root;
        }
        if let Some(policy) = policy {
            policy.expect(ProgramKind::Policy, POLICY_EXPORTS)?;
            binding.policy_root = policy.root;
        }
        for program in [fold, policy].into_iter().flatten() {
            desk.keep(program).await?;
        }
        // It could be bound, and nothing could be folded from then on.
        desk.goes_on(&binding).await?;
        let draft = desk.draft(BIND, binding.payload()?);
        let answer = one(desk.append(&[draft], signers).await?)?;
        desk.close().await?;
        Ok(answer)
    }

    /// Closes an epoch: its last checkpoint is anchored in the log by a governance op, which begins the next one. From
    /// then on no op goes behind the last one that was folded.
    ///
    /// # Errors
    /// As [`Store::materialize`] and [`Store::append`].
    pub async fn close_epoch(
        &mut self,
        name: &str,
        signers: &Signers,
        key: &SecretKey,
    ) -> Result<(Checkpoint, Answer), Fault> {
        loop {
            let checkpoint = self.materialize(name, key).await?.checkpoint;
            let mut desk = Desk::open(&mut self.database, &mut self.host, name, &mut self.library).await?;
            if desk.count() != checkpoint.count {
                // Another one committed in between: that is of the closed epoch too.
                continue;
            }
            let mut binding = desk.binding().clone();
            // What was closed before stays closed.
            let ulid = desk.last_folded().await?.max(binding.closed.and_then(|closed| closed.ulid));
            binding.closed = Some(Closed { checkpoint: checkpoint.hash()?, ulid });
            let draft = desk.draft(BIND, binding.payload()?);
            let answer = one(desk.append(&[draft], signers).await?)?;
            let recent = desk.close().await?;
            Recent::extend(&mut self.recent, recent);
            return Ok((checkpoint, answer));
        }
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
        let mut desk = Desk::open(&mut self.database, &mut self.host, name, &mut self.library).await?;
        let previous = key.public();
        if !desk.binds(actor, &previous) {
            return Ok(None);
        }
        let draft = desk.draft(ROTATE, rotation(actor, &previous, next)?);
        let signers = Signers { keys: BTreeMap::from([(actor.to_owned(), key)]), default: actor.into() };
        let answer = one(desk.append(&[draft], &signers).await?)?;
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
        if let Some(pruned) = session.pruned(stream.number).await? {
            return Err(Refused::new(Code::PRUNED, format!("the first {} ops of `{name}`", pruned.count)).into());
        }
        let ops = session.ops_after(stream.number, 0).await?;
        session.commit().await?;
        Ok(ops)
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
        loop {
            let library = self.programs().await?;
            let mut materializer = Materializer::new(name, key, &library);
            if let Some(done) = materializer.materialize(&mut self.database, &self.host, &mut self.recent).await? {
                return Ok(done);
            }
        }
    }

    /// As [`Store::materialize`], and again whenever ops are committed, as long as the one who is told wants more. The
    /// fold stays in memory, so that each time costs what came since. A database that is lost is opened again, some
    /// times.
    ///
    /// # Errors
    /// As [`Store::materialize`].
    pub async fn keep_up(
        &mut self,
        name: &str,
        key: &SecretKey,
        mut told: impl AsyncFnMut(&mut Store, &Materialized) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        let mut tries = 0;
        loop {
            let done = self.keep_up_until_lost(name, key, &mut told, &mut tries).await;
            let is_lost = |fault: &Fault| fault.code() == Some(Code::DATABASE_GONE);
            if done.is_ok() || !done.as_ref().is_err_and(is_lost) || tries >= limit::DATABASE_TRIES.value {
                return done;
            }
            tries += 1;
            tokio::time::sleep(Duration::from_millis(limit::DATABASE_PAUSE.value)).await;
            match Database::open(&self.address, self.host.wait).await {
                Ok(database) => (self.database, self.recent) = (database, None),
                // What is still lost is told by the next try.
                Err(fault) if is_lost(&fault) => {}
                Err(fault) => return Err(fault),
            }
        }
    }

    async fn keep_up_until_lost(
        &mut self,
        name: &str,
        key: &SecretKey,
        told: &mut impl AsyncFnMut(&mut Store, &Materialized) -> Result<bool, Fault>,
        tries: &mut u64,
    ) -> Result<(), Fault> {
        loop {
            let library = self.programs().await?;
            let mut materializer = Materializer::new(name, key, &library);
            while let Some(done) = materializer.materialize(&mut self.database, &self.host, &mut self.recent).await? {
                *tries = 0;
                if !told(self, &done).await? {
                    return Ok(());
                }
                self.follow(name, done.checkpoint.count).await?;
            }
        }
    }

    /// All programs that are kept.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn programs(&mut self) -> Result<Library, Fault> {
        self.database.read().await?.meet_programs(&mut self.library).await?;
        Ok(self.library.clone())
    }

    /// Waits until a stream's log has more than so many records.
    ///
    /// # Errors
    /// `STREAM_UNKNOWN`, or the database fails.
    pub async fn follow(&mut self, name: &str, count: u64) -> Result<(), Fault> {
        loop {
            let mut session = self.database.read().await?;
            let found = find(&mut session, name).await?.count;
            // Nobody should wait for a transaction that only waits.
            session.commit().await?;
            if found > count {
                return Ok(());
            }
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
        let pruned = session.pruned(stream.number).await?;
        let base = pruned.map_or(0, |pruned| pruned.count);
        if count < base {
            return Err(
                Refused::new(Code::PRUNED, format!("{count}, where {base} records of `{name}` are gone")).into()
            );
        }
        let governance: Vec<Logged> = logged(session.governance_ops(stream.number).await?)?;
        let governance: Vec<Logged> = governance.into_iter().filter(|op| op.input.position <= count).collect();
        let first = governance.first().ok_or_else(|| damaged("a log without its genesis"))?;
        let root = crate::governance::genesis_root(&first.input.op.signed.payload)?;
        let binding = resume(root, &governance, &library)?.binding;
        let program = library.find(&binding.fold_root, ProgramKind::Fold, FOLD_EXPORTS)?;
        if let Some(pruned) = pruned {
            pruned.must_go_on(&binding, program)?;
        }
        let snapshot = session.pruned_snapshot(stream.number, base).await?;
        let checkpoints = session.checkpoints(stream.number).await?;
        let anchor = checkpoints.iter().find_map(|signed| Some(signed.check().ok()?).filter(|at| at.count == base));
        let mut vector = anchor.map(|anchor| anchor.vector).unwrap_or_default();
        let order = program.order();
        let Since { heads, steps, .. } = since(&mut session, stream.number, base, count, order, &|_, _| ()).await?;
        vector.extend(heads);
        let records = session.records(stream.number, 0, count).await?;
        let folded = fold_on(snapshot.as_ref(), &program.verified, order, &binding.policy_root, steps)?;
        Ok(materialize::state(&records, vector, folded)?)
    }

    /// Computes everything again from the ops and compares it with what is stored.
    ///
    /// # Errors
    /// `STREAM_UNKNOWN`, or the database fails; what diverges is the answer and no error.
    pub async fn verify(&mut self, name: &str, trusted: &[Hash]) -> Result<Verification, Fault> {
        let ask = Ask { trusted: trusted.to_vec(), ..Ask::default() };
        self.audit(name, &ask, &mut |_, _| ()).await
    }

    /// As [`Store::verify`], as it is asked, and told how far it is: ops so far, and the part of all that is done.
    ///
    /// # Errors
    /// As [`Store::verify`].
    pub async fn audit(
        &mut self,
        name: &str,
        ask: &Ask,
        told: &mut dyn FnMut(u64, f64),
    ) -> Result<Verification, Fault> {
        self.audit_with(name, ask, None, told).await
    }

    /// As [`Store::audit`], of a stream of which ops were pruned, that archives have.
    ///
    /// # Errors
    /// As [`Store::verify`].
    pub async fn audit_with(
        &mut self,
        name: &str,
        ask: &Ask,
        archives: Option<Archives>,
        told: &mut dyn FnMut(u64, f64),
    ) -> Result<Verification, Fault> {
        let mut session = self.database.read().await?;
        let stream = find(&mut session, name).await?;
        let answer = verify::verify(&mut session, &stream, ask, archives, told).await?;
        // Nobody should wait for a transaction that only read.
        session.commit().await?;
        Ok(answer)
    }

    /// Looks at one op's step; with it come the programs, of which one is the fold.
    ///
    /// # Errors
    /// As [`audit::trace`], `STREAM_UNKNOWN`, or the database fails.
    pub async fn trace(&mut self, name: &str, which: Which, key: Option<Vec<u8>>) -> Result<(Traced, Library), Fault> {
        let mut session = self.database.read().await?;
        let stream = find(&mut session, name).await?;
        let library = session.programs().await?;
        let work = move |tables: &mut Tables, _: &mut dyn FnMut(u64, f64)| {
            Ok((audit::trace(tables, &library, which, key.as_deref())?, library))
        };
        let traced = audit::beside(&mut session, &stream, &mut |_, _| (), work).await?;
        session.commit().await?;
        Ok(traced)
    }

    /// The rows that each of the folds makes of a stream's log, in place of the one that is bound.
    ///
    /// # Errors
    /// As [`audit::rows_by`], `STREAM_UNKNOWN`, or the database fails.
    pub async fn rows_by(&mut self, name: &str, folds: Vec<Stored>) -> Result<Vec<Rows>, Fault> {
        let mut session = self.database.read().await?;
        let stream = find(&mut session, name).await?;
        let library = session.programs().await?;
        let work = move |tables: &mut Tables, _: &mut dyn FnMut(u64, f64)| {
            audit::rows_by(tables, &library, &folds.iter().collect::<Vec<_>>())
        };
        let rows = audit::beside(&mut session, &stream, &mut |_, _| (), work).await?;
        session.commit().await?;
        Ok(rows)
    }

    /// The rows of a stream as they are stored.
    ///
    /// # Errors
    /// `STREAM_UNKNOWN`, or the database fails.
    pub async fn rows(&mut self, name: &str) -> Result<Rows, Fault> {
        let mut session = self.database.read().await?;
        let stream = find(&mut session, name).await?;
        let state = session.state(stream.number).await?;
        session.commit().await?;
        Ok(state.into_iter().filter_map(|(key, row)| Some((key, row.value?))).collect())
    }
}

pub(crate) async fn find(session: &mut Session<'_>, name: &str) -> Result<Stream, Fault> {
    Ok(session.stream(name).await?.ok_or_else(|| unknown(name))?)
}

/// Ops that are being read by threads of their own: signatures cost more than all else, and nothing of one op depends
/// on another.
type Reading = Vec<JoinHandle<Vec<Offered>>>;

fn read_all(ops: Vec<SignedOp>, read: fn(SignedOp) -> Offered) -> Reading {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = ops.len().div_ceil(threads).max(READ_AT_LEAST);
    let mut ops = ops.into_iter();
    let shares =
        std::iter::from_fn(|| Some(ops.by_ref().take(share).collect::<Vec<_>>()).filter(|ops| !ops.is_empty()));
    shares.map(|ops| tokio::task::spawn_blocking(move || ops.into_iter().map(read).collect())).collect()
}

/// The ops of one transaction: at least one, if there is any.
fn batch(ops: &mut std::vec::IntoIter<SignedOp>) -> Vec<SignedOp> {
    let mut size = 0;
    let mut batch = Vec::new();
    while batch.len() < length(limit::LOG_BATCH) && size < length(limit::LOG_BATCH_SIZE) {
        let Some(op) = ops.next() else { break };
        size += op.body.len() + op.payload.len();
        batch.push(op);
    }
    batch
}

async fn finish_reading(reading: Reading) -> Vec<Offered> {
    let mut read = Vec::new();
    for share in reading {
        match share.await {
            Ok(share) => read.extend(share),
            // Reading ends in no other way than by its own panic.
            Err(ended) => std::panic::resume_unwind(ended.into_panic()),
        }
    }
    read
}

/// The answer to the one op that was offered.
fn one(answers: Vec<Answer>) -> Result<Answer, Refused> {
    answers.into_iter().next().ok_or_else(|| damaged("an op without an answer"))
}

pub(crate) fn unknown(name: &str) -> Refused {
    Refused::new(Code::STREAM_UNKNOWN, format!("`{}`", name.escape_default()))
}

pub(crate) fn logged(ops: Vec<StoredOp>) -> Result<Vec<Logged>, Refused> {
    ops.into_iter().map(Logged::of).collect()
}

/// Governance as the stored ops leave it, under the governance fold that is known to be bound.
pub(crate) fn resume(root: Hash, ops: &[Logged], library: &Library) -> Result<Governance, Refused> {
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
