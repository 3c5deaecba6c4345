//! Collecting: between two steps, what nothing reaches is forgotten, and what is left moves together.
//!
//! A collection of the young takes what was made since the last one; older tables point to it only where the journal
//! says that they were changed, so they are not walked. Tables keep their order of age. No result depends on when a
//! collection happens: numbers and places are never observed.

use super::dictionary::Dictionary;
use super::heap::{Mark, narrow};
use super::journal::Change;
use super::shape::fold;
use super::table::{Form, Table, TableId};
use super::{Heap, Span, TOGETHER, Tag, Value};
use core::hint::black_box;
use hashbrown::HashTable;

/// What a collection looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// What was made since the last collection.
    Young,
    All,
}

/// Bytes that a dictionary takes beside its entries, about.
const DICTIONARY: usize = 128;
/// Bytes that an entry of a dictionary takes with the vacant places beside it, about.
const ENTRY: usize = 56;

/// How many collections of the young leave texts where they lie, after one in which most of them were alive: until another
/// looks again, moving them would be in vain.
const RESTS: u8 = 8;

/// Where a value lies that an older table took since the last collection.
enum Cell {
    Slot(usize),
    EntryKey(u32, usize),
    EntryValue(u32, usize),
}

/// Finds what is alive.
#[derive(Default)]
struct Trace {
    from: Mark,
    /// By the number of a table, counted from the first that is looked at.
    live: Vec<bool>,
    pending: Vec<Value>,
    /// Places in older tables that hold something young, each once.
    cells: Vec<Cell>,
}

impl Trace {
    fn reach(&mut self, value: Value) {
        if let Some(id) = value.as_table()
            && let Some(live) = self.live.get_mut((id.0 as usize).wrapping_sub(self.from.tables))
            && !*live
        {
            *live = true;
            self.pending.push(value);
        }
    }

    /// Reaches what a place in an older table holds, and remembers the place. It is marked, so that it is met once.
    fn reach_cell(&mut self, held: &mut Value, cell: Cell) {
        if self.from.is_before(*held) && !held.is_forwarded() {
            self.reach(*held);
            *held = held.forwarded();
            self.cells.push(cell);
        }
    }
}

impl Mark {
    /// Whether a value lies in what was made since.
    pub(super) fn is_before(&self, value: Value) -> bool {
        let body = value.body() as usize;
        match value.tag() {
            Tag::Table => body >= self.tables,
            Tag::LongString | Tag::Bytes => Span::of(value).range().start >= self.bytes,
            Tag::WideNumber | Tag::Fixed => body >= self.wides,
            Tag::Closure => body >= self.closures,
            Tag::Number | Tag::Nil | Tag::Bool | Tag::Float | Tag::ShortString | Tag::Function => false,
        }
    }
}

/// What collecting needs for a while: kept from one collection of the young to the next, which needs about as much.
#[derive(Default)]
pub(super) struct Room {
    trace: Trace,
    /// New numbers of tables, and where their slots will begin; of dead ones, those of the next live one.
    numbers: Vec<(u32, u32)>,
    bytes: Vec<u8>,
    wides: Vec<i128>,
    slots: Vec<Value>,
    tables: Vec<Table>,
    dictionaries: Vec<Dictionary>,
    /// Where strings went, old span and new one: those that were shared stay so.
    spans: HashTable<(u64, Value)>,
}

impl Room {
    fn clear(&mut self) {
        let Room { trace, numbers, bytes, wides, slots, tables, dictionaries, spans } = self;
        trace.live.clear();
        trace.cells.clear();
        numbers.clear();
        bytes.clear();
        wides.clear();
        slots.clear();
        tables.clear();
        dictionaries.clear();
        spans.clear();
    }
}

/// Moves what is alive: new arenas for what lay above the mark.
struct Mover {
    from: Mark,
    room: Room,
}

impl Mover {
    fn new(from: Mark, live: &[bool], tables: &[Table], mut room: Room) -> Mover {
        let (mut next, mut start) = (from.tables(), narrow(from.slots));
        room.numbers.reserve(live.len() + 1);
        for (&is_live, table) in live.iter().zip(tables.iter().skip(from.tables)) {
            room.numbers.push((next, start));
            next += u32::from(is_live);
            start += if is_live { table.capacity } else { 0 };
        }
        room.numbers.push((next, start));
        Mover { from, room }
    }

    fn place(&self, table: u32) -> Option<(u32, u32)> {
        let place = (table as usize).checked_sub(self.from.tables)?;
        self.room.numbers.get(place).copied()
    }

