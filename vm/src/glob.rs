//! Globs: which paths are of a form.

/// The segments of a path or a glob that are still to come. A text without a separator is one segment.
#[derive(Clone, Copy)]
struct Segments<'t>(Option<&'t [u8]>);

impl<'t> Segments<'t> {
    /// The first segment, and those behind it.
    fn first(self) -> Option<(&'t [u8], Segments<'t>)> {
        let text = self.0?;
        let found = text.iter().position(|&byte| byte == b'/').and_then(|end| text.split_at_checked(end));
        Some(match found {
            Some((first, rest)) => (first, Segments(rest.get(1..))),
            None => (text, Segments(None)),
        })
    }
}

/// `*` is one segment, `**` any number of them, everything else itself. What failed behind a `**` is tried again one
/// segment further, and of several only the last has to be.
pub(crate) fn matches(path: &[u8], glob: &[u8]) -> bool {
    let (mut path, mut glob) = (Segments(Some(path)), Segments(Some(glob)));
    let mut again: Option<(Segments, Segments)> = None;
    while let Some((segment, rest)) = path.first() {
        match glob.first() {
            Some((b"**", behind)) => {
                again = Some((path, behind));
                glob = behind;
            }
            Some((pattern, behind)) if pattern == b"*" || pattern == segment => (path, glob) = (rest, behind),
            Some(_) | None => {
                let Some((from, behind)) = again else { return false };
                let Some((_, further)) = from.first() else { return false };
                again = Some((further, behind));
                (path, glob) = (further, behind);
            }
        }
    }
    while let Some((pattern, behind)) = glob.first() {
        if pattern != b"**" {
            return false;
        }
        glob = behind;
    }
    true
}

/// What is below a path and the path itself, where a glob says no more than that: all of the glob but its last `/**`.
pub(crate) fn below(glob: &[u8]) -> Option<&[u8]> {
    let path = glob.strip_suffix(b"/**")?;
    let is_plain = path.split(|&byte| byte == b'/').all(|segment| segment != b"*" && segment != b"**");
    is_plain.then_some(path)
}

/// Whether a path is another one or below it.
#[inline]
pub(crate) fn is_below(path: &[u8], other: &[u8]) -> bool {
    path.strip_prefix(other).is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
}

#[cfg(test)]
mod tests {
    use super::{below, is_below, matches};

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
            ("a/**", "ab", false),
            ("", "", true),
            ("/**", "", true),
            ("/**", "/a", true),
            ("/**", "a", false),
            ("**/**", "", true),
            ("a//b", "a//b", true),
            ("a/", "a", false),
        ] {
            assert_eq!(matches(path.as_bytes(), glob.as_bytes()), is_match, "{glob} {path}");
            if let Some(above) = below(glob.as_bytes()) {
                assert_eq!(is_below(path.as_bytes(), above), is_match, "{glob} {path}");
            }
        }
    }
}
