//! What literals stand for: the kinds of numerals, the bytes of strings.

use super::token::{is_space, long_level};
use super::tree::NumeralKind;
use std::iter::Peekable;
use std::str::CharIndices;

/// The kind of a numeral, where the text is one.
pub fn numeral_kind(text: &str) -> Option<NumeralKind> {
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, is_digit, marks): (&str, fn(&u8) -> bool, [char; 2]) = match hexadecimal {
        Some(digits) => (digits, u8::is_ascii_hexdigit, ['p', 'P']),
        None => (text, u8::is_ascii_digit, ['e', 'E']),
    };
    let (mantissa, exponent) = match digits.split_once(marks) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (digits, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let parts = [whole, fraction.unwrap_or_default()];
    let is_right = parts.iter().all(|part| part.bytes().all(|byte| is_digit(&byte)))
        && parts.iter().any(|part| !part.is_empty())
        && exponent.is_none_or(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
    let is_integer = fraction.is_none() && exponent.is_none();
    is_right.then_some(match (hexadecimal.is_some(), is_integer) {
        (false, true) => NumeralKind::Integer,
        (false, false) => NumeralKind::Decimal,
        (true, true) => NumeralKind::HexInteger,
        (true, false) => NumeralKind::HexFloat,
    })
}

/// A wrong escape: the bytes of the literal that it spans, from one to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EscapeFault {
    pub start: usize,
    pub end: usize,
}

/// The bytes that a string literal stands for, and the escapes in it that are wrong, which add nothing.
pub fn string_bytes(literal: &str) -> (Vec<u8>, Vec<EscapeFault>) {
    if let Some(level) = long_level(literal) {
        return (long_bytes(literal, level), Vec::new());
    }
    let inner = literal.get(1..literal.len().saturating_sub(1)).unwrap_or_default();
    let mut reader = Reader {
        text: inner,
        rest: inner.char_indices().peekable(),
        bytes: Vec::with_capacity(inner.len()),
        faults: Vec::new(),
    };
    while let Some((at, point)) = reader.rest.next() {
        if point == '\\' {
            reader.escape(at);
        } else {
            let mut buffer = [0; 4];
            reader.bytes.extend_from_slice(point.encode_utf8(&mut buffer).as_bytes());
        }
    }
    (reader.bytes, reader.faults)
}

/// A long string's first line's end is left out, and every other is a newline.
fn long_bytes(literal: &str, level: usize) -> Vec<u8> {
    let brackets = level + 2;
    let mut inner =
        literal.get(brackets..literal.len().saturating_sub(brackets)).unwrap_or_default().bytes().peekable();
    let mut bytes = Vec::with_capacity(literal.len());
    let mut is_first = true;
    while let Some(byte) = inner.next() {
        match byte {
            b'\r' | b'\n' => {
                inner.next_if(|&next| matches!(next, b'\r' | b'\n') && next != byte);
                if !is_first {
                    bytes.push(b'\n');
                }
            }
            _ => bytes.push(byte),
        }
        is_first = false;
    }
    bytes
}

struct Reader<'t> {
    text: &'t str,
    rest: Peekable<CharIndices<'t>>,
    bytes: Vec<u8>,
    faults: Vec<EscapeFault>,
}

