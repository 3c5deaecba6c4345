//! Running terms on the stack of items: what a name stands for, and postfix notation, in which a term follows what it
//! takes.

use super::effect::Kind;
use super::stack::{Body, Code as Quotation, Item, Scope, Value};
use super::{Done, Effect, Lowering, Stop};
use crate::ir::{Expression, Node};
use crate::suggest::similar;
use crate::syntax::words::host;
use crate::syntax::words::library::{self, Meaning, Word};
use crate::syntax::words::tree::{Bracket, Notation, Term, TermKind};
use crate::{Code, Diagnostic, Span, limit};
use kerai_vm::bytecode::Constant;
use std::rc::Rc;

/// What a name stands for.
pub(super) enum Meant<'t> {
    /// An item that has the name.
    Item(Item<'t>),
    Word(Word),
    /// A definition.
    Defined(usize),
}

impl<'t> Lowering<'t> {
    /// Runs terms in a notation. In tail position nothing follows them in their function.
    pub(super) fn terms(
        &mut self,
        body: &mut Body<'t>,
        terms: &'t [Term],
        notation: Notation,
        scope: &Scope<'t>,
        is_tail: bool,
    ) -> Done {
        match notation {
            Notation::Postfix => self.postfix(body, terms, scope, is_tail),
            Notation::Infix => self.infix(body, terms, scope, is_tail),
            Notation::Prefix => self.prefix(body, terms, scope, is_tail),
        }
    }

    fn postfix(&mut self, body: &mut Body<'t>, terms: &'t [Term], scope: &Scope<'t>, is_tail: bool) -> Done {
        let mut rest = terms;
        while let [term, after @ ..] = rest {
            rest = after;
            if let TermKind::Word(name) = &term.kind {
                let (meant, used) = self.meant(name, term.span, after, scope)?;
                rest = after.get(used..).unwrap_or_default();
                let span =
                    if used > 0 { term.span.to(after.first().map_or(term.span, |term| term.span)) } else { term.span };
                self.run(body, &meant, name, span, is_tail && rest.is_empty())?;
            } else {
                self.operand(body, term, Notation::Postfix, scope, is_tail && rest.is_empty())?;
            }
        }
        Ok(())
    }

    /// A term that is no word: what it puts on the stack.
    pub(super) fn operand(
        &mut self,
        body: &mut Body<'t>,
        term: &'t Term,
        notation: Notation,
        scope: &Scope<'t>,
        is_tail: bool,
    ) -> Done {
        self.step(term.span)?;
        let span = term.span;
        let (node, kind) = match &term.kind {
            TermKind::Number(number) => (Node::Constant(Constant::Number(*number)), Kind::Number),
            TermKind::Text(text) => (Node::Constant(Constant::String(text.as_ref().into())), Kind::Text),
            TermKind::Group(notation, terms) => {
                return self.nested(span, |lowering| lowering.terms(body, terms, *notation, scope, is_tail));
            }
            TermKind::Bracket(bracket) => {
                let item = Item {
                    value: Value::Code(quotation(bracket, scope, span)),
                    kind: Kind::Table,
                    was: None,
                    depth: 0,
                };
                return self.push(body, item, span);
            }
            TermKind::Key(key) => {
                return Err(self.say(
                    Code::WORDS_UNKNOWN,
                    span,
                    format!("`{key}:` is a key, and stands in a map `[{key}: …]`"),
                ));
            }
            TermKind::Comma if notation == Notation::Postfix => {
                return Err(self.say(
                    Code::WORDS_EXPRESSION,
                    span,
                    "`,` has no meaning in postfix notation but in lists",
                ));
            }
            TermKind::Comma => return Err(self.say(Code::WORDS_EXPRESSION, span, "a value is missing before `,`")),
            TermKind::Word(word) => {
                return Err(self.say(Code::WORDS_EXPRESSION, span, format!("`{word}` is no value")));
            }
        };
        self.push(body, Item::settled(Expression::new(node, span), kind), span)
    }

    /// Does what a name stands for.
    pub(super) fn run(
        &mut self,
        body: &mut Body<'t>,
        meant: &Meant<'t>,
        name: &str,
        span: Span,
        is_tail: bool,
    ) -> Done {
        self.step(span)?;
        match meant {
            Meant::Item(item) => self.push(body, item.clone(), span),
            Meant::Word(word) => self.word(body, word, span, is_tail),
            Meant::Defined(place) => self.defined(body, *place, name, span),
        }
    }

