//! Cases of the sets as golden cases: a sample of every file, so that what runs on every platform runs them too.

use crate::folder::to_hex;
use crate::judge::Report;
use kerai_golden::case::Case;
use kerai_golden::verdict::completed;
use kerai_golden::{MAP_SEED, stage};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Of each file at least so many cases are kept, if it has them, and less than twice as many.
const FEWEST: usize = 8;

/// Of a set at most so many golden cases are written, expressions apart.
const MOST: usize = 50;

/// Longer sources are left to the tests here: emulators are slow.
const LONGEST: usize = 1 << 16;

/// Of a fold's operations so many: a case tries a snapshot after each.
const OPERATIONS: usize = 24;

/// For expressions about floats.
pub const FLOAT: &str = "--!numeric float\n";

/// For expressions about exact numbers.
pub const EXACT: &str = "";

/// Items spread evenly over all that were offered, however many these are.
struct Spread<T> {
    every: usize,
    offered: usize,
    kept: Vec<T>,
}

impl<T> Default for Spread<T> {
    fn default() -> Spread<T> {
        Spread { every: 1, offered: 0, kept: Vec::new() }
    }
}

impl<T> Spread<T> {
    fn offer(&mut self, item: impl FnOnce() -> Option<T>) {
        if self.offered.is_multiple_of(self.every) {
            let Some(item) = item() else { return };
            self.kept.push(item);
        }
        self.offered += 1;
        if self.kept.len() == 2 * FEWEST {
            let mut is_even = false;
            self.kept.retain(|_| {
                is_even = !is_even;
                is_even
            });
            self.every *= 2;
        }
    }
}

/// What is kept of a set, by file.
#[derive(Default)]
pub struct Sample {
    cases: BTreeMap<String, Spread<Case>>,
    /// Expressions of Lua, by file and what stands before them.
    expressions: BTreeMap<(String, &'static str), Spread<String>>,
}

impl Report {
    /// Offers a golden case with empty outputs; it is made only where cases are kept.
    pub fn keep(&mut self, file: &str, case: impl FnOnce() -> Option<Case>) {
        if let Some(sample) = &mut self.sample {
            sample.cases.entry(file.to_owned()).or_default().offer(case);
        }
    }

    /// Offers an expression of Lua; those of a file become one golden case.
    pub fn keep_expression(&mut self, file: &str, pragma: &'static str, expression: impl FnOnce() -> Option<String>) {
        if let Some(sample) = &mut self.sample {
            sample.expressions.entry((file.to_owned(), pragma)).or_default().offer(expression);
        }
    }
}

impl Sample {
    /// Writes the cases with what they come to here, `000.txt` and on; gives their number.
    ///
    /// # Errors
    /// Where a case contradicts itself, or a file can't be written.
    pub fn write(self, folder: &Path) -> Result<usize, String> {
        let expressions = self.expressions.into_iter().filter(|(_, spread)| !spread.kept.is_empty());
        let of_expressions = expressions.map(|((file, pragma), spread)| (file, functions(pragma, &spread.kept)));
        let of_cases = self.cases.into_iter();
        let of_cases =
            of_cases.flat_map(|(file, spread)| spread.kept.into_iter().map(move |case| (file.clone(), case)));
        let of_cases: Vec<(String, Case)> = of_cases.collect();
        let step = of_cases.len().div_ceil(MOST).max(1);
        let chosen: Vec<(String, Case)> = of_expressions.chain(of_cases.into_iter().step_by(step)).collect();
        fs::create_dir_all(folder).map_err(|fault| fault.to_string())?;
        for (number, (file, case)) in chosen.iter().enumerate() {
            let case = completed(case, MAP_SEED).map_err(|fault| format!("{file}: {fault}"))?;
            fs::write(folder.join(format!("{number:03}.txt")), case.print()).map_err(|fault| fault.to_string())?;
        }
        Ok(chosen.len())
    }
}

/// A case that asks for outputs of a source.
fn asking(source: &str, content: &str, inputs: &[(&str, &str)], outputs: &[&str]) -> Case {
    let mut case = Case::new("# From a vector.");
    case.push(source, content);
    inputs.iter().for_each(|(name, input)| case.push(name, input));
    stage::with_outputs(&case, outputs)
}

/// A document, `json` or `cbor`, with all that it can come to.
pub fn document(kind: &str, bytes: &[u8]) -> Option<Case> {
    let hexadecimal = to_hex(bytes);
    let content = if kind == "json" { format!("@bytes {hexadecimal}") } else { hexadecimal };
    (1..LONGEST).contains(&bytes.len()).then(|| asking(kind, &content, &[], &["encoded", "view", "root"]))
}

/// A ULID's text.
pub fn ulid(text: &str) -> Option<Case> {
    Some(asking("ulid", text, &[], &["encoded"]))
}

/// A source whose tree is asked for.
pub fn tree(language: &str, text: &str) -> Option<Case> {
    (1..LONGEST).contains(&text.len()).then(|| asking(language, &bytes(text.as_bytes()), &[], &["tree"]))
}

/// A source, compiled, and what is called of it.
pub fn called(language: &str, text: &str, calls: &str) -> Option<Case> {
    let outputs = ["bytecode", "root", "results"];
    (text.len() < LONGEST).then(|| asking(language, &bytes(text.as_bytes()), &[("calls", calls)], &outputs))
}

/// A policy with a request as JSON, and what it decides.
pub fn decided(policy: &str, request: &str) -> Option<Case> {
    let outputs = ["bytecode", "root", "decisions"];
    (policy.len() + request.len() < LONGEST)
        .then(|| asking("policy", &bytes(policy.as_bytes()), &[("requests", request)], &outputs))
}

/// A fold over operations, the first of them.
pub fn folded(language: &str, text: &str, operations: &[String]) -> Option<Case> {
    let operations = operations.get(..OPERATIONS).unwrap_or(operations).join("\n");
    let outputs = ["root", "gas", "trap", "state", "rows"];
    (operations.len() < LONGEST).then(|| asking(language, &bytes(text.as_bytes()), &[("ops", &operations)], &outputs))
}

/// A text as a source's content, whatever stands in it.
fn bytes(text: &[u8]) -> String {
    format!("@bytes {}", to_hex(text))
}

/// A function for each expression, and a call of it.
fn functions(pragma: &str, expressions: &[String]) -> Case {
    let (mut text, mut calls) = (pragma.to_owned(), Vec::new());
    for (number, expression) in expressions.iter().enumerate() {
        // Writing to a string can't fail.
        let _ = writeln!(text, "function f{number}() return {expression} end");
        calls.push(format!("f{number} []"));
    }
    let outputs = ["bytecode", "root", "results"];
    asking("lua", text.trim_end(), &[("calls", &calls.join("\n"))], &outputs)
}

/// A float as an expression of Lua, from its bits: all the digits stand there.
pub fn float(bits: u64) -> String {
    let sign = if bits >> 63 == 1 { "-" } else { "" };
    let (exponent, fraction) = (bits >> 52 & 0x7ff, bits & ((1 << 52) - 1));
    match (exponent, fraction) {
        (0x7ff, 0) => format!("({sign}1.0 / 0.0)"),
        (0x7ff, _) => "(0.0 / 0.0)".to_owned(),
        (0, _) => format!("({sign}0x0.{fraction:013x}p-1022)"),
        _ => format!("({sign}0x1.{fraction:013x}p{})", i64::try_from(exponent).unwrap_or_default() - 1023),
    }
}

/// A text as an expression of Lua.
pub fn text(bytes: &[u8]) -> String {
    let escaped: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    format!("\"{escaped}\"")
}
