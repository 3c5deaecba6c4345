//! Folding a log as it comes: what is in order is folded at once, and what is late when a state is asked for.

use super::index::{Chunks, Index};
use super::{Recall, Stopped};
use crate::code::{Code, Refused};
use crate::document::Hash;
use crate::fold::{Input, Place, Snapshot, Step};
use crate::limit;
use crate::program::Stored;
use kerai_vm::bytecode::{Limits, Order};
use kerai_vm::fold::{FoldFault, Folding, Rows};
use kerai_vm::trap::Trap;
use kerai_vm::ulid::Ulid;
use kerai_vm::value::Point;
use std::collections::{BTreeMap, VecDeque};

/// The ops of a log in a fold's order, and the fold of them.
pub(super) struct Refold<'p> {
    program: &'p Stored,
    /// The policy that the ops passed: what a step draws by chance depends on it.
    policy: Hash,
    order: Order,
    folding: Option<Folding<'p>>,
    /// The fold whose rows were made last, where another program was bound since.
    shown: Option<Folding<'p>>,
    /// The numbers of the ops that are folded, or will be, in the fold's order.
    sorted: Chunks<u32>,
    /// How many of them are folded.
    folded: usize,
    /// Those that have no place among them yet.
    late: Vec<u32>,
    /// States to go back to, each with how many ops were folded; kept once an op was late.
    points: VecDeque<(usize, Point)>,
    was_late: bool,
    /// Until a state to go on from is given, nothing is folded.
    pub(super) waits: bool,
    /// The state that stands for all ops that were pruned, with the fold and the policy of then.
    anchor: Option<(Snapshot, Hash, Hash)>,
    poison: BTreeMap<u64, Trap>,
    /// How many steps were made, those that were made again included.
    pub(super) steps: u64,
}

/// Whether the fold's step takes a seed, its third parameter.
pub(crate) fn draws(program: &Stored) -> bool {
    let program = program.verified.program();
    let step = program.exports.get("step").and_then(|&step| program.functions.get(step as usize));
    step.is_some_and(|step| step.parameters > 2)
}

fn begun(fault: &FoldFault) -> Refused {
    match fault {
        FoldFault::Refused(refusal) => Refused::new(Code::PROGRAM_KIND, refusal.to_string()),
        FoldFault::Trapped(trap) => Refused::new(Code::FOLD_TRAP, format!("`init`: {trap}")),
    }
}

