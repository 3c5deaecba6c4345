//! PostgreSQL, 15 or newer: a schema `kerai` in any database; many writers, each waiting only for those of its stream.

pub(super) mod bulk;

use super::cell::{Cell, Found, Row};
use crate::code::{Code, Refused};
use crate::fault::Fault;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgListener, PgRow};
use sqlx::{ConnectOptions, Connection, PgConnection, Postgres, Row as _, TypeInfo, ValueRef};
use std::str::FromStr;
use std::time::Duration;

/// The schemas, each on top of the one before it. A schema that was released never changes.
const SCHEMAS: &[&str] = &[include_str!("1.sql"), include_str!("2.sql"), include_str!("3.sql"), include_str!("4.sql")];

/// The oldest server that is known to do: `server_version_num`.
const OLDEST: i64 = 150_000;

/// The name of kerai's advisory locks among those of others: `kera`.
const LOCKS: i64 = 0x6b65_7261;

/// A connection to a server. One is enough: whoever wants more opens more stores.
pub struct Database {
    connection: PgConnection,
    url: String,
    /// Hears of commits; there once someone has asked for them.
    listener: Option<PgListener>,
}

/// The channel on which commits are told, with the stream's number.
pub(super) const CHANNEL: &str = "kerai";

pub type Transaction<'c> = sqlx::Transaction<'c, Postgres>;

impl Database {
    /// Connects, makes the schema where there is none, and brings it up to date.
    ///
    /// # Errors
    /// `DATABASE_GONE`, `SCHEMA_NEWER`, `SCHEMA_FOREIGN`, or the server refuses.
    pub async fn open(url: &str, wait: Duration) -> Result<Database, Fault> {
        let wait_text = wait.as_millis().to_string();
        let options = PgConnectOptions::from_str(url)?.application_name("kerai").disable_statement_logging();
        // What is reported as committed is on the disk, whatever the server does by default.
        let mut settings = vec![("search_path", "kerai"), ("synchronous_commit", "on")];
        // What triggers look at once a batch stays in memory.
        settings.extend([("work_mem", "64MB"), ("lock_timeout", wait_text.as_str())]);
        // No statement here is worth compiling, whatever its rows are estimated at.
        settings.push(("jit", "off"));
        let connecting = tokio::time::timeout(wait, options.options(settings).connect()).await;
        let connection = connecting.map_err(|_| Refused::new(Code::DATABASE_GONE, "it does not answer"))??;
        let mut database = Database { connection, url: url.into(), listener: None };
        database.migrate().await?;
        Ok(database)
    }

    /// One state of the database for all that is read; nobody waits for it, and it waits for nobody.
    pub(super) async fn read(&mut self) -> Result<Transaction<'_>, Fault> {
        Ok(self.connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?)
    }

    /// Each statement sees what was committed before it: after a lock, all that was written under it.
    pub(super) async fn write(&mut self) -> Result<Transaction<'_>, Fault> {
        Ok(self.connection.begin_with("BEGIN ISOLATION LEVEL READ COMMITTED").await?)
    }

    /// Waits until a commit is told, or for as long: a word that was missed costs no more than that.
    pub(super) async fn hear(&mut self, longest: Duration) -> Result<(), Fault> {
        let listener = match &mut self.listener {
            Some(listener) => listener,
            // What was committed before is not told: the caller looks again at once.
            None => {
                let mut listener = PgListener::connect(&self.url).await?;
                listener.listen(CHANNEL).await?;
                self.listener = Some(listener);
                return Ok(());
            }
        };
        match tokio::time::timeout(longest, listener.recv()).await {
            Ok(told) => told.map(drop).map_err(Fault::from),
            Err(_) => Ok(()),
        }
    }

    async fn migrate(&mut self) -> Result<(), Fault> {
        let newest = SCHEMAS.len() as i64;
        if schema(&mut self.read().await?).await? == newest {
            return Ok(());
        }
        let mut transaction = self.write().await?;
        lock(&mut transaction, 0).await?;
        let version = schema(&mut transaction).await?;
        // Making what is there needs a right that a role may lack.
        if number(&mut transaction, "SELECT count(*) FROM pg_namespace WHERE nspname = 'kerai'").await? == 0 {
            sqlx::raw_sql("CREATE SCHEMA kerai").execute(&mut *transaction).await?;
        }
        for schema in SCHEMAS.iter().skip(usize::try_from(version).unwrap_or(usize::MAX)) {
            sqlx::raw_sql(*schema).execute(&mut *transaction).await?;
        }
        sqlx::query("UPDATE schema SET version = $1").bind(newest).execute(&mut *transaction).await?;
        Ok(transaction.commit().await?)
    }
}

