//! Decisions that explain themselves: which rule decided, which of its conditions, and what was seen there.

use crate::Span;
use crate::lower::policy::{DEFAULT_RULE, conditions, references};
use crate::source::Position;
use crate::syntax::policy::tree::{Condition, Policy, Rule};
use kerai_vm::bytecode::Verified;
use kerai_vm::encoding::{Options, json};
use kerai_vm::execute::{Decider, Machine, NO_RULE, Undecided};
use kerai_vm::trap::Trap;
use kerai_vm::value::{Heap, Value};
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter, Write};

/// What was decided, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub is_allowed: bool,
    /// The rules that made the decision, or `default` alone.
    pub rules: Vec<String>,
    /// What the least of them says of itself.
    pub reason: String,
    /// The conditions that stand against admission, the weightiest first: why a rule denied, or where nothing allowed,
    /// what the rule that came closest lacked.
    pub failing: Vec<Failing>,
}

/// A condition that stands against admission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    pub rule: String,
    pub part: Part,
    /// The condition in its one form of writing, and where it stands.
    pub condition: String,
    pub span: Span,
    /// What it came to; nothing where that is unknown.
    pub truth: Option<bool>,
    pub seen: Seen,
}

/// Where in a rule a condition stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    When,
    AllowIf,
    DenyIf,
}

impl Part {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Part::When => "when",
            Part::AllowIf => "allow_if",
            Part::DenyIf => "deny_if",
        }
    }
}

/// What made a condition come to what it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// The condition refers to nothing.
    Nothing,
    /// The reference that is not there.
    Missing(String),
    /// A reference, and the value there as JSON. Where the condition is unknown all the same, the value is of a kind
    /// or a size that the condition can't answer for.
    Value(String, String),
}

/// What `explain` says of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    truth: Option<bool>,
    reference: usize,
    /// As JSON, where there is one.
    value: Option<String>,
}

/// A policy at work on one request after another.
pub struct Examiner<'p> {
    policy: &'p Policy,
    numbers: BTreeMap<&'p str, usize>,
    decider: Decider<'p>,
}

impl From<Undecided> for Unexplained {
    fn from(undecided: Undecided) -> Unexplained {
        match undecided {
            Undecided::Trap(trap) => Unexplained::Trap(trap),
            Undecided::NoExport | Undecided::WrongAnswer => Unexplained::Stranger,
        }
    }
}

/// Why there is no explanation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unexplained {
    Trap(Trap),
    /// The program is not the policy's, or none of a policy.
    Stranger,
}

impl Display for Unexplained {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Unexplained::Trap(trap) => write!(out, "the policy trapped: {trap}"),
            Unexplained::Stranger => out.write_str("the program does not answer as policies do"),
        }
    }
}

/// What the `decide` of a policy's program answers: whether it allows, and the ids of the rules, ascending.
///
/// # Errors
/// Where the machine ran out of what it may use, or the program is none of a policy.
pub fn decide(machine: &mut Machine, input: Value) -> Result<(bool, Vec<String>), Unexplained> {
    let results = call(machine, "decide", input)?;
    let &[decision, rules] = results.as_slice() else { return Err(Unexplained::Stranger) };
    let heap = machine.values();
    let text = |value: &Value| heap.as_string(value).map(|text| String::from_utf8_lossy(text).into_owned());
    let mut rules: Vec<String> = heap.items(rules).unwrap_or_default().iter().filter_map(text).collect();
    rules.sort_unstable();
    Ok((text(&decision).as_deref() == Some("allow"), rules))
}

fn call(machine: &mut Machine, export: &str, input: Value) -> Result<Vec<Value>, Unexplained> {
    machine.call(export, &[input]).ok_or(Unexplained::Stranger)?.map_err(Unexplained::Trap)
}

