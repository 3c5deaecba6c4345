//! Recent ops: what this process committed itself and a fold will need, so that it is not read back.

use crate::code::Refused;
use crate::document::Hash;
use crate::fold::Step;
use crate::limit;
use crate::log::{Commit, Head, Outcome};
use kerai_vm::bytecode::Order;
use std::collections::BTreeMap;

/// What a fold and a checkpoint need of the ops between two positions.
#[derive(Debug, Default)]
pub(crate) struct Since {
    pub(crate) heads: BTreeMap<Hash, Head>,
    pub(crate) admitted: Vec<Hash>,
    pub(crate) steps: Vec<Step>,
}

impl Since {
    /// Takes in what came right after.
    pub(crate) fn extend(&mut self, later: Since) {
        self.heads.extend(later.heads);
        self.admitted.extend(later.admitted);
        self.steps.extend(later.steps);
    }
}

/// The ops of a stream that this process committed one after the other.
#[derive(Debug)]
pub(crate) struct Recent {
    stream: i64,
    after: u64,
    until: u64,
    order: Order,
    size: u64,
    since: Since,
    /// Whether they can be folded as they are: none is governance's, which may bind another fold.
    is_plain: bool,
}

impl Recent {
    pub(crate) fn after(stream: i64, count: u64, order: Order) -> Recent {
        Recent { stream, after: count, until: count, order, size: 0, since: Since::default(), is_plain: true }
    }

    pub(crate) fn take(&mut self, commit: &Commit) -> Result<(), Refused> {
        let op = &commit.op.op;
        self.until = commit.record.position;
        self.is_plain &= !op.is_governance();
        if !self.is_plain {
            return Ok(());
        }
        self.since.heads.insert(op.author, Head { sequence: op.sequence, op: commit.op.id });
        if commit.record.outcome == Outcome::Admitted {
            self.since.admitted.push(commit.op.id);
            let (position, received) = (commit.record.position, commit.record.received);
            let step = Step::at(position, received, &commit.op, self.order)?;
            self.size += step.document.len() as u64;
            self.since.steps.push(step);
        }
        Ok(())
    }

    /// Goes on with what was committed next; what does not follow, or is too much to keep, is read when it is needed.
    pub(crate) fn extend(kept: &mut Option<Recent>, next: Recent) {
        let follows = |kept: &Recent| (kept.stream, kept.until, kept.order) == (next.stream, next.after, next.order);
        *kept = match kept.take().filter(follows) {
            Some(mut kept) => {
                kept.until = next.until;
                kept.size += next.size;
                kept.is_plain &= next.is_plain;
                kept.since.extend(next.since);
                Some(kept)
            }
            None => Some(next),
        }
        .filter(|kept| kept.is_plain && kept.size <= limit::FOLD_RECENT.value);
    }

    /// Where they begin, if they are what came last to a stream, from after a position at the earliest.
    pub(crate) fn found(
        kept: &mut Option<Recent>,
        stream: i64,
        after: u64,
        until: u64,
        order: Order,
    ) -> Option<(u64, Since)> {
        let fits =
            |kept: &Recent| (kept.stream, kept.until, kept.order) == (stream, until, order) && kept.after >= after;
        kept.take().filter(fits).map(|kept| (kept.after, kept.since))
    }
}
