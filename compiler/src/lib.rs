//! From text to bytecode: pure, no I/O.

mod code;
pub mod compile;
mod diagnostic;
pub mod emit;
pub mod explain;
mod intern;
pub mod ir;
mod layout;
pub mod limit;
pub mod lower;
pub mod price;
pub mod relate;
mod source;

mod span;
mod suggest;
pub mod syntax;
pub mod trial;

pub use code::Code;
pub use compile::{Compiled, Language, compile};
pub use diagnostic::{Diagnostic, Fix, Note, Report, apply_fixes};
pub use source::{Position, Source};
pub use span::Span;
pub use suggest::similar;
