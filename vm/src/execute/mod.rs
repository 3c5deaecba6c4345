//! The machine: runs verified programs, purely and metered. Same program, same input: same results, gas and traps.

mod arithmetic;
mod between;
mod decide;
mod elsewhere;
mod frame;
mod library;
mod meaning;
mod run;
mod sort;
mod step;
mod watch;

use crate::bytecode::{Instruction, Limits, Verified};
use crate::meter::Meter;
use crate::trap::{Trap, TrapCode};
use crate::value::{FieldPlace, Heap, Value};
use frame::Frames;
use sort::Sort;
use step::{Mode, Plainly, Quickly, Watched};

pub use decide::{DEFAULT_RULE, Decider, Decision, NO_RULE, Undecided};
pub use library::Row;
pub(crate) use library::{Deferred, Emission, Output, Place};
pub use watch::Seen;
pub(crate) use watch::Watch;

/// A machine with one program: its heap lives as long as it does.
pub struct Machine<'p> {
    program: &'p Verified,
    core: Core,
    frames: Frames<'p>,
    /// What the last run gave.
    results: Vec<Value>,
}

/// What instructions work on, beside registers.
struct Core {
    heap: Heap,
    constants: Vec<Value>,
    limits: Limits,
    meter: Meter,
    sorts: Vec<Sort>,
    /// By instruction, where its field was found last.
    places: Vec<FieldPlace>,
    /// The value that was raised last.
    raised: Value,
    output: Output,
    /// What is seen of a run that is watched.
    watch: Option<Watch>,
}

impl Core {
    fn constant(&self, index: u32) -> Value {
        self.constants.get(index as usize).copied().unwrap_or(Value::NIL)
    }

    /// Remembers where the instruction's field lies, or, until it was found once, which records don't have it.
    fn remember(&mut self, word: &Instruction, table: Value, key: Value) {
        let Some(place) = self.places.get_mut(word.ahead as usize) else { return };
        let missing = || self.heap.missing_place(table).filter(|_| place.is_nowhere());
        if let Some(found) = self.heap.field_place(table, key).or_else(missing) {
            *place = found;
        }
    }
}

impl<'p> Machine<'p> {
    /// A machine at rest. The seed only spreads in-memory hashes; limits are the lower of the program's and `limits`.
    #[must_use]
    pub fn new(program: &'p Verified, seed: u64, limits: Limits) -> Machine<'p> {
        let mut heap = Heap::new(seed);
        let constants = program.program().constants.iter().map(|constant| constant.to_value(&mut heap)).collect();
        let limits = program.program().limits.lowered(limits);
        let core = Core {
            heap,
            constants,
            limits,
            meter: Meter::new(limits),
            sorts: Vec::new(),
            places: vec![FieldPlace::default(); program.places() as usize],
            raised: Value::NIL,
            output: Output::default(),
            watch: None,
        };
        let depth = usize::try_from(limits.depth).unwrap_or(usize::MAX);
        Machine { program, core, frames: Frames::new(program.host(), depth), results: Vec::new() }
    }

    /// Where arguments are made.
    pub const fn heap(&mut self) -> &mut Heap {
        &mut self.core.heap
    }

    /// Where results are read.
    #[must_use]
    pub const fn values(&self) -> &Heap {
        &self.core.heap
    }

    /// Calls an exported function under a fresh meter; `None` where there is no export of that name.
    ///
    /// # Errors
    /// The trap that ended the call. The machine can be called again.
    pub fn call(&mut self, export: &str, arguments: &[Value]) -> Option<Result<Vec<Value>, Trap>> {
        self.call_in::<Quickly>(export, arguments)
    }

    /// As [`Machine::call`], one canonical instruction at a time and each in its general way: results, gas and traps
    /// must be the same, so that whatever makes the other way quick can be checked against this one.
    ///
    /// # Errors
    /// As [`Machine::call`].
    pub fn call_plainly(&mut self, export: &str, arguments: &[Value]) -> Option<Result<Vec<Value>, Trap>> {
        self.call_in::<Plainly>(export, arguments)
    }

    /// As [`Machine::call`], but blocks cost nothing: only to measure what metering costs.
    ///
    /// # Errors
    /// As [`Machine::call`].
    #[cfg(feature = "unmetered")]
    pub fn call_unmetered(&mut self, export: &str, arguments: &[Value]) -> Option<Result<Vec<Value>, Trap>> {
        self.call_in::<step::Unmetered>(export, arguments)
    }

    fn call_in<M: Mode>(&mut self, export: &str, arguments: &[Value]) -> Option<Result<Vec<Value>, Trap>> {
        let function = *self.program.program().exports.get(export)?;
        Some(self.run_in::<M>(function, arguments, 0).map(|_| self.results.clone()))
    }

    /// Calls a function that an export names, and gives its first result.
    pub(crate) fn run(&mut self, function: u32, arguments: &[Value]) -> Result<Option<Value>, Trap> {
        self.run_in::<Quickly>(function, arguments, 0)
    }

    /// As [`Machine::run`], but tables that are there already and are emitted a row an entry are only put down.
    pub(crate) fn run_deferring(&mut self, function: u32, arguments: &[Value]) -> Result<Option<Value>, Trap> {
        let defers_below = self.core.heap.mark().tables();
        self.run_in::<Quickly>(function, arguments, defers_below)
    }

    /// As [`Machine::run`], each instruction watched before it runs. A run that is stopped ends in a trap.
    pub(crate) fn run_watched(
        &mut self,
        function: u32,
        arguments: &[Value],
        watch: Watch,
    ) -> (Result<Option<Value>, Trap>, Vec<Seen>) {
        self.core.watch = Some(watch);
        let result = self.run_in::<Watched>(function, arguments, 0);
        (result, self.core.watch.take().map(|watch| watch.seen).unwrap_or_default())
    }

    /// As [`Machine::run`], but blocks cost nothing.
    #[cfg(feature = "unmetered")]
    pub(crate) fn run_unmetered(&mut self, function: u32, arguments: &[Value]) -> Result<Option<Value>, Trap> {
        self.run_in::<step::Unmetered>(function, arguments, 0)
    }

    fn run_in<M: Mode>(
        &mut self,
        function: u32,
        arguments: &[Value],
        defers_below: u32,
    ) -> Result<Option<Value>, Trap> {
        self.core.meter = Meter::new(self.core.limits);
        self.core.output.begin(defers_below);
        self.core.raised = Value::NIL;
        let result = self.evaluate::<M>(function, arguments);
        self.frames.keep(0);
        self.core.sorts.clear();
        if result.is_err() {
            self.core.output.begin(0);
        }
        result.map(|()| self.results.first().copied())
    }

    /// The gas that the last call used.
    #[must_use]
    pub const fn gas_used(&self) -> u64 {
        self.core.limits.gas - self.core.meter.gas
    }

    /// Whether the last call told of texts beyond their values' words which comes first.
    #[must_use]
    pub(crate) const fn has_ordered_texts(&self) -> bool {
        self.core.meter.has_ordered_texts
    }

    /// The rows that the last call emitted, in the order of emission.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.core.output.rows
    }

    /// What the program raised, where the last call ended in a trap `RAISED`.
    #[must_use]
    pub const fn raised(&self) -> Value {
        self.core.raised
    }
}

/// Something that a value can't do, as a trap.
type Outcome<T> = Result<T, TrapCode>;
