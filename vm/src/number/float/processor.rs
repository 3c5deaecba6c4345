//! The same arithmetic by the processor's own instructions, used where every run on every platform found it equal to the law.
//!
//! Only operations that IEEE 754 pins down to the bit are here; the one freedom left, which NaN comes out, is taken away.

use super::soft::{self, Rounding};

fn float(bits: u64) -> f64 {
    f64::from_bits(bits)
}

/// Processors differ in the sign and the payload of the NaN they make.
fn canonical(value: f64) -> u64 {
    if value.is_nan() { soft::NAN } else { value.to_bits() }
}

pub fn add(a: u64, b: u64) -> u64 {
    canonical(float(a) + float(b))
}

pub fn subtract(a: u64, b: u64) -> u64 {
    canonical(float(a) - float(b))
}

pub fn multiply(a: u64, b: u64) -> u64 {
    canonical(float(a) * float(b))
}

pub fn divide(a: u64, b: u64) -> u64 {
    canonical(float(a) / float(b))
}

pub fn square_root(a: u64) -> u64 {
    canonical(float(a).sqrt())
}

pub fn round_to_integral(a: u64, rounding: Rounding) -> u64 {
    let value = float(a);
    canonical(match rounding {
        Rounding::Down => value.floor(),
        Rounding::Up => value.ceil(),
        Rounding::TowardZero => value.trunc(),
        Rounding::NearestEven => value.round_ties_even(),
        Rounding::NearestAway => value.round(),
    })
}

pub fn from_i128(value: i128) -> u64 {
    (value as f64).to_bits()
}

pub fn equals(a: u64, b: u64) -> bool {
    float(a) == float(b)
}

pub fn less(a: u64, b: u64) -> bool {
    float(a) < float(b)
}

pub fn less_equal(a: u64, b: u64) -> bool {
    float(a) <= float(b)
}

/// The four operations whose NaN is left as the processor made it.
pub mod raw {
    use super::float;

    pub use super::{equals, less, less_equal};

    #[inline]
    pub fn add(a: u64, b: u64) -> u64 {
        (float(a) + float(b)).to_bits()
    }

    #[inline]
    pub fn subtract(a: u64, b: u64) -> u64 {
        (float(a) - float(b)).to_bits()
    }

    #[inline]
    pub fn multiply(a: u64, b: u64) -> u64 {
        (float(a) * float(b)).to_bits()
    }

    #[inline]
    pub fn divide(a: u64, b: u64) -> u64 {
        (float(a) / float(b)).to_bits()
    }

    /// Ties to even, as the conversion of wider integers.
    #[inline]
    pub fn from_i64(value: i64) -> u64 {
        (value as f64).to_bits()
    }
}
