//! Numbers and their texts.

use crate::generate::{float, integer, pieces};
use crate::machine::{Datum, Library, program};
use crate::oracle::{Both, Oracle, Pair};
use kerai_tests::property::{Random, Run};

#[test]
fn texts_of_numbers_agree_with_stock_lua() {
    let run = Run::new("texts of numbers", 20_000, 300_000);
    let (program, oracle) = (program(), Oracle::new());
    let mut library = Library::new(&program);
    let mut random = Random::new(run.seed ^ 6);
    let pair = Pair::new(&oracle, "tostring");
    run.each(|_| {
        let argument = match random.below(4) {
            0 => Datum::Integer(integer(&mut random).into()),
            _ => Datum::Float(float(&mut random)),
        };
        // Stock Lua writes the sign of a NaN.
        if !matches!(argument, Datum::Float(value) if value.is_nan()) {
            let arguments = [argument];
            Both::of(&mut library, &oracle, &pair, &arguments).assert(&pair, &arguments);
        }
    });
}

const NUMERAL: &[&str] = &[
    "0", "1", "7", "9", "00", "123", "99999999", ".", "e", "E", "+", "-", "0x", "0X", "a", "F", "p", "P", " ", "\t",
    "\n", "inf", "nan", "_", "\0", "e1", "p-3", "0.5", "e-20",
];

/// Where stock Lua gives up the exact value: it wraps hexadecimal integers and rounds decimal ones beyond 64 bits.
fn is_beyond(both: &Both) -> bool {
    match both.ours.as_deref() {
        Ok([Datum::Integer(value)]) => i64::try_from(*value).is_err(),
        // Beyond the range of numbers too, a hexadecimal integer is a float.
        Ok([Datum::Float(value)]) => value.abs() >= 1e19 && matches!(both.theirs.as_deref(), Some([Datum::Integer(_)])),
        _ => false,
    }
}

#[test]
fn numerals_agree_with_stock_lua() {
    let run = Run::new("numerals", 60_000, 1_000_000);
    let (program, oracle) = (program(), Oracle::new());
    let mut library = Library::new(&program);
    let mut random = Random::new(run.seed ^ 7);
    let pair = Pair::with(&oracle, "tonumber-float", "tonumber");
    let (mut read, mut beyond) = (0, 0);
    run.each(|_| {
        let arguments = [pieces(&mut random, NUMERAL, 6)];
        let both = Both::of(&mut library, &oracle, &pair, &arguments);
        if is_beyond(&both) {
            beyond += 1;
            return;
        }
        both.assert(&pair, &arguments);
        read += u64::from(both.ours.is_ok_and(|results| results != [Datum::Nil]));
    });
    println!("{read} were read alike, {beyond} were beyond 64 bits");
    assert!(read > 0);
}

#[test]
fn numerals_in_bases_agree_with_stock_lua() {
    let run = Run::new("numerals in bases", 20_000, 300_000);
    let (program, oracle) = (program(), Oracle::new());
    let mut library = Library::new(&program);
    let mut random = Random::new(run.seed ^ 8);
    let pair = Pair::new(&oracle, "tonumber");
    run.each(|_| {
        let base = Datum::Integer(random.below(40).into());
        let text = pieces(&mut random, &["0", "1", "7", "a", "Z", "f", "-", " ", "\n", ".", "z"], 10);
        let arguments = [text, base];
        Both::of(&mut library, &oracle, &pair, &arguments).assert(&pair, &arguments);
    });
}

#[test]
fn exact_functions_agree_with_stock_lua() {
    let run = Run::new("functions of math", 40_000, 500_000);
    let (program, oracle) = (program(), Oracle::new());
    let mut library = Library::new(&program);
    let mut random = Random::new(run.seed ^ 9);
    let one = ["math.floor", "math.ceil", "math.abs", "math.modf", "math.tointeger", "math.sqrt"];
    let two = ["math.fmod", "math.max", "math.min", "math.ult"];
    let one = one.map(|name| Pair::new(&oracle, name));
    let two = two.map(|name| Pair::new(&oracle, name));
    run.each(|_| {
        let mut number = || match random.below(2) {
            0 => Datum::Integer(integer(&mut random).into()),
            _ => Datum::Float(float(&mut random)),
        };
        let (a, b) = (number(), number());
        // Integers never wrap, and the rest of an integer stays one.
        let is_least = |datum: &Datum| *datum == Datum::Integer(i64::MIN.into());
        let is_integer = matches!(a, Datum::Integer(_));
        let pair = random.pick(&one);
        if !(is_least(&a) || is_integer && pair.builtin.name() == "math.modf") {
            let arguments = [a.clone()];
            Both::of(&mut library, &oracle, pair, &arguments).assert(pair, &arguments);
        }
        let pair = random.pick(&two);
        let arguments = [a, b];
        Both::of(&mut library, &oracle, pair, &arguments).assert(pair, &arguments);
    });
}
