//! The journal: what older tables held before they were changed, so that a heap can be taken back to a point.
//!
//! A change is logged by key, not by place: what a table holds is restored, in whichever form it then lies, and forms
//! can't be observed. Tables made after the last point need no log, since nothing older reaches them.

use super::dictionary::Dictionary;
use super::heap::Mark;
use super::shape::fold;
use super::table::{TableFault, TableId};
use super::{Heap, Tag, Value};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

/// Changes under one point before repeated ones are looked for.
const FEWEST_PRUNED: usize = 1 << 12;

/// What a table held at a key before a change.
#[derive(Clone, Copy)]
pub(super) struct Change {
    pub(super) table: TableId,
    /// Whether the key, or what was put there, is younger than the last collection: only then has the next one to look.
    pub(super) brings_young: bool,
    /// In its one form. Nil stands for what the table was when it had no entries: true for a list.
    pub(super) key: Value,
    pub(super) old: Value,
}

/// A point that the heap can be taken back to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point(u64);

/// What is known of a point.
pub(super) struct Saved {
    number: u64,
    /// How many of the journal's changes are older.
    pub(super) changes: usize,
    pub(super) mark: Mark,
}

/// The log of changes, and the points in it.
#[derive(Default)]
pub(super) struct Journal {
    pub(super) changes: Vec<Change>,
    /// Oldest first.
    pub(super) points: Vec<Saved>,
    /// The next point's number.
    next: u64,
    /// Changes that the last collection has seen.
    pub(super) collected: usize,
    /// How many changes there may be in a step before repeated ones are looked for.
    prune_at: usize,
    /// How many were left when a collection last looked for repeated ones.
    pruned: usize,
    /// Whether points were forgotten, so that changes which only they needed are still there.
    pub(super) has_surplus: bool,
    /// The first of the changes, not yet collected, that perhaps only points needed which were forgotten.
    surplus: Option<usize>,
}

/// The tables that are not as they were at a point.
pub struct Changed {
    older: Vec<u32>,
    first_new: u32,
}

impl Changed {
    /// Whether a table was changed since the point, or made since.
    #[must_use]
    pub fn has(&self, table: Value) -> bool {
        table.as_table().is_some_and(|id| id.0 >= self.first_new || self.older.binary_search(&id.0).is_ok())
    }

    /// Whether any table that is older than the point was changed: else nothing that was reached then is different.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.older.is_empty()
    }
}

impl Journal {
    /// Drops changes, from a number on, of keys that were changed before under the last point: only what was there
    /// first is restored.
    #[cold]
    fn prune(&mut self, from: usize) {
        let start = self.points.last().map_or(0, |saved| saved.changes).max(from);
        let recent = self.changes.split_off(start.min(self.changes.len()));
        let code = |&(table, key): &(TableId, Value)| {
            let window = key.window();
            fold(u64::from(table.0), window as u64, (window >> 64) as u64)
        };
        // What was changed, and the number of the change that stays.
        let mut seen: HashTable<((TableId, Value), usize)> = HashTable::new();
        for change in recent {
            let place = (change.table, change.key);
            let is_same = |(other, _): &((TableId, Value), usize)| other.0 == place.0 && other.1.is_same_words(place.1);
            match seen.entry(code(&place), is_same, |(other, _)| code(other)) {
                Entry::Vacant(vacant) => {
                    vacant.insert((place, self.changes.len()));
                    self.changes.push(change);
                }
                Entry::Occupied(first) => {
                    if let Some(first) = self.changes.get_mut(first.get().1) {
                        first.brings_young |= change.brings_young;
                    }
                }
            }
        }
        self.prune_at = self.changes.len() + FEWEST_PRUNED.max(self.changes.len().saturating_sub(start));
    }

    /// Drops changes that no point needs, of those that no collection has seen: what a table held that was made after
    /// the last point before the change is no matter to anyone.
    pub(super) fn drop_unneeded(&mut self) {
        if core::mem::take(&mut self.has_surplus) {
            self.collected = 0;
        }
        let first = self.collected.min(self.changes.len());
        let mut kept = first;
        let before = self.points.iter().take_while(|saved| saved.changes <= first).last();
        let mut tables = before.map_or(0, |saved| saved.mark.tables());
        let mut points = self.points.iter_mut().skip_while(|saved| saved.changes <= first).peekable();
        for number in first..self.changes.len() {
            while let Some(saved) = points.next_if(|saved| saved.changes <= number) {
                tables = saved.mark.tables();
                saved.changes = kept;
            }
            let Some(&change) = self.changes.get(number) else { break };
            if change.table.0 < tables
                && let Some(place) = self.changes.get_mut(kept)
            {
                *place = change;
                kept += 1;
            }
        }
        points.for_each(|saved| saved.changes = kept);
        self.changes.truncate(kept);
    }

