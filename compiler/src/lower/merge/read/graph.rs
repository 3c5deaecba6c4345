//! Reads graphs: rules with a left and a right side, whose nodes are named.

use super::super::graph::{Edge, Graph, Node, Rule, Term};
use super::super::lattice::{GRAPH, LEXICOGRAPHIC, PRODUCT};
use super::{Reader, id_of};
use crate::Span;
use crate::code::Code;
use crate::diagnostic::Diagnostic;
use crate::suggest::similar;
use crate::syntax::yaml::tree::Node as Tree;

/// Whether a reducer is a graph.
pub(super) fn is_graph(node: &Tree) -> bool {
    node.get("kind").and_then(Tree::scalar).is_some_and(|kind| kind.text == GRAPH)
}

/// A node as a side names it.
struct Named<'n> {
    name: &'n str,
    span: Span,
    label: Option<Term>,
    id: Option<Term>,
}

/// An edge as a side writes it: its nodes by their places on that side.
struct Drawn {
    from: usize,
    label: Term,
    to: usize,
}

#[derive(Default)]
struct Side<'n> {
    nodes: Vec<Named<'n>>,
    edges: Vec<Drawn>,
}

impl Reader {
    /// The graphs of a fold that has any; all its reducers are graphs then.
    pub(super) fn graphs(&mut self, nodes: &[Tree]) -> Option<Vec<Graph>> {
        let mut graphs = Vec::new();
        for (number, node) in (1..).zip(nodes) {
            if is_graph(node) {
                graphs.push(self.graph(node, number));
            } else {
                let message =
                    "a graph is rewritten in an order, and all else is joined: write a fold of its own for it";
                self.say(Code::MERGE_SHAPE, node.span, message);
            }
        }
        let graphs = graphs.into_iter().collect::<Option<Vec<Graph>>>()?;
        self.repeated_rules(nodes, &graphs);
        Some(graphs)
    }

    fn graph(&mut self, node: &Tree, number: usize) -> Option<Graph> {
        let fields = self.fields(node, "a graph", &["id", "kind", "rules"])?;
        if let Some(node) = fields.get("id") {
            self.text(node, "an id")?;
        }
        let nodes = self.items(fields.get("rules"), "rules", fields.span);
        let rules: Vec<Option<Rule>> = (1..).zip(nodes).map(|(number, node)| self.rule(node, number)).collect();
        Some(Graph { id: id_of(node, number), rules: rules.into_iter().collect::<Option<Vec<_>>>()? })
    }

    /// Conflicts speak of rules by their ids alone.
    fn repeated_rules(&mut self, nodes: &[Tree], graphs: &[Graph]) {
        let trees = nodes.iter().filter_map(|node| node.get("rules").and_then(Tree::sequence)).flatten();
        let mut seen: Vec<(&str, Span)> = Vec::new();
        for (rule, tree) in graphs.iter().flat_map(|graph| &graph.rules).zip(trees) {
            match seen.iter().find(|(id, _)| *id == rule.id) {
                Some((_, first)) => {
                    let found = Diagnostic::new(Code::MERGE_TWICE, tree.span, format!("two rules are `{}`", rule.id));
                    self.report.push(found.with_note(*first, "the first is here"));
                }
                None => seen.push((&rule.id, tree.span)),
            }
        }
    }

    fn rule(&mut self, node: &Tree, number: usize) -> Option<Rule> {
        let fields = self.fields(node, "a rule", &["id", "when", "left", "right"])?;
        let id = match fields.get("id") {
            Some(node) => self.text(node, "an id")?.to_owned(),
            None => format!("rule-{number}"),
        };
        let Some(when) = fields.get("when") else {
            self.say(
                Code::MERGE_SHAPE,
                fields.span,
                "`when` is missing: the type of the operations that ask for the rule",
            );
            return None;
        };
        let when = self.text(when, "a type of operations")?.to_owned();
        if fields.get("left").is_none() && fields.get("right").is_none() {
            self.say(Code::MERGE_SHAPE, fields.span, "a rule has `left`, or `right`, or both");
        }
        let left = fields.get("left").map_or_else(|| Some(Side::default()), |node| self.side(node, "left"));
        let right = fields.get("right").map_or_else(|| Some(Side::default()), |node| self.side(node, "right"));
        Some(self.rewriting(id, when, left?, &right?))
    }

