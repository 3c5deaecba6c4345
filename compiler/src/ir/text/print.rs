//! Writing the IR as text: every construct is a list that begins with its word; statements stand a line each.

use crate::ir::{
    Action, Block, Call, Callee, Entry, Expression, FunctionId, Ir, Lambda, Node, Place, Rest, Statement, Type, Values,
    VariableId,
};
use kerai_vm::bytecode::{Constant, Limits, Order};
use std::fmt::Write;

pub(super) fn print(ir: &Ir) -> String {
    let mut out = format!("(kind {})\n", ir.kind.name());
    for ((name, value, _), (_, default, _)) in ir.limits.named().into_iter().zip(Limits::DEFAULT.named()) {
        if value != default {
            line(&mut out, format_args!("(limit {name} {value})"));
        }
    }
    if ir.order != Order::default() {
        line(&mut out, format_args!("(order {})", ir.order.name()));
    }
    if !ir.key.is_empty() {
        let names: Vec<String> = ir.key.iter().map(|name| string(name)).collect();
        line(&mut out, format_args!("(key {})", names.join(" ")));
    }
    for rule in &ir.rules {
        line(&mut out, format_args!("(rule {} {})", string(&rule.id), string(&rule.reason)));
    }
    for (name, function) in &ir.exports {
        line(&mut out, format_args!("(export {} {})", string(name), function_name(ir, *function)));
    }
    for (number, function) in ir.functions.iter().enumerate() {
        let id = FunctionId(u32::try_from(number).unwrap_or(u32::MAX));
        let printer = Printer { ir };
        let body = printer.block(&function.lambda.body, 1);
        line(
            &mut out,
            format_args!("(function {} {}{body})", function_name(ir, id), printer.parameters(&function.lambda)),
        );
    }
    out
}

fn line(out: &mut String, text: std::fmt::Arguments) {
    // Writing to a string never fails.
    let _ = writeln!(out, "{text}");
}

fn string(text: &str) -> String {
    Constant::String(text.as_bytes().into()).to_text()
}

/// A name with what can't stand in a word replaced.
fn word(name: &str) -> String {
    let plain = |letter: char| if letter.is_ascii_alphanumeric() || letter == '_' { letter } else { '_' };
    name.chars().map(plain).collect()
}

fn function_name(ir: &Ir, id: FunctionId) -> String {
    let name = ir.functions.get(id.0 as usize).map_or("", |function| &function.name);
    format!("@{}.{}", word(name), id.0)
}

struct Printer<'i> {
    ir: &'i Ir,
}

