//! `kerai verify`: computes everything of a stream or a pack again and compares it with what was said.

use crate::Global;
use crate::evidence::{Trust, places_in, programs_of_project, root_of};
use crate::map::Places;
use crate::outcome::{Answer, Fault, Outcome};
use crate::progress::Progress;
use crate::spool::PackPath;
use crate::store::{open, run as run_store};
use kerai_store::audit::{Ask, Differing, Written};
use kerai_store::code::Code;
use kerai_store::document::{Hash, data_text, program_text};
use kerai_store::pack::{self, Archives};
use kerai_store::verify::{Divergence, Verification};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai verify stock                       computes signatures, chains, decisions, roots and rows again
  kerai verify stock.pack                  the same from a file alone: no database, no network
  kerai verify stock --archive 2026.pack   with the pack that holds what was pruned, so that nothing is left out
  kerai verify stock.pack --trust KEY      no, unless KEY signed its last checkpoint, or it is that stream
  kerai verify stock.pack --extends FILE   no, unless it continues the log of the checkpoint in FILE, a proof or a pack

Without `--trust` and `--extends` the answer is `anchored: false`: it says that the stream agrees with itself, not
whose it is. Where something differs, the first of it is named, and the exit code is 1.")]
pub struct Arguments {
    /// The stream, or the file of a pack; `-` is a pack from standard input [default: all streams]
    #[arg(value_name = "STREAM|PACK")]
    stream: Option<String>,
    #[command(flatten)]
    trust: Trust,
    /// Fold from the snapshot of the checkpoint that counts so many records; signatures and decisions are all checked
    #[arg(long, value_name = "COUNT")]
    from: Option<u64>,
    /// A pack that holds ops which were pruned from the database; give it once for each
    #[arg(long, value_name = "FILE")]
    archive: Vec<PathBuf>,
    /// How many threads look at ops ahead of the log [default: as many as there are processors]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Take whoever signed at their word: everything but signatures is checked
    #[arg(long)]
    without_signatures: bool,
}

impl Arguments {
    fn ask(&self) -> Result<Ask, Fault> {
        if self.jobs == Some(0) {
            return Err(Fault::Use("`--jobs 0` would look at nothing: give 1 or more".into()));
        }
        let processors = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Ok(Ask {
            trusted: self.trust.hashes()?,
            extends: self.trust.extends()?,
            from: self.from,
            jobs: self.jobs.unwrap_or_else(processors),
            signatures: !self.without_signatures,
        })
    }
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    let ask = arguments.ask()?;
    let name = arguments.stream.as_deref().unwrap_or_default();
    if let Some(pack) = PackPath::find(name)? {
        if !arguments.archive.is_empty() {
            return Err(Fault::Use("`--archive` goes with a stream: `kerai verify NAME --archive FILE`".into()));
        }
        return verify_pack(name, pack.path(), &ask, global);
    }
    run_store(async {
        let mut store = open(global, None).await?;
        let names = match &arguments.stream {
            Some(name) => vec![name.clone()],
            None => store.streams().await?.into_iter().map(|stream| stream.name).collect(),
        };
        let mut said = Answer::Yes;
        for name in names {
            let mut told = Progress::new(global.quiet);
            let archives = (!arguments.archive.is_empty()).then(|| Archives::open(&arguments.archive)).transpose()?;
            let answer = store.audit_with(&name, &ask, archives, &mut |ops, part| told.say_part(ops, part)).await?;
            told.end();
            let places = if answer.first_divergence.is_some() { programs_of_project() } else { BTreeMap::new() };
            if tell(&name, &answer, &places, global) == Answer::No {
                said = Answer::No;
            }
        }
        Ok(said)
    })
}

fn verify_pack(name: &str, path: &Path, ask: &Ask, global: &Global) -> Outcome {
    let mut told = Progress::new(global.quiet);
    let (_, mut answer) = pack::verify(path, ask, &mut |ops, part| told.say_part(ops, part))?;
    told.end();
    if answer.first_divergence.is_none() {
        answer.first_divergence = wrong_source(path)?;
        answer.is_anchored &= answer.first_divergence.is_none();
    }
    let places = places_in(path, answer.first_divergence.is_some());
    Ok(tell(name, &answer, &places, global))
}

/// The first source of a pack that is not that of the program it names.
fn wrong_source(path: &Path) -> Result<Option<Divergence>, Fault> {
    let sources = pack::PackFile::open(path)?.sources;
    let wrong = sources.into_iter().find_map(|source| {
        let computed = root_of(&source);
        (computed != Some(source.root)).then(|| Divergence {
            what: format!("the source `{}`", source.name),
            stored: program_text(&source.root),
            computed: computed.map_or_else(|| "no program".into(), |root| program_text(&root)),
            ..Divergence::default()
        })
    });
    Ok(wrong)
}

/// Where instructions came from, by the roots of programs.
pub type AllPlaces = BTreeMap<Hash, Places>;

fn place_of(written: &Written, places: &AllPlaces) -> Option<String> {
    let (function, instruction) = written.instruction?;
    places.get(&written.fold_root)?.describe_at(function, instruction)
}

