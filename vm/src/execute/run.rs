//! Running: calls, returns and traps. What single instructions do stands in `meaning.rs`.

use super::elsewhere::pack;
use super::frame::Frame;
use super::step::{Leave, Mode, NAMEABLE, Registers, Step, copied, put, spread};
use super::{Core, Machine, Outcome, meaning, sort};
use crate::bytecode::{
    ALL_RESULTS, After, Arguments, Instruction, Op, Quick, Ready, Reply, Verified, Word, block_cost, each_quick,
};
use crate::trap::{Trap, TrapCode};
use crate::value::Value;
use core::marker::PhantomData;
use core::slice::Iter;

/// Each arm ends by itself: going on is one jump, and usual calls and returns have places of their own to go to.
macro_rules! dispatch {
    (($step:ident $word:ident $seen:ident $gas:ident $rest:ident
      $called:lifetime $one:lifetime $closed:lifetime $returned:lifetime $given:lifetime $left:lifetime
      [$($special:ident $about:literal)+] [$($row:ident: $first:ident $($next:ident)+;)+])
     $($byte:literal $name:ident)+) => {
        match $seen.quick {
            $(Quick::$name => dispatch!(@go meaning::$name(&mut $step, $seen);
                $step $gas $rest $called $one $closed $returned $given $left),)+
            $(Quick::$special => dispatch!(@go meaning::$special(&mut $step, $seen);
                $step $gas $rest $called $one $closed $returned $given $left),)+
            $(Quick::$row => {
                let mut flow = meaning::$first(&mut $step, $seen);
                $(if flow.is_ok() {
                    $word = $step.rest.next().expect("all of a row stand behind one another");
                    flow = meaning::$next(&mut $step, $word);
                })+
                dispatch!(@go flow; $step $gas $rest $called $one $closed $returned $given $left)
            })+
        }
    };
    (@go $flow:expr; $step:ident $gas:ident $rest:ident
      $called:lifetime $one:lifetime $closed:lifetime $returned:lifetime $given:lifetime $left:lifetime) => {{
        let flow = $flow;
        ($gas, $rest) = ($step.gas, $step.rest);
        match flow {
            Ok(()) => {}
            Err(Leave::CallOne) if M::QUICK => break $one,
            Err(Leave::ReturnOne) if M::QUICK => break $given,
            Err(Leave::CallFunction) if M::QUICK => break $called,
            Err(Leave::Call(function)) if M::QUICK => break $closed function,
            Err(Leave::Return) if M::QUICK => break $returned,
            Err(leave) => break $left leave,
        }
    }};
}

/// The registers of the frame that begins at a place, if there is room for it.
#[inline(always)]
fn registers(stack: &mut [Value], base: usize) -> Option<&mut Registers> {
    stack.get_mut(base..base.wrapping_add(NAMEABLE))?.first_chunk_mut::<NAMEABLE>()
}

