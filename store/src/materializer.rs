//! The materializer: goes on from the last checkpoint, writes what has changed since, and keeps what it folded.

use crate::backend::{Database, LeanOp, Pruned, Session, StateRow, Stream, damaged};
use crate::checkpoint::Checkpoint;
use crate::code::Refused;
use crate::document::Hash;
use crate::fault::Fault;
use crate::fold::{self, Input, Place, Rows, Run, Snapshot, Step};
use crate::governance::Binding;
use crate::host::{Host, Point};
use crate::limit;
use crate::log::{EMPTY, Head, LogTree};
use crate::materialize::{self, changes, row};
use crate::op::signature::SecretKey;
use crate::op::{Checked, Salts, SignedOp};
use crate::pages::{self, Change, Entry, Map, Update, Updated, present};
use crate::program::{FOLD_EXPORTS, Library, Stored};
use crate::recent::{Recent, Since};
use crate::relation::{self, Declaration, Relation};
use crate::store::{Materialized, find, logged, resume};
use kerai_vm::bytecode::{Order, ProgramKind};
use kerai_vm::encoding::map::{row_key, row_value};
use kerai_vm::fold::RowChanges;
use std::panic::resume_unwind;
use tokio::task::{JoinHandle, spawn_blocking};

/// The parts of the work that are done once ops are read, and once they are folded.
const READING: f64 = 0.3;
const FOLDING: f64 = 0.8;

/// A fold as it was left when a checkpoint was made of it.
struct Resident<'p> {
    epoch: u64,
    count: u64,
    run: Run<'p>,
}

/// What materializes one stream, again and again. It holds the fold between two checkpoints, so that the next one costs
/// no more than what came since.
pub(crate) struct Materializer<'p> {
    name: &'p str,
    key: &'p SecretKey,
    library: &'p Library,
    resident: Option<Resident<'p>>,
}

/// What is there before anything is folded.
struct Ground {
    stream: Stream,
    binding: Binding,
    last: Option<Checkpoint>,
    since: Since,
    snapshots: Vec<(u64, Option<Place>)>,
    pruned: Option<Pruned>,
}

/// A fold with all ops taken in, ready to be written.
struct Done<'p> {
    run: Run<'p>,
    /// The records that the state had which was gone on from.
    base: u64,
    /// How the rows differ from those of the last checkpoint, where that is known.
    changes: Option<RowChanges>,
    snapshot: Snapshot,
    checkpoint: Checkpoint,
    /// The map of inputs, where it is the first one.
    inputs: Option<JoinHandle<Updated>>,
}

impl Ground {
    const fn count(&self) -> u64 {
        match &self.last {
            Some(last) => last.count,
            None => 0,
        }
    }

    /// Whether rows are of the same fold as those of the last checkpoint.
    fn goes_on(&self) -> bool {
        self.last.as_ref().is_some_and(|last| last.epoch == self.binding.epoch)
    }
}

fn take(since: &mut Since, op: LeanOp, order: Order) -> Result<(), Refused> {
    since.heads.insert(op.author, Head { sequence: op.sequence, op: op.op_id });
    if op.is_admitted {
        since.admitted.push(op.op_id);
        if !op.is_governance {
            since.steps.push(step(op, order)?);
        }
    }
    Ok(())
}

/// The step that an op is. Its signature was checked when it was committed, and is again by `verify`.
fn step(lean: LeanOp, order: Order) -> Result<Step, Refused> {
    let op = lean.op.ok_or_else(|| damaged(format!("op {} is gone", lean.position)))?;
    let signed = SignedOp { body: Vec::new(), payload: lean.payload, salts: Salts::default(), signature: [0; 64] };
    let op = Checked { id: lean.op_id, op, signed };
    Step::of(&Input { position: lean.position, received: lean.received, op }, order)
}

/// What was committed after a position until another one.
pub(crate) async fn since(
    session: &mut Session<'_>,
    stream: i64,
    after: u64,
    until: u64,
    order: Order,
    told: &dyn Fn(u64, f64),
) -> Result<Since, Fault> {
    let mut since = Since::default();
    let mut position = after;
    while position < until {
        told(position, READING * (position - after) as f64 / (until - after) as f64);
        let end = until.min(position + limit::LOG_READ.value);
        for op in session.lean_ops(stream, position, end).await? {
            take(&mut since, op, order)?;
        }
        position = end;
    }
    Ok(since)
}

