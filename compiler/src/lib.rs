//! From text to bytecode: pure, no I/O.

mod span;

pub use span::Span;
