//! All decimal digits of a number, and printing them rounded at any place: in integers, so the same on every platform.

use super::{Fixed, Float, Number};

/// Room for the 767 digits that a float can have, in limbs of nine.
const LIMBS: usize = 88;
const LIMB: u64 = 1_000_000_000;
const DIGITS: usize = 9 * LIMBS;
/// The largest powers by which a limb is multiplied in one step, with their exponents.
const TWOS: (u32, u64) = (29, 1 << 29);
const FIVES: (u32, u64) = (13, 1_220_703_125);

/// A finite value, written out: 0.d₁d₂d₃… × 10^`point`, without zeros at either end of the digits.
#[derive(Clone)]
pub struct Expansion {
    negative: bool,
    digits: [u8; DIGITS],
    count: usize,
    point: i32,
}

impl From<Number> for Expansion {
    fn from(number: Number) -> Expansion {
        Expansion::new(number.is_negative(), number.coefficient().unsigned_abs(), 0, -number.scale().cast_signed())
    }
}

impl From<Fixed> for Expansion {
    fn from(fixed: Fixed) -> Expansion {
        let bits = fixed.to_bits();
        Expansion::new(bits < 0, bits.unsigned_abs(), -64, 0)
    }
}

impl Expansion {
    /// The expansion of a float; none for NaN and infinities.
    #[must_use]
    pub fn of_float(float: Float) -> Option<Expansion> {
        let (negative, significand, exponent) = float.parts()?;
        Some(Expansion::new(negative, significand.into(), exponent, 0))
    }

    /// About how many steps writing a float out takes: its digits grow with the exponent, and so does a step.
    #[must_use]
    pub fn work(float: Float) -> u64 {
        let Some((_, significand, exponent)) = float.parts().filter(|parts| parts.1 != 0) else { return 0 };
        let exponent = exponent + (significand.trailing_zeros() as i32).min((-exponent).max(0));
        u64::from(exponent.unsigned_abs()).pow(2) / 256
    }

    /// ± `magnitude` × 2^`twos` × 10^`tens`. A magnitude of 53 bits may have any exponent that a float has.
    fn new(negative: bool, magnitude: u128, twos: i32, tens: i32) -> Expansion {
        // Halves that cancel are no digits.
        let halves = if magnitude == 0 { 0 } else { (magnitude.trailing_zeros() as i32).min((-twos).max(0)) };
        let (magnitude, twos) = (magnitude >> halves, if magnitude == 0 { 0 } else { twos + halves });
        let mut limbs = Limbs::of(magnitude);
        // A half is five tenths.
        let (power, step) = if twos < 0 { (twos.unsigned_abs(), FIVES) } else { (twos.unsigned_abs(), TWOS) };
        for _ in 0..power / step.0 {
            limbs.multiply(step.1);
        }
        let base: u64 = if twos < 0 { 5 } else { 2 };
        limbs.multiply(base.pow(power % step.0));
        let (digits, count) = limbs.digits();
        let point = count as i32 + tens + twos.min(0);
        let mut expansion = Expansion { negative, digits, count, point };
        expansion.strip();
        expansion
    }

    #[must_use]
    pub const fn is_negative(&self) -> bool {
        self.negative
    }

    #[must_use]
    pub const fn is_zero(&self) -> bool {
        self.count == 0
    }

    /// The exponent in scientific notation: that of the first digit. Zero has 0.
    #[must_use]
    pub const fn exponent(&self) -> i32 {
        if self.count == 0 { 0 } else { self.point - 1 }
    }

    /// Takes the zeros off the end.
    fn strip(&mut self) {
        let kept = self.digits.get(..self.count).unwrap_or_default();
        self.count = kept.iter().rposition(|&digit| digit != 0).map_or(0, |last| last + 1);
        if self.count == 0 {
            self.point = 0;
        }
    }

    fn digit(&self, place: i32) -> u8 {
        let place = usize::try_from(place).ok().filter(|&place| place < self.count);
        place.and_then(|place| self.digits.get(place)).copied().unwrap_or(0)
    }

    /// Rounds to so many digits, ties to even; fewer than none leave zero.
    fn round(&mut self, keep: i32) {
        if keep >= self.count as i32 {
            return;
        }
        let rest = self.count as i32 - keep;
        let is_up = match (keep, self.digit(keep)) {
            (..0, _) | (_, 0..5) => false,
            (_, 5) if rest == 1 => self.digit(keep - 1) % 2 == 1,
            _ => true,
        };
        self.count = usize::try_from(keep).unwrap_or(0);
        if is_up {
            let kept = self.digits.get_mut(..self.count).unwrap_or_default();
            match kept.iter().rposition(|&digit| digit != 9) {
                Some(last) => {
                    self.count = last + 1;
                    if let Some(digit) = self.digits.get_mut(last) {
                        *digit += 1;
                    }
                }
                None => {
                    self.count = 1;
                    self.point += 1;
                    if let Some(first) = self.digits.first_mut() {
                        *first = 1;
                    }
                }
            }
        }
        self.strip();
    }

    /// Rounds to so many places after the point.
    pub fn round_places(&mut self, places: usize) {
        self.round(self.point.saturating_add(i32::try_from(places).unwrap_or(i32::MAX)));
    }

    /// Rounds to so many digits, the first being no zero.
    pub fn round_digits(&mut self, digits: usize) {
        self.round(i32::try_from(digits).unwrap_or(i32::MAX));
    }

