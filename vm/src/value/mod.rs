//! Values: what programs compute with, encodings carry and rows hold.
//!
//! A [`Value`] is two words. Integers, decimals, floats and strings of up to 14 bytes lie in them whole;
//! everything else is a place in a [`Heap`], which alone can read it.

mod ahead;
mod change;
mod closure;
mod collect;
mod content;
mod dictionary;
mod gather;
mod heap;
mod journal;
mod key;
mod met;
mod near;
mod order;
mod read;
mod shape;
mod table;
mod text;

pub use collect::Extent;
pub use heap::{Heap, Mark};
pub use journal::{Changed, Point};
pub use key::{Key, KeyFault};
pub use shape::RECORD_KEYS;
pub(crate) use table::TableId;
pub use table::{Entries, TableFault};

pub(crate) use ahead::TOGETHER;
pub(crate) use gather::{Fields, Gather, Items};
pub(crate) use near::{FieldPlace, Wrote};
pub(crate) use shape::{FieldText, Shape, low_bytes};
pub(crate) use table::Layout;

use crate::number::{Float, Number};

/// What a value is, as users see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Nil,
    Bool,
    Number,
    Float,
    Fixed,
    String,
    Bytes,
    List,
    Map,
    Set,
    Function,
}

impl Kind {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Nil => "nil",
            Kind::Bool => "bool",
            Kind::Number => "number",
            Kind::Float => "float",
            Kind::Fixed => "fixed",
            Kind::String => "string",
            Kind::Bytes => "bytes",
            Kind::List => "list",
            Kind::Map => "map",
            Kind::Set => "set",
            Kind::Function => "function",
        }
    }
}

/// What the first byte of a value says. Number is 0, so that one OR tests two operands for integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Tag {
    Number = 0,
    Nil = 1,
    Bool = 2,
    WideNumber = 3,
    Float = 4,
    Fixed = 5,
    ShortString = 6,
    LongString = 7,
    Bytes = 8,
    Table = 9,
    Function = 10,
    Closure = 11,
}

impl Tag {
    const fn of(byte: u8) -> Tag {
        match byte {
            0 => Tag::Number,
            1 => Tag::Nil,
            2 => Tag::Bool,
            3 => Tag::WideNumber,
            4 => Tag::Float,
            5 => Tag::Fixed,
            6 => Tag::ShortString,
            7 => Tag::LongString,
            8 => Tag::Bytes,
            9 => Tag::Table,
            10 => Tag::Function,
            _ => Tag::Closure,
        }
    }
}

/// A bit of the first word that values which lie in the heap leave free.
const FORWARDED: u64 = (1_u64 << 16).to_le();

/// The longest string that lies in the value itself.
pub(crate) const SHORT_STRING: usize = 14;

/// A value: two words, cheap to copy, meaningful with the heap that made it.
///
/// The first word's bytes, in memory order on every processor: tag, then scale or length, then content.
/// So a short string is a slice of the value itself, big endian or little.
// Two fields, not an array: so the compiler keeps a value in two registers of the processor.
#[derive(Clone, Copy, bytemuck::NoUninit)]
#[repr(C)]
pub struct Value {
    head: u64,
    body: u64,
}

impl Value {
    pub const NIL: Value = Value::with(Tag::Nil, 0, 0);
    /// What a slot holds where its key is absent: nil with a mark that no value has.
    pub(crate) const ABSENT: Value = Value::with(Tag::Nil, 1, 0);
    pub const FALSE: Value = Value::with(Tag::Bool, 0, 0);
    pub const TRUE: Value = Value::with(Tag::Bool, 0, 1);

    const fn with(tag: Tag, extra: u64, body: u64) -> Value {
        Value { head: (tag as u64 | (extra << 8)).to_le(), body }
    }

    #[must_use]
    pub const fn bool(value: bool) -> Value {
        Value::with(Tag::Bool, 0, value as u64)
    }

    #[must_use]
    pub const fn integer(value: i64) -> Value {
        Value { head: 0, body: value.cast_unsigned() }
    }

    #[must_use]
    pub const fn float(value: Float) -> Value {
        Value::with(Tag::Float, 0, value.to_bits())
    }

    /// A decimal whose coefficient fits a word; it must be in lowest terms.
    pub(crate) const fn decimal(coefficient: i64, scale: u32) -> Value {
        Value::with(Tag::Number, scale as u64, coefficient.cast_unsigned())
    }

    pub(crate) const fn wide_number(index: u64, scale: u32) -> Value {
        Value::with(Tag::WideNumber, scale as u64, index)
    }

