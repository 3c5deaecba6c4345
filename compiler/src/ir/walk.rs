//! Walking over a program in the order of evaluation, and what lambdas see of the variables around them.

pub use read::Visit;

use super::{Lambda, Node, VariableId};
use core::mem;

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

/// The variables that a lambda sees of those around it, in the order of their first use. One of these serves all
/// lambdas of a program, so that none costs more than its own size.
pub struct Free {
    /// The last lambda that declared or met a variable.
    met: Vec<u32>,
    lambda: u32,
    variables: Vec<VariableId>,
}

impl Free {
    /// For programs of so many variables.
    #[must_use]
    pub fn new(variables: usize) -> Free {
        Free { met: vec![0; variables], lambda: 0, variables: Vec::new() }
    }

    pub fn of(&mut self, lambda: &Lambda) -> &[VariableId] {
        self.lambda = self.lambda.wrapping_add(1);
        self.variables.clear();
        read::lambda(lambda, self);
        &self.variables
    }

    /// Whether the lambda has not met the variable before.
    fn is_new(&mut self, variable: VariableId) -> bool {
        let lambda = self.lambda;
        self.met.get_mut(variable.0 as usize).is_some_and(|met| mem::replace(met, lambda) != lambda)
    }

    fn meet(&mut self, variable: VariableId) {
        if self.is_new(variable) {
            self.variables.push(variable);
        }
    }
}

impl Visit for Free {
    fn declare(&mut self, &variable: &VariableId) {
        self.is_new(variable);
    }

    fn read(&mut self, &variable: &VariableId) {
        self.meet(variable);
    }

    fn assign(&mut self, &variable: &VariableId) {
        self.meet(variable);
    }
}

/// How the variables of a program are used. Each is seen by the function alone that declares it, and the lambdas there.
#[derive(Debug, Clone)]
pub struct Usage {
    depth: u32,
    variables: Vec<Used>,
    /// Whether some expression holds statements.
    pub has_statements_in_expressions: bool,
}

/// How a variable is used.
#[derive(Debug, Clone, Copy, Default)]
struct Used {
    /// How deep in lambdas it is declared.
    declared_at: u32,
    /// Whether a lambda other than its own sees it.
    is_captured: bool,
    /// How often it is assigned after its declaration.
    assigned: u32,
}

impl Usage {
    /// For programs of so many variables.
    #[must_use]
    pub fn new(variables: usize) -> Usage {
        Usage { depth: 0, variables: vec![Used::default(); variables], has_statements_in_expressions: false }
    }

    /// How often a variable is assigned after its declaration.
    #[must_use]
    pub fn assigned(&self, variable: VariableId) -> u32 {
        self.used(variable).map_or(0, |used| used.assigned)
    }

    /// Whether lambdas and their surroundings must see each other's assignments to the variable.
    #[must_use]
    pub fn is_shared(&self, variable: VariableId) -> bool {
        self.used(variable).is_some_and(|used| used.is_captured && used.assigned > 0)
    }

    fn used(&self, variable: VariableId) -> Option<&Used> {
        self.variables.get(variable.0 as usize)
    }

    fn used_mut(&mut self, variable: VariableId) -> Option<&mut Used> {
        self.variables.get_mut(variable.0 as usize)
    }

    fn meet(&mut self, variable: VariableId) {
        let depth = self.depth;
        if let Some(used) = self.used_mut(variable) {
            used.is_captured |= used.declared_at != 0 && used.declared_at != depth;
        }
    }
}

impl Visit for Usage {
    fn declare(&mut self, &variable: &VariableId) {
        let depth = self.depth;
        if let Some(used) = self.used_mut(variable) {
            used.declared_at = depth;
        }
    }

    fn read(&mut self, &variable: &VariableId) {
        self.meet(variable);
    }

    fn assign(&mut self, &variable: &VariableId) {
        self.meet(variable);
        if let Some(used) = self.used_mut(variable) {
            used.assigned = used.assigned.saturating_add(1);
        }
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
