//! The stages: one table from section names to what they do, and the run of a case through it.

use crate::case::{Case, Section};
use crate::folds::{self, FoldRun};
use crate::{calls, compile, law, policy, source};
use kerai_compiler::lower;
use kerai_compiler::syntax::{lua, words, yaml};
use kerai_vm::bytecode::Program;
use kerai_vm::encoding::root::{Context, Root};
use kerai_vm::encoding::{Options, Strings, cbor, json};
use kerai_vm::refusal::{Code, Refusal};
use kerai_vm::ulid::Ulid;
use kerai_vm::value::{Heap, Value};

/// Reads a source's bytes into a heap.
pub type Read = fn(&mut Heap, &[u8], &Options) -> Result<Value, Refusal>;

/// Writes a value as an output's text.
pub type Write = fn(&Heap, Value, &Options) -> Result<String, Refusal>;

/// Reads a source's bytes as a program.
/// It is refused with a line for each reason.
pub type ReadProgram = fn(&[u8]) -> Result<Program, Vec<String>>;

/// Writes a program as an output's text.
pub type WriteProgram = fn(&Program) -> Result<String, Refusal>;

/// What a source stands for.
pub enum Meaning {
    Value {
        read: Read,
        law: law::Law,
    },
    /// A program, which must pass the verifier too.
    Program {
        read: ReadProgram,
        law: law::ProgramLaw,
    },
    /// What an author writes: a tree, its one form of writing, and the program that it means.
    Written {
        check: Check,
        law: law::TreeLaw,
        read: ReadProgram,
    },
}

/// Reads a source to its tree.
pub type Check = fn(&[u8]) -> Result<Tree, Vec<String>>;

/// A tree with what the outputs need of it.
pub struct Tree {
    pub text: String,
    pub formatted: String,
    /// The effect of each word; nothing in languages without words.
    pub effects: String,
}

/// What a section is for.
pub enum Role {
    /// How to read and write.
    Options,
    /// Where a value or program comes from: the section's content as bytes, then their meaning.
    Source { bytes: Bytes, meaning: Meaning },
    /// Calls of a program's exports.
    Calls,
    /// What became of the calls.
    Results,
    /// Operations that a fold is given.
    Operations,
    /// What a policy is asked.
    Requests,
    /// What a policy decided, and why.
    Decisions,
    /// What a fold came to.
    Folded(fn(&FoldRun) -> &str),
    /// What becomes of a value, and of a program.
    Output { value: Option<Write>, program: Option<WriteProgram> },
    /// What becomes of a source that an author writes.
    Written(fn(&Tree) -> String),
    /// Every refusal, a line each.
    Diagnostic,
}

impl Role {
    /// Whether the section shows what was computed, refusals apart.
    const fn is_output(&self) -> bool {
        match self {
            Role::Output { .. } | Role::Results | Role::Decisions | Role::Folded(_) | Role::Written(_) => true,
            Role::Options
            | Role::Source { .. }
            | Role::Calls
            | Role::Operations
            | Role::Requests
            | Role::Diagnostic => false,
        }
    }
}

/// A section that cases may have.
pub struct Stage {
    pub name: &'static str,
    pub role: Role,
}

