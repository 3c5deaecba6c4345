//! Rows that were given, against those that the fold made, side by side in the order of their keys.

use super::{Stopped, Written, differs};
use crate::document::{Hash, to_hex};
use crate::limit::{self, length};
use crate::materialize::row;
use crate::verify::Divergence;
use kerai_vm::encoding::map::{Part, row_key, row_value};
use kerai_vm::fold::Rows;

/// A row that is not the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Differing {
    /// The canonical CBOR of path and key.
    pub key: Vec<u8>,
    pub path: String,
    pub name: String,
    pub stored: String,
    pub computed: String,
    /// What wrote it last, by the fold.
    pub written: Option<Written>,
}

impl Differing {
    pub(crate) fn new(key: &[u8], stored: Option<&[u8]>, computed: Option<&[u8]>) -> Differing {
        let place = row(key, None).projection;
        let shown = |value: Option<&[u8]>| match value {
            None => "no row".to_owned(),
            Some(value) => match row(key, Some(&value.to_vec())).projection.view {
                Some(view) => format!("{view} ({})", to_hex(value)),
                None => to_hex(value),
            },
        };
        let (stored, computed) = (shown(stored), shown(computed));
        Differing { key: key.to_vec(), path: place.path, name: place.name, stored, computed, written: None }
    }
}

/// The rows so far.
#[derive(Default)]
pub(super) struct Given {
    count: usize,
    /// The fold's rows in the order of their keys, by number, once a row was given.
    order: Option<Vec<u32>>,
    /// How many of them were met.
    met: usize,
    differing: Vec<Differing>,
    /// Keys and values by their hashes, where there is no fold to compare with.
    hashes: Vec<(Hash, Hash)>,
}

impl Given {
    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Takes a row. Of those that differ no more are kept than are told of.
    pub(super) fn put(&mut self, key: &[u8], value: &[u8], computed: Option<&Rows>) {
        self.count += 1;
        let Some(rows) = computed else {
            self.hashes.push((row_key(key), row_value(value)));
            return;
        };
        self.pass(rows, Some(key));
        match self.next(rows).filter(|next| next.0 == key) {
            Some((_, computed)) if computed == value => {}
            Some((_, computed)) => self.differ(Differing::new(key, Some(value), Some(computed))),
            None => return self.differ(Differing::new(key, Some(value), None)),
        }
        self.met += 1;
    }

    fn differ(&mut self, differing: Differing) {
        if self.differing.len() < length(limit::AUDIT_ROWS) {
            self.differing.push(differing);
        }
    }

    /// The fold's next row that was not met.
    fn next<'r>(&mut self, rows: &'r Rows) -> Option<(&'r [u8], &'r [u8])> {
        let sorted = rows.sorted();
        let order = self.order.get_or_insert_with(|| {
            let mut order: Vec<u32> = (0..sorted.len()).map(|number| number as u32).collect();
            order.sort_by_key(|&number| sorted.get(number as usize).map(|row| &row.key));
            order
        });
        let row = sorted.get(*order.get(self.met)? as usize)?;
        Some((&row.key, &row.value))
    }

    /// Passes the fold's rows before a key, or all of them: they were not given.
    fn pass(&mut self, rows: &Rows, until: Option<&[u8]>) {
        while let Some((key, value)) = self.next(rows).filter(|(key, _)| until.is_none_or(|until| *key < until)) {
            self.differ(Differing::new(key, None, Some(value)));
            self.met += 1;
        }
    }

    /// All rows were given: those that differ. Without a fold to compare with they must give the root.
    pub(super) fn end(&mut self, computed: Option<&Rows>, root: Option<Hash>) -> Result<Vec<Differing>, Stopped> {
        if let Some(rows) = computed {
            self.pass(rows, None);
            return Ok(std::mem::take(&mut self.differing));
        }
        self.hashes.sort_unstable();
        let given = Part::of_sorted(&self.hashes, 0).hash();
        match root {
            _ if self.is_empty() => Ok(Vec::new()),
            Some(root) if root == given => Ok(Vec::new()),
            Some(root) => Err(differs("the rows", to_hex(&given), to_hex(&root)).into()),
            None => Err(differs("the rows", format!("{} rows", self.count), "no checkpoint that binds them").into()),
        }
    }
}

/// A divergence in rows, told by the first of them.
pub(super) fn divergence(keys: Vec<Differing>) -> Option<Box<Divergence>> {
    let first = keys.first()?;
    let key = Some((first.path.clone(), first.name.clone()));
    let mut stop = differs("a row", first.stored.clone(), first.computed.clone());
    (stop.key, stop.keys) = (key, keys);
    Some(stop)
}
