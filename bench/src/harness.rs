//! The harness: interleaved rounds in rotating order, medians, and the report as JSON or as a table.

use cpu_time::ThreadTime;
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::fmt::Write;
use std::rc::Rc;
use std::time::Instant;

/// What goes wrong in a benchmark is always a wrong result, told in words.
pub type Outcome<T> = Result<T, String>;

/// How much is measured.
pub struct Plan {
    pub events: usize,
    pub rounds: usize,
    pub seed: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Plan { events: 1_000_000, rounds: 9, seed: 1 }
    }
}

/// Whose time it is: a ceiling is shown beside the others and gives no ratio.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Ours,
    Peer,
    Ceiling,
}

/// One side of a benchmark. Its pass does the whole work once and returns a number that must come
/// out as expected every time, so that no pass is timed that did not do the work.
pub struct Contender<'a> {
    role: Role,
    name: &'static str,
    work: Work,
    expected: u64,
    /// Whether threads share the pass, so that only the clock knows what it takes.
    is_shared: bool,
    prepare: Box<dyn FnMut() -> Box<dyn Fresh + 'a> + 'a>,
}

/// What is prepared anew for each pass, and taken down after it, both unmeasured.
pub trait Fresh {
    fn pass(&mut self) -> u64;
}

/// A pass that needs no preparation.
struct Bare<'a>(Rc<RefCell<dyn FnMut() -> u64 + 'a>>);

impl Fresh for Bare<'_> {
    fn pass(&mut self) -> u64 {
        (self.0.borrow_mut())()
    }
}

/// The work of one pass: how many units, and how many bytes in all.
#[derive(Clone, Copy)]
pub struct Work {
    pub units: usize,
    pub bytes: usize,
}

impl<'a> Contender<'a> {
    pub fn new(
        role: Role,
        name: &'static str,
        work: Work,
        expected: u64,
        pass: impl FnMut() -> u64 + 'a,
    ) -> Contender<'a> {
        let pass: Rc<RefCell<dyn FnMut() -> u64 + 'a>> = Rc::new(RefCell::new(pass));
        Contender::fresh(role, name, work, expected, move || Box::new(Bare(pass.clone())))
    }

    /// One whose pass changes what it works on, so that each needs its own.
    pub fn fresh(
        role: Role,
        name: &'static str,
        work: Work,
        expected: u64,
        prepare: impl FnMut() -> Box<dyn Fresh + 'a> + 'a,
    ) -> Contender<'a> {
        Contender { role, name, work, expected, is_shared: false, prepare: Box::new(prepare) }
    }

    /// Measured by the clock.
    pub fn by_the_clock(self) -> Contender<'a> {
        Contender { is_shared: true, ..self }
    }

    /// One round: as many passes as take a while, of which the one in the middle counts. A moment of other work on the
    /// machine is as long as a short pass.
    fn round(&mut self) -> Outcome<f64> {
        let mut times = Vec::new();
        while times.len() < MOST_PASSES && times.iter().sum::<f64>() < A_WHILE {
            times.push(self.run()?);
        }
        Ok(median(times))
    }

    fn run(&mut self) -> Outcome<f64> {
        let mut prepared = (self.prepare)();
        // The processor's time for this thread: waiting for other work on the machine is nobody's cost.
        let (start, clock) = (ThreadTime::now(), Instant::now());
        let result = prepared.pass();
        let elapsed = if self.is_shared { clock.elapsed() } else { start.elapsed() };
        let nanoseconds = elapsed.as_nanos() as f64;
        if result == self.expected {
            Ok(nanoseconds)
        } else {
            Err(format!("{} gave {result} instead of {}", self.name, self.expected))
        }
    }
}

/// How long a round's passes take together, in nanoseconds, and how many they are at most.
const A_WHILE: f64 = 1e8;
const MOST_PASSES: usize = 101;

/// What one contender took: nanoseconds of a unit.
struct Measured {
    role: Role,
    name: &'static str,
    /// In the order of the rounds.
    times: Vec<f64>,
    megabytes_per_second: f64,
}

impl Measured {
    fn new(contender: &Contender, passes: Vec<f64>) -> Measured {
        let Work { units, bytes } = contender.work;
        let times = passes.iter().map(|pass| pass / units as f64).collect();
        // A byte a nanosecond is a thousand megabytes a second.
        let megabytes_per_second = bytes as f64 / median(passes) * 1e3;
        Measured { role: contender.role, name: contender.name, times, megabytes_per_second }
    }

    fn median(&self) -> f64 {
        median(self.times.clone())
    }

    fn least(&self) -> f64 {
        self.times.iter().copied().fold(f64::NAN, f64::min)
    }

    /// How many times another's time it takes: the median of what each round says, since the machine may have another speed
    /// in another round.
    fn over(&self, other: &Measured) -> f64 {
        median(self.times.iter().zip(&other.times).map(|(own, other)| own / other).collect())
    }

    fn to_json(&self) -> Value {
        json!({
            "median_ns": rounded(self.median(), 10.0),
            "least_ns": rounded(self.least(), 10.0),
            "mb_per_s": rounded(self.megabytes_per_second, 10.0),
        })
    }
}

