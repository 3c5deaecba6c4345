//! From the text of a condition to its tree, through the parser that lalrpop makes of the grammar.

use super::grammar;
use super::token::{Fault, Token, TokenKind};
use super::tree::*;
use crate::diagnostic::{Diagnostic, Report};
use crate::{Code, Span};
use kerai_vm::limit::{self, Limit};
use kerai_vm::number::{Number, NumberFault, parse_decimal};
use lalrpop_util::ParseError;
use logos::Logos;

/// The parser has said what is wrong and can't go on.
#[derive(Debug)]
pub struct Stop;

pub type Failure = ParseError<u32, TokenKind, Stop>;

/// A text with conditions, and where it stands in its source.
#[derive(Debug, Clone, Copy)]
pub struct Written<'s> {
    pub text: &'s str,
    /// What is given for each part of the text.
    pub place: Place,
}

/// How places in a condition become places in its source.
#[derive(Debug, Clone, Copy)]
pub enum Place {
    /// The text stands in the source as it is, from there on.
    From(u32),
    /// The text is written in other ways there, so that all of it is the place of each part.
    Within(Span),
}

impl Place {
    pub fn of(self, start: u32, end: u32) -> Span {
        match self {
            Place::From(from) => Span::new(from.saturating_add(start), from.saturating_add(end)),
            Place::Within(span) => span,
        }
    }
}

/// Reads a condition; what is wrong is reported, and then there is none.
pub fn condition(written: Written<'_>, report: &mut Report) -> Option<Expression> {
    let mut build = Builder { written, report };
    let tokens = build.tokens()?;
    let input = tokens.iter().map(|token| Ok((token.span.start, token.kind, token.span.end)));
    let parsed = grammar::ConditionParser::new().parse(&mut build, input);
    build.whole(parsed)
}

/// Reads the name of an attribute and the way from there.
pub fn reference(written: Written<'_>, report: &mut Report) -> Option<Reference> {
    let mut build = Builder { written, report };
    let tokens = build.tokens()?;
    let input = tokens.iter().map(|token| Ok((token.span.start, token.kind, token.span.end)));
    let parsed = grammar::ReferenceParser::new().parse(&mut build, input);
    build.whole(parsed)
}

/// Makes the nodes, for the grammar. Places of tokens are those in the condition; those of nodes in the source.
pub struct Builder<'s> {
    written: Written<'s>,
    report: &'s mut Report,
}

