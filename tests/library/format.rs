//! `string.format`.

use crate::generate::{float, integer, pieces};
use crate::machine::{Datum, Library, program};
use crate::oracle::{Both, Oracle, Pair};
use kerai_tests::property::{Random, Run};
use kerai_vm::bytecode::Builtin;
use kerai_vm::number::Number;

/// A width or a precision, sometimes one that is too large.
const fn digits(random: &mut Random) -> u64 {
    let most = if random.below(8) == 0 { 120 } else { 20 };
    random.below(most)
}

/// An item of a format: flags, width and precision, not always ones that fit.
fn item(random: &mut Random, conversion: char) -> String {
    let mut text = "%".to_owned();
    for flag in ['-', '+', ' ', '#', '0'] {
        if random.below(6) == 0 {
            text.push(flag);
        }
    }
    if random.below(3) == 0 {
        text.push_str(&digits(random).to_string());
    }
    if random.below(3) == 0 {
        text.push('.');
        if random.below(8) != 0 {
            text.push_str(&digits(random).to_string());
        }
    }
    text.push(conversion);
    text
}

const CONVERSIONS: &[u8] = b"ddiuoxXcaAeEfgGfgqsszk%";

#[test]
fn formats_agree_with_stock_lua() {
    let run = Run::new("formats", 60_000, 1_000_000);
    let (program, oracle) = (program(), Oracle::new());
    let mut library = Library::new(&program);
    let mut random = Random::new(run.seed ^ 3);
    let pair = Pair::new(&oracle, "string.format");
    let mut accepted = 0;
    run.each(|_| {
        let conversion = char::from(*random.pick(CONVERSIONS));
        let format = format!("<{}>", item(&mut random, conversion));
        let argument = match random.below(8) {
            0..3 => Datum::Integer(integer(&mut random).into()),
            3..7 => Datum::Float(float(&mut random)),
            // Stock Lua takes no zero in a text that is to be cut or filled.
            _ => pieces(&mut random, &["a", "é", "\n", "\"", "\\", "\r", "\u{1}", "1", "\u{7f}", "long enough "], 12),
        };
        let is_text = matches!(argument, Datum::Text(_));
        let is_nan = matches!(argument, Datum::Float(value) if value.is_nan());
        // Stock Lua writes the sign of a NaN, which ours has not; it writes floats that are no integers with %s in 14
        // digits, as we do; it turns texts into numbers; and it quotes the least integer in hexadecimal.
        let is_least = argument == Datum::Integer(i64::MIN.into()) && conversion == 'q';
        // It rounds integers to floats, where we print them exactly.
        let is_rounded = matches!(argument, Datum::Integer(value) if value.unsigned_abs() > 1 << 53)
            && "aefg".contains(conversion.to_ascii_lowercase());
        if is_nan || is_least || is_rounded || is_text && !matches!(conversion, 's' | 'q') {
            return;
        }
        let arguments = [Datum::text(&format), argument];
        let both = Both::of(&mut library, &oracle, &pair, &arguments);
        both.assert(&pair, &arguments);
        accepted += u64::from(both.ours.is_ok());
    });
    println!("{accepted} were accepted by both");
    assert!(accepted > 0);
}

#[test]
fn formats_of_several_items_agree_with_stock_lua() {
    let run = Run::new("formats of several items", 10_000, 100_000);
    let (program, oracle) = (program(), Oracle::new());
    let mut library = Library::new(&program);
    let mut random = Random::new(run.seed ^ 4);
    let pair = Pair::new(&oracle, "string.format");
    run.each(|_| {
        let format = pieces(&mut random, &["%d", "%s", "%5.1f", "%%", "text ", "%", "%-4d|", "\0"], 6);
        let arguments = [format].into_iter().chain((0..random.below(6)).map(|_| {
            let value = random.below(1000);
            Datum::Integer(value.into())
        }));
        let arguments: Vec<Datum> = arguments.collect();
        Both::of(&mut library, &oracle, &pair, &arguments).assert(&pair, &arguments);
    });
}

/// The digits of coefficient ÷ 10^scale with so many places, in integers of 128 bits alone.
fn rounded(number: Number, places: u32) -> String {
    let (magnitude, scale) = (number.coefficient().unsigned_abs(), number.scale());
    let units = if places >= scale {
        magnitude
    } else {
        let power = 10_u128.pow(scale - places);
        let (quotient, rest) = (magnitude / power, magnitude % power);
        quotient + u128::from(rest > power / 2 || rest == power / 2 && quotient % 2 == 1)
    };
    let digits = format!("{units:0>width$}", width = places.min(scale) as usize + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places.min(scale) as usize);
    let sign = if number.is_negative() { "-" } else { "" };
    let point = if places == 0 { "" } else { "." };
    format!("{sign}{whole}{point}{fraction:0<places$}", places = places as usize)
}

#[test]
fn exact_numbers_print_exactly() {
    let run = Run::new("exact numbers", 20_000, 300_000);
    let program = program();
    let mut library = Library::new(&program);
    let mut random = Random::new(run.seed ^ 5);
    run.each(|_| {
        let coefficient = i128::from(random.next().cast_signed()) >> random.below(60);
        let Ok(number) = Number::new(coefficient, random.below(19) as u32) else { return };
        let places = random.below(30) as u32;
        let format = Datum::Text(format!("%.{places}f").into_bytes());
        let ours = library.call(Builtin::StringFormat, &[format, Datum::Decimal(number)]);
        assert_eq!(ours, Ok(vec![Datum::text(&rounded(number, places))]), "{number} with {places} places");
    });
    for (text, value) in [("170141183460469231731", i128::MAX / 10_i128.pow(18)), ("-36893488147419103232", -(1 << 65))]
    {
        let ours = library.call(Builtin::StringFormat, &[Datum::text("%d"), Datum::Integer(value)]);
        assert_eq!(ours, Ok(vec![Datum::text(text)]));
    }
}
