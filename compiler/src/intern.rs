//! Numbers for texts, each once: in the order in which they are first met.

use std::collections::BTreeMap;

/// The numbers of texts. Texts are ordered by a hash before they are compared, so that long ones which begin alike cost
/// no more than others; where hashes are equal, by choice or by chance, nothing but time is lost, and little of it.
#[derive(Debug, Default)]
pub struct Interner<'t> {
    numbers: BTreeMap<(u64, &'t [u8]), u32>,
}

impl<'t> Interner<'t> {
    /// The text's number, which is `next` where it has none yet.
    pub fn number(&mut self, text: &'t [u8], next: u32) -> u32 {
        *self.numbers.entry((hash(text), text)).or_insert(next)
    }

    /// The number of a text that has one.
    pub fn get(&self, text: &[u8]) -> Option<u32> {
        self.numbers.get(&(hash(text), text)).copied()
    }
}

/// Eight bytes at a time.
fn hash(text: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(FACTOR).rotate_left(23);
    let (words, rest) = text.as_chunks::<8>();
    let hash = words.iter().fold(text.len() as u64, |hash, &word| mix(hash, u64::from_le_bytes(word)));
    let rest = rest.iter().fold(0, |rest, &byte| rest << 8 | u64::from(byte));
    mix(hash, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_number() {
        let texts: Vec<String> = (0..1000).map(|number| format!("gatos/journal/{}", number % 100)).collect();
        let mut interner = Interner::default();
        let numbers: Vec<u32> = (0..).zip(&texts).map(|(next, text)| interner.number(text.as_bytes(), next)).collect();
        assert!((0..).zip(numbers).all(|(place, number)| number == place % 100));
    }

    #[test]
    fn texts_that_differ_by_zeros_differ() {
        let mut interner = Interner::default();
        let texts: Vec<Vec<u8>> = (0..20).map(|length| vec![0; length]).collect();
        assert!((0..).zip(&texts).all(|(next, text)| interner.number(text, next) == next));
    }
}
