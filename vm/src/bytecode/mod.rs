//! The bytecode: what a program is, its one canonical byte string, and what must hold before it may run.
//!
//! `bytes ──decode──▶ Program ──verify──▶ Verified`: each type can only be had from the one before it.

mod builtin;
mod decode;
mod encode;
mod instruction;
mod merging;
mod module;
mod quick;
mod ready;
mod text;
mod verify;

pub(crate) use builtin::each_builtin;
pub use builtin::{ANY, Builtin, Gives, Purity};
pub use instruction::{ALL_RESULTS, Arguments, Exit, Information, Op, Operand, Place, Role, SPREAD, Word, results};
pub use merging::{Certificate, Class, Grounds, Merging, Order};
pub use module::{Constant, Function, Limits, PROFILE, Program, ProgramKind, Rule};
pub use quick::Quick;
pub use ready::{After, Instruction, Known, Ready, Reply, block_cost};
pub use verify::Verified;
pub(crate) use verify::{Assigned, live};

pub(crate) use instruction::each_instruction;
pub(crate) use quick::each_quick;
