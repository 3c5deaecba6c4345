//! `kerai trace`: one op's step, instruction by instruction.

use crate::Global;
use crate::command::prove::row_key;
use crate::command::verify::AllPlaces;
use crate::evidence::{places_in, programs_of_project};
use crate::map::Places;
use crate::outcome::{Answer, Fault, Outcome};
use crate::spool::PackPath;
use crate::store::{open, run as run_store};
use kerai_store::audit::{Traced, Which, trace};
use kerai_store::document::{data_text, hash_from_hex, program_text};
use kerai_store::materialize::row;
use kerai_store::pack::PackFile;
use kerai_store::program::Library;
use kerai_vm::bytecode::Program;
use kerai_vm::execute::Seen;
use serde_json::{Value, json};
use std::io::{self, BufWriter, Write};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai trace 5 --in stock                        the step of the op at position 5: instructions, registers, gas, rows
  kerai trace 5 --in stock.pack                   from a pack alone; sources in it give the lines
  kerai trace 5 --in stock --key stock '\"apple\"'  which instruction gave the row its value

The op is folded where it belongs in the fold's order, on the state of the ops before it.")]
pub struct Arguments {
    /// The op: its position in the log, or its id
    op: String,
    /// The stream, or the file of a pack [default: the only stream]
    #[arg(long = "in", value_name = "STREAM|PACK")]
    place: Option<String>,
    /// A row, by path and key: say which instruction wrote it
    #[arg(long, value_names = ["PATH", "KEY"], num_args = 2)]
    key: Vec<String>,
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    let which = which(&arguments.op)?;
    let key = match arguments.key.as_slice() {
        [path, key] => Some(row_key(path, key)?),
        _ => None,
    };
    let (traced, library, places) = match PackPath::find(arguments.place.as_deref().unwrap_or_default())? {
        Some(file) => {
            let mut pack = PackFile::open(file.path())?;
            let library = std::mem::take(&mut pack.library);
            (trace(&mut pack, &library, which, key.as_deref())?, library, places_in(file.path(), true))
        }
        None => {
            let (traced, library) = run_store(async {
                let mut store = open(global, None).await?;
                let name = match &arguments.place {
                    Some(name) => name.clone(),
                    None => only(store.streams().await?.into_iter().map(|stream| stream.name).collect())?,
                };
                Ok(store.trace(&name, which, key.clone()).await?)
            })?;
            (traced, library, programs_of_project())
        }
    };
    tell(&traced, &library, &places, key.as_deref(), global)
}

fn which(op: &str) -> Result<Which, Fault> {
    let wrong = || Fault::Use(format!("`{op}` is no op: give its position, or the 64 hexadecimal digits of its id"));
    match op.parse() {
        Ok(position) => Ok(Which::Position(position)),
        Err(_) => hash_from_hex(op.strip_prefix("blake3:").unwrap_or(op)).map(Which::Op).ok_or_else(wrong),
    }
}

fn only(names: Vec<String>) -> Result<String, Fault> {
    match <[String; 1]>::try_from(names) {
        Ok([name]) => Ok(name),
        Err(_) => Err(Fault::Use("name the stream with `--in`: there is not just one".into())),
    }
}

/// The text of an instruction, as `kerai asm` reads it.
fn code<'t>(texts: &'t [Vec<String>], seen: &Seen) -> &'t str {
    let function = texts.get(seen.function as usize);
    function.and_then(|function| function.get(seen.instruction as usize)).map_or("?", String::as_str)
}

fn tell(traced: &Traced, library: &Library, places: &AllPlaces, key: Option<&[u8]>, global: &Global) -> Outcome {
    let program = library.get(&traced.fold_root).map(|stored| stored.verified.program());
    let texts = program.map(Program::instruction_texts).unwrap_or_default();
    let places = places.get(&traced.fold_root);
    let mut out = BufWriter::new(io::stdout().lock());
    let written = if global.json {
        writeln!(out, "{}", to_json(traced, &texts, places))
    } else {
        to_text(traced, &texts, places, key, &mut out)
    };
    written.and_then(|()| out.flush()).map_err(Fault::Write)?;
    Ok(Answer::Yes)
}

fn place(places: Option<&Places>, function: u32, instruction: u32) -> Option<String> {
    places?.describe_at(function, instruction)
}

fn to_json(traced: &Traced, texts: &[Vec<String>], places: Option<&Places>) -> Value {
    let step = |seen: &Seen| {
        let reads = seen.reads.iter().map(|(register, value)| (format!("r{register}"), Value::from(value.as_str())));
        json!({
            "function": seen.function,
            "instruction": seen.instruction,
            "code": code(texts, seen),
            "source": place(places, seen.function, seen.instruction),
            "gas_left": seen.gas,
            "reads": reads.collect::<serde_json::Map<String, Value>>(),
        })
    };
    let put = traced.changes.put.iter().map(|changed| {
        let shown = row(&changed.key, Some(&changed.value)).projection;
        json!({ "path": shown.path, "name": shown.name, "value": shown.view })
    });
    let removed = traced.changes.removed.iter().map(|key| {
        let shown = row(key, None).projection;
        json!({ "path": shown.path, "name": shown.name })
    });
    json!({
        "ok": true,
        "op": traced.position,
        "op_id": data_text(&traced.op),
        "fold_root": program_text(&traced.fold_root),
        "steps": traced.seen.iter().map(step).collect::<Vec<_>>(),
        "gas": traced.gas,
        "trap": traced.trap.as_ref().map(|trap| json!({ "code": trap.code.name(), "function": trap.function, "instruction": trap.instruction })),
        "rows": put.collect::<Vec<_>>(),
        "removed": removed.collect::<Vec<_>>(),
        "written": traced.written.map(|(function, instruction)| json!({
            "function": function, "instruction": instruction, "source": place(places, function, instruction),
        })),
    })
}

fn to_text(
    traced: &Traced,
    texts: &[Vec<String>],
    places: Option<&Places>,
    key: Option<&[u8]>,
    out: &mut impl Write,
) -> io::Result<()> {
    writeln!(out, "op {} {}\nfold {}", traced.position, data_text(&traced.op), program_text(&traced.fold_root))?;
    let mut before = None;
    for seen in &traced.seen {
        let source = place(places, seen.function, seen.instruction);
        if source != before
            && let Some(source) = &source
        {
            writeln!(out, "  {source}")?;
        }
        before = source;
        let reads: Vec<String> = seen.reads.iter().map(|(register, value)| format!("r{register}={value}")).collect();
        let (function, at, code) = (seen.function, seen.instruction, code(texts, seen));
        writeln!(out, "{function:>4}:{at:<5} {code:<40} {:<40} gas {}", reads.join(" "), seen.gas)?;
    }
    match &traced.trap {
        Some(trap) => writeln!(out, "trap: {trap}: the op left no trace")?,
        None => writeln!(out, "gas {}", traced.gas)?,
    }
    for changed in &traced.changes.put {
        let shown = row(&changed.key, Some(&changed.value)).projection;
        writeln!(out, "row `{}` {} is now {}", shown.path, shown.name, shown.view.unwrap_or_default())?;
    }
    for key in &traced.changes.removed {
        let shown = row(key, None).projection;
        writeln!(out, "row `{}` {} is gone", shown.path, shown.name)?;
    }
    match (traced.written, key) {
        (Some((function, at)), _) => {
            let source = place(places, function, at).map(|source| format!(" {source}")).unwrap_or_default();
            writeln!(out, "the row was written by function {function}, instruction {at}{source}")
        }
        (None, Some(_)) => writeln!(out, "the step did not write the row"),
        (None, None) => Ok(()),
    }
}
