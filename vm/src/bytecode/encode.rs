//! Encoding: a program's one byte string, which is canonical CBOR.

use super::{Certificate, Constant, Function, Merging, Order, Program};
use crate::encoding::root::Root;
use crate::encoding::{Options, cbor};
use crate::number::{Fixed, Float};
use crate::refusal::Refusal;
use crate::value::{Heap, Key, Value};

impl Program {
    /// The canonical bytes, which are what is hashed.
    ///
    /// # Errors
    /// Where a part passes the limits on data.
    pub fn encode(&self) -> Result<Vec<u8>, Refusal> {
        /// What most values take beside their content, at most, and what names take.
        const BESIDE: usize = 4;
        const NAMES: usize = 256;
        let mut heap = Heap::new(0);
        let (parts, content) = self.extent();
        heap.reserve(content, parts);
        let value = self.to_value(&mut heap);
        let mut bytes = Vec::with_capacity(content + parts * BESIDE + NAMES);
        cbor::encode(&heap, value, &Options::SNAPSHOT, &mut bytes)?;
        Ok(bytes)
    }

    /// About how many values it is encoded from, and how many bytes are in them.
    fn extent(&self) -> (usize, usize) {
        let constants = self.constants.iter().map(|constant| match constant {
            Constant::String(text) => text.len(),
            Constant::Bytes(bytes) => bytes.len(),
            Constant::Number(_) | Constant::Float(_) | Constant::Fixed(_) => 0,
        });
        let code = self.functions.iter().map(|function| size_of_val(function.code.as_slice()));
        let rules = self.rules.iter().map(|rule| rule.id.len() + rule.reason.len());
        let parts = constants.len() + code.len() * 6 + rules.len() * 3;
        (parts, constants.chain(code).chain(rules).sum())
    }

    /// The program's identity.
    ///
    /// # Errors
    /// As [`Program::encode`].
    pub fn root(&self) -> Result<Root, Refusal> {
        Ok(Root::of_program(&self.encode()?))
    }

    fn to_value(&self, heap: &mut Heap) -> Value {
        let constants: Vec<Value> = self.constants.iter().map(|constant| constant.to_value(heap)).collect();
        let functions: Vec<Value> = self.functions.iter().map(|function| function.to_value(heap)).collect();
        let exports: Vec<(&str, Value)> =
            self.exports.iter().map(|(name, &index)| (name.as_str(), Value::integer(index.into()))).collect();
        let limits = self.limits.named().map(|(name, value, _)| (name, Value::integer(value.cast_signed())));
        let rules: Vec<Value> = self
            .rules
            .iter()
            .map(|rule| {
                let parts = [heap.string(rule.id.as_bytes()), heap.string(rule.reason.as_bytes())];
                heap.list(&parts)
            })
            .collect();
        let mut fields = vec![
            ("profile", Value::integer(self.profile.into())),
            ("kind", heap.string(self.kind.name().as_bytes())),
            ("constants", heap.list(&constants)),
            ("functions", heap.list(&functions)),
            ("exports", record(heap, &exports)),
            ("limits", record(heap, &limits)),
            ("rules", heap.list(&rules)),
        ];
        fields.extend(self.merging.to_values(heap));
        record(heap, &fields)
    }
}

impl Merging {
    /// What is said and is not what goes without saying.
    fn to_values(&self, heap: &mut Heap) -> Vec<(&'static str, Value)> {
        let mut fields = Vec::new();
        if self.order != Order::default() {
            fields.push(("order", heap.string(self.order.name().as_bytes())));
        }
        if !self.key.is_empty() {
            let names: Vec<Value> = self.key.iter().map(|name| heap.string(name.as_bytes())).collect();
            fields.push(("key", heap.list(&names)));
        }
        if let Some(Certificate { class, grounds }) = self.certificate {
            let mut parts = vec![heap.string(class.name().as_bytes()), heap.string(grounds.name().as_bytes())];
            parts.extend(grounds.numbers().into_iter().map(|number| Value::integer(number.cast_signed())));
            fields.push(("certificate", heap.list(&parts)));
        }
        fields
    }
}

/// A map with text keys.
fn record(heap: &mut Heap, fields: &[(&str, Value)]) -> Value {
    let entries: Vec<(Value, Value)> =
        fields.iter().map(|&(name, value)| (heap.key(Key::String(name.as_bytes())), value)).collect();
    heap.map(&entries).unwrap_or(Value::NIL)
}

impl Constant {
    /// The value that an instruction loads.
    pub(crate) fn to_value(&self, heap: &mut Heap) -> Value {
        match self {
            Constant::Number(number) => heap.number(*number),
            Constant::Float(bits) => Value::float(Float::from_bits(*bits)),
            Constant::Fixed(bits) => heap.fixed(Fixed::from_bits(**bits)),
            Constant::String(text) => heap.shared_string(text),
            Constant::Bytes(bytes) => heap.bytes(bytes),
        }
    }
}

impl Function {
    fn to_value(&self, heap: &mut Heap) -> Value {
        let code: Vec<u8> = self.code.iter().flat_map(|word| word.0.to_le_bytes()).collect();
        let parts = [
            Value::integer(self.parameters.into()),
            Value::bool(self.is_variadic),
            Value::integer(self.registers.into()),
            Value::integer(self.captures.into()),
            heap.bytes(&code),
        ];
        heap.list(&parts)
    }
}
