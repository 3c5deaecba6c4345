//! Reading: the same statements on every database.

use super::brief::{self, Known};
use super::cell::{Cell, Row};
use super::session::{Session, Transaction};
use super::{Columns, LeanOp, Projection, StateRow, StoredOp, Stream, damaged, postgres, signed};
use crate::checkpoint::SignedCheckpoint;
use crate::code::Refused;
use crate::document::{Hash, program_text};
use crate::fault::Fault;
use crate::fold::{Place, Snapshot};
use crate::limit;
use crate::log::Head;
use crate::op::{Op, op_id};
use crate::pages::{self, Map};
use crate::program::{Library, Stored};
use kerai_vm::ulid::Ulid;
use std::collections::BTreeMap;

/// A statement that selects whole streams, or whole ops: what comes after `FROM`.
macro_rules! streams {
    ($rest:literal) => {
        concat!(
            "SELECT stream, name, genesis, epoch, fold_root, policy_root, governance_root, count, received_ms, edge \
             FROM streams ",
            $rest
        )
    };
}

macro_rules! ops {
    ($rest:literal) => {
        concat!(
            "SELECT position, author, seq, ulid, outcome, is_governance, fold, policy, body, payload, record, salts, \
             signature FROM ops ",
            $rest
        )
    };
}

/// A statement that asks a server about each of many by an index. `OFFSET 0` keeps the planner from joining: what it knows
/// of a table is old while the table grows, and it would read all of it to find a few.
macro_rules! each_of {
    ($columns:literal, $table:literal, $is_it:literal, $order:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM unnest($2::bytea[]) AS w (what) CROSS JOIN LATERAL (SELECT * FROM ",
            $table,
            " WHERE stream = $1 AND ",
            $is_it,
            " OFFSET 0) o ",
            $order
        )
    };
}

fn stream(mut row: Row) -> Result<Stream, Refused> {
    Ok(Stream {
        number: row.integer()?,
        name: row.text()?,
        genesis: row.hash()?,
        epoch: row.number()?,
        fold_root: row.hash()?,
        policy_root: row.hash()?,
        governance_root: row.hash()?,
        count: row.number()?,
        received: row.number()?,
        edge: row.bytes()?,
    })
}

/// What all rows of a stream's ops are read with.
struct About {
    genesis: Hash,
    roots: BTreeMap<i64, Hash>,
}

/// A row of an op, as far as all that read one need it.
struct OpRow {
    columns: Columns,
    position: u64,
    body: Vec<u8>,
    op: Option<Op>,
    payload: Vec<u8>,
    record: Vec<u8>,
    said: Option<Hash>,
}

impl About {
    fn read(&self, row: &mut Row) -> Result<OpRow, Refused> {
        let (position, author, sequence) = (row.number()?, row.hash()?, row.number()?);
        let (ulid, outcome, is_governance) = (row.array()?, row.text()?, row.integer()? != 0);
        let (fold, policy) = (row.integer()?, row.integer()?);
        let root = |number| self.roots.get(&number).copied().ok_or_else(|| damaged("a root that has no number"));
        let (fold_root, policy_root) = (root(fold)?, root(policy)?);
        let (body, payload, record) = (row.bytes()?, row.bytes()?, row.bytes()?);
        let (op_id, given, said, body, op) = if payload.is_empty() {
            // Whoever finds less than there must be says of which op.
            let (id, given, said) = match body.as_chunks::<32>() {
                (&[id, given, said], []) => (id, Some(given), Some(said)),
                // Of those that schema 3 pruned.
                (&[id, given], []) => (id, Some(given), None),
                _ => (Hash::default(), None, None),
            };
            (id, given, said, Vec::new(), None)
        } else {
            let known = Known { stream: self.genesis, author, sequence, ulid, fold_root, policy_root };
            let (body, op) = brief::body_of(body, &known);
            (op_id(&body), None, None, body, op)
        };
        let (record, received) = brief::record_of(record, position, op_id);
        let columns =
            Columns { op_id, author, sequence, ulid, given, outcome, is_governance, fold_root, policy_root, received };
        Ok(OpRow { columns, position, body, op, payload, record, said })
    }

