//! Did you mean: the name that is most like one that is not there.

/// The most names that are looked at, and the longest: a suggestion is no reason to wait.
const MOST_NAMES: usize = 500;
const LONGEST: usize = 32;

/// The name that is like the written one; of several the most alike, and then the first.
pub fn similar<'n>(written: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let written_length = written.len();
    if written_length > LONGEST {
        return None;
    }
    // One mistake in three letters; two letters alone are no likeness.
    let most = if written_length < 3 { 0 } else { 1 + written_length / 5 };
    names
        .into_iter()
        .take(MOST_NAMES)
        .filter(|name| name.len().abs_diff(written_length) <= most && *name != written)
        .filter_map(|name| {
            let is_case = name.eq_ignore_ascii_case(written);
            let distance = if is_case { 0 } else { distance(written.as_bytes(), name.as_bytes()) };
            (distance <= most).then_some((distance, name))
        })
        .min()
        .map(|(_, name)| name)
}

/// How many letters must be put in, left out, changed, or swapped with the next.
fn distance(from: &[u8], to: &[u8]) -> usize {
    // Rows of the table of distances between beginnings: the one before the last, the last, the next.
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=to.len()).collect();
    let mut from_before = None;
    for (row, &letter) in from.iter().enumerate() {
        let mut next = Vec::with_capacity(to.len() + 1);
        let mut left = row + 1;
        next.push(left);
        for (column, &other) in to.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
            let replaced = at(&last, column) + usize::from(letter != other);
            let mut best = replaced.min(at(&last, column + 1) + 1).min(left + 1);
            let is_swapped = column > 0 && from_before == Some(other) && to.get(column - 1) == Some(&letter);
            if is_swapped {
                best = best.min(at(&before, column - 1).saturating_add(1));
            }
            next.push(best);
            left = best;
        }
        before = std::mem::replace(&mut last, next);
        from_before = Some(letter);
    }
    last.last().copied().unwrap_or(from.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_changes() {
        for (from, to, count) in [
            ("", "", 0),
            ("abc", "abc", 0),
            ("abc", "ab", 1),
            ("abc", "xabc", 1),
            ("abc", "acb", 1),
            ("kitten", "sitting", 3),
            ("ab", "", 2),
        ] {
            assert_eq!(distance(from.as_bytes(), to.as_bytes()), count, "{from} {to}");
        }
    }

    #[test]
    fn the_most_alike_is_suggested() {
        let names = ["find", "format", "gmatch", "match"];
        assert_eq!(similar("fnd", names), Some("find"));
        assert_eq!(similar("FIND", names), Some("find"));
        assert_eq!(similar("gmacth", names), Some("gmatch"));
        assert_eq!(similar("zebra", names), None);
        assert_eq!(similar("x", ["y"]), None);
    }
}
