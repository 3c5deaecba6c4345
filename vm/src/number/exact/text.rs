//! Numbers as text: JSON's grammar in, plain digits out.

use super::{Number, NumberFault, power_of_ten, signed, strip_zeros};
use crate::limit;
use core::fmt;

const LONGEST_TEXT: usize = limit::NUMBER_TEXT.value as usize;
/// Every value of at most so many digits fits 64 bits.
const DIGITS_OF_64_BITS: usize = 19;
/// An integer of more digits is out of range.
const DIGITS_OF_LARGEST: i64 = 21;
/// Exponents are cut off here: beyond, no text that is short enough can bring the value back into range.
const LARGEST_EXPONENT: i64 = 1 << 32;

/// Reads a whole text as a number: an optional minus, digits, and a fraction and an exponent if wished, as in JSON.
/// A value with more than 18 places is `Places`, whatever its size; nothing is rounded.
pub fn parse_decimal(text: &[u8]) -> Result<Number, NumberFault> {
    if let Some((number, length)) = short_number(text) {
        return if length == text.len() { Ok(number) } else { Err(NumberFault::Syntax) };
    }
    let parts = Parts::of_limited(text).map_err(|(fault, _)| fault)?;
    if parts.length == text.len() { parts.value() } else { Err(NumberFault::Syntax) }
}

/// Reads the longest number that `text` begins with, and says its length. What follows is the caller's affair,
/// but a dot or an exponent mark after digits belongs to the number: `1.` and `1e+` are faults.
/// A fault comes with its place: for `Syntax` that of the first byte that does not fit, for others the start.
#[inline]
pub fn parse_decimal_prefix(text: &[u8]) -> Result<(Number, usize), (NumberFault, usize)> {
    if let Some(read) = short_number(text) {
        return Ok(read);
    }
    let parts = Parts::of_limited(text)?;
    match parts.value() {
        Ok(number) => Ok((number, parts.length)),
        Err(fault) => Err((fault, 0)),
    }
}

/// The hot path: a number of at most 19 digits without an exponent, and its length.
/// Nothing says that the text needs a closer look.
#[inline]
fn short_number(text: &[u8]) -> Option<(Number, usize)> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        _ => (false, text),
    };
    let mut value = 0;
    let integer = if digits.first() == Some(&b'0') { 1 } else { count_digits(digits, &mut value) };
    let mut count = integer;
    let mut length = integer + usize::from(negative);
    if digits.get(integer) == Some(&b'.') {
        count += count_digits(digits.get(integer + 1..)?, &mut value);
        if count == integer {
            return None;
        }
        length += 1 + count - integer;
    }
    // A text of no digits, or of too many, or of a zero with a sign.
    if integer == 0 || count > DIGITS_OF_64_BITS || (value == 0 && negative) {
        return None;
    }
    if let Some(b'e' | b'E') = text.get(length) {
        return None;
    }
    // One digit at least stands before the dot, so that there are at most 18 places, and all such values are in range.
    let (magnitude, scale) = strip_zeros(value.into(), (count - integer) as u32);
    Some((Number { coefficient: signed(negative, magnitude), scale: scale as u8 }, length))
}

/// Counts the digits that `text` begins with, and appends them to `value`, modulo 2^64.
#[inline]
fn count_digits(text: &[u8], value: &mut u64) -> usize {
    let mut count = 0;
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        *value = value.wrapping_mul(10).wrapping_add(digit.into());
        count += 1;
    }
    count
}

/// A number's text, taken apart.
struct Parts<'a> {
    negative: bool,
    integer: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
    length: usize,
}

