//! The exact number: a decimal with one form a value, whose arithmetic never rounds in silence.

mod arithmetic;
pub(super) mod binary;
mod rounding;
#[cfg(test)]
mod tests;
mod text;
pub(super) mod wide;

pub use rounding::Rounding;
pub use text::{parse_decimal, parse_decimal_prefix};

use crate::refusal::Code;
use core::cmp::Ordering;

/// Why there is no number to give.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NumberFault {
    /// The value lies outside the range.
    Range,
    /// The value needs more decimal places than there are.
    Places,
    /// The text is not a number.
    Syntax,
    /// The text is a zero with a sign.
    MinusZero,
    /// The text has more characters than a number may.
    TextTooLong,
    DivisionByZero,
    /// The exponent of a power is not an integer.
    NotInteger,
    /// The float is NaN or infinite.
    NotFinite,
}

impl NumberFault {
    /// The code under which a decoder refuses, for the faults that reading can meet.
    #[must_use]
    pub const fn code(self) -> Option<Code> {
        match self {
            NumberFault::Range => Some(Code::NUMBER_RANGE),
            NumberFault::Places => Some(Code::NUMBER_PLACES),
            NumberFault::Syntax => Some(Code::NUMBER_SYNTAX),
            NumberFault::MinusZero => Some(Code::NUMBER_MINUS_ZERO),
            NumberFault::TextTooLong => Some(Code::NUMBER_TEXT),
            NumberFault::DivisionByZero | NumberFault::NotInteger | NumberFault::NotFinite => None,
        }
    }
}

/// `coefficient` × 10^-`scale`, in lowest terms: the scale is 0, or 10 does not divide the coefficient.
/// Equal values are thus equal field by field, and an integral value has scale 0.
// Aligned as 64 bits are: what holds one would else be empty by a quarter or more.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(Rust, packed(8))]
pub struct Number {
    coefficient: i128,
    scale: u8,
}

/// |value × 10^18| is at most this: symmetric, so that negation never fails.
const MAXIMUM_UNITS: u128 = i128::MAX as u128;

/// 10^0 to 10^19, all that 64 bits hold; filled to 32 so that a masked index needs no check.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which refuses an index out of bounds")]
const POWERS_OF_TEN: [u64; 32] = {
    let mut powers = [1; 32];
    let mut exponent = 1;
    while exponent < 20 {
        powers[exponent] = powers[exponent - 1] * 10;
        exponent += 1;
    }
    powers
};

/// The largest magnitude of a coefficient at each scale from 0 to 18.
#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which refuses an index out of bounds")]
const LARGEST_COEFFICIENTS: [u128; 32] = {
    let mut largest = [0; 32];
    let mut scale = 0;
    while scale <= Number::PLACES as usize {
        largest[scale] = MAXIMUM_UNITS / POWERS_OF_TEN[Number::PLACES as usize - scale] as u128;
        scale += 1;
    }
    largest
};

/// 10^`exponent`, for an exponent up to 19.
#[inline]
#[expect(clippy::indexing_slicing, reason = "the mask keeps the index below the table's 32 entries")]
pub(crate) const fn power_of_ten(exponent: u32) -> u64 {
    POWERS_OF_TEN[(exponent & 31) as usize]
}

#[inline]
#[expect(clippy::indexing_slicing, reason = "the mask keeps the index below the table's 32 entries")]
const fn largest_coefficient(scale: u32) -> u128 {
    LARGEST_COEFFICIENTS[(scale & 31) as usize]
}

/// ± `magnitude`, for a magnitude up to 2^127 - 1, or 2^127 if negative.
#[inline]
pub(super) const fn signed(negative: bool, magnitude: u128) -> i128 {
    if negative { (magnitude as i128).wrapping_neg() } else { magnitude as i128 }
}

impl Number {
    /// The most decimal places a number can have.
    pub const PLACES: u32 = 18;
    pub const ZERO: Number = Number { coefficient: 0, scale: 0 };
    pub const ONE: Number = Number { coefficient: 1, scale: 0 };

    #[must_use]
    #[inline]
    pub const fn from_i64(value: i64) -> Number {
        Number { coefficient: value as i128, scale: 0 }
    }

    #[inline]
    pub const fn from_integer(value: i128) -> Result<Number, NumberFault> {
        if value.unsigned_abs() > largest_coefficient(0) {
            return Err(NumberFault::Range);
        }
        Ok(Number { coefficient: value, scale: 0 })
    }

    /// `coefficient` × 10^-`scale` for any coefficient and scale, brought to lowest terms.
    /// A value with too many places is `Places`, whatever its size.
    pub fn new(coefficient: i128, scale: u32) -> Result<Number, NumberFault> {
        let (magnitude, scale) = strip_zeros(coefficient.unsigned_abs(), scale);
        if scale > Number::PLACES {
            return Err(NumberFault::Places);
        }
        Number::from_parts(coefficient < 0, magnitude, scale)
    }

