//! Programs by chance: well-typed IR of every construct, operator, kind of constant and built-in, which mostly makes
//! sense, so that runs go far before they end, and always ends.
//!
//! What a value will be is guessed (`Soft`), and now and then ignored on purpose. Loops count to a few by
//! construction, functions call later ones, and recursion has its depth as a parameter.

mod builtin;
mod drill;
mod expression;
pub mod input;
mod statement;

pub use input::{Input, input};

use crate::property::Random;
use kerai_compiler::Span;
use kerai_compiler::ir::{
    Action, Expression, Function, FunctionId, Ir, Lambda, Node, Statement, Type, Variable, VariableId,
};
use kerai_vm::bytecode::{Limits, ProgramKind, Rule};
use std::collections::BTreeMap;

/// What a value will probably be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Soft {
    Any,
    Nil,
    Bool,
    Number,
    Float,
    Fixed,
    Text,
    Bytes,
    List,
    Map,
    Set,
    Function,
    /// A number that counts something or says where.
    Small,
    /// Texts in small languages.
    Pattern,
    Format,
    Document,
    Path,
    /// An address, or a range of them.
    Network,
    /// A code point.
    Point,
    /// A generator of numbers.
    Generator,
}

impl Soft {
    const ALL: &[Soft] = &[
        Soft::Any,
        Soft::Nil,
        Soft::Bool,
        Soft::Number,
        Soft::Number,
        Soft::Number,
        Soft::Float,
        Soft::Fixed,
        Soft::Text,
        Soft::Text,
        Soft::Bytes,
        Soft::List,
        Soft::List,
        Soft::Map,
        Soft::Map,
        Soft::Set,
        Soft::Small,
        Soft::Function,
    ];

    const DATA: &[Soft] = &[
        Soft::Number,
        Soft::Number,
        Soft::Number,
        Soft::Text,
        Soft::List,
        Soft::Map,
        Soft::Float,
        Soft::Bool,
        Soft::Fixed,
        Soft::Any,
    ];
}

/// What is known of a function before its body is made.
#[derive(Debug, Clone)]
pub struct Signature {
    pub parameters: Vec<Soft>,
    is_variadic: bool,
    results: Vec<Soft>,
    is_recursive: bool,
}

/// A variable in sight.
#[derive(Clone, Copy)]
struct Known {
    id: VariableId,
    soft: Soft,
    /// Whether it may be assigned: counters of loops, and variables with a type, may not.
    is_open: bool,
}

/// A program and how its exports are called.
pub struct Generated {
    pub ir: Ir,
    pub exports: Vec<(String, Signature)>,
}

/// Makes a program.
pub struct Maker<'r> {
    random: &'r mut Random,
    variables: Vec<Variable>,
    in_sight: Vec<Known>,
    signatures: Vec<Signature>,
    /// The function that is being made.
    current: usize,
    loops: u32,
    is_in_expression: bool,
    lambdas: u32,
    /// What may still be made: nodes and statements.
    budget: u32,
}

/// Nodes of one function, about.
const BUDGET: u64 = 60;

pub fn program(random: &mut Random) -> Generated {
    let is_drill = random.below(2) == 0;
    let count = if is_drill { 1 } else { 1 + random.below(4) };
    let signatures = (0..count).map(|_| signature(random)).collect();
    let mut maker = Maker {
        random,
        variables: Vec::new(),
        in_sight: Vec::new(),
        signatures,
        current: 0,
        loops: 0,
        is_in_expression: false,
        lambdas: 0,
        budget: 0,
    };
    if is_drill {
        return drill::program(maker);
    }
    let functions: Vec<Function> = (0..maker.signatures.len()).map(|place| maker.function(place)).collect();
    let exported = 1 + maker.random.below(2).min(functions.len() as u64 - 1);
    let names = ["main", "other.name_2"];
    let exports: Vec<(String, Signature)> = (0..exported as usize)
        .filter_map(|place| Some(((*names.get(place)?).to_owned(), maker.signatures.get(place)?.clone())))
        .collect();
    let ids = exports.iter().map(|(name, _)| name.clone()).zip((0..).map(FunctionId)).collect::<BTreeMap<_, _>>();
    let rules = vec![Rule { id: "rule".into(), reason: "a \"reason\"".into() }];
    let rules = if maker.random.below(20) == 0 { rules } else { Vec::new() };
    let depth = if maker.random.below(4) == 0 { 1 + maker.random.below(20) } else { Limits::DEFAULT.depth };
    let kind = *maker.random.pick(ProgramKind::ALL);
    let limits = Limits { depth, ..Limits::DEFAULT };
    let ir = Ir { variables: maker.variables, functions, exports: ids, limits, rules, ..Ir::new(kind) };
    Generated { ir, exports }
}

