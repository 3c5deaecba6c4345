//! Cases of policies and price lists: what is asked, what must come of it, and how much of the rules they try.
//!
//! How much is told by changing the rules: a condition that is replaced by `true` or by `false`, or a rule that is left
//! out, must make a case fail. A condition both of whose replacements are noticed decides by itself, in a case of its own
//! each way: that is modified condition/decision coverage.

use crate::emit;
use crate::explain::{Unexplained, decide, view};
use crate::limit;
use crate::lower::policy::{Search, lower};
use crate::price::quote;
use crate::syntax::policy::tree::{Condition, Expression, ExpressionKind, Policy, Rule};
use kerai_vm::bytecode::{Limits, ProgramKind, Verified};
use kerai_vm::encoding::{Options, json};
use kerai_vm::execute::Machine;
use kerai_vm::value::{Heap, Kind, Value};

/// A case: a line of JSON with `request`, `expect`, and maybe `name` and `rule`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    pub name: String,
    pub line: usize,
    text: String,
    expected: Said,
    /// The rule that must say it, where that is named.
    rule: Option<String>,
}

/// What is said to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Allow,
    Deny,
    /// Credits.
    Price(String),
    NoPrice,
}

/// A case that came out otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    pub name: String,
    pub line: usize,
    pub expected: String,
    pub got: String,
}

/// How much of a policy its cases try.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    pub rules: Counted,
    pub conditions: Counted,
    pub mutants: Counted,
}

/// How many there are, and what was left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counted {
    pub total: usize,
    pub missed: Vec<String>,
}

impl Counted {
    fn count(&mut self, is_covered: bool, what: impl FnOnce() -> String) {
        self.total += 1;
        if !is_covered {
            self.missed.push(what());
        }
    }

    #[must_use]
    pub fn covered(&self) -> usize {
        self.total.saturating_sub(self.missed.len())
    }
}

impl Said {
    fn describe(&self, rule: Option<&str>) -> String {
        let said = match self {
            Said::Allow => "allow".to_owned(),
            Said::Deny => "deny".to_owned(),
            Said::Price(credits) => credits.clone(),
            Said::NoPrice => "no price".to_owned(),
        };
        rule.map_or_else(|| said.clone(), |rule| format!("{said} by {rule}"))
    }
}

/// Reads the cases of a file, a JSON object a line.
///
/// # Errors
/// The line, and what is wrong with it.
pub fn cases(text: &str) -> Result<Vec<Case>, (usize, String)> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.bytes().all(|byte| byte.is_ascii_whitespace()));
    lines.map(|(number, line)| case(number + 1, line).map_err(|wrong| (number + 1, wrong))).collect()
}

fn case(line: usize, text: &str) -> Result<Case, String> {
    const KEYS: &[&str] = &["name", "request", "expect", "rule"];
    let mut heap = Heap::new(0);
    let value = json::decode(&mut heap, text.as_bytes(), &Options::CANONICAL)
        .map_err(|refusal| format!("{}: {}", refusal.code.name(), refusal.code.summary()))?;
    let Some(entries) = heap.entries(value) else {
        return Err("a case is an object with `request` and `expect`".to_owned());
    };
    let text_of = |value: Value| heap.as_string(&value).map(|text| String::from_utf8_lossy(text).into_owned());
    let (mut name, mut rule, mut expected) = (None, None, None);
    let mut has_request = false;
    for (key, value) in entries {
        let key = text_of(key).unwrap_or_default();
        match key.as_str() {
            "name" => name = text_of(value),
            "rule" => rule = Some(text_of(value).ok_or("`rule` is the id of a rule")?),
            "request" => has_request = matches!(heap.kind(value), Kind::Map),
            "expect" => expected = said(&heap, value),
            _ => return Err(format!("a case has no `{key}`: there are `{}`", KEYS.join("`, `"))),
        }
    }
    if !has_request {
        return Err("a case has a `request`, which is an object".to_owned());
    }
    let expected = expected.ok_or("`expect` is `\"allow\"`, `\"deny\"`, a price, or null for no price")?;
    let name = name.unwrap_or_else(|| format!("line {line}"));
    Ok(Case { name, line, text: text.to_owned(), expected, rule })
}

