//! Formulas over variables of finitely many values, each kept once, so that equal ones are the same node.

use std::collections::BTreeMap;
use std::rc::Rc;

/// A formula's place among all of them.
pub(super) type NodeId = u32;
pub(super) const FALSE: NodeId = 0;
pub(super) const TRUE: NodeId = 1;
/// No variable: it comes after all of them.
const NOWHERE: u32 = u32::MAX;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Node {
    Constant(bool),
    /// The variable's value is one of these.
    Within(u32, Rc<Cells>),
    And(Vec<NodeId>),
    Or(Vec<NodeId>),
}

/// A set of values of a variable, by their places.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cells {
    count: usize,
    words: Vec<u64>,
}

const WIDTH: usize = u64::BITS as usize;

impl Cells {
    pub(super) fn none(count: usize) -> Cells {
        Cells { count, words: vec![0; count.div_ceil(WIDTH)] }
    }

    pub(super) fn insert(&mut self, place: usize) {
        if let Some(word) = self.words.get_mut(place / WIDTH) {
            *word |= 1 << (place % WIDTH);
        }
    }

    pub(super) fn has(&self, place: usize) -> bool {
        self.words.get(place / WIDTH).is_some_and(|word| word >> (place % WIDTH) & 1 == 1)
    }

    fn zipped(&self, other: &Cells, join: fn(u64, u64) -> u64) -> Cells {
        let words = self.words.iter().zip(&other.words).map(|(&a, &b)| join(a, b));
        Cells { count: self.count, words: words.collect() }
    }

    fn size(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    fn places(&self) -> impl Iterator<Item = usize> {
        self.words
            .iter()
            .enumerate()
            .flat_map(|(at, &word)| (0..WIDTH).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at * WIDTH + bit))
    }
}

/// All formulas, and what was already asked of them.
pub(super) struct Formulas {
    nodes: Vec<Node>,
    /// The first variable of each.
    tops: Vec<u32>,
    places: BTreeMap<Node, NodeId>,
    /// How many values each variable has.
    counts: Vec<usize>,
    narrowed: BTreeMap<(NodeId, u32), NodeId>,
    expanded: BTreeMap<NodeId, Rc<Vec<NodeId>>>,
}

impl Formulas {
    pub(super) fn new(counts: Vec<usize>) -> Formulas {
        let mut formulas = Formulas {
            nodes: Vec::new(),
            tops: Vec::new(),
            places: BTreeMap::new(),
            counts,
            narrowed: BTreeMap::new(),
            expanded: BTreeMap::new(),
        };
        formulas.keep(Node::Constant(false), NOWHERE);
        formulas.keep(Node::Constant(true), NOWHERE);
        formulas
    }

    fn keep(&mut self, node: Node, top: u32) -> NodeId {
        if let Some(&place) = self.places.get(&node) {
            return place;
        }
        let place = NodeId::try_from(self.nodes.len()).unwrap_or(NodeId::MAX);
        self.places.insert(node.clone(), place);
        self.nodes.push(node);
        self.tops.push(top);
        place
    }

    fn node(&self, id: NodeId) -> &Node {
        const NONE: &Node = &Node::Constant(false);
        self.nodes.get(id as usize).unwrap_or(NONE)
    }

    /// The first variable of a formula, if it has any.
    pub(super) fn top(&self, id: NodeId) -> Option<u32> {
        self.tops.get(id as usize).copied().filter(|&top| top != NOWHERE)
    }

    pub(super) fn count(&self, variable: u32) -> usize {
        self.counts.get(variable as usize).copied().unwrap_or(0)
    }

    pub(super) fn within(&mut self, variable: u32, cells: Cells) -> NodeId {
        match cells.size() {
            0 => FALSE,
            size if size == cells.count => TRUE,
            _ => self.keep(Node::Within(variable, Rc::new(cells)), variable),
        }
    }

    pub(super) fn and(&mut self, parts: Vec<NodeId>) -> NodeId {
        self.join(parts, FALSE, TRUE)
    }

    pub(super) fn or(&mut self, parts: Vec<NodeId>) -> NodeId {
        self.join(parts, TRUE, FALSE)
    }

