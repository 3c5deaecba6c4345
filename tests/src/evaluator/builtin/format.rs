//! `string.format`.

use super::convert::{float as nearest, not_finite, put_text, text_of};
use super::digits::Digits;
use super::{Given, string};
use crate::evaluator::operator::to_integer;
use crate::evaluator::{Evaluator, Outcome, Value};
use kerai_vm::limit;
use kerai_vm::number::Float;
use kerai_vm::trap::TrapCode;

/// An item of a format: `%`, flags, a width, a precision, and a letter that says what is written.
struct Item<'f> {
    flags: &'f [u8],
    width: usize,
    precision: Option<usize>,
    letter: u8,
}

fn take<'f>(rest: &mut &'f [u8], most: usize, wanted: impl Fn(u8) -> bool) -> &'f [u8] {
    let count = rest.iter().take(most).take_while(|&&byte| wanted(byte)).count();
    let (taken, left) = rest.split_at(count);
    *rest = left;
    taken
}

fn value_of(digits: &[u8]) -> usize {
    digits.iter().fold(0, |value, digit| 10 * value + usize::from(digit - b'0'))
}

impl<'f> Item<'f> {
    /// Reads the item that stands behind a `%`.
    fn read(rest: &mut &'f [u8]) -> Outcome<Item<'f>> {
        let before = rest.len();
        let flags = take(rest, usize::MAX, |byte| b"-+ #0".contains(&byte));
        let width = value_of(take(rest, 2, |byte| byte.is_ascii_digit()));
        let has_point = !take(rest, 1, |byte| byte == b'.').is_empty();
        let precision = has_point.then(|| value_of(take(rest, 2, |byte| byte.is_ascii_digit())));
        let is_bare = rest.len() == before;
        let letter = *take(rest, 1, |_| true).first().ok_or(TrapCode::FORMAT)?;
        let allowed: &[u8] = match letter {
            b'c' | b's' => b"-",
            b'd' | b'i' => b"-+ 0",
            b'u' => b"-0",
            b'o' | b'x' | b'X' => b"-#0",
            b'a' | b'A' | b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => b"-+ #0",
            b'q' if is_bare => b"",
            _ => return Err(TrapCode::FORMAT.into()),
        };
        let is_long = (before - rest.len()) as u64 > limit::FORMAT_ITEM.value;
        let fits = flags.iter().all(|flag| allowed.contains(flag)) && !(letter == b'c' && precision.is_some());
        if is_long || !fits {
            return Err(TrapCode::FORMAT.into());
        }
        Ok(Item { flags, width, precision, letter })
    }

    fn has(&self, flag: u8) -> bool {
        self.flags.contains(&flag)
    }

    fn sign(&self, is_negative: bool) -> &'static str {
        match (is_negative, self.has(b'+'), self.has(b' ')) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        }
    }

    /// What is written with what stands before its digits, filled to the width.
    fn filled(&self, prefix: &str, body: &[u8], may_zeros: bool) -> Vec<u8> {
        let missing = self.width.saturating_sub(prefix.len() + body.len());
        let (zeros, spaces) = (vec![b'0'; missing], vec![b' '; missing]);
        let prefix = prefix.as_bytes();
        if self.has(b'-') {
            [prefix, body, &spaces].concat()
        } else if self.has(b'0') && may_zeros {
            [prefix, &zeros, body].concat()
        } else {
            [&spaces, prefix, body].concat()
        }
    }
}

pub(super) fn format(evaluator: &mut Evaluator, given: &Given) -> Outcome<Value> {
    let format = given.text(0)?;
    evaluator.burn(format.len() as u64)?;
    let mut rest = &format[..];
    let (mut out, mut next) = (Vec::new(), 1);
    while !rest.is_empty() {
        out.extend_from_slice(take(&mut rest, usize::MAX, |byte| byte != b'%'));
        if take(&mut rest, 1, |byte| byte == b'%').is_empty() {
            break;
        }
        if !take(&mut rest, 1, |byte| byte == b'%').is_empty() {
            out.push(b'%');
            continue;
        }
        let item = Item::read(&mut rest)?;
        let value = given.0.get(next).ok_or(TrapCode::ARGUMENTS)?;
        next += 1;
        out.extend(written(evaluator, &item, value)?);
    }
    Ok(string(out))
}

