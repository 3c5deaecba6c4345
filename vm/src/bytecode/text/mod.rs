//! Programs as text, both ways: what `kerai asm` reads and `kerai show` prints. Operands are written by their role in
//! the instruction table, so that no instruction has a line of code here.
//!
//! Text is lossless: for every program that can be decoded, what [`Program::to_text`] prints is read as the same program.

mod assemble;
mod constant;
mod print;

use super::{Constant, Program};
use crate::refusal::Refusal;

/// The word before what no instruction can say: an unknown operation, bits that none uses, a target outside the code.
const RAW: &str = "word";

/// Begins the name of a place in the code.
const LABEL: char = '@';

/// Begins the index of a constant, where the table is written out.
const INDEX: char = '$';

/// What an `Arguments` operand ends with when its last register is spread.
const SPREAD_MARK: &str = "...";

/// The `Results` operand that asks for all results in one list.
const ALL: &str = "all";

impl Program {
    /// The program as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        print::Printer::of(self).print()
    }

    /// The instructions of every function as they stand in text.
    #[must_use]
    pub fn instruction_texts(&self) -> Vec<Vec<String>> {
        print::Printer::of(self).instructions()
    }

    /// Reads a program from text. As after decoding, it is well formed but not yet known to be safe to run.
    ///
    /// # Errors
    /// With line and column where the text is wrong, or as [`Program::decode`] where what it says is no program.
    pub fn from_text(text: &str) -> Result<Program, Refusal> {
        let program = assemble::assemble(text).map_err(|refusal| refusal.in_text(text.as_bytes()))?;
        Program::decode(&program.encode()?)
    }
}

impl Constant {
    /// The constant as it stands in text.
    #[must_use]
    pub fn to_text(&self) -> String {
        constant::print(self)
    }

    /// Reads what [`Constant::to_text`] writes.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Constant> {
        constant::parse(text)
    }
}

#[cfg(test)]
mod tests;
