//! `kerai verify`: computes everything of a stream again and compares it with what is stored.

use crate::Global;
use crate::outcome::{Answer, Fault, Outcome};
use crate::store::{open, run as run_store};
use kerai_store::document::{Hash, data_text, hash_from_hex};
use kerai_store::verify::{Divergence, Verification};
use serde_json::{Value, json};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai verify stock                       computes signatures, chains, decisions, roots and rows again
  kerai verify stock --trust KEY           and says whether it is the stream of someone you trust

Without `--trust` the answer is `anchored: false`: it says that the stream agrees with itself, not whose it is.")]
pub struct Arguments {
    /// The stream [default: all streams]
    stream: Option<String>,
    /// A public key, or a stream by the op id of its genesis, that you know by other means
    #[arg(long)]
    trust: Vec<String>,
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    let trusted = arguments.trust.iter().map(|text| trusted(text)).collect::<Result<Vec<Hash>, Fault>>()?;
    run_store(async {
        let mut store = open(global, None).await?;
        let names = match &arguments.stream {
            Some(name) => vec![name.clone()],
            None => store.streams().await?.into_iter().map(|stream| stream.name).collect(),
        };
        let mut said = Answer::Yes;
        for name in names {
            if tell(&name, &store.verify(&name, &trusted).await?, global) == Answer::No {
                said = Answer::No;
            }
        }
        Ok(said)
    })
}

fn trusted(text: &str) -> Result<Hash, Fault> {
    let wrong = || Fault::Use(format!("`{text}` is no key and no stream: give 64 hexadecimal digits"));
    hash_from_hex(text.strip_prefix("blake3:").unwrap_or(text)).ok_or_else(wrong)
}

fn divergence_json(found: &Divergence) -> Value {
    json!({
        "interval": found.interval,
        "op": found.op,
        "op_id": found.op_id.map(|id| data_text(&id)),
        "key": found.key.as_ref().map(|(path, name)| json!({ "path": path, "name": name })),
        "instruction": null,
        "rule": null,
        "what": found.what,
        "stored": found.stored,
        "computed": found.computed,
    })
}

/// Says the answer; no where anything diverges.
pub fn tell(name: &str, answer: &Verification, global: &Global) -> Answer {
    let is_ok = answer.first_divergence.is_none();
    let checked = answer.checked;
    if global.json {
        let checked = json!({ "ops": checked.ops, "rows": checked.rows, "checkpoints": checked.checkpoints });
        let found = answer.first_divergence.as_ref().map(divergence_json);
        let (ok, anchored) = (is_ok, answer.is_anchored);
        println!(
            "{}",
            json!({ "ok": ok, "stream": name, "anchored": anchored, "checked": checked, "first_divergence": found })
        );
    } else if let Some(found) = &answer.first_divergence {
        let place = match (&found.key, found.op, found.interval) {
            (Some((path, key)), ..) => format!("row `{path}` {key}"),
            (None, Some(op), _) => format!("op {op}"),
            (None, None, Some((after, to))) => format!("records {} to {to}", after + 1),
            (None, None, None) => "the stream".into(),
        };
        println!("{name}: diverges at {place}: {}", found.what);
        println!("  stored   {}\n  computed {}", found.stored, found.computed);
    } else {
        let anchored = if answer.is_anchored { "anchored" } else { "not anchored: nobody was named by `--trust`" };
        println!(
            "{name}: ok, {} ops, {} rows, {} checkpoints, {anchored}",
            checked.ops, checked.rows, checked.checkpoints
        );
    }
    if is_ok { Answer::Yes } else { Answer::No }
}
