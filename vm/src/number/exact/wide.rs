//! Unsigned 256-bit integers: what a product or a scaled dividend needs before it is rounded once.

use core::cmp::Ordering;

/// Ordered by value: the high half is compared first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::number) struct Wide {
    high: u128,
    low: u128,
}

impl Wide {
    #[inline]
    pub(in crate::number) fn product(left: u128, right: u128) -> Wide {
        if let (Ok(left), Ok(right)) = (u64::try_from(left), u64::try_from(right)) {
            return Wide { high: 0, low: u128::from(left) * u128::from(right) };
        }
        let (low, high) = left.carrying_mul(right, 0);
        Wide { high, low }
    }

    /// `value` × 2^64.
    pub(in crate::number) const fn shifted_left_64(value: u128) -> Wide {
        Wide { high: value >> 64, low: value << 64 }
    }

    /// The value itself, if 128 bits hold it.
    pub(in crate::number) const fn narrow(self) -> Option<u128> {
        if self.high == 0 { Some(self.low) } else { None }
    }

    /// The value divided by 2^64, ties to even; nothing if that needs more than 128 bits.
    pub(in crate::number) const fn rounded_shift_right_64(self) -> Option<u128> {
        if self.high >> 64 != 0 {
            return None;
        }
        let quotient = (self.high << 64) | (self.low >> 64);
        round_ties_to_even(quotient, self.low & LOW_HALF, 1 << 64)
    }

    /// The value divided by `divisor`, ties to even; nothing if that needs more than 128 bits or `divisor` is zero.
    #[inline]
    pub(in crate::number) fn rounded_quotient(self, divisor: u128) -> Option<u128> {
        let (quotient, remainder) = self.divide(divisor)?;
        round_ties_to_even(quotient, remainder, divisor)
    }

    /// Quotient and remainder; nothing if the quotient needs more than 128 bits or `divisor` is zero.
    #[inline]
    fn divide(self, divisor: u128) -> Option<(u128, u128)> {
        if self.high == 0 {
            return divide_narrow(self.low, divisor);
        }
        if self.high >= divisor {
            return None;
        }
        if divisor <= LOW_HALF {
            let (high_digit, remainder) = divide_narrow((self.high << 64) | (self.low >> 64), divisor)?;
            let (low_digit, remainder) = divide_narrow((remainder << 64) | (self.low & LOW_HALF), divisor)?;
            return Some(((high_digit << 64) | low_digit, remainder));
        }
        Some(self.divide_by_two_digits(divisor))
    }

    /// Long division in base 2^64. Demands 2^64 ≤ `divisor` and `self.high` < `divisor`.
    fn divide_by_two_digits(self, divisor: u128) -> (u128, u128) {
        // The estimate of a digit is off by two at most only if the divisor's top bit is set.
        let shift = divisor.leading_zeros();
        let divisor = divisor << shift;
        let carried = if shift == 0 { 0 } else { self.low >> (128 - shift) };
        let high = (self.high << shift) | carried;
        let low = self.low << shift;
        let (high_digit, remainder) = quotient_digit(high, low >> 64, divisor);
        let (low_digit, remainder) = quotient_digit(remainder, low & LOW_HALF, divisor);
        ((high_digit << 64) | low_digit, remainder >> shift)
    }
}

const LOW_HALF: u128 = u64::MAX as u128;

/// Division of 128 bits, by the processor's own instruction where both fit it.
#[inline]
pub(in crate::number) fn divide_narrow(dividend: u128, divisor: u128) -> Option<(u128, u128)> {
    if let (Ok(dividend), Ok(divisor)) = (u64::try_from(dividend), u64::try_from(divisor)) {
        return Some((dividend.checked_div(divisor)?.into(), dividend.checked_rem(divisor)?.into()));
    }
    let quotient = dividend.checked_div(divisor)?;
    // Cheaper than a second division, and it cannot wrap: quotient × divisor ≤ dividend.
    Some((quotient, dividend.wrapping_sub(quotient.wrapping_mul(divisor))))
}

/// One digit of the quotient of `remainder` × 2^64 + `next` by a divisor with its top bit set, and what remains.
fn quotient_digit(remainder: u128, next: u128, divisor: u128) -> (u128, u128) {
    let (divisor_high, divisor_low) = (divisor >> 64, divisor & LOW_HALF);
    let mut digit = remainder / divisor_high;
    let mut rest = remainder % divisor_high;
    while digit > LOW_HALF || digit * divisor_low > ((rest << 64) | next) {
        digit -= 1;
        rest += divisor_high;
        if rest > LOW_HALF {
            break;
        }
    }
    // The true difference is less than the divisor, so that it is right modulo 2^128.
    let remainder = ((remainder << 64) | next).wrapping_sub(digit.wrapping_mul(divisor));
    (digit, remainder)
}

/// Where a remainder stands to half of its divisor.
#[inline]
pub(in crate::number) fn compare_to_half(remainder: u128, divisor: u128) -> Ordering {
    remainder.cmp(&(divisor - remainder))
}

/// Rounds a quotient by what remained of it; nothing if that needs more than 128 bits.
#[inline]
pub(in crate::number) const fn round_ties_to_even(quotient: u128, remainder: u128, divisor: u128) -> Option<u128> {
    // A remainder is less than its divisor, so that the difference cannot wrap.
    let rest = divisor - remainder;
    if remainder > rest || (remainder == rest && quotient & 1 == 1) { quotient.checked_add(1) } else { Some(quotient) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn a_product_divided_by_a_factor_is_the_other_factor() {
        let samples =
            [1, 2, 9, 10, LOW_HALF, 1 << 64, (1 << 64) + 1, 10u128.pow(38), 1 << 127, u128::MAX - 1, u128::MAX];
        for left in samples {
            for right in samples {
                let product = Wide::product(left, right);
                assert_eq!(product.divide(left), Some((right, 0)), "{left} {right}");
                assert_eq!(product.rounded_quotient(right), Some(left), "{left} {right}");
            }
        }
    }

    #[test]
    fn a_digit_estimated_too_large_is_corrected() {
        let dividend = Wide { high: (1 << 127) - 1, low: u128::MAX - 1 };
        let divisor = (1 << 127) | LOW_HALF;
        let (quotient, remainder) = dividend.divide(divisor).unwrap();
        let back = Wide::product(quotient, divisor);
        let (low, carry) = back.low.overflowing_add(remainder);
        assert_eq!(Wide { high: back.high + u128::from(carry), low }, dividend);
        assert!(remainder < divisor);
    }

    #[test]
    fn ties_go_to_the_even_neighbour() {
        let quotient = |low, divisor| Wide { high: 0, low }.rounded_quotient(divisor);
        assert_eq!(quotient(5, 2), Some(2));
        assert_eq!(quotient(7, 2), Some(4));
        assert_eq!(quotient(8, 3), Some(3));
        assert_eq!(Wide { high: 0, low: 1 << 63 }.rounded_shift_right_64(), Some(0));
        assert_eq!(Wide { high: 0, low: 3 << 63 }.rounded_shift_right_64(), Some(2));
    }

    #[test]
    fn too_large_a_quotient_and_a_zero_divisor_give_nothing() {
        assert_eq!(Wide { high: 5, low: 0 }.divide(5), None);
        assert_eq!(Wide { high: 0, low: 5 }.divide(0), None);
        assert_eq!(Wide { high: 1 << 64, low: 0 }.rounded_shift_right_64(), None);
        assert_eq!(Wide { high: LOW_HALF, low: u128::MAX }.rounded_shift_right_64(), None);
    }
}
