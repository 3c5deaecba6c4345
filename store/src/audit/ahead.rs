//! Looking at ops ahead of the log, which threads share: what is said by an op alone needs no order, and what becomes of
//! it is foreseen from the governance that is known, for the log to say whether it comes true.

use super::foresee::{Foreseer, TOGETHER};
use super::{Ask, Evidence, Item, Looked, LookedOp, Stopped};
use crate::code::{Code, Refused};
use crate::fault::Fault;
use crate::fold::{Input, Step};
use crate::governance::Governance;
use crate::limit::{self, length};
use crate::log::{Foresight, Record, Standing};
use crate::op::signature::{self, Domain};
use crate::op::{SignedOp, Sound};
use crate::pack::{self, PrunedOp};
use kerai_vm::bytecode::Order;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// Bytes after which a batch is closed.
const BYTES: usize = 1 << 18;

/// Batches that wait beside two for each thread: enough that nobody is idle while a checkpoint is compared.
const AHEAD: usize = 24;

/// What is known of a log while it is checked, for those who look ahead.
#[derive(Debug, Clone, Default)]
pub(super) struct Known<'p> {
    /// The order of the fold that is bound: what is made for another one is made again.
    pub(super) order: Order,
    /// None where nothing is to be foreseen.
    pub(super) standing: Option<Standing<'p>>,
    /// How many ops were given.
    given: u64,
}

/// An op to look at.
pub(super) struct Given {
    place: u64,
    pub(super) position: u64,
    pub(super) content: Content,
}

pub(super) enum Content {
    /// Where it lies among the contents of its batch.
    Packed(Range<usize>),
    Open(Box<(Vec<u8>, SignedOp)>),
}

/// What comes of looking at an op.
enum Seen {
    Whole(Result<Box<LookedOp>, Refused>),
    Foreseen { place: u64, content: Range<usize>, foresight: Foresight, document: Range<usize> },
}

/// What comes of looking at ops, with their contents, and the documents of those that were foreseen.
#[derive(Default)]
struct Answers {
    seen: Vec<Seen>,
    contents: Vec<u8>,
    documents: Vec<u8>,
}

impl Answers {
    /// Leaves the room alone.
    fn clear(&mut self) {
        self.seen.clear();
        self.contents.clear();
        self.documents.clear();
    }
}

/// An op of which is foreseen what becomes of it.
pub(crate) struct Foreseen<'b> {
    pub(super) place: u64,
    /// As the pack has it.
    pub(super) content: &'b [u8],
    pub(super) foresight: Foresight,
    pub(super) governance: &'b Arc<Governance>,
    /// What its fold gets, made for this order.
    pub(super) order: Order,
    pub(super) document: &'b [u8],
}

/// Ops, what was known when they were given, and where the answers go.
struct Job<'p> {
    ops: Vec<Given>,
    /// The contents of packed ops, one behind the other, and room for what comes of them.
    room: Answers,
    known: Known<'p>,
    answer: Sender<Answers>,
}

/// Items in their order, of which the ops are looked at somewhere.
struct Batch<'p> {
    items: Vec<Pending>,
    known: Known<'p>,
    answers: Receiver<Answers>,
}

enum Pending {
    /// The next of the answers.
    Op,
    Other(Box<Item>),
    /// What could not be read, behind what could.
    Broken(Fault),
}

/// Everything that is said by an op and its record alone.
pub(super) fn look(place: u64, record: Vec<u8>, signed: SignedOp, order: Order, signatures: bool) -> LookedOp {
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

/// Who looks ahead.
struct Watch<'p> {
    signatures: bool,
    foreseer: Foreseer<'p>,
}

