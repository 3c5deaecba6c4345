//! `string.format`: every digit comes from integers, so that no two platforms print apart.

use super::build::{Build, not_finite};
use super::convert::{kind_text, nearest_float, quote};
use super::{Call, text};
use crate::execute::{Outcome, arithmetic};
use crate::limit;
use crate::number::{Expansion, Float};
use crate::trap::TrapCode;
use crate::value::{Heap, Value};

/// Gas for an item, beside what is written.
const ITEM: u64 = 20;
/// Gas for a `%%`.
const ESCAPE: u64 = 4;
/// Gas for writing a number out in digits.
const DIGITS: u64 = 40;
/// Places after the point where an item says nothing.
const PLACES: usize = 6;

/// What stands between `%` and the conversion, understood.
#[derive(Default)]
struct Item {
    is_left: bool,
    has_plus: bool,
    has_space: bool,
    is_alternate: bool,
    has_zeros: bool,
    width: usize,
    precision: Option<usize>,
    /// Whether nothing at all stands there.
    is_bare: bool,
    conversion: u8,
}

/// Up to two digits, and how many there are.
fn two_digits(bytes: &[u8]) -> (usize, usize) {
    let digits = bytes.iter().take(2).take_while(|byte| byte.is_ascii_digit());
    digits.fold((0, 0), |(value, count), &digit| (value * 10 + usize::from(digit - b'0'), count + 1))
}

impl Item {
    /// Reads an item behind its `%`: the item, and how long it is.
    fn read(bytes: &[u8]) -> Outcome<(Item, usize)> {
        let mut item = Item::default();
        let mut at = 0;
        for &byte in bytes {
            match byte {
                b'-' => item.is_left = true,
                b'+' => item.has_plus = true,
                b' ' => item.has_space = true,
                b'#' => item.is_alternate = true,
                b'0' => item.has_zeros = true,
                _ => break,
            }
            at += 1;
        }
        let rest = |at: usize| bytes.get(at..).unwrap_or_default();
        let (width, digits) = two_digits(rest(at));
        (item.width, at) = (width, at + digits);
        if let Some(b'.') = bytes.get(at) {
            let (precision, digits) = two_digits(rest(at + 1));
            (item.precision, at) = (Some(precision), at + 1 + digits);
        }
        item.is_bare = at == 0;
        item.conversion = *bytes.get(at).ok_or(TrapCode::FORMAT)?;
        if at + 1 > limit::FORMAT_ITEM.value as usize {
            return Err(TrapCode::FORMAT);
        }
        item.check()?;
        Ok((item, at + 1))
    }

    /// Whether the conversion takes the flags and the precision that stand before it.
    fn check(&self) -> Outcome<()> {
        let flags: &[u8] = match self.conversion {
            b'c' | b's' => b"-",
            b'd' | b'i' => b"-+ 0",
            b'u' => b"-0",
            b'o' | b'x' | b'X' => b"-#0",
            b'a' | b'A' | b'e' | b'E' | b'f' | b'g' | b'G' => b"-+ #0",
            b'q' if self.is_bare => b"",
            _ => return Err(TrapCode::FORMAT),
        };
        let given = [
            (self.is_left, b'-'),
            (self.has_plus, b'+'),
            (self.has_space, b' '),
            (self.is_alternate, b'#'),
            (self.has_zeros, b'0'),
        ];
        let fits = given.iter().all(|(is_given, flag)| !is_given || flags.contains(flag));
        if fits && !(self.conversion == b'c' && self.precision.is_some()) { Ok(()) } else { Err(TrapCode::FORMAT) }
    }

