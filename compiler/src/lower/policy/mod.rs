//! From a policy's tree to the IR. The program has two exports: `decide(input)` gives the decision and the ids of the
//! rules that made it, as every policy does; `explain(input)` gives what each condition came to, and why.
//!
//! A decision needs no third truth. Whether a condition is true, and whether it may be true, are two questions with
//! plain answers: rules that allow ask the first, rules that deny ask the second.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the arms name the few forms that are treated alone, every other is treated alike"
)]

mod index;
mod price;
mod shape;
mod truth;
mod value;
mod why;

pub use price::{PRICED, UNPRICED};
pub use why::references;

use crate::Span;
use crate::ir::{
    Action, Block, Call, Callee, Expression, Function, FunctionId, Ir, Lambda, Node, Statement, Type, Values, Variable,
    VariableId,
};
use crate::syntax::policy::schema::Schema;
use crate::syntax::policy::tree::{Condition, Expression as Tree, Policy, Pricing, Rule};
use kerai_vm::bytecode::{self, Builtin, ProgramKind};
pub use kerai_vm::execute::DEFAULT_RULE;
use shape::Shape;
use std::collections::BTreeMap;

/// How the rules that may apply are found. No decision depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// By what their `when` says of one attribute and another.
    Indexed,
    /// One after the other.
    InOrder,
}

/// Makes the IR of a policy.
#[must_use]
pub fn lower(policy: &Policy, search: Search) -> Ir {
    let rules = policy.rules.iter();
    let rules = rules.map(|rule| bytecode::Rule { id: rule.id.clone(), reason: rule.reason.clone() });
    let mut lowering = Lowering::new(ProgramKind::Policy, &policy.schema, rules.collect());
    for rule in &policy.rules {
        for condition in rule.when.iter().chain(&rule.allow_if).chain(&rule.deny_if) {
            *lowering.uses.entry(&*condition.text).or_default() += 1;
        }
    }
    lowering.decide(policy, search);
    lowering.explain(policy);
    lowering.audited(policy);
    lowering.ir
}

/// Makes the IR of a price list.
#[must_use]
pub fn lower_prices(pricing: &Pricing) -> Ir {
    let rules = pricing.rules.iter();
    let mut rules: Vec<bytecode::Rule> =
        rules.map(|rule| bytecode::Rule { id: rule.id.clone(), reason: rule.reason.clone() }).collect();
    rules.sort_by(|a, b| a.id.cmp(&b.id));
    let mut lowering = Lowering::new(ProgramKind::Pricing, &pricing.schema, rules);
    lowering.price(pricing);
    lowering.ir
}

/// The conditions of a policy, each once, in the order in which its rules first have them: that of `explain`'s answers.
#[must_use]
pub fn conditions(policy: &Policy) -> Vec<&Condition> {
    let mut seen = BTreeMap::new();
    let all = policy.rules.iter().flat_map(|rule| rule.when.iter().chain(&rule.allow_if).chain(&rule.deny_if));
    all.filter(|condition| seen.insert(&*condition.text, ()).is_none()).collect()
}

/// A policy on its way to the IR.
struct Lowering<'p> {
    ir: Ir,
    schema: &'p Schema,
    /// Functions that ask a condition which several rules have, by the question and the condition's text.
    shared: BTreeMap<(Question, &'p str), FunctionId>,
    /// How many rules have a condition.
    uses: BTreeMap<&'p str, usize>,
    /// The parameters that stand for texts in what is being lowered.
    texts: Vec<(&'p Tree, VariableId)>,
}

/// How a rule is asked: a function, and what it is given beside the request and the lists.
#[derive(Debug, Clone)]
struct Asking {
    function: FunctionId,
    given: Vec<Expression>,
}

/// What is asked of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    /// whether it is true
    Certain,
    /// whether it is not false
    Possible,
}

/// The names of a function's parameters in IR: what is asked, and the lists of ids of rules that deny and allow.
#[derive(Debug, Clone, Copy)]
struct Desk {
    input: VariableId,
    denies: VariableId,
    allows: VariableId,
}

const NOWHERE: Span = Span::new(0, 0);

