//! PostgreSQL: whether it answers, what it holds, and rows by COPY, which keeps every digit and tells null from empty.

use crate::database::fault;
use crate::error::{Done, WordError};
use crate::import::Source;
use crate::item::Content;
use crate::machine::Machine;
use crate::server::Server;
use futures_util::TryStreamExt;
use kerai_compiler::Span;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor};
use std::time::Duration;
use tokio::time::timeout;

/// What a server says that is there and lets nobody in.
const REFUSED: &str = "POSTGRES_REFUSED";

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The user and the database that every server has.
const MADE_WITH: &str = "postgres";

/// The most bytes of rows that are taken from a server at once.
const LARGEST: usize = 1 << 30;

impl Machine {
    async fn connect(&self, host: Option<&str>, span: Span) -> Done<PgConnection> {
        let named = host.map(str::to_owned).or_else(|| self.outside.postgres());
        let help = "give a host, `HOST:PORT` or `postgres://USER@HOST/DATABASE`, or `--db postgres://…`";
        let options = match named.as_deref() {
            Some(url) if url.contains("://") => {
                url.parse().map_err(|cause: sqlx::Error| WordError::new("POSTGRES", span, cause.to_string(), help))?
            }
            Some(host) => {
                let (host, port) = host.rsplit_once(':').map_or((host, None), |(host, port)| (host, port.parse().ok()));
                let options = PgConnectOptions::new().host(host);
                let options = if let Some(port) = port { options.port(port) } else { options };
                // A host alone says nothing of who asks: what the server was made with is there.
                let is_known = ["PGUSER", "USER"].iter().any(|name| std::env::var_os(name).is_some());
                let options = if is_known { options } else { options.username(MADE_WITH) };
                if options.get_database().is_none() { options.database(MADE_WITH) } else { options }
            }
            None => PgConnectOptions::new(),
        };
        let shown = format!("{}:{}", options.get_host(), options.get_port());
        match timeout(PATIENCE, options.disable_statement_logging().connect()).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(cause)) => {
                let is_there = cause.as_database_error().is_some();
                let (code, what) =
                    if is_there { (REFUSED, "answers, and refuses") } else { ("POSTGRES", "can't be reached") };
                let message = format!("PostgreSQL at `{shown}` {what}: {}", fault(span, &cause).message);
                Err(WordError::new(code, span, message, help))
            }
            Err(_) => Err(WordError::new("POSTGRES", span, format!("PostgreSQL at `{shown}` does not answer"), help)),
        }
    }

    /// Sees to it that tables are where they should be: on the server that is the database, where it is one.
    pub(crate) async fn reach(&mut self, span: Span) -> Done {
        if self.outside.postgres().is_some() && self.database.server.is_none() {
            let connection = self.connect(None, span).await?;
            self.database.server = Some(Server::begin(connection, span).await?);
        }
        Ok(())
    }

    pub(crate) async fn postgres_ping(&mut self, host: Option<&str>, span: Span) -> Done<Content> {
        let mut connection = match self.connect(host, span).await {
            // Whoever refuses is there.
            Err(found) if found.code == REFUSED => return Ok(Content::text(&found.message)),
            connected => connected?,
        };
        let version: Result<String, sqlx::Error> =
            sqlx::query_scalar("SELECT 'PostgreSQL ' || current_setting('server_version')")
                .fetch_one(&mut connection)
                .await;
        version.map(|version| Content::text(&version)).map_err(|cause| fault(span, &cause))
    }

    pub(crate) async fn postgres_tables(&mut self, host: Option<&str>, span: Span) -> Done<Content> {
        let query = "SELECT table_schema AS schema, table_name AS name, \
                     pg_total_relation_size(format('%I.%I', table_schema, table_name)::regclass) AS bytes \
                     FROM information_schema.tables \
                     WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2";
        let table = self.postgres_query(host, query, "tables", span).await?;
        let Content::Table { query, columns, rows, .. } = &table else { return Ok(table) };
        self.rows(query, columns, *rows, span).await
    }

    /// What a query gives there, as a table here.
    pub(crate) async fn postgres_query(
        &mut self,
        host: Option<&str>,
        query: &str,
        name: &str,
        span: Span,
    ) -> Done<Content> {
        let mut connection = self.connect(host, span).await?;
        let query = query.trim().trim_end_matches(';');
        let verb = query.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        if !matches!(verb.as_str(), "select" | "with" | "values" | "table") {
            let done = connection.execute(AssertSqlSafe(query)).await.map_err(|cause| fault(span, &cause))?;
            let changed = serde_json::Value::from(done.rows_affected());
            return Content::of_json(&changed).map_err(|message| WordError::new("POSTGRES", span, message, ""));
        }
        let mut bytes = Vec::new();
        {
            let copy = format!("COPY ({query}) TO STDOUT (FORMAT csv, HEADER)");
            let mut stream = connection.copy_out_raw(&copy).await.map_err(|cause| fault(span, &cause))?;
            while let Some(part) = stream.try_next().await.map_err(|cause| fault(span, &cause))? {
                if bytes.len() + part.len() > LARGEST {
                    let message = format!("the query gives more than {LARGEST} bytes");
                    return Err(WordError::new("POSTGRES", span, message, "choose fewer rows"));
                }
                bytes.extend_from_slice(&part);
                self.outside.progress(bytes.len(), "bytes");
            }
        }
        let dataset = self.database.begin(span).await?;
        let table = self.import_table(dataset, 0, name, name, &Source::Bytes(bytes), span).await;
        self.database.end(table.is_ok(), span).await?;
        table
    }
}
