//! `kerai check`: everything that is wrong with sources, and what can be put right without asking.

use crate::Global;
use crate::diagnostics;
use crate::outcome::{Answer, Outcome};
use crate::sources::{self, SourceFile};
use kerai_compiler::{Diagnostic, Language, Source, apply_fixes, compile};
use serde_json::json;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai check folds/invoices.lua        every mistake with its line, its reason and what to write instead
  kerai check folds --json              one object a file, with a list of diagnostics
  kerai check --fix folds               makes the safe changes, such as `pairs` to `dpairs`, and says what is left")]
pub struct Arguments {
    /// Files and folders; `-` is standard input
    #[arg(required = true)]
    paths: Vec<String>,
    /// Make the changes that are safe
    #[arg(long)]
    fix: bool,
}

/// What was found in one source.
struct Found {
    /// The text that the places are of.
    text: String,
    diagnostics: Vec<Diagnostic>,
    fixed: usize,
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    let mut answer = Answer::Yes;
    for path in sources::files(&arguments.paths, Language::ALL)? {
        let SourceFile { path: name, bytes } = sources::read(&path)?;
        // Standard input is taken for Lua: it has no name that says otherwise.
        let language = sources::language(&path).unwrap_or(Language::Lua);
        let found = match arguments.fix && path != "-" {
            true => fixed(&path, language, &bytes)?,
            false => checked(language, &bytes),
        };
        if !found.diagnostics.is_empty() {
            answer = Answer::No;
        }
        report(&name, &found, global);
    }
    Ok(answer)
}

fn checked(language: Language, bytes: &[u8]) -> Found {
    match Source::read(bytes) {
        Ok(source) => {
            let diagnostics = compile(language, &source).err().unwrap_or_default();
            Found { text: source.text().to_owned(), diagnostics, fixed: 0 }
        }
        Err(refused) => {
            Found { text: String::from_utf8_lossy(bytes).into_owned(), diagnostics: vec![refused], fixed: 0 }
        }
    }
}

/// Makes the safe changes until none is left: a report has a limit, so there can be more behind it.
fn fixed(path: &str, language: Language, bytes: &[u8]) -> Result<Found, crate::outcome::Fault> {
    let mut found = checked(language, bytes);
    loop {
        let (text, count) = apply_fixes(&found.text, &found.diagnostics);
        if count == 0 {
            break;
        }
        let fixed = found.fixed + count;
        found = Found { fixed, ..checked(language, text.as_bytes()) };
    }
    if found.fixed > 0 {
        sources::write(path, &found.text)?;
    }
    Ok(found)
}

fn report(name: &str, found: &Found, global: &Global) {
    let Found { text, diagnostics, fixed } = found;
    let is_good = diagnostics.is_empty();
    if global.json {
        let shown = diagnostics::to_json(name, text, diagnostics);
        println!("{}", json!({ "ok": is_good, "path": name, "fixed": fixed, "diagnostics": shown }));
        return;
    }
    diagnostics::print(name, text, diagnostics);
    if global.quiet {
        return;
    }
    if *fixed > 0 {
        println!("{name}: {fixed} fixed");
    }
    if is_good {
        println!("{name}: ok");
    } else {
        let fixable = diagnostics.iter().filter(|diagnostic| diagnostic.fix.is_some()).count();
        let hint = if fixable > 0 { format!(", {fixable} of them by `kerai check --fix`") } else { String::new() };
        eprintln!("{name}: {} to be mended{hint}; `kerai explain CODE` says why", diagnostics.len());
    }
}
