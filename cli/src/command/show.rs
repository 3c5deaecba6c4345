//! `kerai show`: opens a program, a document or evidence and says what is in it.

use super::bundle;
use crate::Global;
use crate::command::show_evidence;
use crate::input::Input;
use crate::outcome::{Answer, Fault, Outcome};
use crate::spool::{PackPath, STANDARD_INPUT};
use crate::{diagnostics, report, sources};
use kerai_compiler::lower::words::lowered;
use kerai_compiler::{Language, Source};
use kerai_store::bundle::Bundle;
use kerai_store::pack;
use kerai_vm::bytecode::{Exit, Function, Op, Program, ProgramKind, Role, Word};
use kerai_vm::encoding::root::{Context, Root};
use kerai_vm::encoding::{Options, cbor, json};
use kerai_vm::refusal::Refusal;
use kerai_vm::value::{Heap, Value};
use serde_json::{Map, json};
use std::fmt::Write as _;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::path::Path;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai show fold.rgf               root, kind, limits, gas and code of a program, as text that `kerai asm` reads
  kerai show fold.rgf --json        the same as one object
  kerai show all.bundle             the number, root and signer of a bundle, and its programs
  kerai show prices.kerai           what each word of a source takes and leaves
  kerai show invoice.cbor           a document as canonical JSON
  kerai show stock.pack             a pack, a line a part; nothing of it is checked but its form
  kerai show row.proof              a proof with its checkpoint; also an op or a checkpoint by itself")]
pub struct Arguments {
    /// The file; `-` or nothing is standard input
    file: Option<String>,
}

/// What a file can hold.
enum Content {
    Program(Program),
    /// Its root and its view.
    Document(Root, String),
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    let named = arguments.file.as_deref().filter(|&name| name != STANDARD_INPUT);
    if let Some(pack) = PackPath::find(named.unwrap_or_default())? {
        let fault = |cause| Fault::Read { path: pack.path().display().to_string(), cause };
        return show_evidence::pack(File::open(pack.path()).map_err(fault)?, global);
    }
    let mut input = Input::open(named)?;
    if input.begins_with(pack::MAGIC)? {
        return show_evidence::pack(input, global);
    }
    let bytes = input.whole()?;
    if Bundle::is_one(&bytes) {
        let opened = Bundle::open(&bytes).map_err(kerai_store::fault::Fault::Refused)?;
        let text = if global.json { format!("{}\n", bundle::to_json(&opened, None)) } else { bundle::to_text(&opened) };
        io::stdout().lock().write_all(text.as_bytes()).map_err(Fault::Write)?;
        return Ok(Answer::Yes);
    }
    if let Some(shown) = show_evidence::open(&bytes) {
        let shown = shown.map_err(kerai_store::fault::Fault::from)?;
        let text = if global.json { shown.to_string() } else { format!("{shown:#}") };
        writeln!(io::stdout().lock(), "{text}").map_err(Fault::Write)?;
        return Ok(Answer::Yes);
    }
    if sources::language(&input.name) == Some(Language::Words) {
        return effects(&input.name, &bytes, global);
    }
    let text = match (open(&input.name, &bytes), global.json) {
        (Err(refusal), is_json) => return Ok(report::refuse(&input.name, &refusal, is_json)),
        (Ok(Content::Program(program)), true) => program_json(&input.name, &bytes, &program),
        (Ok(Content::Program(program)), false) => program_text(&input.name, &bytes, &program),
        (Ok(Content::Document(root, view)), true) => {
            let root = root.to_string();
            format!("{}\n", json!({ "ok": true, "path": input.name, "kind": "document", "root": root, "text": view }))
        }
        (Ok(Content::Document(_, view)), false) => format!("{view}\n"),
    };
    io::stdout().lock().write_all(text.as_bytes()).map_err(Fault::Write)?;
    Ok(Answer::Yes)
}

/// The effect of each word of a source.
fn effects(path: &str, bytes: &[u8], global: &Global) -> Outcome {
    let source = Source::read(bytes);
    let text = source.as_ref().map_or(String::from_utf8_lossy(bytes), |source| source.text().into());
    let lowered = match source.as_ref().map_err(|found| vec![found.clone()]).and_then(|source| lowered(source.text())) {
        Ok(lowered) => lowered,
        Err(found) => {
            if global.json {
                let found = diagnostics::to_json(path, &text, &found);
                println!("{}", json!({ "ok": false, "path": path, "diagnostics": found }));
            } else {
                diagnostics::print(path, &text, &found);
            }
            return Ok(Answer::No);
        }
    };
    let effects = lowered.effects.iter().map(|(name, effect)| (name, effect.to_string()));
    if global.json {
        let words: Vec<_> = effects.map(|(name, effect)| json!({ "name": name, "effect": effect })).collect();
        println!("{}", json!({ "ok": true, "path": path, "kind": "words", "words": words }));
    } else {
        effects.for_each(|(name, effect)| println!("{name} : {effect}"));
    }
    Ok(Answer::Yes)
}