    /// How many digits are left after the point.
    #[must_use]
    pub fn places(&self) -> usize {
        usize::try_from(self.count as i32 - self.point).unwrap_or(0)
    }

    /// How many digits are left.
    #[must_use]
    pub const fn significant(&self) -> usize {
        self.count
    }

    /// Appends the magnitude in plain digits with so many places, which must be rounded to already.
    pub fn write_plain(&self, places: usize, always_point: bool, out: &mut Vec<u8>) {
        // Before the point there is at least one digit.
        if self.point <= 0 {
            out.push(b'0');
        }
        out.extend((0..self.point).map(|place| b'0' + self.digit(place)));
        if places > 0 || always_point {
            out.push(b'.');
        }
        let places = i32::try_from(places).unwrap_or(i32::MAX);
        out.extend((0..places).map(|place| b'0' + self.digit(self.point.saturating_add(place))));
    }

    /// Appends the magnitude as one digit, so many places, and an exponent of at least two digits.
    pub fn write_scientific(&self, places: usize, always_point: bool, mark: u8, out: &mut Vec<u8>) {
        out.push(b'0' + self.digit(0));
        if places > 0 || always_point {
            out.push(b'.');
        }
        out.extend((1..=i32::try_from(places).unwrap_or(i32::MAX)).map(|place| b'0' + self.digit(place)));
        let exponent = self.exponent();
        out.extend_from_slice(&[mark, if exponent < 0 { b'-' } else { b'+' }]);
        let exponent = exponent.unsigned_abs();
        if exponent >= 100 {
            out.push(b'0' + (exponent / 100 % 10) as u8);
        }
        out.extend_from_slice(&[b'0' + (exponent / 10 % 10) as u8, b'0' + (exponent % 10) as u8]);
    }
}

/// An integer in limbs of nine decimal digits, the lowest first.
struct Limbs {
    limbs: [u32; LIMBS],
    count: usize,
}

impl Limbs {
    fn of(magnitude: u128) -> Limbs {
        let mut limbs = Limbs { limbs: [0; LIMBS], count: 0 };
        let mut rest = magnitude;
        for limb in &mut limbs.limbs {
            if rest == 0 {
                break;
            }
            *limb = (rest % u128::from(LIMB)) as u32;
            rest /= u128::from(LIMB);
            limbs.count += 1;
        }
        limbs
    }

    /// Multiplies by a factor below 2^32.
    fn multiply(&mut self, factor: u64) {
        let mut carry = 0;
        for limb in self.limbs.iter_mut().take(self.count) {
            let product = u64::from(*limb) * factor + carry;
            *limb = (product % LIMB) as u32;
            carry = product / LIMB;
        }
        while carry != 0 {
            if let Some(limb) = self.limbs.get_mut(self.count) {
                *limb = (carry % LIMB) as u32;
            }
            carry /= LIMB;
            self.count += 1;
        }
    }

    /// The digits, the highest first, which is no zero; and how many.
    fn digits(&self) -> ([u8; DIGITS], usize) {
        let mut digits = [0; DIGITS];
        let mut count = 0;
        for &limb in self.limbs.iter().take(self.count).rev() {
            let mut power = LIMB as u32 / 10;
            while power > 0 {
                let digit = (limb / power % 10) as u8;
                if let Some(place) = digits.get_mut(count).filter(|_| count > 0 || digit != 0) {
                    *place = digit;
                    count += 1;
                }
                power /= 10;
            }
        }
        (digits, count)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn plain(value: f64, places: usize) -> String {
        let mut expansion = Expansion::of_float(Float::from_f64(value)).unwrap();
        expansion.round_places(places);
        let mut out = Vec::new();
        expansion.write_plain(places, false, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn scientific(value: f64, places: usize) -> String {
        let mut expansion = Expansion::of_float(Float::from_f64(value)).unwrap();
        expansion.round_digits(places + 1);
        let mut out = Vec::new();
        expansion.write_scientific(places, false, b'e', &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn ties_go_to_the_even_digit() {
        let rows = [(0.5, 0, "0"), (1.5, 0, "2"), (2.5, 0, "2"), (0.125, 2, "0.12"), (0.375, 2, "0.38")];
        for (value, places, text) in rows {
            assert_eq!(plain(value, places), text);
        }
        assert_eq!(plain(9.5, 0), "10");
        assert_eq!(plain(0.96, 1), "1.0");
        assert_eq!(plain(0.04, 1), "0.0");
        assert_eq!(plain(0.0, 3), "0.000");
    }

    #[test]
    fn the_extremes_have_all_their_digits() {
        // The standard library writes all digits too: another program for the same facts.
        for bits in [1, 2, 0x000f_ffff_ffff_ffff, 0x0010_0000_0000_0000, 0x7fef_ffff_ffff_ffff, 0x3ff0_0000_0000_0001] {
            let value = f64::from_bits(bits);
            assert_eq!(plain(value, 1100), format!("{value:.1100}"));
        }
        assert_eq!(scientific(f64::from_bits(1), 20), "4.94065645841246544177e-324");
        assert_eq!(scientific(f64::MAX, 3), "1.798e+308");
        assert_eq!(scientific(0.0, 2), "0.00e+00");
    }

    #[test]
    fn floats_print_as_the_standard_library_does() {
        let mut state = 0x1234_5678_9abc_def1_u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = f64::from_bits(state >> 1);
            let places = (state >> 33) as usize % 40;
            if value.is_finite() {
                assert_eq!(plain(value, places), format!("{value:.places$}"));
            }
        }
    }
}
