//! The payload's root: a commitment to each field, salted, so that a field can be hidden and the others still proved.

use super::{form, unreadable};
use crate::code::{Code, Refused};
use crate::document::{Hash, Scratch, fits_inside, hash};
use crate::limit::{self, length};
use kerai_vm::encoding::root::Context;
use kerai_vm::encoding::{Options, cbor};

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

/// The name of a field, if it has one, and what its commitment is over.
pub(crate) type Opening = (Option<String>, Vec<u8>);

/// A payload's fields: the entries of a map with text keys; anything else is one field without a name. All of them are
/// bytes of the payload itself.
pub(crate) struct Fields<'p> {
    is_map: bool,
    fields: Vec<Field<'p>>,
}

struct Field<'p> {
    name: Option<&'p [u8]>,
    key: &'p [u8],
    value: &'p [u8],
}

/// The encoding of null, the key of what has no name.
const NULL: &[u8] = &[0xf6];

impl<'p> Fields<'p> {
    pub(crate) fn of(payload: &'p [u8]) -> Result<Fields<'p>, Refused> {
        if payload.len() > length(limit::OP_PAYLOAD) {
            return Err(Refused::new(Code::OP_SIZE, format!("a payload of {} bytes", payload.len())));
        }
        cbor::check(payload, &Options::CANONICAL).map_err(unreadable("payload"))?;
        let named = |(key, value)| Some(Field { name: Some(cbor::text_of(key)?), key, value });
        let entries = cbor::split_map(payload);
        let entries = entries.and_then(|entries| entries.into_iter().map(named).collect::<Option<Vec<Field<'_>>>>());
        let (is_map, mut fields) = match entries {
            Some(fields) => (true, fields),
            None => (false, vec![Field { name: None, key: NULL, value: payload }]),
        };
        if fields.len() > length(limit::OP_FIELDS) {
            return Err(Refused::new(Code::OP_SIZE, format!("a payload of {} fields", fields.len())));
        }
        // Canonical order is that of the names themselves, not of their encodings.
        fields.sort_unstable_by_key(|field| field.name);
        Ok(Fields { is_map, fields })
    }
}

/// `H(payload, CBOR [is map, [commitment…]])`, where a field's commitment is `H(payload field, CBOR [salt, key, value])`
/// and fields stand in canonical order of their keys.
///
/// # Errors
/// `OP_SIZE`, `OP_FORM` where the payload is not canonical, `PAYLOAD_ROOT` where there is not one salt a field.
pub fn payload_root(payload: &[u8], salts: &Salts) -> Result<Hash, Refused> {
    let fields = Fields::of(payload)?;
    let is_map = fields.is_map;
    let commitment = |opening: &[u8]| hash(Context::PayloadField, opening);
    let mut commitments = Vec::with_capacity(fields.fields.len());
    fields.each_opening(salts, |_, opening| commitments.push(commitment(opening)))?;
    Ok(commitments_root(is_map, &commitments))
}

/// The payload's root from the commitments to its fields.
pub(crate) fn commitments_root(is_map: bool, commitments: &[Hash]) -> Hash {
    let mut whole = Vec::with_capacity((commitments.len() + 1) * size_of::<Hash>() * 2);
    cbor::write_list(&mut whole, 2);
    cbor::write_bool(&mut whole, is_map);
    cbor::write_list(&mut whole, commitments.len());
    commitments.iter().for_each(|commitment| cbor::write_bytes(&mut whole, commitment));
    hash(Context::Payload, &whole)
}

impl Fields<'_> {
    /// What opens each field: its name, if it has one, and the canonical CBOR of `[salt, key, value]`.
    ///
    /// # Errors
    /// `PAYLOAD_ROOT` where there is not one salt a field.
    pub(crate) fn openings(self, salts: &Salts) -> Result<Vec<Opening>, Refused> {
        let mut openings = Vec::new();
        self.each_opening(salts, |name, opening| {
            openings.push((name.map(|name| String::from_utf8_lossy(name).into_owned()), opening.to_vec()));
        })?;
        Ok(openings)
    }

    fn each_opening(self, salts: &Salts, mut take: impl FnMut(Option<&[u8]>, &[u8])) -> Result<(), Refused> {
        let (salts, _) = salts.0.as_chunks::<SALT>();
        if salts.len() != self.fields.len() {
            let what = format!("{} salts for {} fields", salts.len(), self.fields.len());
            return Err(Refused::new(Code::PAYLOAD_ROOT, what));
        }
        let mut opening = Vec::new();
        for (Field { name, key, value }, salt) in self.fields.into_iter().zip(salts) {
            fits_inside(value).map_err(unreadable("payload"))?;
            opening.clear();
            cbor::write_list(&mut opening, 3);
            cbor::write_bytes(&mut opening, salt);
            opening.extend_from_slice(key);
            opening.extend_from_slice(value);
            take(name, &opening);
        }
        Ok(())
    }

    /// The name of an opened field; none where the bytes are not the one form of an opening.
    pub(crate) fn opened_name(bytes: &[u8]) -> Option<Option<String>> {
        let mut heap = Scratch::new();
        let field = cbor::decode(&mut heap, bytes, &Options::CANONICAL).ok()?;
        let &[salt, key, _] = heap.items(field)? else { return None };
        let has_salt = heap.as_bytes(salt).is_some_and(|salt| salt.len() == SALT);
        (has_salt && (key.is_nil() || heap.as_string(&key).is_some())).then(|| crate::document::text_of(&heap, key))
    }
}
