//! Join folds: `lift(op)` and `join(a, b)`, of which `step` is made. So no step can do what its joins don't.

use super::Lowering;
use crate::Span;
use crate::ir::{Action, Binary, Block, Callee, Expression, FunctionId, Lambda, Node, Statement, Values, VariableId};

impl Lowering {
    /// Adds what a fold exports beside `lift`, `join` and `finish`. Without `init` the first lift is the state.
    pub(super) fn join_fold(&mut self, lift: FunctionId, join: FunctionId, has_bottom: bool) {
        let (state, op, part) = (self.variable("state"), self.variable("op"), self.variable("part"));
        let read = |variable: VariableId| Expression::variable(variable, Span::default());
        let call = |function, arguments| Expression::call(Callee::Function(function), arguments, Span::default());
        let give = |values| Statement::new(Action::Return(values), Span::default());
        let when_nil = |variable, block: Block| {
            let nil = Expression::new(Node::Nil, Span::default());
            let is_nil = Expression::binary(Binary::Equal, read(variable), nil, Span::default());
            Statement::new(Action::If(vec![(is_nil, block)], Vec::new()), Span::default())
        };
        let lifted = Values::one(call(lift, vec![read(op)]));
        let mut body = vec![Statement::new(Action::Let(vec![part], lifted), Span::default())];
        body.push(when_nil(part, vec![give(Values::none())]));
        if !has_bottom {
            body.push(when_nil(state, vec![give(Values::one(read(part)))]));
            let nothing = Lambda { parameters: Vec::new(), rest: None, body: vec![give(Values::none())] };
            self.export("init", nothing);
        }
        body.push(give(Values::one(call(join, vec![read(state), read(part)]))));
        self.export("step", Lambda { parameters: vec![state, op], rest: None, body });
    }
}
