//! The linter: every hazard that the tree shows, all of them at once, each with its reason and what to write instead.

use super::library::{Library, Member};
use super::scope::{Local, Scopes};
use super::tree::*;
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Report};
use crate::span::Span;
use crate::suggest::similar;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// All hazards of a source, in its order.
#[must_use]
pub fn lint(chunk: &Chunk) -> Vec<Diagnostic> {
    let library = Library::new();
    // First which variables the top level assigns, then what is wrong: functions may use what stands further down.
    let mut first = Linter::new(chunk, &library, BTreeSet::new());
    first.chunk(&chunk.body);
    let mut second = Linter::new(chunk, &library, first.assigned_above);
    second.chunk(&chunk.body);
    second.report.into_diagnostics()
}

/// A function that is being walked.
#[derive(Debug, Clone, Copy)]
struct Frame {
    is_variadic: bool,
    loops: usize,
}

struct Linter<'t> {
    library: &'t Library,
    is_float: bool,
    has_random: bool,
    scopes: Scopes<'t>,
    /// The function around, the source itself at the bottom.
    frames: Vec<Frame>,
    /// Global variables that the top level makes.
    globals: BTreeSet<&'t str>,
    /// Those that were found in this walk.
    assigned_above: BTreeSet<&'t str>,
    /// Unknown names that were reported: each once.
    reported: BTreeMap<&'t str, Span>,
    report: Report,
}

