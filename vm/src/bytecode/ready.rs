//! Verified code made ready to run: each instruction with what it would otherwise look up elsewhere.

use super::{Exit, Function, Op, Program, Quick, Role, SPREAD, Word};
use crate::value::Value;
use core::fmt;

/// An instruction taken apart, with what the interpreter needs of other places beside it.
#[derive(Debug, Clone, Copy)]
pub struct Instruction {
    pub quick: Quick,
    a: u8,
    b: u8,
    c: u8,
    wide: u32,
    /// By operation: the cost of the block that begins at the target, with that of the one it leads to where both are known;
    /// of the first block of the function that is called; or the number of the instruction's place to remember.
    pub ahead: u32,
    /// The cost of the block that begins behind a branch; or what a call expects, a [`Reply`].
    pub next: u32,
}

/// How many registers a loop counts in: the counter, its limit, by how much it goes on, and the variable.
const COUNTED: u8 = 4;

/// What a call expects, in one word: which register of the caller takes the first result, how many results it wants, and
/// what is to be done with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply(u32);

/// What follows when a frame is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum After {
    /// The caller goes on.
    Caller,
    /// The caller goes on, having been told whether there was an error.
    Protected,
    /// The caller's sort goes on with the answer.
    Sort,
    /// The run is over.
    End,
}

impl Reply {
    #[must_use]
    pub const fn new(window: u8, results: u8, after: After) -> Reply {
        // Only the usual return asks what it would be: the others know what is to be done.
        let exactly = if matches!(after, After::Caller) && results < SPREAD { results } else { SPREAD };
        Reply(u32::from_le_bytes([window, results, exactly, after as u8]))
    }

    #[must_use]
    #[inline(always)]
    pub const fn of_word(packed: u32) -> Reply {
        Reply(packed)
    }

    #[must_use]
    #[inline(always)]
    pub const fn window(self) -> u8 {
        self.0 as u8
    }

    #[must_use]
    pub const fn results(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// The `Arguments` operand of a return that gives just those; [`SPREAD`], which no operand is, where more is to be done.
    #[must_use]
    #[inline(always)]
    pub const fn exactly(self) -> u8 {
        (self.0 >> 16) as u8
    }

    #[must_use]
    pub const fn after(self) -> After {
        match (self.0 >> 24) as u8 {
            0 => After::Caller,
            1 => After::Protected,
            2 => After::Sort,
            _ => After::End,
        }
    }
}

/// A function's code, and what calling it takes.
#[derive(Debug, Clone)]
pub struct Ready {
    /// Its number in the module.
    pub number: u32,
    pub code: Box<[Instruction]>,
    /// The cost of its first block.
    pub cost: u32,
    pub registers: u8,
    pub parameters: u8,
    pub is_variadic: bool,
    /// The `Arguments` operand of a call that gives just what the function takes; [`SPREAD`] where there is none,
    /// which no operand is.
    pub exactly: u8,
    pub at_once: AtOnce,
}

/// What is known of a function of one argument that begins by comparing it with an integer and gives an answer at once where
/// that holds: how what calls itself ends. Of any other function nothing is.
#[derive(Clone, Copy)]
pub struct AtOnce {
    /// The least argument that is answered so, and how many others follow it; none where no argument is.
    least: i64,
    width: u64,
    /// The answer; absent where it is the argument.
    answer: Value,
    /// The cost of both blocks, the one that compares and the one that answers.
    pub cost: u32,
    /// Where other integers lead: the number of an instruction, and the cost of both blocks, the first and the one there.
    pub otherwise: (u32, u32),
}

/// What is known of a call before it begins.
#[derive(Clone, Copy)]
pub enum Known {
    /// The answer.
    Answer(Value),
    /// That the comparison doesn't hold.
    Otherwise,
    Nothing,
}

impl fmt::Debug for AtOnce {
    // A value alone says little: its heap reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AtOnce").field("least", &self.least).field("width", &self.width).finish_non_exhaustive()
    }
}

impl AtOnce {
    /// Nothing is answered: a function begins with its first block, which costs so much.
    const fn never(first: u32) -> AtOnce {
        AtOnce { least: 0, width: 0, answer: Value::ABSENT, cost: 0, otherwise: (0, first) }
    }

