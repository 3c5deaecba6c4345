//! How a command ends: yes, no, or a fault of the environment.

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
    Read { path: String, cause: io::Error },
    Write(io::Error),
    Use(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Read { path, cause } => write!(f, "can't read `{path}`: {cause}"),
            Fault::Write(cause) => write!(f, "can't write the output: {cause}"),
            Fault::Use(what) => f.write_str(what),
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
            ExitCode::from(2)
        }
    }
}
