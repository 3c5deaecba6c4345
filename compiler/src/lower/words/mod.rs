//! From words to the IR: the stack exists only while a word is lowered. What lies on it becomes parameters, variables and
//! expressions, so that a word is the same program as a function that says the same in another language.

mod combine;
mod data;
mod effect;
mod infix;
mod item;
mod library;
mod order;
mod prefix;
mod run;
mod stack;

pub use effect::{Effect, Kind, Leaves};

use crate::diagnostic::Report;
use crate::ir::{Action, Function, FunctionId, Ir, Lambda, Statement, Type, Variable, VariableId};
use crate::limit;
use crate::syntax::words::tree::{Line, Name, Notation, Script, Term, TermKind};
use crate::syntax::words::{self, library as words_library};
use crate::{Code, Diagnostic, Span};
use kerai_vm::bytecode::ProgramKind;
use stack::{Body, End, Item, Scope};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a source says: its program, and the effect of each word.
#[derive(Debug, Clone)]
pub struct Lowered {
    pub ir: Ir,
    /// Of every definition that has one, and of what is run as `main`, in the order of the source.
    pub effects: Vec<(String, Effect)>,
}

/// Makes the IR of a source: its definitions are exported by their names, and what stands outside of them as `main`.
///
/// # Errors
/// Everything that an author must mend.
pub fn lower(text: &str) -> Result<Ir, Vec<Diagnostic>> {
    lowered(text).map(|lowered| lowered.ir)
}

/// The IR of a source with the effects of its words.
///
/// # Errors
/// Everything that an author must mend.
pub fn lowered(text: &str) -> Result<Lowered, Vec<Diagnostic>> {
    let script = words::read(text)?;
    let mut lowering = Lowering::new(&script);
    lowering.program(&script);
    let Lowering { ir, report, effects, .. } = lowering;
    if report.is_empty() { Ok(Lowered { ir, effects }) } else { Err(report.into_diagnostics()) }
}

/// A mistake was reported, and what it is in can't be lowered.
#[derive(Debug)]
struct Stop;

type Done<T = ()> = Result<T, Stop>;

/// A definition, and what is known of it.
struct Defined<'t> {
    name: &'t Name,
    parameters: &'t [Name],
    notation: Notation,
    terms: &'t [Term],
    /// Its function and effect; nothing where it is not lowered, or can't be.
    function: Option<(FunctionId, Rc<Effect>)>,
}

/// What a function takes.
#[derive(Debug, Clone)]
struct Input {
    variable: VariableId,
    kind: Kind,
}

/// How many items code takes and leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reach {
    takes: usize,
    leaves: usize,
}

struct Lowering<'t> {
    ir: Ir,
    definitions: Vec<Defined<'t>>,
    places: BTreeMap<&'t str, usize>,
    /// Names for libraries.
    aliases: BTreeMap<&'t str, &'t str>,
    prelude: BTreeMap<String, FunctionId>,
    report: Report,
    effects: Vec<(String, Effect)>,
    /// What the function under way takes, the topmost first.
    inputs: Vec<Input>,
    /// Whether it may take more.
    is_open: bool,
    /// Whether all that lies on the stack is known: outside of definitions and loops.
    is_whole: bool,
    reaches: BTreeMap<Span, Reach>,
    steps: u64,
    depth: u64,
}

