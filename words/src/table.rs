//! Tables: queries and their rows, a choice of columns, and CSV again.

use crate::csv::write_record;
use crate::database::quoted;
use crate::error::{Done, WordError};
use crate::item::{Column, Content};
use crate::machine::Machine;
use kerai_compiler::Span;
use serde_json::{Map, Value};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// The most bytes of CSV as a text, and the most rows of a list.
const LARGEST_TEXT: usize = 8 << 20;
const MOST_ROWS: i64 = 100_000;

impl Machine {
    /// The rows of a query, or what another statement has changed.
    pub(crate) async fn sql(&mut self, query: &str, span: Span) -> Done<Content> {
        let query = query.trim().trim_end_matches(';').trim_end();
        let verb = query.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        if matches!(verb.as_str(), "select" | "with" | "values") {
            let (mut columns, rows) = self.database.describe(query, span).await?;
            if self.database.server.is_none() {
                self.refine(&mut columns).await;
            }
            return Ok(Content::Table { name: "query".to_owned(), query: query.to_owned(), columns, rows });
        }
        let changed = self.database.execute(query, span).await?;
        Content::of_json(&Value::from(changed)).map_err(|message| WordError::new("SQL", span, message, ""))
    }

    /// Columns that stand for imported ones under the same name have their types.
    async fn refine(&mut self, columns: &mut [Column]) {
        let known: Vec<String> = sqlx::query_scalar("SELECT columns FROM kerai_table ORDER BY dataset DESC LIMIT 100")
            .fetch_all(&mut self.database.connection)
            .await
            .unwrap_or_default();
        for column in columns.iter_mut().filter(|column| column.holds == "text") {
            for text in &known {
                let listed: Value = serde_json::from_str(text).unwrap_or_default();
                let found = listed.as_array().into_iter().flatten();
                let mut found = found.filter(|other| other.get("name").and_then(Value::as_str) == Some(&column.name));
                if let Some(holds) =
                    found.next().and_then(|other| other.get("type")?.as_str()).filter(|holds| *holds != "integer")
                {
                    column.holds = holds.to_owned();
                    break;
                }
            }
        }
    }

    pub(crate) async fn select(&mut self, path: &str, tables: &[String], name: &str, span: Span) -> Done<Content> {
        let found = self.database.find(name, span).await?;
        let Some((stored, columns, rows)) = found.filter(|_| tables.iter().any(|table| table == name)) else {
            let help = match kerai_compiler::similar(name, tables.iter().map(String::as_str)) {
                Some(like) => format!("did you mean `{like}`?"),
                None => {
                    format!("its tables are `{}`", tables.iter().take(20).cloned().collect::<Vec<_>>().join("`, `"))
                }
            };
            return Err(WordError::new("TABLE", span, format!("there is no table `{name}` in `{path}`"), help));
        };
        let columns: Vec<Value> = serde_json::from_str(&columns).unwrap_or_default();
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let columns = columns.iter().map(|value| Column { name: text(value, "name"), holds: text(value, "type") });
        let query = format!("SELECT * FROM {}", self.database.stored(&stored));
        Ok(Content::Table { name: name.to_owned(), query, columns: columns.collect(), rows })
    }

    /// The rows of a table as maps, texts as texts and integers as numbers.
    pub(crate) async fn rows(&mut self, query: &str, columns: &[Column], rows: i64, span: Span) -> Done<Content> {
        if rows > MOST_ROWS {
            let message = format!("the table has {rows} rows, and a list at most {MOST_ROWS}");
            return Err(WordError::new("TABLE", span, message, "choose rows by `sql` first"));
        }
        let mut list = Vec::new();
        self.database
            .each(query, span, |cells| {
                let entries = columns.iter().zip(cells).filter_map(|(column, cell)| {
                    let cell = cell?;
                    let number = || serde_json::from_str::<Value>(&cell).ok().filter(Value::is_i64);
                    let value = if column.holds == "integer" { number() } else { None };
                    Some((column.name.clone(), value.unwrap_or(Value::String(cell))))
                });
                list.push(Value::Object(entries.collect::<Map<_, _>>()));
                Ok(())
            })
            .await?;
        Content::of_json(&Value::Array(list)).map_err(|message| WordError::new("TABLE", span, message, ""))
    }

    /// Writes a table as CSV into what takes bytes.
    async fn write_csv(&mut self, table: &Content, out: &mut impl Write, span: Span) -> Done {
        let Content::Table { query, columns, rows, name } = table else { return Ok(()) };
        let wrong = |cause: std::io::Error| {
            WordError::new("CSV", span, format!("can't write: {cause}"), "see to it that it can be written")
        };
        write_record(out, columns.iter().map(|column| Some(column.name.as_str()).filter(|name| !name.is_empty())))
            .map_err(wrong)?;
        let mut done = 0_usize;
        let outside = &mut self.outside;
        self.database
            .each(query, span, |cells| {
                done += 1;
                if done.is_multiple_of(4096) {
                    outside.progress(done, &format!("of {rows} rows of `{name}`"));
                }
                write_record(out, cells.iter().map(|cell| cell.as_deref())).map_err(wrong)
            })
            .await?;
        self.outside.progress(usize::MAX, "");
        out.flush().map_err(wrong)
    }

