//! Databases: thin drivers that read and write plain records. What the records mean is decided elsewhere.

mod brief;
mod cell;
mod postgres;
mod pruned;
mod read;
mod session;
mod sqlite;
mod write;

pub use pruned::Pruned;
pub use session::{Address, Database, Session};
pub use write::OpsToAdd;

use crate::code::{Code, Refused};
use crate::document::Hash;
use crate::fault::Fault;
use crate::log::Commit;
use crate::op::{Op, Salts, SignedOp};

/// A stream and the tip of its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// The database's own number for it.
    pub number: i64,
    pub name: String,
    pub genesis: Hash,
    pub epoch: u64,
    pub fold_root: Hash,
    pub policy_root: Hash,
    pub governance_root: Hash,
    pub count: u64,
    pub received: u64,
    pub edge: Vec<u8>,
}

/// An op as the database has it: what was signed, the record, and columns that are derived from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredOp {
    pub position: u64,
    pub signed: SignedOp,
    pub record: Vec<u8>,
    /// The hash of the record, where it was kept beside what is left of an op.
    pub said: Option<Hash>,
    pub columns: Columns,
}

/// What queries find ops by, and what is left of them; all of it follows from the op, its record and the binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    pub op_id: Hash,
    pub author: Hash,
    pub sequence: u64,
    pub ulid: [u8; 16],
    /// The hash of what the author gave, where the op itself does not say it: once it was pruned.
    pub given: Option<Hash>,
    pub outcome: String,
    pub is_governance: bool,
    pub fold_root: Hash,
    pub policy_root: Hash,
    pub received: u64,
}

impl Columns {
    /// What follows from a commit, with the roots that were bound when it was decided.
    #[must_use]
    pub fn of(commit: &Commit, fold_root: Hash, policy_root: Hash) -> Columns {
        let op = &commit.op.op;
        Columns {
            op_id: commit.op.id,
            author: op.author,
            sequence: op.sequence,
            ulid: op.ulid.to_bytes(),
            given: Some(commit.given),
            outcome: commit.record.outcome.name().into(),
            is_governance: op.is_governance(),
            fold_root,
            policy_root,
            received: commit.record.received,
        }
    }

    /// Whether these are what was computed, as far as they say.
    #[must_use]
    pub fn agree(&self, computed: &Columns) -> bool {
        let given = self.given.or(computed.given);
        Columns { given, ..self.clone() } == *computed
    }
}

impl StoredOp {
    /// Whether what was signed was given up. No body is empty.
    #[must_use]
    pub const fn is_pruned(&self) -> bool {
        self.signed.body.is_empty()
    }

    /// The hash of what the author gave, said or made again.
    ///
    /// # Errors
    /// `LOG_DAMAGED` where there is no op to make it of.
    pub fn given(&self) -> Result<Hash, Refused> {
        if let Some(given) = self.columns.given {
            return Ok(given);
        }
        let op = Op::decode(&self.signed.body);
        let given = op.and_then(|op| crate::op::given(&op, &self.signed.payload));
        given.map_err(|refused| damaged(format!("op {}: {refused}", self.position)))
    }
}

/// A commit on its way into the database, with the roots that were bound when it was decided.
#[derive(Debug)]
pub struct NewOp {
    pub commit: Box<Commit>,
    pub fold_root: Hash,
    pub policy_root: Hash,
}

/// What is read of an op to fold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeanOp {
    pub position: u64,
    pub op_id: Hash,
    pub author: Hash,
    pub sequence: u64,
    pub is_admitted: bool,
    pub is_governance: bool,
    pub received: u64,
    /// None where it was pruned.
    pub op: Option<Op>,
    pub payload: Vec<u8>,
}

/// A row of a stream's state as it lies in the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRow {
    pub key: Vec<u8>,
    /// None is a tombstone.
    pub value: Option<Vec<u8>>,
    pub projection: Projection,
}

/// What people and queries read of a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Projection {
    pub path: String,
    pub name: String,
    pub view: Option<String>,
}

pub(crate) fn damaged(what: impl Into<String>) -> Refused {
    Refused::new(Code::LOG_DAMAGED, what)
}

/// A signed op out of its columns.
pub(crate) fn signed(body: Vec<u8>, payload: Vec<u8>, salts: &[u8], signature: Vec<u8>) -> Result<SignedOp, Refused> {
    let signature = signature.try_into().map_err(|_| damaged("a signature that has not 64 bytes"))?;
    Ok(SignedOp { body, payload, salts: Salts::from_bytes(salts).map_err(|_| damaged("salts"))?, signature })
}

/// The schema's version, where this build knows it.
fn known_schema(version: i64, newest: usize) -> Result<i64, Fault> {
    if usize::try_from(version).is_ok_and(|version| version <= newest) {
        return Ok(version);
    }
    let what = format!("schema {version}, where this build knows {newest}");
    Err(Refused::new(Code::SCHEMA_NEWER, what).into())
}
