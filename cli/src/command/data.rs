//! `kerai data`: documents to their canonical bytes, checked and hashed.

use crate::Global;
use crate::input::Input;
use crate::outcome::{Answer, Fault, Outcome};
use crate::report;
use clap::{Subcommand, ValueEnum};
use kerai_vm::encoding::root::{Context, Root};
use kerai_vm::encoding::{Options, cbor, json};
use kerai_vm::refusal::Refusal;
use kerai_vm::value::{Heap, Value};
use serde_json::json;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufWriter, Write};
use std::path::Path;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai data canon invoice.json                canonical JSON: sorted keys, plain digits, NFC
  kerai data canon invoice.json --to cbor      canonical CBOR, the bytes that are hashed
  kerai data canon events.jsonl                one canonical document a line
  kerai data check invoice.cbor                is it the one encoding of its value?
  cat invoice.json | kerai data root           the root; the same for a document's JSON and CBOR")]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Write the canonical bytes, exactly, nothing added
    Canon {
        #[command(flatten)]
        source: Source,
        /// The encoding to write [default: the input's]
        #[arg(long, value_enum)]
        to: Option<Encoding>,
    },
    /// Say whether the document is accepted, and whether it is canonical
    Check {
        #[command(flatten)]
        source: Source,
    },
    /// Print the document's root: BLAKE3 of its canonical CBOR in the context `kerai v1 data`
    Root {
        #[command(flatten)]
        source: Source,
    },
}

#[derive(clap::Args)]
struct Source {
    /// The file; `-` or nothing is standard input
    file: Option<String>,
    /// The encoding to read [default: by the file's ending, else json]
    #[arg(long, value_enum)]
    from: Option<Format>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Encoding {
    Json,
    Cbor,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    /// JSON Lines: one document a line, empty lines skipped
    Jsonl,
    Cbor,
}

impl Format {
    const fn encoding(self) -> Encoding {
        match self {
            Format::Json | Format::Jsonl => Encoding::Json,
            Format::Cbor => Encoding::Cbor,
        }
    }
}

impl Source {
    fn format(&self) -> Format {
        let ending = || Path::new(self.file.as_deref()?).extension()?.to_str();
        self.from.unwrap_or_else(|| match ending() {
            Some("cbor") => Format::Cbor,
            Some("jsonl" | "ndjson") => Format::Jsonl,
            _ => Format::Json,
        })
    }
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    let (Action::Canon { source, .. } | Action::Check { source } | Action::Root { source }) = &arguments.action;
    let format = source.format();
    let mut input = Input::open(source.file.as_deref())?;
    let mut desk = Desk {
        action: &arguments.action,
        encoding: format.encoding(),
        global,
        name: input.name.clone(),
        // The seed can't be observed in any result: a random one defeats keys that were crafted to collide.
        heap: Heap::new(RandomState::new().hash_one(0)),
        out: BufWriter::new(io::stdout().lock()),
    };
    let answer = if format == Format::Jsonl { desk.lines(&mut input)? } else { desk.document(&input.whole()?, None)? };
    desk.out.flush().map_err(Fault::Write)?;
    Ok(answer)
}

/// What stands ready while documents pass.
struct Desk<'a, W: Write> {
    action: &'a Action,
    encoding: Encoding,
    global: &'a Global,
    name: String,
    heap: Heap,
    out: W,
}

/// What is known of a document that was accepted.
struct Accepted {
    canonical: Vec<u8>,
    value: Value,
    is_canonical: bool,
}

