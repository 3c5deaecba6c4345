//! Every golden case as a test of its own, and checks that the cases leave nothing out.

use kerai_compiler::Code as Diagnosis;
use kerai_golden::case::Case;
use kerai_golden::files::{self, CaseFile};
use kerai_golden::shipped::PROGRAMS;
use kerai_golden::verdict::{BLESS_HINT, bless, differences, report};
use kerai_golden::{map_seed, stage};
use kerai_vm::bytecode::{Builtin, Op};
use kerai_vm::limit;
use kerai_vm::refusal::Code;
use kerai_vm::trap::TrapCode;
use libtest_mimic::{Arguments, Failed, Trial};
use similar::TextDiff;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

/// Codes without a case yet, each with the reason.
const CODES_WITHOUT_CASE: &[(Code, &str)] = &[(
    Code::DATA_KIND,
    "no source is a function, the only value without an encoding; `machine/closures` shows it in its results",
)];

fn difference(expected: &str, computed: &str) -> String {
    TextDiff::from_lines(&format!("{expected}\n"), &format!("{computed}\n"))
        .unified_diff()
        .context_radius(2)
        .header("in the file", "computed")
        .to_string()
}

fn check(file: &CaseFile, seed: u64, blessing: bool) -> Result<(), Failed> {
    let case = file.read()?;
    let outcome = stage::run(&case, seed);
    if stage::run(&case, !seed) != outcome {
        return Err("the outcome depends on the seed of in-memory hashes".into());
    }
    let blessable = outcome.faults.is_empty() && !differences(&case, &outcome).is_empty();
    if blessing && blessable {
        return match bless(&case, &outcome)? {
            Some(blessed) => Ok(file.write(&blessed)?),
            None => Ok(()),
        };
    }
    match report(&case, &outcome, difference) {
        Some(failure) if blessable && !file.is_frozen() => Err(format!("{failure}{BLESS_HINT}").into()),
        Some(failure) => Err(failure.into()),
        None => Ok(()),
    }
}

/// The codes in the diagnostic sections of all cases: the first words in capitals.
fn codes_of(case: &Case) -> Vec<String> {
    let content = case.section("diagnostic").map(kerai_golden::case::Section::content).unwrap_or_default();
    let is_code =
        |word: &&str| word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    content.lines().filter_map(|line| line.split(": ").find(is_code).map(str::to_owned)).collect()
}

fn every_code_has_a_case(files: &[CaseFile]) -> Result<(), Failed> {
    let mut seen = Vec::new();
    for file in files {
        seen.extend(codes_of(&file.read()?));
    }
    let names = Code::ALL.iter().map(|code| code.name()).chain(Diagnosis::ALL.iter().map(|code| code.name()));
    for code in names {
        let excepted = CODES_WITHOUT_CASE.iter().any(|exception| exception.0.name() == code);
        match (seen.iter().any(|name| name == code), excepted) {
            (false, false) => return Err(format!("{code} stands in no case's diagnostic").into()),
            (true, true) => {
                return Err(format!("{code} has a case: take it off the list of exceptions").into());
            }
            (true, false) | (false, true) => {}
        }
    }
    Ok(())
}

/// Limits that no stage meets, each with where it is tried.
const LIMITS_WITHOUT_CASE: &[(&str, &str)] = &[
    ("run.watched", "no stage shows what a step does instruction by instruction; `kerai trace` does"),
    ("relate.cases", "no stage compares two policies; tests/relations.rs does"),
    ("relate.tries", "no stage compares two policies; tests/relations.rs does"),
    ("trial.mutants", "no stage tries a policy by cases; `kerai policy test` does"),
];

fn every_limit_has_two_cases(files: &[CaseFile]) -> Result<(), Failed> {
    let is_excepted = |name: &str| LIMITS_WITHOUT_CASE.iter().any(|(exception, _)| *exception == name);
    for limit in limit::ALL.iter().chain(kerai_compiler::limit::ALL).filter(|limit| !is_excepted(limit.name)) {
        for side in ["at", "past"] {
            let stem = format!("limits/{}-{side}", limit.name.replace('.', "-"));
            if !files.iter().any(|file| file.name.starts_with(&stem)) {
                return Err(format!("limit `{}` has no case `{stem}…`", limit.name).into());
            }
        }
    }
    Ok(())
}

