//! Canonical JSON: keys sorted by their bytes, RFC 8785's escapes, numbers in plain digits.

use crate::encoding::{Budget, Members, Options, Stop, Strings, members_in_order, text};
use crate::number::Float;
use crate::refusal::{Code, Refusal};
use crate::value::{Heap, Kind, Layout, SHORT_STRING, Shape, TOGETHER, Value};
use std::borrow::Cow;

/// Appends the view of a value; on refusal `out` is as it was.
///
/// The view shows lists and sets as arrays, maps as objects, bytes as lower-case hexadecimal digits, and every
/// numeric kind in plain digits; so two values that differ in kind only look the same. Text is normalized.
///
/// # Errors
/// Where the value passes a limit or has no view: NaN, infinities, text that is not UTF-8, keys that coincide.
/// The offset is the place in the output that was reached.
pub fn encode(heap: &Heap, value: Value, options: &Options, out: &mut Vec<u8>) -> Result<(), Refusal> {
    let start = out.len();
    let mut encoder = Encoder { heap, options, start, budget: Budget { values: options.values }, out };
    let result = encoder.budget.take(1, 0).and_then(|()| encoder.value(value, 0)).and_then(|()| encoder.within_size());
    result.map_err(|stop| {
        encoder.out.truncate(start);
        stop.refusal(options)
    })
}

struct Encoder<'a> {
    heap: &'a Heap,
    options: &'a Options,
    start: usize,
    budget: Budget,
    out: &'a mut Vec<u8>,
}

/// Whether RFC 8785 writes the byte as an escape.
const fn is_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

fn put_hexadecimal(out: &mut Vec<u8>, byte: u8) {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'a' + value - 10 };
    out.extend_from_slice(&[digit(byte >> 4), digit(byte & 0xf)]);
}

