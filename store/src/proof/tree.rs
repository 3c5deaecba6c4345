//! Proofs of the log's tree, after RFC 9162, section 2.1: that a record is in it, and that one head continues another.

use crate::document::Hash;
use crate::log::{EMPTY, node};

/// The head of a tree with these leaves. Recursion halves them.
#[must_use]
pub fn head(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => EMPTY,
        [leaf] => *leaf,
        _ => {
            let (left, right) = split(leaves);
            node(&head(left), &head(right))
        }
    }
}

/// At the largest power of two below their count, of which there are two at least.
fn split(leaves: &[Hash]) -> (&[Hash], &[Hash]) {
    leaves.split_at_checked(leaves.len().next_power_of_two() / 2).unwrap_or((leaves, &[]))
}

/// What shows that the leaf with this index, from 0, is one of the leaves: the halves beside the way, the lowest first.
#[must_use]
pub fn inclusion(leaves: &[Hash], index: usize) -> Vec<Hash> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = split(leaves);
    let (mut path, other) = match index.checked_sub(left.len()) {
        Some(index) => (inclusion(right, index), head(left)),
        None => (inclusion(left, index), head(right)),
    };
    path.push(other);
    path
}

/// What shows that the tree of the leaves continues that of the first `count`.
#[must_use]
pub fn consistency(leaves: &[Hash], count: usize) -> Vec<Hash> {
    if count == 0 || count >= leaves.len() { Vec::new() } else { continuation(leaves, count, true) }
}

/// `is_known` where the older head is that of all leaves at hand, so that who checks has it already.
fn continuation(leaves: &[Hash], count: usize, is_known: bool) -> Vec<Hash> {
    if count == leaves.len() {
        return if is_known { Vec::new() } else { vec![head(leaves)] };
    }
    let (left, right) = split(leaves);
    let (mut path, other) = match count.checked_sub(left.len()) {
        Some(rest @ 1..) => (continuation(right, rest, false), head(left)),
        Some(0) | None => (continuation(left, count, is_known), head(right)),
    };
    path.push(other);
    path
}

/// A way upwards through a tree: where a node stands on its level, and where the last one does.
struct Climb {
    node: u64,
    last: u64,
}

impl Climb {
    /// Whether the next half stands to the left. Nodes without a right half rise until they have a left one.
    fn is_left(&mut self) -> bool {
        let is_left = self.node & 1 == 1 || self.node == self.last;
        while is_left && self.node & 1 == 0 && self.node != 0 {
            self.up();
        }
        is_left
    }

    const fn up(&mut self) {
        self.node >>= 1;
        self.last >>= 1;
    }
}

/// Whether the path shows that the leaf stands at the index in a tree of so many leaves with this head.
#[must_use]
pub fn includes(leaf: &Hash, index: u64, count: u64, path: &[Hash], head: &Hash) -> bool {
    if index >= count {
        return false;
    }
    let mut climb = Climb { node: index, last: count - 1 };
    let mut reached = *leaf;
    for other in path {
        if climb.last == 0 {
            return false;
        }
        reached = if climb.is_left() { node(other, &reached) } else { node(&reached, other) };
        climb.up();
    }
    climb.last == 0 && reached == *head
}

/// Whether the path shows that the tree with the later head and count begins as the one with the earlier did.
#[must_use]
pub fn continues(earlier: (u64, &Hash), later: (u64, &Hash), path: &[Hash]) -> bool {
    let ((count, head), (later_count, later_head)) = (earlier, later);
    if count == later_count {
        return path.is_empty() && head == later_head;
    }
    if count == 0 {
        return path.is_empty() && *head == EMPTY;
    }
    if count > later_count {
        return false;
    }
    let mut climb = Climb { node: count - 1, last: later_count - 1 };
    while climb.node & 1 == 1 {
        climb.up();
    }
    // Of a complete tree the head itself is where both begin.
    let mut path = path.iter();
    let first = if count.is_power_of_two() { Some(head) } else { path.next() };
    let Some(&first) = first else { return false };
    let (mut old, mut new) = (first, first);
    for other in path {
        if climb.last == 0 {
            return false;
        }
        if climb.is_left() {
            old = node(other, &old);
            new = node(other, &new);
        } else {
            new = node(&new, other);
        }
        climb.up();
    }
    climb.last == 0 && old == *head && new == *later_head
}
