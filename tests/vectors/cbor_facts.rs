//! What a CBOR item holds, read by a reader of the tests' own that takes every well-formed item.

use kerai_vm::encoding::text;
use kerai_vm::limit;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Deeper items are not taken apart.
const DEEPEST: usize = 2000;

/// The largest integer that is a number.
const LARGEST: u128 = 170_141_183_460_469_231_731;

#[derive(Default)]
pub struct CborFacts {
    /// The codes for which kerai must refuse the item.
    pub refusals: BTreeSet<&'static str>,
    pub has_integral_float: bool,
    /// A negative integer below −2^63.
    pub has_wide_negative: bool,
}

impl CborFacts {
    /// The facts of a well-formed item that fills the input.
    pub fn of(input: &[u8]) -> Option<CborFacts> {
        let mut reader = Reader { rest: input, facts: CborFacts::default() };
        reader.item(0)?;
        reader.rest.is_empty().then_some(reader.facts)
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    facts: CborFacts,
}

/// What an item was, as far as maps and tags ask.
enum Item<'a> {
    Unsigned(u64),
    Bytes(Option<&'a [u8]>),
    Float(f64),
    Container,
    Null,
    Break,
    Other,
}

impl<'a> Reader<'a> {
    fn refuse(&mut self, code: &'static str) {
        self.facts.refusals.insert(code);
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn big_endian(&mut self, length: usize) -> Option<u64> {
        Some(self.take(length)?.iter().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    /// A head's major type and argument; no argument is an indefinite length or a break.
    fn head(&mut self) -> Option<(u8, u8, Option<u64>)> {
        let first = self.big_endian(1)?.to_le_bytes()[0];
        let (major, low) = (first >> 5, first & 0x1f);
        let (argument, least) = match low {
            0..=23 => return Some((major, low, Some(u64::from(low)))),
            24 => (self.big_endian(1)?, 24),
            25 => (self.big_endian(2)?, 1 << 8),
            26 => (self.big_endian(4)?, 1 << 16),
            27 => (self.big_endian(8)?, 1 << 32),
            31 if !matches!(major, 0 | 1 | 6) => return Some((major, low, None)),
            _ => return None,
        };
        if major != 7 && argument < least {
            self.refuse("CBOR_LONG_HEAD");
        }
        Some((major, low, Some(argument)))
    }

    fn item(&mut self, depth: usize) -> Option<Item<'a>> {
        if depth > DEEPEST {
            return None;
        }
        let (major, low, argument) = self.head()?;
        match (major, argument) {
            (0, Some(value)) => Some(Item::Unsigned(value)),
            (1, Some(value)) => {
                self.facts.has_wide_negative |= value >> 63 == 1;
                Some(Item::Other)
            }
            (2 | 3, Some(length)) => self.content(major, length),
            (2 | 3, None) => self.chunks(major),
            (4, _) => self.list(argument, depth + 1),
            (5, _) => self.map(argument, depth + 1),
            (6, Some(tag)) => self.tagged(tag, depth),
            (7, None) => Some(Item::Break),
            (_, Some(argument)) => self.simple(low, argument),
            _ => None,
        }
    }

    fn content(&mut self, major: u8, length: u64) -> Option<Item<'a>> {
        let content = self.take(usize::try_from(length).ok()?)?;
        if major == 2 {
            return Some(Item::Bytes(Some(content)));
        }
        match text::normalize(content) {
            Ok(normal) if *normal != *content => self.refuse("DATA_NFC"),
            Ok(_) => {}
            Err(fault) => self.refuse(fault.code.name()),
        }
        Some(Item::Other)
    }

    fn chunks(&mut self, major: u8) -> Option<Item<'a>> {
        self.refuse("CBOR_INDEFINITE");
        loop {
            match self.head()? {
                (7, 31, None) => return Some(if major == 2 { Item::Bytes(None) } else { Item::Other }),
                (chunk, _, Some(length)) if chunk == major => _ = self.content(major, length)?,
                _ => return None,
            }
        }
    }

    fn enter(&mut self, depth: usize, count: Option<u64>) {
        if depth as u64 > limit::DATA_DEPTH.value {
            self.refuse("DATA_DEPTH");
        }
        if count.is_none() {
            self.refuse("CBOR_INDEFINITE");
        }
    }

    fn list(&mut self, count: Option<u64>, depth: usize) -> Option<Item<'a>> {
        self.enter(depth, count);
        for position in 0.. {
            if count == Some(position) {
                break;
            }
            if matches!(self.item(depth)?, Item::Break) {
                count.is_none().then_some(())?;
                break;
            }
        }
        Some(Item::Container)
    }

