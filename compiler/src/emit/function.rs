//! Statements.

use super::code::{Body, Home, Label, Place as Where, Register};
use super::{Emit, expression, too_large};
use crate::Code;
use crate::ir::{Action, Block, Count, Each, Expression, Lambda, Node, Place, Statement, Values, VariableId, walk};
use kerai_vm::bytecode::{Constant, Op, SPREAD, Word};

impl<'i> Body<'_, 'i> {
    pub(super) fn function(&mut self, lambda: &'i Lambda) -> Emit<()> {
        let filled = lambda.parameters.len() + usize::from(lambda.rest.is_some());
        let first = self.take_many(filled)?;
        for (register, &variable) in (first..).zip(lambda.parameters.iter().chain(&lambda.rest)) {
            self.declare(variable, register)?;
        }
        self.block(&lambda.body)?;
        self.push(Word::new(Op::Return, 0, 0, 0, 0))
    }

    fn block(&mut self, block: &'i Block) -> Emit<()> {
        self.with_registers(|body| body.open_block(block))
    }

    /// A block whose variables stay in their registers.
    pub(super) fn open_block(&mut self, block: &'i Block) -> Emit<()> {
        // What nothing gets to is no part of the program.
        for statement in block {
            if self.is_reachable {
                self.statement(statement)?;
            }
        }
        Ok(())
    }

    fn statement(&mut self, statement: &'i Statement) -> Emit<()> {
        self.span = statement.span;
        match &statement.action {
            Action::Let(variables, values) => self.declaration(variables, values),
            Action::Set(places, values) => self.with_registers(|body| body.assignment(places, values)),
            Action::Do(call) => self.with_registers(|body| body.call(call, 0).map(|_| ())),
            Action::If(arms, otherwise) => self.arms(arms, otherwise),
            Action::While(condition, inner) => self.while_loop(condition, inner),
            Action::Repeat(inner, condition) => self.with_registers(|body| body.repeat_loop(inner, condition)),
            Action::Count(count) => self.with_registers(|body| body.count_loop(count)),
            Action::Each(each) => self.with_registers(|body| body.each_loop(each)),
            Action::Block(inner) => self.block(inner),
            Action::Break => {
                let Some(mut end) = self.loops.pop() else { return Ok(()) };
                self.jump(Word::new(Op::Jump, 0, 0, 0, 0), &mut end)?;
                self.loops.push(end);
                Ok(())
            }
            Action::Return(values) => self.with_registers(|body| body.give_back(values)),
            Action::Raise(value) => self.with_registers(|body| {
                let register = body.operand(value)?;
                body.push(Word::new(Op::Raise, register, 0, 0, 0))
            }),
        }
    }

    fn declaration(&mut self, variables: &'i [VariableId], values: &'i Values) -> Emit<()> {
        let first = self.free;
        self.exactly(values, variables.len())?;
        for (register, &variable) in (first..).zip(variables) {
            self.declare(variable, register)?;
        }
        Ok(())
    }

    fn assignment(&mut self, places: &'i [Place], values: &'i Values) -> Emit<()> {
        if let ([Place::Variable(variable)], [value], None) = (places, values.fixed.as_slice(), &values.rest) {
            return self.assign_variable(*variable, value);
        }
        let mut targets = Vec::new();
        for place in places {
            targets.push(match place {
                Place::Variable(variable) => Target::Variable(*variable),
                // Later assignments of the same statement must not be seen by these.
                Place::Index(table, key) if places.len() > 1 => {
                    Target::Index(self.fresh(table)?, self.key(key, true, &[])?)
                }
                Place::Index(table, key) => {
                    let later: Vec<&Expression> = [key].into_iter().chain(values.expressions()).collect();
                    let table = self.operand_before(table, &later)?;
                    Target::Index(table, self.key(key, false, later.get(1..).unwrap_or_default())?)
                }
            });
        }
        if let ([Target::Index(table, key)], [value], None) =
            (targets.as_slice(), values.fixed.as_slice(), &values.rest)
        {
            let value = self.operand(value)?;
            return self.put(*table, *key, value);
        }
        let first = self.free;
        self.exactly(values, places.len())?;
        for (register, target) in (first..).zip(&targets).collect::<Vec<_>>().into_iter().rev() {
            match target {
                Target::Variable(variable) => self.store(*variable, register)?,
                Target::Index(table, key) => self.put(*table, *key, register)?,
            }
        }
        Ok(())
    }

    fn assign_variable(&mut self, variable: VariableId, value: &'i Expression) -> Emit<()> {
        match self.home(variable) {
            Home { place: Where::Register(register), is_shared: false } if writes_last(&value.node) => {
                self.into(value, register)
            }
            _ => {
                let register = self.operand(value)?;
                self.store(variable, register)
            }
        }
    }

    /// Gives a variable the value of a register.
    fn store(&mut self, variable: VariableId, value: Register) -> Emit<()> {
        match self.home(variable) {
            Home { place: Where::Register(register), is_shared: false } => self.copy(register, value),
            Home { place: Where::Register(cell), is_shared: true } => {
                self.push(Word::new(Op::SetItem, cell, value, 0, 1))
            }
            Home { place: Where::Capture(number), .. } => self.with_registers(|body| {
                let cell = body.take()?;
                body.push(Word::new(Op::Capture, cell, 0, 0, number))?;
                body.push(Word::new(Op::SetItem, cell, value, 0, 1))
            }),
        }
    }

    pub(super) fn put(&mut self, table: Register, key: Key, value: Register) -> Emit<()> {
        match key {
            Key::Name(number) => self.push(Word::new(Op::SetField, table, value, 0, number)),
            Key::Integer(integer) => self.push(Word::new(Op::SetItem, table, value, 0, integer.cast_unsigned())),
            Key::Register(key) => self.push(Word::new(Op::Set, table, key, value, 0)),
        }
    }

    fn arms(&mut self, arms: &'i [(Expression, Block)], otherwise: &'i Block) -> Emit<()> {
        let mut end = Label::default();
        for (position, (condition, inner)) in (1..).zip(arms) {
            let mut next = Label::default();
            self.branch(condition, false, &mut next)?;
            self.block(inner)?;
            if position < arms.len() || !otherwise.is_empty() {
                self.jump(Word::new(Op::Jump, 0, 0, 0, 0), &mut end)?;
            }
            self.bind(next)?;
        }
        self.block(otherwise)?;
        self.bind(end)
    }

    /// A loop's body, after which the loop's end is what is left to be put somewhere.
    fn looped(&mut self, inner: &'i Block) -> Emit<Label> {
        self.loops.push(Label::default());
        self.block(inner)?;
        Ok(self.loops.pop().unwrap_or_default())
    }

    fn while_loop(&mut self, condition: &'i Expression, inner: &'i Block) -> Emit<()> {
        let mut end = Label::default();
        // A small condition is asked before the loop and at its end, which saves a jump each round.
        if is_small(condition) {
            self.branch(condition, false, &mut end)?;
            let mut head = self.head()?;
            let breaks = self.looped(inner)?;
            self.branch(condition, true, &mut head)?;
            self.bind(end)?;
            return self.bind(breaks);
        }
        let mut head = self.head()?;
        self.branch(condition, false, &mut end)?;
        let breaks = self.looped(inner)?;
        self.jump(Word::new(Op::Jump, 0, 0, 0, 0), &mut head)?;
        self.bind(end)?;
        self.bind(breaks)
    }

    fn repeat_loop(&mut self, inner: &'i Block, condition: &'i Expression) -> Emit<()> {
        let mut head = self.head()?;
        self.loops.push(Label::default());
        self.open_block(inner)?;
        let breaks = self.loops.pop().unwrap_or_default();
        self.branch(condition, false, &mut head)?;
        self.bind(breaks)
    }

    fn count_loop(&mut self, count: &'i Count) -> Emit<()> {
        let first = self.free;
        for bound in [&count.from, &count.to, &count.by] {
            self.fresh(bound)?;
        }
        let variable = self.take()?;
        let mut end = Label::default();
        self.jump(Word::new(Op::Loop, first, 0, 0, 0), &mut end)?;
        let mut head = self.head()?;
        let span = self.span;
        self.declare(count.variable, variable)?;
        let breaks = self.looped(&count.body)?;
        self.span = span;
        self.jump(Word::new(Op::Again, first, 0, 0, 0), &mut head)?;
        self.bind(end)?;
        self.bind(breaks)
    }

    fn each_loop(&mut self, each: &'i Each) -> Emit<()> {
        let table = match each.table.node {
            // A variable that nobody assigns can't become another table on the way.
            Node::Variable(variable) if self.usage().assigned(variable) == 0 => self.operand(&each.table)?,
            _ => self.fresh(&each.table)?,
        };
        let first = self.take_many(4)?;
        let [position, key, value] = [1, 2, 3].map(|offset| first.saturating_add(offset));
        self.push(Word::new(Op::Keys, first, table, 0, 0))?;
        self.push(Word::new(Op::Integer, position, 0, 0, 0))?;
        let step = Word::new(Op::Each, first, table, 0, 0);
        let (mut begin, mut end) = (Label::default(), Label::default());
        self.jump(step, &mut begin)?;
        self.jump(Word::new(Op::Jump, 0, 0, 0, 0), &mut end)?;
        self.bind(begin)?;
        let mut head = self.head()?;
        let span = self.span;
        self.declare(each.key, key)?;
        self.declare(each.value, value)?;
        let breaks = self.looped(&each.body)?;
        self.span = span;
        self.jump(step, &mut head)?;
        self.bind(end)?;
        self.bind(breaks)
    }

    fn give_back(&mut self, values: &'i Values) -> Emit<()> {
        if let ([value], None) = (values.fixed.as_slice(), &values.rest) {
            let register = self.operand(value)?;
            return self.push(Word::new(Op::Return, register, 1, 0, 0));
        }
        let (first, arguments) = self.window(values)?;
        let first = if arguments == 0 { 0 } else { first };
        self.push(Word::new(Op::Return, first, arguments, 0, 0))
    }

    /// Values in the next registers, as many as are wanted: what is too much is dropped, what is missing is nil.
    fn exactly(&mut self, values: &'i Values, wanted: usize) -> Emit<()> {
        let first = self.free;
        for value in &values.fixed {
            self.fresh(value)?;
        }
        let given = values.fixed.len();
        if let Some(rest) = values.rest.as_deref() {
            self.rest_exactly(rest, wanted.saturating_sub(given))?;
        }
        let missing = if values.rest.is_some() { 0 } else { wanted.saturating_sub(given) };
        for _ in 0..missing {
            let register = self.take()?;
            self.push(Word::new(Op::Nil, register, 0, 0, 0))?;
        }
        let wanted = u8::try_from(wanted).map_err(|_| too_large(Code::IR_REGISTERS, self.span))?;
        self.free = first.saturating_add(wanted);
        Ok(())
    }

    /// The register of an operand that something is evaluated after: a copy where that could change it.
    pub(super) fn operand_before(&mut self, operand: &'i Expression, later: &[&Expression]) -> Emit<Register> {
        let register = self.operand(operand)?;
        let Node::Variable(variable) = operand.node else { return Ok(register) };
        let may_change = self.usage().has_statements_in_expressions
            && self.usage().assigned(variable) > 0
            && !self.is_shared(variable)
            && later.iter().any(|later| assigns(later, variable));
        if !may_change {
            return Ok(register);
        }
        let kept = self.take()?;
        self.copy(kept, register)?;
        Ok(kept)
    }

    /// A key as an instruction takes it; in a register of its own where it must not change.
    pub(super) fn key(&mut self, key: &'i Expression, is_own: bool, later: &[&Expression]) -> Emit<Key> {
        if let Node::Constant(name @ Constant::String(_)) = &key.node {
            return Ok(Key::Name(self.emitter.constants.number(name)));
        }
        Ok(match expression::integer(&key.node) {
            Some(integer) => Key::Integer(integer),
            None if is_own => Key::Register(self.fresh(key)?),
            None => Key::Register(self.operand_before(key, later)?),
        })
    }

    pub(super) fn copy(&mut self, to: Register, from: Register) -> Emit<()> {
        if to == from { Ok(()) } else { self.push(Word::new(Op::Move, to, from, 0, 0)) }
    }
}