impl<'p> Watch<'p> {
    fn new(ask: &Ask) -> Watch<'p> {
        Watch { signatures: ask.signatures, foreseer: Foreseer::default() }
    }

    /// Looks at ops: at their signatures last and one after the other, which need the processor's caches for themselves.
    fn look_at(&mut self, job: Job<'p>) {
        let Job { ops, room: Answers { mut seen, contents, mut documents }, known, answer } = job;
        let (mut signatures, mut ops) = (Vec::with_capacity(ops.len()), ops.into_iter());
        while !ops.as_slice().is_empty() {
            let some: Vec<Given> = ops.by_ref().take(TOGETHER).collect();
            let foreseen = self.foreseer.foresee(&some, &contents, &known, &mut documents);
            for (given, foreseen) in some.into_iter().zip(foreseen) {
                seen.push(match (given.content, foreseen) {
                    (Content::Packed(content), Some((foresight, document, signature))) => {
                        signatures.push(signature);
                        Seen::Foreseen { place: given.place, content, foresight, document }
                    }
                    (Content::Packed(content), None) => {
                        self.opened(given.place, contents.get(content).unwrap_or_default(), &known)
                    }
                    (Content::Open(open), _) => {
                        let (record, signed) = *open;
                        Seen::Whole(Ok(Box::new(look(given.place, record, signed, known.order, self.signatures))))
                    }
                });
            }
        }
        if self.signatures {
            let foreseen = seen.iter_mut().filter(|seen| matches!(seen, Seen::Foreseen { .. }));
            foreseen.zip(signatures).for_each(|(seen, signature)| {
                self.look_at_signature(seen, &signature, &contents, &known);
            });
        }
        // Who asked may have had enough.
        let _ = answer.send(Answers { seen, contents, documents });
    }

    /// What was foreseen of an op that its author did not sign is left for the log to refuse.
    fn look_at_signature(&self, seen: &mut Seen, signature: &[u8; 64], contents: &[u8], known: &Known<'p>) {
        let Seen::Foreseen { place, content, foresight, .. } = seen else { return };
        if !signature::verify(Domain::Op, &foresight.op, &foresight.author, signature) {
            *seen = self.opened(*place, contents.get(content.clone()).unwrap_or_default(), known);
        }
    }

    fn opened(&self, place: u64, content: &[u8], known: &Known<'p>) -> Seen {
        let open = pack::open_op(content).ok_or_else(|| pack::no_op(place));
        Seen::Whole(open.map(|(record, signed)| Box::new(look(place, record, signed, known.order, self.signatures))))
    }
}

/// Gives every item of the evidence to its taker, in order, with what can be said of its op ahead.
pub(super) fn each<'p>(
    evidence: &mut dyn Evidence,
    ask: &Ask,
    known: &RefCell<Known<'p>>,
    take: &mut dyn FnMut(Looked<'_>, &mut dyn Evidence) -> Result<(), Stopped>,
) -> Result<(), Stopped> {
    let jobs = ask.jobs.clamp(1, length(limit::AUDIT_JOBS));
    if jobs == 1 {
        return each_here(evidence, ask, known, take);
    }
    let (send, receive) = channel::<Job<'p>>();
    let receive = Mutex::new(receive);
    let receive = &receive;
    thread::scope(move |scope| {
        for _ in 0..jobs {
            scope.spawn(move || {
                let mut watch = Watch::new(ask);
                loop {
                    let job = receive.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(job) = job else { return };
                    watch.look_at(job);
                }
            });
        }
        let mut waiting: VecDeque<Batch> = VecDeque::new();
        let (mut is_over, mut room) = (false, Answers::default());
        loop {
            while !is_over && waiting.len() < AHEAD + 2 * jobs {
                let (batch, job) = match next(evidence, known, length(limit::AUDIT_BATCH), std::mem::take(&mut room)) {
                    Ok((batch, job, over)) => {
                        is_over = over;
                        (batch, job)
                    }
                    // What came before is taken first: it may be wrong earlier.
                    Err(stopped) => {
                        waiting.into_iter().try_for_each(|batch| taken(batch, evidence, take).map(drop))?;
                        return Err(stopped);
                    }
                };
                // The threads listen as long as this end is there.
                let _ = send.send(job);
                waiting.push_back(batch);
            }
            let Some(batch) = waiting.pop_front() else { return Ok(()) };
            room = taken(batch, evidence, take)?;
        }
    })
}

/// The same on this thread alone, no further ahead than pays, so that what is known is seldom out of date: the first item
/// alone, from which all that is known comes.
fn each_here<'p>(
    evidence: &mut dyn Evidence,
    ask: &Ask,
    known: &RefCell<Known<'p>>,
    take: &mut dyn FnMut(Looked<'_>, &mut dyn Evidence) -> Result<(), Stopped>,
) -> Result<(), Stopped> {
    let (mut watch, mut room, mut is_over) = (Watch::new(ask), Answers::default(), false);
    let mut most = 1;
    while !is_over {
        let (batch, job, over) = next(evidence, known, most, room)?;
        most = TOGETHER;
        watch.look_at(job);
        room = taken(batch, evidence, take)?;
        is_over = over;
    }
    Ok(())
}

