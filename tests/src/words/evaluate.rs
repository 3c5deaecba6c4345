//! A second meaning of words: a stack and a loop over terms, as anyone would run them by hand. It knows nothing of how
//! they are lowered; values, built-ins and the arithmetic of single numbers are those of the evaluator of the IR.
//!
//! A definition may only reach as far down as its effect says, and must leave what that says.

use super::program::{Program, Term, Tree};
use crate::evaluator::{Evaluator, Key, Stop, Table, Value, binary, negate};
use kerai_compiler::ir::{Binary, Ir};
use kerai_compiler::lower::words::{Effect, Kind};
use kerai_vm::bytecode::{Builtin, ProgramKind};
use kerai_vm::trap::TrapCode;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Why a program does not go on.
#[derive(Debug)]
pub enum Halt {
    Stop(Stop),
    /// What no checked program does: it finds less than its effect says, or leaves something else.
    Broken(String),
}

impl<T: Into<Stop>> From<T> for Halt {
    fn from(stop: T) -> Halt {
        Halt::Stop(stop.into())
    }
}

type Outcome<T = ()> = Result<T, Halt>;

/// An item: a value, or a bracket of which nobody knows yet whether it is data or code.
#[derive(Debug, Clone)]
enum Item<'p> {
    Value(Value),
    Bracket(&'p Term, Scope<'p>),
}

type Scope<'p> = Rc<BTreeMap<&'p str, Item<'p>>>;

/// A run of a program's words.
pub struct Run<'p> {
    program: &'p Program,
    effects: &'p BTreeMap<String, Effect>,
    pub values: Evaluator<'p>,
    stack: Vec<Item<'p>>,
    /// Items below this one belong to someone else.
    floor: usize,
    depth: u32,
    /// Whether a definition was given what it does not take, which nobody knew before: then it need not leave what it says.
    pub is_loose: bool,
}

/// Programs of nothing, for the evaluator of values.
#[must_use]
pub fn nothing() -> Ir {
    Ir::new(ProgramKind::Words)
}

const DEEPEST: u32 = 150;

