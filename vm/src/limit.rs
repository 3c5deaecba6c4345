//! The named limits: every depth, length and size has one, and each is written here once.

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
    /// values in one snapshot of state, map keys included
    STATE_VALUES "state.values" = 1 << 28;
    /// bytes in one snapshot of state
    STATE_SIZE "state.size" = 1 << 30;
    /// characters in one number's text
    NUMBER_TEXT "number.text" = 4096;
    /// bytes in one source, after normalization
    SOURCE_SIZE "source.size" = 16 << 20;
    /// words, signs and literals in one source
    SOURCE_TOKENS "source.tokens" = 1 << 21;
    /// how deep blocks, functions and expressions of a source may nest; every operator or call in a chain is a level
    SOURCE_DEPTH "source.depth" = 200;
    /// mistakes in the writing of one source that are reported
    SOURCE_MISTAKES "source.mistakes" = 500;
    /// functions in one program
    PROGRAM_FUNCTIONS "program.functions" = 1 << 16;
    /// instructions in one function
    PROGRAM_CODE "program.code" = 1 << 16;
    /// registers of one function
    PROGRAM_REGISTERS "program.registers" = 250;
    /// names from an operation to the value by which a fold's state falls into parts
    PROGRAM_KEY "program.key" = 16;
    /// instructions of a `lift` whose states are proven from its code
    LAW_CODE "law.code" = 4096;
    /// states of a fold whose laws are checked on all of them
    LAW_STATES "law.states" = 128;
    /// captures of one pattern
    PATTERN_CAPTURES "pattern.captures" = 32;
    /// choices and captures of one match that may still be taken back
    PATTERN_DEPTH "pattern.depth" = 200;
    /// bytes of one item of a format, from its sign on
    FORMAT_ITEM "format.item" = 22;
    /// gas of one step or evaluation
    RUN_GAS "run.gas" = 1_000_000_000;
    /// bytes that one step or evaluation allocates, counted logically
    RUN_MEMORY "run.memory" = 256 << 20;
    /// calls under way at once
    RUN_DEPTH "run.depth" = 200;
    /// instructions of one step or evaluation that are told of when it is watched
    RUN_WATCHED "run.watched" = 1 << 20;
    /// bytes of output of one step or evaluation
    RUN_OUTPUT "run.output" = 64 << 20;
}
