//! The fixed-point number Q64.64: exact sums, and products and quotients rounded once, ties to even.

use super::exact::binary::{Binary, compare_with_float, nearest_float_bits, nearest_integer};
use super::exact::wide::{Wide, divide_narrow};
use super::exact::{Number, NumberFault, parse_decimal, power_of_ten, signed};
use core::cmp::Ordering;
use core::fmt;
use fixed::types::I64F64;

const FRACTION_BITS: u32 = 64;

/// A multiple of 2^-64 from -2^63 to 2^63 - 2^-64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Fixed(I64F64);

impl Fixed {
    pub const ZERO: Fixed = Fixed(I64F64::ZERO);
    pub const ONE: Fixed = Fixed(I64F64::ONE);
    pub const MIN: Fixed = Fixed(I64F64::MIN);
    pub const MAX: Fixed = Fixed(I64F64::MAX);

    /// The value whose product with 2^64 is `bits`.
    #[must_use]
    pub const fn from_bits(bits: i128) -> Fixed {
        Fixed(I64F64::from_bits(bits))
    }

    #[must_use]
    pub const fn to_bits(self) -> i128 {
        self.0.to_bits()
    }

    fn from_magnitude(negative: bool, magnitude: Option<u128>) -> Result<Fixed, NumberFault> {
        let largest = i128::MAX.unsigned_abs() + u128::from(negative);
        match magnitude {
            Some(magnitude) if magnitude <= largest => Ok(Fixed::from_bits(signed(negative, magnitude))),
            Some(_) | None => Err(NumberFault::Range),
        }
    }

    fn sign_and_magnitude(self) -> (bool, u128) {
        (self.0.is_negative(), self.to_bits().unsigned_abs())
    }

    #[expect(clippy::should_implement_trait, reason = "the sum may leave the range, which the trait cannot say")]
    pub fn add(self, other: Fixed) -> Result<Fixed, NumberFault> {
        self.0.checked_add(other.0).map(Fixed).ok_or(NumberFault::Range)
    }

    pub fn subtract(self, other: Fixed) -> Result<Fixed, NumberFault> {
        self.0.checked_sub(other.0).map(Fixed).ok_or(NumberFault::Range)
    }

    pub fn negate(self) -> Result<Fixed, NumberFault> {
        self.0.checked_neg().map(Fixed).ok_or(NumberFault::Range)
    }

    pub fn absolute(self) -> Result<Fixed, NumberFault> {
        self.0.checked_abs().map(Fixed).ok_or(NumberFault::Range)
    }

    /// Rounded once, ties to even, like the exact number's; the crate's own product rounds towards minus infinity.
    pub fn multiply(self, other: Fixed) -> Result<Fixed, NumberFault> {
        let (left_negative, left) = self.sign_and_magnitude();
        let (right_negative, right) = other.sign_and_magnitude();
        let product = Wide::product(left, right).rounded_shift_right_64();
        Fixed::from_magnitude(left_negative != right_negative, product)
    }

    /// Rounded once, ties to even, like the exact number's; the crate's own quotient rounds towards zero.
    pub fn divide(self, other: Fixed) -> Result<Fixed, NumberFault> {
        let (left_negative, left) = self.sign_and_magnitude();
        let (right_negative, right) = other.sign_and_magnitude();
        if right == 0 {
            return Err(NumberFault::DivisionByZero);
        }
        let quotient = Wide::shifted_left_64(left).rounded_quotient(right);
        Fixed::from_magnitude(left_negative != right_negative, quotient)
    }

    /// `//`: the largest integer not above the exact quotient.
    pub fn floor_divide(self, other: Fixed) -> Result<Fixed, NumberFault> {
        let (left_negative, left) = self.sign_and_magnitude();
        let (right_negative, right) = other.sign_and_magnitude();
        let negative = left_negative != right_negative;
        let (quotient, remainder) = divide_narrow(left, right).ok_or(NumberFault::DivisionByZero)?;
        let quotient = quotient + u128::from(negative && remainder != 0);
        let integer = if quotient >> FRACTION_BITS == 0 { Some(quotient << FRACTION_BITS) } else { None };
        Fixed::from_magnitude(negative, integer)
    }