    fn stored(&self, mut row: Row) -> Result<StoredOp, Refused> {
        let OpRow { columns, position, body, payload, record, said, .. } = self.read(&mut row)?;
        let salts = row.bytes()?;
        let signed = signed(body, payload, &salts, row.bytes()?)?;
        Ok(StoredOp { position, signed, record, said, columns })
    }

    fn lean(&self, mut row: Row) -> Result<LeanOp, Refused> {
        let OpRow { columns, position, body, op, payload, .. } = self.read(&mut row)?;
        let op = match op {
            None if !body.is_empty() => Some(Op::decode(&body).map_err(|refused| damaged(refused.to_string()))?),
            op => op,
        };
        Ok(LeanOp {
            position,
            op_id: columns.op_id,
            author: columns.author,
            sequence: columns.sequence,
            is_admitted: columns.outcome == "admitted",
            is_governance: columns.is_governance,
            received: columns.received,
            op,
            payload,
        })
    }
}

fn checkpoint(row: &mut Row) -> Result<SignedCheckpoint, Refused> {
    Ok(SignedCheckpoint { body: row.bytes()?, signature: row.array()? })
}

fn state_row(mut row: Row) -> Result<StateRow, Refused> {
    let (key, value) = (row.bytes()?, row.bytes_or_null()?);
    let projection = Projection { path: row.text()?, name: row.text()?, view: row.text_or_null()? };
    Ok(StateRow { key, value, projection })
}

/// The place of a snapshot's last op; none where there is no op.
pub(super) fn last(row: &mut Row) -> Result<Option<Place>, Refused> {
    let last = row.bytes_or_null()?;
    last.map(|last| place(&last).ok_or_else(|| damaged("a snapshot's last op"))).transpose()
}

/// As it is kept.
pub(super) fn last_bytes(snapshot: &Snapshot) -> Option<Vec<u8>> {
    snapshot.last.map(|(ulid, content, op)| [&ulid.to_bytes()[..], &content, &op].concat())
}

/// A place in the order by ULID out of its 80 bytes.
fn place(bytes: &[u8]) -> Option<Place> {
    let (ulid, rest) = bytes.split_first_chunk::<16>()?;
    let (content, op) = rest.split_first_chunk::<32>()?;
    Some((Ulid::from_bytes(*ulid), *content, op.try_into().ok()?))
}

