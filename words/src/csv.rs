//! CSV: fields between commas, quotes where they are needed. What is empty without quotes is null, with quotes an empty
//! text, so that what is read can be written as it was.

use std::io::{self, BufRead, Write};

/// The most columns of a table, and the most bytes of one field.
pub const MOST_COLUMNS: usize = 1000;
pub const LONGEST_FIELD: usize = 8 << 20;

/// The most bytes of one row.
pub const LONGEST_ROW: usize = 32 << 20;

/// A field: nothing, or a text.
pub type Field = Option<String>;

/// Why a file is no CSV.
#[derive(Debug)]
pub enum Fault {
    Read(io::Error),
    /// What is wrong, and on which line.
    Form(String, u64),
}

/// Reads records one after the other.
pub struct Reader<R> {
    source: R,
    line: u64,
    bytes: Vec<u8>,
    is_begun: bool,
}

impl<R: BufRead> Reader<R> {
    pub const fn new(source: R) -> Reader<R> {
        Reader { source, line: 0, bytes: Vec::new(), is_begun: false }
    }

    /// The line on which the last record ended.
    pub const fn line(&self) -> u64 {
        self.line
    }

    fn next_line(&mut self) -> Result<bool, Fault> {
        let start = self.bytes.len();
        // A line with an open quote is read on, never without bound.
        let most = (LONGEST_FIELD * 2) as u64;
        let count = io::Read::take(&mut self.source, most).read_until(b'\n', &mut self.bytes).map_err(Fault::Read)?;
        self.line += u64::from(count > 0);
        if count as u64 == most && self.bytes.last() != Some(&b'\n') {
            return Err(Fault::Form(format!("a line has more than {most} bytes"), self.line));
        }
        if self.bytes.len() > LONGEST_ROW {
            return Err(Fault::Form(format!("a row has more than {LONGEST_ROW} bytes"), self.line));
        }
        if !self.is_begun {
            self.is_begun = true;
            if self.bytes.get(start..).is_some_and(|line| line.starts_with(b"\xef\xbb\xbf")) {
                self.bytes.drain(start..start + 3);
            }
        }
        Ok(count > 0)
    }

    /// The next record; an empty line is none unless the table has one column.
    pub fn record(&mut self, columns: Option<usize>) -> Result<Option<Vec<Field>>, Fault> {
        loop {
            self.bytes.clear();
            let first = self.line + 1;
            if !self.next_line()? {
                return Ok(None);
            }
            if matches!(self.bytes.as_slice(), b"\n" | b"\r\n") {
                if columns == Some(1) {
                    return Ok(Some(vec![None]));
                }
                continue;
            }
            return self.fields(first).map(Some);
        }
    }

    fn fields(&mut self, first: u64) -> Result<Vec<Field>, Fault> {
        let mut fields = Vec::new();
        let mut at = 0;
        loop {
            let (field, next) = self.field(at, first)?;
            fields.push(field);
            if fields.len() > MOST_COLUMNS {
                return Err(Fault::Form(format!("more than {MOST_COLUMNS} columns"), first));
            }
            match next {
                Some(next) => at = next,
                None => return Ok(fields),
            }
        }
    }

    /// The field that begins at a place, and where the next one begins.
    fn field(&mut self, start: usize, first: u64) -> Result<(Field, Option<usize>), Fault> {
        let is_quoted = self.bytes.get(start) == Some(&b'"');
        let mut content = Vec::new();
        let mut at = start + usize::from(is_quoted);
        let mut is_open = is_quoted;
        let next = loop {
            match self.bytes.get(at).copied() {
                Some(b'"') if is_open && self.bytes.get(at + 1) == Some(&b'"') => {
                    content.push(b'"');
                    at += 1;
                }
                Some(b'"') if is_open => is_open = false,
                Some(byte) if is_open => content.push(byte),
                None if is_open => {
                    if !self.next_line()? {
                        return Err(Fault::Form("a quote is never closed".to_owned(), first));
                    }
                    continue;
                }
                Some(b',') => break Some(at + 1),
                None | Some(b'\n') => break None,
                Some(b'\r') if matches!(self.bytes.get(at + 1), None | Some(b'\n')) => break None,
                Some(_) if is_quoted => {
                    let message = "something follows a closing quote: quotes within a field are doubled".to_owned();
                    return Err(Fault::Form(message, self.line));
                }
                Some(byte) => content.push(byte),
            }
            at += 1;
            if content.len() > LONGEST_FIELD {
                return Err(Fault::Form(format!("a field has more than {LONGEST_FIELD} bytes"), first));
            }
        };
        let text = String::from_utf8(content)
            .map_err(|_| Fault::Form("a field is not UTF-8: save the file as UTF-8".to_owned(), self.line))?;
        Ok(((is_quoted || !text.is_empty()).then_some(text), next))
    }
}

