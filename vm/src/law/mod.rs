//! Laws of join folds: whether `join` merges, tried on states that generated operations lift, refuted by the least
//! counterexample that can be found.
//!
//! A verdict is a function of the program: what is tried follows from a fixed seed and the program's own constants.

mod compose;
mod exhaust;
mod infer;
mod known;
mod sample;
mod shrink;

use crate::bytecode::{Certificate, Class, Grounds, Limits, ProgramKind, Verified};
use crate::encoding::{Options, cbor, json};
use crate::execute::Machine;
use crate::fold::Folding;
use crate::refusal::{Code, Refusal};
use crate::trap::TrapCode;
use crate::value::{Heap, Value};
pub use known::{digest, known};
use sample::{Generator, Random, Sample, Schema};

macro_rules! laws {
    ($($law:ident $name:literal $about:literal;)+) => {
        /// What must hold of every join.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Law { $(#[doc = $about] $law),+ }

        impl Law {
            pub const ALL: &[Law] = &[$(Law::$law),+];

            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Law::$law => $name),+ }
            }

            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Law::$law => $about),+ }
            }
        }
    };
}

laws! {
    Traps "traps" "joining two states that operations lift never traps";
    Commutes "commutes" "`join(a, b)` is `join(b, a)`";
    Associates "associates" "`join(join(a, b), c)` is `join(a, join(b, c))`";
    Unit "unit" "joining with what `init` gives changes nothing";
    Step "step" "folding an operation is joining what it lifts";
    Idempotent "idempotent" "`join(a, a)` is `a`";
    Lifts "lifts" "some operation lifts to a state";
}

/// States for which a law does not hold, made of as little as could be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterexample {
    pub law: Law,
    /// The operations behind each state, as JSON.
    pub operations: Vec<Vec<String>>,
    pub states: Vec<String>,
    /// What the two sides of the law give: states, or a trap.
    pub results: [String; 2],
}

/// What became of a fold's laws.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The strongest class that held; none where a law was refuted that every join must keep.
    pub class: Option<Class>,
    /// By what it is known.
    pub grounds: Grounds,
    /// What refutes a stronger class.
    pub counterexample: Option<Counterexample>,
    /// How many triples of states were tried.
    pub tried: u64,
}

/// What can be derived of a join fold's class, from its code alone: by construction, else by exhaustion.
#[must_use]
pub fn derive(program: &Verified) -> Option<Certificate> {
    match compose::is_composed(program.program()) {
        true => Some(Certificate { class: Class::Lattice, grounds: Grounds::Construction {} }),
        false => exhaust::certificate(program),
    }
}

/// Derives a join fold's class, or else tries the laws.
///
/// # Errors
/// Where the program is no fold that exports `lift` and `join`.
pub fn examine(program: &Verified) -> Result<Verdict, Refusal> {
    let exports = &program.program().exports;
    let is_join = program.program().kind == ProgramKind::Fold
        && ["lift", "join", "step", "finish", "init"].iter().all(|name| exports.contains_key(*name));
    if !is_join {
        return Err(Refusal::new(Code::PROGRAM_FOLD, 0));
    }
    Ok(match derive(program) {
        Some(Certificate { class, grounds }) => {
            let counterexample =
                (class == Class::Monoid).then(|| Trial::new(program).verdict().counterexample).flatten();
            Verdict { class: Some(class), grounds, counterexample, tried: 0 }
        }
        None => Trial::new(program).verdict(),
    })
}

/// A state as it is kept between calls: its canonical bytes.
type State = Vec<u8>;

/// A trial under way.
struct Trial<'p> {
    program: &'p Verified,
    machine: Machine<'p>,
    generator: Generator,
    random: Random,
    bottom: Option<State>,
}

/// What of one schema is worth trying.
struct Promise {
    schema: Schema,
    joined: u64,
    trapped: u64,
}

