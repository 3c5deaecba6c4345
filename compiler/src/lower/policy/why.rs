//! Why a condition came to what it did: its truth, which of its references made it so, and what stood there.

use super::shape::{self, Functions, Shapes};
use super::{Lowering, NOWHERE, declare, insert};
use crate::Span;
use crate::ir::{
    Action, Binary, Block, Callee, Expression, FunctionId, Node, Place, Statement, Unary, Values, VariableId,
};
use crate::syntax::policy::tree::{Condition, Expression as Tree, ExpressionKind, Reference, Step};
use kerai_vm::bytecode::Builtin;

/// Where a finding is written: the truth, the number of a reference, counted from 1, and the value there.
#[derive(Debug, Clone, Copy)]
struct Finding {
    truth: VariableId,
    reference: VariableId,
    value: VariableId,
}

/// The references of a condition in the order in which they are read: what a key refers to before what it is the key
/// of. Findings name them by their place here.
#[must_use]
pub fn references(tree: &Tree) -> Vec<&Reference> {
    let mut found = Vec::new();
    collect(tree, &mut found);
    found
}

fn collect<'t>(tree: &'t Tree, found: &mut Vec<&'t Reference>) {
    match &tree.kind {
        ExpressionKind::Bool(_) | ExpressionKind::Number(_) | ExpressionKind::String(_) => {}
        ExpressionKind::List(items) => items.iter().for_each(|item| collect(item, found)),
        ExpressionKind::Reference(reference) | ExpressionKind::Has(reference) => {
            for step in &reference.steps {
                if let Step::Key(key) = step {
                    collect(key, found);
                }
            }
            found.push(reference);
        }
        ExpressionKind::Not(operand) | ExpressionKind::Call(_, operand) => collect(operand, found),
        ExpressionKind::And(left, right) | ExpressionKind::Or(left, right) | ExpressionKind::Binary(_, left, right) => {
            collect(left, found);
            collect(right, found);
        }
    }
}

/// The reference that an atom is about: the first that is no key of another. Its place among all of the atom's.
#[must_use]
pub fn subject(atom: &Tree) -> Option<usize> {
    match &atom.kind {
        ExpressionKind::Bool(_) | ExpressionKind::Number(_) | ExpressionKind::String(_) => None,
        ExpressionKind::Reference(_) | ExpressionKind::Has(_) => references(atom).len().checked_sub(1),
        ExpressionKind::Not(operand) | ExpressionKind::Call(_, operand) => subject(operand),
        // What comes before has no references, else it would be the subject.
        ExpressionKind::List(items) => items.iter().find_map(subject),
        ExpressionKind::And(left, right) | ExpressionKind::Or(left, right) | ExpressionKind::Binary(_, left, right) => {
            subject(left).or_else(|| subject(right))
        }
    }
}

impl<'p> Lowering<'p> {
    /// `explain(input)`: a finding for each condition. Many conditions of one shape are one function.
    pub(super) fn explain(&mut self, shapes: &Shapes<'p>) {
        let mut functions = Functions::of(shapes);
        let mut calls = Vec::with_capacity(self.conditions.each.len());
        for (place, shape) in shapes.iter().enumerate() {
            let Some(&condition) = self.conditions.each.get(place) else { continue };
            calls.push(if functions.is_shared(shape) {
                (functions.get(shape, || self.reasons(condition, shape.texts)), shape.texts)
            } else {
                (self.reasons(condition, &[]), &[][..])
            });
        }
        let (input, list) = (self.variable("input"), self.variable("findings"));
        let mut body = vec![declare(list, super::call_builtin(Builtin::NewList, Vec::new()))];
        for (function, given) in calls {
            let arguments =
                [Expression::variable(input, NOWHERE)].into_iter().chain(shape::given(given, NOWHERE)).collect();
            body.push(insert(list, Expression::call(Callee::Function(function), arguments, NOWHERE)));
        }
        body.push(give(Expression::variable(list, NOWHERE)));
        let explain = self.define("explain", vec![input], body);
        self.ir.exports.insert("explain".to_owned(), explain);
    }

