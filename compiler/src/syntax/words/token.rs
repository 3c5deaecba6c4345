//! Tokens: words between blanks, brackets, texts, comments; and what a word is made of in infix notation.

use crate::diagnostic::Report;
use crate::{Code, Diagnostic, Span};
use kerai_vm::limit;
use logos::{Lexer, Logos};

/// A token with its place. What it says is the text there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    pub kind: TokenKind,
    pub span: Span,
}

/// Why a text is no token: the only thing that can be wrong is a quote that is never closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Open;

#[derive(Logos, Debug, Clone, Copy, PartialEq, Eq)]
#[logos(skip r"[ \t\r\f\x0B]+")]
#[logos(error = Open)]
pub enum TokenKind {
    #[token("[")]
    Open,
    #[token("]")]
    Close,
    #[token("(")]
    OpenGroup,
    #[token(")")]
    CloseGroup,
    #[token(",")]
    Comma,
    #[token(";")]
    Semicolon,
    #[token("\n")]
    Newline,
    #[regex("#[^\n]*", allow_greedy = true)]
    Comment,
    #[token("\"", |lexer| text(lexer, b'"'))]
    #[token("'", |lexer| text(lexer, b'\''))]
    Text,
    #[regex(r#"[^ \t\r\f\x0B\n\[\](),;#"'][^ \t\r\f\x0B\n\[\](),;"']*"#)]
    Word,
}

/// Up to the closing quote, on the same line.
fn text(lexer: &mut Lexer<'_, TokenKind>, quote: u8) -> Result<(), Open> {
    let rest = lexer.remainder().as_bytes();
    let mut is_escaped = false;
    for (at, &byte) in rest.iter().enumerate() {
        match byte {
            b'\n' => {
                lexer.bump(at);
                return Err(Open);
            }
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            _ if byte == quote => {
                lexer.bump(at + 1);
                return Ok(());
            }
            _ => {}
        }
    }
    lexer.bump(rest.len());
    Err(Open)
}

/// The tokens of a source, comments among them.
pub fn lex(source: &str, report: &mut Report) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (kind, range) in TokenKind::lexer(source).spanned() {
        let span = Span::new(offset(range.start), offset(range.end));
        if tokens.len() as u64 >= limit::SOURCE_TOKENS.value {
            let (most, name) = (limit::SOURCE_TOKENS.value, limit::SOURCE_TOKENS.name);
            let message = format!("the source has more than {most} words and signs (limit `{name}`)");
            report.push(Diagnostic::new(Code::SOURCE_TOKENS, span, message));
            break;
        }
        match kind {
            Ok(kind) => tokens.push(Token { kind, span }),
            Err(Open) => report.push(Diagnostic::plain(Code::WORDS_TEXT_OPEN, span)),
        }
    }
    tokens
}

/// A source has at most 2^24 bytes.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// What stands in a word of infix notation: names, numbers and signs need no blanks between them.
#[derive(Logos, Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")]
    #[regex(r"0[xX][0-9A-Fa-f]+|[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?[A-Za-z_]*")]
    #[regex(r"//|==|!=|~=|<=|>=|=>|\.\.|[-+*/%^=<>]")]
    Part,
}

/// Takes a word of infix notation apart. What is no part of anything stays as it is, to be found unknown.
pub fn parts(source: &str, word: Span) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    let mut is_unknown = false;
    for (part, range) in Part::lexer(word.text(source)).spanned() {
        let span = Span::new(word.start + offset(range.start), word.start + offset(range.end));
        match spans.last_mut() {
            Some(last) if is_unknown && part.is_err() => last.end = span.end,
            _ => spans.push(span),
        }
        is_unknown = part.is_err();
    }
    spans
}
