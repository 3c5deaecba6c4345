//! The three kinds of number: exact (the default), binary64 and fixed-point.

mod exact;
mod expansion;
mod fixed;
pub mod float;

pub(crate) use exact::power_of_ten;
pub use exact::{Number, NumberFault, Rounding, parse_decimal, parse_decimal_prefix};
pub use expansion::Expansion;
pub use fixed::Fixed;
pub use float::Float;
pub(crate) use float::raw;
