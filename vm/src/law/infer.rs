//! What states a fold's `lift` makes, seen in its code without running it: which tables are its own, what stands in
//! them, and that nothing else can reach them. Where the code does what is not understood, nothing is known.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the arms name the few instructions that are understood, every other is treated alike"
)]

use super::known::{Digests, Made, Meaning};
use crate::bytecode::live;
use crate::bytecode::{ALL_RESULTS, Arguments, Constant, Exit, Function, Op, Operand, Program, Role, Word, results};
use crate::limit;
use crate::number::Number;
use std::collections::{BTreeMap, BTreeSet};

/// A value beside nil.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// None: it is nil.
    Nothing,
    /// One of a few constants.
    One(BTreeSet<Atom>),
    /// A table that `lift` made, by the instructions that may have.
    Own(BTreeSet<usize>),
    /// The list of what a call gave, of which only the first is known.
    Spread(BTreeSet<usize>),
    Any,
}

/// A value that code holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Atom {
    Bool(bool),
    Constant(Constant),
}

/// What is known of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) may_be_nil: bool,
    pub(super) what: What,
}

const NIL: Known = Known { may_be_nil: true, what: What::Nothing };
const ANY: Known = Known { may_be_nil: true, what: What::Any };
/// Of a register that nothing was put into.
const NONE: Known = Known { may_be_nil: false, what: What::Nothing };

/// What stands in a table of `lift`'s own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Table {
    /// What a function of the library made.
    Made(Made),
    /// Fields by name, values by keys that are not known, and how many stand at 1 to n, none of them nil.
    Plain { fields: BTreeMap<Vec<u8>, Known>, others: Option<Known>, items: Vec<Known> },
}

/// What was found: the states, and the tables that they are made of.
pub(super) struct States {
    pub(super) state: Known,
    pub(super) tables: BTreeMap<usize, Table>,
}

/// How often an instruction is looked at, on the average, before its function is given up.
const ROUNDS: usize = 64;

/// Where a table went: an instruction and an operand's place in it.
type Use = (usize, usize);

/// Where the state goes.
const RETURNED: Use = (usize::MAX, 0);

/// The inference under way.
struct Infer<'p, 'd> {
    program: &'p Program,
    function: &'p Function,
    digests: &'d mut Digests<'p>,
    tables: BTreeMap<usize, Table>,
    /// Where each table went. It may go to one place only: then nothing else reaches it.
    uses: BTreeMap<usize, Use>,
    /// Instructions that may run again.
    repeated: Vec<core::ops::RangeInclusive<usize>>,
    state: Known,
}

/// Infers the states that a function makes.
pub(super) fn infer<'p>(program: &'p Program, number: u32, digests: &mut Digests<'p>) -> Option<States> {
    let function = program.functions.get(number as usize)?;
    if function.code.len() as u64 > limit::LAW_CODE.value {
        return None;
    }
    let mut infer = Infer {
        program,
        function,
        digests,
        tables: BTreeMap::new(),
        uses: BTreeMap::new(),
        repeated: loops(&function.code),
        state: NONE,
    };
    infer.run()?;
    Some(States { state: infer.state, tables: infer.tables })
}

/// From where a jump goes back to, up to the jump.
fn loops(code: &[Word]) -> Vec<core::ops::RangeInclusive<usize>> {
    let back = |(at, &word): (usize, &Word)| {
        let target = operand(word, Role::Target)? as usize;
        (target <= at).then_some(target..=at)
    };
    code.iter().enumerate().filter_map(back).collect()
}

fn operand(word: Word, role: Role) -> Option<u32> {
    let found = word.op()?.information().operands.iter().find(|operand| operand.role == role)?;
    Some(word.get(*found))
}