/// Writes a record.
pub fn write_record<'f>(out: &mut impl Write, fields: impl IntoIterator<Item = Option<&'f str>>) -> io::Result<()> {
    for (at, field) in fields.into_iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        match field {
            None => {}
            Some(text) if text.is_empty() || needs_quotes(text) => {
                write!(out, "\"{}\"", text.replace('"', "\"\""))?;
            }
            Some(text) => out.write_all(text.as_bytes())?,
        }
    }
    out.write_all(b"\n")
}

/// `\.` alone would end the rows that a server is sent.
fn needs_quotes(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'))
        || text.starts_with('\u{feff}')
        || text == "\\."
}

/// Digits of a number that every database keeps.
const LONGEST_NUMBER: usize = 1000;

/// What all values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Type {
    /// Nothing but null so far.
    #[default]
    Empty,
    Integer,
    Decimal,
    Bool,
    Date,
    Text,
}

impl Type {
    pub const fn name(self) -> &'static str {
        match self {
            Type::Integer => "integer",
            Type::Decimal => "decimal",
            Type::Bool => "bool",
            Type::Date => "date",
            Type::Empty | Type::Text => "text",
        }
    }

    /// What a text alone is.
    fn of(text: &str) -> Type {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (digits, None),
        };
        let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let is_plain = text.len() <= LONGEST_NUMBER && are_digits(whole) && (whole == "0" || !whole.starts_with('0'));
        // What has no sign as a number keeps it as a text.
        let is_plain =
            is_plain && !(digits.len() < text.len() && digits.bytes().all(|byte| matches!(byte, b'0' | b'.')));
        match fraction {
            // Only what comes out as it went in: no zeros before, no minus before zero, within 64 bits.
            None if is_plain && text.parse::<i64>().is_ok() => Type::Integer,
            Some(fraction) if is_plain && are_digits(fraction) => Type::Decimal,
            None if matches!(text, "true" | "false") => Type::Bool,
            _ if is_date(text) => Type::Date,
            _ => Type::Text,
        }
    }

    /// What a column is that has this text too.
    pub fn with(self, text: &str) -> Type {
        if self == Type::Text {
            return Type::Text;
        }
        match (self, Type::of(text)) {
            (Type::Empty, found) => found,
            (known, found) if known == found => known,
            (Type::Integer, Type::Decimal) | (Type::Decimal, Type::Integer) => Type::Decimal,
            _ => Type::Text,
        }
    }
}

/// `2024-02-29`
fn is_date(text: &str) -> bool {
    let part = |range: std::ops::Range<usize>| text.get(range).and_then(|part| part.parse::<u32>().ok());
    let is_shaped = text.len() == 10
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() });
    let (Some(year), Some(month), Some(day)) = (part(0..4), part(5..7), part(8..10)) else { return false };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    is_shaped && year > 0 && (1..=12).contains(&month) && (1..=days).contains(&day)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn round(text: &str, columns: usize) -> String {
        let mut reader = Reader::new(text.as_bytes());
        let mut out = Vec::new();
        while let Some(record) = reader.record(Some(columns)).unwrap() {
            write_record(&mut out, record.iter().map(|field| field.as_deref())).unwrap();
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_read_is_written_again() {
        for (text, columns) in [
            ("a,b\n1,2\n", 2),
            ("a,b\n,\"\"\n", 2),
            ("a\n\n\"\"\nx\n", 1),
            ("a,b\n\"x,\"\"y\"\"\nz\",1.50\n", 2),
            ("a,b\nü, b \n", 2),
        ] {
            assert_eq!(round(text, columns), text);
        }
        assert_eq!(round("\u{feff}a,b\r\n1,2", 2), "a,b\n1,2\n");
        assert!(matches!(Reader::new(&b"\"a"[..]).record(None), Err(Fault::Form(_, 1))));
        assert!(matches!(Reader::new(&b"\"a\"b"[..]).record(None), Err(Fault::Form(_, 1))));
        assert!(matches!(Reader::new(&b"\xff"[..]).record(None), Err(Fault::Form(_, 1))));
    }

    #[test]
    fn types_keep_every_digit() {
        let of = |texts: &[&str]| texts.iter().fold(Type::Empty, |known, text| known.with(text));
        assert_eq!(of(&["1", "-20"]), Type::Integer);
        assert_eq!(of(&["1", "2.50"]), Type::Decimal);
        assert_eq!(of(&["007"]), Type::Text);
        assert_eq!(of(&["-0"]), Type::Text);
        assert_eq!(of(&["-0.00"]), Type::Text);
        assert_eq!(of(&["-0.01"]), Type::Decimal);
        assert_eq!(of(&["0000-01-01"]), Type::Text);
        assert_eq!(of(&["9223372036854775808"]), Type::Text);
        assert_eq!(of(&["2024-02-29"]), Type::Date);
        assert_eq!(of(&["2023-02-29"]), Type::Text);
        assert_eq!(of(&["true", "1"]), Type::Text);
    }
}
