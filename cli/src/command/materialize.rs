//! `kerai materialize`: a stream's state into its tables, with a signed checkpoint.

use crate::Global;
use crate::outcome::{Answer, Fault, Outcome};
use crate::project::Project;
use crate::store::{open, run as run_store};
use kerai_store::backend::Projection;
use kerai_store::document::{data_text, program_text};
use kerai_store::materialize::{State, row};
use kerai_store::{Materialized, Store};
use serde_json::{Value, json};
use std::io::{self, BufWriter, Write};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai materialize stock
  kerai materialize stock --follow   goes on whenever ops are committed
  kerai materialize stock --at 5     the rows as they were after five records; nothing is written
  kerai materialize stock --json     {\"state_root\":…,\"inputs_root\":…,\"log_head\":…,\"count\":…}")]
pub struct Arguments {
    /// The stream [default: all streams]
    stream: Option<String>,
    /// Go on whenever ops are committed, until it is ended
    #[arg(long, requires = "stream", conflicts_with = "at")]
    follow: bool,
    /// Print the state after so many records instead, and write nothing
    #[arg(long, value_name = "COUNT", requires = "stream")]
    at: Option<u64>,
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    if let (Some(count), Some(name)) = (arguments.at, &arguments.stream) {
        return run_store(async { tell_state(name, &open(global, None).await?.at(name, count).await?, global) });
    }
    let project = Project::find()?;
    run_store(async {
        let mut store = open(global, Some(&project)).await?;
        let names = match &arguments.stream {
            Some(name) => vec![name.clone()],
            None => store.streams().await?.into_iter().map(|stream| stream.name).collect(),
        };
        for name in names {
            if arguments.follow {
                // Until whoever began it ends it, or the database fails.
                let told = async |_: &mut Store, done: &Materialized| {
                    tell(&name, done, global);
                    Ok(true)
                };
                store.keep_up(&name, &project.key()?, told).await?;
            } else {
                tell(&name, &materialize(&mut store, &project, &name).await?, global);
            }
        }
        Ok(Answer::Yes)
    })
}

/// The roots after so many records, and the rows, a line each.
fn tell_state(name: &str, state: &State, global: &Global) -> Outcome {
    let mut out = BufWriter::new(io::stdout().lock());
    let roots = json!({
        "ok": true,
        "stream": name,
        "count": state.count,
        "state_root": data_text(&state.state_root),
        "inputs_root": data_text(&state.inputs_root),
        "log_head": data_text(&state.log_head),
        "rows": state.folded.rows.len(),
    });
    let first = match global.json {
        true => writeln!(out, "{roots}"),
        false => writeln!(out, "{name} after {} records: {}", state.count, data_text(&state.state_root)),
    };
    first.map_err(Fault::Write)?;
    for (key, value) in &state.folded.rows {
        let Projection { path, name, view } = row(key, Some(value)).projection;
        let view = view.unwrap_or_else(|| "null".into());
        let line = match global.json {
            // Name and view are JSON already.
            true => writeln!(out, "{{\"path\":{},\"key\":{name},\"value\":{view}}}", Value::from(path)),
            false => writeln!(out, "  {path} {name} {view}"),
        };
        line.map_err(Fault::Write)?;
    }
    out.flush().map_err(Fault::Write)?;
    Ok(Answer::Yes)
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