impl<'a> Parts<'a> {
    /// Takes the longest number from the start of `text`, unless it is longer than a number may be.
    fn of_limited(text: &'a [u8]) -> Result<Parts<'a>, (NumberFault, usize)> {
        // One byte more than allowed is enough to see that a text is too long.
        let window = text.get(..=LONGEST_TEXT).unwrap_or(text);
        match Parts::scan(window) {
            Ok(parts) if parts.length <= LONGEST_TEXT => Ok(parts),
            Err(place) if place <= LONGEST_TEXT => Err((NumberFault::Syntax, place)),
            Ok(_) | Err(_) => Err((NumberFault::TextTooLong, 0)),
        }
    }

    /// Takes the longest number from the start of `text`, or says where it ceases to be one.
    fn scan(text: &'a [u8]) -> Result<Parts<'a>, usize> {
        let rest_of = |at: usize| text.get(at..).unwrap_or_default();
        let negative = text.first() == Some(&b'-');
        let mut at = usize::from(negative);
        let count = match rest_of(at) {
            [b'0', ..] => 1,
            rest => count_digits(rest, &mut 0),
        };
        let integer = rest_of(at).get(..count).unwrap_or_default();
        at += count;
        let mut fraction: &[u8] = &[];
        if count != 0 && rest_of(at).first() == Some(&b'.') {
            at += 1;
            let count = count_digits(rest_of(at), &mut 0);
            fraction = rest_of(at).get(..count).unwrap_or_default();
            at += count;
            if count == 0 {
                return Err(at);
            }
        }
        if count == 0 {
            return Err(at);
        }
        let mut exponent = 0;
        if let Some(b'e' | b'E') = text.get(at) {
            (exponent, at) = scan_exponent(text, at + 1)?;
        }
        Ok(Parts { negative, integer, fraction, exponent, length: at })
    }

    /// The value of any text, in time and memory that the exponent has no part in.
    fn value(&self) -> Result<Number, NumberFault> {
        let all = || self.integer.iter().chain(self.fraction).map(|&byte| u128::from(byte.wrapping_sub(b'0')));
        let count = self.integer.len() + self.fraction.len();
        let leading = all().take_while(|&digit| digit == 0).count();
        if leading == count {
            return if self.negative { Err(NumberFault::MinusZero) } else { Ok(Number::ZERO) };
        }
        let zero_bytes = |digits: &[u8]| digits.iter().rev().take_while(|&&byte| byte == b'0').count();
        let trailing = match zero_bytes(self.fraction) {
            zeros if zeros == self.fraction.len() => zeros + zero_bytes(self.integer),
            zeros => zeros,
        };
        let significant = count - leading - trailing;
        let exponent = self.exponent + trailing as i64 - self.fraction.len() as i64;
        if exponent < -i64::from(Number::PLACES) {
            return Err(NumberFault::Places);
        }
        if significant as i64 + exponent > DIGITS_OF_LARGEST {
            return Err(NumberFault::Range);
        }
        // At most 39 digits are left.
        let coefficient = all()
            .skip(leading)
            .take(significant)
            .try_fold(0u128, |value, digit| value.checked_mul(10)?.checked_add(digit))
            .ok_or(NumberFault::Range)?;
        if exponent < 0 {
            return Number::from_parts(self.negative, coefficient, exponent.unsigned_abs() as u32);
        }
        let magnitude = 10u128.checked_pow(exponent as u32).and_then(|power| coefficient.checked_mul(power));
        Number::from_parts(self.negative, magnitude.ok_or(NumberFault::Range)?, 0)
    }
}

/// The exponent whose sign or digits begin at `at`, and where it ends; or where it ceases to be one.
fn scan_exponent(text: &[u8], at: usize) -> Result<(i64, usize), usize> {
    let sign = text.get(at).filter(|&&byte| byte == b'-' || byte == b'+');
    let start = at + usize::from(sign.is_some());
    let digits = text.get(start..).unwrap_or_default();
    let count = count_digits(digits, &mut 0);
    if count == 0 {
        return Err(start);
    }
    let magnitude = digits
        .iter()
        .take(count)
        .fold(0, |value: i64, &byte| (value * 10 + i64::from(byte.wrapping_sub(b'0'))).min(LARGEST_EXPONENT));
    Ok((if sign == Some(&b'-') { -magnitude } else { magnitude }, start + count))
}

/// Room for the 39 digits of 128 bits.
const DIGIT_ROOM: usize = 40;

/// The decimal digits of a magnitude, right-aligned among zeros.
struct Digits {
    bytes: [u8; DIGIT_ROOM],
    count: usize,
}

impl Digits {
    fn of(magnitude: u128) -> Digits {
        let mut digits = Digits { bytes: [b'0'; DIGIT_ROOM], count: 0 };
        match u64::try_from(magnitude) {
            Ok(magnitude) => digits.put(magnitude, 0),
            Err(_) => {
                // Halves of 19 digits: almost all of the work is then done in 64 bits.
                let power = u128::from(power_of_ten(DIGITS_OF_64_BITS as u32));
                let upper = magnitude / power;
                digits.put((magnitude % power) as u64, 0);
                digits.put(upper as u64, DIGITS_OF_64_BITS);
            }
        }
        digits
    }

    /// Writes a value whose last digit stands `place` digits from the right, two digits a step.
    fn put(&mut self, value: u64, place: usize) {
        self.count = place + value.checked_ilog10().map_or(0, |top| top as usize + 1);
        let room = self.bytes.get_mut(..DIGIT_ROOM - place).unwrap_or_default();
        let mut rest = value;
        for pair in room.rchunks_exact_mut(2) {
            let [tens, ones] = pair else { break };
            let two_digits = (rest % 100) as u8;
            (*tens, *ones) = (b'0' + two_digits / 10, b'0' + two_digits % 10);
            rest /= 100;
            if rest == 0 {
                break;
            }
        }
    }

    /// The digits from the one that `left` stand right of, the first included, to the one that `right` stand right of.
    fn between(&self, left: usize, right: usize) -> &[u8] {
        self.bytes.get(DIGIT_ROOM - left..DIGIT_ROOM - right).unwrap_or_default()
    }
}

impl Number {
    /// Appends the value in plain digits: no exponent, no zeros at the end of a fraction.
    pub fn write_text(&self, out: &mut Vec<u8>) {
        if self.coefficient < 0 {
            out.push(b'-');
        }
        self.write_magnitude(out);
    }

    fn write_magnitude(&self, out: &mut Vec<u8>) {
        let digits = Digits::of(self.coefficient.unsigned_abs());
        let places = usize::from(self.scale);
        // At least one digit stands before the dot; unused room is zeros.
        out.extend_from_slice(digits.between(digits.count.max(places + 1), places));
        if places != 0 {
            out.push(b'.');
            out.extend_from_slice(digits.between(places, 0));
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        self.write_magnitude(&mut text);
        f.pad_integral(self.coefficient >= 0, "", core::str::from_utf8(&text).unwrap_or_default())
    }
}
