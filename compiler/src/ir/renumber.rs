//! Numbers by first use: functions as they are met from the exports, variables as they are declared.
//! What is not met is no part of the program.

use super::walk::Visit;
use super::walk::change::{self, VisitMut};
use super::{Function, FunctionId, Ir, Node, Usage, Variable, VariableId};
use core::mem;

/// New numbers, by the old ones.
struct Numbers {
    functions: Vec<Option<FunctionId>>,
    /// Functions that were met, in the order of their new numbers.
    met: Vec<FunctionId>,
    variables: Vec<Option<VariableId>>,
    declared: Vec<VariableId>,
    /// How variables are used, by their new numbers.
    usage: Usage,
}

impl Ir {
    /// The program by its new numbers, and how it uses its variables.
    pub(super) fn renumbered(mut self) -> (Ir, Usage) {
        let mut numbers = Numbers {
            functions: vec![None; self.functions.len()],
            met: Vec::new(),
            variables: vec![None; self.variables.len()],
            declared: Vec::new(),
            usage: Usage::new(self.variables.len()),
        };
        self.exports.values_mut().for_each(|id| numbers.function(id));
        let mut functions: Vec<Function> = Vec::new();
        while let Some(&id) = numbers.met.get(functions.len()) {
            let Some(function) = self.functions.get_mut(id.0 as usize) else { break };
            let mut function = mem::take(function);
            change::lambda(&mut function.lambda, &mut numbers);
            functions.push(function);
        }
        // A variable is declared once.
        let mut variables = Vec::with_capacity(numbers.declared.len());
        for id in numbers.declared {
            // A variable is declared once, so its name is wanted once.
            let Some(variable) = self.variables.get_mut(id.0 as usize) else { continue };
            variables.push(Variable { name: mem::take(&mut variable.name), holds: variable.holds });
        }
        (Ir { functions, variables, ..self }, numbers.usage)
    }
}

/// The number that comes next.
fn next(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Numbers {
    fn known(&self, variable: &mut VariableId) {
        if let Some(&Some(number)) = self.variables.get(variable.0 as usize) {
            *variable = number;
        }
    }
}

impl VisitMut for Numbers {
    fn declare(&mut self, variable: &mut VariableId) {
        let number = VariableId(next(self.declared.len()));
        if let Some(known) = self.variables.get_mut(variable.0 as usize) {
            *known = Some(number);
        }
        self.declared.push(mem::replace(variable, number));
        self.usage.declare(variable);
    }

    fn read(&mut self, variable: &mut VariableId) {
        self.known(variable);
        self.usage.read(variable);
    }

    fn assign(&mut self, variable: &mut VariableId) {
        self.known(variable);
        self.usage.assign(variable);
    }

    fn enter_lambda(&mut self) {
        self.usage.enter_lambda();
    }

    fn leave_lambda(&mut self) {
        self.usage.leave_lambda();
    }

    fn node(&mut self, node: &Node) {
        self.usage.node(node);
    }

    fn function(&mut self, id: &mut FunctionId) {
        let Some(known) = self.functions.get_mut(id.0 as usize) else { return };
        let number = known.unwrap_or(FunctionId(next(self.met.len())));
        if known.is_none() {
            *known = Some(number);
            self.met.push(*id);
        }
        *id = number;
    }
}
