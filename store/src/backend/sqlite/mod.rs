//! SQLite: one file, one writer at a time, write-ahead log, every commit synced.

use super::cell::{Cell, Found, Row};
use crate::code::{Code, Refused};
use crate::fault::Fault;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Row as _, Sqlite, SqliteConnection, TypeInfo, ValueRef};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// The schemas, each on top of the one before it. A schema that was released never changes.
const SCHEMAS: &[&str] = &[include_str!("1.sql"), include_str!("2.sql"), include_str!("3.sql"), include_str!("4.sql")];

/// Marks a file as kerai's: `kera`.
const APPLICATION: i64 = 0x6b65_7261;

/// A database file that is open.
pub struct Database {
    connection: SqliteConnection,
}

pub type Transaction<'c> = sqlx::Transaction<'c, Sqlite>;

impl Database {
    /// Opens the file, makes it where there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// `SCHEMA_NEWER`, `SCHEMA_FOREIGN`, or the file can't be opened.
    pub async fn open(path: &Path, wait: Duration) -> Result<Database, Fault> {
        if let Some(folder) = path.parent() {
            let fault = |cause| Fault::File { path: folder.display().to_string(), cause };
            fs::create_dir_all(folder).map_err(fault)?;
        }
        let options = SqliteConnectOptions::new().filename(path).create_if_missing(true).busy_timeout(wait);
        let options = options.foreign_keys(true).synchronous(SqliteSynchronous::Full);
        let options = options.journal_mode(SqliteJournalMode::Wal).disable_statement_logging();
        let mut database = Database { connection: options.connect().await? };
        database.migrate().await?;
        Ok(database)
    }

    pub(super) async fn read(&mut self) -> Result<Transaction<'_>, Fault> {
        Ok(self.connection.begin_with("BEGIN DEFERRED").await?)
    }

    pub(super) async fn write(&mut self) -> Result<Transaction<'_>, Fault> {
        Ok(self.connection.begin_with("BEGIN IMMEDIATE").await?)
    }

    async fn migrate(&mut self) -> Result<(), Fault> {
        let newest = SCHEMAS.len() as i64;
        if schema(&mut self.read().await?).await? == newest {
            return Ok(());
        }
        let mut transaction = self.write().await?;
        let version = schema(&mut transaction).await?;
        let missing = SCHEMAS.iter().skip(usize::try_from(version).unwrap_or(usize::MAX));
        for schema in missing {
            sqlx::raw_sql(*schema).execute(&mut *transaction).await?;
        }
        if version < newest {
            mark(&mut transaction).await?;
        }
        Ok(transaction.commit().await?)
    }
}

/// The schema's version; 0 is a database without any table.
async fn schema(transaction: &mut Transaction<'_>) -> Result<i64, Fault> {
    let connection = &mut **transaction;
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await?;
    let application: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await?;
    let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(connection).await?;
    if application != APPLICATION && (application != 0 || version != 0 || tables != 0) {
        return Err(Refused::new(Code::SCHEMA_FOREIGN, "").into());
    }
    super::known_schema(version, SCHEMAS.len())
}

/// Says which schema the database has. Pragmas take no parameters, so that the text is written out and tested.
async fn mark(transaction: &mut Transaction<'_>) -> Result<(), Fault> {
    let sql = "PRAGMA application_id = 0x6b657261; PRAGMA user_version = 4";
    sqlx::raw_sql(sql).execute(&mut **transaction).await?;
    if schema(transaction).await? == SCHEMAS.len() as i64 {
        Ok(())
    } else {
        Err(Refused::new(Code::SCHEMA_FOREIGN, "the schema's mark").into())
    }
}

fn query<'q>(sql: &'static str, cells: &[Cell<'q>]) -> sqlx::query::Query<'q, Sqlite, SqliteArguments> {
    cells.iter().fold(sqlx::query(sql), |query, cell| match *cell {
        Cell::Integer(number) => query.bind(number),
        Cell::Text(text) => query.bind(text),
        Cell::Bytes(bytes) => query.bind(bytes),
    })
}

fn row(row: &SqliteRow) -> Result<Row, Fault> {
    let cell = |column| {
        let raw = row.try_get_raw(column)?;
        Ok(match (raw.is_null(), raw.type_info().name()) {
            (true, _) => Found::Nothing,
            (false, "INTEGER") => Found::Integer(row.try_get(column)?),
            (false, "TEXT") => Found::Text(row.try_get(column)?),
            (false, _) => Found::Bytes(row.try_get(column)?),
        })
    };
    let cells: Result<Vec<Found>, sqlx::Error> = (0..row.len()).map(cell).collect();
    Ok(Row::new(cells?))
}

pub(super) async fn rows(
    transaction: &mut Transaction<'_>,
    sql: &'static str,
    cells: &[Cell<'_>],
) -> Result<Vec<Row>, Fault> {
    query(sql, cells).fetch_all(&mut **transaction).await?.iter().map(row).collect()
}

pub(super) async fn execute(
    connection: &mut SqliteConnection,
    sql: &'static str,
    cells: &[Cell<'_>],
) -> Result<(), Fault> {
    query(sql, cells).execute(connection).await?;
    Ok(())
}
