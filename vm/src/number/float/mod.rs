//! Binary64 floats, ties to even, with one NaN: the same bits on every platform.

#[cfg(not(feature = "software-float"))]
mod processor;
pub mod soft;

mod elementary;
mod narrow;
mod text;

use std::cmp::Ordering;
use std::fmt;

#[cfg(not(feature = "software-float"))]
use processor as arithmetic;
#[cfg(feature = "software-float")]
use soft as arithmetic;

pub use soft::Rounding;

/// The same by bits, in which NaN is not yet the one NaN: for values that are only read through [`Float::from_bits`].
#[cfg(not(feature = "software-float"))]
pub(crate) use processor::raw;
#[cfg(feature = "software-float")]
pub(crate) mod raw {
    pub use super::soft::{add, divide, equals, less, less_equal, multiply, subtract};

    pub fn from_i64(value: i64) -> u64 {
        super::soft::from_i128(value.into())
    }
}

/// An IEEE 754 binary64 value. Of all NaN patterns it only ever holds `0x7ff8000000000000`, so bits can be compared.
#[derive(Clone, Copy)]
pub struct Float(u64);

impl Float {
    pub const NAN: Self = Self(soft::NAN);
    pub const INFINITY: Self = Self(soft::INFINITY);
    pub const ZERO: Self = Self(0);
    pub const ONE: Self = Self(0x3ff0_0000_0000_0000);

    pub const fn from_bits(bits: u64) -> Self {
        if soft::is_nan(bits) { Self::NAN } else { Self(bits) }
    }

    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// For exchange with the host only: nothing is computed in the host's type.
    pub fn from_f64(value: f64) -> Self {
        Self::from_bits(value.to_bits())
    }

    /// For exchange with the host only: nothing is computed in the host's type.
    pub fn to_f64(self) -> f64 {
        f64::from_bits(self.0)
    }

    pub const fn is_nan(self) -> bool {
        self.0 == soft::NAN
    }

    pub const fn is_infinite(self) -> bool {
        soft::is_infinite(self.0)
    }

    pub const fn is_finite(self) -> bool {
        !self.is_nan() && !self.is_infinite()
    }

    pub const fn is_zero(self) -> bool {
        self.0 & !soft::SIGN == 0
    }

    /// Whether the sign bit is set: also of −0, never of NaN.
    pub const fn is_negative(self) -> bool {
        soft::is_negative(self.0)
    }

    /// A finite value taken apart as (negative, significand, exponent), which is ± significand × 2^exponent.
    pub const fn parts(self) -> Option<(bool, u64, i32)> {
        if !self.is_finite() {
            return None;
        }
        let finite = soft::unpack(self.0);
        Some((finite.negative, finite.significand, finite.exponent))
    }
}

/// Arithmetic: each operation rounds its exact result once, to nearest, ties to even.
impl Float {
    #[expect(clippy::should_implement_trait, reason = "float arithmetic is spelled out, never hidden in an operator")]
    pub fn add(self, other: Self) -> Self {
        Self(arithmetic::add(self.0, other.0))
    }

    pub fn subtract(self, other: Self) -> Self {
        Self(arithmetic::subtract(self.0, other.0))
    }

    pub fn multiply(self, other: Self) -> Self {
        Self(arithmetic::multiply(self.0, other.0))
    }

    pub fn divide(self, other: Self) -> Self {
        Self(arithmetic::divide(self.0, other.0))
    }

    pub fn square_root(self) -> Self {
        Self(arithmetic::square_root(self.0))
    }

    /// `self × factor + term` rounded once. Always in software: a host's own was seen off by one unit in the last place.
    pub fn multiply_add(self, factor: Self, term: Self) -> Self {
        Self(soft::multiply_add(self.0, factor.0, term.0))
    }

    /// The remainder of the quotient truncated toward zero (C's `fmod`), exact, with the sign of `self`.
    pub fn truncate_remainder(self, divisor: Self) -> Self {
        Self(soft::truncate_remainder(self.0, divisor.0))
    }

    /// Lua's `%`: the remainder of the floored quotient, with the sign of the divisor.
    ///
    /// As in Lua 5.4 a nonzero remainder of the wrong sign has the divisor added to it, which rounds,
    /// and makes `5 % -inf` minus infinity.
    pub fn modulo(self, divisor: Self) -> Self {
        let remainder = self.truncate_remainder(divisor);
        if !remainder.is_zero() && remainder.is_negative() != divisor.is_negative() && !remainder.is_nan() {
            remainder.add(divisor)
        } else {
            remainder
        }
    }