impl<'p> Machine<'p> {
    /// Runs a function to its end.
    pub(super) fn evaluate<M: Mode>(&mut self, function: u32, arguments: &[Value]) -> Result<Vec<Value>, Trap> {
        let first = Call { results: ALL_RESULTS, ..Call::of(function, After::End) };
        self.enter::<M>(first, arguments).map_err(|code| Trap { code, function, instruction: 0 })?;
        loop {
            let went_on = match self.run_frames::<M>() {
                Leave::CallFunction | Leave::CallOne => self.call_window::<M>(self.last_word().wide(), After::Caller),
                Leave::Call(function) => self.call_window::<M>(function, After::Caller),
                Leave::Protect(function) => self.call_window::<M>(function, After::Protected),
                Leave::Sort => self.begin_sort::<M>(),
                Leave::Return | Leave::ReturnOne => match self.core.frames.last().reply.after() {
                    After::Caller | After::Protected => self.leave_frame(),
                    After::Sort => self.go_on_sorting::<M>(),
                    After::End => match self.arguments(self.last_word()) {
                        Ok(results) => return Ok(results),
                        Err(code) => Err(code),
                    },
                },
                Leave::Raise => {
                    self.core.raised = self.register(self.last_word().a());
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
    #[inline(never)]
    fn run_frames<M: Mode>(&mut self) -> Leave {
        let Machine { program, core, stack } = self;
        let (functions, stack): (&'p [Ready], &mut [Value]) = (program.functions(), stack);
        let Frame { mut ready, mut rest, base, .. } = core.frames.last().clone();
        let words = if M::QUICK { &[] } else { words(program, ready.number) };
        let mut registers = registers(stack, base as usize).expect("entering made room for the frame");
        let mut gas = core.meter.gas;
        let mut word;
        let leave = 'left: loop {
            'given: {
                'returned: {
                    'one: {
                        let function = 'closed: {
                            'called: {
                                loop {
                                    word = rest.next().expect("verified code does not run past its end");
                                    let mut step =
                                        Step::<M> { registers, core, gas, ready, words, rest, mode: PhantomData };
                                    let bare;
                                    let seen = if M::QUICK {
                                        word
                                    } else {
                                        bare = plain(words, ready.code.len() - step.rest.len() - 1);
                                        &bare
                                    };
                                    each_quick!(dispatch step word seen gas rest
                                        'called 'one 'closed 'returned 'given 'left);
                                }
                            }
                            let arguments = first_two(registers, word);
                            let callee = functions.get(word.wide() as usize).expect("calls are verified");
                            match begin::<M>(core, stack, callee, word, &rest, arguments, (gas, word.ahead)) {
                                Some((window, left)) => {
                                    (ready, rest, registers, gas) = (callee, callee.code.iter(), window, left)
                                }
                                None => break 'left Leave::CallFunction,
                            }
                            continue 'left;
                        };
                        let (arguments, closure) = (first_two(registers, word), copied(registers, word.wide() as u8));
                        let callee = functions.get(function as usize).expect("closures are made of functions");
                        match begin::<M>(core, stack, callee, word, &rest, arguments, (gas, callee.cost)) {
                            Some((window, left)) => {
                                (ready, rest, registers, gas) = (callee, callee.code.iter(), window, left)
                            }
                            None => break 'left Leave::Call(function),
                        }
                        put(registers, callee.registers, closure);
                        continue 'left;
                    }
                    let argument = copied(registers, word.a());
                    let callee = functions.get(word.wide() as usize).expect("calls are verified");
                    match begin_one::<M>(core, stack, callee, word, &rest, argument, gas) {
                        Some((window, left)) => {
                            (ready, rest, registers, gas) = (callee, callee.code.iter(), window, left)
                        }
                        None => break 'left Leave::CallFunction,
                    }
                    continue 'left;
                }
                let result = copied(registers, word.a());
                if let Some((caller, following, window)) = return_quickly(core, stack, word, result) {
                    (ready, rest, registers) = (caller, following, window);
                    continue 'left;
                }
                break 'left Leave::Return;
            }
            let result = copied(registers, word.a());
            if let Some((caller, following, window)) = return_one(core, stack, result) {
                (ready, rest, registers) = (caller, following, window);
            } else if core.frames.last().reply.after() == After::Sort
                && let Some((window, left)) = compare_on::<M>(core, stack, result, gas)
            {
                (rest, registers, gas) = (ready.code.iter(), window, left);
            } else {
                break 'left Leave::Return;
            }
        };
        core.frames.last_mut().rest = rest;
        core.meter.gas = gas;
        leave
    }
}

/// The canonical code of a function.
fn words(program: &Verified, function: u32) -> &[Word] {
    program.program().functions.get(function as usize).map_or(&[], |function| &function.code)
}

/// The canonical instruction, made ready by itself.
fn plain(words: &[Word], at: usize) -> Instruction {
    let word = words.get(at).expect("verified code does not run past its end");
    Instruction::bare(word.op().expect("verified code has operations only"), *word)
}

/// The first two arguments, or whatever stands where the first would. It is copied in any case: registers that are no
/// parameters are written before they are read.
#[inline(always)]
fn first_two(registers: &Registers, word: &Instruction) -> [Value; 2] {
    let second = if word.b() > 1 { copied(registers, word.a().wrapping_add(1)) } else { Value::NIL };
    [copied(registers, word.a()), second]
}

