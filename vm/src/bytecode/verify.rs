//! Verifying: what must hold of a program before it may run. Whatever passes can't make the interpreter panic,
//! read what was never written, or leave its code.

use super::ready::{Ready, ready};
use super::{
    Arguments, Builtin, Certificate, Constant, Exit, Function, Grounds, Op, Operand, Order, Program, Role, Word,
    results,
};
use crate::law;
use crate::refusal::{Code, Refusal};

/// A program that may run: only [`Program::verify`] makes one.
#[derive(Debug, Clone)]
pub struct Verified {
    program: Program,
    ready: Vec<Ready>,
    host: Ready,
    places: u32,
}

impl Verified {
    #[must_use]
    pub const fn program(&self) -> &Program {
        &self.program
    }

    #[must_use]
    pub fn functions(&self) -> &[Ready] {
        &self.ready
    }

    /// What stands for whoever calls an export, where a function is wanted that called it.
    #[must_use]
    pub const fn host(&self) -> &Ready {
        &self.host
    }

    /// Whether what is claimed of the joins can be derived. What was only tried is tried again by `law::examine`.
    fn is_certified(&self) -> bool {
        let merging = &self.program.merging;
        match merging.certificate {
            None => merging.order != Order::Join,
            Some(Certificate { grounds: Grounds::Tested { .. }, .. }) => true,
            claim => law::derive(self) == claim,
        }
    }

    /// How many places the code has where a machine may remember what it found.
    #[must_use]
    pub const fn places(&self) -> u32 {
        self.places
    }
}

impl Program {
    /// Checks everything that the interpreter relies on.
    ///
    /// # Errors
    /// With the function and the instruction at fault, or the part of the program.
    pub fn verify(self) -> Result<Verified, Refusal> {
        let mut uses = Uses { program: &self, next_constant: 0 };
        for (number, function) in self.functions.iter().enumerate() {
            Check { uses: &mut uses, number, function }.run()?;
        }
        if uses.next_constant != self.constants.len() || has_repeated(&self.constants) {
            return Err(Refusal::new(Code::PROGRAM_CONSTANT, 0));
        }
        if !self.exports.iter().all(|(name, &index)| is_name(name) && self.is_plain(index)) {
            return Err(Refusal::new(Code::PROGRAM_EXPORT, 0));
        }
        if let Some(fault) = self.merging.fault(self.kind, &self.exports) {
            return Err(Refusal::new(fault, 0));
        }
        let (ready, places) = ready(&self);
        let verified = Verified { program: self, ready, host: Ready::host(), places };
        if verified.is_certified() { Ok(verified) } else { Err(Refusal::new(Code::PROGRAM_CERTIFICATE, 0)) }
    }

    /// Whether the function exists and keeps no values, so that it can be called by its number.
    fn is_plain(&self, index: u32) -> bool {
        self.functions.get(index as usize).is_some_and(|function| function.captures == 0)
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
}

fn has_repeated(constants: &[Constant]) -> bool {
    let mut sorted: Vec<&Constant> = constants.iter().collect();
    sorted.sort();
    sorted.iter().zip(sorted.iter().skip(1)).any(|(a, b)| a == b)
}

/// What all functions share while they are checked.
struct Uses<'p> {
    program: &'p Program,
    /// Constants below this one were used: the next new one must be this.
    next_constant: usize,
}

/// The check of one function.
struct Check<'u, 'p> {
    uses: &'u mut Uses<'p>,
    number: usize,
    function: &'p Function,
}

/// Which registers hold a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Assigned([u64; 4]);

impl Assigned {
    const ALL: Assigned = Assigned([u64::MAX; 4]);

    /// The first `count` registers.
    fn first(count: u16) -> Assigned {
        let mut assigned = Assigned([0; 4]);
        (0..count).for_each(|register| assigned.add(register));
        assigned
    }

    fn add(&mut self, register: u16) {
        if let Some(word) = self.0.get_mut(usize::from(register / 64)) {
            *word |= 1 << (register % 64);
        }
    }

    /// Whether the register is among them.
    pub(crate) fn has(self, register: u16) -> bool {
        self.0.get(usize::from(register / 64)).is_some_and(|word| word & (1 << (register % 64)) != 0)
    }

    fn of(windows: Vec<core::ops::Range<u16>>) -> Assigned {
        let mut assigned = Assigned([0; 4]);
        windows.into_iter().flatten().for_each(|register| assigned.add(register));
        assigned
    }

    fn join(self, other: Assigned) -> Assigned {
        let mut joined = self;
        joined.0.iter_mut().zip(other.0).for_each(|(a, b)| *a |= b);
        joined
    }

    fn without(self, other: Assigned) -> Assigned {
        let mut rest = self;
        rest.0.iter_mut().zip(other.0).for_each(|(a, b)| *a &= !b);
        rest
    }

