//! The tree as text, for people and for tests: prefix form, without places. Equal texts are equal trees.

use super::tree::*;
use std::fmt::{self, Display, Write};

/// The text of a tree.
#[must_use]
pub fn show(chunk: &Chunk) -> String {
    let mut writer = Writer { out: String::new(), indentation: 0 };
    // Writing to a string never fails.
    let _ = writer.chunk(chunk);
    writer.out
}

struct Writer {
    out: String,
    indentation: usize,
}

impl Write for Writer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.out.push_str(text);
        Ok(())
    }
}

impl Writer {
    fn chunk(&mut self, chunk: &Chunk) -> fmt::Result {
        for pragma in &chunk.pragmas {
            match &pragma.kind {
                PragmaKind::NumericFloat => self.write_str("(pragma numeric float)\n")?,
                PragmaKind::Order(order) => writeln!(self, "(pragma order {})", order.name())?,
                PragmaKind::Key(path) => writeln!(self, "(pragma key {})", path.join("."))?,
                PragmaKind::Random => self.write_str("(pragma rng)\n")?,
            }
        }
        for statement in &chunk.body.statements {
            self.statement(statement)?;
            self.out.push('\n');
        }
        Ok(())
    }

    fn line(&mut self) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n(' ', 2 * self.indentation));
    }

    fn block(&mut self, block: &Block) -> fmt::Result {
        self.indentation += 1;
        for statement in &block.statements {
            self.line();
            self.statement(statement)?;
        }
        self.indentation -= 1;
        Ok(())
    }

    fn expressions<'e>(&mut self, expressions: impl IntoIterator<Item = &'e Expression>) -> fmt::Result {
        for expression in expressions {
            self.out.push(' ');
            self.expression(expression)?;
        }
        Ok(())
    }

    fn names<T: Display>(&mut self, names: impl IntoIterator<Item = T>) {
        let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
        self.out.push_str(" (");
        self.out.push_str(&names.join(" "));
        self.out.push(')');
    }

    fn statement(&mut self, statement: &Statement) -> fmt::Result {
        self.out.push('(');
        match &statement.kind {
            StatementKind::Assign { targets, values } => {
                self.write_str("=")?;
                self.expressions(targets)?;
                self.write_str(" <-")?;
                self.expressions(values)?;
            }
            StatementKind::Call(call) => {
                self.write_str("do-call ")?;
                self.call(call)?;
            }
            StatementKind::Do(body) => {
                self.write_str("do")?;
                self.block(body)?;
            }
            StatementKind::While { condition, body } => {
                self.write_str("while")?;
                self.expressions([&**condition])?;
                self.block(body)?;
            }
            StatementKind::Repeat { body, condition } => {
                self.write_str("repeat")?;
                self.block(body)?;
                self.line();
                self.write_str("until")?;
                self.expressions([&**condition])?;
            }
            StatementKind::If { arms, otherwise } => self.branches(arms, otherwise.as_ref())?,
            StatementKind::NumericFor { variable, start, limit, step, body } => {
                write!(self, "for {}", variable.text)?;
                self.expressions([&**start, limit].into_iter().chain(step.as_deref()))?;
                self.block(body)?;
            }
            StatementKind::GenericFor { names, values, body } => {
                self.write_str("for-in")?;
                self.names(names.iter().map(|name| &name.text));
                self.expressions(values)?;
                self.block(body)?;
            }
            StatementKind::Function { target, function } => {
                write!(self, "define {target}")?;
                self.function(function)?;
            }
            StatementKind::LocalFunction { name, function } => {
                write!(self, "local-function {}", name.text)?;
                self.function(function)?;
            }
            StatementKind::Local { names, values } => {
                self.write_str("local")?;
                self.names(names);
                self.expressions(values)?;
            }
            StatementKind::Return(values) => {
                self.write_str("return")?;
                self.expressions(values)?;
            }
            StatementKind::Break => self.write_str("break")?,
            StatementKind::Goto(label) => write!(self, "goto {}", label.text)?,
            StatementKind::Label(label) => write!(self, "label {}", label.text)?,
        }
        self.write_str(")")
    }

    fn branches(&mut self, arms: &[Arm], otherwise: Option<&Block>) -> fmt::Result {
        for (number, arm) in arms.iter().enumerate() {
            if number > 0 {
                self.line();
            }
            self.write_str(if number == 0 { "if" } else { "elseif" })?;
            self.expressions([&arm.condition])?;
            self.block(&arm.body)?;
        }
        if let Some(block) = otherwise {
            self.line();
            self.write_str("else")?;
            self.block(block)?;
        }
        Ok(())
    }

    fn function(&mut self, function: &Function) -> fmt::Result {
        let names = function.parameters.iter().map(|name| &*name.text);
        self.names(names.chain(function.variadic.map(|_| "...")));
        self.block(&function.body)
    }

    fn call(&mut self, call: &Call) -> fmt::Result {
        match &call.method {
            Some(method) => write!(self, "(method {}", method.text)?,
            None => self.write_str("(call")?,
        }
        self.expressions([&*call.function].into_iter().chain(&call.arguments))?;
        self.write_str(")")
    }

    fn expression(&mut self, expression: &Expression) -> fmt::Result {
        match &expression.kind {
            ExpressionKind::Nil => self.write_str("nil"),
            ExpressionKind::True => self.write_str("true"),
            ExpressionKind::False => self.write_str("false"),
            ExpressionKind::Variadic => self.write_str("..."),
            ExpressionKind::Numeral(numeral) => self.write_str(&numeral.text),
            ExpressionKind::String(bytes) => write!(self, "\"{}\"", bytes.escape_ascii()),
            ExpressionKind::Name(name) => self.write_str(&name.text),
            ExpressionKind::Function(function) => {
                self.write_str("(function")?;
                self.function(function)?;
                self.write_str(")")
            }
            ExpressionKind::Call(call) => self.call(call),
            ExpressionKind::Field { table, name } => {
                write!(self, "(. {} ", name.text)?;
                self.expression(table)?;
                self.write_str(")")
            }
            ExpressionKind::Index { table, key } => self.node("[]", [&**table, key]),
            ExpressionKind::Parenthesized(inner) => self.node("group", [&**inner]),
            ExpressionKind::Unary { operator, operand } => self.node(operator.text(), [&**operand]),
            ExpressionKind::Binary { operator, left, right } => self.node(operator.text(), [&**left, right]),
            ExpressionKind::Table(items) => {
                self.write_str("(table")?;
                for item in items {
                    match item {
                        Item::Positional(value) => self.expressions([value])?,
                        Item::Named { name, value } => {
                            write!(self, " ({} =", name.text)?;
                            self.expressions([value])?;
                            self.write_str(")")?;
                        }
                        Item::Keyed { key, value } => {
                            self.write_str(" ([] =")?;
                            self.expressions([key, value])?;
                            self.write_str(")")?;
                        }
                    }
                }
                self.write_str(")")
            }
        }
    }

    fn node<const N: usize>(&mut self, name: &str, parts: [&Expression; N]) -> fmt::Result {
        write!(self, "({name}")?;
        self.expressions(parts)?;
        self.write_str(")")
    }
}

impl Display for FunctionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base.text)?;
        self.fields.iter().try_for_each(|field| write!(f, ".{}", field.text))?;
        self.method.iter().try_for_each(|method| write!(f, ":{}", method.text))
    }
}

impl Display for LocalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name.text)?;
        match self.attribute.map(|attribute| attribute.kind) {
            None => Ok(()),
            Some(AttributeKind::Const) => f.write_str("<const>"),
            Some(AttributeKind::Close) => f.write_str("<close>"),
        }
    }
}
