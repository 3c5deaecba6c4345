//! The evaluator's values: plain enums, and tables that are ordered maps.

use kerai_compiler::ir::FunctionId;
use kerai_vm::number::{Fixed, Float, Number};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A value. Tables and closures are places in the evaluator's lists of them, which are their identity.
#[derive(Debug, Clone)]
pub enum Value {
    Nil,
    Bool(bool),
    Number(Number),
    Float(Float),
    Fixed(Fixed),
    String(Rc<[u8]>),
    Bytes(Rc<[u8]>),
    Table(usize),
    Function(FunctionId),
    Closure(usize),
}

impl Value {
    #[must_use]
    pub fn integer(value: i64) -> Value {
        Value::Number(Number::from_i64(value))
    }

    #[must_use]
    pub fn text(text: &str) -> Value {
        Value::String(text.as_bytes().into())
    }

    #[must_use]
    pub const fn is_nil(&self) -> bool {
        matches!(self, Value::Nil)
    }

    /// Whether a condition holds.
    #[must_use]
    pub const fn is_true(&self) -> bool {
        !matches!(self, Value::Nil | Value::Bool(false))
    }

    #[must_use]
    pub const fn is_numeric(&self) -> bool {
        matches!(self, Value::Number(_) | Value::Float(_) | Value::Fixed(_))
    }
}

/// The order of two numbers by their mathematical value; none where one is NaN, or no number.
#[must_use]
pub fn numeric_order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => Some(a.units().cmp(&b.units())),
        (Value::Float(a), Value::Float(b)) => a.to_f64().partial_cmp(&b.to_f64()),
        (Value::Fixed(a), Value::Fixed(b)) => Some(a.to_bits().cmp(&b.to_bits())),
        (Value::Number(a), Value::Float(b)) => a.compare_float_bits(b.to_bits()),
        (Value::Fixed(a), Value::Float(b)) => a.compare_float_bits(b.to_bits()),
        (Value::Fixed(a), Value::Number(b)) => Some(a.compare_number(*b)),
        (Value::Float(_), Value::Number(_) | Value::Fixed(_)) | (Value::Number(_), Value::Fixed(_)) => {
            numeric_order(b, a).map(Ordering::reverse)
        }
        _ => None,
    }
}

/// A key in its one form: what equals an exact number is that number, else what equals a float is that float.
#[derive(Debug, Clone)]
pub enum Key {
    Bool(bool),
    Numeric(Value),
    String(Rc<[u8]>),
}

impl Key {
    /// The key that a value is; none where it can't be one.
    #[must_use]
    pub fn of(value: &Value) -> Option<Key> {
        match value {
            Value::Bool(truth) => Some(Key::Bool(*truth)),
            Value::String(text) => Some(Key::String(text.clone())),
            Value::Number(_) => Some(Key::Numeric(value.clone())),
            Value::Float(float) if float.is_nan() => None,
            Value::Float(float) => Some(Key::Numeric(exact_of_float(*float).unwrap_or(Value::Float(*float)))),
            Value::Fixed(fixed) => {
                let float = Value::Float(Float::from_bits(fixed.to_float_bits()));
                let is_float = numeric_order(value, &float) == Some(Ordering::Equal);
                let other = if is_float { float } else { value.clone() };
                Some(Key::Numeric(fixed.to_number_exact().map_or(other, Value::Number)))
            }
            Value::Nil | Value::Bytes(_) | Value::Table(_) | Value::Function(_) | Value::Closure(_) => None,
        }
    }

    #[must_use]
    pub fn integer(position: i64) -> Key {
        Key::Numeric(Value::integer(position))
    }

    #[must_use]
    pub fn to_value(&self) -> Value {
        match self {
            Key::Bool(truth) => Value::Bool(*truth),
            Key::Numeric(number) => number.clone(),
            Key::String(text) => Value::String(text.clone()),
        }
    }

    const fn rank(&self) -> u8 {
        match self {
            Key::Bool(_) => 0,
            Key::Numeric(_) => 1,
            Key::String(_) => 2,
        }
    }
}

/// The exact number that a float equals.
fn exact_of_float(float: Float) -> Option<Value> {
    let number = Number::from_float_bits(float.to_bits()).ok()?;
    let is_equal = number.compare_float_bits(float.to_bits()) == Some(Ordering::Equal);
    is_equal.then_some(Value::Number(number))
}

// Canonical order.
impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        match (self, other) {
            (Key::Bool(a), Key::Bool(b)) => a.cmp(b),
            (Key::Numeric(a), Key::Numeric(b)) => numeric_order(a, b).unwrap_or(Ordering::Equal),
            (Key::String(a), Key::String(b)) => a.cmp(b),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Key {}

/// A list, map or set: its entries, those of null values included.
#[derive(Debug, Clone, Default)]
pub struct Table {
    pub entries: BTreeMap<Key, Value>,
    pub is_set: bool,
    /// What it is as long as it has no entries.
    pub is_list_when_empty: bool,
}

impl Table {
    /// The values at 1 and onwards, nil kept.
    #[must_use]
    pub fn list(items: Vec<Value>) -> Table {
        let entries = (1..).map(Key::integer).zip(items).collect();
        Table { entries, is_list_when_empty: true, ..Table::default() }
    }

    #[must_use]
    pub fn set(members: impl IntoIterator<Item = Key>) -> Table {
        let entries = members.into_iter().map(|member| (member, Value::Nil)).collect();
        Table { entries, is_set: true, ..Table::default() }
    }

    /// Whether the keys are exactly 1 to n.
    #[must_use]
    pub fn is_list(&self) -> bool {
        if self.entries.is_empty() {
            return self.is_list_when_empty;
        }
        !self.is_set && (1..).map(Key::integer).zip(self.entries.keys()).all(|(position, key)| position == *key)
    }

    #[must_use]
    pub fn kind(&self) -> &'static str {
        match (self.is_set, self.is_list()) {
            (true, _) => "set",
            (false, true) => "list",
            (false, false) => "map",
        }
    }

    /// What stands at a key, nil where nothing does, and where it can't be one.
    #[must_use]
    pub fn get(&self, key: &Value) -> Value {
        let found = Key::of(key).and_then(|key| self.entries.get(&key));
        found.filter(|_| !self.is_set).cloned().unwrap_or(Value::Nil)
    }

    /// Puts a value at a key; nil takes the key away.
    pub fn put(&mut self, key: Key, value: Value) {
        if !value.is_nil() {
            self.entries.insert(key, value);
        } else if self.entries.remove(&key).is_some() && self.entries.is_empty() {
            self.is_list_when_empty = key == Key::integer(1);
        }
    }

    /// The least n with nil behind it.
    #[must_use]
    pub fn length(&self) -> i64 {
        let is_filled =
            |position: &i64| self.entries.get(&Key::integer(*position)).is_some_and(|value| !value.is_nil());
        (1..).take_while(is_filled).count() as i64
    }
}
