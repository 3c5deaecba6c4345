//! A fold over a file of events: no database, no signatures; counts, roots and rows.

use super::events::{Events, Place, Unreadable};
use super::saved;
use crate::Global;
use crate::call::describe;
use crate::input::Input;
use crate::map::Places;
use crate::outcome::{Answer, Fault, Outcome};
use crate::program::{self, Opened};
use crate::progress::Progress;
use crate::report;
use kerai_store::code::Code;
use kerai_store::document::data_text;
use kerai_store::fold::Rows;
use kerai_vm::bytecode::{Limits, Order};
use kerai_vm::encoding::root::{Context, Root};
use kerai_vm::encoding::{self, cbor, json};
use kerai_vm::execute::Row;
use kerai_vm::fold::{FoldFault, Folding};
use kerai_vm::refusal::Refusal;
use kerai_vm::trap::Trap;
use kerai_vm::value::{Heap, Value};
use serde_json::json;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct Options {
    /// Write the state into a file, to go on from
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Go on from a saved state; all events must come after those that it was made of
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// Print the rows too, a JSON object a line with path, key and value
    #[arg(long)]
    rows: bool,
}

impl Options {
    /// An option that was given.
    pub fn name(&self) -> Option<&'static str> {
        let all = [("--save", self.save.is_some()), ("--resume", self.resume.is_some()), ("--rows", self.rows)];
        all.iter().find(|option| option.1).map(|option| option.0)
    }
}

/// Events that left no trace, as many as are told.
const TOLD: usize = 20;

/// How far a fold is.
struct Run<'p> {
    folding: Folding<'p>,
    /// A chain of hashes over the events in order: the same events give the same root.
    inputs: Root,
    last: Option<Place>,
    poisoned: u64,
    /// Lines and traps of the first of them.
    poison: Vec<(usize, Trap)>,
    /// The gas of the runs that were gone on from.
    gas_before: u64,
}

/// The inputs of a fold that has none yet.
fn no_inputs() -> Root {
    Root::of_data(Context::Events, &[])
}

pub fn run(fold: &str, events: &str, options: &Options, global: &Global) -> Outcome {
    let opened = match program::open(fold)? {
        Ok(opened) => opened,
        Err(refused) => return Ok(refused.report(fold, global)),
    };
    let mut run = match begin(&opened, options)? {
        Ok(run) => run,
        Err(FoldFault::Refused(refusal)) => return Ok(report::refuse(fold, &refusal, global.json)),
        Err(FoldFault::Trapped(trap)) => return Ok(trapped("init", &trap, &opened, global)),
    };
    let order = opened.verified.program().merging.order;
    let mut progress = Progress::new(global.quiet);
    let mut input = Input::open(Some(events))?;
    let events = match Events::read(&mut input, order, &mut progress)? {
        Ok(events) => events,
        Err((line, why)) => {
            progress.end();
            return Ok(unreadable(&input.name, line, &why, global));
        }
    };
    run.fold(&events, order, &input.name, &mut progress)?;
    progress.end();
    if let Err(trap) = run.folding.finish() {
        return Ok(trapped("finish", &trap, &opened, global));
    }
    if let Some(path) = &options.save {
        run.save(path, &opened)?;
    }
    run.tell(&opened, &events, &input.name, global)?;
    if options.rows {
        let mut out = BufWriter::new(io::stdout().lock());
        run.folding
            .rows()
            .sorted()
            .iter()
            .try_for_each(|row| writeln!(out, "{}", row_json(row)))
            .map_err(Fault::Write)?;
        out.flush().map_err(Fault::Write)?;
    }
    Ok(Answer::Yes)
}

