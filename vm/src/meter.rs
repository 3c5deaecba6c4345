//! The meter: what a run may still use. All counts are logical, so they are the same on every platform.

use crate::bytecode::Limits;
use crate::trap::TrapCode;
use crate::value::SHORT_STRING;

/// Bytes that a new table counts for, before its entries.
pub(crate) const TABLE: u64 = 64;
/// Bytes that a new entry of a table counts for.
pub(crate) const ENTRY: u64 = 48;
/// Bytes that a new string counts for beside its content.
pub(crate) const STRING: u64 = 16;
/// Bytes that a number counts for which does not fit a word, or a fixed-point number.
pub(crate) const WIDE: u64 = 16;
/// Bytes that a closure counts for, before what it keeps.
pub(crate) const CLOSURE: u64 = 32;
/// Bytes that a value counts for in a list of arguments or captures.
pub(crate) const VALUE: u64 = 16;

/// What is left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Meter {
    pub(crate) gas: u64,
    memory: u64,
    output: u64,
    /// Whether texts were put in order that don't lie in their values: a fold learns from it what to read ahead.
    pub(crate) has_ordered_texts: bool,
}

/// What is left of gas and output.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Left {
    pub(crate) gas: u64,
    pub(crate) output: u64,
}

impl Meter {
    pub(crate) const fn new(limits: Limits) -> Meter {
        Meter { gas: limits.gas, memory: limits.memory, output: limits.output, has_ordered_texts: false }
    }

    #[inline]
    pub(crate) fn charge(&mut self, gas: u64) -> Result<(), TrapCode> {
        self.gas = self.gas.checked_sub(gas).ok_or(TrapCode::GAS)?;
        Ok(())
    }

    #[inline]
    pub(crate) fn allocate(&mut self, bytes: u64) -> Result<(), TrapCode> {
        self.memory = self.memory.checked_sub(bytes).ok_or(TrapCode::MEMORY)?;
        Ok(())
    }

    /// Whether so much gas and so many bytes are left.
    pub(crate) const fn affords(&self, gas: u64, bytes: u64) -> bool {
        self.gas >= gas && self.memory >= bytes
    }

    pub(crate) fn emit(&mut self, bytes: u64) -> Result<(), TrapCode> {
        self.output = self.output.checked_sub(bytes).ok_or(TrapCode::OUTPUT)?;
        Ok(())
    }

    /// Charges for work on so many bytes, before it is done.
    pub(crate) fn charge_bytes(&mut self, bytes: usize) -> Result<(), TrapCode> {
        self.charge(bytes as u64 / 16)
    }

    /// Charges for telling which of two texts comes first, of which the shorter one has so many bytes, before it is done.
    pub(crate) fn charge_order(&mut self, bytes: usize) -> Result<(), TrapCode> {
        self.has_ordered_texts |= bytes > SHORT_STRING;
        self.charge_bytes(bytes)
    }

    /// Charges for sorting so many values, before it is done.
    pub(crate) fn charge_sort(&mut self, values: usize) -> Result<(), TrapCode> {
        self.charge(Meter::sorting(values))
    }

    /// The gas for sorting so many values.
    pub(crate) const fn sorting(values: usize) -> u64 {
        let values = values as u64;
        values.saturating_mul((u64::BITS - values.leading_zeros()) as u64 + 1)
    }

    /// The limits as they are now.
    pub(crate) const fn left(&self) -> Left {
        Left { gas: self.gas, output: self.output }
    }

    /// Charges for work on so many values, before it is done.
    pub(crate) fn charge_values(&mut self, values: usize) -> Result<(), TrapCode> {
        self.charge(values as u64)
    }
}
