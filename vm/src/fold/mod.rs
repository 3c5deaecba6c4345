//! Folding: a program of the kind fold, its state, and the operations that are merged into it, each in a transaction.
//!
//! State is changed in place; a value that `step` returns takes its place. The tables of an operation are read-only
//! in its step, and state's own from the step's end: what state keeps of an operation is no different from what it made.

mod ahead;
pub mod column;
mod documents;
mod finish;
mod owners;
mod rows;

pub use rows::{RowChanges, Rows};

use crate::bytecode::{Limits, ProgramKind, Verified};
use crate::encoding::root::{Context, Root};
use crate::encoding::{Options, cbor, json};
use crate::execute::{Machine, Seen, Watch};
use crate::refusal::{Code, Refusal};
use crate::trap::{Trap, TrapCode};
use crate::value::{Extent, Heap, Point, TOGETHER, Value};
use ahead::{Ahead, LEARNS_EVERY};
use finish::Documents;
use std::collections::VecDeque;

/// Bytes that a fold makes before it looks for what is still needed: little enough to stay in a processor's cache.
const YOUNG: usize = 4 << 20;

/// How many times as much may grow old before all is looked at, however little that is.
const SPARE: usize = 4;

/// Operations that are offered before they are folded, and the bytes above which no more are.
const OFFERED: usize = 8 * TOGETHER;
const OFFERED_BYTES: usize = 1 << 18;

/// Why a fold can't begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoldFault {
    /// The program is no fold, or the bytes are no snapshot.
    Refused(Refusal),
    /// `init` trapped.
    Trapped(Trap),
}

impl From<Refusal> for FoldFault {
    fn from(refusal: Refusal) -> FoldFault {
        FoldFault::Refused(refusal)
    }
}

/// An operation that is to be folded. It is folded once, so that what state keeps of it is state's alone.
struct Operation {
    value: Value,
    /// How many tables it is made of: its own has the last number of them.
    tables: u32,
    /// Bytes that it takes, about.
    size: usize,
    /// What its step draws random numbers from, where it draws any.
    seed: Option<Box<Root>>,
}

impl Operation {
    /// The numbers of its tables.
    fn range(&self) -> core::ops::Range<u32> {
        let end = self.value.as_table().map_or(0, |id| id.0 + 1);
        end.saturating_sub(self.tables)..end
    }
}

/// A state that can be gone back to.
struct Kept {
    point: Point,
    state: Value,
    count: u64,
}

/// A fold under way.
pub struct Folding<'p> {
    machine: Machine<'p>,
    step: u32,
    finish: u32,
    state: Value,
    /// How many operations were folded, those that trapped included.
    count: u64,
    gas: u64,
    /// Operations that are to be folded.
    queue: VecDeque<Operation>,
    /// How many of them, at the end, were made since the last collection, and their bytes.
    young: usize,
    young_size: usize,
    ahead: Ahead,
    kept: VecDeque<Kept>,
    rows: Rows,
    /// What of the rows is made anew only in part.
    documents: Option<Documents>,
    /// The gas of the last step or `finish`.
    last_gas: u64,
    chance: Option<Chance>,
    collection: Collection,
}

/// What seeds are made of beside operations, for a program whose step takes one.
#[derive(Clone, Copy)]
struct Chance {
    policy_root: [u8; 32],
    fold_root: Root,
}

/// When to look for what is still needed.
struct Collection {
    /// The bytes that may be made between two collections of the young.
    above: usize,
    /// Bytes of dictionaries that were made since the last one.
    dictionaries: usize,
    /// Bytes that the last collection of everything left, and those that grew old since.
    live: usize,
    grown: usize,
    /// Bytes of operations that grew old before they were folded: while others wait that did, they are not worth the way.
    folded: usize,
}

impl<'p> Folding<'p> {
    /// Begins a fold: calls `init`. The seed only spreads in-memory hashes; limits are the lower of the program's and
    /// `limits`, for each step anew.
    ///
    /// # Errors
    /// Where the program is no fold, or `init` traps.
    pub fn new(program: &'p Verified, seed: u64, limits: Limits) -> Result<Folding<'p>, FoldFault> {
        let mut folding = Folding::at_rest(program, seed, limits)?;
        let init = export(program, "init")?;
        let point = folding.machine.heap().begin_step(0..0);
        let state = folding.machine.run(init, &[]);
        folding.last_gas = folding.machine.gas_used();
        folding.gas = folding.last_gas;
        let state = state.map(|state| state.unwrap_or(Value::NIL));
        let state = state.and_then(|state| folding.without_functions(state, point, init));
        folding.machine.heap().end_step(point);
        folding.state = state.map_err(FoldFault::Trapped)?;
        Ok(folding)
    }

    /// Goes on from a snapshot: nothing tells the fold from one that never stopped. `count` is that of the snapshot.
    ///
    /// # Errors
    /// Where the program is no fold, or the bytes are not the one snapshot of a state.
    pub fn resume(
        program: &'p Verified,
        seed: u64,
        limits: Limits,
        snapshot: &[u8],
        count: u64,
    ) -> Result<Folding<'p>, FoldFault> {
        let mut folding = Folding::at_rest(program, seed, limits)?;
        folding.state = cbor::decode_snapshot(folding.machine.heap(), snapshot, &Options::STATE)?;
        folding.count = count;
        // What was loaded is needed: the first collection need not look for it.
        folding.collection.live = folding.machine.values().size();
        folding.machine.heap().keep_all();
        Ok(folding)
    }

