//! Lua: text to tokens to a tree, what a linter sees in it, and its one form of writing.

#[allow(clippy::all, clippy::pedantic, clippy::nursery, clippy::restriction, reason = "made by a tool")]
#[allow(unused_imports, unused_parens, dead_code, reason = "made by a tool")]
mod grammar {
    include!(concat!(env!("OUT_DIR"), "/syntax/lua/grammar.rs"));
}
mod lexer;
mod literal;
mod pairing;
mod parse;
mod pragma;
mod recovery;
mod show;
mod token;
pub mod tree;

pub use parse::{Parsed, parse};
pub use show::show;
