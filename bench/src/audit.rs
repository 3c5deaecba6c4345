//! Verifying a pack beside what can't be left out: the same signatures alone, and folding the same pack alone.
//!
//! Threads share the work here, so that time is the clock's and all sides have the same processors. Folding alone is what
//! somebody does who believes everything: the ops are read from the file and folded, and nothing is checked. Beside it
//! stands, as a ceiling, folding documents that were made before and lie in memory.

use crate::harness::{Contender, Outcome, Plan, Report, Role, Work, measure};
use crate::machine::compiled;
use kerai_store::audit::Ask;
use kerai_store::checkpoint::Checkpoint;
use kerai_store::document::Hash;
use kerai_store::fold::{Input, Step};
use kerai_store::governance::Genesis;
use kerai_store::log::{Log, Record};
use kerai_store::op::signature::{Domain, SecretKey, verify};
use kerai_store::op::{Checked, GENESIS, Op, Salts, SignedOp, payload_root};
use kerai_store::pack::{self, Header, PackReader, PackWriter, Part};
use kerai_store::program::{DEFAULT_GOVERNANCE, DEFAULT_POLICY, Library, Stored};
use kerai_vm::bytecode::{Limits, Order, PROFILE};
use kerai_vm::encoding::root::Root;
use kerai_vm::encoding::{Options, cbor, json};
use kerai_vm::fold::Folding;
use kerai_vm::ulid::Ulid;
use kerai_vm::value::Heap;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::PathBuf;
use std::thread;

/// Name and summary of the benchmarks here.
pub const ALL: &[(&str, &str)] = &[
    ("verify", "a pack of signed ops, all of it, beside their signatures alone"),
    ("verify-unsigned", "the same without signatures, beside folding alone"),
];

/// The fold of the machine's benchmarks.
const FOLD: &str = include_str!("../programs/invoices.lua");

/// Ops at most: each is signed first.
const MOST: usize = 200_000;

/// Checkpoints in the pack.
const CHECKPOINTS: usize = 4;

const START: u64 = 1_750_000_000_000;

fn said(what: impl ToString) -> String {
    what.to_string()
}

/// What was signed, by whom, in the order of the log.
struct Signed {
    hash: Hash,
    key: Hash,
    signature: [u8; 64],
}

/// A log of invoices in a pack, with what its two floors are made of.
struct Made {
    file: PathBuf,
    signed: Vec<Signed>,
    documents: Vec<Vec<u8>>,
    fold: Stored,
    count: usize,
}

impl Drop for Made {
    fn drop(&mut self) {
        // What can't be removed is the system's to clean up.
        let _ = std::fs::remove_file(&self.file);
    }
}

fn canonical(text: &str) -> Outcome<Vec<u8>> {
    let mut heap = Heap::new(0);
    let value = json::decode(&mut heap, text.as_bytes(), &Options::CANONICAL).map_err(said)?;
    let mut out = Vec::new();
    cbor::encode(&heap, value, &Options::CANONICAL, &mut out).map_err(said)?;
    Ok(out)
}

fn ulid(number: u64) -> Ulid {
    Ulid::from_bytes((u128::from(START + number) << 80 | u128::from(number)).to_be_bytes())
}

/// An author's next op.
struct Author {
    key: SecretKey,
    sequence: u64,
    previous: Option<Hash>,
}

impl Author {
    fn sign(&mut self, op: Op, payload: Vec<u8>) -> Outcome<SignedOp> {
        let salts = Salts::fresh(&payload, &mut |bytes| bytes.fill(self.sequence as u8)).map_err(said)?;
        self.sequence += 1;
        let op = Op {
            author: self.key.public(),
            sequence: self.sequence,
            previous: self.previous,
            payload_root: payload_root(&payload, &salts).map_err(said)?,
            ..op
        };
        SignedOp::sign(&op, payload, salts, &self.key).map_err(said)
    }
}

