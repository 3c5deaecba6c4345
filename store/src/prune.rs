//! Pruning: what was signed of a closed epoch's ops is given up, once a pack holds it and a state stands for it.

use crate::audit::{Ask, Evidence, Item, draws};
use crate::backend::{Pruned, Session, Stream, damaged};
use crate::checkpoint::Checkpoint;
use crate::code::{Code, Refused};
use crate::document::{Hash, hash};
use crate::fault::Fault;
use crate::fold::{Run, Snapshot};
use crate::governance::Binding;
use crate::host::Point;
use crate::limit::{self, length};
use crate::materializer::since;
use crate::pack::{self, PackFile};
use crate::program::{FOLD_EXPORTS, Library, Stored};
use crate::store::{Store, find, logged, resume};
use kerai_vm::bytecode::ProgramKind;
use kerai_vm::encoding::root::Context;
use std::path::Path;

/// What pruning did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrunedNow {
    pub pruned: Pruned,
    /// How many records were pruned before; as many as now where there was nothing to do.
    pub before: u64,
}

/// What is to be pruned.
struct Plan {
    stream: Stream,
    checkpoint: Checkpoint,
    hash: Hash,
    /// The fold that goes on from there.
    fold: Stored,
    before: Option<Pruned>,
}

impl Plan {
    fn before(&self) -> u64 {
        self.before.map_or(0, |before| before.count)
    }
}

impl Pruned {
    /// Whether what is bound now goes on from the state that was left.
    #[must_use]
    pub fn goes_on(&self, binding: &Binding, fold: &Stored) -> bool {
        self.fold_root == binding.fold_root && (self.policy_root == binding.policy_root || !draws(fold))
    }

    /// # Errors
    /// `PRUNED` where it does not.
    pub(crate) fn must_go_on(&self, binding: &Binding, fold: &Stored) -> Result<(), Refused> {
        if self.goes_on(binding, fold) {
            return Ok(());
        }
        let what = format!("another fold is bound than when {} records were pruned", self.count);
        Err(Refused::new(Code::PRUNED, what))
    }
}

impl Store {
    /// Gives up what was signed of the ops up to the end of the last closed epoch, but of governance's, once it was seen
    /// that the archive holds them and is right. Nothing is asked of the file afterwards.
    ///
    /// # Errors
    /// `STREAM_UNKNOWN`, `EPOCH_OPEN`, `ARCHIVE_WRONG`, or the file or the database fails: then nothing was pruned.
    pub async fn prune(
        &mut self,
        name: &str,
        archive: &Path,
        jobs: usize,
        told: &mut dyn FnMut(u64, f64),
    ) -> Result<PrunedNow, Fault> {
        let library = self.programs().await?;
        let mut session = self.database().read().await?;
        let plan = plan(&mut session, name, &library).await?;
        if let Some(pruned) = plan.before.filter(|before| before.count >= plan.checkpoint.count) {
            return Ok(PrunedNow { pruned, before: pruned.count });
        }
        is_right(archive, &plan, jobs, told)?;
        let root = holds(archive, &mut session, &plan).await?;
        let snapshot = state(&mut session, &plan).await?;
        session.commit().await?;
        let (stream, checkpoint) = (plan.stream.number, &plan.checkpoint);
        let (epoch, count) = (checkpoint.epoch, checkpoint.count);
        let (fold_root, policy_root) = (checkpoint.fold_root, checkpoint.policy_root);
        let pruned = Pruned { epoch, count, fold_root, policy_root, archive: root };
        let (database, reached) = self.parts();
        reached(Point::PruneChecked);
        let mut session = database.write().await?;
        session.lock_tables(stream).await?;
        if session.pruned(stream).await? != plan.before {
            let what = "another process prunes this stream: look again once it is done";
            return Err(Refused::new(Code::ACK_TIMEOUT, what).into());
        }
        session.add_pruned(stream, &pruned, &snapshot).await?;
        reached(Point::PruneState);
        session.empty_ops(stream, plan.before(), count).await?;
        reached(Point::PruneOps);
        session.commit().await?;
        reached(Point::PruneCommitted);
        Ok(PrunedNow { pruned, before: plan.before() })
    }

    /// How far a stream was pruned.
    ///
    /// # Errors
    /// `STREAM_UNKNOWN`, or the database fails.
    pub async fn pruned(&mut self, name: &str) -> Result<Option<Pruned>, Fault> {
        let mut session = self.database().read().await?;
        let stream = find(&mut session, name).await?;
        let pruned = session.pruned(stream.number).await?;
        session.commit().await?;
        Ok(pruned)
    }
}

