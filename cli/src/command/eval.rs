//! `kerai eval`: runs a piece of Lua and prints what it returns.

use crate::Global;
use crate::call::{self, Form};
use crate::outcome::{Fault, Outcome};
use crate::program::{self, Opened};
use crate::sources::{self, SourceFile};
use crate::words;
use kerai_compiler::syntax::lua;
use kerai_compiler::{Language, Source};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai eval --lua 'return 0.1 + 0.2'            0.3: numbers are exact
  kerai eval report.lua                          what the file returns, a line a result, as canonical JSON
  kerai eval report.lua --input invoices.json    with a document as `...`
  echo '1 2 +' | kerai eval -                    3: words; standard input may be Lua or words
  echo 'return 1, 2' | kerai eval - --json       {\"results\":[1,2],\"gas\":…}, or a trap")]
pub struct Arguments {
    /// The source; `-` is standard input
    #[arg(required_unless_present = "lua", conflicts_with = "lua")]
    file: Option<String>,
    /// The source itself
    #[arg(long, value_name = "TEXT")]
    lua: Option<String>,
    #[command(flatten)]
    call: call::Arguments,
}

/// How a source that has no file is named in messages.
const NO_FILE: &str = "<lua>";

/// What a source that returns something exports.
const MAIN: &str = "main";

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    let (name, made) = match (&arguments.lua, arguments.file.as_deref()) {
        (Some(text), _) => (NO_FILE.to_owned(), program::from_source(Language::Lua, NO_FILE, text.as_bytes())),
        (None, Some(file)) if file != "-" => (file.to_owned(), program::open(file)?),
        (None, file) => {
            let SourceFile { path, bytes } = sources::read(file.unwrap_or("-"))?;
            if let Some(text) = as_words(&bytes) {
                return words::run(&text, global);
            }
            let made = program::from_source(Language::Lua, &path, &bytes);
            (path, made)
        }
    };
    match made {
        Ok(opened) => call::call(&opened, main_of(&name, &opened)?, &arguments.call, Form::Lines, global),
        Err(refused) => Ok(refused.report(&name, global)),
    }
}

/// The words that standard input is: what is no Lua and does not begin like it.
fn as_words(bytes: &[u8]) -> Option<String> {
    let text = Source::read(bytes).ok()?.text().to_owned();
    let first = text.split_ascii_whitespace().next()?;
    let is_lua = lua::parse(&text).diagnostics.is_empty() || first.starts_with("--") || KEYWORDS.contains(&first);
    (!is_lua).then_some(text)
}

/// What Lua begins with and words do not.
const KEYWORDS: &[&str] = &["return", "local", "function", "for", "while", "repeat", "do", "goto", "if"];

fn main_of(name: &str, opened: &Opened) -> Result<&'static str, Fault> {
    let program = opened.verified.program();
    match program.exports.contains_key(MAIN) {
        true => Ok(MAIN),
        false => Err(Fault::Use(format!(
            "`{name}` is a {}, which is no program to run once: `kerai run {name} OPS.jsonl` folds operations",
            program.kind.name()
        ))),
    }
}