    fn at_rest(program: &'p Verified, seed: u64, limits: Limits) -> Result<Folding<'p>, Refusal> {
        if program.program().kind != ProgramKind::Fold {
            return Err(Refusal::new(Code::PROGRAM_FOLD, 0));
        }
        export(program, "init")?;
        Ok(Folding {
            machine: Machine::new(program, seed, limits),
            step: export(program, "step")?,
            finish: export(program, "finish")?,
            state: Value::NIL,
            count: 0,
            gas: 0,
            queue: VecDeque::new(),
            young: 0,
            young_size: 0,
            ahead: Ahead::default(),
            kept: VecDeque::new(),
            rows: Rows::default(),
            documents: None,
            last_gas: 0,
            chance: chance(program)?,
            collection: Collection { above: YOUNG, dictionaries: 0, live: 0, grown: 0, folded: 0 },
        })
    }

    /// Names the policy that the operations passed, on which the numbers depend that a step draws. Without it, none did.
    pub fn under_policy(&mut self, root: [u8; 32]) {
        self.chance.iter_mut().for_each(|chance| chance.policy_root = root);
    }

    /// How many bytes may be made before what is needed no more is forgotten. No result depends on it.
    pub const fn collect_above(&mut self, bytes: usize) {
        self.collection.above = bytes;
    }

    // Operations.

    /// Puts an operation, as canonical CBOR, at the end of those that are to be folded.
    ///
    /// # Errors
    /// As decoding.
    pub fn offer(&mut self, operation: &[u8]) -> Result<(), Refusal> {
        self.offer_by(|heap| cbor::decode(heap, operation, &Options::CANONICAL))
    }

    /// As [`Folding::offer`], from JSON.
    ///
    /// # Errors
    /// As decoding.
    pub fn offer_json(&mut self, operation: &[u8]) -> Result<(), Refusal> {
        self.offer_by(|heap| json::decode(heap, operation, &Options::CANONICAL))
    }

    fn offer_by(&mut self, decode: impl FnOnce(&mut Heap) -> Result<Value, Refusal>) -> Result<(), Refusal> {
        let heap = self.machine.heap();
        let (before, dictionaries, size) = (heap.mark(), heap.dictionaries(), heap.young_size());
        let value = decode(heap)?;
        let tables = heap.mark().tables() - before.tables();
        let size = heap.young_size() - size + heap.dictionaries_since(dictionaries);
        let seed = self.chance.map(|chance| seed(heap, value, chance)).transpose()?.map(Box::new);
        self.queue.push_back(Operation { value, tables, size, seed });
        self.young += 1;
        self.young_size += size;
        // Many operations that wait are alive all of them: there is no need to look.
        if self.young_size > self.collection.above {
            heap.keep_all();
            self.collection.live += self.young_size;
            (self.young, self.young_size) = (0, 0);
        }
        Ok(())
    }

    /// Folds operations as [`Folding::offer`] and [`Folding::step`] do, so many at a time that what their steps will ask
    /// for is fetched ahead. Tells of each, by its place, what came of it. None may wait before.
    ///
    /// # Errors
    /// As decoding, with the place of the operation; those before it are folded.
    pub fn take<'o>(
        &mut self,
        operations: impl IntoIterator<Item = &'o [u8]>,
        mut tell: impl FnMut(usize, Result<(), Trap>),
    ) -> Result<(), (usize, Refusal)> {
        let mut operations = operations.into_iter();
        let (mut offered, mut folded) = (0, 0);
        loop {
            let (mut bytes, mut refused) = (0, None);
            while self.queue.len() < OFFERED
                && bytes < OFFERED_BYTES
                && let Some(operation) = operations.next()
            {
                if let Err(refusal) = self.offer(operation) {
                    refused = Some((offered, refusal));
                    break;
                }
                offered += 1;
                bytes += operation.len();
            }
            let is_last = self.queue.is_empty();
            while let Some(result) = self.step() {
                tell(folded, result);
                folded += 1;
            }
            match refused {
                Some(refused) => return Err(refused),
                None if is_last => return Ok(()),
                None => {}
            }
        }
    }

