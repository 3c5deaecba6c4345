//! `kerai check-proof`: whether a proof shows what it claims. Nothing but its file is needed.

use crate::Global;
use crate::evidence::Trust;
use crate::input::Input;
use crate::outcome::{Answer, Outcome};
use kerai_store::checkpoint::Checkpoint;
use kerai_store::code::{Code, Refused};
use kerai_store::document::{data_text, to_hex};
use kerai_store::materialize::row;
use kerai_store::proof::{self, Claim, Statement};
use serde_json::{Value, json};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  kerai check-proof apple.proof                        what it shows, under whose checkpoint
  kerai check-proof apple.proof --trust KEY            no, unless that key signed the checkpoint
  kerai check-proof later.proof --extends old.proof    no, unless it proves that the log of `old.proof` was continued

Without `--trust` and `--extends` the answer is `anchored: false`: the proof holds under its own checkpoint, and nobody
has said that this is the right one.")]
pub struct Arguments {
    /// The proof; `-` is standard input
    file: String,
    #[command(flatten)]
    trust: Trust,
}

pub fn run(arguments: &Arguments, global: &Global) -> Outcome {
    let mut input = Input::open(Some(&arguments.file))?;
    let (trusted, extended) = (arguments.trust.hashes()?, arguments.trust.extends()?);
    let bytes = input.whole()?;
    let checked = proof::check(&bytes).and_then(|shown| {
        let is_anchored = anchored(&shown, &trusted, extended.as_ref())?;
        Ok((shown, is_anchored))
    });
    match checked {
        Ok((shown, is_anchored)) => tell(&shown, is_anchored, global),
        Err(refused) => return Ok(refuse(&arguments.file, &refused, global)),
    }
    Ok(Answer::Yes)
}

/// Whether the checkpoint is of those whom the asker trusts. It is no proof to the asker where it should be and is not.
fn anchored(shown: &Statement, trusted: &[[u8; 32]], extended: Option<&Checkpoint>) -> Result<bool, Refused> {
    let foreign = |what: &str| Err(Refused::new(Code::PROOF_FALSE, what));
    if !trusted.is_empty() && !shown.is_anchored(trusted) {
        return foreign("neither its stream nor the signer of its checkpoint is trusted");
    }
    let Some(known) = extended else { return Ok(!trusted.is_empty()) };
    let is_it = |body: &[u8]| Checkpoint::decode(body).is_ok_and(|checkpoint| checkpoint == *known);
    let is_known =
        shown.checkpoint == *known || matches!(&shown.claim, Claim::Consistent { earlier } if is_it(&earlier.body));
    if is_known { Ok(true) } else { foreign("it is not about the checkpoint that is known, and does not continue it") }
}

fn refuse(path: &str, refused: &Refused, global: &Global) -> Answer {
    if global.json {
        let (code, help) = (refused.code.name(), refused.code.explanation());
        println!(
            "{}",
            json!({ "ok": false, "path": path, "code": code, "message": refused.code.summary(), "what": refused.what, "help": help })
        );
    } else {
        eprintln!("{path}: {refused}\n  help: {}", refused.code.explanation());
    }
    Answer::No
}

/// A checkpoint as `--json` shows it.
pub fn checkpoint_json(checkpoint: &Checkpoint) -> Value {
    let mut shown = serde_json::Map::new();
    for (name, root) in checkpoint.roots() {
        let is_program = ["fold_root", "policy_root", "governance_root"].contains(&name);
        let text = if is_program { kerai_store::document::program_text(root) } else { data_text(root) };
        shown.insert(name.into(), text.into());
    }
    shown.insert("epoch".into(), checkpoint.epoch.into());
    shown.insert("count".into(), checkpoint.count.into());
    shown.insert("profile".into(), checkpoint.profile.into());
    shown.insert("signer".into(), to_hex(&checkpoint.signer).into());
    let vector = checkpoint.vector.iter();
    let vector =
        vector.map(|(author, head)| (to_hex(author), json!({ "seq": head.sequence, "op": data_text(&head.op) })));
    shown.insert("vector".into(), vector.collect::<serde_json::Map<String, Value>>().into());
    shown.into()
}