/// All stages. Sections stand in a case in this order.
pub const STAGES: &[Stage] = &[
    Stage { name: "options", role: Role::Options },
    value("json", source::text, json::decode, law::json),
    value("cbor", source::hexadecimal, cbor::decode, law::cbor),
    value("snapshot", source::hexadecimal, snapshot, law::snapshot),
    value("ulid", source::text, ulid, law::ulid),
    program("asm", source::text, assembly, law::program),
    program("code", source::hexadecimal, code, law::code),
    Stage {
        name: "lua",
        role: Role::Source {
            bytes: source::text,
            meaning: Meaning::Written { check: lua_tree, law: law::tree, read: compile::lua },
        },
    },
    Stage {
        name: "yaml",
        role: Role::Source {
            bytes: source::text,
            meaning: Meaning::Written { check: yaml_tree, law: law::lines, read: compile::yaml },
        },
    },
    Stage {
        name: "words",
        role: Role::Source {
            bytes: source::text,
            meaning: Meaning::Written { check: words_tree, law: law::tree, read: compile::words },
        },
    },
    program("policy", source::text, compile::policy, law::program),
    program("ir", source::text, compile::ir, law::ir),
    Stage { name: CALLS, role: Role::Calls },
    Stage { name: OPERATIONS, role: Role::Operations },
    Stage { name: REQUESTS, role: Role::Requests },
    Stage { name: "tree", role: Role::Written(|tree| tree.text.clone()) },
    Stage { name: "effects", role: Role::Written(|tree| tree.effects.clone()) },
    Stage { name: "formatted", role: Role::Written(|tree| tree.formatted.clone()) },
    Stage { name: "encoded", role: Role::Output { value: Some(encoded), program: None } },
    Stage { name: "view", role: Role::Output { value: Some(view), program: None } },
    Stage { name: "bytecode", role: Role::Output { value: None, program: Some(bytecode) } },
    Stage { name: "text", role: Role::Output { value: None, program: Some(text) } },
    Stage { name: "root", role: Role::Output { value: Some(root), program: Some(program_root) } },
    Stage { name: "results", role: Role::Results },
    Stage { name: "decisions", role: Role::Decisions },
    Stage { name: "gas", role: Role::Folded(|run| &run.gas) },
    Stage { name: "trap", role: Role::Folded(|run| &run.trap) },
    Stage { name: "state", role: Role::Folded(|run| &run.state) },
    Stage { name: "rows", role: Role::Folded(|run| &run.rows) },
    Stage { name: DIAGNOSTIC, role: Role::Diagnostic },
];

/// The section that says what is called.
pub const CALLS: &str = "calls";

/// The section with what a policy is asked.
pub const REQUESTS: &str = "requests";

/// The section with what was refused.
pub const DIAGNOSTIC: &str = "diagnostic";

/// The section with what is folded.
pub const OPERATIONS: &str = "ops";

type Bytes = fn(&str) -> Result<Vec<u8>, String>;

const fn value(name: &'static str, bytes: Bytes, read: Read, law: law::Law) -> Stage {
    Stage { name, role: Role::Source { bytes, meaning: Meaning::Value { read, law } } }
}

const fn program(name: &'static str, bytes: Bytes, read: ReadProgram, law: law::ProgramLaw) -> Stage {
    Stage { name, role: Role::Source { bytes, meaning: Meaning::Program { read, law } } }
}

fn one<T>(result: Result<T, Refusal>) -> Result<T, Vec<String>> {
    result.map_err(|refusal| vec![refusal.to_string()])
}

fn assembly(bytes: &[u8]) -> Result<Program, Vec<String>> {
    let text = one(str::from_utf8(bytes).map_err(|fault| Refusal::new(Code::DATA_UTF8, fault.valid_up_to())))?;
    one(Program::from_text(text))
}

fn code(bytes: &[u8]) -> Result<Program, Vec<String>> {
    one(Program::decode(bytes))
}

/// A Lua source without hazards, or all that is wrong with it.
fn lua_tree(bytes: &[u8]) -> Result<Tree, Vec<String>> {
    let source = kerai_compiler::Source::read(bytes)
        .map_err(|refused| vec![refused.describe(&String::from_utf8_lossy(bytes))])?;
    let describe = |diagnostics: Vec<kerai_compiler::Diagnostic>| {
        diagnostics.iter().map(|found| found.describe(source.text())).collect::<Vec<_>>()
    };
    let chunk = lua::check(source.text()).map_err(describe)?;
    let formatted = lua::format(source.text()).map_err(describe)?;
    Ok(Tree {
        text: lua::show(&chunk).trim_end().to_owned(),
        formatted: formatted.trim_end().to_owned(),
        effects: String::new(),
    })
}

