//! Constants and quoted strings as text, each form written and read side by side.

use crate::bytecode::Constant;
use crate::number::{Fixed, Float, parse_decimal};
use core::fmt::Write;

/// Text that a person would not see, or would see elsewhere than it stands: controls, and marks of direction.
const fn is_hidden(point: char) -> bool {
    matches!(point, '\0'..=' ' | '\u{7f}'..='\u{a0}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202f}')
        || matches!(point, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A quoted string of any bytes: hidden characters and bytes that are no text are escaped.
pub(super) fn quote(bytes: &[u8]) -> String {
    let mut out = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        for point in chunk.valid().chars() {
            match point {
                '"' | '\\' => out.extend(['\\', point]),
                '\n' => out.push_str("\\n"),
                '\t' => out.push_str("\\t"),
                ' ' => out.push(' '),
                _ if is_hidden(point) => escape(point.encode_utf8(&mut [0; 4]).as_bytes(), &mut out),
                _ => out.push(point),
            }
        }
        escape(chunk.invalid(), &mut out);
    }
    out.push('"');
    out
}

fn escape(bytes: &[u8], out: &mut String) {
    for byte in bytes {
        // Writing to a string never fails.
        let _ = write!(out, "\\x{byte:02x}");
    }
}

/// The bytes of a string in its quotes.
pub(super) fn unquote(text: &str) -> Option<Vec<u8>> {
    let mut rest = text.strip_prefix('"')?.strip_suffix('"')?.as_bytes();
    let mut bytes = Vec::new();
    loop {
        rest = match rest {
            [] => return Some(bytes),
            [b'\\', b'x', high, low, after @ ..] => {
                bytes.push(hexadecimal_byte(&[*high, *low])?);
                after
            }
            [b'\\', letter, after @ ..] => {
                bytes.push(match letter {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'"' | b'\\' => *letter,
                    _ => return None,
                });
                after
            }
            [b'\\' | b'"'] => return None,
            [byte, after @ ..] => {
                bytes.push(*byte);
                after
            }
        };
    }
}

fn hexadecimal_byte(digits: &[u8]) -> Option<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let [high, low] = digits else { return None };
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

/// A constant as it stands in code.
pub(super) fn print(constant: &Constant) -> String {
    let mut digits = Vec::new();
    let (open, close) = match constant {
        Constant::Number(number) => {
            number.write_text(&mut digits);
            ("", "")
        }
        Constant::Float(bits) => {
            Float::from_bits(*bits).write_shortest(&mut digits);
            ("float(", ")")
        }
        Constant::Fixed(bits) => {
            Fixed::from_bits(**bits).write_text(&mut digits);
            ("fixed(", ")")
        }
        Constant::String(text) => return quote(text),
        Constant::Bytes(bytes) => {
            let hexadecimal: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            return format!("bytes({hexadecimal})");
        }
    };
    format!("{open}{}{close}", String::from_utf8_lossy(&digits))
}

/// Reads what [`print`] writes.
pub(super) fn parse(text: &str) -> Option<Constant> {
    if text.starts_with('"') {
        return unquote(text).map(|text| Constant::String(text.into()));
    }
    let Some((form, content)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) else {
        return parse_decimal(text.as_bytes()).ok().map(Constant::Number);
    };
    match form {
        "float" => float(content).map(Constant::float),
        "fixed" => fixed(content).map(Constant::fixed),
        "bytes" => content.as_bytes().chunks(2).map(hexadecimal_byte).collect::<Option<_>>().map(Constant::Bytes),
        _ => None,
    }
}

fn float(text: &str) -> Option<Float> {
    match text {
        "nan" => Some(Float::NAN),
        "inf" => Some(Float::INFINITY),
        "-inf" => Some(Float::INFINITY.negate()),
        _ => Float::parse(text.as_bytes()),
    }
}

/// A fixed-point number from its exact digits: nothing is rounded.
fn fixed(text: &str) -> Option<Fixed> {
    let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |text| (true, text));
    let (integral, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if integral.is_empty() || !is_digits(integral) || !is_digits(fraction) || fraction.len() > 64 {
        return None;
    }
    let mut digits: Vec<u8> = fraction.bytes().map(|byte| byte - b'0').collect();
    let mut magnitude: u128 = integral.parse::<u64>().ok()?.into();
    // Doubling the fraction 64 times moves its bits out in front of the dot; what is left over would be rounded.
    for _ in 0..64 {
        let mut carry = 0;
        for digit in digits.iter_mut().rev() {
            let doubled = *digit * 2 + carry;
            (*digit, carry) = (doubled % 10, doubled / 10);
        }
        magnitude = magnitude << 1 | u128::from(carry);
    }
    if digits.iter().any(|digit| *digit != 0) {
        return None;
    }
    let bits = if is_negative { 0_i128.checked_sub_unsigned(magnitude) } else { i128::try_from(magnitude).ok() };
    bits.map(Fixed::from_bits)
}
