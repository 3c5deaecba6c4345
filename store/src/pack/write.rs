//! Writing packs, part by part, to anything that takes bytes.

use super::{Field, Header, Hidden, MAGIC, PrunedOp, SourceText, Tag, Totals};
use crate::checkpoint::SignedCheckpoint;
use crate::code::{Code, Refused};
use crate::document::{Hash, Writer, encode};
use crate::fault::Fault;
use crate::fold::Snapshot;
use crate::op::SignedOp;
use kerai_vm::encoding::root::Context;
use kerai_vm::value::Heap;
use std::io::Write;

/// The version of the form of packs.
pub(super) const VERSION: u64 = 1;

/// A pack under way. Whoever writes keeps the order of the parts; what is read checks it.
pub struct PackWriter<W> {
    out: W,
    tally: Tally,
    totals: Totals,
}

/// The hash of what a pack holds so far. Small parts are gathered: a long stretch is hashed in several lanes at once.
pub(super) struct Tally {
    hasher: blake3::Hasher,
    gathered: Vec<u8>,
}

/// Bytes that are gathered before they are hashed.
const GATHERED: usize = 1 << 17;

impl Tally {
    pub(super) fn new() -> Tally {
        Tally { hasher: blake3::Hasher::new_derive_key(Context::Pack.name()), gathered: Vec::with_capacity(GATHERED) }
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        if self.gathered.len() + bytes.len() > GATHERED {
            self.hasher.update(&self.gathered);
            self.gathered.clear();
        }
        if bytes.len() > GATHERED {
            self.hasher.update(bytes);
        } else {
            self.gathered.extend_from_slice(bytes);
        }
    }

    pub(super) fn root(&mut self) -> Hash {
        self.hasher.update(&self.gathered);
        self.gathered.clear();
        *self.hasher.finalize().as_bytes()
    }
}

/// The content of a part: fields that may have any length have it before them.
struct Content(Vec<u8>);

impl Content {
    fn sized(mut self, bytes: &[u8]) -> Content {
        // No part is as long as four bytes can't say; what would be is refused where parts are written.
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.0.extend(length.to_be_bytes());
        self.plain(bytes)
    }

    fn plain(mut self, bytes: &[u8]) -> Content {
        self.0.extend_from_slice(bytes);
        self
    }
}

fn no_form(what: &impl ToString) -> Refused {
    Refused::new(Code::PACK_FORM, what.to_string())
}

impl<W: Write> PackWriter<W> {
    /// Begins a pack.
    ///
    /// # Errors
    /// Where it can't be written; so it is with all parts.
    pub fn new(out: W, header: &Header) -> Result<PackWriter<W>, Fault> {
        let mut writer = PackWriter { out, tally: Tally::new(), totals: Totals::default() };
        writer.put(MAGIC)?;
        let mut map = Writer::new();
        map.integer("version", VERSION).bytes("stream", &header.stream).text("name", &header.name);
        map.texts("hidden", &header.hidden);
        if let Some(pruned) = header.pruned {
            map.integer("pruned", pruned);
        }
        let bytes = map.finish().map_err(|refusal| no_form(&refusal))?;
        writer.part(Tag::Header, &bytes)?;
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.tally.add(bytes);
        self.out.write_all(bytes).map_err(|cause| Fault::File { path: "the pack".into(), cause })
    }

    fn part(&mut self, tag: Tag, content: &[u8]) -> Result<(), Fault> {
        let length = u32::try_from(content.len());
        let length = length.map_err(|_| no_form(&format!("a {} of {} bytes", tag.name(), content.len())))?;
        self.put(&[tag as u8])?;
        self.put(&length.to_be_bytes())?;
        self.put(content)
    }

    /// Programs come in the order of their roots.
    pub fn program(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.part(Tag::Program, bytes)
    }

    /// Sources come in the order of their roots and names.
    pub fn source(&mut self, source: &SourceText) -> Result<(), Fault> {
        let mut map = Writer::new();
        map.bytes("root", &source.root).text("name", &source.name).text("text", &source.text);
        let bytes = map.finish().map_err(|refusal| no_form(&refusal))?;
        self.part(Tag::Source, &bytes)
    }

    pub fn op(&mut self, record: &[u8], signed: &SignedOp) -> Result<(), Fault> {
        self.totals.ops += 1;
        let content = Content(Vec::new()).sized(record).sized(&signed.body).sized(&signed.payload);
        let content = content.sized(signed.salts.bytes()).plain(&signed.signature);
        self.part(Tag::Op, &content.0)
    }

    pub fn hidden_op(&mut self, record: &[u8], hidden: &Hidden) -> Result<(), Fault> {
        self.totals.ops += 1;
        let mut heap = Heap::new(0);
        let mut fields = Vec::new();
        for field in &hidden.fields {
            // A commitment is bytes; what is open is bytes in a list.
            fields.push(match field {
                Field::Hidden(commitment) => heap.bytes(commitment),
                Field::Open(bytes) => {
                    let bytes = heap.bytes(bytes);
                    heap.list(&[bytes])
                }
            });
        }
        let list = heap.list(&fields);
        let payload = encode(&heap, list).map_err(|refusal| no_form(&refusal))?;
        let content = Content(Vec::new()).sized(record).sized(&hidden.body).sized(&payload);
        self.part(Tag::HiddenOp, &content.plain(&hidden.signature).0)
    }

    pub fn pruned_op(&mut self, record: &[u8], left: &PrunedOp) -> Result<(), Fault> {
        self.totals.ops += 1;
        let content = Content(Vec::new()).sized(record).plain(&left.op).plain(&left.author);
        let content = content.plain(&left.sequence.to_be_bytes()).plain(&left.ulid.to_bytes()).plain(&left.given);
        self.part(Tag::PrunedOp, &content.plain(&left.signature).0)
    }

    pub fn checkpoint(&mut self, signed: &SignedCheckpoint) -> Result<(), Fault> {
        self.totals.checkpoints += 1;
        let content = Content(Vec::new()).sized(&signed.body).plain(&signed.signature);
        self.part(Tag::Checkpoint, &content.0)
    }

    pub fn snapshot(&mut self, snapshot: &Snapshot) -> Result<(), Fault> {
        let last = snapshot.last.map(|(ulid, content, op)| [&ulid.to_bytes()[..], &content, &op].concat());
        let content = Content(Vec::new()).plain(&snapshot.folded.to_be_bytes()).sized(&last.unwrap_or_default());
        self.part(Tag::Snapshot, &content.plain(&snapshot.bytes).0)
    }

    pub fn row(&mut self, key: &[u8], value: &[u8]) -> Result<(), Fault> {
        self.totals.rows += 1;
        self.part(Tag::Row, &Content(Vec::new()).sized(key).plain(value).0)
    }

    pub fn proof(&mut self, file: &[u8]) -> Result<(), Fault> {
        self.part(Tag::Proof, file)
    }

    /// Ends the pack: its totals, and the hash of everything before.
    ///
    /// # Errors
    /// Where it can't be written.
    pub fn finish(mut self) -> Result<(W, Totals), Fault> {
        let root = self.tally.root();
        let Totals { ops, checkpoints, rows, .. } = self.totals;
        let content = [ops, checkpoints, rows].into_iter();
        let content = content.fold(Content(Vec::new()), |content, count| content.plain(&count.to_be_bytes()));
        self.part(Tag::End, &content.plain(&root).0)?;
        self.out.flush().map_err(|cause| Fault::File { path: "the pack".into(), cause })?;
        Ok((self.out, Totals { root, ..self.totals }))
    }
}
