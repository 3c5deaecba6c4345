//! Large packs and streams, checked in little memory: what an audit of a pack keeps is the state and less than a hundred
//! bytes an op, whatever the ops' size.

use crate::desk::{NOW, Place, canonical, draft, host, key, run, signers, stocked, ulid};
use crate::faults::is_long;
use kerai_store::audit::Ask;
use kerai_store::backend::Address;
use kerai_store::checkpoint::Checkpoint;
use kerai_store::document::Hash;
use kerai_store::log::{Log, Outcome};
use kerai_store::op::{Draft, Op, Salts, SignedOp, payload_root};
use kerai_store::pack::{self, Header, PackWriter};
use kerai_store::program::{Library, Stored};
use kerai_vm::bytecode::{Limits, Order, PROFILE};
use kerai_vm::encoding::root::Root;
use kerai_vm::fold::Folding;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the child finds the pack, or the database, and how many threads it uses.
const PACK: &str = "KERAI_TEST_PACK";
const DATABASE: &str = "KERAI_TEST_DATABASE";
const JOBS: &str = "KERAI_TEST_JOBS";

/// Bytes that may be used whatever the pack's size: programs, buffers, batches ahead, the fold's own room.
const FIXED: u64 = 48 << 20;

fn library(store: &mut kerai_store::Store) -> (SignedOp, Library) {
    run(async {
        let ops = store.ops(crate::desk::STREAM).await.expect("ops");
        (ops.first().expect("a genesis").signed.clone(), store.programs().await.expect("programs"))
    })
}

/// A payload with so many bytes that no fold looks at.
fn payload(number: u64, padding: usize) -> String {
    let more = if padding > 0 { format!(",\"note\":\"{}\"", "x".repeat(padding)) } else { String::new() };
    format!("{{\"item\":\"item {}\",\"count\":{}{more}}}", number % 100, number % 1000)
}

/// Writes a pack of so many ops, a checkpoint at its end, without holding them.
fn write(path: &Path, count: u64, padding: usize) {
    let place = Place::new();
    let mut store = run(stocked(&place, host()));
    let (genesis, library) = library(&mut store);
    let (mut log, first) = Log::begin(genesis, &library, NOW).expect("a log");
    let binding = log.governance.binding.clone();
    let header = Header { stream: log.stream, name: "stock".into(), hidden: Vec::new(), pruned: None };
    let file = BufWriter::new(File::create(path).expect("a file"));
    let mut writer = PackWriter::new(file, &header).expect("written");
    let mut programs: Vec<&Stored> = [binding.fold_root, binding.policy_root, binding.governance_root]
        .iter()
        .filter_map(|root| library.get(root))
        .collect();
    programs.sort_by_key(|program| program.root);
    programs.iter().for_each(|program| writer.program(&program.bytes).expect("written"));
    writer.op(&first.bytes, &first.op.signed).expect("written");
    let fold = library.get(&binding.fold_root).expect("the fold");
    let mut folding = Folding::new(&fold.verified, 0, Limits::DEFAULT).expect("a fold");
    let (keeper, genesis) = (key("keeper"), Op::decode(&first.op.signed.body).expect("an op"));
    let mut admitted: Vec<Hash> = vec![first.op.id];
    let mut previous = first.op.id;
    let mut gate = None;
    for number in 1..count {
        let payload = canonical(&payload(number, padding));
        let salts = Salts::fresh(&payload, &mut |bytes| bytes.fill(number as u8)).expect("salts");
        let op = Op {
            stream: Some(log.stream),
            ulid: ulid(number),
            sequence: number + 1,
            previous: Some(previous),
            kind: "stock.set".into(),
            payload_root: payload_root(&payload, &salts).expect("a root"),
            ..genesis.clone()
        };
        let signed = SignedOp::sign(&op, payload, salts, &keeper).expect("signed");
        let commit =
            log.place(signed.read_unsigned().sound().expect("an op"), None, &library, NOW, &mut gate).expect("placed");
        assert_eq!(commit.record.outcome, Outcome::Admitted);
        writer.op(&commit.bytes, &commit.op.signed).expect("written");
        previous = commit.op.id;
        admitted.push(previous);
        let input = kerai_store::fold::Input { position: number + 1, received: NOW, op: commit.op };
        folding.offer(&kerai_store::fold::Step::of(&input, Order::Ulid).expect("a step").document).expect("offered");
        folding.step().expect("an op").expect("no trap");
    }
    folding.finish().expect("rows");
    let snapshot = folding.snapshot().expect("a snapshot");
    let Root::Blake3(state_root) = folding.rows().state_root() else { panic!("rows hash with BLAKE3") };
    let checkpoint = Checkpoint {
        stream: log.stream,
        epoch: binding.epoch,
        count: log.tree.count(),
        vector: log.heads.clone(),
        inputs_root: kerai_store::state::inputs_root(admitted.iter()),
        log_head: log.tree.head(),
        state_root,
        snapshot_root: *Folding::snapshot_root(&snapshot).bytes(),
        fold_root: binding.fold_root,
        policy_root: binding.policy_root,
        governance_root: binding.governance_root,
        profile: u64::from(PROFILE),
        signer: keeper.public(),
    };
    writer.checkpoint(&checkpoint.sign(&keeper).expect("signed")).expect("written");
    let mut rows: Vec<_> = folding.rows().sorted().iter().map(|row| (row.key.clone(), row.value.clone())).collect();
    rows.sort();
    rows.iter().for_each(|(key, value)| writer.row(key, value).expect("written"));
    writer.finish().expect("written");
}

