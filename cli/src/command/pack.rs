//! `kerai pack` and `kerai unpack`: everything that can be checked of a stream in one file, and what is in it.

use crate::Global;
use crate::command::prove::row_key;
use crate::evidence::root_of;
use crate::outcome::{Answer, Fault, Outcome};
use crate::progress::Progress;
use crate::store::{open, run as run_store};
use kerai_store::document::{data_text, to_hex};
use kerai_store::pack::{PackReader, Part, SourceText, Totals, Wish};
use kerai_vm::bytecode::Program;
use serde_json::{Value, json};
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai pack stock -o stock.pack                          for auditors: `kerai verify stock.pack` needs nothing else
  kerai pack stock -o stock.pack --source folds/f.lua     with a source, so that lines are named where rows differ
  kerai pack stock -o some.pack --redact email --row stock '\"apple\"'
                                                          payload fields named `email` are hidden, and one row is proved")]
pub struct Arguments {
    /// The stream
    stream: String,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    output: String,
    /// Hide payload fields of this name; then no rows go along but those that `--row` names
    #[arg(long, value_name = "FIELD")]
    redact: Vec<String>,
    /// A row to prove where not all rows are given
    #[arg(long, value_names = ["PATH", "KEY"], num_args = 2, action = clap::ArgAction::Append, requires = "redact")]
    row: Vec<String>,
    /// A source of a program that the stream binds
    #[arg(long, value_name = "FILE")]
    source: Vec<String>,
}

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai unpack stock.pack -o evidence      programs, sources, ops.jsonl, records.jsonl, rows.jsonl, checkpoints.jsonl
  kerai ingest stock evidence/ops.jsonl    commits the ops to another log

Nothing is believed by unpacking: `kerai verify stock.pack` checks. Every file is named by what is in it.")]
pub struct Unpack {
    /// The pack
    file: String,
    /// The folder to make; it must not exist
    #[arg(short, long, value_name = "DIR")]
    output: String,
}

fn write_fault(path: &Path) -> impl Fn(io::Error) -> Fault {
    let path = path.display().to_string();
    move |cause| Fault::Write(io::Error::new(cause.kind(), format!("`{path}`: {cause}")))
}

pub fn pack(arguments: &Arguments, global: &Global) -> Outcome {
    let rows: Result<Vec<Vec<u8>>, Fault> =
        arguments.row.as_chunks::<2>().0.iter().map(|[path, key]| row_key(path, key)).collect();
    let sources: Result<Vec<SourceText>, Fault> = arguments.source.iter().map(|path| source(path)).collect();
    let wish = Wish { hidden: arguments.redact.clone(), sources: sources?, rows: rows? };
    let path = Path::new(&arguments.output);
    // Written beside, then put in its place: there is no half of a pack under its name.
    let beside = PathBuf::from(format!("{}.part", arguments.output));
    let file = File::create(&beside).map_err(write_fault(&beside))?;
    let mut told = Progress::new(global.quiet);
    let written = run_store(async {
        let mut store = open(global, None).await?;
        let out = BufWriter::with_capacity(1 << 16, file);
        Ok(store.pack(&arguments.stream, &wish, out, &mut |ops, part| told.say_part(ops, part)).await?)
    });
    told.end();
    let placed = written.and_then(|(out, totals)| {
        let file = out.into_inner().map_err(|fault| write_fault(&beside)(fault.into_error()))?;
        file.sync_all().and_then(|()| fs::rename(&beside, path)).map_err(write_fault(path))?;
        Ok(totals)
    });
    let totals = placed.inspect_err(|_| {
        // What can't be removed is left for the user to see.
        let _ = fs::remove_file(&beside);
    })?;
    tell(arguments, &totals, global)
}

fn tell(arguments: &Arguments, totals: &Totals, global: &Global) -> Outcome {
    let Totals { ops, checkpoints, rows, root } = *totals;
    let bytes = fs::metadata(&arguments.output).map_or(0, |file| file.len());
    let output = &arguments.output;
    if global.json {
        let root = data_text(&root);
        println!(
            "{}",
            json!({ "ok": true, "stream": arguments.stream, "output": output, "bytes": bytes, "pack_root": root, "count": ops, "checkpoints": checkpoints, "rows": rows })
        );
    } else {
        println!(
            "{output}: {ops} ops, {checkpoints} checkpoints, {rows} rows in {bytes} bytes\n  pack_root {}",
            data_text(&root)
        );
    }
    Ok(Answer::Yes)
}

/// A source with the root that it compiles to.
fn source(path: &str) -> Result<SourceText, Fault> {
    let text = fs::read_to_string(path).map_err(|cause| Fault::Read { path: path.into(), cause })?;
    let name = Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or(path).to_owned();
    let source = SourceText { root: [0; 32], name, text };
    let no_source = || Fault::Use(format!("`{path}` is no source that compiles: see `kerai check {path}`"));
    let root = root_of(&source);
    Ok(SourceText { root: root.ok_or_else(no_source)?, ..source })
}

