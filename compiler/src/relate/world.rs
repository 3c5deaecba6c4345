//! What requests can differ in, as far as policies ask: each attribute has finitely many values that any condition
//! tells apart.
//!
//! A condition on one attribute and a constant is understood: comparisons of numbers, equality, membership, forms of
//! paths, `has`. Of any other condition nothing is known but that it is true, false or unknown.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the arms name the few forms that are understood, every other is not"
)]

use super::formula::{Cells, FALSE, Formulas, NodeId, TRUE};
use super::paths::{self, Form};
use crate::syntax::policy::schema::Schema;
use crate::syntax::policy::tree::{Condition, Expression, ExpressionKind, Operator, Policy, Reference};
use kerai_vm::number::Number;
use std::collections::{BTreeMap, BTreeSet};

/// A value that conditions name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scalar {
    Text(String),
    Number(Number),
    Bool(bool),
}

impl Scalar {
    const fn kind(&self) -> ItemKind {
        match self {
            Scalar::Text(_) => ItemKind::Text,
            Scalar::Number(_) => ItemKind::Number,
            Scalar::Bool(_) => ItemKind::Bool,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ItemKind {
    Text,
    Number,
    Bool,
}

/// A value of an attribute, for all of those that no condition tells from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Scalar(Scalar),
    /// A list with items of one kind: which ones is told by variables of their own.
    Only(ItemKind),
    /// A map; which keys it has is told by variables of their own.
    Map,
    /// A list with an item that is like no other.
    Odd,
    Empty,
    Nothing,
}

/// What requests differ in.
#[derive(Debug, Clone)]
pub(super) enum Variable {
    Attribute(Reference, Vec<Cell>),
    /// Whether the attribute of the variable before has the item, or the key.
    Item(u32, Scalar),
    /// A condition that is not understood: true, false, unknown.
    Opaque(Schema, Expression),
}

/// What a condition can come to, in the order of the values of its variable.
pub(super) const TRUTHS: [Option<bool>; 3] = [Some(true), Some(false), None];

impl Variable {
    const fn count(&self) -> usize {
        match self {
            Variable::Attribute(_, cells) => cells.len(),
            Variable::Item(..) => 2,
            Variable::Opaque(..) => TRUTHS.len(),
        }
    }
}

/// What an atom asks of an attribute.
enum Test<'t> {
    Truth,
    Has,
    Compare(Operator, Scalar),
    In(Vec<Scalar>),
    Matches(&'t str),
    Includes(Scalar),
}

/// Truths that are wanted of a condition.
pub(super) type Mask = u8;
const IS_TRUE: Mask = 1;
const IS_FALSE: Mask = 2;
const IS_UNKNOWN: Mask = 4;
pub(super) const CERTAIN: Mask = IS_TRUE;
pub(super) const POSSIBLE: Mask = IS_TRUE | IS_UNKNOWN;

const fn bit(truth: Option<bool>) -> Mask {
    match truth {
        Some(true) => IS_TRUE,
        Some(false) => IS_FALSE,
        None => IS_UNKNOWN,
    }
}

/// What is named of an attribute in any condition.
#[derive(Default)]
struct Named {
    reference: Option<Reference>,
    uses: usize,
    numbers: BTreeSet<Number>,
    forms: BTreeSet<Form>,
    items: BTreeSet<Scalar>,
}

/// Where an attribute's variables are, and which of its values forms match.
struct Known {
    variable: u32,
    items: BTreeMap<Scalar, u32>,
    matched: BTreeMap<Form, Vec<usize>>,
}

/// All that requests differ in.
pub(super) struct World {
    pub(super) variables: Vec<Variable>,
    known: BTreeMap<String, Known>,
    opaque: BTreeMap<String, u32>,
}

impl World {
    /// What two policies ask of requests; none where there are too many paths to tell apart.
    pub(super) fn of(policies: &[&Policy]) -> Option<World> {
        let mut named: BTreeMap<String, Named> = BTreeMap::new();
        let mut opaque: BTreeMap<String, (Schema, Expression)> = BTreeMap::new();
        for policy in policies {
            for condition in conditions(policy) {
                collect(&policy.schema, &condition.expression, &mut named, &mut opaque);
            }
        }
        let mut world = World { variables: Vec::new(), known: BTreeMap::new(), opaque: BTreeMap::new() };
        // What has the most values comes first, because each of them concerns few rules; lists, which have a variable
        // for each item, come last.
        let mut order: Vec<(String, Named)> = named.into_iter().collect();
        order.sort_by_key(|(_, named)| {
            (!named.items.is_empty(), std::cmp::Reverse((named.forms.len() + named.numbers.len(), named.uses)))
        });
        for (name, named) in order {
            world.attribute(name, named)?;
        }
        for (text, (schema, tree)) in opaque {
            let variable = world.add(Variable::Opaque(schema, tree));
            world.opaque.insert(text, variable);
        }
        Some(world)
    }

    pub(super) fn formulas(&self) -> Formulas {
        Formulas::new(self.variables.iter().map(Variable::count).collect())
    }

    /// Conditions that are not understood.
    pub(super) fn outside(&self) -> Vec<String> {
        self.opaque.keys().cloned().collect()
    }

    fn add(&mut self, variable: Variable) -> u32 {
        let place = u32::try_from(self.variables.len()).unwrap_or(u32::MAX);
        self.variables.push(variable);
        place
    }

    fn attribute(&mut self, name: String, named: Named) -> Option<()> {
        let reference = named.reference?;
        let forms: Vec<&Form> = named.forms.iter().collect();
        let texts = paths::distinct(&forms)?;
        let mut matched: BTreeMap<Form, Vec<usize>> = BTreeMap::new();
        let mut cells = Vec::with_capacity(texts.len());
        for (text, of) in texts {
            for form in of.iter().filter_map(|&place| forms.get(place)) {
                matched.entry((*form).clone()).or_default().push(cells.len());
            }
            cells.push(Cell::Scalar(Scalar::Text(text)));
        }
        cells.extend(between(&named.numbers).into_iter().map(|number| Cell::Scalar(Scalar::Number(number))));
        cells.extend([true, false].map(|truth| Cell::Scalar(Scalar::Bool(truth))));
        cells.extend([ItemKind::Text, ItemKind::Number, ItemKind::Bool].map(Cell::Only));
        cells.extend([Cell::Map, Cell::Odd, Cell::Empty, Cell::Nothing]);
        let variable = self.add(Variable::Attribute(reference, cells));
        let items = named.items.into_iter();
        let items = items.map(|item| (item.clone(), self.add(Variable::Item(variable, item)))).collect();
        self.known.insert(name, Known { variable, items, matched });
        Some(())
    }

    /// Where a condition comes to one of the truths that are wanted.
    pub(super) fn formula(&self, formulas: &mut Formulas, schema: &Schema, tree: &Expression, mask: Mask) -> NodeId {
        match &tree.kind {
            ExpressionKind::Bool(truth) => constant(mask & bit(Some(*truth)) != 0),
            ExpressionKind::Not(operand) => {
                let swapped = mask & IS_UNKNOWN
                    | if mask & IS_TRUE != 0 { IS_FALSE } else { 0 }
                    | if mask & IS_FALSE != 0 { IS_TRUE } else { 0 };
                self.formula(formulas, schema, operand, swapped)
            }
            ExpressionKind::And(left, right) | ExpressionKind::Or(left, right) => {
                let sides =
                    vec![self.formula(formulas, schema, left, mask), self.formula(formulas, schema, right, mask)];
                // `and` is true, or not false, where both are; what is wanted of the opposite, one of them settles.
                let is_and = matches!(tree.kind, ExpressionKind::And(..));
                if is_and == (mask & IS_TRUE != 0) { formulas.and(sides) } else { formulas.or(sides) }
            }
            ExpressionKind::Number(_)
            | ExpressionKind::String(_)
            | ExpressionKind::List(_)
            | ExpressionKind::Reference(_)
            | ExpressionKind::Has(_)
            | ExpressionKind::Binary(..)
            | ExpressionKind::Call(..) => self.atom(formulas, schema, tree, mask),
        }
    }

    fn atom(&self, formulas: &mut Formulas, schema: &Schema, tree: &Expression, mask: Mask) -> NodeId {
        let Some((reference, test)) = test(schema, tree) else {
            let Some(&variable) = self.opaque.get(&tree.to_string()) else { return FALSE };
            let mut cells = Cells::none(TRUTHS.len());
            let truths = TRUTHS.into_iter().enumerate();
            truths.filter(|(_, truth)| mask & bit(*truth) != 0).for_each(|(place, _)| cells.insert(place));
            return formulas.within(variable, cells);
        };
        let Some(known) = self.known.get(&reference.to_string()) else { return FALSE };
        let Some(Variable::Attribute(_, cells)) = self.variables.get(known.variable as usize) else { return FALSE };
        let kind = schema.kind_of(reference).machine();
        let is_seen = |cell: &Cell| kind.is_none_or(|kind| cell.kind() == Some(kind));
        if let Test::Includes(item) = &test {
            return known.includes(formulas, cells, is_seen, item, mask);
        }
        let mut found = Cells::none(cells.len());
        let mut is_matched = vec![false; cells.len()];
        for form in test.forms() {
            for &place in known.matched.get(&form).into_iter().flatten() {
                if let Some(is_matched) = is_matched.get_mut(place) {
                    *is_matched = true;
                }
            }
        }
        for (place, cell) in cells.iter().enumerate() {
            let is_matched = is_matched.get(place).copied().unwrap_or_default();
            let truth = if is_seen(cell) { test.truth(cell, is_matched) } else { None };
            if mask & bit(truth) != 0 {
                found.insert(place);
            }
        }
        formulas.within(known.variable, found)
    }
}

impl Known {
    fn includes(
        &self,
        formulas: &mut Formulas,
        cells: &[Cell],
        is_seen: impl Fn(&Cell) -> bool,
        item: &Scalar,
        mask: Mask,
    ) -> NodeId {
        let Some(&variable) = self.items.get(item) else { return FALSE };
        // Where the item alone decides: between true and false, or between true and unknown.
        let (mut fixed, mut closed, mut open) =
            (Cells::none(cells.len()), Cells::none(cells.len()), Cells::none(cells.len()));
        for (place, cell) in cells.iter().enumerate() {
            let settled = match cell {
                _ if !is_seen(cell) => bit(None),
                Cell::Only(kind) if *kind == item.kind() => {
                    closed.insert(place);
                    continue;
                }
                Cell::Map if item.kind() != ItemKind::Text => bit(None),
                Cell::Map | Cell::Odd => {
                    open.insert(place);
                    continue;
                }
                Cell::Empty => bit(Some(false)),
                Cell::Only(_) | Cell::Scalar(_) | Cell::Nothing => bit(None),
            };
            if mask & settled != 0 {
                fixed.insert(place);
            }
        }
        let mut ways = vec![formulas.within(self.variable, fixed)];
        for (cells, without) in [(closed, Some(false)), (open, None)] {
            let there = formulas.within(self.variable, cells);
            let mut item = Cells::none(2);
            let places = [without, Some(true)].into_iter().enumerate();
            places.filter(|(_, truth)| mask & bit(*truth) != 0).for_each(|(place, _)| item.insert(place));
            let item = formulas.within(variable, item);
            ways.push(formulas.and(vec![there, item]));
        }
        formulas.or(ways)
    }
}

const fn constant(truth: bool) -> NodeId {
    if truth { TRUE } else { FALSE }
}

impl Cell {
    /// The machine's kind of the value.
    const fn kind(&self) -> Option<&'static str> {
        match self {
            Cell::Scalar(Scalar::Text(_)) => Some("string"),
            Cell::Scalar(Scalar::Number(_)) => Some("number"),
            Cell::Scalar(Scalar::Bool(_)) => Some("bool"),
            Cell::Only(_) | Cell::Odd | Cell::Empty => Some("list"),
            Cell::Map => Some("map"),
            Cell::Nothing => None,
        }
    }
}

impl Test<'_> {
    /// The forms that decide it for texts.
    fn forms(&self) -> Vec<Form> {
        let exact = |scalar: &Scalar| match scalar {
            Scalar::Text(text) => Some(Form::Exact(text.clone())),
            Scalar::Number(_) | Scalar::Bool(_) => None,
        };
        match self {
            Test::Matches(form) => vec![Form::Glob((*form).to_owned())],
            Test::Compare(_, value) => exact(value).into_iter().collect(),
            Test::In(items) => items.iter().filter_map(exact).collect(),
            Test::Truth | Test::Has | Test::Includes(_) => Vec::new(),
        }
    }

