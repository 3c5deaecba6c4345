//! Programs of words by chance, and two meanings of each: what the machine makes of the compiled program, and what a
//! naive stack makes of the words.

#![expect(clippy::wildcard_enum_match_arm, reason = "the arms name the ends that can be compared")]

pub mod evaluate;
pub mod generate;
pub mod program;

use crate::differential::{Call, Ending, execute};
use crate::evaluator::{Form, Stop, Value, encode};
use crate::generate::input::Input;
use crate::property::Random;
use evaluate::{Halt, Run, is_of, nothing};
use generate::{Generated, Sort};
use kerai_compiler::lower::words::{Effect, Kind, lowered};
use kerai_compiler::syntax::words::tree::Notation;
use kerai_compiler::syntax::words::{self, library};
use kerai_compiler::{Diagnostic, Language, Source, compile};
use kerai_vm::bytecode::{Program as Bytecode, Verified};
use kerai_vm::number::Number;
use kerai_vm::trap::TrapCode;
use program::{Program, Term, Tree, written};
use std::collections::{BTreeMap, BTreeSet};

/// What an evaluation may take, in words, and the values in a result that is compared.
const FUEL: u64 = 50_000;
const VALUES: usize = 10_000;

/// What a run has met, so that it can't have looked at too little.
#[derive(Default)]
pub struct Met {
    words: BTreeSet<String>,
    /// Programs that the checks refuse, and those whose effects hold.
    refused: u64,
    accepted: u64,
    changed: u64,
    calls: u64,
    results: u64,
    traps: u64,
}

impl Met {
    fn meet(&mut self, terms: &[Term]) {
        for term in terms {
            match term {
                Term::Word(word) => drop(self.words.insert(word.clone())),
                Term::List(inner) | Term::Code(_, inner) => self.meet(inner),
                Term::Section(_, tree) => {
                    let mut terms = Vec::new();
                    tree.terms(&mut terms);
                    self.meet(&terms);
                }
                _ => {}
            }
        }
    }

    /// Words of the table that no accepted program had.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        library::ALL.iter().map(|word| word.name).filter(|name| !self.words.contains(*name)).collect()
    }

    /// How many calls of a thousand both saw to their end.
    #[must_use]
    pub const fn compared(&self) -> u64 {
        (self.results + self.traps) * 1000 / if self.calls == 0 { 1 } else { self.calls }
    }

    /// Programs that were changed blindly, and accepted all the same.
    #[must_use]
    pub const fn changed(&self) -> u64 {
        self.changed
    }
}

impl core::fmt::Display for Met {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let Met { refused, accepted, changed, calls, results, traps, words } = self;
        write!(out, "{accepted} programs accepted ({changed} of them changed blindly), {refused} refused; ")?;
        write!(out, "{calls} calls: {results} gave results and {traps} traps, in both; {} words met", words.len())
    }
}

/// A program that was accepted.
struct Accepted {
    effects: BTreeMap<String, Effect>,
    verified: Verified,
}

fn said(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|found| format!("{}: {}", found.code.name(), found.message)).collect::<Vec<_>>().join("; ")
}

fn bytecode(language: Language, text: &str) -> Result<Bytecode, String> {
    let source = Source::read(text.as_bytes()).map_err(|found| said(&[found]))?;
    compile(language, &source).map(|compiled| compiled.program).map_err(|found| said(&found))
}

fn accepted(text: &str) -> Result<Accepted, String> {
    let effects = lowered(text).map_err(|found| said(&found))?.effects.into_iter().collect();
    let verified = bytecode(Language::Words, text)?.verify();
    Ok(Accepted { effects, verified: verified.map_err(|refusal| format!("the verifier refuses it: {refusal}"))? })
}

