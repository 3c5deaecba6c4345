//! What the commands of auditors share: whom to trust, checkpoints out of files, where instructions came from, progress.

use crate::command::verify::AllPlaces;
use crate::input::Input;
use crate::map::Places;
use crate::outcome::Fault;
use crate::program;
use crate::project::Project;
use crate::spool::PackPath;
use clap::Args;
use kerai_compiler::Language;
use kerai_store::checkpoint::{Checkpoint, SignedCheckpoint};
use kerai_store::document::{Hash, hash_from_hex};
use kerai_store::pack::{PackFile, PackReader, Part, SourceText};
use kerai_store::proof;
use kerai_vm::encoding::root::Root;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// Whom the asker trusts by other means.
#[derive(Args)]
pub struct Trust {
    /// A public key, or a stream by the op id of its genesis, that you know by other means
    #[arg(long, value_name = "STREAM|KEY")]
    trust: Vec<String>,
    /// A file with a checkpoint that was right earlier, a proof or a pack: nothing may have changed since
    #[arg(long, value_name = "FILE")]
    extends: Option<String>,
}

impl Trust {
    pub fn hashes(&self) -> Result<Vec<Hash>, Fault> {
        self.trust.iter().map(|text| trusted(text)).collect()
    }

    /// The checkpoint that is to be extended. Its signature is checked here, where it comes in.
    pub fn extends(&self) -> Result<Option<Checkpoint>, Fault> {
        let Some(path) = self.extends.as_deref() else { return Ok(None) };
        let signed = checkpoint_in(path)?;
        Ok(Some(signed.check().map_err(kerai_store::fault::Fault::from)?))
    }
}

fn trusted(text: &str) -> Result<Hash, Fault> {
    let wrong = || Fault::Use(format!("`{text}` is no key and no stream: give 64 hexadecimal digits"));
    hash_from_hex(text.strip_prefix("blake3:").unwrap_or(text)).ok_or_else(wrong)
}

/// The checkpoint that a file holds: that of a proof, or the last one of a pack.
pub fn checkpoint_in(path: &str) -> Result<SignedCheckpoint, Fault> {
    if let Some(pack) = PackPath::find(path)? {
        let file = File::open(pack.path()).map_err(|cause| Fault::Read { path: path.into(), cause })?;
        let mut reader = PackReader::new(BufReader::new(file))?;
        let mut last = None;
        while let Some((_, part)) = reader.read()? {
            if let Part::Checkpoint(signed) = part {
                last = Some(signed);
            }
        }
        return last.ok_or_else(|| Fault::Use(format!("`{path}` holds no checkpoint")));
    }
    let bytes = Input::open(Some(path))?.whole()?;
    let shown = proof::check(&bytes).map_err(kerai_store::fault::Fault::from)?;
    Ok(shown.signed)
}

/// Where the instructions of a project's folds came from, by root: as far as its sources are those that are bound.
pub fn programs_of_project() -> AllPlaces {
    let Ok(project) = Project::find() else { return BTreeMap::new() };
    let opened = project.programs().into_iter().filter_map(|path| program::open(&path).ok()?.ok());
    opened.filter_map(|opened| Some((root(&opened.root)?, opened.places?))).collect()
}

const fn root(root: &Root) -> Option<Hash> {
    match root {
        Root::Sha256(hash) => Some(*hash),
        Root::Blake3(_) => None,
    }
}

/// The same from the sources in a pack, where it is asked for.
pub fn places_in(path: &Path, is_wanted: bool) -> AllPlaces {
    if !is_wanted {
        return BTreeMap::new();
    }
    let Ok(pack) = PackFile::open(path) else { return BTreeMap::new() };
    pack.sources.iter().filter_map(|source| Some((source.root, compiled(source)?.1))).collect()
}

/// The root that a source compiles to.
pub fn root_of(source: &SourceText) -> Option<Hash> {
    if Path::new(&source.name).extension().is_some_and(|ending| ending == "asm") {
        return root(&program::from_assembly(source.text.as_bytes()).ok()?.root);
    }
    compiled(source).map(|found| found.0)
}

/// The root of a source, compiled, and where its instructions came from.
pub fn compiled(source: &SourceText) -> Option<(Hash, Places)> {
    let ending = Path::new(&source.name).extension()?.to_str()?;
    let language = Language::of_ending(ending)?;
    let opened = program::from_source(language, &source.name, source.text.as_bytes()).ok()?;
    Some((root(&opened.root)?, opened.places?))
}
