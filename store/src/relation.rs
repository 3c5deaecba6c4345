//! Relations: what a fold declares of its rows, so that databases show them with columns of their own types.
//!
//! A fold declares by a row of its own at the path [`PATH`]: the key is the path of the rows that are meant, the value a
//! map from columns to types. So a declaration is state like all else, under the same root.

use crate::backend::StateRow;
use crate::document::{Hash, hash, text_of, to_hex};
use kerai_vm::encoding::root::Context;
use kerai_vm::encoding::{Options, cbor};
use kerai_vm::fold::column::{PATH, Type};
use kerai_vm::value::{Heap, Value};

/// What the names of kerai's own columns begin with.
pub const OWN: &str = "kerai_";

/// Bytes that a name in a database may have, and columns that a relation may.
const NAME: usize = 63;
const COLUMNS: usize = 256;

/// A relation that is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// The path of its rows.
    pub path: String,
    /// By name, in canonical order.
    pub columns: Vec<(String, Type)>,
}

/// What a changed row says of a relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declaration {
    Declared(Relation),
    /// The relation of this path is declared no more.
    Gone(String),
    /// The path, and why there can be no such relation.
    Unusable(String, String),
}

/// Reads a changed row; none where it declares nothing.
#[must_use]
pub fn declaration(row: &StateRow) -> Option<Declaration> {
    if row.projection.path != PATH {
        return None;
    }
    let mut heap = Heap::new(0);
    let pair = cbor::decode(&mut heap, &row.key, &Options::CANONICAL).ok()?;
    let path = heap.items(pair).and_then(|pair| pair.get(1).copied())?;
    let path = text_of(&heap, path)?;
    let Some(value) = &row.value else { return Some(Declaration::Gone(path)) };
    let columns = cbor::decode(&mut heap, value, &Options::CANONICAL).ok()?;
    Some(match read(&heap, columns) {
        Ok(columns) => Declaration::Declared(Relation { path, columns }),
        Err(why) => Declaration::Unusable(path, why),
    })
}

fn read(heap: &Heap, columns: Value) -> Result<Vec<(String, Type)>, String> {
    let entries = heap.entries(columns).ok_or("it is no map from columns to types")?;
    if entries.len() > COLUMNS {
        return Err(format!("it has more than {COLUMNS} columns"));
    }
    let mut read: Vec<(String, Type)> = Vec::with_capacity(entries.len());
    for (name, kind) in entries {
        let name = text_of(heap, name).ok_or("a column's name is no text")?;
        let is_odd = |char: char| char.is_ascii_control() || matches!(char, '"' | '\\');
        if name.is_empty() || name.len() > NAME || name.starts_with(OWN) || name.contains(is_odd) {
            return Err(format!("`{}` can't be the name of a column", name.escape_default()));
        }
        // Some databases don't tell them apart.
        if read.iter().any(|other| other.0.eq_ignore_ascii_case(&name)) {
            return Err(format!("there are two columns `{name}`"));
        }
        let kind = text_of(heap, kind).unwrap_or_default();
        let found = Type::ALL.iter().copied().find(|found| found.name() == kind);
        let known = || Type::ALL.iter().map(|known| known.name()).collect::<Vec<_>>().join(", ");
        read.push((name, found.ok_or_else(|| format!("`{}` is no type: {}", kind.escape_default(), known()))?));
    }
    Ok(read)
}

/// The name of a path's relation in a database: stream and path, where that is short enough.
#[must_use]
pub fn name(stream: &str, path: &str) -> String {
    let whole = format!("{stream}/{path}").replace('\0', "\u{2400}");
    if whole.len() <= NAME {
        return whole;
    }
    let mark: Hash = hash(Context::Data, whole.as_bytes());
    let mark: String = to_hex(&mark).chars().take(16).collect();
    let mut end = NAME - mark.len() - 1;
    while !whole.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}~{mark}", whole.get(..end).unwrap_or_default())
}

