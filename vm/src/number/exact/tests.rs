//! Tests of the exact number: one form a value, one rounding an operation, and every fault at its boundary.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;

const MAXIMUM: &str = "170141183460469231731.687303715884105727";
const LARGEST_INTEGER: &str = "170141183460469231731";

fn number(text: &str) -> Number {
    parse_decimal(text.as_bytes()).unwrap()
}

fn units(units: i128) -> Number {
    Number::from_units(units).unwrap()
}

type Operation = fn(Number, Number) -> Result<Number, NumberFault>;

fn check(operation: Operation, rows: &[(&str, &str, &str)]) {
    for (left, right, expected) in rows {
        let result = operation(number(left), number(right));
        assert_eq!(result, Ok(number(expected)), "{left} and {right}");
        let result = result.unwrap();
        assert!(Number::is_lowest_terms(result.coefficient(), result.scale()));
    }
}

fn check_fault(operation: Operation, fault: NumberFault, rows: &[(&str, &str)]) {
    for (left, right) in rows {
        assert_eq!(operation(number(left), number(right)), Err(fault), "{left} and {right}");
    }
}

#[test]
fn a_value_has_one_form() {
    assert_eq!(Number::new(1500, 3), Number::new(15, 1));
    assert_eq!(Number::new(7_000, 3), Ok(Number::from_i64(7)));
    assert_eq!(Number::new(0, 4_000_000_000), Ok(Number::ZERO));
    assert_eq!(Number::new(10i128.pow(38), 38), Ok(Number::ONE));
    assert_eq!(Number::new(10i128.pow(38), 56), Ok(units(1)));
    assert_eq!(Number::new(10i128.pow(38), 57), Err(NumberFault::Places));
    assert_eq!(Number::new(i128::MAX, 18), Ok(number(MAXIMUM)));
    assert_eq!(Number::new(i128::MAX, 17), Err(NumberFault::Range));
    assert_eq!(Number::new(i128::MIN, 18), Err(NumberFault::Range));
    assert_eq!(Number::new(i128::MIN, 19), Err(NumberFault::Places));
    assert_eq!(Number::from_units(i128::MIN), Err(NumberFault::Range));
    assert!(Number::is_lowest_terms(10, 0) && Number::is_lowest_terms(-11, 1) && !Number::is_lowest_terms(0, 1));
}

#[test]
fn integers_end_at_the_range() {
    let largest = number(LARGEST_INTEGER);
    assert_eq!(Number::from_integer(170_141_183_460_469_231_731), Ok(largest));
    assert_eq!(Number::from_integer(-170_141_183_460_469_231_731), Ok(largest.negate()));
    assert_eq!(Number::from_integer(170_141_183_460_469_231_732), Err(NumberFault::Range));
    assert_eq!(Number::from_integer(i128::MIN), Err(NumberFault::Range));
    assert_eq!(largest.to_i64(), None);
    assert_eq!(Number::from_i64(i64::MIN).to_i64(), Some(i64::MIN));
    assert_eq!(number("0.5").to_i64(), None);
}

#[test]
fn sums_are_exact_and_trap_beyond_the_range() {
    check(
        Number::add,
        &[
            ("0.1", "0.2", "0.3"),
            ("0.5", "0.5", "1"),
            ("9223372036854775807", "1", "9223372036854775808"),
            ("1e20", "1e-18", "100000000000000000000.000000000000000001"),
            (MAXIMUM, "-170141183460469231731.687303715884105727", "0"),
        ],
    );
    check_fault(Number::add, NumberFault::Range, &[(MAXIMUM, "1e-18"), (LARGEST_INTEGER, "1"), (MAXIMUM, MAXIMUM)]);
    check(Number::subtract, &[("0", MAXIMUM, "-170141183460469231731.687303715884105727"), ("1.25", "0.25", "1")]);
    check_fault(Number::subtract, NumberFault::Range, &[("-170141183460469231731.687303715884105727", "1e-18")]);
}

