//! The Lua that a merge fold stands for: what an author could have written by the library's `lattice` functions.

use super::lattice::{Lattice, Takes};
use super::path::{Path, Step, member};
use super::{Merge, Part, Shape, Simple};
use kerai_vm::fold::column::PATH;

/// The state's field of conflicts. No reducer can have it: names of reducers stand behind `of `.
const CONFLICTS: &str = "conflicts";

pub(super) fn write(merge: &Merge) -> String {
    let mut writer = Writer::default();
    let slots: Vec<Slot> = merge
        .reducers
        .iter()
        .map(|reducer| Slot {
            name: quote(&reducer.id),
            join: writer.join(&reducer.shape),
            read: writer.read(&reducer.shape),
        })
        .collect();
    writer.line("function init() return {} end");
    writer.lift(merge);
    writer.whole_join(&slots);
    writer.finish(merge, &slots);
    writer.text
}

/// A reducer in the state: its field, and the functions that join and read it.
struct Slot {
    name: String,
    join: String,
    read: String,
}

#[derive(Default)]
struct Writer {
    text: String,
    /// How many names were made.
    names: usize,
    /// Whether what is missing is noted here.
    is_quiet: bool,
}

impl Writer {
    fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    fn name(&mut self, of: &str) -> String {
        self.names += 1;
        format!("{of}_{}", self.names)
    }

    // Joins and reads: a function of its own for what is made of others.

    fn join(&mut self, shape: &Shape) -> String {
        match shape {
            Shape::Simple(simple) => simple.lattice.join().to_owned(),
            Shape::Map { of, .. } => {
                let (inner, name) = (self.join(of), self.name("join"));
                self.line(format!("local function {name}(a, b) return lattice.map(a, b, {inner}) end"));
                name
            }
            Shape::Product { parts, .. } => {
                let joins: Vec<(String, String)> =
                    parts.iter().map(|part| (quote(&part.path.to_text()), self.join(&part.shape))).collect();
                let name = self.name("join");
                self.line(format!("local function {name}(a, b)"));
                joins.iter().for_each(|(field, join)| self.join_field(field, join));
                self.line("return a end");
                name
            }
            Shape::Lexicographic(parts) => self.join_in_turn(parts),
        }
    }

    fn join_field(&mut self, field: &str, join: &str) {
        self.line(format!("if a[{field}] == nil then a[{field}] = b[{field}]"));
        self.line(format!("elseif b[{field}] ~= nil then a[{field}] = {join}(a[{field}], b[{field}]) end"));
    }

    fn join_in_turn(&mut self, parts: &[Part]) -> String {
        let last = parts.last().map(|part| self.join(&part.shape)).unwrap_or_default();
        let (name, order) = (self.name("join"), self.name("order"));
        self.line(format!("local function {name}(a, b)"));
        self.line(format!("local {order} = 0"));
        for (place, part) in (1..parts.len()).zip(parts) {
            if let Shape::Simple(Simple { lattice, .. }) = &part.shape {
                let compare = lattice.order().unwrap_or_default();
                self.line(format!("{order} = {compare}(a[{place}], b[{place}])"));
                self.line(format!("if {order} < 0 then return b elseif {order} > 0 then return a end"));
            }
        }
        let place = parts.len();
        self.line(format!("a[{place}] = {last}(a[{place}], b[{place}])"));
        self.line("return a end");
        name
    }

    fn read(&mut self, shape: &Shape) -> String {
        match shape {
            Shape::Simple(simple) => simple.lattice.read().to_owned(),
            Shape::Map { of, .. } => {
                let (inner, name) = (self.read(of), self.name("read"));
                self.line(format!("local function {name}(state) return lattice.each(state, {inner}) end"));
                name
            }
            Shape::Product { parts, .. } => {
                let fields: Vec<String> = parts.iter().map(|part| quote(&part.path.to_text())).collect();
                self.read_document(parts, &fields)
            }
            Shape::Lexicographic(parts) => {
                let places: Vec<String> = (1..=parts.len()).map(|place| place.to_string()).collect();
                self.read_document(parts, &places)
            }
        }
    }

