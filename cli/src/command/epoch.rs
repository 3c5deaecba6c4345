//! `kerai epoch`: closes a stream's epoch and begins the next one.

use crate::Global;
use crate::outcome::{Answer, Fault, Outcome};
use crate::project::Project;
use crate::store::{answer_text, open, run as run_store};
use clap::Subcommand;
use kerai_store::Answer as Done;
use kerai_store::document::data_text;
use serde_json::json;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai epoch new stock          materializes, anchors the checkpoint in the log, and begins an epoch
  kerai epoch new stock --json   {\"epoch\":2,\"checkpoint\":\"blake3:…\",\"count\":…,\"op\":…}

From then on an op that comes before the last one that was folded is rejected(EPOCH_BROKEN): nothing goes back behind the
end of a closed epoch.")]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Close the epoch with a checkpoint that the log itself names, and begin the next one
    New { stream: String },
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    let Action::New { stream } = &arguments.action;
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
