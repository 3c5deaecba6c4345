//! Decisions: what a policy program answers, quickly.
//!
//! The calling convention. A policy exports `decide(input)` and returns two values: `"allow"` or `"deny"`, and the list
//! of the ids of the rules that decided, each one of the program's own rules or `default`.
//!
//! A policy that is asked often is prepared: its code becomes a plan of checks, which decides without registers, calls
//! and memory of the host. The plan decides only where the machine would decide the same; wherever that is not sure,
//! because a trap or a limit may be near or the code is not understood, the machine is asked.

mod lift;
mod plan;
mod text;
mod walk;

use super::Machine;
use crate::bytecode::{Limits, Rule, Verified};
use crate::trap::Trap;
use crate::value::{Heap, Value};
use core::fmt::{self, Display, Formatter};
use walk::{Answer, Walk};

/// The rule that decides where no rule of the program does.
pub const DEFAULT_RULE: &str = "default";

/// The reason where no rule of the program decides.
pub const NO_RULE: &str = "no rule allows it";

/// A policy that was asked as often as this is prepared: preparing costs as much as some hundred decisions.
const PREPARED_AFTER: u32 = 64;

/// What a policy answered.
#[derive(Debug, Clone, Copy)]
pub struct Decision<'d> {
    pub is_allowed: bool,
    /// By rank among the ids, ascending, each once; none where no rule decided.
    ranks: &'d [u32],
    order: &'d [u32],
    rules: &'d [Rule],
}

impl<'d> Decision<'d> {
    /// The rules that decided, by id ascending; none where the default did.
    pub fn rules(&self) -> impl Iterator<Item = &'d Rule> + use<'d> {
        let (order, rules) = (self.order, self.rules);
        self.ranks.iter().filter_map(move |&rank| rules.get(*order.get(rank as usize)? as usize))
    }

    /// The ids of the rules that decided, ascending, or the default's alone.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        if self.ranks.is_empty() {
            return vec![DEFAULT_RULE.to_owned()];
        }
        self.rules().map(|rule| rule.id.to_string()).collect()
    }

    /// The least id of the rules that decided.
    #[must_use]
    pub fn id(&self) -> &'d str {
        self.rules().next().map_or(DEFAULT_RULE, |rule| &rule.id)
    }

    /// Why the rule with the least id decided as it did, in the words of the policy.
    #[must_use]
    pub fn reason(&self) -> &'d str {
        self.rules().next().map_or(NO_RULE, |rule| &rule.reason)
    }
}

/// Why there is no decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undecided {
    Trap(Trap),
    /// The program has no `decide`.
    NoExport,
    /// It answers otherwise than policies do.
    WrongAnswer,
}

impl Display for Undecided {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Undecided::Trap(trap) => trap.fmt(out),
            Undecided::NoExport => out.write_str("no export `decide`"),
            Undecided::WrongAnswer => out.write_str("a wrong answer"),
        }
    }
}

/// Whether a policy is prepared.
enum Readiness {
    /// Asked so often as yet.
    Asked(u32),
    Prepared(Box<Walk>),
    /// Not understood.
    Never,
}

/// A policy at work on one request after another.
pub struct Decider<'p> {
    machine: Machine<'p>,
    readiness: Readiness,
    /// Numbers of the rules in the order of their ids.
    order: Vec<u32>,
    /// The ranks of the rules that decided last.
    ranks: Vec<u32>,
}

impl<'p> Decider<'p> {
    #[must_use]
    pub fn new(program: &'p Verified) -> Decider<'p> {
        let rules = &program.program().rules;
        let mut order: Vec<u32> = (0..).take(rules.len()).collect();
        order.sort_by_key(|&number| rules.get(number as usize).map(|rule| &*rule.id));
        // The seed can't be observed in any result.
        let machine = Machine::new(program, 0, Limits::DEFAULT);
        Decider { machine, readiness: Readiness::Asked(0), order, ranks: Vec::new() }
    }

    /// Prepares the policy now, where it can be.
    pub fn prepare(&mut self) {
        let program = self.machine.program.program();
        let walk = lift::lift(program).and_then(|plan| Walk::new(&plan, program, &mut self.machine.core));
        self.readiness = walk.map_or(Readiness::Never, |walk| Readiness::Prepared(Box::new(walk)));
    }

    /// Whether the policy is prepared.
    #[must_use]
    pub const fn is_prepared(&self) -> bool {
        matches!(self.readiness, Readiness::Prepared(_))
    }

    /// Where requests are made.
    pub const fn heap(&mut self) -> &mut Heap {
        self.machine.heap()
    }

    /// The machine, for what else the program exports.
    pub const fn machine(&mut self) -> &mut Machine<'p> {
        &mut self.machine
    }

    /// Decides a request.
    ///
    /// # Errors
    /// Where the policy does not answer as policies do.
    pub fn decide(&mut self, input: Value) -> Result<Decision<'_>, Undecided> {
        if let Readiness::Asked(times) = &mut self.readiness {
            *times += 1;
            if *times > PREPARED_AFTER {
                self.prepare();
            }
        }
        self.ranks.clear();
        let quick = match &mut self.readiness {
            Readiness::Prepared(walk) => walk.decide(&mut self.machine.core, input, &mut self.ranks),
            Readiness::Asked(_) | Readiness::Never => None,
        };
        let is_allowed = match quick {
            Some(Answer { is_allowed }) => is_allowed,
            None => self.ask_the_machine(input)?,
        };
        let rules = &self.machine.program.program().rules;
        Ok(Decision { is_allowed, ranks: &self.ranks, order: &self.order, rules })
    }

    /// As [`Decider::decide`], whether or not the policy is prepared.
    ///
    /// # Errors
    /// As [`Decider::decide`].
    pub fn decide_plainly(&mut self, input: Value) -> Result<Decision<'_>, Undecided> {
        let is_allowed = self.ask_the_machine(input)?;
        let rules = &self.machine.program.program().rules;
        Ok(Decision { is_allowed, ranks: &self.ranks, order: &self.order, rules })
    }

    fn ask_the_machine(&mut self, input: Value) -> Result<bool, Undecided> {
        let results = self.machine.call("decide", &[input]).ok_or(Undecided::NoExport)?.map_err(Undecided::Trap)?;
        self.read(&results).ok_or(Undecided::WrongAnswer)
    }

    /// Reads the machine's answer.
    fn read(&mut self, results: &[Value]) -> Option<bool> {
        let &[decision, rules] = results else { return None };
        let heap = &self.machine.core.heap;
        let is_allowed = match heap.as_string(&decision)? {
            b"allow" => true,
            b"deny" => false,
            _ => return None,
        };
        let known = &self.machine.program.program().rules;
        let items = heap.items(rules)?;
        let mut has_default = false;
        self.ranks.clear();
        for item in items {
            let id = heap.as_string(item)?;
            let known = |number: u32| known.get(number as usize).map(|rule| rule.id.as_bytes());
            let rank = self.order.partition_point(|&number| known(number) < Some(id));
            if self.order.get(rank).and_then(|&number| known(number)) == Some(id) {
                self.ranks.push(u32::try_from(rank).ok()?);
            } else if id == DEFAULT_RULE.as_bytes() {
                has_default = true;
            } else {
                return None;
            }
        }
        self.ranks.sort_unstable();
        self.ranks.dedup();
        // The default decides alone.
        (has_default == self.ranks.is_empty()).then_some(is_allowed)
    }
}
