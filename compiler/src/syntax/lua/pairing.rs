//! What opens and closes: calls told from groups, nesting bounded, and the opener that was forgotten found.

#![expect(clippy::wildcard_enum_match_arm, reason = "the words and signs that are not named open and close nothing")]

use super::token::{Token, TokenKind};
use crate::span::Span;
use kerai_vm::limit;

/// A block or bracket that is open.
#[derive(Debug, Clone, Copy)]
pub struct Opener {
    pub token: Token,
    /// Whether what it closes can be called: a group or arguments, but no parameters and no table by itself.
    is_callable_after: bool,
    /// `..` and `^` so far, which nest to the right, at this level.
    concats: u64,
    powers: u64,
}

impl Opener {
    /// The word or sign that closes it.
    pub const fn closer(&self) -> TokenKind {
        match self.token.kind {
            TokenKind::Open | TokenKind::CallOpen => TokenKind::Close,
            TokenKind::OpenBrace => TokenKind::CloseBrace,
            TokenKind::OpenBracket => TokenKind::CloseBracket,
            TokenKind::Repeat => TokenKind::Until,
            _ => TokenKind::End,
        }
    }
}

pub const fn is_closer(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Close | TokenKind::CloseBrace | TokenKind::CloseBracket | TokenKind::Until | TokenKind::End
    )
}

/// Walks tokens and keeps what is open.
#[derive(Debug, Default)]
pub struct Pairing {
    pub open: Vec<Opener>,
    /// Whether what stands before can be called.
    is_callable: bool,
    last: Option<TokenKind>,
    /// Between `local` and what follows its names.
    is_declaring: bool,
    /// Between `function` and its parameters.
    is_in_header: bool,
    /// `-`, `not`, `#` and `~` before an operand, side by side.
    prefixes: u64,
    concats: u64,
    powers: u64,
}

/// Whether an operand ends with the token, so that an operator that follows stands between two.
const fn ends_operand(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Name
            | TokenKind::Numeral
            | TokenKind::String
            | TokenKind::Nil
            | TokenKind::True
            | TokenKind::False
            | TokenKind::Ellipsis
            | TokenKind::End
            | TokenKind::Close
            | TokenKind::CloseBrace
            | TokenKind::CloseBracket
    )
}

impl Pairing {
    /// Takes the next token, which becomes `CallOpen` where it opens a call's arguments.
    pub fn step(&mut self, token: &mut Token) {
        self.count_nesting(token.kind);
        let is_argument = self.is_callable;
        match token.kind {
            TokenKind::Open | TokenKind::CallOpen => {
                token.kind = if is_argument { TokenKind::CallOpen } else { TokenKind::Open };
                let is_parameters = std::mem::take(&mut self.is_in_header);
                self.push(*token, !is_parameters);
            }
            TokenKind::OpenBrace => self.push(*token, is_argument),
            TokenKind::OpenBracket => self.push(*token, true),
            TokenKind::Function => {
                self.is_in_header = true;
                self.push(*token, false);
            }
            TokenKind::If | TokenKind::Repeat | TokenKind::While | TokenKind::For => self.push(*token, false),
            // The `do` of a loop belongs to the loop's own word.
            TokenKind::Do if !self.is_loop_header() => self.push(*token, false),
            TokenKind::Do => self.enter_body(),
            closer if is_closer(closer) => {
                self.is_callable = self.close(closer);
                self.last = Some(closer);
                return;
            }
            _ => {}
        }
        let is_declared =
            self.is_declaring && matches!(self.last, Some(TokenKind::Local | TokenKind::Comma | TokenKind::Less));
        self.is_callable = match token.kind {
            TokenKind::Name => !is_declared && self.last != Some(TokenKind::Goto),
            TokenKind::String => is_argument,
            _ => false,
        };
        self.is_declaring = match token.kind {
            TokenKind::Local => true,
            TokenKind::Name => is_declared,
            TokenKind::Comma | TokenKind::Less | TokenKind::Greater => self.is_declaring,
            _ => false,
        };
        self.last = Some(token.kind);
    }

    fn is_loop_header(&self) -> bool {
        self.open.last().is_some_and(|opener| {
            matches!(opener.token.kind, TokenKind::While | TokenKind::For) && !opener.is_callable_after
        })
    }

