//! Shapes: what conditions and rules have in common that differ in nothing but their texts.
//!
//! A thousand rules that differ by a path are one function and a thousand calls of it, to which the path is given. So a
//! program is as large as what is told apart in it, and compiling it costs no more.

use super::Lowering;
use crate::Span;
use crate::ir::{Expression, FunctionId, Node, VariableId};
use crate::syntax::policy::tree::{Condition, Expression as Tree, ExpressionKind, Rule};
use kerai_vm::bytecode::Constant;
use std::collections::BTreeMap;
use std::fmt::Write;

/// What differs in more texts than these is a function of its own.
const MOST_TEXTS: usize = 8;
/// So few of one shape are functions of their own, whose code tells which one it is.
const FEW: usize = 7;
/// Stands for a text in an outline. No text of a condition is written with it.
const HOLE: char = '\0';

/// What is left of conditions without the texts that stand beside operators, and these texts.
#[derive(Debug, Default)]
pub(super) struct Shape<'p> {
    pub outline: String,
    pub texts: Vec<&'p Tree>,
}

impl<'p> Shape<'p> {
    pub fn of_condition(condition: &'p Condition) -> Shape<'p> {
        let mut shape = Shape::default();
        shape.expression(&condition.expression);
        shape
    }

    /// The shape of a rule, whose shared conditions are functions already and differ as a whole.
    pub fn of_rule(rule: &'p Rule, is_shared: impl Fn(&Condition) -> bool) -> Shape<'p> {
        let mut shape = Shape::default();
        for conditions in [&rule.when, &rule.allow_if, &rule.deny_if] {
            for condition in conditions {
                if is_shared(condition) {
                    // No outline of a condition begins so.
                    shape.outline.push('=');
                    shape.outline.push_str(&condition.text);
                } else {
                    shape.expression(&condition.expression);
                }
                shape.outline.push('\n');
            }
            shape.outline.push('\n');
        }
        shape
    }

    /// The tree's depth is bounded, so this may recur.
    fn expression(&mut self, tree: &'p Tree) {
        match &tree.kind {
            ExpressionKind::String(_) => {
                self.outline.push(HOLE);
                self.texts.push(tree);
            }
            ExpressionKind::Not(operand) => {
                self.outline.push_str("not ");
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
                let _ = write!(self.outline, "{tree}");
            }
        }
    }

    fn pair(&mut self, left: &'p Tree, operator: &str, right: &'p Tree) {
        self.within(left);
        self.outline.push_str(operator);
        self.within(right);
    }

    fn within(&mut self, tree: &'p Tree) {
        self.outline.push('(');
        self.expression(tree);
        self.outline.push(')');
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

/// Functions for what many rules or conditions have in common.
pub(super) struct Functions<'s> {
    counts: BTreeMap<&'s str, usize>,
    made: BTreeMap<&'s str, FunctionId>,
}

impl<'s> Functions<'s> {
    pub fn of(shapes: &'s [Shape<'_>]) -> Functions<'s> {
        let mut counts = BTreeMap::new();
        shapes.iter().for_each(|shape| *counts.entry(&*shape.outline).or_default() += 1);
        Functions { counts, made: BTreeMap::new() }
    }

    pub fn is_shared(&self, shape: &Shape<'_>) -> bool {
        shape.texts.len() <= MOST_TEXTS && self.counts.get(&*shape.outline).is_some_and(|&count| count > FEW)
    }

    /// The function of a shape, which is made when it is first wanted.
    pub fn get(&mut self, shape: &'s Shape<'_>, make: impl FnOnce() -> FunctionId) -> FunctionId {
        *self.made.entry(&shape.outline).or_insert_with(make)
    }
}

/// The texts as they are given to the function of their shape.
pub(super) fn given(texts: &[&Tree], span: Span) -> Vec<Expression> {
    texts.iter().filter_map(|text| Some(Expression::new(constant(text)?, span))).collect()
}

fn constant(tree: &Tree) -> Option<Node> {
    let ExpressionKind::String(text) = &tree.kind else { return None };
    Some(Node::Constant(Constant::String(text.as_bytes().to_vec())))
}
