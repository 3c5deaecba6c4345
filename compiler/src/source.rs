//! A source as every front end reads it: UTF-8, assigned code points only, normalized.

use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::span::Span;
use kerai_vm::encoding::text;
use kerai_vm::limit;
use kerai_vm::refusal;
use std::borrow::Cow;

/// The text of a source, normalized. All spans are ranges of it, which are those of the file unless the file
/// was not in normalization form C; lines are the same in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source<'b> {
    text: Cow<'b, str>,
}

/// A place for people: line and column count from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

impl<'b> Source<'b> {
    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// Too large, not UTF-8, or with a code point that Unicode does not assign.
    pub fn read(bytes: &'b [u8]) -> Result<Source<'b>, Diagnostic> {
        let too_large = || {
            let most = limit::SOURCE_SIZE.value;
            let message = format!("the source has more than {most} bytes (limit `{}`)", limit::SOURCE_SIZE.name);
            Diagnostic::new(Code::SOURCE_SIZE, Span::default(), message)
        };
        let is_within = |length: usize| u64::try_from(length).is_ok_and(|length| length <= limit::SOURCE_SIZE.value);
        if !is_within(bytes.len()) {
            return Err(too_large());
        }
        let normalized = text::normalize(bytes).map_err(|fault| refused(bytes, fault))?;
        if !is_within(normalized.len()) {
            return Err(too_large());
        }
        let text = match normalized {
            Cow::Borrowed(bytes) => str::from_utf8(bytes).map(Cow::Borrowed).ok(),
            Cow::Owned(bytes) => String::from_utf8(bytes).map(Cow::Owned).ok(),
        };
        // Normalizing gives UTF-8; were it not so, the refusal would be that of bytes which are none.
        text.map(|text| Source { text }).ok_or_else(|| Diagnostic::plain(Code::SOURCE_UTF8, Span::default()))
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether reading changed nothing.
    #[must_use]
    pub const fn is_as_written(&self) -> bool {
        matches!(self.text, Cow::Borrowed(_))
    }
}

fn refused(bytes: &[u8], fault: text::TextFault) -> Diagnostic {
    // The size was checked, so offsets fit; what follows the offset is one character or one bad byte.
    let start = u32::try_from(fault.offset).unwrap_or(u32::MAX);
    let rest = bytes.get(fault.offset..).unwrap_or_default();
    let point = rest.get(..rest.len().min(4)).unwrap_or_default().utf8_chunks().next();
    let point = point.and_then(|chunk| chunk.valid().chars().next());
    let span = Span::new(start, start.saturating_add(point.map_or(1, |point| point.len_utf8() as u32)));
    match (fault.code, point) {
        (refusal::Code::DATA_UNASSIGNED, Some(point)) => {
            let message = format!("Unicode does not assign U+{:04X}", u32::from(point));
            Diagnostic::new(Code::SOURCE_UNASSIGNED, span, message)
        }
        _ => Diagnostic::plain(Code::SOURCE_UTF8, span),
    }
}

impl Position {
    /// Where an offset stands in a text.
    #[must_use]
    pub fn of(text: &[u8], offset: u32) -> Position {
        let before = text.get(..offset as usize).unwrap_or(text);
        let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        Position {
            line: 1 + before.iter().filter(|&&byte| byte == b'\n').count(),
            // Bytes that go on with a character are not counted.
            column: 1 + before.iter().skip(line_start).filter(|&&byte| byte & 0xc0 != 0x80).count(),
        }
    }
}
