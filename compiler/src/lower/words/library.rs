//! The words of the table: what each becomes, and the part of them that is written in Lua.

use super::effect::{Effect, Kind};
use super::stack::{Body, End, Item};
use super::{Done, Lowering, item};
use crate::ir::{Action, Call, Callee, Expression, FunctionId, Ir, Node, Statement};
use crate::syntax::lua;
use crate::syntax::words::library::{self, Meaning, Word};
use crate::syntax::words::tree::{Bracket, Script, Term, TermKind};
use crate::{Code, Span};
use kerai_vm::bytecode::{Constant, Gives};
use kerai_vm::number::Number;
use std::rc::Rc;

/// The words that are written in Lua.
const PRELUDE: &str = include_str!("../../../../stdlib/words.lua");

/// Those words as a program, each function exported by its name.
pub(super) fn prelude() -> Option<Ir> {
    crate::lower::lua::lower(&lua::parse(PRELUDE).chunk).ok()
}

/// Whether a source may use them.
pub(super) fn uses_prelude(script: &Script) -> bool {
    fn any(terms: &[Term]) -> bool {
        terms.iter().any(|term| match &term.kind {
            TermKind::Word(word) => {
                library::ALL.iter().any(|known| matches!(known.meaning, Meaning::Prelude(_)) && *known.name == **word)
            }
            TermKind::Bracket(Bracket { terms, .. }) | TermKind::Group(_, terms) => any(terms),
            TermKind::Number(_) | TermKind::Text(_) | TermKind::Key(_) | TermKind::Comma => false,
        })
    }
    script.lines.iter().any(|line| any(&line.terms))
}

impl<'t> Lowering<'t> {
    /// Does what a word of the table does.
    pub(super) fn word(&mut self, body: &mut Body<'t>, word: &Word, span: Span, is_tail: bool) -> Done {
        let constant = |node: Node, kind: Kind| Item::settled(Expression::new(node, span), kind);
        match word.meaning {
            Meaning::Shuffle => self.shuffle(body, word, span),
            Meaning::True => self.push(body, constant(Node::Bool(true), Kind::Bool), span),
            Meaning::False => self.push(body, constant(Node::Bool(false), Kind::Bool), span),
            Meaning::Nil => self.push(body, constant(Node::Nil, Kind::Nil), span),
            Meaning::Combinator(combinator) => self.combinator(body, combinator, word.name, span, is_tail),
            Meaning::Clear => {
                self.know_all(word.name, span)?;
                self.settle(body, span);
                body.stack.clear();
                Ok(())
            }
            Meaning::Depth => {
                self.know_all(word.name, span)?;
                let depth = i64::try_from(body.stack.len()).unwrap_or(i64::MAX);
                let node = Node::Constant(Constant::Number(Number::from_i64(depth)));
                self.push(body, constant(node, Kind::Number), span)
            }
            Meaning::Unary(_) | Meaning::Binary(_) | Meaning::And | Meaning::Or | Meaning::Join | Meaning::Index => {
                self.operation(body, word, span)
            }
            Meaning::Builtin(_) | Meaning::Prelude(_) | Meaning::Raise => self.operation(body, word, span),
        }
    }

    /// Words that look at the whole stack are for where it is known: outside of definitions.
    fn know_all(&mut self, word: &str, span: Span) -> Done {
        if self.is_whole {
            return Ok(());
        }
        let message = format!("`{word}` depends on all that lies on the stack, which a definition can't know");
        Err(self.say(Code::WORDS_EFFECT, span, message))
    }

    /// Checks that there is what an effect takes.
    pub(super) fn check(&mut self, body: &mut Body<'t>, effect: &Effect, word: &str, span: Span) -> Done {
        self.need(body, effect.takes.len(), span, word)?;
        for (from_top, &kind) in effect.takes.iter().rev().enumerate() {
            self.expect(body, from_top, kind, span, word)?;
        }
        Ok(())
    }

    /// A word that only moves items: those that are not computed yet are put into variables where they change places.
    fn shuffle(&mut self, body: &mut Body<'t>, word: &Word, span: Span) -> Done {
        let effect = Effect::of_text(&word.effect);
        self.check(body, &effect, word.name, span)?;
        let from = body.stack.len() - effect.takes.len();
        let is_pending = |place: &usize| body.stack.get(from + place).is_some_and(Item::is_pending);
        let before: Vec<usize> = (0..effect.takes.len()).filter(is_pending).collect();
        let after: Vec<usize> = effect.leaves.iter().filter_map(|leaves| leaves.was).filter(is_pending).collect();
        if before != after {
            self.settle(body, span);
        }
        let taken = self.take_items(body, effect.takes.len());
        let left = effect.leaves.iter().filter_map(|leaves| taken.get(leaves.was?).cloned());
        body.stack.extend(left);
        Ok(())
    }

