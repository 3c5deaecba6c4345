//! Canonical forms on which two independent implementations of RFC 8785 agreed, for documents of all sets.

use crate::folder::{File, Folder, from_hex, to_hex};
use crate::json_facts::JsonFacts;
use crate::json_parsing::{canonical, one};
use crate::judge::{Expected, Report};
use crate::keep;
use crate::rules::Case;
use kerai_vm::encoding::root::Root;

pub fn run(folder: &Folder, report: &mut Report) {
    for file in folder.files() {
        match (file.name(), file.extension()) {
            ("excluded.tsv", _) => excluded(folder, &file, report),
            (_, "tsv") => index(folder, &file, report),
            (_, "jsonl") => small(folder, &file, report),
            // The documents themselves, which the index names.
            (_, "json") => {}
            _ => report.note(format!("not run: {}", file.path)),
        }
    }
}

/// SHA-256, which is how programs hash.
fn digest(bytes: &[u8]) -> String {
    to_hex(Root::of_program(bytes).bytes())
}

/// Rows of path, length, digest by JCS, digest by JCS after NFC or `same`.
fn index(folder: &Folder, file: &File, report: &mut Report) {
    for row in file.text().lines().skip(1) {
        let mut cells = row.split('\t');
        let (Some(path), Some(length), Some(by_jcs), Some(after_nfc)) =
            (cells.next(), cells.next(), cells.next(), cells.next())
        else {
            report.note(format!("not a row: {row}"));
            continue;
        };
        let after_nfc = if after_nfc == "same" { by_jcs } else { after_nfc };
        let Some((input, facts)) = document(folder, path, report) else { continue };
        if facts.refusals.is_empty() && (facts.jcs.len().to_string() != length || digest(&facts.jcs) != by_jcs) {
            report.fail(path, "sha256_jcs", by_jcs, digest(&facts.jcs));
            continue;
        }
        report.keep(path, || keep::document("json", &input));
        // Normalization is not the difference here: the vector knows the form that has it.
        let facts = JsonFacts { is_not_nfc: false, ..facts };
        let is_known = digest(&facts.jcs_of_nfc) == after_nfc;
        if facts.refusals.is_empty() && !is_known {
            report.fail(path, "sha256_jcs_after_nfc", after_nfc, digest(&facts.jcs_of_nfc));
            continue;
        }
        let expected = Expected::Gives(facts.jcs_of_nfc.clone());
        report.judge(path, "index", &Case::Json(&facts), &expected, &canonical(&input));
    }
}

fn document(folder: &Folder, path: &str, report: &mut Report) -> Option<(Vec<u8>, JsonFacts)> {
    let Some(input) = folder.beside(path) else {
        report.note("documents that the index names are not in this folder");
        return None;
    };
    let facts = JsonFacts::of(&input);
    if facts.is_none() {
        report.fail(path, "index", "a JSON document", "something else");
    }
    Some((input, facts?))
}

/// Lines of path and canonical bytes before NFC.
fn small(folder: &Folder, file: &File, report: &mut Report) {
    for line in file.text().lines() {
        let row: Option<serde_json::Value> = serde_json::from_str(line).ok();
        let cell = |name: &str| row.as_ref()?.get(name)?.as_str().map(str::to_owned);
        let (Some(path), Some(bytes)) = (cell("file"), cell("canonical_hex").and_then(|hex| from_hex(&hex))) else {
            report.note(format!("not a row: {line}"));
            continue;
        };
        let Some((input, facts)) = document(folder, &path, report) else { continue };
        if facts.refusals.is_empty() && facts.jcs != bytes {
            report.fail(&path, "canonical_hex", String::from_utf8_lossy(&bytes), String::from_utf8_lossy(&facts.jcs));
            continue;
        }
        report.judge(&path, "canonical_hex", &Case::Json(&facts), &Expected::Gives(bytes), &canonical(&input));
    }
}

/// Documents on which the two did not agree, so that the design alone decides.
fn excluded(folder: &Folder, file: &File, report: &mut Report) {
    for path in file.text().lines().skip(1).filter_map(|row| row.split('\t').next()) {
        match folder.beside(path) {
            Some(input) => one(path, "i_", &input, report),
            None => report.note("documents that the index names are not in this folder"),
        }
    }
}
