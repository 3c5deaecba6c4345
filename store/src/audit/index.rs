//! What is kept of every op while a log is checked: some ninety bytes, whatever the op's size.

use crate::document::Hash;
use crate::pages::present;
use hashbrown::HashTable;
use kerai_vm::encoding::map::Part;
use kerai_vm::ulid::Ulid;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

/// How many things a chunk holds: growing never copies what is there.
const CHUNK: usize = 1 << 12;

/// A list that grows by chunks.
pub(super) struct Chunks<T>(Vec<Vec<T>>);

impl<T> Chunks<T> {
    pub(super) const fn new() -> Chunks<T> {
        Chunks(Vec::new())
    }

    pub(super) fn count(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * CHUNK + last.len())
    }

    /// Puts a thing at the end; its number.
    pub(super) fn push(&mut self, thing: T) -> u32 {
        let number = self.count();
        match self.0.last_mut().filter(|last| last.len() < CHUNK) {
            Some(last) => last.push(thing),
            None => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(thing);
                self.0.push(chunk);
            }
        }
        // A log of four billion ops would not fit anyway.
        u32::try_from(number).unwrap_or(u32::MAX)
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        let number = number as usize;
        self.0.get(number / CHUNK)?.get(number % CHUNK)
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut T> {
        let number = number as usize;
        self.0.get_mut(number / CHUNK)?.get_mut(number % CHUNK)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flatten()
    }

    /// Takes away all from a number on.
    pub(super) fn truncate(&mut self, count: usize) {
        self.0.truncate(count.div_ceil(CHUNK));
        if let Some(last) = self.0.last_mut()
            && !count.is_multiple_of(CHUNK)
        {
            last.truncate(count % CHUNK);
        }
    }
}

/// What is kept of an op. Its parts have no alignment beyond four bytes, so that nothing is lost between them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) op: Hash,
    ulid: [u8; 16],
    author: u32,
    place: [u32; 2],
}

impl Entry {
    pub(super) const fn ulid(&self) -> Ulid {
        Ulid::from_bytes(self.ulid)
    }

    /// Where the evidence has it.
    pub(super) const fn place(&self) -> u64 {
        (self.place[0] as u64) << 32 | self.place[1] as u64
    }
}

/// All ops of a log, in its order: the op at position n has the number n − 1.
pub(super) struct Index {
    entries: Chunks<Entry>,
    authors: BTreeMap<Hash, u32>,
    /// The first op of each author's under each ULID.
    given: HashTable<u32>,
    seed: RandomState,
}

impl Index {
    pub(super) fn new() -> Index {
        let (entries, authors) = (Chunks::new(), BTreeMap::new());
        Index { entries, authors, given: HashTable::new(), seed: RandomState::new() }
    }

    pub(super) fn get(&self, number: u32) -> Option<&Entry> {
        self.entries.get(number)
    }

    /// The first op that the author gave under the ULID.
    pub(super) fn given(&self, author: &Hash, ulid: Ulid) -> Option<&Entry> {
        let author = *self.authors.get(author)?;
        let ulid = ulid.to_bytes();
        let is_it = |entry: &Entry| entry.author == author && entry.ulid == ulid;
        let found = self.given.find(self.seed.hash_one((author, ulid)), |&number| self.get(number).is_some_and(is_it));
        self.get(*found?)
    }

    pub(super) fn push(&mut self, op: Hash, author: &Hash, ulid: Ulid, place: u64) -> u32 {
        let is_first = self.given(author, ulid).is_none();
        let next = u32::try_from(self.authors.len()).unwrap_or(u32::MAX);
        let author = *self.authors.entry(*author).or_insert(next);
        let ulid = ulid.to_bytes();
        let number = self.entries.push(Entry { op, ulid, author, place: [(place >> 32) as u32, place as u32] });
        if is_first {
            let (entries, seed) = (&self.entries, &self.seed);
            let hash = |&number: &u32| entries.get(number).map_or(0, |entry| seed.hash_one((entry.author, entry.ulid)));
            self.given.insert_unique(hash(&number), number, hash);
        }
        number
    }
}

/// How many ops a bucket holds before it parts.
const BUCKET: usize = 16;

/// The most bits that lead to a bucket.
const BITS: usize = 256;

#[derive(Debug, Clone, Copy)]
enum Child {
    Bucket(u32),
    Node(u32),
}

/// Ops by number, whose ids begin with the same bits; their part of the map, until another one comes.
struct Bucket {
    count: u8,
    ops: [u32; BUCKET],
    part: Option<Part>,
}

struct Node {
    halves: [Child; 2],
    part: Option<Part>,
}

/// The map of inputs as it grows: it holds no ids, which the index has.
pub(super) struct Inputs {
    root: Child,
    nodes: Chunks<Node>,
    buckets: Chunks<Bucket>,
}

fn half(op: &Hash, depth: usize) -> usize {
    op.get(depth / 8).map_or(0, |byte| usize::from(byte >> (7 - depth % 8) & 1))
}

impl Inputs {
    pub(super) fn new() -> Inputs {
        let mut buckets = Chunks::new();
        let root = Child::Bucket(buckets.push(Bucket { count: 0, ops: [0; BUCKET], part: None }));
        Inputs { root, nodes: Chunks::new(), buckets }
    }

