//! `kerai-bench`: measures kerai beside its peers in one run and reports the ratios.

mod asked;
mod audit;
mod cbor;
mod compile;
mod events;
mod files;
mod harness;
mod hash;
mod invoices;
mod json;
mod lua;
mod machine;
mod merges;
mod ours;
mod policies;
mod server;
mod store;
mod wasm;

use events::Events;
use harness::{Outcome, Plan};
use std::io::Write;
use std::process::ExitCode;

/// One benchmark of documents: its name, what it compares, and the function that prepares, checks and measures.
/// Those of the machine stand in `machine.rs`.
struct Benchmark {
    name: &'static str,
    about: &'static str,
    run: fn(&Events, &Plan) -> Outcome<harness::Report>,
}

const BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "cbor-decode",
        about: "canonical CBOR to values, every rule verified; the peers decode without verifying",
        run: cbor::decode,
    },
    Benchmark {
        name: "cbor-check",
        about: "the canonical check in one pass without values; the peer decodes into a borrowing struct",
        run: cbor::check,
    },
    Benchmark { name: "cbor-encode", about: "values to canonical CBOR", run: cbor::encode },
    Benchmark { name: "json-decode", about: "strict JSON to values", run: json::decode },
    Benchmark { name: "json-encode", about: "values to canonical JSON", run: json::encode },
    Benchmark {
        name: "hash-ceiling",
        about: "hashing alone, one event at a time and in bulk: what no decoder needs to outrun",
        run: hash::ceiling,
    },
];

const HELP: &str = "\
usage: kerai-bench NAME [--json] [--events N] [--rounds N] [--seed N]
       kerai-bench documents [--json] …
       kerai-bench machine [--json] …
       kerai-bench evidence [--json] …
       kerai-bench compile [--json] …
       kerai-bench merges [--json] …
       kerai-bench policies [--json] …
       kerai-bench store [--json] …
       kerai-bench all [--json] …
       kerai-bench events [--events N] [--seed N]      writes the events as JSON Lines
       kerai-bench --list

A ratio is the peer's time over ours: above 1 means ours is faster.
";

struct Arguments {
    name: String,
    json: bool,
    plan: Plan,
}

impl Arguments {
    fn chooses(&self, group: &str, name: &str) -> bool {
        ["all", group, name].contains(&self.name.as_str())
    }
}

/// The groups that a name can choose whole.
const DOCUMENTS: &str = "documents";
const MACHINE: &str = "machine";
const MERGES: &str = "merges";

/// The name that measures nothing.
const EVENTS: &str = "events";
const EVIDENCE: &str = "evidence";

/// Group, name and summary of every benchmark.
fn listed() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let documents = BENCHMARKS.iter().map(|benchmark| (DOCUMENTS, benchmark.name, benchmark.about));
    let examples = machine::EXAMPLES.iter().map(|example| (MACHINE, example.name, example.about));
    let merges = merges::MERGES.iter().map(|merge| (MERGES, merge.name, merge.about));
    let others = [
        (compile::NAME, compile::NAME, compile::ABOUT),
        (policies::NAME, policies::NAME, policies::ABOUT),
        (store::NAME, store::NAME, store::ABOUT),
    ];
    let audits = audit::ALL.iter().map(|&(name, about)| (EVIDENCE, name, about));
    documents.chain(examples).chain(merges).chain(others).chain(audits)
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.first().map(String::as_str) {
        None | Some("--help" | "-h") => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Some("--list") => {
            for (_, name, about) in listed() {
                println!("{name:<16} {about}");
            }
            return ExitCode::SUCCESS;
        }
        Some(_) => {}
    }
    let arguments = match parse(&words) {
        Ok(arguments) => arguments,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn parse(words: &[String]) -> Outcome<Arguments> {
    let mut arguments = Arguments { name: String::new(), json: false, plan: Plan::default() };
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "--json" => arguments.json = true,
            "--events" => arguments.plan.events = number(word, rest.next())?,
            "--rounds" => arguments.plan.rounds = number(word, rest.next())?,
            "--seed" => arguments.plan.seed = number(word, rest.next())?,
            name if arguments.name.is_empty() && !name.starts_with('-') => arguments.name = name.to_owned(),
            other => return Err(format!("unknown argument `{other}`: see `kerai-bench --help`")),
        }
    }
    if arguments.name == EVENTS || listed().any(|(group, name, _)| arguments.chooses(group, name)) {
        Ok(arguments)
    } else {
        Err(format!("no benchmark `{}`: see `kerai-bench --list`", arguments.name))
    }
}

