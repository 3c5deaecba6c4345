//! Running: frames, calls, returns and traps. What single instructions do stands in `meaning.rs`.

use super::elsewhere::pack;
use super::step::{Leave, Mode, NAMEABLE, Registers, Step, spread};
use super::{Core, Machine, Outcome, meaning};
use crate::bytecode::{ALL_RESULTS, Arguments, Instruction, Op, Ready, SPREAD, Word, block_cost, each_instruction};
use crate::trap::{Trap, TrapCode};
use crate::value::Value;
use core::marker::PhantomData;

/// A call under way.
pub(super) struct Frame {
    pub(super) closure: Value,
    function: u32,
    /// The next instruction, while another frame runs.
    at: u32,
    /// Where its registers begin.
    base: u32,
    /// Which register of the caller takes the first result, and how many results it wants.
    window: u8,
    results: u8,
    after: After,
}

/// What follows when a frame is left.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// The caller goes on.
    Caller,
    /// The caller goes on, having been told whether there was an error.
    Protected,
    /// The caller's sort goes on with the answer.
    Sort,
    /// The run is over.
    End,
}

/// Each arm ends by itself, so that going on is one jump and nothing is carried to a common place.
macro_rules! dispatch {
    (($step:ident $word:ident) $($byte:literal $name:ident)+) => {
        match $word.op {
            $(Op::$name => if let Err(leave) = meaning::$name(&mut $step, $word) {
                break leave;
            })+
        }
    };
}

/// The registers of the frame that begins at a place.
#[inline(always)]
fn registers(stack: &mut [Value], base: usize) -> &mut Registers {
    let registers = stack.get_mut(base..).and_then(|stack| stack.first_chunk_mut::<NAMEABLE>());
    registers.expect("entering made room for the frame")
}

impl Machine<'_> {
    /// Runs a function to its end.
    pub(super) fn evaluate<M: Mode>(&mut self, function: u32, arguments: &[Value]) -> Result<Vec<Value>, Trap> {
        let first = Call { window: 0, results: ALL_RESULTS, base: 0, ..Call::of(function, After::End) };
        self.enter::<M>(first, arguments).map_err(|code| Trap { code, function, instruction: 0 })?;
        loop {
            let went_on = match self.run_frames::<M>() {
                Leave::CallFunction => self.call_window::<M>(self.last_word().wide(), After::Caller),
                Leave::Call(function) => self.call_window::<M>(function, After::Caller),
                Leave::Protect(function) => self.call_window::<M>(function, After::Protected),
                Leave::Sort => self.begin_sort::<M>(),
                Leave::Return => match self.core.frames.last().map(|frame| frame.after) {
                    Some(After::Caller | After::Protected) => self.leave_frame(),
                    Some(After::Sort) => self.go_on_sorting::<M>(),
                    Some(After::End) | None => match self.returned() {
                        Ok(results) => return Ok(results),
                        Err(code) => Err(code),
                    },
                },
                Leave::Raise => {
                    self.core.raised = self.window_value(self.last_word().a());
                    Err(TrapCode::RAISED)
                }
                Leave::Trap(code) => Err(code),
            };
            if let Err(code) = went_on {
                self.unwind(code)?;
            }
        }
    }

    /// Runs the innermost frame, and those that it calls and returns to in the usual way, until anything else is to be done.
    fn run_frames<M: Mode>(&mut self) -> Leave {
        let Machine { program, core, stack } = self;
        let (program, functions) = (program.program(), program.functions());
        let Some(frame) = core.frames.last() else { return Leave::Return };
        let (mut function, mut base, mut at) = (frame.function as usize, frame.base as usize, frame.at as usize);
        let mut gas = core.meter.gas;
        let leave = loop {
            let ready = functions.get(function).expect("a verified call names a function");
            let words = program.functions.get(function).map_or(&[] as &[Word], |function| &function.code);
            let registers = registers(stack, base);
            let mut step = Step::<M> { registers, core, words, gas, at, mode: PhantomData };
            let mut word;
            let leave = loop {
                word = if M::QUICK { ready.code.get(step.at) } else { None };
                let bare;
                let word = match word {
                    Some(word) => word,
                    None => {
                        bare = plain(words, step.at);
                        &bare
                    }
                };
                step.at += 1;
                each_instruction!(dispatch (step word));
            };
            at = step.at;
            gas = step.gas;
            if let (true, Some(word)) = (M::QUICK, word) {
                let called = match leave {
                    Leave::CallFunction => {
                        call_quickly::<M>(functions, core, stack, (base, at, gas), ready, word, None)
                    }
                    Leave::Call(callee) => {
                        call_quickly::<M>(functions, core, stack, (base, at, gas), ready, word, Some(callee))
                    }
                    Leave::Return => {
                        if let Some(place) = return_quickly(core, stack, base, word) {
                            (function, base, at) = place;
                            continue;
                        }
                        None
                    }
                    Leave::Trap(_) | Leave::Protect(_) | Leave::Sort | Leave::Raise => None,
                };
                if let Some((callee, start, left)) = called {
                    (function, base, at, gas) = (callee, start, 0, left);
                    continue;
                }
            }
            break leave;
        };
        if let Some(frame) = core.frames.last_mut() {
            frame.at = at as u32;
        }
        core.meter.gas = gas;
        leave
    }
}

