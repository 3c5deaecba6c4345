//! Tables on a PostgreSQL server, where the database of words is one: rows go there by COPY, as they are read.

use crate::csv::{Field, Type, write_record};
use crate::database::{fault, quoted};
use crate::error::{Done, WordError};
use crate::item::Column;
use futures_util::TryStreamExt;
use kerai_compiler::Span;
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Column as _, Executor, Row, SqlSafeStr, Statement, TypeInfo};

/// Where imported tables lie on a server. What is queried is looked for there first.
pub const SCHEMA: &str = "kerai_words";

/// Bytes of rows that are sent at once: what an import keeps in memory, however long it is.
const PART: usize = 1 << 20;

/// Makes what is not there yet; one session after the other, or two would make it at once.
const BEGIN: &str = "
    SELECT pg_advisory_lock(hashtext('kerai_words'));
    CREATE SCHEMA IF NOT EXISTS kerai_words;
    CREATE SEQUENCE IF NOT EXISTS kerai_words.kerai_dataset;
    CREATE TABLE IF NOT EXISTS kerai_words.kerai_table (dataset BIGINT NOT NULL, name TEXT NOT NULL,
        stored TEXT NOT NULL, columns TEXT NOT NULL, rows BIGINT NOT NULL, PRIMARY KEY (dataset, name));
    SELECT pg_advisory_unlock(hashtext('kerai_words'));
    SET search_path = kerai_words, public;
    SET datestyle = 'ISO';
    SET client_min_messages = warning;
";

/// A connection to the server that holds the tables.
pub struct Server {
    pub(crate) connection: PgConnection,
}

impl Server {
    pub(crate) async fn begin(mut connection: PgConnection, span: Span) -> Done<Server> {
        connection.execute(sqlx::raw_sql(BEGIN)).await.map_err(|cause| fault(span, &cause))?;
        Ok(Server { connection })
    }

    pub(crate) async fn execute(&mut self, sql: &str, span: Span) -> Done<u64> {
        let done = self.connection.execute(AssertSqlSafe(sql)).await.map_err(|cause| fault(span, &cause))?;
        Ok(done.rows_affected())
    }

    pub(crate) async fn dataset(&mut self, span: Span) -> Done<i64> {
        let next = sqlx::query_scalar("SELECT nextval('kerai_words.kerai_dataset')");
        next.fetch_one(&mut self.connection).await.map_err(|cause| fault(span, &cause))
    }

    pub(crate) async fn describe(&mut self, query: &str, span: Span) -> Done<(Vec<Column>, i64)> {
        let columns = self.columns(query, span).await?;
        let count = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM ({query}) AS counted")));
        let rows = count.fetch_one(&mut self.connection).await.map_err(|cause| fault(span, &cause))?;
        Ok((columns, rows))
    }

    async fn columns(&mut self, query: &str, span: Span) -> Done<Vec<Column>> {
        let prepared = (&mut self.connection).prepare(AssertSqlSafe(query).into_sql_str()).await;
        let prepared = prepared.map_err(|cause| fault(span, &cause))?;
        let columns = prepared
            .columns()
            .iter()
            .map(|column| Column { name: column.name().to_owned(), holds: kind(column.type_info().name()).to_owned() });
        Ok(columns.collect())
    }

    /// Hands each row of a query on, as texts, which the server makes: every digit is kept.
    pub(crate) async fn each(
        &mut self,
        query: &str,
        span: Span,
        mut row: impl FnMut(Vec<Option<String>>) -> Done,
    ) -> Done {
        let width = self.columns(query, span).await?.len();
        let names: Vec<String> = (0..width).map(|at| format!("c{at}")).collect();
        let texts: Vec<String> = names.iter().map(|name| format!("{name}::text")).collect();
        let query = format!("SELECT {} FROM ({query}) AS shown({})", texts.join(", "), names.join(", "));
        let mut rows = sqlx::query(AssertSqlSafe(query)).fetch(&mut self.connection);
        while let Some(found) = rows.try_next().await.map_err(|cause| fault(span, &cause))? {
            row(cells(&found, width).map_err(|cause| fault(span, &cause))?)?;
        }
        Ok(())
    }

    /// Streams rows into a table by COPY: `next` gives each, `done` hears how many there were so far.
    pub(crate) async fn copy(
        &mut self,
        table: &str,
        span: Span,
        mut next: impl FnMut() -> Done<Option<Vec<Field>>>,
        mut done: impl FnMut(usize),
    ) -> Done {
        let wrong = |cause: sqlx::Error| fault(span, &cause);
        let statement = format!("COPY {table} FROM STDIN (FORMAT csv)");
        let mut stream = self.connection.copy_in_raw(&statement).await.map_err(wrong)?;
        let (mut part, mut count) = (Vec::with_capacity(PART + PART / 4), 0);
        loop {
            let record = match next() {
                Ok(record) => record,
                Err(found) => {
                    // The server is told that nothing more comes; what it says to that is known.
                    let _ = stream.abort("the rest can't be read").await;
                    return Err(found);
                }
            };
            let is_end = record.is_none();
            if let Some(record) = record {
                let fields = record.iter().map(|field| field.as_deref());
                write_record(&mut part, fields).map_err(|cause| WordError::new("CSV", span, cause.to_string(), ""))?;
                count += 1;
            }
            if part.len() >= PART || (is_end && !part.is_empty()) {
                stream.send(part.as_slice()).await.map_err(wrong)?;
                part.clear();
                done(count);
            }
            if is_end {
                return stream.finish().await.map(drop).map_err(wrong);
            }
        }
    }
}

fn cells(row: &PgRow, width: usize) -> Result<Vec<Option<String>>, sqlx::Error> {
    (0..width).map(|at| row.try_get(at)).collect()
}

/// What a type of the server is called here.
fn kind(name: &str) -> &'static str {
    match name {
        "INT2" | "INT4" | "INT8" => "integer",
        "NUMERIC" => "decimal",
        "FLOAT4" | "FLOAT8" => "float",
        "BOOL" => "bool",
        "DATE" => "date",
        _ => "text",
    }
}

/// The type of a column on the server: each gives back what it was given.
pub const fn declared(kind: Type) -> &'static str {
    match kind {
        Type::Integer => "BIGINT",
        Type::Decimal => "NUMERIC",
        Type::Bool => "BOOLEAN",
        Type::Date => "DATE",
        Type::Empty | Type::Text => "TEXT",
    }
}

/// A stored table, as statements name it.
pub fn stored(table: &str) -> String {
    format!("{SCHEMA}.{}", quoted(table))
}
