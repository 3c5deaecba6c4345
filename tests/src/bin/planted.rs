//! Plants each bug into a copy of the sources, builds it, and sees whether generated programs find it:
//! `planted FOLDER [machine|lua|words|policies|all [COUNT [SEED [WORDS]]]]`. Ends with 1 where one stays hidden. The copy and what is
//! built stand in the folder; only what a bug changes is built again. With WORDS, only bugs that these speak of.

use kerai_tests::planted::{Bug, OF_LUA, OF_PLATFORMS, OF_POLICIES, OF_THE_MACHINE, OF_WORDS, PlatformBug};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use std::{env, fs, io};

/// Who looks for bugs: a program of the copy, which judges the copy.
struct Judge {
    name: &'static str,
    bugs: &'static [Bug],
    build: &'static [&'static str],
    run: &'static [&'static str],
    /// Programs in which a bug must show.
    count: &'static str,
}

const JUDGES: &[Judge] = &[
    Judge {
        name: "machine",
        bugs: OF_THE_MACHINE,
        build: &["build", "--bin", "differential"],
        run: &["run", "--bin", "differential"],
        count: "20000",
    },
    Judge {
        name: "lua",
        bugs: OF_LUA,
        build: &["test", "--no-run", "--test", "stock"],
        run: &["test", "--test", "stock", "--", "--exact", "generated_programs_agree_with_stock_lua"],
        count: "5000",
    },
    Judge {
        name: "words",
        bugs: OF_WORDS,
        build: &["build", "--bin", "words"],
        run: &["run", "--bin", "words"],
        count: "5000",
    },
    Judge {
        name: "policies",
        bugs: OF_POLICIES,
        build: &["test", "--no-run", "--test", "policies"],
        run: &["test", "--test", "policies", "--", "--exact", PAIRS],
        count: "500",
    },
];

/// The test that holds policies against the naive evaluator.
const PAIRS: &str = "compiled_policies_decide_and_explain_as_the_naive_evaluator";

const SEED: &str = "1";

/// Quick to build again after a small change, and quick enough to run.
const PROFILE: &[(&str, &str)] = &[
    ("CARGO_INCREMENTAL", "1"),
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "0"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "2"),
    ("CARGO_PROFILE_DEV_DEBUG", "0"),
];

/// What is no source.
const LEFT_OUT: &[&str] = &["target", ".git", "bench"];

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if LEFT_OUT.iter().any(|left_out| name == *left_out) {
            continue;
        }
        let (from, to) = (entry.path(), to.join(&name));
        if entry.file_type()?.is_dir() {
            copy(&from, &to)?;
        } else {
            // What is there already keeps its time, so that it is not built anew.
            let content = fs::read(from)?;
            if fs::read(&to).ok().as_ref() != Some(&content) {
                fs::write(to, content)?;
            }
        }
    }
    Ok(())
}

/// A run in a copy: how many programs, from which seed.
struct Trial<'t> {
    judge: &'t Judge,
    copy: &'t Path,
    count: &'t str,
    seed: &'t str,
    words: &'t str,
}

impl Trial<'_> {
    fn cargo(&self, words: &[&str]) -> Result<Output, String> {
        let (verb, rest) = words.split_first().ok_or("there is nothing to do")?;
        Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
            .args([*verb, "--quiet", "--locked", "--release", "-p", "kerai-tests"])
            .args(rest)
            .envs(PROFILE.iter().copied())
            .envs([("KERAI_COUNT", self.count), ("KERAI_SEED", self.seed)])
            .env("CARGO_TARGET_DIR", self.copy.join("target"))
            .env_remove("KERAI_LONG")
            .current_dir(self.copy)
            .output()
            .map_err(|fault| fault.to_string())
    }

    /// Builds the copy and lets it judge itself: whether it found itself in order, and what it said.
    fn judged(&self) -> Result<(bool, String), String> {
        let built = self.cargo(self.judge.build)?;
        if !built.status.success() {
            return Err(String::from_utf8_lossy(&built.stderr).into_owned());
        }
        let ran = self.cargo(self.judge.run)?;
        // A bug may also make the machine panic, which no program may.
        let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
        Ok((ran.status.success(), said))
    }

    /// Whether all bugs are found, and none where there is none: else nothing would be said by finding one.
    fn hold(&self) -> bool {
        match self.judged() {
            Ok((true, said)) => println!("{}, as it is: {}", self.judge.name, last_line(&said)),
            Ok((false, said)) | Err(said) => {
                eprintln!("{}, as it is: {said}", self.judge.name);
                return false;
            }
        }
        let mut found = 0;
        let bugs: Vec<&Bug> = self.judge.bugs.iter().filter(|bug| bug.about.contains(self.words)).collect();
        for bug in &bugs {
            match plant(self.copy, bug, || self.judged()) {
                Ok((true, said)) => println!("HIDDEN  {}: {}", bug.about, last_line(&said)),
                Ok((false, said)) => {
                    found += 1;
                    println!("found   {}: {}", bug.about, said.lines().next().unwrap_or_default());
                }
                Err(fault) => println!("BROKEN  {}: it can't be built: {fault}", bug.about),
            }
        }
        println!("{}: {found} of {} planted bugs were found", self.judge.name, bugs.len());
        found == bugs.len()
    }
}

