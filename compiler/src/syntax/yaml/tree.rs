//! The tree of a YAML document.

use crate::span::Span;
use std::borrow::Cow;

/// A value and where it stands: a mapping or sequence in block style from its first key or `-` to its last value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node<'t> {
    pub span: Span,
    pub kind: Kind<'t>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind<'t> {
    Scalar(Scalar<'t>),
    Sequence(Vec<Node<'t>>),
    /// In the order in which they are written; no two have one key.
    Mapping(Vec<Entry<'t>>),
}

/// Text, with escapes and folded lines resolved, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scalar<'t> {
    pub text: Cow<'t, str>,
    pub style: Style,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'t> {
    pub key: Key<'t>,
    pub value: Node<'t>,
}

/// A key is its text, quoted or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key<'t> {
    pub text: Cow<'t, str>,
    pub span: Span,
}

impl<'t> Node<'t> {
    /// The entries of a mapping.
    #[must_use]
    pub fn mapping(&self) -> Option<&[Entry<'t>]> {
        match &self.kind {
            Kind::Mapping(entries) => Some(entries),
            Kind::Scalar(_) | Kind::Sequence(_) => None,
        }
    }

    /// The items of a sequence.
    #[must_use]
    pub fn sequence(&self) -> Option<&[Node<'t>]> {
        match &self.kind {
            Kind::Sequence(items) => Some(items),
            Kind::Scalar(_) | Kind::Mapping(_) => None,
        }
    }

    #[must_use]
    pub fn scalar(&self) -> Option<&Scalar<'t>> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(scalar),
            Kind::Sequence(_) | Kind::Mapping(_) => None,
        }
    }

    /// The value of a mapping's key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node<'t>> {
        self.mapping()?.iter().find(|entry| entry.key.text == key).map(|entry| &entry.value)
    }
}
