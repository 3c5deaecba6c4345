//! Runs all golden cases without a test harness, for targets that have none.

use kerai_golden::verdict::Tally;
use kerai_golden::{files, map_seed};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn run(directory: &Path) -> Result<bool, String> {
    let seed = map_seed()?;
    let cases = files::list(directory).map_err(|fault| format!("cannot read `{}`: {fault}", directory.display()))?;
    let mut tally = Tally::default();
    for file in &cases {
        if let Some(failure) = tally.judge(&file.name, file.read(), seed) {
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
