//! `kerai build`: sources to programs in canonical bytes, each with its root and its map.

use crate::Global;
use crate::map::path_beside;
use crate::outcome::{Answer, Fault, Outcome};
use crate::program::{self, Opened};
use crate::sources::{self, SourceFile};
use kerai_compiler::Language;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai build folds/invoices.lua       writes folds/invoices.rgf, its root to .rgf.sha, names and lines to .rgf.map
  kerai build folds -o out             every source of a folder, into another one
  kerai build . --bundle all.bundle --sign KEY   every program in one signed file, for `kerai stream bind --bundle`
  kerai build folds --json             one object a program: path, kind, root, output, or its diagnostics

Of one source every machine makes the same bytes. The map is for people: nothing depends on it.")]
pub struct Arguments {
    /// Files and folders
    #[arg(required = true)]
    pub(super) paths: Vec<String>,
    /// The folder to write into [default: beside each source]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Write nothing, and print the programs before they become bytecode, as text
    #[arg(long, conflicts_with = "output")]
    ir: bool,
    /// Write every program below the folder, with a manifest, into one file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["output", "ir"])]
    bundle: Option<PathBuf>,
    /// Sign the bundle with a key out of a file, as `kerai keys` makes them
    #[arg(long, value_name = "KEY", requires = "bundle")]
    pub(super) sign: Option<PathBuf>,
    /// The bundle's number: streams take none that is less than the last one [default: one more than FILE's]
    #[arg(long, requires = "bundle")]
    pub(super) number: Option<u64>,
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    if let Some(output) = &arguments.bundle {
        return super::bundle::build(output, arguments, global);
    }
    let mut answer = Answer::Yes;
    let mut written = BTreeMap::new();
    for path in sources::files(&arguments.paths, Language::ALL)? {
        let SourceFile { path: name, bytes } = sources::read(&path)?;
        // Standard input is taken for Lua: it has no name that says otherwise.
        let language = sources::language(&path).unwrap_or(Language::Lua);
        if arguments.ir {
            if show_ir(language, &name, &bytes, global) == Answer::No {
                answer = Answer::No;
            }
            continue;
        }
        let opened = match program::from_source(language, &name, &bytes) {
            Ok(opened) => opened,
            Err(refused) => {
                answer = refused.report(&name, global);
                continue;
            }
        };
        let output = output(&path, &opened, arguments)?;
        if let Some(other) = written.insert(output.clone(), name.clone()) {
            let output = output.display();
            return Err(Fault::Use(format!("`{other}` and `{name}` would both be written to `{output}`: rename one")));
        }
        write(&output, &opened)?;
        tell(&name, &output, &opened, global);
    }
    Ok(answer)
}

/// Where a program goes: beside its source or into the folder that was named, with the ending of its kind.
fn output(path: &str, opened: &Opened, arguments: &Arguments) -> Result<PathBuf, Fault> {
    let beside = Path::new(path).with_extension(opened.verified.program().kind.ending());
    match (&arguments.output, beside.file_name()) {
        _ if path == "-" => Err(Fault::Use("standard input has no name to write by: `--ir` prints".into())),
        (Some(folder), Some(name)) => {
            fs::create_dir_all(folder).map_err(Fault::Write)?;
            Ok(folder.join(name))
        }
        _ => Ok(beside),
    }
}

/// Writes a program with its root, and its map where there is one.
pub fn write(output: &Path, opened: &Opened) -> Result<(), Fault> {
    let mut sha = output.to_path_buf().into_os_string();
    sha.push(".sha");
    fs::write(output, &opened.bytes).map_err(Fault::Write)?;
    fs::write(sha, format!("{}\n", opened.root)).map_err(Fault::Write)?;
    match &opened.places {
        Some(places) => fs::write(path_beside(output), places.to_text()).map_err(Fault::Write),
        None => Ok(()),
    }
}

/// Says what was written.
pub fn tell(name: &str, output: &Path, opened: &Opened, global: &Global) {
    let (kind, root) = (opened.verified.program().kind.name(), opened.root.to_string());
    let output = output.display().to_string();
    if global.json {
        println!("{}", json!({ "ok": true, "path": name, "kind": kind, "root": root, "output": output }));
    } else {
        println!("{name} {kind} {root} {output}");
    }
}

fn show_ir(language: Language, name: &str, bytes: &[u8], global: &Global) -> Answer {
    match program::ir(language, bytes) {
        Ok(text) if global.json => println!("{}", json!({ "ok": true, "path": name, "ir": text })),
        Ok(text) => print!("{text}"),
        Err(refused) => return refused.report(name, global),
    }
    Answer::Yes
}
