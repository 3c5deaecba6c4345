//! Binary64 arithmetic in integers alone: the law to which the processor's arithmetic is held.
//!
//! Every function takes and gives the 64 bits of a float, rounds once to nearest, ties to even, and answers any NaN with
//! the one NaN. Always compiled, so that a test can hold the processor to it in the same build.

pub const NAN: u64 = 0x7ff8_0000_0000_0000;
pub const INFINITY: u64 = 0x7ff0_0000_0000_0000;
pub const SIGN: u64 = 1 << 63;

const FRACTION_BITS: u32 = 52;
const HIDDEN: u64 = 1 << FRACTION_BITS;
const FRACTION: u64 = HIDDEN - 1;
const EXPONENT: u64 = 0x7ff;
const BIAS: i32 = 1023;
/// The exponent of the last bit of a subnormal.
const LEAST_EXPONENT: i32 = -1074;

/// Which integer a fraction goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    Down,
    Up,
    TowardZero,
    NearestEven,
    NearestAway,
}

/// A finite float taken apart: `significand × 2^exponent`, the significand below 2^53.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finite {
    pub negative: bool,
    pub significand: u64,
    pub exponent: i32,
}

/// A term of a sum, its significand's leading bit at 126: one bit is left for the carry.
struct Term {
    negative: bool,
    significand: u128,
    exponent: i32,
}

pub const fn is_nan(a: u64) -> bool {
    a & !SIGN > INFINITY
}

pub const fn is_infinite(a: u64) -> bool {
    a & !SIGN == INFINITY
}

pub const fn is_negative(a: u64) -> bool {
    a & SIGN != 0
}

const fn is_zero(a: u64) -> bool {
    a & !SIGN == 0
}

const fn with_sign(magnitude: u64, negative: bool) -> u64 {
    if negative { magnitude | SIGN } else { magnitude }
}

/// Takes a finite float apart; the caller has dealt with infinities and NaN.
pub(super) const fn unpack(a: u64) -> Finite {
    let field = (a >> FRACTION_BITS & EXPONENT) as i32;
    let fraction = a & FRACTION;
    let negative = is_negative(a);
    if field == 0 {
        Finite { negative, significand: fraction, exponent: LEAST_EXPONENT }
    } else {
        Finite { negative, significand: fraction | HIDDEN, exponent: field - 1 + LEAST_EXPONENT }
    }
}

/// Shifts right and keeps in the last bit whether anything was lost.
const fn shift_right_sticky(value: u128, by: u32) -> u128 {
    if by > 127 {
        return (value != 0) as u128;
    }
    let kept = value >> by;
    kept | (kept << by != value) as u128
}

/// Rounds `significand × 2^exponent` to the nearest float.
///
/// The last bit may stand for everything below it ("sticky") as long as at least 55 significant bits are given.
pub(super) const fn round(negative: bool, significand: u128, exponent: i32) -> u64 {
    if significand == 0 {
        return with_sign(0, negative);
    }
    let zeros = significand.leading_zeros();
    let leading = exponent.saturating_add(127 - zeros as i32);
    if leading > BIAS {
        return with_sign(INFINITY, negative);
    }
    // 64 bits are plenty: 53 to keep and 11 to round by. A subnormal gives up as many as it lies below the least normal.
    let field = leading.saturating_add(BIAS);
    let lost = if field < 1 { 1_i32.saturating_sub(field) as u32 } else { 0 };
    let wide = shift_right_sticky(significand << zeros, lost.saturating_add(64)) as u64;
    let kept = wide >> 11;
    let tail = wide & 0x7ff;
    let up = tail > 0x400 || (tail == 0x400 && kept & 1 == 1);
    // The hidden bit adds one to the exponent field, and so does a carry out of the significand: even to infinity.
    let below = if field < 1 { 0 } else { field as u64 - 1 };
    with_sign((below << FRACTION_BITS) + kept + up as u64, negative)
}

const fn term(negative: bool, significand: u128, exponent: i32) -> Term {
    let shift = significand.leading_zeros() as i32 - 1;
    // A significand here is a product of two at most, so its leading bit is at 105 or below and the shift to the left.
    Term { negative, significand: significand << shift, exponent: exponent - shift }
}

