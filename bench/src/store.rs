//! The store against plain SQL on one server: signed ops to rows and a signed checkpoint, beside `INSERT … SELECT
//! DISTINCT ON` from JSON Lines, which keeps no log, no roots and no signatures, and beside COPY alone.

use crate::harness::{Outcome, Plan};
use crate::server::Server;
use cpu_time::ProcessTime;
use kerai_compiler::{Language, Source, compile};
use kerai_store::backend::Address;
use kerai_store::host::Host;
use kerai_store::op::signature::SecretKey;
use kerai_store::op::{Op, Salts, SignedOp, payload_root};
use kerai_store::program::{DEFAULT_GOVERNANCE, DEFAULT_POLICY, Stored};
use kerai_store::{Answer, NewStream, Store};
use kerai_vm::encoding::{Options, cbor, json};
use kerai_vm::ulid::Ulid;
use kerai_vm::value::Heap;
use serde_json::{Value, json as page};
use sqlx::{Connection, PgConnection};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

pub const NAME: &str = "store";
pub const ABOUT: &str = "signed ops to rows and a checkpoint, beside plain SQL on the same server";

/// The last value of each of the keys.
const FOLD: &str = "
function fold(events)
  local rows = {}
  for _, e in dpairs(events) do
    rows[e.payload.id] = { amount = e.payload.amount, city = e.payload.city, ulid = e.ulid }
  end
  return emit_json_canonical('rows', rows)
end
";

/// The stream whose signatures are measured apart, and the one to which signed ops are appended.
const STREAM: &str = "bench";
const SIGNED: &str = "signed";

/// Ops that come later, in hundredths of those before, those that are appended with their signatures, in the same, and
/// single ones whose latency is told.
const MORE_IN_HUNDRED: usize = 1;
const SIGNED_IN_HUNDRED: usize = 20;
const SINGLE: usize = 200;

/// When the ops were made: milliseconds since 1970.
const BEGUN: u64 = 1_750_000_000_000;

const CITIES: [&str; 5] = ["Berlin", "Lagos", "Lima", "Osaka", "Reykjavík"];

/// What took how long.
#[derive(Default)]
pub struct Finding {
    events: usize,
    times: Vec<(&'static str, f64)>,
    /// What this process and the server have computed in each of them.
    computed: BTreeMap<&'static str, (f64, f64)>,
}

/// The time by the clock, and what was computed so far.
struct Watch<'s> {
    server: &'s Server,
    begun: Instant,
    ours: ProcessTime,
    theirs: f64,
}

impl<'s> Watch<'s> {
    fn new(server: &'s Server) -> Watch<'s> {
        Watch { theirs: server.computed(), server, ours: ProcessTime::now(), begun: Instant::now() }
    }

    fn stop(self, name: &'static str, finding: &mut Finding) {
        finding.times.push((name, self.begun.elapsed().as_secs_f64()));
        let computed = (self.ours.elapsed().as_secs_f64(), self.server.computed() - self.theirs);
        finding.computed.insert(name, computed);
    }
}

fn said<E: std::fmt::Display>(what: &'static str) -> impl Fn(E) -> String {
    move |fault| format!("{what}: {fault}")
}

impl Finding {
    fn time(&self, name: &str) -> f64 {
        self.times.iter().find(|time| time.0 == name).map_or(f64::NAN, |time| time.1)
    }

    async fn measure<T>(
        &mut self,
        server: &Server,
        name: &'static str,
        work: impl Future<Output = Outcome<T>>,
    ) -> Outcome<T> {
        let watch = Watch::new(server);
        let done = work.await?;
        watch.stop(name, self);
        Ok(done)
    }

    /// What the figures come to, each with the bound that it is held to. The signatures of the whole were checked before.
    fn ratios(&self) -> [(&'static str, f64, &'static str); 3] {
        let whole = self.time("ops to log") + self.time("log to rows");
        let sql = f64::midpoint(self.time("sql"), self.time("sql again"));
        let slower = self.time("signatures alone").max(self.time("copy alone"));
        [
            ("ours over SQL, signatures apart", whole / sql, "at most 1.5"),
            (
                "more ops over all before",
                (self.time("more to log") + self.time("more to rows")) / whole,
                "at most 0.04",
            ),
            ("slower of signatures and copy over appending", slower / self.time("signed ops to log"), "at least 0.8"),
        ]
    }

