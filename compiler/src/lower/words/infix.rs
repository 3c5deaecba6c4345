//! Infix notation: operators between what they take, calls as `word(a, b)`. What it puts on the stack, and in which
//! order, is what the same in postfix notation does, so both are one program.

use super::run::{Meant, quotation};
use super::stack::{Body, Code as Quotation, Item, Scope, Value};
use super::{Done, Lowering};
use crate::syntax::words::tree::{Notation, Term, TermKind};
use crate::{Code, Span};
use std::rc::Rc;

/// How firmly operators bind, the loosest first; each row from left to right, but `^` from right to left.
const BINARY: &[(&[&str], u8)] = &[
    (&["or"], 1),
    (&["and"], 2),
    (&["=", "==", "!=", "~=", "<", "<=", ">", ">="], 3),
    (&[".."], 4),
    (&["+", "-"], 5),
    (&["*", "/", "//", "%"], 6),
    (&["^"], 8),
];

/// How firmly what stands before a value binds.
const UNARY: u8 = 7;

fn binding(operator: &str) -> Option<u8> {
    BINARY.iter().find(|(operators, _)| operators.contains(&operator)).map(|(_, binding)| *binding)
}

/// The word that an operator before a value is.
fn unary(operator: &str) -> Option<&'static str> {
    match operator {
        "-" => Some("neg"),
        "not" => Some("not"),
        _ => None,
    }
}

/// Whether a word is no operator.
pub(super) fn is_plain(word: &str) -> bool {
    binding(word).is_none() && unary(word).is_none()
}

/// Terms that are read from left to right.
pub(super) struct Terms<'t> {
    pub(super) rest: &'t [Term],
    /// Where all of them stand.
    pub(super) span: Span,
}

impl<'t> Terms<'t> {
    pub(super) fn next(&mut self) -> Option<&'t Term> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn operator(&self) -> Option<&'t str> {
        match self.rest.first() {
            Some(Term { kind: TermKind::Word(word), .. }) => Some(word),
            _ => None,
        }
    }
}

impl<'t> Lowering<'t> {
    /// Expressions with commas between, each of which leaves its value.
    pub(super) fn infix(&mut self, body: &mut Body<'t>, terms: &'t [Term], scope: &Scope<'t>, is_tail: bool) -> Done {
        let (Some(first), Some(last)) = (terms.first(), terms.last()) else { return Ok(()) };
        let mut rest = Terms { rest: terms, span: first.span.to(last.span) };
        loop {
            self.expression(body, &mut rest, scope, 0, is_tail)?;
            match rest.next() {
                None => return Ok(()),
                Some(Term { kind: TermKind::Comma, .. }) if !rest.rest.is_empty() => {}
                Some(Term { span, .. }) => {
                    return Err(self.say(Code::WORDS_EXPRESSION, *span, "an operator or `,` is missing before this"));
                }
            }
        }
    }

    /// An expression of operators that bind more firmly than those around it.
    fn expression(
        &mut self,
        body: &mut Body<'t>,
        terms: &mut Terms<'t>,
        scope: &Scope<'t>,
        above: u8,
        is_tail: bool,
    ) -> Done {
        let span = terms.rest.first().map_or(terms.span, |term| term.span);
        self.nested(span, |lowering| {
            match terms.operator().and_then(unary) {
                Some(word) => {
                    terms.next();
                    lowering.expression(body, terms, scope, UNARY - 1, false)?;
                    lowering.named(body, word, span, scope, false)?;
                }
                None => lowering.value(body, terms, scope, is_tail)?,
            }
            while let Some(operator) = terms.operator()
                && let Some(binding) = binding(operator).filter(|&binding| binding > above)
            {
                let span = terms.next().map_or(span, |term| term.span);
                let below = if operator == "^" { binding - 1 } else { binding };
                lowering.expression(body, terms, scope, below, false)?;
                lowering.named(body, operator, span, scope, false)?;
            }
            Ok(())
        })
    }

    /// Does what a word says whose name is known to be one.
    fn named(&mut self, body: &mut Body<'t>, name: &str, span: Span, scope: &Scope<'t>, is_tail: bool) -> Done {
        let (meant, _) = self.meant(name, span, &[], scope)?;
        self.run(body, &meant, name, span, is_tail)
    }

