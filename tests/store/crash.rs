//! Killed at every named point and at any time, the store resumes to the bytes of an undisturbed run.

use crate::desk::{NOW, Numbers, Place, everywhere, host_of, key, run, signers, stock};
use kerai_store::Store;
use kerai_store::backend::Address;
use kerai_store::checkpoint::Checkpoint;
use kerai_store::fault::Fault;
use kerai_store::host::Point;
use kerai_store::op::Draft;
use kerai_tests::server::{self, Server};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

/// Name to the child the database and its stream, a folder for its files, where it is to hang, and at which time of coming
/// there.
const DATABASE: &str = "KERAI_TEST_CRASH_DATABASE";
const STREAM: &str = "KERAI_TEST_CRASH_STREAM";
const FOLDER: &str = "KERAI_TEST_CRASH_FOLDER";
const POINT: &str = "KERAI_TEST_CRASH_POINT";
const TIME: &str = "KERAI_TEST_CRASH_TIME";

/// What the child says when it begins, when it is where it hangs, and when it was told no.
const BEGUN: &str = "begun: ";
const REACHED: &str = "reached: ";
const REFUSED: &str = "refused: ";

/// At which times of coming to a point the process is killed.
const TIMES: [u32; 4] = [0, 1, 2, 4];

/// How often a process is killed at a time that nobody chose, on each backend, and how often a server is killed.
const KILLS: u64 = 200;
const SERVER_KILLS: u64 = 80;

/// The longest time that a process has before it is killed, in microseconds: all of the work takes about as long.
const LONGEST: u64 = 120_000;

fn drafts() -> Vec<Draft> {
    let at = |number| if number < 6 { 1 + (number * 5) % 6 } else { 20 - number };
    (0..9).map(|number| stock(at(number), if number % 2 == 0 { "even" } else { "odd" }, number)).collect()
}

/// The whole work, as often as it is begun: a stream, its ops in three parts, and its state; before the last one the
/// epoch is closed, archived and pruned.
async fn work(store: &mut Store, name: &str, folder: &Path) -> Result<Checkpoint, Fault> {
    if !store.streams().await?.iter().any(|stream| stream.name == name) {
        store.create(&crate::desk::new_stream(name, &crate::desk::Parts::new())).await?;
    }
    let drafts = drafts();
    let (before, third) = drafts.split_at(6);
    let (first, second) = before.split_at(3);
    store.append(name, &signers(), first).await?;
    store.materialize(name, &key("keeper")).await?;
    store.append(name, &signers(), second).await?;
    store.materialize(name, &key("keeper")).await?;
    if store.streams().await?.iter().any(|stream| stream.name == name && stream.epoch == 1) {
        store.close_epoch(name, &signers(), &key("keeper")).await?;
    }
    // Each process has its own, and whoever made the folder removes it with all of them: one that is killed can't.
    let archive = folder.join(format!("{} {name}.pack", std::process::id()));
    if store.pruned(name).await?.is_none() {
        crate::prune::archived(store, name, &archive).await?;
    }
    crate::prune::pruned(store, name, &archive).await?;
    store.append(name, &signers(), third).await?;
    Ok(store.materialize(name, &key("keeper")).await?.checkpoint)
}

/// A seed of randomness for a stream: each has a genesis of its own.
fn seed(name: &str) -> u64 {
    name.bytes().fold(1, |seed, byte| (seed * 31 + u64::from(byte)) % 1_000_003)
}

/// Not a test by itself: the process that is killed. Without its variables there is nothing to do.
#[test]
fn child_hangs() {
    let (Ok(database), Ok(name)) = (std::env::var(DATABASE), std::env::var(STREAM)) else { return };
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("a folder"));
    let point = std::env::var(POINT).unwrap_or_default();
    let time: u32 = std::env::var(TIME).expect("a time").parse().expect("a number");
    let left = std::cell::Cell::new(time);
    let reached = move |at: Point| {
        if at.name() == point {
            if left.get() == 0 {
                println!("{REACHED}");
                loop {
                    std::thread::park();
                }
            }
            left.set(left.get() - 1);
        }
    };
    println!("{BEGUN}");
    run(async {
        let address = Address::of(&database).expect("an address");
        let done = match Store::open(&address, host_of(seed(&name), NOW, reached)).await {
            Ok(mut store) => work(&mut store, &name, &folder).await.map(drop),
            Err(fault) => Err(fault),
        };
        if let Err(fault) = done {
            println!("{REFUSED}{}", fault.code().map_or("no code", kerai_store::code::Code::name));
        }
    });
}

