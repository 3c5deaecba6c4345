//! The strict reader: walks one item and hands what it finds to a sink, in one pass.
//!
//! Decoding and checking are the same walk with different sinks, so they can't disagree about what is canonical.

use super::{FALSE, FLOAT_16, FLOAT_32, FLOAT_64, NAN_16, NULL, TRUE, major, tag};
use crate::encoding::{Budget, Options, Stop, Strings, text};
use crate::number::{Fixed, Float, Number, NumberFault};
use crate::refusal::{Code, Refusal};
use crate::value::{Key, KeyFault, SHORT_STRING, low_bytes};
use core::cmp::Ordering;
use core::ops::Range;

/// What becomes of the values that are read.
pub(super) trait Sink {
    /// A finished value.
    type Node: Copy;
    /// A list or set under way.
    type Items;
    /// A map under way.
    type Fields;

    fn nil(&mut self) -> Self::Node;
    fn bool(&mut self, value: bool) -> Self::Node;
    fn integer(&mut self, value: i64) -> Self::Node;
    fn number(&mut self, number: Number) -> Self::Node;
    fn float(&mut self, float: Float) -> Self::Node;
    fn fixed(&mut self, fixed: Fixed) -> Self::Node;
    fn string(&mut self, content: &[u8]) -> Self::Node;
    /// A string of at most 14 bytes, in the low bytes of `window`.
    fn short_string(&mut self, window: u128, length: usize) -> Self::Node;
    fn bytes(&mut self, content: &[u8]) -> Self::Node;
    fn key(&mut self, key: Key<'_>) -> Self::Node;

    /// Whether tables may be referred to by number, as in a snapshot of state.
    fn has_links(&self) -> bool {
        false
    }
    /// The table of a number, where it may be referred to here.
    fn link(&mut self, _: u64) -> Option<Self::Node> {
        None
    }

    fn begin_items(&mut self, count: usize) -> Self::Items;
    fn item(&mut self, items: &mut Self::Items, node: Self::Node);
    fn list(&mut self, items: Self::Items) -> Self::Node;
    fn set(&mut self, items: Self::Items) -> Self::Node;

    fn begin_fields(&mut self, count: usize) -> Self::Fields;
    /// The length of the next key's encoding, where the sink knows that what `window` begins with is canonical text
    /// that follows the map's last key in order.
    fn predict(&mut self, fields: &mut Self::Fields, window: u128) -> Option<usize>;
    fn field(&mut self, fields: &mut Self::Fields, key: Key<'_>);
    fn value(&mut self, fields: &mut Self::Fields, node: Self::Node);
    fn map(&mut self, fields: Self::Fields) -> Self::Node;
}

pub(super) struct Reader<'a> {
    input: &'a [u8],
    at: usize,
    options: &'a Options,
    budget: Budget,
    /// The longest string that is handed on as a window.
    short: usize,
}

/// Reads one document whole.
pub(super) fn document<S: Sink>(input: &[u8], options: &Options, sink: &mut S) -> Result<S::Node, Refusal> {
    let mut whole = || {
        let mut reader = Reader::new(input, options)?;
        let node = reader.item(sink, 0)?;
        reader.end()?;
        Ok(node)
    };
    whole().map_err(|stop: Stop| stop.refusal(options))
}

impl<'a> Reader<'a> {
    /// A reader at the start of a document, whose first value is taken from the budget.
    pub(super) fn new(input: &'a [u8], options: &'a Options) -> Result<Reader<'a>, Stop> {
        if input.len() > options.size {
            return Self::stop(Code::DATA_SIZE, options.size);
        }
        let mut budget = Budget { values: options.values };
        budget.take(1, 0)?;
        Ok(Reader { input, at: 0, options, budget, short: options.string.min(SHORT_STRING) })
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    pub(super) const fn end(&self) -> Result<(), Stop> {
        if self.at < self.input.len() { Self::stop(Code::DATA_TRAILING, self.at) } else { Ok(()) }
    }

    /// The head of a list and how many items it has.
    pub(super) fn list_head(&mut self, otherwise: Code) -> Result<usize, Stop> {
        let start = self.at;
        let head = self.byte()?;
        if head & 0xe0 == major::ARRAY { self.count(head, 1) } else { Self::stop(otherwise, start) }
    }

    const fn stop<T>(code: Code, offset: usize) -> Result<T, Stop> {
        Err(Stop::new(code, offset))
    }

    fn truncated<T>(&self) -> Result<T, Stop> {
        Self::stop(Code::DATA_TRUNCATED, self.input.len())
    }