impl Reader<'_> {
    /// One escape, whose backslash was read.
    fn escape(&mut self, start: usize) {
        let Some((_, point)) = self.rest.next() else { return };
        let plain = match point {
            'a' => 7,
            'b' => 8,
            'f' => 12,
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            'v' => 11,
            '\\' => b'\\',
            '"' => b'"',
            '\'' => b'\'',
            '\r' | '\n' => {
                self.rest.next_if(|&(_, next)| matches!(next, '\r' | '\n') && next != point);
                b'\n'
            }
            'z' => {
                while self.rest.next_if(|&(_, next)| u8::try_from(next).is_ok_and(is_space)).is_some() {}
                return;
            }
            'x' => return self.number(start, 16, 2, 2, 255, |bytes, value| bytes.extend(u8::try_from(value))),
            'u' => return self.code_point(start),
            '0'..='9' => return self.decimal(start, point),
            _ => return self.fault(start),
        };
        self.bytes.push(plain);
    }

    fn fault(&mut self, start: usize) {
        let end = self.rest.peek().map_or(self.text.len(), |&(at, _)| at);
        // Places count in the literal, whose first byte is the quote.
        self.faults.push(EscapeFault { start: start + 1, end: end + 1 });
    }

    /// Digits of a base, between so many and so many of them, up to a value.
    fn number(&mut self, start: usize, base: u32, least: usize, most: usize, bound: u32, put: fn(&mut Vec<u8>, u32)) {
        let (mut value, mut count) = (0_u32, 0);
        while count < most
            && let Some((_, digit)) = self.rest.next_if(|(_, next)| next.is_digit(base))
        {
            value = value.saturating_mul(base).saturating_add(digit.to_digit(base).unwrap_or(0));
            count += 1;
        }
        if count < least || value > bound { self.fault(start) } else { put(&mut self.bytes, value) }
    }

    fn decimal(&mut self, start: usize, first: char) {
        let mut value = first.to_digit(10).unwrap_or(0);
        for _ in 0..2 {
            let Some((_, digit)) = self.rest.next_if(|(_, next)| next.is_ascii_digit()) else { break };
            value = value * 10 + digit.to_digit(10).unwrap_or(0);
        }
        match u8::try_from(value) {
            Ok(byte) => self.bytes.push(byte),
            Err(_) => self.fault(start),
        }
    }

    /// `\u{…}`: UTF-8 as it first was, up to six bytes, which stock Lua writes too.
    fn code_point(&mut self, start: usize) {
        if self.rest.next_if(|&(_, next)| next == '{').is_none() {
            return self.fault(start);
        }
        self.number(start, 16, 1, usize::MAX, 0x7fff_ffff, put_code_point);
        if self.rest.next_if(|&(_, next)| next == '}').is_none() {
            self.fault(start);
        }
    }
}

fn put_code_point(bytes: &mut Vec<u8>, point: u32) {
    let followers = match point {
        0..0x80 => return bytes.push(point as u8),
        0x80..0x800 => 1,
        0x800..0x1_0000 => 2,
        0x1_0000..0x20_0000 => 3,
        0x20_0000..0x400_0000 => 4,
        _ => 5_u32,
    };
    // The first byte has as many ones at its top as there are bytes.
    let lead = 0xff_u32 << (7 - followers) & 0xff;
    bytes.push((lead | point >> (6 * followers)) as u8);
    bytes.extend((0..followers).rev().map(|place| 0x80 | (point >> (6 * place) & 0x3f) as u8));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numerals_have_kinds() {
        let kinds = [
            ("0", Some(NumeralKind::Integer)),
            ("12", Some(NumeralKind::Integer)),
            ("1.", Some(NumeralKind::Decimal)),
            (".5", Some(NumeralKind::Decimal)),
            ("1e+3", Some(NumeralKind::Decimal)),
            ("0xfF", Some(NumeralKind::HexInteger)),
            ("0x.8", Some(NumeralKind::HexFloat)),
            ("0xap-1", Some(NumeralKind::HexFloat)),
            ("0x", None),
            (".", None),
            ("1e", None),
            ("1e+", None),
            ("1..2", None),
            ("1_000", None),
            ("0xg", None),
            ("0x1p", None),
            ("1e5.2", None),
        ];
        for (text, kind) in kinds {
            assert_eq!(numeral_kind(text), kind, "{text}");
        }
    }

    #[test]
    fn strings_stand_for_bytes() {
        let right: [(&str, &[u8]); 10] = [
            (r#""a\n\065\x41\u{41}""#, b"a\nAAA"),
            ("\"a\\\r\nb\"", b"a\nb"),
            ("\"a\\z \n\t b\"", b"ab"),
            ("'\"\\''", b"\"'"),
            ("[[\nx\r\ny]]", b"x\ny"),
            ("[==[]]]=]]==]", b"]]]=]"),
            ("[[\n\n]]", b"\n"),
            (r"'\0009'", b"\x009"),
            (r"'\u{7FFFFFFF}'", b"\xfd\xbf\xbf\xbf\xbf\xbf"),
            (r"'\u{20AC}'", "\u{20ac}".as_bytes()),
        ];
        for (literal, bytes) in right {
            assert_eq!(string_bytes(literal), (bytes.to_vec(), vec![]), "{literal}");
        }
        for wrong in [r"'\q'", r"'\256'", r"'\x4'", r"'\xg1'", r"'\u41'", r"'\u{80000000}'", r"'\u{}'", r"'\u{41'"] {
            assert!(!string_bytes(wrong).1.is_empty(), "{wrong}");
        }
    }
}
