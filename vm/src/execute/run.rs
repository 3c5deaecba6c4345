//! Running: frames, calls, returns and traps. What single instructions do stands in `meaning.rs`.

use super::{Machine, Outcome, library::Output, meaning};
use crate::bytecode::{ALL_RESULTS, Arguments, Op, Word, each_instruction};
use crate::meter::{self, Meter};
use crate::trap::{Trap, TrapCode};
use crate::value::{Heap, Value};

/// Registers that every frame can name with a byte, so that naming one needs no check.
pub(super) const NAMEABLE: usize = 256;

/// A call under way.
pub(super) struct Frame {
    function: u32,
    /// The next instruction.
    at: usize,
    /// Where its registers begin.
    base: usize,
    /// Where the caller wants the results, and how many.
    window: usize,
    results: u8,
    is_protected: bool,
    closure: Value,
}

/// Why control leaves the instructions of a frame.
pub(super) enum Leave {
    Trap(TrapCode),
    Call { function: u32, closure: Value, is_protected: bool },
    Return,
    Raise(Value),
}

impl From<TrapCode> for Leave {
    fn from(code: TrapCode) -> Leave {
        Leave::Trap(code)
    }
}

pub(super) type Flow = Result<(), Leave>;

/// What the instructions of one frame work on. It is taken apart into registers of the processor,
/// so nothing of it may be lent to a function that is not inlined, but for the heap.
pub(super) struct Step<'m> {
    pub(super) frame: &'m mut [Value; NAMEABLE],
    pub(super) heap: &'m mut Heap,
    pub(super) constants: &'m [Value],
    pub(super) output: &'m mut Output,
    pub(super) closure: Value,
    meter: Meter,
    costs: &'m [u32],
    at: usize,
}

impl Step<'_> {
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "a byte names one of 256 registers")]
    pub(super) fn get(&self, register: u8) -> Value {
        self.frame[usize::from(register)]
    }

    /// The integer in a register, if it holds one that fits a word: only the words that are needed are read.
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "a byte names one of 256 registers")]
    pub(super) fn integer(&self, register: u8) -> Option<i64> {
        self.frame[usize::from(register)].as_i64()
    }

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "a byte names one of 256 registers")]
    pub(super) fn set(&mut self, register: u8, value: Value) {
        self.frame[usize::from(register)] = value;
    }

    pub(super) fn constant(&self, index: u32) -> Value {
        self.constants.get(index as usize).copied().unwrap_or(Value::NIL)
    }

    /// Work that may be charged or allocate. The meter goes out and comes back as a copy, so that it can stay in registers.
    #[inline(always)]
    pub(super) fn metered<T>(&mut self, work: impl FnOnce(&mut Heap, &mut Meter) -> Outcome<T>) -> Result<T, Leave> {
        let mut meter = self.meter;
        let result = work(self.heap, &mut meter);
        self.meter = meter;
        result.map_err(Leave::Trap)
    }

    /// As [`Step::metered`], for work that may emit, and that reads the registers.
    pub(super) fn emitting<T>(
        &mut self,
        work: impl FnOnce(&mut Heap, &mut Meter, &mut Output, &[Value; NAMEABLE]) -> Outcome<T>,
    ) -> Result<T, Leave> {
        let mut meter = self.meter;
        let result = work(self.heap, &mut meter, self.output, self.frame);
        self.meter = meter;
        result.map_err(Leave::Trap)
    }

    /// Charges for the block that begins at an instruction, and goes there.
    #[inline(always)]
    pub(super) fn enter(&mut self, target: usize) -> Flow {
        let cost = u64::from(self.costs.get(target).copied().unwrap_or_default());
        match self.meter.gas.checked_sub(cost) {
            Some(left) => {
                self.meter.gas = left;
                self.at = target;
                Ok(())
            }
            None => {
                // The trap is the block's: it stands at its first instruction.
                self.at = target + 1;
                Err(Leave::Trap(TrapCode::GAS))
            }
        }
    }

    /// Goes to the instruction's target, or on to the next block.
    #[inline(always)]
    pub(super) fn branch(&mut self, is_taken: bool, word: Word) -> Flow {
        let target = if is_taken { word.wide() as usize } else { self.at };
        self.enter(target)
    }

    /// The window that an instruction names, with the items of the list behind it where it is spread.
    pub(super) fn window(&self, base: u8, arguments: u8) -> Outcome<Vec<Value>> {
        let arguments = Arguments::of(arguments);
        let start = usize::from(base);
        let values = self.frame.get(start..start + usize::from(arguments.count)).unwrap_or_default();
        spread(self.heap, values, arguments.is_spread)
    }
}

