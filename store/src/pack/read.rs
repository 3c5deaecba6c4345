//! Reading packs: strict, part by part, never more of it in memory than one part.

use super::write::{Tally, VERSION};
use super::{Field, Header, Hidden, MAGIC, Part, PrunedOp, SourceText, Tag, Totals, form, is_file_name};
use crate::checkpoint::SignedCheckpoint;
use crate::code::Refused;
use crate::document::Reader;
use crate::fault::Fault;
use crate::fold::{Place, Snapshot};
use crate::limit::{self, length};
use crate::op::{Salts, SignedOp};
use kerai_vm::encoding::{Options, cbor};
use kerai_vm::ulid::Ulid;
use kerai_vm::value::{Heap, Value};
use std::io::{self, Read};

/// Whether bytes begin as a pack does.
#[must_use]
pub fn is_pack(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// A pack that is read.
pub struct PackReader<R> {
    input: R,
    tally: Tally,
    /// How many bytes were read.
    at: u64,
    before: Option<Tag>,
    totals: Totals,
    /// What the last program, source or row was, which the next one must come after.
    last: Vec<u8>,
    content: Vec<u8>,
}

impl<R: Read> PackReader<R> {
    /// Begins to read a pack.
    ///
    /// # Errors
    /// `PACK_FORM` where it is none, or it can't be read.
    pub fn new(input: R) -> Result<PackReader<R>, Fault> {
        let (last, content) = (Vec::new(), Vec::new());
        let mut reader =
            PackReader { input, tally: Tally::new(), at: 0, before: None, totals: Totals::default(), last, content };
        let mut magic = [0; MAGIC.len()];
        reader.exactly(&mut magic)?;
        reader.tally.add(&magic);
        if magic == *MAGIC { Ok(reader) } else { Err(form(0, "no pack").into()) }
    }

    /// How many bytes were read.
    #[must_use]
    pub const fn at(&self) -> u64 {
        self.at
    }

    /// How much was read so far.
    #[must_use]
    pub const fn totals(&self) -> Totals {
        self.totals
    }

    fn fault(&self, cause: io::Error) -> Fault {
        if cause.kind() == io::ErrorKind::UnexpectedEof {
            form(self.at, "the pack is cut off").into()
        } else {
            Fault::File { path: "the pack".into(), cause }
        }
    }

    fn exactly(&mut self, bytes: &mut [u8]) -> Result<(), Fault> {
        self.input.read_exact(bytes).map_err(|cause| self.fault(cause))?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// The next part and the byte at which it begins; none after the end.
    ///
    /// # Errors
    /// `PACK_FORM` with the byte at fault, or it can't be read.
    pub fn read(&mut self) -> Result<Option<(u64, Part)>, Fault> {
        let Some((at, tag)) = self.fill()? else { return Ok(None) };
        self.open(at, tag).map(Some)
    }

    /// As [`PackReader::read`], but an op is left as it is.
    ///
    /// # Errors
    /// As [`PackReader::read`]; whether an op is one is seen when it is opened.
    pub(crate) fn read_packed(&mut self) -> Result<Option<(u64, Packed)>, Fault> {
        let Some((at, tag)) = self.fill()? else { return Ok(None) };
        if tag != Tag::Op {
            let (at, part) = self.open(at, tag)?;
            return Ok(Some((at, Packed::Part(part))));
        }
        self.totals.ops += 1;
        self.last.clear();
        self.took(tag);
        Ok(Some((at, Packed::Op(self.content.clone()))))
    }

    /// Reads the next part's content; none after the end.
    fn fill(&mut self) -> Result<Option<(u64, Tag)>, Fault> {
        let at = self.at;
        if self.before == Some(Tag::End) {
            return match self.input.read(&mut [0]).map_err(|cause| self.fault(cause))? {
                0 => Ok(None),
                _ => Err(form(at, "something follows the end").into()),
            };
        }
        let mut head = [0; 5];
        self.exactly(&mut head)?;
        let [tag, size @ ..] = head;
        let tag = Tag::of(tag).filter(|tag| tag.follows(self.before));
        let tag = tag.ok_or_else(|| form(at, "no part that may stand here"))?;
        let size = u64::from(u32::from_be_bytes(size));
        if size > most(tag) {
            return Err(form(at, &format!("a {} of {size} bytes, where {} are allowed", tag.name(), most(tag))).into());
        }
        // What is read grows with what is there, whatever length is claimed.
        self.content.clear();
        let read = self.input.by_ref().take(size).read_to_end(&mut self.content);
        let read = read.map_err(|cause| self.fault(cause))?;
        self.at += read as u64;
        if (read as u64) < size {
            return Err(form(self.at, "the pack is cut off").into());
        }
        Ok(Some((at, tag)))
    }

    fn open(&mut self, at: u64, tag: Tag) -> Result<(u64, Part), Fault> {
        let part = part(tag, &self.content).ok_or_else(|| none(at, tag))?;
        self.in_order(at, tag, &part)?;
        self.took(tag);
        Ok((at, part))
    }

    /// Counts a part that was read whole.
    fn took(&mut self, tag: Tag) {
        // Lengths that four bytes can't say were not read.
        let size = u32::try_from(self.content.len()).unwrap_or(u32::MAX);
        let [a, b, c, d] = size.to_be_bytes();
        self.tally.add(&[tag as u8, a, b, c, d]);
        self.tally.add(&self.content);
        self.before = Some(tag);
    }

    /// Whether the part stands where it must, and the end says what was before it.
    fn in_order(&mut self, at: u64, tag: Tag, part: &Part) -> Result<(), Refused> {
        let place = match part {
            Part::Program(bytes) => kerai_vm::encoding::root::Root::of_program(bytes).bytes().to_vec(),
            Part::Source(source) => [&source.root[..], source.name.as_bytes()].concat(),
            Part::Row(key, _) => key.clone(),
            Part::Op { .. } | Part::HiddenOp { .. } | Part::PrunedOp { .. } => {
                self.totals.ops += 1;
                Vec::new()
            }
            Part::Checkpoint(_) => {
                self.totals.checkpoints += 1;
                Vec::new()
            }
            Part::Header(_) | Part::Snapshot(_) | Part::Proof(_) => Vec::new(),
            Part::End(totals) => {
                let counted = Totals { root: self.tally.root(), ..self.totals };
                return if *totals == counted {
                    Ok(())
                } else {
                    Err(form(at, "the end does not say what was before it"))
                };
            }
        };
        if matches!(part, Part::Row(..)) {
            self.totals.rows += 1;
        }
        if self.before == Some(tag) && !place.is_empty() && place <= self.last {
            return Err(form(at, &format!("a {} that stands twice or out of order", tag.name())));
        }
        self.last = place;
        Ok(())
    }
}

/// A part, an op as it lies in the pack.
pub(crate) enum Packed {
    Op(Vec<u8>),
    Part(Part),
}

/// What is said of content that is no part of its kind.
fn none(at: u64, tag: Tag) -> Refused {
    form(at, &format!("a {} that is none", tag.name()))
}

/// What is said of a packed op that is none.
pub(crate) fn no_op(at: u64) -> Refused {
    none(at, Tag::Op)
}

/// How many bytes a part may have.
fn most(tag: Tag) -> u64 {
    match tag {
        Tag::Header => limit::OP_BODY.value,
        Tag::Snapshot => kerai_vm::limit::STATE_SIZE.value,
        Tag::End => 56,
        Tag::Op | Tag::HiddenOp | Tag::PrunedOp => 4 * limit::OP_PAYLOAD.value,
        Tag::Program | Tag::Source | Tag::Checkpoint | Tag::Row | Tag::Proof => limit::PACK_PART.value,
    }
}

/// What is left of a part's content.
struct Content<'c>(&'c [u8]);

impl<'c> Content<'c> {
    fn plain(&mut self, count: usize) -> Option<&'c [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.plain(N)?.try_into().ok()
    }

    fn number(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.array()?))
    }

    fn sized(&mut self) -> Option<&'c [u8]> {
        let length = u32::from_be_bytes(self.array()?);
        self.plain(usize::try_from(length).ok()?)
    }

    fn rest(&mut self) -> &'c [u8] {
        std::mem::take(&mut self.0)
    }
}

