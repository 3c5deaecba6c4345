//! From tokens to a tree, through the parser that lalrpop makes of the grammar.

use super::lexer::{Lexed, lex, shortened};
use super::pairing::pair;
use super::pragma::pragmas;
use super::recovery::Recovery;
use super::token::{Token, TokenKind};
use super::tree::*;
use super::{grammar, literal};
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Report};
use crate::span::Span;
use kerai_vm::limit;
use lalrpop_util::ParseError;

/// What a source was read as: its tree, the comments that are no part of it, and all mistakes that were found.
#[derive(Debug)]
pub struct Parsed {
    /// Whole only where there are no diagnostics: what could not be read is left out.
    pub chunk: Chunk,
    pub(super) lexed: Lexed,
    pub diagnostics: Vec<Diagnostic>,
}

/// The parser has said what is wrong and can't go on.
#[derive(Debug)]
pub struct Stop;

pub type Failure = ParseError<u32, TokenKind, Stop>;

/// Reads a source.
#[must_use]
pub fn parse(text: &str) -> Parsed {
    let mut lexed = lex(text);
    let mut builder = Builder { text, report: std::mem::take(&mut lexed.report) };
    let pragmas = pragmas(text, &lexed.comments, &mut builder.report);
    let body = match pair(&mut lexed.tokens) {
        Ok(()) => builder.body(&lexed.tokens),
        Err(span) => {
            builder.report.push(too_deep(span));
            empty_block()
        }
    };
    Parsed { chunk: Chunk { pragmas, body }, lexed, diagnostics: builder.report.into_diagnostics() }
}

fn empty_block() -> Block {
    Block { statements: Vec::new(), span: Span::default(), depth: 0 }
}

fn too_deep(span: Span) -> Diagnostic {
    let limit::Limit { name, value, .. } = limit::SOURCE_DEPTH;
    Diagnostic::new(Code::SOURCE_DEPTH, span, format!("nested more than {value} deep (limit `{name}`)"))
}

/// Makes the nodes, for the grammar.
pub struct Builder<'s> {
    text: &'s str,
    report: Report,
}

impl Builder<'_> {
    /// Parses all tokens. After a mistake it goes on where a statement begins at a line's beginning.
    fn body(&mut self, tokens: &[Token]) -> Block {
        let mut recovery = Recovery::new(self.text, tokens);
        let mut body = empty_block();
        loop {
            let rest = recovery.rest();
            let input = rest.iter().map(|token| Ok((token.span.start, token.kind, token.span.end)));
            match grammar::BodyParser::new().parse(self, input) {
                Ok(block) => {
                    body.depth = body.depth.max(block.depth);
                    body.span = if body.statements.is_empty() { block.span } else { body.span.to(block.span) };
                    body.statements.extend(block.statements);
                    return body;
                }
                Err(failure) => {
                    recovery.explain(&failure).into_iter().for_each(|diagnostic| self.report.push(diagnostic));
                    if self.report.is_full() || matches!(failure, ParseError::User { .. }) || !recovery.go_on(&failure)
                    {
                        return body;
                    }
                }
            }
        }
    }

    fn written(&self, start: u32, end: u32) -> &str {
        Span::new(start, end).text(self.text)
    }

    /// A depth one more than what is below.
    fn deeper(&mut self, below: u16, span: Span) -> Result<u16, Failure> {
        let depth = below.saturating_add(1);
        if u64::from(depth) <= limit::SOURCE_DEPTH.value {
            return Ok(depth);
        }
        self.report.push(too_deep(span));
        Err(ParseError::User { error: Stop })
    }

    pub fn block(
        &mut self,
        start: u32,
        mut statements: Vec<Statement>,
        last: Option<Box<Statement>>,
        end: u32,
    ) -> Result<Block, Failure> {
        statements.extend(last.map(|last| *last));
        // An empty block begins at the next token and ends at the one before.
        let span = Span::new(start.min(end), end);
        let below = statements.iter().map(Statement::depth).max().unwrap_or(0);
        let depth = self.deeper(below, span)?;
        Ok(Block { statements, span, depth })
    }

    pub fn statement(&self, start: u32, kind: StatementKind, end: u32) -> Box<Statement> {
        Box::new(Statement { kind, span: Span::new(start, end) })
    }

    pub fn expression(&mut self, start: u32, kind: ExpressionKind, end: u32) -> Result<Expression, Failure> {
        let span = Span::new(start, end);
        let depth = self.deeper(kind.depth(), span)?;
        Ok(Expression { kind, span, depth })
    }

    pub fn unary(&mut self, start: u32, operator: UnaryOperator, operand: Expression) -> Result<Expression, Failure> {
        let end = operand.span.end;
        self.expression(start, ExpressionKind::Unary { operator, operand: Box::new(operand) }, end)
    }

    pub fn binary(
        &mut self,
        operator: BinaryOperator,
        left: Expression,
        right: Expression,
    ) -> Result<Expression, Failure> {
        let (start, end) = (left.span.start, right.span.end);
        let kind = ExpressionKind::Binary { operator, left: Box::new(left), right: Box::new(right) };
        self.expression(start, kind, end)
    }

    pub fn call(
        &self,
        start: u32,
        function: Expression,
        method: Option<Name>,
        arguments: Vec<Expression>,
        end: u32,
    ) -> Box<Call> {
        Box::new(Call { function: Box::new(function), method, arguments, span: Span::new(start, end) })
    }

    pub fn function(
        &self,
        start: u32,
        (parameters, variadic, body): (Vec<Name>, Option<Span>, Block),
        end: u32,
    ) -> Box<Function> {
        Box::new(Function { parameters, variadic, body, span: Span::new(start, end) })
    }

    pub fn name(&self, start: u32, end: u32) -> Name {
        Name { text: self.written(start, end).into(), span: Span::new(start, end) }
    }

    pub fn attribute(&mut self, start: u32, name: &Name, end: u32) -> Option<Attribute> {
        let kind = match &*name.text {
            "const" => AttributeKind::Const,
            "close" => AttributeKind::Close,
            other => {
                let message = format!("`{}` is no attribute", shortened(other));
                self.report.push(Diagnostic::new(Code::LUA_ATTRIBUTE, name.span, message));
                return None;
            }
        };
        Some(Attribute { kind, span: Span::new(start, end) })
    }

    pub fn numeral(&self, start: u32, end: u32) -> ExpressionKind {
        let text = self.written(start, end);
        // A numeral that is none was reported, and its kind is never asked for.
        let kind = literal::numeral_kind(text).unwrap_or(NumeralKind::Integer);
        ExpressionKind::Numeral(Numeral { text: text.into(), kind })
    }

    pub fn string(&mut self, start: u32, end: u32) -> Result<Expression, Failure> {
        let (bytes, faults) = literal::string_bytes(self.written(start, end));
        for fault in faults {
            let at = |place: usize| start.saturating_add(u32::try_from(place).unwrap_or(u32::MAX));
            let span = Span::new(at(fault.start), at(fault.end));
            let message = format!("`{}` is no escape", shortened(self.written(span.start, span.end)));
            self.report.push(Diagnostic::new(Code::LUA_ESCAPE, span, message));
        }
        self.expression(start, ExpressionKind::String(bytes.into()), end)
    }
}
