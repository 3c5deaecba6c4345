//! Lists the cases, so that a program can carry them: a line of Rust each, sorted by name.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo:rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "txt") {
            found.push(path);
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let mut folders: Vec<PathBuf> = fs::read_dir(&root)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    // What is Rust is no case; the folder itself is watched for new features.
    folders.retain(|path| path.is_dir() && !path.join("Cargo.toml").exists() && !path.ends_with("src"));
    println!("cargo:rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    for folder in &folders {
        walk(folder, &mut files)?;
    }
    let name = |path: &PathBuf| -> Option<String> {
        let below = path.strip_prefix(&root).ok()?.with_extension("");
        Some(below.to_str()?.replace('\\', "/"))
    };
    let mut cases: Vec<(String, &PathBuf)> = files.iter().filter_map(|path| Some((name(path)?, path))).collect();
    cases.sort();
    let mut out = String::from("&[\n");
    for (name, path) in cases {
        writeln!(out, "    ({name:?}, include_str!({path:?})),")?;
    }
    out.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR")?).join("cases.rs"), out)?;
    Ok(())
}