/// The values, the last of which is replaced by its items where it is spread.
fn spread(heap: &Heap, values: &[Value], is_spread: bool) -> Outcome<Vec<Value>> {
    if !is_spread {
        return Ok(values.to_vec());
    }
    let Some((&list, fixed)) = values.split_last() else { return Err(TrapCode::KIND) };
    let count = heap.count(list).ok_or(TrapCode::KIND)?;
    let mut all = fixed.to_vec();
    match heap.items(list) {
        Some(items) => all.extend_from_slice(items),
        // Nothing was packed: the empty table may be a map.
        None if count == 0 => {}
        None => return Err(TrapCode::KIND),
    }
    Ok(all)
}

/// Each arm ends by itself, so that going on is one jump and nothing is carried to a common place.
macro_rules! dispatch {
    (($step:ident $word:ident) $($byte:literal $name:ident)+) => {
        match $word.byte() {
            $($byte => if let Err(leave) = meaning::$name(&mut $step, $word) {
                break leave;
            })+
            _ => unreachable!("verified code has operations only"),
        }
    };
}

impl Machine<'_> {
    /// Runs a function to its end.
    pub(super) fn evaluate(&mut self, function: u32, arguments: &[Value]) -> Result<Vec<Value>, Trap> {
        let closure = Value::NIL;
        let first = Call { function, closure, is_protected: false, window: 0, results: ALL_RESULTS, base: 0 };
        self.enter(first, arguments).map_err(|code| Trap { code, function, instruction: 0 })?;
        loop {
            let went_on = match self.run_frame() {
                Leave::Call { function, closure, is_protected } => self.call_window(function, closure, is_protected),
                Leave::Return if self.frames.len() == 1 => match self.returned() {
                    Ok(results) => return Ok(results),
                    Err(code) => Err(code),
                },
                Leave::Return => self.leave_frame(),
                Leave::Raise(value) => {
                    self.raised = value;
                    Err(TrapCode::RAISED)
                }
                Leave::Trap(code) => Err(code),
            };
            if let Err(code) = went_on {
                self.unwind(code)?;
            }
        }
    }

    /// Runs the innermost frame until something leaves it.
    fn run_frame(&mut self) -> Leave {
        let Some(frame) = self.frames.last_mut() else { return Leave::Return };
        let ready = self.program.functions().get(frame.function as usize).expect("a verified call names a function");
        let registers = self.stack.get_mut(frame.base..).and_then(|stack| stack.first_chunk_mut::<NAMEABLE>());
        let mut step = Step {
            frame: registers.expect("entering made room for the frame"),
            heap: &mut self.heap,
            constants: &self.constants,
            output: &mut self.output,
            closure: frame.closure,
            meter: self.meter,
            costs: &ready.costs,
            at: frame.at,
        };
        let code = &*ready.code;
        let leave = loop {
            let word = *code.get(step.at).expect("verified code does not run past its end");
            step.at += 1;
            each_instruction!(dispatch (step word));
        };
        frame.at = step.at;
        self.meter = step.meter;
        leave
    }

    /// The instruction that left the innermost frame.
    fn last_word(&self) -> Word {
        let word = self
            .frames
            .last()
            .and_then(|frame| self.program.functions().get(frame.function as usize)?.code.get(frame.at - 1));
        *word.expect("a frame that was left had an instruction")
    }

    /// Calls with the window that the last instruction names.
    fn call_window(&mut self, function: u32, closure: Value, is_protected: bool) -> Outcome<()> {
        let word = self.last_word();
        let Some(frame) = self.frames.last() else { return Err(TrapCode::DEPTH) };
        let window = frame.base + usize::from(word.a());
        let functions = &self.program.program().functions;
        let base =
            frame.base + functions.get(frame.function as usize).map_or(NAMEABLE, |caller| caller.registers.into());
        let call = Call { function, closure, is_protected, window, results: word.c(), base };
        let given = Arguments::of(word.b());
        let count = usize::from(given.count);
        let callee = functions.get(function as usize).ok_or(TrapCode::KIND)?;
        if given.is_spread || callee.is_variadic {
            let values = self.stack.get(window..window + count).unwrap_or_default();
            let values = spread(&self.heap, values, given.is_spread)?;
            self.meter.charge_values(values.len())?;
            return self.enter(call, &values);
        }
        // The quick way: what the callee takes is copied, what it misses is nil.
        let parameters = usize::from(callee.parameters);
        let copied = count.min(parameters);
        self.make_room(base)?;
        self.stack.copy_within(window..window + copied, base);
        if let Some(missing) = self.stack.get_mut(base + copied..base + parameters) {
            missing.fill(Value::NIL);
        }
        self.push_frame(call)
    }

    /// Room for a frame, where the depth of calls allows one more.
    fn make_room(&mut self, base: usize) -> Outcome<()> {
        if self.frames.len() as u64 >= self.limits.depth {
            return Err(TrapCode::DEPTH);
        }
        let needed = base + NAMEABLE;
        if self.stack.len() < needed {
            self.stack.resize(needed.next_power_of_two(), Value::NIL);
        }
        Ok(())
    }

    /// Begins a call with any arguments: places them, packs what the function takes as a list.
    fn enter(&mut self, call: Call, arguments: &[Value]) -> Outcome<()> {
        self.make_room(call.base)?;
        let function = self.program.program().functions.get(call.function as usize).ok_or(TrapCode::KIND)?;
        let parameters = usize::from(function.parameters);
        let registers = self.stack.get_mut(call.base..).unwrap_or_default();
        let filled = arguments.iter().copied().chain(core::iter::repeat(Value::NIL)).take(parameters);
        registers.iter_mut().zip(filled).for_each(|(register, value)| *register = value);
        if function.is_variadic {
            let further = arguments.get(parameters..).unwrap_or_default();
            let list = pack(&mut self.heap, &mut self.meter, further)?;
            if let Some(register) = registers.get_mut(parameters) {
                *register = list;
            }
        }
        self.push_frame(call)
    }

    /// Begins a call whose arguments are in place, and charges for its first block.
    fn push_frame(&mut self, call: Call) -> Outcome<()> {
        let Call { function, closure, is_protected, window, results, base } = call;
        let ready = self.program.functions().get(function as usize).ok_or(TrapCode::KIND)?;
        let cost = ready.costs.first().copied().unwrap_or_default();
        // Until it is paid for, the frame stands behind its first instruction: there a trap belongs.
        self.frames.push(Frame { function, at: 1, base, window, results, is_protected, closure });
        self.meter.charge(u64::from(cost))?;
        if let Some(frame) = self.frames.last_mut() {
            frame.at = 0;
        }
        Ok(())
    }

    /// The values that the last instruction, a return, gives.
    fn returned(&mut self) -> Outcome<Vec<Value>> {
        let word = self.last_word();
        let given = Arguments::of(word.b());
        let start = self.frames.last().map_or(0, |frame| frame.base) + usize::from(word.a());
        let values = self.stack.get(start..start + usize::from(given.count)).unwrap_or_default();
        let values = spread(&self.heap, values, given.is_spread)?;
        self.meter.charge_values(if given.is_spread { values.len() } else { 0 })?;
        Ok(values)
    }

    /// Returns from the innermost frame to its caller.
    fn leave_frame(&mut self) -> Outcome<()> {
        let word = self.last_word();
        let given = Arguments::of(word.b());
        let Some(frame) = self.frames.last() else { return Err(TrapCode::DEPTH) };
        let Frame { base, window, results, is_protected, .. } = *frame;
        if given.is_spread || is_protected || results == ALL_RESULTS {
            let mut values = self.returned()?;
            if is_protected {
                values.insert(0, Value::TRUE);
            }
            self.frames.pop();
            return self.place(window, results, &values);
        }
        // The quick way: what the caller wants is copied, what is missing is nil.
        let start = base + usize::from(word.a());
        let copied = usize::from(given.count.min(results));
        self.stack.copy_within(start..start + copied, window);
        if let Some(missing) = self.stack.get_mut(window + copied..window + usize::from(results)) {
            missing.fill(Value::NIL);
        }
        self.frames.pop();
        Ok(())
    }

    /// Puts results where the caller wants them: as many as it asked for, nil where there are too few.
    fn place(&mut self, window: usize, results: u8, values: &[Value]) -> Outcome<()> {
        if results == ALL_RESULTS {
            let list = pack(&mut self.heap, &mut self.meter, values)?;
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
        let place = self.frames.last().map_or((0, 0), |frame| (frame.function, frame.at - 1));
        let trap = Trap { code, function: place.0, instruction: u32::try_from(place.1).unwrap_or(u32::MAX) };
        if code.is_resource() {
            return Err(trap);
        }
        let Some((window, results)) = self.catch() else { return Err(trap) };
        let error = if code == TrapCode::RAISED { self.raised } else { self.heap.string(code.name().as_bytes()) };
        self.place(window, results, &[Value::FALSE, error]).map_err(|code| Trap { code, ..trap })
    }
}

impl Machine<'_> {
    /// Where the results of the innermost protected call go, whose frame and all inner ones are left.
    fn catch(&mut self) -> Option<(usize, u8)> {
        // What can't be called at all is caught by the instruction that tried.
        let word = self.last_word();
        if word.op() == Some(Op::Protect) {
            return self.frames.last().map(|frame| (frame.base + usize::from(word.a()), word.c()));
        }
        let caught = self.frames.iter().rposition(|frame| frame.is_protected)?;
        self.frames.drain(caught..).next().map(|frame| (frame.window, frame.results))
    }
}

/// A call that is to be entered.
struct Call {
    function: u32,
    closure: Value,
    is_protected: bool,
    window: usize,
    results: u8,
    base: usize,
}

/// A list of values that were packed.
pub(super) fn pack(heap: &mut Heap, meter: &mut Meter, values: &[Value]) -> Outcome<Value> {
    meter.charge_values(values.len())?;
    meter.allocate(meter::TABLE + meter::VALUE * values.len() as u64)?;
    Ok(heap.list(values))
}
