//! Merge folds: from a YAML document to a typed description, from that to the Lua that it stands for, and so to the IR.
//!
//! `Node ──read──▶ Merge ──write──▶ Lua`: what a declared fold does can be read, is written by the library's `lattice`
//! functions alone, and runs as any other fold.

mod graph;
pub mod lattice;
mod path;
mod read;
mod write;

use crate::Diagnostic;
use crate::ir::Ir;
use crate::span::Span;
use crate::syntax::{lua, yaml};
pub use graph::{Edge, Graph, Node, Rule, Term};
use kerai_vm::bytecode::Order;
use lattice::Lattice;
pub use path::Path;

/// A merge fold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// Globs over a resource's namespace and path; none is all.
    pub inputs: Vec<String>,
    pub reducers: Vec<Reducer>,
    /// A fold of graphs has no other reducers.
    pub graphs: Vec<Graph>,
    pub emits: Vec<Emit>,
    /// Where conflicts are emitted.
    pub conflicts: String,
    pub order: Order,
    /// The names of payloads by whose value the state falls into parts.
    pub key: Vec<String>,
}

impl Merge {
    /// The path of the key by which the state falls into parts.
    #[must_use]
    pub fn part(&self) -> Option<Path> {
        let steps = self.key.iter().cloned().map(path::Step::Member).collect();
        (!self.key.is_empty()).then_some(Path { steps })
    }
}

/// What is merged, under a name that rules and conflicts speak of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reducer {
    pub id: String,
    pub shape: Shape,
}

/// How something is merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    Simple(Simple),
    /// By the text of a key.
    Map {
        key: Path,
        of: Box<Shape>,
    },
    /// Each part by itself; parts of a payload that are in none of them are conflicts.
    Product {
        parts: Vec<Part>,
        ignored: Vec<Path>,
    },
    /// By the first part, and where that is equal by the next.
    Lexicographic(Vec<Part>),
}

impl Shape {
    /// What is merged under all keys.
    #[must_use]
    pub fn innermost(&self) -> &Shape {
        let mut shape = self;
        while let Shape::Map { of, .. } = shape {
            shape = of;
        }
        shape
    }

    /// Whether it may take a part of what an operation says and leave another.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        match self.innermost() {
            Shape::Simple(simple) => simple.remove.is_some() || simple.adds.is_some(),
            Shape::Product { .. } => true,
            Shape::Lexicographic(_) | Shape::Map { .. } => false,
        }
    }
}

/// A lattice of the table, and where an operation says what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simple {
    pub lattice: Lattice,
    pub value: Path,
    pub remove: Option<Path>,
    pub adds: Option<Path>,
    /// Whether values that no other replaces are a conflict where they differ.
    pub is_disputed: bool,
}

/// A part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    pub path: Path,
    pub span: Span,
    pub shape: Shape,
}

/// What is emitted where: the reducer by its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emit {
    pub path: String,
    pub reducer: usize,
    /// The columns that databases show of the rows, each with its type.
    pub columns: Vec<(String, String)>,
}

/// Makes the IR of a document.
///
/// # Errors
/// Everything that an author must mend.
pub fn lower(text: &str) -> Result<Ir, Vec<Diagnostic>> {
    let merge = describe(text)?;
    let key = match merge.key.as_slice() {
        [] => Vec::new(),
        names => core::iter::once("payload".to_owned()).chain(names.iter().cloned()).collect(),
    };
    let mut ir = super::lua::lower_in_parts(&lua::check(&to_lua(&merge))?, key)?;
    ir.order = merge.order;
    Ok(ir)
}

/// The description of a document.
///
/// # Errors
/// Everything that an author must mend.
pub fn describe(text: &str) -> Result<Merge, Vec<Diagnostic>> {
    read::read(&yaml::read(text)?)
}

/// The Lua that a merge fold stands for.
#[must_use]
pub fn to_lua(merge: &Merge) -> String {
    write::write(merge)
}