    /// Lua's `//`: the floor of the rounded quotient.
    pub fn floor_divide(self, divisor: Self) -> Self {
        self.divide(divisor).floor()
    }

    pub const fn negate(self) -> Self {
        if self.is_nan() { self } else { Self(self.0 ^ soft::SIGN) }
    }

    pub const fn absolute(self) -> Self {
        Self(self.0 & !soft::SIGN)
    }

    /// The magnitude of `self` with the sign of the other; NaN stays NaN, and counts as positive.
    pub const fn copy_sign(self, sign: Self) -> Self {
        if self.is_nan() { self } else { Self(self.0 & !soft::SIGN | sign.0 & soft::SIGN) }
    }
}

/// Rounding to a float that is an integer; the sign stays even when the result is zero.
impl Float {
    pub fn round_to_integral(self, rounding: Rounding) -> Self {
        Self(arithmetic::round_to_integral(self.0, rounding))
    }

    pub fn floor(self) -> Self {
        self.round_to_integral(Rounding::Down)
    }

    pub fn ceiling(self) -> Self {
        self.round_to_integral(Rounding::Up)
    }

    pub fn truncate(self) -> Self {
        self.round_to_integral(Rounding::TowardZero)
    }

    pub fn round_half_even(self) -> Self {
        self.round_to_integral(Rounding::NearestEven)
    }

    pub fn round_half_away(self) -> Self {
        self.round_to_integral(Rounding::NearestAway)
    }
}

/// Comparison.
impl Float {
    /// Equality as in IEEE 754: −0 equals 0, NaN equals nothing.
    pub fn equals(self, other: Self) -> bool {
        arithmetic::equals(self.0, other.0)
    }

    pub fn less(self, other: Self) -> bool {
        arithmetic::less(self.0, other.0)
    }

    pub fn less_equal(self, other: Self) -> bool {
        arithmetic::less_equal(self.0, other.0)
    }

    /// The order of two values, −0 equal to 0; none if either is NaN.
    pub fn compare(self, other: Self) -> Option<Ordering> {
        if self.is_nan() || other.is_nan() {
            None
        } else if self.equals(other) {
            Some(Ordering::Equal)
        } else {
            Some(self.total_compare(other))
        }
    }

    /// A total order: as `compare`, but −0 comes before 0 and NaN after infinity. Equal means the same bits.
    pub fn total_compare(self, other: Self) -> Ordering {
        soft::rank(self.0).cmp(&soft::rank(other.0))
    }

    /// The lesser of two as in WebAssembly: NaN if either is NaN, and −0 is less than 0.
    pub fn minimum(self, other: Self) -> Self {
        match self.total_compare(other) {
            _ if self.is_nan() || other.is_nan() => Self::NAN,
            Ordering::Greater => other,
            Ordering::Less | Ordering::Equal => self,
        }
    }

    /// The greater of two as in WebAssembly: NaN if either is NaN, and 0 is greater than −0.
    pub fn maximum(self, other: Self) -> Self {
        // NaN is the last in the total order, so it wins by itself.
        match self.total_compare(other) {
            Ordering::Less => other,
            Ordering::Greater | Ordering::Equal => self,
        }
    }
}

/// Conversion from and to integers.
impl Float {
    pub fn from_i64(value: i64) -> Self {
        Self(arithmetic::from_i128(i128::from(value)))
    }

    pub fn from_u64(value: u64) -> Self {
        Self(arithmetic::from_i128(i128::from(value)))
    }

    pub fn from_i128(value: i128) -> Self {
        Self(arithmetic::from_i128(value))
    }

    /// `numerator ÷ denominator` rounded once, zero for a zero numerator; none for a zero denominator.
    pub fn from_quotient(numerator: i128, denominator: u64) -> Option<Self> {
        (denominator != 0).then(|| Self(soft::from_quotient(numerator, denominator)))
    }

    /// The value as an integer if it is one in range; −0 is 0.
    pub fn to_i64_exact(self) -> Option<i64> {
        let integer = soft::to_i64(self.0, Rounding::TowardZero)?;
        let same = soft::to_i64(self.0, Rounding::Down) == soft::to_i64(self.0, Rounding::Up);
        same.then_some(integer)
    }

    /// The value rounded to an integer; none for NaN and out of range.
    pub fn to_i64(self, rounding: Rounding) -> Option<i64> {
        soft::to_i64(self.0, rounding)
    }
}

impl fmt::Debug for Float {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// As `write_shortest` does.
impl fmt::Display for Float {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::write(*self, formatter)
    }
}

#[cfg(test)]
mod tests;
