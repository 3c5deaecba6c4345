//! Encoding: a program's one byte string, which is canonical CBOR.

use super::{Constant, Function, Program};
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
        let mut heap = Heap::new(0);
        let value = self.to_value(&mut heap);
        let mut bytes = Vec::new();
        cbor::encode(&heap, value, &Options::SNAPSHOT, &mut bytes)?;
        Ok(bytes)
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
        let fields = [
            ("profile", Value::integer(self.profile.into())),
            ("kind", heap.string(self.kind.name().as_bytes())),
            ("constants", heap.list(&constants)),
            ("functions", heap.list(&functions)),
            ("exports", record(heap, &exports)),
            ("limits", record(heap, &limits)),
            ("rules", heap.list(&rules)),
        ];
        record(heap, &fields)
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
            Constant::Fixed(bits) => heap.fixed(Fixed::from_bits(*bits)),
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
