//! Every lattice of the table: shuffled, repeated and split operations come to one state and one root.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use super::program;
use kerai_compiler::Language;
use kerai_tests::property::{Random, Run};
use kerai_vm::bytecode::{Limits, Verified};
use kerai_vm::encoding::{Options, cbor};
use kerai_vm::execute::Machine;
use kerai_vm::fold::Folding;

/// A kind and the rest of its reducer.
pub const KINDS: &[(&str, &str)] = &[
    ("lww", "value: $.n"),
    ("lww", ""),
    ("min", "value: $.n"),
    ("max", "value: $.n"),
    ("g-set", "value: \"$.tags[*]\""),
    ("g-set", "value: $.key"),
    ("2p-set", "value: $.key, remove: $.gone"),
    ("or-set", "value: $.key, remove: $.gone, adds: $.seen"),
    ("g-counter", "value: $.n"),
    ("pn-counter", "value: $.n"),
    ("mv-register", "value: $.n, adds: $.seen"),
    ("flag-enable-wins", "value: $.on, adds: $.seen"),
    ("flag-disable-wins", "value: $.on, adds: $.seen"),
    ("map-join-lww", "key: $.key"),
    ("map-join-max", "key: $.key, value: $.n"),
    ("map-join-or-set", "key: $.key, value: $.gone, remove: $.gone, adds: $.seen"),
    ("map-join-pn-counter", "key: $.key, value: $.n"),
    ("map-join-map-join-min", "key: [$.key, $.gone], value: $.n"),
    ("lexicographic", "fields: [{path: $.n, kind: max}, {path: $.key, kind: lww}, {path: \"$.tags[*]\", kind: g-set}]"),
    ("map-join-lexicographic", "key: $.key, fields: [{path: $.on, kind: min}, {path: $.n, kind: pn-counter}]"),
    (
        "map-join-product",
        "key: $.key, fields: [{path: $.n, kind: pn-counter}, {path: $.on, kind: lww}, {path: \"$.tags[*]\", kind: g-set}, \
         {path: $.seen, kind: max}]",
    ),
];

/// A fold with one reducer, whole or in parts by a key.
pub fn document(kind: &str, more: &str, has_key: bool) -> String {
    let separator = if more.is_empty() { "" } else { ", " };
    let key = if has_key { "key: $.key\n" } else { "" };
    format!(
        "version: 1\n{key}inputs: [\"ns/**\"]\nreducers:\n  - {{kind: {kind}{separator}{more}}}\nemit:\n  - path: out\n"
    )
}

/// Every kind, whole and in parts.
pub fn documents() -> Vec<(&'static str, String)> {
    let each = |has_key| KINDS.iter().map(move |(kind, more)| (*kind, document(kind, more, has_key)));
    each(false).chain(each(true)).collect()
}

/// Operations of few authors, each with a count of its own, that often meet in keys and ULIDs and name each other.
fn operations(random: &mut Random, count: u64) -> Vec<String> {
    let mut counts = [0; 3];
    let mut made = Vec::new();
    for _ in 0..count {
        let author = random.below(3) as usize;
        counts[author] += 1;
        let seq = counts[author];
        let ulid = |number: u64| format!("01HZ{number:022}");
        let mut fields = Vec::new();
        let mut field = |random: &mut Random, name: &str, value: String| {
            if random.below(4) != 0 {
                fields.push(format!("\"{name}\":{value}"));
            }
        };
        let (n, half) = (random.below(40) as i64 - 10, if random.below(3) == 0 { ".5" } else { "" });
        let key = *random.pick(&["\"a\"", "\"b\"", "7", "true", "\"7\""]);
        let (on, gone) = (random.below(2) == 0, *random.pick(&["\"a\"", "\"b\"", "\"c\""]));
        let seen: Vec<String> = (0..random.below(4)).map(|_| format!("\"{}\"", ulid(random.below(count)))).collect();
        let tags: Vec<String> = (0..random.below(4)).map(|_| random.below(20).to_string()).collect();
        field(random, "n", format!("{n}{half}"));
        field(random, "key", key.to_owned());
        field(random, "on", on.to_string());
        field(random, "gone", gone.to_owned());
        field(random, "seen", format!("[{}]", seen.join(",")));
        field(random, "tags", format!("[{}]", tags.join(",")));
        let path = if random.below(10) == 0 { "elsewhere" } else { "ns/p" };
        made.push(format!(
            "{{\"ulid\":\"{}\",\"type\":\"t\",\"author\":\"k{author}\",\"seq\":{seq},\"resource\":\"gatos://r/{path}\",\"payload\":{{{}}}}}",
            ulid(random.below(count)),
            fields.join(",")
        ));
    }
    made
}