    pub fn to_json(&self) -> Value {
        let ratios: BTreeMap<&str, Value> = self
            .ratios()
            .into_iter()
            .map(|(name, ratio, bound)| (name, page!({ "ratio": (ratio * 1000.0).round() / 1000.0, "bound": bound })))
            .collect();
        let times: BTreeMap<&str, f64> = self.times.iter().map(|&(name, time)| (name, time)).collect();
        page!({ "name": "store", "unit": format!("{} ops", self.events), "seconds": times, "ratios": ratios })
    }

    pub fn to_table(&self) -> String {
        let mut table =
            format!("store: {} ops, seconds: by the clock, computed here, computed by the server\n", self.events);
        for (name, time) in &self.times {
            // Writing to a string cannot fail.
            let _ = write!(table, "  {name:<46}{time:>10.4}");
            let _ = match self.computed.get(name) {
                Some((ours, theirs)) => writeln!(table, "{ours:>10.2}{theirs:>8.2}"),
                None => writeln!(table),
            };
        }
        for (name, ratio, bound) in self.ratios() {
            let _ = writeln!(table, "  {name:<46}{ratio:>10.3}  {bound}");
        }
        table
    }
}

/// Runs it all on a server of its own.
pub fn run(plan: &Plan) -> Outcome<Finding> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(said("a runtime"))?;
    runtime.block_on(whole(plan))
}

async fn whole(plan: &Plan) -> Outcome<Finding> {
    let server = Server::start().await?;
    let mut finding = Finding { events: plan.events, ..Finding::default() };
    let mut connection = PgConnection::connect(&server.url()).await.map_err(said("the server"))?;
    let payloads: Vec<String> = (0..plan.events).map(payload).collect();
    let lines: String = payloads.iter().enumerate().map(|(number, payload)| line(number, payload)).collect();
    let rows = finding.measure(&server, "sql", plain_sql(&mut connection, &lines)).await?;

    let address = Address::of(&server.url()).ok_or("an address")?;
    let host = Host { now: Box::new(|| BEGUN + 1_000_000_000), ..Host::system() };
    let mut store = Store::open(&address, host).await.map_err(said("the store"))?;
    let (key, fold) = (SecretKey::from_seed(&[7; 32]), fold()?);
    let mut author = Author::begin(&mut store, STREAM, &fold, &key).await?;
    let ops: Vec<SignedOp> = payloads.iter().map(|payload| author.sign(payload)).collect::<Outcome<_>>()?;
    finding.measure(&server, "ops to log", ingest_verified(&mut store, ops)).await?;

    let more: Vec<SignedOp> = (0..plan.events * MORE_IN_HUNDRED / 100)
        .map(|number| author.sign(&payload(number * 7 + 3)))
        .collect::<Outcome<_>>()?;
    let singles: Vec<SignedOp> = (0..SINGLE).map(|number| author.sign(&payload(number))).collect::<Outcome<_>>()?;
    let mut round = 0;
    let mut watch = Some(Watch::new(&server));
    let told = async |store: &mut Store, done: &kerai_store::Materialized| {
        round += 1;
        if round == 1 {
            watch.take().into_iter().for_each(|watch| watch.stop("log to rows", &mut finding));
            if done.rows != rows {
                println!("{} rows, where SQL has {rows}", done.rows);
            }
            let logging = Watch::new(&server);
            store.ingest_verified(STREAM, more.clone()).await?;
            logging.stop("more to log", &mut finding);
            watch = Some(Watch::new(&server));
            return Ok(true);
        }
        watch.take().into_iter().for_each(|watch| watch.stop("more to rows", &mut finding));
        Ok(false)
    };
    store.keep_up(STREAM, &key, told).await.map_err(said("the rows"))?;
    execute(&mut connection, "DROP TABLE lines, events, latest").await?;
    finding.measure(&server, "sql again", plain_sql(&mut connection, &lines)).await?;
    drop(lines);

    let mut author = Author::begin(&mut store, SIGNED, &fold, &key).await?;
    let signed = payloads.iter().take(plan.events * SIGNED_IN_HUNDRED / 100).map(|payload| author.sign(payload));
    let signed: Vec<SignedOp> = signed.collect::<Outcome<_>>()?;
    finding.measure(&server, "copy alone", copy_alone(&mut connection, &signed)).await?;
    finding.measure(&server, "signatures alone", async { verify_alone(&signed) }).await?;
    finding.measure(&server, "signed ops to log", ingest(&mut store, SIGNED, signed)).await?;

    let mut latencies = Vec::new();
    for op in singles {
        let begun = Instant::now();
        ingest(&mut store, STREAM, vec![op]).await?;
        latencies.push(begun.elapsed());
    }
    latencies.sort_unstable();
    for (name, hundredth) in [("single op, p50", 50), ("single op, p99", 99)] {
        let latency = latencies.get(latencies.len() * hundredth / 100).copied().unwrap_or(Duration::ZERO);
        finding.times.push((name, latency.as_secs_f64()));
    }
    Ok(finding)
}

