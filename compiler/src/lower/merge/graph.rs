//! Graphs that rules rewrite: a rule has a left and a right side, and what both have is kept.

use super::Path;

/// A graph of a fold, and the rules by which operations rewrite it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    pub id: String,
    pub rules: Vec<Rule>,
}

/// A rule, for operations of one type. Places are those of nodes, from 1: first the left side's, then the new ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    pub id: String,
    pub when: String,
    /// The left side: matches are ordered by the ids of these nodes, in this order.
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
    /// What only the right side has.
    pub new_nodes: Vec<Node>,
    pub new_edges: Vec<Edge>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub name: String,
    pub label: Option<Term>,
    pub id: Option<Term>,
    pub is_kept: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    pub from: usize,
    pub label: Term,
    pub to: usize,
    pub is_kept: bool,
}

/// A text, or where an operation says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Term {
    Text(String),
    At(Path),
}

impl Rule {
    /// The paths that an operation is asked for, each once.
    #[must_use]
    pub fn asks(&self) -> Vec<&Path> {
        let nodes = self.nodes.iter().chain(&self.new_nodes);
        let terms = nodes.flat_map(|node| node.label.iter().chain(&node.id));
        let labels = self.edges.iter().chain(&self.new_edges).map(|edge| &edge.label);
        let mut paths: Vec<&Path> = Vec::new();
        for term in terms.chain(labels) {
            if let Term::At(path) = term
                && !paths.contains(&path)
            {
                paths.push(path);
            }
        }
        paths
    }
}
