//! Aiming at conditions that are not understood: values of attributes under which one is likely to come to a truth.
//!
//! What is aimed at is tried, and only what holds is told. So it matters that aims are often right, not that they are
//! always.

#![expect(clippy::wildcard_enum_match_arm, reason = "the arms name what can be aimed at, nothing else can")]

use super::sample::{Request, SOMEONE, Sample, at, path_of, place};
use super::world::Scalar;
use crate::syntax::policy::schema::Schema;
use crate::syntax::policy::tree::{Expression, ExpressionKind, Function, Operator, Reference};
use kerai_vm::address::Network;
use kerai_vm::number::Number;

/// A text that is likely to be none of those that conditions name.
const OTHER: &str = "another";

/// Gives the attributes of a condition values under which it is likely to come to a truth. What is there stays.
pub(super) fn aim(request: &mut Request, schema: &Schema, tree: &Expression, truth: Option<bool>) -> Option<()> {
    // Where something is missing nothing is known: what nobody gave a value stays missing.
    let Some(truth) = truth else { return Some(()) };
    let mut aim = Aim { request, schema };
    match &tree.kind {
        ExpressionKind::Binary(operator, left, right) => aim.at_operator(*operator, left, right, truth),
        _ => None,
    }
}

struct Aim<'a> {
    request: &'a mut Request,
    schema: &'a Schema,
}

