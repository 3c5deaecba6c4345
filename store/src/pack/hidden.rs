//! Ops of which payload fields are hidden: what is left still gives the payload's root, and so what was signed.

use crate::code::{Code, Refused};
use crate::document::Hash;
use crate::op::{Fields, SignedOp, commitments_root};
use kerai_vm::encoding::root::Context;

/// A field of a payload, open or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Field {
    /// The canonical CBOR of `[salt, key, value]`.
    Open(Vec<u8>),
    /// Its commitment alone.
    Hidden(Hash),
}

/// An op that hides fields of its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    pub body: Vec<u8>,
    pub fields: Vec<Field>,
    pub signature: [u8; 64],
}

impl Hidden {
    /// About how many bytes its fields take.
    pub(crate) fn size(&self) -> usize {
        let size = |field: &Field| match field {
            Field::Open(bytes) => bytes.len(),
            Field::Hidden(commitment) => commitment.len(),
        };
        self.fields.iter().map(size).sum()
    }

    /// The payload's root, from what is left of it.
    ///
    /// # Errors
    /// Where it has no encoding.
    pub fn payload_root(&self) -> Result<Hash, Refused> {
        let commitment = |field: &Field| match field {
            Field::Open(bytes) => crate::document::hash(Context::PayloadField, bytes),
            Field::Hidden(commitment) => *commitment,
        };
        let commitments: Vec<Hash> = self.fields.iter().map(commitment).collect();
        // Only what has names can be hidden, so that it is a map.
        Ok(commitments_root(true, &commitments))
    }
}

/// An op without those fields; none where it has none of them.
///
/// # Errors
/// As reading the payload.
pub fn hide(signed: &SignedOp, names: &[String]) -> Result<Option<Hidden>, Refused> {
    let fields = Fields::of(&signed.payload)?;
    let openings = fields.openings(&signed.salts)?;
    let is_hidden = |name: &Option<String>| name.as_ref().is_some_and(|name| names.contains(name));
    if !openings.iter().any(|(name, _)| is_hidden(name)) {
        return Ok(None);
    }
    let field = |(name, bytes): (Option<String>, Vec<u8>)| match is_hidden(&name) {
        true => Field::Hidden(crate::document::hash(Context::PayloadField, &bytes)),
        false => Field::Open(bytes),
    };
    let fields = openings.into_iter().map(field).collect();
    Ok(Some(Hidden { body: signed.body.clone(), fields, signature: signed.signature }))
}

/// The name of an opened field, and whether it is one at all.
///
/// # Errors
/// `PACK_FORM` where it is no opening in its one form.
pub(crate) fn opened_name(bytes: &[u8]) -> Result<Option<String>, Refused> {
    Fields::opened_name(bytes).ok_or_else(|| Refused::new(Code::PACK_FORM, "an opened field"))
}
