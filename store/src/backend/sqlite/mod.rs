//! SQLite: one file, one writer at a time, write-ahead log, every commit synced.

mod read;
mod write;

use crate::code::{Code, Refused};
use crate::fault::Fault;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Sqlite, SqliteConnection, Transaction};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// The schemas, each on top of the one before it. A schema that was released never changes.
const SCHEMAS: &[&str] = &[include_str!("1.sql")];

/// Marks a file as kerai's: `kera`.
const APPLICATION: i64 = 0x6b65_7261;

/// A database file that is open.
pub struct Database {
    connection: SqliteConnection,
}

/// A transaction: all of it is committed, or nothing.
pub struct Session<'c> {
    transaction: Transaction<'c, Sqlite>,
}

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

    /// A transaction that only reads: it sees one state of the database, whatever others commit meanwhile.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn read(&mut self) -> Result<Session<'_>, Fault> {
        Ok(Session { transaction: self.connection.begin_with("BEGIN DEFERRED").await? })
    }

    /// A transaction that writes: it holds the lock until it ends.
    ///
    /// # Errors
    /// `ACK_TIMEOUT` where another writer held the lock for too long.
    pub async fn write(&mut self) -> Result<Session<'_>, Fault> {
        Ok(Session { transaction: self.connection.begin_with("BEGIN IMMEDIATE").await? })
    }

    async fn migrate(&mut self) -> Result<(), Fault> {
        let newest = SCHEMAS.len() as i64;
        if self.read().await?.schema().await? == newest {
            return Ok(());
        }
        let mut session = self.write().await?;
        let version = session.schema().await?;
        let missing = SCHEMAS.iter().skip(usize::try_from(version).unwrap_or(usize::MAX));
        for schema in missing {
            sqlx::raw_sql(*schema).execute(&mut *session.transaction).await?;
        }
        if version < newest {
            session.mark().await?;
        }
        session.commit().await
    }
}

impl Session<'_> {
    /// Commits what was written; a session that is dropped instead leaves nothing behind.
    ///
    /// # Errors
    /// Where the database fails: then nothing was committed.
    pub async fn commit(self) -> Result<(), Fault> {
        Ok(self.transaction.commit().await?)
    }

    /// The schema's version; 0 is a database without any table.
    async fn schema(&mut self) -> Result<i64, Fault> {
        let connection = &mut *self.transaction;
        let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await?;
        let application: i64 = sqlx::query_scalar("PRAGMA application_id").fetch_one(&mut *connection).await?;
        let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema").fetch_one(connection).await?;
        if application != APPLICATION && (application != 0 || version != 0 || tables != 0) {
            return Err(Refused::new(Code::SCHEMA_FOREIGN, "").into());
        }
        if version > SCHEMAS.len() as i64 {
            let what = format!("schema {version}, where this build knows {}", SCHEMAS.len());
            return Err(Refused::new(Code::SCHEMA_NEWER, what).into());
        }
        Ok(version)
    }

    /// Says which schema the database has. Pragmas take no parameters, so that the text is written out and tested.
    async fn mark(&mut self) -> Result<(), Fault> {
        sqlx::raw_sql("PRAGMA application_id = 0x6b657261; PRAGMA user_version = 1")
            .execute(&mut *self.transaction)
            .await?;
        if self.schema().await? == SCHEMAS.len() as i64 {
            Ok(())
        } else {
            Err(Refused::new(Code::SCHEMA_FOREIGN, "the schema's mark").into())
        }
    }
}
