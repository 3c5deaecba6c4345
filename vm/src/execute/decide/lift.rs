//! From a policy's code to its plan. The code is followed with terms in place of values: what a register holds is known
//! as a term of the request, so that only checks whose outcome depends on the request are left, each leading to two
//! ways on. Ways that meet with the same in all registers that are still read go on as one.
//!
//! What is not understood in every detail has no plan, and is left to the machine: code that loops or recurs, that makes
//! tables, or that computes what it then doesn't look at, because it would cost what the plan doesn't.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the arms name what is understood, and whatever else there is has no plan"
)]

use super::plan::{Check, DEPTH, ListId, NODES, Node, NodeId, Pieces, Plan, Term, TermId, is_cheap};
use crate::bytecode::{Arguments, Builtin, Constant, Function, Op, Program, Word, live, results};
use crate::meter;
use std::collections::{BTreeMap, BTreeSet};

/// So few pieces are found by one check after the other.
const FEW_PIECES: usize = 4;
/// How often a node is looked at, on average, while searches are found.
const MOST_WORK: usize = 8;

/// What a register holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Held {
    /// nothing that is read
    Nothing,
    /// the request
    Request,
    List(ListId),
    /// the first item of a list
    FirstOf(ListId),
    /// a term, and whether it holds where that was asked before
    Term(TermId, Option<bool>),
}

/// Where a call goes back to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Behind {
    /// to whoever asked for the decision
    Host,
    /// to whatever called, which is not known
    Caller,
    Code {
        function: u32,
        at: usize,
        registers: Vec<Held>,
        base: usize,
        results: usize,
        behind: usize,
    },
}

/// A place in the code and all that is known there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct State {
    function: u32,
    at: usize,
    registers: Vec<Held>,
    /// Terms that the code has computed and the plan has not.
    pending: BTreeSet<TermId>,
    /// How many lists there are.
    lists: u8,
    behind: usize,
}

struct Lift<'p> {
    program: &'p Program,
    ranks: BTreeMap<&'p [u8], u32>,
    terms: Vec<(Term, u16)>,
    numbers: BTreeMap<Term, TermId>,
    behinds: Vec<Behind>,
    behind_numbers: BTreeMap<Behind, usize>,
    states: BTreeMap<State, NodeId>,
    open: Vec<(NodeId, State)>,
    nodes: Vec<Node>,
    live: BTreeMap<u32, Vec<crate::bytecode::Assigned>>,
}

/// The plan of a program's `decide`, where there is one.
pub(super) fn lift(program: &Program) -> Option<Plan> {
    let &decide = program.exports.get("decide")?;
    let function = program.functions.get(decide as usize)?;
    let (gas, memory) = Bounds { program, found: BTreeMap::new() }.of(decide, u64::from(DEPTH))?;
    let mut order: Vec<u32> = (0..u32::try_from(program.rules.len()).ok()?).collect();
    let id = |&number: &u32| program.rules.get(number as usize).map(|rule| rule.id.as_bytes());
    order.sort_by_key(id);
    let ids: Vec<(&[u8], u32)> = order.iter().filter_map(id).zip(0..).collect();
    // Of several rules with one id the first is meant.
    let ranks = ids.into_iter().rev().collect();
    let mut lift = Lift {
        program,
        ranks,
        terms: Vec::new(),
        numbers: BTreeMap::new(),
        behinds: vec![Behind::Host, Behind::Caller],
        behind_numbers: [(Behind::Host, 0), (Behind::Caller, 1)].into(),
        states: BTreeMap::new(),
        open: Vec::new(),
        nodes: Vec::new(),
        live: BTreeMap::new(),
    };
    if !is_plain(function) || function.parameters != 1 {
        return None;
    }
    let registers = filled(function, &[Held::Request]);
    let begin = State { function: decide, at: 0, registers, pending: BTreeSet::new(), lists: 0, behind: 0 };
    let begin = lift.node(begin)?;
    while let Some((id, state)) = lift.open.pop() {
        let node = lift.follow(state)?;
        *lift.nodes.get_mut(id.0 as usize)? = node;
    }
    let terms = lift.terms.into_iter().map(|(term, _)| term).collect();
    let mut plan = Plan { terms, nodes: lift.nodes, searches: Vec::new(), begin, ranks: order, gas, memory };
    find_searches(&mut plan, program);
    join_searches(&mut plan, program);
    Some(plan)
}