fn payload(number: usize) -> String {
    // A tenth as many rows as ops, each touched in no order.
    let id = number.wrapping_mul(2_654_435_761) % 1_000_000_007 % 100_000;
    let city = CITIES.get(number % CITIES.len()).copied().unwrap_or_default();
    format!("{{\"amount\":{}.{:02},\"city\":\"{city}\",\"id\":\"row {id}\"}}", number % 10_000, number % 97)
}

fn ulid(number: usize) -> Ulid {
    Ulid::from_bytes((u128::from(BEGUN + number as u64 / 10) << 80 | number as u128).to_be_bytes())
}

fn line(number: usize, payload: &str) -> String {
    format!("{{\"ulid\":\"{}\",\"type\":\"row.set\",\"payload\":{payload}}}\n", ulid(number))
}

async fn execute(connection: &mut PgConnection, sql: &'static str) -> Outcome<()> {
    sqlx::raw_sql(sql).execute(connection).await.map(drop).map_err(said("sql"))
}

/// JSON Lines to the last value of each key, as one would write it; how many rows that gives.
async fn plain_sql(connection: &mut PgConnection, lines: &str) -> Outcome<usize> {
    execute(connection, "CREATE TABLE lines (line jsonb)").await?;
    // Quotes and delimiters that no line has: a line is one field.
    let sql = "COPY lines FROM STDIN (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')";
    let mut copy = connection.copy_in_raw(sql).await.map_err(said("copy"))?;
    for chunk in lines.as_bytes().chunks(1 << 20) {
        copy.send(chunk).await.map_err(said("copy"))?;
    }
    copy.finish().await.map_err(said("copy"))?;
    execute(
        connection,
        "CREATE TABLE events AS SELECT line->>'ulid' AS ulid, line->'payload'->>'id' AS id,
            (line->'payload'->>'amount')::numeric AS amount, line->'payload'->>'city' AS city FROM lines",
    )
    .await?;
    execute(connection, "CREATE TABLE latest (id text PRIMARY KEY, amount numeric, city text, ulid text)").await?;
    execute(
        connection,
        "INSERT INTO latest SELECT DISTINCT ON (id) id, amount, city, ulid FROM events ORDER BY id, ulid DESC",
    )
    .await?;
    let count: i64 =
        sqlx::query_scalar("SELECT count(*) FROM latest").fetch_one(connection).await.map_err(said("count"))?;
    Ok(usize::try_from(count).unwrap_or(0))
}

/// What an op weighs, into a table without an index.
async fn copy_alone(connection: &mut PgConnection, ops: &[SignedOp]) -> Outcome<()> {
    execute(connection, "CREATE TABLE bare (body bytea, payload bytea, salts bytea, signature bytea)").await?;
    let sql = "COPY bare FROM STDIN (FORMAT binary)";
    let mut copy = connection.copy_in_raw(sql).await.map_err(said("copy"))?;
    let mut bytes = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    for op in ops {
        bytes.extend_from_slice(&4_u16.to_be_bytes());
        for field in [&op.body[..], &op.payload, op.salts.bytes(), &op.signature] {
            bytes.extend_from_slice(&(field.len() as u32).to_be_bytes());
            bytes.extend_from_slice(field);
        }
        if bytes.len() > 1 << 18 {
            copy.send(std::mem::take(&mut bytes)).await.map_err(said("copy"))?;
        }
    }
    bytes.extend_from_slice(&(-1_i16).to_be_bytes());
    copy.send(bytes).await.map_err(said("copy"))?;
    copy.finish().await.map(drop).map_err(said("copy"))
}

