//! The tree of policies: rules, their conditions, and what conditions are made of.

use super::schema::Schema;
use super::show;
use crate::Span;
use core::ops::Deref;
use kerai_vm::number::Number;
use std::sync::Arc;

/// What a file of rules is: it decides, or it prices.
#[derive(Debug, Clone, PartialEq)]
pub enum Rules {
    Policy(Policy),
    Pricing(Pricing),
}

/// A whole policy: what is asked of its inputs, and its rules in the order of their ids.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    pub schema: Schema,
    pub rules: Vec<Rule>,
}

/// A rule. With `allow_if` it can allow, with `deny_if` it can deny, with both it does either under one `when`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    pub id: Arc<str>,
    pub reason: Arc<str>,
    /// All of them say where the rule applies.
    pub when: Vec<Condition>,
    /// All of them must hold; where there are none the rule never allows.
    pub allow_if: Vec<Condition>,
    /// Any of them suffices.
    pub deny_if: Vec<Condition>,
    pub audit: bool,
    pub span: Span,
}

/// A condition as its author wrote it. Those that are written alike say one thing, whose places are those of the first.
#[derive(Debug, Clone)]
pub struct Condition {
    said: Arc<Said>,
    pub span: Span,
}

/// What a condition says.
#[derive(Debug, PartialEq)]
pub struct Said {
    /// Its one form of writing, by which equal conditions are known.
    pub text: String,
    pub expression: Expression,
}

// Where something stands is no part of what it is.
impl PartialEq for Condition {
    fn eq(&self, other: &Condition) -> bool {
        self.said == other.said
    }
}

impl Deref for Condition {
    type Target = Said;

    fn deref(&self) -> &Said {
        &self.said
    }
}

/// A whole price list: what is asked of its inputs, and its rules, the one for the smallest subtree first.
#[derive(Debug, Clone, PartialEq)]
pub struct Pricing {
    pub schema: Schema,
    pub rules: Vec<PriceRule>,
}

/// A rule that says what something costs. The first one whose scope and `when` hold is the one that does.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceRule {
    pub id: Arc<str>,
    pub reason: Arc<str>,
    /// The path of the subtree that it is for, as a condition on `path`; nothing where it is for everything.
    pub scope: Option<Condition>,
    /// How many segments the scope has: the more, the smaller the subtree.
    pub segments: usize,
    pub when: Vec<Condition>,
    /// What is added up, in this order.
    pub terms: Vec<Term>,
    pub rounding: Rounding,
    pub span: Span,
}

/// A part of a price.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    pub name: String,
    /// Where one of them is false the term is left out.
    pub only_if: Vec<Condition>,
    pub amount: Amount,
    pub span: Span,
}

/// How much a part of a price is. Its numbers are conditions' values, kept with their text.
#[derive(Debug, Clone, PartialEq)]
pub enum Amount {
    Base(Condition),
    /// So many of something at a price each.
    Units {
        of: Condition,
        each: Condition,
    },
    /// So many of something, whose price each changes from bound to bound; the last tier has none.
    Tiers {
        of: Condition,
        tiers: Vec<Tier>,
    },
    /// A part of what was added up before, in hundredths.
    Percent(Condition),
    Auction(Box<Auction>),
}

/// What each costs up to a bound.
#[derive(Debug, Clone, PartialEq)]
pub struct Tier {
    pub to: Option<Number>,
    pub each: Condition,
}

/// A price that falls: from `start` by `decrement` each `interval` that has passed whole since `begin`, down to `floor`.
#[derive(Debug, Clone, PartialEq)]
pub struct Auction {
    pub start: Condition,
    pub decrement: Condition,
    pub interval: Condition,
    pub floor: Condition,
    pub begin: Condition,
    pub now: Condition,
}

macro_rules! roundings {
    ($($rounding:ident $text:literal $about:literal;)+) => {
        /// How a sum becomes whole credits.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Rounding { $(#[doc = $about] $rounding),+ }

        impl Rounding {
            pub const ALL: &[Rounding] = &[$(Rounding::$rounding),+];

            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Rounding::$rounding => $text),+ }
            }

            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Rounding::$rounding => $about),+ }
            }
        }
    };
}

roundings! {
    Up "up" "to the next whole credit, so that nothing is given away; what holds where none is named";
    Down "down" "to the whole credit below";
    HalfEven "half-even" "to the nearest whole credit, of two the even one";
}

macro_rules! units {
    ($($text:literal $input:literal;)+) => {
        /// Units that have a price of their own: the key of the term, and the attribute that says how many there are.
        pub const UNITS: &[(&str, &str)] = &[$(($text, $input)),+];
    };
}

units! {
    "node" "nodes";
    "query" "queries";
    "op" "ops";
}

impl Condition {
    #[must_use]
    pub fn new(expression: Expression) -> Condition {
        /// What the one form may be longer than what was written, in most conditions.
        const MORE: usize = 32;
        let span = expression.span;
        let text = show::text_of(&expression, span.end.saturating_sub(span.start) as usize + MORE);
        Condition { said: Arc::new(Said { text, expression }), span }
    }

    /// The same condition where it is written again.
    #[must_use]
    pub fn again(&self, span: Span) -> Condition {
        Condition { said: Arc::clone(&self.said), span }
    }

    /// The number that it is, where it is written as one.
    #[must_use]
    pub fn number(&self) -> Option<Number> {
        if let ExpressionKind::Number(number) = self.expression.kind { Some(number) } else { None }
    }
}