/// An argument that an effect allows, and of what was meant as far as that is known.
fn argument(random: &mut Random, kind: Kind, meant: Sort) -> Value {
    let is_allowed = |sort: Sort| match kind {
        Kind::Any => true,
        Kind::Number => matches!(sort, Sort::Number | Sort::Little),
        Kind::Text => sort == Sort::Text,
        Kind::Bool => sort == Sort::Bool,
        Kind::Table => matches!(sort, Sort::Numbers | Sort::Texts | Sort::Map),
        Kind::Nil => false,
    };
    let all: Vec<Sort> = Sort::ALL.iter().copied().filter(|&sort| is_allowed(sort)).collect();
    let sort = if is_allowed(meant) || all.is_empty() { meant } else { *random.pick(&all) };
    let little = Value::integer(random.below(9) as i64 - 2);
    match sort {
        _ if kind == Kind::Nil => Value::Nil,
        Sort::Number if random.below(3) == 0 => Value::Number(
            Number::new(i128::from(random.below(9999)) - 5000, random.below(4) as u32).unwrap_or(Number::ZERO),
        ),
        Sort::Number if random.below(10) == 0 => Value::integer(i64::MAX),
        Sort::Number | Sort::Little => little,
        Sort::Text => Value::text(random.pick::<&str>(&["", "a", "ab b", "1.5", ",", " x "])),
        Sort::Bool => Value::Bool(random.below(2) == 0),
        _ => {
            if random.below(2) == 0 {
                Value::text("any")
            } else {
                little
            }
        }
    }
}

/// Arguments for an effect; lists and maps among them.
fn input(random: &mut Random, effect: &Effect, meant: &[Sort]) -> Input {
    let mut input = Input::default();
    let skip = meant.len().saturating_sub(effect.takes.len());
    let further = effect.takes.len().saturating_sub(meant.len());
    let meant = std::iter::repeat_n(&Sort::Any, further).chain(meant.iter().skip(skip));
    for (&kind, &meant) in effect.takes.iter().zip(meant) {
        let is_table = kind == Kind::Table || matches!(meant, Sort::Numbers | Sort::Texts | Sort::Map);
        if !is_table || !matches!(kind, Kind::Any | Kind::Table) {
            let value = argument(random, kind, meant);
            input.arguments.push(value);
            continue;
        }
        let of = if meant == Sort::Texts { Sort::Text } else { Sort::Number };
        let items: Vec<Value> = (0..random.below(4)).map(|_| argument(random, Kind::Any, of)).collect();
        let mut table = crate::evaluator::Table::list(items);
        if meant == Sort::Map {
            let keys = ["a", "b", "x"].map(|key| crate::evaluator::Key::String(key.as_bytes().into()));
            table.entries = keys.into_iter().zip(table.entries.into_values()).collect();
            table.is_list_when_empty = false;
        }
        input.tables.push(table);
        input.arguments.push(Value::Table(input.tables.len() - 1));
    }
    input
}

/// What a naive stack makes of a call; none where it gives up.
///
/// # Errors
/// Where a checked word finds less than its effect says, or leaves something else.
fn evaluated(program: &Program, effects: &BTreeMap<String, Effect>, call: &Call) -> Result<Option<Ending>, String> {
    let nothing = nothing();
    let mut run = Run::new(program, effects, &nothing, call.input.tables.clone(), FUEL);
    let result = run.call(&call.export, call.input.arguments.clone());
    let form = Form { is_normal: false, values: VALUES };
    let show = |run: &Run, value: &Value| encode(&run.values.tables, value, form);
    let values = match result {
        Ok(values) => values,
        Err(Halt::Stop(Stop::Trap(code))) => return Ok(Some(Ending::Trap(code))),
        Err(Halt::Stop(Stop::Raised(value))) => return Ok(Some(Ending::Raised(show(&run, &value)))),
        Err(Halt::Stop(Stop::Unknown)) => return Ok(None),
        Err(Halt::Broken(message)) => return Err(message),
    };
    let Some(effect) = effects.get(&call.export) else { return Err("there is no effect".to_owned()) };
    if effect.leaves.len() != values.len() {
        return Err(format!("the effect is `{effect}`, and {} items are left", values.len()));
    }
    for (value, leaves) in values.iter().zip(&effect.leaves) {
        if !run.is_loose && !is_of(&run.values, value, leaves.kind) {
            return Err(format!("the effect is `{effect}`, and `{value:?}` is left"));
        }
        let was = leaves.was.and_then(|was| call.input.arguments.get(was));
        if was.is_some_and(|was| show(&run, was) != show(&run, value)) {
            return Err(format!("the effect is `{effect}`, and `{value:?}` is not what was taken"));
        }
    }
    let rows = std::mem::take(&mut run.values.rows);
    Ok(Some(Ending::Results { values: values.iter().map(|value| show(&run, value)).collect(), rows }))
}

