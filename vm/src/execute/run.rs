//! Running: calls, returns and traps. What single instructions do stands in `meaning.rs`.

use super::elsewhere::pack;
use super::frame::{Frame, Frames};
use super::step::{Leave, Mode, Registers, Step, copied, put, register, spread, window};
use super::{Core, Machine, Outcome, meaning, sort};
use crate::bytecode::{
    ALL_RESULTS, After, Arguments, Instruction, Known, Op, Quick, Ready, Reply, Verified, Word, block_cost, each_quick,
};
use crate::trap::{Trap, TrapCode};
use crate::value::Value;
use core::marker::PhantomData;
use core::slice::Iter;

/// How often a loop is tried in vain to be run many rounds at once: what its first round makes may be what lets it.
const TRIES: u32 = 2;

/// Each arm ends by itself: going on is one jump, and usual calls and returns have places of their own to go to.
macro_rules! dispatch {
    (($step:ident $word:ident $seen:ident $gas:ident $rest:ident
      $called:lifetime $one:lifetime $closed:lifetime $returned:lifetime $given:lifetime $left:lifetime
      [$($special:ident $about:literal)+] [$($row:ident: $first:ident $($next:ident)+;)+]
      [$($circle:ident $many:ident: $($inner:ident)+;)+]
      [$($fork:ident: $branch:ident $behind:ident;)+])
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
            $(Quick::$circle => {
                let (first, behind) = ($word, $step.rest.clone());
                let mut tries = TRIES;
                let flow = loop {
                    ($word, $step.rest) = (first, behind.clone());
                    if tries > 0 && !meaning::$many(&mut $step, first) {
                        tries -= 1;
                    }
                    let mut flow = Ok(());
                    $(if flow.is_ok() {
                        flow = meaning::$inner(&mut $step, $word);
                        if flow.is_ok() {
                            $word = $step.rest.next().expect("all of a row stand behind one another");
                        }
                    })+
                    if flow.is_err() {
                        break flow;
                    }
                    // The last is an `again` that goes back to the first. Where it can't be paid for, it goes there to say so.
                    match meaning::counts_on(&mut $step, $word) {
                        Ok(true) if $step.pay($word.ahead) => {}
                        Ok(goes_on) => break $step.branch(goes_on, $word),
                        Err(leave) => break Err(leave),
                    }
                };
                dispatch!(@go flow; $step $gas $rest $called $one $closed $returned $given $left)
            })+
            $(Quick::$fork => {
                let flow = if meaning::passed::$branch(&$step, $word) && $step.pay($word.next) {
                    $word = $step.rest.next().expect("a branch stands before what it may lead past");
                    meaning::$behind(&mut $step, $word)
                } else {
                    meaning::$branch(&mut $step, $word)
                };
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

impl<'p> Machine<'p> {
    /// Runs a function to its end. What it gives stands in `results`.
    pub(super) fn evaluate<M: Mode>(&mut self, function: u32, arguments: &[Value]) -> Result<(), Trap> {
        let first = Call { results: ALL_RESULTS, ..Call::of(function, After::End) };
        self.enter::<M>(first, arguments).map_err(|code| Trap { code, function, instruction: 0 })?;
        loop {
            let went_on = match self.run_frames::<M>() {
                Leave::CallFunction | Leave::CallOne => self.call_window::<M>(self.last_word().wide(), After::Caller),
                Leave::Call(function) => self.call_window::<M>(function, After::Caller),
                Leave::Protect(function) => self.call_window::<M>(function, After::Protected),
                Leave::Sort => self.begin_sort::<M>(),
                Leave::Return | Leave::ReturnOne => match self.frames.last().reply.after() {
                    After::Caller | After::Protected => self.leave_frame(),
                    After::Sort => self.go_on_sorting::<M>(),
                    After::End => match self.end(self.last_word()) {
                        Ok(()) => return Ok(()),
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
        let Machine { program, core, frames: Frames { frames, last, .. }, .. } = self;
        let (functions, frames): (&'p [Ready], &mut [Frame<'p>]) = (program.functions(), frames);
        let room = frames.len();
        // The number of the innermost frame, and that frame.
        let mut inner = *last;
        let mut frame = frames.get_mut(inner).expect("the innermost frame was found when it was entered");
        let mut rest = frame.rest.clone();
        let words = if M::QUICK { &[] } else { words(program, frame.ready.number) };
        let mut gas = core.meter.gas;
        let mut word;
        let leave = 'left: loop {
            'given: {
                'returned: {
                    'one: {
                        let function = 'closed: {
                            'called: {
                                loop {
                                    if M::WATCHED && !watched(core, frame, (words, rest.len()), gas) {
                                        rest.next();
                                        break 'left Leave::Trap(TrapCode::GAS);
                                    }
                                    word = rest.next().expect("verified code does not run past its end");
                                    let mut step = Step::<M> { frame, core, gas, words, rest, mode: PhantomData };
                                    let bare;
                                    let seen = if M::QUICK {
                                        word
                                    } else {
                                        bare = plain(words, step.frame.ready.code.len() - step.rest.len() - 1);
                                        &bare
                                    };
                                    each_quick!(dispatch step word seen gas rest
                                        'called 'one 'closed 'returned 'given 'left);
                                }
                            }
                            let arguments = first_two(&frame.registers, word);
                            let callee = functions.get(word.wide() as usize).expect("calls are verified");
                            frame.rest = rest.clone();
                            match begin::<M>(frames, inner, callee, word, arguments, (gas, word.ahead)) {
                                Some((callees, left)) => {
                                    (rest, frame, gas) = (callee.code.iter(), callees, left);
                                    inner += 1;
                                }
                                None => break 'left Leave::CallFunction,
                            }
                            continue 'left;
                        };
                        let arguments = first_two(&frame.registers, word);
                        let closure = copied(&frame.registers, word.wide() as u8);
                        let callee = functions.get(function as usize).expect("closures are made of functions");
                        frame.rest = rest.clone();
                        match begin::<M>(frames, inner, callee, word, arguments, (gas, callee.cost)) {
                            Some((callees, left)) => {
                                put(&mut callees.registers, callee.registers, closure);
                                (rest, frame, gas) = (callee.code.iter(), callees, left);
                                inner += 1;
                            }
                            None => break 'left Leave::Call(function),
                        }
                        continue 'left;
                    }
                    let argument = copied(&frame.registers, word.a());
                    let callee = functions.get(word.wide() as usize).expect("calls are verified");
                    let entry = match callee.at_once.about(argument) {
                        // The next frame is not entered, but there must be room for it.
                        Known::Answer(answer) => {
                            if let Some(left) = pay::<M>(gas, callee.at_once.cost)
                                && inner + 1 < room
                                && Reply::of_word(word.next).exactly() == 1
                            {
                                put(&mut frame.registers, Reply::of_word(word.next).window(), answer);
                                gas = left;
                                continue 'left;
                            }
                            (0, word.ahead)
                        }
                        Known::Otherwise => callee.at_once.otherwise,
                        Known::Nothing => (0, word.ahead),
                    };
                    frame.rest = rest.clone();
                    match begin_one::<M>(frames, inner, callee, word, argument, (gas, entry)) {
                        Some((callees, (behind, left))) => {
                            (rest, frame, gas) = (behind, callees, left);
                            inner += 1;
                        }
                        None => break 'left Leave::CallFunction,
                    }
                    continue 'left;
                }
                match return_quickly(frames, inner, word) {
                    Some(caller) => {
                        (rest, frame) = (caller.rest.clone(), caller);
                        inner -= 1;
                    }
                    None => break 'left Leave::Return,
                }
                continue 'left;
            }
            let (result, reply) = (copied(&frame.registers, word.a()), frame.reply);
            if reply.exactly() == 1 {
                // The first frame, which has no caller, expects something else.
                inner = inner.wrapping_sub(1);
                frame = frames.get_mut(inner).expect("a call has a caller");
                put(&mut frame.registers, reply.window(), result);
                rest = frame.rest.clone();
            } else if reply.after() == After::Sort
                && let Some(left) = compare_on::<M>(core, frame, result, gas)
            {
                (rest, gas) = (frame.ready.code.iter(), left);
            } else {
                break 'left Leave::Return;
            }
        };
        *last = inner;
        frames.get_mut(inner).expect("the innermost frame was found when it was entered").rest = rest;
        core.meter.gas = gas;
        leave
    }
}

/// The canonical code of a function.
fn words(program: &Verified, function: u32) -> &[Word] {
    program.program().functions.get(function as usize).map_or(&[], |function| &function.code)
}

/// Shows the next instruction to who watches; false where it must not run.
#[cold]
fn watched(core: &mut Core, frame: &Frame, (words, left): (&[Word], usize), gas: u64) -> bool {
    let Frame { ready, registers, .. } = frame;
    let at = ready.code.len() - left;
    let Core { heap, watch, .. } = core;
    let word = words.get(at).copied();
    watch.as_mut().is_none_or(|watch| watch.note(heap, registers, (ready.number, at, word), gas))
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

/// Begins the usual call, with just the arguments that the function takes: gives its frame and the gas that is left.
/// Does nothing if the call is not usual, or has no room yet.
#[inline(always)]
fn begin<'f, 'p, M: Mode>(
    frames: &'f mut [Frame<'p>],
    inner: usize,
    ready: &'p Ready,
    word: &Instruction,
    [first, second]: [Value; 2],
    (gas, cost): (u64, u32),
) -> Option<(&'f mut Frame<'p>, u64)> {
    let given = word.b();
    if given != ready.exactly {
        return None;
    }
    let left = pay::<M>(gas, cost)?;
    if given > 2 {
        copy_further(frames, inner, word.a(), given)?;
    }
    let frame = frames.get_mut(inner + 1)?;
    put(&mut frame.registers, 0, first);
    if given > 1 {
        put(&mut frame.registers, 1, second);
    }
    frame.ready = ready;
    frame.reply = Reply::of_word(word.next);
    Some((frame, left))
}

/// As [`begin`], where code was made ready for a function that takes one argument and is given just that: it begins at
/// an instruction, and gives what follows too.
#[inline(always)]
fn begin_one<'f, 'p, M: Mode>(
    frames: &'f mut [Frame<'p>],
    inner: usize,
    ready: &'p Ready,
    word: &Instruction,
    argument: Value,
    (gas, (start, cost)): (u64, (u32, u32)),
) -> Option<(&'f mut Frame<'p>, (Iter<'p, Instruction>, u64))> {
    let left = pay::<M>(gas, cost)?;
    let behind = ready.code.get(start as usize..)?.iter();
    let frame = frames.get_mut(inner + 1)?;
    put(&mut frame.registers, 0, argument);
    frame.ready = ready;
    frame.reply = Reply::of_word(word.next);
    Some((frame, (behind, left)))
}

/// The gas that is left when blocks are paid for.
#[inline(always)]
fn pay<M: Mode>(gas: u64, cost: u32) -> Option<u64> {
    if M::METERED { gas.checked_sub(u64::from(cost)) } else { Some(gas) }
}

/// Copies the arguments after the second into the next frame.
#[cold]
fn copy_further(frames: &mut [Frame], inner: usize, window: u8, count: u8) -> Option<()> {
    let (before, after) = frames.split_at_mut_checked(inner + 1)?;
    let from = before.last()?.registers.get(usize::from(window)..)?.iter().take(count.into()).skip(2);
    after.first_mut()?.registers.iter_mut().skip(2).zip(from).for_each(|(to, from)| *to = *from);
    Some(())
}

/// The usual return: just the results that the caller wants. Gives the caller's frame, if the return is usual.
#[inline(always)]
fn return_quickly<'f, 'p>(frames: &'f mut [Frame<'p>], inner: usize, word: &Instruction) -> Option<&'f mut Frame<'p>> {
    let (before, after) = frames.split_at_mut_checked(inner)?;
    let (caller, callee) = (before.last_mut()?, after.first()?);
    let (given, window) = (word.b(), callee.reply.window());
    if given != callee.reply.exactly() {
        return None;
    }
    let results = callee.registers.get(usize::from(word.a())..)?.iter().take(given.into());
    let wanted = caller.registers.get_mut(usize::from(window)..)?;
    wanted.iter_mut().zip(results).for_each(|(to, from)| *to = from.copied());
    Some(caller)
}

