//! The Lua of a fold of graphs: a step looks for a rule of the operation's type, and the library rewrites.

use super::super::graph::{Edge, Graph, Node, Rule, Term};
use super::super::{Merge, Path};
use super::{CONFLICTS, Writer, found, quote};

pub(super) fn write(writer: &mut Writer, merge: &Merge) {
    let graphs: Vec<String> =
        merge.graphs.iter().map(|graph| format!("[{}] = graph.new()", quote(&graph.id))).collect();
    writer.line(format!("function init() return {{ {} }} end", graphs.join(", ")));
    step(writer, merge);
    let part = if merge.key.is_empty() { "" } else { ", part" };
    writer.line(format!("function finish(state{part})"));
    for emit in &merge.emits {
        if let Some(graph) = merge.graphs.get(emit.reducer) {
            writer.line(format!("graph.emit({}, state[{}]{part})", quote(&emit.path), quote(&graph.id)));
        }
    }
    writer.emit_conflicts(merge);
    writer.line("end");
}

fn step(writer: &mut Writer, merge: &Merge) {
    let rules: Vec<String> = merge.graphs.iter().flat_map(|graph| &graph.rules).map(|rule| quote(&rule.id)).collect();
    let conflicts = format!("state[{}]", quote(CONFLICTS));
    let keep = |conflict: &str| format!("{conflicts} = lattice.conflicts({conflicts} or {{}}, {conflict})");
    let uncovered = |path: &str| keep(&format!("lattice.conflict(op, {{ {path} }}, {{ {} }})", rules.join(", ")));
    writer.line("function step(state, op)");
    writer.within(merge);
    if let Some(part) = merge.part() {
        writer.line(format!("if lattice.name({}) == nil then", found(&part)));
        writer.line(uncovered(&quote(&part.to_text())));
        writer.line("return nil end");
    }
    writer.line("local covered, failures = false, nil");
    for graph in &merge.graphs {
        writer.line("do local tried = nil");
        graph.rules.iter().for_each(|rule| tries(writer, graph, rule));
        writer.line("covered = covered or tried ~= nil");
        writer.line("if tried ~= nil and tried ~= true then");
        writer.line("for _, failure in ipairs(tried) do failures = lattice.note(failures, failure) end end end");
    }
    writer.line(format!("if not covered then {}", uncovered("\"$\"")));
    writer.line(format!("elseif failures ~= nil then {} end", keep("graph.conflict(op, failures)")));
    writer.line("end");
}

fn tries(writer: &mut Writer, graph: &Graph, rule: &Rule) {
    let asks = rule.asks();
    let names: Vec<String> = asks.iter().map(|_| writer.name("said")).collect();
    writer.line(format!("if op.type == {} then", quote(&rule.when)));
    for (path, name) in asks.iter().zip(&names) {
        writer.line(format!("local {name} = lattice.name({})", found(path)));
    }
    let said: Vec<String> =
        asks.iter().zip(&names).map(|(path, name)| format!("[{}] = {name} or false", quote(&path.to_text()))).collect();
    let terms = Terms { asks: &asks, names: &names };
    writer.line(format!("tried = graph.try(state[{}], tried, {{ id = {},", quote(&graph.id), quote(&rule.id)));
    writer.line(format!("asks = {{ {} }},", said.join(", ")));
    writer.line(format!("nodes = {},", listed(rule.nodes.iter().map(|node| terms.node(node)))));
    writer.line(format!("edges = {},", listed(rule.edges.iter().map(|edge| terms.edge(edge)))));
    let new_nodes = rule.new_nodes.iter().map(|node| terms.new_node(node));
    writer.line(format!("new_nodes = {},", listed(new_nodes)));
    writer.line(format!("new_edges = {} }}) end", listed(rule.new_edges.iter().map(|edge| terms.edge(edge)))));
}

/// The names under which a rule's step has what the operation says.
struct Terms<'r> {
    asks: &'r [&'r Path],
    names: &'r [String],
}

impl Terms<'_> {
    fn term(&self, term: &Term) -> String {
        match term {
            Term::Text(text) => quote(text),
            Term::At(path) => {
                let place = self.asks.iter().position(|other| *other == path);
                place.and_then(|place| self.names.get(place)).cloned().unwrap_or_default()
            }
        }
    }

    fn node(&self, node: &Node) -> String {
        let name = format!("name = {}, kept = {}", quote(&node.name), node.is_kept);
        let label = node.label.iter().map(|label| format!("label = {}", self.term(label)));
        let id = node.id.iter().map(|id| format!("id = {}", self.term(id)));
        let fields: Vec<String> = core::iter::once(name).chain(label).chain(id).collect();
        format!("{{ {} }}", fields.join(", "))
    }

    /// A new node that is given no id has one of its operation and its name.
    fn new_node(&self, node: &Node) -> String {
        let own = || format!("op.ulid .. {}", quote(&format!("/{}", node.name)));
        let id = node.id.as_ref().map_or_else(own, |id| self.term(id));
        let label = node.label.as_ref().map_or_else(|| "nil".to_owned(), |label| self.term(label));
        format!("{{ label = {label}, id = {id} }}")
    }

    fn edge(&self, edge: &Edge) -> String {
        let Edge { from, label, to, is_kept } = edge;
        format!("{{ from = {from}, label = {}, to = {to}, kept = {is_kept} }}", self.term(label))
    }
}

fn listed(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    if items.is_empty() { "list()".to_owned() } else { format!("{{ {} }}", items.join(", ")) }
}
