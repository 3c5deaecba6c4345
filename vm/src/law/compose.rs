//! Proof by construction: whether `join` is composed of lattices in the few ways that keep the laws, each function of
//! which is compared with the code that it must be, and `lift` makes the states that they are for.

use super::infer::{Known, States, Table, What, infer};
use super::known::{Digests, Made, Meaning, named};
use crate::bytecode::{Constant, Op, Program, Word};
use crate::limit;
use std::collections::BTreeMap;

/// Whether the program's join is a lattice's on all states that its `lift` makes.
pub(super) fn is_composed(program: &Program) -> bool {
    let mut digests = Digests::new(program);
    let export = |name: &str| program.exports.get(name).copied();
    let (Some(lift), Some(join)) = (export("lift"), export("join")) else { return false };
    let (Some(init), Some(step)) = (export("init"), export("step")) else { return false };
    let states = match parted(program, lift) {
        Some(inner) => infer(program, inner, &mut digests).and_then(in_parts),
        None => infer(program, lift, &mut digests),
    };
    let Some(states) = states else { return false };
    let mut proof = Proof { program, digests, states: &states };
    // A fold that lifts nothing has no states to speak of.
    states.state.what != What::Nothing
        && proof.steps_by_joining(init, step, lift, join)
        && proof.joins(join, &states.state, 0)
}

/// Whether a step joins what the operation lifts to with the state, whatever the join is.
pub(super) fn steps_by_joining(program: &Program) -> bool {
    let export = |name: &str| program.exports.get(name).copied();
    match (export("init"), export("step"), export("lift"), export("join")) {
        (Some(init), Some(step), Some(lift), Some(join)) => step_of(program, init, step, lift, join).is_some(),
        _ => false,
    }
}

/// The function that lifts one part, where a function puts what it lifts under the operation's key. What the key is does
/// not matter: what can be none traps there, and nothing else reaches what was lifted.
fn parted(program: &Program, lift: u32) -> Option<u32> {
    let [_, lifting, _, _, _, _, _, keyed, _, _] = code(program, lift, 1) else { return None };
    let (inner, key) = (named(*lifting, Op::CallFunction)?, named(*keyed, Op::CallFunction)?);
    let expected = [
        plain(Op::Move, 1, 0, 0),
        call(1, 1, inner),
        plain(Op::Nil, 2, 0, 0),
        wide(Op::UnlessEqual, 1, 2, 5),
        plain(Op::Return, 0, 0, 0),
        plain(Op::Table, 2, 0, 0),
        plain(Op::Move, 3, 0, 0),
        call(3, 1, key),
        plain(Op::Set, 2, 3, 1),
        plain(Op::Return, 2, 1, 0),
    ];
    is_code(code(program, lift, 1), &expected).then_some(inner)
}

/// A table in which one of these states stands, under a key that is not known.
fn in_parts(mut states: States) -> Option<States> {
    const OUTER: usize = usize::MAX;
    if states.state.what == What::Nothing || states.tables.contains_key(&OUTER) {
        return None;
    }
    let part = Known { may_be_nil: false, what: states.state.what };
    let outer = Table::Plain { fields: BTreeMap::new(), others: Some(part), items: Vec::new() };
    states.tables.insert(OUTER, outer);
    states.state = Known { may_be_nil: true, what: What::Own([OUTER].into()) };
    Some(states)
}

/// What a state is before the first step.
#[derive(PartialEq)]
enum Bottom {
    Nothing,
    Own,
}

struct Proof<'p, 's> {
    program: &'p Program,
    digests: Digests<'p>,
    states: &'s States,
}

/// A function's code as the compiler writes it, its jumps to instructions of the same function.
fn is_code(code: &[Word], expected: &[Word]) -> bool {
    code == expected
}

const fn plain(op: Op, a: u8, b: u8, c: u8) -> Word {
    Word::new(op, a, b, c, 0)
}

const fn wide(op: Op, a: u8, b: u8, wide: u32) -> Word {
    Word::new(op, a, b, 0, wide)
}

/// `function(base ← arguments → one result)`.
const fn call(base: u8, arguments: u8, function: u32) -> Word {
    Word::new(Op::CallFunction, base, arguments, 1, function)
}

/// The code of a function with so many parameters that keeps no values.
fn code(program: &Program, function: u32, parameters: u8) -> &[Word] {
    let found = program.functions.get(function as usize);
    let found = found.filter(|found| found.parameters == parameters && !found.is_variadic && found.captures == 0);
    found.map_or(&[], |found| found.code.as_slice())
}