/// The figures of one benchmark.
pub struct Report {
    unit: String,
    rounds: usize,
    measured: Vec<Measured>,
}

/// Runs every contender once unmeasured, then in rounds that each begin with another one, so that
/// neither warmth nor a slow moment of the machine favours anybody.
pub fn measure(unit: String, rounds: usize, mut contenders: Vec<Contender>) -> Outcome<Report> {
    for contender in &mut contenders {
        contender.run()?;
    }
    let mut times = vec![Vec::with_capacity(rounds); contenders.len()];
    for round in 0..rounds {
        let first = round % contenders.len();
        let order = (first..contenders.len()).chain(0..first);
        for index in order {
            if let (Some(contender), Some(times)) = (contenders.get_mut(index), times.get_mut(index)) {
                times.push(contender.round()?);
            }
        }
    }
    let measured = contenders.iter().zip(times).map(|(contender, times)| Measured::new(contender, times)).collect();
    Ok(Report { unit, rounds, measured })
}

/// How many times a second's time a first takes, where that is little more: the median of turns, each of which has both
/// one behind the other, so that it is over before the machine has another speed.
pub fn in_turns(turns: usize, mut first: Contender, mut second: Contender) -> Outcome<f64> {
    let mut ratios = Vec::with_capacity(turns);
    for turn in 0..turns {
        let (one, other) = if turn % 2 == 0 {
            let one = first.run()?;
            (one, second.run()?)
        } else {
            let other = second.run()?;
            (first.run()?, other)
        };
        ratios.push(one / other);
    }
    Ok(median(ratios))
}

impl Report {
    fn ours(&self) -> Option<&Measured> {
        self.measured.iter().find(|one| one.role == Role::Ours)
    }

    fn ratio(&self, other: &Measured) -> Option<f64> {
        Some(other.over(self.ours()?))
    }

    /// The median of a side, by its name.
    pub fn median_of(&self, name: &str) -> Option<f64> {
        self.measured.iter().find(|one| one.name == name).map(Measured::median)
    }

    /// Our time as a multiple of that of the first of a role.
    pub fn multiple(&self, role: Role) -> Option<f64> {
        Some(self.ours()?.over(self.measured.iter().find(|one| one.role == role)?))
    }

    /// The keys `name`, `ours`, `peers` and `ratio` are relied on by other tools.
    pub fn to_json(&self, name: &str) -> Value {
        let of = |role: Role| self.measured.iter().filter(move |one| one.role == role);
        let all =
            |role: Role| -> Map<String, Value> { of(role).map(|one| (one.name.to_owned(), one.to_json())).collect() };
        let ratio: Map<String, Value> = of(Role::Peer)
            .filter_map(|one| Some((one.name.to_owned(), json!(rounded(self.ratio(one)?, 1000.0)))))
            .collect();
        let mut report = json!({
            "name": name,
            "unit": self.unit,
            "rounds": self.rounds,
            "ours": self.ours().map(Measured::to_json),
            "peers": all(Role::Peer),
            "ratio": ratio,
            "ratio_means": "the median of the peer's time over ours in the same round: above 1 means ours is faster",
        });
        let ceiling = all(Role::Ceiling);
        if let (Some(object), false) = (report.as_object_mut(), ceiling.is_empty()) {
            object.insert("ceiling".to_owned(), Value::Object(ceiling));
        }
        report
    }

    pub fn to_table(&self, name: &str) -> String {
        let mut table = format!("{name}: median of {} rounds, for {}\n", self.rounds, self.unit);
        let heading = ["ns", "least ns", "MB/s", "ratio"];
        let [median, least, rate, ratio] = heading;
        // Writing to a string cannot fail.
        let _ = writeln!(table, "  {:<24}{median:>10}{least:>10}{rate:>10}{ratio:>9}", "");
        for one in &self.measured {
            let ratio = match one.role {
                Role::Ours => "1".to_owned(),
                Role::Peer => self.ratio(one).map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
                Role::Ceiling => "ceiling".to_owned(),
            };
            let _ = writeln!(
                table,
                "  {:<24}{:>10.1}{:>10.1}{:>10.0}{ratio:>9}",
                one.name,
                one.median(),
                one.least(),
                one.megabytes_per_second
            );
        }
        table.truncate(table.trim_end().len());
        table
    }
}

/// The middle of some times, or the mean of the two in the middle.
pub fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    let middle = times.len() / 2;
    let upper = times.get(middle).copied().unwrap_or(f64::NAN);
    if times.len() % 2 == 1 {
        return upper;
    }
    let lower = middle.checked_sub(1).and_then(|at| times.get(at)).copied().unwrap_or(f64::NAN);
    (lower + upper) / 2.0
}

fn rounded(value: f64, steps: f64) -> f64 {
    (value * steps).round() / steps
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![1.0, 4.0, 2.0, 9.0]), 3.0);
        assert!(median(Vec::new()).is_nan());
    }
}
