//! What the generated programs reach: every form of the grammar that is not refused, and every name of the library.

#![expect(clippy::wildcard_enum_match_arm, reason = "forms that are told apart further are named, the others are one")]

use crate::program;
use kerai_compiler::syntax::lua::library::{ENTRIES, Member};
use kerai_compiler::syntax::lua::parse;
use kerai_compiler::syntax::lua::tree::{
    BinaryOperator, Call, Expression, ExpressionKind, Function, Item, NumeralKind, Statement, StatementKind,
    UnaryOperator,
};
use kerai_tests::property::Random;
use kerai_tests::walk::{self, Visitor};
use std::collections::BTreeSet;

/// Enough to meet everything.
const PROGRAMS: u64 = 1_000;

/// The forms that were met, by names of their own.
#[derive(Default)]
struct Met(BTreeSet<String>);

impl Met {
    fn meet(&mut self, form: impl Into<String>) {
        self.0.insert(form.into());
    }

    fn function(&mut self, function: &Function) {
        self.meet(match (function.parameters.is_empty(), function.variadic) {
            (true, None) => "function ()",
            (true, Some(_)) => "function (...)",
            (false, None) => "function (a)",
            (false, Some(_)) => "function (a, ...)",
        });
    }

    fn call(&mut self, call: &Call) {
        self.meet(if call.method.is_some() { "call:method" } else { "call" });
        match call.arguments.as_slice() {
            [] => self.meet("call ()"),
            [.., Expression { kind: ExpressionKind::Call(_), .. }] => self.meet("call (…, call())"),
            [.., Expression { kind: ExpressionKind::Variadic, .. }] => self.meet("call (…, ...)"),
            _ => self.meet("call (…)"),
        }
        if let ExpressionKind::Function(_) | ExpressionKind::Parenthesized(_) = &call.function.kind {
            self.meet("(…)(…)");
        }
    }
}

impl Visitor for Met {
    fn statement(&mut self, statement: &Statement, _: bool) {
        let form = match &statement.kind {
            StatementKind::Assign { targets, .. } if targets.len() > 1 => "a, b = c",
            StatementKind::Assign { targets, .. } => match targets.first().map(|target| &target.kind) {
                Some(ExpressionKind::Name(_)) => "a = b",
                Some(ExpressionKind::Field { .. }) => "a.b = c",
                _ => "a[b] = c",
            },
            StatementKind::Call(call) => {
                self.call(call);
                "call statement"
            }
            StatementKind::Do(_) => "do",
            StatementKind::While { .. } => "while",
            StatementKind::Repeat { .. } => "repeat",
            StatementKind::If { arms, otherwise } => match (arms.len(), otherwise) {
                (1, None) => "if",
                (1, Some(_)) => "if else",
                (_, None) => "if elseif",
                (_, Some(_)) => "if elseif else",
            },
            StatementKind::NumericFor { step: None, .. } => "for a = b, c",
            StatementKind::NumericFor { .. } => "for a = b, c, d",
            StatementKind::GenericFor { names, .. } if names.len() > 1 => "for a, b in",
            StatementKind::GenericFor { .. } => "for a in",
            StatementKind::Function { target, function } => {
                self.function(function);
                match (target.fields.len(), &target.method) {
                    (0, None) => "function a",
                    (0, Some(_)) => "function a:b",
                    (_, None) => "function a.b",
                    (_, Some(_)) => "function a.b:c",
                }
            }
            StatementKind::LocalFunction { function, .. } => {
                self.function(function);
                "local function"
            }
            StatementKind::Local { names, values } => match (names.len(), values.len()) {
                (1, 0) => "local a",
                (1, _) if names.iter().any(|local| local.attribute.is_some()) => "local a <const>",
                (1, _) => "local a = b",
                (_, 1) => "local a, b = c",
                _ => "local a, b = c, d",
            },
            StatementKind::Return(values) => match values.len() {
                0 => "return",
                1 => "return a",
                _ => "return a, b",
            },
            StatementKind::Break => "break",
            StatementKind::Goto(_) | StatementKind::Label(_) => "goto",
        };
        self.meet(form);
    }

