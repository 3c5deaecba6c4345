//! The index: rules are found by what their `when` says of an attribute, so that a decision costs what may apply.
//!
//! All that a `when` says of a text, that it is equal to one or a path of a form, lies within ranges of the order of
//! texts: what begins with `a/b` comes before `a/b0`, because `0` follows `/`. The ends of all rules' ranges cut the
//! order into pieces; within a piece the same rules may apply, and the piece of a value is found by halving. The index
//! only leaves rules out whose `when` is false: what it finds is still asked. Where the attribute is missing or no
//! text, nothing is known, and all rules are asked.

use super::{Asking, Conditions, Desk, Lowering, NOWHERE, call_builtin, calls, declare};
use crate::ir::{Action, Binary, Block, Call, Callee, Expression, Statement, Values, VariableId};
use crate::syntax::policy::schema::{Kind, Schema};
use crate::syntax::policy::tree::{Expression as Tree, ExpressionKind, Operator, Rule};
use kerai_vm::bytecode::Builtin;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// So few rules are asked one after the other.
const FEW: usize = 2;
/// A rule that lies in more pieces than these is asked outside of the index, so that the index stays small.
const MOST_PIECES: usize = 16;
/// So many pieces are found within one function.
const PIECES_OF_FUNCTION: usize = 128;

/// A range of texts: from one, up to but without another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Range {
    from: Arc<[u8]>,
    to: Arc<[u8]>,
}

/// How the rules that may apply are found. Rules are named by their places.
#[derive(Debug)]
pub(super) enum Plan<'r> {
    InOrder(Vec<usize>),
    Split(Split<'r>),
}

/// Rules by an attribute, and those that say nothing of it.
#[derive(Debug)]
pub(super) struct Split<'r> {
    attribute: &'r str,
    /// All rules that the pieces tell apart.
    rules: Vec<usize>,
    pieces: Vec<Piece<'r>>,
    rest: Box<Plan<'r>>,
}

/// From a text up to the next piece.
#[derive(Debug)]
struct Piece<'r> {
    from: Arc<[u8]>,
    plan: Plan<'r>,
}

/// The ranges in which the rules of a policy may apply.
pub(super) struct Ranges<'p> {
    /// Of each condition: the attribute, and the ranges outside of which it is false.
    of_conditions: Vec<Option<(&'p str, Vec<Range>)>>,
    /// The conditions that have any, the first of each rule for each attribute, and where those of each rule end.
    in_rules: Vec<u32>,
    ends: Vec<usize>,
}

/// What the rules of a policy say of attributes.
pub(super) fn ranges<'p>(conditions: &Conditions<'p>, rules: &[Rule], schema: &Schema) -> Ranges<'p> {
    let mut of_conditions = Vec::with_capacity(conditions.each.len());
    of_conditions.extend(conditions.each.iter().map(|condition| of_condition(&condition.expression, schema)));
    let attribute = |number: u32| Some(of_conditions.get(number as usize)?.as_ref()?.0);
    let mut numbers = conditions.in_rules.iter().copied();
    let (mut in_rules, mut ends): (Vec<u32>, Vec<usize>) = (Vec::new(), Vec::with_capacity(rules.len()));
    for rule in rules {
        let begin = in_rules.len();
        for number in numbers.by_ref().take(rule.when.len()) {
            // A second condition on the same attribute would only narrow it further.
            let Some(about) = attribute(number) else { continue };
            if in_rules.iter().skip(begin).all(|&before| attribute(before) != Some(about)) {
                in_rules.push(number);
            }
        }
        ends.push(in_rules.len());
        numbers.by_ref().take(rule.allow_if.len() + rule.deny_if.len()).for_each(drop);
    }
    Ranges { of_conditions, in_rules, ends }
}

impl<'p> Ranges<'p> {
    fn of_rule(&self, place: usize) -> impl Iterator<Item = (&'p str, &[Range])> {
        let end = |place: usize| self.ends.get(place).copied().unwrap_or_default();
        let begin = place.checked_sub(1).map_or(0, end);
        let numbers = self.in_rules.get(begin..end(place)).unwrap_or_default().iter();
        let found = numbers.filter_map(|&number| self.of_conditions.get(number as usize)?.as_ref());
        found.map(|(attribute, ranges)| (*attribute, ranges.as_slice()))
    }

    fn of(&self, place: usize, attribute: &str) -> Option<&[Range]> {
        self.of_rule(place).find(|found| found.0 == attribute).map(|found| found.1)
    }
}

/// How to find the rules at these places.
pub(super) fn plan<'r>(ranges: &'r Ranges<'_>, places: Vec<usize>) -> Plan<'r> {
    split(ranges, places, &BTreeSet::new())
}

