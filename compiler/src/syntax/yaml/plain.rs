//! The YAML that nearly all files are made of, read at once: ASCII, block mappings and sequences of scalars on one
//! line, flow collections on one line, comments.
//!
//! What is read here is read as the parser would read it, to the last place; where anything is found that might be
//! refused or read otherwise, this steps aside and says nothing. A property test compares the two.

use super::meaning::{Meaning, is_ambiguous};
use super::tree::{Entry, Key, Kind, Node, Scalar, Style};
use crate::span::Span;
use kerai_vm::limit;
use std::borrow::Cow;

/// What nests deeper is left to the parser.
const DEPTH: usize = 16;
/// Longer keys are left to the parser, which has a limit of its own.
const LONGEST_KEY: usize = 256;
/// So many bytes are looked at together.
const TOGETHER: usize = 256;
/// The events around a document.
const AROUND: u64 = 4;
/// The bytes that may end a plain text.
#[expect(clippy::indexing_slicing, reason = "evaluated while compiling, where a fault is an error")]
const MAY_END: [bool; 256] = {
    let (mut may_end, mut byte) = ([false; 256], 0);
    while byte < may_end.len() {
        may_end[byte] = matches!(byte as u8, b'\n' | b':' | b'#' | b',' | b'[' | b']' | b'{' | b'}');
        byte += 1;
    }
    may_end
};

/// Reads a document; nothing where the parser must.
pub(super) fn read(text: &str) -> Option<Node<'_>> {
    // Many bytes are looked at together, which is faster than to stop at the first.
    let is_plain = |bytes: &[u8]| bytes.iter().fold(true, |all, byte| all & matches!(byte, b'\n' | b' '..=b'~'));
    if !text.as_bytes().chunks(TOGETHER).all(is_plain) {
        return None;
    }
    let mut reader = Reader { text, at: 0, column: None, events: AROUND };
    reader.next_line(0);
    let root = reader.block(DEPTH)?;
    let is_whole = reader.column.is_none() && reader.events <= limit::SOURCE_TOKENS.value;
    is_whole.then_some(root)
}

/// Where a text stands: between brackets a plain one can't have brackets and commas.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Block,
    Brackets,
}

struct Reader<'t> {
    text: &'t str,
    /// The next byte of the line that is being read.
    at: usize,
    /// The column of the line's content; none behind the last line.
    column: Option<usize>,
    /// How many events the parser would have given.
    events: u64,
}

impl<'t> Reader<'t> {
    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn peek(&self) -> Option<u8> {
        self.byte(self.at)
    }

    fn skip_spaces(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    /// Goes to the content of the first line from `start` on that has any.
    fn next_line(&mut self, start: usize) {
        (self.at, self.column) = (start, None);
        let mut line = start;
        loop {
            self.skip_spaces();
            match self.peek() {
                None => return,
                Some(b'\n') => self.at += 1,
                Some(b'#') => {
                    let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
                    let length = rest.iter().position(|&byte| byte == b'\n').map_or(rest.len(), |end| end + 1);
                    self.at += length;
                }
                Some(_) => {
                    self.column = Some(self.at - line);
                    return;
                }
            }
            line = self.at;
        }
    }

    /// Ends a line on which nothing may follow but a comment. What follows on the next one is no part of the value,
    /// unless it stands further in than `column`.
    fn end_line(&mut self, column: usize) -> Option<()> {
        let end = self.at;
        self.skip_spaces();
        match self.peek() {
            None | Some(b'\n') => {}
            Some(b'#') if self.at > end => {}
            Some(_) => return None,
        }
        self.next_line(self.at);
        self.column.is_none_or(|next| next <= column).then_some(())
    }

    /// Whether an item of a sequence begins here.
    fn is_item(&self) -> bool {
        self.peek() == Some(b'-') && self.byte(self.at + 1) == Some(b' ')
    }

    /// A mapping or sequence whose first line this is.
    fn block(&mut self, depth: usize) -> Option<Node<'t>> {
        let (column, depth) = (self.column?, depth.checked_sub(1)?);
        self.events += 2;
        if self.is_item() { self.sequence(column, depth) } else { self.mapping(column, depth) }
    }

