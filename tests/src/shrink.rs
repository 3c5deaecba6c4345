//! Making a failing program small: parts are taken out as long as it still fails.
#![expect(clippy::wildcard_enum_match_arm, reason = "the arms name what has parts to be taken out")]

use crate::tree::{Visit, visit};
use core::mem;
use kerai_compiler::ir::{Action, Block, Call, Entry, Expression, Ir, Lambda, Node, Values};

/// The smallest program that can be reached by single changes and still fails.
pub fn shrink(mut ir: Ir, fails: impl Fn(&Ir) -> bool) -> Ir {
    let mut at = 0;
    // Each success makes the program smaller, so this ends.
    for _ in 0..MOST {
        let mut smaller = ir.clone();
        if !Change::make(&mut smaller, at) {
            break;
        }
        if fails(&smaller) {
            ir = smaller;
            at = at.saturating_sub(BACK);
        } else {
            at += 1;
        }
    }
    ir
}

/// Changes that are tried.
const MOST: usize = 20_000;

/// After a success, changes shortly before it may have become possible.
const BACK: usize = 8;

/// The change with a number, of all that can be made.
struct Change {
    left: usize,
    is_made: bool,
}

impl Change {
    /// Makes a change, or says that there is none of the number.
    fn make(ir: &mut Ir, number: usize) -> bool {
        let mut change = Change { left: number, is_made: false };
        visit(ir, &mut change);
        change.is_made
    }

    /// Whether this is the one of so many changes, and which.
    fn is_here(&mut self, count: usize) -> Option<usize> {
        if self.is_made {
            return None;
        }
        if self.left < count {
            self.is_made = true;
            return Some(self.left);
        }
        self.left -= count;
        None
    }
}

/// The blocks of a statement, which can stand in its place.
fn blocks(action: &mut Action) -> Vec<&mut Block> {
    match action {
        Action::If(arms, otherwise) => arms.iter_mut().map(|arm| &mut arm.1).chain([otherwise]).collect(),
        Action::While(_, body) | Action::Repeat(body, _) | Action::Block(body) => vec![body],
        Action::Count(count) => vec![&mut count.body],
        Action::Each(each) => vec![&mut each.body],
        Action::Let(..) | Action::Set(..) | Action::Do(_) | Action::Break | Action::Return(_) | Action::Raise(_) => {
            Vec::new()
        }
    }
}

/// The parts of an expression that can stand in its place.
fn parts(node: &mut Node) -> Vec<&mut Expression> {
    match node {
        Node::Nil | Node::Bool(_) | Node::Constant(_) | Node::Variable(_) | Node::Function(_) | Node::Lambda(_) => {
            Vec::new()
        }
        Node::Unary(_, operand) => vec![operand],
        Node::Binary(_, a, b) | Node::And(a, b) | Node::Or(a, b) | Node::Index(a, b) => vec![a, b],
        Node::Join(parts) => parts.iter_mut().collect(),
        Node::Table(entries, _) => {
            entries.iter_mut().map(|(Entry::Item(value) | Entry::Keyed(_, value))| value).collect()
        }
        Node::List(values) => values.fixed.iter_mut().collect(),
        Node::Call(call) => call.arguments.fixed.iter_mut().collect(),
        Node::With(_, value) => vec![value],
    }
}

impl Visit for Change {
    fn block(&mut self, block: &mut Block) {
        if let Some(at) = self.is_here(block.len()) {
            block.remove(at);
        }
        for at in 0..block.len() {
            let count = block.get_mut(at).map_or(0, |statement| blocks(&mut statement.action).len());
            if let Some(which) = self.is_here(count) {
                let taken =
                    block.get_mut(at).and_then(|statement| blocks(&mut statement.action).into_iter().nth(which));
                let taken = taken.map(mem::take).unwrap_or_default();
                block.splice(at..=at, taken);
                return;
            }
        }
    }

    fn expression(&mut self, expression: &mut Expression) {
        let count = parts(&mut expression.node).len();
        if let Some(which) = self.is_here(count) {
            let part = parts(&mut expression.node).into_iter().nth(which).map(|part| mem::take(&mut part.node));
            expression.node = part.unwrap_or_default();
        }
        match &mut expression.node {
            Node::Nil => {}
            Node::Table(entries, rest) => {
                if let Some(at) = self.is_here(entries.len()) {
                    entries.remove(at);
                } else if rest.is_some() && self.is_here(1).is_some() {
                    *rest = None;
                }
            }
            Node::Join(parts) => {
                if let Some(at) = self.is_here(parts.len()) {
                    parts.remove(at);
                }
            }
            other => {
                if self.is_here(1).is_some() {
                    *other = Node::Nil;
                }
            }
        }
    }

    fn values(&mut self, values: &mut Values) {
        if let Some(at) = self.is_here(values.fixed.len()) {
            values.fixed.remove(at);
        }
        if values.rest.is_some() && self.is_here(1).is_some() {
            values.rest = None;
        }
    }

    fn call(&mut self, _: &mut Call) {}

    fn lambda(&mut self, lambda: &mut Lambda) {
        if lambda.rest.is_some() && self.is_here(1).is_some() {
            lambda.rest = None;
        }
        if !lambda.parameters.is_empty() && self.is_here(1).is_some() {
            lambda.parameters.pop();
        }
    }
}
