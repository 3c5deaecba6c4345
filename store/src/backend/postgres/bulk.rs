//! Many at once: ops by COPY, rows by one statement over lists, questions about many ops by one.

use super::{Transaction, row};
use crate::backend::cell::Row;
use crate::backend::{NewOp, StateRow, Stream, brief};
use crate::checkpoint::Checkpoint;
use crate::fault::Fault;
use crate::log::Commit;
use crate::op::Checked;
use crate::pages::{Map, Updated};
use sqlx::PgConnection;
use sqlx::postgres::PgCopyIn;

/// What a binary COPY begins with: its signature, no flags, no extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// What it ends with.
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

const COLUMNS: u16 = 14;
const PAGE_COLUMNS: u16 = 4;
const STATE_COLUMNS: u16 = 10;

/// Bytes that are sent at a time, about: the server takes them in while the next ones are made.
const CHUNK: usize = 64 << 10;

/// One row after the other, in COPY's binary form.
struct Copy(Vec<u8>);

impl Copy {
    fn field(&mut self, bytes: &[u8]) -> &mut Copy {
        // An op's parts are far below the gigabyte that a field may have.
        self.0.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    fn field_or_null(&mut self, bytes: Option<&[u8]>) -> &mut Copy {
        match bytes {
            Some(bytes) => return self.field(bytes),
            None => self.0.extend_from_slice(&(-1_i32).to_be_bytes()),
        }
        self
    }

    fn number(&mut self, number: u64) -> &mut Copy {
        self.field(&number.to_be_bytes())
    }

    /// A field whose bytes are put by someone else.
    fn field_by(&mut self, put: impl FnOnce(&mut Vec<u8>)) -> &mut Copy {
        let begin = self.0.len();
        self.0.extend_from_slice(&[0; 4]);
        put(&mut self.0);
        let size = u32::try_from(self.0.len() - begin - 4).unwrap_or(u32::MAX);
        if let Some(head) = self.0.get_mut(begin..begin + 4) {
            head.copy_from_slice(&size.to_be_bytes());
        }
        self
    }

    fn op(&mut self, stream: &Stream, new: &NewOp, (fold, policy): (i32, i32)) {
        let Commit { op: Checked { op, signed, .. }, record, bytes, .. } = &*new.commit;
        self.0.extend_from_slice(&COLUMNS.to_be_bytes());
        self.field(&stream.number.to_be_bytes()).number(record.position).number(op.sequence);
        self.field(&fold.to_be_bytes()).field(&policy.to_be_bytes());
        self.field(&i16::from(op.is_governance()).to_be_bytes()).field(&op.author).field(&op.ulid.to_bytes());
        self.field(record.outcome.name().as_bytes());
        let roots = (&new.fold_root, &new.policy_root);
        self.field_by(|out| brief::put_body(out, op, &signed.body, roots, &stream.genesis));
        self.field(&signed.payload).field(signed.salts.bytes()).field(&signed.signature);
        self.field_by(|out| brief::put_record(out, record, bytes));
    }
}

/// Rows on their way into a table, whose COPY begins with the first chunk of them.
struct Copying<'t> {
    sql: &'static str,
    way: Way<'t>,
    rows: Copy,
}

enum Way<'t> {
    Waiting(&'t mut PgConnection),
    Begun(PgCopyIn<&'t mut PgConnection>),
    /// A chunk failed: there is no more way.
    Lost,
}

impl<'t> Copying<'t> {
    fn new(connection: &'t mut PgConnection, sql: &'static str) -> Copying<'t> {
        Copying { sql, way: Way::Waiting(connection), rows: Copy(HEADER.to_vec()) }
    }

    /// Sends what is there if it is enough for a chunk.
    async fn pace(&mut self) -> Result<(), Fault> {
        if self.rows.0.len() < CHUNK { Ok(()) } else { self.send().await }
    }

    async fn send(&mut self) -> Result<(), Fault> {
        let mut copy = match std::mem::replace(&mut self.way, Way::Lost) {
            Way::Waiting(connection) => connection.copy_in_raw(self.sql).await?,
            Way::Begun(copy) => copy,
            Way::Lost => return Ok(()),
        };
        copy.send(self.rows.0.as_slice()).await?;
        self.rows.0.clear();
        self.way = Way::Begun(copy);
        Ok(())
    }

    async fn finish(mut self) -> Result<(), Fault> {
        self.rows.0.extend_from_slice(&TRAILER);
        self.send().await?;
        if let Way::Begun(copy) = self.way {
            copy.finish().await?;
        }
        Ok(())
    }
}

/// Ops on their way.
pub struct Ops<'t> {
    copying: Copying<'t>,
    count: usize,
}

