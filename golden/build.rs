//! Lists the cases and the programs that ship, so that a program can carry them: a line of Rust each, sorted by name.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Where the programs are that ship, and what their names end with.
const SHIPPED: [&str; 3] = ["folds", "policies", "examples"];
const LANGUAGES: [&str; 5] = ["asm", "lua", "yaml", "rgs", "kerai"];

fn walk(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo:rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, endings, found)?;
        } else if path.extension().and_then(|ending| ending.to_str()).is_some_and(|ending| endings.contains(&ending)) {
            found.push(path);
        }
    }
    Ok(())
}

/// The files as an array of names, which `name` gives, and contents.
fn list(files: &[PathBuf], name: impl Fn(&Path) -> Option<String>) -> Result<String, std::fmt::Error> {
    let mut named: Vec<(String, &PathBuf)> = files.iter().filter_map(|path| Some((name(path)?, path))).collect();
    named.sort();
    let mut out = String::from("&[\n");
    for (name, path) in named {
        writeln!(out, "    ({name:?}, include_str!({path:?})),")?;
    }
    out.push_str("]\n");
    Ok(out)
}

fn below(root: &Path, path: &Path) -> Option<String> {
    Some(path.strip_prefix(root).ok()?.to_str()?.replace('\\', "/"))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let golden = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let root = golden.parent().ok_or("the folder of the cases is at the root of everything")?;
    let out = PathBuf::from(env::var("OUT_DIR")?);

    println!("cargo:rerun-if-changed={}", golden.display());
    let mut cases = Vec::new();
    for entry in fs::read_dir(&golden)? {
        let path = entry?.path();
        // What is Rust is no case.
        if path.is_dir() && !path.join("Cargo.toml").exists() && !path.ends_with("src") {
            walk(&path, &["txt"], &mut cases)?;
        }
    }
    fs::write(out.join("cases.rs"), list(&cases, |path| below(&golden, &path.with_extension("")))?)?;

    let mut programs = Vec::new();
    for folder in SHIPPED {
        walk(&root.join(folder), &LANGUAGES, &mut programs)?;
    }
    fs::write(out.join("programs.rs"), list(&programs, |path| below(root, path))?)?;
    Ok(())
}