    #[inline(always)]
    pub fn about(&self, argument: Value) -> Known {
        let Some(integer) = argument.as_i64() else { return Known::Nothing };
        if integer.wrapping_sub(self.least).cast_unsigned() >= self.width {
            return Known::Otherwise;
        }
        Known::Answer(if self.answer.is_absent() { argument } else { self.answer })
    }

    /// What a function answers at once, whose blocks cost so much from each instruction on.
    fn of(function: &Function, costs: &[u32]) -> AtOnce {
        let first = costs.first().copied().unwrap_or_default();
        AtOnce::found(function, costs).unwrap_or(AtOnce::never(first))
    }

    fn found(function: &Function, costs: &[u32]) -> Option<AtOnce> {
        let mut words = function.code.iter().filter_map(|&word| Some((word.op()?, word)));
        let (compares, branch) = words.next()?;
        if function.parameters != 1 || function.is_variadic || branch.a() != 0 {
            return None;
        }
        let small = i64::from(Instruction::bare(compares, branch).small());
        let (least, last) = if compares == Op::UnlessLessInteger {
            (i64::MIN, small - 1)
        } else if compares == Op::UnlessAtMostInteger {
            (i64::MIN, small)
        } else if compares == Op::UnlessEqualInteger {
            (small, small)
        } else {
            return None;
        };
        let (op, made) = words.next()?;
        let answer = if op == Op::Return {
            (made.a() == 0).then_some(Value::ABSENT)
        } else if op == Op::Integer {
            Some(Value::integer(i64::from(made.wide().cast_signed())))
        } else if op == Op::Bool {
            Some(Value::bool(made.b() == 1))
        } else {
            None
        }?;
        let (returns, given) = if op == Op::Return { (op, made) } else { words.next()? };
        if returns != Op::Return || given.a() != made.a() || given.b() != 1 {
            return None;
        }
        let width = last.wrapping_sub(least).cast_unsigned() + 1;
        let with = |other: u32| costs.first()?.checked_add(*costs.get(other as usize)?);
        Some(AtOnce { least, width, answer, cost: with(1)?, otherwise: (branch.wide(), with(branch.wide())?) })
    }
}

impl Instruction {
    /// The instruction by itself, knowing of no other place.
    #[must_use]
    pub const fn bare(op: Op, word: Word) -> Instruction {
        Instruction {
            quick: Quick::of(op),
            a: word.a(),
            b: word.b(),
            c: word.c(),
            wide: word.wide(),
            ahead: 0,
            next: 0,
        }
    }

    #[must_use]
    #[inline(always)]
    pub const fn a(&self) -> u8 {
        self.a
    }

    #[must_use]
    #[inline(always)]
    pub const fn b(&self) -> u8 {
        self.b
    }

    #[must_use]
    #[inline(always)]
    pub const fn c(&self) -> u8 {
        self.c
    }

    #[must_use]
    #[inline(always)]
    pub const fn wide(&self) -> u32 {
        self.wide
    }

    /// The instructions from a branch's target on, of those behind it; none where it goes back.
    #[inline(always)]
    pub fn forward<'c>(&self, behind: &'c [Instruction]) -> Option<&'c [Instruction]> {
        behind.get(self.wide as usize..)
    }

    /// The instructions from a branch's target on, of all; none where it goes forward.
    #[inline(always)]
    pub fn back<'c>(&self, all: &'c [Instruction]) -> Option<&'c [Instruction]> {
        all.get(!self.wide as usize..)
    }

    /// Whether counting on, which is what the instruction does, changes a register or reads it.
    #[must_use]
    #[inline(always)]
    pub const fn changes(&self, register: u8) -> bool {
        register.wrapping_sub(self.a) < COUNTED
    }

    /// The small integer in the places of b and c.
    #[must_use]
    #[inline(always)]
    pub const fn small(&self) -> i16 {
        i16::from_le_bytes([self.b, self.c])
    }
}

impl Ready {
    /// A function without code or registers.
    pub(super) fn host() -> Ready {
        let code = Box::default();
        Ready {
            number: u32::MAX,
            code,
            cost: 0,
            registers: 0,
            parameters: 0,
            is_variadic: false,
            exactly: SPREAD,
            at_once: AtOnce::never(0),
        }
    }
}

/// The gas of the block that begins at an instruction: charged whole where the block is entered.
#[must_use]
pub fn block_cost(code: &[Word], start: usize) -> u32 {
    let mut cost = 0_u32;
    for information in code.iter().skip(start).filter_map(|word| word.op()).map(Op::information) {
        cost = cost.saturating_add(information.cost);
        if information.exit != Exit::Next {
            break;
        }
    }
    cost
}

