//! CBOR in all the layouts that its vectors come in: JSON arrays, tables with a column of hexadecimal, and raw files.

use crate::cbor_facts::CborFacts;
use crate::folder::{File, Folder, from_hex};
use crate::judge::{Expected, Outcome, Report};
use crate::keep;
use crate::rules::Case;
use kerai_vm::encoding::{Options, cbor};
use kerai_vm::number::{Float, parse_decimal};
use kerai_vm::value::{Heap, Kind, Value};

pub fn run(folder: &Folder, report: &mut Report) {
    for file in folder.files() {
        match file.extension() {
            "json" => array(&file, report),
            "tsv" | "csv" | "txt" => table(&file, report),
            "cbor" | "dag-cbor" => item(&file.path, "whole", &file.content, !says_bad(&file.path), report),
            // The same values in another encoding, which is not kerai's.
            "dag-json" => {}
            _ => report.note(format!("not run: {}", file.path)),
        }
    }
}

/// Whether a path names items that must be refused, by a word of its own: hashes among the names hold any letters.
fn says_bad(path: &str) -> bool {
    const WORDS: &[&str] = &["negative", "invalid", "malformed", "reject", "rejects", "rejected", "bad"];
    path.contains("not-well-formed") || path.split(['/', '-', '_', '.']).any(|word| WORDS.contains(&word))
}

/// One item: accepted and given back byte for byte, or refused.
fn item(path: &str, case: &str, input: &[u8], is_good: bool, report: &mut Report) {
    report.keep(path, || keep::document("cbor", input));
    let outcome = outcome(input);
    let expected = if is_good { Expected::Gives(input.to_vec()) } else { Expected::Refuses };
    match CborFacts::of(input) {
        Some(facts) => report.judge(path, case, &Case::Cbor(input, &facts), &expected, &outcome),
        None => report.judge(path, case, &Case::Plain, &expected, &outcome),
    }
}

fn outcome(input: &[u8]) -> Outcome {
    let mut heap = Heap::new(6);
    let decoded = cbor::decode(&mut heap, input, &Options::CANONICAL);
    let checked = cbor::check(input, &Options::CANONICAL);
    if decoded.as_ref().map(|_| ()).map_err(Clone::clone) != checked {
        return Outcome::Broken(format!("decode and check do not agree: {checked:?}"));
    }
    match decoded {
        Ok(value) => encoded(&heap, value),
        Err(refusal) if refusal.at.offset > input.len() => {
            Outcome::Broken(format!("refused beyond its end: {refusal}"))
        }
        Err(refusal) => Outcome::Refused(refusal.code.name()),
    }
}

fn encoded(heap: &Heap, value: Value) -> Outcome {
    let mut out = Vec::new();
    match cbor::encode(heap, value, &Options::CANONICAL, &mut out) {
        Ok(()) => Outcome::Gave(out),
        Err(refusal) => Outcome::Broken(format!("read, but not written again: {refusal}")),
    }
}

/// An array of objects with `hex`, and perhaps `roundtrip` and `decoded`.
fn array(file: &File, report: &mut Report) {
    let rows: Option<Vec<serde_json::Value>> = serde_json::from_slice(&file.content).ok();
    let Some(rows) = rows else { return report.note(format!("not run: {}", file.path)) };
    for row in &rows {
        let Some((hex, input)) = row.get("hex").and_then(|hex| Some((hex.as_str()?, from_hex(hex.as_str()?)?))) else {
            report.note(format!("no `hex` in a row of {}", file.path));
            continue;
        };
        // An item that is valid, but not what an encoder would write, is not canonical.
        let is_good =
            row.get("roundtrip").and_then(serde_json::Value::as_bool).unwrap_or(true) && !says_bad(&file.path);
        item(&file.path, hex, &input, is_good, report);
        let mut heap = Heap::new(7);
        if let (Some(expected), Ok(value)) = (row.get("decoded"), cbor::decode(&mut heap, &input, &Options::CANONICAL))
        {
            let case = format!("{hex} decoded");
            if is_same(&heap, value, expected) {
                report.pass()
            } else {
                report.fail(&file.path, case, expected.to_string(), format!("{:?}", heap.kind(value)))
            }
        }
    }
}

/// Whether a value is the one that a JSON text shows.
fn is_same(heap: &Heap, value: Value, shown: &serde_json::Value) -> bool {
    use serde_json::Value as Json;
    match shown {
        Json::Null => value.is_nil(),
        Json::Bool(shown) => value.as_bool() == Some(*shown),
        Json::Number(shown) => {
            let text = shown.to_string();
            match (heap.as_number(value), value.as_float()) {
                (Some(number), _) => parse_decimal(text.as_bytes()).ok() == Some(number),
                (None, Some(float)) => Float::parse(text.as_bytes()).map(Float::to_bits) == Some(float.to_bits()),
                (None, None) => false,
            }
        }
        Json::String(shown) => heap.as_string(&value) == Some(shown.as_bytes()),
        Json::Array(shown) => {
            heap.kind(value) == Kind::List
                && heap.items(value).is_some_and(|items| {
                    items.len() == shown.len()
                        && items.iter().zip(shown).all(|(&item, shown)| is_same(heap, item, shown))
                })
        }
        Json::Object(shown) => heap.entries(value).is_some_and(|entries| {
            let is_shown = |&(key, value): &(Value, Value)| {
                let key = heap.as_string(&key).and_then(|key| str::from_utf8(key).ok());
                key.and_then(|key| shown.get(key)).is_some_and(|shown| is_same(heap, value, shown))
            };
            entries.len() == shown.len() && entries.iter().all(is_shown)
        }),
    }
}

