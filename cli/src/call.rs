//! Calling a program's function: documents in, then results, or a trap, and the gas that it took.

use crate::Global;
use crate::input::Input;
use crate::map::Places;
use crate::outcome::{Answer, Fault};
use crate::program::Opened;
use crate::report;
use kerai_vm::bytecode::Limits;
use kerai_vm::encoding::{Options, json};
use kerai_vm::execute::Machine;
use kerai_vm::refusal::Refusal;
use kerai_vm::trap::Trap;
use kerai_vm::value::Value;
use serde_json::json;
use std::hash::{BuildHasher, RandomState};

/// What a call is made with.
#[derive(clap::Args)]
#[group(skip)]
pub struct Arguments {
    /// The document that the function gets as its argument; `-` is standard input [default: no argument]
    #[arg(long)]
    input: Option<String>,
    /// The most gas to use; the program's own limit can only be lowered
    #[arg(long)]
    gas: Option<u64>,
}

/// How results are shown to people.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As one list.
    List,
    /// A line each.
    Lines,
}

/// Calls an export that is there.
pub fn call(
    opened: &Opened,
    export: &str,
    arguments: &Arguments,
    form: Form,
    global: &Global,
) -> Result<Answer, Fault> {
    let limits = Limits { gas: arguments.gas.unwrap_or(u64::MAX), ..Limits::DEFAULT };
    // The seed can't be observed in any result: a random one defeats keys that were crafted to collide.
    let mut machine = Machine::new(&opened.verified, RandomState::new().hash_one(0), limits);
    let mut values = Vec::new();
    if let Some(path) = &arguments.input {
        let mut input = Input::open(Some(path))?;
        let text = input.whole()?;
        match json::decode(machine.heap(), &text, &Options::CANONICAL) {
            Ok(value) => values.push(value),
            Err(refusal) => return Ok(report::refuse(&input.name, &refusal, global.json)),
        }
    }
    let Some(result) = machine.call(export, &values) else {
        return Err(Fault::Use(format!("there is no export `{export}`")));
    };
    Ok(answer(&machine, result, opened.places.as_ref(), form, global))
}

fn answer(
    machine: &Machine,
    result: Result<Vec<Value>, Trap>,
    places: Option<&Places>,
    form: Form,
    global: &Global,
) -> Answer {
    let gas = machine.gas_used();
    let results = match result {
        Ok(values) => values.iter().map(|&value| view(machine, value)).collect::<Vec<String>>(),
        Err(trap) => {
            tell_trap(&trap, &view(machine, machine.raised()), gas, places, global);
            return Answer::No;
        }
    };
    if global.json {
        println!("{{\"results\":[{}],\"gas\":{gas}}}", results.join(","));
        return Answer::Yes;
    }
    match form {
        Form::List => println!("[{}]", results.join(",")),
        Form::Lines => results.iter().for_each(|result| println!("{result}")),
    }
    if !global.quiet {
        eprintln!("gas: {gas}");
    }
    Answer::Yes
}

fn tell_trap(trap: &Trap, raised: &str, gas: u64, places: Option<&Places>, global: &Global) {
    let place = places.and_then(|places| places.describe(trap));
    if global.json {
        let code = trap.code.name();
        let at = json!({ "function": trap.function, "instruction": trap.instruction, "place": place });
        println!("{{\"trap\":{{\"code\":\"{code}\",\"at\":{at},\"raised\":{raised}}},\"gas\":{gas}}}");
        return;
    }
    eprintln!("trap: {}", describe(trap, places));
    if raised != "null" {
        eprintln!("  raised: {raised}");
    }
}

/// A trap for people: with the place in the source, where it is known.
pub fn describe(trap: &Trap, places: Option<&Places>) -> String {
    match places.and_then(|places| places.describe(trap)) {
        Some(place) => format!("{}: {} {place}", trap.code.name(), trap.code.summary()),
        None => trap.to_string(),
    }
}

/// The value as JSON shows it; what JSON can't show is shown by its kind.
fn view(machine: &Machine, value: Value) -> String {
    let mut out = Vec::new();
    let shown = |refusal: Refusal| {
        json!({ "kind": machine.values().kind(value).name(), "code": refusal.code.name() }).to_string()
    };
    json::encode(machine.values(), value, &Options::SNAPSHOT, &mut out)
        .map_or_else(shown, |()| String::from_utf8_lossy(&out).into_owned())
}
