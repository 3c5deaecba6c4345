//! Real logs of events, folded: in any order where the fold joins, in that of the log where it does not.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking, and JSON's index gives null")]

mod git;
mod jepsen;
mod patch;
mod usgs;

pub use git::run as git;
pub use jepsen::run as jepsen;
pub use patch::run as patch;
pub use usgs::run as usgs;

use kerai_compiler::{Language, Source, compile};
use kerai_tests::property::Random;
use kerai_vm::bytecode::{Limits, Verified};
use kerai_vm::encoding::{Options, cbor, json};
use kerai_vm::execute::Machine;
use kerai_vm::fold::Folding;
use kerai_vm::value::{Heap, Value};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// The program of a fold.
fn program(language: Language, text: &str) -> Result<Verified, String> {
    let source = Source::read(text.as_bytes()).map_err(|fault| fault.describe(text))?;
    let compiled = compile(language, &source)
        .map_err(|faults| faults.iter().map(|fault| fault.describe(text)).collect::<Vec<_>>().join("\n"))?;
    compiled.program.verify().map_err(|refusal| refusal.to_string())
}

/// A ULID of a time in milliseconds and a number.
fn ulid(milliseconds: u64, number: u64) -> String {
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let digits = |value: u64, count: u32| {
        (0..count)
            .rev()
            .map(move |place| value.checked_shr(5 * place).unwrap_or(0) as usize % 32)
            .map(|digit| char::from(DIGITS[digit]))
    };
    digits(milliseconds, 10).chain(digits(number, 16)).collect()
}

/// An event of a log as an operation.
fn event(ulid: &str, payload: &Json) -> String {
    serde_json::json!({ "ulid": ulid, "type": "event", "payload": payload }).to_string()
}

/// A fold under way over events, in the order in which they are given.
fn folding<'p>(program: &'p Verified, events: &[&String]) -> Result<Folding<'p>, String> {
    let mut folding = Folding::new(program, 1, Limits::DEFAULT).map_err(|fault| format!("{fault:?}"))?;
    for event in events {
        folding.offer_json(event.as_bytes()).map_err(|refusal| refusal.to_string())?;
        if let Some(Err(trap)) = folding.step() {
            return Err(format!("{trap}: {event}"));
        }
    }
    Ok(folding)
}

/// The rows of a fold, by path and key.
type Rows = BTreeMap<(String, String), Json>;

fn rows(folding: &mut Folding<'_>) -> Result<Rows, String> {
    folding.finish().map_err(|trap| trap.to_string())?;
    let mut rows = Rows::new();
    for row in folding.rows().sorted() {
        let key: (String, String) = serde_json::from_str(&view(&row.key)).map_err(|fault| fault.to_string())?;
        rows.insert(key, serde_json::from_str(&view(&row.value)).map_err(|fault| fault.to_string())?);
    }
    Ok(rows)
}

/// The JSON of canonical bytes.
fn view(bytes: &[u8]) -> String {
    let (mut heap, mut text) = (Heap::new(0), Vec::new());
    let shown = cbor::decode(&mut heap, bytes, &Options::CANONICAL)
        .and_then(|value| json::encode(&heap, value, &Options::CANONICAL, &mut text));
    shown.map_or_else(|refusal| refusal.to_string(), |()| String::from_utf8_lossy(&text).into_owned())
}

fn state_bytes(heap: &Heap, state: Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    cbor::encode(heap, state, &Options::SNAPSHOT, &mut bytes).map_or(Vec::new(), |()| bytes)
}

/// Folds events as they are, backwards, by ULID, shuffled and repeated, and in two parts that are joined: all must come
/// to one state, whose rows are given.
fn in_any_order(program: &Verified, events: &[String]) -> Result<Rows, String> {
    let all: Vec<&String> = events.iter().collect();
    let mut first = folding(program, &all)?;
    let (heap, state) = first.state();
    let wanted = state_bytes(heap, state);
    let mut random = Random::new(7);
    let mut orders: Vec<Vec<&String>> = vec![all.iter().rev().copied().collect(), all.clone()];
    orders[1].sort();
    for _ in 0..2 {
        let mut shuffled = [all.clone(), all.iter().step_by(7).copied().collect()].concat();
        for at in (1..shuffled.len()).rev() {
            shuffled.swap(at, random.below(at as u64 + 1) as usize);
        }
        orders.push(shuffled);
    }
    for (number, order) in orders.iter().enumerate() {
        let other = folding(program, order)?;
        let (heap, state) = other.state();
        if state_bytes(heap, state) != wanted {
            return Err(format!("order {number} comes to another state"));
        }
    }
    let (odd, even): (Vec<_>, Vec<_>) = all.iter().enumerate().partition(|(number, _)| number % 2 == 1);
    let part = |events: Vec<(usize, &&String)>| {
        let events: Vec<&String> = events.into_iter().map(|(_, event)| *event).collect();
        let folding = folding(program, &events)?;
        let (heap, state) = folding.state();
        Ok::<Vec<u8>, String>(state_bytes(heap, state))
    };
    if joined(program, &part(odd)?, &part(even)?)? != wanted {
        return Err("two parts join to another state".to_owned());
    }
    rows(&mut first)
}

/// The join of two states.
fn joined(program: &Verified, a: &[u8], b: &[u8]) -> Result<Vec<u8>, String> {
    let mut machine = Machine::new(program, 2, Limits::DEFAULT);
    let mut decode =
        |bytes: &[u8]| cbor::decode(machine.heap(), bytes, &Options::SNAPSHOT).map_err(|refusal| refusal.to_string());
    let arguments = [decode(a)?, decode(b)?];
    let results = machine.call("join", &arguments).ok_or("no join")?.map_err(|trap| trap.to_string())?;
    Ok(state_bytes(machine.values(), results[0]))
}