/// A source of words with their effects, or all that is wrong with it.
fn words_tree(bytes: &[u8]) -> Result<Tree, Vec<String>> {
    let source = kerai_compiler::Source::read(bytes)
        .map_err(|refused| vec![refused.describe(&String::from_utf8_lossy(bytes))])?;
    let describe = |diagnostics: Vec<kerai_compiler::Diagnostic>| {
        diagnostics.iter().map(|found| found.describe(source.text())).collect::<Vec<_>>()
    };
    let script = words::read(source.text()).map_err(describe)?;
    let formatted = words::format(source.text()).map_err(describe)?;
    let effects = lower::words::lowered(source.text()).map_err(describe)?.effects;
    let effects: Vec<String> = effects.iter().map(|(name, effect)| format!("{name} : {effect}")).collect();
    Ok(Tree {
        text: words::show(&script).trim_end().to_owned(),
        formatted: formatted.trim_end().to_owned(),
        effects: effects.join("\n"),
    })
}

/// What the profile of YAML takes, or all that is wrong with it.
fn yaml_tree(bytes: &[u8]) -> Result<Tree, Vec<String>> {
    let source = kerai_compiler::Source::read(bytes)
        .map_err(|refused| vec![refused.describe(&String::from_utf8_lossy(bytes))])?;
    let describe = |diagnostics: Vec<kerai_compiler::Diagnostic>| {
        diagnostics.iter().map(|found| found.describe(source.text())).collect::<Vec<_>>()
    };
    let text = yaml::show(&yaml::read(source.text()).map_err(describe)?);
    Ok(Tree { text: text.trim_end().to_owned(), formatted: source.text().to_owned(), effects: String::new() })
}

fn bytecode(program: &Program) -> Result<String, Refusal> {
    Ok(source::in_hexadecimal(&program.encode()?))
}

fn text(program: &Program) -> Result<String, Refusal> {
    Ok(program.to_text().trim_end().to_owned())
}

fn program_root(program: &Program) -> Result<String, Refusal> {
    Ok(program.root()?.to_string())
}

/// A ULID as the bytes that it stands for.
fn ulid(heap: &mut Heap, text: &[u8], _: &Options) -> Result<Value, Refusal> {
    Ulid::parse(text).map(|ulid| heap.bytes(&ulid.to_bytes()))
}

/// A snapshot of state, under limits of its own but for those that are lowered.
fn snapshot(heap: &mut Heap, bytes: &[u8], options: &Options) -> Result<Value, Refusal> {
    cbor::decode_snapshot(heap, bytes, &state_options(options))
}

pub(crate) fn state_options(options: &Options) -> Options {
    let lowered = |option: usize, full: usize, state: usize| if option < full { option } else { state };
    let (full, state) = (Options::CANONICAL, Options::STATE);
    Options {
        values: lowered(options.values, full.values, state.values),
        size: lowered(options.size, full.size, state.size),
        string: options.string,
        ..state
    }
}

fn bytes_of(heap: &Heap, value: Value, options: &Options) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    cbor::encode(heap, value, options, &mut bytes)?;
    Ok(bytes)
}

fn encoded(heap: &Heap, value: Value, options: &Options) -> Result<String, Refusal> {
    Ok(source::in_hexadecimal(&bytes_of(heap, value, options)?))
}

fn view(heap: &Heap, value: Value, options: &Options) -> Result<String, Refusal> {
    let mut text = Vec::new();
    json::encode(heap, value, options, &mut text)?;
    Ok(String::from_utf8(text).unwrap_or_else(|_| "the view is not UTF-8".to_owned()))
}

fn root(heap: &Heap, value: Value, options: &Options) -> Result<String, Refusal> {
    Ok(Root::of_data(Context::Data, &bytes_of(heap, value, options)?).to_string())
}

/// Stands in an output section whose stage refused the value; the diagnostic says why.
pub const REFUSED: &str = "refused";

