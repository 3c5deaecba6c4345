//! Pruning: what an archive holds is given up, and everything else stays as it was.

use crate::desk::{
    NOW, Numbers, Place, STREAM, all_told, draft, everywhere, fold, host, host_of, key, new_stream_of, run, signers,
    stock, stocked,
};
use crate::faults::is_long;
use kerai_golden::compile;
use kerai_store::audit::{Ask, Which};
use kerai_store::backend::{Database, StoredOp};
use kerai_store::fault::Fault;
use kerai_store::op::{Draft, SignedOp};
use kerai_store::pack::{self, Archives, Wish};
use kerai_store::program::Stored;
use kerai_store::verify::Verification;
use kerai_store::{Answer, PrunedNow, Store};
use std::fs;
use std::path::{Path, PathBuf};

fn code<T>(told: Result<T, Fault>) -> &'static str {
    told.err().and_then(|fault| fault.code()).map_or("no code", kerai_store::code::Code::name)
}

/// Writes a pack of the stream of all tests, as it is.
pub async fn archived(store: &mut Store, name: &str, path: &Path) -> Result<(), Fault> {
    let (bytes, _) = store.pack(name, &Wish::default(), Vec::new(), &mut |_, _| ()).await?;
    fs::write(path, bytes).expect("written");
    Ok(())
}

pub async fn pruned(store: &mut Store, name: &str, path: &Path) -> Result<PrunedNow, Fault> {
    store.prune(name, path, 1, &mut |_, _| ()).await
}

async fn closed(store: &mut Store) {
    let (_, answer) = store.close_epoch(STREAM, &signers(), &key("keeper")).await.expect("closed");
    assert!(matches!(&answer, Answer::Committed(done) if done.outcome.code().is_none()), "{answer:?}");
}

async fn with(store: &mut Store, archives: &[PathBuf]) -> Verification {
    let archives = Archives::open(archives).expect("archives");
    store.audit_with(STREAM, &Ask::default(), Some(archives), &mut |_, _| ()).await.expect("verified")
}

fn first_ops() -> [Draft; 5] {
    [
        stock(10, "apple", 3),
        stock(12, "pear", 5),
        draft(13, "\"actor\":\"guest\",\"payload\":{\"item\":\"apple\",\"count\":99}"),
        stock(14, "apple", 2),
        draft(15, "\"payload\":{\"item\":[\"no key\"]}"),
    ]
}

/// A stream of which the first seven records were pruned, its archive, and its ops as they were signed.
async fn begun(place: &Place) -> (Store, PathBuf, Vec<SignedOp>) {
    let mut store = stocked(place, host()).await;
    store.append(STREAM, &signers(), &first_ops()).await.expect("appended");
    let signed = store.ops(STREAM).await.expect("ops").into_iter().map(|op| op.signed).collect();
    closed(&mut store).await;
    let archive = place.path().join("first.pack");
    archived(&mut store, STREAM, &archive).await.expect("archived");
    let done = pruned(&mut store, STREAM, &archive).await.expect("pruned");
    assert_eq!((done.pruned.count, done.pruned.epoch, done.before), (6, 1, 0));
    (store, archive, signed)
}

#[test]
fn what_was_pruned_is_gone_and_nothing_else() {
    everywhere(|| {
        let place = Place::new();
        run(async {
            let (mut store, archive, signed) = begun(&place).await;
            let again = pruned(&mut store, STREAM, &archive).await.expect("again");
            assert_eq!((again.pruned.count, again.before), (6, 6));
            // Repeats are repeats, other content is another, and nothing goes behind the end.
            let told = all_told(&store.append(STREAM, &signers(), &first_ops()).await.expect("appended"));
            assert_eq!(told, ["duplicate"; 5]);
            let sent = store.ingest(STREAM, signed.get(1..).unwrap_or_default()).await.expect("ingested");
            assert!(sent.iter().zip(2..).all(|(answer, at)| *answer == Answer::Duplicate(Some(at))), "{sent:?}");
            let others = [stock(10, "apple", 4), stock(11, "apple", 4), stock(16, "fig", 6), stock(13, "fig", 1)];
            let told = all_told(&store.append(STREAM, &signers(), &others).await.expect("appended"));
            assert_eq!(told, ["DUP_COMMIT", "8 rejected EPOCH_BROKEN", "9 admitted", "10 rejected EPOCH_BROKEN"]);
            // The state goes on, in this process and in the next.
            let done = store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            assert_eq!((done.checkpoint.epoch, done.rows), (2, 3));
            let mut store = Store::open(&place.database(), host()).await.expect("opens");
            store.append(STREAM, &signers(), &[stock(20, "fig", 7)]).await.expect("appended");
            let done = store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            assert_eq!((done.checkpoint.count, done.rows, done.written), (11, 3, 1));
            // What is not there is said, and never ok.
            let found = store.verify(STREAM, &[]).await.expect("verified");
            assert_eq!((found.first_divergence, found.is_replayed, found.pruned), (None, false, Some(6)));
            assert_eq!((found.checked.ops, found.checked.rows), (11, 3));
            let found = with(&mut store, &[archive]).await;
            assert_eq!((found.first_divergence, found.is_replayed, found.pruned), (None, true, None));
            assert_eq!((found.checked.ops, found.checked.rows), (11, 3));
        });
    });
}