/// Adds two terms that are not zero.
///
/// When the smaller loses bits it lies so far below that at most one leading bit cancels, so the sticky bit stays harmless.
const fn sum(a: Term, b: Term) -> u64 {
    let a_larger = a.exponent > b.exponent || (a.exponent == b.exponent && a.significand >= b.significand);
    let (large, small) = if a_larger { (a, b) } else { (b, a) };
    let shifted = shift_right_sticky(small.significand, (large.exponent - small.exponent) as u32);
    if large.negative == small.negative {
        return round(large.negative, large.significand + shifted, large.exponent);
    }
    let difference = large.significand - shifted;
    // An exact difference of zero is positive whichever way round it was.
    round(large.negative && difference != 0, difference, large.exponent)
}

pub const fn add(a: u64, b: u64) -> u64 {
    if is_nan(a) || is_nan(b) || (is_infinite(a) && b == a ^ SIGN) {
        return NAN;
    }
    if is_infinite(a) {
        return a;
    }
    if is_infinite(b) {
        return b;
    }
    match (is_zero(a), is_zero(b)) {
        // Only the sum of two negative zeros is one.
        (true, true) => a & b,
        (true, false) => b,
        (false, true) => a,
        (false, false) => {
            let (x, y) = (unpack(a), unpack(b));
            sum(
                term(x.negative, x.significand as u128, x.exponent),
                term(y.negative, y.significand as u128, y.exponent),
            )
        }
    }
}

pub const fn subtract(a: u64, b: u64) -> u64 {
    if is_nan(b) { NAN } else { add(a, b ^ SIGN) }
}

pub const fn multiply(a: u64, b: u64) -> u64 {
    let negative = is_negative(a ^ b);
    if is_nan(a) || is_nan(b) || (is_infinite(a) && is_zero(b)) || (is_zero(a) && is_infinite(b)) {
        return NAN;
    }
    if is_infinite(a) || is_infinite(b) {
        return with_sign(INFINITY, negative);
    }
    let (x, y) = (unpack(a), unpack(b));
    round(negative, x.significand as u128 * y.significand as u128, x.exponent + y.exponent)
}

pub const fn divide(a: u64, b: u64) -> u64 {
    let negative = is_negative(a ^ b);
    if is_nan(a) || is_nan(b) || (is_infinite(a) && is_infinite(b)) || (is_zero(a) && is_zero(b)) {
        return NAN;
    }
    if is_infinite(a) || is_zero(b) {
        return with_sign(INFINITY, negative);
    }
    if is_infinite(b) || is_zero(a) {
        return with_sign(0, negative);
    }
    let (x, y) = (unpack(a), unpack(b));
    // With the numerator's leading bit at 127 and a divisor below 2^53 the quotient has 75 bits or more.
    let shift = (x.significand as u128).leading_zeros();
    let (numerator, divisor) = ((x.significand as u128) << shift, y.significand as u128);
    let quotient = numerator / divisor;
    let sticky = (quotient * divisor != numerator) as u128;
    round(negative, quotient | sticky, x.exponent - shift as i32 - y.exponent)
}

pub const fn square_root(a: u64) -> u64 {
    if is_nan(a) {
        return NAN;
    }
    if is_zero(a) || a == INFINITY {
        return a;
    }
    if is_negative(a) {
        return NAN;
    }
    let x = unpack(a);
    // The exponent must be even to be halved; the root of at least 127 bits has 64.
    let zeros = (x.significand as u128).leading_zeros() as i32;
    let shift = zeros - ((x.exponent - zeros) & 1);
    let square = (x.significand as u128) << shift;
    let root = square.isqrt();
    let sticky = (root * root != square) as u128;
    round(false, root | sticky, (x.exponent - shift) / 2)
}

/// `a × b + c` rounded once.
pub const fn multiply_add(a: u64, b: u64, c: u64) -> u64 {
    if is_nan(c) {
        return NAN;
    }
    if is_infinite(a) || is_infinite(b) || is_nan(a) || is_nan(b) || is_infinite(c) {
        // The product is exact here as far as it matters: an infinity, NaN, or finite beside an infinite `c`.
        let product = multiply(a, b);
        let finite_operands = !is_infinite(a) && !is_infinite(b);
        return if finite_operands && !is_nan(product) { c } else { add(product, c) };
    }
    if is_zero(a) || is_zero(b) {
        return add(with_sign(0, is_negative(a ^ b)), c);
    }
    let (x, y, z) = (unpack(a), unpack(b), unpack(c));
    let (negative, product) = (is_negative(a ^ b), x.significand as u128 * y.significand as u128);
    if is_zero(c) {
        return round(negative, product, x.exponent + y.exponent);
    }
    sum(term(negative, product, x.exponent + y.exponent), term(z.negative, z.significand as u128, z.exponent))
}