impl<'p> Lowering<'p> {
    fn new(kind: ProgramKind, schema: &'p Schema, rules: Vec<bytecode::Rule>) -> Lowering<'p> {
        Lowering {
            ir: Ir { rules, ..Ir::new(kind) },
            schema,
            shared: BTreeMap::new(),
            uses: BTreeMap::new(),
            texts: Vec::new(),
        }
    }

    fn variable(&mut self, name: &str) -> VariableId {
        let id = VariableId(u32::try_from(self.ir.variables.len()).unwrap_or(u32::MAX));
        self.ir.variables.push(Variable { name: name.to_owned(), holds: Type::Any });
        id
    }

    fn define(&mut self, name: &str, parameters: Vec<VariableId>, body: Block) -> FunctionId {
        let id = FunctionId(u32::try_from(self.ir.functions.len()).unwrap_or(u32::MAX));
        let lambda = Lambda { parameters, rest: None, body };
        self.ir.functions.push(Function { name: name.to_owned(), lambda });
        id
    }

    fn desk(&mut self) -> Desk {
        Desk { input: self.variable("input"), denies: self.variable("denies"), allows: self.variable("allows") }
    }

    /// `decide(input)`: all rules that may apply put their ids into a list, and denials count first.
    fn decide(&mut self, policy: &'p Policy, search: Search) {
        let askings = self.rules(&policy.rules);
        let desk = self.desk();
        let lists = [desk.denies, desk.allows].map(|list| declare(list, call_builtin(Builtin::NewList, Vec::new())));
        let mut body: Block = lists.into();
        let places: Vec<usize> = (0..policy.rules.len()).collect();
        match search {
            Search::Indexed => {
                let plan = index::plan(&policy.rules, places, self.schema);
                self.search(&plan, &askings, desk, &mut body);
            }
            Search::InOrder => body.extend(places.iter().filter_map(|&place| Some(askings.get(place)?.call(desk)))),
        }
        let is_filled =
            |list| Expression::index(Expression::variable(list, NOWHERE), Expression::integer(1, NOWHERE), NOWHERE);
        let answer = |decision: &str, rules: Expression| {
            let values = Values::of(vec![Expression::string(decision.as_bytes(), NOWHERE), rules]);
            vec![Statement::new(Action::Return(values), NOWHERE)]
        };
        let default =
            Expression::new(Node::List(Values::one(Expression::string(DEFAULT_RULE.as_bytes(), NOWHERE))), NOWHERE);
        let arms = vec![
            (is_filled(desk.denies), answer("deny", Expression::variable(desk.denies, NOWHERE))),
            (is_filled(desk.allows), answer("allow", Expression::variable(desk.allows, NOWHERE))),
        ];
        body.push(Statement::new(Action::If(arms, answer("deny", default)), NOWHERE));
        let decide = self.define("decide", vec![desk.input], body);
        self.ir.exports.insert("decide".to_owned(), decide);
    }

    /// How each rule is asked. Many rules of one shape are one function.
    fn rules(&mut self, rules: &'p [Rule]) -> Vec<Asking> {
        let shapes: Vec<Shape> =
            rules.iter().map(|rule| Shape::of_rule(rule, |condition| self.is_shared(condition))).collect();
        let mut functions = shape::Functions::of(&shapes);
        let mut askings = Vec::new();
        for (rule, shape) in rules.iter().zip(&shapes) {
            if !functions.is_shared(shape) {
                let desk = self.desk();
                let parameters = vec![desk.input, desk.denies, desk.allows];
                let function = self.rule(rule, desk, id_of(rule), parameters);
                askings.push(Asking { function, given: Vec::new() });
                continue;
            }
            let function = functions.get(shape, || {
                let (desk, id) = (self.desk(), self.variable("id"));
                let mut parameters = vec![desk.input, desk.denies, desk.allows, id];
                parameters.extend(self.take_texts(&shape.texts));
                self.rule(rule, desk, Expression::variable(id, rule.span), parameters)
            });
            let given = [id_of(rule)].into_iter().chain(shape::given(&shape.texts, rule.span)).collect();
            askings.push(Asking { function, given });
        }
        askings
    }

    /// A function that puts the rule's id into the lists where it decides.
    fn rule(&mut self, rule: &'p Rule, desk: Desk, id: Expression, parameters: Vec<VariableId>) -> FunctionId {
        let mut body = Block::new();
        if !rule.deny_if.is_empty() {
            let when: Vec<Expression> = self.ask_all(Question::Possible, &rule.when, desk.input);
            let reasons = self.ask_all(Question::Possible, &rule.deny_if, desk.input);
            let any = joined(reasons, Node::Or);
            let all = joined(when.into_iter().chain(any).collect(), Node::And);
            body.push(note(all, desk.denies, id.clone(), rule.span));
        }
        if !rule.allow_if.is_empty() {
            let mut all = self.ask_all(Question::Certain, &rule.when, desk.input);
            all.extend(self.ask_all(Question::Certain, &rule.allow_if, desk.input));
            body.push(note(joined(all, Node::And), desk.allows, id, rule.span));
        }
        self.texts.clear();
        self.define(&rule.id, parameters, body)
    }

    /// Whether several rules have the condition.
    fn is_shared(&self, condition: &Condition) -> bool {
        self.uses.get(&*condition.text).is_some_and(|&uses| uses > 1)
    }

    fn ask_all(&mut self, question: Question, conditions: &'p [Condition], input: VariableId) -> Vec<Expression> {
        conditions.iter().map(|condition| self.ask(question, condition, input)).collect()
    }

    /// A question to a condition. What several rules ask is a function of its own.
    fn ask(&mut self, question: Question, condition: &'p Condition, input: VariableId) -> Expression {
        let span = condition.span;
        if !self.is_shared(condition) {
            return self.truth(question, &condition.expression, input);
        }
        let key = (question, &*condition.text);
        let function = match self.shared.get(&key) {
            Some(&function) => function,
            None => {
                let parameter = self.variable("input");
                let answer = self.truth(question, &condition.expression, parameter);
                let body = vec![Statement::new(Action::Return(Values::one(answer)), span)];
                let function = self.define("condition", vec![parameter], body);
                self.shared.insert(key, function);
                function
            }
        };
        Expression::call(Callee::Function(function), vec![Expression::variable(input, span)], span)
    }

    /// Which rules ask to be looked at by people, where any do.
    fn audited(&mut self, policy: &Policy) {
        let ids: Vec<&Rule> = policy.rules.iter().filter(|rule| rule.audit).collect();
        if ids.is_empty() {
            return;
        }
        let list = self.variable("rules");
        let mut body = vec![declare(list, call_builtin(Builtin::NewList, Vec::new()))];
        body.extend(ids.iter().map(|rule| insert(list, id_of(rule))));
        body.push(Statement::new(Action::Return(Values::one(Expression::variable(list, NOWHERE))), NOWHERE));
        let audited = self.define("audited", Vec::new(), body);
        self.ir.exports.insert("audited".to_owned(), audited);
    }
}

/// Conditions under one operator, nested as little as can be; none where there are none.
fn joined(mut conditions: Vec<Expression>, join: fn(Box<Expression>, Box<Expression>) -> Node) -> Option<Expression> {
    let half = conditions.split_off(conditions.len() / 2);
    if conditions.is_empty() {
        return half.into_iter().next();
    }
    match (joined(conditions, join), joined(half, join)) {
        (Some(left), Some(right)) => {
            let span = left.span;
            Some(Expression::new(join(Box::new(left), Box::new(right)), span))
        }
        (one, None) | (None, one) => one,
    }
}

fn id_of(rule: &Rule) -> Expression {
    Expression::string(rule.id.as_bytes(), rule.span)
}

/// Puts a rule's id into a list if the condition holds; without one it does.
fn note(condition: Option<Expression>, list: VariableId, id: Expression, span: Span) -> Statement {
    let insert = insert(list, id);
    match condition {
        Some(condition) => Statement::new(Action::If(vec![(condition, vec![insert])], Block::new()), span),
        None => insert,
    }
}

fn insert(list: VariableId, value: Expression) -> Statement {
    let span = value.span;
    let arguments = Values::of(vec![Expression::variable(list, span), value]);
    Statement::new(Action::Do(Call { callee: Callee::Builtin(Builtin::TableInsert), arguments }), span)
}

fn declare(variable: VariableId, value: Expression) -> Statement {
    Statement::new(Action::Let(vec![variable], Values::one(value)), NOWHERE)
}

fn call_builtin(builtin: Builtin, arguments: Vec<Expression>) -> Expression {
    Expression::builtin(builtin, arguments, NOWHERE)
}

impl Asking {
    fn call(&self, desk: Desk) -> Statement {
        let desk = [desk.input, desk.denies, desk.allows].map(|variable| Expression::variable(variable, NOWHERE));
        let arguments = desk.into_iter().chain(self.given.iter().cloned()).collect();
        let call = Call { callee: Callee::Function(self.function), arguments: Values::of(arguments) };
        Statement::new(Action::Do(call), NOWHERE)
    }
}