/// The rows that a fold makes of a file of events; the events that left no trace leave none here.
pub fn rows_of(opened: &Opened, fold: &str, events: &str) -> Result<Rows, Fault> {
    let mut progress = Progress::new(true);
    let mut input = Input::open(Some(events))?;
    let options = Options { save: None, resume: None, rows: false };
    let trapped = |at: &str| Fault::Refused(format!("{fold}: `{at}` trapped"), Code::FOLD_TRAP);
    let mut run = match begin(opened, &options)? {
        Ok(run) => run,
        Err(FoldFault::Refused(refusal)) => {
            return Err(Fault::Refused(format!("{fold}: {refusal}"), Code::PROGRAM_KIND));
        }
        Err(FoldFault::Trapped(_)) => return Err(trapped("init")),
    };
    let order = opened.verified.program().merging.order;
    let Ok(list) = Events::read(&mut input, order, &mut progress)? else {
        return Err(Fault::Refused(format!("`{events}` is no file of events: see `kerai run`"), Code::OP_FORM));
    };
    run.fold(&list, order, &input.name, &mut progress)?;
    run.folding.finish().map_err(|_| trapped("finish"))?;
    Ok(run.folding.rows().sorted().iter().map(|row| (row.key.clone(), row.value.clone())).collect())
}

fn begin<'p>(opened: &'p Opened, options: &Options) -> Result<Result<Run<'p>, FoldFault>, Fault> {
    // The seed can't be observed in any result: a random one defeats keys that were crafted to collide.
    let seed = RandomState::new().hash_one(0);
    let run =
        |folding| Run { folding, inputs: no_inputs(), last: None, poisoned: 0, poison: Vec::new(), gas_before: 0 };
    let Some(path) = &options.resume else {
        return Ok(Folding::new(&opened.verified, seed, Limits::DEFAULT).map(run));
    };
    let saved = saved::read(path, &opened.root)?;
    let before = saved.progress;
    let folding = Folding::resume(&opened.verified, seed, Limits::DEFAULT, &saved.snapshot, before.count);
    Ok(folding.map(|folding| Run {
        inputs: before.inputs_root().unwrap_or_else(no_inputs),
        last: before.last(),
        poisoned: before.poisoned,
        gas_before: before.gas,
        ..run(folding)
    }))
}

impl Run<'_> {
    fn fold(&mut self, events: &Events, order: Order, name: &str, progress: &mut Progress) -> Result<(), Fault> {
        let mut list = events.list.as_slice();
        // Only the order by ULID has places that an event can be late for.
        let before = self.last.filter(|_| order == Order::Ulid);
        if let (Some(before), Some((first, rest))) = (before, list.split_first()) {
            let place = events.place(first);
            if place < before {
                return Err(Fault::Use(format!(
                    "{name}:{}: the event comes before the last one of the saved state, {}: fold all events together",
                    first.line, before.0
                )));
            }
            // The last event of the saved state again.
            if place == before {
                list = rest;
            }
        }
        let line = |number: usize| list.get(number).map_or(0, |event| event.line);
        let Run { folding, inputs, poisoned, poison, .. } = self;
        let contents = list.iter().map(|event| events.content(event)).inspect(|content| {
            *inputs = Root::of_data(Context::Events, &[inputs.bytes(), *content].concat());
        });
        let taken = folding.take(contents, |done, result| {
            if let Err(trap) = result {
                *poisoned += 1;
                if poison.len() < TOLD {
                    poison.push((line(done), trap));
                }
            }
            progress.say(done, "events folded");
        });
        taken.map_err(|(number, refusal)| Fault::Use(format!("{name}:{}: {refusal}", line(number))))?;
        self.last = list.last().map(|event| events.place(event)).or(self.last);
        Ok(())
    }

    fn gas(&self) -> u64 {
        self.gas_before.saturating_add(self.folding.gas())
    }

    fn save(&self, path: &Path, opened: &Opened) -> Result<(), Fault> {
        let snapshot = self.folding.snapshot().map_err(|refusal| {
            Fault::Use(format!("the state is too large to be saved: {refusal}; split it into several folds"))
        })?;
        let count = self.folding.count();
        let progress = saved::Progress::new(&opened.root, count, self.gas(), self.poisoned, &self.inputs, self.last);
        saved::write(path, progress, &snapshot)
    }

    fn tell(&mut self, opened: &Opened, events: &Events, name: &str, global: &Global) -> Result<(), Fault> {
        let (count, gas, repeated, poisoned) = (self.folding.count(), self.gas(), events.repeated, self.poisoned);
        let (fold_root, inputs_root) = (opened.root.to_string(), self.inputs.to_string());
        let rows = self.folding.rows();
        let (state_root, emitted) = (rows.state_root().to_string(), rows.sorted().len());
        let places = opened.places.as_ref();
        let mut out = io::stdout().lock();
        if global.json {
            let poison = self.poison.iter().map(|(line, trap)| poison_json(*line, trap, places)).collect::<Vec<_>>();
            let all = json!({
                "ok": true, "fold_root": fold_root, "policy_root": null, "count": count, "denied": 0,
                "repeated": repeated, "poisoned": poisoned, "poison": poison, "rows": emitted,
                "state_root": state_root, "inputs_root": inputs_root, "gas": gas,
            });
            return writeln!(out, "{all}").map_err(Fault::Write);
        }
        for (line, trap) in &self.poison {
            eprintln!("{name}:{line}: left no trace: {}", describe(trap, places));
        }
        if poisoned > self.poison.len() as u64 {
            eprintln!("{name}: {poisoned} events left no trace");
        }
        let repeats = if repeated > 0 { format!(", {repeated} repeated") } else { String::new() };
        let lines = [
            format!("{count} events{repeats}, {poisoned} poisoned, {emitted} rows, gas {gas}"),
            format!("  fold_root   {fold_root}"),
            format!("  state_root  {state_root}"),
            format!("  inputs_root {inputs_root}"),
        ];
        lines.iter().try_for_each(|line| writeln!(out, "{line}")).map_err(Fault::Write)
    }
}

