//! Strings that are written where they will lie, and parts of strings that share their bytes.

use super::{Heap, SHORT_STRING, Span, Tag, Value};
use core::ops::Range;

impl Heap {
    /// Where a string begins that is about to be written.
    pub(crate) fn begin_text(&self) -> usize {
        self.content.bytes.len()
    }

    /// Where it is written: at the end. Nothing else may be made in the heap meanwhile.
    pub(crate) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.content.bytes
    }

    /// Where a string begins that is about to be written and starts with another one. What the other one lacks is written
    /// behind it where it lies last: so the two share bytes, and a text that is made piece by piece is not copied each time.
    /// Old strings are left alone, for what is written behind them would not be old.
    pub(crate) fn begin_text_behind(&self, first: Value) -> Option<usize> {
        if first.tag() != Tag::LongString {
            return None;
        }
        let span = Span::of(first).range();
        (span.end == self.content.bytes.len() && span.start >= self.watermark.bytes).then_some(span.start)
    }

    /// Appends a range of a string to the one that is being written.
    pub(crate) fn copy_text(&mut self, string: Value, range: Range<usize>) {
        if string.tag() == Tag::LongString {
            let span = Span::of(string).range();
            let end = span.start.saturating_add(range.end).min(span.end);
            let start = span.start.saturating_add(range.start).min(end);
            self.content.bytes.extend_from_within(start..end);
        } else {
            self.content.bytes.extend_from_slice(string.short_bytes().get(range).unwrap_or_default());
        }
    }

    /// The string that was written since `start`.
    ///
    /// # Panics
    /// As [`Heap::string`].
    pub(crate) fn end_text(&mut self, start: usize) -> Value {
        let length = self.content.bytes.len().saturating_sub(start);
        if length <= SHORT_STRING {
            let mut window = [0; 16];
            let content = self.content.bytes.get(start..).unwrap_or_default();
            window.iter_mut().zip(content).for_each(|(to, &from)| *to = from);
            self.cut_text(start);
            return Value::short_string(u128::from_le_bytes(window), length);
        }
        assert!(length <= Span::LONGEST, "callers keep the limit on strings");
        let hash = self.content.hash_bytes(self.content.bytes.get(start..).unwrap_or_default());
        Value::long_string(hash, Span::new(start, length))
    }

    /// Forgets what was written since `start`.
    pub(crate) fn cut_text(&mut self, start: usize) {
        self.content.bytes.truncate(start);
    }

    /// The bytes of a string from one place to another, which must lie in it. A long part shares the bytes.
    pub(crate) fn part(&mut self, string: Value, range: Range<usize>) -> Value {
        let Some(content) = self.as_string(&string).and_then(|content| content.get(range.clone())) else {
            return self.string(b"");
        };
        if content.len() <= SHORT_STRING {
            let mut window = [0; 16];
            window.iter_mut().zip(content).for_each(|(to, &from)| *to = from);
            return Value::short_string(u128::from_le_bytes(window), content.len());
        }
        let hash = self.content.hash_bytes(content);
        Value::long_string(hash, Span::new(Span::of(string).range().start + range.start, content.len()))
    }
}
