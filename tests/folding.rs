//! Folds of generated operations: however they are cut, collected, gone back in or resumed, the same comes out.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kerai_tests::property::{Random, Run};
use kerai_vm::bytecode::{Limits, Program, Verified};
use kerai_vm::encoding::map::{EMPTY, Hash, Part, RowMap, row_key, row_value};
use kerai_vm::encoding::{Options, cbor};
use kerai_vm::execute::Row;
use kerai_vm::fold::Folding;
use kerai_vm::trap::{Trap, TrapCode};
use kerai_vm::value::Heap;
use std::collections::BTreeMap;

/// A fold whose operations are lists of commands that do to state whatever a program can do.
const COMMANDS: &str = r#"profile 1
kind fold
export init 0
export step 1
export finish 2
function parameters 0 registers 2
    table r0 r0 0
    table r1 r1 0
    set-field r0 r1 .a
    table r1 r1 0
    set-field r0 r1 .b
    call-builtin r1 0 1 list
    set-field r0 r1 .c
    table r1 r1 0
    set-field r0 r1 "a name that lies in the heap"
    return r0 1
function parameters 2 registers 16
    keys r2 r1
    integer r3 0
    jump @next
  @body:
    get-field r6 r5 .do
    get-field r7 r5 .at
    get-field r8 r5 .key
    get-field r9 r5 .value
    get r10 r0 r7
    constant r11 "set"
    if-equal r6 r11 @set
    constant r11 "link"
    if-equal r6 r11 @link
    constant r11 "new"
    if-equal r6 r11 @new
    constant r11 "list"
    if-equal r6 r11 @list
    constant r11 "write"
    if-equal r6 r11 @write
    constant r11 "function"
    if-equal r6 r11 @function
    constant r11 "fill"
    if-equal r6 r11 @fill
    constant r11 "copy"
    if-equal r6 r11 @copy
    constant r11 "state"
    if-equal r6 r11 @state
    raise r6
  @set:
    set r10 r8 r9
    jump @next
  @link:
    get r9 r0 r9
    set r10 r8 r9
    jump @next
  @new:
    table r9 r9 0
    set r0 r7 r9
    jump @next
  @list:
    call-builtin r9 0 1 list
    set r0 r7 r9
    jump @next
  @write:
    set r9 r8 r8
    jump @next
  @function:
    closure r9 r9 0 3
    set r10 r8 r9
    jump @next
  @fill:
    integer r12 1
    move r13 r9
    integer r14 1
    loop r12 @next
  @filling:
    length r9 r10
    add-integer r9 r9 1
    set r10 r9 r15
    again r12 @filling
    jump @next
  @copy:
    get r9 r10 r9
    set r10 r8 r9
    jump @next
  @state:
    return r10 1
  @next:
    each r2 r1 @body
    return r0 0
function parameters 1 registers 8
    keys r1 r0
    integer r2 0
    jump @next
  @body:
    nil r5
    set r0 r3 r5
    constant r5 "rows"
    move r6 r3
    call-builtin r4 1 1 count
    move r7 r4
    call-builtin r5 3 0 emit
    jump @next
  @next:
    each r1 r0 @body
    return r0 0
function parameters 0 registers 0
    return r0 0
"#;

fn program(text: &str) -> Verified {
    Program::from_text(text).and_then(Program::verify).unwrap()
}

/// A name of a table of the state, most often one that is there.
fn name(random: &mut Random) -> &'static str {
    const NAMES: &[&str] = &["a", "a", "b", "b", "c", "a name that lies in the heap"];
    let name: &&str = random.pick(NAMES);
    name
}

fn key(random: &mut Random) -> String {
    match random.below(6) {
        0..=2 => (random.below(6) + 1).to_string(),
        3 => format!("\"{}\"", name(random)),
        4 => format!("\"a key that lies in the heap {}\"", random.below(9)),
        _ => (*random.pick(&["true", "2.5", "123456789012345678901", "30"])).to_owned(),
    }
}