/// What is wrong with a program on some calls, if anything is.
fn ended(program: &Program, accepted: &Accepted, call: &Call, seed: u64) -> Result<Option<Ending>, String> {
    let shown = || format!("called `{}` with {:?}", call.export, call.input);
    let naive = evaluated(program, &accepted.effects, call).map_err(|broken| format!("{}\n{broken}", shown()))?;
    let machine = execute(&accepted.verified, call, seed).map_err(|ways| format!("{}\n{ways}", shown()))?;
    match (naive, machine) {
        (Some(naive), Some(machine)) if naive != machine => {
            Err(format!("{}\nstack: {naive:x?}\nmachine: {machine:x?}", shown()))
        }
        // Both know how deep calls and quotations may go, and count differently.
        (_, Some(Ending::Trap(TrapCode::DEPTH))) | (None, _) | (_, None) => Ok(None),
        (Some(naive), Some(_)) => Ok(Some(naive)),
    }
}

/// Makes a program and judges it.
///
/// # Errors
/// A program that is wrong, as small as leaving parts out makes it, with what is wrong.
pub fn judge(random: &mut Random, seed: u64, met: &mut Met) -> Result<(), String> {
    let Generated { program, takes, is_changed } = generate::program(random);
    let text = program.text();
    let accepted = match accepted(&text) {
        Ok(accepted) => accepted,
        Err(message) if message.starts_with("the verifier") => return Err(format!("{message}\n{text}")),
        Err(message) => {
            met.refused += 1;
            // What is made with care is refused for kinds alone: what was given is not always what is wanted. What follows
            // an error never runs, and leaves what nobody can say.
            let is_expected = |one: &str| EXPECTED.iter().any(|code| one.starts_with(code));
            let is_known = is_changed || text.contains(" error") || message.split("; ").all(is_expected);
            return if is_known { Ok(()) } else { Err(format!("refused: {message}\n{text}")) };
        }
    };
    let tree = |text: &str| words::show(&words::parse(text).script);
    if words::format(&text).ok().as_deref().map(tree) != Some(tree(&text)) {
        return Err(format!("another form of writing is another tree\n{text}"));
    }
    met.accepted += 1;
    met.changed += u64::from(is_changed);
    program.definitions.iter().for_each(|definition| met.meet(&definition.body));
    met.meet(&program.main);
    for (name, effect) in &accepted.effects {
        let at = program.definitions.iter().position(|definition| definition.name == *name);
        let meant = at.and_then(|at| takes.get(at)).map_or(&[][..], Vec::as_slice);
        for _ in 0..if name == "main" { 1 } else { 2 } {
            let call = Call { export: name.clone(), input: input(random, effect, meant) };
            met.calls += 1;
            match ended(&program, &accepted, &call, seed) {
                Ok(None) => {}
                Ok(Some(Ending::Results { .. })) => met.results += 1,
                Ok(Some(Ending::Trap(_) | Ending::Raised(_))) => met.traps += 1,
                Err(_) => return Err(smallest(program, &call, &effect.takes, seed)),
            }
        }
    }
    Ok(())
}

/// Why a program may be refused that was made with care.
const EXPECTED: &[&str] = &["WORDS_KIND", "WORDS_SIZE"];

