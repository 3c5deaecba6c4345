//! A function's code while it grows: instructions, labels, registers.

use super::{Emit, Emitter, FunctionMap, Job, too_large};
use crate::ir::{Usage, VariableId};
use crate::{Code, Span};
use core::mem;
use kerai_vm::bytecode::{self, Exit, Function, Op, Role, Word};
use kerai_vm::limit;

/// A register of the function that is emitted.
pub(super) type Register = u8;

/// Where a variable is in the function that is emitted. What another function left here is never asked for, since the
/// program was checked.
#[derive(Clone, Copy, Default)]
pub(super) struct Home {
    pub(super) place: Place,
    /// Whether the value lives in a list of one, because lambdas and their surroundings assign the variable.
    pub(super) is_shared: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Place {
    Register(Register),
    /// Among what the function keeps.
    Capture(u32),
}

impl Default for Place {
    fn default() -> Place {
        Place::Register(0)
    }
}

/// A place to jump to: known, or to be filled in where it comes to be.
#[derive(Default)]
pub(super) struct Label {
    place: Option<u32>,
    /// Most labels have one jump.
    jump: Option<usize>,
    further: Vec<usize>,
}

/// The instructions of the function that is emitted, and where each came from: one place for all functions.
#[derive(Default)]
pub(super) struct Instructions(Vec<(Word, Span)>);

impl Instructions {
    /// Room for twice what a function may have. What isn't touched costs nothing; and an allocator that has seen a block
    /// as large as this one go keeps what else is freed, which it would fetch again page by page for the next program.
    pub(super) fn with_room() -> Instructions {
        let most = usize::try_from(limit::PROGRAM_CODE.value).unwrap_or_default();
        Instructions(Vec::with_capacity(2 * most))
    }
}

/// A function that is being emitted.
pub(super) struct Body<'e, 'i> {
    pub(super) emitter: &'e mut Emitter<'i>,
    code: Instructions,
    /// The first register that holds nothing.
    pub(super) free: Register,
    high: Register,
    /// Whether anything gets to the next instruction.
    pub(super) is_reachable: bool,
    /// Where each loop that is open ends.
    pub(super) loops: Vec<Label>,
    pub(super) span: Span,
}

impl<'e, 'i> Body<'e, 'i> {
    /// Emits a function that was met.
    pub(super) fn emit(emitter: &'e mut Emitter<'i>, job: &Job<'i>) -> Emit<(Function, FunctionMap)> {
        let code = mem::take(&mut emitter.code);
        let mut body =
            Body { emitter, code, free: 0, high: 0, is_reachable: true, loops: Vec::new(), span: Span::default() };
        for (number, &(variable, is_shared)) in (0..).zip(&job.captures) {
            body.settle(variable, Home { place: Place::Capture(number), is_shared });
        }
        body.function(job.lambda)?;
        let Body { emitter, mut code, high, .. } = body;
        let function = Function {
            parameters: u8::try_from(job.lambda.parameters.len()).unwrap_or(u8::MAX),
            is_variadic: job.lambda.rest.is_some(),
            registers: high,
            captures: u8::try_from(job.captures.len()).unwrap_or(u8::MAX),
            code: code.0.iter().map(|&(word, _)| word).collect(),
        };
        let map =
            FunctionMap { name: job.name.to_owned(), instructions: code.0.iter().map(|&(_, span)| span).collect() };
        code.0.clear();
        emitter.code = code;
        Ok((function, map))
    }

    // Registers.

    /// The next register.
    pub(super) fn take(&mut self) -> Emit<Register> {
        self.take_many(1)
    }

    /// The first of the next registers.
    pub(super) fn take_many(&mut self, count: usize) -> Emit<Register> {
        let first = self.free;
        self.free = self.reach(count)?;
        Ok(first)
    }