    /// The new number of a table, or of the first live one that is not older.
    fn number(&self, table: u32) -> u32 {
        self.place(table).map_or(table, |(number, _)| number)
    }

    /// A table that moves.
    fn table(&self, table: u32) -> Value {
        let (number, start) = self.place(table).unwrap_or((table, 0));
        Value::table(TableId(number), start)
    }

    /// The value as it is from now on. Functions mean nothing between steps.
    fn value(&mut self, heap: &Heap, value: Value) -> Value {
        if !self.from.is_before(value) {
            return value;
        }
        let value = value.unforwarded();
        match value.tag() {
            Tag::Table => self.table(value.body() as u32),
            Tag::LongString | Tag::Bytes => self.content(heap, value),
            Tag::WideNumber | Tag::Fixed => {
                self.room.wides.push(heap.content.wide(value));
                value.with_body((self.from.wides + self.room.wides.len() - 1) as u64)
            }
            Tag::Closure => Value::NIL,
            Tag::Number | Tag::Nil | Tag::Bool | Tag::Float | Tag::ShortString | Tag::Function => value,
        }
    }

    fn content(&mut self, heap: &Heap, value: Value) -> Value {
        let code = |span: u64| fold(0, span, 0);
        if let Some(&(_, moved)) = self.room.spans.find(code(value.body()), |entry| entry.0 == value.body()) {
            return value.with_body(moved.body());
        }
        let content = heap.content.span(value);
        let moved = value.with_body(Span::new(self.from.bytes + self.room.bytes.len(), content.len()).body());
        self.room.bytes.extend_from_slice(content);
        self.room.spans.insert_unique(code(value.body()), (value.body(), moved), |entry| code(entry.0));
        moved
    }

    /// Moves a table's slots, with room to grow as it was. Those of older tables are rewritten already.
    fn slots(&mut self, heap: &Heap, table: &mut Table, is_rewritten: bool) {
        let start = self.room.slots.len();
        for &slot in heap.slots_of(table) {
            let slot = if is_rewritten { slot } else { self.value(heap, slot) };
            self.room.slots.push(slot);
        }
        self.room.slots.resize(start + table.capacity as usize, Value::ABSENT);
        table.start = narrow(self.from.slots + start);
    }

    fn dictionary(&mut self, heap: &mut Heap, table: &mut Table, is_rewritten: bool) {
        let Form::Dictionary(number) = table.form else { return };
        let Some(mut dictionary) = heap.dictionaries.get_mut(number as usize).map(core::mem::take) else { return };
        if !is_rewritten {
            for (key, value) in dictionary.entries_mut() {
                (*key, *value) = (self.value(heap, *key), self.value(heap, *value));
            }
        }
        table.form = Form::Dictionary(narrow(self.from.dictionaries + self.room.dictionaries.len()));
        self.room.dictionaries.push(dictionary);
    }

    /// Bytes that what moved takes, about.
    fn size(&self) -> usize {
        let Room { bytes, wides, slots, tables, dictionaries, .. } = &self.room;
        let entries: usize = dictionaries.iter().map(Dictionary::size).sum();
        bytes.len() + size_of_val(&**wides) + size_of_val(&**slots) + size_of_val(&**tables) + entries
    }
}

impl Dictionary {
    fn size(&self) -> usize {
        DICTIONARY + ENTRY * self.count()
    }
}

impl Heap {
    /// Forgets what neither the roots nor, where it is looked at in part, older tables reach; the roots are changed to
    /// what they are from now on. Every other value that was made in the extent means nothing afterwards, and no
    /// function does. Gives the bytes that stay of the extent, about.
    pub fn collect(&mut self, extent: Extent, roots: &mut [Value]) -> usize {
        let texts = self.content.bytes.len();
        let from = match extent {
            Extent::Young if self.rests > 0 => Mark { bytes: texts, ..self.watermark },
            Extent::Young => self.watermark,
            Extent::All => Mark::default(),
        };
        if extent == Extent::All {
            self.journal.collected = 0;
        }
        let mut room = core::mem::take(&mut self.room);
        let trace = self.trace(from, roots, core::mem::take(&mut room.trace));
        let mut mover = Mover::new(from, &trace.live, &self.tables, room);
        self.rewrite_cells(&mut mover, &trace.cells);
        for root in roots {
            *root = mover.value(self, *root);
        }
        self.rewrite_journal(&mut mover);
        self.move_tables(&mut mover, &trace.live);
        mover.room.trace = trace;
        let size = mover.size() + from.bytes.saturating_sub(self.watermark.bytes);
        if extent == Extent::Young {
            let is_most = 2 * mover.room.bytes.len() > texts.saturating_sub(self.watermark.bytes);
            self.rests = self.rests.checked_sub(1).unwrap_or(if is_most { RESTS } else { 0 });
        }
        let room = self.settle_in(mover);
        // Collecting everything needs as much as everything takes: that is not kept.
        if extent == Extent::Young {
            self.room = room;
        }
        size
    }

