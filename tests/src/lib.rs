//! What tests share: generators, evaluators, laws of sources, and bugs that are planted to be found.

pub mod differences;
pub mod differential;
pub mod evaluator;
pub mod gas;
pub mod generate;
pub mod lua;
pub mod planted;
pub mod property;
pub mod rewrite;
pub mod rewrite_lua;
pub mod server;
pub mod shapes;
pub mod shrink;
pub mod tokens;
pub mod tree;
pub mod walk;
pub mod words;