impl Aim<'_> {
    fn at_operator(&mut self, operator: Operator, left: &Expression, right: &Expression, truth: bool) -> Option<()> {
        match operator {
            Operator::Includes => self.at_member(left, right, truth),
            Operator::In => self.at_member(right, left, truth),
            Operator::Contains => match (self.value(left), &right.kind) {
                (Some(Sample::List(_) | Sample::Map(_)), _) => self.at_member(left, right, truth),
                (None, _) if !self.is_text(left) => self.at_member(left, right, truth),
                (_, ExpressionKind::String(part)) => self.at_text(left, &format!("-{part}-"), truth),
                _ => self.at_both(left, right, truth),
            },
            Operator::StartsWith | Operator::EndsWith => match &right.kind {
                ExpressionKind::String(part) if operator == Operator::StartsWith => {
                    self.at_text(left, &format!("{part}-"), truth)
                }
                ExpressionKind::String(part) => self.at_text(left, &format!("-{part}"), truth),
                _ => self.at_both(left, right, truth),
            },
            Operator::InCidr => match &right.kind {
                ExpressionKind::String(network) => self.at_network(left, network, truth),
                _ => self.at_both(left, right, truth),
            },
            Operator::Matches => self.at_both(left, right, truth),
            Operator::Equal => self.at_order(left, right, truth, 0),
            Operator::NotEqual => self.at_order(left, right, !truth, 0),
            Operator::Less => self.at_order(left, right, truth, 1),
            Operator::AtMost => self.at_order(left, right, !truth, -1),
            Operator::Greater => self.at_order(left, right, truth, -1),
            Operator::AtLeast => self.at_order(left, right, !truth, 1),
            _ => None,
        }
    }

    /// A list or a map that has, or has not, what stands beside.
    fn at_member(&mut self, whole: &Expression, part: &Expression, truth: bool) -> Option<()> {
        let part = match self.value(part) {
            Some(part) => part,
            None => {
                let someone = text(&named(part, truth));
                self.put(part, someone.clone())?;
                someone
            }
        };
        if let ExpressionKind::List(items) = &whole.kind {
            // The part was given: only what else is in the list can be chosen.
            let open = items.iter().find(|item| self.value(item).is_none());
            return match open {
                Some(item) => self.put(item, if truth { part } else { text(OTHER) }),
                None => Some(()),
            };
        }
        let reference = reference(whole)?;
        let path = path_of(self.request, reference)?;
        let is_map = self.schema.kind_of(reference).machine() == Some("map");
        match at(self.request, &path).cloned() {
            None if is_map => {
                let Sample::Scalar(Scalar::Text(key)) = part else { return None };
                let entries = if truth { [(key, Sample::Scalar(Scalar::Bool(true)))].into() } else { Request::new() };
                self.put(whole, Sample::Map(entries))
            }
            None => {
                let other = match &part {
                    Sample::Scalar(Scalar::Number(_)) => Sample::Scalar(Scalar::Number(Number::from_i64(-987_654_321))),
                    _ => text(OTHER),
                };
                self.put(whole, Sample::List(vec![if truth { part } else { other }]))
            }
            Some(Sample::List(mut items)) if truth => {
                items.push(part);
                super::sample::replace(self.request, &path, Sample::List(items))
            }
            Some(_) => Some(()),
        }
    }

    fn at_text(&mut self, whole: &Expression, wanted: &str, truth: bool) -> Option<()> {
        self.put(whole, text(if truth { wanted } else { OTHER }))
    }

    /// Two texts of which the one is the other.
    fn at_both(&mut self, left: &Expression, right: &Expression, truth: bool) -> Option<()> {
        let wanted = match (self.value(left), self.value(right)) {
            (Some(value), _) | (None, Some(value)) => value,
            (None, None) => text("10.0.0.1"),
        };
        self.put(left, if truth { wanted.clone() } else { text(OTHER) })?;
        self.put(right, wanted)
    }

    fn at_network(&mut self, address: &Expression, network: &str, truth: bool) -> Option<()> {
        let first = network.split_once('/').map_or(network, |(first, _)| first);
        let known = Network::parse(network.as_bytes())?;
        let outside = ["192.0.2.1", "198.51.100.1", "2001:db8::1", "2001:db9::1"];
        let outside =
            outside.into_iter().find(|&other| Network::parse(other.as_bytes()).is_some_and(|other| !known.has(other)));
        self.put(address, text(if truth { first } else { outside? }))
    }

    /// Two values that are equal, or by so much apart.
    fn at_order(&mut self, left: &Expression, right: &Expression, truth: bool, by: i64) -> Option<()> {
        let is_text = self.is_text(left) && self.is_text(right);
        let distance = match (truth, by) {
            (true, by) => by,
            (false, 0) => 1,
            (false, _) => 0,
        };
        match (self.value(left), self.value(right)) {
            (Some(value), None) => {
                let wanted = apart(&value, distance)?;
                self.put(right, wanted)
            }
            (None, Some(value)) => {
                let wanted = apart(&value, -distance)?;
                self.put(left, wanted)
            }
            (None, None) => {
                let value = if is_text {
                    text(&named(left, true))
                } else {
                    Sample::Scalar(Scalar::Number(Number::from_i64(10)))
                };
                self.put(left, value.clone())?;
                // The left may be a part of the right.
                match self.value(right) {
                    None => self.put(right, apart(&value, distance)?),
                    Some(_) => Some(()),
                }
            }
            (Some(_), Some(_)) => Some(()),
        }
    }

    fn is_text(&self, tree: &Expression) -> bool {
        match &tree.kind {
            ExpressionKind::String(_) | ExpressionKind::Call(Function::Lower, _) => true,
            ExpressionKind::Reference(reference) => {
                matches!(self.schema.kind_of(reference).machine(), Some("string") | None)
            }
            _ => false,
        }
    }

    /// What an expression is in the request as it is, where that is known.
    fn value(&mut self, tree: &Expression) -> Option<Sample> {
        Some(match &tree.kind {
            ExpressionKind::Bool(truth) => Sample::Scalar(Scalar::Bool(*truth)),
            ExpressionKind::Number(number) => Sample::Scalar(Scalar::Number(*number)),
            ExpressionKind::String(text) => Sample::Scalar(Scalar::Text(text.to_string())),
            ExpressionKind::Reference(reference) => {
                let path = path_of(self.request, reference)?;
                at(self.request, &path)?.clone()
            }
            ExpressionKind::Call(Function::Lower, inner) => match self.value(inner)? {
                Sample::Scalar(Scalar::Text(text)) => Sample::Scalar(Scalar::Text(text.to_ascii_lowercase())),
                _ => return None,
            },
            ExpressionKind::Call(Function::Size, inner) => {
                let size = match self.value(inner)? {
                    Sample::Scalar(Scalar::Text(text)) => text.len(),
                    Sample::List(items) => items.len(),
                    _ => return None,
                };
                Sample::Scalar(Scalar::Number(Number::from_i64(i64::try_from(size).ok()?)))
            }
            ExpressionKind::Binary(operator, left, right) => {
                let (left, right) = (number(&self.value(left)?)?, number(&self.value(right)?)?);
                let result = match operator {
                    Operator::Add => left.add(right),
                    Operator::Subtract => left.subtract(right),
                    Operator::Multiply => left.multiply(right),
                    Operator::Divide => left.divide(right),
                    Operator::FloorDivide => left.floor_divide(right),
                    Operator::Modulo => left.modulo(right),
                    _ => return None,
                };
                Sample::Scalar(Scalar::Number(result.ok()?))
            }
            _ => return None,
        })
    }

    /// Lets an expression come to a value, where nothing says otherwise.
    fn put(&mut self, tree: &Expression, wanted: Sample) -> Option<()> {
        match &tree.kind {
            ExpressionKind::Reference(reference) => match self.value(tree) {
                Some(_) => Some(()),
                None => place(self.request, reference, wanted),
            },
            ExpressionKind::Call(Function::Lower, inner) => self.put(inner, wanted),
            ExpressionKind::Call(Function::Size, inner) => {
                let size = usize::try_from(number(&wanted)?.to_i64()?).ok().filter(|&size| size < MOST_ITEMS)?;
                let is_text = self.is_text(inner);
                let items = if is_text { text(&"a".repeat(size)) } else { Sample::List(vec![text(OTHER); size]) };
                self.put(inner, items)
            }
            ExpressionKind::Binary(operator, left, right) => {
                if self.value(left).is_none() && self.value(right).is_none() {
                    self.put(left, Sample::Scalar(Scalar::Number(Number::from_i64(1))))?;
                }
                let wanted = number(&wanted)?;
                let known = |value: Option<Sample>| value.as_ref().and_then(number);
                let (before, after) = (known(self.value(left)), known(self.value(right)));
                let (open, value) = match (operator, before, after) {
                    (Operator::Add, Some(known), None) => (right, wanted.subtract(known)),
                    (Operator::Add, None, Some(known)) => (left, wanted.subtract(known)),
                    (Operator::Subtract, Some(known), None) => (right, known.subtract(wanted)),
                    (Operator::Subtract, None, Some(known)) => (left, wanted.add(known)),
                    (Operator::Multiply, Some(known), None) => (right, wanted.divide(known)),
                    (Operator::Multiply, None, Some(known)) => (left, wanted.divide(known)),
                    (Operator::Divide, None, Some(known)) => (left, wanted.multiply(known)),
                    (Operator::FloorDivide, None, Some(known)) => (left, wanted.multiply(known)),
                    (Operator::Modulo, None, Some(_)) => (left, Ok(wanted)),
                    _ => return Some(()),
                };
                self.put(open, Sample::Scalar(Scalar::Number(value.ok()?)))
            }
            _ => Some(()),
        }
    }
}

