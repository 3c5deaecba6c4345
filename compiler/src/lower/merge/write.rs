//! The Lua that a merge fold stands for: what an author could have written by the library's `lattice` functions.

mod graph;

use super::lattice::{Lattice, Takes};
use super::path::{Path, Step, member};
use super::{Merge, Part, Shape, Simple};
use kerai_vm::fold::column::PATH;

/// The state's field of conflicts. No reducer can have it: names of reducers stand behind `of `.
const CONFLICTS: &str = "conflicts";

pub(super) fn write(merge: &Merge) -> String {
    let mut writer = Writer::default();
    if !merge.graphs.is_empty() {
        graph::write(&mut writer, merge);
        return writer.text;
    }
    let slots: Vec<Slot> = merge
        .reducers
        .iter()
        .map(|reducer| Slot {
            name: quote(&reducer.id),
            join: writer.join(&reducer.shape),
            read: writer.read(&reducer.shape),
            dispute: writer.dispute(&reducer.shape, &Path::default()),
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
    /// The function that finds what is disputed, where anything can be.
    dispute: Option<String>,
}

#[derive(Default)]
struct Writer {
    text: String,
    /// How many names were made.
    names: usize,
    /// Whether what is missing is noted here.
    is_quiet: bool,
    /// The list of what a reducer could not take, where an operation may say more than that.
    refused: Option<String>,
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

    /// A function that emits what is disputed below a state: `(state, keys, rule, path of conflicts)`.
    fn dispute(&mut self, shape: &Shape, path: &Path) -> Option<String> {
        match shape {
            Shape::Simple(simple) if simple.is_disputed => {
                let name = self.name("dispute");
                let path = if path.steps.is_empty() { &simple.value } else { path };
                let path = quote(&path.to_text());
                self.line(format!("local function {name}(state, keys, rule, at)"));
                self.line(format!("lattice.emit_dispute(at, rule, {path}, keys, state) end"));
                Some(name)
            }
            Shape::Simple(_) => None,
            Shape::Map { of, .. } => {
                let inner = self.dispute(of, path)?;
                let name = self.name("dispute");
                self.line(format!("local function {name}(state, keys, rule, at)"));
                self.line("for key, part in dpairs(state) do");
                self.line(format!("{inner}(part, lattice.note(lattice.copy(keys), key), rule, at) end end"));
                Some(name)
            }
            Shape::Product { parts, .. } => {
                let inner: Vec<(String, String)> = parts
                    .iter()
                    .filter_map(|part| Some((quote(&part.path.to_text()), self.dispute(&part.shape, &part.path)?)))
                    .collect();
                self.all_disputes(&inner)
            }
            Shape::Lexicographic(parts) => {
                let (place, part) = (parts.len(), parts.last()?);
                let inner = self.dispute(&part.shape, &part.path)?;
                self.all_disputes(&[(place.to_string(), inner)])
            }
        }
    }

    fn all_disputes(&mut self, inner: &[(String, String)]) -> Option<String> {
        if inner.is_empty() {
            return None;
        }
        let name = self.name("dispute");
        self.line(format!("local function {name}(state, keys, rule, at)"));
        for (field, inner) in inner {
            self.line(format!("if state[{field}] ~= nil then {inner}(state[{field}], keys, rule, at) end"));
        }
        self.line("end");
        Some(name)
    }

    fn finish(&mut self, merge: &Merge, slots: &[Slot]) {
        let part = (!merge.key.is_empty()).then_some("part");
        let has_columns = merge.emits.iter().any(|emit| !emit.columns.is_empty());
        let first = part.filter(|_| has_columns).map(|_| "first");
        let parameters: Vec<&str> = ["state"].into_iter().chain(part).chain(first).collect();
        self.line(format!("function finish({})", parameters.join(", ")));
        for emit in &merge.emits {
            let columns = &emit.columns;
            let (Some(slot), Some(reducer)) = (slots.get(emit.reducer), merge.reducers.get(emit.reducer)) else {
                continue;
            };
            let (path, state) = (quote(&emit.path), format!("state[{}]", slot.name));
            let emit = match (part, &reducer.shape) {
                (Some(part), _) => format!("emit({path}, {part}, {}({state}))", slot.read),
                (None, Shape::Simple(_)) => format!("emit({path}, \"\", {}({state}))", slot.read),
                (None, Shape::Map { .. } | Shape::Product { .. } | Shape::Lexicographic(_)) => {
                    format!("emit_json_canonical({path}, {}({state}))", slot.read)
                }
            };
            self.line(format!("if {state} ~= nil then {emit} end"));
            let columns: Vec<String> =
                columns.iter().map(|(name, kind)| format!("[{}] = {}", quote(name), quote(kind))).collect();
            if !columns.is_empty() {
                let emit = format!("emit({}, {path}, {{ {} }})", quote(PATH), columns.join(", "));
                self.line(first.map_or_else(|| emit.clone(), |first| format!("if {first} then {emit} end")));
            }
        }
        let conflicts = quote(&merge.conflicts);
        for slot in slots {
            let Some(dispute) = &slot.dispute else { continue };
            let (state, keys) = (format!("state[{}]", slot.name), part.map_or("list()", |_| "{ part }"));
            self.line(format!("if {state} ~= nil then {dispute}({state}, {keys}, {}, {conflicts}) end", slot.name));
        }
        self.emit_conflicts(merge);
        self.line("end");
    }

    fn emit_conflicts(&mut self, merge: &Merge) {
        let state = format!("state[{}]", quote(CONFLICTS));
        self.line(format!("if {state} ~= nil then lattice.emit_conflicts({}, {state}) end", quote(&merge.conflicts)));
    }

    /// Leaves operations alone whose resources lie elsewhere.
    fn within(&mut self, merge: &Merge) {
        if !merge.inputs.is_empty() {
            let inputs: Vec<String> =
                merge.inputs.iter().map(|glob| format!("lattice.within(op.resource, {})", quote(glob))).collect();
            self.line(format!("if not ({}) then return nil end", inputs.join(" or ")));
        }
    }

    // Lifting: the state that an operation alone makes.

    fn lift(&mut self, merge: &Merge) {
        self.line("function lift(op)");
        self.within(merge);
        let rules: Vec<String> = merge.reducers.iter().map(|reducer| quote(&reducer.id)).collect();
        let rules = rules.join(", ");
        if let Some(part) = merge.part() {
            self.line(format!("if lattice.name({}) == nil then", found(&part)));
            let paths = format!("lattice.note(nil, {})", quote(&part.to_text()));
            let conflict = format!("lattice.conflict(op, {paths}, {{ {rules} }})");
            self.line(format!("return {{ [{}] = {conflict} }} end", quote(CONFLICTS)));
        }
        self.line("local state, covered, missing = {}, false, nil");
        let is_partial = merge.reducers.len() > 1 || merge.reducers.iter().any(|reducer| reducer.shape.is_partial());
        if is_partial {
            self.line("local refusal = nil");
        }
        for reducer in &merge.reducers {
            let part = self.name("part");
            self.line(format!("local {part} = nil"));
            self.refused = is_partial.then(|| self.name("refused"));
            if let Some(refused) = &self.refused {
                self.text.push_str(&format!("local {refused} = nil\n"));
            }
            self.lift_shape(&reducer.shape, &part);
            self.line(format!("if {part} ~= nil then state[{}] = {part}; covered = true end", quote(&reducer.id)));
            if let Some(refused) = self.refused.take() {
                self.line(format!("refusal = lattice.refusal(refusal, {refused}, {})", quote(&reducer.id)));
            }
        }
        self.line("if not covered then");
        self.line(format!("state[{}] = lattice.conflict(op, missing or list(), {{ {rules} }}) end", quote(CONFLICTS),));
        self.uncovered(merge);
        if is_partial {
            self.line("if refusal ~= nil then");
            let conflict = "lattice.conflict(op, refusal.paths, refusal.rules)";
            self.line(format!("state[{}] = {conflict} end", quote(CONFLICTS)));
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

    /// Notes paths at which something was found, and nothing that could be merged.
    fn refuse(&mut self, condition: &str, paths: &[&Path]) {
        let Some(refused) = self.refused.clone() else { return };
        self.line(format!("if {condition} then"));
        for path in paths {
            let found = if path.is_many() { format!("lattice.some({})", found(path)) } else { found(path) };
            self.line(format!("{refused} = lattice.refuse({refused}, {found}, {})", quote(&path.to_text())));
        }
        self.line("end");
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
                self.refuse(&format!("{name} == nil"), &[key]);
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
                if let Some(refused) = self.refused.clone() {
                    self.line(format!("if {target} == nil and ({}) then", all.join(" or ")));
                    for (part, inner) in parts.iter().zip(&names) {
                        let path = quote(&part.path.to_text());
                        self.line(format!("if {inner} == nil then {refused} = lattice.note({refused}, {path}) end"));
                    }
                    self.line("end");
                }
            }
        }
    }

    fn lift_simple(&mut self, simple: &Simple, target: &str) {
        let Simple { lattice, value, remove, adds, .. } = simple;
        // The payload itself is always there.
        if *lattice == Lattice::Lww && value.steps.is_empty() {
            return self.line(format!("{target} = lattice.write(op, op.payload)"));
        }
        let is_read_first = remove.is_some() || adds.is_some();
        if is_read_first {
            self.line("do");
        }
        let added = match lattice.takes() {
            Takes::Removes | Takes::NamedRemoves if is_read_first => self.argument("added", &members(value), value),
            Takes::Value
            | Takes::Members
            | Takes::Flag
            | Takes::Writes
            | Takes::Amount
            | Takes::Removes
            | Takes::NamedRemoves => members(value),
        };
        let removed = match remove {
            Some(remove) => self.argument("removed", &members(remove), remove),
            None => "nil".to_owned(),
        };
        let tags = match adds {
            Some(adds) => self.argument("tags", &format!("lattice.named({})", found(adds)), adds),
            None => "nil".to_owned(),
        };
        let made = match (lattice, lattice.takes()) {
            (Lattice::Lww, _) => format!("lattice.written(op, {})", found(value)),
            (_, Takes::Value) => found(value),
            (_, Takes::Members) => members(value),
            (_, Takes::Removes) => format!("lattice.changed({added}, {removed})"),
            (_, Takes::NamedRemoves) => format!("lattice.tags(op, {added}, {removed}, {tags})"),
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
        match lattice.takes() {
            Takes::Members | Takes::Flag | Takes::Amount => self.refuse(&format!("{target} == nil"), &[value]),
            Takes::Value | Takes::Removes | Takes::NamedRemoves | Takes::Writes => {}
        }
        // A remove that names nothing: the path where it should is missing or holds no names.
        if let (Takes::NamedRemoves, Some(refused), Some(adds)) = (lattice.takes(), self.refused.clone(), adds) {
            let path = quote(&adds.to_text());
            self.line(format!("if {removed} ~= nil and {tags} == nil then"));
            self.line(format!("{refused} = lattice.refuse({refused}, true, {path}) end"));
        }
        if is_read_first {
            self.line("end");
        }
    }

    /// A variable for what is read at a path, beside which an operation says more.
    fn argument(&mut self, of: &str, read: &str, path: &Path) -> String {
        let name = self.name(of);
        self.line(format!("local {name} = {read}"));
        self.refuse(&format!("{name} == nil"), &[path]);
        name
    }

    // What a document has that no part of it covers.

    fn uncovered(&mut self, merge: &Merge) {
        let products: Vec<&str> = merge
            .reducers
            .iter()
            .filter(|reducer| matches!(reducer.shape.innermost(), Shape::Product { .. }))
            .map(|reducer| reducer.id.as_str())
            .collect();
        if products.is_empty() {
            return;
        }
        let part = merge.part();
        let mut covered: Vec<&Path> = part.iter().collect();
        merge.reducers.iter().for_each(|reducer| paths_of(&reducer.shape, &mut covered));
        let covered: Vec<Vec<&str>> = covered.into_iter().map(names_of).collect();
        self.line("local uncovered = nil");
        self.uncovered_below("op.payload", "$", &covered);
        for product in products {
            self.line(format!("refusal = lattice.refusal(refusal, uncovered, {})", quote(product)));
        }
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
        self.line("end end");
        // Where a part of a document should be, something else stands.
        self.line(format!("else uncovered = lattice.note(uncovered, {}) end", quote(path)));
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

/// Every path that is looked at.
fn paths_of<'m>(shape: &'m Shape, paths: &mut Vec<&'m Path>) {
    let mut shape = shape;
    while let Shape::Map { key, of } = shape {
        paths.push(key);
        shape = of;
    }
    match shape {
        Shape::Simple(simple) => {
            paths.push(&simple.value);
            paths.extend(simple.remove.iter().chain(&simple.adds));
        }
        Shape::Product { parts, ignored } => {
            paths.extend(ignored);
            parts.iter().for_each(|part| part_paths(part, paths));
        }
        Shape::Lexicographic(parts) => parts.iter().for_each(|part| part_paths(part, paths)),
        Shape::Map { .. } => {}
    }
}

fn part_paths<'m>(part: &'m Part, paths: &mut Vec<&'m Path>) {
    paths.push(&part.path);
    paths_of(&part.shape, paths);
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