    /// A word that computes something of what it takes.
    fn operation(&mut self, body: &mut Body<'t>, word: &Word, span: Span) -> Done {
        let effect = Effect::of_text(&word.effect);
        self.check(body, &effect, word.name, span)?;
        let count = effect.takes.len();
        if matches!(word.meaning, Meaning::And | Meaning::Or) {
            // The second value is computed whatever the first one is, as everywhere in words.
            self.materialize(body, body.stack.len().saturating_sub(1))?;
            if body.stack.last().is_some_and(Item::is_pending) {
                self.settle(body, span);
            }
        }
        let depth = Self::depth_of(body, count) + 1;
        let kind = effect.leaves.first().map_or(Kind::Any, |leaves| leaves.kind);
        let operands = self.take(body, count, span)?;
        let Some(node) = self.node(body, word.meaning, operands, span) else { return Ok(()) };
        self.push(body, Item::pending(Expression::new(node, span), kind, depth), span)
    }

    /// The expression that a word becomes; nothing where it is a statement.
    fn node(&mut self, body: &mut Body<'t>, meaning: Meaning, operands: Vec<Expression>, span: Span) -> Option<Node> {
        let mut rest = operands.into_iter();
        let mut next = || Box::new(rest.next().unwrap_or(Expression::new(Node::Nil, span)));
        Some(match meaning {
            Meaning::Unary(operator) => Node::Unary(operator, next()),
            Meaning::Binary(operator) => {
                let first = next();
                Node::Binary(operator, first, next())
            }
            Meaning::And => {
                let first = next();
                Node::And(first, next())
            }
            Meaning::Or => {
                let first = next();
                Node::Or(first, next())
            }
            Meaning::Index => {
                let first = next();
                Node::Index(first, next())
            }
            Meaning::Join => joined(*next(), *next()),
            Meaning::Builtin(builtin) => {
                let arguments = item::arguments(builtin, rest.collect());
                let call = Call { callee: Callee::Builtin(builtin), arguments };
                if builtin.gives() == Gives::Nothing {
                    self.settle(body, span);
                    body.block.push(Statement::new(Action::Do(call), span));
                    return None;
                }
                Node::Call(Box::new(call))
            }
            Meaning::Prelude(name) => {
                let id = self.prelude.get(name).copied().unwrap_or(FunctionId(u32::MAX));
                Node::Call(Box::new(item::call(id, rest.collect())))
            }
            Meaning::Raise => {
                let value = *next();
                self.settle(body, span);
                body.block.push(Statement::new(Action::Raise(Box::new(value)), span));
                body.end = End::Raised;
                return None;
            }
            Meaning::Shuffle | Meaning::True | Meaning::False | Meaning::Nil => return None,
            Meaning::Combinator(_) | Meaning::Clear | Meaning::Depth => return None,
        })
    }

    /// Calls a definition.
    pub(super) fn defined(&mut self, body: &mut Body<'t>, place: usize, name: &str, span: Span) -> Done {
        let known = self.definitions.get(place).and_then(|defined| defined.function.clone());
        // What is wrong with the definition was said there.
        let (id, effect): (FunctionId, Rc<Effect>) = known.ok_or(super::Stop)?;
        self.check(body, &effect, name, span)?;
        let count = effect.takes.len();
        let depth = Self::depth_of(body, count) + 1;
        let call = item::call(id, self.take(body, count, span)?);
        match effect.leaves.as_slice() {
            [one] => {
                let node = Node::Call(Box::new(call));
                self.push(body, Item::pending(Expression::new(node, span), one.kind, depth), span)?;
            }
            [] => {
                self.settle(body, span);
                body.block.push(Statement::new(Action::Do(call), span));
            }
            many => {
                self.settle(body, span);
                let variables: Vec<_> = many.iter().map(|_| self.variable("value")).collect();
                let results = item::values(vec![Expression::new(Node::Call(Box::new(call)), span)]);
                body.block.push(Statement::new(Action::Let(variables.clone(), results), span));
                let items = variables.into_iter().zip(many);
                body.stack.extend(items.map(|(variable, leaves)| Item::variable(variable, leaves.kind, span)));
            }
        }
        Ok(())
    }
}

/// Two texts as one. What was joined already and is followed by what is known is joined at once.
fn joined(first: Expression, second: Expression) -> Node {
    let is_known = matches!(second.node, Node::Constant(_) | Node::Variable(_));
    match first {
        Expression { node: Node::Join(mut parts), .. } if is_known && parts.len() < MOST_JOINED => {
            parts.push(second);
            Node::Join(parts)
        }
        first => Node::Join(vec![first, second]),
    }
}

/// Parts that are joined by one instruction.
const MOST_JOINED: usize = 100;