    /// The next sixteen bytes, the first lowest; zero beyond the end.
    fn window(&self) -> u128 {
        if let Some(window) = self.input.get(self.at..).and_then(|rest| rest.first_chunk::<16>()) {
            return u128::from_le_bytes(*window);
        }
        let left = self.input.len() - self.at;
        match self.input.last_chunk::<16>() {
            // Near the end the last sixteen bytes are shifted, which is faster than a copy of odd length.
            Some(last) if left > 0 => u128::from_le_bytes(*last) >> (8 * (16 - left)),
            _ => self.input.iter().skip(self.at).rev().fold(0, |window, &byte| (window << 8) | u128::from(byte)),
        }
    }

    fn byte(&mut self) -> Result<u8, Stop> {
        match self.input.get(self.at) {
            Some(&byte) => {
                self.at += 1;
                Ok(byte)
            }
            None => self.truncated(),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        match self.input.get(self.at..).and_then(|rest| rest.first_chunk::<N>()) {
            Some(bytes) => {
                self.at += N;
                Ok(*bytes)
            }
            None => self.truncated(),
        }
    }

    /// The argument of a head whose first byte was read, which must have been the shortest head for it.
    #[inline(always)]
    fn argument(&mut self, head: u8) -> Result<u64, Stop> {
        match (head & 0x1f, self.input.get(self.at)) {
            (small @ 0..=23, _) => Ok(u64::from(small)),
            (24, Some(&byte @ 24..)) => {
                self.at += 1;
                Ok(u64::from(byte))
            }
            _ => self.long_argument(head),
        }
    }

    #[inline(never)]
    fn long_argument(&mut self, head: u8) -> Result<u64, Stop> {
        let start = self.at - 1;
        let (value, least) = match head & 0x1f {
            24 => (u64::from(self.byte()?), 24),
            25 => (u64::from(u16::from_be_bytes(self.array()?)), 1 << 8),
            26 => (u64::from(u32::from_be_bytes(self.array()?)), 1 << 16),
            27 => (u64::from_be_bytes(self.array()?), 1 << 32),
            31 if head & 0xe0 != major::UNSIGNED && head & 0xe0 != major::NEGATIVE && head & 0xe0 != major::TAG => {
                return Self::stop(Code::CBOR_INDEFINITE, start);
            }
            _ => return Self::stop(Code::CBOR_HEAD, start),
        };
        if value < least { Self::stop(Code::CBOR_LONG_HEAD, start) } else { Ok(value) }
    }

    /// The content of a byte or text string whose head was read.
    #[inline]
    fn content(&mut self, head: u8) -> Result<&'a [u8], Stop> {
        let start = self.at - 1;
        let length = self.argument(head)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > self.options.string {
            return Self::stop(Code::DATA_STRING, start);
        }
        let input: &'a [u8] = self.input;
        match input.get(self.at..).and_then(|rest| rest.get(..length)) {
            Some(content) => {
                self.at += length;
                Ok(content)
            }
            None => self.truncated(),
        }
    }

    /// The content of a text string whose head was read.
    #[inline]
    fn text(&mut self, head: u8) -> Result<&'a [u8], Stop> {
        let content = self.content(head)?;
        if !content.is_ascii() {
            self.check_text(content)?;
        }
        Ok(content)
    }

    #[cold]
    fn check_text(&self, content: &[u8]) -> Result<(), Stop> {
        let start = self.at - content.len();
        match self.options.strings {
            Strings::Canonical => text::check(content).map_err(|fault| Stop::new(fault.code, start + fault.offset)),
            Strings::Verbatim => str::from_utf8(content)
                .map(|_| ())
                .map_err(|fault| Stop::new(Code::DATA_UTF8, start + fault.valid_up_to())),
        }
    }

    /// The number of entries that a head states, each of at least `width` bytes, taken from the budget.
    fn count(&mut self, head: u8, width: usize) -> Result<usize, Stop> {
        let start = self.at - 1;
        let count = self.argument(head)?;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let values = count.saturating_mul(width);
        if values > self.input.len() - self.at {
            return self.truncated();
        }
        self.budget.take(values, start)?;
        Ok(count)
    }

