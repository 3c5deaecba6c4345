//! `kerai explain`: the page of an error code.

use crate::Global;
use crate::outcome::{Answer, Fault, Outcome};
use kerai_vm::refusal::Code;
use serde_json::json;

#[derive(clap::Args)]
#[command(after_help = "Examples:\n  kerai explain NUMBER_PLACES\n  kerai explain            (lists all codes)")]
pub struct Arguments {
    /// The code, as an error shows it; without it all codes are listed
    code: Option<String>,
}

pub fn run(arguments: &Arguments, global: Global) -> Outcome {
    let chosen = match &arguments.code {
        None => Code::ALL,
        Some(name) => {
            let found = Code::ALL.iter().position(|code| code.name().eq_ignore_ascii_case(name));
            let Some(found) = found.and_then(|at| Code::ALL.get(at..=at)) else {
                return Err(Fault::Use(format!("unknown code `{name}`: `kerai explain` lists all codes")));
            };
            found
        }
    };
    for code in chosen {
        if global.json {
            println!(
                "{}",
                json!({ "code": code.name(), "summary": code.summary(), "explanation": code.explanation() })
            );
        } else if arguments.code.is_some() {
            println!("{}: {}\n\n{}", code.name(), code.summary(), code.explanation());
        } else {
            println!("{:20} {}", code.name(), code.summary());
        }
    }
    Ok(Answer::Yes)
}
