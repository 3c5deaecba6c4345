//! Writing: the same statements on every database.

use super::brief;
use super::cell::Cell;
use super::postgres::bulk;
use super::read::last_bytes;
use super::session::{Session, Transaction};
use super::{NewOp, StateRow, Stream, damaged, postgres, sqlite};
use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::code::Code;
use crate::document::Hash;
use crate::fault::Fault;
use crate::fold::Snapshot;
use crate::log::{Commit, Head};
use crate::op::Checked;
use crate::pages::{Map, Updated};
use crate::program::Stored;
use crate::relation::{self, Relation};
use kerai_vm::trap::Trap;
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

/// Rows that a server is given in one statement.
const ROWS: usize = 4096;

/// Ops on their way into the database: a server takes them in while the next ones are decided.
pub struct OpsToAdd<'t> {
    adding: Adding<'t>,
    stream: Stream,
    /// The numbers of programs, by their roots.
    roots: BTreeMap<Hash, i64>,
    heads: BTreeMap<Hash, Head>,
}

enum Adding<'t> {
    Sqlite(&'t mut SqliteConnection),
    Postgres(Box<bulk::Ops<'t>>),
}

impl OpsToAdd<'_> {
    /// # Errors
    /// Where the database fails.
    pub async fn add(&mut self, new: &NewOp) -> Result<(), Fault> {
        let number = |root| self.roots.get(root).copied().ok_or_else(|| damaged("a program that is not kept"));
        let numbers = (number(&new.fold_root)?, number(&new.policy_root)?);
        let Checked { id, op, .. } = &new.commit.op;
        self.heads.insert(op.author, Head { sequence: op.sequence, op: *id });
        match &mut self.adding {
            Adding::Sqlite(connection) => add_op(connection, &self.stream, new, numbers).await,
            Adding::Postgres(ops) => ops.add(&self.stream, new, numbers).await,
        }
    }

    /// The ends of the chains that went on.
    ///
    /// # Errors
    /// Where the database fails: then none of them is there.
    pub async fn finish(self) -> Result<BTreeMap<Hash, Head>, Fault> {
        if let Adding::Postgres(ops) = self.adding {
            ops.finish().await?;
        }
        Ok(self.heads)
    }
}

async fn add_op(
    connection: &mut SqliteConnection,
    stream: &Stream,
    new: &NewOp,
    (fold, policy): (i64, i64),
) -> Result<(), Fault> {
    let sql = "INSERT INTO ops (stream, position, author, seq, ulid, outcome, is_governance, fold, policy, body, payload, \
               salts, signature, record) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    let Commit { op: Checked { op, signed, .. }, record, bytes, .. } = &*new.commit;
    let (mut body, mut said) = (Vec::new(), Vec::new());
    brief::put_body(&mut body, op, &signed.body, (&new.fold_root, &new.policy_root), &stream.genesis);
    brief::put_record(&mut said, record, bytes);
    let ulid = op.ulid.to_bytes();
    let cells = [
        stream.number.into(),
        record.position.into(),
        (&op.author).into(),
        op.sequence.into(),
        (&ulid).into(),
        record.outcome.name().into(),
        i64::from(op.is_governance()).into(),
        fold.into(),
        policy.into(),
        (&body).into(),
        (&signed.payload).into(),
        signed.salts.bytes().into(),
        (&signed.signature).into(),
        (&said).into(),
    ];
    sqlite::execute(connection, sql, &cells).await
}

