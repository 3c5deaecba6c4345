//! The model: what a function gives in WebAssembly's arithmetic, where the vector must agree, and in kerai's.

use super::literal::{NAN, wrap};
use super::module::{Access, Constant, Function, Instruction, Module, Type};
use kerai_vm::trap::TrapCode;

/// Instructions that one call may take.
const STEPS: u64 = 10_000_000;

/// Calls under way at once.
const CALLS: usize = 100;

/// The largest exact integer: 2^127 − 1 units of 10^-18.
const LARGEST: i128 = i128::MAX / 1_000_000_000_000_000_000;

/// A value: an integer, where WebAssembly has its type's bits the signed one, or a float's bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar {
    Integer(i128),
    Float(u64),
}

impl From<i64> for Scalar {
    fn from(value: i64) -> Scalar {
        Scalar::Integer(value.into())
    }
}

impl From<bool> for Scalar {
    fn from(value: bool) -> Scalar {
        Scalar::Integer(value.into())
    }
}

impl Scalar {
    pub const fn integer(self) -> Result<i128, TrapCode> {
        match self {
            Scalar::Integer(value) => Ok(value),
            Scalar::Float(_) => Err(TrapCode::KIND),
        }
    }

    pub const fn float(self) -> Result<f64, TrapCode> {
        match self {
            Scalar::Float(bits) => Ok(f64::from_bits(bits)),
            Scalar::Integer(_) => Err(TrapCode::KIND),
        }
    }
}

/// Whose arithmetic it is, at what width the running operation works, and in what the two have parted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arithmetic {
    pub is_exact: bool,
    pub width: u32,
    /// An integer left its type.
    pub has_grown: bool,
    /// There was a NaN with a sign or a payload.
    pub has_other_nan: bool,
}

impl Arithmetic {
    pub const fn new(is_exact: bool) -> Arithmetic {
        Arithmetic { is_exact, width: 0, has_grown: false, has_other_nan: false }
    }

    /// The result of exact arithmetic, which wraps in WebAssembly.
    pub fn grow(&mut self, value: Option<i128>) -> Result<Scalar, TrapCode> {
        match value {
            Some(value) if self.fits(value) => Ok(Scalar::Integer(value)),
            Some(value) if !self.is_exact => Ok(Scalar::Integer(wrap(value, self.width))),
            _ => self.outside(value.unwrap_or(i128::MAX)),
        }
    }

    /// The result of exact arithmetic, which traps in WebAssembly where its type does not hold it.
    pub fn grow_or_trap(&mut self, value: i128) -> Result<Scalar, TrapCode> {
        if self.fits(value) { Ok(Scalar::Integer(value)) } else { self.outside(value) }
    }

    /// An integer that its type does not hold: kerai's grows as far as exact numbers go.
    pub fn outside(&mut self, value: i128) -> Result<Scalar, TrapCode> {
        self.has_grown |= self.is_exact;
        let is_there = self.is_exact && value.unsigned_abs() <= LARGEST.unsigned_abs();
        if is_there { Ok(Scalar::Integer(value)) } else { Err(TrapCode::RANGE) }
    }

    /// A float by its bits, of which kerai has one NaN.
    pub fn float(&mut self, bits: u64) -> Scalar {
        if !self.is_exact || !f64::from_bits(bits).is_nan() {
            return Scalar::Float(bits);
        }
        self.has_other_nan |= bits != NAN;
        Scalar::Float(NAN)
    }

    pub fn constant(&mut self, constant: &Constant) -> Scalar {
        match constant {
            Constant::Integer(value) => Scalar::Integer(*value),
            Constant::Float(bits, _) => self.float(*bits),
        }
    }

    const fn fits(&self, value: i128) -> bool {
        wrap(value, self.width) == value
    }
}

/// How a body goes on: after it, or out of so many blocks.
enum Flow {
    Next,
    Out(usize),
}

