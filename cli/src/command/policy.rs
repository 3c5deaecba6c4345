//! `kerai policy`: asks a policy, says why it decided as it did, and begins new ones.

use crate::Global;
use crate::outcome::{Answer, Fault, Outcome};
use crate::program::{self, Opened, Refused};
use crate::report;
use crate::sources::{self, SourceFile};
use kerai_compiler::explain::{self, Examiner, Explanation, Failing, Seen, Unexplained};
use kerai_compiler::relate::{Asked, Difference, Doubt, Relation, relate};
use kerai_compiler::syntax::policy::{self, tree::Policy};
use kerai_compiler::{Language, Position, Source};
use kerai_vm::bytecode::{Limits, ProgramKind, Verified};
use kerai_vm::encoding::{Options, json as document};
use kerai_vm::execute::Machine;
use kerai_vm::refusal::Refusal;
use kerai_vm::value::{Heap, Kind, Value};
use serde_json::json;
use std::fs;
use std::path::Path;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai policy init rules.rgs --template regulated   a policy to begin with
  kerai policy eval rules.rgs request.json           exit 0 where it allows, 1 where it denies
  kerai policy explain rules.rgs request.json        which condition failed, where, and what was seen
  kerai policy test rules.rgs                        the cases in rules.cases.jsonl, and how much of the rules they try
  kerai policy diff before.rgs after.rgs             whether the change allows more, less, or the same, and a witness")]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Decide a request: exit 0 where the policy allows, 1 where it denies
    Eval(Request),
    /// Decide a request and say why: the failing condition, its place, and the value that was seen or is missing
    Explain(Request),
    /// Try the cases that are kept beside policies and price lists
    Test(super::trial::Trial),
    /// Say how one policy stands to another, with a request that only one of them allows
    Diff(Pair),
    /// Write a policy to begin with
    Init(Init),
}

#[derive(clap::Args)]
#[command(
    after_help = "The answer is what the second is to the first: equal, narrower, wider, or incomparable. Conditions on
an attribute and a constant are understood: comparisons, membership, forms of paths, `has`. Where others make the
difference the answer is undecided, and the exit code 1."
)]
struct Pair {
    /// The policy as it was, a source (`.rgs`)
    first: String,
    /// The policy as it is to be, a source (`.rgs`)
    second: String,
}

#[derive(clap::Args)]
struct Request {
    /// The policy: a source (`.rgs`) or, for `eval`, its program (`.rgc`)
    policy: String,
    /// The request, a JSON object; `-` is standard input
    input: String,
}

#[derive(clap::Args)]
struct Init {
    /// The file to write; an existing one is never overwritten
    file: String,
    /// What to begin with
    #[arg(long, value_enum, default_value_t = Template::Minimal)]
    template: Template,
}

#[derive(clap::ValueEnum, Clone, Copy)]
enum Template {
    Minimal,
    Regulated,
    Airgapped,
}

impl Template {
    const fn text(self) -> &'static str {
        match self {
            Template::Minimal => include_str!("../../../policies/template/minimal.rgs"),
            Template::Regulated => include_str!("../../../policies/template/regulated.rgs"),
            Template::Airgapped => include_str!("../../../policies/template/airgapped.rgs"),
        }
    }
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    match &arguments.action {
        Action::Eval(request) => evaluate(request, global),
        Action::Explain(request) => explain(request, global),
        Action::Test(trial) => super::trial::run(trial, global),
        Action::Diff(pair) => diff(pair, global),
        Action::Init(init) => begin(init, global),
    }
}

/// Reads the request into a heap: an object, since what a policy is asked has attributes by name.
pub(super) fn input(heap: &mut Heap, path: &str, bytes: &[u8]) -> Result<Result<Value, Refusal>, Fault> {
    let value = match document::decode(heap, bytes, &Options::CANONICAL) {
        Ok(value) => value,
        Err(refusal) => return Ok(Err(refusal.in_text(bytes))),
    };
    if heap.kind(value) != Kind::Map {
        let message = format!("`{path}` is no request: write a JSON object with the attributes by their names");
        return Err(Fault::Use(message));
    }
    Ok(Ok(value))
}

