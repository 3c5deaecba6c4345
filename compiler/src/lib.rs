//! From text to bytecode: pure, no I/O.

mod code;
mod diagnostic;
pub mod emit;
pub mod ir;
mod layout;
pub mod limit;
mod source;
mod span;
pub mod syntax;

pub use code::Code;
pub use diagnostic::{Diagnostic, Fix, Note, Report, apply_fixes};
pub use source::{Position, Source};
pub use span::Span;
