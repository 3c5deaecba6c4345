//! Lua: text to tokens to a tree, what a linter sees in it, and its one form of writing.

#[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction, reason = "made by a tool")]
#[allow(unused_imports, unused_parens, dead_code, reason = "made by a tool")]
mod grammar {
    include!(concat!(env!("OUT_DIR"), "/syntax/lua/grammar.rs"));
}
mod comments;
mod format;
mod lexer;
pub mod library;
mod lint;
mod literal;
mod numeral;
mod pairing;
mod parse;
mod pragma;
mod recovery;
mod scope;
mod show;

mod token;
pub mod tree;

use crate::diagnostic::Diagnostic;

pub use format::format;
pub use lint::lint;
pub use numeral::{NumeralFault, NumeralValue};
pub use parse::{Parsed, parse};
pub use show::show;

/// The exact number that a numeral is, with a minus before it or not.
///
/// # Errors
/// What is wrong, to be said after the numeral's text.
pub(crate) fn exact(digits: &str, is_negative: bool) -> Result<kerai_vm::number::Number, &'static str> {
    let kind = literal::numeral_kind(digits).ok_or("is no number")?;
    let value = tree::Numeral { text: digits.into(), kind }.value(false).map_err(NumeralFault::message)?;
    match value {
        NumeralValue::Exact(number) if is_negative => Ok(number.negate()),
        NumeralValue::Exact(number) => Ok(number),
        NumeralValue::Float(_) => Err("is a float"),
    }
}

/// Reads a source and looks for every hazard in it.
///
/// # Errors
/// All mistakes: those in the writing or, where it is written rightly, the hazards.
pub fn check(text: &str) -> Result<tree::Chunk, Vec<Diagnostic>> {
    let Parsed { chunk, diagnostics, .. } = parse(text);
    let diagnostics = if diagnostics.is_empty() { lint(&chunk) } else { diagnostics };
    if diagnostics.is_empty() { Ok(chunk) } else { Err(diagnostics) }
}