fn value(random: &mut Random, depth: u64) -> String {
    match random.below(if depth > 2 { 5 } else { 8 }) {
        0 | 1 => "null".to_owned(),
        2 => random.below(100).to_string(),
        3 => format!("\"a value that lies in the heap {}\"", random.below(1000)),
        4 => "-12345678901234567890.5".to_owned(),
        5 => format!("{{\"{}\":{},\"next\":{}}}", name(random), value(random, depth + 1), value(random, depth + 1)),
        6 => format!("[{},{}]", value(random, depth + 1), value(random, depth + 1)),
        _ => random.pick(&["{}", "[]"]).to_string(),
    }
}

fn command(random: &mut Random) -> String {
    let (verb, value) = match random.below(40) {
        0..=16 => ("set", value(random, 0)),
        17..=22 => ("link", format!("\"{}\"", name(random))),
        23..=25 => ("new", "null".to_owned()),
        26 | 27 => ("list", "null".to_owned()),
        28 | 29 => ("fill", (random.below(40)).to_string()),
        30..=34 => ("copy", key(random)),
        35 => ("write", "[1]".to_owned()),
        36 => ("function", "null".to_owned()),
        37 => ("state", "null".to_owned()),
        _ => ("error", "null".to_owned()),
    };
    format!("{{\"do\":\"{verb}\",\"at\":\"{}\",\"key\":{},\"value\":{value}}}", name(random), key(random))
}

fn operation(random: &mut Random) -> String {
    let count = 1 + random.below(6);
    let commands: Vec<String> = (0..count).map(|_| command(random)).collect();
    format!("[{}]", commands.join(","))
}

/// What a fold shows after an operation.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Seen {
    trap: Option<Trap>,
    gas: u64,
    snapshot: Vec<u8>,
}

fn fold(folding: &mut Folding<'_>, operation: &str) -> Seen {
    folding.offer_json(operation.as_bytes()).unwrap();
    step(folding)
}

fn step(folding: &mut Folding<'_>) -> Seen {
    let trap = folding.step().unwrap().err();
    Seen { trap, gas: folding.last_gas(), snapshot: folding.snapshot().unwrap() }
}

/// The fold as one who copies everything sees it: each operation by itself, from a snapshot, and what traps is undone
/// by not having been done.
fn reference(program: &Verified, operations: &[String]) -> Vec<Seen> {
    let mut before = Folding::new(program, 1, Limits::DEFAULT).unwrap().snapshot().unwrap();
    let one = |operation: &String| {
        let mut folding = Folding::resume(program, 1, Limits::DEFAULT, &before, 0).unwrap();
        let mut seen = fold(&mut folding, operation);
        if seen.trap.is_some() {
            assert_eq!(seen.snapshot, before);
            seen.snapshot.clone_from(&before);
        }
        before.clone_from(&seen.snapshot);
        seen
    };
    operations.iter().map(one).collect()
}

#[test]
fn folding_is_the_same_however_it_goes() {
    let program = program(COMMANDS);
    let run = Run::new("folding_is_the_same_however_it_goes", 300, 20_000);
    let mut random = Random::new(run.seed);
    let (mut codes, mut fine) = (BTreeMap::<&str, u64>::new(), 0);
    run.each(|_| {
        let count = 2 + random.below(30);
        let operations: Vec<String> = (0..count).map(|_| operation(&mut random)).collect();
        let expected = reference(&program, &operations);
        for seen in &expected {
            match seen.trap {
                Some(trap) => *codes.entry(trap.code.name()).or_default() += 1,
                None => fine += 1,
            }
        }
        for (seed, above) in [(1, usize::MAX), (2, 0), (3, 2000), (1, 300)] {
            let mut folding = Folding::new(&program, seed, Limits::DEFAULT).unwrap();
            folding.collect_above(above);
            let offered_before = random.below(2) == 0;
            if offered_before {
                operations.iter().for_each(|operation| folding.offer_json(operation.as_bytes()).unwrap());
            }
            for (operation, expected) in operations.iter().zip(&expected) {
                let seen = if offered_before { step(&mut folding) } else { fold(&mut folding, operation) };
                assert_eq!(&seen, expected);
            }
        }
    });
    println!("{fine} steps, and traps {codes:?}");
    for code in ["KIND", "READ_ONLY", "FUNCTION_IN_STATE", "RAISED"] {
        assert!(codes.contains_key(code), "no step trapped with {code}");
    }
}

