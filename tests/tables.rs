//! Tables that change, against a model that is sorted and slow: nothing tells their forms apart.

use kerai_tests::property::{Random, Run};
use kerai_vm::encoding::{Options, cbor};
use kerai_vm::number::{Fixed, Float, Number};
use kerai_vm::value::{Heap, Kind, TableFault, Value};
use std::collections::BTreeMap;

/// What a table holds, by the encodings of keys and values; and whether it is a list while it is empty.
#[derive(Clone, Default)]
struct Model {
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
    is_list_when_empty: bool,
}

const NULL: &[u8] = &[0xf6];

fn snapshot(heap: &Heap, value: Value) -> Vec<u8> {
    let mut out = Vec::new();
    cbor::encode(heap, value, &Options::SNAPSHOT, &mut out).expect("tables here keep the limits");
    out
}

fn decode(heap: &mut Heap, bytes: &[u8]) -> Value {
    cbor::decode(heap, bytes, &Options::SNAPSHOT).expect("an encoding is canonical")
}

/// The encoding of a position; made without a heap, as the model knows nothing of one.
fn position(position: i64) -> Vec<u8> {
    snapshot(&Heap::new(0), Value::integer(position))
}

impl Model {
    fn is_list(&self) -> bool {
        let count = self.entries.len() as i64;
        if count == 0 {
            self.is_list_when_empty
        } else {
            (1..=count).all(|at| self.entries.contains_key(&position(at)))
        }
    }

    /// Whether a key was added. Where the last key goes, the table stays what it was.
    fn set(&mut self, key: Vec<u8>, value: Vec<u8>) -> bool {
        if value != NULL {
            return self.entries.insert(key, value).is_none();
        }
        let was_list = self.is_list();
        if self.entries.remove(&key).is_some() && self.entries.is_empty() {
            self.is_list_when_empty = was_list;
        }
        false
    }

    fn length(&self) -> i64 {
        let is_held = |at: &i64| self.entries.get(&position(*at)).is_some_and(|value| value != NULL);
        (1..).take_while(is_held).count() as i64
    }

    /// Whether the positions among the keys are exactly 1 to n and hold something.
    fn is_gapless(&self) -> bool {
        let zero = position(0);
        let largest = position(i64::MAX);
        let is_position = |key: &&Vec<u8>| {
            key.first().is_some_and(|head| head >> 5 == 0)
                && **key != zero
                && (key.len(), key.as_slice()) <= (largest.len(), largest.as_slice())
        };
        self.entries.keys().filter(is_position).count() as i64 == self.length()
    }

    /// The table's one encoding, put together by hand.
    fn encoding(&self) -> Vec<u8> {
        let head = |major: u8| match u8::try_from(self.entries.len()).expect("few entries") {
            count @ 0..=23 => vec![major | count],
            count => vec![major | 24, count],
        };
        if self.is_list() {
            let items = (1..=self.entries.len() as i64).flat_map(|at| self.entries.get(&position(at)).cloned());
            return head(0x80).into_iter().chain(items.flatten()).collect();
        }
        // The model is sorted as the encoding is.
        head(0xa0).into_iter().chain(self.entries.iter().flat_map(|(key, value)| [&key[..], value].concat())).collect()
    }
}

/// How keys are chosen in one sequence, so that each form of table is met often.
#[derive(Clone, Copy)]
enum Habit {
    Positions,
    Fields,
    Many,
    Any,
}

const NAMES: &[&str] = &["a", "b", "id", "type", "amount", "fourteen bytes", "a name that lies in the heap"];

fn key(heap: &mut Heap, random: &mut Random, habit: Habit, length: i64) -> Value {
    let kind = match habit {
        Habit::Positions => random.below(5),
        Habit::Fields => 6 + random.below(2),
        Habit::Many => 3 + random.below(5),
        Habit::Any => random.below(12),
    };
    match kind {
        0 | 1 => Value::integer(length + 1),
        2 => Value::integer(random.below(length.cast_unsigned() + 2).cast_signed() + 1),
        3 => Value::integer(random.below(24).cast_signed() + 1),
        4 => Value::integer(random.below(60).cast_signed() - 3),
        5 => heap.string(format!("key {}", random.below(70)).as_bytes()),
        6 | 7 => heap.string(random.pick(NAMES).as_bytes()),
        8 => Value::bool(random.below(2) == 1),
        // Floats and fixed-point numbers that equal a position, a decimal, a wide number, and nothing exact.
        9 => Value::float(Float::from_bits(
            random.pick(&[1.0, 2.0, 3.0, 0.5, -0.0, 1e25, 1e300, f64::INFINITY]).to_bits(),
        )),
        10 => {
            let one = 1_i128 << 64;
            heap.fixed(Fixed::from_bits(*random.pick(&[one, 2 * one, one / 2, 1, one + 1, 10_i128.pow(18) << 64])))
        }
        _ => {
            let wide = 10_i128.pow(25) + i128::from(random.below(2));
            let numbers = [(5, 1), (wide, 0), (15, 1), (0, 0), (10_i128.pow(18), 0)];
            let &(coefficient, scale) = random.pick(&numbers);
            let number = Number::new(coefficient.min(i128::MAX / 10_i128.pow(18)), scale);
            heap.number(number.expect("in range"))
        }
    }
}

