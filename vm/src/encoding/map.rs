//! The map of rows: a sparse Merkle map, compact, whose root depends on what it holds alone.
//!
//! A key is 256 bits, and each bit leads from a node to one of its two halves. A half with one leaf is that leaf, an
//! empty one is 32 zero bytes. So presence and absence are proven by the halves that were not taken.

use super::root::{Block, Context, Root};

/// 32 bytes of BLAKE3.
pub type Hash = [u8; 32];

/// The root of nothing.
pub const EMPTY: Hash = [0; 32];

/// How many hashes are made together: many times what a processor makes at once, and little room.
const TOGETHER: usize = 256;

/// The most bits that lead to a leaf.
const BITS: usize = 256;

fn hash(context: Context, bytes: &[u8]) -> Hash {
    *Root::of_data(context, bytes).bytes()
}

fn hash_two(context: Context, a: &Hash, b: &Hash) -> Hash {
    hash(context, &block(a, b))
}

/// Two hashes, side by side.
fn block(a: &Hash, b: &Hash) -> Block {
    let mut both = [0; 64];
    let (left, right) = both.split_at_mut(a.len());
    left.copy_from_slice(a);
    right.copy_from_slice(b);
    both
}

/// The key of a row: of the canonical CBOR of its path and key.
#[must_use]
pub fn row_key(row: &[u8]) -> Hash {
    hash(Context::RowKey, row)
}

/// The hash of a row's value: of its canonical CBOR.
#[must_use]
pub fn row_value(value: &[u8]) -> Hash {
    hash(Context::Value, value)
}

/// Which half of the map a key lies in, after so many bits.
fn half(key: &Hash, depth: usize) -> usize {
    key.get(depth / 8).map_or(0, |byte| usize::from(byte >> (7 - depth % 8) & 1))
}

/// How many bits two keys begin with in common.
fn common_bits(a: &Hash, b: &Hash) -> usize {
    let differing = a.iter().zip(b).enumerate().find(|(_, (a, b))| a != b);
    differing.map_or(BITS, |(place, (a, b))| place * 8 + (a ^ b).leading_zeros() as usize)
}

/// What all that begins with the same bits comes to: enough to put two halves together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Empty,
    Leaf(Hash),
    Node(Hash),
}

impl Part {
    /// A leaf, wherever it lies.
    #[must_use]
    pub fn leaf(key: &Hash, value: &Hash) -> Part {
        Part::Leaf(hash_two(Context::Leaf, key, value))
    }

    /// Two halves put together.
    #[must_use]
    pub fn join(left: Part, right: Part) -> Part {
        match (left, right) {
            (Part::Empty, Part::Empty) => Part::Empty,
            (leaf @ Part::Leaf(_), Part::Empty) | (Part::Empty, leaf @ Part::Leaf(_)) => leaf,
            _ => Part::Node(hash_two(Context::Node, &left.hash(), &right.hash())),
        }
    }

    #[must_use]
    pub const fn hash(self) -> Hash {
        match self {
            Part::Empty => EMPTY,
            Part::Leaf(hash) | Part::Node(hash) => hash,
        }
    }

    /// The part of entries, keys and hashes of values, that begin with the same `depth` bits. They are sorted by key,
    /// each of which is there once.
    #[must_use]
    pub fn of_sorted(entries: &[(Hash, Hash)], depth: usize) -> Part {
        match entries {
            [] => Part::Empty,
            [(key, value)] => Part::leaf(key, value),
            // There are no two entries with all bits in common.
            _ if depth >= BITS => Part::Empty,
            _ => {
                let middle = entries.partition_point(|entry| half(&entry.0, depth) == 0);
                let (left, right) = entries.split_at_checked(middle).unwrap_or((entries, &[]));
                Part::join(Part::of_sorted(left, depth + 1), Part::of_sorted(right, depth + 1))
            }
        }
    }
}

/// Entries as [`Part::of_sorted`] takes them, and their depth.
pub type Stretch<'e> = (&'e [(Hash, Hash)], usize);