fn shuffled<'o>(random: &mut Random, operations: &[&'o str]) -> Vec<&'o str> {
    let mut shuffled = operations.to_vec();
    for place in (1..shuffled.len()).rev() {
        shuffled.swap(place, random.below(place as u64 + 1) as usize);
    }
    shuffled
}

/// The state after some operations: its canonical bytes as a value, and the root of its rows.
fn folded(program: &Verified, operations: &[&str]) -> (Vec<u8>, String) {
    let mut folding = Folding::new(program, 1, Limits::DEFAULT).expect("a fold begins");
    for operation in operations {
        folding.offer_json(operation.as_bytes()).unwrap_or_else(|refusal| panic!("{refusal}: {operation}"));
        if let Some(Err(trap)) = folding.step() {
            panic!("{trap}: {operation}");
        }
    }
    rooted(folding)
}

fn rooted(mut folding: Folding<'_>) -> (Vec<u8>, String) {
    folding.finish().unwrap_or_else(|trap| panic!("finish: {trap}"));
    let root = folding.rows().state_root().to_string();
    let (heap, state) = folding.state();
    let mut bytes = Vec::new();
    cbor::encode(heap, state, &Options::SNAPSHOT, &mut bytes).expect("a state has an encoding");
    (bytes, root)
}

/// The join of two states.
fn joined(program: &Verified, a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut machine = Machine::new(program, 2, Limits::DEFAULT);
    let mut decode =
        |bytes: &[u8]| cbor::decode(machine.heap(), bytes, &Options::SNAPSHOT).expect("a state is decoded");
    let (a, b) = (decode(a), decode(b));
    let results = machine.call("join", &[a, b]).expect("a join").unwrap_or_else(|trap| panic!("join: {trap}"));
    let mut bytes = Vec::new();
    cbor::encode(machine.values(), results[0], &Options::SNAPSHOT, &mut bytes).expect("a state has an encoding");
    bytes
}

#[test]
fn any_order_and_any_parts_come_to_one_state() {
    let documents = documents().into_iter();
    let programs: Vec<(&str, Verified)> =
        documents.map(|(kind, text)| (kind, program(Language::Yaml, &text))).collect();
    // Each case folds about 2.5 times as many operations as it has: over a million with `KERAI_LONG=1`.
    let run = Run::new("merging", programs.len() as u64, 420);
    let mut random = Random::new(run.seed);
    run.each(|number| {
        let (kind, program) = &programs[number as usize % programs.len()];
        let count = 20 + random.below(1000);
        let made = operations(&mut random, count);
        let all: Vec<&str> = made.iter().map(String::as_str).collect();
        let expected = folded(program, &all);
        // In another order, with repeats.
        let mut repeated = all.clone();
        (0..count / 4).for_each(|_| repeated.push(all[random.below(count) as usize]));
        assert_eq!(folded(program, &shuffled(&mut random, &repeated)), expected, "{kind}");
        // In two parts that share some, each part a prefix of every author's operations or of none.
        let cuts = [random.below(count), random.below(count)];
        let parts = cuts.map(|cut| all.iter().take(cut as usize).copied().collect::<Vec<_>>());
        let mut rest: Vec<&str> = all.iter().skip(cuts[0].min(cuts[1]) as usize).copied().collect();
        rest = shuffled(&mut random, &rest);
        for part in parts {
            let (a, b) = (folded(program, &shuffled(&mut random, &part)).0, folded(program, &rest).0);
            let union: Vec<&str> = part.iter().chain(&rest).copied().collect();
            let whole = folded(program, &union).0;
            assert_eq!(joined(program, &a, &b), whole, "{kind}: joined");
            assert_eq!(joined(program, &b, &a), whole, "{kind}: joined the other way");
        }
    });
}
