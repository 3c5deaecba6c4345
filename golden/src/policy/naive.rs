//! Policies as the design says them, with three truths and no cleverness: what compiled policies are held against.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the arms name the few forms that have a meaning here, of every other there is none"
)]

use kerai_compiler::explain::{Explanation, Failing, Part, Seen};
use kerai_compiler::syntax::policy::schema::{Kind, Schema};
use kerai_compiler::syntax::policy::tree::{
    Condition, Expression, ExpressionKind, Function, Operator, Policy, Reference, Rule, Step,
};
use kerai_vm::encoding::{Options, json};
use kerai_vm::number::Number;
use kerai_vm::value::{Heap, Kind as MachineKind, Value};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// A value of a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Datum {
    Nothing,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Datum>),
    Map(BTreeMap<String, Datum>),
    /// What rules have no operators for, by its kind.
    Other(&'static str),
}

impl Datum {
    /// The value in a heap.
    #[must_use]
    pub fn of(heap: &Heap, value: Value) -> Datum {
        let text = |value: &Value| heap.as_string(value).map(|text| String::from_utf8_lossy(text).into_owned());
        let items = || heap.items(value).unwrap_or_default().iter().map(|&item| Datum::of(heap, item)).collect();
        match heap.kind(value) {
            MachineKind::Nil => Datum::Nothing,
            MachineKind::Bool => value.as_bool().map_or(Datum::Nothing, Datum::Bool),
            MachineKind::Number => heap.as_number(value).map_or(Datum::Nothing, Datum::Number),
            MachineKind::String => text(&value).map_or(Datum::Nothing, Datum::Text),
            MachineKind::List | MachineKind::Set => Datum::List(items()),
            MachineKind::Map => {
                let mut entries = BTreeMap::new();
                for (key, value) in heap.entries(value).into_iter().flatten() {
                    if let Some(key) = text(&key) {
                        entries.insert(key, Datum::of(heap, value));
                    }
                }
                Datum::Map(entries)
            }
            other @ (MachineKind::Float | MachineKind::Fixed | MachineKind::Bytes | MachineKind::Function) => {
                Datum::Other(other.name())
            }
        }
    }

    /// The value in a heap of its own form.
    pub fn build(&self, heap: &mut Heap) -> Value {
        match self {
            Datum::Nothing | Datum::Other(_) => Value::NIL,
            Datum::Bool(truth) => Value::bool(*truth),
            Datum::Number(number) => heap.number(*number),
            Datum::Text(text) => heap.string(text.as_bytes()),
            Datum::List(items) => {
                let items: Vec<Value> = items.iter().map(|item| item.build(heap)).collect();
                heap.list(&items)
            }
            Datum::Map(entries) => {
                let entries: Vec<(Value, Value)> =
                    entries.iter().map(|(key, value)| (heap.string(key.as_bytes()), value.build(heap))).collect();
                heap.map(&entries).unwrap_or(Value::NIL)
            }
        }
    }

    fn is_of(&self, kind: &Kind) -> bool {
        match kind {
            Kind::Any => !matches!(self, Datum::Nothing),
            Kind::Bool => matches!(self, Datum::Bool(_)),
            Kind::Number => matches!(self, Datum::Number(_)),
            Kind::String | Kind::Path => matches!(self, Datum::Text(_)),
            Kind::List(_) => matches!(self, Datum::List(_)),
            Kind::Map(_) | Kind::Record(_) => matches!(self, Datum::Map(_)),
        }
    }

    #[must_use]
    pub fn to_json(&self) -> String {
        let mut heap = Heap::new(0);
        let value = self.build(&mut heap);
        let mut text = Vec::new();
        match json::encode(&heap, value, &Options::CANONICAL, &mut text) {
            Ok(()) => String::from_utf8_lossy(&text).into_owned(),
            Err(refusal) => refusal.to_string(),
        }
    }
}

/// True, false, or nothing for unknown.
type Truth = Option<bool>;

