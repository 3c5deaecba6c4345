//! How two policies stand to each other: which requests the one allows and the other does not, without trying them all.
//!
//! What conditions tell apart about each attribute is finite, so a policy is a formula over variables of few values, and
//! a difference is a way to make one formula hold and not the other. Where a condition is not understood it may come to
//! anything, so that what is found equal is equal. Every witness is a request that both policies were asked.

mod aim;
mod formula;
mod paths;
mod sample;
mod search;
mod world;

use crate::explain::{self, Unexplained};
use crate::limit;
use crate::syntax::policy::tree::{Condition, Policy};
use formula::{Formulas, NodeId};
use kerai_vm::bytecode::{Limits, Verified};
use kerai_vm::execute::Machine;
use sample::Sample;
use search::{Budget, End, Pair, Side, search};
use world::{CERTAIN, POSSIBLE, World};

/// A policy and its program.
#[derive(Clone, Copy)]
pub struct Asked<'p> {
    pub policy: &'p Policy,
    pub program: &'p Verified,
}

/// How the second policy stands to the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Both allow the same requests.
    Equal,
    /// The second allows less.
    Narrower,
    /// The second allows more.
    Wider,
    /// Each allows what the other does not.
    Incomparable,
    /// What was found settles nothing.
    Undecided,
}

impl Relation {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Relation::Equal => "equal",
            Relation::Narrower => "narrower",
            Relation::Wider => "wider",
            Relation::Incomparable => "incomparable",
            Relation::Undecided => "undecided",
        }
    }
}

/// What was found of two policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub relation: Relation,
    /// A request, as JSON, that the first allows and the second does not.
    pub lost: Option<String>,
    /// A request, as JSON, that the second allows and the first does not.
    pub gained: Option<String>,
    /// Why nothing is settled.
    pub doubt: Option<Doubt>,
}

/// Why it is not known how two policies stand to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// Conditions that are not understood.
    Outside(Vec<String>),
    /// Conditions that each are understood, and depend on each other in ways that are not.
    Entangled,
    /// There are too many cases.
    TooMany,
}

/// How the second policy stands to the first.
///
/// # Errors
/// Where a program is not its policy's.
pub fn relate(first: Asked<'_>, second: Asked<'_>) -> Result<Difference, Unexplained> {
    let Some(world) = World::of(&[first.policy, second.policy]) else {
        let doubt = Some(Doubt::TooMany);
        return Ok(Difference { relation: Relation::Undecided, lost: None, gained: None, doubt });
    };
    let mut formulas = world.formulas();
    let sides = [first, second].map(|asked| side(&world, &mut formulas, asked.policy));
    let [a, b] = sides;
    let mut decided = Decided { machines: [first, second].map(|asked| machine(asked.program)), fault: None };
    let mut find = |formulas: &mut Formulas, pair: Pair, wanted: [bool; 2]| {
        let budget = Budget { cases: limit::RELATE_CASES.value, tries: limit::RELATE_TRIES.value };
        search(formulas, pair, budget, |values| {
            [false, true].into_iter().find_map(|is_open| {
                let sample = Sample::of(&world, values, is_open)?;
                decided.is(&sample, wanted).then(|| sample.to_json())
            })
        })
    };
    let lost = find(&mut formulas, Pair { first: a, second: b }, [true, false]);
    let gained = find(&mut formulas, Pair { first: b, second: a }, [false, true]);
    if let Some(fault) = decided.fault {
        return Err(fault);
    }
    Ok(conclude(lost, gained, world.outside()))
}

fn conclude(lost: End<String>, gained: End<String>, outside: Vec<String>) -> Difference {
    let doubt = |end: &End<String>| match end {
        End::Nothing | End::Found(_) => None,
        End::Unfinished => Some(Doubt::TooMany),
        End::Unmade if outside.is_empty() => Some(Doubt::Entangled),
        End::Unmade => Some(Doubt::Outside(outside.clone())),
    };
    let doubt = doubt(&lost).or_else(|| doubt(&gained));
    let request = |end| if let End::Found(request) = end { Some(request) } else { None };
    let (lost, gained) = (request(lost), request(gained));
    let relation = match (&doubt, &lost, &gained) {
        (_, Some(_), Some(_)) => Relation::Incomparable,
        (Some(_), _, _) => Relation::Undecided,
        (None, None, None) => Relation::Equal,
        (None, Some(_), None) => Relation::Narrower,
        (None, None, Some(_)) => Relation::Wider,
    };
    Difference { relation, lost, gained, doubt }
}

fn machine(program: &Verified) -> Machine<'_> {
    Machine::new(program, 0, Limits::DEFAULT)
}

/// Where a policy has an allow rule that holds, and where a deny rule that may.
fn side(world: &World, formulas: &mut Formulas, policy: &Policy) -> Side {
    let ask = |formulas: &mut Formulas, conditions: &[Condition], mask| -> Vec<NodeId> {
        let conditions = conditions.iter();
        conditions.map(|condition| world.formula(formulas, &policy.schema, &condition.expression, mask)).collect()
    };
    let (mut allows, mut denies) = (Vec::new(), Vec::new());
    for rule in &policy.rules {
        if !rule.deny_if.is_empty() {
            let mut parts = ask(formulas, &rule.when, POSSIBLE);
            let any = ask(formulas, &rule.deny_if, POSSIBLE);
            parts.push(formulas.or(any));
            denies.push(formulas.and(parts));
        }
        if !rule.allow_if.is_empty() {
            let mut parts = ask(formulas, &rule.when, CERTAIN);
            parts.extend(ask(formulas, &rule.allow_if, CERTAIN));
            allows.push(formulas.and(parts));
        }
    }
    Side { allow: formulas.or(allows), deny: formulas.or(denies) }
}

/// Both policies at work.
struct Decided<'p> {
    machines: [Machine<'p>; 2],
    fault: Option<Unexplained>,
}

impl Decided<'_> {
    /// Whether both decide a request as is wanted.
    fn is(&mut self, sample: &Sample, wanted: [bool; 2]) -> bool {
        self.machines.iter_mut().zip(wanted).all(|(machine, wanted)| {
            let mark = machine.heap().mark();
            let request = sample.build(machine.heap());
            let decided = explain::decide(machine, request);
            machine.heap().rewind(mark);
            match decided {
                Ok((is_allowed, _)) => is_allowed == wanted,
                Err(fault) => {
                    self.fault.get_or_insert(fault);
                    false
                }
            }
        })
    }
}
