//! Several processes on one stream: all ops are committed, none twice, none skipped by a reader.

use crate::desk::{Place, STREAM, everywhere, host, key, run, signers, stock, stocked};
use kerai_store::backend::Address;
use kerai_store::{Answer, Store};
use std::process::{Child, Command};

/// How many processes append at once, and how many ops each.
const PROCESSES: u64 = 8;
const OPS: u64 = 25;

/// Names the database to a child, and which one of them it is.
const DATABASE: &str = "KERAI_TEST_DATABASE";
const NUMBER: &str = "KERAI_TEST_NUMBER";

/// Not a test by itself: what a child process does. Without its variables there is nothing to do.
#[test]
fn child_appends() {
    let (Ok(database), Ok(number)) = (std::env::var(DATABASE), std::env::var(NUMBER)) else { return };
    let number: u64 = number.parse().expect("a number");
    run(async {
        let mut store = Store::open(&Address::of(&database).expect("an address"), host()).await.expect("opens");
        for op in 0..OPS {
            let draft = stock(1 + number * OPS + op, "item", number * OPS + op);
            let answers = store.append(STREAM, &signers(), &[draft]).await.expect("appended");
            assert!(matches!(answers.as_slice(), [Answer::Committed(_)]), "{answers:?}");
        }
    });
}

fn child(database: &str, number: u64) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["together::child_appends", "--exact", "--quiet"])
        .env(DATABASE, database)
        .env(NUMBER, number.to_string())
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("a process")
}

#[test]
fn appenders_take_turns() {
    everywhere(|| {
        let place = Place::new();
        run(async {
            let mut store = stocked(&place, host()).await;
            let mut children: Vec<Child> = (0..PROCESSES).map(|number| child(&place.url(), number)).collect();
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
