//! Floats from text, decimal or hexadecimal, and their shortest decimal text.

use std::fmt::{self, Write};

use super::{Float, soft};

/// Beyond this an exponent decides the value whatever the digits are: no text is long enough to bring it back.
const EXPONENT_BOUND: i64 = 1 << 59;

/// What the digits of one number look like: `integral . fraction exponent`.
struct Shape<'t> {
    integral: &'t [u8],
    fraction: &'t [u8],
    exponent: i64,
}

fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    }
}

/// The leading bytes that are digits, and the rest.
fn split_digits(text: &[u8], is_digit: fn(&u8) -> bool) -> (&[u8], &[u8]) {
    let length = text.iter().position(|byte| !is_digit(byte)).unwrap_or(text.len());
    text.split_at_checked(length).unwrap_or((text, &[]))
}

/// A signed decimal exponent up to the end of the text.
fn exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = split_sign(text);
    let (digits, rest) = split_digits(digits, u8::is_ascii_digit);
    if digits.is_empty() || !rest.is_empty() {
        return None;
    }
    let mut value = 0_i64;
    for digit in digits {
        value = (value * 10 + i64::from(digit - b'0')).min(EXPONENT_BOUND);
    }
    Some(if negative { -value } else { value })
}

/// Splits an unsigned number of either base; the mark is the lower-case letter before the exponent.
fn shape(text: &[u8], is_digit: fn(&u8) -> bool, mark: u8) -> Option<Shape<'_>> {
    let (integral, rest) = split_digits(text, is_digit);
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => split_digits(rest, is_digit),
        rest => (&[][..], rest),
    };
    if integral.is_empty() && fraction.is_empty() {
        return None;
    }
    let exponent = match rest {
        [] => 0,
        [letter, rest @ ..] if letter.to_ascii_lowercase() == mark => exponent(rest)?,
        _ => return None,
    };
    Some(Shape { integral, fraction, exponent })
}

fn hexadecimal(negative: bool, text: &[u8]) -> Option<Float> {
    let shape = shape(text, u8::is_ascii_hexdigit, b'p')?;
    // Digits that no longer fit only matter by not being zero; those of the integral part still move the point.
    let (mut significand, mut exponent) = (0_u128, shape.exponent);
    let integral = shape.integral.iter().map(|digit| (digit, 0));
    for (digit, places) in integral.chain(shape.fraction.iter().map(|digit| (digit, 4))) {
        let value = u128::from(char::from(*digit).to_digit(16)?);
        if significand >> 124 == 0 {
            significand = significand << 4 | value;
            exponent -= places;
        } else {
            significand |= u128::from(value != 0);
            exponent += 4 - places;
        }
    }
    let exponent = exponent.clamp(-1 << 30, 1 << 30) as i32;
    Some(Float::from_bits(soft::round(negative, significand, exponent)))
}

fn decimal(text: &[u8]) -> Option<Float> {
    let (_, unsigned) = split_sign(text);
    shape(unsigned, u8::is_ascii_digit, b'e')?;
    // The standard library's reader is correctly rounded, takes any length in bounded memory, and gave equal bits on every
    // platform but x87, for which the crate refuses to compile. Its grammar is wider, hence the check of the shape above.
    let value: f64 = str::from_utf8(text).ok()?.parse().ok()?;
    Some(Float::from_f64(value))
}

/// Writes the shortest digits that read back as the same float, of two equally near ones the even one as RFC 8785 does.
///
/// The standard library's writer is used as its reader is: it gave equal text on every platform, and never an exponent.
pub(super) fn write(value: Float, out: &mut impl Write) -> fmt::Result {
    if value.is_nan() {
        return out.write_str("nan");
    }
    let mut text = Vec::new();
    write!(Bytes(&mut text), "{}", value.to_f64())?;
    settle_tie(value, &mut text);
    out.write_str(str::from_utf8(&text).unwrap_or_default())
}

/// Where the value lies in the middle between the digits and those one less, the standard library chose the greater:
/// an odd last digit becomes the even one below, if that reads back as the same float.
fn settle_tie(value: Float, text: &mut [u8]) {
    let Some((_, significand, exponent)) = value.parts() else { return };
    let places = text.iter().rev().position(|&byte| byte == b'.');
    let zeros = text.iter().rev().take_while(|&&byte| byte == b'0').count();
    let Some(last) = (text.len() - 1).checked_sub(if places.is_some() { 0 } else { zeros }) else { return };
    // With m odd, the value m × 2^q is half an odd multiple of 10^e, e the last digit's place, only where q + 1 = e.
    let power_of_two = exponent + significand.trailing_zeros() as i32;
    let place = places.map_or(zeros as i32, |places| -(places as i32));
    let is_odd = text.get(last).is_some_and(|digit| digit & 1 == 1);
    if significand == 0 || power_of_two + 1 != place || !is_odd {
        return;
    }
    // For a place left of the dot, 5^e must divide m too.
    let is_middle = place <= 0 || 5_u64.checked_pow(place.cast_unsigned()).is_some_and(|five| significand % five == 0);
    let Some(digit) = text.get_mut(last).filter(|_| is_middle) else { return };
    *digit -= 1;
    let is_same = Float::parse(text).is_some_and(|float| float.to_bits() == value.to_bits());
    if let Some(digit) = text.get_mut(last).filter(|_| !is_same) {
        *digit += 1;
    }
}

/// Lets a formatter write into bytes without a string between.
struct Bytes<'o>(&'o mut Vec<u8>);

impl Write for Bytes<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

impl Float {
    /// Reads a whole text as a correctly rounded float: decimal such as `-1.5e3`, `.5`, `5.`, or hexadecimal such as `0x1.8p3`.
    ///
    /// Too large becomes an infinity, too small a zero. Infinities and NaN have no text here, and space is not skipped.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (negative, unsigned) = split_sign(text);
        match unsigned {
            [b'0', b'x' | b'X', digits @ ..] => hexadecimal(negative, digits),
            _ => decimal(text),
        }
    }

    /// Appends the shortest digits that read back as the same float, in plain decimal without an exponent:
    /// `0.1`, `100`, `-0`, `inf`, `-inf`, `nan`.
    pub fn write_shortest(&self, out: &mut Vec<u8>) {
        // Appending bytes never fails.
        let _ = write(*self, &mut Bytes(out));
    }
}
