//! The least counterexample: operations are left out, then their values made smaller, as long as the law stays broken.

use super::sample::Sample;
use super::{Counterexample, Law, SHRINKING, State, Trial, view};
use crate::trap::TrapCode;

impl Trial<'_> {
    /// Makes a counterexample smaller until nothing can be taken from it.
    pub(super) fn least(&mut self, law: Law, mut lists: Vec<Vec<Sample>>) -> Counterexample {
        if law == Law::Traps {
            lists = self.apart(lists);
        }
        if let Some(fewer) = self.alone(law, &lists) {
            lists = fewer;
        }
        let mut tries = 0;
        let mut is_smaller = true;
        while is_smaller {
            is_smaller = false;
            for candidate in smaller(&lists, law != Law::Traps) {
                tries += 1;
                if tries > SHRINKING {
                    return self.shown(law, &lists);
                }
                if self.sides(law, &candidate).is_some_and(|[left, right]| left != right) {
                    lists = candidate;
                    is_smaller = true;
                    break;
                }
            }
        }
        self.shown(law, &lists)
    }

    /// As many operations as the law speaks of states, each a state alone: those that are there, and others like them.
    fn alone(&mut self, law: Law, lists: &[Vec<Sample>]) -> Option<Vec<Vec<Sample>>> {
        let count = match law {
            Law::Commutes | Law::Traps => 2,
            Law::Associates => 3,
            Law::Unit | Law::Step | Law::Idempotent => 1,
            Law::Lifts => return None,
        };
        if lists.iter().map(Vec::len).sum::<usize>() <= count {
            return None;
        }
        let mut pool: Vec<Sample> = lists.iter().flatten().cloned().collect();
        let others: Vec<Sample> = pool.iter().flat_map(alike).collect();
        pool.extend(others);
        // As many as leave room to try all of them with each other.
        let is_few = |most: &usize| u32::try_from(count).is_ok_and(|count| most.saturating_pow(count) <= ALONE);
        pool.truncate((0..=pool.len()).rev().find(is_few).unwrap_or(0));
        let mut places = vec![0; count];
        loop {
            let chosen = places.iter().filter_map(|&place| pool.get(place).map(|op| vec![op.clone()]));
            let candidate: Vec<Vec<Sample>> = chosen.collect();
            if self.sides(law, &candidate).is_some_and(|[left, right]| left != right) {
                return Some(candidate);
            }
            // Counts on, the first place fastest.
            let next = places.iter().position(|&place| place + 1 < pool.len())?;
            for (number, place) in places.iter_mut().enumerate().take(next + 1) {
                *place = if number == next { *place + 1 } else { 0 };
            }
        }
    }

    /// Operations whose joins trap before there are two states: those before the trap, and the one that it takes.
    fn apart(&mut self, lists: Vec<Vec<Sample>>) -> Vec<Vec<Sample>> {
        let Some(list) = lists.iter().find(|list| self.state(list).is_err()) else { return lists };
        let prefix = |count: usize| list.iter().take(count).cloned().collect::<Vec<_>>();
        let count = (1..=list.len()).find(|&count| self.state(&prefix(count)).is_err()).unwrap_or(list.len());
        let last = list.iter().skip(count.saturating_sub(1)).take(1).cloned().collect();
        vec![prefix(count.saturating_sub(1)), last]
    }

    fn shown(&mut self, law: Law, lists: &[Vec<Sample>]) -> Counterexample {
        let lists: Vec<&Vec<Sample>> = lists.iter().filter(|list| !list.is_empty()).collect();
        let states = lists.iter().map(|list| match self.state(list) {
            Ok(state) => state.as_ref().map_or("nothing".to_owned(), view),
            Err(trap) => format!("trap {}", trap.name()),
        });
        let states = states.collect();
        let all: Vec<Vec<Sample>> = lists.iter().map(|list| (*list).clone()).collect();
        let results = match self.sides(law, &all) {
            Some(sides) => sides.map(|side: Result<State, TrapCode>| match side {
                Ok(state) if state.is_empty() => "a state".to_owned(),
                Ok(state) => view(&state),
                Err(trap) => format!("trap {}", trap.name()),
            }),
            None => [String::new(), String::new()],
        };
        let operations = all.iter().map(|list| list.iter().map(Sample::to_json).collect()).collect();
        Counterexample { law, operations, states, results }
    }
}