impl<'p> Refold<'p> {
    pub(super) fn new(program: &'p Stored, policy: Hash, waits: bool) -> Refold<'p> {
        Refold {
            program,
            policy,
            order: program.order(),
            folding: None,
            shown: None,
            sorted: Chunks::new(),
            folded: 0,
            late: Vec::new(),
            points: VecDeque::new(),
            was_late: false,
            waits,
            anchor: None,
            poison: BTreeMap::new(),
            steps: 0,
        }
    }

    /// The fold of these ops, by their numbers, which are sorted and folded when a state is asked for.
    pub(super) fn of(program: &'p Stored, policy: Hash, ops: Vec<u32>) -> Refold<'p> {
        Refold { late: ops, ..Refold::new(program, policy, false) }
    }

    /// Another program or another policy is bound: if it matters, all ops are folded from the first on.
    pub(super) fn bind(&mut self, program: &'p Stored, policy: Hash) {
        let is_same = program.root == self.program.root && (policy == self.policy || !draws(program));
        self.policy = policy;
        if is_same {
            return;
        }
        self.program = program;
        self.reorder(program.order());
        if self.shown.is_none() {
            self.shown = self.folding.take();
        }
        self.begin_anew();
    }

    /// Takes all ops out of one order; they are sorted into the other when a state is asked for. An order of joins is
    /// that by ULID here: whatever it is, the state is the same, and so one will do.
    fn reorder(&mut self, order: Order) {
        let is_by_position = |order| order == Order::Commit;
        if is_by_position(order) != is_by_position(self.order) {
            self.late.extend(self.sorted.iter().copied());
            self.sorted.truncate(0);
            self.late.sort_unstable();
        }
        self.order = order;
    }

    /// The rows as they were made last.
    pub(super) fn rows(&mut self) -> Option<&Rows> {
        let folding = if self.shown.is_some() { self.shown.as_mut() } else { self.folding.as_mut() };
        folding.map(|folding| &*folding.rows())
    }

    fn begin_anew(&mut self) {
        self.folding = None;
        self.folded = 0;
        self.points.clear();
        self.poison.clear();
    }

    /// Takes the log's next op, whose document is asked for where it is folded now.
    pub(super) fn take<D: AsRef<[u8]>>(
        &mut self,
        number: u32,
        ulid: Ulid,
        index: &Index,
        document: impl FnOnce(Order) -> Result<D, Refused>,
    ) -> Result<(), Refused> {
        let is_next = !self.waits && self.goes_on() && self.late.is_empty() && self.folded == self.sorted.count();
        if !(is_next && self.comes_last(ulid, index)) {
            self.late.push(number);
            return Ok(());
        }
        if self.folding.is_none() {
            self.begin()?;
        }
        self.sorted.push(number);
        let document = document(self.order)?;
        self.step(u64::from(number) + 1, document.as_ref())
    }

    /// Whether an op of this ULID comes after all that are folded. Equal ones are told apart later.
    fn comes_last(&self, ulid: Ulid, index: &Index) -> bool {
        let last = self.sorted.count().checked_sub(1).and_then(|last| self.sorted.get(last as u32));
        let last = last.and_then(|&last| index.get(last));
        self.order == Order::Commit || last.is_none_or(|last| last.ulid() < ulid)
    }

    fn begin(&mut self) -> Result<(), Refused> {
        self.folding = Some(self.first_state()?);
        Ok(())
    }

    /// The fold of no ops, or of those that were pruned.
    pub(super) fn first_state(&self) -> Result<Folding<'p>, Refused> {
        if let Some((snapshot, ..)) = &self.anchor {
            if !self.goes_on() {
                let what = format!("another fold is bound than when {} records were pruned", snapshot.count);
                return Err(Refused::new(Code::PRUNED, what));
            }
            return self.state_of(snapshot);
        }
        let folding = Folding::new(&self.program.verified, 0, Limits::DEFAULT);
        let mut folding = folding.map_err(|fault| begun(&fault))?;
        folding.under_policy(self.policy);
        Ok(folding)
    }

    fn state_of(&self, snapshot: &Snapshot) -> Result<Folding<'p>, Refused> {
        let damaged = |fault| Refused::new(Code::LOG_DAMAGED, format!("a snapshot: {}", begun(&fault)));
        let folding = Folding::resume(&self.program.verified, 0, Limits::DEFAULT, &snapshot.bytes, snapshot.folded);
        let mut folding = folding.map_err(damaged)?;
        folding.under_policy(self.policy);
        Ok(folding)
    }

    /// Whether the fold that is bound goes on from what was pruned.
    fn goes_on(&self) -> bool {
        let goes_on = |anchor: &(Snapshot, Hash, Hash)| {
            anchor.1 == self.program.root && (anchor.2 == self.policy || !draws(self.program))
        };
        self.anchor.as_ref().is_none_or(goes_on)
    }

    /// All ops up to here were pruned: this state stands for them.
    pub(super) fn anchor(&mut self, snapshot: &Snapshot, fold_root: Hash, policy_root: Hash) {
        self.anchor = Some((snapshot.clone(), fold_root, policy_root));
    }