/// The parts of many stretches of entries, each as [`Part::of_sorted`] gives it: hashes that don't depend on each other are
/// made together.
#[must_use]
pub fn parts_of_sorted(stretches: &[Stretch<'_>]) -> Vec<Part> {
    let entries = stretches.iter().flat_map(|stretch| stretch.0);
    let leaves: Vec<Block> = entries.map(|(key, value)| block(key, value)).collect();
    let mut hashes = vec![EMPTY];
    hashes.extend(Root::of_blocks(Context::Leaf, &leaves));
    let (mut joins, mut next, mut first) = (Joins(Vec::new()), hashes.len(), 1);
    let mut slots = Vec::with_capacity(stretches.len());
    for &(entries, depth) in stretches {
        slots.push(joins.plan(entries, depth, first, &mut next));
        first += entries.len();
    }
    hashes.resize(next, EMPTY);
    for level in joins.0 {
        let hash = |slot: usize| hashes.get(slot).unwrap_or(&EMPTY);
        let blocks: Vec<Block> = level.iter().map(|&(left, right, _)| block(hash(left), hash(right))).collect();
        for (&(_, _, to), made) in level.iter().zip(Root::of_blocks(Context::Node, &blocks)) {
            if let Some(place) = hashes.get_mut(to) {
                *place = made;
            }
        }
    }
    let mut parts = Vec::with_capacity(stretches.len());
    for (&(entries, _), &(slot, _)) in stretches.iter().zip(&slots) {
        let hash = hashes.get(slot).copied().unwrap_or(EMPTY);
        parts.push(match entries.len() {
            0 => Part::Empty,
            1 => Part::Leaf(hash),
            _ => Part::Node(hash),
        });
    }
    parts
}

/// Hashes to join, by level: those of one level need only what lower ones give. A join is of two slots, to a third one.
struct Joins(Vec<Vec<(usize, usize, usize)>>);

impl Joins {
    /// Plans the joins of entries whose leaves have their slots from `first` on; the slot of the whole, and above how many
    /// levels it stands. Slot 0 is that of nothing. Recursion is bounded by the bits of a key.
    fn plan(&mut self, entries: &[(Hash, Hash)], depth: usize, first: usize, next: &mut usize) -> (usize, usize) {
        match entries {
            [] => (0, 0),
            [_] => (first, 0),
            // There are no two entries with all bits in common.
            _ if depth >= BITS => (0, 0),
            _ => {
                let middle = entries.partition_point(|entry| half(&entry.0, depth) == 0);
                let (left, right) = entries.split_at_checked(middle).unwrap_or((entries, &[]));
                let (left, below) = self.plan(left, depth + 1, first, next);
                let (right, also) = self.plan(right, depth + 1, first + middle, next);
                let (to, level) = (*next, below.max(also));
                *next += 1;
                if self.0.len() <= level {
                    self.0.resize(level + 1, Vec::new());
                }
                if let Some(joins) = self.0.get_mut(level) {
                    joins.push((left, right, to));
                }
                (to, level + 1)
            }
        }
    }
}

/// Where a half leads.
#[derive(Debug, Clone, Copy)]
enum Child {
    Empty,
    Leaf(u32),
    Node(u32),
}

#[derive(Debug, Clone, Copy)]
struct Leaf {
    key: Hash,
    value: Hash,
    hash: Hash,
}

#[derive(Debug, Clone, Copy)]
struct Node {
    halves: [Child; 2],
    /// None where something below has changed.
    hash: Option<Hash>,
}

/// Things by number, whose numbers are given again.
#[derive(Debug, Clone)]
struct Arena<T> {
    items: Vec<T>,
    free: Vec<u32>,
}

impl<T> Arena<T> {
    const EMPTY: Arena<T> = Arena { items: Vec::new(), free: Vec::new() };

    fn put(&mut self, item: T) -> u32 {
        if let Some(number) = self.free.pop()
            && let Some(place) = self.items.get_mut(number as usize)
        {
            *place = item;
            return number;
        }
        self.items.push(item);
        u32::try_from(self.items.len() - 1).unwrap_or(u32::MAX)
    }

    fn get(&self, number: u32) -> Option<&T> {
        self.items.get(number as usize)
    }

    fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        self.items.get_mut(number as usize)
    }
}

/// A map of rows that is changed: a change costs as many hashes as bits lead to it, once a root is asked for.
#[derive(Debug, Clone)]
pub struct RowMap {
    nodes: Arena<Node>,
    leaves: Arena<Leaf>,
    root: Child,
    count: usize,
}

impl Default for RowMap {
    fn default() -> RowMap {
        RowMap { nodes: Arena::EMPTY, leaves: Arena::EMPTY, root: Child::Empty, count: 0 }
    }
}

impl RowMap {
    /// How many rows it holds.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// The place of the half that the way so far leads to: the root, or a half of a node.
    fn place(&mut self, above: Option<(u32, usize)>) -> Option<&mut Child> {
        match above {
            None => Some(&mut self.root),
            Some((node, half)) => {
                let node = self.nodes.get_mut(node)?;
                node.hash = None;
                node.halves.get_mut(half)
            }
        }
    }

