//! `compile`: how the time to compile grows with the source, for the shapes on which compilers grow slow.

use crate::harness::{Outcome, Plan};
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

/// The most for a fold of a thousand lines, which is the first shape.
const FOLD: Duration = Duration::from_millis(50);

/// A shape's times, the least of the rounds at each length, and whether it was compiled there or refused.
pub struct Finding {
    name: &'static str,
    times: [(Duration, bool); 3],
}

impl Finding {
    fn of(shape: &shapes::Shape, plan: &Plan) -> Finding {
        let times = LINES.map(|lines| {
            let source = (shape.source)(lines);
            let rounds = (0..plan.rounds.min(5)).map(|_| time(&source));
            rounds.min().unwrap_or_default()
        });
        Finding { name: shape.name, times }
    }

    /// How many times as long ten times the lines take; where both are short, that says nothing.
    fn ratios(&self) -> Vec<f64> {
        let pairs = self.times.iter().zip(self.times.iter().skip(1));
        pairs.map(|((small, _), (large, _))| large.as_secs_f64() / (*small).max(LEAST).as_secs_f64()).collect()
    }

    fn to_json(&self) -> Value {
        let nanoseconds: Vec<u128> = self.times.iter().map(|(time, _)| time.as_nanos()).collect();
        let compiled: Vec<bool> = self.times.iter().map(|(_, is_compiled)| *is_compiled).collect();
        json!({ "shape": self.name, "lines": LINES, "ns": nanoseconds, "compiled": compiled, "ratios": self.ratios() })
    }

    fn to_line(&self) -> String {
        let mut line = format!("{:<45}", self.name);
        for (time, is_compiled) in self.times {
            let _ = write!(line, " {:>9.2} ms{}", time.as_secs_f64() * 1e3, if is_compiled { " " } else { "*" });
        }
        self.ratios().iter().for_each(|ratio| {
            let _ = write!(line, " {ratio:>6.1}");
        });
        line
    }
}

fn time(source: &str) -> (Duration, bool) {
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
        .filter(|finding| finding.ratios().iter().any(|ratio| *ratio > MOST))
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
