//! From a document to the description of a merge fold, with everything in it that can't be meant.

mod graph;
mod never;

use super::lattice::{GRAPH, LEXICOGRAPHIC, Lattice, MAP, PRODUCT, Takes};
use super::path::{Path, Step};
use super::{Emit, Merge, Part, Reducer, Shape, Simple};
use crate::Span;
use crate::code::Code;
use crate::diagnostic::{Diagnostic, Report};
use crate::suggest::similar;
use crate::syntax::yaml::Meaning;
use crate::syntax::yaml::tree::{Entry, Node};
use kerai_vm::bytecode::Order;
use kerai_vm::fold::column::Type;
use kerai_vm::limit;

/// Where conflicts are emitted if nothing else is said.
const CONFLICTS: &str = "governance/conflicts";

/// What says whether values that nothing replaces are a conflict, and how.
const CONCURRENT: &str = "concurrent";
const WAYS: &[&str] = &["keep", "conflict"];

/// Reads a merge fold.
///
/// # Errors
/// Everything that an author must mend.
pub(super) fn read(document: &Node) -> Result<Merge, Vec<Diagnostic>> {
    let mut reader = Reader { report: Report::default() };
    let merge = reader.merge(document);
    match merge {
        Some(merge) if reader.report.is_empty() => Ok(merge),
        Some(_) | None => Err(reader.report.into_diagnostics()),
    }
}

struct Reader {
    report: Report,
}

/// The entries of a mapping whose names are known.
struct Fields<'n> {
    entries: &'n [Entry<'n>],
    span: Span,
}

impl<'n> Fields<'n> {
    fn get(&self, name: &str) -> Option<&'n Node<'n>> {
        self.entries.iter().find(|entry| entry.key.text == name).map(|entry| &entry.value)
    }
}

impl Reader {
    fn say(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.report.push(Diagnostic::new(code, span, message.into()));
    }