/// How the state begins, where a step is made of `lift` and `join` as the compiler makes it.
fn step_of(program: &Program, init: u32, step: u32, lift: u32, join: u32) -> Option<Bottom> {
    let nothing = [plain(Op::Return, 0, 0, 0)];
    let lifted = [
        plain(Op::Move, 2, 1, 0),
        call(2, 1, lift),
        plain(Op::Nil, 3, 0, 0),
        wide(Op::UnlessEqual, 2, 3, 5),
        plain(Op::Return, 0, 0, 0),
    ];
    let is_first = [plain(Op::Nil, 3, 0, 0), wide(Op::UnlessEqual, 0, 3, 8), plain(Op::Return, 2, 1, 0)];
    let joined = [plain(Op::Move, 3, 0, 0), plain(Op::Move, 4, 2, 0), call(3, 2, join), plain(Op::Return, 3, 1, 0)];
    let step = code(program, step, 2);
    if is_code(step, &[&lifted[..], &joined].concat()) {
        return Some(Bottom::Own);
    }
    let is_without = is_code(step, &[&lifted[..], &is_first, &joined].concat());
    (is_without && is_code(code(program, init, 0), &nothing)).then_some(Bottom::Nothing)
}

impl Proof<'_, '_> {
    fn code(&self, function: u32, parameters: u8) -> &[Word] {
        code(self.program, function, parameters)
    }

    /// Whether a step joins what the operation lifts to, and `init` gives nothing, or what the join takes for nothing.
    fn steps_by_joining(&self, init: u32, step: u32, lift: u32, join: u32) -> bool {
        let empty = [plain(Op::Table, 0, 0, 0), plain(Op::Return, 0, 1, 0)];
        match step_of(self.program, init, step, lift, join) {
            Some(Bottom::Nothing) => true,
            Some(Bottom::Own) => is_code(self.code(init, 0), &empty) && self.joins_fields(join),
            None => false,
        }
    }

    /// Whether the join takes an empty table for nothing.
    fn joins_fields(&self, join: u32) -> bool {
        self.fields(join).is_some() || self.mapped(join).is_some()
    }

    /// Whether the function is a lattice's join on all these values.
    fn joins(&mut self, function: u32, value: &Known, depth: u64) -> bool {
        if depth > limit::DATA_DEPTH.value {
            return false;
        }
        match self.digests.meaning(function) {
            Some(Meaning::Chooses) => return true,
            Some(Meaning::Joins(made)) if self.is_made(value, made) => return true,
            // The same code may join maps whose values the fold makes.
            Some(_) | None => {}
        }
        let tables: Vec<Table> = match &value.what {
            What::Nothing => return true,
            What::Own(tables) => tables.iter().filter_map(|table| self.states.tables.get(table)).cloned().collect(),
            What::One(_) | What::Spread(_) | What::Any => return false,
        };
        if let Some(inner) = self.mapped(function) {
            return tables.iter().all(|table| self.joins_values(inner, table, depth));
        }
        if let Some(fields) = self.fields(function) {
            return tables.iter().all(|table| self.joins_each(&fields, table, depth));
        }
        match self.in_turn(function) {
            Some((orders, last)) => tables.iter().all(|table| self.joins_in_turn(&orders, last, table, depth)),
            None => false,
        }
    }

    fn is_made(&self, value: &Known, made: Made) -> bool {
        let What::Own(tables) = &value.what else { return value.what == What::Nothing };
        tables.iter().all(|table| self.states.tables.get(table) == Some(&Table::Made(made)))
    }

    /// Every value of a map, by one function.
    fn joins_values(&mut self, inner: u32, table: &Table, depth: u64) -> bool {
        let Table::Plain { fields, others, items } = table else { return false };
        fields.values().chain(others).chain(items).all(|value| self.joins(inner, value, depth + 1))
    }

    /// Every field by its own function: one that none joins would be the first side's.
    fn joins_each(&mut self, joined: &[(Vec<u8>, u32)], table: &Table, depth: u64) -> bool {
        let Table::Plain { fields, others: None, items } = table else { return false };
        items.is_empty()
            && fields.iter().all(|(name, value)| {
                let function = joined.iter().find(|(other, _)| other == name).map(|(_, function)| *function);
                function.is_some_and(|function| self.joins(function, value, depth + 1))
            })
    }

    fn joins_in_turn(&mut self, orders: &[u32], last: u32, table: &Table, depth: u64) -> bool {
        let Table::Plain { fields, others: None, items } = table else { return false };
        let Some((value, first)) = items.split_last() else { return false };
        fields.is_empty()
            && first.len() == orders.len()
            && orders.iter().zip(first).all(|(&order, value)| match self.digests.meaning(order) {
                Some(Meaning::Orders) => true,
                Some(Meaning::OrdersMade(made)) => self.is_made(value, made),
                Some(_) | None => false,
            })
            && self.joins(last, value, depth + 1)
    }

