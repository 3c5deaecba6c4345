//! The map beside a program: names and places, for people only. It is not hashed, and nothing depends on it.

use crate::Span;

/// For each function of the program, in the order of the code.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Map {
    pub functions: Vec<FunctionMap>,
}

/// A function's name, and for each of its instructions the place in the source that it does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FunctionMap {
    pub name: String,
    pub instructions: Vec<Span>,
}

impl Map {
    /// Where an instruction came from.
    #[must_use]
    pub fn span(&self, function: u32, instruction: u32) -> Option<Span> {
        self.functions.get(function as usize)?.instructions.get(instruction as usize).copied()
    }
}
