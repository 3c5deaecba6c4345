//! The exact bridge to binary64: floats taken apart, put together and compared, by integers alone.

use super::wide::Wide;
use super::{Number, NumberFault, power_of_ten, signed};
use core::cmp::Ordering;

const FRACTION_BITS: u32 = 52;
const EXPONENT_MASK: u64 = 0x7ff;
/// The exponent of the last bit of a float whose exponent field is zero or one.
const LEAST_EXPONENT: i32 = -1074;

/// What the bits of a binary64 mean.
pub(in crate::number) enum Binary {
    NotANumber,
    Infinite {
        negative: bool,
    },
    /// ± mantissa × 2^exponent.
    Finite {
        negative: bool,
        mantissa: u64,
        exponent: i32,
    },
}

impl Binary {
    pub(in crate::number) fn from_bits(bits: u64) -> Binary {
        let negative = bits >> 63 == 1;
        let fraction = bits & ((1 << FRACTION_BITS) - 1);
        let field = (bits >> FRACTION_BITS) & EXPONENT_MASK;
        match (field, fraction) {
            (EXPONENT_MASK, 0) => Binary::Infinite { negative },
            (EXPONENT_MASK, _) => Binary::NotANumber,
            (0, _) => Binary::Finite { negative, mantissa: fraction, exponent: LEAST_EXPONENT },
            (_, _) => Binary::Finite {
                negative,
                mantissa: fraction | (1 << FRACTION_BITS),
                exponent: field as i32 - 1 + LEAST_EXPONENT,
            },
        }
    }
}

/// The bits of the float nearest to ± `magnitude` × 2^`exponent`, ties to even.
/// `inexact` says that a little less than one unit is missing from `magnitude`, which must then have over 54 bits.
/// Serves numbers and fixed-point numbers only, whose values are all far from overflow and from subnormal floats.
pub(in crate::number) fn nearest_float_bits(negative: bool, magnitude: u128, exponent: i32, inexact: bool) -> u64 {
    let sign = u64::from(negative) << 63;
    if magnitude == 0 {
        return sign;
    }
    let dropped = (u128::BITS - magnitude.leading_zeros()) as i32 - (FRACTION_BITS as i32 + 1);
    let mantissa = if dropped <= 0 {
        (magnitude << -dropped) as u64
    } else {
        let kept = (magnitude >> dropped) as u64;
        let rest = magnitude & ((1 << dropped) - 1);
        let up = match rest.cmp(&(1 << (dropped - 1))) {
            Ordering::Less => false,
            Ordering::Equal => inexact || kept & 1 == 1,
            Ordering::Greater => true,
        };
        kept + u64::from(up)
    };
    let field = (exponent + dropped + 1 - LEAST_EXPONENT) as u64;
    // Added, not joined: a mantissa rounded up to 2^53 thus carries into the exponent.
    sign | ((field - 1) << FRACTION_BITS).wrapping_add(mantissa)
}

/// Compares ± `magnitude` with a float × `factor` × 2^`shift`, without rounding; nothing for NaN.
pub(in crate::number) fn compare_with_float(
    (negative, magnitude): (bool, u128),
    bits: u64,
    factor: u64,
    shift: i32,
) -> Option<Ordering> {
    let (float_negative, order) = match Binary::from_bits(bits) {
        Binary::NotANumber => return None,
        Binary::Infinite { negative } => (negative, Ordering::Less),
        Binary::Finite { mantissa: 0, .. } if magnitude == 0 => return Some(Ordering::Equal),
        Binary::Finite { mantissa: 0, .. } => (negative, Ordering::Greater),
        Binary::Finite { negative, mantissa, exponent } => {
            let scaled = u128::from(mantissa) * u128::from(factor);
            (negative, compare_magnitudes(magnitude, scaled, exponent + shift))
        }
    };
    let negative = if magnitude == 0 { float_negative } else { negative };
    Some(match (negative, float_negative) {
        (false, false) => order,
        (true, true) => order.reverse(),
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
    })
}

/// Compares `left` with `right` × 2^`exponent`, where `right` is not zero.
fn compare_magnitudes(left: u128, right: u128, exponent: i32) -> Ordering {
    let distance = exponent.unsigned_abs();
    if exponent >= 0 {
        if distance > right.leading_zeros() { Ordering::Less } else { left.cmp(&(right << distance)) }
    } else if left == 0 {
        Ordering::Less
    } else if distance > left.leading_zeros() {
        Ordering::Greater
    } else {
        (left << distance).cmp(&right)
    }
}

impl Number {
    /// The bits of the nearest binary64, ties to even. A number's zero has no sign, so it gives plus zero.
    #[must_use]
    pub fn to_float_bits(self) -> u64 {
        let (negative, magnitude) = self.sign_and_magnitude();
        if self.scale == 0 || magnitude == 0 {
            return nearest_float_bits(negative, magnitude, 0, false);
        }
        // Shifted to 128 bits, the quotient keeps at least 68: enough for the mantissa, the tie and more.
        let shift = magnitude.leading_zeros();
        let divisor = u128::from(power_of_ten(self.scale()));
        let dividend = magnitude << shift;
        let quotient = dividend / divisor;
        nearest_float_bits(negative, quotient, -(shift as i32), quotient * divisor != dividend)
    }

    /// The number that equals a binary64 exactly; minus zero becomes zero.
    pub fn from_float_bits(bits: u64) -> Result<Number, NumberFault> {
        let Binary::Finite { negative, mantissa, exponent } = Binary::from_bits(bits) else {
            return Err(NumberFault::NotFinite);
        };
        if mantissa == 0 {
            return Ok(Number::ZERO);
        }
        let zeros = mantissa.trailing_zeros();
        let odd = u128::from(mantissa >> zeros);
        let exponent = exponent + zeros as i32;
        let distance = exponent.unsigned_abs();
        if exponent >= 0 {
            // A float of 2^68 or more is beyond the range, so that the shift below never loses a bit.
            let magnitude = if distance < 68 { odd << distance } else { return Err(NumberFault::Range) };
            return Number::from_parts(negative, magnitude, 0);
        }
        if distance > Number::PLACES {
            return Err(NumberFault::Places);
        }
        // odd / 2^n is odd × 5^n / 10^n: an odd coefficient, hence in lowest terms.
        let coefficient = odd * u128::from(5u64.pow(distance));
        Ok(Number { coefficient: signed(negative, coefficient), scale: distance as u8 })
    }

    /// Compares with a binary64 by mathematical value, without rounding; nothing for NaN.
    #[must_use]
    pub fn compare_float_bits(self, bits: u64) -> Option<Ordering> {
        compare_with_float(self.sign_and_magnitude(), bits, power_of_ten(self.scale()), 0)
    }
}

/// ± `mantissa` × 2^`exponent` as an integer, ties to even; nothing if its magnitude needs more than 128 bits.
pub(in crate::number) fn nearest_integer(mantissa: u64, exponent: i32) -> Option<u128> {
    let magnitude = u128::from(mantissa);
    let distance = exponent.unsigned_abs();
    if exponent >= 0 {
        return if magnitude == 0 || distance <= magnitude.leading_zeros() {
            Some(magnitude.checked_shl(distance).unwrap_or(0))
        } else {
            None
        };
    }
    // Less than a half of one: a mantissa has 53 bits.
    if distance > 64 {
        return Some(0);
    }
    Wide::product(magnitude, 1 << (64 - distance)).rounded_shift_right_64()
}
