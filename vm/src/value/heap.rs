//! The heap: one arena for everything that does not fit a value's two words.
//!
//! Nothing is counted or collected: a heap grows until it is rewound to a [`Mark`] or dropped.

use super::key::{Key, KeyFault};
use super::shape::{ShapeId, Shapes, fold};
use super::table::{Dictionary, Entries, Form, Table, TableId};
use super::{Kind, SHORT_STRING, Span, Tag, Value};
use crate::number::{Fixed, Number};

pub struct Heap {
    /// Long strings and bytes, end to end.
    content: Vec<u8>,
    /// Coefficients beyond a word, and fixed-point numbers.
    wides: Vec<i128>,
    slots: Vec<Value>,
    tables: Vec<Table>,
    dictionaries: Vec<Dictionary>,
    /// Room for the entries of tables that are being decoded.
    pub(crate) pending: Vec<Value>,
    pub(crate) shapes: Shapes,
    seed: u64,
}

/// A point to rewind to: what was made later is forgotten. Shapes stay, they are keys and no values.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    content: usize,
    wides: usize,
    slots: usize,
    tables: usize,
    dictionaries: usize,
}

impl Heap {
    /// An empty heap. The seed only spreads in-memory hashes and can't be observed in any result:
    /// a host gives a random one against crafted keys, tests give two.
    #[must_use]
    pub fn new(seed: u64) -> Heap {
        Heap {
            content: Vec::new(),
            wides: Vec::new(),
            slots: Vec::new(),
            tables: Vec::new(),
            dictionaries: Vec::new(),
            pending: Vec::new(),
            shapes: Shapes::new(seed),
            seed,
        }
    }

    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark {
            content: self.content.len(),
            wides: self.wides.len(),
            slots: self.slots.len(),
            tables: self.tables.len(),
            dictionaries: self.dictionaries.len(),
        }
    }

    /// Forgets all that was made since `mark`; values made since then mean nothing afterwards.
    pub fn rewind(&mut self, mark: Mark) {
        self.content.truncate(mark.content);
        self.wides.truncate(mark.wides);
        self.slots.truncate(mark.slots);
        self.tables.truncate(mark.tables);
        self.dictionaries.truncate(mark.dictionaries);
    }

    // Making values.

    pub fn number(&mut self, number: Number) -> Value {
        Value::small_number(number).unwrap_or_else(|| {
            self.wides.push(number.coefficient());
            Value::wide_number(self.wides.len() as u64 - 1, number.scale())
        })
    }

    pub fn fixed(&mut self, fixed: Fixed) -> Value {
        self.wides.push(fixed.to_bits());
        Value::fixed_at(self.wides.len() as u64 - 1)
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
        let hash = self.hash_bytes(text);
        Value::long_string(hash, self.keep(text))
    }

    /// Bytes, which no operation takes for a string.
    ///
    /// # Panics
    /// As [`Heap::string`].
    pub fn bytes(&mut self, bytes: &[u8]) -> Value {
        Value::bytes_at(self.keep(bytes))
    }

    fn keep(&mut self, content: &[u8]) -> Span {
        assert!(content.len() <= Span::LONGEST, "callers keep the limit on strings");
        let span = Span::new(self.content.len(), content.len());
        self.content.extend_from_slice(content);
        span
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
            self.insert(&mut dictionary, key, value);
        }
        Ok(self.table_of(dictionary))
    }

    /// A set.
    ///
    /// # Errors
    /// Where a member is of a kind that can't be one.
    pub fn set(&mut self, members: &[Value]) -> Result<Value, KeyFault> {
        let mut members = members.iter().map(|&member| self.normal_key(member)).collect::<Result<Vec<_>, _>>()?;
        members.sort_by(|&a, &b| self.order(a, b));
        members.dedup_by(|a, b| self.is_same_key(*a, *b));
        Ok(self.push_table(Form::Set, &members))
    }

    /// The best form for a map that was gathered by key.
    pub(crate) fn table_of(&mut self, dictionary: Dictionary) -> Value {
        if let Some(items) = self.as_sequence(&dictionary) {
            return self.list(&items);
        }
        let mut shape = Some(ShapeId::EMPTY);
        for &(key, _) in &dictionary.entries {
            shape = match shape {
                Some(shape) if key.tag() == Tag::ShortString => self.shapes.step(shape, key),
                _ => None,
            };
        }
        match shape {
            Some(shape) => {
                let values: Vec<Value> = dictionary.entries.iter().map(|&(_, value)| value).collect();
                self.push_table(Form::Record(shape), &values)
            }
            None => self.push_dictionary(dictionary),
        }
    }

    /// The values in order, where the keys are exactly 1 to n with n at least 1.
    fn as_sequence(&self, dictionary: &Dictionary) -> Option<Vec<Value>> {
        if dictionary.entries.is_empty() {
            return None;
        }
        let count = i64::try_from(dictionary.entries.len()).ok()?;
        (1..=count).map(|position| self.lookup(dictionary, Value::integer(position))).collect()
    }

    // Making tables out of their parts.

    /// A table over a copy of `entries`, which must suit the form.
    ///
    /// # Panics
    /// If the heap passes 2³² slots, 64 GiB: the limit on memory stands far below.
    pub(crate) fn push_table(&mut self, form: Form, entries: &[Value]) -> Value {
        let narrow = |wide: usize| u32::try_from(wide).expect("the memory limit keeps slots below 2^32");
        let table = Table { form, start: narrow(self.slots.len()), count: narrow(entries.len()) };
        let id = TableId(narrow(self.tables.len()));
        self.slots.extend_from_slice(entries);
        self.tables.push(table);
        Value::table(id)
    }

    pub(crate) fn push_dictionary(&mut self, dictionary: Dictionary) -> Value {
        let number = u32::try_from(self.dictionaries.len()).unwrap_or(u32::MAX);
        let count = dictionary.entries.len();
        self.dictionaries.push(dictionary);
        let id = self.push_table(Form::Dictionary(number), &[]);
        if let Some(table) = self.tables.last_mut() {
            table.count = u32::try_from(count).unwrap_or(u32::MAX);
        }
        id
    }

    /// Puts an entry into a dictionary that is being gathered; true where the key is new.
    pub(crate) fn insert(&self, dictionary: &mut Dictionary, key: Value, value: Value) -> bool {
        let hash = self.hash_key(key);
        let Dictionary { entries, index } = dictionary;
        let at = |number: &u32| entries.get(*number as usize).map_or(Value::NIL, |entry| entry.0);
        if let Some(&found) = index.find(hash, |number| self.is_same_key(at(number), key)) {
            if let Some(entry) = entries.get_mut(found as usize) {
                entry.1 = value;
            }
            return false;
        }
        let number = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        index.insert_unique(hash, number, |number| self.hash_key(at(number)));
        entries.push((key, value));
        true
    }

    pub(crate) fn lookup(&self, dictionary: &Dictionary, key: Value) -> Option<Value> {
        let entry = |number: &u32| dictionary.entries.get(*number as usize);
        let same = |number: &u32| entry(number).is_some_and(|entry| self.is_same_key(entry.0, key));
        dictionary.index.find(self.hash_key(key), same).and_then(entry).map(|entry| entry.1)
    }

    // Reading values.

    #[must_use]
    pub fn kind(&self, value: Value) -> Kind {
        match value.tag() {
            Tag::Nil => Kind::Nil,
            Tag::Bool => Kind::Bool,
            Tag::Number | Tag::WideNumber => Kind::Number,
            Tag::Float => Kind::Float,
            Tag::Fixed => Kind::Fixed,
            Tag::ShortString | Tag::LongString => Kind::String,
            Tag::Bytes => Kind::Bytes,
            Tag::Table => match self.table(value).map(|table| table.form) {
                Some(Form::List) => Kind::List,
                Some(Form::Set) => Kind::Set,
                Some(Form::Record(_) | Form::Dictionary(_)) | None => Kind::Map,
            },
        }
    }

    #[must_use]
    pub fn as_number(&self, value: Value) -> Option<Number> {
        let coefficient = match value.tag() {
            Tag::Number => i128::from(value.body().cast_signed()),
            Tag::WideNumber => self.wide(value),
            Tag::Nil
            | Tag::Bool
            | Tag::Float
            | Tag::Fixed
            | Tag::ShortString
            | Tag::LongString
            | Tag::Bytes
            | Tag::Table => return None,
        };
        Number::new(coefficient, u32::from(value.second_byte())).ok()
    }

    #[must_use]
    pub fn as_fixed(&self, value: Value) -> Option<Fixed> {
        (value.tag() == Tag::Fixed).then(|| Fixed::from_bits(self.wide(value)))
    }

    fn wide(&self, value: Value) -> i128 {
        usize::try_from(value.body()).ok().and_then(|index| self.wides.get(index)).copied().unwrap_or_default()
    }

    /// The bytes of a string.
    #[must_use]
    pub fn as_string<'a>(&'a self, value: &'a Value) -> Option<&'a [u8]> {
        match value.tag() {
            Tag::ShortString => Some(value.short_bytes()),
            Tag::LongString => Some(self.span(*value)),
            Tag::Number
            | Tag::Nil
            | Tag::Bool
            | Tag::WideNumber
            | Tag::Float
            | Tag::Fixed
            | Tag::Bytes
            | Tag::Table => None,
        }
    }

    #[must_use]
    pub fn as_bytes(&self, value: Value) -> Option<&[u8]> {
        (value.tag() == Tag::Bytes).then(|| self.span(value))
    }

    fn span(&self, value: Value) -> &[u8] {
        self.content.get(Span::of(value).range()).unwrap_or_default()
    }

    pub(crate) fn table(&self, value: Value) -> Option<Table> {
        self.tables.get(value.as_table()?.0 as usize).copied()
    }

    pub(crate) fn slots_of(&self, table: Table) -> &[Value] {
        self.slots.get(table.slots()).unwrap_or_default()
    }

    pub(crate) fn dictionary_entries(&self, number: u32) -> &[(Value, Value)] {
        self.dictionaries.get(number as usize).map_or(&[], |dictionary| &dictionary.entries)
    }

    /// How many entries a list, map or set has, null ones included.
    #[must_use]
    pub fn count(&self, value: Value) -> Option<usize> {
        Some(self.table(value)?.count as usize)
    }

    /// The items of a list or the members of a set, in order.
    #[must_use]
    pub fn items(&self, value: Value) -> Option<&[Value]> {
        let table = self.table(value)?;
        matches!(table.form, Form::List | Form::Set).then(|| self.slots_of(table))
    }

    /// The entries of a list or map in canonical order of their keys.
    #[must_use]
    pub fn entries(&self, value: Value) -> Option<Entries> {
        let table = self.table(value)?;
        match table.form {
            Form::Set => None,
            Form::List => Some((1..).map(Value::integer).zip(self.slots_of(table).iter().copied()).collect()),
            Form::Record(shape) => {
                let shape = self.shapes.get(shape);
                let slots = self.slots_of(table);
                let entry =
                    |&slot: &u8| Some((shape.fields.get(usize::from(slot))?.key, *slots.get(usize::from(slot))?));
                Some(shape.text_order.iter().filter_map(entry).collect())
            }
            Form::Dictionary(number) => {
                let mut entries = self.dictionary_entries(number).to_vec();
                entries.sort_by(|a, b| self.order(a.0, b.0));
                Some(entries)
            }
        }
    }

    /// The value at a key of a list or map; `None` where the key is absent.
    #[must_use]
    pub fn get(&self, table: Value, key: Value) -> Option<Value> {
        let table = self.table(table)?;
        match table.form {
            Form::Set => None,
            Form::List => {
                let position = self.as_number(key)?.to_i64()?;
                self.slots_of(table).get(usize::try_from(position.checked_sub(1)?).ok()?).copied()
            }
            Form::Record(shape) => {
                let fields = &self.shapes.get(shape).fields;
                let slot = fields.iter().position(|field| self.is_same_key(field.key, key))?;
                self.slots_of(table).get(slot).copied()
            }
            Form::Dictionary(number) => self.lookup(self.dictionaries.get(number as usize)?, key),
        }
    }

    // Keys.

    /// The value as a key, in its one form.
    ///
    /// # Errors
    /// Where it can't be a key.
    pub fn as_key<'a>(&'a self, value: &'a Value) -> Result<Key<'a>, KeyFault> {
        match value.tag() {
            Tag::Bool => Ok(Key::Bool(value.body() == 1)),
            Tag::Number | Tag::WideNumber => self.as_number(*value).map(Key::Number).ok_or(KeyFault::Kind),
            Tag::Float => value.as_float().map_or(Err(KeyFault::Kind), Key::from_float),
            Tag::Fixed => self.as_fixed(*value).map(Key::from_fixed).ok_or(KeyFault::Kind),
            Tag::ShortString | Tag::LongString => self.as_string(value).map(Key::String).ok_or(KeyFault::Kind),
            Tag::Nil | Tag::Bytes | Tag::Table => Err(KeyFault::Kind),
        }
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
        match self.as_key(&value)? {
            Key::Number(number) if matches!(value.tag(), Tag::Float | Tag::Fixed) => Ok(self.number(number)),
            Key::Float(float) => Ok(Value::float(float)),
            Key::Bool(_) | Key::Number(_) | Key::Fixed(_) | Key::String(_) => Ok(value),
        }
    }

    /// Whether two keys in their one form are the same.
    pub(crate) fn is_same_key(&self, a: Value, b: Value) -> bool {
        if a.tag() != b.tag() {
            return false;
        }
        match a.tag() {
            Tag::WideNumber => a.second_byte() == b.second_byte() && self.wide(a) == self.wide(b),
            Tag::Fixed => self.wide(a) == self.wide(b),
            Tag::LongString => a.long_string_hash() == b.long_string_hash() && self.span(a) == self.span(b),
            Tag::Number | Tag::Nil | Tag::Bool | Tag::Float | Tag::ShortString | Tag::Bytes | Tag::Table => {
                a.is_same_words(b)
            }
        }
    }

    fn hash_key(&self, key: Value) -> u64 {
        match key.tag() {
            Tag::WideNumber | Tag::Fixed => {
                let wide = self.wide(key);
                fold(self.seed, wide as u64, (wide >> 64) as u64)
            }
            Tag::LongString => fold(self.seed, u64::from(key.long_string_hash()), 1),
            Tag::Number | Tag::Nil | Tag::Bool | Tag::Float | Tag::ShortString | Tag::Bytes | Tag::Table => {
                let window = key.window();
                fold(self.seed, window as u64, (window >> 64) as u64)
            }
        }
    }

    fn hash_bytes(&self, bytes: &[u8]) -> u32 {
        let (chunks, rest) = bytes.as_chunks::<16>();
        let mut hash = self.seed ^ bytes.len() as u64;
        for chunk in chunks {
            let window = u128::from_le_bytes(*chunk);
            hash = fold(hash, window as u64, (window >> 64) as u64);
        }
        // The last sixteen bytes once more instead of the odd rest: no short loads.
        let tail = bytes.last_chunk::<16>().map_or(0, |last| u128::from_le_bytes(*last));
        if !rest.is_empty() {
            hash = fold(hash, tail as u64, (tail >> 64) as u64);
        }
        if bytes.len() < 16 {
            hash = bytes.iter().fold(hash, |hash, &byte| fold(hash, u64::from(byte), 1));
        }
        (hash >> 32) as u32
    }
}
