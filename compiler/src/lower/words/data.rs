//! Brackets as data: lists and maps. A bare word in them is text, unless it names an item or is `true`, `false` or `nil`.

use super::effect::Kind;
use super::stack::{Body, Code as Quotation, Item, Scope, Value};
use super::{Done, Lowering};
use crate::ir::{Entry, Expression, Node, Values};
use crate::syntax::words::library::{Meaning, word};
use crate::syntax::words::tree::{Bracket, Notation, Term, TermKind};
use crate::{Code, Span};
use kerai_vm::bytecode::Builtin;

impl<'t> Lowering<'t> {
    /// Makes data of a bracket that lies on the stack.
    pub(super) fn materialize(&mut self, body: &mut Body<'t>, at: usize) -> Done {
        let Some(Item { value: Value::Code(code), .. }) = body.stack.get(at) else { return Ok(()) };
        let code = code.clone();
        let Some(bracket) = code.data else {
            return Err(self.say(Code::WORDS_QUOTATION, code.span, "a quotation is nothing but code, and no item"));
        };
        let mut inner = Body { taken: body.taken, ..Body::default() };
        let value = self.data(&mut inner, bracket, &code)?;
        if !inner.block.is_empty() {
            // What is done for it is done before what comes to lie on it is used.
            self.settle(body, code.span);
            body.block.append(&mut inner.block);
        }
        if let Some(place) = body.stack.get_mut(at) {
            *place = Item::pending(value, Kind::Table, 1);
        }
        Ok(())
    }

    fn data(&mut self, inner: &mut Body<'t>, bracket: &'t Bracket, code: &Quotation<'t>) -> Done<Expression> {
        let (scope, span) = (&code.scope, code.span);
        let mut entries: Vec<Entry> = Vec::new();
        let mut has_nil = false;
        let mut key: Option<&str> = None;
        for terms in parts(bracket) {
            let terms = match terms {
                [Term { kind: TermKind::Key(name), span: place }, rest @ ..] => {
                    if key.replace(name).is_some() {
                        return Err(self.say(Code::WORDS_EXPRESSION, *place, "a key needs a value behind it"));
                    }
                    if rest.is_empty() {
                        continue;
                    }
                    rest
                }
                terms => terms,
            };
            let place = terms.first().map_or(span, |term| term.span);
            let value = self.datum(inner, terms, bracket.notation, scope, place)?;
            has_nil |= value.node == Node::Nil;
            entries.push(match key.take() {
                Some(key) => Entry::Keyed(Expression::string(key.as_bytes(), place), value),
                None => Entry::Item(value),
            });
        }
        if key.is_some() {
            return Err(self.say(Code::WORDS_EXPRESSION, span, "a key needs a value behind it"));
        }
        let keyed = entries.iter().filter(|entry| matches!(entry, Entry::Keyed(..))).count();
        if keyed > 0 && keyed < entries.len() {
            return Err(self.say(Code::WORDS_EXPRESSION, span, "in a map, each value has a key: `[a: 1 b: 2]`"));
        }
        Ok(match entries.len() {
            0 => Expression::builtin(Builtin::NewList, Vec::new(), span),
            _ if keyed == 0 && has_nil => Expression::new(Node::List(Values::of(items(entries))), span),
            _ => Expression::new(Node::Table(entries, None), span),
        })
    }

    /// A value in a list or map.
    fn datum(
        &mut self,
        inner: &mut Body<'t>,
        terms: &'t [Term],
        notation: Notation,
        scope: &Scope<'t>,
        span: Span,
    ) -> Done<Expression> {
        if let [Term { kind: TermKind::Word(name), .. }] = terms {
            let literal =
                word(name).filter(|word| matches!(word.meaning, Meaning::True | Meaning::False | Meaning::Nil));
            if literal.is_none() && !scope.contains_key(&**name) {
                return Ok(Expression::string(name.as_bytes(), span));
            }
            match literal {
                Some(word) => self.word(inner, &word, span, false)?,
                None => {
                    let (meant, _) = self.meant(name, span, &[], scope)?;
                    self.run(inner, &meant, name, span, false)?;
                }
            }
        } else if let ([term], true) = (terms, notation == Notation::Postfix) {
            self.operand(inner, term, notation, scope, false)?;
        } else {
            self.terms(inner, terms, notation, scope, false)?;
        }
        match inner.stack.len() {
            1 => {
                let mut values = self.nested(span, |lowering| lowering.take(inner, 1, span))?;
                Ok(values.pop().unwrap_or(Expression::new(Node::Nil, span)))
            }
            count => {
                inner.stack.clear();
                let message = format!("an item of a list is one value, and this leaves {count}");
                Err(self.say(Code::WORDS_EXPRESSION, span, message))
            }
        }
    }
}

/// The terms of each item: in postfix notation each term is one, else commas stand between them.
fn parts(bracket: &Bracket) -> Vec<&[Term]> {
    let is_comma = |term: &Term| matches!(term.kind, TermKind::Comma);
    let is_listed = bracket.notation == Notation::Postfix || !bracket.terms.iter().any(is_comma);
    let is_plain = |term: &Term| !matches!(&term.kind, TermKind::Word(name) if !super::infix::is_plain(name));
    if bracket.notation == Notation::Postfix || (is_listed && bracket.terms.iter().all(is_plain)) {
        return bracket.terms.chunks(1).filter(|term| !term.iter().any(is_comma)).collect();
    }
    bracket.terms.split(is_comma).filter(|part| !part.is_empty()).collect()
}

fn items(entries: Vec<Entry>) -> Vec<Expression> {
    entries.into_iter().map(|(Entry::Item(value) | Entry::Keyed(_, value))| value).collect()
}
