//! THE table of library functions that proofs know: by the digest of a function and of all that it calls, whatever the
//! program calls it.

use crate::bytecode::{Op, Operand, Program, Role};
use crate::encoding::root::Root;
use std::collections::BTreeMap;

/// What the library's functions make of an operation: tables of their own, which only the lattice's joins look into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    Write,
    Keys,
    Pair,
    Tagged,
    Register,
    Sums,
    Conflicts,
}

/// What a known function does for a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It joins any two values, and keeps one of them as it is.
    Chooses,
    /// It joins what these functions make.
    Joins(Made),
    /// It joins maps, by a function that joins their values.
    Maps,
    /// It compares any two values.
    Orders,
    /// It compares what these functions make.
    OrdersMade(Made),
    /// It makes a state. The arguments at these places become part of it, and must be keys, or nil.
    Makes(Made, &'static [usize]),
}

macro_rules! known {
    ($($name:literal $meaning:expr, $digest:literal;)+) => {
        /// Names, meanings and digests.
        const KNOWN: &[(&str, Meaning, &str)] = &[$(($name, $meaning, $digest)),+];
    };
}

use Made::{Conflicts, Keys, Pair, Register, Sums, Tagged, Write};
use Meaning::{Chooses, Joins, Makes, Maps, Orders, OrdersMade};

known! {
    "min" Chooses, "adeef0a09fe8c087423cb665b99266d5";
    "max" Chooses, "74835019eed0e083958f7245e463e326";
    "lww" Joins(Write), "a3a77dc01d80c46ad330954f489a5ccd";
    "union" Joins(Keys), "7e140dd341ef91f96ad797c8a6b4882f";
    "pair" Joins(Pair), "4940cc609fc241ae65659967ca62faa7";
    "tagged" Joins(Tagged), "70340249d5a76372123081eea93c34d8";
    "register" Joins(Register), "f83cbd9687099707426503c42645a85b";
    "sums" Joins(Sums), "7e06b9c00bc5b66e171b278bb903b8f7";
    "conflicts" Joins(Conflicts), "989ed69def89bb8e1c384030f5a4af70";
    "map" Maps, "bd2875e05583909428701925278dd1c8";
    "by_min" Orders, "bf92c221647d470f5294fe43c056667d";
    "by_max" Orders, "4dc09bd3bd522eaf0336ed018a35dfa9";
    "by_lww" OrdersMade(Write), "2ec1ac445e0beb7bfeddf45366feef1f";
    "write" Makes(Write, &[]), "2dbb368ee0914126091423a9c0503703";
    "written" Makes(Write, &[]), "54d4e39cea9968f3a097fe233ab9ea80";
    "items" Makes(Keys, &[]), "079eb6b04bd64da5c374715250170c45";
    "single" Makes(Keys, &[]), "1137b7dd3686c854a96791638a784758";
    "named" Makes(Keys, &[]), "758a1e55e88c3501b148465463346cc1";
    "changed" Makes(Pair, &[0, 1]), "a303c1520687956c681af2d225c26f00";
    "tags" Makes(Tagged, &[]), "cddc58e04ab63b05167aaecffe005e5e";
    "flag" Makes(Pair, &[3]), "059ab240e31811a25372532237936a7f";
    "version" Makes(Register, &[2]), "26c40d52d8e83271fffa7000040ed6ec";
    "count" Makes(Sums, &[]), "bcb4365e9f7477c40f18d24cf7259426";
    "counted" Makes(Sums, &[]), "f9ebfdf1e1f3a885abf13731a7121aee";
    "conflict" Makes(Conflicts, &[]), "b9a6626c5c43cae3b1d4e4e4ad138435";
}

/// The names of the library's functions that proofs know, with their digests: a test compiles the library and compares.
#[must_use]
pub fn known() -> Vec<(&'static str, &'static str)> {
    KNOWN.iter().map(|(name, _, digest)| (*name, *digest)).collect()
}

/// Functions call functions at most so deep, or have no digest: no library function does.
const DEEPEST: usize = 16;

/// Digests of a program's functions, made as they are asked for.
pub(super) struct Digests<'p> {
    program: &'p Program,
    found: BTreeMap<u32, Option<String>>,
}

impl<'p> Digests<'p> {
    pub(super) const fn new(program: &'p Program) -> Digests<'p> {
        Digests { program, found: BTreeMap::new() }
    }

    /// What the function means for a proof, if it is known.
    pub(super) fn meaning(&mut self, function: u32) -> Option<Meaning> {
        let digest = self.digest(function, 0)?;
        KNOWN.iter().find(|(_, _, known)| *known == digest).map(|(_, meaning, _)| *meaning)
    }

    /// The digest of a function: its code, with what it names in place of numbers.
    fn digest(&mut self, number: u32, depth: usize) -> Option<String> {
        if let Some(found) = self.found.get(&number) {
            return found.clone();
        }
        let digest = self.text(number, depth).map(|text| {
            let digest = Root::of_program(text.as_bytes()).to_string();
            digest.trim_start_matches("sha256:").chars().take(DIGITS).collect::<String>()
        });
        self.found.insert(number, digest.clone());
        digest
    }

    fn text(&mut self, number: u32, depth: usize) -> Option<String> {
        let program = self.program;
        let function = program.functions.get(number as usize).filter(|_| depth < DEEPEST)?;
        let mut text = format!("{} {} {}\n", function.parameters, function.is_variadic, function.captures);
        for &word in &function.code {
            let information = word.op()?.information();
            text.push_str(information.name);
            for &operand in information.operands {
                text.push(' ');
                text.push_str(&self.operand(operand, word.get(operand), depth)?);
            }
            text.push('\n');
        }
        Some(text)
    }

    fn operand(&mut self, operand: Operand, bits: u32, depth: usize) -> Option<String> {
        Some(match operand.role {
            Role::Function => self.digest(bits, depth + 1)?,
            Role::Constant | Role::Name => self.program.constants.get(bits as usize)?.to_text(),
            Role::Write | Role::Read | Role::Base | Role::Arguments | Role::Results | Role::Flag | Role::Small => {
                bits.to_string()
            }
            Role::Integer | Role::Builtin | Role::Capture | Role::Target | Role::Cursor | Role::Counter => {
                bits.to_string()
            }
        })
    }
}

/// Digits of a digest that are kept: 128 bits.
const DIGITS: usize = 32;

/// The digest of a program's function, for the test that keeps the table true.
#[must_use]
pub fn digest(program: &Program, function: u32) -> Option<String> {
    Digests::new(program).digest(function, 0)
}

/// The function that a word names, if it is this operation.
pub(super) fn named(word: crate::bytecode::Word, op: Op) -> Option<u32> {
    (word.op() == Some(op)).then(|| word.wide())
}