    /// Sees that so many registers from the first free one are the function's, and says where they end.
    pub(super) fn reach(&mut self, count: usize) -> Emit<Register> {
        let end = usize::from(self.free) + count;
        let most = usize::try_from(limit::PROGRAM_REGISTERS.value).unwrap_or(usize::MAX);
        let end = u8::try_from(end).ok().filter(|_| end <= most);
        let end = end.ok_or_else(|| too_large(Code::IR_REGISTERS, self.span))?;
        self.high = self.high.max(end);
        Ok(end)
    }

    /// Runs something and gives back the registers that it took.
    pub(super) fn with_registers<T>(&mut self, run: impl FnOnce(&mut Self) -> Emit<T>) -> Emit<T> {
        let free = self.free;
        let result = run(self);
        self.free = free;
        result
    }

    // Variables.

    /// Lets a variable live in a register that holds its value.
    pub(super) fn declare(&mut self, variable: VariableId, register: Register) -> Emit<()> {
        let is_shared = self.usage().is_shared(variable);
        self.settle(variable, Home { place: Place::Register(register), is_shared });
        if is_shared { self.push(Word::new(Op::Table, register, register, 1, 0)) } else { Ok(()) }
    }

    fn settle(&mut self, variable: VariableId, home: Home) {
        if let Some(known) = self.emitter.homes.get_mut(variable.0 as usize) {
            *known = home;
        }
    }

    pub(super) fn home(&self, variable: VariableId) -> Home {
        self.emitter.homes.get(variable.0 as usize).copied().unwrap_or_default()
    }

    pub(super) fn is_shared(&self, variable: VariableId) -> bool {
        self.home(variable).is_shared
    }

    pub(super) fn usage(&self) -> &'i Usage {
        self.emitter.usage
    }

    // Instructions.

    pub(super) fn push(&mut self, word: Word) -> Emit<()> {
        if !self.is_reachable {
            return Ok(());
        }
        if self.code.0.len() as u64 >= limit::PROGRAM_CODE.value {
            return Err(too_large(Code::IR_CODE, self.span));
        }
        self.code.0.push((word, self.span));
        self.is_reachable = matches!(exit(word), Exit::Next | Exit::Branch);
        Ok(())
    }

    /// An instruction that may go to a label.
    pub(super) fn jump(&mut self, word: Word, label: &mut Label) -> Emit<()> {
        if !self.is_reachable {
            return Ok(());
        }
        match label.place {
            Some(place) => self.push(to(word, place)),
            None => {
                let jump = self.code.0.len();
                match label.jump {
                    None => label.jump = Some(jump),
                    Some(_) => label.further.push(jump),
                }
                self.push(word)
            }
        }
    }

    fn next(&self) -> u32 {
        u32::try_from(self.code.0.len()).unwrap_or(u32::MAX)
    }

    /// Sees that nothing falls into the next instruction, since a block is only entered by jumps and branches.
    fn part(&mut self) -> Emit<()> {
        let falls = self.is_reachable && self.code.0.last().is_some_and(|&(word, _)| exit(word) == Exit::Next);
        if falls { self.push(Word::new(Op::Jump, 0, 0, 0, self.next() + 1)) } else { Ok(()) }
    }

    /// The place of the next instruction, for jumps back to it.
    pub(super) fn head(&mut self) -> Emit<Label> {
        let was_reachable = self.is_reachable;
        self.part()?;
        self.is_reachable = was_reachable;
        Ok(Label { place: Some(self.next()), ..Label::default() })
    }

    /// Puts a label at the next instruction.
    pub(super) fn bind(&mut self, label: Label) -> Emit<()> {
        if label.jump.is_none() {
            return Ok(());
        }
        self.part()?;
        let next = self.next();
        for place in label.jump.into_iter().chain(label.further) {
            if let Some((word, _)) = self.code.0.get_mut(place) {
                *word = to(*word, next);
            }
        }
        self.is_reachable = true;
        Ok(())
    }
}

fn exit(word: Word) -> Exit {
    word.op().map_or(Exit::Leave, |op| op.information().exit)
}

/// The instruction with its target.
fn to(word: Word, place: u32) -> Word {
    word.with(bytecode::Operand { place: bytecode::Place::Wide, role: Role::Target }, place)
}