    /// Drops changes, from a number on, that no point needs any more, but for those that the next collection must look at:
    /// they brought something young into a table that is older than the mark.
    fn keep_remembered(&mut self, first: usize, watermark: &Mark) {
        self.surplus = None;
        let first = first.max(self.collected).min(self.changes.len());
        let mut kept = first;
        for number in first..self.changes.len() {
            let Some(&change) = self.changes.get(number) else { break };
            if change.brings_young && change.table.0 < watermark.tables() {
                if let Some(place) = self.changes.get_mut(kept) {
                    *place = change;
                }
                kept += 1;
            }
        }
        self.changes.truncate(kept);
    }

    /// Notes that a collection has seen all changes.
    pub(super) fn all_collected(&mut self) {
        if self.changes.len() > 2 * self.pruned + FEWEST_PRUNED {
            self.prune(0);
            self.pruned = self.changes.len();
        }
        self.collected = self.changes.len();
        self.surplus = None;
    }

    fn saved(&self, point: Point) -> Option<&Saved> {
        let place = self.points.binary_search_by_key(&point.0, |saved| saved.number).ok()?;
        self.points.get(place)
    }
}

impl Heap {
    /// Tables below this number are watched: their changes are logged, or refused.
    pub(super) fn watch_older(&mut self) {
        let newest = self.journal.points.last().map_or(0, |saved| saved.mark.tables());
        self.watched = newest.max(self.watermark.tables());
    }

    /// A point that [`Heap::rewind_to`] goes back to, until it is forgotten. From here on every change of a table
    /// that is there already is logged.
    pub fn point(&mut self) -> Point {
        let number = self.journal.next;
        self.journal.next += 1;
        let mark = self.mark();
        self.journal.prune_at = self.journal.changes.len() + FEWEST_PRUNED;
        self.journal.points.push(Saved { number, changes: self.journal.changes.len(), mark });
        self.watched = mark.tables();
        Point(number)
    }

    /// Undoes all that happened since the point: tables hold what they held, as what they were, and share what they
    /// shared; what was made since means nothing afterwards. Later points are gone, the point itself stays.
    /// False where the point is gone already.
    pub fn rewind_to(&mut self, point: Point) -> bool {
        let Some(&Saved { changes, mark, .. }) = self.journal.saved(point) else { return false };
        let is_untouched = self.journal.changes.len() == changes;
        // What is restored is not logged again, and may have been made read-only since.
        self.watched = 0;
        while self.journal.changes.len() > changes {
            let Some(change) = self.journal.changes.pop() else { break };
            self.restore(change);
        }
        let kept = self.journal.points.partition_point(|saved| saved.number <= point.0);
        self.journal.points.truncate(kept);
        self.journal.collected = self.journal.collected.min(changes);
        if !is_untouched {
            // Older tables may lie among what was made since, so that from now on only numbers can be let go.
            self.journal.points.iter_mut().for_each(|saved| saved.mark = saved.mark.numbers());
        }
        self.rewind(if is_untouched { mark } else { mark.numbers() });
        self.watch_older();
        true
    }

    /// Keeps what happened since the point, which can't be gone back to any more. A log that nothing needs is dropped.
    pub fn forget(&mut self, point: Point) {
        if self.journal.points.last().is_some_and(|saved| saved.number == point.0) {
            let removed = self.journal.points.pop();
            self.forgot(removed.map_or(0, |saved| saved.changes));
        } else if let Ok(place) = self.journal.points.binary_search_by_key(&point.0, |saved| saved.number) {
            let removed = self.journal.points.remove(place);
            self.forgot(removed.changes);
        }
    }

    /// Forgets all points before this one.
    pub fn forget_before(&mut self, point: Point) {
        let older = self.journal.points.partition_point(|saved| saved.number < point.0);
        let first = self.journal.points.drain(..older).next();
        if let Some(saved) = first {
            self.forgot(saved.changes);
        }
    }

    /// Takes note that changes from a number on may be needed no more.
    fn forgot(&mut self, first: usize) {
        self.journal.has_surplus |= first < self.journal.collected;
        let surplus = self.journal.surplus.map_or(first, |before| before.min(first));
        if self.journal.points.is_empty() {
            self.journal.keep_remembered(surplus, &self.watermark);
        } else {
            self.journal.surplus = Some(surplus);
        }
        self.watch_older();
    }

    /// Which tables were changed or made since the point; `None` where the point is gone.
    #[must_use]
    pub fn changed_since(&self, point: Point) -> Option<Changed> {
        let saved = self.journal.saved(point)?;
        let first_new = saved.mark.tables();
        let changes = self.journal.changes.get(saved.changes..).unwrap_or_default();
        let mut older: Vec<u32> =
            changes.iter().map(|change| change.table.0).filter(|&table| table < first_new).collect();
        older.sort_unstable();
        older.dedup();
        Some(Changed { older, first_new })
    }

