//! Policies and price lists in their one form of writing, with comments kept.
//!
//! Keys and rules stay in the author's order. What is between brackets stays there while it fits a line; else it has a
//! line for each part. Conditions have one space between words and signs; texts in them stand between single quotes.

#![expect(clippy::wildcard_enum_match_arm, reason = "the arms name the few tokens that bind to others, no other does")]

use super::expression::unescape;
use super::show::quoted;
use super::token::TokenKind;
use crate::Diagnostic;
use crate::syntax::yaml;
use crate::syntax::yaml::Meaning;
use crate::syntax::yaml::tree::{Entry, Key, Kind, Node, Scalar, Style};
use logos::Logos;

const WIDTH: usize = 120;
const INDENT: usize = 4;
/// What stands behind `- ` is so much further in.
const BEHIND_DASH: usize = 2;
/// The keys under which conditions stand.
const CONDITIONS: &[&str] = &["allow_if", "deny_if", "if"];
const WHEN: &str = "when";

/// The source in its one form.
///
/// # Errors
/// All that an author must mend.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    super::read(text)?;
    let root = yaml::read(text)?;
    let mut spans = Vec::new();
    written(&root, &mut spans);
    let mut writer = Writer { text, comments: comments(text, &spans), next: 0, out: String::new() };
    writer.block(&root, 0, Means::Values, false);
    writer.comments_before(text.len(), 0);
    Ok(writer.out)
}

/// What scalars below a key mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Means {
    Values,
    Conditions,
}

impl Means {
    fn below(self, key: &Key, value: &Node) -> Means {
        let is_list = value.mapping().is_none();
        let is_here = CONDITIONS.contains(&&*key.text) || key.text == WHEN && is_list;
        if is_here { Means::Conditions } else { self }
    }
}

struct Comment {
    start: usize,
    /// Nothing but white space stands before it on its line.
    is_alone: bool,
    text: String,
}

/// Where scalars and keys stand, in order.
fn written(node: &Node, spans: &mut Vec<(usize, usize)>) {
    match &node.kind {
        Kind::Scalar(_) => spans.push((node.span.start as usize, node.span.end as usize)),
        Kind::Sequence(items) => items.iter().for_each(|item| written(item, spans)),
        Kind::Mapping(entries) => {
            for Entry { key, value } in entries {
                spans.push((key.span.start as usize, key.span.end as usize));
                written(value, spans);
            }
        }
    }
}

fn comments(text: &str, spans: &[(usize, usize)]) -> Vec<Comment> {
    let mut found = Vec::new();
    let mut spans = spans.iter().copied().peekable();
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        while spans.next_if(|&(_, end)| end <= at).is_some() {}
        if let Some(&(start, end)) = spans.peek()
            && start <= at
        {
            at = end.max(at + 1);
            continue;
        }
        let before = text.get(..at).unwrap_or_default();
        let is_begun = before.is_empty() || before.ends_with([' ', '\t', '\n']);
        if byte == b'#' && is_begun {
            let line = text.get(at..).unwrap_or_default().split('\n').next().unwrap_or_default();
            let is_alone =
                before.rsplit('\n').next().is_none_or(|start| start.bytes().all(|byte| byte.is_ascii_whitespace()));
            let shown = line.trim_end_matches([' ', '\t', '\r']).to_owned();
            found.push(Comment { start: at, is_alone, text: shown });
            at += line.len();
        }
        at += 1;
    }
    found
}

struct Writer<'t> {
    text: &'t str,
    comments: Vec<Comment>,
    /// The first comment that is not written yet.
    next: usize,
    out: String,
}

