//! Properties of values and their encodings, on generated input: short in every run, long with `KERAI_LONG=1`.
//!
//! `KERAI_SEED` names another seed; the seed in use is printed.

#![expect(clippy::indexing_slicing, reason = "a property may fail by panicking")]

use kerai_tests::property::{Random, Run};
use kerai_vm::encoding::root::{Context, Root};
use kerai_vm::encoding::{Options, cbor, json};
use kerai_vm::number::{Fixed, Float, Number};
use kerai_vm::value::{Heap, Kind, Value};
use std::cmp::Ordering;

const TEXTS: &[&str] = &[
    "",
    "a",
    "id",
    "type",
    "ulid",
    "amount",
    "payload",
    "inv-000001",
    "fourteen bytes",
    "fifteen bytes!!",
    "a string that lies in the heap",
    "é",
    "e\u{301}",
    "\u{212b}",
    "\u{ac00}",
    "\u{1f600}",
    "\u{ffff}",
    "\u{e000}",
    "\"\\\n\u{1}",
    "中文字符",
    "0",
    "1",
    "true",
    "1.5",
];

const FLOATS: &[u64] = &[
    0,
    0x8000_0000_0000_0000,
    0x3ff0_0000_0000_0000,
    0x3ff8_0000_0000_0000,
    0x7ff0_0000_0000_0000,
    0xfff0_0000_0000_0000,
    0x7ff8_0000_0000_0000,
    1,
    0x000f_ffff_ffff_ffff,
    0x7fef_ffff_ffff_ffff,
    0x3fb9_9999_9999_999a,
    0x4340_0000_0000_0000,
    0x3810_0000_0000_0000,
    0x36a0_0000_0000_0000,
    0x3f10_0000_0000_0000,
    0x3e70_0000_0000_0000,
    0x40ef_fc00_0000_0000,
    0x3bf0_0000_0000_0000,
];

const INTEGERS: &[i64] =
    &[0, 1, -1, 23, 24, 255, 256, 65535, 65536, -24, -25, i64::MAX, i64::MIN, 1 << 32, (1 << 53) + 1, 10, 100];

fn number(random: &mut Random) -> Number {
    loop {
        let number = match random.below(5) {
            0 => Ok(Number::from_i64(*random.pick(INTEGERS))),
            1 => Number::new(i128::from(random.below(100_000)) - 50_000, 2),
            2 => Number::new(i128::from(random.next().cast_signed()), random.below(19) as u32),
            3 => Number::from_units((i128::from(random.next()) << 64 | i128::from(random.next())) >> random.below(120)),
            _ => Number::from_units(i128::MAX - i128::from(random.below(3))),
        };
        if let Ok(number) = number {
            return number;
        }
    }
}

fn text(random: &mut Random) -> Vec<u8> {
    match random.below(8) {
        0 => (0..random.below(40)).map(|_| random.next() as u8).collect(),
        1 => (0..random.below(300)).map(|_| b'a' + random.below(26) as u8).collect(),
        2 => format!("{}{}", random.pick(TEXTS), random.pick(TEXTS)).into_bytes(),
        _ => random.pick(TEXTS).as_bytes().to_vec(),
    }
}

fn scalar(heap: &mut Heap, random: &mut Random) -> Value {
    match random.below(12) {
        0 => Value::NIL,
        1 => Value::bool(random.below(2) == 1),
        2..=4 => heap.number(number(random)),
        5 => Value::float(Float::from_bits(random.next())),
        6 => Value::float(Float::from_bits(*random.pick(FLOATS))),
        7 => heap.fixed(Fixed::from_bits(
            (i128::from(random.next()) << 64 | i128::from(random.next())) >> random.below(128),
        )),
        8 => heap.bytes(&text(random)),
        _ => heap.string(&text(random)),
    }
}

fn key(heap: &mut Heap, random: &mut Random) -> Value {
    loop {
        let value = if random.below(2) == 0 { heap.string(&text(random)) } else { scalar(heap, random) };
        if heap.as_key(&value).is_ok() {
            return value;
        }
    }
}

fn value(heap: &mut Heap, random: &mut Random, depth: usize) -> Value {
    if depth == 0 || random.below(3) == 0 {
        return scalar(heap, random);
    }
    let count = if random.below(20) == 0 { random.below(80) } else { random.below(6) };
    match random.below(5) {
        0 | 1 => {
            let items: Vec<Value> = (0..count).map(|_| value(heap, random, depth - 1)).collect();
            heap.list(&items)
        }
        2 => {
            let members: Vec<Value> = (0..count).map(|_| key(heap, random)).collect();
            heap.new_set(&members).expect("keys can be members")
        }
        3 => {
            let entries: Vec<(Value, Value)> =
                (1..=count as i64).map(|at| (Value::integer(at), value(heap, random, depth - 1))).collect();
            heap.map(&entries).expect("integers are keys")
        }
        _ => {
            let entries: Vec<(Value, Value)> =
                (0..count).map(|_| (key(heap, random), value(heap, random, depth - 1))).collect();
            heap.map(&entries).expect("keys are keys")
        }
    }
}

