//! Estimates in 64-bit integers from which the wide functions start: their errors cost time, never a bit.

/// The places after the point of an estimate.
pub(super) const PLACES: i64 = 62;

/// log₂ e × 2^63.
pub(super) const BINARY_LOGARITHM_OF_E: u64 = 0xb8aa_3b29_5c17_f0bb;
/// ln 2 × 2^64.
const LOGARITHM_OF_2: u64 = 0xb172_17f7_d1cf_79ab;
/// √½ × 2^64.
pub(super) const ROOT_OF_HALF: u64 = 0xb504_f333_f9de_6484;

const ONE: u64 = 1 << PLACES;

fn multiply(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) >> PLACES) as u64
}

/// Near ln (top × 2^(exponent − 64)) for an exponent of 0 or 1.
pub(super) fn logarithm(top: u64, exponent: i64) -> i64 {
    // The binary logarithm bit by bit: the square of a number in [1, 2) is 2 or more iff the next bit is 1.
    let (mut square, mut bits) = (top, 0_i64);
    for _ in 0..PLACES - 8 {
        let product = (u128::from(square) * u128::from(square)) >> 63;
        let carry = (product >> 64) as u32;
        square = (product >> carry) as u64;
        bits = bits << 1 | i64::from(carry);
    }
    let binary = (bits << 8) + (exponent - 1) * ONE as i64;
    ((i128::from(binary) * i128::from(LOGARITHM_OF_2)) >> 64) as i64
}

/// Near the arc tangent of (small ÷ large) ÷ 2^distance, which is at most 1.
pub(super) fn arc_tangent(small: u64, large: u64, distance: i64) -> i64 {
    let quotient = (u128::from(small) << PLACES) / u128::from(large.max(1));
    let mut t = (quotient >> distance.clamp(0, 63)).min(u128::from(ONE)) as u64;
    // Halving the angle: tan (a ÷ 2) = tan a ÷ (1 + √(1 + tan² a)).
    for _ in 0..3 {
        let secant = ((u128::from(ONE) << PLACES) + u128::from(t) * u128::from(t)).isqrt();
        t = ((u128::from(t) << PLACES) / (u128::from(ONE) + secant)) as u64;
    }
    let square = multiply(t, t);
    let (mut power, mut sum) = (t, t as i64);
    for index in 1..9 {
        power = multiply(power, square);
        let term = (power / (2 * index + 1)) as i64;
        sum += if index % 2 == 1 { -term } else { term };
    }
    sum << 3
}
