//! `csv.import`: a file, a folder of files, or a zip archive into tables. Types are found in a first pass, rows go in by
//! many at once in a second, so that no file must fit into memory.

use crate::csv::{Fault, Reader, Type};
use crate::database::quoted;
use crate::error::{Done, WordError};
use crate::item::{Column, Content, columns_json};
use crate::machine::Machine;
use crate::server::declared;
use crate::zip;
use kerai_compiler::Span;
use sqlx::Arguments;
use sqlx::sqlite::SqliteArguments;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Cursor};
use std::path::{Path, PathBuf};

/// The most values of one statement, and the most files of one import.
const MOST_VALUES: usize = 16_000;
const MOST_FILES: usize = 10_000;

/// Something to be read twice.
pub(crate) enum Source {
    File(PathBuf),
    Bytes(Vec<u8>),
    /// A file in an archive: one at a time is unpacked.
    Packed(PathBuf, zip::Entry),
}

impl Source {
    fn open(&self) -> Result<Box<dyn BufRead + '_>, Fault> {
        Ok(match self {
            Source::File(path) => Box::new(BufReader::with_capacity(1 << 18, File::open(path).map_err(Fault::Read)?)),
            Source::Bytes(bytes) => Box::new(Cursor::new(bytes)),
            Source::Packed(archive, entry) => {
                let mut file = File::open(archive).map_err(Fault::Read)?;
                let broken = |message| Fault::Read(std::io::Error::other(message));
                Box::new(Cursor::new(zip::content(&mut file, entry).map_err(broken)?))
            }
        })
    }
}

/// What a first look says of a table.
struct Shape {
    columns: Vec<Column>,
    types: Vec<Type>,
    rows: i64,
}

impl Machine {
    pub(crate) async fn csv_import(&mut self, path: &str, span: Span) -> Done<Content> {
        let sources = sources(path).map_err(|message| {
            WordError::new("CSV", span, message, "give the path of a CSV file, a folder of them, or a zip archive")
        })?;
        let dataset = self.database.begin(span).await?;
        let mut tables = Vec::new();
        for (name, shown, source) in sources {
            if let Err(found) = self.import_table(dataset, tables.len(), &name, &shown, &source, span).await {
                self.database.end(false, span).await?;
                return Err(found);
            }
            tables.push(name);
        }
        self.database.end(true, span).await?;
        Ok(Content::Dataset { path: path.to_owned(), tables })
    }

    /// One table, and a view of its name.
    pub(crate) async fn import_table(
        &mut self,
        dataset: i64,
        number: usize,
        name: &str,
        shown: &str,
        source: &Source,
        span: Span,
    ) -> Done<Content> {
        let wrong = |fault: Fault| match fault {
            Fault::Read(cause) => {
                WordError::new("CSV", span, format!("can't read `{shown}`: {cause}"), "see to it that it can be read")
            }
            Fault::Form(message, line) => {
                WordError::new("CSV", span, format!("{shown}:{line}: {message}"), "correct the file")
            }
        };
        if name.to_ascii_lowercase().starts_with("kerai_") || name.to_ascii_lowercase().starts_with("sqlite_") {
            return Err(WordError::new("CSV", span, format!("a table can't be named `{name}`"), "rename the file"));
        }
        let shape = look(source).map_err(wrong)?;
        let stored = format!("t{dataset}_{number}");
        let table = self.database.stored(&stored);
        let is_server = self.database.server.is_some();
        let declared = shape.columns.iter().zip(&shape.types).map(|(column, &kind)| {
            let here = if kind == Type::Integer { "INTEGER" } else { "TEXT" };
            format!("{} {}", quoted(&column.name), if is_server { declared(kind) } else { here })
        });
        let declared: Vec<String> = declared.collect();
        self.database.execute(&format!("CREATE TABLE {table} ({})", declared.join(", ")), span).await?;
        self.fill(&table, shown, source, &shape, span).await?;
        // The latest import of a name is what a query finds under it.
        let view = self.database.stored(name);
        self.database.execute(&format!("DROP VIEW IF EXISTS {view}"), span).await?;
        self.database.execute(&format!("CREATE VIEW {view} AS SELECT * FROM {table}"), span).await?;
        let columns = columns_json(&shape.columns).to_string();
        self.database.note(dataset, name, &stored, (&columns, shape.rows), span).await?;
        let types: Vec<String> =
            shape.columns.iter().map(|column| format!("{} {}", column.name, column.holds)).collect();
        self.outside.say(&format!("{name}: {} rows ({})", shape.rows, types.join(", ")));
        let query = format!("SELECT * FROM {table}");
        Ok(Content::Table { name: name.to_owned(), query, columns: shape.columns, rows: shape.rows })
    }