/// The usual return from a comparator: its frame begins anew, with what is to be compared next; gives the gas that is left.
/// Does nothing where more is to be done.
#[inline(never)]
fn compare_on<M: Mode>(core: &mut Core, frame: &mut Frame, answer: Value, gas: u64) -> Option<u64> {
    if frame.ready.exactly != 2 {
        return None;
    }
    let block = if M::METERED { u64::from(frame.ready.cost) } else { 0 };
    let left = gas.checked_sub(sort::COMPARISON + block)?;
    let [first, second] = core.sorts.last_mut()?.answer_within_runs(answer.is_true())?;
    put(&mut frame.registers, 0, first);
    put(&mut frame.registers, 1, second);
    Some(left)
}

impl<'p> Machine<'p> {
    /// The instruction that left the innermost frame.
    pub(super) fn last_word(&self) -> Word {
        let frame = self.frames.last();
        *words(self.program, frame.ready.number).get(frame.at()).expect("a frame that was left had an instruction")
    }

    /// A register of the innermost frame.
    pub(super) fn register(&self, number: u8) -> Value {
        register(&self.frames.last().registers, number)
    }

    /// The values of the window that an instruction of the innermost frame names.
    pub(super) fn window(&self, word: Word) -> Outcome<Vec<Value>> {
        let values = window(&self.frames.last().registers, word.a(), word.b());
        if Arguments::of(word.b()).is_spread { spread(&self.core.heap, values) } else { Ok(values.to_vec()) }
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

    /// Keeps what the whole run gives, in room that is there from one run to the next.
    fn end(&mut self, word: Word) -> Outcome<()> {
        self.results.clear();
        if Arguments::of(word.b()).is_spread {
            self.results = self.arguments(word)?;
        } else {
            self.results.extend_from_slice(window(&self.frames.last().registers, word.a(), word.b()));
        }
        Ok(())
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
        let Call { function, ref closure, after, window, results } = call;
        let program: &'p Verified = self.program;
        let Machine { core, frames, .. } = self;
        let frame = frames.next_mut().ok_or(TrapCode::DEPTH)?;
        let ready: &'p Ready = program.functions().get(function as usize).ok_or(TrapCode::KIND)?;
        let parameters = usize::from(ready.parameters);
        put(&mut frame.registers, ready.registers, closure.copied());
        let places = frame.registers.get_mut(..parameters).unwrap_or_default();
        places.iter_mut().zip(arguments).for_each(|(register, value)| *register = value.copied());
        places.get_mut(arguments.len()..).unwrap_or_default().fill(Value::NIL);
        if ready.is_variadic {
            let further = arguments.get(parameters..).unwrap_or_default();
            put(&mut frame.registers, ready.parameters, pack(&mut core.heap, &mut core.meter, further)?);
        }
        frame.ready = ready;
        frame.reply = Reply::new(window, results, after);
        frame.rest = ready.code.iter();
        let cost = if M::QUICK { ready.cost } else { block_cost(words(program, function), 0) };
        let paid = if M::METERED { core.meter.charge(u64::from(cost)) } else { Ok(()) };
        if paid.is_err() {
            // The frame stands behind its first instruction: there the trap belongs.
            frame.rest.next();
        }
        frames.push();
        paid
    }

    /// Returns from the innermost frame to its caller.
    fn leave_frame(&mut self) -> Outcome<()> {
        let word = self.last_word();
        let mut values = self.arguments(word)?;
        let reply = self.frames.last().reply;
        if reply.after() == After::Protected {
            values.insert(0, Value::TRUE);
        }
        self.frames.pop();
        self.place(reply.window(), reply.results(), &values)
    }

    /// Puts results where the innermost frame wants them: as many as it asked for, nil where there are too few.
    pub(super) fn place(&mut self, window: u8, results: u8, values: &[Value]) -> Outcome<()> {
        let registers = &mut self.frames.last_mut().registers;
        if results == ALL_RESULTS {
            put(registers, window, pack(&mut self.core.heap, &mut self.core.meter, values)?);
            return Ok(());
        }
        let wanted = registers.iter_mut().skip(usize::from(window)).take(usize::from(results));
        let values = values.iter().copied().chain(core::iter::repeat(Value::NIL));
        wanted.zip(values).for_each(|(register, value)| *register = value);
        Ok(())
    }

    /// Goes back to the innermost protected call, or ends the run.
    fn unwind(&mut self, code: TrapCode) -> Result<(), Trap> {
        let frame = self.frames.last();
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
        for (number, frame) in self.frames.innermost_first() {
            sorts += usize::from(frame.reply.after() == After::Sort);
            if frame.reply.after() == After::Protected {
                found = Some((number - 1, frame.reply.window(), frame.reply.results()));
                break;
            }
        }
        let (count, window, results) = found?;
        self.frames.keep(count);
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
