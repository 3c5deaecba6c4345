//! Saved folds: a state in a file, to go on from. A line says of what and how far, then come the bytes of the state.

use super::events::Place;
use crate::outcome::Fault;
use kerai_store::document::{data_text, hash_from_hex};
use kerai_vm::encoding::root::Root;
use kerai_vm::fold::Folding;
use kerai_vm::ulid::Ulid;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write;
use std::path::Path;

const FORMAT: &str = "kerai saved fold 1";

/// How far a fold came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    format: String,
    pub fold_root: String,
    pub count: u64,
    pub gas: u64,
    pub poisoned: u64,
    pub inputs_root: String,
    /// The place of the last event.
    last: Option<(String, String, String)>,
    snapshot_root: String,
}

/// What a file holds.
pub struct Saved {
    pub progress: Progress,
    pub snapshot: Vec<u8>,
}

impl Progress {
    pub fn new(
        fold_root: &Root,
        count: u64,
        gas: u64,
        poisoned: u64,
        inputs_root: &Root,
        last: Option<Place>,
    ) -> Progress {
        Progress {
            format: FORMAT.to_owned(),
            fold_root: fold_root.to_string(),
            count,
            gas,
            poisoned,
            inputs_root: inputs_root.to_string(),
            last: last.map(|(ulid, order, event)| (ulid.to_string(), data_text(&order), data_text(&event))),
            snapshot_root: String::new(),
        }
    }

    pub fn last(&self) -> Option<Place> {
        let (ulid, order, event) = self.last.as_ref()?;
        Some((Ulid::parse(ulid.as_bytes()).ok()?, data_hash(order)?, data_hash(event)?))
    }

    pub fn inputs_root(&self) -> Option<Root> {
        data_hash(&self.inputs_root).map(Root::Blake3)
    }
}

fn data_hash(text: &str) -> Option<[u8; 32]> {
    hash_from_hex(text.strip_prefix("blake3:")?)
}

/// Writes a file: beside it first and then moved, so that an older one stays until the new one is whole.
pub fn write(path: &Path, mut progress: Progress, snapshot: &[u8]) -> Result<(), Fault> {
    progress.snapshot_root = Folding::snapshot_root(snapshot).to_string();
    let mut beside = path.as_os_str().to_owned();
    beside.push(".kerai-new");
    let mut file = fs::File::create(&beside).map_err(Fault::Write)?;
    // Texts and numbers have a JSON form.
    let line = serde_json::to_string(&progress).unwrap_or_default();
    let all = [line.as_bytes(), b"\n", snapshot];
    all.iter().try_for_each(|part| file.write_all(part)).map_err(Fault::Write)?;
    file.sync_all().map_err(Fault::Write)?;
    fs::rename(&beside, path).map_err(Fault::Write)
}

/// Reads a file whose state is whole and of this fold.
pub fn read(path: &Path, fold_root: &Root) -> Result<Saved, Fault> {
    let shown = path.display();
    let bytes = fs::read(path).map_err(|cause| Fault::Read { path: shown.to_string(), cause })?;
    let damaged = |what: &str| Fault::Use(format!("`{shown}` is no saved fold: {what}; fold from the start instead"));
    let end = bytes.iter().position(|&byte| byte == b'\n').ok_or_else(|| damaged("it has no first line"))?;
    let (line, rest) = bytes.split_at_checked(end).unwrap_or_default();
    let progress: Progress = serde_json::from_slice(line).map_err(|fault| damaged(&fault.to_string()))?;
    let snapshot = rest.get(1..).unwrap_or_default();
    if progress.format != FORMAT {
        return Err(damaged(&format!("its format is `{}`, not `{FORMAT}`", progress.format)));
    }
    if progress.fold_root != fold_root.to_string() {
        let other = &progress.fold_root;
        return Err(Fault::Use(format!("`{shown}` was saved by another fold, `{other}`: fold from the start instead")));
    }
    if progress.snapshot_root != Folding::snapshot_root(snapshot).to_string() {
        return Err(damaged("its state is not the one that was saved"));
    }
    if progress.inputs_root().is_none() || progress.last.is_some() != progress.last().is_some() {
        return Err(damaged("a root or a place is none"));
    }
    Ok(Saved { progress, snapshot: snapshot.to_vec() })
}
