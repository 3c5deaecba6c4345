//! The payload's root: a commitment to each field, salted, so that a field can be hidden and the others still proved.

use super::{form, unreadable};
use crate::code::{Code, Refused};
use crate::document::{Hash, encode, hash};
use crate::limit::{self, length};
use kerai_vm::encoding::root::Context;
use kerai_vm::encoding::{Options, cbor};
use kerai_vm::value::{Heap, Kind, Value};

/// Bytes of a salt: enough that nobody finds a hidden value by trying.
pub const SALT: usize = 16;

/// One salt a field, in the order of the fields.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Salts(Vec<u8>);

impl Salts {
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// # Errors
    /// `OP_FORM` where the bytes are no whole salts.
    pub fn from_bytes(bytes: &[u8]) -> Result<Salts, Refused> {
        if !bytes.len().is_multiple_of(SALT) || bytes.len() > length(limit::OP_FIELDS) * SALT {
            return Err(form(format!("salts have {SALT} bytes each")));
        }
        Ok(Salts(bytes.to_vec()))
    }

    /// As many fresh salts as the payload has fields.
    ///
    /// # Errors
    /// As [`payload_root`].
    pub fn fresh(payload: &[u8], random: &mut dyn FnMut(&mut [u8])) -> Result<Salts, Refused> {
        let mut bytes = vec![0; Fields::of(payload)?.fields.len() * SALT];
        random(&mut bytes);
        Ok(Salts(bytes))
    }
}

/// A payload's fields: the entries of a map with text keys; anything else is one field without a name.
struct Fields {
    heap: Heap,
    is_map: bool,
    fields: Vec<(Value, Value)>,
}

impl Fields {
    fn of(payload: &[u8]) -> Result<Fields, Refused> {
        if payload.len() > length(limit::OP_PAYLOAD) {
            return Err(Refused::new(Code::OP_SIZE, format!("a payload of {} bytes", payload.len())));
        }
        let mut heap = Heap::new(0);
        let value = cbor::decode(&mut heap, payload, &Options::CANONICAL).map_err(unreadable("payload"))?;
        let entries = if heap.kind(value) == Kind::Map { heap.entries(value) } else { None };
        let has_text_keys =
            |entries: &Vec<(Value, Value)>| entries.iter().all(|(key, _)| heap.as_string(key).is_some());
        let (is_map, fields) = match entries.filter(has_text_keys) {
            Some(entries) => (true, entries),
            None => (false, vec![(Value::NIL, value)]),
        };
        if fields.len() > length(limit::OP_FIELDS) {
            return Err(Refused::new(Code::OP_SIZE, format!("a payload of {} fields", fields.len())));
        }
        Ok(Fields { heap, is_map, fields })
    }
}

/// `H(payload, CBOR [is map, [commitment…]])`, where a field's commitment is `H(payload field, CBOR [salt, key, value])`
/// and fields stand in canonical order of their keys.
///
/// # Errors
/// `OP_SIZE`, `OP_FORM` where the payload is not canonical, `PAYLOAD_ROOT` where there is not one salt a field.
pub fn payload_root(payload: &[u8], salts: &Salts) -> Result<Hash, Refused> {
    let Fields { mut heap, is_map, fields } = Fields::of(payload)?;
    let (salts, _) = salts.0.as_chunks::<SALT>();
    if salts.len() != fields.len() {
        return Err(Refused::new(Code::PAYLOAD_ROOT, format!("{} salts for {} fields", salts.len(), fields.len())));
    }
    let mut commitments = Vec::with_capacity(fields.len());
    for (&(key, value), salt) in fields.iter().zip(salts) {
        let salt = heap.bytes(salt);
        let field = heap.list(&[salt, key, value]);
        let bytes = encode(&heap, field).map_err(unreadable("payload"))?;
        commitments.push(heap.bytes(&hash(Context::PayloadField, &bytes)));
    }
    let commitments = heap.list(&commitments);
    let whole = heap.list(&[Value::bool(is_map), commitments]);
    Ok(hash(Context::Payload, &encode(&heap, whole).map_err(unreadable("payload"))?))
}