fn is_plain(function: &Function) -> bool {
    !function.is_variadic && function.captures == 0
}

fn filled(function: &Function, arguments: &[Held]) -> Vec<Held> {
    let mut registers = vec![Held::Nothing; usize::from(function.registers)];
    registers.iter_mut().zip(arguments).for_each(|(register, &argument)| *register = argument);
    registers
}

/// What a function and all that it calls cost at most, where every instruction runs at most once.
struct Bounds<'p> {
    program: &'p Program,
    found: BTreeMap<u32, (u64, u64, u64)>,
}

impl Bounds<'_> {
    /// Gas and memory; `None` where there are loops or calls nest too deep.
    fn of(&mut self, function: u32, depth: u64) -> Option<(u64, u64)> {
        self.look(function, depth).map(|(gas, memory, _)| (gas, memory))
    }

    fn look(&mut self, function: u32, depth: u64) -> Option<(u64, u64, u64)> {
        if let Some(&found) = self.found.get(&function) {
            return (found.2 <= depth).then_some(found);
        }
        let inner = depth.checked_sub(1)?;
        let code = &self.program.functions.get(function as usize)?.code;
        let (mut gas, mut memory, mut deepest) = (0_u64, 0_u64, 0);
        for (at, word) in code.iter().enumerate() {
            let op = word.op()?;
            gas = gas.saturating_add(u64::from(op.information().cost));
            if let Op::CallFunction = op {
                let (inner_gas, inner_memory, depth) = self.look(word.wide(), inner)?;
                gas = gas.saturating_add(inner_gas);
                memory = memory.saturating_add(inner_memory);
                deepest = deepest.max(depth);
            } else if let Op::CallBuiltin = op {
                gas = gas.saturating_add(Builtin::of(word.wide())?.cost());
                // A new list, or an entry of one.
                memory = memory.saturating_add(meter::TABLE + meter::ENTRY);
            } else if let Op::Pack = op {
                memory = memory.saturating_add(meter::TABLE + meter::ENTRY * u64::from(Arguments::of(word.c()).count));
            } else if target(*word).is_some_and(|target| target <= at) {
                return None;
            }
        }
        self.found.insert(function, (gas, memory, deepest + 1));
        Some((gas, memory, deepest + 1))
    }
}

/// Where an instruction may go on, beside the next one.
fn target(word: Word) -> Option<usize> {
    use crate::bytecode::Role;
    let operands = word.op()?.information().operands;
    let operand = operands.iter().find(|operand| operand.role == Role::Target)?;
    Some(word.get(*operand) as usize)
}

