//! Drills: one thing after another, done on values as they should be, and all that came of it given back. Programs by
//! chance mostly do things that end in a trap; what is off by one shows where everything else is right.
#![expect(clippy::wildcard_enum_match_arm, reason = "the arms name what is done in a way of its own")]

use super::expression::{number, text};
use super::{Generated, Maker, Signature, Soft, node, statement};
use kerai_compiler::ir::{
    Action, Binary, Call, Callee, Count, Each, Entry, Expression, Function, FunctionId, Ir, Lambda, Node, Place, Rest,
    Statement, Type, Unary, Values, VariableId,
};
use kerai_vm::bytecode::{Builtin, Constant, Limits, Order, ProgramKind};
use kerai_vm::number::parse_decimal;
use std::collections::BTreeMap;

/// Loops: from, to and by, at whose ends something may slip.
const COUNTS: &[[&str; 3]] = &[
    ["1", "4", "1"],
    ["4", "1", "-1"],
    ["3", "3", "1"],
    ["3", "3", "-1"],
    ["2", "1", "1"],
    ["1", "2", "-1"],
    ["1", "8", "3"],
    ["8", "1", "-3"],
    ["0.5", "2", "0.5"],
    ["2", "0.5", "-0.5"],
    ["1", "2.2", "0.4"],
    ["-1", "-3", "-1"],
    ["9223372036854775805", "9223372036854775807", "1"],
    ["-9223372036854775806", "-9223372036854775808", "-1"],
    ["9223372036854775806", "9223372036854775809", "1"],
    ["170141183460469231730.5", "170141183460469231731.5", "0.5"],
    ["1", "3", "0"],
];

/// A program of one function, which does a few things one after another.
pub(super) fn program(maker: Maker<'_>) -> Generated {
    let mut drill = Drill { maker, parameters: Vec::new(), body: Vec::new(), shown: Vec::new() };
    for _ in 0..2 + drill.maker.random.below(4) {
        drill.round();
    }
    let Drill { maker, parameters, mut body, shown } = drill;
    body.push(statement(Action::Return(Values::of(shown.into_iter().map(variable).collect()))));
    let (parameters, softs): (Vec<VariableId>, Vec<Soft>) = parameters.into_iter().unzip();
    let lambda = Lambda { parameters, rest: None, body };
    let ir = Ir {
        kind: ProgramKind::Fold,
        variables: maker.variables,
        functions: vec![Function { name: "main".to_owned(), lambda }],
        exports: BTreeMap::from([("main".to_owned(), FunctionId(0))]),
        limits: Limits::DEFAULT,
        rules: Vec::new(),
        order: Order::default(),
        key: Vec::new(),
    };
    let signature = Signature { parameters: softs, is_variadic: false, results: Vec::new(), is_recursive: false };
    Generated { ir, exports: vec![("main".to_owned(), signature)] }
}

fn variable(id: VariableId) -> Expression {
    node(Node::Variable(id))
}

fn constant(text: &str) -> Expression {
    node(Node::Constant(Constant::Number(parse_decimal(text.as_bytes()).expect("a number"))))
}

fn all_of(call: Call) -> Values {
    Values { fixed: Vec::new(), rest: Some(Box::new(Rest::Call(call))) }
}

struct Drill<'r> {
    maker: Maker<'r>,
    parameters: Vec<(VariableId, Soft)>,
    body: Vec<Statement>,
    /// What is given back.
    shown: Vec<VariableId>,
}

/// Parameters of a drill; what is needed beyond stands in the program.
const PARAMETERS: usize = 12;

