//! Expressions: a value in a register, with as few moves as can be.

use super::call::FEWEST_TO_FLUSH;
use super::code::{Body, Home, Label, Place, Register};
use super::function::Key;
use super::{Emit, Job, too_large};
use crate::Code;
use crate::ir::{Binary, Entry, Expression, Lambda, Node, Rest, Way};
use kerai_vm::bytecode::{Constant, Op, Word};

/// The integer that an instruction can hold, where an expression is one.
pub(super) fn integer(node: &Node) -> Option<i32> {
    match node {
        Node::Constant(Constant::Number(number)) => number.to_i64().and_then(|integer| i32::try_from(integer).ok()),
        _ => None,
    }
}

impl<'i> Body<'_, 'i> {
    /// A register that holds the value: the variable's own, where it is one.
    pub(super) fn operand(&mut self, expression: &'i Expression) -> Emit<Register> {
        if let Node::Variable(variable) = expression.node
            && let Home { place: Place::Register(register), is_shared: false } = self.home(variable)
        {
            return Ok(register);
        }
        self.fresh(expression)
    }

    /// The value in the next register.
    pub(super) fn fresh(&mut self, expression: &'i Expression) -> Emit<Register> {
        if let Node::Call(call) = &expression.node {
            let first = self.free;
            self.with_registers(|body| body.call(call, 1))?;
            return self.take().map(|_| first);
        }
        let register = self.take()?;
        self.into(expression, register)?;
        Ok(register)
    }

    /// The value in a register whose former value may be an operand of the last instruction only.
    pub(super) fn into(&mut self, expression: &'i Expression, to: Register) -> Emit<()> {
        let outer = core::mem::replace(&mut self.span, expression.span);
        self.with_registers(|body| body.node(&expression.node, to))?;
        self.span = outer;
        Ok(())
    }

    fn node(&mut self, node: &'i Node, to: Register) -> Emit<()> {
        match node {
            Node::Nil => self.push(Word::new(Op::Nil, to, 0, 0, 0)),
            Node::Bool(truth) => self.push(Word::new(Op::Bool, to, u8::from(*truth), 0, 0)),
            Node::Constant(constant) => match integer(node) {
                Some(integer) => self.push(Word::new(Op::Integer, to, 0, 0, integer.cast_unsigned())),
                None => {
                    let number = self.emitter.constants.number(constant);
                    self.push(Word::new(Op::Constant, to, 0, 0, number))
                }
            },
            Node::Variable(variable) => match self.home(*variable) {
                Home { place: Place::Register(register), is_shared: false } => self.copy(to, register),
                Home { place: Place::Register(cell), is_shared: true } => {
                    self.push(Word::new(Op::GetItem, to, cell, 0, 1))
                }
                Home { place: Place::Capture(number), is_shared } => {
                    self.push(Word::new(Op::Capture, to, 0, 0, number))?;
                    if is_shared { self.push(Word::new(Op::GetItem, to, to, 0, 1)) } else { Ok(()) }
                }
            },
            Node::Function(id) => {
                if !self.is_reachable {
                    return Ok(());
                }
                let number = self.emitter.function(*id);
                self.push(Word::new(Op::Closure, to, 0, 0, number))
            }
            Node::Lambda(lambda) => self.lambda(lambda, to),
            Node::Unary(operator, operand) => {
                let operand = self.operand(operand)?;
                self.push(Word::new(operator.instruction().0, to, operand, 0, 0))
            }
            Node::Binary(operator, a, b) => self.binary(*operator, a, b, to),
            Node::And(a, b) => self.either(a, b, Op::Unless, to),
            Node::Or(a, b) => self.either(a, b, Op::If, to),
            Node::Join(parts) => {
                let first = self.free;
                let count = self.count(parts.len())?;
                parts.iter().try_for_each(|part| self.fresh(part).map(|_| ()))?;
                self.push(Word::new(Op::Join, to, first, count, 0))
            }
            Node::Index(table, key) => {
                let table = self.operand_before(table, &[key])?;
                match self.key(key, false, &[])? {
                    Key::Name(number) => self.push(Word::new(Op::GetField, to, table, 0, number)),
                    Key::Integer(integer) => self.push(Word::new(Op::GetItem, to, table, 0, integer.cast_unsigned())),
                    Key::Register(key) => self.push(Word::new(Op::Get, to, table, key, 0)),
                }
            }
            Node::Table(entries, rest) => self.table(entries, rest.as_deref(), to),
            Node::List(values) => {
                let (first, arguments) = self.window(values)?;
                self.push(Word::new(Op::Pack, to, if arguments == 0 { 0 } else { first }, arguments, 0))
            }
            Node::Call(call) => {
                let first = self.free;
                self.call(call, 1)?;
                self.copy(to, first)
            }
            Node::With(body, value) => {
                self.open_block(body)?;
                let value = self.operand(value)?;
                self.copy(to, value)
            }
        }
    }

    /// A count of registers that stands in an instruction.
    pub(super) fn count(&self, count: usize) -> Emit<u8> {
        u8::try_from(count)
            .ok()
            .filter(|&count| u64::from(count) <= crate::limit::IR_WINDOW.value)
            .ok_or_else(|| too_large(Code::IR_VALUES, self.span))
    }

    fn lambda(&mut self, lambda: &'i Lambda, to: Register) -> Emit<()> {
        if !self.is_reachable {
            return Ok(());
        }
        // In the order in which it first uses them.
        let captured = self.emitter.free.of(lambda).to_vec();
        let count = self.count(captured.len())?;
        let first = self.take_many(captured.len())?;
        let mut kept = Vec::new();
        for (register, variable) in (first..).zip(captured) {
            // A shared variable's list is kept, not what is in it.
            let home = self.home(variable);
            match home.place {
                Place::Register(home) => self.copy(register, home)?,
                Place::Capture(number) => self.push(Word::new(Op::Capture, register, 0, 0, number))?,
            }
            kept.push((variable, home.is_shared));
        }
        let number = self.emitter.meet(Job { lambda, name: "", captures: kept });
        let first = if count == 0 { 0 } else { first };
        self.push(Word::new(Op::Closure, to, first, count, number))
    }

    fn binary(&mut self, operator: Binary, a: &'i Expression, b: &'i Expression, to: Register) -> Emit<()> {
        // Adding an integer has an instruction of its own. Subtracting 0 does not: it keeps the sign of a float's zero.
        let added = match operator {
            Binary::Add => integer(&b.node),
            Binary::Subtract => integer(&b.node).filter(|&integer| integer != 0).and_then(i32::checked_neg),
            _ => None,
        };
        if let Some(added) = added {
            let a = self.operand(a)?;
            return self.push(Word::new(Op::AddInteger, to, a, 0, added.cast_unsigned()));
        }
        let a = self.operand_before(a, &[b])?;
        let b = self.operand(b)?;
        let (op, way) = operator.instruction();
        match way {
            Way::Straight => self.push(Word::new(op, to, a, b, 0)),
            Way::Swapped => self.push(Word::new(op, to, b, a, 0)),
            Way::Inverted => {
                self.push(Word::new(op, to, a, b, 0))?;
                self.push(Word::new(Op::Not, to, to, 0, 0))
            }
        }
    }

    /// The first value if it decides, else the second.
    fn either(&mut self, a: &'i Expression, b: &'i Expression, decides: Op, to: Register) -> Emit<()> {
        let mut end = Label::default();
        self.into(a, to)?;
        self.jump(Word::new(decides, to, 0, 0, 0), &mut end)?;
        self.into(b, to)?;
        self.bind(end)
    }

    fn table(&mut self, entries: &'i [Entry], rest: Option<&'i Rest>, to: Register) -> Emit<()> {
        let is_list = entries.iter().all(|entry| matches!(entry, Entry::Item(_)));
        let first = self.free;
        if is_list && entries.len() <= FEWEST_TO_FLUSH {
            for entry in entries {
                let (Entry::Item(value) | Entry::Keyed(_, value)) = entry;
                self.fresh(value)?;
            }
            let arguments = self.closed_window(entries.len(), rest)?;
            return self.push(Word::new(Op::Table, to, if arguments == 0 { 0 } else { first }, arguments, 0));
        }
        self.push(Word::new(Op::Table, to, 0, 0, 0))?;
        // Items wait in registers, and are put in by fifties and at the end.
        let (mut waiting, mut position) = (0, 1);
        for entry in entries {
            match entry {
                Entry::Item(value) => {
                    self.fresh(value)?;
                    waiting += 1;
                }
                Entry::Keyed(key, value) => self.with_registers(|body| body.entry(to, key, value))?,
            }
            if waiting == FEWEST_TO_FLUSH {
                let count = self.count(waiting)?;
                self.push(Word::new(Op::Fill, to, first, count, position))?;
                position = position.saturating_add(u32::from(count));
                (waiting, self.free) = (0, first);
            }
        }
        let arguments = self.closed_window(waiting, rest)?;
        if arguments == 0 { Ok(()) } else { self.push(Word::new(Op::Fill, to, first, arguments, position)) }
    }

    fn entry(&mut self, table: Register, key: &'i Expression, value: &'i Expression) -> Emit<()> {
        let key = self.key(key, false, &[value])?;
        let value = self.operand(value)?;
        self.put(table, key, value)
    }
}
