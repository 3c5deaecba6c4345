//! `for` loops: those of the library's iterators become loops of the IR, others call their iterator.

use super::library::builtin;
use super::{Lowering, only};
use crate::Span;
use crate::ir::{
    Action, Binary, Block, Call, Callee, Count, Each, Expression, Node, Place, Rest, Statement, Values, VariableId,
};
use crate::syntax::lua::tree::{Block as Tree, Call as CallTree, Expression as TreeExpression, ExpressionKind, Name};

impl Lowering {
    pub(super) fn numeric_for(
        &mut self,
        name: &Name,
        bounds: [Option<&TreeExpression>; 3],
        body: &Tree,
        span: Span,
    ) -> Action {
        let [from, to, by] =
            bounds.map(|bound| bound.map_or(Expression::integer(1, span), |bound| self.expression(bound)));
        self.scoped(|lowering| {
            let variable = lowering.declare(&name.text);
            Action::Count(Box::new(Count { variable, from, to, by, body: lowering.block(body) }))
        })
    }

    pub(super) fn generic_for(&mut self, names: &[Name], values: &[TreeExpression], body: &Tree, span: Span) -> Action {
        if let [TreeExpression { kind: ExpressionKind::Call(call), .. }] = values {
            let library = self.library_name(&call.function).filter(|_| call.method.is_none());
            match (library.as_deref(), call.arguments.as_slice()) {
                (Some("ipairs"), [list]) => return self.over_list(names, list, body, span),
                (Some("dpairs"), [table]) => return self.over_table(names, table, body, span),
                (Some("string.gmatch"), [_, _] | [_, _, _]) => return self.over_matches(names, call, body, span),
                _ => {}
            }
        }
        self.over_calls(names, values, body, span)
    }

    /// The loop's variables: as many as there are names, and those beyond what the loop gives are nil.
    fn loop_variables(&mut self, names: &[Name], given: usize, span: Span) -> (Vec<VariableId>, Block) {
        let variables: Vec<VariableId> = names.iter().map(|name| self.declare(&name.text)).collect();
        let missing: Vec<VariableId> = variables.iter().skip(given).copied().collect();
        let block = if missing.is_empty() {
            Block::new()
        } else {
            only(Statement::new(Action::Let(missing, Values::none()), span))
        };
        (variables, block)
    }

    /// 1, 2, … up to the first nil.
    fn over_list(&mut self, names: &[Name], list: &TreeExpression, body: &Tree, span: Span) -> Action {
        let list = self.expression(list);
        self.scoped(|lowering| {
            let table = lowering.variable("list");
            let mut block = only(Statement::new(Action::Let(vec![table], Values::one(list)), span));
            let (variables, mut inner) = lowering.loop_variables(names, 2, span);
            let position = variables.first().copied().unwrap_or_else(|| lowering.variable("position"));
            let value = variables.get(1).copied().unwrap_or_else(|| lowering.variable("value"));
            let item = Expression::index(Expression::variable(table, span), Expression::variable(position, span), span);
            inner.push(Statement::new(Action::Let(vec![value], Values::one(item)), span));
            inner.push(lowering.leave_where_nil(value, span));
            inner.extend(lowering.block(body));
            let [from, to, by] = [1, i64::MAX, 1].map(|bound| Expression::integer(bound, span));
            let count = Count { variable: position, from, to, by, body: inner };
            block.push(Statement::new(Action::Count(Box::new(count)), span));
            Action::Block(block)
        })
    }

    fn leave_where_nil(&mut self, value: VariableId, span: Span) -> Statement {
        let nil = Expression::new(Node::Nil, span);
        let is_nil = Expression::binary(Binary::Equal, Expression::variable(value, span), nil, span);
        Statement::new(Action::If(vec![(is_nil, only(Statement::new(Action::Break, span)))], Block::new()), span)
    }

    /// Sorted keys, with their values.
    fn over_table(&mut self, names: &[Name], table: &TreeExpression, body: &Tree, span: Span) -> Action {
        let table = self.expression(table);
        self.scoped(|lowering| {
            let (variables, mut inner) = lowering.loop_variables(names, 2, span);
            let key = variables.first().copied().unwrap_or_else(|| lowering.variable("key"));
            let value = variables.get(1).copied().unwrap_or_else(|| lowering.variable("value"));
            inner.extend(lowering.block(body));
            Action::Each(Box::new(Each { key, value, table, body: inner }))
        })
    }

    /// Every match of a pattern.
    fn over_matches(&mut self, names: &[Name], call: &CallTree, body: &Tree, span: Span) -> Action {
        let Some(next) = builtin("gmatch-next") else { return Action::Block(Block::new()) };
        let arguments = self.values(&call.arguments);
        self.scoped(|lowering| {
            let [subject, pattern, from, last] =
                ["subject", "pattern", "from", "last"].map(|name| lowering.variable(name));
            let mut block = only(Statement::new(Action::Let(vec![subject, pattern, from], arguments), span));
            let starts = Expression::new(
                Node::Or(Box::new(Expression::variable(from, span)), Box::new(Expression::integer(1, span))),
                span,
            );
            block.push(Statement::new(Action::Set(vec![Place::Variable(from)], Values::one(starts)), span));
            block.push(Statement::new(Action::Let(vec![last], Values::none()), span));
            let end = lowering.variable("end");
            let mut variables = vec![end];
            variables.extend(names.iter().map(|name| lowering.declare(&name.text)));
            let arguments = [subject, pattern, from, last].map(|variable| Expression::variable(variable, span));
            let found = Call { callee: Callee::Builtin(next), arguments: Values::of(arguments.to_vec()) };
            let found = Values { fixed: Vec::new(), rest: Some(Box::new(Rest::Call(found))) };
            let mut inner = only(Statement::new(Action::Let(variables, found), span));
            inner.push(lowering.leave_where_nil(end, span));
            let places = vec![Place::Variable(from), Place::Variable(last)];
            let ends = Values::of(vec![Expression::variable(end, span), Expression::variable(end, span)]);
            inner.push(Statement::new(Action::Set(places, ends), span));
            inner.extend(lowering.block(body));
            block.push(Statement::new(Action::While(Box::new(Expression::new(Node::Bool(true), span)), inner), span));
            Action::Block(block)
        })
    }

    /// What a function gives until its first result is nil: it is called with a state and its last first result.
    fn over_calls(&mut self, names: &[Name], values: &[TreeExpression], body: &Tree, span: Span) -> Action {
        let values = self.values(values);
        self.scoped(|lowering| {
            let [iterator, state, control] = ["iterator", "state", "control"].map(|name| lowering.variable(name));
            let mut block = only(Statement::new(Action::Let(vec![iterator, state, control], values), span));
            let (variables, _) = lowering.loop_variables(names, names.len(), span);
            let arguments = [state, control].map(|variable| Expression::variable(variable, span));
            let callee = Callee::Value(Box::new(Expression::variable(iterator, span)));
            let call = Call { callee, arguments: Values::of(arguments.to_vec()) };
            let results = Values { fixed: Vec::new(), rest: Some(Box::new(Rest::Call(call))) };
            let mut inner = only(Statement::new(Action::Let(variables.clone(), results), span));
            if let Some(&first) = variables.first() {
                inner.push(lowering.leave_where_nil(first, span));
                let value = Values::one(Expression::variable(first, span));
                inner.push(Statement::new(Action::Set(vec![Place::Variable(control)], value), span));
            }
            inner.extend(lowering.block(body));
            block.push(Statement::new(Action::While(Box::new(Expression::new(Node::Bool(true), span)), inner), span));
            Action::Block(block)
        })
    }
}
