//! Calls: of functions, values, the library, and methods.

use super::expression::Many;
use super::library::builtin;
use super::scope::Binding;
use super::{Chance, Lowering};
use crate::ir::{
    Action, Binary, Block, Call, Callee, Expression, FunctionId, Node, Place, Rest, Statement, Unary, Values,
    VariableId,
};
use crate::syntax::lua::tree::{Call as Tree, Expression as Callable, ExpressionKind, Name};
use crate::{Code, Span};
use kerai_vm::bytecode::{Builtin, Constant};

/// As many numbers below 1 as have 15 places: a float tells all of them apart too.
const PARTS_OF_ONE: i64 = 1_000_000_000_000_000;

/// A call, lowered as far as it can be before it is known what is wanted of it.
enum Lowered {
    Call(Call),
    /// What gives exactly one value.
    Value(Expression),
    /// A method by a name that the library has for strings too.
    Method(Chosen),
}

/// A method that is chosen when the object is known.
struct Chosen {
    object: Expression,
    name: Name,
    /// What it is for strings, where the library has it.
    of_strings: Option<Method>,
    arguments: Values,
}

/// What a method is for strings.
#[derive(Clone, Copy)]
enum Method {
    Builtin(Builtin),
    Function(FunctionId),
}

impl Method {
    fn call(self, object: Expression, arguments: Values) -> Call {
        let arguments = before(object, arguments);
        match self {
            Method::Builtin(builtin) => {
                Call { callee: Callee::Builtin(builtin), arguments: fitted(builtin, arguments) }
            }
            Method::Function(id) => Call { callee: Callee::Function(id), arguments },
        }
    }
}

impl Lowering {
    /// A call as a statement.
    pub(super) fn call_statement(&mut self, tree: &Tree) -> Vec<Statement> {
        let span = tree.span;
        if let Some("error") = self.library_name(&tree.function).as_deref()
            && tree.method.is_none()
        {
            let value = tree.arguments.first().map(|value| self.expression(value));
            let value = value.unwrap_or(Expression::new(Node::Nil, span));
            return vec![Statement::new(Action::Raise(Box::new(value)), span)];
        }
        let action = match self.lowered(tree) {
            Lowered::Call(call) => Action::Do(call),
            Lowered::Value(value) => Action::Let(Vec::new(), Values::one(value)),
            Lowered::Method(method) => {
                let (mut block, mut calls, choice) = self.chosen(method, span);
                let of_table = calls.pop().map(|call| Statement::new(Action::Do(call), span));
                let of_string = calls.pop().map(|call| Statement::new(Action::Do(call), span));
                match (choice, of_string) {
                    (Some(variable), Some(of_string)) => {
                        let arms = vec![(is_a_string(variable, span), vec![of_string])];
                        block.push(Statement::new(Action::If(arms, of_table.into_iter().collect()), span));
                    }
                    _ => block.extend(of_table),
                }
                Action::Block(block)
            }
        };
        vec![Statement::new(action, span)]
    }

    /// A call's first result.
    pub(super) fn call_value(&mut self, tree: &Tree) -> Expression {
        let span = tree.span;
        match self.lowered(tree) {
            Lowered::Call(call) => Expression::new(Node::Call(Box::new(call)), span),
            Lowered::Value(value) => value,
            Lowered::Method(method) => self.chosen_value(method, span, |call| Node::Call(Box::new(call))),
        }
    }

    /// All results of a call.
    pub(super) fn call_many(&mut self, tree: &Tree) -> Many {
        match self.lowered(tree) {
            Lowered::Call(call) => Many::Rest(Rest::Call(call)),
            Lowered::Value(value) => Many::One(value),
            Lowered::Method(method) => {
                let list = |call| Node::List(Values { fixed: Vec::new(), rest: Some(Box::new(Rest::Call(call))) });
                Many::Rest(Rest::Spread(self.chosen_value(method, tree.span, list)))
            }
        }
    }

    fn lowered(&mut self, tree: &Tree) -> Lowered {
        if let Some(method) = &tree.method {
            return self.method(tree, method);
        }
        if let Some(builtin) = self.named_builtin(&tree.function) {
            return self.builtin_call(builtin, &tree.arguments);
        }
        if let Some(name) = self.library_name(&tree.function) {
            return self.library_call(&name, tree);
        }
        let callee = match &tree.function.kind {
            ExpressionKind::Name(name) => match self.scopes.get(&name.text) {
                Some(Binding::Function(id)) => Callee::Function(*id),
                _ => Callee::Value(Box::new(self.expression(&tree.function))),
            },
            _ => Callee::Value(Box::new(self.expression(&tree.function))),
        };
        Lowered::Call(Call { callee, arguments: self.values(&tree.arguments) })
    }

