//! Generates programs from the templates: every name is declared, every loop ends, and integers stay small.

use crate::templates::*;
use kerai_tests::property::Random;

/// How deep expressions and blocks are nested.
const DEPTH: u32 = 3;
const BLOCKS: u32 = 3;

/// A variable in scope: its kind's letter and its name.
type Variable = (char, String);

pub struct Writer<'r> {
    random: &'r mut Random,
    is_float: bool,
    scope: Vec<Variable>,
    /// So many of them stand outside of the function that is being written, which assigns none of them: stock Lua reads
    /// a local operand when it is needed, which may be after a call beside it.
    outside: usize,
    /// Declared by the statement that is being written.
    pending: Vec<Variable>,
    named: String,
    unique: String,
    count: u32,
    blocks: u32,
    /// Functions of two integers that give one.
    functions: Vec<String>,
}

/// A program, with the pragma for floats or without floats.
pub fn program(random: &mut Random) -> String {
    let is_float = random.below(4) != 0;
    let mut writer = Writer {
        random,
        is_float,
        scope: Vec::new(),
        outside: 0,
        pending: Vec::new(),
        named: String::new(),
        unique: String::new(),
        count: 0,
        blocks: 0,
        functions: Vec::new(),
    };
    let head = if is_float { "--!numeric float\n" } else { "" };
    let mut text = format!("{head}{}{FUNCTIONS}", include_str!("prologue.lua"));
    text.push_str("local i0, t0, b0, l0, m0 = 7, 'Hello World', true, { 3, 1, 2 }, { a = 1, key = 2 }\n");
    writer.scope.extend(
        [('i', "i0"), ('t', "t0"), ('b', "b0"), ('l', "l0"), ('m', "m0")].map(|(kind, name)| (kind, name.to_owned())),
    );
    if is_float {
        text.push_str("local n0 = 2.5\n");
        writer.scope.push(('n', "n0".to_owned()));
    }
    for _ in 0..1 + writer.random.below(3) {
        text.push_str(&writer.function());
    }
    for _ in 0..3 + writer.random.below(8) {
        text.push_str(&writer.statement());
    }
    text.push_str("put(i0, t0, b0, l0, m0)\nreturn table.concat(out, '\\n')\n");
    text
}

