//! How a command ends: yes, no, or a fault of the environment.

use kerai_store::code::{Class, Code};
use std::fmt;
use std::io;
use std::process::ExitCode;

/// What a command answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Yes,
    /// The input was refused; it has been said why.
    No,
}

/// The environment failed: a missing file, a full disk. Never a result.
#[derive(Debug)]
pub enum Fault {
    Read {
        path: String,
        cause: io::Error,
    },
    Write(io::Error),
    Use(String),
    /// The store says no: what is said of it, and its code.
    Refused(String, Code),
    /// The store's environment failed.
    Store(kerai_store::fault::Fault),
}

impl Fault {
    /// Whether it says something of the input: a trap, a program or an op that is none, damage that was found.
    fn is_answer(&self) -> bool {
        let is_of_input = |code: Code| {
            code.class() != Class::Store
                || matches!(code, Code::FOLD_TRAP | Code::PROGRAM_KIND | Code::LOG_DAMAGED | Code::CLAIM_FALSE)
                || matches!(code, Code::OP_UNFOLDED | Code::PROOF_FORM | Code::PROOF_FALSE | Code::PACK_FORM)
                || matches!(code, Code::PRUNED | Code::EPOCH_OPEN | Code::ARCHIVE_WRONG)
                || code.name().starts_with("BUNDLE_")
        };
        matches!(self, Fault::Refused(_, code) if is_of_input(*code))
    }
}

impl From<kerai_store::fault::Fault> for Fault {
    fn from(fault: kerai_store::fault::Fault) -> Fault {
        match fault.code() {
            Some(code) => Fault::Refused(fault.to_string(), code),
            None => Fault::Store(fault),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Read { path, cause } => write!(f, "can't read `{path}`: {cause}"),
            Fault::Write(cause) => write!(f, "can't write the output: {cause}"),
            Fault::Use(what) => f.write_str(what),
            Fault::Refused(what, code) => write!(f, "{what}\n  help: {}", code.explanation()),
            Fault::Store(fault) => fault.fmt(f),
        }
    }
}

pub type Outcome = Result<Answer, Fault>;

/// The exit code, after saying what the fault was.
pub fn exit(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(Answer::Yes) => ExitCode::SUCCESS,
        Ok(Answer::No) => ExitCode::from(1),
        // Whoever reads has enough, as with `| head`: no fault.
        Err(Fault::Write(cause)) if cause.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("error: {fault}");
            ExitCode::from(if fault.is_answer() { 1 } else { 2 })
        }
    }
}