fn said(heap: &Heap, value: Value) -> Option<Said> {
    match heap.kind(value) {
        Kind::Nil => Some(Said::NoPrice),
        Kind::Number => Some(Said::Price(view(heap, value))),
        Kind::String => match heap.as_string(&value)? {
            b"allow" => Some(Said::Allow),
            b"deny" => Some(Said::Deny),
            _ => None,
        },
        Kind::Bool | Kind::Float | Kind::Fixed | Kind::Bytes | Kind::List | Kind::Map | Kind::Set | Kind::Function => {
            None
        }
    }
}

/// What a program says to a case: by the least rule of those that made it so.
fn ask(machine: &mut Machine<'_>, kind: ProgramKind, case: &Case) -> Result<(Said, String), Unexplained> {
    let mark = machine.heap().mark();
    let request = request(machine.heap(), case).ok_or(Unexplained::Stranger)?;
    let answer = if kind == ProgramKind::Pricing {
        quote(machine, request).map(|quote| {
            let said = quote.verdict.map_or(Said::NoPrice, |price| Said::Price(price.credits));
            (said, quote.rule)
        })
    } else {
        decide(machine, request).map(|(is_allowed, rules)| {
            (if is_allowed { Said::Allow } else { Said::Deny }, rules.into_iter().next().unwrap_or_default())
        })
    };
    machine.heap().rewind(mark);
    answer
}

fn request(heap: &mut Heap, case: &Case) -> Option<Value> {
    let value = json::decode(heap, case.text.as_bytes(), &Options::CANONICAL).ok()?;
    let name = heap.string(b"request");
    heap.get(value, name)
}

fn is_met(case: &Case, said: &Said, rule: &str) -> bool {
    *said == case.expected && case.rule.as_ref().is_none_or(|wanted| wanted == rule)
}

/// Asks all cases, and gives those that came out otherwise.
///
/// # Errors
/// Where the machine ran out of what it may use.
pub fn failures(program: &Verified, cases: &[Case]) -> Result<Vec<Failed>, Unexplained> {
    let mut machine = Machine::new(program, 0, Limits::DEFAULT);
    let mut failed = Vec::new();
    for case in cases {
        let (said, rule) = ask(&mut machine, program.program().kind, case)?;
        if !is_met(case, &said, &rule) {
            let expected = case.expected.describe(case.rule.as_deref());
            failed.push(Failed { name: case.name.clone(), line: case.line, expected, got: said.describe(Some(&rule)) });
        }
    }
    Ok(failed)
}

/// How much of a policy is tried by cases that all come out as they must; nothing where that would take too long.
///
/// # Errors
/// Where the machine ran out of what it may use.
pub fn coverage(policy: &Policy, cases: &[Case]) -> Result<Option<Coverage>, Unexplained> {
    let conditions_of = |rule: &Rule| -> usize {
        let all = rule.when.iter().chain(&rule.allow_if).chain(&rule.deny_if);
        all.map(|condition| atoms(&condition.expression)).sum()
    };
    let mutants: usize = policy.rules.iter().map(|rule| 1 + 2 * conditions_of(rule)).sum();
    if mutants as u64 > limit::TRIAL_MUTANTS.value {
        return Ok(None);
    }
    let mut coverage = Coverage::default();
    for (place, rule) in policy.rules.iter().enumerate() {
        let mut without = policy.clone();
        without.rules.remove(place);
        let is_noticed = is_noticed(&without, cases)?;
        coverage.rules.count(is_noticed, || rule.id.to_string());
        coverage.mutants.count(is_noticed, || format!("{} left out", rule.id));
        for part in PARTS {
            let count = part(&mut rule.clone()).len();
            for number in 0..count {
                conditions(policy, (place, *part, number), cases, &mut coverage)?;
            }
        }
    }
    Ok(Some(coverage))
}