pub fn unpack(arguments: &Unpack, global: &Global) -> Outcome {
    let read = |cause| Fault::Read { path: arguments.file.clone(), cause };
    let file = File::open(&arguments.file).map_err(read)?;
    let mut reader = PackReader::new(BufReader::with_capacity(1 << 16, file))?;
    let folder = Path::new(&arguments.output);
    fs::create_dir(folder).map_err(write_fault(folder))?;
    let mut unpacked = Unpacked::new(folder)?;
    while let Some((_, part)) = reader.read()? {
        unpacked.part(part)?;
    }
    unpacked.finish()?;
    let totals = reader.totals();
    if global.json {
        println!(
            "{}",
            json!({ "ok": true, "output": arguments.output, "count": totals.ops, "rows": totals.rows, "checkpoints": totals.checkpoints })
        );
    } else {
        println!("{}: {} ops, {} checkpoints, {} rows", arguments.output, totals.ops, totals.checkpoints, totals.rows);
    }
    Ok(Answer::Yes)
}

/// The folder under way: a file a kind, a line a part; programs and sources as files of their own.
struct Unpacked<'f> {
    folder: &'f Path,
    lines: [(&'static str, BufWriter<File>); 4],
}

impl<'f> Unpacked<'f> {
    fn new(folder: &'f Path) -> Result<Unpacked<'f>, Fault> {
        let open = |name: &'static str| {
            let path = folder.join(name);
            File::create_new(&path).map(|file| (name, BufWriter::new(file))).map_err(write_fault(&path))
        };
        let lines = [open("ops.jsonl")?, open("records.jsonl")?, open("checkpoints.jsonl")?, open("rows.jsonl")?];
        Ok(Unpacked { folder, lines })
    }

    fn line(&mut self, file: usize, line: &str) -> Result<(), Fault> {
        let Some((name, out)) = self.lines.get_mut(file) else { return Ok(()) };
        let path = self.folder.join(*name);
        writeln!(out, "{line}").map_err(write_fault(&path))
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Result<(), Fault> {
        let path = self.folder.join(name);
        File::create_new(&path).and_then(|mut file| file.write_all(bytes)).map_err(write_fault(&path))
    }

    /// Names of files are made of hashes, never of what a pack says.
    fn part(&mut self, part: Part) -> Result<(), Fault> {
        match part {
            Part::Header(header) => {
                let shown = json!({ "stream": data_text(&header.stream), "name": header.name, "hidden": header.hidden, "pruned": header.pruned });
                self.file("pack.json", format!("{shown}\n").as_bytes())
            }
            Part::Program(bytes) => {
                let root = kerai_vm::encoding::root::Root::of_program(&bytes);
                let ending = Program::decode(&bytes).map_or("bytes", |program| program.kind.ending());
                self.file(&format!("{}.{ending}", to_hex(root.bytes())), &bytes)
            }
            Part::Source(source) => {
                let ending = Path::new(&source.name).extension().and_then(|ending| ending.to_str());
                let ending = ending.filter(|ending| ending.bytes().all(|byte| byte.is_ascii_alphanumeric()));
                let name = format!("{}.source.{}", to_hex(&source.root), ending.unwrap_or("txt"));
                self.file(&name, source.text.as_bytes())
            }
            Part::Op { record, signed } => {
                self.line(0, &signed.to_line())?;
                self.line(1, &record_json(&record).to_string())
            }
            Part::HiddenOp { record, hidden } => {
                let line =
                    json!({ "body": to_hex(&hidden.body), "signature": to_hex(&hidden.signature), "hidden": true });
                self.line(0, &line.to_string())?;
                self.line(1, &record_json(&record).to_string())
            }
            Part::PrunedOp { record, left } => {
                let line = json!({
                    "op": data_text(&left.op), "author": to_hex(&left.author), "seq": left.sequence,
                    "ulid": left.ulid.to_string(), "signature": to_hex(&left.signature), "pruned": true
                });
                self.line(0, &line.to_string())?;
                self.line(1, &record_json(&record).to_string())
            }
            Part::Checkpoint(signed) => {
                let line = json!({ "body": to_hex(&signed.body), "signature": to_hex(&signed.signature) });
                self.line(2, &line.to_string())
            }
            Part::Row(key, value) => {
                let shown = kerai_store::materialize::row(&key, Some(&value)).projection;
                let line = json!({ "path": shown.path, "name": shown.name, "view": shown.view, "key": to_hex(&key), "value": to_hex(&value) });
                self.line(3, &line.to_string())
            }
            Part::Proof(bytes) => self.file(&format!("{}.proof", blake3::hash(&bytes).to_hex()), &bytes),
            Part::Snapshot(_) | Part::End(_) => Ok(()),
        }
    }

    fn finish(self) -> Result<(), Fault> {
        for (name, mut out) in self.lines {
            out.flush().map_err(write_fault(&self.folder.join(name)))?;
        }
        Ok(())
    }
}

/// A commit record as JSON.
pub fn record_json(record: &[u8]) -> Value {
    match kerai_store::log::Record::decode(record) {
        Ok(record) => json!({
            "position": record.position,
            "op": data_text(&record.op),
            "outcome": record.outcome.name(),
            "code": record.outcome.code().map(kerai_store::code::Code::name),
            "rules": record.rules,
            "input": record.input.map(|input| data_text(&input)),
            "received_ms": record.received,
            "governance": record.governance,
        }),
        Err(refused) => json!({ "refused": refused.to_string() }),
    }
}
