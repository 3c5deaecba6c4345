//! The log: one order of ops for a stream, each with its outcome, decided once and recorded.

mod foresight;
mod judge;
mod mixing;
mod record;
mod tree;

pub(crate) use foresight::{Foresight, Standing};
pub(crate) use judge::govern;
pub use judge::{Commit, Facts, Head, Log, Offer};
pub use record::{Outcome, Record};
pub use tree::{EMPTY, LogTree, leaf, node};