/// The count of arguments with the mark that the last one is a list that is spread.
pub(super) const fn spread(count: u8) -> u8 {
    count | SPREAD
}

enum Target {
    Variable(VariableId),
    Index(Register, Key),
}

/// A key of a table, as an instruction takes it.
#[derive(Clone, Copy)]
pub(super) enum Key {
    Name(u32),
    Integer(i32),
    Register(Register),
}

/// Whether the instruction that writes the result is the last one, so that the target may be an operand.
const fn writes_last(node: &Node) -> bool {
    !matches!(node, Node::And(..) | Node::Or(..) | Node::With(..) | Node::Table(..))
}

/// Whether an expression assigns a variable.
fn assigns(expression: &Expression, variable: VariableId) -> bool {
    struct Find(VariableId, bool);
    impl walk::Visit for Find {
        fn assign(&mut self, &variable: &VariableId) {
            self.1 |= self.0 == variable;
        }
    }
    let mut find = Find(variable, false);
    walk::read::expression(expression, &mut find);
    find.1
}

/// Whether an expression is so small that it may stand twice.
fn is_small(expression: &Expression) -> bool {
    struct Size(usize);
    impl walk::Visit for Size {
        fn node(&mut self, node: &Node) {
            let weight =
                if matches!(node, Node::Lambda(_) | Node::With(..) | Node::Table(..)) { LARGEST + 1 } else { 1 };
            self.0 = self.0.saturating_add(weight);
        }
    }
    /// Nodes of a condition that is asked at two places.
    const LARGEST: usize = 12;
    let mut size = Size(0);
    walk::read::expression(expression, &mut size);
    size.0 <= LARGEST
}