    fn meet(self, other: Assigned) -> Assigned {
        let mut met = self;
        met.0.iter_mut().zip(other.0).for_each(|(a, b)| *a &= b);
        met
    }
}

/// The registers that an instruction reads and writes.
struct Effect {
    reads: Vec<core::ops::Range<u16>>,
    writes: Vec<core::ops::Range<u16>>,
}

fn operand(word: Word, role: Role) -> Option<u32> {
    let found = word.op()?.information().operands.iter().find(|operand| operand.role == role)?;
    Some(word.get(*found))
}

/// The effect, from the roles of the operands alone.
fn effect(word: Word) -> Effect {
    let mut effect = Effect { reads: Vec::new(), writes: Vec::new() };
    let operands = word.op().map_or(&[] as &[Operand], |op| op.information().operands);
    for &operand in operands {
        // Register numbers and counts take a byte, but for a callee's in the wide place, which is cut to what is too large.
        let bits = u16::try_from(word.get(operand)).unwrap_or(u16::MAX - 256);
        let window = |count: u16| bits..bits + count;
        match operand.role {
            Role::Write => effect.writes.push(window(1)),
            Role::Read => effect.reads.push(window(1)),
            Role::Base => {
                let count =
                    |role, of: fn(u8) -> u8| self::operand(word, role).map_or(0, |bits| u16::from(of(bits as u8)));
                effect.reads.push(window(count(Role::Arguments, |bits| Arguments::of(bits).count)));
                effect.writes.push(window(count(Role::Results, results)));
            }
            Role::Cursor => {
                effect.reads.push(window(2));
                effect.writes.push(bits + 1..bits + 4);
            }
            Role::Counter => {
                effect.reads.push(window(3));
                effect.writes.push(window(1));
                effect.writes.push(bits + 3..bits + 4);
            }
            Role::Arguments
            | Role::Results
            | Role::Flag
            | Role::Small
            | Role::Integer
            | Role::Constant
            | Role::Name => {}
            Role::Function | Role::Builtin | Role::Capture | Role::Target => {}
        }
    }
    effect
}

