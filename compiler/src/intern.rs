//! Numbers for texts, each once: in the order in which they are first met.

use core::mem;
use std::collections::BTreeMap;

/// So far a text may stand from the place that its hash gives.
const FARTHEST: usize = 16;

/// The numbers of texts. They are found by a hash; the few that find no place near theirs, by choice or by chance, are kept
/// in order, so that no texts whatever make this slow.
#[derive(Debug, Default)]
pub struct Interner<'t> {
    /// At most half of the places are taken; how many there are is a power of two.
    places: Vec<Place>,
    /// The texts that have a place.
    met: Vec<Met<'t>>,
    others: BTreeMap<&'t [u8], u32>,
}

/// A place, so small that many lie close together.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// The half of the text's hash that does not lead here.
    mark: u32,
    /// Which of the texts that have a place this is, from 1 on; 0 where there is none.
    met: u32,
}

#[derive(Debug, Clone, Copy)]
struct Met<'t> {
    hash: u64,
    text: &'t [u8],
    number: u32,
}

impl<'t> Interner<'t> {
    /// The text's number, which is `next` where it has none yet.
    pub fn number(&mut self, text: &'t [u8], next: u32) -> u32 {
        if self.met.len() * 2 >= self.places.len() {
            self.grow();
        }
        self.put(Met { hash: hash(text), text, number: next })
    }

    /// The number of a text that has one.
    pub fn get(&self, text: &[u8]) -> Option<u32> {
        let hash = hash(text);
        for place in near(hash, self.places.len()) {
            let Place { mark, met } = *self.places.get(place)?;
            let known = self.met.get((met as usize).checked_sub(1)?)?;
            if mark == hash as u32 && known.text == text {
                return Some(known.number);
            }
        }
        self.others.get(text).copied()
    }

    fn put(&mut self, new: Met<'t>) -> u32 {
        let mark = new.hash as u32;
        for place in near(new.hash, self.places.len()) {
            let Some(place) = self.places.get_mut(place) else { continue };
            match self.met.get((place.met as usize).wrapping_sub(1)) {
                Some(met) if place.mark == mark && met.text == new.text => return met.number,
                Some(_) => {}
                None => {
                    self.met.push(new);
                    *place = Place { mark, met: self.met.len() as u32 };
                    return new.number;
                }
            }
        }
        *self.others.entry(new.text).or_insert(new.number)
    }

    fn grow(&mut self) {
        const FEWEST: usize = 64;
        let (places, met) = ((self.places.len() * 4).max(FEWEST), mem::take(&mut self.met));
        self.places = vec![Place::default(); places];
        self.met.reserve(met.len() * 2);
        for met in met {
            self.put(met);
        }
        // Those that found no place may find one now, and would not be looked for elsewhere if it stayed vacant.
        for (text, number) in mem::take(&mut self.others) {
            self.put(Met { hash: hash(text), text, number });
        }
    }
}

/// The places that a text of this hash may have.
fn near(hash: u64, places: usize) -> impl Iterator<Item = usize> {
    let first = (hash >> 32) as usize;
    (first..).take(FARTHEST).map(move |place| place & places.wrapping_sub(1))
}

/// Eight bytes at a time.
fn hash(text: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: u64| {
        let product = u128::from(hash ^ word) * u128::from(FACTOR);
        // Both halves, so that each bit of the word counts everywhere.
        product as u64 ^ (product >> 64) as u64
    };
    let (words, rest) = text.as_chunks::<8>();
    let hash = words.iter().fold(text.len() as u64, |hash, &word| mix(hash, u64::from_le_bytes(word)));
    // The last eight bytes again, or all where there are fewer.
    let rest = match text.last_chunk::<8>() {
        Some(&last) => u64::from_le_bytes(last),
        None => rest.iter().fold(0, |rest, &byte| rest << 8 | u64::from(byte)),
    };
    mix(hash, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_number() {
        for form in ["gatos/journal/X/**", "X", "gatos-1/X", "a path of X"] {
            let texts: Vec<String> =
                (0..10_000).map(|number| form.replace('X', &(number % 1000).to_string())).collect();
            let mut interner = Interner::default();
            let numbers = (0..).zip(&texts).map(|(next, text)| interner.number(text.as_bytes(), next));
            assert!((0..).zip(numbers).all(|(place, number)| number == place % 1000));
            assert!(interner.others.is_empty(), "{form}");
        }
    }

    #[test]
    fn texts_of_one_hash_keep_their_numbers() {
        let texts: Vec<String> = (0..200).map(|number| number.to_string()).collect();
        let mut interner = Interner::default();
        interner.grow();
        for first in [0, 10_000] {
            let put = |(number, text)| interner.put(Met { hash: 7, text, number });
            let numbers: Vec<u32> = (first..).zip(texts.iter().map(String::as_bytes)).map(put).collect();
            assert!((0..200).eq(numbers));
        }
        assert_eq!((interner.met.len(), interner.others.len()), (FARTHEST, 200 - FARTHEST));
    }

    #[test]
    fn texts_without_a_place_keep_their_numbers_when_there_is_more_room() {
        // Hashes of some lead to one of the first places, as long as there are so few.
        let is_crowded = |text: &String| (hash(text.as_bytes()) >> 32).is_multiple_of(64);
        let (mut texts, others): (Vec<_>, Vec<_>) = (0..4000).map(|number| number.to_string()).partition(is_crowded);
        texts.extend(others);
        let mut interner = Interner::default();
        for first in [0, 10_000] {
            let numbers = (first..).zip(&texts).map(|(next, text)| interner.number(text.as_bytes(), next));
            assert!((0..4000).eq(numbers));
        }
    }

    #[test]
    fn texts_that_differ_by_zeros_differ() {
        let mut interner = Interner::default();
        let texts: Vec<Vec<u8>> = (0..20).map(|length| vec![0; length]).collect();
        assert!((0..).zip(&texts).all(|(next, text)| interner.number(text, next) == next));
    }
}