/// A table with a column of hexadecimal: the one that its header names, else the first that holds nothing else.
fn table(file: &File, report: &mut Report) {
    let text = file.text();
    let is_csv = file.extension() == "csv";
    let rows: Vec<Vec<String>> = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| if is_csv { csv(line) } else { line.split('\t').map(|cell| cell.trim().to_owned()).collect() })
        .collect();
    let titled = |title: &str| rows.first().and_then(|row| row.iter().position(|cell| cell.contains(title)));
    let (header, value) = (titled("hex"), titled("value"));
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    // A header may be missing, or say something else.
    let holds_hex = |skipped: usize, column: usize| {
        let cells = || rows.iter().skip(skipped).filter_map(|row| row.get(column));
        cells().all(|cell| from_hex(cell).is_some()) && cells().any(|cell| !cell.is_empty())
    };
    let found = |skipped| (0..width).find(|&column| holds_hex(skipped, column)).map(|column| (column, skipped));
    let Some((column, skipped)) = header.map(|column| (column, 1)).or_else(|| found(0)).or_else(|| found(1)) else {
        return report.note(format!("no column of hexadecimal in {}", file.path));
    };
    for row in rows.iter().skip(skipped) {
        let Some((hex, input)) = row.get(column).and_then(|hex| Some((hex, from_hex(hex)?))) else {
            report.note(format!("not a row in {}: {row:?}", file.path));
            continue;
        };
        let is_good = !says_bad(&file.path) && row.first().is_none_or(|cell| cell != "bad");
        item(&file.path, hex, &input, is_good, report);
        let shows_value = row.first().is_some_and(|cell| cell == "int" || cell == "flt");
        let shown = if shows_value { row.get(1) } else { value.and_then(|value| row.get(value)) };
        if let (true, Some(shown)) = (is_good, shown) {
            encoding_of(&file.path, shown, hex, &input, report);
        }
    }
}

fn csv(line: &str) -> Vec<String> {
    let (mut cells, mut is_quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(String::new()),
            _ => {
                if let Some(cell) = cells.last_mut() {
                    cell.push(c);
                }
            }
        }
    }
    cells
}

/// A value that the table shows is encoded as the table says. A point or an exponent makes it a float.
fn encoding_of(path: &str, shown: &str, hex: &str, input: &[u8], report: &mut Report) {
    let mut heap = Heap::new(8);
    let text = shown.split_whitespace().next().unwrap_or_default();
    let float = match text {
        "Infinity" => Some(Float::INFINITY),
        "-Infinity" => Some(Float::INFINITY.negate()),
        "NaN" => Some(Float::NAN),
        _ if text.contains(['.', 'e']) => Float::parse(text.as_bytes()),
        _ => None,
    };
    let value = match (float, parse_decimal(text.as_bytes())) {
        (Some(float), _) => Value::float(float),
        (None, Ok(number)) => heap.number(number),
        (None, Err(_)) => return,
    };
    // A NaN with another payload is no value, as the case of its bytes says.
    if matches!(outcome(input), Outcome::Refused(_)) {
        return;
    }
    let outcome = encoded(&heap, value);
    let expected = Expected::Gives(input.to_vec());
    let case = format!("{hex} from {shown}");
    match (float, &outcome) {
        (Some(float), Outcome::Gave(float_encoding)) => {
            // Reduced: the vector's bytes are an integer, and the float is that integer.
            let is_integer = input.first().is_some_and(|head| head >> 5 < 2 || *head == 0xc2 || *head == 0xc3);
            let number =
                cbor::decode(&mut heap, input, &Options::CANONICAL).ok().and_then(|value| heap.as_number(value));
            let is_equal = number
                .is_some_and(|number| number.compare_float_bits(float.to_bits()).is_some_and(|order| order.is_eq()));
            let is_kept = cbor::decode(&mut heap, float_encoding, &Options::CANONICAL)
                .ok()
                .and_then(Value::as_float)
                .map(Float::to_bits)
                == Some(float.to_bits());
            let content = Case::Reduced { is_integral: is_integer && is_equal && is_kept, float_encoding };
            report.judge(path, case, &content, &expected, &outcome);
        }
        _ => report.judge(path, case, &Case::Plain, &expected, &outcome),
    }
}