    /// Parts under one operator: one of them can settle it, one says nothing. Those on one variable become one.
    fn join(&mut self, mut parts: Vec<NodeId>, settling: NodeId, neutral: NodeId) -> NodeId {
        parts.sort_unstable();
        parts.dedup();
        parts.retain(|&part| part != neutral);
        if parts.contains(&settling) {
            return settling;
        }
        if parts.len() > 1 {
            let mut sets: BTreeMap<u32, Rc<Cells>> = BTreeMap::new();
            let mut others = Vec::with_capacity(parts.len());
            let mut is_merged = false;
            for part in parts {
                match self.node(part) {
                    Node::Within(variable, cells) => {
                        let (variable, cells) = (*variable, Rc::clone(cells));
                        let join = if settling == TRUE { |a: u64, b: u64| a | b } else { |a: u64, b: u64| a & b };
                        let merged = sets.get(&variable).map(|other| Rc::new(other.zipped(&cells, join)));
                        is_merged |= merged.is_some();
                        sets.insert(variable, merged.unwrap_or(cells));
                    }
                    Node::Constant(_) | Node::And(_) | Node::Or(_) => others.push(part),
                }
            }
            for (variable, cells) in sets {
                others.push(self.within(variable, (*cells).clone()));
            }
            if is_merged {
                return self.join(others, settling, neutral);
            }
            parts = others;
            parts.sort_unstable();
        }
        match parts.as_slice() {
            [] => neutral,
            &[only] => only,
            _ => {
                let top = parts.iter().filter_map(|&part| self.top(part)).min().unwrap_or(NOWHERE);
                self.keep(if settling == TRUE { Node::Or(parts) } else { Node::And(parts) }, top)
            }
        }
    }

    /// The formula where its first variable, or one before it, has a value.
    fn narrow(&mut self, id: NodeId, variable: u32, cell: usize) -> NodeId {
        if self.top(id) != Some(variable) {
            return id;
        }
        if let Node::Within(_, cells) = self.node(id) {
            return if cells.has(cell) { TRUE } else { FALSE };
        }
        let key = (id, u32::try_from(cell).unwrap_or(u32::MAX));
        if let Some(&known) = self.narrowed.get(&key) {
            return known;
        }
        let narrowed = match self.node(id).clone() {
            Node::And(parts) => {
                let parts = parts.into_iter().map(|part| self.narrow(part, variable, cell)).collect();
                self.and(parts)
            }
            Node::Or(parts) => {
                let parts = parts.into_iter().map(|part| self.narrow(part, variable, cell)).collect();
                self.or(parts)
            }
            Node::Constant(_) | Node::Within(..) => id,
        };
        self.narrowed.insert(key, narrowed);
        narrowed
    }

    /// The formula for each value of a variable that comes no later than its first.
    pub(super) fn expand(&mut self, id: NodeId, variable: u32) -> Rc<Vec<NodeId>> {
        let count = self.count(variable);
        if self.top(id) != Some(variable) {
            return Rc::new(vec![id; count]);
        }
        if let Some(known) = self.expanded.get(&id) {
            return Rc::clone(known);
        }
        let all = match self.node(id).clone() {
            // Most alternatives are false for most values: each is only asked where it may be true.
            Node::Or(parts) => {
                let (here, rest): (Vec<NodeId>, Vec<NodeId>) =
                    parts.into_iter().partition(|&part| self.top(part) == Some(variable));
                let rest = self.or(rest);
                let mut found: Vec<Vec<NodeId>> = vec![vec![rest]; count];
                for part in here {
                    let places: Vec<usize> = match self.places_of(part, variable) {
                        Some(cells) => cells.places().collect(),
                        None => (0..count).collect(),
                    };
                    for cell in places {
                        let narrowed = self.narrow(part, variable, cell);
                        if let Some(parts) = found.get_mut(cell) {
                            parts.push(narrowed);
                        }
                    }
                }
                found.into_iter().map(|parts| self.or(parts)).collect()
            }
            Node::Constant(_) | Node::Within(..) | Node::And(_) => {
                (0..count).map(|cell| self.narrow(id, variable, cell)).collect::<Vec<NodeId>>()
            }
        };
        let all = Rc::new(all);
        self.expanded.insert(id, Rc::clone(&all));
        all
    }

    /// The values of a variable outside of which a formula is false, where that is plain to see.
    fn places_of(&self, id: NodeId, variable: u32) -> Option<Rc<Cells>> {
        match self.node(id) {
            Node::Within(other, cells) if *other == variable => Some(Rc::clone(cells)),
            Node::And(parts) => parts.iter().find_map(|&part| match self.node(part) {
                Node::Within(other, cells) if *other == variable => Some(Rc::clone(cells)),
                Node::Within(..) | Node::Constant(_) | Node::And(_) | Node::Or(_) => None,
            }),
            Node::Within(..) | Node::Constant(_) | Node::Or(_) => None,
        }
    }
}