fn split<'r>(ranges: &'r Ranges<'_>, places: Vec<usize>, done: &BTreeSet<&str>) -> Plan<'r> {
    if places.len() <= FEW {
        return Plan::InOrder(places);
    }
    let Some(attribute) = best(ranges, &places, done) else { return Plan::InOrder(places) };
    let of = |place: usize| ranges.of(place, attribute);
    let (mut told, mut rest): (Vec<usize>, Vec<usize>) = places.into_iter().partition(|&place| of(place).is_some());
    // The ends of the ranges of these rules, and the pieces of each rule's ranges.
    let cut = |places: &[usize]| {
        let of_place = |&place| of(place).into_iter().flatten().map(move |range| (place, range));
        let ends = Ends::of(places.iter().flat_map(of_place).map(|(_, range)| range));
        let cut = places.iter().flat_map(of_place).map(|(place, range)| (place, ends.pieces(range)));
        let cut: Vec<(usize, core::ops::Range<usize>)> = cut.collect();
        (ends, cut)
    };
    let (mut ends, mut within) = cut(&told);
    let is_wide = |pieces: &[(usize, core::ops::Range<usize>)]| {
        pieces.iter().map(|(_, pieces)| pieces.len()).sum::<usize>() > MOST_PIECES
    };
    let by_rule = within.chunk_by(|a, b| a.0 == b.0).filter(|pieces| is_wide(pieces));
    let wide: Vec<usize> = by_rule.filter_map(|pieces| Some(pieces.first()?.0)).collect();
    if !wide.is_empty() {
        // Rules are in their order everywhere here.
        told.retain(|place| wide.binary_search(place).is_err());
        (ends, within) = cut(&told);
        rest.extend(wide);
        rest.sort_unstable();
    }
    if told.len() <= FEW {
        rest.extend(told);
        rest.sort_unstable();
        return Plan::InOrder(rest);
    }
    let mut pieces: Vec<Vec<usize>> = vec![Vec::new(); ends.0.len()];
    for (place, range) in within {
        let within = pieces.get_mut(range).into_iter().flatten();
        // A rule may have ranges that overlap, and is in a piece once.
        within.filter(|found| found.last() != Some(&place)).for_each(|found| found.push(place));
    }
    let mut done = done.clone();
    done.insert(attribute);
    let piece = |(from, found)| Piece { from, plan: split(ranges, found, &done) };
    let pieces = ends.0.into_iter().zip(pieces).map(piece).collect();
    let rest = Box::new(split(ranges, rest, &done));
    Plan::Split(Split { attribute, rules: told, pieces, rest })
}

/// The ends of ranges in their order, each once, behind the empty text, before which none comes: every text lies in a
/// piece.
struct Ends(Vec<Arc<[u8]>>);

impl Ends {
    fn of<'r>(ranges: impl Iterator<Item = &'r Range>) -> Ends {
        let ends = ranges.flat_map(|range| [&range.from, &range.to]).cloned();
        let mut ends: Vec<Arc<[u8]>> = [Arc::default()].into_iter().chain(ends).collect();
        // Rules often come in the order of what they ask for.
        ends.sort();
        ends.dedup();
        Ends(ends)
    }

    /// The pieces of a range that is one of these.
    fn pieces(&self, range: &Range) -> core::ops::Range<usize> {
        let begin = self.0.partition_point(|other| *other < range.from);
        let within = self.0.iter().skip(begin);
        // Most ranges have few pieces.
        let near = within.take(MOST_PIECES).position(|other| *other >= range.to);
        let end = near.map_or_else(|| self.0.partition_point(|other| *other < range.to), |near| begin + near);
        begin..end.max(begin)
    }
}

/// The attribute that tells the most rules apart; of several the first by name.
fn best<'r>(ranges: &'r Ranges<'_>, places: &[usize], done: &BTreeSet<&str>) -> Option<&'r str> {
    let mut told: BTreeMap<&str, Vec<&[Range]>> = BTreeMap::new();
    for (attribute, ranges) in places.iter().flat_map(|&place| ranges.of_rule(place)) {
        if !done.contains(attribute) {
            told.entry(attribute).or_default().push(ranges);
        }
    }
    let kinds = |mut ranges: Vec<&[Range]>| {
        // What many rules have is one.
        ranges.dedup_by(|a, b| core::ptr::eq(*a, *b));
        ranges.sort();
        ranges.dedup();
        ranges.len()
    };
    let told: Vec<(&str, usize)> = told.into_iter().map(|(attribute, ranges)| (attribute, kinds(ranges))).collect();
    let most = told.iter().map(|&(_, kinds)| kinds).max().filter(|&most| most > 1)?;
    told.into_iter().find(|&(_, kinds)| kinds == most).map(|(attribute, _)| attribute)
}

/// The attribute that a condition is about and the ranges outside of which it is false.
fn of_condition<'t>(tree: &'t Tree, schema: &Schema) -> Option<(&'t str, Vec<Range>)> {
    match &tree.kind {
        ExpressionKind::Or(left, right) => {
            let (attribute, mut ranges) = of_condition(left, schema)?;
            let (other, more) = of_condition(right, schema)?;
            ranges.extend(more);
            (attribute == other).then_some((attribute, ranges))
        }
        ExpressionKind::Binary(operator, left, right) => {
            let ExpressionKind::Reference(reference) = &left.kind else { return None };
            let is_text = matches!(schema.kind_of(reference), Kind::String | Kind::Path);
            if !is_text || !reference.steps.is_empty() {
                return None;
            }
            Some((&reference.root.text, of_value(*operator, right)?))
        }
        _ => None,
    }
}

