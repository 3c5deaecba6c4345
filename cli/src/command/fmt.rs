//! `kerai fmt`: sources in their one form of writing.

use crate::Global;
use crate::diagnostics;
use crate::outcome::{Answer, Fault, Outcome};
use crate::sources::{self, SourceFile};
use kerai_compiler::syntax::{lua, policy, words};
use kerai_compiler::{Language, Source};
use serde_json::json;
use std::io::{self, Write};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai fmt folds/invoices.lua      writes the file in its one form, comments kept
  kerai fmt policies/rules.rgs      conditions and keys in one form, rules in the order that they have
  kerai fmt folds                   every source below a folder
  kerai fmt --check folds           writes nothing; exit code 1 where a file would change
  kerai fmt - < fold.lua            standard input to standard output")]
pub struct Arguments {
    /// Files and folders; `-` is standard input
    #[arg(required = true)]
    paths: Vec<String>,
    /// Write nothing, and say which files would change
    #[arg(long)]
    check: bool,
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    let mut answer = Answer::Yes;
    for path in sources::files(&arguments.paths, &[Language::Lua, Language::Policy, Language::Words])? {
        if one(&path, arguments, global)? == Answer::No {
            answer = Answer::No;
        }
    }
    Ok(answer)
}

fn one(path: &str, arguments: &Arguments, global: &Global) -> Outcome {
    let SourceFile { path: name, bytes } = sources::read(path)?;
    let shown = String::from_utf8_lossy(&bytes);
    let refuse = |text: &str, found: &[_]| {
        if global.json {
            let found = diagnostics::to_json(&name, text, found);
            println!("{}", json!({ "ok": false, "path": name, "changed": false, "diagnostics": found }));
        } else {
            diagnostics::print(&name, text, found);
        }
        Ok(Answer::No)
    };
    let source = match Source::read(&bytes) {
        Ok(source) => source,
        Err(refused) => return refuse(&shown, &[refused]),
    };
    // Standard input is taken for Lua: it has no name that says otherwise.
    let formatted = match sources::language(path) {
        Some(Language::Policy) => policy::format(source.text()),
        Some(Language::Words) => words::format(source.text()),
        _ => lua::format(source.text()),
    };
    let formatted = match formatted {
        Ok(formatted) => formatted,
        Err(found) => return refuse(source.text(), &found),
    };
    let is_changed = formatted.as_bytes() != bytes;
    let is_stream = path == "-";
    if is_changed && !arguments.check && !is_stream {
        sources::write(path, &formatted)?;
    }
    let is_good = !(arguments.check && is_changed);
    if global.json {
        println!("{}", json!({ "ok": is_good, "path": name, "changed": is_changed }));
    } else if is_stream && !arguments.check {
        io::stdout().lock().write_all(formatted.as_bytes()).map_err(Fault::Write)?;
    } else if is_changed && arguments.check {
        println!("{name}: not formatted: `kerai fmt` writes its one form");
    } else if is_changed && !global.quiet {
        println!("{name}: formatted");
    }
    Ok(if is_good { Answer::Yes } else { Answer::No })
}
