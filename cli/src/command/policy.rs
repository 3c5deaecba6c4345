//! `kerai policy`: asks a policy, says why it decided as it did, and begins new ones.

use crate::Global;
use crate::outcome::{Answer, Fault, Outcome};
use crate::program::{self, Opened, Refused};
use crate::report;
use crate::sources::{self, SourceFile};
use kerai_compiler::explain::{self, Examiner, Explanation, Failing, Seen, Unexplained};
use kerai_compiler::syntax::policy;
use kerai_compiler::{Language, Position, Source};
use kerai_vm::bytecode::Limits;
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
  kerai policy explain rules.rgs request.json        which condition failed, where, and what was seen")]
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
    /// Write a policy to begin with
    Init(Init),
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
    let known = opened.verified.program().rules.iter().find(|known| known.id == rule);
    let reason = known.map_or("no rule allows it", |known| known.reason.as_str());
    let decision = if is_allowed { "allow" } else { "deny" };
    if global.json {
        println!("{}", json!({ "decision": decision, "rules": rules, "rule": rule, "reason": reason }));
    } else {
        println!("{decision} by {}: {reason}", rules.join(", "));
    }
    Ok(if is_allowed { Answer::Yes } else { Answer::No })
}

fn explain(request: &Request, global: &Global) -> Outcome {
    if sources::language(&request.policy) != Some(Language::Policy) {
        let message = format!(
            "`{}` is no source of a policy: explanations need the conditions as they are written, in a `.rgs`",
            request.policy
        );
        return Err(Fault::Use(message));
    }
    let SourceFile { path: name, bytes: text } = sources::read(&request.policy)?;
    let Opened { verified, .. } = match program::from_source(Language::Policy, &name, &text) {
        Ok(opened) => opened,
        Err(refused) => return Ok(refused.report(&name, global)),
    };
    let source = Source::read(&text).map_err(|found| Fault::Use(found.message.to_string()))?;
    let policy = match policy::check(source.text()) {
        Ok(policy) => policy,
        Err(found) => return Ok(Refused::Mistakes(source.text().to_owned(), found).report(&name, global)),
    };
    let SourceFile { path, bytes } = sources::read(&request.input)?;
    let mut examiner = Examiner::new(&policy, &verified);
    let value = match input(examiner.heap(), &path, &bytes)? {
        Ok(value) => value,
        Err(refusal) => return Ok(report::refuse(&path, &refusal, global.json)),
    };
    let explanation = examiner.explain(value).map_err(fault)?;
    if global.json {
        println!("{}", to_json(&explanation, source.text()));
    } else {
        println!("{}", explanation.describe(source.text()));
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