fn written(evaluator: &Evaluator, item: &Item, value: &Value) -> Outcome<Vec<u8>> {
    Ok(match item.letter {
        b'd' | b'i' => {
            let value = integer(value)?;
            let least = item.precision.unwrap_or(1);
            let digits = at_least(least, value.unsigned_abs().to_string(), value == 0);
            item.filled(item.sign(value < 0), digits.as_bytes(), item.precision.is_none())
        }
        b'u' | b'o' | b'x' | b'X' => unsigned(item, integer(value)?)?,
        b'c' => item.filled("", &[to_integer(value)? as u8], false),
        b's' => {
            let mut text = text_of(evaluator, value);
            text.truncate(item.precision.unwrap_or(usize::MAX));
            item.filled("", &text, false)
        }
        b'q' => quoted(value)?,
        b'a' | b'A' => {
            let float = match value {
                Value::String(_) => return Err(TrapCode::KIND.into()),
                other => nearest(other)?,
            };
            hexadecimal(item, float)
        }
        _ => decimal(item, value)?,
    })
}

/// The integer that a number of any kind is.
fn integer(value: &Value) -> Outcome<i128> {
    let number = match value {
        Value::Float(float) => return Ok(float.to_i64_exact().ok_or(TrapCode::NOT_INTEGER)?.into()),
        Value::Fixed(fixed) => fixed.to_number_exact().ok_or(TrapCode::NOT_INTEGER)?,
        Value::Number(number) => *number,
        _ => return Err(TrapCode::KIND.into()),
    };
    if number.scale() == 0 { Ok(number.coefficient()) } else { Err(TrapCode::NOT_INTEGER.into()) }
}

/// Digits, at least so many; a zero has none of its own.
fn at_least(count: usize, digits: String, is_zero: bool) -> String {
    let digits = if is_zero { String::new() } else { digits };
    "0".repeat(count.saturating_sub(digits.len())) + &digits
}

fn unsigned(item: &Item, value: i128) -> Outcome<Vec<u8>> {
    let magnitude = match u128::try_from(value) {
        Ok(magnitude) => magnitude,
        Err(_) => u128::from(i64::try_from(value).map_err(|_| TrapCode::NOT_INTEGER)?.cast_unsigned()),
    };
    let digits = match item.letter {
        b'x' => format!("{magnitude:x}"),
        b'X' => format!("{magnitude:X}"),
        b'o' => format!("{magnitude:o}"),
        _ => magnitude.to_string(),
    };
    let mut digits = at_least(item.precision.unwrap_or(1), digits, magnitude == 0);
    let prefix = match item.letter {
        b'x' if item.has(b'#') && magnitude != 0 => "0x",
        b'X' if item.has(b'#') && magnitude != 0 => "0X",
        _ => "",
    };
    if item.letter == b'o' && item.has(b'#') && !digits.starts_with('0') {
        digits.insert(0, '0');
    }
    Ok(item.filled(prefix, digits.as_bytes(), item.precision.is_none()))
}

fn cased(item: &Item, text: Vec<u8>) -> Vec<u8> {
    if item.letter.is_ascii_uppercase() { text.to_ascii_uppercase() } else { text }
}

fn without_digits(item: &Item, float: Float) -> Vec<u8> {
    let sign = if float.is_negative() { "" } else { item.sign(false) };
    cased(item, item.filled(sign, not_finite(float), false))
}