impl Infer<'_, '_> {
    fn run(&mut self) -> Option<()> {
        let mut start = vec![NONE; usize::from(self.function.registers)];
        start.iter_mut().take(self.function.filled().into()).for_each(|register| *register = ANY);
        let mut before: Vec<Option<Vec<Known>>> = vec![None; self.function.code.len()];
        let live = live(self.function);
        let mut waiting = vec![(0, start)];
        let mut rounds = ROUNDS * self.function.code.len();
        while let Some((at, mut registers)) = waiting.pop() {
            rounds = rounds.checked_sub(1)?;
            // What is never read again may be anything.
            let live = live.get(at)?;
            (0..)
                .zip(&mut registers)
                .filter(|(number, _)| !live.has(*number))
                .for_each(|(_, register)| *register = NONE);
            let known = before.get_mut(at)?;
            let joined = match known.as_ref() {
                None => registers,
                Some(known) => self.both(known.clone(), &registers)?,
            };
            let known = before.get_mut(at)?;
            if known.as_ref() == Some(&joined) {
                continue;
            }
            *known = Some(joined.clone());
            waiting.extend(self.step(at, joined)?);
        }
        Some(())
    }

    fn both(&self, mut a: Vec<Known>, b: &[Known]) -> Option<Vec<Known>> {
        for (a, b) in a.iter_mut().zip(b) {
            *a = self.either(a, b)?;
        }
        Some(a)
    }

    /// What is known of a value that is one or the other.
    fn either(&self, a: &Known, b: &Known) -> Option<Known> {
        let what = match (&a.what, &b.what) {
            (What::Nothing, what) | (what, What::Nothing) => what.clone(),
            (What::One(a), What::One(b)) => What::One(a.union(b).cloned().collect()),
            (What::Own(a), What::Own(b)) => What::Own(a.union(b).copied().collect()),
            (What::Spread(a), What::Spread(b)) => What::Spread(a.union(b).copied().collect()),
            (What::Own(_) | What::Spread(_), _) | (_, What::Own(_) | What::Spread(_)) => return None,
            (What::Any | What::One(_), What::Any | What::One(_)) => What::Any,
        };
        Some(Known { may_be_nil: a.may_be_nil || b.may_be_nil, what })
    }

    /// Notes where a table went. Going to a second place, or to one again and again, it could be reached by two ways.
    fn use_table(&mut self, table: usize, place: Use) -> Option<()> {
        let old = self.uses.insert(table, place);
        let is_repeated = self.is_repeated(place.0);
        (old.is_none_or(|old| old == place) && !is_repeated).then_some(())
    }

    fn is_repeated(&self, at: usize) -> bool {
        self.repeated.iter().any(|range| range.contains(&at))
    }

    /// Uses a value, if it is a table.
    fn give(&mut self, known: &Known, place: Use) -> Option<()> {
        match &known.what {
            What::Own(tables) | What::Spread(tables) => {
                tables.iter().try_for_each(|&table| self.use_table(table, place))
            }
            What::Nothing | What::One(_) | What::Any => Some(()),
        }
    }

    /// Puts a value into a table, by its name where that is known.
    fn put(&mut self, at: usize, table: &Known, name: Option<&[u8]>, value: &Known) -> Option<()> {
        let What::Own(numbers) = &table.what else { return None };
        for number in numbers {
            let Table::Plain { mut fields, mut others, items } = self.tables.get(number)?.clone() else { return None };
            if !items.is_empty() || self.is_repeated(at) {
                return None;
            }
            match name {
                Some(name) => {
                    let old = fields.get(name).unwrap_or(&NIL);
                    fields.insert(name.to_vec(), self.either(old, value)?);
                }
                None => others = Some(self.either(others.as_ref().unwrap_or(&NIL), value)?),
            }
            self.tables.insert(*number, Table::Plain { fields, others, items });
        }
        Some(())
    }

    /// A new table; one that an instruction made before keeps what was put into it.
    fn make(&mut self, at: usize, table: Table) -> Option<Known> {
        let is_as_before = match (self.tables.get(&at), &table) {
            (None, _) => false,
            (Some(Table::Plain { items: old, .. }), Table::Plain { items, .. }) => old == items,
            (Some(old), new) => old == new,
        };
        if self.is_repeated(at) {
            return None;
        }
        if !is_as_before {
            self.tables.insert(at, table);
        }
        Some(Known { may_be_nil: false, what: What::Own(BTreeSet::from([at])) })
    }