/// Everything that is a little smaller. Where a join traps, fields are kept: without them it may trap for want of them.
fn smaller(lists: &[Vec<Sample>], without_fields: bool) -> Vec<Vec<Vec<Sample>>> {
    let mut found = Vec::new();
    let replaced = |at: usize, list: Vec<Sample>| {
        let other = |(place, old): (usize, &Vec<Sample>)| if place == at { list.clone() } else { old.clone() };
        lists.iter().enumerate().map(other).collect::<Vec<_>>()
    };
    for (at, list) in lists.iter().enumerate() {
        if !list.is_empty() {
            let others = |(place, other): (usize, &Vec<Sample>)| (place != at).then(|| other.clone());
            found.push(lists.iter().enumerate().filter_map(others).collect());
        }
        if list.len() > 1 {
            for place in 0..list.len() {
                let rest = list.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, op)| op.clone());
                found.push(replaced(at, rest.collect()));
            }
        }
        for (place, op) in list.iter().enumerate() {
            for op in smaller_value(op, without_fields) {
                let change = |(other, old): (usize, &Sample)| if other == place { op.clone() } else { old.clone() };
                found.push(replaced(at, list.iter().enumerate().map(change).collect()));
            }
        }
    }
    found
}

/// Operations that are like one but for a number of its payload.
fn alike(operation: &Sample) -> Vec<Sample> {
    let Sample::Map(fields) = operation else { return Vec::new() };
    let mut found = Vec::new();
    for (place, (name, payload)) in fields.iter().enumerate() {
        let Sample::Map(values) = payload else { continue };
        for (at, (key, value)) in values.iter().enumerate().filter(|_| name == "payload") {
            if !matches!(value, Sample::Integer(_) | Sample::Half(_)) {
                continue;
            }
            for number in NUMBERS {
                let mut payload = values.clone();
                payload.splice(at..=at, [(key.clone(), Sample::Integer(number))]);
                let mut all = fields.clone();
                all.splice(place..=place, [(name.clone(), Sample::Map(payload))]);
                found.push(Sample::Map(all));
            }
        }
    }
    found
}

/// Combinations of single operations that are tried before lists of them are made smaller.
const ALONE: usize = 8192;
/// Numbers that stand for others.
const NUMBERS: core::ops::Range<i64> = -2..13;

fn smaller_value(value: &Sample, without_fields: bool) -> Vec<Sample> {
    match value {
        Sample::Bool(true) => vec![Sample::Bool(false)],
        Sample::Bool(false) => Vec::new(),
        Sample::Integer(0) => Vec::new(),
        Sample::Integer(1) => vec![Sample::Integer(0)],
        Sample::Integer(value) => {
            let nearer = value.saturating_sub(value.signum());
            let mut found =
                vec![Sample::Integer(0), Sample::Integer(1), Sample::Integer(value / 2), Sample::Integer(nearer)];
            found.dedup();
            found.retain(|other| *other != Sample::Integer(*value));
            found
        }
        Sample::Half(value) => vec![Sample::Integer(*value)],
        Sample::Text(text) => match text.as_str() {
            "" | "a" => Vec::new(),
            // ULIDs stay ULIDs, with a smaller end.
            text if text.len() == 26 && text.starts_with("01HZ") => {
                let last = text.get(24..).and_then(|digits| digits.parse::<u64>().ok()).unwrap_or(0);
                (0..last).map(|digits| Sample::Text(format!("01HZ00000000000000000000{digits:02}"))).collect()
            }
            _ => vec![Sample::Text("a".to_owned())],
        },
        Sample::List(items) => {
            let mut found = without_one(items).map(Sample::List).collect::<Vec<_>>();
            for (place, item) in items.iter().enumerate() {
                for smaller in smaller_value(item, without_fields) {
                    let change =
                        |(other, old): (usize, &Sample)| if other == place { smaller.clone() } else { old.clone() };
                    found.push(Sample::List(items.iter().enumerate().map(change).collect()));
                }
            }
            found
        }
        Sample::Map(entries) => {
            let mut found = Vec::new();
            if without_fields {
                found.extend(without_one(entries).map(Sample::Map));
            }
            for (place, (_, value)) in entries.iter().enumerate() {
                for smaller in smaller_value(value, without_fields) {
                    let change = |(other, (key, old)): (usize, &(String, Sample))| {
                        (key.clone(), if other == place { smaller.clone() } else { old.clone() })
                    };
                    found.push(Sample::Map(entries.iter().enumerate().map(change).collect()));
                }
            }
            found
        }
    }
}

fn without_one<T: Clone>(items: &[T]) -> impl Iterator<Item = Vec<T>> {
    (0..items.len()).map(move |place| {
        items.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, item)| item.clone()).collect()
    })
}
