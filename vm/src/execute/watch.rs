//! Watching: what every instruction of a run is about to do, and with what. Nothing that is watched runs quickly.

use super::step::{NAMEABLE, Registers};
use crate::bytecode::{Arguments, Op, Role, Word};
use crate::encoding::{Options, json};
use crate::limit;
use crate::value::{Heap, Kind, Value};

/// An instruction that is about to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub function: u32,
    pub instruction: u32,
    /// The gas that is left.
    pub gas: u64,
    /// The registers that it reads, as people see their values.
    pub reads: Vec<(u8, String)>,
}

/// What is watched, and where it ends.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) seen: Vec<Seen>,
    /// How many instructions may run.
    pub(crate) stop: Option<usize>,
    /// Whether values are shown: it costs more than running.
    pub(crate) shows: bool,
    count: usize,
}

impl Watch {
    pub(crate) const fn new(stop: Option<usize>, shows: bool) -> Watch {
        Watch { seen: Vec::new(), stop, shows, count: 0 }
    }

    /// Notes an instruction; false where it must not run any more.
    pub(super) fn note(
        &mut self,
        heap: &Heap,
        registers: &Registers,
        (function, instruction, word): (u32, usize, Option<Word>),
        gas: u64,
    ) -> bool {
        if self.stop.is_some_and(|stop| self.count >= stop) {
            return false;
        }
        self.count += 1;
        if self.seen.len() < limit::RUN_WATCHED.value as usize {
            let reads = word.filter(|_| self.shows).map(|word| reads(heap, registers, word)).unwrap_or_default();
            let instruction = u32::try_from(instruction).unwrap_or(u32::MAX);
            self.seen.push(Seen { function, instruction, gas, reads });
        }
        true
    }
}

/// The registers that an instruction reads.
fn reads(heap: &Heap, registers: &Registers, word: Word) -> Vec<(u8, String)> {
    let Some(operands) = word.op().map(Op::information).map(|information| information.operands) else {
        return Vec::new();
    };
    let named = |role| operands.iter().find(|operand| operand.role == role).map(|operand| word.get(*operand));
    let mut read: Vec<usize> = Vec::new();
    for operand in operands {
        let register = word.get(*operand) as usize;
        match operand.role {
            Role::Read => read.push(register),
            Role::Base => {
                let count = named(Role::Arguments).and_then(|count| u8::try_from(count).ok());
                read.extend((register..).take(count.map_or(0, |count| usize::from(Arguments::of(count).count))));
            }
            Role::Cursor | Role::Counter => read.extend((register..).take(2)),
            Role::Write
            | Role::Arguments
            | Role::Results
            | Role::Flag
            | Role::Small
            | Role::Integer
            | Role::Constant
            | Role::Name
            | Role::Function
            | Role::Builtin
            | Role::Capture
            | Role::Target => {}
        }
    }
    let value = |number: usize| registers.get(number).copied().map(|value| (number, value));
    let shown = |(number, value): (usize, Value)| (u8::try_from(number).unwrap_or(u8::MAX), shown(heap, value));
    read.into_iter().filter(|&number| number < NAMEABLE).filter_map(value).map(shown).collect()
}

/// Characters of a value that are shown.
const SHOWN: usize = 60;

/// A value for people: as JSON where that is short, else what it is.
fn shown(heap: &Heap, value: Value) -> String {
    let kind = heap.kind(value);
    let count = |what: &str| format!("{what} of {}", heap.count(value).unwrap_or_default());
    match kind {
        Kind::List => return count("list"),
        Kind::Map => return count("map"),
        Kind::Set => return count("set"),
        Kind::Function => return "function".into(),
        Kind::Nil | Kind::Bool | Kind::Number | Kind::Float | Kind::Fixed | Kind::String | Kind::Bytes => {}
    }
    let mut out = Vec::new();
    match json::encode(heap, value, &Options::SNAPSHOT, &mut out) {
        Ok(()) => {
            let text = String::from_utf8_lossy(&out);
            let mut short: String = text.chars().take(SHOWN).collect();
            if short.len() < text.len() {
                short.push('…');
            }
            short
        }
        Err(_) => kind.name().into(),
    }
}