    fn value(&mut self, body: &mut Body<'t>, terms: &mut Terms<'t>, scope: &Scope<'t>, is_tail: bool) -> Done {
        let Some(term) = terms.next() else {
            let end = Span::new(terms.span.end, terms.span.end);
            return Err(self.say(Code::WORDS_EXPRESSION, end, "a value is missing at the end"));
        };
        match &term.kind {
            TermKind::Word(name) if is_plain(name) => self.called(body, name, term.span, terms, scope, is_tail),
            TermKind::Word(name) => {
                let message = format!("a value is missing before `{name}`");
                Err(self.say(Code::WORDS_EXPRESSION, term.span, message))
            }
            TermKind::Group(Notation::Infix, inner)
                if inner.iter().any(|term| matches!(term.kind, TermKind::Comma)) =>
            {
                Err(self.say(Code::WORDS_EXPRESSION, term.span, "parentheses hold one value"))
            }
            TermKind::Number(_) | TermKind::Text(_) | TermKind::Key(_) | TermKind::Comma => {
                self.operand(body, term, Notation::Infix, scope, false)
            }
            TermKind::Bracket(_) | TermKind::Group(..) => self.operand(body, term, Notation::Infix, scope, false),
        }
    }

    /// A name, with its arguments where it takes some.
    fn called(
        &mut self,
        body: &mut Body<'t>,
        name: &'t str,
        span: Span,
        terms: &mut Terms<'t>,
        scope: &Scope<'t>,
        is_tail: bool,
    ) -> Done {
        let (meant, used) = self.meant(name, span, terms.rest, scope)?;
        terms.rest = terms.rest.get(used..).unwrap_or_default();
        let (count, quotations) = self.arity(&meant, name, span)?;
        let mut arguments: Vec<&'t [Term]> = Vec::new();
        if let ([Term { kind: TermKind::Group(Notation::Infix, inner), .. }, rest @ ..], false) =
            (terms.rest, matches!(meant, Meant::Item(_)))
        {
            terms.rest = rest;
            if !inner.is_empty() {
                arguments = inner.split(|term| matches!(term.kind, TermKind::Comma)).collect();
            }
        }
        if arguments.len() != count {
            return Err(self.wrong_count(name, count, arguments.len(), span));
        }
        for (at, argument) in arguments.into_iter().enumerate() {
            let place = argument.first().map_or(span, |term| term.span);
            if argument.is_empty() {
                return Err(self.say(Code::WORDS_EXPRESSION, place, "a value is missing between commas"));
            }
            if at + quotations >= count {
                self.argument_code(body, argument, Notation::Infix, scope, place)?;
            } else {
                self.nested(place, |lowering| lowering.infix(body, argument, scope, false))?;
            }
        }
        let is_last = terms.rest.is_empty();
        self.run(body, &meant, name, span, is_tail && is_last)
    }

    pub(super) fn wrong_count(&mut self, name: &str, count: usize, given: usize, span: Span) -> super::Stop {
        let many = if count == 1 { "argument" } else { "arguments" };
        self.say(Code::WORDS_ARGUMENTS, span, format!("`{name}` takes {count} {many}, and has {given}"))
    }

    /// An argument that is run by its word: a bracket as it is, anything else as code.
    pub(super) fn argument_code(
        &mut self,
        body: &mut Body<'t>,
        terms: &'t [Term],
        notation: Notation,
        scope: &Scope<'t>,
        span: Span,
    ) -> Done {
        let code = match terms {
            [Term { kind: TermKind::Bracket(bracket), span }] => quotation(bracket, scope, *span),
            // A word alone is what is run, on what it then finds.
            [Term { kind: TermKind::Word(name), .. }] if !scope.contains_key(&**name) => Quotation {
                terms,
                parameters: &[],
                notation: Notation::Postfix,
                data: None,
                scope: Rc::clone(scope),
                span,
            },
            terms => Quotation { terms, parameters: &[], notation, data: None, scope: Rc::clone(scope), span },
        };
        let item = Item { value: Value::Code(code), kind: super::Kind::Table, was: None, depth: 0 };
        self.push(body, item, span)
    }
}
