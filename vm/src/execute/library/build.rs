//! A string under construction: each piece is charged, counted and within the limit before it is written.

use crate::execute::Outcome;
use crate::limit;
use crate::meter::{self, Meter};
use crate::number::{Expansion, Float};
use crate::trap::TrapCode;
use crate::value::{Heap, Value};
use core::ops::Range;

/// Bytes whose writing costs one gas.
const BYTES_A_GAS: u64 = 16;
/// Gas for the text of a float, beside what its digits cost.
const FLOAT: u64 = 40;
/// Digits that `tostring` gives a float, as Lua does.
const FLOAT_DIGITS: usize = 14;

/// It is written at the end of the heap, so nothing else may be made there meanwhile.
pub(super) struct Build<'b> {
    pub(super) heap: &'b mut Heap,
    pub(super) meter: &'b mut Meter,
    start: usize,
    /// How much of the heap's text was there before: the string may begin with some of it.
    before: usize,
    paid: u64,
}

impl<'b> Build<'b> {
    pub(super) fn new(heap: &'b mut Heap, meter: &'b mut Meter) -> Outcome<Build<'b>> {
        meter.allocate(meter::STRING)?;
        let start = heap.begin_text();
        Ok(Build { heap, meter, start, before: start, paid: 0 })
    }

    /// Pays for so many more bytes.
    pub(super) fn grow(&mut self, by: u64) -> Outcome<()> {
        let length = self.paid.saturating_add(by);
        if length > limit::DATA_STRING.value {
            return Err(TrapCode::STRING);
        }
        self.meter.charge(length / BYTES_A_GAS - self.paid / BYTES_A_GAS)?;
        self.meter.allocate(by)?;
        self.paid = length;
        Ok(())
    }

    pub(super) fn push(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.grow(bytes.len() as u64)?;
        self.heap.text().extend_from_slice(bytes);
        Ok(())
    }

    /// Appends a range of a string.
    pub(super) fn push_part(&mut self, string: Value, range: Range<usize>) -> Outcome<()> {
        self.grow(range.len() as u64)?;
        self.heap.copy_text(string, range);
        Ok(())
    }

    /// Appends a string or a number; false where the value is neither.
    pub(super) fn push_value(&mut self, value: Value) -> Outcome<bool> {
        if let Some(content) = self.heap.as_string(&value) {
            let range = 0..content.len();
            if self.paid == 0
                && let Some(start) = self.heap.begin_text_behind(value)
            {
                self.start = start;
                return self.grow(range.len() as u64).map(|()| true);
            }
            self.push_part(value, range)?;
            return Ok(true);
        }
        self.push_number(value)
    }

    fn push_number(&mut self, value: Value) -> Outcome<bool> {
        if let Some(number) = self.heap.as_number(value) {
            self.written(|out| number.write_text(out))?;
        } else if let Some(float) = value.as_float() {
            self.push_float(float)?;
        } else if let Some(fixed) = self.heap.as_fixed(value) {
            self.written(|out| fixed.write_text(out))?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// Appends a float as Lua writes it: 14 digits at most, and never like an integer.
    fn push_float(&mut self, float: Float) -> Outcome<()> {
        self.meter.charge(FLOAT)?;
        let Some(mut expansion) = self.expansion(float)? else {
            return self.push(not_finite(float));
        };
        expansion.round_digits(FLOAT_DIGITS);
        self.written(|out| {
            if float.is_negative() {
                out.push(b'-');
            }
            let places = expansion.significant().saturating_sub(1);
            match expansion.exponent() {
                -4..14 if expansion.places() == 0 => expansion.write_plain(1, true, out),
                -4..14 => expansion.write_plain(expansion.places(), false, out),
                _ => expansion.write_scientific(places, false, b'e', out),
            }
        })
    }

    /// All digits of a float, paid for; none for NaN and infinities.
    pub(super) fn expansion(&mut self, float: Float) -> Outcome<Option<Expansion>> {
        self.meter.charge(Expansion::work(float))?;
        Ok(Expansion::of_float(float))
    }

    /// Appends what is written behind the text so far: a short piece, which is paid for when its length is known.
    pub(super) fn written(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Outcome<()> {
        let out = self.heap.text();
        let before = out.len();
        write(out);
        let by = out.len() - before;
        self.grow(by as u64)
    }

    /// The whole string.
    pub(super) fn finish(mut self) -> Value {
        let string = self.heap.end_text(self.start);
        self.before = self.heap.begin_text();
        string
    }
}

impl Drop for Build<'_> {
    /// What was not finished is forgotten.
    fn drop(&mut self) {
        self.heap.cut_text(self.before);
    }
}

/// The text of a float that is not finite.
pub(super) const fn not_finite(float: Float) -> &'static [u8] {
    match (float.is_nan(), float.is_negative()) {
        (true, _) => b"nan",
        (false, true) => b"-inf",
        (false, false) => b"inf",
    }
}
