//! `kerai price`: what something costs, by which rule, and how that was computed.

use super::policy::{fault, input, object};
use crate::Global;
use crate::outcome::{Answer, Fault, Outcome};
use crate::program;
use crate::report;
use crate::sources::{self, SourceFile};
use kerai_compiler::price::{Price, Quote, Unpriced, quote};
use kerai_vm::bytecode::{Limits, ProgramKind};
use kerai_vm::execute::Machine;
use serde_json::json;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai price prices.rgs request.json           the price, the rule that says it, and what was added up
  kerai price prices.rgc request.json --json    one object: price, rule, reason, terms
  kerai price std/prices request.json           the price list that ships in the box

There are no defaults: where anything that the price depends on is missing, there is no price, and the exit code is 1.")]
pub struct Arguments {
    /// The price list: a source (`.rgs`), its program (`.rgc`), or `std/prices`
    policy: String,
    /// The request, a JSON object; `-` is standard input
    input: String,
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    let opened = match program::open(&arguments.policy)? {
        Ok(opened) => opened,
        Err(refused) => return Ok(refused.report(&arguments.policy, global)),
    };
    let program = opened.verified.program();
    if program.kind != ProgramKind::Pricing {
        let message = format!(
            "`{}` is a {} program, and prices nothing: write rules with `price`, or ask it by `kerai policy eval`",
            arguments.policy,
            program.kind.name()
        );
        return Err(Fault::Use(message));
    }
    let SourceFile { path, bytes } = sources::read(&arguments.input)?;
    let mut machine = Machine::new(&opened.verified, 0, Limits::DEFAULT);
    let value = match input(machine.heap(), &path, &bytes)? {
        Ok(value) => value,
        Err(refusal) => return Ok(report::refuse(&path, &refusal, global.json)),
    };
    let quote = quote(&mut machine, value).map_err(fault)?;
    let known = program.rules.iter().find(|rule| *rule.id == *quote.rule);
    let reason = known.map_or("no rule is for it", |rule| &*rule.reason);
    if global.json {
        println!("{}", to_json(&quote, reason));
    } else {
        println!("{}", quote.describe());
    }
    Ok(if quote.verdict.is_ok() { Answer::Yes } else { Answer::No })
}

/// Numbers go into it as they are, through no float.
fn to_json(quote: &Quote, reason: &str) -> String {
    let null = || "null".to_owned();
    let (price, terms) = match &quote.verdict {
        Ok(Price { credits, terms }) => (credits.clone(), terms.iter().map(|term| term.json.clone()).collect()),
        Err(_) => (null(), Vec::new()),
    };
    let mut fields = vec![
        ("price", price),
        ("rule", json!(quote.rule).to_string()),
        ("reason", json!(reason).to_string()),
        ("terms", format!("[{}]", terms.join(","))),
    ];
    if let Err(unpriced) = &quote.verdict {
        let (missing, value) = match unpriced {
            Unpriced::Missing { reference, .. } => (json!(reference).to_string(), null()),
            Unpriced::Unusable { value, .. } => (null(), value.clone()),
            Unpriced::NoRule | Unpriced::Unfit { .. } => (null(), null()),
        };
        fields.extend([("error", json!(unpriced.describe()).to_string()), ("missing", missing), ("value", value)]);
    }
    object(&fields)
}
