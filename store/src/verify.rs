//! Verifying what is stored of a stream: everything computed again from the ops, and the first thing that is not what it
//! was said to be.

use crate::audit::{self, Ask, Differing, after, differs};
use crate::backend::{Session, Stream};
use crate::checkpoint::Checkpoint;
use crate::document::{Hash, to_hex};
use crate::fault::Fault;
use crate::fold::Rows;
use crate::limit::{self, length};
use crate::log::{Head, Log};
use crate::pack::Archives;
use crate::pages::{self, Entry, Map, Place, present};
use kerai_vm::encoding::map::{row_key, row_value};
use std::collections::BTreeMap;

/// Where what is stored first parts from what the ops give.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Divergence {
    /// The counts of the checkpoints between which it lies.
    pub interval: Option<(u64, u64)>,
    /// The position of the op.
    pub op: Option<u64>,
    pub op_id: Option<Hash>,
    /// The row's path and name.
    pub key: Option<(String, String)>,
    /// What it is that differs.
    pub what: String,
    pub stored: String,
    pub computed: String,
    /// The rule that decides, where a decision differs.
    pub rule: Option<String>,
    /// The rows that differ, as many as are told of.
    pub keys: Vec<Differing>,
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checked {
    pub ops: u64,
    pub rows: u64,
    pub checkpoints: u64,
    pub proofs: u64,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verification {
    pub checked: Checked,
    /// Whether the stream or the signer of its checkpoints is among those that the asker trusts.
    pub is_anchored: bool,
    /// Whether everything was decided and folded again: not where parts of ops are hidden, or ops were pruned.
    pub is_replayed: bool,
    /// Up to which record ops were pruned: no more is known of them than the checkpoint there says.
    pub pruned: Option<u64>,
    pub first_divergence: Option<Divergence>,
}

/// Why verifying ended early.
type Stop = Box<Divergence>;

/// Computes everything of a stream again and compares it with what is stored.
///
/// # Errors
/// Where the database fails; what diverges is the answer and no error.
pub(crate) async fn verify(
    session: &mut Session<'_>,
    stream: &Stream,
    ask: &Ask,
    archives: Option<Archives>,
    told: &mut dyn FnMut(u64, f64),
) -> Result<Verification, Fault> {
    let (ask, library) = (ask.clone(), session.programs().await?);
    let work = move |tables: &mut audit::Tables, told: &mut dyn FnMut(u64, f64)| {
        if let Some(archives) = archives {
            tables.with(archives);
        }
        let audited = audit::audit(tables, &library, &ask, told)?;
        Ok((audited, tables.wrong_projection()))
    };
    let (audited, projection) = audit::beside(session, stream, told, work).await?;
    let mut answer = audited.verification;
    if let Some(log) = audited.log {
        let rows = audited.rows.unwrap_or_default();
        let result = rest(session, stream, &log, &rows, projection, audited.poison.as_ref()).await;
        answer.checked.rows = rows.len() as u64;
        answer.first_divergence = match result {
            Ok(found) => found.map(|stop| *stop),
            Err(fault) => return Err(fault),
        };
        answer.is_anchored &= answer.first_divergence.is_none();
    }
    Ok(answer)
}

/// What is stored beside the evidence, against what was computed.
async fn rest(
    session: &mut Session<'_>,
    stream: &Stream,
    log: &Log,
    rows: &Rows,
    projection: Option<Stop>,
    poisoned: Option<&BTreeMap<u64, String>>,
) -> Result<Option<Stop>, Fault> {
    if let Some(stop) = tip(stream, log) {
        return Ok(Some(stop));
    }
    if let Some(stop) = ends(&session.heads(stream.number).await?, &log.heads) {
        return Ok(Some(stop));
    }
    let latest = session.last_checkpoint(stream.number).await?;
    let latest = latest.map(|signed| Checkpoint::decode(&signed.body)).transpose()?;
    let count = latest.as_ref().map_or(0, |latest| latest.count);
    if let Some(stop) = inputs(session, stream, count).await? {
        return Ok(Some(stop));
    }
    let entries = rows.iter().map(|(key, value)| (row_key(key), row_value(value))).collect();
    if let Some(stop) = pages(session, stream, Map::Rows, entries).await? {
        return Ok(Some(stop));
    }
    if projection.is_some() {
        return Ok(projection);
    }
    let is_its = latest.is_some_and(|latest| latest.epoch == stream.epoch);
    match poisoned.filter(|_| is_its) {
        Some(computed) => Ok(poison(&session.poison(stream.number, stream.epoch).await?, computed)),
        None => Ok(None),
    }
}

/// The stream's own line against the log's end.
fn tip(stored: &Stream, log: &Log) -> Option<Stop> {
    let binding = &log.governance.binding;
    let computed = Stream {
        number: stored.number,
        name: stored.name.clone(),
        genesis: log.stream,
        epoch: binding.epoch,
        fold_root: binding.fold_root,
        policy_root: binding.policy_root,
        governance_root: binding.governance_root,
        count: log.tree.count(),
        received: log.received,
        edge: log.tree.to_bytes(),
    };
    let shown = |stream: &Stream| format!("{} records, epoch {}", stream.count, stream.epoch);
    (*stored != computed).then(|| differs("the tip of the log", shown(stored), shown(&computed)))
}

/// What is said of the ends of authors' chains, by which the next ops are judged.
fn ends(stored: &BTreeMap<Hash, Head>, computed: &BTreeMap<Hash, Head>) -> Option<Stop> {
    let mut authors = computed.keys().chain(stored.keys());
    let author = authors.find(|&author| computed.get(author) != stored.get(author))?;
    let shown = |head: Option<&Head>| head.map_or_else(|| "no op".into(), |head| format!("seq {}", head.sequence));
    Some(differs("the end of an author's chain", shown(stored.get(author)), shown(computed.get(author))))
}

/// The pages of the map of inputs against the ids of the ops that were admitted up to the last checkpoint.
async fn inputs(session: &mut Session<'_>, stream: &Stream, count: u64) -> Result<Option<Stop>, Fault> {
    let (mut entries, mut position) = (Vec::new(), 0);
    while position < count {
        let until = count.min(position + length(limit::AUDIT_READ) as u64);
        let ids = session.admitted_between(stream.number, position, until).await?;
        entries.extend(ids.into_iter().map(|id| (id, present())));
        position = until;
    }
    pages(session, stream, Map::Inputs, entries).await
}

/// The pages of a map, part by part, against those of what it should hold.
async fn pages(
    session: &mut Session<'_>,
    stream: &Stream,
    map: Map,
    entries: Vec<Entry>,
) -> Result<Option<Stop>, Fault> {
    let mut computed = pages::whole(map, entries).added;
    computed.sort_unstable();
    let mut computed = computed.into_iter().peekable();
    let shown = |page: Option<&Vec<u8>>| page.map_or_else(|| "no page".into(), |page| to_hex(page));
    let differ = |place: &Place, stored: Option<&Vec<u8>>, computed: Option<&Vec<u8>>| {
        let what = format!("page `{}` of the map of {}", to_hex(place), map.name());
        Some(differs(&what, shown(stored), shown(computed)))
    };
    let (mut from, most) = (Vec::new(), length(limit::AUDIT_READ) as u64);
    loop {
        let stored = session.pages_from(stream.number, map, &from, most).await?;
        let Some((last, _)) = stored.last() else { break };
        from = after(last);
        for (place, bytes) in &stored {
            match computed.next_if(|wanted| wanted.0 <= *place) {
                Some((wanted, page)) if wanted == *place && page == *bytes => {}
                Some((wanted, page)) if wanted == *place => return Ok(differ(place, Some(bytes), Some(&page))),
                Some((wanted, page)) => return Ok(differ(&wanted, None, Some(&page))),
                None => return Ok(differ(place, Some(bytes), None)),
            }
        }
    }
    Ok(computed.next().and_then(|(place, page)| differ(&place, None, Some(&page))))
}

/// The ops that left no trace.
fn poison(stored: &BTreeMap<u64, String>, computed: &BTreeMap<u64, String>) -> Option<Stop> {
    let mut positions = computed.keys().chain(stored.keys());
    let position = *positions.find(|&position| computed.get(position) != stored.get(position))?;
    let shown = |trap: Option<&String>| trap.map_or_else(|| "no trap".into(), Clone::clone);
    let stop = differs("what is said of poison", shown(stored.get(&position)), shown(computed.get(&position)));
    Some(Box::new(Divergence { op: Some(position), ..*stop }))
}
