//! The payload's root: a commitment to each field, salted, so that a field can be hidden and the others still proved.

use super::{form, unreadable};
use crate::code::{Code, Refused};
use crate::document::{Hash, Scratch, Together, fits_inside, hash};
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
        salts_of(bytes).map(|_| Salts(bytes.to_vec()))
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

fn salts_of(bytes: &[u8]) -> Result<&[[u8; SALT]], Refused> {
    match bytes.as_chunks() {
        (salts, []) if salts.len() <= length(limit::OP_FIELDS) => Ok(salts),
        _ => Err(form(format!("salts have {SALT} bytes each"))),
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
    let mut openings = Together::default();
    fields.each_opening(salts.bytes(), |field, salt| {
        openings.add(|out| field.write_opening(salt, out));
    })?;
    Ok(commitments_root(is_map, &openings.hash(Context::PayloadField)))
}

/// As [`payload_root`] of many payloads, each with its salts, which cost less together; none where it refuses.
pub(crate) fn payload_roots<'p>(payloads: impl Iterator<Item = (&'p [u8], &'p [u8])>) -> Vec<Option<Hash>> {
    let mut openings = Together::default();
    let mut open = |(payload, salts): (&[u8], &[u8])| {
        let (begin, fields) = (openings.count(), Fields::of(payload).ok()?);
        let is_map = fields.is_map;
        let opened = fields.each_opening(salts, |field, salt| {
            openings.add(|out| field.write_opening(salt, out));
        });
        if opened.is_err() {
            openings.truncate(begin);
            return None;
        }
        Some((is_map, begin..openings.count()))
    };
    let opened: Vec<_> = payloads.map(&mut open).collect();
    let (commitments, mut wholes) = (openings.hash(Context::PayloadField), Together::default());
    for (is_map, range) in opened.iter().flatten() {
        let commitments = commitments.get(range.clone()).unwrap_or_default();
        wholes.add(|out| write_commitments(*is_map, commitments, out));
    }
    let mut roots = wholes.hash(Context::Payload).into_iter();
    opened.into_iter().map(|opened| opened.and_then(|_| roots.next())).collect()
}

/// The payload's root from the commitments to its fields.
pub(crate) fn commitments_root(is_map: bool, commitments: &[Hash]) -> Hash {
    let mut whole = Vec::with_capacity((commitments.len() + 1) * size_of::<Hash>() * 2);
    write_commitments(is_map, commitments, &mut whole);
    hash(Context::Payload, &whole)
}

fn write_commitments(is_map: bool, commitments: &[Hash], out: &mut Vec<u8>) {
    cbor::write_list(out, 2);
    cbor::write_bool(out, is_map);
    cbor::write_list(out, commitments.len());
    commitments.iter().for_each(|commitment| cbor::write_bytes(out, commitment));
}

impl Field<'_> {
    fn write_opening(&self, salt: &[u8; SALT], out: &mut Vec<u8>) {
        cbor::write_list(out, 3);
        cbor::write_bytes(out, salt);
        out.extend_from_slice(self.key);
        out.extend_from_slice(self.value);
    }
}

impl Fields<'_> {
    /// What opens each field: its name, if it has one, and the canonical CBOR of `[salt, key, value]`.
    ///
    /// # Errors
    /// `PAYLOAD_ROOT` where there is not one salt a field.
    pub(crate) fn openings(self, salts: &Salts) -> Result<Vec<Opening>, Refused> {
        let mut openings = Vec::new();
        self.each_opening(salts.bytes(), |field, salt| {
            let (name, mut opening) = (field.name.map(|name| String::from_utf8_lossy(name).into_owned()), Vec::new());
            field.write_opening(salt, &mut opening);
            openings.push((name, opening));
        })?;
        Ok(openings)
    }

    /// Gives each field that can be opened, with its salt.
    fn each_opening(&self, salts: &[u8], mut take: impl FnMut(&Field<'_>, &[u8; SALT])) -> Result<(), Refused> {
        let salts = salts_of(salts)?;
        if salts.len() != self.fields.len() {
            let what = format!("{} salts for {} fields", salts.len(), self.fields.len());
            return Err(Refused::new(Code::PAYLOAD_ROOT, what));
        }
        for (field, salt) in self.fields.iter().zip(salts) {
            fits_inside(field.value).map_err(unreadable("payload"))?;
            take(field, salt);
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
