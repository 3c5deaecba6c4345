//! Checking: what must hold of a program before anything is made of it.

use super::{
    Action, Block, Call, Callee, Entry, Expression, FunctionId, Ir, Lambda, Node, Place, Rest, Statement, Type, Unary,
    Usage, Values, VariableId,
};
use crate::{Code, Diagnostic, Span, limit};
use core::mem;

/// A program that holds to the rules, in canonical form: only [`Ir::check`] makes one.
#[derive(Debug, Clone)]
pub struct CheckedIr {
    ir: Ir,
    usage: Usage,
}

// How variables are used follows from the program.
impl PartialEq for CheckedIr {
    fn eq(&self, other: &CheckedIr) -> bool {
        self.ir == other.ir
    }
}

impl CheckedIr {
    #[must_use]
    pub const fn ir(&self) -> &Ir {
        &self.ir
    }

    /// How its variables are used, each in its function.
    pub(crate) const fn usage(&self) -> &Usage {
        &self.usage
    }
}

impl Ir {
    /// Checks every rule, and brings the program into its canonical form.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn check(self) -> Result<CheckedIr, Vec<Diagnostic>> {
        let mut faults = Vec::new();
        let mut scope = Scope { variables: vec![Sight::Undeclared; self.variables.len()], in_sight: Vec::new() };
        for (name, id) in &self.exports {
            if !is_name(name) {
                faults.push(Diagnostic::new(Code::IR_EXPORT, Span::default(), format!("`{name}` is no export's name")));
            }
            faults.extend(self.missing(*id, Span::default()));
        }
        faults.extend(self.merging_fault());
        for function in &self.functions {
            let mut check = Check::of(&self, &mut scope);
            check.lambda(&function.lambda);
            faults.extend(check.faults);
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let (ir, usage) = self.into_canonical();
        Ok(CheckedIr { ir, usage })
    }

    /// What the program says beside its code and can't have.
    fn merging_fault(&self) -> Option<Diagnostic> {
        let code = self.merging().fault(self.kind, &self.exports)?;
        Some(Diagnostic::new(Code::FOLD_ORDER, Span::default(), code.summary()))
    }

    fn missing(&self, id: FunctionId, span: Span) -> Option<Diagnostic> {
        let fault = || Diagnostic::new(Code::IR_FUNCTION, span, format!("there is no function {}", id.0));
        self.functions.get(id.0 as usize).is_none().then(fault)
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
}

/// Which variables are in sight.
struct Scope {
    variables: Vec<Sight>,
    /// Those in sight, in the order of their declaration.
    in_sight: Vec<VariableId>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Sight {
    Undeclared,
    Visible,
    Gone,
}

impl Scope {
    /// Whether the variable was never declared, and may be.
    fn declare(&mut self, id: VariableId) -> bool {
        self.in_sight.push(id);
        let sight = self.variables.get_mut(id.0 as usize);
        sight.is_some_and(|sight| mem::replace(sight, Sight::Visible) == Sight::Undeclared)
    }

    /// Ends the scope of what was declared since so many variables were in sight.
    fn leave(&mut self, in_sight: usize) {
        for id in self.in_sight.drain(in_sight..) {
            if let Some(sight) = self.variables.get_mut(id.0 as usize) {
                *sight = Sight::Gone;
            }
        }
    }

    fn has(&self, id: VariableId) -> bool {
        match self.variables.get(id.0 as usize) {
            Some(sight) => *sight == Sight::Visible,
            // What is not listed was reported where it is declared.
            None => self.in_sight.contains(&id),
        }
    }
}

/// The check of one function.
struct Check<'i> {
    ir: &'i Ir,
    faults: Vec<Diagnostic>,
    scope: &'i mut Scope,
    /// What is known of the values of the lists that are being checked.
    types: Vec<Type>,
    loops: usize,
    is_in_expression: bool,
    depth: u64,
    /// Where the statement or expression being checked stands.
    span: Span,
}

impl<'i> Check<'i> {
    fn of(ir: &'i Ir, scope: &'i mut Scope) -> Check<'i> {
        Check {
            ir,
            faults: Vec::new(),
            scope,
            types: Vec::new(),
            loops: 0,
            is_in_expression: false,
            depth: 0,
            span: Span::default(),
        }
    }

    fn fault(&mut self, code: Code, message: String) {
        self.faults.push(Diagnostic::new(code, self.span, message));
    }

    /// Goes a level deeper, where the limit allows it.
    fn nested(&mut self, check: impl FnOnce(&mut Self)) {
        if self.depth == limit::IR_DEPTH.value {
            return self.fault(
                Code::IR_DEPTH,
                format!("more than {} levels (limit `{}`)", limit::IR_DEPTH.value, limit::IR_DEPTH.name),
            );
        }
        self.depth += 1;
        check(self);
        self.depth -= 1;
    }