impl<'p> Materializer<'p> {
    pub(crate) const fn new(name: &'p str, key: &'p SecretKey, library: &'p Library) -> Materializer<'p> {
        Materializer { name, key, library, resident: None }
    }

    /// Folds what was committed since the last checkpoint, and writes what has changed: rows, tombstones and the
    /// checkpoint in one transaction. None where a program is bound that the library does not have yet.
    pub(crate) async fn materialize(
        &mut self,
        database: &mut Database,
        host: &Host,
        recent: &mut Option<Recent>,
    ) -> Result<Option<Materialized>, Fault> {
        loop {
            let mut session = database.read().await?;
            let stream = find(&mut session, self.name).await?;
            let last = session.last_checkpoint(stream.number).await?.map(|last| last.check()).transpose()?;
            if let Some(last) = last.as_ref().filter(|last| last.count >= stream.count) {
                let told = told(&mut session, &stream, last.clone()).await?;
                session.commit().await?;
                return Ok(Some(told));
            }
            let Some(program) = self.library.get(&stream.fold_root) else { return Ok(None) };
            program.expect(ProgramKind::Fold, FOLD_EXPORTS)?;
            let mut ground = self.ground(&mut session, stream, last, program.order(), (recent, &host.told)).await?;
            let done = self.fold(&mut session, &mut ground, program, &host.told).await?;
            // Read to its end, so that folding keeps nobody waiting.
            session.commit().await?;
            (host.reached)(Point::MaterializeFolded);
            let mut session = database.write().await?;
            session.lock_tables(ground.stream.number).await?;
            let now = session.last_checkpoint(ground.stream.number).await?.map(|last| last.check()).transpose()?;
            if now != ground.last {
                // Another materializer was here first: what it did is gone on from.
                continue;
            }
            (host.told)(ground.stream.count, FOLDING);
            let written = self.write(&mut session, &ground, done, &host.reached).await?;
            let resident = self.resident.as_mut().ok_or_else(|| damaged("a fold that was not kept"))?;
            let checkpoint = written.0.clone();
            let rows = resident.run.rows().sorted().len();
            let poison = session.poison(ground.stream.number, checkpoint.epoch).await?;
            if let Err(fault) = session.commit().await {
                self.resident = None;
                return Err(fault);
            }
            (host.reached)(Point::MaterializeCommitted);
            (host.told)(ground.stream.count, 1.0);
            return Ok(Some(Materialized { checkpoint, poison, written: written.1, rows }));
        }
    }

    async fn ground(
        &self,
        session: &mut Session<'_>,
        stream: Stream,
        last: Option<Checkpoint>,
        order: Order,
        (recent, told): (&mut Option<Recent>, &dyn Fn(u64, f64)),
    ) -> Result<Ground, Fault> {
        let governance_ops = logged(session.governance_ops(stream.number).await?)?;
        let binding = resume(stream.governance_root, &governance_ops, self.library)?.binding;
        let count = last.as_ref().map_or(0, |last| last.count);
        let since = match Recent::found(recent, stream.number, count, stream.count, order) {
            None => since(session, stream.number, count, stream.count, order, told).await?,
            Some((begun, recent)) => {
                let mut since = since(session, stream.number, count, begun, order, told).await?;
                since.extend(recent);
                since
            }
        };
        let snapshots = session.snapshots(stream.number, binding.epoch).await?;
        let pruned = session.pruned(stream.number).await?;
        Ok(Ground { stream, binding, last, since, snapshots, pruned })
    }

    /// Folds on top of the newest state that no new op comes before.
    async fn fold(
        &mut self,
        session: &mut Session<'_>,
        ground: &mut Ground,
        program: &'p Stored,
        told: &dyn Fn(u64, f64),
    ) -> Result<Done<'p>, Fault> {
        let order = program.order();
        // What depends on ids alone is made while the ops are folded.
        let inputs = ground.last.is_none().then(|| {
            let entries = ground.since.admitted.iter().map(|&op| (op, present())).collect();
            spawn_blocking(move || pages::whole(Map::Inputs, entries))
        });
        let late = if order == Order::Ulid { fold::first(&ground.since.steps) } else { None };
        let is_its =
            |resident: &Resident<'_>| (resident.epoch, resident.count) == (ground.binding.epoch, ground.count());
        let resident = self.resident.take().filter(|resident| ground.goes_on() && is_its(resident));
        let kept = resident.as_ref().and_then(|resident| resident.run.before(late.as_ref()));
        let gone_back = resident.zip(kept).and_then(|(mut resident, base)| {
            let is_there = base == ground.count() || resident.run.rewind(base);
            is_there.then_some((resident.run, base))
        });
        let knows_rows = gone_back.is_some();
        let (mut run, base) = match gone_back {
            Some(there) => there,
            None => {
                let base = ground.snapshots.iter().find(|(_, last)| precedes(last.as_ref(), late.as_ref()));
                let snapshot = match (base, ground.pruned) {
                    (Some(&(count, _)), _) => {
                        session.snapshot(ground.stream.number, ground.binding.epoch, count).await?
                    }
                    (None, Some(pruned)) => {
                        pruned.must_go_on(&ground.binding, program)?;
                        session.pruned_snapshot(ground.stream.number, pruned.count).await?
                    }
                    (None, None) => None,
                };
                let base = snapshot.as_ref().map_or(0, |snapshot| snapshot.count);
                let policy_root = &ground.binding.policy_root;
                (Run::begin(&program.verified, order, policy_root, snapshot.as_ref())?, base)
            }
        };
        let steps = if base == ground.count() {
            std::mem::take(&mut ground.since.steps)
        } else {
            since(session, ground.stream.number, base, ground.stream.count, order, told).await?.steps
        };
        let (before, all) = (run.folded().0, steps.len().max(1) as f64);
        run.take_told(steps, &|done| {
            told(before + done as u64, READING + (FOLDING - READING) * done as f64 / all);
        })?;
        let changes = run.finish()?;
        let (folded, last) = run.folded();
        let snapshot = Snapshot { count: ground.stream.count, folded, last, bytes: run.snapshot()? };
        let checkpoint = self.checkpoint(ground, &mut run, &snapshot)?;
        Ok(Done { run, base, changes: knows_rows.then_some(changes), snapshot, checkpoint, inputs })
    }