/// Decides a request, and says why.
#[must_use]
pub fn decide(policy: &Policy, request: &Datum) -> Explanation {
    let ask = Ask { schema: &policy.schema, request };
    let truth = |condition: &Condition| ask.truth(&condition.expression);
    let all = |conditions: &[Condition], least: fn(Truth) -> bool| conditions.iter().all(|one| least(truth(one)));
    let is_true: fn(Truth) -> bool = |truth| truth == Some(true);
    let may_be: fn(Truth) -> bool = |truth| truth != Some(false);
    let mut rules: Vec<&Rule> = policy.rules.iter().collect();
    rules.sort_by(|a, b| a.id.cmp(&b.id));

    let mut denying = Vec::new();
    let mut allowing = Vec::new();
    for &rule in &rules {
        if all(&rule.when, may_be) && rule.deny_if.iter().any(|one| may_be(truth(one))) {
            denying.push(rule);
        }
        if !rule.allow_if.is_empty() && all(&rule.when, is_true) && all(&rule.allow_if, is_true) {
            allowing.push(rule);
        }
    }
    let ids = |rules: &[&Rule]| rules.iter().map(|rule| rule.id.to_string()).collect();
    if let Some(&least) = denying.first() {
        let mut failing = Vec::new();
        if let Some(why) = least.deny_if.iter().find(|one| may_be(truth(one))) {
            failing.push(ask.failing(least, Part::DenyIf, why));
        }
        for open in least.when.iter().filter(|one| !is_true(truth(one))) {
            failing.push(ask.failing(least, Part::When, open));
        }
        return Explanation { is_allowed: false, rules: ids(&denying), reason: least.reason.to_string(), failing };
    }
    if let Some(&least) = allowing.first() {
        let reason = least.reason.to_string();
        return Explanation { is_allowed: true, rules: ids(&allowing), reason, failing: Vec::new() };
    }
    let count = |conditions: &[Condition]| conditions.iter().filter(|one| !is_true(truth(one))).count();
    let mut closest: Option<(&Rule, usize, usize)> = None;
    for &rule in rules.iter().filter(|rule| !rule.allow_if.is_empty()) {
        let (when, allow) = (count(&rule.when), count(&rule.allow_if));
        if closest.is_none_or(|(_, least, other)| when < least || (when == least && allow < other)) {
            closest = Some((rule, when, allow));
        }
    }
    let mut failing = Vec::new();
    if let Some((rule, ..)) = closest {
        for (part, conditions) in [(Part::When, &rule.when), (Part::AllowIf, &rule.allow_if)] {
            let open = conditions.iter().filter(|one| !is_true(truth(one)));
            failing.extend(open.map(|one| ask.failing(rule, part, one)));
        }
    }
    let (rules, reason) = (vec!["default".to_owned()], "no rule allows it".to_owned());
    Explanation { is_allowed: false, rules, reason, failing }
}

/// A request, and what is known of its kinds.
pub(super) struct Ask<'r> {
    pub(super) schema: &'r Schema,
    pub(super) request: &'r Datum,
}

