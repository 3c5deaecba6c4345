//! Rules by chance on graphs by chance, beside a plain reading of the double pushout: all tuples of nodes in order, the first
//! that nothing stands against.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use super::program;
use kerai_compiler::Language;
use kerai_tests::property::{Random, Run};
use kerai_vm::bytecode::Limits;
use kerai_vm::encoding::{Options, cbor, json};
use kerai_vm::fold::Folding;
use kerai_vm::value::Heap;
use std::collections::{BTreeMap, BTreeSet};

type Edge = (String, String, String);

/// Nodes with their labels, and edges.
#[derive(Clone, Default)]
struct Graph {
    nodes: BTreeMap<String, String>,
    edges: BTreeSet<Edge>,
}

/// An edge between places: the left side's nodes, then the new ones.
type Drawn = (usize, &'static str, usize);

/// A rule: of each node on the left its label and its id, if they are said, and whether it is kept.
struct Rule {
    left: Vec<(Option<&'static str>, Option<String>, bool)>,
    edges: Vec<(Drawn, bool)>,
    new_nodes: Vec<(&'static str, String)>,
    new_edges: Vec<Drawn>,
}

const LABELS: &[&str] = &["p", "q"];
const RELATIONS: &[&str] = &["r", "s"];
const IDS: &[&str] = &["a", "b", "c", "d", "é", "10", "9"];

fn rule(random: &mut Random) -> Rule {
    let left: Vec<_> = (0..random.below(4))
        .map(|_| {
            let label = (random.below(3) != 0).then(|| *random.pick(LABELS));
            let id = (random.below(4) == 0).then(|| (*random.pick(IDS)).to_owned());
            (label, id, random.below(3) != 0)
        })
        .collect();
    let new_nodes: Vec<_> =
        (0..random.below(3)).map(|_| (*random.pick(LABELS), (*random.pick(IDS)).to_owned())).collect();
    let mut edges: Vec<(Drawn, bool)> = Vec::new();
    if !left.is_empty() {
        let place = |random: &mut Random| random.below(left.len() as u64) as usize;
        for _ in 0..random.below(4) {
            let drawn = (place(random), *random.pick(RELATIONS), place(random));
            let can_stay = left[drawn.0].2 && left[drawn.2].2;
            if !edges.iter().any(|(other, _)| *other == drawn) {
                edges.push((drawn, can_stay && random.below(2) == 0));
            }
        }
    }
    let there: Vec<usize> =
        (0..left.len() + new_nodes.len()).filter(|&place| place >= left.len() || left[place].2).collect();
    let mut new_edges = Vec::new();
    if !there.is_empty() {
        for _ in 0..random.below(3) {
            let drawn = (*random.pick(&there), *random.pick(RELATIONS), *random.pick(&there));
            // What stands on both sides is kept, so it is no new edge.
            if !edges.iter().any(|(other, _)| *other == drawn) && !new_edges.contains(&drawn) {
                new_edges.push(drawn);
            }
        }
    }
    Rule { left, edges, new_nodes, new_edges }
}

/// The rule as an author writes it.
fn written(rule: &Rule, number: usize) -> String {
    let drawn = |(from, label, to): &Drawn| format!("[n{from}, {label}, n{to}]");
    let list = |items: Vec<String>, name: &str| match items.is_empty() {
        true => String::new(),
        false => format!("{name}: [{}]", items.join(", ")),
    };
    let side = |nodes: Vec<String>, edges: Vec<String>| {
        let parts = [list(nodes, "nodes"), list(edges, "edges")];
        format!("{{{}}}", parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", "))
    };
    let said = |label: Option<&str>, id: Option<&String>, place: usize| {
        let label = label.map(|label| format!(", label: {label}")).unwrap_or_default();
        let id = id.map(|id| format!(", id: '{id}'")).unwrap_or_default();
        format!("{{name: n{place}{label}{id}}}")
    };
    let left = (0..).zip(&rule.left).map(|(place, (label, id, _))| said(*label, id.as_ref(), place)).collect();
    let kept = (0..).zip(&rule.left).filter(|(_, node)| node.2).map(|(place, _): (usize, _)| format!("n{place}"));
    let new = (rule.left.len()..).zip(&rule.new_nodes).map(|(place, (label, id))| said(Some(label), Some(id), place));
    let kept_edges = rule.edges.iter().filter(|(_, is_kept)| *is_kept).map(|(edge, _)| drawn(edge));
    let right = side(kept.chain(new).collect(), kept_edges.chain(rule.new_edges.iter().map(drawn)).collect());
    let left = side(left, rule.edges.iter().map(|(edge, _)| drawn(edge)).collect());
    format!("      - {{id: rule{number}, when: t{}, left: {left}, right: {right}}}\n", number % 4)
}

impl Graph {
    fn fits(&self, rule: &Rule, tuple: &[&String]) -> bool {
        let is_node = |(place, (label, id, _)): (usize, &(Option<&str>, Option<String>, bool))| {
            label.is_none_or(|label| self.nodes[tuple[place]] == label)
                && id.as_ref().is_none_or(|id| id == tuple[place])
        };
        rule.left.iter().enumerate().all(is_node)
            && rule.edges.iter().all(|((from, label, to), _)| self.edges.contains(&edge(tuple, *from, label, *to)))
    }

    /// What the rule makes of the graph at a match; nothing where a condition is broken.
    fn rewritten(&self, rule: &Rule, tuple: &[&String]) -> Option<Graph> {
        for (place, node) in rule.left.iter().enumerate() {
            for (other, twin) in rule.left.iter().enumerate().take(place) {
                if tuple[place] == tuple[other] && !(node.2 && twin.2) {
                    return None;
                }
            }
        }
        let mapped: Vec<(Edge, bool)> =
            rule.edges.iter().map(|((from, label, to), is_kept)| (edge(tuple, *from, label, *to), *is_kept)).collect();
        for (place, one) in mapped.iter().enumerate() {
            if mapped.iter().take(place).any(|other| other.0 == one.0 && !(one.1 && other.1)) {
                return None;
            }
        }
        let mut made = self.clone();
        mapped.iter().filter(|(_, is_kept)| !is_kept).for_each(|(edge, _)| {
            made.edges.remove(edge);
        });
        for (place, _) in rule.left.iter().enumerate().filter(|(_, node)| !node.2) {
            made.nodes.remove(tuple[place]);
        }
        if made.edges.iter().any(|(from, _, to)| !made.nodes.contains_key(from) || !made.nodes.contains_key(to)) {
            return None;
        }
        let mut all: Vec<&String> = tuple.to_vec();
        for (label, id) in &rule.new_nodes {
            if made.nodes.insert(id.clone(), (*label).to_owned()).is_some() {
                return None;
            }
            all.push(id);
        }
        made.edges.extend(rule.new_edges.iter().map(|(from, label, to)| edge(&all, *from, label, *to)));
        Some(made)
    }

    /// The first match in order at which the rule can be followed.
    fn followed(&self, rule: &Rule) -> Option<Graph> {
        let mut tuples: Vec<Vec<&String>> = vec![Vec::new()];
        for _ in &rule.left {
            let mut longer = Vec::new();
            for tuple in &tuples {
                longer.extend(self.nodes.keys().map(|id| tuple.iter().copied().chain([id]).collect()));
            }
            tuples = longer;
        }
        tuples.iter().filter(|tuple| self.fits(rule, tuple)).find_map(|tuple| self.rewritten(rule, tuple))
    }

    /// The rows as an emission at `g` has them.
    fn rows(&self) -> Vec<String> {
        let texts = |texts: &[&str]| {
            format!("[{}]", texts.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(","))
        };
        let escaped = |text: String| text.replace('"', "\\\"");
        let edges = self.edges.iter().map(|(from, label, to)| {
            let key = escaped(texts(&[from, label, to]));
            format!("[\"g/edges\",\"{key}\"] {{\"from\":\"{from}\",\"label\":\"{label}\",\"to\":\"{to}\"}}")
        });
        let nodes = self.nodes.iter().map(|(id, label)| format!("[\"g/nodes\",\"{id}\"] {{\"label\":\"{label}\"}}"));
        let mut rows: Vec<String> = edges.chain(nodes).collect();
        rows.sort();
        rows
    }
}

fn edge(tuple: &[&String], from: usize, label: &str, to: usize) -> Edge {
    (tuple[from].clone(), label.to_owned(), tuple[to].clone())
}

/// The rows of the graph, and how many operations no rule could follow.
fn emitted(folding: &mut Folding<'_>) -> (Vec<String>, usize) {
    folding.finish().unwrap_or_else(|trap| panic!("finish: {trap}"));
    let view = |bytes: &[u8]| {
        let (mut heap, mut text) = (Heap::new(1), Vec::new());
        let value = cbor::decode(&mut heap, bytes, &Options::CANONICAL).expect("a row is canonical");
        json::encode(&heap, value, &Options::CANONICAL, &mut text).expect("a row has a view");
        String::from_utf8(text).expect("a view is UTF-8")
    };
    let rows: Vec<String> =
        folding.rows().sorted().iter().map(|row| format!("{} {}", view(&row.key), view(&row.value))).collect();
    let (mut graph, conflicts): (Vec<String>, Vec<String>) = rows.into_iter().partition(|row| row.starts_with("[\"g/"));
    graph.sort();
    (graph, conflicts.len())
}

#[test]
fn rules_rewrite_as_they_are_read_plainly() {
    let run = Run::new("graphs", 60, 2000);
    let mut random = Random::new(run.seed);
    let (mut followed, mut failed) = (0, 0);
    run.each(|_| {
        // The first four are tried after none, the last four after those of one type.
        let rules: Vec<Rule> = (0..8).map(|_| rule(&mut random)).collect();
        let texts: Vec<String> = (0..).zip(&rules).map(|(number, rule)| written(rule, number)).collect();
        let text = format!(
            "version: 1\norder: commit\nreducers:\n  - id: g\n    kind: graph\n    rules:\n{}emit: [{{path: g}}]\n",
            texts.concat().replace(", left: {}", "").replace(", right: {}", "")
        );
        if rules.iter().any(|rule| rule.left.is_empty() && rule.new_nodes.is_empty()) {
            return;
        }
        let program = program(Language::Yaml, &text);
        let mut folding = Folding::new(&program, 1, Limits::DEFAULT).expect("a fold begins");
        let (mut graph, mut conflicts) = (Graph::default(), 0);
        for number in 0..30 {
            let kind = random.below(4) as usize;
            let op = format!("{{\"ulid\":\"01HZ{number:022}\",\"type\":\"t{kind}\",\"payload\":{{}}}}");
            folding.offer_json(op.as_bytes()).expect("an operation is read");
            if let Some(Err(trap)) = folding.step() {
                panic!("{trap}\n{text}");
            }
            let made = graph.followed(&rules[kind]).or_else(|| graph.followed(&rules[kind + 4]));
            match made {
                Some(made) => (graph, followed) = (made, followed + 1),
                None => (conflicts, failed) = (conflicts + 1, failed + 1),
            }
        }
        assert_eq!(emitted(&mut folding), (graph.rows(), conflicts), "{text}");
    });
    assert!(followed > failed / 20, "{followed} operations were followed, {failed} not");
}