impl<W: Write> Desk<'_, W> {
    /// Every line is a document; a refused one does not keep the others from being read.
    fn lines(&mut self, input: &mut Input) -> Outcome {
        let (mut line, mut number, mut answer) = (Vec::new(), 0, Answer::Yes);
        while input.line(&mut line)? {
            number += 1;
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            if self.document(&line, Some(number))? == Answer::No {
                answer = Answer::No;
            }
        }
        Ok(answer)
    }

    fn document(&mut self, bytes: &[u8], line: Option<usize>) -> Outcome {
        let mark = self.heap.mark();
        let result = self.accept(bytes).and_then(|accepted| self.answer(&accepted));
        self.heap.rewind(mark);
        match result {
            Ok(text) => {
                self.out.write_all(&text).and_then(|()| self.out.write_all(self.ending(line))).map_err(Fault::Write)?;
                Ok(Answer::Yes)
            }
            Err(refusal) if self.global.json => {
                writeln!(self.out, "{}", report::to_json(&self.name, line, &refusal)).map_err(Fault::Write)?;
                Ok(Answer::No)
            }
            Err(refusal) => {
                self.out.flush().map_err(Fault::Write)?;
                report::print(&self.name, line, &refusal);
                Ok(Answer::No)
            }
        }
    }

    fn accept(&mut self, bytes: &[u8]) -> Result<Accepted, Refusal> {
        let options = Options::CANONICAL;
        let value = match self.encoding {
            Encoding::Json => json::decode(&mut self.heap, bytes, &options)?,
            Encoding::Cbor => cbor::decode(&mut self.heap, bytes, &options)?,
        };
        let mut canonical = Vec::new();
        match self.encoding {
            Encoding::Json => json::encode(&self.heap, value, &options, &mut canonical)?,
            Encoding::Cbor => canonical.extend_from_slice(bytes),
        }
        let is_canonical = canonical == bytes;
        Ok(Accepted { canonical, value, is_canonical })
    }

    /// The encoding that `canon` writes.
    fn target(&self) -> Encoding {
        match self.action {
            Action::Canon { to: Some(to), .. } => *to,
            Action::Canon { to: None, .. } | Action::Check { .. } | Action::Root { .. } => self.encoding,
        }
    }

    /// What follows a document's answer: nothing after exact bytes, unless lines keep them apart.
    fn ending(&self, line: Option<usize>) -> &'static [u8] {
        match self.action {
            _ if self.global.json => b"\n",
            Action::Check { .. } if self.global.quiet => b"",
            Action::Check { .. } | Action::Root { .. } => b"\n",
            Action::Canon { .. } if line.is_some() && self.target() == Encoding::Json => b"\n",
            Action::Canon { .. } => b"",
        }
    }

    fn root(&self, value: Value) -> Result<Root, Refusal> {
        Ok(Root::of_data(Context::Data, &self.encode(value, Encoding::Cbor)?))
    }

    fn encode(&self, value: Value, encoding: Encoding) -> Result<Vec<u8>, Refusal> {
        let mut bytes = Vec::new();
        match encoding {
            Encoding::Json => json::encode(&self.heap, value, &Options::CANONICAL, &mut bytes)?,
            Encoding::Cbor => cbor::encode(&self.heap, value, &Options::CANONICAL, &mut bytes)?,
        }
        Ok(bytes)
    }

    /// What is printed for an accepted document.
    fn answer(&self, accepted: &Accepted) -> Result<Vec<u8>, Refusal> {
        let root = || self.root(accepted.value);
        let text = match self.action {
            Action::Canon { .. } => {
                let target = self.target();
                let bytes = if target == self.encoding { accepted.canonical.clone() } else { self.encode(accepted.value, target)? };
                if !self.global.json {
                    return Ok(bytes);
                }
                let (key, shown) = match target {
                    Encoding::Json => ("text", String::from_utf8_lossy(&bytes).into_owned()),
                    Encoding::Cbor => ("hex", bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
                };
                json!({ "ok": true, "root": root()?.to_string(), "size": bytes.len(), key: shown }).to_string()
            }
            Action::Check { .. } if self.global.json => {
                json!({ "ok": true, "path": self.name, "canonical": accepted.is_canonical, "root": root()?.to_string() }).to_string()
            }
            Action::Check { .. } if self.global.quiet => String::new(),
            Action::Check { .. } if accepted.is_canonical => format!("{}: ok, canonical", self.name),
            Action::Check { .. } => format!("{}: ok, not canonical: `kerai data canon` writes the canonical form", self.name),
            Action::Root { .. } if self.global.json => json!({ "ok": true, "root": root()?.to_string() }).to_string(),
            Action::Root { .. } => root()?.to_string(),
        };
        Ok(text.into_bytes())
    }
}
