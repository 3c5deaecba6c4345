//! Sessions of words: a stack that survives, words with effects on the world, tables.

pub mod csv;
mod database;
mod error;
mod host;
mod import;
mod item;
mod machine;
mod postgres;
mod project;
mod pure;
mod server;
mod session;
mod table;
mod zip;

pub use database::Database;
pub use error::WordError;
pub use item::{Column, Content, Item};
pub use machine::{Machine, Outside};
