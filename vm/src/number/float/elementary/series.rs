//! The transcendental functions on wide floats: a reduction of the argument, then a short series.

use super::constants::{LOGARITHM_OF_2, QUARTER_PI};
use super::estimate;
use super::wide::Wide;

/// Exponentials of magnitudes from 2^11 on are all alike: past every float.
const EXPONENT_BITS: i64 = 11;

/// Below this power of two a series converges fast enough without an estimate.
const SMALL: i64 = -16;

pub(super) fn one<const N: usize>() -> Wide<N> {
    Wide::from_integer(1)
}

pub(super) fn pi<const N: usize>() -> Wide<N> {
    Wide::from_fraction(false, &QUARTER_PI, 2)
}

pub(super) fn logarithm_of_2<const N: usize>() -> Wide<N> {
    Wide::from_fraction(false, &LOGARITHM_OF_2, 0)
}

/// Adds up terms until they no longer count: at most one for each bit, as each is less than half of the one before.
fn sum_series<const N: usize>(first: Wide<N>, mut next: impl FnMut(Wide<N>, u64) -> (Wide<N>, Wide<N>)) -> Wide<N> {
    let (mut sum, mut state) = (first, first);
    for index in 1..=64 * N as u64 {
        let (following, term) = next(state, index);
        if term.is_zero() || term.magnitude() < sum.magnitude() - Wide::<N>::BITS {
            break;
        }
        sum = sum.add(term);
        state = following;
    }
    sum
}

/// e^x − 1 for |x| below 1: the series for x ÷ 2^halvings, then e^2t − 1 = (e^t − 1)(2 + (e^t − 1)), in which nothing cancels.
fn small_exponential_less_one<const N: usize>(x: Wide<N>) -> Wide<N> {
    let halvings = (x.magnitude() + 10 + 2 * N as i64).max(0);
    let t = x.scale(-halvings);
    let mut grown = sum_series(t, |power, index| {
        let power = power.multiply(t).divide_small(index + 1);
        (power, power)
    });
    let two = Wide::from_integer(2);
    for _ in 0..halvings {
        grown = grown.multiply(two.add(grown));
    }
    grown
}

/// x as k ln 2 + r with |r| below 0.36; far out k alone, which then says enough.
fn reduce_exponent<const N: usize>(x: Wide<N>) -> (i64, Wide<N>) {
    if x.magnitude() > EXPONENT_BITS {
        return (if x.is_negative() { -4096 } else { 4096 }, Wide::ZERO);
    }
    let k = x.multiply(Wide::from_fraction(false, &[estimate::BINARY_LOGARITHM_OF_E], 1)).nearest_integer();
    if k == 0 { (0, x) } else { (k, x.subtract(Wide::from_integer(k).multiply(logarithm_of_2()))) }
}

/// e^x
pub(super) fn exponential<const N: usize>(x: Wide<N>) -> Wide<N> {
    let (k, r) = reduce_exponent(x);
    one().add(small_exponential_less_one(r)).scale(k)
}

/// 2^x for |x| below 2^62, exact for integers.
pub(super) fn exponential_2<const N: usize>(x: Wide<N>) -> Wide<N> {
    let k = x.nearest_integer();
    let r = x.subtract(Wide::from_integer(k)).multiply(logarithm_of_2());
    one().add(small_exponential_less_one(r)).scale(k)
}

/// e^x − 1 with full relative precision near zero.
pub(super) fn exponential_less_one<const N: usize>(x: Wide<N>) -> Wide<N> {
    let (k, r) = reduce_exponent(x);
    let grown = small_exponential_less_one(r);
    if k == 0 { grown } else { one().add(grown).scale(k).subtract(one()) }
}