    /// Whether the next collection of the young may move a value.
    pub(super) fn is_young(&self, value: Value) -> bool {
        let rests = self.rests > 0 && matches!(value.tag(), Tag::LongString | Tag::Bytes);
        !rests && self.watermark.is_before(value)
    }

    /// Makes all that is there old without looking at it: for what its owner knows to be alive.
    pub fn keep_all(&mut self) {
        self.journal.drop_unneeded();
        self.journal.all_collected();
        self.moved.clear();
        self.watermark = self.mark();
        self.watch_older();
    }

    /// Bytes that were made since the last collection, about, but for dictionaries.
    #[must_use]
    pub fn young_size(&self) -> usize {
        self.size_since(&self.watermark, self.journal.collected)
    }

    /// Bytes that all takes that is there, needed or not, about.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size_since(&Mark::default(), 0) + self.dictionaries_since(0)
    }

    fn size_since(&self, mark: &Mark, changes: usize) -> usize {
        let since = |length: usize, before: usize| length.saturating_sub(before);
        since(self.content.bytes.len(), mark.bytes)
            + since(self.content.wides.len(), mark.wides) * size_of::<i128>()
            + since(self.slots.len(), mark.slots) * size_of::<Value>()
            + since(self.tables.len(), mark.tables) * size_of::<Table>()
            + since(self.journal.changes.len(), changes) * size_of::<Change>()
    }

    /// How many dictionaries there are.
    pub(crate) fn dictionaries(&self) -> usize {
        self.dictionaries.len()
    }

    /// Bytes that the dictionaries from a number on take, about.
    pub(crate) fn dictionaries_since(&self, first: usize) -> usize {
        self.dictionaries.get(first..).unwrap_or_default().iter().map(Dictionary::size).sum()
    }

    // Finding what is alive.

    fn trace(&mut self, from: Mark, roots: &[Value], room: Trace) -> Trace {
        let mut trace = Trace { from, ..room };
        trace.live.resize(self.tables.len().saturating_sub(from.tables), false);
        roots.iter().for_each(|&root| trace.reach(root));
        for number in self.journal.collected..self.journal.changes.len() {
            if (number - self.journal.collected).is_multiple_of(TOGETHER) {
                self.fetch_changes(number);
            }
            let Some(&change) = self.journal.changes.get(number) else { break };
            if change.brings_young && (change.table.0 as usize) < from.tables {
                self.trace_change(&mut trace, change);
            }
        }
        self.journal.drop_unneeded();
        for change in self.journal.changes.get(self.journal.collected..).unwrap_or_default() {
            trace.reach(Value::table(change.table, 0));
            trace.reach(change.old);
        }
        while !trace.pending.is_empty() {
            let some = trace.pending.split_off(trace.pending.len().saturating_sub(TOGETHER));
            self.fetch(some.iter().copied());
            for table in some.into_iter().filter_map(|value| self.table(value)) {
                self.slots_of(table).iter().for_each(|&slot| trace.reach(slot));
                if let Some(dictionary) = self.dictionary(table) {
                    dictionary.entries().for_each(|entry| trace.reach(entry.1));
                }
            }
        }
        trace
    }

    /// Fetches the entries of dictionaries that some changes from a number on were made in: what is read here is only read so
    /// that it is near.
    fn fetch_changes(&self, first: usize) {
        let changes = self.journal.changes.iter().skip(first).take(TOGETHER);
        let read = |change: &Change| {
            let table = self.tables.get(change.table.0 as usize)?;
            let dictionary = self.dictionary(table)?;
            Some(dictionary.fetch(&[dictionary.first_place(&self.content, change.key)]))
        };
        black_box(changes.filter_map(read).fold(0, |all, read| all ^ read));
    }

    /// What an older table now holds where it was changed.
    fn trace_change(&mut self, trace: &mut Trace, change: Change) {
        let Some(table) = self.tables.get(change.table.0 as usize) else { return };
        if change.key.is_nil() {
            return;
        }
        if let Some(slot) = self.near(table, change.key) {
            if let Some(held) = self.slots.get_mut(slot) {
                trace.reach_cell(held, Cell::Slot(slot));
            }
            return;
        }
        let Form::Dictionary(number) = table.form else { return };
        let Some(dictionary) = self.dictionaries.get_mut(number as usize) else { return };
        if let Some(place) = dictionary.find_value(&self.content, change.key)
            && let Some((key, value)) = dictionary.entry_mut(place)
        {
            trace.reach_cell(key, Cell::EntryKey(number, place));
            trace.reach_cell(value, Cell::EntryValue(number, place));
        }
    }

    // Moving it.

    fn cell(&mut self, cell: &Cell) -> Option<&mut Value> {
        match *cell {
            Cell::Slot(slot) => self.slots.get_mut(slot),
            Cell::EntryKey(number, place) => {
                self.dictionaries.get_mut(number as usize)?.entry_mut(place).map(|entry| &mut entry.0)
            }
            Cell::EntryValue(number, place) => {
                self.dictionaries.get_mut(number as usize)?.entry_mut(place).map(|entry| &mut entry.1)
            }
        }
    }

    fn rewrite_cells(&mut self, mover: &mut Mover, cells: &[Cell]) {
        for cell in cells {
            let Some(held) = self.cell(cell).copied() else { continue };
            let moved = mover.value(self, held);
            if let Some(held) = self.cell(cell) {
                *held = moved;
            }
        }
    }

    fn rewrite_journal(&mut self, mover: &mut Mover) {
        let mut changes = core::mem::take(&mut self.journal.changes);
        for change in changes.iter_mut().skip(self.journal.collected) {
            change.table = TableId(mover.number(change.table.0));
            change.key = mover.value(self, change.key);
            change.old = mover.value(self, change.old);
        }
        self.journal.changes = changes;
        for saved in &mut self.journal.points {
            let tables = mover.number(saved.mark.tables()) as usize;
            // Of what lay above the mark nothing is where it was.
            saved.mark = Mark { tables, closures: mover.from.closures, ..saved.mark.numbers() };
        }
    }

    fn move_tables(&mut self, mover: &mut Mover, live: &[bool]) {
        // The live ones first: where their slots begin was counted so.
        let (moves_texts, first) = (mover.from.bytes < self.content.bytes.len(), mover.from.tables());
        let mut live = (first..).zip(live).filter(|(_, is_live)| **is_live).map(|(number, _)| TableId(number));
        loop {
            let some: Vec<TableId> = live.by_ref().take(TOGETHER).collect();
            if some.is_empty() {
                break;
            }
            if moves_texts {
                self.fetch_with_texts(some.iter().map(|&id| Value::table(id, 0)));
            }
            for id in some {
                let Some(&(mut table)) = self.tables.get(id.0 as usize) else { continue };
                mover.slots(self, &mut table, false);
                mover.dictionary(self, &mut table, false);
                mover.room.tables.push(table);
            }
        }
        let mut moved = core::mem::take(&mut self.moved);
        moved.sort_unstable_by_key(|id| id.0);
        moved.dedup();
        for id in moved {
            if (id.0 as usize) < mover.from.tables
                && let Some(&table) = self.tables.get(id.0 as usize)
            {
                let table = self.move_older(mover, table);
                if let Some(place) = self.tables.get_mut(id.0 as usize) {
                    *place = table;
                }
            }
        }
    }

    /// Moves what of an older table lies above the mark.
    fn move_older(&mut self, mover: &mut Mover, mut table: Table) -> Table {
        if table.start as usize + table.capacity as usize > mover.from.slots {
            mover.slots(self, &mut table, true);
        }
        if let Form::Dictionary(number) = table.form
            && number as usize >= mover.from.dictionaries
        {
            mover.dictionary(self, &mut table, true);
        }
        table
    }

    /// Puts what moved behind what stayed.
    fn settle_in(&mut self, Mover { from, mut room }: Mover) -> Room {
        self.rewind(from);
        self.content.bytes.extend_from_slice(&room.bytes);
        self.content.wides.extend_from_slice(&room.wides);
        self.slots.extend_from_slice(&room.slots);
        self.tables.extend_from_slice(&room.tables);
        self.dictionaries.append(&mut room.dictionaries);
        room.clear();
        self.journal.all_collected();
        self.watermark = self.mark();
        self.watch_older();
        room
    }
}