    fn sequence(&mut self, column: usize, depth: usize) -> Option<Node<'t>> {
        let start = self.at;
        let mut items: Vec<Node<'t>> = Vec::new();
        while self.column == Some(column) && self.is_item() {
            let line = self.at - column;
            self.at += 1;
            self.skip_spaces();
            let item = if self.is_item() || self.is_key() {
                self.column = Some(self.at - line);
                self.block(depth)?
            } else {
                self.value(column, depth)?
            };
            items.push(item);
        }
        let end = items.last()?.span.end;
        Some(Node { span: Span::new(fit(start), end), kind: Kind::Sequence(items) })
    }

    fn mapping(&mut self, column: usize, depth: usize) -> Option<Node<'t>> {
        let start = self.at;
        let mut entries: Vec<Entry<'t>> = Vec::with_capacity(4);
        while self.column == Some(column) && !self.is_item() {
            let key = self.key()?;
            let end = self.at;
            self.skip_spaces();
            let value = match self.peek() {
                None | Some(b'\n') => self.entry_below(column, depth)?,
                Some(b'#') if self.at > end => self.entry_below(column, depth)?,
                Some(_) if self.at > end => self.value(column, depth)?,
                Some(_) => return None,
            };
            entries.push(Entry { key, value });
        }
        // What stands here is neither an entry nor behind the mapping.
        if self.column.is_some_and(|next| next >= column) || has_twins(&entries) {
            return None;
        }
        let end = entries.last()?.value.span.end;
        Some(Node { span: Span::new(fit(start), end), kind: Kind::Mapping(entries) })
    }

    /// The block on the lines below, further in. The items of a sequence may stand as far in as its key.
    fn entry_below(&mut self, column: usize, depth: usize) -> Option<Node<'t>> {
        self.next_line(self.at);
        if self.column? != column || !self.is_item() {
            return if self.column? > column { self.block(depth) } else { None };
        }
        let mut node = self.block(depth)?;
        // The parser lets such a sequence begin with its first item.
        node.span.start = node.sequence()?.first()?.span.start;
        Some(node)
    }

    /// A value on the line of its key or dash, which stands in this column, and the end of the line.
    fn value(&mut self, column: usize, depth: usize) -> Option<Node<'t>> {
        let node = match self.peek()? {
            b'[' | b'{' => self.flow(depth)?,
            _ => self.scalar(Within::Block)?,
        };
        self.end_line(column)?;
        Some(node)
    }

    /// Whether the scalar that begins here is a key.
    fn is_key(&self) -> bool {
        let mut ahead = Reader { text: self.text, at: self.at, column: None, events: 0 };
        ahead.key().is_some()
    }

    /// A key and the colon behind it.
    fn key(&mut self) -> Option<Key<'t>> {
        let (scalar, span) = self.text(Within::Block)?;
        let is_short = span.end - span.start <= fit(LONGEST_KEY);
        let is_end = matches!(self.byte(self.at + 1), None | Some(b' ' | b'\n'));
        if self.peek() != Some(b':') || !is_end || !is_short {
            return None;
        }
        self.at += 1;
        Some(Key { text: scalar.text, span })
    }

    fn scalar(&mut self, within: Within) -> Option<Node<'t>> {
        let (scalar, span) = self.text(within)?;
        let is_plain = scalar.style == Style::Plain;
        if is_plain && scalar.meaning() == Meaning::Text && is_ambiguous(&scalar.text) {
            return None;
        }
        Some(Node { span, kind: Kind::Scalar(scalar) })
    }

    /// A plain or quoted text of one line.
    fn text(&mut self, within: Within) -> Option<(Scalar<'t>, Span)> {
        self.events += 1;
        let start = self.at;
        let (style, text) = match self.peek()? {
            b'"' => (Style::Double, self.quoted(b'"')?),
            b'\'' => (Style::Single, self.quoted(b'\'')?),
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'/' | b'$' | b'(' => (Style::Plain, self.plain(within)?),
            _ => return None,
        };
        let quotes = if style == Style::Plain { 0 } else { 2 };
        let span = Span::new(fit(start), fit(start + text.len() + quotes));
        Some((Scalar { text: Cow::Borrowed(text), style }, span))
    }

    /// A text in quotes without any escapes.
    fn quoted(&mut self, quote: u8) -> Option<&'t str> {
        let start = self.at + 1;
        let rest = self.text.as_bytes().get(start..)?;
        let length = rest.iter().position(|&byte| byte == quote || byte == b'\\' || byte == b'\n')?;
        let end = start + length;
        // A backslash stands for itself between single quotes, and two of these for one; both are rare.
        if self.byte(end) != Some(quote) || self.byte(end + 1) == Some(quote) {
            return None;
        }
        self.at = end + 1;
        self.text.get(start..end)
    }

    /// A plain text: up to a colon with a space behind it, a comment, the line's end, or what else ends it.
    fn plain(&mut self, within: Within) -> Option<&'t str> {
        let start = self.at;
        let rest = self.text.as_bytes().get(start..)?;
        let is_flow = within == Within::Brackets;
        // Most bytes end no text, wherever they stand.
        let may_end = |&byte: &u8| MAY_END.get(usize::from(byte)) == Some(&true);
        let is_end = |at: usize| match rest.get(at) {
            Some(b':') => rest.get(at + 1).is_none_or(|&next| match next {
                b' ' | b'\n' => true,
                b',' | b'[' | b']' | b'{' | b'}' => is_flow,
                _ => false,
            }),
            Some(b'#') => at.checked_sub(1).and_then(|before| rest.get(before)) == Some(&b' '),
            Some(b'\n') | None => true,
            Some(_) => is_flow,
        };
        let mut length = 0;
        let length = loop {
            let more = rest.get(length..).and_then(|rest| rest.iter().position(may_end));
            let Some(more) = more else { break rest.len() };
            length += more;
            if is_end(length) {
                break length;
            }
            length += 1;
        };
        let text = self.text.get(start..start + length)?.trim_end_matches(' ');
        // Spaces are left to whoever reads on.
        self.at = start + text.len();
        // The parser refuses a lonely dash before what ends the text.
        (!text.ends_with(" -")).then_some(text)
    }

    /// A collection between brackets, on one line.
    fn flow(&mut self, depth: usize) -> Option<Node<'t>> {
        let depth = depth.checked_sub(1)?;
        self.events += 2;
        let start = self.at;
        let is_mapping = self.peek() == Some(b'{');
        let close = if is_mapping { b'}' } else { b']' };
        let (mut items, mut entries) = (Vec::new(), Vec::new());
        self.at += 1;
        self.skip_spaces();
        while self.peek()? != close || !(items.is_empty() && entries.is_empty()) {
            if is_mapping {
                entries.push(self.flow_entry(depth)?);
            } else {
                items.push(self.flow_value(depth)?);
            }
            self.skip_spaces();
            match self.peek()? {
                b',' => {
                    self.at += 1;
                    self.skip_spaces();
                }
                byte if byte == close => break,
                _ => return None,
            }
        }
        self.at += 1;
        if has_twins(&entries) {
            return None;
        }
        let kind = if is_mapping { Kind::Mapping(entries) } else { Kind::Sequence(items) };
        Some(Node { span: Span::new(fit(start), fit(self.at)), kind })
    }

    fn flow_entry(&mut self, depth: usize) -> Option<Entry<'t>> {
        let (scalar, span) = self.text(Within::Brackets)?;
        if self.peek() != Some(b':') || self.byte(self.at + 1) != Some(b' ') {
            return None;
        }
        self.at += 1;
        self.skip_spaces();
        let is_short = span.end - span.start <= fit(LONGEST_KEY);
        let value = self.flow_value(depth)?;
        is_short.then_some(Entry { key: Key { text: scalar.text, span }, value })
    }

    fn flow_value(&mut self, depth: usize) -> Option<Node<'t>> {
        match self.peek()? {
            b'[' | b'{' => self.flow(depth),
            _ => self.scalar(Within::Brackets),
        }
    }
}

