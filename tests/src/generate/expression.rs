//! Expressions by chance.
#![expect(clippy::wildcard_enum_match_arm, reason = "the arms name what is made in a way of its own")]

use super::{Maker, Soft, node, statement};
use kerai_compiler::ir::{Action, Binary, Call, Callee, Entry, Expression, FunctionId, Node, Rest, Unary, Values};
use kerai_vm::bytecode::{Builtin, Constant};
use kerai_vm::number::{Number, parse_decimal};

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "5",
    "-1",
    "-2",
    "7",
    "10",
    "0.5",
    "-2.5",
    "12.34",
    "0.1",
    "3.000000000000000001",
    "1e-18",
    "32767",
    "32768",
    "-32768",
    "-32769",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "170141183460469231731.687303715884105727",
    "63",
    "64",
    "9007199254740993",
];

const FLOATS: &[f64] = &[
    0.0,
    -0.0,
    1.0,
    2.0,
    -1.5,
    0.1,
    3.0,
    1e300,
    5e-324,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    9_007_199_254_740_992.0,
    1e18,
];

const FIXEDS: &[i128] =
    &[0, 1, -1, 1 << 63, 1 << 64, 3 << 63, -(5 << 63), i128::MAX, i128::MIN, 1 << 20, (1 << 64) / 10];

pub(super) const TEXTS: &[&[u8]] = &[
    b"",
    b"a",
    b"b",
    b"name",
    b"amount",
    b"10",
    b"-2.50",
    b"no number",
    b"fourteen bytes",
    b"fifteen bytes !",
    b"a text that lies outside of its value",
    "e\u{301}".as_bytes(),
    "\u{e9}".as_bytes(),
    b"\xff\xfe",
    "a\u{7f}\u{80}\u{7ff}\u{800}\u{10000}".as_bytes(),
    b"key=value, k=v",
    b"\0\n\"\\",
];

/// Names that maps have more often than others.
pub(super) const NAMES: &[&[u8]] = &[b"a", b"b", b"name", b"amount"];

pub(super) fn text(content: &[u8]) -> Expression {
    node(Node::Constant(Constant::String(content.into())))
}

pub(super) fn number(number: i64) -> Expression {
    node(Node::Constant(Constant::Number(Number::from_i64(number))))
}