    /// What it comes to for a value, of which is known whether a form of the test matches it.
    fn truth(&self, cell: &Cell, is_matched: bool) -> Option<bool> {
        if let Test::Has = self {
            return (*cell != Cell::Nothing).then_some(true);
        }
        let Cell::Scalar(scalar) = cell else { return None };
        let is_text = matches!(scalar, Scalar::Text(_));
        let equals = |wanted: &Scalar| match (scalar, wanted) {
            (Scalar::Text(_), Scalar::Text(_)) => Some(is_matched),
            (scalar, wanted) => (scalar.kind() == wanted.kind()).then_some(scalar == wanted),
        };
        match self {
            Test::Truth => {
                if let Scalar::Bool(truth) = scalar {
                    Some(*truth)
                } else {
                    None
                }
            }
            Test::Matches(_) => is_text.then_some(is_matched),
            Test::Compare(Operator::Equal, wanted) => equals(wanted),
            Test::Compare(Operator::NotEqual, wanted) => equals(wanted).map(|truth| !truth),
            Test::Compare(operator, wanted) => {
                let (Scalar::Number(value), Scalar::Number(wanted)) = (scalar, wanted) else { return None };
                let order = value.cmp(wanted);
                Some(match operator {
                    Operator::Less => order.is_lt(),
                    Operator::AtMost => order.is_le(),
                    Operator::Greater => order.is_gt(),
                    _ => order.is_ge(),
                })
            }
            Test::In(items) => {
                let truths: Vec<Option<bool>> = items.iter().map(equals).collect();
                let has = |truth| truths.contains(&truth);
                if has(Some(true)) { Some(true) } else { (!has(None)).then_some(false) }
            }
            Test::Has | Test::Includes(_) => None,
        }
    }
}

