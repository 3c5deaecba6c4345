//! Arguments by chance: data as hosts give it, null and sets included.
#![expect(clippy::wildcard_enum_match_arm, reason = "the arms name the kinds that have values")]

use super::Soft;
use super::builtin::{POINTS, language};
use super::expression::TEXTS;
use crate::evaluator::{Form, Key, Table, Value, encode};
use crate::property::Random;
use kerai_vm::number::{Fixed, Float, Number};

/// Arguments as the evaluator takes them, and as the canonical CBOR of each.
#[derive(Debug, Clone, Default)]
pub struct Input {
    pub tables: Vec<Table>,
    pub arguments: Vec<Value>,
}

impl Input {
    /// The arguments as bytes that the machine reads.
    ///
    /// # Panics
    /// If an argument can't be encoded, which none is.
    #[must_use]
    pub fn encoded(&self) -> Vec<Vec<u8>> {
        let form = Form { is_normal: false, values: usize::MAX };
        let bytes = |argument| encode(&self.tables, argument, form).expect("arguments are data");
        self.arguments.iter().map(bytes).collect()
    }
}

/// Arguments that probably are what the parameters want.
pub fn input(random: &mut Random, parameters: &[Soft]) -> Input {
    let mut input = Input::default();
    let count = if random.below(20) == 0 { random.below(5) as usize } else { parameters.len() };
    for &soft in parameters.iter().chain(core::iter::repeat(&Soft::Any)).take(count) {
        let soft = if random.below(30) == 0 { Soft::Any } else { soft };
        let value = value(random, soft, &mut input.tables, 2);
        input.arguments.push(value);
    }
    input
}

fn value(random: &mut Random, soft: Soft, tables: &mut Vec<Table>, depth: u32) -> Value {
    let soft = if soft == Soft::Any || soft == Soft::Function { *random.pick(Soft::DATA) } else { soft };
    match soft {
        Soft::Number if random.below(4) == 0 => {
            let (coefficient, scale) = (i128::from(random.below(40_000) as i64 - 20_000), random.below(5) as u32);
            Value::Number(Number::new(coefficient, scale).unwrap_or(Number::ZERO))
        }
        Soft::Number if random.below(6) == 0 => {
            Value::integer(*random.pick(&[i64::MAX, i64::MIN, 1 << 31, 32_767, 32_768, -32_769, 63, 64, 210, 25]))
        }
        Soft::Number => Value::integer(random.below(12) as i64 - 3),
        Soft::Float => Value::Float(Float::from_f64(*random.pick(&[0.0, -0.0, 1.5, -2.25, 1e22, f64::NAN]))),
        Soft::Fixed => Value::Fixed(Fixed::from_bits(*random.pick(&[0, 1 << 64, 1 << 63, -(3 << 62), 12_345]))),
        Soft::Text if random.below(2) == 0 => Value::String((*random.pick(TEXTS)).into()),
        Soft::Pattern | Soft::Format | Soft::Document | Soft::Path | Soft::Network => {
            Value::String((*random.pick::<&[u8]>(language(soft))).into())
        }
        Soft::Point => Value::integer(*random.pick(POINTS)),
        Soft::Generator => {
            tables.push(Table::list(vec![Value::text("seed"), Value::integer(random.below(3) as i64)]));
            Value::Table(tables.len() - 1)
        }
        Soft::Text => {
            Value::text(random.pick::<&str>(&["", "a", "b", "name", "12.5", "é", "a longer text than fourteen"]))
        }
        Soft::Bytes => Value::Bytes([1, 2, 3].into()),
        Soft::Bool => Value::Bool(random.below(2) == 0),
        Soft::Small => Value::integer(random.below(8) as i64 - 2),
        Soft::Set => {
            let count = random.below(4) as i64;
            tables.push(Table::set((0..count).map(Key::integer)));
            Value::Table(tables.len() - 1)
        }
        Soft::List | Soft::Map if depth > 0 => {
            let table = table(random, soft, tables, depth - 1);
            tables.push(table);
            Value::Table(tables.len() - 1)
        }
        _ => Value::Nil,
    }
}

fn table(random: &mut Random, soft: Soft, tables: &mut Vec<Table>, depth: u32) -> Table {
    let count = random.below(5);
    if random.below(20) == 0 {
        return Table::set((0..count as i64).map(Key::integer));
    }
    // Lists of numbers or of texts can be sorted.
    let items = *random.pick(&[Soft::Number, Soft::Number, Soft::Text, Soft::Any]);
    let values: Vec<Value> = (0..count).map(|_| value(random, items, tables, depth)).collect();
    if soft == Soft::List {
        return Table::list(values);
    }
    let keys: [&str; 6] = ["a", "b", "name", "amount", "é", "a longer key than fourteen"];
    let mut table = Table::default();
    for value in values {
        let text = Value::text(random.pick::<&str>(&keys));
        let key = if random.below(6) == 0 { Value::integer(random.below(4) as i64) } else { text };
        table.entries.extend(Key::of(&key).map(|key| (key, value)));
    }
    table
}
