//! From text to a tree, through the events of a YAML parser: what the profile refuses is refused here.

use super::meaning::{Meaning, is_ambiguous};
use super::plain;
use super::tree::{Entry, Key, Kind, Node, Scalar, Style};
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Report};
use crate::span::Span;
use kerai_vm::limit::{self, Limit};
use saphyr_parser::{Event, Parser, ScalarStyle};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Reads a document.
///
/// # Errors
/// Everything that an author must mend: what is no YAML, and what the profile refuses of it.
pub fn read(text: &str) -> Result<Node<'_>, Vec<Diagnostic>> {
    plain::read(text).map_or_else(|| parse(text), Ok)
}

/// As [`read`], by the parser whatever the text.
///
/// # Errors
/// As [`read`].
pub fn parse(text: &str) -> Result<Node<'_>, Vec<Diagnostic>> {
    let mut reader = Reader { text, place: Place::default(), report: Report::default(), open: Vec::new(), root: None };
    reader.characters();
    reader.directives();
    let is_whole = reader.document().is_some();
    let Reader { mut report, root, .. } = reader;
    match root {
        Some(root) if is_whole && report.is_empty() => return Ok(root),
        None if is_whole && report.is_empty() => report.push(Diagnostic::plain(Code::YAML_EMPTY, Span::default())),
        Some(_) | None => {}
    }
    Err(report.into_diagnostics())
}

struct Reader<'s> {
    text: &'s str,
    place: Place,
    report: Report,
    /// What was begun and has not ended, the outermost first.
    open: Vec<Open<'s>>,
    root: Option<Node<'s>>,
}

/// A sequence or mapping that is being read.
struct Open<'s> {
    span: Span,
    content: Content<'s>,
}

enum Content<'s> {
    Sequence(Vec<Node<'s>>),
    Mapping {
        entries: Vec<Entry<'s>>,
        /// Where each key stood first.
        keys: BTreeMap<Cow<'s, str>, Span>,
        /// A key that waits for its value.
        key: Option<Key<'s>>,
    },
}

