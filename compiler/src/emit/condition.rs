//! Conditions: branches instead of values.

use super::Emit;
use super::code::{Body, Label};
use crate::ir::{Binary, Expression, Node, Unary};
use kerai_vm::bytecode::{Constant, Op, Word};

impl<'i> Body<'_, 'i> {
    /// Goes to the label if the condition's truth is the one wanted, else on.
    pub(super) fn branch(&mut self, condition: &'i Expression, wanted: bool, label: &mut Label) -> Emit<()> {
        let outer = core::mem::replace(&mut self.span, condition.span);
        self.with_registers(|body| body.decide(condition, wanted, label))?;
        self.span = outer;
        Ok(())
    }

    fn decide(&mut self, condition: &'i Expression, wanted: bool, label: &mut Label) -> Emit<()> {
        match &condition.node {
            Node::Nil | Node::Bool(false) if wanted => Ok(()),
            Node::Nil | Node::Bool(false) => self.jump(Word::new(Op::Jump, 0, 0, 0, 0), label),
            Node::Bool(true) | Node::Constant(_) | Node::Function(_) if !wanted => Ok(()),
            Node::Bool(true) | Node::Constant(_) | Node::Function(_) => {
                self.jump(Word::new(Op::Jump, 0, 0, 0, 0), label)
            }
            Node::Unary(Unary::Not, operand) => self.branch(operand, !wanted, label),
            Node::And(a, b) => self.both(a, b, false, wanted, label),
            Node::Or(a, b) => self.both(a, b, true, wanted, label),
            Node::Binary(operator, a, b) if comparing(*operator).is_some() => {
                self.comparison(*operator, a, b, wanted, label)
            }
            _ => {
                let register = self.operand(condition)?;
                self.jump(Word::new(if wanted { Op::If } else { Op::Unless }, register, 0, 0, 0), label)
            }
        }
    }

    /// Two conditions, the first of which decides where its truth is `decisive`.
    fn both(
        &mut self,
        a: &'i Expression,
        b: &'i Expression,
        decisive: bool,
        wanted: bool,
        label: &mut Label,
    ) -> Emit<()> {
        if wanted == decisive {
            self.branch(a, wanted, label)?;
            return self.branch(b, wanted, label);
        }
        let mut skip = Label::default();
        self.branch(a, decisive, &mut skip)?;
        self.branch(b, wanted, label)?;
        self.bind(skip)
    }

    fn comparison(
        &mut self,
        operator: Binary,
        a: &'i Expression,
        b: &'i Expression,
        wanted: bool,
        label: &mut Label,
    ) -> Emit<()> {
        let Some(Comparing { is_swapped, is_inverted, registers, small }) = comparing(operator) else { return Ok(()) };
        let is_straight = wanted != is_inverted;
        let choose = |(holds, fails): (Op, Op)| if is_straight { holds } else { fails };
        if let (false, Some(integer)) = (is_swapped, small_integer(&b.node)) {
            let a = self.operand(a)?;
            let [low, high] = integer.to_le_bytes();
            return self.jump(Word::new(choose(small), a, low, high, 0), label);
        }
        let a = self.operand_before(a, &[b])?;
        let b = self.operand(b)?;
        let (a, b) = if is_swapped { (b, a) } else { (a, b) };
        self.jump(Word::new(choose(registers), a, b, 0, 0), label)
    }
}

/// How a comparison becomes a branch: the instructions that go where it holds, and where it does not.
struct Comparing {
    is_swapped: bool,
    is_inverted: bool,
    registers: (Op, Op),
    small: (Op, Op),
}

fn comparing(operator: Binary) -> Option<Comparing> {
    let equal = ((Op::IfEqual, Op::UnlessEqual), (Op::IfEqualInteger, Op::UnlessEqualInteger));
    let less = ((Op::IfLess, Op::UnlessLess), (Op::IfLessInteger, Op::UnlessLessInteger));
    let at_most = ((Op::IfAtMost, Op::UnlessAtMost), (Op::IfAtMostInteger, Op::UnlessAtMostInteger));
    let ((registers, small), is_swapped, is_inverted) = match operator {
        Binary::Equal => (equal, false, false),
        Binary::Different => (equal, false, true),
        Binary::Less => (less, false, false),
        Binary::AtMost => (at_most, false, false),
        Binary::Greater => (less, true, false),
        Binary::AtLeast => (at_most, true, false),
        _ => return None,
    };
    Some(Comparing { is_swapped, is_inverted, registers, small })
}

/// The integer that a comparing branch can hold, where an expression is one.
fn small_integer(node: &Node) -> Option<i16> {
    match node {
        Node::Constant(Constant::Number(number)) => number.to_i64().and_then(|integer| i16::try_from(integer).ok()),
        _ => None,
    }
}
