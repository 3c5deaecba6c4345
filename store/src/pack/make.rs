//! Making a pack of a stream, a part of its ops at a time.

use super::{Header, PackWriter, PrunedOp, SourceText, Totals, hide};
use crate::backend::{Session, Stream};
use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::code::{Code, Refused};
use crate::document::{Hash, hash_from_hex};
use crate::fault::Fault;
use crate::fold::Snapshot;
use crate::limit::{self, length};
use crate::op::Op;
use crate::proof::{self, Claim};
use crate::store::{Store, find};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

/// What goes into a pack beside what always does.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// Payload fields to hide; then no rows go along but those that are named.
    pub hidden: Vec<String>,
    pub sources: Vec<SourceText>,
    /// Keys of rows that are proved where not all are given.
    pub rows: Vec<Vec<u8>>,
}

/// The roots of programs that a payload names.
pub(crate) fn named_roots(payload: &[u8]) -> BTreeSet<Hash> {
    let prefix = b"sha256:";
    let roots = payload.windows(prefix.len() + 64).filter_map(|window| window.strip_prefix(prefix));
    roots.filter_map(|digits| hash_from_hex(std::str::from_utf8(digits).ok()?)).collect()
}

impl Store {
    /// Writes everything that can be checked of a stream to one file, and says how many ops were written.
    ///
    /// # Errors
    /// `STREAM_UNKNOWN`, `CLAIM_FALSE` where a row that is to be proved is not there, or the database or the file fails.
    pub async fn pack<W: Write>(
        &mut self,
        name: &str,
        wish: &Wish,
        out: W,
        told: &mut dyn FnMut(u64, f64),
    ) -> Result<(W, Totals), Fault> {
        let proofs = self.proofs(name, wish).await?;
        let mut session = self.database().read().await?;
        let stream = find(&mut session, name).await?;
        let names: BTreeSet<String> = wish.hidden.iter().cloned().collect();
        let (hidden, pruned) = (names.into_iter().collect(), session.pruned(stream.number).await?);
        let pruned = pruned.map(|pruned| pruned.count);
        let header = Header { stream: stream.genesis, name: stream.name.clone(), hidden, pruned };
        let mut writer = PackWriter::new(out, &header)?;
        let bound = programs(&mut session, &stream, &mut writer).await?;
        let mut sources: Vec<&SourceText> = wish.sources.iter().filter(|source| bound.contains(&source.root)).collect();
        sources.sort_by_key(|source| (source.root, &source.name));
        sources.dedup_by_key(|source| (source.root, &source.name));
        for source in sources {
            writer.source(source)?;
        }
        let mut behind = Behind::find(&mut session, &stream).await?;
        let (mut position, mut hidden) = (0, 0);
        while position < stream.count {
            let ops = session.ops_between(stream.number, position, length(limit::AUDIT_READ) as u64).await?;
            if ops.is_empty() {
                break;
            }
            for op in ops {
                if op.is_pruned() {
                    writer.pruned_op(&op.record, &PrunedOp::of(&op))?;
                    position = op.position;
                    behind.write(position, &mut writer)?;
                    continue;
                }
                let is_governance = Op::decode(&op.signed.body).is_ok_and(|op| op.is_governance());
                let part = if is_governance { None } else { hide(&op.signed, &header.hidden).ok().flatten() };
                match part {
                    Some(part) => {
                        hidden += 1;
                        writer.hidden_op(&op.record, &part)?;
                    }
                    None => writer.op(&op.record, &op.signed)?,
                }
                position = op.position;
                behind.write(position, &mut writer)?;
            }
            told(position, position as f64 / stream.count.max(1) as f64);
        }
        behind.write(u64::MAX, &mut writer)?;
        if hidden == 0 && !header.hidden.is_empty() {
            let what = format!("no op has a payload field `{}`", header.hidden.join("`, `"));
            return Err(Refused::new(Code::CLAIM_FALSE, what).into());
        }
        if header.hidden.is_empty() {
            rows(&mut session, &stream, &mut writer).await?;
        }
        for proof in proofs {
            writer.proof(&proof)?;
        }
        writer.finish()
    }

