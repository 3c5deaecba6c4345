//! What is kept of every op while a log is checked: some ninety bytes, whatever the op's size.

use crate::document::Hash;
use crate::pages::present;
use hashbrown::HashTable;
use kerai_vm::encoding::map::{EMPTY, Part, Stretch, parts_of_sorted};
use kerai_vm::ulid::Ulid;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

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

    fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut().flatten()
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
    /// The ops whose ULIDs are above all before them, as most are: they are in order, and need no table.
    rising: Chunks<u32>,
    /// The first op of each author's under each ULID, of the others.
    given: HashTable<u32>,
    seed: RandomState,
}

impl Index {
    pub(super) fn new() -> Index {
        let (entries, authors, rising) = (Chunks::new(), BTreeMap::new(), Chunks::new());
        Index { entries, authors, rising, given: HashTable::new(), seed: RandomState::new() }
    }

    pub(super) fn get(&self, number: u32) -> Option<&Entry> {
        self.entries.get(number)
    }

    fn hash(&self, author: u32, ulid: &[u8; 16]) -> u64 {
        self.seed.hash_one((author, u128::from_be_bytes(*ulid)))
    }

    /// The rising op at a place among them.
    fn risen_at(&self, place: usize) -> Option<&Entry> {
        self.get(*self.rising.get(u32::try_from(place).ok()?)?)
    }

    /// Whether a ULID is above all so far.
    fn rises(&self, ulid: &[u8; 16]) -> bool {
        let last = self.rising.count().checked_sub(1).and_then(|last| self.risen_at(last));
        last.is_none_or(|last| last.ulid < *ulid)
    }

    /// The rising op under a ULID. What is late is seldom late by much, so that it is looked for from the end, in steps
    /// that double.
    fn risen(&self, ulid: &[u8; 16]) -> Option<&Entry> {
        let is_above = |place: usize| self.risen_at(place).is_some_and(|entry| entry.ulid > *ulid);
        let (mut high, mut step) = (self.rising.count(), 1);
        let mut low = high.saturating_sub(1);
        while low > 0 && is_above(low) {
            (low, high, step) = (low.saturating_sub(step), low, step * 2);
        }
        while high - low > 1 {
            let middle = low.midpoint(high);
            if is_above(middle) { high = middle } else { low = middle }
        }
        self.risen_at(low).filter(|entry| entry.ulid == *ulid)
    }

    /// The first op that the author gave under the ULID.
    pub(super) fn given(&self, author: &Hash, ulid: Ulid) -> Option<&Entry> {
        let ulid = ulid.to_bytes();
        if self.rises(&ulid) {
            return None;
        }
        self.given_by(*self.authors.get(author)?, &ulid)
    }

    fn given_by(&self, author: u32, ulid: &[u8; 16]) -> Option<&Entry> {
        let is_it = |entry: &&Entry| entry.author == author && entry.ulid == *ulid;
        self.risen(ulid).filter(is_it).or_else(|| {
            let is_it = |&number: &u32| self.get(number).is_some_and(|entry| is_it(&entry));
            self.get(*self.given.find(self.hash(author, ulid), is_it)?)
        })
    }

