//! The command line: one file a command, each a thin layer over the libraries.

#[macro_use]
mod print;

mod call;
mod command;
mod diagnostics;
mod evidence;
mod input;
mod map;
mod outcome;
mod program;
mod progress;
mod project;
mod report;
mod sources;
mod spool;
mod store;
mod words;

use clap::{Args, CommandFactory, Parser, Subcommand};
use std::io::IsTerminal;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "kerai", version, about = "rules become law: the same answer everywhere, and you can prove it")]
#[command(
    after_help = "What begins with no verb is words: `kerai 1 2 +`; `kerai` alone, on a terminal, reads them line by line.
Exit codes: 0 yes; 1 no (refused, denied, divergent, a diagnostic); 2 wrong use, a missing file, a fault."
)]
struct Arguments {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

/// Options that every command has, before or after its name.
#[derive(Args, Clone)]
pub struct Global {
    /// Print one JSON object (JSON Lines for streams) on standard output and nothing else
    #[arg(long, global = true)]
    json: bool,
    /// Print results and errors only
    #[arg(long, global = true)]
    quiet: bool,
    /// The database: the path of an SQLite file, or `postgres://…` [default: the project's `.kerai/kerai.db`]
    #[arg(long, global = true, value_name = "URL")]
    db: Option<String>,
    /// The session whose stack words run on, and which keeps what they leave
    #[arg(long, global = true, value_name = "NAME")]
    session: Option<String>,
}

#[derive(Subcommand)]
enum Verb {
    /// Canonical bytes of documents: write, check, hash
    Data(command::data::Arguments),
    /// Assembly text to a program's canonical bytes and its root
    Asm(command::asm::Arguments),
    /// Sources to programs: canonical bytes, roots, maps
    Build(command::build::Arguments),
    /// Everything that is wrong with sources, and what to write instead
    Check(command::check::Arguments),
    /// Write sources in their one form
    Fmt(command::fmt::Arguments),
    /// Open a program, a document, a pack, a proof, an op or a checkpoint and say what is in it
    Show(command::show::Arguments),
    /// Run a piece of Lua or words and print what comes of it
    Eval(command::eval::Arguments),
    /// Call an exported function of a program
    Exec(command::exec::Arguments),
    /// Make a project: kerai.toml, folders, a signing key
    Init(command::init::Arguments),
    /// Make a signing key, or show its public half
    Keys(command::keys::Arguments),
    /// Make streams and list them
    Stream(command::stream::Arguments),
    /// Sign ops and commit them to a stream
    Append(command::append::Append),
    /// Commit ops that were signed elsewhere
    Ingest(command::append::Ingest),
    /// Write a stream's state to its tables, with a signed checkpoint
    Materialize(command::materialize::Arguments),
    /// Compute everything of a stream or a pack again and compare
    Verify(command::verify::Arguments),
    /// Close a stream's epoch and begin the next one
    Epoch(command::epoch::Arguments),
    /// Write everything that can be checked of a stream to one file
    Pack(command::pack::Arguments),
    /// Lay out what is in a pack
    Unpack(command::pack::Unpack),
    /// Write a proof: a small file that shows a row, an absence, an op, or that a log was only continued
    Prove(command::prove::Arguments),
    /// Whether a proof shows what it claims, from its file alone
    CheckProof(command::check_proof::Arguments),
    /// What an op's step does, instruction by instruction
    Trace(command::trace::Arguments),
    /// Which rows change from one fold or state to another; what differs between two programs
    Diff(command::diff::Arguments),
    /// A project's whole work, or a fold over a file of events
    Run(command::run::Arguments),
    /// Ask a policy, learn why it decided, begin a new one
    Policy(command::policy::Arguments),
    /// Ask a price list what something costs, and how that is computed
    Price(command::price::Arguments),
    /// Whether a fold's `join` merges, and if not, why
    Laws(command::laws::Arguments),
    /// Golden cases: that this machine gives the same answers as every other
    Golden(command::golden::Arguments),
    /// What an error code means and what to do about it
    Explain(command::explain::Arguments),
}

/// What is no verb is words; nothing at all, on a terminal, is the REPL.
fn words() -> Option<outcome::Outcome> {
    let typed: Vec<String> = std::env::args_os().skip(1).map(|word| word.into_string().ok()).collect::<Option<_>>()?;
    let command = Arguments::command();
    let is_verb = |name: &str| name == "help" || command.find_subcommand(name).is_some();
    let typed = words::typed(&typed, is_verb)?;
    let is_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    match (typed.is_empty, is_terminal) {
        (false, _) => Some(words::run(&typed.text, &typed.global)),
        (true, true) => Some(words::repl(&typed.global)),
        (true, false) => None,
    }
}

fn main() -> ExitCode {
    if let Some(outcome) = words() {
        return outcome::exit(outcome);
    }
    let arguments = Arguments::parse();
    let global = &arguments.global;
    let result = match arguments.verb {
        Verb::Build(build) => command::build::run(&build, global),
        Verb::Eval(eval) => command::eval::run(&eval, global),
        Verb::Check(check) => command::check::run(&check, global),
        Verb::Fmt(fmt) => command::fmt::run(&fmt, global),
        Verb::Data(data) => command::data::run(&data, global),
        Verb::Asm(asm) => command::asm::run(&asm, global),
        Verb::Show(show) => command::show::run(&show, global),
        Verb::Exec(exec) => command::exec::run(&exec, global),
        Verb::Laws(laws) => command::laws::run(&laws, global),
        Verb::Init(init) => command::init::run(&init, global),
        Verb::Keys(keys) => command::keys::run(&keys, global),
        Verb::Stream(stream) => command::stream::run(&stream, global),
        Verb::Append(append) => command::append::append(&append, global),
        Verb::Ingest(ingest) => command::append::ingest(&ingest, global),
        Verb::Materialize(materialize) => command::materialize::run(&materialize, global),
        Verb::Verify(verify) => command::verify::run(&verify, global),
        Verb::Epoch(epoch) => command::epoch::run(&epoch, global),
        Verb::Trace(trace) => command::trace::run(&trace, global),
        Verb::Diff(diff) => command::diff::run(&diff, global),
        Verb::Pack(pack) => command::pack::pack(&pack, global),
        Verb::Unpack(unpack) => command::pack::unpack(&unpack, global),
        Verb::Prove(prove) => command::prove::run(&prove, global),
        Verb::CheckProof(check) => command::check_proof::run(&check, global),
        Verb::Run(run) => command::run::run(&run, global),
        Verb::Policy(policy) => command::policy::run(&policy, global),
        Verb::Golden(golden) => command::golden::run(&golden, global),
        Verb::Price(price) => command::price::run(&price, global),
        Verb::Explain(explain) => command::explain::run(&explain, global),
    };
    outcome::exit(result)
}