/// The last closed epoch, where the fold of then is bound still.
async fn plan(session: &mut Session<'_>, name: &str, library: &Library) -> Result<Plan, Fault> {
    let open = |what: String| Fault::from(Refused::new(Code::EPOCH_OPEN, what));
    let stream = find(session, name).await?;
    let governance_ops = logged(session.governance_ops(stream.number).await?)?;
    let binding = resume(stream.governance_root, &governance_ops, library)?.binding;
    let closed = binding.closed.ok_or_else(|| open(format!("`{name}`")))?.checkpoint;
    let checkpoints = session.checkpoints(stream.number).await?;
    let found = checkpoints.into_iter().find(|signed| hash(Context::Checkpoint, &signed.body) == closed);
    let checkpoint = found.ok_or_else(|| damaged("the checkpoint of a closed epoch is gone"))?.check()?;
    let fold = library.find(&checkpoint.fold_root, ProgramKind::Fold, FOLD_EXPORTS)?.clone();
    let before = session.pruned(stream.number).await?;
    let policy_root = checkpoint.policy_root;
    let (epoch, count, fold_root) = (checkpoint.epoch, checkpoint.count, checkpoint.fold_root);
    if !(Pruned { epoch, count, fold_root, policy_root, archive: [0; 32] }).goes_on(&binding, &fold) {
        return Err(open(format!("`{name}` has another fold since epoch {epoch} was closed")));
    }
    Ok(Plan { stream, checkpoint, hash: closed, fold, before })
}

/// Audits the archive from its file alone, as everybody can.
fn is_right(archive: &Path, plan: &Plan, jobs: usize, told: &mut dyn FnMut(u64, f64)) -> Result<(), Fault> {
    let (header, found) = pack::verify(archive, &Ask { jobs, ..Ask::default() }, told)?;
    let wrong = |what: String| Err(Refused::new(Code::ARCHIVE_WRONG, what).into());
    if let Some(found) = found.first_divergence {
        return wrong(format!("it diverges: {}: {}, computed {}", found.what, found.stored, found.computed));
    }
    match header {
        Some(header) if header.stream != plan.stream.genesis => wrong("it is of another stream".into()),
        Some(header) if !header.hidden.is_empty() => wrong("parts of its ops are hidden".into()),
        Some(header) if header.pruned.unwrap_or(0) > plan.before() => {
            wrong("it was made of a stream that is pruned further".into())
        }
        Some(_) => Ok(()),
        None => wrong("it has no header".into()),
    }
}

/// Compares what the archive holds with what is to be pruned, byte by byte; the root of the pack.
async fn holds(archive: &Path, session: &mut Session<'_>, plan: &Plan) -> Result<Hash, Fault> {
    let wrong = |what: String| Fault::from(Refused::new(Code::ARCHIVE_WRONG, what));
    let (mut pack, mut position, mut has_end) = (PackFile::open(archive)?, 0, false);
    let (before, count) = (plan.before(), plan.checkpoint.count);
    let mut stored = Vec::new().into_iter();
    while let Some(item) = pack.next()? {
        let op = match item {
            Item::Op { record, signed, .. } => Some((record, signed)),
            Item::PackedOp { place, content } => Some(pack::open_op(&content).ok_or_else(|| pack::no_op(place))?),
            Item::HiddenOp { .. } | Item::PrunedOp { .. } => None,
            Item::Checkpoint(signed) => {
                has_end |= hash(Context::Checkpoint, &signed.body) == plan.hash;
                continue;
            }
            Item::Snapshot(_) | Item::Row(..) | Item::Proof(_) => continue,
        };
        position += 1;
        if position <= before || position > count {
            continue;
        }
        if stored.as_slice().is_empty() {
            let most = (length(limit::AUDIT_READ) as u64).min(count + 1 - position);
            stored = session.ops_between(plan.stream.number, position - 1, most).await?.into_iter();
        }
        let stored = stored.next().ok_or_else(|| damaged("an op that is gone"))?;
        if op != Some((stored.record, stored.signed)) {
            return Err(wrong(format!("its op {position} is not the stream's")));
        }
    }
    if position < count || !has_end {
        return Err(wrong(format!(
            "it has {position} ops, and not the checkpoint that closed the epoch after {count}"
        )));
    }
    pack.root().ok_or_else(|| damaged("a pack without its end").into())
}

/// The state at the closing checkpoint, which stands for the ops from then on.
async fn state(session: &mut Session<'_>, plan: &Plan) -> Result<Snapshot, Fault> {
    let Plan { stream, checkpoint, fold, .. } = plan;
    let order = fold.order();
    let base = session.pruned_snapshot(stream.number, plan.before()).await?;
    let mut run = Run::begin(&fold.verified, order, &checkpoint.policy_root, base.as_ref())?;
    let between = since(session, stream.number, plan.before(), checkpoint.count, order, &|_, _| ()).await?;
    run.take(between.steps)?;
    run.finish()?;
    let (folded, last) = run.folded();
    let snapshot = Snapshot { count: checkpoint.count, folded, last, bytes: run.snapshot()? };
    if snapshot.root() == checkpoint.snapshot_root {
        return Ok(snapshot);
    }
    Err(damaged("the closing checkpoint is not that of the ops").into())
}