#[test]
fn what_needs_what_was_pruned_says_so() {
    everywhere(|| {
        let place = Place::new();
        run(async {
            let (mut store, archive, _) = begun(&place).await;
            store.append(STREAM, &signers(), &[stock(20, "fig", 7)]).await.expect("appended");
            let done = store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            assert_eq!(code(store.at(STREAM, 5).await), "PRUNED");
            assert_eq!(code(store.at(STREAM, 9).await), "LOG_SHORT");
            let at = store.at(STREAM, 8).await.expect("a state");
            assert_eq!((at.state_root, at.inputs_root), (done.checkpoint.state_root, done.checkpoint.inputs_root));
            assert_eq!((at.log_head, at.vector), (done.checkpoint.log_head, done.checkpoint.vector));
            assert_eq!(store.at(STREAM, 6).await.expect("the end").folded.rows.len(), 2);
            assert_eq!(code(store.ops(STREAM).await), "PRUNED");
            assert_eq!(code(store.trace(STREAM, Which::Position(3), None).await), "PRUNED");
            assert_eq!(store.trace(STREAM, Which::Position(8), None).await.expect("traced").0.position, 8);
            assert_eq!(code(store.rows_by(STREAM, vec![fold()]).await), "PRUNED");
            let other = include_str!("../../examples/stock/folds/latest.asm").replace("\"stock\"", "\"shelf\"");
            let other = Stored::from_assembly(&other).expect("a fold");
            assert_eq!(code(store.bind(STREAM, &signers(), Some(&other), None, None).await), "PRUNED");
            let found = store.verify(STREAM, &[]).await.expect("verified");
            assert_eq!((found.first_divergence, found.checked.ops), (None, 8), "nothing was bound");
            // A pack of it says what is missing as the database does.
            let pack = place.path().join("later.pack");
            archived(&mut store, STREAM, &pack).await.expect("archived");
            let ask = Ask { jobs: 2, ..Ask::default() };
            let (header, found) = pack::verify(&pack, &ask, &mut |_, _| ()).expect("verified");
            assert_eq!(header.and_then(|header| header.pruned), Some(6));
            assert_eq!((found.first_divergence, found.is_replayed, found.pruned), (None, false, Some(6)));
            // Nor is it an archive of what is gone.
            let missing = with(&mut store, &[pack]).await.first_divergence.expect("it is missed");
            assert!(missing.computed.contains("PRUNED"), "{missing:?}");
            assert_eq!(with(&mut store, &[archive]).await.first_divergence, None);
        });
    });
}