/// The canonical instruction, made ready by itself.
fn plain(words: &[Word], at: usize) -> Instruction {
    let word = words.get(at).expect("verified code does not run past its end");
    Instruction::bare(word.op().expect("verified code has operations only"), *word)
}

/// The usual call: a window as it stands, to a function without further parameters.
/// Gives the function, where its registers begin, and the gas that is left; nothing where the call is not usual.
#[inline(always)]
fn call_quickly<M: Mode>(
    functions: &[Ready],
    core: &mut Core,
    stack: &mut [Value],
    (base, at, gas): (usize, usize, u64),
    caller: &Ready,
    word: &Instruction,
    callee: Option<u32>,
) -> Option<(usize, usize, u64)> {
    let number = callee.unwrap_or(word.wide());
    let ready = functions.get(number as usize)?;
    let closure = match callee {
        Some(_) => *stack.get(base + usize::from(word.wide() as u8))?,
        None => Value::NIL,
    };
    let cost = if callee.is_some() { ready.cost } else { word.ahead };
    let left = if M::METERED { gas.checked_sub(u64::from(cost))? } else { gas };
    let given = word.b();
    if given >= SPREAD || ready.is_variadic || core.frames.len() as u64 >= core.depth {
        return None;
    }
    let start = base + usize::from(caller.registers);
    let (before, after) = stack.split_at_mut_checked(start)?;
    let to = after.first_chunk_mut::<NAMEABLE>()?;
    let from = before.get(base + usize::from(word.a())..)?;
    let parameters = usize::from(ready.parameters);
    let copied = usize::from(given).min(parameters);
    to.iter_mut().zip(from).take(copied).for_each(|(to, from)| *to = *from);
    to.iter_mut().take(parameters).skip(copied).for_each(|to| *to = Value::NIL);
    core.frames.last_mut()?.at = at as u32;
    core.frames.push(Frame {
        closure,
        function: number,
        at: 0,
        base: start as u32,
        window: word.a(),
        results: word.c(),
        after: After::Caller,
    });
    Some((number as usize, start, left))
}

/// The usual return: a window as it stands, to a caller that wants single results.
/// Gives the caller's function, where its registers begin, and where it goes on; nothing where the return is not usual.
#[inline(always)]
fn return_quickly(
    core: &mut Core,
    stack: &mut [Value],
    base: usize,
    word: &Instruction,
) -> Option<(usize, usize, usize)> {
    let frame = core.frames.last()?;
    let (window, results, given) = (usize::from(frame.window), frame.results, word.b());
    if frame.after != After::Caller || results == ALL_RESULTS || given >= SPREAD {
        return None;
    }
    core.frames.pop();
    let frame = core.frames.last()?;
    let (from, to) = (base + usize::from(word.a()), frame.base as usize + window);
    for place in 0..usize::from(results) {
        let value = if place < usize::from(given) { *stack.get(from + place)? } else { Value::NIL };
        *stack.get_mut(to + place)? = value;
    }
    Some((frame.function as usize, frame.base as usize, frame.at as usize))
}

