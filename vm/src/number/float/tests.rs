//! What the vectors do not say: the edges of the parts that are ours alone.

use super::*;

fn float(text: &str) -> Float {
    Float::parse(text.as_bytes()).unwrap_or(Float::NAN)
}

fn text(value: Float) -> String {
    value.to_string()
}

#[test]
fn every_nan_becomes_the_one() {
    for bits in [0x7ff0_0000_0000_0001, 0xfff8_0000_0000_0000, u64::MAX] {
        assert_eq!(Float::from_bits(bits).to_bits(), soft::NAN);
    }
    assert_eq!(Float::NAN.negate().to_bits(), soft::NAN);
    assert_eq!(Float::ZERO.divide(Float::ZERO).to_bits(), soft::NAN);
}

#[test]
fn modulo_floors_as_in_lua() {
    let cases = [
        ("5", "3", "2"),
        ("-5", "3", "1"),
        ("5", "-3", "-1"),
        ("-6", "3", "-0"),
        ("6", "-3", "0"),
        ("1e308", "3", "2"),
        ("-1e-20", "1", "1"),
    ];
    for (a, b, expected) in cases {
        assert_eq!(text(float(a).modulo(float(b))), expected, "{a} % {b}");
    }
    let infinity = Float::INFINITY;
    assert_eq!(text(float("5").modulo(infinity)), "5");
    assert_eq!(text(float("-5").modulo(infinity)), "inf");
    assert_eq!(text(float("5").modulo(infinity.negate())), "-inf");
    assert!(infinity.modulo(float("5")).is_nan() && float("5").modulo(Float::ZERO).is_nan());
    assert_eq!(text(float("-7").floor_divide(float("2"))), "-4");
}

#[test]
fn minimum_and_maximum_order_the_zeros_and_keep_nan() {
    let (zero, minus_zero) = (Float::ZERO, Float::ZERO.negate());
    assert_eq!(text(zero.minimum(minus_zero)), "-0");
    assert_eq!(text(minus_zero.maximum(zero)), "0");
    assert!(Float::NAN.minimum(zero).is_nan() && zero.minimum(Float::NAN).is_nan());
    assert!(Float::NAN.maximum(Float::INFINITY).is_nan() && Float::INFINITY.maximum(Float::NAN).is_nan());
    assert!(zero.equals(minus_zero) && minus_zero.total_compare(zero).is_lt());
    assert!(Float::INFINITY.total_compare(Float::NAN).is_lt() && Float::NAN.compare(zero).is_none());
}

#[test]
fn text_is_read_by_our_grammar_alone() {
    for bad in [
        "", "+", ".", "e5", "1e", "1e+", "inf", "nan", "infinity", "0x", "0x.", "0x1p", "0xg", " 1", "1 ", "--1",
        "1_0", "0x1e+1",
    ] {
        assert!(Float::parse(bad.as_bytes()).is_none(), "{bad}");
    }
    let cases = [
        ("5.", "5"),
        ("-.5", "-0.5"),
        ("0xA.8", "10.5"),
        ("-0x1.8p3", "-12"),
        ("0X.1P+4", "1"),
        ("1e21", "1000000000000000000000"),
        ("-0", "-0"),
        ("1e999999999999999999999", "inf"),
        ("-0x1p999999999999999999999", "-inf"),
        ("0x0.0p999999999999999999999", "0"),
        ("0x1p-1075", "0"),
        ("0x1.00000000000008p0", "1"),
        ("0x1.000000000000080000000000000000000000000000000000000001p0", "1.0000000000000002"),
    ];
    for (given, expected) in cases {
        assert_eq!(text(float(given)), expected, "{given}");
    }
    let long = format!("0x{}p-4000", "1".repeat(1000));
    assert_eq!(float(&long).to_bits(), float("0x1.11111111111111p-4").to_bits());
}

#[test]
fn integers_convert_exactly_or_not_at_all() {
    assert_eq!(float("-9223372036854775808").to_i64_exact(), Some(i64::MIN));
    assert_eq!(float("9223372036854775808").to_i64(Rounding::TowardZero), None);
    assert_eq!(float("-0").to_i64_exact(), Some(0));
    assert_eq!(float("1.5").to_i64_exact(), None);
    assert_eq!(float("2.5").to_i64(Rounding::NearestEven), Some(2));
    assert_eq!(Float::from_quotient(1, 10).map(text).as_deref(), Some("0.1"));
    assert_eq!(Float::from_quotient(i128::MAX, 1).map(Float::to_bits), Some(Float::from_i128(i128::MAX).to_bits()));
}

#[test]
fn narrow_formats_take_only_what_they_keep() {
    let cases = [
        ("65504", Some(0x7bff), Some(0x477f_e000)),
        ("65536", None, Some(0x4780_0000)),
        ("0x1p-24", Some(0x0001), Some(0x3380_0000)),
        ("0x1p-25", None, Some(0x3300_0000)),
        ("0x3p-25", None, Some(0x33c0_0000)),
        ("0x1p-149", None, Some(0x0000_0001)),
        ("0x1p-150", None, None),
        ("-0", Some(0x8000), Some(0x8000_0000)),
        ("0.1", None, None),
    ];
    for (given, half, single) in cases {
        assert_eq!(float(given).to_f16_bits_exact(), half, "{given}");
        assert_eq!(float(given).to_f32_bits_exact(), single, "{given}");
    }
    assert_eq!((Float::NAN.to_f16_bits_exact(), Float::NAN.to_f32_bits()), (Some(0x7e00), 0x7fc0_0000));
    for pattern in 0..=u16::MAX {
        let wide = Float::from_f16_bits(pattern);
        let expected = if wide.is_nan() { 0x7e00 } else { pattern };
        assert_eq!(wide.to_f16_bits_exact(), Some(expected));
    }
}

#[test]
fn of_two_shortest_texts_the_even_one_is_written() {
    // The values end in .25 and .75 exactly, so two texts with one place are equally near.
    for (source, text) in [
        ("1424953923781206.25", "1424953923781206.2"),
        ("-591340196471289.25", "-591340196471289.2"),
        ("1939951513150406.75", "1939951513150406.8"),
        ("1939951513150405.75", "1939951513150405.8"),
        ("0.5", "0.5"),
    ] {
        let mut out = Vec::new();
        Float::parse(source.as_bytes()).expect("text").write_shortest(&mut out);
        assert_eq!(String::from_utf8(out).expect("text"), text);
    }
}
