//! Local variables and the blocks that they live in.

use crate::span::Span;
use std::collections::BTreeMap;

/// A local variable.
#[derive(Debug, Clone, Copy)]
pub struct Local {
    pub span: Span,
    pub is_constant: bool,
}

/// The blocks that are open, with their variables.
#[derive(Debug, Default)]
pub struct Scopes<'t> {
    /// The variables of each name, the innermost last.
    by_name: BTreeMap<&'t str, Vec<Local>>,
    /// The names in the order of their declaration.
    declared: Vec<&'t str>,
    /// How many were declared where each block began.
    blocks: Vec<usize>,
}

impl<'t> Scopes<'t> {
    pub fn open(&mut self) {
        self.blocks.push(self.declared.len());
    }

    pub fn close(&mut self) {
        let start = self.blocks.pop().unwrap_or(0);
        for name in self.declared.drain(start..) {
            if let Some(locals) = self.by_name.get_mut(name) {
                locals.pop();
            }
        }
    }

    pub fn declare(&mut self, name: &'t str, local: Local) {
        self.by_name.entry(name).or_default().push(local);
        self.declared.push(name);
    }

    /// The variable that a name stands for here.
    pub fn get(&self, name: &str) -> Option<Local> {
        self.by_name.get(name)?.last().copied()
    }

    /// The names that can be seen, the innermost first.
    pub fn names(&self) -> impl Iterator<Item = &'t str> {
        self.declared.iter().rev().copied()
    }
}
