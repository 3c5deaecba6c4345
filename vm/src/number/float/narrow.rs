//! Conversion between binary64 and the narrow formats binary32 and binary16 of CBOR.

use super::Float;
use super::soft::{self, NAN};

/// A narrow format: the widths of its fields say everything about it.
#[derive(Clone, Copy)]
struct Format {
    fraction_bits: u32,
    exponent_bits: u32,
}

const HALF: Format = Format { fraction_bits: 10, exponent_bits: 5 };
const SINGLE: Format = Format { fraction_bits: 23, exponent_bits: 8 };

impl Format {
    const fn bias(self) -> i32 {
        (1 << (self.exponent_bits - 1)) - 1
    }

    const fn infinity(self) -> u32 {
        ((1 << self.exponent_bits) - 1) << self.fraction_bits
    }

    const fn nan(self) -> u32 {
        self.infinity() | 1 << (self.fraction_bits - 1)
    }

    const fn sign_shift(self) -> u32 {
        self.fraction_bits + self.exponent_bits
    }

    /// Places between the last bit of a binary64 significand and the last this format keeps of it.
    const fn dropped(self, field: i32) -> u32 {
        let normal = 52 - self.fraction_bits;
        if field < 1 { normal + (1 - field).unsigned_abs() } else { normal }
    }

    /// The pattern nearest to a float, and whether it is the same value.
    fn narrow(self, bits: u64) -> (u32, bool) {
        let sign = ((bits >> 63) as u32) << self.sign_shift();
        if soft::is_nan(bits) {
            return (self.nan(), true);
        }
        if soft::is_infinite(bits) {
            return (sign | self.infinity(), true);
        }
        let finite = soft::unpack(bits);
        // The field this format would have for it; 0 and less is subnormal. All of binary64's subnormals vanish far below.
        let field = finite.exponent + 52 + self.bias();
        let dropped = self.dropped(field).min(63);
        let kept = finite.significand >> dropped;
        let tail = finite.significand - (kept << dropped);
        let half = 1_u64 << (dropped - 1);
        let up = tail > half || (tail == half && kept & 1 == 1);
        let below = u64::from((field.max(1) - 1).unsigned_abs()) << self.fraction_bits;
        let magnitude = below + kept + u64::from(up);
        // Patterns are ordered like values, so whatever is past the greatest finite one has become infinite.
        if magnitude >= u64::from(self.infinity()) {
            (sign | self.infinity(), false)
        } else {
            (sign | magnitude as u32, tail == 0)
        }
    }

    fn widen(self, pattern: u32) -> u64 {
        let negative = pattern >> self.sign_shift() & 1 == 1;
        let magnitude = pattern & ((1 << self.sign_shift()) - 1);
        if magnitude > self.infinity() {
            return NAN;
        }
        if magnitude == self.infinity() {
            return if negative { soft::INFINITY | soft::SIGN } else { soft::INFINITY };
        }
        let hidden = 1 << self.fraction_bits;
        let (fraction, field) = (magnitude & (hidden - 1), (magnitude >> self.fraction_bits) as i32);
        let significand = if field == 0 { fraction } else { fraction | hidden };
        soft::round(negative, u128::from(significand), field.max(1) - self.bias() - self.fraction_bits as i32)
    }
}

impl Float {
    /// The binary16 pattern of the same value, if there is one.
    pub fn to_f16_bits_exact(self) -> Option<u16> {
        // The encoder asks this of every float, and most have too long a fraction for any binary16.
        if self.to_bits() & 0x3ff_ffff_ffff != 0 {
            return None;
        }
        let (pattern, exact) = HALF.narrow(self.to_bits());
        exact.then_some(pattern as u16)
    }

    /// The binary32 pattern of the same value, if there is one.
    pub fn to_f32_bits_exact(self) -> Option<u32> {
        if self.to_bits() & 0x1fff_ffff != 0 {
            return None;
        }
        let (pattern, exact) = SINGLE.narrow(self.to_bits());
        exact.then_some(pattern)
    }

    /// The nearest binary16 pattern, ties to even.
    pub fn to_f16_bits(self) -> u16 {
        HALF.narrow(self.to_bits()).0 as u16
    }

    /// The nearest binary32 pattern, ties to even.
    pub fn to_f32_bits(self) -> u32 {
        SINGLE.narrow(self.to_bits()).0
    }

    pub fn from_f16_bits(pattern: u16) -> Self {
        Self::from_bits(HALF.widen(u32::from(pattern)))
    }

    pub fn from_f32_bits(pattern: u32) -> Self {
        Self::from_bits(SINGLE.widen(pattern))
    }
}
