//! The IR: a program as every language lowers to it, names resolved, nothing implicit.
//!
//! `Ir ──check──▶ CheckedIr ──emit──▶ Program`: each type can only be had from the one before it. Functions nest as
//! lambdas that see the variables around them; how those are kept is `emit`'s business. Values are evaluated from left
//! to right; a list of values may end with one that gives any number of them.

mod canonical;
mod check;
mod known;
mod operator;
mod renumber;
mod text;
pub(crate) mod walk;

pub use check::CheckedIr;
pub use operator::{Binary, Unary, Way};
pub(crate) use walk::{Free, Usage};

use crate::Span;
use kerai_vm::bytecode::{Builtin, Constant, Limits, Merging, Order, ProgramKind, Rule};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A whole program.
#[derive(Debug, Clone, PartialEq)]
pub struct Ir {
    pub kind: ProgramKind,
    /// Every variable of every function and lambda.
    pub variables: Vec<Variable>,
    pub functions: Vec<Function>,
    /// Functions that hosts may call, by name.
    pub exports: BTreeMap<String, FunctionId>,
    pub limits: Limits,
    pub rules: Vec<Rule>,
    /// In which order a fold takes operations.
    pub order: Order,
    /// The names from an operation to the value by which its state falls into parts.
    pub key: Vec<String>,
}

impl Ir {
    /// A program of a kind that holds nothing yet.
    #[must_use]
    pub fn new(kind: ProgramKind) -> Ir {
        Ir {
            kind,
            variables: Vec::new(),
            functions: Vec::new(),
            exports: BTreeMap::new(),
            limits: Limits::DEFAULT,
            rules: Vec::new(),
            order: Order::default(),
            key: Vec::new(),
        }
    }

    /// What it says beside its code. What its joins keep is known when there is code.
    #[must_use]
    pub fn merging(&self) -> Merging {
        Merging { order: self.order, key: self.key.clone(), certificate: None }
    }
}

/// A function's place in its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FunctionId(pub u32);

/// A variable's place in its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct VariableId(pub u32);

/// A function that can be called by its place, and sees no variables but its own.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Function {
    /// For people only.
    pub name: String,
    pub lambda: Lambda,
}

/// A variable: what it is called, for people only, and what it may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    pub name: String,
    pub holds: Type,
}

/// What is known of a value before anything runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    Any,
    Nil,
    Bool,
    Number,
    Float,
    Fixed,
    String,
    Bytes,
    Table,
    Function,
}

impl Type {
    pub const ALL: &[Type] = &[
        Type::Any,
        Type::Nil,
        Type::Bool,
        Type::Number,
        Type::Float,
        Type::Fixed,
        Type::String,
        Type::Bytes,
        Type::Table,
        Type::Function,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Type::Any => "any",
            Type::Nil => "nil",
            Type::Bool => "bool",
            Type::Number => "number",
            Type::Float => "float",
            Type::Fixed => "fixed",
            Type::String => "string",
            Type::Bytes => "bytes",
            Type::Table => "table",
            Type::Function => "function",
        }
    }

    /// Whether a value of this type may stand where `other` is wanted.
    #[must_use]
    pub fn fits(self, other: Type) -> bool {
        other == Type::Any || self == other
    }

    /// What is known where a value is of one type or the other.
    #[must_use]
    pub fn or(self, other: Type) -> Type {
        if self == other { self } else { Type::Any }
    }
}

/// What is done when a function is called.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lambda {
    pub parameters: Vec<VariableId>,
    /// Where further arguments go, as a list.
    pub rest: Option<VariableId>,
    pub body: Block,
}

/// Statements, and the scope of the variables that they declare.
pub type Block = Vec<Statement>;

/// A statement and where it came from.
#[derive(Debug, Clone)]
pub struct Statement {
    pub action: Action,
    pub span: Span,
}

/// What a statement does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Declares variables; those without a value are nil.
    Let(Vec<VariableId>, Values),
    /// Evaluates the places, then the values, then assigns, the last place first.
    Set(Vec<Place>, Values),
    /// Calls and drops the results.
    Do(Call),
    /// The first arm whose condition holds.
    If(Vec<(Expression, Block)>, Block),
    While(Box<Expression>, Block),
    /// The condition sees the block's variables and ends the loop when it holds.
    Repeat(Block, Box<Expression>),
    Count(Box<Count>),
    Each(Box<Each>),
    Block(Block),
    /// Leaves the innermost loop.
    Break,
    Return(Values),
    Raise(Box<Expression>),
}

/// Counting from one number to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Count {
    pub variable: VariableId,
    pub from: Expression,
    pub to: Expression,
    pub by: Expression,
    pub body: Block,
}

/// The entries of a table in canonical order of their keys: those present at the start, without those removed since.
#[derive(Debug, Clone, PartialEq)]
pub struct Each {
    pub key: VariableId,
    pub value: VariableId,
    pub table: Expression,
    pub body: Block,
}

/// What can be assigned to.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    Variable(VariableId),
    Index(Expression, Expression),
}