#[test]
fn going_back_and_on_is_the_same() {
    let program = program(COMMANDS);
    let run = Run::new("going_back_and_on_is_the_same", 150, 20_000);
    let mut random = Random::new(run.seed);
    run.each(|_| {
        let mut folding = Folding::new(&program, random.next(), Limits::DEFAULT).unwrap();
        folding.collect_above(*random.pick(&[0, 500, 5000, usize::MAX]));
        let mut points = Vec::new();
        for _ in 0..40 {
            match random.below(10) {
                0 | 1 => points.push((folding.point(), folding.snapshot().unwrap(), folding.count())),
                2 if !points.is_empty() => {
                    points.truncate(random.below(points.len() as u64) as usize + 1);
                    let (point, snapshot, count) = points.last().unwrap();
                    assert!(folding.rewind_to(*point));
                    assert_eq!((&folding.snapshot().unwrap(), folding.count()), (snapshot, *count));
                }
                3 if !points.is_empty() => {
                    let from = random.below(points.len() as u64) as usize;
                    folding.forget_before(points.get(from).unwrap().0);
                    let gone = points.drain(..from).next();
                    assert!(gone.is_none_or(|gone| !folding.rewind_to(gone.0)));
                }
                4 => {
                    // What finish does to the state is undone, also where it traps.
                    let before = folding.snapshot().unwrap();
                    let _ = folding.finish();
                    assert_eq!(folding.snapshot().unwrap(), before);
                }
                _ => {
                    let operation = operation(&mut random);
                    let before = folding.snapshot().unwrap();
                    let mut other = Folding::resume(&program, 1, Limits::DEFAULT, &before, 0).unwrap();
                    assert_eq!(fold(&mut folding, &operation), fold(&mut other, &operation));
                }
            }
        }
    });
}

/// A snapshot with something else in it.
fn mutated(random: &mut Random, snapshot: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = snapshot.to_vec();
    for _ in 0..=random.below(2) {
        let at = random.below(bytes.len() as u64) as usize;
        match random.below(6) {
            0 => *bytes.get_mut(at).unwrap() ^= 1 << random.below(8),
            1 => *bytes.get_mut(at).unwrap() = random.next() as u8,
            2 => bytes.truncate(at + 1),
            3 => drop(bytes.remove(at)),
            4 => {
                let from = random.below(other.len() as u64) as usize;
                let part = other.iter().copied().skip(from).take(random.below(9) as usize);
                bytes.splice(at..at, part);
            }
            _ => bytes.insert(at, *random.pick(&[0x80, 0xa0, 0x00, 0x01, 0xf6, 0xd9])),
        }
        if bytes.is_empty() {
            bytes.push(0x81);
        }
    }
    bytes
}

#[test]
fn a_snapshot_is_refused_or_is_the_one_of_its_state() {
    let program = program(COMMANDS);
    let run = Run::new("a_snapshot_is_refused_or_is_the_one_of_its_state", 40, 4_000);
    let mut random = Random::new(run.seed);
    let (mut taken, mut refused) = (0, BTreeMap::<&str, u64>::new());
    run.each(|_| {
        let mut folding = Folding::new(&program, 1, Limits::DEFAULT).unwrap();
        let mut snapshots = Vec::new();
        for _ in 0..10 {
            fold(&mut folding, &operation(&mut random));
            snapshots.push(folding.snapshot().unwrap());
        }
        for _ in 0..200 {
            let (one, other) = (random.pick(&snapshots).clone(), random.pick(&snapshots).clone());
            let bytes = mutated(&mut random, &one, &other);
            let mut heap = Heap::new(1);
            match cbor::decode_snapshot(&mut heap, &bytes, &Options::STATE) {
                Ok(state) => {
                    let mut again = Vec::new();
                    cbor::encode_snapshot(&heap, state, &Options::STATE, &mut again).unwrap();
                    assert_eq!(again, bytes);
                    taken += 1;
                    let mut folding = Folding::resume(&program, 2, Limits::DEFAULT, &bytes, 0).unwrap();
                    fold(&mut folding, &operation(&mut random));
                }
                Err(refusal) => {
                    assert!(refusal.at.offset <= bytes.len());
                    assert_eq!(heap.size(), 0);
                    *refused.entry(refusal.code.name()).or_default() += 1;
                }
            }
        }
    });
    println!("{taken} taken, and refused {refused:?}");
    assert!(taken > 0 && refused.contains_key("STATE_FORM"));
}