    /// A mapping with these names and no others.
    fn fields<'n>(&mut self, node: &'n Node<'n>, what: &str, names: &[&'static str]) -> Option<Fields<'n>> {
        let Some(entries) = node.mapping() else {
            self.say(Code::MERGE_SHAPE, node.span, format!("{what} is a mapping with {}", listed(names)));
            return None;
        };
        for entry in entries.iter().filter(|entry| !names.contains(&&*entry.key.text)) {
            let message = format!("{what} has no `{}`", entry.key.text);
            let found = Diagnostic::new(Code::MERGE_FIELD, entry.key.span, message);
            self.report.push(match similar(&entry.key.text, names.iter().copied()) {
                Some(name) => found.with_help(format!("did you mean `{name}`?")).with_fix(entry.key.span, name),
                None => found.with_help(format!("{what} has {}", listed(names))),
            });
        }
        Some(Fields { entries, span: node.span })
    }

    fn text<'n>(&mut self, node: &'n Node<'n>, what: &str) -> Option<&'n str> {
        match node.scalar() {
            Some(scalar) if scalar.meaning() == Meaning::Text && !scalar.text.is_empty() => Some(&scalar.text),
            Some(_) | None => {
                self.say(Code::MERGE_SHAPE, node.span, format!("{what} is a text"));
                None
            }
        }
    }

    fn items<'n>(&mut self, node: Option<&'n Node<'n>>, what: &str, span: Span) -> &'n [Node<'n>] {
        match node.map(|node| (node.sequence(), node.span)) {
            Some((Some(items), _)) if !items.is_empty() => items,
            Some((_, span)) => {
                self.say(Code::MERGE_SHAPE, span, format!("`{what}` is a list with an item at least"));
                &[]
            }
            None => {
                self.say(Code::MERGE_SHAPE, span, format!("`{what}` is missing"));
                &[]
            }
        }
    }

    fn merge(&mut self, document: &Node) -> Option<Merge> {
        const NAMES: &[&str] = &["version", "order", "inputs", "reducers", "emit", "conflicts", "key"];
        let fields = self.fields(document, "a merge fold", NAMES)?;
        match fields.get("version").map(|node| (node.scalar().map(|scalar| &*scalar.text), node.span)) {
            Some((Some("1"), _)) => {}
            Some((_, span)) => self.say(Code::MERGE_VERSION, span, "the version of merge folds is 1"),
            None => self.say(Code::MERGE_VERSION, fields.span, "`version` is missing"),
        }
        let nodes = self.items(fields.get("reducers"), "reducers", fields.span);
        let has_graph = fields.get("reducers").is_some_and(has_graph);
        let order = self.order(fields.get("order"), has_graph);
        let key = fields.get("key").map_or(Some(Vec::new()), |node| self.parts_key(node));
        let inputs = match fields.get("inputs") {
            Some(node) => self.items(Some(node), "inputs", node.span),
            None => &[],
        };
        let inputs = inputs.iter().filter_map(|node| self.glob(node)).collect();
        let graphs = if has_graph { self.graphs(nodes) } else { Some(Vec::new()) };
        let joined = if has_graph { &[] } else { nodes };
        let reducers: Vec<Option<Reducer>> =
            (1..).zip(joined).map(|(number, node)| self.reducer(node, number)).collect();
        self.repeated_names(nodes);
        self.repeated_reducers(nodes, &reducers);
        let ids: Vec<String> = (1..).zip(nodes).map(|(number, node)| id_of(node, number)).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let emits = self.emits(items_of(fields.get("emit")), &fields, &ids);
        let conflicts = match fields.get("conflicts") {
            Some(node) => self.emit_path(node)?,
            None => CONFLICTS.to_owned(),
        };
        if emits.iter().any(|emit| emit.path == conflicts) {
            let span = fields.get("conflicts").or(fields.get("emit")).map_or(fields.span, |node| node.span);
            self.say(Code::MERGE_EMIT, span, format!("`{conflicts}` is emitted already, and conflicts go there"));
        }
        let reducers = reducers.into_iter().collect::<Option<Vec<_>>>()?;
        let (graphs, order, key) = (graphs?, order?, key?);
        let mut merge = Merge { inputs, reducers, graphs, emits, conflicts, order, key };
        self.ruled_out(joined, &merge.reducers, merge.part().as_ref());
        if let Some(part) = merge.part() {
            // A map by the key itself has one entry in each part.
            for reducer in &mut merge.reducers {
                if let Shape::Map { key, of } = &reducer.shape
                    && *key == part
                {
                    reducer.shape = (**of).clone();
                }
            }
        }
        Some(merge)
    }

    fn order(&mut self, node: Option<&Node>, has_graph: bool) -> Option<Order> {
        let Some(node) = node else { return Some(if has_graph { Order::Ulid } else { Order::Join }) };
        let name = self.text(node, "an order")?;
        let found = Order::ALL.iter().copied().find(|order| order.name() == name);
        if found.is_none() {
            let names: Vec<&str> = Order::ALL.iter().map(|order| order.name()).collect();
            let diagnostic = Diagnostic::new(Code::FOLD_ORDER, node.span, format!("there is no order `{name}`"));
            self.report.push(diagnostic.with_help(format!("the orders are {}", listed(&names))));
        }
        if has_graph && found == Some(Order::Join) {
            let message = "rules rewrite a graph one after another: its order is `ulid` or `commit`";
            self.say(Code::FOLD_ORDER, node.span, message);
        }
        found
    }

    /// The names on the way to the value by which the state falls into parts.
    fn parts_key(&mut self, node: &Node) -> Option<Vec<String>> {
        let path = self.key_path(node)?;
        let names = path.names().filter(|names| (names.len() as u64) < limit::PROGRAM_KEY.value);
        if names.is_none() {
            let most = limit::PROGRAM_KEY.value - 1;
            self.say(Code::FOLD_ORDER, node.span, format!("`{}` is not of names only, at most {most}", path.to_text()));
        }
        names.map(|names| names.into_iter().map(str::to_owned).collect())
    }

    /// A glob over namespaces and paths.
    fn glob(&mut self, node: &Node) -> Option<String> {
        let glob = self.text(node, "a glob")?;
        if let Some(segment) = glob.split('/').find(|segment| !is_segment(segment)) {
            let message = format!("`{glob}` matches nothing: no resource has the segment `{segment}`");
            self.say(Code::MERGE_NEVER, node.span, message);
            return None;
        }
        Some(glob.to_owned())
    }

    fn path(&mut self, node: &Node) -> Option<Path> {
        let text = self.text(node, "a path")?;
        let path = match Path::parse(text) {
            Ok(path) => path,
            Err(why) => {
                self.say(Code::MERGE_PATH, node.span, format!("`{text}`: {why}"));
                return None;
            }
        };
        let far = |step: &Step| matches!(step, Step::Index(index) if index.unsigned_abs() >= limit::DATA_VALUES.value);
        if matches!(path.steps.first(), Some(Step::Index(_))) {
            self.say(Code::MERGE_NEVER, node.span, format!("`{text}` matches nothing: a payload is a map"));
        } else if path.steps.iter().any(far) || path.steps.len() as u64 > limit::DATA_DEPTH.value {
            let message = format!("`{text}` matches nothing: no document is so large");
            self.say(Code::MERGE_NEVER, node.span, message);
        }
        Some(path)
    }

    /// A path to one value that can be a key.
    fn key_path(&mut self, node: &Node) -> Option<Path> {
        let path = self.path(node)?;
        if path.steps.is_empty() {
            self.say(
                Code::MERGE_NEVER,
                node.span,
                "`$` is no key: a payload is a map, and a key is a text or a number",
            );
        } else if path.is_many() {
            self.say(
                Code::MERGE_PATH,
                node.span,
                format!("`{}` leads to many values, and a key is one", path.to_text()),
            );
        }
        Some(path)
    }

    fn reducer(&mut self, node: &Node, number: usize) -> Option<Reducer> {
        let names = ["id", "kind", "key", "value", "remove", "adds", CONCURRENT, "fields", "ignore"];
        let fields = self.fields(node, "a reducer", &names)?;
        let id = match fields.get("id") {
            Some(node) => self.text(node, "an id")?.to_owned(),
            None => id_of(node, number),
        };
        let value = match fields.get("value") {
            Some(node) => self.path(node)?,
            None => Path::default(),
        };
        let shape = self.shape(&fields, value)?;
        Some(Reducer { id, shape })
    }

    fn shape(&mut self, fields: &Fields<'_>, value: Path) -> Option<Shape> {
        let Some(kind) = fields.get("kind") else {
            self.say(Code::MERGE_SHAPE, fields.span, "`kind` is missing");
            return None;
        };
        let mut name = self.text(kind, "a kind")?;
        let mut maps = 0;
        while let Some(rest) = name.strip_prefix(MAP) {
            (maps, name) = (maps + 1, rest);
        }
        let keys = self.keys(fields, maps, kind.span)?;
        let inner = match name {
            PRODUCT | LEXICOGRAPHIC => self.compound(fields, name == PRODUCT)?,
            _ => {
                let Some(lattice) = Lattice::of_name(name) else {
                    self.unknown(kind, name);
                    return None;
                };
                self.unwanted(fields, &["fields", "ignore"], name);
                Shape::Simple(self.simple(fields, lattice, value, kind.span)?)
            }
        };
        Some(keys.into_iter().rev().fold(inner, |of, key| Shape::Map { key, of: Box::new(of) }))
    }

    fn unknown(&mut self, kind: &Node, name: &str) {
        if self.graph_within(kind, name) {
            return;
        }
        let names = || Lattice::ALL.iter().map(|lattice| lattice.name()).chain([PRODUCT, LEXICOGRAPHIC, GRAPH]);
        let found = Diagnostic::new(Code::MERGE_LATTICE, kind.span, format!("there is no lattice `{name}`"));
        self.report.push(match similar(name, names()) {
            Some(like) => found.with_help(format!("did you mean `{like}`?")),
            None => found.with_help(format!("the lattices are {}", listed(&names().collect::<Vec<_>>()))),
        });
    }

    /// The keys of as many maps as the kind names.
    fn keys(&mut self, fields: &Fields<'_>, maps: usize, span: Span) -> Option<Vec<Path>> {
        let nodes: &[Node] = match fields.get("key") {
            None => &[],
            Some(node) => node.sequence().unwrap_or(core::slice::from_ref(node)),
        };
        if nodes.len() != maps {
            let at = fields.get("key").map_or(span, |node| node.span);
            let message = match maps {
                0 => "only a map has a key: write `map-join-` before the kind".to_owned(),
                1 => "a map has one key: `key: \"$.id\"`".to_owned(),
                _ => format!("{maps} maps in one another have {maps} keys: `key: [\"$.a\", \"$.b\"]`"),
            };
            self.say(Code::MERGE_KEY, at, message);
            return None;
        }
        nodes.iter().map(|node| self.key_path(node)).collect()
    }

    fn compound(&mut self, fields: &Fields<'_>, is_product: bool) -> Option<Shape> {
        let kind = if is_product { PRODUCT } else { LEXICOGRAPHIC };
        self.unwanted(fields, &["value", "remove", "adds", CONCURRENT], kind);
        let mut parts = Vec::new();
        for node in self.items(fields.get("fields"), "fields", fields.span) {
            parts.push(self.part(node)?);
        }
        self.overlapping(&parts);
        if is_product {
            let ignored = match fields.get("ignore") {
                Some(node) => self.items(Some(node), "ignore", node.span),
                None => &[],
            };
            let ignored = ignored.iter().map(|node| self.path(node)).collect::<Option<Vec<_>>>()?;
            return Some(Shape::Product { parts, ignored });
        }
        self.unwanted(fields, &["ignore"], kind);
        for part in parts.iter().rev().skip(1) {
            if !matches!(&part.shape, Shape::Simple(simple) if simple.lattice.order().is_some()) {
                let chains: Vec<&str> = Lattice::ALL
                    .iter()
                    .filter(|lattice| lattice.order().is_some())
                    .map(|lattice| lattice.name())
                    .collect();
                let message = format!("only {} can stand before another part", listed(&chains));
                self.say(Code::MERGE_CHAIN, part.span, message);
            }
        }
        Some(Shape::Lexicographic(parts))
    }

    fn part(&mut self, node: &Node) -> Option<Part> {
        let fields = self.fields(node, "a field", &["path", "kind", "key", "remove", "adds", CONCURRENT])?;
        let Some(at) = fields.get("path") else {
            self.say(Code::MERGE_SHAPE, fields.span, "`path` is missing");
            return None;
        };
        let path = self.path(at)?;
        if path.names().is_none_or(|names| names.is_empty()) {
            let message = format!("the path of a field is made of names, `$.name`; `{}` is not", path.to_text());
            self.say(Code::MERGE_PATH, at.span, message);
            return None;
        }
        let shape = self.shape(&fields, path.clone())?;
        Some(Part { path, span: at.span, shape })
    }

    fn simple(&mut self, fields: &Fields<'_>, lattice: Lattice, value: Path, span: Span) -> Option<Simple> {
        let takes = lattice.takes();
        let mut optional = |name: &str| match fields.get(name) {
            Some(node) => self.path(node).map(Some),
            None => Some(None),
        };
        let (remove, adds) = (optional("remove")?, optional("adds")?);
        let takes_remove = matches!(takes, Takes::Removes | Takes::NamedRemoves);
        let takes_adds = matches!(takes, Takes::NamedRemoves | Takes::Flag | Takes::Writes);
        let is_disputed = fields.get(CONCURRENT).is_some_and(|node| self.way(node) == Some("conflict"));
        let not_taken: Vec<&str> =
            [("remove", takes_remove), ("adds", takes_adds), (CONCURRENT, takes == Takes::Writes)]
                .into_iter()
                .filter(|(_, taken)| !taken)
                .map(|(name, _)| name)
                .collect();
        self.unwanted(fields, &not_taken, lattice.name());
        let needs_adds = (takes == Takes::NamedRemoves && remove.is_some()) || takes == Takes::Flag;
        if needs_adds && adds.is_none() {
            let at = fields.get("remove").map_or(span, |node| node.span);
            self.say(Code::MERGE_ADDS, at, format!("`{}` names no adds that are taken back", lattice.name()));
        }
        let takes_many = matches!(takes, Takes::Members | Takes::Removes | Takes::NamedRemoves);
        if value.is_many() && !takes_many {
            let at = fields.get("value").or(fields.get("path")).map_or(span, |node| node.span);
            self.say(Code::MERGE_PATH, at, format!("`{}` takes one value, and `[*]` leads to many", lattice.name()));
        }
        let is_whole = value.steps.is_empty() && !matches!(takes, Takes::Value | Takes::Writes);
        if is_whole {
            let message =
                format!("`{}` never finds its value: a payload is a map; say where it is by `value`", lattice.name());
            self.say(Code::MERGE_NEVER, span, message);
        }
        Some(Simple { lattice, value, remove, adds, is_disputed })
    }

    /// What becomes of values that nothing replaces.
    fn way<'n>(&mut self, node: &'n Node<'n>) -> Option<&'n str> {
        let name = self.text(node, "`concurrent`")?;
        if WAYS.contains(&name) {
            return Some(name);
        }
        let found = Diagnostic::new(Code::MERGE_SHAPE, node.span, format!("`concurrent` is never `{name}`"));
        self.report.push(match similar(name, WAYS.iter().copied()) {
            Some(like) => found.with_help(format!("did you mean `{like}`?")).with_fix(node.span, like),
            None => found.with_help(format!("it is one of {}", listed(WAYS))),
        });
        None
    }

    /// Fields that the kind does not look at.
    fn unwanted(&mut self, fields: &Fields<'_>, names: &[&str], kind: &str) {
        for entry in fields.entries.iter().filter(|entry| names.contains(&&*entry.key.text)) {
            self.say(Code::MERGE_FIELD, entry.key.span, format!("`{kind}` takes no `{}`", entry.key.text));
        }
    }

    fn overlapping(&mut self, parts: &[Part]) {
        for (number, part) in parts.iter().enumerate() {
            if let Some(first) = parts.iter().take(number).find(|first| first.path.overlaps(&part.path)) {
                let message = format!("two reducers on one path: `{}`", part.path.to_text());
                let found = Diagnostic::new(Code::MERGE_TWICE, part.span, message);
                self.report.push(found.with_note(first.span, "the first is here"));
            }
        }
    }

    fn repeated_names(&mut self, nodes: &[Node]) {
        let ids: Vec<&Node> = nodes.iter().filter_map(|node| node.get("id")).collect();
        for (number, id) in ids.iter().enumerate() {
            if let Some(first) = ids.iter().take(number).find(|first| first.scalar() == id.scalar()) {
                let found = Diagnostic::new(Code::MERGE_TWICE, id.span, "two reducers have this id");
                self.report.push(found.with_note(first.span, "the first is here"));
            }
        }
    }

    /// Reducers that would merge one path under the same keys.
    fn repeated_reducers(&mut self, nodes: &[Node], reducers: &[Option<Reducer>]) {
        if !reducers.iter().all(Option::is_some) {
            return;
        }
        let all: Vec<(Vec<&Path>, Vec<&Path>)> =
            reducers.iter().flatten().map(|reducer| places(&reducer.shape)).collect();
        for (number, ((keys, paths), node)) in all.iter().zip(nodes).enumerate() {
            let twice = |(others, theirs): &(Vec<&Path>, Vec<&Path>)| {
                let same = paths.iter().find(|path| theirs.contains(path)).copied();
                same.filter(|_| others == keys)
            };
            let first = all.iter().zip(nodes).take(number).find_map(|(other, first)| Some((first, twice(other)?)));
            if let Some((first, path)) = first {
                let message = format!("two reducers on one path: `{}`", path.to_text());
                let found = Diagnostic::new(Code::MERGE_TWICE, node.span, message);
                self.report.push(found.with_note(first.span, "the first is here"));
            }
        }
    }

    fn emits(&mut self, nodes: &[Node], fields: &Fields<'_>, ids: &[&str]) -> Vec<Emit> {
        if nodes.is_empty() {
            self.items(fields.get("emit"), "emit", fields.span);
        }
        let mut emits: Vec<Emit> = Vec::new();
        for node in nodes {
            let Some(inner) = self.fields(node, "an emit", &["path", "reducer", "columns"]) else { continue };
            let Some(at) = inner.get("path") else {
                self.say(Code::MERGE_SHAPE, node.span, "`path` is missing");
                continue;
            };
            let Some(path) = self.emit_path(at) else { continue };
            if emits.iter().any(|emit| emit.path == path) {
                self.say(Code::MERGE_EMIT, at.span, format!("`{path}` is emitted already"));
            }
            let reducer = match (inner.get("reducer"), ids) {
                (None, [_]) => Some(0),
                (None, _) => {
                    self.say(Code::MERGE_EMIT, node.span, "there are several reducers: say which by `reducer`");
                    None
                }
                (Some(node), _) => self.text(node, "a reducer's id").and_then(|id| {
                    let place = ids.iter().position(|other| *other == id);
                    if place.is_none() {
                        let found = Diagnostic::new(Code::MERGE_EMIT, node.span, format!("there is no reducer `{id}`"));
                        self.report.push(match similar(id, ids.iter().copied()) {
                            Some(like) => found.with_help(format!("did you mean `{like}`?")),
                            None => found,
                        });
                    }
                    place
                }),
            };
            if let (Some(node), true) = (inner.get("columns"), fields.get("reducers").is_some_and(has_graph)) {
                self.say(Code::MERGE_FIELD, node.span, "a graph's rows are nodes and edges, and have no `columns`");
            }
            let columns = inner.get("columns").map(|node| self.columns(node)).unwrap_or_default();
            emits.extend(reducer.map(|reducer| Emit { path, reducer, columns }));
        }
        emits
    }

    /// The columns of a relation with their types.
    fn columns(&mut self, node: &Node) -> Vec<(String, String)> {
        let Some(entries) = node.mapping() else {
            self.say(Code::MERGE_SHAPE, node.span, "`columns` is a map from columns to types");
            return Vec::new();
        };
        let mut columns = Vec::new();
        for Entry { key, value, .. } in entries {
            let Some(kind) = self.text(value, "a column's type") else { continue };
            if !Type::ALL.iter().any(|known| known.name() == kind) {
                let names: Vec<&str> = Type::ALL.iter().map(|known| known.name()).collect();
                let found = Diagnostic::new(Code::MERGE_SHAPE, value.span, format!("there is no type `{kind}`"));
                self.report.push(found.with_help(format!("the types of columns are {}", listed(&names))));
            }
            columns.push((key.text.to_string(), kind.to_owned()));
        }
        columns
    }

    fn emit_path(&mut self, node: &Node) -> Option<String> {
        let path = self.text(node, "a path of rows")?;
        if let Some(segment) = path.split('/').find(|segment| !is_segment(segment) || segment.contains('*')) {
            let message = format!("`{path}` is no path of rows: `{segment}` is no segment");
            self.say(Code::MERGE_PATH, node.span, message);
            return None;
        }
        Some(path.to_owned())
    }
}

