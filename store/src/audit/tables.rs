//! A stream's tables as evidence. An audit runs on a thread of its own and asks for what it needs next, so that there is
//! never more of them in memory than a part.

use super::{Evidence, Item, Recall, differs};
use crate::backend::{Columns, Pruned, Session, StateRow, StoredOp, Stream, damaged};
use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::document::to_hex;
use crate::fault::Fault;
use crate::fold::Snapshot;
use crate::limit::{self, length};
use crate::materialize::row;
use crate::op::SignedOp;
use crate::pack::{Archives, PrunedOp};
use crate::verify::Divergence;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::spawn_blocking;

/// What is asked of the database. Parts begin at a place, which is in them.
enum Question {
    Ops(u64),
    Snapshot(u64, u64),
    /// The state that stands for what was pruned.
    Anchor(u64),
    Rows(Vec<u8>),
}

enum Answer {
    Ops(Vec<StoredOp>),
    Snapshot(Option<Snapshot>),
    Rows(Vec<StateRow>),
}

enum Message {
    Asked(Question, Sender<Result<Answer, Fault>>),
    Told(u64, f64),
}

/// What is stored of a stream, as evidence.
pub struct Tables {
    messages: UnboundedSender<Message>,
    stream: Stream,
    /// By count and epoch.
    checkpoints: BTreeMap<(u64, u64), SignedCheckpoint>,
    /// The counts of the snapshots of the stream's epoch.
    snapshots: BTreeSet<u64>,
    pruned: Option<Pruned>,
    /// Where whole ops are that were pruned.
    archives: Option<Archives>,
    /// The position that comes next.
    position: u64,
    ops: VecDeque<StoredOp>,
    /// The next part, which is read while this one is looked at.
    ahead: Option<Receiver<Result<Answer, Fault>>>,
    items: VecDeque<Item>,
    /// The positions and columns of the ops that were given, by their places, until they are compared.
    columns: VecDeque<(u64, u64, Columns)>,
    /// Ops that were asked for again.
    again: Vec<StoredOp>,
    rows: VecDeque<StateRow>,
    /// Where the next part of the rows begins; none at their end.
    next_row: Option<Vec<u8>>,
    /// The first row whose projections are not those of what it holds.
    projection: Option<Box<Divergence>>,
}

/// Does work with a stream's tables on a thread of its own, and answers what it asks.
///
/// # Errors
/// Where the database fails.
pub(crate) async fn beside<T: Send + 'static>(
    session: &mut Session<'_>,
    stream: &Stream,
    told: &mut dyn FnMut(u64, f64),
    work: impl FnOnce(&mut Tables, &mut dyn FnMut(u64, f64)) -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let (messages, mut heard) = unbounded_channel();
    let mut tables = Tables::find(session, stream, messages.clone()).await?;
    let thread = spawn_blocking(move || {
        let mut told = move |ops, part| {
            // Who is gone needs not be told.
            let _ = messages.send(Message::Told(ops, part));
        };
        work(&mut tables, &mut told)
    });
    answer(session, stream, &mut heard, told).await;
    match thread.await {
        Ok(done) => done,
        // Work ends in no other way than by its own panic.
        Err(ended) => resume_unwind(ended.into_panic()),
    }
}

/// Answers until nobody can ask any more.
async fn answer(
    session: &mut Session<'_>,
    stream: &Stream,
    heard: &mut UnboundedReceiver<Message>,
    told: &mut dyn FnMut(u64, f64),
) {
    let most = length(limit::AUDIT_READ) as u64;
    while let Some(message) = heard.recv().await {
        let (question, reply) = match message {
            Message::Told(ops, part) => {
                told(ops, part);
                continue;
            }
            Message::Asked(question, reply) => (question, reply),
        };
        let answer = match question {
            Question::Ops(from) => session.ops_from(stream.number, from, most).await.map(Answer::Ops),
            Question::Snapshot(epoch, count) => {
                session.snapshot(stream.number, epoch, count).await.map(Answer::Snapshot)
            }
            Question::Anchor(count) => session.pruned_snapshot(stream.number, count).await.map(Answer::Snapshot),
            Question::Rows(from) => session.state_from(stream.number, &from, most).await.map(Answer::Rows),
        };
        // Who asked may have had enough.
        let _ = reply.send(answer);
    }
}

