//! YAML: a strict, small profile of it, read to a tree in which every node knows its place.
//!
//! Taken are block and flow mappings and sequences; plain, quoted and block scalars; comments; one document, with or
//! without `---`. Refused, each by a rule with a code, are anchors and aliases, tags, directives, merge keys, several
//! documents or none, control characters, keys that are no scalar of one line, keys that are there twice, and plain
//! words that another reader of YAML takes for something else than this one. Scalars stay as they are written: no
//! number passes through a float, and what a scalar means is for whoever asks for it to say.

mod meaning;
mod plain;
mod read;
mod show;
pub mod tree;

pub use meaning::Meaning;
pub use read::{parse, read};
pub use show::show;