    /// Reads parts into a document where each stands at its path.
    fn read_document(&mut self, parts: &[Part], fields: &[String]) -> String {
        let reads: Vec<String> = parts.iter().map(|part| self.read(&part.shape)).collect();
        let name = self.name("read");
        self.line(format!("local function {name}(state) local document = {{}}"));
        for ((part, field), read) in parts.iter().zip(fields).zip(&reads) {
            self.line(format!("if state[{field}] ~= nil then"));
            let mut place = "document".to_owned();
            let names = part.path.names().unwrap_or_default();
            for (depth, step) in (1..).zip(&names) {
                place = format!("{place}[{}]", quote(step));
                if depth < names.len() {
                    self.line(format!("{place} = {place} or {{}}"));
                }
            }
            self.line(format!("{place} = {read}(state[{field}]) end"));
        }
        self.line("return document end");
        name
    }

    fn whole_join(&mut self, slots: &[Slot]) {
        self.line("function join(a, b)");
        slots.iter().for_each(|slot| self.join_field(&slot.name, &slot.join));
        self.join_field(&quote(CONFLICTS), "lattice.conflicts");
        self.line("return a end");
    }

    fn finish(&mut self, merge: &Merge, slots: &[Slot]) {
        self.line("function finish(state)");
        for emit in &merge.emits {
            let columns = &emit.columns;
            let (Some(slot), Some(reducer)) = (slots.get(emit.reducer), merge.reducers.get(emit.reducer)) else {
                continue;
            };
            let (path, state) = (quote(&emit.path), format!("state[{}]", slot.name));
            let emit = match reducer.shape {
                Shape::Simple(_) => format!("emit({path}, \"\", {}({state}))", slot.read),
                Shape::Map { .. } | Shape::Product { .. } | Shape::Lexicographic(_) => {
                    format!("emit_json_canonical({path}, {}({state}))", slot.read)
                }
            };
            self.line(format!("if {state} ~= nil then {emit} end"));
            let columns: Vec<String> =
                columns.iter().map(|(name, kind)| format!("[{}] = {}", quote(name), quote(kind))).collect();
            if !columns.is_empty() {
                self.line(format!("emit({}, {path}, {{ {} }})", quote(PATH), columns.join(", ")));
            }
        }
        let state = format!("state[{}]", quote(CONFLICTS));
        self.line(format!("if {state} ~= nil then lattice.emit_conflicts({}, {state}) end", quote(&merge.conflicts)));
        self.line("end");
    }

    // Lifting: the state that an operation alone makes.

    fn lift(&mut self, merge: &Merge) {
        self.line("function lift(op)");
        if !merge.inputs.is_empty() {
            let inputs: Vec<String> =
                merge.inputs.iter().map(|glob| format!("lattice.within(op.resource, {})", quote(glob))).collect();
            self.line(format!("if not ({}) then return nil end", inputs.join(" or ")));
        }
        self.line("local state, covered, missing = {}, false, nil");
        for reducer in &merge.reducers {
            let part = self.name("part");
            self.line(format!("local {part} = nil"));
            self.lift_shape(&reducer.shape, &part);
            self.line(format!("if {part} ~= nil then state[{}] = {part}; covered = true end", quote(&reducer.id)));
        }
        let rules: Vec<String> = merge.reducers.iter().map(|reducer| quote(&reducer.id)).collect();
        self.line("if not covered then");
        self.line(format!(
            "state[{}] = lattice.conflict(op, missing or list(), {{ {} }}) end",
            quote(CONFLICTS),
            rules.join(", ")
        ));
        for reducer in &merge.reducers {
            self.uncovered(&reducer.shape, &reducer.id);
        }
        self.line("return state end");
    }

    /// Notes a path at which nothing was found that could be merged.
    fn note(&self, path: &Path) -> String {
        match self.is_quiet {
            true => String::new(),
            false => format!("missing = lattice.note(missing, {})", quote(&path.to_text())),
        }
    }