#[test]
fn only_what_an_archive_holds_is_pruned() {
    everywhere(|| {
        let (place, other) = (Place::new(), Place::new());
        run(async {
            let mut store = stocked(&place, host()).await;
            store.append(STREAM, &signers(), &first_ops()).await.expect("appended");
            let path = place.path().join("a.pack");
            archived(&mut store, STREAM, &path).await.expect("archived");
            assert_eq!(code(pruned(&mut store, STREAM, &path).await), "EPOCH_OPEN");
            closed(&mut store).await;
            assert_eq!(code(pruned(&mut store, STREAM, &path).await), "ARCHIVE_WRONG", "made too early");
            assert_eq!(code(pruned(&mut store, "none", &path).await), "STREAM_UNKNOWN");
            // That of another stream with the same ops, a part of it, one that hides, one that was changed.
            let mut stranger = stocked(&other, host_of(9, NOW, |_| ())).await;
            stranger.append(STREAM, &signers(), &first_ops()).await.expect("appended");
            closed(&mut stranger).await;
            archived(&mut stranger, STREAM, &path).await.expect("archived");
            assert_eq!(code(pruned(&mut store, STREAM, &path).await), "ARCHIVE_WRONG", "another stream's");
            let wish = Wish { hidden: vec!["count".into()], ..Wish::default() };
            let (bytes, _) = store.pack(STREAM, &wish, Vec::new(), &mut |_, _| ()).await.expect("packed");
            fs::write(&path, bytes).expect("written");
            assert_eq!(code(pruned(&mut store, STREAM, &path).await), "ARCHIVE_WRONG", "one that hides");
            archived(&mut store, STREAM, &path).await.expect("archived");
            let whole = fs::read(&path).expect("read");
            let step = if is_long() { 1 } else { whole.len() / 40 };
            for at in (0..whole.len()).step_by(step) {
                fs::write(&path, whole.get(..at).expect("a part")).expect("written");
                assert_eq!(code(pruned(&mut store, STREAM, &path).await), "ARCHIVE_WRONG", "cut at {at}");
                let mut changed = whole.clone();
                *changed.get_mut(at).expect("a byte") ^= 1;
                fs::write(&path, changed).expect("written");
                assert_eq!(code(pruned(&mut store, STREAM, &path).await), "ARCHIVE_WRONG", "changed at {at}");
            }
            let found = store.verify(STREAM, &[]).await.expect("verified");
            assert_eq!((found.first_divergence, found.is_replayed, found.pruned), (None, true, None));
            fs::write(&path, whole).expect("written");
            pruned(&mut store, STREAM, &path).await.expect("pruned");
        });
    });
}

/// The database itself gives up what is pruned, and nothing else, and takes nothing back.
#[test]
fn the_database_refuses_everything_else() {
    everywhere(|| {
        let place = Place::new();
        run(async {
            let (mut store, ..) = begun(&place).await;
            store.append(STREAM, &signers(), &[stock(20, "fig", 7)]).await.expect("appended");
            store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            let mut raw = place.raw().await;
            for harm in [
                "UPDATE ops SET body = x'', payload = x'', salts = x''",
                "UPDATE ops SET body = x'', payload = x'', salts = x'' WHERE position = 8",
                "UPDATE ops SET body = x'', payload = x'', salts = x'' WHERE position = 1",
                "UPDATE ops SET body = x'', payload = x'', salts = x'' WHERE position = 7",
                "UPDATE ops SET body = x'01' WHERE position = 2",
                "UPDATE ops SET outcome = 'denied' WHERE position = 2",
                "UPDATE ops SET signature = zeroblob(64)/*zeros*/ WHERE position = 2",
                "UPDATE ops SET record = x'' WHERE position = 2",
                "UPDATE ops SET position = 20 WHERE position = 2",
                "DELETE FROM ops WHERE position = 2",
                "UPDATE pruned SET count = 1",
                "DELETE FROM pruned",
                "INSERT INTO pruned SELECT stream, epoch, count, fold_root, policy_root, fold_root, 0, NULL, x'' \
                 FROM checkpoints c JOIN streams s USING (stream) WHERE c.count = 8",
                "INSERT INTO pruned SELECT stream, epoch, count, fold_root, policy_root, archive, 0, NULL, x'' FROM pruned",
                "INSERT INTO pruned SELECT stream, epoch, 99, fold_root, policy_root, archive, 0, NULL, x'' FROM pruned",
            ] {
                raw.execute(harm).await.expect_err(harm);
            }
            let found = store.verify(STREAM, &[]).await.expect("verified");
            assert_eq!((found.first_divergence, found.pruned), (None, Some(6)));
        });
    });
}

