//! Rewrites that keep what a program does: other names, numbers and places.

use crate::property::Random;
use crate::tree::{Visit, visit};
use kerai_compiler::ir::{Function, FunctionId, Ir, Variable, VariableId};
use std::collections::BTreeMap;

/// The program with its variables numbered as they are declared, and no others.
#[must_use]
pub fn numbered(ir: &Ir) -> Ir {
    let mut declared = Declared(Vec::new());
    let mut ir = ir.clone();
    visit(&mut ir, &mut declared);
    let numbers = declared.0.iter().copied().zip((0..).map(VariableId)).collect();
    renumbered(ir, &numbers)
}

/// The program with other names and other numbers of variables and functions.
#[must_use]
pub fn renamed(ir: &Ir, random: &mut Random) -> Ir {
    let mut ir = numbered(ir);
    let numbers = shuffled(random, ir.variables.len());
    let numbers = (0..).map(VariableId).zip(numbers.into_iter().map(VariableId)).collect();
    ir = renumbered(ir, &numbers);
    let places = shuffled(random, ir.functions.len());
    let mut functions = vec![Function::default(); ir.functions.len()];
    for (function, &place) in core::mem::take(&mut ir.functions).into_iter().zip(&places) {
        if let Some(target) = functions.get_mut(place as usize) {
            *target = function;
        }
    }
    ir.functions = functions;
    visit(&mut ir, &mut Places(places));
    let names = ["x", "y", "", "total", "f", "g_2"];
    for variable in &mut ir.variables {
        variable.name = (*random.pick(&names)).to_owned();
    }
    for function in &mut ir.functions {
        function.name = (*random.pick(&names)).to_owned();
    }
    ir
}

fn shuffled(random: &mut Random, count: usize) -> Vec<u32> {
    let mut numbers: Vec<u32> = (0..count as u32).collect();
    for last in (1..count).rev() {
        numbers.swap(last, random.below(last as u64 + 1) as usize);
    }
    numbers
}

/// Gives variables new numbers; those without one go.
fn renumbered(mut ir: Ir, numbers: &BTreeMap<VariableId, VariableId>) -> Ir {
    let mut variables: Vec<(VariableId, Variable)> = Vec::new();
    for (old, new) in numbers {
        variables.extend(ir.variables.get(old.0 as usize).map(|variable| (*new, variable.clone())));
    }
    variables.sort_by_key(|(number, _)| *number);
    ir.variables = variables.into_iter().map(|(_, variable)| variable).collect();
    visit(&mut ir, &mut Numbers(numbers));
    ir
}

struct Declared(Vec<VariableId>);

impl Visit for Declared {
    fn declare(&mut self, id: &mut VariableId) {
        self.0.push(*id);
    }
}

struct Numbers<'n>(&'n BTreeMap<VariableId, VariableId>);

impl Visit for Numbers<'_> {
    fn declare(&mut self, id: &mut VariableId) {
        self.variable(id);
    }

    fn variable(&mut self, id: &mut VariableId) {
        *id = self.0.get(id).copied().unwrap_or(*id);
    }
}

struct Places(Vec<u32>);

impl Visit for Places {
    fn function(&mut self, id: &mut FunctionId) {
        *id = FunctionId(self.0.get(id.0 as usize).copied().unwrap_or(id.0));
    }
}
