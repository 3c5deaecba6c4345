//! Whether a condition is true, and whether it is not false: two questions that exchange places under `not`.

use super::{Lowering, Question, joined};
use crate::ir::{Action, Binary, Expression, Node, Statement, Unary, Values, VariableId};
use crate::syntax::policy::schema::Kind;
use crate::syntax::policy::tree::{Expression as Tree, ExpressionKind, Operator};
use kerai_vm::bytecode::Builtin;

/// Lists of more texts than these are searched by a built-in.
const MOST_COMPARED: usize = 64;

impl Lowering<'_> {
    /// What holds where the question's answer is yes. What it gives otherwise is false or nil.
    pub(super) fn truth(&mut self, question: Question, tree: &Tree, input: VariableId) -> Expression {
        let span = tree.span;
        let boxed = |expression: Expression| Box::new(expression);
        let node = match (&tree.kind, question) {
            (ExpressionKind::Bool(truth), _) => Node::Bool(*truth),
            (ExpressionKind::And(left, right), _) => {
                Node::And(boxed(self.truth(question, left, input)), boxed(self.truth(question, right, input)))
            }
            (ExpressionKind::Or(left, right), _) => {
                Node::Or(boxed(self.truth(question, left, input)), boxed(self.truth(question, right, input)))
            }
            (ExpressionKind::Not(operand), _) => {
                let other = match question {
                    Question::Certain => Question::Possible,
                    Question::Possible => Question::Certain,
                };
                let operand = self.truth(other, operand, input);
                return Expression::unary(Unary::Not, operand, span);
            }
            (ExpressionKind::Has(_), Question::Possible) => Node::Bool(true),
            (ExpressionKind::Has(reference), Question::Certain) => {
                let value = self.read(reference, None, input, span);
                return Expression::binary(Binary::Different, value, Expression::new(Node::Nil, span), span);
            }
            (_, Question::Certain) => return self.short(tree, input).unwrap_or_else(|| self.atom(tree, input)),
            (_, Question::Possible) => {
                let answer = self.atom(tree, input);
                return Expression::binary(Binary::Different, answer, Expression::new(Node::Bool(false), span), span);
            }
        };
        Expression::new(node, span)
    }

    /// True, false, or nil.
    pub(super) fn atom(&mut self, tree: &Tree, input: VariableId) -> Expression {
        let value = self.value(tree, None, input);
        match &tree.kind {
            ExpressionKind::Reference(reference) if *self.schema.kind_of(reference) == Kind::Any => {
                let kind = Expression::string(*b"bool", tree.span);
                Expression::builtin(Builtin::TotalOf, vec![value, kind], tree.span)
            }
            _ => value,
        }
    }

    /// Equality with texts, asked directly: what is equal to a text is one.
    fn short(&mut self, tree: &Tree, input: VariableId) -> Option<Expression> {
        let span = tree.span;
        let ExpressionKind::Binary(operator, left, right) = &tree.kind else { return None };
        let ExpressionKind::Reference(reference) = &left.kind else { return None };
        if !matches!(self.schema.kind_of(reference), Kind::Any | Kind::String | Kind::Path) {
            return None;
        }
        match (operator, &right.kind) {
            (Operator::Equal, ExpressionKind::String(_)) => {
                let value = self.read_raw(reference, input, span);
                Some(Expression::binary(Binary::Equal, value, Expression::new(self.text(right)?, span), span))
            }
            (Operator::In, ExpressionKind::List(items)) if items.len() <= MOST_COMPARED => {
                let texts: Vec<Node> = items.iter().map(|item| self.text(item)).collect::<Option<_>>()?;
                let variable = self.variable("value");
                let value = self.read_raw(reference, input, span);
                let declared = Statement::new(Action::Let(vec![variable], Values::one(value)), span);
                let equal = |text: Node| {
                    let text = Expression::new(text, span);
                    Expression::binary(Binary::Equal, Expression::variable(variable, span), text, span)
                };
                let any = joined(texts.into_iter().map(equal).collect(), Node::Or)?;
                Some(Expression::new(Node::With(vec![declared], Box::new(any)), span))
            }
            _ => None,
        }
    }
}
