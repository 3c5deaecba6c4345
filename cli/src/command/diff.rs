//! `kerai diff`: which rows change from one fold or one state to another, and what differs between two programs.

use crate::Global;
use crate::command::run::rows_of;
use crate::outcome::{Answer, Fault, Outcome};
use crate::program::{self, Opened};
use crate::spool::PackPath;
use crate::store::{open, run as run_store};
use kerai_store::audit::rows_by;
use kerai_store::document::data_text;
use kerai_store::fold::Rows;
use kerai_store::materialize::row;
use kerai_store::pack::{PackFile, PackReader, Part};
use kerai_store::program::Stored;
use kerai_store::state::state_root;
use kerai_vm::bytecode::Program;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai diff old.lua new.lua --over stock        which rows change if the new fold is bound to the stream
  kerai diff old.lua new.lua --over ops.jsonl    the same over a file of events, or over a pack
  kerai diff old.pack new.pack                   which rows differ between two states; a stream is one too,
  kerai diff stock@5 stock                       and as it was after so many records
  kerai diff old.rgf new.rgf                     what differs between two programs: roots, rules, instructions
  kerai diff old.bundle new.bundle               the same of each program of two bundles, by its path

The exit code is 0 where nothing differs, and 1 where something does.")]
pub struct Arguments {
    /// A fold or another program, a bundle, a pack, or a stream, as it is or `STREAM@COUNT`
    a: String,
    b: String,
    /// The log that both folds go over: a stream, a pack, or a file of events
    #[arg(long, value_name = "STREAM|PACK|OPS.jsonl")]
    over: Option<String>,
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    if let Some(over) = &arguments.over {
        let (a, b) = match (opened(&arguments.a, global)?, opened(&arguments.b, global)?) {
            (Ok(a), Ok(b)) => (a, b),
            (Err(answer), _) | (_, Err(answer)) => return Ok(answer),
        };
        let [before, after] = folded(arguments, &a, &b, over, global)?;
        return tell_rows(&before, &after, global);
    }
    if let (Some(a), Some(b)) = (super::diff_bundle::open(&arguments.a)?, super::diff_bundle::open(&arguments.b)?) {
        return super::diff_bundle::tell(&a, &b, global);
    }
    let states = (state(&arguments.a, global)?, state(&arguments.b, global)?);
    match states {
        (Some(before), Some(after)) => tell_rows(&before, &after, global),
        (None, None) => match (opened(&arguments.a, global)?, opened(&arguments.b, global)?) {
            (Ok(a), Ok(b)) => tell_programs(&a, &b, global),
            (Err(answer), _) | (_, Err(answer)) => Ok(answer),
        },
        (Some(_), None) | (None, Some(_)) => Err(Fault::Use(format!(
            "`{}` and `{}` are not of one kind: compare two states, two programs, or two bundles",
            arguments.a, arguments.b
        ))),
    }
}

fn opened(path: &str, global: &Global) -> Result<Result<Opened, Answer>, Fault> {
    Ok(program::open(path)?.map_err(|refused| refused.report(path, global)))
}

fn stored(opened: &Opened) -> Result<Stored, Fault> {
    Ok(Stored::from_bytes(&opened.bytes).map_err(kerai_store::fault::Fault::from)?)
}

/// The rows that both folds make of the same log.
fn folded(arguments: &Arguments, a: &Opened, b: &Opened, over: &str, global: &Global) -> Result<[Rows; 2], Fault> {
    let (first, second) = (stored(a)?, stored(b)?);
    let folds = [&first, &second];
    for fold in folds {
        let fold = fold.expect(kerai_vm::bytecode::ProgramKind::Fold, kerai_store::program::FOLD_EXPORTS);
        fold.map_err(kerai_store::fault::Fault::from)?;
    }
    let rows = if let Some(file) = PackPath::find(over)? {
        let mut pack = PackFile::open(file.path())?;
        let library = std::mem::take(&mut pack.library);
        rows_by(&mut pack, &library, &folds)?
    } else if Path::new(over).is_file() {
        vec![rows_of(a, &arguments.a, over)?, rows_of(b, &arguments.b, over)?]
    } else {
        let folds = folds.map(Stored::clone).to_vec();
        run_store(async { Ok(open(global, None).await?.rows_by(over, folds).await?) })?
    };
    <[Rows; 2]>::try_from(rows).map_err(|_| Fault::Use("two folds give two states".into()))
}

/// The rows of what names a state; none where it names a file of another kind.
fn state(name: &str, global: &Global) -> Result<Option<Rows>, Fault> {
    if let Some(file) = PackPath::find(name)? {
        let file = File::open(file.path()).map_err(|cause| Fault::Read { path: name.into(), cause })?;
        let mut reader = PackReader::new(BufReader::new(file))?;
        let mut rows = Rows::new();
        while let Some((_, part)) = reader.read()? {
            if let Part::Row(key, value) = part {
                rows.insert(key, value);
            }
        }
        return Ok(Some(rows));
    }
    if Path::new(name).exists() || Path::new(name).extension().is_some() {
        return Ok(None);
    }
    let at = name.rsplit_once('@').and_then(|(stream, count)| Some((stream, count.parse::<u64>().ok()?)));
    run_store(async {
        let mut store = open(global, None).await?;
        match at {
            Some((stream, count)) => Ok(Some(store.at(stream, count).await?.folded.rows)),
            None => Ok(Some(store.rows(name).await?)),
        }
    })
}