fn part(tag: Tag, bytes: &[u8]) -> Option<Part> {
    let mut content = Content(bytes);
    let part = match tag {
        Tag::Header => Part::Header(header(content.rest())?),
        Tag::Program => Part::Program(content.rest().to_vec()),
        Tag::Source => Part::Source(source(content.rest())?),
        Tag::Op => {
            let (record, signed) = op(content.rest())?;
            Part::Op { record, signed }
        }
        Tag::HiddenOp => {
            let (record, body, fields) = (content.sized()?, content.sized()?.to_vec(), content.sized()?);
            let fields = hidden_fields(fields)?;
            let hidden = Hidden { body, fields, signature: content.array()? };
            Part::HiddenOp { record: record.to_vec(), hidden }
        }
        Tag::PrunedOp => {
            let (record, op, author) = (content.sized()?.to_vec(), content.array()?, content.array()?);
            let (sequence, ulid) = (content.number()?, Ulid::from_bytes(content.array()?));
            let (given, signature) = (content.array()?, content.array()?);
            let left = PrunedOp { op, author, sequence, ulid, given, signature, said: None };
            Part::PrunedOp { record, left: Box::new(left) }
        }
        Tag::Checkpoint => {
            let body = content.sized()?.to_vec();
            Part::Checkpoint(SignedCheckpoint { body, signature: content.array()? })
        }
        Tag::Snapshot => {
            let (folded, last) = (content.number()?, content.sized()?);
            let last = if last.is_empty() { None } else { Some(place(last)?) };
            Part::Snapshot(Snapshot { count: 0, folded, last, bytes: content.rest().to_vec() })
        }
        Tag::Row => Part::Row(content.sized()?.to_vec(), content.rest().to_vec()),
        Tag::Proof => Part::Proof(content.rest().to_vec()),
        Tag::End => {
            let (ops, checkpoints, rows) = (content.number()?, content.number()?, content.number()?);
            Part::End(Totals { ops, checkpoints, rows, root: content.array()? })
        }
    };
    content.0.is_empty().then_some(part)
}