impl Builder<'_> {
    fn tokens(&mut self) -> Option<Vec<Token>> {
        let mut tokens = Vec::new();
        for (result, range) in TokenKind::lexer(self.written.text).spanned() {
            let at = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
            let span = Span::new(at(range.start), at(range.end));
            match result {
                Ok(kind) => tokens.push(Token { kind, span }),
                Err(fault) => {
                    self.fault(fault, span);
                    return None;
                }
            }
        }
        Some(tokens)
    }

    fn fault(&mut self, fault: Fault, span: Span) {
        let text = span.text(self.written.text);
        let found = match fault {
            Fault::Character => {
                let found = Diagnostic::new(fault.code(), self.place(span), format!("`{text}` has no meaning here"));
                match text {
                    "=" => found.with_help("write `==` for equal"),
                    "!" => found.with_help("write `not` before a condition, and `!=` for not equal"),
                    "&" => found.with_help("write `and`"),
                    "|" => found.with_help("write `or`"),
                    _ => found,
                }
            }
            Fault::StringOpen => Diagnostic::new(fault.code(), self.place(span), "the quote is never closed"),
        };
        self.report.push(found);
    }

    fn place(&self, span: Span) -> Span {
        self.written.place.of(span.start, span.end)
    }

    /// What was parsed, or what to say of why it was not.
    fn whole<T>(&mut self, parsed: Result<T, Failure>) -> Option<T> {
        let failure = match parsed {
            Ok(tree) => return Some(tree),
            Err(failure) => failure,
        };
        let end = u32::try_from(self.written.text.len()).unwrap_or(u32::MAX);
        let (span, message) = match failure {
            ParseError::UnrecognizedToken { token: (start, _, end), .. }
            | ParseError::ExtraToken { token: (start, _, end) } => {
                let span = Span::new(start, end);
                (span, format!("`{}` is not expected here", span.text(self.written.text)))
            }
            ParseError::InvalidToken { .. } | ParseError::UnrecognizedEof { .. } => {
                let text = if end == 0 { "the condition is empty" } else { "the condition ends too early" };
                (Span::new(end, end), text.to_owned())
            }
            ParseError::User { error: Stop } => return None,
        };
        self.report.push(Diagnostic::new(Code::POLICY_SYNTAX, self.place(span), message));
        None
    }

    fn stop<T>(&mut self, diagnostic: Diagnostic) -> Result<T, Failure> {
        self.report.push(diagnostic);
        Err(ParseError::User { error: Stop })
    }

    pub fn expression(&mut self, start: u32, kind: ExpressionKind, end: u32) -> Result<Expression, Failure> {
        let span = self.place(Span::new(start, end));
        self.node(span, kind)
    }

    /// A node at a place in the source.
    fn node(&mut self, span: Span, kind: ExpressionKind) -> Result<Expression, Failure> {
        const MOST: Limit = limit::SOURCE_DEPTH;
        let depth = kind.depth().saturating_add(1);
        if u64::from(depth) > MOST.value {
            let message = format!("nested more than {} deep (limit `{}`)", MOST.value, MOST.name);
            return self.stop(Diagnostic::new(Code::SOURCE_DEPTH, span, message));
        }
        Ok(Expression { kind, span, depth })
    }

    pub fn and(&mut self, left: Expression, right: Expression) -> Result<Expression, Failure> {
        self.node(left.span.to(right.span), ExpressionKind::And(Box::new(left), Box::new(right)))
    }

    pub fn or(&mut self, left: Expression, right: Expression) -> Result<Expression, Failure> {
        self.node(left.span.to(right.span), ExpressionKind::Or(Box::new(left), Box::new(right)))
    }

    pub fn not(&mut self, start: u32, operand: Expression) -> Result<Expression, Failure> {
        let span = self.place(Span::new(start, start)).to(operand.span);
        self.node(span, ExpressionKind::Not(Box::new(operand)))
    }

    pub fn binary(&mut self, operator: Operator, left: Expression, right: Expression) -> Result<Expression, Failure> {
        self.node(left.span.to(right.span), ExpressionKind::Binary(operator, Box::new(left), Box::new(right)))
    }

    /// `-x` is `0 - x`, and of a numeral the number.
    pub fn negate(&mut self, start: u32, operand: Expression) -> Result<Expression, Failure> {
        let span = self.place(Span::new(start, start)).to(operand.span);
        if let ExpressionKind::Number(number) = operand.kind {
            return self.node(span, ExpressionKind::Number(number.negate()));
        }
        let zero = self.node(span, ExpressionKind::Number(Number::from_i64(0)))?;
        self.node(span, ExpressionKind::Binary(Operator::Subtract, Box::new(zero), Box::new(operand)))
    }

    /// `has_cap x` is `caps includes x`.
    pub fn has_cap(&mut self, start: u32, cap: Expression) -> Result<Expression, Failure> {
        let caps = self.attribute(start, "caps")?;
        self.binary(Operator::Includes, caps, cap)
    }

    /// `before_epoch n` is `epoch < n`.
    pub fn before_epoch(&mut self, start: u32, epoch: Expression) -> Result<Expression, Failure> {
        let attribute = self.attribute(start, "epoch")?;
        self.binary(Operator::Less, attribute, epoch)
    }

    fn attribute(&mut self, start: u32, name: &str) -> Result<Expression, Failure> {
        let span = self.place(Span::new(start, start));
        let root = Name { text: name.into(), span };
        self.node(span, ExpressionKind::Reference(Reference { root, steps: Vec::new() }))
    }

    pub fn call(&mut self, start: u32, name: Name, argument: Expression, end: u32) -> Result<Expression, Failure> {
        match Function::ALL.iter().find(|function| function.text() == &*name.text) {
            Some(&function) => self.expression(start, ExpressionKind::Call(function, Box::new(argument)), end),
            None => {
                let names: Vec<&str> = Function::ALL.iter().map(|function| function.text()).collect();
                let help = format!("there are `{}`", names.join("`, `"));
                let message = format!("there is no function `{}`", name.text);
                self.stop(Diagnostic::new(Code::POLICY_FUNCTION, name.span, message).with_help(help))
            }
        }
    }

    pub fn name(&self, start: u32, end: u32) -> Name {
        let span = Span::new(start, end);
        Name { text: span.text(self.written.text).into(), span: self.place(span) }
    }

    pub fn number(&mut self, start: u32, end: u32) -> Result<Expression, Failure> {
        let span = Span::new(start, end);
        let text = span.text(self.written.text);
        match parse_decimal(text.as_bytes()) {
            Ok(number) => self.expression(start, ExpressionKind::Number(number), end),
            Err(fault) => {
                let what = match fault {
                    NumberFault::Places => "has more than 18 decimal places",
                    NumberFault::Range => "is out of range",
                    NumberFault::Syntax
                    | NumberFault::MinusZero
                    | NumberFault::TextTooLong
                    | NumberFault::NotInteger
                    | NumberFault::NotFinite
                    | NumberFault::DivisionByZero => "is no number",
                };
                let message = format!("`{text}` {what}");
                self.stop(Diagnostic::new(Code::POLICY_NUMERAL, self.place(span), message))
            }
        }
    }

    pub fn string(&mut self, start: u32, end: u32) -> Result<Expression, Failure> {
        let span = Span::new(start, end);
        let literal = span.text(self.written.text);
        let inner = literal.get(1..literal.len().saturating_sub(1)).unwrap_or_default();
        match unescape(inner) {
            Ok(text) => self.expression(start, ExpressionKind::String(text.into()), end),
            Err(escape) => {
                let message = format!("`{escape}` is no escape");
                self.stop(Diagnostic::new(Code::POLICY_ESCAPE, self.place(span), message))
            }
        }
    }
}

/// The text that stands between quotes, or the escape in it that is none.
pub(super) fn unescape(inner: &str) -> Result<String, String> {
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner.chars();
    while let Some(point) = rest.next() {
        if point != '\\' {
            text.push(point);
            continue;
        }
        match rest.next() {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some(same @ ('\\' | '\'' | '"')) => text.push(same),
            Some('u') => text.push(code_point(&mut rest)?),
            Some(other) => return Err(format!("\\{other}")),
            None => return Err("\\".to_owned()),
        }
    }
    Ok(text)
}

/// `{…}` with the digits of a code point between.
fn code_point(rest: &mut std::str::Chars<'_>) -> Result<char, String> {
    let text = rest.as_str();
    let wrong = || "\\u".to_owned();
    let digits = text.strip_prefix('{').and_then(|text| text.split_once('}')).map(|(digits, _)| digits);
    let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit())).ok_or_else(wrong)?;
    let point = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32).ok_or_else(wrong)?;
    *rest = text.get(digits.len() + 2..).unwrap_or_default().chars();
    Ok(point)
}
