//! Proofs against a plain second meaning of the log's tree, and that nothing but the proof itself is believed.

use crate::desk::{Numbers, Place, STREAM, draft, host, key, run, signers, stock, stocked};
use kerai_store::document::Hash;
use kerai_store::log::{LogTree, Record, leaf, node};
use kerai_store::proof::{self, Claim, Witness, tree};
use kerai_vm::encoding::root::{Context, Root};
use std::collections::BTreeMap;

/// A tree as RFC 6962 says it: the hash of every span of leaves, by definition, and proofs looked up in it.
struct Plain {
    leaves: Vec<Hash>,
    spans: BTreeMap<(usize, usize), Hash>,
}

fn hashed(context: Context, bytes: &[u8]) -> Hash {
    *Root::of_data(context, bytes).bytes()
}

impl Plain {
    fn of(count: usize) -> Plain {
        let leaves: Vec<Hash> =
            (0..count).map(|number| hashed(Context::LogLeaf, format!("record {number}").as_bytes())).collect();
        Plain { leaves, spans: BTreeMap::new() }
    }

    /// The largest power of two below.
    fn half(count: usize) -> usize {
        let mut half = 1;
        while half * 2 < count {
            half *= 2;
        }
        half
    }

    fn span(&mut self, from: usize, to: usize) -> Hash {
        if let Some(&known) = self.spans.get(&(from, to)) {
            return known;
        }
        let hash = match to - from {
            0 => [0; 32],
            1 => *self.leaves.get(from).expect("a leaf"),
            count => {
                let middle = from + Plain::half(count);
                let both = [self.span(from, middle), self.span(middle, to)].concat();
                hashed(Context::LogNode, &both)
            }
        };
        self.spans.insert((from, to), hash);
        hash
    }

    /// The sides that are passed on the way from the root down to a leaf, turned around.
    fn inclusion(&mut self, index: usize, count: usize) -> Vec<Hash> {
        let (mut from, mut to, mut passed) = (0, count, Vec::new());
        while to - from > 1 {
            let middle = from + Plain::half(to - from);
            if index < middle {
                passed.push(self.span(middle, to));
                to = middle;
            } else {
                passed.push(self.span(from, middle));
                from = middle;
            }
        }
        passed.reverse();
        passed
    }

    /// The same towards where the older tree ends; its last complete span is shown unless it is the older tree itself.
    fn consistency(&mut self, first: usize, count: usize) -> Vec<Hash> {
        let (mut from, mut to, mut passed) = (0, count, Vec::new());
        while to != first {
            let middle = from + Plain::half(to - from);
            if first <= middle {
                passed.push(self.span(middle, to));
                to = middle;
            } else {
                passed.push(self.span(from, middle));
                from = middle;
            }
        }
        if from > 0 {
            passed.push(self.span(from, to));
        }
        passed.reverse();
        passed
    }
}

/// Ways to spoil a path.
fn spoiled(path: &[Hash], numbers: &mut Numbers) -> Vec<Vec<Hash>> {
    let mut all = vec![[path, &[[7; 32]]].concat(), [&[[7; 32]], path].concat()];
    if let Some((_, shorter)) = path.split_last() {
        all.push(shorter.to_vec());
        all.push(path.iter().skip(1).copied().collect());
        let mut changed = path.to_vec();
        let (place, bit) = (numbers.below(path.len() as u64) as usize, numbers.below(256) as usize);
        if let Some(byte) = changed.get_mut(place).and_then(|hash| hash.get_mut(bit / 8)) {
            *byte ^= 1 << (bit % 8);
        }
        all.push(changed);
        let turned: Vec<Hash> = path.iter().rev().copied().collect();
        if turned != path {
            all.push(turned);
        }
    }
    all
}

/// The counts of trees that are tried: all small ones, and some around powers of two.
const COUNTS: [usize; 10] = [63, 64, 65, 100, 127, 128, 129, 255, 256, 257];

