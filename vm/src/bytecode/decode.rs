//! Decoding: canonical bytes to a program, or a refusal. What the code does is the verifier's affair.

use super::{
    Certificate, Class, Constant, Function, Grounds, Limits, Merging, Order, PROFILE, Program, ProgramKind, Rule, Word,
};
use crate::encoding::{Options, cbor};
use crate::limit::{self, Limit};
use crate::refusal::{Code, Refusal};
use crate::value::{Heap, Key, Kind, Value};
use std::collections::BTreeMap;

impl Program {
    /// Decodes a program; `encode` gives the same bytes again.
    ///
    /// # Errors
    /// Where the bytes are not canonical CBOR, with their offset, or not the map that a program is.
    pub fn decode(bytes: &[u8]) -> Result<Program, Refusal> {
        let mut heap = Heap::new(0);
        let value = cbor::decode(&mut heap, bytes, &Options::SNAPSHOT)?;
        let mut reader = Reader { heap: &mut heap };
        reader.program(value).ok_or_else(|| Refusal::new(Code::PROGRAM_FIELD, 0)).and_then(checked)
    }
}

/// The limits that a program can pass while it is well formed.
fn checked(program: Program) -> Result<Program, Refusal> {
    let refuse = |code, limit| Err(Refusal::over(code, 0, limit));
    if program.profile != PROFILE {
        return Err(Refusal::new(Code::PROGRAM_PROFILE, 0));
    }
    if let Some((_, _, limit)) = program.limits.named().into_iter().find(|(_, value, limit)| *value > limit.value) {
        return refuse(Code::PROGRAM_LIMIT, limit);
    }
    let over = |count: usize, limit: Limit| count as u64 > limit.value;
    if over(program.functions.len(), limit::PROGRAM_FUNCTIONS) {
        return refuse(Code::PROGRAM_SIZE, limit::PROGRAM_FUNCTIONS);
    }
    for function in &program.functions {
        if over(function.code.len(), limit::PROGRAM_CODE) {
            return refuse(Code::PROGRAM_SIZE, limit::PROGRAM_CODE);
        }
        if over(function.registers.into(), limit::PROGRAM_REGISTERS) {
            return refuse(Code::PROGRAM_SIZE, limit::PROGRAM_REGISTERS);
        }
    }
    Ok(program)
}

/// Takes values apart; `None` is a part that is missing, unknown or of the wrong kind.
struct Reader<'h> {
    heap: &'h mut Heap,
}