    /// Puts a row in, in the place of one with the same key.
    pub fn put(&mut self, key: Hash, value: Hash) {
        let leaf = Leaf { key, value, hash: hash_two(Context::Leaf, &key, &value) };
        let (mut above, mut depth) = (None, 0);
        while let Some(&mut child) = self.place(above) {
            match child {
                Child::Node(node) => {
                    above = Some((node, half(&key, depth)));
                    depth += 1;
                }
                Child::Empty => return self.put_leaf(above, leaf),
                Child::Leaf(number) => {
                    let Some(&other) = self.leaves.get(number) else { return };
                    if other.key == key {
                        if let Some(place) = self.leaves.get_mut(number) {
                            *place = leaf;
                        }
                        return;
                    }
                    // The two part further down, where the loop will find an empty half.
                    let mut halves = [Child::Empty; 2];
                    if let Some(place) = halves.get_mut(half(&other.key, depth)) {
                        *place = child;
                    }
                    let node = self.nodes.put(Node { halves, hash: None });
                    if let Some(place) = self.place(above) {
                        *place = Child::Node(node);
                    }
                }
            }
        }
    }

    /// Puts rows in, each key once. Many that come into an empty map are put together from below, side by side in memory,
    /// without the way down to each.
    pub fn put_all(&mut self, mut rows: Vec<(Hash, Hash)>) {
        if self.count > 0 {
            return rows.into_iter().for_each(|(key, value)| self.put(key, value));
        }
        rows.sort_unstable_by_key(|row| row.0);
        self.count = rows.len();
        let blocks = rows.chunks(TOGETHER).map(|some| some.iter().map(|(key, value)| block(key, value)).collect());
        let hashes = blocks.flat_map(|blocks: Vec<Block>| Root::of_blocks(Context::Leaf, &blocks));
        let leaves: Vec<Leaf> =
            rows.iter().zip(hashes).map(|(&(key, value), hash)| Leaf { key, value, hash }).collect();
        let mut levels = Vec::new();
        self.root = self.child_of_sorted(&leaves, 0, &mut levels).0;
        levels.iter().for_each(|level| self.hash_level(level));
    }

    /// What leads to leaves that begin with the same `depth` bits, sorted by key, and above how many levels it stands:
    /// nodes are told by level, without their hashes. Recursion is bounded by the bits of a key.
    fn child_of_sorted(&mut self, leaves: &[Leaf], depth: usize, levels: &mut Vec<Vec<u32>>) -> (Child, usize) {
        match leaves {
            [] => (Child::Empty, 0),
            &[leaf] => (Child::Leaf(self.leaves.put(leaf)), 0),
            // There are no two rows with all bits in common.
            _ if depth >= BITS => (Child::Empty, 0),
            _ => {
                let middle = leaves.partition_point(|leaf| half(&leaf.key, depth) == 0);
                let (left, right) = leaves.split_at_checked(middle).unwrap_or((leaves, &[]));
                let (left, below) = self.child_of_sorted(left, depth + 1, levels);
                let (right, also) = self.child_of_sorted(right, depth + 1, levels);
                let (node, level) = (self.nodes.put(Node { halves: [left, right], hash: None }), below.max(also));
                if levels.len() <= level {
                    levels.resize(level + 1, Vec::new());
                }
                levels.iter_mut().skip(level).take(1).for_each(|level| level.push(node));
                (Child::Node(node), level + 1)
            }
        }
    }

    /// Hashes nodes whose halves have their hashes.
    fn hash_level(&mut self, level: &[u32]) {
        for nodes in level.chunks(TOGETHER) {
            let halves = nodes.iter().filter_map(|&node| self.nodes.get(node)).map(|node| node.halves);
            let blocks: Vec<[Child; 2]> = halves.collect();
            let mut hashed = |[left, right]: [Child; 2]| block(&self.hash_below(left), &self.hash_below(right));
            let blocks: Vec<Block> = blocks.into_iter().map(&mut hashed).collect();
            for (&node, hash) in nodes.iter().zip(Root::of_blocks(Context::Node, &blocks)) {
                if let Some(node) = self.nodes.get_mut(node) {
                    node.hash = Some(hash);
                }
            }
        }
    }