fn decimal(item: &Item, value: &Value) -> Outcome<Vec<u8>> {
    let (mut digits, is_negative) = match value {
        Value::Float(float) => match Digits::of_float(*float) {
            Some(digits) => (digits, float.is_negative()),
            None => return Ok(without_digits(item, *float)),
        },
        Value::Number(number) => (Digits::of_number(*number), number.is_negative()),
        Value::Fixed(fixed) => (Digits::of_fixed(*fixed), fixed.to_bits() < 0),
        _ => return Err(TrapCode::KIND.into()),
    };
    let (precision, alternate) = (item.precision.unwrap_or(6), item.has(b'#'));
    let mut out = Vec::new();
    match item.letter.to_ascii_lowercase() {
        b'f' => {
            digits.keep_places(precision);
            digits.plain(precision, alternate, &mut out);
        }
        b'e' => {
            digits.keep(precision as i32 + 1);
            digits.scientific(precision, alternate, b'e', &mut out);
        }
        _ => {
            let precision = precision.max(1);
            digits.keep(precision as i32);
            if digits.exponent() < -4 || digits.exponent() >= precision as i32 {
                let all = if alternate { precision } else { digits.significant() };
                digits.scientific(all - 1, alternate, b'e', &mut out);
            } else {
                let all = (precision as i32 - 1 - digits.exponent()) as usize;
                digits.plain(if alternate { all } else { digits.places() }, alternate, &mut out);
            }
        }
    }
    Ok(cased(item, item.filled(item.sign(is_negative), &out, true)))
}

/// A float by its bits.
fn hexadecimal(item: &Item, float: Float) -> Vec<u8> {
    if !float.is_finite() {
        return without_digits(item, float);
    }
    let bits = float.to_bits();
    let (fraction, exponent) = (bits & ((1 << 52) - 1), (bits >> 52 & 0x7ff) as i32);
    let (mut mantissa, exponent) = match (exponent, fraction) {
        (0, 0) => (0, 0),
        (0, fraction) => (fraction, -1022),
        (exponent, fraction) => (1 << 52 | fraction, exponent - 1023),
    };
    let places = match item.precision {
        None => 13 - (mantissa | 1 << 52).trailing_zeros() as usize / 4,
        Some(places) => places,
    };
    if places < 13 {
        // A half goes to the even digit.
        let unit = 1_u64 << (52 - 4 * places);
        let (kept, rest) = (mantissa / unit, mantissa % unit);
        let is_up = rest > unit / 2 || rest == unit / 2 && kept % 2 == 1;
        mantissa = (kept + u64::from(is_up)) * unit;
    }
    let digits = format!("{:013x}", mantissa & ((1 << 52) - 1));
    let digits: String = digits.chars().chain(std::iter::repeat('0')).take(places).collect();
    let point = if places > 0 || item.has(b'#') { "." } else { "" };
    let body = format!("{}{point}{digits}p{exponent:+}", mantissa >> 52);
    let prefix = format!("{}0x", item.sign(float.is_negative()));
    cased(item, item.filled(&prefix, body.as_bytes(), true))
}

/// A text that reads as the value in Lua's source.
fn quoted(value: &Value) -> Outcome<Vec<u8>> {
    let mut out = Vec::new();
    match value {
        Value::Nil => out.extend_from_slice(b"nil"),
        Value::Bool(truth) => out.extend(truth.to_string().bytes()),
        Value::Number(_) => put_text(value, &mut out)?,
        Value::Fixed(_) => {
            put_text(value, &mut out)?;
            out = [b"fixed(\"", &out[..], b"\")"].concat();
        }
        Value::Float(float) if float.is_nan() => out.extend_from_slice(b"(0/0)"),
        Value::Float(float) if float.is_infinite() => {
            out.extend_from_slice(if float.is_negative() { b"-1e9999" } else { b"1e9999" });
        }
        Value::Float(float) => {
            out = hexadecimal(&Item { flags: b"", width: 0, precision: None, letter: b'a' }, *float);
        }
        Value::String(text) => {
            out.push(b'"');
            for (place, &byte) in text.iter().enumerate() {
                let is_before_digit = text.get(place + 1).is_some_and(u8::is_ascii_digit);
                match byte {
                    b'"' | b'\\' | b'\n' => out.extend([b'\\', byte]),
                    _ if byte.is_ascii_control() && is_before_digit => out.extend(format!("\\{byte:03}").bytes()),
                    _ if byte.is_ascii_control() => out.extend(format!("\\{byte}").bytes()),
                    _ => out.push(byte),
                }
            }
            out.push(b'"');
        }
        _ => return Err(TrapCode::KIND.into()),
    }
    Ok(out)
}
