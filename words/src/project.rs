//! A project in one file: its sources and the words of the session, never its keys or its database.

use serde_json::{Map, Value, json};
use std::fs;
use std::path::{Component, Path};

/// What is part of it: the page of the project, and sources.
const ENDINGS: &[&str] = &["toml", "lua", "yaml", "rgs", "kerai", "asm", "jsonl", "json", "md"];

/// The most bytes of all files, and how deep folders nest.
const LARGEST: u64 = 64 << 20;
const DEEPEST: usize = 16;

/// Where the words of a session go.
const WORDS: &str = "words.kerai";

pub fn export(path: &str, words: &str) -> Result<(), String> {
    let mut files = Map::new();
    let mut size = 0;
    collect(Path::new("."), "", 0, &mut size, &mut files)?;
    if !words.is_empty() {
        files.entry(WORDS.to_owned()).or_insert(Value::String(format!("{words}\n")));
    }
    let text = json!({ "version": 1, "files": files }).to_string();
    fs::write(path, text).map_err(|cause| format!("can't write `{path}`: {cause}"))
}

fn collect(
    folder: &Path,
    prefix: &str,
    depth: usize,
    size: &mut u64,
    files: &mut Map<String, Value>,
) -> Result<(), String> {
    let wrong = |cause: std::io::Error| format!("can't read `{}`: {cause}", folder.display());
    let mut entries: Vec<_> = fs::read_dir(folder).map_err(wrong)?.filter_map(Result::ok).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let kind = entry.file_type().map_err(wrong)?;
        let shown = format!("{prefix}{name}");
        if name.starts_with('.') || kind.is_symlink() {
            continue;
        }
        if kind.is_dir() && depth < DEEPEST {
            collect(&entry.path(), &format!("{shown}/"), depth + 1, size, files)?;
        } else if kind.is_file()
            && entry.path().extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known))
        {
            *size += entry.metadata().map_err(wrong)?.len();
            if *size > LARGEST {
                return Err(format!("the project has more than {LARGEST} bytes"));
            }
            let text = fs::read_to_string(entry.path()).map_err(|cause| format!("can't read `{shown}`: {cause}"))?;
            files.insert(shown, Value::String(text));
        }
    }
    Ok(())
}

pub fn import(path: &str, folder: &str) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|cause| format!("can't read `{path}`: {cause}"))?;
    let page: Value = serde_json::from_str(&text).map_err(|_| format!("`{path}` is no exported project"))?;
    let files = page.get("files").and_then(Value::as_object).filter(|_| page.get("version") == Some(&json!(1)));
    let files = files.ok_or_else(|| format!("`{path}` is no exported project"))?;
    let is_inside = |name: &str| Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if let Some(name) = files.keys().find(|name| !is_inside(name)) {
        return Err(format!("`{name}` would lie outside of the project"));
    }
    let target = Path::new(folder);
    if target.exists() && fs::read_dir(target).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(format!("`{folder}` is not empty"));
    }
    for (name, content) in files {
        let path = target.join(name);
        let wrong = |cause: std::io::Error| format!("can't write `{}`: {cause}", path.display());
        fs::create_dir_all(path.parent().unwrap_or(target)).map_err(wrong)?;
        fs::write(&path, content.as_str().unwrap_or_default()).map_err(wrong)?;
    }
    Ok(())
}