impl Machine<'_> {
    /// The instruction that left the innermost frame.
    pub(super) fn last_word(&self) -> Word {
        let functions = &self.program.program().functions;
        let word = self.core.frames.last().and_then(|frame| {
            let code = &functions.get(frame.function as usize)?.code;
            code.get((frame.at as usize).checked_sub(1)?)
        });
        *word.expect("a frame that was left had an instruction")
    }

    /// Where a register of the innermost frame lies.
    pub(super) fn place_of(&self, register: u8) -> usize {
        self.core.frames.last().map_or(0, |frame| frame.base as usize) + usize::from(register)
    }

    pub(super) fn window_value(&self, register: u8) -> Value {
        self.stack.get(self.place_of(register)).copied().unwrap_or(Value::NIL)
    }

    /// Where the registers of a function that the innermost frame calls begin.
    pub(super) fn next_base(&self) -> usize {
        let registers =
            |frame: &Frame| self.program.functions().get(frame.function as usize).map(|caller| caller.registers);
        let last = self.core.frames.last();
        last.map_or(0, |frame| frame.base as usize + registers(frame).map_or(NAMEABLE, usize::from))
    }

    /// Calls with the window that the last instruction names.
    fn call_window<M: Mode>(&mut self, function: u32, after: After) -> Outcome<()> {
        let word = self.last_word();
        let closure =
            if word.op() == Some(Op::CallFunction) { Value::NIL } else { self.window_value(word.wide() as u8) };
        let base = self.next_base();
        let call = Call { closure, window: word.a(), results: word.c(), base, ..Call::of(function, after) };
        let callee = self.program.functions().get(function as usize).ok_or(TrapCode::KIND)?;
        let values = self.arguments(word)?;
        if Arguments::of(word.b()).is_spread || callee.is_variadic {
            self.core.meter.charge_values(values.len())?;
        }
        self.enter::<M>(call, &values)
    }

    /// The values of the window that an instruction of the innermost frame names.
    pub(super) fn arguments(&self, word: Word) -> Outcome<Vec<Value>> {
        let given = Arguments::of(word.b());
        let start = self.place_of(word.a());
        let values = self.stack.get(start..start + usize::from(given.count)).unwrap_or_default();
        if given.is_spread { spread(&self.core.heap, values) } else { Ok(values.to_vec()) }
    }

    /// Room for a frame, where the depth of calls allows one more.
    fn make_room(&mut self, base: usize) -> Outcome<()> {
        if self.core.frames.len() as u64 >= self.core.depth {
            return Err(TrapCode::DEPTH);
        }
        let needed = base + NAMEABLE;
        if self.stack.len() < needed {
            self.stack.resize(needed.next_power_of_two(), Value::NIL);
        }
        Ok(())
    }

    /// Begins a call with any arguments: places them, packs what the function takes as a list, charges for its first block.
    pub(super) fn enter<M: Mode>(&mut self, call: Call, arguments: &[Value]) -> Outcome<()> {
        self.make_room(call.base)?;
        let ready = self.program.functions().get(call.function as usize).ok_or(TrapCode::KIND)?;
        let parameters = usize::from(ready.parameters);
        let registers = self.stack.get_mut(call.base..).unwrap_or_default();
        let filled = arguments.iter().copied().chain(core::iter::repeat(Value::NIL)).take(parameters);
        registers.iter_mut().zip(filled).for_each(|(register, value)| *register = value);
        if ready.is_variadic {
            let further = arguments.get(parameters..).unwrap_or_default();
            let list = pack(&mut self.core.heap, &mut self.core.meter, further)?;
            if let Some(register) = registers.get_mut(parameters) {
                *register = list;
            }
        }
        let Call { function, closure, after, window, results, base } = call;
        // Until it is paid for, the frame stands behind its first instruction: there a trap belongs.
        self.core.frames.push(Frame { closure, function, at: 1, base: base as u32, window, results, after });
        if M::METERED {
            let words = self.program.program().functions.get(function as usize);
            let cost = if M::QUICK { ready.cost } else { words.map_or(0, |words| block_cost(&words.code, 0)) };
            self.core.meter.charge(u64::from(cost))?;
        }
        if let Some(frame) = self.core.frames.last_mut() {
            frame.at = 0;
        }
        Ok(())
    }

    /// The values that the last instruction, a return, gives.
    fn returned(&mut self) -> Outcome<Vec<Value>> {
        let word = self.last_word();
        let values = self.arguments(word)?;
        if Arguments::of(word.b()).is_spread {
            self.core.meter.charge_values(values.len())?;
        }
        Ok(values)
    }

    /// Leaves the innermost frame with the values that it returns.
    pub(super) fn finish_frame(&mut self) -> Outcome<(Frame, Vec<Value>)> {
        let values = self.returned()?;
        let frame = self.core.frames.pop().ok_or(TrapCode::DEPTH)?;
        Ok((frame, values))
    }

    /// Returns from the innermost frame to its caller.
    fn leave_frame(&mut self) -> Outcome<()> {
        let (frame, mut values) = self.finish_frame()?;
        if frame.after == After::Protected {
            values.insert(0, Value::TRUE);
        }
        self.place(self.place_of(frame.window), frame.results, &values)
    }

    /// Puts results where the caller wants them: as many as it asked for, nil where there are too few.
    pub(super) fn place(&mut self, window: usize, results: u8, values: &[Value]) -> Outcome<()> {
        if results == ALL_RESULTS {
            let list = pack(&mut self.core.heap, &mut self.core.meter, values)?;
            if let Some(register) = self.stack.get_mut(window) {
                *register = list;
            }
            return Ok(());
        }
        let wanted = self.stack.iter_mut().skip(window).take(usize::from(results));
        let values = values.iter().copied().chain(core::iter::repeat(Value::NIL));
        wanted.zip(values).for_each(|(register, value)| *register = value);
        Ok(())
    }

    /// Goes back to the innermost protected call, or ends the run.
    fn unwind(&mut self, code: TrapCode) -> Result<(), Trap> {
        let place = self.core.frames.last().map_or((0, 0), |frame| (frame.function, frame.at.saturating_sub(1)));
        let trap = Trap { code, function: place.0, instruction: place.1 };
        if code.is_resource() {
            return Err(trap);
        }
        let Some((window, results)) = self.catch() else { return Err(trap) };
        let error =
            if code == TrapCode::RAISED { self.core.raised } else { self.core.heap.string(code.name().as_bytes()) };
        self.place(window, results, &[Value::FALSE, error]).map_err(|code| Trap { code, ..trap })
    }

    /// Where the results of the innermost protected call go, whose frame and all inner ones are left.
    fn catch(&mut self) -> Option<(usize, u8)> {
        // What can't be called at all is caught by the instruction that tried.
        let word = self.last_word();
        if word.op() == Some(Op::Protect) {
            return Some((self.place_of(word.a()), word.c()));
        }
        let caught = self.core.frames.iter().rposition(|frame| frame.after == After::Protected)?;
        let left = self.core.frames.split_off(caught);
        let sorts = left.iter().filter(|frame| frame.after == After::Sort).count();
        self.core.sorts.truncate(self.core.sorts.len().saturating_sub(sorts));
        let frame = left.first()?;
        Some((self.place_of(frame.window), frame.results))
    }
}

/// A call that is to be entered.
pub(super) struct Call {
    pub(super) function: u32,
    pub(super) after: After,
    pub(super) closure: Value,
    pub(super) window: u8,
    pub(super) results: u8,
    pub(super) base: usize,
}

impl Call {
    /// A call of a function that keeps nothing, for no results.
    pub(super) const fn of(function: u32, after: After) -> Call {
        Call { function, after, closure: Value::NIL, window: 0, results: 0, base: 0 }
    }
}
