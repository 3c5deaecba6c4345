//! Requests made of what is known of their attributes.

#![expect(clippy::wildcard_enum_match_arm, reason = "the arms name what can be had, nothing else can")]

use super::aim::aim;
use super::world::{Cell, ItemKind, Scalar, TRUTHS, Variable, World};
use crate::explain::view;
use crate::syntax::policy::tree::{ExpressionKind, Reference, Step};
use kerai_vm::number::Number;
use kerai_vm::value::{Heap, Value};
use std::collections::BTreeMap;

/// A value of a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sample {
    Scalar(Scalar),
    List(Vec<Sample>),
    Map(BTreeMap<String, Sample>),
}

/// The attributes of a request.
pub(super) type Request = BTreeMap<String, Sample>;

/// Who is meant where a key must be there and nothing says which.
pub(super) const SOMEONE: &str = "someone";

impl Sample {
    /// The request in which variables have these values; none where they can't be had together.
    /// Where conditions are not to be true it makes no difference whether they are false: `is_open` says that they are
    /// left open.
    pub(super) fn of(world: &World, values: &[(u32, usize)], is_open: bool) -> Option<Sample> {
        let mut attributes: BTreeMap<String, (&Reference, &Cell)> = BTreeMap::new();
        let mut items: BTreeMap<String, Vec<&Scalar>> = BTreeMap::new();
        let mut aims = Vec::new();
        for &(variable, cell) in values {
            match world.variables.get(variable as usize)? {
                Variable::Attribute(reference, cells) => {
                    attributes.insert(reference.to_string(), (reference, cells.get(cell)?));
                }
                Variable::Item(of, item) => {
                    let Some(Variable::Attribute(reference, _)) = world.variables.get(*of as usize) else { continue };
                    // The first value is that it is not there.
                    if cell == 1 {
                        items.entry(reference.to_string()).or_default().push(item);
                    }
                }
                Variable::Opaque(schema, tree) => aims.push((schema, tree, TRUTHS.get(cell).copied().flatten())),
            }
        }
        let mut request = BTreeMap::new();
        // What others have as their keys stands first.
        let mut order: Vec<(&String, &(&Reference, &Cell))> = attributes.iter().collect();
        order.sort_by_key(|(_, (reference, _))| reference.steps.len());
        for (name, (reference, cell)) in order {
            let items = items.get(name).map(Vec::as_slice).unwrap_or_default();
            if let Some(sample) = value(cell, items) {
                place(&mut request, reference, sample)?;
            }
        }
        // What must be true comes first, because what must not is easier to have.
        aims.sort_by_key(|(_, _, truth)| *truth != Some(true));
        for (schema, tree, truth) in aims.into_iter().filter(|aim| !is_open || aim.2 == Some(true)) {
            // What can't be aimed at comes as it comes.
            _ = aim(&mut request, schema, tree, truth);
        }
        Some(Sample::Map(request))
    }

    /// The request in a heap.
    pub(super) fn build(&self, heap: &mut Heap) -> Value {
        match self {
            Sample::Scalar(Scalar::Text(text)) => heap.string(text.as_bytes()),
            Sample::Scalar(Scalar::Number(number)) => heap.number(*number),
            Sample::Scalar(Scalar::Bool(truth)) => Value::bool(*truth),
            Sample::List(items) => {
                let items: Vec<Value> = items.iter().map(|item| item.build(heap)).collect();
                heap.list(&items)
            }
            Sample::Map(entries) => {
                let entries: Vec<(Value, Value)> =
                    entries.iter().map(|(key, value)| (heap.string(key.as_bytes()), value.build(heap))).collect();
                heap.map(&entries).unwrap_or(Value::NIL)
            }
        }
    }

    pub(super) fn to_json(&self) -> String {
        let mut heap = Heap::new(0);
        let value = self.build(&mut heap);
        view(&heap, value)
    }
}

