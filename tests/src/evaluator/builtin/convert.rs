//! Kinds, and ways between them.

use super::digits::Digits;
use super::{Given, of};
use crate::evaluator::operator::put_exact;
use crate::evaluator::{Evaluator, Outcome, Table, Value};
use kerai_vm::limit;
use kerai_vm::number::{Fixed, Float, Number, parse_decimal};
use kerai_vm::trap::TrapCode;

pub(super) const fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nil",
        Value::Bool(_) => "boolean",
        Value::Number(_) | Value::Float(_) | Value::Fixed(_) => "number",
        Value::String(_) => "string",
        Value::Bytes(_) => "bytes",
        Value::Table(_) => "table",
        Value::Function(_) | Value::Closure(_) => "function",
    }
}

pub(super) fn kind(evaluator: &Evaluator, value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "bool",
        Value::Float(_) => "float",
        Value::Fixed(_) => "fixed",
        Value::Table(_) => evaluator.table(value).map_or("", Table::kind),
        other => type_of(other),
    }
}

/// Appends a string, or a number's text.
pub(in crate::evaluator) fn put_text(value: &Value, out: &mut Vec<u8>) -> Result<(), TrapCode> {
    match value {
        Value::Float(float) => {
            // Fourteen digits at most, and never like an integer.
            let Some(mut digits) = Digits::of_float(*float) else {
                out.extend_from_slice(not_finite(*float));
                return Ok(());
            };
            digits.keep(14);
            out.extend_from_slice(if float.is_negative() { b"-" } else { b"" });
            if (-4..14).contains(&digits.exponent()) {
                digits.plain(digits.places().max(1), false, out);
            } else {
                digits.scientific(digits.significant() - 1, false, b'e', out);
            }
            Ok(())
        }
        other => put_exact(other, out),
    }
}

pub(super) const fn not_finite(float: Float) -> &'static [u8] {
    match (float.is_nan(), float.is_negative()) {
        (true, _) => b"nan",
        (false, true) => b"-inf",
        (false, false) => b"inf",
    }
}

/// The text of any value.
pub(super) fn text_of(evaluator: &Evaluator, value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    match value {
        Value::Bool(true) => b"true".to_vec(),
        Value::Bool(false) => b"false".to_vec(),
        _ => match put_text(value, &mut out) {
            Ok(()) => out,
            Err(_) => kind(evaluator, value).as_bytes().to_vec(),
        },
    }
}

pub(super) fn to_string(evaluator: &Evaluator, value: &Value) -> Value {
    Value::String(text_of(evaluator, value).into())
}

/// A text without the white space around it, where it is ASCII.
fn trimmed(text: &[u8]) -> Option<&str> {
    let is_space = |character: char| matches!(character, '\t'..='\r' | ' ');
    // What is no UTF-8 is no number either.
    str::from_utf8(text).ok().map(|text| text.trim_matches(is_space)).filter(|text| text.is_ascii())
}

/// A numeral: what Lua reads as a number, taken apart.
struct Numeral<'t> {
    is_negative: bool,
    is_hexadecimal: bool,
    integral: &'t str,
    fraction: &'t str,
    exponent: Option<&'t str>,
    is_integer: bool,
}

