//! `kerai golden`: the cases that every platform must answer alike: run, given out, compared, frozen.

use crate::Global;
use crate::outcome::{Answer, Fault, Outcome};
use crate::progress::Progress;
use kerai_golden::case::Case;
use kerai_golden::export::{self, CheckFault, Exported};
use kerai_golden::files::{self, FROZEN};
use kerai_golden::shipped::CASES;
use kerai_golden::verdict::Tally;
use kerai_golden::{freeze, map_seed};
use kerai_vm::bytecode::PROFILE;
use serde_json::{Value, json};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Cases at limits and past them.
const LIMITS: &str = "limits/";

#[derive(clap::Args)]
#[command(
    after_help = "The cases are those of the build unless a folder is named. No answer depends on the platform, so the root of a
whole run is the same wherever this version runs.

Examples:
  kerai golden run                        golden: 796 cases, 796 passed, root blake3:…
  kerai golden run --filter float/        the cases with `float/` in their names
  kerai golden export cases               sources, inputs, expected results, and manifest.json
  kerai golden check results              what another implementation computed: results/NAME/SECTION
  kerai golden freeze 0.1.0               golden/frozen/0.1.0: this version's bytecode, which runs for ever"
)]
pub struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Run the cases on this machine
    Run(Selection),
    /// Write the cases as plain files, for whoever implements kerai elsewhere (some 330 MB: those at limits are large)
    Export {
        /// The folder to make
        folder: PathBuf,
        #[command(flatten)]
        selection: Selection,
    },
    /// Compare results from elsewhere with what is computed here
    Check {
        /// The folder with NAME/SECTION for each case, as in an export's `expected`
        folder: PathBuf,
        #[command(flatten)]
        selection: Selection,
    },
    /// Write what this version's programs are and compute, for every later version to run
    Freeze {
        /// The version's name
        version: String,
        #[command(flatten)]
        selection: Selection,
        /// The folder of the cases
        #[arg(long, default_value = "golden", value_name = "DIR")]
        into: PathBuf,
    },
}

#[derive(clap::Args)]
struct Selection {
    /// Only cases whose name holds this
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Read the cases below this folder instead
    #[arg(long, value_name = "DIR")]
    cases: Option<PathBuf>,
}

/// A case's name, and the case or why it is none.
type Named = (String, Result<Case, String>);

impl Selection {
    fn load(&self) -> Result<Vec<Named>, Fault> {
        let mut named: Vec<Named> = match &self.cases {
            None => CASES.iter().map(|(name, text)| ((*name).to_owned(), Case::parse(text))).collect(),
            Some(folder) => files::list(folder)
                .map_err(|cause| Fault::Read { path: folder.display().to_string(), cause })?
                .into_iter()
                .map(|file| (file.name.clone(), file.read()))
                .collect(),
        };
        if let Some(text) = &self.filter {
            named.retain(|(name, _)| name.contains(text.as_str()));
        }
        match named.is_empty() {
            true => Err(Fault::Use(match &self.filter {
                Some(text) => format!("no case has `{text}` in its name: `kerai golden run` runs them all"),
                None => "there are no cases: name a folder with files that end in `.txt`".to_owned(),
            })),
            false => Ok(named),
        }
    }

    /// The cases, all of which must be cases.
    fn load_all(&self) -> Result<Vec<(String, Case)>, Fault> {
        let parsed = self.load()?.into_iter().map(|(name, case)| match case {
            Ok(case) => Ok((name, case)),
            Err(fault) => Err(Fault::Use(format!("`{name}` is no case: {fault}"))),
        });
        parsed.collect()
    }
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    let seed = map_seed().map_err(Fault::Use)?;
    match &arguments.verb {
        Verb::Run(selection) => run_cases(selection, seed, global),
        Verb::Export { folder, selection } => export_cases(folder, selection, seed, global),
        Verb::Check { folder, selection } => check_results(folder, selection, seed, global),
        Verb::Freeze { version, selection, into } => freeze_cases(version, selection, into, seed, global),
    }
}

fn answer(is_good: bool) -> Answer {
    if is_good { Answer::Yes } else { Answer::No }
}

fn run_cases(selection: &Selection, seed: u64, global: &Global) -> Outcome {
    let mut progress = Progress::new(global.quiet || global.json);
    let (mut tally, mut failures) = (Tally::default(), Vec::new());
    for (count, (name, case)) in selection.load()?.into_iter().enumerate() {
        progress.say_now(count, "cases");
        if let Some(failure) = tally.judge(&name, case, seed) {
            failures.push((name, failure));
        }
    }
    progress.end();
    let (cases, passed) = tally.counts();
    if global.json {
        let failures: Vec<Value> =
            failures.iter().map(|(name, failure)| json!({ "case": name, "failure": failure })).collect();
        let root = tally.root().to_string();
        println!("{}", json!({ "passed": passed, "failed": cases - passed, "root": root, "failures": failures }));
    } else {
        failures.iter().for_each(|(name, failure)| println!("failed: {name}\n{failure}"));
        println!("{}", tally.summary());
    }
    Ok(answer(tally.is_good()))
}