    /// Sets a variable to what the operation says, and leaves it nil where it says nothing.
    fn lift_shape(&mut self, shape: &Shape, target: &str) {
        match shape {
            Shape::Simple(simple) => self.lift_simple(simple, target),
            Shape::Map { key, of } => {
                let (name, inner) = (self.name("key"), self.name("part"));
                self.line(format!("local {name} = lattice.name({})", found(key)));
                self.line(format!("if {name} == nil then {} else local {inner} = nil", self.note(key)));
                self.lift_shape(of, &inner);
                self.line(format!("if {inner} ~= nil then {target} = {{ [{name}] = {inner} }} end end"));
            }
            Shape::Product { parts, .. } => {
                // A part alone may be missing; all of them together are noted below.
                let was_quiet = core::mem::replace(&mut self.is_quiet, true);
                for part in parts {
                    let inner = self.name("part");
                    self.line(format!("local {inner} = nil"));
                    self.lift_shape(&part.shape, &inner);
                    let field = quote(&part.path.to_text());
                    self.line(format!(
                        "if {inner} ~= nil then {target} = {target} or {{}}; {target}[{field}] = {inner} end"
                    ));
                }
                self.is_quiet = was_quiet;
                let notes: Vec<String> = parts.iter().map(|part| self.note(&part.path)).collect();
                self.line(format!("if {target} == nil then {} end", notes.join("; ")));
            }
            Shape::Lexicographic(parts) => {
                let names: Vec<String> = parts.iter().map(|_| self.name("part")).collect();
                for (part, inner) in parts.iter().zip(&names) {
                    self.line(format!("local {inner} = nil"));
                    self.lift_shape(&part.shape, inner);
                }
                let all: Vec<String> = names.iter().map(|inner| format!("{inner} ~= nil")).collect();
                self.line(format!("if {} then {target} = {{ {} }} end", all.join(" and "), names.join(", ")));
            }
        }
    }

    fn lift_simple(&mut self, simple: &Simple, target: &str) {
        let Simple { lattice, value, remove, adds } = simple;
        let tags = adds.as_ref().map_or("nil".to_owned(), |adds| format!("lattice.named({})", found(adds)));
        let removed = remove.as_ref().map_or("nil".to_owned(), members);
        let made = match (lattice, lattice.takes()) {
            // The payload itself is always there.
            (Lattice::Lww, _) if value.steps.is_empty() => {
                return self.line(format!("{target} = lattice.write(op, op.payload)"));
            }
            (Lattice::Lww, _) => format!("lattice.written(op, {})", found(value)),
            (_, Takes::Value) => found(value),
            (_, Takes::Members) => members(value),
            (_, Takes::Removes) => format!("lattice.changed({}, {removed})", members(value)),
            (_, Takes::NamedRemoves) => format!("lattice.tags(op, {}, {removed}, {tags})", members(value)),
            (_, Takes::Flag) => {
                format!("lattice.flag(op, {}, {}, {tags})", found(value), *lattice == Lattice::EnableWins)
            }
            (_, Takes::Writes) => format!("lattice.version(op, {}, {tags})", found(value)),
            (_, Takes::Amount) => {
                let least = if *lattice == Lattice::GCounter { "0" } else { "nil" };
                format!("lattice.counted(op, {}, {least})", found(value))
            }
        };
        self.line(format!("{target} = {made}"));
        let named = adds.as_ref().filter(|_| lattice.takes() == Takes::NamedRemoves);
        let notes: Vec<String> =
            [Some(value), remove.as_ref(), named].into_iter().flatten().map(|path| self.note(path)).collect();
        self.line(format!("if {target} == nil then {} end", notes.join("; ")));
    }

    // What a document has that no part of it covers.

