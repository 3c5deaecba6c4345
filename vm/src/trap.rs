//! Traps: how a program ends that can't go on. A trap is a result: the same code, function and instruction everywhere.

use core::fmt;

macro_rules! traps {
    ($($code:ident $is_resource:literal $summary:literal;)+) => {
        /// Why a program can't go on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[allow(non_camel_case_types, reason = "a code is written in code as users see it")]
        pub enum TrapCode { $(#[doc = $summary] $code),+ }

        impl TrapCode {
            pub const ALL: &[TrapCode] = &[$(TrapCode::$code),+];

            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(TrapCode::$code => stringify!($code)),+ }
            }

            #[must_use]
            pub const fn summary(self) -> &'static str {
                match self { $(TrapCode::$code => $summary),+ }
            }

            /// Whether a limit was passed: such a trap can't be caught by the program.
            #[must_use]
            pub const fn is_resource(self) -> bool {
                match self { $(TrapCode::$code => $is_resource),+ }
            }
        }
    };
}

traps! {
    GAS true "the gas is used up";
    MEMORY true "the memory limit is passed";
    DEPTH true "too many calls are under way";
    OUTPUT true "the output limit is passed";
    KIND false "an operation on a kind of value that it does not take";
    RANGE false "a number leaves the range of exact numbers";
    DIVISION false "division by zero";
    NOT_INTEGER false "an integer was needed";
    KEY false "a value that can't be a key";
    READ_ONLY false "a write into an operation, which is read-only";
    ARGUMENTS false "a wrong number of arguments, or one that is out of its bounds";
    TEXT false "a value that can't be written down";
    EMITTED_TWICE false "two rows with one path and key";
    STRING false "a string longer than the limit";
    PATTERN false "a pattern, or a replacement, that is malformed or too complex";
    FORMAT false "a format that is malformed";
    UTF8 false "a string that is not UTF-8";
    DOCUMENT false "a text that is no strict JSON document";
    NESTED false "a value that is nested deeper than the limit";
    RAISED false "the program raised an error";
    FUNCTION_IN_STATE false "state reaches a function at the end of a step";
}

/// A trap: why, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trap {
    pub code: TrapCode,
    pub function: u32,
    pub instruction: u32,
}

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Trap { code, function, instruction } = self;
        write!(f, "{}: {} in function {function}, instruction {instruction}", code.name(), code.summary())
    }
}

impl std::error::Error for Trap {}
