//! A Lua source compiled and run: what the suites of stock Lua and the generated programs have in common.

use kerai_compiler::{Diagnostic, Language, Source, Span, compile};
use kerai_vm::bytecode::{Limits, Program};
use kerai_vm::encoding::{Options, json};
use kerai_vm::execute::Machine;
use kerai_vm::trap::{Trap, TrapCode};
use kerai_vm::value::{Heap, Kind, Value};

/// How a source came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Its main part gave these values, as text.
    Gave(Vec<String>),
    /// It is refused, at these places of the text for these codes.
    Refused(Vec<(&'static str, Span, String)>),
    /// It trapped, and this is what it raised where it raised something.
    Trapped(TrapCode, String),
    /// The compiler and the machine contradict each other.
    Broken(String),
}

/// Compiles a source and runs its main part.
#[must_use]
pub fn run(text: &str, seed: u64) -> Ending {
    let source = match Source::read(text.as_bytes()) {
        Ok(source) => source,
        Err(refused) => return Ending::Refused(vec![refusal(&refused)]),
    };
    match compile(Language::Lua, &source) {
        Ok(compiled) => run_program(compiled.program, seed),
        Err(refused) => Ending::Refused(refused.iter().map(refusal).collect()),
    }
}

fn refusal(diagnostic: &Diagnostic) -> (&'static str, Span, String) {
    (diagnostic.code.name(), diagnostic.span, diagnostic.message.to_string())
}

fn run_program(program: Program, seed: u64) -> Ending {
    let verified = match program.verify() {
        Ok(verified) => verified,
        Err(refusal) => return Ending::Broken(format!("the verifier refuses what was compiled: {refusal}")),
    };
    let mut machine = Machine::new(&verified, seed, Limits::DEFAULT);
    let Some(result) = machine.call("main", &[]) else { return Ending::Gave(Vec::new()) };
    match result {
        Ok(values) => Ending::Gave(values.iter().map(|&value| shown(machine.values(), value)).collect()),
        Err(Trap { code: TrapCode::RAISED, .. }) => {
            Ending::Trapped(TrapCode::RAISED, shown(machine.values(), machine.raised()))
        }
        Err(Trap { code, .. }) => Ending::Trapped(code, String::new()),
    }
}

/// A value as text that tells kinds apart.
#[must_use]
pub fn shown(heap: &Heap, value: Value) -> String {
    let mut out = Vec::new();
    match json::encode(heap, value, &Options::SNAPSHOT, &mut out) {
        Ok(()) if heap.kind(value) == Kind::Float => format!("float({})", String::from_utf8_lossy(&out)),
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(refusal) => format!("{}:{}", heap.kind(value).name(), refusal.code.name()),
    }
}
