//! Generates programs and compares what the evaluator and the machine make of them: `differential COUNT [SEED]`.
//! Ends with 1 and the smallest program that is wrong, where there is one.

use kerai_tests::differential::{Met, judge, with_room};
use kerai_tests::property::Random;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let (count, seed) = match (numbers.next(), numbers.next()) {
        (Some(Ok(count)), None) => (count, 1),
        (Some(Ok(count)), Some(Ok(seed))) => (count, seed),
        _ => {
            eprintln!("differential COUNT [SEED]: give how many programs, and perhaps a seed");
            return ExitCode::from(2);
        }
    };
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
