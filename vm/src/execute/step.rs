//! What the instructions of one frame work on, and the two ways to run them.

use super::frame::Frame;
use super::{Core, Outcome};
use crate::bytecode::{Arguments, Instruction, Word, block_cost};
use crate::trap::TrapCode;
use crate::value::{FieldPlace, Heap, Value};
use core::marker::PhantomData;
use core::slice::Iter;

/// Registers that every frame can name with a byte, so that naming one needs no check.
pub(super) const NAMEABLE: usize = 256;

/// A way to run. Whichever it is, results, gas and traps are the same.
pub(super) trait Mode {
    /// Whether the usual cases may take a shorter way: integers in a word, what was remembered, costs found beforehand.
    const QUICK: bool;
    /// Whether blocks are charged.
    const METERED: bool;
    /// Whether instructions are watched before they run; only what does not run quickly can be.
    const WATCHED: bool = false;
}

/// As shipped.
pub(super) struct Quickly;

/// One canonical instruction at a time, each in its general way.
pub(super) struct Plainly;

/// As [`Plainly`], each instruction watched.
pub(super) struct Watched;

/// As shipped, but blocks cost nothing: to measure what metering costs.
#[cfg(feature = "unmetered")]
pub(super) struct Unmetered;

impl Mode for Quickly {
    const QUICK: bool = true;
    const METERED: bool = true;
}

impl Mode for Plainly {
    const QUICK: bool = false;
    const METERED: bool = true;
}

impl Mode for Watched {
    const QUICK: bool = false;
    const METERED: bool = true;
    const WATCHED: bool = true;
}

#[cfg(feature = "unmetered")]
impl Mode for Unmetered {
    const QUICK: bool = true;
    const METERED: bool = false;
}

/// Why control leaves the instructions of a frame.
#[derive(Clone, Copy)]
pub(super) enum Leave {
    Trap(TrapCode),
    /// To the function that the instruction names.
    CallFunction,
    /// As that, with the one argument that it takes.
    CallOne,
    /// To the function of the closure that the instruction names.
    Call(u32),
    Protect(u32),
    /// To a sort by the comparator in the window.
    Sort,
    Return,
    /// With one result.
    ReturnOne,
    Raise,
}

impl From<TrapCode> for Leave {
    fn from(code: TrapCode) -> Leave {
        Leave::Trap(code)
    }
}

pub(super) type Flow = Result<(), Leave>;

pub(super) type Registers = [Value; NAMEABLE];

/// It is taken apart into registers of the processor, so it may be lent to functions that are inlined, and to no other.
pub(super) struct Step<'m, 'p, M: Mode> {
    pub(super) frame: &'m mut Frame<'p>,
    pub(super) core: &'m mut Core,
    pub(super) gas: u64,
    /// The canonical code, where it runs plainly.
    pub(super) words: &'p [Word],
    /// The instructions that follow, the next one first.
    pub(super) rest: Iter<'p, Instruction>,
    pub(super) mode: PhantomData<M>,
}

/// Why a branch leads somewhere.
const VERIFIED: &str = "targets are verified";

#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "a byte names one of 256 registers")]
pub(super) fn register(registers: &Registers, number: u8) -> Value {
    registers[usize::from(number)]
}

/// As [`register`], for a value that is only passed on.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "a byte names one of 256 registers")]
pub(super) fn copied(registers: &Registers, number: u8) -> Value {
    registers[usize::from(number)].copied()
}

#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "a byte names one of 256 registers")]
pub(super) fn put(registers: &mut Registers, number: u8, value: Value) {
    registers[usize::from(number)] = value;
}