/// All conditions of a policy.
fn conditions(policy: &Policy) -> impl Iterator<Item = &Condition> {
    policy.rules.iter().flat_map(|rule| rule.when.iter().chain(&rule.allow_if).chain(&rule.deny_if))
}

fn collect(
    schema: &Schema,
    tree: &Expression,
    named: &mut BTreeMap<String, Named>,
    opaque: &mut BTreeMap<String, (Schema, Expression)>,
) {
    match &tree.kind {
        ExpressionKind::Bool(_) => {}
        ExpressionKind::Not(operand) => collect(schema, operand, named, opaque),
        ExpressionKind::And(left, right) | ExpressionKind::Or(left, right) => {
            collect(schema, left, named, opaque);
            collect(schema, right, named, opaque);
        }
        ExpressionKind::Number(_)
        | ExpressionKind::String(_)
        | ExpressionKind::List(_)
        | ExpressionKind::Reference(_)
        | ExpressionKind::Has(_)
        | ExpressionKind::Binary(..)
        | ExpressionKind::Call(..) => {
            let Some((reference, test)) = test(schema, tree) else {
                opaque.entry(tree.to_string()).or_insert_with(|| (schema.clone(), tree.clone()));
                return;
            };
            let named = named.entry(reference.to_string()).or_default();
            named.reference.get_or_insert_with(|| reference.clone());
            named.uses += 1;
            named.forms.extend(test.forms());
            match test {
                Test::Compare(_, Scalar::Number(number)) => _ = named.numbers.insert(number),
                Test::In(items) => named.numbers.extend(
                    items.iter().filter_map(
                        |item| {
                            if let Scalar::Number(number) = item { Some(*number) } else { None }
                        },
                    ),
                ),
                Test::Includes(item) => _ = named.items.insert(item),
                Test::Truth | Test::Has | Test::Matches(_) | Test::Compare(..) => {}
            }
        }
    }
}