impl<'p> Check<'_, 'p> {
    fn stop<T>(&self, code: Code, at: usize) -> Result<T, Refusal> {
        Err(Refusal::of_instruction(code, self.number, at))
    }

    fn run(&mut self) -> Result<(), Refusal> {
        if self.function.filled() > u16::from(self.function.registers) {
            return self.stop(Code::CODE_REGISTER, 0);
        }
        let code: &'p [Word] = &self.function.code;
        for (at, &word) in code.iter().enumerate() {
            self.word(at, word)?;
        }
        match code.last().and_then(|word| word.op()).map(|op| op.information().exit) {
            Some(Exit::Leave | Exit::Jump) => {}
            Some(Exit::Next | Exit::Branch) | None => return self.stop(Code::CODE_END, code.len().saturating_sub(1)),
        }
        self.targets(code)?;
        self.flow(code)
    }

    /// One instruction by itself.
    fn word(&mut self, at: usize, word: Word) -> Result<(), Refusal> {
        let Some(op) = word.op() else { return self.stop(Code::CODE_OPERATION, at) };
        if !word.is_tidy(op.information()) {
            return self.stop(Code::CODE_UNTIDY, at);
        }
        let effect = effect(word);
        let registers = u16::from(self.function.registers);
        if effect.reads.iter().chain(&effect.writes).any(|window| window.end > registers) {
            return self.stop(Code::CODE_REGISTER, at);
        }
        op.information()
            .operands
            .iter()
            .try_for_each(|operand| self.operand(at, word, operand.role, word.get(*operand)))
    }

    fn operand(&mut self, at: usize, word: Word, role: Role, bits: u32) -> Result<(), Refusal> {
        let program = self.uses.program;
        let arguments = self::operand(word, Role::Arguments).map(|bits| Arguments::of(bits as u8));
        match role {
            Role::Flag if bits > 1 => self.stop(Code::CODE_UNTIDY, at),
            Role::Constant | Role::Name => {
                let constant = program.constants.get(bits as usize);
                let fits =
                    constant.is_some_and(|constant| role == Role::Constant || matches!(constant, Constant::String(_)));
                if !fits {
                    return self.stop(Code::CODE_INDEX, at);
                }
                self.use_constant(at, bits as usize)
            }
            Role::Function => {
                let Some(function) = program.functions.get(bits as usize) else {
                    return self.stop(Code::CODE_INDEX, at);
                };
                let keeps = if word.op() == Some(Op::Closure) {
                    arguments
                } else {
                    Some(Arguments { count: 0, is_spread: false })
                };
                let fits = keeps.is_some_and(|keeps| keeps.count == function.captures && !keeps.is_spread);
                if fits { Ok(()) } else { self.stop(Code::CODE_ARGUMENTS, at) }
            }
            Role::Builtin => {
                let Some(builtin) = Builtin::of(bits) else { return self.stop(Code::CODE_INDEX, at) };
                // A spread list may add arguments: then how many there are is seen when it runs.
                let fits = arguments.is_some_and(|given| {
                    let most = usize::from(builtin.arguments().1.saturating_add(1));
                    let count = usize::from(given.count);
                    if given.is_spread { count <= most } else { builtin.takes(count) }
                });
                if fits { Ok(()) } else { self.stop(Code::CODE_ARGUMENTS, at) }
            }
            Role::Capture if bits >= u32::from(self.function.captures) => self.stop(Code::CODE_INDEX, at),
            // A window that spreads needs the list that it spreads.
            Role::Arguments if bits == u32::from(super::SPREAD) => self.stop(Code::CODE_ARGUMENTS, at),
            Role::Write | Role::Read | Role::Base | Role::Arguments | Role::Results | Role::Cursor | Role::Counter => {
                Ok(())
            }
            Role::Flag | Role::Small | Role::Integer | Role::Capture | Role::Target => Ok(()),
        }
    }

    fn use_constant(&mut self, at: usize, index: usize) -> Result<(), Refusal> {
        if index > self.uses.next_constant {
            return self.stop(Code::PROGRAM_CONSTANT, at);
        }
        self.uses.next_constant = self.uses.next_constant.max(index + 1);
        Ok(())
    }

    /// Every target exists, and nothing but a branch falls into it: so a block is entered in one way, which charges it.
    fn targets(&self, code: &[Word]) -> Result<(), Refusal> {
        for (at, &word) in code.iter().enumerate() {
            let Some(target) = self::operand(word, Role::Target).map(|target| target as usize) else { continue };
            let before = target.checked_sub(1).and_then(|before| code.get(before)).and_then(|word| word.op());
            let falls_in = before.is_some_and(|op| op.information().exit == Exit::Next);
            if target >= code.len() || falls_in {
                return self.stop(Code::CODE_TARGET, at);
            }
        }
        Ok(())
    }

    /// Every instruction is reached, and on every way to it all that it reads was written.
    fn flow(&self, code: &[Word]) -> Result<(), Refusal> {
        let steps: Vec<FlowStep> = code.iter().map(|&word| FlowStep::of(word)).collect();
        let mut before: Vec<Option<Assigned>> = vec![None; code.len()];
        let mut waiting = vec![(0, Assigned::first(self.function.filled()))];
        while let Some((mut at, mut assigned)) = waiting.pop() {
            // One way is followed until it ends or comes to where nothing new is known.
            while let Some((known, step)) = before.get_mut(at).zip(steps.get(at)) {
                let met = known.unwrap_or(Assigned::ALL).meet(assigned);
                if *known == Some(met) {
                    break;
                }
                *known = Some(met);
                assigned = met.join(step.writes);
                if let Some(target) = step.target {
                    waiting.push((target, assigned));
                }
                if !step.goes_on {
                    break;
                }
                at += 1;
            }
        }
        for (at, (known, step)) in before.iter().zip(&steps).enumerate() {
            let Some(known) = known else { return self.stop(Code::CODE_UNREACHABLE, at) };
            if known.meet(step.reads) != step.reads {
                return self.stop(Code::CODE_UNASSIGNED, at);
            }
        }
        Ok(())
    }
}

/// What an instruction means for the flow, found once however often the flow passes it.
struct FlowStep {
    reads: Assigned,
    writes: Assigned,
    target: Option<usize>,
    goes_on: bool,
}

impl FlowStep {
    fn of(word: Word) -> FlowStep {
        let Effect { reads, writes } = effect(word);
        let exit = word.op().map_or(Exit::Leave, |op| op.information().exit);
        FlowStep {
            reads: Assigned::of(reads),
            writes: Assigned::of(writes),
            target: operand(word, Role::Target).map(|target| target as usize),
            goes_on: matches!(exit, Exit::Next | Exit::Branch),
        }
    }
}

/// The registers that are read after each instruction is come to, before they are written.
pub(crate) fn live(function: &Function) -> Vec<Assigned> {
    let steps: Vec<FlowStep> = function.code.iter().map(|&word| FlowStep::of(word)).collect();
    let none = Assigned([0; 4]);
    let mut live = vec![none; steps.len()];
    let mut is_changed = true;
    while is_changed {
        is_changed = false;
        for (at, step) in steps.iter().enumerate().rev() {
            let next = live.get(at + 1).copied().filter(|_| step.goes_on).unwrap_or(none);
            let target = step.target.and_then(|target| live.get(target)).copied().unwrap_or(none);
            let before = next.join(target).without(step.writes).join(step.reads);
            if let Some(known) = live.get_mut(at).filter(|known| **known != before) {
                (*known, is_changed) = (before, true);
            }
        }
    }
    live
}