    fn declare(&mut self, id: VariableId) {
        if !self.scope.declare(id) {
            self.fault(Code::IR_SCOPE, format!("variable {} is declared twice, or not listed", id.0));
        }
    }

    fn see(&mut self, id: VariableId) {
        if !self.scope.has(id) {
            let name = self.ir.variables.get(id.0 as usize).map_or("", |variable| &variable.name);
            self.fault(Code::IR_SCOPE, format!("`{name}` is not declared here"));
        }
    }

    fn holds(&self, id: VariableId) -> Type {
        self.ir.variables.get(id.0 as usize).map_or(Type::Any, |variable| variable.holds)
    }

    /// A variable gets a value, or one of many, of which nothing is known.
    fn fits(&mut self, id: VariableId, given: Type) {
        let holds = self.holds(id);
        if !given.fits(holds) {
            let name = self.ir.variables.get(id.0 as usize).map_or("", |variable| &variable.name);
            let message = format!("`{name}` holds a {} and is given a value of type {}", holds.name(), given.name());
            self.fault(Code::IR_TYPE, message);
        }
    }

    fn lambda(&mut self, lambda: &Lambda) {
        let (in_sight, loops, is_in_expression) = (self.scope.in_sight.len(), self.loops, self.is_in_expression);
        (self.loops, self.is_in_expression) = (0, false);
        lambda.parameters.iter().for_each(|&parameter| {
            self.declare(parameter);
            // Callers may give anything.
            self.fits(parameter, Type::Any);
        });
        if let Some(rest) = lambda.rest {
            self.declare(rest);
            self.fits(rest, Type::Table);
        }
        self.block(&lambda.body);
        self.scope.leave(in_sight);
        (self.loops, self.is_in_expression) = (loops, is_in_expression);
    }

    fn block(&mut self, block: &Block) {
        let in_sight = self.scope.in_sight.len();
        self.open_block(block);
        self.scope.leave(in_sight);
    }

    /// A block whose variables stay in sight.
    fn open_block(&mut self, block: &Block) {
        for statement in block {
            self.span = statement.span;
            self.nested(|check| check.statement(statement));
        }
    }

    fn body_of_loop(&mut self, body: &Block) {
        self.loops += 1;
        self.block(body);
        self.loops -= 1;
    }

    fn statement(&mut self, statement: &Statement) {
        match &statement.action {
            Action::Let(variables, values) => {
                let first = self.known_values(values);
                for (place, &variable) in variables.iter().enumerate() {
                    self.declare(variable);
                    self.fits(variable, self.type_at(values, first, place));
                }
                self.types.truncate(first);
            }
            Action::Set(places, values) => {
                for place in places {
                    match place {
                        Place::Variable(variable) => self.see(*variable),
                        Place::Index(table, key) => {
                            self.expression(table);
                            self.expression(key);
                        }
                    }
                }
                let first = self.known_values(values);
                for (place, target) in places.iter().enumerate() {
                    if let Place::Variable(variable) = target {
                        self.fits(*variable, self.type_at(values, first, place));
                    }
                }
                self.types.truncate(first);
            }
            Action::Do(call) => self.call(call),
            Action::If(arms, otherwise) => {
                for (condition, body) in arms {
                    self.expression(condition);
                    self.block(body);
                }
                self.block(otherwise);
            }
            Action::While(condition, body) => {
                self.expression(condition);
                self.body_of_loop(body);
            }
            Action::Repeat(body, condition) => {
                let in_sight = self.scope.in_sight.len();
                self.loops += 1;
                self.open_block(body);
                self.loops -= 1;
                self.expression(condition);
                self.scope.leave(in_sight);
            }
            Action::Count(count) => {
                [&count.from, &count.to, &count.by].into_iter().for_each(|bound| {
                    self.expression(bound);
                });
                self.loop_with(&[count.variable], &count.body);
            }
            Action::Each(each) => {
                self.expression(&each.table);
                self.loop_with(&[each.key, each.value], &each.body);
            }
            Action::Block(body) => self.block(body),
            Action::Break if self.loops == 0 => self.fault(Code::IR_BREAK, Code::IR_BREAK.summary().to_owned()),
            Action::Break => {}
            Action::Return(values) => {
                if self.is_in_expression {
                    self.fault(Code::IR_RETURN, Code::IR_RETURN.summary().to_owned());
                }
                self.values(values);
            }
            Action::Raise(value) => {
                self.expression(value);
            }
        }
    }

    fn loop_with(&mut self, variables: &[VariableId], body: &Block) {
        let in_sight = self.scope.in_sight.len();
        for &variable in variables {
            self.declare(variable);
            self.fits(variable, Type::Any);
        }
        self.body_of_loop(body);
        self.scope.leave(in_sight);
    }

