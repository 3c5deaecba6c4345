//! Texts in order: which of many a text comes behind.

/// Texts that ascend. They are told apart by eight bytes behind what all of them begin with, and only where those are the
/// same by all of their bytes.
pub(super) struct Texts {
    common: Box<[u8]>,
    heads: Heads,
    texts: Box<[Box<[u8]>]>,
}

/// Numbers that ascend, in drawers of one width, so that a search begins where its number would lie.
struct Heads {
    heads: Box<[u64]>,
    /// How many numbers lie before each drawer, and behind the last one.
    starts: Box<[u32]>,
    shift: u32,
}

/// There are at most two to the power of this many drawers.
const MOST_DRAWERS: u32 = 12;

impl Heads {
    fn new(heads: Box<[u64]>) -> Heads {
        let widest = heads.last().zip(heads.first()).map_or(0, |(last, first)| last - first);
        let drawers = (2 * heads.len()).next_power_of_two().ilog2().min(MOST_DRAWERS);
        let shift = (u64::BITS - widest.leading_zeros()).saturating_sub(drawers);
        let mut all = Heads { heads, starts: Box::default(), shift };
        let last = widest >> shift;
        let before = |drawer| all.heads.partition_point(|&head| all.drawer(head) < Some(drawer));
        let starts: Vec<u32> = (0..=last + 1).map(|drawer| u32::try_from(before(drawer)).unwrap_or(u32::MAX)).collect();
        all.starts = starts.into();
        all
    }

    /// Where a number would lie; none before the first.
    fn drawer(&self, head: u64) -> Option<u64> {
        head.checked_sub(*self.heads.first()?).map(|distance| distance >> self.shift)
    }

    /// How many of the numbers are less.
    fn less(&self, head: u64) -> usize {
        let Some(drawer) = self.drawer(head) else { return 0 };
        let drawer = usize::try_from(drawer).unwrap_or(usize::MAX);
        let starts = self.starts.get(drawer..).and_then(|starts| starts.first_chunk());
        let Some(&[from, to]) = starts else { return self.heads.len() };
        let (from, to) = (from as usize, to as usize);
        from + self.heads.get(from..to).unwrap_or_default().partition_point(|&other| other < head)
    }
}

fn head(bytes: &[u8]) -> u64 {
    match bytes.first_chunk::<8>() {
        Some(chunk) => u64::from_be_bytes(*chunk),
        None => bytes
            .iter()
            .zip([56, 48, 40, 32, 24, 16, 8, 0])
            .fold(0, |head, (&byte, shift)| head | u64::from(byte) << shift),
    }
}

impl Texts {
    /// The texts must ascend.
    pub(super) fn new(texts: Vec<Box<[u8]>>) -> Texts {
        let common: Box<[u8]> = match (texts.first(), texts.last()) {
            (Some(first), Some(last)) => {
                let length = first.iter().zip(last).take_while(|(a, b)| a == b).count();
                first.get(..length).unwrap_or_default().into()
            }
            _ => Box::default(),
        };
        let heads = texts.iter().map(|text| head(text.get(common.len()..).unwrap_or_default())).collect();
        Texts { common, heads: Heads::new(heads), texts: texts.into() }
    }

    /// How many of the texts are at most this one.
    pub(super) fn at_most(&self, text: &[u8]) -> usize {
        let Some(rest) = text.strip_prefix(&*self.common) else {
            return if text < &*self.common { 0 } else { self.texts.len() };
        };
        let head = head(rest);
        let before = self.heads.less(head);
        let same = self.heads.heads.get(before..).unwrap_or_default();
        if same.first() != Some(&head) {
            return before;
        }
        let same = same.partition_point(|&other| other == head);
        let texts = self.texts.get(before..before + same).unwrap_or_default();
        before + texts.partition_point(|other| **other <= *text)
    }
}

#[cfg(test)]
mod tests {
    use super::{Heads, Texts};

    #[test]
    fn numbers_are_found_wherever_they_lie() {
        for widest in [0, 1, 7, 1000, u64::MAX] {
            for count in [0, 1, 2, 3, 100] {
                let heads: Vec<u64> = (0..count).map(|at| widest / count.max(1) * at + u64::from(at > 50)).collect();
                let all = Heads::new(heads.clone().into());
                for number in heads.iter().flat_map(|&head| [head.wrapping_sub(1), head, head.wrapping_add(1)]) {
                    let expected = heads.iter().filter(|&&head| head < number).count();
                    assert_eq!(all.less(number), expected, "{number} of {heads:?}");
                }
            }
        }
    }

    #[test]
    fn texts_are_found_as_by_comparing_all_of_them() {
        let words: Vec<String> = ["", "a", "a\0", "a/b", "aaaaaaaa", "aaaaaaaaa", "aaaaaaaab", "ab", "b", "ü", "zzzz"]
            .iter()
            .flat_map(|word| ["", "prefix/", "prefix/aaaaaaaa"].map(|before| format!("{before}{word}")))
            .collect();
        for begin in ["", "prefix/", "prefix/aaaaaaaa"] {
            let mut texts: Vec<Box<[u8]>> =
                words.iter().filter(|word| word.starts_with(begin)).map(|word| word.as_bytes().into()).collect();
            texts.sort();
            texts.dedup();
            let all = Texts::new(texts.clone());
            for word in &words {
                let expected = texts.iter().filter(|text| ***text <= *word.as_bytes()).count();
                assert_eq!(all.at_most(word.as_bytes()), expected, "{begin} {word}");
            }
        }
    }
}