#[test]
fn products_round_once_to_even() {
    check(
        Number::multiply,
        &[
            ("0.5", "0.2", "0.1"),
            ("1e-18", "0.5", "0"),
            ("1e-18", "1.5", "2e-18"),
            ("-1e-18", "2.5", "-2e-18"),
            ("1e-9", "1e-10", "0"),
            ("0.000000001000000001", "0.000000001000000001", "1e-18"),
            (MAXIMUM, "1", MAXIMUM),
            (
                "13043817825.332782212349571806",
                "13043817825.332782212349571806",
                "170141183460469231731.687303709296759402",
            ),
        ],
    );
    check_fault(
        Number::multiply,
        NumberFault::Range,
        &[
            (MAXIMUM, "1.000000000000000001"),
            (MAXIMUM, "-170141183460469231731.687303715884105727"),
            ("13043817825.332782212349571807", "13043817825.332782212349571807"),
        ],
    );
}

#[test]
fn quotients_round_once_to_even() {
    check(
        Number::divide,
        &[
            ("7", "2", "3.5"),
            ("6", "-3", "-2"),
            ("2", "3", "0.666666666666666667"),
            ("1e-18", "2", "0"),
            ("3e-18", "2", "2e-18"),
            ("-5e-18", "2", "-2e-18"),
            (MAXIMUM, MAXIMUM, "1"),
            ("1", MAXIMUM, "0"),
            ("85070591730234615865.843651857942052863", "0.5", "170141183460469231731.687303715884105726"),
        ],
    );
    check_fault(Number::divide, NumberFault::Range, &[(MAXIMUM, "0.999999999999999999"), (MAXIMUM, "1e-18")]);
    check_fault(Number::divide, NumberFault::DivisionByZero, &[("1", "0"), ("0", "0"), ("0.5", "0")]);
}

#[test]
fn floor_division_and_its_remainders_follow_the_signs() {
    check(
        Number::floor_divide,
        &[("7", "2", "3"), ("-7", "2", "-4"), ("7", "-2", "-4"), ("-7", "-2", "3"), ("1", "0.1", "10")],
    );
    check(
        Number::modulo,
        &[("7", "3", "1"), ("-7", "3", "2"), ("7", "-3", "-2"), ("-7", "-3", "-1"), ("5.5", "0.3", "0.1")],
    );
    check(
        Number::truncate_remainder,
        &[("7", "-3", "1"), ("-7", "3", "-1"), ("-6", "3", "0"), ("-0.5", "0.2", "-0.1")],
    );
    // The remainder is there even where the quotient is not.
    check(Number::modulo, &[(MAXIMUM, "1e-18", "0"), ("-1e-18", MAXIMUM, "170141183460469231731.687303715884105726")]);
    check_fault(Number::floor_divide, NumberFault::Range, &[(MAXIMUM, "0.5")]);
    for operation in [Number::floor_divide, Number::modulo, Number::truncate_remainder] {
        check_fault(operation, NumberFault::DivisionByZero, &[("1", "0"), ("0.5", "0")]);
    }
}

#[test]
fn powers_take_integer_exponents_and_end_quickly() {
    let huge = "170141183460469231730";
    check(
        Number::power,
        &[
            ("2", "10", "1024"),
            ("2", "67", "147573952589676412928"),
            ("2", "-2", "0.25"),
            ("0", "0", "1"),
            ("0", "5", "0"),
            ("-1", huge, "1"),
            ("-1", LARGEST_INTEGER, "-1"),
            ("0.5", huge, "0"),
            ("1.1", "2", "1.21"),
            ("-3", "3", "-27"),
            ("3", "-1", "0.333333333333333333"),
        ],
    );
    check_fault(Number::power, NumberFault::Range, &[("2", "68"), ("2", huge), ("1.000000001", huge), ("10", "-21")]);
    check_fault(Number::power, NumberFault::DivisionByZero, &[("0", "-1"), ("0.5", "-1000")]);
    check_fault(Number::power, NumberFault::NotInteger, &[("2", "0.5"), ("0", "-0.5")]);
}

#[test]
fn order_is_that_of_values() {
    let sorted =
        ["-1e20", "-1.5", "-1", "-0.5", "-1e-18", "0", "1e-18", "0.5", "0.51", "1", "1.000000000000000001", MAXIMUM];
    for (left_place, left) in sorted.iter().enumerate() {
        for (right_place, right) in sorted.iter().enumerate() {
            assert_eq!(number(left).compare(number(right)), left_place.cmp(&right_place), "{left} {right}");
        }
    }
}