/// ln (1 + d) for |d| below 2^−16: twice the inverse hyperbolic tangent of d ÷ (2 + d).
fn small_logarithm<const N: usize>(d: Wide<N>) -> Wide<N> {
    let z = d.divide(Wide::from_integer(2).add(d));
    let square = z.square();
    let half = sum_series(z, |power, index| {
        let power = power.multiply(square);
        (power, power.divide_small(2 * index + 1))
    });
    half.scale(1)
}

/// The natural logarithm of a positive value.
pub(super) fn logarithm<const N: usize>(x: Wide<N>) -> Wide<N> {
    // x = m 2^k with m in [√½, √2), so that k ln 2 and ln m never cancel.
    let k = if x.top() < estimate::ROOT_OF_HALF { x.magnitude() - 1 } else { x.magnitude() };
    let m = x.scale(-k);
    let excess = m.subtract(one());
    let of_m = if excess.magnitude() <= SMALL {
        small_logarithm(excess)
    } else {
        // With y near ln m, m e^−y is 1 + d for a tiny d, and ln m = y + ln (1 + d).
        let y = Wide::from_integer(estimate::logarithm(m.top(), m.magnitude())).scale(-estimate::PLACES);
        let d = excess.add(m.multiply(small_exponential_less_one(y.negate())));
        y.add(small_logarithm(d))
    };
    Wide::from_integer(k).multiply(logarithm_of_2()).add(of_m)
}

/// sin x and 1 − cos x for |x| below 1: both by series for x ÷ 2^halvings, then doubled without cancellation.
pub(super) fn sine_and_versine<const N: usize>(x: Wide<N>) -> (Wide<N>, Wide<N>) {
    let halvings = (x.magnitude() + 6 + N as i64).max(0);
    let t = x.scale(-halvings);
    let minus_square = t.square().negate();
    let mut sine = sum_series(t, |power, index| {
        let power = power.multiply(minus_square).divide_small(2 * index * (2 * index + 1));
        (power, power)
    });
    let mut versine = sum_series(minus_square.negate().scale(-1), |power, index| {
        let power = power.multiply(minus_square).divide_small((2 * index + 1) * (2 * index + 2));
        (power, power)
    });
    for _ in 0..halvings {
        let doubled = sine.square().scale(1);
        sine = sine.multiply(one().subtract(versine)).scale(1);
        versine = doubled;
    }
    (sine, versine)
}

/// The arc tangent of |z| below 2^−16.
fn small_arc_tangent<const N: usize>(z: Wide<N>) -> Wide<N> {
    let minus_square = z.square().negate();
    sum_series(z, |power, index| {
        let power = power.multiply(minus_square);
        (power, power.divide_small(2 * index + 1))
    })
}

/// The arc tangent of small ÷ large, which is at most 1.
fn lower_angle<const N: usize>(small: Wide<N>, large: Wide<N>) -> Wide<N> {
    let distance = large.magnitude().saturating_sub(small.magnitude());
    if distance > -SMALL {
        return small_arc_tangent(small.divide(large));
    }
    // Turning back by an angle near the true one leaves a tiny angle.
    let estimate = estimate::arc_tangent(small.top(), large.top(), distance);
    let angle = Wide::from_integer(estimate).scale(-estimate::PLACES);
    let (sine, versine) = sine_and_versine(angle);
    let cosine = one().subtract(versine);
    let across = small.multiply(cosine).subtract(large.multiply(sine));
    let along = large.multiply(cosine).add(small.multiply(sine));
    angle.add(small_arc_tangent(across.divide(along)))
}

/// The angle of the point (x, y), which is not the origin, in (−π, π].
pub(super) fn angle<const N: usize>(y: Wide<N>, x: Wide<N>) -> Wide<N> {
    let (height, width) = (y.with_sign(false), x.with_sign(false));
    let acute = if width.is_smaller(&height) {
        pi().scale(-1).subtract(lower_angle(width, height))
    } else {
        lower_angle(height, width)
    };
    let upper = if x.is_negative() { pi().subtract(acute) } else { acute };
    upper.with_sign(y.is_negative())
}
