//! What went wrong with a word: an item that says so, with what was expected.

use kerai_compiler::{Diagnostic, Position, Span};
use serde_json::{Value, json};
use std::fmt;

/// A word that could not be run. The stack is as it was before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordError {
    pub code: String,
    pub message: String,
    /// What was expected, or what to do.
    pub help: String,
    /// Where the word stands in what was typed.
    pub span: Span,
}

impl WordError {
    pub fn new(code: &str, span: Span, message: impl Into<String>, help: impl Into<String>) -> WordError {
        WordError { code: code.to_owned(), message: message.into(), help: help.into(), span }
    }

    pub fn of_diagnostic(diagnostic: &Diagnostic) -> WordError {
        let mut message = diagnostic.message.clone().into_owned();
        // The stack as it stood is told with the mistake.
        for note in diagnostic.notes.iter().filter(|note| note.span == diagnostic.span) {
            message.push_str(&format!("; {}", note.message));
        }
        WordError::new(diagnostic.code.name(), diagnostic.span, message, diagnostic.help())
    }

    /// As `--json` shows it.
    #[must_use]
    pub fn to_json(&self, text: &str) -> Value {
        let Position { line, column } = Position::of(text.as_bytes(), self.span.start);
        json!({
            "kind": "error",
            "code": self.code,
            "message": self.message,
            "expected": self.help,
            "word": self.span.text(text),
            "line": line,
            "column": column,
        })
    }
}

impl fmt::Display for WordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        if self.help.is_empty() { Ok(()) } else { write!(f, "\n  help: {}", self.help) }
    }
}

pub type Done<T = ()> = Result<T, WordError>;
