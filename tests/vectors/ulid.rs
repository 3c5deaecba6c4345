//! ULIDs: texts with their bytes and times, successors, and texts that are none.

use crate::folder::{File, Folder, to_hex};
use crate::judge::Report;
use crate::keep;
use kerai_vm::ulid::Ulid;

/// The bits of a ULID that are not its time.
const RANDOM: u128 = (1 << 80) - 1;

pub fn run(folder: &Folder, report: &mut Report) {
    for file in folder.files() {
        let text = file.text();
        match (file.extension(), text.lines().next().unwrap_or_default()) {
            ("tsv", header) if header.split('\t').any(|cell| cell == "bytes_hex") => table(&file, header, report),
            ("tsv", header) if header.starts_with("text") => invalid(&file, report),
            ("txt", _) => list(&file, report),
            _ => report.note(format!("not run: {}", file.path)),
        }
    }
}

/// Each text is read and written again; its successor is the next number, unless the random part is full.
fn list(file: &File, report: &mut Report) {
    let text = file.text();
    let lines: Vec<&str> =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    for (number, line) in lines.iter().enumerate() {
        one(&file.path, number + 1, line, report);
    }
    if file.stem().contains("monotonic") {
        let pairs = lines.iter().zip(lines.iter().skip(1)).enumerate();
        for (number, (line, next)) in pairs {
            let successor = Ulid::parse(line.as_bytes()).ok().and_then(Ulid::successor).map(written);
            report.equal(&file.path, format!("successor of {}", number + 1), &Some((*next).to_owned()), &successor);
        }
    }
}

fn written(ulid: Ulid) -> String {
    ulid.to_text().iter().map(|&byte| char::from(byte)).collect()
}

fn one(path: &str, case: impl std::fmt::Display, text: &str, report: &mut Report) {
    report.keep(path, || keep::ulid(text));
    let Ok(ulid) = Ulid::parse(text.as_bytes()) else { return report.fail(path, case, text, "a refusal") };
    let value = u128::from_be_bytes(ulid.to_bytes());
    let successor = if value & RANDOM == RANDOM { None } else { Some(value + 1) };
    let got = ulid.successor().map(|next| u128::from_be_bytes(next.to_bytes()));
    let is_kept = written(ulid) == text && Ulid::from_bytes(ulid.to_bytes()).to_bytes() == ulid.to_bytes();
    report.equal(path, case, &(true, successor, (value >> 80) as u64), &(is_kept, got, ulid.milliseconds()));
}

/// Rows of time, bytes and text, in the order that the header names.
fn table(file: &File, header: &str, report: &mut Report) {
    let column = |name: &str| header.split('\t').position(|cell| cell == name);
    let text = file.text();
    let mut all: Vec<(String, [u8; 16])> = Vec::new();
    for (line, row) in text.lines().enumerate().skip(1) {
        let cell = |name: &str| column(name).and_then(|column| row.split('\t').nth(column)).unwrap_or_default();
        let ulid = cell("ulid");
        report.keep(&file.path, || keep::ulid(ulid));
        match Ulid::parse(ulid.as_bytes()) {
            Ok(read) => {
                let got = (read.milliseconds().to_string(), to_hex(&read.to_bytes()), written(read));
                let expected = (cell("unix_ms").to_owned(), cell("bytes_hex").to_lowercase(), ulid.to_owned());
                report.equal(&file.path, line + 1, &expected, &got);
                all.push((ulid.to_owned(), read.to_bytes()));
            }
            Err(_) => report.fail(&file.path, line + 1, ulid, "a refusal"),
        }
    }
    // The order of texts is the order of bytes.
    let mut by_text = all.clone();
    by_text.sort_by(|a, b| a.0.cmp(&b.0));
    all.sort_by_key(|row| row.1);
    report.equal(&file.path, "order", &by_text, &all);
}

fn invalid(file: &File, report: &mut Report) {
    for (line, row) in file.text().lines().enumerate().skip(1) {
        let text = row.split('\t').next().unwrap_or_default();
        report.keep(&file.path, || keep::ulid(text));
        let read = Ulid::parse(text.as_bytes()).map(written).map_err(|refusal| refusal.code.name());
        report.equal(&file.path, line + 1, &Err("ULID_SYNTAX"), &read);
    }
}