    /// What was changed since the point of what is older: tables and keys, a nil key where a table's kind was. `None`
    /// where the point is gone.
    pub(crate) fn changes_since(&self, point: Point) -> Option<Vec<(TableId, Value)>> {
        let saved = self.journal.saved(point)?;
        let changes = self.journal.changes.get(saved.changes..).unwrap_or_default();
        let older = changes.iter().filter(|change| change.table.0 < saved.mark.tables());
        Some(older.map(|change| (change.table, change.key)).collect())
    }

    /// Calls for each table that a value reaches, as often as it reaches it. Where it can be written as a document, that
    /// ends.
    pub(crate) fn each_table(&self, value: Value, called: &mut impl FnMut(TableId)) {
        let mut pending = vec![value];
        while let Some(value) = pending.pop() {
            if let (Some(id), Some(table)) = (value.as_table(), self.table(value)) {
                called(id);
                pending.extend_from_slice(self.slots_of(table));
                pending.extend(self.dictionary(table).into_iter().flat_map(Dictionary::entries).map(|entry| entry.1));
            }
        }
    }

    /// Whether nothing may be written into the table.
    pub(super) fn is_frozen(&self, id: TableId) -> bool {
        id.0 < self.watched && self.frozen.contains(&id.0)
    }

    /// Logs what a watched table holds at a key, before that is changed to something new.
    #[inline]
    pub(super) fn note(&mut self, table: TableId, key: Value, (ref old, ref new): (Value, Value)) {
        if table.0 < self.watched {
            let brings_young = self.is_young(new.copied()) || self.is_young(key);
            self.keeps_functions |= matches!(new.tag(), Tag::Function | Tag::Closure);
            if self.journal.changes.len() >= self.journal.prune_at {
                let collected = self.journal.collected;
                self.journal.prune(collected);
            }
            // By its two words: what was just written by them can't be read as a whole without a wait.
            self.journal.changes.push(Change { table, brings_young, key, old: old.copied() });
        }
    }

    /// Puts back what a table held.
    fn restore(&mut self, change: Change) {
        let Change { table, key, old, .. } = change;
        if key.is_nil() {
            self.restore_kind(table, old.as_bool() == Some(true));
        } else if old.is_nil() && !old.is_absent() {
            self.put_null(table, key);
        } else {
            // The key was one, and the table no set, or nothing had been logged.
            let _: Result<bool, TableFault> = self.set(Value::table(table, 0), key, old);
        }
    }

    // Steps.

    /// A point from which a step begins: tables of its operation, by number, are read-only until it ends, and
    /// functions that it makes are noticed.
    pub(crate) fn begin_step(&mut self, read_only: core::ops::Range<u32>) -> Point {
        (self.has_functions, self.keeps_functions) = (false, false);
        self.frozen = read_only;
        self.point()
    }

    /// Ends a step: what it did stays.
    pub(crate) fn end_step(&mut self, point: Point) {
        self.frozen = 0..0;
        self.forget(point);
    }

    /// Whether a function can be reached from a state that reached none at a point.
    #[inline]
    pub(crate) fn reaches_function(&self, state: Value, since: Point) -> bool {
        self.has_functions && self.reaches_one(state, since)
    }

    #[cold]
    fn reaches_one(&self, state: Value, since: Point) -> bool {
        let Some(saved) = self.journal.saved(since) else { return false };
        let is_function = |value: Value| matches!(value.tag(), Tag::Function | Tag::Closure);
        // What holds one is new, or was changed where that is logged: mostly nothing does, and nothing need be walked.
        let slots = self.slots.get(saved.mark.slots..).unwrap_or_default().iter().copied();
        let others = self.dictionaries.get(saved.mark.dictionaries..).unwrap_or_default();
        let entries = others.iter().flat_map(Dictionary::entries).map(|entry| entry.1);
        if !self.keeps_functions && !slots.chain(entries).chain([state]).any(is_function) {
            return false;
        }
        let changes = self.journal.changes.get(saved.changes..).unwrap_or_default();
        let held = changes.iter().filter_map(|change| self.get(Value::table(change.table, 0), change.key));
        // Only what was written can have brought a function in; but what was written may not be reached.
        self.finds_function(held.chain([state]).collect(), saved.mark.tables) && self.finds_function(vec![state], 0)
    }

    /// Whether a walk through the tables from a number on finds a function.
    fn finds_function(&self, mut pending: Vec<Value>, first: usize) -> bool {
        let mut met = vec![false; self.tables.len().saturating_sub(first)];
        while let Some(value) = pending.pop() {
            if matches!(value.tag(), Tag::Function | Tag::Closure) {
                return true;
            }
            let place = value.as_table().and_then(|id| (id.0 as usize).checked_sub(first));
            if let Some(place) = place
                && let Some(met) = met.get_mut(place)
                && !*met
                && let Some(table) = self.table(value)
            {
                *met = true;
                pending.extend_from_slice(self.slots_of(table));
                pending.extend(self.dictionary(table).into_iter().flat_map(Dictionary::entries).map(|entry| entry.1));
            }
        }
        false
    }
}