    pub(super) fn item<S: Sink>(&mut self, sink: &mut S, depth: usize) -> Result<S::Node, Stop> {
        let start = self.at;
        let head = self.byte()?;
        match head {
            0x00..=0x17 => Ok(sink.integer(i64::from(head))),
            0x20..=0x37 => Ok(sink.integer(-1 - i64::from(head & 0x1f))),
            0x18..=0x1f | 0x38..=0x3f => {
                let number = self.integer(head)?;
                Ok(match i64::try_from(number) {
                    Ok(integer) => sink.integer(integer),
                    Err(_) => sink.number(self.in_range(number, 0, start)?),
                })
            }
            0x40..=0x5f => Ok(sink.bytes(self.content(head)?)),
            0x60..=0x7f => self.string(sink, head),
            0x80..=0x9f => self.list(sink, head, depth),
            0xa0..=0xbf => self.map(sink, head, depth),
            0xc0..=0xdf => self.tagged(sink, head, depth),
            FALSE => Ok(sink.bool(false)),
            TRUE => Ok(sink.bool(true)),
            NULL => Ok(sink.nil()),
            FLOAT_16..=FLOAT_64 => Ok(sink.float(self.float(head)?)),
            _ => self.refuse_simple(head),
        }
    }

    fn string<S: Sink>(&mut self, sink: &mut S, head: u8) -> Result<S::Node, Stop> {
        let length = usize::from(head - major::TEXT);
        if length <= self.short && self.input.len() - self.at >= length {
            let window = self.window();
            let content = low_bytes(window, length);
            if content & 0x8080_8080_8080_8080_8080_8080_8080_8080 == 0 {
                self.at += length;
                return Ok(sink.short_string(content, length));
            }
        }
        Ok(sink.string(self.text(head)?))
    }

    fn list<S: Sink>(&mut self, sink: &mut S, head: u8, depth: usize) -> Result<S::Node, Stop> {
        let depth = self.deeper(depth)?;
        let count = self.count(head, 1)?;
        let mut items = sink.begin_items(count);
        for _ in 0..count {
            let node = self.item(sink, depth)?;
            sink.item(&mut items, node);
        }
        Ok(sink.list(items))
    }

    fn map<S: Sink>(&mut self, sink: &mut S, head: u8, depth: usize) -> Result<S::Node, Stop> {
        let start = self.at - 1;
        let depth = self.deeper(depth)?;
        let count = self.count(head, 2)?;
        let mut fields = sink.begin_fields(count);
        let mut last = 0..0;
        let mut consecutive: usize = 0;
        for position in 1..=count {
            let key_start = self.at;
            if let Some(length) = sink.predict(&mut fields, self.window()) {
                // A window is zero beyond the end, and a key may end in zeros.
                if length > self.input.len() - self.at {
                    return self.truncated();
                }
                if length > 1 + self.short {
                    return Self::stop(Code::DATA_STRING, key_start);
                }
                self.at += length;
            } else {
                let key = self.key()?;
                self.in_order(last, key_start)?;
                consecutive +=
                    usize::from(matches!(key, Key::Number(number) if number.to_i64() == i64::try_from(position).ok()));
                sink.field(&mut fields, key);
            }
            last = key_start..self.at;
            let node = self.item(sink, depth)?;
            sink.value(&mut fields, node);
        }
        if count > 0 && consecutive == count {
            return Self::stop(Code::DATA_LIST_AS_MAP, start);
        }
        Ok(sink.map(fields))
    }

    /// The key that was read from `start` must come after the one before it.
    fn in_order(&self, last: Range<usize>, start: usize) -> Result<(), Stop> {
        let [last, this] = [last, start..self.at].map(|key| self.input.get(key).unwrap_or_default());
        match last.cmp(this) {
            Ordering::Less => Ok(()),
            Ordering::Equal => Self::stop(Code::DATA_DUPLICATE_KEY, start),
            Ordering::Greater => Self::stop(Code::CBOR_KEY_ORDER, start),
        }
    }

    fn deeper(&self, depth: usize) -> Result<usize, Stop> {
        if depth >= self.options.depth { Self::stop(Code::DATA_DEPTH, self.at - 1) } else { Ok(depth + 1) }
    }

