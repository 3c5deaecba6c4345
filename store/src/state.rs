//! Roots of state: the sparse Merkle map over rows, and the same map over the ids of ops.

use crate::document::Hash;
use crate::fold::Rows;
use crate::pages::present;
use kerai_vm::encoding::map::{Part, row_key, row_value};

/// The root over rows: their state_root.
#[must_use]
pub fn state_root(rows: &Rows) -> Hash {
    root(rows.iter().map(|(key, value)| (row_key(key), row_value(value))).collect())
}

/// The root over the ids of ops: their inputs_root. An op id is its own place, and its value is null.
#[must_use]
pub fn inputs_root<'a>(ops: impl Iterator<Item = &'a Hash>) -> Hash {
    let null = present();
    root(ops.map(|&op| (op, null)).collect())
}

fn root(mut entries: Vec<(Hash, Hash)>) -> Hash {
    entries.sort_unstable();
    entries.dedup();
    Part::of_sorted(&entries, 0).hash()
}
