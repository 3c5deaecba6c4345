//! What is asked of an audit, and the evidence that it is given.

use crate::backend::Columns;
use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::document::Hash;
use crate::fault::Fault;
use crate::fold::Snapshot;
use crate::op::SignedOp;
use crate::pack::{Hidden, PrunedOp};
use crate::verify::Divergence;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Keys and streams that the asker knows by other means.
    pub trusted: Vec<Hash>,
    /// A checkpoint that was right: the log must go on from it.
    pub extends: Option<Checkpoint>,
    /// The count of the checkpoint from whose snapshot on is folded; what it binds before is taken from it.
    pub from: Option<u64>,
    /// Threads that look at ops ahead of the log.
    pub jobs: usize,
    /// Whether signatures are verified.
    pub signatures: bool,
}

impl Default for Ask {
    fn default() -> Ask {
        Ask { trusted: Vec::new(), extends: None, from: None, jobs: 1, signatures: true }
    }
}

/// A piece of evidence. Ops come in the order of the log, a checkpoint behind the last op that it counts, a snapshot
/// behind its checkpoint, and the rows after the last one at the end, in the order of their keys.
#[derive(Debug)]
pub enum Item {
    Op {
        place: u64,
        record: Vec<u8>,
        signed: SignedOp,
    },
    /// An op as it lies in a pack.
    PackedOp {
        place: u64,
        content: Vec<u8>,
    },
    HiddenOp {
        place: u64,
        record: Vec<u8>,
        hidden: Hidden,
    },
    PrunedOp {
        place: u64,
        record: Vec<u8>,
        left: Box<PrunedOp>,
    },
    Checkpoint(SignedCheckpoint),
    Snapshot(Snapshot),
    Row(Vec<u8>, Vec<u8>),
    Proof(Vec<u8>),
}

/// What can be asked for an op again.
pub trait Recall {
    /// The record and the op that an item of this place held.
    ///
    /// # Errors
    /// Where it can't be read again, or is gone.
    fn recall(&mut self, place: u64) -> Result<(Vec<u8>, SignedOp), Fault>;
}

/// All that is at hand of a stream.
pub trait Evidence: Recall {
    /// # Errors
    /// Where it can't be read, or is not in its form.
    fn next(&mut self) -> Result<Option<Item>, Fault>;

    /// Whether what else is kept of an op agrees with what it comes to.
    ///
    /// # Errors
    /// Where it does not.
    fn agrees(&mut self, _place: u64, _position: u64, _computed: &dyn Fn() -> Columns) -> Result<(), Box<Divergence>> {
        Ok(())
    }

    /// Up to which record ops may be gone; the state after it comes as a snapshot.
    fn pruned(&self) -> Option<u64> {
        None
    }

    /// How much of it was given, from 0 to 1.
    fn progress(&self) -> f64 {
        0.0
    }
}
