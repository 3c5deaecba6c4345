//! Looks for a request that one policy allows and another does not, variable by variable.

use super::formula::{FALSE, Formulas, NodeId, TRUE};
use std::collections::BTreeSet;
use std::rc::Rc;

/// What of two policies is still open: where each allows, and where it denies all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    pub(super) first: Side,
    pub(super) second: Side,
}

/// A policy: where an allow rule holds, and where a deny rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Side {
    pub(super) allow: NodeId,
    pub(super) deny: NodeId,
}

impl Side {
    /// Whether it allows, where that is settled.
    const fn decided(self) -> Option<bool> {
        match (self.allow, self.deny) {
            (FALSE, _) | (_, TRUE) => Some(false),
            (TRUE, FALSE) => Some(true),
            _ => None,
        }
    }
}

/// How a search ended.
pub(super) enum End<W> {
    /// There is no such request.
    Nothing,
    Found(W),
    /// There may be one, but none could be made of what was found.
    Unmade,
    /// There are too many cases.
    Unfinished,
}

/// What is being tried: a pair under some values, and which of the next variable come now.
struct Frame {
    variable: u32,
    cells: [Rc<Vec<NodeId>>; 4],
    next: usize,
}

/// How much a search may do.
pub(super) struct Budget {
    /// Cases that are looked at.
    pub(super) cases: u64,
    /// Requests that are tried.
    pub(super) tries: u64,
}

/// Looks for values under which the first policy allows and the second does not, of which `make` can make a request.
pub(super) fn search<W>(
    formulas: &mut Formulas,
    start: Pair,
    mut budget: Budget,
    mut make: impl FnMut(&[(u32, usize)]) -> Option<W>,
) -> End<W> {
    let mut seen: BTreeSet<Pair> = BTreeSet::new();
    let mut frames: Vec<Frame> = Vec::new();
    let mut values: Vec<(u32, usize)> = Vec::new();
    let mut is_unmade = false;
    let mut pair = Some(start);
    loop {
        if let Some(now) = pair.take() {
            let is_settled = now.first.decided() == Some(false) || now.second.decided() == Some(true);
            let is_open = !is_settled && now.first != now.second;
            if is_open && now.first.decided() == Some(true) && now.second.decided() == Some(false) {
                if budget.tries == 0 {
                    return End::Unmade;
                }
                budget.tries -= 1;
                match make(&values) {
                    Some(witness) => return End::Found(witness),
                    None => is_unmade = true,
                }
            } else if is_open && seen.insert(now) {
                frames.extend(frame(formulas, now));
            }
        }
        let Some(depth) = frames.len().checked_sub(1) else { break };
        values.truncate(depth);
        let Some(frame) = frames.last_mut().filter(|frame| frame.next < formulas.count(frame.variable)) else {
            frames.pop();
            continue;
        };
        if budget.cases == 0 {
            return End::Unfinished;
        }
        budget.cases -= 1;
        let cell = frame.next;
        frame.next += 1;
        values.push((frame.variable, cell));
        let at = |all: &Rc<Vec<NodeId>>| all.get(cell).copied().unwrap_or(FALSE);
        let [a, b, c, d] = frame.cells.each_ref().map(at);
        pair = Some(Pair { first: Side { allow: a, deny: b }, second: Side { allow: c, deny: d } });
    }
    if is_unmade { End::Unmade } else { End::Nothing }
}

/// The cases of the first variable that anything depends on.
fn frame(formulas: &mut Formulas, pair: Pair) -> Option<Frame> {
    let nodes = [pair.first.allow, pair.first.deny, pair.second.allow, pair.second.deny];
    let variable = nodes.iter().filter_map(|&node| formulas.top(node)).min()?;
    let cells = nodes.map(|node| formulas.expand(node, variable));
    Some(Frame { variable, cells, next: 0 })
}
