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
use crate::intern::Interner;
use crate::ir::{
    Action, Block, Call, Callee, Expression, Function, FunctionId, Ir, Lambda, Node, Statement, Type, Values, Variable,
    VariableId,
};
use crate::syntax::policy::schema::Schema;
use crate::syntax::policy::tree::{Condition, Expression as Tree, Policy, Pricing, Rule};
use kerai_vm::bytecode::{self, Builtin, ProgramKind};
pub use kerai_vm::execute::DEFAULT_RULE;
use shape::Shapes;
use std::collections::BTreeMap;
use std::sync::Arc;

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
    lowering.conditions = Conditions::of(policy);
    let shapes = shape::of_conditions(&lowering.conditions.each);
    lowering.decide(policy, &shapes, search);
    lowering.explain(&shapes);
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
    Conditions::of(policy).each
}

/// The conditions of a policy, those of one text as one, by numbers.
#[derive(Default)]
struct Conditions<'p> {
    numbers: Interner<'p>,
    /// In the order in which the rules first have them.
    each: Vec<&'p Condition>,
    /// How many rules have it.
    uses: Vec<u32>,
    /// The numbers of all conditions of all rules, in the order in which they stand there.
    in_rules: Vec<u32>,
}

impl<'p> Conditions<'p> {
    fn of(policy: &'p Policy) -> Conditions<'p> {
        let mut conditions = Conditions::default();
        let all = policy.rules.iter().flat_map(|rule| rule.when.iter().chain(&rule.allow_if).chain(&rule.deny_if));
        for condition in all {
            let next = u32::try_from(conditions.each.len()).unwrap_or(u32::MAX);
            let number = conditions.numbers.number(condition.text.as_bytes(), next);
            if number == next {
                conditions.each.push(condition);
                conditions.uses.push(0);
            }
            conditions.uses.get_mut(number as usize).into_iter().for_each(|uses| *uses += 1);
            conditions.in_rules.push(number);
        }
        conditions
    }

    /// The number of a condition that several rules have.
    fn shared(&self, condition: &Condition) -> Option<u32> {
        self.numbers.get(condition.text.as_bytes()).filter(|&number| self.is_shared(number))
    }

    fn is_shared(&self, number: u32) -> bool {
        self.uses.get(number as usize).is_some_and(|&uses| uses > 1)
    }
}

/// A policy on its way to the IR.
struct Lowering<'p> {
    ir: Ir,
    schema: &'p Schema,
    conditions: Conditions<'p>,
    /// Functions that ask a condition which several rules have, by the question and the condition's number.
    shared: BTreeMap<(Question, u32), FunctionId>,
    /// The parameters that stand for texts in what is being lowered.
    texts: Vec<(&'p Tree, VariableId)>,
}

/// How a rule is asked: a function, and what it is given beside the request and the lists: of a rule that shares it with
/// others its id and these texts.
struct Asking<'s, 'p> {
    function: FunctionId,
    given: Option<(&'p Rule, &'s [&'p Tree])>,
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
            conditions: Conditions::default(),
            shared: BTreeMap::new(),
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
    fn decide(&mut self, policy: &'p Policy, of_conditions: &Shapes<'p>, search: Search) {
        let shapes = shape::of_rules(&policy.rules, &self.conditions, of_conditions);
        let askings = self.rules(&policy.rules, &shapes);
        let desk = self.desk();
        let lists = [desk.denies, desk.allows].map(|list| declare(list, call_builtin(Builtin::NewList, Vec::new())));
        let mut body: Block = lists.into();
        let places: Vec<usize> = (0..policy.rules.len()).collect();
        match search {
            Search::Indexed => {
                let ranges = index::ranges(&self.conditions, &policy.rules, self.schema);
                let plan = index::plan(&ranges, places);
                self.search(&plan, &askings, desk, &mut body);
            }
            Search::InOrder => body.extend(calls(&places, &askings, desk)),
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
    fn rules<'s>(&mut self, rules: &'p [Rule], shapes: &'s Shapes<'p>) -> Vec<Asking<'s, 'p>> {
        let mut functions = shape::Functions::of(shapes);
        let mut askings = Vec::with_capacity(rules.len());
        for (rule, shape) in rules.iter().zip(shapes.iter()) {
            if !functions.is_shared(shape) {
                let desk = self.desk();
                let parameters = vec![desk.input, desk.denies, desk.allows];
                let function = self.rule(rule, desk, id_of(rule), parameters);
                askings.push(Asking { function, given: None });
                continue;
            }
            let function = functions.get(shape, || {
                let (desk, id) = (self.desk(), self.variable("id"));
                let mut parameters = vec![desk.input, desk.denies, desk.allows, id];
                parameters.extend(self.take_texts(shape.texts));
                self.rule(rule, desk, Expression::variable(id, rule.span), parameters)
            });
            askings.push(Asking { function, given: Some((rule, shape.texts)) });
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

    fn ask_all(&mut self, question: Question, conditions: &'p [Condition], input: VariableId) -> Vec<Expression> {
        conditions.iter().map(|condition| self.ask(question, condition, input)).collect()
    }

    /// A question to a condition. What several rules ask is a function of its own.
    fn ask(&mut self, question: Question, condition: &'p Condition, input: VariableId) -> Expression {
        let span = condition.span;
        let Some(number) = self.conditions.shared(condition) else {
            return self.truth(question, &condition.expression, input);
        };
        let key = (question, number);
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
    Expression::string(Arc::<str>::clone(&rule.id), rule.span)
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

/// Asks the rules at these places.
fn calls(places: &[usize], askings: &[Asking<'_, '_>], desk: Desk) -> Block {
    let mut calls = Vec::with_capacity(places.len());
    calls.extend(places.iter().filter_map(|&place| Some(askings.get(place)?.call(desk))));
    calls
}

impl Asking<'_, '_> {
    fn call(&self, desk: Desk) -> Statement {
        let given = self.given.map_or(0, |(_, texts)| 1 + texts.len());
        let mut arguments = Vec::with_capacity(3 + given);
        arguments.extend([desk.input, desk.denies, desk.allows].map(|of| Expression::variable(of, NOWHERE)));
        if let Some((rule, texts)) = self.given {
            arguments.push(id_of(rule));
            arguments.extend(shape::given(texts, rule.span));
        }
        let call = Call { callee: Callee::Function(self.function), arguments: Values::of(arguments) };
        Statement::new(Action::Do(call), NOWHERE)
    }
}
