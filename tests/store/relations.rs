//! Relations with typed columns, where a fold declares them; and epochs that are closed.

use crate::desk::{
    NOW, Place, Raw, STREAM, all_told, draft, everywhere, fold, host, host_at, key, new_stream_of, run, signers, stock,
    stocked,
};
use kerai_golden::compile;
use kerai_store::backend::StateRow;
use kerai_store::materialize::row;
use kerai_store::program::Stored;
use kerai_store::relation::{Declaration, Relation, declaration, name, postgres, sqlite};
use kerai_store::{Answer, Store};
use kerai_vm::fold::column::Type;

/// Rows of all kinds, and a declaration; an op without an item takes the declaration back.
const FOLD: &str = "
function init() return { items = {}, declares = true } end
function step(state, op)
  if op.payload.item == nil then state.declares = false return state end
  state.items[op.payload.item] = op.payload
  return state
end
function finish(state)
  for name, item in dpairs(state.items) do emit('items', name, item) end
  if state.declares then
    emit('kerai/columns', 'items',
      { count = 'integer', price = 'number', weight = 'float', fresh = 'boolean', [\"it's\"] = 'text', all = 'json' })
    emit('kerai/columns', 'nothing', { count = 'no type' })
  end
end
";

fn typed() -> Stored {
    let program = compile::lua(FOLD.as_bytes()).unwrap_or_else(|said| panic!("{}", said.concat()));
    Stored::from_bytes(&program.encode().expect("bytes")).expect("a program")
}

type Typed = (String, Option<i64>, Option<String>, Option<f64>, Option<bool>, Option<String>, Option<String>, i64);

/// What the relation shows, numbers and JSON as text.
async fn shown(place: &Place) -> Result<Vec<Typed>, sqlx::Error> {
    let sqlite = "SELECT kerai_key, count, CAST(price AS TEXT), weight, fresh, \"it's\", \"all\", kerai_count \
                  FROM \"stock/items\" ORDER BY kerai_key";
    let postgres = "SELECT kerai_key, count, price::text, weight, fresh, \"it's\", \"all\"::text, kerai_count \
                    FROM kerai.\"stock/items\" ORDER BY kerai_key";
    match place.raw().await {
        Raw::Sqlite(mut connection) => sqlx::query_as(sqlite).fetch_all(&mut connection).await,
        Raw::Postgres(mut connection) => sqlx::query_as(postgres).fetch_all(&mut connection).await,
    }
}

#[test]
fn declared_columns_have_types() {
    everywhere(|| {
        let place = Place::new();
        run(async {
            let mut store = Store::open(&place.database(), host()).await.expect("opens");
            new_stream_of(&mut store, &typed()).await;
            let drafts = [
                draft(
                    1,
                    r#""payload":{"item":"a","count":7,"price":12.25,"weight":2,"fresh":true,"it's":"so","all":[1]}"#,
                ),
                draft(2, r#""payload":{"item":"b","count":7.5,"price":"free","weight":"no","fresh":0,"it's":1}"#),
                draft(3, r#""payload":{"item":"c","count":9223372036854775808,"it's":"'; DROP TABLE ops; --"}"#),
                draft(4, r#""payload":{"item":"d","it's":"a\u0000b"}"#),
            ];
            store.append(STREAM, &signers(), &drafts).await.expect("appended");
            let done = store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            assert_eq!(done.poison.len(), 0);
            let rows = shown(&place).await.expect("a relation");
            let text = |text: &str| Some(text.to_owned());
            let first = ("a".into(), Some(7), text("12.25"), Some(2.0), Some(true), text("so"), text("[1]"), 5);
            assert_eq!(rows.first(), Some(&first));
            let nothing = |name: &str| (name.into(), None, None, None, None, None, None, 5);
            assert_eq!(rows.get(1), Some(&nothing("b")), "what is of another kind is null");
            let third = (String::from("c"), None, None, None, None, text("'; DROP TABLE ops; --"), None, 5);
            assert_eq!(rows.get(2), Some(&third));
            assert_eq!((rows.len(), rows.get(3).map(|row| row.0.as_str())), (4, Some("d")));
            assert_eq!(store.verify(STREAM, &[]).await.expect("verified").first_divergence, None);
            // Taken back, it is gone; the rows stay.
            store.append(STREAM, &signers(), &[draft(9, r#""payload":{}"#)]).await.expect("appended");
            store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            shown(&place).await.expect_err("no relation");
            assert_eq!(store.verify(STREAM, &[]).await.expect("verified").first_divergence, None);
        });
    });
}

fn declared(text: &str) -> Declaration {
    let key = crate::desk::canonical("[\"kerai/columns\",\"items\"]");
    let row: StateRow = row(&key, Some(&crate::desk::canonical(text)));
    declaration(&row).expect("a declaration")
}

#[test]
fn what_can_be_no_relation_is_none() {
    let long = "x".repeat(64);
    for text in [
        "7",
        "[\"count\"]",
        "{\"count\":\"bigint\"}",
        "{\"count\":7}",
        "{\"\":\"text\"}",
        "{\"kerai_key\":\"text\"}",
        "{\"a\\\"b\":\"text\"}",
        "{\"a\\\\b\":\"text\"}",
        "{\"a\\nb\":\"text\"}",
        "{\"a\":\"text\",\"A\":\"text\"}",
        &format!("{{\"{long}\":\"text\"}}"),
    ] {
        assert!(
            matches!(declared(text), Declaration::Unusable(path, why) if path == "items" && !why.is_empty()),
            "{text}"
        );
    }
    let columns = vec![("count".to_owned(), Type::Integer)];
    let relation = Relation { path: "items".into(), columns };
    assert_eq!(declared("{\"count\":\"integer\"}"), Declaration::Declared(relation));
}

/// Names with everything in them stay names.
#[test]
fn names_are_quoted() {
    let path = "a\"; DROP TABLE ops; --/'x\\\0";
    let relation = Relation { path: path.into(), columns: vec![("o'; --".into(), Type::Text)] };
    for [drop, create] in [postgres((1, "s"), &relation), sqlite((1, "s"), &relation)] {
        assert!(drop.ends_with("\"s/a\"\"; DROP TABLE ops; --/'x\\\u{2400}\""), "{drop}");
        assert!(create.contains("path = 'a\"; DROP TABLE ops; --/''x\\\u{2400}'"), "{create}");
        assert!(create.contains("\"o'; --\"") && create.contains("o''; --"), "{create}");
    }
    let long = ["é".repeat(40), "é".repeat(41)].map(|path| name("s", &path));
    assert!(long.iter().all(|name| name.len() <= 63) && long.first() != long.last(), "{long:?}");
}

#[test]
fn nothing_goes_behind_the_end_of_an_epoch() {
    everywhere(|| {
        let place = Place::new();
        run(async {
            let mut store = stocked(&place, host()).await;
            let first = [stock(10, "fig", 1), stock(20, "fig", 2)];
            store.append(STREAM, &signers(), &first).await.expect("appended");
            let (closed, answer) = store.close_epoch(STREAM, &signers(), &key("keeper")).await.expect("closed");
            assert_eq!((closed.count, closed.epoch, crate::desk::told(&answer).as_str()), (3, 1, "4 admitted"));
            let late = [stock(15, "fig", 3), stock(21, "fig", 4), stock(16, "pear", 5)];
            let told = all_told(&store.append(STREAM, &signers(), &late).await.expect("appended"));
            assert_eq!(told, ["5 rejected EPOCH_BROKEN", "6 admitted", "7 rejected EPOCH_BROKEN"]);
            let done = store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            assert_eq!((done.checkpoint.epoch, done.rows), (2, 1));
            // Rebinding keeps it closed, and so does a binding that says nothing of it, which is refused.
            store.bind(STREAM, &signers(), Some(&typed()), None, None).await.expect("bound");
            let told = all_told(&store.append(STREAM, &signers(), &[stock(17, "fig", 6)]).await.expect("appended"));
            assert_eq!(told, ["9 rejected EPOCH_BROKEN"]);
            let root = |stored: &Stored| kerai_store::document::program_text(&stored.root);
            let shipped = |name| Stored::shipped(name).expect("it ships");
            let (policy, governance) = (root(&shipped("std/owner-only")), root(&shipped("std/governance")));
            let opens = format!(
                "\"payload\":{{\"fold_root\":\"{}\",\"policy_root\":\"{policy}\",\"governance_root\":\"{governance}\"}}",
                root(&fold())
            );
            let opens = kerai_store::op::Draft { kind: "governance.bind".into(), ..draft(40, &opens) };
            let told = all_told(&store.append(STREAM, &signers(), &[opens]).await.expect("appended"));
            assert_eq!(told, ["10 rejected GOVERNANCE_BROKEN"]);
            store.append(STREAM, &signers(), &[stock(50, "fig", 7)]).await.expect("appended");
            let (again, _) = store.close_epoch(STREAM, &signers(), &key("keeper")).await.expect("closed again");
            assert_eq!(again.epoch, 3);
            let verified = store.verify(STREAM, &[]).await.expect("verified");
            assert_eq!(verified.first_divergence, None);
            // The anchor must be there.
            let mut raw = place.raw().await;
            let drop = match &raw {
                Raw::Sqlite(_) => "DROP TRIGGER checkpoints_remain",
                Raw::Postgres(_) => "DROP TRIGGER checkpoints_stay ON checkpoints",
            };
            raw.execute(drop).await.expect("dropped");
            raw.execute("DELETE FROM checkpoints WHERE epoch = 1").await.expect("deleted");
            let found = store.verify(STREAM, &[]).await.expect("verified").first_divergence.expect("it is missed");
            assert_eq!((found.op, found.what.as_str()), (Some(4), "a closed epoch's checkpoint"));
        });
    });
}

/// Whoever closes while others append closes after them: nothing that was committed is behind the end.
#[test]
fn an_epoch_is_closed_among_appenders() {
    everywhere(|| {
        let place = Place::new();
        run(async { drop(stocked(&place, host()).await) });
        let address = place.database();
        std::thread::scope(|scope| {
            let appender = scope.spawn(|| {
                run(async {
                    let mut store = Store::open(&address, host_at(NOW, |_| ())).await.expect("opens");
                    let mut told = Vec::new();
                    for number in 1..60 {
                        let one = [stock(number, "fig", number)];
                        told.extend(store.append(STREAM, &signers(), &one).await.expect("appended"));
                    }
                    told
                })
            });
            run(async {
                let mut store = Store::open(&address, crate::desk::host_of(9, NOW, |_| ())).await.expect("opens");
                for _ in 0..3 {
                    store.close_epoch(STREAM, &signers(), &key("keeper")).await.expect("closed");
                }
            });
            let told = appender.join().expect("appended");
            assert!(told.iter().all(|answer| matches!(answer, Answer::Committed(_))), "{told:?}");
        });
        run(async {
            let mut store = Store::open(&address, host()).await.expect("opens");
            store.materialize(STREAM, &key("keeper")).await.expect("materialized");
            assert_eq!(store.verify(STREAM, &[]).await.expect("verified").first_divergence, None);
        });
    });
}