    fn values(&mut self, values: &Values) {
        values.fixed.iter().for_each(|value| {
            self.expression(value);
        });
        self.rest(values.rest.as_deref());
    }

    /// Checks values, and keeps what is known of each from the place that it gives.
    fn known_values(&mut self, values: &Values) -> usize {
        let first = self.types.len();
        for value in &values.fixed {
            let known = self.expression(value);
            self.types.push(known);
        }
        self.rest(values.rest.as_deref());
        first
    }

    /// What is known of the value at a place of a list of values.
    fn type_at(&self, values: &Values, first: usize, place: usize) -> Type {
        let beyond = if values.rest.is_some() { Type::Any } else { Type::Nil };
        if place < values.fixed.len() { self.types.get(first + place).copied().unwrap_or(beyond) } else { beyond }
    }

    fn rest(&mut self, rest: Option<&Rest>) {
        match rest {
            Some(Rest::Call(call)) => self.nested(|check| check.call(call)),
            Some(Rest::Spread(list)) => {
                self.expression(list);
            }
            None => {}
        }
    }

    fn call(&mut self, call: &Call) {
        match &call.callee {
            Callee::Function(id) => self.faults.extend(self.ir.missing(*id, self.span)),
            Callee::Value(callee) | Callee::Protected(callee) => {
                self.expression(callee);
            }
            Callee::Builtin(builtin) => {
                let (least, most) = builtin.arguments();
                let given = call.arguments.fixed.len();
                let is_open = call.arguments.rest.is_some();
                if given > usize::from(most) || (!is_open && given < usize::from(least)) {
                    let wanted = if least == most { least.to_string() } else { format!("{least} to {most}") };
                    let message = format!("`{}` takes {wanted} arguments and is given {given}", builtin.name());
                    self.fault(Code::IR_ARGUMENTS, message);
                }
            }
        }
        self.values(&call.arguments);
    }

    /// Checks an expression, and says what is known of its value.
    fn expression(&mut self, expression: &Expression) -> Type {
        let mut known = Type::Any;
        self.nested(|check| known = check.node(&expression.node));
        known
    }

    fn node(&mut self, node: &Node) -> Type {
        match node {
            Node::Nil => Type::Nil,
            Node::Bool(_) => Type::Bool,
            Node::Constant(constant) => type_of(constant),
            Node::Variable(variable) => {
                self.see(*variable);
                self.holds(*variable)
            }
            Node::Function(id) => {
                self.faults.extend(self.ir.missing(*id, self.span));
                Type::Function
            }
            Node::Lambda(lambda) => {
                self.lambda(lambda);
                Type::Function
            }
            Node::Unary(operator, operand) => {
                let known = self.expression(operand);
                if *operator == Unary::Negate && known == Type::Number { Type::Number } else { operator.gives() }
            }
            Node::Binary(operator, a, b) => {
                let known = (self.expression(a), self.expression(b));
                let is_exact = operator.is_exact() && known == (Type::Number, Type::Number);
                if is_exact { Type::Number } else { operator.gives() }
            }
            Node::And(a, b) | Node::Or(a, b) => self.expression(a).or(self.expression(b)),
            Node::Join(parts) => {
                parts.iter().for_each(|part| {
                    self.expression(part);
                });
                Type::String
            }
            Node::Index(table, key) => {
                self.expression(table);
                self.expression(key);
                Type::Any
            }
            Node::Table(entries, rest) => {
                for entry in entries {
                    if let Entry::Keyed(key, _) = entry {
                        self.expression(key);
                    }
                    let (Entry::Item(value) | Entry::Keyed(_, value)) = entry;
                    self.expression(value);
                }
                self.rest(rest.as_deref());
                Type::Table
            }
            Node::List(values) => {
                self.values(values);
                Type::Table
            }
            Node::Call(call) => {
                self.call(call);
                Type::Any
            }
            Node::With(body, value) => {
                let in_sight = self.scope.in_sight.len();
                // A loop around the expression can't be left from inside of it.
                let outer = (mem::take(&mut self.loops), mem::replace(&mut self.is_in_expression, true));
                self.open_block(body);
                (self.loops, self.is_in_expression) = outer;
                let known = self.expression(value);
                self.scope.leave(in_sight);
                known
            }
        }
    }
}

/// What is known of a constant.
fn type_of(constant: &kerai_vm::bytecode::Constant) -> Type {
    use kerai_vm::bytecode::Constant;
    match constant {
        Constant::Number(_) => Type::Number,
        Constant::Float(_) => Type::Float,
        Constant::Fixed(_) => Type::Fixed,
        Constant::String(_) => Type::String,
        Constant::Bytes(_) => Type::Bytes,
    }
}
