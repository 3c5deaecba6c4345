//! Sources on disk: which files a command is about, and how each is read.

use crate::input::Input;
use crate::outcome::Fault;
use kerai_compiler::Language;
use std::fs;
use std::path::Path;

/// A source's name and bytes.
pub struct SourceFile {
    pub path: String,
    pub bytes: Vec<u8>,
}

/// All files in the languages that the paths name, folders walked in the order of names.
pub fn files(paths: &[String], languages: &[Language]) -> Result<Vec<String>, Fault> {
    let mut found = Vec::new();
    for path in paths {
        if path != "-" && Path::new(path).is_dir() {
            walk(Path::new(path), languages, &mut found)?;
        } else if path == "-" || is_source(path, languages) {
            found.push(path.clone());
        } else {
            let endings = languages.iter().map(|language| language.ending()).collect::<Vec<_>>().join("`, `.");
            return Err(Fault::Use(format!("`{path}` is in no known language: sources end in `.{endings}`")));
        }
    }
    Ok(found)
}

/// The language of a file, by its name.
pub fn language(path: &str) -> Option<Language> {
    Language::of_ending(Path::new(path).extension()?.to_str()?)
}

fn is_source(path: &str, languages: &[Language]) -> bool {
    language(path).is_some_and(|language| languages.contains(&language))
}

fn walk(folder: &Path, languages: &[Language], found: &mut Vec<String>) -> Result<(), Fault> {
    let fault = |cause| Fault::Read { path: folder.display().to_string(), cause };
    let mut entries = fs::read_dir(folder).map_err(fault)?.collect::<Result<Vec<_>, _>>().map_err(fault)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type().map_err(fault)?;
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if kind.is_dir() && !is_hidden {
            walk(&entry.path(), languages, found)?;
        } else if kind.is_file() && is_source(&entry.path().display().to_string(), languages) {
            found.push(entry.path().display().to_string());
        }
    }
    Ok(())
}

/// Reads a source whole.
pub fn read(path: &str) -> Result<SourceFile, Fault> {
    let mut input = Input::open(Some(path))?;
    let bytes = input.whole()?;
    Ok(SourceFile { path: input.name, bytes })
}

/// Writes a source in the place of what was read. It is written beside and then moved, so that a full disk loses nothing.
pub fn write(path: &str, text: &str) -> Result<(), Fault> {
    // What a link leads to is changed, not the link.
    let target = fs::canonicalize(path).map_err(Fault::Write)?;
    let mut beside = target.clone().into_os_string();
    beside.push(".kerai-new");
    fs::write(&beside, text).map_err(Fault::Write)?;
    let permissions = fs::metadata(&target).map_err(Fault::Write)?.permissions();
    fs::set_permissions(&beside, permissions).map_err(Fault::Write)?;
    fs::rename(&beside, &target).map_err(Fault::Write)
}
