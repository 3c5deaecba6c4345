//! What names stand for where they are used.

use crate::ir::{Expression, FunctionId, VariableId};
use std::collections::BTreeMap;

/// What a name stands for.
#[derive(Debug, Clone)]
pub(super) enum Binding {
    Variable(VariableId),
    /// A function of the program.
    Function(FunctionId),
    /// A value that is known and stands where the name is used.
    Known(Expression),
}

/// The names in sight, the innermost last.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    by_name: BTreeMap<Box<str>, Vec<Binding>>,
    declared: Vec<Box<str>>,
}

impl Scopes {
    /// Where the scope stands now, to be closed to.
    pub(super) fn open(&self) -> usize {
        self.declared.len()
    }

    pub(super) fn close(&mut self, open: usize) {
        for name in self.declared.drain(open..) {
            if let Some(bindings) = self.by_name.get_mut(&name) {
                bindings.pop();
            }
        }
    }

    pub(super) fn bind(&mut self, name: &str, binding: Binding) {
        self.by_name.entry(name.into()).or_default().push(binding);
        self.declared.push(name.into());
    }

    pub(super) fn get(&self, name: &str) -> Option<&Binding> {
        self.by_name.get(name)?.last()
    }
}