/// A run ends with a trap, or with why the model can't tell.
pub enum Stop {
    Trap(TrapCode),
    Untold(&'static str),
}

impl From<TrapCode> for Stop {
    fn from(code: TrapCode) -> Stop {
        Stop::Trap(code)
    }
}

/// A module in one of the two arithmetics, with its memory.
pub struct Model<'m> {
    module: &'m Module,
    pub arithmetic: Arithmetic,
    memory: Vec<u8>,
    steps: u64,
    depth: usize,
}

/// Memory as far as addresses that a vector uses.
const MEMORY: usize = 1 << 20;

impl<'m> Model<'m> {
    pub fn new(module: &'m Module, is_exact: bool) -> Model<'m> {
        let mut memory = vec![0; if module.has_memory { MEMORY } else { 0 }];
        for (place, bytes) in &module.data {
            memory.iter_mut().skip(*place).zip(bytes).for_each(|(to, from)| *to = *from);
        }
        Model { module, arithmetic: Arithmetic::new(is_exact), memory, steps: 0, depth: 0 }
    }

    /// Calls a function; what parted before stays parted only where memory can keep it.
    pub fn call(&mut self, index: usize, arguments: &[Constant]) -> Result<Vec<Scalar>, Stop> {
        if !self.module.has_memory {
            self.arithmetic = Arithmetic::new(self.arithmetic.is_exact);
        }
        (self.steps, self.depth) = (STEPS, 0);
        let mut stack = Vec::new();
        for argument in arguments {
            stack.push(self.arithmetic.constant(argument));
        }
        self.function(index, &mut stack)?;
        Ok(stack)
    }

    fn function(&mut self, index: usize, stack: &mut Vec<Scalar>) -> Result<(), Stop> {
        let module = self.module;
        let Some(Ok(function)) = module.functions.get(index) else { return Err(Stop::Untold("a call to nothing")) };
        let Function { parameters, locals, results, body } = function;
        if self.depth == CALLS {
            return Err(Stop::Untold("calls too deep for the model"));
        }
        self.depth += 1;
        let base = stack.len().checked_sub(parameters.len()).ok_or(TrapCode::ARGUMENTS)?;
        let mut variables = stack.split_off(base);
        variables.extend(locals.iter().map(|local| match local {
            Type::Integer(_) => Scalar::Integer(0),
            Type::Float => Scalar::Float(0),
        }));
        self.body(body, &mut variables, stack)?;
        let from = stack.len().checked_sub(results.len()).ok_or(TrapCode::ARGUMENTS)?;
        stack.drain(base..from);
        self.depth -= 1;
        Ok(())
    }

    fn body(&mut self, body: &[Instruction], variables: &mut [Scalar], stack: &mut Vec<Scalar>) -> Result<Flow, Stop> {
        for instruction in body {
            self.steps = self.steps.checked_sub(1).ok_or(Stop::Untold("too many steps for the model"))?;
            let flow = self.instruction(instruction, variables, stack)?;
            if matches!(flow, Flow::Out(_)) {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn instruction(
        &mut self,
        instruction: &Instruction,
        variables: &mut [Scalar],
        stack: &mut Vec<Scalar>,
    ) -> Result<Flow, Stop> {
        match instruction {
            Instruction::Constant(constant) => stack.push(self.arithmetic.constant(constant)),
            Instruction::Numeric(numeric) => {
                let base = stack.len().checked_sub(numeric.operation.operands).ok_or(TrapCode::ARGUMENTS)?;
                let operands = stack.split_off(base);
                self.arithmetic.width = numeric.width;
                stack.push((numeric.operation.meaning)(&mut self.arithmetic, &operands)?);
            }
            Instruction::Get(local) => stack.push(*variables.get(*local).ok_or(TrapCode::ARGUMENTS)?),
            Instruction::Set(local) => *variables.get_mut(*local).ok_or(TrapCode::ARGUMENTS)? = pop(stack)?,
            Instruction::Tee(local) => {
                let top = pop(stack)?;
                stack.push(top);
                *variables.get_mut(*local).ok_or(TrapCode::ARGUMENTS)? = top;
            }
            Instruction::Drop => {
                pop(stack)?;
            }
            Instruction::Nop => {}
            Instruction::Select => {
                let (condition, second, first) = (pop(stack)?, pop(stack)?, pop(stack)?);
                stack.push(if condition.integer()? == 0 { second } else { first });
            }
            Instruction::Return => return Ok(Flow::Out(usize::MAX)),
            Instruction::Unreachable => return Err(TrapCode::RAISED.into()),
            Instruction::Branch(depth) => return Ok(Flow::Out(*depth)),
            Instruction::BranchIf(depth) => {
                if pop(stack)?.integer()? != 0 {
                    return Ok(Flow::Out(*depth));
                }
            }
            Instruction::Block { results, body } => return self.block(*results, body, variables, stack),
            Instruction::If { results, then, otherwise } => {
                let arm = if pop(stack)?.integer()? == 0 { otherwise } else { then };
                return self.block(*results, arm, variables, stack);
            }
            Instruction::Loop { body, .. } => return self.repeat(body, variables, stack),
            Instruction::Call(callee) => self.function(*callee, stack)?,
            Instruction::Load(access) => self.load(*access, stack)?,
            Instruction::Store(access) => self.store(*access, stack)?,
        }
        Ok(Flow::Next)
    }

    /// Whoever branches out of a block takes its results along and leaves the rest.
    fn block(
        &mut self,
        results: usize,
        body: &[Instruction],
        variables: &mut [Scalar],
        stack: &mut Vec<Scalar>,
    ) -> Result<Flow, Stop> {
        let base = stack.len();
        match self.body(body, variables, stack)? {
            Flow::Next => Ok(Flow::Next),
            Flow::Out(0) => {
                let from = stack.len().checked_sub(results).ok_or(TrapCode::ARGUMENTS)?;
                stack.drain(base..from);
                Ok(Flow::Next)
            }
            Flow::Out(depth) => Ok(outwards(depth)),
        }
    }

    fn repeat(
        &mut self,
        body: &[Instruction],
        variables: &mut [Scalar],
        stack: &mut Vec<Scalar>,
    ) -> Result<Flow, Stop> {
        let base = stack.len();
        loop {
            match self.body(body, variables, stack)? {
                Flow::Next => return Ok(Flow::Next),
                Flow::Out(0) => stack.truncate(base),
                Flow::Out(depth) => return Ok(outwards(depth)),
            }
        }
    }

    fn place(&self, access: Access, stack: &mut Vec<Scalar>) -> Result<std::ops::Range<usize>, Stop> {
        let address = pop(stack)?.integer()? + i128::from(access.offset);
        let first = usize::try_from(address).map_err(|_| Stop::Untold("an address beyond memory"))?;
        let place = first..first.saturating_add(access.bytes as usize);
        if place.end <= self.memory.len() { Ok(place) } else { Err(Stop::Untold("an address beyond memory")) }
    }

    fn load(&mut self, access: Access, stack: &mut Vec<Scalar>) -> Result<(), Stop> {
        let place = self.place(access, stack)?;
        let bytes = self.memory.get(place).unwrap_or_default();
        let value = bytes.iter().rev().fold(0_i128, |value, byte| value << 8 | i128::from(*byte));
        stack.push(match access.kind {
            Type::Float => self.arithmetic.float(value as u64),
            Type::Integer(width) if access.is_signed || access.bytes * 8 == width => {
                Scalar::Integer(wrap(value, access.bytes * 8))
            }
            Type::Integer(_) => Scalar::Integer(value),
        });
        Ok(())
    }

    fn store(&mut self, access: Access, stack: &mut Vec<Scalar>) -> Result<(), Stop> {
        let bits = match pop(stack)? {
            Scalar::Integer(value) => value,
            Scalar::Float(bits) => bits.into(),
        };
        let place = self.place(access, stack)?;
        let bytes = bits.to_le_bytes();
        self.memory.get_mut(place).unwrap_or_default().iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        Ok(())
    }
}

/// A branch seen from one block further out; a return goes out of them all.
const fn outwards(depth: usize) -> Flow {
    Flow::Out(if depth == usize::MAX { depth } else { depth - 1 })
}

fn pop(stack: &mut Vec<Scalar>) -> Result<Scalar, Stop> {
    stack.pop().ok_or(Stop::Trap(TrapCode::ARGUMENTS))
}
