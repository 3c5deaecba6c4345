//! `kerai exec`: calls an exported function of a program.

use crate::Global;
use crate::input::Input;
use crate::outcome::{Answer, Fault, Outcome};
use crate::report;
use kerai_vm::bytecode::{Limits, Program, Verified};
use kerai_vm::encoding::{Options, json};
use kerai_vm::execute::Machine;
use kerai_vm::refusal::Refusal;
use kerai_vm::trap::Trap;
use kerai_vm::value::Value;
use serde_json::json;
use std::hash::{BuildHasher, RandomState};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai exec fib.rgw --input five.json              the results as a JSON array, then the gas
  echo 30 | kerai exec fib.rgw --input - --json     {\"results\":…,\"gas\":…}, or a trap
  kerai exec fib.rgw --export fib --gas 100000      under a lower limit")]
pub struct Arguments {
    /// The program: canonical bytecode
    file: String,
    /// The document that the function gets as its argument; `-` is standard input [default: no argument]
    #[arg(long)]
    input: Option<String>,
    /// The function to call [default: the only export]
    #[arg(long)]
    export: Option<String>,
    /// The most gas to use; the program's own limit can only be lowered
    #[arg(long)]
    gas: Option<u64>,
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    let bytes = Input::open(Some(&arguments.file))?.whole()?;
    let program = match Program::decode(&bytes).and_then(Program::verify) {
        Ok(program) => program,
        Err(refusal) => return Ok(refuse(&arguments.file, &refusal, global)),
    };
    let export = chosen_export(&program, arguments)?;
    let limits = Limits { gas: arguments.gas.unwrap_or(u64::MAX), ..Limits::DEFAULT };
    let mut machine = Machine::new(&program, RandomState::new().hash_one(0), limits);
    let mut values = Vec::new();
    if let Some(path) = &arguments.input {
        let mut input = Input::open(Some(path))?;
        let text = input.whole()?;
        match json::decode(machine.heap(), &text, &Options::CANONICAL) {
            Ok(value) => values.push(value),
            Err(refusal) => return Ok(refuse(&input.name, &refusal, global)),
        }
    }
    let Some(result) = machine.call(&export, &values) else {
        return Err(Fault::Use(format!("`{}` exports no `{export}`", arguments.file)));
    };
    Ok(answer(&mut machine, result, global))
}

fn refuse(path: &str, refusal: &Refusal, global: &Global) -> Answer {
    if global.json {
        println!("{}", report::to_json(path, None, refusal));
    } else {
        report::print(path, None, refusal);
    }
    Answer::No
}

/// The export that was named, or the only one.
fn chosen_export(program: &Verified, arguments: &Arguments) -> Result<String, Fault> {
    let exports = &program.program().exports;
    match (&arguments.export, exports.keys().next()) {
        (Some(name), _) => Ok(name.clone()),
        (None, Some(name)) if exports.len() == 1 => Ok(name.clone()),
        (None, _) => {
            let names: Vec<&str> = exports.keys().map(String::as_str).collect();
            Err(Fault::Use(format!("name one of the exports with `--export`: {}", names.join(", "))))
        }
    }
}

fn answer(machine: &mut Machine, result: Result<Vec<Value>, Trap>, global: &Global) -> Answer {
    let gas = machine.gas_used();
    let outcome = result
        .map_err(|trap| (trap, view(machine, machine.raised())))
        .map(|values| values.iter().map(|&value| view(machine, value)).collect::<Vec<String>>());
    match outcome {
        Ok(results) if global.json => println!("{{\"results\":[{}],\"gas\":{gas}}}", results.join(",")),
        Ok(results) => {
            println!("[{}]", results.join(","));
            if !global.quiet {
                eprintln!("gas: {gas}");
            }
        }
        Err((trap, raised)) if global.json => {
            let at = json!({ "function": trap.function, "instruction": trap.instruction });
            println!(
                "{{\"trap\":{{\"code\":\"{}\",\"at\":{at},\"raised\":{raised}}},\"gas\":{gas}}}",
                trap.code.name()
            );
            return Answer::No;
        }
        Err((trap, raised)) => {
            eprintln!("trap: {trap}");
            if raised != "null" {
                eprintln!("  raised: {raised}");
            }
            return Answer::No;
        }
    }
    Answer::Yes
}

/// The value as JSON shows it; what JSON can't show is shown by its kind.
fn view(machine: &Machine, value: Value) -> String {
    let mut out = Vec::new();
    match json::encode(machine.values(), value, &Options::SNAPSHOT, &mut out) {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(refusal) => json!({ "kind": machine.values().kind(value).name(), "code": refusal.code.name() }).to_string(),
    }
}
