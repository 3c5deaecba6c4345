//! Expressions.

use super::Lowering;
use super::scope::Binding;
use crate::Code;
use crate::Span;
use crate::ir::{Binary, Entry, Expression, Lambda, Node, Rest, Unary, Values};
use crate::syntax::lua::NumeralValue;
use crate::syntax::lua::tree::{
    BinaryOperator, Expression as Tree, ExpressionKind, Function, Item, Name, Numeral, UnaryOperator,
};
use kerai_vm::bytecode::Constant;

impl Lowering {
    /// An expression's value; the first one where it gives many.
    pub(super) fn expression(&mut self, tree: &Tree) -> Expression {
        let span = tree.span;
        let node = match &tree.kind {
            ExpressionKind::Nil => Node::Nil,
            ExpressionKind::True => Node::Bool(true),
            ExpressionKind::False => Node::Bool(false),
            ExpressionKind::Numeral(numeral) => self.numeral(numeral, span),
            ExpressionKind::String(text) => Node::Constant(Constant::String(text.as_ref().into())),
            ExpressionKind::Variadic => {
                let list = self.rest(span);
                Node::Index(Box::new(list), Box::new(Expression::integer(1, span)))
            }
            ExpressionKind::Function(function) => Node::Lambda(Box::new(self.lambda(function, None))),
            ExpressionKind::Name(name) => return self.name(name),
            ExpressionKind::Field { table, name } => match self.library_name(tree) {
                Some(library) => return self.library_value(&library, span),
                None => {
                    let table = self.expression(table);
                    Node::Index(Box::new(table), Box::new(Expression::string(name.text.as_bytes(), name.span)))
                }
            },
            ExpressionKind::Index { table, key } => {
                let table = self.expression(table);
                let key = self.expression(key);
                Node::Index(Box::new(table), Box::new(key))
            }
            ExpressionKind::Call(call) => return self.call_value(call),
            ExpressionKind::Table(items) => self.table(items),
            ExpressionKind::Parenthesized(inner) => return self.expression(inner),
            ExpressionKind::Unary { operator, operand } => {
                let operand = self.expression(operand);
                let operator = match operator {
                    UnaryOperator::Negate => Unary::Negate,
                    UnaryOperator::Not => Unary::Not,
                    UnaryOperator::Length => Unary::Length,
                    UnaryOperator::BitNot => Unary::Complement,
                };
                Node::Unary(operator, Box::new(operand))
            }
            ExpressionKind::Binary { operator, left, right } => self.binary(*operator, left, right),
        };
        Expression::new(node, span)
    }

    fn numeral(&mut self, numeral: &Numeral, span: Span) -> Node {
        match numeral.value(self.is_float) {
            Ok(NumeralValue::Exact(number)) => Node::Constant(Constant::Number(number)),
            Ok(NumeralValue::Float(float)) => Node::Constant(Constant::float(float)),
            Err(fault) => {
                self.report(Code::LUA_NUMERAL, span, format!("`{}` {}", numeral.text, fault.message()));
                Node::Nil
            }
        }
    }

    fn name(&mut self, name: &Name) -> Expression {
        let span = name.span;
        match self.scopes.get(&name.text) {
            Some(Binding::Variable(variable)) => Expression::variable(*variable, span),
            Some(Binding::Function(id)) => Expression::new(Node::Function(*id), span),
            Some(Binding::Known(value)) => Expression::new(value.node.clone(), span),
            None if self.is_prelude && &*name.text == "__rest" => self.rest(span),
            None => self.library_value(&name.text, span),
        }
    }

    /// The list that `...` stands for.
    pub(super) fn rest(&mut self, span: Span) -> Expression {
        match self.rests.last().copied().flatten() {
            Some(rest) => Expression::variable(rest, span),
            None => {
                self.report(Code::LUA_VARIADIC, span, Code::LUA_VARIADIC.summary());
                Expression::new(Node::Nil, span)
            }
        }
    }

