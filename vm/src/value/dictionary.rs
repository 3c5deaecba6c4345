//! Dictionaries: entries found by the hash of their keys.

use super::Value;
use super::content::{Content, Probe};

/// The entries of a map by hash, but for those that its slots hold by position. Their order means nothing.
///
/// An entry lies at its key's place or behind it, before the next vacant one: one look where most others would need a
/// look into an index and one at the entry, each waiting for memory.
pub(crate) struct Dictionary {
    /// As many as a power of two, a third of them vacant; or none, where there is one entry at most.
    places: Vec<Place>,
    /// The place of the one entry of a dictionary without others: many have no second one, and need no memory of their own.
    single: Place,
    count: usize,
    /// The place of the entry that was met last: who asks for one and then changes it asks for the same key again.
    last: usize,
    /// How many keys are positive integers.
    pub(crate) positives: u32,
    /// Whether the table is a list while it has no entries at all.
    pub(crate) is_list_when_empty: bool,
}

/// Key and value, aligned so that they lie in one line of a processor's cache.
#[derive(Clone, Copy)]
#[repr(align(32))]
struct Place((Value, Value));

/// What a place without an entry holds: no key is absent.
const VACANT: Place = Place((Value::ABSENT, Value::ABSENT));

impl Place {
    const fn is_vacant(&self) -> bool {
        self.0.0.is_absent()
    }
}

/// How many places lie in one line of a processor's cache, and how many lines are fetched of a dictionary without looking
/// for anything.
const PLACES_A_LINE: usize = 2;
const LINES: usize = 8;

/// Places from which on half of them stay vacant, and not a third: what is looked for then mostly stands at its own place.
const LARGE: usize = 1 << 10;

/// The fewest places of a dictionary that has more than one.
const FEWEST: usize = 4;

impl Default for Dictionary {
    fn default() -> Dictionary {
        Dictionary { places: Vec::new(), single: VACANT, count: 0, last: 0, positives: 0, is_list_when_empty: false }
    }
}

const fn is_positive(key: Value) -> bool {
    matches!(key.as_i64(), Some(1..))
}

impl Dictionary {
    /// One entry, whose key is a text.
    pub(crate) fn single(key: Value, value: Value) -> Dictionary {
        Dictionary { single: Place((key, value)), count: 1, ..Dictionary::default() }
    }

    /// How many entries there are.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// All places: one at least.
    #[inline(always)]
    fn all(&self) -> &[Place] {
        if self.places.is_empty() { core::slice::from_ref(&self.single) } else { &self.places }
    }

    #[inline(always)]
    fn all_mut(&mut self) -> &mut [Place] {
        if self.places.is_empty() { core::slice::from_mut(&mut self.single) } else { &mut self.places }
    }

