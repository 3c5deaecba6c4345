//! `kerai explain`: the page of an error code.

use crate::Global;
use crate::outcome::{Answer, Fault, Outcome};
use kerai_compiler::Code as Diagnosis;
use kerai_store::code::Code as OutcomeCode;
use kerai_vm::refusal::Code;
use kerai_vm::trap::TrapCode;
use serde_json::json;

#[derive(clap::Args)]
#[command(after_help = "Examples:\n  kerai explain LUA_PAIRS\n  kerai explain            (lists all codes)")]
pub struct Arguments {
    /// The code, as an error shows it; without it all codes are listed
    code: Option<String>,
}

/// A code with what is said of it.
struct Page {
    name: &'static str,
    summary: &'static str,
    explanation: &'static str,
    /// What to do, where the explanation does not say it.
    help: Option<&'static str>,
}

/// Every code that an error, a diagnostic or a trap can show.
fn pages() -> impl Iterator<Item = Page> {
    let caught = |trap: &TrapCode| match trap.is_resource() {
        true => {
            "A limit was passed: a protected call does not catch it. Raise the limit, if it was lowered, or do less."
        }
        false => {
            "A program's run ended here, unless a protected call catches it. The trap names function and instruction."
        }
    };
    let refusals = Code::ALL.iter().map(|code| Page {
        name: code.name(),
        summary: code.summary(),
        explanation: code.explanation(),
        help: None,
    });
    let traps = TrapCode::ALL.iter().map(move |trap| Page {
        name: trap.name(),
        summary: trap.summary(),
        explanation: caught(trap),
        help: None,
    });
    let diagnoses = Diagnosis::ALL.iter().map(|code| Page {
        name: code.name(),
        summary: code.summary(),
        explanation: code.page(),
        help: Some(code.help()),
    });
    let outcomes = OutcomeCode::ALL.iter().map(|code| Page {
        name: code.name(),
        summary: code.summary(),
        explanation: code.explanation(),
        help: None,
    });
    refusals.chain(traps).chain(diagnoses).chain(outcomes)
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    let wanted = |page: &Page| arguments.code.as_ref().is_none_or(|code| page.name.eq_ignore_ascii_case(code));
    let mut found = false;
    for Page { name, summary, explanation, help } in pages().filter(wanted) {
        found = true;
        if global.json {
            println!("{}", json!({ "code": name, "summary": summary, "explanation": explanation, "help": help }));
        } else if arguments.code.is_some() {
            println!("{name}: {summary}\n\n{explanation}");
            help.iter().for_each(|help| println!("\nWhat to do: {help}."));
        } else {
            println!("{name:20} {summary}");
        }
    }
    match &arguments.code {
        Some(code) if !found => Err(Fault::Use(format!("unknown code `{code}`: `kerai explain` lists all codes"))),
        _ => Ok(Answer::Yes),
    }
}
