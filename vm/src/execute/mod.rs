//! The machine: runs verified programs, purely and metered. Same program, same input: same results, gas and traps.

mod arithmetic;
mod between;
mod builtin;
mod meaning;
mod run;

use crate::bytecode::{Limits, Verified};
use crate::meter::Meter;
use crate::trap::{Trap, TrapCode};
use crate::value::{Heap, Value};
use builtin::Output;
use run::Frame;

pub use builtin::Row;

/// A machine with one program: its heap lives as long as it does.
pub struct Machine<'p> {
    program: &'p Verified,
    heap: Heap,
    constants: Vec<Value>,
    limits: Limits,
    meter: Meter,
    stack: Vec<Value>,
    frames: Vec<Frame>,
    /// The value that was raised last.
    raised: Value,
    output: Output,
}

impl<'p> Machine<'p> {
    /// A machine at rest. The seed only spreads in-memory hashes; limits are the lower of the program's and `limits`.
    #[must_use]
    pub fn new(program: &'p Verified, seed: u64, limits: Limits) -> Machine<'p> {
        let mut heap = Heap::new(seed);
        let constants = program.program().constants.iter().map(|constant| constant.to_value(&mut heap)).collect();
        let limits = program.program().limits.lowered(limits);
        Machine {
            program,
            heap,
            constants,
            limits,
            meter: Meter::new(limits),
            stack: Vec::new(),
            frames: Vec::new(),
            raised: Value::NIL,
            output: Output::default(),
        }
    }

    /// Where arguments are made.
    pub const fn heap(&mut self) -> &mut Heap {
        &mut self.heap
    }

    /// Where results are read.
    #[must_use]
    pub const fn values(&self) -> &Heap {
        &self.heap
    }

    /// Calls an exported function under a fresh meter; `None` where there is no export of that name.
    ///
    /// # Errors
    /// The trap that ended the call. The machine can be called again.
    pub fn call(&mut self, export: &str, arguments: &[Value]) -> Option<Result<Vec<Value>, Trap>> {
        let function = *self.program.program().exports.get(export)?;
        Some(self.run(function, arguments))
    }

    /// Calls a function that an export names.
    pub(crate) fn run(&mut self, function: u32, arguments: &[Value]) -> Result<Vec<Value>, Trap> {
        self.meter = Meter::new(self.limits);
        self.output = Output::default();
        self.raised = Value::NIL;
        let result = self.evaluate(function, arguments);
        self.frames.clear();
        if result.is_err() {
            self.output = Output::default();
        }
        result
    }

    /// The gas that the last call used.
    #[must_use]
    pub const fn gas_used(&self) -> u64 {
        self.limits.gas - self.meter.gas
    }

    /// The rows that the last call emitted, in the order of emission.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.output.rows
    }

    /// What the program raised, where the last call ended in a trap `RAISED`.
    #[must_use]
    pub const fn raised(&self) -> Value {
        self.raised
    }
}

/// Something that a value can't do, as a trap.
type Outcome<T> = Result<T, TrapCode>;
