//! Which names a piece of Lua uses that it does not declare itself, and which of those it assigns.

use crate::syntax::lua::tree::{
    Block, Call, Expression, ExpressionKind, Function, Item, Name, Statement, StatementKind,
};
use std::collections::{BTreeMap, BTreeSet};

/// The names that are free in a piece of a source.
#[derive(Debug, Default)]
pub struct Names<'t> {
    scopes: Vec<BTreeSet<&'t str>>,
    /// Every name that is read or assigned, with its first place.
    pub used: BTreeMap<&'t str, &'t Name>,
    /// How often each is assigned.
    pub assigned: BTreeMap<&'t str, usize>,
}

impl<'t> Names<'t> {
    #[must_use]
    pub fn of_function(function: &'t Function) -> Names<'t> {
        let mut names = Names::default();
        names.function(function, false);
        names
    }

    #[must_use]
    pub fn of_statements(statements: impl IntoIterator<Item = &'t Statement>) -> Names<'t> {
        let mut names = Names::default();
        names.scopes.push(BTreeSet::new());
        statements.into_iter().for_each(|statement| names.statement(statement));
        names
    }

    /// Walks statements without a scope of their own, so that what they declare counts as free.
    pub fn walk(&mut self, statements: &'t [Statement]) {
        statements.iter().for_each(|statement| self.statement(statement));
    }

    /// Walks statements of one scope.
    pub fn walk_scoped(&mut self, statements: &[&'t Statement]) {
        self.scopes.push(BTreeSet::new());
        statements.iter().for_each(|statement| self.statement(statement));
        self.scopes.pop();
    }

    fn meet(&mut self, name: &'t Name) -> bool {
        let is_free = !self.scopes.iter().any(|scope| scope.contains(&*name.text));
        if is_free {
            self.used.entry(&name.text).or_insert(name);
        }
        is_free
    }

    fn assign(&mut self, name: &'t Name) {
        if self.meet(name) {
            *self.assigned.entry(&name.text).or_default() += 1;
        }
    }

    fn declare(&mut self, name: &'t Name) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(&name.text);
        }
    }

    fn scoped(&mut self, names: impl IntoIterator<Item = &'t Name>, walk: impl FnOnce(&mut Self)) {
        self.scopes.push(BTreeSet::new());
        names.into_iter().for_each(|name| self.declare(name));
        walk(self);
        self.scopes.pop();
    }

    fn function(&mut self, function: &'t Function, is_method: bool) {
        self.scoped(&function.parameters, |names| {
            if is_method && let Some(scope) = names.scopes.last_mut() {
                scope.insert("self");
            }
            names.statements(&function.body);
        });
    }

    fn block(&mut self, block: &'t Block) {
        self.scoped([], |names| names.statements(block));
    }

    fn statements(&mut self, block: &'t Block) {
        block.statements.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &'t Statement) {
        match &statement.kind {
            StatementKind::Assign { targets, values } => {
                self.expressions(values);
                for target in targets {
                    match &target.kind {
                        ExpressionKind::Name(name) => self.assign(name),
                        _ => self.expression(target),
                    }
                }
            }
            StatementKind::Call(call) => self.call(call),
            StatementKind::Do(body) => self.block(body),
            StatementKind::While { condition, body } => {
                self.expression(condition);
                self.block(body);
            }
            StatementKind::Repeat { body, condition } => self.scoped([], |names| {
                names.statements(body);
                names.expression(condition);
            }),
            StatementKind::If { arms, otherwise } => {
                for arm in arms {
                    self.expression(&arm.condition);
                    self.block(&arm.body);
                }
                otherwise.iter().for_each(|body| self.block(body));
            }
            StatementKind::NumericFor { variable, start, limit, step, body } => {
                [start, limit].into_iter().chain(step).for_each(|bound| self.expression(bound));
                self.scoped([variable], |names| names.statements(body));
            }
            StatementKind::GenericFor { names, values, body } => {
                self.expressions(values);
                self.scoped(names, |names| names.statements(body));
            }
            StatementKind::Function { target, function } => {
                match (target.fields.is_empty(), &target.method) {
                    (true, None) => self.assign(&target.base),
                    _ => {
                        self.meet(&target.base);
                    }
                }
                self.function(function, target.method.is_some());
            }
            StatementKind::LocalFunction { name, function } => {
                self.declare(name);
                self.function(function, false);
            }
            StatementKind::Local { names, values } => {
                self.expressions(values);
                names.iter().for_each(|local| self.declare(&local.name));
            }
            StatementKind::Return(values) => self.expressions(values),
            StatementKind::Break | StatementKind::Goto(_) | StatementKind::Label(_) => {}
        }
    }

    fn expressions(&mut self, expressions: &'t [Expression]) {
        expressions.iter().for_each(|expression| self.expression(expression));
    }

    fn call(&mut self, call: &'t Call) {
        self.expression(&call.function);
        self.expressions(&call.arguments);
    }

    fn expression(&mut self, expression: &'t Expression) {
        match &expression.kind {
            ExpressionKind::Nil | ExpressionKind::True | ExpressionKind::False | ExpressionKind::Variadic => {}
            ExpressionKind::Numeral(_) | ExpressionKind::String(_) => {}
            ExpressionKind::Name(name) => {
                self.meet(name);
            }
            ExpressionKind::Function(function) => self.function(function, false),
            ExpressionKind::Field { table, .. } => self.expression(table),
            ExpressionKind::Index { table: a, key: b } | ExpressionKind::Binary { left: a, right: b, .. } => {
                self.expression(a);
                self.expression(b);
            }
            ExpressionKind::Call(call) => self.call(call),
            ExpressionKind::Table(items) => {
                items.iter().flat_map(Item::expressions).for_each(|item| self.expression(item))
            }
            ExpressionKind::Parenthesized(inner) | ExpressionKind::Unary { operand: inner, .. } => {
                self.expression(inner);
            }
        }
    }
}
