//! Taking items off the stack and putting them there, in the order in which their values are computed.

use super::effect::Kind;
use super::stack::{Body, Item, Value};
use super::{Done, Input, Lowering};
use crate::ir::{Action, Call, Callee, Expression, Node, Rest, Statement, Values};
use crate::{Code, Diagnostic, Span};
use kerai_vm::bytecode::{ANY, Builtin};

/// An expression that is nested deeper is put into a variable, so that no chain of words is too long for the IR.
const DEEPEST: u64 = 100;

impl<'t> Lowering<'t> {
    /// What is known of an item: an input is known better the more words have used it.
    pub(super) fn kind(&self, item: &Item) -> Kind {
        item.was.and_then(|at| self.inputs.get(at)).map_or(item.kind, |input| input.kind)
    }

    /// Sees to it that there are so many items.
    pub(super) fn need(&mut self, body: &mut Body<'t>, count: usize, span: Span, word: &str) -> Done {
        while body.stack.len() < count {
            if let Some(item) = self.input(body.taken, span) {
                body.stack.insert(0, item);
                body.taken += 1;
            } else if self.is_open {
                let name = char::from_u32(u32::from(b'a') + u32::try_from(self.inputs.len() % 26).unwrap_or(0));
                let variable = self.variable(&String::from(name.unwrap_or('a')));
                self.inputs.push(Input { variable, kind: Kind::Any });
            } else {
                let items = |count: usize| if count == 1 { "1 item".to_owned() } else { format!("{count} items") };
                let message = format!(
                    "`{word}` takes {}, and there {}",
                    items(count),
                    match body.stack.len() {
                        0 => "is none".to_owned(),
                        1 => "is 1".to_owned(),
                        more => format!("are {more}"),
                    }
                );
                return Err(self.with_stack(Code::WORDS_UNDERFLOW, span, message, body));
            }
        }
        Ok(())
    }

    /// Reports a mistake together with the stack as it stands.
    pub(super) fn with_stack(&mut self, code: Code, span: Span, message: String, body: &Body) -> super::Stop {
        let shown = body.stack.iter().map(|item| match &item.value {
            Value::Code(_) => "[…]",
            Value::Settled(_) | Value::Pending(_) => self.kind(item).name().unwrap_or("a"),
        });
        let shown = match shown.collect::<Vec<_>>().join(" ") {
            none if none.is_empty() => "empty".to_owned(),
            items => format!("`{items}`"),
        };
        let note = format!("the stack here is {shown}");
        self.report.push(Diagnostic::new(code, span, message).with_note(span, note));
        super::Stop
    }

    /// Takes an item to be of a kind.
    pub(super) fn expect(&mut self, body: &Body, from_top: usize, kind: Kind, span: Span, word: &str) -> Done {
        let Some(item) = body.stack.len().checked_sub(from_top + 1).and_then(|at| body.stack.get(at)) else {
            return Ok(());
        };
        let found = self.kind(item);
        if !found.may_be(kind) {
            let (wanted, found) = (kind.name().unwrap_or("item"), found.name().unwrap_or("item"));
            let message = format!("`{word}` takes a {wanted}, and finds a {found}");
            return Err(self.with_stack(Code::WORDS_KIND, span, message, body));
        }
        if let Some(input) = item.was.and_then(|at| self.inputs.get_mut(at))
            && kind != Kind::Any
        {
            input.kind = kind;
        }
        Ok(())
    }

    /// Puts the values that are not computed yet into variables, in their order.
    pub(super) fn settle(&mut self, body: &mut Body<'t>, span: Span) {
        let mut stack = std::mem::take(&mut body.stack);
        for item in &mut stack {
            if let Value::Pending(expression) = &mut item.value {
                let expression = std::mem::replace(expression, Expression::new(Node::Nil, span));
                let variable = self.variable("value");
                let place = expression.span;
                body.block.push(Statement::new(Action::Let(vec![variable], Values::one(expression)), place));
                *item = Item { kind: item.kind, ..Item::variable(variable, item.kind, place) };
            }
        }
        body.stack = stack;
    }

    /// Puts an item on the top.
    pub(super) fn push(&mut self, body: &mut Body<'t>, item: Item<'t>, span: Span) -> Done {
        let is_deep = item.depth >= DEEPEST;
        body.stack.push(item);
        if is_deep {
            self.settle(body, span);
        }
        Ok(())
    }

    /// Takes the topmost items as they are.
    pub(super) fn take_items(&mut self, body: &mut Body<'t>, count: usize) -> Vec<Item<'t>> {
        body.stack.split_off(body.stack.len().saturating_sub(count))
    }

    /// Takes the topmost items as values. Brackets among them are data.
    pub(super) fn take(&mut self, body: &mut Body<'t>, count: usize, span: Span) -> Done<Vec<Expression>> {
        let start = body.stack.len().saturating_sub(count);
        for at in start..body.stack.len() {
            self.materialize(body, at)?;
        }
        let items = self.take_items(body, count);
        Ok(items.into_iter().map(|item| item.into_expression(span)).collect())
    }

    /// The deepest expression among the topmost items.
    pub(super) fn depth_of(body: &Body, count: usize) -> u64 {
        body.stack.iter().rev().take(count).map(|item| item.depth).max().unwrap_or(0)
    }
}

impl Item<'_> {
    pub(super) fn into_expression(self, span: Span) -> Expression {
        match self.value {
            Value::Settled(expression) | Value::Pending(expression) => expression,
            // Code is made data before it is taken.
            Value::Code(_) => Expression::new(Node::Nil, span),
        }
    }
}

/// Values as Lua gives them on: all that a call at their end gives, which is one value here.
pub(super) fn values(mut fixed: Vec<Expression>) -> Values {
    match fixed.pop() {
        Some(Expression { node: Node::Call(call), .. }) => Values { fixed, rest: Some(Box::new(Rest::Call(*call))) },
        Some(last) => {
            fixed.push(last);
            Values::of(fixed)
        }
        None => Values::none(),
    }
}

/// The arguments of a built-in, as Lua's lowering fits them.
pub(super) fn arguments(builtin: Builtin, all: Vec<Expression>) -> Values {
    let most = builtin.arguments().1;
    if most == ANY || all.len() < usize::from(most) { values(all) } else { Values::of(all) }
}

/// A call of a function of the program.
pub(super) fn call(id: crate::ir::FunctionId, arguments: Vec<Expression>) -> Call {
    Call { callee: Callee::Function(id), arguments: values(arguments) }
}
