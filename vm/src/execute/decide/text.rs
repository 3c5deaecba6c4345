//! Texts in order: which of many a text comes behind.

/// Texts that ascend. They are told apart by eight bytes behind what all of them begin with, and only where those are the
/// same by all of their bytes.
pub(super) struct Texts {
    common: Box<[u8]>,
    heads: Box<[u64]>,
    texts: Box<[Box<[u8]>]>,
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
        Texts { common, heads, texts: texts.into() }
    }

    /// How many of the texts are at most this one.
    pub(super) fn at_most(&self, text: &[u8]) -> usize {
        let Some(rest) = text.strip_prefix(&*self.common) else {
            return if text < &*self.common { 0 } else { self.texts.len() };
        };
        let head = head(rest);
        let before = self.heads.partition_point(|&other| other < head);
        let same = self.heads.get(before..).unwrap_or_default();
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
    use super::Texts;

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