fn path_and_key(row: &Row) -> Vec<Vec<u8>> {
    let mut heap = Heap::new(1);
    let key = cbor::decode(&mut heap, &row.key, &Options::CANONICAL).unwrap();
    heap.items(key).unwrap().iter().map(|text| heap.as_string(text).unwrap().to_vec()).collect()
}

#[test]
fn rows_are_sorted_and_their_root_is_theirs_alone() {
    let program = program(COMMANDS);
    let run = Run::new("rows_are_sorted_and_their_root_is_theirs_alone", 100, 5_000);
    let mut random = Random::new(run.seed);
    let mut changed = 0;
    run.each(|_| {
        let mut folding = Folding::new(&program, 1, Limits::DEFAULT).unwrap();
        let mut known: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for _ in 0..12 {
            fold(&mut folding, &operation(&mut random));
            let last = (folding.rows().state_root(), folding.rows().as_of());
            let Ok(changes) = folding.finish() else {
                assert_eq!((folding.rows().state_root(), folding.rows().as_of()), last);
                continue;
            };
            changed += changes.put.len();
            for row in changes.put {
                assert_ne!(known.insert(row.key, row.value.clone()), Some(row.value));
            }
            changes.removed.iter().for_each(|key| assert!(known.remove(key).is_some()));
            let rows = folding.rows().sorted();
            assert!(rows.iter().all(|row| known.get(&row.key) == Some(&row.value)) && rows.len() == known.len());
            assert!(rows.iter().zip(rows.iter().skip(1)).all(|(a, b)| path_and_key(a) < path_and_key(b)));
            let mut entries: Vec<(Hash, Hash)> =
                rows.iter().map(|row| (row_key(&row.key), row_value(&row.value))).collect();
            entries.sort_unstable();
            assert_eq!(folding.rows().state_root().bytes(), &Part::of_sorted(&entries, 0).hash());
        }
    });
    assert!(changed > 0);
}

/// How the folds begin that emit whole tables, and how they end.
fn emitting() -> Verified {
    let (commands, _) = COMMANDS.rsplit_once("function parameters 1 registers 8").unwrap();
    program(&format!(
        "{commands}{}",
        r#"function parameters 1 registers 4
    constant r1 "of a"
    get-field r2 r0 .a
    call-builtin r1 2 0 emit_json_canonical
    constant r1 "of b"
    get-field r2 r0 .b
    call-builtin r1 2 0 emit_json_canonical
    constant r1 "of c"
    get-field r2 r0 .c
    call-builtin r1 2 0 emit_json_canonical
    constant r1 "count"
    constant r2 ""
    move r3 r0
    call-builtin r3 1 1 count
    call-builtin r1 3 0 emit
    return r0 0
function parameters 0 registers 0
    return r0 0
"#
    ))
}

/// A command on one of few entries, whose keys are most often texts.
fn small_command(random: &mut Random) -> String {
    let key = match random.below(40) {
        0 => "7".to_owned(),
        1 => "\"7\"".to_owned(),
        2 => "\"\u{e4}\"".to_owned(),
        3..=9 => format!("\"{}\"", name(random)),
        _ => format!("\"a key that lies in the heap {}\"", random.below(9)),
    };
    let (verb, value) = match random.below(20) {
        0..=12 => ("set", value(random, 0)),
        13..=15 => ("copy", format!("\"a key that lies in the heap {}\"", random.below(9))),
        16 => ("link", "\"c\"".to_owned()),
        17 => ("new", "null".to_owned()),
        18 => ("error", "null".to_owned()),
        _ => ("link", format!("\"{}\"", name(random))),
    };
    format!("{{\"do\":\"{verb}\",\"at\":\"{}\",\"key\":{key},\"value\":{value}}}", random.pick(&["a", "a", "b", "c"]))
}

