//! Paths so that whatever can be told apart by forms is among them.

use std::collections::{BTreeMap, BTreeSet};

/// The most states of all forms together, and the most work on them, before there are too many paths.
const MOST_STATES: usize = 50_000;
const MOST_STEPS: usize = 20_000_000;

/// A form under way: which, and how many of its segments are behind.
type Place = (u32, u16);

/// What is matched: a form of paths, or one text alone, in which stars are stars.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    Glob(String),
    Exact(String),
}

/// A part of a form.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Segment<'f> {
    One,
    Any,
    Named(&'f str),
}

impl Form {
    fn segments(&self) -> Vec<Segment<'_>> {
        match self {
            Form::Exact(text) => text.split('/').map(Segment::Named).collect(),
            Form::Glob(form) => {
                let segment = |text| match text {
                    "*" => Segment::One,
                    "**" => Segment::Any,
                    name => Segment::Named(name),
                };
                form.split('/').map(segment).collect()
            }
        }
    }
}

/// A path for each set of forms that are the only ones to match some path, and that set; none where there are too many.
/// A path is read segment by segment, all forms side by side.
pub(super) fn distinct(forms: &[&Form]) -> Option<Vec<(String, Vec<usize>)>> {
    let forms: Vec<Vec<Segment>> = forms.iter().map(|form| form.segments()).collect();
    if forms.iter().any(|form| form.len() >= usize::from(u16::MAX)) {
        return None;
    }
    let other = other(&forms);
    let start: Vec<Place> = (0_u32..).zip(&forms).flat_map(|(form, segments)| open(form, 0, segments)).collect();
    let mut seen: BTreeSet<Vec<Place>> = BTreeSet::new();
    let mut found: BTreeMap<Vec<usize>, String> = BTreeMap::new();
    let mut ahead: Vec<(Vec<Place>, Option<String>)> = vec![(start, None)];
    let mut steps = 0;
    // The nearest first, so that paths are short.
    while !ahead.is_empty() {
        let mut next = Vec::new();
        for (state, path) in ahead {
            steps += state.len() + 1;
            if seen.len() > MOST_STATES || steps > MOST_STEPS {
                return None;
            }
            let mut by_segment: BTreeMap<&str, Vec<Place>> = BTreeMap::new();
            let mut any = Vec::new();
            for &(form, at) in &state {
                let segments = segments(&forms, form);
                match segments.get(usize::from(at)) {
                    Some(Segment::Any) => any.extend(open(form, at, segments)),
                    Some(Segment::One) => any.extend(open(form, at.saturating_add(1), segments)),
                    Some(Segment::Named(name)) => {
                        by_segment.entry(name).or_default().extend(open(form, at.saturating_add(1), segments));
                    }
                    None => {}
                }
            }
            by_segment.entry(&other).or_default();
            for (segment, mut places) in by_segment {
                steps += any.len();
                places.extend(&any);
                places.sort_unstable();
                places.dedup();
                let path = path.as_ref().map_or_else(|| segment.to_owned(), |path| format!("{path}/{segment}"));
                if seen.insert(places.clone()) {
                    found.entry(accepted(&forms, &places)).or_insert_with(|| path.clone());
                    next.push((places, Some(path)));
                }
            }
        }
        ahead = next;
    }
    Some(found.into_iter().map(|(forms, path)| (path, forms)).collect())
}

fn segments<'f, 's>(forms: &'f [Vec<Segment<'s>>], form: u32) -> &'f [Segment<'s>] {
    forms.get(form as usize).map(Vec::as_slice).unwrap_or_default()
}

/// A place, and those behind it that `**` lets one be at as well.
fn open(form: u32, at: u16, segments: &[Segment]) -> Vec<Place> {
    let stars = segments.iter().skip(usize::from(at)).take_while(|segment| **segment == Segment::Any).count();
    let last = at.saturating_add(u16::try_from(stars).unwrap_or(u16::MAX));
    (at..=last).map(|at| (form, at)).collect()
}

/// The forms that end here.
fn accepted(forms: &[Vec<Segment>], places: &[Place]) -> Vec<usize> {
    let ended = places.iter().filter(|(form, at)| segments(forms, *form).len() == usize::from(*at));
    let ended: BTreeSet<usize> = ended.map(|(form, _)| *form as usize).collect();
    ended.into_iter().collect()
}

/// A segment that no form names.
fn other(forms: &[Vec<Segment>]) -> String {
    let named = forms.iter().flatten().filter_map(|segment| match segment {
        Segment::Named(name) => Some(*name),
        Segment::One | Segment::Any => None,
    });
    let named: BTreeSet<&str> = named.collect();
    let names = std::iter::once("other".to_owned()).chain((2_u64..).map(|number| format!("other{number}")));
    names.into_iter().find(|name| !named.contains(name.as_str())).unwrap_or_default()
}
