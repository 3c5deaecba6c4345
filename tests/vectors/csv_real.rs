//! Real tables: imported and exported, each record is what it was, by a reader of CSV that knows nothing of ours; and
//! each column is of a type that all of it can be read as.

use crate::folder::{File, Folder};
use crate::judge::Report;
use kerai_words::{Content, Database, Machine, Outside};
use serde_json::Value;
use std::path::Path;
use std::{env, fs};

/// Nobody is around.
struct Alone;

impl Outside for Alone {
    fn say(&mut self, _: &str) {}

    fn progress(&mut self, _: usize, _: &str) {}

    fn build(&mut self, _: &str) -> Result<Value, String> {
        Err("there is nothing to build".to_owned())
    }

    fn verify(&mut self, _: &str) -> Result<Value, String> {
        Err("there is no stream".to_owned())
    }

    fn postgres(&self) -> Option<String> {
        None
    }
}

pub fn run(folder: &Folder, report: &mut Report) {
    for file in folder.files() {
        if file.extension() == "csv" {
            table(&file, report);
        } else {
            report.note(format!("not run: {}", file.path));
        }
    }
}

/// Records as bytes: a field is nothing, or what it says. Written as the standard reads, a letter at a time.
fn records(bytes: &[u8]) -> Vec<Vec<Option<Vec<u8>>>> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let (mut all, mut record, mut field, mut is_quoted, mut is_open) =
        (Vec::new(), Vec::new(), Vec::new(), false, false);
    let mut rest = bytes.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' if is_open && rest.peek() == Some(&b'"') => field.extend(rest.next()),
            b'"' if is_open => is_open = false,
            b'"' if field.is_empty() && !is_quoted => (is_quoted, is_open) = (true, true),
            b',' | b'\n' if !is_open => {
                let field = std::mem::take(&mut field);
                record.push((is_quoted || !field.is_empty()).then_some(field));
                is_quoted = false;
                if byte == b'\n' {
                    all.push(std::mem::take(&mut record));
                }
            }
            b'\r' if !is_open && rest.peek() == Some(&b'\n') => {}
            other => field.push(other),
        }
    }
    if !field.is_empty() || is_quoted || !record.is_empty() {
        record.push((is_quoted || !field.is_empty()).then_some(field));
        all.push(record);
    }
    // Between the rows of more than one column, an empty line is none.
    let width = all.first().map_or(0, Vec::len);
    all.retain(|record| record.len() > 1 || width == 1);
    all
}

fn table(file: &File, report: &mut Report) {
    let given = env::temp_dir().join(format!("kerai-csv-{}-{}", std::process::id(), file.name()));
    let left = given.with_extension("out");
    let outcome = fs::write(&given, &file.content).map_err(|fault| fault.to_string());
    let outcome = outcome.and_then(|()| through(&given, &left)).and_then(|types| {
        let bytes = fs::read(&left).map_err(|fault| fault.to_string())?;
        Ok((types, bytes))
    });
    for path in [given, left] {
        // What was not made can't be removed.
        let _ = fs::remove_file(path);
    }
    let (types, bytes) = match outcome {
        Ok(done) => done,
        Err(message) => return report.fail(&file.path, "import and export", "the table", message),
    };
    let (expected, got) = (records(&file.content), records(&bytes));
    report.equal(&file.path, "records", &expected.len(), &got.len());
    for (number, (expected, got)) in expected.iter().zip(&got).enumerate() {
        report.equal(&file.path, format!("record {number}"), expected, got);
    }
    for (column, holds) in types.iter().enumerate() {
        let cells = expected.iter().skip(1).filter_map(|record| record.get(column)?.as_deref());
        let mut texts = cells.map(|cell| String::from_utf8_lossy(cell).into_owned());
        let fits = match holds.as_str() {
            "integer" => texts.all(|text| text.parse::<i64>().is_ok_and(|number| number.to_string() == text)),
            "decimal" => texts.all(|text| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-'))),
            "bool" => texts.all(|text| text == "true" || text == "false"),
            "date" => texts.all(|text| text.len() == 10 && text.matches('-').count() == 2),
            _ => true,
        };
        report.equal(&file.path, format!("column {column} as {holds}"), &true, &fits);
    }
}

/// Imports a table and exports it again; gives the types of its columns.
fn through(given: &Path, left: &Path) -> Result<Vec<String>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|fault| fault.to_string())?;
    runtime.block_on(async {
        let wrong = |found: kerai_words::WordError| found.to_string();
        let database = Database::open(None).await.map_err(wrong)?;
        let mut machine = Machine::open(database, None, Box::new(Alone)).await.map_err(wrong)?;
        let quoted = |path: &Path| format!("\"{}\"", path.display().to_string().replace('\\', "\\\\"));
        let name = given.file_stem().unwrap_or_default().to_string_lossy();
        let words = format!("{} csv.import \"{name}\" table.select dup {} csv.export", quoted(given), quoted(left));
        machine.run(&words).await.map_err(wrong)?;
        match machine.items().last().map(|item| &item.content) {
            Some(Content::Table { columns, .. }) => Ok(columns.iter().map(|column| column.holds.clone()).collect()),
            _ => Err("there is no table on the top".to_owned()),
        }
    })
}