impl Reader<'_> {
    /// The values of a map that has these text keys and no others.
    fn fields<const N: usize>(&mut self, value: Value, names: [&str; N]) -> Option<[Value; N]> {
        let (fields, []) = self.fields_and(value, names, [])?;
        Some(fields)
    }

    /// The values of a map that has these text keys, may have those, and has no others.
    fn fields_and<const N: usize, const M: usize>(
        &mut self,
        value: Value,
        names: [&str; N],
        more: [&str; M],
    ) -> Option<([Value; N], [Option<Value>; M])> {
        if self.heap.kind(value) != Kind::Map {
            return None;
        }
        let mut field = |name: &str| {
            let key = self.heap.key(Key::String(name.as_bytes()));
            self.heap.get(value, key)
        };
        let mut fields = [Value::NIL; N];
        for (place, name) in fields.iter_mut().zip(names) {
            *place = field(name)?;
        }
        let more = more.map(field);
        let count = N + more.iter().flatten().count();
        (self.heap.count(value) == Some(count)).then_some((fields, more))
    }

    fn program(&mut self, value: Value) -> Option<Program> {
        let names = ["profile", "kind", "constants", "functions", "exports", "limits", "rules"];
        let ([profile, kind, constants, functions, exports, limits, rules], merging) =
            self.fields_and(value, names, ["order", "key", "certificate"])?;
        Some(Program {
            profile: number(profile)?,
            kind: self.kind(kind)?,
            constants: self.each(constants, Reader::constant)?,
            functions: self.each(functions, Reader::function)?,
            exports: self.exports(exports)?,
            limits: self.limits(limits)?,
            rules: self.each(rules, Reader::rule)?,
            merging: self.merging(merging)?,
        })
    }

    fn each<T>(&mut self, list: Value, read: impl Fn(&mut Self, Value) -> Option<T>) -> Option<Vec<T>> {
        self.items(list)?.into_iter().map(|item| read(self, item)).collect()
    }

    fn items(&self, list: Value) -> Option<Vec<Value>> {
        if self.heap.kind(list) == Kind::List { self.heap.items(list).map(<[Value]>::to_vec) } else { None }
    }

    fn parts<const N: usize>(&self, list: Value) -> Option<[Value; N]> {
        self.items(list)?.try_into().ok()
    }

    /// Text, which unlike a string constant must be canonical.
    fn text(&self, value: Value) -> Option<String> {
        let content = self.heap.as_string(&value)?;
        crate::encoding::text::check(content).ok()?;
        String::from_utf8(content.to_vec()).ok()
    }

    fn kind(&self, value: Value) -> Option<ProgramKind> {
        let name = self.text(value)?;
        ProgramKind::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    fn constant(&mut self, value: Value) -> Option<Constant> {
        match self.heap.kind(value) {
            Kind::Number => self.heap.as_number(value).map(Constant::Number),
            Kind::Float => value.as_float().map(Constant::float),
            Kind::Fixed => self.heap.as_fixed(value).map(Constant::fixed),
            Kind::String => self.heap.as_string(&value).map(|text| Constant::String(text.into())),
            Kind::Bytes => self.heap.as_bytes(value).map(|bytes| Constant::Bytes(bytes.to_vec())),
            Kind::Nil | Kind::Bool | Kind::List | Kind::Map | Kind::Set | Kind::Function => None,
        }
    }

    fn function(&mut self, value: Value) -> Option<Function> {
        let [parameters, is_variadic, registers, captures, code] = self.parts(value)?;
        let (words, rest) = self.heap.as_bytes(code)?.as_chunks::<{ Word::BYTES }>();
        if !rest.is_empty() {
            return None;
        }
        Some(Function {
            parameters: number(parameters)?,
            is_variadic: is_variadic.as_bool()?,
            registers: number(registers)?,
            captures: number(captures)?,
            code: words.iter().map(|word| Word(u64::from_le_bytes(*word))).collect(),
        })
    }

    fn exports(&self, value: Value) -> Option<BTreeMap<String, u32>> {
        if self.heap.kind(value) != Kind::Map {
            return None;
        }
        let entry = |(name, index)| Some((self.text(name)?, number(index)?));
        self.heap.entries(value)?.into_iter().map(entry).collect()
    }

    fn limits(&mut self, value: Value) -> Option<Limits> {
        let [depth, gas, memory, output] = self.fields(value, Limits::DEFAULT.named().map(|(name, ..)| name))?;
        Some(Limits { gas: number(gas)?, memory: number(memory)?, depth: number(depth)?, output: number(output)? })
    }

    /// What goes without saying is not said, so that it has one form.
    fn merging(&mut self, [order, key, certificate]: [Option<Value>; 3]) -> Option<Merging> {
        let mut merging = Merging::default();
        if let Some(order) = order {
            let name = self.text(order)?;
            let mut orders = Order::ALL.iter().copied().filter(|order| *order != Order::default());
            merging.order = orders.find(|order| order.name() == name)?;
        }
        if let Some(key) = key {
            merging.key = self.each(key, |reader, name| reader.text(name))?;
        }
        if let Some(certificate) = certificate {
            merging.certificate = Some(self.certificate(certificate)?);
        }
        Some(merging)
    }

    fn certificate(&mut self, value: Value) -> Option<Certificate> {
        let parts = self.items(value)?;
        let [class, grounds, numbers @ ..] = parts.as_slice() else { return None };
        let (class, grounds) = (self.text(*class)?, self.text(*grounds)?);
        let numbers: Vec<u64> = numbers.iter().map(|&value| number(value)).collect::<Option<_>>()?;
        let class = Class::ALL.iter().copied().find(|known| known.name() == class)?;
        Some(Certificate { class, grounds: Grounds::of(&grounds, &numbers)? })
    }

    fn rule(&mut self, value: Value) -> Option<Rule> {
        let [id, reason] = self.parts(value)?;
        Some(Rule { id: self.text(id)?.into(), reason: self.text(reason)?.into() })
    }
}

/// A non-negative integer of the width that is wanted.
fn number<T: TryFrom<i64>>(value: Value) -> Option<T> {
    T::try_from(value.as_i64()?).ok()
}
