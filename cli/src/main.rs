//! The command line: one file a command, each a thin layer over the libraries.

mod command;
mod diagnostics;
mod input;
mod outcome;
mod report;
mod sources;

use clap::{Args, Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "kerai", version, about = "rules become law: the same answer everywhere, and you can prove it")]
#[command(
    after_help = "Exit codes: 0 yes; 1 no (refused, denied, divergent, a diagnostic); 2 wrong use, a missing file, a fault."
)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

/// Options that every command has, before or after its name.
#[derive(Args, Clone, Copy)]
pub struct Global {
    /// Print one JSON object (JSON Lines for streams) on standard output and nothing else
    #[arg(long, global = true)]
    json: bool,
    /// Print results and errors only
    #[arg(long, global = true)]
    quiet: bool,
}

#[derive(Subcommand)]
enum Verb {
    /// Canonical bytes of documents: write, check, hash
    Data(command::data::Arguments),
    /// Assembly text to a program's canonical bytes and its root
    Asm(command::asm::Arguments),
    /// Everything that is wrong with sources, and what to write instead
    Check(command::check::Arguments),
    /// Write sources in their one form
    Fmt(command::fmt::Arguments),
    /// Open a program or a document and say what is in it
    Show(command::show::Arguments),
    /// Call an exported function of a program
    Exec(command::exec::Arguments),
    /// What an error code means and what to do about it
    Explain(command::explain::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match arguments.verb {
        Verb::Data(data) => command::data::run(&data, arguments.global),
        Verb::Asm(asm) => command::asm::run(&asm, arguments.global),
        Verb::Check(check) => command::check::run(&check, arguments.global),
        Verb::Fmt(fmt) => command::fmt::run(&fmt, arguments.global),
        Verb::Show(show) => command::show::run(&show, arguments.global),
        Verb::Exec(exec) => command::exec::run(&exec, arguments.global),
        Verb::Explain(explain) => command::explain::run(&explain, arguments.global),
    };
    outcome::exit(result)
}
