//! Generates programs of words and compares what the machine and a naive stack make of them: `words COUNT [SEED]`; what is
//! not given is taken from `KERAI_COUNT` and `KERAI_SEED`. Ends with 1 and the smallest program that is wrong, where there
//! is one.

use kerai_tests::differential::with_room;
use kerai_tests::property::Random;
use kerai_tests::words::{Met, judge, judge_notations};
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let mut number = |name| arguments.next().or_else(|| std::env::var(name).ok()).map(|text| text.parse::<u64>());
    let (Some(Ok(count)), Ok(seed)) = (number("KERAI_COUNT"), number("KERAI_SEED").unwrap_or(Ok(1))) else {
        eprintln!("words COUNT [SEED]: give how many programs, and perhaps a seed");
        return ExitCode::from(2);
    };
    with_room(move || {
        let (mut random, mut met) = (Random::new(seed), Met::default());
        for number in 1..=count {
            let judged = judge(&mut random, seed, &mut met).and_then(|()| judge_notations(&mut random));
            if let Err(fault) = judged {
                println!("program {number} of seed {seed}\n{fault}");
                return ExitCode::FAILURE;
            }
        }
        println!("{count} programs of seed {seed}: {met}");
        let missing = met.missing();
        if !missing.is_empty() {
            println!("words that no program had: {}", missing.join(" "));
        }
        ExitCode::SUCCESS
    })
}
