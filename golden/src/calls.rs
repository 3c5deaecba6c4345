//! Calls of a program's exports, a line each, and what came of them.

use kerai_vm::bytecode::{Limits, Verified};
use kerai_vm::encoding::{Options, json};
use kerai_vm::execute::Machine;
use kerai_vm::trap::Trap;
use kerai_vm::value::{Heap, Kind, Value};

/// Runs the calls: `NAME ARGUMENTS`, the arguments a JSON array, and before them limits that are lowered,
/// `gas N`, `memory N`, `depth N` or `output N`.
///
/// # Errors
/// Where a line is no call.
pub fn run(program: &Verified, calls: &str, seed: u64) -> Result<String, String> {
    let lines: Result<Vec<String>, String> =
        calls.lines().filter(|line| !line.is_empty()).map(|line| call(program, line, seed)).collect();
    Ok(lines?.join("\n"))
}

fn call(program: &Verified, line: &str, seed: u64) -> Result<String, String> {
    let wrong = || format!("`{line}` is no call");
    let (name, mut rest) = line.split_once(' ').ok_or_else(wrong)?;
    let mut limits = Limits::DEFAULT;
    while !rest.starts_with('[') {
        let mut words = rest.splitn(3, ' ');
        let (Some(limit), Some(value), Some(after)) = (words.next(), words.next(), words.next()) else {
            return Err(wrong());
        };
        let value = value.parse().map_err(|_| wrong())?;
        match limit {
            "gas" => limits.gas = value,
            "memory" => limits.memory = value,
            "depth" => limits.depth = value,
            "output" => limits.output = value,
            _ => return Err(wrong()),
        }
        rest = after;
    }
    let mut machine = Machine::new(program, seed, limits);
    let first = once(&mut machine, Machine::call, name, rest).ok_or_else(wrong)?;
    // A machine that has run before gives the same again, and so does the plain way to run.
    for (way, how) in [(Machine::call as Way, "then"), (Machine::call_plainly, "plainly")] {
        let again = once(&mut machine, way, name, rest).ok_or_else(wrong)?;
        if again != first {
            return Err(format!("`{line}` gave {first} and {how} {again}"));
        }
    }
    Ok(first)
}

/// A way to call an export.
type Way<'p> = fn(&mut Machine<'p>, &str, &[Value]) -> Option<Result<Vec<Value>, Trap>>;

fn once<'p>(machine: &mut Machine<'p>, way: Way<'p>, name: &str, arguments: &str) -> Option<String> {
    let arguments = json::decode(machine.heap(), arguments.as_bytes(), &Options::SNAPSHOT).ok()?;
    let arguments = machine.values().items(arguments)?.to_vec();
    let result = way(machine, name, &arguments)?;
    let gas = machine.gas_used();
    let mut text = match result {
        Ok(values) => {
            let shown: Vec<String> = values.iter().map(|&value| view(machine.values(), value)).collect();
            format!("[{}] gas {gas}", shown.join(","))
        }
        Err(trap) => {
            let raised = view(machine.values(), machine.raised());
            let raised = if raised == "null" { String::new() } else { format!(" raised {raised}") };
            let (code, function, instruction) = (trap.code.name(), trap.function, trap.instruction);
            format!("{code} function {function} instruction {instruction} gas {gas}{raised}")
        }
    };
    for row in machine.rows() {
        let mut heap = Heap::new(0);
        for part in [&row.key, &row.value] {
            let value = kerai_vm::encoding::cbor::decode(&mut heap, part, &Options::CANONICAL).ok()?;
            text.push_str(if part == &row.key { "\n  row " } else { " " });
            text.push_str(&view(&heap, value));
        }
    }
    Some(text)
}

/// The value as JSON, or its kind where JSON can't show it.
fn view(heap: &Heap, value: Value) -> String {
    let mut out = Vec::new();
    match json::encode(heap, value, &Options::SNAPSHOT, &mut out) {
        Ok(()) if heap.kind(value) == Kind::Float => format!("float({})", String::from_utf8_lossy(&out)),
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(refusal) => format!("{}:{}", heap.kind(value).name(), refusal.code.name()),
    }
}
