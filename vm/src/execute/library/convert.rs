//! Kinds, and ways between them: text to number and back.

use super::build::Build;
use super::format::put_exact_float;
use super::{Call, text};
use crate::execute::{Outcome, arithmetic};
use crate::limit;
use crate::meter::Meter;
use crate::number::{Fixed, Float, Number, parse_decimal};
use crate::trap::TrapCode;
use crate::value::{Heap, Kind, Tag, Value};

/// The kind as Lua names it.
pub(super) fn type_name(call: &mut Call) -> Outcome<Value> {
    Ok(name_of(call.argument(0)))
}

/// The name of a value's kind.
pub(super) const fn name_of(value: Value) -> Value {
    const NIL: Value = Value::short_text("nil");
    const BOOLEAN: Value = Value::short_text("boolean");
    const NUMBER: Value = Value::short_text("number");
    const STRING: Value = Value::short_text("string");
    const BYTES: Value = Value::short_text("bytes");
    const TABLE: Value = Value::short_text("table");
    const FUNCTION: Value = Value::short_text("function");
    match value.tag() {
        Tag::Nil => NIL,
        Tag::Bool => BOOLEAN,
        Tag::Number | Tag::WideNumber | Tag::Float | Tag::Fixed => NUMBER,
        Tag::ShortString | Tag::LongString => STRING,
        Tag::Bytes => BYTES,
        Tag::Table => TABLE,
        Tag::Function | Tag::Closure => FUNCTION,
    }
}

pub(super) fn kind(call: &mut Call) -> Outcome<Value> {
    let name = call.heap.kind(call.argument(0)).name();
    Ok(call.heap.string(name.as_bytes()))
}

/// The text of what is neither string nor number.
pub(super) fn kind_text(heap: &Heap, value: Value) -> &'static [u8] {
    match value.as_bool() {
        Some(true) => b"true",
        Some(false) => b"false",
        None => heap.kind(value).name().as_bytes(),
    }
}

pub(super) fn to_string(call: &mut Call) -> Outcome<Value> {
    let value = call.argument(0);
    if call.heap.as_string(&value).is_some() {
        return Ok(value);
    }
    let mut build = Build::new(call.heap, call.meter)?;
    if !build.push_value(value)? {
        build.push(kind_text(build.heap, value))?;
    }
    Ok(build.finish())
}

/// `%q`: a text that reads as the value in Lua's source.
pub(super) fn quote(build: &mut Build, value: Value) -> Outcome<()> {
    if let Some(length) = build.heap.as_string(&value).map(<[u8]>::len) {
        return quote_string(build, value, length);
    }
    if let Some(float) = value.as_float() {
        return put_exact_float(build, float);
    }
    match build.heap.kind(value) {
        Kind::Nil | Kind::Bool => build.push(kind_text(build.heap, value)),
        Kind::Number => build.push_value(value).map(|_| ()),
        Kind::Fixed => {
            build.push(b"fixed(\"")?;
            build.push_value(value)?;
            build.push(b"\")")
        }
        Kind::Float | Kind::String => Ok(()),
        Kind::Bytes | Kind::List | Kind::Map | Kind::Set | Kind::Function => Err(TrapCode::KIND),
    }
}

fn quote_string(build: &mut Build, value: Value, length: usize) -> Outcome<()> {
    build.push(b"\"")?;
    build.meter.charge(2 * length as u64)?;
    for place in 0..length {
        let content = text(build.heap, &value)?;
        let Some(&byte) = content.get(place) else { break };
        let is_before_digit = content.get(place + 1).is_some_and(u8::is_ascii_digit);
        match byte {
            b'"' | b'\\' | b'\n' => build.push(&[b'\\', byte])?,
            _ if byte.is_ascii_control() => {
                let digits = [byte / 100, byte / 10 % 10, byte % 10].map(|digit| b'0' + digit);
                // Three digits where one follows that is not meant.
                let first =
                    if is_before_digit { 0 } else { digits.iter().position(|&digit| digit != b'0').unwrap_or(2) };
                build.push(b"\\")?;
                build.push(digits.get(first..).unwrap_or_default())?;
            }
            _ => build.push(&[byte])?,
        }
    }
    build.push(b"\"")
}

/// A numeral taken apart, by Lua's grammar: white space around it, a sign, digits, a point, an exponent.
struct Numeral<'t> {
    is_negative: bool,
    is_hexadecimal: bool,
    integral: &'t [u8],
    fraction: &'t [u8],
    exponent: Option<&'t [u8]>,
    has_point: bool,
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ')
}

/// A text without the white space around it.
fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_space(*first)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && is_space(*last)
    {
        text = rest;
    }
    text
}

fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    }
}

fn split_digits(text: &[u8], is_digit: fn(&u8) -> bool) -> (&[u8], &[u8]) {
    let length = text.iter().position(|byte| !is_digit(byte)).unwrap_or(text.len());
    text.split_at_checked(length).unwrap_or((text, &[]))
}

impl<'t> Numeral<'t> {
    fn read(text: &'t [u8]) -> Option<Numeral<'t>> {
        let (is_negative, unsigned) = split_sign(trimmed(text));
        let (is_hexadecimal, unsigned) = match unsigned {
            [b'0', b'x' | b'X', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let is_digit: fn(&u8) -> bool = if is_hexadecimal { u8::is_ascii_hexdigit } else { u8::is_ascii_digit };
        let (integral, rest) = split_digits(unsigned, is_digit);
        let (fraction, rest, has_point) = match rest {
            [b'.', rest @ ..] => {
                let (fraction, rest) = split_digits(rest, is_digit);
                (fraction, rest, true)
            }
            rest => (&[][..], rest, false),
        };
        let mark = if is_hexadecimal { b'p' } else { b'e' };
        let exponent = match rest {
            [] => None,
            [letter, exponent @ ..] if letter.to_ascii_lowercase() == mark => {
                let digits = split_sign(exponent).1;
                if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
                    return None;
                }
                Some(exponent)
            }
            _ => return None,
        };
        let is_empty = integral.is_empty() && fraction.is_empty();
        (!is_empty).then_some(Numeral { is_negative, is_hexadecimal, integral, fraction, exponent, has_point })
    }

    const fn is_integer(&self) -> bool {
        !self.has_point && self.exponent.is_none()
    }

    /// The exact number, if it is one.
    fn number(&self) -> Option<Number> {
        if self.is_hexadecimal { self.hexadecimal() } else { self.decimal() }
    }

    /// By the one reader of decimals, which wants a digit on both sides of a point and none too many before it.
    fn decimal(&self) -> Option<Number> {
        let zeros = self.integral.iter().take_while(|&&digit| digit == b'0').count();
        let integral = self.integral.get(zeros..).unwrap_or_default();
        let is_zero = integral.is_empty() && self.fraction.iter().all(|&digit| digit == b'0');
        let mut plain = Vec::with_capacity(integral.len() + self.fraction.len() + 16);
        if self.is_negative && !is_zero {
            plain.push(b'-');
        }
        plain.extend_from_slice(if integral.is_empty() { b"0" } else { integral });
        if !self.fraction.is_empty() {
            plain.push(b'.');
            plain.extend_from_slice(self.fraction);
        }
        if let Some(exponent) = self.exponent {
            plain.push(b'e');
            plain.extend_from_slice(exponent);
        }
        parse_decimal(&plain).ok()
    }

    fn hexadecimal(&self) -> Option<Number> {
        let digits = self.integral.iter().chain(self.fraction);
        let mut magnitude = 0_u128;
        for &digit in digits {
            let digit = char::from(digit).to_digit(16)?;
            magnitude = magnitude.checked_mul(16)?.checked_add(digit.into())?;
        }
        let exponent: i64 = match self.exponent {
            Some(exponent) => str::from_utf8(exponent).ok()?.parse().ok()?,
            None => 0,
        };
        let exponent = exponent.checked_sub(4 * i64::try_from(self.fraction.len()).ok()?)?;
        if magnitude == 0 {
            return Some(Number::ZERO);
        }
        // Halves that cancel are no places.
        let halves = i64::from(magnitude.trailing_zeros()).min(exponent.checked_neg()?.max(0));
        let (magnitude, exponent) = (magnitude >> halves, exponent + halves);
        let (magnitude, scale) = if exponent >= 0 {
            let power = 1_u128.checked_shl(u32::try_from(exponent).ok()?)?;
            (magnitude.checked_mul(power)?, 0)
        } else {
            let places = u32::try_from(-exponent).ok()?;
            (magnitude.checked_mul(5_u128.checked_pow(places)?)?, places)
        };
        let magnitude = i128::try_from(magnitude).ok()?;
        Number::new(if self.is_negative { -magnitude } else { magnitude }, scale).ok()
    }
}

/// A number's text, paid for; none where it is longer than a number may be.
fn numeral<'t>(heap: &'t Heap, meter: &mut Meter, value: &'t Value) -> Outcome<Option<Numeral<'t>>> {
    let content = text(heap, value)?;
    meter.charge_values(content.len())?;
    let short = (trimmed(content).len() as u64) <= limit::NUMBER_TEXT.value;
    Ok(Numeral::read(content).filter(|_| short))
}

pub(super) fn to_number(call: &mut Call) -> Outcome<Value> {
    convert_number(call, |_| None)
}

pub(super) fn to_number_float(call: &mut Call) -> Outcome<Value> {
    convert_number(call, |content| Float::parse(trimmed(content)))
}

/// The number of a text. What is written as no integer, or is none of the range, may be a float.
fn convert_number(call: &mut Call, float: fn(&[u8]) -> Option<Float>) -> Outcome<Value> {
    let value = call.argument(0);
    if let Some(base) = call.integer(1)? {
        return in_base(call, value, base);
    }
    if call.heap.as_string(&value).is_none() {
        let kind = call.heap.kind(value);
        return Ok(if matches!(kind, Kind::Number | Kind::Float | Kind::Fixed) { value } else { Value::NIL });
    }
    let Some(numeral) = numeral(call.heap, call.meter, &value)? else { return Ok(Value::NIL) };
    let content = text(call.heap, &value)?;
    match (numeral.number(), float(content)) {
        (Some(number), None) => arithmetic::number(call.heap, call.meter, number),
        (Some(number), Some(_)) if numeral.is_integer() => arithmetic::number(call.heap, call.meter, number),
        (_, Some(float)) => Ok(Value::float(float)),
        (None, None) => Ok(Value::NIL),
    }
}

/// An integer in another base; nil where it is none, or out of range.
fn in_base(call: &mut Call, value: Value, base: i64) -> Outcome<Value> {
    let base = u32::try_from(base).ok().filter(|base| (2..=36).contains(base)).ok_or(TrapCode::ARGUMENTS)?;
    let content = text(call.heap, &value)?;
    call.meter.charge_values(content.len())?;
    let (is_negative, digits) = match trimmed(content) {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let magnitude = digits.iter().try_fold(0_i128, |value, &digit| {
        value.checked_mul(base.into())?.checked_add(char::from(digit).to_digit(base)?.into())
    });
    let magnitude = magnitude.filter(|_| !digits.is_empty());
    let number = magnitude.and_then(|value| Number::from_integer(if is_negative { -value } else { value }).ok());
    number.map_or(Ok(Value::NIL), |number| arithmetic::number(call.heap, call.meter, number))
}

pub(super) fn decimal(call: &mut Call) -> Outcome<Value> {
    let value = call.argument(0);
    let number = match (call.heap.as_string(&value), value.as_float(), call.heap.as_fixed(value)) {
        (Some(content), ..) => {
            call.meter.charge_values(content.len())?;
            parse_decimal(content)?
        }
        (_, Some(float), _) => Number::from_float_bits(float.to_bits())?,
        (_, _, Some(fixed)) => fixed.to_number(),
        (None, None, None) => call.heap.as_number(value).ok_or(TrapCode::KIND)?,
    };
    arithmetic::number(call.heap, call.meter, number)
}

pub(super) fn float(call: &mut Call) -> Outcome<Value> {
    let value = call.argument(0);
    if call.heap.as_string(&value).is_some() {
        let numeral = numeral(call.heap, call.meter, &value)?;
        let content = trimmed(text(call.heap, &value)?);
        let float = numeral.and_then(|_| Float::parse(content)).ok_or(TrapCode::KIND)?;
        return Ok(Value::float(float));
    }
    nearest_float(call.heap, value).map(Value::float)
}

/// The float that a number of any kind is nearest to.
pub(super) fn nearest_float(heap: &Heap, value: Value) -> Outcome<Float> {
    let bits = match (heap.as_number(value), heap.as_fixed(value)) {
        (Some(number), _) => number.to_float_bits(),
        (_, Some(fixed)) => fixed.to_float_bits(),
        (None, None) => value.as_float().ok_or(TrapCode::KIND)?.to_bits(),
    };
    Ok(Float::from_bits(bits))
}

pub(super) fn fixed(call: &mut Call) -> Outcome<Value> {
    let value = call.argument(0);
    let fixed = match (call.heap.as_string(&value), value.as_float(), call.heap.as_number(value)) {
        (Some(content), ..) => {
            // Each digit goes through sixty-five doublings.
            call.meter.charge(content.len() as u64 * 32)?;
            Fixed::parse(content)?
        }
        (_, Some(float), _) => Fixed::from_float_bits(float.to_bits())?,
        (_, _, Some(number)) => Fixed::from_number(number)?,
        (None, None, None) => call.heap.as_fixed(value).ok_or(TrapCode::KIND)?,
    };
    arithmetic::fixed(call.heap, call.meter, fixed)
}
