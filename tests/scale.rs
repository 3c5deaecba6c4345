//! Ten times the source takes about ten times the work, whatever shape the source has.
//!
//! What is measured is the processor's time of this thread, which others do not lengthen; `kerai-bench compile` holds
//! the shapes to twelve times. Here only what grows with a square must be told from what does not.

use cpu_time::ThreadTime;
use kerai_compiler::{Language, Source, compile};
use kerai_tests::shapes::{SHAPES, Shape};
use std::time::Duration;

/// Lines of the smaller source; the larger has ten times as many.
const LINES: usize = 1_000;

/// What is quadratic takes a hundred times as long.
const MOST: u32 = 30;

/// Less says more of the clock than of the compiler.
const LEAST: Duration = Duration::from_micros(500);

/// The shortest of a few times, and whether the source was compiled.
fn time(source: &str) -> (Duration, Result<usize, String>) {
    let mut outcome = Ok(0);
    let least = (0..3)
        .map(|_| {
            let begin = ThreadTime::now();
            let read = Source::read(source.as_bytes()).map_err(|refused| refused.message.to_string());
            outcome = read.and_then(|source| {
                let compiled = compile(Language::Lua, &source).map_err(|refused| {
                    refused.iter().map(|one| one.code.name()).next().unwrap_or_default().to_owned()
                })?;
                compiled.program.encode().map(|bytes| bytes.len()).map_err(|refusal| refusal.to_string())
            });
            begin.elapsed()
        })
        .min();
    (least.unwrap_or_default(), outcome)
}

#[test]
fn ten_times_the_source_takes_about_ten_times_the_work() {
    let mut slow = Vec::new();
    for Shape { name, source, is_compiled } in SHAPES {
        let [small, large] = [LINES, 10 * LINES].map(|lines| time(&source(lines)));
        for (_, outcome) in [&small, &large] {
            assert_eq!(outcome.is_ok(), *is_compiled, "{name}: {outcome:?}");
        }
        let ratio = large.0.as_secs_f64() / small.0.max(LEAST).as_secs_f64();
        println!("{name:<45} {:>9.2?} {:>9.2?} {ratio:>6.1}", small.0, large.0);
        if ratio > f64::from(MOST) {
            slow.push((name, ratio));
        }
    }
    assert!(slow.is_empty(), "ten times the lines take so many times as long: {slow:.1?}");
}