impl<'t> Ops<'t> {
    pub fn new(transaction: &'t mut Transaction<'_>) -> Ops<'t> {
        let sql = "COPY ops (stream, position, seq, fold, policy, is_governance, author, ulid, outcome, body, payload, \
                   salts, signature, record) FROM STDIN (FORMAT binary)";
        Ops { copying: Copying::new(transaction, sql), count: 0 }
    }

    pub async fn add(&mut self, stream: &Stream, new: &NewOp, (fold, policy): (i64, i64)) -> Result<(), Fault> {
        // Numbers count programs: what does not fit is refused as unknown.
        let number = |number: i64| i32::try_from(number).unwrap_or(0);
        self.copying.rows.op(stream, new, (number(fold), number(policy)));
        self.count += 1;
        self.copying.pace().await
    }

    pub async fn finish(self) -> Result<(), Fault> {
        if self.count == 0 { Ok(()) } else { self.copying.finish().await }
    }
}

/// Puts what is left of ops in the place of what was signed.
pub async fn leave_of_ops(
    transaction: &mut Transaction<'_>,
    stream: i64,
    left: &[(u64, Vec<u8>)],
) -> Result<(), Fault> {
    let sql = "UPDATE ops SET body = w.\"left\", payload = '', salts = '' \
               FROM unnest($2::bigint[], $3::bytea[]) AS w (position, \"left\") \
               WHERE ops.stream = $1 AND ops.position = w.position";
    let positions: Vec<i64> = left.iter().map(|op| i64::try_from(op.0).unwrap_or(i64::MAX)).collect();
    let left: Vec<&[u8]> = left.iter().map(|op| op.1.as_slice()).collect();
    sqlx::query(sql).bind(stream).bind(positions).bind(left).execute(&mut **transaction).await?;
    Ok(())
}

/// Writes rows of a stream that has none yet.
pub async fn add_rows(
    transaction: &mut Transaction<'_>,
    stream: i64,
    rows: &[StateRow],
    checkpoint: &Checkpoint,
    written: impl Fn(),
) -> Result<(), Fault> {
    let sql = "COPY state (stream, key, value, path, name, view, epoch, count, fold_root, policy_root) \
               FROM STDIN (FORMAT binary)";
    let mut copying = Copying::new(transaction, sql);
    for StateRow { key, value, projection } in rows {
        let row = &mut copying.rows;
        row.0.extend_from_slice(&STATE_COLUMNS.to_be_bytes());
        row.field(&stream.to_be_bytes()).field(key).field_or_null(value.as_deref());
        row.field(projection.path.as_bytes()).field(projection.name.as_bytes());
        row.field_or_null(projection.view.as_deref().map(str::as_bytes));
        row.number(checkpoint.epoch).number(checkpoint.count);
        row.field(&checkpoint.fold_root).field(&checkpoint.policy_root);
        copying.pace().await?;
        written();
    }
    copying.finish().await
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

/// Writes the pages of a map that have changed: new ones by COPY, others by one statement over lists, each found by the key
/// whatever the planner knows of the table.
pub async fn put_pages(
    transaction: &mut Transaction<'_>,
    stream: i64,
    map: Map,
    updated: &Updated,
) -> Result<(), Fault> {
    if !updated.gone.is_empty() {
        let sql = "DELETE FROM pages WHERE ctid = ANY(ARRAY(SELECT o.ctid FROM unnest($3::bytea[]) AS w (what) \
                   CROSS JOIN LATERAL (SELECT ctid FROM pages WHERE stream = $1 AND map = $2 AND place = w.what \
                   OFFSET 0) o))";
        let gone: Vec<&[u8]> = updated.gone.iter().map(Vec::as_slice).collect();
        sqlx::query(sql).bind(stream).bind(map.number()).bind(gone).execute(&mut **transaction).await?;
    }
    if !updated.changed.is_empty() {
        let sql = "INSERT INTO pages (stream, map, place, bytes) SELECT $1, $2, * FROM unnest($3::bytea[], $4::bytea[]) \
                   ON CONFLICT (stream, map, place) DO UPDATE SET bytes = excluded.bytes";
        let places: Vec<&[u8]> = updated.changed.iter().map(|page| page.0.as_slice()).collect();
        let bytes: Vec<&[u8]> = updated.changed.iter().map(|page| page.1.as_slice()).collect();
        let query = sqlx::query(sql).bind(stream).bind(map.number()).bind(places).bind(bytes);
        query.execute(&mut **transaction).await?;
    }
    if !updated.added.is_empty() {
        let sql = "COPY pages (stream, map, place, bytes) FROM STDIN (FORMAT binary)";
        let mut copying = Copying::new(transaction, sql);
        for (place, bytes) in &updated.added {
            let rows = &mut copying.rows;
            rows.0.extend_from_slice(&PAGE_COLUMNS.to_be_bytes());
            rows.field(&stream.to_be_bytes()).field(&map.number().to_be_bytes()).field(place).field(bytes);
            copying.pace().await?;
        }
        copying.finish().await?;
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