impl<'p> Run<'p> {
    #[must_use]
    pub fn new(
        program: &'p Program,
        effects: &'p BTreeMap<String, Effect>,
        nothing: &'p Ir,
        tables: Vec<Table>,
        fuel: u64,
    ) -> Run<'p> {
        let values = Evaluator::new(nothing, tables, fuel);
        Run { program, effects, values, stack: Vec::new(), floor: 0, depth: 0, is_loose: false }
    }

    /// Runs a definition, or `main`, on arguments.
    ///
    /// # Errors
    /// What ends it.
    pub fn call(&mut self, name: &str, arguments: Vec<Value>) -> Outcome<Vec<Value>> {
        self.stack = arguments.into_iter().map(Item::Value).collect();
        if name == "main" {
            let program = self.program;
            self.terms(&program.main, &Scope::default())?;
        } else {
            self.defined(name)?;
        }
        (0..self.stack.len()).try_for_each(|at| self.settle(at))?;
        Ok(self
            .stack
            .drain(..)
            .filter_map(|item| if let Item::Value(value) = item { Some(value) } else { None })
            .collect())
    }

    fn defined(&mut self, name: &str) -> Outcome {
        let program = self.program;
        let (Some(definition), Some(effect)) =
            (program.definitions.iter().find(|definition| definition.name == name), self.effects.get(name))
        else {
            return Err(Halt::Broken(format!("`{name}` has no effect")));
        };
        let (takes, leaves) = (effect.takes.len(), effect.leaves.len());
        let Some(start) = self.stack.len().checked_sub(takes).filter(|&start| start >= self.floor) else {
            return Err(Halt::Broken(format!("`{name}` takes {takes}, and finds less")));
        };
        (start..self.stack.len()).try_for_each(|at| self.settle(at))?;
        for (item, &kind) in self.stack.iter().skip(start).zip(&effect.takes) {
            self.is_loose |= !matches!(item, Item::Value(value) if is_of(&self.values, value, kind));
        }
        let floor = std::mem::replace(&mut self.floor, start);
        let mut scope = BTreeMap::new();
        for name in definition.names.iter().rev() {
            scope.insert(&**name, self.item()?);
        }
        self.deeper(|run| run.terms(&definition.body, &Rc::new(scope)))?;
        self.floor = floor;
        if self.stack.len() != start + leaves {
            let left = self.stack.len() - start;
            return Err(Halt::Broken(format!("`{name}` should leave {leaves}, and leaves {left}")));
        }
        (start..self.stack.len()).try_for_each(|at| self.settle(at))
    }

    fn deeper(&mut self, run: impl FnOnce(&mut Self) -> Outcome) -> Outcome {
        if self.depth == DEEPEST {
            return Err(Stop::Unknown.into());
        }
        self.depth += 1;
        let result = run(self);
        self.depth -= 1;
        result
    }

    fn terms(&mut self, terms: &'p [Term], scope: &Scope<'p>) -> Outcome {
        terms.iter().try_for_each(|term| self.term(term, scope))
    }

    fn term(&mut self, term: &'p Term, scope: &Scope<'p>) -> Outcome {
        self.values.burn(1)?;
        match term {
            Term::Number(number, _) => self.push(Value::Number(*number)),
            Term::Text(text) => self.push(Value::String(text.as_slice().into())),
            Term::List(_) | Term::Map(_) | Term::Code(..) => self.stack.push(Item::Bracket(term, Rc::clone(scope))),
            Term::Section(_, tree) => return self.tree(tree, scope),
            Term::Word(word) => match scope.get(&**word) {
                Some(item) => self.stack.push(item.clone()),
                None if self.effects.contains_key(word) => return self.defined(word),
                None => return self.word(word),
            },
        }
        Ok(())
    }

    fn tree(&mut self, tree: &'p Tree, scope: &Scope<'p>) -> Outcome {
        match tree {
            Tree::Leaf(leaf) => self.term(leaf, scope),
            Tree::Apply(word, arguments) => {
                arguments.iter().try_for_each(|argument| self.tree(argument, scope))?;
                if self.effects.contains_key(word) { self.defined(word) } else { self.word(word) }
            }
        }
    }

    fn push(&mut self, value: Value) {
        self.stack.push(Item::Value(value));
    }

    fn truth(&mut self, truth: bool) {
        self.push(Value::Bool(truth));
    }

    /// The item on the top, which there is.
    fn item(&mut self) -> Outcome<Item<'p>> {
        if self.stack.len() <= self.floor {
            return Err(Halt::Broken("a word finds nothing on the stack".to_owned()));
        }
        self.stack.pop().ok_or_else(|| Halt::Broken("the stack is empty".to_owned()))
    }

    /// So many items, the top last.
    fn items<const N: usize>(&mut self) -> Outcome<[Item<'p>; N]> {
        let mut items = [const { Item::Value(Value::Nil) }; N];
        for place in items.iter_mut().rev() {
            *place = self.item()?;
        }
        Ok(items)
    }

    fn take<const N: usize>(&mut self) -> Outcome<[Value; N]> {
        let mut values = [const { Value::Nil }; N];
        for (place, item) in values.iter_mut().zip(self.items::<N>()?) {
            *place = self.value(item)?;
        }
        Ok(values)
    }

    /// A bracket on the stack becomes data.
    fn settle(&mut self, at: usize) -> Outcome {
        let Some(item) = self.stack.get(at).cloned() else { return Ok(()) };
        let value = self.value(item)?;
        if let Some(place) = self.stack.get_mut(at) {
            *place = Item::Value(value);
        }
        Ok(())
    }

    fn value(&mut self, item: Item<'p>) -> Outcome<Value> {
        match item {
            Item::Value(value) => Ok(value),
            Item::Bracket(term, scope) => self.data(term, &scope),
        }
    }

    /// What a bracket is as data: words in it are texts, unless they name an item.
    fn data(&mut self, term: &'p Term, scope: &Scope<'p>) -> Outcome<Value> {
        let items = match term {
            Term::Map(entries) => {
                let mut table = Table::default();
                for (key, value) in entries {
                    let value = self.datum(value, scope)?;
                    table.put(Key::String(key.as_bytes().into()), value);
                }
                return Ok(self.values.new_table(table));
            }
            Term::List(items) | Term::Code(_, items) => items,
            Term::Number(..) | Term::Text(_) | Term::Word(_) | Term::Section(..) => return self.datum(term, scope),
        };
        let mut values = Vec::new();
        for item in items {
            let value = self.datum(item, scope)?;
            // What a name stands for may be known before it runs, or not, and nil is kept or left out by that.
            if value.is_nil() && *item != Term::Word("nil".to_owned()) {
                return Err(Stop::Unknown.into());
            }
            values.push(value);
        }
        Ok(self.values.new_table(Table::list(values)))
    }

    fn datum(&mut self, term: &'p Term, scope: &Scope<'p>) -> Outcome<Value> {
        match term {
            Term::Number(number, _) => Ok(Value::Number(*number)),
            Term::Text(text) => Ok(Value::String(text.as_slice().into())),
            Term::Word(word) => match (scope.get(&**word), &**word) {
                (Some(item), _) => self.value(item.clone()),
                (None, "true") => Ok(Value::Bool(true)),
                (None, "false") => Ok(Value::Bool(false)),
                (None, "nil") => Ok(Value::Nil),
                (None, word) => Ok(Value::text(word)),
            },
            Term::List(_) | Term::Map(_) | Term::Code(..) => self.data(term, scope),
            Term::Section(_, tree) => {
                self.tree(tree, scope)?;
                let [value] = self.take()?;
                Ok(value)
            }
        }
    }

    /// Runs a quotation.
    fn run(&mut self, code: &Item<'p>) -> Outcome {
        let Item::Bracket(term, scope) = code else {
            return Err(Halt::Broken("a word that runs a quotation finds a value".to_owned()));
        };
        let (names, terms): (&[String], _) = match term {
            Term::Code(names, terms) => (names, terms),
            Term::List(terms) => (&[], terms),
            _ => return Err(Halt::Broken("a map is no code".to_owned())),
        };
        let mut scope = Rc::clone(scope);
        if !names.is_empty() {
            let mut named = (*scope).clone();
            for name in names.iter().rev() {
                named.insert(name, self.item()?);
            }
            scope = Rc::new(named);
        }
        self.deeper(|run| run.terms(terms, &scope))
    }

    /// The values that a loop visits.
    fn visited(&mut self) -> Outcome<Vec<Value>> {
        let [table] = self.take()?;
        Ok(self.values.map_mut(&table)?.entries.values().cloned().collect())
    }

    fn word(&mut self, word: &str) -> Outcome {
        match word {
            "dup" => {
                let [a] = self.items()?;
                self.stack.extend([a.clone(), a]);
            }
            "drop" => drop(self.item()?),
            "swap" => {
                let [a, b] = self.items()?;
                self.stack.extend([b, a]);
            }
            "over" => {
                let [a, b] = self.items()?;
                self.stack.extend([a.clone(), b, a]);
            }
            "rot" => {
                let [a, b, c] = self.items()?;
                self.stack.extend([b, c, a]);
            }
            "nip" => {
                let [_, b] = self.items()?;
                self.stack.push(b);
            }
            "tuck" => {
                let [a, b] = self.items()?;
                self.stack.extend([b.clone(), a, b]);
            }
            "clear" => self.stack.truncate(self.floor),
            "depth" => self.push(Value::integer((self.stack.len() - self.floor) as i64)),
            "true" => self.truth(true),
            "false" => self.truth(false),
            "nil" => self.push(Value::Nil),
            "call" | "dip" | "if" | "when" | "unless" | "while" | "times" | "each" | "map" | "filter" | "fold" => {
                return self.combinator(word);
            }
            _ => return self.operation(word),
        }
        Ok(())
    }

    fn combinator(&mut self, word: &str) -> Outcome {
        let code = self.item()?;
        match word {
            "call" => self.run(&code),
            "dip" => {
                let above = self.item()?;
                self.run(&code)?;
                self.stack.push(above);
                Ok(())
            }
            "if" => {
                let then = self.item()?;
                let [condition] = self.take()?;
                self.run(if condition.is_true() { &then } else { &code })
            }
            "when" | "unless" => {
                let [condition] = self.take()?;
                if condition.is_true() == (word == "when") { self.run(&code) } else { Ok(()) }
            }
            "while" => {
                let condition = self.item()?;
                loop {
                    self.values.burn(1)?;
                    self.run(&condition)?;
                    let [holds] = self.take()?;
                    if !holds.is_true() {
                        return Ok(());
                    }
                    self.run(&code)?;
                }
            }
            "times" => {
                let [to] = self.take()?;
                let mut count = Value::integer(1);
                while binary(Binary::AtMost, &count, &to)?.is_true() {
                    self.values.burn(1)?;
                    self.run(&code)?;
                    count = binary(Binary::Add, &count, &Value::integer(1))?;
                }
                Ok(())
            }
            "fold" => {
                let first = self.item()?;
                let visited = self.visited()?;
                self.stack.push(first);
                self.each(visited, &code)
            }
            "each" => {
                let visited = self.visited()?;
                self.each(visited, &code)
            }
            _ => {
                let mut left = Vec::new();
                for value in self.visited()? {
                    self.values.burn(1)?;
                    self.push(value.clone());
                    self.run(&code)?;
                    let [result] = self.take()?;
                    match word {
                        "map" => left.push(result),
                        _ if result.is_true() => left.push(value),
                        _ => {}
                    }
                }
                left.retain(|value| !value.is_nil());
                let list = self.values.new_table(Table::list(left));
                self.push(list);
                Ok(())
            }
        }
    }

    fn each(&mut self, values: Vec<Value>, code: &Item<'p>) -> Outcome {
        for value in values {
            self.values.burn(1)?;
            self.push(value);
            self.run(code)?;
        }
        Ok(())
    }

    fn operation(&mut self, word: &str) -> Outcome {
        if let Some((_, operator)) = OPERATORS.iter().find(|(name, _)| *name == word) {
            let [a, b] = self.take()?;
            // Whether two brackets that look the same are one is not known here.
            if let (Value::Table(_), Value::Table(_)) = (&a, &b) {
                return Err(Stop::Unknown.into());
            }
            self.push(binary(*operator, &a, &b)?);
            return Ok(());
        }
        match word {
            "and" | "or" => {
                let [a, b] = self.take()?;
                self.push(if a.is_true() == (word == "and") { b } else { a });
            }
            "not" => {
                let [a] = self.take()?;
                self.truth(!a.is_true());
            }
            "neg" => {
                let [a] = self.take()?;
                self.push(negate(&a)?);
            }
            "bit.not" => {
                let [a] = self.take()?;
                // All bits but those that it has.
                self.push(binary(Binary::BitExclusiveOr, &a, &Value::integer(-1))?);
            }
            "get" => {
                let [table, key] = self.take()?;
                let found = self.values.table(&table)?.get(&key);
                self.push(found);
            }
            "length" => {
                let [a] = self.take()?;
                let length = if let Value::String(text) = &a { text.len() as i64 } else { self.values.length(&a)? };
                self.push(Value::integer(length));
            }
            "keys" => {
                let [table] = self.take()?;
                let keys = self.values.map_mut(&table)?.entries.keys().map(Key::to_value).collect();
                let keys = self.values.new_table(Table::list(keys));
                self.push(keys);
            }
            ".." => {
                let parts: [Value; 2] = self.take()?;
                let joined = self.values.join(&parts, b"")?;
                self.push(joined);
            }
            "error" => {
                let [value] = self.take()?;
                return Err(Stop::Raised(value).into());
            }
            _ => return self.library(word),
        }
        Ok(())
    }

    /// What is built in or stands in the part of the library that is written in Lua.
    fn library(&mut self, word: &str) -> Outcome {
        match word {
            "set" => {
                let [table, key, value] = self.take()?;
                let copy = self.copied(&table)?;
                self.values.put(&copy, &key, value)?;
                self.push(copy);
            }
            "has" => {
                let [table, key] = self.take()?;
                let is_there = !self.values.table(&table)?.get(&key).is_nil();
                self.truth(is_there);
            }
            "append" | "concat" => {
                let [table, more] = self.take()?;
                let copy = self.copied(&table)?;
                let mut values = vec![more.clone()];
                if word == "concat" {
                    values = self.values.map_mut(&more)?.entries.values().cloned().collect();
                }
                for value in values {
                    self.builtin(Builtin::TableInsert, &[copy.clone(), value])?;
                }
                self.push(copy);
            }
            "reverse" => {
                let [a] = self.take()?;
                if let Value::String(text) = &a {
                    self.push(Value::String(text.iter().rev().copied().collect()));
                    return Ok(());
                }
                let length = self.values.length(&a)?;
                let table = self.values.table(&a)?;
                let items = (1..=length).rev().map(|position| table.get(&Value::integer(position))).collect();
                let list = self.values.new_table(Table::list(items));
                self.push(list);
            }
            "range" => {
                let [mut number, to] = self.take()?;
                let mut items = Vec::new();
                while binary(Binary::AtMost, &number, &to)?.is_true() {
                    self.values.burn(1)?;
                    items.push(number.clone());
                    match binary(Binary::Add, &number, &Value::integer(1)) {
                        Ok(next) => number = next,
                        Err(TrapCode::RANGE) => break,
                        Err(other) => return Err(other.into()),
                    }
                }
                let list = self.values.new_table(Table::list(items));
                self.push(list);
            }
            "sum" => {
                let values = self.visited()?;
                let mut sum = Value::integer(0);
                for value in values {
                    sum = binary(Binary::Add, &sum, &value)?;
                }
                self.push(sum);
            }
            "trim" => {
                let [text] = self.take()?;
                let Value::String(text) = text else { return Err(TrapCode::KIND.into()) };
                let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
                let start = text.iter().position(|byte| !is_blank(byte)).unwrap_or(text.len());
                let end = text.iter().rposition(|byte| !is_blank(byte)).map_or(start, |last| last + 1);
                self.push(Value::String(text.get(start..end).unwrap_or_default().into()));
            }
            "split" => {
                let [text, separator] = self.take()?;
                let parts = split(&text, &separator)?;
                let list = self.values.new_table(Table::list(parts));
                self.push(list);
            }
            "replace" => {
                let [text, what, by] = self.take()?;
                let parts = split(&text, &what)?;
                let list = self.values.new_table(Table::list(parts));
                let text = self.builtin(Builtin::TableConcat, &[list, by])?;
                text.into_iter().for_each(|text| self.push(text));
            }
            _ => {
                let renamed =
                    NAMES.iter().find(|(name, ..)| *name == word).map(|(_, builtin, count)| (*builtin, *count));
                let by_its_name = || Builtin::ALL.iter().copied().find(|builtin| builtin.name() == word);
                let found = renamed.or_else(|| by_its_name().map(|builtin| (builtin, builtin.arguments().0)));
                let Some((builtin, count)) = found else { return Err(Halt::Broken(format!("`{word}` is not known"))) };
                let mut arguments = Vec::new();
                for _ in 0..count {
                    let [value] = self.take()?;
                    arguments.insert(0, value);
                }
                let results = self.builtin(builtin, &arguments)?;
                // Of anything but texts they give nothing.
                self.is_loose |= matches!(word, "starts" | "ends") && results.iter().any(Value::is_nil);
                results.into_iter().for_each(|result| self.push(result));
            }
        }
        Ok(())
    }

    fn builtin(&mut self, builtin: Builtin, arguments: &[Value]) -> Outcome<Vec<Value>> {
        self.values.burn(8)?;
        Ok(self.values.builtin(builtin, arguments)?)
    }

    /// A list or map of the same entries, those that hold nothing left out.
    fn copied(&mut self, value: &Value) -> Outcome<Value> {
        let is_list = self.values.table(value)?.is_list();
        let entries = self.values.map_mut(value)?.entries.clone();
        let mut copy = Table { is_list_when_empty: is_list, ..Table::default() };
        entries.into_iter().for_each(|(key, value)| copy.put(key, value));
        Ok(self.values.new_table(copy))
    }
}