impl Printer<'_> {
    fn variable(&self, id: VariableId) -> String {
        let name = self.ir.variables.get(id.0 as usize).map_or("", |variable| &variable.name);
        format!("{}.{}", word(name), id.0)
    }

    /// A variable where it is declared: what it holds stands behind it, unless it may hold anything.
    fn declaration(&self, id: VariableId) -> String {
        let holds = self.ir.variables.get(id.0 as usize).map_or(Type::Any, |variable| variable.holds);
        if holds == Type::Any { self.variable(id) } else { format!("{}:{}", self.variable(id), holds.name()) }
    }

    fn parameters(&self, lambda: &Lambda) -> String {
        let mut words: Vec<String> = lambda.parameters.iter().map(|&id| self.declaration(id)).collect();
        words.extend(lambda.rest.map(|id| format!("...{}", self.declaration(id))));
        format!("({})", words.join(" "))
    }

    /// Statements, each on a line of its own, with a space or line break before everything.
    fn block(&self, block: &Block, depth: usize) -> String {
        let indent = "  ".repeat(depth);
        block.iter().map(|statement| format!("\n{indent}{}", self.statement(statement, depth))).collect()
    }

    fn statement(&self, statement: &Statement, depth: usize) -> String {
        let block = |block: &Block| self.block(block, depth + 1);
        let value = |value: &Expression| self.expression(value, depth);
        match &statement.action {
            Action::Let(variables, values) => {
                let names: Vec<String> = variables.iter().map(|&id| self.declaration(id)).collect();
                format!("(let ({}){})", names.join(" "), self.values(values, depth))
            }
            Action::Set(places, values) => {
                let places: Vec<String> = places.iter().map(|place| self.place(place, depth)).collect();
                format!("(set ({}){})", places.join(" "), self.values(values, depth))
            }
            Action::Do(call) => format!("(do {})", self.call(call, depth)),
            Action::If(arms, otherwise) => {
                let indent = "  ".repeat(depth + 1);
                let arm = |(condition, body): &(Expression, Block)| {
                    format!("\n{indent}({}{})", self.expression(condition, depth + 1), self.block(body, depth + 2))
                };
                let arms: String = arms.iter().map(arm).collect();
                let otherwise = if otherwise.is_empty() {
                    String::new()
                } else {
                    format!("\n{indent}(else{})", self.block(otherwise, depth + 2))
                };
                format!("(if{arms}{otherwise})")
            }
            Action::While(condition, body) => format!("(while {}{})", value(condition), block(body)),
            Action::Repeat(body, condition) => {
                format!("(repeat ({})\n{}{})", block(body), "  ".repeat(depth + 1), value(condition))
            }
            Action::Count(count) => {
                let bounds = [&count.from, &count.to, &count.by].map(value).join(" ");
                format!("(count {} {bounds}{})", self.declaration(count.variable), block(&count.body))
            }
            Action::Each(each) => {
                let (key, item) = (self.declaration(each.key), self.declaration(each.value));
                format!("(each {key} {item} {}{})", value(&each.table), block(&each.body))
            }
            Action::Block(body) => format!("(block{})", block(body)),
            Action::Break => "(break)".to_owned(),
            Action::Return(values) => format!("(return{})", self.values(values, depth)),
            Action::Raise(raised) => format!("(raise {})", value(raised)),
        }
    }

    fn place(&self, place: &Place, depth: usize) -> String {
        match place {
            Place::Variable(id) => self.variable(*id),
            Place::Index(table, key) => {
                format!("(index {} {})", self.expression(table, depth), self.expression(key, depth))
            }
        }
    }

    /// Values, each with a space before it.
    fn values(&self, values: &Values, depth: usize) -> String {
        let mut out = self.spaced(&values.fixed, depth);
        out.push_str(&self.rest(values.rest.as_deref(), depth));
        out
    }

    fn spaced(&self, expressions: &[Expression], depth: usize) -> String {
        expressions.iter().map(|value| format!(" {}", self.expression(value, depth))).collect()
    }

    fn rest(&self, rest: Option<&Rest>, depth: usize) -> String {
        match rest {
            Some(Rest::Call(call)) => format!(" (all {})", self.call(call, depth)),
            Some(Rest::Spread(list)) => format!(" (spread {})", self.expression(list, depth)),
            None => String::new(),
        }
    }

    fn call(&self, call: &Call, depth: usize) -> String {
        let arguments = self.values(&call.arguments, depth);
        match &call.callee {
            Callee::Function(id) => format!("(call {}{arguments})", function_name(self.ir, *id)),
            Callee::Builtin(builtin) => format!("(call :{}{arguments})", builtin.name()),
            Callee::Value(callee) => format!("(apply {}{arguments})", self.expression(callee, depth)),
            Callee::Protected(callee) => format!("(protect {}{arguments})", self.expression(callee, depth)),
        }
    }

    fn expression(&self, expression: &Expression, depth: usize) -> String {
        let value = |value: &Expression| self.expression(value, depth);
        match &expression.node {
            Node::Nil => "nil".to_owned(),
            Node::Bool(truth) => truth.to_string(),
            Node::Constant(constant) => constant.to_text(),
            Node::Variable(id) => self.variable(*id),
            Node::Function(id) => function_name(self.ir, *id),
            Node::Lambda(lambda) => {
                format!("(lambda {}{})", self.parameters(lambda), self.block(&lambda.body, depth + 1))
            }
            Node::Unary(operator, operand) => format!("({} {})", operator.name(), value(operand)),
            Node::Binary(operator, a, b) => format!("({} {} {})", operator.name(), value(a), value(b)),
            Node::And(a, b) => format!("(and {} {})", value(a), value(b)),
            Node::Or(a, b) => format!("(or {} {})", value(a), value(b)),
            Node::Join(parts) => format!("(join{})", self.spaced(parts, depth)),
            Node::Index(table, key) => format!("(index {} {})", value(table), value(key)),
            Node::Table(entries, rest) => {
                let entry = |entry: &Entry| match entry {
                    Entry::Item(item) => format!(" {}", value(item)),
                    Entry::Keyed(key, item) => format!(" (key {} {})", value(key), value(item)),
                };
                let entries: String = entries.iter().map(entry).collect();
                format!("(table{entries}{})", self.rest(rest.as_deref(), depth))
            }
            Node::List(values) => format!("(list{})", self.values(values, depth)),
            Node::Call(call) => self.call(call, depth),
            Node::With(body, result) => {
                format!("(with ({}) {})", self.block(body, depth + 1), value(result))
            }
        }
    }
}
