//! `kerai stream`: makes streams and lists them.

use crate::Global;
use crate::outcome::{Answer, Fault, Outcome};
use crate::project::{Project, StreamPage, program};
use crate::store::{open, run as run_store};
use clap::Subcommand;
use kerai_store::backend::Stream;
use kerai_store::document::{data_text, program_text};
use kerai_store::program::{DEFAULT_GOVERNANCE, Stored};
use kerai_store::{NewStream, Store};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai stream create stock                                  as kerai.toml describes it
  kerai stream create stock --fold latest.rgf                under the policy std/owner-only
  kerai stream create stock --fold latest.asm --policy p.rgc
  kerai stream list --json")]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a stream: keep its programs and commit its genesis, signed with the project's key
    Create {
        name: String,
        /// The fold: bytecode, or assembly in a file that ends in `.asm` [default: kerai.toml's]
        #[arg(long)]
        fold: Option<PathBuf>,
        /// The policy: a file, or a shipped one such as `std/owner-only` [default: kerai.toml's, else std/owner-only]
        #[arg(long)]
        policy: Option<String>,
    },
    /// List the streams of the database
    List,
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    match &arguments.action {
        Action::List => run_store(async {
            for stream in open(global, None).await?.streams().await? {
                tell(&stream, global);
            }
            Ok(Answer::Yes)
        }),
        Action::Create { name, fold, policy } => {
            let project = Project::find()?;
            let page = project.streams().get(name);
            let fold = match (fold, page) {
                (Some(fold), _) => program(fold)?,
                (None, Some(page)) => project.program(&page.fold)?,
                (None, None) => {
                    return Err(Fault::Use(format!(
                        "which fold? name it by `--fold FILE`, or describe `[stream.{name}]` in kerai.toml"
                    )));
                }
            };
            let policy = match (policy, page) {
                (Some(policy), _) => Stored::shipped(policy).map_or_else(|| program(policy.as_ref()), Ok)?,
                (None, Some(page)) => project.policy(page)?,
                (None, None) => project.policy(&StreamPage { fold: String::new(), policy: None, ops: None })?,
            };
            run_store(async {
                let mut store = open(global, Some(&project)).await?;
                tell(&create(&mut store, &project, name, &fold, &policy).await?, global);
                Ok(Answer::Yes)
            })
        }
    }
}

/// Makes a stream in which all actors of the project are known, and which the one who acts owns.
pub async fn create(
    store: &mut Store,
    project: &Project,
    name: &str,
    fold: &Stored,
    policy: &Stored,
) -> Result<Stream, Fault> {
    let governance = project.program(DEFAULT_GOVERNANCE)?;
    let signers = project.signers()?;
    let actors = signers.keys.iter().map(|(actor, key)| (actor.clone(), vec![key.public()])).collect();
    let (owner, key) = (project.actor()?, &project.key()?);
    Ok(store.create(&NewStream { name, fold, policy, governance: &governance, actors, owner, key }).await?)
}

fn to_json(stream: &Stream) -> Value {
    json!({
        "ok": true,
        "name": stream.name,
        "stream": data_text(&stream.genesis),
        "fold_root": program_text(&stream.fold_root),
        "policy_root": program_text(&stream.policy_root),
        "governance_root": program_text(&stream.governance_root),
        "epoch": stream.epoch,
        "count": stream.count,
    })
}

fn tell(stream: &Stream, global: &Global) {
    if global.json {
        println!("{}", to_json(stream));
    } else {
        let (fold, policy) = (program_text(&stream.fold_root), program_text(&stream.policy_root));
        println!(
            "{} epoch {} with {} records\n  fold   {fold}\n  policy {policy}",
            stream.name, stream.epoch, stream.count
        );
    }
}