/// The parts of a text between a separator.
fn split(text: &Value, separator: &Value) -> Outcome<Vec<Value>> {
    if matches!(separator, Value::String(separator) if separator.is_empty()) {
        return Err(Stop::Raised(Value::text("`split` needs a separator that is not empty")).into());
    }
    let (Value::String(text), Value::String(separator)) = (text, separator) else { return Err(TrapCode::KIND.into()) };
    let mut parts = Vec::new();
    let mut rest: &[u8] = text;
    while let Some(at) = rest.windows(separator.len()).position(|part| part == &**separator) {
        parts.push(Value::String(rest.get(..at).unwrap_or_default().into()));
        rest = rest.get(at + separator.len()..).unwrap_or_default();
    }
    parts.push(Value::String(rest.into()));
    Ok(parts)
}

const OPERATORS: &[(&str, Binary)] = &[
    ("+", Binary::Add),
    ("-", Binary::Subtract),
    ("*", Binary::Multiply),
    ("/", Binary::Divide),
    ("//", Binary::FloorDivide),
    ("%", Binary::Modulo),
    ("^", Binary::Power),
    ("=", Binary::Equal),
    ("==", Binary::Equal),
    ("!=", Binary::Different),
    ("~=", Binary::Different),
    ("<", Binary::Less),
    ("<=", Binary::AtMost),
    (">", Binary::Greater),
    (">=", Binary::AtLeast),
    ("bit.and", Binary::BitAnd),
    ("bit.or", Binary::BitOr),
    ("bit.xor", Binary::BitExclusiveOr),
    ("bit.left", Binary::ShiftLeft),
    ("bit.right", Binary::ShiftRight),
];

