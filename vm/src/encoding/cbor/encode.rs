//! Encoding: the one byte string of a value.

use super::snapshot::Links;
use super::{FALSE, FLOAT_16, FLOAT_32, FLOAT_64, NAN_16, NULL, TRUE, major, tag};
use crate::encoding::{Budget, Members, Options, Stop, Strings, members_in_order, text};
use crate::number::{Fixed, Float};
use crate::refusal::{Code, Refusal};
use crate::value::{FieldText, Heap, Layout, SHORT_STRING, Shape, Tag, Value};
use std::borrow::Cow;

/// Appends the encoding of a value; on refusal `out` is as it was.
///
/// # Errors
/// Where the value passes a limit, holds text that the options don't allow, or two keys become one when normalized.
/// The offset is the place in the output that was reached.
pub fn encode(heap: &Heap, value: Value, options: &Options, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let start = out.len();
    let mut encoder = Encoder::new(heap, options, out);
    let result = encoder.budget.take(1, 0).and_then(|()| encoder.value(value, 0)).and_then(|()| encoder.within_size());
    result.map_err(|stop| {
        encoder.out.truncate(start);
        stop.refusal(options)
    })
}

pub(super) struct Encoder<'a> {
    pub(super) heap: &'a Heap,
    options: &'a Options,
    start: usize,
    pub(super) budget: Budget,
    pub(super) out: &'a mut Vec<u8>,
    /// The tables that were met, where they are referred to by number.
    pub(super) links: Option<Links>,
}

/// Appends the low `length` bytes of a window: one store of fixed size, then the surplus is cut.
fn put(out: &mut Vec<u8>, text: FieldText) {
    out.extend_from_slice(&text.window.to_le_bytes());
    out.truncate(out.len() - (16 - text.length));
}

/// Appends a head in its shortest form.
pub(super) fn put_head(out: &mut Vec<u8>, major: u8, argument: u64) {
    match argument {
        0..=23 => out.push(major | argument as u8),
        24..=0xff => out.extend_from_slice(&[major | 24, argument as u8]),
        0x100..=0xffff => {
            let [a, b] = (argument as u16).to_be_bytes();
            out.extend_from_slice(&[major | 25, a, b]);
        }
        0x1_0000..=0xffff_ffff => {
            let [a, b, c, d] = (argument as u32).to_be_bytes();
            out.extend_from_slice(&[major | 26, a, b, c, d]);
        }
        _ => {
            out.push(major | 27);
            out.extend_from_slice(&argument.to_be_bytes());
        }
    }
}

fn put_text(out: &mut Vec<u8>, content: &[u8]) {
    put_head(out, major::TEXT, content.len() as u64);
    out.extend_from_slice(content);
}

fn put_integer(out: &mut Vec<u8>, integer: i128) {
    let (kind, tag, magnitude) = match integer {
        0.. => (major::UNSIGNED, tag::POSITIVE, integer.cast_unsigned()),
        _ => (major::NEGATIVE, tag::NEGATIVE, (-1 - integer).cast_unsigned()),
    };
    match u64::try_from(magnitude) {
        Ok(argument) => put_head(out, kind, argument),
        Err(_) => {
            let all = magnitude.to_be_bytes();
            let leading = all.iter().take_while(|&&byte| byte == 0).count();
            put_head(out, major::TAG, tag);
            put_head(out, major::BYTES, (all.len() - leading) as u64);
            out.extend(all.iter().skip(leading));
        }
    }
}

fn put_number(out: &mut Vec<u8>, coefficient: i128, scale: u32) {
    if scale > 0 {
        put_head(out, major::TAG, tag::DECIMAL);
        out.push(major::ARRAY | 2);
        put_head(out, major::NEGATIVE, u64::from(scale) - 1);
    }
    put_integer(out, coefficient);
}

