//! Properties on generated input: a seeded generator, and runs that are short always and long when asked.

use std::time::Instant;

/// A seeded generator (SplitMix64): the same numbers everywhere, of good enough quality for tests.
pub struct Random {
    state: u64,
}

impl Random {
    #[must_use]
    pub const fn new(seed: u64) -> Random {
        Random { state: seed }
    }

    pub const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        ((self.next() as u128 * bound as u128) >> 64) as u64
    }

    /// One of the choices, of which there is at least one.
    #[expect(clippy::indexing_slicing, reason = "the index is below the length")]
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }
}

/// One run of a property: how many cases, from which seed.
pub struct Run {
    name: &'static str,
    count: u64,
    pub seed: u64,
}

/// The seed where `KERAI_SEED` names no other.
const SEED: u64 = 0x6b65_7261_6900_0001;

impl Run {
    /// A run of `short` cases, of `long` ones with `KERAI_LONG=1`, or of `KERAI_COUNT`.
    ///
    /// # Panics
    /// Where `KERAI_SEED` or `KERAI_COUNT` is not a number.
    #[must_use]
    pub fn new(name: &'static str, short: u64, long: u64) -> Run {
        let number = |name| std::env::var(name).ok().map(|text| text.parse().expect("a number below 2^64"));
        let usual = if std::env::var("KERAI_LONG").is_ok_and(|value| value == "1") { long } else { short };
        let (count, seed) = (number("KERAI_COUNT").unwrap_or(usual), number("KERAI_SEED").unwrap_or(SEED));
        Run { name, count, seed }
    }

    /// Runs the cases, and says at the end (or in a failure's output) what was run.
    pub fn each(&self, mut case: impl FnMut(u64)) {
        struct Progress<'a> {
            run: &'a Run,
            done: u64,
            start: Instant,
        }
        impl Drop for Progress<'_> {
            fn drop(&mut self) {
                let Run { name, count, seed } = self.run;
                println!("{name}: {} of {count} cases, KERAI_SEED={seed}, {:.1?}", self.done, self.start.elapsed());
            }
        }
        let mut progress = Progress { run: self, done: 0, start: Instant::now() };
        for number in 0..self.count {
            case(number);
            progress.done += 1;
        }
    }
}
