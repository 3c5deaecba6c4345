//! What is left of an op that was pruned, and archives: the packs that have such ops whole.

use super::PackFile;
use crate::audit::{Evidence, Item, Recall};
use crate::backend::StoredOp;
use crate::code::{Code, Refused};
use crate::document::Hash;
use crate::fault::Fault;
use crate::limit::{self, length};
use crate::op::SignedOp;
use kerai_vm::ulid::Ulid;
use std::path::Path;

/// What is left of an op beside its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrunedOp {
    pub op: Hash,
    pub author: Hash,
    pub sequence: u64,
    pub ulid: Ulid,
    /// The hash of what its author gave.
    pub given: Hash,
    pub signature: [u8; 64],
    /// The hash of its record, where a database keeps it; in a pack stands the whole record.
    pub said: Option<Hash>,
}

impl PrunedOp {
    pub(crate) fn of(stored: &StoredOp) -> PrunedOp {
        let columns = &stored.columns;
        PrunedOp {
            op: columns.op_id,
            author: columns.author,
            sequence: columns.sequence,
            ulid: Ulid::from_bytes(columns.ulid),
            given: columns.given.unwrap_or_default(),
            signature: stored.signed.signature,
            said: stored.said,
        }
    }
}

/// Marks places in archives among those of a database; the number of the archive stands behind it.
const ARCHIVED: u64 = 1 << 62;
const NUMBER: u32 = 56;

/// A pack that is read along with a log, op by op.
struct Archive {
    pack: PackFile,
    /// How many ops were read.
    position: u64,
}

/// The packs that have what was pruned of a stream, each a stretch of it.
pub struct Archives(Vec<Archive>);

impl Archives {
    /// Opens packs.
    ///
    /// # Errors
    /// As [`PackFile::open`], or there are too many.
    pub fn open<P: AsRef<Path>>(paths: &[P]) -> Result<Archives, Fault> {
        if paths.len() > length(limit::PACK_ARCHIVES) {
            let what = format!("{} archives, where {} are the most", paths.len(), limit::PACK_ARCHIVES.value);
            return Err(Refused::new(Code::ARCHIVE_WRONG, what).into());
        }
        let open = |path: &P| Ok(Archive { pack: PackFile::open(path.as_ref())?, position: 0 });
        Ok(Archives(paths.iter().map(open).collect::<Result<_, Fault>>()?))
    }

    /// The op at a position, which comes after all that were asked for before, and its place.
    pub(crate) fn op(&mut self, position: u64, record: &[u8]) -> Result<(u64, SignedOp), Fault> {
        for (number, archive) in (0_u64..).zip(&mut self.0) {
            if let Some((at, signed)) = archive.op(position, record)? {
                return Ok((ARCHIVED | number << NUMBER | at, signed));
            }
        }
        Err(Refused::new(Code::PRUNED, format!("op {position}, which no archive has that was named")).into())
    }

    pub(crate) const fn is_place(place: u64) -> bool {
        place & ARCHIVED != 0
    }

    pub(crate) fn recall(&mut self, place: u64) -> Result<(Vec<u8>, SignedOp), Fault> {
        let number = usize::try_from((place & !ARCHIVED) >> NUMBER).unwrap_or(usize::MAX);
        let gone = || Refused::new(Code::ARCHIVE_WRONG, "it is gone");
        self.0.get_mut(number).ok_or_else(gone)?.pack.recall(place & ((1 << NUMBER) - 1))
    }
}

impl Archive {
    fn op(&mut self, position: u64, record: &[u8]) -> Result<Option<(u64, SignedOp)>, Fault> {
        while let Some(item) = self.pack.next()? {
            let found = match item {
                Item::Op { place, record, signed } => Some((place, record, signed)),
                Item::PackedOp { place, content } => {
                    let (record, signed) = super::open_op(&content).ok_or_else(|| super::no_op(place))?;
                    Some((place, record, signed))
                }
                Item::HiddenOp { .. } | Item::PrunedOp { .. } => None,
                Item::Checkpoint(_) | Item::Snapshot(_) | Item::Row(..) | Item::Proof(_) => continue,
            };
            self.position += 1;
            if self.position < position {
                continue;
            }
            let Some((place, said, signed)) = found else { return Ok(None) };
            if said != record {
                return Err(Refused::new(Code::ARCHIVE_WRONG, format!("its op {position} is another one")).into());
            }
            return Ok(Some((place, signed)));
        }
        Ok(None)
    }
}
