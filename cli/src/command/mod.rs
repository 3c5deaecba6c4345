//! The commands, one file each.

pub mod append;
pub mod asm;
pub mod build;
pub mod bundle;
pub mod check;
pub mod data;
pub mod epoch;
pub mod eval;
pub mod exec;
pub mod explain;
pub mod fmt;
pub mod golden;
pub mod init;
pub mod keys;
pub mod laws;
pub mod materialize;
pub mod policy;
pub mod price;
pub mod run;
pub mod show;
pub mod stream;
pub mod trial;
pub mod verify;