/// What is left of pruned ops is looked at: whatever is changed of it is found.
#[test]
fn what_is_left_is_looked_at() {
    everywhere(|| {
        for (harm, op) in [
            ("UPDATE ops SET signature = zeroblob(64)/*zeros*/ WHERE position = 3", Some(3)),
            ("UPDATE ops SET author = randomblob(32) WHERE position = 3", Some(3)),
            ("UPDATE ops SET body = zeroblob(96)/*zeros*/ WHERE position = 3", Some(3)),
            ("UPDATE ops SET body = zeroblob(64)/*zeros*/ WHERE position = 3", Some(3)),
            ("UPDATE ops SET seq = 90 WHERE position = 3", Some(3)),
            ("UPDATE ops SET outcome = 'denied' WHERE position = 3", Some(3)),
            ("UPDATE ops SET record = (SELECT record FROM ops WHERE position = 2) WHERE position = 3", Some(3)),
            // Of what was pruned before hashes of records were kept, the log's head alone speaks.
            (
                "UPDATE ops SET body = substr(body, 1, 64), record = (SELECT record FROM ops WHERE position = 2) \
                 WHERE position = 3",
                None,
            ),
            ("UPDATE ops SET record = x'85' WHERE position = 3", Some(3)),
            ("UPDATE ops SET body = x'', payload = x'', salts = x'' WHERE position = 8", Some(8)),
            ("UPDATE pruned SET bytes = x'80'", None),
            ("UPDATE pruned SET folded = folded + 1", None),
            ("DELETE FROM pruned", Some(2)),
        ] {
            let place = Place::new();
            run(async {
                let (mut store, archive, _) = begun(&place).await;
                store.append(STREAM, &signers(), &[stock(20, "fig", 7)]).await.expect("appended");
                store.materialize(STREAM, &key("keeper")).await.expect("materialized");
                let mut raw = place.raw().await;
                let drops = match place.is_on_server() {
                    false => "DROP TRIGGER ops_stay; DROP TRIGGER pruned_stay; DROP TRIGGER pruned_remain",
                    true => {
                        "DROP TRIGGER ops_stay ON ops; DROP TRIGGER ops_pruned ON ops; DROP TRIGGER pruned_stay ON pruned"
                    }
                };
                raw.execute(drops).await.expect("dropped");
                raw.execute(harm).await.expect(harm);
                let found = store.verify(STREAM, &[]).await.expect("verified").first_divergence;
                assert_eq!(found.unwrap_or_else(|| panic!("{harm}: nothing was found")).op, op, "{harm}");
                if !harm.contains("pruned") {
                    assert!(with(&mut store, &[archive]).await.first_divergence.is_some(), "{harm}, with the archive");
                }
            });
        }
    });
}

/// Folds of every order; the last one draws chance from the policy.
fn folds() -> [Stored; 3] {
    let lua = |text: &str| {
        let program = compile::lua(text.as_bytes()).unwrap_or_else(|said| panic!("{}", said.concat()));
        Stored::from_bytes(&program.encode().expect("bytes")).expect("a program")
    };
    let commit = lua("--!order commit\nfunction init() return { n = 0 } end\n\
        function step(state, op) state.n = state.n * 3 % 1009 + op.payload.count state[op.payload.item] = op.received_ms return state end\n\
        function finish(state) for k, v in dpairs(state) do emit('all', k, v) end end\n");
    [fold(), crate::certified::composed(), commit]
}

/// A stream that is pruned again and again stays, checkpoint for checkpoint, that of which nothing ever was, whatever its
/// fold's order; with all its archives it is audited whole.
#[test]
fn a_pruned_stream_goes_on_as_if_it_were_whole() {
    everywhere(|| {
        for (number, program) in folds().iter().enumerate() {
            for seed in 0..(if is_long() { 40 } else { 4 }) {
                let (place, other) = (Place::new(), Place::new());
                run(twins(&place, &other, program, seed * 3 + number as u64));
            }
        }
    });
}

