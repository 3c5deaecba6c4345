//! Packs that come by a pipe: an audit reads some of a pack twice, so that it is put into a file first, which goes with it.

use crate::outcome::Fault;
use kerai_store::pack;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// How standard input is named on the command line.
pub const STANDARD_INPUT: &str = "-";

/// The file of a pack.
pub struct PackPath {
    path: PathBuf,
    /// Whether it was made here.
    is_own: bool,
}

impl PackPath {
    /// The pack that a word names: `-`, or a file that begins as packs do or whose name ends so. None where it names
    /// something else.
    ///
    /// # Errors
    /// Where it can't be read, or not be put into a file.
    pub fn find(name: &str) -> Result<Option<PackPath>, Fault> {
        if name == STANDARD_INPUT {
            return PackPath::spool(io::stdin().lock(), name).map(Some);
        }
        let path = Path::new(name);
        let is_named_so = path.extension() == Some(OsStr::new("pack"));
        let Ok(metadata) = fs::metadata(path) else {
            return Ok(is_named_so.then(|| PackPath { path: path.into(), is_own: false }));
        };
        if metadata.is_file() {
            return Ok((is_named_so || begins_so(path)).then(|| PackPath { path: path.into(), is_own: false }));
        }
        if metadata.is_dir() {
            return Ok(None);
        }
        // A pipe: it can be read only once.
        let file = File::open(path).map_err(|cause| Fault::Read { path: name.into(), cause })?;
        PackPath::spool(file, name).map(Some)
    }

    fn spool(mut from: impl Read, name: &str) -> Result<PackPath, Fault> {
        let number = RandomState::new().hash_one(name);
        let path = std::env::temp_dir().join(format!("kerai-{}-{number:016x}.pack", std::process::id()));
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let fault = |cause: io::Error| {
            let path = path.display();
            Fault::Write(io::Error::new(
                cause.kind(),
                format!("`{path}`, where the pack from `{name}` is put: {cause}"),
            ))
        };
        let mut file = file.map_err(fault)?;
        let spooled = PackPath { path: path.clone(), is_own: true };
        io::copy(&mut from, &mut file).map_err(fault)?;
        Ok(spooled)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for PackPath {
    fn drop(&mut self) {
        if self.is_own {
            // What can't be removed is the system's to clean up.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn begins_so(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(pack::MAGIC.len() as u64).read_to_end(&mut start));
    read.is_ok() && pack::is_pack(&start)
}
