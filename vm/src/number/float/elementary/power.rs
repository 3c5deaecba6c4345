//! Powers that are exact, or exactly halfway between two floats: the cases that no precision would ever settle.

use super::super::soft::{self, Finite};

/// Beyond this exponent no power of an integer but 1 is a float.
const GREATEST_EXPONENT: u64 = 4096;

/// Moves factors of two from the significand, which is not zero, to the exponent.
fn odd(finite: Finite) -> Finite {
    let zeros = finite.significand.trailing_zeros();
    Finite { significand: finite.significand >> zeros, exponent: finite.exponent + zeros as i32, ..finite }
}

/// |x|^y for finite values that are not zero, x not 1, if the exact result has no more than 128 bits.
///
/// Whatever is left is no tie: a dyadic |x|^y is an integer power of an integer root of x, and an odd integer of more than
/// 128 bits is halfway between nothing.
pub(super) fn exact_power(negative: bool, x: u64, y: u64) -> Option<u64> {
    let (base, power) = (odd(soft::unpack(x)), odd(soft::unpack(y)));
    let (mut root, mut exponent, mut halves) = (base.significand, base.exponent, power.exponent);
    // Each round halves the bits of the root or of the exponent, one of which is past its end after eleven.
    while halves < 0 {
        let half = root.isqrt();
        if exponent % 2 != 0 || half * half != root || (half == 1 && exponent == 0) {
            return None;
        }
        (root, exponent, halves) = (half, exponent / 2, halves + 1);
    }
    if halves > 12 || power.significand > GREATEST_EXPONENT >> halves {
        return None;
    }
    let times = (power.significand << halves) as u32;
    let exponent = exponent * times as i32;
    if root == 1 {
        return Some(soft::round(negative, 1, if power.negative { -exponent } else { exponent }));
    }
    if power.negative {
        return None;
    }
    u128::from(root).checked_pow(times).map(|product| soft::round(negative, product, exponent))
}
