//! Items of a stack: an identity that never changes, a kind, and a value or what refers to it.

use kerai_vm::encoding::{Options, cbor, json};
use kerai_vm::value::{Heap, Value as Data};
use serde_json::{Value, json};

/// An item.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub id: i64,
    pub content: Content,
}

/// What an item is.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A value as canonical CBOR, and its kind. A bracket that holds words keeps its text, to be run.
    Value { kind: String, bytes: Vec<u8>, code: Option<String> },
    /// A quotation that is no data.
    Code(String),
    /// Rows that a query gives.
    Table { name: String, query: String, columns: Vec<Column>, rows: i64 },
    /// Imported tables by their names.
    Dataset { path: String, tables: Vec<String> },
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub holds: String,
}

impl Content {
    /// A value out of a heap.
    pub fn of(heap: &Heap, value: Data) -> Result<Content, String> {
        let mut bytes = Vec::new();
        cbor::encode(heap, value, &Options::SNAPSHOT, &mut bytes).map_err(|refusal| refusal.to_string())?;
        let kind = match heap.kind(value).name() {
            "string" => "text",
            kind => kind,
        };
        Ok(Content::Value { kind: kind.to_owned(), bytes, code: None })
    }

    /// The value of a JSON document.
    pub fn of_json(value: &Value) -> Result<Content, String> {
        let mut heap = Heap::new(0);
        let text = value.to_string();
        let value =
            json::decode(&mut heap, text.as_bytes(), &Options::SNAPSHOT).map_err(|refusal| refusal.to_string())?;
        Content::of(&heap, value)
    }

    pub fn text(text: &str) -> Content {
        let mut heap = Heap::new(0);
        let value = heap.string(text.as_bytes());
        // A text that was made here is below every limit, or else shown as nothing.
        Content::of(&heap, value).unwrap_or(Content::Code(String::new()))
    }

    #[must_use]
    pub fn kind(&self) -> &str {
        match self {
            Content::Value { kind, .. } => kind,
            Content::Code(_) => "code",
            Content::Table { .. } => "table",
            Content::Dataset { .. } => "dataset",
        }
    }

    /// The value as JSON shows it; what JSON can't show is shown by its kind.
    #[must_use]
    pub fn view(&self) -> String {
        match self {
            Content::Value { bytes, kind, .. } => {
                let mut heap = Heap::new(0);
                let mut out = Vec::new();
                let shown = cbor::decode(&mut heap, bytes, &Options::SNAPSHOT)
                    .and_then(|value| json::encode(&heap, value, &Options::SNAPSHOT, &mut out));
                shown.map_or_else(
                    |_| json!({ "kind": kind }).to_string(),
                    |()| String::from_utf8_lossy(&out).into_owned(),
                )
            }
            Content::Code(text) => json!({ "kind": "code", "text": text }).to_string(),
            Content::Table { name, columns, rows, .. } => {
                json!({ "table": name, "rows": rows, "columns": columns_json(columns) }).to_string()
            }
            Content::Dataset { path, tables } => json!({ "dataset": path, "tables": tables }).to_string(),
        }
    }

    /// The text that a value is.
    #[must_use]
    pub fn as_text(&self) -> Option<String> {
        match self {
            Content::Value { kind, .. } if kind == "text" => serde_json::from_str(&self.view()).ok(),
            Content::Value { .. } | Content::Code(_) | Content::Table { .. } | Content::Dataset { .. } => None,
        }
    }

    /// The texts of a list.
    #[must_use]
    pub fn as_texts(&self) -> Option<Vec<String>> {
        match self {
            Content::Value { kind, .. } if kind == "list" => serde_json::from_str(&self.view()).ok(),
            Content::Value { .. } | Content::Code(_) | Content::Table { .. } | Content::Dataset { .. } => None,
        }
    }

    /// What a session keeps of it: value, reference, and what is known of it.
    #[must_use]
    pub fn parts(&self) -> (Option<&[u8]>, Option<&str>, Value) {
        match self {
            Content::Value { bytes, code, .. } => (Some(bytes), code.as_deref(), Value::Null),
            Content::Code(text) => (None, Some(text), Value::Null),
            Content::Table { name, query, columns, rows } => {
                (None, Some(query), json!({ "name": name, "rows": rows, "columns": columns_json(columns) }))
            }
            Content::Dataset { path, tables } => (None, Some(path), json!({ "tables": tables })),
        }
    }

    /// What a session has kept.
    #[must_use]
    pub fn of_parts(kind: &str, bytes: Option<Vec<u8>>, reference: Option<String>, about: &Value) -> Option<Content> {
        Some(match kind {
            "code" => Content::Code(reference?),
            "table" => Content::Table {
                name: about.get("name")?.as_str()?.to_owned(),
                query: reference?,
                columns: about.get("columns")?.as_array()?.iter().filter_map(column_of).collect(),
                rows: about.get("rows")?.as_i64()?,
            },
            "dataset" => Content::Dataset {
                path: reference?,
                tables: about
                    .get("tables")?
                    .as_array()?
                    .iter()
                    .filter_map(|name| Some(name.as_str()?.to_owned()))
                    .collect(),
            },
            kind => Content::Value { kind: kind.to_owned(), bytes: bytes?, code: reference },
        })
    }
}

pub fn columns_json(columns: &[Column]) -> Value {
    columns.iter().map(|column| json!({ "name": column.name, "type": column.holds })).collect()
}

fn column_of(value: &Value) -> Option<Column> {
    Some(Column { name: value.get("name")?.as_str()?.to_owned(), holds: value.get("type")?.as_str()?.to_owned() })
}

impl Item {
    /// The item as `--json` shows it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let value: Value = serde_json::from_str(&self.content.view()).unwrap_or(Value::Null);
        let (_, reference, about) = self.content.parts();
        match &self.content {
            Content::Value { kind, .. } => json!({ "id": self.id, "kind": kind, "value": value }),
            content @ (Content::Code(_) | Content::Table { .. } | Content::Dataset { .. }) => {
                json!({ "id": self.id, "kind": content.kind(), "reference": reference, "about": about })
            }
        }
    }
}
