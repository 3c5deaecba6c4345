//! `kerai materialize`: a stream's state into its tables, with a signed checkpoint.

use crate::Global;
use crate::outcome::{Answer, Fault, Outcome};
use crate::project::Project;
use crate::store::{open, run as run_store};
use kerai_store::document::{data_text, program_text};
use kerai_store::{Materialized, Store};
use serde_json::{Value, json};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai materialize stock
  kerai materialize stock --json     {\"state_root\":…,\"inputs_root\":…,\"log_head\":…,\"count\":…}")]
pub struct Arguments {
    /// The stream [default: all streams]
    stream: Option<String>,
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    let project = Project::find()?;
    run_store(async {
        let mut store = open(global, Some(&project)).await?;
        let names = match &arguments.stream {
            Some(name) => vec![name.clone()],
            None => store.streams().await?.into_iter().map(|stream| stream.name).collect(),
        };
        for name in names {
            let done = materialize(&mut store, &project, &name).await?;
            tell(&name, &done, global);
        }
        Ok(Answer::Yes)
    })
}

pub async fn materialize(store: &mut Store, project: &Project, name: &str) -> Result<Materialized, Fault> {
    Ok(store.materialize(name, &project.key()?).await?)
}

/// The roots and counts, as `--json` shows them.
pub fn to_json(name: &str, done: &Materialized) -> Value {
    let checkpoint = &done.checkpoint;
    json!({
        "ok": true,
        "stream": name,
        "fold_root": program_text(&checkpoint.fold_root),
        "policy_root": program_text(&checkpoint.policy_root),
        "epoch": checkpoint.epoch,
        "count": checkpoint.count,
        "state_root": data_text(&checkpoint.state_root),
        "inputs_root": data_text(&checkpoint.inputs_root),
        "log_head": data_text(&checkpoint.log_head),
        "rows": done.rows,
        "written": done.written,
        "poisoned": done.poison.iter().map(|(position, trap)| json!({ "op": position, "trap": trap })).collect::<Vec<_>>(),
    })
}

pub fn tell(name: &str, done: &Materialized, global: &Global) {
    if global.json {
        println!("{}", to_json(name, done));
        return;
    }
    for (position, trap) in &done.poison {
        println!("op {position} left no trace: {trap}");
    }
    let checkpoint = &done.checkpoint;
    println!("{name}: {} rows after {} records, {} written", done.rows, checkpoint.count, done.written);
    println!("  state_root  {}", data_text(&checkpoint.state_root));
    println!("  inputs_root {}", data_text(&checkpoint.inputs_root));
    println!("  log_head    {}", data_text(&checkpoint.log_head));
}
