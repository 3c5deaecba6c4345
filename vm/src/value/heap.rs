//! The heap: one arena for everything that does not fit a value's two words.
//!
//! Nothing is counted, and nothing is collected unbidden: a heap grows until it is rewound to a [`Mark`] or a
//! [`super::Point`], or its owner, between two steps, has it collected.

use super::change::FEWEST_SLOTS;
use super::closure::Closure;
use super::collect::Room;
use super::content::Content;
use super::dictionary::Dictionary;
use super::journal::Journal;
use super::key::{Key, KeyFault};
use super::met::Met;
use super::shape::{ShapeId, Shapes};
use super::table::{Form, Table, TableId};
use super::{SHORT_STRING, Span, Tag, Value};
use crate::number::{Fixed, Number};

pub struct Heap {
    pub(super) content: Content,
    pub(super) slots: Vec<Value>,
    pub(super) tables: Vec<Table>,
    pub(super) dictionaries: Vec<Dictionary>,
    pub(super) closures: Vec<Closure>,
    /// Room for the entries of tables that are being decoded.
    pub(super) pending: Vec<Value>,
    pub(super) shapes: Shapes,
    pub(super) journal: Journal,
    /// Tables with lower numbers are older than the last point or collection: changes of them are logged.
    pub(super) watched: u32,
    /// Watched tables that are read-only.
    pub(super) frozen: core::ops::Range<u32>,
    /// What the last collection left: everything below is old.
    pub(super) watermark: Mark,
    /// How many of the next collections of the young leave texts where they lie.
    pub(super) rests: u8,
    /// Old tables that have moved above the watermark, wholly or in part.
    pub(super) moved: Vec<TableId>,
    pub(super) room: Room,
    /// Whether functions were made since this was last cleared.
    pub(super) has_functions: bool,
    /// Whether one was put into a watched table since then.
    pub(super) keeps_functions: bool,
    pub(super) met: Met,
}

/// A point to rewind to: what was made later is forgotten. Shapes stay, they are keys and no values.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mark {
    pub(super) bytes: usize,
    pub(super) wides: usize,
    pub(super) slots: usize,
    pub(super) tables: usize,
    pub(super) dictionaries: usize,
    pub(super) closures: usize,
}

impl Mark {
    /// The same mark for numbers of tables and functions alone: nothing that they lie in is behind it.
    pub(super) const fn numbers(self) -> Mark {
        let nowhere = usize::MAX;
        Mark { bytes: nowhere, wides: nowhere, slots: nowhere, dictionaries: nowhere, ..self }
    }

    /// The number of the first table that is made after the mark.
    pub(crate) fn tables(&self) -> u32 {
        narrow(self.tables)
    }

    /// The earlier one of two marks, arena by arena.
    fn at_most(self, other: Mark) -> Mark {
        Mark {
            bytes: self.bytes.min(other.bytes),
            wides: self.wides.min(other.wides),
            slots: self.slots.min(other.slots),
            tables: self.tables.min(other.tables),
            dictionaries: self.dictionaries.min(other.dictionaries),
            closures: self.closures.min(other.closures),
        }
    }
}

/// A place in an arena.
///
/// # Panics
/// If the heap passes 2³² slots, 64 GiB: the limit on memory stands far below.
pub(super) fn narrow(wide: usize) -> u32 {
    u32::try_from(wide).expect("the memory limit keeps arenas below 2^32")
}

