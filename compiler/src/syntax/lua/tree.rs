//! The tree of a Lua source: what was written, with its places, before any name has a meaning.
//!
//! It holds the whole syntax of Lua 5.4, also what kerai refuses, so that a refusal can say by name what it refuses.

use crate::span::Span;
use kerai_vm::bytecode::Order;

/// A whole source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The `--!` comments, in the order of the source.
    pub pragmas: Vec<Pragma>,
    pub body: Block,
}

/// A wish about the whole source, written in a comment that begins with `--!`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pragma {
    pub kind: PragmaKind,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PragmaKind {
    /// `--!numeric float`: literals, `/` and `^` are stock Lua's.
    NumericFloat,
    /// `--!order ORDER`
    Order(Order),
    /// `--!key PATH`: names that are joined by dots.
    Key(Vec<Box<str>>),
    /// `--!rng`: `rng()` is there.
    Random,
}

/// A name with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    pub text: Box<str>,
    pub span: Span,
}

/// Statements that share a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// A `return` can only be the last.
    pub statements: Vec<Statement>,
    pub span: Span,
    /// How far it goes on below, at most `source.depth`: so no pass over the tree needs a count of its own.
    pub depth: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    pub kind: StatementKind,
    pub span: Span,
}

/// What is large and rare lies in a box of its own, so that all the others take little room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatementKind {
    /// `a, t.b, t[c] = …`; every target is a name, a field or an index.
    Assign {
        targets: Vec<Expression>,
        values: Vec<Expression>,
    },
    Call(Box<Call>),
    Do(Block),
    While {
        condition: Box<Expression>,
        body: Block,
    },
    /// The condition sees the locals of the body.
    Repeat {
        body: Block,
        condition: Box<Expression>,
    },
    /// `if`, then every `elseif`: at least one arm.
    If {
        arms: Vec<Arm>,
        otherwise: Option<Block>,
    },
    NumericFor {
        variable: Name,
        start: Box<Expression>,
        limit: Box<Expression>,
        step: Option<Box<Expression>>,
        body: Block,
    },
    GenericFor {
        names: Vec<Name>,
        values: Vec<Expression>,
        body: Block,
    },
    /// `function a.b.c:d() … end`
    Function {
        target: FunctionName,
        function: Box<Function>,
    },
    LocalFunction {
        name: Name,
        function: Box<Function>,
    },
    Local {
        names: Vec<LocalName>,
        values: Vec<Expression>,
    },
    Return(Vec<Expression>),
    Break,
    Goto(Name),
    Label(Name),
}

/// A condition and what is done where it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm {
    pub condition: Expression,
    pub body: Block,
}

/// The name in a `function` statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionName {
    pub base: Name,
    pub fields: Vec<Name>,
    /// What follows `:`; the function then has a first parameter `self`.
    pub method: Option<Name>,
}

/// A name in a `local` statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalName {
    pub name: Name,
    pub attribute: Option<Attribute>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    pub kind: AttributeKind,
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeKind {
    Const,
    Close,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    pub kind: ExpressionKind,
    pub span: Span,
    /// How far it goes on below, at most `source.depth`.
    pub depth: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpressionKind {
    Nil,
    True,
    False,
    Numeral(Numeral),
    /// The bytes that the literal stands for, escapes done.
    String(Box<[u8]>),
    /// `...`
    Variadic,
    Function(Box<Function>),
    Name(Name),
    /// `table.name`
    Field {
        table: Box<Expression>,
        name: Name,
    },
    /// `table[key]`
    Index {
        table: Box<Expression>,
        key: Box<Expression>,
    },
    Call(Box<Call>),
    Table(Vec<Item>),
    /// `(inner)`: kept because it truncates many values to one.
    Parenthesized(Box<Expression>),
    Unary {
        operator: UnaryOperator,
        operand: Box<Expression>,
    },
    Binary {
        operator: BinaryOperator,
        left: Box<Expression>,
        right: Box<Expression>,
    },
}

/// A number as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numeral {
    pub text: Box<str>,
    pub kind: NumeralKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumeralKind {
    /// Decimal digits alone.
    Integer,
    /// Decimal digits with a point, an exponent or both.
    Decimal,
    /// `0x` and hexadecimal digits alone.
    HexInteger,
    /// `0x` and hexadecimal digits with a point, a binary exponent or both.
    HexFloat,
}

/// `function(arguments)` or `function:method(arguments)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub function: Box<Expression>,
    pub method: Option<Name>,
    pub arguments: Vec<Expression>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// `value`
    Positional(Expression),
    /// `name = value`
    Named { name: Name, value: Expression },
    /// `[key] = value`
    Keyed { key: Expression, value: Expression },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Without the `self` of a method.
    pub parameters: Vec<Name>,
    /// The `...` at the end of the parameters.
    pub variadic: Option<Span>,
    pub body: Block,
    /// From `function` to `end`.
    pub span: Span,
}

