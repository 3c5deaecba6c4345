//! Wide floats: N limbs of significand, every operation truncating, for computing far past the 53 bits that are kept.
//!
//! Sums and products are off by at most 2 units in the last place of the result, a difference by one of its larger operand, a
//! quotient and a root by a few, a division by a small number by as many bits as that has. All a function does on its way loses
//! less than 40 bits (a test measures some), so the lowest limb is given up as a guard, and a result counts as known to
//! 2^(64 (1 − N)) relative.

use std::array;
use std::cmp::Ordering;

use super::super::soft;

/// ± 0.limbs × 2^exponent, least significant limb first; the top bit is set unless the value is zero.
#[derive(Clone, Copy)]
pub(super) struct Wide<const N: usize> {
    negative: bool,
    exponent: i64,
    limbs: [u64; N],
}

fn limb(limbs: &[u64], index: usize) -> u64 {
    limbs.get(index).copied().unwrap_or(0)
}

/// The `L` limbs that begin at a bit of a long fraction; both are given most significant first.
pub(super) fn window<const L: usize>(fraction: &[u64], start: usize) -> [u64; L] {
    let (whole, bits) = (start / 64, (start % 64) as u32);
    array::from_fn(|index| {
        let high = limb(fraction, whole + index);
        let low = limb(fraction, whole + index + 1);
        // Two shifts, as one by 64 is none at all.
        high << bits | low >> 1 >> (63 - bits)
    })
}

fn shift_right<const N: usize>(limbs: &[u64; N], by: u64) -> [u64; N] {
    let (whole, bits) = (usize::try_from(by / 64).unwrap_or(N).min(N), (by % 64) as u32);
    array::from_fn(|index| {
        let low = limb(limbs, index + whole);
        let high = limb(limbs, index + whole + 1);
        low >> bits | high << 1 << (63 - bits)
    })
}

fn shift_left<const N: usize>(limbs: &[u64; N], by: u32) -> [u64; N] {
    let (whole, bits) = ((by / 64) as usize, by % 64);
    array::from_fn(|index| {
        let high = index.checked_sub(whole).map_or(0, |from| limb(limbs, from));
        let low = index.checked_sub(whole + 1).map_or(0, |from| limb(limbs, from));
        high << bits | low >> 1 >> (63 - bits)
    })
}

fn add_limbs<const N: usize>(a: &[u64; N], b: &[u64; N]) -> ([u64; N], bool) {
    let (mut sum, mut carry) = ([0; N], false);
    for ((out, x), y) in sum.iter_mut().zip(a).zip(b) {
        let (partial, first) = x.overflowing_add(*y);
        let (whole, second) = partial.overflowing_add(u64::from(carry));
        (*out, carry) = (whole, first | second);
    }
    (sum, carry)
}

/// `a − b` and whether it went below zero.
fn subtract_limbs<const N: usize>(a: &[u64; N], b: &[u64; N]) -> ([u64; N], bool) {
    let (mut difference, mut borrow) = ([0; N], false);
    for ((out, x), y) in difference.iter_mut().zip(a).zip(b) {
        let (partial, first) = x.overflowing_sub(*y);
        let (whole, second) = partial.overflowing_sub(u64::from(borrow));
        (*out, borrow) = (whole, first | second);
    }
    (difference, borrow)
}

/// The high half of the product: a row for each limb of `a`, whose lowest limb is final and drops out.
#[expect(clippy::indexing_slicing, reason = "the indexes run below N, over arrays of N limbs; N is not 0")]
fn multiply_limbs<const N: usize>(a: &[u64; N], b: &[u64; N]) -> [u64; N] {
    let mut rows = [0_u64; N];
    for digit in a {
        // A cell is at most (2^64 − 1)² + 2 (2^64 − 1), which is just below 2^128.
        let cell = |factor: u64, row: u64, carry: u64| {
            u128::from(*digit) * u128::from(factor) + u128::from(row) + u128::from(carry)
        };
        let mut carry = (cell(b[0], rows[0], 0) >> 64) as u64;
        for index in 1..N {
            let value = cell(b[index], rows[index], carry);
            rows[index - 1] = value as u64;
            carry = (value >> 64) as u64;
        }
        rows[N - 1] = carry;
    }
    rows
}

fn leading_zeros(limbs: &[u64]) -> u32 {
    let mut zeros = 0;
    for limb in limbs.iter().rev() {
        zeros += limb.leading_zeros();
        if *limb != 0 {
            break;
        }
    }
    zeros
}

