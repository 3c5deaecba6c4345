//! Case files on disk: finding, reading and rewriting them.

use crate::case::Case;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Case files end with this; other files beside them are ignored.
const EXTENSION: &str = ".txt";

/// Cases below this folder never change.
pub const FROZEN: &str = "frozen/";

/// A case file: its place, and its name, which is the path below the directory without the extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFile {
    pub name: String,
    path: PathBuf,
}

/// All case files below a directory, sorted by name bytewise, so that every host gives the same order.
///
/// # Errors
/// Where a folder can't be read.
pub fn list(directory: &Path) -> io::Result<Vec<CaseFile>> {
    let mut files = Vec::new();
    walk(directory, "", &mut files)?;
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<CaseFile>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &format!("{prefix}{name}/"), files)?;
        } else if let Some(stem) = name.strip_suffix(EXTENSION) {
            files.push(CaseFile { name: format!("{prefix}{stem}"), path: entry.path() });
        }
    }
    Ok(())
}

impl CaseFile {
    /// Whether blessing is refused.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.name.starts_with(FROZEN)
    }

    /// Reads the case.
    ///
    /// # Errors
    /// Where the file can't be read or is no case.
    pub fn read(&self) -> Result<Case, String> {
        Case::parse(&fs::read_to_string(&self.path).map_err(|fault| fault.to_string())?)
    }

    /// Writes the case.
    ///
    /// # Errors
    /// Where the file can't be written, or is frozen.
    pub fn write(&self, case: &Case) -> Result<(), String> {
        if self.is_frozen() {
            return Err(format!("`{}` is frozen: what a release gave out never changes", self.name));
        }
        fs::write(&self.path, case.print()).map_err(|fault| fault.to_string())
    }
}