/// Every instruction and built-in stands in the text of a program that was accepted.
fn every_instruction_has_a_case(files: &[CaseFile]) -> Result<(), Failed> {
    let mut lines: Vec<String> = Vec::new();
    for file in files {
        if let Some(text) = file.read()?.section("text") {
            lines.extend(text.content().lines().map(|line| line.trim().to_owned()));
        }
    }
    for op in Op::ALL {
        let name = op.information().name;
        if !lines.iter().any(|line| line.split(' ').next() == Some(name)) {
            return Err(format!("no accepted program has the instruction `{name}`").into());
        }
    }
    for builtin in Builtin::ALL {
        let name = builtin.name();
        if !lines.iter().any(|line| line.starts_with("call-builtin ") && line.split(' ').next_back() == Some(name)) {
            return Err(format!("no accepted program calls `{name}`").into());
        }
    }
    Ok(())
}

/// Every trap is the result of some call, or becomes of some operation.
fn every_trap_has_a_case(files: &[CaseFile]) -> Result<(), Failed> {
    let mut words: BTreeSet<String> = BTreeSet::new();
    for file in files {
        let case = file.read()?;
        for section in ["results", "trap"].into_iter().filter_map(|name| case.section(name)) {
            words.extend(section.content().split_whitespace().map(str::to_owned));
        }
    }
    match TrapCode::ALL.iter().find(|code| !words.contains(code.name())) {
        Some(code) => Err(format!("nothing ends in the trap `{}`", code.name()).into()),
        None => Ok(()),
    }
}

/// Every program that ships runs here, and so on every platform and in every release that is frozen.
fn every_shipped_program_has_a_case(files: &[CaseFile]) -> Result<(), Failed> {
    let mut named: BTreeSet<String> = BTreeSet::new();
    for file in files.iter().filter(|file| file.name.starts_with("shipped/")) {
        let case = file.read()?;
        let lines = case.sections().iter().flat_map(|section| {
            let content = section.content();
            content.lines().filter_map(|line| line.strip_prefix("@program ").map(str::to_owned)).collect::<Vec<_>>()
        });
        named.extend(lines);
    }
    match PROGRAMS.iter().find(|(path, _)| !named.contains(*path)) {
        Some((path, _)) => Err(format!("the program `{path}` has no case below `shipped`").into()),
        None => Ok(()),
    }
}

fn every_section_is_explained(directory: &Path) -> Result<(), Failed> {
    let page = std::fs::read_to_string(directory.join("README.md"))?;
    match stage::STAGES.iter().find(|stage| !page.contains(&format!("`-- {} --`", stage.name))) {
        Some(stage) => Err(format!("golden/README.md does not explain `-- {} --`", stage.name).into()),
        None => Ok(()),
    }
}

fn trials(directory: &'static Path) -> Result<Vec<Trial>, String> {
    let seed = map_seed()?;
    let blessing = std::env::var("KERAI_BLESS").is_ok_and(|value| value == "1");
    let cases = files::list(directory).map_err(|fault| format!("cannot read the golden cases: {fault}"))?;
    if cases.is_empty() {
        return Err("there are no golden cases".to_owned());
    }
    let (all, again, programs, calls, shipped) =
        (cases.clone(), cases.clone(), cases.clone(), cases.clone(), cases.clone());
    let mut trials: Vec<Trial> =
        cases.into_iter().map(|file| Trial::test(file.name.clone(), move || check(&file, seed, blessing))).collect();
    trials.push(Trial::test("coverage/codes", move || every_code_has_a_case(&all)));
    trials.push(Trial::test("coverage/limits", move || every_limit_has_two_cases(&again)));
    trials.push(Trial::test("coverage/instructions", move || every_instruction_has_a_case(&programs)));
    trials.push(Trial::test("coverage/traps", move || every_trap_has_a_case(&calls)));
    trials.push(Trial::test("coverage/shipped", move || every_shipped_program_has_a_case(&shipped)));
    trials.push(Trial::test("coverage/sections", move || every_section_is_explained(directory)));
    Ok(trials)
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    match trials(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../golden"))) {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::FAILURE
        }
    }
}
