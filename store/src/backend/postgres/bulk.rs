//! Many at once: ops by COPY, rows by one statement over lists, questions about many ops by one.

use super::{Transaction, row};
use crate::backend::cell::Row;
use crate::backend::{StateRow, StoredOp};
use crate::checkpoint::Checkpoint;
use crate::fault::Fault;
use crate::pages::{Map, Updated};

/// What a binary COPY begins with: its signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// What it ends with.
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

const COLUMNS: u16 = 17;
const PAGE_COLUMNS: u16 = 4;

/// Bytes that are sent at a time, about: the server takes them in while the next ones are made.
const CHUNK: usize = 256 << 10;

/// One row after the other, in COPY's binary form.
struct Copy(Vec<u8>);

impl Copy {
    fn field(&mut self, bytes: &[u8]) -> &mut Copy {
        // An op's parts are far below the gigabyte that a field may have.
        self.0.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    fn number(&mut self, number: u64) -> &mut Copy {
        self.field(&number.to_be_bytes())
    }

    fn op(&mut self, stream: i64, op: &StoredOp) {
        let StoredOp { position, signed, record, columns } = op;
        self.0.extend_from_slice(&COLUMNS.to_be_bytes());
        self.field(&stream.to_be_bytes()).number(*position).field(&columns.op_id).field(&columns.author);
        self.number(columns.sequence).field(&columns.ulid).field(&columns.given).field(columns.outcome.as_bytes());
        self.number(u64::from(columns.is_governance)).field(&columns.fold_root).field(&columns.policy_root);
        self.number(columns.received).field(&signed.body).field(&signed.payload).field(signed.salts.bytes());
        self.field(&signed.signature).field(record);
    }
}

/// Adds ops at their positions.
pub async fn add_ops(transaction: &mut Transaction<'_>, stream: i64, ops: &[StoredOp]) -> Result<(), Fault> {
    let mut rows = Copy(HEADER.to_vec());
    ops.iter().for_each(|op| rows.op(stream, op));
    rows.0.extend_from_slice(&TRAILER);
    let sql = "COPY ops (stream, position, op_id, author, seq, ulid, given, outcome, is_governance, fold_root, policy_root, \
               received_ms, body, payload, salts, signature, record) FROM STDIN (FORMAT binary)";
    let mut copy = transaction.copy_in_raw(sql).await?;
    copy.send(rows.0).await?;
    copy.finish().await?;
    Ok(())
}

/// Writes rows and tombstones as of a checkpoint; no key comes twice.
pub async fn put_rows(
    transaction: &mut Transaction<'_>,
    stream: i64,
    rows: &[StateRow],
    checkpoint: &Checkpoint,
) -> Result<(), Fault> {
    let sql = "INSERT INTO state (stream, epoch, count, fold_root, policy_root, key, value, path, name, view) \
               SELECT $1, $2, $3, $4, $5, * FROM unnest($6::bytea[], $7::bytea[], $8::text[], $9::text[], $10::text[]) \
               ON CONFLICT (stream, key) DO UPDATE SET value = excluded.value, path = excluded.path, \
               name = excluded.name, view = excluded.view, epoch = excluded.epoch, count = excluded.count, \
               fold_root = excluded.fold_root, policy_root = excluded.policy_root";
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let query = sqlx::query(sql).bind(stream).bind(number(checkpoint.epoch)).bind(number(checkpoint.count));
    let query = query.bind(checkpoint.fold_root.as_slice()).bind(checkpoint.policy_root.as_slice());
    let query = query.bind(rows.iter().map(|row| row.key.as_slice()).collect::<Vec<_>>());
    let query = query.bind(rows.iter().map(|row| row.value.as_deref()).collect::<Vec<_>>());
    let query = query.bind(rows.iter().map(|row| row.projection.path.as_str()).collect::<Vec<_>>());
    let query = query.bind(rows.iter().map(|row| row.projection.name.as_str()).collect::<Vec<_>>());
    let query = query.bind(rows.iter().map(|row| row.projection.view.as_deref()).collect::<Vec<_>>());
    query.execute(&mut **transaction).await?;
    Ok(())
}

/// Writes the pages of a map that have changed: new ones by COPY, others by one statement over lists.
pub async fn put_pages(
    transaction: &mut Transaction<'_>,
    stream: i64,
    map: Map,
    updated: &Updated,
) -> Result<(), Fault> {
    if !updated.gone.is_empty() {
        let sql = "DELETE FROM pages WHERE stream = $1 AND map = $2 AND place = ANY($3)";
        let gone: Vec<&[u8]> = updated.gone.iter().map(Vec::as_slice).collect();
        sqlx::query(sql).bind(stream).bind(map.number()).bind(gone).execute(&mut **transaction).await?;
    }
    if !updated.changed.is_empty() {
        let sql = "UPDATE pages p SET bytes = c.bytes FROM unnest($3::bytea[], $4::bytea[]) AS c (place, bytes) \
                   WHERE p.stream = $1 AND p.map = $2 AND p.place = c.place";
        let places: Vec<&[u8]> = updated.changed.iter().map(|page| page.0.as_slice()).collect();
        let bytes: Vec<&[u8]> = updated.changed.iter().map(|page| page.1.as_slice()).collect();
        let query = sqlx::query(sql).bind(stream).bind(map.number()).bind(places).bind(bytes);
        query.execute(&mut **transaction).await?;
    }
    if !updated.added.is_empty() {
        let mut copy =
            transaction.copy_in_raw("COPY pages (stream, map, place, bytes) FROM STDIN (FORMAT binary)").await?;
        let mut rows = Copy(HEADER.to_vec());
        for (place, bytes) in &updated.added {
            rows.0.extend_from_slice(&PAGE_COLUMNS.to_be_bytes());
            rows.field(&stream.to_be_bytes()).field(&map.number().to_be_bytes()).field(place).field(bytes);
            if rows.0.len() > CHUNK {
                copy.send(std::mem::take(&mut rows.0)).await?;
            }
        }
        rows.0.extend_from_slice(&TRAILER);
        copy.send(rows.0).await?;
        copy.finish().await?;
    }
    Ok(())
}

/// Asks about many at once: a statement whose second parameter is a list.
pub async fn about(
    transaction: &mut Transaction<'_>,
    sql: &'static str,
    stream: i64,
    list: &[&[u8]],
) -> Result<Vec<Row>, Fault> {
    let query = sqlx::query(sql).bind(stream).bind(list);
    query.fetch_all(&mut **transaction).await?.iter().map(row).collect()
}
