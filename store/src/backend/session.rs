//! Sessions: one transaction each, on whichever database it is.

use super::cell::{Cell, Row};
use super::{postgres, sqlite};
use crate::fault::Fault;
use crate::limit;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// An SQLite file.
    File(PathBuf),
    /// A PostgreSQL server, by its URL.
    Server(String),
}

/// What the URLs of servers begin with.
const SERVERS: [&str; 2] = ["postgres://", "postgresql://"];

impl Address {
    /// Reads what people write: a server's URL or a file's path; none where it is neither.
    #[must_use]
    pub fn of(text: &str) -> Option<Address> {
        if SERVERS.iter().any(|server| text.starts_with(server)) {
            return Some(Address::Server(text.into()));
        }
        let path = text.strip_prefix("sqlite:").unwrap_or(text);
        (!path.is_empty() && !path.contains("://")).then(|| Address::File(path.into()))
    }
}

/// A server's URL may hold a password, so that it is not shown.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::File(path) => write!(f, "{}", path.display()),
            Address::Server(_) => f.write_str("the server"),
        }
    }
}

/// A database that is open.
pub enum Database {
    Sqlite(sqlite::Database),
    Postgres(postgres::Database),
}

/// A transaction: all of it is committed, or nothing.
pub struct Session<'c>(pub(super) Transaction<'c>);

pub(super) enum Transaction<'c> {
    Sqlite(sqlite::Transaction<'c>),
    Postgres(postgres::Transaction<'c>),
}

impl Database {
    /// Opens the database, makes it where there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// `SCHEMA_NEWER`, `SCHEMA_FOREIGN`, or it can't be opened.
    pub async fn open(address: &Address, wait: Duration) -> Result<Database, Fault> {
        Ok(match address {
            Address::File(path) => Database::Sqlite(sqlite::Database::open(path, wait).await?),
            Address::Server(url) => Database::Postgres(postgres::Database::open(url, wait).await?),
        })
    }

    /// A transaction that only reads: it sees one state of the database, whatever others commit meanwhile.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn read(&mut self) -> Result<Session<'_>, Fault> {
        Ok(Session(match self {
            Database::Sqlite(database) => Transaction::Sqlite(database.read().await?),
            Database::Postgres(database) => Transaction::Postgres(database.read().await?),
        }))
    }

    /// Waits until something may have been committed: a server says so, a file is looked at again and again.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn hear(&mut self) -> Result<(), Fault> {
        match self {
            Database::Sqlite(_) => tokio::time::sleep(Duration::from_millis(limit::LOG_LOOK.value)).await,
            Database::Postgres(database) => database.hear(Duration::from_millis(limit::LOG_HEAR.value)).await?,
        }
        Ok(())
    }

    /// A transaction that writes. SQLite has one lock for all that write; a server has one for each thing that is
    /// written, and [`Session::lock_log`] and its like take it.
    ///
    /// # Errors
    /// `ACK_TIMEOUT` where another writer held the lock for too long.
    pub async fn write(&mut self) -> Result<Session<'_>, Fault> {
        Ok(Session(match self {
            Database::Sqlite(database) => Transaction::Sqlite(database.write().await?),
            Database::Postgres(database) => Transaction::Postgres(database.write().await?),
        }))
    }
}

impl Session<'_> {
    /// Commits what was written; a session that is dropped instead leaves nothing behind.
    ///
    /// # Errors
    /// Where the database fails: then nothing was committed, unless the connection was lost while it answered.
    pub async fn commit(self) -> Result<(), Fault> {
        match self.0 {
            Transaction::Sqlite(transaction) => Ok(transaction.commit().await?),
            Transaction::Postgres(transaction) => Ok(transaction.commit().await?),
        }
    }

    pub(super) async fn rows(&mut self, sql: &'static str, cells: &[Cell<'_>]) -> Result<Vec<Row>, Fault> {
        match &mut self.0 {
            Transaction::Sqlite(transaction) => sqlite::rows(transaction, sql, cells).await,
            Transaction::Postgres(transaction) => postgres::rows(transaction, sql, cells).await,
        }
    }

    pub(super) async fn row(&mut self, sql: &'static str, cells: &[Cell<'_>]) -> Result<Option<Row>, Fault> {
        Ok(self.rows(sql, cells).await?.into_iter().next())
    }

    pub(super) async fn execute(&mut self, sql: &'static str, cells: &[Cell<'_>]) -> Result<(), Fault> {
        match &mut self.0 {
            Transaction::Sqlite(transaction) => sqlite::execute(transaction, sql, cells).await,
            Transaction::Postgres(transaction) => postgres::execute(transaction, sql, cells).await,
        }
    }
}
