//! Decimals of any length, digit by digit: slow, plain, and nothing like what they test.

use std::cmp::Ordering;

/// ± digits × 10^exponent; the most significant digit first, without zeros at the start; no digits are zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal {
    pub negative: bool,
    pub digits: Vec<u8>,
    pub exponent: i64,
}

/// 2^127 − 1, the largest magnitude of an exact number in units of 10^-18.
const LARGEST: &str = "170141183460469231731687303715884105727e-18";

/// Rounding, by the names of the test files.
pub fn rounds_away(mode: &str, negative: bool, odd: bool, to_half: Ordering) -> Option<bool> {
    Some(match mode {
        "half_even" => to_half == Ordering::Greater || (to_half == Ordering::Equal && odd),
        "half_up" => to_half != Ordering::Less,
        "half_down" => to_half == Ordering::Greater,
        "down" => false,
        "up" => true,
        "floor" => negative,
        "ceiling" => !negative,
        _ => return None,
    })
}

impl Decimal {
    pub fn zero() -> Decimal {
        Decimal { negative: false, digits: Vec::new(), exponent: 0 }
    }

    fn new(negative: bool, digits: Vec<u8>, exponent: i64) -> Decimal {
        let leading = digits.iter().take_while(|&&digit| digit == 0).count();
        Decimal { negative, digits: digits.into_iter().skip(leading).collect(), exponent }
    }

    /// Digits with a point, a sign and an exponent where wished, in any of the usual layouts.
    pub fn parse(text: &str) -> Option<Decimal> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (integer, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = || integer.bytes().chain(fraction.bytes());
        let (sign, size) = match exponent.strip_prefix('-') {
            Some(size) => (-1, size),
            None => (1, exponent.strip_prefix('+').unwrap_or(exponent)),
        };
        if all().count() == 0 || size.is_empty() || !all().chain(size.bytes()).all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let size = size.bytes().fold(0_i64, |value, byte| (value * 10 + i64::from(byte - b'0')).min(1 << 50));
        let digits = all().map(|byte| byte - b'0').collect();
        Some(Decimal::new(negative, digits, sign * size - fraction.len() as i64))
    }

    pub fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// The same value without zeros at the end.
    pub fn lowest(&self) -> Decimal {
        let zeros = self.digits.iter().rev().take_while(|&&digit| digit == 0).count();
        let digits: Vec<u8> = self.digits.iter().take(self.digits.len() - zeros).copied().collect();
        let exponent = if digits.is_empty() { 0 } else { self.exponent + zeros as i64 };
        Decimal { negative: self.negative, digits, exponent }
    }

    /// The exponent of the first digit.
    pub fn magnitude(&self) -> i64 {
        self.exponent + self.digits.len() as i64 - 1
    }

