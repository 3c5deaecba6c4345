//! Lua: text to tokens to a tree, what a linter sees in it, and its one form of writing.

pub mod tree;