/// Longer lists are not made to have a size.
const MOST_ITEMS: usize = 1_000;

fn text(text: &str) -> Sample {
    Sample::Scalar(Scalar::Text(text.to_owned()))
}

/// A text of an attribute's own, so that attributes are equal only where they must be.
fn named(tree: &Expression, truth: bool) -> String {
    let name = match &tree.kind {
        ExpressionKind::Reference(reference) => reference.to_string(),
        _ => SOMEONE.to_owned(),
    };
    if truth { format!("some {name}") } else { format!("no {name}") }
}

fn number(sample: &Sample) -> Option<Number> {
    if let Sample::Scalar(Scalar::Number(number)) = sample { Some(*number) } else { None }
}

fn reference(tree: &Expression) -> Option<&Reference> {
    if let ExpressionKind::Reference(reference) = &tree.kind { Some(reference) } else { None }
}

/// A value of the same kind: so much more, or another.
fn apart(value: &Sample, by: i64) -> Option<Sample> {
    Some(Sample::Scalar(match value {
        Sample::Scalar(Scalar::Number(number)) => Scalar::Number(number.add(Number::from_i64(by)).ok()?),
        Sample::Scalar(Scalar::Text(text)) => Scalar::Text(match by {
            0 => text.clone(),
            // A text that comes before, as far as there is one.
            ..0 => text.strip_suffix(|_| true).unwrap_or_default().to_owned(),
            _ => format!("{text}-"),
        }),
        Sample::Scalar(Scalar::Bool(truth)) => Scalar::Bool(*truth == (by == 0)),
        Sample::List(_) | Sample::Map(_) => return None,
    }))
}
