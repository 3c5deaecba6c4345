//! The front ends: one folder a language, each from text to a tree.

pub mod lua;
pub mod policy;
pub mod words;
pub mod yaml;
