//! Values of conditions: each is computed by operations that are total, and nil stands for unknown.

use super::Lowering;
use crate::Span;
use crate::ir::{Expression, Node, Values, VariableId};
use crate::syntax::policy::schema::Kind;
use crate::syntax::policy::tree::{Expression as Tree, ExpressionKind, Function, Operator, Reference, Step};
use kerai_vm::bytecode::{Builtin, Constant};

impl Lowering<'_> {
    /// A value, or nil. Whoever takes nothing but values of one kind names it, so that it need not be looked at twice.
    pub(super) fn value(&mut self, tree: &Tree, taken: Option<&str>, input: VariableId) -> Expression {
        let span = tree.span;
        let node = match &tree.kind {
            ExpressionKind::Bool(truth) => Node::Bool(*truth),
            ExpressionKind::Number(number) => Node::Constant(Constant::Number(*number)),
            ExpressionKind::String(_) => self.text(tree).unwrap_or_default(),
            ExpressionKind::List(items) => {
                Node::List(Values::of(items.iter().map(|item| self.value(item, None, input)).collect()))
            }
            ExpressionKind::Reference(reference) => return self.read(reference, taken, input, span),
            ExpressionKind::Binary(operator, left, right) => return self.binary(*operator, left, right, input, span),
            ExpressionKind::Call(function, argument) => {
                let argument = self.value(argument, None, input);
                let builtin = match function {
                    Function::Size => Builtin::TotalSize,
                    Function::Lower => Builtin::TotalLower,
                };
                return Expression::builtin(builtin, vec![argument], span);
            }
            // A condition where a value is wanted is refused before.
            ExpressionKind::Has(_) | ExpressionKind::Not(_) | ExpressionKind::And(..) | ExpressionKind::Or(..) => {
                Node::Nil
            }
        };
        Expression::new(node, span)
    }

    fn binary(&mut self, operator: Operator, left: &Tree, right: &Tree, input: VariableId, span: Span) -> Expression {
        let (builtin, is_swapped) = match operator {
            Operator::Equal | Operator::NotEqual => (Builtin::TotalEqual, false),
            Operator::Less => (Builtin::TotalLess, false),
            Operator::AtMost => (Builtin::TotalAtMost, false),
            Operator::Greater => (Builtin::TotalLess, true),
            Operator::AtLeast => (Builtin::TotalAtMost, true),
            Operator::Includes => (self.search_of(left, Builtin::TotalIncludes), false),
            Operator::Contains => (self.search_of(left, Builtin::TotalContains), false),
            Operator::In => (self.search_of(right, Builtin::TotalIncludes), true),
            Operator::StartsWith => (Builtin::TotalStarts, false),
            Operator::EndsWith => (Builtin::TotalEnds, false),
            Operator::Matches => (Builtin::TotalMatches, false),
            Operator::InCidr => (Builtin::TotalWithin, false),
            Operator::Add => (Builtin::TotalAdd, false),
            Operator::Subtract => (Builtin::TotalSubtract, false),
            Operator::Multiply => (Builtin::TotalMultiply, false),
            Operator::Divide => (Builtin::TotalDivide, false),
            Operator::FloorDivide => (Builtin::TotalFloorDivide, false),
            Operator::Modulo => (Builtin::TotalModulo, false),
        };
        let left_value = self.value(left, taken(builtin, right), input);
        let right_value = self.value(right, taken(builtin, left), input);
        let arguments = if is_swapped { vec![right_value, left_value] } else { vec![left_value, right_value] };
        let answer = Expression::builtin(builtin, arguments, span);
        if operator != Operator::NotEqual {
            return answer;
        }
        // What is equal to false is the other truth, and what is unknown stays so.
        Expression::builtin(Builtin::TotalEqual, vec![answer, Expression::new(Node::Bool(false), span)], span)
    }

    /// What looks for an item: where a list is declared, nothing but a list will do.
    fn search_of(&self, whole: &Tree, general: Builtin) -> Builtin {
        match &whole.kind {
            ExpressionKind::Reference(reference) if matches!(self.schema.kind_of(reference), Kind::List(_)) => {
                Builtin::TotalItem
            }
            ExpressionKind::List(_) => Builtin::TotalItem,
            ExpressionKind::Reference(_)
            | ExpressionKind::Bool(_)
            | ExpressionKind::Number(_)
            | ExpressionKind::String(_)
            | ExpressionKind::Has(_)
            | ExpressionKind::Not(_)
            | ExpressionKind::And(..)
            | ExpressionKind::Or(..)
            | ExpressionKind::Binary(..)
            | ExpressionKind::Call(..) => general,
        }
    }

    /// What is referred to, if it is of the kind that was declared.
    pub(super) fn read(
        &mut self,
        reference: &Reference,
        taken: Option<&str>,
        input: VariableId,
        span: Span,
    ) -> Expression {
        let raw = self.read_raw(reference, input, span);
        match self.schema.kind_of(reference).machine() {
            Some(kind) if taken != Some(kind) => {
                let kind = Expression::string(kind.as_bytes(), span);
                Expression::builtin(Builtin::TotalOf, vec![raw, kind], span)
            }
            Some(_) | None => raw,
        }
    }

    /// What is referred to, whatever it is.
    pub(super) fn read_raw(&mut self, reference: &Reference, input: VariableId, span: Span) -> Expression {
        let name = Expression::string(reference.root.text.as_bytes(), span);
        let root = Expression::index(Expression::variable(input, span), name, span);
        reference.steps.iter().fold(root, |map, step| {
            let key = match step {
                Step::Field(name) => Expression::string(name.text.as_bytes(), span),
                Step::Key(key) => self.value(key, None, input),
            };
            Expression::builtin(Builtin::TotalField, vec![map, key], span)
        })
    }
}

/// The one kind that an operation takes on a side, where there is one, given what stands on the other.
fn taken(builtin: Builtin, other: &Tree) -> Option<&'static str> {
    match builtin {
        Builtin::TotalStarts | Builtin::TotalEnds | Builtin::TotalMatches | Builtin::TotalWithin => Some("string"),
        Builtin::TotalAdd
        | Builtin::TotalSubtract
        | Builtin::TotalMultiply
        | Builtin::TotalDivide
        | Builtin::TotalFloorDivide
        | Builtin::TotalModulo => Some("number"),
        // A list can't be an item, so that it can only be what is looked through.
        Builtin::TotalItem => Some("list"),
        Builtin::TotalEqual | Builtin::TotalLess | Builtin::TotalAtMost => match &other.kind {
            ExpressionKind::Bool(_) => Some("bool"),
            ExpressionKind::Number(_) => Some("number"),
            ExpressionKind::String(_) => Some("string"),
            ExpressionKind::List(_)
            | ExpressionKind::Reference(_)
            | ExpressionKind::Has(_)
            | ExpressionKind::Not(_)
            | ExpressionKind::And(..)
            | ExpressionKind::Or(..)
            | ExpressionKind::Binary(..)
            | ExpressionKind::Call(..) => None,
        },
        _ => None,
    }
}
