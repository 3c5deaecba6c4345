//! The stack while words are lowered: what lies on it is expressions that are not evaluated yet, in the order in which
//! they will be, variables and constants, and brackets, of which nobody knows yet whether they are data or code.

use super::effect::Kind;
use crate::Span;
use crate::ir::{Block, Expression, VariableId};
use crate::syntax::words::tree::{Bracket, Name, Notation, Term};
use std::collections::BTreeMap;
use std::rc::Rc;

/// An item.
#[derive(Debug, Clone)]
pub(super) struct Item<'t> {
    pub(super) value: Value<'t>,
    pub(super) kind: Kind,
    /// The place of the input that it is, counted from the top of those that were taken first.
    pub(super) was: Option<usize>,
    /// How deep its expression is nested.
    pub(super) depth: u64,
}

#[derive(Debug, Clone)]
pub(super) enum Value<'t> {
    /// What can stand anywhere, and as often as one likes.
    Settled(Expression),
    /// What must be evaluated once, in its turn.
    Pending(Expression),
    Code(Code<'t>),
}

/// What a bracket, or an argument of a word that runs it, says, with the items that have names where it stands.
#[derive(Debug, Clone)]
pub(super) struct Code<'t> {
    pub(super) terms: &'t [Term],
    pub(super) parameters: &'t [Name],
    pub(super) notation: Notation,
    /// The bracket, where it can be data too.
    pub(super) data: Option<&'t Bracket>,
    pub(super) scope: Scope<'t>,
    pub(super) span: Span,
}

/// The items that have names.
pub(super) type Scope<'t> = Rc<BTreeMap<&'t str, Item<'t>>>;

impl<'t> Item<'t> {
    pub(super) fn settled(expression: Expression, kind: Kind) -> Item<'t> {
        Item { value: Value::Settled(expression), kind, was: None, depth: 0 }
    }

    pub(super) fn pending(expression: Expression, kind: Kind, depth: u64) -> Item<'t> {
        Item { value: Value::Pending(expression), kind, was: None, depth }
    }

    pub(super) fn variable(variable: VariableId, kind: Kind, span: Span) -> Item<'t> {
        Item::settled(Expression::variable(variable, span), kind)
    }

    pub(super) const fn is_pending(&self) -> bool {
        matches!(self.value, Value::Pending(_))
    }
}

/// A function's body on its way, or that of a quotation within it.
#[derive(Debug, Clone, Default)]
pub(super) struct Body<'t> {
    pub(super) stack: Vec<Item<'t>>,
    pub(super) block: Block,
    /// What was taken from below: how many of the inputs stand on the stack, or were taken from there.
    pub(super) taken: usize,
    pub(super) end: End,
}

/// How what follows is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum End {
    #[default]
    Open,
    /// Not at all: so many values were returned.
    Returned(usize),
    /// Not at all: an error was raised.
    Raised,
}
