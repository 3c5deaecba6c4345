//! Operations that are folded, a line each, and what came of them.

use crate::source;
use kerai_vm::bytecode::{Limits, Verified};
use kerai_vm::encoding::{Options, cbor, json};
use kerai_vm::fold::{FoldFault, Folding};
use kerai_vm::refusal::Refusal;
use kerai_vm::trap::Trap;
use kerai_vm::value::Heap;

/// What a fold came to, as outputs show it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoldRun {
    /// The gas of `init`, of each operation and of `finish`.
    pub gas: String,
    /// The traps, and where.
    pub trap: String,
    /// The snapshot of the state.
    pub state: String,
    /// The rows with their root.
    pub rows: String,
}

/// When a run stops and goes on from a snapshot, and how soon it collects.
#[derive(Clone, Copy)]
struct Manner {
    stop_after: Option<usize>,
    collect_above: usize,
}

fn trap_text(what: &str, trap: &Trap) -> String {
    format!("{what}: {} function {} instruction {}", trap.code.name(), trap.function, trap.instruction)
}

/// Folds operations, each a line of JSON. However early it collects, and wherever it stops and goes on from a
/// snapshot, the same must come out.
///
/// # Errors
/// Where the program is no fold; and, as text, where a line is no operation or two ways to fold part.
pub fn run(program: &Verified, operations: &str, seed: u64) -> Result<Result<FoldRun, String>, Refusal> {
    let operations: Vec<&str> = operations.lines().filter(|line| !line.is_empty()).collect();
    let plain = Manner { stop_after: None, collect_above: usize::MAX };
    let first = match once(program, &operations, seed, plain) {
        Ok(first) => first,
        Err(Stop::Refused(refusal)) => return Err(refusal),
        Err(Stop::Line(fault)) => return Ok(Err(fault)),
    };
    let mut others = vec![Manner { collect_above: 0, ..plain }];
    if !first.trap.starts_with("init") {
        others.extend((0..=operations.len()).map(|count| Manner { stop_after: Some(count), collect_above: 0 }));
    }
    for manner in others {
        match once(program, &operations, seed, manner) {
            Ok(other) if other == first => {}
            Ok(other) => return Ok(Err(format!("stopping after {:?} gives {other:?}", manner.stop_after))),
            Err(_) => return Ok(Err(format!("stopping after {:?} is refused", manner.stop_after))),
        }
    }
    Ok(Ok(first))
}

enum Stop {
    Refused(Refusal),
    Line(String),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Stop {
        Stop::Refused(refusal)
    }
}

fn once(program: &Verified, operations: &[&str], seed: u64, manner: Manner) -> Result<FoldRun, Stop> {
    let limits = Limits::DEFAULT;
    let mut folding = match Folding::new(program, seed, limits) {
        Ok(folding) => folding,
        Err(FoldFault::Refused(refusal)) => return Err(refusal.into()),
        Err(FoldFault::Trapped(trap)) => return Ok(FoldRun { trap: trap_text("init", &trap), ..FoldRun::default() }),
    };
    folding.collect_above(manner.collect_above);
    let (mut gas, mut traps) = (vec![format!("init {}", folding.gas())], Vec::new());
    for (number, operation) in (1..).zip(operations) {
        if manner.stop_after == Some(number - 1) {
            folding = stop_and_go_on(&folding, program, seed)?;
        }
        let decoded = folding.offer_json(operation.as_bytes());
        decoded.map_err(|refusal| Stop::Line(format!("`{operation}` is no operation: {refusal}")))?;
        if let Some(Err(trap)) = folding.step() {
            traps.push(trap_text(&format!("op {number}"), &trap));
        }
        gas.push(format!("op {number} {}", folding.last_gas()));
    }
    if manner.stop_after == Some(operations.len()) {
        folding = stop_and_go_on(&folding, program, seed)?;
    }
    if let Err(trap) = folding.finish() {
        traps.push(trap_text("finish", &trap));
    }
    gas.push(format!("finish {}", folding.last_gas()));
    let state = source::in_hexadecimal(&folding.snapshot()?);
    let none = |lines: Vec<String>| if lines.is_empty() { "none".to_owned() } else { lines.join("\n") };
    Ok(FoldRun { gas: gas.join("\n"), trap: none(traps), state, rows: rows_text(&mut folding) })
}

fn stop_and_go_on<'p>(folding: &Folding<'p>, program: &'p Verified, seed: u64) -> Result<Folding<'p>, Refusal> {
    let snapshot = folding.snapshot()?;
    let again = Folding::resume(program, !seed, Limits::DEFAULT, &snapshot, folding.count());
    let mut again = again.map_err(|fault| match fault {
        FoldFault::Refused(refusal) => refusal,
        FoldFault::Trapped(_) => unreachable!("going on calls nothing"),
    })?;
    again.collect_above(0);
    Ok(again)
}

/// A line a row, and the root of them all.
fn rows_text(folding: &mut Folding<'_>) -> String {
    let view = |bytes: &[u8]| {
        let (mut heap, mut out) = (Heap::new(0), Vec::new());
        let shown = cbor::decode(&mut heap, bytes, &Options::CANONICAL)
            .and_then(|value| json::encode(&heap, value, &Options::CANONICAL, &mut out));
        shown.map_or_else(|_| source::in_hexadecimal(bytes), |()| String::from_utf8_lossy(&out).into_owned())
    };
    let rows = folding.rows();
    let mut lines: Vec<String> =
        rows.sorted().iter().map(|row| format!("{} {}", view(&row.key), view(&row.value))).collect();
    lines.push(format!("root {} as of {}", rows.state_root(), rows.as_of()));
    lines.join("\n")
}
