//! `kerai laws`: whether a fold's `join` merges, and if not, the least states that show it.

use crate::Global;
use crate::outcome::{Answer, Outcome};
use crate::{program, report};
use kerai_vm::bytecode::{Class, Grounds};
use kerai_vm::law::{self, Counterexample, Law, Verdict};
use serde_json::json;

#[derive(clap::Args)]
#[command(
    after_help = "A fold that exports `lift` and `join` is a lattice (order, duplicates and batches don't matter), a monoid
(order and batches don't matter, parts must be disjoint), or neither. What is composed of the library's lattices is
known by construction, what has few states by checking all of them; every other fold is tried on states that
generated operations lift.

Examples:
  kerai laws invoices.yaml           lattice, by construction
  kerai laws total.lua --json        {\"lawful\":true,\"class\":\"monoid\",\"law\":\"idempotent\",\"counterexample\":{…},…}"
)]
pub struct Arguments {
    /// The fold: a source, or bytecode
    fold: String,
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    let path = &arguments.fold;
    let opened = match program::open_unproven(path)? {
        Ok(opened) => opened,
        Err(refused) => return Ok(refused.report(path, global)),
    };
    let verdict = match law::examine(&opened.verified) {
        Ok(verdict) => verdict,
        Err(refusal) => return Ok(report::refuse(path, &refusal, global.json)),
    };
    if global.json {
        println!("{}", to_json(path, &verdict));
    } else {
        tell(&verdict);
    }
    Ok(if verdict.class.is_some() { Answer::Yes } else { Answer::No })
}

fn to_json(path: &str, verdict: &Verdict) -> serde_json::Value {
    let found = verdict.counterexample.as_ref();
    json!({
        "path": path,
        "lawful": verdict.class.is_some(),
        "class": verdict.class.map(Class::name),
        "grounds": verdict.grounds.name(),
        "numbers": verdict.grounds.numbers(),
        "tried": verdict.tried,
        "law": found.map(|found| found.law.name()),
        "counterexample": found.map(|found| json!({
            "law": found.law.name(),
            "operations": found.operations,
            "states": found.states,
            "results": found.results,
        })),
    })
}

fn tell(verdict: &Verdict) {
    match (verdict.class.map(Class::name), verdict.grounds) {
        (Some(class), Grounds::Construction {}) => println!("{class}, by construction"),
        (Some(class), Grounds::Exhaustion { states }) => println!("{class}, by exhaustion: all {states} states"),
        (Some(class), Grounds::Tested { trials, .. }) => println!("{class}, by trial: {trials} triples of states"),
        (None, _) => println!("unlawful"),
    }
    let Some(Counterexample { law, operations, states, results: [left, right] }) = &verdict.counterexample else {
        return;
    };
    println!("  does not hold: {}", law.about());
    for (name, (state, operations)) in ["a", "b", "c"].iter().zip(states.iter().zip(operations)) {
        println!("  {name} = {state}");
        operations.iter().for_each(|operation| println!("      from {operation}"));
    }
    match law {
        Law::Traps => println!("  gives {left}"),
        Law::Lifts => println!("  no operation that was tried lifts to a state"),
        Law::Commutes | Law::Associates | Law::Unit | Law::Step | Law::Idempotent => {
            println!("  gives {left}\n  and   {right}");
        }
    }
}
