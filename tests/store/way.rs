//! The whole way, and that every wrong thing in the database is found and named.

use crate::desk::{Place, Raw, STREAM, all_told, draft, everywhere, host, host_at, key, run, signers, stock, stocked};
use kerai_store::document::to_hex;
use kerai_store::verify::Verification;
use kerai_store::{Answer, Store};

/// Ops of two actors: the keeper's are admitted, the guest's denied, a late one comes last.
async fn filled(place: &Place) -> Store {
    let mut store = stocked(place, host()).await;
    let drafts = [
        stock(10, "apple", 3),
        stock(12, "pear", 5),
        draft(13, "\"actor\":\"guest\",\"payload\":{\"item\":\"apple\",\"count\":99}"),
        stock(14, "apple", 2),
        stock(11, "apple", 77),
    ];
    let answers = store.append(STREAM, &signers(), &drafts).await.expect("appended");
    let expected = ["2 admitted", "3 admitted", "4 denied POLICY_DENY", "5 admitted", "6 admitted"];
    assert_eq!(all_told(&answers), expected);
    let Some(Answer::Committed(denied)) = answers.get(2) else { panic!("the denied op has a position") };
    assert_eq!((denied.rules.as_slice(), denied.reason.as_str()), (&["default".to_owned()][..], "no rule allows it"));
    store
}

#[test]
fn ops_in_state_out() {
    everywhere(|| {
        let place = Place::new();
        run(async {
            let mut store = filled(&place).await;
            let first = store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            assert_eq!((first.rows, first.written, first.checkpoint.count), (2, 2, 6));
            let again = store.materialize(STREAM, &key("keeper")).await.expect("materialized again");
            assert_eq!((again.written, &again.checkpoint), (0, &first.checkpoint));
            let rows = rows(&place).await;
            let expected = [
                ("stock", "\"apple\"", "{\"count\":2,\"item\":\"apple\"}"),
                ("stock", "\"pear\"", "{\"count\":5,\"item\":\"pear\"}"),
            ];
            assert_eq!(rows, expected.map(|(path, name, view)| (path.into(), name.into(), Some(view.into()))));
            let verified = store.verify(STREAM, &[]).await.expect("verified");
            assert_eq!(verified.first_divergence, None);
            assert_eq!((verified.checked.ops, verified.checked.rows, verified.checked.checkpoints), (6, 2, 1));
            assert!(!verified.is_anchored, "nobody was trusted");
            let anchored = store.verify(STREAM, &[key("keeper").public()]).await.expect("verified");
            assert!(anchored.is_anchored);
            // The bytes are the same in every run, on every platform.
            assert_eq!(
                to_hex(&first.checkpoint.state_root),
                "1173e6e5d0a172e9cf24d8f4c90d739c9ae2cc12a69bcb248d8540f685c9cbca"
            );
        });
    });
}

type Shown = (String, String, Option<String>);

async fn rows(place: &Place) -> Vec<Shown> {
    let sqlite = "SELECT path, name, view FROM state WHERE value IS NOT NULL ORDER BY path, name";
    let postgres = "SELECT path, name, view FROM kerai.state WHERE value IS NOT NULL ORDER BY path, name";
    match place.raw().await {
        Raw::Sqlite(mut connection) => sqlx::query_as(sqlite).fetch_all(&mut connection).await.expect("rows"),
        Raw::Postgres(mut connection) => sqlx::query_as(postgres).fetch_all(&mut connection).await.expect("rows"),
    }
}

#[test]
fn appending_again_changes_nothing() {
    everywhere(|| {
        let place = Place::new();
        run(async {
            let mut store = filled(&place).await;
            let same = store.append(STREAM, &signers(), &[stock(10, "apple", 3)]).await.expect("appended");
            assert_eq!(all_told(&same), ["duplicate"]);
            let other = store.append(STREAM, &signers(), &[stock(10, "apple", 4)]).await.expect("appended");
            assert_eq!(all_told(&other), ["DUP_COMMIT"]);
            assert_eq!(store.ops(STREAM).await.expect("ops").len(), 6);
        });
    });
}

