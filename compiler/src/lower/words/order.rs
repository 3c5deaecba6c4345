//! The order in which definitions are lowered: those that a word uses come before it, and none may use itself.

use crate::syntax::words::tree::{Bracket, Term, TermKind};
use std::collections::BTreeMap;

/// The words of terms, those in brackets too: as far as anyone can tell, they may be run.
fn words<'t>(terms: &'t [Term], found: &mut Vec<&'t Term>) {
    for term in terms {
        match &term.kind {
            TermKind::Word(_) => found.push(term),
            TermKind::Bracket(Bracket { terms, .. }) | TermKind::Group(_, terms) => words(terms, found),
            TermKind::Number(_) | TermKind::Text(_) | TermKind::Key(_) | TermKind::Comma => {}
        }
    }
}

/// What is known of a definition while the order is found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Under,
    Done,
}

/// The definitions in their order, and those words that lead back to where they stand.
#[must_use]
pub(super) fn order<'t>(
    definitions: &[(&'t str, &'t [Term])],
    place: &BTreeMap<&str, usize>,
) -> (Vec<usize>, Vec<(usize, &'t Term)>) {
    let mut uses: Vec<Vec<(usize, &Term)>> = Vec::new();
    for (_, terms) in definitions {
        let mut found = Vec::new();
        words(terms, &mut found);
        let used = found.into_iter().filter_map(|term| match &term.kind {
            TermKind::Word(word) => place.get(&**word).map(|&used| (used, term)),
            TermKind::Number(_) | TermKind::Text(_) | TermKind::Key(_) | TermKind::Comma => None,
            TermKind::Bracket(_) | TermKind::Group(..) => None,
        });
        uses.push(used.collect());
    }
    let mut states = vec![State::New; definitions.len()];
    let (mut ordered, mut recursive) = (Vec::new(), Vec::new());
    // Definitions under way, each with how many of its uses were looked at: a chain can be longer than the stack is deep.
    let mut chain: Vec<(usize, usize)> = Vec::new();
    for start in 0..definitions.len() {
        if states.get(start) == Some(&State::New) {
            set(&mut states, start, State::Under);
            chain.push((start, 0));
        }
        while let Some((at, next)) = chain.last_mut() {
            let Some(&(used, term)) = uses.get(*at).and_then(|uses| uses.get(*next)) else {
                set(&mut states, *at, State::Done);
                ordered.push(*at);
                chain.pop();
                continue;
            };
            *next += 1;
            match states.get(used) {
                Some(State::New) => {
                    set(&mut states, used, State::Under);
                    chain.push((used, 0));
                }
                Some(State::Under) => recursive.push((*at, term)),
                Some(State::Done) | None => {}
            }
        }
    }
    (ordered, recursive)
}

fn set(states: &mut [State], at: usize, state: State) {
    if let Some(place) = states.get_mut(at) {
        *place = state;
    }
}
