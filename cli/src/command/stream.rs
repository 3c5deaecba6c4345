//! `kerai stream`: makes streams and lists them.

use super::bundle;
use crate::Global;
use crate::outcome::{Answer, Fault, Outcome};
use crate::project::{Project, StreamPage, program};
use crate::store::{answer_text, open, run as run_store};
use clap::Subcommand;
use kerai_store::backend::Stream;
use kerai_store::document::{data_text, program_text};
use kerai_store::program::{DEFAULT_GOVERNANCE, Stored};
use kerai_store::{Answer as Done, NewStream, Store};
use serde_json::{Value, json};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai stream create stock                                  as kerai.toml describes it
  kerai stream create stock --fold latest.rgf                under the policy std/owner-only
  kerai stream create stock --fold latest.asm --policy p.rgc
  kerai stream bind stock --fold newer.rgf                   a new epoch; old checkpoints stay valid
  kerai stream bind stock --bundle all.bundle                what a signed bundle holds, and never an older one
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
    /// Bind another fold or policy: a new epoch, in which the log is folded anew
    Bind {
        name: String,
        /// The fold: bytecode, or assembly in a file that ends in `.asm` [default: as before]
        #[arg(long)]
        fold: Option<PathBuf>,
        /// The policy: a file, or a shipped one [default: as before]
        #[arg(long)]
        policy: Option<String>,
        /// Take both out of a bundle that one of the stream's actors signed, by their paths in it; none older is taken
        #[arg(long, value_name = "FILE")]
        bundle: Option<PathBuf>,
    },
    /// Print a stream's ops after its genesis as they were signed, a line each, as `kerai ingest` reads them
    Ops { name: String },
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
        Action::Ops { name } => run_store(async {
            let ops = open(global, None).await?.ops(name).await?;
            let mut out = BufWriter::new(io::stdout().lock());
            for op in ops.iter().skip(1) {
                writeln!(out, "{}", op.signed.to_line()).map_err(Fault::Write)?;
            }
            out.flush().map_err(Fault::Write)?;
            Ok(Answer::Yes)
        }),
        Action::Bind { name, fold, policy, bundle } => {
            let project = Project::find()?;
            let opened = bundle.as_deref().map(bundle::open).transpose()?;
            let (fold, policy) = match &opened {
                Some(opened) => {
                    let fold = fold.as_deref().map(|path| path.to_string_lossy());
                    let page = project.streams().get(name);
                    let (fold, policy) = bundle::chosen(opened, fold.as_deref(), policy.as_deref(), page)?;
                    (fold.cloned(), policy.cloned())
                }
                None => (fold.as_deref().map(program).transpose()?, policy.as_deref().map(policy_named).transpose()?),
            };
            run_store(async {
                let mut store = open(global, Some(&project)).await?;
                let answer =
                    store.bind(name, &project.signers()?, fold.as_ref(), policy.as_ref(), opened.as_ref()).await?;
                let is_admitted = matches!(&answer, Done::Committed(done) if done.outcome.code().is_none());
                if !is_admitted {
                    eprintln!("{}", answer_text(1, &answer, true).unwrap_or_default());
                    return Ok(Answer::No);
                }
                store
                    .streams()
                    .await?
                    .iter()
                    .filter(|stream| stream.name == *name)
                    .for_each(|stream| tell(stream, global));
                Ok(Answer::Yes)
            })
        }
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
                (Some(policy), _) => policy_named(policy)?,
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

/// A shipped policy by its name, or one out of a file.
fn policy_named(name: &str) -> Result<Stored, Fault> {
    Stored::shipped(name).map_or_else(|| program(name.as_ref()), Ok)
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
