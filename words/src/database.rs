//! The database of a session: an SQLite file, or one in memory for what is typed once. Every statement of words runs here.

use crate::error::{Done, WordError};
use crate::item::Column;
use crate::server::{self, Server};
use futures_util::TryStreamExt;
use kerai_compiler::Span;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteRow, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Column as _, ConnectOptions, Executor, Row, SqlSafeStr, Statement, TypeInfo, ValueRef};
use std::path::Path;
use std::time::Duration;

/// Where sessions are kept, and tables lie, unless those are on a server.
pub struct Database {
    pub(crate) connection: SqliteConnection,
    pub(crate) server: Option<Server>,
}

/// What a session keeps: sessions, their items and definitions, the tables that were imported.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS kerai_session (name TEXT PRIMARY KEY, next INTEGER NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS kerai_item (session TEXT NOT NULL, place INTEGER NOT NULL, id INTEGER NOT NULL,
        kind TEXT NOT NULL, value BLOB, reference TEXT, about TEXT NOT NULL, PRIMARY KEY (session, place)) STRICT;
    CREATE TABLE IF NOT EXISTS kerai_definition (session TEXT NOT NULL, name TEXT NOT NULL, source TEXT NOT NULL,
        PRIMARY KEY (session, name)) STRICT;
    CREATE TABLE IF NOT EXISTS kerai_table (dataset INTEGER NOT NULL, name TEXT NOT NULL, stored TEXT NOT NULL,
        columns TEXT NOT NULL, rows INTEGER NOT NULL, PRIMARY KEY (dataset, name)) STRICT;
";

pub fn fault(span: Span, fault: &sqlx::Error) -> WordError {
    let message = fault.as_database_error().map_or_else(|| fault.to_string(), |inner| inner.message().to_owned());
    WordError::new("DATABASE", span, message, "correct the statement, or see to it that the database can be reached")
}