/// An expression, where it stands, and how deep it nests.
#[derive(Debug, Clone)]
pub struct Expression {
    pub kind: ExpressionKind,
    pub span: Span,
    pub depth: u16,
}

// Where something stands is no part of what it is.
impl PartialEq for Expression {
    fn eq(&self, other: &Expression) -> bool {
        self.kind == other.kind
    }
}

#[derive(Debug, Clone, PartialEq)]
pub enum ExpressionKind {
    Bool(bool),
    Number(Number),
    String(Arc<str>),
    List(Vec<Expression>),
    Reference(Reference),
    /// Whether the reference is there: true or unknown.
    Has(Reference),
    Not(Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
    Call(Function, Box<Expression>),
}

/// An attribute of the input, or a constant's name, and the way from there.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    pub root: Name,
    pub steps: Vec<Step>,
}

/// A step from a map to what it holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Field(Name),
    Key(Box<Expression>),
}

#[derive(Debug, Clone)]
pub struct Name {
    pub text: Box<str>,
    pub span: Span,
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.text == other.text
    }
}

/// What an operator wants on a side, and what it gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wants {
    /// a number or a string, the same on both sides
    Ordered,
    /// a bool, a number or a string, the same on both sides
    Scalar,
    Number,
    String,
    /// a list, or a map, whose keys count
    Collection,
    /// a list, a map, or a string
    Whole,
}

macro_rules! operators {
    ($($operator:ident $text:literal $level:literal $left:ident $right:ident $about:literal;)+) => {
        /// What stands between two values. Whatever it can't answer is unknown.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Operator { $(#[doc = $about] $operator),+ }

        impl Operator {
            pub const ALL: &[Operator] = &[$(Operator::$operator),+];

            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Operator::$operator => $text),+ }
            }

            /// How closely it binds; those that answer true or false bind the least.
            #[must_use]
            pub const fn level(self) -> u8 {
                match self { $(Operator::$operator => $level),+ }
            }

            #[must_use]
            pub const fn wants(self) -> (Wants, Wants) {
                match self { $(Operator::$operator => (Wants::$left, Wants::$right)),+ }
            }

            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Operator::$operator => $about),+ }
            }
        }
    };
}

operators! {
    Equal "==" 0 Scalar Scalar "both are equal";
    NotEqual "!=" 0 Scalar Scalar "both are of one kind and differ";
    Less "<" 0 Ordered Ordered "the left is less; texts are compared byte by byte";
    AtMost "<=" 0 Ordered Ordered "the left is at most the right";
    Greater ">" 0 Ordered Ordered "the left is greater";
    AtLeast ">=" 0 Ordered Ordered "the left is at least the right";
    Includes "includes" 0 Collection Scalar "the list has the item, or the map the key";
    Contains "contains" 0 Whole Scalar "the list has the item, the map the key, or the text the part";
    In "in" 0 Scalar Collection "the item is in the list, or the key in the map";
    StartsWith "starts_with" 0 String String "the text begins with the other";
    EndsWith "ends_with" 0 String String "the text ends with the other";
    Matches "matches" 0 String String "the path is of the form: `*` is one segment, `**` any number of them";
    InCidr "in_cidr" 0 String String "the address, or all of the network, is in the network";
    Add "+" 1 Number Number "the sum";
    Subtract "-" 1 Number Number "the difference";
    Multiply "*" 2 Number Number "the product";
    Divide "/" 2 Number Number "the quotient, rounded once at 18 places";
    FloorDivide "//" 2 Number Number "the quotient, rounded down";
    Modulo "%" 2 Number Number "what the quotient that is rounded down leaves";
}

impl Operator {
    /// Whether it answers true or false.
    #[must_use]
    pub const fn is_predicate(self) -> bool {
        self.level() == 0
    }
}

macro_rules! functions {
    ($($function:ident $text:literal $wants:ident $about:literal;)+) => {
        /// What makes a value of one value.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Function { $(#[doc = $about] $function),+ }

        impl Function {
            pub const ALL: &[Function] = &[$(Function::$function),+];

            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Function::$function => $text),+ }
            }

            #[must_use]
            pub const fn wants(self) -> Wants {
                match self { $(Function::$function => Wants::$wants),+ }
            }

            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Function::$function => $about),+ }
            }
        }
    };
}

functions! {
    Size "size" Whole "how many items a list has, or bytes a text";
    Lower "lower" String "the text with the letters A to Z in lower case";
}

impl ExpressionKind {
    /// How deep what is below nests.
    #[must_use]
    pub fn depth(&self) -> u16 {
        let of = |reference: &Reference| {
            let depths = reference.steps.iter().map(|step| match step {
                Step::Field(_) => 0,
                Step::Key(key) => key.depth,
            });
            // A step is a level, because reading goes one map deeper.
            let steps = u16::try_from(reference.steps.len()).unwrap_or(u16::MAX);
            depths.max().unwrap_or(0).saturating_add(steps)
        };
        match self {
            ExpressionKind::Bool(_) | ExpressionKind::Number(_) | ExpressionKind::String(_) => 0,
            ExpressionKind::List(items) => items.iter().map(|item| item.depth).max().unwrap_or(0),
            ExpressionKind::Reference(reference) | ExpressionKind::Has(reference) => of(reference),
            ExpressionKind::Not(operand) | ExpressionKind::Call(_, operand) => operand.depth,
            ExpressionKind::And(left, right)
            | ExpressionKind::Or(left, right)
            | ExpressionKind::Binary(_, left, right) => left.depth.max(right.depth),
        }
    }
}
