//! Strict decoding: RFC 8259, numbers exact, text normalized on reading, nothing dropped or repaired in silence.

use crate::encoding::{Budget, Options, Stop, text};
use crate::number::parse_decimal_prefix;
use crate::refusal::{Code, Refusal};
use crate::value::{Fields, Gather, Heap, Value};

/// Decodes one document into the heap; on refusal the heap is as it was.
///
/// # Errors
/// Every input that is not one JSON document whose meaning is a value, with line and column of the fault.
pub fn decode(heap: &mut Heap, input: &[u8], options: &Options) -> Result<Value, Refusal> {
    let mark = heap.mark();
    let mut reader =
        Reader { input, at: 0, options, budget: Budget { values: options.values }, gather: Gather::new(heap) };
    let result = reader.document();
    drop(reader);
    result.map_err(|stop| {
        heap.rewind(mark);
        stop.refusal(options).in_text(input)
    })
}

struct Reader<'a, 'h> {
    input: &'a [u8],
    at: usize,
    options: &'a Options,
    budget: Budget,
    gather: Gather<'h>,
}

const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Each byte's high bit, where the byte is a quote, a backslash, a control character or not ASCII. Bits above the first may err.
const fn special(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    ((quote.wrapping_sub(ONES) & !quote)
        | (backslash.wrapping_sub(ONES) & !backslash)
        | (word.wrapping_sub(ONES * 0x20) & !word)
        | word)
        & HIGH_BITS
}