fn verify_alone(ops: &[SignedOp]) -> Outcome<()> {
    let is_signed = |op: &SignedOp| {
        Op::decode(&op.body).is_ok_and(|read| {
            let id = kerai_store::op::op_id(&op.body);
            kerai_store::op::signature::verify(kerai_store::op::signature::Domain::Op, &id, &read.author, &op.signature)
        })
    };
    if ops.iter().all(is_signed) { Ok(()) } else { Err("a signature is wrong".into()) }
}

async fn ingest(store: &mut Store, stream: &str, ops: Vec<SignedOp>) -> Outcome<()> {
    admitted(&store.ingest_all(stream, ops).await.map_err(said("ingest"))?)
}

async fn ingest_verified(store: &mut Store, ops: Vec<SignedOp>) -> Outcome<()> {
    admitted(&store.ingest_verified(STREAM, ops).await.map_err(said("ingest"))?)
}

fn admitted(answers: &[Answer]) -> Outcome<()> {
    let is_admitted = |answer: &Answer| matches!(answer, Answer::Committed(done) if done.outcome.code().is_none());
    match answers.iter().find(|answer| !is_admitted(answer)) {
        None => Ok(()),
        Some(answer) => Err(format!("{answer:?}")),
    }
}

fn fold() -> Outcome<Stored> {
    let source = Source::read(FOLD.as_bytes()).map_err(|fault| format!("{fault:?}"))?;
    let compiled = compile(Language::Lua, &source).map_err(|faults| format!("{faults:?}"))?;
    let bytes = compiled.program.encode().map_err(said("the fold"))?;
    Stored::from_bytes(&bytes).map_err(said("the fold"))
}

/// One author's chain.
struct Author<'k> {
    key: &'k SecretKey,
    next: Op,
    number: usize,
}

impl Author<'_> {
    async fn begin<'k>(store: &mut Store, name: &str, fold: &Stored, key: &'k SecretKey) -> Outcome<Author<'k>> {
        let shipped = |name| Stored::shipped(name).ok_or("a shipped program");
        let (policy, governance) = (shipped(DEFAULT_POLICY)?, shipped(DEFAULT_GOVERNANCE)?);
        let new = NewStream {
            name,
            fold,
            policy: &policy,
            governance: &governance,
            actors: BTreeMap::new(),
            owner: "bench",
            key,
        };
        let stream = store.create(&new).await.map_err(said("the stream"))?;
        let genesis = store.ops(name).await.map_err(said("the genesis"))?;
        let genesis = genesis.first().ok_or("a genesis")?;
        let op = Op::decode(&genesis.signed.body).map_err(said("the genesis"))?;
        let kind = "row.set".to_owned();
        let next = Op { stream: Some(stream.genesis), previous: Some(stream.genesis), sequence: 2, kind, ..op };
        Ok(Author { key, next, number: 0 })
    }

    fn sign(&mut self, payload: &str) -> Outcome<SignedOp> {
        let mut heap = Heap::new(0);
        let value = json::decode(&mut heap, payload.as_bytes(), &Options::CANONICAL).map_err(said("a payload"))?;
        let mut payload = Vec::new();
        cbor::encode(&heap, value, &Options::CANONICAL, &mut payload).map_err(said("a payload"))?;
        let mut salt = self.number as u8;
        let salts = Salts::fresh(&payload, &mut |bytes| {
            salt = salt.wrapping_mul(31).wrapping_add(7);
            bytes.fill(salt);
        });
        let salts = salts.map_err(said("salts"))?;
        self.next.ulid = ulid(self.number);
        self.next.payload_root = payload_root(&payload, &salts).map_err(said("a root"))?;
        let signed = SignedOp::sign(&self.next, payload, salts, self.key).map_err(said("an op"))?;
        self.next.previous = Some(kerai_store::op::op_id(&signed.body));
        self.next.sequence += 1;
        self.number += 1;
        Ok(signed)
    }
}
