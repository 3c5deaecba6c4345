//! `compile`: how the time to compile grows with the source, for the shapes on which compilers grow slow.

use crate::harness::{Outcome, Plan, median};
use cpu_time::ThreadTime;
use kerai_compiler::{Language, Source, compile};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

#[path = "../../tests/src/shapes.rs"]
#[expect(dead_code, reason = "whether a shape is refused is for the tests to ask")]
mod shapes;

pub const NAME: &str = "compile";
pub const ABOUT: &str = "Lua of many shapes to bytecode, at 1,000, 10,000 and 100,000 lines";

const LINES: [usize; 3] = [1_000, 10_000, 100_000];

/// The most that ten times the source may take, in times as long.
const MOST: f64 = 12.0;

/// Less says more of the clock than of the compiler.
const LEAST: Duration = Duration::from_millis(1);

/// A shorter time of many is a moment of other work on the machine.
const A_WHILE: Duration = Duration::from_millis(20);

/// The most for a fold of a thousand lines, which is the first shape.
const FOLD: Duration = Duration::from_millis(50);

/// A shape's times, the least of the rounds at each length, and whether it was compiled there or refused.
pub struct Finding {
    name: &'static str,
    times: [(Duration, bool); 3],
    /// How many times as long ten times the lines take: the medians of what the rounds say.
    ratios: [f64; 2],
}

impl Finding {
    fn of(shape: &shapes::Shape, plan: &Plan) -> Finding {
        let sources = LINES.map(shape.source);
        let rounds: Vec<[(Duration, bool); 3]> =
            (0..plan.rounds.min(5)).map(|_| sources.each_ref().map(|source| time(source))).collect();
        // Within a round, since the machine may have another speed in another. Where both are short, that says nothing.
        let ratio = |small: usize| {
            let ratio = |[times @ ..]: &[(Duration, bool); 3]| {
                let seconds = |at: usize| times.get(at).copied().unwrap_or_default().0.max(LEAST).as_secs_f64();
                seconds(small + 1) / seconds(small)
            };
            median(rounds.iter().map(ratio).collect())
        };
        let least = |at: usize| rounds.iter().filter_map(|times| times.get(at).copied()).min().unwrap_or_default();
        Finding { name: shape.name, times: [least(0), least(1), least(2)], ratios: [ratio(0), ratio(1)] }
    }

    fn to_json(&self) -> Value {
        let nanoseconds: Vec<u128> = self.times.iter().map(|(time, _)| time.as_nanos()).collect();
        let compiled: Vec<bool> = self.times.iter().map(|(_, is_compiled)| *is_compiled).collect();
        json!({ "shape": self.name, "lines": LINES, "ns": nanoseconds, "compiled": compiled, "ratios": self.ratios })
    }

    fn to_line(&self) -> String {
        let mut line = format!("{:<45}", self.name);
        for (time, is_compiled) in self.times {
            let _ = write!(line, " {:>9.2} ms{}", time.as_secs_f64() * 1e3, if is_compiled { " " } else { "*" });
        }
        self.ratios.iter().for_each(|ratio| {
            let _ = write!(line, " {ratio:>6.1}");
        });
        line
    }
}

/// How long a source takes: the mean of as many times as take [`A_WHILE`] together.
fn time(source: &str) -> (Duration, bool) {
    let (mut whole, mut times) = (Duration::ZERO, 0);
    loop {
        let (once, is_compiled) = time_once(source);
        (whole, times) = (whole + once, times + 1);
        if whole >= A_WHILE {
            return (whole / times, is_compiled);
        }
    }
}

fn time_once(source: &str) -> (Duration, bool) {
    let begin = ThreadTime::now();
    let encoded = Source::read(source.as_bytes()).ok().and_then(|source| {
        let compiled = compile(Language::Lua, &source).ok()?;
        compiled.program.encode().ok()
    });
    (begin.elapsed(), encoded.is_some())
}

/// Measures all shapes, and says which take too long.
pub fn run(plan: &Plan, json: bool) -> Outcome<()> {
    let mut findings = Vec::new();
    if !json {
        println!("\n{NAME}: the processor's time at {LINES:?} lines, and how many times that of a tenth (* refused)");
    }
    for shape in shapes::SHAPES {
        let finding = Finding::of(shape, plan);
        if !json {
            println!("{}", finding.to_line());
        }
        findings.push(finding);
    }
    let slow: Vec<&str> = findings
        .iter()
        .filter(|finding| finding.ratios.iter().any(|ratio| *ratio > MOST))
        .map(|finding| finding.name)
        .collect();
    let fold = findings.first().map(|finding| finding.times[0].0).unwrap_or_default();
    if json {
        let shapes: Vec<Value> = findings.iter().map(Finding::to_json).collect();
        println!("{}", json!({ "name": NAME, "shapes": shapes, "slow": slow, "fold_ns": fold.as_nanos() }));
    } else {
        println!("more than {MOST} times: {slow:?}; a fold of 1,000 lines: {:.1} ms", fold.as_secs_f64() * 1e3);
    }
    if fold > FOLD { Err(format!("a fold of 1,000 lines takes {fold:.1?}, more than {FOLD:?}")) } else { Ok(()) }
}