impl<'p, M: Mode> Step<'_, 'p, M> {
    #[inline(always)]
    pub(super) fn get(&self, number: u8) -> Value {
        register(&self.frame.registers, number)
    }

    /// As [`Step::get`], for a value that is only passed on.
    #[inline(always)]
    pub(super) fn copy(&self, number: u8) -> Value {
        copied(&self.frame.registers, number)
    }

    #[inline(always)]
    pub(super) fn set(&mut self, number: u8, value: Value) {
        put(&mut self.frame.registers, number, value);
    }

    /// Four registers that follow one another.
    #[inline(always)]
    pub(super) fn four(&mut self, first: u8) -> Option<&mut [Value; 4]> {
        self.frame.registers.get_mut(usize::from(first)..)?.first_chunk_mut()
    }

    #[inline(always)]
    pub(super) fn constant(&self, index: u32) -> Value {
        self.core.constants.get(index as usize).map_or(Value::NIL, Value::copied)
    }

    /// Work elsewhere that may be charged or allocate: while it lasts, the gas that is left stands in the meter.
    #[inline(always)]
    pub(super) fn outside<T>(&mut self, work: impl FnOnce(&mut Core, &mut Registers) -> T) -> T {
        self.core.meter.gas = self.gas;
        let result = work(self.core, &mut self.frame.registers);
        self.gas = self.core.meter.gas;
        result
    }

    /// What was found where the instruction's field was looked for last.
    #[inline(always)]
    pub(super) fn remembered(&self, word: &Instruction) -> FieldPlace {
        self.core.places.get(word.ahead as usize).copied().unwrap_or_default()
    }

    /// Charges for the block that begins at the instruction's target, and goes there. Its cost stands beside the branch.
    #[inline(always)]
    pub(super) fn enter(&mut self, word: &Instruction) -> Flow {
        let all = &self.frame.ready.code;
        let target = if M::QUICK {
            word.forward(self.rest.as_slice()).or_else(|| word.back(all))
        } else {
            all.get(word.wide() as usize..)
        };
        self.enter_rest(target.expect(VERIFIED).iter(), word.ahead)
    }

    /// As [`Step::enter`], where it usually goes back.
    #[inline(always)]
    fn enter_again(&mut self, word: &Instruction) -> Flow {
        let all = &self.frame.ready.code;
        let target = if M::QUICK {
            word.back(all).or_else(|| word.forward(self.rest.as_slice()))
        } else {
            all.get(word.wide() as usize..)
        };
        self.enter_rest(target.expect(VERIFIED).iter(), word.ahead)
    }

    /// As [`Step::enter`], for the instructions from the target on.
    #[inline(always)]
    pub(super) fn enter_rest(&mut self, rest: Iter<'p, Instruction>, ready: u32) -> Flow {
        self.rest = rest;
        if M::METERED {
            let cost =
                if M::QUICK { ready } else { block_cost(self.words, self.frame.ready.code.len() - self.rest.len()) };
            match self.gas.checked_sub(u64::from(cost)) {
                Some(left) => self.gas = left,
                None => {
                    // The trap is the block's: it stands at its first instruction.
                    self.rest.next();
                    return Err(Leave::Trap(TrapCode::GAS));
                }
            }
        }
        Ok(())
    }

    /// Charges for a block that is entered without going anywhere; false, and nothing, where there is too little gas.
    #[inline(always)]
    pub(super) fn pay(&mut self, cost: u32) -> bool {
        match self.gas.checked_sub(u64::from(cost)) {
            Some(left) if M::METERED => self.gas = left,
            Some(_) => {}
            None => return !M::METERED,
        }
        true
    }

    /// Goes to the instruction's target, or on to the next block.
    #[inline(always)]
    pub(super) fn branch(&mut self, is_taken: bool, word: &Instruction) -> Flow {
        if is_taken { self.enter(word) } else { self.enter_rest(self.rest.clone(), word.next) }
    }

    /// As [`Step::branch`], where the target usually lies before it.
    #[inline(always)]
    pub(super) fn branch_again(&mut self, is_taken: bool, word: &Instruction) -> Flow {
        if is_taken { self.enter_again(word) } else { self.enter_rest(self.rest.clone(), word.next) }
    }
}

/// The registers of a window, without what its last one may be spread into.
pub(super) fn window(registers: &Registers, base: u8, arguments: u8) -> &[Value] {
    let start = usize::from(base);
    registers.get(start..start + usize::from(Arguments::of(arguments).count)).unwrap_or_default()
}

/// Does something with the values of a window, with the items of the list behind it where it is spread.
pub(super) fn with_window<T>(
    core: &mut Core,
    registers: &Registers,
    (base, arguments): (u8, u8),
    work: impl FnOnce(&mut Core, &[Value]) -> Outcome<T>,
) -> Outcome<T> {
    let values = window(registers, base, arguments);
    if Arguments::of(arguments).is_spread {
        let all = spread(&core.heap, values)?;
        work(core, &all)
    } else {
        work(core, values)
    }
}

/// The values, the last of which is replaced by its items.
pub(super) fn spread(heap: &Heap, values: &[Value]) -> Outcome<Vec<Value>> {
    let Some((&list, fixed)) = values.split_last() else { return Err(TrapCode::KIND) };
    let count = heap.count(list).ok_or(TrapCode::KIND)?;
    let mut all = Vec::with_capacity(fixed.len() + count);
    all.extend_from_slice(fixed);
    match heap.items(list) {
        Some(items) => all.extend_from_slice(items),
        // Nothing was packed: the empty table may be a map.
        None if count == 0 => {}
        None => return Err(TrapCode::KIND),
    }
    Ok(all)
}