/// What comes right after a key, in the order of bytes.
pub(crate) fn after(key: &[u8]) -> Vec<u8> {
    [key, &[0]].concat()
}

impl Tables {
    async fn find(
        session: &mut Session<'_>,
        stream: &Stream,
        messages: UnboundedSender<Message>,
    ) -> Result<Tables, Fault> {
        let mut checkpoints = BTreeMap::new();
        for signed in session.checkpoints(stream.number).await? {
            // What can't be read comes first, where it is told of.
            let place = Checkpoint::decode(&signed.body).map(|checkpoint| (checkpoint.count, checkpoint.epoch));
            checkpoints.insert(place.unwrap_or_default(), signed);
        }
        let snapshots = session.snapshots(stream.number, stream.epoch).await?;
        let mut tables = Tables {
            messages,
            stream: stream.clone(),
            checkpoints,
            snapshots: snapshots.into_iter().map(|snapshot| snapshot.0).collect(),
            pruned: session.pruned(stream.number).await?,
            archives: None,
            position: 1,
            ops: VecDeque::new(),
            ahead: None,
            items: VecDeque::new(),
            columns: VecDeque::new(),
            again: Vec::new(),
            rows: VecDeque::new(),
            next_row: Some(Vec::new()),
            projection: None,
        };
        tables.ahead = Some(tables.ask(Question::Ops(1)));
        Ok(tables)
    }

    /// Takes ops that were pruned from archives.
    pub(crate) fn with(&mut self, archives: Archives) {
        self.archives = self.pruned.is_some().then_some(archives);
    }

    fn ask(&self, question: Question) -> Receiver<Result<Answer, Fault>> {
        let (reply, answer) = channel();
        // Where nobody listens, nobody answers, which is seen there.
        let _ = self.messages.send(Message::Asked(question, reply));
        answer
    }

    fn answered(answer: &Receiver<Result<Answer, Fault>>) -> Result<Answer, Fault> {
        answer.recv().unwrap_or_else(|_| Err(damaged("the database is gone").into()))
    }

    /// The next op; none at the end of the log.
    fn op(&mut self) -> Result<Option<StoredOp>, Fault> {
        if self.ops.is_empty()
            && let Some(ahead) = self.ahead.take()
            && let Answer::Ops(ops) = Tables::answered(&ahead)?
            && let Some(last) = ops.last()
        {
            self.ahead = Some(self.ask(Question::Ops(last.position + 1)));
            self.ops = ops.into();
        }
        Ok(self.ops.pop_front())
    }

    /// Puts what belongs behind so many records to what comes next.
    fn behind(&mut self, until: u64) -> Result<(), Fault> {
        while let Some(entry) = self.checkpoints.first_entry().filter(|entry| entry.key().0 <= until) {
            let ((count, epoch), signed) = entry.remove_entry();
            self.items.push_back(Item::Checkpoint(signed));
            if epoch == self.stream.epoch && self.snapshots.contains(&count) {
                self.snapshot(Question::Snapshot(epoch, count))?;
            } else if self.pruned.is_some_and(|pruned| (pruned.count, pruned.epoch) == (count, epoch)) {
                self.snapshot(Question::Anchor(count))?;
            }
        }
        Ok(())
    }

    fn snapshot(&mut self, question: Question) -> Result<(), Fault> {
        let answer = self.ask(question);
        if let Answer::Snapshot(Some(snapshot)) = Tables::answered(&answer)? {
            self.items.push_back(Item::Snapshot(snapshot));
        }
        Ok(())
    }

    /// An op as it is given: whole, from an archive where there is one, or what is left of it.
    fn item(&mut self, stored: StoredOp) -> Result<Item, Fault> {
        let position = stored.position;
        self.position = position;
        self.behind(position)?;
        if !stored.is_pruned() {
            let StoredOp { signed, record, columns, .. } = stored;
            self.columns.push_back((position, position, columns));
            return Ok(Item::Op { place: position, record, signed });
        }
        if let Some(archives) = &mut self.archives {
            let (place, signed) = archives.op(position, &stored.record)?;
            if signed.signature != stored.signed.signature {
                return Err(damaged(format!("op {position} is signed otherwise in the archive")).into());
            }
            self.columns.push_back((place, position, stored.columns));
            return Ok(Item::Op { place, record: stored.record, signed });
        }
        let left = Box::new(PrunedOp::of(&stored));
        self.columns.push_back((position, position, stored.columns));
        Ok(Item::PrunedOp { place: position, record: stored.record, left })
    }