/// A line of the process's status, in bytes.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|text| text.parse::<u64>().ok()).unwrap_or_default() * 1024
}

/// Only does something where it is asked to: checks a pack or a stream and says what it took.
#[test]
fn child_checks() {
    let (pack, database) = (std::env::var_os(PACK), std::env::var_os(DATABASE));
    let jobs = std::env::var(JOBS).ok().and_then(|jobs| jobs.parse().ok()).unwrap_or(1);
    let (before, begun) = (memory("VmRSS:"), std::time::Instant::now());
    let ask = Ask { jobs, signatures: !is_long() || jobs > 1, ..Ask::default() };
    let mut told = 0;
    let mut count = |_: u64, part: f64| told += u64::from(part > 0.0);
    let answer = match (pack, database) {
        (Some(path), _) => pack::verify(Path::new(&path), &ask, &mut count).expect("an answer").1,
        (None, Some(path)) => run(async {
            let database = Address::File(PathBuf::from(path));
            let mut store = kerai_store::Store::open(&database, host()).await.expect("the database opens");
            store.audit(crate::desk::STREAM, &ask, &mut count).await.expect("an answer")
        }),
        (None, None) => return,
    };
    assert_eq!(answer.first_divergence, None);
    let peak = memory("VmHWM:");
    assert!(!SAYS_MEMORY || (before > 0 && peak > 0), "the system says nothing");
    let (ops, took) = (answer.checked.ops, peak.saturating_sub(before));
    println!("checked {ops} took {took} peak {peak} told {told} in {:?}", begun.elapsed());
}

/// What a child said: how many ops it checked, what memory that took, its peak, and how often it was told how far it is.
fn checked(what: &str, path: &Path, jobs: &str) -> [u64; 4] {
    let mut child = Command::new(std::env::current_exe().expect("this test"));
    child.args(["large::child_checks", "--exact", "--nocapture"]).env_remove(PACK).env_remove(DATABASE);
    let output = child.env(what, path).env(JOBS, jobs).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|line| line.contains("checked ")).unwrap_or_else(|| panic!("{text}"));
    println!("{jobs} jobs: {line}");
    let words: Vec<u64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    words.try_into().unwrap_or_else(|_| panic!("{line}"))
}

/// Only there the system says how much memory a process had.
const SAYS_MEMORY: bool = cfg!(target_os = "linux");

#[test]
fn a_large_pack_needs_little_memory() {
    if !SAYS_MEMORY {
        return;
    }
    let count: u64 = if is_long() { 1_000_000 } else { 4000 };
    let place = Place::new();
    let path = place.path().join("large.pack");
    write(&path, count, 0);
    for jobs in ["1", "2"] {
        let [ops, took, _, told] = checked(PACK, &path, jobs);
        assert_eq!(ops, count);
        assert!(took <= FIXED + 100 * count, "{took} bytes for {count} ops");
        assert!(told >= count / 1024, "told {told} times");
    }
}

/// Ops of four thousand bytes: were they held, the greater pack would take fifty megabytes more.
#[test]
fn what_a_pack_takes_does_not_grow_with_the_size_of_ops() {
    if !SAYS_MEMORY {
        return;
    }
    let place = Place::new();
    let path = place.path().join("large.pack");
    let counts = [2000, 14_000];
    let peaks = counts.map(|count| {
        write(&path, count, 4000);
        let [ops, _, peak, _] = checked(PACK, &path, "2");
        assert_eq!(ops, count);
        peak
    });
    let more = 100 * (counts[1] - counts[0]) + (16 << 20);
    assert!(peaks[1] <= peaks[0] + more, "{peaks:?}");
}

/// The same of a stream that lies in a database, which keeps three hundred bytes an op.
#[test]
fn what_a_stream_takes_does_not_grow_with_the_size_of_ops() {
    if !SAYS_MEMORY {
        return;
    }
    let counts = [2000, 14_000];
    let peaks = counts.map(|count| {
        let place = Place::new();
        run(async {
            let mut store = stocked(&place, host()).await;
            for from in (0..count).step_by(1000) {
                let draft = |number| draft(number, &format!("\"payload\":{}", payload(number, 4000)));
                let drafts: Vec<Draft> = (from..from + 1000).map(draft).collect();
                store.append(crate::desk::STREAM, &signers(), &drafts).await.expect("appended");
            }
            store.materialize(crate::desk::STREAM, &key("keeper")).await.expect("materialized");
        });
        let [ops, _, peak, _] = checked(DATABASE, &place.file(), "2");
        assert_eq!(ops, count + 1);
        peak
    });
    let more = 300 * (counts[1] - counts[0]) + (16 << 20);
    assert!(peaks[1] <= peaks[0] + more, "{peaks:?}");
}
