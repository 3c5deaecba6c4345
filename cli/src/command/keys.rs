//! `kerai keys`: makes keys, shows their public halves, and replaces them.

use crate::Global;
use crate::outcome::{Answer, Fault, Outcome};
use crate::project::Project;
use crate::store::{answer_text, open, run as run_store};
use clap::Subcommand;
use kerai_store::Answer as Done;
use kerai_store::document::to_hex;
use kerai_store::host::Host;
use kerai_store::key;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai keys new keys/alice.key      makes a key that only you can read, prints its public half
  kerai keys show keys/alice.key     prints the public half
  kerai keys rotate alice            a new key for an actor of the project, in every stream that knows the old one")]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Make a key; a file that is there is never written over
    New { file: PathBuf },
    /// Print a key's public half
    Show { file: PathBuf },
    /// Replace an actor's key: an op in every stream that knows it, then the project's key file
    Rotate { actor: String },
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    let (file, key) = match &arguments.action {
        Action::New { file } => (file, key::make(file, &mut Host::system().random)?),
        Action::Show { file } => (file, key::read(file)?),
        Action::Rotate { actor } => return rotate(actor, global),
    };
    let public = to_hex(&key.public());
    if global.json {
        println!("{}", json!({ "ok": true, "path": file.display().to_string(), "public": public }));
    } else {
        println!("{public}");
    }
    Ok(Answer::Yes)
}

/// Whatever ends it in the middle: done again, it goes on with the same new key.
fn rotate(actor: &str, global: &Global) -> Outcome {
    let project = Project::find()?;
    let file = project.key_file(actor)?;
    let next_file = beside(&file, "next");
    let next =
        if next_file.exists() { key::read(&next_file)? } else { key::make(&next_file, &mut Host::system().random)? };
    let public = to_hex(&next.public());
    let said = run_store(async {
        let mut store = open(global, Some(&project)).await?;
        let mut said = Answer::Yes;
        for stream in store.streams().await? {
            let answer = store.rotate(&stream.name, actor, key::read(&file)?, &next.public()).await?;
            let Some(answer) = answer else { continue };
            if !matches!(&answer, Done::Committed(done) if done.outcome.code().is_none()) {
                eprintln!("{}: {}", stream.name, answer_text(1, &answer, true).unwrap_or_default());
                said = Answer::No;
            }
        }
        Ok(said)
    })?;
    if said == Answer::No {
        return Ok(said);
    }
    // The old key is kept: another database may still know the actor by it.
    let old = key::read(&file)?.public();
    let kept = beside(&file, to_hex(&old).get(..8).unwrap_or("old"));
    fs::rename(&file, &kept).and_then(|()| fs::rename(&next_file, &file)).map_err(Fault::Write)?;
    if global.json {
        let (path, kept) = (file.display().to_string(), kept.display().to_string());
        println!("{}", json!({ "ok": true, "path": path, "public": public, "kept": kept }));
    } else {
        println!("{public}\nthe old key is kept in {}", kept.display());
    }
    Ok(Answer::Yes)
}

/// A file beside another one, named after it.
fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}
