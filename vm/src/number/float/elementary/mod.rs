//! Elementary functions, each correctly rounded: the float nearest to the true value, in integers alone.
//!
//! A function is computed to 3 limbs, of which the last is given up for errors. If both ends of the interval that is left
//! round to the same float, that is the result; else it is computed again to 6 limbs, then to 12 (Ziv's method). Only a value
//! very near the middle between two floats takes another round, and the rounds end for certain: what is still in doubt after
//! the last, within 2^-704 of a middle, is taken for a tie and goes to even. That is right for these reasons:
//!
//! - Exact powers and quotients below the least float are settled beforehand.
//! - Transcendental values are never in the middle. Of one argument the nearest known are some 2^-120 away. Of two (`power`,
//!   `arc_tangent_2`) there is no proof, but 2^128 pairs leave a chance of 2^-500 that any of them comes so near.
//! - A cube root is never in the middle and stays 2^-170 away; a hypotenuse is in it or stays 2^-240 away; 2^x for an integer
//!   x is in it only at 2^-1075. So these are ties indeed.

mod constants;
mod estimate;
mod power;
mod series;
#[cfg(test)]
mod tests;
mod turn;
mod wide;

use super::Float;
use super::soft;
use constants::QUARTER_LOGARITHM_OF_10;
use series::{angle, exponential, exponential_2, exponential_less_one, logarithm, logarithm_of_2, one};
use turn::Turn;
use wide::Wide;

/// Evaluates an expression with `$wide` standing for wider and wider floats until its rounding is settled.
macro_rules! settle {
    ($width:ident => $value:expr) => {{
        let first = {
            const $width: usize = 3;
            $value.rounded()
        };
        let second = || {
            const $width: usize = 6;
            $value.rounded()
        };
        let last = || {
            const $width: usize = 12;
            $value.rounded_as_tie()
        };
        Float::from_bits(first.or_else(second).unwrap_or_else(last))
    }};
}

const HALF_PI: Float = Float(0x3ff9_21fb_5444_2d18);
const PI: Float = Float(0x4009_21fb_5444_2d18);
const QUARTER_PI: Float = Float(0x3fe9_21fb_5444_2d18);
const THREE_QUARTERS_PI: Float = Float(0x4002_d97c_7f33_21d2);

/// Exponentials and logarithms.
impl Float {
    const MINUS_ONE: Self = Self::ONE.negate();
    const MINUS_INFINITY: Self = Self::INFINITY.negate();

    /// e^self
    pub fn exponential(self) -> Self {
        if self.is_finite() {
            return settle!(N => exponential(Wide::<N>::from_float(self.0)));
        }
        self.maximum_unless_nan(Self::ZERO)
    }

    /// 2^self
    pub fn exponential_2(self) -> Self {
        // Past 2^11 they are all alike; a smaller exponent keeps the integer arithmetic small.
        let bound = Self::from_i64(4096);
        if self.is_finite() {
            let near = self.minimum(bound).maximum(bound.negate());
            return settle!(N => exponential_2(Wide::<N>::from_float(near.0)));
        }
        self.maximum_unless_nan(Self::ZERO)
    }

    /// e^self − 1, without the loss near zero.
    pub fn exponential_less_one(self) -> Self {
        if self.is_finite() && !self.is_zero() {
            return settle!(N => exponential_less_one(Wide::<N>::from_float(self.0)));
        }
        self.maximum_unless_nan(Self::MINUS_ONE)
    }

    /// What has no finite argument left: NaN, infinity, the limit at minus infinity, or a zero that stays.
    fn maximum_unless_nan(self, limit: Self) -> Self {
        if self.0 == Self::MINUS_INFINITY.0 { limit } else { self }
    }

    /// The value where a logarithm has no computable one: at zero, below, at infinity and NaN.
    fn logarithm_at_edge(self) -> Option<Self> {
        if self.is_zero() {
            Some(Self::MINUS_INFINITY)
        } else if self.is_negative() || self.is_nan() {
            Some(Self::NAN)
        } else {
            self.is_infinite().then_some(Self::INFINITY)
        }
    }

    /// The natural logarithm.
    pub fn logarithm(self) -> Self {
        self.logarithm_at_edge().unwrap_or_else(|| settle!(N => logarithm(Wide::<N>::from_float(self.0))))
    }