/// The number after an option; zero would measure nothing, so it is refused for all of them.
fn number<T: std::str::FromStr + Default + PartialEq>(option: &str, word: Option<&String>) -> Outcome<T> {
    word.and_then(|word| word.parse().ok())
        .filter(|number| *number != T::default())
        .ok_or_else(|| format!("`{option}` wants a whole number above zero"))
}

fn run(arguments: &Arguments) -> Outcome<()> {
    if arguments.name == EVENTS {
        return write_events(&arguments.plan).map_err(|error| format!("can't write the events: {error}"));
    }
    if BENCHMARKS.iter().any(|benchmark| arguments.chooses(DOCUMENTS, benchmark.name)) {
        run_documents(arguments)?;
    }
    run_machine(arguments)?;
    merges::run(|merge| arguments.chooses(MERGES, merge.name), &arguments.plan, arguments.json)?;
    if arguments.chooses(compile::NAME, compile::NAME) {
        compile::run(&arguments.plan, arguments.json)?;
    }
    if arguments.chooses(policies::NAME, policies::NAME) {
        policies::run(&arguments.plan, arguments.json)?;
    }
    if arguments.chooses(store::NAME, store::NAME) {
        let finding = store::run(&arguments.plan).map_err(|message| format!("{}: {message}", store::NAME))?;
        println!("{}", if arguments.json { finding.to_json().to_string() } else { finding.to_table() });
    }
    run_evidence(arguments)
}

fn run_evidence(arguments: &Arguments) -> Outcome<()> {
    let is_chosen = |name: &str| arguments.chooses(EVIDENCE, name);
    if !audit::ALL.iter().any(|one| is_chosen(one.0)) {
        return Ok(());
    }
    for (name, report) in audit::run(is_chosen, &arguments.plan)? {
        if arguments.json {
            println!("{}", report.to_json(name));
        } else {
            println!("\n{}", report.to_table(name));
        }
    }
    Ok(())
}

/// The events as other programs read them, a line each.
fn write_events(plan: &Plan) -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for event in Events::generate(plan.events, plan.seed).json.each() {
        out.write_all(event)?;
        out.write_all(b"\n")?;
    }
    out.flush()
}

fn run_documents(arguments: &Arguments) -> Outcome<()> {
    let events = Events::generate(arguments.plan.events, arguments.plan.seed);
    if !arguments.json {
        println!("{events}; a ratio is the peer's time over ours: above 1 means ours is faster");
    }
    for benchmark in BENCHMARKS {
        if !arguments.chooses(DOCUMENTS, benchmark.name) {
            continue;
        }
        let report =
            (benchmark.run)(&events, &arguments.plan).map_err(|message| format!("{}: {message}", benchmark.name))?;
        if arguments.json {
            println!("{}", report.to_json(benchmark.name));
        } else {
            println!("\n{}", report.to_table(benchmark.name));
        }
    }
    Ok(())
}

fn run_machine(arguments: &Arguments) -> Outcome<()> {
    let mut multiples = Vec::new();
    for example in machine::EXAMPLES {
        if !arguments.chooses(MACHINE, example.name) || !example.is_comparable() {
            continue;
        }
        let finding =
            machine::run(example, &arguments.plan).map_err(|message| format!("{}: {message}", example.name))?;
        if arguments.json {
            println!("{}", finding.to_json(example.name));
        } else {
            println!("\n{}", finding.to_table(example.name));
        }
        multiples.push((example.name, finding.multiple()));
    }
    if let Some(mean) = machine::geometric_mean(&multiples) {
        println!("{}", if arguments.json { mean.to_json().to_string() } else { format!("\n{mean}") });
    }
    Ok(())
}
