//! From text to tokens and comments.

use super::token::{Fault, Token, TokenKind};
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Report};
use crate::span::Span;
use kerai_vm::limit;
use logos::Logos;

/// All that stands in a text, in its order.
#[derive(Debug, Default)]
pub struct Lexed {
    pub tokens: Vec<Token>,
    pub comments: Vec<Comment>,
    pub report: Report,
}

/// A comment, or the first line where it begins with `#`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comment {
    pub span: Span,
    /// How many tokens stand before it.
    pub tokens_before: usize,
}

/// The mark that editors of another system put before a text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Takes a text apart. Of wrong literals a token stays, so that what follows can be read.
pub fn lex(text: &str) -> Lexed {
    let mut lexed = Lexed::default();
    let mut done = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
    if text.get(done..).is_some_and(|rest| rest.starts_with('#')) {
        let rest = text.get(done..).unwrap_or_default();
        let end = done + rest.find(['\n', '\r']).unwrap_or(rest.len());
        lexed.comments.push(Comment { span: span(done, end), tokens_before: 0 });
        done = end;
    }
    let rest = text.get(done..).unwrap_or_default();
    for (result, range) in TokenKind::lexer(rest).spanned() {
        let place = span(done + range.start, done + range.end);
        let tokens_before = lexed.tokens.len();
        if u64::try_from(tokens_before).is_ok_and(|count| count >= limit::SOURCE_TOKENS.value) {
            lexed.report.push(too_many(place));
            break;
        }
        if lexed.report.is_full() {
            break;
        }
        match result {
            Ok(TokenKind::Comment) => lexed.comments.push(Comment { span: place, tokens_before }),
            Ok(kind) => lexed.tokens.push(Token { kind, span: place }),
            Err(fault) => lexed.fault(fault, place, text),
        }
    }
    lexed
}

/// The size of a source is bounded far below what 32 bits count.
fn span(start: usize, end: usize) -> Span {
    Span::new(u32::try_from(start).unwrap_or(u32::MAX), u32::try_from(end).unwrap_or(u32::MAX))
}

fn too_many(place: Span) -> Diagnostic {
    let limit::Limit { name, value, .. } = limit::SOURCE_TOKENS;
    Diagnostic::new(
        Code::SOURCE_TOKENS,
        place,
        format!("the source has more than {value} words and signs (limit `{name}`)"),
    )
}

impl Lexed {
    fn fault(&mut self, fault: Fault, place: Span, text: &str) {
        match fault {
            Fault::StringOpen => self.tokens.push(Token { kind: TokenKind::String, span: place }),
            Fault::Numeral => self.tokens.push(Token { kind: TokenKind::Numeral, span: place }),
            Fault::Character | Fault::CommentOpen => {}
        }
        // Characters side by side are one mistake.
        if let Some(last) = self.report.last_mut()
            && fault == Fault::Character
            && last.code == Code::LUA_CHARACTER
            && last.span.end == place.start
        {
            last.span.end = place.end;
            return;
        }
        let written = place.text(text);
        let diagnostic = match fault {
            Fault::Numeral => Diagnostic::new(fault.code(), place, format!("`{}` is not a number", shortened(written))),
            Fault::Character if written.starts_with('!') => Diagnostic::plain(fault.code(), place)
                .with_help("write `~=` for not equal, and `not` before a condition"),
            Fault::Character | Fault::StringOpen | Fault::CommentOpen => Diagnostic::plain(fault.code(), place),
        };
        self.report.push(diagnostic);
    }
}

/// The most characters of an author's text that a message repeats.
const SHOWN: usize = 40;

/// A text as a message shows it.
pub fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