impl Lift<'_> {
    /// The node of a state, which is followed later if it is new.
    fn node(&mut self, mut state: State) -> Option<NodeId> {
        self.forget(&mut state)?;
        if let Some(&node) = self.states.get(&state) {
            return Some(node);
        }
        let id = NodeId(u32::try_from(self.nodes.len()).ok()?);
        if self.nodes.len() >= NODES {
            return None;
        }
        self.nodes.push(Node::Done);
        self.states.insert(state.clone(), id);
        self.open.push((id, state));
        Some(id)
    }

    /// Forgets what no way on reads, so that ways meet.
    fn forget(&mut self, state: &mut State) -> Option<()> {
        let function = self.program.functions.get(state.function as usize)?;
        let live = self.live.entry(state.function).or_insert_with(|| live(function));
        let live = live.get(state.at)?;
        for (register, held) in (0..).zip(&mut state.registers) {
            if !live.has(register) {
                *held = Held::Nothing;
            }
        }
        Some(())
    }

    fn term(&mut self, term: Term) -> Option<TermId> {
        if let Some(&id) = self.numbers.get(&term) {
            return Some(id);
        }
        let depths = term.parts().into_iter().map(|part| self.terms.get(part.0 as usize).map(|found| found.1));
        let depth = depths.collect::<Option<Vec<u16>>>()?.into_iter().max().unwrap_or(0) + 1;
        let id = TermId(u32::try_from(self.terms.len()).ok()?);
        if depth > DEPTH {
            return None;
        }
        self.terms.push((term.clone(), depth));
        self.numbers.insert(term, id);
        Some(id)
    }

    fn look(&self, id: TermId) -> Option<&Term> {
        self.terms.get(id.0 as usize).map(|found| &found.0)
    }

    /// Follows the code from a state up to what depends on the request.
    fn follow(&mut self, mut state: State) -> Option<Node> {
        loop {
            let function = self.program.functions.get(state.function as usize)?;
            let word = *function.code.get(state.at)?;
            state.at += 1;
            match word.op()? {
                Op::Jump => state.at = word.wide() as usize,
                Op::Return => {
                    if let Some(node) = self.give(&mut state, word)? {
                        return Some(node);
                    }
                }
                Op::CallFunction => {
                    if let Some(node) = self.call(&mut state, word)? {
                        return Some(node);
                    }
                }
                Op::CallBuiltin => {
                    if let Some(node) = self.builtin(&mut state, word)? {
                        return Some(node);
                    }
                }
                _ => match self.branch(&state, word) {
                    None => self.plain(&mut state, word)?,
                    Some(branch) => {
                        if let Some(node) = self.ask(&mut state, branch?)? {
                            return Some(node);
                        }
                    }
                },
            }
        }
    }

    /// An instruction that only fills a register.
    fn plain(&mut self, state: &mut State, word: Word) -> Option<()> {
        let b = || state.registers.get(usize::from(word.b())).copied();
        let held = match word.op()? {
            Op::Move => b()?,
            Op::Nil => self.known(Term::Nil)?,
            Op::Bool => self.known(Term::Bool(word.b() == 1))?,
            Op::Integer => self.known(Term::Integer(i64::from(word.wide().cast_signed())))?,
            Op::Constant => self.known(Term::Constant(word.wide()))?,
            // Of nothing but the request, which is known to be a table.
            Op::GetField if b()? == Held::Request => self.known(Term::Attribute(word.wide()))?,
            Op::GetItem if word.wide() == 1 => match b()? {
                Held::List(list) => Held::FirstOf(list),
                _ => return None,
            },
            Op::Not => {
                let term = term_of(b()?)?;
                self.known(Term::Not(term))?
            }
            Op::Equal => {
                let (left, right) = (b()?, state.registers.get(usize::from(word.c())).copied()?);
                let term = Term::Equal(term_of(left)?, term_of(right)?);
                let held = self.known(term)?;
                state.pending.insert(term_of(held)?).then_some(held)?
            }
            Op::Pack => {
                let arguments = Arguments::of(word.c());
                let items = window(&state.registers, word.b(), arguments)?;
                let items = items.iter().map(|&held| term_of(held)).collect::<Option<Vec<TermId>>>()?;
                self.known(Term::List(items))?
            }
            _ => return None,
        };
        *state.registers.get_mut(usize::from(word.a()))? = held;
        Some(())
    }

    fn known(&mut self, term: Term) -> Option<Held> {
        self.term(term).map(|term| Held::Term(term, None))
    }

    /// What a branch asks, and whether it goes to its target where the answer is yes. `None` is no branch; no check
    /// in it is one that is not understood.
    fn branch(&mut self, state: &State, word: Word) -> Option<Option<(Asked, bool, usize)>> {
        let op = word.op()?;
        let a = state.registers.get(usize::from(word.a())).copied();
        let b = state.registers.get(usize::from(word.b())).copied();
        let integer = i64::from(word.small());
        let is_target_on_yes = matches!(
            op,
            Op::If
                | Op::IfEqual
                | Op::IfLess
                | Op::IfAtMost
                | Op::IfEqualInteger
                | Op::IfLessInteger
                | Op::IfAtMostInteger
        );
        let mut number = || self.known(Term::Integer(integer));
        let asked = match op {
            Op::If | Op::Unless => a.map(Asked::Truth),
            Op::IfEqual | Op::UnlessEqual => a.zip(b).map(|(a, b)| Asked::Equal(a, b)),
            Op::IfLess | Op::UnlessLess => a.zip(b).map(|(a, b)| Asked::Less(a, b)),
            Op::IfAtMost | Op::UnlessAtMost => a.zip(b).map(|(a, b)| Asked::AtMost(a, b)),
            Op::IfEqualInteger | Op::UnlessEqualInteger => a.zip(number()).map(|(a, b)| Asked::Equal(a, b)),
            Op::IfLessInteger | Op::UnlessLessInteger => a.zip(number()).map(|(a, b)| Asked::Less(a, b)),
            Op::IfAtMostInteger | Op::UnlessAtMostInteger => a.zip(number()).map(|(a, b)| Asked::AtMost(a, b)),
            _ => return None,
        };
        Some(asked.map(|asked| (asked, is_target_on_yes, word.wide() as usize)))
    }

    /// Goes on where the answer is known, else makes a check of it.
    fn ask(
        &mut self,
        state: &mut State,
        (asked, is_target_on_yes, target): (Asked, bool, usize),
    ) -> Option<Option<Node>> {
        let next = state.at;
        let at = |answer: bool| if answer == is_target_on_yes { target } else { next };
        if let Some(answer) = self.answer(asked) {
            state.at = at(answer);
            return Some(None);
        }
        let check = asked.check()?;
        self.settle(state, check);
        let mut sides = [true, false].map(|answer| {
            let mut side = State { at: at(answer), ..state.clone() };
            self.learn(&mut side, check, answer);
            self.node(side)
        });
        let [yes, no] = &mut sides;
        Some(Some(Node::Check { check, yes: yes.take()?, no: no.take()? }))
    }

    /// The answer where it doesn't depend on the request, or was given before.
    fn answer(&self, asked: Asked) -> Option<bool> {
        match asked {
            Asked::Truth(Held::Request | Held::List(_)) => Some(true),
            Asked::Truth(Held::Term(_, Some(truth))) => Some(truth),
            Asked::Truth(Held::Term(term, None)) => match self.look(term)? {
                Term::Nil => Some(false),
                Term::Bool(truth) => Some(*truth),
                Term::Integer(_) | Term::Constant(_) | Term::List(_) => Some(true),
                Term::Attribute(_) | Term::Builtin(..) | Term::Not(_) | Term::Equal(..) => None,
            },
            Asked::Equal(Held::Term(left, _), Held::Term(right, _)) => {
                let (left, right) = (self.look(left)?, self.look(right)?);
                let is_plain = |term: &Term| matches!(term, Term::Nil | Term::Bool(_));
                (left.is_constant() && right.is_constant() && (is_plain(left) || is_plain(right)))
                    .then_some(left == right)
            }
            Asked::Truth(_) | Asked::Equal(..) | Asked::Less(..) | Asked::AtMost(..) => None,
        }
    }

    /// What the answer to a check says of what registers hold.
    fn learn(&self, state: &mut State, check: Check, answer: bool) {
        let (about, truth) = match check {
            Check::Truth(term) => (term, answer),
            Check::Equal(term, constant) if answer => match self.look(constant) {
                Some(Term::Nil | Term::Bool(false)) => (term, false),
                _ => return,
            },
            Check::Equal(..) | Check::Less(..) | Check::AtMost(..) | Check::Filled(_) => return,
        };
        for held in &mut state.registers {
            if let Held::Term(term, known) = held
                && *term == about
            {
                *known = Some(truth);
            }
        }
    }

    /// What a check computes is no longer pending.
    fn settle(&self, state: &mut State, check: Check) {
        let mut open = match check {
            Check::Truth(term) => vec![term],
            Check::Equal(left, right) | Check::Less(left, right) | Check::AtMost(left, right) => vec![left, right],
            Check::Filled(_) => Vec::new(),
        };
        while let Some(term) = open.pop() {
            state.pending.remove(&term);
            open.extend(self.look(term).map(Term::parts).unwrap_or_default());
        }
    }

    fn call(&mut self, state: &mut State, word: Word) -> Option<Option<Node>> {
        let callee = self.program.functions.get(word.wide() as usize)?;
        let given = Arguments::of(word.b());
        let arguments = window(&state.registers, word.a(), given)?.to_vec();
        if !is_plain(callee) || given.count != callee.parameters {
            return None;
        }
        let (base, results) = (usize::from(word.a()), results_of(word.c())?);
        let registers = filled(callee, &arguments);
        let is_known = |term: TermId| matches!(self.look(term), Some(Term::Constant(_)));
        let is_plain = arguments.iter().all(|held| match held {
            Held::Request | Held::List(_) => true,
            Held::Term(term, _) => is_known(*term),
            Held::Nothing | Held::FirstOf(_) => false,
        });
        if results == 0 && is_plain {
            let lists = state.lists;
            let begin = State { function: word.wide(), at: 0, registers, pending: BTreeSet::new(), lists, behind: 1 };
            let begin = self.node(begin)?;
            let next = self.node(state.clone())?;
            return Some(Some(Node::Call { begin, next }));
        }
        // Only what is read behind the call counts for whether two ways are the same.
        let mut after = state.clone();
        let written = base..base + results;
        self.forget(&mut after)?;
        for register in after.registers.get_mut(written)? {
            *register = Held::Nothing;
        }
        let behind = Behind::Code {
            function: state.function,
            at: state.at,
            registers: after.registers,
            base,
            results,
            behind: state.behind,
        };
        let number = self.behinds.len();
        state.behind = *self.behind_numbers.entry(behind.clone()).or_insert(number);
        if state.behind == number {
            self.behinds.push(behind);
        }
        (state.function, state.at, state.registers) = (word.wide(), 0, registers);
        Some(None)
    }

    /// A function's end: the decision, the end of what was called, or on in the caller.
    fn give(&mut self, state: &mut State, word: Word) -> Option<Option<Node>> {
        let given = window(&state.registers, word.a(), Arguments::of(word.b()))?.to_vec();
        match self.behinds.get(state.behind)?.clone() {
            Behind::Host => {
                let &[Held::Term(decision, _), rules] = given.as_slice() else { return None };
                let is_allowed = match self.text(decision)? {
                    b"allow" => true,
                    b"deny" => false,
                    _ => return None,
                };
                let list = match rules {
                    Held::List(list) => Some(list),
                    Held::Term(list, _) => match self.look(list)? {
                        Term::List(items) => {
                            let &[item] = items.as_slice() else { return None };
                            (self.text(item)? == super::DEFAULT_RULE.as_bytes()).then_some(None)?
                        }
                        _ => return None,
                    },
                    Held::Nothing | Held::Request | Held::FirstOf(_) => return None,
                };
                state.pending.is_empty().then_some(Some(Node::Answer { is_allowed, list }))
            }
            Behind::Caller => state.pending.is_empty().then_some(Some(Node::Done)),
            Behind::Code { function, at, mut registers, base, results, behind } => {
                let nil = self.known(Term::Nil)?;
                for place in 0..results {
                    *registers.get_mut(base + place)? = given.get(place).copied().unwrap_or(nil);
                }
                (state.function, state.at, state.registers, state.behind) = (function, at, registers, behind);
                Some(None)
            }
        }
    }

    fn text(&self, term: TermId) -> Option<&[u8]> {
        let Term::Constant(number) = self.look(term)? else { return None };
        match self.program.constants.get(*number as usize)? {
            Constant::String(text) => Some(text),
            Constant::Number(_) | Constant::Float(_) | Constant::Fixed(_) | Constant::Bytes(_) => None,
        }
    }

    fn builtin(&mut self, state: &mut State, word: Word) -> Option<Option<Node>> {
        let arguments = window(&state.registers, word.a(), Arguments::of(word.b()))?.to_vec();
        let (base, results) = (usize::from(word.a()), results_of(word.c())?);
        let builtin = Builtin::of(word.wide())?;
        let held = match builtin {
            Builtin::NewList if arguments.is_empty() && state.behind == 0 => {
                let list = match state.lists {
                    0 => ListId::First,
                    1 => ListId::Second,
                    _ => return None,
                };
                state.lists += 1;
                Held::List(list)
            }
            Builtin::TableInsert if results == 0 => {
                let &[Held::List(list), Held::Term(id, _)] = arguments.as_slice() else { return None };
                let rule = *self.ranks.get(self.text(id)?)?;
                let next = self.node(state.clone())?;
                return Some(Some(Node::Note { list, rule, next }));
            }
            _ if builtin.name().starts_with("total.") => {
                let parts = arguments.into_iter().map(term_of).collect::<Option<Vec<TermId>>>()?;
                let held = self.known(Term::Builtin(builtin.number(), parts))?;
                if !is_cheap(builtin) {
                    // What is computed a second time costs a second time: that is not understood.
                    state.pending.insert(term_of(held)?).then_some(())?;
                }
                held
            }
            _ => return None,
        };
        (results == 1).then_some(())?;
        *state.registers.get_mut(base)? = held;
        Some(None)
    }
}

