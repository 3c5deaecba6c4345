//! Canonical CBOR of the evaluator's values, written from the specification and not from the machine's encoder.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the arms name the kinds that something is done with, any other is refused alike"
)]

use super::value::{Table, Value};
use kerai_vm::encoding::text;
use kerai_vm::number::Float;
use std::collections::BTreeMap;

/// What an encoding may hold, and how its strings stand there.
#[derive(Clone, Copy)]
pub struct Form {
    /// Rows: normalized, and only what is text. Else byte for byte.
    pub is_normal: bool,
    pub values: usize,
}

/// Levels of lists and maps.
const DEPTH: usize = 128;

/// The bytes of a value; none where it has none: functions, other text than may stand there, too many levels or values.
#[must_use]
pub fn encode(tables: &[Table], value: &Value, form: Form) -> Option<Vec<u8>> {
    let mut encoder = Encoder { tables, form, values: 0, out: Vec::new() };
    encoder.value(value, 0)?;
    Some(encoder.out)
}

struct Encoder<'t> {
    tables: &'t [Table],
    form: Form,
    values: usize,
    out: Vec<u8>,
}

fn head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let bytes = argument.to_be_bytes();
    let (mark, width) = match argument {
        0..24 => return out.push(major << 5 | argument as u8),
        24..0x100 => (24, 1),
        0x100..0x1_0000 => (25, 2),
        0x1_0000..0x1_0000_0000 => (26, 4),
        _ => (27, 8),
    };
    out.push(major << 5 | mark);
    out.extend(bytes.iter().skip(8 - width));
}

fn integer(out: &mut Vec<u8>, integer: i128) {
    // A negative integer stands as -1 - n.
    let (major, magnitude) = if integer < 0 { (1, !integer) } else { (0, integer) };
    if let Ok(small) = u64::try_from(magnitude) {
        return head(out, major, small);
    }
    let digits: Vec<u8> = magnitude.to_be_bytes().into_iter().skip_while(|&byte| byte == 0).collect();
    head(out, 6, 2 + u64::from(major));
    head(out, 2, digits.len() as u64);
    out.extend(digits);
}

fn float(out: &mut Vec<u8>, float: Float) {
    if float.is_nan() {
        out.extend([0xf9, 0x7e, 0]);
    } else if let Some(bits) = float.to_f16_bits_exact() {
        out.push(0xf9);
        out.extend(bits.to_be_bytes());
    } else if let Some(bits) = float.to_f32_bits_exact() {
        out.push(0xfa);
        out.extend(bits.to_be_bytes());
    } else {
        out.push(0xfb);
        out.extend(float.to_bits().to_be_bytes());
    }
}

impl Encoder<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> Option<()> {
        self.values += 1;
        if self.values > self.form.values {
            return None;
        }
        let out = &mut self.out;
        match value {
            Value::Nil => out.push(0xf6),
            Value::Bool(truth) => out.push(0xf4 + u8::from(*truth)),
            Value::Number(number) => {
                if number.scale() > 0 {
                    head(out, 6, 4);
                    head(out, 4, 2);
                    integer(out, -i128::from(number.scale()));
                }
                integer(out, number.coefficient());
            }
            Value::Float(number) => float(out, *number),
            Value::Fixed(fixed) => {
                let (mut mantissa, mut exponent) = (fixed.to_bits(), -64);
                while exponent < 0 && mantissa % 2 == 0 {
                    (mantissa, exponent) = (mantissa / 2, exponent + 1);
                }
                head(out, 6, 5);
                head(out, 4, 2);
                integer(out, exponent);
                integer(out, mantissa);
            }
            Value::String(text) => self.string(text)?,
            Value::Bytes(bytes) => {
                head(out, 2, bytes.len() as u64);
                out.extend_from_slice(bytes);
            }
            Value::Table(_) if depth >= DEPTH => return None,
            Value::Table(place) => self.table(self.tables.get(*place)?, depth + 1)?,
            Value::Function(_) | Value::Closure(_) => return None,
        }
        Some(())
    }

    fn string(&mut self, content: &[u8]) -> Option<()> {
        let is_text = str::from_utf8(content).is_ok();
        if self.form.is_normal {
            let normal = text::normalize(content).ok()?;
            head(&mut self.out, 3, normal.len() as u64);
            self.out.extend_from_slice(&normal);
        } else if is_text {
            head(&mut self.out, 3, content.len() as u64);
            self.out.extend_from_slice(content);
        } else {
            head(&mut self.out, 6, 27506);
            head(&mut self.out, 2, content.len() as u64);
            self.out.extend_from_slice(content);
        }
        Some(())
    }

    /// What something is encoded to, apart from the rest.
    fn apart(&mut self, encode: impl FnOnce(&mut Self) -> Option<()>) -> Option<Vec<u8>> {
        let before = std::mem::take(&mut self.out);
        encode(self)?;
        Some(std::mem::replace(&mut self.out, before))
    }

    fn table(&mut self, table: &Table, depth: usize) -> Option<()> {
        let count = table.entries.len() as u64;
        if table.is_set {
            return self.set(table);
        }
        if table.is_list() {
            head(&mut self.out, 4, count);
            return table.entries.values().try_for_each(|item| self.value(item, depth));
        }
        let mut entries = BTreeMap::new();
        for (key, value) in &table.entries {
            let key = self.apart(|encoder| encoder.value(&key.to_value(), depth))?;
            let value = self.apart(|encoder| encoder.value(value, depth))?;
            if entries.insert(key, value).is_some() {
                return None;
            }
        }
        head(&mut self.out, 5, count);
        entries.into_iter().for_each(|(key, value)| self.out.extend(key.into_iter().chain(value)));
        Some(())
    }

    /// Members in canonical order, which normalizing may change among strings.
    fn set(&mut self, table: &Table) -> Option<()> {
        head(&mut self.out, 6, 258);
        head(&mut self.out, 4, table.entries.len() as u64);
        let mut texts = BTreeMap::new();
        for key in table.entries.keys() {
            let member = self.apart(|encoder| encoder.value(&key.to_value(), 0))?;
            match key.to_value() {
                Value::String(content) => {
                    let normal =
                        if self.form.is_normal { text::normalize(&content).ok()?.to_vec() } else { content.to_vec() };
                    if texts.insert(normal, member).is_some() {
                        return None;
                    }
                }
                _ => self.out.extend(member),
            }
        }
        texts.into_values().for_each(|member| self.out.extend(member));
        Some(())
    }
}
