//! JSONTestSuite: files that a reader must accept, must refuse, or may treat as it likes, by the first letter of their names.

use crate::folder::Folder;
use crate::json_facts::JsonFacts;
use crate::judge::{Expected, Outcome, Report};
use crate::keep;
use crate::rules::Case;
use kerai_vm::encoding::{Options, cbor, json};
use kerai_vm::refusal::Refusal;
use kerai_vm::value::{Heap, Value};

/// Two seeds, so that nothing observed rests on the order in memory.
const SEEDS: [u64; 2] = [1, 0x9e37_79b9_7f4a_7c15];

pub fn run(folder: &Folder, report: &mut Report) {
    for file in folder.files() {
        if file.extension() != "json" {
            report.note(format!("not run: {}", file.path));
            continue;
        }
        let verdict = file.name().get(..2).filter(|_| file.path.starts_with("test_parsing/")).unwrap_or("i_");
        one(&file.path, verdict, &file.content, report);
    }
}

/// One document that must be accepted (`y_`), refused (`n_`), or either (`i_`), in which case the design alone decides.
pub fn one(path: &str, verdict: &str, input: &[u8], report: &mut Report) {
    report.keep(path, || keep::document("json", input));
    let facts = JsonFacts::of(input);
    let outcome = canonical(input);
    let content = facts.as_ref().map_or(Case::Plain, Case::Json);
    let expected = match (verdict, &facts) {
        ("y_", None) => {
            return report.fail(path, verdict, "a JSON document", "something that the tests' own reader does not read");
        }
        ("n_", _) | (_, None) => Expected::Refuses,
        ("i_", Some(facts)) if !facts.refusals.is_empty() => Expected::Refuses,
        (_, Some(facts)) => Expected::Gives(facts.kerai.clone()),
    };
    report.judge(path, verdict, &content, &expected, &outcome);
}

/// What kerai makes of a document: its canonical form, which must not depend on the way it took.
pub fn canonical(input: &[u8]) -> Outcome {
    let [first, second] = SEEDS.map(|seed| attempt(input, seed));
    if first == second { first } else { Outcome::Broken(format!("two seeds, two results: {first:?} and {second:?}")) }
}

fn attempt(input: &[u8], seed: u64) -> Outcome {
    let mut heap = Heap::new(seed);
    let value = match json::decode(&mut heap, input, &Options::CANONICAL) {
        Ok(value) => value,
        Err(refusal) if refusal.at.offset > input.len() => {
            return Outcome::Broken(format!("refused beyond its end: {refusal}"));
        }
        Err(refusal) => return Outcome::Refused(refusal.code.name()),
    };
    match written(&heap, value).and_then(|out| again(&out, &through_cbor(&heap, value)?).map(|()| out)) {
        Ok(out) => Outcome::Gave(out),
        Err(refusal) => Outcome::Broken(format!("read, but its own output was refused or changed: {refusal}")),
    }
}

fn written(heap: &Heap, value: Value) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    json::encode(heap, value, &Options::CANONICAL, &mut out).map_err(said)?;
    Ok(out)
}

/// The same document by way of its CBOR.
fn through_cbor(heap: &Heap, value: Value) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    cbor::encode(heap, value, &Options::CANONICAL, &mut bytes).map_err(said)?;
    let mut heap = Heap::new(3);
    let value = cbor::decode(&mut heap, &bytes, &Options::CANONICAL).map_err(said)?;
    written(&heap, value)
}

/// Canonical text reads back as itself.
fn again(out: &[u8], by_cbor: &[u8]) -> Result<(), String> {
    let mut heap = Heap::new(4);
    let value = json::decode(&mut heap, out, &Options::CANONICAL).map_err(said)?;
    if written(&heap, value)? == out && by_cbor == out { Ok(()) } else { Err("not the same bytes".to_owned()) }
}

fn said(refusal: Refusal) -> String {
    refusal.to_string()
}