fn written_json(written: &Written, places: &AllPlaces) -> Value {
    json!({
        "op": written.position,
        "op_id": data_text(&written.op),
        "fold_root": program_text(&written.fold_root),
        "function": written.instruction.map(|at| at.0),
        "instruction": written.instruction.map(|at| at.1),
        "source": place_of(written, places),
    })
}

fn written_text(written: &Written, places: &AllPlaces) -> String {
    let at = match (place_of(written, places), written.instruction) {
        (Some(place), _) => format!(" {place}"),
        (None, Some((function, instruction))) => format!(" in function {function}, instruction {instruction}"),
        (None, None) => String::new(),
    };
    format!("written last by op {}{at}", written.position)
}

fn differing_json(differing: &Differing, places: &AllPlaces) -> Value {
    json!({
        "path": differing.path,
        "name": differing.name,
        "stored": differing.stored,
        "computed": differing.computed,
        "written": differing.written.as_ref().map(|written| written_json(written, places)),
    })
}

fn divergence_json(found: &Divergence, places: &AllPlaces) -> Value {
    let written = found.keys.first().and_then(|first| first.written.as_ref());
    json!({
        "interval": found.interval,
        "op": found.op,
        "op_id": found.op_id.map(|id| data_text(&id)),
        "key": found.key.as_ref().map(|(path, name)| json!({ "path": path, "name": name })),
        "instruction": written.map(|written| written_json(written, places)),
        "rule": found.rule,
        "what": found.what,
        "stored": found.stored,
        "computed": found.computed,
        "help": code_of(found).map(Code::explanation),
        "keys": found.keys.iter().map(|differing| differing_json(differing, places)).collect::<Vec<_>>(),
    })
}

/// The code by which something was refused that was said to be accepted.
fn code_of(found: &Divergence) -> Option<Code> {
    found.computed.split(':').next().and_then(Code::of)
}

/// The answer as `--json` shows it.
fn answer_json(name: &str, answer: &Verification, places: &AllPlaces) -> Value {
    let checked = answer.checked;
    json!({
        "ok": is_ok(answer),
        "stream": name,
        "anchored": answer.is_anchored,
        "replayed": answer.is_replayed,
        "pruned": answer.pruned,
        "checked": {
            "ops": checked.ops,
            "rows": checked.rows,
            "checkpoints": checked.checkpoints,
            "proofs": checked.proofs,
        },
        "first_divergence": answer.first_divergence.as_ref().map(|found| divergence_json(found, places)),
    })
}

/// What was not replayed is never ok, however much of it was found right.
const fn is_ok(answer: &Verification) -> bool {
    answer.first_divergence.is_none() && answer.is_replayed
}

/// Says the answer; no where anything diverges, or could not be replayed.
pub fn tell(name: &str, answer: &Verification, places: &AllPlaces, global: &Global) -> Answer {
    let checked = answer.checked;
    if global.json {
        println!("{}", answer_json(name, answer, places));
    } else if let Some(found) = &answer.first_divergence {
        tell_divergence(name, found, places);
    } else {
        let anchored = match answer.is_anchored {
            true => "anchored",
            false => "not anchored: nobody was named by `--trust` or `--extends`",
        };
        let verdict = match (answer.is_replayed, answer.pruned) {
            (true, _) => "ok".to_owned(),
            (false, None) => {
                "not replayed: parts of ops are hidden; signatures, chains, roots and given rows are right".to_owned()
            }
            (false, Some(count)) => format!(
                "not replayed: the first {count} records were pruned; from the checkpoint there on everything is right \
                 (with `--archive FILE` all is replayed)"
            ),
        };
        let proofs = if checked.proofs > 0 { format!("{} proofs, ", checked.proofs) } else { String::new() };
        println!(
            "{name}: {verdict}, {} ops, {} rows, {proofs}{} checkpoints, {anchored}",
            checked.ops, checked.rows, checked.checkpoints
        );
    }
    if is_ok(answer) { Answer::Yes } else { Answer::No }
}

fn tell_divergence(name: &str, found: &Divergence, places: &AllPlaces) {
    let place = match (&found.key, found.op, found.interval) {
        (Some((path, key)), ..) => format!("row `{path}` {key}"),
        (None, Some(op), _) => format!("op {op}"),
        (None, None, Some((after, to))) if after == to => format!("record {to}"),
        (None, None, Some((after, to))) => format!("records {} to {to}", after + 1),
        (None, None, None) if found.what == "the pack" => "the file".into(),
        (None, None, None) => "the stream".into(),
    };
    println!("{name}: diverges at {place}: {}", found.what);
    println!("  stored   {}\n  computed {}", found.stored, found.computed);
    if let Some(rule) = &found.rule {
        println!("  decided by rule `{rule}`");
    }
    if let Some(code) = code_of(found) {
        println!("  help: {}", code.explanation());
    }
    for differing in &found.keys {
        println!(
            "  row `{}` {}: stored {}, computed {}",
            differing.path, differing.name, differing.stored, differing.computed
        );
        if let Some(written) = &differing.written {
            println!("    {}", written_text(written, places));
        }
    }
}
