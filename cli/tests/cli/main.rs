//! The commands as their users meet them: output, files and exit codes.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod folder;
mod golden;
mod hosts;
mod laws;
mod lua;
mod policy;
mod programs;
mod words;
