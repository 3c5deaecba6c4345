//! Generated arguments: small alphabets, so that matches and ties happen.

use crate::machine::Datum;
use kerai_tests::property::Random;

/// One of the pieces, so many times, one after the other.
pub fn pieces(random: &mut Random, choices: &[&str], most: u64) -> Datum {
    let count = random.below(most + 1);
    Datum::Text((0..count).flat_map(|_| random.pick(choices).bytes().collect::<Vec<u8>>()).collect())
}

const SUBJECT: &[&str] =
    &["a", "b", "c", "x", "y", "z", "A", "B", "0", "1", "7", " ", "_", "-", ".", "(", ")", "\n", "\0", "%", "aaa", "é"];

pub fn subject(random: &mut Random) -> Datum {
    pieces(random, SUBJECT, 20)
}

const PATTERN: &[&str] = &[
    "a", "b", "x", "0", "_", ".", "%a", "%d", "%s", "%w", "%l", "%u", "%p", "%c", "%x", "%g", "%A", "%D", "%S", "%W",
    "[abc]", "[^a]", "[a-c]", "[%w_]", "[^%s]", "[]]", "[^]x]", "[a-]", "[%-x]", "[a-%z]", "[\0-z]", "(", ")", "()",
    "(a", "x)", "(.)", "%1", "%2", "%b()", "%bxy", "%f[%w]", "%f[^a]", "%f", "*", "+", "-", "?", "*", "+", "-", "?",
    "^", "$", "%%", "%.", "%", "[", "]", "[^", "\0", "%b", "é",
];

pub fn pattern(random: &mut Random) -> Datum {
    pieces(random, PATTERN, 7)
}

/// A position in or about a string of some length.
pub fn position(random: &mut Random) -> Datum {
    Datum::Integer(i128::from(random.below(40)) - 20)
}

/// A float of any size, often a short one.
pub fn float(random: &mut Random) -> f64 {
    let bits = random.next();
    match random.below(10) {
        0 => f64::from_bits(bits),
        1 => f64::from_bits(bits & 0x800f_ffff_ffff_ffff),
        2 => *random.pick(&[0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, 0.5, 1.5, 2.5, -2.5, 1e15, 1e16, 1e100, 1e-5]),
        3 | 4 => (bits % 20_000) as f64 / 1000.0 - 10.0,
        5 => (bits % 4096) as f64 / 64.0,
        6 => (bits as i64) as f64,
        7 => (bits % 1000) as f64 * 10_f64.powi(random.below(40) as i32 - 20),
        8 => (bits % 2001) as f64 - 1000.0,
        _ => f64::from_bits((bits & 0x800f_ffff_ffff_ffff) | (1023 - 60 + random.below(130)) << 52),
    }
}

pub fn integer(random: &mut Random) -> i64 {
    let bits = random.next().cast_signed();
    match random.below(6) {
        0 => bits,
        1 => *random.pick(&[0, 1, -1, i64::MAX, i64::MIN, i64::MAX - 1, 255, 256]),
        2 => bits >> random.below(64),
        _ => bits % 1000,
    }
}