fn tell_rows(before: &Rows, after: &Rows, global: &Global) -> Outcome {
    let keys: BTreeSet<&Vec<u8>> = before.keys().chain(after.keys()).collect();
    let changed: Vec<&Vec<u8>> = keys.into_iter().filter(|key| before.get(*key) != after.get(*key)).collect();
    let mut out = BufWriter::new(io::stdout().lock());
    let view = |key: &[u8], value: Option<&Vec<u8>>| value.and_then(|value| row(key, Some(value)).projection.view);
    let written = if global.json {
        let change = |key: &&Vec<u8>| {
            let place = row(key, None).projection;
            let shown = |rows: &Rows| match view(key, rows.get(*key)) {
                Some(view) => serde_json::from_str(&view).unwrap_or(Value::String(view)),
                None => Value::Null,
            };
            let name: Value = serde_json::from_str(&place.name).unwrap_or_default();
            json!({ "path": place.path, "key": name, "before": shown(before), "after": shown(after) })
        };
        let all = json!({
            "ok": true,
            "equal": changed.is_empty(),
            "state_root": [data_text(&state_root(before)), data_text(&state_root(after))],
            "rows": [before.len(), after.len()],
            "changes": changed.iter().map(change).collect::<Vec<_>>(),
        });
        writeln!(out, "{all}")
    } else {
        changed
            .iter()
            .try_for_each(|key| {
                let place = row(key, None).projection;
                let (old, new) = (view(key, before.get(*key)), view(key, after.get(*key)));
                let sign = if old.is_none() {
                    '+'
                } else if new.is_none() {
                    '-'
                } else {
                    '~'
                };
                let shown = [old, new].into_iter().flatten().collect::<Vec<_>>().join(" -> ");
                writeln!(out, "{sign} {} {} {shown}", place.path, place.name)
            })
            .and_then(|()| writeln!(out, "{} of {} rows differ", changed.len(), before.len().max(after.len())))
    };
    written.and_then(|()| out.flush()).map_err(Fault::Write)?;
    Ok(if changed.is_empty() { Answer::Yes } else { Answer::No })
}

/// The lines of text that are in one and not in the other, in order: what both begin and end with is left out.
pub fn lines<'t>(a: &'t str, b: &'t str) -> (Vec<&'t str>, Vec<&'t str>) {
    let (mut a, mut b): (Vec<&str>, Vec<&str>) = (a.lines().collect(), b.lines().collect());
    let same = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    a.drain(..same);
    b.drain(..same);
    let same = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    a.truncate(a.len() - same);
    b.truncate(b.len() - same);
    (a, b)
}

/// The ids of rules that only one has, or that say something else.
pub fn rules(a: &Program, b: &Program) -> Vec<String> {
    let all = |program: &Program| -> BTreeMap<String, String> {
        program.rules.iter().map(|rule| (rule.id.to_string(), rule.reason.to_string())).collect()
    };
    let (a, b) = (all(a), all(b));
    let ids: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    ids.into_iter().filter(|id| a.get(*id) != b.get(*id)).cloned().collect()
}

fn tell_programs(a: &Opened, b: &Opened, global: &Global) -> Outcome {
    let (first, second) = (a.verified.program(), b.verified.program());
    let (texts, rules) = ((first.to_text(), second.to_text()), rules(first, second));
    let (gone, new) = lines(&texts.0, &texts.1);
    let is_equal = a.bytes == b.bytes;
    let mut out = BufWriter::new(io::stdout().lock());
    let written = if global.json {
        let all = json!({
            "ok": true,
            "equal": is_equal,
            "roots": [a.root.to_string(), b.root.to_string()],
            "kinds": [first.kind.name(), second.kind.name()],
            "rules": rules,
            "removed": gone,
            "added": new,
        });
        writeln!(out, "{all}")
    } else {
        let roots = writeln!(out, "- {}\n+ {}", a.root, b.root);
        let rules = rules.iter().try_fold((), |(), rule| writeln!(out, "rule `{rule}` differs"));
        let lines = gone.iter().map(|line| ('-', line)).chain(new.iter().map(|line| ('+', line)));
        let mut lines = lines.map(|(sign, line)| format!("{sign} {line}\n"));
        roots.and(rules).and_then(|()| lines.try_for_each(|line| out.write_all(line.as_bytes())))
    };
    written.and_then(|()| out.flush()).map_err(Fault::Write)?;
    Ok(if is_equal { Answer::Yes } else { Answer::No })
}