    const fn sign(&self, is_negative: bool) -> &'static [u8] {
        match (is_negative, self.has_plus, self.has_space) {
            (true, ..) => b"-",
            (false, true, _) => b"+",
            (false, false, true) => b" ",
            (false, false, false) => b"",
        }
    }

    /// Fills what was written since `start` to the width: zeros go behind the first `prefix` bytes.
    fn pad(&self, out: &mut Vec<u8>, start: usize, prefix: usize, may_zeros: bool) {
        let Some(missing) = (start + self.width).checked_sub(out.len()).filter(|&missing| missing > 0) else { return };
        let zeros = self.has_zeros && may_zeros && !self.is_left;
        out.resize(out.len() + missing, if zeros { b'0' } else { b' ' });
        let from = match (self.is_left, zeros) {
            (true, _) => return,
            (false, true) => start + prefix,
            (false, false) => start,
        };
        out.get_mut(from..).unwrap_or_default().rotate_right(missing);
    }

    const fn is_upper(&self) -> bool {
        self.conversion.is_ascii_uppercase()
    }
}

pub(super) fn format(call: &mut Call) -> Outcome<Value> {
    let format = call.argument(0);
    text(call.heap, &format)?;
    let mut arguments = call.arguments.iter().skip(1);
    let mut build = Build::new(call.heap, call.meter)?;
    let mut from = 0;
    loop {
        // The format is looked at anew after each piece, because writing may move it.
        let content = text(build.heap, &format)?;
        let rest = content.get(from..).unwrap_or_default();
        let Some(plain) = rest.iter().position(|&byte| byte == b'%') else {
            let end = content.len();
            build.push_part(format, from..end)?;
            return Ok(build.finish());
        };
        let mark = from + plain;
        let behind = rest.get(plain + 1..).unwrap_or_default();
        if behind.first() == Some(&b'%') {
            build.meter.charge(ESCAPE)?;
            build.push_part(format, from..mark + 1)?;
            from = mark + 2;
            continue;
        }
        let (item, length) = Item::read(behind)?;
        build.push_part(format, from..mark)?;
        build.meter.charge(ITEM)?;
        put(&mut build, &item, *arguments.next().ok_or(TrapCode::ARGUMENTS)?)?;
        from = mark + 1 + length;
    }
}

fn put(build: &mut Build, item: &Item, value: Value) -> Outcome<()> {
    match item.conversion {
        b'd' | b'i' => put_integer(build, item, integer(build.heap, value)?),
        b'u' | b'o' | b'x' | b'X' => put_unsigned(build, item, integer(build.heap, value)?),
        b'c' => {
            let code = arithmetic::integer(build.heap, value)?;
            build.written(|out| {
                let start = out.len();
                out.push(code as u8);
                item.pad(out, start, 0, false);
            })
        }
        b's' => put_text(build, item, value),
        b'q' => quote(build, value),
        b'a' | b'A' => {
            let float = nearest_float(build.heap, value)?;
            put_hexadecimal(build, item, float)
        }
        _ => put_decimal(build, item, value),
    }
}

/// The integer that a number of any kind is.
fn integer(heap: &Heap, value: Value) -> Outcome<i128> {
    let number = match (value.as_float(), heap.as_fixed(value)) {
        (Some(float), _) => return float.to_i64_exact().map(i128::from).ok_or(TrapCode::NOT_INTEGER),
        (_, Some(fixed)) => fixed.to_number_exact().ok_or(TrapCode::NOT_INTEGER)?,
        (None, None) => heap.as_number(value).ok_or(TrapCode::KIND)?,
    };
    if number.is_integer() { Ok(number.coefficient()) } else { Err(TrapCode::NOT_INTEGER) }
}

/// The digits of a magnitude in a base up to 16, at least so many.
fn put_digits(out: &mut Vec<u8>, magnitude: u128, base: u128, least: usize, is_upper: bool) {
    let start = out.len();
    let mut rest = magnitude;
    while rest != 0 {
        let digit = (rest % base) as u8;
        out.push(match digit {
            0..10 => b'0' + digit,
            _ if is_upper => b'A' + digit - 10,
            _ => b'a' + digit - 10,
        });
        rest /= base;
    }
    let least = start + least;
    if out.len() < least {
        out.resize(least, b'0');
    }
    out.get_mut(start..).unwrap_or_default().reverse();
}

