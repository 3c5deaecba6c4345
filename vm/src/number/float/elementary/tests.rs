//! The constants, the errors against the guard, the ties, and the special cases; hard inputs are in the vectors.

use super::constants::{LOGARITHM_OF_2, QUARTER_LOGARITHM_OF_10, QUARTER_PI, TWO_OVER_PI};
use super::*;

fn float(text: &str) -> Float {
    match text {
        "inf" => Float::INFINITY,
        "-inf" => Float::INFINITY.negate(),
        "nan" => Float::NAN,
        _ => Float::parse(text.as_bytes()).expect("a test's number"),
    }
}

fn integer<const N: usize>(value: i64) -> Wide<N> {
    Wide::from_integer(value)
}

fn assert_same<const N: usize>(constant: &[u64], exponent: i64, computed: Wide<N>) {
    let difference = Wide::from_fraction(false, constant, exponent).subtract(computed);
    assert!(difference.magnitude() <= exponent - 64 * constant.len() as i64 + 1);
}

#[test]
fn constants_are_what_their_series_say() {
    // Machin's formula; angles this small need no constant.
    let fifth = angle::<33>(integer(1), integer(5)).scale(2);
    let quarter_pi = fifth.subtract(angle(integer(1), integer(239)));
    assert_same(&QUARTER_PI, 0, quarter_pi);
    assert_same(&TWO_OVER_PI, 0, integer(1).divide(quarter_pi.scale(1)));
    // Logarithms this near to 1 need no constant either.
    let quotient = |a, b| logarithm::<15>(integer(a).divide(integer(b)));
    let sevens = integer(7).multiply(quotient(16, 15)).add(integer(5).multiply(quotient(25, 24)));
    let of_2 = sevens.add(integer(3).multiply(quotient(81, 80)));
    assert_same(&LOGARITHM_OF_2, 0, of_2);
    let of_10 = integer(3).multiply(of_2).add(quotient(5, 4));
    assert_same(&QUARTER_LOGARITHM_OF_10, 0, of_10.scale(-2));
}

/// A plain generator of patterns, the same on every run.
fn patterns(count: usize) -> impl Iterator<Item = u64> {
    let mut state = 1_u64;
    (0..count).map(move |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state ^ state >> 29
    })
}

#[test]
fn errors_stay_far_from_the_guard() {
    /// How many bits are the same at 3 and at 12 limbs.
    macro_rules! agreement {
        ($width:ident => $value:expr) => {{
            let narrow = {
                const $width: usize = 3;
                $value.widen::<12>()
            };
            let wide = {
                const $width: usize = 12;
                $value
            };
            wide.magnitude() - narrow.subtract(wide).magnitude()
        }};
    }
    let mut least = i64::MAX;
    for bits in patterns(400) {
        let unit = Float::from_bits(bits >> 12 | Float::ONE.0).subtract(Float::ONE);
        let near_one = Float::from_bits(Float::ONE.0 + (bits >> 12 >> (bits % 52)) + 1);
        let large = Float::from_bits(bits >> 2 | 0x4000_0000_0000_0000);
        let turn = Turn::new(if large.is_finite() { large.0 } else { Float::ONE.0 });
        let exponent = unit.multiply(Float::from_i64(1400)).subtract(Float::from_i64(700));
        let agreements = [
            agreement!(N => exponential(Wide::<N>::from_float(exponent.0))),
            agreement!(N => exponential_less_one(Wide::<N>::from_float(near_one.subtract(Float::ONE).0))),
            agreement!(N => logarithm(Wide::<N>::from_float(near_one.0))),
            agreement!(N => exponential(logarithm(Wide::<N>::from_float(unit.0)).multiply(Wide::from_integer(900)))),
            agreement!(N => turn.sine::<N>()),
            agreement!(N => turn.tangent::<N>()),
            agreement!(N => angle(opposite(unit), Wide::<N>::from_float(unit.0))),
            agreement!(N => angle(Wide::<N>::from_float(unit.0), opposite(unit))),
        ];
        least = agreements.into_iter().fold(least, i64::min);
    }
    // 128 are needed.
    assert!(least >= 160, "{least}");
}