/// The work in a process of its own.
struct Worker {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Worker {
    fn start(database: &str, folder: &Path, name: &str, (point, time): (&str, u32)) -> Worker {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["crash::child_hangs", "--exact", "--nocapture"])
            .envs([(DATABASE, database), (STREAM, name), (POINT, point), (TIME, &time.to_string())])
            .env(FOLDER, folder)
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        Worker { child, output }
    }

    /// Reads on until it says that; the rest of the line, or none where it ended before.
    fn says(&mut self, what: &str) -> Option<String> {
        let mut lines = (&mut self.output).lines().map_while(Result::ok);
        lines.find_map(|line| line.split_once(what).map(|(_, rest)| rest.to_owned()))
    }

    fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }
}

/// What an undisturbed run comes to.
fn expected(database: &Address, folder: &Path) -> Checkpoint {
    run(async {
        let mut store = Store::open(database, host_of(0, NOW, |_| ())).await.expect("opens");
        work(&mut store, "undisturbed", folder).await.expect("done")
    })
}

/// Does the work again after a crash, and compares.
fn resumes(database: &Address, folder: &Path, name: &str, expected: &Checkpoint, how: &str) {
    run(async {
        let mut store = Store::open(database, host_of(seed(name), NOW, |_| ())).await.expect("opens again");
        let resumed = work(&mut store, name, folder).await.unwrap_or_else(|fault| panic!("{how}: {fault}"));
        assert_eq!(resumed.count, expected.count, "{how}: an op is lost or there twice");
        assert_eq!(resumed.state_root, expected.state_root, "{how}");
        let verified = store.verify(name, &[]).await.expect("verified");
        assert_eq!((verified.first_divergence, verified.checked.ops), (None, expected.count), "{how}");
        assert_eq!(verified.pruned, Some(7), "{how}");
    });
}

#[test]
fn killed_at_any_point_it_resumes_to_the_same_bytes() {
    everywhere(|| {
        let place = Place::new();
        let expected = expected(&place.database(), place.path());
        let mut kills = 0;
        for &point in Point::ALL {
            for time in TIMES {
                let name = format!("{} {time}", point.name());
                let mut worker = Worker::start(&place.url(), place.path(), &name, (point.name(), time));
                if worker.says(REACHED).is_none() {
                    assert!(time > 0, "the work never comes to {}", point.name());
                    continue;
                }
                worker.kill();
                kills += 1;
                resumes(&place.database(), place.path(), &name, &expected, &name);
            }
        }
        assert!(kills > Point::ALL.len(), "only {kills} kills");
        println!("{kills} kills at {} points", Point::ALL.len());
    });
}

#[test]
fn killed_at_any_time_it_resumes_to_the_same_bytes() {
    everywhere(|| {
        let place = Place::new();
        let expected = expected(&place.database(), place.path());
        let mut numbers = Numbers::from(5);
        for kill in 0..KILLS {
            let (name, time) = (format!("random {kill}"), numbers.below(LONGEST));
            let mut worker = Worker::start(&place.url(), place.path(), &name, ("", 0));
            worker.says(BEGUN).expect("it begins");
            std::thread::sleep(Duration::from_micros(time));
            worker.kill();
            resumes(&place.database(), place.path(), &name, &expected, &format!("{name}, after {time} µs"));
        }
    });
}

/// The server itself is killed, at points and at any time: the process is told so by a code, or hangs and is killed too.
#[test]
fn with_its_server_killed_it_resumes_to_the_same_bytes() {
    let Some(binaries) = server::binaries() else {
        server::the_server();
        return;
    };
    let folder = server::folder("crash");
    let server = Server::private(&binaries, &folder);
    let url = server.url("postgres");
    let database = Address::of(&url).expect("an address");
    let place = Place::new();
    let expected = expected(&database, place.path());
    let mut numbers = Numbers::from(7);
    let points = Point::ALL.iter().map(|point| point.name()).chain([""]).cycle();
    let mut told = 0;
    for (kill, point) in (0..SERVER_KILLS).zip(points) {
        let (name, time) = (format!("server {kill}"), numbers.below(LONGEST));
        let mut worker = Worker::start(&url, place.path(), &name, (point, 0));
        worker.says(if point.is_empty() { BEGUN } else { REACHED }).expect("it comes there");
        if point.is_empty() {
            std::thread::sleep(Duration::from_micros(time));
        }
        server.crash(&folder);
        if point.is_empty()
            && let Some(code) = worker.says(REFUSED)
        {
            assert_eq!(code, "DATABASE_GONE", "{name}, after {time} µs");
            told += 1;
        }
        worker.kill();
        resumes(&database, place.path(), &name, &expected, &format!("{name} at `{point}`, after {time} µs"));
    }
    println!("{told} processes were told by a code that their server had gone");
}
