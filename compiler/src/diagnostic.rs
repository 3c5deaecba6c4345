//! What is said to an author: a code, the place, a message, what to do, and where it can be done for them, how.

use crate::code::Code;
use crate::source::Position;
use crate::span::Span;
use kerai_vm::limit::{self, Limit};
use std::borrow::Cow;
use std::cmp::Reverse;

/// A mistake of an author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub code: Code,
    pub span: Span,
    /// What is wrong here, with the author's own text in backticks.
    pub message: Cow<'static, str>,
    /// What to do here, where the code's own help says less.
    pub help: Option<Cow<'static, str>>,
    /// A change that is safe to make without asking.
    pub fix: Option<Fix>,
    pub notes: Vec<Note>,
}

/// A part of the source and what to write in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    pub span: Span,
    pub replacement: String,
}

/// A further place that explains the mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub span: Span,
    pub message: Cow<'static, str>,
}

impl Diagnostic {
    #[must_use]
    pub fn new(code: Code, span: Span, message: impl Into<Cow<'static, str>>) -> Diagnostic {
        Diagnostic { code, span, message: message.into(), help: None, fix: None, notes: Vec::new() }
    }

    /// Says the code's summary, for mistakes that need no other words.
    #[must_use]
    pub fn plain(code: Code, span: Span) -> Diagnostic {
        Diagnostic::new(code, span, code.summary())
    }

    #[must_use]
    pub fn with_help(self, help: impl Into<Cow<'static, str>>) -> Diagnostic {
        Diagnostic { help: Some(help.into()), ..self }
    }

    #[must_use]
    pub fn with_fix(self, span: Span, replacement: impl Into<String>) -> Diagnostic {
        Diagnostic { fix: Some(Fix { span, replacement: replacement.into() }), ..self }
    }

    #[must_use]
    pub fn with_note(mut self, span: Span, message: impl Into<Cow<'static, str>>) -> Diagnostic {
        self.notes.push(Note { span, message: message.into() });
        self
    }

    /// What to do.
    #[must_use]
    pub fn help(&self) -> &str {
        self.help.as_deref().unwrap_or(self.code.help())
    }
}

impl Diagnostic {
    /// All of it as plain lines, with places in the source's text.
    #[must_use]
    pub fn describe(&self, text: &str) -> String {
        let at = |span: Span| {
            let Position { line, column } = Position::of(text.as_bytes(), span.start);
            format!("at line {line}, column {column}")
        };
        let mut lines = format!("{}: {} {}", self.code.name(), self.message, at(self.span));
        self.help.iter().for_each(|help| lines.push_str(&format!("\n  help: {help}")));
        self.fix.iter().for_each(|fix| lines.push_str(&format!("\n  fix: `{}` {}", fix.replacement, at(fix.span))));
        self.notes.iter().for_each(|note| lines.push_str(&format!("\n  note: {} {}", note.message, at(note.span))));
        lines
    }
}

/// The diagnostics of one source, never more than the limit on mistakes, and then one that says so.
#[derive(Debug, Clone, Default)]
pub struct Report {
    diagnostics: Vec<Diagnostic>,
}

impl Report {
    const MOST: Limit = limit::SOURCE_MISTAKES;

    /// Adds a diagnostic, as long as there is room.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let count = self.diagnostics.len() as u64;
        if count < Self::MOST.value {
            self.diagnostics.push(diagnostic);
        } else if !self.is_full() {
            let message = format!("there are more than {} mistakes (limit `{}`)", Self::MOST.value, Self::MOST.name);
            self.diagnostics.push(Diagnostic::new(Code::SOURCE_MISTAKES, diagnostic.span, message));
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// Whether more would not be reported.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.diagnostics.len() as u64 > Self::MOST.value
    }

    /// The last one, to be made longer.
    pub fn last_mut(&mut self) -> Option<&mut Diagnostic> {
        self.diagnostics.last_mut()
    }

    /// All of them, in the order of the source.
    #[must_use]
    pub fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        self.diagnostics.sort_by_key(|diagnostic| (diagnostic.code == Code::SOURCE_MISTAKES, diagnostic.span.start));
        self.diagnostics
    }
}

/// The text with the fixes made, and how many were. Of two that overlap, the first is made.
#[must_use]
pub fn apply_fixes(text: &str, diagnostics: &[Diagnostic]) -> (String, usize) {
    let mut fixes: Vec<&Fix> = diagnostics.iter().filter_map(|diagnostic| diagnostic.fix.as_ref()).collect();
    fixes.sort_by_key(|fix| (fix.span.start, Reverse(fix.span.end)));
    let (mut fixed, mut done, mut count) = (String::new(), 0, 0);
    for fix in fixes {
        // A fix that begins before the end of the last one overlaps it, and has no text between.
        let Some(between) = text.get(done..fix.span.start as usize) else { continue };
        fixed.push_str(between);
        fixed.push_str(&fix.replacement);
        done = fix.span.end as usize;
        count += 1;
    }
    fixed.push_str(text.get(done..).unwrap_or_default());
    (fixed, count)
}