/// The view, or why there is none.
fn view(heap: &Heap, value: Value) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    json::encode(heap, value, &Options::SNAPSHOT, &mut out).map(|()| out).map_err(|refusal| refusal.to_string())
}

fn snapshot(heap: &Heap, value: Value) -> Vec<u8> {
    let mut out = Vec::new();
    cbor::encode(heap, value, &Options::SNAPSHOT, &mut out).expect("a generated value keeps the limits");
    out
}

/// Every operation that a value has must answer alike for both; nested values likewise.
fn assert_indistinguishable(heap: &Heap, a: Value, b: Value) {
    assert_eq!(heap.kind(a), heap.kind(b));
    assert_eq!(heap.order(a, b), Ordering::Equal);
    assert_eq!(heap.order(b, a), Ordering::Equal);
    assert!(heap.is_same(a, b));
    assert_eq!(a.is_nil(), b.is_nil());
    assert_eq!(a.as_i64(), b.as_i64());
    assert_eq!(a.as_bool(), b.as_bool());
    assert_eq!(a.as_float().map(Float::to_bits), b.as_float().map(Float::to_bits));
    assert_eq!(heap.as_number(a), heap.as_number(b));
    assert_eq!(heap.as_fixed(a).map(Fixed::to_bits), heap.as_fixed(b).map(Fixed::to_bits));
    assert_eq!(heap.as_string(&a), heap.as_string(&b));
    assert_eq!(heap.as_bytes(a), heap.as_bytes(b));
    assert_eq!(heap.count(a), heap.count(b));
    assert_eq!(view(heap, a), view(heap, b));
    assert_eq!(heap.as_key(&a).is_ok(), heap.as_key(&b).is_ok());
    match heap.kind(a) {
        Kind::List | Kind::Map => {
            let (entries_a, entries_b) = (heap.entries(a).expect("a table"), heap.entries(b).expect("a table"));
            for (&(key_a, value_a), &(key_b, value_b)) in entries_a.iter().zip(&entries_b) {
                assert_indistinguishable(heap, key_a, key_b);
                assert_indistinguishable(heap, value_a, value_b);
                for (table, key) in [(a, key_b), (b, key_a)] {
                    let found = heap.get(table, key).expect("the key is there");
                    assert!(heap.is_same(found, value_a));
                }
            }
        }
        Kind::Set => {
            let (items_a, items_b) = (heap.items(a).expect("a set"), heap.items(b).expect("a set"));
            items_a.iter().zip(items_b).for_each(|(&a, &b)| assert_indistinguishable(heap, a, b));
        }
        Kind::Nil
        | Kind::Bool
        | Kind::Number
        | Kind::Float
        | Kind::Fixed
        | Kind::String
        | Kind::Bytes
        | Kind::Function => {}
    }
}

#[test]
fn a_value_survives_its_encoding() {
    let run = Run::new("a_value_survives_its_encoding", 3_000, 1_000_000);
    let mut random = Random::new(run.seed);
    let mut other = Heap::new(2);
    run.each(|_| {
        let mut heap = Heap::new(1);
        let original = value(&mut heap, &mut random, 4);
        let bytes = snapshot(&heap, original);
        let copy = cbor::decode(&mut heap, &bytes, &Options::SNAPSHOT).expect("an encoding is canonical");
        cbor::check(&bytes, &Options::SNAPSHOT).expect("checking agrees with decoding");
        assert_indistinguishable(&heap, original, copy);
        assert_eq!(snapshot(&heap, copy), bytes);
        // Another hash seed, and shapes that other values left behind, change nothing.
        let mark = other.mark();
        let elsewhere = cbor::decode(&mut other, &bytes, &Options::SNAPSHOT).expect("as before");
        assert_eq!(snapshot(&other, elsewhere), bytes);
        assert_eq!(view(&other, elsewhere), view(&heap, original));
        other.rewind(mark);
    });
}