fn scalar(tree: &Expression) -> Option<Scalar> {
    match &tree.kind {
        ExpressionKind::Bool(truth) => Some(Scalar::Bool(*truth)),
        ExpressionKind::Number(number) => Some(Scalar::Number(*number)),
        ExpressionKind::String(text) => Some(Scalar::Text(text.to_string())),
        _ => None,
    }
}

/// What an atom asks of an attribute, where that is understood.
fn test<'t>(schema: &Schema, atom: &'t Expression) -> Option<(&'t Reference, Test<'t>)> {
    let reference = |tree: &'t Expression| match &tree.kind {
        ExpressionKind::Reference(reference) => Some(reference),
        _ => None,
    };
    let (operator, left, right) = match &atom.kind {
        ExpressionKind::Reference(reference) => return Some((reference, Test::Truth)),
        ExpressionKind::Has(reference) => return Some((reference, Test::Has)),
        ExpressionKind::Binary(operator, left, right) => (*operator, &**left, &**right),
        _ => return None,
    };
    let mirrored = match operator {
        Operator::Less => Operator::Greater,
        Operator::AtMost => Operator::AtLeast,
        Operator::Greater => Operator::Less,
        Operator::AtLeast => Operator::AtMost,
        other => other,
    };
    match operator {
        Operator::Equal
        | Operator::NotEqual
        | Operator::Less
        | Operator::AtMost
        | Operator::Greater
        | Operator::AtLeast => {
            let (attribute, operator, value) = match (reference(left), reference(right)) {
                (Some(attribute), None) => (attribute, operator, scalar(right)?),
                (None, Some(attribute)) => (attribute, mirrored, scalar(left)?),
                _ => return None,
            };
            // The order of texts is not understood, their equality is.
            let is_equality = matches!(operator, Operator::Equal | Operator::NotEqual);
            (is_equality || matches!(value, Scalar::Number(_))).then_some((attribute, Test::Compare(operator, value)))
        }
        Operator::In => match (&right.kind, reference(left)) {
            (ExpressionKind::List(items), Some(attribute)) => {
                Some((attribute, Test::In(items.iter().map(scalar).collect::<Option<_>>()?)))
            }
            _ => Some((reference(right)?, Test::Includes(scalar(left)?))),
        },
        Operator::Includes => Some((reference(left)?, Test::Includes(scalar(right)?))),
        Operator::Contains => {
            let whole = reference(left)?;
            // A text has parts, and those are not understood.
            let is_list = schema.kind_of(whole).machine() == Some("list");
            is_list.then_some((whole, Test::Includes(scalar(right)?)))
        }
        Operator::Matches => match &right.kind {
            ExpressionKind::String(form) => Some((reference(left)?, Test::Matches(form))),
            _ => None,
        },
        _ => None,
    }
}

/// Numbers so that no comparison with one of these is left out: themselves, and one in each gap.
fn between(numbers: &BTreeSet<Number>) -> Vec<Number> {
    let (one, two) = (Number::from_i64(1), Number::from_i64(2));
    let mut all: BTreeSet<Number> = numbers.clone();
    all.extend(numbers.first().and_then(|least| least.subtract(one).ok()));
    all.extend(numbers.last().and_then(|greatest| greatest.add(one).ok()));
    for (low, high) in numbers.iter().zip(numbers.iter().skip(1)) {
        all.extend(high.subtract(*low).and_then(|gap| gap.divide(two)).and_then(|half| low.add(half)).ok());
    }
    if all.is_empty() {
        all.insert(Number::from_i64(0));
    }
    all.into_iter().collect()
}