    /// Where the flow goes on after an instruction, and what the registers hold then.
    fn step(&mut self, at: usize, mut registers: Vec<Known>) -> Option<Vec<(usize, Vec<Known>)>> {
        let word = *self.function.code.get(at)?;
        let op = word.op()?;
        let (a, b, c) = (usize::from(word.a()), usize::from(word.b()), usize::from(word.c()));
        let get = |registers: &[Known], register: usize| registers.get(register).cloned();
        let written = match op {
            Op::Move => Some(get(&registers, b)?),
            Op::Nil => Some(NIL),
            Op::Bool => Some(one(Atom::Bool(b == 1))),
            Op::Integer => {
                let number = i64::from(word.wide().cast_signed());
                Some(one(Atom::Constant(Constant::Number(Number::from_i64(number)))))
            }
            Op::Constant => Some(one(Atom::Constant(self.program.constants.get(word.wide() as usize)?.clone()))),
            Op::Table => {
                let items = self.items(at, word, &registers)?;
                Some(self.make(at, Table::Plain { fields: BTreeMap::new(), others: None, items })?)
            }
            // Looking into a table of its own would be a second way to what is in it.
            Op::Get | Op::GetField | Op::GetItem => {
                let from = get(&registers, b)?;
                if matches!(from.what, What::Own(_) | What::Spread(_)) {
                    return None;
                }
                Some(ANY)
            }
            Op::SetField | Op::Set => {
                let value = if op == Op::Set { get(&registers, c)? } else { get(&registers, b)? };
                let table = get(&registers, a)?;
                self.give(&value, (at, 0))?;
                let name = match self.program.constants.get(word.wide() as usize) {
                    Some(Constant::String(name)) if op == Op::SetField => Some(&**name),
                    _ => None,
                };
                self.put(at, &table, name, &value)?;
                None
            }
            Op::CallFunction => {
                let known = self.call(at, word, &registers)?;
                Infer::results(word, &mut registers, &known)?;
                None
            }
            Op::Return => {
                let Arguments { count, is_spread } = Arguments::of(word.b());
                let value = if count == 0 { NIL } else { get(&registers, a)? };
                self.give(&value, RETURNED)?;
                if is_spread && count == 1 {
                    return None;
                }
                let state = self.state.clone();
                self.state = self.either(&state, &value)?;
                None
            }
            _ if op.information().exit == Exit::Branch => return Infer::branch(at, word, &registers),
            _ => {
                Infer::anything(word, &mut registers)?;
                None
            }
        };
        if let Some(written) = written {
            *registers.get_mut(a)? = written;
        }
        Some(match op.information().exit {
            Exit::Leave => Vec::new(),
            Exit::Jump => vec![(operand(word, Role::Target)? as usize, registers)],
            Exit::Next | Exit::Branch => vec![(at + 1, registers)],
        })
    }

    /// Values at 1 to n: they must be there.
    fn items(&mut self, at: usize, word: Word, registers: &[Known]) -> Option<Vec<Known>> {
        let Arguments { count, is_spread } = Arguments::of(word.c());
        if is_spread {
            return None;
        }
        let window = registers.get(usize::from(word.b())..)?.get(..usize::from(count))?.to_vec();
        for (place, item) in window.iter().enumerate() {
            self.give(item, (at, place))?;
        }
        window.iter().all(|item| !item.may_be_nil).then_some(window)
    }

    /// What a call gives: a state's part where the function is known.
    fn call(&mut self, at: usize, word: Word, registers: &[Known]) -> Option<Known> {
        let Arguments { count, is_spread } = Arguments::of(word.b());
        let arguments = registers.get(usize::from(word.a())..)?.get(..usize::from(count))?.to_vec();
        let meaning = self.digests.meaning(word.wide());
        let parts: &[usize] = match meaning {
            Some(Meaning::Makes(_, parts)) => parts,
            _ => &[],
        };
        for (place, argument) in arguments.iter().enumerate() {
            self.give(argument, (at, place))?;
            // What is not known may write to it, and keep it.
            if matches!(argument.what, What::Own(_) | What::Spread(_)) && !matches!(meaning, Some(Meaning::Makes(..))) {
                return None;
            }
            let is_last = place + 1 == arguments.len();
            if parts.contains(&place) && !self.is_keys(argument, is_last && is_spread) {
                return None;
            }
        }
        // What is behind a spread list's first item is not known.
        if is_spread && parts.iter().any(|&part| part >= arguments.len()) {
            return None;
        }
        match meaning {
            Some(Meaning::Makes(made, _)) if !self.is_repeated(at) => {
                let known = self.make(at, Table::Made(made))?;
                Some(Known { may_be_nil: true, ..known })
            }
            _ => Some(ANY),
        }
    }

