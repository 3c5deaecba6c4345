//! The top level of a source: which of its functions are functions of the program, what is known before anything runs,
//! and what runs from top to bottom.

use super::Lowering;
use super::names::Names;
use super::scope::Binding;
use crate::Code;
use crate::ir::{self, Action, FunctionId, Lambda, Statement, Values};
use crate::syntax::lua::library::Library;
use crate::syntax::lua::tree::{Block, Expression, ExpressionKind, Function, Name, Statement as Tree, StatementKind};
use kerai_vm::bytecode::ProgramKind;
use std::collections::{BTreeMap, BTreeSet};

/// What the top level defines for good, in the order of the source.
pub(super) struct Definitions<'t> {
    pub(super) functions: BTreeMap<&'t str, Defined<'t>>,
    pub(super) constants: Vec<(&'t str, &'t Expression, usize)>,
    /// Where a statement is one of these definitions.
    places: BTreeSet<usize>,
}

/// A function that sees only what is known.
#[derive(Clone, Copy)]
pub(super) struct Defined<'t> {
    pub(super) name: &'t Name,
    pub(super) function: &'t Function,
    is_global: bool,
    place: usize,
}

impl<'t> Definitions<'t> {
    /// Of statements that stand in one scope, and of all that may assign what they declare. Names of the library that
    /// are hidden by a local are left to the order of the source.
    pub(super) fn of(statements: &'t [Tree], scope: &'t [Tree]) -> Definitions<'t> {
        let library = Library::new();
        let mut all = Names::default();
        all.walk(scope);
        let declared = declared_names(statements);
        let is_once = |name: &Name, assigned: usize| {
            let local = declared.get(&*name.text).copied().unwrap_or(0);
            let total = all.assigned.get(&*name.text).copied().unwrap_or(0);
            local + total == 1 && total == assigned && (assigned == 1 || library.get(&name.text).is_none())
        };
        let mut definitions =
            Definitions { functions: BTreeMap::new(), constants: Vec::new(), places: BTreeSet::new() };
        for (place, statement) in statements.iter().enumerate() {
            match &statement.kind {
                StatementKind::Function { target, function }
                    if target.fields.is_empty() && target.method.is_none() && is_once(&target.base, 1) =>
                {
                    definitions.function(&target.base, function, true, place);
                }
                StatementKind::LocalFunction { name, function } if is_once(name, 0) => {
                    definitions.function(name, function, false, place);
                }
                StatementKind::Assign { targets, values } => {
                    if let (
                        [Expression { kind: ExpressionKind::Name(name), .. }],
                        [Expression { kind: ExpressionKind::Function(function), .. }],
                    ) = (targets.as_slice(), values.as_slice())
                        && is_once(name, 1)
                    {
                        definitions.function(name, function, true, place);
                    }
                }
                StatementKind::Local { names, values } => {
                    if let ([local], [value]) = (names.as_slice(), values.as_slice())
                        && is_once(&local.name, 0)
                    {
                        match &value.kind {
                            ExpressionKind::Function(function) => {
                                definitions.function(&local.name, function, false, place);
                            }
                            _ if definitions.is_constant(value) => {
                                definitions.constants.push((&local.name.text, value, place));
                                definitions.places.insert(place);
                            }
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
        definitions.keep_closed(&library, &all, &declared);
        definitions
    }

    fn function(&mut self, name: &'t Name, function: &'t Function, is_global: bool, place: usize) {
        self.functions.insert(&name.text, Defined { name, function, is_global, place });
    }

    /// Whether an expression is made of literals and constants.
    fn is_constant(&self, expression: &Expression) -> bool {
        match &expression.kind {
            ExpressionKind::Nil | ExpressionKind::True | ExpressionKind::False => true,
            ExpressionKind::Numeral(_) | ExpressionKind::String(_) => true,
            ExpressionKind::Name(name) => self.constants.iter().any(|(other, ..)| **other == *name.text),
            ExpressionKind::Parenthesized(inner) | ExpressionKind::Unary { operand: inner, .. } => {
                self.is_constant(inner)
            }
            ExpressionKind::Binary { left, right, .. } => self.is_constant(left) && self.is_constant(right),
            _ => false,
        }
    }

    /// Takes out functions that see more than what is known, until none is left.
    fn keep_closed(&mut self, library: &Library, all: &Names, declared: &BTreeMap<&str, usize>) {
        let constants: BTreeSet<&str> = self.constants.iter().map(|(name, ..)| *name).collect();
        let is_outside = |name: &str| {
            library.get(name).is_some() && !declared.contains_key(name) && !all.assigned.contains_key(name)
        };
        loop {
            let sees_more = |defined: &Defined| {
                let names = Names::of_function(defined.function);
                !names
                    .used
                    .keys()
                    .all(|&name| constants.contains(name) || self.functions.contains_key(name) || is_outside(name))
            };
            let open: Vec<&str> =
                self.functions.iter().filter(|(_, defined)| sees_more(defined)).map(|(&name, _)| name).collect();
            if open.is_empty() {
                break;
            }
            open.iter().for_each(|name| {
                self.functions.remove(name);
            });
        }
        self.places.extend(self.functions.values().map(|defined| defined.place));
    }

    /// The statements that are no constants.
    pub(super) fn others_but_constants(&self, statements: &'t [Tree]) -> impl Iterator<Item = &'t Tree> {
        statements.iter().enumerate().filter(|(place, _)| !self.is_constant_at(*place)).map(|(_, statement)| statement)
    }

    fn is_constant_at(&self, place: usize) -> bool {
        self.places.contains(&place) && !self.functions.values().any(|defined| defined.place == place)
    }

    /// The statements that are none of these definitions.
    pub(super) fn others(&self, statements: &'t [Tree]) -> impl Iterator<Item = &'t Tree> {
        statements.iter().enumerate().filter(|(place, _)| !self.places.contains(place)).map(|(_, statement)| statement)
    }
}

/// How often statements declare each name as a local of their scope.
fn declared_names(statements: &[Tree]) -> BTreeMap<&str, usize> {
    let mut declared = BTreeMap::new();
    for statement in statements {
        match &statement.kind {
            StatementKind::Local { names, .. } => {
                names.iter().for_each(|local| *declared.entry(&*local.name.text).or_default() += 1);
            }
            StatementKind::LocalFunction { name, .. } => *declared.entry(&*name.text).or_default() += 1,
            _ => {}
        }
    }
    declared
}

impl Lowering {
    pub(super) fn program(&mut self, body: &Block) {
        let mut definitions = Definitions::of(&body.statements, &body.statements);
        self.constants(&mut definitions);
        let ids: Vec<(FunctionId, Defined)> =
            definitions.functions.values().map(|&defined| (self.reserve(&defined.name.text), defined)).collect();
        for (id, defined) in &ids {
            self.scopes.bind(&defined.name.text, Binding::Function(*id));
        }
        let is_fold = |name: &str| definitions.functions.get(name).is_some_and(|defined| defined.is_global);
        let others: Vec<&Tree> = definitions.others(&body.statements).collect();
        if self.has_fold(&others) || is_fold("fold") {
            return match definitions.functions.get("fold") {
                Some(fold) => {
                    self.bodies(&ids, "fold");
                    self.only_definitions(&others);
                    self.fold(fold.function, fold.name);
                }
                None => self.explain_open_fold(&others),
            };
        }
        self.bodies(&ids, "");
        let is_join = ["lift", "join", "finish"].into_iter().all(is_fold) && !is_fold("step");
        if is_join || ["init", "step", "finish"].into_iter().all(is_fold) {
            self.ir.kind = ProgramKind::Fold;
            self.only_definitions(&others);
        }
        if is_join {
            let id = |name: &str| ids.iter().find(|(_, defined)| &*defined.name.text == name).map(|(id, _)| *id);
            if let (Some(lift), Some(join)) = (id("lift"), id("join")) {
                self.join_fold(lift, join, is_fold("init"));
            }
        }
        for (id, defined) in ids.iter().filter(|(_, defined)| defined.is_global) {
            self.ir.exports.insert(defined.name.text.to_string(), *id);
        }
        if self.ir.kind != ProgramKind::Fold && (!others.is_empty() || self.ir.exports.is_empty()) {
            self.main(&others);
        }
    }

    /// Binds names to the constants that they are. What would trap stays where it stands, too.
    pub(super) fn constants(&mut self, definitions: &mut Definitions) {
        for &(name, value, place) in &definitions.constants {
            let value = self.expression(value);
            let value = match value.known() {
                Some(known) => ir::Expression::new(known, value.span),
                None => {
                    definitions.places.remove(&place);
                    value
                }
            };
            self.scopes.bind(name, Binding::Known(value));
        }
    }

    fn bodies(&mut self, ids: &[(FunctionId, Defined)], except: &str) {
        for (id, defined) in ids.iter().filter(|(_, defined)| &*defined.name.text != except) {
            let lambda = self.lambda(defined.function, None);
            self.define(*id, lambda);
        }
    }

    /// What runs from top to bottom, as the export `main`.
    fn main(&mut self, statements: &[&Tree]) {
        let mut globals = Names::default();
        globals.walk_scoped(statements);
        let names: BTreeSet<&str> = globals.assigned.keys().copied().collect();
        let variables: Vec<_> = names.into_iter().map(|name| self.declare(name)).collect();
        let id = self.reserve("main");
        let rest = self.variable("arguments");
        self.rests.push(Some(rest));
        let span = statements.first().map(|statement| statement.span).unwrap_or_default();
        let mut body = Vec::new();
        if !variables.is_empty() {
            body.push(Statement::new(Action::Let(variables, Values::none()), span));
        }
        body.extend(self.statements(statements.iter().copied()));
        self.rests.pop();
        self.define(id, Lambda { parameters: Vec::new(), rest: Some(rest), body });
        self.ir.exports.insert("main".to_owned(), id);
    }

    /// In a fold nothing runs but its functions.
    fn only_definitions(&mut self, others: &[&Tree]) {
        for statement in others {
            self.report(
                Code::FOLD_TOP,
                statement.span,
                "this would run before the fold, and a fold is only its functions",
            );
        }
    }

    fn has_fold(&self, others: &[&Tree]) -> bool {
        fold_among(others).is_some()
    }

    /// Why the function `fold` is no function of its own: it sees a variable.
    fn explain_open_fold(&mut self, others: &[&Tree]) {
        let Some((name, function)) = fold_among(others) else { return };
        let library = Library::new();
        let names = Names::of_function(function);
        let seen = names.used.values().find(|used| {
            let is_known = matches!(self.scopes.get(&used.text), Some(Binding::Known(_) | Binding::Function(_)));
            !is_known && library.get(&used.text).is_none()
        });
        match seen {
            Some(used) => {
                self.report(Code::FOLD_SEES, used.span, format!("`fold` sees `{}`, which is no constant", used.text))
            }
            None => self.report(Code::FOLD_SEES, name.span, "`fold` is assigned more than once"),
        }
    }
}

/// The function `fold` where it is no definition for good.
fn fold_among<'t>(statements: &[&'t Tree]) -> Option<(&'t Name, &'t Function)> {
    statements.iter().find_map(|statement| match &statement.kind {
        StatementKind::Function { target, function }
            if &*target.base.text == "fold" && target.fields.is_empty() && target.method.is_none() =>
        {
            Some((&target.base, &**function))
        }
        _ => None,
    })
}