    fn step(&mut self, position: u64, document: &[u8]) -> Result<(), Refused> {
        let Some(folding) = &mut self.folding else { return Ok(()) };
        let damaged = |refusal| Refused::new(Code::LOG_DAMAGED, format!("op {position}: {refusal}"));
        folding.offer(document).map_err(damaged)?;
        if let Some(Err(trap)) = folding.step() {
            self.poison.insert(position, trap);
        }
        self.folded += 1;
        self.steps += 1;
        if self.was_late && self.folded.is_multiple_of(limit::length(limit::AUDIT_POINT)) {
            self.points.push_back((self.folded, folding.point()));
            if self.points.len() > limit::length(limit::AUDIT_POINTS) {
                self.points.pop_front();
                if let Some(&(_, oldest)) = self.points.front() {
                    folding.forget_before(oldest);
                }
            }
        }
        Ok(())
    }

    /// Folds what is not folded yet, going back as far as the first op that came late.
    pub(super) fn settle(&mut self, index: &Index, recall: &mut dyn Recall) -> Result<(), Stopped> {
        self.shown = None;
        self.sort_in(index, recall)?;
        if self.waits {
            return Ok(());
        }
        if self.folding.is_none() {
            self.begin()?;
        }
        while let Some(&number) = self.sorted.get(self.folded as u32) {
            let input = recalled(number, index, recall)?;
            let step = Step::of(&input, self.order)?;
            self.step(step.position, &step.document)?;
        }
        Ok(())
    }

    /// Gives the late ops their places, and takes the fold back to before the first one.
    fn sort_in(&mut self, index: &Index, recall: &mut dyn Recall) -> Result<(), Stopped> {
        let mut late = std::mem::take(&mut self.late);
        if late.is_empty() {
            return Ok(());
        }
        if self.order == Order::Commit {
            late.into_iter().for_each(|number| {
                self.sorted.push(number);
            });
            return Ok(());
        }
        sort(&mut late, index, recall)?;
        let Some(&first) = late.first() else { return Ok(()) };
        // Where it belongs: all that are sorted before it stay.
        let (mut low, mut high) = (0, self.sorted.count());
        while low < high {
            let middle = low.midpoint(high);
            let other = self.sorted.get(middle as u32).copied().unwrap_or(first);
            if comes_before(other, first, index, recall)? { low = middle + 1 } else { high = middle }
        }
        let tail: Vec<u32> = (low..self.sorted.count()).filter_map(|at| self.sorted.get(at as u32).copied()).collect();
        self.sorted.truncate(low);
        let (mut tail, mut late) = (tail.into_iter().peekable(), late.into_iter().peekable());
        while let (Some(&old), Some(&new)) = (tail.peek(), late.peek()) {
            let is_old = comes_before(old, new, index, recall)?;
            let next = if is_old { tail.next() } else { late.next() };
            self.sorted.push(next.unwrap_or(old));
        }
        tail.chain(late).for_each(|number| {
            self.sorted.push(number);
        });
        self.go_back(low);
        Ok(())
    }

    /// Goes back to a state of so many ops, or of fewer.
    fn go_back(&mut self, count: usize) {
        if self.folded <= count {
            return;
        }
        self.was_late = true;
        while let Some(&(folded, point)) = self.points.back() {
            if folded <= count {
                if self.folding.as_mut().is_some_and(|folding| folding.rewind_to(point)) {
                    self.folded = folded;
                    self.forget_poison();
                    return;
                }
                break;
            }
            self.points.pop_back();
        }
        self.begin_anew();
    }

    /// What is to be folded again may trap no more.
    fn forget_poison(&mut self) {
        for &number in self.sorted.iter().skip(self.folded) {
            self.poison.remove(&(u64::from(number) + 1));
        }
    }

    /// The ops that left no trace in the rows as they were made last, as far as that is known.
    pub(super) const fn poison(&self) -> Option<&BTreeMap<u64, Trap>> {
        if self.shown.is_some() { None } else { Some(&self.poison) }
    }

