//! A script with many assertions. It is one program, so what kerai refuses or answers otherwise is found statement by
//! statement, judged, and left out, until the rest runs through.

#![expect(clippy::wildcard_enum_match_arm, reason = "each look at a tree is about a few of its forms")]

use kerai_compiler::Span;
use kerai_compiler::syntax::lua::library::Library;
use kerai_compiler::syntax::lua::parse;
use kerai_compiler::syntax::lua::tree::{Block, Expression, ExpressionKind, Statement, StatementKind};
use kerai_golden::MAP_SEED;
use kerai_tests::differences::explained;
use kerai_tests::lua::{self, Ending};
use kerai_tests::walk::{self, Visitor};
use kerai_vm::trap::TrapCode;
use mlua::{HookTriggers, Lua, VmState};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, Ordering};

/// What stands before every script.
const ADAPTER: &str = include_str!("adapter.lua");

/// What stands before a script on stock Lua, in place of the adapter.
const ON_STOCK: &str = "local function print() end local __find = string.find\n";

/// A script that takes longer on stock Lua says nothing.
const MOST_INSTRUCTIONS: i64 = 100_000_000;
const STRIDE: u32 = 10_000;

/// Statements that stock Lua may fail at before the one in question.
const MOST_BEFORE: usize = 40;

pub struct Script {
    body: String,
    /// What stands before the script.
    head: String,
    /// Variables that its functions assign, and nothing declares.
    declared: BTreeSet<String>,
    lost: Vec<Lost>,
    is_over: bool,
}

/// A name that has another value than stock Lua gives it, where it has, with the difference behind it.
struct Lost {
    name: String,
    within: Span,
    /// Where it was lost.
    at: u32,
    /// Whether the statement that gave it its value is left out, so that stock Lua misses the value as well.
    is_gone: bool,
    difference: &'static str,
}

/// A statement that does not run, and why.
pub struct LeftOut {
    pub line: usize,
    pub text: String,
    pub ending: String,
    /// The difference that explains it; a failure where none does.
    pub difference: Option<&'static str>,
}

/// A text as UTF-8: bytes that are none are written as the escapes of a string.
pub fn as_text(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\{byte:03}")));
    }
    text
}

impl Script {
    pub fn new(bytes: &[u8]) -> Script {
        let body = as_text(bytes);
        // A first line for a shell is no Lua once something stands before it.
        let body = if body.starts_with('#') { format!("--{body}") } else { body };
        let body = without_messages(body);
        let codes: Vec<String> = TrapCode::ALL.iter().map(|code| format!("{} = true", code.name())).collect();
        let head = format!("{ADAPTER}__codes = {{ {} }}\n", codes.join(", "));
        Script { body, head, declared: BTreeSet::new(), lost: Vec::new(), is_over: false }
    }

    /// What stands before the script: the adapter, and the variables that it does not declare.
    fn prefix(&self) -> String {
        let declared = self.declared.iter().map(|name| format!("{name} = nil; ")).collect::<String>();
        format!("{}{declared}\n", self.head)
    }

    /// How many assertions are in it.
    pub fn assertions(&self) -> u64 {
        struct Count(u64);
        impl Visitor for Count {
            fn expression(&mut self, expression: &Expression) {
                self.0 += u64::from(matches!(&expression.kind, ExpressionKind::Name(name) if &*name.text == "assert"));
            }
        }
        let mut count = Count(0);
        walk::block(&parse(&self.body).chunk.body, true, &mut count);
        count.0
    }

