//! Evidence packs: everything that can be checked of a stream in one file, in one form, read and written part by part.
//!
//! A file is the line [`MAGIC`] and parts, each a byte that says what it is, four bytes of length, the highest first,
//! and its content. Nothing is compressed, nothing names a path, and every part has its one place. docs/reference/pack.md
//! says it field by field.

mod evidence;
mod hidden;
mod make;
mod pruned;
mod read;
mod write;

pub use evidence::{PackAnswer, PackFile, verify};
pub use hidden::{Field, Hidden, hide};
pub use make::Wish;
pub(crate) use make::named_roots;
pub use pruned::{Archives, PrunedOp};
pub(crate) use read::{OpParts, no_op, op as open_op, op_parts};
pub use read::{PackReader, is_pack};
pub use write::PackWriter;

use crate::checkpoint::SignedCheckpoint;
use crate::code::{Code, Refused};
use crate::document::Hash;
use crate::fold::Snapshot;
use crate::op::SignedOp;

/// What a pack begins with.
pub const MAGIC: &[u8] = b"kerai-pack-1\n";

/// What a part is. Parts come in the order of this table, but that checkpoints stand behind the op that is the last of
/// those they count, a snapshot behind its checkpoint, and what is left of an op that was pruned where the op would.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tag {
    Header = 1,
    Program = 2,
    Source = 3,
    Op = 4,
    HiddenOp = 5,
    Checkpoint = 6,
    Snapshot = 7,
    Row = 8,
    Proof = 9,
    End = 10,
    PrunedOp = 11,
}

impl Tag {
    pub const ALL: &[Tag] = &[
        Tag::Header,
        Tag::Program,
        Tag::Source,
        Tag::Op,
        Tag::HiddenOp,
        Tag::Checkpoint,
        Tag::Snapshot,
        Tag::Row,
        Tag::Proof,
        Tag::End,
        Tag::PrunedOp,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Tag::Header => "header",
            Tag::Program => "program",
            Tag::Source => "source",
            Tag::Op => "op",
            Tag::HiddenOp => "hidden op",
            Tag::Checkpoint => "checkpoint",
            Tag::Snapshot => "snapshot",
            Tag::Row => "row",
            Tag::Proof => "proof",
            Tag::End => "end",
            Tag::PrunedOp => "pruned op",
        }
    }

    pub(crate) fn of(byte: u8) -> Option<Tag> {
        Tag::ALL.iter().copied().find(|&tag| tag as u8 == byte)
    }

    /// Whether a part may follow another one.
    fn follows(self, before: Option<Tag>) -> bool {
        let Some(before) = before else { return matches!(self, Tag::Header) };
        // What is left of an op stands where an op would.
        let op = |tag: Tag| if matches!(tag, Tag::PrunedOp) { Tag::Op } else { tag };
        match (op(before), op(self)) {
            (_, Tag::Header) | (Tag::End, _) => false,
            (Tag::Header | Tag::Program, Tag::Program | Tag::Source | Tag::Op | Tag::HiddenOp) => true,
            (Tag::Source, Tag::Source | Tag::Op | Tag::HiddenOp) => true,
            (Tag::Op | Tag::HiddenOp | Tag::Checkpoint | Tag::Snapshot, Tag::Op | Tag::HiddenOp) => true,
            (Tag::Op | Tag::HiddenOp, Tag::Checkpoint) => true,
            (Tag::Checkpoint, Tag::Snapshot) => true,
            (Tag::Op | Tag::HiddenOp | Tag::Checkpoint | Tag::Snapshot | Tag::Row, Tag::Row) => true,
            (Tag::Op | Tag::HiddenOp | Tag::Checkpoint | Tag::Snapshot | Tag::Row | Tag::Proof, Tag::Proof) => true,
            (Tag::Op | Tag::HiddenOp | Tag::Checkpoint | Tag::Snapshot | Tag::Row | Tag::Proof, Tag::End) => true,
            _ => false,
        }
    }
}

/// What a pack says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The op id of the stream's genesis.
    pub stream: Hash,
    /// The name of the stream where the pack was made.
    pub name: String,
    /// The payload fields that are hidden, ascending.
    pub hidden: Vec<String>,
    /// Up to which record ops were pruned.
    pub pruned: Option<u64>,
}

/// A source of a program that the pack holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceText {
    pub root: Hash,
    /// A file's name, no path: for people, and for the language that its ending says.
    pub name: String,
    pub text: String,
}

/// A part, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Header(Header),
    /// A program's canonical bytes.
    Program(Vec<u8>),
    Source(SourceText),
    Op {
        record: Vec<u8>,
        signed: SignedOp,
    },
    HiddenOp {
        record: Vec<u8>,
        hidden: Hidden,
    },
    PrunedOp {
        record: Vec<u8>,
        left: Box<PrunedOp>,
    },
    Checkpoint(SignedCheckpoint),
    /// Of the checkpoint before it; its count is that one's.
    Snapshot(Snapshot),
    /// A row after the last checkpoint: its key and its value.
    Row(Vec<u8>, Vec<u8>),
    /// A proof's file.
    Proof(Vec<u8>),
    End(Totals),
}

/// How much a pack holds, and the hash of all parts before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    pub ops: u64,
    pub checkpoints: u64,
    pub rows: u64,
    pub root: Hash,
}

pub(crate) fn form(at: u64, what: &str) -> Refused {
    Refused::new(Code::PACK_FORM, format!("byte {at}: {what}"))
}

/// Whether a name is a file's and no path.
pub(crate) fn is_file_name(name: &str) -> bool {
    crate::op::is_segment(name) && !name.contains(['/', ':']) && name.len() <= 255
}
