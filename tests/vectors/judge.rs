//! Judging a case: what the vector expects, what kerai does, and which rules of the design lie between.

use crate::keep::Sample;
use crate::rules::{Case, Prediction, RULES, Rule};
use std::collections::BTreeMap;
use std::fmt::{self, Debug};

/// What kerai did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It gave these bytes or this text.
    Gave(Vec<u8>),
    /// It refused, with this code.
    Refused(&'static str),
    /// It offers no such operation.
    Absent,
    /// It contradicted itself, whatever the vector says.
    Broken(String),
}

/// What the vector says should happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    Gives(Vec<u8>),
    Refuses,
}

impl Expected {
    fn is_met(&self, outcome: &Outcome) -> bool {
        match (self, outcome) {
            (Expected::Gives(expected), Outcome::Gave(gave)) => expected == gave,
            (Expected::Refuses, Outcome::Refused(_)) => true,
            _ => false,
        }
    }
}

pub struct Failure {
    file: String,
    case: String,
    expected: String,
    got: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} case {}: expected {}, got {}", self.file, self.case, self.expected, self.got)
    }
}

/// What became of a set's cases.
#[derive(Default)]
pub struct Report {
    pub passed: u64,
    pub differ: u64,
    pub failures: Vec<Failure>,
    pub by_rule: BTreeMap<&'static str, u64>,
    pub notes: BTreeMap<String, u64>,
    /// Where cases are kept for the platforms.
    pub sample: Option<Sample>,
}

impl Report {
    pub fn broken(why: &str) -> Report {
        let mut report = Report::default();
        report.fail("-", "-", "a run", why);
        report
    }

    pub fn failed(&self) -> u64 {
        self.failures.len() as u64
    }

    pub fn pass(&mut self) {
        self.passed += 1;
    }

    /// Something worth knowing that is no case; the same note is counted, not repeated.
    pub fn note(&mut self, note: impl Into<String>) {
        *self.notes.entry(note.into()).or_default() += 1;
    }

    pub fn fail(&mut self, file: &str, case: impl fmt::Display, expected: impl Into<String>, got: impl Into<String>) {
        self.failures.push(Failure {
            file: file.to_owned(),
            case: case.to_string(),
            expected: expected.into(),
            got: got.into(),
        });
    }

    /// A case that no rule touches: the two are equal, or it failed.
    pub fn equal<T: PartialEq + Debug>(&mut self, file: &str, case: impl fmt::Display, expected: &T, got: &T) {
        if expected == got { self.pass() } else { self.fail(file, case, format!("{expected:x?}"), format!("{got:x?}")) }
    }

    /// A case that rules may touch. Where rules apply, kerai must do what they predict: a refusal if one of them
    /// refuses, else what they make of the case; only where that is not what the vector expects is it a difference.
    pub fn judge(
        &mut self,
        file: &str,
        case: impl fmt::Display,
        content: &Case<'_>,
        expected: &Expected,
        outcome: &Outcome,
    ) {
        let rules: Vec<&'static Rule> = RULES.iter().filter(|rule| (rule.applies)(content)).collect();
        let refusing: Vec<&&Rule> =
            rules.iter().filter(|rule| matches!(rule.predicts, Prediction::Refuses(_))).collect();
        let is_predicted = if rules.is_empty() {
            expected.is_met(outcome)
        } else if refusing.is_empty() {
            content.mapped().as_ref() == Some(outcome)
        } else {
            refusing.iter().any(|rule| matches!((rule.predicts, outcome), (Prediction::Refuses(code), Outcome::Refused(is)) if code == *is))
        };
        if !is_predicted {
            self.fail(file, case, wanted(content, expected, &rules), shown(outcome));
        } else if expected.is_met(outcome) {
            self.pass();
        } else {
            self.differ += 1;
            let made_it = |rule: &&&Rule| match (rule.predicts, outcome) {
                (Prediction::Refuses(code), Outcome::Refused(is)) => code == *is,
                _ => true,
            };
            for rule in rules.iter().filter(made_it) {
                *self.by_rule.entry(rule.name).or_default() += 1;
            }
        }
    }
}

fn wanted(content: &Case<'_>, expected: &Expected, rules: &[&Rule]) -> String {
    let vector = match expected {
        Expected::Gives(bytes) => printable(bytes),
        Expected::Refuses => "a refusal".to_owned(),
    };
    let predictions: Vec<String> = rules
        .iter()
        .map(|rule| match rule.predicts {
            Prediction::Refuses(code) => format!("{code} by rule `{}` ({})", rule.name, rule.design),
            Prediction::Mapped => {
                format!("{} by rule `{}`", content.mapped().as_ref().map_or_else(String::new, shown), rule.name)
            }
        })
        .collect();
    if predictions.is_empty() { vector } else { format!("{vector}, or rather {}", predictions.join(", ")) }
}

fn shown(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Gave(bytes) => printable(bytes),
        Outcome::Refused(code) => (*code).to_owned(),
        Outcome::Absent => "no such operation".to_owned(),
        Outcome::Broken(why) => format!("broken: {why}"),
    }
}

/// Bytes as text where they are, else in hexadecimal, cut to a line.
fn printable(bytes: &[u8]) -> String {
    let text = match str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => format!("`{text}`"),
        _ => crate::folder::to_hex(bytes),
    };
    let cut: String = text.chars().take(160).collect();
    if cut.len() < text.len() { format!("{cut}… ({} bytes)", bytes.len()) } else { cut }
}
