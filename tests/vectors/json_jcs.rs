//! RFC 8785's reference data: whole documents with their canonical bytes, and doubles with their ECMAScript text.

use crate::folder::{File, Folder, from_hex};
use crate::json_facts::JsonFacts;
use crate::json_parsing::canonical;
use crate::judge::{Expected, Outcome, Report};
use crate::keep;
use crate::rules::Case;
use kerai_vm::encoding::{Options, json};
use kerai_vm::number::Float;
use kerai_vm::value::{Heap, Value};

pub fn run(folder: &Folder, report: &mut Report) {
    let files = folder.files();
    let content = |path: &str| files.iter().find(|file| file.path == path);
    for file in &files {
        match file.path.split_once('/') {
            Some(("input", name)) => {
                let output = content(&format!("output/{name}")).map(|output| output.content.trim_ascii_end().to_vec());
                let in_hex = content(&format!("outhex/{}.txt", file.stem()))
                    .and_then(|hex| from_hex(&hex.text().split_whitespace().collect::<String>()));
                match output.or_else(|| in_hex.clone()) {
                    Some(expected) if in_hex.as_ref().is_some_and(|hex| *hex != expected) => {
                        report.note(format!("output and outhex of {name} are not the same"));
                        document(file, &in_hex.unwrap_or(expected), report);
                    }
                    Some(expected) => document(file, &expected, report),
                    None => report.note(format!("no output for {}", file.path)),
                }
            }
            Some(("output" | "outhex", _)) => {}
            None if file.extension() == "txt" => numbers(file, report),
            _ => report.note(format!("not run: {}", file.path)),
        }
    }
}

fn document(file: &File, expected: &[u8], report: &mut Report) {
    report.keep(&file.path, || keep::document("json", &file.content));
    let Some(facts) = JsonFacts::of(&file.content) else {
        return report.fail(&file.path, "input", "a JSON document", "something else");
    };
    if facts.jcs != expected && facts.refusals.is_empty() {
        return report.fail(
            &file.path,
            "output",
            String::from_utf8_lossy(expected),
            String::from_utf8_lossy(&facts.jcs),
        );
    }
    report.judge(
        &file.path,
        "output",
        &Case::Json(&facts),
        &Expected::Gives(expected.to_vec()),
        &canonical(&file.content),
    );
}

fn numbers(file: &File, report: &mut Report) {
    let mut heap = Heap::new(5);
    for (line, row) in file.text().lines().enumerate() {
        match row.split_once(',').and_then(|(bits, text)| Some((u64::from_str_radix(bits, 16).ok()?, text))) {
            Some((bits, text)) => number(&file.path, line + 1, Float::from_bits(bits), text, &mut heap, report),
            None => report.note(format!("not a row: {}:{}", file.path, line + 1)),
        }
    }
}

fn number(path: &str, line: usize, float: Float, text: &str, heap: &mut Heap, report: &mut Report) {
    report.keep(path, || keep::document("cbor", &[&[0xfb], float.to_bits().to_be_bytes().as_slice()].concat()));
    let mut out = Vec::new();
    let outcome = match json::encode(heap, Value::float(float), &Options::CANONICAL, &mut out) {
        Ok(()) if !float.is_zero() && Float::parse(&out).map(Float::to_bits) != Some(float.to_bits()) => {
            Outcome::Broken(format!("`{}` does not read back as the float", String::from_utf8_lossy(&out)))
        }
        Ok(()) => Outcome::Gave(out),
        Err(refusal) => Outcome::Refused(refusal.code.name()),
    };
    let expected = match float.is_finite() {
        true => Expected::Gives(text.as_bytes().to_vec()),
        false => Expected::Refuses,
    };
    match plain(text) {
        Some(plain) if text.contains('e') => {
            report.judge(path, line, &Case::FloatText { has_exponent: true, plain: &plain }, &expected, &outcome)
        }
        _ => report.judge(path, line, &Case::Plain, &expected, &outcome),
    }
}

/// The same digits without an exponent, moved about as characters.
fn plain(text: &str) -> Option<String> {
    let (sign, text) = text.strip_prefix('-').map_or(("", text), |text| ("-", text));
    let (mantissa, exponent) = text.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{integer}{fraction}");
    let places = i32::try_from(fraction.len()).ok()? - exponent;
    let zeros = usize::try_from(places.abs()).ok()?;
    Some(if places <= 0 {
        format!("{sign}{digits}{}", "0".repeat(zeros))
    } else {
        let padded = format!("{}{digits}", "0".repeat((zeros + 1).saturating_sub(digits.len())));
        let (integer, fraction) = padded.split_at(padded.len() - zeros);
        format!("{sign}{integer}.{fraction}")
    })
}