    fn side<'n>(&mut self, node: &'n Tree<'n>, what: &str) -> Option<Side<'n>> {
        let fields = self.fields(node, &format!("`{what}`"), &["nodes", "edges"])?;
        let mut side = Side::default();
        let nodes = fields.get("nodes").map_or(&[][..], |node| self.items(Some(node), "nodes", node.span));
        let named: Vec<Option<Named<'n>>> = nodes.iter().map(|node| self.named(node)).collect();
        for named in named.into_iter().collect::<Option<Vec<Named<'n>>>>()? {
            if let Some(first) = side.nodes.iter().find(|first| first.name == named.name) {
                let found = Diagnostic::new(Code::MERGE_RULE, named.span, format!("two nodes are `{}`", named.name));
                self.report.push(found.with_note(first.span, "the first is here"));
            }
            side.nodes.push(named);
        }
        let edges = fields.get("edges").map_or(&[][..], |node| self.items(Some(node), "edges", node.span));
        let drawn: Vec<Option<Drawn>> = edges.iter().map(|node| self.drawn(node, &side.nodes)).collect();
        side.edges = drawn.into_iter().collect::<Option<Vec<Drawn>>>()?;
        Some(side)
    }

    /// A node: its name alone, or a mapping.
    fn named<'n>(&mut self, node: &'n Tree<'n>) -> Option<Named<'n>> {
        if node.scalar().is_some() {
            let name = self.text(node, "a node's name")?;
            return Some(Named { name, span: node.span, label: None, id: None });
        }
        let fields = self.fields(node, "a node", &["name", "label", "id"])?;
        let Some(name) = fields.get("name") else {
            self.say(Code::MERGE_SHAPE, fields.span, "`name` is missing");
            return None;
        };
        let (name, span) = (self.text(name, "a node's name")?, name.span);
        let label = match fields.get("label") {
            Some(node) => Some(self.term(node, "a label")?),
            None => None,
        };
        let id = match fields.get("id") {
            Some(node) => Some(self.term(node, "an id")?),
            None => None,
        };
        Some(Named { name, span, label, id })
    }

    /// An edge: the names of its nodes, and its label between them.
    fn drawn(&mut self, node: &Tree, nodes: &[Named<'_>]) -> Option<Drawn> {
        let Some([from, label, to]) = node.sequence() else {
            self.say(Code::MERGE_SHAPE, node.span, "an edge is `[from, label, to]`");
            return None;
        };
        let label = self.term(label, "a label");
        let (from, to) = (self.place(from, nodes), self.place(to, nodes));
        Some(Drawn { from: from?, label: label?, to: to? })
    }

    /// The place of a node on its side.
    fn place(&mut self, node: &Tree, nodes: &[Named<'_>]) -> Option<usize> {
        let name = self.text(node, "a node's name")?;
        let place = nodes.iter().position(|other| other.name == name);
        if place.is_none() {
            let message = format!("no node of this side is `{name}`");
            let found = Diagnostic::new(Code::MERGE_RULE, node.span, message);
            self.report.push(match similar(name, nodes.iter().map(|node| node.name)) {
                Some(like) => found.with_help(format!("did you mean `{like}`?")).with_fix(node.span, like),
                None => found,
            });
        }
        place
    }

    /// A text, or a path where it begins with `$`.
    fn term(&mut self, node: &Tree, what: &str) -> Option<Term> {
        let text = self.text(node, what)?;
        if text.starts_with('$') { self.key_path(node).map(Term::At) } else { Some(Term::Text(text.to_owned())) }
    }

    /// Both sides together: what both have is kept.
    fn rewriting(&mut self, id: String, when: String, left: Side<'_>, right: &Side<'_>) -> Rule {
        let mut new_nodes: Vec<Node> = Vec::new();
        let mut places: Vec<usize> = Vec::new();
        for node in &right.nodes {
            match left.nodes.iter().position(|other| other.name == node.name) {
                Some(place) => {
                    places.push(place + 1);
                    self.kept(node, left.nodes.get(place));
                }
                None => {
                    if node.label.is_none() {
                        let message = format!("`{}` is made here, and has no label", node.name);
                        let found = Diagnostic::new(Code::MERGE_RULE, node.span, message);
                        self.report.push(match similar(node.name, left.nodes.iter().map(|node| node.name)) {
                            Some(like) => {
                                found.with_help(format!("to keep a node, write its name: did you mean `{like}`?"))
                            }
                            None => found,
                        });
                    }
                    let Named { name, label, id, .. } = node;
                    let (label, id) = (label.clone(), id.clone());
                    new_nodes.push(Node { name: (*name).to_owned(), label, id, is_kept: true });
                    places.push(left.nodes.len() + new_nodes.len());
                }
            }
        }
        let place = |place: usize| places.get(place).copied().unwrap_or_default();
        let right_edges: Vec<Edge> = right
            .edges
            .iter()
            .map(|edge| Edge { from: place(edge.from), label: edge.label.clone(), to: place(edge.to), is_kept: true })
            .collect();
        let edges: Vec<Edge> = left
            .edges
            .into_iter()
            .map(|Drawn { from, label, to }| {
                let kept = Edge { from: from + 1, label, to: to + 1, is_kept: true };
                let is_kept = right_edges.contains(&kept);
                Edge { is_kept, ..kept }
            })
            .collect();
        let new_edges = right_edges.into_iter().filter(|edge| !edges.contains(edge)).collect();
        let nodes = left.nodes.into_iter().map(|Named { name, label, id, .. }| {
            let is_kept = right.nodes.iter().any(|node| node.name == name);
            Node { name: name.to_owned(), label, id, is_kept }
        });
        Rule { id, when, nodes: nodes.collect(), edges, new_nodes, new_edges }
    }

    /// A node that is kept stays what it is.
    fn kept(&mut self, node: &Named<'_>, left: Option<&Named<'_>>) {
        let Some(left) = left else { return };
        let is_other = |right: &Option<Term>, left: &Option<Term>| right.is_some() && right != left;
        if is_other(&node.label, &left.label) || is_other(&node.id, &left.id) {
            let message = format!("`{}` is kept, and keeps its label and its id", node.name);
            let found = Diagnostic::new(Code::MERGE_RULE, node.span, message);
            self.report.push(found.with_note(left.span, "it is this node"));
        }
    }

    /// Why there is no such kind, where a graph is meant.
    pub(super) fn graph_within(&mut self, kind: &Tree, name: &str) -> bool {
        if name == GRAPH {
            let message = format!("a graph is no part of a map, of `{PRODUCT}` or of `{LEXICOGRAPHIC}`");
            let found = Diagnostic::new(Code::MERGE_LATTICE, kind.span, message);
            self.report.push(found.with_help("a graph for each key is a fold of graphs with a `key`"));
        }
        name == GRAPH
    }
}
