//! Text as nested lists of words: all that the reader sees.

use super::TextFault;
use crate::limit;

/// A word or a list, and where it begins.
#[derive(Debug, Clone)]
pub(super) struct Form<'t> {
    pub(super) at: usize,
    pub(super) content: Content<'t>,
}

#[derive(Debug, Clone)]
pub(super) enum Content<'t> {
    Word(&'t str),
    List(Vec<Form<'t>>),
}

impl<'t> Form<'t> {
    pub(super) fn fault<T>(&self, message: impl Into<String>) -> Result<T, TextFault> {
        Err(TextFault { at: self.at, message: message.into() })
    }

    pub(super) fn word(&self) -> Result<&'t str, TextFault> {
        match &self.content {
            Content::Word(word) => Ok(word),
            Content::List(_) => self.fault("a word is expected, not a list"),
        }
    }

    pub(super) fn list(&self) -> Result<&[Form<'t>], TextFault> {
        match &self.content {
            Content::List(forms) => Ok(forms),
            Content::Word(word) => self.fault(format!("a list is expected, not `{word}`")),
        }
    }

    /// A list's first word and what follows it.
    pub(super) fn construct(&self) -> Result<(&'t str, &[Form<'t>]), TextFault> {
        match self.list()?.split_first() {
            Some((first, rest)) => Ok((first.word()?, rest)),
            None => self.fault("an empty list says nothing"),
        }
    }
}

/// All forms of a text. Everything from `;` to the end of a line is a comment.
pub(super) fn forms(text: &str) -> Result<Vec<Form<'_>>, TextFault> {
    let mut open: Vec<Form> = Vec::new();
    let mut done: Vec<Form> = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let length = token(rest).ok_or(TextFault { at, message: "a string is not closed".to_owned() })?;
        let word = rest.get(..length).unwrap_or_default();
        let begins = Form { at, content: Content::List(Vec::new()) };
        match word.bytes().next() {
            Some(b'(') if open.len() as u64 >= MOST_OPEN => return begins.fault("the lists nest too deeply"),
            Some(b'(') => open.push(begins),
            Some(b')') => match open.pop() {
                Some(closed) => put(&mut open, &mut done, closed),
                None => return begins.fault("no list is open"),
            },
            Some(b';' | b' ' | b'\n') | None => {}
            Some(_) => put(&mut open, &mut done, Form { at, content: Content::Word(word) }),
        }
        at += length;
    }
    match open.last() {
        Some(unclosed) => unclosed.fault("the list is not closed"),
        None => Ok(done),
    }
}

/// A level of the program takes at most three lists.
const MOST_OPEN: u64 = 3 * limit::IR_DEPTH.value;

fn put<'t>(open: &mut [Form<'t>], done: &mut Vec<Form<'t>>, form: Form<'t>) {
    match open.last_mut() {
        Some(Form { content: Content::List(forms), .. }) => forms.push(form),
        Some(_) | None => done.push(form),
    }
}

/// How long the token is that a text begins with; none where a string does not end.
fn token(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    match bytes.first()? {
        b'(' | b')' | b' ' | b'\n' => Some(1),
        b';' => Some(text.find('\n').unwrap_or(text.len())),
        b'"' => {
            let mut is_escaped = false;
            let inside = bytes.iter().skip(1).position(|&byte| {
                let closes = byte == b'"' && !is_escaped;
                is_escaped = byte == b'\\' && !is_escaped;
                closes
            });
            inside.map(|inside| inside + 2)
        }
        // The forms `float(…)` and the like of constants are one word.
        _ => {
            let end = text.find([' ', '\n', '(', ')', '"', ';']).unwrap_or(text.len());
            let is_constant = matches!(text.get(..end), Some("float" | "fixed" | "bytes"));
            match text.get(end..) {
                Some(rest) if is_constant && rest.starts_with('(') => rest.find(')').map(|close| end + close + 1),
                _ => Some(end),
            }
        }
    }
}
