//! Why the store could not do what it was asked: a no with a code, or a failure of the environment.

use crate::code::{Code, Refused};
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
        // SQLite's BUSY, and what extends it: another connection kept its lock longer than we wait.
        let is_busy = |code: &str| code.parse::<u32>().is_ok_and(|code| code & 0xff == 5);
        let busy = cause.as_database_error().and_then(|error| error.code()).is_some_and(|code| is_busy(&code));
        if busy { Fault::Refused(Refused::new(Code::ACK_TIMEOUT, "")) } else { Fault::Database(cause) }
    }
}