    /// A map key or set member.
    fn key(&mut self) -> Result<Key<'a>, Stop> {
        let start = self.at;
        let head = self.byte()?;
        match head {
            0x00..=0x3f => {
                let integer = self.integer(head)?;
                Ok(Key::Number(self.in_range(integer, 0, start)?))
            }
            0x60..=0x7f => Ok(Key::String(self.text(head)?)),
            FALSE => Ok(Key::Bool(false)),
            TRUE => Ok(Key::Bool(true)),
            FLOAT_16..=FLOAT_64 => {
                let float = self.float(head)?;
                match Key::from_float(float) {
                    Ok(key @ Key::Float(_)) => Ok(key),
                    Ok(_) => Self::stop(Code::DATA_KEY_NUMBER, start),
                    Err(KeyFault::Nan | KeyFault::Kind) => Self::stop(Code::DATA_KEY, start),
                }
            }
            0xc0..=0xdf => match self.argument(head)? {
                tag @ (tag::POSITIVE | tag::NEGATIVE) => Ok(Key::Number(self.large_integer(tag, start)?)),
                tag::DECIMAL => Ok(Key::Number(self.decimal(start)?)),
                tag::FIXED => match Key::from_fixed(self.fixed(start)?) {
                    key @ Key::Fixed(_) => Ok(key),
                    Key::Bool(_) | Key::Number(_) | Key::Float(_) | Key::String(_) => {
                        Self::stop(Code::DATA_KEY_NUMBER, start)
                    }
                },
                tag::RAW_STRING => Ok(Key::String(self.raw_string(start)?)),
                tag::SET => Self::stop(Code::DATA_KEY, start),
                _ => Self::stop(Code::CBOR_TAG, start),
            },
            0x40..=0x5f | 0x80..=0xbf | NULL => Self::stop(Code::DATA_KEY, start),
            _ => self.refuse_simple(head),
        }
    }

    /// An integer whose head is of major type 0 or 1.
    fn integer(&mut self, head: u8) -> Result<i128, Stop> {
        let argument = i128::from(self.argument(head)?);
        Ok(if head & 0xe0 == major::NEGATIVE { -1 - argument } else { argument })
    }

    fn in_range(&self, coefficient: i128, scale: u32, start: usize) -> Result<Number, Stop> {
        Number::new(coefficient, scale).map_err(|fault| {
            Stop::new(if fault == NumberFault::Places { Code::NUMBER_PLACES } else { Code::NUMBER_RANGE }, start)
        })
    }

    fn float(&mut self, head: u8) -> Result<Float, Stop> {
        let start = self.at - 1;
        let (float, is_nan, is_shortest) = match head {
            FLOAT_16 => {
                let bits = u16::from_be_bytes(self.array()?);
                let float = Float::from_f16_bits(bits);
                (float, float.is_nan() && bits != NAN_16, true)
            }
            FLOAT_32 => {
                let float = Float::from_f32_bits(u32::from_be_bytes(self.array()?));
                (float, float.is_nan(), float.to_f16_bits_exact().is_none())
            }
            _ => {
                let float = Float::from_bits(u64::from_be_bytes(self.array()?));
                (float, float.is_nan(), float.to_f32_bits_exact().is_none())
            }
        };
        match (is_nan, is_shortest) {
            (true, _) => Self::stop(Code::CBOR_NAN, start),
            (false, false) => Self::stop(Code::CBOR_FLOAT, start),
            (false, true) => Ok(float),
        }
    }

    fn tagged<S: Sink>(&mut self, sink: &mut S, head: u8, depth: usize) -> Result<S::Node, Stop> {
        let start = self.at - 1;
        match self.argument(head)? {
            tag @ (tag::POSITIVE | tag::NEGATIVE) => Ok(sink.number(self.large_integer(tag, start)?)),
            tag::DECIMAL => Ok(sink.number(self.decimal(start)?)),
            tag::FIXED => Ok(sink.fixed(self.fixed(start)?)),
            tag::SET => self.set(sink, start, depth),
            tag::RAW_STRING => Ok(sink.string(self.raw_string(start)?)),
            tag::TABLE if sink.has_links() => {
                let number = self.link_number(start)?;
                sink.link(number).ok_or(Stop::new(Code::STATE_FORM, start))
            }
            _ => Self::stop(Code::CBOR_TAG, start),
        }
    }

    /// The number inside the tag of a reference.
    fn link_number(&mut self, start: usize) -> Result<u64, Stop> {
        let head = self.byte()?;
        if head & 0xe0 == major::UNSIGNED { self.argument(head) } else { Self::stop(Code::CBOR_TAG_CONTENT, start) }
    }

    fn set<S: Sink>(&mut self, sink: &mut S, start: usize, depth: usize) -> Result<S::Node, Stop> {
        let head = self.byte()?;
        if head & 0xe0 != major::ARRAY {
            return Self::stop(Code::CBOR_TAG_CONTENT, start);
        }
        self.deeper(depth)?;
        let count = self.count(head, 1)?;
        let mut items = sink.begin_items(count);
        let mut last: Option<Key<'a>> = None;
        for _ in 0..count {
            let key_start = self.at;
            let key = self.key()?;
            match last.map_or(Ordering::Less, |last| last.order(&key)) {
                Ordering::Less => {}
                Ordering::Equal => return Self::stop(Code::DATA_DUPLICATE_KEY, key_start),
                Ordering::Greater => return Self::stop(Code::CBOR_SET_ORDER, key_start),
            }
            let node = sink.key(key);
            sink.item(&mut items, node);
            last = Some(key);
        }
        Ok(sink.set(items))
    }

    /// The byte string inside a tag.
    fn tagged_bytes(&mut self, start: usize) -> Result<&'a [u8], Stop> {
        let head = self.byte()?;
        if head & 0xe0 == major::BYTES { self.content(head) } else { Self::stop(Code::CBOR_TAG_CONTENT, start) }
    }

    /// A large integer's value, its tag read: shortest form, beyond 64 bits, within 128.
    fn large(&mut self, tag: u64, start: usize) -> Result<i128, Stop> {
        let content = self.tagged_bytes(start)?;
        if content.len() <= 8 || content.first() == Some(&0) {
            return Self::stop(Code::CBOR_BIGNUM, start);
        }
        if content.len() > 16 {
            return Self::stop(Code::NUMBER_RANGE, start);
        }
        let magnitude = content.iter().fold(0_u128, |magnitude, &byte| (magnitude << 8) | u128::from(byte));
        match i128::try_from(magnitude) {
            Ok(magnitude) => Ok(if tag == tag::NEGATIVE { -1 - magnitude } else { magnitude }),
            Err(_) => Self::stop(Code::NUMBER_RANGE, start),
        }
    }

    fn large_integer(&mut self, tag: u64, start: usize) -> Result<Number, Stop> {
        let value = self.large(tag, start)?;
        self.in_range(value, 0, start)
    }

    /// Exponent and mantissa inside a tag.
    fn parts(&mut self, start: usize) -> Result<(i128, i128), Stop> {
        if self.byte()? != major::ARRAY + 2 {
            return Self::stop(Code::CBOR_TAG_CONTENT, start);
        }
        let exponent = self.byte()?;
        if exponent & 0xe0 != major::UNSIGNED && exponent & 0xe0 != major::NEGATIVE {
            return Self::stop(Code::CBOR_TAG_CONTENT, start);
        }
        let exponent = self.integer(exponent)?;
        let mantissa = self.byte()?;
        let mantissa = match mantissa & 0xe0 {
            major::UNSIGNED | major::NEGATIVE => self.integer(mantissa)?,
            major::TAG => match self.argument(mantissa)? {
                tag @ (tag::POSITIVE | tag::NEGATIVE) => self.large(tag, start)?,
                _ => return Self::stop(Code::CBOR_TAG_CONTENT, start),
            },
            _ => return Self::stop(Code::CBOR_TAG_CONTENT, start),
        };
        Ok((exponent, mantissa))
    }

    fn decimal(&mut self, start: usize) -> Result<Number, Stop> {
        let (exponent, mantissa) = self.parts(start)?;
        if exponent >= 0 || mantissa % 10 == 0 {
            return Self::stop(Code::CBOR_DECIMAL, start);
        }
        self.in_range(mantissa, u32::try_from(-exponent).unwrap_or(u32::MAX), start)
    }

    fn fixed(&mut self, start: usize) -> Result<Fixed, Stop> {
        let (exponent, mantissa) = self.parts(start)?;
        if !(-64..=0).contains(&exponent) || (exponent < 0 && mantissa % 2 == 0) {
            return Self::stop(Code::CBOR_FIXED, start);
        }
        match mantissa.checked_mul(1 << (64 + exponent)) {
            Some(bits) => Ok(Fixed::from_bits(bits)),
            None => Self::stop(Code::NUMBER_RANGE, start),
        }
    }

    fn raw_string(&mut self, start: usize) -> Result<&'a [u8], Stop> {
        let content = self.tagged_bytes(start)?;
        if self.options.strings == Strings::Canonical || str::from_utf8(content).is_ok() {
            return Self::stop(Code::CBOR_RAW_STRING, start);
        }
        Ok(content)
    }

    /// A head of major type 7 that is no value here.
    #[cold]
    fn refuse_simple<T>(&mut self, head: u8) -> Result<T, Stop> {
        let start = self.at - 1;
        match head - major::SIMPLE {
            24 => {
                self.byte()?;
                Self::stop(Code::CBOR_SIMPLE, start)
            }
            28..=30 => Self::stop(Code::CBOR_HEAD, start),
            31 => Self::stop(Code::CBOR_INDEFINITE, start),
            _ => Self::stop(Code::CBOR_SIMPLE, start),
        }
    }
}