impl<'t> Linter<'t> {
    fn new(chunk: &'t Chunk, library: &'t Library, globals: BTreeSet<&'t str>) -> Linter<'t> {
        let has = |kind: &PragmaKind| chunk.pragmas.iter().any(|pragma| pragma.kind == *kind);
        Linter {
            library,
            is_float: has(&PragmaKind::NumericFloat),
            has_random: has(&PragmaKind::Random),
            scopes: Scopes::default(),
            frames: Vec::new(),
            globals,
            assigned_above: BTreeSet::new(),
            reported: BTreeMap::new(),
            report: Report::default(),
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.report.push(diagnostic);
    }

    /// The source itself takes `...`, as stock Lua's do.
    fn chunk(&mut self, body: &'t Block) {
        self.frames.push(Frame { is_variadic: true, loops: 0 });
        self.block(body);
        self.frames.pop();
    }

    fn block(&mut self, block: &'t Block) {
        self.scopes.open();
        self.statements(block);
        self.scopes.close();
    }

    fn statements(&mut self, block: &'t Block) {
        block.statements.iter().for_each(|statement| self.statement(statement));
    }

    /// A block that `break` leaves, with the locals that the loop makes.
    fn looped(&mut self, names: impl IntoIterator<Item = &'t Name>, body: &'t Block) {
        self.enter_loop(1);
        self.scopes.open();
        names.into_iter().for_each(|name| self.declare(name, false));
        self.statements(body);
        self.scopes.close();
        self.enter_loop(-1);
    }

    fn enter_loop(&mut self, step: isize) {
        if let Some(frame) = self.frames.last_mut() {
            frame.loops = frame.loops.saturating_add_signed(step);
        }
    }

    fn declare(&mut self, name: &'t Name, is_constant: bool) {
        if &*name.text == "_ENV" {
            self.report(Diagnostic::plain(Code::LUA_ENVIRONMENT, name.span));
        }
        self.scopes.declare(&name.text, Local { span: name.span, is_constant });
    }

    fn statement(&mut self, statement: &'t Statement) {
        match &statement.kind {
            StatementKind::Assign { targets, values } => {
                self.expressions(values);
                targets.iter().for_each(|target| self.target(target));
            }
            StatementKind::Call(call) => self.call(call),
            StatementKind::Do(body) => self.block(body),
            StatementKind::While { condition, body } => {
                self.expression(condition);
                self.looped([], body);
            }
            StatementKind::Repeat { body, condition } => self.repeat(body, condition),
            StatementKind::If { arms, otherwise } => {
                for arm in arms {
                    self.expression(&arm.condition);
                    self.block(&arm.body);
                }
                otherwise.iter().for_each(|block| self.block(block));
            }
            StatementKind::NumericFor { variable, start, limit, step, body } => {
                self.expressions([&**start, limit].into_iter().chain(step.as_deref()));
                self.looped([variable], body);
            }
            StatementKind::GenericFor { names, values, body } => {
                self.expressions(values);
                self.looped(names, body);
            }
            StatementKind::Function { target, function } => self.define(target, function),
            StatementKind::LocalFunction { name, function } => {
                self.declare(name, false);
                self.function(function, false);
            }
            StatementKind::Local { names, values } => self.local(names, values),
            StatementKind::Return(values) => self.expressions(values),
            StatementKind::Break if self.frames.last().is_some_and(|frame| frame.loops > 0) => {}
            StatementKind::Break => self.report(Diagnostic::plain(Code::LUA_BREAK, statement.span)),
            StatementKind::Goto(_) | StatementKind::Label(_) => {
                self.report(Diagnostic::plain(Code::LUA_GOTO, statement.span));
            }
        }
    }

    /// The condition sees the body's locals.
    fn repeat(&mut self, body: &'t Block, condition: &'t Expression) {
        self.enter_loop(1);
        self.scopes.open();
        self.statements(body);
        self.enter_loop(-1);
        self.expression(condition);
        self.scopes.close();
    }

    fn local(&mut self, names: &'t [LocalName], values: &'t [Expression]) {
        self.expressions(values);
        for LocalName { name, attribute } in names {
            if let Some(Attribute { kind: AttributeKind::Close, span }) = attribute {
                self.report(Diagnostic::plain(Code::LUA_CLOSE, *span));
            }
            self.declare(name, attribute.is_some());
        }
    }

    /// `function a.b.c() end`: of a name with fields the table is read, and one alone is assigned.
    fn define(&mut self, target: &'t FunctionName, function: &'t Function) {
        let FunctionName { base, fields, method } = target;
        match fields.first().or(method.as_ref()) {
            None => self.assign(base),
            Some(_) if self.is_namespace(base) => self.change_of_library(base.span, &base.text),
            Some(_) => self.name(base),
        }
        self.function(function, method.is_some());
    }

    fn function(&mut self, function: &'t Function, is_method: bool) {
        self.frames.push(Frame { is_variadic: function.variadic.is_some(), loops: 0 });
        self.scopes.open();
        if is_method {
            self.scopes.declare("self", Local { span: function.span, is_constant: false });
        }
        function.parameters.iter().for_each(|name| self.declare(name, false));
        self.statements(&function.body);
        self.scopes.close();
        self.frames.pop();
    }

    fn target(&mut self, target: &'t Expression) {
        if let ExpressionKind::Name(name) = &target.kind {
            self.assign(name);
        } else if let Some((table, _)) = entry(target)
            && self.is_namespace(table)
        {
            self.change_of_library(target.span, &table.text);
        } else {
            self.expression(target);
        }
    }

    fn is_namespace(&self, name: &Name) -> bool {
        self.is_library(name) && self.library.get(&name.text) == Some(Member::Namespace)
    }

    /// Whether neither a local variable nor one of the source hides the library's.
    fn is_library(&self, name: &Name) -> bool {
        self.scopes.get(&name.text).is_none() && self.library.get(&name.text).is_some()
    }

    fn change_of_library(&mut self, span: Span, name: &str) {
        self.report(Diagnostic::new(
            Code::LUA_LIBRARY,
            span,
            format!("`{name}` is the library's and can't be changed"),
        ));
    }

    fn assign(&mut self, name: &'t Name) {
        match self.scopes.get(&name.text) {
            Some(Local { is_constant: true, span }) => {
                let message = format!("`{}` is a constant and keeps its first value", name.text);
                self.report(
                    Diagnostic::new(Code::LUA_CONST, name.span, message).with_note(span, "it is declared here"),
                );
            }
            Some(_) => {}
            None if self.library.get(&name.text).is_some() => self.change_of_library(name.span, &name.text),
            None if self.frames.len() == 1 => _ = self.assigned_above.insert(&name.text),
            None if self.globals.contains(&*name.text) => {}
            None => {
                let message = format!("the assignment to `{}` makes a variable that nobody declared", name.text);
                self.unknown(Code::LUA_ASSIGNED, name, message);
            }
        }
    }

    /// Reports a name that is not known; each name once.
    fn unknown(&mut self, code: Code, name: &'t Name, message: String) {
        if self.reported.insert(&name.text, name.span).is_some() {
            return;
        }
        let known = self.scopes.names().chain(self.globals.iter().copied()).map(|name| -> &str { name });
        let known = known.chain(self.library.names(None));
        let diagnostic = Diagnostic::new(code, name.span, message);
        let diagnostic = match similar(&name.text, known) {
            Some(other) => diagnostic.with_help(format!("did you mean `{other}`? Else {}", code.help())),
            None => diagnostic,
        };
        self.report(diagnostic);
    }

    fn name(&mut self, name: &'t Name) {
        if self.scopes.get(&name.text).is_some() || self.globals.contains(&*name.text) {
            return;
        }
        match self.library.get(&name.text) {
            Some(Member::Refused(code)) => self.refused(code, name.span, &name.text),
            Some(Member::Random) if !self.has_random => self.report(Diagnostic::plain(Code::LUA_RNG, name.span)),
            Some(Member::Function | Member::Value | Member::Namespace | Member::Random) => {}
            None => self.unknown(Code::LUA_UNDEFINED, name, format!("`{}` is defined nowhere", name.text)),
        }
    }

    fn refused(&mut self, code: Code, span: Span, written: &str) {
        let is_named = code.summary().contains(&format!("`{written}`"));
        let message = if is_named { code.summary().to_owned() } else { format!("`{written}`: {}", code.summary()) };
        let diagnostic = Diagnostic::new(code, span, message);
        // The change is safe where the name means the library's function.
        let is_fixed = code == Code::LUA_PAIRS && self.scopes.get("dpairs").is_none();
        self.report(if is_fixed { diagnostic.with_fix(span, "dpairs") } else { diagnostic });
    }

    /// A member of a table that is the library's.
    fn member(&mut self, table: &'t Name, key: &str, span: Span) {
        let space = self.library.get(&table.text);
        let full = format!("{}.{key}", table.text);
        match (space, self.library.get(&full)) {
            (Some(Member::Refused(code)), _) | (_, Some(Member::Refused(code))) => self.refused(code, span, &full),
            (Some(Member::Namespace), None) => {
                let diagnostic = Diagnostic::new(Code::LUA_MEMBER, span, format!("the library has no `{full}`"));
                let help = match similar(key, self.library.names(Some(&table.text))) {
                    Some(other) => format!("did you mean `{}.{other}`?", table.text),
                    None => {
                        let names: Vec<&str> = self.library.names(Some(&table.text)).collect();
                        format!("there are {}", names.join(", "))
                    }
                };
                self.report(diagnostic.with_help(help));
            }
            (Some(Member::Namespace), Some(_)) => {}
            (Some(Member::Function | Member::Value | Member::Random) | None, _) => self.name(table),
        }
    }

    fn expressions(&mut self, expressions: impl IntoIterator<Item = &'t Expression>) {
        expressions.into_iter().for_each(|expression| self.expression(expression));
    }

    fn expression(&mut self, expression: &'t Expression) {
        if let Some((table, Some(key))) = entry(expression)
            && self.is_library(table)
        {
            return self.member(table, &key, expression.span);
        }
        match &expression.kind {
            ExpressionKind::Nil | ExpressionKind::True | ExpressionKind::False | ExpressionKind::String(_) => {}
            ExpressionKind::Numeral(numeral) => self.numeral(numeral, expression.span),
            ExpressionKind::Variadic if self.frames.last().is_some_and(|frame| frame.is_variadic) => {}
            ExpressionKind::Variadic => self.report(Diagnostic::plain(Code::LUA_VARIADIC, expression.span)),
            ExpressionKind::Function(function) => self.function(function, false),
            ExpressionKind::Name(name) => self.name(name),
            ExpressionKind::Call(call) => self.call(call),
            ExpressionKind::Table(items) => self.expressions(items.iter().flat_map(Item::expressions)),
            ExpressionKind::Field { table: inner, .. }
            | ExpressionKind::Parenthesized(inner)
            | ExpressionKind::Unary { operand: inner, .. } => self.expression(inner),
            ExpressionKind::Index { table: left, key: right } | ExpressionKind::Binary { left, right, .. } => {
                self.expressions([&**left, right]);
            }
        }
    }

    fn call(&mut self, call: &'t Call) {
        self.expression(&call.function);
        self.expressions(&call.arguments);
    }

    fn numeral(&mut self, numeral: &Numeral, span: Span) {
        if let Err(fault) = numeral.value(self.is_float) {
            let text = super::lexer::shortened(&numeral.text);
            let message = format!("`{text}` {}", fault.message());
            self.report(Diagnostic::new(Code::LUA_NUMERAL, span, message).with_help(fault.help()));
        }
    }
}

/// Where an expression is an entry of a table that has a name: the name, and the key where it is known.
fn entry(expression: &Expression) -> Option<(&Name, Option<Cow<'_, str>>)> {
    let (table, key) = if let ExpressionKind::Field { table, name } = &expression.kind {
        (table, Some(Cow::Borrowed(&*name.text)))
    } else if let ExpressionKind::Index { table, key } = &expression.kind {
        let text = if let ExpressionKind::String(bytes) = &key.kind { Some(bytes) } else { None };
        (table, text.map(|bytes| String::from_utf8_lossy(bytes)))
    } else {
        return None;
    };
    if let ExpressionKind::Name(name) = &table.kind { Some((name, key)) } else { None }
}