    fn binary(&mut self, operator: BinaryOperator, left: &Tree, right: &Tree) -> Node {
        if operator == BinaryOperator::Concat {
            let mut parts = vec![self.expression(left)];
            self.joined(right, &mut parts);
            return Node::Join(parts);
        }
        let (left, right) = (Box::new(self.expression(left)), Box::new(self.expression(right)));
        let operator = match operator {
            BinaryOperator::Or => return Node::Or(left, right),
            BinaryOperator::And => return Node::And(left, right),
            BinaryOperator::Concat => return Node::Join(vec![*left, *right]),
            BinaryOperator::Less => Binary::Less,
            BinaryOperator::Greater => Binary::Greater,
            BinaryOperator::LessEqual => Binary::AtMost,
            BinaryOperator::GreaterEqual => Binary::AtLeast,
            BinaryOperator::NotEqual => Binary::Different,
            BinaryOperator::Equal => Binary::Equal,
            BinaryOperator::BitOr => Binary::BitOr,
            BinaryOperator::BitXor => Binary::BitExclusiveOr,
            BinaryOperator::BitAnd => Binary::BitAnd,
            BinaryOperator::ShiftLeft => Binary::ShiftLeft,
            BinaryOperator::ShiftRight => Binary::ShiftRight,
            BinaryOperator::Add => Binary::Add,
            BinaryOperator::Subtract => Binary::Subtract,
            BinaryOperator::Multiply => Binary::Multiply,
            BinaryOperator::Divide if self.is_float => Binary::FloatDivide,
            BinaryOperator::Divide => Binary::Divide,
            BinaryOperator::FloorDivide => Binary::FloorDivide,
            BinaryOperator::Modulo => Binary::Modulo,
            BinaryOperator::Power if self.is_float => Binary::FloatPower,
            BinaryOperator::Power => Binary::Power,
        };
        Node::Binary(operator, left, right)
    }

    /// The parts of `a .. b .. c`, which reads as `a .. (b .. c)`.
    fn joined(&mut self, tree: &Tree, parts: &mut Vec<Expression>) {
        match &tree.kind {
            ExpressionKind::Binary { operator: BinaryOperator::Concat, left, right } if parts.len() < MOST_JOINED => {
                let left = self.expression(left);
                parts.push(left);
                self.joined(right, parts);
            }
            _ => {
                let last = self.expression(tree);
                parts.push(last);
            }
        }
    }

    fn table(&mut self, items: &[Item]) -> Node {
        let mut entries = Vec::new();
        let mut rest = None;
        for (position, item) in (1..).zip(items) {
            match item {
                Item::Positional(value) if position == items.len() => match self.many(value) {
                    Many::One(value) => entries.push(Entry::Item(value)),
                    Many::Rest(many) => rest = Some(Box::new(many)),
                },
                Item::Positional(value) => {
                    let value = self.expression(value);
                    entries.push(Entry::Item(value));
                }
                Item::Named { name, value } => {
                    let key = Expression::string(name.text.as_bytes(), name.span);
                    let value = self.expression(value);
                    entries.push(Entry::Keyed(key, value));
                }
                Item::Keyed { key, value } => {
                    let key = self.expression(key);
                    let value = self.expression(value);
                    entries.push(Entry::Keyed(key, value));
                }
            }
        }
        Node::Table(entries, rest)
    }

    /// Values, the last of which may be many.
    pub(super) fn values(&mut self, trees: &[Tree]) -> Values {
        let mut values = Values::none();
        if let Some((last, fixed)) = trees.split_last() {
            values.fixed = fixed.iter().map(|tree| self.expression(tree)).collect();
            match self.many(last) {
                Many::One(value) => values.fixed.push(value),
                Many::Rest(rest) => values.rest = Some(Box::new(rest)),
            }
        }
        values
    }

    /// All values of an expression.
    fn many(&mut self, tree: &Tree) -> Many {
        match &tree.kind {
            ExpressionKind::Variadic => Many::Rest(Rest::Spread(self.rest(tree.span))),
            ExpressionKind::Call(call) => self.call_many(call),
            _ => Many::One(self.expression(tree)),
        }
    }

    /// A function's parameters and body; a method has a first parameter that it does not write.
    pub(super) fn lambda(&mut self, function: &Function, itself: Option<&str>) -> Lambda {
        self.scoped(|lowering| {
            let mut parameters: Vec<_> = itself.map(|name| lowering.declare(name)).into_iter().collect();
            parameters.extend(function.parameters.iter().map(|name| lowering.declare(&name.text)));
            let rest = function.variadic.map(|_| lowering.variable("rest"));
            lowering.rests.push(rest);
            let body = lowering.block(&function.body);
            lowering.rests.pop();
            Lambda { parameters, rest, body }
        })
    }
}

/// Parts that are joined by one instruction.
const MOST_JOINED: usize = 100;

/// One value, or any number of them.
pub(super) enum Many {
    One(Expression),
    Rest(Rest),
}