impl<'t> Numeral<'t> {
    fn read(text: &'t [u8]) -> Option<Numeral<'t>> {
        let text = trimmed(text).filter(|text| text.len() as u64 <= limit::NUMBER_TEXT.value)?;
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let hexadecimal = unsigned.strip_prefix("0x").or(unsigned.strip_prefix("0X"));
        let rest = hexadecimal.unwrap_or(unsigned);
        let marks = if hexadecimal.is_some() { ['p', 'P'] } else { ['e', 'E'] };
        let (mantissa, exponent) = rest.split_once(marks).map_or((rest, None), |(before, after)| (before, Some(after)));
        let (integral, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let base = if hexadecimal.is_some() { 16 } else { 10 };
        let are_digits = |text: &str, base| text.chars().all(|digit| digit.is_digit(base));
        let is_exponent = |text: &str| {
            let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
            !digits.is_empty() && are_digits(digits, 10)
        };
        let is_right = are_digits(integral, base)
            && are_digits(fraction, base)
            && !(integral.is_empty() && fraction.is_empty())
            && exponent.is_none_or(is_exponent);
        is_right.then_some(Numeral {
            is_negative: text.starts_with('-'),
            is_hexadecimal: hexadecimal.is_some(),
            integral,
            fraction,
            exponent,
            is_integer: exponent.is_none() && !mantissa.contains('.'),
        })
    }

    fn number(&self) -> Option<Number> {
        if self.is_hexadecimal { self.hexadecimal() } else { self.decimal() }
    }

    fn decimal(&self) -> Option<Number> {
        let integral = self.integral.trim_start_matches('0');
        let is_zero = integral.is_empty() && self.fraction.chars().all(|digit| digit == '0');
        let sign = if self.is_negative && !is_zero { "-" } else { "" };
        let integral = if integral.is_empty() { "0" } else { integral };
        let point = if self.fraction.is_empty() { "" } else { "." };
        let exponent = self.exponent.map(|exponent| format!("e{exponent}")).unwrap_or_default();
        parse_decimal(format!("{sign}{integral}{point}{}{exponent}", self.fraction).as_bytes()).ok()
    }

    fn hexadecimal(&self) -> Option<Number> {
        let digits = format!("{}{}", self.integral, self.fraction);
        let mut magnitude = u128::from_str_radix(&digits, 16).ok()?;
        let exponent: i64 = self.exponent.unwrap_or("0").parse().ok()?;
        let mut exponent = exponent.checked_sub(4 * self.fraction.len() as i64)?;
        let mut scale = 0;
        // By two where it goes up; down by halves as long as there are any, then by five tenths.
        while magnitude != 0 && exponent != 0 {
            if exponent > 0 {
                magnitude = magnitude.checked_mul(2)?;
                exponent -= 1;
            } else {
                if magnitude % 2 == 0 {
                    magnitude /= 2;
                } else {
                    magnitude = magnitude.checked_mul(5)?;
                    scale += 1;
                }
                exponent += 1;
            }
        }
        let magnitude = i128::try_from(magnitude).ok()?;
        Number::new(if self.is_negative { -magnitude } else { magnitude }, scale).ok()
    }
}

pub(super) fn to_number(given: &Given, may_be_float: bool) -> Outcome<Value> {
    let value = given.value(0);
    if let Some(base) = given.integer(1)? {
        let base = u32::try_from(base).ok().filter(|base| (2..=36).contains(base)).ok_or(TrapCode::ARGUMENTS)?;
        return Ok(in_base(&given.text(0)?, base).map_or(Value::Nil, Value::Number));
    }
    let Value::String(text) = &value else {
        return Ok(if value.is_numeric() { value } else { Value::Nil });
    };
    let Some(numeral) = Numeral::read(text) else { return Ok(Value::Nil) };
    let float = trimmed(text).and_then(|text| Float::parse(text.as_bytes())).filter(|_| may_be_float);
    Ok(match (numeral.number(), float) {
        (Some(number), None) => Value::Number(number),
        (Some(number), Some(_)) if numeral.is_integer => Value::Number(number),
        (_, Some(float)) => Value::Float(float),
        (None, None) => Value::Nil,
    })
}

fn in_base(text: &[u8], base: u32) -> Option<Number> {
    let text = trimmed(text)?;
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    // The standard reader would take a second sign.
    let digits = Some(digits).filter(|digits| !digits.starts_with(['+', '-']))?;
    let magnitude = i128::from_str_radix(digits, base).ok()?;
    Number::from_integer(if text.starts_with('-') { -magnitude } else { magnitude }).ok()
}

pub(super) fn decimal(value: &Value) -> Outcome<Number> {
    match value {
        Value::String(text) => of(parse_decimal(text)),
        Value::Number(number) => Ok(*number),
        Value::Float(float) => of(Number::from_float_bits(float.to_bits())),
        Value::Fixed(fixed) => Ok(fixed.to_number()),
        _ => Err(TrapCode::KIND.into()),
    }
}

pub(super) fn float(value: &Value) -> Outcome<Float> {
    match value {
        Value::String(text) => {
            let content = Numeral::read(text).and_then(|_| trimmed(text));
            content.and_then(|text| Float::parse(text.as_bytes())).ok_or(TrapCode::KIND.into())
        }
        Value::Number(number) => Ok(Float::from_bits(number.to_float_bits())),
        Value::Float(float) => Ok(*float),
        Value::Fixed(fixed) => Ok(Float::from_bits(fixed.to_float_bits())),
        _ => Err(TrapCode::KIND.into()),
    }
}

pub(super) fn fixed(value: &Value) -> Outcome<Fixed> {
    match value {
        Value::String(text) => of(Fixed::parse(text)),
        Value::Number(number) => of(Fixed::from_number(*number)),
        Value::Float(float) => of(Fixed::from_float_bits(float.to_bits())),
        Value::Fixed(fixed) => Ok(*fixed),
        _ => Err(TrapCode::KIND.into()),
    }
}
