//! From text to bytecode: pure, no I/O.

mod code;
mod diagnostic;
pub mod emit;
pub mod ir;
pub mod limit;
mod span;
pub mod syntax;

pub use code::Code;
pub use diagnostic::{Diagnostic, Fix, Note, apply_fixes};
pub use span::Span;