fn value(heap: &mut Heap, random: &mut Random) -> Value {
    match random.below(10) {
        0..=3 => Value::NIL,
        4 => heap.string(b"a value that lies in the heap"),
        5 => heap.new_list(),
        6 => heap.new_table(),
        _ => Value::integer(random.below(100).cast_signed()),
    }
}

/// The key's encoding in its one form.
fn key_bytes(heap: &mut Heap, key: Value) -> Vec<u8> {
    let mut other = Heap::new(3);
    let key = other.key(heap.as_key(&key).expect("keys here are keys"));
    snapshot(&other, key)
}

/// A table to begin with: empty, or as decoders and constructors make them, null values included.
fn begin(heap: &mut Heap, random: &mut Random) -> (Value, Model) {
    let mut model = Model::default();
    let most = if random.below(8) == 0 { 50 } else { 6 };
    let count = random.below(most).cast_signed();
    let mut entries = Vec::new();
    let choice = random.below(6);
    for at in 1..=count {
        let value = if random.below(4) == 0 { Value::NIL } else { Value::integer(at) };
        let key = if choice == 4 { Value::integer(at) } else { key(heap, random, Habit::Any, at) };
        entries.push((key, value));
    }
    let table = match choice {
        0 => heap.new_table(),
        1 => heap.new_list(),
        2 => heap.map(&entries).expect("keys are keys"),
        3 => {
            let original = heap.map(&entries).expect("keys are keys");
            let bytes = snapshot(heap, original);
            decode(heap, &bytes)
        }
        _ => {
            let items: Vec<Value> = entries.iter().map(|entry| entry.1).collect();
            heap.list(&items)
        }
    };
    model.is_list_when_empty = heap.kind(table) == Kind::List;
    for (key, value) in heap.entries(table).expect("a table") {
        let value = snapshot(heap, value);
        model.entries.insert(key_bytes(heap, key), value);
    }
    (table, model)
}

fn assert_agrees(heap: &mut Heap, table: Value, model: &Model) {
    let kind = if model.is_list() { Kind::List } else { Kind::Map };
    assert_eq!(heap.kind(table), kind);
    assert_eq!(heap.count(table), Some(model.entries.len()));
    assert_eq!(heap.length(table), Some(model.length()));
    assert_eq!(heap.is_gapless(table), model.is_gapless());
    let bytes = snapshot(heap, table);
    assert_eq!(bytes, model.encoding());
    let decoded = decode(heap, &bytes);
    let entries = heap.entries(table).expect("a table");
    let built = heap.map(&entries).expect("keys are keys");
    assert!(entries.iter().zip(entries.iter().skip(1)).all(|(a, b)| heap.order(a.0, b.0).is_lt()));
    assert_eq!(entries.len(), model.entries.len());
    let keys = heap.keys(table).expect("a table");
    let keys = heap.items(keys).expect("keys are a list").to_vec();
    assert_eq!(keys.len(), entries.len());
    for (&(key, value), &listed) in entries.iter().zip(&keys) {
        assert!(heap.is_same(key, listed));
        let found = heap.get(table, key).expect("the key is there");
        assert!(heap.is_same(found, value));
        assert_eq!(model.entries.get(&key_bytes(heap, key)), Some(&snapshot(heap, value)));
        assert!(heap.get(decoded, key).is_some_and(|found| heap.is_same(found, value)));
    }
    assert!(heap.is_same(table, decoded));
    if !entries.is_empty() {
        assert!(heap.is_same(table, built));
    }
    if kind == Kind::List {
        assert_eq!(heap.items(table).map(<[Value]>::len), Some(entries.len()));
    } else {
        assert!(heap.items(table).is_none());
    }
}

fn sequence(heap: &mut Heap, random: &mut Random) -> Vec<Vec<u8>> {
    let mut tables: Vec<(Value, Model)> = (0..=random.below(3)).map(|_| begin(heap, random)).collect();
    let habit = *random.pick(&[Habit::Positions, Habit::Fields, Habit::Many, Habit::Any]);
    // Some sequences only grow at first, so that large tables are met too.
    let growing = if random.below(4) == 0 { random.below(60) } else { 0 };
    let count = random.below(61);
    for turn in 0..count {
        let at = random.below(tables.len() as u64) as usize;
        let Some((table, model)) = tables.get_mut(at) else { continue };
        let key = key(heap, random, habit, model.length());
        let bytes = key_bytes(heap, key);
        let found = heap.get(*table, key).map(|value| snapshot(heap, value));
        assert_eq!(found.as_ref(), model.entries.get(&bytes));
        let mut value = value(heap, random);
        if turn < growing && value.is_nil() {
            value = Value::TRUE;
        }
        let encoded = snapshot(heap, value);
        assert_eq!(heap.set(*table, key, value), Ok(model.set(bytes, encoded)));
        assert_eq!(heap.length(*table), Some(model.length()));
        assert_eq!(heap.is_gapless(*table), model.is_gapless());
        if random.below(8) == 0 {
            assert_agrees(heap, *table, model);
        }
    }
    for (table, model) in &tables {
        assert_agrees(heap, *table, model);
    }
    // Taking everything out again leaves what the last entry was.
    for (table, mut model) in tables.clone().into_iter().take(1) {
        let bytes = snapshot(heap, table);
        let copy = decode(heap, &bytes);
        let mut keys = heap.entries(copy).expect("a table");
        while !keys.is_empty() {
            let (key, _) = keys.swap_remove(random.below(keys.len() as u64) as usize);
            let bytes = key_bytes(heap, key);
            assert_eq!(heap.set(copy, key, Value::NIL), Ok(model.set(bytes, NULL.to_vec())));
            assert_eq!(heap.length(copy), Some(model.length()));
            assert_eq!(heap.kind(copy) == Kind::List, model.is_list());
        }
        assert_eq!(heap.count(copy), Some(0));
    }
    tables.iter().map(|(table, _)| snapshot(heap, *table)).collect()
}

