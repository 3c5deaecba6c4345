//! The fold of invoices from bytes to bytes: what a file costs to go on from, and the whole way of events to their rows.

use crate::events::Events;
use crate::harness::{Contender, Outcome, Plan, Report, Role, Work, measure};
use crate::invoices::{InLua, MORE, decoded, invoices_of};
use crate::lua::PEERS;
use crate::machine::{Example, compiled};
use kerai_vm::bytecode::{Limits, Verified};
use kerai_vm::encoding::{self, Options};
use kerai_vm::fold::Folding;
use serde_json::Value;
use std::collections::BTreeMap;

fn begun(program: &Verified) -> Option<Folding<'_>> {
    Folding::new(program, 1, Limits::DEFAULT).ok()
}

/// A fold that has taken events in JSON, with its rows.
fn folded<'p, 'e>(mut folding: Folding<'p>, events: impl Iterator<Item = &'e [u8]>) -> Option<Folding<'p>> {
    for event in events {
        folding.offer_json(event).ok()?;
        folding.step()?.ok()?;
    }
    folding.finish().ok()?;
    Some(folding)
}

/// What is saved: the state, and the root of its rows, of which a number is enough here.
fn saved(folding: Option<Folding>) -> Option<(Vec<u8>, u64)> {
    let mut folding = folding?;
    let root = folding.rows().state_root();
    Some((folding.snapshot().ok()?, number(root.to_string().as_bytes())))
}

/// How many events are offered before they are folded.
const TOGETHER: usize = 256;

/// A number that stands for bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Some more events on top of a saved file, beside all from the start: each from bytes, and saved again.
pub fn measure_resume(example: &Example, plan: &Plan) -> Outcome<Report> {
    let events = Events::generate(plan.events + MORE, plan.seed);
    let program = compiled(example.lua)?;
    let before = begun(&program).and_then(|folding| folded(folding, events.json.each().take(plan.events)));
    let (snapshot, _) = saved(before).ok_or("the events before don't fold")?;
    let resumed = || {
        let folding = Folding::resume(&program, 1, Limits::DEFAULT, &snapshot, plan.events as u64).ok()?;
        saved(folded(folding, events.json.each().skip(plan.events)))
    };
    let from_start = || saved(begun(&program).and_then(|folding| folded(folding, events.json.each())));
    let (whole, root) = from_start().ok_or("the events don't fold")?;
    if resumed() != Some((whole, root)) {
        return Err("what goes on from a file comes to something else than all from the start".to_owned());
    }
    let work = Work { units: plan.events, bytes: 0 };
    let contenders = vec![
        Contender::new(Role::Ours, "resumed", work, root, || resumed().map_or(0, |(_, root)| root)),
        Contender::new(Role::Peer, "from-the-start", work, root, || from_start().map_or(0, |(_, root)| root)),
    ];
    measure(format!("{} {}", plan.events, example.about), plan.rounds, contenders)
}

/// From canonical CBOR to canonical JSON and the root of the rows.
pub fn measure_whole(example: &Example, plan: &Plan) -> Outcome<Report> {
    let events = Events::generate(plan.events, plan.seed);
    let program = compiled(example.lua)?;
    let ours = || {
        let mut folding = begun(&program)?;
        let mut each = events.cbor.each().peekable();
        while each.peek().is_some() {
            each.by_ref().take(TOGETHER).try_for_each(|event| folding.offer(event).ok())?;
            while let Some(step) = folding.step() {
                step.ok()?;
            }
        }
        folding.finish().ok()?;
        let root = folding.rows().state_root().to_string();
        let (heap, state) = folding.state();
        let mut json = Vec::new();
        encoding::json::encode(heap, state, &Options::default(), &mut json).ok()?;
        Some((json, root))
    };
    let digest = |(json, root): &(Vec<u8>, String)| number(json) ^ number(root.as_bytes());
    let whole = ours().ok_or("the events don't fold")?;
    let work = Work { units: plan.events, bytes: events.cbor.bytes().len() };
    let mut contenders =
        vec![Contender::new(Role::Ours, "kerai", work, digest(&whole), || ours().as_ref().map_or(0, digest))];
    let in_lua = |peer| InLua::new(peer, example.lua, &decoded(&events)?)?.folded();
    let expected = invoices_of(&whole.0)?;
    for &peer in PEERS {
        if in_lua(peer)? != expected {
            return Err(format!("{} folds to something else than kerai", peer.name));
        }
        let pass = move || in_lua(peer).and_then(|invoices| in_order(&invoices)).map_or(0, |text| number(&text));
        contenders.push(Contender::new(Role::Peer, peer.name, work, number(&in_order(&expected)?), pass));
    }
    measure(format!("{} {}", plan.events, example.about), plan.rounds, contenders)
}

/// A peer's invoices as JSON, by id: Lua's order differs from run to run, and its map keeps whatever order it was filled in.
fn in_order(invoices: &Value) -> Outcome<Vec<u8>> {
    let by_id: BTreeMap<&String, &Value> = invoices.as_object().into_iter().flatten().collect();
    serde_json::to_vec(&by_id).map_err(|error| error.to_string())
}