impl Writer<'_> {
    /// A function of its own, local or global, which sees what stands before it.
    fn function(&mut self) -> String {
        self.count += 1;
        let name = format!("f{}", self.count);
        let seen = self.scope.len();
        self.outside = seen;
        let sees = self.random.below(2) == 0;
        let kept = if sees { Vec::new() } else { std::mem::take(&mut self.scope) };
        self.scope.extend([('i', "a".to_owned()), ('i', "b".to_owned())]);
        for (kind, name) in [('t', "'fixed'"), ('b', "true"), ('l', "{ 1, 2 }"), ('m', "{ a = 1 }"), ('n', "0.5")] {
            if !sees {
                self.scope.push((kind, format!("({name})")));
            }
        }
        self.blocks += 1;
        let body = if sees { self.block() } else { String::new() };
        self.blocks -= 1;
        let value = self.expression('i', DEPTH);
        let head = if self.random.below(2) == 0 { "local function" } else { "function" };
        let text = match self.random.below(4) {
            0 => format!("local {name} = function(a, b) {body} return ({value}) % 1009, a end\n"),
            1 => format!("{head} {name}(a, b, ...) {body} if ... then return ... end return ({value}) % 1009 end\n"),
            _ => format!("{head} {name}(a, b) {body} return ({value}) % 1009 end\n"),
        };
        if sees {
            self.scope.truncate(seen)
        } else {
            self.scope = kept
        }
        self.outside = 0;
        self.functions.push(name);
        text
    }

    fn block(&mut self) -> String {
        let open = self.scope.len();
        let new = std::mem::take(&mut self.pending);
        self.scope.extend(new);
        self.blocks += 1;
        let (named, unique) = (self.named.clone(), self.unique.clone());
        let count = if self.blocks > BLOCKS { 1 } else { 1 + self.random.below(2) };
        let text: String = (0..count).map(|_| self.statement()).collect();
        (self.named, self.unique) = (named, unique);
        self.blocks -= 1;
        self.scope.truncate(open);
        format!("\n{text}")
    }

    fn statement(&mut self) -> String {
        let kept = std::mem::take(&mut self.pending);
        let template = loop {
            let template = if self.is_float && self.random.below(6) == 0 {
                *self.random.pick(STATEMENTS_FROM_FLOATS)
            } else {
                *self.random.pick(STATEMENTS)
            };
            if self.blocks <= BLOCKS || !template.contains("$B") {
                break template;
            }
        };
        // A name that is not visible outside is enough for what is declared within a function.
        if self.blocks > 0 && template.contains("global_$U") {
            self.pending = kept;
            return "\n".to_owned();
        }
        let text = self.filled(template, DEPTH);
        let new = std::mem::replace(&mut self.pending, kept);
        self.scope.extend(new);
        format!("{text}\n")
    }

    fn expression(&mut self, kind: char, depth: u32) -> String {
        let is_plain = depth == 0 || self.random.below(4) == 0;
        let chosen: &[&str] = match (kind, is_plain) {
            ('i', true) => PLAIN_INTEGERS,
            ('i', false) if self.is_float && self.random.below(8) == 0 => FROM_FLOATS,
            ('i', false) => INTEGERS,
            ('n', true) => PLAIN_FLOATS,
            ('n', false) => FLOATS,
            ('t', true) => PLAIN_TEXTS,
            ('t', false) if self.is_float && self.random.below(8) == 0 => TEXTS_FROM_FLOATS,
            ('t', false) => TEXTS,
            ('b', true) => PLAIN_TRUTHS,
            ('b', false) if self.is_float && self.random.below(6) == 0 => TRUTHS_FROM_FLOATS,
            ('b', false) => TRUTHS,
            ('l', false) => LISTS,
            ('m', false) => MAPS,
            _ => return self.variable(kind),
        };
        let template = *self.random.pick(chosen);
        match template.strip_prefix('$') {
            // A kind alone is a variable of it.
            Some(letter) if letter.len() == 1 && letter.starts_with(kind) => self.variable(kind),
            _ if is_plain => self.filled(template, 0),
            _ => format!("({})", self.filled(template, depth.saturating_sub(1))),
        }
    }

    fn variable(&mut self, kind: char) -> String {
        let names: Vec<&String> = self.scope.iter().filter(|(is, _)| *is == kind).map(|(_, name)| name).collect();
        names
            .get(self.random.below(names.len().max(1) as u64) as usize)
            .map_or_else(|| "nil".to_owned(), |name| (*name).clone())
    }

    /// A variable that may be assigned.
    fn assignable(&mut self, kind: char) -> String {
        let inside = self.scope.get(self.outside..).unwrap_or_default();
        let names: Vec<String> = inside.iter().filter(|(is, _)| *is == kind).map(|(_, name)| name.clone()).collect();
        if names.is_empty() { format!("global_{kind}") } else { self.random.pick(&names).clone() }
    }

    fn new_variable(&mut self, kind: char) -> String {
        self.count += 1;
        let name = format!("{kind}{}", self.count);
        self.pending.push((kind, name.clone()));
        name
    }

    fn filled(&mut self, template: &str, depth: u32) -> String {
        let mut text = String::new();
        let mut letters = template.chars();
        while let Some(letter) = letters.next() {
            if letter != '$' {
                text.push(letter);
                continue;
            }
            let part = match letters.next() {
                Some('k') => (1 + self.random.below(9)).to_string(),
                Some('c') => (*self.random.pick(&["a", "b", "key", "id", "zz"])).to_owned(),
                Some('q') => format!("'{}'", self.random.pick(&["a", "bc", "x y", "A1", "-", "k=v", "(b)"])),
                Some('p') => (*self.random.pick(PATTERNS)).to_owned(),
                Some('e') => {
                    (*self.random.pick(&["tostring", "type", "math.abs", "error", "function(x) return x, x end"]))
                        .to_owned()
                }
                Some('f') => self.call(depth),
                Some('B') => self.block(),
                Some('U') => {
                    self.count += 1;
                    self.unique = format!("u{}", self.count);
                    self.unique.clone()
                }
                Some('V') => self.unique.clone(),
                Some('R') => self.named.clone(),
                Some('X') => {
                    let kind = letters.next().unwrap_or('i');
                    self.named = self.assignable(kind);
                    self.named.clone()
                }
                Some('N') => {
                    let kind = letters.next().unwrap_or('i');
                    self.new_variable(kind)
                }
                Some(kind) if "intblm".contains(kind) => self.expression(kind, depth),
                Some(other) => format!("${other}"),
                None => String::new(),
            };
            text.push_str(&part);
        }
        text
    }

    fn call(&mut self, depth: u32) -> String {
        let depth = depth.saturating_sub(1);
        let (a, b) = (self.expression('i', depth), self.expression('i', depth));
        if self.functions.is_empty() {
            return format!("({a})");
        }
        let name = self.random.pick(&self.functions).clone();
        format!("{name}({a}, {b})")
    }
}