/// How many atoms a condition is made of.
fn atoms(tree: &Expression) -> usize {
    match &tree.kind {
        ExpressionKind::Not(operand) => atoms(operand),
        ExpressionKind::And(first, second) | ExpressionKind::Or(first, second) => {
            atoms(first).saturating_add(atoms(second))
        }
        ExpressionKind::Bool(_)
        | ExpressionKind::Number(_)
        | ExpressionKind::String(_)
        | ExpressionKind::List(_)
        | ExpressionKind::Reference(_)
        | ExpressionKind::Has(_)
        | ExpressionKind::Binary(..)
        | ExpressionKind::Call(..) => 1,
    }
}

/// The parts of a rule that have conditions.
type Part = fn(&mut Rule) -> &mut Vec<Condition>;
const PARTS: &[Part] = &[|rule| &mut rule.when, |rule| &mut rule.allow_if, |rule| &mut rule.deny_if];

/// Replaces each atom of a condition by each truth.
fn conditions(
    policy: &Policy,
    (place, part, number): (usize, Part, usize),
    cases: &[Case],
    coverage: &mut Coverage,
) -> Result<(), Unexplained> {
    let mut atoms = 0;
    loop {
        let mut told = None;
        let mut noticed = [false; 2];
        for (truth, noticed) in [true, false].into_iter().zip(&mut noticed) {
            let mut mutant = policy.clone();
            let Some(rule) = mutant.rules.get_mut(place) else { return Ok(()) };
            let id = rule.id.to_string();
            let Some(condition) = part(rule).get_mut(number) else { return Ok(()) };
            let mut left = atoms;
            let mut expression = Expression::clone(&condition.expression);
            let Some(atom) = replace(&mut expression, truth, &mut left) else { return Ok(()) };
            *condition = Condition::new(expression);
            // What is written as a truth is no condition of the author's.
            if atom == truth.to_string() {
                *noticed = true;
                continue;
            }
            *noticed = is_noticed(&mutant, cases)?;
            coverage.mutants.count(*noticed, || format!("{id}: `{atom}` as {truth}"));
            told = Some(format!("{id}: `{atom}`"));
        }
        if let Some(told) = told {
            coverage.conditions.count(noticed == [true, true], || told);
        }
        atoms += 1;
    }
}

/// Replaces the atom at a place, counted from the left, and gives what stood there.
fn replace(tree: &mut Expression, truth: bool, left: &mut usize) -> Option<String> {
    match &mut tree.kind {
        ExpressionKind::Not(operand) => replace(operand, truth, left),
        ExpressionKind::And(first, second) | ExpressionKind::Or(first, second) => {
            replace(first, truth, left).or_else(|| replace(second, truth, left))
        }
        ExpressionKind::Bool(_)
        | ExpressionKind::Number(_)
        | ExpressionKind::String(_)
        | ExpressionKind::List(_)
        | ExpressionKind::Reference(_)
        | ExpressionKind::Has(_)
        | ExpressionKind::Binary(..)
        | ExpressionKind::Call(..) => {
            if *left > 0 {
                *left -= 1;
                return None;
            }
            let atom = tree.to_string();
            tree.kind = ExpressionKind::Bool(truth);
            Some(atom)
        }
    }
}

/// Whether a case comes out otherwise under a policy that was changed.
fn is_noticed(policy: &Policy, cases: &[Case]) -> Result<bool, Unexplained> {
    let checked = lower(policy, Search::InOrder).check().map_err(|_| Unexplained::Stranger)?;
    let (program, _) = emit::emit(&checked).map_err(|_| Unexplained::Stranger)?;
    let verified = program.verify().map_err(|_| Unexplained::Stranger)?;
    let mut machine = Machine::new(&verified, 0, Limits::DEFAULT);
    for case in cases {
        let (said, rule) = ask(&mut machine, ProgramKind::Policy, case)?;
        if !is_met(case, &said, &rule) {
            return Ok(true);
        }
    }
    Ok(false)
}