/// Any number of values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Values {
    pub fixed: Vec<Expression>,
    pub rest: Option<Box<Rest>>,
}

/// The end of a list of values, which gives any number of them.
#[derive(Debug, Clone, PartialEq)]
pub enum Rest {
    /// All results of a call.
    Call(Call),
    /// The items of a list.
    Spread(Expression),
}

/// A call.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub callee: Callee,
    pub arguments: Values,
}

/// What is called.
#[derive(Debug, Clone, PartialEq)]
pub enum Callee {
    Function(FunctionId),
    Builtin(Builtin),
    Value(Box<Expression>),
    /// The first result is true, or false and then what was raised.
    Protected(Box<Expression>),
}

/// An expression and where it came from.
#[derive(Debug, Clone)]
pub struct Expression {
    pub node: Node,
    pub span: Span,
}

/// What an expression is.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Node {
    #[default]
    Nil,
    Bool(bool),
    Constant(Constant),
    Variable(VariableId),
    /// A function as a value.
    Function(FunctionId),
    Lambda(Box<Lambda>),
    Unary(Unary, Box<Expression>),
    Binary(Binary, Box<Expression>, Box<Expression>),
    /// The first if it is nil or false, else the second.
    And(Box<Expression>, Box<Expression>),
    /// The first unless it is nil or false, else the second.
    Or(Box<Expression>, Box<Expression>),
    /// The first value's text or number, then the next one's.
    Join(Vec<Expression>),
    Index(Box<Expression>, Box<Expression>),
    Table(Vec<Entry>, Option<Box<Rest>>),
    /// The values as a list, nil kept.
    List(Values),
    /// The first result, or nil.
    Call(Box<Call>),
    /// Statements, then a value that sees their variables.
    With(Block, Box<Expression>),
}

/// An entry of a new table.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// At the next position.
    Item(Expression),
    Keyed(Expression, Expression),
}

// Where something came from is no part of what it is.
impl PartialEq for Expression {
    fn eq(&self, other: &Expression) -> bool {
        self.node == other.node
    }
}

impl PartialEq for Statement {
    fn eq(&self, other: &Statement) -> bool {
        self.action == other.action
    }
}

impl Expression {
    #[must_use]
    pub const fn new(node: Node, span: Span) -> Expression {
        Expression { node, span }
    }

    #[must_use]
    pub const fn variable(variable: VariableId, span: Span) -> Expression {
        Expression::new(Node::Variable(variable), span)
    }

    #[must_use]
    pub fn integer(value: i64, span: Span) -> Expression {
        Expression::new(Node::Constant(Constant::Number(kerai_vm::number::Number::from_i64(value))), span)
    }

    #[must_use]
    pub fn string(text: impl Into<Arc<[u8]>>, span: Span) -> Expression {
        Expression::new(Node::Constant(Constant::String(text.into())), span)
    }

    #[must_use]
    pub fn unary(operator: Unary, operand: Expression, span: Span) -> Expression {
        Expression::new(Node::Unary(operator, Box::new(operand)), span)
    }

    #[must_use]
    pub fn binary(operator: Binary, first: Expression, second: Expression, span: Span) -> Expression {
        Expression::new(Node::Binary(operator, Box::new(first), Box::new(second)), span)
    }

    #[must_use]
    pub fn index(table: Expression, key: Expression, span: Span) -> Expression {
        Expression::new(Node::Index(Box::new(table), Box::new(key)), span)
    }

    /// A call's first result.
    #[must_use]
    pub fn call(callee: Callee, arguments: Vec<Expression>, span: Span) -> Expression {
        Expression::new(Node::Call(Box::new(Call { callee, arguments: Values::of(arguments) })), span)
    }

    #[must_use]
    pub fn builtin(builtin: Builtin, arguments: Vec<Expression>, span: Span) -> Expression {
        Expression::call(Callee::Builtin(builtin), arguments, span)
    }
}

impl Statement {
    #[must_use]
    pub const fn new(action: Action, span: Span) -> Statement {
        Statement { action, span }
    }
}

impl Values {
    #[must_use]
    pub const fn none() -> Values {
        Values { fixed: Vec::new(), rest: None }
    }

    #[must_use]
    pub const fn of(fixed: Vec<Expression>) -> Values {
        Values { fixed, rest: None }
    }

    /// The expressions that give them, in the order of their evaluation.
    #[must_use]
    pub fn expressions(&self) -> Vec<&Expression> {
        let mut all: Vec<&Expression> = self.fixed.iter().collect();
        match self.rest.as_deref() {
            Some(Rest::Spread(list)) => all.push(list),
            Some(Rest::Call(call)) => {
                if let Callee::Value(callee) | Callee::Protected(callee) = &call.callee {
                    all.push(callee);
                }
                all.extend(call.arguments.expressions());
            }
            None => {}
        }
        all
    }

    #[must_use]
    pub fn one(value: Expression) -> Values {
        Values::of(vec![value])
    }
}