/// Built-ins that words call by other names, and how many items each takes.
const NAMES: &[(&str, Builtin, u8)] = &[
    ("abs", Builtin::Absolute, 1),
    ("floor", Builtin::Floor, 1),
    ("ceil", Builtin::Ceiling, 1),
    ("min", Builtin::Minimum, 2),
    ("max", Builtin::Maximum, 2),
    ("kind", Builtin::Kind, 1),
    ("text", Builtin::ToString, 1),
    ("number", Builtin::ToNumber, 1),
    ("float", Builtin::Float, 1),
    ("fixed", Builtin::Fixed, 1),
    ("values", Builtin::Values, 1),
    ("count", Builtin::Count, 1),
    ("sort", Builtin::Sorted, 1),
    ("upper", Builtin::StringUpper, 1),
    ("lower", Builtin::StringLower, 1),
    ("slice", Builtin::StringPart, 3),
    ("repeat", Builtin::StringRepeat, 2),
    ("join", Builtin::TableConcat, 2),
    ("contains", Builtin::TotalContains, 2),
    ("starts", Builtin::TotalStarts, 2),
    ("ends", Builtin::TotalEnds, 2),
    ("json.encode", Builtin::JsonEncode, 1),
    ("json.decode", Builtin::JsonDecode, 1),
    ("emit", Builtin::Emit, 3),
];

/// Whether a value is what an effect says.
#[must_use]
pub fn is_of(values: &Evaluator<'_>, value: &Value, kind: Kind) -> bool {
    match kind {
        Kind::Any => true,
        Kind::Nil => value.is_nil(),
        Kind::Bool => matches!(value, Value::Bool(_)),
        Kind::Number => value.is_numeric(),
        Kind::Text => matches!(value, Value::String(_)),
        Kind::Table => values.table(value).is_ok(),
    }
}
