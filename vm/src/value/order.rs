//! Canonical order: nil, false, true, numeric value, strings, bytes, then lists, maps and sets elementwise.

use super::table::Layout;
use super::{Heap, Kind, Value};
use core::cmp::Ordering;

/// Where a kind stands; the numeric kinds share a place and compare by value.
const fn rank(kind: Kind) -> u8 {
    match kind {
        Kind::Nil => 0,
        Kind::Bool => 1,
        Kind::Number | Kind::Float | Kind::Fixed => 2,
        Kind::String => 3,
        Kind::Bytes => 4,
        Kind::List => 5,
        Kind::Map => 6,
        Kind::Set => 7,
        Kind::Function => 8,
    }
}

/// A short string as two numbers that compare as its bytes do: content before zeros, then length.
fn short_text(value: Value) -> Option<(u128, u8)> {
    value.is_short_string().then(|| ((value.window() >> 16).swap_bytes(), value.second_byte()))
}

impl Heap {
    /// The canonical order of two values of one heap. Equal only where no operation tells them apart.
    ///
    /// Recursion is bounded by the depth of the values, which decoders and the machine limit.
    #[must_use]
    pub fn order(&self, a: Value, b: Value) -> Ordering {
        if let (Some(a), Some(b)) = (short_text(a), short_text(b)) {
            return a.cmp(&b);
        }
        let (kind_a, kind_b) = (self.kind(a), self.kind(b));
        let by_rank = rank(kind_a).cmp(&rank(kind_b));
        if by_rank != Ordering::Equal {
            return by_rank;
        }
        match kind_a {
            Kind::Nil => Ordering::Equal,
            Kind::Bool => a.as_bool().cmp(&b.as_bool()),
            // Among numerically equal values the kind decides, in the order of its declaration: so the order is total.
            Kind::Number | Kind::Float | Kind::Fixed => {
                self.order_numeric(a, b).then((kind_a as u8).cmp(&(kind_b as u8)))
            }
            Kind::String => self.as_string(&a).cmp(&self.as_string(&b)),
            Kind::Bytes => self.as_bytes(a).cmp(&self.as_bytes(b)),
            Kind::List | Kind::Set => self.order_items(a, b),
            // By age, which is the same on every run.
            Kind::Function => (a.tag() as u8, a.body()).cmp(&(b.tag() as u8, b.body())),
            Kind::Map => self.order_maps(a, b),
        }
    }

    /// Whether no operation tells the two values apart.
    #[must_use]
    pub fn is_same(&self, a: Value, b: Value) -> bool {
        self.kind(a) == self.kind(b) && self.order(a, b) == Ordering::Equal
    }

    fn order_numeric(&self, a: Value, b: Value) -> Ordering {
        if let (Some(a), Some(b)) = (a.as_i64(), b.as_i64()) {
            return a.cmp(&b);
        }
        match (a.as_float(), b.as_float()) {
            (Some(a), Some(b)) => return a.total_compare(b),
            (Some(a), None) if a.is_nan() => return Ordering::Greater,
            (None, Some(b)) if b.is_nan() => return Ordering::Less,
            (Some(float), None) => return self.order_with_float(b, float.to_bits()).reverse(),
            (None, Some(float)) => return self.order_with_float(a, float.to_bits()),
            (None, None) => {}
        }
        match (self.as_number(a), self.as_number(b), self.as_fixed(a), self.as_fixed(b)) {
            (Some(a), Some(b), ..) => a.cmp(&b),
            (Some(a), _, _, Some(b)) => b.compare_number(a).reverse(),
            (_, Some(b), Some(a), _) => a.compare_number(b),
            (_, _, Some(a), Some(b)) => a.to_bits().cmp(&b.to_bits()),
            _ => Ordering::Equal,
        }
    }

    /// A number or fixed-point number against a float that is not NaN.
    fn order_with_float(&self, exact: Value, bits: u64) -> Ordering {
        let by_number = self.as_number(exact).and_then(|number| number.compare_float_bits(bits));
        let by_fixed = || self.as_fixed(exact).and_then(|fixed| fixed.compare_float_bits(bits));
        by_number.or_else(by_fixed).unwrap_or(Ordering::Equal)
    }

    fn order_items(&self, a: Value, b: Value) -> Ordering {
        let (a, b) = (self.items(a).unwrap_or_default(), self.items(b).unwrap_or_default());
        let differing = a.iter().zip(b).map(|(&a, &b)| self.order(a, b)).find(|order| order.is_ne());
        differing.unwrap_or_else(|| a.len().cmp(&b.len()))
    }

    fn order_maps(&self, a: Value, b: Value) -> Ordering {
        if let (Some(Layout::Record(shape, slots_a)), Some(Layout::Record(shape_b, slots_b))) =
            (self.layout(a), self.layout(b))
            && core::ptr::eq(shape, shape_b)
        {
            let pair = |&slot: &u8| Some((*slots_a.get(usize::from(slot))?, *slots_b.get(usize::from(slot))?));
            return shape
                .text_order
                .iter()
                .filter_map(pair)
                .map(|(a, b)| self.order(a, b))
                .find(|order| order.is_ne())
                .unwrap_or(Ordering::Equal);
        }
        let (a, b) = (self.entries(a).unwrap_or_default(), self.entries(b).unwrap_or_default());
        let differing = a
            .iter()
            .zip(&b)
            .map(|(a, b)| self.order(a.0, b.0).then_with(|| self.order(a.1, b.1)))
            .find(|order| order.is_ne());
        differing.unwrap_or_else(|| a.len().cmp(&b.len()))
    }
}