#[test]
fn tables_agree_with_a_model() {
    let run = Run::new("tables_agree_with_a_model", 2_000, 200_000);
    let mut random = Random::new(run.seed);
    // Shapes and room that other sequences left behind change nothing.
    let mut used = Heap::new(2);
    let start = used.mark();
    run.each(|_| {
        let seed = random.next();
        let fresh = sequence(&mut Heap::new(1), &mut Random::new(seed));
        used.rewind(start);
        assert_eq!(sequence(&mut used, &mut Random::new(seed)), fresh);
    });
}

#[test]
fn long_lists_and_sieves() {
    let mut heap = Heap::new(1);
    let (ascending, descending, sieve) = (heap.new_table(), heap.new_table(), heap.new_table());
    let count = 5_000;
    for at in 1..=count {
        assert_eq!(heap.set(ascending, Value::integer(at), Value::integer(at)), Ok(true));
        let down = count + 1 - at;
        assert_eq!(heap.set(descending, Value::integer(down), Value::integer(down)), Ok(true));
        assert_eq!(heap.set(sieve, Value::integer(at + 1), Value::TRUE), Ok(true));
        assert_eq!(heap.kind(sieve), Kind::Map);
        assert_eq!(heap.length(sieve), Some(0));
    }
    assert!(heap.is_same(ascending, descending));
    assert_eq!(heap.set(sieve, Value::integer(1), Value::TRUE), Ok(true));
    assert_eq!((heap.kind(sieve), heap.length(sieve)), (Kind::List, Some(count + 1)));
    // Down to the last entry, in an order that makes the slots sparse.
    for at in (1..count).chain([count]) {
        assert_eq!(heap.set(ascending, Value::integer(at), Value::NIL), Ok(false));
        assert_eq!(heap.get(ascending, Value::integer(count)).is_some(), at < count);
    }
    assert_eq!((heap.kind(ascending), heap.count(ascending)), (Kind::Map, Some(0)));
    for at in (1..=count).rev() {
        assert_eq!(heap.set(descending, Value::integer(at), Value::NIL), Ok(false));
    }
    assert_eq!((heap.kind(descending), heap.count(descending)), (Kind::List, Some(0)));
}

#[test]
fn what_is_no_table_or_key_is_refused() {
    let mut heap = Heap::new(1);
    let (table, text) = (heap.new_table(), heap.string(b"text"));
    let set = heap.new_set(&[text]).expect("strings can be members");
    let nan = Value::float(Float::NAN);
    let one = Value::integer(1);
    for not_table in [Value::NIL, text, one, set] {
        assert_eq!(heap.set(not_table, one, one), Err(TableFault::NotTable));
        assert!(heap.keys(not_table).is_none());
        assert!(heap.length(not_table).is_none());
    }
    for value in [one, Value::NIL] {
        assert_eq!(heap.set(table, nan, value), Err(TableFault::Nan));
        assert_eq!(heap.set(table, table, value), Err(TableFault::Kind));
        assert_eq!(heap.set(table, Value::NIL, value), Err(TableFault::Kind));
    }
    for key in [nan, table, Value::NIL] {
        assert!(heap.get(table, key).is_none());
    }
}

#[test]
fn a_rewound_heap_never_panics() {
    let mut heap = Heap::new(1);
    let mut random = Random::new(7);
    let tables: Vec<(Value, Model)> = (0..20).map(|_| begin(&mut heap, &mut random)).collect();
    for _ in 0..200 {
        let mark = heap.mark();
        for turn in 0..200 {
            let at = random.below(tables.len() as u64) as usize;
            let Some(&(table, _)) = tables.get(at) else { continue };
            let key = key(&mut heap, &mut random, Habit::Any, turn / 8);
            let value = if random.below(3) == 0 { Value::NIL } else { Value::TRUE };
            let _ = heap.set(table, key, value);
            let _ = (heap.get(table, key), heap.length(table), heap.kind(table), heap.count(table));
        }
        // Older tables were changed, so what they read as is unspecified from here on.
        heap.rewind(mark);
    }
}