#[test]
fn rounding_modes_differ_as_they_should() {
    use Rounding::*;
    let modes = [HalfEven, HalfUp, HalfDown, Down, Up, Floor, Ceiling];
    let rows = [
        ("2.5", ["2", "3", "2", "2", "3", "2", "3"]),
        ("-2.5", ["-2", "-3", "-2", "-2", "-3", "-3", "-2"]),
        ("3.5", ["4", "4", "3", "3", "4", "3", "4"]),
        ("2.4", ["2", "2", "2", "2", "3", "2", "3"]),
        ("-2.6", ["-3", "-3", "-3", "-2", "-3", "-3", "-2"]),
        ("-0.1", ["0", "0", "0", "0", "-1", "-1", "0"]),
        ("7", ["7"; 7]),
    ];
    for (value, expected) in rows {
        for (mode, expected) in modes.into_iter().zip(expected) {
            assert_eq!(number(value).quantize(0, mode), Ok(number(expected)), "{value} {mode:?}");
        }
    }
    assert_eq!(number("1.005").round_half_even(2), Ok(Number::ONE));
    assert_eq!(number("1.5").quantize(u32::MAX, Up), Ok(number("1.5")));
    assert_eq!(number(MAXIMUM).ceiling(), Err(NumberFault::Range));
    assert_eq!(number(MAXIMUM).negate().floor(), Err(NumberFault::Range));
    assert_eq!(number(MAXIMUM).truncate(), number(LARGEST_INTEGER));
    assert_eq!(number("-1.5").truncate(), number("-1"));
    assert_eq!(number("-1.5").floor(), Ok(number("-2")));
}

#[test]
fn text_is_read_exactly_or_refused() {
    let rows: [(&str, Result<i128, NumberFault>); 26] = [
        ("1.500", Ok(1_500_000_000_000_000_000)),
        ("100000000000000000000000e-10", Ok(10i128.pow(31))),
        ("0e999999999999999999999999", Ok(0)),
        ("0.000000000000000001", Ok(1)),
        ("0.0000000000000000010000", Ok(1)),
        ("10e-19", Ok(1)),
        ("-1E+2", Ok(-100 * 10i128.pow(18))),
        (MAXIMUM, Ok(i128::MAX)),
        ("170141183460469231731.687303715884105728", Err(NumberFault::Range)),
        ("1e999999999999999999999999", Err(NumberFault::Range)),
        ("1e-400", Err(NumberFault::Places)),
        ("1e-999999999999999999999999", Err(NumberFault::Places)),
        ("1e-19", Err(NumberFault::Places)),
        ("1e21", Err(NumberFault::Range)),
        ("1000000000000000000000.0000000000000000001", Err(NumberFault::Places)),
        ("-0", Err(NumberFault::MinusZero)),
        ("-0.00", Err(NumberFault::MinusZero)),
        ("-0e5", Err(NumberFault::MinusZero)),
        ("", Err(NumberFault::Syntax)),
        ("-", Err(NumberFault::Syntax)),
        ("01", Err(NumberFault::Syntax)),
        ("-01", Err(NumberFault::Syntax)),
        ("+1", Err(NumberFault::Syntax)),
        (".5", Err(NumberFault::Syntax)),
        ("1.", Err(NumberFault::Syntax)),
        ("1e", Err(NumberFault::Syntax)),
    ];
    for (text, expected) in rows {
        assert_eq!(parse_decimal(text.as_bytes()).map(Number::units), expected, "{text}");
    }
}

#[test]
fn a_text_may_have_so_many_characters_and_no_more() {
    let longest = crate::limit::NUMBER_TEXT.value as usize;
    let zeros = |length: usize| format!("1.{}", "0".repeat(length - 2));
    assert_eq!(parse_decimal(zeros(longest).as_bytes()), Ok(Number::ONE));
    assert_eq!(parse_decimal(zeros(longest + 1).as_bytes()), Err(NumberFault::TextTooLong));
    assert_eq!(parse_decimal_prefix(zeros(1 << 20).as_bytes()), Err((NumberFault::TextTooLong, 0)));
    let nines = "9".repeat(longest);
    assert_eq!(parse_decimal(nines.as_bytes()), Err(NumberFault::Range));
    // The limit is the number's, not that of what follows it.
    assert_eq!(parse_decimal_prefix(format!("12,{nines}").as_bytes()), Ok((number("12"), 2)));
}

