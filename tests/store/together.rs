//! Several processes on one stream: all ops are committed, none twice, none skipped by a reader.

use crate::desk::{NOW, Place, STREAM, everywhere, host, host_of, key, run, signers, stock, stocked};
use kerai_store::backend::Address;
use kerai_store::code::Code;
use kerai_store::host::{Host, Point};
use kerai_store::{Answer, Store};
use kerai_tests::server::{self, Server};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How many processes append at once, and how many ops each.
const PROCESSES: u64 = 8;
const OPS: u64 = 25;

/// Names the database to a child, which one of them it is, and whether it stops in the middle.
const DATABASE: &str = "KERAI_TEST_DATABASE";
const NUMBER: &str = "KERAI_TEST_NUMBER";
const STOPS: &str = "KERAI_TEST_STOPS";

/// What a child says that holds the lock and goes no further.
const STOPPED: &str = "stopped in the middle";

/// Not a test by itself: what a child process does. Without its variables there is nothing to do.
#[test]
fn child_appends() {
    let (Ok(database), Ok(number)) = (std::env::var(DATABASE), std::env::var(NUMBER)) else { return };
    let number: u64 = number.parse().expect("a number");
    run(async {
        let stops = std::env::var(STOPS).is_ok_and(|stops| stops == "1");
        let reached = move |at: Point| {
            if stops && at == Point::AppendOp {
                println!("{STOPPED}");
                loop {
                    std::thread::park();
                }
            }
        };
        let address = Address::of(&database).expect("an address");
        let mut store = Store::open(&address, host_of(number, NOW, reached)).await.expect("opens");
        for op in 0..OPS {
            let draft = stock(1 + number * OPS + op, "item", number * OPS + op);
            let answers = store.append(STREAM, &signers(), &[draft]).await.expect("appended");
            assert!(matches!(answers.as_slice(), [Answer::Committed(_)]), "{answers:?}");
        }
    });
}

fn child(database: &str, number: u64, stops: bool) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["together::child_appends", "--exact", "--nocapture"])
        .env(DATABASE, database)
        .env(NUMBER, number.to_string())
        .env(STOPS, u8::from(stops).to_string())
        .stdout(if stops { Stdio::piped() } else { Stdio::null() })
        .spawn()
        .expect("a process")
}

#[test]
fn appenders_take_turns() {
    everywhere(|| {
        let place = Place::new();
        run(async {
            let mut store = stocked(&place, host()).await;
            let mut children: Vec<Child> = (0..PROCESSES).map(|number| child(&place.url(), number, false)).collect();
            // A reader meanwhile: what it sees is always a gapless beginning of what it sees later.
            let mut seen = Vec::new();
            while children.iter_mut().any(|child| child.try_wait().expect("a child").is_none()) {
                let ops = store.ops(STREAM).await.expect("ops");
                let ids: Vec<_> = ops.iter().map(|op| op.columns.op_id).collect();
                assert!(ids.starts_with(&seen), "an op was skipped");
                assert!(ops.iter().zip(1..).all(|(op, position)| op.position == position), "a gap");
                seen = ids;
            }
            for mut child in children {
                assert!(child.wait().expect("it ends").success());
            }
            assert_eq!(store.ops(STREAM).await.expect("ops").len() as u64, 1 + PROCESSES * OPS);
            store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            let verified = store.verify(STREAM, &[]).await.expect("verified");
            assert_eq!((verified.first_divergence, verified.checked.ops), (None, 1 + PROCESSES * OPS));
        });
    });
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().expect("kill runs");
    assert!(sent.success());
}

/// One of eight is stopped with the lock in its hand: nobody goes past it, whoever is impatient is told so by a code, and
/// the others go on when it dies. What it had written is gone, and no reader ever saw an op after a gap.
#[test]
fn a_stopped_appender_holds_nobody_for_ever() {
    everywhere(|| {
        let place = Place::new();
        run(async {
            let mut store = stocked(&place, host()).await;
            let mut stopped = child(&place.url(), 0, true);
            let mut output = BufReader::new(stopped.stdout.take().expect("its output")).lines().map_while(Result::ok);
            assert!(output.any(|line| line.contains(STOPPED)), "it never came to the middle");
            signal(&stopped, "-STOP");
            let mut others: Vec<Child> = (1..PROCESSES).map(|number| child(&place.url(), number, false)).collect();
            let impatient = Host { wait: Duration::from_millis(300), ..host_of(99, NOW, |_| ()) };
            let mut impatient = Store::open(&place.database(), impatient).await.expect("reading needs no lock");
            for _ in 0..3 {
                let told = impatient.append(STREAM, &signers(), &[stock(9999, "fig", 1)]).await;
                assert_eq!(told.expect_err("the lock is held").code(), Some(Code::ACK_TIMEOUT));
                assert_eq!(store.ops(STREAM).await.expect("ops").len(), 1, "an op went past the one that waits");
            }
            assert!(others.iter_mut().all(|child| child.try_wait().expect("a child").is_none()), "they wait");
            signal(&stopped, "-KILL");
            stopped.wait().expect("gone");
            for mut child in others {
                assert!(child.wait().expect("it ends").success());
            }
            let ops = store.ops(STREAM).await.expect("ops");
            assert!(ops.iter().zip(1..).all(|(op, position)| op.position == position), "a gap");
            assert_eq!(ops.len() as u64, 1 + (PROCESSES - 1) * OPS);
            store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            assert_eq!(store.verify(STREAM, &[]).await.expect("verified").first_divergence, None);
        });
    });
}

