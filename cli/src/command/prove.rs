//! `kerai prove`: a small file that shows one thing of a stream, and nothing else of it.

use crate::Global;
use crate::evidence::checkpoint_in;
use crate::outcome::{Answer, Fault, Outcome};
use crate::store::{open, run as run_store};
use clap::{Args, Subcommand};
use kerai_store::checkpoint::SignedCheckpoint;
use kerai_store::code::{Code, Refused};
use kerai_store::document::{Hash, hash_from_hex};
use kerai_store::log::Record;
use kerai_store::proof::{self, Claim, Witness};
use kerai_vm::encoding::{Options, cbor, json};
use kerai_vm::value::{Heap, Value};
use serde_json::json;
use std::fs;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai prove row stock stock '\"apple\"' -o apple.proof     a row, as of the stream's latest checkpoint
  kerai prove absent stock stock '\"kiwi\"'                  that there is no such row
  kerai prove op stock 5                                   an op's record, and whether it counts
  kerai prove consistent stock --from 6                    that nothing was changed since the checkpoint after 6 records
  kerai check-proof apple.proof --trust KEY                needs the file alone

A KEY is JSON; what is no JSON is taken as text.")]
pub struct Arguments {
    #[command(subcommand)]
    claim: What,
}

#[derive(Args)]
struct Target {
    /// The file to write [default: the claim with the ending `.proof`]
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,
}

#[derive(Subcommand)]
enum What {
    /// A row has a value
    Row {
        stream: String,
        path: String,
        key: String,
        #[command(flatten)]
        target: Target,
    },
    /// There is no row with this path and key
    Absent {
        stream: String,
        path: String,
        key: String,
        #[command(flatten)]
        target: Target,
    },
    /// What the log says of an op, and that it counts if it was admitted
    Op {
        stream: String,
        /// Its position, or its id
        op: String,
        #[command(flatten)]
        target: Target,
    },
    /// The log continues the one of an earlier checkpoint
    Consistent {
        stream: String,
        /// How many records the earlier checkpoint counts, or a file that holds it: a proof or a pack
        #[arg(long, value_name = "COUNT|FILE")]
        from: String,
        #[command(flatten)]
        target: Target,
    },
    /// The latest checkpoint, to compare with later: `--extends` takes it
    Checkpoint {
        stream: String,
        #[command(flatten)]
        target: Target,
    },
}

impl What {
    const fn stream(&self) -> &String {
        match self {
            What::Row { stream, .. }
            | What::Absent { stream, .. }
            | What::Op { stream, .. }
            | What::Consistent { stream, .. }
            | What::Checkpoint { stream, .. } => stream,
        }
    }

    const fn target(&self) -> &Target {
        match self {
            What::Row { target, .. }
            | What::Absent { target, .. }
            | What::Op { target, .. }
            | What::Consistent { target, .. }
            | What::Checkpoint { target, .. } => target,
        }
    }
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    let what = &arguments.claim;
    let (witness, checkpoints) = run_store(async {
        let mut store = open(global, None).await?;
        Ok((store.witness(what.stream()).await?, store.checkpoints(what.stream()).await?))
    })?;
    let claim = claim(what, &witness, &checkpoints)?;
    let file = proof::prove(&claim, &witness).map_err(kerai_store::fault::Fault::from)?;
    let output = what.target().output.clone().unwrap_or_else(|| format!("{}.proof", claim.name()));
    fs::write(&output, &file)
        .map_err(|cause| Fault::Write(std::io::Error::new(cause.kind(), format!("`{output}`: {cause}"))))?;
    if global.json {
        println!("{}", json!({ "ok": true, "claim": claim.name(), "output": output, "bytes": file.len() }));
    } else if !global.quiet {
        println!("{output}: {} in {} bytes", claim.name(), file.len());
    }
    Ok(Answer::Yes)
}

fn claim(what: &What, witness: &Witness, checkpoints: &[SignedCheckpoint]) -> Result<Claim, Fault> {
    let untrue = |what: String| Fault::from(kerai_store::fault::Fault::from(Refused::new(Code::CLAIM_FALSE, what)));
    Ok(match what {
        What::Row { path, key, .. } => {
            let row = row_key(path, key)?;
            let value = witness.rows.get(&row).ok_or_else(|| untrue(format!("there is no row `{path}` {key}")))?;
            Claim::Row { key: row, value: value.clone() }
        }
        What::Absent { path, key, .. } => Claim::Absent { key: row_key(path, key)? },
        What::Op { op, .. } => {
            let found = witness.records.iter().find(|bytes| names(bytes, op));
            let missing = || untrue(format!("the latest checkpoint knows no op `{op}`"));
            Claim::Op { record: found.ok_or_else(missing)?.clone() }
        }
        What::Consistent { from, .. } => Claim::Consistent { earlier: earlier(from, checkpoints)? },
        What::Checkpoint { .. } => Claim::Checkpoint,
    })
}

/// Whether the record is that of the op that is named by position or id.
fn names(record: &[u8], op: &str) -> bool {
    let id: Option<Hash> = hash_from_hex(op.strip_prefix("blake3:").unwrap_or(op));
    let position: Option<u64> = op.parse().ok();
    Record::decode(record).is_ok_and(|record| Some(record.op) == id || Some(record.position) == position)
}

fn earlier(from: &str, checkpoints: &[SignedCheckpoint]) -> Result<SignedCheckpoint, Fault> {
    let Ok(count) = from.parse::<u64>() else { return checkpoint_in(from) };
    let counts = |signed: &&SignedCheckpoint| signed.check().is_ok_and(|checkpoint| checkpoint.count == count);
    let missing = || Fault::Use(format!("there is no checkpoint after {count} records"));
    checkpoints.iter().find(counts).cloned().ok_or_else(missing)
}

/// The canonical CBOR of path and key: a key is JSON, or else text.
pub fn row_key(path: &str, key: &str) -> Result<Vec<u8>, Fault> {
    let mut heap = Heap::new(0);
    let no_text = |text: &str| Fault::Use(format!("`{text}` is no text in normalization form C"));
    let name = match json::decode(&mut heap, key.as_bytes(), &Options::CANONICAL) {
        Ok(name) => name,
        Err(_) => heap.string(key.as_bytes()),
    };
    let path_text: Value = heap.string(path.as_bytes());
    let pair = heap.list(&[path_text, name]);
    let mut out = Vec::new();
    cbor::encode(&heap, pair, &Options::CANONICAL, &mut out).map_err(|_| no_text(key))?;
    Ok(out)
}