impl Ask<'_> {
    pub(super) fn truth(&self, expression: &Expression) -> Truth {
        match &expression.kind {
            ExpressionKind::Not(operand) => self.truth(operand).map(|truth| !truth),
            ExpressionKind::And(left, right) => match (self.truth(left), self.truth(right)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            ExpressionKind::Or(left, right) => match (self.truth(left), self.truth(right)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            ExpressionKind::Has(reference) => self.reference(reference).map(|_| true),
            _ => match self.value(expression) {
                Some(Datum::Bool(truth)) => Some(truth),
                _ => None,
            },
        }
    }

    /// A known value.
    pub(super) fn value(&self, expression: &Expression) -> Option<Datum> {
        match &expression.kind {
            ExpressionKind::Bool(truth) => Some(Datum::Bool(*truth)),
            ExpressionKind::Number(number) => Some(Datum::Number(*number)),
            ExpressionKind::String(text) => Some(Datum::Text(text.to_string())),
            // An item that is unknown leaves the list known.
            ExpressionKind::List(items) => {
                Some(Datum::List(items.iter().map(|item| self.value(item).unwrap_or(Datum::Nothing)).collect()))
            }
            ExpressionKind::Reference(reference) => self.reference(reference),
            ExpressionKind::Call(function, argument) => match (function, self.value(argument)?) {
                (Function::Lower, Datum::Text(text)) => Some(Datum::Text(text.to_ascii_lowercase())),
                (Function::Size, Datum::Text(text)) => Some(Datum::Number(count(text.len()))),
                (Function::Size, Datum::List(items)) => Some(Datum::Number(count(items.len()))),
                _ => None,
            },
            ExpressionKind::Binary(operator, left, right) => {
                operate(*operator, &self.value(left)?, &self.value(right)?)
            }
            ExpressionKind::Has(_) | ExpressionKind::Not(_) | ExpressionKind::And(..) | ExpressionKind::Or(..) => None,
        }
    }

    pub(super) fn reference(&self, reference: &Reference) -> Option<Datum> {
        self.anything(reference).filter(|found| found.is_of(self.schema.kind_of(reference)))
    }

    /// What is there, whatever it is.
    pub(super) fn anything(&self, reference: &Reference) -> Option<Datum> {
        let mut found = entry(self.request, &reference.root.text)?;
        for step in &reference.steps {
            let key = match step {
                Step::Field(name) => name.text.to_string(),
                Step::Key(key) => match self.value(key)? {
                    Datum::Text(key) => key,
                    _ => return None,
                },
            };
            found = entry(found, &key)?;
        }
        Some(found.clone())
    }

    fn failing(&self, rule: &Rule, part: Part, condition: &Condition) -> Failing {
        Failing {
            rule: rule.id.to_string(),
            part,
            condition: condition.text.to_string(),
            span: condition.span,
            truth: self.truth(&condition.expression),
            seen: self.seen(&condition.expression),
        }
    }

    /// What made a condition come to what it did.
    fn seen(&self, expression: &Expression) -> Seen {
        match &expression.kind {
            ExpressionKind::Not(operand) => self.seen(operand),
            ExpressionKind::And(left, right) | ExpressionKind::Or(left, right) => {
                let settling = Some(matches!(expression.kind, ExpressionKind::Or(..)));
                let sides = [left, right];
                let with = |truth| sides.into_iter().find(|side| self.truth(side) == truth);
                self.seen(with(settling).or_else(|| with(None)).unwrap_or(left))
            }
            _ => self.seen_by_atom(expression),
        }
    }

    fn seen_by_atom(&self, atom: &Expression) -> Seen {
        let show = |reference: &Reference| match self.anything(reference) {
            None => Seen::Missing(reference.to_string()),
            Some(value) => Seen::Value(reference.to_string(), value.to_json()),
        };
        let mut read = Vec::new();
        let mut outer = Vec::new();
        read_order(atom, &mut read, &mut outer);
        let open = read.iter().find(|reference| self.reference(reference).is_none());
        match (self.truth(atom), open, outer.first()) {
            (None, Some(open), _) => show(open),
            (_, _, Some(subject)) => show(subject),
            (_, _, None) => Seen::Nothing,
        }
    }
}

/// All references in the order in which they are read, and those that are no keys.
fn read_order<'e>(expression: &'e Expression, read: &mut Vec<&'e Reference>, outer: &mut Vec<&'e Reference>) {
    match &expression.kind {
        ExpressionKind::Reference(reference) | ExpressionKind::Has(reference) => {
            let mut keys = Vec::new();
            for step in &reference.steps {
                if let Step::Key(key) = step {
                    read_order(key, read, &mut keys);
                }
            }
            read.push(reference);
            outer.push(reference);
        }
        ExpressionKind::List(items) => items.iter().for_each(|item| read_order(item, read, outer)),
        ExpressionKind::Call(_, argument) => read_order(argument, read, outer),
        ExpressionKind::Binary(_, left, right) => {
            read_order(left, read, outer);
            read_order(right, read, outer);
        }
        _ => {}
    }
}

fn entry<'d>(map: &'d Datum, key: &str) -> Option<&'d Datum> {
    match map {
        Datum::Map(entries) => entries.get(key).filter(|value| **value != Datum::Nothing),
        _ => None,
    }
}

fn count(count: usize) -> Number {
    Number::from_i64(i64::try_from(count).unwrap_or(i64::MAX))
}

