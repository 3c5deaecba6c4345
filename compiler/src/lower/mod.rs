//! From trees to the IR: one folder a language.

pub mod lua;
pub mod merge;
pub mod policy;
pub mod words;