fn poison_json(line: usize, trap: &Trap, places: Option<&Places>) -> serde_json::Value {
    let place = places.and_then(|places| places.describe(trap));
    let at = json!({ "function": trap.function, "instruction": trap.instruction, "place": place });
    json!({ "line": line, "trap": { "code": trap.code.name(), "at": at } })
}

fn trapped(function: &str, trap: &Trap, opened: &Opened, global: &Global) -> Answer {
    let place = opened.places.as_ref().and_then(|places| places.describe(trap));
    if global.json {
        let at = json!({ "function": trap.function, "instruction": trap.instruction, "place": place });
        println!("{}", json!({ "ok": false, "trap": { "code": trap.code.name(), "at": at } }));
    } else {
        eprintln!("trap: `{function}`: {}", describe(trap, opened.places.as_ref()));
    }
    Answer::No
}

fn unreadable(name: &str, line: usize, why: &Unreadable, global: &Global) -> Answer {
    match why {
        Unreadable::Text(refusal) if global.json => println!("{}", report::to_json(name, Some(line), refusal)),
        Unreadable::Text(refusal) => report::print(name, Some(line), refusal),
        Unreadable::Form(refused) => {
            let (code, help, what) = (refused.code.name(), refused.code.explanation(), &refused.what);
            if global.json {
                println!(
                    "{}",
                    json!({ "ok": false, "path": name, "line": line, "code": code, "what": what, "help": help })
                );
            } else {
                eprintln!("{name}:{line}: {code}: {what}\n  help: {help}");
            }
        }
    }
    Answer::No
}

/// A row as an object: path, key and value.
fn row_json(row: &Row) -> String {
    let view = || -> Result<String, Refusal> {
        let (heap, options) = (&mut Heap::new(0), &encoding::Options::CANONICAL);
        let key = cbor::decode(heap, &row.key, options)?;
        let value = cbor::decode(heap, &row.value, options)?;
        let parts = heap.items(key).unwrap_or_default().to_vec();
        let names = ["path", "key", "value"];
        let values = [parts.first().copied(), parts.get(1).copied(), Some(value)];
        let mut texts = Vec::new();
        for (name, value) in names.iter().zip(values) {
            let mut text = Vec::new();
            json::encode(heap, value.unwrap_or(Value::NIL), options, &mut text)?;
            texts.push(format!("\"{name}\":{}", String::from_utf8_lossy(&text)));
        }
        Ok(format!("{{{}}}", texts.join(",")))
    };
    view().unwrap_or_else(|refusal| {
        json!({ "code": refusal.code.name(), "key": data_text(Root::of_data(Context::RowKey, &row.key).bytes()) })
            .to_string()
    })
}