    /// How many operations are to be folded.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Folds the operation that has waited longest; `None` where none waits. One that traps leaves the state exactly
    /// as it was, and counts.
    pub fn step(&mut self) -> Option<Result<(), Trap>> {
        self.step_by(Machine::run)
    }

    /// As [`Folding::step`], but blocks cost nothing: only to measure what metering costs.
    #[cfg(feature = "unmetered")]
    pub fn step_unmetered(&mut self) -> Option<Result<(), Trap>> {
        self.step_by(Machine::run_unmetered)
    }

    /// As [`Folding::step`], each instruction watched, and with its values if `shows` says so. After `stop` instructions
    /// the step ends where it is: the state keeps what was done to it so far, which only who goes back may look at.
    pub fn step_seen(&mut self, stop: Option<usize>, shows: bool) -> Option<(Vec<Seen>, Result<(), Trap>)> {
        let mut seen = Vec::new();
        if stop.is_none() {
            let result = self.step_by(|machine, step, arguments| {
                let (result, all) = machine.run_watched(step, arguments, Watch::new(None, shows));
                seen = all;
                result
            })?;
            return Some((seen, result));
        }
        let operation = self.queue.pop_front()?;
        let point = self.machine.heap().begin_step(operation.range());
        let watch = Watch::new(stop, shows);
        let (result, seen) = self.machine.run_watched(self.step, &[self.state, operation.value], watch);
        self.machine.heap().end_step(point);
        Some((seen, result.map(|_| ())))
    }

