//! The module: everything that is hashed, and nothing else. Names of locals, positions and comments stand in a map beside it.

use super::Merging;
use crate::limit;
use crate::number::{Fixed, Float, Number};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The profile that this build makes: bytecode version, gas schedule, Unicode version, numeric rules, lowering version.
pub const PROFILE: u32 = 1;

macro_rules! kinds {
    ($($kind:ident $name:literal $ending:literal $about:literal;)+) => {
        /// What a program is for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ProgramKind { $(#[doc = $about] $kind),+ }

        impl ProgramKind {
            pub const ALL: &[ProgramKind] = &[$(ProgramKind::$kind),+];

            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(ProgramKind::$kind => $name),+ }
            }

            /// How the name of a file with such a program ends.
            #[must_use]
            pub const fn ending(self) -> &'static str {
                match self { $(ProgramKind::$kind => $ending),+ }
            }
        }
    };
}

kinds! {
    Fold "fold" "rgf" "merges operations into state";
    Policy "policy" "rgc" "decides whether an operation is admitted";
    Pricing "pricing" "rgc" "says what something costs";
    Words "words" "rgw" "functions by name";
}

/// A value that stands in code: what an instruction can load.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Constant {
    Number(Number),
    /// By its bits, so that −0 and 0 are two constants.
    Float(u64),
    /// Rare, and larger than any other: so it stands elsewhere.
    Fixed(Box<i128>),
    String(Arc<[u8]>),
    Bytes(Vec<u8>),
}

impl Constant {
    #[must_use]
    pub fn float(float: Float) -> Constant {
        Constant::Float(float.to_bits())
    }

    #[must_use]
    pub fn fixed(fixed: Fixed) -> Constant {
        Constant::Fixed(Box::new(fixed.to_bits()))
    }
}

/// A function: parameters come in its first registers, further arguments, if it takes them, as a list in the next one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Function {
    pub parameters: u8,
    pub is_variadic: bool,
    /// How many registers it uses.
    pub registers: u8,
    /// How many values a closure of it keeps.
    pub captures: u8,
    pub code: Vec<super::Word>,
}

impl Function {
    /// The registers that are filled when it begins.
    #[must_use]
    pub const fn filled(&self) -> u16 {
        self.parameters as u16 + self.is_variadic as u16
    }
}

/// What a run may use. A module states less than the defaults or the defaults, never more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub gas: u64,
    pub memory: u64,
    pub depth: u64,
    pub output: u64,
}

impl Limits {
    pub const DEFAULT: Limits = Limits {
        gas: limit::RUN_GAS.value,
        memory: limit::RUN_MEMORY.value,
        depth: limit::RUN_DEPTH.value,
        output: limit::RUN_OUTPUT.value,
    };

    /// Each with the limit that it must not pass, in the order of the encoding's names.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, u64, limit::Limit); 4] {
        [
            ("depth", self.depth, limit::RUN_DEPTH),
            ("gas", self.gas, limit::RUN_GAS),
            ("memory", self.memory, limit::RUN_MEMORY),
            ("output", self.output, limit::RUN_OUTPUT),
        ]
    }

    /// The lower one of each.
    #[must_use]
    pub fn lowered(self, by: Limits) -> Limits {
        Limits {
            gas: self.gas.min(by.gas),
            memory: self.memory.min(by.memory),
            depth: self.depth.min(by.depth),
            output: self.output.min(by.output),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits::DEFAULT
    }
}

/// A rule of a policy or pricing program, as explanations name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub id: Arc<str>,
    pub reason: Arc<str>,
}

/// A program as it was written or decoded: well formed, but not yet known to be safe to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    pub profile: u32,
    pub kind: ProgramKind,
    /// Each once, in the order of their first use in the code.
    pub constants: Vec<Constant>,
    pub functions: Vec<Function>,
    /// Functions that hosts may call, by name.
    pub exports: BTreeMap<String, u32>,
    pub limits: Limits,
    pub rules: Vec<Rule>,
    pub merging: Merging,
}