impl<'t> Lowering<'t> {
    fn new(script: &'t Script) -> Lowering<'t> {
        let empty = Ir::new(ProgramKind::Words);
        let mut ir = if library::uses_prelude(script) { library::prelude().unwrap_or(empty) } else { empty };
        Lowering {
            prelude: std::mem::take(&mut ir.exports),
            ir,
            definitions: Vec::new(),
            places: BTreeMap::new(),
            aliases: BTreeMap::new(),
            report: Report::default(),
            effects: Vec::new(),
            inputs: Vec::new(),
            is_open: false,
            is_whole: false,
            reaches: BTreeMap::new(),
            steps: 0,
            depth: 0,
        }
    }

    fn say(&mut self, code: Code, span: Span, message: impl Into<String>) -> Stop {
        self.report.push(Diagnostic::new(code, span, message.into()));
        Stop
    }

    fn program(&mut self, script: &'t Script) {
        for line in &script.lines {
            self.declare(line);
        }
        let all: Vec<(&str, &[Term])> =
            self.definitions.iter().map(|defined| (&*defined.name.text, defined.terms)).collect();
        let (order, recursive) = order::order(&all, &self.places);
        for (place, term) in recursive {
            let Some(Defined { name: Name { text: name, .. }, .. }) = self.definitions.get(place) else { continue };
            let used = if let TermKind::Word(word) = &term.kind { word } else { name };
            let message = if **used == **name {
                format!("`{name}` is defined by itself")
            } else {
                format!("`{name}` uses `{used}`, which leads back to `{name}`")
            };
            self.say(Code::WORDS_RECURSION, term.span, message);
        }
        if self.report.is_empty() {
            for place in order {
                // What goes wrong in one definition says nothing of the others.
                let _ = self.definition(place);
            }
            for defined in &self.definitions {
                if let Some((id, effect)) = &defined.function {
                    self.ir.exports.insert(defined.name.text.to_string(), *id);
                    self.effects.push((defined.name.text.to_string(), Effect::clone(effect)));
                }
            }
            let _ = self.main(script);
        }
    }

    /// Notes what a line defines.
    fn declare(&mut self, line: &'t Line) {
        let Some(header) = &line.header else { return };
        let name = &header.name;
        if words_library::word(&name.text).is_some()
            || words::host::word(&name.text).is_some()
            || is_reserved(&name.text)
        {
            self.say(Code::WORDS_NAME, name.span, format!("`{}` is a word of the language", name.text));
        }
        let alias = match line.terms.as_slice() {
            [Term { kind: TermKind::Word(target), .. }] if header.parameters.is_empty() => self.library_of(target),
            _ => None,
        };
        if let Some(library) = alias {
            self.aliases.insert(&name.text, library);
            return;
        }
        let place = self.definitions.len();
        if let Some(first) = self.places.get(&*name.text).and_then(|&first| self.definitions.get(first)) {
            let found = Diagnostic::new(Code::WORDS_TWICE, name.span, format!("`{}` is defined already", name.text));
            self.report.push(found.with_note(first.name.span, "here"));
            return;
        }
        self.places.insert(&name.text, place);
        self.definitions.push(Defined {
            name,
            parameters: &header.parameters,
            notation: line.notation,
            terms: &line.terms,
            function: None,
        });
    }

    /// The library that a name is, where no word has it.
    fn library_of(&self, name: &'t str) -> Option<&'t str> {
        let name = self.aliases.get(name).copied().unwrap_or(name);
        let is_word = words_library::word(name).is_some() || self.places.contains_key(name);
        (!is_word && words_library::is_library(name)).then_some(name)
    }

    fn definition(&mut self, place: usize) -> Done {
        let Some(defined) = self.definitions.get(place) else { return Ok(()) };
        let (name, parameters, notation, terms) = (defined.name, defined.parameters, defined.notation, defined.terms);
        self.inputs = Vec::new();
        for parameter in parameters.iter().rev() {
            let variable = self.variable(&parameter.text);
            self.inputs.push(Input { variable, kind: Kind::Any });
        }
        self.is_open = true;
        let scope = self.scope_of(parameters);
        // Once to see what it takes, then, where all of that is known, for good.
        let mut trial = Body { taken: parameters.len(), ..Body::default() };
        self.terms(&mut trial, terms, notation, &scope, false)?;
        let effect = Rc::new(self.effect_of(&trial));
        self.is_open = false;
        let stack = (parameters.len()..self.inputs.len()).rev().filter_map(|at| self.input(at, name.span)).collect();
        let mut body = Body { stack, taken: self.inputs.len(), ..Body::default() };
        self.terms(&mut body, terms, notation, &scope, true)?;
        self.give_back(&mut body, name.span)?;
        let parameters = self.inputs.iter().rev().map(|input| input.variable).collect();
        let id = self.function(&name.text, Lambda { parameters, rest: None, body: body.block });
        if let Some(defined) = self.definitions.get_mut(place) {
            defined.function = Some((id, effect));
        }
        Ok(())
    }

    /// The scope of a definition's parameters, which are the first inputs, the last one topmost.
    fn scope_of(&self, parameters: &'t [Name]) -> Scope<'t> {
        let items = parameters.iter().rev().enumerate();
        Rc::new(items.filter_map(|(at, name)| Some((&*name.text, self.input(at, name.span)?))).collect())
    }

    /// What runs from top to bottom, as Lua's `main` does: it may be given arguments, and looks at none.
    fn main(&mut self, script: &'t Script) -> Done {
        let lines: Vec<&Line> = script.lines.iter().filter(|line| line.header.is_none()).collect();
        if lines.is_empty() && !(self.definitions.is_empty() && self.aliases.is_empty()) {
            return Ok(());
        }
        let span = lines.first().map(|line| line.span).unwrap_or_default();
        if self.ir.exports.contains_key(MAIN) {
            return Err(self.say(
                Code::WORDS_NAME,
                span,
                "`main` is what stands outside of definitions, and a word too",
            ));
        }
        self.inputs = Vec::new();
        (self.is_open, self.is_whole) = (false, true);
        let mut body = Body::default();
        let scope = Scope::default();
        for (at, line) in (1..).zip(&lines) {
            self.terms(&mut body, &line.terms, line.notation, &scope, at == lines.len())?;
        }
        let effect = match body.end {
            // Each way of the last word gives its own values back.
            End::Returned(count) => Effect { takes: Vec::new(), leaves: vec![Leaves::default(); count] },
            End::Open | End::Raised => self.effect_of(&body),
        };
        self.give_back(&mut body, span)?;
        let rest = self.variable("arguments");
        let id = self.function(MAIN, Lambda { parameters: Vec::new(), rest: Some(rest), body: body.block });
        self.ir.exports.insert(MAIN.to_owned(), id);
        self.effects.push((MAIN.to_owned(), effect));
        Ok(())
    }

    fn effect_of(&self, body: &Body) -> Effect {
        let count = self.inputs.len();
        let leaves = body.stack.iter().map(|item| {
            let was = item.was.and_then(|at| count.checked_sub(at + 1));
            Leaves { kind: self.kind(item), was }
        });
        Effect { takes: self.inputs.iter().rev().map(|input| input.kind).collect(), leaves: leaves.collect() }
    }

    /// A new variable.
    fn variable(&mut self, name: &str) -> VariableId {
        let id = VariableId(u32::try_from(self.ir.variables.len()).unwrap_or(u32::MAX));
        self.ir.variables.push(Variable { name: name.to_owned(), holds: Type::Any });
        id
    }

    fn function(&mut self, name: &str, lambda: Lambda) -> FunctionId {
        let id = FunctionId(u32::try_from(self.ir.functions.len()).unwrap_or(u32::MAX));
        self.ir.functions.push(Function { name: name.to_owned(), lambda });
        id
    }

    /// An input as an item.
    fn input(&self, at: usize, span: Span) -> Option<Item<'t>> {
        let input = self.inputs.get(at)?;
        Some(Item { was: Some(at), ..Item::variable(input.variable, input.kind, span) })
    }

    /// Ends a function with what lies on the stack.
    fn give_back(&mut self, body: &mut Body<'t>, span: Span) -> Done {
        if body.end != End::Open {
            return Ok(());
        }
        let values = self.take(body, body.stack.len(), span)?;
        body.end = End::Returned(values.len());
        if !values.is_empty() {
            body.block.push(Statement::new(Action::Return(item::values(values)), span));
        }
        Ok(())
    }

    /// Goes a level deeper, where the limit allows it.
    fn nested<T>(&mut self, span: Span, run: impl FnOnce(&mut Self) -> Done<T>) -> Done<T> {
        let most = limit::WORDS_DEPTH;
        if self.depth == most.value {
            let message = format!("what is run here runs more than {} levels deep (limit `{}`)", most.value, most.name);
            return Err(self.say(Code::WORDS_SIZE, span, message));
        }
        self.depth += 1;
        let result = run(self);
        self.depth -= 1;
        result
    }
}

/// What is run from top to bottom.
const MAIN: &str = "main";

/// Names that the notations give a meaning.
fn is_reserved(name: &str) -> bool {
    name == "kerai" || name.starts_with("kerai.")
}
