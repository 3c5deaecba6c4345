//! Words from the command line: what is no verb is read as a source, run, and its stack is shown.

mod outside;
mod repl;
mod show;

pub use repl::repl;

use crate::Global;
use crate::outcome::{Answer, Fault, Outcome};
use crate::project::{DATABASE, Project};
use kerai_words::{Database, Machine, WordError};
use outside::Around;
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

/// The file of sessions, beside a project's database or in the person's home.
const FILE: &str = "words.db";

/// What was typed instead of a verb.
pub struct Typed {
    pub text: String,
    pub global: Global,
    /// Whether nothing but options was typed.
    pub is_empty: bool,
}

/// Takes words apart from options. Nothing where a verb or an option that only verbs know comes first.
pub fn typed(arguments: &[String], is_verb: impl Fn(&str) -> bool) -> Option<Typed> {
    let mut global = Global { json: false, quiet: false, db: None, session: None };
    let mut words: Vec<&str> = Vec::new();
    let mut rest = arguments.iter();
    let mut is_open = true;
    while let Some(argument) = rest.next() {
        let (name, value) = argument.split_once('=').map_or((&**argument, None), |(name, value)| (name, Some(value)));
        match name {
            "--" if is_open => is_open = false,
            "--json" if is_open => global.json = true,
            "--quiet" if is_open => global.quiet = true,
            "--db" if is_open => global.db = Some(value.or_else(|| rest.next().map(String::as_str))?.to_owned()),
            "--session" if is_open => {
                global.session = Some(value.or_else(|| rest.next().map(String::as_str))?.to_owned());
            }
            _ => {
                let is_option = argument.starts_with("--") || matches!(&**argument, "-h" | "-V");
                // `help WORD` is asked of words where it is not asked of a verb.
                let is_help = argument == "help"
                    && rest.clone().next().is_some_and(|next| !is_verb(next) && !next.starts_with('-'));
                if words.is_empty() && is_open && !is_help && (is_option || is_verb(argument)) {
                    return None;
                }
                words.push(argument);
            }
        }
    }
    Some(Typed { is_empty: words.is_empty(), text: words.join(" "), global })
}

/// The folder in which sessions are kept.
fn folder(global: &Global) -> Result<PathBuf, Fault> {
    if let Some(db) = global.db.as_deref().filter(|db| !db.contains("://")) {
        return Ok(PathBuf::from(format!("{db}.words")));
    }
    if let Ok(project) = Project::find() {
        return Ok(project.path(DATABASE).parent().map(PathBuf::from).unwrap_or_default());
    }
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    let home = home.ok_or_else(|| {
        Fault::Use("there is no home to keep sessions in: set `HOME`, or name a file by `--db`".into())
    })?;
    Ok(PathBuf::from(home).join(".kerai"))
}

/// Opens a session that is kept, or one that is not.
async fn open(global: &Global, session: Option<&str>) -> Result<Machine, Fault> {
    let wrong = |fault: WordError| Fault::Use(format!("the session can't be opened: {}", fault.message));
    let database = match session {
        Some(_) => {
            let folder = folder(global)?;
            fs::create_dir_all(&folder).map_err(Fault::Write)?;
            Database::open(Some(&folder.join(FILE))).await.map_err(wrong)?
        }
        None => Database::open(None).await.map_err(wrong)?,
    };
    Machine::open(database, session, Box::new(Around::new(global))).await.map_err(wrong)
}

fn runtime() -> Result<tokio::runtime::Runtime, Fault> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Fault::Write)
}

/// Runs words once, from an empty stack or on that of a session.
pub fn run(text: &str, global: &Global) -> Outcome {
    runtime()?.block_on(async {
        let mut machine = open(global, global.session.as_deref()).await?;
        let result = machine.run(text).await;
        if global.json {
            println!("{}", to_json(&machine, text, result.as_ref().err()));
        } else {
            show::results(&mut machine, global).await;
            if let Err(found) = &result {
                eprintln!("{}", show::error(text, found));
            }
        }
        match result {
            Ok(()) => Ok(Answer::Yes),
            // What looks like a verb and is none is wrong use.
            Err(found)
                if found.code == "WORDS_UNKNOWN"
                    && global.session.is_none()
                    && text.split(' ').next() == Some(found.span.text(text)) =>
            {
                Err(Fault::Use(format!(
                    "`{}` is no verb and no word: `kerai --help` lists the verbs",
                    found.span.text(text)
                )))
            }
            Err(_) => Ok(Answer::No),
        }
    })
}

/// The stack as one object: results alone, and the items with their kinds.
fn to_json(machine: &Machine, text: &str, error: Option<&WordError>) -> Value {
    let results: Vec<Value> =
        machine.items().iter().map(|item| serde_json::from_str(&item.content.view()).unwrap_or(Value::Null)).collect();
    let stack: Vec<Value> = machine.items().iter().map(kerai_words::Item::to_json).collect();
    let mut object = json!({ "ok": error.is_none(), "results": results, "gas": machine.gas(), "stack": stack });
    if let (Some(error), Some(object)) = (error, object.as_object_mut()) {
        object.insert("error".to_owned(), error.to_json(text));
    }
    object
}
