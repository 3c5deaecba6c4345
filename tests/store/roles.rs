//! The roles of docs/reference/postgres.md: each can do what it says there, and no more.

use crate::desk::{NOW, Place, STREAM, all_told, everywhere, host, host_of, key, run, signers, stock, stocked};
use kerai_store::Store;
use kerai_store::backend::Address;
use kerai_store::code::Code;
use kerai_tests::server;
use sqlx::{Connection, PgConnection};

/// The page's statements, with roles of this process.
fn statements() -> String {
    let page = include_str!("../../docs/reference/postgres.md");
    let (_, rest) = page.split_once("```sql").expect("a block");
    let (sql, _) = rest.split_once("```").expect("its end");
    sql.replace("kerai_", &prefix())
}

fn prefix() -> String {
    format!("kerai_{}_", std::process::id())
}

/// The same database for another role.
fn as_role(place: &Place, role: &str) -> String {
    let url = place.url();
    let (_, rest) = url.split_once("://").expect("a URL");
    let (_, rest) = rest.split_once('@').expect("a user");
    format!("postgres://{}{role}@{rest}", prefix())
}

async fn open(place: &Place, role: &str) -> Store {
    let address = Address::of(&as_role(place, role)).expect("an address");
    Store::open(&address, host_of(7, NOW, |_| ())).await.expect("reading is allowed")
}

#[test]
fn a_role_can_do_what_it_must_and_no_more() {
    everywhere(|| {
        let place = Place::new();
        if !place.is_on_server() {
            return;
        }
        run(async {
            let mut owner = stocked(&place, host()).await;
            place.raw().await.execute(&statements()).await.expect("granted");
            let mut appender = open(&place, "appender").await;
            let answers = appender.append(STREAM, &signers(), &[stock(1, "fig", 1)]).await.expect("appended");
            assert_eq!(all_told(&answers), ["2 admitted"]);
            let mut materializer = open(&place, "materializer").await;
            assert_eq!(materializer.materialize(STREAM, &key("keeper")).await.expect("materialized").written, 1);
            let mut reader = open(&place, "reader").await;
            assert_eq!(reader.verify(STREAM, &[]).await.expect("verified").first_divergence, None);
            let told = [
                materializer.append(STREAM, &signers(), &[stock(2, "fig", 2)]).await.map(drop),
                reader.append(STREAM, &signers(), &[stock(2, "fig", 2)]).await.map(drop),
                {
                    appender.append(STREAM, &signers(), &[stock(2, "fig", 2)]).await.expect("appended");
                    appender.materialize(STREAM, &key("keeper")).await.map(drop)
                },
                reader.materialize(STREAM, &key("keeper")).await.map(drop),
            ];
            for told in told {
                assert_eq!(told.expect_err("denied").code(), Some(Code::DATABASE_DENIED));
            }
            let mut raw = PgConnection::connect(&as_role(&place, "appender")).await.expect("it opens");
            for harm in [
                "UPDATE kerai.ops SET outcome = 'denied'",
                "DELETE FROM kerai.ops",
                "TRUNCATE kerai.ops",
                "DROP TRIGGER ops_stay ON kerai.ops",
                "ALTER TABLE kerai.ops DISABLE TRIGGER ALL",
                "ALTER TABLE kerai.ops ADD COLUMN more int",
                "DROP TABLE kerai.ops",
                "CREATE TABLE kerai.theirs (a int)",
                "UPDATE kerai.streams SET name = 'other'",
                "UPDATE kerai.state SET view = '{}'",
                "INSERT INTO kerai.checkpoints SELECT * FROM kerai.checkpoints",
                "UPDATE kerai.schema SET version = 9",
            ] {
                let done = sqlx::raw_sql(sqlx::AssertSqlSafe(harm)).execute(&mut raw).await;
                let code = done.err().and_then(|fault| Some(fault.as_database_error()?.code()?.into_owned()));
                assert_eq!(code.as_deref(), Some("42501"), "{harm}");
            }
            owner.close_epoch(STREAM, &signers(), &key("keeper")).await.expect("closed");
            let archive = place.path().join("a.pack");
            let mut pruner = open(&place, "pruner").await;
            crate::prune::archived(&mut pruner, STREAM, &archive).await.expect("archived");
            let told = crate::prune::pruned(&mut materializer, STREAM, &archive).await;
            assert_eq!(told.expect_err("denied").code(), Some(Code::DATABASE_DENIED));
            crate::prune::pruned(&mut pruner, STREAM, &archive).await.expect("pruned");
            appender.append(STREAM, &signers(), &[stock(9, "fig", 3)]).await.expect("appended");
            materializer.materialize(STREAM, &key("keeper")).await.expect("materialized");
            let mut theirs = PgConnection::connect(&as_role(&place, "pruner")).await.expect("it opens");
            for (harm, expected) in [
                ("UPDATE kerai.ops SET outcome = 'denied'", "42501"),
                ("DELETE FROM kerai.ops", "42501"),
                ("DELETE FROM kerai.pruned", "42501"),
                ("UPDATE kerai.ops SET body = '', payload = '', salts = ''", "23000"),
                ("UPDATE kerai.ops SET body = '\\x01' WHERE position = 2", "23000"),
            ] {
                let done = sqlx::raw_sql(sqlx::AssertSqlSafe(harm)).execute(&mut theirs).await;
                let code = done.err().and_then(|fault| Some(fault.as_database_error()?.code()?.into_owned()));
                assert_eq!(code.as_deref(), Some(expected), "{harm}");
            }
            drop((appender, materializer, reader, pruner, raw, theirs));
            assert_eq!(owner.verify(STREAM, &[]).await.expect("verified").first_divergence, None);
        });
        // One after the other: what is dropped with one may name another.
        for role in ["pruner", "materializer", "appender", "reader"].map(|role| format!("{}{role}", prefix())) {
            run(async { place.raw().await.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await })
                .expect("dropped");
        }
    });
    server::the_server();
}
