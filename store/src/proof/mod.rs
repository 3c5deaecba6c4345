//! Proofs: small files that show one thing of a stream to whoever trusts a checkpoint, and nothing else.
//!
//! An envelope says by its kind who can check it. `commitment` shows the hashes beside the way to what is claimed. A
//! backend of another kind, such as one whose proofs hide even which row is meant, is a [`Prover`] and a [`Verifier`]
//! with a row in [`VERIFIERS`]: its bytes hold the checkpoint, whatever it lets be known of the claim, and its proof;
//! what its `check` gives back is all that anyone may believe.

mod commitment;
pub mod tree;

pub use commitment::Commitment;

use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::code::{Code, Refused};
use crate::document::{Hash, Reader, Writer};
use crate::fold::Rows;
use crate::limit::{self, length};
use crate::log::Record;

/// What is claimed of the stream as it was at a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Nothing but the checkpoint itself.
    Checkpoint,
    /// The row with this key, the canonical CBOR of path and key, has this value.
    Row { key: Vec<u8>, value: Vec<u8> },
    /// There is no row with this key.
    Absent { key: Vec<u8> },
    /// This is the log's record of an op, which counts among the inputs if and only if the record says admitted.
    Op { record: Vec<u8> },
    /// The log continues the one of an earlier checkpoint: nothing of that was changed or taken away.
    Consistent { earlier: SignedCheckpoint },
}

impl Claim {
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Claim::Checkpoint => "checkpoint",
            Claim::Row { .. } => "row",
            Claim::Absent { .. } => "absent",
            Claim::Op { .. } => "op",
            Claim::Consistent { .. } => "consistent",
        }
    }
}

/// What proofs are made of: a stream as it was at a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    pub checkpoint: SignedCheckpoint,
    pub rows: Rows,
    /// The ids of the ops that were admitted.
    pub admitted: Vec<Hash>,
    /// The records, as many as the checkpoint counts.
    pub records: Vec<Vec<u8>>,
}

/// What a proof shows, to whoever trusts its checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub claim: Claim,
    pub signed: SignedCheckpoint,
    pub checkpoint: Checkpoint,
}

impl Statement {
    /// Whether the stream or the checkpoint's signer is among those that the asker trusts.
    #[must_use]
    pub fn is_anchored(&self, trusted: &[Hash]) -> bool {
        trusted.contains(&self.checkpoint.stream) || trusted.contains(&self.checkpoint.signer)
    }

    /// The record of a claim about an op.
    #[must_use]
    pub fn record(&self) -> Option<Record> {
        match &self.claim {
            Claim::Op { record } => Record::decode(record).ok(),
            Claim::Checkpoint | Claim::Row { .. } | Claim::Absent { .. } | Claim::Consistent { .. } => None,
        }
    }
}

/// Makes proofs of one kind.
pub trait Prover {
    /// The bytes of a proof.
    ///
    /// # Errors
    /// `CLAIM_FALSE` where the claim does not hold.
    fn prove(&self, claim: &Claim, witness: &Witness) -> Result<Vec<u8>, Refused>;
}

/// Checks proofs of one kind.
pub trait Verifier: Sync {
    /// The kind that envelopes name.
    fn kind(&self) -> &'static str;

    /// What the proof shows.
    ///
    /// # Errors
    /// `PROOF_FORM` where the bytes are no proof, `PROOF_FALSE` where they do not show what they claim.
    fn check(&self, bytes: &[u8]) -> Result<Statement, Refused>;
}

/// Every kind that this build checks.
pub const VERIFIERS: &[&dyn Verifier] = &[&Commitment];

pub(crate) fn form(what: impl Into<String>) -> Refused {
    Refused::new(Code::PROOF_FORM, what)
}

/// The file of a proof: `{kind, bytes}` as canonical CBOR.
///
/// # Errors
/// `CLAIM_FALSE`, or `PROOF_FALSE` where what the proof would be made of is damaged.
pub fn prove(claim: &Claim, witness: &Witness) -> Result<Vec<u8>, Refused> {
    let bytes = Commitment.prove(claim, witness)?;
    // What would not convince others is not given away.
    Commitment.check(&bytes)?;
    let mut writer = Writer::new();
    writer.text("kind", Commitment.kind()).bytes("bytes", &bytes);
    writer.finish().map_err(|refusal| form(refusal.to_string()))
}

/// What the file of a proof shows.
///
/// # Errors
/// `PROOF_FORM` or `PROOF_FALSE`.
pub fn check(file: &[u8]) -> Result<Statement, Refused> {
    if file.len() > length(limit::PROOF_SIZE) {
        return Err(form(format!("{} bytes", file.len())));
    }
    let reader = Reader::open(file).map_err(|refusal| form(refusal.to_string()))?;
    let mut reader = reader.ok_or_else(|| form("not a map"))?;
    let kind = reader.text("kind").ok_or_else(|| form("the field `kind`"))?;
    let bytes = reader.bytes("bytes").ok_or_else(|| form("the field `bytes`"))?;
    if !reader.is_spent() {
        return Err(form("a field that proofs don't have"));
    }
    let verifier = VERIFIERS.iter().find(|verifier| verifier.kind() == kind);
    verifier.ok_or_else(|| form(format!("the kind `{}`", kind.escape_default())))?.check(&bytes)
}

/// Whether bytes begin as the file of a proof does: a map of two fields, of which `kind` is the first.
#[must_use]
pub fn is_proof(file: &[u8]) -> bool {
    file.starts_with(b"\xa2\x64kind")
}