    async fn fill(&mut self, table: &str, shown: &str, source: &Source, shape: &Shape, span: Span) -> Done {
        let wrong = |fault: Fault| {
            let message = match fault {
                Fault::Read(cause) => cause.to_string(),
                Fault::Form(message, line) => format!("{line}: {message}"),
            };
            WordError::new("CSV", span, format!("{shown}:{message}"), "the file was changed while it was read")
        };
        let width = shape.columns.len();
        let batch = (MOST_VALUES / width).max(1);
        let row = format!("({})", vec!["?"; width].join(", "));
        let insert = |rows: usize| format!("INSERT INTO {table} VALUES {}", vec![row.as_str(); rows].join(", "));
        let whole = insert(batch);
        let mut reader = Reader::new(source.open().map_err(wrong)?);
        reader.record(None).map_err(wrong)?;
        let outside = &mut self.outside;
        let mut progress = |done| outside.progress(done, &format!("of {} rows of `{shown}`", shape.rows));
        if let Some(server) = &mut self.database.server {
            server.copy(table, span, || reader.record(Some(width)).map_err(wrong), progress).await?;
            self.outside.progress(usize::MAX, "");
            return Ok(());
        }
        let (mut arguments, mut count, mut done) = (SqliteArguments::default(), 0, 0_usize);
        while let Some(record) = reader.record(Some(width)).map_err(wrong)? {
            for (field, &kind) in record.into_iter().zip(&shape.types) {
                let integer =
                    field.as_deref().filter(|_| kind == Type::Integer).and_then(|text| text.parse::<i64>().ok());
                let added = match integer {
                    Some(integer) => arguments.add(integer),
                    None => arguments.add(field),
                };
                added.map_err(|fault| WordError::new("DATABASE", span, fault.to_string(), ""))?;
            }
            count += 1;
            if count == batch {
                self.database.insert(&whole, std::mem::take(&mut arguments), span).await?;
                done += count;
                count = 0;
                progress(done);
            }
        }
        if count > 0 {
            self.database.insert(&insert(count), arguments, span).await?;
        }
        self.outside.progress(usize::MAX, "");
        Ok(())
    }
}

/// Reads a source once: its columns, their types, and how many rows there are.
fn look(source: &Source) -> Result<Shape, Fault> {
    let mut reader = Reader::new(source.open()?);
    let Some(header) = reader.record(None)? else {
        return Err(Fault::Form("the file is empty: the first line names the columns".to_owned(), 1));
    };
    let mut names: Vec<String> = Vec::new();
    for (at, field) in (1..).zip(header) {
        let name = field.unwrap_or_default();
        if names.iter().any(|other| other.eq_ignore_ascii_case(&name)) {
            return Err(Fault::Form(format!("two columns are named `{name}`"), 1));
        }
        if name.contains('\0') {
            return Err(Fault::Form(format!("the name of column {at} holds a character that no name can hold"), 1));
        }
        names.push(name);
    }
    let mut types = vec![Type::Empty; names.len()];
    let mut rows = 0;
    while let Some(record) = reader.record(Some(names.len()))? {
        if record.len() != names.len() {
            let message = format!("{} fields, where the first line names {} columns", record.len(), names.len());
            return Err(Fault::Form(message, reader.line()));
        }
        for (kind, field) in types.iter_mut().zip(record) {
            if let Some(text) = field {
                *kind = kind.with(&text);
            }
        }
        rows += 1;
    }
    let columns = names.into_iter().zip(&types).map(|(name, kind)| Column { name, holds: kind.name().to_owned() });
    Ok(Shape { columns: columns.collect(), types, rows })
}

/// The tables of a path: name, how it is shown, content.
fn sources(path: &str) -> Result<Vec<(String, String, Source)>, String> {
    let shown = |cause: std::io::Error| format!("can't read `{path}`: {cause}");
    let kind = fs::metadata(path).map_err(shown)?;
    let mut found = Vec::new();
    if kind.is_dir() {
        let mut paths: Vec<PathBuf> =
            fs::read_dir(path).map_err(shown)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        paths.retain(|path| path.is_file() && is_csv(path));
        for path in paths {
            found.push((stem(&path), path.display().to_string(), Source::File(path)));
        }
    } else if Path::new(path).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("zip")) {
        let mut file = File::open(path).map_err(shown)?;
        for entry in zip::entries(&mut file)?.into_iter().filter(|entry| is_csv(Path::new(&entry.name))) {
            let name = stem(Path::new(&entry.name));
            found.push((name, format!("{path}/{}", entry.name), Source::Packed(path.into(), entry)));
        }
    } else {
        found.push((stem(Path::new(path)), path.to_owned(), Source::File(path.into())));
    }
    if found.is_empty() {
        return Err(format!("there is no CSV file in `{path}`"));
    }
    if found.len() > MOST_FILES {
        return Err(format!("there are more than {MOST_FILES} files in `{path}`"));
    }
    for (at, (name, ..)) in found.iter().enumerate() {
        if found.iter().take(at).any(|(other, ..)| other.eq_ignore_ascii_case(name)) {
            return Err(format!("two files in `{path}` are named `{name}`"));
        }
    }
    Ok(found)
}

fn is_csv(path: &Path) -> bool {
    let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    !is_hidden && path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"))
}

fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}
