//! Reading from SQLite.

use super::Session;
use crate::backend::{Columns, Projection, StateRow, StoredOp, Stream, damaged, signed};
use crate::checkpoint::SignedCheckpoint;
use crate::document::Hash;
use crate::fault::Fault;
use crate::fold::{Place, Snapshot};
use crate::log::Head;
use crate::program::{Library, Stored};
use kerai_vm::ulid::Ulid;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::collections::BTreeMap;

/// A column of the row, as a hash.
fn hash(row: &SqliteRow, column: &str) -> Result<Hash, Fault> {
    let bytes: Vec<u8> = row.try_get(column)?;
    Ok(bytes.try_into().map_err(|_| damaged(format!("`{column}` has not 32 bytes")))?)
}

fn number(row: &SqliteRow, column: &str) -> Result<u64, Fault> {
    let number: i64 = row.try_get(column)?;
    Ok(u64::try_from(number).map_err(|_| damaged(format!("`{column}` is negative")))?)
}

/// A number as SQLite keeps it.
pub(super) fn signed_number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn stream(row: &SqliteRow) -> Result<Stream, Fault> {
    Ok(Stream {
        number: row.try_get("stream")?,
        name: row.try_get("name")?,
        genesis: hash(row, "genesis")?,
        epoch: number(row, "epoch")?,
        fold_root: hash(row, "fold_root")?,
        policy_root: hash(row, "policy_root")?,
        governance_root: hash(row, "governance_root")?,
        count: number(row, "count")?,
        received: number(row, "received_ms")?,
        edge: row.try_get("edge")?,
    })
}

fn op(row: &SqliteRow) -> Result<StoredOp, Fault> {
    let ulid: Vec<u8> = row.try_get("ulid")?;
    let salts: Vec<u8> = row.try_get("salts")?;
    let columns = Columns {
        op_id: hash(row, "op_id")?,
        author: hash(row, "author")?,
        sequence: number(row, "seq")?,
        ulid: ulid.try_into().map_err(|_| damaged("`ulid` has not 16 bytes"))?,
        given: hash(row, "given")?,
        outcome: row.try_get("outcome")?,
        is_governance: row.try_get("is_governance")?,
        fold_root: hash(row, "fold_root")?,
        policy_root: hash(row, "policy_root")?,
        received: number(row, "received_ms")?,
    };
    let signed = signed(row.try_get("body")?, row.try_get("payload")?, &salts, row.try_get("signature")?)?;
    Ok(StoredOp { position: number(row, "position")?, signed, record: row.try_get("record")?, columns })
}