pub(super) fn fault(found: Unexplained) -> Fault {
    Fault::Use(found.to_string())
}

fn evaluate(request: &Request, global: &Global) -> Outcome {
    let opened = match program::open(&request.policy)? {
        Ok(opened) => opened,
        Err(refused) => return Ok(refused.report(&request.policy, global)),
    };
    let SourceFile { path, bytes } = sources::read(&request.input)?;
    let mut machine = Machine::new(&opened.verified, 0, Limits::DEFAULT);
    let value = match input(machine.heap(), &path, &bytes)? {
        Ok(value) => value,
        Err(refusal) => return Ok(report::refuse(&path, &refusal, global.json)),
    };
    let (is_allowed, rules) = explain::decide(&mut machine, value).map_err(fault)?;
    let rule = rules.first().cloned().unwrap_or_default();
    let known = opened.verified.program().rules.iter().find(|known| *known.id == rule);
    let reason = known.map_or("no rule allows it", |known| &*known.reason);
    let decision = if is_allowed { "allow" } else { "deny" };
    if global.json {
        println!("{}", json!({ "decision": decision, "rules": rules, "rule": rule, "reason": reason }));
    } else {
        println!("{decision} by {}: {reason}", rules.join(", "));
    }
    Ok(if is_allowed { Answer::Yes } else { Answer::No })
}

/// A policy, its text, and its program.
pub(super) struct Read {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) policy: Policy,
    pub(super) verified: Verified,
}

impl Read {
    const fn asked(&self) -> Asked<'_> {
        Asked { policy: &self.policy, program: &self.verified }
    }
}

/// Reads a policy's source, or says what is wrong with it.
pub(super) fn source(path: &str, global: &Global) -> Result<Result<Read, Answer>, Fault> {
    if sources::language(path) != Some(Language::Policy) {
        let message =
            format!("`{path}` is no source of a policy: the conditions are wanted as they are written, in a `.rgs`");
        return Err(Fault::Use(message));
    }
    let SourceFile { path: name, bytes: text } = sources::read(path)?;
    let Opened { verified, .. } = match program::from_source(Language::Policy, &name, &text) {
        Ok(opened) => opened,
        Err(refused) => return Ok(Err(refused.report(&name, global))),
    };
    let source = Source::read(&text).map_err(|found| Fault::Use(found.message.to_string()))?;
    let text = source.text().to_owned();
    Ok(match policy::check(&text) {
        Ok(policy) => Ok(Read { name, text, policy, verified }),
        Err(found) => Err(Refused::Mistakes(text, found).report(&name, global)),
    })
}

fn diff(pair: &Pair, global: &Global) -> Outcome {
    let (first, second) = match (source(&pair.first, global)?, source(&pair.second, global)?) {
        (Ok(first), Ok(second)) => (first, second),
        (Err(answer), _) | (_, Err(answer)) => return Ok(answer),
    };
    let found = relate(first.asked(), second.asked()).map_err(fault)?;
    let Difference { relation, lost, gained, doubt } = &found;
    let doubt = doubt.as_ref().map(|doubt| match doubt {
        Doubt::Outside(conditions) => format!("not understood: `{}`", conditions.join("`, `")),
        Doubt::Entangled => "conditions depend on each other in ways that are not understood".to_owned(),
        Doubt::TooMany => "there are too many cases".to_owned(),
    });
    if global.json {
        let null = || "null".to_owned();
        let witness = if *relation == Relation::Narrower { lost } else { gained };
        let witness = witness.as_ref().or(lost.as_ref());
        println!(
            "{}",
            object(&[
                ("relation", json!(relation.name()).to_string()),
                ("witness", witness.cloned().unwrap_or_else(null)),
                ("lost", lost.clone().unwrap_or_else(null)),
                ("gained", gained.clone().unwrap_or_else(null)),
                ("doubt", json!(doubt).to_string()),
            ])
        );
    } else {
        println!("{}", relation.name());
        let only = |who: &str, request: &Option<String>| {
            if let Some(request) = request {
                println!("  only {who} allows {request}");
            }
        };
        only(&first.name, lost);
        only(&second.name, gained);
        if let Some(doubt) = doubt {
            println!("  {doubt}");
        }
    }
    Ok(if *relation == Relation::Undecided { Answer::No } else { Answer::Yes })
}

