//! Test data that nobody here wrote: each set is run whole, and each difference must fall under a rule of the design.
//!
//! The folder is named by `KERAI_VECTORS`, else it is `shared/vectors` beside the workspace. What is found there is run:
//! a case is dispatched by its file's place and format, so that another folder of the same layout may hold other cases.

mod azure;
mod cbor;
mod cbor_facts;
mod cedar;
mod cel;
mod cel_syntax;
mod cidr;
mod coremath;
mod csv_real;
mod decimal;
mod decimal_model;
mod ed25519;
mod events;
mod float_parse;
mod folder;
mod hashes;
mod json_canonical;
mod json_facts;
mod json_jcs;
mod json_parsing;
mod judge;
mod keep;
mod lua;
mod rules;
mod testfloat;
mod ulid;
mod unicode_nfc;
mod wasm;
mod yaml;
mod yaml_facts;

use folder::Folder;
use judge::Report;
use keep::Sample;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// A set: the folder's name and what runs it.
type Set = (&'static str, fn(&Folder, &mut Report));

const SETS: &[Set] = &[
    ("json-parsing", json_parsing::run),
    ("json-jcs", json_jcs::run),
    ("json-canonical-derived", json_canonical::run),
    ("cbor", cbor::run),
    ("ieee754-testfloat", testfloat::run),
    ("ieee754-coremath", coremath::run),
    ("float-parse", float_parse::run),
    ("decimal-fixedpoint", decimal::run),
    ("unicode-nfc", unicode_nfc::run),
    ("hashes", hashes::run),
    ("ed25519", ed25519::run),
    ("ulid", ulid::run),
    ("wasm-numeric", wasm::run),
    ("lua-puc54", lua::run),
    ("lua-gopher", lua::run),
    ("lua-piccolo", lua::run),
    ("yaml-test-suite", yaml::run),
    ("cidr", cidr::run),
    ("policy-cedar", cedar::run),
    ("policy-regorus", azure::run),
    ("events-git", events::git),
    ("events-usgs", events::usgs),
    ("events-jepsen", events::jepsen),
    ("crdt-json-patch", events::patch),
    ("policy-cel", cel::run),
    ("csv-real", csv_real::run),
];

/// Models recurse once a nesting level, and some documents nest on purpose.
const STACK: usize = 64 << 20;

/// More failures than this are counted, but not shown.
const SHOWN_FAILURES: usize = 20;

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let keeping = match keeping(&mut arguments) {
        Ok(keeping) => keeping,
        Err(fault) => {
            eprintln!("{fault}");
            return ExitCode::from(2);
        }
    };
    let filters: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let is_wanted = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()));
    if arguments.iter().any(|argument| argument == "--list") {
        SETS.iter().filter(|set| is_wanted(set.0)).for_each(|set| println!("{}: test", set.0));
        return ExitCode::SUCCESS;
    }
    let (path, is_named) = place();
    if !path.is_dir() {
        println!("vectors: none at {}", path.display());
        println!(
            "test result: {}. 0 passed; {} failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            verdict(!is_named),
            u8::from(is_named)
        );
        return if is_named { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    note_unknown(&path);
    run(&path, &is_wanted, keeping.as_deref())
}

/// The folder behind `--keep`, into which a sample of the sets is written as golden cases; it is taken out.
fn keeping(arguments: &mut Vec<String>) -> Result<Option<PathBuf>, String> {
    let Some(place) = arguments.iter().position(|argument| argument == "--keep") else { return Ok(None) };
    let mut taken = arguments.drain(place..arguments.len().min(place + 2)).skip(1);
    taken.next().map(|folder| Some(PathBuf::from(folder))).ok_or("--keep wants a folder".to_owned())
}

/// Where the vectors are, and whether the caller said so.
fn place() -> (PathBuf, bool) {
    match std::env::var_os("KERAI_VECTORS") {
        Some(path) => (PathBuf::from(path), true),
        None => (Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"), false),
    }
}

const fn verdict(is_ok: bool) -> &'static str {
    if is_ok { "ok" } else { "FAILED" }
}

fn note_unknown(path: &Path) {
    let found = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut names: Vec<String> = found
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.retain(|name| !SETS.iter().any(|set| set.0 == name));
    names.sort();
    if !names.is_empty() {
        eprintln!("vectors: nothing here runs {}", names.join(", "));
    }
}

fn run(path: &Path, is_wanted: &dyn Fn(&str) -> bool, keeping: Option<&Path>) -> ExitCode {
    let start = Instant::now();
    let (wanted, left_out): (Vec<&'static Set>, Vec<&'static Set>) = SETS.iter().partition(|set| is_wanted(set.0));
    let reports = run_all(path, &wanted, keeping);
    let (mut passed, mut failed) = (0, 0);
    for (name, report) in wanted.iter().map(|set| set.0).zip(reports) {
        let Some(report) = report else {
            eprintln!("{name}: no such folder, nothing to run");
            continue;
        };
        if show(name, &report) { passed += 1 } else { failed += 1 }
    }
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "\ntest result: {}. {passed} passed; {failed} failed; 0 ignored; 0 measured; {} filtered out; finished in {seconds:.2}s",
        verdict(failed == 0),
        left_out.len()
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One thread a set; the report of a set whose folder is absent is none.
fn run_all(path: &Path, sets: &[&'static Set], keeping: Option<&Path>) -> Vec<Option<Report>> {
    let work = |set: &Set| {
        let folder = Folder::open(path, set.0)?;
        let mut report = Report { sample: keeping.map(|_| Sample::default()), ..Report::default() };
        set.1(&folder, &mut report);
        if let (Some(sample), Some(keeping)) = (report.sample.take(), keeping) {
            match sample.write(&keeping.join(set.0)) {
                Ok(count) => report.note(format!("{count} golden cases kept")),
                Err(fault) => report.fail("-", "-", "golden cases", fault),
            }
        }
        Some(report)
    };
    std::thread::scope(|scope| {
        let work = &work;
        let spawn = |set: &&'static Set| {
            let set: &'static Set = set;
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || work(set)).ok()
        };
        let running: Vec<_> = sets.iter().map(spawn).collect();
        let end = |thread: Option<std::thread::ScopedJoinHandle<'_, Option<Report>>>| match thread
            .map(std::thread::ScopedJoinHandle::join)
        {
            Some(Ok(report)) => report,
            Some(Err(_)) => Some(Report::broken("a case panicked; see standard error")),
            None => Some(Report::broken("no thread")),
        };
        running.into_iter().map(end).collect()
    })
}

/// Prints a set's line, its notes and failures; true where it is ok.
fn show(name: &str, report: &Report) -> bool {
    println!("{name}: {} passed, {} failed, {} differ", report.passed, report.failed(), report.differ);
    for (rule, count) in &report.by_rule {
        eprintln!("{name}: {count} differ by rule `{rule}`");
    }
    for (note, count) in &report.notes {
        eprintln!("{name}: {note}{}", if *count > 1 { format!(" ({count})") } else { String::new() });
    }
    for failure in report.failures.iter().take(SHOWN_FAILURES) {
        println!("  FAILED {name} {failure}");
    }
    if report.failures.len() > SHOWN_FAILURES {
        println!("  … and {} more", report.failures.len() - SHOWN_FAILURES);
    }
    let is_empty = report.passed + report.differ + report.failed() == 0;
    if is_empty {
        println!("  FAILED {name}: there is data, but no case was run");
    }
    report.failures.is_empty() && !is_empty
}