/// The next items, and whether there are no more. The room was used before.
fn next<'p>(
    evidence: &mut dyn Evidence,
    known: &RefCell<Known<'p>>,
    most: usize,
    mut room: Answers,
) -> Result<(Batch<'p>, Job<'p>, bool), Stopped> {
    let known = &mut *known.borrow_mut();
    let (mut items, mut ops, mut bytes) = (Vec::with_capacity(most), Vec::with_capacity(most), 0);
    let mut is_over = false;
    room.clear();
    while items.len() < most && bytes < BYTES {
        let item = match evidence.next() {
            Ok(Some(item)) => item,
            Ok(None) => {
                is_over = true;
                break;
            }
            // What was read before is taken first.
            Err(fault) if items.is_empty() => return Err(fault.into()),
            Err(fault) => {
                items.push(Pending::Broken(fault));
                break;
            }
        };
        bytes += size(&item);
        known.given += u64::from(is_op(&item));
        let position = known.given;
        let (place, content) = match item {
            Item::Op { place, record, signed } => (place, Content::Open(Box::new((record, signed)))),
            Item::PackedOp { place, content } => {
                let begin = room.contents.len();
                room.contents.extend_from_slice(&content);
                (place, Content::Packed(begin..room.contents.len()))
            }
            other @ (Item::HiddenOp { .. }
            | Item::PrunedOp { .. }
            | Item::Checkpoint(_)
            | Item::Snapshot(_)
            | Item::Row(..)
            | Item::Proof(_)) => {
                items.push(Pending::Other(Box::new(other)));
                continue;
            }
        };
        items.push(Pending::Op);
        ops.push(Given { place, position, content });
    }
    let (answer, answers) = channel();
    let job = Job { ops, room, known: known.clone(), answer };
    Ok((Batch { items, known: known.clone(), answers }, job, is_over))
}

/// Whether an item has a position in the log.
const fn is_op(item: &Item) -> bool {
    matches!(item, Item::Op { .. } | Item::PackedOp { .. } | Item::HiddenOp { .. } | Item::PrunedOp { .. })
}

/// About how much memory an item takes.
fn size(item: &Item) -> usize {
    match item {
        Item::Op { record, signed, .. } => {
            record.len() + signed.body.len() + signed.payload.len() + signed.salts.bytes().len()
        }
        Item::PackedOp { content, .. } => content.len(),
        Item::HiddenOp { record, hidden, .. } => record.len() + hidden.body.len() + hidden.size(),
        Item::PrunedOp { record, .. } => record.len() + size_of::<PrunedOp>(),
        Item::Checkpoint(signed) => signed.body.len(),
        Item::Snapshot(snapshot) => snapshot.bytes.len(),
        Item::Row(key, value) => key.len() + value.len(),
        Item::Proof(file) => file.len(),
    }
}

/// Gives the items of a batch to their taker; what is left is room for another one.
fn taken(
    batch: Batch<'_>,
    evidence: &mut dyn Evidence,
    take: &mut dyn FnMut(Looked<'_>, &mut dyn Evidence) -> Result<(), Stopped>,
) -> Result<Answers, Stopped> {
    let mut room = batch.answers.recv().unwrap_or_default();
    let Answers { seen, contents, documents } = &mut room;
    let (mut seen, order) = (seen.drain(..), batch.known.order);
    let governance = batch.known.standing.as_ref().map(|standing| &standing.governance);
    let lost = || Refused::new(Code::LOG_DAMAGED, "nobody looked at the op");
    for item in batch.items {
        let looked = match item {
            Pending::Op => match seen.next().ok_or_else(lost)? {
                Seen::Whole(looked) => Looked::Op(looked.map_err(Fault::from)?),
                Seen::Foreseen { place, content, foresight, document } => {
                    let governance = governance.ok_or_else(lost)?;
                    let content = contents.get(content).unwrap_or_default();
                    let document = documents.get(document).unwrap_or_default();
                    Looked::Foreseen(Foreseen { place, content, foresight, governance, order, document })
                }
            },
            Pending::Other(other) => Looked::Other(*other),
            Pending::Broken(fault) => return Err(fault.into()),
        };
        take(looked, evidence)?;
    }
    drop(seen);
    Ok(room)
}
