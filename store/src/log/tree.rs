//! The log's tree, after RFC 6962: its head commits to every record before it, in order.

use crate::document::{Hash, hash};
use kerai_vm::encoding::root::Context;

/// The head of an empty log.
pub const EMPTY: Hash = [0; 32];

/// The right edge of the tree: the roots of its complete subtrees, the largest first, one for each bit of the count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogTree {
    count: u64,
    edge: Vec<Hash>,
}

/// The hash of a record, as a leaf of the tree.
#[must_use]
pub fn leaf(record: &[u8]) -> Hash {
    hash(Context::LogLeaf, record)
}

/// The hash of two subtrees, of which the left one is complete and the right one is no larger.
#[must_use]
pub fn node(left: &Hash, right: &Hash) -> Hash {
    hash(Context::LogNode, [*left, *right].as_flattened())
}

impl LogTree {
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Adds a record.
    pub fn push(&mut self, record: &[u8]) {
        self.push_leaf(leaf(record));
    }

    /// Adds a record by its hash.
    pub(crate) fn push_leaf(&mut self, leaf: Hash) {
        let mut subtree = leaf;
        for _ in 0..self.count.trailing_ones() {
            if let Some(left) = self.edge.pop() {
                subtree = node(&left, &subtree);
            }
        }
        self.edge.push(subtree);
        self.count += 1;
    }

    /// The hash of the whole tree.
    #[must_use]
    pub fn head(&self) -> Hash {
        let join = |right: Hash, left: &Hash| node(left, &right);
        let mut edge = self.edge.iter().rev();
        edge.next().map_or(EMPTY, |&last| edge.fold(last, join))
    }

    /// The edge as it is kept.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.edge.concat()
    }

    /// An edge that was kept; it has one hash for each bit of the count.
    #[must_use]
    pub fn from_bytes(count: u64, bytes: &[u8]) -> Option<LogTree> {
        let (edge, rest) = bytes.as_chunks::<32>();
        let is_whole = rest.is_empty() && edge.len() == count.count_ones() as usize;
        is_whole.then(|| LogTree { count, edge: edge.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6962's definition, word by word: split at the largest power of two below the count.
    fn naive(records: &[Vec<u8>]) -> Hash {
        match records {
            [] => EMPTY,
            [record] => hash(Context::LogLeaf, record),
            _ => {
                let (left, right) = records.split_at(records.len().next_power_of_two() / 2);
                node(&naive(left), &naive(right))
            }
        }
    }

    #[test]
    fn the_edge_gives_the_head_of_the_whole() {
        let records: Vec<Vec<u8>> = (0..70_u8).map(|number| vec![number; 3]).collect();
        let mut tree = LogTree::default();
        for (count, record) in records.iter().enumerate() {
            let before: Vec<Vec<u8>> = records.iter().take(count).cloned().collect();
            assert_eq!(tree.head(), naive(&before), "of {count}");
            assert_eq!(LogTree::from_bytes(count as u64, &tree.to_bytes()).as_ref(), Some(&tree));
            tree.push(record);
        }
        assert_eq!(tree.head(), naive(&records));
        assert_eq!(LogTree::from_bytes(71, &tree.to_bytes()), None);
    }
}
