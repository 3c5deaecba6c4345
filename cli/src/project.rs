//! A project: the folder with `kerai.toml`, its keys, its streams, its database.

use crate::outcome::Fault;
use crate::program;
use kerai_store::code::Code;
use kerai_store::op::signature::SecretKey;
use kerai_store::program::{DEFAULT_POLICY, Stored};
use kerai_store::{Signers, key};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The file that makes a folder a project.
pub const FILE: &str = "kerai.toml";

/// Where the database of a project lies.
pub const DATABASE: &str = ".kerai/kerai.db";

/// A key that everyone knows, made of its actor's name: for examples and tests.
const TEST_KEY: &str = "test";

/// Test keys are derived in this context.
const TEST_CONTEXT: &str = "kerai v1 test key";

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Page {
    /// Who acts where an op does not say.
    actor: Option<String>,
    /// Actors with their key files.
    actors: BTreeMap<String, String>,
    stream: BTreeMap<String, StreamPage>,
}

/// What a project says of a stream.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub struct StreamPage {
    pub fold: String,
    pub policy: Option<String>,
    pub ops: Option<String>,
}

/// A project that was found.
pub struct Project {
    folder: PathBuf,
    page: Page,
}

impl Project {
    /// The project of a folder.
    pub fn open(folder: &Path) -> Result<Project, Fault> {
        let path = folder.join(FILE);
        let shown = path.display().to_string();
        let text = fs::read_to_string(&path).map_err(|cause| Fault::Read { path: shown.clone(), cause })?;
        let page: Page = toml::from_str(&text).map_err(|fault| Fault::Use(format!("{shown}: {fault}")))?;
        Ok(Project { folder: folder.to_path_buf(), page })
    }

    /// The project that the working folder is in: the nearest one upwards.
    pub fn find() -> Result<Project, Fault> {
        let here = std::env::current_dir().map_err(|cause| Fault::Read { path: ".".into(), cause })?;
        match here.ancestors().find(|folder| folder.join(FILE).is_file()) {
            Some(folder) => Project::open(folder),
            None => Err(Fault::Use(format!("there is no `{FILE}` here or above: `kerai init DIR` makes a project"))),
        }
    }

    /// A path that the project names, from its folder.
    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    pub fn database(&self) -> PathBuf {
        self.path(DATABASE)
    }

    pub fn streams(&self) -> &BTreeMap<String, StreamPage> {
        &self.page.stream
    }

    /// Who acts where an op does not say: who is named, or the only actor.
    pub fn actor(&self) -> Result<&str, Fault> {
        let mut actors = self.page.actors.keys();
        match (&self.page.actor, actors.next(), actors.next()) {
            (Some(actor), ..) if self.page.actors.contains_key(actor) => Ok(actor),
            (None, Some(only), None) => Ok(only),
            _ => Err(Fault::Use(format!("`{FILE}` does not say who acts: name one of its actors by `actor = \"…\"`"))),
        }
    }

    /// The key of the one who acts.
    pub fn key(&self) -> Result<SecretKey, Fault> {
        self.key_of(self.actor()?)
    }

    fn key_of(&self, actor: &str) -> Result<SecretKey, Fault> {
        match self.page.actors.get(actor).map(String::as_str) {
            None => Err(Fault::Use(format!("`{FILE}` names no key of `{actor}`"))),
            Some(TEST_KEY) => Ok(test_key(actor)),
            Some(file) => Ok(key::read(&self.path(file))?),
        }
    }

    /// The file of an actor's key.
    pub fn key_file(&self, actor: &str) -> Result<PathBuf, Fault> {
        match self.page.actors.get(actor).map(String::as_str) {
            None => Err(Fault::Use(format!("`{FILE}` names no key of `{actor}`"))),
            Some(TEST_KEY) => Err(Fault::Use(format!("`{actor}` signs with a test key, which has no file: name one"))),
            Some(file) => Ok(self.path(file)),
        }
    }

    /// The keys of all actors.
    pub fn signers(&self) -> Result<Signers, Fault> {
        let key = |actor: &String| Ok((actor.clone(), self.key_of(actor)?));
        let keys: Result<_, Fault> = self.page.actors.keys().map(key).collect();
        Ok(Signers { keys: keys?, default: self.actor()?.to_owned() })
    }

    /// A program of the project, or one that ships in the box.
    pub fn program(&self, name: &str) -> Result<Stored, Fault> {
        match Stored::shipped(name) {
            Some(shipped) => Ok(shipped),
            None => program(&self.path(name)),
        }
    }

    /// The files of the programs that the project's streams name.
    pub fn programs(&self) -> Vec<String> {
        let named = |page: &StreamPage| [Some(page.fold.clone()), page.policy.clone()];
        let files = self.page.stream.values().flat_map(named).flatten().map(|name| self.path(&name));
        files.filter(|path| path.is_file()).map(|path| path.display().to_string()).collect()
    }

    pub fn policy(&self, stream: &StreamPage) -> Result<Stored, Fault> {
        self.program(stream.policy.as_deref().unwrap_or(DEFAULT_POLICY))
    }
}

/// The key that everyone can make for a name.
fn test_key(actor: &str) -> SecretKey {
    SecretKey::from_seed(&blake3::derive_key(TEST_CONTEXT, actor.as_bytes()))
}

/// A program out of a file: a source or assembly by its ending, else bytecode.
pub fn program(path: &Path) -> Result<Stored, Fault> {
    let shown = path.display().to_string();
    let opened =
        program::open(&shown)?.map_err(|refused| Fault::Refused(refused.to_text(&shown), Code::PROGRAM_KIND))?;
    Stored::from_bytes(&opened.bytes).map_err(|refused| Fault::Refused(format!("{shown}: {refused}"), refused.code))
}