    /// All entries, in no order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (Value, Value)> {
        self.all().iter().filter(|place| !place.is_vacant()).map(|place| place.0)
    }

    /// As [`Dictionary::entries`], to be changed: keys only to others that are the same and have the same hash.
    pub(crate) fn entries_mut(&mut self) -> impl Iterator<Item = &mut (Value, Value)> {
        self.all_mut().iter_mut().filter(|place| !place.is_vacant()).map(|place| &mut place.0)
    }

    /// The entry at a place.
    pub(crate) fn entry_mut(&mut self, place: usize) -> Option<&mut (Value, Value)> {
        self.all_mut().get_mut(place).filter(|place| !place.is_vacant()).map(|place| &mut place.0)
    }

    /// The place of the key's entry.
    pub(crate) fn find(&self, content: &Content, probe: Probe) -> Option<usize> {
        match probe {
            Probe::Value(key) => self.find_value(content, key),
            Probe::Wide(_) => {
                let (place, is_there) = self.look(content.hash(probe), |key| content.is_key(key, probe))?;
                is_there.then_some(place)
            }
        }
    }

    /// The key of the entry that was met last, if there are at least so many places.
    pub(crate) fn last_key(&self, places: usize) -> Option<Value> {
        let last = self.all().get(self.last).filter(|last| !last.is_vacant())?;
        (self.places.len() >= places).then_some(last.0.0)
    }

    /// The place where a search for a key begins.
    #[inline]
    pub(crate) fn first_place(&self, content: &Content, key: Value) -> usize {
        content.hash_key(key) as usize & self.places.len().wrapping_sub(1)
    }

    /// Reads of a dictionary what stands at some places, only so that it is near.
    #[inline]
    pub(crate) fn fetch(&self, places: &[usize]) -> u64 {
        places.iter().fold(0, |all, &place| all ^ self.places.get(place).map_or(0, |place| place.0.0.body()))
    }

    /// Reads of a dictionary with few places one in each line of a processor's cache, only so that they are near.
    pub(crate) fn fetch_few(&self) -> u64 {
        let lines = self.places.iter().step_by(PLACES_A_LINE).take(LINES);
        lines.fold(0, |all, place| all ^ place.0.0.body())
    }

    /// The value of a key for which a search begins at a place.
    #[inline]
    pub(crate) fn value_from(&self, content: &Content, place: usize, key: Value) -> Option<Value> {
        let (place, is_there) = self.look(place as u64, |other| content.is_same_key(other, key))?;
        if is_there { self.value(place) } else { None }
    }

    /// The place of the entry of a key that is in its one form.
    #[inline]
    pub(crate) fn find_value(&self, content: &Content, key: Value) -> Option<usize> {
        if key.is_short_string() {
            let (place, is_there) = self.look(content.hash_words(key), |other| other.is_same_words(key))?;
            return is_there.then_some(place);
        }
        let (place, is_there) = self.look(content.hash_key(key), |other| content.is_same_key(other, key))?;
        is_there.then_some(place)
    }

    /// The place of the key with a hash, or the vacant one where it would go; none where all are taken.
    #[inline(always)]
    fn look(&self, hash: u64, is_same: impl Fn(Value) -> bool) -> Option<(usize, bool)> {
        let places = self.all();
        let mask = places.len().wrapping_sub(1);
        let mut place = hash as usize & mask;
        // It ends: of several places some is vacant.
        loop {
            let (key, _) = places.get(place)?.0;
            if is_same(key) {
                return Some((place, true));
            }
            if key.is_absent() {
                return Some((place, false));
            }
            if mask == 0 {
                return None;
            }
            place = place.wrapping_add(1) & mask;
        }
    }

    /// As [`Dictionary::find_value`], and next time the same key is found without its hash.
    #[inline]
    pub(crate) fn find_again(&mut self, content: &Content, key: Value) -> Option<usize> {
        if self.all().get(self.last).is_some_and(|last| last.0.0.is_same_words(key)) {
            return Some(self.last);
        }
        self.last = self.find_value(content, key)?;
        Some(self.last)
    }

    /// The value of the entry at a place.
    pub(crate) fn value(&self, place: usize) -> Option<Value> {
        self.all().get(place).map(|place| place.0.1)
    }

    /// Puts another value into an entry, and gives what it was.
    #[inline]
    pub(crate) fn replace(&mut self, place: usize, value: Value) -> Option<(Value, Value)> {
        let entry = self.entry_mut(place)?;
        let old = *entry;
        entry.1 = value;
        Some(old)
    }

    /// Puts an entry in, in the place of one with the same key. The key is in its one form.
    pub(crate) fn insert(&mut self, content: &Content, key: Value, value: Value) {
        let is_full = match self.places.len() {
            0 => self.count > 0,
            places @ ..LARGE => 3 * (self.count + 1) > 2 * places,
            places => 2 * (self.count + 1) > places,
        };
        if is_full {
            self.spread_over(content, (2 * self.places.len()).max(FEWEST));
        }
        let found = self.look(content.hash_key(key), |other| content.is_same_key(other, key));
        if let Some((place, is_there)) = found
            && let Some(Place(entry)) = self.all_mut().get_mut(place)
        {
            // A key that is there already stays as it is.
            entry.1 = value;
            if !is_there {
                entry.0 = key;
                self.count += 1;
                self.positives += u32::from(is_positive(key));
            }
            self.last = place;
        }
    }

    /// Puts the entries into so many places.
    #[cold]
    fn spread_over(&mut self, content: &Content, places: usize) {
        let single = core::mem::replace(&mut self.single, VACANT);
        let spread = core::mem::replace(&mut self.places, vec![VACANT; places]);
        for entry in spread.into_iter().chain([single]) {
            if !entry.is_vacant()
                && let Some((place, _)) = self.look(content.hash_key(entry.0.0), |_| false)
                && let Some(place) = self.places.get_mut(place)
            {
                *place = entry;
            }
        }
    }

    /// Takes an entry out.
    pub(crate) fn remove(&mut self, content: &Content, probe: Probe) -> Option<Value> {
        let vacant = self.find(content, probe)?;
        let Place((key, value)) = core::mem::replace(self.all_mut().get_mut(vacant)?, VACANT);
        self.count -= 1;
        self.positives = self.positives.saturating_sub(u32::from(is_positive(key)));
        self.move_up(content, vacant);
        // Who asks for all entries looks at all places.
        if self.places.len() > FEWEST && 8 * self.count < self.places.len() {
            self.spread_over(content, self.places.len() / 2);
        }
        Some(value)
    }

    /// Fills a place that became vacant with what was put behind it for want of room.
    fn move_up(&mut self, content: &Content, mut vacant: usize) {
        if self.places.is_empty() {
            return;
        }
        let mask = self.places.len().wrapping_sub(1);
        let mut place = vacant;
        loop {
            place = place.wrapping_add(1) & mask;
            let Some(&entry) = self.places.get(place) else { return };
            if entry.is_vacant() {
                return;
            }
            // It may move up to the vacant place unless its own lies behind that.
            let own = content.hash_key(entry.0.0) as usize & mask;
            if place.wrapping_sub(own) & mask >= place.wrapping_sub(vacant) & mask {
                self.places.swap(vacant, place);
                vacant = place;
            }
        }
    }
}