impl<'p> Examiner<'p> {
    /// The program must be the one that the policy compiles to.
    #[must_use]
    pub fn new(policy: &'p Policy, program: &'p Verified) -> Examiner<'p> {
        let numbers = conditions(policy).into_iter().enumerate();
        let numbers = numbers.map(|(number, condition)| (&*condition.text, number)).collect();
        Examiner { policy, numbers, decider: Decider::new(program) }
    }

    /// Where inputs are made.
    pub const fn heap(&mut self) -> &mut Heap {
        self.decider.heap()
    }

    /// Prepares the policy for many requests; whether it could be.
    pub fn prepare(&mut self) -> bool {
        self.decider.prepare();
        self.decider.is_prepared()
    }

    /// What `decide` answers: whether it allows, and the ids of the rules, ascending.
    ///
    /// # Errors
    /// Where the machine ran out of what it may use.
    pub fn decide(&mut self, input: Value) -> Result<(bool, Vec<String>), Unexplained> {
        let decision = self.decider.decide(input)?;
        Ok((decision.is_allowed, decision.ids()))
    }

    /// As [`Examiner::decide`], by the machine whether or not the policy is prepared: so that one can be checked against
    /// the other.
    ///
    /// # Errors
    /// As [`Examiner::decide`].
    pub fn decide_plainly(&mut self, input: Value) -> Result<(bool, Vec<String>), Unexplained> {
        decide(self.decider.machine(), input)
    }

    /// What was decided, and why.
    ///
    /// # Errors
    /// Where the machine ran out of what it may use.
    pub fn explain(&mut self, input: Value) -> Result<Explanation, Unexplained> {
        let results = call(self.decider.machine(), "explain", input)?;
        let heap = self.decider.machine().values();
        let findings = results.first().and_then(|&list| heap.items(list)).ok_or(Unexplained::Stranger)?;
        let findings: Vec<Finding> = findings.iter().filter_map(|&finding| read(heap, finding)).collect();
        if findings.len() != self.numbers.len() {
            return Err(Unexplained::Stranger);
        }
        Ok(self.conclude(&findings))
    }

    fn conclude(&self, findings: &[Finding]) -> Explanation {
        let truth = |condition: &Condition| self.finding(condition, findings).and_then(|finding| finding.truth);
        let may_hold = |condition: &Condition| truth(condition) != Some(false);
        let holds = |condition: &Condition| truth(condition) == Some(true);
        let denies = |rule: &&Rule| rule.when.iter().all(may_hold) && rule.deny_if.iter().any(may_hold);
        let allows =
            |rule: &&Rule| !rule.allow_if.is_empty() && rule.when.iter().all(holds) && rule.allow_if.iter().all(holds);
        let rules = || self.policy.rules.iter();
        let denying: Vec<&Rule> = rules().filter(denies).collect();
        if let Some(first) = denying.first() {
            let why = first.deny_if.iter().find(|condition| may_hold(condition)).map(|found| (Part::DenyIf, found));
            let open = first.when.iter().filter(|condition| !holds(condition)).map(|found| (Part::When, found));
            let failing = why.into_iter().chain(open).collect();
            return self.explanation(false, &denying, first, failing, findings);
        }
        let allowing: Vec<&Rule> = rules().filter(allows).collect();
        if let Some(first) = allowing.first() {
            return self.explanation(true, &allowing, first, Vec::new(), findings);
        }
        let lacks = |rule: &Rule| {
            let open = |conditions: &[Condition]| conditions.iter().filter(|condition| !holds(condition)).count();
            (open(&rule.when), open(&rule.allow_if))
        };
        // Of several that come equally close the first by id: that is the order of rules.
        let closest = rules().filter(|rule| !rule.allow_if.is_empty()).min_by_key(|rule| lacks(rule));
        let failing = closest.map(|rule| {
            let parts = rule.when.iter().map(|condition| (Part::When, condition));
            let parts = parts.chain(rule.allow_if.iter().map(|condition| (Part::AllowIf, condition)));
            let open = parts.filter(|(_, condition)| !holds(condition));
            open.map(|(part, condition)| self.failing(rule, part, condition, findings)).collect()
        });
        Explanation {
            is_allowed: false,
            rules: vec![DEFAULT_RULE.to_owned()],
            reason: NO_RULE.to_owned(),
            failing: failing.unwrap_or_default(),
        }
    }

    fn explanation(
        &self,
        is_allowed: bool,
        rules: &[&Rule],
        first: &Rule,
        failing: Vec<(Part, &Condition)>,
        findings: &[Finding],
    ) -> Explanation {
        let failing = failing.into_iter().map(|(part, condition)| self.failing(first, part, condition, findings));
        Explanation {
            is_allowed,
            rules: rules.iter().map(|rule| rule.id.to_string()).collect(),
            reason: first.reason.to_string(),
            failing: failing.collect(),
        }
    }

    fn finding<'f>(&self, condition: &Condition, findings: &'f [Finding]) -> Option<&'f Finding> {
        self.numbers.get(&*condition.text).and_then(|&number| findings.get(number))
    }

    fn failing(&self, rule: &Rule, part: Part, condition: &Condition, findings: &[Finding]) -> Failing {
        let finding = self.finding(condition, findings);
        let seen = finding.map_or(Seen::Nothing, |finding| {
            let references = references(&condition.expression);
            let place = finding.reference.checked_sub(1);
            match place.and_then(|place| references.get(place)) {
                None => Seen::Nothing,
                Some(reference) => match &finding.value {
                    None => Seen::Missing(reference.to_string()),
                    Some(value) => Seen::Value(reference.to_string(), value.clone()),
                },
            }
        });
        Failing {
            rule: rule.id.to_string(),
            part,
            condition: condition.text.to_string(),
            span: condition.span,
            truth: finding.and_then(|finding| finding.truth),
            seen,
        }
    }
}

fn read(heap: &Heap, finding: Value) -> Option<Finding> {
    let &[truth, reference, value] = heap.items(finding)? else { return None };
    let reference = usize::try_from(reference.as_i64()?).ok()?;
    let value = (!value.is_nil()).then(|| view(heap, value));
    Some(Finding { truth: truth.as_bool(), reference, value })
}

/// A value as JSON; of what JSON can't say its kind, as a JSON text.
pub(crate) fn view(heap: &Heap, value: Value) -> String {
    let mut text = Vec::new();
    match json::encode(heap, value, &Options::CANONICAL, &mut text) {
        Ok(()) => String::from_utf8_lossy(&text).into_owned(),
        Err(_) => format!("\"{}\"", heap.kind(value).name()),
    }
}

impl Explanation {
    /// All of it as lines, with places in the policy's text.
    #[must_use]
    pub fn describe(&self, text: &str) -> String {
        let decision = if self.is_allowed { "allow" } else { "deny" };
        let mut lines = format!("{decision} by {}: {}", self.rules.join(", "), self.reason);
        for failing in &self.failing {
            let Position { line, column } = Position::of(text.as_bytes(), failing.span.start);
            // Writing to a string never fails.
            let _ = write!(
                lines,
                "\n  {}, {}, line {line}, column {column}: `{}` {}",
                failing.rule,
                failing.part.name(),
                failing.condition,
                failing.said()
            );
        }
        lines
    }
}

impl Failing {
    /// What became of the condition, and by what.
    #[must_use]
    pub fn said(&self) -> String {
        let truth = match self.truth {
            Some(true) => "is true",
            Some(false) => "is false",
            None => "is unknown",
        };
        match &self.seen {
            Seen::Nothing => truth.to_owned(),
            Seen::Missing(reference) => format!("{truth}: `{reference}` is missing"),
            Seen::Value(reference, value) => format!("{truth}: `{reference}` is `{value}`"),
        }
    }
}