/// What running a case gave.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// The text of every output section that the case has.
    pub outputs: Vec<(&'static str, String)>,
    /// What no blessing can mend.
    pub faults: Vec<String>,
}

/// How sources are read and outputs written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Directions {
    pub read: Options,
    pub write: Options,
}

impl Directions {
    /// Reads the options section: a line an option, `snapshot` or a limit's name and value, for both directions
    /// or with `read` or `write` before it for one.
    fn parse(content: &str) -> Result<Directions, String> {
        let mut directions = Directions::default();
        for line in content.lines().filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["read", option @ ..] => set_option(&mut directions.read, option, line)?,
                ["write", option @ ..] => set_option(&mut directions.write, option, line)?,
                option => {
                    set_option(&mut directions.read, option, line)?;
                    set_option(&mut directions.write, option, line)?;
                }
            }
        }
        Ok(directions)
    }
}

fn set_option(options: &mut Options, option: &[&str], line: &str) -> Result<(), String> {
    let wrong = || format!("`{line}` is no option");
    let place = match option {
        ["snapshot"] => {
            options.strings = Strings::Verbatim;
            return Ok(());
        }
        ["depth", _] => &mut options.depth,
        ["string", _] => &mut options.string,
        ["values", _] => &mut options.values,
        ["size", _] => &mut options.size,
        _ => return Err(wrong()),
    };
    let value = option.last().and_then(|value| value.parse().ok()).ok_or_else(wrong)?;
    if value > *place {
        return Err(format!("`{line}` is above the limit, which is {place}: limits may only be lowered"));
    }
    *place = value;
    Ok(())
}

/// Runs a case. The seed spreads in-memory hashes and must not be seen in any outcome.
#[must_use]
pub fn run(case: &Case, seed: u64) -> Outcome {
    let mut outcome = Outcome { outputs: Vec::new(), faults: misplaced_sections(case) };
    let options =
        case.section("options").map_or(Ok(Directions::default()), |section| Directions::parse(&section.content()));
    let directions = options.unwrap_or_else(|fault| {
        outcome.faults.push(fault);
        Directions::default()
    });
    let mut first: Option<Outputs> = None;
    for section in case.sections() {
        let Some(Stage { name, role: Role::Source { bytes, meaning } }) = stage(section.name()) else { continue };
        let bytes = match bytes(&section.content()) {
            Ok(bytes) => bytes,
            Err(fault) => {
                outcome.faults.push(format!("in `{name}`: {fault}"));
                continue;
            }
        };
        let source = Source { case, directions: &directions, bytes: &bytes };
        let outputs = match meaning {
            Meaning::Value { read, law } => source.value(*read, *law, seed, &mut outcome.faults),
            Meaning::Program { read, law } => source.program(*read, *law, seed, &mut outcome.faults),
            Meaning::Written { check, law, read } => {
                if source.wants_tree() {
                    source.tree(*check, *law, &mut outcome.faults)
                } else {
                    law(*check, &check(&bytes), &mut outcome.faults);
                    source.program(*read, law::program, seed, &mut outcome.faults)
                }
            }
        };
        match &first {
            None => first = Some(outputs),
            Some(first) => parted(first, &outputs, &mut outcome.faults),
        }
    }
    match first {
        Some(outputs) => outcome.outputs = outputs,
        None => outcome.faults.push("the case has no source that can be read".to_owned()),
    }
    outcome
}

fn stage(name: &str) -> Option<&'static Stage> {
    STAGES.iter().find(|stage| stage.name == name)
}

/// Whether a section is one from which a value or program comes.
#[must_use]
pub fn is_source(name: &str) -> bool {
    matches!(stage(name), Some(Stage { role: Role::Source { .. }, .. }))
}

/// Whether a section shows what was computed, refusals included.
#[must_use]
pub fn is_output(name: &str) -> bool {
    stage(name).is_some_and(|stage| stage.role.is_output() || matches!(stage.role, Role::Diagnostic))
}

