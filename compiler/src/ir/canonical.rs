//! The canonical form: what is known before anything runs stands where it is used, and functions that see no variables
//! are functions of the program. So programs that differ in how they name and arrange such things have one root.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the arms name the few nodes of which something is known, of every other nothing is"
)]

use super::{
    Action, Block, Call, Callee, Entry, Expression, Free, Function, FunctionId, Ir, Lambda, Node, Place, Rest,
    Statement, Usage, Values, VariableId, known, walk,
};
use core::mem;

impl Ir {
    /// The program in canonical form, and how it uses its variables. It is checked already.
    pub(super) fn into_canonical(self) -> (Ir, Usage) {
        let variables = self.variables.len();
        let mut usage = Usage::new(variables);
        self.functions.iter().for_each(|function| walk::read::lambda(&function.lambda, &mut usage));
        let mut settling = Settling { ir: self, usage, free: Free::new(variables), settled: vec![None; variables] };
        let mut next = 0;
        // Functions that come out of others are appended, and settled in their turn.
        while let Some(function) = settling.ir.functions.get_mut(next) {
            let mut body = mem::take(&mut function.lambda.body);
            settling.block(&mut body);
            if let Some(function) = settling.ir.functions.get_mut(next) {
                function.lambda.body = body;
            }
            next += 1;
        }
        settling.ir.renumbered()
    }
}

/// Variables that are declared with a value that is known, and never assigned, are settled: their uses become the value.
struct Settling {
    ir: Ir,
    usage: Usage,
    free: Free,
    settled: Vec<Option<Node>>,
}

impl Settling {
    fn block(&mut self, block: &mut Block) {
        // Most blocks stay as long as they are. What is left of others is in blocks that are opened in the end.
        let mut opened = Vec::new();
        let mut place = 0;
        while let Some([statement, rest @ ..]) = block.get_mut(place..) {
            let next = rest.first_mut().map(|next| &mut next.action);
            place += self.statement(&mut statement.action, next, place, &mut opened);
        }
        if opened.is_empty() {
            return;
        }
        let mut opened = opened.into_iter().peekable();
        for (place, Statement { action, span }) in mem::take(block).into_iter().enumerate() {
            match action {
                Action::Block(body) if opened.next_if_eq(&place).is_some() => block.extend(body),
                action => block.push(Statement::new(action, span)),
            }
        }
    }

    /// Settles a statement, or it and the next one, and says how many that were. What can be opened is noted.
    fn statement(
        &mut self,
        action: &mut Action,
        next: Option<&mut Action>,
        place: usize,
        opened: &mut Vec<usize>,
    ) -> usize {
        if let (Action::Let(variables, values), Some(next)) = (&*action, next)
            && self.settles_recursive(variables, values, next)
        {
            (*action, *next) = (Action::Block(Block::new()), Action::Block(Block::new()));
            opened.extend([place, place + 1]);
            return 2;
        }
        self.action(action);
        match action {
            Action::If(arms, otherwise) if arms.is_empty() => *action = Action::Block(mem::take(otherwise)),
            Action::Let(variables, values)
                if variables.is_empty() && values.fixed.is_empty() && values.rest.is_none() =>
            {
                *action = Action::Block(Block::new());
                opened.push(place);
            }
            // A block without declarations of its own is no scope.
            Action::Block(body) if !body.iter().any(|statement| matches!(statement.action, Action::Let(..))) => {
                opened.push(place);
            }
            _ => {}
        }
        1
    }

    /// `let f; set f = lambda`, where the lambda sees nothing but itself and what is settled: a function of the program.
    fn settles_recursive(&mut self, variables: &[VariableId], values: &Values, next: &mut Action) -> bool {
        let ([variable], true, Action::Set(places, Values { fixed, rest: None })) =
            (variables, *values == Values::none(), next)
        else {
            return false;
        };
        let ([Place::Variable(set)], [Expression { node: Node::Lambda(lambda), .. }]) =
            (places.as_slice(), fixed.as_mut_slice())
        else {
            return false;
        };
        let is_only = set == variable && self.usage.assigned(*variable) == 1;
        is_only && self.hoist(lambda, Some(*variable)).is_some()
    }

