//! `kerai policy test`: cases that are kept beside rules, and how much of the rules they try.

use super::policy::fault;
use crate::Global;
use crate::outcome::{Answer, Fault, Outcome};
use crate::program;
use crate::sources::{self, SourceFile};
use kerai_compiler::syntax::policy::{self, tree::Rules};
use kerai_compiler::trial::{Case, Counted, Coverage, Failed, cases, coverage, failures};
use kerai_compiler::{Language, Source};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(after_help = "The cases of `rules.rgs` stand in `rules.cases.jsonl` beside it, a JSON object a line:
  {\"name\": \"a guest reads\", \"request\": {\"intent\": \"read\"}, \"expect\": \"allow\", \"rule\": \"guests\"}
`expect` is \"allow\" or \"deny\"; of a price list the price, or null where there is none. `name` and `rule` may be left out.

Where all cases of a policy come out as they must, it is told how much they try: each rule is left out, and each
condition replaced by `true` and by `false`, and a case must fail. A condition counts where both are noticed (MC/DC).")]
pub struct Trial {
    /// Policies and price lists (`.rgs`), and folders with them
    #[arg(required = true)]
    paths: Vec<String>,
    /// The file with the cases, of one policy [default: `NAME.cases.jsonl` beside it]
    #[arg(long, value_name = "FILE")]
    cases: Option<String>,
    /// Name what the cases don't try
    #[arg(long)]
    missed: bool,
}

pub fn run(trial: &Trial, global: &Global) -> Outcome {
    let files = sources::files(&trial.paths, &[Language::Policy])?;
    if trial.cases.is_some() && files.len() != 1 {
        return Err(Fault::Use("`--cases` is for one policy: name one".into()));
    }
    let mut answer = Answer::Yes;
    let mut is_any = false;
    for path in files {
        let beside = trial.cases.as_ref().map_or_else(|| Path::new(&path).with_extension("cases.jsonl"), PathBuf::from);
        let is_named = trial.paths.contains(&path);
        if !is_named && !beside.exists() {
            continue;
        }
        is_any = true;
        if one(&path, &beside.display().to_string(), trial.missed, global)? == Answer::No {
            answer = Answer::No;
        }
    }
    if !is_any {
        return Err(Fault::Use("there are no cases: write them to `NAME.cases.jsonl` beside `NAME.rgs`".into()));
    }
    Ok(answer)
}

fn one(path: &str, beside: &str, names_missed: bool, global: &Global) -> Outcome {
    let SourceFile { path: name, bytes } = sources::read(path)?;
    let opened = match program::from_source(Language::Policy, &name, &bytes) {
        Ok(opened) => opened,
        Err(refused) => return Ok(refused.report(&name, global)),
    };
    let SourceFile { path: beside, bytes: text } = sources::read(beside)?;
    let text = String::from_utf8(text).map_err(|_| Fault::Use(format!("`{beside}` is not UTF-8")))?;
    let cases = match cases(&text) {
        Ok(cases) if cases.is_empty() => return Err(Fault::Use(format!("`{beside}` has no cases"))),
        Ok(cases) => cases,
        Err((line, wrong)) => return Err(Fault::Use(format!("{beside}:{line}: {wrong}"))),
    };
    let failed = failures(&opened.verified, &cases).map_err(fault)?;
    let covered = if failed.is_empty() { covered(&bytes, &cases)? } else { None };
    if global.json {
        println!("{}", to_json(&name, cases.len(), &failed, covered.as_ref()));
    } else {
        print(&name, &beside, cases.len(), &failed, covered.as_ref(), names_missed, global);
    }
    Ok(if failed.is_empty() { Answer::Yes } else { Answer::No })
}

/// How much is tried of a policy; of a price list, and of a policy with too many conditions, that is not told.
fn covered(bytes: &[u8], cases: &[Case]) -> Result<Option<Coverage>, Fault> {
    let source = Source::read(bytes).map_err(|found| Fault::Use(found.message.to_string()))?;
    match policy::read(source.text()) {
        Ok(Rules::Policy(policy)) => coverage(&policy, cases).map_err(fault),
        Ok(Rules::Pricing(_)) | Err(_) => Ok(None),
    }
}

fn print(
    name: &str,
    beside: &str,
    count: usize,
    failed: &[Failed],
    covered: Option<&Coverage>,
    names_missed: bool,
    global: &Global,
) {
    for Failed { name, line, expected, got } in failed {
        println!("{beside}:{line}: {name}: expected {expected}, got {got}");
    }
    if global.quiet {
        return;
    }
    println!("{name}: {} passed, {} failed", count - failed.len(), failed.len());
    let Some(Coverage { rules, conditions, mutants }) = covered else { return };
    let share = |counted: &Counted| format!("{} of {}", counted.covered(), counted.total);
    println!("  rules {}, conditions {} (MC/DC), mutants {}", share(rules), share(conditions), share(mutants));
    if names_missed {
        mutants.missed.iter().for_each(|missed| println!("  not noticed: {missed}"));
    }
}

fn to_json(name: &str, count: usize, failed: &[Failed], covered: Option<&Coverage>) -> Value {
    let counted =
        |counted: &Counted| json!({ "covered": counted.covered(), "total": counted.total, "missed": counted.missed });
    let failures: Vec<Value> = failed
        .iter()
        .map(|failed| json!({ "name": failed.name, "line": failed.line, "expected": failed.expected, "got": failed.got }))
        .collect();
    json!({
        "ok": failed.is_empty(),
        "path": name,
        "passed": count - failed.len(),
        "failed": failed.len(),
        "failures": failures,
        "rules": covered.map(|covered| counted(&covered.rules)),
        "conditions": covered.map(|covered| counted(&covered.conditions)),
        "mutants": covered.map(|covered| counted(&covered.mutants)),
    })
}