/// What is asked of registers.
#[derive(Clone, Copy)]
enum Asked {
    Truth(Held),
    Equal(Held, Held),
    Less(Held, Held),
    AtMost(Held, Held),
}

impl Asked {
    fn check(self) -> Option<Check> {
        Some(match self {
            Asked::Truth(Held::FirstOf(list)) => Check::Filled(list),
            Asked::Truth(held) => Check::Truth(term_of(held)?),
            Asked::Equal(a, b) => Check::Equal(term_of(a)?, term_of(b)?),
            Asked::Less(a, b) => Check::Less(term_of(a)?, term_of(b)?),
            Asked::AtMost(a, b) => Check::AtMost(term_of(a)?, term_of(b)?),
        })
    }
}

const fn term_of(held: Held) -> Option<TermId> {
    match held {
        Held::Term(term, _) => Some(term),
        Held::Nothing | Held::Request | Held::List(_) | Held::FirstOf(_) => None,
    }
}

fn window(registers: &[Held], base: u8, given: Arguments) -> Option<&[Held]> {
    let base = usize::from(base);
    if given.is_spread { None } else { registers.get(base..base + usize::from(given.count)) }
}

fn results_of(operand: u8) -> Option<usize> {
    (operand != crate::bytecode::ALL_RESULTS).then(|| usize::from(results(operand)))
}

