//! Looking at ops ahead of the log: what is said by an op alone needs no order, so that threads share it.

use super::{Ask, Evidence, Item, Looked, LookedOp, Stopped};
use crate::code::{Code, Refused};
use crate::fold::{Input, Step};
use crate::limit::{self, length};
use crate::log::Record;
use crate::op::{SignedOp, Sound};
use crate::pack::PrunedOp;
use kerai_vm::bytecode::Order;
use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Bytes after which a batch is closed.
const BYTES: usize = 1 << 20;

/// Ops to look at: where each is, its record, and itself.
type Ops = Vec<(u64, Vec<u8>, SignedOp)>;

/// What comes of looking at ops.
type Answers = Vec<Box<LookedOp>>;

/// Ops, the order that the fold wants them in, and where the answers go.
type Job = (Ops, Order, Sender<Answers>);

/// Items in their order, of which the ops are looked at somewhere.
struct Batch {
    items: Vec<Pending>,
    answers: Receiver<Answers>,
}

enum Pending {
    /// The next of the answers.
    Op,
    Other(Item),
}

/// Everything that is said by an op and its record alone.
fn look(place: u64, record: Vec<u8>, signed: SignedOp, order: Order, signatures: bool) -> LookedOp {
    let offered = if signatures { signed.read() } else { signed.read_unsigned() };
    let id = offered.id;
    let (sound, said) = (offered.sound(), Record::decode(&record));
    let (sound, step) = match (sound, &said) {
        (Ok(Sound { op, given }), Ok(said)) if !op.op.is_governance() => {
            let input = Input { position: said.position, received: said.received, op };
            let step = Step::of(&input, order).ok().map(|step| (order, step));
            (Ok(Sound { op: input.op, given }), step)
        }
        (sound, _) => (sound, None),
    };
    LookedOp { place, record, op: id, said, sound, step }
}

/// Gives every item of the evidence to its taker, in order, with what is said by its op alone.
pub(super) fn each(
    evidence: &mut dyn Evidence,
    ask: &Ask,
    order: &Cell<Order>,
    take: &mut dyn FnMut(Looked, &mut dyn Evidence) -> Result<(), Stopped>,
) -> Result<(), Stopped> {
    let jobs = ask.jobs.clamp(1, length(limit::AUDIT_JOBS));
    if jobs == 1 {
        return each_here(evidence, ask, order, take);
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
                    let Ok((ops, order, answer)) = job else { return };
                    let look = |(place, record, signed)| Box::new(look(place, record, signed, order, signatures));
                    // Who asked may have had enough.
                    let _ = answer.send(ops.into_iter().map(look).collect());
                }
            });
        }
        let mut waiting: VecDeque<Batch> = VecDeque::new();
        let mut is_over = false;
        loop {
            while !is_over && waiting.len() < 2 * jobs {
                let (batch, job) = match next(evidence, order.get()) {
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
    order: &Cell<Order>,
    take: &mut dyn FnMut(Looked, &mut dyn Evidence) -> Result<(), Stopped>,
) -> Result<(), Stopped> {
    while let Some(item) = evidence.next()? {
        let looked = if let Item::Op { place, record, signed } = item {
            Looked::Op(Box::new(look(place, record, signed, order.get(), ask.signatures)))
        } else {
            Looked::Other(item)
        };
        take(looked, evidence)?;
    }
    Ok(())
}

/// The next items, and whether there are no more.
fn next(evidence: &mut dyn Evidence, order: Order) -> Result<(Batch, Job, bool), Stopped> {
    let (mut items, mut ops, mut bytes) = (Vec::new(), Vec::new(), 0);
    let mut is_over = false;
    while items.len() < length(limit::AUDIT_BATCH) && bytes < BYTES {
        match evidence.next() {
            Ok(Some(Item::Op { place, record, signed })) => {
                bytes += record.len() + signed.body.len() + signed.payload.len() + signed.salts.bytes().len();
                items.push(Pending::Op);
                ops.push((place, record, signed));
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
    Ok((Batch { items, answers }, (ops, order, send), is_over))
}

/// About how much memory an item takes.
fn size(item: &Item) -> usize {
    match item {
        Item::Op { record, signed, .. } => record.len() + signed.body.len() + signed.payload.len(),
        Item::HiddenOp { record, hidden, .. } => record.len() + hidden.body.len() + hidden.size(),
        Item::PrunedOp { record, .. } => record.len() + size_of::<PrunedOp>(),
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
            Pending::Op => {
                let lost = || Refused::new(Code::LOG_DAMAGED, "nobody looked at the op");
                Looked::Op(answers.next().ok_or_else(lost)?)
            }
            Pending::Other(Item::Broken(fault)) => return Err(fault.into()),
            Pending::Other(other) => Looked::Other(other),
        };
        take(looked, evidence)?;
    }
    Ok(())
}