    /// Makes a function of the program of a lambda that sees no variables but itself and settled ones.
    fn hoist(&mut self, lambda: &mut Lambda, itself: Option<VariableId>) -> Option<FunctionId> {
        let settled = &self.settled;
        let is_known = |id: &VariableId| Some(*id) == itself || matches!(settled.get(id.0 as usize), Some(Some(_)));
        if !self.free.of(lambda).iter().all(is_known) {
            return None;
        }
        let id = FunctionId(u32::try_from(self.ir.functions.len()).ok()?);
        let name = itself.and_then(|id| self.ir.variables.get(id.0 as usize)).map(|variable| variable.name.clone());
        self.ir.functions.push(Function { name: name.unwrap_or_default(), lambda: mem::take(lambda) });
        if let Some(settled) = itself.and_then(|itself| self.settled.get_mut(itself.0 as usize)) {
            *settled = Some(Node::Function(id));
        }
        Some(id)
    }

    fn action(&mut self, action: &mut Action) {
        match action {
            Action::Let(variables, values) => {
                self.declared(variables, values);
                self.settle(variables, values);
            }
            Action::Set(places, values) => {
                for place in places {
                    if let Place::Index(table, key) = place {
                        self.expression(table);
                        self.expression(key);
                    }
                }
                self.values(values);
            }
            Action::Do(call) => self.call(call),
            Action::If(arms, otherwise) => self.arms(arms, otherwise),
            Action::While(condition, body) => {
                self.expression(condition);
                self.block(body);
            }
            Action::Repeat(body, condition) => {
                self.block(body);
                self.expression(condition);
            }
            Action::Count(count) => {
                [&mut count.from, &mut count.to, &mut count.by].into_iter().for_each(|bound| self.expression(bound));
                self.block(&mut count.body);
            }
            Action::Each(each) => {
                self.expression(&mut each.table);
                self.block(&mut each.body);
            }
            Action::Block(body) => self.block(body),
            Action::Break => {}
            Action::Return(values) => self.values(values),
            Action::Raise(value) => self.expression(value),
        }
    }

    /// Arms whose condition is known never to hold go; one that always holds is the last.
    fn arms(&mut self, arms: &mut Vec<(Expression, Block)>, otherwise: &mut Block) {
        for (condition, body) in arms.iter_mut() {
            self.expression(condition);
            self.block(body);
        }
        self.block(otherwise);
        arms.retain(|(condition, _)| known::truth(&condition.node) != Some(false));
        if let Some(always) = arms.iter().position(|(condition, _)| known::truth(&condition.node) == Some(true)) {
            arms.truncate(always + 1);
            if let Some((_, body)) = arms.pop() {
                *otherwise = body;
            }
        }
    }

    /// The values of a declaration. A lambda is named after the variable that holds it.
    fn declared(&mut self, variables: &[VariableId], values: &mut Values) {
        for (place, value) in values.fixed.iter_mut().enumerate() {
            let variable = variables.get(place).copied();
            let is_constant = variable.is_some_and(|variable| self.usage.assigned(variable) == 0);
            if let (true, Node::Lambda(lambda)) = (is_constant, &mut value.node)
                && let Some(id) = self.hoist(lambda, variable)
            {
                value.node = Node::Function(id);
            } else {
                self.expression(value);
            }
        }
        self.rest(values.rest.as_deref_mut());
    }

