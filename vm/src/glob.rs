//! Globs: which paths are of a form.

/// `*` is one segment, `**` any number of them, everything else itself. What failed behind a `**` is tried again one
/// segment further, and of several only the last has to be.
pub(crate) fn matches(path: &[u8], glob: &[u8]) -> bool {
    let path: Vec<&[u8]> = path.split(|&byte| byte == b'/').collect();
    let glob: Vec<&[u8]> = glob.split(|&byte| byte == b'/').collect();
    let (mut at, mut of) = (0, 0);
    let mut again: Option<(usize, usize)> = None;
    while let Some(&segment) = path.get(at) {
        match glob.get(of) {
            Some(&b"**") => {
                again = Some((at, of + 1));
                of += 1;
            }
            Some(&pattern) if pattern == b"*" || pattern == segment => (at, of) = (at + 1, of + 1),
            Some(_) | None => match &mut again {
                Some((from, behind)) => {
                    *from += 1;
                    (at, of) = (*from, *behind);
                }
                None => return false,
            },
        }
    }
    glob.get(of..).unwrap_or_default().iter().all(|&pattern| pattern == b"**")
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn globs_match_whole_segments() {
        for (glob, path, is_match) in [
            ("a/b", "a/b", true),
            ("a/b", "a/b/c", false),
            ("a/*", "a/b", true),
            ("a/*", "a", false),
            ("a/**", "a", true),
            ("a/**", "a/b/c", true),
            ("**/c", "a/b/c", true),
            ("a/**/c/**/e", "a/c/b/c/d/e", true),
            ("a/**/c/*", "a/c/c/c/d", true),
            ("a/**/c", "a/b/d", false),
            ("a*", "ab", false),
            ("**", "a", true),
        ] {
            assert_eq!(matches(path.as_bytes(), glob.as_bytes()), is_match, "{glob} {path}");
        }
    }
}
