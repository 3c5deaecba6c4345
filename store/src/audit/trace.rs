//! Tracing: one op's step made again, instruction by instruction; and a log folded by other programs than its own.

use super::{Ask, Audit, Evidence, Item, Looked, Stopped, ahead, refused, writer};
use crate::code::{Code, Refused};
use crate::document::Hash;
use crate::fault::Fault;
use crate::fold::{Rows, Step};
use crate::log::{Outcome, Record};
use crate::program::{Library, Stored};
use crate::verify::Divergence;
use kerai_vm::execute::Seen;
use kerai_vm::fold::RowChanges;
use kerai_vm::trap::Trap;
use std::cell::RefCell;

/// A step that was watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Traced {
    pub position: u64,
    pub op: Hash,
    pub fold_root: Hash,
    pub seen: Vec<Seen>,
    /// The gas of the step.
    pub gas: u64,
    /// Why it left no trace in the state, where it trapped.
    pub trap: Option<Trap>,
    /// What it did to the rows.
    pub changes: RowChanges,
    /// The instruction that gave the row its value, where one was asked for and the step wrote it.
    pub written: Option<(u32, u32)>,
}

/// Which op is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    Position(u64),
    Op(Hash),
}

fn fault(stopped: Stopped) -> Fault {
    let damaged = |found: Divergence| Refused::new(Code::LOG_DAMAGED, format!("{}: {}", found.what, found.computed));
    match stopped {
        Stopped::Diverged(found) => damaged(*found).into(),
        Stopped::Fault(fault) => fault,
    }
}

/// The whole log, decided again, its checkpoints and rows left aside; and the op that is meant.
fn gathered<'p>(
    evidence: &mut dyn Evidence,
    library: &'p Library,
    ask: &'p Ask,
    which: Option<Which>,
) -> Result<(Audit<'p>, Option<Record>), Fault> {
    let mut audit = Audit::new(library, ask);
    let mut found = None;
    // Nothing is foreseen, so that every op comes with its record.
    let known = RefCell::default();
    let taken = ahead::each(evidence, ask, &known, &mut |looked, evidence| match looked {
        Looked::Op(ref op) => {
            let said = op.said.clone().map_err(|no| refused("the commit record", &no))?;
            let is_it = match which {
                Some(Which::Position(position)) => said.position == position,
                Some(Which::Op(op)) => said.op == op,
                None => false,
            };
            if is_it {
                found = Some(said);
            }
            audit.item(looked, evidence)
        }
        Looked::Other(Item::PrunedOp { ref left, .. }) => {
            let position = audit.counts.ops + 1;
            if which.is_some_and(|which| which == Which::Position(position) || which == Which::Op(left.op)) {
                let what = format!("op {position} was pruned");
                return Err(Stopped::Fault(Refused::new(Code::PRUNED, what).into()));
            }
            audit.item(looked, evidence)
        }
        // Behind what was pruned a state stands for it.
        Looked::Other(Item::Checkpoint(_) | Item::Snapshot(_)) if evidence.pruned() == Some(audit.counts.ops) => {
            audit.item(looked, evidence)
        }
        Looked::Foreseen(_) | Looked::Other(_) => Ok(()),
    });
    taken.map_err(fault)?;
    Ok((audit, found))
}

/// Looks at one op's step, as it is in the order of the fold that is bound last. `key` is a row that is asked for, the
/// canonical CBOR of its path and key.
///
/// # Errors
/// `LOG_SHORT` where there is no such op, `OP_UNFOLDED` where it is not folded, or the log can't be decided again.
pub fn trace(
    evidence: &mut dyn Evidence,
    library: &Library,
    which: Which,
    key: Option<&[u8]>,
) -> Result<Traced, Fault> {
    let ask = Ask { signatures: false, ..Ask::default() };
    let (audit, found) = gathered(evidence, library, &ask, Some(which))?;
    let said = found.ok_or_else(|| Refused::new(Code::LOG_SHORT, "no op of this position or id"))?;
    if said.outcome != Outcome::Admitted {
        let what = format!("op {} is {}: it is not folded", said.position, said.outcome.name());
        return Err(Refused::new(Code::OP_UNFOLDED, what).into());
    }
    let Audit { refold: Some(mut refold), index, .. } = audit else {
        return Err(Refused::new(Code::LOG_SHORT, "no log").into());
    };
    refold.settle(&index, evidence).map_err(fault)?;
    let number = u32::try_from(said.position - 1).unwrap_or(u32::MAX);
    let before: Vec<u32> = refold.ops().take_while(|&op| op != number).collect();
    if before.len() == refold.ops().count() {
        let what = format!("op {} is governance's: it is folded by the governance fold alone", said.position);
        return Err(Refused::new(Code::OP_UNFOLDED, what).into());
    }
    let input = super::refold::recalled(number, &index, evidence).map_err(fault)?;
    let op = Step::of(&input, refold.order())?.document;
    let mut folding = writer::folded(&refold, &index, evidence, &before).map_err(fault)?;
    let trapped = |trap: Trap| Refused::new(Code::FOLD_TRAP, format!("`finish`: {trap}"));
    folding.finish().map_err(trapped)?;
    let point = folding.point();
    let written = key.and_then(|key| writer::instruction(&mut folding, &op, key));
    folding.rewind_to(point);
    folding.finish().map_err(trapped)?;
    folding.offer(&op).map_err(|refusal| Refused::new(Code::LOG_DAMAGED, refusal.to_string()))?;
    let (seen, result) = folding.step_seen(None, true).unwrap_or((Vec::new(), Ok(())));
    let gas = folding.last_gas();
    let changes = folding.finish().map_err(trapped)?;
    let (position, op, fold_root) = (said.position, said.op, refold.program().root);
    Ok(Traced { position, op, fold_root, seen, gas, trap: result.err(), changes, written })
}

/// The rows that each of the folds makes of a log, in place of the one that is bound.
///
/// # Errors
/// Where the log can't be decided again, or a fold traps outside a step.
pub fn rows_by(evidence: &mut dyn Evidence, library: &Library, folds: &[&Stored]) -> Result<Vec<Rows>, Fault> {
    if let Some(count) = evidence.pruned() {
        return Err(Refused::new(Code::PRUNED, format!("{count} records")).into());
    }
    let ask = Ask { signatures: false, ..Ask::default() };
    let (audit, _) = gathered(evidence, library, &ask, None)?;
    let Audit { refold: Some(mut refold), index, .. } = audit else {
        return Err(Refused::new(Code::LOG_SHORT, "no log").into());
    };
    refold.settle(&index, evidence).map_err(fault)?;
    let policy = refold.policy();
    let mut ops: Vec<u32> = refold.ops().collect();
    ops.sort_unstable();
    let mut all = Vec::new();
    for fold in folds {
        // Each gets them in its own order.
        let mut refold = super::refold::Refold::of(fold, policy, ops.clone());
        refold.settle(&index, evidence).map_err(self::fault)?;
        let folding = refold.folding().ok_or_else(|| Refused::new(Code::LOG_SHORT, "no log"))?;
        let trapped = |trap: Trap| Refused::new(Code::FOLD_TRAP, format!("`finish`: {trap}"));
        folding.finish().map_err(trapped)?;
        all.push(folding.rows().sorted().iter().map(|row| (row.key.clone(), row.value.clone())).collect());
    }
    Ok(all)
}