impl Drill<'_> {
    fn round(&mut self) {
        match self.maker.random.below(12) {
            0..6 => self.builtin(),
            6..8 => self.operator(),
            8 => self.comparison(),
            9 => self.counted(),
            10 => self.walked(),
            _ => self.fields(),
        }
    }

    fn new_variable(&mut self) -> VariableId {
        self.maker.declare(Soft::Any, Type::Any, false)
    }

    fn declare(&mut self, value: Expression) -> VariableId {
        let id = self.new_variable();
        self.body.push(statement(Action::Let(vec![id], Values::one(value))));
        id
    }

    /// A value of a kind: of the caller's, or of the program's.
    fn given(&mut self, soft: Soft) -> Expression {
        if self.maker.chance(2) && self.parameters.len() < PARAMETERS && soft != Soft::Function {
            let id = self.new_variable();
            self.parameters.push((id, soft));
            self.shown.push(id);
            return variable(id);
        }
        self.maker.in_sight.clear();
        let value = self.maker.exactly(soft);
        // What can be folded is, unless it lies in a variable that is assigned again.
        if soft == Soft::Function || !(is_table(soft) || self.maker.chance(3)) {
            return value;
        }
        let id = self.declare(value);
        self.shown.push(id);
        if self.maker.chance(2) && !is_table(soft) {
            let again = Action::Set(vec![Place::Variable(id)], Values::one(variable(id)));
            self.body.push(statement(again));
        }
        variable(id)
    }

    /// Keeps all that a call gives, which may not end the drill unless it stands alone.
    fn keep(&mut self, call: Call) {
        let count = 1 + self.maker.random.below(4) as usize;
        let variables: Vec<VariableId> = (0..=count).map(|_| self.new_variable()).collect();
        self.shown.extend(&variables);
        let call = if self.maker.chance(4) {
            call
        } else {
            let lambda = Lambda { body: vec![statement(Action::Return(all_of(call)))], ..Lambda::default() };
            let callee = Callee::Protected(Box::new(node(Node::Lambda(Box::new(lambda)))));
            Call { callee, arguments: Values::none() }
        };
        self.body.push(statement(Action::Let(variables, all_of(call))));
    }

    /// As [`Drill::keep`], of one value.
    fn keep_value(&mut self, value: Expression) {
        if self.maker.chance(2) {
            let id = self.declare(value);
            self.shown.push(id);
            return;
        }
        let lambda = Lambda { body: vec![statement(Action::Return(Values::one(value)))], ..Lambda::default() };
        let callee = Callee::Protected(Box::new(node(Node::Lambda(Box::new(lambda)))));
        let variables = [(); 2].map(|()| self.new_variable()).to_vec();
        self.shown.extend(&variables);
        self.body.push(statement(Action::Let(variables, all_of(Call { callee, arguments: Values::none() }))));
    }

    fn builtin(&mut self) {
        let builtin = *self.maker.random.pick(Builtin::ALL);
        let softs = self.maker.softs_of(builtin);
        let fixed = softs.into_iter().map(|soft| self.given(soft)).collect();
        self.keep(Call { callee: Callee::Builtin(builtin), arguments: Values::of(fixed) });
    }

    fn numeric(&mut self) -> Soft {
        *self.maker.random.pick(&[Soft::Number, Soft::Number, Soft::Small, Soft::Float, Soft::Fixed])
    }

    fn operator(&mut self) {
        if self.maker.chance(4) {
            let operator = *self.maker.random.pick(Unary::ALL);
            let soft = match operator {
                Unary::Length | Unary::Keys => *self.maker.random.pick(&[Soft::List, Soft::Map, Soft::Text]),
                Unary::Complement => Soft::Small,
                Unary::Negate | Unary::Not => self.numeric(),
            };
            let operand = self.given(soft);
            return self.keep_value(node(Node::Unary(operator, Box::new(operand))));
        }
        if self.maker.chance(8) {
            let parts = [Soft::Text, Soft::Number, Soft::Float, Soft::Text].map(|soft| self.given(soft));
            return self.keep_value(node(Node::Join(parts.to_vec())));
        }
        let operator = *self.maker.random.pick(Binary::ALL);
        let soft = match operator {
            Binary::BitAnd | Binary::BitOr | Binary::BitExclusiveOr => Soft::Small,
            Binary::ShiftLeft | Binary::ShiftRight | Binary::Power | Binary::FloatPower => Soft::Small,
            _ => self.numeric(),
        };
        let other = match operator {
            // Large powers are slow, and most bits are shifted away.
            Binary::ShiftLeft | Binary::ShiftRight | Binary::Power | Binary::FloatPower => Soft::Small,
            _ if self.maker.chance(4) => self.numeric(),
            _ => soft,
        };
        let (a, b) = (self.given(soft), self.given(other));
        self.keep_value(node(Node::Binary(operator, Box::new(a), Box::new(b))));
    }

    /// A branch on a comparison, often of equals.
    fn comparison(&mut self) {
        use Binary::{AtLeast, AtMost, Different, Equal, Greater, Less};
        let operator = *self.maker.random.pick(&[Less, AtMost, Greater, AtLeast, Equal, Different]);
        let soft = if self.maker.chance(4) { Soft::Text } else { self.numeric() };
        let a = self.given(soft);
        let b = if self.maker.chance(2) { a.clone() } else { self.given(soft) };
        let comparison = node(Node::Binary(operator, Box::new(a), Box::new(b)));
        let holds = self.declare(number(0));
        self.shown.push(holds);
        let set = |value| vec![statement(Action::Set(vec![Place::Variable(holds)], Values::one(number(value))))];
        self.body.push(statement(Action::If(vec![(comparison, set(1))], set(2))));
    }

    /// Counts, and keeps how often and what came last.
    fn counted(&mut self) {
        let bounds = *self.maker.random.pick(COUNTS);
        let is_float = self.maker.chance(5);
        let given = |text: &&str| match constant(text).node {
            Node::Constant(Constant::Number(number)) if is_float => {
                let float = parse_float(&number.to_string());
                node(Node::Constant(Constant::Float(float)))
            }
            other => node(other),
        };
        let mut bounds = bounds.iter().map(given).collect::<Vec<_>>();
        // Where a bound is known or not, other code counts.
        if self.maker.chance(2) {
            bounds = bounds
                .into_iter()
                .map(|bound| {
                    let id = self.declare(bound);
                    self.body.push(statement(Action::Set(vec![Place::Variable(id)], Values::one(variable(id)))));
                    variable(id)
                })
                .collect();
        }
        let [from, to, by] = <[Expression; 3]>::try_from(bounds).unwrap_or_else(|_| [number(1), number(2), number(1)]);
        let (rounds, last) = (self.declare(number(0)), self.declare(node(Node::Nil)));
        self.shown.extend([rounds, last]);
        let counter = self.new_variable();
        let body = vec![plus_one(rounds), self.assign(last, variable(counter))];
        self.body.push(statement(Action::Count(Box::new(Count { variable: counter, from, to, by, body }))));
    }

    fn assign(&self, id: VariableId, value: Expression) -> Statement {
        statement(Action::Set(vec![Place::Variable(id)], Values::one(value)))
    }

    /// Walks a table, taking its entries away or not, and keeps what was seen.
    fn walked(&mut self) {
        let soft = *self.maker.random.pick(&[Soft::List, Soft::Map]);
        let table = self.given(soft);
        let seen = self.declare(node(Node::Table(Vec::new(), None)));
        self.shown.push(seen);
        let (key, value) = (self.new_variable(), self.new_variable());
        let item = node(Node::List(Values::of(vec![variable(key), variable(value)])));
        let arguments = Values::of(vec![variable(seen), item]);
        let mut body = vec![statement(Action::Do(Call { callee: Callee::Builtin(Builtin::TableInsert), arguments }))];
        if self.maker.chance(3) {
            let gone = match soft {
                Soft::List => node(Node::Binary(Binary::Add, Box::new(variable(key)), Box::new(number(1)))),
                _ => text(b"name"),
            };
            let place = Place::Index(table.clone(), gone);
            body.push(statement(Action::Set(vec![place], Values::one(node(Node::Nil)))));
        }
        self.body.push(statement(Action::Each(Box::new(Each { key, value, table, body }))));
    }

    /// Writes and reads entries of a table, by keys of its kind and others.
    fn fields(&mut self) {
        let soft = *self.maker.random.pick(&[Soft::List, Soft::Map]);
        let table = self.given(soft);
        for _ in 0..1 + self.maker.random.below(3) {
            let key =
                if soft == Soft::List { number(self.maker.random.below(6) as i64) } else { self.given(Soft::Text) };
            let value = if self.maker.chance(4) { node(Node::Nil) } else { self.given(Soft::Number) };
            self.body.push(statement(Action::Set(vec![Place::Index(table.clone(), key.clone())], Values::one(value))));
            let read = self.declare(node(Node::Index(Box::new(table.clone()), Box::new(key))));
            self.shown.push(read);
        }
        let length = self.declare(node(Node::Unary(Unary::Length, Box::new(table))));
        self.shown.push(length);
    }
}

