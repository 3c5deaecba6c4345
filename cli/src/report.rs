//! How refusals are shown: for people on standard error, for machines as JSON on standard output.

use crate::outcome::Answer;
use kerai_vm::refusal::Refusal;
use serde_json::{Value, json};

/// Says on standard error what was refused: `path:line:column`, or the byte in binary input, the code, and what to do.
/// A stream's document is told by its line in the stream.
pub fn print(path: &str, line: Option<usize>, refusal: &Refusal) {
    let place = match (line.or(refusal.at.line), refusal.at.column, refusal.at.instruction) {
        (Some(line), Some(column), _) => format!("{path}:{line}:{column}"),
        (_, _, Some((function, instruction))) => format!("{path}: function {function}, instruction {instruction}"),
        _ => format!("{path}: byte {}", refusal.at.offset),
    };
    let limit = refusal.limit.map(|limit| format!(" (limit `{}` is {})", limit.name, limit.value)).unwrap_or_default();
    eprintln!("{place}: {}: {}{limit}", refusal.code.name(), refusal.code.summary());
    eprintln!("  help: {}", refusal.code.explanation());
}

/// Says why the whole of an input was refused, in the form that is wished.
pub fn refuse(path: &str, refusal: &Refusal, is_json: bool) -> Answer {
    if is_json {
        println!("{}", to_json(path, None, refusal));
    } else {
        print(path, None, refusal);
    }
    Answer::No
}

/// The refusal as `--json` shows it.
pub fn to_json(path: &str, line: Option<usize>, refusal: &Refusal) -> Value {
    json!({
        "ok": false,
        "path": path,
        "code": refusal.code.name(),
        "message": refusal.code.summary(),
        "help": refusal.code.explanation(),
        "offset": refusal.at.offset,
        "line": line.or(refusal.at.line),
        "column": refusal.at.column,
        "function": refusal.at.instruction.map(|(function, _)| function),
        "instruction": refusal.at.instruction.map(|(_, instruction)| instruction),
        "limit": refusal.limit.map(|limit| json!({ "name": limit.name, "value": limit.value })),
    })
}
