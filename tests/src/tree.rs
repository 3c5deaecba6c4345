//! Every place of an IR that can be changed, in the order in which it stands.

use kerai_compiler::ir::{
    Action, Block, Call, Callee, Entry, Expression, FunctionId, Ir, Lambda, Node, Place, Rest, Values, VariableId,
};

/// What a visit is shown, each before what it holds.
pub trait Visit {
    fn block(&mut self, _: &mut Block) {}
    fn expression(&mut self, _: &mut Expression) {}
    fn values(&mut self, _: &mut Values) {}
    fn call(&mut self, _: &mut Call) {}
    fn lambda(&mut self, _: &mut Lambda) {}
    fn declare(&mut self, _: &mut VariableId) {}
    fn variable(&mut self, _: &mut VariableId) {}
    fn function(&mut self, _: &mut FunctionId) {}
}

/// Shows a whole program.
pub fn visit(ir: &mut Ir, visitor: &mut impl Visit) {
    ir.exports.values_mut().for_each(|id| visitor.function(id));
    ir.functions.iter_mut().for_each(|function| lambda(&mut function.lambda, visitor));
}

fn lambda(lambda: &mut Lambda, visitor: &mut impl Visit) {
    visitor.lambda(lambda);
    lambda.parameters.iter_mut().chain(&mut lambda.rest).for_each(|id| visitor.declare(id));
    block(&mut lambda.body, visitor);
}

fn block(block: &mut Block, visitor: &mut impl Visit) {
    visitor.block(block);
    block.iter_mut().for_each(|statement| action(&mut statement.action, visitor));
}

fn action(action: &mut Action, visitor: &mut impl Visit) {
    match action {
        Action::Let(variables, given) => {
            values(given, visitor);
            variables.iter_mut().for_each(|id| visitor.declare(id));
        }
        Action::Set(places, given) => {
            for place in places {
                match place {
                    Place::Variable(id) => visitor.variable(id),
                    Place::Index(table, key) => [table, key].into_iter().for_each(|part| expression(part, visitor)),
                }
            }
            values(given, visitor);
        }
        Action::Do(made) => call(made, visitor),
        Action::If(arms, otherwise) => {
            for (condition, body) in arms {
                expression(condition, visitor);
                block(body, visitor);
            }
            block(otherwise, visitor);
        }
        Action::While(condition, body) => {
            expression(condition, visitor);
            block(body, visitor);
        }
        Action::Repeat(body, condition) => {
            block(body, visitor);
            expression(condition, visitor);
        }
        Action::Count(count) => {
            [&mut count.from, &mut count.to, &mut count.by].into_iter().for_each(|part| expression(part, visitor));
            visitor.declare(&mut count.variable);
            block(&mut count.body, visitor);
        }
        Action::Each(each) => {
            expression(&mut each.table, visitor);
            visitor.declare(&mut each.key);
            visitor.declare(&mut each.value);
            block(&mut each.body, visitor);
        }
        Action::Block(body) => block(body, visitor),
        Action::Break => {}
        Action::Return(given) => values(given, visitor),
        Action::Raise(value) => expression(value, visitor),
    }
}

fn values(given: &mut Values, visitor: &mut impl Visit) {
    visitor.values(given);
    given.fixed.iter_mut().for_each(|value| expression(value, visitor));
    rest(given.rest.as_deref_mut(), visitor);
}

fn rest(rest: Option<&mut Rest>, visitor: &mut impl Visit) {
    match rest {
        Some(Rest::Call(made)) => call(made, visitor),
        Some(Rest::Spread(list)) => expression(list, visitor),
        None => {}
    }
}

fn call(call: &mut Call, visitor: &mut impl Visit) {
    visitor.call(call);
    match &mut call.callee {
        Callee::Value(callee) | Callee::Protected(callee) => expression(callee, visitor),
        Callee::Function(id) => visitor.function(id),
        Callee::Builtin(_) => {}
    }
    values(&mut call.arguments, visitor);
}

fn expression(expression: &mut Expression, visitor: &mut impl Visit) {
    visitor.expression(expression);
    match &mut expression.node {
        Node::Nil | Node::Bool(_) | Node::Constant(_) => {}
        Node::Function(id) => visitor.function(id),
        Node::Variable(id) => visitor.variable(id),
        Node::Lambda(inner) => lambda(inner, visitor),
        Node::Unary(_, operand) => self::expression(operand, visitor),
        Node::Binary(_, a, b) | Node::And(a, b) | Node::Or(a, b) | Node::Index(a, b) => {
            self::expression(a, visitor);
            self::expression(b, visitor);
        }
        Node::Join(parts) => parts.iter_mut().for_each(|part| self::expression(part, visitor)),
        Node::Table(entries, end) => {
            for entry in entries {
                if let Entry::Keyed(key, _) = entry {
                    self::expression(key, visitor);
                }
                let (Entry::Item(value) | Entry::Keyed(_, value)) = entry;
                self::expression(value, visitor);
            }
            rest(end.as_deref_mut(), visitor);
        }
        Node::List(given) => values(given, visitor),
        Node::Call(made) => call(made, visitor),
        Node::With(body, value) => {
            block(body, visitor);
            self::expression(value, visitor);
        }
    }
}