/// A file is what its ending says; without a known one it is what it can be read as.
fn open(path: &str, bytes: &[u8]) -> Result<Content, Refusal> {
    let ending = Path::new(path).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if ProgramKind::ALL.iter().any(|kind| kind.ending() == ending) {
        return program(bytes);
    }
    match ending {
        "json" => document(bytes, json::decode),
        "cbor" => program(bytes).or_else(|_| document(bytes, cbor::decode)),
        _ => program(bytes).or_else(|_| document(bytes, json::decode)).or_else(|in_json| {
            // Of two refusals the one that speaks of what the bytes look like.
            document(bytes, cbor::decode).map_err(|in_cbor| if bytes.is_ascii() { in_json } else { in_cbor })
        }),
    }
}

fn program(bytes: &[u8]) -> Result<Content, Refusal> {
    Ok(Content::Program(Program::decode(bytes)?.verify()?.program().clone()))
}

fn document(
    bytes: &[u8],
    decode: fn(&mut Heap, &[u8], &Options) -> Result<Value, Refusal>,
) -> Result<Content, Refusal> {
    let options = Options::CANONICAL;
    // The seed can't be observed in any result: a random one defeats keys that were crafted to collide.
    let mut heap = Heap::new(RandomState::new().hash_one(0));
    let value = decode(&mut heap, bytes, &options)?;
    let (mut canonical, mut view) = (Vec::new(), Vec::new());
    cbor::encode(&heap, value, &options, &mut canonical)?;
    json::encode(&heap, value, &options, &mut view)?;
    Ok(Content::Document(Root::of_data(Context::Data, &canonical), String::from_utf8_lossy(&view).into_owned()))
}

/// What can be said of a function's gas without running it: what its own instructions cost at most,
/// calls and work by size on top.
enum Gas {
    AtMost(u64),
    /// A jump goes back, so that it depends on what is counted.
    Loops,
}

fn operand(word: Word, role: Role) -> Option<u32> {
    let found = word.op()?.information().operands.iter().find(|operand| operand.role == role)?;
    Some(word.get(*found))
}

/// The dearest way through the code, from its end back: every target must be known before it is needed.
fn gas(function: &Function) -> Gas {
    let mut to_end: Vec<u64> = Vec::with_capacity(function.code.len() + 1);
    for (at, &word) in function.code.iter().enumerate().rev() {
        let Some(information) = word.op().map(Op::information) else { continue };
        let target = match operand(word, Role::Target).map(|target| (target as usize).checked_sub(at + 1)) {
            None => 0,
            Some(None) => return Gas::Loops,
            Some(Some(ahead)) => to_end.iter().rev().nth(ahead).copied().unwrap_or(0),
        };
        let next = match information.exit {
            Exit::Next | Exit::Branch => to_end.last().copied().unwrap_or(0),
            Exit::Jump | Exit::Leave => 0,
        };
        to_end.push(u64::from(information.cost) + target.max(next));
    }
    Gas::AtMost(to_end.last().copied().unwrap_or(0))
}

/// Whether it calls anything, which costs gas beside its own.
fn has_calls(function: &Function) -> bool {
    function.code.iter().any(|&word| operand(word, Role::Results).is_some())
}

/// Comments, then the text that `kerai asm` reads: all of it is assembly.
fn program_text(path: &str, bytes: &[u8], program: &Program) -> String {
    let mut text = format!("# {path}\n# root {}\n", Root::of_program(bytes));
    let limits: Vec<String> = program.limits.named().map(|(name, value, _)| format!("{name} {value}")).into();
    // Writing to a string never fails.
    let _ = writeln!(text, "# {} bytes, limits {}", bytes.len(), limits.join(" "));
    for (number, function) in program.functions.iter().enumerate() {
        let calls = if has_calls(function) { ", and what it calls" } else { "" };
        let _ = match gas(function) {
            Gas::AtMost(most) => writeln!(text, "# function {number}: gas at most {most}{calls}"),
            Gas::Loops => writeln!(text, "# function {number}: gas unbounded by loops{calls}"),
        };
    }
    text + &program.to_text()
}

fn program_json(path: &str, bytes: &[u8], program: &Program) -> String {
    let functions: Vec<serde_json::Value> = program
        .functions
        .iter()
        .map(|function| {
            json!({
                "parameters": function.parameters,
                "variadic": function.is_variadic,
                "registers": function.registers,
                "captures": function.captures,
                "instructions": function.code.len(),
                "gas": match gas(function) { Gas::AtMost(most) => Some(most), Gas::Loops => None },
                "calls": has_calls(function),
            })
        })
        .collect();
    let limits: Map<String, serde_json::Value> =
        program.limits.named().into_iter().map(|(name, value, _)| (name.to_owned(), value.into())).collect();
    let shown = json!({
        "ok": true,
        "path": path,
        "kind": program.kind.name(),
        "profile": program.profile,
        "root": Root::of_program(bytes).to_string(),
        "exports": program.exports,
        "limits": limits,
        "order": program.merging.order.name(),
        "key": program.merging.key,
        "certificate": program.merging.certificate.map(|certificate| json!({
            "class": certificate.class.name(),
            "grounds": certificate.grounds.name(),
            "numbers": certificate.grounds.numbers(),
        })),
        "functions": functions,
        "text": program.to_text(),
    });
    format!("{shown}\n")
}
