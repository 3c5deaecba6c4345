//! A pack as evidence: read once from its beginning, and again where an op came late.

use super::read::Packed;
use super::{Header, PackReader, Part, SourceText, form};
use crate::audit::{self, Ask, Item, Recall};
use crate::checkpoint::Checkpoint;
use crate::code::{Code, Refused};
use crate::document::{Hash, to_hex};
use crate::fault::Fault;
use crate::limit;
use crate::op::SignedOp;
use crate::program::{Library, Stored};
use crate::verify::{Divergence, Verification};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// A pack of which the header, programs and sources were read.
pub struct PackFile {
    pub header: Header,
    pub library: Library,
    pub sources: Vec<SourceText>,
    reader: PackReader<BufReader<File>>,
    /// The part behind what was read already.
    next: Option<(u64, Packed)>,
    again: File,
    size: u64,
    /// How many records the last checkpoint counted.
    count: u64,
    /// What the end says of all before it.
    root: Option<Hash>,
}

fn fault(path: &Path) -> impl Fn(io::Error) -> Fault {
    let path = path.display().to_string();
    move |cause| Fault::File { path: path.clone(), cause }
}

impl PackFile {
    /// Opens a pack and reads it until its first op.
    ///
    /// # Errors
    /// `PACK_FORM`, `PROGRAM_KIND` where a program in it may not run, or the file can't be read.
    pub fn open(path: &Path) -> Result<PackFile, Fault> {
        let open = || File::open(path).map_err(fault(path));
        let file = open()?;
        let metadata = file.metadata().map_err(fault(path))?;
        if !metadata.is_file() {
            let cause = io::Error::new(io::ErrorKind::Unsupported, "a pack is read twice, so that it must be a file");
            return Err(fault(path)(cause));
        }
        let mut reader = PackReader::new(BufReader::with_capacity(1 << 16, file))?;
        let header = match reader.read()? {
            Some((_, Part::Header(header))) => header,
            _ => return Err(form(0, "no header").into()),
        };
        let (mut library, mut sources) = (Library::default(), Vec::new());
        let next = loop {
            let read = reader.read_packed()?;
            // These alone stay in memory.
            let is_kept = matches!(read, Some((_, Packed::Part(Part::Program(_) | Part::Source(_)))));
            if is_kept && reader.at() > limit::PACK_PROGRAMS.value {
                let what = format!("programs and sources of more than {} bytes", limit::PACK_PROGRAMS.value);
                return Err(form(reader.at(), &what).into());
            }
            match read {
                Some((at, Packed::Part(Part::Program(bytes)))) => {
                    let program = Stored::from_bytes(&bytes);
                    let wrong = |no: Refused| Refused::new(no.code, format!("byte {at}: {}", no.what));
                    library.add(program.map_err(wrong)?);
                }
                Some((at, Packed::Part(Part::Source(source)))) => {
                    if library.get(&source.root).is_none() {
                        return Err(form(at, "a source of no program that is here").into());
                    }
                    sources.push(source);
                }
                next => break next,
            }
        };
        Ok(PackFile {
            header,
            library,
            sources,
            reader,
            next,
            again: open()?,
            size: metadata.len(),
            count: 0,
            root: None,
        })
    }

    /// The hash of the pack, once it was read to its end.
    pub(crate) const fn root(&self) -> Option<Hash> {
        self.root
    }

    fn item(&mut self, at: u64, part: Packed) -> Result<Option<Item>, Refused> {
        let part = match part {
            Packed::Op(content) => return Ok(Some(Item::PackedOp { place: at, content })),
            Packed::Part(part) => part,
        };
        Ok(Some(match part {
            Part::Op { record, signed } => Item::Op { place: at, record, signed },
            Part::HiddenOp { .. } if self.header.hidden.is_empty() => {
                return Err(form(at, "a hidden op in a pack that hides nothing"));
            }
            Part::HiddenOp { record, hidden } => Item::HiddenOp { place: at, record, hidden },
            Part::PrunedOp { .. } if self.header.pruned.is_none() => {
                return Err(form(at, "a pruned op of a stream of which nothing was pruned"));
            }
            Part::PrunedOp { record, left } => Item::PrunedOp { place: at, record, left },
            Part::Checkpoint(signed) => {
                self.count = Checkpoint::decode(&signed.body).map_or(0, |checkpoint| checkpoint.count);
                Item::Checkpoint(signed)
            }
            Part::Snapshot(snapshot) => Item::Snapshot(crate::fold::Snapshot { count: self.count, ..snapshot }),
            Part::Row(key, value) => Item::Row(key, value),
            Part::Proof(file) => Item::Proof(file),
            Part::End(totals) => {
                self.root = Some(totals.root);
                return Ok(None);
            }
            Part::Header(_) | Part::Program(_) | Part::Source(_) => return Err(form(at, "a part out of its place")),
        }))
    }
}

impl Recall for PackFile {
    fn recall(&mut self, place: u64) -> Result<(Vec<u8>, SignedOp), Fault> {
        let lost = |cause| Fault::File { path: "the pack".into(), cause };
        self.again.seek(SeekFrom::Start(place)).map_err(lost)?;
        let mut head = [0; 5];
        self.again.read_exact(&mut head).map_err(lost)?;
        let [_, size @ ..] = head;
        let mut content = Vec::new();
        let size = u64::from(u32::from_be_bytes(size));
        self.again.by_ref().take(size).read_to_end(&mut content).map_err(lost)?;
        let changed = || Fault::from(Refused::new(Code::PACK_FORM, format!("byte {place}: the file has changed")));
        super::read::op(&content).ok_or_else(changed)
    }
}

impl audit::Evidence for PackFile {
    fn next(&mut self) -> Result<Option<Item>, Fault> {
        let next = match self.next.take() {
            None => self.reader.read_packed()?,
            next => next,
        };
        let Some((at, part)) = next else { return Ok(None) };
        match self.item(at, part)? {
            Some(item) => Ok(Some(item)),
            // Behind the end there is nothing, which is looked at too.
            None => match self.reader.read_packed()? {
                None => Ok(None),
                Some((at, _)) => Err(form(at, "something follows the end").into()),
            },
        }
    }

    fn pruned(&self) -> Option<u64> {
        self.header.pruned
    }

    fn progress(&self) -> f64 {
        self.reader.at() as f64 / self.size.max(1) as f64
    }
}

/// A pack's header, as far as it could be read, and what came of checking everything in it.
pub type PackAnswer = (Option<Header>, Verification);

/// Checks a pack, from its file alone.
///
/// # Errors
/// Where the file can't be read; a pack that is none is an answer.
pub fn verify(path: &Path, ask: &Ask, told: &mut dyn FnMut(u64, f64)) -> Result<PackAnswer, Fault> {
    let mut pack = match PackFile::open(path) {
        Ok(pack) => pack,
        Err(Fault::Refused(no)) => {
            let first_divergence = Some(*audit::refused("the pack", &no));
            return Ok((None, Verification { first_divergence, ..Verification::default() }));
        }
        Err(fault) => return Err(fault),
    };
    let (header, library) = (pack.header.clone(), std::mem::take(&mut pack.library));
    let audited = audit::audit(&mut pack, &library, ask, told)?;
    let mut answer = audited.verification;
    if let Some(log) = audited.log.filter(|log| log.stream != header.stream) {
        let found = audit::differs("the header", to_hex(&header.stream), to_hex(&log.stream));
        answer.first_divergence = Some(Divergence { ..*found });
        answer.is_anchored = false;
    }
    Ok((Some(header), answer))
}