impl Database {
    /// Opens a file, which is made where it is not there, or a database in memory.
    ///
    /// # Errors
    /// The file can't be opened.
    pub async fn open(path: Option<&Path>) -> Done<Database> {
        let options = match path {
            Some(path) => SqliteConnectOptions::new()
                .filename(path)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(20)),
            None => SqliteConnectOptions::new().filename(":memory:"),
        };
        let here = Span::default();
        let mut connection =
            options.disable_statement_logging().connect().await.map_err(|cause| fault(here, &cause))?;
        connection.execute(SCHEMA).await.map_err(|cause| fault(here, &cause))?;
        Ok(Database { connection, server: None })
    }

    /// Begins an import, which goes in as a whole or not at all, and gives it a number.
    pub(crate) async fn begin(&mut self, span: Span) -> Done<i64> {
        if let Some(server) = &mut self.server {
            let dataset = server.dataset(span).await?;
            return server.execute("BEGIN", span).await.map(|_| dataset);
        }
        // Another session may import at the same time: the second one waits.
        self.execute("BEGIN IMMEDIATE", span).await?;
        let next = sqlx::query_scalar("SELECT coalesce(max(dataset), 0) + 1 FROM kerai_table");
        next.fetch_one(&mut self.connection).await.map_err(|cause| fault(span, &cause))
    }

    pub(crate) async fn end(&mut self, is_kept: bool, span: Span) -> Done {
        self.execute(if is_kept { "COMMIT" } else { "ROLLBACK" }, span).await.map(drop)
    }

    /// A stored table, as statements name it.
    pub(crate) fn stored(&self, table: &str) -> String {
        if self.server.is_some() { server::stored(table) } else { quoted(table) }
    }

    /// Notes an imported table.
    pub(crate) async fn note(
        &mut self,
        dataset: i64,
        name: &str,
        stored: &str,
        about: (&str, i64),
        span: Span,
    ) -> Done {
        let (columns, rows) = about;
        let done = if let Some(server) = &mut self.server {
            let statement = "INSERT INTO kerai_words.kerai_table VALUES ($1, $2, $3, $4, $5)";
            let query = sqlx::query(statement).bind(dataset).bind(name).bind(stored).bind(columns).bind(rows);
            query.execute(&mut server.connection).await.map(drop)
        } else {
            let statement = "INSERT INTO kerai_table VALUES (?, ?, ?, ?, ?)";
            let query = sqlx::query(statement).bind(dataset).bind(name).bind(stored).bind(columns).bind(rows);
            query.execute(&mut self.connection).await.map(drop)
        };
        done.map_err(|cause| fault(span, &cause))
    }

    /// The latest table of a name: where it is stored, its columns, its rows.
    pub(crate) async fn find(&mut self, name: &str, span: Span) -> Done<Option<(String, String, i64)>> {
        let found = if let Some(server) = &mut self.server {
            let latest = "SELECT stored, columns, rows FROM kerai_words.kerai_table WHERE name = $1 \
                          ORDER BY dataset DESC LIMIT 1";
            sqlx::query_as(latest).bind(name).fetch_optional(&mut server.connection).await
        } else {
            let latest = "SELECT stored, columns, rows FROM kerai_table WHERE name = ? ORDER BY dataset DESC LIMIT 1";
            sqlx::query_as(latest).bind(name).fetch_optional(&mut self.connection).await
        };
        found.map_err(|cause| fault(span, &cause))
    }

    pub(crate) async fn execute(&mut self, sql: &str, span: Span) -> Done<u64> {
        if let Some(server) = &mut self.server {
            return server.execute(sql, span).await;
        }
        let done = self.connection.execute(AssertSqlSafe(sql)).await.map_err(|cause| fault(span, &cause))?;
        Ok(done.rows_affected())
    }

    /// The columns of a query, and how many rows it gives.
    pub(crate) async fn describe(&mut self, query: &str, span: Span) -> Done<(Vec<Column>, i64)> {
        if let Some(server) = &mut self.server {
            return server.describe(query, span).await;
        }
        let mut columns = Vec::new();
        let first = sqlx::query(AssertSqlSafe(format!("SELECT * FROM ({query}) LIMIT 1")))
            .fetch_optional(&mut self.connection)
            .await
            .map_err(|cause| fault(span, &cause))?;
        let described = match &first {
            Some(row) => names(row),
            None => {
                let prepared = (&mut self.connection).prepare(AssertSqlSafe(query).into_sql_str()).await;
                let prepared = prepared.map_err(|cause| fault(span, &cause))?;
                prepared.columns().iter().map(|column| (column.name().to_owned(), "text".to_owned())).collect()
            }
        };
        columns.extend(described.into_iter().map(|(name, holds)| Column { name, holds }));
        let rows = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM ({query})")));
        let rows = rows.fetch_one(&mut self.connection).await.map_err(|cause| fault(span, &cause))?;
        Ok((columns, rows))
    }

    /// Hands each row of a query on, as texts.
    pub(crate) async fn each(
        &mut self,
        query: &str,
        span: Span,
        mut row: impl FnMut(Vec<Option<String>>) -> Done,
    ) -> Done {
        if let Some(server) = &mut self.server {
            return server.each(query, span, row).await;
        }
        let mut rows = sqlx::query(AssertSqlSafe(query)).fetch(&mut self.connection);
        while let Some(found) = rows.try_next().await.map_err(|cause| fault(span, &cause))? {
            let texts: Result<_, _> = (0..found.len()).map(|at| text(&found, at)).collect();
            row(texts.map_err(|cause| fault(span, &cause))?)?;
        }
        Ok(())
    }

    pub(crate) async fn insert(&mut self, sql: &str, arguments: SqliteArguments, span: Span) -> Done {
        let done = sqlx::query_with(AssertSqlSafe(sql), arguments).execute(&mut self.connection).await;
        done.map(drop).map_err(|cause| fault(span, &cause))
    }
}

fn names(row: &SqliteRow) -> Vec<(String, String)> {
    let kind = |at: usize| {
        let Ok(value) = row.try_get_raw(at) else { return "text" };
        match value.type_info().name() {
            "INTEGER" => "integer",
            "REAL" => "float",
            "BLOB" => "bytes",
            _ => "text",
        }
    };
    row.columns().iter().enumerate().map(|(at, column)| (column.name().to_owned(), kind(at).to_owned())).collect()
}

/// A cell as text: what SQLite has as a number is written so that it reads as the same number.
fn text(row: &SqliteRow, at: usize) -> Result<Option<String>, sqlx::Error> {
    let value = row.try_get_raw(at)?;
    if value.is_null() {
        return Ok(None);
    }
    let kind = value.type_info().name().to_owned();
    Ok(Some(match kind.as_str() {
        "INTEGER" => row.try_get_unchecked::<i64, _>(at)?.to_string(),
        "REAL" => row.try_get_unchecked::<f64, _>(at)?.to_string(),
        "BLOB" => row.try_get_unchecked::<Vec<u8>, _>(at)?.iter().map(|byte| format!("{byte:02x}")).collect(),
        _ => row.try_get_unchecked::<String, _>(at)?,
    }))
}

/// A name as SQL takes it, whatever it holds.
pub fn quoted(name: &str) -> String {
    // A server takes no name that is empty.
    if name.is_empty() { "\" \"".to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}
