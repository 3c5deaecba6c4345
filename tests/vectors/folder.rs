//! A set's folder: its files, by path within the folder, in order.

use std::fs;
use std::path::{Path, PathBuf};

pub struct Folder {
    root: PathBuf,
    set: PathBuf,
}

/// A file of a set.
pub struct File {
    /// The path within the set's folder, with `/` on every system.
    pub path: String,
    pub content: Vec<u8>,
}

impl File {
    /// The name without folders.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The name without folders and what follows its last dot.
    pub fn stem(&self) -> &str {
        self.name().rsplit_once('.').map_or(self.name(), |(stem, _)| stem)
    }

    /// What follows the last dot, or nothing.
    pub fn extension(&self) -> &str {
        self.name().rsplit_once('.').map_or("", |(_, extension)| extension)
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.content).into_owned()
    }
}

impl Folder {
    pub fn open(root: &Path, set: &str) -> Option<Folder> {
        let folder = Folder { root: root.to_path_buf(), set: root.join(set) };
        folder.set.is_dir().then_some(folder)
    }

    /// All files of the set that hold data.
    pub fn files(&self) -> Vec<File> {
        let mut paths = Vec::new();
        collect(&self.set, &mut paths);
        paths.sort();
        let is_data = |path: &&PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            !["PROVENANCE", "LICENSE", "LICENCE", "README", "NOTICE", "COPYING"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
        };
        paths.iter().filter(is_data).filter_map(|path| self.read(path)).collect()
    }

    fn read(&self, path: &Path) -> Option<File> {
        let inner = path.strip_prefix(&self.set).ok()?;
        let parts: Vec<_> = inner.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        Some(File { path: parts.join("/"), content: fs::read(path).ok()? })
    }

    /// A file by its path from the folder of all sets.
    pub fn beside(&self, path: &str) -> Option<Vec<u8>> {
        fs::read(self.root.join(path)).ok()
    }
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { collect(&path, paths) } else { paths.push(path) }
    }
}

/// Bytes from hexadecimal digits; nothing where it is anything else.
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digits: Option<Vec<u32>> = text.chars().map(|digit| digit.to_digit(16)).collect();
    let pair = |pair: &[u32]| pair.iter().fold(0, |byte, digit| byte << 4 | digit).to_le_bytes()[0];
    Some(digits?.chunks(2).map(pair).collect())
}

pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