    /// The number of `units` of 10^-18; only `i128::MIN` is out of range.
    pub fn from_units(units: i128) -> Result<Number, NumberFault> {
        Number::from_parts(units < 0, units.unsigned_abs(), Number::PLACES)
    }

    /// Whether a coefficient and a scale are the one form of their value.
    #[must_use]
    pub const fn is_lowest_terms(coefficient: i128, scale: u32) -> bool {
        scale == 0 || coefficient % 10 != 0
    }

    /// ± `magnitude` × 10^-`scale`, brought to lowest terms. Demands a scale up to 18.
    #[inline]
    fn from_parts(negative: bool, magnitude: u128, scale: u32) -> Result<Number, NumberFault> {
        if magnitude > largest_coefficient(scale) {
            return Err(NumberFault::Range);
        }
        let (magnitude, scale) = strip_zeros(magnitude, scale);
        Ok(Number { coefficient: signed(negative, magnitude), scale: scale as u8 })
    }

    #[must_use]
    #[inline]
    pub const fn coefficient(self) -> i128 {
        self.coefficient
    }

    #[must_use]
    #[inline]
    pub const fn scale(self) -> u32 {
        self.scale as u32
    }

    #[must_use]
    #[inline]
    pub const fn is_integer(self) -> bool {
        self.scale == 0
    }

    #[must_use]
    #[inline]
    pub const fn is_zero(self) -> bool {
        self.coefficient == 0
    }

    #[must_use]
    #[inline]
    pub const fn is_negative(self) -> bool {
        self.coefficient < 0
    }

    #[must_use]
    #[inline]
    pub fn to_i64(self) -> Option<i64> {
        if self.scale == 0 { i64::try_from(self.coefficient).ok() } else { None }
    }

    /// The value × 10^18.
    #[must_use]
    #[inline]
    pub const fn units(self) -> i128 {
        self.coefficient_at(Number::PLACES)
    }

    /// The coefficient of the same value at a scale that is not below its own; it cannot overflow,
    /// because no value in range exceeds 128 bits even at scale 18.
    #[inline]
    const fn coefficient_at(self, scale: u32) -> i128 {
        self.coefficient.wrapping_mul(power_of_ten(scale.wrapping_sub(self.scale())) as i128)
    }

    #[inline]
    const fn sign_and_magnitude(self) -> (bool, u128) {
        (self.coefficient < 0, self.coefficient.unsigned_abs())
    }

    /// Both coefficients at the larger of the two scales, and that scale.
    #[inline]
    fn aligned(self, other: Number) -> (i128, i128, u32) {
        let scale = self.scale().max(other.scale());
        (self.coefficient_at(scale), other.coefficient_at(scale), scale)
    }

    /// The order of mathematical values.
    #[must_use]
    #[inline]
    pub fn compare(self, other: Number) -> Ordering {
        let (left, right, _) = self.aligned(other);
        left.cmp(&right)
    }
}

impl Ord for Number {
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        self.compare(*other)
    }
}

impl PartialOrd for Number {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Divides by the largest power of ten, up to 10^`scale`, that leaves no remainder; zero comes out at scale 0.
#[inline]
fn strip_zeros(magnitude: u128, scale: u32) -> (u128, u32) {
    // An odd number is no multiple of ten: half of all calls end here.
    if scale == 0 || magnitude & 1 == 1 {
        return (magnitude, scale);
    }
    match u64::try_from(magnitude) {
        Ok(0) => (0, 0),
        Ok(magnitude) => {
            let (magnitude, scale) = strip_zeros_narrow(magnitude, scale);
            (magnitude.into(), scale)
        }
        Err(_) => strip_zeros_wide(magnitude, scale),
    }
}

/// A multiple of 10^n is a multiple of 2^n: counting zero bits first avoids almost every division in vain.
#[inline]
const fn may_strip(zero_bits: u32, scale: u32, places: u32) -> bool {
    scale >= places && zero_bits >= places
}

#[inline]
fn strip_zeros_narrow(mut magnitude: u64, mut scale: u32) -> (u64, u32) {
    if !magnitude.is_multiple_of(10) {
        return (magnitude, scale);
    }
    for places in [16, 8, 4, 2, 1] {
        let power = power_of_ten(places);
        if may_strip(magnitude.trailing_zeros(), scale, places) && magnitude.is_multiple_of(power) {
            magnitude /= power;
            scale -= places;
        }
    }
    (magnitude, scale)
}

/// 128 bits hold at most 38 decimal zeros, so that each step is needed once at most.
#[cold]
fn strip_zeros_wide(mut magnitude: u128, mut scale: u32) -> (u128, u32) {
    for places in [32, 16, 8, 4, 2, 1] {
        let power = 10u128.pow(places);
        if may_strip(magnitude.trailing_zeros(), scale, places) && magnitude.is_multiple_of(power) {
            magnitude /= power;
            scale -= places;
        }
    }
    (magnitude, scale)
}
