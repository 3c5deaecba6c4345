//! The suites of stock Lua: single assertions, and scripts of many.

mod script;

use crate::folder::{File, Folder};
use crate::judge::Report;
use crate::keep;
use kerai_golden::MAP_SEED;
use kerai_tests::differences::explained;
use kerai_tests::lua::{self, Ending};
use script::Script;
use serde_json::Value as Json;
use std::fmt::Display;

/// For cases that are about floats.
const FLOAT: &str = "--!numeric float\n";

/// Of the assertions, and of those in scripts, at least so many in a hundred run.
const LEAST_SHARE: u64 = 80;

/// How many assertions there are, and how many of them ran.
#[derive(Default, Clone, Copy)]
struct Share {
    ran: u64,
    all: u64,
}

impl Share {
    fn check(self, what: &str, report: &mut Report) {
        if self.all > 0 {
            report.note(format!("{} of {} {what} ran", self.ran, self.all));
            if self.ran * 100 < self.all * LEAST_SHARE {
                report.fail(what, "all", format!("{LEAST_SHARE} % to run"), format!("{} of {}", self.ran, self.all));
            }
        }
    }
}

pub fn run(folder: &Folder, report: &mut Report) {
    let (mut assertions, mut in_scripts) = (Share::default(), Share::default());
    for file in folder.files() {
        match file.extension() {
            "jsonl" => run_assertions(&file, &mut assertions, report),
            "lua" if is_whole(&file) => report.note(format!("{} is the source of what is reduced", file.path)),
            "lua" => run_script(&file, &mut in_scripts, report),
            _ => report.note(format!("{} is no test", file.path)),
        }
    }
    assertions.check("assertions", report);
    in_scripts.check("assertions of reduced files", report);
}

/// Whether a file is an original that another folder of the set holds in a reduced form.
fn is_whole(file: &File) -> bool {
    file.path.starts_with("testes/")
}

fn run_assertions(file: &File, share: &mut Share, report: &mut Report) {
    for (number, line) in file.text().lines().enumerate().filter(|(_, line)| !line.is_empty()) {
        let case: Option<Json> = serde_json::from_str(line).ok();
        let field = |name| case.as_ref().and_then(|case: &Json| case.get(name)).and_then(Json::as_str);
        let Some(code) = field("code") else {
            report.fail(&file.path, number + 1, "an assertion", line);
            continue;
        };
        let name = field("id").map_or_else(|| (number + 1).to_string(), str::to_owned);
        share.all += 1;
        let text = script::as_text(&from_latin(code));
        report.keep(&file.path, || keep::called("lua", &format!("{FLOAT}{text}"), "main []"));
        let (mut ending, mut is_float) = (lua::run(&text, MAP_SEED), false);
        if !matches!(ending, Ending::Gave(_)) {
            (ending, is_float) = (lua::run(&format!("{FLOAT}{text}"), MAP_SEED), true);
        }
        match (&ending, explained(code, &ending)) {
            (Ending::Gave(_), _) => {
                share.ran += 1;
                report.pass();
                if is_float {
                    report.note(format!("{} needs `--!numeric float`", file.path));
                }
            }
            (_, Some(difference)) => differ(&file.path, &name, difference.name, report),
            (ending, None) => report.fail(&file.path, name, code, format!("{ending:?}")),
        }
    }
}

/// Counts a difference, and names the case.
fn differ(file: &str, case: impl Display, difference: &'static str, report: &mut Report) {
    report.differ += 1;
    *report.by_rule.entry(difference).or_default() += 1;
    report.note(format!("{file} {case} is left out: {difference}"));
}

/// Characters up to U+00FF stand for bytes.
fn from_latin(code: &str) -> Vec<u8> {
    let bytes: Result<Vec<u8>, _> = code.chars().map(|point| u8::try_from(u32::from(point))).collect();
    bytes.unwrap_or_else(|_| code.as_bytes().to_vec())
}

fn run_script(file: &File, share: &mut Share, report: &mut Report) {
    let mut script = Script::new(&file.content);
    let all = script.assertions();
    while let Some(left_out) = script.advance() {
        match left_out.difference {
            Some(difference) => differ(&file.path, left_out.line, difference, report),
            None => report.fail(&file.path, left_out.line, left_out.text, left_out.ending),
        }
    }
    report.keep(&file.path, || keep::called("lua", &script.text(), "main []"));
    let ran = script.assertions();
    // Where a suite was reduced to what needs no metatables, nearly all of it has to run.
    if file.path.starts_with("reduced/") {
        share.all += all;
        share.ran += ran;
    }
    report.note(format!("{}: {ran} of {all} assertions ran", file.path));
    report.passed += ran;
}
