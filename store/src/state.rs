//! State as a map that has a root: the compact sparse Merkle map over 32-byte keys. It depends on its entries alone.

use crate::document::{Hash, hash};
use crate::fold::Rows;
use kerai_vm::encoding::root::Context;

/// The root of a map without entries.
pub const EMPTY: Hash = [0; 32];

/// Where a row stands in the map of all rows.
#[must_use]
pub fn row_place(key: &[u8]) -> Hash {
    hash(Context::RowKey, key)
}

fn leaf(place: &Hash, value: &[u8]) -> Hash {
    hash(Context::MapLeaf, &[*place, hash(Context::RowValue, value)].concat())
}

/// The root over rows: their state_root.
#[must_use]
pub fn state_root(rows: &Rows) -> Hash {
    let places = rows.iter().map(|(key, value)| (row_place(key), value.as_slice()));
    root(places)
}

/// The root over the ids of ops: their inputs_root. An op id is its own place, and its value is null.
#[must_use]
pub fn inputs_root<'a>(ops: impl Iterator<Item = &'a Hash>) -> Hash {
    const NULL: &[u8] = &[0xf6];
    root(ops.map(|&op| (op, NULL)))
}

fn root<'a>(entries: impl Iterator<Item = (Hash, &'a [u8])>) -> Hash {
    let mut leaves: Vec<(Hash, Hash)> = entries.map(|(place, value)| (place, leaf(&place, value))).collect();
    leaves.sort_unstable();
    leaves.dedup();
    subtree(&leaves, 0)
}

/// The root of the leaves that share their first `depth` bits. It ends at 256: by then no two places are the same.
fn subtree(leaves: &[(Hash, Hash)], depth: usize) -> Hash {
    match leaves {
        [] => EMPTY,
        [(_, leaf)] => *leaf,
        _ => {
            let is_left =
                |(place, _): &(Hash, Hash)| place.get(depth / 8).is_none_or(|byte| byte & (0x80 >> (depth % 8)) == 0);
            let (left, right) = leaves.split_at_checked(leaves.partition_point(is_left)).unwrap_or((leaves, &[]));
            if depth >= 256 {
                return EMPTY;
            }
            hash(Context::MapNode, &[subtree(left, depth + 1), subtree(right, depth + 1)].concat())
        }
    }
}