#[test]
fn inclusion_is_what_the_definition_says() {
    let (mut plain, mut numbers) = (Plain::of(257), Numbers::from(9));
    let (mut cases, mut refused) = (0, 0);
    for count in (1..=40).chain(COUNTS) {
        let head = plain.span(0, count);
        let leaves = plain.leaves.get(..count).expect("leaves").to_vec();
        assert_eq!(tree::head(&leaves), head);
        for index in 0..count {
            let path = plain.inclusion(index, count);
            assert_eq!(tree::inclusion(&leaves, index), path, "{index} of {count}");
            let leaf = leaves.get(index).expect("a leaf");
            let shows =
                |index: u64, count: u64, path: &[Hash], head: &Hash| tree::includes(leaf, index, count, path, head);
            let (at, of) = (index as u64, count as u64);
            assert!(shows(at, of, &path, &head), "{index} of {count}");
            cases += 1;
            for wrong in spoiled(&path, &mut numbers) {
                assert!(!shows(at, of, &wrong, &head), "{index} of {count}: {wrong:?}");
                refused += 1;
            }
            assert!(!shows(of, of, &path, &head) && !shows(at, of, &path, &[1; 32]) && !shows(at, 0, &path, &head));
            assert!(index + 1 == count || !shows(at + 1, of, &path, &head), "{index} of {count}, moved");
        }
    }
    assert!(cases > 2000 && refused > 10_000, "{cases} cases, {refused} refused");
}

#[test]
fn consistency_is_what_the_definition_says() {
    let (mut plain, mut numbers) = (Plain::of(257), Numbers::from(10));
    let (mut cases, mut refused) = (0, 0);
    for count in (1..=40).chain(COUNTS) {
        let head = plain.span(0, count);
        let leaves = plain.leaves.get(..count).expect("leaves").to_vec();
        for first in 1..=count {
            let (path, older) = (plain.consistency(first, count), plain.span(0, first));
            assert_eq!(tree::consistency(&leaves, first), path, "{first} to {count}");
            let shows = |older: &Hash, path: &[Hash], head: &Hash| {
                tree::continues((first as u64, older), (count as u64, head), path)
            };
            assert!(shows(&older, &path, &head), "{first} to {count}");
            cases += 1;
            for wrong in spoiled(&path, &mut numbers) {
                assert!(!shows(&older, &wrong, &head), "{first} to {count}: {wrong:?}");
                refused += 1;
            }
            assert!(!shows(&[1; 32], &path, &head) && !shows(&older, &path, &[1; 32]));
            let back = tree::continues((count as u64 + 1, &head), (count as u64, &head), &path);
            assert!(!back, "a log that became shorter");
        }
        assert!(tree::continues((0, &[0; 32]), (count as u64, &head), &[]), "every log continues the empty one");
        assert!(!tree::continues((0, &[1; 32]), (count as u64, &head), &[]));
    }
    assert!(cases > 2000 && refused > 10_000, "{cases} cases, {refused} refused");
}

#[test]
fn the_log_keeps_the_heads_that_proofs_lead_to() {
    let mut log = LogTree::default();
    let mut leaves = Vec::new();
    for number in 0..100_u32 {
        log.push(&number.to_be_bytes());
        leaves.push(leaf(&number.to_be_bytes()));
        assert_eq!(log.head(), tree::head(&leaves));
    }
    assert_eq!(node(&[1; 32], &[2; 32]), hashed(Context::LogNode, &[[1; 32], [2; 32]].concat()));
}

/// A stream with rows that changed, a denied op, two checkpoints; and its earlier witness.
fn witnesses() -> (Witness, Witness) {
    let place = Place::new();
    run(async {
        let mut store = stocked(&place, host()).await;
        let first: Vec<_> = (1..20).map(|number| stock(number, &format!("item {}", number % 7), number)).collect();
        store.append(STREAM, &signers(), &first).await.expect("appended");
        store.materialize(STREAM, &key("keeper")).await.expect("materialized");
        let earlier = store.witness(STREAM).await.expect("a witness");
        let guest = draft(30, "\"actor\":\"guest\",\"payload\":{\"item\":\"apple\",\"count\":99}");
        store.append(STREAM, &signers(), &[stock(31, "fig", 1), guest, stock(32, "kiwi", 2)]).await.expect("appended");
        store.materialize(STREAM, &key("keeper")).await.expect("materialized");
        (earlier, store.witness(STREAM).await.expect("a witness"))
    })
}

