//! The tree of a source of words: lines, each a definition or what is run, in one notation.

use crate::Span;
use kerai_vm::number::Number;

/// A whole source.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Script {
    pub lines: Vec<Line>,
}

/// A definition, or terms that are run.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub notation: Notation,
    /// What is defined; nothing where the line is run.
    pub header: Option<Header>,
    pub terms: Vec<Term>,
    pub span: Span,
}

/// `name a b:`
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    pub name: Name,
    /// Names for the topmost items, the last one for the top.
    pub parameters: Vec<Name>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub text: Box<str>,
    pub span: Span,
}

/// Where a word stands to what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Notation {
    #[default]
    Postfix,
    Infix,
    Prefix,
}

impl Notation {
    pub const ALL: &[Notation] = &[Notation::Postfix, Notation::Infix, Notation::Prefix];

    /// The word that begins a section of it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Notation::Postfix => "kerai.postfix",
            Notation::Infix => "kerai.infix",
            Notation::Prefix => "kerai.prefix",
        }
    }

    #[must_use]
    pub fn of(word: &str) -> Option<Notation> {
        Notation::ALL.iter().copied().find(|notation| notation.word() == word)
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    pub kind: TermKind,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TermKind {
    Number(Number),
    Text(Box<[u8]>),
    Word(Box<str>),
    /// `name:` within brackets: the key of the value behind it.
    Key(Box<str>),
    Comma,
    Bracket(Bracket),
    Group(Notation, Vec<Term>),
}

/// `[…]`, `[x y => …]`: as data a list or a map, as code what is done.
#[derive(Debug, Clone, PartialEq)]
pub struct Bracket {
    pub notation: Notation,
    pub parameters: Vec<Name>,
    /// Whether it has an arrow, and so is nothing but code.
    pub is_code: bool,
    pub terms: Vec<Term>,
}
