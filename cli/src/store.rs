//! What the commands that use a store share: opening it, running it, and telling what became of ops.

use crate::Global;
use crate::outcome::Fault;
use crate::progress::Progress;
use crate::project::Project;
use kerai_store::backend::Address;
use kerai_store::document::data_text;
use kerai_store::host::Host;
use kerai_store::{Answer, Committed, Store};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::future::Future;

/// Runs a store's work to its end.
pub fn run<T>(work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Fault::Write)?;
    runtime.block_on(work)
}

/// The database that is asked for, or the project's.
fn place(global: &Global, project: Option<&Project>) -> Result<Address, Fault> {
    match (&global.db, project) {
        (Some(url), _) => Address::of(url).ok_or_else(|| {
            let scheme = url.split("://").next().unwrap_or(url);
            Fault::Use(format!(
                "`{scheme}` is no database that this build opens: give the path of an SQLite file, or `postgres://…`"
            ))
        }),
        (None, Some(project)) => Ok(Address::File(project.database())),
        (None, None) => Ok(Address::File(Project::find()?.database())),
    }
}

pub async fn open(global: &Global, project: Option<&Project>) -> Result<Store, Fault> {
    let is_quiet = global.quiet || global.json;
    let progress = RefCell::new(Progress::new(is_quiet));
    let told = move |ops, part| {
        let mut progress = progress.borrow_mut();
        if part < 1.0 {
            progress.say_part(ops, part);
        } else {
            // The next work has a time of its own.
            progress.end();
            *progress = Progress::new(is_quiet);
        }
    };
    let host = Host { told: Box::new(told), ..Host::system() };
    Ok(Store::open(&place(global, project)?, host).await?)
}

/// How many ops came to what.
#[derive(Default)]
pub struct Tally {
    appended: u64,
    denied: u64,
    rejected: u64,
    duplicates: u64,
    refused: u64,
}

impl Tally {
    pub fn count(&mut self, answer: &Answer) {
        let place = match answer {
            Answer::Committed(Committed { outcome: kerai_store::log::Outcome::Admitted, .. }) => &mut self.appended,
            Answer::Committed(Committed { outcome: kerai_store::log::Outcome::Denied, .. }) => &mut self.denied,
            Answer::Committed(_) => &mut self.rejected,
            Answer::Duplicate(_) => &mut self.duplicates,
            Answer::Refused(_) => &mut self.refused,
        };
        *place += 1;
    }

    pub fn refuse(&mut self) {
        self.refused += 1;
    }

    pub fn to_json(&self, stream: &str) -> Value {
        json!({
            "ok": true,
            "stream": stream,
            "appended": self.appended,
            "denied": self.denied,
            "rejected": self.rejected,
            "duplicates": self.duplicates,
            "refused": self.refused,
        })
    }

    pub fn to_text(&self, stream: &str) -> String {
        let Tally { appended, denied, rejected, duplicates, refused } = self;
        format!(
            "{stream}: {appended} appended, {denied} denied, {rejected} rejected, {duplicates} duplicates, {refused} refused"
        )
    }
}

/// What became of a line's op, as `--json` shows it.
pub fn answer_json(line: usize, answer: &Answer) -> Value {
    match answer {
        Answer::Committed(committed) => json!({
            "line": line,
            "outcome": committed.outcome.name(),
            "code": committed.outcome.code().map(kerai_store::code::Code::name),
            "position": committed.position,
            "op": data_text(&committed.op),
            "ulid": committed.ulid.to_string(),
            "rule": committed.rules.first(),
            "rules": committed.rules,
            "reason": committed.reason,
        }),
        Answer::Duplicate(position) => json!({ "line": line, "outcome": "duplicate", "position": position }),
        Answer::Refused(refused) => json!({
            "line": line,
            "outcome": "refused",
            "code": refused.code.name(),
            "message": refused.code.summary(),
            "what": refused.what,
            "help": refused.code.explanation(),
        }),
    }
}

/// The same for people; ops that were admitted or there before are told only if that is wished.
pub fn answer_text(line: usize, answer: &Answer, is_verbose: bool) -> Option<String> {
    match answer {
        Answer::Committed(committed) => match committed.outcome.code() {
            None if !is_verbose => None,
            None => Some(format!("line {line}: {} admitted by `{}`", committed.position, committed.rules.join("`, `"))),
            Some(code) => {
                let rule = committed.rules.first().map(|rule| format!(" by rule `{rule}`")).unwrap_or_default();
                let (position, outcome) = (committed.position, committed.outcome.name());
                Some(format!("line {line}: {position} {outcome}{rule}: {}: {}", code.name(), committed.reason))
            }
        },
        Answer::Duplicate(_) if !is_verbose => None,
        Answer::Duplicate(_) => Some(format!("line {line}: was there before")),
        Answer::Refused(refused) => {
            Some(format!("line {line}: refused: {refused}\n  help: {}", refused.code.explanation()))
        }
    }
}