/// Writes a file of the folder, whose name has `/` between its parts.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Fault> {
    let path = name.split('/').fold(folder.to_path_buf(), |path, part| path.join(part));
    let parent = path.parent().unwrap_or(folder);
    fs::create_dir_all(parent).and_then(|()| fs::write(&path, bytes)).map_err(Fault::Write)
}

fn export_cases(folder: &Path, selection: &Selection, seed: u64, global: &Global) -> Outcome {
    let taken = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        let folder = folder.display();
        return Err(Fault::Use(format!("`{folder}` is not empty: name a folder that is not there yet")));
    }
    let mut progress = Progress::new(global.quiet || global.json);
    let (mut entries, mut tally) = (Vec::new(), Tally::default());
    for (name, case) in selection.load_all()? {
        progress.say_now(entries.len(), "cases");
        let Exported { name, inputs, expected } =
            export::exported(&name, &case, seed).map_err(|fault| Fault::Use(format!("`{name}`: {fault}")))?;
        for (path, bytes) in inputs.iter().chain(&expected) {
            write(folder, path, bytes)?;
        }
        for (path, bytes) in &expected {
            tally.add(&name, path.rsplit('/').next().unwrap_or_default(), bytes);
        }
        let paths = |files: &[export::File]| files.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
        entries.push(json!({ "name": name, "inputs": paths(&inputs), "expected": paths(&expected) }));
    }
    progress.end();
    let (cases, root) = (entries.len(), tally.root().to_string());
    let manifest = json!({
        "kerai": env!("CARGO_PKG_VERSION"),
        "profile": PROFILE,
        "root": root,
        "about": "what the sections are: golden/README.md; inputs are the bytes that a case's sources stand for",
        "cases": entries,
    });
    write(folder, "manifest.json", format!("{manifest:#}\n").as_bytes())?;
    if global.json {
        println!("{}", json!({ "cases": cases, "root": root, "folder": folder }));
    } else {
        println!("{cases} cases in {}, root {root}", folder.display());
    }
    Ok(Answer::Yes)
}

fn check_results(folder: &Path, selection: &Selection, seed: u64, global: &Global) -> Outcome {
    if !folder.is_dir() {
        return Err(Fault::Read { path: folder.display().to_string(), cause: io::ErrorKind::NotFound.into() });
    }
    let cases = selection.load_all()?;
    let given = |name: &str| {
        let path = name.split('/').fold(folder.to_path_buf(), |path, part| path.join(part));
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(Fault::Read { path: path.display().to_string(), cause }),
        }
    };
    let checked = export::check(cases.iter().map(|(name, case)| (name.as_str(), case)), seed, given);
    let checked = checked.map_err(|fault| match fault {
        CheckFault::Case(what) => Fault::Use(what),
        CheckFault::Given(fault) => fault,
    })?;
    let (failed, root) = (checked.failed.len(), checked.root.to_string());
    if global.json {
        let failures: Vec<Value> =
            checked.failed.iter().map(|(name, failure)| json!({ "case": name, "failure": failure })).collect();
        println!("{}", json!({ "passed": checked.passed, "failed": failed, "root": root, "failures": failures }));
    } else {
        checked.failed.iter().for_each(|(name, failure)| println!("failed: {name}: {failure}"));
        println!("golden: {} cases, {} passed, root {root}", checked.passed + failed, checked.passed);
    }
    Ok(answer(failed == 0))
}

/// A version as a folder's name: letters, digits, dots and hyphens.
fn is_version(version: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    version.bytes().all(is_plain)
        && version.bytes().any(|byte| byte.is_ascii_alphanumeric())
        && !version.starts_with('.')
}

fn freeze_cases(version: &str, selection: &Selection, into: &Path, seed: u64, global: &Global) -> Outcome {
    if !is_version(version) {
        return Err(Fault::Use(format!("`{version}` is no version: use letters, digits, dots and hyphens")));
    }
    if !into.is_dir() {
        let into = into.display();
        return Err(Fault::Use(format!(
            "there is no folder `{into}`: run this in a checkout, or name one with --into"
        )));
    }
    let name = format!("{FROZEN}{version}");
    let folder = into.join(&name);
    if folder.exists() {
        let folder = folder.display();
        return Err(Fault::Use(format!("`{folder}` is there already: what a release gave out never changes")));
    }
    let mut frozen = Vec::new();
    // What is frozen stays where it is, and programs that are only large prove nothing about a release.
    let is_left = |name: &str| name.starts_with(FROZEN) || name.starts_with(LIMITS);
    for (name, case) in selection.load_all()?.into_iter().filter(|(name, _)| !is_left(name)) {
        let made =
            freeze::frozen(&name, &case, version, seed).map_err(|fault| Fault::Use(format!("`{name}`: {fault}")))?;
        frozen.extend(made.map(|case| (name, case)));
    }
    for (name, case) in &frozen {
        write(&folder, &format!("{name}.txt"), case.print().as_bytes())?;
    }
    let count = frozen.len();
    if global.json {
        println!("{}", json!({ "version": version, "cases": count, "folder": folder }));
    } else {
        println!("{count} programs of {version} in {}", folder.display());
    }
    Ok(Answer::Yes)
}
