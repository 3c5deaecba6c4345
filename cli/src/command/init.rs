//! `kerai init`: makes a project.

use crate::Global;
use crate::outcome::{Answer, Fault, Outcome};
use crate::project;
use kerai_store::document::to_hex;
use kerai_store::host::Host;
use kerai_store::key;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// The key that a new project signs with.
const KEY: &str = "keys/owner.key";

const PAGE: &str = "# A kerai project. `kerai stream create NAME` makes a stream that is described here.
#
# [stream.NAME]
# fold = \"folds/NAME.rgf\"          what merges its ops into rows; assembly, .asm, is taken too
# policy = \"std/owner-only\"        what says who may do what
# ops = \"ops.jsonl\"                what `kerai run` appends

actor = \"owner\"

[actors]
owner = \"keys/owner.key\"
";

/// What must not be shared.
const IGNORED: &str = "/.kerai/\n/keys/\n";

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai init shop      makes shop/kerai.toml, shop/folds/, shop/policies/ and a signing key in shop/keys/")]
pub struct Arguments {
    /// The folder; it is made if there is none
    folder: PathBuf,
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    let folder = &arguments.folder;
    let page = folder.join(project::FILE);
    if page.exists() {
        return Err(Fault::Use(format!("`{}` is there already: it is left as it is", page.display())));
    }
    for part in ["folds", "policies"] {
        fs::create_dir_all(folder.join(part)).map_err(Fault::Write)?;
    }
    let key = key::make(&folder.join(KEY), &mut Host::system().random)?;
    write(&folder.join(".gitignore"), IGNORED)?;
    write(&page, PAGE)?;
    let (path, public) = (page.display().to_string(), to_hex(&key.public()));
    if global.json {
        println!(
            "{}",
            json!({ "ok": true, "path": path, "key": folder.join(KEY).display().to_string(), "public": public })
        );
    } else {
        println!("{path}\nowner's key {public}");
    }
    Ok(Answer::Yes)
}

/// Writes a file that is not there yet.
fn write(path: &Path, text: &str) -> Result<(), Fault> {
    if path.exists() { Ok(()) } else { fs::write(path, text).map_err(Fault::Write) }
}
