//! Canonical CBOR: RFC 8949's core deterministic encoding of kerai's values, and nothing else.

mod build;
mod check;
mod encode;
mod read;
mod snapshot;
mod split;
mod write;

pub use build::decode;
pub use check::check;
pub use encode::encode;
pub use snapshot::{decode_snapshot, encode_snapshot};
pub use split::{split_item, split_map, text_of};
pub use write::{write_bool, write_bytes, write_integer, write_list, write_map, write_null, write_text};

/// The tags, each with the one meaning that it has here.
mod tag {
    pub(super) const POSITIVE: u64 = 2;
    pub(super) const NEGATIVE: u64 = 3;
    pub(super) const DECIMAL: u64 = 4;
    pub(super) const FIXED: u64 = 5;
    pub(super) const SET: u64 = 258;
    /// A string that is not UTF-8, as a byte string; snapshots only.
    pub(super) const RAW_STRING: u64 = 27506;
    /// A table of a snapshot by its number; snapshots of state only.
    pub(super) const TABLE: u64 = 27507;
}

/// The major types, as the upper three bits of a head.
mod major {
    pub(super) const UNSIGNED: u8 = 0x00;
    pub(super) const NEGATIVE: u8 = 0x20;
    pub(super) const BYTES: u8 = 0x40;
    pub(super) const TEXT: u8 = 0x60;
    pub(super) const ARRAY: u8 = 0x80;
    pub(super) const MAP: u8 = 0xa0;
    pub(super) const TAG: u8 = 0xc0;
    pub(super) const SIMPLE: u8 = 0xe0;
}

const FALSE: u8 = 0xf4;
const TRUE: u8 = 0xf5;
const NULL: u8 = 0xf6;
const FLOAT_16: u8 = 0xf9;
const FLOAT_32: u8 = 0xfa;
const FLOAT_64: u8 = 0xfb;
/// The one NaN, in 16 bits.
const NAN_16: u16 = 0x7e00;
