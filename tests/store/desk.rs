//! What the store's tests stand on: a folder that goes when the test ends, a fixed host, keys, ops.

use kerai_store::backend::Address;
use kerai_store::host::{Host, Point};
use kerai_store::op::signature::SecretKey;
use kerai_store::op::{Draft, Op, Salts, SignedOp, payload_root};
use kerai_store::program::{DEFAULT_GOVERNANCE, DEFAULT_POLICY, Stored};
use kerai_store::{Answer, NewStream, Signers, Store};
use kerai_tests::server;
use kerai_vm::encoding::{Options, cbor, json};
use kerai_vm::ulid::Ulid;
use kerai_vm::value::Heap;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, PgConnection, SqliteConnection};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The time at which every test happens.
pub const NOW: u64 = 1_750_000_000_000;

pub const STREAM: &str = "stock";

thread_local! {
    /// Where the test that runs on this thread keeps its databases.
    static ON_SERVER: Cell<bool> = const { Cell::new(false) };
}

/// Runs a test on every backend: on SQLite, and on PostgreSQL where a server can be had.
pub fn everywhere(test: impl Fn()) {
    test();
    if server::the_server().is_some() {
        ON_SERVER.set(true);
        test();
        ON_SERVER.set(false);
    }
}

/// A folder of its own for a test, and a database.
pub struct Place {
    folder: PathBuf,
    /// The database's name on the server.
    name: Option<String>,
}

impl Place {
    pub fn new() -> Place {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("kerai_store_{}_{number}", std::process::id());
        let folder = std::env::temp_dir().join(&name);
        fs::create_dir_all(&folder).expect("the folder can be made");
        let on_server = ON_SERVER.get();
        if on_server {
            administer(format!("CREATE DATABASE {name}"));
        }
        Place { folder, name: on_server.then_some(name) }
    }

    pub fn path(&self) -> &Path {
        &self.folder
    }

    pub fn file(&self) -> PathBuf {
        self.folder.join(".kerai").join("kerai.db")
    }

    /// The database as one names it by `--db`.
    pub fn url(&self) -> String {
        match &self.name {
            Some(name) => server::the_server().expect("a server").url(name),
            None => self.file().display().to_string(),
        }
    }

    pub fn database(&self) -> Address {
        Address::of(&self.url()).expect("an address")
    }

    pub const fn is_on_server(&self) -> bool {
        self.name.is_some()
    }

    /// The database as anyone may open it.
    pub async fn raw(&self) -> Raw {
        if self.is_on_server() {
            let mut connection = PgConnection::connect(&self.url()).await.expect("it opens");
            sqlx::raw_sql("SET search_path = kerai").execute(&mut connection).await.expect("set");
            return Raw::Postgres(connection);
        }
        let options = SqliteConnectOptions::new().filename(self.file()).create_if_missing(true).foreign_keys(true);
        Raw::Sqlite(SqliteConnection::connect_with(&options).await.expect("it opens"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What can't be removed is the system's to clean up.
        let _ = fs::remove_dir_all(&self.folder);
        if let Some(name) = &self.name
            && !std::thread::panicking()
        {
            administer(format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

/// A connection beside the store's.
pub enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Raw {
    /// Statements in SQLite's words. A server is told the same in its own: where its tables are, and how bytes are made.
    pub async fn execute(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        match self {
            Raw::Sqlite(connection) => {
                sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(connection).await?;
            }
            Raw::Postgres(connection) => {
                let sql = sql.replace("x'", "'\\x").replace("zeroblob(", "decode(repeat('00', ");
                let sql =
                    sql.replace(")/*zeros*/", "), 'hex')").replace("randomblob(32)", "sha256(random()::text::bytea)");
                sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(connection).await?;
            }
        }
        Ok(())
    }
}

/// Runs to the end on this thread.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

/// A host whose clock stands still and whose randomness is known.
pub fn host() -> Host {
    host_at(NOW, |_| ())
}

pub fn host_at(now: u64, reached: impl Fn(Point) + 'static) -> Host {
    host_of(0, now, reached)
}

/// Hosts with different seeds make different ULIDs and salts.
pub fn host_of(seed: u64, now: u64, reached: impl Fn(Point) + 'static) -> Host {
    let mut next: u64 = seed << 32;
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
        told: Box::new(|_, _| ()),
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

/// Makes the stream of all tests with a fold of its own.
pub async fn new_stream_of(store: &mut Store, fold: &Stored) {
    let parts = Parts { fold: fold.clone(), ..Parts::new() };
    store.create(&new_stream(STREAM, &parts)).await.expect("the stream is made");
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

/// A small generator: the same numbers from the same seed, everywhere.
pub struct Numbers(u64);

impl Numbers {
    pub const fn from(seed: u64) -> Numbers {
        Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below a bound.
    pub const fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// Has the server do something outside of all tests' databases.
fn administer(sql: String) {
    let work = move || {
        let url = server::the_server().expect("a server").url("postgres");
        run(async {
            let mut connection = PgConnection::connect(&url).await.expect("it answers");
            let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.clone())).execute(&mut connection).await;
            done.unwrap_or_else(|fault| panic!("{sql}: {fault}"));
        });
    };
    std::thread::spawn(work).join().expect("done");
}