#[test]
fn finishing_what_changed_is_finishing_everything() {
    let program = emitting();
    let run = Run::new("finishing_what_changed_is_finishing_everything", 200, 20_000);
    let mut random = Random::new(run.seed);
    let (mut in_part, mut traps) = (0, BTreeMap::<&str, u64>::new());
    run.each(|_| {
        let limits = *random.pick(&[
            Limits::DEFAULT,
            Limits::DEFAULT,
            Limits { gas: 2500, ..Limits::DEFAULT },
            Limits { output: 700, ..Limits::DEFAULT },
        ]);
        let mut folding = Folding::new(&program, random.next(), limits).unwrap();
        folding.collect_above(*random.pick(&[0, 500, 5000, usize::MAX]));
        let mut known: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let mut points = Vec::new();
        for _ in 0..30 {
            match random.below(20) {
                0 => points.push(folding.point()),
                1 if !points.is_empty() => {
                    points.truncate(random.below(points.len() as u64) as usize + 1);
                    assert!(folding.rewind_to(*points.last().unwrap()));
                }
                2 if !points.is_empty() => {
                    let from = random.below(points.len() as u64) as usize;
                    folding.forget_before(*points.get(from).unwrap());
                    points.drain(..from);
                }
                _ => {}
            }
            let commands: Vec<String> = (0..random.below(4)).map(|_| small_command(&mut random)).collect();
            fold(&mut folding, &format!("[{}]", commands.join(",")));
            let snapshot = folding.snapshot().unwrap();
            let mut other = Folding::resume(&program, 1, limits, &snapshot, folding.count()).unwrap();
            let expected = other.finish_plainly().err();
            let is_in_part = folding.is_incremental();
            let changes = folding.finish();
            assert_eq!(folding.snapshot().unwrap(), snapshot);
            assert_eq!((changes.as_ref().err(), folding.last_gas()), (expected.as_ref(), other.last_gas()));
            match changes {
                Err(trap) => *traps.entry(trap.code.name()).or_default() += 1,
                Ok(changes) => {
                    in_part += u64::from(is_in_part && folding.is_incremental());
                    for row in changes.put {
                        assert_ne!(known.insert(row.key, row.value.clone()), Some(row.value));
                    }
                    changes.removed.iter().for_each(|key| assert!(known.remove(key).is_some()));
                    assert_eq!(folding.rows().sorted(), other.rows().sorted());
                    assert_eq!(folding.rows().state_root(), other.rows().state_root());
                    assert!(folding.rows().sorted().iter().all(|row| known.get(&row.key) == Some(&row.value)));
                    assert_eq!(folding.rows().sorted().len(), known.len());
                }
            }
        }
    });
    println!("{in_part} finished in part, and traps {traps:?}");
    assert!(in_part > 100);
    for code in ["GAS", "OUTPUT", "TEXT", "EMITTED_TWICE"] {
        assert!(traps.contains_key(code), "no finish trapped with {code}");
    }
}

/// A key that shares many bits with others.
fn near_key(random: &mut Random) -> Hash {
    let mut key = [0; 32];
    for _ in 0..random.below(4) {
        let bit = random.below(256) as usize;
        *key.get_mut(bit / 8).unwrap() ^= 1 << (bit % 8);
    }
    key
}