    fn map(&mut self, count: Option<u64>, depth: usize) -> Option<Item<'a>> {
        self.enter(depth, count);
        let mut last: Option<&[u8]> = None;
        let mut is_sequence = count.is_some_and(|count| count > 0);
        for position in 0.. {
            if count == Some(position) {
                break;
            }
            let before = self.rest;
            let key = self.item(depth)?;
            if matches!(key, Item::Break) {
                count.is_none().then_some(())?;
                break;
            }
            let encoding = before.get(..before.len() - self.rest.len())?;
            match last.map(|last| last.cmp(encoding)) {
                Some(Ordering::Equal) => self.refuse("DATA_DUPLICATE_KEY"),
                Some(Ordering::Greater) => self.refuse("CBOR_KEY_ORDER"),
                Some(Ordering::Less) | None => {}
            }
            last = Some(encoding);
            is_sequence &= matches!(key, Item::Unsigned(value) if value == position + 1);
            self.look_at_key(&key);
            if matches!(self.item(depth)?, Item::Break) {
                return None;
            }
        }
        if is_sequence {
            self.refuse("DATA_LIST_AS_MAP");
        }
        Some(Item::Container)
    }

    fn look_at_key(&mut self, key: &Item<'_>) {
        match key {
            Item::Bytes(_) | Item::Container | Item::Null => self.refuse("DATA_KEY"),
            Item::Float(float) if float.is_nan() => self.refuse("DATA_KEY"),
            // A float with 18 binary places has as many decimal ones, and more have more.
            Item::Float(float) if (float * 262_144.0).fract() == 0.0 && float.abs() < LARGEST as f64 => {
                self.refuse("DATA_KEY_NUMBER")
            }
            Item::Unsigned(_) | Item::Float(_) | Item::Break | Item::Other => {}
        }
    }

    fn tagged(&mut self, tag: u64, depth: usize) -> Option<Item<'a>> {
        let content = self.item(depth + 1)?;
        if matches!(content, Item::Break) {
            return None;
        }
        match (tag, content) {
            (2 | 3, Item::Bytes(Some(bytes))) => self.look_at_bignum(tag, bytes),
            (2 | 3, _) => self.refuse("CBOR_TAG_CONTENT"),
            (4 | 5 | 258, _) => {}
            (27506, _) => self.refuse("CBOR_RAW_STRING"),
            _ => self.refuse("CBOR_TAG"),
        }
        Some(Item::Other)
    }

    fn look_at_bignum(&mut self, tag: u64, bytes: &[u8]) {
        if bytes.len() <= 8 || bytes.first() == Some(&0) {
            self.refuse("CBOR_BIGNUM");
            return;
        }
        let is_long = bytes.len() > 15;
        // A negative one is −1 − the argument.
        let argument = bytes.iter().take(15).fold(0_u128, |value, &byte| value << 8 | u128::from(byte));
        let magnitude = argument + u128::from(tag == 3);
        if is_long || magnitude > LARGEST {
            self.refuse("NUMBER_RANGE");
        }
    }

    fn simple(&mut self, low: u8, argument: u64) -> Option<Item<'a>> {
        let float = match low {
            20 | 21 => return Some(Item::Other),
            22 => return Some(Item::Null),
            25 => self.half(argument),
            26 => self.single(argument)?,
            27 => self.double(argument),
            _ => {
                self.refuse("CBOR_SIMPLE");
                return Some(Item::Other);
            }
        };
        self.facts.has_integral_float |= float.fract() == 0.0;
        Some(Item::Float(float))
    }

    fn half(&mut self, bits: u64) -> f64 {
        let (sign, field, fraction) = (bits >> 15, bits >> 10 & 0x1f, (bits & 0x3ff) as f64);
        let magnitude = match field {
            0 => fraction * 2_f64.powi(-24),
            31 if bits & 0x3ff == 0 => f64::INFINITY,
            31 => f64::NAN,
            _ => (1024.0 + fraction) * 2_f64.powi(field as i32 - 25),
        };
        if magnitude.is_nan() && bits != 0x7e00 {
            self.refuse("CBOR_NAN");
        }
        if sign == 1 { -magnitude } else { magnitude }
    }

    fn single(&mut self, bits: u64) -> Option<f64> {
        let value = f64::from(f32::from_bits(u32::try_from(bits).ok()?));
        // A binary16 has eleven bits, none below 2^-24.
        let significant = 53 - (value.to_bits() | 1 << 52).trailing_zeros();
        let fits = value == 0.0
            || value.is_infinite()
            || (value.abs() <= 65504.0 && significant <= 11 && (value * 16_777_216.0).fract() == 0.0);
        if value.is_nan() {
            self.refuse("CBOR_NAN");
        } else if fits {
            self.refuse("CBOR_FLOAT");
        }
        Some(value)
    }

    fn double(&mut self, bits: u64) -> f64 {
        let value = f64::from_bits(bits);
        if value.is_nan() {
            self.refuse("CBOR_NAN");
        } else if f64::from(value as f32) == value {
            self.refuse("CBOR_FLOAT");
        }
        value
    }
}