/// Judges a copy that has the bug, and mends it again.
fn plant<T>(copy: &Path, bug: &Bug, judge: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let file: PathBuf = copy.join(bug.file);
    let source = fs::read_to_string(&file).map_err(|fault| fault.to_string())?;
    fs::write(&file, source.replacen(bug.old, bug.new, 1)).map_err(|fault| fault.to_string())?;
    let judged = judge();
    fs::write(&file, source).map_err(|fault| fault.to_string())?;
    judged
}

/// What the platforms say of the copy: whether all agree, and the rows of their table.
fn on_platforms(copy: &Path, platforms: &[&str]) -> Result<(bool, Vec<String>), String> {
    let script = copy.join("golden").join("platforms.sh");
    let ran = Command::new("bash").arg(script).args(platforms).output().map_err(|fault| fault.to_string())?;
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let rows: Vec<String> = said
        .lines()
        .filter(|line| platforms.iter().any(|platform| line.starts_with(&format!("{platform} "))))
        .map(str::to_owned)
        .collect();
    if rows.len() == platforms.len() {
        Ok((ran.status.success(), rows))
    } else {
        Err(String::from_utf8_lossy(&ran.stderr).into_owned())
    }
}

/// Whether a platform's row says that all its cases passed.
fn has_passed(row: &str) -> bool {
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    matches!(cells.as_slice(), [_, cases, passed, _] if cases == passed && *cases != "-")
}

/// Whether every difference between platforms is found, and found elsewhere where home sees nothing.
fn hold_on_platforms(copy: &Path, words: &str) -> bool {
    let bugs: Vec<&PlatformBug> = OF_PLATFORMS.iter().filter(|one| one.differs.contains(words)).collect();
    let mut found = 0;
    for PlatformBug { differs, platforms, is_hidden_at_home, bug } in &bugs {
        match plant(copy, bug, || on_platforms(copy, platforms)) {
            Ok((agree, rows)) => {
                let is_as_said = rows.first().is_some_and(|home| has_passed(home) == *is_hidden_at_home);
                let is_found = !agree && is_as_said;
                found += usize::from(is_found);
                println!("{}  {differs}: {}", if is_found { "found " } else { "HIDDEN" }, bug.about);
                rows.iter().for_each(|row| println!("        {row}"));
            }
            Err(fault) => println!("BROKEN  {differs}: {fault}"),
        }
    }
    println!("platforms: {found} of {} planted differences were found", bugs.len());
    found == bugs.len()
}

fn last_line(said: &str) -> &str {
    said.lines().rfind(|line| line.contains("programs") || line.contains("cases")).unwrap_or_default()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let mut words = arguments.iter().map(String::as_str);
    let (folder, name) = (words.next(), words.next().unwrap_or("all"));
    let is_of_platforms = name == "platforms";
    let judges: Vec<&Judge> = JUDGES.iter().filter(|judge| name == "all" || name == judge.name).collect();
    let (Some(folder), true) = (folder, is_of_platforms || !judges.is_empty()) else {
        eprintln!(
            "planted FOLDER [machine|lua|words|policies|all [COUNT [SEED [WORDS]]]] or planted FOLDER platforms [WORDS]: give a folder for \
             the copy, and who is to judge"
        );
        return ExitCode::from(2);
    };
    let folder = Path::new(folder);
    if let Err(fault) = copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), folder) {
        eprintln!("the sources can't be copied to `{}`: {fault}", folder.display());
        return ExitCode::from(2);
    }
    if is_of_platforms {
        let is_holding = hold_on_platforms(folder, words.next().unwrap_or_default());
        return if is_holding { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let (count, seed, about) = (words.next(), words.next().unwrap_or(SEED), words.next().unwrap_or_default());
    let trial = |judge| Trial { judge, copy: folder, count: count.unwrap_or(judge.count), seed, words: about };
    // All are heard, also where the first finds too little.
    let holding = judges.iter().filter(|judge| trial(judge).hold()).count();
    if holding == judges.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
