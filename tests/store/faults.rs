//! Planted faults: every class with the place where it must be found, and no alarm where nothing was planted.
//!
//! `KERAI_LONG=1` plants ten thousand of them in packs of a hundred logs, and looks at a thousand clean ones.

use crate::certified;
use crate::desk::{Numbers, Place, STREAM, draft, host_of, key, run, signers, stock, stocked};
use kerai_store::Store;
use kerai_store::audit::Ask;
use kerai_store::checkpoint::{Checkpoint, SignedCheckpoint};
use kerai_store::document::Hash;
use kerai_store::log::{LogTree, Outcome, Record};
use kerai_store::op::{Draft, Op, SignedOp};
use kerai_store::pack::{self, PackReader, PackWriter, Part, Wish};
use kerai_store::program::Stored;
use kerai_store::verify::{Divergence, Verification};
use kerai_vm::encoding::root::Root;
use std::fs;
use std::path::{Path, PathBuf};

pub fn is_long() -> bool {
    std::env::var_os("KERAI_LONG").is_some()
}

fn seed() -> u64 {
    std::env::var("KERAI_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_261_121)
}

/// The example's fold with another path: other rows, another root.
fn other_fold() -> Stored {
    let text = include_str!("../../examples/stock/folds/latest.asm").replace("\"stock\"", "\"shelf\"");
    Stored::from_assembly(&text).expect("a fold")
}

fn generated(numbers: &mut Numbers, number: u64) -> Draft {
    let late = if numbers.below(5) == 0 { numbers.below(number * 8 + 1) } else { 0 };
    let ulid = 1 + number * 8 + numbers.below(8) - late.min(number * 8);
    match numbers.below(10) {
        0 => Draft { actor: Some("guest".into()), ..stock(ulid, "theirs", 1) },
        1 => draft(ulid, "\"payload\":{\"item\":[\"no key\"]}"),
        _ => stock(ulid, &format!("item {}", numbers.below(5)), numbers.below(100)),
    }
}

/// A stream that grew: ops of two actors, in order and late, denied ones and poison, several checkpoints, at times
/// another fold.
pub async fn grown(place: &Place, seed: u64, rounds: u64) -> Store {
    let mut numbers = Numbers::from(seed);
    let mut store = stocked(place, host_of(seed, crate::desk::NOW, |_| ())).await;
    for round in 0..rounds {
        let count = 2 + numbers.below(5);
        let drafts: Vec<Draft> = (0..count).map(|op| generated(&mut numbers, round * 7 + op)).collect();
        store.append(STREAM, &signers(), &drafts).await.expect("appended");
        if round == 1 {
            let fold = match seed % 3 {
                0 => other_fold(),
                1 => certified::composed(),
                _ => certified::tried(),
            };
            store.bind(STREAM, &signers(), Some(&fold), None, None).await.expect("bound");
        }
        store.materialize(STREAM, &key("keeper")).await.expect("materialized");
    }
    store
}

/// A pack in parts.
pub struct Parts {
    file: PathBuf,
    pub bytes: Vec<u8>,
    /// The byte at which each part begins.
    pub at: Vec<u64>,
    pub parts: Vec<Part>,
}

pub fn parts_of(bytes: &[u8]) -> (Vec<u64>, Vec<Part>) {
    let mut reader = PackReader::new(bytes).expect("a pack");
    std::iter::from_fn(|| reader.read().expect("a part")).unzip()
}

pub fn written(parts: &[Part]) -> Vec<u8> {
    let Some(Part::Header(header)) = parts.first() else { panic!("a header comes first") };
    let mut writer = PackWriter::new(Vec::new(), header).expect("written");
    for part in parts {
        match part {
            Part::Header(_) | Part::End(_) => Ok(()),
            Part::Program(bytes) => writer.program(bytes),
            Part::Source(source) => writer.source(source),
            Part::Op { record, signed } => writer.op(record, signed),
            Part::HiddenOp { record, hidden } => writer.hidden_op(record, hidden),
            Part::PrunedOp { record, left } => writer.pruned_op(record, left),
            Part::Checkpoint(signed) => writer.checkpoint(signed),
            Part::Snapshot(snapshot) => writer.snapshot(snapshot),
            Part::Row(key, value) => writer.row(key, value),
            Part::Proof(file) => writer.proof(file),
        }
        .expect("written");
    }
    writer.finish().expect("written").0
}

impl Parts {
    pub async fn of(store: &mut Store, place: &Place, wish: &Wish) -> Parts {
        let (bytes, _) = store.pack(STREAM, wish, Vec::new(), &mut |_, _| ()).await.expect("packed");
        let (at, parts) = parts_of(&bytes);
        assert_eq!(written(&parts), bytes, "a pack has one form");
        Parts { file: place.path().join("evidence.pack"), bytes, at, parts }
    }

    pub fn verify(&self, bytes: &[u8], ask: &Ask) -> Verification {
        fs::write(&self.file, bytes).expect("written");
        pack::verify(&self.file, ask, &mut |_, _| ()).expect("an answer").1
    }

    /// The numbers of the parts that something is planted in.
    pub fn those(&self, is_one: impl Fn(&Part) -> bool) -> Vec<usize> {
        (0..self.parts.len()).filter(|&number| self.parts.get(number).is_some_and(&is_one)).collect()
    }

    /// The position of the op at a part, or that the part stands behind.
    pub fn position(&self, number: usize) -> u64 {
        self.parts.iter().take(number + 1).filter(|part| matches!(part, Part::Op { .. })).count() as u64
    }

    /// The position of the first op that names a program.
    pub fn named(&self, root: &Hash) -> u64 {
        let root = kerai_store::document::program_text(root);
        let names = |part: &Part| {
            let Part::Op { signed, .. } = part else { return false };
            signed.payload.windows(root.len()).any(|window| window == root.as_bytes())
        };
        self.position(*self.those(names).first().expect("an op that binds it"))
    }
}

/// Where a fault must be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Where {
    Op(u64),
    /// The checkpoint of so many records, and the root or what else of it is named.
    Interval(u64, &'static str),
    Row(Vec<u8>),
    /// At the part that begins at this byte of the file.
    Byte(u64),
}

fn is_there(found: &Divergence, place: &Where) -> bool {
    match place {
        Where::Op(position) => found.op == Some(*position),
        Where::Interval(count, what) => {
            found.interval.is_some_and(|interval| interval.1 == *count) && found.what.contains(what)
        }
        Where::Row(key) => found.keys.iter().any(|differing| differing.key == *key),
        Where::Byte(at) => found.computed.contains(&format!("byte {at}: ")),
    }
}

pub fn pick<T: Copy>(numbers: &mut Numbers, all: &[T]) -> T {
    *all.get(numbers.below(all.len() as u64) as usize).expect("one of them")
}

pub fn flipped(bytes: &mut [u8], numbers: &mut Numbers) {
    let bit = numbers.below(bytes.len() as u64 * 8) as usize;
    if let Some(byte) = bytes.get_mut(bit / 8) {
        *byte ^= 1 << (bit % 8);
    }
}

/// Signs every checkpoint behind changed records again, with heads that fit: whoever holds the key can.
fn resigned(parts: &mut [Part]) {
    let mut tree = LogTree::default();
    for part in parts {
        if let Part::Op { record, .. } = part {
            tree.push(record);
        } else if let Part::Checkpoint(signed) = part {
            let checkpoint = Checkpoint::decode(&signed.body).expect("a checkpoint");
            let checkpoint = Checkpoint { log_head: tree.head(), ..checkpoint };
            *signed = checkpoint.sign(&key("keeper")).expect("signed");
        }
    }
}

pub type Plant = fn(&Parts, &mut Numbers) -> Option<(Vec<Part>, Where)>;

/// Changes the op at one of the parts.
fn in_op(base: &Parts, numbers: &mut Numbers, change: impl Fn(&mut SignedOp, &mut Numbers)) -> (Vec<Part>, Where) {
    let mut parts = base.parts.clone();
    let number = pick(numbers, &base.those(|part| matches!(part, Part::Op { .. })));
    if let Some(Part::Op { signed, .. }) = parts.get_mut(number) {
        change(signed, numbers);
    }
    (parts, Where::Op(base.position(number)))
}

fn in_record(base: &Parts, numbers: &mut Numbers, change: impl Fn(&mut Record, &mut Numbers)) -> (Vec<Part>, Where) {
    let mut parts = base.parts.clone();
    let number = pick(numbers, &base.those(|part| matches!(part, Part::Op { .. })));
    if let Some(Part::Op { record: bytes, .. }) = parts.get_mut(number) {
        let mut record = Record::decode(bytes).expect("a record");
        let before = record.clone();
        change(&mut record, numbers);
        assert_ne!(record, before);
        *bytes = record.encode().expect("bytes");
        if record.position == 1 && record.received != before.received {
            // When the log began only the log says: what comes next can't have come earlier.
            return (parts, Where::Op(2));
        }
    }
    (parts, Where::Op(base.position(number)))
}

fn lie(record: &mut Record, numbers: &mut Numbers) {
    match numbers.below(6) {
        0 => record.outcome = if record.outcome == Outcome::Denied { Outcome::Admitted } else { Outcome::Denied },
        1 => record.rules.push("zealous".into()),
        2 => record.input = Some([7; 32]),
        3 => record.received += 1,
        4 => record.governance += 1,
        _ => record.op = [9; 32],
    }
}

fn in_checkpoint(
    base: &Parts,
    numbers: &mut Numbers,
    change: impl Fn(&mut Checkpoint, &mut Numbers) -> &'static str,
) -> Option<(Vec<Part>, Where)> {
    let mut parts = base.parts.clone();
    let number = pick(numbers, &base.those(|part| matches!(part, Part::Checkpoint(_))));
    let Some(Part::Checkpoint(signed)) = parts.get_mut(number) else { return None };
    let mut checkpoint = Checkpoint::decode(&signed.body).expect("a checkpoint");
    let count = checkpoint.count;
    let what = change(&mut checkpoint, numbers);
    *signed = checkpoint.sign(&key("keeper")).expect("signed");
    Some((parts, Where::Interval(count, what)))
}

fn root(checkpoint: &mut Checkpoint, numbers: &mut Numbers) -> &'static str {
    let all: [(&mut Hash, &'static str); 8] = [
        (&mut checkpoint.stream, "stream"),
        (&mut checkpoint.log_head, "log_head"),
        (&mut checkpoint.inputs_root, "inputs_root"),
        (&mut checkpoint.fold_root, "fold_root"),
        (&mut checkpoint.policy_root, "policy_root"),
        (&mut checkpoint.governance_root, "governance_root"),
        (&mut checkpoint.state_root, "state_root"),
        (&mut checkpoint.snapshot_root, "snapshot_root"),
    ];
    let chosen = numbers.below(8) as usize;
    let (hash, name) = all.into_iter().nth(chosen).expect("one of them");
    flipped(hash, numbers);
    name
}

/// Each class of faults: its name, and how one is planted.
const CLASSES: &[(&str, Plant)] = &[
    ("op: its signature", |base, numbers| {
        Some(in_op(base, numbers, |op, numbers| flipped(&mut op.signature, numbers)))
    }),
    ("op: its body", |base, numbers| Some(in_op(base, numbers, |op, numbers| flipped(&mut op.body, numbers)))),
    ("op: its payload", |base, numbers| Some(in_op(base, numbers, |op, numbers| flipped(&mut op.payload, numbers)))),
    ("op: its salts", |base, numbers| {
        Some(in_op(base, numbers, |op, numbers| {
            let mut salts = op.salts.bytes().to_vec();
            flipped(&mut salts, numbers);
            op.salts = kerai_store::op::Salts::from_bytes(&salts).expect("salts");
        }))
    }),
    ("op: left out", |base, numbers| {
        let mut parts = base.parts.clone();
        let all = base.those(|part| matches!(part, Part::Op { .. }));
        let (&last, rest) = all.split_last()?;
        let number = pick(numbers, rest);
        parts.remove(number);
        // What comes next stands at its position, unless a checkpoint counts it first.
        let before = number.checked_sub(1).and_then(|before| base.parts.get(before));
        let place = match base.parts.get(number + 1) {
            Some(Part::Checkpoint(_)) if matches!(before, Some(Part::Checkpoint(_) | Part::Snapshot(_))) => {
                // Two checkpoints can't stand behind one op.
                Where::Byte(*base.at.get(number)?)
            }
            Some(Part::Checkpoint(signed)) => {
                Where::Interval(Checkpoint::decode(&signed.body).ok()?.count, "a checkpoint's count")
            }
            _ => Where::Op(base.position(number)),
        };
        (number < last).then_some((parts, place))
    }),
    ("op: twice", |base, numbers| {
        let mut parts = base.parts.clone();
        let number = pick(numbers, &base.those(|part| matches!(part, Part::Op { .. })));
        parts.insert(number, parts.get(number)?.clone());
        Some((parts, Where::Op(base.position(number) + 1)))
    }),
    ("op: out of order", |base, numbers| {
        let mut parts = base.parts.clone();
        let is_op = |number: usize| matches!(base.parts.get(number), Some(Part::Op { .. }));
        let pairs = base.those(|part| matches!(part, Part::Op { .. }));
        let pairs: Vec<usize> = pairs.into_iter().filter(|&number| is_op(number + 1)).collect();
        let number = pick(numbers, &pairs);
        parts.swap(number, number + 1);
        Some((parts, Where::Op(base.position(number))))
    }),
    ("decision", |base, numbers| Some(in_record(base, numbers, lie))),
    ("decision, and all that is behind it made to fit", |base, numbers| {
        let (mut parts, place) = in_record(base, numbers, lie);
        resigned(&mut parts);
        Some((parts, place))
    }),
    ("root, signed anew", |base, numbers| in_checkpoint(base, numbers, root)),
    ("checkpoint: what else it says, signed anew", |base, numbers| {
        in_checkpoint(base, numbers, |checkpoint, numbers| {
            match numbers.below(3) {
                0 => checkpoint.epoch += 1,
                1 => checkpoint.profile += 1,
                _ => {
                    if let Some(head) = checkpoint.vector.values_mut().next() {
                        head.sequence += 1;
                    }
                }
            }
            "a checkpoint"
        })
    }),
    ("checkpoint: its signature", |base, numbers| {
        let mut parts = base.parts.clone();
        let number = pick(numbers, &base.those(|part| matches!(part, Part::Checkpoint(_))));
        let Some(Part::Checkpoint(signed)) = parts.get_mut(number) else { return None };
        let count = Checkpoint::decode(&signed.body).ok()?.count;
        flipped(&mut signed.signature, numbers);
        Some((parts, Where::Interval(count, "a checkpoint")))
    }),
    ("key: a checkpoint by whom it does not name", |base, numbers| {
        let mut parts = base.parts.clone();
        let number = pick(numbers, &base.those(|part| matches!(part, Part::Checkpoint(_))));
        let Some(Part::Checkpoint(signed)) = parts.get_mut(number) else { return None };
        let checkpoint = Checkpoint::decode(&signed.body).ok()?;
        let SignedCheckpoint { signature, .. } = checkpoint.sign(&key("guest")).ok()?;
        signed.signature = signature;
        Some((parts, Where::Interval(checkpoint.count, "a checkpoint")))
    }),
    ("key: an op by another one", |base, numbers| {
        Some(in_op(base, numbers, |signed, numbers| {
            let op = Op::decode(&signed.body).expect("an op");
            let other = if op.author == key("guest").public() { "keeper" } else { "guest" };
            let other = key(if numbers.below(2) == 0 { other } else { "stranger" });
            let op = if numbers.below(2) == 0 { Op { author: other.public(), ..op } } else { op };
            let forged = SignedOp::sign(&op, signed.payload.clone(), signed.salts.clone(), &other);
            *signed = forged.expect("signed");
        }))
    }),
    ("row: another value", |base, numbers| {
        let mut parts = base.parts.clone();
        let number = pick(numbers, &base.those(|part| matches!(part, Part::Row(..))));
        let Some(Part::Row(key, value)) = parts.get_mut(number) else { return None };
        flipped(value, numbers);
        let place = Where::Row(key.clone());
        Some((parts, place))
    }),
    ("row: left out", |base, numbers| {
        let mut parts = base.parts.clone();
        let number = pick(numbers, &base.those(|part| matches!(part, Part::Row(..))));
        let Part::Row(key, _) = parts.remove(number) else { return None };
        Some((parts, Where::Row(key)))
    }),
    ("row: one too many", |base, numbers| {
        let mut parts = base.parts.clone();
        let number = pick(numbers, &base.those(|part| matches!(part, Part::Row(..))));
        let Some(Part::Row(key, value)) = base.parts.get(number) else { return None };
        let more = [&key[..], &[0]].concat();
        parts.insert(number + 1, Part::Row(more.clone(), value.clone()));
        Some((parts, Where::Row(more)))
    }),
    ("row and state_root, signed anew", |base, numbers| {
        let mut parts = base.parts.clone();
        let number = pick(numbers, &base.those(|part| matches!(part, Part::Row(..))));
        let Some(Part::Row(key, value)) = parts.get_mut(number) else { return None };
        value.push(0);
        let place = Where::Row(key.clone());
        let rows = parts.iter().filter_map(|part| {
            let Part::Row(key, value) = part else { return None };
            Some((key.clone(), value.clone()))
        });
        let state_root = kerai_store::state::state_root(&rows.collect());
        let last = parts.iter_mut().rev().find_map(|part| {
            let Part::Checkpoint(signed) = part else { return None };
            Some(signed)
        })?;
        let checkpoint = Checkpoint { state_root, ..Checkpoint::decode(&last.body).ok()? };
        *last = checkpoint.sign(&key_of_keeper()).ok()?;
        Some((parts, place))
    }),
    ("snapshot", |base, numbers| {
        let mut parts = base.parts.clone();
        let number = pick(numbers, &base.those(|part| matches!(part, Part::Snapshot(_))));
        let count = match base.parts.get(number - 1) {
            Some(Part::Checkpoint(signed)) => Checkpoint::decode(&signed.body).ok()?.count,
            _ => return None,
        };
        let Some(Part::Snapshot(snapshot)) = parts.get_mut(number) else { return None };
        match numbers.below(3) {
            0 => snapshot.folded += 1,
            1 => snapshot.last = None,
            _ => flipped(&mut snapshot.bytes, numbers),
        }
        Some((parts, Where::Interval(count, "a snapshot")))
    }),
    ("program: left out", |base, numbers| {
        let mut parts = base.parts.clone();
        let number = pick(numbers, &base.those(|part| matches!(part, Part::Program(_))));
        let Part::Program(bytes) = parts.remove(number) else { return None };
        Some((parts, Where::Op(base.named(Root::of_program(&bytes).bytes()))))
    }),
    ("certificate: stripped", certified::stripped),
    ("certificate: stripped, and another order declared", certified::reordered),
    ("certificate: forged", certified::forged),
    ("certificate: of another class than the code", certified::mismatched),
];

fn key_of_keeper() -> kerai_store::op::signature::SecretKey {
    key("keeper")
}

#[test]
fn planted_faults_are_found_where_they_are() {
    let (each, logs) = if is_long() { (5, 100) } else { (1, 6) };
    let seed = seed();
    println!("seed {seed}");
    let (mut planted, mut bits) = (0, 0);
    for log in 0..logs {
        let place = Place::new();
        let base = run(async {
            let mut store = grown(&place, seed + log, 3 + log % 3).await;
            Parts::of(&mut store, &place, &Wish::default()).await
        });
        let ask = Ask { trusted: vec![key("keeper").public()], ..Ask::default() };
        let clean = base.verify(&base.bytes, &ask);
        assert_eq!((clean.first_divergence, clean.is_anchored), (None, true), "log {log}");
        let mut numbers = Numbers::from(seed ^ (log << 20));
        for (class, plant) in CLASSES {
            for number in 0..each {
                let Some((parts, place)) = plant(&base, &mut numbers) else { continue };
                // Alone an audit foresees what becomes of ops; beside others it does so only when a log is longer than these.
                let jobs = 1 + number as usize % 2;
                let answer = base.verify(&written(&parts), &Ask { jobs, ..ask.clone() });
                let told = format!("log {log}, {class} {number}: {place:?}");
                let found = answer.first_divergence.unwrap_or_else(|| panic!("{told}: not found"));
                assert!(is_there(&found, &place), "{told}: {found:?}");
                assert!(!answer.is_anchored, "{told}");
                planted += 1;
            }
        }
        // Any bit of the file: whichever part it is in, it is found there or where the part is used.
        for _ in 0..each * 3 {
            let mut bytes = base.bytes.clone();
            flipped(&mut bytes, &mut numbers);
            let at = bytes.iter().zip(&base.bytes).position(|(a, b)| a != b).expect("a change");
            let found = base.verify(&bytes, &ask).first_divergence;
            let found = found.unwrap_or_else(|| panic!("log {log}: a flipped bit of byte {at} was not found"));
            let number = base.at.iter().rposition(|&from| from <= at as u64).unwrap_or_default();
            if let Some(Part::Op { .. }) = base.parts.get(number)
                && at as u64 > base.at.get(number).copied().unwrap_or_default() + 5 + 16
            {
                let is_named = found.op == Some(base.position(number)) || found.computed.contains("byte ");
                assert!(is_named, "log {log}: byte {at}: {found:?}");
            }
            bits += 1;
        }
    }
    assert!(planted as u64 >= logs * each * CLASSES.len() as u64 * 8 / 10, "{planted} planted");
    println!("{planted} faults of {} classes and {bits} flipped bits, all found and located", CLASSES.len());
}

#[test]
fn clean_logs_raise_no_alarm() {
    let logs = if is_long() { 1000 } else { 12 };
    let seed = seed() + 5000;
    println!("seed {seed}");
    for log in 0..logs {
        let place = Place::new();
        let (bytes, direct, base) = run(async {
            let mut store = grown(&place, seed + log, 1 + log % 5).await;
            let base = Parts::of(&mut store, &place, &Wish::default()).await;
            let direct = store.verify(STREAM, &[]).await.expect("verified");
            (base.bytes.clone(), direct, base)
        });
        assert_eq!(direct.first_divergence, None, "log {log}, in the database");
        for jobs in [1, 3] {
            let found = base.verify(&bytes, &Ask { jobs, ..Ask::default() });
            assert_eq!(found.first_divergence, None, "log {log}, {jobs} jobs");
            assert_eq!(found.checked, direct.checked, "log {log}");
        }
    }
}

/// Verifies a pack under what the asker knows.
fn asked(path: &Path, ask: &Ask) -> Option<Divergence> {
    pack::verify(path, ask, &mut |_, _| ()).expect("an answer").1.first_divergence
}

#[test]
fn a_rollback_and_a_foreign_pack_are_refused() {
    let (place, other) = (Place::new(), Place::new());
    run(async {
        let mut store = grown(&place, 4, 2).await;
        let early = Parts::of(&mut store, &place, &Wish::default()).await;
        store.append(STREAM, &signers(), &[stock(900, "fig", 1)]).await.expect("appended");
        let checkpoint = store.materialize(STREAM, &key("keeper")).await.expect("materialized").checkpoint;
        let late = Parts::of(&mut store, &place, &Wish::default()).await;
        let known = |checkpoint: &Checkpoint| Ask { extends: Some(checkpoint.clone()), ..Ask::default() };
        let (before, after) = (place.path().join("early.pack"), place.path().join("late.pack"));
        fs::write(&before, &early.bytes).expect("written");
        fs::write(&after, &late.bytes).expect("written");
        let first = early.parts.iter().find_map(|part| {
            let Part::Checkpoint(signed) = part else { return None };
            Some(Checkpoint::decode(&signed.body).expect("a checkpoint"))
        });
        let first = first.expect("a checkpoint");
        assert_eq!(asked(&after, &known(&first)), None, "the log only grew");
        assert_eq!(asked(&after, &known(&checkpoint)), None, "nothing came since");
        let rolled_back = asked(&before, &known(&checkpoint)).expect("a rollback");
        assert!(rolled_back.computed.contains("rolled back"), "{rolled_back:?}");
        // Another history of the same stream is one with another head at that count.
        let forked = Checkpoint { log_head: [1; 32], ..first.clone() };
        assert_eq!(asked(&after, &known(&forked)).expect("a fork").what, "what is to be extended");
        // A pack that agrees with itself, made by somebody else with the same names and keys of their own.
        let mut foreign = grown(&other, 5, 2).await;
        let foreign = Parts::of(&mut foreign, &other, &Wish::default()).await;
        let path = other.path().join("foreign.pack");
        fs::write(&path, &foreign.bytes).expect("written");
        assert_eq!(asked(&path, &Ask::default()), None, "it agrees with itself");
        let stream = Ask { trusted: vec![checkpoint.stream], ..Ask::default() };
        assert_eq!(asked(&after, &stream), None);
        assert_eq!(asked(&path, &stream).expect("foreign").what, "who is trusted");
        assert_eq!(asked(&path, &known(&first)).expect("foreign").computed, "another stream");
        let stranger = Ask { trusted: vec![key("stranger").public()], ..Ask::default() };
        assert_eq!(asked(&after, &stranger).expect("not trusted").what, "who is trusted");
    });
}

#[test]
fn what_is_hidden_is_not_replayed_and_all_else_is_checked() {
    let place = Place::new();
    run(async {
        let mut store = grown(&place, 8, 3).await;
        let rows = store.witness(STREAM).await.expect("a witness").rows;
        let shown: Vec<Vec<u8>> = rows.keys().take(1).cloned().collect();
        let wish = Wish { hidden: vec!["count".into()], rows: shown, ..Wish::default() };
        let base = Parts::of(&mut store, &place, &wish).await;
        let hidden = base.those(|part| matches!(part, Part::HiddenOp { .. }));
        assert!(hidden.len() > 3, "{} hidden", hidden.len());
        let ask = Ask { trusted: vec![key("keeper").public()], ..Ask::default() };
        let answer = base.verify(&base.bytes, &ask);
        assert_eq!((answer.first_divergence, answer.is_replayed, answer.is_anchored), (None, false, true));
        assert_eq!((answer.checked.proofs, answer.checked.rows), (1, 0));
        let mut numbers = Numbers::from(3);
        for _ in 0..if is_long() { 2000 } else { 60 } {
            let mut bytes = base.bytes.clone();
            flipped(&mut bytes, &mut numbers);
            assert!(base.verify(&bytes, &ask).first_divergence.is_some());
        }
        // What is opened is bound as well as what is hidden, though the file is made to fit.
        for &number in &hidden {
            let mut parts = base.parts.clone();
            let Some(Part::HiddenOp { hidden, .. }) = parts.get_mut(number) else { panic!("a hidden op") };
            match hidden.fields.last_mut() {
                Some(kerai_store::pack::Field::Open(bytes)) => {
                    if let Some(last) = bytes.last_mut() {
                        *last ^= 1;
                    }
                }
                Some(kerai_store::pack::Field::Hidden(commitment)) => flipped(commitment, &mut numbers),
                None => hidden.signature = [0; 64],
            }
            assert!(base.verify(&written(&parts), &ask).first_divergence.is_some(), "part {number}");
        }
    });
}

#[test]
fn packs_that_are_none_are_refused() {
    let place = Place::new();
    let base = run(async {
        let mut store = grown(&place, 2, 2).await;
        Parts::of(&mut store, &place, &Wish::default()).await
    });
    let stride = if is_long() { 1 } else { 37 };
    for length in (0..base.bytes.len()).step_by(stride) {
        let cut = base.bytes.get(..length).expect("a part");
        assert!(base.verify(cut, &Ask::default()).first_divergence.is_some(), "cut at {length}");
    }
    let more = [&base.bytes[..], &[0]].concat();
    assert!(base.verify(&more, &Ask::default()).first_divergence.is_some(), "something follows");
    // A part that claims to be large is read as far as it is there.
    let claims = [pack::MAGIC, &[1, 0xff, 0xff, 0xff, 0xff, 0]].concat();
    assert!(base.verify(&claims, &Ask::default()).first_divergence.is_some());
    for name in ["../x.lua", "a/b", "", ".", "a\\b", "c:x"] {
        let Some(Part::Program(bytes)) = base.parts.get(1) else { panic!("a program") };
        let root = Stored::from_bytes(bytes).expect("a program").root;
        let source = pack::SourceText { root, name: name.into(), text: String::new() };
        let mut parts = base.parts.clone();
        let programs = base.those(|part| matches!(part, Part::Program(_))).len();
        parts.insert(1 + programs, Part::Source(source));
        let found = base.verify(&written(&parts), &Ask::default()).first_divergence;
        assert!(found.is_some_and(|found| found.what == "the pack"), "{name}");
    }
}
