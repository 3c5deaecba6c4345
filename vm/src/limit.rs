//! The named limits on data: every depth, length and size has one, and each is written here once.

/// A bound with the name under which errors and the reference page speak of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub name: &'static str,
    pub value: u64,
    pub about: &'static str,
}

macro_rules! limits {
    ($($(#[doc = $about:literal])+ $constant:ident $name:literal = $value:expr;)+) => {
        $($(#[doc = $about])+ pub const $constant: Limit = Limit {
            name: $name,
            value: $value,
            about: concat!($($about),+),
        };)+

        /// All limits, in the order of the table.
        pub const ALL: &[Limit] = &[$($constant),+];
    };
}

limits! {
    /// how deep lists, maps and sets may nest in a document
    DATA_DEPTH "data.depth" = 128;
    /// bytes in one string, after normalization
    DATA_STRING "data.string" = 8 << 20;
    /// values in one document, map keys included
    DATA_VALUES "data.values" = 1 << 24;
    /// bytes in one document
    DATA_SIZE "data.size" = 64 << 20;
    /// characters in one number's text
    NUMBER_TEXT "number.text" = 4096;
}
