//! Strings without patterns, and UTF-8.

use crate::generate::{position, subject};
use crate::machine::{Datum, Library, program};
use crate::oracle::{Both, Oracle, Pair};
use kerai_tests::property::{Random, Run};

#[test]
fn strings_agree_with_stock_lua() {
    let run = Run::new("strings", 30_000, 500_000);
    let (program, oracle) = (program(), Oracle::new());
    let mut library = Library::new(&program);
    let mut random = Random::new(run.seed ^ 10);
    let plain = ["string.len", "string.reverse", "string.upper", "string.lower"].map(|name| Pair::new(&oracle, name));
    let ranged = ["string.sub", "string.byte", "string.rep"].map(|name| Pair::new(&oracle, name));
    let char = Pair::new(&oracle, "string.char");
    run.each(|_| {
        let text = subject(&mut random);
        let (pair, arguments) = match random.below(4) {
            0 => (random.pick(&plain), vec![text]),
            1 => (&char, (0..random.below(6)).map(|_| Datum::Integer(i128::from(random.below(258)) - 1)).collect()),
            _ => {
                let pair = random.pick(&ranged);
                let third =
                    if pair.builtin.name() == "string.rep" { subject(&mut random) } else { position(&mut random) };
                let mut arguments = vec![text, position(&mut random), third];
                arguments.truncate(2 + random.below(2) as usize);
                (pair, arguments)
            }
        };
        Both::of(&mut library, &oracle, pair, &arguments).assert(pair, &arguments);
    });
}

/// Well-formed and malformed pieces of UTF-8, as Latin-1 letters of their bytes.
const PIECES: &[&[u8]] = &[
    b"a",
    b"z",
    b"\0",
    "é".as_bytes(),
    "日".as_bytes(),
    "🙂".as_bytes(),
    b"\x80",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xfd\xbf\xbf\xbf\xbf\xbf",
    b"\xff",
    b"\xe6\x97",
    b"\xf0\x9f\x99",
    b"\xc3",
];

#[test]
fn utf8_agrees_with_stock_lua() {
    let run = Run::new("UTF-8", 40_000, 500_000);
    let (program, oracle) = (program(), Oracle::new());
    let mut library = Library::new(&program);
    let mut random = Random::new(run.seed ^ 11);
    let pairs = [
        Pair::new(&oracle, "utf8.len"),
        Pair::new(&oracle, "utf8.codepoint"),
        Pair::new(&oracle, "utf8.offset"),
        Pair::new(&oracle, "utf8.char"),
        Pair::with(
            &oracle,
            "utf8.codes-next",
            "function(s, at, lax) return utf8.codes(at == 0 and s or '', lax)(s, at) end",
        ),
    ];
    run.each(|_| {
        let pair = random.pick(&pairs);
        let count = random.below(6);
        let text = Datum::Text((0..count).flat_map(|_| random.pick(PIECES).iter().copied()).collect());
        let lax = if random.below(2) == 0 { Datum::Nil } else { Datum::Bool(random.below(2) == 0) };
        let arguments = match pair.builtin.name() {
            "utf8.char" => (0..random.below(4))
                .map(|_| Datum::Integer((random.next() >> (32 + random.below(30))).into()))
                .collect(),
            "utf8.offset" => {
                let mut arguments = vec![text, position(&mut random), position(&mut random)];
                arguments.truncate(2 + random.below(2) as usize);
                arguments
            }
            "utf8.codes-next" => vec![text, Datum::Integer(random.below(10).into()), lax],
            _ => vec![text, position(&mut random), position(&mut random), lax],
        };
        let both = Both::of(&mut library, &oracle, pair, &arguments);
        // At the end of a walk stock Lua gives nothing, we give nil: a loop can't tell.
        if both.ours.as_deref() == Ok(&[Datum::Nil]) && both.theirs.as_deref() == Some(&[]) {
            return;
        }
        both.assert(pair, &arguments);
    });
}