/// What a section gives a case to work with, as bytes: none for what it must come to.
pub fn input(section: &Section) -> Option<Result<Vec<u8>, String>> {
    match &stage(section.name())?.role {
        Role::Source { bytes, .. } => Some(bytes(&section.content())),
        Role::Options | Role::Calls | Role::Operations | Role::Requests => Some(Ok(section.content().into_bytes())),
        Role::Results
        | Role::Decisions
        | Role::Folded(_)
        | Role::Output { .. }
        | Role::Written(_)
        | Role::Diagnostic => None,
    }
}

/// The case asking for more outputs, each in its place.
#[must_use]
pub fn with_outputs(case: &Case, names: &[&str]) -> Case {
    let mut asking = Case::new("");
    for stage in STAGES {
        let own = case.sections().iter().filter(|section| section.name() == stage.name);
        own.for_each(|section| asking.push(section.name(), &section.content()));
        if names.contains(&stage.name) && case.section(stage.name).is_none() {
            asking.push(stage.name, "");
        }
    }
    asking
}

/// Sections that are unknown, out of order, or there twice.
fn misplaced_sections(case: &Case) -> Vec<String> {
    let mut faults = Vec::new();
    let mut last = 0;
    let mut wants_output = false;
    for section in case.sections() {
        let name = section.name();
        let Some(place) = STAGES.iter().position(|stage| stage.name == name) else {
            faults.push(format!("there is no section `{name}`"));
            continue;
        };
        wants_output |= is_output(name);
        if place < last {
            faults.push(format!("section `{name}` must stand further up"));
        }
        if !is_source(name) && case.sections().iter().filter(|other| other.name() == name).count() > 1 {
            faults.push(format!("section `{name}` is there twice"));
        }
        last = last.max(place);
    }
    if !wants_output {
        faults.push("the case has no output section: add an empty one and bless it".to_owned());
    }
    faults
}

/// Names the outputs in which two sources of one case differ.
fn parted(first: &[(&'static str, String)], other: &[(&'static str, String)], faults: &mut Vec<String>) {
    for ((name, first), (_, other)) in first.iter().zip(other) {
        if first != other {
            faults.push(format!("the sources part in `{name}`:\n{first}\nand\n{other}"));
        }
    }
}

/// One source of a case, about to be run.
pub struct Source<'c> {
    case: &'c Case,
    pub directions: &'c Directions,
    pub bytes: &'c [u8],
}

