//! The one form of writing: one blank between words, lines as they are, indented by what they stand in.

use super::parse::parse;
use super::token::{Token, TokenKind};
use crate::Diagnostic;

/// Blanks of one step of indentation.
const STEP: usize = 2;

/// The source in its one form, comments kept.
///
/// # Errors
/// What is written wrongly has no form.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let parsed = parse(text);
    if !parsed.diagnostics.is_empty() {
        return Err(parsed.diagnostics);
    }
    let mut printer = Printer { text, out: String::new(), depth: 0, is_definition: false };
    for line in parsed.tokens.split(|token| token.kind == TokenKind::Newline) {
        printer.line(line);
    }
    let out = printer.out;
    Ok(match out.strip_suffix("\n\n") {
        Some(rest) => format!("{rest}\n"),
        None => out,
    })
}

struct Printer<'t> {
    text: &'t str,
    out: String,
    /// How many brackets are open.
    depth: usize,
    /// Whether an indented line that follows belongs to a definition.
    is_definition: bool,
}

impl Printer<'_> {
    fn line(&mut self, tokens: &[Token]) {
        let Some(first) = tokens.first() else {
            self.is_definition &= self.depth > 0;
            if !self.out.is_empty() && !self.out.ends_with("\n\n") {
                self.out.push('\n');
            }
            return;
        };
        let closers = tokens.iter().take_while(|token| is_closer(token.kind)).count();
        let mut steps = self.depth.saturating_sub(closers);
        let is_outer = self.depth == 0;
        let is_comment = first.kind == TokenKind::Comment;
        let before = self.text.get(..first.span.start as usize).unwrap_or_default();
        let is_continued = is_outer && self.is_definition && before.ends_with([' ', '\t']) && !is_comment;
        if is_outer && !is_continued {
            self.is_definition = false;
        }
        steps += usize::from(is_continued || (!is_outer && self.is_definition));
        self.out.extend(std::iter::repeat_n(' ', steps * STEP));
        let mut last: Option<TokenKind> = None;
        for token in tokens {
            if last.is_some_and(|last| is_apart(last, token.kind)) {
                self.out.push(' ');
            }
            let text = token.span.text(self.text);
            match token.kind {
                TokenKind::Open | TokenKind::OpenGroup => self.depth += 1,
                TokenKind::Close | TokenKind::CloseGroup => self.depth = self.depth.saturating_sub(1),
                TokenKind::Word => self.is_definition |= self.depth == 0 && text.len() > 1 && text.ends_with(':'),
                TokenKind::Semicolon => self.is_definition &= self.depth > 0,
                TokenKind::Comma | TokenKind::Newline | TokenKind::Comment | TokenKind::Text => {}
            }
            self.out.push_str(text.trim_end_matches([' ', '\t', '\r']));
            last = Some(token.kind);
        }
        self.out.push('\n');
    }
}

const fn is_closer(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::Close | TokenKind::CloseGroup)
}

/// Whether a blank stands between two tokens.
const fn is_apart(before: TokenKind, after: TokenKind) -> bool {
    !matches!(before, TokenKind::Open | TokenKind::OpenGroup)
        && !matches!(after, TokenKind::Close | TokenKind::CloseGroup | TokenKind::Comma | TokenKind::Semicolon)
}
