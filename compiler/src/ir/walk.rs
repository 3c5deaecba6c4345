//! Walking over a program in the order of evaluation, and what lambdas see of the variables around them.

pub use read::Visit;

use super::{Lambda, Node, VariableId};
use std::collections::{BTreeMap, BTreeSet};

/// The walk is written once, for reading and for changing.
macro_rules! walk {
    ($(#[$about:meta])* $module:ident $visit:ident $iter:ident $as_deref:ident $($mutable:tt)?) => {
        $(#[$about])*
        pub mod $module {
            use super::super::{
                Action, Block, Call, Callee, Entry, Expression, FunctionId, Lambda, Node, Place, Rest, Values, VariableId,
            };

            /// What a walk meets, in the order of evaluation.
            pub trait $visit {
                fn declare(&mut self, _: &$($mutable)? VariableId) {}
                fn read(&mut self, _: &$($mutable)? VariableId) {}
                fn assign(&mut self, _: &$($mutable)? VariableId) {}
                fn function(&mut self, _: &$($mutable)? FunctionId) {}
                fn enter_lambda(&mut self) {}
                fn leave_lambda(&mut self) {}
                fn node(&mut self, _: &Node) {}
            }

            pub fn lambda(lambda: &$($mutable)? Lambda, visit: &mut impl $visit) {
                visit.enter_lambda();
                lambda.parameters.$iter().chain(&$($mutable)? lambda.rest).for_each(|variable| visit.declare(variable));
                block(&$($mutable)? lambda.body, visit);
                visit.leave_lambda();
            }

            pub fn block(block: &$($mutable)? Block, visit: &mut impl $visit) {
                block.$iter().for_each(|statement| action(&$($mutable)? statement.action, visit));
            }

            fn action(action: &$($mutable)? Action, visit: &mut impl $visit) {
                match action {
                    Action::Let(variables, values) => {
                        self::values(values, visit);
                        variables.$iter().for_each(|variable| visit.declare(variable));
                    }
                    Action::Set(places, values) => {
                        for place in places.$iter() {
                            if let Place::Index(table, key) = place {
                                expression(table, visit);
                                expression(key, visit);
                            }
                        }
                        self::values(values, visit);
                        for place in places.$iter().rev() {
                            if let Place::Variable(variable) = place {
                                visit.assign(variable);
                            }
                        }
                    }
                    Action::Do(call) => self::call(call, visit),
                    Action::If(arms, otherwise) => {
                        for (condition, body) in arms {
                            expression(condition, visit);
                            block(body, visit);
                        }
                        block(otherwise, visit);
                    }
                    Action::While(condition, body) => {
                        expression(condition, visit);
                        block(body, visit);
                    }
                    Action::Repeat(body, condition) => {
                        block(body, visit);
                        expression(condition, visit);
                    }
                    Action::Count(count) => {
                        expression(&$($mutable)? count.from, visit);
                        expression(&$($mutable)? count.to, visit);
                        expression(&$($mutable)? count.by, visit);
                        visit.declare(&$($mutable)? count.variable);
                        block(&$($mutable)? count.body, visit);
                    }
                    Action::Each(each) => {
                        expression(&$($mutable)? each.table, visit);
                        visit.declare(&$($mutable)? each.key);
                        visit.declare(&$($mutable)? each.value);
                        block(&$($mutable)? each.body, visit);
                    }
                    Action::Block(body) => block(body, visit),
                    Action::Break => {}
                    Action::Return(values) => self::values(values, visit),
                    Action::Raise(value) => expression(value, visit),
                }
            }

            fn values(values: &$($mutable)? Values, visit: &mut impl $visit) {
                values.fixed.$iter().for_each(|value| expression(value, visit));
                rest(values.rest.$as_deref(), visit);
            }

            fn rest(rest: Option<&$($mutable)? Rest>, visit: &mut impl $visit) {
                match rest {
                    Some(Rest::Call(call)) => self::call(call, visit),
                    Some(Rest::Spread(list)) => expression(list, visit),
                    None => {}
                }
            }

            fn call(call: &$($mutable)? Call, visit: &mut impl $visit) {
                match &$($mutable)? call.callee {
                    Callee::Value(callee) | Callee::Protected(callee) => expression(callee, visit),
                    Callee::Function(id) => visit.function(id),
                    Callee::Builtin(_) => {}
                }
                values(&$($mutable)? call.arguments, visit);
            }

            pub fn expression(expression: &$($mutable)? Expression, visit: &mut impl $visit) {
                visit.node(&expression.node);
                match &$($mutable)? expression.node {
                    Node::Nil | Node::Bool(_) | Node::Constant(_) => {}
                    Node::Function(id) => visit.function(id),
                    Node::Variable(variable) => visit.read(variable),
                    Node::Lambda(lambda) => self::lambda(lambda, visit),
                    Node::Unary(_, operand) => self::expression(operand, visit),
                    Node::Binary(_, a, b) | Node::And(a, b) | Node::Or(a, b) | Node::Index(a, b) => {
                        self::expression(a, visit);
                        self::expression(b, visit);
                    }
                    Node::Join(parts) => parts.$iter().for_each(|part| self::expression(part, visit)),
                    Node::Table(entries, rest) => {
                        for entry in entries {
                            match entry {
                                Entry::Item(value) => self::expression(value, visit),
                                Entry::Keyed(key, value) => {
                                    self::expression(key, visit);
                                    self::expression(value, visit);
                                }
                            }
                        }
                        self::rest(rest.$as_deref(), visit);
                    }
                    Node::List(values) => self::values(values, visit),
                    Node::Call(call) => self::call(call, visit),
                    Node::With(body, value) => {
                        block(body, visit);
                        self::expression(value, visit);
                    }
                }
            }
        }
    };
}

walk!(read Visit iter as_deref);
walk!(change VisitMut iter_mut as_deref_mut mut);

/// The variables that a lambda sees of those around it, in the order of their first use.
#[derive(Default)]
pub struct Free {
    declared: BTreeSet<VariableId>,
    seen: BTreeSet<VariableId>,
    pub variables: Vec<VariableId>,
}

impl Free {
    #[must_use]
    pub fn of(lambda: &Lambda) -> Vec<VariableId> {
        let mut free = Free::default();
        read::lambda(lambda, &mut free);
        free.variables
    }

    fn meet(&mut self, variable: VariableId) {
        if !self.declared.contains(&variable) && self.seen.insert(variable) {
            self.variables.push(variable);
        }
    }
}

impl Visit for Free {
    fn declare(&mut self, &variable: &VariableId) {
        self.declared.insert(variable);
    }

    fn read(&mut self, &variable: &VariableId) {
        self.meet(variable);
    }

    fn assign(&mut self, &variable: &VariableId) {
        self.meet(variable);
    }
}

/// How the variables of a function are used.
#[derive(Default)]
pub struct Usage {
    depth: usize,
    declared_at: BTreeMap<VariableId, usize>,
    /// Variables that a lambda other than their own sees.
    pub captured: BTreeSet<VariableId>,
    /// How often each variable is assigned after its declaration.
    pub assigned: BTreeMap<VariableId, usize>,
    /// Whether some expression holds statements.
    pub has_statements_in_expressions: bool,
}

impl Usage {
    #[must_use]
    pub fn of(lambda: &Lambda) -> Usage {
        let mut usage = Usage::default();
        read::lambda(lambda, &mut usage);
        usage
    }

    /// Whether lambdas and their surroundings must see each other's assignments to the variable.
    #[must_use]
    pub fn is_shared(&self, variable: VariableId) -> bool {
        self.captured.contains(&variable) && self.assigned.contains_key(&variable)
    }

    fn meet(&mut self, variable: VariableId) {
        if self.declared_at.get(&variable).is_some_and(|&depth| depth != self.depth) {
            self.captured.insert(variable);
        }
    }
}

impl Visit for Usage {
    fn declare(&mut self, &variable: &VariableId) {
        self.declared_at.insert(variable, self.depth);
    }

    fn read(&mut self, &variable: &VariableId) {
        self.meet(variable);
    }

    fn assign(&mut self, &variable: &VariableId) {
        self.meet(variable);
        *self.assigned.entry(variable).or_default() += 1;
    }

    fn enter_lambda(&mut self) {
        self.depth += 1;
    }

    fn leave_lambda(&mut self) {
        self.depth -= 1;
    }

    fn node(&mut self, node: &Node) {
        self.has_statements_in_expressions |= matches!(node, Node::With(..));
    }
}
