//! Programs that streams bind, by root, and those that ship in the box.

use crate::code::{Code, Refused};
use crate::document::{Hash, program_text};
use kerai_vm::bytecode::{Grounds, Order, Program, ProgramKind, Verified};
use kerai_vm::encoding::root::Root;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The shipped programs: name and source. A name says what it is for, `std/NAME`.
const SHIPPED: &[(&str, &str)] = &[
    ("std/governance", include_str!("../../folds/governance.asm")),
    ("std/owner-only", include_str!("../../policies/owner-only.asm")),
];

/// The policy that a stream has where its maker names none.
pub const DEFAULT_POLICY: &str = "std/owner-only";

/// The fold of governance ops.
pub const DEFAULT_GOVERNANCE: &str = "std/governance";

/// A program that may run, with its bytes and root.
#[derive(Debug, Clone)]
pub struct Stored {
    pub root: Hash,
    pub bytes: Vec<u8>,
    pub verified: Arc<Verified>,
}

impl Stored {
    /// Takes a program in as its canonical bytes.
    ///
    /// # Errors
    /// `PROGRAM_KIND` where the bytes are no program that may run.
    pub fn from_bytes(bytes: &[u8]) -> Result<Stored, Refused> {
        let verified = Program::decode(bytes).and_then(Program::verify);
        let verified = verified.map_err(|refusal| Refused::new(Code::PROGRAM_KIND, refusal.to_string()))?;
        Ok(Stored { root: *Root::of_program(bytes).bytes(), bytes: bytes.to_vec(), verified: Arc::new(verified) })
    }

    /// Takes a program in as assembly text.
    ///
    /// # Errors
    /// As [`Stored::from_bytes`], with the line where the text is wrong.
    pub fn from_assembly(text: &str) -> Result<Stored, Refused> {
        let bytes = Program::from_text(text).and_then(|program| program.encode());
        Stored::from_bytes(&bytes.map_err(|refusal| Refused::new(Code::PROGRAM_KIND, refusal.to_string()))?)
    }

    /// A program that ships in the box, by its name.
    #[must_use]
    pub fn shipped(name: &str) -> Option<Stored> {
        let (_, source) = SHIPPED.iter().find(|shipped| shipped.0 == name)?;
        // Tests assemble every shipped program.
        Stored::from_assembly(source).ok()
    }

    /// The names of what ships in the box.
    pub fn shipped_names() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|shipped| shipped.0)
    }

    #[must_use]
    pub fn kind(&self) -> ProgramKind {
        self.verified.program().kind
    }

    /// In which order the fold takes ops. A late op is joined where it was proven that this gives the same state; where
    /// it was only tried, or claimed, it comes where it belongs.
    #[must_use]
    pub fn order(&self) -> Order {
        let merging = &self.verified.program().merging;
        let grounds = merging.certificate.map(|certificate| certificate.grounds);
        match (merging.order, grounds) {
            (Order::Join, Some(Grounds::Construction {} | Grounds::Exhaustion { .. })) => Order::Join,
            (Order::Join, Some(Grounds::Tested { .. }) | None) => Order::Ulid,
            (order @ (Order::Ulid | Order::Commit), _) => order,
        }
    }

    /// # Errors
    /// `PROGRAM_KIND` where the program is of another kind or lacks an export.
    pub fn expect(&self, kind: ProgramKind, exports: &[&str]) -> Result<(), Refused> {
        let refuse = |what: String| Err(Refused::new(Code::PROGRAM_KIND, what));
        if self.kind() != kind {
            return refuse(format!("`{}` is a {}, no {}", program_text(&self.root), self.kind().name(), kind.name()));
        }
        match exports.iter().find(|&&name| !self.verified.program().exports.contains_key(name)) {
            Some(name) => refuse(format!("`{}` does not export `{name}`", program_text(&self.root))),
            None => Ok(()),
        }
    }
}

/// Programs by root; copies of it share them.
#[derive(Debug, Clone, Default)]
pub struct Library(BTreeMap<Hash, Arc<Stored>>);

impl Library {
    pub fn add(&mut self, program: Stored) {
        self.0.insert(program.root, Arc::new(program));
    }

    #[must_use]
    pub fn get(&self, root: &Hash) -> Option<&Stored> {
        self.0.get(root).map(Arc::as_ref)
    }

    /// Those of these roots alone.
    #[must_use]
    pub fn of_roots(&self, roots: &BTreeSet<Hash>) -> Library {
        Library(
            self.0.iter().filter(|found| roots.contains(found.0)).map(|(&root, found)| (root, found.clone())).collect(),
        )
    }

    /// # Errors
    /// `PROGRAM_UNKNOWN`, or `PROGRAM_KIND` where the program is none of the kind.
    pub fn find(&self, root: &Hash, kind: ProgramKind, exports: &[&str]) -> Result<&Stored, Refused> {
        let unknown = || Refused::new(Code::PROGRAM_UNKNOWN, format!("`{}`", program_text(root)));
        let program = self.get(root).ok_or_else(unknown)?;
        program.expect(kind, exports)?;
        Ok(program)
    }
}

/// What a fold exports.
pub const FOLD_EXPORTS: &[&str] = &["init", "step", "finish"];

/// What a policy exports.
pub const POLICY_EXPORTS: &[&str] = &["decide"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ships_may_run() {
        for (name, source) in SHIPPED {
            let program = Stored::from_assembly(source).unwrap_or_else(|refused| panic!("{name}: {refused}"));
            assert!(Stored::shipped(name).is_some_and(|shipped| shipped.root == program.root));
            let exports = if program.kind() == ProgramKind::Policy { POLICY_EXPORTS } else { FOLD_EXPORTS };
            program.expect(program.kind(), exports).unwrap_or_else(|refused| panic!("{name}: {refused}"));
        }
    }
}
