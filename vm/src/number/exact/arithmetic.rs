//! Arithmetic: exact where the result is a number, else rounded once, ties to even, at 18 places.

use super::wide::{Wide, divide_narrow};
use super::{Number, NumberFault, power_of_ten, signed};

impl Number {
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "the sum may leave the range, which the trait cannot say")]
    pub fn add(self, other: Number) -> Result<Number, NumberFault> {
        if self.scale == 0 && other.scale == 0 {
            // Integers have at most 68 bits: their sum cannot overflow, and is in lowest terms.
            return Number::from_integer(self.coefficient.wrapping_add(other.coefficient));
        }
        let (left, right, scale) = self.aligned(other);
        let sum = left.checked_add(right).ok_or(NumberFault::Range)?;
        Number::from_parts(sum < 0, sum.unsigned_abs(), scale)
    }

    #[inline]
    pub fn subtract(self, other: Number) -> Result<Number, NumberFault> {
        self.add(other.negate())
    }

    #[must_use]
    #[inline]
    pub const fn negate(self) -> Number {
        // The range is symmetric, so that the coefficient is never the one without an opposite.
        Number { coefficient: self.coefficient.wrapping_neg(), scale: self.scale }
    }

    #[must_use]
    #[inline]
    pub const fn absolute(self) -> Number {
        if self.coefficient < 0 { self.negate() } else { self }
    }

    #[inline]
    pub fn multiply(self, other: Number) -> Result<Number, NumberFault> {
        let negative = (self.coefficient < 0) != (other.coefficient < 0);
        let product = Wide::product(self.coefficient.unsigned_abs(), other.coefficient.unsigned_abs());
        let scale = self.scale() + other.scale();
        let (magnitude, scale) = if scale <= Number::PLACES {
            (product.narrow(), scale)
        } else {
            (product.rounded_quotient(power_of_ten(scale - Number::PLACES).into()), Number::PLACES)
        };
        Number::from_parts(negative, magnitude.ok_or(NumberFault::Range)?, scale)
    }

    #[inline]
    pub fn divide(self, other: Number) -> Result<Number, NumberFault> {
        if other.coefficient == 0 {
            return Err(NumberFault::DivisionByZero);
        }
        let negative = (self.coefficient < 0) != (other.coefficient < 0);
        let divisor = other.coefficient.unsigned_abs();
        if self.scale == 0 && other.scale == 0 {
            // Most quotients of integers that programs ask for are integers.
            if let Some((quotient, 0)) = divide_narrow(self.coefficient.unsigned_abs(), divisor) {
                return Ok(Number { coefficient: signed(negative, quotient), scale: 0 });
            }
        }
        // units(self) / value(other) is the quotient in units, and value(other) is divisor / 10^scale.
        let dividend = Wide::product(self.units().unsigned_abs(), power_of_ten(other.scale()).into());
        let quotient = dividend.rounded_quotient(divisor).ok_or(NumberFault::Range)?;
        Number::from_parts(negative, quotient, Number::PLACES)
    }

    /// `//`: the largest integer not above the exact quotient.
    pub fn floor_divide(self, other: Number) -> Result<Number, NumberFault> {
        let (quotient, remainder, _) = self.divide_aligned(other)?;
        let below = remainder != 0 && (remainder < 0) != (other.coefficient < 0);
        Number::from_integer(quotient.wrapping_sub(i128::from(below)))
    }

    /// `%`: what `floor_divide` leaves, with the sign of the divisor; exact, even where that quotient is out of range.
    pub fn modulo(self, other: Number) -> Result<Number, NumberFault> {
        let (_, remainder, scale) = self.divide_aligned(other)?;
        let (_, divisor, _) = self.aligned(other);
        let below = remainder != 0 && (remainder < 0) != (divisor < 0);
        let modulus = if below { remainder.wrapping_add(divisor) } else { remainder };
        Number::from_parts(modulus < 0, modulus.unsigned_abs(), scale)
    }

    /// What the quotient rounded towards zero leaves, with the sign of the dividend (`fmod`); exact.
    pub fn truncate_remainder(self, other: Number) -> Result<Number, NumberFault> {
        let (_, remainder, scale) = self.divide_aligned(other)?;
        Number::from_parts(remainder < 0, remainder.unsigned_abs(), scale)
    }

    /// The quotient rounded towards zero, the remainder, and the scale of the remainder.
    #[inline]
    fn divide_aligned(self, other: Number) -> Result<(i128, i128, u32), NumberFault> {
        let (left, right, scale) = self.aligned(other);
        let (quotient, remainder) =
            divide_narrow(left.unsigned_abs(), right.unsigned_abs()).ok_or(NumberFault::DivisionByZero)?;
        // Neither exceeds the dividend, whose magnitude is at most 2^127 - 1.
        Ok((signed((left < 0) != (right < 0), quotient), signed(left < 0, remainder), scale))
    }

    /// `^` with an integer exponent: the binary method from the high bit, each product rounded as by `multiply`.
    /// A negative exponent gives 1 / (base ^ |exponent|) by `divide`: it is `Range` where that power is out of range,
    /// and `DivisionByZero` where that power is, or has rounded to, zero. 0 ^ 0 is 1.
    pub fn power(self, exponent: Number) -> Result<Number, NumberFault> {
        if !exponent.is_integer() {
            return Err(NumberFault::NotInteger);
        }
        let bits = exponent.coefficient.unsigned_abs();
        // An exponent has 68 bits at most, so that there are at most 134 products.
        let Some(top) = bits.checked_ilog2() else { return Ok(Number::ONE) };
        let mut result = self;
        for bit in (0..top).rev() {
            result = result.multiply(result)?;
            if (bits >> bit) & 1 == 1 {
                result = result.multiply(self)?;
            }
        }
        if exponent.coefficient < 0 { Number::ONE.divide(result) } else { Ok(result) }
    }
}
