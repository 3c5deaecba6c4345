//! The outlook: what is known of a log before it is open. Ops are judged by it on threads of their own, while those before
//! them are committed; where the log turns out otherwise, they are judged again.

use crate::backend::Session;
use crate::document::Hash;
use crate::fault::Fault;
use crate::gate::Gate;
use crate::governance::Governance;
use crate::log::{Foreseen, Standing};
use crate::op::{Offered, SignedOp};
use crate::program::{Library, POLICY_EXPORTS, Stored};
use crate::store::{logged, resume};
use kerai_vm::bytecode::{Order, ProgramKind};
use std::sync::Arc;
use tokio::task::{JoinHandle, spawn_blocking};

/// Ops for which a thread of their own is worth its while.
const READ_AT_LEAST: usize = 64;

/// How an op is read.
pub(crate) type Read = fn(SignedOp) -> Offered;

/// An op on its way to the log.
pub(crate) enum Seen {
    Foreseen(Foreseen),
    Offered(Box<Offered>),
}

/// What is expected of a stream's log.
#[derive(Clone)]
pub(crate) struct Outlook {
    stream: Hash,
    governance: Arc<Governance>,
    library: Library,
    order: Order,
    /// How many records it has, if no one else commits.
    count: u64,
}

/// The ops of one transaction, under what they were judged.
pub(crate) struct Batch {
    pub(crate) ops: Vec<Seen>,
    /// What governance was taken to be, and the time at which all of them were received.
    pub(crate) under: Option<(Arc<Governance>, u64)>,
}

/// A batch that is being read by threads of their own: signatures cost more than all else, and nothing of one op depends
/// on another.
pub(crate) struct Reading {
    shares: Vec<JoinHandle<Vec<Seen>>>,
    under: Option<(Arc<Governance>, u64)>,
}

impl Outlook {
    /// What is known of a stream now; nothing of one that is not there.
    pub(crate) async fn of(
        session: &mut Session<'_>,
        name: &str,
        library: &mut Library,
    ) -> Result<Option<Outlook>, Fault> {
        let Some(stream) = session.stream(name).await? else { return Ok(None) };
        session.meet_programs(library).await?;
        let governance_ops = logged(session.governance_ops(stream.number).await?)?;
        let governance = Arc::new(resume(stream.governance_root, &governance_ops, library)?);
        let order = library.get(&stream.fold_root).map(Stored::order).unwrap_or_default();
        let library = library.clone();
        Ok(Some(Outlook { stream: stream.genesis, governance, library, order, count: stream.count }))
    }

    /// Takes in what the log came to.
    pub(crate) fn learn(&mut self, governance: &Arc<Governance>, count: u64) {
        self.governance = governance.clone();
        self.count = count;
    }

    /// Judges ops that come behind so many records, all of them received at one time.
    fn see(&self, ops: Vec<Seen>, count: u64, received: u64) -> Vec<Seen> {
        let policy_root = &self.governance.binding.policy_root;
        let Ok(policy) = self.library.find(policy_root, ProgramKind::Policy, POLICY_EXPORTS) else {
            return ops;
        };
        let (stream, governance, policy) = (self.stream, self.governance.clone(), &*policy.verified);
        let standing = Standing { stream, governance, policy };
        let mut gate = Gate::new(policy);
        let foresee = |(seen, position)| match seen {
            Seen::Offered(offered) => match standing.judge(offered, position, received, self.order, &mut gate) {
                Ok(foreseen) => Seen::Foreseen(foreseen),
                Err(offered) => Seen::Offered(offered),
            },
            foreseen @ Seen::Foreseen(_) => foreseen,
        };
        ops.into_iter().zip(count + 1..).map(foresee).collect()
    }
}

impl Seen {
    /// The op, as far as it can be told.
    pub(crate) fn op(&self) -> Option<&crate::op::Op> {
        match self {
            Seen::Foreseen(foreseen) => Some(&foreseen.commit.op.op),
            Seen::Offered(offered) => offered.read.as_ref().ok().map(|read| &read.op),
        }
    }

    /// Whether the log may come to take it.
    pub(crate) fn is_sound(&self) -> bool {
        match self {
            Seen::Foreseen(_) => true,
            Seen::Offered(offered) => offered.read.as_ref().is_ok_and(|read| read.fault.is_none()),
        }
    }
}

/// Begins to read ops, and to judge them where there is an outlook for those behind so many that are not committed yet.
pub(crate) fn read_all(ops: Vec<SignedOp>, read: Read, outlook: Option<(&Outlook, usize, u64)>) -> Reading {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = ops.len().div_ceil(threads).max(READ_AT_LEAST);
    let (mut ops, mut shares) = (ops.into_iter(), Vec::new());
    let mut before = outlook.map_or(0, |(outlook, waiting, _)| outlook.count + waiting as u64);
    while !ops.as_slice().is_empty() {
        let part: Vec<SignedOp> = ops.by_ref().take(share).collect();
        let (count, outlook) = (before, outlook.map(|(outlook, _, received)| (outlook.clone(), received)));
        before += part.len() as u64;
        shares.push(spawn_blocking(move || {
            // Signatures one after the other: they need the processor's caches for themselves.
            let offered: Vec<Seen> = part.into_iter().map(|op| Seen::Offered(Box::new(read(op)))).collect();
            match outlook {
                Some((outlook, received)) => outlook.see(offered, count, received),
                None => offered,
            }
        }));
    }
    Reading { shares, under: outlook.map(|(outlook, _, received)| (outlook.governance.clone(), received)) }
}

impl Reading {
    pub(crate) async fn finish(self) -> Batch {
        let mut ops = Vec::new();
        for share in self.shares {
            match share.await {
                Ok(share) => ops.extend(share),
                // Reading ends in no other way than by its own panic.
                Err(ended) => std::panic::resume_unwind(ended.into_panic()),
            }
        }
        Batch { ops, under: self.under }
    }
}

/// Whether so many ops are worth a look at the log before it is open.
pub(crate) const fn is_worth_it(ops: usize) -> bool {
    ops >= READ_AT_LEAST
}