/// Two that materialize at once write the same checkpoint once.
#[test]
fn materializers_take_turns() {
    everywhere(|| {
        let place = Place::new();
        run(async { drop(stocked(&place, host()).await) });
        let address = place.database();
        let open = async || Store::open(&address, host_of(1, NOW, |_| ())).await.expect("opens");
        let materialize =
            || run(async { open().await.materialize(STREAM, &key("keeper")).await.expect("materialized") });
        for round in 0..5 {
            run(async {
                open().await.append(STREAM, &signers(), &[stock(1 + round, "fig", round)]).await.expect("appended")
            });
            let (one, two) = std::thread::scope(|scope| {
                let (one, two) = (scope.spawn(materialize), scope.spawn(materialize));
                (one.join().expect("done"), two.join().expect("done"))
            });
            assert_eq!(one.checkpoint, two.checkpoint);
            assert_eq!(one.written + two.written, 1, "the row was written once");
        }
        run(async {
            let verified = open().await.verify(STREAM, &[]).await.expect("verified");
            assert_eq!((verified.first_divergence, verified.checked.checkpoints), (None, 5));
        });
    });
}

/// Whoever follows a log hears of what another one commits.
#[test]
fn a_follower_hears_of_commits() {
    everywhere(|| {
        let place = Place::new();
        run(async { drop(stocked(&place, host()).await) });
        let address = place.database();
        let open = async |seed| Store::open(&address, host_of(seed, NOW, |_| ())).await.expect("opens");
        std::thread::scope(|scope| {
            let follower = scope.spawn(|| {
                run(async {
                    let mut store = open(1).await;
                    for count in 1..=5 {
                        store.follow(STREAM, count).await.expect("there is more");
                    }
                })
            });
            let begun = std::time::Instant::now();
            run(async {
                let mut store = open(2).await;
                for number in 1..=5 {
                    store.append(STREAM, &signers(), &[stock(number, "fig", number)]).await.expect("appended");
                }
            });
            follower.join().expect("it heard of all");
            // Below what it would take to look without having heard.
            assert!(begun.elapsed() < Duration::from_millis(kerai_store::limit::LOG_HEAR.value), "it did not hear");
        });
    });
}

/// Whoever follows a log outlives its server: when that comes up again, it goes on where it was.
#[test]
fn a_follower_outlives_its_server() {
    let Some(binaries) = server::binaries() else {
        server::the_server();
        return;
    };
    let folder = server::folder("follow");
    let server = Server::private(&binaries, &folder);
    let address = Address::of(&server.url("postgres")).expect("an address");
    let open = async |seed| Store::open(&address, host_of(seed, NOW, |_| ())).await.expect("opens");
    run(async { crate::desk::create(&mut open(0).await, STREAM).await });
    let append = |number| {
        run(async {
            let one = [stock(number, "fig", number)];
            open(10 + number).await.append(STREAM, &signers(), &one).await.expect("appended");
        });
    };
    std::thread::scope(|scope| {
        let follower = scope.spawn(|| {
            run(async {
                let told = async |_: &mut Store, done: &kerai_store::Materialized| Ok(done.checkpoint.count < 5);
                open(1).await.keep_up(STREAM, &key("keeper"), told).await.expect("it keeps up");
            });
        });
        for number in 1..5 {
            append(number);
            server.crash(&folder);
        }
        follower.join().expect("it saw them all");
    });
    run(async {
        let verified = open(2).await.verify(STREAM, &[]).await.expect("verified");
        assert_eq!((verified.first_divergence, verified.checked.ops), (None, 5));
    });
}