    pub(crate) const fn fixed_at(index: u64) -> Value {
        Value::with(Tag::Fixed, 0, index)
    }

    /// A string of at most [`SHORT_STRING`] bytes out of the low bytes of `window`; what lies above them is ignored.
    pub(crate) const fn short_string(window: u128, length: usize) -> Value {
        let content = window & ((1_u128 << (8 * length)) - 1);
        let all = (content << 16) | ((length as u128) << 8) | Tag::ShortString as u128;
        Value { head: (all as u64).to_le(), body: ((all >> 64) as u64).to_le() }
    }

    /// A string of at most [`SHORT_STRING`] bytes that is known while compiling.
    pub(crate) const fn short_text(text: &str) -> Value {
        let (mut rest, mut window, mut shift) = (text.as_bytes(), 0_u128, 0);
        while let [first, behind @ ..] = rest {
            window |= (*first as u128) << shift;
            shift += 8;
            rest = behind;
        }
        Value::short_string(window, text.len())
    }

    pub(crate) const fn long_string(hash: u32, span: Span) -> Value {
        Value::with(Tag::LongString, (hash as u64) << 24, span.0)
    }

    pub(crate) const fn bytes_at(span: Span) -> Value {
        Value::with(Tag::Bytes, 0, span.0)
    }

    /// A table, with where its slots begin as far as is known. That is no part of what the value is: it only lets a
    /// processor read a slot without waiting for the table, which says whether it was right.
    pub(crate) const fn table(id: TableId, start: u32) -> Value {
        Value::with(Tag::Table, (start as u64) << 24, id.0 as u64)
    }

    /// Where the slots of a table began when the value was made.
    #[inline(always)]
    pub(crate) const fn start(self) -> u32 {
        (u64::from_le(self.head) >> 32) as u32
    }

    pub(crate) const fn tag(self) -> Tag {
        Tag::of(u64::from_le(self.head) as u8)
    }

    /// A function of the module that keeps nothing.
    pub(crate) const fn function(index: u32) -> Value {
        Value::with(Tag::Function, 0, index as u64)
    }

    pub(crate) const fn closure_at(index: u32) -> Value {
        Value::with(Tag::Closure, 0, index as u64)
    }

    pub(crate) const fn body(self) -> u64 {
        self.body
    }

    /// Scale of a number, length of a short string.
    pub(crate) const fn second_byte(self) -> u8 {
        (u64::from_le(self.head) >> 8) as u8
    }

    pub(crate) const fn long_string_hash(self) -> u32 {
        (u64::from_le(self.head) >> 32) as u32
    }

    /// How many bytes a string has that does not fit the value itself.
    pub(crate) fn long_string_length(self) -> Option<usize> {
        if matches!(self.tag(), Tag::LongString) { Some(Span::of(self).range().len()) } else { None }
    }

    /// The whole value as its sixteen bytes in memory order, the tag lowest.
    pub(crate) const fn window(self) -> u128 {
        u64::from_le(self.head) as u128 | ((u64::from_le(self.body) as u128) << 64)
    }

    pub(crate) const fn from_window(window: u128) -> Value {
        Value { head: (window as u64).to_le(), body: ((window >> 64) as u64).to_le() }
    }

    /// The content of a short string.
    pub(crate) fn short_bytes(&self) -> &[u8] {
        let all: &[u8] = bytemuck::bytes_of(self);
        all.get(2..2 + usize::from(self.second_byte())).unwrap_or_default()
    }

    /// A number by which short strings are in bytewise order: their content, and then their length.
    pub(crate) const fn short_order(self) -> u128 {
        (self.window() >> 16).swap_bytes() | self.second_byte() as u128
    }

    /// The value with another second word.
    pub(crate) const fn with_body(self, body: u64) -> Value {
        Value { head: self.head, body }
    }

    /// The value with a mark that a collection sets for a while on what lies in the heap.
    pub(crate) const fn forwarded(self) -> Value {
        Value { head: self.head | FORWARDED, body: self.body }
    }

    pub(crate) const fn unforwarded(self) -> Value {
        Value { head: self.head & !FORWARDED, body: self.body }
    }

    pub(crate) const fn is_forwarded(self) -> bool {
        self.head & FORWARDED != 0
    }

    /// Whether both are the same table.
    #[must_use]
    pub const fn is_same_table(self, other: Value) -> bool {
        matches!((self.tag(), other.tag()), (Tag::Table, Tag::Table)) && self.body as u32 == other.body as u32
    }

