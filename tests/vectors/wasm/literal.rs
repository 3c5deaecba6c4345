//! Literals: integers as the signed ones that their bits stand for, floats by the text that kerai reads.

use kerai_vm::number::Float;

/// The one NaN that kerai has.
pub const NAN: u64 = 0x7ff8_0000_0000_0000;

/// The integer that the low bits of a value are, the highest of them its sign.
pub const fn wrap(value: i128, width: u32) -> i128 {
    let modulus = 1_i128 << width;
    let low = value.rem_euclid(modulus);
    if low >= modulus >> 1 { low - modulus } else { low }
}

/// A decimal or hexadecimal integer of any size up to 127 bits.
pub fn integer(text: &str) -> Option<i128> {
    let plain = text.replace('_', "");
    let (is_negative, unsigned) = match plain.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let (digits, radix) = unsigned.strip_prefix("0x").map_or((unsigned, 10), |digits| (digits, 16));
    if !digits.starts_with(|digit: char| digit.is_digit(radix)) {
        return None;
    }
    let magnitude = i128::from_str_radix(digits, radix).ok()?;
    Some(if is_negative { -magnitude } else { magnitude })
}

/// The integer of a literal in this width; none where the width has no such one.
pub fn integer_of_width(text: &str, width: u32) -> Option<i128> {
    let value = integer(text)?;
    (-(1 << (width - 1))..1 << width).contains(&value).then(|| wrap(value, width))
}

/// A float's literal: its bits as WebAssembly has them, and the text by which kerai's assembler knows it.
pub fn float(text: &str) -> Option<(u64, String)> {
    let (is_negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let sign = u64::from(is_negative) << 63;
    if unsigned == "inf" {
        return Some((sign | 0x7ff0_0000_0000_0000, format!("{}inf", if is_negative { "-" } else { "" })));
    }
    if unsigned == "nan" {
        return Some((sign | NAN, "nan".to_owned()));
    }
    if let Some(payload) = unsigned.strip_prefix("nan:") {
        let payload = u64::try_from(integer(payload)?).ok()?;
        return Some((sign | 0x7ff0_0000_0000_0000 | payload, "nan".to_owned()));
    }
    let plain = text.replace('_', "");
    Some((Float::parse(plain.as_bytes())?.to_bits(), plain))
}