/// Begins the usual call, with just the arguments that the function takes: gives its registers and the gas that is left.
/// Does nothing but note where the caller goes on if the call is not usual.
#[inline(always)]
fn begin<'s, 'p, M: Mode>(
    core: &mut Core<'p>,
    stack: &'s mut [Value],
    ready: &'p Ready,
    word: &Instruction,
    rest: &Iter<'p, Instruction>,
    arguments: [Value; 2],
    (gas, cost): (u64, u32),
) -> Option<(&'s mut Registers, u64)> {
    let given = word.b();
    if given != ready.exactly || core.frames.count() >= core.depth {
        return None;
    }
    let left = if M::METERED { gas.checked_sub(u64::from(cost))? } else { gas };
    let caller = core.frames.last_mut();
    caller.rest = rest.clone();
    let base = caller.base as usize + usize::from(word.frame());
    if given > 2 {
        copy_further(stack, caller.base as usize + usize::from(word.a()), base, given)?;
    }
    let registers = registers(stack, base)?;
    let [first, second] = arguments;
    put(registers, 0, first);
    if given > 1 {
        put(registers, 1, second);
    }
    let frame = core.frames.push();
    frame.ready = ready;
    frame.base = base as u32;
    frame.reply = Reply::of_word(word.next);
    Some((registers, left))
}

/// As [`begin`], where code was made ready for a function that takes one argument and is given just that.
#[inline(always)]
fn begin_one<'s, 'p, M: Mode>(
    core: &mut Core<'p>,
    stack: &'s mut [Value],
    ready: &'p Ready,
    word: &Instruction,
    rest: &Iter<'p, Instruction>,
    argument: Value,
    gas: u64,
) -> Option<(&'s mut Registers, u64)> {
    if core.frames.count() >= core.depth {
        return None;
    }
    let left = if M::METERED { gas.checked_sub(u64::from(word.ahead))? } else { gas };
    let caller = core.frames.last_mut();
    caller.rest = rest.clone();
    let base = caller.base as usize + usize::from(word.frame());
    let registers = registers(stack, base)?;
    put(registers, 0, argument);
    let frame = core.frames.push();
    frame.ready = ready;
    frame.base = base as u32;
    frame.reply = Reply::of_word(word.next);
    Some((registers, left))
}

/// Copies the arguments after the second.
#[cold]
fn copy_further(stack: &mut [Value], from: usize, to: usize, count: u8) -> Option<()> {
    let (before, after) = stack.split_at_mut_checked(to)?;
    let from = before.get(from..)?.iter().take(count.into()).skip(2);
    after.iter_mut().skip(2).zip(from).for_each(|(to, from)| *to = *from);
    Some(())
}

/// The usual return: just the results that the caller wants. What goes on, if the return is usual.
#[inline(always)]
fn return_quickly<'s, 'p>(
    core: &mut Core<'p>,
    stack: &'s mut [Value],
    word: &Instruction,
    result: Value,
) -> Option<(&'p Ready, Iter<'p, Instruction>, &'s mut Registers)> {
    let Frame { base: from, reply, .. } = *core.frames.last();
    let (given, window) = (word.b(), reply.window());
    if given != reply.exactly() {
        return None;
    }
    core.frames.pop();
    let Frame { ready, base, ref rest, .. } = *core.frames.last();
    if given > 1 {
        copy_results(stack, from as usize + usize::from(word.a()), base as usize + usize::from(window), given)?;
    }
    let registers = registers(stack, base as usize)?;
    if given == 1 {
        put(registers, window, result);
    }
    Some((ready, rest.clone(), registers))
}

/// As [`return_quickly`], of one result.
#[inline(always)]
fn return_one<'s, 'p>(
    core: &mut Core<'p>,
    stack: &'s mut [Value],
    result: Value,
) -> Option<(&'p Ready, Iter<'p, Instruction>, &'s mut Registers)> {
    let reply = core.frames.last().reply;
    if reply.exactly() != 1 {
        return None;
    }
    core.frames.pop();
    let Frame { ready, base, ref rest, .. } = *core.frames.last();
    let registers = registers(stack, base as usize)?;
    put(registers, reply.window(), result);
    Some((ready, rest.clone(), registers))
}

