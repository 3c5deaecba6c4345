//! Canonical JSON: a readable view of values, and the strict reader of documents that people and programs send.

mod decode;
mod encode;

pub use decode::decode;
pub use encode::encode;
