//! Histories of a register that many processes use: a fold keeps the worlds that explain them, a policy asks for one.

use super::{event, folding, program, rows, ulid};
use crate::folder::Folder;
use crate::judge::Report;
use crate::keep;
use kerai_compiler::Language;
use kerai_compiler::explain::Examiner;
use kerai_compiler::syntax::policy::check;
use kerai_golden::policy::indexed;
use kerai_vm::bytecode::Verified;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

const POLICY: &str = "id: explained\nallow_if: payload.linearizable == true\n";

pub fn run(folder: &Folder, report: &mut Report) {
    let files = folder.files();
    let mut expected: BTreeMap<String, bool> = BTreeMap::new();
    for file in files.iter().filter(|file| file.extension() == "tsv") {
        for line in file.text().lines() {
            if let Some((name, verdict)) =
                line.split_once('\t').filter(|(_, verdict)| matches!(*verdict, "true" | "false"))
            {
                expected.insert(name.to_owned(), verdict == "true");
            }
        }
    }
    let fold = match program(Language::Lua, include_str!("register.lua")) {
        Ok(fold) => fold,
        Err(why) => return report.fail("-", "-", "a fold", why),
    };
    for file in files.iter().filter(|file| matches!(file.extension(), "log" | "txt")) {
        let Some(&wanted) = expected.get(&file.path) else { continue };
        let Some(events) = history(&file.text()) else {
            report.note(format!("not run, its values are texts that grow, not a register: {}", file.path));
            continue;
        };
        report.keep(&file.path, || keep::folded("lua", include_str!("register.lua"), &events));
        match verdict(&fold, &events) {
            Ok(found) => report.equal(&file.path, "-", &wanted, &found),
            Err(why) => report.fail(&file.path, "-", wanted.to_string(), why),
        }
    }
}

/// What the policy says of what the fold found.
fn verdict(fold: &Verified, events: &[String]) -> Result<bool, String> {
    let rows = rows(&mut folding(fold, &events.iter().collect::<Vec<_>>())?)?;
    let found = rows.get(&("history".to_owned(), "linearizable".to_owned())).and_then(Json::as_bool).ok_or("no row")?;
    let policy = check(POLICY).map_err(|_| "no policy")?;
    let program = indexed(&policy).map_err(|_| "no program")?;
    let mut examiner = Examiner::new(&policy, &program);
    let heap = examiner.heap();
    let (name, key) = (heap.string(b"payload"), heap.string(b"linearizable"));
    let payload = heap.map(&[(key, kerai_vm::value::Value::bool(found))]).map_err(|_| "no map")?;
    let request = heap.map(&[(name, payload)]).map_err(|_| "no map")?;
    examiner.explain(request).map(|explained| explained.is_allowed).map_err(|fault| fault.to_string())
}

/// A log of lines `process :type :call value` as events; none where the calls are others.
fn history(text: &str) -> Option<Vec<String>> {
    let mut events = Vec::new();
    for (number, line) in (0..).zip(text.lines()) {
        let mut words = line.rsplit_once(" - ")?.1.split_whitespace();
        let (process, kind, call) = (words.next()?, words.next()?, words.next()?);
        let values: Vec<&str> = words.map(|word| word.trim_matches(['[', ']'])).collect();
        let kind = kind.strip_prefix(':')?;
        let payload = match (call, values.as_slice()) {
            (":read", [value, ..]) => json!({ "type": kind, "process": process, "f": "read", "to": value }),
            (":write", [value, ..]) => json!({ "type": kind, "process": process, "f": "write", "to": value }),
            (":cas", [from, to]) => json!({ "type": kind, "process": process, "f": "cas", "from": from, "to": to }),
            (":cas", [_]) => json!({ "type": kind, "process": process, "f": "cas" }),
            _ => return None,
        };
        events.push(event(&ulid(number, number), &payload));
    }
    Some(events)
}
