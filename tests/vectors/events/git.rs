//! Graphs of commits: the same sums in any order, and how often a clock ran backwards in the order of the log.

use super::{event, folding, in_any_order, program, rows, ulid};
use crate::folder::{File, Folder};
use crate::judge::Report;
use crate::keep;
use kerai_compiler::Language;
use serde_json::Value as Json;
use std::collections::BTreeMap;

pub fn run(folder: &Folder, report: &mut Report) {
    let files = folder.files();
    let expected: BTreeMap<String, &File> = files
        .iter()
        .filter(|file| file.path.starts_with("expected/"))
        .map(|file| (file.stem().to_owned(), file))
        .collect();
    for file in files.iter().filter(|file| file.extension() == "jsonl") {
        let Some(expected) = expected.get(file.stem()) else {
            report.note(format!("nothing is expected of {}", file.path));
            continue;
        };
        match (found(file, report), serde_json::from_str::<BTreeMap<String, Json>>(&expected.text())) {
            (Ok(found), Ok(expected)) => {
                for (name, wanted) in &expected {
                    match found.get(name) {
                        Some(got) => report.equal(&file.path, name, wanted, got),
                        None => report.fail(&file.path, name, wanted.to_string(), "no such sum"),
                    }
                }
                report.equal(&file.path, "every parent is there", &Some(&Json::from(0)), &found.get("unknown_parents"));
            }
            (found, expected) => {
                report.fail(&file.path, "-", format!("{:?}", expected.err()), format!("{:?}", found.err()))
            }
        }
    }
}

/// What the folds say, by name.
fn found(file: &File, report: &mut Report) -> Result<BTreeMap<String, Json>, String> {
    let mut events = Vec::new();
    for (number, line) in (0..).zip(file.text().lines()) {
        let commit: Json = serde_json::from_str(line).map_err(|fault| fault.to_string())?;
        let seconds = commit["committed"].as_u64().unwrap_or(0);
        events.push(event(&ulid(1000 * seconds, number), &commit));
    }
    report.keep(&file.path, || keep::folded("lua", include_str!("git.lua"), &events));
    let sums = in_any_order(&program(Language::Lua, include_str!("git.lua"))?, &events)?;
    let clock = program(Language::Lua, include_str!("clock.lua"))?;
    let clock = rows(&mut folding(&clock, &events.iter().collect::<Vec<_>>())?)?;
    Ok(sums.into_iter().chain(clock).map(|((_, name), value)| (name, value)).collect())
}
