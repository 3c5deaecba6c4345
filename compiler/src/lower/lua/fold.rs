//! `fold(events)`, which means its split form: `init()` makes what it declares, `step(state, op)` does one round of its
//! loop, `finish(state)` does what follows. So a fold is incremental without its author's doing.
//!
//! The state holds the declared variables that rounds or the end need, at 1, 2, … in the order of their declaration.

use super::names::Names;
use super::program::Definitions;
use super::scope::Binding;
use super::{Chance, Lowering};
use crate::Code;
use crate::Span;
use crate::ir::{Action, Entry, Expression, Lambda, Node, Place, Statement, Values, VariableId};
use crate::syntax::lua::tree::{
    Block, Call, Expression as TreeExpression, ExpressionKind, Function, Name, Statement as Tree, StatementKind,
};
use kerai_vm::bytecode::{Builtin, ProgramKind};
use std::collections::BTreeSet;

/// The parts of a fold.
struct Parts<'t> {
    declarations: &'t [Tree],
    names: &'t [Name],
    body: &'t Block,
    tail: &'t [Tree],
    span: Span,
}

/// What a fold declares before its loop, by how it gets to the rounds and to the end.
#[derive(Default)]
struct Declared<'t> {
    /// Variables that the state may hold.
    variables: Vec<&'t Name>,
    /// Statements that make functions, which are made again where they are used.
    functions: Vec<(&'t str, &'t Tree, Names<'t>)>,
}

impl Lowering {
    pub(super) fn fold(&mut self, function: &Function, name: &Name) {
        self.ir.kind = ProgramKind::Fold;
        let [events] = function.parameters.as_slice() else {
            return self.report(Code::FOLD_PARAMETERS, name.span, "`fold` takes one parameter, the events");
        };
        let Some(parts) = self.parts(function, events, name) else { return };
        self.check_round(&parts, events);
        // What is wrong with the shape would only be said again, in other words.
        if !self.diagnostics.is_empty() {
            return;
        }
        let mut definitions = Definitions::of(parts.declarations, &function.body.statements);
        let open = self.scopes.open();
        self.constants(&mut definitions);
        let declared = declared(definitions.others_but_constants(parts.declarations));
        let state = self.kept(&declared, &parts);
        self.init(&parts, &definitions, &state);
        self.step(&parts, &declared, &state);
        self.finish(&parts, &declared, &state);
        self.scopes.close(open);
    }

