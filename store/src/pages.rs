//! Sparse Merkle maps as they are kept: in pages, so that a change reads and writes only the pages that lead to it.
//!
//! A page has all entries that begin with the same bits, or, where they are many, what its sixteen parts come to. Which
//! pages there are depends on the entries alone, as the root does.

use crate::backend::damaged;
use crate::code::Refused;
use crate::document::Hash;
use crate::limit::{self, length};
use kerai_vm::encoding::map::{EMPTY, Part, row_value};
use std::collections::BTreeMap;
use std::ops::Range;

/// Which of a stream's maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Map {
    /// The ids of the ops that were admitted.
    Inputs,
    /// The rows of the state.
    Rows,
}

impl Map {
    pub const ALL: [Map; 2] = [Map::Inputs, Map::Rows];

    /// The map's number in a database.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Map::Inputs => 0,
            Map::Rows => 1,
        }
    }

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Map::Inputs => "inputs",
            Map::Rows => "rows",
        }
    }
}

/// Bits that lead from a page to one below it, and how many those can be.
const BITS: usize = 4;
const PARTS: usize = 1 << BITS;

/// The value of an op in the map of inputs: null, as canonical CBOR.
const NULL: &[u8] = &[0xf6];

/// What an entry of the map of inputs holds: every one the same.
#[must_use]
pub fn present() -> Hash {
    row_value(NULL)
}

/// Where a page is: the bits that its entries begin with, four in a byte.
pub type Place = Vec<u8>;

/// A key with the hash of its value.
pub type Entry = (Hash, Hash);

/// A key with what becomes of it: another value's hash, or nothing.
pub type Change = (Hash, Option<Hash>);

/// The four bits of a key that follow so many pages.
fn nibble(key: &Hash, depth: usize) -> usize {
    let byte = key.get(depth / 2).copied().unwrap_or(0);
    usize::from(if depth.is_multiple_of(2) { byte >> 4 } else { byte & 15 })
}

fn below(place: &[u8], part: usize) -> Place {
    let mut place = place.to_vec();
    place.push(part as u8);
    place
}

/// What is below a page's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Below {
    count: u64,
    hash: Hash,
}

impl Below {
    const NOTHING: Below = Below { count: 0, hash: EMPTY };

