//! Writing by hand: canonical parts of a document that is put together without a heap.

use super::encode::put_head;
use super::{FALSE, NULL, TRUE, major};

/// Appends text, which must be in its canonical form.
pub fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    put_head(out, major::TEXT, text.len() as u64);
    out.extend_from_slice(text);
}

pub fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_head(out, major::BYTES, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

pub fn write_integer(out: &mut Vec<u8>, integer: u64) {
    put_head(out, major::UNSIGNED, integer);
}

pub fn write_bool(out: &mut Vec<u8>, bool: bool) {
    out.push(if bool { TRUE } else { FALSE });
}

pub fn write_null(out: &mut Vec<u8>) {
    out.push(NULL);
}

/// Appends the head of a list: so many items follow it.
pub fn write_list(out: &mut Vec<u8>, items: usize) {
    put_head(out, major::ARRAY, items as u64);
}

/// Appends the head of a map: so many pairs follow it, ascending by the encoding of their keys.
pub fn write_map(out: &mut Vec<u8>, pairs: usize) {
    put_head(out, major::MAP, pairs as u64);
}