fn begun(
    library: &Library,
    programs: [&Stored; 3],
    author: &mut Author,
) -> Outcome<(Log, kerai_store::log::Commit, Op)> {
    let [fold, policy, governance] = programs.map(|program| program.root);
    let actors = BTreeMap::from([("clerk".to_owned(), BTreeSet::from([author.key.public()]))]);
    let (name, owners) = ("invoices".to_owned(), vec!["clerk".to_owned()]);
    let genesis = Genesis { name, fold_root: fold, policy_root: policy, governance_root: governance, actors, owners };
    let op = Op {
        stream: None,
        ulid: ulid(0),
        author: author.key.public(),
        actor: "clerk".into(),
        sequence: 1,
        previous: None,
        resource: None,
        kind: GENESIS.into(),
        payload_root: [0; 32],
        caps: None,
        labels: None,
        fold_root: fold,
        policy_root: policy,
    };
    let signed = author.sign(op.clone(), genesis.payload().map_err(said)?)?;
    let (log, commit) = Log::begin(signed, library, START).map_err(said)?;
    author.previous = Some(commit.op.id);
    Ok((log, commit, op))
}

fn make(plan: &Plan) -> Outcome<Made> {
    let count = plan.events.min(MOST);
    let program = compiled(FOLD)?;
    let fold = Stored::from_bytes(&program.program().encode().map_err(said)?).map_err(said)?;
    let shipped = |name| Stored::shipped(name).ok_or_else(|| format!("`{name}` does not ship"));
    let (policy, governance) = (shipped(DEFAULT_POLICY)?, shipped(DEFAULT_GOVERNANCE)?);
    let mut library = Library::default();
    let mut programs = [&fold, &policy, &governance];
    programs.iter().for_each(|&program| library.add(program.clone()));
    let mut author = Author { key: SecretKey::from_seed(&[7; 32]), sequence: 0, previous: None };
    let (mut log, first, genesis) = begun(&library, programs, &mut author)?;
    let file = std::env::temp_dir().join(format!("kerai-bench-{}.pack", std::process::id()));
    let out = BufWriter::new(File::create(&file).map_err(said)?);
    let header = Header { stream: log.stream, name: "invoices".into(), hidden: Vec::new(), pruned: None };
    let mut writer = PackWriter::new(out, &header).map_err(said)?;
    programs.sort_by_key(|program| program.root);
    programs.iter().try_for_each(|program| writer.program(&program.bytes)).map_err(said)?;
    writer.op(&first.bytes, &first.op.signed).map_err(said)?;
    let mut folding = Folding::new(&fold.verified, 0, Limits::DEFAULT).map_err(|fault| format!("{fault:?}"))?;
    let mut made = Made { file, signed: Vec::new(), documents: Vec::new(), fold: fold.clone(), count };
    let mut admitted = vec![first.op.id];
    let mut gate = None;
    for number in 1..count as u64 {
        let kind = if number % 3 == 0 { "intent.exec.approve_invoice" } else { "intent.exec.insert_invoice" };
        let payload = canonical(&format!("{{\"id\":\"i{}\",\"amount\":{}.25}}", number % 5000, number % 977))?;
        let op = Op { stream: Some(log.stream), ulid: ulid(number), kind: kind.into(), ..genesis.clone() };
        let signed = author.sign(op, payload)?;
        let key = author.key.public();
        let sound = signed.read().sound().map_err(said)?;
        let commit = log.place(sound, None, &library, START + number, &mut gate).map_err(said)?;
        if commit.record.outcome.code().is_some() {
            return Err(format!("op {number} was not admitted"));
        }
        writer.op(&commit.bytes, &commit.op.signed).map_err(said)?;
        author.previous = Some(commit.op.id);
        admitted.push(commit.op.id);
        made.signed.push(Signed { hash: commit.op.id, key, signature: commit.op.signed.signature });
        let input = Input { position: commit.record.position, received: commit.record.received, op: commit.op };
        let document = Step::of(&input, Order::Ulid).map_err(said)?.document;
        folding.offer(&document).map_err(said)?;
        folding.step().transpose().map_err(|trap| format!("op {number}: {trap}"))?;
        made.documents.push(document);
        if (number as usize + 1).is_multiple_of(count.div_ceil(CHECKPOINTS)) || number as usize + 1 == count {
            let checkpoint = checkpoint(&log, &mut folding, &admitted, &author.key)?;
            writer.checkpoint(&checkpoint.sign(&author.key).map_err(said)?).map_err(said)?;
        }
    }
    let mut rows: Vec<_> = folding.rows().sorted().iter().collect();
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    rows.iter().try_for_each(|row| writer.row(&row.key, &row.value)).map_err(said)?;
    writer.finish().map_err(said)?;
    Ok(made)
}

