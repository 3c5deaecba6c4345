//! Runs all golden cases without a test harness, for targets that have none.

use kerai_tests::stage::{self, Outcome};
use kerai_tests::verdict::{Tally, plain_difference, report};
use kerai_tests::{files, map_seed};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn run(directory: &Path) -> Result<bool, String> {
    let seed = map_seed()?;
    let cases = files::list(directory).map_err(|fault| format!("cannot read `{}`: {fault}", directory.display()))?;
    let mut tally = Tally::default();
    for file in &cases {
        let (outcome, failure) = match file.read() {
            Ok(case) => {
                let outcome = stage::run(&case, seed);
                let failure = report(&case, &outcome, plain_difference);
                (outcome, failure)
            }
            Err(fault) => (Outcome { faults: vec![fault.clone()], ..Outcome::default() }, Some(fault)),
        };
        tally.count(&file.name, &outcome, failure.is_none());
        if let Some(failure) = failure {
            println!("failed: {}\n{failure}", file.name);
        }
    }
    println!("{}", tally.summary());
    Ok(tally.is_good())
}

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(directory), None) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: golden-portable GOLDEN_DIR");
        return ExitCode::from(2);
    };
    match run(&PathBuf::from(directory)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::from(2)
        }
    }
}