    async fn proofs(&mut self, name: &str, wish: &Wish) -> Result<Vec<Vec<u8>>, Fault> {
        if wish.rows.is_empty() {
            return Ok(Vec::new());
        }
        let witness = self.witness(name).await?;
        let claim = |key: &Vec<u8>| match witness.rows.get(key) {
            Some(value) => Claim::Row { key: key.clone(), value: value.clone() },
            None => Claim::Absent { key: key.clone() },
        };
        let proofs: Result<_, _> = wish.rows.iter().map(|key| proof::prove(&claim(key), &witness)).collect();
        Ok(proofs?)
    }
}

/// Writes the programs that the stream ever bound, by root; their roots.
async fn programs<W: Write>(
    session: &mut Session<'_>,
    stream: &Stream,
    writer: &mut PackWriter<W>,
) -> Result<BTreeSet<Hash>, Fault> {
    let mut roots = BTreeSet::from([stream.fold_root, stream.policy_root, stream.governance_root]);
    for op in session.governance_ops(stream.number).await? {
        roots.extend(named_roots(&op.signed.payload));
    }
    let library = session.programs().await?;
    for root in &roots {
        if let Some(program) = library.get(root) {
            writer.program(&program.bytes)?;
        }
    }
    Ok(roots)
}

/// Writes the rows, a part of them at a time.
async fn rows<W: Write>(session: &mut Session<'_>, stream: &Stream, writer: &mut PackWriter<W>) -> Result<(), Fault> {
    let mut from = Vec::new();
    loop {
        let part = session.state_from(stream.number, &from, length(limit::AUDIT_READ) as u64).await?;
        let Some(last) = part.last() else { return Ok(()) };
        from = crate::audit::after(&last.key);
        for row in part {
            if let Some(value) = row.value {
                writer.row(&row.key, &value)?;
            }
        }
    }
}

/// What stands behind ops: checkpoints, and behind their own the newest snapshot, and the one that what was pruned left.
struct Behind {
    checkpoints: BTreeMap<(u64, u64), SignedCheckpoint>,
    snapshots: BTreeMap<(u64, u64), Snapshot>,
}

impl Behind {
    async fn find(session: &mut Session<'_>, stream: &Stream) -> Result<Behind, Fault> {
        let mut checkpoints = BTreeMap::new();
        for signed in session.checkpoints(stream.number).await? {
            let checkpoint = Checkpoint::decode(&signed.body)?;
            checkpoints.insert((checkpoint.count, checkpoint.epoch), signed);
        }
        let newest = session.snapshots(stream.number, stream.epoch).await?.into_iter().map(|snapshot| snapshot.0).max();
        let snapshot = match newest {
            Some(count) => session.snapshot(stream.number, stream.epoch, count).await?,
            None => None,
        };
        let mut snapshots: BTreeMap<(u64, u64), Snapshot> =
            snapshot.into_iter().map(|snapshot| ((snapshot.count, stream.epoch), snapshot)).collect();
        if let Some(pruned) = session.pruned(stream.number).await?
            && let Some(anchor) = session.pruned_snapshot(stream.number, pruned.count).await?
        {
            snapshots.insert((pruned.count, pruned.epoch), anchor);
        }
        Ok(Behind { checkpoints, snapshots })
    }

    /// Writes those of up to so many records.
    fn write<W: Write>(&mut self, until: u64, writer: &mut PackWriter<W>) -> Result<(), Fault> {
        while let Some(entry) = self.checkpoints.first_entry().filter(|entry| entry.key().0 <= until) {
            let (place, signed) = entry.remove_entry();
            writer.checkpoint(&signed)?;
            if let Some(snapshot) = self.snapshots.remove(&place) {
                writer.snapshot(&snapshot)?;
            }
        }
        Ok(())
    }
}