fn checkpoint(log: &Log, folding: &mut Folding<'_>, admitted: &[Hash], key: &SecretKey) -> Outcome<Checkpoint> {
    folding.finish().map_err(said)?;
    let snapshot = folding.snapshot().map_err(said)?;
    let Root::Blake3(state_root) = folding.rows().state_root() else { return Err("rows hash with BLAKE3".into()) };
    let binding = &log.governance.binding;
    Ok(Checkpoint {
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
        signer: key.public(),
    })
}

impl Made {
    /// How many ops are right, by everything that the pack holds.
    fn verified(&self, signatures: bool) -> u64 {
        let ask = Ask { signatures, jobs: jobs(), ..Ask::default() };
        match pack::verify(&self.file, &ask, &mut |_, _| ()) {
            Ok((_, answer)) if answer.first_divergence.is_none() => answer.checked.ops,
            Ok(_) | Err(_) => 0,
        }
    }

    /// How many signatures are right, on as many threads.
    fn signatures(&self) -> u64 {
        let share = self.signed.len().div_ceil(jobs());
        thread::scope(|scope| {
            let right = |signed: &&Signed| verify(Domain::Op, &signed.hash, &signed.key, &signed.signature);
            let threads = self.signed.chunks(share).map(|part| scope.spawn(move || part.iter().filter(right).count()));
            let threads: Vec<_> = threads.collect();
            threads.into_iter().map(|thread| thread.join().map_or(0, |count| count as u64)).sum()
        })
    }

    /// How many ops were folded that were read from the pack, and nothing else was done.
    fn replayed(&self) -> Outcome<u64> {
        let file = BufReader::with_capacity(1 << 16, File::open(&self.file).map_err(said)?);
        let mut reader = PackReader::new(file).map_err(said)?;
        let mut folding =
            Folding::new(&self.fold.verified, 0, Limits::DEFAULT).map_err(|fault| format!("{fault:?}"))?;
        while let Some((_, part)) = reader.read().map_err(said)? {
            let Part::Op { record, signed } = part else { continue };
            let record = Record::decode(&record).map_err(said)?;
            let op = Op::decode(&signed.body).map_err(said)?;
            if record.outcome != kerai_store::log::Outcome::Admitted || op.is_governance() {
                continue;
            }
            let op = Checked { id: record.op, op, signed };
            let input = Input { position: record.position, received: record.received, op };
            folding.offer(&Step::of(&input, Order::Ulid).map_err(said)?.document).map_err(said)?;
            folding.step();
        }
        folding.finish().map_err(said)?;
        Ok(folding.count())
    }

    /// How many ops were folded of which the documents are at hand.
    fn folded(&self) -> u64 {
        let Ok(mut folding) = Folding::new(&self.fold.verified, 0, Limits::DEFAULT) else { return 0 };
        for document in &self.documents {
            if folding.offer(document).is_err() {
                return 0;
            }
            folding.step();
        }
        folding.finish().map_or(0, |_| folding.count())
    }
}

fn jobs() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Both benchmarks, or the one that is chosen.
pub fn run(chosen: impl Fn(&str) -> bool, plan: &Plan) -> Outcome<Vec<(&'static str, Report)>> {
    let made = make(plan)?;
    let work = Work { units: made.count, bytes: 0 };
    let others = made.count as u64 - 1;
    let unit = |what: &str| format!("{} ops on {} threads, by the clock: {what}", made.count, jobs());
    let mut reports = Vec::new();
    for &(name, about) in ALL.iter().filter(|one| chosen(one.0)) {
        let signatures = name == "verify";
        let ours = Contender::new(Role::Ours, "kerai", work, made.count as u64, || made.verified(signatures));
        let alone = match signatures {
            true => vec![Contender::new(Role::Peer, "ed25519-alone", work, others, || made.signatures())],
            false => vec![
                Contender::new(Role::Peer, "folding-alone", work, others, || made.replayed().unwrap_or(0)),
                Contender::new(Role::Ceiling, "ready-documents", work, others, || made.folded()),
            ],
        };
        let contenders = [ours].into_iter().chain(alone).map(Contender::by_the_clock).collect();
        reports.push((name, measure(unit(about), plan.rounds, contenders)?));
    }
    Ok(reports)
}