async fn number(transaction: &mut Transaction<'_>, sql: &'static str) -> Result<i64, Fault> {
    Ok(sqlx::query_scalar(sql).fetch_one(&mut **transaction).await?)
}

/// The schema's version; 0 where there is none of kerai's tables.
async fn schema(transaction: &mut Transaction<'_>) -> Result<i64, Fault> {
    let server = number(transaction, "SELECT current_setting('server_version_num')::bigint").await?;
    if server < OLDEST {
        let what = format!("PostgreSQL {}, where {} is needed", server / 10_000, OLDEST / 10_000);
        return Err(Refused::new(Code::SCHEMA_FOREIGN, what).into());
    }
    let tables =
        "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'kerai'";
    if number(transaction, tables).await? == 0 {
        return Ok(0);
    }
    if number(transaction, "SELECT count(to_regclass('kerai.schema'))").await? == 0 {
        return Err(Refused::new(Code::SCHEMA_FOREIGN, "the schema `kerai`").into());
    }
    let version = number(transaction, "SELECT version FROM kerai.schema").await?;
    super::known_schema(version, SCHEMAS.len())
}

/// Takes an advisory lock of kerai's, held until the transaction ends.
pub(super) async fn lock(transaction: &mut Transaction<'_>, what: i64) -> Result<(), Fault> {
    let sql = "SELECT pg_advisory_xact_lock($1::bigint::integer, $2::bigint::integer)";
    sqlx::query(sql).bind(LOCKS).bind(what).execute(&mut **transaction).await?;
    Ok(())
}

fn query<'q>(sql: &'static str, cells: &[Cell<'q>]) -> sqlx::query::Query<'q, Postgres, PgArguments> {
    cells.iter().fold(sqlx::query(sql), |query, cell| match *cell {
        Cell::Integer(number) => query.bind(number),
        Cell::Text(text) => query.bind(text),
        Cell::Bytes(bytes) => query.bind(bytes),
    })
}

fn row(row: &PgRow) -> Result<Row, Fault> {
    let cell = |column| {
        let raw = row.try_get_raw(column)?;
        Ok(match (raw.is_null(), raw.type_info().name()) {
            (true, _) => Found::Nothing,
            (false, "INT8") => Found::Integer(row.try_get(column)?),
            (false, "INT4") => Found::Integer(row.try_get::<i32, _>(column)?.into()),
            (false, "INT2") => Found::Integer(row.try_get::<i16, _>(column)?.into()),
            (false, "TEXT") => Found::Text(row.try_get(column)?),
            (false, _) => Found::Bytes(row.try_get(column)?),
        })
    };
    let cells: Result<Vec<Found>, sqlx::Error> = (0..row.len()).map(cell).collect();
    Ok(Row::new(cells?))
}

pub(super) async fn rows(
    transaction: &mut Transaction<'_>,
    sql: &'static str,
    cells: &[Cell<'_>],
) -> Result<Vec<Row>, Fault> {
    query(sql, cells).fetch_all(&mut **transaction).await?.iter().map(row).collect()
}

pub(super) async fn execute(
    transaction: &mut Transaction<'_>,
    sql: &'static str,
    cells: &[Cell<'_>],
) -> Result<(), Fault> {
    query(sql, cells).execute(&mut **transaction).await?;
    Ok(())
}