    /// Goes on from a snapshot that was found right.
    pub(super) fn resume(&mut self, snapshot: &Snapshot) -> Result<(), Refused> {
        self.folding = Some(self.state_of(snapshot)?);
        self.folded = self.sorted.count();
        let there_are = self.folded as u64 + self.anchor.as_ref().map_or(0, |anchor| anchor.0.folded);
        if snapshot.folded != there_are {
            let what = format!("a snapshot of {} ops, where there are {there_are}", snapshot.folded);
            return Err(Refused::new(Code::LOG_DAMAGED, what));
        }
        self.waits = false;
        Ok(())
    }

    pub(super) const fn folding(&mut self) -> Option<&mut Folding<'p>> {
        self.folding.as_mut()
    }

    /// The place of the last op that is folded; none where it would follow from how ops came together, not from them.
    pub(super) fn last(&self, index: &Index, recall: &mut dyn Recall) -> Result<Option<Place>, Stopped> {
        if self.order == Order::Commit {
            return Ok(None);
        }
        let last = self.sorted.count().checked_sub(1).and_then(|last| self.sorted.get(last as u32));
        let last = last.map(|&last| place(&recalled(last, index, recall)?).map_err(Stopped::from)).transpose()?;
        Ok(last.max(self.anchor.as_ref().and_then(|anchor| anchor.0.last)))
    }

    /// The ops in the fold's order, by number.
    pub(super) fn ops(&self) -> impl Iterator<Item = u32> {
        (0..self.sorted.count() as u32).filter_map(|at| self.sorted.get(at).copied())
    }

    pub(super) const fn order(&self) -> Order {
        self.order
    }

    pub(super) const fn program(&self) -> &'p Stored {
        self.program
    }

    pub(super) const fn policy(&self) -> Hash {
        self.policy
    }
}

/// Where an op stands in the order by ULID; it is the same whatever else its fold may know.
fn place(input: &Input) -> Result<Place, Refused> {
    Ok(Step::of(input, Order::Ulid)?.place())
}

/// An op of the log, from the evidence again.
pub(super) fn recalled(number: u32, index: &Index, recall: &mut dyn Recall) -> Result<Input, Stopped> {
    let missing = || Refused::new(Code::LOG_DAMAGED, format!("op {} is gone", number + 1));
    let entry = index.get(number).ok_or_else(missing)?;
    let (record, signed) = recall.recall(entry.place())?;
    let record = crate::log::Record::decode(&record)?;
    let op = crate::op::Op::decode(&signed.body)?;
    let op = crate::op::Checked { id: entry.op, op, signed };
    Ok(Input { position: record.position, received: record.received, op })
}

/// Whether an op comes before another one, by ULID, and what decides between two of one ULID.
fn comes_before(a: u32, b: u32, index: &Index, recall: &mut dyn Recall) -> Result<bool, Stopped> {
    let ulid = |number| index.get(number).map(super::index::Entry::ulid);
    match ulid(a).cmp(&ulid(b)) {
        std::cmp::Ordering::Less => Ok(true),
        std::cmp::Ordering::Greater => Ok(false),
        std::cmp::Ordering::Equal => Ok(place(&recalled(a, index, recall)?)? < place(&recalled(b, index, recall)?)?),
    }
}

/// Sorts ops by their places; only those that share a ULID are looked at.
fn sort(ops: &mut [u32], index: &Index, recall: &mut dyn Recall) -> Result<(), Stopped> {
    let ulid = |number: &u32| index.get(*number).map(super::index::Entry::ulid);
    ops.sort_by_key(ulid);
    for same in ops.chunk_by_mut(|a, b| ulid(a) == ulid(b)).filter(|same| same.len() > 1) {
        let mut places = Vec::with_capacity(same.len());
        for &number in same.iter() {
            places.push((place(&recalled(number, index, recall)?)?, number));
        }
        places.sort_unstable();
        same.iter_mut().zip(places).for_each(|(to, (_, number))| *to = number);
    }
    Ok(())
}