    /// Writes tables as CSV: as a text, or into a file or folder.
    pub(crate) async fn csv_export(&mut self, item: &Content, path: Option<&str>, span: Span) -> Done<Option<Content>> {
        let wrong = |cause: std::io::Error| {
            WordError::new("CSV", span, format!("can't write: {cause}"), "see to it that it can be written")
        };
        match (item, path) {
            (Content::Dataset { path: from, tables }, Some(file)) if is_file(file, tables) => {
                let name = tables.first().cloned().unwrap_or_default();
                let table = self.select(from, tables, &name, span).await?;
                self.write_file(&table, Path::new(file), span).await?;
                Ok(None)
            }
            (Content::Dataset { path: from, tables }, Some(folder)) => {
                fs::create_dir_all(folder).map_err(wrong)?;
                for name in tables.clone() {
                    let table = self.select(from, tables, &name, span).await?;
                    self.write_file(&table, &Path::new(folder).join(format!("{name}.csv")), span).await?;
                }
                Ok(None)
            }
            (Content::Dataset { .. }, None) => Err(WordError::new(
                "CSV",
                span,
                "a dataset is written into a folder",
                "write the path of the folder before `csv.export`",
            )),
            (Content::Table { name, .. }, Some(path)) => {
                let is_folder = Path::new(path).is_dir();
                let file = if is_folder { Path::new(path).join(format!("{name}.csv")) } else { PathBuf::from(path) };
                self.write_file(item, &file, span).await?;
                Ok(None)
            }
            (table, None) => {
                let mut out = Bounded(Vec::new());
                self.write_csv(table, &mut out, span).await?;
                Ok(Some(Content::text(&String::from_utf8_lossy(&out.0))))
            }
            (other, Some(_)) => {
                let message = format!("`csv.export` writes a table or dataset, and finds a {}", other.kind());
                Err(WordError::new("WORDS_KIND", span, message, "`\"SELECT …\" sql` makes a table"))
            }
        }
    }

    /// The file is written beside and then moved, so that a full disk loses nothing.
    async fn write_file(&mut self, table: &Content, path: &Path, span: Span) -> Done {
        let wrong = |cause: std::io::Error| {
            WordError::new(
                "CSV",
                span,
                format!("can't write `{}`: {cause}", path.display()),
                "see to it that it can be written",
            )
        };
        let mut beside = path.to_path_buf().into_os_string();
        beside.push(".kerai-new");
        let mut out = BufWriter::with_capacity(1 << 18, File::create(&beside).map_err(wrong)?);
        self.write_csv(table, &mut out, span).await?;
        drop(out);
        fs::rename(&beside, path).map_err(wrong)
    }
}

/// Whether a dataset goes into a file: it has one table, and the path is named as such.
fn is_file(path: &str, tables: &[String]) -> bool {
    let path = Path::new(path);
    tables.len() == 1 && !path.is_dir() && path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"))
}

/// A text that can't become too large.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > LARGEST_TEXT {
            let message = format!("a text has at most {LARGEST_TEXT} bytes: write a path before `csv.export`");
            return Err(std::io::Error::other(message));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A table with some of its columns.
pub(crate) fn pick(table: &Content, names: &[String], span: Span) -> Done<Content> {
    let Content::Table { name, query, columns, rows } = table else {
        let message = format!("`columns.pick` takes a table, and finds a {}", table.kind());
        return Err(WordError::new("WORDS_KIND", span, message, "`table.select` takes a table out of a dataset"));
    };
    let mut picked = Vec::new();
    for wanted in names {
        let found = columns.iter().find(|column| column.name == *wanted);
        let Some(column) = found else {
            let all = columns.iter().map(|column| column.name.as_str());
            let help = match kerai_compiler::similar(wanted, all.clone()) {
                Some(like) => format!("did you mean `{like}`?"),
                None => format!("its columns are `{}`", all.take(50).collect::<Vec<_>>().join("`, `")),
            };
            return Err(WordError::new("TABLE", span, format!("`{name}` has no column `{wanted}`"), help));
        };
        picked.push(column.clone());
    }
    if picked.is_empty() {
        return Err(WordError::new(
            "TABLE",
            span,
            "no column is named",
            "write names in brackets: `[id name] columns.pick`",
        ));
    }
    let listed: Vec<String> = picked.iter().map(|column| quoted(&column.name)).collect();
    let query = format!("SELECT {} FROM ({query}) AS picked", listed.join(", "));
    Ok(Content::Table { name: name.clone(), query, columns: picked, rows: *rows })
}

impl Machine {
    /// The first rows of a table, to be shown.
    ///
    /// # Errors
    /// The database can't be read.
    pub async fn first_rows(&mut self, table: &Content, count: usize) -> Done<Vec<Vec<Option<String>>>> {
        let Content::Table { query, .. } = table else { return Ok(Vec::new()) };
        self.reach(Span::default()).await?;
        let mut rows = Vec::new();
        let query = format!("SELECT * FROM ({query}) AS shown LIMIT {count}");
        self.database
            .each(&query, Span::default(), |row| {
                rows.push(row);
                Ok(())
            })
            .await?;
        Ok(rows)
    }
}
