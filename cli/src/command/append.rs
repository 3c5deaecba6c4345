//! `kerai append` and `kerai ingest`: ops into a stream's log, signed here or elsewhere.

use crate::Global;
use crate::input::Input;
use crate::outcome::{Answer as Said, Fault, Outcome};
use crate::progress::Progress;
use crate::project::Project;
use crate::store::{Tally, answer_json, answer_text, open, run as run_store};
use kerai_store::code::Refused;
use kerai_store::op::{Draft, SignedOp};
use kerai_store::{Answer, Signers, Store};
use serde_json::json;

/// Lines that are read before they are committed together.
const LINES: usize = 1024;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai append stock ops.jsonl             signs each line's op with its actor's key and commits it
  kerai append stock ops.jsonl --verbose   says what became of every line
  tail -f ops.jsonl | kerai append stock -

A line is an object with `ulid`, `type`, `payload`, and if wished `actor`, `resource`, `caps`, `labels`.
Denied and rejected ops are reported and are no failure; a line that is no op is one.")]
pub struct Append {
    /// The stream
    stream: String,
    /// The ops, one JSON object a line; `-` is standard input
    file: String,
    /// Say what became of every line
    #[arg(long)]
    verbose: bool,
}

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai ingest stock signed.jsonl

A line is an object with `body`, `payload`, `salts` and `signature` in hexadecimal digits: docs/reference/op.md.")]
pub struct Ingest {
    /// The stream
    stream: String,
    /// The signed ops, one JSON object a line; `-` is standard input
    file: String,
    /// Say what became of every line
    #[arg(long)]
    verbose: bool,
}

pub fn append(arguments: &Append, global: &Global) -> Outcome {
    let project = Project::find()?;
    let signers = project.signers()?;
    let mut lines = Lines::open(&arguments.file, &arguments.stream, arguments.verbose, global)?;
    run_store(async {
        let mut store = open(global, Some(&project)).await?;
        lines.append(&mut store, &signers).await
    })
}

/// Appends a file as `kerai append` does.
pub async fn append_file(store: &mut Store, stream: &str, file: &str, signers: &Signers, global: &Global) -> Outcome {
    Lines::open(file, stream, false, global)?.append(store, signers).await
}

pub fn ingest(arguments: &Ingest, global: &Global) -> Outcome {
    let mut lines = Lines::open(&arguments.file, &arguments.stream, arguments.verbose, global)?;
    run_store(async {
        let mut store = open(global, None).await?;
        while let Some(batch) = lines.batch(SignedOp::from_line)? {
            let (numbers, ops): (Vec<_>, Vec<SignedOp>) = batch.into_iter().unzip();
            let answers = store.ingest_all(&lines.stream, ops).await?;
            lines.tell(numbers.into_iter().zip(&answers));
        }
        Ok(lines.close())
    })
}

/// A file of ops on its way into a stream.
struct Lines<'g> {
    input: Input,
    stream: String,
    is_verbose: bool,
    global: &'g Global,
    number: usize,
    tally: Tally,
    said: Said,
    progress: Progress,
}

impl Lines<'_> {
    fn open<'g>(file: &str, stream: &str, is_verbose: bool, global: &'g Global) -> Result<Lines<'g>, Fault> {
        let (input, stream, tally) = (Input::open(Some(file))?, stream.to_owned(), Tally::default());
        let progress = Progress::new(global.quiet || global.json);
        Ok(Lines { input, stream, is_verbose, global, number: 0, tally, said: Said::Yes, progress })
    }

    async fn append(&mut self, store: &mut Store, signers: &Signers) -> Outcome {
        while let Some(batch) = self.batch(Draft::from_line)? {
            let drafts: Vec<Draft> = batch.iter().map(|(_, draft)| draft.clone()).collect();
            let answers = store.append(&self.stream, signers, &drafts).await?;
            self.tell(batch.iter().map(|(line, _)| *line).zip(&answers));
        }
        Ok(self.close())
    }

    /// The next ops with their lines; none at the end. A line that is no op does not keep the others from being read.
    fn batch<T>(&mut self, read: fn(&[u8]) -> Result<T, Refused>) -> Result<Option<Vec<(usize, T)>>, Fault> {
        let (mut batch, mut line) = (Vec::new(), Vec::new());
        while batch.len() < LINES {
            if !self.input.line(&mut line)? {
                return Ok(if batch.is_empty() { None } else { Some(batch) });
            }
            self.number += 1;
            self.progress.say(self.number, "lines read");
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            match read(&line) {
                Ok(op) => batch.push((self.number, op)),
                Err(refused) => self.refuse(&refused),
            }
        }
        Ok(Some(batch))
    }

    fn refuse(&mut self, refused: &Refused) {
        self.progress.end();
        self.said = Said::No;
        self.tally.refuse();
        let (name, number) = (&self.input.name, self.number);
        if self.global.json {
            let answer = Answer::Refused(refused.clone());
            println!("{}", answer_json(number, &answer));
        } else {
            eprintln!("{name}:{number}: {refused}\n  help: {}", refused.code.explanation());
        }
    }

    fn tell<'a>(&mut self, answers: impl Iterator<Item = (usize, &'a Answer)>) {
        self.progress.end();
        for (line, answer) in answers {
            self.tally.count(answer);
            if self.global.json {
                if self.is_verbose {
                    println!("{}", answer_json(line, answer));
                }
            } else if let Some(text) = answer_text(line, answer, self.is_verbose)
                && !self.global.quiet
            {
                println!("{text}");
            }
        }
    }

    fn close(&mut self) -> Said {
        self.progress.end();
        if self.global.json {
            let mut total = self.tally.to_json(&self.stream);
            if let Some(total) = total.as_object_mut() {
                total.insert("ok".into(), json!(self.said == Said::Yes));
            }
            println!("{total}");
        } else {
            println!("{}", self.tally.to_text(&self.stream));
        }
        self.said
    }
}
