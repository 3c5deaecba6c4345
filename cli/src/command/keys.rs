//! `kerai keys`: makes keys and shows their public halves.

use crate::Global;
use crate::outcome::{Answer, Outcome};
use clap::Subcommand;
use kerai_store::document::to_hex;
use kerai_store::host::Host;
use kerai_store::key;
use serde_json::json;
use std::path::PathBuf;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai keys new keys/alice.key      makes a key that only you can read, prints its public half
  kerai keys show keys/alice.key     prints the public half")]
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
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    let (file, key) = match &arguments.action {
        Action::New { file } => (file, key::make(file, &mut Host::system().random)?),
        Action::Show { file } => (file, key::read(file)?),
    };
    let public = to_hex(&key.public());
    if global.json {
        println!("{}", json!({ "ok": true, "path": file.display().to_string(), "public": public }));
    } else {
        println!("{public}");
    }
    Ok(Answer::Yes)
}
