//! Unicode's own normalization test: each row's forms, and every code point that the first part does not list.

use crate::folder::{File, Folder};
use crate::judge::{Expected, Outcome, Report};
use crate::keep;
use crate::rules::Case;
use kerai_vm::encoding::text;
use kerai_vm::refusal::Code;
use std::collections::BTreeSet;

pub fn run(folder: &Folder, report: &mut Report) {
    let files = folder.files();
    let mut listed = BTreeSet::new();
    let mut has_first_part = false;
    for file in &files {
        if file.extension() != "txt" {
            report.note(format!("not run: {}", file.path));
            continue;
        }
        let text = file.text();
        has_first_part |= text.lines().any(|line| line.starts_with("@Part1"));
        for (line, row) in text.lines().enumerate() {
            let content = row.split('#').next().unwrap_or_default().trim();
            if content.is_empty() || content.starts_with('@') {
                continue;
            }
            match columns(content) {
                Some(columns) => {
                    listed.extend(
                        columns
                            .first()
                            .filter(|source| source.chars().count() == 1)
                            .and_then(|source| source.chars().next()),
                    );
                    one(file, line + 1, &columns, report);
                }
                None => report.note(format!("not a row: {}:{}", file.path, line + 1)),
            }
        }
    }
    if has_first_part {
        unlisted(&listed, report);
    }
}

/// Source, NFC, NFD, NFKC, NFKD.
fn columns(row: &str) -> Option<Vec<String>> {
    let columns: Option<Vec<String>> = row
        .split(';')
        .take(5)
        .map(|column| {
            column.split_whitespace().map(|point| char::from_u32(u32::from_str_radix(point, 16).ok()?)).collect()
        })
        .collect();
    columns.filter(|columns| columns.len() == 5)
}

fn normalized(text: &str) -> Result<String, &'static str> {
    match text::normalize(text.as_bytes()) {
        Ok(normal) => String::from_utf8(normal.into_owned()).map_err(|_| "not UTF-8"),
        Err(fault) => Err(fault.code.name()),
    }
}

/// NFC of the first three columns is the second, and of the last two the fourth; and checking agrees with normalizing.
fn one(file: &File, line: usize, columns: &[String], report: &mut Report) {
    report.keep(&file.path, || keep::document("json", serde_json::json!(columns).to_string().as_bytes()));
    let [source, nfc, nfd, nfkc, nfkd] = columns else { return };
    let pairs = [(source, nfc), (nfc, nfc), (nfd, nfc), (nfkc, nfkc), (nfkd, nfkc)];
    let is_unassigned = columns.iter().any(|column| column.chars().any(|point| !text::is_assigned(point)));
    let mut outcome = Outcome::Gave(b"normalized".to_vec());
    for (text, expected) in pairs {
        let checked = match text::check(text.as_bytes()) {
            Ok(()) => text == expected,
            Err(fault) => fault.code == Code::DATA_UNASSIGNED || (fault.code == Code::DATA_NFC && text != expected),
        };
        outcome = match normalized(text) {
            Ok(normal) if normal == *expected && checked => continue,
            Ok(normal) => Outcome::Broken(format!("{text:?} normalizes to {normal:?}, its check agrees: {checked}")),
            Err(code) => Outcome::Refused(code),
        };
        break;
    }
    report.judge(&file.path, line, &Case::Text { is_unassigned }, &Expected::Gives(b"normalized".to_vec()), &outcome);
}

/// Every assigned code point that no row has for its source is unchanged: one case.
fn unlisted(listed: &BTreeSet<char>, report: &mut Report) {
    let is_changed = |point: &char| {
        let text = point.to_string();
        text::is_assigned(*point)
            && !listed.contains(point)
            && (normalized(&text).as_deref() != Ok(&text) || text::check(text.as_bytes()).is_err())
    };
    let changed: Vec<char> = ('\0'..=char::MAX).filter(is_changed).collect();
    report.equal("part 1", "code points that are not listed", &Vec::new(), &changed);
}