    /// Takes the variables out whose values are known for good.
    fn settle(&mut self, variables: &mut Vec<VariableId>, values: &mut Values) {
        let is_open = values.rest.is_some();
        let given = values.fixed.len();
        let mut settled = Vec::new();
        for (place, variable) in variables.iter().enumerate() {
            let value = match values.fixed.get(place) {
                Some(value) => Some(&value.node),
                None => (!is_open).then_some(&Node::Nil),
            };
            let value = value.filter(|value| known::is_small(value) && self.usage.assigned(*variable) == 0);
            if let (Some(value), Some(known)) = (value, self.settled.get_mut(variable.0 as usize)) {
                *known = Some(value.clone());
                settled.push(place);
            }
        }
        if settled.is_empty() {
            return;
        }
        let kept = |place: usize| settled.binary_search(&place).is_err();
        let mut place = 0..;
        variables.retain(|_| place.next().is_none_or(kept));
        let mut place = 0..given;
        values.fixed.retain(|_| place.next().is_none_or(kept));
    }

    fn values(&mut self, values: &mut Values) {
        values.fixed.iter_mut().for_each(|value| self.expression(value));
        self.rest(values.rest.as_deref_mut());
    }

    fn rest(&mut self, rest: Option<&mut Rest>) {
        match rest {
            Some(Rest::Call(call)) => self.call(call),
            Some(Rest::Spread(list)) => self.expression(list),
            None => {}
        }
    }

    fn call(&mut self, call: &mut Call) {
        if let Callee::Value(callee) | Callee::Protected(callee) = &mut call.callee {
            self.expression(callee);
        }
        if let Callee::Value(callee) = &call.callee
            && let Node::Function(id) = callee.node
        {
            call.callee = Callee::Function(id);
        }
        self.values(&mut call.arguments);
    }

    fn expression(&mut self, expression: &mut Expression) {
        match &mut expression.node {
            Node::Nil | Node::Bool(_) | Node::Constant(_) | Node::Function(_) => {}
            Node::Variable(variable) => {
                if let Some(Some(value)) = self.settled.get(variable.0 as usize) {
                    expression.node = value.clone();
                }
            }
            Node::Lambda(lambda) => match self.hoist(lambda, None) {
                Some(id) => expression.node = Node::Function(id),
                None => self.block(&mut lambda.body),
            },
            Node::Unary(_, operand) => self.expression(operand),
            Node::Binary(_, a, b) | Node::And(a, b) | Node::Or(a, b) | Node::Index(a, b) => {
                self.expression(a);
                self.expression(b);
            }
            Node::Join(parts) => parts.iter_mut().for_each(|part| self.expression(part)),
            Node::Table(entries, rest) => {
                for entry in entries {
                    if let Entry::Keyed(key, _) = entry {
                        self.expression(key);
                    }
                    let (Entry::Item(value) | Entry::Keyed(_, value)) = entry;
                    self.expression(value);
                }
                self.rest(rest.as_deref_mut());
            }
            Node::List(values) => self.values(values),
            Node::Call(call) => self.call(call),
            Node::With(body, value) => {
                self.block(body);
                self.expression(value);
                if body.is_empty() {
                    expression.node = mem::take(&mut value.node);
                }
            }
        }
        self.simplify(&mut expression.node);
    }

    /// What is known of operands that are known.
    fn simplify(&mut self, node: &mut Node) {
        let simple = match node {
            Node::Unary(operator, operand) => known::unary(*operator, &operand.node),
            Node::Binary(operator, a, b) => known::binary(*operator, &a.node, &b.node),
            Node::And(a, b) => {
                known::truth(&a.node).map(|holds| mem::take(if holds { &mut b.node } else { &mut a.node }))
            }
            Node::Or(a, b) => {
                known::truth(&a.node).map(|holds| mem::take(if holds { &mut a.node } else { &mut b.node }))
            }
            Node::Join(parts) => known::join(parts),
            Node::Nil | Node::Bool(_) | Node::Constant(_) | Node::Variable(_) | Node::Function(_) | Node::Lambda(_) => {
                None
            }
            Node::Index(..) | Node::Table(..) | Node::List(_) | Node::Call(_) | Node::With(..) => None,
        };
        if let Some(simple) = simple {
            *node = simple;
        }
    }
}