    /// Runs what is left; gives the statement that has to be left out then, or nothing where it ran through.
    pub fn advance(&mut self) -> Option<LeftOut> {
        if self.is_over {
            return None;
        }
        let ending = self.run();
        let chunk = parse(&self.body).chunk;
        let mut units = Vec::new();
        units_of(&chunk.body, &mut units);
        let found = match &ending {
            Ending::Gave(_) => return None,
            Ending::Refused(found) => self.refused(found, &units),
            Ending::Trapped(code, _) if code.is_resource() => self.last_straw(&chunk.body).map(|unit| (unit, None)),
            Ending::Trapped(..) => self.located(&units).map(|unit| (unit, None)),
            Ending::Broken(_) => None,
        };
        let Some((unit, because)) = found else {
            self.is_over = true;
            return Some(LeftOut {
                line: 0,
                text: "the whole script".to_owned(),
                ending: format!("{ending:?}"),
                difference: None,
            });
        };
        let unit = unit.clone();
        let text = unit.span.text(&self.body).to_owned();
        let names = mentioned(&unit);
        let reach = reach(&text, &names, &chunk.body, &self.body);
        let follows = || self.follows(&unit, &names, &units, &chunk.body);
        let by = |text: &str| explained(text, &ending).map(|difference| difference.name);
        let holes = || {
            let tables = tables(&names, &units, unit.span.start, &self.body);
            explained(&tables, &ending).filter(|found| found.name == "the length is the least border")
        };
        let difference = because
            .or_else(|| by(&text))
            .or_else(follows)
            .or_else(|| by(&reach))
            .or_else(|| holes().map(|found| found.name));
        let line = self.body.get(..unit.span.start as usize).unwrap_or_default().lines().count();
        self.lose(&unit, &ending, difference.unwrap_or("a failure"), &chunk.body);
        blank(&mut self.body, unit.span);
        Some(LeftOut { line, text, ending: format!("{ending:?}"), difference })
    }

    /// What is left, behind what has to stand before it.
    pub fn text(&self) -> String {
        format!("{}{}", self.prefix(), self.body)
    }

    /// Runs what is left, with the variables declared that only functions assign.
    fn run(&mut self) -> Ending {
        loop {
            let text = self.text();
            let ending = lua::run(&text, MAP_SEED);
            let Ending::Refused(found) = &ending else { return ending };
            let before = self.declared.len();
            let unknown = found.iter().filter(|(code, ..)| ["LUA_ASSIGNED", "LUA_UNDEFINED"].contains(code));
            let names = unknown.map(|(_, span, _)| span.text(&text).to_owned());
            self.declared.extend(names.filter(|name| !self.lost.iter().any(|lost| lost.name == *name)));
            if self.declared.len() == before {
                return ending;
            }
        }
    }

    /// Notes which names have no value now, or another one.
    fn lose(&mut self, unit: &Statement, ending: &Ending, difference: &'static str, body: &Block) {
        let whole = Span::new(0, u32::try_from(self.body.len()).unwrap_or(u32::MAX));
        let top =
            body.statements.iter().find(|statement| contains(statement.span, unit.span) && statement.span != unit.span);
        let local: BTreeSet<String> = top.map(declared).into_iter().flatten().collect();
        let gone: BTreeSet<String> = assigned(unit).into_iter().collect();
        let mut names = gone.clone();
        // What an assertion that fails speaks of has another value; functions are what they are.
        if matches!(ending, Ending::Trapped(..)) {
            let functions = functions(body);
            names.extend(mentioned(unit).into_iter().filter(|name| !functions.contains(name)));
        }
        let library = Library::new();
        for name in names.into_iter().filter(|name| local.contains(name) || library.get(name).is_none()) {
            let within = top.filter(|_| local.contains(&name)).map_or(whole, |top| top.span);
            let is_gone = gone.contains(&name);
            self.lost.push(Lost { name, within, at: unit.span.start, is_gone, difference });
        }
    }

