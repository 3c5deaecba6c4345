//! The end of an audit: who is trusted, the rows that were given, and the answer.

use super::refold::Refold;
use super::{Audit, Audited, Evidence, Stopped, differs, rows, writer};
use crate::checkpoint::Checkpoint;
use crate::document::{Hash, to_hex};
use crate::fault::Fault;
use crate::verify::{Divergence, Verification};

impl Audit<'_> {
    pub(super) fn end(&mut self) -> Result<(), Stopped> {
        if let Some(pending) = self.pending.take() {
            return Err(pending.into());
        }
        let Some(log) = &self.log else {
            return Err(differs("the genesis", "nothing", "an op at position 1").into());
        };
        if let Some(refold) = &self.refold
            && refold.waits
            && !self.is_hidden
        {
            return Err(self.nowhere_from().into());
        }
        if !self.has_extended {
            let known = self.ask.extends.as_ref();
            let what = match known {
                Some(known) if known.stream != log.stream => "another stream",
                Some(known) if known.count > log.tree.count() => "a log that is shorter: it was rolled back",
                _ => "a log with another history",
            };
            let known = known.map(|known| format!("{} records, {}", known.count, to_hex(&known.log_head)));
            return Err(differs("what is to be extended", known.unwrap_or_default(), what).into());
        }
        if !self.ask.trusted.is_empty() && !self.is_trusted() {
            let signer = self.signer.map_or_else(|| "nobody".into(), |signer| to_hex(&signer));
            let found = format!("stream {}, signed by {signer}", to_hex(&log.stream));
            return Err(differs("who is trusted", found, "neither the stream nor its signer").into());
        }
        self.rows()
    }

    pub(super) fn nowhere_from(&self) -> Box<Divergence> {
        let from = self.from().unwrap_or_default();
        differs("what to fold from", format!("the checkpoint after {from} records"), "no snapshot of it is at hand")
    }

    fn is_trusted(&self) -> bool {
        let stream = self.log.as_ref().map(|log| log.stream);
        let is_known = |hash: Option<Hash>| hash.is_some_and(|hash| self.ask.trusted.contains(&hash));
        is_known(stream) || is_known(self.signer)
    }

    /// The rows that were given, against those of the last checkpoint.
    fn rows(&mut self) -> Result<(), Stopped> {
        let latest = self.latest.as_ref().and_then(|latest| Checkpoint::decode(&latest.body).ok());
        let rows = match &mut self.refold {
            Some(refold) if !self.is_hidden && latest.is_some() => refold.rows(),
            _ => None,
        };
        let differing = self.given.end(rows, latest.map(|latest| latest.state_root))?;
        rows::divergence(differing).map_or(Ok(()), |stop| Err(stop.into()))
    }

    /// A divergence with the keys that differ, where there are rows at hand on both sides, and what wrote them.
    pub(super) fn explained(
        &mut self,
        mut stop: Box<Divergence>,
        evidence: &mut dyn Evidence,
    ) -> Result<Box<Divergence>, Fault> {
        let is_of_roots = ["a checkpoint's state_root", "a checkpoint's snapshot_root"].contains(&&*stop.what);
        if is_of_roots
            && !self.given.is_empty()
            && let Err(Stopped::Diverged(rows)) = self.rows()
        {
            (stop.key, stop.keys) = (rows.key, rows.keys);
        }
        if let Some(refold) = &self.refold {
            writer::find(refold, &self.index, evidence, &mut stop.keys)?;
        }
        Ok(stop)
    }

    pub(super) fn answer(mut self, first_divergence: Option<Divergence>) -> Audited {
        let is_replayed = !self.is_hidden && self.pruned.is_none();
        let is_asked = !self.ask.trusted.is_empty() || self.ask.extends.is_some();
        let is_anchored = first_divergence.is_none() && is_asked;
        let rows = self.refold.as_mut().and_then(Refold::rows).filter(|_| !self.is_hidden && self.latest.is_some());
        let rows = rows.map(|rows| rows.sorted().iter().map(|row| (row.key.clone(), row.value.clone())).collect());
        let poison = self.refold.as_ref().and_then(Refold::poison).filter(|_| self.from().is_none());
        let poison = poison.map(|poison| {
            let known = poison.range(..=self.before);
            known.map(|(&position, trap)| (position, trap.to_string())).collect()
        });
        let log = if first_divergence.is_none() { self.log } else { None };
        let (checked, pruned) = (self.counts, self.pruned);
        let verification = Verification { checked, is_anchored, is_replayed, pruned, first_divergence };
        Audited { verification, log, rows, poison }
    }
}