#[test]
fn canonical_bytes_and_their_view_agree() {
    let run = Run::new("canonical_bytes_and_their_view_agree", 20_000, 1_000_000);
    let mut random = Random::new(run.seed);
    let mut shown = 0_u64;
    run.each(|_| {
        let mut heap = Heap::new(1);
        let original = value(&mut heap, &mut random, 3);
        let mut bytes = Vec::new();
        if cbor::encode(&heap, original, &Options::CANONICAL, &mut bytes).is_err() {
            assert!(bytes.is_empty());
            return;
        }
        let copy = cbor::decode(&mut heap, &bytes, &Options::CANONICAL).expect("an encoding is canonical");
        let mut again = Vec::new();
        cbor::encode(&heap, copy, &Options::CANONICAL, &mut again).expect("what was decoded can be encoded");
        assert_eq!(again, bytes);
        // What JSON shows, the strict reader takes, and shows again the same.
        let Ok(text) = view(&heap, copy) else { return };
        shown += 1;
        match json::decode(&mut heap, &text, &Options::CANONICAL) {
            Ok(read) => assert_eq!(view(&heap, read).as_deref(), Ok(text.as_slice())),
            // A float or fixed-point number may have digits that no exact number has.
            Err(refusal) => {
                assert!(refusal.code.name().starts_with("NUMBER_"), "{refusal}: {}", String::from_utf8_lossy(&text))
            }
        }
    });
    assert!(shown > 0);
}

#[test]
fn order_is_total() {
    let run = Run::new("order_is_total", 5_000, 300_000);
    let mut random = Random::new(run.seed);
    run.each(|_| {
        let mut heap = Heap::new(1);
        let [a, b, c] = [0; 3].map(|_| value(&mut heap, &mut random, 2));
        assert_eq!(heap.order(a, b), heap.order(b, a).reverse());
        assert_eq!(heap.order(a, a), Ordering::Equal);
        if heap.order(a, b).is_le() && heap.order(b, c).is_le() {
            assert!(heap.order(a, c).is_le());
        }
        assert_eq!(
            heap.order(a, b).is_eq(),
            snapshot(&heap, a) == snapshot(&heap, b),
            "equal in order if and only if equal in bytes"
        );
    });
}

/// Changes that a careless or hostile sender makes.
fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len().max(1) as u64) as usize;
        match random.below(6) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            1 if !bytes.is_empty() => bytes[at] = random.next() as u8,
            2 => bytes.insert(at.min(bytes.len()), random.next() as u8),
            3 if !bytes.is_empty() => drop(bytes.remove(at)),
            4 => bytes.truncate(at),
            _ => {
                let end = (at + random.below(8) as usize).min(bytes.len());
                let piece = bytes[at.min(end)..end].to_vec();
                let to = random.below(bytes.len() as u64 + 1) as usize;
                bytes.splice(to..to, piece);
            }
        }
    }
}

#[test]
fn a_mutant_is_refused_or_canonical() {
    let run = Run::new("a_mutant_is_refused_or_canonical", 200_000, 10_000_000);
    let mut random = Random::new(run.seed);
    let mut heap = Heap::new(1);
    let start = heap.mark();
    let (mut original, mut accepted) = (Vec::new(), 0_u64);
    run.each(|count| {
        let options = if random.below(2) == 0 { Options::CANONICAL } else { Options::SNAPSHOT };
        if count % 50 == 0 {
            heap.rewind(start);
            let seed = value(&mut heap, &mut random, 3);
            original = snapshot(&heap, seed);
        }
        let mut mutant = original.clone();
        mutate(&mut random, &mut mutant);
        let decoded = cbor::decode(&mut heap, &mutant, &options);
        assert_eq!(
            decoded.as_ref().err(),
            cbor::check(&mutant, &options).as_ref().err(),
            "checking agrees with decoding"
        );
        if let Ok(value) = decoded {
            accepted += 1;
            let mut again = Vec::new();
            cbor::encode(&heap, value, &options, &mut again).expect("what was decoded can be encoded");
            assert_eq!(again, mutant);
        }
    });
    assert!(accepted > 0, "some mutants are values again");
}

#[test]
fn mutated_json_never_panics() {
    let run = Run::new("mutated_json_never_panics", 50_000, 2_000_000);
    let mut random = Random::new(run.seed);
    let mut heap = Heap::new(1);
    let start = heap.mark();
    run.each(|_| {
        heap.rewind(start);
        let seed = value(&mut heap, &mut random, 3);
        let Ok(mut text) = view(&heap, seed) else { return };
        mutate(&mut random, &mut text);
        if let Ok(value) = json::decode(&mut heap, &text, &Options::CANONICAL) {
            let shown = view(&heap, value).expect("what was read can be shown");
            let again = json::decode(&mut heap, &shown, &Options::CANONICAL).expect("what is shown can be read");
            assert!(heap.is_same(value, again));
        }
    });
}

#[test]
fn contexts_keep_roots_apart() {
    let roots: Vec<Root> = Context::ALL.iter().map(|&context| Root::of_data(context, b"x")).collect();
    assert!(roots.iter().enumerate().all(|(at, root)| roots[..at].iter().all(|other| other != root)));
}