    /// `%`: what `floor_divide` leaves, with the sign of the divisor; exact, even where that quotient is out of range.
    pub fn modulo(self, other: Fixed) -> Result<Fixed, NumberFault> {
        let divisor = other.to_bits();
        if divisor == 0 {
            return Err(NumberFault::DivisionByZero);
        }
        // Wrapping serves one case, the least value by -2^-64, where it gives the right remainder: zero.
        let remainder = self.to_bits().wrapping_rem(divisor);
        let below = remainder != 0 && (remainder < 0) != (divisor < 0);
        Ok(Fixed::from_bits(if below { remainder.wrapping_add(divisor) } else { remainder }))
    }

    /// The largest integer not above the value: the least value is an integer, so there always is one.
    #[must_use]
    pub fn floor(self) -> Fixed {
        Fixed(self.0.wrapping_floor())
    }

    /// The least integer not below the value; `Range` above 2^63 - 1.
    pub fn ceiling(self) -> Result<Fixed, NumberFault> {
        self.0.checked_ceil().map(Fixed).ok_or(NumberFault::Range)
    }

    /// The integer part.
    #[must_use]
    pub fn truncate(self) -> Fixed {
        Fixed(self.0.round_to_zero())
    }

    #[must_use]
    pub fn is_integer(self) -> bool {
        self.0.frac().is_zero()
    }

    #[must_use]
    pub fn compare(self, other: Fixed) -> Ordering {
        self.cmp(&other)
    }
}

/// Leading zeros of a fraction that are worked through: a value that begins behind them is far below 2^-65.
const MOST_ZEROS: i64 = 40;

/// The decimal fraction 0.d₁d₂d₃… times 2^64, ties to even.
fn fraction_bits(digits: &mut [u8]) -> u128 {
    let mut bits = 0;
    for _ in 0..FRACTION_BITS {
        let mut carry = 0;
        for digit in digits.iter_mut().rev() {
            let doubled = *digit * 2 + carry;
            (*digit, carry) = if doubled >= 10 { (doubled - 10, 1) } else { (doubled, 0) };
        }
        bits = bits << 1 | u128::from(carry);
    }
    let has_more = digits.iter().skip(1).any(|&digit| digit != 0);
    let is_up = match digits.first() {
        Some(5) if !has_more => bits & 1 == 1,
        first => first >= Some(&5),
    };
    bits + u128::from(is_up)
}

/// Conversions and comparisons between the kinds of number.
impl Fixed {
    /// The nearest fixed-point number, ties to even.
    pub fn from_number(number: Number) -> Result<Fixed, NumberFault> {
        let dividend = Wide::shifted_left_64(number.coefficient().unsigned_abs());
        Fixed::from_magnitude(number.is_negative(), dividend.rounded_quotient(power_of_ten(number.scale()).into()))
    }

    /// The number of the same value, if 18 places can write it.
    #[must_use]
    pub fn to_number_exact(self) -> Option<Number> {
        let bits = self.to_bits();
        let places = FRACTION_BITS.saturating_sub(bits.trailing_zeros());
        if places > Number::PLACES {
            return None;
        }
        // odd / 2^n is odd × 5^n / 10^n; the coefficient stays below 2^63 × 10^18.
        let coefficient = (bits >> (FRACTION_BITS - places)).wrapping_mul(5i128.pow(places));
        Number::new(coefficient, places).ok()
    }

    /// The nearest number, ties to even at 18 places.
    #[must_use]
    pub fn to_number(self) -> Number {
        let (negative, magnitude) = self.sign_and_magnitude();
        let units = Wide::product(magnitude, power_of_ten(Number::PLACES).into()).rounded_shift_right_64();
        // No fixed-point number is beyond the range of numbers: 2^63 × 10^18 is less than 2^123.
        Number::from_units(signed(negative, units.unwrap_or(0))).unwrap_or(Number::ZERO)
    }

    /// The nearest fixed-point number to a binary64, ties to even.
    pub fn from_float_bits(bits: u64) -> Result<Fixed, NumberFault> {
        let Binary::Finite { negative, mantissa, exponent } = Binary::from_bits(bits) else {
            return Err(NumberFault::NotFinite);
        };
        Fixed::from_magnitude(negative, nearest_integer(mantissa, exponent + FRACTION_BITS as i32))
    }

    /// The bits of the nearest binary64, ties to even. A fixed-point zero has no sign, so it gives plus zero.
    #[must_use]
    pub fn to_float_bits(self) -> u64 {
        let (negative, magnitude) = self.sign_and_magnitude();
        nearest_float_bits(negative, magnitude, -(FRACTION_BITS as i32), false)
    }

