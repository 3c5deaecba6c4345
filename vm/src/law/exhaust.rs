//! Proof by exhaustion: where `lift` makes one of a few states, all that joins make of them are found, and the laws are
//! checked on every two and three of them.

use super::infer::{Atom, Known, States, Table, What, infer};
use super::known::Digests;
use super::{State, Trial, encoded};
use crate::bytecode::{Builtin, Certificate, Class, Grounds, Op, Program, Verified};
use crate::limit;
use crate::value::{Heap, Key, Value};

/// A certificate of a fold whose states are few, if the laws hold of them.
pub(super) fn certificate(verified: &Verified) -> Option<Certificate> {
    let program = verified.program();
    let lift = *program.exports.get("lift")?;
    if draws(program) || !super::compose::steps_by_joining(program) {
        return None;
    }
    let states = infer(program, lift, &mut Digests::new(program))?;
    let lifted = few(&states)?;
    let mut trial = Trial::new(verified);
    let mut found = Found { states: lifted, joins: Vec::new() };
    found.close(&mut trial)?;
    let class = found.class()?;
    let states = found.states.len() as u64;
    let has_unit = match trial.bottom.clone() {
        None => true,
        Some(bottom) => found.states.iter().all(|state| {
            let both = [trial.join(&bottom, state), trial.join(state, &bottom)];
            both.iter().all(|joined| joined.as_ref() == Ok(state))
        }),
    };
    has_unit.then_some(Certificate { class, grounds: Grounds::Exhaustion { states } })
}

/// Whether some code draws numbers by chance: then what was seen once need not be so again.
fn draws(program: &Program) -> bool {
    let code = program.functions.iter().flat_map(|function| &function.code);
    code.filter(|word| word.op() == Some(Op::CallBuiltin))
        .filter_map(|word| Builtin::of(word.wide()))
        .any(|builtin| matches!(builtin, Builtin::RandomNew | Builtin::RandomNext))
}

/// A table of constants.
type Record = Vec<(Vec<u8>, Atom)>;

/// All states that are lifted, where they are few: constants, or tables of constants.
fn few(states: &States) -> Option<Vec<State>> {
    let mut found: Vec<Record> = Vec::new();
    let mut alone: Vec<Atom> = Vec::new();
    match &states.state.what {
        What::One(atoms) => alone.extend(atoms.iter().cloned()),
        What::Own(tables) => {
            for table in tables {
                found.extend(records(states.tables.get(table)?)?);
            }
        }
        What::Nothing | What::Spread(_) | What::Any => return None,
    }
    let mut lifted: Vec<State> = Vec::new();
    for record in found {
        lifted.push(bytes(|heap| {
            let entries = record.iter().map(|(name, atom)| (heap.key(Key::String(name)), value(heap, atom)));
            let entries: Vec<(Value, Value)> = entries.collect();
            heap.map(&entries).unwrap_or(Value::NIL)
        })?);
    }
    for atom in alone {
        lifted.push(bytes(|heap| value(heap, &atom))?);
    }
    lifted.sort();
    lifted.dedup();
    (lifted.len() as u64 <= limit::LAW_STATES.value).then_some(lifted)
}

/// Every record that a table can be.
fn records(table: &Table) -> Option<Vec<Record>> {
    let Table::Plain { fields, others: None, items } = table else { return None };
    if !items.is_empty() {
        return None;
    }
    let mut records = vec![Vec::new()];
    for (name, Known { what, .. }) in fields {
        let atoms = match what {
            What::One(atoms) => atoms,
            What::Nothing => continue,
            What::Own(_) | What::Spread(_) | What::Any => return None,
        };
        let with = |atom: &Atom| {
            let one = |record: &Record| [record.clone(), vec![(name.clone(), atom.clone())]].concat();
            records.iter().map(one).collect::<Vec<_>>()
        };
        let more: Vec<_> = atoms.iter().flat_map(with).collect();
        // A field may be there or not.
        records.extend(more);
        if records.len() as u64 > limit::LAW_STATES.value {
            return None;
        }
    }
    Some(records)
}

fn value(heap: &mut Heap, atom: &Atom) -> Value {
    match atom {
        Atom::Bool(value) => Value::bool(*value),
        Atom::Constant(constant) => constant.to_value(heap),
    }
}

fn bytes(make: impl FnOnce(&mut Heap) -> Value) -> Option<State> {
    let mut heap = Heap::new(0);
    let value = make(&mut heap);
    encoded(&heap, value).ok()
}

/// States, and for each two of them the place of what they join to.
struct Found {
    states: Vec<State>,
    joins: Vec<Vec<usize>>,
}

impl Found {
    /// Finds all that joins make of the states, none of which may trap.
    fn close(&mut self, trial: &mut Trial<'_>) -> Option<()> {
        let mut done = 0;
        while done < self.states.len() {
            done = self.states.len();
            self.joins.clear();
            for a in self.states.clone() {
                let mut row = Vec::new();
                for b in self.states.clone() {
                    let joined = trial.join(&a, &b).ok()?;
                    row.push(self.place(joined)?);
                }
                self.joins.push(row);
            }
        }
        Some(())
    }

    fn place(&mut self, state: State) -> Option<usize> {
        if let Some(place) = self.states.iter().position(|known| *known == state) {
            return Some(place);
        }
        self.states.push(state);
        (self.states.len() as u64 <= limit::LAW_STATES.value).then(|| self.states.len() - 1)
    }

    fn join(&self, a: usize, b: usize) -> Option<usize> {
        self.joins.get(a)?.get(b).copied()
    }

    /// The class that holds on all of them.
    fn class(&self) -> Option<Class> {
        let all = 0..self.states.len();
        for a in all.clone() {
            for b in all.clone() {
                let ab = self.join(a, b)?;
                if ab != self.join(b, a)? {
                    return None;
                }
                for c in all.clone() {
                    if self.join(ab, c)? != self.join(a, self.join(b, c)?)? {
                        return None;
                    }
                }
            }
        }
        let is_idempotent = all.clone().all(|a| self.join(a, a) == Some(a));
        Some(if is_idempotent { Class::Lattice } else { Class::Monoid })
    }
}
