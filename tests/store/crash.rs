//! Killed at every named point, the store resumes to the bytes of an undisturbed run.

use crate::desk::{NOW, Place, STREAM, everywhere, host, host_at, key, run, signers, stock, stocked};
use kerai_store::Store;
use kerai_store::backend::Address;
use kerai_store::host::Point;
use kerai_store::op::Draft;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Names the database to the child, where it is to hang, and at which time of coming there.
const DATABASE: &str = "KERAI_TEST_CRASH_DATABASE";
const POINT: &str = "KERAI_TEST_CRASH_POINT";
const TIME: &str = "KERAI_TEST_CRASH_TIME";

/// What the child says when it is there.
const REACHED: &str = "reached the point";

fn drafts() -> Vec<Draft> {
    (0..6).map(|number| stock(1 + (number * 5) % 6, if number % 2 == 0 { "even" } else { "odd" }, number)).collect()
}

/// The whole work, as often as it is begun: a stream, its ops in two halves, and its state.
async fn work(store: &mut Store) {
    if store.streams().await.expect("streams").is_empty() {
        crate::desk::create(store, STREAM).await;
    }
    let drafts = drafts();
    let (first, second) = drafts.split_at(3);
    store.append(STREAM, &signers(), first).await.expect("appended");
    store.materialize(STREAM, &key("keeper")).await.expect("materialized");
    store.append(STREAM, &signers(), second).await.expect("appended");
    store.materialize(STREAM, &key("keeper")).await.expect("materialized");
}

/// Not a test by itself: the process that is killed. Without its variables there is nothing to do.
#[test]
fn child_hangs() {
    let (Ok(database), Ok(point)) = (std::env::var(DATABASE), std::env::var(POINT)) else { return };
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
    run(async {
        let mut store =
            Store::open(&Address::of(&database).expect("an address"), host_at(NOW, reached)).await.expect("opens");
        work(&mut store).await;
    });
}

/// Starts the work and kills it at the point; false where the work ended before.
fn kill_at(database: &str, point: Point, time: u32) -> bool {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["crash::child_hangs", "--exact", "--nocapture"])
        .env(DATABASE, database)
        .env(POINT, point.name())
        .env(TIME, time.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    let output = BufReader::new(child.stdout.take().expect("its output"));
    let is_there = output.lines().map_while(Result::ok).any(|line| line.contains(REACHED));
    child.kill().expect("killed");
    child.wait().expect("gone");
    is_there
}

#[test]
fn killed_anywhere_it_resumes_to_the_same_bytes() {
    everywhere(|| {
        let undisturbed = Place::new();
        let expected = run(async {
            let mut store = stocked(&undisturbed, host()).await;
            work(&mut store).await;
            store.materialize(STREAM, &key("keeper")).await.expect("materialized").checkpoint
        });
        let mut kills = 0;
        for &point in Point::ALL {
            for time in [0, 1, 2, 4] {
                let place = Place::new();
                if !kill_at(&place.url(), point, time) {
                    assert!(time > 0, "the work never comes to {}", point.name());
                    continue;
                }
                kills += 1;
                run(async {
                    let mut store = Store::open(&place.database(), host()).await.expect("opens again");
                    work(&mut store).await;
                    let resumed = store.materialize(STREAM, &key("keeper")).await.expect("materialized").checkpoint;
                    let name = point.name();
                    assert_eq!(resumed.count, expected.count, "{name} at time {time}: an op is lost or there twice");
                    assert_eq!(resumed.state_root, expected.state_root, "{name} at time {time}");
                    let verified = store.verify(STREAM, &[]).await.expect("verified");
                    assert_eq!(verified.first_divergence, None, "{name} at time {time}");
                });
            }
        }
        assert!(kills >= 2 * Point::ALL.len(), "only {kills} kills");
    });
}