/// What the claim says, by field.
fn claim_json(claim: &Claim) -> serde_json::Map<String, Value> {
    let fields = match claim {
        Claim::Checkpoint => json!({}),
        Claim::Row { key, value } => {
            let shown = row(key, Some(value)).projection;
            let value: Value =
                shown.view.as_deref().and_then(|view| serde_json::from_str(view).ok()).unwrap_or_default();
            let name: Value = serde_json::from_str(&shown.name).unwrap_or_default();
            json!({ "path": shown.path, "key": name, "value": value })
        }
        Claim::Absent { key } => {
            let shown = row(key, None).projection;
            let name: Value = serde_json::from_str(&shown.name).unwrap_or_default();
            json!({ "path": shown.path, "key": name })
        }
        Claim::Op { record } => match kerai_store::log::Record::decode(record) {
            Ok(record) => json!({
                "op": data_text(&record.op),
                "position": record.position,
                "outcome": record.outcome.name(),
                "code": record.outcome.code().map(Code::name),
                "rules": record.rules,
                "received_ms": record.received,
            }),
            Err(_) => json!({}),
        },
        Claim::Consistent { earlier } => match Checkpoint::decode(&earlier.body) {
            Ok(earlier) => json!({ "earlier": checkpoint_json(&earlier) }),
            Err(_) => json!({}),
        },
    };
    if let Value::Object(fields) = fields { fields } else { serde_json::Map::new() }
}

/// All that a proof shows, as `--json` shows it.
pub fn to_json(shown: &Statement, is_anchored: Option<bool>) -> Value {
    let mut fields = claim_json(&shown.claim);
    fields.insert("ok".into(), true.into());
    if let Some(is_anchored) = is_anchored {
        fields.insert("anchored".into(), is_anchored.into());
    }
    fields.insert("kind".into(), "proof".into());
    fields.insert("claim".into(), shown.claim.name().into());
    fields.insert("checkpoint".into(), checkpoint_json(&shown.checkpoint));
    fields.into()
}

/// The same for people.
pub fn to_text(shown: &Statement) -> String {
    let checkpoint = &shown.checkpoint;
    let what = match &shown.claim {
        Claim::Checkpoint => "a checkpoint".to_owned(),
        Claim::Row { key, value } => {
            let shown = row(key, Some(value)).projection;
            format!("row `{}` {} is {}", shown.path, shown.name, shown.view.unwrap_or_else(|| to_hex(value)))
        }
        Claim::Absent { key } => {
            let shown = row(key, None).projection;
            format!("there is no row `{}` {}", shown.path, shown.name)
        }
        Claim::Op { .. } => match shown.record() {
            Some(record) => format!("op {} {} is {}", record.position, data_text(&record.op), record.outcome.name()),
            None => String::new(),
        },
        Claim::Consistent { earlier } => match Checkpoint::decode(&earlier.body) {
            Ok(earlier) => format!("the first {} records are as they were", earlier.count),
            Err(_) => String::new(),
        },
    };
    format!(
        "{what}\n  stream {}, epoch {}, after {} records\n  signed by {}\n",
        data_text(&checkpoint.stream),
        checkpoint.epoch,
        checkpoint.count,
        to_hex(&checkpoint.signer)
    )
}

fn tell(shown: &Statement, is_anchored: bool, global: &Global) {
    if global.json {
        println!("{}", to_json(shown, Some(is_anchored)));
    } else {
        print!("{}", to_text(shown));
        println!(
            "  {}",
            if is_anchored { "anchored" } else { "not anchored: nobody was named by `--trust` or `--extends`" }
        );
    }
}