/// For each instruction, the gas from it to the end of its block.
fn costs(code: &[Word]) -> Vec<u32> {
    let mut costs: Vec<u32> = Vec::with_capacity(code.len());
    let mut to_end = 0_u32;
    for information in code.iter().rev().filter_map(|word| word.op()).map(Op::information) {
        if information.exit != Exit::Next {
            to_end = 0;
        }
        to_end = to_end.saturating_add(information.cost);
        costs.push(to_end);
    }
    costs.reverse();
    costs
}

/// Makes all functions ready, and counts the places to remember that their instructions have.
pub(super) fn ready(program: &Program) -> (Vec<Ready>, u32) {
    let costs: Vec<Vec<u32>> = program.functions.iter().map(|function| costs(&function.code)).collect();
    let first = |function: usize| costs.get(function).and_then(|costs| costs.first()).copied().unwrap_or_default();
    let mut places = 0;
    let exactly = |function: &Function| {
        if function.is_variadic || function.parameters >= SPREAD { SPREAD } else { function.parameters }
    };
    let parameters = |number: u32| program.functions.get(number as usize).map_or(SPREAD, exactly);
    let functions = program.functions.iter().zip(&costs).enumerate().map(|(number, (function, own))| {
        let code = in_rows(instructions(function, own, (&first, &parameters), &mut places));
        let Function { registers, parameters, is_variadic, .. } = *function;
        let exactly = exactly(function);
        let at_once = AtOnce::of(function, own);
        Ready { number: number as u32, code, cost: first(number), registers, parameters, is_variadic, exactly, at_once }
    });
    (functions.collect(), places)
}

/// Where a branch leads: how many instructions behind it are skipped, or, where it goes back, the complement of the target's
/// number, which is more than a function has.
const fn aim(at: usize, target: u32) -> u32 {
    match target.checked_sub(at as u32 + 1) {
        Some(skipped) => skipped,
        None => !target,
    }
}

fn instructions(
    function: &Function,
    costs: &[u32],
    (first, parameters): (&impl Fn(usize) -> u32, &impl Fn(u32) -> u8),
    places: &mut u32,
) -> Vec<Instruction> {
    let cost = |at: usize| costs.get(at).copied().unwrap_or_default();
    let instruction = |(at, &word): (usize, &Word)| {
        let op = word.op()?;
        let standing = |target: u32| function.code.get(target as usize).copied();
        let further = |target: u32| standing(target).filter(|_| target as usize > at)?.op();
        let quick = Quick::at_place(op, word, parameters, further);
        let mut ready = Instruction { quick, next: cost(at + 1), ..Instruction::bare(op, word) };
        for operand in op.information().operands {
            let bits = word.get(*operand);
            match operand.role {
                Role::Target => {
                    ready.ahead = cost(bits as usize);
                    ready.wide = aim(at, bits);
                    if quick == Quick::UnlessAgain {
                        ready.ahead += standing(bits).map_or(0, |again| cost(again.wide() as usize));
                    }
                }
                Role::Function => ready.ahead = first(bits as usize),
                Role::Name => {
                    ready.ahead = *places;
                    *places += 1;
                }
                Role::Results => {
                    ready.next = Reply::new(word.a(), word.c(), After::Caller).0;
                }
                Role::Write | Role::Read | Role::Base | Role::Arguments | Role::Cursor => {}
                Role::Counter | Role::Flag | Role::Small | Role::Integer | Role::Constant => {}
                Role::Builtin | Role::Capture => {}
            }
        }
        Some(ready)
    };
    function.code.iter().enumerate().filter_map(instruction).collect()
}

/// The instructions, each of which knows of those behind it that run with it.
fn in_rows(mut code: Vec<Instruction>) -> Box<[Instruction]> {
    let alone: Vec<Quick> = code.iter().map(|instruction| instruction.quick).collect();
    let targets: Vec<u32> = code.iter().map(|instruction| instruction.wide).collect();
    for (at, instruction) in code.iter_mut().enumerate() {
        let goes_back = |further: usize| targets.get(at + further).is_some_and(|&target| !target as usize == at);
        let way = Quick::of_row(alone.get(at..).unwrap_or_default(), goes_back);
        instruction.quick = way.unwrap_or(instruction.quick);
    }
    code.into_boxed_slice()
}