impl<const N: usize> Wide<N> {
    pub const BITS: i64 = 64 * N as i64;
    pub const ZERO: Self = Self { negative: false, exponent: 0, limbs: [0; N] };

    /// 0.limbs × 2^exponent, the most significant limb first, truncated to N limbs.
    pub fn from_fraction(negative: bool, fraction: &[u64], exponent: i64) -> Self {
        let mut zeros = 0_usize;
        for limb in fraction {
            zeros += limb.leading_zeros() as usize;
            if *limb != 0 {
                break;
            }
        }
        let mut limbs = window::<N>(fraction, zeros);
        limbs.reverse();
        let value = Self { negative, exponent: exponent - zeros as i64, limbs };
        if value.is_zero() { Self::ZERO } else { value }
    }

    pub fn from_integer(value: i64) -> Self {
        Self::from_fraction(value < 0, &[value.unsigned_abs()], 64)
    }

    /// A finite float, exactly.
    pub fn from_float(bits: u64) -> Self {
        let finite = soft::unpack(bits);
        Self::from_fraction(finite.negative, &[finite.significand], i64::from(finite.exponent) + 64)
    }

    fn normalized(negative: bool, exponent: i64, limbs: [u64; N]) -> Self {
        let zeros = leading_zeros(&limbs);
        match zeros {
            0 => Self { negative, exponent, limbs },
            _ if i64::from(zeros) == Self::BITS => Self::ZERO,
            _ => Self { negative, exponent: exponent - i64::from(zeros), limbs: shift_left(&limbs, zeros) },
        }
    }

    pub fn is_zero(&self) -> bool {
        self.top() == 0
    }

    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// The least power of two above the magnitude; so low for zero that nothing notices.
    pub fn magnitude(&self) -> i64 {
        if self.is_zero() { i64::MIN / 4 } else { self.exponent }
    }

    /// The most significant limb.
    pub fn top(&self) -> u64 {
        self.limbs.last().copied().unwrap_or(0)
    }

    pub fn negate(self) -> Self {
        self.with_sign(!self.negative)
    }

    pub fn with_sign(self, negative: bool) -> Self {
        Self { negative: negative && !self.is_zero(), ..self }
    }

    /// × 2^places
    pub fn scale(self, places: i64) -> Self {
        if self.is_zero() { self } else { Self { exponent: self.exponent + places, ..self } }
    }

    /// Whether the magnitude is less than that of the other.
    pub fn is_smaller(&self, other: &Self) -> bool {
        match self.magnitude().cmp(&other.magnitude()) {
            Ordering::Less => true,
            Ordering::Equal => self.limbs.iter().rev().lt(other.limbs.iter().rev()),
            Ordering::Greater => false,
        }
    }

    pub fn add(self, other: Self) -> Self {
        let (large, small) = if self.magnitude() < other.magnitude() { (other, self) } else { (self, other) };
        if small.is_zero() {
            return large;
        }
        let shifted = shift_right(&small.limbs, large.exponent.abs_diff(small.exponent));
        if large.negative == small.negative {
            let (sum, carry) = add_limbs(&large.limbs, &shifted);
            if !carry {
                return Self { limbs: sum, ..large };
            }
            let mut limbs = shift_right(&sum, 1);
            if let Some(top) = limbs.last_mut() {
                *top |= 1 << 63;
            }
            return Self { exponent: large.exponent + 1, limbs, ..large };
        }
        match subtract_limbs(&large.limbs, &shifted) {
            (difference, false) => Self::normalized(large.negative, large.exponent, difference),
            // Only with equal exponents, when nothing was shifted out.
            (_, true) => Self::normalized(small.negative, large.exponent, subtract_limbs(&shifted, &large.limbs).0),
        }
    }

    pub fn subtract(self, other: Self) -> Self {
        self.add(other.negate())
    }

    pub fn multiply(self, other: Self) -> Self {
        let product = multiply_limbs(&self.limbs, &other.limbs);
        Self::normalized(self.negative != other.negative, self.exponent + other.exponent, product)
    }

    pub fn square(self) -> Self {
        self.multiply(self)
    }

    /// Divides by a number that is not zero, losing as many bits as that has.
    pub fn divide_small(self, divisor: u64) -> Self {
        let mut remainder = 0_u64;
        let mut quotient = self.limbs;
        for limb in quotient.iter_mut().rev() {
            let dividend = u128::from(remainder) << 64 | u128::from(*limb);
            let divisor = u128::from(divisor.max(1));
            *limb = (dividend / divisor) as u64;
            remainder = (dividend % divisor) as u64;
        }
        Self::normalized(self.negative, self.exponent, quotient)
    }

