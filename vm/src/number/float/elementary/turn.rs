//! The reduction of an angle of any size to a quadrant and an angle of at most π/4.

use super::super::soft;
use super::constants::TWO_OVER_PI;
use super::series::{one, pi, sine_and_versine};
use super::wide::{Wide, window};

/// Limbs of the fraction of a turn: 12 for the widest functions, one for the closeness of a float to a multiple of π/2 (some
/// 2^−62 at the least), and one for the width of the significand.
const LIMBS: usize = 14;

/// The magnitude of a finite angle: `quadrant` quarter turns and a rest between −1/8 and 1/8 of a turn.
pub(super) struct Turn {
    quadrant: u64,
    rest: Rest,
}

enum Rest {
    /// So small an angle is its own rest, in radians.
    Radians(u64),
    /// A fraction of a turn, the most significant limb first.
    Turns { negative: bool, fraction: [u64; LIMBS] },
}

impl Turn {
    pub fn new(magnitude: u64) -> Self {
        // Below one half.
        if magnitude < 0x3fe0_0000_0000_0000 {
            return Self { quadrant: 0, rest: Rest::Radians(magnitude) };
        }
        let fraction = fraction_of_turn(magnitude);
        let top = fraction.first().copied().unwrap_or(0);
        // To the nearest quarter; the fourth is the zeroth of the next turn.
        let quadrant = ((top >> 61) + 1) >> 1 & 3;
        let (negative, fraction) = signed(fraction, quadrant);
        Self { quadrant, rest: Rest::Turns { negative, fraction } }
    }

    fn radians<const N: usize>(&self) -> Wide<N> {
        match &self.rest {
            Rest::Radians(bits) => Wide::from_float(*bits),
            Rest::Turns { negative, fraction } => Wide::from_fraction(*negative, fraction, 1).multiply(pi()),
        }
    }

    pub fn sine<const N: usize>(&self) -> Wide<N> {
        self.along_axis(self.quadrant)
    }

    pub fn cosine<const N: usize>(&self) -> Wide<N> {
        self.along_axis(self.quadrant + 1)
    }

    pub fn tangent<const N: usize>(&self) -> Wide<N> {
        let (sine, versine) = sine_and_versine(self.radians::<N>());
        let cosine = one().subtract(versine);
        if self.quadrant.is_multiple_of(2) { sine.divide(cosine) } else { cosine.divide(sine).negate() }
    }

    /// The sine of the rest with some quarter turns more.
    fn along_axis<const N: usize>(&self, quarters: u64) -> Wide<N> {
        let (sine, versine) = sine_and_versine(self.radians::<N>());
        let value = if quarters.is_multiple_of(2) { sine } else { one().subtract(versine) };
        if quarters & 2 == 0 { value } else { value.negate() }
    }
}

/// The magnitude divided by 2 π, without its integral part.
fn fraction_of_turn(magnitude: u64) -> [u64; LIMBS] {
    let finite = soft::unpack(magnitude);
    // A quarter of m 2^e × 2/π: what of 2/π has a weight of 2^(2 − e) or more makes whole turns and drops out.
    let places = finite.exponent - 2;
    let (skipped, down) = (places.max(0).unsigned_abs(), places.min(0).unsigned_abs());
    let factor: [u64; LIMBS] = window(&TWO_OVER_PI, skipped as usize);
    let (mut product, mut carry) = ([0; LIMBS + 1], 0_u64);
    let [top, rest @ ..] = &mut product;
    for (out, limb) in rest.iter_mut().zip(factor).rev() {
        let cell = u128::from(limb) * u128::from(finite.significand) + u128::from(carry);
        (*out, carry) = (cell as u64, (cell >> 64) as u64);
    }
    *top = carry;
    window(&product, 64_u32.saturating_sub(down) as usize)
}

/// The fraction less some quarters, as sign and magnitude.
fn signed(mut fraction: [u64; LIMBS], quarters: u64) -> (bool, [u64; LIMBS]) {
    let [top, ..] = &mut fraction;
    *top = top.wrapping_sub(quarters << 62);
    let negative = *top >> 63 == 1;
    if negative {
        let mut carry = true;
        for limb in fraction.iter_mut().rev() {
            (*limb, carry) = (!*limb).overflowing_add(u64::from(carry));
        }
    }
    (negative, fraction)
}