/// Makes one search of the checks that halve one order of texts.
fn find_searches(plan: &mut Plan, program: &Program) {
    let halving = |plan: &Plan, node: NodeId| -> Option<(u32, TermId, NodeId, NodeId)> {
        let Node::Check { check: Check::AtMost(text, term), yes, no } = plan.nodes.get(node.0 as usize)? else {
            return None;
        };
        let Term::Constant(text) = plan.terms.get(text.0 as usize)? else { return None };
        matches!(program.constants.get(*text as usize), Some(Constant::String(_))).then_some((*text, *term, *yes, *no))
    };
    let mut is_below = vec![false; plan.nodes.len()];
    // Who halves an order anew at every node of it is not helped without end.
    let mut work = plan.nodes.len().saturating_mul(MOST_WORK);
    for number in 0..plan.nodes.len() {
        let node = NodeId(u32::try_from(number).unwrap_or(u32::MAX));
        let Some((_, term, ..)) = halving(plan, node) else { continue };
        if is_below.get(number) == Some(&true) {
            continue;
        }
        // Those on the right wait, so that the pieces come in the order of texts.
        let mut first = None;
        let mut others: Vec<(u32, NodeId)> = Vec::new();
        let mut open = vec![(None, node)];
        while let Some((from, at)) = open.pop() {
            match halving(plan, at) {
                Some((text, about, yes, no)) if about == term => {
                    if at != node
                        && let Some(is_below) = is_below.get_mut(at.0 as usize)
                    {
                        *is_below = true;
                    }
                    open.push((Some(text), yes));
                    open.push((from, no));
                }
                _ => match from {
                    None => first = Some(at),
                    Some(text) => others.push((text, at)),
                },
            }
            work = work.saturating_sub(1);
            if work == 0 {
                return;
            }
        }
        let texts = others.iter().map(|&(text, _)| program.constants.get(text as usize));
        let is_ascending = texts.clone().zip(texts.skip(1)).all(|(a, b)| a < b);
        if let (Some(first), true) = (first, is_ascending && open.is_empty() && others.len() >= FEW_PIECES) {
            let texts = u32::try_from(plan.searches.len()).unwrap_or(u32::MAX);
            plan.searches.push(Pieces { first, others });
            if let Some(node) = plan.nodes.get_mut(number) {
                *node = Node::Search { term, texts, otherwise: None };
            }
        }
    }
}

/// Lets searches see for themselves whether there is a text to look for.
fn join_searches(plan: &mut Plan, program: &Program) {
    let is_string = |kind: TermId| {
        let Some(Term::Constant(name)) = plan.terms.get(kind.0 as usize) else { return false };
        matches!(program.constants.get(*name as usize), Some(Constant::String(name)) if **name == *b"string")
    };
    let joined = |node: &Node| {
        let Node::Check { check: Check::Truth(text), yes, no } = *node else { return None };
        let Node::Search { term, texts, otherwise: None } = *plan.nodes.get(yes.0 as usize)? else { return None };
        let Term::Builtin(builtin, parts) = plan.terms.get(text.0 as usize)? else { return None };
        let (Some(Builtin::TotalOf), &[value, kind]) = (Builtin::of(*builtin), parts.as_slice()) else { return None };
        let is_text = term == text && is_string(kind);
        is_text.then_some(Node::Search { term: value, texts, otherwise: Some(no) })
    };
    plan.nodes = plan.nodes.iter().map(|node| joined(node).unwrap_or_else(|| node.clone())).collect();
}
