//! Points, going back, and collecting, against a model that copies everything: nothing tells when a heap was collected,
//! and what was gone back from never happened.

use kerai_tests::property::{Random, Run};
use kerai_vm::encoding::{Options, cbor};
use kerai_vm::number::{Fixed, Number};
use kerai_vm::value::{Extent, Heap, Kind, Point, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What a table holds at a key.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Held {
    /// By its encoding.
    Plain(Vec<u8>),
    Table(usize),
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Table {
    /// By the keys' encodings.
    entries: BTreeMap<Vec<u8>, Held>,
    is_list_when_empty: bool,
}

/// All tables that ever were, and the one that is the state.
#[derive(Clone)]
struct World {
    tables: Vec<Table>,
    root: usize,
}

const NULL: &[u8] = &[0xf6];

fn encoded(heap: &Heap, value: Value) -> Vec<u8> {
    let mut out = Vec::new();
    cbor::encode(heap, value, &Options::SNAPSHOT, &mut out).expect("plain values are encoded");
    out
}

fn snapshot(heap: &Heap, state: Value) -> Vec<u8> {
    let mut out = Vec::new();
    cbor::encode_snapshot(heap, state, &Options::STATE, &mut out).expect("states here keep the limits");
    out
}

fn position(at: usize) -> Vec<u8> {
    encoded(&Heap::new(0), Value::integer(at as i64))
}

fn head(major: u8, argument: usize) -> Vec<u8> {
    match argument {
        0..=23 => vec![major | argument as u8],
        24..=0xff => vec![major | 24, argument as u8],
        _ => [&[major | 25][..], &u16::try_from(argument).expect("few of them").to_be_bytes()].concat(),
    }
}

impl Table {
    fn is_list(&self) -> bool {
        match self.entries.len() {
            0 => self.is_list_when_empty,
            count => (1..=count).all(|at| self.entries.contains_key(&position(at))),
        }
    }

    /// Puts a value at a key; null takes it out.
    fn set(&mut self, key: Vec<u8>, held: Held) {
        if held != Held::Plain(NULL.to_vec()) {
            self.entries.insert(key, held);
            return;
        }
        let was_list = self.is_list();
        if self.entries.remove(&key).is_some() && self.entries.is_empty() {
            self.is_list_when_empty = was_list;
        }
    }

    /// What it holds, in the order in which it is written.
    fn in_order(&self) -> Vec<(Vec<u8>, Held)> {
        if self.is_list() {
            let item = |at| self.entries.get_key_value(&position(at));
            return (1..=self.entries.len()).filter_map(item).map(|(key, held)| (key.clone(), held.clone())).collect();
        }
        self.entries.iter().map(|(key, held)| (key.clone(), held.clone())).collect()
    }
}

impl World {
    /// The tables that the state reaches, in the order in which a snapshot first refers to them.
    fn reached(&self) -> Vec<usize> {
        let (mut order, mut met) = (vec![self.root], BTreeSet::from([self.root]));
        let mut next = 0;
        while let Some(&table) = order.get(next) {
            for (_, held) in self.tables.get(table).expect("a table of the world").in_order() {
                if let Held::Table(table) = held
                    && met.insert(table)
                {
                    order.push(table);
                }
            }
            next += 1;
        }
        order
    }

    /// The snapshot, put together by hand.
    fn snapshot(&self) -> Vec<u8> {
        let order = self.reached();
        let mut out = head(0x80, order.len() + 1);
        let link = |table: usize| {
            let number = order.iter().position(|&other| other == table).expect("reached");
            [&[0xd9, 0x6b, 0x73][..], &head(0, number)].concat()
        };
        out.extend(link(self.root));
        for &table in &order {
            let table = self.tables.get(table).expect("a table of the world");
            let is_list = table.is_list();
            out.extend(head(if is_list { 0x80 } else { 0xa0 }, table.entries.len()));
            for (key, held) in table.in_order() {
                if !is_list {
                    out.extend(key);
                }
                match held {
                    Held::Plain(bytes) => out.extend(bytes),
                    Held::Table(table) => out.extend(link(table)),
                }
            }
        }
        out
    }
}

/// How often a heap is collected between steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Collecting {
    Never,
    Young,
    All,
    Sometimes,
}

/// A heap beside its model.
struct Pair {
    heap: Heap,
    state: Value,
    world: World,
    /// Where the model's tables lie; only of those that the state reaches, and of new ones.
    places: BTreeMap<usize, Value>,
    points: Vec<(Point, Value, World)>,
}

impl Pair {
    fn new(seed: u64) -> Pair {
        let mut heap = Heap::new(seed);
        let state = heap.new_table();
        let world = World { tables: vec![Table::default()], root: 0 };
        Pair { heap, state, world, places: BTreeMap::from([(0, state)]), points: Vec::new() }
    }

    /// Compares all that the state reaches, and finds where it lies.
    fn compare(&mut self) {
        let order = self.world.reached();
        let mut places = BTreeMap::from([(self.world.root, self.state)]);
        for table in order {
            let value = *places.get(&table).expect("reached by what came before");
            let model = self.world.tables.get(table).expect("a table of the world");
            assert_eq!(self.heap.kind(value) == Kind::List, model.is_list());
            assert_eq!(self.heap.count(value), Some(model.entries.len()));
            let entries = self.heap.entries(value).expect("a table");
            assert_eq!(entries.len(), model.entries.len());
            for (key, found) in entries {
                let held = model.entries.get(&encoded(&self.heap, key)).expect("the key is the model's");
                match held {
                    Held::Plain(bytes) => assert_eq!(&encoded(&self.heap, found), bytes),
                    // The same table in the model is the same table here.
                    Held::Table(table) => {
                        let place = *places.entry(*table).or_insert(found);
                        assert!(place.is_same_table(found));
                    }
                }
                let again = self.heap.get(value, key).expect("the key is there");
                assert!(again.is_same_words(found));
            }
        }
        let all: Vec<Value> = places.values().copied().collect();
        for (at, place) in all.iter().enumerate() {
            assert!(!all.iter().skip(at + 1).any(|other| other.is_same_table(*place)));
        }
        self.places = places;
        let bytes = snapshot(&self.heap, self.state);
        assert_eq!(bytes, self.world.snapshot());
        let mut other = Heap::new(9);
        let state = cbor::decode_snapshot(&mut other, &bytes, &Options::STATE).expect("a snapshot is read");
        assert_eq!(snapshot(&other, state), bytes);
    }

    fn key(&mut self, random: &mut Random) -> Value {
        match random.below(9) {
            0..=2 => Value::integer(random.below(8).cast_signed() + 1),
            3 => Value::integer(random.below(100).cast_signed()),
            4 => self.heap.string(format!("a key that is long {}", random.below(40)).as_bytes()),
            5 => Value::bool(random.below(2) == 0),
            6 => {
                let number = Number::new(10_i128.pow(19) + i128::from(random.below(3)), 0);
                self.heap.number(number.expect("in range"))
            }
            _ => self.heap.string(random.pick(&["a", "b", "c", "id", "next"]).as_bytes()),
        }
    }

    /// A value beside what the model holds of it.
    fn value(&mut self, random: &mut Random) -> (Value, Held) {
        let plain = match random.below(12) {
            0..=2 => Value::NIL,
            3 => Value::integer(random.below(50).cast_signed()),
            4 => self.heap.string(format!("a value that is long {}", random.below(1000)).as_bytes()),
            5 => self.heap.bytes(&[1, 2, 3]),
            6 => self.heap.fixed(Fixed::from_bits(i128::from(random.next()))),
            7 | 8 => return self.new_table(random),
            _ => {
                let among: Vec<(usize, Value)> = self.places.iter().map(|(&table, &value)| (table, value)).collect();
                let &(table, value) = random.pick(&among);
                return (value, Held::Table(table));
            }
        };
        (plain, Held::Plain(encoded(&self.heap, plain)))
    }

    fn new_table(&mut self, random: &mut Random) -> (Value, Held) {
        let one = Held::Plain(position(1));
        let null = Held::Plain(NULL.to_vec());
        let name = encoded(&self.heap, self.heap.key_of_name());
        let (value, table) = match random.below(4) {
            0 => (self.heap.new_table(), Table::default()),
            1 => (self.heap.new_list(), Table { is_list_when_empty: true, ..Table::default() }),
            2 => {
                let value = self.heap.list(&[Value::integer(1), Value::NIL]);
                let entries = BTreeMap::from([(position(1), one), (position(2), null)]);
                (value, Table { entries, is_list_when_empty: true })
            }
            _ => {
                let key = self.heap.key_of_name();
                let value = self.heap.map(&[(key, Value::NIL), (Value::TRUE, Value::integer(1))]).expect("keys");
                let entries = BTreeMap::from([(name, null), (vec![0xf5], one)]);
                (value, Table { entries, is_list_when_empty: false })
            }
        };
        let number = self.world.tables.len();
        self.world.tables.push(table);
        self.places.insert(number, value);
        (value, Held::Table(number))
    }

    fn change(&mut self, random: &mut Random) {
        let among: Vec<(usize, Value)> = self.places.iter().map(|(&table, &value)| (table, value)).collect();
        let &(number, table) = random.pick(&among);
        let (key, (value, held)) = (self.key(random), self.value(random));
        let bytes = encoded(&self.heap, key);
        self.heap.set(table, key, value).expect("keys are keys");
        self.world.tables.get_mut(number).expect("a table of the world").set(bytes, held);
    }

    fn collect(&mut self, extent: Extent) {
        let mut roots = vec![self.state];
        roots.extend(self.points.iter().map(|point| point.1));
        self.heap.collect(extent, &mut roots);
        let mut roots = roots.into_iter();
        self.state = roots.next().expect("the state is a root");
        self.points.iter_mut().zip(roots).for_each(|(point, state)| point.1 = state);
    }

    fn keep_point(&mut self) {
        let point = self.heap.point();
        self.points.push((point, self.state, self.world.clone()));
    }

    fn rewind(&mut self, random: &mut Random) {
        let Some(at) = (!self.points.is_empty()).then(|| random.below(self.points.len() as u64) as usize) else {
            return;
        };
        self.points.truncate(at + 1);
        let (point, state, world) = self.points.last().expect("there is one").clone();
        assert!(self.heap.rewind_to(point));
        (self.state, self.world) = (state, world);
    }

    fn forget(&mut self, random: &mut Random) {
        let at = random.below(self.points.len() as u64 + 1) as usize;
        if let Some(&(point, ..)) = self.points.get(at) {
            let first = self.points.first().expect("there is one").0;
            self.heap.forget_before(point);
            assert_eq!(self.heap.changed_since(first).is_none(), at > 0);
            self.points.drain(..at);
        }
    }

    /// Whatever is different is among what is said to have changed.
    fn compare_changes(&self) {
        for (point, _, before) in &self.points {
            let changed = self.heap.changed_since(*point).expect("the point is kept");
            let mut is_any_older = false;
            for (table, place) in &self.places {
                let now = self.world.tables.get(*table);
                if before.tables.get(*table) != now {
                    assert!(changed.has(*place));
                    is_any_older |= before.tables.get(*table).is_some();
                }
            }
            assert!(!(is_any_older && changed.is_empty()));
        }
    }
}

trait Name {
    fn key_of_name(&self) -> Value;
}

impl Name for Heap {
    /// A short key, which needs no room.
    fn key_of_name(&self) -> Value {
        Heap::new(0).string(b"name")
    }
}

/// A run of steps; gives the snapshot after each.
fn run(seed: u64, steps: u64, collecting: Collecting, random: &mut Random) -> Vec<Vec<u8>> {
    let mut pair = Pair::new(seed);
    let mut snapshots = Vec::new();
    for _ in 0..steps {
        let before = (pair.state, pair.world.clone());
        let point = pair.heap.point();
        // Some steps change so much that repeated changes are looked for.
        let changes = match random.below(400) {
            0 => 6_000,
            1..40 => 150,
            _ => 12,
        };
        for _ in 0..random.below(changes) {
            pair.change(random);
        }
        if random.below(4) == 0 {
            assert!(pair.heap.rewind_to(point));
            (pair.state, pair.world) = before;
        }
        pair.heap.forget(point);
        pair.compare();
        pair.compare_changes();
        match random.below(12) {
            0 | 1 => pair.keep_point(),
            2 => pair.rewind(random),
            3 => pair.forget(random),
            _ => {}
        }
        // Drawn in every run, so that all see the same numbers.
        let chance = random.below(6);
        match (collecting, chance) {
            (Collecting::Young, _) | (Collecting::Sometimes, 0 | 1) => pair.collect(Extent::Young),
            (Collecting::All, _) | (Collecting::Sometimes, 2) => pair.collect(Extent::All),
            (Collecting::Sometimes, 3) => pair.heap.keep_all(),
            (Collecting::Never | Collecting::Sometimes, _) => {}
        }
        pair.compare();
        pair.compare_changes();
        snapshots.push(snapshot(&pair.heap, pair.state));
    }
    snapshots
}

#[test]
fn what_is_undone_never_happened_and_collecting_is_not_seen() {
    let cases = Run::new("what_is_undone_never_happened_and_collecting_is_not_seen", 60, 20_000);
    let mut random = Random::new(cases.seed);
    cases.each(|_| {
        let seed = random.next();
        let steps = 4 + random.below(30);
        let first = run(1, steps, Collecting::Never, &mut Random::new(seed));
        for (map_seed, collecting) in
            [(2, Collecting::Young), (1, Collecting::All), (3, Collecting::Sometimes), (2, Collecting::Never)]
        {
            assert_eq!(run(map_seed, steps, collecting, &mut Random::new(seed)), first, "{collecting:?} {seed}");
        }
    });
}