    // The shapes of joins.

    /// The function that joins values, where a function joins maps by it.
    fn mapped(&self, function: u32) -> Option<u32> {
        let code = self.code(function, 2);
        let [_, _, closure, mapping, _] = code else { return None };
        let (inner, map) = (named(*closure, Op::Closure)?, named(*mapping, Op::CallFunction)?);
        let expected = [
            plain(Op::Move, 2, 0, 0),
            plain(Op::Move, 3, 1, 0),
            wide(Op::Closure, 4, 0, inner),
            call(2, 3, map),
            plain(Op::Return, 2, 1, 0),
        ];
        let is_map = Digests::new(self.program).meaning(map) == Some(Meaning::Maps);
        (is_map && is_code(code, &expected)).then_some(inner)
    }

    /// Fields and the functions that join them, where a function joins each by its own.
    fn fields(&self, function: u32) -> Option<Vec<(Vec<u8>, u32)>> {
        let code = self.code(function, 2);
        let (last, blocks) = code.split_last()?;
        let (blocks, []) = blocks.as_chunks::<14>() else { return None };
        let mut fields: Vec<(Vec<u8>, u32)> = Vec::new();
        for (number, block) in (0..).zip(blocks) {
            let [get, .., calling, _, _] = block;
            let (name, join) = (named(*get, Op::GetField)?, named(*calling, Op::CallFunction)?);
            let at = 14 * number;
            let expected = [
                wide(Op::GetField, 2, 0, name),
                plain(Op::Nil, 3, 0, 0),
                wide(Op::UnlessEqual, 2, 3, at + 6),
                wide(Op::GetField, 2, 1, name),
                wide(Op::SetField, 0, 2, name),
                wide(Op::Jump, 0, 0, at + 14),
                wide(Op::GetField, 2, 1, name),
                plain(Op::Nil, 3, 0, 0),
                wide(Op::IfEqual, 2, 3, at + 14),
                wide(Op::GetField, 2, 0, name),
                wide(Op::GetField, 3, 1, name),
                call(2, 2, join),
                wide(Op::SetField, 0, 2, name),
                wide(Op::Jump, 0, 0, at + 14),
            ];
            let Constant::String(name) = self.program.constants.get(name as usize)? else { return None };
            if !is_code(block, &expected) || fields.iter().any(|(other, _)| **other == **name) {
                return None;
            }
            fields.push((name.to_vec(), join));
        }
        (*last == plain(Op::Return, 0, 1, 0)).then_some(fields)
    }

    /// The functions that compare all parts but the last, and the one that joins the last.
    fn in_turn(&self, function: u32) -> Option<(Vec<u32>, u32)> {
        let code = self.code(function, 2);
        let (first, rest) = code.split_first()?;
        let parts = rest.len().checked_sub(5)?;
        let (parts, last) = rest.split_at_checked(parts)?;
        let (parts, []) = parts.as_chunks::<9>() else { return None };
        let mut orders = Vec::new();
        for (number, part) in (0..).zip(parts) {
            let [_, _, calling, ..] = part;
            let order = named(*calling, Op::CallFunction)?;
            let (at, place) = (1 + 9 * number, 1 + number);
            let expected = [
                wide(Op::GetItem, 3, 0, place),
                wide(Op::GetItem, 4, 1, place),
                call(3, 2, order),
                plain(Op::Move, 2, 3, 0),
                wide(Op::UnlessLessInteger, 2, 0, at + 6),
                plain(Op::Return, 1, 1, 0),
                plain(Op::Integer, 3, 0, 0),
                wide(Op::UnlessLess, 3, 2, at + 9),
                plain(Op::Return, 0, 1, 0),
            ];
            if !is_code(part, &expected) {
                return None;
            }
            orders.push(order);
        }
        let place = u32::try_from(orders.len()).ok()? + 1;
        let [_, _, calling, ..] = last else { return None };
        let join = named(*calling, Op::CallFunction)?;
        let expected = [
            wide(Op::GetItem, 3, 0, place),
            wide(Op::GetItem, 4, 1, place),
            call(3, 2, join),
            wide(Op::SetItem, 0, 3, place),
            plain(Op::Return, 0, 1, 0),
        ];
        (*first == plain(Op::Integer, 2, 0, 0) && is_code(last, &expected)).then_some((orders, join))
    }
}
