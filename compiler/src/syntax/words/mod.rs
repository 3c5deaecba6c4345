//! Words: kerai's own language, in three notations, from text to a tree, and its one form of writing.

mod format;
pub mod host;
pub mod library;
mod parse;
mod show;
mod token;
pub mod tree;

use crate::Diagnostic;

pub use format::format;
pub use parse::{Parsed, is_name, number, parse};
pub use show::show;

/// Reads a source.
///
/// # Errors
/// All mistakes in the writing.
pub fn read(text: &str) -> Result<tree::Script, Vec<Diagnostic>> {
    let Parsed { script, diagnostics, .. } = parse(text);
    if diagnostics.is_empty() { Ok(script) } else { Err(diagnostics) }
}
