//! Plants each bug into a copy of the sources, builds it, and sees whether the run on generated programs finds it:
//! `planted FOLDER [COUNT [SEED]]`. Ends with 1 where one stays hidden. The copy and what is built stand in the folder.

use kerai_tests::planted::{BUGS, Bug};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs, io};

/// Programs in which a bug must show, and the seed they are made from.
const COUNT: &str = "5000";
const SEED: &str = "1";

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

/// Builds the copy and lets it judge itself: whether it found itself in order, and what it said.
fn judged(copy: &Path, run: &[String]) -> Result<(bool, String), String> {
    let built = Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .args(["build", "--quiet", "--locked", "-p", "kerai-tests", "--bin", "differential"])
        .env("CARGO_TARGET_DIR", copy.join("target"))
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .current_dir(copy)
        .output()
        .map_err(|fault| fault.to_string())?;
    if !built.status.success() {
        return Err(String::from_utf8_lossy(&built.stderr).into_owned());
    }
    let ran =
        Command::new(copy.join("target/debug/differential")).args(run).output().map_err(|fault| fault.to_string())?;
    // A bug may also make the machine panic, which no program may.
    Ok((
        ran.status.success(),
        String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr),
    ))
}

fn plant(copy: &Path, bug: &Bug, run: &[String]) -> Result<(bool, String), String> {
    let file: PathBuf = copy.join(bug.file);
    let source = fs::read_to_string(&file).map_err(|fault| fault.to_string())?;
    fs::write(&file, source.replacen(bug.old, bug.new, 1)).map_err(|fault| fault.to_string())?;
    let judged = judged(copy, run);
    fs::write(&file, source).map_err(|fault| fault.to_string())?;
    judged
}

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let Some(folder) = arguments.next().map(PathBuf::from) else {
        eprintln!("planted FOLDER [COUNT [SEED]]: give a folder for the copy");
        return ExitCode::from(2);
    };
    let run =
        [arguments.next().unwrap_or_else(|| COUNT.to_owned()), arguments.next().unwrap_or_else(|| SEED.to_owned())];
    if let Err(fault) = copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."), &folder) {
        eprintln!("the sources can't be copied to `{}`: {fault}", folder.display());
        return ExitCode::from(2);
    }
    // Without a bug nothing may be found, or nothing would be said by finding one.
    match judged(&folder, &run) {
        Ok((true, said)) => println!("as it is: {}", said.trim()),
        Ok((false, said)) | Err(said) => {
            eprintln!("as it is: {said}");
            return ExitCode::FAILURE;
        }
    }
    let mut found = 0;
    for bug in BUGS {
        match plant(&folder, bug, &run) {
            Ok((true, said)) => println!("HIDDEN  {}: {}", bug.about, said.trim()),
            Ok((false, said)) => {
                found += 1;
                println!("found   {}: {}", bug.about, said.lines().next().unwrap_or_default());
            }
            Err(fault) => println!("BROKEN  {}: it can't be built: {fault}", bug.about),
        }
    }
    println!("{found} of {} planted bugs were found", BUGS.len());
    if found == BUGS.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
