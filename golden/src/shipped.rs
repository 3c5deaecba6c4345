//! The cases, and the programs that ship, as they were when this was built, for whoever has no checkout.

/// Every case, its name and its text, sorted by name.
pub const CASES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/cases.rs"));

/// Every program below `folds`, `policies` and `examples`, its path and its text, sorted by path.
pub const PROGRAMS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/programs.rs"));
