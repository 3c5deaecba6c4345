//! Words that run quotations: branches and loops. A quotation is put in the place of the word that runs it; what a loop
//! carries from round to round lies in variables.

use super::effect::Kind;
use super::stack::{Body, Code as Quotation, End, Item, Value};
use super::{Done, Lowering, Reach};
use crate::ir::{Action, Block, Count, Each, Expression, Node, Place, Statement, Unary, Values, VariableId};
use crate::syntax::words::library::Combinator;
use crate::{Code, Span};
use kerai_vm::bytecode::Builtin;
use std::rc::Rc;

/// A combinator at its work: its name, and where it stands.
#[derive(Clone, Copy)]
struct At<'n> {
    name: &'n str,
    span: Span,
}

impl<'t> Lowering<'t> {
    pub(super) fn combinator(
        &mut self,
        body: &mut Body<'t>,
        combinator: Combinator,
        name: &str,
        span: Span,
        is_tail: bool,
    ) -> Done {
        let at = At { name, span };
        let codes = self.codes(body, combinator, at)?;
        match (combinator, codes.as_slice()) {
            (Combinator::Call, [code]) => self.code(body, code, is_tail),
            (Combinator::Dip, [code]) => self.dip(body, code, at),
            (Combinator::If, [then, otherwise]) => self.branch(body, [Some(then), Some(otherwise)], at, is_tail),
            (Combinator::When, [then]) => self.branch(body, [Some(then), None], at, is_tail),
            (Combinator::Unless, [otherwise]) => {
                self.negate(body, span)?;
                self.branch(body, [Some(otherwise), None], at, is_tail)
            }
            (Combinator::While, [condition, code]) => self.while_loop(body, condition, code, at),
            (Combinator::Times, [code]) => self.times(body, code, at),
            (Combinator::Fold, [code]) => self.fold(body, code, at),
            (Combinator::Each | Combinator::Map | Combinator::Filter, [code]) => self.visit(body, combinator, code, at),
            _ => Ok(()),
        }
    }

    /// Takes the quotations of a combinator off the stack.
    fn codes(&mut self, body: &mut Body<'t>, combinator: Combinator, at: At) -> Done<Vec<Quotation<'t>>> {
        let count = combinator.quotations();
        self.need(body, count + combinator.items(), at.span, at.name)?;
        if !body.stack.iter().rev().take(count).all(|item| matches!(item.value, Value::Code(_))) {
            let message = match count {
                1 => format!("`{}` runs a quotation, and none is written on the top here", at.name),
                _ => format!("`{}` runs two quotations, and they are not written on the top here", at.name),
            };
            return Err(self.with_stack(Code::WORDS_QUOTATION, at.span, message, body));
        }
        let items = self.take_items(body, count).into_iter();
        Ok(items.filter_map(|item| if let Value::Code(code) = item.value { Some(code) } else { None }).collect())
    }

    /// Runs code where it stands. Its parameters are names for the topmost items.
    fn code(&mut self, body: &mut Body<'t>, code: &Quotation<'t>, is_tail: bool) -> Done {
        let count = code.parameters.len();
        let mut scope = Rc::clone(&code.scope);
        if count > 0 {
            self.need(body, count, code.span, "[… =>")?;
            if body.stack.iter().rev().take(count).any(Item::is_pending) {
                self.settle(body, code.span);
            }
            let items = self.take_items(body, count);
            let mut named = (*scope).clone();
            named.extend(code.parameters.iter().map(|name| &*name.text).zip(items));
            scope = Rc::new(named);
        }
        self.nested(code.span, |lowering| lowering.terms(body, code.terms, code.notation, &scope, is_tail))
    }

    fn dip(&mut self, body: &mut Body<'t>, code: &Quotation<'t>, at: At) -> Done {
        self.settle(body, at.span);
        let above = self.take_items(body, 1);
        self.code(body, code, false)?;
        body.stack.extend(above);
        Ok(())
    }

    fn negate(&mut self, body: &mut Body<'t>, span: Span) -> Done {
        let depth = Self::depth_of(body, 1) + 1;
        let condition = self.take(body, 1, span)?.pop().unwrap_or(Expression::new(Node::Nil, span));
        let negated = Expression::unary(Unary::Not, condition, span);
        body.stack.push(Item::pending(negated, Kind::Bool, depth));
        Ok(())
    }

    /// Two ways, the second of which may be to do nothing.
    fn branch(&mut self, body: &mut Body<'t>, codes: [Option<&Quotation<'t>>; 2], at: At, is_tail: bool) -> Done {
        let span = at.span;
        let condition = self.take(body, 1, span)?.pop().unwrap_or(Expression::new(Node::Nil, span));
        self.settle(body, span);
        let mut ways = Vec::new();
        for code in codes {
            let mut way = Body { block: Block::new(), ..body.clone() };
            if let Some(code) = code {
                self.code(&mut way, code, is_tail)?;
            }
            ways.push(way);
        }
        let [then, otherwise] = ways.as_mut_slice() else { return Ok(()) };
        self.level(body, then, otherwise, span);
        if is_tail {
            self.give_back(then, span)?;
            self.give_back(otherwise, span)?;
        }
        self.same_height(then, otherwise, at)?;
        if then.end == End::Open || otherwise.end == End::Open {
            self.merge(body, then, otherwise, span)?;
        }
        let [then, otherwise] = [then, otherwise].map(std::mem::take);
        body.end = match (then.end, otherwise.end) {
            (End::Raised, end) | (end, _) => end,
        };
        body.block.push(Statement::new(Action::If(vec![(condition, then.block)], otherwise.block), span));
        Ok(())
    }

