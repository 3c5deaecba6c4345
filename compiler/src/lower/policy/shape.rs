//! Shapes: what conditions and rules have in common that differ in nothing but their texts.
//!
//! A thousand rules that differ by a path are one function and a thousand calls of it, to which the path is given. So a
//! program is as large as what is told apart in it, and compiling it costs no more.

use super::{Conditions, Lowering};
use crate::Span;
use crate::intern::Interner;
use crate::ir::{Expression, FunctionId, Node, VariableId};
use crate::syntax::policy::tree::{Condition, Expression as Tree, ExpressionKind, Rule};
use core::mem;
use kerai_vm::bytecode::Constant;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

/// What differs in more texts than these is a function of its own.
const MOST_TEXTS: usize = 8;
/// So few of one shape are functions of their own, whose code tells which one it is.
const FEW: usize = 7;
/// Stands for a text in an outline. No text of a condition is written with it.
const HOLE: char = '\0';

/// What is left of a condition or a rule without the texts that stand beside operators, by a number, and these texts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape<'s, 'p> {
    outline: u32,
    pub texts: &'s [&'p Tree],
}

/// The shapes of conditions or rules, whose texts stand one behind the other, so that none needs a place of its own.
pub(super) struct Shapes<'p> {
    /// The outline of each, and where its texts end.
    each: Vec<(u32, usize)>,
    texts: Vec<&'p Tree>,
}

impl<'p> Shapes<'p> {
    pub fn get(&self, place: usize) -> Option<Shape<'_, 'p>> {
        let &(outline, end) = self.each.get(place)?;
        let begin = place.checked_sub(1).and_then(|before| self.each.get(before)).map_or(0, |before| before.1);
        Some(Shape { outline, texts: self.texts.get(begin..end)? })
    }

    pub fn iter(&self) -> impl Iterator<Item = Shape<'_, 'p>> {
        (0..).map_while(|place| self.get(place))
    }
}

/// The shapes of conditions.
pub(super) fn of_conditions<'p>(conditions: &[&'p Condition]) -> Shapes<'p> {
    let mut outline = Outline::default();
    let mut ends = Vec::with_capacity(conditions.len());
    for condition in conditions {
        outline.expression(&condition.expression);
        ends.push((outline.text.len(), outline.texts.len()));
    }
    let all = outline.text.as_bytes();
    let (mut numbers, mut begin) = (Interner::default(), 0);
    let each = (0..).zip(ends).map(|(next, (end, texts))| {
        let place = mem::replace(&mut begin, end)..end;
        (numbers.number(all.get(place).unwrap_or_default(), next), texts)
    });
    Shapes { each: each.collect(), texts: outline.texts }
}

/// The shapes of rules, whose shared conditions are functions already and differ as a whole.
pub(super) fn of_rules<'p>(rules: &'p [Rule], conditions: &Conditions<'p>, of_conditions: &Shapes<'p>) -> Shapes<'p> {
    /// Where the conditions of a part end.
    const END: (bool, u32) = (false, u32::MAX);
    let mut numbers = conditions.in_rules.iter().copied();
    let mut outlines: BTreeMap<Vec<(bool, u32)>, u32> = BTreeMap::new();
    let mut shapes = Shapes { each: Vec::with_capacity(rules.len()), texts: Vec::with_capacity(rules.len()) };
    let mut parts = Vec::new();
    for rule in rules {
        parts.clear();
        for part in [&rule.when, &rule.allow_if, &rule.deny_if] {
            for number in numbers.by_ref().take(part.len()) {
                let Some(shape) = of_conditions.get(number as usize) else { continue };
                if conditions.is_shared(number) {
                    parts.push((true, number));
                } else {
                    parts.push((false, shape.outline));
                    shapes.texts.extend_from_slice(shape.texts);
                }
            }
            parts.push(END);
        }
        let outline = outlines.get(parts.as_slice()).copied().unwrap_or_else(|| {
            let next = u32::try_from(outlines.len()).unwrap_or(u32::MAX);
            outlines.insert(parts.clone(), next);
            next
        });
        shapes.each.push((outline, shapes.texts.len()));
    }
    shapes
}