    /// The checkpoint, but for what the maps in the database say.
    fn checkpoint(&self, ground: &Ground, run: &mut Run<'_>, snapshot: &Snapshot) -> Result<Checkpoint, Refused> {
        let stream = &ground.stream;
        let tree = LogTree::from_bytes(stream.count, &stream.edge).ok_or_else(|| damaged("the tip of the log"))?;
        let mut vector = ground.last.as_ref().map(|last| last.vector.clone()).unwrap_or_default();
        vector.extend(&ground.since.heads);
        Ok(Checkpoint {
            count: stream.count,
            vector,
            log_head: tree.head(),
            state_root: *run.rows().state_root().bytes(),
            snapshot_root: snapshot.root(),
            ..Checkpoint::under(stream.genesis, &ground.binding, self.key.public())
        })
    }

    /// Writes everything, and keeps the fold; the checkpoint, and how many rows were written.
    async fn write(
        &mut self,
        session: &mut Session<'_>,
        ground: &Ground,
        done: Done<'p>,
        reached: &dyn Fn(Point),
    ) -> Result<(Checkpoint, usize), Fault> {
        let Done { mut run, base, changes: known, snapshot, mut checkpoint, inputs } = done;
        let (number, epoch) = (ground.stream.number, ground.binding.epoch);
        let (making, are_new) = match known {
            Some(changes) => (spawn_blocking(move || changed(&changes)), false),
            None => {
                let stored = session.state(number).await?;
                let (rows, are_new) = (owned(&mut run), stored.is_empty());
                (spawn_blocking(move || changes(&rows, &stored)), are_new)
            }
        };
        let before = ground.last.as_ref().map_or((EMPTY, EMPTY), |last| (last.inputs_root, last.state_root));
        let inputs = match inputs {
            Some(inputs) => put_first(session, number, Map::Inputs, finished(inputs).await).await?,
            None => {
                let ids = ground.since.admitted.iter().map(|&op| (op, Some(present()))).collect();
                update(session, number, Map::Inputs, ids, &before.0).await?
            }
        };
        checkpoint.inputs_root = match inputs {
            Some(root) => root,
            None => {
                let admitted = session.admitted(number, checkpoint.count).await?;
                put_all(session, number, Map::Inputs, admitted.into_iter().map(|op| (op, present())).collect()).await?
            }
        };
        // Made while the map of inputs was written.
        let rows = finished(making).await;
        let entries = rows.iter().map(|row| (row_key(&row.key), row.value.as_deref().map(row_value))).collect();
        if update(session, number, Map::Rows, entries, &before.1).await? != Some(checkpoint.state_root) {
            let all = run.rows().sorted().iter().map(|row| (row_key(&row.key), row_value(&row.value))).collect();
            put_all(session, number, Map::Rows, all).await?;
        }
        session.put_rows(number, &rows, are_new, &checkpoint, || reached(Point::MaterializeRow)).await?;
        relate(session, &ground.stream, &rows).await?;
        session.put_poison(number, epoch, base, run.poison()).await?;
        if let Some(pruned) = ground.pruned.filter(|pruned| pruned.count == base) {
            session.keep_poison(number, &pruned, epoch).await?;
        }
        session.add_checkpoint(number, &checkpoint, &checkpoint.sign(self.key)?).await?;
        keep_snapshots(session, ground, base, &snapshot).await?;
        reached(Point::MaterializeCheckpoint);
        run.keep(checkpoint.count);
        self.resident = Some(Resident { epoch, count: checkpoint.count, run });
        Ok((checkpoint, rows.len()))
    }
}