fn row(name: &str) -> Vec<u8> {
    crate::desk::canonical(&format!("[\"stock\",\"{name}\"]"))
}

/// Everything that can be claimed truly.
fn claims(earlier: &Witness, witness: &Witness) -> Vec<Claim> {
    let rows = witness.rows.iter().map(|(key, value)| Claim::Row { key: key.clone(), value: value.clone() });
    let absent = ["apple", "plum", "item 9", ""].map(|name| Claim::Absent { key: row(name) });
    let ops = witness.records.iter().map(|record| Claim::Op { record: record.clone() });
    let consistent = Claim::Consistent { earlier: earlier.checkpoint.clone() };
    rows.chain(absent).chain(ops).chain([Claim::Checkpoint, consistent]).collect()
}

#[test]
fn what_is_so_is_proved_and_any_changed_bit_is_refused() {
    let (earlier, witness) = witnesses();
    let (mut proofs, mut mutants) = (0, 0);
    for claim in claims(&earlier, &witness) {
        let file = proof::prove(&claim, &witness).unwrap_or_else(|refused| panic!("{claim:?}: {refused}"));
        let shown = proof::check(&file).expect("it holds");
        assert_eq!((&shown.claim, &shown.signed), (&claim, &witness.checkpoint));
        assert!(shown.is_anchored(&[key("keeper").public()]) && !shown.is_anchored(&[[1; 32]]));
        proofs += 1;
        // Every bit in a long run; else every seventh, so that all places of a byte come up.
        let stride = if std::env::var_os("KERAI_LONG").is_some() { 1 } else { 7 };
        for bit in (0..file.len() * 8).step_by(stride) {
            let mut changed = file.clone();
            if let Some(byte) = changed.get_mut(bit / 8) {
                *byte ^= 1 << (bit % 8);
            }
            assert!(proof::check(&changed).is_err(), "{}: bit {bit}", claim.name());
            mutants += 1;
        }
        for length in (0..file.len()).step_by(stride) {
            assert!(proof::check(file.get(..length).expect("a part")).is_err(), "{}: cut at {length}", claim.name());
        }
        assert!(proof::check(&[&file[..], &[0]].concat()).is_err());
    }
    assert!(proofs > 30 && mutants > 20_000, "{proofs} proofs, {mutants} mutants");
}

#[test]
fn what_is_not_so_is_not_proved() {
    let (earlier, witness) = witnesses();
    let (key, value) = witness.rows.first_key_value().expect("a row");
    let strange = Record { position: 3, ..Record::decode(witness.records.first().expect("one")).expect("a record") };
    let wrong = [
        Claim::Row { key: key.clone(), value: [&value[..], &[0]].concat() },
        Claim::Row { key: row("plum"), value: value.clone() },
        Claim::Absent { key: key.clone() },
        Claim::Op { record: strange.encode().expect("bytes") },
    ];
    for claim in wrong {
        assert_eq!(proof::prove(&claim, &witness).expect_err("not so").code.name(), "CLAIM_FALSE", "{claim:?}");
    }
    // An earlier log does not continue a later one, and a database that was changed gives no proof.
    let back = Claim::Consistent { earlier: witness.checkpoint.clone() };
    assert_eq!(proof::prove(&back, &earlier).expect_err("back").code.name(), "PROOF_FALSE");
    let mut planted = witness.clone();
    planted.rows.insert(row("plum"), value.clone());
    let claim = Claim::Row { key: row("plum"), value: value.clone() };
    assert_eq!(proof::prove(&claim, &planted).expect_err("planted").code.name(), "PROOF_FALSE");
}
