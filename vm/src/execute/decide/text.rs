//! Texts in order: which of many a text comes behind.

use core::ops::Range;

/// Texts that ascend. They are told apart by eight bytes behind what all of them begin with, and only where those are the
/// same by all of their bytes.
pub(super) struct Texts {
    common: Box<[u8]>,
    heads: Heads,
    /// How many texts come before those of each head, and behind the last one.
    starts: Box<[u32]>,
    /// The texts without what all of them begin with.
    rests: Box<[Box<[u8]>]>,
}

/// Numbers that ascend, each once, in drawers of one width, so that a search begins where its number would lie. A drawer
/// in which many lie is a cabinet with narrower ones, so that a few numbers far from all others spoil nothing.
struct Heads {
    numbers: Box<[u64]>,
    cabinets: Vec<Cabinet>,
    drawers: Vec<Drawer>,
}

struct Cabinet {
    first: u64,
    shift: u32,
    /// Where its drawers are.
    drawers: Range<usize>,
    /// Where its numbers are.
    numbers: Range<usize>,
}

enum Drawer {
    /// Where the numbers in it are.
    Few(Range<u32>),
    Many(u32),
}

/// A cabinet has at most two to the power of this many drawers.
const MOST_DRAWERS: u32 = 12;
/// So few numbers are looked at one after the other.
const FEW: usize = 4;

impl Heads {
    fn new(numbers: Box<[u64]>) -> Heads {
        let all = 0..numbers.len();
        let mut heads = Heads { numbers, cabinets: Vec::new(), drawers: Vec::new() };
        heads.fill(all);
        heads
    }

    /// Puts numbers into a cabinet. Each drawer is narrower than the cabinet, so this ends.
    fn fill(&mut self, range: Range<usize>) -> u32 {
        let numbers = self.numbers.get(range.clone()).unwrap_or_default();
        let (first, last) = numbers.first().zip(numbers.last()).map_or((0, 0), |(&first, &last)| (first, last));
        let most = (2 * numbers.len()).next_power_of_two().ilog2().min(MOST_DRAWERS);
        let shift = (u64::BITS - (last - first).leading_zeros()).saturating_sub(most);
        let count = usize::try_from((last - first) >> shift).unwrap_or(usize::MAX).saturating_add(1);
        let begin = self.drawers.len();
        let drawers = begin..begin + count;
        self.drawers.resize_with(drawers.end, || Drawer::Few(0..0));
        let (place, mut from) = (self.cabinets.len(), range.start);
        self.cabinets.push(Cabinet { first, shift, drawers: drawers.clone(), numbers: range.clone() });
        for (drawer, at) in (0_u64..).zip(drawers) {
            let rest = self.numbers.get(from..range.end).unwrap_or_default();
            let to = from + rest.partition_point(|&number| (number - first) >> shift <= drawer);
            let filled =
                if to - from > FEW { Drawer::Many(self.fill(from..to)) } else { Drawer::Few(fit(from)..fit(to)) };
            if let Some(drawer) = self.drawers.get_mut(at) {
                *drawer = filled;
            }
            from = to;
        }
        fit(place)
    }

    /// How many of the numbers are less.
    fn less(&self, number: u64) -> usize {
        let mut next = self.cabinets.first();
        while let Some(cabinet) = next {
            let Some(distance) = number.checked_sub(cabinet.first) else { return cabinet.numbers.start };
            let drawer = usize::try_from(distance >> cabinet.shift).unwrap_or(usize::MAX);
            let drawers = self.drawers.get(cabinet.drawers.clone()).unwrap_or_default();
            match drawers.get(drawer) {
                Some(Drawer::Few(range)) => {
                    let (from, to) = (range.start as usize, range.end as usize);
                    let near = self.numbers.get(from..to).unwrap_or_default();
                    return from + near.iter().filter(|&&other| other < number).count();
                }
                Some(&Drawer::Many(inner)) => next = self.cabinets.get(inner as usize),
                None => return cabinet.numbers.end,
            }
        }
        0
    }
}

/// There are fewer texts than nodes of a plan.
fn fit(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
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
        let rests: Box<[Box<[u8]>]> =
            texts.iter().map(|text| text.get(common.len()..).unwrap_or_default().into()).collect();
        let (mut heads, mut starts) = (Vec::new(), Vec::new());
        for (place, rest) in (0..).zip(&*rests) {
            if heads.last() != Some(&head(rest)) {
                heads.push(head(rest));
                starts.push(place);
            }
        }
        starts.push(fit(texts.len()));
        Texts { common, heads: Heads::new(heads.into()), starts: starts.into(), rests }
    }

    /// How many of the texts are at most this one.
    pub(super) fn at_most(&self, text: &[u8]) -> usize {
        let Some(rest) = text.strip_prefix(&*self.common) else {
            return if text < &*self.common { 0 } else { self.rests.len() };
        };
        let head = head(rest);
        let place = self.heads.less(head);
        let start = |place: usize| self.starts.get(place).map_or(self.rests.len(), |&start| start as usize);
        let before = start(place);
        if self.heads.numbers.get(place) != Some(&head) {
            return before;
        }
        let same = self.rests.get(before..start(place + 1)).unwrap_or_default();
        before + same.partition_point(|other| **other <= *rest)
    }
}

#[cfg(test)]
mod tests {
    use super::{Heads, Texts};

    #[test]
    fn numbers_are_found_wherever_they_lie() {
        for widest in [0, 1, 7, 1000, u64::MAX] {
            for count in [0, 1, 2, 3, 100] {
                let mut heads: Vec<u64> =
                    (0..count).map(|at| widest / count.max(1) * at + u64::from(at > 50)).collect();
                heads.extend((0..count).map(|at| u64::MAX - at * at * at));
                heads.sort_unstable();
                heads.dedup();
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