/// The usual return from a comparator: its frame begins anew, with what is to be compared next and the gas that is left.
/// The innermost frame is a comparator's. Does nothing where more is to be done.
#[inline(never)]
fn compare_on<'s, M: Mode>(
    core: &mut Core,
    stack: &'s mut [Value],
    answer: Value,
    gas: u64,
) -> Option<(&'s mut Registers, u64)> {
    let Frame { ready, base, .. } = *core.frames.last();
    if ready.exactly != 2 {
        return None;
    }
    let registers = registers(stack, base as usize)?;
    let block = if M::METERED { u64::from(ready.cost) } else { 0 };
    let left = gas.checked_sub(sort::COMPARISON + block)?;
    let [first, second] = core.sorts.last_mut()?.answer_within_runs(answer.is_true())?;
    put(registers, 0, first);
    put(registers, 1, second);
    Some((registers, left))
}

/// Copies more results than one.
#[cold]
fn copy_results(stack: &mut [Value], from: usize, to: usize, count: u8) -> Option<()> {
    for place in 0..usize::from(count) {
        *stack.get_mut(to + place)? = *stack.get(from + place)?;
    }
    Some(())
}

impl<'p> Machine<'p> {
    /// The instruction that left the innermost frame.
    pub(super) fn last_word(&self) -> Word {
        let frame = self.core.frames.last();
        *words(self.program, frame.ready.number).get(frame.at()).expect("a frame that was left had an instruction")
    }

    /// Where a register of the innermost frame lies.
    pub(super) fn place_of(&self, register: u8) -> usize {
        self.core.frames.last().base as usize + usize::from(register)
    }

    /// A register of the innermost frame.
    pub(super) fn register(&self, register: u8) -> Value {
        self.stack.get(self.place_of(register)).copied().unwrap_or(Value::NIL)
    }

    /// The values of the window that an instruction of the innermost frame names.
    pub(super) fn window(&self, word: Word) -> Outcome<Vec<Value>> {
        let given = Arguments::of(word.b());
        let start = self.place_of(word.a());
        let values = self.stack.get(start..start + usize::from(given.count)).unwrap_or_default();
        if given.is_spread { spread(&self.core.heap, values) } else { Ok(values.to_vec()) }
    }

    /// As [`Machine::window`], for a call or a return, to which it is charged when a list is spread.
    pub(super) fn arguments(&mut self, word: Word) -> Outcome<Vec<Value>> {
        // Most steps of a fold give nothing.
        if word.b() == 0 {
            return Ok(Vec::new());
        }
        let values = self.window(word)?;
        if Arguments::of(word.b()).is_spread {
            self.core.meter.charge_values(values.len())?;
        }
        Ok(values)
    }

    /// Calls with the window that the last instruction names.
    fn call_window<M: Mode>(&mut self, function: u32, after: After) -> Outcome<()> {
        let word = self.last_word();
        let is_named = word.op() == Some(Op::CallFunction);
        let closure = if is_named { Value::NIL } else { self.register(word.wide() as u8) };
        let call = Call { closure, window: word.a(), results: word.c(), ..Call::of(function, after) };
        let values = self.arguments(word)?;
        let callee = self.program.functions().get(function as usize).ok_or(TrapCode::KIND)?;
        if callee.is_variadic && !Arguments::of(word.b()).is_spread {
            self.core.meter.charge_values(values.len())?;
        }
        self.enter::<M>(call, &values)
    }