    /// The code for which no exact number has this value.
    pub fn refusal(&self) -> Option<&'static str> {
        if self.is_zero() {
            return self.negative.then_some("NUMBER_MINUS_ZERO");
        }
        if self.lowest().exponent < -18 {
            return Some("NUMBER_PLACES");
        }
        let is_beyond = self.magnitude() > 20
            || Decimal::parse(LARGEST).is_some_and(|largest| self.absolute().compare(&largest).is_gt());
        is_beyond.then_some("NUMBER_RANGE")
    }

    /// One text a value, for comparison: the sign of zero included.
    pub fn canonical(&self) -> String {
        let lowest = self.lowest();
        let digits: String = if lowest.is_zero() {
            "0".to_owned()
        } else {
            lowest.digits.iter().map(|&digit| char::from(b'0' + digit)).collect()
        };
        format!("{}{digits}e{}", if self.negative { "-" } else { "" }, lowest.exponent)
    }

    /// Plain digits without an exponent; for values of a moderate size.
    pub fn plain(&self) -> String {
        let lowest = self.lowest();
        let sign = if self.negative { "-" } else { "" };
        let digits: String = lowest.digits.iter().map(|&digit| char::from(b'0' + digit)).collect();
        if lowest.exponent.abs() > 2000 {
            return self.canonical();
        }
        let shift = lowest.exponent.unsigned_abs() as usize;
        if lowest.is_zero() {
            format!("{sign}0")
        } else if lowest.exponent >= 0 {
            format!("{sign}{digits}{}", "0".repeat(shift))
        } else {
            let padded = format!("{}{digits}", "0".repeat((shift + 1).saturating_sub(digits.len())));
            let (integer, fraction) = padded.split_at(padded.len() - shift);
            format!("{sign}{integer}.{fraction}")
        }
    }

    pub fn absolute(&self) -> Decimal {
        Decimal { negative: false, ..self.clone() }
    }

    pub fn negate(&self) -> Decimal {
        Decimal { negative: !self.negative && !self.is_zero(), ..self.clone() }
    }

    /// The digits at a smaller exponent.
    fn at(&self, exponent: i64) -> Vec<u8> {
        let zeros = usize::try_from(self.exponent - exponent).unwrap_or(0);
        let mut digits = self.digits.clone();
        digits.extend(std::iter::repeat_n(0, if digits.is_empty() { 0 } else { zeros }));
        digits
    }

    fn aligned(&self, other: &Decimal) -> (Vec<u8>, Vec<u8>, i64) {
        let exponent = self.exponent.min(other.exponent);
        (self.at(exponent), other.at(exponent), exponent)
    }

    /// For values of moderate exponents.
    pub fn compare(&self, other: &Decimal) -> Ordering {
        let (left, right, _) = self.aligned(other);
        let by_magnitude = compare(&left, &right);
        match (self.negative && !self.is_zero(), other.negative && !other.is_zero()) {
            (false, false) => by_magnitude,
            (true, true) => by_magnitude.reverse(),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }

    pub fn add(&self, other: &Decimal) -> Decimal {
        let (left, right, exponent) = self.aligned(other);
        let sum = if self.negative == other.negative {
            Decimal::new(self.negative, add(&left, &right), exponent)
        } else if compare(&left, &right).is_ge() {
            Decimal::new(self.negative, subtract(&left, &right), exponent)
        } else {
            Decimal::new(other.negative, subtract(&right, &left), exponent)
        };
        if sum.is_zero() { Decimal::zero() } else { sum }
    }

    pub fn multiply(&self, other: &Decimal) -> Decimal {
        let product = Decimal::new(
            self.negative != other.negative,
            multiply(&self.digits, &other.digits),
            self.exponent + other.exponent,
        );
        if product.is_zero() { Decimal::zero() } else { product }
    }

    /// The quotient cut off at `place`, and whether anything was left; the divisor is not zero.
    pub fn divide(&self, other: &Decimal, place: i64) -> (Decimal, bool) {
        let exponent = self.exponent.min(other.exponent + place);
        let (dividend, divisor) = (self.at(exponent), other.at(exponent - place));
        let (quotient, remainder) = divide(&dividend, &divisor);
        let quotient = Decimal::new(self.negative != other.negative, quotient, place);
        (quotient, !remainder.is_empty())
    }

    /// The value rounded to a multiple of 10^place, where `more` says that further digits were cut off.
    pub fn round(&self, place: i64, more: bool, mode: &str) -> Option<Decimal> {
        if self.exponent >= place && !more {
            return Some(self.clone());
        }
        let dropped = usize::try_from(place - self.exponent).unwrap_or(0);
        let kept = self.digits.len().saturating_sub(dropped);
        let mut digits: Vec<u8> = self.digits.iter().take(kept).copied().collect();
        let mut tail: Vec<u8> = vec![0; dropped.saturating_sub(self.digits.len())];
        tail.extend(self.digits.iter().skip(kept));
        let is_exact = !more && tail.iter().all(|&digit| digit == 0);
        let half: Vec<u8> = std::iter::once(5).chain(std::iter::repeat_n(0, tail.len().saturating_sub(1))).collect();
        let to_half = if tail.is_empty() {
            Ordering::Less
        } else {
            tail.cmp(&half).then(if more { Ordering::Greater } else { Ordering::Equal })
        };
        let odd = digits.last().is_some_and(|digit| digit % 2 == 1);
        if !is_exact && rounds_away(mode, self.negative, odd, to_half)? {
            digits = add(&digits, &[1]);
        }
        Some(Decimal::new(self.negative, digits, place))
    }
}

fn trimmed(digits: &[u8]) -> &[u8] {
    let leading = digits.iter().take_while(|&&digit| digit == 0).count();
    digits.get(leading..).unwrap_or_default()
}

fn compare(a: &[u8], b: &[u8]) -> Ordering {
    let (a, b) = (trimmed(a), trimmed(b));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn add(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let length = a.len().max(b.len()) + 1;
    let (mut a, mut b) = (a.iter().rev(), b.iter().rev());
    let mut sum: Vec<u8> = (0..length)
        .map(|_| {
            let digit = a.next().unwrap_or(&0) + b.next().unwrap_or(&0) + carry;
            carry = digit / 10;
            digit % 10
        })
        .collect();
    sum.reverse();
    trimmed(&sum).to_vec()
}

/// The difference of a larger and a smaller magnitude.
fn subtract(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut b = b.iter().rev();
    let mut difference: Vec<u8> = a
        .iter()
        .rev()
        .map(|&digit| {
            let taken = b.next().unwrap_or(&0) + borrow;
            borrow = u8::from(digit < taken);
            digit + 10 * borrow - taken
        })
        .collect();
    difference.reverse();
    trimmed(&difference).to_vec()
}

fn multiply(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().fold(Vec::new(), |mut product, &digit| {
        product.push(0);
        (0..digit).fold(trimmed(&product).to_vec(), |sum, _| add(&sum, b))
    })
}

fn divide(a: &[u8], b: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut quotient = Vec::new();
    let mut rest: Vec<u8> = Vec::new();
    for &digit in a {
        rest.push(digit);
        let mut count = 0;
        while compare(&rest, b).is_ge() {
            rest = subtract(&rest, b);
            count += 1;
        }
        quotient.push(count);
    }
    (trimmed(&quotient).to_vec(), trimmed(&rest).to_vec())
}