    /// What one way has taken from below, the other has found there too.
    fn level(&mut self, body: &mut Body<'t>, then: &mut Body<'t>, otherwise: &mut Body<'t>, span: Span) {
        let most = then.taken.max(otherwise.taken);
        for way in [then, otherwise, body] {
            while let Some(item) = self.input(way.taken, span).filter(|_| way.taken < most) {
                way.stack.insert(0, item);
                way.taken += 1;
            }
        }
    }

    fn same_height(&mut self, then: &Body<'t>, otherwise: &Body<'t>, at: At) -> Done {
        let height = |way: &Body| match way.end {
            End::Open => Some(way.stack.len()),
            End::Returned(count) => Some(count),
            End::Raised => None,
        };
        let (Some(first), Some(second)) = (height(then), height(otherwise)) else { return Ok(()) };
        if first == second {
            return Ok(());
        }
        let (more, count) = if first > second { ("first", first - second) } else { ("second", second - first) };
        let items = if count == 1 { "item" } else { "items" };
        let message = format!("of the two ways of `{}` the {more} leaves {count} {items} more", at.name);
        let shorter = if first > second { otherwise } else { then };
        Err(self.with_stack(Code::WORDS_BRANCHES, at.span, message, shorter))
    }

    /// Puts what two ways leave into variables where it differs.
    fn merge(&mut self, body: &mut Body<'t>, then: &mut Body<'t>, otherwise: &mut Body<'t>, span: Span) -> Done {
        let count = if then.end == End::Open { then.stack.len() } else { otherwise.stack.len() };
        let mut differing = Vec::new();
        for at in 0..count {
            let sides = [&*then, &*otherwise]
                .map(|way| if way.end == End::Open { way.stack.get(at) } else { body.stack.get(at) });
            if !matches!(sides, [Some(first), Some(second)] if first.is_same(second)) {
                differing.push(at);
            }
        }
        let variables: Vec<VariableId> = differing.iter().map(|_| self.variable("value")).collect();
        for way in [&mut *then, &mut *otherwise] {
            if way.end != End::Open || differing.is_empty() {
                continue;
            }
            for &at in &differing {
                self.materialize(way, at)?;
            }
            let values = differing.iter().filter_map(|&at| way.stack.get(at).cloned());
            let values = values.map(|item| item.into_expression(span)).collect();
            let places = variables.iter().map(|&variable| Place::Variable(variable)).collect();
            way.block.push(Statement::new(Action::Set(places, super::item::values(values)), span));
        }
        if !variables.is_empty() {
            body.block.push(Statement::new(Action::Let(variables.clone(), Values::none()), span));
        }
        let mut merged = if then.end == End::Open { then.stack.clone() } else { otherwise.stack.clone() };
        for (&at, &variable) in differing.iter().zip(&variables) {
            let kinds = [&*then, &*otherwise].map(|way| way.stack.get(at).map_or(Kind::Any, |item| self.kind(item)));
            let kind = if then.end == otherwise.end { kinds[0].or(kinds[1]) } else { Kind::Any };
            if let Some(item) = merged.get_mut(at) {
                *item = Item::variable(variable, kind, span);
            }
        }
        body.stack = merged;
        Ok(())
    }