impl<'a> Reader<'a, '_> {
    fn document(&mut self) -> Result<Value, Stop> {
        if self.input.len() > self.options.size {
            return Self::stop(Code::DATA_SIZE, self.options.size);
        }
        let value = self.value(0)?;
        self.skip_space();
        if self.at < self.input.len() { Self::stop(Code::DATA_TRAILING, self.at) } else { Ok(value) }
    }

    const fn stop<T>(code: Code, offset: usize) -> Result<T, Stop> {
        Err(Stop::new(code, offset))
    }

    /// The byte here does not fit; at the end the input is too short.
    #[cold]
    fn unexpected<T>(&self) -> Result<T, Stop> {
        Self::stop(if self.at < self.input.len() { Code::JSON_SYNTAX } else { Code::DATA_TRUNCATED }, self.at)
    }

    fn peek(&self) -> Option<u8> {
        self.input.get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Skips space and takes the byte that must follow.
    fn expect(&mut self, byte: u8) -> Result<(), Stop> {
        self.skip_space();
        if self.peek() != Some(byte) {
            return self.unexpected();
        }
        self.at += 1;
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<Value, Stop> {
        self.skip_space();
        self.budget.take(1, self.at)?;
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word(b"true", Value::TRUE),
            Some(b'f') => self.word(b"false", Value::FALSE),
            Some(b'n') => self.word(b"null", Value::NIL),
            _ => self.unexpected(),
        }
    }

    fn word(&mut self, word: &[u8], value: Value) -> Result<Value, Stop> {
        for &byte in word {
            if self.peek() != Some(byte) {
                return self.unexpected();
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, Stop> {
        let start = self.at;
        match parse_decimal_prefix(self.input.get(start..).unwrap_or_default()) {
            Ok((number, length)) => {
                self.at += length;
                Ok(self.gather.heap.number(number))
            }
            Err((fault, place)) => {
                let offset = start + place;
                let code = fault.code().unwrap_or(Code::NUMBER_SYNTAX);
                let is_cut = code == Code::NUMBER_SYNTAX && offset >= self.input.len();
                Self::stop(if is_cut { Code::DATA_TRUNCATED } else { code }, offset)
            }
        }
    }

    fn deeper(&mut self, depth: usize) -> Result<usize, Stop> {
        if depth >= self.options.depth {
            return Self::stop(Code::DATA_DEPTH, self.at);
        }
        self.at += 1;
        Ok(depth + 1)
    }

    /// After an entry: whether another one follows, or the end.
    fn goes_on(&mut self, end: u8) -> Result<bool, Stop> {
        self.skip_space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(byte) if byte == end => {
                self.at += 1;
                Ok(false)
            }
            _ => self.unexpected(),
        }
    }

    /// After the opening bracket: whether the table ends at once.
    fn is_empty(&mut self, end: u8) -> bool {
        self.skip_space();
        let is_empty = self.peek() == Some(end);
        self.at += usize::from(is_empty);
        is_empty
    }

    fn array(&mut self, depth: usize) -> Result<Value, Stop> {
        let depth = self.deeper(depth)?;
        let items = self.gather.begin_items();
        if !self.is_empty(b']') {
            loop {
                let value = self.value(depth)?;
                self.gather.item(value);
                if !self.goes_on(b']')? {
                    break;
                }
            }
        }
        Ok(self.gather.list(items))
    }

    fn object(&mut self, depth: usize) -> Result<Value, Stop> {
        let depth = self.deeper(depth)?;
        let mut fields = self.gather.begin_fields(0);
        if !self.is_empty(b'}') {
            loop {
                self.skip_space();
                self.key(&mut fields)?;
                self.expect(b':')?;
                let value = self.value(depth)?;
                self.gather.value(&mut fields, value);
                if !self.goes_on(b'}')? {
                    break;
                }
            }
        }
        Ok(self.gather.map(fields))
    }

    fn key(&mut self, fields: &mut Fields) -> Result<(), Stop> {
        let start = self.at;
        self.budget.take(1, start)?;
        if self.peek() != Some(b'"') {
            return self.unexpected();
        }
        let key = self.string()?;
        self.gather.field(fields, key);
        if self.gather.has(fields) { Self::stop(Code::DATA_DUPLICATE_KEY, start) } else { Ok(()) }
    }

    /// Moves to the next quote, backslash, control character or byte beyond ASCII.
    fn skip_plain(&mut self) {
        while let Some(chunk) = self.input.get(self.at..).and_then(|rest| rest.first_chunk::<8>()) {
            let found = special(u64::from_le_bytes(*chunk));
            if found != 0 {
                self.at += found.trailing_zeros() as usize / 8;
                return;
            }
            self.at += 8;
        }
        while let Some(byte) = self.peek()
            && byte != b'"'
            && byte != b'\\'
            && (0x20..0x80).contains(&byte)
        {
            self.at += 1;
        }
    }

    /// A string, its opening quote here.
    fn string(&mut self) -> Result<Value, Stop> {
        let quote = self.at;
        self.at += 1;
        self.skip_plain();
        if self.peek() != Some(b'"') {
            return self.string_in_full(quote);
        }
        let content = self.input.get(quote + 1..self.at).unwrap_or_default();
        self.within_limit(content.len(), quote)?;
        self.at += 1;
        if content.len() <= 14
            && let Some(window) = self.input.get(quote + 1..).and_then(|rest| rest.first_chunk::<16>())
        {
            return Ok(Value::short_string(u128::from_le_bytes(*window), content.len()));
        }
        Ok(self.gather.heap.shared_string(content))
    }

    fn within_limit(&self, length: usize, quote: usize) -> Result<(), Stop> {
        if length > self.options.string { Self::stop(Code::DATA_STRING, quote) } else { Ok(()) }
    }

    /// A string with escapes or text beyond ASCII.
    fn string_in_full(&mut self, quote: usize) -> Result<Value, Stop> {
        self.at = quote + 1;
        let mut content = Vec::new();
        loop {
            let start = self.at;
            self.skip_text();
            self.take_text(start, &mut content)?;
            // Escapes only shrink, and normalization at most trebles: far over the limit there is no need to go on.
            self.within_limit(content.len() / 4, quote)?;
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape(&mut content)?,
                Some(_) => return Self::stop(Code::JSON_CONTROL, self.at),
                None => return self.unexpected(),
            }
        }
        self.at += 1;
        let normal = text::normalize(&content).map_err(|fault| Stop::new(fault.code, quote))?;
        self.within_limit(normal.len(), quote)?;
        Ok(self.gather.heap.shared_string(&normal))
    }

    /// Moves over everything but quotes, backslashes and control characters.
    fn skip_text(&mut self) {
        while let Some(byte) = self.peek()
            && byte != b'"'
            && byte != b'\\'
            && byte >= 0x20
        {
            self.at += 1;
        }
    }

    /// Takes the text from `start` to here, which must be UTF-8 with assigned code points: so a fault has its exact place.
    fn take_text(&self, start: usize, content: &mut Vec<u8>) -> Result<(), Stop> {
        let raw = self.input.get(start..self.at).unwrap_or_default();
        if let Err(fault) = text::normalize(raw) {
            // A character that the end of the input cuts is missing, not wrong.
            let is_cut =
                self.at == self.input.len() && str::from_utf8(raw).is_err_and(|fault| fault.error_len().is_none());
            let code = if is_cut { Code::DATA_TRUNCATED } else { fault.code };
            return Self::stop(code, start + fault.offset);
        }
        content.extend_from_slice(raw);
        Ok(())
    }

    fn escape(&mut self, content: &mut Vec<u8>) -> Result<(), Stop> {
        let start = self.at;
        self.at += 1;
        let Some(mark) = self.peek() else { return self.unexpected() };
        self.at += 1;
        content.push(match mark {
            b'"' | b'\\' | b'/' => mark,
            b'b' => 0x08,
            b'f' => 0x0c,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let point = self.escaped_point(start)?;
                if !text::is_assigned(point) {
                    return Self::stop(Code::DATA_UNASSIGNED, start);
                }
                content.extend_from_slice(point.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return Self::stop(Code::JSON_ESCAPE, start),
        });
        Ok(())
    }

    /// The code point of a `\u` escape, or of a pair of them.
    fn escaped_point(&mut self, start: usize) -> Result<char, Stop> {
        let high = self.hexadecimal(start)?;
        if let Some(point) = char::from_u32(high) {
            return Ok(point);
        }
        if !(0xd800..0xdc00).contains(&high) {
            return Self::stop(Code::JSON_SURROGATE, start);
        }
        for byte in *b"\\u" {
            match self.peek() {
                None => return self.unexpected(),
                Some(found) if found != byte => return Self::stop(Code::JSON_SURROGATE, start),
                Some(_) => self.at += 1,
            }
        }
        let low = self.hexadecimal(self.at - 2)?;
        if !(0xdc00..0xe000).contains(&low) {
            return Self::stop(Code::JSON_SURROGATE, start);
        }
        char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))
            .map_or_else(|| Self::stop(Code::JSON_SURROGATE, start), Ok)
    }

    fn hexadecimal(&mut self, start: usize) -> Result<u32, Stop> {
        let mut number = 0;
        for _ in 0..4 {
            let digit = match self.peek() {
                Some(byte @ b'0'..=b'9') => byte - b'0',
                Some(byte @ b'a'..=b'f') => byte - b'a' + 10,
                Some(byte @ b'A'..=b'F') => byte - b'A' + 10,
                Some(_) => return Self::stop(Code::JSON_ESCAPE, start),
                None => return self.unexpected(),
            };
            number = number << 4 | u32::from(digit);
            self.at += 1;
        }
        Ok(number)
    }
}