    /// The fold's parts: declarations, the loop, what follows.
    fn parts<'t>(&mut self, function: &'t Function, events: &Name, name: &Name) -> Option<Parts<'t>> {
        let statements = &function.body.statements;
        let place = statements.iter().position(|statement| self.is_round(statement, events));
        let Some(place) = place else {
            let message = format!("`fold` needs one loop `for _, e in dpairs({}) do … end`", events.text);
            self.report(Code::FOLD_LOOP, name.span, message);
            return None;
        };
        let declarations = statements.get(..place).unwrap_or_default();
        for statement in declarations {
            if !matches!(statement.kind, StatementKind::Local { .. } | StatementKind::LocalFunction { .. }) {
                self.report(Code::FOLD_DECLARATION, statement.span, "only declarations stand before the fold's loop");
            }
        }
        match statements.get(place).map(|statement| (&statement.kind, statement.span)) {
            Some((StatementKind::GenericFor { names, body, .. }, span)) => {
                let tail = statements.get(place + 1..).unwrap_or_default();
                Some(Parts { declarations, names, body, tail, span })
            }
            _ => None,
        }
    }

    /// Whether a statement is the loop over the events.
    fn is_round(&self, statement: &Tree, events: &Name) -> bool {
        let StatementKind::GenericFor { values, .. } = &statement.kind else { return false };
        let [TreeExpression { kind: ExpressionKind::Call(call), .. }] = values.as_slice() else { return false };
        let Call { function, method: None, arguments, .. } = &**call else { return false };
        let is_events = matches!(
            arguments.as_slice(),
            [TreeExpression { kind: ExpressionKind::Name(name), .. }] if name.text == events.text
        );
        is_events && self.library_name(function).as_deref() == Some("dpairs")
    }

    /// What a round may not do, since it is a step of its own.
    fn check_round(&mut self, parts: &Parts, events: &Name) {
        let index = parts.names.first();
        let round = Names::of_statements(&parts.body.statements);
        let shadows = |name: &Name| parts.names.iter().any(|other| other.text == name.text);
        if let Some(index) = index.filter(|_| parts.names.len() > 1)
            && let Some(used) = round.used.get(&*index.text)
        {
            self.report(
                Code::FOLD_EVENTS,
                used.span,
                format!("`{}` is the event's place, which a step does not know", index.text),
            );
        }
        if parts.names.len() != 2 {
            self.report(
                Code::FOLD_LOOP,
                parts.span,
                "the loop over the events has two variables: `for _, e in dpairs(events) do`",
            );
        }
        let around = Names::of_statements(parts.declarations.iter().chain(parts.tail));
        for names in [&round, &around] {
            if let Some(used) = names.used.get(&*events.text).filter(|_| !shadows(events)) {
                self.report(
                    Code::FOLD_EVENTS,
                    used.span,
                    format!("`{}` is only there for the fold's loop", events.text),
                );
            }
        }
        for emits in ["emit", "emit_json_canonical"] {
            if let Some(used) = round.used.get(emits).filter(|_| self.scopes.get(emits).is_none()) {
                self.report(Code::FOLD_EMITS, used.span, format!("`{emits}` stands in the fold's loop"));
            }
        }
        let mut leaving = Vec::new();
        leaves(&parts.body.statements, false, &mut leaving);
        for (word, span) in leaving {
            self.report(Code::FOLD_LEAVES, span, format!("`{word}` would leave the fold's loop"));
        }
    }

    /// The declared variables that rounds or the end need.
    fn kept<'t>(&self, declared: &Declared<'t>, parts: &Parts<'t>) -> Vec<&'t Name> {
        let round = needed(declared, &Names::of_statements(&parts.body.statements));
        let end = needed(declared, &Names::of_statements(parts.tail));
        let is_kept = |name: &&Name| round.contains(&*name.text) || end.contains(&*name.text);
        declared.variables.iter().copied().filter(is_kept).collect()
    }

    pub(super) fn export(&mut self, name: &str, lambda: Lambda) {
        let id = self.reserve(name);
        self.define(id, lambda);
        self.ir.exports.insert(name.to_owned(), id);
    }

    fn init(&mut self, parts: &Parts, definitions: &Definitions, state: &[&Name]) {
        self.rests.push(None);
        let lambda = self.scoped(|lowering| {
            let mut body = lowering.statements(definitions.others_but_constants(parts.declarations));
            let entries = state.iter().zip(1..).filter_map(|(name, place)| match lowering.scopes.get(&name.text) {
                Some(Binding::Variable(variable)) => Some(Entry::Keyed(
                    Expression::integer(place, name.span),
                    Expression::variable(*variable, name.span),
                )),
                _ => None,
            });
            let table = Expression::new(Node::Table(entries.collect(), None), parts.span);
            body.push(Statement::new(Action::Return(Values::one(table)), parts.span));
            Lambda { parameters: Vec::new(), rest: None, body }
        });
        self.rests.pop();
        self.export("init", lambda);
    }

    /// The state's variables and the functions that a part needs, under their names.
    fn restored<'t>(
        &mut self,
        declared: &Declared<'t>,
        state: &[&Name],
        part: &Names<'t>,
        from: VariableId,
    ) -> (Vec<Statement>, Vec<(i64, VariableId, Span)>) {
        let needed = needed(declared, part);
        let (mut body, mut places) = (Vec::new(), Vec::new());
        for (name, place) in state.iter().zip(1..).filter(|(name, _)| needed.contains(&*name.text)) {
            let table = Expression::variable(from, name.span);
            let value = Expression::index(table, Expression::integer(place, name.span), name.span);
            let variable = self.declare(&name.text);
            body.push(Statement::new(Action::Let(vec![variable], Values::one(value)), name.span));
            let is_assigned = part.assigned.contains_key(&*name.text)
                || declared
                    .functions
                    .iter()
                    .any(|(function, _, names)| needed.contains(function) && names.assigned.contains_key(&*name.text));
            if is_assigned {
                places.push((place, variable, name.span));
            }
        }
        let functions = declared.functions.iter().filter(|(name, ..)| needed.contains(name));
        body.extend(self.statements(functions.map(|(_, statement, _)| *statement)));
        (body, places)
    }

    fn step<'t>(&mut self, parts: &Parts<'t>, declared: &Declared<'t>, state: &[&Name]) {
        self.rests.push(None);
        let lambda = self.scoped(|lowering| {
            let from = lowering.variable("state");
            let generator = lowering.variable("generator");
            lowering.chance = Chance::Generator(generator, false);
            let round = Names::of_statements(&parts.body.statements);
            let (mut body, places) = lowering.restored(declared, state, &round, from);
            let lowered = lowering.scoped(|lowering| {
                let event = parts.names.get(1).map_or("event", |name| &name.text);
                let event = lowering.declare(event);
                (event, lowering.block(parts.body))
            });
            let (event, round) = lowered;
            body.push(Statement::new(Action::Block(round), parts.span));
            for (place, variable, span) in places {
                let target = Place::Index(Expression::variable(from, span), Expression::integer(place, span));
                let value = Values::one(Expression::variable(variable, span));
                body.push(Statement::new(Action::Set(vec![target], value), span));
            }
            let mut parameters = vec![from, event];
            if matches!(lowering.chance, Chance::Generator(_, true)) {
                // What a step takes beside state and operation is the seed that is drawn from it.
                let seed = lowering.variable("seed");
                parameters.push(seed);
                let made = vec![Expression::variable(seed, parts.span)];
                let made = Values::one(Expression::builtin(Builtin::RandomNew, made, parts.span));
                body.insert(0, Statement::new(Action::Let(vec![generator], made), parts.span));
            }
            lowering.chance = Chance::Nowhere;
            Lambda { parameters, rest: None, body }
        });
        self.rests.pop();
        self.export("step", lambda);
    }

    fn finish<'t>(&mut self, parts: &Parts<'t>, declared: &Declared<'t>, state: &[&Name]) {
        self.rests.push(None);
        let lambda = self.scoped(|lowering| {
            let from = lowering.variable("state");
            let end = Names::of_statements(parts.tail);
            let (mut body, _) = lowering.restored(declared, state, &end, from);
            body.extend(lowering.statements(parts.tail));
            Lambda { parameters: vec![from], rest: None, body }
        });
        self.rests.pop();
        self.export("finish", lambda);
    }
}

