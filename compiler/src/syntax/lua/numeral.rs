//! What a numeral stands for: an exact number, or where the source says `--!numeric float`, what stock Lua reads.

use super::tree::{Numeral, NumeralKind};
use kerai_vm::number::{Float, Number, NumberFault, parse_decimal};

/// The value of a numeral.
#[derive(Debug, Clone, Copy)]
pub enum NumeralValue {
    Exact(Number),
    Float(Float),
}

/// Why a numeral has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumeralFault {
    /// No exact number is it.
    Exact(NumberFault),
    /// A hexadecimal integer of more than 64 bits.
    Bits,
    /// Hexadecimal with a fraction or an exponent, which only floats have.
    HexFloat,
}

impl Numeral {
    /// The value, exact or as stock Lua reads it.
    ///
    /// # Errors
    /// No value is this numeral exactly; nothing is rounded or wrapped, but to a float where floats are wished.
    pub fn value(&self, is_float: bool) -> Result<NumeralValue, NumeralFault> {
        let float = || {
            Float::parse(self.text.as_bytes()).map(NumeralValue::Float).ok_or(NumeralFault::Exact(NumberFault::Syntax))
        };
        let exact = || parse_decimal(self.plain().as_bytes()).map_err(NumeralFault::Exact);
        match (self.kind, is_float) {
            (NumeralKind::HexInteger, _) => self.bits().map(|bits| NumeralValue::Exact(Number::from_i64(bits))),
            (NumeralKind::HexFloat, false) => Err(NumeralFault::HexFloat),
            (NumeralKind::Integer | NumeralKind::Decimal, false) => exact().map(NumeralValue::Exact),
            (NumeralKind::Integer, true) => match exact() {
                Ok(number) if number.to_i64().is_some() => Ok(NumeralValue::Exact(number)),
                Ok(_) | Err(_) => float(),
            },
            (NumeralKind::Decimal | NumeralKind::HexFloat, true) => float(),
        }
    }

    /// The integer with the bits that hexadecimal digits say, as in stock Lua: `0xffffffffffffffff` is -1.
    fn bits(&self) -> Result<i64, NumeralFault> {
        let digits = self.text.get(2..).unwrap_or_default().trim_start_matches('0');
        let digits = if digits.is_empty() { "0" } else { digits };
        u64::from_str_radix(digits, 16).map(u64::cast_signed).map_err(|_| NumeralFault::Bits)
    }

    /// The text without what Lua allows beyond plain decimals: `.5`, `5.` and zeros before.
    fn plain(&self) -> String {
        let mark = self.text.find(['e', 'E']).unwrap_or(self.text.len());
        let (mantissa, exponent) = self.text.split_at_checked(mark).unwrap_or((&self.text, ""));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let whole = match whole.trim_start_matches('0') {
            "" => "0",
            digits => digits,
        };
        match fraction {
            "" => format!("{whole}{exponent}"),
            digits => format!("{whole}.{digits}{exponent}"),
        }
    }
}

impl NumeralFault {
    /// What is wrong, after the numeral's text.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            NumeralFault::Exact(NumberFault::Places) => "has more than 18 decimal places",
            NumeralFault::Exact(NumberFault::Range) => "is out of range, which ends at about 1.7 times 10^20",
            NumeralFault::Exact(NumberFault::TextTooLong) => "has too many digits",
            NumeralFault::Exact(_) => "is no exact number",
            NumeralFault::Bits => "has more than 64 bits",
            NumeralFault::HexFloat => "is a hexadecimal float",
        }
    }

    /// What to do.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            NumeralFault::Exact(NumberFault::Places) => "round it to 18 places, or write `float(…)` around its text",
            NumeralFault::Exact(_) => "write a smaller number, or `float(…)` around its text",
            NumeralFault::Bits => "write at most 16 hexadecimal digits",
            NumeralFault::HexFloat => "write it in decimal, or `--!numeric float` at the top of the source",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::literal::numeral_kind;
    use super::*;

    /// The exact number, or the bits of the float.
    fn value(text: &str, is_float: bool) -> Result<Result<Number, u64>, NumeralFault> {
        let kind = numeral_kind(text).unwrap_or(NumeralKind::Integer);
        Numeral { text: text.into(), kind }.value(is_float).map(|value| match value {
            NumeralValue::Exact(number) => Ok(number),
            NumeralValue::Float(float) => Err(float.to_bits()),
        })
    }

    #[test]
    fn exact_numerals_keep_their_value() {
        let exact = |coefficient, scale| Number::new(coefficient, scale).map(Ok).map_err(NumeralFault::Exact);
        for (text, expected) in [
            ("007", exact(7, 0)),
            (".5", exact(5, 1)),
            ("5.", exact(5, 0)),
            ("1.50e1", exact(15, 0)),
            ("00.5e+1", exact(5, 0)),
            ("0xA", exact(10, 0)),
            ("0xffffffffffffffff", exact(-1, 0)),
            ("0x0000000000000000010", exact(16, 0)),
            ("0.000000000000000001", exact(1, 18)),
            ("0.0000000000000000001", Err(NumeralFault::Exact(NumberFault::Places))),
            ("999999999999999999999", Err(NumeralFault::Exact(NumberFault::Range))),
            ("0x10000000000000000", Err(NumeralFault::Bits)),
            ("0x.8", Err(NumeralFault::HexFloat)),
        ] {
            assert_eq!(value(text, false), expected, "{text}");
        }
    }

    #[test]
    fn floats_are_stock_luas() {
        let float = |value: f64| Ok(Err(value.to_bits()));
        assert_eq!(value("0x.8p1", true), float(1.0));
        assert_eq!(value("3.", true), float(3.0));
        assert_eq!(value("1e400", true), float(f64::INFINITY));
        assert_eq!(value("9223372036854775808", true), float(9_223_372_036_854_775_808.0));
        assert_eq!(value("9223372036854775807", true), Ok(Ok(Number::from_i64(i64::MAX))));
    }
}