    /// Whether both values are the same words: identity of what is no table, not equality.
    #[must_use]
    pub const fn is_same_words(self, other: Value) -> bool {
        self.head == other.head && self.body == other.body
    }

    pub(crate) const fn is_short_string(self) -> bool {
        matches!(self.tag(), Tag::ShortString)
    }

    pub(crate) const fn is_string(self) -> bool {
        matches!(self.tag(), Tag::ShortString | Tag::LongString)
    }

    /// Whether the value is a key in its one form as it stands.
    pub(crate) const fn is_plain_key(self) -> bool {
        matches!(self.tag(), Tag::Number | Tag::WideNumber | Tag::Bool | Tag::ShortString | Tag::LongString)
    }

    #[must_use]
    pub const fn is_nil(self) -> bool {
        matches!(self.tag(), Tag::Nil)
    }

    pub(crate) const fn is_absent(self) -> bool {
        self.head == Value::ABSENT.head
    }

    /// The value as an integer, where it is one that fits a word.
    #[must_use]
    pub const fn as_i64(self) -> Option<i64> {
        if self.head == 0 { Some(self.body.cast_signed()) } else { None }
    }

    /// A copy, read word by word: to read both words at once would wait for the two stores that wrote them lately.
    /// The test is what keeps the compiler from joining the two.
    #[inline(always)]
    pub(crate) fn copied(&self) -> Value {
        let head = self.head;
        if head == NO_HEAD {
            no_value();
        }
        Value { head, body: self.body }
    }

    /// Whether a condition holds: everything but nil and false.
    #[inline(always)]
    pub(crate) const fn is_true(self) -> bool {
        !self.is_nil() && !matches!(self.as_bool(), Some(false))
    }

    /// Whether both are integers that fit a word.
    #[inline(always)]
    pub(crate) const fn are_integers(a: Value, b: Value) -> bool {
        a.head | b.head == 0
    }

    /// Whether both are floats.
    #[inline(always)]
    pub(crate) const fn are_floats(a: Value, b: Value) -> bool {
        a.is_float() && b.is_float()
    }

    #[inline(always)]
    pub(crate) const fn is_float(self) -> bool {
        self.head == Value::float(Float::ZERO).head
    }

    /// Coefficient and scale of an exact number that fits the value itself.
    #[inline(always)]
    pub(crate) const fn as_decimal(self) -> Option<(i64, u32)> {
        if matches!(self.tag(), Tag::Number) {
            Some((self.body.cast_signed(), self.second_byte() as u32))
        } else {
            None
        }
    }

    /// A float by its bits, whatever NaN they are: it is read as the one NaN.
    #[inline(always)]
    pub(crate) const fn float_of_bits(bits: u64) -> Value {
        Value::with(Tag::Float, 0, bits)
    }

    #[must_use]
    pub const fn as_bool(self) -> Option<bool> {
        if matches!(self.tag(), Tag::Bool) { Some(self.body == 1) } else { None }
    }

    #[must_use]
    pub const fn as_float(self) -> Option<Float> {
        if matches!(self.tag(), Tag::Float) { Some(Float::from_bits(self.body)) } else { None }
    }

    pub(crate) const fn as_table(self) -> Option<TableId> {
        if matches!(self.tag(), Tag::Table) { Some(TableId(self.body as u32)) } else { None }
    }

    /// An exact number that fits the value itself.
    pub(crate) fn small_number(number: Number) -> Option<Value> {
        let coefficient = i64::try_from(number.coefficient()).ok()?;
        Some(Value::decimal(coefficient, number.scale()))
    }
}

/// A first word that no value has: its lowest byte is no tag.
const NO_HEAD: u64 = u64::MAX;

#[cold]
#[inline(never)]
fn no_value() -> ! {
    unreachable!("every value has a tag")
}

/// Where content lies in the heap's bytes: 40 bits of offset, 24 of length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span(u64);

impl Span {
    pub(crate) const LONGEST: usize = (1 << 24) - 1;

    pub(crate) const fn new(offset: usize, length: usize) -> Span {
        Span(((offset as u64) << 24) | length as u64)
    }

    pub(crate) const fn of(value: Value) -> Span {
        Span(value.body())
    }

    pub(crate) const fn body(self) -> u64 {
        self.0
    }

    pub(crate) const fn range(self) -> core::ops::Range<usize> {
        let offset = (self.0 >> 24) as usize;
        offset..offset + (self.0 & Span::LONGEST as u64) as usize
    }
}