fn explain(request: &Request, global: &Global) -> Outcome {
    // A program keeps rules and their reasons; its conditions are only in the source.
    let ending = Path::new(&request.policy).extension().and_then(|ending| ending.to_str());
    if ending == Some(ProgramKind::Policy.ending()) {
        return evaluate(request, global);
    }
    let Read { text, policy, verified, .. } = match source(&request.policy, global)? {
        Ok(read) => read,
        Err(answer) => return Ok(answer),
    };
    let SourceFile { path, bytes } = sources::read(&request.input)?;
    let mut examiner = Examiner::new(&policy, &verified);
    let value = match input(examiner.heap(), &path, &bytes)? {
        Ok(value) => value,
        Err(refusal) => return Ok(report::refuse(&path, &refusal, global.json)),
    };
    let explanation = examiner.explain(value).map_err(fault)?;
    if global.json {
        println!("{}", to_json(&explanation, &text));
    } else {
        println!("{}", explanation.describe(&text));
    }
    Ok(if explanation.is_allowed { Answer::Yes } else { Answer::No })
}

/// The explanation with the weightiest condition at the top, and all of them in a list.
fn to_json(explanation: &Explanation, text: &str) -> String {
    let failing: Vec<[(&str, String); 9]> =
        explanation.failing.iter().map(|failing| failing_to_json(failing, text)).collect();
    let of_first = |key: &str| {
        let first = failing.first().and_then(|fields| fields.iter().find(|(name, _)| *name == key));
        first.map_or_else(|| "null".to_owned(), |(_, value)| value.clone())
    };
    let all: Vec<String> = failing.iter().map(|fields| object(fields)).collect();
    object(&[
        ("decision", json!(if explanation.is_allowed { "allow" } else { "deny" }).to_string()),
        ("rules", json!(explanation.rules).to_string()),
        ("rule", json!(explanation.rules.first()).to_string()),
        ("reason", json!(explanation.reason).to_string()),
        ("condition", of_first("condition")),
        ("value", of_first("value")),
        ("missing", of_first("missing")),
        ("failing", format!("[{}]", all.join(","))),
    ])
}

/// An object of values that are JSON already: numbers go into it as they are, through no float.
pub(super) fn object(fields: &[(&str, String)]) -> String {
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

fn failing_to_json(failing: &Failing, text: &str) -> [(&'static str, String); 9] {
    let Position { line, column } = Position::of(text.as_bytes(), failing.span.start);
    let (reference, missing, value) = match &failing.seen {
        Seen::Nothing => (None, None, None),
        Seen::Missing(reference) => (Some(reference), Some(reference), None),
        Seen::Value(reference, value) => (Some(reference), None, Some(value)),
    };
    [
        ("rule", json!(failing.rule).to_string()),
        ("part", json!(failing.part.name()).to_string()),
        ("condition", json!(failing.condition).to_string()),
        ("line", json!(line).to_string()),
        ("column", json!(column).to_string()),
        ("truth", json!(failing.truth).to_string()),
        ("reference", json!(reference).to_string()),
        ("missing", json!(missing).to_string()),
        ("value", value.cloned().unwrap_or_else(|| "null".to_owned())),
    ]
}

fn begin(init: &Init, global: &Global) -> Outcome {
    if Path::new(&init.file).extension().is_none_or(|ending| ending != Language::Policy.ending()) {
        return Err(Fault::Use(format!("`{}` is no name of a policy: write one that ends in `.rgs`", init.file)));
    }
    if Path::new(&init.file).exists() {
        return Err(Fault::Use(format!("`{}` is there already: choose another name", init.file)));
    }
    fs::write(&init.file, init.template.text()).map_err(Fault::Write)?;
    if global.json {
        println!("{}", json!({ "path": init.file }));
    } else if !global.quiet {
        println!("{}: written; `kerai policy explain {} REQUEST.json` asks it", init.file, init.file);
    }
    Ok(Answer::Yes)
}