fn put_integer(build: &mut Build, item: &Item, value: i128) -> Outcome<()> {
    build.written(|out| {
        let start = out.len();
        let sign = item.sign(value < 0);
        out.extend_from_slice(sign);
        put_digits(out, value.unsigned_abs(), 10, item.precision.unwrap_or(1), false);
        item.pad(out, start, sign.len(), item.precision.is_none());
    })
}

/// An integer without sign: a negative one as its 64 bits in two's complement.
fn put_unsigned(build: &mut Build, item: &Item, value: i128) -> Outcome<()> {
    let magnitude = match u128::try_from(value) {
        Ok(magnitude) => magnitude,
        Err(_) => i64::try_from(value).map_err(|_| TrapCode::NOT_INTEGER)?.cast_unsigned().into(),
    };
    let (base, prefix): (u128, &[u8]) = match item.conversion {
        b'x' => (16, b"0x"),
        b'X' => (16, b"0X"),
        b'o' => (8, b""),
        _ => (10, b""),
    };
    let prefix = if item.is_alternate && magnitude != 0 { prefix } else { b"" };
    build.written(|out| {
        let start = out.len();
        out.extend_from_slice(prefix);
        let digits = out.len();
        put_digits(out, magnitude, base, item.precision.unwrap_or(1), item.is_upper());
        // The other form of octal begins with a zero.
        if item.conversion == b'o' && item.is_alternate && out.get(digits) != Some(&b'0') {
            out.insert(digits, b'0');
        }
        item.pad(out, start, prefix.len(), item.precision.is_none());
    })
}

fn put_text(build: &mut Build, item: &Item, value: Value) -> Outcome<()> {
    let length = match build.heap.as_string(&value) {
        Some(content) => content.len(),
        None => {
            // What is no string is short: it is cut and filled where it stands.
            let start = build.heap.begin_text();
            if !build.push_value(value)? {
                build.push(kind_text(build.heap, value))?;
            }
            if let Some(precision) = item.precision {
                let end = (start + precision).min(build.heap.begin_text());
                build.heap.cut_text(end);
            }
            return build.written(|out| item.pad(out, start, 0, false));
        }
    };
    let length = item.precision.map_or(length, |precision| precision.min(length));
    let missing = item.width.saturating_sub(length);
    let spaces = |build: &mut Build, count: usize| build.written(|out| out.resize(out.len() + count, b' '));
    if !item.is_left {
        spaces(build, missing)?;
    }
    build.push_part(value, 0..length)?;
    if item.is_left { spaces(build, missing) } else { Ok(()) }
}

/// `e`, `f`, `g` and their like, of any kind of number, exactly rounded.
fn put_decimal(build: &mut Build, item: &Item, value: Value) -> Outcome<()> {
    build.meter.charge(DIGITS)?;
    let mut expansion = match (value.as_float(), build.heap.as_fixed(value)) {
        (Some(float), _) => match build.expansion(float)? {
            Some(expansion) => expansion,
            None => return put_not_finite(build, item, float),
        },
        (_, Some(fixed)) => fixed.into(),
        (None, None) => build.heap.as_number(value).ok_or(TrapCode::KIND)?.into(),
    };
    // A float's zero has a sign.
    let is_negative = value.as_float().map_or(expansion.is_negative(), Float::is_negative);
    build.written(|out| {
        let start = out.len();
        let sign = item.sign(is_negative);
        out.extend_from_slice(sign);
        put_magnitude(out, item, &mut expansion);
        item.pad(out, start, sign.len(), true);
    })
}

fn put_magnitude(out: &mut Vec<u8>, item: &Item, expansion: &mut Expansion) {
    let precision = item.precision.unwrap_or(PLACES);
    let mark = if item.is_upper() { b'E' } else { b'e' };
    match item.conversion.to_ascii_lowercase() {
        b'f' => {
            expansion.round_places(precision);
            expansion.write_plain(precision, item.is_alternate, out);
        }
        b'e' => {
            expansion.round_digits(precision + 1);
            expansion.write_scientific(precision, item.is_alternate, mark, out);
        }
        _ => {
            let precision = precision.max(1);
            expansion.round_digits(precision);
            let exponent = expansion.exponent();
            // The other form keeps the zeros at the end.
            if exponent < -4 || exponent >= precision as i32 {
                let places = if item.is_alternate { precision } else { expansion.significant().max(1) } - 1;
                expansion.write_scientific(places, item.is_alternate, mark, out);
            } else {
                let all = usize::try_from(precision as i32 - 1 - exponent).unwrap_or(0);
                let places = if item.is_alternate { all } else { expansion.places() };
                expansion.write_plain(places, item.is_alternate, out);
            }
        }
    }
}

