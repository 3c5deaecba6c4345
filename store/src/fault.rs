//! Why the store could not do what it was asked: a no with a code, or a failure of the environment.

use crate::code::{Code, Refused};
use sqlx::postgres::PgDatabaseError;
use std::fmt;
use std::io;

/// What ended a call. A fault of the environment is never recorded in a log.
#[derive(Debug)]
pub enum Fault {
    /// The store says no, for a reason that has a code.
    Refused(Refused),
    /// A file could not be read or written.
    File { path: String, cause: io::Error },
    /// The database failed: a full disk, a lost connection, a file that is none.
    Database(sqlx::Error),
}

impl Fault {
    /// The code, where the fault has one.
    #[must_use]
    pub const fn code(&self) -> Option<Code> {
        match self {
            Fault::Refused(refused) => Some(refused.code),
            Fault::File { .. } | Fault::Database(_) => None,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Refused(refused) => refused.fmt(f),
            Fault::File { path, cause } => write!(f, "`{path}`: {cause}"),
            Fault::Database(cause) => write!(f, "the database failed: {cause}"),
        }
    }
}

impl std::error::Error for Fault {}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Fault {
        Fault::Refused(refused)
    }
}

impl From<sqlx::Error> for Fault {
    fn from(cause: sqlx::Error) -> Fault {
        let code = match cause.as_database_error() {
            Some(error) if error.try_downcast_ref::<PgDatabaseError>().is_some() => {
                error.code().and_then(|code| of_postgres(&code))
            }
            // The low byte of SQLite's codes; the rest says more of the same.
            Some(error) => {
                error.code().and_then(|code| code.parse::<u32>().ok()).and_then(|code| of_sqlite(code & 0xff))
            }
            None if matches!(cause, sqlx::Error::Configuration(_)) => Some(Code::DATABASE_ADDRESS),
            None if is_encryption(&cause) => Some(Code::DATABASE_TLS),
            None => is_lost(&cause).then_some(Code::DATABASE_GONE),
        };
        match code {
            Some(code @ Code::ACK_TIMEOUT) => Fault::Refused(Refused::new(code, "")),
            Some(code) => Fault::Refused(Refused::new(code, cause.to_string())),
            None => Fault::Database(cause),
        }
    }
}

/// Whether TLS is at fault: a certificate that nobody vouches for comes as data that can't be right.
fn is_encryption(cause: &sqlx::Error) -> bool {
    let is_no_data = |cause: &std::io::Error| cause.kind() == std::io::ErrorKind::InvalidData;
    matches!(cause, sqlx::Error::Tls(_)) || matches!(cause, sqlx::Error::Io(cause) if is_no_data(cause))
}

/// Whether the way to the database is at fault.
const fn is_lost(cause: &sqlx::Error) -> bool {
    matches!(cause, sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed)
}

/// What SQLite's codes mean here.
const fn of_sqlite(code: u32) -> Option<Code> {
    match code {
        // BUSY and LOCKED: another connection kept its lock longer than we wait.
        5 | 6 => Some(Code::ACK_TIMEOUT),
        // PERM, READONLY and CANTOPEN.
        3 | 8 | 14 => Some(Code::DATABASE_DENIED),
        13 => Some(Code::DATABASE_FULL),
        11 => Some(Code::LOG_DAMAGED),
        26 => Some(Code::SCHEMA_FOREIGN),
        // IOERR: a quota or a bound on a file's size is told so, and a disk that fails.
        10 => Some(Code::DATABASE_DISK),
        19 => Some(Code::DATABASE_REFUSED),
        _ => None,
    }
}

/// What PostgreSQL's codes mean here: the first two letters are the class.
fn of_postgres(code: &str) -> Option<Code> {
    let class = code.get(..2)?;
    match (class, code) {
        // A lock that was not to be had, a deadlock, and what can't be put in a row.
        (_, "55P03") | ("40", _) => Some(Code::ACK_TIMEOUT),
        ("28", _) | (_, "42501" | "25006") => Some(Code::DATABASE_DENIED),
        (_, "53100") => Some(Code::DATABASE_FULL),
        (_, "58030") => Some(Code::DATABASE_DISK),
        ("08", _) | (_, "57P01" | "57P02" | "57P03" | "53300" | "25P03") => Some(Code::DATABASE_GONE),
        (_, "3D000") => Some(Code::DATABASE_ADDRESS),
        ("23", _) => Some(Code::DATABASE_REFUSED),
        _ => None,
    }
}