impl Writer<'_> {
    fn indent(&mut self, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    /// Writes what was said before a place, and leaves a line empty where the author did.
    fn comments_before(&mut self, place: usize, indent: usize) {
        while let Some(comment) = self.comments.get(self.next).filter(|comment| comment.start < place) {
            let (start, text) = (comment.start, comment.text.clone());
            self.next += 1;
            self.gap(start);
            self.indent(indent);
            self.out.push_str(&text);
            self.out.push('\n');
        }
        if place < self.text.len() {
            self.gap(place);
        }
    }

    /// An empty line, where there are any before a place.
    fn gap(&mut self, place: usize) {
        let before = self.text.get(..place).unwrap_or_default();
        let blank = before.bytes().rev().take_while(|byte| byte.is_ascii_whitespace() || *byte == b'-');
        let is_apart = blank.filter(|byte| *byte == b'\n').count() > 1;
        if is_apart && !self.out.is_empty() && !self.out.ends_with("\n\n") && self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    /// Ends a line, with the comment that stands at the end of the author's.
    fn end_line(&mut self, place: usize) {
        let rest = self.text.get(place..).unwrap_or_default();
        let end = place + rest.find('\n').unwrap_or(rest.len());
        if let Some(comment) = self.comments.get(self.next).filter(|comment| !comment.is_alone && comment.start < end) {
            self.out.push(' ');
            self.out.push_str(&comment.text);
            self.next += 1;
        }
        self.out.push('\n');
    }

    /// A mapping or a list, a line for each part. The first part may stand on a line that is begun.
    fn block(&mut self, node: &Node, indent: usize, means: Means, mut is_begun: bool) {
        match &node.kind {
            Kind::Scalar(scalar) => {
                let text = scalar_text(scalar, means, false);
                self.out.push_str(&text);
                self.end_line(node.span.end as usize);
            }
            Kind::Mapping(entries) => {
                for Entry { key, value } in entries {
                    if !is_begun {
                        self.comments_before(key.span.start as usize, indent);
                        self.indent(indent);
                    }
                    is_begun = false;
                    let name = plain_or_quoted(&key.text, true, false);
                    self.out.push_str(&name);
                    self.out.push(':');
                    self.value(value, indent, means.below(key, value), key.span.end as usize);
                }
            }
            Kind::Sequence(items) => {
                for item in items {
                    if !is_begun {
                        self.comments_before(item.span.start as usize, indent);
                        self.indent(indent);
                    }
                    is_begun = false;
                    self.out.push('-');
                    match self.line(item, indent + BEHIND_DASH, means) {
                        Some(line) => {
                            self.out.push(' ');
                            self.out.push_str(&line);
                            self.end_line(item.span.end as usize);
                        }
                        None => {
                            self.out.push(' ');
                            self.block(item, indent + BEHIND_DASH, means, true);
                        }
                    }
                }
            }
        }
    }

    /// What stands behind a key.
    fn value(&mut self, node: &Node, indent: usize, means: Means, key_end: usize) {
        match self.line(node, indent, means) {
            Some(line) if line.is_empty() => self.end_line(key_end),
            Some(line) => {
                self.out.push(' ');
                self.out.push_str(&line);
                self.end_line(node.span.end as usize);
            }
            None => {
                self.end_line(key_end);
                self.block(node, indent + INDENT, means, false);
            }
        }
    }

    /// All of it on the line that is begun, if it is written so and fits.
    fn line(&self, node: &Node, indent: usize, means: Means) -> Option<String> {
        if let Kind::Scalar(scalar) = &node.kind {
            return Some(scalar_text(scalar, means, false));
        }
        let (start, end) = (node.span.start as usize, node.span.end as usize);
        let is_empty = match &node.kind {
            Kind::Sequence(items) => items.is_empty(),
            Kind::Mapping(entries) => entries.is_empty(),
            Kind::Scalar(_) => false,
        };
        let is_flow = is_empty || self.text.get(start..).is_some_and(|rest| rest.starts_with(['[', '{']));
        let has_comment = self.comments.iter().any(|comment| (start..end).contains(&comment.start));
        if !is_flow || has_comment {
            return None;
        }
        let begun = self.out.rsplit('\n').next().map_or(indent, str::len);
        let text = flow(node, means);
        (is_empty || begun + 1 + text.len() <= WIDTH).then_some(text)
    }
}

/// A value between brackets.
fn flow(node: &Node, means: Means) -> String {
    match &node.kind {
        Kind::Scalar(scalar) => scalar_text(scalar, means, true),
        Kind::Sequence(items) => {
            let items: Vec<String> = items.iter().map(|item| flow(item, means)).collect();
            format!("[{}]", items.join(", "))
        }
        Kind::Mapping(entries) if entries.is_empty() => "{}".to_owned(),
        Kind::Mapping(entries) => {
            let entry = |Entry { key, value }: &Entry| {
                format!("{}: {}", plain_or_quoted(&key.text, true, true), flow(value, means.below(key, value)))
            };
            format!("{{ {} }}", entries.iter().map(entry).collect::<Vec<String>>().join(", "))
        }
    }
}

fn scalar_text(scalar: &Scalar, means: Means, is_flow: bool) -> String {
    if means == Means::Conditions {
        return plain_or_quoted(&spaced(&scalar.text), false, is_flow);
    }
    if scalar.style == Style::Plain {
        // What has a meaning as it is keeps it.
        return scalar.text.to_string();
    }
    plain_or_quoted(&scalar.text, false, is_flow)
}

/// The text without quotes, if it means itself so.
fn plain_or_quoted(text: &str, is_key: bool, is_flow: bool) -> String {
    let is_text = Scalar { text: text.into(), style: Style::Plain }.meaning() == Meaning::Text;
    let is_word = text.starts_with(|first: char| first.is_ascii_alphabetic() || "_/.(".contains(first));
    let has_sign = text.contains(": ") || text.contains(" #") || text.ends_with([':', ' ']);
    let is_plain = text.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    let is_open = is_flow && text.contains(['[', ']', '{', '}', ',']);
    if (is_text || is_key) && is_word && !has_sign && is_plain && !is_open {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for point in text.chars() {
        match point {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => out.push_str(&format!("\\x{:02x}", u32::from(point))),
            _ => out.push(point),
        }
    }
    out.push('"');
    out
}

/// A condition with one space between words and signs. What can't be read stays as it is.
fn spaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut last: Option<TokenKind> = None;
    let mut is_sign = false;
    for (token, range) in TokenKind::lexer(text).spanned() {
        let Ok(token) = token else { return text.to_owned() };
        let literal = text.get(range).unwrap_or_default();
        let holds = matches!(last, Some(TokenKind::Name | TokenKind::Close | TokenKind::CloseBracket));
        let is_close = match token {
            TokenKind::Close | TokenKind::CloseBracket | TokenKind::Comma | TokenKind::Dot => true,
            TokenKind::Open => last == Some(TokenKind::Name),
            TokenKind::OpenBracket => holds,
            _ => false,
        };
        let is_behind = matches!(last, None | Some(TokenKind::Open | TokenKind::OpenBracket | TokenKind::Dot));
        // Behind a dot a word is a name, whatever else it is.
        let is_field = last == Some(TokenKind::Dot);
        if !is_close && !is_behind && !is_sign {
            out.push(' ');
        }
        is_sign = token == TokenKind::Minus
            && !matches!(
                last,
                Some(
                    TokenKind::Name
                        | TokenKind::Number
                        | TokenKind::String
                        | TokenKind::Close
                        | TokenKind::CloseBracket
                )
            );
        let inner = literal.get(1..literal.len().saturating_sub(1)).unwrap_or_default();
        match (token, unescape(inner)) {
            // Writing to a string never fails.
            (TokenKind::String, Ok(inner)) => _ = quoted(&mut out, &inner),
            _ => out.push_str(literal),
        }
        last = Some(if is_field { TokenKind::Name } else { token });
    }
    out
}