fn put_float(out: &mut Vec<u8>, float: Float) {
    let narrow = if float.is_nan() { Some(NAN_16) } else { float.to_f16_bits_exact() };
    if let Some(bits) = narrow {
        let [a, b] = bits.to_be_bytes();
        out.extend_from_slice(&[FLOAT_16, a, b]);
    } else if let Some(bits) = float.to_f32_bits_exact() {
        out.push(FLOAT_32);
        out.extend_from_slice(&bits.to_be_bytes());
    } else {
        out.push(FLOAT_64);
        out.extend_from_slice(&float.to_bits().to_be_bytes());
    }
}

/// Mantissa times a power of two in lowest terms: an odd mantissa, or exponent 0.
fn put_fixed(out: &mut Vec<u8>, fixed: Fixed) {
    let bits = fixed.to_bits();
    let shift = bits.trailing_zeros().min(64);
    put_head(out, major::TAG, tag::FIXED);
    out.push(major::ARRAY | 2);
    put_integer(out, i128::from(shift) - 64);
    put_integer(out, bits >> shift);
}

impl<'a> Encoder<'a> {
    pub(super) fn new(heap: &'a Heap, options: &'a Options, out: &'a mut Vec<u8>) -> Encoder<'a> {
        let (start, budget) = (out.len(), Budget { values: options.values });
        Encoder { heap, options, start, budget, out, links: None }
    }

    fn stop<T>(&self, code: Code) -> Result<T, Stop> {
        Err(Stop::new(code, self.offset()))
    }

    pub(super) fn offset(&self) -> usize {
        self.out.len() - self.start
    }

    pub(super) fn within_size(&self) -> Result<(), Stop> {
        if self.offset() > self.options.size { self.stop(Code::DATA_SIZE) } else { Ok(()) }
    }

    pub(super) fn value(&mut self, value: Value, depth: usize) -> Result<(), Stop> {
        match value.tag() {
            Tag::Number => {
                if let Some(small @ 0..=23) = value.as_i64() {
                    self.out.push(small as u8);
                } else {
                    self.number(value);
                }
                Ok(())
            }
            Tag::ShortString => {
                let text = FieldText::of(value);
                if text.is_ascii() && text.length <= 1 + self.options.string {
                    put(self.out, text);
                    return Ok(());
                }
                self.string(value.short_bytes())
            }
            Tag::LongString => {
                let heap = self.heap;
                self.string(heap.as_string(&value).unwrap_or_default())
            }
            Tag::Table => self.table(value, depth),
            Tag::Nil | Tag::Bool | Tag::WideNumber | Tag::Float | Tag::Fixed | Tag::Bytes => self.rare(value),
            Tag::Function | Tag::Closure => self.stop(Code::DATA_KIND),
        }
    }

    fn number(&mut self, value: Value) {
        if let Some(number) = self.heap.as_number(value) {
            put_number(self.out, number.coefficient(), number.scale());
        }
    }

    fn rare(&mut self, value: Value) -> Result<(), Stop> {
        match value.tag() {
            Tag::Nil => self.out.push(NULL),
            Tag::Bool => self.out.push(if value.as_bool() == Some(true) { TRUE } else { FALSE }),
            Tag::WideNumber => self.number(value),
            Tag::Float => put_float(self.out, value.as_float().unwrap_or(Float::NAN)),
            Tag::Fixed => put_fixed(self.out, self.heap.as_fixed(value).unwrap_or(Fixed::from_bits(0))),
            Tag::Bytes => {
                let content = self.heap.as_bytes(value).unwrap_or_default();
                self.within_string(content.len())?;
                put_head(self.out, major::BYTES, content.len() as u64);
                self.out.extend_from_slice(content);
            }
            Tag::Number | Tag::ShortString | Tag::LongString | Tag::Table | Tag::Function | Tag::Closure => {
                return self.stop(Code::DATA_KIND);
            }
        }
        Ok(())
    }

    fn within_string(&self, length: usize) -> Result<(), Stop> {
        if length > self.options.string { self.stop(Code::DATA_STRING) } else { Ok(()) }
    }

    fn string(&mut self, content: &[u8]) -> Result<(), Stop> {
        self.within_string(content.len())?;
        if content.is_ascii() {
            put_text(self.out, content);
            return Ok(());
        }
        match self.options.strings {
            Strings::Canonical => {
                let normal = self.normal(content)?;
                self.within_string(normal.len())?;
                put_text(self.out, &normal);
            }
            Strings::Verbatim if str::from_utf8(content).is_ok() => put_text(self.out, content),
            Strings::Verbatim => {
                put_head(self.out, major::TAG, tag::RAW_STRING);
                put_head(self.out, major::BYTES, content.len() as u64);
                self.out.extend_from_slice(content);
            }
        }
        Ok(())
    }

    fn normal<'t>(&self, content: &'t [u8]) -> Result<Cow<'t, [u8]>, Stop> {
        text::normalize(content).map_err(|fault| Stop::new(fault.code, self.offset()))
    }

    fn table(&mut self, value: Value, depth: usize) -> Result<(), Stop> {
        if let Some(links) = &mut self.links {
            let number = links.number(value);
            put_head(self.out, major::TAG, tag::TABLE);
            put_head(self.out, major::UNSIGNED, number);
            return Ok(());
        }
        self.content(value, depth)
    }

    pub(super) fn content(&mut self, value: Value, depth: usize) -> Result<(), Stop> {
        if depth >= self.options.depth {
            return self.stop(Code::DATA_DEPTH);
        }
        self.within_size()?;
        let Some(layout) = self.heap.layout(value) else { return self.stop(Code::DATA_KIND) };
        match layout {
            Layout::List(items) => self.list(items, depth + 1),
            Layout::Set(members) => self.set(members),
            Layout::Record(shape, slots) if shape.is_ascii && self.options.string >= SHORT_STRING => {
                self.record(slots, shape, depth + 1)
            }
            Layout::Record(..) | Layout::Map => self.map(value, depth + 1),
        }
    }

    fn begin(&mut self, major: u8, count: usize, width: usize) -> Result<(), Stop> {
        self.budget.take(count * width, self.offset())?;
        put_head(self.out, major, count as u64);
        Ok(())
    }

    fn list(&mut self, items: &[Value], depth: usize) -> Result<(), Stop> {
        self.begin(major::ARRAY, items.len(), 1)?;
        items.iter().try_for_each(|&item| self.value(item, depth))
    }

    fn record(&mut self, slots: &[Value], shape: &Shape, depth: usize) -> Result<(), Stop> {
        self.begin(major::MAP, slots.len(), 2)?;
        for &slot in &shape.cbor_order {
            if let (Some(field), Some(&value)) = (shape.fields.get(usize::from(slot)), slots.get(usize::from(slot))) {
                put(self.out, field.cbor);
                self.value(value, depth)?;
            }
        }
        Ok(())
    }

    /// A map whose keys must be normalized or sorted first.
    fn map(&mut self, value: Value, depth: usize) -> Result<(), Stop> {
        let entries = self.heap.entries(value).unwrap_or_default();
        self.begin(major::MAP, entries.len(), 2)?;
        let at = self.out.len();
        let mut keys = Vec::with_capacity(entries.len());
        for &(key, value) in &entries {
            let start = self.out.len() - at;
            self.value(key, depth)?;
            keys.push((start..self.out.len() - at, value));
        }
        let texts = self.out.split_off(at);
        let text = |range: &core::ops::Range<usize>| texts.get(range.clone()).unwrap_or_default();
        keys.sort_by(|a, b| text(&a.0).cmp(text(&b.0)));
        let mut last: Option<&[u8]> = None;
        for (range, value) in &keys {
            let this = text(range);
            if last == Some(this) {
                return self.stop(Code::DATA_DUPLICATE_KEY);
            }
            self.out.extend_from_slice(this);
            self.value(*value, depth)?;
            last = Some(this);
        }
        Ok(())
    }

    fn set(&mut self, members: &[Value]) -> Result<(), Stop> {
        put_head(self.out, major::TAG, tag::SET);
        self.begin(major::ARRAY, members.len(), 1)?;
        let offset = self.offset();
        let Members { plain, texts } =
            members_in_order(self.heap, members, self.options.strings).map_err(|code| Stop::new(code, offset))?;
        for &member in plain {
            self.value(member, 0)?;
        }
        texts.iter().try_for_each(|content| self.string(content))
    }
}