    const fn part(&self) -> Part {
        match self.count {
            0 => Part::Empty,
            1 => Part::Leaf(self.hash),
            _ => Part::Node(self.hash),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Page {
    /// Ascending by key.
    Entries(Vec<Entry>),
    Fork(Box<[Below; PARTS]>),
}

/// What a page's bytes begin with.
const ENTRIES: u8 = 0;
const FORK: u8 = 1;

impl Page {
    const EMPTY: Page = Page::Entries(Vec::new());

    fn below(&self, depth: usize) -> Below {
        match self {
            Page::Entries(entries) => {
                Below { count: entries.len() as u64, hash: Part::of_sorted(entries, depth * BITS).hash() }
            }
            Page::Fork(parts) => {
                let mut level: Vec<Part> = parts.iter().map(Below::part).collect();
                while level.len() > 1 {
                    let pairs = level.as_chunks::<2>().0;
                    level = pairs.iter().map(|&[left, right]| Part::join(left, right)).collect();
                }
                let hash = level.first().map_or(EMPTY, |part| part.hash());
                Below { count: parts.iter().map(|part| part.count).sum(), hash }
            }
        }
    }

    /// None for a page without entries, which is not kept.
    fn encode(&self, map: Map) -> Option<Vec<u8>> {
        match self {
            Page::Entries(entries) if entries.is_empty() => None,
            Page::Entries(entries) => {
                let mut bytes = vec![ENTRIES];
                for (key, value) in entries {
                    bytes.extend_from_slice(key);
                    if map == Map::Rows {
                        bytes.extend_from_slice(value);
                    }
                }
                Some(bytes)
            }
            Page::Fork(parts) => {
                let mut bytes = vec![FORK];
                for part in parts.iter() {
                    bytes.extend_from_slice(&part.count.to_be_bytes());
                    if part.count > 0 {
                        bytes.extend_from_slice(&part.hash);
                    }
                }
                Some(bytes)
            }
        }
    }

    fn decode(map: Map, bytes: &[u8]) -> Option<Page> {
        let (&kind, rest) = bytes.split_first()?;
        match (kind, map) {
            (ENTRIES, Map::Inputs) => {
                let (keys, rest) = rest.as_chunks::<32>();
                let value = present();
                rest.is_empty().then(|| Page::Entries(keys.iter().map(|&key| (key, value)).collect()))
            }
            (ENTRIES, Map::Rows) => {
                let (pairs, rest) = rest.as_chunks::<64>();
                let entry = |pair: &[u8; 64]| Some((*pair.first_chunk::<32>()?, *pair.last_chunk::<32>()?));
                if rest.is_empty() { pairs.iter().map(entry).collect::<Option<_>>().map(Page::Entries) } else { None }
            }
            (FORK, _) => {
                let (mut parts, mut rest) = (Box::new([Below::NOTHING; PARTS]), rest);
                for part in parts.iter_mut() {
                    let (count, after) = rest.split_first_chunk::<8>()?;
                    (part.count, rest) = (u64::from_be_bytes(*count), after);
                    if part.count > 0 {
                        let (hash, after) = rest.split_first_chunk::<32>()?;
                        (part.hash, rest) = (*hash, after);
                    }
                }
                rest.is_empty().then_some(Page::Fork(parts))
            }
            _ => None,
        }
    }
}

/// A page as it was and as it is.
#[derive(Debug)]
struct Held {
    before: Option<Vec<u8>>,
    now: Page,
}

/// Pages that are to be read: where they are, which of the changes lead there, and what the page above says of them.
type Wanted = BTreeMap<Place, (Range<usize>, Option<Below>)>;

/// A change of a map: pages are read level by level, until all are there that it needs.
#[derive(Debug)]
pub struct Update {
    map: Map,
    changes: Vec<Change>,
    held: BTreeMap<Place, Held>,
    wanted: Wanted,
}

/// What a change comes to.
#[derive(Debug, PartialEq, Eq, Default)]
pub struct Updated {
    pub root: Hash,
    /// Pages that there were none of before.
    pub added: Vec<(Place, Vec<u8>)>,
    pub changed: Vec<(Place, Vec<u8>)>,
    pub gone: Vec<Place>,
}

impl Update {
    /// Each key comes once.
    #[must_use]
    pub fn new(map: Map, mut changes: Vec<Change>) -> Update {
        changes.sort_unstable();
        let wanted = BTreeMap::from([(Place::new(), (0..changes.len(), None))]);
        Update { map, changes, held: BTreeMap::new(), wanted }
    }

    /// The pages to read next; none where all are there.
    #[must_use]
    pub fn wanted(&self) -> Vec<&[u8]> {
        self.wanted.keys().map(Vec::as_slice).collect()
    }

    /// Takes in the pages that were wanted, as far as there are any.
    ///
    /// # Errors
    /// `LOG_DAMAGED` where one is no page, or another one than the page above says.
    pub fn take(&mut self, mut found: BTreeMap<Place, Vec<u8>>) -> Result<(), Refused> {
        for (place, (range, said)) in std::mem::take(&mut self.wanted) {
            let before = found.remove(&place);
            let now = match &before {
                None => Some(Page::EMPTY),
                Some(bytes) => Page::decode(self.map, bytes),
            };
            let now = now.filter(|page| said.is_none_or(|said| page.below(place.len()) == said));
            let now = now.ok_or_else(|| damaged(format!("a page of the map of {}", self.map.name())))?;
            self.want_below(&place, &now, range);
            self.held.insert(place, Held { before, now });
        }
        Ok(())
    }

    /// The pages below a fork that changes lead to; all of them where so much may go that it becomes one page.
    fn want_below(&mut self, place: &[u8], page: &Page, range: Range<usize>) {
        let Page::Fork(parts) = page else { return };
        let changes = self.changes.get(range.clone()).unwrap_or_default();
        let count: u64 = parts.iter().map(|part| part.count).sum();
        let removed = changes.iter().filter(|change| change.1.is_none()).count() as u64;
        let may_join = count.saturating_sub(removed) <= limit::PAGE_ENTRIES.value;
        let mut start = range.start;
        for (number, part) in parts.iter().enumerate() {
            let rest = self.changes.get(start..range.end).unwrap_or_default();
            let end = start + rest.partition_point(|change| nibble(&change.0, place.len()) <= number);
            if part.count > 0 && (start < end || may_join) {
                self.wanted.insert(below(place, number), (start..end, Some(*part)));
            }
            start = end;
        }
    }

    /// The root as it was, once the first page is there.
    #[must_use]
    pub fn root_before(&self) -> Hash {
        self.held.get(&Place::new()).map_or(EMPTY, |held| held.now.below(0).hash)
    }

    /// Makes the change.
    #[must_use]
    pub fn finish(mut self) -> Updated {
        let changes = std::mem::take(&mut self.changes);
        let mut updated = Updated { root: self.change(&Place::new(), &changes).hash, ..Updated::default() };
        for (place, Held { before, now }) in self.held {
            match (before, now.encode(self.map)) {
                (None, Some(bytes)) => updated.added.push((place, bytes)),
                (Some(before), Some(bytes)) if before != bytes => updated.changed.push((place, bytes)),
                (Some(_), None) => updated.gone.push(place),
                (None, None) | (Some(_), Some(_)) => {}
            }
        }
        updated
    }

    /// Changes what is at a place and below it. Recursion is bounded by the bits of a key.
    fn change(&mut self, place: &Place, changes: &[Change]) -> Below {
        let page = self.held.get_mut(place).map_or(Page::EMPTY, |held| std::mem::replace(&mut held.now, Page::EMPTY));
        let mut parts = match page {
            Page::Entries(entries) => return self.put(place, merged(entries, changes)),
            Page::Fork(parts) => parts,
        };
        for changes in changes.chunk_by(|a, b| nibble(&a.0, place.len()) == nibble(&b.0, place.len())) {
            let number = changes.first().map_or(0, |change| nibble(&change.0, place.len()));
            if let Some(part) = parts.get_mut(number) {
                *part = self.change(&below(place, number), changes);
            }
        }
        if parts.iter().map(|part| part.count).sum::<u64>() <= limit::PAGE_ENTRIES.value {
            let mut entries = Vec::new();
            for number in 0..PARTS {
                let page = self.held.get_mut(&below(place, number)).map(|held| &mut held.now);
                // So few that none of them is a fork.
                if let Some(Page::Entries(below)) = page {
                    entries.append(below);
                }
            }
            return self.put(place, entries);
        }
        self.keep(place, Page::Fork(parts))
    }

    /// Puts entries where there are none yet.
    fn put(&mut self, place: &Place, entries: Vec<Entry>) -> Below {
        if entries.len() <= length(limit::PAGE_ENTRIES) {
            return self.keep(place, Page::Entries(entries));
        }
        let mut parts = Box::new([Below::NOTHING; PARTS]);
        for entries in entries.chunk_by(|a, b| nibble(&a.0, place.len()) == nibble(&b.0, place.len())) {
            let number = entries.first().map_or(0, |entry| nibble(&entry.0, place.len()));
            if let Some(part) = parts.get_mut(number) {
                *part = self.put(&below(place, number), entries.to_vec());
            }
        }
        self.keep(place, Page::Fork(parts))
    }

    fn keep(&mut self, place: &Place, page: Page) -> Below {
        let found = page.below(place.len());
        match self.held.get_mut(place) {
            Some(held) => held.now = page,
            None => {
                self.held.insert(place.clone(), Held { before: None, now: page });
            }
        }
        found
    }
}

/// Entries with changes made, ascending as both are.
fn merged(entries: Vec<Entry>, changes: &[Change]) -> Vec<Entry> {
    let put = |&(key, value): &Change| Some((key, value?));
    if entries.is_empty() {
        return changes.iter().filter_map(put).collect();
    }
    let mut merged = Vec::with_capacity(entries.len() + changes.len());
    let mut entries = entries.into_iter().peekable();
    for change in changes {
        while let Some(entry) = entries.next_if(|entry| entry.0 < change.0) {
            merged.push(entry);
        }
        entries.next_if(|entry| entry.0 == change.0);
        merged.extend(put(change));
    }
    merged.extend(entries);
    merged
}

/// The pages of a map that has these entries and no others, and its root.
#[must_use]
pub fn whole(map: Map, entries: Vec<Entry>) -> Updated {
    let mut update = Update::new(map, entries.into_iter().map(|(key, value)| (key, Some(value))).collect());
    // There is no page to be read.
    update.wanted.clear();
    update.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kerai_vm::encoding::map::RowMap;
    use std::collections::BTreeMap;

    /// Numbers that anyone can make again.
    fn hash_of(number: u64) -> Hash {
        crate::document::hash(kerai_vm::encoding::root::Context::Data, &number.to_be_bytes())
    }

    struct Kept {
        map: Map,
        pages: BTreeMap<Place, Vec<u8>>,
        model: BTreeMap<Hash, Hash>,
        reference: RowMap,
        most: usize,
    }

    impl Kept {
        fn new(map: Map) -> Kept {
            let (pages, model, reference) = (BTreeMap::new(), BTreeMap::new(), RowMap::default());
            Kept { map, pages, model, reference, most: 0 }
        }

        fn change(&mut self, changes: Vec<Change>) {
            for &(key, value) in &changes {
                match value {
                    Some(value) => {
                        self.model.insert(key, value);
                        self.reference.put(key, value);
                    }
                    None => {
                        self.model.remove(&key);
                        self.reference.remove(&key);
                    }
                }
            }
            let before = self.pages.get(&Place::new()).cloned();
            let mut update = Update::new(self.map, changes);
            while !update.wanted().is_empty() {
                let found = |place: &[u8]| Some((place.to_vec(), self.pages.get(place)?.clone()));
                let found = update.wanted().into_iter().filter_map(found).collect();
                update.take(found).expect("pages");
            }
            assert_eq!(update.root_before() == EMPTY, before.is_none());
            let updated = update.finish();
            assert_eq!(updated.root, self.reference.root());
            self.most = updated.added.len() + updated.changed.len() + updated.gone.len();
            for place in updated.gone {
                assert!(self.pages.remove(&place).is_some());
            }
            for (place, bytes) in updated.added {
                assert!(self.pages.insert(place, bytes).is_none());
            }
            for (place, bytes) in updated.changed {
                assert!(self.pages.insert(place, bytes).is_some());
            }
        }

        /// Pages depend on the entries alone.
        fn check(&self) {
            let whole = whole(self.map, self.model.iter().map(|(&key, &value)| (key, value)).collect());
            assert_eq!(whole.added.into_iter().collect::<BTreeMap<_, _>>(), self.pages);
        }
    }

    #[test]
    fn pages_hold_what_the_map_does() {
        for map in Map::ALL {
            let mut kept = Kept::new(map);
            let value = |number: u64| if map == Map::Inputs { present() } else { hash_of(number + 1_000_000) };
            kept.check();
            let mut next = 0;
            for round in 0..60_u64 {
                let size = [1, 40, 3, 700, 0].get(round as usize % 5).copied().expect("five");
                let mut changes: BTreeMap<Hash, Option<Hash>> = BTreeMap::new();
                for step in 0..size {
                    next += 1;
                    changes.insert(hash_of(next), Some(value(next * round)));
                    // What is there goes, and what is not there goes too.
                    if round % 7 > 3 {
                        changes.insert(hash_of((next * 31 + step) % (next + 50)), None);
                    }
                }
                kept.change(changes.into_iter().collect());
                kept.check();
            }
            let keys: Vec<Hash> = kept.model.keys().copied().collect();
            assert!(keys.len() > 3000, "{}", keys.len());
            kept.change(vec![(*keys.get(77).expect("many"), None)]);
            assert!(kept.most < 6, "a change of one key wrote {} pages", kept.most);
            // All goes, in several bites.
            for keys in keys.chunks(611) {
                kept.change(keys.iter().map(|&key| (key, None)).collect());
                kept.check();
            }
            assert!(kept.pages.is_empty());
        }
    }

    #[test]
    fn what_is_no_page_is_told() {
        for bytes in [&[][..], &[2], &[0, 1], &[1, 0], &[1; 500]] {
            let mut update = Update::new(Map::Rows, vec![(hash_of(1), None)]);
            let refused = update.take(BTreeMap::from([(Place::new(), bytes.to_vec())]));
            assert_eq!(refused.expect_err("no page").code, crate::code::Code::LOG_DAMAGED);
        }
    }
}