/// Appends a string with its quotes.
fn put_string(out: &mut Vec<u8>, content: &[u8]) {
    out.push(b'"');
    let mut rest = content;
    while let Some(plain) = rest.iter().position(|&byte| is_escaped(byte)) {
        let (before, after) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
        out.extend_from_slice(before);
        let Some((&byte, after)) = after.split_first() else { break };
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0x08 => out.extend_from_slice(b"\\b"),
            0x09 => out.extend_from_slice(b"\\t"),
            0x0a => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            0x0d => out.extend_from_slice(b"\\r"),
            _ => {
                out.extend_from_slice(b"\\u00");
                put_hexadecimal(out, byte);
            }
        }
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

impl<'a> Encoder<'a> {
    fn stop<T>(&self, code: Code) -> Result<T, Stop> {
        Err(Stop::new(code, self.out.len() - self.start))
    }

    fn within_size(&self) -> Result<(), Stop> {
        if self.out.len() - self.start > self.options.size { self.stop(Code::DATA_SIZE) } else { Ok(()) }
    }

    fn value(&mut self, value: Value, depth: usize) -> Result<(), Stop> {
        match self.heap.kind(value) {
            Kind::Nil => self.out.extend_from_slice(b"null"),
            Kind::Bool => self.out.extend_from_slice(if value.as_bool() == Some(true) { b"true" } else { b"false" }),
            Kind::Number | Kind::Float | Kind::Fixed => return self.number(value),
            Kind::String => return self.string(self.heap.as_string(&value).unwrap_or_default()),
            Kind::Bytes => self.bytes(value)?,
            Kind::List | Kind::Map | Kind::Set => return self.table(value, depth),
            Kind::Function => return self.stop(Code::DATA_KIND),
        }
        Ok(())
    }

    /// A number of any kind, in plain digits.
    fn number(&mut self, value: Value) -> Result<(), Stop> {
        if let Some(number) = self.heap.as_number(value) {
            number.write_text(self.out);
        } else if let Some(fixed) = self.heap.as_fixed(value) {
            fixed.write_text(self.out);
        } else if let Some(float) = value.as_float() {
            match float {
                float if !float.is_finite() => return self.stop(Code::VIEW_FLOAT),
                // The sign of a zero is no digit.
                float if float.equals(Float::ZERO) => self.out.push(b'0'),
                float => float.write_shortest(self.out),
            }
        }
        Ok(())
    }

    fn string(&mut self, content: &[u8]) -> Result<(), Stop> {
        let normal = match text::normalize(content) {
            Ok(normal) => normal,
            Err(fault) if fault.code == Code::DATA_UTF8 => return self.stop(Code::VIEW_TEXT),
            Err(fault) => return self.stop(fault.code),
        };
        self.text(&normal)
    }

    /// A string that is normalized.
    fn text(&mut self, normal: &[u8]) -> Result<(), Stop> {
        if normal.len() > self.options.string {
            return self.stop(Code::DATA_STRING);
        }
        put_string(self.out, normal);
        Ok(())
    }

    fn bytes(&mut self, value: Value) -> Result<(), Stop> {
        let content = self.heap.as_bytes(value).unwrap_or_default();
        if content.len() > self.options.string {
            return self.stop(Code::DATA_STRING);
        }
        self.out.push(b'"');
        content.iter().for_each(|&byte| put_hexadecimal(self.out, byte));
        self.out.push(b'"');
        Ok(())
    }

    fn table(&mut self, value: Value, depth: usize) -> Result<(), Stop> {
        if depth >= self.options.depth {
            return self.stop(Code::DATA_DEPTH);
        }
        self.within_size()?;
        let Some(layout) = self.heap.layout(value) else { return self.stop(Code::DATA_KIND) };
        match layout {
            Layout::List(items) => self.list(items, depth + 1),
            Layout::Set(members) => self.set(members, depth + 1),
            Layout::Record(shape, slots) if shape.is_ascii && self.options.string >= SHORT_STRING => {
                self.record(slots, shape, depth + 1)
            }
            Layout::Record(..) | Layout::Map => self.map(value, depth + 1),
        }
    }

    fn record(&mut self, slots: &[Value], shape: &Shape, depth: usize) -> Result<(), Stop> {
        let entry = |&slot: &u8| Some((shape.fields.get(usize::from(slot))?.key, *slots.get(usize::from(slot))?));
        self.begin(b'{', slots.len(), 2)?;
        for (position, (key, value)) in shape.text_order.iter().filter_map(entry).enumerate() {
            self.separate(position);
            put_string(self.out, key.short_bytes());
            self.out.push(b':');
            self.value(value, depth)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn begin(&mut self, bracket: u8, count: usize, width: usize) -> Result<(), Stop> {
        self.budget.take(count * width, self.out.len() - self.start)?;
        self.out.push(bracket);
        Ok(())
    }

    fn separate(&mut self, position: usize) {
        if position > 0 {
            self.out.push(b',');
        }
    }

    fn list(&mut self, items: &[Value], depth: usize) -> Result<(), Stop> {
        self.begin(b'[', items.len(), 1)?;
        for (position, &item) in items.iter().enumerate() {
            self.separate(position);
            self.value(item, depth)?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn set(&mut self, members: &[Value], depth: usize) -> Result<(), Stop> {
        let offset = self.out.len() - self.start;
        // The view is always text, so strings that are not UTF-8 have none even in a snapshot's.
        let Members { plain, texts } = members_in_order(self.heap, members, Strings::Canonical)
            .map_err(|code| Stop::new(if code == Code::DATA_UTF8 { Code::VIEW_TEXT } else { code }, offset))?;
        self.begin(b'[', members.len(), 1)?;
        for (position, &member) in plain.iter().enumerate() {
            self.separate(position);
            self.value(member, depth)?;
        }
        for (position, content) in texts.iter().enumerate() {
            self.separate(plain.len() + position);
            self.text(content)?;
        }
        self.out.push(b']');
        Ok(())
    }

    /// A map whose keys must be made text and sorted first.
    fn map(&mut self, value: Value, depth: usize) -> Result<(), Stop> {
        let entries = self.heap.entries(value).unwrap_or_default();
        self.begin(b'{', entries.len(), 2)?;
        let mut texts = Vec::with_capacity(entries.len());
        for (key, value) in &entries {
            texts.push((self.key_text(key)?, *value));
        }
        texts.sort_by(|a, b| a.0.cmp(&b.0));
        if texts.iter().zip(texts.iter().skip(1)).any(|(a, b)| a.0 == b.0) {
            return self.stop(Code::VIEW_KEYS);
        }
        for (position, (key, value)) in texts.iter().enumerate() {
            if position % TOGETHER == 0 {
                self.heap.fetch_with_texts(texts.iter().skip(position).take(TOGETHER).map(|entry| entry.1));
            }
            self.separate(position);
            self.text(key)?;
            self.out.push(b':');
            self.value(*value, depth)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    /// What a key looks like between its quotes, before escapes.
    fn key_text<'k>(&mut self, key: &'k Value) -> Result<Cow<'k, [u8]>, Stop>
    where
        'a: 'k,
    {
        let start = self.out.len();
        if let Some(content) = self.heap.as_string(key) {
            return match text::normalize(content) {
                Ok(normal) => Ok(normal),
                Err(fault) if fault.code == Code::DATA_UTF8 => self.stop(Code::VIEW_TEXT),
                Err(fault) => self.stop(fault.code),
            };
        }
        self.value(*key, 0)?;
        Ok(self.out.split_off(start).into())
    }
}