fn signature(random: &mut Random) -> Signature {
    let is_recursive = random.below(5) == 0;
    let mut parameters: Vec<Soft> = (0..random.below(4)).map(|_| *random.pick(Soft::DATA)).collect();
    if is_recursive {
        parameters.insert(0, Soft::Number);
    }
    let results = (0..random.below(3)).map(|_| *random.pick(Soft::DATA)).collect();
    Signature { parameters, is_variadic: random.below(5) == 0, results, is_recursive }
}

/// An expression of no source.
fn node(node: Node) -> Expression {
    Expression::new(node, Span::default())
}

fn statement(action: Action) -> Statement {
    Statement::new(action, Span::default())
}

impl Maker<'_> {
    fn chance(&mut self, one_in: u64) -> bool {
        self.random.below(one_in) == 0
    }

    /// Takes from the budget, where there is any.
    fn spend(&mut self) -> bool {
        let is_left = self.budget > 0;
        self.budget = self.budget.saturating_sub(1);
        is_left
    }

    fn declare(&mut self, soft: Soft, holds: Type, is_open: bool) -> VariableId {
        let id = VariableId(self.variables.len() as u32);
        let name = (*self.random.pick(&["a", "total", "x", "list_2", ""])).to_owned();
        self.variables.push(Variable { name, holds });
        self.in_sight.push(Known { id, soft, is_open: is_open && holds == Type::Any });
        id
    }

    /// Something whose variables are out of sight after it.
    fn scope<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> T {
        let in_sight = self.in_sight.len();
        let made = make(self);
        self.in_sight.truncate(in_sight);
        made
    }

    fn function(&mut self, place: usize) -> Function {
        self.current = place;
        self.budget = (20 + self.random.below(BUDGET)) as u32;
        self.in_sight.clear();
        let signature = self.signatures.get(place).cloned().expect("each function has a signature");
        let name = (*self.random.pick(&["main", "f", "", "walk"])).to_owned();
        Function { name, lambda: self.scope(|maker| maker.body(&signature, place)) }
    }

    fn body(&mut self, signature: &Signature, place: usize) -> Lambda {
        let mut lambda = self.parameters(signature);
        let counter = lambda.parameters.first().copied().filter(|_| signature.is_recursive);
        if let Some(counter) = counter {
            // It only ever goes down.
            self.in_sight.iter_mut().filter(|known| known.id == counter).for_each(|known| known.is_open = false);
            lambda.body.push(self.end_of_recursion(counter, signature));
        }
        let statements = 1 + self.random.below(5);
        lambda.body.extend((0..statements).filter_map(|_| self.statement(3)).collect::<Vec<_>>());
        lambda.body.extend(counter.map(|counter| self.recursion(counter, signature, FunctionId(place as u32))));
        if !self.chance(10) {
            let results = self.returned(&signature.results.clone());
            lambda.body.push(statement(Action::Return(results)));
        }
        lambda
    }

    fn parameters(&mut self, signature: &Signature) -> Lambda {
        let parameters = signature.parameters.iter().map(|&soft| self.declare(soft, Type::Any, true)).collect();
        let rest = signature.is_variadic.then(|| {
            let holds = if self.chance(2) { Type::Table } else { Type::Any };
            self.declare(Soft::List, holds, true)
        });
        Lambda { parameters, rest, body: Vec::new() }
    }

    /// Whether values of a variable in sight will probably be of a kind.
    fn pick_variable(&mut self, fits: impl Fn(&Known) -> bool) -> Option<Known> {
        let fitting: Vec<Known> = self.in_sight.iter().copied().filter(|known| fits(known)).collect();
        if fitting.is_empty() { None } else { Some(*self.random.pick(&fitting)) }
    }
}
