//! What was pruned: the same statements on every database.

use super::read::{last, last_bytes};
use super::session::Session;
use crate::document::Hash;
use crate::fault::Fault;
use crate::fold::Snapshot;
use crate::limit;
use crate::log::leaf;

/// How far a stream was pruned, at the end of a closed epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    pub epoch: u64,
    /// The last record whose op may be gone.
    pub count: u64,
    /// What was bound then: no other fold can be gone on with.
    pub fold_root: Hash,
    pub policy_root: Hash,
    /// The root of the pack that holds the ops.
    pub archive: Hash,
}

impl Session<'_> {
    /// How far a stream was pruned last.
    ///
    /// # Errors
    /// Where the database fails; so it is with all of these.
    pub async fn pruned(&mut self, stream: i64) -> Result<Option<Pruned>, Fault> {
        let sql = "SELECT epoch, count, fold_root, policy_root, archive FROM pruned WHERE stream = $1 \
                   ORDER BY count DESC LIMIT 1";
        let Some(mut row) = self.row(sql, &[stream.into()]).await? else { return Ok(None) };
        let (epoch, count) = (row.number()?, row.number()?);
        Ok(Some(Pruned { epoch, count, fold_root: row.hash()?, policy_root: row.hash()?, archive: row.hash()? }))
    }

    /// The state to go on from where a stream was pruned until so many records.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn pruned_snapshot(&mut self, stream: i64, count: u64) -> Result<Option<Snapshot>, Fault> {
        let sql = "SELECT folded, last, bytes FROM pruned WHERE stream = $1 AND count = $2";
        let Some(mut row) = self.row(sql, &[stream.into(), count.into()]).await? else { return Ok(None) };
        Ok(Some(Snapshot { count, folded: row.number()?, last: last(&mut row)?, bytes: row.bytes()? }))
    }

    /// Says how far a stream is pruned from now on.
    ///
    /// # Errors
    /// Where the database fails, or the epoch is not closed.
    pub async fn add_pruned(&mut self, stream: i64, pruned: &Pruned, snapshot: &Snapshot) -> Result<(), Fault> {
        let sql = "INSERT INTO pruned (stream, epoch, count, fold_root, policy_root, archive, folded, last, bytes) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let last = last_bytes(snapshot);
        let cells = [
            stream.into(),
            pruned.epoch.into(),
            pruned.count.into(),
            (&pruned.fold_root).into(),
            (&pruned.policy_root).into(),
            (&pruned.archive).into(),
            snapshot.folded.into(),
            super::cell::Cell::Bytes(last.as_deref()),
            (&snapshot.bytes).into(),
        ];
        self.execute(sql, &cells).await
    }

    /// Empties the ops after a position until another one, but governance's: their ids, what they are found by, records
    /// and signatures stay.
    ///
    /// # Errors
    /// Where the database fails, or does not know that they are pruned.
    pub async fn empty_ops(&mut self, stream: i64, after: u64, until: u64) -> Result<(), Fault> {
        let mut position = after;
        while position < until {
            let count = limit::LOG_READ.value.min(until - position);
            let ops = self.ops_between(stream, position, count).await?;
            let mut left = Vec::with_capacity(ops.len());
            for op in ops.iter().filter(|op| !op.columns.is_governance && !op.is_pruned()) {
                left.push((op.position, [op.columns.op_id, op.given()?, leaf(&op.record)].concat()));
            }
            self.leave_of_ops(stream, &left).await?;
            position += count;
        }
        Ok(())
    }

    /// Takes over into an epoch which of the ops that were pruned left no trace: they are not folded again.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn keep_poison(&mut self, stream: i64, pruned: &Pruned, epoch: u64) -> Result<(), Fault> {
        let sql = "INSERT INTO poison (stream, epoch, position, trap) SELECT stream, $4, position, trap FROM poison \
                   WHERE stream = $1 AND epoch = $2 AND position <= $3 ON CONFLICT (stream, epoch, position) DO NOTHING";
        self.execute(sql, &[stream.into(), pruned.epoch.into(), pruned.count.into(), epoch.into()]).await
    }
}
