//! The cases as they were when the program was built, for whoever has no checkout.

/// Every case, its name and its text, sorted by name.
pub const CASES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/cases.rs"));
