//! Paths that rule each other out: what a key or a counted value is has nothing below it.

use super::super::lattice::Takes;
use super::super::{Path, Reducer, Shape, Simple};
use super::Reader;
use crate::code::Code;
use crate::syntax::yaml::tree::Node;

impl Reader {
    /// Says of each reducer which of its paths can't be there together. The fold's own key is one of its keys.
    pub(super) fn ruled_out(&mut self, nodes: &[Node], reducers: &[Reducer], part: Option<&Path>) {
        for (node, reducer) in nodes.iter().zip(reducers) {
            let mut looked = Looked::default();
            looked.plain.extend(part);
            looked.shape(&reducer.shape);
            let found = looked.plain.iter().find_map(|plain| {
                let below = looked.all.iter().chain(&looked.plain).find(|path| path.is_below(plain))?;
                Some((below, plain))
            });
            if let Some((below, plain)) = found {
                let (below, plain) = (below.to_text(), plain.to_text());
                let message = format!("`{below}` matches nothing: `{plain}` is a text, a number or a truth here");
                self.say(Code::MERGE_NEVER, node.span, message);
            }
        }
    }
}

/// The paths of a reducer, and among them those of values without parts.
#[derive(Default)]
struct Looked<'m> {
    all: Vec<&'m Path>,
    plain: Vec<&'m Path>,
}

impl<'m> Looked<'m> {
    fn shape(&mut self, shape: &'m Shape) {
        match shape {
            Shape::Map { key, of } => {
                self.plain.push(key);
                self.shape(of);
            }
            Shape::Simple(simple) => self.simple(simple),
            Shape::Product { parts, .. } => parts.iter().for_each(|part| {
                // Each part is there or not by itself: only keys above rule it out.
                let mut inner = Looked::default();
                inner.shape(&part.shape);
                self.all.extend(inner.all.into_iter().chain(inner.plain));
            }),
            Shape::Lexicographic(parts) => parts.iter().for_each(|part| self.shape(&part.shape)),
        }
    }

    fn simple(&mut self, simple: &'m Simple) {
        let Simple { lattice, value, remove, adds, .. } = simple;
        self.all.push(value);
        self.all.extend(remove.iter().chain(adds));
        if matches!(lattice.takes(), Takes::Flag | Takes::Amount) {
            self.plain.push(value);
        }
    }
}
