//! The commands, one file each.

pub mod append;
pub mod asm;
pub mod build;
pub mod check;
pub mod check_proof;
pub mod data;
pub mod diff;
pub mod eval;
pub mod exec;
pub mod explain;
pub mod fmt;
pub mod init;
pub mod keys;
pub mod laws;
pub mod materialize;
pub mod pack;
pub mod policy;
pub mod prove;
pub mod run;
pub mod show;
pub mod show_evidence;
pub mod stream;
pub mod trace;
pub mod verify;
