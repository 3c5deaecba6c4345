//! The IR as text, both ways: nested lists of words, one form a construct.
//!
//! Variables are `name.number`, functions `@name.number`, built-ins `:name`; names are for people, numbers decide.

mod form;
mod print;
mod read;

use super::Ir;
use crate::{Code, Diagnostic, Span};

/// Why a text is no program: the byte where it is wrong, and what is.
struct TextFault {
    at: usize,
    message: String,
}

impl Ir {
    /// The program as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        print::print(self)
    }

    /// Reads a program from text. It is well formed, but not yet checked.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn from_text(text: &str) -> Result<Ir, Diagnostic> {
        read::read(text).map_err(|TextFault { at, message }| {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            Diagnostic::new(Code::IR_SYNTAX, Span::new(at, at.saturating_add(1)), message)
        })
    }
}