/// A name as SQL takes it, whatever is in it.
fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL takes it, whatever is in it.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\0', "\u{2400}").replace('\'', "''"))
}

/// The statements that make the relation on a server, and in a file. Every name in them is quoted.
#[must_use]
pub fn postgres(stream: (i64, &str), relation: &Relation) -> [String; 2] {
    let column = |(name, kind): &(String, Type)| {
        let (at, text) = (format!("v -> {}", literal(name)), format!("(v ->> {})", literal(name)));
        let is = |kind: &str| format!("jsonb_typeof({at}) = '{kind}'");
        let value = match kind {
            Type::Text => format!("CASE WHEN {} THEN {text} END", is("string")),
            Type::Integer => format!(
                "CASE WHEN {} THEN CASE WHEN {text}::numeric BETWEEN {} AND {} AND {text}::numeric = trunc({text}::numeric) \
                 THEN {text}::numeric::bigint END END",
                is("number"),
                i64::MIN,
                i64::MAX
            ),
            Type::Number => format!("CASE WHEN {} THEN {text}::numeric END", is("number")),
            Type::Float => format!("CASE WHEN {} THEN {text}::double precision END", is("number")),
            Type::Boolean => format!("CASE WHEN {} THEN {text}::boolean END", is("boolean")),
            Type::Json => format!("({at})"),
        };
        format!(", {value} AS {}", identifier(name))
    };
    let columns: String = relation.columns.iter().map(column).collect();
    let name = identifier(&name(stream.1, &relation.path));
    // What jsonb can't hold is null.
    let shown = |column: &str| format!("CASE WHEN position('\\u0000' IN {column}) = 0 THEN {column}::jsonb END");
    [
        format!("DROP VIEW IF EXISTS kerai.{name}"),
        format!(
            "CREATE VIEW kerai.{name} AS SELECT k #>> '{{}}' AS kerai_key{columns}, v AS kerai_value, \
             epoch AS kerai_epoch, count AS kerai_count, fold_root AS kerai_fold_root, policy_root AS kerai_policy_root \
             FROM (SELECT {} AS k, {} AS v, epoch, count, fold_root, policy_root FROM kerai.state \
             WHERE stream = {} AND path = {} AND value IS NOT NULL) AS rows",
            shown("name"),
            shown("view"),
            stream.0,
            literal(&relation.path)
        ),
    ]
}

/// As [`postgres`], for a file.
#[must_use]
pub fn sqlite(stream: (i64, &str), relation: &Relation) -> [String; 2] {
    let column = |(name, kind): &(String, Type)| {
        let at = literal(&format!("$.\"{name}\""));
        let found = format!("json_extract(view, {at})");
        let (kinds, value) = match kind {
            Type::Text => ("('text')", found),
            Type::Integer => ("('integer')", format!("CASE typeof({found}) WHEN 'integer' THEN {found} END")),
            Type::Number => ("('integer', 'real')", found),
            Type::Float => ("('integer', 'real')", format!("CAST({found} AS REAL)")),
            Type::Boolean => ("('true', 'false')", found),
            Type::Json => return format!(", view -> {at} AS {}", identifier(name)),
        };
        format!(", CASE WHEN json_type(view, {at}) IN {kinds} THEN {value} END AS {}", identifier(name))
    };
    let columns: String = relation.columns.iter().map(column).collect();
    let name = identifier(&name(stream.1, &relation.path));
    [
        format!("DROP VIEW IF EXISTS {name}"),
        format!(
            "CREATE VIEW {name} AS SELECT json_extract(name, '$') AS kerai_key{columns}, view AS kerai_value, \
             epoch AS kerai_epoch, count AS kerai_count, fold_root AS kerai_fold_root, policy_root AS kerai_policy_root \
             FROM state WHERE stream = {} AND path = {} AND value IS NOT NULL",
            stream.0,
            literal(&relation.path)
        ),
    ]
}
