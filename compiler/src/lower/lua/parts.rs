//! Folds with a key: the state is a map from keys to parts, and what the author wrote folds one part. So no operation can
//! see, or change, what operations with another key did.

use super::Lowering;
use crate::Span;
use crate::ir::{Action, Binary, Block, Callee, Entry, Expression, FunctionId, Lambda, Node, Place, Statement, Values};
use crate::ir::{Call, VariableId};

fn read(variable: VariableId) -> Expression {
    Expression::variable(variable, Span::default())
}

fn call(function: FunctionId, arguments: Vec<Expression>) -> Expression {
    Expression::call(Callee::Function(function), arguments, Span::default())
}

fn value(function: FunctionId) -> Expression {
    Expression::new(Node::Function(function), Span::default())
}

fn declare(variable: VariableId, value: Expression) -> Statement {
    Statement::new(Action::Let(vec![variable], Values::one(value)), Span::default())
}

fn give(values: Values) -> Statement {
    Statement::new(Action::Return(values), Span::default())
}

fn when_nil(variable: VariableId, block: Block) -> Statement {
    let nil = Expression::new(Node::Nil, Span::default());
    let is_nil = Expression::binary(Binary::Equal, read(variable), nil, Span::default());
    Statement::new(Action::If(vec![(is_nil, block)], Vec::new()), Span::default())
}

impl Lowering {
    /// Makes a fold of the fold of one part, by the value that these names lead to from an operation.
    pub(super) fn in_parts(&mut self, key: Vec<String>) {
        let export = |name: &str| self.ir.exports.get(name).copied();
        let joins = export("lift").zip(export("join"));
        let (Some(init), Some(step), Some(finish)) = (export("init"), export("step"), export("finish")) else { return };
        let part = self.part_of(&key);
        self.ir.key = key;
        let empty = Expression::new(Node::Table(Vec::new(), None), Span::default());
        self.export("init", Lambda { parameters: Vec::new(), rest: None, body: vec![give(Values::one(empty))] });
        match joins {
            Some((lift, join)) => self.joined_parts(part, lift, join),
            None => self.stepped_parts(part, init, step),
        }
        let state = self.variable("state");
        let finished = self.part_function("parts.finish").map(|all| {
            let arguments = vec![read(state), value(finish)];
            let arguments = Values { fixed: arguments, rest: None };
            Statement::new(Action::Do(Call { callee: Callee::Function(all), arguments }), Span::default())
        });
        self.export("finish", Lambda { parameters: vec![state], rest: None, body: finished.into_iter().collect() });
    }

    fn part_function(&mut self, name: &str) -> Option<FunctionId> {
        let found = self.prelude_function(name);
        debug_assert!(found.is_some(), "{name} stands in the library");
        found
    }

    /// The function that gives an operation's part.
    fn part_of(&mut self, key: &[String]) -> FunctionId {
        let op = self.variable("op");
        let (member, of) = (self.part_function("lattice.member"), self.part_function("parts.of"));
        let id = self.reserve("part");
        if let (Some(member), Some(of)) = (member, of) {
            let found = key.iter().fold(read(op), |found, name| {
                call(member, vec![found, Expression::string(name.as_bytes(), Span::default())])
            });
            let body = vec![give(Values::one(call(of, vec![found])))];
            self.define(id, Lambda { parameters: vec![op], rest: None, body });
        }
        id
    }

    /// Parts that are joined: what is lifted stands under its key, and maps are joined entry by entry.
    fn joined_parts(&mut self, part: FunctionId, lift: FunctionId, join: FunctionId) {
        let (op, lifted) = (self.variable("op"), self.variable("lifted"));
        let entry = Entry::Keyed(call(part, vec![read(op)]), read(lifted));
        let body = vec![
            declare(lifted, call(lift, vec![read(op)])),
            when_nil(lifted, vec![give(Values::none())]),
            give(Values::one(Expression::new(Node::Table(vec![entry], None), Span::default()))),
        ];
        self.export("lift", Lambda { parameters: vec![op], rest: None, body });
        let Some(map) = self.part_function("lattice.map") else { return };
        let (a, b) = (self.variable("a"), self.variable("b"));
        let body = vec![give(Values::one(call(map, vec![read(a), read(b), value(join)])))];
        self.export("join", Lambda { parameters: vec![a, b], rest: None, body });
        let export = |name: &str| self.ir.exports.get(name).copied();
        if let (Some(lift), Some(join)) = (export("lift"), export("join")) {
            self.join_fold(lift, join, true);
        }
    }

    /// Parts that take one operation after another.
    fn stepped_parts(&mut self, part: FunctionId, init: FunctionId, step: FunctionId) {
        let (state, op, name, old, new) = (
            self.variable("state"),
            self.variable("op"),
            self.variable("name"),
            self.variable("old"),
            self.variable("new"),
        );
        // The machine gives a seed to a step that takes one.
        let takes = self.ir.functions.get(step.0 as usize).map_or(0, |step| step.lambda.parameters.len());
        let seed: Vec<VariableId> = (2..takes).map(|_| self.variable("seed")).collect();
        let arguments = [old, op].into_iter().chain(seed.iter().copied()).map(read).collect();
        let place = || Expression::index(read(state), read(name), Span::default());
        let keep = |variable| {
            let place = Place::Index(read(state), read(name));
            Statement::new(Action::Set(vec![place], Values::one(read(variable))), Span::default())
        };
        let begin = Statement::new(
            Action::Set(vec![Place::Variable(old)], Values::one(call(init, Vec::new()))),
            Span::default(),
        );
        let body = vec![
            declare(name, call(part, vec![read(op)])),
            declare(old, place()),
            when_nil(old, vec![begin, keep(old)]),
            declare(new, call(step, arguments)),
            when_nil(new, vec![give(Values::none())]),
            keep(new),
        ];
        let parameters = [state, op].into_iter().chain(seed).collect();
        self.export("step", Lambda { parameters, rest: None, body });
    }
}