macro_rules! operators {
    ($(#[doc = $about:literal])* $name:ident { $($operator:ident $text:literal),+ $(,)? }) => {
        $(#[doc = $about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($operator),+ }

        impl $name {
            /// As it is written.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $($name::$operator => $text),+ }
            }
        }
    };
}

operators! {
    /// An operator before its operand.
    UnaryOperator { Negate "-", Not "not", Length "#", BitNot "~" }
}

operators! {
    /// An operator between its operands.
    BinaryOperator {
        Or "or", And "and",
        Less "<", Greater ">", LessEqual "<=", GreaterEqual ">=", NotEqual "~=", Equal "==",
        BitOr "|", BitXor "~", BitAnd "&", ShiftLeft "<<", ShiftRight ">>",
        Concat "..", Add "+", Subtract "-", Multiply "*", Divide "/", FloorDivide "//", Modulo "%", Power "^",
    }
}

impl BinaryOperator {
    /// How tightly it binds: operators of one tier bind alike.
    #[must_use]
    pub const fn tier(self) -> u8 {
        match self {
            BinaryOperator::Or => 1,
            BinaryOperator::And => 2,
            BinaryOperator::Less
            | BinaryOperator::Greater
            | BinaryOperator::LessEqual
            | BinaryOperator::GreaterEqual
            | BinaryOperator::NotEqual
            | BinaryOperator::Equal => 3,
            BinaryOperator::BitOr => 4,
            BinaryOperator::BitXor => 5,
            BinaryOperator::BitAnd => 6,
            BinaryOperator::ShiftLeft | BinaryOperator::ShiftRight => 7,
            BinaryOperator::Concat => 8,
            BinaryOperator::Add | BinaryOperator::Subtract => 9,
            BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::FloorDivide
            | BinaryOperator::Modulo => 10,
            BinaryOperator::Power => 11,
        }
    }
}

impl Item {
    /// Its expressions, in the order of the source.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let (key, value) = match self {
            Item::Positional(value) | Item::Named { value, .. } => (None, value),
            Item::Keyed { key, value } => (Some(key), value),
        };
        key.into_iter().chain([value])
    }
}

impl Call {
    /// How far it goes on below.
    #[must_use]
    pub fn depth(&self) -> u16 {
        deepest(self.arguments.iter().chain([&*self.function]))
    }
}

/// The greatest depth of some expressions.
pub(super) fn deepest<'e>(expressions: impl IntoIterator<Item = &'e Expression>) -> u16 {
    expressions.into_iter().map(|expression| expression.depth).max().unwrap_or(0)
}

impl ExpressionKind {
    /// How far it goes on below, itself not counted.
    #[must_use]
    pub fn depth(&self) -> u16 {
        match self {
            ExpressionKind::Nil
            | ExpressionKind::True
            | ExpressionKind::False
            | ExpressionKind::Numeral(_)
            | ExpressionKind::String(_)
            | ExpressionKind::Variadic
            | ExpressionKind::Name(_) => 0,
            ExpressionKind::Function(function) => function.body.depth,
            ExpressionKind::Field { table: inner, .. }
            | ExpressionKind::Parenthesized(inner)
            | ExpressionKind::Unary { operand: inner, .. } => inner.depth,
            ExpressionKind::Index { table: left, key: right } | ExpressionKind::Binary { left, right, .. } => {
                left.depth.max(right.depth)
            }
            ExpressionKind::Call(call) => call.depth(),
            ExpressionKind::Table(items) => deepest(items.iter().flat_map(Item::expressions)),
        }
    }
}

impl Statement {
    /// How far it goes on below, itself not counted.
    #[must_use]
    pub fn depth(&self) -> u16 {
        match &self.kind {
            StatementKind::Assign { targets, values } => deepest(targets.iter().chain(values)),
            StatementKind::Call(call) => call.depth(),
            StatementKind::Do(body) => body.depth,
            StatementKind::While { condition, body } | StatementKind::Repeat { body, condition } => {
                condition.depth.max(body.depth)
            }
            StatementKind::If { arms, otherwise } => {
                let arms = arms.iter().map(|arm| arm.condition.depth.max(arm.body.depth)).max().unwrap_or(0);
                arms.max(otherwise.as_ref().map_or(0, |block| block.depth))
            }
            StatementKind::NumericFor { start, limit, step, body, .. } => {
                body.depth.max(deepest([&**start, limit].into_iter().chain(step.as_deref())))
            }
            StatementKind::GenericFor { values, body, .. } => body.depth.max(deepest(values)),
            StatementKind::Function { function, .. } | StatementKind::LocalFunction { function, .. } => {
                function.body.depth
            }
            StatementKind::Local { values, .. } | StatementKind::Return(values) => deepest(values),
            StatementKind::Break | StatementKind::Goto(_) | StatementKind::Label(_) => 0,
        }
    }
}