    pub fn logarithm_2(self) -> Self {
        self.logarithm_at_edge()
            .unwrap_or_else(|| settle!(N => logarithm(Wide::<N>::from_float(self.0)).divide(logarithm_of_2())))
    }

    pub fn logarithm_10(self) -> Self {
        let divisor = &QUARTER_LOGARITHM_OF_10;
        self.logarithm_at_edge().unwrap_or_else(
            || settle!(N => logarithm(Wide::<N>::from_float(self.0)).divide(Wide::from_fraction(false, divisor, 2))),
        )
    }
}

/// Powers and roots.
impl Float {
    fn is_odd_integer(self) -> bool {
        let half = self.multiply(Self(0x3fe0_0000_0000_0000));
        self.is_integer() && !half.is_integer()
    }

    fn is_integer(self) -> bool {
        self.is_finite() && self.equals(self.truncate())
    }

    /// `self` to the power of `exponent`, with the special cases of C99: anything to the power 0 is 1, and so is 1 to any power.
    pub fn power(self, exponent: Self) -> Self {
        if exponent.is_zero() || self.0 == Self::ONE.0 {
            return Self::ONE;
        }
        if self.is_nan() || exponent.is_nan() {
            return Self::NAN;
        }
        let magnitude = self.absolute();
        if magnitude.is_zero() || magnitude.is_infinite() || exponent.is_infinite() {
            return self.power_at_edge(exponent);
        }
        if self.is_negative() && !exponent.is_integer() {
            return Self::NAN;
        }
        let negative = self.is_negative() && exponent.is_odd_integer();
        if magnitude.0 == Self::ONE.0 {
            return if negative { Self::MINUS_ONE } else { Self::ONE };
        }
        if let Some(exact) = power::exact_power(negative, magnitude.0, exponent.0) {
            return Self(exact);
        }
        settle!(N => {
            let scaled = logarithm(Wide::<N>::from_float(magnitude.0)).multiply(Wide::from_float(exponent.0));
            exponential(scaled).with_sign(negative)
        })
    }

    /// The powers that are 0, 1 or infinite, whatever the exact values.
    fn power_at_edge(self, exponent: Self) -> Self {
        let magnitude = self.absolute();
        if magnitude.0 == Self::ONE.0 {
            return Self::ONE;
        }
        let grows = Self::ONE.less(magnitude) != exponent.is_negative();
        let result = if grows { Self::INFINITY } else { Self::ZERO };
        if self.is_negative() && exponent.is_odd_integer() { result.negate() } else { result }
    }

    pub fn cube_root(self) -> Self {
        if self.is_zero() || !self.is_finite() {
            return self;
        }
        let magnitude = self.absolute();
        settle!(N => exponential(logarithm(Wide::<N>::from_float(magnitude.0)).divide_small(3)).with_sign(self.is_negative()))
    }

    /// √(self² + other²); infinite if either is, even beside NaN.
    pub fn hypotenuse(self, other: Self) -> Self {
        if self.is_infinite() || other.is_infinite() {
            return Self::INFINITY;
        }
        if self.is_nan() || other.is_nan() {
            return Self::NAN;
        }
        settle!(N => {
            let squares = Wide::<N>::from_float(self.0).square().add(Wide::from_float(other.0).square());
            squares.square_root()
        })
    }
}

/// Circular functions, of angles in radians.
impl Float {
    pub fn sine(self) -> Self {
        if !self.is_finite() {
            return Self::NAN;
        }
        if self.is_zero() {
            return self;
        }
        let turn = Turn::new(self.absolute().0);
        let value = settle!(N => turn.sine::<N>());
        if self.is_negative() { value.negate() } else { value }
    }

    pub fn cosine(self) -> Self {
        if !self.is_finite() {
            return Self::NAN;
        }
        let turn = Turn::new(self.absolute().0);
        settle!(N => turn.cosine::<N>())
    }

    pub fn tangent(self) -> Self {
        if !self.is_finite() {
            return Self::NAN;
        }
        if self.is_zero() {
            return self;
        }
        let turn = Turn::new(self.absolute().0);
        let value = settle!(N => turn.tangent::<N>());
        if self.is_negative() { value.negate() } else { value }
    }

