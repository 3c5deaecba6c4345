//! Ops of which not everything is there: parts are hidden, or all but their place was pruned.

use super::ops::{HIDDEN, show};
use super::{Audit, Evidence, differs, refused};
use crate::backend::Columns;
use crate::document::to_hex;
use crate::log::{Outcome, Record, leaf};
use crate::op::signature::{self, Domain};
use crate::op::{Op, op_id};
use crate::pack::{Hidden, PrunedOp};
use crate::verify::Divergence;

impl Audit<'_> {
    /// An op whose decision can't be made again.
    pub(super) fn hidden(&mut self, place: u64, record: &[u8], hidden: &Hidden) -> Result<(), Box<Divergence>> {
        self.is_hidden = true;
        let said = Record::decode(record).map_err(|no| refused("the commit record", &no))?;
        let op = Op::decode(&hidden.body).map_err(|no| refused("the op", &no))?;
        let id = op_id(&hidden.body);
        let no = |what: &str| differs("the op", "accepted", what);
        if op.is_governance() {
            return Err(no("nothing of governance's ops can be hidden"));
        }
        if self.ask.signatures && !signature::verify(Domain::Op, &id, &op.author, &hidden.signature) {
            return Err(no("the signature does not verify"));
        }
        if hidden.payload_root().map_err(|no| refused("the op", &no))? != op.payload_root {
            return Err(no("what is left of the payload does not give its root"));
        }
        let log = self.log.as_mut().ok_or_else(|| no("the genesis is missing"))?;
        let computed = Record {
            position: log.next(),
            op: id,
            received: said.received.max(log.received),
            governance: log.governance.position,
            ..said.clone()
        };
        let bytes = log.trust(&op, id, &computed).map_err(|no| refused("the op", &no))?;
        if bytes != record {
            return Err(differs("the commit record", show(&said), show(&computed)));
        }
        self.count(&op.author, op.ulid, id, place | HIDDEN, said.outcome == Outcome::Admitted);
        Ok(())
    }

    /// An op that is gone but for what it is found by: its signature and its place in the log and in its author's chain
    /// are looked at, and what it comes to is in the state at the end of what was pruned.
    pub(super) fn gone(
        &mut self,
        place: u64,
        record: &[u8],
        left: &PrunedOp,
        evidence: &mut dyn Evidence,
    ) -> Result<(), Box<Divergence>> {
        let said = Record::decode(record).map_err(|no| refused("the commit record", &no))?;
        let no = |what: &str| differs("the op", "accepted", what);
        let log = self.log.as_mut().ok_or_else(|| no("the genesis is missing"))?;
        if self.pruned.is_none_or(|pruned| log.next() > pruned) {
            return Err(no("it is gone, and was not pruned"));
        }
        let is = leaf(record);
        if let Some(was) = left.said.filter(|was| *was != is) {
            return Err(differs("the commit record", to_hex(&is), to_hex(&was)));
        }
        if self.ask.signatures && !signature::verify(Domain::Op, &left.op, &left.author, &left.signature) {
            return Err(no("the signature does not verify"));
        }
        let computed = Record {
            position: log.next(),
            op: left.op,
            received: said.received.max(log.received),
            governance: log.governance.position,
            ..said.clone()
        };
        let (fold_root, policy_root) = (log.governance.binding.fold_root, log.governance.binding.policy_root);
        let bytes = log.trust_pruned(&left.author, left.sequence, &computed);
        if bytes.map_err(|no| refused("the op", &no))? != record {
            return Err(differs("the commit record", show(&said), show(&computed)));
        }
        let columns = || Columns {
            op_id: left.op,
            author: left.author,
            sequence: left.sequence,
            ulid: left.ulid.to_bytes(),
            given: Some(left.given),
            outcome: said.outcome.name().into(),
            is_governance: false,
            fold_root,
            policy_root,
            received: said.received,
        };
        evidence.agrees(place, said.position, &columns)?;
        self.count(&left.author, left.ulid, left.op, place | HIDDEN, said.outcome == Outcome::Admitted);
        Ok(())
    }

    /// The last record of whose state no more is known than a checkpoint binds.
    pub(super) fn from(&self) -> Option<u64> {
        self.ask.from.max(self.pruned)
    }
}
