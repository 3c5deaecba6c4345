//! State grows with its log: however often it is materialized between, it is what a refold gives.

use crate::desk::{Numbers, Place, Raw, STREAM, draft, everywhere, fold, host, key, run, signers, stock, stocked};
use kerai_store::checkpoint::Checkpoint;
use kerai_store::materialize::State;
use kerai_store::op::Draft;
use kerai_store::program::Stored;
use kerai_store::{Answer, Materialized, Store};
use std::collections::BTreeSet;

/// The example's fold with another path, so that its root and its rows are others.
fn other_fold() -> Stored {
    let text = include_str!("../../examples/stock/folds/latest.asm").replace("\"stock\"", "\"shelf\"");
    Stored::from_assembly(&text).expect("a fold")
}

/// An op: mostly of one of a few items, mostly in order; at times late, by the guest, twice, or one whose step traps.
fn generated(numbers: &mut Numbers, number: u64) -> Draft {
    let late = if numbers.below(4) == 0 { numbers.below(number * 8 + 1) } else { 0 };
    let ulid = 1 + number * 8 + numbers.below(8) - late.min(number * 8);
    match numbers.below(12) {
        0 => Draft { actor: Some("guest".into()), ..stock(ulid, "theirs", 1) },
        1 => draft(ulid, "\"payload\":{\"item\":[\"no key\"]}"),
        2 => draft(ulid, "\"payload\":{}"),
        _ => stock(ulid, &format!("item {}", numbers.below(7)), numbers.below(100)),
    }
}

/// What a checkpoint says, and what folding the log to its count from nothing gives.
pub async fn is_refold(store: &mut Store, done: &Materialized, what: &str) {
    let State { count, inputs_root, log_head, state_root, snapshot_root, vector, .. } =
        store.at(STREAM, done.checkpoint.count).await.expect("a state");
    let refolded =
        Checkpoint { count, inputs_root, log_head, state_root, snapshot_root, vector, ..done.checkpoint.clone() };
    assert_eq!(done.checkpoint, refolded, "{what}");
}

/// The first rounds of ops, then whatever comes; the fold is held in memory all the while.
#[test]
fn what_is_held_in_memory_is_what_a_refold_gives() {
    everywhere(|| {
        for seed in 1..=6 {
            let place = Place::new();
            run(async {
                let mut store = stocked(&place, host()).await;
                let mut numbers = Numbers::from(seed);
                let (mut round, mut bound, mut epochs) = (0, fold(), BTreeSet::new());
                let told = async |store: &mut Store, done: &Materialized| {
                    is_refold(store, done, &format!("seed {seed}, round {round}")).await;
                    epochs.insert(done.checkpoint.epoch);
                    round += 1;
                    if round % 9 == 8 {
                        bound = if bound.root == fold().root { other_fold() } else { fold() };
                        store.bind(STREAM, &signers(), Some(&bound), None, None).await?;
                    }
                    // A repeat alone would not be heard of.
                    let count = 1 + numbers.below(6);
                    let mut drafts: Vec<Draft> = (0..count).map(|op| generated(&mut numbers, round * 6 + op)).collect();
                    drafts.push(stock(10_000 + round, "fig", round));
                    store.append(STREAM, &signers(), &drafts).await?;
                    // Now and then another one materializes before: what is in memory is behind then.
                    if round % 5 == 0 {
                        store.materialize(STREAM, &key("keeper")).await?;
                        store.append(STREAM, &signers(), &[stock(20_000 + round, "pear", round)]).await?;
                    }
                    Ok(round < 30)
                };
                store.keep_up(STREAM, &key("keeper"), told).await.expect("kept up");
                let verified = store.verify(STREAM, &[]).await.expect("verified");
                assert_eq!(verified.first_divergence, None, "seed {seed}");
                assert_eq!(epochs.len(), 4, "seed {seed}");
            });
        }
    });
}

