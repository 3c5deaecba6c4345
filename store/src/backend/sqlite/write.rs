//! Writing to SQLite.

use super::Session;
use super::read::signed_number;
use crate::backend::{StateRow, StoredOp, Stream};
use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::code::Code;
use crate::fault::Fault;
use crate::fold::Folded;
use crate::op::Checked;
use crate::program::Stored;
use kerai_vm::trap::Trap;
use std::collections::BTreeMap;

impl Session<'_> {
    /// Keeps a program; one that is kept already stays.
    ///
    /// # Errors
    /// Where the database fails; so it is with all that writes.
    pub async fn add_program(&mut self, program: &Stored) -> Result<(), Fault> {
        let sql = "INSERT INTO programs (root, code) VALUES (?, ?) ON CONFLICT (root) DO NOTHING";
        let query = sqlx::query(sql).bind(program.root.as_slice()).bind(&program.bytes);
        query.execute(&mut *self.transaction).await?;
        Ok(())
    }

    /// Adds a stream and gives it its number.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_stream(&mut self, stream: &Stream) -> Result<i64, Fault> {
        let sql = "INSERT INTO streams (name, genesis, epoch, fold_root, policy_root, governance_root, count, received_ms, edge) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let query = sqlx::query(sql).bind(&stream.name).bind(stream.genesis.as_slice());
        let query = query.bind(signed_number(stream.epoch)).bind(stream.fold_root.as_slice());
        let query = query.bind(stream.policy_root.as_slice()).bind(stream.governance_root.as_slice());
        let query = query.bind(signed_number(stream.count)).bind(signed_number(stream.received)).bind(&stream.edge);
        Ok(query.execute(&mut *self.transaction).await?.last_insert_rowid())
    }

    /// Moves the tip of a stream's log, and what it binds.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn move_tip(&mut self, stream: &Stream) -> Result<(), Fault> {
        let sql = "UPDATE streams SET epoch = ?, fold_root = ?, policy_root = ?, governance_root = ?, count = ?, \
                   received_ms = ?, edge = ? WHERE stream = ?";
        let query = sqlx::query(sql).bind(signed_number(stream.epoch)).bind(stream.fold_root.as_slice());
        let query = query.bind(stream.policy_root.as_slice()).bind(stream.governance_root.as_slice());
        let query = query.bind(signed_number(stream.count)).bind(signed_number(stream.received)).bind(&stream.edge);
        query.bind(stream.number).execute(&mut *self.transaction).await?;
        Ok(())
    }

    /// Adds an op at its position.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_op(&mut self, stream: i64, op: &StoredOp) -> Result<(), Fault> {
        let sql = "INSERT INTO ops (stream, position, op_id, author, seq, ulid, given, outcome, is_governance, fold_root, \
                   policy_root, received_ms, body, payload, salts, signature, record) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let columns = &op.columns;
        let query = sqlx::query(sql).bind(stream).bind(signed_number(op.position)).bind(columns.op_id.as_slice());
        let query = query.bind(columns.author.as_slice()).bind(signed_number(columns.sequence));
        let query = query.bind(columns.ulid.as_slice()).bind(columns.given.as_slice()).bind(&columns.outcome);
        let query = query.bind(columns.is_governance).bind(columns.fold_root.as_slice());
        let query = query.bind(columns.policy_root.as_slice()).bind(signed_number(columns.received));
        let query = query.bind(&op.signed.body).bind(&op.signed.payload).bind(op.signed.salts.bytes());
        let query = query.bind(op.signed.signature.as_slice()).bind(&op.record);
        query.execute(&mut *self.transaction).await?;
        Ok(())
    }

    /// Keeps an op that the log did not take as evidence.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_fork(&mut self, stream: i64, op: &Checked, code: Code, received: u64) -> Result<(), Fault> {
        let sql = "INSERT INTO forks (stream, op_id, author, seq, code, received_ms, body, payload, salts, signature) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (stream, op_id) DO NOTHING";
        let query = sqlx::query(sql).bind(stream).bind(op.id.as_slice()).bind(op.op.author.as_slice());
        let query = query.bind(signed_number(op.op.sequence)).bind(code.name()).bind(signed_number(received));
        let query = query.bind(&op.signed.body).bind(&op.signed.payload).bind(op.signed.salts.bytes());
        query.bind(op.signed.signature.as_slice()).execute(&mut *self.transaction).await?;
        Ok(())
    }

    /// Counts a refusal.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn count_refusal(&mut self, stream: i64, code: Code) -> Result<(), Fault> {
        let sql = "INSERT INTO refusals (stream, code, count) VALUES (?, ?, 1) \
                   ON CONFLICT (stream, code) DO UPDATE SET count = refusals.count + 1";
        sqlx::query(sql).bind(stream).bind(code.name()).execute(&mut *self.transaction).await?;
        Ok(())
    }

    /// Writes a row, or its tombstone, as of a checkpoint.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_row(&mut self, stream: i64, row: &StateRow, checkpoint: &Checkpoint) -> Result<(), Fault> {
        let sql = "INSERT INTO state (stream, key, value, path, name, view, epoch, count, fold_root, policy_root) \
                   VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
                   ON CONFLICT (stream, key) DO UPDATE SET value = excluded.value, path = excluded.path, \
                   name = excluded.name, view = excluded.view, epoch = excluded.epoch, count = excluded.count, \
                   fold_root = excluded.fold_root, policy_root = excluded.policy_root";
        let query = sqlx::query(sql).bind(stream).bind(&row.key).bind(row.value.as_deref());
        let query = query.bind(&row.projection.path).bind(&row.projection.name).bind(row.projection.view.as_deref());
        let query = query.bind(signed_number(checkpoint.epoch)).bind(signed_number(checkpoint.count));
        let query = query.bind(checkpoint.fold_root.as_slice()).bind(checkpoint.policy_root.as_slice());
        query.execute(&mut *self.transaction).await?;
        Ok(())
    }

    /// Says which ops after a position left no trace, and why; what was said of those before stays.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_poison(
        &mut self,
        stream: i64,
        epoch: u64,
        after: u64,
        poison: &BTreeMap<u64, Trap>,
    ) -> Result<(), Fault> {
        let query = sqlx::query("DELETE FROM poison WHERE stream = ? AND epoch = ? AND position > ?").bind(stream);
        query.bind(signed_number(epoch)).bind(signed_number(after)).execute(&mut *self.transaction).await?;
        for (&position, trap) in poison {
            let sql = "INSERT INTO poison (stream, epoch, position, trap) VALUES (?, ?, ?, ?)";
            let query = sqlx::query(sql).bind(stream).bind(signed_number(epoch)).bind(signed_number(position));
            query.bind(trap.to_string()).execute(&mut *self.transaction).await?;
        }
        Ok(())
    }

    /// Keeps a state to go on from.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_snapshot(&mut self, stream: i64, checkpoint: &Checkpoint, folded: &Folded) -> Result<(), Fault> {
        let sql = "INSERT INTO snapshots (stream, epoch, count, folded, last, bytes) VALUES (?, ?, ?, ?, ?, ?)";
        let last = folded.last.map(|(ulid, content, op)| [&ulid.to_bytes()[..], &content, &op].concat());
        let query = sqlx::query(sql).bind(stream).bind(signed_number(checkpoint.epoch));
        let query = query.bind(signed_number(checkpoint.count)).bind(signed_number(folded.folded));
        query.bind(last).bind(&folded.snapshot).execute(&mut *self.transaction).await?;
        Ok(())
    }

    /// Forgets a snapshot; all of other epochs are forgotten too.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn drop_snapshot(&mut self, stream: i64, epoch: u64, count: u64) -> Result<(), Fault> {
        let sql = "DELETE FROM snapshots WHERE stream = ? AND (epoch <> ? OR count = ?)";
        let query = sqlx::query(sql).bind(stream).bind(signed_number(epoch)).bind(signed_number(count));
        query.execute(&mut *self.transaction).await?;
        Ok(())
    }

    /// Adds a checkpoint.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_checkpoint(
        &mut self,
        stream: i64,
        checkpoint: &Checkpoint,
        signed: &SignedCheckpoint,
    ) -> Result<(), Fault> {
        let sql = "INSERT INTO checkpoints (stream, epoch, count, body, signature) VALUES (?, ?, ?, ?, ?)";
        let query = sqlx::query(sql).bind(stream).bind(signed_number(checkpoint.epoch));
        let query = query.bind(signed_number(checkpoint.count)).bind(&signed.body).bind(signed.signature.as_slice());
        query.execute(&mut *self.transaction).await?;
        Ok(())
    }
}
