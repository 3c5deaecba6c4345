//! Rounding to fixed places, by the modes that prices and taxes are written with.

use super::wide::{compare_to_half, divide_narrow};
use super::{Number, NumberFault, power_of_ten, signed};
use core::cmp::Ordering;

/// Where a value between two neighbours goes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Rounding {
    /// To the nearest, ties to the even neighbour.
    HalfEven,
    /// To the nearest, ties away from zero.
    HalfUp,
    /// To the nearest, ties towards zero.
    HalfDown,
    /// Towards zero.
    Down,
    /// Away from zero.
    Up,
    /// Towards minus infinity.
    Floor,
    /// Towards plus infinity.
    Ceiling,
}

impl Rounding {
    /// Whether a magnitude that is not exact goes to the neighbour away from zero.
    fn goes_away(self, negative: bool, odd: bool, to_half: Ordering) -> bool {
        match self {
            Rounding::HalfEven => to_half == Ordering::Greater || (to_half == Ordering::Equal && odd),
            Rounding::HalfUp => to_half != Ordering::Less,
            Rounding::HalfDown => to_half == Ordering::Greater,
            Rounding::Down => false,
            Rounding::Up => true,
            Rounding::Floor => negative,
            Rounding::Ceiling => !negative,
        }
    }
}

impl Number {
    /// Rounds to at most `places` decimal places. The result is in lowest terms as ever: `quantize(1.5, 2)` is 1.5.
    /// It is `Range` only where the neighbour lies just beyond the range.
    pub fn quantize(self, places: u32, mode: Rounding) -> Result<Number, NumberFault> {
        let dropped = match self.scale().checked_sub(places) {
            None | Some(0) => return Ok(self),
            Some(dropped) => dropped,
        };
        let divisor = u128::from(power_of_ten(dropped));
        let (negative, magnitude) = self.sign_and_magnitude();
        let (quotient, remainder) = divide_narrow(magnitude, divisor).ok_or(NumberFault::DivisionByZero)?;
        // The remainder is not zero: in lowest terms, no digit that is dropped last is a zero.
        let away = mode.goes_away(negative, quotient & 1 == 1, compare_to_half(remainder, divisor));
        Number::from_parts(negative, quotient + u128::from(away), places)
    }

    /// Rounds to at most `places` decimal places, ties to even.
    pub fn round_half_even(self, places: u32) -> Result<Number, NumberFault> {
        self.quantize(places, Rounding::HalfEven)
    }

    /// The largest integer not above the value; `Range` below the least integer.
    pub fn floor(self) -> Result<Number, NumberFault> {
        self.quantize(0, Rounding::Floor)
    }

    /// The least integer not below the value; `Range` above the largest integer.
    pub fn ceiling(self) -> Result<Number, NumberFault> {
        self.quantize(0, Rounding::Ceiling)
    }

    /// The integer part.
    #[must_use]
    pub fn truncate(self) -> Number {
        let (negative, magnitude) = self.sign_and_magnitude();
        Number { coefficient: signed(negative, magnitude / u128::from(power_of_ten(self.scale()))), scale: 0 }
    }
}
