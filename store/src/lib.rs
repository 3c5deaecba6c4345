//! kerai's memory: the log of signed operations, the gate, state, checkpoints, and the databases that hold them.

pub mod audit;
pub mod backend;
pub mod bundle;
pub mod checkpoint;
pub mod code;
mod desk;
pub mod document;
pub mod fault;
pub mod fold;
pub mod gate;
pub mod governance;
pub mod host;
pub mod key;
pub mod limit;
pub mod log;
pub mod materialize;
mod materializer;
pub mod op;
pub mod pack;
pub mod pages;
pub mod program;
pub mod proof;
mod prune;
mod recent;
pub mod relation;
pub mod state;
mod store;
pub mod verify;
mod witness;

pub use prune::PrunedNow;
pub use store::{Answer, Committed, Materialized, NewStream, Signers, Store, fresh_ulid};