/// What declarations declare that are no constants.
fn declared<'t>(statements: impl Iterator<Item = &'t Tree>) -> Declared<'t> {
    let mut declared = Declared::default();
    for statement in statements {
        match &statement.kind {
            StatementKind::LocalFunction { name, .. } => {
                declared.functions.push((&name.text, statement, Names::of_statements([statement])));
            }
            StatementKind::Local { names, values } => match (names.as_slice(), values.as_slice()) {
                ([local], [TreeExpression { kind: ExpressionKind::Function(_), .. }]) => {
                    declared.functions.push((&local.name.text, statement, Names::of_statements([statement])));
                }
                _ => declared.variables.extend(names.iter().map(|local| &local.name)),
            },
            _ => {}
        }
    }
    declared
}

/// The names that a part uses, by itself or through functions that were declared.
fn needed<'t>(declared: &Declared<'t>, part: &Names<'t>) -> BTreeSet<&'t str> {
    let mut needed: BTreeSet<&str> = part.used.keys().copied().collect();
    loop {
        let more: Vec<&str> = declared
            .functions
            .iter()
            .filter(|(name, ..)| needed.contains(name))
            .flat_map(|(_, _, names)| names.used.keys().copied())
            .filter(|name| !needed.contains(name))
            .collect();
        if more.is_empty() {
            return needed;
        }
        needed.extend(more);
    }
}

/// What leaves the loop that the statements are the body of.
fn leaves(statements: &[Tree], is_in_loop: bool, found: &mut Vec<(&'static str, Span)>) {
    for statement in statements {
        match &statement.kind {
            StatementKind::Break if !is_in_loop => found.push(("break", statement.span)),
            StatementKind::Return(_) => found.push(("return", statement.span)),
            StatementKind::Do(body) => leaves(&body.statements, is_in_loop, found),
            StatementKind::If { arms, otherwise } => {
                let bodies = arms.iter().map(|arm| &arm.body).chain(otherwise);
                bodies.for_each(|body| leaves(&body.statements, is_in_loop, found));
            }
            StatementKind::While { body, .. }
            | StatementKind::Repeat { body, .. }
            | StatementKind::NumericFor { body, .. }
            | StatementKind::GenericFor { body, .. } => leaves(&body.statements, true, found),
            _ => {}
        }
    }
}