    /// What a name stands for, and how many further terms belong to it: `postgres ping` is `postgres.ping`.
    pub(super) fn meant(
        &mut self,
        name: &str,
        span: Span,
        after: &[Term],
        scope: &Scope<'t>,
    ) -> Done<(Meant<'t>, usize)> {
        if let Some(found) = self.find(name, span, scope)? {
            return Ok((found, 0));
        }
        let library = self.aliases.get(name).copied().unwrap_or(name);
        if library::is_library(library) {
            if let Some(Term { kind: TermKind::Word(member), span: end }) = after.first()
                && let Some(found) = self.find(&format!("{library}.{member}"), span.to(*end), scope)?
            {
                return Ok((found, 1));
            }
            let message = format!("`{name}` is a library: one of its words must follow");
            let member = match after.first() {
                Some(Term { kind: TermKind::Word(member), .. }) => &**member,
                _ => "",
            };
            return Err(self.unknown(message, span, &format!("{library}.{member}"), scope));
        }
        Err(self.unknown(format!("there is no word `{name}`"), span, name, scope))
    }

    fn unknown(&mut self, message: String, span: Span, name: &str, scope: &Scope<'t>) -> Stop {
        let mut found = Diagnostic::new(Code::WORDS_UNKNOWN, span, message);
        let mut in_sight: Vec<&str> = scope.keys().chain(self.places.keys()).copied().collect();
        library::names().chain(host::ALL.iter().map(|word| word.name)).for_each(|name| in_sight.push(name));
        if let Some(like) = similar(name, in_sight) {
            found = found.with_help(format!("did you mean `{like}`? Text is written in quotes"));
        }
        self.report.push(found);
        Stop
    }

    /// Looks a whole name up: items with names, definitions, words of the table.
    fn find(&mut self, name: &str, span: Span, scope: &Scope<'t>) -> Done<Option<Meant<'t>>> {
        let spelled = match name.split_once('.').and_then(|(library, rest)| Some((self.aliases.get(library)?, rest))) {
            Some((library, rest)) => format!("{library}.{rest}"),
            None => name.to_owned(),
        };
        if let Some(item) = scope.get(name) {
            let item = Item { kind: self.kind(item), ..item.clone() };
            return Ok(Some(Meant::Item(item)));
        }
        if let Some(&place) = self.places.get(&*spelled) {
            return Ok(Some(Meant::Defined(place)));
        }
        if let Some(word) = library::word(&spelled) {
            return Ok(Some(Meant::Word(word)));
        }
        match host::word(&spelled) {
            Some(word) => Err(self.say(
                Code::WORDS_HOST,
                span,
                format!("`{}` is a host word, which no program can use", word.name),
            )),
            None => Ok(None),
        }
    }

    /// How many arguments a name takes where they are written with it, and which of them are quotations.
    pub(super) fn arity(&mut self, meant: &Meant<'t>, name: &str, span: Span) -> Done<(usize, usize)> {
        match meant {
            Meant::Item(_) => Ok((0, 0)),
            Meant::Defined(place) => {
                let known = self.definitions.get(*place).and_then(|defined| defined.function.clone());
                known.map(|(_, effect)| (effect.takes.len(), 0)).ok_or(Stop)
            }
            Meant::Word(Word { meaning: Meaning::Combinator(combinator), .. }) => {
                Ok((combinator.items() + combinator.quotations(), combinator.quotations()))
            }
            Meant::Word(Word { meaning: Meaning::Clear | Meaning::Depth, .. }) => {
                let message = format!("`{name}` depends on all that lies on the stack, and takes no arguments");
                Err(self.say(Code::WORDS_EFFECT, span, message))
            }
            Meant::Word(word) => Ok((Effect::of_text(&word.effect).takes.len(), 0)),
        }
    }

    /// Counts what is done, so that no source takes for ever.
    fn step(&mut self, span: Span) -> Done {
        self.steps += 1;
        if self.steps <= limit::WORDS_STEPS.value {
            return Ok(());
        }
        let most = limit::WORDS_STEPS;
        let message = format!("written out, this is more than {} words (limit `{}`)", most.value, most.name);
        Err(self.say(Code::WORDS_SIZE, span, message))
    }
}

/// A bracket where it stands.
pub(super) fn quotation<'t>(bracket: &'t Bracket, scope: &Scope<'t>, span: Span) -> Quotation<'t> {
    Quotation {
        terms: &bracket.terms,
        parameters: &bracket.parameters,
        notation: bracket.notation,
        data: (!bracket.is_code).then_some(bracket),
        scope: Rc::clone(scope),
        span,
    }
}