    fn put_leaf(&mut self, above: Option<(u32, usize)>, leaf: Leaf) {
        let number = self.leaves.put(leaf);
        if let Some(place) = self.place(above) {
            *place = Child::Leaf(number);
            self.count += 1;
        }
    }

    /// Takes a row out; false where there is none.
    pub fn remove(&mut self, key: &Hash) -> bool {
        let mut way = Vec::new();
        let mut child = self.root;
        while let Child::Node(node) = child {
            let half = half(key, way.len());
            way.push((node, half));
            child = self.nodes.get(node).and_then(|node| node.halves.get(half).copied()).unwrap_or(Child::Empty);
        }
        let Child::Leaf(number) = child else { return false };
        if self.leaves.get(number).is_none_or(|leaf| leaf.key != *key) {
            return false;
        }
        self.leaves.free.push(number);
        self.count -= 1;
        if let Some(place) = self.place(way.last().copied()) {
            *place = Child::Empty;
        }
        self.draw_up(way);
        true
    }

    /// Nodes with a leaf and nothing else become that leaf; all above have changed.
    fn draw_up(&mut self, mut way: Vec<(u32, usize)>) {
        while let Some((node, _)) = way.pop() {
            let Some(found) = self.nodes.get(node) else { return };
            let left = match found.halves {
                [Child::Empty, Child::Empty] => Child::Empty,
                [leaf @ Child::Leaf(_), Child::Empty] | [Child::Empty, leaf @ Child::Leaf(_)] => leaf,
                _ => {
                    way.push((node, 0));
                    break;
                }
            };
            self.nodes.free.push(node);
            if let Some(place) = self.place(way.last().copied()) {
                *place = left;
            }
        }
        for (node, _) in way {
            if let Some(node) = self.nodes.get_mut(node) {
                node.hash = None;
            }
        }
    }

    /// The root: BLAKE3 of all that it holds, in any order.
    pub fn root(&mut self) -> Hash {
        self.hash_below(self.root)
    }

    /// Recursion is bounded by the bits of a key.
    fn hash_below(&mut self, child: Child) -> Hash {
        match child {
            Child::Empty => EMPTY,
            Child::Leaf(number) => self.leaves.get(number).map_or(EMPTY, |leaf| leaf.hash),
            Child::Node(number) => {
                let Some(&Node { halves: [left, right], hash }) = self.nodes.get(number) else { return EMPTY };
                if let Some(hash) = hash {
                    return hash;
                }
                let (left, right) = (self.hash_below(left), self.hash_below(right));
                let hash = hash_two(Context::Node, &left, &right);
                if let Some(node) = self.nodes.get_mut(number) {
                    node.hash = Some(hash);
                }
                hash
            }
        }
    }

    /// What shows that a key is there, or that it is not.
    pub fn prove(&mut self, key: &Hash) -> Proof {
        let (mut others, mut child) = (Vec::new(), self.root);
        while let Child::Node(number) = child {
            let Some(&Node { halves: [left, right], .. }) = self.nodes.get(number) else { break };
            let (taken, other) = if half(key, others.len()) == 0 { (left, right) } else { (right, left) };
            others.push(self.hash_below(other));
            child = taken;
        }
        let end = match child {
            Child::Leaf(number) => self.leaves.get(number).map(|leaf| (leaf.key, leaf.value)),
            Child::Empty | Child::Node(_) => None,
        };
        Proof { others, end }
    }
}

/// The way to a key: the halves that are not taken, from the root on, and the leaf at the end, its key and the hash of
/// its value, if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    pub others: Vec<Hash>,
    pub end: Option<(Hash, Hash)>,
}

impl Proof {
    /// Whether it shows that under a root a key has a value, by its hash, or, without one, that the key is absent.
    #[must_use]
    pub fn shows(&self, root: &Hash, key: &Hash, value: Option<&Hash>) -> bool {
        if self.others.len() > BITS {
            return false;
        }
        let fits = match (&self.end, value) {
            (Some((at, held)), Some(value)) => at == key && held == value,
            (Some((at, _)), None) => at != key && common_bits(at, key) >= self.others.len(),
            (None, None) => true,
            (None, Some(_)) => false,
        };
        let end = self.end.as_ref().map_or(EMPTY, |(key, value)| hash_two(Context::Leaf, key, value));
        let reached = self.others.iter().enumerate().rev().fold(end, |below, (depth, other)| {
            if half(key, depth) == 0 {
                hash_two(Context::Node, &below, other)
            } else {
                hash_two(Context::Node, other, &below)
            }
        });
        fits && reached == *root
    }
}