impl Heap {
    /// An empty heap. The seed only spreads in-memory hashes and can't be observed in any result:
    /// a host gives a random one against crafted keys, tests give two.
    #[must_use]
    pub fn new(seed: u64) -> Heap {
        Heap {
            content: Content { bytes: Vec::new(), wides: Vec::new(), seed },
            slots: Vec::new(),
            tables: Vec::new(),
            dictionaries: Vec::new(),
            closures: Vec::new(),
            pending: Vec::new(),
            shapes: Shapes::new(seed),
            journal: Journal::default(),
            watched: 0,
            frozen: 0..0,
            watermark: Mark::default(),
            rests: 0,
            moved: Vec::new(),
            room: Room::default(),
            has_functions: false,
            keeps_functions: false,
            met: Met::new(),
        }
    }

    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark {
            bytes: self.content.bytes.len(),
            wides: self.content.wides.len(),
            slots: self.slots.len(),
            tables: self.tables.len(),
            dictionaries: self.dictionaries.len(),
            closures: self.closures.len(),
        }
    }

    /// Forgets all that was made since `mark`; values made since then mean nothing afterwards.
    ///
    /// A table that is older than the mark and was changed since is not restored: its slots may be among those
    /// that were forgotten, and what it reads as is unspecified (though never a panic). Rewind only where older
    /// tables were left alone.
    pub fn rewind(&mut self, mark: Mark) {
        self.content.bytes.truncate(mark.bytes);
        self.content.wides.truncate(mark.wides);
        self.slots.truncate(mark.slots);
        self.tables.truncate(mark.tables);
        self.dictionaries.truncate(mark.dictionaries);
        self.closures.truncate(mark.closures);
        self.watermark = self.watermark.at_most(mark);
    }

    // Making values.

    pub fn number(&mut self, number: Number) -> Value {
        self.content.number(number)
    }

    pub fn fixed(&mut self, fixed: Fixed) -> Value {
        self.content.wides.push(fixed.to_bits());
        Value::fixed_at(self.content.wides.len() as u64 - 1)
    }

    /// A string of any bytes.
    ///
    /// # Panics
    /// If it is longer than 2²⁴ − 1 bytes, twice the limit on strings that every caller keeps.
    pub fn string(&mut self, text: &[u8]) -> Value {
        if text.len() <= SHORT_STRING {
            let mut window = [0; 16];
            for (to, from) in window.iter_mut().zip(text) {
                *to = *from;
            }
            return Value::short_string(u128::from_le_bytes(window), text.len());
        }
        let hash = self.content.hash_bytes(text);
        Value::long_string(hash, self.keep(text))
    }

    /// Bytes, which no operation takes for a string.
    ///
    /// # Panics
    /// As [`Heap::string`].
    pub fn bytes(&mut self, bytes: &[u8]) -> Value {
        Value::bytes_at(self.keep(bytes))
    }

    pub(super) fn keep(&mut self, content: &[u8]) -> Span {
        assert!(content.len() <= Span::LONGEST, "callers keep the limit on strings");
        let span = Span::new(self.content.bytes.len(), content.len());
        self.content.bytes.extend_from_slice(content);
        span
    }

    /// Sees that there is room for so many more bytes of content and values in tables.
    pub(crate) fn reserve(&mut self, bytes: usize, values: usize) {
        self.content.bytes.reserve(bytes);
        self.slots.reserve(values);
    }

    /// The value of a key.
    pub fn key(&mut self, key: Key<'_>) -> Value {
        match key {
            Key::Bool(value) => Value::bool(value),
            Key::Number(number) => self.number(number),
            Key::Float(float) => Value::float(float),
            Key::Fixed(fixed) => self.fixed(fixed),
            Key::String(text) => self.string(text),
        }
    }

    /// The value in the form that it has as a key.
    fn normal_key(&mut self, value: Value) -> Result<Value, KeyFault> {
        let probe = self.probe(value)?;
        Ok(self.key_of(probe))
    }

    // Making tables.

    /// An empty map.
    pub fn new_table(&mut self) -> Value {
        self.push_table(Form::Record(ShapeId::EMPTY), &[])
    }

    /// An empty map with room for a few entries.
    pub(crate) fn new_table_with_room(&mut self) -> Value {
        let (id, start) = (TableId(narrow(self.tables.len())), narrow(self.slots.len()));
        let form = Form::Record(ShapeId::EMPTY);
        self.slots.extend_from_slice(&[Value::ABSENT; FEWEST_SLOTS as usize]);
        self.tables.push(Table { form, start, capacity: FEWEST_SLOTS, used: 0, count: 0, gaps: 0, _filler: 0 });
        Value::table(id, start)
    }

    /// An empty list, which stays a list as long as nothing else is put in.
    pub fn new_list(&mut self) -> Value {
        self.push_table(Form::List, &[])
    }

    /// A list.
    pub fn list(&mut self, items: &[Value]) -> Value {
        self.push_table(Form::List, items)
    }

    /// A map, or a list where the keys are exactly 1 to n. Later entries replace earlier ones with the same key.
    ///
    /// # Errors
    /// Where a key is of a kind that can't be one.
    pub fn map(&mut self, entries: &[(Value, Value)]) -> Result<Value, KeyFault> {
        let mut dictionary = Dictionary::default();
        for &(key, value) in entries {
            let key = self.normal_key(key)?;
            dictionary.insert(&self.content, key, value);
        }
        Ok(self.table_of(dictionary))
    }

    /// A set of members.
    ///
    /// # Errors
    /// Where a member is of a kind that can't be one.
    pub fn new_set(&mut self, members: &[Value]) -> Result<Value, KeyFault> {
        let mut members = members.iter().map(|&member| self.normal_key(member)).collect::<Result<Vec<_>, _>>()?;
        members.sort_by(|&a, &b| self.order(a, b));
        members.dedup_by(|a, b| self.is_same_key(*a, *b));
        Ok(self.push_table(Form::Set, &members))
    }

    /// A set of keys that ascend in canonical order, each in its one form.
    pub(crate) fn sorted_set(&mut self, members: &[Value]) -> Value {
        self.push_table(Form::Set, members)
    }

    /// The best form for a map that was gathered by key.
    fn table_of(&mut self, dictionary: Dictionary) -> Value {
        let mut shape = Some(ShapeId::EMPTY);
        // In the order that no seed decides.
        let mut entries: Vec<(Value, Value)> = dictionary.entries().collect();
        entries.sort_unstable_by(|a, b| self.order(a.0, b.0));
        for &(key, _) in &entries {
            shape = match shape {
                Some(shape) if key.tag() == Tag::ShortString => self.shapes.step(shape, key),
                _ => None,
            };
        }
        match shape {
            Some(shape) => {
                let values: Vec<Value> = entries.iter().map(|&(_, value)| value).collect();
                self.push_table(Form::Record(shape), &values)
            }
            None => self.push_dictionary(dictionary),
        }
    }

    /// A table over a copy of `entries`, which must suit the form.
    pub(super) fn push_table(&mut self, form: Form, entries: &[Value]) -> Value {
        let count = narrow(entries.len());
        let gaps = match form {
            Form::List => narrow(entries.iter().filter(|value| value.is_nil()).count()),
            Form::Record(_) | Form::Dictionary(_) | Form::Set => 0,
        };
        let start = narrow(self.slots.len());
        let table = Table { form, start, capacity: count, used: count, count, gaps, _filler: 0 };
        let id = TableId(narrow(self.tables.len()));
        self.slots.extend_from_slice(entries);
        self.tables.push(table);
        Value::table(id, table.start)
    }

    /// A table of entries that were gathered by key.
    pub(super) fn push_dictionary(&mut self, dictionary: Dictionary) -> Value {
        let count = narrow(dictionary.count());
        let id = TableId(narrow(self.tables.len()));
        let value = self.push_table(Form::Dictionary(narrow(self.dictionaries.len())), &[]);
        self.dictionaries.push(dictionary);
        if let Some(table) = self.tables.last_mut() {
            table.count = count;
        }
        self.settle(id);
        value
    }
}