#[test]
fn the_map_of_rows_depends_on_what_it_holds_and_proves_it() {
    let run = Run::new("the_map_of_rows_depends_on_what_it_holds_and_proves_it", 300, 20_000);
    let mut random = Random::new(run.seed);
    run.each(|_| {
        let (mut map, mut model) = (RowMap::default(), BTreeMap::<Hash, Hash>::new());
        assert_eq!(map.root(), EMPTY);
        for _ in 0..random.below(60) {
            let key = near_key(&mut random);
            if random.below(3) == 0 {
                assert_eq!(map.remove(&key), model.remove(&key).is_some());
            } else {
                let value = near_key(&mut random);
                map.put(key, value);
                model.insert(key, value);
            }
            assert_eq!(map.count(), model.len());
            if random.below(4) == 0 {
                map.root();
            }
        }
        let entries: Vec<(Hash, Hash)> = model.iter().map(|(key, value)| (*key, *value)).collect();
        let root = map.root();
        assert_eq!(root, Part::of_sorted(&entries, 0).hash());
        // Halves that were made apart come to the same.
        let middle = entries.partition_point(|entry| entry.0[0] < 128);
        let (left, right) = entries.split_at(middle);
        assert_eq!(root, Part::join(Part::of_sorted(left, 1), Part::of_sorted(right, 1)).hash());
        for _ in 0..20 {
            let key = near_key(&mut random);
            let proof = map.prove(&key);
            let held = model.get(&key);
            assert!(proof.shows(&root, &key, held));
            let other = near_key(&mut random);
            assert_eq!(proof.shows(&root, &key, Some(&other)), held == Some(&other));
            assert_eq!(proof.shows(&root, &key, None), held.is_none());
            // What it shows of another key is true as well.
            assert!(!proof.shows(&root, &other, None) || !model.contains_key(&other));
            let mut bent = proof.clone();
            bent.others.push(EMPTY);
            assert!(!bent.shows(&root, &key, held));
            if let Some(first) = bent.others.first_mut() {
                first[0] ^= 1;
                bent.others.pop();
            }
            assert!(bent.others.is_empty() || bent == proof || !bent.shows(&root, &key, held));
        }
    });
}