#[test]
fn a_prefix_ends_where_the_number_does() {
    let rows = [
        ("12,", Ok(("12", 2))),
        ("-1.50]", Ok(("-1.5", 5))),
        ("01", Ok(("0", 1))),
        ("1-2", Ok(("1", 1))),
        ("1e5e5", Ok(("100000", 3))),
        ("-x", Err((NumberFault::Syntax, 1))),
        ("1.}", Err((NumberFault::Syntax, 2))),
        ("1e+]", Err((NumberFault::Syntax, 3))),
        ("-0,", Err((NumberFault::MinusZero, 0))),
        ("1e30,", Err((NumberFault::Range, 0))),
    ];
    for (text, expected) in rows {
        let expected = expected.map(|(value, length)| (number(value), length));
        assert_eq!(parse_decimal_prefix(text.as_bytes()), expected, "{text}");
    }
}

#[test]
fn text_is_written_plainly_and_read_back() {
    let texts =
        ["0", "7", "-10", "12.34", "-0.001", "0.000000000000000001", MAXIMUM, LARGEST_INTEGER, "18446744073709551616"];
    for text in texts {
        let mut out = Vec::new();
        number(text).write_text(&mut out);
        assert_eq!(out, text.as_bytes());
        assert_eq!(number(text).to_string(), text);
    }
    assert_eq!(format!("[{:>6}]", number("-1.5")), "[  -1.5]");
}

#[test]
fn floats_come_and_go_by_exact_value() {
    let samples =
        ["0.1", "-0.1", "0.5", "3", "1e-18", "9007199254740993", "9007199254740995", "0.30000000000000004", MAXIMUM];
    for text in samples {
        let expected: f64 = text.parse().unwrap();
        assert_eq!(number(text).to_float_bits(), expected.to_bits(), "{text}");
    }
    let exact = |value: f64| Number::from_float_bits(value.to_bits());
    assert_eq!(exact(0.5), Ok(number("0.5")));
    assert_eq!(exact(-0.0), Ok(Number::ZERO));
    assert_eq!(exact((1.0f64 / 262_144.0).next_up()), Err(NumberFault::Places));
    assert_eq!(exact(-1.0 / 262_144.0), Ok(number("-0.000003814697265625")));
    assert_eq!(exact(1.0 / 524_288.0), Err(NumberFault::Places));
    assert_eq!(exact(1.701_411_834_604_692e20), Ok(number("170141183460469211136")));
    assert_eq!(exact(1.701_411_834_604_692_4e20), Err(NumberFault::Range));
    assert_eq!(exact(f64::MAX), Err(NumberFault::Range));
    assert_eq!(exact(f64::NAN), Err(NumberFault::NotFinite));
    assert_eq!(exact(f64::NEG_INFINITY), Err(NumberFault::NotFinite));
}

#[test]
fn floats_compare_by_exact_value() {
    let compare = |text: &str, float: f64| number(text).compare_float_bits(float.to_bits());
    // The float written 0.1 is a little more than a tenth.
    assert_eq!(compare("0.1", 0.1), Some(Ordering::Less));
    assert_eq!(compare("-0.1", -0.1), Some(Ordering::Greater));
    assert_eq!(compare("0.5", 0.5), Some(Ordering::Equal));
    assert_eq!(compare("0", -0.0), Some(Ordering::Equal));
    assert_eq!(compare("0", f64::from_bits(1)), Some(Ordering::Less));
    assert_eq!(compare("1e-18", -f64::MIN_POSITIVE), Some(Ordering::Greater));
    assert_eq!(compare(MAXIMUM, f64::MAX), Some(Ordering::Less));
    assert_eq!(compare(MAXIMUM, f64::NEG_INFINITY), Some(Ordering::Greater));
    assert_eq!(compare("9007199254740993", 9_007_199_254_740_992.0), Some(Ordering::Greater));
    assert_eq!(compare("1", f64::NAN), None);
}

#[test]
fn faults_of_reading_have_a_code() {
    assert_eq!(NumberFault::Range.code(), Some(Code::NUMBER_RANGE));
    assert_eq!(NumberFault::TextTooLong.code(), Some(Code::NUMBER_TEXT));
    assert_eq!(NumberFault::DivisionByZero.code(), None);
}