fn put_not_finite(build: &mut Build, item: &Item, float: Float) -> Outcome<()> {
    build.written(|out| {
        let start = out.len();
        if !float.is_negative() {
            out.extend_from_slice(item.sign(false));
        }
        out.extend_from_slice(not_finite(float));
        if item.is_upper() {
            out.get_mut(start..).unwrap_or_default().make_ascii_uppercase();
        }
        item.pad(out, start, 0, false);
    })
}

/// Hexadecimal digits behind the point that a float has at most.
const HEXADECIMAL_PLACES: usize = 13;
/// The exponent of the least normal float, which those below it are written with.
const LEAST_EXPONENT: i32 = -1022;

/// `a`: a float's bits in hexadecimal, the first digit before the point being 1, or 0 below the normal floats.
fn put_hexadecimal(build: &mut Build, item: &Item, float: Float) -> Outcome<()> {
    let Some((is_negative, significand, exponent)) = float.parts() else {
        return put_not_finite(build, item, float);
    };
    // The point stands behind 52 bits.
    let (mut bits, exponent) = match significand {
        0 => (0, 0),
        _ => {
            let up = (significand.leading_zeros() as i32 - 11).min(exponent + 52 - LEAST_EXPONENT).max(0);
            (u128::from(significand) << up, exponent - up + 52)
        }
    };
    let kept = item.precision.map_or(HEXADECIMAL_PLACES, |precision| precision.min(HEXADECIMAL_PLACES));
    let dropped = 4 * (HEXADECIMAL_PLACES - kept) as u32;
    let half = 1_u128 << dropped >> 1;
    let rest = bits & ((1 << dropped) - 1);
    bits >>= dropped;
    bits += u128::from(rest > half || rest == half && dropped > 0 && bits & 1 == 1);
    let mut places = kept;
    if item.precision.is_none() {
        let zeros = if bits == 0 { places } else { (bits.trailing_zeros() / 4) as usize };
        places -= zeros.min(places);
        bits >>= 4 * (kept - places) as u32;
    }
    let zeros = item.precision.unwrap_or(0).saturating_sub(HEXADECIMAL_PLACES);
    build.written(|out| {
        let start = out.len();
        out.extend_from_slice(item.sign(is_negative));
        out.extend_from_slice(if item.is_upper() { b"0X" } else { b"0x" });
        let prefix = out.len() - start;
        put_digits(out, bits >> (4 * places), 16, 1, item.is_upper());
        if places > 0 || item.is_alternate || item.precision.is_some_and(|precision| precision > 0) {
            out.push(b'.');
        }
        put_digits(out, bits & ((1 << (4 * places)) - 1), 16, places, item.is_upper());
        out.resize(out.len() + zeros, b'0');
        out.push(if item.is_upper() { b'P' } else { b'p' });
        out.push(if exponent < 0 { b'-' } else { b'+' });
        put_digits(out, exponent.unsigned_abs().into(), 10, 1, false);
        item.pad(out, start, prefix, true);
    })
}

/// A float as Lua's source writes it without loss.
pub(super) fn put_exact_float(build: &mut Build, float: Float) -> Outcome<()> {
    match (float.is_nan(), float.is_infinite(), float.is_negative()) {
        (true, ..) => build.push(b"(0/0)"),
        (_, true, false) => build.push(b"1e9999"),
        (_, true, true) => build.push(b"-1e9999"),
        (false, false, _) => put_hexadecimal(build, &Item { conversion: b'a', ..Item::default() }, float),
    }
}
