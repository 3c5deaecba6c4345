//! Numbers by first use: functions as they are met from the exports, variables as they are declared.
//! What is not met is no part of the program.

use super::walk::change::{self, VisitMut};
use super::{Function, FunctionId, Ir, VariableId};
use core::mem;
use std::collections::BTreeMap;

/// Old numbers and the new ones.
struct Numbers {
    functions: BTreeMap<FunctionId, FunctionId>,
    /// Functions that were met, in the order of their new numbers.
    met: Vec<FunctionId>,
    variables: BTreeMap<VariableId, VariableId>,
    declared: Vec<VariableId>,
}

impl Ir {
    pub(super) fn renumbered(mut self) -> Ir {
        let mut numbers =
            Numbers { functions: BTreeMap::new(), met: Vec::new(), variables: BTreeMap::new(), declared: Vec::new() };
        self.exports.values_mut().for_each(|id| numbers.function(id));
        let mut functions: Vec<Function> = Vec::new();
        while let Some(&id) = numbers.met.get(functions.len()) {
            let Some(function) = self.functions.get_mut(id.0 as usize) else { break };
            let mut function = mem::take(function);
            change::lambda(&mut function.lambda, &mut numbers);
            functions.push(function);
        }
        let variables = numbers.declared.iter().filter_map(|id| self.variables.get(id.0 as usize).cloned()).collect();
        Ir { functions, variables, ..self }
    }
}

/// The number that comes next.
fn next(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Numbers {
    fn known(&self, variable: &mut VariableId) {
        if let Some(&number) = self.variables.get(variable) {
            *variable = number;
        }
    }
}

impl VisitMut for Numbers {
    fn declare(&mut self, variable: &mut VariableId) {
        let number = VariableId(next(self.declared.len()));
        self.variables.insert(*variable, number);
        self.declared.push(mem::replace(variable, number));
    }

    fn read(&mut self, variable: &mut VariableId) {
        self.known(variable);
    }

    fn assign(&mut self, variable: &mut VariableId) {
        self.known(variable);
    }

    fn function(&mut self, id: &mut FunctionId) {
        let met = &mut self.met;
        *id = *self.functions.entry(*id).or_insert_with(|| {
            met.push(*id);
            FunctionId(next(met.len() - 1))
        });
    }
}
