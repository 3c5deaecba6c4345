//! Auditing, the pure part: a log from its first op on, everything computed again, and the first thing that is not as it
//! was said to be.
//!
//! One pass: ops are looked at ahead of the log by as many threads as there are, decided again in the log's order, and
//! folded. At each checkpoint everything that it binds is compared, so that the first interval that diverges is known
//! when it is reached; nothing has to be folded twice but what a late op goes back over.

mod ahead;
mod checkpoints;
mod end;
mod evidence;
mod foresee;
mod index;
mod ops;
mod partial;
mod refold;
mod rows;
mod stopped;
mod tables;
mod trace;
mod writer;

pub use evidence::{Ask, Evidence, Item, Recall};
pub(crate) use refold::draws;
pub use rows::Differing;
pub(crate) use stopped::{Stopped, differs, refused};
pub use tables::Tables;
pub(crate) use tables::{after, beside};
pub use trace::{Traced, Which, rows_by, trace};
pub use writer::Written;

use crate::checkpoint::SignedCheckpoint;
use crate::code::Refused;
use crate::document::Hash;
use crate::fault::Fault;
use crate::fold::Step;
use crate::gate::Gate;
use crate::log::{Log, Record};
use crate::op::{Sound, op_id};
use crate::program::Library;
use crate::verify::{Checked as Counts, Divergence, Verification};
use ahead::{Foreseen, Known};
use index::{Index, Inputs};
use kerai_vm::bytecode::Order;
use refold::Refold;
use rows::Given;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// What was found, and what is left to compare it with.
pub struct Audited {
    pub verification: Verification,
    /// The log at its end, where nothing diverged before.
    pub log: Option<Log>,
    /// The rows after the last checkpoint, where they were computed.
    pub rows: Option<BTreeMap<Vec<u8>, Vec<u8>>>,
    /// The ops that left no trace in them, by position, with their traps; none where it was not all folded here.
    pub poison: Option<BTreeMap<u64, String>>,
}

/// Computes everything again.
///
/// # Errors
/// Where the evidence can't be read; what diverges is the answer and no error.
pub fn audit(
    evidence: &mut dyn Evidence,
    library: &Library,
    ask: &Ask,
    told: &mut dyn FnMut(u64, f64),
) -> Result<Audited, Fault> {
    let mut audit = Audit::new(library, ask);
    let known = audit.known.clone();
    let run = ahead::each(evidence, ask, &known, &mut |item, evidence| {
        audit.item(item, evidence)?;
        if audit.counts.ops.is_multiple_of(1024) {
            told(audit.counts.ops, evidence.progress());
        }
        Ok(())
    });
    let ended = run.and_then(|()| audit.end());
    let first_divergence = match ended {
        Ok(()) => None,
        Err(Stopped::Fault(fault)) => return Err(fault),
        Err(Stopped::Diverged(stop)) => Some(*audit.explained(stop, evidence)?),
    };
    Ok(audit.answer(first_divergence))
}

/// An op that was looked at ahead of the log.
pub(crate) enum Looked<'b> {
    Op(Box<LookedOp>),
    Foreseen(Foreseen<'b>),
    Other(Item),
}

/// An op with what is said by it and its record alone.
pub(crate) struct LookedOp {
    place: u64,
    record: Vec<u8>,
    op: Hash,
    said: Result<Record, Refused>,
    sound: Result<Sound, Refused>,
    /// What its fold gets, made for this order.
    step: Option<(Order, Step)>,
}

struct Audit<'p> {
    library: &'p Library,
    ask: &'p Ask,
    log: Option<Log>,
    index: Index,
    inputs: Inputs,
    refold: Option<Refold<'p>>,
    /// For those who look ahead.
    known: Rc<RefCell<Known<'p>>>,
    gate: Option<Gate<'p>>,
    /// The roots that governance ever named.
    bound: BTreeSet<Hash>,
    /// The folds whose certificates were tried again.
    tried: BTreeSet<Hash>,
    /// The checkpoints that were met.
    checkpoints: BTreeSet<Hash>,
    counts: Counts,
    /// How many records the checkpoint before had.
    before: u64,
    latest: Option<SignedCheckpoint>,
    signer: Option<Hash>,
    /// Whether parts of ops are hidden, so that nothing can be folded.
    is_hidden: bool,
    /// Up to which record ops are gone, so that folding begins behind it.
    pruned: Option<u64>,
    /// Whether the log was that of the checkpoint that it must extend.
    has_extended: bool,
    given: Given,
    /// What a checkpoint binds that the fold does not give: rows that follow say which.
    pending: Option<Box<Divergence>>,
}

impl<'p> Audit<'p> {
    fn new(library: &'p Library, ask: &'p Ask) -> Audit<'p> {
        Audit {
            library,
            ask,
            log: None,
            index: Index::new(),
            inputs: Inputs::new(),
            refold: None,
            known: Rc::default(),
            gate: None,
            bound: BTreeSet::new(),
            tried: BTreeSet::new(),
            checkpoints: BTreeSet::new(),
            counts: Counts::default(),
            before: 0,
            latest: None,
            signer: None,
            is_hidden: false,
            pruned: None,
            has_extended: ask.extends.is_none(),
            given: Given::default(),
            pending: None,
        }
    }

    fn item(&mut self, looked: Looked<'_>, evidence: &mut dyn Evidence) -> Result<(), Stopped> {
        if self.pending.is_some() {
            match &looked {
                Looked::Other(Item::Row(..)) => {}
                // It is the checkpoint's, which is wrong already: rows may follow that say how.
                Looked::Other(Item::Snapshot(_)) => return Ok(()),
                Looked::Op(_) | Looked::Foreseen(_) | Looked::Other(_) => {
                    return self.pending.take().map_or(Ok(()), |stop| Err(stop.into()));
                }
            }
        }
        match looked {
            Looked::Op(looked) => {
                let (position, op) = (self.counts.ops + 1, looked.op);
                self.op(*looked, evidence).map_err(|stop| stop.at_op(position, op))
            }
            Looked::Foreseen(foreseen) => {
                let (position, op) = (self.counts.ops + 1, foreseen.foresight.op);
                self.foreseen(foreseen, evidence).map_err(|stop| stop.at_op(position, op))
            }
            Looked::Other(Item::HiddenOp { place, record, hidden }) => {
                let (position, op) = (self.counts.ops + 1, op_id(&hidden.body));
                self.hidden(place, &record, &hidden).map_err(|stop| {
                    Stopped::Diverged(Box::new(Divergence { op: Some(position), op_id: Some(op), ..*stop }))
                })
            }
            Looked::Other(Item::PrunedOp { place, record, left }) => {
                let (position, op) = (self.counts.ops + 1, Some(left.op));
                self.gone(place, &record, &left, evidence)
                    .map_err(|stop| Stopped::Diverged(Box::new(Divergence { op: Some(position), op_id: op, ..*stop })))
            }
            Looked::Other(Item::Checkpoint(signed)) => self.checkpoint(signed, evidence),
            Looked::Other(Item::Snapshot(snapshot)) => self.snapshot(snapshot, evidence),
            Looked::Other(Item::Row(key, value)) => {
                self.counts.rows += 1;
                let rows = if self.is_hidden { None } else { self.refold.as_mut().and_then(Refold::rows) };
                self.given.put(&key, &value, rows);
                Ok(())
            }
            Looked::Other(Item::Proof(file)) => Ok(self.proof(&file)?),
            // Ops are looked at before they come here.
            Looked::Other(Item::Op { .. } | Item::PackedOp { .. }) => Ok(()),
        }
    }
}