    #[inline]
    fn step_by(
        &mut self,
        run: impl FnOnce(&mut Machine<'p>, u32, &[Value]) -> Result<Option<Value>, Trap>,
    ) -> Option<Result<(), Trap>> {
        if self.count.is_multiple_of(TOGETHER as u64) {
            let operations = self.queue.iter().take(TOGETHER).map(|operation| operation.value);
            self.ahead.fetch(self.machine.values(), operations);
        }
        let operation = self.queue.pop_front()?;
        if self.queue.len() < self.young {
            self.young -= 1;
            self.young_size -= operation.size;
        } else {
            self.collection.folded += operation.size;
        }
        let dictionaries = self.machine.values().dictionaries();
        let point = self.machine.heap().begin_step(operation.range());
        let seed = operation.seed.map(|seed| self.machine.heap().string(seed.to_string().as_bytes()));
        let arguments = [self.state, operation.value, seed.unwrap_or(Value::NIL)];
        let [state, value, _] = arguments;
        let result = match seed {
            Some(_) => run(&mut self.machine, self.step, &arguments),
            None => run(&mut self.machine, self.step, &[state, value]),
        };
        self.last_gas = self.machine.gas_used();
        self.gas = self.gas.saturating_add(self.last_gas);
        let result = result.and_then(|given| {
            let state = given.filter(|state| !state.is_nil()).unwrap_or(self.state);
            self.without_functions(state, point, self.step)
        });
        if result.is_err() {
            self.machine.heap().rewind_to(point);
        }
        self.machine.heap().end_step(point);
        if self.count.is_multiple_of(LEARNS_EVERY) {
            self.ahead.learn(self.machine.values(), operation.value, self.machine.has_ordered_texts());
        }
        self.count += 1;
        self.collection.dictionaries += self.machine.values().dictionaries_since(dictionaries);
        let result = result.map(|state| self.state = state);
        self.collect_if_due();
        Some(result)
    }

    /// The state, where it reaches no function.
    #[inline]
    fn without_functions(&self, state: Value, since: Point, function: u32) -> Result<Value, Trap> {
        if self.machine.values().reaches_function(state, since) {
            return Err(Trap { code: TrapCode::FUNCTION_IN_STATE, function, instruction: 0 });
        }
        Ok(state)
    }

    // Rows.

    /// The rows of the last `finish` that did not trap.
    pub const fn rows(&mut self) -> &mut Rows {
        &mut self.rows
    }

    // State.

    /// How many operations were folded, those that trapped included.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The gas that `init` and all steps took since the fold was begun or resumed.
    #[must_use]
    pub const fn gas(&self) -> u64 {
        self.gas
    }

    /// The gas that the last step or `finish` took.
    #[must_use]
    pub const fn last_gas(&self) -> u64 {
        self.last_gas
    }

    /// The state, and the heap that it lies in.
    #[must_use]
    pub const fn state(&self) -> (&Heap, Value) {
        (self.machine.values(), self.state)
    }

    /// The state as bytes, from which the fold can go on.
    ///
    /// # Errors
    /// Where the state passes a limit on snapshots.
    pub fn snapshot(&self) -> Result<Vec<u8>, Refusal> {
        let mut out = Vec::new();
        cbor::encode_snapshot(self.machine.values(), self.state, &Options::STATE, &mut out)?;
        Ok(out)
    }

    /// The root of a snapshot.
    #[must_use]
    pub fn snapshot_root(snapshot: &[u8]) -> Root {
        Root::of_data(Context::Snapshot, snapshot)
    }

    /// A point that the fold can go back to, until it is forgotten.
    pub fn point(&mut self) -> Point {
        let point = self.machine.heap().point();
        self.kept.push_back(Kept { point, state: self.state, count: self.count });
        point
    }

    /// Goes back to a point: state and count are as they were. Operations that wait are dropped, later points are gone;
    /// the point itself stays, and rows stay until the next `finish`. False where the point is gone.
    pub fn rewind_to(&mut self, point: Point) -> bool {
        let Ok(place) = self.kept.binary_search_by_key(&point, |kept| kept.point) else { return false };
        let Some(&Kept { state, count, .. }) = self.kept.get(place) else { return false };
        self.kept.truncate(place + 1);
        (self.state, self.count) = (state, count);
        self.queue.clear();
        (self.young, self.young_size) = (0, 0);
        self.machine.heap().rewind_to(point)
    }

    /// Forgets all points before this one, and what only they needed.
    pub fn forget_before(&mut self, point: Point) {
        let older = self.kept.partition_point(|kept| kept.point < point);
        self.kept.drain(..older);
        self.machine.heap().forget_before(point);
    }

    // What is needed no more.

    fn collect_if_due(&mut self) {
        let young = self.machine.values().young_size() + self.collection.dictionaries;
        if young <= self.collection.above {
            return;
        }
        if self.queue.len() == self.young {
            self.collection.grown += core::mem::take(&mut self.collection.folded);
        }
        let is_crowded = self.collection.grown > self.collection.live.max(self.collection.above.saturating_mul(SPARE));
        let extent = if is_crowded { Extent::All } else { Extent::Young };
        let size = self.collect(extent);
        let collection = &mut self.collection;
        collection.dictionaries = 0;
        match extent {
            Extent::Young => collection.grown += size,
            Extent::All => (collection.live, collection.grown, collection.folded) = (size, 0, 0),
        }
    }

    /// Forgets what neither the state, nor a point, nor an operation that waits needs.
    fn collect(&mut self, extent: Extent) -> usize {
        let old = match extent {
            Extent::Young => self.queue.len() - self.young,
            // Tables get other numbers.
            Extent::All => {
                self.documents = None;
                0
            }
        };
        let mut roots = vec![self.state];
        roots.extend(self.kept.iter().map(|kept| kept.state));
        roots.extend(self.queue.iter().skip(old).map(|operation| operation.value));
        let size = self.machine.collect(extent, &mut roots);
        let mut moved = roots.into_iter();
        self.state = moved.next().unwrap_or(Value::NIL);
        self.kept.iter_mut().zip(&mut moved).for_each(|(kept, state)| kept.state = state);
        self.queue.iter_mut().skip(old).zip(moved).for_each(|(operation, value)| operation.value = value);
        (self.young, self.young_size) = (0, 0);
        size
    }
}

/// The function that an export of a fold names.
fn export(program: &Verified, name: &str) -> Result<u32, Refusal> {
    program.program().exports.get(name).copied().ok_or(Refusal::new(Code::PROGRAM_FOLD, 0))
}

/// What the program's seeds are made of, if its step takes one: a third parameter.
fn chance(program: &Verified) -> Result<Option<Chance>, Refusal> {
    let step = export(program, "step")?;
    let takes_seed = program.program().functions.get(step as usize).is_some_and(|step| step.parameters > 2);
    if !takes_seed {
        return Ok(None);
    }
    Ok(Some(Chance { policy_root: [0; 32], fold_root: program.program().root()? }))
}

/// What an operation's step draws random numbers from. Where no log gave the operation an id, its content is one.
fn seed(heap: &mut Heap, operation: Value, chance: Chance) -> Result<Root, Refusal> {
    let name = heap.string(b"id");
    let given = heap.get(operation, name);
    let mut id = given.and_then(|id| heap.as_string(&id).map(<[u8]>::to_vec)).unwrap_or_default();
    if id.is_empty() {
        cbor::encode(heap, operation, &Options::CANONICAL, &mut id)?;
    }
    let parts = [id.as_slice(), &chance.policy_root, chance.fold_root.bytes()].concat();
    Ok(Root::of_data(Context::Seed, &parts))
}