/// Whether a key is there twice.
fn has_twins(entries: &[Entry<'_>]) -> bool {
    const FEW: usize = 8;
    if entries.len() <= FEW {
        let mut rest = entries.iter();
        return std::iter::from_fn(|| rest.next().map(|entry| (entry, rest.as_slice())))
            .any(|(entry, rest)| rest.iter().any(|other| other.key.text == entry.key.text));
    }
    let mut keys: Vec<&str> = entries.iter().map(|entry| &*entry.key.text).collect();
    keys.sort_unstable();
    keys.windows(2).any(|pair| matches!(pair, [a, b] if a == b))
}

/// A source's size is limited, so places fit.
fn fit(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_files_are_read_here() {
        let text = "# a policy\nrules:\n    - id: finance-write # its id\n      when: { intent: \"write\", path: \"gatos/**\" }\n      \
                    allow_if:\n      - \"caps includes 'journal:append'\"\n      - trust[actor].level >= 2\n\n      audit: true\n    - - a\n";
        assert!(read(text).is_some());
    }

    #[test]
    fn what_might_be_read_otherwise_is_not_read_here() {
        for text in
            ["", "a", "a: é", "a: b\n  c", "a: &x b", "a:\n", "a: b\na: c", "- no", "a: 'it''s'", "a: b: c", "a: |\n b"]
        {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