    /// Puts an op in, which is not there yet: no log holds one twice.
    pub(super) fn put(&mut self, number: u32, index: &Index) {
        let Some(op) = index.get(number).map(|entry| entry.op) else { return };
        let (mut above, mut child, mut depth) = (None, self.root, 0);
        loop {
            match child {
                Child::Node(node) => {
                    let side = half(&op, depth);
                    let Some(found) = self.nodes.get_mut(node) else { return };
                    found.part = None;
                    let Some(&next) = found.halves.get(side) else { return };
                    (above, child, depth) = (Some((node, side)), next, depth + 1);
                }
                Child::Bucket(bucket) => {
                    if self.put_in(bucket, number) || depth >= BITS {
                        return;
                    }
                    child = self.part(above, bucket, depth, index);
                }
            }
        }
    }

    /// Whether there was room.
    fn put_in(&mut self, bucket: u32, number: u32) -> bool {
        let Some(bucket) = self.buckets.get_mut(bucket) else { return true };
        let Some(place) = bucket.ops.get_mut(usize::from(bucket.count)) else { return false };
        *place = number;
        bucket.count += 1;
        bucket.part = None;
        true
    }

    /// Makes a node of a full bucket, in whose place it stands.
    fn part(&mut self, above: Option<(u32, usize)>, bucket: u32, depth: usize, index: &Index) -> Child {
        let mut sides = [const { Bucket { count: 0, ops: [0; BUCKET], part: None } }; 2];
        let ops = self.buckets.get(bucket).map_or([0; BUCKET], |bucket| bucket.ops);
        for number in ops {
            let side = index.get(number).map_or(0, |entry| half(&entry.op, depth));
            if let Some(side) = sides.get_mut(side)
                && let Some(place) = side.ops.get_mut(usize::from(side.count))
            {
                *place = number;
                side.count += 1;
            }
        }
        let [left, right] = sides;
        if let Some(place) = self.buckets.get_mut(bucket) {
            *place = left;
        }
        let halves = [Child::Bucket(bucket), Child::Bucket(self.buckets.push(right))];
        let node = Child::Node(self.nodes.push(Node { halves, part: None }));
        match above {
            None => self.root = node,
            Some((above, side)) => {
                if let Some(place) = self.nodes.get_mut(above).and_then(|above| above.halves.get_mut(side)) {
                    *place = node;
                }
            }
        }
        node
    }

    pub(super) fn root(&mut self, index: &Index) -> Hash {
        let null = present();
        self.part_of(self.root, 0, &null, index).hash()
    }

    /// Recursion is bounded by the bits of an id.
    fn part_of(&mut self, child: Child, depth: usize, null: &Hash, index: &Index) -> Part {
        match child {
            Child::Bucket(number) => {
                let Some(bucket) = self.buckets.get_mut(number) else { return Part::Empty };
                *bucket.part.get_or_insert_with(|| {
                    let ops = bucket.ops.iter().take(usize::from(bucket.count));
                    let mut ids: Vec<(Hash, Hash)> =
                        ops.filter_map(|&number| Some((index.get(number)?.op, *null))).collect();
                    ids.sort_unstable();
                    Part::of_sorted(&ids, depth)
                })
            }
            Child::Node(number) => {
                let Some(&Node { halves: [left, right], part }) = self.nodes.get(number) else { return Part::Empty };
                if let Some(part) = part {
                    return part;
                }
                let left = self.part_of(left, depth + 1, null, index);
                let part = Part::join(left, self.part_of(right, depth + 1, null, index));
                if let Some(node) = self.nodes.get_mut(number) {
                    node.part = Some(part);
                }
                part
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_grows_as_one_made_at_once() {
        let (mut index, mut inputs) = (Index::new(), Inputs::new());
        let mut ids: Vec<Hash> = Vec::new();
        for number in 0..3000_u32 {
            let op = *blake3::hash(&number.to_be_bytes()).as_bytes();
            let ulid = Ulid::from_bytes(u128::from(number / 2).to_be_bytes());
            let author = [(number % 2) as u8; 32];
            assert!(index.given(&author, ulid).is_none());
            assert_eq!(index.push(op, &author, ulid, u64::from(number) << 20), number);
            assert_eq!(
                index.given(&author, ulid).map(|entry| (entry.op, entry.place())),
                Some((op, u64::from(number) << 20))
            );
            inputs.put(number, &index);
            ids.push(op);
            if number % 97 == 0 || number < 40 {
                assert_eq!(inputs.root(&index), crate::state::inputs_root(ids.iter()), "{number}");
            }
        }
        assert_eq!(inputs.root(&index), crate::state::inputs_root(ids.iter()));
        assert_eq!(std::mem::size_of::<Entry>(), 60);
    }

    #[test]
    fn chunks_are_one_list() {
        let mut chunks = Chunks::new();
        for number in 0..10_000_u32 {
            assert_eq!(chunks.push(number), number);
        }
        for count in [10_000, 8193, 8192, 8191, 4096, 1, 0] {
            chunks.truncate(count);
            assert_eq!(chunks.count(), count);
            assert_eq!(chunks.get(count as u32), None);
            assert_eq!(
                count.checked_sub(1).and_then(|last| chunks.get(last as u32).copied()),
                count.checked_sub(1).map(|last| last as u32)
            );
        }
        assert_eq!(chunks.push(7), 0);
    }
}