    /// Begins a call with any arguments: places them, packs what the function takes as a list, charges for its first block.
    pub(super) fn enter<M: Mode>(&mut self, call: Call, arguments: &[Value]) -> Outcome<()> {
        let Call { function, closure, after, window, results } = call;
        if self.core.frames.count() >= self.core.depth {
            return Err(TrapCode::DEPTH);
        }
        let base = self.core.frames.last().next_base();
        let needed = base + NAMEABLE;
        if self.stack.len() < needed {
            self.stack.resize(needed.next_power_of_two(), Value::NIL);
        }
        let program: &'p Verified = self.program;
        let ready: &'p Ready = program.functions().get(function as usize).ok_or(TrapCode::KIND)?;
        let parameters = usize::from(ready.parameters);
        let registers = self.stack.get_mut(base..).unwrap_or_default();
        if let Some(behind) = registers.get_mut(usize::from(ready.registers)) {
            *behind = closure;
        }
        for (register, value) in registers.iter_mut().zip(arguments).take(parameters) {
            *register = value.copied();
        }
        registers.iter_mut().take(parameters).skip(arguments.len()).for_each(|register| *register = Value::NIL);
        if ready.is_variadic {
            let further = arguments.get(parameters..).unwrap_or_default();
            let list = pack(&mut self.core.heap, &mut self.core.meter, further)?;
            if let Some(register) = registers.get_mut(parameters) {
                *register = list;
            }
        }
        let mut rest = ready.code.iter();
        // Until it is paid for, the frame stands behind its first instruction: there a trap belongs.
        rest.next();
        let reply = Reply::new(window, results, after);
        *self.core.frames.push() = Frame { ready, rest, base: base as u32, reply };
        if M::METERED {
            let cost = if M::QUICK { ready.cost } else { block_cost(words(program, function), 0) };
            self.core.meter.charge(u64::from(cost))?;
        }
        self.core.frames.last_mut().rest = ready.code.iter();
        Ok(())
    }

    /// Returns from the innermost frame to its caller.
    fn leave_frame(&mut self) -> Outcome<()> {
        let word = self.last_word();
        let mut values = self.arguments(word)?;
        let reply = self.core.frames.last().reply;
        if reply.after() == After::Protected {
            values.insert(0, Value::TRUE);
        }
        self.core.frames.pop();
        self.place(reply.window(), reply.results(), &values)
    }

    /// Puts results where the innermost frame wants them: as many as it asked for, nil where there are too few.
    pub(super) fn place(&mut self, window: u8, results: u8, values: &[Value]) -> Outcome<()> {
        let start = self.place_of(window);
        if results == ALL_RESULTS {
            let list = pack(&mut self.core.heap, &mut self.core.meter, values)?;
            if let Some(register) = self.stack.get_mut(start) {
                *register = list;
            }
            return Ok(());
        }
        let wanted = self.stack.iter_mut().skip(start).take(usize::from(results));
        let values = values.iter().copied().chain(core::iter::repeat(Value::NIL));
        wanted.zip(values).for_each(|(register, value)| *register = value);
        Ok(())
    }

    /// Goes back to the innermost protected call, or ends the run.
    fn unwind(&mut self, code: TrapCode) -> Result<(), Trap> {
        let frame = self.core.frames.last();
        let instruction = u32::try_from(frame.at()).unwrap_or(u32::MAX);
        let trap = Trap { code, function: frame.ready.number, instruction };
        if code.is_resource() {
            return Err(trap);
        }
        let Some((window, results)) = self.catch() else { return Err(trap) };
        let error =
            if code == TrapCode::RAISED { self.core.raised } else { self.core.heap.string(code.name().as_bytes()) };
        self.place(window, results, &[Value::FALSE, error]).map_err(|code| Trap { code, ..trap })
    }

    /// Where the results of the innermost protected call go, whose frame and all inner ones are left.
    fn catch(&mut self) -> Option<(u8, u8)> {
        // What can't be called at all is caught by the instruction that tried.
        let word = self.last_word();
        if word.op() == Some(Op::Protect) {
            return Some((word.a(), word.c()));
        }
        let (mut sorts, mut found) = (0, None);
        for (number, frame) in self.core.frames.innermost_first() {
            sorts += usize::from(frame.reply.after() == After::Sort);
            if frame.reply.after() == After::Protected {
                found = Some((number - 1, frame.reply.window(), frame.reply.results()));
                break;
            }
        }
        let (count, window, results) = found?;
        self.core.frames.keep(count);
        self.core.sorts.truncate(self.core.sorts.len().saturating_sub(sorts));
        Some((window, results))
    }
}

/// A call that is to be entered.
pub(super) struct Call {
    function: u32,
    after: After,
    closure: Value,
    window: u8,
    results: u8,
}

impl Call {
    /// A call of a function that keeps nothing, for no results.
    const fn of(function: u32, after: After) -> Call {
        Call { function, after, closure: Value::NIL, window: 0, results: 0 }
    }

    /// A sort's call of its comparator.
    pub(super) const fn of_comparator(function: u32, closure: Value) -> Call {
        Call { closure, ..Call::of(function, After::Sort) }
    }
}
