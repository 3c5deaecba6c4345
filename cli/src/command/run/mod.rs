//! `kerai run`: a project's whole work, or a fold over a file of events without a database.

mod events;
mod file;
mod project;
mod saved;

pub use file::rows_of;

use crate::Global;
use crate::outcome::{Fault, Outcome};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai run examples/stock                  makes the project's streams, appends their ops, writes their tables, verifies
  kerai run examples/stock --json           a line a step
  kerai run invoices.lua ops.jsonl          folds a file of events: counts and roots
  kerai run invoices.rgf ops.jsonl --rows   then its rows, a JSON object a line
  kerai run invoices.rgf ops.jsonl --save state         and the state into a file
  kerai run invoices.rgf more.jsonl --resume state      goes on from there, as if it had never stopped

What a project did before is not done again: a second run reports duplicates. Events are JSON objects, a line each, with
at least `ulid`, `type` and `payload`; they are folded in the order of their ULIDs, and one that stands there twice
counts once. An event whose step traps leaves no trace and is reported.")]
pub struct Arguments {
    /// The folder with kerai.toml, or a fold: bytecode or a source
    what: PathBuf,
    /// The events, with a fold; `-` is standard input
    events: Option<String>,
    #[command(flatten)]
    options: file::Options,
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    let what: &Path = &arguments.what;
    let shown = what.display();
    match &arguments.events {
        Some(events) if !what.is_dir() => file::run(&shown.to_string(), events, &arguments.options, global),
        Some(_) => Err(Fault::Use(format!("`{shown}` is a folder: name the fold that the events go to"))),
        None if what.is_dir() => match arguments.options.name() {
            Some(option) => {
                Err(Fault::Use(format!("`{option}` is for a fold with a file of events, not for a project")))
            }
            None => project::run(what, global),
        },
        None if what.exists() => Err(Fault::Use(format!(
            "`{shown}` is no project: with a fold, name its events: `kerai run {shown} OPS.jsonl`"
        ))),
        None => Err(Fault::Use(format!("there is no `{shown}`: name a project's folder, or a fold and its events"))),
    }
}