    /// The difference behind what was left out, where stock Lua fails at the same statement once the same is left out;
    /// or behind a name that has another value, directly or by names that were made of it.
    fn follows(
        &self,
        unit: &Statement,
        names: &BTreeSet<String>,
        units: &[&Statement],
        body: &Block,
    ) -> Option<&'static str> {
        let spoils = |lost: &&Lost| {
            let mut spoiled = BTreeSet::from([lost.name.clone()]);
            let between = |other: &&&Statement| {
                contains(lost.within, other.span) && (lost.at..unit.span.start).contains(&other.span.start)
            };
            for other in units.iter().filter(between) {
                if !mentioned(other).is_disjoint(&spoiled) {
                    spoiled.extend(assigned(other));
                } else if body.statements.iter().any(|statement| statement.span == other.span) {
                    // A value of its own, given at the top level, makes a name good again.
                    renewed(other).iter().for_each(|name| _ = spoiled.remove(name));
                }
            }
            !names.is_disjoint(&spoiled)
        };
        let before = || self.lost.iter().filter(|lost| contains(lost.within, unit.span) && lost.at < unit.span.start);
        let by_value = before().filter(|lost| !lost.is_gone).find(spoils);
        let gone = || before().rfind(|lost| lost.is_gone).filter(|_| self.fails_on_stock(unit, units));
        by_value.or_else(gone).map(|lost| lost.difference)
    }

    /// Whether stock Lua does not get past a statement either, with the same left out, and what it fails at before.
    fn fails_on_stock(&self, unit: &Statement, units: &[&Statement]) -> bool {
        let mut body = self.body.clone();
        for _ in 0..MOST_BEFORE {
            let Some(at) = fails_at(&marked_after(ON_STOCK, &body, units, &BTreeSet::new()), units) else {
                return false;
            };
            if at.span == unit.span || at.span.start > unit.span.start {
                return at.span == unit.span;
            }
            blank(&mut body, at.span);
        }
        false
    }

    /// The statement that the first refusal is about; what a name that is missing now was left out for.
    fn refused<'u>(
        &self,
        found: &[(&'static str, Span, String)],
        units: &[&'u Statement],
    ) -> Option<(&'u Statement, Option<&'static str>)> {
        let offset = u32::try_from(self.prefix().len()).ok()?;
        let (_, span, _) = found.first()?;
        let span = Span::new(span.start.checked_sub(offset)?, span.end.checked_sub(offset)?);
        let name = span.text(&self.body);
        let because = self.lost.iter().find(|lost| lost.name == name).map(|lost| lost.difference);
        let unit = units.iter().rev().find(|unit| contains(unit.span, span))?;
        Some((unit, because))
    }

    /// The statement under way when the script traps: it is run again, caught, with marks between its statements.
    fn located<'u>(&self, units: &[&'u Statement]) -> Option<&'u Statement> {
        let mut declared: BTreeSet<String> = BTreeSet::new();
        loop {
            let text = self.marked(units, &declared);
            match lua::run(&text, MAP_SEED) {
                Ending::Gave(values) => {
                    let place: usize = values
                        .first()?
                        .strip_prefix("float(")
                        .map_or(values.first()?.as_str(), |text| text.trim_end_matches(')'))
                        .parse()
                        .ok()?;
                    return units.get(place.checked_sub(1)?).copied();
                }
                Ending::Refused(found) => {
                    let before = declared.len();
                    declared.extend(found.iter().map(|(_, span, _)| span.text(&text).to_owned()));
                    if declared.len() == before {
                        return None;
                    }
                }
                Ending::Trapped(..) | Ending::Broken(_) => return None,
            }
        }
    }

    /// The statement at the top level with which the script comes to pass a limit: that can't be caught.
    fn last_straw<'u>(&self, body: &'u Block) -> Option<&'u Statement> {
        let passes = |statement: &Statement| {
            let part = self.body.get(..statement.span.end as usize).unwrap_or_default();
            matches!(lua::run(&format!("{}{part}", self.prefix()), MAP_SEED), Ending::Trapped(code, _) if code.is_resource())
        };
        let place = body.statements.partition_point(|statement| !passes(statement));
        body.statements.get(place)
    }

    fn marked(&self, units: &[&Statement], declared: &BTreeSet<String>) -> String {
        marked_after(&self.prefix(), &self.body, units, declared)
    }
}

/// A script behind a head, with marks between its statements.
fn marked_after(head: &str, body: &str, units: &[&Statement], declared: &BTreeSet<String>) -> String {
    let mut text = format!("{head}local __unit = 0\n");
    if !declared.is_empty() {
        text.push_str(&format!("local {}\n", declared.iter().map(String::as_str).collect::<Vec<_>>().join(", ")));
    }
    text.push_str("local __ok, __error = pcall(function(...)\n");
    let mut from = 0;
    for (unit, number) in units.iter().zip(1..) {
        let at = unit.span.start as usize;
        text.push_str(body.get(from..at).unwrap_or_default());
        text.push_str(&format!(" __unit = {number}; "));
        from = at;
    }
    text.push_str(body.get(from..).unwrap_or_default());
    text.push_str("\nend)\nreturn __unit, __ok, __error\n");
    text
}