impl Session<'_> {
    /// Keeps a program; one that is kept already stays.
    ///
    /// # Errors
    /// Where the database fails; so it is with all that writes.
    pub async fn add_program(&mut self, program: &Stored) -> Result<(), Fault> {
        let sql = "INSERT INTO programs (root, code) VALUES ($1, $2) ON CONFLICT (root) DO NOTHING";
        self.execute(sql, &[(&program.root).into(), (&program.bytes).into()]).await?;
        let sql = "INSERT INTO roots (root) VALUES ($1) ON CONFLICT (root) DO NOTHING";
        self.execute(sql, &[(&program.root).into()]).await
    }

    /// Adds a stream and gives it its number.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_stream(&mut self, stream: &Stream) -> Result<i64, Fault> {
        let sql = "INSERT INTO streams (epoch, fold_root, policy_root, governance_root, count, received_ms, edge, name, genesis) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING stream";
        let cells = [&tip(stream)[..], &[(&stream.name).into(), (&stream.genesis).into()]].concat();
        let mut row = self.row(sql, &cells).await?.ok_or_else(|| damaged("a stream without a number"))?;
        Ok(row.integer()?)
    }

    /// Moves the tip of a stream's log, and what it binds.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn move_tip(&mut self, stream: &Stream) -> Result<(), Fault> {
        let sql = "UPDATE streams SET epoch = $1, fold_root = $2, policy_root = $3, governance_root = $4, count = $5, \
                   received_ms = $6, edge = $7 WHERE stream = $8";
        self.execute(sql, &[&tip(stream)[..], &[stream.number.into()]].concat()).await
    }

    /// Tells those who follow the log, once this is committed.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn tell(&mut self) -> Result<(), Fault> {
        match self.0 {
            Transaction::Sqlite(_) => Ok(()),
            Transaction::Postgres(_) => self.execute("SELECT pg_notify($1, '')", &[postgres::CHANNEL.into()]).await,
        }
    }

    /// Adds ops at their positions, one after the other; nothing else can be asked meanwhile.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn ops_to_add(&mut self, stream: &Stream) -> Result<OpsToAdd<'_>, Fault> {
        let (stream, roots, heads) = (stream.clone(), self.roots().await?, BTreeMap::new());
        let adding = match &mut self.0 {
            Transaction::Sqlite(transaction) => Adding::Sqlite(transaction),
            Transaction::Postgres(transaction) => Adding::Postgres(Box::new(bulk::Ops::new(transaction))),
        };
        Ok(OpsToAdd { adding, stream, roots, heads })
    }

    /// Moves the ends of authors' chains.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_heads(&mut self, stream: i64, heads: &BTreeMap<Hash, Head>) -> Result<(), Fault> {
        for (author, Head { sequence, op }) in heads {
            let sql = "INSERT INTO authors (stream, author, seq, op_id) VALUES ($1, $2, $3, $4) \
                       ON CONFLICT (stream, author) DO UPDATE SET seq = excluded.seq, op_id = excluded.op_id";
            self.execute(sql, &[stream.into(), author.into(), (*sequence).into(), op.into()]).await?;
        }
        Ok(())
    }

    /// Puts what is left of ops in the place of what was signed.
    pub(super) async fn leave_of_ops(&mut self, stream: i64, left: &[(u64, Vec<u8>)]) -> Result<(), Fault> {
        if let Transaction::Postgres(transaction) = &mut self.0 {
            return bulk::leave_of_ops(transaction, stream, left).await;
        }
        for (position, left) in left {
            let sql = "UPDATE ops SET body = $3, payload = $4, salts = $4 WHERE stream = $1 AND position = $2";
            self.execute(sql, &[stream.into(), (*position).into(), left.into(), (&Vec::new()).into()]).await?;
        }
        Ok(())
    }

    /// Keeps an op that the log did not take as evidence.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_fork(&mut self, stream: i64, op: &Checked, code: Code, received: u64) -> Result<(), Fault> {
        let sql = "INSERT INTO forks (stream, op_id, author, seq, code, received_ms, body, payload, salts, signature) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (stream, op_id) DO NOTHING";
        let Checked { id, op, signed } = op;
        let cells = [
            stream.into(),
            id.into(),
            (&op.author).into(),
            op.sequence.into(),
            code.name().into(),
            received.into(),
            (&signed.body).into(),
            (&signed.payload).into(),
            signed.salts.bytes().into(),
            (&signed.signature).into(),
        ];
        self.execute(sql, &cells).await
    }

    /// Counts a refusal.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn count_refusal(&mut self, stream: i64, code: Code) -> Result<(), Fault> {
        let sql = "INSERT INTO refusals (stream, code, count) VALUES ($1, $2, 1) \
                   ON CONFLICT (stream, code) DO UPDATE SET count = refusals.count + 1";
        self.execute(sql, &[stream.into(), code.name().into()]).await
    }

    /// Writes rows and tombstones as of a checkpoint, each key once.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_rows(
        &mut self,
        stream: i64,
        rows: &[StateRow],
        are_new: bool,
        checkpoint: &Checkpoint,
        written: impl Fn(),
    ) -> Result<(), Fault> {
        if let Transaction::Postgres(transaction) = &mut self.0 {
            if are_new {
                return bulk::add_rows(transaction, stream, rows, checkpoint, written).await;
            }
            for rows in rows.chunks(ROWS) {
                postgres::bulk::put_rows(transaction, stream, rows, checkpoint).await?;
                written();
            }
            return Ok(());
        }
        for row in rows {
            self.put_row(stream, row, checkpoint).await?;
            written();
        }
        Ok(())
    }

    async fn put_row(&mut self, stream: i64, row: &StateRow, checkpoint: &Checkpoint) -> Result<(), Fault> {
        let sql = "INSERT INTO state (stream, key, value, path, name, view, epoch, count, fold_root, policy_root) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
                   ON CONFLICT (stream, key) DO UPDATE SET value = excluded.value, path = excluded.path, \
                   name = excluded.name, view = excluded.view, epoch = excluded.epoch, count = excluded.count, \
                   fold_root = excluded.fold_root, policy_root = excluded.policy_root";
        let StateRow { key, value, projection } = row;
        let cells = [
            stream.into(),
            key.into(),
            Cell::Bytes(value.as_deref()),
            (&projection.path).into(),
            (&projection.name).into(),
            Cell::Text(projection.view.as_deref()),
            checkpoint.epoch.into(),
            checkpoint.count.into(),
            (&checkpoint.fold_root).into(),
            (&checkpoint.policy_root).into(),
        ];
        self.execute(sql, &cells).await
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
        let sql = "DELETE FROM poison WHERE stream = $1 AND epoch = $2 AND position > $3";
        self.execute(sql, &[stream.into(), epoch.into(), after.into()]).await?;
        for (&position, trap) in poison {
            let sql = "INSERT INTO poison (stream, epoch, position, trap) VALUES ($1, $2, $3, $4)";
            self.execute(sql, &[stream.into(), epoch.into(), position.into(), (&trap.to_string()).into()]).await?;
        }
        Ok(())
    }

    /// Makes a relation, in the place of one with the same name, or takes it away. The statements are made of what a fold
    /// declares, every name quoted.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_relation(
        &mut self,
        stream: (i64, &str),
        relation: &Relation,
        is_there: bool,
    ) -> Result<(), Fault> {
        let statements = match self.0 {
            Transaction::Sqlite(_) => relation::sqlite(stream, relation),
            Transaction::Postgres(_) => relation::postgres(stream, relation),
        };
        for statement in statements.into_iter().take(if is_there { 2 } else { 1 }) {
            let sql = sqlx::AssertSqlSafe(statement);
            match &mut self.0 {
                Transaction::Sqlite(transaction) => sqlx::raw_sql(sql).execute(&mut **transaction).await.map(drop)?,
                Transaction::Postgres(transaction) => sqlx::raw_sql(sql).execute(&mut **transaction).await.map(drop)?,
            }
        }
        Ok(())
    }

    /// Writes the pages of a map that have changed.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn put_pages(&mut self, stream: i64, map: Map, updated: &Updated) -> Result<(), Fault> {
        if let Transaction::Postgres(transaction) = &mut self.0 {
            return postgres::bulk::put_pages(transaction, stream, map, updated).await;
        }
        let number: Cell = map.number().into();
        for place in &updated.gone {
            let sql = "DELETE FROM pages WHERE stream = $1 AND map = $2 AND place = $3";
            self.execute(sql, &[stream.into(), number, place.into()]).await?;
        }
        for (place, bytes) in updated.added.iter().chain(&updated.changed) {
            let sql = "INSERT INTO pages (stream, map, place, bytes) VALUES ($1, $2, $3, $4) \
                       ON CONFLICT (stream, map, place) DO UPDATE SET bytes = excluded.bytes";
            self.execute(sql, &[stream.into(), number, place.into(), bytes.into()]).await?;
        }
        Ok(())
    }

    /// Forgets all pages of a map.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn drop_pages(&mut self, stream: i64, map: Map) -> Result<(), Fault> {
        let sql = "DELETE FROM pages WHERE stream = $1 AND map = $2";
        self.execute(sql, &[stream.into(), map.number().into()]).await
    }

    /// Keeps a state to go on from.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn add_snapshot(&mut self, stream: i64, epoch: u64, snapshot: &Snapshot) -> Result<(), Fault> {
        let sql = "INSERT INTO snapshots (stream, epoch, count, folded, last, bytes) VALUES ($1, $2, $3, $4, $5, $6)";
        let last = last_bytes(snapshot);
        let cells = [
            stream.into(),
            epoch.into(),
            snapshot.count.into(),
            snapshot.folded.into(),
            Cell::Bytes(last.as_deref()),
            (&snapshot.bytes).into(),
        ];
        self.execute(sql, &cells).await
    }

    /// Forgets a snapshot.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn drop_snapshot(&mut self, stream: i64, epoch: u64, count: u64) -> Result<(), Fault> {
        let sql = "DELETE FROM snapshots WHERE stream = $1 AND epoch = $2 AND count = $3";
        self.execute(sql, &[stream.into(), epoch.into(), count.into()]).await
    }

    /// Forgets the snapshots of all epochs before one: another fold does not go on from them.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn drop_snapshots_before(&mut self, stream: i64, epoch: u64) -> Result<(), Fault> {
        let sql = "DELETE FROM snapshots WHERE stream = $1 AND epoch < $2";
        self.execute(sql, &[stream.into(), epoch.into()]).await
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
        let sql = "INSERT INTO checkpoints (stream, epoch, count, body, signature) VALUES ($1, $2, $3, $4, $5)";
        let (body, signature) = (&signed.body, &signed.signature);
        let cells = [stream.into(), checkpoint.epoch.into(), checkpoint.count.into(), body.into(), signature.into()];
        self.execute(sql, &cells).await
    }
}

/// What moves with a stream's log.
fn tip(stream: &Stream) -> [Cell<'_>; 7] {
    [
        stream.epoch.into(),
        (&stream.fold_root).into(),
        (&stream.policy_root).into(),
        (&stream.governance_root).into(),
        stream.count.into(),
        stream.received.into(),
        (&stream.edge).into(),
    ]
}