/// The value of an attribute, given what it has; none where it is missing.
fn value(cell: &Cell, items: &[&Scalar]) -> Option<Sample> {
    let of_items = || items.iter().map(|item| Sample::Scalar((*item).clone()));
    Some(match cell {
        Cell::Scalar(scalar) => Sample::Scalar(scalar.clone()),
        Cell::Only(_) if !items.is_empty() => Sample::List(of_items().collect()),
        Cell::Only(kind) => Sample::List(vec![Sample::Scalar(filler(*kind))]),
        Cell::Odd => Sample::List(of_items().chain([Sample::List(Vec::new())]).collect()),
        Cell::Empty => Sample::List(Vec::new()),
        Cell::Map => {
            let keys = items.iter().filter_map(|item| if let Scalar::Text(key) = item { Some(key) } else { None });
            Sample::Map(keys.map(|key| (key.clone(), Sample::Scalar(Scalar::Bool(true)))).collect())
        }
        Cell::Nothing => return None,
    })
}

/// An item that no condition is likely to name: it is tried, and only what holds is told.
fn filler(kind: ItemKind) -> Scalar {
    match kind {
        ItemKind::Text => Scalar::Text("another".to_owned()),
        ItemKind::Number => Scalar::Number(Number::from_i64(-987_654_321)),
        ItemKind::Bool => Scalar::Bool(false),
    }
}

/// Puts a value where a reference leads; none where something else is there.
pub(super) fn place(request: &mut Request, reference: &Reference, sample: Sample) -> Option<()> {
    let path = path_of(request, reference)?;
    match at(request, &path) {
        None => replace(request, &path, sample),
        Some(there) => (*there == sample).then_some(()),
    }
}

/// The names on the way that a reference leads. Keys that are not there yet become someone.
pub(super) fn path_of(request: &mut Request, reference: &Reference) -> Option<Vec<String>> {
    let mut path = vec![reference.root.text.to_string()];
    for step in &reference.steps {
        path.push(match step {
            Step::Field(name) => name.text.to_string(),
            Step::Key(key) => match &key.kind {
                ExpressionKind::String(text) => text.to_string(),
                ExpressionKind::Reference(key) => key_of(request, key)?,
                _ => return None,
            },
        });
    }
    Some(path)
}

/// Puts a value at a path, whatever is there; none where the way is barred.
pub(super) fn replace(request: &mut Request, path: &[String], sample: Sample) -> Option<()> {
    let (last, path) = path.split_last()?;
    let mut map = request;
    for name in path {
        match map.entry(name.clone()).or_insert_with(|| Sample::Map(BTreeMap::new())) {
            Sample::Map(inner) => map = inner,
            Sample::Scalar(_) | Sample::List(_) => return None,
        }
    }
    map.insert(last.clone(), sample);
    Some(())
}

/// What a key refers to; someone, where nothing says who.
fn key_of(request: &mut Request, key: &Reference) -> Option<String> {
    let map: &Request = request;
    let mut path = vec![key.root.text.to_string()];
    for step in &key.steps {
        match step {
            Step::Field(name) => path.push(name.text.to_string()),
            Step::Key(_) => return None,
        }
    }
    match at(map, &path) {
        Some(Sample::Scalar(Scalar::Text(text))) => Some(text.clone()),
        Some(_) => None,
        None => {
            place(request, key, Sample::Scalar(Scalar::Text(SOMEONE.to_owned())))?;
            Some(SOMEONE.to_owned())
        }
    }
}

/// What lies at a path.
pub(super) fn at<'s>(map: &'s Request, path: &[String]) -> Option<&'s Sample> {
    let (first, rest) = path.split_first()?;
    match (map.get(first)?, rest) {
        (found, []) => Some(found),
        (Sample::Map(inner), rest) => at(inner, rest),
        (Sample::Scalar(_) | Sample::List(_), _) => None,
    }
}
