//! Looking at ops ahead of the log: what is said by an op alone needs no order, so that threads share it.

use super::{Ask, Evidence, Item, Looked, Stopped};
use crate::code::Refused;
use crate::limit::{self, length};
use crate::op::{SignedOp, Sound, op_id};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Bytes after which a batch is closed.
const BYTES: usize = 1 << 20;

type Answers = Vec<Result<Box<Sound>, Refused>>;

/// Ops to look at, and where the answers go.
type Job = (Vec<SignedOp>, Sender<Answers>);

/// Items in their order, of which the ops are looked at somewhere.
struct Batch {
    items: Vec<Pending>,
    answers: Receiver<Answers>,
}

enum Pending {
    Op { place: u64, record: Vec<u8>, op: [u8; 32] },
    Other(Item),
}

fn look(signed: SignedOp, signatures: bool) -> Result<Sound, Refused> {
    let offered = if signatures { signed.read() } else { signed.read_unsigned() };
    offered.sound()
}

/// Gives every item of the evidence to its taker, in order, with what is said by its op alone.
pub(super) fn each(
    evidence: &mut dyn Evidence,
    ask: &Ask,
    take: &mut dyn FnMut(Looked, &mut dyn Evidence) -> Result<(), Stopped>,
) -> Result<(), Stopped> {
    let jobs = ask.jobs.clamp(1, length(limit::AUDIT_JOBS));
    if jobs == 1 {
        return each_here(evidence, ask, take);
    }
    let (send, receive) = channel::<Job>();
    let receive = Mutex::new(receive);
    let receive = &receive;
    thread::scope(move |scope| {
        let signatures = ask.signatures;
        for _ in 0..jobs {
            scope.spawn(move || {
                loop {
                    let job = receive.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok((ops, answer)) = job else { return };
                    // Who asked may have had enough.
                    let _ = answer.send(ops.into_iter().map(|signed| look(signed, signatures).map(Box::new)).collect());
                }
            });
        }
        let mut waiting: VecDeque<Batch> = VecDeque::new();
        let mut is_over = false;
        loop {
            while !is_over && waiting.len() < 2 * jobs {
                let (batch, job) = match next(evidence) {
                    Ok((batch, job, over)) => {
                        is_over = over;
                        (batch, job)
                    }
                    // What came before is taken first: it may be wrong earlier.
                    Err(stopped) => {
                        waiting.into_iter().try_for_each(|batch| taken(batch, evidence, take))?;
                        return Err(stopped);
                    }
                };
                // The threads listen as long as this end is there.
                let _ = send.send(job);
                waiting.push_back(batch);
            }
            let Some(batch) = waiting.pop_front() else { return Ok(()) };
            taken(batch, evidence, take)?;
        }
    })
}

fn each_here(
    evidence: &mut dyn Evidence,
    ask: &Ask,
    take: &mut dyn FnMut(Looked, &mut dyn Evidence) -> Result<(), Stopped>,
) -> Result<(), Stopped> {
    while let Some(item) = evidence.next()? {
        let looked = if let Item::Op { place, record, signed } = item {
            let op = op_id(&signed.body);
            Looked::Op { place, record, sound: look(signed, ask.signatures).map(Box::new), op }
        } else {
            Looked::Other(item)
        };
        take(looked, evidence)?;
    }
    Ok(())
}

/// The next items, and whether there are no more.
fn next(evidence: &mut dyn Evidence) -> Result<(Batch, Job, bool), Stopped> {
    let (mut items, mut ops, mut bytes) = (Vec::new(), Vec::new(), 0);
    let mut is_over = false;
    while items.len() < length(limit::AUDIT_BATCH) && bytes < BYTES {
        match evidence.next() {
            Ok(Some(Item::Op { place, record, signed })) => {
                bytes += record.len() + signed.body.len() + signed.payload.len() + signed.salts.bytes().len();
                items.push(Pending::Op { place, record, op: op_id(&signed.body) });
                ops.push(signed);
            }
            Ok(Some(other)) => {
                bytes += size(&other);
                items.push(Pending::Other(other));
            }
            Ok(None) => {
                is_over = true;
                break;
            }
            // What was read before is taken first.
            Err(fault) if items.is_empty() => return Err(fault.into()),
            Err(fault) => {
                items.push(Pending::Other(Item::Broken(fault)));
                break;
            }
        }
    }
    let (send, answers) = channel();
    Ok((Batch { items, answers }, (ops, send), is_over))
}

/// About how much memory an item takes.
fn size(item: &Item) -> usize {
    match item {
        Item::Op { record, signed, .. } => record.len() + signed.body.len() + signed.payload.len(),
        Item::HiddenOp { record, hidden, .. } => record.len() + hidden.body.len() + hidden.size(),
        Item::Checkpoint(signed) => signed.body.len(),
        Item::Snapshot(snapshot) => snapshot.bytes.len(),
        Item::Row(key, value) => key.len() + value.len(),
        Item::Proof(file) => file.len(),
        Item::Broken(_) => 0,
    }
}

fn taken(
    batch: Batch,
    evidence: &mut dyn Evidence,
    take: &mut dyn FnMut(Looked, &mut dyn Evidence) -> Result<(), Stopped>,
) -> Result<(), Stopped> {
    let mut answers = batch.answers.recv().unwrap_or_default().into_iter();
    for item in batch.items {
        let looked = match item {
            Pending::Op { place, record, op } => {
                let lost = || Err(Refused::new(crate::code::Code::LOG_DAMAGED, "nobody looked at the op"));
                Looked::Op { place, record, sound: answers.next().unwrap_or_else(lost), op }
            }
            Pending::Other(Item::Broken(fault)) => return Err(fault.into()),
            Pending::Other(other) => Looked::Other(other),
        };
        take(looked, evidence)?;
    }
    Ok(())
}