#[derive(Default)]
struct Outline<'p> {
    text: String,
    texts: Vec<&'p Tree>,
}

impl<'p> Outline<'p> {
    /// The tree's depth is bounded, so this may recur.
    fn expression(&mut self, tree: &'p Tree) {
        match &tree.kind {
            ExpressionKind::String(_) => {
                self.text.push(HOLE);
                self.texts.push(tree);
            }
            ExpressionKind::Not(operand) => {
                self.text.push_str("not ");
                self.within(operand);
            }
            ExpressionKind::And(left, right) => self.pair(left, "and", right),
            ExpressionKind::Or(left, right) => self.pair(left, "or", right),
            ExpressionKind::Binary(operator, left, right) => self.pair(left, operator.text(), right),
            ExpressionKind::Bool(_)
            | ExpressionKind::Number(_)
            | ExpressionKind::List(_)
            | ExpressionKind::Reference(_)
            | ExpressionKind::Has(_)
            | ExpressionKind::Call(..) => {
                // Writing to a string cannot fail.
                let _ = write!(self.text, "{tree}");
            }
        }
    }

    fn pair(&mut self, left: &'p Tree, operator: &str, right: &'p Tree) {
        self.within(left);
        self.text.push_str(operator);
        self.within(right);
    }

    fn within(&mut self, tree: &'p Tree) {
        self.text.push('(');
        self.expression(tree);
        self.text.push(')');
    }
}

impl<'p> Lowering<'p> {
    /// A parameter for each of a shape's texts, which stands for it in what is lowered next.
    pub(super) fn take_texts(&mut self, texts: &[&'p Tree]) -> Vec<VariableId> {
        self.texts = texts.iter().map(|&text| (text, self.variable("text"))).collect();
        self.texts.iter().map(|&(_, variable)| variable).collect()
    }

    /// What stands for a text: the parameter that was made for it, or the text itself. Of what is no text, nothing.
    pub(super) fn text(&self, tree: &Tree) -> Option<Node> {
        let taken = self.texts.iter().find(|(taken, _)| core::ptr::eq(*taken, tree));
        match taken {
            Some(&(_, variable)) => Some(Node::Variable(variable)),
            None => constant(tree),
        }
    }
}

/// Functions for what many rules or conditions have in common, by their outlines.
pub(super) struct Functions {
    counts: Vec<usize>,
    made: Vec<Option<FunctionId>>,
}

impl Functions {
    pub fn of(shapes: &Shapes<'_>) -> Functions {
        // There are as many outlines as shapes at most.
        let mut counts = vec![0; shapes.each.len()];
        for &(outline, _) in &shapes.each {
            counts.get_mut(outline as usize).into_iter().for_each(|count| *count += 1);
        }
        Functions { made: vec![None; counts.len()], counts }
    }

    pub fn is_shared(&self, shape: Shape<'_, '_>) -> bool {
        shape.texts.len() <= MOST_TEXTS && self.counts.get(shape.outline as usize).is_some_and(|&count| count > FEW)
    }

    /// The function of a shape, which is made when it is first wanted.
    pub fn get(&mut self, shape: Shape<'_, '_>, make: impl FnOnce() -> FunctionId) -> FunctionId {
        match self.made.get_mut(shape.outline as usize) {
            Some(made) => *made.get_or_insert_with(make),
            None => make(),
        }
    }
}

/// The texts as they are given to the function of their shape.
pub(super) fn given(texts: &[&Tree], span: Span) -> impl Iterator<Item = Expression> {
    texts.iter().filter_map(move |text| Some(Expression::new(constant(text)?, span)))
}

fn constant(tree: &Tree) -> Option<Node> {
    let ExpressionKind::String(text) = &tree.kind else { return None };
    Some(Node::Constant(Constant::String(Arc::clone(text).into())))
}