async fn twins(place: &Place, other: &Place, program: &Stored, seed: u64) {
    let mut numbers = Numbers::from(seed + 11);
    let mut whole = Store::open(&other.database(), host_of(seed, NOW, |_| ())).await.expect("opens");
    new_stream_of(&mut whole, program).await;
    let mut store = Store::open(&place.database(), host_of(seed, NOW, |_| ())).await.expect("opens");
    new_stream_of(&mut store, program).await;
    let (mut archives, mut last): (Vec<PathBuf>, u64) = (Vec::new(), 0);
    for round in 0..8 {
        let drafts: Vec<Draft> = (0..3 + numbers.below(5))
            .map(|op| {
                let late = if numbers.below(3) == 0 { numbers.below(60) } else { 0 };
                let at = (100 + round * 40 + op * 5).saturating_sub(late).max(1);
                match numbers.below(8) {
                    0 => Draft { actor: Some("guest".into()), ..stock(at, "theirs", 1) },
                    1 => draft(at, "\"payload\":{\"item\":[1],\"count\":\"no\"}"),
                    _ => stock(at, &format!("item {}", numbers.below(4)), numbers.below(50)),
                }
            })
            .collect();
        let (ours, theirs) = (
            store.append(STREAM, &signers(), &drafts).await.expect("appended"),
            whole.append(STREAM, &signers(), &drafts).await.expect("appended"),
        );
        assert_eq!(ours, theirs, "seed {seed}, round {round}");
        if numbers.below(3) > 0 {
            let ours = store.materialize(STREAM, &key("keeper")).await.unwrap_or_else(|no| panic!("seed {seed}: {no}"));
            let theirs = whole.materialize(STREAM, &key("keeper")).await.expect("materialized");
            assert_eq!(ours.checkpoint, theirs.checkpoint, "seed {seed}, round {round}");
        }
        if round == 2 || round == 5 {
            closed(&mut store).await;
            closed(&mut whole).await;
            let archive = place.path().join(format!("{round}.pack"));
            archived(&mut store, STREAM, &archive).await.expect("archived");
            let done = pruned(&mut store, STREAM, &archive).await.unwrap_or_else(|no| panic!("seed {seed}: {no}"));
            assert_eq!(done.before, last);
            last = done.pruned.count;
            archives.push(archive);
        }
    }
    let ours = store.materialize(STREAM, &key("keeper")).await.expect("materialized").checkpoint;
    let theirs = whole.materialize(STREAM, &key("keeper")).await.expect("materialized").checkpoint;
    assert_eq!(ours, theirs, "seed {seed}");
    assert_eq!(store.at(STREAM, ours.count).await.expect("a state").state_root, ours.state_root, "seed {seed}");
    let found = store.verify(STREAM, &[]).await.expect("verified");
    assert_eq!((found.first_divergence, found.pruned), (None, Some(last)), "seed {seed}");
    archives.reverse();
    let (found, expected) = (with(&mut store, &archives).await, whole.verify(STREAM, &[]).await.expect("verified"));
    assert_eq!((&found.first_divergence, found.is_replayed), (&None, true), "seed {seed}");
    assert_eq!((found.checked.ops, found.checked.rows), (expected.checked.ops, expected.checked.rows), "seed {seed}");
}

/// A database that was made before there was pruning is pruned all the same.
#[test]
fn an_older_schema_is_brought_up_to_date() {
    everywhere(|| {
        let place = Place::new();
        run(async {
            fs::create_dir_all(place.path().join(".kerai")).expect("a folder");
            let mut raw = place.raw().await;
            let (first, mark) = match place.is_on_server() {
                false => (
                    include_str!("../../store/src/backend/sqlite/1.sql").to_owned(),
                    "PRAGMA application_id = 0x6b657261; PRAGMA user_version = 1",
                ),
                true => (
                    format!("CREATE SCHEMA kerai; {}", include_str!("../../store/src/backend/postgres/1.sql")),
                    "UPDATE kerai.schema SET version = 1",
                ),
            };
            raw.execute(&first).await.expect("made");
            raw.execute(mark).await.expect("marked");
            let (mut store, archive, _) = begun(&place).await;
            assert_eq!(with(&mut store, &[archive]).await.first_divergence, None);
        });
    });
}

/// The tables that are alike in schema 2 and later.
const ALIKE: [&str; 10] =
    ["programs", "streams", "forks", "refusals", "state", "pages", "poison", "snapshots", "checkpoints", "pruned"];