impl Session<'_> {
    /// # Errors
    /// Where the database fails; so it is with all that reads.
    pub async fn streams(&mut self) -> Result<Vec<Stream>, Fault> {
        let rows = sqlx::query("SELECT * FROM streams ORDER BY name").fetch_all(&mut *self.transaction).await?;
        rows.iter().map(stream).collect()
    }

    /// # Errors
    /// Where the database fails.
    pub async fn stream(&mut self, name: &str) -> Result<Option<Stream>, Fault> {
        let query = sqlx::query("SELECT * FROM streams WHERE name = ?").bind(name);
        query.fetch_optional(&mut *self.transaction).await?.as_ref().map(stream).transpose()
    }

    /// All programs, each checked against its root.
    ///
    /// # Errors
    /// `LOG_DAMAGED` where a program is not what its root says.
    pub async fn programs(&mut self) -> Result<Library, Fault> {
        let mut library = Library::default();
        for row in sqlx::query("SELECT root, code FROM programs").fetch_all(&mut *self.transaction).await? {
            let (root, code): (Hash, Vec<u8>) = (hash(&row, "root")?, row.try_get("code")?);
            let program = Stored::from_bytes(&code).map_err(|refused| damaged(refused.to_string()))?;
            if program.root != root {
                return Err(damaged(format!("the program `{}`", crate::document::program_text(&root))).into());
            }
            library.add(program);
        }
        Ok(library)
    }

    /// The end of an author's chain.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn head(&mut self, stream: i64, author: &Hash) -> Result<Option<Head>, Fault> {
        let sql = "SELECT seq, op_id FROM ops WHERE stream = ? AND author = ? ORDER BY seq DESC LIMIT 1";
        let row = sqlx::query(sql).bind(stream).bind(author.as_slice()).fetch_optional(&mut *self.transaction).await?;
        row.map(|row| Ok(Head { sequence: number(&row, "seq")?, op: hash(&row, "op_id")? })).transpose()
    }

    /// Where an op stands.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn position(&mut self, stream: i64, op: &Hash) -> Result<Option<u64>, Fault> {
        let sql = "SELECT position FROM ops WHERE stream = ? AND op_id = ?";
        let row = sqlx::query(sql).bind(stream).bind(op.as_slice()).fetch_optional(&mut *self.transaction).await?;
        row.map(|row| number(&row, "position")).transpose()
    }

    /// What an author first gave under a ULID.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn given(&mut self, stream: i64, author: &Hash, ulid: Ulid) -> Result<Option<Hash>, Fault> {
        let sql = "SELECT given FROM ops WHERE stream = ? AND author = ? AND ulid = ? ORDER BY position LIMIT 1";
        let query = sqlx::query(sql).bind(stream).bind(author.as_slice());
        let query = query.bind(ulid.to_bytes().to_vec());
        query.fetch_optional(&mut *self.transaction).await?.map(|row| hash(&row, "given")).transpose()
    }

    /// The governance ops that were admitted, in the order of the log.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn governance_ops(&mut self, stream: i64) -> Result<Vec<StoredOp>, Fault> {
        let sql = "SELECT * FROM ops WHERE stream = ? AND is_governance = 1 AND outcome = 'admitted' ORDER BY position";
        let rows = sqlx::query(sql).bind(stream).fetch_all(&mut *self.transaction).await?;
        rows.iter().map(op).collect()
    }

    /// All ops from after a position, in the order of the log.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn ops_after(&mut self, stream: i64, position: u64) -> Result<Vec<StoredOp>, Fault> {
        let sql = "SELECT * FROM ops WHERE stream = ? AND position > ? ORDER BY position";
        let query = sqlx::query(sql).bind(stream).bind(signed_number(position));
        query.fetch_all(&mut *self.transaction).await?.iter().map(op).collect()
    }

    /// The ids of the ops that were admitted.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn admitted(&mut self, stream: i64) -> Result<Vec<Hash>, Fault> {
        let rows = sqlx::query("SELECT op_id FROM ops WHERE stream = ? AND outcome = 'admitted'").bind(stream);
        rows.fetch_all(&mut *self.transaction).await?.iter().map(|row| hash(row, "op_id")).collect()
    }

    /// The counts of an epoch's snapshots, the newest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn snapshots(&mut self, stream: i64, epoch: u64) -> Result<Vec<u64>, Fault> {
        let sql = "SELECT count FROM snapshots WHERE stream = ? AND epoch = ? ORDER BY count DESC";
        let query = sqlx::query(sql).bind(stream).bind(signed_number(epoch));
        query.fetch_all(&mut *self.transaction).await?.iter().map(|row| number(row, "count")).collect()
    }

    /// A snapshot with the checkpoint that was written with it.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn snapshot(
        &mut self,
        stream: i64,
        epoch: u64,
        count: u64,
    ) -> Result<Option<(Snapshot, SignedCheckpoint)>, Fault> {
        let sql = "SELECT s.folded, s.last, s.bytes, c.body, c.signature FROM snapshots s \
                   JOIN checkpoints c ON c.stream = s.stream AND c.epoch = s.epoch AND c.count = s.count \
                   WHERE s.stream = ? AND s.epoch = ? AND s.count = ?";
        let query = sqlx::query(sql).bind(stream).bind(signed_number(epoch)).bind(signed_number(count));
        let Some(row) = query.fetch_optional(&mut *self.transaction).await? else { return Ok(None) };
        let last: Option<Vec<u8>> = row.try_get("last")?;
        let last = last.map(|last| place(&last).ok_or_else(|| damaged("a snapshot's last op"))).transpose()?;
        let snapshot = Snapshot { count, folded: number(&row, "folded")?, last, bytes: row.try_get("bytes")? };
        Ok(Some((snapshot, checkpoint(&row)?)))
    }

    /// The ops of an epoch that left no trace, with their traps.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn poison(&mut self, stream: i64, epoch: u64) -> Result<BTreeMap<u64, String>, Fault> {
        let query = sqlx::query("SELECT position, trap FROM poison WHERE stream = ? AND epoch = ?").bind(stream);
        let rows = query.bind(signed_number(epoch)).fetch_all(&mut *self.transaction).await?;
        rows.iter().map(|row| Ok((number(row, "position")?, row.try_get("trap")?))).collect()
    }

    /// The stream's state, tombstones included, by key.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn state(&mut self, stream: i64) -> Result<BTreeMap<Vec<u8>, StateRow>, Fault> {
        let sql = "SELECT key, value, path, name, view FROM state WHERE stream = ?";
        let mut state = BTreeMap::new();
        for row in sqlx::query(sql).bind(stream).fetch_all(&mut *self.transaction).await? {
            let key: Vec<u8> = row.try_get("key")?;
            let projection =
                Projection { path: row.try_get("path")?, name: row.try_get("name")?, view: row.try_get("view")? };
            state.insert(key.clone(), StateRow { key, value: row.try_get("value")?, projection });
        }
        Ok(state)
    }

    /// The stream's checkpoints, the latest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn checkpoints(&mut self, stream: i64) -> Result<Vec<SignedCheckpoint>, Fault> {
        let sql = "SELECT body, signature FROM checkpoints WHERE stream = ? ORDER BY epoch DESC, count DESC";
        let rows = sqlx::query(sql).bind(stream).fetch_all(&mut *self.transaction).await?;
        rows.iter().map(checkpoint).collect()
    }

    /// # Errors
    /// Where the database fails.
    pub async fn last_checkpoint(&mut self, stream: i64) -> Result<Option<SignedCheckpoint>, Fault> {
        let sql = "SELECT body, signature FROM checkpoints WHERE stream = ? ORDER BY epoch DESC, count DESC LIMIT 1";
        let row = sqlx::query(sql).bind(stream).fetch_optional(&mut *self.transaction).await?;
        row.as_ref().map(checkpoint).transpose()
    }

    /// How often ops were refused, by code.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn refusals(&mut self, stream: i64) -> Result<BTreeMap<String, u64>, Fault> {
        let rows = sqlx::query("SELECT code, count FROM refusals WHERE stream = ?").bind(stream);
        let rows = rows.fetch_all(&mut *self.transaction).await?;
        rows.iter().map(|row| Ok((row.try_get("code")?, number(row, "count")?))).collect()
    }

    /// The ids of the ops that are kept as evidence of forks.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn forks(&mut self, stream: i64) -> Result<Vec<Hash>, Fault> {
        let rows = sqlx::query("SELECT op_id FROM forks WHERE stream = ? ORDER BY op_id").bind(stream);
        rows.fetch_all(&mut *self.transaction).await?.iter().map(|row| hash(row, "op_id")).collect()
    }
}

/// A place in the order by ULID out of its 80 bytes.
fn place(bytes: &[u8]) -> Option<Place> {
    let (ulid, rest) = bytes.split_first_chunk::<16>()?;
    let (content, op) = rest.split_first_chunk::<32>()?;
    Some((Ulid::from_bytes(*ulid), *content, op.try_into().ok()?))
}

fn checkpoint(row: &SqliteRow) -> Result<SignedCheckpoint, Fault> {
    let signature: Vec<u8> = row.try_get("signature")?;
    let signature = signature.try_into().map_err(|_| damaged("a checkpoint's signature has not 64 bytes"))?;
    Ok(SignedCheckpoint { body: row.try_get("body")?, signature })
}