fn operate(operator: Operator, left: &Datum, right: &Datum) -> Option<Datum> {
    use Operator::{
        Add, AtLeast, AtMost, Contains, Divide, EndsWith, Equal, FloorDivide, Greater, In, InCidr, Includes, Less,
        Matches, Modulo, Multiply, NotEqual, StartsWith, Subtract,
    };
    let truth = match operator {
        Equal => equal(left, right),
        NotEqual => equal(left, right).map(|truth| !truth),
        Less | AtMost | Greater | AtLeast => {
            let order = match (left, right) {
                (Datum::Number(a), Datum::Number(b)) => a.cmp(b),
                (Datum::Text(a), Datum::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
                _ => return None,
            };
            Some(match operator {
                Less => order.is_lt(),
                AtMost => order.is_le(),
                Greater => order.is_gt(),
                _ => order.is_ge(),
            })
        }
        Includes => member(left, right),
        In => member(right, left),
        Contains => match (left, right) {
            (Datum::Text(whole), Datum::Text(part)) => Some(whole.contains(part.as_str())),
            _ => member(left, right),
        },
        StartsWith | EndsWith | Matches | InCidr => {
            let (Datum::Text(a), Datum::Text(b)) = (left, right) else { return None };
            match operator {
                StartsWith => Some(a.starts_with(b.as_str())),
                EndsWith => Some(a.ends_with(b.as_str())),
                Matches => {
                    let (path, form): (Vec<&str>, Vec<&str>) = (a.split('/').collect(), b.split('/').collect());
                    Some(is_of_form(&path, &form))
                }
                _ => within(a, b),
            }
        }
        Add | Subtract | Multiply | Divide | FloorDivide | Modulo => {
            let (&Datum::Number(a), &Datum::Number(b)) = (left, right) else { return None };
            let result = match operator {
                Add => a.add(b),
                Subtract => a.subtract(b),
                Multiply => a.multiply(b),
                Divide => a.divide(b),
                FloorDivide => a.floor_divide(b),
                _ => a.modulo(b),
            };
            return result.ok().map(Datum::Number);
        }
    };
    truth.map(Datum::Bool)
}

fn equal(left: &Datum, right: &Datum) -> Truth {
    match (left, right) {
        (Datum::Bool(a), Datum::Bool(b)) => Some(a == b),
        (Datum::Number(a), Datum::Number(b)) => Some(a == b),
        (Datum::Text(a), Datum::Text(b)) => Some(a == b),
        _ => None,
    }
}

/// The equalities with all items, under `or`; of a map only that it has the key.
fn member(whole: &Datum, item: &Datum) -> Truth {
    match (whole, item) {
        (Datum::List(items), item) => {
            let truths: Vec<Truth> = items.iter().map(|other| equal(other, item)).collect();
            if truths.contains(&Some(true)) {
                Some(true)
            } else if truths.contains(&None) {
                None
            } else {
                Some(false)
            }
        }
        (map @ Datum::Map(_), Datum::Text(key)) => entry(map, key).map(|_| true),
        _ => None,
    }
}

/// Whether the segments of a path are of a form.
pub fn is_of_form<T: AsRef<[u8]>>(path: &[T], form: &[T]) -> bool {
    let [first, rest @ ..] = form else { return path.is_empty() };
    match (first.as_ref(), path) {
        (b"**", path) => is_of_form(path, rest) || path.split_first().is_some_and(|(_, path)| is_of_form(path, form)),
        (b"*", [_, path @ ..]) => is_of_form(path, rest),
        (wanted, [segment, path @ ..]) => wanted == segment.as_ref() && is_of_form(path, rest),
        (_, []) => false,
    }
}

/// The bits of an address or a network that count.
fn bits(text: &str) -> Option<(bool, Vec<bool>)> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => {
            let prefix: usize = prefix.parse().ok().filter(|parsed: &usize| parsed.to_string() == prefix)?;
            (address, Some(prefix))
        }
        None => (text, None),
    };
    let (is_long, bytes) = match address.parse::<IpAddr>().ok()? {
        IpAddr::V4(address) => (false, address.octets().to_vec()),
        IpAddr::V6(address) => (true, address.octets().to_vec()),
    };
    let mut bits: Vec<bool> = bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> (7 - bit) & 1 == 1)).collect();
    if let Some(prefix) = prefix {
        if prefix > bits.len() {
            return None;
        }
        bits.truncate(prefix);
    }
    Some((is_long, bits))
}

/// Whether an address or a network is in a network; nothing where either is none.
#[must_use]
pub fn within(address: &str, network: &str) -> Option<bool> {
    let ((is_long, address), (is_wide, network)) = (bits(address)?, bits(network)?);
    Some(is_long == is_wide && address.starts_with(&network))
}