#[test]
fn ties_go_to_even() {
    let cases = [
        (float("2").power(float("-1075")), "0"),
        (float("-1075").exponential_2(), "0"),
        // 243 halves of the least float.
        (float("0x3p-215").power(float("5")), "0x7ap-1074"),
        // 54 bits, the last one set.
        (float("3").power(float("34")), "16677181699666568"),
        (float("9").power(float("17")), "16677181699666568"),
        (float("2025000150000001").hypotenuse(float("9000000120000000")), "9225000150000000"),
        // Not quite a tie: a tiny angle is a little less than its tangent.
        (float("0x3p-1074").arc_tangent_2(float("2")), "0x1p-1074"),
        (float("-0x5p-1074").arc_tangent_2(float("2")), "-0x2p-1074"),
    ];
    for (index, (value, expected)) in cases.into_iter().enumerate() {
        assert_eq!(value.0, float(expected).0, "case {index}: {value}");
    }
}

#[test]
fn special_cases_are_those_of_c() {
    let powers = [
        ("nan", "0", "1"),
        ("1", "nan", "1"),
        ("-1", "inf", "1"),
        ("-8", "0.5", "nan"),
        ("-2", "3", "-8"),
        ("-0", "-3", "-inf"),
        ("-0", "3", "-0"),
        ("-0", "-0.5", "inf"),
        ("0.5", "-inf", "inf"),
        ("-inf", "-3", "-0"),
        ("-inf", "2", "inf"),
        ("-10", "309", "-inf"),
        ("10", "-400", "0"),
        ("4", "-0.5", "0.5"),
    ];
    for (base, exponent, expected) in powers {
        assert_eq!(float(base).power(float(exponent)).to_string(), expected, "{base} ^ {exponent}");
    }
    let angles = [
        ("0", "0", "0"),
        ("-0", "-1", "-3.141592653589793"),
        ("1", "-0", "1.5707963267948966"),
        ("-inf", "-inf", "-2.356194490192345"),
        ("1", "-inf", "3.141592653589793"),
        ("1", "inf", "0"),
        ("1e-300", "-1", "3.141592653589793"),
    ];
    for (y, x, expected) in angles {
        assert_eq!(float(y).arc_tangent_2(float(x)).to_string(), expected, "({x}, {y})");
    }
    let edges = [
        (Float::exponential as fn(Float) -> Float, ["0", "inf", "nan", "1"]),
        (Float::exponential_2, ["0", "inf", "nan", "1"]),
        (Float::exponential_less_one, ["-1", "inf", "nan", "-0"]),
        (Float::logarithm, ["nan", "inf", "nan", "-inf"]),
        (Float::sine, ["nan", "nan", "nan", "-0"]),
        (Float::cosine, ["nan", "nan", "nan", "1"]),
        (Float::tangent, ["nan", "nan", "nan", "-0"]),
        (Float::arc_sine, ["nan", "nan", "nan", "-0"]),
        (Float::arc_tangent, ["-1.5707963267948966", "1.5707963267948966", "nan", "-0"]),
        (Float::cube_root, ["-inf", "inf", "nan", "-0"]),
        (Float::hyperbolic_sine, ["-inf", "inf", "nan", "-0"]),
        (Float::hyperbolic_cosine, ["inf", "inf", "nan", "1"]),
        (Float::hyperbolic_tangent, ["-1", "1", "nan", "-0"]),
    ];
    for (index, (function, expected)) in edges.into_iter().enumerate() {
        let given = ["-inf", "inf", "nan", "-0"].map(|argument| function(float(argument)).to_string());
        assert_eq!(given, expected, "function {index}");
    }
    assert_eq!((float("1").logarithm().0, float("1").arc_cosine().0), (0, 0));
}
