//! What the store's tests stand on: a folder that goes when the test ends, a fixed host, keys, ops.

use kerai_store::host::{Host, Point};
use kerai_store::op::signature::SecretKey;
use kerai_store::op::{Draft, Op, Salts, SignedOp, payload_root};
use kerai_store::program::{DEFAULT_GOVERNANCE, DEFAULT_POLICY, Stored};
use kerai_store::{Answer, NewStream, Signers, Store};
use kerai_vm::encoding::{Options, cbor, json};
use kerai_vm::ulid::Ulid;
use kerai_vm::value::Heap;
use std::collections::BTreeMap;
use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The time at which every test happens.
pub const NOW: u64 = 1_750_000_000_000;

pub const STREAM: &str = "stock";

/// A folder of its own for a test.
pub struct Place(PathBuf);

impl Place {
    pub fn new() -> Place {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("kerai-store-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("the folder can be made");
        Place(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn database(&self) -> PathBuf {
        self.0.join(".kerai").join("kerai.db")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What can't be removed is the system's to clean up.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs to the end on this thread.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime").block_on(future)
}

/// A host whose clock stands still and whose randomness is known.
pub fn host() -> Host {
    host_at(NOW, |_| ())
}

pub fn host_at(now: u64, reached: impl Fn(Point) + 'static) -> Host {
    let mut next: u64 = 0;
    let random = move |bytes: &mut [u8]| {
        next += 1;
        bytes
            .iter_mut()
            .zip(blake3::derive_key("kerai tests random", &next.to_le_bytes()).iter().cycle())
            .for_each(|(to, from)| *to = *from);
    };
    Host {
        now: Box::new(move || now),
        random: Box::new(random),
        reached: Box::new(reached),
        wait: Duration::from_secs(30),
    }
}

/// The key of a name: known to all, so that roots are the same in every run.
pub fn key(name: &str) -> SecretKey {
    SecretKey::from_seed(&blake3::derive_key("kerai tests key", name.as_bytes()))
}

pub fn fold() -> Stored {
    Stored::from_assembly(include_str!("../../examples/stock/folds/latest.asm")).expect("the example's fold")
}

pub fn signers() -> Signers {
    let keys = ["keeper", "guest"].map(|name| (name.to_owned(), key(name)));
    Signers { keys: BTreeMap::from(keys), default: "keeper".into() }
}

/// A store with a stream that the keeper owns and where the guest is known.
pub async fn stocked(place: &Place, host: Host) -> Store {
    let mut store = Store::open(&place.database(), host).await.expect("the database opens");
    create(&mut store, STREAM).await;
    store
}

/// What a stream is made of.
pub struct Parts {
    fold: Stored,
    policy: Stored,
    governance: Stored,
    key: SecretKey,
}

impl Parts {
    pub fn new() -> Parts {
        let shipped = |name| Stored::shipped(name).expect("it ships");
        Parts {
            fold: fold(),
            policy: shipped(DEFAULT_POLICY),
            governance: shipped(DEFAULT_GOVERNANCE),
            key: key("keeper"),
        }
    }
}

pub fn new_stream<'a>(name: &'a str, parts: &'a Parts) -> NewStream<'a> {
    NewStream {
        name,
        fold: &parts.fold,
        policy: &parts.policy,
        governance: &parts.governance,
        actors: BTreeMap::from([("guest".to_owned(), vec![key("guest").public()])]),
        owner: "keeper",
        key: &parts.key,
    }
}

pub async fn create(store: &mut Store, name: &str) {
    store.create(&new_stream(name, &Parts::new())).await.expect("the stream is made");
}

/// A ULID of the time of all tests, told apart by a number.
pub fn ulid(number: u64) -> Ulid {
    Ulid::from_bytes((u128::from(NOW) << 80 | u128::from(number)).to_be_bytes())
}

/// An op as a line.
pub fn line(number: u64, rest: &str) -> Vec<u8> {
    format!("{{\"ulid\":\"{}\",\"type\":\"stock.set\",{rest}}}", ulid(number)).into_bytes()
}

pub fn draft(number: u64, rest: &str) -> Draft {
    Draft::from_line(&line(number, rest)).unwrap_or_else(|refused| panic!("{rest}: {refused}"))
}

/// An op that says how many there are of an item.
pub fn stock(number: u64, item: &str, count: u64) -> Draft {
    draft(number, &format!("\"payload\":{{\"item\":\"{item}\",\"count\":{count}}}"))
}

/// JSON as canonical CBOR.
pub fn canonical(text: &str) -> Vec<u8> {
    let mut heap = Heap::new(0);
    let value = json::decode(&mut heap, text.as_bytes(), &Options::CANONICAL).expect("JSON");
    let mut out = Vec::new();
    cbor::encode(&heap, value, &Options::CANONICAL, &mut out).expect("canonical");
    out
}

/// Signs an op as it is, with no salt but zeros; the payload root is made to fit.
pub fn sign(mut op: Op, payload: &str, key: &SecretKey) -> SignedOp {
    let payload = canonical(payload);
    let salts = Salts::fresh(&payload, &mut |bytes| bytes.fill(0)).expect("salts");
    op.payload_root = payload_root(&payload, &salts).expect("a root");
    SignedOp::sign(&op, payload, salts, key).unwrap_or_else(|refused| panic!("{refused}"))
}

/// How an answer is told in tests: outcome or code.
pub fn told(answer: &Answer) -> String {
    match answer {
        Answer::Committed(committed) => match committed.outcome.code() {
            None => format!("{} {}", committed.position, committed.outcome.name()),
            Some(code) => format!("{} {} {}", committed.position, committed.outcome.name(), code.name()),
        },
        Answer::Duplicate(_) => "duplicate".into(),
        Answer::Refused(refused) => refused.code.name().into(),
    }
}

pub fn all_told(answers: &[Answer]) -> Vec<String> {
    answers.iter().map(told).collect()
}