fn has_graph(reducers: &Node) -> bool {
    reducers.sequence().unwrap_or_default().iter().any(graph::is_graph)
}

fn items_of<'n>(node: Option<&'n Node<'n>>) -> &'n [Node<'n>] {
    node.and_then(Node::sequence).unwrap_or_default()
}

/// What rules call a reducer: its id, or its place.
fn id_of(node: &Node, number: usize) -> String {
    let id = node.get("id").and_then(Node::scalar).map(|scalar| scalar.text.to_string());
    id.unwrap_or_else(|| format!("reducer-{number}"))
}

/// The keys of a reducer, and the paths of what it merges.
fn places(shape: &Shape) -> (Vec<&Path>, Vec<&Path>) {
    let (mut keys, mut shape) = (Vec::new(), shape);
    loop {
        match shape {
            Shape::Map { key, of } => {
                keys.push(key);
                shape = of;
            }
            Shape::Simple(simple) => return (keys, vec![&simple.value]),
            Shape::Product { parts, .. } | Shape::Lexicographic(parts) => {
                return (keys, parts.iter().map(|part| &part.path).collect());
            }
        }
    }
}

/// Whether a resource can have such a segment, or some segments that a glob means by it.
fn is_segment(segment: &str) -> bool {
    let is_part = |point: char| !matches!(point, '%' | '\\' | '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}');
    !matches!(segment, "" | "." | "..") && segment.chars().all(is_part)
}

/// Names as a sentence lists them.
fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}
