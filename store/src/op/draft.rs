//! Drafts: ops as people write them, a JSON object a line, before they are signed.

use super::{Op, form, is_name, unreadable};
use crate::code::Refused;
use crate::document::{Form, Hash, Reader, Scratch, encode, fits_inside, hash};
use kerai_vm::encoding::root::Context;
use kerai_vm::encoding::{Options, json};
use kerai_vm::ulid::Ulid;
use kerai_vm::value::Kind;

/// What an author gives. Nothing else is filled in than what makes it an op of a stream: never caps or labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub ulid: Ulid,
    /// Who acts; without it, whoever the project's key belongs to.
    pub actor: Option<String>,
    pub resource: Option<String>,
    pub kind: String,
    /// Canonical CBOR.
    pub payload: Vec<u8>,
    pub caps: Option<Vec<u8>>,
    pub labels: Option<Vec<u8>>,
}

impl Draft {
    /// Reads a line.
    ///
    /// # Errors
    /// `OP_FORM` with what is wrong.
    pub fn from_line(line: &[u8]) -> Result<Draft, Refused> {
        let mut heap = Scratch::new();
        let map = json::decode(&mut heap, line, &Options::CANONICAL).map_err(unreadable("line"))?;
        let mut reader = Reader::of(heap, map).ok_or_else(|| form("a line is an object"))?;
        let ulid = reader.text("ulid").ok_or_else(|| form("`ulid` is missing"))?;
        let draft = Draft {
            ulid: Ulid::parse(ulid.as_bytes()).map_err(|refusal| form(refusal.to_string()))?,
            actor: optional(&mut reader, "actor")?,
            resource: optional(&mut reader, "resource")?,
            kind: reader.text("type").filter(|kind| is_name(kind)).ok_or_else(|| form("`type` is missing"))?,
            payload: reader.document("payload").ok_or_else(|| form("`payload` is missing"))?,
            caps: table(&mut reader, "caps")?,
            labels: table(&mut reader, "labels")?,
        };
        if reader.field("received_ms").is_some() {
            return Err(form("`received_ms` is the log's to say: leave it out"));
        }
        if !reader.is_spent() {
            return Err(form(
                "an op has `ulid`, `type`, `payload`, `actor`, `resource`, `caps` and `labels`, and nothing else",
            ));
        }
        Ok(draft)
    }

    /// The hash of what was given: equal for the same content however it was signed.
    ///
    /// # Errors
    /// Where a text has no canonical form.
    pub fn given(&self, actor: &str) -> Result<Hash, Refused> {
        let Draft { ulid, resource, kind, payload, caps, labels, .. } = self;
        hash_of(*ulid, actor, kind, resource.as_ref(), [Some(payload), caps.as_ref(), labels.as_ref()])
    }
}

/// The hash of what the author of a signed op gave.
///
/// # Errors
/// As [`Draft::given`].
pub fn given(op: &Op, payload: &Vec<u8>) -> Result<Hash, Refused> {
    let documents = [Some(payload), op.caps.as_ref(), op.labels.as_ref()];
    hash_of(op.ulid, &op.actor, &op.kind, op.resource.as_ref(), documents)
}

/// Whether [`given`] has an answer: an op's texts were read in their one form, so that only depth can be in the way.
pub fn can_be_given(op: &Op, payload: &[u8]) -> bool {
    let documents = [Some(payload), op.caps.as_deref(), op.labels.as_deref()];
    documents.into_iter().flatten().all(|document| fits_inside(document).is_ok())
}

fn hash_of(
    ulid: Ulid,
    actor: &str,
    kind: &str,
    resource: Option<&String>,
    documents: [Option<&Vec<u8>>; 3],
) -> Result<Hash, Refused> {
    let mut form = Form::new();
    let [payload, caps, labels] = documents;
    form.document_if("caps", caps).text("type", kind).bytes("ulid", &ulid.to_bytes()).text("actor", actor);
    form.document_if("labels", labels)
        .document_if("payload", payload)
        .text_if("resource", resource.map(String::as_str));
    Ok(hash(Context::Given, &form.finish().map_err(unreadable("op"))?))
}

fn optional(reader: &mut Reader, name: &str) -> Result<Option<String>, Refused> {
    match reader.field(name) {
        None => Ok(None),
        Some(value) => match crate::document::text_of(&reader.heap, value) {
            Some(text) => Ok(Some(text)),
            None => Err(form(format!("`{name}` is no text"))),
        },
    }
}

fn table(reader: &mut Reader, name: &str) -> Result<Option<Vec<u8>>, Refused> {
    match reader.field(name) {
        None => Ok(None),
        Some(value) if matches!(reader.heap.kind(value), Kind::List | Kind::Map) => {
            encode(&reader.heap, value).map(Some).map_err(unreadable(name))
        }
        Some(_) => Err(form(format!("`{name}` is a list or an object"))),
    }
}
