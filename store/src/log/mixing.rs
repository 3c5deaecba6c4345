//! Where tables of hashes put their entries: a keyed mix of few steps, as what is mixed are hashes and ULIDs already.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A mix whose key nobody knows, so that nobody can choose ops that meet in one place of a table.
#[derive(Debug, Clone)]
pub struct Mixing {
    key: [u64; 2],
}

impl Default for Mixing {
    fn default() -> Self {
        let random = RandomState::new();
        Mixing { key: [random.hash_one(0), random.hash_one(1)] }
    }
}

/// A mix under way.
#[derive(Debug)]
pub struct Mix {
    state: u64,
    key: u64,
}

impl BuildHasher for Mixing {
    type Hasher = Mix;

    fn build_hasher(&self) -> Mix {
        let [state, key] = self.key;
        // An even key would lose bits.
        Mix { state, key: key | 1 }
    }
}

impl Mix {
    const fn mix(&mut self, word: u64) {
        let product = (self.state ^ word) as u128 * self.key as u128;
        self.state = product as u64 ^ (product >> 64) as u64;
    }
}

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.mix(u64::from_le_bytes(*word)));
        if !rest.is_empty() {
            let mut last = [0; 8];
            last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            self.mix(u64::from_le_bytes(last));
        }
    }

    fn write_usize(&mut self, _length: usize) {
        // Everything that is mixed here has one length.
    }

    fn finish(&self) -> u64 {
        self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::hash;
    use kerai_vm::encoding::root::Context;
    use std::collections::HashSet;

    #[test]
    fn places_are_spread() {
        let mixing = Mixing::default();
        let place = |number: u32| mixing.hash_one(hash(Context::Op, &number.to_le_bytes()));
        let (low, high): (HashSet<u64>, HashSet<u64>) =
            (0..4096).map(place).map(|place| (place & 0xffff, place >> 48)).unzip();
        // Of so many places taken by chance some are the same ones.
        assert!(low.len() > 3700 && high.len() > 3700, "{} {}", low.len(), high.len());
        assert_ne!(Mixing::default().hash_one([1_u8; 32]), Mixing::default().hash_one([1_u8; 32]));
    }
}
