//! What to say where the parser can't go on, and where it can again.

use super::lexer::shortened;
use super::pairing::{Opener, is_closer, unclosed};
use super::parse::Failure;
use super::token::{Token, TokenKind};
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::source::Position;
use crate::span::Span;
use lalrpop_util::ParseError;

/// The tokens, and how far they were given up.
pub struct Recovery<'t> {
    text: &'t str,
    tokens: &'t [Token],
    /// Where the run of the parser that failed began.
    from: usize,
    has_failed: bool,
}

/// What can follow an operand within an expression, which is never what was forgotten.
const CONTINUATIONS: &[&str] = &[
    "and", "or", "+", "-", "*", "/", "//", "%", "^", "&", "~", "|", "<<", ">>", "==", "~=", "<=", ">=", "<", ">", "..",
    "call", "string", "{", "[", ".", ":",
];

/// The most tokens that a message names as expected.
const NAMED: usize = 3;

impl<'t> Recovery<'t> {
    pub const fn new(text: &'t str, tokens: &'t [Token]) -> Recovery<'t> {
        Recovery { text, tokens, from: 0, has_failed: false }
    }

    /// The tokens that are still to be parsed.
    pub fn rest(&self) -> &'t [Token] {
        self.tokens.get(self.from..).unwrap_or_default()
    }

    /// The place of the token at which the parser failed; behind the last one at the end.
    fn place(&self, failure: &Failure) -> usize {
        match failure {
            ParseError::UnrecognizedToken { token: (start, ..), .. }
            | ParseError::ExtraToken { token: (start, ..) } => {
                self.tokens.partition_point(|token| token.span.start < *start)
            }
            ParseError::InvalidToken { .. } | ParseError::UnrecognizedEof { .. } | ParseError::User { .. } => {
                self.tokens.len()
            }
        }
    }

    /// Goes on to the next statement that begins a line without indentation; false where there is none.
    pub fn go_on(&mut self, failure: &Failure) -> bool {
        self.has_failed = true;
        let place = self.place(failure).max(self.from + 1);
        let rest = self.tokens.get(place..).unwrap_or_default();
        let Some(ahead) = rest.iter().position(|token| self.begins_statement(*token)) else { return false };
        self.from = place + ahead;
        true
    }

    fn begins_statement(&self, token: Token) -> bool {
        let before = self.text.get(..token.span.start as usize).unwrap_or_default();
        let is_first = before.is_empty() || before.ends_with(['\n', '\r']);
        is_first
            && matches!(
                token.kind,
                TokenKind::Name
                    | TokenKind::Local
                    | TokenKind::Function
                    | TokenKind::If
                    | TokenKind::For
                    | TokenKind::While
                    | TokenKind::Repeat
                    | TokenKind::Do
                    | TokenKind::Return
            )
    }

    /// What to say of a failure; nothing where it only follows from one before.
    pub fn explain(&self, failure: &Failure) -> Option<Diagnostic> {
        let expected = match failure {
            ParseError::UnrecognizedToken { expected, .. } | ParseError::UnrecognizedEof { expected, .. } => expected,
            ParseError::InvalidToken { .. } | ParseError::ExtraToken { .. } | ParseError::User { .. } => return None,
        };
        let place = self.place(failure);
        let token = self.tokens.get(place).copied();
        let before = self.tokens.get(self.from..place).unwrap_or_default();
        let opener = unclosed(self.text, before);
        if let Some(token) = token
            && opener.is_none()
            && self.has_failed
            && matches!(token.kind, TokenKind::End | TokenKind::Until)
        {
            return None;
        }
        let expected: Vec<&str> = expected.iter().map(|text| text.trim_matches('"')).collect();
        Some(self.unclosed(opener, token).unwrap_or_else(|| self.unexpected(&expected, opener, token)))
    }

    /// What was found, and where.
    fn found(&self, token: Option<Token>) -> (String, Span) {
        match token {
            Some(token) => (format!("`{}`", shortened(token.span.text(self.text))), token.span),
            None => {
                let end = self.tokens.last().map_or(0, |token| token.span.end);
                ("the end of the source".to_owned(), Span::new(end, end))
            }
        }
    }

    /// Something that is open, where the source or what is around it ends.
    fn unclosed(&self, opener: Option<Opener>, token: Option<Token>) -> Option<Diagnostic> {
        let opener = opener?;
        if token.is_some_and(|token| !is_closer(token.kind) || token.kind == opener.closer()) {
            return None;
        }
        let (found, span) = self.found(token);
        let (written, closer) = (opener.token.kind.text(), opener.closer().text());
        let line = Position::of(self.text.as_bytes(), span.start).line;
        let message = format!("this `{written}` has no `{closer}` before {found} on line {line}");
        Some(
            Diagnostic::new(Code::LUA_BLOCK_OPEN, opener.token.span, message)
                .with_help(format!("add `{closer}` where it is to end"))
                .with_note(span, "it is still open here"),
        )
    }

    /// What to write for something that other languages have.
    fn habit(&self, token: Option<Token>) -> Option<&'static str> {
        let place = self.tokens.partition_point(|other| other.span.start < token.map_or(0, |token| token.span.start));
        let around = self.tokens.get(place.checked_sub(1)?..)?;
        around.windows(2).take(2).find_map(|pair| {
            let [first, second] = pair else { return None };
            let is_beside = first.span.end == second.span.start;
            match (first.kind, second.kind) {
                (TokenKind::Plus, TokenKind::Assign) if is_beside => Some("write `a = a + b`: there is no `+=`"),
                (TokenKind::Minus, TokenKind::Assign) if is_beside => Some("write `a = a - b`: there is no `-=`"),
                (TokenKind::Concat, TokenKind::Assign) if is_beside => Some("write `a = a .. b`: there is no `..=`"),
                (TokenKind::Plus, TokenKind::Plus) if is_beside => Some("write `a = a + 1`: there is no `++`"),
                (TokenKind::Ampersand, TokenKind::Ampersand) if is_beside => Some("write `and`"),
                (TokenKind::Bar, TokenKind::Bar) if is_beside => Some("write `or`"),
                (TokenKind::Else, TokenKind::If) => Some("write `elseif`"),
                _ => None,
            }
        })
    }

    fn unexpected(&self, expected: &[&str], opener: Option<Opener>, token: Option<Token>) -> Diagnostic {
        let (found, span) = self.found(token);
        let wanted = wanted(expected);
        let is_comparison =
            wanted.as_deref() == Some("`then`") && token.is_some_and(|token| token.kind == TokenKind::Assign);
        let message = match (wanted, token) {
            (_, Some(token)) if opener.is_none() && is_closer(token.kind) => format!("{found} closes nothing"),
            (Some(wanted), _) => format!("expected {wanted}, found {found}"),
            (None, _) => format!("unexpected {found}"),
        };
        let diagnostic = Diagnostic::new(Code::LUA_SYNTAX, span, message);
        let diagnostic = match self.habit(token) {
            Some(help) => diagnostic.with_help(help),
            None if is_comparison => diagnostic.with_help("write `==` to compare"),
            None => diagnostic,
        };
        match opener {
            Some(opener) if expected.contains(&opener.closer().text()) => {
                diagnostic.with_note(opener.token.span, format!("this `{}` is open", opener.token.kind.text()))
            }
            Some(_) | None => diagnostic,
        }
    }
}

/// What was expected, in words.
fn wanted(expected: &[&str]) -> Option<String> {
    let has = |text: &str| expected.contains(&text);
    if has("then") {
        return Some("`then`".to_owned());
    }
    if has("local") {
        return Some("a statement".to_owned());
    }
    if has("nil") && has("name") {
        return Some(
            if has("}") {
                "a value or `}`"
            } else if has(")") {
                "a value or `)`"
            } else {
                "a value"
            }
            .to_owned(),
        );
    }
    if has("=") && has("call") {
        return Some("`=` or a call".to_owned());
    }
    let rest: Vec<String> =
        expected.iter().filter(|text| !(has("and") && CONTINUATIONS.contains(text))).map(|text| shown(text)).collect();
    match rest.split_last() {
        Some((last, [])) => Some(last.clone()),
        Some((last, others)) if others.len() < NAMED => Some(format!("{} or {last}", others.join(", "))),
        _ => None,
    }
}

fn shown(expected: &str) -> String {
    match expected {
        "name" => "a name".to_owned(),
        "number" => "a number".to_owned(),
        "string" => "a string".to_owned(),
        "call" => "`(`".to_owned(),
        sign => format!("`{sign}`"),
    }
}