impl<'s> Reader<'s> {
    /// The first control character, which YAML has no place for.
    fn characters(&mut self) {
        let is_control = |point: char| matches!(point, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
        if let Some((at, point)) = self.text.char_indices().find(|(_, point)| is_control(*point)) {
            let message = format!("the control character U+{:04X}", u32::from(point));
            self.report.push(Diagnostic::new(Code::YAML_CHARACTER, span_of(at, point.len_utf8()), message));
        }
    }

    /// A directive stands before all else: the parser tells nothing of it.
    fn directives(&mut self) {
        let mut start = 0;
        for line in self.text.split_inclusive(['\n', '\r']) {
            let content = line.trim_start_matches('\u{feff}').trim_end_matches(['\n', '\r']);
            if content.starts_with('%') {
                self.report.push(Diagnostic::plain(Code::YAML_DIRECTIVE, span_of(start, line.len())));
                return;
            }
            if !content.trim_start_matches([' ', '\t']).starts_with('#') && !content.is_empty() {
                return;
            }
            start += line.len();
        }
    }

    /// Reads events up to the end of the only document; nothing where reading could not go on.
    fn document(&mut self) -> Option<()> {
        const MOST: Limit = limit::SOURCE_TOKENS;
        let mut documents = 0;
        let mut count = 0;
        // The parser can't go on behind a mistake, so its first one is its last.
        for event in Parser::new_from_str(self.text) {
            let (event, place) = match event {
                Ok(event) => event,
                Err(fault) => {
                    let start = self.place.byte(self.text, fault.marker().index());
                    self.report.push(syntax(self.text, start, fault.info()));
                    return None;
                }
            };
            count += 1;
            let start = self.place.byte(self.text, place.start.index());
            let end = self.place.byte(self.text, place.end.index());
            let span = Span::new(start, end.max(start));
            if count > MOST.value {
                let message = format!("the source has more than {} parts (limit `{}`)", MOST.value, MOST.name);
                self.report.push(Diagnostic::new(Code::SOURCE_TOKENS, span, message));
                return None;
            }
            if matches!(event, Event::DocumentStart(_)) {
                documents += 1;
                if documents > 1 {
                    self.report.push(Diagnostic::plain(Code::YAML_DOCUMENTS, span));
                    return None;
                }
            }
            self.event(event, span)?;
        }
        Some(())
    }

    fn event(&mut self, event: Event<'s>, span: Span) -> Option<()> {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd => {}
            Event::DocumentStart(_) | Event::DocumentEnd => {}
            Event::Alias(_) => {
                self.report.push(Diagnostic::new(
                    Code::YAML_ANCHOR,
                    span,
                    format!("the alias `{}`", span.text(self.text)),
                ));
                self.add(Node { span, kind: Kind::Scalar(Scalar { text: Cow::default(), style: Style::Plain }) });
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.properties(anchor, tag.as_deref(), span);
                let scalar = Scalar { text, style: style_of(style) };
                // What is not written has a place, and no text there.
                let is_absent = scalar.style == Style::Plain && scalar.text.is_empty();
                let end = if is_absent { span.start } else { closed(span, scalar.style, self.text) };
                self.scalar(scalar, Span::new(span.start, end));
            }
            Event::SequenceStart(anchor, tag) => {
                self.properties(anchor, tag.as_deref(), span);
                self.begin(span, Content::Sequence(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                self.properties(anchor, tag.as_deref(), span);
                self.begin(span, Content::Mapping { entries: Vec::new(), keys: BTreeMap::new(), key: None })?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
        }
        Some(())
    }

    /// Refuses what may stand before a value.
    fn properties(&mut self, anchor: usize, tag: Option<&saphyr_parser::Tag>, span: Span) {
        if anchor != 0 {
            self.report.push(Diagnostic::new(Code::YAML_ANCHOR, span, "an anchor before this value"));
        }
        if let Some(tag) = tag {
            let message = format!("the tag `{}{}`", tag.handle, tag.suffix);
            self.report.push(Diagnostic::new(Code::YAML_TAG, span, message));
        }
    }

    fn begin(&mut self, span: Span, content: Content<'s>) -> Option<()> {
        const MOST: Limit = limit::SOURCE_DEPTH;
        if self.open.len() as u64 >= MOST.value {
            let message = format!("nested more than {} deep (limit `{}`)", MOST.value, MOST.name);
            self.report.push(Diagnostic::new(Code::SOURCE_DEPTH, span, message));
            return None;
        }
        self.open.push(Open { span, content });
        Some(())
    }

    fn end(&mut self, span: Span) {
        let Some(Open { span: begun, content }) = self.open.pop() else { return };
        let (kind, within) = match content {
            Content::Sequence(items) => {
                let within = items.first().zip(items.last()).map(|(first, last)| first.span.to(last.span));
                (Kind::Sequence(items), within)
            }
            Content::Mapping { entries, .. } => {
                let ends = entries.first().zip(entries.last());
                let within = ends.map(|(first, last)| first.key.span.to(last.value.span));
                (Kind::Mapping(entries), within)
            }
        };
        // A bracket ends what it closes; what is closed by indentation ends with its last value.
        let last = within.map_or(begun.start.saturating_add(1), |within| within.end);
        // The parser lets a sequence that is no further in than its key begin with its first item.
        let is_open = within.is_none_or(|within| within.start > begun.start);
        let end = match begun.text(self.text).as_bytes().first() {
            Some(b'[') if is_open => self.bracket(b']', last, span.end),
            Some(b'{') if is_open => self.bracket(b'}', last, span.end),
            Some(_) | None => last,
        };
        self.add(Node { span: Span::new(begun.start, end.max(begun.start)), kind });
    }

    /// Where a bracket closes what ends with this value: the parser takes spaces and a comment behind it for a part of it.
    fn bracket(&self, bracket: u8, last: u32, end: u32) -> u32 {
        let mut bytes = (last..).zip(Span::new(last, end).text(self.text).bytes());
        while let Some((at, byte)) = bytes.next() {
            if byte == bracket {
                return at + 1;
            }
            // Between the last value and the bracket there are signs, white space and comments.
            if byte == b'#' {
                bytes.by_ref().find(|&(_, byte)| matches!(byte, b'\n' | b'\r'));
            }
        }
        end
    }

    fn scalar(&mut self, scalar: Scalar<'s>, span: Span) {
        let is_key = matches!(self.open.last(), Some(Open { content: Content::Mapping { key: None, .. }, .. }));
        if !is_key {
            if scalar.style == Style::Plain && scalar.meaning() == Meaning::Text && is_ambiguous(&scalar.text) {
                let message = format!("the plain word `{}`, which readers of YAML differ on", scalar.text);
                self.report.push(Diagnostic::new(Code::YAML_PLAIN, span, message));
            }
        } else if scalar.style == Style::Plain && scalar.text == "<<" {
            self.report.push(Diagnostic::new(Code::YAML_MERGE, span, "the merge key `<<`"));
        } else if scalar.style == Style::Plain && scalar.text.is_empty() {
            self.report.push(Diagnostic::new(Code::YAML_KEY, span, "a key is missing"));
        } else if span.text(self.text).contains(['\n', '\r']) {
            self.report.push(Diagnostic::new(Code::YAML_KEY, span, "a key of several lines"));
        }
        self.add(Node { span, kind: Kind::Scalar(scalar) });
    }

    /// Puts a value where it belongs: into what is open, or to its root.
    fn add(&mut self, node: Node<'s>) {
        let Some(Open { content, .. }) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        match content {
            Content::Sequence(items) => items.push(node),
            Content::Mapping { entries, key, keys } => match key.take() {
                Some(key) => entries.push(Entry { key, value: node }),
                None => {
                    let Node { span, kind } = node;
                    let text = match kind {
                        Kind::Scalar(scalar) => scalar.text,
                        Kind::Sequence(_) | Kind::Mapping(_) => {
                            self.report.push(Diagnostic::new(Code::YAML_KEY, span, "a key that is no text"));
                            Cow::default()
                        }
                    };
                    match keys.get(&text) {
                        Some(first) if !text.is_empty() => {
                            let message = format!("the key `{text}` is there twice");
                            let found = Diagnostic::new(Code::YAML_DUPLICATE, span, message);
                            self.report.push(found.with_note(*first, "first here"));
                        }
                        Some(_) => {}
                        None => {
                            keys.insert(text.clone(), span);
                        }
                    }
                    *key = Some(Key { text, span });
                }
            },
        }
    }
}

/// Where a scalar ends: the parser takes spaces and a comment behind a closing quote for a part of it.
fn closed(span: Span, style: Style, text: &str) -> u32 {
    let quote = match style {
        Style::Single => b'\'',
        Style::Double => b'"',
        Style::Plain | Style::Literal | Style::Folded => return span.end,
    };
    let mut bytes = (span.start..).zip(span.text(text).bytes()).skip(1).peekable();
    while let Some((at, byte)) = bytes.next() {
        let is_escape = byte == b'\\' && style == Style::Double;
        let is_doubled = byte == quote && style == Style::Single && bytes.peek().is_some_and(|next| next.1 == quote);
        if is_escape || is_doubled {
            bytes.next();
        } else if byte == quote {
            return at + 1;
        }
    }
    span.end
}

fn style_of(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        ScalarStyle::Literal => Style::Literal,
        ScalarStyle::Folded => Style::Folded,
    }
}

fn syntax(text: &str, start: u32, reason: &str) -> Diagnostic {
    let length = text.get(start as usize..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    Diagnostic::new(Code::YAML_SYNTAX, span_of(start as usize, length), format!("not YAML: {reason}"))
}

/// A source's size is limited, so places fit.
fn span_of(start: usize, length: usize) -> Span {
    let fit = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
    Span::new(fit(start), fit(start.saturating_add(length)))
}

/// The last place that was asked for: the parser counts characters, spans count bytes, and places come nearly in order.
#[derive(Default)]
struct Place {
    characters: usize,
    bytes: usize,
}

impl Place {
    fn byte(&mut self, text: &str, characters: usize) -> u32 {
        while self.characters < characters {
            let Some(next) = text.get(self.bytes..).and_then(|rest| rest.chars().next()) else { break };
            self.characters += 1;
            self.bytes += next.len_utf8();
        }
        while self.characters > characters {
            let Some(last) = text.get(..self.bytes).and_then(|before| before.chars().next_back()) else { break };
            self.characters -= 1;
            self.bytes -= last.len_utf8();
        }
        u32::try_from(self.bytes).unwrap_or(u32::MAX)
    }
}
