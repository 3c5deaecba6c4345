//! A release's programs as cases of their own: the bytes that it gave out, and what they computed.

use crate::case::Case;
use crate::source;
use crate::stage::{self, CALLS, DIAGNOSTIC, OPERATIONS, Outcome, REQUESTS};
use crate::verdict::completed;
use kerai_vm::bytecode::Program;

/// The sections that show what a program computed, in their order; the second tells which input each needs.
const SHOWN: [(&str, &str); 5] =
    [("results", CALLS), ("gas", OPERATIONS), ("trap", OPERATIONS), ("state", OPERATIONS), ("rows", OPERATIONS)];

/// The case with its program as bytes, so that no later compiler has a part in it; nothing where it holds none.
///
/// # Errors
/// Where the bytes give something else than the source gave.
pub fn frozen(name: &str, case: &Case, version: &str, seed: u64) -> Result<Option<Case>, String> {
    let Some(code) = program_of(case, seed) else { return Ok(None) };
    // A policy's requests are put to all that it exports: what it decides or asks, and why.
    let exports = Program::decode(&source::hexadecimal(&code)?).map_err(|refusal| refusal.to_string())?.exports;
    let exports: Vec<String> = exports.into_keys().collect();
    let content = |section: &str| case.section(section).map(crate::case::Section::content).unwrap_or_default();
    let asked = content(REQUESTS);
    let asked = asked.lines().filter(|line| !line.is_empty());
    let asked: Vec<String> =
        asked.flat_map(|line| exports.iter().map(move |export| format!("{export} [{line}]"))).collect();
    let calls = [content(CALLS), asked.join("\n")].into_iter().filter(|lines| !lines.is_empty()).collect::<Vec<_>>();
    let operations = content(OPERATIONS);

    let mut frozen = Case::new(&format!("# `{name}` as version {version} built it."));
    frozen.push("code", &code);
    if !calls.is_empty() {
        frozen.push(CALLS, &calls.join("\n"));
    }
    if !operations.is_empty() {
        frozen.push(OPERATIONS, &operations);
    }
    frozen.push("root", "");
    for (section, input) in SHOWN {
        if frozen.section(input).is_some() {
            frozen.push(section, "");
        }
    }
    // A program that is refused as a fold says so for ever, too.
    let frozen = completed(&frozen, seed)?;
    if frozen.section("root").is_none() {
        return Err("its bytes are refused".to_owned());
    }
    // A policy's calls, and what is refused of more outputs, are more than the case's own: the root binds the program.
    let is_own = |section: &str| match section {
        DIAGNOSTIC => false,
        "results" => case.section(REQUESTS).is_none(),
        _ => true,
    };
    for section in frozen.sections().iter().filter(|section| stage::is_output(section.name())) {
        let (name, text) = (section.name(), section.content());
        if is_own(name) && case.section(name).is_some_and(|own| own.content() != text) {
            return Err(format!("its bytes give another `{name}` than its source"));
        }
    }
    Ok(Some(frozen))
}

/// The canonical bytes of the case's program in hexadecimal, if it has a program that is accepted.
fn program_of(case: &Case, seed: u64) -> Option<String> {
    let mut asking = Case::new("");
    for section in case.sections().iter().filter(|section| stage::is_source(section.name())) {
        asking.push(section.name(), &section.content());
    }
    asking.push("bytecode", "");
    let Outcome { outputs, faults } = stage::run(&asking, seed);
    outputs.into_iter().next().filter(|_| faults.is_empty()).map(|(_, code)| code)
}