impl Session<'_> {
    async fn all<T>(
        &mut self,
        sql: &'static str,
        cells: &[Cell<'_>],
        read: impl FnMut(Row) -> Result<T, Refused>,
    ) -> Result<Vec<T>, Fault> {
        let rows: Result<Vec<T>, Refused> = self.rows(sql, cells).await?.into_iter().map(read).collect();
        Ok(rows?)
    }

    /// # Errors
    /// Where the database fails; so it is with all that reads.
    pub async fn streams(&mut self) -> Result<Vec<Stream>, Fault> {
        self.all(streams!("ORDER BY name"), &[], stream).await
    }

    /// # Errors
    /// Where the database fails.
    pub async fn stream(&mut self, name: &str) -> Result<Option<Stream>, Fault> {
        let row = self.row(streams!("WHERE name = $1"), &[name.into()]).await?;
        Ok(row.map(stream).transpose()?)
    }

    /// The stream, under the lock of its log: nobody else moves its tip before this session ends.
    ///
    /// # Errors
    /// `ACK_TIMEOUT` where another writer held the lock for too long.
    pub async fn lock_log(&mut self, name: &str) -> Result<Option<Stream>, Fault> {
        let sql = match self.0 {
            // Beginning to write took the one lock that there is.
            Transaction::Sqlite(_) => streams!("WHERE name = $1"),
            // Not its key: rows that refer to the stream may be written meanwhile.
            Transaction::Postgres(_) => streams!("WHERE name = $1 FOR NO KEY UPDATE"),
        };
        Ok(self.row(sql, &[name.into()]).await?.map(stream).transpose()?)
    }

    /// Takes the lock of a stream's tables; 0 is the one of all streams' names.
    ///
    /// # Errors
    /// As [`Session::lock_log`].
    pub async fn lock_tables(&mut self, stream: i64) -> Result<(), Fault> {
        match &mut self.0 {
            Transaction::Sqlite(_) => Ok(()),
            Transaction::Postgres(transaction) => postgres::lock(transaction, stream).await,
        }
    }

    /// All programs, each checked against its root.
    ///
    /// # Errors
    /// `LOG_DAMAGED` where a program is not what its root says.
    pub async fn programs(&mut self) -> Result<Library, Fault> {
        let mut library = Library::default();
        self.meet_programs(&mut library).await?;
        Ok(library)
    }

    /// Adds the programs that a library does not have yet: what has a root never changes.
    ///
    /// # Errors
    /// As [`Session::programs`].
    pub async fn meet_programs(&mut self, library: &mut Library) -> Result<(), Fault> {
        let roots = self.all("SELECT root FROM programs", &[], |mut row| row.hash()).await?;
        for root in roots {
            if library.get(&root).is_some() {
                continue;
            }
            let row = self.row("SELECT code FROM programs WHERE root = $1", &[(&root).into()]).await?;
            let code = row.map(|mut row| row.bytes()).transpose()?.unwrap_or_default();
            let program = Stored::from_bytes(&code).map_err(|refused| damaged(refused.to_string()))?;
            if program.root != root {
                return Err(damaged(format!("the program `{}`", program_text(&root))).into());
            }
            library.add(program);
        }
        Ok(())
    }

    /// The end of an author's chain.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn head(&mut self, stream: i64, author: &Hash) -> Result<Option<Head>, Fault> {
        let sql = "SELECT seq, op_id FROM authors WHERE stream = $1 AND author = $2";
        let row = self.row(sql, &[stream.into(), author.into()]).await?;
        let head = |mut row: Row| Ok::<_, Refused>(Head { sequence: row.number()?, op: row.hash()? });
        Ok(row.map(head).transpose()?)
    }

    /// The ends of all authors' chains.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn heads(&mut self, stream: i64) -> Result<BTreeMap<Hash, Head>, Fault> {
        let sql = "SELECT author, seq, op_id FROM authors WHERE stream = $1";
        let read = |mut row: Row| Ok((row.hash()?, Head { sequence: row.number()?, op: row.hash()? }));
        Ok(self.all(sql, &[stream.into()], read).await?.into_iter().collect())
    }

    /// The latest ULID of the ops that a fold gets.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn last_folded(&mut self, stream: i64) -> Result<Option<Ulid>, Fault> {
        let sql = "SELECT ulid FROM ops WHERE stream = $1 AND outcome = 'admitted' AND is_governance = 0 \
                   ORDER BY ulid DESC LIMIT 1";
        let row = self.row(sql, &[stream.into()]).await?;
        Ok(row.map(|mut row| row.array()).transpose()?.map(Ulid::from_bytes))
    }

    /// The latest ULID of a stream's ops.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn last_ulid(&mut self, stream: i64) -> Result<Option<Ulid>, Fault> {
        let sql = "SELECT ulid FROM ops WHERE stream = $1 ORDER BY ulid DESC LIMIT 1";
        let row = self.row(sql, &[stream.into()]).await?;
        Ok(row.map(|mut row| row.array()).transpose()?.map(Ulid::from_bytes))
    }

    /// The ops under ULIDs, in the order of the log.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn ops_under(&mut self, stream: i64, ulids: &[Ulid]) -> Result<Vec<StoredOp>, Fault> {
        let one = ops!("WHERE stream = $1 AND ulid = $2 ORDER BY position");
        let many = each_of!(
            "o.position, o.author, o.seq, o.ulid, o.outcome, o.is_governance, o.fold, o.policy, o.body, o.payload, \
             o.record, o.salts, o.signature",
            "ops",
            "ulid = w.what",
            "ORDER BY o.position"
        );
        let about = self.about_ops(stream).await?;
        let ulids: Vec<[u8; 16]> = ulids.iter().map(|ulid| ulid.to_bytes()).collect();
        let ulids: Vec<&[u8]> = ulids.iter().map(<[u8; 16]>::as_slice).collect();
        let rows = self.about(one, many, stream, &ulids).await?;
        let ops: Result<_, Refused> = rows.into_iter().map(|row| about.stored(row)).collect();
        Ok(ops?)
    }

    async fn about_ops(&mut self, stream: i64) -> Result<About, Fault> {
        let genesis = self.row("SELECT genesis FROM streams WHERE stream = $1", &[stream.into()]).await?;
        let genesis = genesis.ok_or_else(|| damaged("ops of no stream"))?.hash()?;
        let numbers = self.roots().await?;
        Ok(About { genesis, roots: numbers.into_iter().map(|(root, number)| (number, root)).collect() })
    }

    /// The numbers that programs have here, by their roots.
    ///
    /// # Errors
    /// Where the database fails.
    pub(super) async fn roots(&mut self) -> Result<BTreeMap<Hash, i64>, Fault> {
        let sql = "SELECT root, number FROM roots";
        let pairs = self.all(sql, &[], |mut row| Ok((row.hash()?, row.integer()?))).await?;
        Ok(pairs.into_iter().collect())
    }

    async fn ops_where(&mut self, sql: &'static str, cells: &[Cell<'_>], stream: i64) -> Result<Vec<StoredOp>, Fault> {
        let about = self.about_ops(stream).await?;
        self.all(sql, cells, |row| about.stored(row)).await
    }

    /// Asks about many: a server once, since each question is a journey there; a file one by one.
    async fn about(
        &mut self,
        one: &'static str,
        many: &'static str,
        stream: i64,
        list: &[&[u8]],
    ) -> Result<Vec<Row>, Fault> {
        if let Transaction::Postgres(transaction) = &mut self.0 {
            return postgres::bulk::about(transaction, many, stream, list).await;
        }
        let mut rows = Vec::new();
        for &about in list {
            rows.extend(self.rows(one, &[stream.into(), about.into()]).await?);
        }
        Ok(rows)
    }

    /// The governance ops that were admitted, in the order of the log.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn governance_ops(&mut self, stream: i64) -> Result<Vec<StoredOp>, Fault> {
        let sql = ops!("WHERE stream = $1 AND is_governance = 1 AND outcome = 'admitted' ORDER BY position");
        self.ops_where(sql, &[stream.into()], stream).await
    }

    /// All ops from after a position, in the order of the log.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn ops_after(&mut self, stream: i64, position: u64) -> Result<Vec<StoredOp>, Fault> {
        let sql = ops!("WHERE stream = $1 AND position > $2 ORDER BY position");
        self.ops_where(sql, &[stream.into(), position.into()], stream).await
    }

    /// So many ops from after a position, in the order of the log.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn ops_between(&mut self, stream: i64, after: u64, count: u64) -> Result<Vec<StoredOp>, Fault> {
        let sql = ops!("WHERE stream = $1 AND position > $2 AND position <= $3 ORDER BY position");
        self.ops_where(sql, &[stream.into(), after.into(), after.saturating_add(count).into()], stream).await
    }

    /// Up to so many ops from a position on, in the order of the log.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn ops_from(&mut self, stream: i64, position: u64, most: u64) -> Result<Vec<StoredOp>, Fault> {
        let sql = ops!("WHERE stream = $1 AND position >= $2 ORDER BY position LIMIT $3");
        self.ops_where(sql, &[stream.into(), position.into(), most.into()], stream).await
    }

    /// What a fold and a checkpoint need of the ops from after a position to another one, in the order of the log.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn lean_ops(&mut self, stream: i64, after: u64, until: u64) -> Result<Vec<LeanOp>, Fault> {
        let sql = "SELECT position, author, seq, ulid, outcome, is_governance, fold, policy, body, payload, record \
                   FROM ops WHERE stream = $1 AND position > $2 AND position <= $3 ORDER BY position";
        let about = self.about_ops(stream).await?;
        self.all(sql, &[stream.into(), after.into(), until.into()], |row| about.lean(row)).await
    }

    /// The ids of the ops that were admitted until a position.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn admitted(&mut self, stream: i64, until: u64) -> Result<Vec<Hash>, Fault> {
        self.admitted_between(stream, 0, until).await
    }

    /// The ids of the ops that were admitted after a position until another one.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn admitted_between(&mut self, stream: i64, after: u64, until: u64) -> Result<Vec<Hash>, Fault> {
        let (mut admitted, mut position) = (Vec::new(), after);
        while position < until {
            let end = until.min(position + limit::LOG_READ.value);
            let ops = self.lean_ops(stream, position, end).await?;
            admitted.extend(ops.into_iter().filter(|op| op.is_admitted).map(|op| op.op_id));
            position = end;
        }
        Ok(admitted)
    }

    /// The records of the ops after a position until another one, whether they were pruned or not.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn records(&mut self, stream: i64, after: u64, until: u64) -> Result<Vec<Vec<u8>>, Fault> {
        let (mut records, mut position) = (Vec::new(), after);
        while position < until {
            let count = limit::LOG_READ.value.min(until - position);
            records.extend(self.ops_between(stream, position, count).await?.into_iter().map(|op| op.record));
            position += count;
        }
        Ok(records)
    }

    /// An epoch's snapshots, the newest first: how many records the log had, and the place of the last op.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn snapshots(&mut self, stream: i64, epoch: u64) -> Result<Vec<(u64, Option<Place>)>, Fault> {
        let sql = "SELECT count, last FROM snapshots WHERE stream = $1 AND epoch = $2 ORDER BY count DESC";
        self.all(sql, &[stream.into(), epoch.into()], |mut row| Ok((row.number()?, last(&mut row)?))).await
    }

    /// Pages of a map by their places, as far as there are any.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn pages(
        &mut self,
        stream: i64,
        map: Map,
        places: &[&[u8]],
    ) -> Result<BTreeMap<pages::Place, Vec<u8>>, Fault> {
        let (one, many) = match map {
            Map::Inputs => (
                "SELECT place, bytes FROM pages WHERE stream = $1 AND map = 0 AND place = $2",
                each_of!("o.place, o.bytes", "pages", "map = 0 AND place = w.what", ""),
            ),
            Map::Rows => (
                "SELECT place, bytes FROM pages WHERE stream = $1 AND map = 1 AND place = $2",
                each_of!("o.place, o.bytes", "pages", "map = 1 AND place = w.what", ""),
            ),
        };
        let rows = self.about(one, many, stream, places).await?;
        let pages: Result<_, Refused> = rows.into_iter().map(|mut row| Ok((row.bytes()?, row.bytes()?))).collect();
        Ok(pages?)
    }

    /// Up to so many pages of a map from a place on, in the order of their places.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn pages_from(
        &mut self,
        stream: i64,
        map: Map,
        from: &[u8],
        most: u64,
    ) -> Result<Vec<(pages::Place, Vec<u8>)>, Fault> {
        let sql =
            "SELECT place, bytes FROM pages WHERE stream = $1 AND map = $2 AND place >= $3 ORDER BY place LIMIT $4";
        let read = |mut row: Row| Ok((row.bytes()?, row.bytes()?));
        self.all(sql, &[stream.into(), map.number().into(), from.into(), most.into()], read).await
    }

    /// A snapshot of an epoch.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn snapshot(&mut self, stream: i64, epoch: u64, count: u64) -> Result<Option<Snapshot>, Fault> {
        let sql = "SELECT folded, last, bytes FROM snapshots WHERE stream = $1 AND epoch = $2 AND count = $3";
        let row = self.row(sql, &[stream.into(), epoch.into(), count.into()]).await?;
        let read = |mut row: Row| {
            Ok::<_, Refused>(Snapshot { count, folded: row.number()?, last: last(&mut row)?, bytes: row.bytes()? })
        };
        Ok(row.map(read).transpose()?)
    }

    /// The ops of an epoch that left no trace, with their traps.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn poison(&mut self, stream: i64, epoch: u64) -> Result<BTreeMap<u64, String>, Fault> {
        let sql = "SELECT position, trap FROM poison WHERE stream = $1 AND epoch = $2";
        let pairs = self.all(sql, &[stream.into(), epoch.into()], |mut row| Ok((row.number()?, row.text()?))).await?;
        Ok(pairs.into_iter().collect())
    }

    /// The stream's state, tombstones included, by key.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn state(&mut self, stream: i64) -> Result<BTreeMap<Vec<u8>, StateRow>, Fault> {
        let sql = "SELECT key, value, path, name, view FROM state WHERE stream = $1";
        let rows = self.all(sql, &[stream.into()], state_row).await?;
        Ok(rows.into_iter().map(|row| (row.key.clone(), row)).collect())
    }

    /// Up to so many rows of the state from a key on, tombstones included, in the order of their keys.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn state_from(&mut self, stream: i64, from: &[u8], most: u64) -> Result<Vec<StateRow>, Fault> {
        let sql =
            "SELECT key, value, path, name, view FROM state WHERE stream = $1 AND key >= $2 ORDER BY key LIMIT $3";
        self.all(sql, &[stream.into(), from.into(), most.into()], state_row).await
    }

    /// How many rows there are that are no tombstones.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn live_rows(&mut self, stream: i64) -> Result<usize, Fault> {
        let sql = "SELECT count(value) FROM state WHERE stream = $1";
        let count = self.row(sql, &[stream.into()]).await?.map(|mut row| row.number()).transpose()?;
        Ok(count.and_then(|count| usize::try_from(count).ok()).unwrap_or(0))
    }

    /// The stream's checkpoints, the latest first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn checkpoints(&mut self, stream: i64) -> Result<Vec<SignedCheckpoint>, Fault> {
        let sql = "SELECT body, signature FROM checkpoints WHERE stream = $1 ORDER BY epoch DESC, count DESC";
        self.all(sql, &[stream.into()], |mut row| checkpoint(&mut row)).await
    }

    /// # Errors
    /// Where the database fails.
    pub async fn last_checkpoint(&mut self, stream: i64) -> Result<Option<SignedCheckpoint>, Fault> {
        let sql = "SELECT body, signature FROM checkpoints WHERE stream = $1 ORDER BY epoch DESC, count DESC LIMIT 1";
        let row = self.row(sql, &[stream.into()]).await?;
        Ok(row.map(|mut row| checkpoint(&mut row)).transpose()?)
    }

    /// How often ops were refused, by code.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn refusals(&mut self, stream: i64) -> Result<BTreeMap<String, u64>, Fault> {
        let sql = "SELECT code, count FROM refusals WHERE stream = $1";
        let pairs = self.all(sql, &[stream.into()], |mut row| Ok((row.text()?, row.number()?))).await?;
        Ok(pairs.into_iter().collect())
    }

    /// The ids of the ops that are kept as evidence of forks.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn forks(&mut self, stream: i64) -> Result<Vec<Hash>, Fault> {
        let sql = "SELECT op_id FROM forks WHERE stream = $1 ORDER BY op_id";
        self.all(sql, &[stream.into()], |mut row| row.hash()).await
    }
}
