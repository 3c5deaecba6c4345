//! Checkpoints, snapshots and proofs against the log and the fold at their place.

use super::refold::Refold;
use super::{Audit, Evidence, Stopped, differs, refused};
use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::code::{Code, Refused};
use crate::document::{Hash, hash, to_hex};
use crate::fold::{Place, Snapshot};
use crate::proof;
use crate::verify::Divergence;
use kerai_vm::bytecode::PROFILE;
use kerai_vm::encoding::root::{Context, Root};
use kerai_vm::fold::Folding;

impl Audit<'_> {
    pub(super) fn checkpoint(&mut self, signed: SignedCheckpoint, evidence: &mut dyn Evidence) -> Result<(), Stopped> {
        let decoded = Checkpoint::decode(&signed.body).map_err(|no| refused("a checkpoint", &no));
        let count = decoded.as_ref().map_or(self.counts.ops, |checkpoint| checkpoint.count);
        let interval = Some((self.before, count));
        let at = |stop: Box<Divergence>| Box::new(Divergence { interval, ..*stop });
        let checkpoint = if self.ask.signatures {
            signed.check().map_err(|no| at(refused("a checkpoint", &no)))?
        } else {
            decoded.map_err(at)?
        };
        let Some(log) = &self.log else { return Err(at(differs("a checkpoint", "one", "no log")).into()) };
        if checkpoint.count != log.tree.count() {
            let counts = (checkpoint.count.to_string(), log.tree.count().to_string());
            return Err(at(differs("a checkpoint's count", counts.0, counts.1)).into());
        }
        let (stream, binding) = (log.stream, log.governance.binding.clone());
        let mut computed = Checkpoint {
            stream,
            epoch: binding.epoch,
            count,
            vector: log.heads.clone(),
            inputs_root: self.inputs.root(&self.index),
            log_head: log.tree.head(),
            fold_root: binding.fold_root,
            policy_root: binding.policy_root,
            governance_root: binding.governance_root,
            profile: u64::from(PROFILE),
            ..checkpoint.clone()
        };
        compare(&checkpoint, &computed).map_err(at)?;
        let is_folded = !self.is_hidden && self.from().is_none_or(|from| count > from);
        if is_folded && let Some(refold) = &mut self.refold {
            if refold.waits {
                return Err(self.nowhere_from().into());
            }
            refold.settle(&self.index, evidence)?;
            let folded = state(refold);
            (computed.state_root, computed.snapshot_root) = folded.map_err(|no| at(refused("the fold", &no)))?;
        }
        self.counts.checkpoints += 1;
        self.checkpoints.insert(hash(Context::Checkpoint, &signed.body));
        self.signer = Some(checkpoint.signer);
        self.latest = Some(signed);
        if let Err(stop) = compare(&checkpoint, &computed) {
            // The rows that may follow say in which keys.
            self.pending = Some(at(stop));
        }
        self.before = count;
        Ok(())
    }

    /// A snapshot against the fold at its checkpoint, or the state that is gone on from.
    pub(super) fn snapshot(&mut self, snapshot: Snapshot, evidence: &mut dyn Evidence) -> Result<(), Stopped> {
        let interval = Some((self.before, self.before));
        let at = |stop: Box<Divergence>| Box::new(Divergence { interval, ..*stop });
        let missing = || at(differs("a snapshot", "one", "no checkpoint that it belongs to"));
        let checkpoint = self.latest.as_ref().and_then(|latest| Checkpoint::decode(&latest.body).ok());
        let checkpoint = checkpoint.ok_or_else(missing)?;
        let root = *Folding::snapshot_root(&snapshot.bytes).bytes();
        if root != checkpoint.snapshot_root {
            return Err(at(differs("a snapshot", to_hex(&root), to_hex(&checkpoint.snapshot_root))).into());
        }
        let (from, is_anchor) = (self.from(), self.pruned == Some(checkpoint.count));
        let (Some(refold), false) = (&mut self.refold, self.is_hidden) else { return Ok(()) };
        if is_anchor {
            // Behind it all ops are here, of which some may be late.
            refold.anchor(&snapshot, checkpoint.fold_root, checkpoint.policy_root);
        }
        if from.is_some_and(|from| checkpoint.count < from) {
            return Ok(());
        }
        if refold.waits {
            refold.settle(&self.index, evidence)?;
            refold.resume(&snapshot).map_err(|no| at(refused("a snapshot", &no)))?;
            let (state_root, _) = state(refold).map_err(|no| at(refused("the fold", &no)))?;
            let computed = Checkpoint { state_root, ..checkpoint.clone() };
            compare(&checkpoint, &computed).map_err(at)?;
        }
        let last = refold.last(&self.index, evidence)?.or(snapshot.last);
        let folded = refold.folding().map_or(0, |folding| folding.count());
        if (snapshot.folded, snapshot.last) != (folded, last) {
            let shown =
                |folded: u64, ulid: Option<String>| format!("{folded} ops, the last {}", ulid.unwrap_or_default());
            let ulid = |place: Option<Place>| place.map(|place| place.0.to_string());
            return Err(at(differs(
                "a snapshot",
                shown(snapshot.folded, ulid(snapshot.last)),
                shown(folded, ulid(last)),
            ))
            .into());
        }
        Ok(())
    }

    /// A proof that was given instead of all rows.
    pub(super) fn proof(&mut self, file: &[u8]) -> Result<(), Box<Divergence>> {
        let shown = proof::check(file).map_err(|no| refused("a proof", &no))?;
        match self.latest.as_ref().map(|latest| &latest.body) {
            Some(body) if *body == shown.signed.body => {
                self.counts.proofs += 1;
                Ok(())
            }
            _ => Err(differs("a proof", "one of the last checkpoint", "one of another")),
        }
    }
}

/// The roots of rows and state, made anew.
fn state(refold: &mut Refold<'_>) -> Result<(Hash, Hash), Refused> {
    let trapped = |what: String| Refused::new(Code::FOLD_TRAP, what);
    let folding = refold.folding().ok_or_else(|| trapped("no fold".into()))?;
    folding.finish().map_err(|trap| trapped(format!("`finish`: {trap}")))?;
    let snapshot = folding.snapshot().map_err(|refusal| trapped(refusal.to_string()))?;
    let Root::Blake3(rows) = folding.rows().state_root() else { return Err(trapped("no root".into())) };
    Ok((rows, *Folding::snapshot_root(&snapshot).bytes()))
}

fn compare(stored: &Checkpoint, computed: &Checkpoint) -> Result<(), Box<Divergence>> {
    for ((name, stored), (_, computed)) in stored.roots().into_iter().zip(computed.roots()) {
        if stored != computed {
            return Err(differs(&format!("a checkpoint's {name}"), to_hex(stored), to_hex(computed)));
        }
    }
    if stored == computed {
        return Ok(());
    }
    let shown = |checkpoint: &Checkpoint| {
        let authors = checkpoint.vector.iter().map(|(author, head)| format!("{} {}", to_hex(author), head.sequence));
        let vector: Vec<String> = authors.collect();
        format!("epoch {}, profile {}, vector {}", checkpoint.epoch, checkpoint.profile, vector.join(", "))
    };
    Err(differs("a checkpoint", shown(stored), shown(computed)))
}
