//! Statements by chance.

use super::expression::number;
use super::{Maker, Signature, Soft, node, statement};
use kerai_compiler::ir::{
    Action, Binary, Block, Call, Callee, Count, Each, Expression, FunctionId, Lambda, Node, Place, Rest, Statement,
    Type, Values, VariableId,
};
use kerai_vm::bytecode::Constant;

impl Maker<'_> {
    fn block(&mut self, depth: u32) -> Block {
        self.scope(|maker| {
            let count = maker.random.below(4);
            (0..count).filter_map(|_| maker.statement(depth)).collect()
        })
    }

    /// A statement; none where nothing is left to be spent.
    pub(super) fn statement(&mut self, depth: u32) -> Option<Statement> {
        if !self.spend() {
            return None;
        }
        let nested = if depth == 0 { 0 } else { 8 };
        // What goes wrong in a protected call does not end the run.
        if depth > 0 && self.chance(3) {
            return Some(statement(self.attempted(depth - 1)));
        }
        Some(statement(match self.random.below(14 + nested) {
            0..4 => self.declaration(depth),
            4..8 => self.assignment(depth),
            8..10 => Action::Do(self.effect(depth.min(2))),
            10 => self.protected(depth),
            11 => self.nil_then_lambda(depth),
            12 => self.leaving(depth),
            13 => Action::Do(self.call(Soft::Any, depth)),
            14..16 => self.choices(depth - 1),
            16 => self.counted(depth - 1),
            17 => self.walked(depth - 1),
            18 => self.while_loop(depth - 1),
            19 => self.repeat_loop(depth - 1),
            20 => Action::Block(self.block(depth - 1)),
            _ => self.choices(depth - 1),
        }))
    }

    fn declaration(&mut self, depth: u32) -> Action {
        if self.chance(6) {
            return self.typed();
        }
        let count = if self.chance(3) { 1 + self.random.below(3) } else { 1 };
        let softs: Vec<Soft> = (0..count).map(|_| *self.random.pick(Soft::ALL)).collect();
        let given = if self.chance(5) { self.random.below(count + 2) } else { count };
        let wanted: Vec<Soft> = softs.iter().copied().chain([Soft::Any; 2]).take(given as usize).collect();
        let values = self.values(&wanted, depth.max(2));
        // Their values do not see them.
        let is_open = !self.chance(4);
        let variables = softs.iter().map(|&soft| self.declare(soft, Type::Any, is_open)).collect();
        Action::Let(variables, values)
    }

    /// A variable with a type, and a value of which it is known.
    fn typed(&mut self) -> Action {
        let (holds, soft, value) = match self.random.below(8) {
            0 => (Type::Nil, Soft::Nil, Node::Nil),
            1 => (Type::Bool, Soft::Bool, Node::Bool(true)),
            2 => (Type::Float, Soft::Float, Node::Constant(self.constant(Soft::Float))),
            3 => (Type::Fixed, Soft::Fixed, Node::Constant(self.constant(Soft::Fixed))),
            4 => (Type::String, Soft::Text, Node::Join(vec![self.value(Soft::Text, 1), self.value(Soft::Number, 1)])),
            5 => (Type::Bytes, Soft::Bytes, Node::Constant(self.constant(Soft::Bytes))),
            6 => (Type::Table, Soft::List, Node::List(self.values(&[Soft::Number, Soft::Number], 1))),
            _ => (Type::Number, Soft::Number, Node::Constant(self.constant(Soft::Number))),
        };
        let variable = self.declare(soft, holds, false);
        Action::Let(vec![variable], Values::one(node(value)))
    }

    fn assignment(&mut self, depth: u32) -> Action {
        let count = if self.chance(4) { 2 + self.random.below(2) } else { 1 };
        let (mut places, mut softs) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let variable = if self.chance(3) { None } else { self.pick_variable(|known| known.is_open) };
            match variable {
                Some(known) => {
                    places.push(Place::Variable(known.id));
                    softs.push(known.soft);
                }
                None => {
                    let (table, key) = self.table_and_key(depth.min(2));
                    places.push(Place::Index(table, key));
                    softs.push(Soft::Any);
                }
            }
        }
        if self.chance(8) {
            softs.pop();
        }
        Action::Set(places, self.values(&softs, depth.max(2)))
    }

    /// A statement in a protected call, and what became of it.
    fn attempted(&mut self, depth: u32) -> Action {
        let outer = (self.loops, self.is_in_expression);
        (self.loops, self.is_in_expression) = (0, false);
        let body = self.scope(|maker| maker.statement(depth).into_iter().collect());
        (self.loops, self.is_in_expression) = outer;
        let lambda = Lambda { body, ..Lambda::default() };
        let callee = Callee::Protected(Box::new(node(Node::Lambda(Box::new(lambda)))));
        let call = Call { callee, arguments: Values::none() };
        let variables = [Soft::Bool, Soft::Any].map(|soft| self.declare(soft, Type::Any, true)).to_vec();
        Action::Let(variables, Values { fixed: Vec::new(), rest: Some(Box::new(Rest::Call(call))) })
    }

    /// Whether something went well, and what came of it.
    fn protected(&mut self, depth: u32) -> Action {
        let callee = Callee::Protected(Box::new(self.lambda(depth.max(1))));
        let call = Call { callee, arguments: self.values(&[Soft::Any], depth.min(2)) };
        let variables = [Soft::Bool, Soft::Any, Soft::Any].map(|soft| self.declare(soft, Type::Any, true)).to_vec();
        Action::Let(variables, Values { fixed: Vec::new(), rest: Some(Box::new(Rest::Call(call))) })
    }

    /// A variable and a lambda that sees it: the second half is an assignment further down, or here.
    fn nil_then_lambda(&mut self, depth: u32) -> Action {
        let variable = self.declare(Soft::Function, Type::Any, false);
        let body = vec![
            statement(Action::Let(vec![variable], Values::none())),
            statement(Action::Set(vec![Place::Variable(variable)], Values::one(self.lambda(depth.max(1))))),
            statement(Action::Do(Call {
                callee: Callee::Value(Box::new(node(Node::Variable(variable)))),
                arguments: self.values(&[Soft::Number], 1),
            })),
        ];
        self.in_sight.retain(|known| known.id != variable);
        Action::Block(body)
    }

    /// A break, return or raise under a condition, where each may stand.
    fn leaving(&mut self, depth: u32) -> Action {
        let condition = self.truth(depth.min(2));
        let is_return = !self.is_in_expression && self.chance(2);
        let action = if self.loops > 0 && self.chance(2) {
            Action::Break
        } else if is_return {
            Action::Return(self.values(&[Soft::Any], 2))
        } else if self.chance(2) {
            Action::Raise(Box::new(self.value(Soft::Any, 2)))
        } else {
            self.declaration_in_block(depth)
        };
        // Sometimes more stands behind it, which nothing gets to.
        let mut body = vec![statement(action)];
        if self.chance(6) {
            body.extend(self.scope(|maker| maker.statement(0)));
        }
        Action::If(vec![(condition, body)], Vec::new())
    }

    fn declaration_in_block(&mut self, depth: u32) -> Action {
        self.scope(|maker| maker.declaration(depth.min(2)))
    }

    fn condition(&mut self, depth: u32) -> Expression {
        if self.chance(3) { self.value(Soft::Any, depth) } else { self.truth(depth) }
    }

    fn choices(&mut self, depth: u32) -> Action {
        let count = 1 + self.random.below(3).min(self.random.below(3));
        let arms = (0..count).map(|_| (self.condition(2), self.block(depth))).collect();
        let otherwise = if self.chance(2) { self.block(depth) } else { Vec::new() };
        Action::If(arms, otherwise)
    }

    fn looped(&mut self, make: impl FnOnce(&mut Self) -> Block) -> Block {
        self.loops += 1;
        let body = self.scope(make);
        self.loops -= 1;
        body
    }

    fn counted(&mut self, depth: u32) -> Action {
        let (from, to, by) = match self.random.below(9) {
            0 | 8 => (number(3), number(1), number(-1)),
            1 => (self.fraction("0.5"), number(2), self.fraction("0.5")),
            2 => (node(Node::Constant(Constant::Float(0))), number(2), number(1)),
            3 => {
                // Up to the end of what numbers can be, and past it.
                let end = self.fraction("170141183460469231731");
                (self.fraction("170141183460469231730.9"), end, self.fraction("0.6"))
            }
            4 => (number(i64::MAX - 1), self.fraction("9223372036854775808"), number(1)),
            5 if self.chance(3) => (self.value(Soft::Any, 1), number(2), self.value(Soft::Any, 0)),
            _ => (number(1), number(1 + self.random.below(3) as i64), number(1)),
        };
        self.scope(|maker| {
            let variable = maker.declare(Soft::Number, Type::Any, true);
            let body = maker.looped(|maker| maker.block(depth));
            Action::Count(Box::new(Count { variable, from, to, by, body }))
        })
    }

    fn fraction(&self, text: &str) -> Expression {
        node(Node::Constant(Constant::Number(kerai_vm::number::parse_decimal(text.as_bytes()).expect("a number"))))
    }

    fn walked(&mut self, depth: u32) -> Action {
        let soft = if self.chance(2) { Soft::List } else { Soft::Map };
        let table = self.value(soft, 2);
        self.scope(|maker| {
            let key = maker.declare(if soft == Soft::List { Soft::Number } else { Soft::Text }, Type::Any, true);
            let value = maker.declare(Soft::Any, Type::Any, true);
            let body = maker.looped(|maker| maker.block(depth));
            Action::Each(Box::new(Each { key, value, table, body }))
        })
    }

    /// The counter of a loop, how it counts, and whether it has not yet counted far.
    fn counter(&mut self) -> (Statement, Statement, Expression) {
        let counter = self.declare(Soft::Number, Type::Any, false);
        let variable = || node(Node::Variable(counter));
        let one_more = Node::Binary(Binary::Add, Box::new(variable()), Box::new(number(1)));
        let begin = statement(Action::Let(vec![counter], Values::one(number(0))));
        let step = statement(Action::Set(vec![Place::Variable(counter)], Values::one(node(one_more))));
        let limit = number(1 + self.random.below(3) as i64);
        let going = node(Node::Binary(Binary::Less, Box::new(variable()), Box::new(limit)));
        (begin, step, going)
    }

    fn while_loop(&mut self, depth: u32) -> Action {
        self.scope(|maker| {
            let (begin, step, going) = maker.counter();
            let further = maker.condition(2);
            let condition = match maker.random.below(3) {
                0 => going,
                1 => node(Node::And(Box::new(going), Box::new(further))),
                _ => node(Node::And(Box::new(further), Box::new(going))),
            };
            let mut body = vec![step];
            body.extend(maker.looped(|maker| maker.block(depth)));
            Action::Block(vec![begin, statement(Action::While(Box::new(condition), body))])
        })
    }

    fn repeat_loop(&mut self, depth: u32) -> Action {
        self.scope(|maker| {
            let (begin, step, going) = maker.counter();
            maker.loops += 1;
            // The condition sees what the body declares.
            let (body, condition) = maker.scope(|maker| {
                let mut body = vec![step];
                body.extend((0..maker.random.below(3)).filter_map(|_| maker.statement(depth)).collect::<Vec<_>>());
                maker.loops -= 1;
                let ended = node(Node::Unary(kerai_compiler::ir::Unary::Not, Box::new(going)));
                (body, node(Node::Or(Box::new(ended), Box::new(maker.condition(2)))))
            });
            Action::Block(vec![begin, statement(Action::Repeat(body, Box::new(condition)))])
        })
    }

    /// How a recursive function ends.
    pub(super) fn end_of_recursion(&mut self, counter: VariableId, signature: &Signature) -> Statement {
        let variable = node(Node::Variable(counter));
        let ends = node(Node::Binary(Binary::AtMost, Box::new(variable), Box::new(number(0))));
        let results = self.returned(&signature.results.clone());
        statement(Action::If(vec![(ends, vec![statement(Action::Return(results))])], Vec::new()))
    }

    /// How it goes on.
    pub(super) fn recursion(&mut self, counter: VariableId, signature: &Signature, itself: FunctionId) -> Statement {
        let variable = node(Node::Variable(counter));
        let less = node(Node::Binary(Binary::Subtract, Box::new(variable), Box::new(number(1))));
        let mut arguments = vec![less];
        arguments.extend(signature.parameters.iter().skip(1).map(|&soft| self.value(soft, 1)).collect::<Vec<_>>());
        let call = Call { callee: Callee::Function(itself), arguments: Values::of(arguments) };
        let again = if self.chance(3) && !self.is_in_expression {
            let end = Action::Return(Values { fixed: Vec::new(), rest: Some(Box::new(Rest::Call(call))) });
            Action::If(vec![(self.truth(2), vec![statement(end)])], Vec::new())
        } else {
            let variables = signature.results.iter().map(|&soft| self.declare(soft, Type::Any, true)).collect();
            Action::Let(variables, Values { fixed: Vec::new(), rest: Some(Box::new(Rest::Call(call))) })
        };
        statement(again)
    }
}
