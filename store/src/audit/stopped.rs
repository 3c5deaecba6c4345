//! Why an audit ends before its evidence does.

use crate::code::Refused;
use crate::document::Hash;
use crate::fault::Fault;
use crate::verify::Divergence;

/// Why auditing ended early.
pub(crate) enum Stopped {
    Diverged(Box<Divergence>),
    Fault(Fault),
}

impl Stopped {
    /// The same, found at an op.
    pub(super) fn at_op(self, position: u64, op: Hash) -> Stopped {
        match self {
            Stopped::Diverged(stop) => {
                Stopped::Diverged(Box::new(Divergence { op: Some(position), op_id: Some(op), ..*stop }))
            }
            Stopped::Fault(fault) => Stopped::Fault(fault),
        }
    }
}

impl From<Box<Divergence>> for Stopped {
    fn from(divergence: Box<Divergence>) -> Stopped {
        Stopped::Diverged(divergence)
    }
}

impl From<Refused> for Stopped {
    fn from(no: Refused) -> Stopped {
        Stopped::Diverged(refused("the log", &no))
    }
}

impl From<Fault> for Stopped {
    fn from(fault: Fault) -> Stopped {
        match fault {
            // What is not in its form is an answer: what was to be checked is damaged.
            Fault::Refused(no) => Stopped::Diverged(refused("the evidence", &no)),
            fault @ (Fault::File { .. } | Fault::Database(_)) => Stopped::Fault(fault),
        }
    }
}

pub(crate) fn differs(what: &str, stored: impl Into<String>, computed: impl Into<String>) -> Box<Divergence> {
    let (what, stored, computed) = (what.into(), stored.into(), computed.into());
    Box::new(Divergence { what, stored, computed, ..Divergence::default() })
}

pub(crate) fn refused(what: &str, refused: &Refused) -> Box<Divergence> {
    differs(what, "accepted", refused.to_string())
}