fn of_value(operator: Operator, value: &Tree) -> Option<Vec<Range>> {
    match (operator, &value.kind) {
        (Operator::Equal, _) => Some(vec![only(text(value)?)]),
        (Operator::In, ExpressionKind::List(items)) => items.iter().map(|item| text(item).map(only)).collect(),
        (Operator::Matches, _) => {
            let form = text(value)?;
            if form.starts_with('*') {
                return None;
            }
            let begin = form.as_bytes().windows(2).position(|pair| pair == b"/*");
            let Some(from) = begin.and_then(|begin| form.get(..begin)) else { return Some(vec![only(form)]) };
            Some(vec![Range { from: from.as_bytes().into(), to: with_byte(from, b'/' + 1) }])
        }
        _ => None,
    }
}

/// The range of one text alone: what follows it at once is that text and a zero byte.
fn only(text: &Arc<str>) -> Range {
    Range { from: Arc::clone(text).into(), to: with_byte(text, 0) }
}

fn with_byte(text: &str, byte: u8) -> Arc<[u8]> {
    text.bytes().chain([byte]).collect()
}

fn text(tree: &Tree) -> Option<&Arc<str>> {
    match &tree.kind {
        ExpressionKind::String(text) => Some(text),
        _ => None,
    }
}

impl Lowering<'_> {
    /// Asks the rules that a plan finds.
    pub(super) fn search(&mut self, plan: &Plan<'_>, askings: &[Asking<'_, '_>], desk: Desk, body: &mut Block) {
        let split = match plan {
            // Most of the index is blocks of one call or none.
            Plan::InOrder(places) if body.is_empty() => return *body = calls(places, askings, desk),
            Plan::InOrder(places) => return body.extend(calls(places, askings, desk)),
            Plan::Split(split) => split,
        };
        let value = self.variable("value");
        let read = |variable| Expression::variable(variable, NOWHERE);
        let name = Expression::string(split.attribute.as_bytes(), NOWHERE);
        let attribute = Expression::index(read(desk.input), name, NOWHERE);
        let string = Expression::string(*b"string", NOWHERE);
        body.push(declare(value, call_builtin(Builtin::TotalOf, vec![attribute, string])));
        let mut found = Block::new();
        self.halves(&split.pieces, askings, desk, value, &mut found);
        let all = calls(&split.rules, askings, desk);
        body.push(Statement::new(Action::If(vec![(read(value), found)], all), NOWHERE));
        self.search(&split.rest, askings, desk, body);
    }

    /// Finds the piece that a value lies in, and asks its rules. The value is in one of these pieces.
    fn halves(
        &mut self,
        pieces: &[Piece<'_>],
        askings: &[Asking<'_, '_>],
        desk: Desk,
        value: VariableId,
        body: &mut Block,
    ) {
        let (left, right) = pieces.split_at(pieces.len() / 2);
        let Some(middle) = right.first() else { return };
        if left.is_empty() {
            return self.search(&middle.plan, askings, desk, body);
        }
        let mut halves = [(left, Block::new()), (right, Block::new())];
        for (pieces, block) in &mut halves {
            if pieces.len() > PIECES_OF_FUNCTION {
                self.halves(pieces, askings, desk, value, block);
            } else {
                self.elsewhere(pieces, askings, desk, value, block);
            }
        }
        let [(_, less), (_, more)] = halves;
        body.reserve_exact(1);
        body.push(unless_less(value, &middle.from, more, less));
    }

    /// As [`Lowering::halves`], in a function of its own where that is worth it.
    fn elsewhere(
        &mut self,
        pieces: &[Piece<'_>],
        askings: &[Asking<'_, '_>],
        desk: Desk,
        value: VariableId,
        body: &mut Block,
    ) {
        if pieces.len() < PIECES_OF_FUNCTION / 2 {
            return self.halves(pieces, askings, desk, value, body);
        }
        let inner = self.desk();
        let parameter = self.variable("value");
        let mut found = Block::new();
        self.halves(pieces, askings, inner, parameter, &mut found);
        let function = self.define("pieces", vec![inner.input, inner.denies, inner.allows, parameter], found);
        let arguments = [desk.input, desk.denies, desk.allows, value];
        let arguments = arguments.map(|variable| Expression::variable(variable, NOWHERE));
        let call = Call { callee: Callee::Function(function), arguments: Values::of(arguments.into()) };
        body.reserve_exact(1);
        body.push(Statement::new(Action::Do(call), NOWHERE));
    }
}

/// One block where the value comes before a text, another where it does not.
fn unless_less(value: VariableId, text: &Arc<[u8]>, not_less: Block, less: Block) -> Statement {
    let value = Expression::variable(value, NOWHERE);
    let text = Expression::string(Arc::clone(text), NOWHERE);
    let at_least = Expression::binary(Binary::AtLeast, value, text, NOWHERE);
    Statement::new(Action::If(vec![(at_least, not_less)], less), NOWHERE)
}
