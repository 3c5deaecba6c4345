//! `kerai epoch`: closes a stream's epoch and begins the next one; gives up the ops of closed ones that an archive holds.

use crate::Global;
use crate::outcome::{Answer, Fault, Outcome};
use crate::progress::Progress;
use crate::project::Project;
use crate::store::{answer_text, open, run as run_store};
use clap::Subcommand;
use kerai_store::document::data_text;
use kerai_store::{Answer as Done, PrunedNow};
use serde_json::json;
use std::fs::File;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai epoch new stock          materializes, anchors the checkpoint in the log, and begins an epoch
  kerai epoch new stock --json   {\"epoch\":2,\"checkpoint\":\"blake3:…\",\"count\":…,\"op\":…}

From then on an op that comes before the last one that was folded is rejected(EPOCH_BROKEN): nothing goes back behind the
end of a closed epoch. `kerai epoch prune` then gives up its ops, once a pack holds them.")]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Close the epoch with a checkpoint that the log itself names, and begin the next one
    New { stream: String },
    /// Give up what was signed of the ops of closed epochs: an archive holds it
    #[command(after_help = PRUNE_HELP)]
    Prune {
        stream: String,
        /// The pack that holds the ops, made by `kerai pack` after the epoch was closed
        #[arg(long, value_name = "FILE")]
        archive: PathBuf,
    },
}

const PRUNE_HELP: &str = "Examples:
  kerai epoch new stock                            closes the epoch
  kerai pack stock -o 2026.pack                    archives all ops until now
  kerai epoch prune stock --archive 2026.pack      gives up what the pack holds
  kerai verify stock --archive 2026.pack           audits everything, with the pack beside the database

The archive is audited and compared byte by byte before anything is given up: keep it, nothing else has these ops then.
Bodies, payloads and salts go; records, signatures, what repeats are found by and governance's ops stay. Without the
archive, `kerai verify` begins at the closing checkpoint and says `not replayed`.";

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    match &arguments.action {
        Action::New { stream } => new(stream, global),
        Action::Prune { stream, archive } => prune(stream, archive, global),
    }
}

fn prune(stream: &str, archive: &Path, global: &Global) -> Outcome {
    // What can't be read is told of as a file is.
    let read = |cause| Fault::Read { path: archive.display().to_string(), cause };
    File::open(archive).map_err(read)?;
    let jobs = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut told = Progress::new(global.quiet);
    let done = run_store(async {
        let mut store = open(global, None).await?;
        Ok(store.prune(stream, archive, jobs, &mut |ops, part| told.say_part(ops, part)).await?)
    });
    told.end();
    let PrunedNow { pruned, before } = done?;
    let (root, count) = (data_text(&pruned.archive), pruned.count);
    if global.json {
        println!(
            "{}",
            json!({ "ok": true, "stream": stream, "epoch": pruned.epoch, "count": count, "before": before, "archive": root })
        );
    } else if before == count {
        println!("{stream}: nothing to prune: the first {count} records are pruned already\n  archive {root}");
    } else {
        println!(
            "{stream}: records {} to {count} are pruned, to the end of epoch {}\n  archive {root}",
            before + 1,
            pruned.epoch
        );
    }
    Ok(Answer::Yes)
}

fn new(stream: &str, global: &Global) -> Outcome {
    let project = Project::find()?;
    run_store(async {
        let mut store = open(global, Some(&project)).await?;
        let (checkpoint, answer) = store.close_epoch(stream, &project.signers()?, &project.key()?).await?;
        let Done::Committed(op) = &answer else {
            eprintln!("{}", answer_text(1, &answer, true).unwrap_or_default());
            return Ok(Answer::No);
        };
        if op.outcome.code().is_some() {
            eprintln!("{}", answer_text(1, &answer, true).unwrap_or_default());
            return Ok(Answer::No);
        }
        let hash = data_text(&checkpoint.hash().map_err(kerai_store::fault::Fault::from)?);
        if global.json {
            println!(
                "{}",
                json!({ "ok": true, "stream": stream, "epoch": checkpoint.epoch + 1, "closed": checkpoint.epoch,
                    "checkpoint": hash, "count": checkpoint.count, "op": op.position })
            );
        } else {
            println!(
                "{stream}: epoch {} closed after {} records\n  checkpoint {hash}",
                checkpoint.epoch, checkpoint.count
            );
        }
        Ok::<_, Fault>(Answer::Yes)
    })
}