/// Appends and materializes by turns; verifying folds each checkpoint's prefix from nothing and compares it all.
async fn grow(store: &mut Store, seed: u64) {
    let mut numbers = Numbers::from(seed);
    let mut bound = fold();
    let mut epochs = BTreeSet::new();
    let mut poisoned = 0;
    for round in 0..12 {
        let count = 1 + numbers.below(6);
        let drafts: Vec<Draft> = (0..count).map(|op| generated(&mut numbers, round * 6 + op)).collect();
        store.append(STREAM, &signers(), &drafts).await.expect("appended");
        if round % 5 == 4 {
            bound = if bound.root == fold().root { other_fold() } else { fold() };
            let answer = store.bind(STREAM, &signers(), Some(&bound), None, None).await.expect("an answer");
            assert!(matches!(&answer, Answer::Committed(done) if done.outcome.code().is_none()), "{answer:?}");
        }
        let done = store.materialize(STREAM, &key("keeper")).await.expect("materialized");
        assert_eq!(done.checkpoint.fold_root, bound.root);
        is_refold(store, &done, &format!("seed {seed}, round {round}")).await;
        epochs.insert(done.checkpoint.epoch);
        poisoned = poisoned.max(done.poison.len());
    }
    let verified = store.verify(STREAM, &[]).await.expect("verified");
    assert_eq!(verified.first_divergence, None, "seed {seed}");
    // A round in which everything was there before needs no checkpoint.
    assert!(verified.checked.checkpoints >= 9 && epochs.len() == 3, "seed {seed}: {:?}", verified.checked);
    assert!(poisoned > 0, "seed {seed}: no op was poison, so that nothing was tried");
}

#[test]
fn state_grows_as_a_refold_would() {
    everywhere(|| {
        for seed in 1..=6 {
            let place = Place::new();
            run(async {
                let mut store = stocked(&place, host()).await;
                grow(&mut store, seed).await;
            });
        }
    });
}

#[test]
fn poison_leaves_no_trace() {
    everywhere(|| {
        let place = Place::new();
        run(async {
            let mut store = stocked(&place, host()).await;
            let drafts = [stock(1, "fig", 1), draft(2, "\"payload\":{\"item\":[1]}"), stock(3, "fig", 2)];
            store.append(STREAM, &signers(), &drafts).await.expect("appended");
            let done = store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            assert_eq!((done.rows, done.poison.keys().copied().collect::<Vec<_>>()), (1, vec![3]));
            let again = store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            assert_eq!(again.poison, done.poison);
            // A late op makes the fold go back, over the poison too.
            store.append(STREAM, &signers(), &[stock(0, "fig", 9)]).await.expect("appended");
            let late = store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            assert_eq!((late.poison == done.poison, late.checkpoint.state_root), (true, done.checkpoint.state_root));
            assert_eq!(store.verify(STREAM, &[]).await.expect("verified").first_divergence, None);
        });
    });
}

/// A checkpoint reads what leads to what has changed, however often a server has planned its statements before.
#[test]
fn a_checkpoint_reads_what_has_changed() {
    everywhere(|| {
        let place = Place::new();
        if !place.is_on_server() {
            return;
        }
        run(async {
            let mut store = stocked(&place, host()).await;
            let drafts: Vec<Draft> = (0..5000).map(|op| stock(op + 1, &format!("item {op}"), 1)).collect();
            store.append(STREAM, &signers(), &drafts).await.expect("appended");
            let mut round = 0;
            let told = async |store: &mut Store, _: &Materialized| {
                round += 1;
                let drafts: Vec<Draft> =
                    (0..5).map(|op| stock(9000 + round * 5 + op, &format!("item {}", round * 77 + op), 2)).collect();
                store.append(STREAM, &signers(), &drafts).await?;
                Ok(round < 20)
            };
            store.keep_up(STREAM, &key("keeper"), told).await.expect("kept up");
            // A server counts a connection's reads once it is gone.
            drop(store);
            let Raw::Postgres(mut connection) = place.raw().await else { return };
            let pages: i64 =
                sqlx::query_scalar("SELECT count(*) FROM pages").fetch_one(&mut connection).await.expect("pages");
            let sql = "SELECT coalesce(idx_tup_fetch, 0) + coalesce(seq_tup_read, 0) FROM pg_stat_user_tables \
                       WHERE schemaname = 'kerai' AND relname = 'pages'";
            drop(connection);
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            let Raw::Postgres(mut connection) = place.raw().await else { return };
            let read: i64 = sqlx::query_scalar(sql).fetch_one(&mut connection).await.expect("reads");
            assert!(read > 0 && read < 8 * pages, "{read} pages were read, where there are {pages}");
        });
    });
}