/// What is told where there is nothing to do.
async fn told(session: &mut Session<'_>, stream: &Stream, checkpoint: Checkpoint) -> Result<Materialized, Fault> {
    let rows = session.live_rows(stream.number).await?;
    let poison = session.poison(stream.number, checkpoint.epoch).await?;
    Ok(Materialized { checkpoint, poison, written: 0, rows })
}

/// Makes the relations that changed rows declare, and takes away those that are declared no more.
async fn relate(session: &mut Session<'_>, stream: &Stream, rows: &[StateRow]) -> Result<(), Fault> {
    for declaration in rows.iter().filter_map(relation::declaration) {
        let (relation, is_there) = match declaration {
            Declaration::Declared(relation) => (relation, true),
            Declaration::Gone(path) | Declaration::Unusable(path, _) => (Relation { path, columns: Vec::new() }, false),
        };
        session.put_relation((stream.number, &stream.name), &relation, is_there).await?;
    }
    Ok(())
}

/// Whether nothing that is new comes before the last op of a state.
fn precedes(last: Option<&Place>, late: Option<&Place>) -> bool {
    late.is_none_or(|late| last.is_none_or(|last| last < late))
}

/// The rows to write for what has changed.
fn changed(changes: &RowChanges) -> Vec<StateRow> {
    let put = changes.put.iter().map(|changed| row(&changed.key, Some(&changed.value)));
    put.chain(changes.removed.iter().map(|key| row(key, None))).collect()
}

fn owned(run: &mut Run<'_>) -> Rows {
    run.rows().sorted().iter().map(|row| (row.key.clone(), row.value.clone())).collect()
}

/// Changes a map's pages, and says its root; none where the pages are not those of the root before.
async fn update(
    session: &mut Session<'_>,
    stream: i64,
    map: Map,
    changes: Vec<Change>,
    before: &Hash,
) -> Result<Option<Hash>, Fault> {
    let mut update = Update::new(map, changes);
    while !update.wanted().is_empty() {
        let found = session.pages(stream, map, &update.wanted()).await?;
        if update.take(found).is_err() {
            return Ok(None);
        }
    }
    if update.root_before() != *before {
        return Ok(None);
    }
    let updated = update.finish();
    session.put_pages(stream, map, &updated).await?;
    Ok(Some(updated.root))
}

/// What a thread of its own came to.
async fn finished<T>(thread: JoinHandle<T>) -> T {
    match thread.await {
        Ok(done) => done,
        // It ends in no other way than by its own panic.
        Err(ended) => resume_unwind(ended.into_panic()),
    }
}

/// Writes the first pages of a map, and says its root; none where there are pages already.
async fn put_first(session: &mut Session<'_>, stream: i64, map: Map, made: Updated) -> Result<Option<Hash>, Fault> {
    if !session.pages(stream, map, &[&[]]).await?.is_empty() {
        return Ok(None);
    }
    session.put_pages(stream, map, &made).await?;
    Ok(Some(made.root))
}

/// Makes all pages of a map anew: another program was at them.
async fn put_all(session: &mut Session<'_>, stream: i64, map: Map, entries: Vec<Entry>) -> Result<Hash, Fault> {
    session.drop_pages(stream, map).await?;
    let updated = pages::whole(map, entries);
    session.put_pages(stream, map, &updated).await?;
    Ok(updated.root)
}

/// Keeps the state to go on from where it is not large beside what came since the last one that was kept, and forgets
/// those that an op came before, and those that are close to others.
async fn keep_snapshots(
    session: &mut Session<'_>,
    ground: &Ground,
    base: u64,
    snapshot: &Snapshot,
) -> Result<(), Fault> {
    let (stream, epoch) = (ground.stream.number, ground.binding.epoch);
    if !ground.goes_on() {
        session.drop_snapshots_before(stream, epoch).await?;
    }
    let (mut kept, gone): (Vec<u64>, Vec<u64>) =
        ground.snapshots.iter().map(|snapshot| snapshot.0).partition(|&count| count <= base);
    let newest = kept.first().copied().unwrap_or(0);
    if snapshot.bytes.len() as u64 <= limit::FOLD_SNAPSHOT.value.saturating_mul(snapshot.count - newest) {
        session.add_snapshot(stream, epoch, snapshot).await?;
        kept.insert(0, snapshot.count);
    }
    for count in gone.into_iter().chain(materialize::surplus(&kept)) {
        session.drop_snapshot(stream, epoch, count).await?;
    }
    Ok(())
}
