//! Prefix notation: each word before what it takes, with parentheses around it or not.

use super::infix::Terms;
use super::run::Meant;
use super::stack::{Body, Scope};
use super::{Done, Lowering};
use crate::syntax::words::tree::{Notation, Term, TermKind};
use crate::{Code, Span};

impl<'t> Lowering<'t> {
    /// Values one after the other, each of which stays.
    pub(super) fn prefix(&mut self, body: &mut Body<'t>, terms: &'t [Term], scope: &Scope<'t>, is_tail: bool) -> Done {
        let (Some(first), Some(last)) = (terms.first(), terms.last()) else { return Ok(()) };
        let mut rest = Terms { rest: terms, span: first.span.to(last.span) };
        while !rest.rest.is_empty() {
            self.applied(body, &mut rest, scope, is_tail)?;
        }
        Ok(())
    }

    /// A value, or a word with the values that it takes.
    fn applied(&mut self, body: &mut Body<'t>, terms: &mut Terms<'t>, scope: &Scope<'t>, is_tail: bool) -> Done {
        let Some(term) = terms.next() else {
            let end = Span::new(terms.span.end, terms.span.end);
            return Err(self.say(Code::WORDS_ARGUMENTS, end, "a value is missing at the end"));
        };
        if term.kind == TermKind::Comma {
            return Ok(());
        }
        let TermKind::Word(name) = &term.kind else {
            return self.operand(body, term, Notation::Prefix, scope, is_tail && terms.rest.is_empty());
        };
        let span = term.span;
        let (meant, used) = self.meant(name, span, terms.rest, scope)?;
        terms.rest = terms.rest.get(used..).unwrap_or_default();
        let (count, quotations) = self.arity(&meant, name, span)?;
        for at in 0..count {
            if terms.rest.is_empty() {
                return Err(self.wrong_count(name, count, at, span));
            }
            if at + quotations >= count {
                let start = terms.rest;
                self.skip(terms, scope)?;
                let code = start.get(..start.len() - terms.rest.len()).unwrap_or_default();
                let place = code.first().map_or(span, |term| term.span);
                self.argument_code(body, code, Notation::Prefix, scope, place)?;
            } else {
                self.nested(span, |lowering| lowering.applied(body, terms, scope, false))?;
            }
        }
        let is_last = terms.rest.is_empty();
        self.run(body, &meant, name, span, is_tail && is_last)
    }

    /// Goes over a value without computing it.
    fn skip(&mut self, terms: &mut Terms<'t>, scope: &Scope<'t>) -> Done {
        let mut wanted = 1_usize;
        while wanted > 0 {
            let Some(term) = terms.next() else {
                let end = Span::new(terms.span.end, terms.span.end);
                return Err(self.say(Code::WORDS_ARGUMENTS, end, "a value is missing at the end"));
            };
            match &term.kind {
                TermKind::Comma => continue,
                TermKind::Word(name) => {
                    let (meant, used): (Meant<'t>, usize) = self.meant(name, term.span, terms.rest, scope)?;
                    terms.rest = terms.rest.get(used..).unwrap_or_default();
                    wanted += self.arity(&meant, name, term.span)?.0;
                }
                TermKind::Number(_) | TermKind::Text(_) | TermKind::Key(_) => {}
                TermKind::Bracket(_) | TermKind::Group(..) => {}
            }
            wanted -= 1;
        }
        Ok(())
    }
}
