//! Generated programs on stock Lua and on the machine: they agree, but for what is documented.

mod differences;
mod oracle;
mod program;
mod reach;
mod templates;

use kerai_tests::property::{Random, Run};
use oracle::{Outcome, Stock, kerai};

/// Enough that each template is met many times; the long run is what a release is judged by.
const SHORT: u64 = 1_500;
const LONG: u64 = 100_000;

#[test]
fn generated_programs_agree_with_stock_lua() {
    let run = Run::new("programs on stock Lua", SHORT, LONG);
    let stock = Stock::new();
    let mut seeds = Random::new(run.seed);
    let (mut ended, mut failed) = (0_u64, 0_u64);
    run.each(|_| {
        let seed = seeds.next();
        let text = program::program(&mut Random::new(seed));
        let (expected, got) = (stock.run(&text), kerai(&text));
        if !oracle::agree(&expected, &got) {
            let text = shrunk(&stock, &text);
            panic!("program {seed}:\n{text}\n{}", oracle::difference(&stock.run(&text), &kerai(&text)));
        }
        if expected.is_ok() { ended += 1 } else { failed += 1 }
    });
    println!("{ended} programs came to their end, {failed} raised an error on both");
    assert!(failed * 4 < ended, "most programs have to come to their end");
}

/// The program with all lines left out without which the two still part.
fn shrunk(stock: &Stock, text: &str) -> String {
    let first = (stock.run(text), kerai(text));
    let mut lines: Vec<&str> = text.lines().collect();
    let prologue = include_str!("prologue.lua").lines().count() + 1;
    let mut size = lines.len() / 2;
    while size > 0 {
        let mut place = prologue;
        while place + size <= lines.len() {
            let fewer: Vec<&str> = lines
                .iter()
                .enumerate()
                .filter(|(line, _)| !(place..place + size).contains(line))
                .map(|(_, line)| *line)
                .collect();
            let text = fewer.join("\n");
            let (expected, got) = (stock.run(&text), kerai(&text));
            let is_same = |outcome: &Outcome, first: &Outcome| match (outcome, first) {
                (Err(fault), Err(first)) => fault.get(..8) == first.get(..8),
                (outcome, first) => outcome.is_ok() && first.is_ok(),
            };
            if is_same(&expected, &first.0) && is_same(&got, &first.1) && !oracle::agree(&expected, &got) {
                lines = fewer;
            } else {
                place += 1;
            }
        }
        size /= 2;
    }
    lines.join("\n")
}