fn plus_one(id: VariableId) -> Statement {
    let sum = node(Node::Binary(Binary::Add, Box::new(variable(id)), Box::new(number(1))));
    statement(Action::Set(vec![Place::Variable(id)], Values::one(sum)))
}

fn parse_float(text: &str) -> u64 {
    kerai_vm::number::Float::from_f64(text.parse().unwrap_or_default()).to_bits()
}

const fn is_table(soft: Soft) -> bool {
    matches!(soft, Soft::List | Soft::Map | Soft::Set | Soft::Generator)
}

impl Maker<'_> {
    /// A value that is of the kind, of no variable and with nothing computed.
    fn exactly(&mut self, soft: Soft) -> Expression {
        match soft {
            Soft::List => {
                let items = *self.random.pick(&[Soft::Number, Soft::Small, Soft::Text, Soft::Float]);
                let count = self.random.below(6);
                let entries = (0..count).map(|_| Entry::Item(self.exactly(items))).collect();
                node(Node::Table(entries, None))
            }
            Soft::Map => {
                let count = self.random.below(4);
                let entries = (0..count).map(|_| Entry::Keyed(self.name(), self.exactly(Soft::Number))).collect();
                node(Node::Table(entries, None))
            }
            Soft::Set => {
                let members = (0..self.random.below(5)).map(|_| number(self.random.below(5) as i64)).collect();
                Expression::builtin(Builtin::NewSet, members, kerai_compiler::Span::default())
            }
            Soft::Function => {
                // Whether its first argument comes before its second: what a sort asks.
                let parameters = [(); 2].map(|()| self.declare(Soft::Any, Type::Any, false)).to_vec();
                let operands: Vec<Expression> = parameters.iter().map(|&id| variable(id)).collect();
                let [a, b] = <[Expression; 2]>::try_from(operands).unwrap_or_else(|_| [number(1), number(2)]);
                let less = node(Node::Binary(Binary::Greater, Box::new(a), Box::new(b)));
                let body = vec![statement(Action::Return(Values::one(less)))];
                node(Node::Lambda(Box::new(Lambda { parameters, rest: None, body })))
            }
            Soft::Any => {
                let soft = *self.random.pick(Soft::DATA);
                if soft == Soft::Any { node(Node::Nil) } else { self.exactly(soft) }
            }
            Soft::Nil | Soft::Bool | Soft::Number | Soft::Float | Soft::Fixed | Soft::Text | Soft::Bytes => {
                self.leaf(soft)
            }
            Soft::Small | Soft::Point | Soft::Pattern | Soft::Format | Soft::Document | Soft::Path | Soft::Network => {
                self.leaf(soft)
            }
            Soft::Generator => self.leaf(soft),
        }
    }

    fn name(&mut self) -> Expression {
        text(self.random.pick::<&[u8]>(super::expression::NAMES))
    }
}