/// The statement that a marked script fails at on stock Lua; none where it comes to its end, or says nothing.
fn fails_at<'u>(text: &str, units: &[&'u Statement]) -> Option<&'u Statement> {
    let lua = Lua::new();
    let left = AtomicI64::new(MOST_INSTRUCTIONS);
    let hook = move |_: &Lua, _: &mlua::debug::Debug| match left.fetch_sub(STRIDE.into(), Ordering::Relaxed) {
        0.. => Ok(VmState::Continue),
        _ => Err(mlua::Error::runtime("too long")),
    };
    lua.set_hook(HookTriggers::new().every_nth_instruction(STRIDE), hook).ok()?;
    let (place, is_past): (usize, bool) = lua.load(text).eval().ok()?;
    if is_past { None } else { units.get(place.checked_sub(1)?).copied() }
}

/// Leaves a statement out.
fn blank(body: &mut String, span: Span) {
    let blank: String = span.text(body).bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
    body.replace_range(span.start as usize..span.end as usize, &blank);
}

const fn contains(outer: Span, inner: Span) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

/// Has what an error says compared by a function that takes a trap's code for any message.
fn without_messages(body: String) -> String {
    let caught: BTreeSet<String> = body
        .split("pcall")
        .filter_map(|before| {
            before.trim_end().strip_suffix('=')?.trim_end().rsplit([',', ' ']).next().map(str::to_owned)
        })
        .filter(|name| !name.is_empty())
        .collect();
    caught.iter().fold(body, |body, name| body.replace(&format!("string.find({name},"), &format!("__find({name},")))
}

/// Statements outside of functions, each before those within it.
fn units_of<'t>(block: &'t Block, units: &mut Vec<&'t Statement>) {
    for statement in &block.statements {
        units.push(statement);
        match &statement.kind {
            StatementKind::Do(body)
            | StatementKind::While { body, .. }
            | StatementKind::Repeat { body, .. }
            | StatementKind::NumericFor { body, .. }
            | StatementKind::GenericFor { body, .. } => units_of(body, units),
            StatementKind::If { arms, otherwise } => {
                arms.iter().for_each(|arm| units_of(&arm.body, units));
                otherwise.iter().for_each(|body| units_of(body, units));
            }
            _ => {}
        }
    }
}

/// A statement's text with that of the functions that it names, and those that these name.
fn reach(text: &str, names: &BTreeSet<String>, body: &Block, source: &str) -> String {
    let mut units = Vec::new();
    units_of(body, &mut units);
    let (mut text, mut names) = (text.to_owned(), names.clone());
    let mut is_taken = vec![false; units.len()];
    loop {
        let next = units.iter().enumerate().find(|(place, unit)| {
            let is_function = match &unit.kind {
                StatementKind::Function { target, .. } => names.contains(&*target.base.text),
                StatementKind::LocalFunction { name, .. } => names.contains(&*name.text),
                _ => false,
            };
            is_function && !is_taken.get(*place).copied().unwrap_or(true)
        });
        let Some((place, unit)) = next else { return text };
        is_taken.iter_mut().skip(place).take(1).for_each(|taken| *taken = true);
        text.push('\n');
        text.push_str(unit.span.text(source));
        names.extend(mentioned(unit));
    }
}

/// The statements that last gave tables to names, or to those of which their values were made, before a place.
fn tables(names: &BTreeSet<String>, units: &[&Statement], before: u32, source: &str) -> String {
    let is_table = |unit: &&&Statement| match &unit.kind {
        StatementKind::Local { values, .. } | StatementKind::Assign { values, .. } => {
            unit.span.start < before && matches!(values.as_slice(), [Expression { kind: ExpressionKind::Table(_), .. }])
        }
        _ => false,
    };
    let made = |name: &String| {
        let mut earlier = units.iter().rev().filter(|unit| unit.span.start < before);
        earlier.find(|unit| renewed(unit).contains(name)).map(|unit| mentioned(unit))
    };
    let mut behind = names.clone();
    behind.extend(names.iter().filter_map(made).flatten());
    let last = |name: &String| units.iter().rev().filter(is_table).find(|unit| renewed(unit).contains(name));
    behind.iter().filter_map(last).map(|unit| unit.span.text(source)).collect::<Vec<_>>().join("\n")
}