/// Leaves parts out as long as the program stays wrong.
fn smallest(program: Program, call: &Call, takes: &[Kind], seed: u64) -> String {
    let fault = |program: &Program| {
        let accepted = accepted(&program.text()).ok()?;
        // The arguments must be what the effect allows.
        let is_allowed = accepted.effects.get(&call.export)?.takes == takes;
        is_allowed.then(|| ended(program, &accepted, call, seed).err()).flatten()
    };
    let mut small = program;
    let mut goes_on = true;
    while goes_on {
        goes_on = false;
        let mut at = 0;
        while let Some(less) = without(&small, at) {
            if fault(&less).is_some() {
                (small, goes_on) = (less, true);
            } else {
                at += 1;
            }
        }
    }
    format!("{}\n{}", fault(&small).unwrap_or_default(), small.text())
}

/// The program without its part of a number.
fn without(program: &Program, at: usize) -> Option<Program> {
    fn remove(terms: &mut Vec<Term>, at: &mut usize) -> bool {
        for place in 0..terms.len() {
            if *at == 0 {
                terms.remove(place);
                return true;
            }
            *at -= 1;
            if let Some(Term::Code(_, inner) | Term::List(inner)) = terms.get_mut(place)
                && remove(inner, at)
            {
                return true;
            }
        }
        false
    }
    let (mut less, mut at) = (program.clone(), at);
    let is_removed = less.definitions.iter_mut().any(|definition| remove(&mut definition.body, &mut at));
    (is_removed || remove(&mut less.main, &mut at)).then_some(less)
}

/// Makes an expression, and writes it in every notation and in Lua: all must be one program.
///
/// # Errors
/// The texts that are not one program.
pub fn judge_notations(random: &mut Random) -> Result<(), String> {
    let tree = generate::tree(random, &["a", "b", "c"], 4);
    let define = |notation: Notation| format!("{}\nf a b c: {}\n", notation.word(), written(&tree, notation));
    let mut texts: Vec<(Language, String)> =
        Notation::ALL.iter().map(|&notation| (Language::Words, define(notation))).collect();
    texts.push((Language::Lua, format!("function f(a, b, c)\n  return {}\nend\n", lua(&tree))));
    let mut known = None;
    for (language, text) in &texts {
        let program = match bytecode(*language, text) {
            Ok(program) => Ok(program.functions),
            // Kinds that can't be are told in words alone.
            Err(message) if message.starts_with("WORDS_KIND") => return Ok(()),
            Err(message) => Err(message),
        };
        match &known {
            Some(first) if *first != program => {
                let all: Vec<&str> = texts.iter().map(|(_, text)| text.as_str()).collect();
                return Err(format!("not one program:\n{}\n{program:?}\n{first:?}", all.join("\n")));
            }
            _ => known = Some(program),
        }
    }
    if let Some(Err(message)) = known { Err(message) } else { Ok(()) }
}

/// An expression in Lua.
fn lua(tree: &Tree) -> String {
    match tree {
        Tree::Leaf(_) => written(tree, Notation::Infix),
        Tree::Apply(word, arguments) => {
            let all: Vec<String> = arguments.iter().map(lua).collect();
            match (word.as_str(), all.as_slice()) {
                ("=", [a, b]) => format!("({a} == {b})"),
                ("!=", [a, b]) => format!("({a} ~= {b})"),
                ("bit.and", [a, b]) => format!("({a} & {b})"),
                ("get", [a, b]) => format!("({a})[{b}]"),
                ("neg", [a]) => format!("(- {a})"),
                ("not", [a]) => format!("(not {a})"),
                ("length", [a]) => format!("(#{a})"),
                ("text", [a]) => format!("tostring({a})"),
                ("max" | "min" | "abs" | "floor", all) => format!("math.{word}({})", all.join(", ")),
                (word, [a, b]) => format!("({a} {word} {b})"),
                (word, all) => format!("{word}({})", all.join(", ")),
            }
        }
    }
}
