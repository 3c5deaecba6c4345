//! The commands, one file each.

pub mod asm;
pub mod check;
pub mod data;
pub mod exec;
pub mod explain;
pub mod fmt;
pub mod show;
