//! The verdict on a case: what differs from its sections, what to write into them, and the root over all.

use crate::case::Case;
use crate::stage::{self, DIAGNOSTIC, Outcome};
use kerai_vm::encoding::root::{Context, Root};

/// How to fill output sections; shown with every failure that it mends.
pub const BLESS_HINT: &str =
    "to bless what was computed, run `KERAI_BLESS=1 cargo test --test golden` and review the diff";

/// An output section that holds something else than what was computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub section: &'static str,
    pub expected: String,
    pub computed: String,
}

/// The sections of a case that differ from the outcome.
#[must_use]
pub fn differences(case: &Case, outcome: &Outcome) -> Vec<Difference> {
    let expected = |name: &str| case.section(name).map(super::case::Section::content).unwrap_or_default();
    let all = outcome.outputs.iter().map(|(section, computed)| Difference {
        section,
        expected: expected(section),
        computed: computed.clone(),
    });
    // An empty section is a question, never an answer.
    all.filter(|found| found.expected.is_empty() || found.expected != found.computed).collect()
}

/// The case with computed outputs in place of those that differ; nothing where none does.
///
/// # Errors
/// Where the outcome has faults, which no output can mend.
pub fn bless(case: &Case, outcome: &Outcome) -> Result<Option<Case>, String> {
    if !outcome.faults.is_empty() {
        return Err(outcome.faults.join("\n"));
    }
    let differences = differences(case, outcome);
    if differences.is_empty() {
        return Ok(None);
    }
    let mut blessed = case.clone();
    for Difference { section, computed, .. } in &differences {
        if computed.is_empty() {
            return Err(format!("section `{section}` would be empty"));
        }
        if let Some(section) = blessed.section_mut(section) {
            section.set_content(computed);
        }
    }
    Ok(Some(blessed))
}

/// The case with what its empty output sections come to, and with a diagnostic where something is refused.
///
/// # Errors
/// Where the outcome has faults all the same.
pub fn completed(asking: &Case, seed: u64) -> Result<Case, String> {
    let mut completed = asking.clone();
    completed.retain(|section| !stage::is_output(section));
    // All that is asked for; else with what was refused of it; else the source is refused.
    let ways =
        [asking.clone(), stage::with_outputs(asking, &[DIAGNOSTIC]), stage::with_outputs(&completed, &[DIAGNOSTIC])];
    let mut faults = Vec::new();
    for way in ways {
        let outcome = stage::run(&way, seed);
        if outcome.faults.is_empty() {
            // What is empty is no output: a fold that can't begin has no gas.
            let outputs = outcome.outputs.iter().filter(|(_, text)| !text.is_empty());
            outputs.for_each(|(section, text)| completed.push(section, text));
            return Ok(completed);
        }
        faults = outcome.faults;
    }
    Err(faults.join("\n"))
}

/// A failure in words, a line each; the caller shows how two texts differ. None where the case passes.
pub fn report(case: &Case, outcome: &Outcome, difference: impl Fn(&str, &str) -> String) -> Option<String> {
    let mut lines = outcome.faults.clone();
    for Difference { section, expected, computed } in differences(case, outcome) {
        let what = if expected.is_empty() { "is empty" } else { "differs" };
        lines.push(format!("section `{section}` {what}:\n{}", difference(&expected, &computed)));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// How two texts differ, in the plainest way: the lines between what they begin and end with in common.
#[must_use]
pub fn plain_difference(expected: &str, computed: &str) -> String {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (expected, computed) = (lines(expected), lines(computed));
    let start = expected.iter().zip(&computed).take_while(|(a, b)| a == b).count();
    let shorter = expected.len().min(computed.len()) - start;
    let end = expected.iter().rev().zip(computed.iter().rev()).take(shorter).take_while(|(a, b)| a == b).count();
    let between = |lines: &[String], mark: &str| {
        let count = lines.len() - end - start;
        lines.iter().skip(start).take(count).map(|line| format!("{mark}{line}")).collect::<Vec<_>>()
    };
    [between(&expected, "- "), between(&computed, "+ ")].concat().join("\n")
}

/// Gathers names and outcomes into one root: equal roots on two platforms mean equal outcomes.
#[derive(Default)]
pub struct Tally {
    bytes: Vec<u8>,
    cases: usize,
    passed: usize,
}

impl Tally {
    /// Runs a case, or takes note that it could not be read, and counts it. Says what failed.
    pub fn judge(&mut self, name: &str, case: Result<Case, String>, seed: u64) -> Option<String> {
        let (outcome, failure) = match case {
            Ok(case) => {
                let outcome = stage::run(&case, seed);
                let failure = report(&case, &outcome, plain_difference);
                (outcome, failure)
            }
            Err(fault) => (Outcome { faults: vec![fault.clone()], ..Outcome::default() }, Some(fault)),
        };
        self.count(name, &outcome, failure.is_none());
        failure
    }

    /// Counts a case and what it gave.
    pub fn count(&mut self, name: &str, outcome: &Outcome, has_passed: bool) {
        self.cases += 1;
        self.passed += usize::from(has_passed);
        self.put(name);
        for (section, text) in &outcome.outputs {
            self.put(section);
            self.put(text);
        }
        outcome.faults.iter().for_each(|fault| self.put(fault));
    }

    /// Adds one section of what someone else gave for a case.
    pub fn add(&mut self, name: &str, section: &str, text: &[u8]) {
        self.put(name);
        self.put(section);
        self.put_bytes(text);
    }

    /// A length before each text, so that no two sequences of texts give the same bytes.
    fn put(&mut self, text: &str) {
        self.put_bytes(text.as_bytes());
    }

    fn put_bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
        self.bytes.extend_from_slice(bytes);
    }

    /// How many cases were counted, and how many of them passed.
    #[must_use]
    pub const fn counts(&self) -> (usize, usize) {
        (self.cases, self.passed)
    }

    /// The root over all names and outcomes so far.
    #[must_use]
    pub fn root(&self) -> Root {
        Root::of_data(Context::Golden, &self.bytes)
    }

    /// Whether there were cases and all passed.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.cases > 0 && self.cases == self.passed
    }

    /// The last line of a run.
    #[must_use]
    pub fn summary(&self) -> String {
        format!("golden: {} cases, {} passed, root {}", self.cases, self.passed, self.root())
    }
}