    /// Marks the loop's word as followed by its `do`: a further one is a block of its own.
    fn enter_body(&mut self) {
        if let Some(opener) = self.open.last_mut() {
            opener.is_callable_after = true;
        }
    }

    fn push(&mut self, token: Token, is_callable_after: bool) {
        let (concats, powers) = (std::mem::take(&mut self.concats), std::mem::take(&mut self.powers));
        self.open.push(Opener { token, is_callable_after, concats, powers });
    }

    /// Closes the innermost that the token closes, with all that is open within; whether that can be called.
    fn close(&mut self, closer: TokenKind) -> bool {
        let Some(place) = self.open.iter().rposition(|opener| opener.closer() == closer) else { return false };
        let Some(opener) = self.open.drain(place..).next() else { return false };
        (self.concats, self.powers) = (opener.concats, opener.powers);
        opener.is_callable_after && closer != TokenKind::End
    }

    /// Counts what nests to the right. An operator that binds less tightly, and all that ends an expression, ends a chain.
    fn count_nesting(&mut self, kind: TokenKind) {
        let is_prefix = match kind {
            TokenKind::Not => true,
            TokenKind::Minus | TokenKind::Hash | TokenKind::Tilde => !self.last.is_some_and(ends_operand),
            _ => false,
        };
        self.prefixes = if is_prefix { self.prefixes + 1 } else { 0 };
        match kind {
            TokenKind::Concat => (self.concats, self.powers) = (self.concats + 1, 0),
            TokenKind::Caret => self.powers += 1,
            TokenKind::Plus | TokenKind::Star | TokenKind::Slash | TokenKind::DoubleSlash | TokenKind::Percent => {
                self.powers = 0;
            }
            TokenKind::Minus if !is_prefix => self.powers = 0,
            TokenKind::Name
            | TokenKind::Numeral
            | TokenKind::String
            | TokenKind::Dot
            | TokenKind::Colon
            | TokenKind::Open
            | TokenKind::CallOpen
            | TokenKind::OpenBrace
            | TokenKind::OpenBracket
            | TokenKind::Function => {}
            _ if is_prefix || is_closer(kind) => {}
            _ => (self.concats, self.powers) = (0, 0),
        }
    }

    /// Whether more is nested than the limit allows.
    fn is_too_deep(&self) -> bool {
        let most = limit::SOURCE_DEPTH.value;
        let is_past = |count: u64| count > most;
        is_past(self.open.len() as u64) || [self.prefixes, self.concats, self.powers].into_iter().any(is_past)
    }
}

/// Tells calls from groups in all tokens, or finds the token that nests too deeply.
pub fn pair(tokens: &mut [Token]) -> Result<(), Span> {
    let mut pairing = Pairing::default();
    for token in tokens {
        pairing.step(token);
        if pairing.is_too_deep() {
            return Err(token.span);
        }
    }
    Ok(())
}

/// Where a line's first token stands on it, for tokens that are their line's first.
fn indentation(text: &str, token: Token) -> Option<usize> {
    let before = text.get(..token.span.start as usize)?;
    let line = before.rfind('\n').and_then(|at| before.get(at + 1..)).unwrap_or(before);
    line.bytes().all(|byte| matches!(byte, b' ' | b'\t')).then_some(line.len())
}

/// Where the line of a token begins its text.
fn line_indentation(text: &str, token: Token) -> usize {
    let before = text.get(..token.span.start as usize).unwrap_or_default();
    let line = before.rfind('\n').and_then(|at| before.get(at + 1..)).unwrap_or(before);
    line.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// The opener without an end among tokens that end too early: the first whose closer stands further left than it,
/// and so is probably another's; else the innermost that is open.
pub fn unclosed(text: &str, tokens: &[Token]) -> Option<Opener> {
    let mut pairing = Pairing::default();
    let mut suspect = None;
    for token in tokens {
        let before = pairing.open.last().copied();
        pairing.step(&mut { *token });
        if let Some(opener) = before
            && suspect.is_none()
            && opener.closer() == token.kind
            && indentation(text, *token).is_some_and(|at| at < line_indentation(text, opener.token))
        {
            suspect = Some(opener);
        }
    }
    let innermost = pairing.open.last().copied()?;
    Some(suspect.filter(|suspect| suspect.closer() == innermost.closer()).unwrap_or(innermost))
}