    /// How many items code takes and leaves, wherever it is run.
    fn reach(&mut self, code: &Quotation<'t>) -> Done<Reach> {
        if let Some(&reach) = self.reaches.get(&code.span) {
            return Ok(reach);
        }
        let known = |item: &Item<'t>| Item { kind: self.kind(item), was: None, ..item.clone() };
        let scope = Rc::new(code.scope.iter().map(|(&name, item)| (name, known(item))).collect());
        let outside = (std::mem::take(&mut self.inputs), self.is_open, self.is_whole);
        (self.is_open, self.is_whole) = (true, false);
        let mut trial = Body::default();
        let result = self.code(&mut trial, &Quotation { scope, ..code.clone() }, false);
        let takes = self.inputs.len();
        (self.inputs, self.is_open, self.is_whole) = outside;
        result?;
        let reach = Reach { takes, leaves: trial.stack.len() };
        // What ends in an error leaves what is wanted of it.
        if trial.end == End::Open {
            self.reaches.insert(code.span, reach);
        }
        Ok(reach)
    }

    /// How many items a loop carries from round to round: its code finds `given` further ones, and leaves `left` of them.
    fn carried(&mut self, code: &Quotation<'t>, given: usize, left: usize, at: At) -> Done<usize> {
        let Reach { takes, leaves } = self.reach(code)?;
        let carried = takes.max(given) - given;
        // What it does not take lies below, and is left as it is.
        let leaves = leaves + takes.max(given) - takes;
        if leaves == carried + left {
            return Ok(carried);
        }
        let message = format!(
            "what `{}` runs here takes {takes} and leaves {}, where it should leave {}",
            at.name,
            leaves - (takes.max(given) - takes),
            (takes + left).saturating_sub(given),
        );
        Err(self.say(Code::WORDS_BRANCHES, code.span, message))
    }

    /// Puts the items that a loop carries into variables of their own.
    fn carry(&mut self, body: &mut Body<'t>, count: usize, at: At) -> Done<Vec<VariableId>> {
        self.need(body, count, at.span, at.name)?;
        let carried = self.take_items(body, count);
        self.settle(body, at.span);
        body.stack.extend(carried);
        let values = self.take(body, count, at.span)?;
        let mut variables = Vec::new();
        for value in values {
            let variable = self.variable("state");
            body.block.push(Statement::new(Action::Let(vec![variable], Values::one(value)), at.span));
            variables.push(variable);
        }
        body.stack.extend(variables.iter().map(|&variable| Item::variable(variable, Kind::Any, at.span)));
        Ok(variables)
    }

    /// Runs code in a loop on what the loop carries and further items.
    fn round(&mut self, inner: &mut Body<'t>, code: &Quotation<'t>) -> Done {
        let is_whole = std::mem::replace(&mut self.is_whole, false);
        let result = self.code(inner, code, false);
        self.is_whole = is_whole;
        result
    }