    /// Whether a binary64 has the same mathematical value.
    #[must_use]
    pub fn equals_float_bits(self, bits: u64) -> bool {
        self.compare_float_bits(bits) == Some(Ordering::Equal)
    }

    /// Compares with a binary64 by mathematical value, without rounding; nothing for NaN.
    #[must_use]
    pub fn compare_float_bits(self, bits: u64) -> Option<Ordering> {
        compare_with_float(self.sign_and_magnitude(), bits, 1, FRACTION_BITS as i32)
    }

    /// Compares with an exact number by mathematical value, without rounding.
    #[must_use]
    pub fn compare_number(self, number: Number) -> Ordering {
        let (negative, magnitude) = self.sign_and_magnitude();
        let left = Wide::product(magnitude, power_of_ten(number.scale()).into());
        let right = Wide::shifted_left_64(number.coefficient().unsigned_abs());
        match (negative, number.is_negative()) {
            (false, false) => left.cmp(&right),
            (true, true) => right.cmp(&left),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

impl Fixed {
    /// Reads a whole text by JSON's grammar, with as many places as it has, and rounds once, ties to even.
    pub fn parse(text: &[u8]) -> Result<Fixed, NumberFault> {
        match parse_decimal(text) {
            Ok(number) => Fixed::from_number(number),
            Err(NumberFault::MinusZero) => Ok(Fixed::ZERO),
            // The text is well-formed, it only has more places than a number.
            Err(NumberFault::Places) => Fixed::parse_places(text),
            Err(fault) => Err(fault),
        }
    }

    fn parse_places(text: &[u8]) -> Result<Fixed, NumberFault> {
        let negative = text.first() == Some(&b'-');
        let (mantissa, exponent) = match text.iter().position(|byte| byte.eq_ignore_ascii_case(&b'e')) {
            Some(mark) => (text.get(..mark).unwrap_or_default(), text.get(mark + 1..).unwrap_or_default()),
            None => (text, &[][..]),
        };
        let point = mantissa.iter().position(|&byte| byte == b'.').unwrap_or(mantissa.len());
        let digits = |bytes: &[u8]| bytes.iter().filter(|byte| byte.is_ascii_digit()).count() as i64;
        // An exponent that has no room in 32 bits moves every digit out of sight.
        let exponent = core::str::from_utf8(exponent).ok().and_then(|text| text.parse::<i32>().ok());
        let exponent = exponent.unwrap_or(if mantissa.len() == text.len() { 0 } else { i32::MIN });
        let before = digits(mantissa.get(..point).unwrap_or_default()) + i64::from(exponent);
        let mut integer = Some(0_u128);
        let mut fraction = Vec::with_capacity(mantissa.len());
        // Zeros beyond these can't turn the rounding.
        fraction.resize(usize::try_from(-before.max(-MOST_ZEROS)).unwrap_or(0), 0);
        for (place, byte) in (0_i64..).zip(mantissa.iter().filter(|byte| byte.is_ascii_digit())) {
            let digit = byte - b'0';
            if place < before {
                integer = integer.and_then(|integer| integer.checked_mul(10)?.checked_add(digit.into()));
            } else {
                fraction.push(digit);
            }
        }
        let integer = integer.filter(|integer| integer >> FRACTION_BITS == 0).ok_or(NumberFault::Range)?;
        Fixed::from_magnitude(negative, (integer << FRACTION_BITS).checked_add(fraction_bits(&mut fraction)))
    }

    /// Appends the exact value in plain digits: up to 64 places, no zeros at the end of a fraction.
    pub fn write_text(&self, out: &mut Vec<u8>) {
        if self.0.is_negative() {
            out.push(b'-');
        }
        self.write_magnitude(out);
    }

    fn write_magnitude(&self, out: &mut Vec<u8>) {
        let (_, magnitude) = self.sign_and_magnitude();
        let integer = (magnitude >> FRACTION_BITS) as i128;
        Number::from_integer(integer).unwrap_or(Number::ZERO).write_text(out);
        let mut fraction = magnitude as u64;
        if fraction != 0 {
            out.push(b'.');
        }
        // Each step takes a factor two out of the fraction's denominator: at most 64 digits.
        while fraction != 0 {
            let scaled = u128::from(fraction) * 10;
            out.push(b'0' + (scaled >> FRACTION_BITS) as u8);
            fraction = scaled as u64;
        }
    }
}

impl fmt::Display for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        self.write_magnitude(&mut text);
        f.pad_integral(!self.0.is_negative(), "", core::str::from_utf8(&text).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn fixed(text: &str) -> Fixed {
        Fixed::from_number(number(text)).unwrap()
    }

    fn number(text: &str) -> Number {
        parse_decimal(text.as_bytes()).unwrap()
    }

    fn two_to(exponent: i64) -> f64 {
        f64::from_bits(((1023 + exponent) as u64) << 52)
    }

    const LEAST: Fixed = Fixed::from_bits(1);

    #[test]
    fn products_and_quotients_round_once_to_even() {
        let half = fixed("0.5");
        assert_eq!(LEAST.multiply(half), Ok(Fixed::ZERO));
        assert_eq!(Fixed::from_bits(3).multiply(half), Ok(Fixed::from_bits(2)));
        assert_eq!(Fixed::from_bits(-3).multiply(half), Ok(Fixed::from_bits(-2)));
        assert_eq!(Fixed::from_bits(5).divide(fixed("2")), Ok(Fixed::from_bits(2)));
        assert_eq!(fixed("-1").divide(fixed("3")), Ok(Fixed::from_bits(-6_148_914_691_236_517_205)));
        assert_eq!(fixed("2").divide(fixed("3")), Ok(Fixed::from_bits(12_297_829_382_473_034_411)));
    }

    #[test]
    fn leaving_the_range_is_a_fault() {
        let minus_one = fixed("-1");
        assert_eq!(Fixed::MAX.add(LEAST), Err(NumberFault::Range));
        assert_eq!(Fixed::MIN.subtract(LEAST), Err(NumberFault::Range));
        assert_eq!(Fixed::MIN.negate(), Err(NumberFault::Range));
        assert_eq!(Fixed::MIN.absolute(), Err(NumberFault::Range));
        assert_eq!(Fixed::MIN.multiply(minus_one), Err(NumberFault::Range));
        assert_eq!(Fixed::MIN.multiply(Fixed::ONE), Ok(Fixed::MIN));
        assert_eq!(Fixed::MIN.divide(minus_one), Err(NumberFault::Range));
        assert_eq!(Fixed::MIN.floor_divide(minus_one), Err(NumberFault::Range));
        assert_eq!(Fixed::MIN.floor_divide(Fixed::ONE), Ok(Fixed::MIN));
        assert_eq!(Fixed::MIN.modulo(Fixed::from_bits(-1)), Ok(Fixed::ZERO));
        assert_eq!(Fixed::MAX.ceiling(), Err(NumberFault::Range));
        for operation in [Fixed::divide, Fixed::floor_divide, Fixed::modulo] {
            assert_eq!(operation(Fixed::ONE, Fixed::ZERO), Err(NumberFault::DivisionByZero));
        }
    }

    #[test]
    fn integral_parts_follow_the_sign() {
        let rows = [("2.5", "2", "3", "2"), ("-2.5", "-3", "-2", "-2"), ("4", "4", "4", "4")];
        for (value, floor, ceiling, truncated) in rows {
            assert_eq!(fixed(value).floor(), fixed(floor));
            assert_eq!(fixed(value).ceiling(), Ok(fixed(ceiling)));
            assert_eq!(fixed(value).truncate(), fixed(truncated));
            assert_eq!(fixed(value).is_integer(), value == floor);
        }
        assert_eq!(Fixed::MIN.floor(), Fixed::MIN);
        assert_eq!(fixed("-7").floor_divide(fixed("2")), Ok(fixed("-4")));
        assert_eq!(fixed("-7").modulo(fixed("2")), Ok(fixed("1")));
        assert_eq!(fixed("7").modulo(fixed("-2")), Ok(fixed("-1")));
    }

    #[test]
    fn numbers_come_exactly_or_rounded() {
        assert_eq!(fixed("0.25").to_number_exact(), Some(number("0.25")));
        assert_eq!(Fixed::from_bits(1 << 46).to_number_exact(), Some(number("0.000003814697265625")));
        assert_eq!(Fixed::from_bits(1 << 45).to_number_exact(), None);
        assert_eq!(Fixed::from_bits(1 << 45).to_number(), number("0.000001907348632812"));
        assert_eq!(Fixed::ZERO.to_number_exact(), Some(Number::ZERO));
        assert_eq!(Fixed::MIN.to_number_exact(), Some(number("-9223372036854775808")));
        assert_eq!(Fixed::MAX.to_number(), number("9223372036854775808"));
        assert_eq!(Fixed::from_number(number("-9223372036854775808")), Ok(Fixed::MIN));
        assert_eq!(Fixed::from_number(number("9223372036854775808")), Err(NumberFault::Range));
        assert_eq!(fixed("0.1").compare_number(number("0.1")), Ordering::Greater);
        assert_eq!(fixed("-0.5").compare_number(number("-0.5")), Ordering::Equal);
        assert_eq!(Fixed::MIN.compare_number(number("1e-18")), Ordering::Less);
    }

    #[test]
    fn floats_come_and_go_rounded_once_and_compare_exactly() {
        let from = |value: f64| Fixed::from_float_bits(value.to_bits());
        assert_eq!(from(two_to(-64)), Ok(LEAST));
        assert_eq!(from(two_to(-65)), Ok(Fixed::ZERO));
        assert_eq!(from(two_to(-65).next_up()), Ok(LEAST));
        assert_eq!(from(f64::from_bits(1)), Ok(Fixed::ZERO));
        assert_eq!(from(-two_to(63)), Ok(Fixed::MIN));
        assert_eq!(from(two_to(63)), Err(NumberFault::Range));
        assert_eq!(from(f64::MAX), Err(NumberFault::Range));
        assert_eq!(from(f64::INFINITY), Err(NumberFault::NotFinite));
        assert_eq!(Fixed::MAX.to_float_bits(), two_to(63).to_bits());
        assert_eq!(LEAST.to_float_bits(), two_to(-64).to_bits());
        assert_eq!(Fixed::ZERO.to_float_bits(), 0);
        assert!(fixed("-0.75").equals_float_bits((-0.75f64).to_bits()));
        assert!(Fixed::ZERO.equals_float_bits((-0.0f64).to_bits()));
        assert_eq!(Fixed::MAX.compare_float_bits(two_to(63).to_bits()), Some(Ordering::Less));
        assert_eq!(Fixed::ZERO.compare_float_bits(f64::NAN.to_bits()), None);
    }

    #[test]
    fn every_text_of_a_value_reads_as_it_and_others_round() {
        for bits in [0, 1, -1, 3, (1 << 64) - 1, 1 << 64, i128::MAX, i128::MIN, 0x0123_4567_89ab_cdef_0123] {
            let value = Fixed::from_bits(bits);
            assert_eq!(Fixed::parse(value.to_string().as_bytes()), Ok(value));
        }
        assert_eq!(Fixed::parse(b"1e-20"), Ok(Fixed::ZERO));
        assert_eq!(Fixed::parse(b"6e-20"), Ok(LEAST));
        assert_eq!(Fixed::parse(b"1e-99999999999"), Ok(Fixed::ZERO));
        assert_eq!(
            Fixed::parse(b"1234567890.1234567890123456789e-10"),
            Fixed::parse(b"0.12345678901234567890123456789")
        );
        // Half of the least value, to the last digit, and one more.
        let half = b"0.000000000000000000027105054312137610850186320021748542785644531250";
        assert_eq!(Fixed::parse(half), Ok(Fixed::ZERO));
        assert_eq!(Fixed::parse(&[half.as_slice(), b"1"].concat()), Ok(LEAST));
        assert_eq!(Fixed::parse(b"9223372036854775808"), Err(NumberFault::Range));
        assert_eq!(Fixed::parse(b"9223372036854775807.99999999999999999999999"), Err(NumberFault::Range));
        assert_eq!(Fixed::parse(b"1."), Err(NumberFault::Syntax));
    }

    #[test]
    fn text_is_the_exact_value() {
        assert_eq!(fixed("-12.5").to_string(), "-12.5");
        assert_eq!(Fixed::ZERO.to_string(), "0");
        assert_eq!(Fixed::MIN.to_string(), "-9223372036854775808");
        let least = "0.0000000000000000000542101086242752217003726400434970855712890625";
        assert_eq!(LEAST.to_string(), least);
        let mut out = b"x".to_vec();
        LEAST.write_text(&mut out);
        assert_eq!(out, format!("x{least}").as_bytes());
    }
}
