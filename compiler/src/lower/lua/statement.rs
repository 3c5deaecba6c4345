//! Statements.

use super::Lowering;
use super::scope::Binding;
use crate::ir::{Action, Block, Expression, Node, Place, Statement, Values};
use crate::syntax::lua::tree::{
    Block as Tree, Expression as Target, ExpressionKind, Function, FunctionName, Name, Statement as TreeStatement,
    StatementKind,
};
use crate::{Code, Span};

impl Lowering {
    pub(super) fn block(&mut self, tree: &Tree) -> Block {
        self.scoped(|lowering| lowering.statements(&tree.statements))
    }

    /// Statements in the scope that is open.
    pub(super) fn statements<'t>(&mut self, trees: impl IntoIterator<Item = &'t TreeStatement>) -> Block {
        let mut block = Block::new();
        for tree in trees {
            self.statement(tree, &mut block);
        }
        block
    }

    fn statement(&mut self, tree: &TreeStatement, block: &mut Block) {
        let span = tree.span;
        let action = match &tree.kind {
            StatementKind::Assign { targets, values } => {
                let places = targets.iter().map(|target| self.place(target)).collect();
                let values = self.values(values);
                Action::Set(places, values)
            }
            StatementKind::Call(call) => return block.extend(self.call_statement(call)),
            StatementKind::Do(body) => Action::Block(self.block(body)),
            StatementKind::While { condition, body } => {
                let condition = self.expression(condition);
                Action::While(Box::new(condition), self.block(body))
            }
            StatementKind::Repeat { body, condition } => self.scoped(|lowering| {
                let body = lowering.statements(&body.statements);
                Action::Repeat(body, Box::new(lowering.expression(condition)))
            }),
            StatementKind::If { arms, otherwise } => {
                let arms = arms
                    .iter()
                    .map(|arm| {
                        let condition = self.expression(&arm.condition);
                        (condition, self.block(&arm.body))
                    })
                    .collect();
                let otherwise = otherwise.as_ref().map(|body| self.block(body));
                Action::If(arms, otherwise.unwrap_or_default())
            }
            StatementKind::NumericFor { variable, start, limit, step, body } => {
                self.numeric_for(variable, [Some(start), Some(limit), step.as_deref()], body, span)
            }
            StatementKind::GenericFor { names, values, body } => self.generic_for(names, values, body, span),
            StatementKind::Function { target, function } => self.function_statement(target, function, span),
            StatementKind::LocalFunction { name, function } => {
                let variable = self.declare(&name.text);
                block.push(Statement::new(Action::Let(vec![variable], Values::none()), span));
                let lambda = Node::Lambda(Box::new(self.lambda(function, None)));
                Action::Set(vec![Place::Variable(variable)], Values::one(Expression::new(lambda, span)))
            }
            StatementKind::Local { names, values } => {
                let values = self.values(values);
                let variables = names.iter().map(|local| self.declare(&local.name.text)).collect();
                Action::Let(variables, values)
            }
            StatementKind::Return(values) => Action::Return(self.values(values)),
            StatementKind::Break => Action::Break,
            StatementKind::Goto(name) | StatementKind::Label(name) => {
                self.report(Code::LUA_GOTO, name.span, Code::LUA_GOTO.summary());
                return;
            }
        };
        block.push(Statement::new(action, span));
    }

    fn place(&mut self, target: &Target) -> Place {
        match &target.kind {
            ExpressionKind::Field { table, name } => {
                let table = self.expression(table);
                Place::Index(table, Expression::string(name.text.as_bytes(), name.span))
            }
            ExpressionKind::Index { table, key } => {
                let table = self.expression(table);
                let key = self.expression(key);
                Place::Index(table, key)
            }
            ExpressionKind::Name(name) => self.named_place(name),
            _ => {
                self.report(Code::LUA_SYNTAX, target.span, "this can't be assigned to");
                Place::Index(Expression::new(Node::Nil, target.span), Expression::new(Node::Nil, target.span))
            }
        }
    }

    fn named_place(&mut self, name: &Name) -> Place {
        if let Some(Binding::Variable(variable)) = self.scopes.get(&name.text) {
            return Place::Variable(*variable);
        }
        self.report(Code::LUA_ASSIGNED, name.span, format!("`{}` can't be assigned here", name.text));
        Place::Index(Expression::new(Node::Nil, name.span), Expression::new(Node::Nil, name.span))
    }

    /// `function a.b:c() … end`, where `a` is a variable.
    fn function_statement(&mut self, target: &FunctionName, function: &Function, span: Span) -> Action {
        let path: Vec<&Name> = target.fields.iter().chain(&target.method).collect();
        let place = match path.split_last() {
            None => self.named_place(&target.base),
            Some((last, fields)) => {
                let base = Target { kind: ExpressionKind::Name(target.base.clone()), span: target.base.span, depth: 0 };
                let mut table = self.expression(&base);
                for field in fields {
                    table = Expression::index(table, Expression::string(field.text.as_bytes(), field.span), field.span);
                }
                Place::Index(table, Expression::string(last.text.as_bytes(), last.span))
            }
        };
        let lambda = self.lambda(function, target.method.as_ref().map(|_| "self"));
        Action::Set(vec![place], Values::one(Expression::new(Node::Lambda(Box::new(lambda)), span)))
    }
}