    /// The angle in [−π/2, π/2] with this sine; NaN beyond ±1.
    pub fn arc_sine(self) -> Self {
        if !self.absolute().less_equal(Self::ONE) {
            return Self::NAN;
        }
        if self.is_zero() {
            return self;
        }
        settle!(N => angle(Wide::<N>::from_float(self.0), opposite(self)))
    }

    /// The angle in [0, π] with this cosine; NaN beyond ±1.
    pub fn arc_cosine(self) -> Self {
        if !self.absolute().less_equal(Self::ONE) {
            return Self::NAN;
        }
        settle!(N => angle(opposite(self), Wide::<N>::from_float(self.0)))
    }

    pub fn arc_tangent(self) -> Self {
        self.arc_tangent_2(Self::ONE)
    }

    /// The angle of the point (x, self) in [−π, π], with the special cases of C99: a zero keeps its sign.
    pub fn arc_tangent_2(self, x: Self) -> Self {
        if self.is_nan() || x.is_nan() {
            return Self::NAN;
        }
        if let Some(upper) = self.absolute().upper_angle_at_edge(x) {
            return upper.copy_sign(self);
        }
        settle!(N => angle(Wide::<N>::from_float(self.0), Wide::from_float(x.0)))
    }

    /// The angle of (x, self) for a magnitude `self`, where it is not for the series to find.
    fn upper_angle_at_edge(self, x: Self) -> Option<Self> {
        match (self.is_infinite(), x.is_infinite(), x.is_negative()) {
            (true, true, false) => Some(QUARTER_PI),
            (true, true, true) => Some(THREE_QUARTERS_PI),
            (true, false, _) => Some(HALF_PI),
            (false, true, false) => Some(Self::ZERO),
            (false, true, true) => Some(PI),
            (false, false, true) if self.is_zero() => Some(PI),
            (false, false, false) if self.is_zero() => Some(Self::ZERO),
            (false, false, _) if x.is_zero() => Some(HALF_PI),
            (false, false, true) => None,
            (false, false, false) => self.tiny_angle(x),
        }
    }

    /// The quotient of a tiny angle, which is greater than the angle by less than any float can tell.
    ///
    /// The quotient may be exactly between two subnormal floats, so being less than it decides.
    fn tiny_angle(self, x: Self) -> Option<Self> {
        let (height, width) = (soft::unpack(self.0), soft::unpack(x.0));
        let shift = u128::from(height.significand).leading_zeros();
        let exponent = height.exponent - shift as i32 - width.exponent;
        // The quotient is below 2^(128 + exponent).
        if exponent > -228 {
            return None;
        }
        let dividend = u128::from(height.significand) << shift;
        let quotient = dividend / u128::from(width.significand);
        let exact = quotient * u128::from(width.significand) == dividend;
        let below = if exact { quotient - 1 } else { quotient };
        Some(Self(soft::round(false, below | 1, exponent)))
    }
}

/// √(1 − x²) for |x| up to 1, by factors that keep what is left of a difference.
fn opposite<const N: usize>(x: Float) -> Wide<N> {
    let x = Wide::<N>::from_float(x.0);
    one().subtract(x).multiply(one().add(x)).square_root()
}

/// Hyperbolic functions.
impl Float {
    pub fn hyperbolic_sine(self) -> Self {
        if self.is_zero() || !self.is_finite() {
            return self;
        }
        let magnitude = self.absolute();
        settle!(N => {
            let grown = exponential_less_one(Wide::<N>::from_float(magnitude.0));
            grown.add(grown.divide(one().add(grown))).scale(-1).with_sign(self.is_negative())
        })
    }

    pub fn hyperbolic_cosine(self) -> Self {
        let magnitude = self.absolute();
        if !self.is_finite() {
            return magnitude;
        }
        settle!(N => {
            let grown = exponential(Wide::<N>::from_float(magnitude.0));
            grown.add(one().divide(grown)).scale(-1)
        })
    }

    pub fn hyperbolic_tangent(self) -> Self {
        if self.is_infinite() {
            return Self::ONE.copy_sign(self);
        }
        if self.is_zero() || self.is_nan() {
            return self;
        }
        let magnitude = self.absolute();
        settle!(N => {
            let grown = exponential_less_one(Wide::<N>::from_float(magnitude.0).scale(1));
            grown.divide(Wide::from_integer(2).add(grown)).with_sign(self.is_negative())
        })
    }
}