#[test]
fn rows_that_go_leave_tombstones() {
    everywhere(|| {
        let place = Place::new();
        run(async {
            let mut store = filled(&place).await;
            store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            // A row that the fold never emitted becomes a tombstone with the next checkpoint.
            let plant = "INSERT INTO state SELECT stream, x'826573746f636b6161', value, path, '\"a\"', view, epoch, count, \
                     fold_root, policy_root FROM state LIMIT 1";
            place.raw().await.execute(plant).await.expect("planted");
            let answers = store.append(STREAM, &signers(), &[stock(20, "fig", 1)]).await.expect("appended");
            assert_eq!(all_told(&answers), ["7 admitted"]);
            let next = store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            assert_eq!((next.rows, next.written), (3, 2));
            assert_eq!(rows(&place).await.len(), 3);
            assert_eq!(store.verify(STREAM, &[]).await.expect("verified").first_divergence, None);
        });
    });
}

#[test]
fn a_copy_of_the_log_gives_the_same_bytes() {
    everywhere(|| {
        let (place, other) = (Place::new(), Place::new());
        run(async {
            let mut store = filled(&place).await;
            let ops = store.ops(STREAM).await.expect("ops");
            let first = store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            let mut copy = stocked(&other, host()).await;
            let signed: Vec<_> = ops.iter().skip(1).map(|op| op.signed.clone()).collect();
            let answers = copy.ingest(STREAM, &signed).await.expect("ingested");
            assert_eq!(answers.len(), 5);
            let again = copy.ingest(STREAM, &signed).await.expect("ingested again");
            assert!(again.iter().all(|answer| matches!(answer, Answer::Duplicate(Some(_)))));
            assert_eq!(
                copy.materialize(STREAM, &key("keeper")).await.expect("materialized").checkpoint,
                first.checkpoint
            );
        });
    });
}

/// Whatever is changed behind the store's back is found, and named.
#[test]
fn what_was_changed_is_named() {
    everywhere(|| {
        // The change, after the triggers that would refuse it are gone, and what must be named: op, row, and a word.
        let cases: &[(&str, Option<u64>, Option<&str>, &str)] = &[
            ("UPDATE state SET view = '{}' WHERE name = '\"pear\"'", None, Some("\"pear\""), "a row"),
            ("UPDATE state SET value = x'01' WHERE name = '\"apple\"'", None, Some("\"apple\""), "a row"),
            ("DELETE FROM state WHERE name = '\"apple\"'", None, Some("\"apple\""), "a row"),
            ("UPDATE ops SET signature = zeroblob(64)/*zeros*/ WHERE position = 3", Some(3), None, "the op"),
            (
                "UPDATE ops SET payload = (SELECT payload FROM ops WHERE position = 2) WHERE position = 3",
                Some(3),
                None,
                "the op",
            ),
            ("UPDATE ops SET outcome = 'admitted' WHERE position = 4", Some(4), None, "the op's columns"),
            (
                "UPDATE ops SET record = (SELECT record FROM ops WHERE position = 2) WHERE position = 5",
                Some(5),
                None,
                "the commit record",
            ),
            ("UPDATE snapshots SET folded = folded + 1", None, None, "a snapshot"),
            ("UPDATE snapshots SET bytes = x'01'", None, None, "a snapshot"),
            ("INSERT INTO poison SELECT stream, epoch, 3, 'GAS' FROM streams", Some(3), None, "what is said of poison"),
            ("DELETE FROM ops WHERE position = 6", None, None, "a checkpoint's count"),
            ("DELETE FROM ops WHERE position = 5", Some(5), None, "the op"),
            ("UPDATE streams SET count = 5", None, None, "the tip of the log"),
            ("UPDATE authors SET seq = seq + 1", None, None, "the end of an author's chain"),
            ("UPDATE pages SET bytes = x'00' WHERE map = 0", None, None, "page `` of the map of inputs"),
            ("DELETE FROM pages WHERE map = 1", None, None, "page `` of the map of rows"),
            ("UPDATE checkpoints SET signature = zeroblob(64)/*zeros*/", None, None, "a checkpoint"),
        ];
        for &(change, op, name, what) in cases {
            let place = Place::new();
            run(async {
                let mut store = filled(&place).await;
                store.materialize(STREAM, &key("keeper")).await.expect("materialized");
                let mut connection = place.raw().await;
                if change.contains("ops") || change.contains("checkpoints") {
                    assert!(connection.execute(change).await.is_err(), "the database itself refuses `{change}`");
                    let drop = match &connection {
                        Raw::Sqlite(_) => {
                            "DROP TRIGGER ops_stay; DROP TRIGGER ops_remain; DROP TRIGGER checkpoints_stay"
                        }
                        Raw::Postgres(_) => {
                            "DROP TRIGGER ops_stay ON ops; DROP TRIGGER ops_pruned ON ops; DROP TRIGGER ops_remain ON ops; \
                             DROP TRIGGER checkpoints_stay ON checkpoints"
                        }
                    };
                    connection.execute(drop).await.expect("dropped");
                }
                connection.execute(change).await.expect("changed");
                let Verification { first_divergence, is_anchored, .. } =
                    store.verify(STREAM, &[key("keeper").public()]).await.expect("an answer");
                let found = first_divergence.unwrap_or_else(|| panic!("`{change}` was not found"));
                assert_eq!((found.op, found.what.as_str(), is_anchored), (op, what, false), "`{change}`: {found:?}");
                assert_eq!(found.key.as_ref().map(|key| key.1.as_str()), name, "`{change}`");
            });
        }
    });
}