/// The remainder of the quotient truncated toward zero, always exact; it has the sign of `a`.
pub const fn truncate_remainder(a: u64, b: u64) -> u64 {
    if is_nan(a) || is_nan(b) || is_infinite(a) || is_zero(b) {
        return NAN;
    }
    if a & !SIGN < b & !SIGN {
        return a;
    }
    let (x, y) = (unpack(a), unpack(b));
    let mut remainder = x.significand % y.significand;
    let mut places = x.exponent - y.exponent;
    // Long division, 11 bits at a time: a remainder below 2^53 leaves room for no more. At most 187 rounds.
    while places > 0 && remainder != 0 {
        let step = if places < 11 { places } else { 11 };
        remainder = (remainder << step) % y.significand;
        places -= step;
    }
    round(x.negative, remainder as u128, y.exponent)
}

/// The magnitude of a finite float as an integer, unless it is 2^64 or more.
const fn integral_magnitude(x: Finite, rounding: Rounding) -> Option<u64> {
    if x.significand == 0 {
        return Some(0);
    }
    if x.exponent >= 0 {
        return if x.exponent > 11 { None } else { Some(x.significand << x.exponent) };
    }
    // More than 63 places change nothing: the significand is below half of the unit either way.
    let places = if x.exponent < -63 { 63 } else { -x.exponent };
    let integer = x.significand >> places;
    let tail = x.significand - (integer << places);
    let half = 1_u64 << (places - 1);
    let up = match rounding {
        Rounding::Down => x.negative && tail != 0,
        Rounding::Up => !x.negative && tail != 0,
        Rounding::TowardZero => false,
        Rounding::NearestEven => tail > half || (tail == half && integer & 1 == 1),
        Rounding::NearestAway => tail >= half,
    };
    Some(integer + up as u64)
}

pub const fn round_to_integral(a: u64, rounding: Rounding) -> u64 {
    if is_nan(a) {
        return NAN;
    }
    if is_infinite(a) {
        return a;
    }
    let x = unpack(a);
    match integral_magnitude(x, rounding) {
        Some(magnitude) => round(x.negative, magnitude as u128, 0),
        // So large a float has no fraction.
        None => a,
    }
}

/// The rounded value as an integer, unless it is NaN or out of range.
pub const fn to_i64(a: u64, rounding: Rounding) -> Option<i64> {
    if is_nan(a) || is_infinite(a) {
        return None;
    }
    let x = unpack(a);
    match integral_magnitude(x, rounding) {
        Some(magnitude) if x.negative && magnitude <= 1 << 63 => Some((magnitude as i64).wrapping_neg()),
        Some(magnitude) if !x.negative && magnitude < 1 << 63 => Some(magnitude as i64),
        Some(_) | None => None,
    }
}

pub const fn from_i128(value: i128) -> u64 {
    round(value < 0, value.unsigned_abs(), 0)
}

/// `numerator ÷ denominator` rounded once; the denominator is not zero.
pub const fn from_quotient(numerator: i128, denominator: u64) -> u64 {
    let magnitude = numerator.unsigned_abs();
    if magnitude == 0 || denominator == 0 {
        return 0;
    }
    // The quotient has 64 bits or more, then its remainder is a sticky bit.
    let shift = magnitude.leading_zeros();
    let (dividend, divisor) = (magnitude << shift, denominator as u128);
    let quotient = dividend / divisor;
    let sticky = (quotient * divisor != dividend) as u128;
    round(numerator < 0, quotient | sticky, -(shift as i32))
}

pub const fn equals(a: u64, b: u64) -> bool {
    !is_nan(a) && !is_nan(b) && (a == b || (is_zero(a) && is_zero(b)))
}

/// Where a float stands among all, NaN last, −0 before 0: an integer that compares like it.
pub const fn rank(a: u64) -> i64 {
    if is_negative(a) { (!(a & !SIGN)) as i64 } else { a as i64 }
}

pub const fn less(a: u64, b: u64) -> bool {
    !is_nan(a) && !is_nan(b) && !equals(a, b) && rank(a) < rank(b)
}

pub const fn less_equal(a: u64, b: u64) -> bool {
    equals(a, b) || less(a, b)
}