    pub(super) fn push(&mut self, op: Hash, author: &Hash, ulid: Ulid, place: u64) -> u32 {
        let next = u32::try_from(self.authors.len()).unwrap_or(u32::MAX);
        let author = *self.authors.entry(*author).or_insert(next);
        let ulid = ulid.to_bytes();
        let (rises, place) = (self.rises(&ulid), [(place >> 32) as u32, place as u32]);
        let is_first = !rises && self.given_by(author, &ulid).is_none();
        let number = self.entries.push(Entry { op, ulid, author, place });
        if rises {
            self.rising.push(number);
        } else if is_first {
            // What was given under it first stays.
            let hashed = self.hash(author, &ulid);
            let (entries, seed) = (&self.entries, &self.seed);
            let hash = |entry: &Entry| seed.hash_one((entry.author, u128::from_be_bytes(entry.ulid)));
            self.given.insert_unique(hashed, number, |&number| entries.get(number).map_or(0, hash));
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

/// An op by its number, behind the first bits of its id: what tells most ops apart without a look at the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Put {
    first: u32,
    number: u32,
}

impl Put {
    const NONE: Put = Put { first: 0, number: 0 };

    fn half(self, depth: usize, index: &Index) -> usize {
        match 31_usize.checked_sub(depth) {
            Some(shift) => (self.first >> shift & 1) as usize,
            None => index.get(self.number).map_or(0, |entry| half(&entry.op, depth)),
        }
    }
}

/// Ops whose ids begin with the same bits; their part of the map, until another one comes.
struct Bucket {
    count: u8,
    /// How many bits they have in common, by which they came here.
    depth: u16,
    ops: [Put; BUCKET],
    part: Option<Part>,
}

impl Bucket {
    const fn at(depth: u16) -> Bucket {
        Bucket { count: 0, depth, ops: [Put::NONE; BUCKET], part: None }
    }

    /// Whether there was room.
    fn put(&mut self, put: Put) -> bool {
        let Some(place) = self.ops.get_mut(usize::from(self.count)) else { return false };
        *place = put;
        self.count += 1;
        self.part = None;
        true
    }

    /// Its ids, which are looked up in the index, in their order, with what each leads to.
    fn entries(&mut self, null: &Hash, index: &Index, entries: &mut Vec<(Hash, Hash)>) {
        let ops = self.ops.get_mut(..usize::from(self.count)).unwrap_or_default();
        ops.sort_unstable();
        let from = entries.len();
        entries.extend(ops.iter().map(|put| (index.get(put.number).map_or(EMPTY, |entry| entry.op), *null)));
        // Ids of the same first bits are rare, or made to be.
        if !ops.is_sorted_by(|a, b| a.first < b.first) {
            entries.get_mut(from..).unwrap_or_default().sort_unstable();
        }
    }
}

/// How many buckets' parts are made together.
const TOGETHER: usize = 64;

/// How many ops are gathered before they are put in: in the order of their ids, so that what one touches is near when the
/// next one does.
const FRESH: usize = 1 << 14;

struct Node {
    halves: [Child; 2],
    part: Option<Part>,
}

/// The map of inputs as it grows: it holds no ids, which the index has.
pub(super) struct Inputs {
    root: Child,
    nodes: Chunks<Node>,
    buckets: Chunks<Bucket>,
    fresh: Vec<Put>,
}

fn half(op: &Hash, depth: usize) -> usize {
    op.get(depth / 8).map_or(0, |byte| usize::from(byte >> (7 - depth % 8) & 1))
}

impl Inputs {
    pub(super) fn new() -> Inputs {
        let mut buckets = Chunks::new();
        let root = Child::Bucket(buckets.push(Bucket::at(0)));
        Inputs { root, nodes: Chunks::new(), buckets, fresh: Vec::new() }
    }

    /// Puts an op in, which is not there yet: no log holds one twice.
    pub(super) fn put(&mut self, number: u32, op: &Hash, index: &Index) {
        let first = op.first_chunk().map_or(0, |first| u32::from_be_bytes(*first));
        self.fresh.push(Put { first, number });
        if self.fresh.len() >= FRESH {
            self.settle(index);
        }
    }

    /// Puts in what was gathered.
    fn settle(&mut self, index: &Index) {
        let mut fresh = std::mem::take(&mut self.fresh);
        fresh.sort_unstable();
        fresh.drain(..).for_each(|put| self.put_in(put, index));
        self.fresh = fresh;
    }

    fn put_in(&mut self, put: Put, index: &Index) {
        let (mut above, mut child, mut depth) = (None, self.root, 0);
        loop {
            match child {
                Child::Node(node) => {
                    let side = put.half(depth, index);
                    let Some(found) = self.nodes.get_mut(node) else { return };
                    found.part = None;
                    let Some(&next) = found.halves.get(side) else { return };
                    (above, child, depth) = (Some((node, side)), next, depth + 1);
                }
                Child::Bucket(bucket) => {
                    if self.buckets.get_mut(bucket).is_none_or(|bucket| bucket.put(put)) || depth >= BITS {
                        return;
                    }
                    child = self.part(above, bucket, depth, index);
                }
            }
        }
    }

    /// Makes a node of a full bucket, in whose place it stands.
    fn part(&mut self, above: Option<(u32, usize)>, bucket: u32, depth: usize, index: &Index) -> Child {
        let mut sides = [Bucket::at(depth as u16 + 1), Bucket::at(depth as u16 + 1)];
        for put in self.buckets.get(bucket).map_or([Put::NONE; BUCKET], |bucket| bucket.ops) {
            if let Some(side) = sides.get_mut(put.half(depth, index)) {
                side.put(put);
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
        self.settle(index);
        self.make_parts(index);
        self.part_of(self.root).hash()
    }

    /// Makes the parts of the buckets that another op came to.
    fn make_parts(&mut self, index: &Index) {
        let (null, mut entries, mut ends) = (present(), Vec::new(), Vec::new());
        let mut changed = self.buckets.iter_mut().filter(|bucket| bucket.part.is_none()).peekable();
        while changed.peek().is_some() {
            let mut together: Vec<&mut Bucket> = changed.by_ref().take(TOGETHER).collect();
            entries.clear();
            ends.clear();
            for bucket in &mut together {
                let begin = entries.len();
                bucket.entries(&null, index, &mut entries);
                ends.push((begin..entries.len(), usize::from(bucket.depth)));
            }
            let stretch =
                |(range, depth): &(Range<usize>, usize)| (entries.get(range.clone()).unwrap_or_default(), *depth);
            let stretches: Vec<Stretch<'_>> = ends.iter().map(stretch).collect();
            together.iter_mut().zip(parts_of_sorted(&stretches)).for_each(|(bucket, part)| bucket.part = Some(part));
        }
    }

    /// Recursion is bounded by the bits of an id.
    fn part_of(&mut self, child: Child) -> Part {
        match child {
            Child::Bucket(number) => self.buckets.get(number).and_then(|bucket| bucket.part).unwrap_or(Part::Empty),
            Child::Node(number) => {
                let Some(&Node { halves: [left, right], part }) = self.nodes.get(number) else { return Part::Empty };
                if let Some(part) = part {
                    return part;
                }
                let left = self.part_of(left);
                let part = Part::join(left, self.part_of(right));
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
            inputs.put(number, &op, &index);
            ids.push(op);
            if number % 97 == 0 || number < 40 {
                assert_eq!(inputs.root(&index), crate::state::inputs_root(ids.iter()), "{number}");
            }
        }
        assert_eq!(inputs.root(&index), crate::state::inputs_root(ids.iter()));
        assert_eq!(std::mem::size_of::<Entry>(), 60);
    }

    #[test]
    fn ids_that_begin_alike_find_their_places() {
        let (mut index, mut inputs) = (Index::new(), Inputs::new());
        let mut ids: Vec<Hash> = Vec::new();
        for number in 0..200_u8 {
            let mut op = [7; 32];
            // The same up to the fourth byte, up to the sixth, or but for the last one.
            let place = [4, 6, 31].into_iter().cycle().nth(usize::from(number)).unwrap_or_default();
            op.iter_mut().skip(place).take(1).for_each(|byte| *byte = number);
            index.push(op, &[1; 32], Ulid::from_bytes(u128::from(number).to_be_bytes()), 0);
            inputs.put(u32::from(number), &op, &index);
            ids.push(op);
            if number % 7 == 0 {
                assert_eq!(inputs.root(&index), crate::state::inputs_root(ids.iter()), "{number}");
            }
        }
        assert_eq!(inputs.root(&index), crate::state::inputs_root(ids.iter()));
    }

    #[test]
    fn what_was_given_is_found_however_late() {
        let (mut index, mut first) = (Index::new(), BTreeMap::new());
        let mut state = 7_u64;
        let mut draw = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for number in 0..6000_u64 {
            // Stretches that rise, that fall, and that go to and fro, with some ULIDs given twice, also by others.
            let milliseconds = match number / 1000 % 3 {
                0 => number,
                1 => 9000 - number + draw(3),
                _ => number.saturating_sub(draw(400)),
            };
            let (author, ulid) =
                ([draw(3) as u8; 32], Ulid::from_bytes((u128::from(milliseconds) << 80).to_be_bytes()));
            for author in [[0; 32], [1; 32], [2; 32], [9; 32]] {
                let found = index.given(&author, ulid).map(Entry::place);
                assert_eq!(found, first.get(&(author, ulid)).copied(), "{number}");
            }
            index.push([0; 32], &author, ulid, number);
            first.entry((author, ulid)).or_insert(number);
        }
        for ((author, ulid), &place) in &first {
            assert_eq!(index.given(author, *ulid).map(Entry::place), Some(place));
        }
        assert!(index.given.len() > 1000 && index.rising.count() > 1000);
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