    fn uncovered(&mut self, shape: &Shape, rule: &str) {
        let (mut keys, mut inner) = (Vec::new(), shape);
        while let Shape::Map { key, of } = inner {
            keys.push(key);
            inner = of;
        }
        let Shape::Product { parts, ignored } = inner else { return };
        let mut covered: Vec<&Path> = keys.into_iter().chain(ignored).collect();
        parts.iter().for_each(|part| paths_of(part, &mut covered));
        let covered: Vec<Vec<&str>> = covered.into_iter().map(names_of).collect();
        self.line("local uncovered = nil");
        self.uncovered_below("op.payload", "$", &covered);
        self.line("if uncovered ~= nil then");
        let rules = format!("{{ {} }}", quote(rule));
        self.line(format!("state[{}] = lattice.conflict(op, uncovered, {rules}) end", quote(CONFLICTS)));
    }

    /// Notes the names of a value that none of the paths begins with, and looks below those that are on the way to one.
    fn uncovered_below(&mut self, value: &str, path: &str, covered: &[Vec<&str>]) {
        if covered.iter().any(Vec::is_empty) {
            return;
        }
        let mut names: Vec<&str> = covered.iter().filter_map(|names| names.first().copied()).collect();
        names.sort_unstable();
        names.dedup();
        let (key, inner) = (self.name("name"), self.name("value"));
        self.line(format!("if type({value}) == \"table\" then for {key}, {inner} in dpairs({value}) do"));
        let is_none: Vec<String> = names.iter().map(|name| format!("{key} ~= {}", quote(name))).collect();
        let text = format!("{} .. lattice.step({key})", quote(path));
        self.line(format!("if {} then uncovered = lattice.note(uncovered, {text})", is_none.join(" and ")));
        for name in names {
            let below: Vec<Vec<&str>> = covered
                .iter()
                .filter(|names| names.first() == Some(&name))
                .map(|names| names.iter().skip(1).copied().collect())
                .collect();
            if !below.iter().any(Vec::is_empty) {
                self.line(format!("elseif {key} == {} then", quote(name)));
                self.uncovered_below(&inner, &format!("{path}{}", member(name)), &below);
            }
        }
        self.line("end end end");
    }
}

/// What is found at a path of one value.
fn found(path: &Path) -> String {
    path.steps.iter().fold("op.payload".to_owned(), |value, step| match step {
        Step::Member(name) => format!("lattice.member({value}, {})", quote(name)),
        Step::Index(index) => format!("lattice.item({value}, {index})"),
        Step::All => value,
    })
}

/// The values at a path, as the keys of a table.
fn members(path: &Path) -> String {
    let function = if path.is_many() { "lattice.items" } else { "lattice.single" };
    format!("{function}({})", found(path))
}

/// The names that a path begins with.
fn names_of(path: &Path) -> Vec<&str> {
    let name = |step: &'_ Step| matches!(step, Step::Member(_));
    let texts = path.steps.iter().take_while(|step| name(step)).filter_map(|step| match step {
        Step::Member(name) => Some(name.as_str()),
        Step::Index(_) | Step::All => None,
    });
    texts.collect()
}

/// Every path that a part looks at.
fn paths_of<'m>(part: &'m Part, paths: &mut Vec<&'m Path>) {
    paths.push(&part.path);
    let mut shape = &part.shape;
    while let Shape::Map { key, of } = shape {
        paths.push(key);
        shape = of;
    }
    match shape {
        Shape::Simple(simple) => paths.extend(simple.remove.iter().chain(&simple.adds)),
        Shape::Product { parts, ignored } => {
            paths.extend(ignored);
            parts.iter().for_each(|part| paths_of(part, paths));
        }
        Shape::Lexicographic(parts) => parts.iter().for_each(|part| paths_of(part, paths)),
        Shape::Map { .. } => {}
    }
}

/// A text as Lua writes it.
fn quote(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for point in text.chars() {
        match point {
            '"' | '\\' => quoted.extend(['\\', point]),
            '\u{0}'..='\u{1f}' | '\u{7f}' => quoted.push_str(&format!("\\x{:02x}", u32::from(point))),
            _ => quoted.push(point),
        }
    }
    quoted + "\""
}