impl<'p> Trial<'p> {
    fn new(program: &'p Verified) -> Trial<'p> {
        let mut trial = Trial {
            program,
            machine: Machine::new(program, 0, Limits::DEFAULT),
            generator: Generator::new(program.program()),
            random: Random::new(SEED),
            bottom: None,
        };
        // A bottom of nil is none: then the first lift is the state.
        trial.bottom = trial.call("init", &[]).ok().flatten();
        trial
    }

    fn verdict(&mut self) -> Verdict {
        let promises = self.promises();
        let Some(best) = promises.first() else {
            let none = Counterexample {
                law: Law::Lifts,
                operations: Vec::new(),
                states: Vec::new(),
                results: [String::new(), String::new()],
            };
            return Verdict { class: None, grounds: TRIED, counterexample: Some(none), tried: 0 };
        };
        // Payloads of kinds that the fold is not made for make every join trap: they are not what it is tried on.
        let meant: Vec<&Promise> = promises.iter().filter(|promise| promise.is_meant()).collect();
        let schemas: Vec<Schema> = match meant.is_empty() {
            true => vec![best.schema.clone()],
            false => meant.iter().take(SCHEMAS).map(|promise| promise.schema.clone()).collect(),
        };
        let (mut tried, mut weaker) = (0, None);
        for round in 0..TRIALS {
            let at = usize::try_from(round).unwrap_or(0) % schemas.len().max(1);
            let Some(schema) = schemas.get(at) else { break };
            let lists = self.lists(schema);
            tried += 1;
            let found = self.broken(&lists, weaker.is_none());
            match found {
                Some(Law::Idempotent) => weaker = Some((Law::Idempotent, lists)),
                Some(law) => {
                    let counterexample = self.least(law, lists);
                    return Verdict { class: None, grounds: TRIED, counterexample: Some(counterexample), tried };
                }
                None => {}
            }
        }
        match weaker {
            None => Verdict { class: Some(Class::Lattice), grounds: TRIED, counterexample: None, tried },
            Some((law, lists)) => {
                let counterexample = self.least(law, lists);
                Verdict { class: Some(Class::Monoid), grounds: TRIED, counterexample: Some(counterexample), tried }
            }
        }
    }

    /// Schemas of payloads, those first whose operations lift to states that can be joined.
    fn promises(&mut self) -> Vec<Promise> {
        let mut promises = Vec::new();
        for schema in self.generator.schemas(&mut self.random) {
            let (mut joined, mut trapped) = (0, 0);
            let mut last: Option<State> = None;
            for _ in 0..TASTE {
                let op = self.generator.operation(&schema, &mut self.random);
                let Ok(Some(state)) = self.lift(&op) else { continue };
                if let Some(last) = &last {
                    joined += 1;
                    trapped += u64::from(self.join(last, &state).is_err());
                }
                last = Some(state);
            }
            if last.is_some() {
                promises.push(Promise { schema, joined, trapped });
            }
        }
        promises.sort_by_key(|promise| (promise.trapped * 100 / promise.joined.max(1), u64::MAX - promise.joined));
        promises
    }

    /// Three lists of operations, a few in each.
    fn lists(&mut self, schema: &Schema) -> Vec<Vec<Sample>> {
        let mut lists = Vec::new();
        for _ in 0..3 {
            let count = 1 + self.random.below(3);
            lists.push((0..count).map(|_| self.generator.operation(schema, &mut self.random)).collect());
        }
        lists
    }

    /// The first law that does not hold of the states of these operations.
    fn broken(&mut self, lists: &[Vec<Sample>], also_idempotent: bool) -> Option<Law> {
        let states = self.states(lists);
        Law::ALL.iter().copied().find(|&law| {
            let is_tried = also_idempotent || law != Law::Idempotent;
            is_tried && self.sides_of(law, lists, &states).is_some_and(|[left, right]| left != right)
        })
    }

    /// The two sides of a law; none where the operations make too few states for it.
    fn sides(&mut self, law: Law, lists: &[Vec<Sample>]) -> Option<[Result<State, TrapCode>; 2]> {
        let states = self.states(lists);
        self.sides_of(law, lists, &states)
    }

    /// The states of lists, without those that lift to nothing.
    fn states(&mut self, lists: &[Vec<Sample>]) -> Result<Vec<State>, TrapCode> {
        lists.iter().filter_map(|list| self.state(list).transpose()).collect()
    }

    fn sides_of(
        &mut self,
        law: Law,
        lists: &[Vec<Sample>],
        states: &Result<Vec<State>, TrapCode>,
    ) -> Option<[Result<State, TrapCode>; 2]> {
        let states = match states {
            Ok(states) => states,
            // Only one law speaks of traps, so no other is said to be broken by one.
            Err(trap) => return (law == Law::Traps).then_some([Err(*trap), Ok(Vec::new())]),
        };
        match (law, states.as_slice()) {
            (Law::Traps, [a, b, ..]) => {
                let trap = self.join(a, b).and_then(|_| self.join(b, a)).err()?;
                Some([Err(trap), Ok(Vec::new())])
            }
            // A side that traps is the first law's affair.
            (Law::Commutes, [a, b, ..]) => Some([Ok(self.join(a, b).ok()?), Ok(self.join(b, a).ok()?)]),
            (Law::Associates, [a, b, c]) => {
                let left = self.join(a, b).and_then(|ab| self.join(&ab, c)).ok()?;
                let right = self.join(b, c).and_then(|bc| self.join(a, &bc)).ok()?;
                Some([Ok(left), Ok(right)])
            }
            (Law::Unit, [a, ..]) => {
                let bottom = self.bottom.clone()?;
                let (left, right) = (self.join(&bottom, a).ok()?, self.join(a, &bottom).ok()?);
                Some([Ok(if left == *a { right } else { left }), Ok(a.clone())])
            }
            (Law::Idempotent, [a, ..]) => Some([Ok(self.join(a, a).ok()?), Ok(a.clone())]),
            (Law::Step, [..]) => {
                let [list, ..] = lists else { return None };
                let joined = self.state(list).ok().flatten()?;
                Some([self.folded(list), Ok(joined)])
            }
            _ => None,
        }
    }

    /// The state that operations come to by `lift` and `join`, those that lift to nothing left out.
    fn state(&mut self, operations: &[Sample]) -> Result<Option<State>, TrapCode> {
        let mut state: Option<State> = None;
        for op in operations {
            let Ok(Some(lifted)) = self.lift(op) else { continue };
            state = Some(match state {
                Some(state) => self.join(&state, &lifted)?,
                None => lifted,
            });
        }
        Ok(state)
    }

    /// The state that the fold itself comes to.
    fn folded(&mut self, operations: &[Sample]) -> Result<State, TrapCode> {
        let Ok(mut folding) = Folding::new(self.program, 1, Limits::DEFAULT) else { return Err(TrapCode::RAISED) };
        for op in operations {
            if folding.offer_json(op.to_json().as_bytes()).is_ok() {
                folding.step();
            }
        }
        let (heap, state) = folding.state();
        encoded(heap, state)
    }

    fn lift(&mut self, op: &Sample) -> Result<Option<State>, TrapCode> {
        let mark = self.machine.heap().mark();
        let value = json::decode(self.machine.heap(), op.to_json().as_bytes(), &Options::CANONICAL);
        let state = match value {
            Ok(value) => self.called("lift", &[value]),
            Err(_) => Err(TrapCode::DOCUMENT),
        };
        self.machine.heap().rewind(mark);
        state
    }

    fn join(&mut self, a: &State, b: &State) -> Result<State, TrapCode> {
        match self.call("join", &[a, b]) {
            Ok(Some(state)) => Ok(state),
            // A join that gives nothing has lost both.
            Ok(None) => Err(TrapCode::KIND),
            Err(trap) => Err(trap),
        }
    }

    fn call(&mut self, export: &str, states: &[&State]) -> Result<Option<State>, TrapCode> {
        let mark = self.machine.heap().mark();
        let decode = |state: &&State| cbor::decode(self.machine.heap(), state, &Options::SNAPSHOT);
        let arguments: Result<Vec<Value>, Refusal> = states.iter().map(decode).collect();
        let result = match arguments {
            Ok(arguments) => self.called(export, &arguments),
            Err(_) => Err(TrapCode::DOCUMENT),
        };
        self.machine.heap().rewind(mark);
        result
    }

    /// Calls an export, and gives its result's bytes; none for nil.
    fn called(&mut self, export: &str, arguments: &[Value]) -> Result<Option<State>, TrapCode> {
        let results = match self.machine.call(export, arguments) {
            Some(Ok(results)) => results,
            Some(Err(trap)) => return Err(trap.code),
            None => return Err(TrapCode::KIND),
        };
        match results.first().copied().filter(|state| !state.is_nil()) {
            Some(state) => encoded(self.machine.values(), state).map(Some),
            None => Ok(None),
        }
    }
}

impl Promise {
    fn is_meant(&self) -> bool {
        self.joined > 0 && self.trapped * 10 < self.joined * 9
    }
}

/// What generated operations follow from.
pub const SEED: u64 = 0x6b65_7261_6900_0005;
/// Triples of states on which the laws are tried.
pub const TRIALS: u64 = 600;
const TRIED: Grounds = Grounds::Tested { trials: TRIALS, seed: SEED };
/// Smaller counterexamples that are tried before the least so far is shown.
const SHRINKING: u64 = 20_000;

/// Operations by which a schema is judged before it is chosen, and the most schemas that are.
const TASTE: u64 = 24;
const SCHEMAS: usize = 4;

/// The bytes of a state; what has none, such as one that holds a function, is no state.
fn encoded(heap: &Heap, state: Value) -> Result<State, TrapCode> {
    let mut bytes = Vec::new();
    cbor::encode(heap, state, &Options::SNAPSHOT, &mut bytes).map_err(|_| TrapCode::FUNCTION_IN_STATE)?;
    Ok(bytes)
}

/// A state as an author reads it.
fn view(state: &State) -> String {
    let (mut heap, mut out) = (Heap::new(0), Vec::new());
    let shown = cbor::decode(&mut heap, state, &Options::SNAPSHOT)
        .and_then(|value| json::encode(&heap, value, &Options::SNAPSHOT, &mut out));
    match shown {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(_) => state.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}