/// The names that a statement gives values, or whose tables it hands on.
fn assigned(statement: &Statement) -> Vec<String> {
    struct Assigned(Vec<String>);
    impl Visitor for Assigned {
        fn statement(&mut self, statement: &Statement, _: bool) {
            match &statement.kind {
                StatementKind::Assign { targets, .. } => self.0.extend(targets.iter().filter_map(base)),
                StatementKind::Function { target, .. } => self.0.push(target.base.text.to_string()),
                StatementKind::LocalFunction { name, .. } => self.0.push(name.text.to_string()),
                StatementKind::Call(call) => {
                    self.0.extend(call.arguments.iter().filter_map(base));
                    self.0.extend(base(&call.function).filter(|_| call.method.is_some()));
                }
                StatementKind::Local { names, .. } => {
                    self.0.extend(names.iter().map(|local| local.name.text.to_string()));
                }
                _ => {}
            }
        }
    }
    let mut names = Assigned(Vec::new());
    walk::statement(statement, true, &mut names);
    names.0
}

/// The names that a statement gives values, and that it does nothing else with.
fn renewed(statement: &Statement) -> Vec<String> {
    match &statement.kind {
        StatementKind::Assign { targets, .. } => {
            let is_name = |target: &&Expression| matches!(target.kind, ExpressionKind::Name(_));
            targets.iter().filter(is_name).filter_map(base).collect()
        }
        StatementKind::Local { names, .. } => names.iter().map(|local| local.name.text.to_string()).collect(),
        _ => Vec::new(),
    }
}

/// The names that a statement and those within it declare as locals.
fn declared(statement: &Statement) -> Vec<String> {
    struct Declared(Vec<String>);
    impl Visitor for Declared {
        fn statement(&mut self, statement: &Statement, _: bool) {
            match &statement.kind {
                StatementKind::LocalFunction { name, .. } | StatementKind::NumericFor { variable: name, .. } => {
                    self.0.push(name.text.to_string());
                }
                StatementKind::GenericFor { names, .. } => {
                    self.0.extend(names.iter().map(|name| name.text.to_string()));
                }
                StatementKind::Local { names, .. } => {
                    self.0.extend(names.iter().map(|local| local.name.text.to_string()));
                }
                _ => {}
            }
        }
    }
    let mut names = Declared(Vec::new());
    walk::statement(statement, true, &mut names);
    names.0
}

/// The names of functions.
fn functions(body: &Block) -> BTreeSet<String> {
    struct Functions(BTreeSet<String>);
    impl Visitor for Functions {
        fn statement(&mut self, statement: &Statement, _: bool) {
            match &statement.kind {
                StatementKind::LocalFunction { name, .. } => _ = self.0.insert(name.text.to_string()),
                StatementKind::Function { target, .. } => _ = self.0.insert(target.base.text.to_string()),
                _ => {}
            }
        }
    }
    let mut names = Functions(BTreeSet::new());
    walk::block(body, true, &mut names);
    names.0
}

/// The name that an assignment's target begins with.
fn base(target: &Expression) -> Option<String> {
    match &target.kind {
        ExpressionKind::Name(name) => Some(name.text.to_string()),
        ExpressionKind::Field { table, .. } | ExpressionKind::Index { table, .. } => base(table),
        _ => None,
    }
}

/// All names in a statement.
fn mentioned(statement: &Statement) -> BTreeSet<String> {
    struct Mentioned(BTreeSet<String>);
    impl Visitor for Mentioned {
        fn expression(&mut self, expression: &Expression) {
            if let ExpressionKind::Name(name) = &expression.kind {
                self.0.insert(name.text.to_string());
            }
        }
    }
    let mut names = Mentioned(BTreeSet::new());
    walk::statement(statement, true, &mut names);
    names.0
}