/// The texts of outputs by their names.
type Outputs = Vec<(&'static str, String)>;

impl Source<'_> {
    fn value(&self, read: Read, law: law::Law, seed: u64, faults: &mut Vec<String>) -> Outputs {
        let mut heap = Heap::new(seed);
        let mark = heap.mark();
        let result = read(&mut heap, self.bytes, &self.directions.read);
        let outputs = self.finish(one(result.clone()), faults, |role, value| match role {
            Role::Output { value: Some(write), .. } => Some(write(&heap, *value, &self.directions.write)),
            Role::Output { value: None, .. } | Role::Results | Role::Decisions | Role::Folded(_) | Role::Written(_) => {
                None
            }
            Role::Options
            | Role::Source { .. }
            | Role::Calls
            | Role::Operations
            | Role::Requests
            | Role::Diagnostic => None,
        });
        law(self, read, &mut heap, mark, &result, faults);
        outputs
    }

    fn program(&self, read: ReadProgram, law: law::ProgramLaw, seed: u64, faults: &mut Vec<String>) -> Outputs {
        let program = read(self.bytes);
        // The laws hold for every program, whatever the verifier says to it.
        if let Ok(program) = &program {
            law(self.bytes, program, faults);
        }
        let calls = self.case.section(CALLS).map(|section| section.content()).unwrap_or_default();
        let requests = self.case.section(REQUESTS).map(|section| section.content()).unwrap_or_default();
        let operations = self.case.section(OPERATIONS).map(|section| section.content()).unwrap_or_default();
        self.finish(program.and_then(|program| one(program.verify())), faults, |role, verified| match role {
            // A line that is no call is shown in the place of the results, where it can't be overlooked.
            Role::Results => {
                Some(Ok(calls::run(verified, &calls, seed).unwrap_or_else(|fault| format!("fault: {fault}"))))
            }
            Role::Decisions => {
                Some(Ok(policy::run(self.bytes, verified, &requests, seed)
                    .unwrap_or_else(|fault| format!("fault: {fault}"))))
            }
            Role::Output { program: Some(write), .. } => Some(write(verified.program())),
            Role::Folded(show) => Some(folds::run(verified, &operations, seed).map(|run| match run {
                Ok(run) => show(&run).to_owned(),
                Err(fault) => format!("fault: {fault}"),
            })),
            Role::Output { program: None, .. } | Role::Written(_) => None,
            Role::Options
            | Role::Source { .. }
            | Role::Calls
            | Role::Operations
            | Role::Requests
            | Role::Diagnostic => None,
        })
    }

    fn wants_tree(&self) -> bool {
        let is_tree = |name: &str| matches!(stage(name), Some(Stage { role: Role::Written(_), .. }));
        self.case.sections().iter().any(|section| is_tree(section.name()))
    }

    fn tree(&self, check: Check, law: law::TreeLaw, faults: &mut Vec<String>) -> Outputs {
        let checked = check(self.bytes);
        law(check, &checked, faults);
        self.finish(checked, faults, |role, tree| match role {
            Role::Written(write) => Some(Ok(write(tree))),
            Role::Output { .. } | Role::Results | Role::Decisions | Role::Folded(_) => None,
            Role::Options
            | Role::Source { .. }
            | Role::Calls
            | Role::Operations
            | Role::Requests
            | Role::Diagnostic => None,
        })
    }

    /// The text of every output that the case asks for, and the refusals on the way.
    fn finish<T>(
        &self,
        result: Result<T, Vec<String>>,
        faults: &mut Vec<String>,
        write: impl Fn(&Role, &T) -> Option<Result<String, Refusal>>,
    ) -> Outputs {
        let subject = match result {
            Ok(subject) => subject,
            Err(refusals) => {
                let outputs = self.no_outputs(faults);
                return self.with_diagnostic(outputs, refusals, faults);
            }
        };
        let (mut outputs, mut diagnostics) = (Vec::new(), Vec::new());
        for Stage { name, role } in STAGES {
            if !role.is_output() || self.case.section(name).is_none() {
                continue;
            }
            match write(role, &subject) {
                Some(Ok(text)) => outputs.push((*name, text)),
                Some(Err(refusal)) => {
                    diagnostics.push(format!("{name}: {refusal}"));
                    outputs.push((*name, REFUSED.to_owned()));
                }
                None => faults.push(format!("this kind of source has no `{name}`")),
            }
        }
        self.with_diagnostic(outputs, diagnostics, faults)
    }

    fn no_outputs(&self, faults: &mut Vec<String>) -> Outputs {
        for Stage { name, role } in STAGES {
            if role.is_output() && self.case.section(name).is_some() {
                faults.push(format!("there is no `{name}`: the source is refused"));
            }
        }
        Vec::new()
    }

    fn with_diagnostic(&self, mut outputs: Outputs, diagnostics: Vec<String>, faults: &mut Vec<String>) -> Outputs {
        let Some(Stage { name, .. }) = STAGES.iter().find(|stage| matches!(stage.role, Role::Diagnostic)) else {
            return outputs;
        };
        match (self.case.section(name).is_some(), diagnostics.is_empty()) {
            (true, false) => outputs.push((*name, diagnostics.join("\n"))),
            (true, true) => faults.push(format!("there is no `{name}`: nothing is refused")),
            (false, false) => {
                faults.push(format!("refused, and the case has no section `{name}`: {}", diagnostics.join("; ")))
            }
            (false, true) => {}
        }
        outputs
    }
}