    /// The next row that is no tombstone.
    fn row(&mut self) -> Result<Option<Item>, Fault> {
        loop {
            if self.rows.is_empty() {
                let Some(from) = self.next_row.take() else { return Ok(None) };
                let answer = self.ask(Question::Rows(from));
                if let Answer::Rows(rows) = Tables::answered(&answer)? {
                    self.next_row = rows.last().map(|last| after(&last.key));
                    self.rows = rows.into();
                }
            }
            let Some(stored) = self.rows.pop_front() else { return Ok(None) };
            if self.projection.is_none() {
                self.projection = wrong_projection(&stored);
            }
            if let Some(value) = stored.value {
                return Ok(Some(Item::Row(stored.key, value)));
            }
        }
    }

    /// The first row whose projections are not those of what it holds, among those that were given.
    pub(crate) fn wrong_projection(&mut self) -> Option<Box<Divergence>> {
        self.projection.take()
    }
}

/// What is projected of a row against what follows from it.
fn wrong_projection(stored: &StateRow) -> Option<Box<Divergence>> {
    let computed = row(&stored.key, stored.value.as_ref());
    if *stored == computed {
        return None;
    }
    let shown = |row: &StateRow| match (&row.value, &row.projection.view) {
        (None, _) => format!("a tombstone of `{}` {}", row.projection.path, row.projection.name),
        (Some(value), Some(view)) => {
            format!("`{}` {} {view} ({})", row.projection.path, row.projection.name, to_hex(value))
        }
        (Some(value), None) => format!("`{}` {} ({})", row.projection.path, row.projection.name, to_hex(value)),
    };
    let mut stop = differs("a row", shown(stored), shown(&computed));
    stop.key = Some((computed.projection.path, computed.projection.name));
    Some(stop)
}

impl Recall for Tables {
    fn recall(&mut self, place: u64) -> Result<(Vec<u8>, SignedOp), Fault> {
        if let Some(archives) = self.archives.as_mut().filter(|_| Archives::is_place(place)) {
            return archives.recall(place);
        }
        let found = |ops: &[StoredOp]| {
            let at = ops.binary_search_by_key(&place, |op| op.position).ok()?;
            ops.get(at).map(|op| (op.record.clone(), op.signed.clone()))
        };
        if let Some(found) = found(&self.again) {
            return Ok(found);
        }
        // Those that come next are mostly asked for next.
        let answer = self.ask(Question::Ops(place));
        if let Answer::Ops(ops) = Tables::answered(&answer)? {
            self.again = ops;
        }
        found(&self.again).ok_or_else(|| damaged("an op that is gone").into())
    }
}

impl Evidence for Tables {
    fn next(&mut self) -> Result<Option<Item>, Fault> {
        if let Some(item) = self.items.pop_front() {
            return Ok(Some(item));
        }
        if let Some(stored) = self.op()? {
            return self.item(stored).map(Some);
        }
        self.behind(u64::MAX)?;
        match self.items.pop_front() {
            Some(item) => Ok(Some(item)),
            None => self.row(),
        }
    }

    fn agrees(&mut self, place: u64, at: u64, computed: &dyn Fn() -> Columns) -> Result<(), Box<Divergence>> {
        let stored = self.columns.pop_front().filter(|stored| stored.0 == place);
        let computed = computed();
        match stored {
            Some((_, position, columns)) if position == at && columns.agree(&computed) => Ok(()),
            Some((_, _, columns)) => Err(differs("the op's columns", format!("{columns:?}"), format!("{computed:?}"))),
            None => Err(differs("the op's columns", "nothing", "an op")),
        }
    }

    fn pruned(&self) -> Option<u64> {
        let is_whole = self.archives.is_some();
        self.pruned.filter(|_| !is_whole).map(|pruned| pruned.count)
    }

    fn progress(&self) -> f64 {
        self.position as f64 / self.stream.count.max(1) as f64
    }
}
