//! Keys: what a table can be indexed by and a set can hold, in one form a value.

use crate::number::{Fixed, Float, Number};
use core::cmp::Ordering;

/// A key in its one form: a float or fixed-point number that equals an exact number *is* that number.
#[derive(Debug, Clone, Copy)]
pub enum Key<'a> {
    Bool(bool),
    Number(Number),
    Float(Float),
    Fixed(Fixed),
    String(&'a [u8]),
}

/// Why a value is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyFault {
    /// Nil, bytes, lists, maps, sets.
    Kind,
    Nan,
}

impl Key<'_> {
    /// The key that a float is.
    ///
    /// # Errors
    /// NaN equals nothing, not even itself, so it can't be found again.
    pub fn from_float(float: Float) -> Result<Key<'static>, KeyFault> {
        if float.is_nan() {
            return Err(KeyFault::Nan);
        }
        Ok(Number::from_float_bits(float.to_bits()).map_or(Key::Float(float), Key::Number))
    }

    /// The key that a fixed-point number is.
    #[must_use]
    pub fn from_fixed(fixed: Fixed) -> Key<'static> {
        if let Some(number) = fixed.to_number_exact() {
            return Key::Number(number);
        }
        // Beyond 18 places a float may still equal it: then both must find the same entry.
        let float = Float::from_bits(fixed.to_float_bits());
        if fixed.compare_float_bits(float.to_bits()) == Some(Ordering::Equal) {
            Key::Float(float)
        } else {
            Key::Fixed(fixed)
        }
    }

    /// Canonical order: booleans, numeric value, strings bytewise. Keys in their one form never tie across kinds.
    #[must_use]
    pub fn order(&self, other: &Key<'_>) -> Ordering {
        match (self, other) {
            (Key::Bool(a), Key::Bool(b)) => a.cmp(b),
            (Key::String(a), Key::String(b)) => a.cmp(b),
            (Key::Bool(_), _) | (_, Key::String(_)) => Ordering::Less,
            (_, Key::Bool(_)) | (Key::String(_), _) => Ordering::Greater,
            (Key::Number(a), Key::Number(b)) => a.cmp(b),
            (Key::Number(a), Key::Float(b)) => a.compare_float_bits(b.to_bits()).unwrap_or(Ordering::Less),
            (Key::Float(a), Key::Number(b)) => b.compare_float_bits(a.to_bits()).unwrap_or(Ordering::Less).reverse(),
            (Key::Number(a), Key::Fixed(b)) => b.compare_number(*a).reverse(),
            (Key::Fixed(a), Key::Number(b)) => a.compare_number(*b),
            (Key::Float(a), Key::Float(b)) => a.total_compare(*b),
            (Key::Float(a), Key::Fixed(b)) => b.compare_float_bits(a.to_bits()).unwrap_or(Ordering::Less).reverse(),
            (Key::Fixed(a), Key::Float(b)) => a.compare_float_bits(b.to_bits()).unwrap_or(Ordering::Less),
            (Key::Fixed(a), Key::Fixed(b)) => a.to_bits().cmp(&b.to_bits()),
        }
    }
}
