//! What is known of an expression before anything runs. Nothing is computed here: the machine itself runs the
//! operation, under small limits, so folding can't differ from running. What would trap is left as it is.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the arms name the few nodes of which something is known, of every other nothing is"
)]

use super::{Binary, Expression, Node, Unary, Way};
use kerai_vm::bytecode::{Constant, Function, Limits, Merging, Op, PROFILE, Program, ProgramKind, Word};
use kerai_vm::execute::Machine;
use kerai_vm::value::{Heap, Kind, Value};

/// What an operation may use that is folded: a result that is larger is made when the program runs.
const LIMITS: Limits = Limits { gas: 10_000, memory: 8192, depth: 1, output: 0 };

/// Whether a value is known whatever happens, and small enough to stand wherever it is used.
pub(super) fn is_small(node: &Node) -> bool {
    match node {
        Node::Constant(Constant::String(content)) => content.len() <= LONGEST,
        Node::Constant(Constant::Bytes(content)) => content.len() <= LONGEST,
        other => truth(other).is_some(),
    }
}

/// The longest string that is repeated where it is used.
const LONGEST: usize = 256;

/// Whether a condition holds, where that is known.
pub(super) const fn truth(node: &Node) -> Option<bool> {
    match node {
        Node::Nil => Some(false),
        Node::Bool(truth) => Some(*truth),
        Node::Constant(_) | Node::Function(_) => Some(true),
        _ => None,
    }
}

impl Expression {
    /// Its value, where that is known whatever happens: what would trap has none.
    pub(crate) fn known(&self) -> Option<Node> {
        match &self.node {
            Node::Nil | Node::Bool(_) | Node::Constant(_) => Some(self.node.clone()),
            Node::Unary(operator, operand) => unary(*operator, &operand.known()?),
            Node::Binary(operator, a, b) => binary(*operator, &a.known()?, &b.known()?),
            Node::And(a, b) | Node::Or(a, b) => {
                let first = a.known()?;
                let is_and = matches!(self.node, Node::And(..));
                if truth(&first)? == is_and { b.known() } else { Some(first) }
            }
            Node::Join(parts) => {
                let known: Option<Vec<Node>> = parts.iter().map(Expression::known).collect();
                let parts: Vec<Expression> = known?.into_iter().map(|node| Expression::new(node, self.span)).collect();
                join(&parts)
            }
            _ => None,
        }
    }
}

pub(super) fn unary(operator: Unary, operand: &Node) -> Option<Node> {
    let (op, _) = operator.instruction();
    run(&[operand], &[Word::new(op, 1, 0, 0, 0)])
}

pub(super) fn binary(operator: Binary, a: &Node, b: &Node) -> Option<Node> {
    let (op, way) = operator.instruction();
    let straight = Word::new(op, 2, 0, 1, 0);
    match way {
        Way::Straight => run(&[a, b], &[straight]),
        Way::Swapped => run(&[a, b], &[Word::new(op, 2, 1, 0, 0)]),
        Way::Inverted => run(&[a, b], &[straight, Word::new(Op::Not, 2, 2, 0, 0)]),
    }
}

/// The text of parts that are all known.
pub(super) fn join(parts: &[Expression]) -> Option<Node> {
    // Most are not, and then nothing is made for them.
    if !parts.iter().all(|part| is_value(&part.node)) {
        return None;
    }
    let count = u8::try_from(parts.len()).ok().filter(|&count| u64::from(count) <= crate::limit::IR_WINDOW.value)?;
    let nodes: Vec<&Node> = parts.iter().map(|part| &part.node).collect();
    run(&nodes, &[Word::new(Op::Join, count, 0, count, 0)])
}

const fn is_value(node: &Node) -> bool {
    matches!(node, Node::Nil | Node::Bool(_) | Node::Constant(_))
}

/// What instructions make of operands in the first registers, in the register behind them.
fn run(operands: &[&Node], instructions: &[Word]) -> Option<Node> {
    if !operands.iter().all(|operand| is_value(operand)) {
        return None;
    }
    let result = u8::try_from(operands.len()).ok()?;
    let mut constants: Vec<Constant> = Vec::new();
    let mut code = Vec::new();
    for (register, operand) in (0..).zip(operands) {
        code.push(match operand {
            Node::Nil => Word::new(Op::Nil, register, 0, 0, 0),
            Node::Bool(truth) => Word::new(Op::Bool, register, u8::from(*truth), 0, 0),
            Node::Constant(constant) => {
                let place = constants.iter().position(|other| other == constant).unwrap_or_else(|| {
                    constants.push(constant.clone());
                    constants.len() - 1
                });
                Word::new(Op::Constant, register, 0, 0, u32::try_from(place).ok()?)
            }
            _ => return None,
        });
    }
    code.extend_from_slice(instructions);
    code.push(Word::new(Op::Return, result, 1, 0, 0));
    let function = Function { registers: result + 1, code, ..Function::default() };
    let program = Program {
        profile: PROFILE,
        kind: ProgramKind::Words,
        constants,
        functions: vec![function],
        exports: [(String::from("known"), 0)].into(),
        limits: Limits::DEFAULT,
        rules: Vec::new(),
        merging: Merging::default(),
    };
    let verified = program.verify().ok()?;
    let mut machine = Machine::new(&verified, 0, LIMITS);
    let results = machine.call("known", &[])?.ok()?;
    results.first().and_then(|&value| node(machine.values(), value))
}

/// A value as it stands in a program.
fn node(heap: &Heap, value: Value) -> Option<Node> {
    Some(match heap.kind(value) {
        Kind::Nil => Node::Nil,
        Kind::Bool => Node::Bool(value.as_bool()?),
        Kind::Number => Node::Constant(Constant::Number(heap.as_number(value)?)),
        Kind::Float => Node::Constant(Constant::float(value.as_float()?)),
        Kind::Fixed => Node::Constant(Constant::fixed(heap.as_fixed(value)?)),
        Kind::String => Node::Constant(Constant::String(heap.as_string(&value)?.into())),
        Kind::Bytes => Node::Constant(Constant::Bytes(heap.as_bytes(value)?.to_vec())),
        Kind::List | Kind::Map | Kind::Set | Kind::Function => return None,
    })
}