/// What another program did to the pages of the maps does not reach a checkpoint: they are made anew.
#[test]
fn pages_are_mended() {
    everywhere(|| {
        for harm in ["DELETE FROM pages", "UPDATE pages SET bytes = x'05'", "DELETE FROM pages WHERE place <> x''"] {
            let place = Place::new();
            run(async {
                let mut store = stocked(&place, host()).await;
                let many: Vec<_> = (1..200).map(|number| stock(number, &format!("item {number}"), 1)).collect();
                store.append(STREAM, &signers(), &many).await.expect("appended");
                store.materialize(STREAM, &key("keeper")).await.expect("materialized");
                place.raw().await.execute(harm).await.expect("harmed");
                let some: Vec<_> = (300..400).map(|number| stock(number, &format!("item {number}"), 1)).collect();
                store.append(STREAM, &signers(), &some).await.expect("appended");
                store.materialize(STREAM, &key("keeper")).await.expect("materialized");
                assert_eq!(store.verify(STREAM, &[]).await.expect("verified").first_divergence, None, "{harm}");
            });
        }
    });
}

/// All roots are the same on every backend: those of programs, of the log with its salts and signatures, and of state.
#[test]
fn every_backend_gives_the_same_roots() {
    let checkpoints = std::cell::RefCell::new(Vec::new());
    everywhere(|| {
        let place = Place::new();
        run(async {
            let mut store = filled(&place).await;
            let done = store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            checkpoints.borrow_mut().push(done.checkpoint);
        });
    });
    let checkpoints = checkpoints.into_inner();
    assert!(checkpoints.windows(2).all(|pair| pair.first() == pair.last()), "{checkpoints:?}");
}

#[test]
fn the_order_of_arrival_does_not_matter() {
    everywhere(|| {
        let mut roots = Vec::new();
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
            let place = Place::new();
            run(async {
                let mut store = stocked(&place, host_at(crate::desk::NOW, |_| ())).await;
                let drafts = [stock(1, "a", 1), stock(2, "b", 1), stock(3, "a", 2), stock(4, "b", 0)];
                for number in order {
                    let one = drafts.iter().skip(number).take(1).cloned().collect::<Vec<_>>();
                    store.append(STREAM, &signers(), &one).await.expect("appended");
                }
                let done = store.materialize(STREAM, &key("keeper")).await.expect("materialized");
                roots.push(done.checkpoint.state_root);
            });
        }
        assert!(roots.iter().all(|root| Some(root) == roots.first()), "{roots:x?}");
    });
}