impl Maker<'_> {
    /// Any value: mostly of the kind that is asked for.
    pub(super) fn value(&mut self, soft: Soft, depth: u32) -> Expression {
        let soft = if self.chance(200) { *self.random.pick(Soft::ALL) } else { soft };
        let soft = if soft == Soft::Any { *self.random.pick(Soft::ALL) } else { soft };
        if depth == 0 || !self.spend() || self.chance(4) {
            return self.leaf(soft);
        }
        match self.random.below(16) {
            0 => self.choice(soft, depth - 1),
            1 => self.with(soft, depth - 1),
            2 => self.result(soft, depth - 1),
            3 if depth > 1 && (soft == Soft::Any || self.chance(4)) => self.entry(soft, depth - 1),
            _ => self.made(soft, depth - 1),
        }
    }

    pub(super) fn leaf(&mut self, soft: Soft) -> Expression {
        if !self.chance(3)
            && let Some(known) = self.pick_variable(|known| known.soft == soft)
        {
            return node(Node::Variable(known.id));
        }
        match soft {
            Soft::Any | Soft::Nil => node(Node::Nil),
            Soft::Bool => node(Node::Bool(self.chance(2))),
            Soft::Number | Soft::Float | Soft::Fixed | Soft::Text | Soft::Bytes => {
                node(Node::Constant(self.constant(soft)))
            }
            Soft::List => {
                let items = (0..self.random.below(4)).map(|_| Entry::Item(self.small())).collect();
                node(Node::Table(items, None))
            }
            Soft::Map => {
                let name = *self.random.pick(NAMES);
                node(Node::Table(vec![Entry::Keyed(text(name), self.small())], None))
            }
            Soft::Set => self.set(),
            Soft::Small => self.small_constant(),
            Soft::Point => number(*self.random.pick(super::builtin::POINTS)),
            Soft::Generator => {
                Expression::builtin(Builtin::RandomNew, vec![text(b"seed")], kerai_compiler::Span::default())
            }
            Soft::Pattern | Soft::Format | Soft::Document | Soft::Path | Soft::Network => self.written(soft),
            Soft::Function => match self.later_function() {
                Some(id) => node(Node::Function(id)),
                None => self.lambda(1),
            },
        }
    }

    fn small(&mut self) -> Expression {
        number(self.random.below(7) as i64 - 2)
    }

    pub(super) fn constant(&mut self, soft: Soft) -> Constant {
        match soft {
            Soft::Float => Constant::Float(kerai_vm::number::Float::from_f64(*self.random.pick(FLOATS)).to_bits()),
            Soft::Fixed => Constant::Fixed(Box::new(*self.random.pick(FIXEDS))),
            Soft::Text => Constant::String((*self.random.pick(TEXTS)).into()),
            Soft::Bytes => Constant::Bytes(vec![7; self.random.below(4) as usize]),
            _ => {
                let common = NUMBERS.first_chunk::<9>().expect("there are more");
                let text = if self.chance(2) { *self.random.pick(common) } else { *self.random.pick(NUMBERS) };
                Constant::Number(parse_decimal(text.as_bytes()).expect("a number"))
            }
        }
    }

    fn later_function(&mut self) -> Option<FunctionId> {
        let later = self.signatures.len() - self.current - 1;
        if later == 0 {
            return None;
        }
        Some(FunctionId((self.current + 1) as u32 + self.random.below(later as u64) as u32))
    }

    fn choice(&mut self, soft: Soft, depth: u32) -> Expression {
        let first = if self.chance(2) { Soft::Bool } else { soft };
        let (a, b) = (Box::new(self.value(first, depth)), Box::new(self.value(soft, depth)));
        node(if self.chance(2) { Node::And(a, b) } else { Node::Or(a, b) })
    }

    /// Statements and a value, where no loop around can be left.
    fn with(&mut self, soft: Soft, depth: u32) -> Expression {
        let outer = (self.loops, self.is_in_expression);
        (self.loops, self.is_in_expression) = (0, true);
        let (body, value) = self.scope(|maker| {
            let body: Vec<_> = (0..=maker.random.below(2)).filter_map(|_| maker.statement(depth.min(2))).collect();
            (body, maker.value(soft, depth))
        });
        (self.loops, self.is_in_expression) = outer;
        node(Node::With(body, Box::new(value)))
    }

    /// The first result of a call.
    fn result(&mut self, soft: Soft, depth: u32) -> Expression {
        node(Node::Call(Box::new(self.call(soft, depth))))
    }

    /// What stands in a table.
    fn entry(&mut self, _: Soft, depth: u32) -> Expression {
        let (table, key) = self.table_and_key(depth);
        node(Node::Index(Box::new(table), Box::new(key)))
    }

    pub(super) fn table_and_key(&mut self, depth: u32) -> (Expression, Expression) {
        if self.chance(2) {
            let key = match self.random.below(4) {
                0 => self.value(Soft::Number, depth),
                1 => node(Node::Unary(Unary::Length, Box::new(self.value(Soft::List, 1)))),
                _ => number(1 + self.random.below(3) as i64),
            };
            return (self.value(Soft::List, depth), key);
        }
        let key = match self.random.below(4) {
            0 => self.value(Soft::Any, depth),
            1 => self.value(Soft::Text, depth),
            _ => text(self.random.pick::<&[u8]>(NAMES)),
        };
        (self.value(Soft::Map, depth), key)
    }

    /// A value that an operation makes.
    fn made(&mut self, soft: Soft, depth: u32) -> Expression {
        match soft {
            Soft::Number | Soft::Float | Soft::Fixed => self.computed(soft, depth),
            Soft::Bool => self.truth(depth),
            Soft::Text => {
                let parts = (0..self.random.below(4)).map(|_| {
                    let soft = *self.random.pick(&[Soft::Text, Soft::Text, Soft::Number, Soft::Float, Soft::Fixed]);
                    self.value(soft, depth)
                });
                let parts = parts.collect();
                node(Node::Join(parts))
            }
            Soft::List if self.chance(3) => {
                let table = if self.chance(2) { Soft::Map } else { Soft::List };
                node(Node::Unary(Unary::Keys, Box::new(self.value(table, depth))))
            }
            Soft::List if self.chance(2) => node(Node::List(self.values(&[Soft::Any, Soft::Number], depth))),
            Soft::List | Soft::Map => self.new_table(soft, depth),
            Soft::Function => self.lambda(depth),
            Soft::Small | Soft::Point | Soft::Generator if !self.chance(8) => self.leaf(soft),
            Soft::Pattern | Soft::Format | Soft::Document | Soft::Path | Soft::Network if !self.chance(8) => {
                self.leaf(soft)
            }
            Soft::Small | Soft::Point => self.computed(Soft::Number, depth),
            Soft::Any | Soft::Nil | Soft::Bytes | Soft::Set | Soft::Generator => self.result(soft, depth),
            Soft::Pattern | Soft::Format | Soft::Document | Soft::Path | Soft::Network => self.made(Soft::Text, depth),
        }
    }

    fn computed(&mut self, soft: Soft, depth: u32) -> Expression {
        if self.chance(6) {
            let operator = *self.random.pick(&[Unary::Negate, Unary::Complement, Unary::Length]);
            let operand = match operator {
                Unary::Length => *self.random.pick(&[Soft::Text, Soft::List, Soft::List]),
                _ => soft,
            };
            return node(Node::Unary(operator, Box::new(self.value(operand, depth))));
        }
        let operators: Vec<Binary> = Binary::ALL.iter().copied().filter(|operator| !is_comparison(*operator)).collect();
        let operator = if self.chance(2) { Binary::Add } else { *self.random.pick(&operators) };
        let b = match operator {
            // Large powers are slow.
            Binary::Power | Binary::FloatPower | Binary::ShiftLeft | Binary::ShiftRight => self.small(),
            _ if soft == Soft::Float && self.chance(3) => self.value(Soft::Number, depth),
            _ => self.value(soft, depth),
        };
        // Made after it, evaluated before it.
        let a = self.value(soft, depth);
        node(Node::Binary(operator, Box::new(a), Box::new(b)))
    }

    pub(super) fn truth(&mut self, depth: u32) -> Expression {
        if self.chance(5) {
            let soft = if self.chance(2) { Soft::Bool } else { Soft::Any };
            return node(Node::Unary(Unary::Not, Box::new(self.value(soft, depth))));
        }
        if self.chance(6) {
            return self.choice(Soft::Bool, depth);
        }
        let comparisons: Vec<Binary> =
            Binary::ALL.iter().copied().filter(|operator| is_comparison(*operator)).collect();
        let operator = *self.random.pick(&comparisons);
        let soft = *self.random.pick(&[Soft::Number, Soft::Number, Soft::Number, Soft::Text, Soft::Float, Soft::Fixed]);
        let is_equality = matches!(operator, Binary::Equal | Binary::Different);
        let soft = if is_equality && self.chance(4) { Soft::Any } else { soft };
        let other = if soft == Soft::Float && self.chance(3) { Soft::Number } else { soft };
        let (a, b) = (self.value(soft, depth), self.value(other, depth));
        node(Node::Binary(operator, Box::new(a), Box::new(b)))
    }

    fn new_table(&mut self, soft: Soft, depth: u32) -> Expression {
        let count = if self.chance(60) { 49 + self.random.below(4) } else { self.random.below(4) };
        let mut entries = Vec::new();
        for _ in 0..count {
            let is_keyed = soft == Soft::Map && !self.chance(4);
            let value = if count > 10 { self.small() } else { self.value(Soft::Any, depth) };
            entries.push(if !is_keyed {
                Entry::Item(value)
            } else if self.chance(4) {
                Entry::Keyed(self.value(Soft::Any, 0), value)
            } else if self.chance(4) {
                Entry::Keyed(number(self.random.below(4) as i64), value)
            } else {
                Entry::Keyed(text(self.random.pick::<&[u8]>(NAMES)), value)
            });
        }
        let rest = if self.chance(5) { Some(Box::new(self.rest(depth))) } else { None };
        node(Node::Table(entries, rest))
    }

    /// All results of a call, or the items of a list.
    fn rest(&mut self, depth: u32) -> Rest {
        if self.chance(2) {
            Rest::Call(self.call(Soft::Any, depth))
        } else {
            Rest::Spread(self.value(Soft::List, depth))
        }
    }

    /// A few values, and sometimes any number more.
    pub(super) fn values(&mut self, softs: &[Soft], depth: u32) -> Values {
        let fixed = softs.iter().map(|&soft| self.value(soft, depth)).collect();
        let rest = if self.chance(6) { Some(Box::new(self.rest(depth))) } else { None };
        Values { fixed, rest }
    }

    pub(super) fn returned(&mut self, softs: &[Soft]) -> Values {
        let count = if self.chance(8) { self.random.below(4) as usize } else { softs.len() };
        let softs: Vec<Soft> = softs.iter().copied().chain(core::iter::repeat(Soft::Any)).take(count).collect();
        self.values(&softs, 3)
    }

    pub(super) fn lambda(&mut self, depth: u32) -> Expression {
        if self.lambdas >= 2 {
            return node(Node::Nil);
        }
        let outer = (self.loops, self.is_in_expression);
        (self.loops, self.is_in_expression) = (0, false);
        self.lambdas += 1;
        let softs: Vec<Soft> = (0..self.random.below(3)).map(|_| *self.random.pick(Soft::DATA)).collect();
        let is_variadic = self.chance(5);
        let signature =
            super::Signature { parameters: softs, is_variadic, results: vec![Soft::Any], is_recursive: false };
        let lambda = self.scope(|maker| {
            let mut lambda = maker.parameters(&signature);
            lambda.body = (0..maker.random.below(3)).filter_map(|_| maker.statement(depth.min(2))).collect();
            if !maker.chance(6) {
                let results = maker.values(&[Soft::Any], depth);
                lambda.body.push(statement(Action::Return(results)));
            }
            lambda
        });
        self.lambdas -= 1;
        (self.loops, self.is_in_expression) = outer;
        node(Node::Lambda(Box::new(lambda)))
    }

    /// A call that probably gives such a value.
    pub(super) fn call(&mut self, soft: Soft, depth: u32) -> Call {
        let is_any = soft == Soft::Any || self.chance(20);
        match self.random.below(8) {
            0..3 => self.call_of_function(soft, depth).unwrap_or_else(|| self.call_of_builtin(soft, depth)),
            3 if is_any => {
                let callee = Callee::Value(Box::new(self.value(Soft::Function, depth)));
                Call { callee, arguments: self.values(&[Soft::Number], depth) }
            }
            4 if is_any || soft == Soft::Bool => {
                let callee = Callee::Protected(Box::new(self.value(Soft::Function, depth)));
                Call { callee, arguments: self.values(&[Soft::Any], depth) }
            }
            _ => self.call_of_builtin(soft, depth),
        }
    }

    /// A call of a function that is made later, whose first result probably is such a value.
    fn call_of_function(&mut self, soft: Soft, depth: u32) -> Option<Call> {
        let id = self.later_function()?;
        let signature = self.signatures.get(id.0 as usize)?.clone();
        if soft != Soft::Any && signature.results.first() != Some(&soft) {
            return None;
        }
        let given = if self.chance(16) { self.random.below(4) as usize } else { signature.parameters.len() };
        let softs: Vec<Soft> =
            signature.parameters.iter().copied().chain(core::iter::repeat(Soft::Any)).take(given).collect();
        Some(Call { callee: Callee::Function(id), arguments: self.values(&softs, depth) })
    }
}

const fn is_comparison(operator: Binary) -> bool {
    use Binary::{AtLeast, AtMost, Different, Equal, Greater, Less};
    matches!(operator, Equal | Different | Less | AtMost | Greater | AtLeast)
}