/// What makes a database of schema 2 out of one, in another place or beside it, but for its ops.
async fn made_older(place: &Place, older: &Place) -> crate::desk::Raw {
    let mut raw = older.raw().await;
    if place.is_on_server() {
        let schemas = [
            include_str!("../../store/src/backend/postgres/1.sql"),
            include_str!("../../store/src/backend/postgres/2.sql"),
        ];
        raw.execute("ALTER SCHEMA kerai RENAME TO newer; CREATE SCHEMA kerai").await.expect("renamed");
        raw.execute(&schemas.concat()).await.expect("made");
    } else {
        let schemas = [
            include_str!("../../store/src/backend/sqlite/1.sql"),
            include_str!("../../store/src/backend/sqlite/2.sql"),
        ];
        raw.execute(&schemas.concat()).await.expect("made");
        let newer = place.path().join(".kerai/kerai.db");
        raw.execute(&format!("ATTACH '{}' AS newer", newer.display())).await.expect("attached");
    }
    let (schema, numbers) = if place.is_on_server() { ("kerai", "OVERRIDING SYSTEM VALUE") } else { ("main", "") };
    for table in ALIKE {
        let sql = format!("INSERT INTO {schema}.{table} {numbers} SELECT * FROM newer.{table}");
        raw.execute(&sql).await.expect(table);
    }
    raw
}

/// A database of schema 2, with ops that were pruned and others that were not, is the same log afterwards.
#[test]
fn ops_of_an_older_schema_stay() {
    everywhere(|| {
        let (place, other) = (Place::new(), Place::new());
        run(async {
            let (mut store, archive, _) = begun(&place).await;
            store.append(STREAM, &signers(), &[stock(20, "fig", 7)]).await.expect("appended");
            store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            let mut session = store_database(&place).await;
            let before = session.read().await.expect("read").ops_after(1, 0).await.expect("ops");
            drop((session, store));
            let older = if place.is_on_server() { &place } else { &other };
            fs::create_dir_all(older.path().join(".kerai")).expect("a folder");
            let mut raw = made_older(&place, older).await;
            let table = if place.is_on_server() { "kerai.ops" } else { "main.ops" };
            let hex =
                |bytes: &[u8]| format!("x'{}'", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
            for op in &before {
                let (columns, signed) = (&op.columns, &op.signed);
                let given = op.given().expect("what was given");
                let values = [
                    format!("1, {}, {}, {}", op.position, hex(&columns.op_id), hex(&columns.author)),
                    format!("{}, {}, {}", columns.sequence, hex(&columns.ulid), hex(&given)),
                    format!("'{}', {}", columns.outcome, i32::from(columns.is_governance)),
                    format!("{}, {}, {}", hex(&columns.fold_root), hex(&columns.policy_root), columns.received),
                    format!("{}, {}, {}", hex(&signed.body), hex(&signed.payload), hex(signed.salts.bytes())),
                    format!("{}, {}", hex(&signed.signature), hex(&op.record)),
                ];
                raw.execute(&format!("INSERT INTO {table} VALUES ({})", values.join(", "))).await.expect("an op");
            }
            let mark = match place.is_on_server() {
                false => "DETACH newer; PRAGMA application_id = 0x6b657261; PRAGMA user_version = 2",
                true => "DROP SCHEMA newer CASCADE; UPDATE kerai.schema SET version = 2",
            };
            raw.execute(mark).await.expect("marked");
            drop(raw);
            let mut session = store_database(older).await;
            // Hashes of records were not kept then.
            let then: Vec<StoredOp> = before.into_iter().map(|op| StoredOp { said: None, ..op }).collect();
            assert_eq!(session.read().await.expect("read").ops_after(1, 0).await.expect("ops"), then);
            drop(session);
            let mut store = Store::open(&older.database(), host()).await.expect("opens");
            assert_eq!(with(&mut store, &[archive]).await.first_divergence, None);
            // What is sent again is known again, pruned or not, and chains go on.
            let again = [stock(12, "pear", 5), stock(20, "fig", 7), stock(21, "fig", 8)];
            let answers = store.append(STREAM, &signers(), &again).await.expect("appended");
            assert!(
                matches!(answers.as_slice(), [Answer::Duplicate(_), Answer::Duplicate(_), Answer::Committed(_)]),
                "{answers:?}"
            );
            store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            assert_eq!(store.verify(STREAM, &[]).await.expect("verified").first_divergence, None);
        });
    });
}

async fn store_database(place: &Place) -> Database {
    Database::open(&place.database(), std::time::Duration::from_secs(5)).await.expect("opens")
}
