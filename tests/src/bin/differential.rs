//! Generates programs and compares what the evaluator and the machine make of them: `differential COUNT [SEED]`;
//! what is not given is taken from `KERAI_COUNT` and `KERAI_SEED`.
//! Ends with 1 and the smallest program that is wrong, where there is one.

use kerai_tests::differential::{Met, judge, with_room};
use kerai_tests::gas;
use kerai_tests::property::Random;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut number = |name| arguments.next().or_else(|| std::env::var(name).ok()).map(|text| text.parse::<u64>());
    let (Some(Ok(count)), Ok(seed)) = (number("KERAI_COUNT"), number("KERAI_SEED").unwrap_or(Ok(1))) else {
        eprintln!("differential COUNT [SEED]: give how many programs, and perhaps a seed");
        return ExitCode::from(2);
    };
    // Both ways to run, and so the comparison below, take what built-ins charge for granted.
    if !cfg!(miri)
        && let Some(surprise) = gas::surprise()
    {
        println!("{surprise}");
        return ExitCode::FAILURE;
    }
    with_room(move || {
        let (mut random, mut met) = (Random::new(seed), Met::default());
        for number in 1..=count {
            if let Err(fault) = judge(&mut random, seed, &mut met) {
                println!("program {number} of seed {seed}\n{fault}");
                return ExitCode::FAILURE;
            }
            if number.is_multiple_of(100_000) {
                println!("{number} programs of seed {seed}: {met}");
            }
        }
        println!("{count} programs of seed {seed}: {met}");
        ExitCode::SUCCESS
    })
}
