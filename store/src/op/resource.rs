//! Resources, `gatos://repo/ns/path`, and what a segment of a path may be.

use kerai_vm::encoding::text;

const SCHEME: &str = "gatos://";

/// Controls, and the marks that make text read otherwise than it stands.
pub(crate) const fn is_control(point: char) -> bool {
    matches!(point, '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}')
        || matches!(point, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a text can be a segment of a path: nothing that a file system, a URL or a reader takes for something else.
#[must_use]
pub fn is_segment(segment: &str) -> bool {
    let is_unsafe = |point: char| matches!(point, '/' | '%' | '\\') || is_control(point);
    !matches!(segment, "" | "." | "..") && !segment.chars().any(is_unsafe) && text::check(segment.as_bytes()).is_ok()
}

/// A resource, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource<'a> {
    pub repo: &'a str,
    /// `ns/path`: what policies and folds match.
    pub path: &'a str,
}

impl<'a> Resource<'a> {
    /// A resource has a repository, a namespace and at least one segment of a path.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Resource<'a>> {
        let rest = text.strip_prefix(SCHEME)?;
        let (repo, path) = rest.split_once('/')?;
        let is_whole = path.contains('/') && rest.split('/').all(is_segment);
        is_whole.then_some(Resource { repo, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_plain() {
        let resource = Resource::parse("gatos://acme/ledger/2026/a b.json").expect("a resource");
        assert_eq!((resource.repo, resource.path), ("acme", "ledger/2026/a b.json"));
        for bad in [
            "",
            "gatos://",
            "gatos://acme",
            "gatos://acme/ledger",
            "gatos://acme/ledger/",
            "gatos://acme//x",
            "gatos://acme/ledger/../x",
            "gatos://acme/ledger/./x",
            "gatos://acme/ledger/a%2fb",
            "gatos://acme/ledger/a\\b",
            "gatos://acme/ledger/a\0b",
            "gatos://acme/ledger/a\u{202e}b",
            "gatos://acme/ledger/e\u{301}",
            "GATOS://acme/ledger/x",
            "https://acme/ledger/x",
        ] {
            assert_eq!(Resource::parse(bad), None, "{bad:?}");
        }
    }
}