    /// A function that gives a condition's finding, with parameters for these of its texts.
    fn reasons(&mut self, condition: &'p Condition, texts: &[&'p Tree]) -> FunctionId {
        let input = self.variable("input");
        let parameters = [input].into_iter().chain(self.take_texts(texts)).collect();
        let (finding, mut body) = self.finding();
        let mut first = 0;
        self.why(&condition.expression, &mut first, finding, input, &mut body);
        let parts = [finding.truth, finding.reference, finding.value];
        let parts = parts.map(|variable| Expression::variable(variable, NOWHERE));
        body.push(give(Expression::new(Node::List(Values::of(parts.into())), NOWHERE)));
        self.texts.clear();
        self.define("reasons", parameters, body)
    }

    /// Variables for a finding.
    fn finding(&mut self) -> (Finding, Block) {
        let finding = Finding {
            truth: self.variable("truth"),
            reference: self.variable("reference"),
            value: self.variable("value"),
        };
        let names = vec![finding.truth, finding.reference, finding.value];
        (finding, vec![Statement::new(Action::Let(names, Values::none()), NOWHERE)])
    }

    /// Writes what a condition comes to. `first` counts the references that were read before.
    fn why(&mut self, tree: &Tree, first: &mut usize, out: Finding, input: VariableId, body: &mut Block) {
        match &tree.kind {
            ExpressionKind::And(left, right) => self.both(left, right, false, first, out, input, body),
            ExpressionKind::Or(left, right) => self.both(left, right, true, first, out, input, body),
            ExpressionKind::Not(operand) => {
                self.why(operand, first, out, input, body);
                let truth = Expression::variable(out.truth, NOWHERE);
                let turned = Expression::unary(Unary::Not, truth.clone(), NOWHERE);
                let is_known = Expression::binary(Binary::Different, truth, nil(), NOWHERE);
                body.push(when(is_known, vec![set(out.truth, turned)]));
            }
            _ => self.why_atom(tree, first, out, input, body),
        }
    }

    /// Two conditions under `and`, or `or`: one of them that settles it, else one that leaves it open, else the first.
    #[expect(clippy::too_many_arguments, reason = "what a node is, and where it stands in the walk")]
    fn both(
        &mut self,
        left: &Tree,
        right: &Tree,
        settles: bool,
        first: &mut usize,
        out: Finding,
        input: VariableId,
        body: &mut Block,
    ) {
        let read = |variable| Expression::variable(variable, NOWHERE);
        let is = |operator, variable, truth| Expression::binary(operator, read(variable), truth, NOWHERE);
        self.why(left, first, out, input, body);
        let (before, mut inner) = self.finding();
        let pairs = [(before.truth, out.truth), (before.reference, out.reference), (before.value, out.value)];
        inner.extend(pairs.map(|(to, from)| set(to, read(from))));
        self.why(right, first, out, input, &mut inner);
        let right_settles = is(Binary::Equal, out.truth, boolean(settles));
        let left_is_open = is(Binary::Equal, before.truth, nil());
        let right_is_known = is(Binary::Different, out.truth, nil());
        let prefers_left = Node::Or(Box::new(left_is_open), Box::new(right_is_known));
        let goes_back = Node::And(
            Box::new(Expression::unary(Unary::Not, right_settles, NOWHERE)),
            Box::new(Expression::new(prefers_left, NOWHERE)),
        );
        let back = pairs.map(|(from, to)| set(to, read(from))).into();
        inner.push(when(Expression::new(goes_back, NOWHERE), back));
        body.push(when(is(Binary::Different, out.truth, boolean(settles)), inner));
    }

    /// An atom that is known is so by its subject; one that is not, by the first reference that is not.
    fn why_atom(&mut self, tree: &Tree, first: &mut usize, out: Finding, input: VariableId, body: &mut Block) {
        let truth = match &tree.kind {
            ExpressionKind::Has(reference) => {
                let value = self.read(reference, None, input, tree.span);
                let is_there = Expression::binary(Binary::Different, value, nil(), tree.span);
                // True or unknown, never false.
                Expression::new(Node::Or(Box::new(is_there), Box::new(nil())), tree.span)
            }
            _ => self.atom(tree, input),
        };
        body.push(set(out.truth, truth));
        let references = references(tree);
        let from = *first;
        *first += references.len();
        let Some(subject) = subject(tree) else {
            body.push(set(out.reference, Expression::integer(0, NOWHERE)));
            return;
        };
        let number = |place: usize| Expression::integer(i64::try_from(from + place + 1).unwrap_or(i64::MAX), NOWHERE);
        let note = |lowering: &mut Self, place: usize, reference: &Reference| {
            let raw = lowering.read_raw(reference, input, tree.span);
            vec![set(out.reference, number(place)), set(out.value, raw)]
        };
        let Some(about) = references.get(subject) else { return };
        let known = note(self, subject, about);
        let mut arms = vec![(
            Expression::binary(Binary::Different, Expression::variable(out.truth, NOWHERE), nil(), NOWHERE),
            known.clone(),
        )];
        for (place, reference) in references.iter().enumerate() {
            let value = self.read(reference, None, input, tree.span);
            let is_open = Expression::binary(Binary::Equal, value, nil(), NOWHERE);
            let noted = note(self, place, reference);
            arms.push((is_open, noted));
        }
        body.push(Statement::new(Action::If(arms, known), tree.span));
    }
}

pub(super) fn nil() -> Expression {
    Expression::new(Node::Nil, NOWHERE)
}

pub(super) fn boolean(truth: bool) -> Expression {
    Expression::new(Node::Bool(truth), NOWHERE)
}

pub(super) fn set(variable: VariableId, value: Expression) -> Statement {
    let span: Span = value.span;
    Statement::new(Action::Set(vec![Place::Variable(variable)], Values::one(value)), span)
}

pub(super) fn when(condition: Expression, block: Block) -> Statement {
    Statement::new(Action::If(vec![(condition, block)], Block::new()), NOWHERE)
}

pub(super) fn give(value: Expression) -> Statement {
    Statement::new(Action::Return(Values::one(value)), NOWHERE)
}