    fn is_keys(&self, known: &Known, is_spread: bool) -> bool {
        match (&known.what, is_spread) {
            (What::Nothing, false) => true,
            (What::Own(tables), false) | (What::Spread(tables), true) => {
                tables.iter().all(|table| self.tables.get(table) == Some(&Table::Made(Made::Keys)))
            }
            _ => false,
        }
    }

    /// Puts a call's results where they go.
    fn results(word: Word, registers: &mut [Known], known: &Known) -> Option<()> {
        let window = registers.get_mut(usize::from(word.a())..)?;
        let all = word.c() == ALL_RESULTS;
        for (place, register) in window.iter_mut().take(usize::from(results(word.c()))).enumerate() {
            *register = match (&known.what, place, all) {
                (What::Own(tables), 0, true) => Known { may_be_nil: false, what: What::Spread(tables.clone()) },
                (_, 0, false) => known.clone(),
                _ => ANY,
            };
        }
        Some(())
    }

    /// An instruction that is not understood: it may read no table, and what it writes is not known.
    fn anything(word: Word, registers: &mut [Known]) -> Option<()> {
        let operands: &[Operand] = word.op()?.information().operands;
        for operand in operands {
            let first = word.get(*operand) as usize;
            let (read, written) = match operand.role {
                Role::Read => (1, 0),
                Role::Write => (0, 1),
                Role::Base => {
                    let count = |role, of: fn(u8) -> u8| {
                        self::operand(word, role).map_or(0, |bits| usize::from(of(bits as u8)))
                    };
                    (count(Role::Arguments, |bits| Arguments::of(bits).count), count(Role::Results, results))
                }
                Role::Cursor | Role::Counter => (4, 4),
                Role::Arguments | Role::Results | Role::Flag | Role::Small | Role::Integer | Role::Constant => (0, 0),
                Role::Name | Role::Function | Role::Builtin | Role::Capture | Role::Target => (0, 0),
            };
            for (place, register) in registers.iter_mut().skip(first).take(read.max(written)).enumerate() {
                if place < read && matches!(register.what, What::Own(_) | What::Spread(_)) {
                    return None;
                }
                if place < written {
                    *register = ANY;
                }
            }
        }
        Some(())
    }

    /// A branch learns whether a value is nil.
    fn branch(at: usize, word: Word, registers: &[Known]) -> Option<Vec<(usize, Vec<Known>)>> {
        let op = word.op()?;
        let target = operand(word, Role::Target)? as usize;
        if matches!(op, Op::Loop | Op::Again | Op::Each) {
            let mut after = registers.to_vec();
            Infer::anything(word, &mut after)?;
            return Some(vec![(target, after.clone()), (at + 1, after)]);
        }
        let (a, b) = (usize::from(word.a()), usize::from(word.b()));
        let is_nil = |register: usize| registers.get(register) == Some(&NIL);
        let (mut there, mut here) = (registers.to_vec(), registers.to_vec());
        let (with, without) = match op {
            Op::IfEqual if is_nil(b) => (&mut there, &mut here),
            Op::UnlessEqual if is_nil(b) => (&mut here, &mut there),
            Op::If => (&mut here, &mut there),
            Op::Unless => (&mut there, &mut here),
            _ => return Some(vec![(target, there), (at + 1, here)]),
        };
        if let Some(register) = without.get_mut(a) {
            register.may_be_nil = false;
        }
        // A table is neither nil nor false.
        if let Some(register) = with.get_mut(a)
            && matches!(register.what, What::Own(_) | What::Nothing)
        {
            *register = NIL;
        }
        // What can't be is not followed.
        let is_possible = |registers: &[Known]| registers.get(a).is_none_or(|known| *known != NONE);
        let ways = [(target, there), (at + 1, here)];
        Some(ways.into_iter().filter(|(_, registers)| is_possible(registers)).collect())
    }
}

fn one(atom: Atom) -> Known {
    Known { may_be_nil: false, what: What::One(BTreeSet::from([atom])) }
}