    /// 1 ÷ self by Newton's iteration, which doubles the bits that are right: at least 60 in the beginning.
    fn reciprocal(self) -> Self {
        let guess = u128::MAX / u128::from(self.top().max(1));
        // The top limb is at least one half, so the guess is 2^64 or more and less than 2^65.
        let mut inverse = Self::from_fraction(self.negative, &[(guess >> 64) as u64, guess as u64], 64 - self.exponent);
        let one = Self::from_integer(1);
        let mut right = 60;
        while right < Self::BITS {
            let error = one.subtract(self.multiply(inverse));
            inverse = inverse.add(inverse.multiply(error));
            right *= 2;
        }
        inverse
    }

    /// Divides by a value that is not zero.
    pub fn divide(self, divisor: Self) -> Self {
        self.multiply(divisor.reciprocal())
    }

    /// The root of a value that is not negative, by Newton's iteration for 1 ÷ √self.
    pub fn square_root(self) -> Self {
        if self.is_zero() {
            return self;
        }
        // 0.m × 2^exponent with an even exponent: m in [1/4, 1), its root in [1/2, 1).
        let odd = self.exponent & 1;
        let half = (self.exponent + odd) / 2;
        let fraction = self.scale(-self.exponent - odd);
        let root = (u128::from(self.top()) << 64 >> odd).isqrt();
        let guess = u128::MAX / root.max(1);
        let mut inverse = Self::from_fraction(false, &[(guess >> 64) as u64, guess as u64], 64);
        let one = Self::from_integer(1);
        let mut right = 58;
        while right < Self::BITS {
            let error = one.subtract(fraction.multiply(inverse.square()));
            inverse = inverse.add(inverse.multiply(error).scale(-1));
            right *= 2;
        }
        fraction.multiply(inverse).scale(half)
    }

    /// The nearest integer, give or take one in a tie; the magnitude is below 2^62.
    pub fn nearest_integer(&self) -> i64 {
        if self.magnitude() < 0 {
            return 0;
        }
        let places = (63 - self.exponent).clamp(0, 63) as u32;
        let doubled = self.top() >> places;
        let integer = (doubled.wrapping_add(1) >> 1) as i64;
        if self.negative { -integer } else { integer }
    }

    /// Rounds by the 128 leading bits, the last one sticky.
    fn round(limbs: &[u64; N], exponent: i64, negative: bool) -> u64 {
        let mut descending = limbs.iter().rev();
        let (first, second) = (descending.next().copied().unwrap_or(0), descending.next().copied().unwrap_or(0));
        let sticky = descending.any(|limb| *limb != 0);
        let significand = u128::from(first) << 64 | u128::from(second) | u128::from(sticky);
        soft::round(negative, significand, exponent.saturating_sub(128).clamp(-1 << 30, 1 << 30) as i32)
    }

    /// Everything the guard limb says nothing about: one unit of the limb above it.
    fn guard() -> [u64; N] {
        array::from_fn(|index| u64::from(index == 1))
    }

    fn upper(&self) -> ([u64; N], i64) {
        match add_limbs(&self.limbs, &Self::guard()) {
            (sum, false) => (sum, self.exponent),
            // Just above a power of two.
            (_, true) => {
                (array::from_fn(|index| u64::from(index == 0) | u64::from(index + 1 == N) << 63), self.exponent + 1)
            }
        }
    }

    /// The float nearest to the true value, if the guard leaves no doubt which that is.
    pub fn rounded(&self) -> Option<u64> {
        if self.is_zero() {
            return Some(0);
        }
        let (upper, exponent) = self.upper();
        let above = Self::round(&upper, exponent, self.negative);
        let below = Self::round(&subtract_limbs(&self.limbs, &Self::guard()).0, self.exponent, self.negative);
        (above == below).then_some(above)
    }

    /// The float nearest to a value still in doubt at the last width: it is taken for the tie that it can't be told from.
    pub fn rounded_as_tie(&self) -> u64 {
        let (upper, exponent) = self.upper();
        let leading = array::from_fn(|index| if index + 2 < N { 0 } else { limb(&upper, index) });
        Self::round(&leading, exponent, self.negative)
    }
}

#[cfg(test)]
impl<const N: usize> Wide<N> {
    /// The same value with more limbs.
    pub fn widen<const M: usize>(self) -> Wide<M> {
        let mut limbs = self.limbs;
        limbs.reverse();
        Wide::from_fraction(self.negative, &limbs, self.exponent)
    }
}