    fn library_call(&mut self, name: &str, tree: &Tree) -> Lowered {
        match (name, tree.arguments.as_slice()) {
            ("pcall", [called, arguments @ ..]) => {
                let callee = Callee::Protected(Box::new(self.expression(called)));
                Lowered::Call(Call { callee, arguments: self.values(arguments) })
            }
            ("rng", arguments) => self.drawn(arguments, tree.span),
            ("dkeys", [table]) => {
                let table = self.expression(table);
                Lowered::Value(Expression::unary(Unary::Keys, table, tree.span))
            }
            // A replacement that is seen to be no function needs no look at it when it runs.
            ("string.gsub", [_, _, replacement, ..])
                if matches!(replacement.kind, ExpressionKind::String(_) | ExpressionKind::Table(_)) =>
            {
                self.named_call("string.gsub", tree)
            }
            _ => match self.prelude_function(name) {
                Some(id) => {
                    let arguments = self.values(&tree.arguments);
                    Lowered::Call(Call { callee: Callee::Function(id), arguments })
                }
                None => self.named_call(name, tree),
            },
        }
    }

    /// A number by chance: from 1 or the first argument up to the last, or below 1 where there is none.
    fn drawn(&mut self, arguments: &[Callable], span: Span) -> Lowered {
        let Chance::Generator(generator, _) = self.chance else {
            let message = "`rng` draws from an operation: call it in the rounds of `fold`";
            self.report(Code::LUA_RNG, span, message);
            return Lowered::Value(Expression::new(Node::Nil, span));
        };
        self.chance = Chance::Generator(generator, true);
        let generator = Expression::variable(generator, span);
        if !arguments.is_empty() {
            let arguments = before(generator, self.values(arguments));
            return Lowered::Call(Call {
                callee: Callee::Builtin(Builtin::RandomNext),
                arguments: fitted(Builtin::RandomNext, arguments),
            });
        }
        let integer = |value| Expression::integer(value, span);
        let drawn =
            Expression::builtin(Builtin::RandomNext, vec![generator, integer(0), integer(PARTS_OF_ONE - 1)], span);
        let operator = if self.is_float { Binary::FloatDivide } else { Binary::Divide };
        Lowered::Value(Expression::binary(operator, drawn, integer(PARTS_OF_ONE), span))
    }

    fn named_call(&mut self, name: &str, tree: &Tree) -> Lowered {
        match self.builtin_of(name) {
            Some(builtin) => self.builtin_call(builtin, &tree.arguments),
            None => {
                let callee = Callee::Value(Box::new(self.library_value(name, tree.function.span)));
                Lowered::Call(Call { callee, arguments: self.values(&tree.arguments) })
            }
        }
    }

    fn builtin_call(&mut self, builtin: Builtin, arguments: &[Callable]) -> Lowered {
        let arguments = fitted(builtin, self.values(arguments));
        Lowered::Call(Call { callee: Callee::Builtin(builtin), arguments })
    }

    fn method(&mut self, tree: &Tree, name: &Name) -> Lowered {
        let object = self.expression(&tree.function);
        let library = format!("string.{}", name.text);
        let of_strings = match self.prelude_function(&library) {
            Some(id) => Some(Method::Function(id)),
            None => builtin(&library).map(Method::Builtin),
        };
        let arguments = self.values(&tree.arguments);
        match of_strings {
            Some(of_strings) if is_string(&object) => Lowered::Call(of_strings.call(object, arguments)),
            of_strings => Lowered::Method(Chosen { object, name: name.clone(), of_strings, arguments }),
        }
    }

    /// A method's call after the statements that find out what is called: the object is evaluated once.
    fn chosen(&mut self, method: Chosen, span: Span) -> (Block, Vec<Call>, Option<VariableId>) {
        let Chosen { object, name, of_strings, arguments } = method;
        let variable = self.variable("object");
        let mut block = vec![Statement::new(Action::Let(vec![variable], Values::one(object)), span)];
        let this = || Expression::variable(variable, span);
        let field = Expression::index(this(), Expression::string(name.text.as_bytes(), name.span), span);
        let Some(of_strings) = of_strings else {
            return (
                block,
                vec![Call { callee: Callee::Value(Box::new(field)), arguments: before(this(), arguments) }],
                None,
            );
        };
        // Arguments that are small stand in both calls; else what is called is put into a variable first.
        if is_repeatable(&arguments) {
            let of_table =
                Call { callee: Callee::Value(Box::new(field)), arguments: before(this(), arguments.clone()) };
            return (block, vec![of_strings.call(this(), arguments), of_table], Some(variable));
        }
        let called = self.variable("method");
        let string = Expression::new(Node::Function(self.function_of(of_strings)), span);
        let put = |value| vec![Statement::new(Action::Set(vec![Place::Variable(called)], Values::one(value)), span)];
        block.push(Statement::new(Action::Let(vec![called], Values::none()), span));
        block.push(Statement::new(Action::If(vec![(is_a_string(variable, span), put(string))], put(field)), span));
        let callee = Callee::Value(Box::new(Expression::variable(called, span)));
        (block, vec![Call { callee, arguments: before(this(), arguments) }], None)
    }

