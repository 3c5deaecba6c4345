//! Every statement and expression of a tree, once.

use kerai_compiler::syntax::lua::tree::{
    Block, Call, Expression, ExpressionKind, Function, Item, Statement, StatementKind,
};

/// What is met on the way.
pub trait Visitor {
    /// A statement; `is_variadic` says whether `...` may stand in it.
    fn statement(&mut self, _statement: &Statement, _is_variadic: bool) {}
    fn expression(&mut self, _expression: &Expression) {}
}

pub fn block(block: &Block, is_variadic: bool, visitor: &mut dyn Visitor) {
    block.statements.iter().for_each(|inner| statement(inner, is_variadic, visitor));
}

pub fn statement(tree: &Statement, is_variadic: bool, visitor: &mut dyn Visitor) {
    visitor.statement(tree, is_variadic);
    let all = |expressions: &[Expression], visitor: &mut dyn Visitor| {
        expressions.iter().for_each(|inner| expression(inner, is_variadic, visitor));
    };
    match &tree.kind {
        StatementKind::Assign { targets, values } => {
            all(targets, visitor);
            all(values, visitor);
        }
        StatementKind::Call(inner) => call(inner, is_variadic, visitor),
        StatementKind::Do(body) => block(body, is_variadic, visitor),
        StatementKind::While { condition, body } | StatementKind::Repeat { body, condition } => {
            expression(condition, is_variadic, visitor);
            block(body, is_variadic, visitor);
        }
        StatementKind::If { arms, otherwise } => {
            for arm in arms {
                expression(&arm.condition, is_variadic, visitor);
                block(&arm.body, is_variadic, visitor);
            }
            otherwise.iter().for_each(|body| block(body, is_variadic, visitor));
        }
        StatementKind::NumericFor { start, limit, step, body, .. } => {
            [start, limit].into_iter().chain(step).for_each(|bound| expression(bound, is_variadic, visitor));
            block(body, is_variadic, visitor);
        }
        StatementKind::GenericFor { values, body, .. } => {
            all(values, visitor);
            block(body, is_variadic, visitor);
        }
        StatementKind::Function { function: inner, .. } | StatementKind::LocalFunction { function: inner, .. } => {
            function(inner, visitor);
        }
        StatementKind::Local { values, .. } | StatementKind::Return(values) => all(values, visitor),
        StatementKind::Break | StatementKind::Goto(_) | StatementKind::Label(_) => {}
    }
}

fn function(function: &Function, visitor: &mut dyn Visitor) {
    block(&function.body, function.variadic.is_some(), visitor);
}

fn call(call: &Call, is_variadic: bool, visitor: &mut dyn Visitor) {
    expression(&call.function, is_variadic, visitor);
    call.arguments.iter().for_each(|argument| expression(argument, is_variadic, visitor));
}

pub fn expression(tree: &Expression, is_variadic: bool, visitor: &mut dyn Visitor) {
    visitor.expression(tree);
    let mut inner = |tree: &Expression| expression(tree, is_variadic, visitor);
    match &tree.kind {
        ExpressionKind::Nil | ExpressionKind::True | ExpressionKind::False | ExpressionKind::Numeral(_) => {}
        ExpressionKind::String(_) | ExpressionKind::Variadic | ExpressionKind::Name(_) => {}
        ExpressionKind::Function(inner) => function(inner, visitor),
        ExpressionKind::Call(inner) => call(inner, is_variadic, visitor),
        ExpressionKind::Field { table: only, .. }
        | ExpressionKind::Parenthesized(only)
        | ExpressionKind::Unary { operand: only, .. } => inner(only),
        ExpressionKind::Index { table: a, key: b } | ExpressionKind::Binary { left: a, right: b, .. } => {
            inner(a);
            inner(b);
        }
        ExpressionKind::Table(items) => items.iter().flat_map(Item::expressions).for_each(inner),
    }
}