/// What an op's part is made of, where it lies.
pub(crate) struct OpParts<'c> {
    pub(crate) record: &'c [u8],
    pub(crate) body: &'c [u8],
    pub(crate) payload: &'c [u8],
    pub(crate) salts: &'c [u8],
    pub(crate) signature: [u8; 64],
}

/// The content of an op's part, but for whether its salts are some.
pub(crate) fn op_parts(bytes: &[u8]) -> Option<OpParts<'_>> {
    let mut content = Content(bytes);
    let (record, body, payload) = (content.sized()?, content.sized()?, content.sized()?);
    let (salts, signature) = (content.sized()?, content.array()?);
    content.0.is_empty().then_some(OpParts { record, body, payload, salts, signature })
}

/// The content of an op's part: its record and the op.
pub(crate) fn op(bytes: &[u8]) -> Option<(Vec<u8>, SignedOp)> {
    let OpParts { record, body, payload, salts, signature } = op_parts(bytes)?;
    let salts = Salts::from_bytes(salts).ok()?;
    Some((record.to_vec(), SignedOp { body: body.to_vec(), payload: payload.to_vec(), salts, signature }))
}

fn header(bytes: &[u8]) -> Option<Header> {
    let mut reader = Reader::open(bytes).ok()??;
    if reader.integer("version")? != VERSION {
        return None;
    }
    let (stream, name, hidden) = (reader.hash("stream")?, reader.text("name")?, reader.texts("hidden")?);
    let header = Header { stream, name, hidden, pruned: pruned(&mut reader)? };
    let is_sorted = header.hidden.is_sorted_by(|a, b| a < b);
    (reader.is_spent() && is_sorted && crate::op::is_segment(&header.name)).then_some(header)
}

/// None where it is there and no count.
fn pruned(reader: &mut Reader) -> Option<Option<u64>> {
    match reader.field("pruned") {
        None => Some(None),
        Some(count) => Some(Some(u64::try_from(count.as_i64()?).ok()?)),
    }
}

fn source(bytes: &[u8]) -> Option<SourceText> {
    let mut reader = Reader::open(bytes).ok()??;
    let source = SourceText { root: reader.hash("root")?, name: reader.text("name")?, text: reader.text("text")? };
    (reader.is_spent() && is_file_name(&source.name)).then_some(source)
}

fn hidden_fields(bytes: &[u8]) -> Option<Vec<Field>> {
    let mut heap = Heap::new(0);
    let list = cbor::decode(&mut heap, bytes, &Options::CANONICAL).ok()?;
    let items = heap.items(list)?.to_vec();
    if items.len() > length(limit::OP_FIELDS) {
        return None;
    }
    let field = |value: Value| {
        if let Some(commitment) = heap.as_bytes(value) {
            return Some(Field::Hidden(commitment.try_into().ok()?));
        }
        let &[opening] = heap.items(value)? else { return None };
        let opening = heap.as_bytes(opening)?.to_vec();
        super::hidden::opened_name(&opening).ok()?;
        Some(Field::Open(opening))
    };
    items.into_iter().map(field).collect()
}

/// A place in the order by ULID out of its 80 bytes.
fn place(bytes: &[u8]) -> Option<Place> {
    let mut content = Content(bytes);
    let place = (Ulid::from_bytes(content.array()?), content.array()?, content.array()?);
    content.0.is_empty().then_some(place)
}