    fn expression(&mut self, expression: &Expression) {
        let form = match &expression.kind {
            ExpressionKind::Nil => "nil",
            ExpressionKind::True => "true",
            ExpressionKind::False => "false",
            ExpressionKind::Numeral(numeral) => match numeral.kind {
                NumeralKind::Integer => "integer",
                NumeralKind::Decimal => "decimal",
                NumeralKind::HexInteger => "hexadecimal integer",
                NumeralKind::HexFloat => "hexadecimal float",
            },
            ExpressionKind::String(_) => "string",
            ExpressionKind::Variadic => "...",
            ExpressionKind::Function(function) => {
                self.function(function);
                "function"
            }
            ExpressionKind::Name(name) => {
                self.meet(format!("library {}", name.text));
                "name"
            }
            ExpressionKind::Field { table, name } => {
                if let ExpressionKind::Name(table) = &table.kind {
                    self.meet(format!("library {}.{}", table.text, name.text));
                }
                "a.b"
            }
            ExpressionKind::Index { .. } => "a[b]",
            ExpressionKind::Call(call) => {
                self.call(call);
                "call expression"
            }
            ExpressionKind::Table(items) => {
                for item in items {
                    self.meet(match item {
                        Item::Positional(Expression { kind: ExpressionKind::Call(_), .. }) => "{ call() }",
                        Item::Positional(Expression { kind: ExpressionKind::Variadic, .. }) => "{ ... }",
                        Item::Positional(_) => "{ a }",
                        Item::Named { .. } => "{ a = b }",
                        Item::Keyed { .. } => "{ [a] = b }",
                    });
                }
                if items.is_empty() { "{}" } else { "{ … }" }
            }
            ExpressionKind::Parenthesized(inner) => match &inner.kind {
                ExpressionKind::Call(_) => "(call())",
                ExpressionKind::Variadic => "(...)",
                _ => "(a)",
            },
            ExpressionKind::Unary { operator, .. } => {
                self.meet(format!("unary {}", operator.text()));
                "unary"
            }
            ExpressionKind::Binary { operator, .. } => {
                self.meet(format!("binary {}", operator.text()));
                "binary"
            }
        };
        self.meet(form);
    }
}

/// All forms of the tree; `goto` and its labels are refused.
const FORMS: &[&str] = &[
    "function ()",
    "function (...)",
    "function (a)",
    "function (a, ...)",
    "call:method",
    "call",
    "call ()",
    "call (…, call())",
    "call (…, ...)",
    "call (…)",
    "(…)(…)",
    "a, b = c",
    "a = b",
    "a.b = c",
    "a[b] = c",
    "call statement",
    "do",
    "while",
    "repeat",
    "if",
    "if else",
    "if elseif",
    "if elseif else",
    "for a = b, c",
    "for a = b, c, d",
    "for a, b in",
    "for a in",
    "function a",
    "function a:b",
    "function a.b",
    "function a.b:c",
    "local function",
    "local a",
    "local a <const>",
    "local a = b",
    "local a, b = c",
    "local a, b = c, d",
    "return",
    "return a",
    "return a, b",
    "break",
    "nil",
    "true",
    "false",
    "integer",
    "decimal",
    "hexadecimal integer",
    "hexadecimal float",
    "string",
    "...",
    "function",
    "name",
    "a.b",
    "a[b]",
    "call expression",
    "{ call() }",
    "{ ... }",
    "{ a }",
    "{ a = b }",
    "{ [a] = b }",
    "{}",
    "{ … }",
    "(call())",
    "(...)",
    "(a)",
    "unary",
    "binary",
];

const UNARY: &[UnaryOperator] =
    &[UnaryOperator::Negate, UnaryOperator::Not, UnaryOperator::Length, UnaryOperator::BitNot];

#[rustfmt::skip]
const BINARY: &[BinaryOperator] = {
    use BinaryOperator::{
        Add, And, BitAnd, BitOr, BitXor, Concat, Divide, Equal, FloorDivide, Greater, GreaterEqual, Less, LessEqual,
        Modulo, Multiply, NotEqual, Or, Power, ShiftLeft, ShiftRight, Subtract,
    };
    &[
        Or, And, Less, Greater, LessEqual, GreaterEqual, NotEqual, Equal, BitOr, BitXor, BitAnd, ShiftLeft, ShiftRight,
        Concat, Add, Subtract, Multiply, Divide, FloorDivide, Modulo, Power,
    ]
};

#[test]
fn the_generator_reaches_every_form_and_every_name() {
    let mut random = Random::new(1);
    let mut met = Met::default();
    for _ in 0..PROGRAMS {
        let text = program::program(&mut random);
        walk::block(&parse(&text).chunk.body, true, &mut met);
    }
    // What is drawn by chance can't agree with anything, and stock Lua has no lattices and graphs to agree with.
    let is_merging = |name: &str| ["lattice.", "graph."].iter().any(|library| name.starts_with(library));
    let names = ENTRIES
        .iter()
        .filter(|entry| matches!(entry.member, Member::Function | Member::Value) && !is_merging(entry.name));
    let wanted = FORMS
        .iter()
        .map(|form| (*form).to_owned())
        .chain(UNARY.iter().map(|operator| format!("unary {}", operator.text())))
        .chain(BINARY.iter().map(|operator| format!("binary {}", operator.text())))
        .chain(names.map(|entry| format!("library {}", entry.name)));
    let missing: Vec<String> = wanted.filter(|form| !met.0.contains(form)).collect();
    assert!(missing.is_empty(), "no program has {missing:?}");
}
