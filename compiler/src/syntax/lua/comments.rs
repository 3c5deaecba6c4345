//! Where comments belong: to the token before them, to the one behind, or to a line of their own.

use super::lexer::{Comment, Lexed};
use super::token::long_level;

/// Where a run of comments stands: comments without a line's end between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Behind a token, to the end of its line.
    Trailing,
    /// On lines of its own.
    Own,
    /// Before a token on its line.
    Inline,
}

/// Comments without a line's end between them.
#[derive(Debug, Clone, Copy)]
pub struct Run<'c> {
    pub comments: &'c [Comment],
    pub place: Place,
    /// Whether an empty line stands before it.
    pub has_gap: bool,
}

/// Walks the comments beside the tokens.
#[derive(Debug)]
pub struct Comments<'c> {
    text: &'c str,
    lexed: &'c Lexed,
    rest: &'c [Comment],
}

/// How many lines end in a part of the text; two say as much as more.
fn line_ends(text: &str, start: u32, end: u32) -> usize {
    text.get(start as usize..end as usize).unwrap_or_default().bytes().filter(|&byte| byte == b'\n').take(2).count()
}

impl<'c> Comments<'c> {
    pub fn new(text: &'c str, lexed: &'c Lexed) -> Comments<'c> {
        Comments { text, lexed, rest: &lexed.comments }
    }

    /// Where what was last written ends: the token before a place, or the comment before the rest.
    fn end_before(&self, token: usize) -> u32 {
        let done = self.lexed.comments.len() - self.rest.len();
        let comment =
            done.checked_sub(1).and_then(|last| self.lexed.comments.get(last)).map_or(0, |last| last.span.end);
        let token = token.checked_sub(1).and_then(|last| self.lexed.tokens.get(last)).map_or(0, |last| last.span.end);
        comment.max(token)
    }

    /// Whether an empty line stands before the token and the comments that are left before it.
    pub fn has_gap_before(&self, token: usize) -> bool {
        let comment =
            self.rest.first().filter(|comment| comment.tokens_before <= token).map(|comment| comment.span.start);
        let start = self.lexed.tokens.get(token).map_or(0, |token| token.span.start);
        line_ends(self.text, self.end_before(token), comment.unwrap_or(start)) > 1
    }

    /// Whether a line ends between a token and the one before it.
    pub fn is_line_first(&self, token: usize) -> bool {
        let start = self.lexed.tokens.get(token).map_or(0, |token| token.span.start);
        let end = token.checked_sub(1).and_then(|last| self.lexed.tokens.get(last)).map_or(0, |last| last.span.end);
        line_ends(self.text, end, start) > 0
    }

    /// The next run of comments before a token, without taking it.
    fn peek(&self, token: usize) -> Option<Run<'c>> {
        let first = self.rest.first().filter(|comment| comment.tokens_before <= token)?;
        let mut end = first.span.end;
        let mut count = 1;
        for comment in self.rest.iter().skip(1).take_while(|comment| comment.tokens_before <= token) {
            if line_ends(self.text, end, comment.span.start) > 0 {
                break;
            }
            (end, count) = (comment.span.end, count + 1);
        }
        let (comments, _) = self.rest.split_at_checked(count)?;
        let next_comment = self.rest.get(count).map_or(u32::MAX, |comment| comment.span.start);
        let next_token = self.lexed.tokens.get(token).map_or(u32::MAX, |token| token.span.start);
        let next = next_comment.min(next_token);
        // What runs to the line's end, and what ends the source, has a line's end behind it.
        let is_last_on_line = next == u32::MAX
            || comments.last().is_some_and(|last| !is_long(self.text, last))
            || line_ends(self.text, end, next) > 0;
        let before = line_ends(self.text, self.end_before(token), first.span.start);
        let place = match (is_last_on_line, before > 0 || self.end_before(token) == 0) {
            (false, _) => Place::Inline,
            (true, false) => Place::Trailing,
            (true, true) => Place::Own,
        };
        Some(Run { comments, place, has_gap: before > 1 })
    }

    fn take(&mut self, run: Run<'c>) -> Run<'c> {
        self.rest = self.rest.get(run.comments.len()..).unwrap_or_default();
        run
    }

    /// The run behind the token before this one, to the end of its line.
    pub fn next_trailing(&mut self, token: usize) -> Option<Run<'c>> {
        let run = self.peek(token).filter(|run| run.place == Place::Trailing)?;
        Some(self.take(run))
    }

    /// The next run before the token.
    pub fn next(&mut self, token: usize) -> Option<Run<'c>> {
        let run = self.peek(token)?;
        Some(self.take(run))
    }

    /// The next run before the token that has lines of its own.
    pub fn next_own(&mut self, token: usize) -> Option<Run<'c>> {
        let run = self.peek(token).filter(|run| run.place != Place::Inline)?;
        Some(self.take(run))
    }
}

/// Whether the comment ends by brackets, and not with its line.
pub fn is_long(text: &str, comment: &Comment) -> bool {
    comment.span.text(text).strip_prefix("--").is_some_and(|rest| long_level(rest).is_some())
}