    fn function_of(&mut self, method: Method) -> FunctionId {
        match method {
            Method::Function(id) => id,
            Method::Builtin(builtin) => self.wrapper(builtin),
        }
    }

    /// What a method gives, as one expression.
    fn chosen_value(&mut self, method: Chosen, span: Span, give: impl Fn(Call) -> Node) -> Expression {
        let (mut block, mut calls, choice) = self.chosen(method, span);
        let value = match (choice, calls.pop(), calls.pop()) {
            (Some(variable), Some(of_table), Some(of_string)) => {
                let result = self.variable("result");
                let put = |call| {
                    let value = Values::one(Expression::new(give(call), span));
                    vec![Statement::new(Action::Set(vec![Place::Variable(result)], value), span)]
                };
                block.push(Statement::new(Action::Let(vec![result], Values::none()), span));
                let arms = vec![(is_a_string(variable, span), put(of_string))];
                block.push(Statement::new(Action::If(arms, put(of_table)), span));
                Expression::variable(result, span)
            }
            (_, Some(call), _) => Expression::new(give(call), span),
            _ => Expression::new(Node::Nil, span),
        };
        Expression::new(Node::With(block, Box::new(value)), span)
    }
}

/// `type(variable) == "string"`
fn is_a_string(variable: VariableId, span: Span) -> Expression {
    let kind = Expression::builtin(Builtin::Type, vec![Expression::variable(variable, span)], span);
    Expression::binary(Binary::Equal, kind, Expression::string(*b"string", span), span)
}

/// Values with one more before them.
fn before(first: Expression, values: Values) -> Values {
    let mut fixed = vec![first];
    fixed.extend(values.fixed);
    Values { fixed, rest: values.rest }
}

/// Whether values may stand twice: they do nothing, and are few.
fn is_repeatable(values: &Values) -> bool {
    fn is_small(node: &Node, depth: usize) -> bool {
        match node {
            Node::Nil | Node::Bool(_) | Node::Constant(_) | Node::Variable(_) => true,
            Node::Unary(_, operand) => depth > 0 && is_small(&operand.node, depth - 1),
            Node::Binary(_, a, b) => depth > 0 && is_small(&a.node, depth - 1) && is_small(&b.node, depth - 1),
            _ => false,
        }
    }
    values.rest.is_none() && values.fixed.len() <= 4 && values.fixed.iter().all(|value| is_small(&value.node, 2))
}

/// Whether a value is a string whatever happens.
fn is_string(expression: &Expression) -> bool {
    match &expression.node {
        Node::Constant(Constant::String(_)) | Node::Join(_) => true,
        Node::Call(call) => {
            let of_strings = [
                Builtin::ToString,
                Builtin::StringPart,
                Builtin::StringRepeat,
                Builtin::StringReverse,
                Builtin::StringUpper,
                Builtin::StringLower,
                Builtin::StringFormat,
                Builtin::StringChar,
                Builtin::TableConcat,
            ];
            matches!(call.callee, Callee::Builtin(builtin) if of_strings.contains(&builtin))
        }
        _ => false,
    }
}

/// Arguments that a built-in can take. As in stock Lua, what is too much is evaluated and dropped.
fn fitted(builtin: Builtin, mut values: Values) -> Values {
    let most = usize::from(builtin.arguments().1);
    if most == usize::from(u8::MAX) {
        return values;
    }
    // Of many values only the first can have a place.
    if values.fixed.len() + 1 == most
        && let Some(Rest::Call(call)) = values.rest.as_deref()
    {
        let first = Expression::new(Node::Call(Box::new(call.clone())), Span::default());
        values = Values { fixed: values.fixed.into_iter().chain([first]).collect(), rest: None };
    }
    if values.fixed.len() > most || (values.fixed.len() == most && values.rest.is_some()) {
        let rest = values
            .rest
            .take()
            .map(|rest| Expression::new(Node::List(Values { fixed: Vec::new(), rest: Some(rest) }), Span::default()));
        let dropped: Vec<Expression> = values.fixed.drain(most..).chain(rest).collect();
        let Some(last) = values.fixed.pop() else { return values };
        // The last argument is evaluated before what is dropped.
        let span = last.span;
        values.fixed.push(kept_before(last, dropped, span));
    }
    values
}

/// The first value, after which the others are evaluated.
fn kept_before(first: Expression, dropped: Vec<Expression>, span: Span) -> Expression {
    let mut fixed = vec![first];
    fixed.extend(dropped);
    let list = Expression::new(Node::List(Values::of(fixed)), span);
    Expression::index(list, Expression::integer(1, span), span)
}