#[test]
fn a_trap_is_where_it_is_said_to_be() {
    let program = program(COMMANDS);
    let mut folding = Folding::new(&program, 1, Limits::DEFAULT).unwrap();
    let seen = fold(&mut folding, r#"[{"do":"set","at":"a","key":1,"value":2},{"do":"error","at":"a","key":1}]"#);
    assert_eq!(seen.trap.map(|trap| (trap.code, trap.function)), Some((TrapCode::RAISED, 1)));
    assert_eq!(folding.count(), 1);
    let limits = Limits { gas: 200, ..Limits::DEFAULT };
    let mut folding = Folding::new(&program, 1, limits).unwrap();
    let before = folding.snapshot().unwrap();
    let seen = fold(&mut folding, r#"[{"do":"fill","at":"a","value":1000}]"#);
    assert_eq!(seen.snapshot, before);
    assert_eq!(seen.trap.map(|trap| trap.code), Some(TrapCode::GAS));
}

/// A fold that makes much and keeps little.
#[test]
fn a_long_fold_takes_as_much_room_as_its_state() {
    let program = program(COMMANDS);
    let mut folding = Folding::new(&program, 1, Limits::DEFAULT).unwrap();
    folding.collect_above(1 << 16);
    let mut most = 0;
    for number in 0..20_000 {
        let text = format!("a value that is replaced again and again, at last by {number}");
        let value = format!(r#"{{"text":"{text}","list":[1,2,3,{{"deep":"{text}"}}]}}"#);
        let at = number % 7 + 1;
        let trap = if number % 3 == 0 { r#",{"do":"error","at":"a","key":1}"# } else { "" };
        fold_quietly(&mut folding, &format!(r#"[{{"do":"set","at":"b","key":{at},"value":{value}}}{trap}]"#));
        most = most.max(folding.state().0.size());
    }
    assert!(most < 1 << 19, "{most}");
    // What waits is alive, and is let go of when it is folded.
    for number in 0..5_000 {
        folding
            .offer_json(format!(r#"[{{"do":"set","at":"b","key":1,"value":[{number},[],{{}}]}}]"#).as_bytes())
            .unwrap();
    }
    assert!(folding.state().0.size() > 1 << 19);
    while folding.step().is_some() {}
    for _ in 0..5_000 {
        fold_quietly(&mut folding, r#"[{"do":"set","at":"b","key":1,"value":[]}]"#);
    }
    assert!(folding.state().0.size() < 1 << 21, "{}", folding.state().0.size());
}

/// Operations that wait are looked at before their steps, for what these will ask for. Whatever stands where a key stood
/// in others, nothing comes of it.
#[test]
fn operations_that_wait_come_to_the_same() {
    let program = program(
        "profile 1
kind fold
export init 0
export step 1
export finish 0
function parameters 0 registers 1
    table r0 r0 0
    return r0 1
function parameters 2 registers 6
    get-field r2 r1 .at
    get-field r2 r2 .key
    get r3 r0 r2
    unless r3 @new
  @there:
    get-field r4 r1 .value
    set-field r3 r4 .value
    return r0 0
  @new:
    set r0 r2 r1
    return r0 0
",
    );
    let mut random = Random::new(7);
    let operation = |random: &mut Random| {
        let key = random.below(20_000);
        let number = random.below(1000);
        match random.below(40) {
            0 => format!(r#"{{"at":[{key}],"value":{number}}}"#),
            1 => format!(r#"{{"at":{number}}}"#),
            2 => "[]".to_owned(),
            3 => format!(r#"{{"at":{{"key":{number},"other":"k{key}"}},"value":[{key}]}}"#),
            4 => format!(r#"{{"at":{{"key":["k{key}"]}}}}"#),
            5 => format!(r#"{{"at":{{"key":"a long name that is kept apart {key}"}},"value":{number}}}"#),
            6 => format!(r#"{{"a":0,"at":{{"b":1,"key":"k{key}"}},"value":{{"deep":{number}}}}}"#),
            _ => format!(r#"{{"at":{{"key":"k{key}"}},"value":{number}}}"#),
        }
    };
    let operations: Vec<String> = (0..60_000).map(|_| operation(&mut random)).collect();
    let mut waiting = Folding::new(&program, 1, Limits::DEFAULT).unwrap();
    let mut one_by_one = Folding::new(&program, 2, Limits::DEFAULT).unwrap();
    for some in operations.chunks(7000) {
        some.iter().for_each(|operation| waiting.offer_json(operation.as_bytes()).unwrap());
        for operation in some {
            one_by_one.offer_json(operation.as_bytes()).unwrap();
            assert_eq!(waiting.step(), one_by_one.step());
        }
        assert_eq!((waiting.gas(), waiting.snapshot().unwrap()), (one_by_one.gas(), one_by_one.snapshot().unwrap()));
    }
    assert!(waiting.state().0.count(waiting.state().1).unwrap() > 10_000);
}

/// A point that is kept costs what has changed since, however often; one that is forgotten nothing.
#[test]
fn a_point_takes_as_much_room_as_what_is_different() {
    let program = program(COMMANDS);
    let mut folding = Folding::new(&program, 1, Limits::DEFAULT).unwrap();
    folding.collect_above(1 << 16);
    let point = folding.point();
    let before = folding.snapshot().unwrap();
    for number in 0..100_000 {
        let at = number % 5 + 1;
        fold_quietly(&mut folding, &format!(r#"[{{"do":"set","at":"b","key":{at},"value":{number}}}]"#));
    }
    assert!(folding.state().0.size() < 1 << 20, "{}", folding.state().0.size());
    assert!(folding.rewind_to(point));
    assert_eq!(folding.snapshot().unwrap(), before);
}

/// One step that writes over and over keeps one change of each key.
#[test]
fn a_step_takes_as_much_room_as_what_is_different() {
    let program = program(
        "profile 1
kind fold
export init 0
export step 1
export finish 0
function parameters 0 registers 1
    table r0 r0 0
    return r0 1
function parameters 2 registers 6
    integer r2 1
    move r3 r1
    integer r4 1
    loop r2 @end
  @body:
    set-field r0 r5 .last
    again r2 @body
  @end:
    divide r5 r0 r1
    return r0 0
",
    );
    let mut folding = Folding::new(&program, 1, Limits::DEFAULT).unwrap();
    let before = folding.snapshot().unwrap();
    assert_eq!(fold(&mut folding, "2000000").trap.map(|trap| trap.code), Some(TrapCode::KIND));
    assert_eq!(folding.snapshot().unwrap(), before);
    assert!(folding.state().0.size() < 1 << 21, "{}", folding.state().0.size());
}

fn fold_quietly(folding: &mut Folding<'_>, operation: &str) {
    folding.offer_json(operation.as_bytes()).unwrap();
    let _ = folding.step().unwrap();
}
