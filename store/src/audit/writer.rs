//! What wrote a row: the last op after which it is what it is, and the instruction of that op's step.

use super::index::Index;
use super::refold::{Refold, recalled};
use super::rows::Differing;
use super::{Recall, Stopped};
use crate::document::Hash;
use crate::fault::Fault;
use crate::fold::{Input, Step};
use kerai_vm::fold::Folding;

/// Rows whose writers are looked for: each costs folding some times more.
const MOST: usize = 4;

/// Places that are looked at between two others to find where a row changed last.
const SAMPLES: usize = 64;

/// What wrote a row last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub position: u64,
    pub op: Hash,
    /// The fold's root, and in it the function and the instruction; none where it can't be told.
    pub fold_root: Hash,
    pub instruction: Option<(u32, u32)>,
}

type Value = Option<Vec<u8>>;

/// Finds what wrote the first of the rows.
pub(super) fn find(
    refold: &Refold<'_>,
    index: &Index,
    recall: &mut dyn Recall,
    keys: &mut [Differing],
) -> Result<(), Fault> {
    for differing in keys.iter_mut().take(MOST) {
        match written(refold, index, recall, &differing.key) {
            Ok(found) => differing.written = found,
            Err(Stopped::Fault(fault)) => return Err(fault),
            // What can't be folded was told of already.
            Err(Stopped::Diverged(_)) => {}
        }
    }
    Ok(())
}

/// What wrote the row with this key last, in the order of the fold.
pub(super) fn written(
    refold: &Refold<'_>,
    index: &Index,
    recall: &mut dyn Recall,
    key: &[u8],
) -> Result<Option<Written>, Stopped> {
    let ops: Vec<u32> = refold.ops().collect();
    let found = last_change(ops.len(), |places| after_ops(refold, index, recall, &ops, places, key))?;
    let Some(&number) = found.and_then(|found| ops.get(found)) else { return Ok(None) };
    let before = ops.iter().take_while(|&&op| op != number).copied().collect::<Vec<u32>>();
    let input = recalled(number, index, recall)?;
    let mut folding = folded(refold, index, recall, &before)?;
    let instruction = instruction(&mut folding, &Step::of(&input, refold.order())?.document, key);
    let (position, op, fold_root) = (input.position, input.op.id, refold.program().root);
    Ok(Some(Written { position, op, fold_root, instruction }))
}

/// The last of so many things after which a value changed: looked at in places ever closer to each other.
fn last_change<E>(count: usize, mut after: impl FnMut(&[usize]) -> Result<Vec<Value>, E>) -> Result<Option<usize>, E> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let width = (high - low).div_ceil(SAMPLES);
        let places: Vec<usize> = (low..high).step_by(width).chain([high]).collect();
        let values = after(&places)?;
        let changed = values.windows(2).rposition(|pair| pair.first() != pair.last());
        let Some(changed) = changed else { return Ok(None) };
        (low, high) = (places.get(changed).copied().unwrap_or(low), places.get(changed + 1).copied().unwrap_or(high));
        if high - low == 1 {
            return Ok(Some(low));
        }
    }
    Ok(None)
}

/// A fold of these ops.
pub(super) fn folded<'p>(
    refold: &Refold<'p>,
    index: &Index,
    recall: &mut dyn Recall,
    ops: &[u32],
) -> Result<Folding<'p>, Stopped> {
    let mut folding = refold.first_state()?;
    for &number in ops {
        step(&mut folding, refold, &recalled(number, index, recall)?)?;
    }
    Ok(folding)
}

fn step(folding: &mut Folding<'_>, refold: &Refold<'_>, input: &Input) -> Result<(), Stopped> {
    let offered = folding.offer(&Step::of(input, refold.order())?.document);
    offered.map_err(|refusal| crate::code::Refused::new(crate::code::Code::LOG_DAMAGED, refusal.to_string()))?;
    folding.step();
    Ok(())
}

/// The row after the first so many ops, for each of the ascending counts.
fn after_ops(
    refold: &Refold<'_>,
    index: &Index,
    recall: &mut dyn Recall,
    ops: &[u32],
    counts: &[usize],
    key: &[u8],
) -> Result<Vec<Value>, Stopped> {
    let mut folding = refold.first_state()?;
    let (mut values, mut folded) = (Vec::new(), 0);
    for &count in counts {
        for &number in ops.get(folded..count).unwrap_or_default() {
            step(&mut folding, refold, &recalled(number, index, recall)?)?;
        }
        folded = count;
        values.push(row(&mut folding, key));
    }
    Ok(values)
}

/// A row of the state as it is; none where `finish` traps, as it may in the midst of a step.
fn row(folding: &mut Folding<'_>, key: &[u8]) -> Value {
    folding.finish().ok()?;
    folding.rows().sorted().iter().find(|row| row.key == key).map(|row| row.value.clone())
}

/// The instruction after which the row is what the op's step makes of it: the step is made again and again, as far as
/// each of them.
pub(super) fn instruction(folding: &mut Folding<'_>, op: &[u8], key: &[u8]) -> Option<(u32, u32)> {
    let point = folding.point();
    let mut until = |stop: Option<usize>| {
        folding.rewind_to(point);
        folding.offer(op).ok()?;
        let seen = folding.step_seen(stop, false)?.0;
        Some((seen, row(folding, key)))
    };
    let all = until(None)?.0;
    let values = |counts: &[usize]| {
        let value = |&count: &usize| until((count < all.len()).then_some(count)).map(|found| found.1).ok_or(());
        counts.iter().map(value).collect()
    };
    let last = last_change(all.len(), values).ok().flatten()?;
    all.get(last).map(|seen| (seen.function, seen.instruction))
}