    /// The items that a round begins with.
    fn begin(&self, variables: &[VariableId], further: &[VariableId], span: Span) -> Body<'t> {
        let items = variables.iter().chain(further).map(|&variable| Item::variable(variable, Kind::Any, span));
        Body { stack: items.collect(), taken: self.inputs.len(), ..Body::default() }
    }

    /// The value on the top of what a round leaves.
    fn result(&mut self, inner: &mut Body<'t>, span: Span) -> Done<Expression> {
        let below = inner.stack.len().saturating_sub(1);
        if inner.stack.iter().take(below).any(Item::is_pending) {
            self.settle(inner, span);
        }
        Ok(self.take(inner, 1, span)?.pop().unwrap_or(Expression::new(Node::Nil, span)))
    }

    /// Ends a round: what it leaves is what the next one begins with.
    fn end(&mut self, inner: &mut Body<'t>, variables: &[VariableId], span: Span) -> Done {
        if inner.end != End::Open {
            return Ok(());
        }
        let values = self.take(inner, variables.len(), span)?;
        let changed = variables.iter().zip(values);
        let changed: Vec<_> = changed.filter(|(variable, value)| value.node != Node::Variable(**variable)).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let places = changed.iter().map(|(variable, _)| Place::Variable(**variable)).collect();
        let values = changed.into_iter().map(|(_, value)| value).collect();
        inner.block.push(Statement::new(Action::Set(places, super::item::values(values)), span));
        Ok(())
    }

    fn fold(&mut self, body: &mut Body<'t>, code: &Quotation<'t>, at: At) -> Done {
        let carried = self.carried(code, 1, 0, at)?.max(1);
        let is_pending = |item: &Item| matches!(item.value, Value::Pending(_) | Value::Code(_));
        if body.stack.iter().rev().take(2).all(is_pending) {
            for place in body.stack.len().saturating_sub(2)..body.stack.len() {
                self.materialize(body, place)?;
            }
            self.settle(body, at.span);
        }
        self.expect(body, 1, Kind::Table, at.span, at.name)?;
        let first = self.take_items(body, 1);
        let table = self.take(body, 1, at.span)?.pop().unwrap_or(Expression::new(Node::Nil, at.span));
        body.stack.extend(first);
        let variables = self.carry(body, carried, at)?;
        self.over(body, table, &variables, at, |lowering, inner, _| lowering.round(inner, code))
    }

    /// A loop over the values of a list or map.
    fn over(
        &mut self,
        body: &mut Body<'t>,
        table: Expression,
        variables: &[VariableId],
        at: At,
        run: impl FnOnce(&mut Self, &mut Body<'t>, VariableId) -> Done,
    ) -> Done {
        let (key, value) = (self.variable("key"), self.variable("value"));
        let mut inner = self.begin(variables, &[value], at.span);
        run(self, &mut inner, value)?;
        self.end(&mut inner, variables, at.span)?;
        let each = Each { key, value, table, body: inner.block };
        body.block.push(Statement::new(Action::Each(Box::new(each)), at.span));
        Ok(())
    }

    fn visit(&mut self, body: &mut Body<'t>, combinator: Combinator, code: &Quotation<'t>, at: At) -> Done {
        let span = at.span;
        let is_each = combinator == Combinator::Each;
        let carried = self.carried(code, 1, usize::from(!is_each), at)?;
        self.expect(body, 0, Kind::Table, span, at.name)?;
        let table = self.take(body, 1, span)?.pop().unwrap_or(Expression::new(Node::Nil, span));
        let variables = self.carry(body, carried, at)?;
        if is_each {
            return self.over(body, table, &variables, at, |lowering, inner, _| lowering.round(inner, code));
        }
        self.settle(body, span);
        let list = self.variable("result");
        let empty = Values::one(Expression::builtin(Builtin::NewList, Vec::new(), span));
        body.block.push(Statement::new(Action::Let(vec![list], empty), span));
        self.over(body, table, &variables, at, |lowering, inner, value| {
            lowering.round(inner, code)?;
            if inner.end != End::Open {
                return Ok(());
            }
            let result = lowering.result(inner, span)?;
            let put = |item: Expression| {
                let arguments = vec![Expression::variable(list, span), item];
                let callee = crate::ir::Callee::Builtin(Builtin::TableInsert);
                let arguments = super::item::arguments(Builtin::TableInsert, arguments);
                Statement::new(Action::Do(crate::ir::Call { callee, arguments }), span)
            };
            inner.block.push(if combinator == Combinator::Filter {
                let kept = vec![put(Expression::variable(value, span))];
                Statement::new(Action::If(vec![(result, kept)], Block::new()), span)
            } else {
                put(result)
            });
            Ok(())
        })?;
        self.push(body, Item::variable(list, Kind::Table, span), span)
    }

    fn times(&mut self, body: &mut Body<'t>, code: &Quotation<'t>, at: At) -> Done {
        let span = at.span;
        let carried = self.carried(code, 0, 0, at)?;
        self.expect(body, 0, Kind::Number, span, at.name)?;
        let to = self.take(body, 1, span)?.pop().unwrap_or(Expression::new(Node::Nil, span));
        let variables = self.carry(body, carried, at)?;
        let mut inner = self.begin(&variables, &[], span);
        self.round(&mut inner, code)?;
        self.end(&mut inner, &variables, span)?;
        let [from, by] = [1, 1].map(|bound| Expression::integer(bound, span));
        let count = Count { variable: self.variable("count"), from, to, by, body: inner.block };
        body.block.push(Statement::new(Action::Count(Box::new(count)), span));
        Ok(())
    }

    fn while_loop(&mut self, body: &mut Body<'t>, condition: &Quotation<'t>, code: &Quotation<'t>, at: At) -> Done {
        let span = at.span;
        let carried = self.carried(condition, 0, 1, at)?.max(self.carried(code, 0, 0, at)?);
        let variables = self.carry(body, carried, at)?;
        let mut inner = self.begin(&variables, &[], span);
        self.round(&mut inner, condition)?;
        let is_changed = variables.iter().zip(&inner.stack).any(
            |(&variable, item)| !matches!(&item.value, Value::Settled(value) if value.node == Node::Variable(variable)),
        );
        if is_changed {
            // What is carried on is assigned before it is asked whether to go on.
            self.settle(&mut inner, span);
        }
        let holds = self.result(&mut inner, span)?;
        self.end(&mut inner, &variables, span)?;
        let is_plain = inner.block.is_empty();
        let mut rest = self.begin(&variables, &[], span);
        self.round(&mut rest, code)?;
        self.end(&mut rest, &variables, span)?;
        let action = if is_plain {
            Action::While(Box::new(holds), rest.block)
        } else {
            let leaves = Expression::unary(Unary::Not, holds, span);
            let arms = vec![(leaves, vec![Statement::new(Action::Break, span)])];
            inner.block.push(Statement::new(Action::If(arms, Block::new()), span));
            inner.block.append(&mut rest.block);
            Action::While(Box::new(Expression::new(Node::Bool(true), span)), inner.block)
        };
        body.block.push(Statement::new(action, span));
        Ok(())
    }
}

impl Item<'_> {
    /// Whether two items are the same wherever they stand.
    fn is_same(&self, other: &Item) -> bool {
        match (&self.value, &other.value) {
            (Value::Settled(first), Value::Settled(second)) => first == second,
            (Value::Code(first), Value::Code(second)) => {
                first.span == second.span
                    && first.terms.as_ptr() == second.terms.as_ptr()
                    && Rc::ptr_eq(&first.scope, &second.scope)
            }
            _ => false,
        }
    }
}
