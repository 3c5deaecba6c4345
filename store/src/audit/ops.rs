//! An op's turn in an audit: decided again, compared with what is said of it, folded.

use super::ahead::{self, Foreseen};
use super::refold::Refold;
use super::{Audit, Evidence, LookedOp, Stopped, differs, refused};
use crate::backend::Columns;
use crate::code::Code;
use crate::document::{Hash, data_text, program_text};
use crate::fold::Step;
use crate::governance::Binding;
use crate::log::{Commit, Foresight, Log, Outcome, Record};
use crate::pack::{self, named_roots};
use crate::program::{FOLD_EXPORTS, Stored};
use crate::verify::Divergence;
use kerai_vm::bytecode::{Certificate, Class, Grounds, Order, ProgramKind};
use kerai_vm::law;
use kerai_vm::ulid::Ulid;

impl<'p> Audit<'p> {
    /// Takes an op of which was foreseen what becomes of it, or looks again where that does not come true.
    pub(super) fn foreseen(&mut self, foreseen: Foreseen<'_>, evidence: &mut dyn Evidence) -> Result<(), Stopped> {
        let Foreseen { place, content, foresight, governance, order, document } = foreseen;
        let Foresight { op, author, ulid, is_admitted, .. } = foresight;
        let is_known = self.refold.as_ref().is_some_and(|refold| refold.order() == order)
            && self.index.given(&author, ulid).is_none()
            && self.log.as_mut().is_some_and(|log| log.take_foreseen(&foresight, governance));
        if !is_known {
            let (record, signed) = pack::open_op(content).ok_or_else(|| pack::no_op(place))?;
            // Its signature was looked at.
            return self.op(ahead::look(place, record, signed, order, false), evidence);
        }
        let is_left = self.is_hidden || self.is_pruned(foresight.position);
        let number = self.count(&author, ulid, op, place, is_admitted);
        match &mut self.refold {
            Some(refold) if is_admitted && !is_left => Ok(refold.take(number, ulid, &self.index, |_| Ok(document))?),
            _ => Ok(()),
        }
    }

    pub(super) fn op(&mut self, looked: LookedOp, evidence: &mut dyn Evidence) -> Result<(), Stopped> {
        let LookedOp { place, record, said, sound, step, .. } = looked;
        let said = said.map_err(|no| refused("the commit record", &no))?;
        let sound = sound.map_err(|no| refused("the op", &no))?;
        let (author, ulid) = (sound.op.op.author, sound.op.op.ulid);
        let Some(log) = &mut self.log else {
            let begun = Log::begin_with(sound, self.library, said.received);
            let (log, commit) = begun.map_err(|no| refused("the genesis", &no))?;
            let binding = log.governance.binding.clone();
            let fold = self.fold(&binding)?;
            self.certified(fold)?;
            self.pruned = evidence.pruned();
            let refold = Refold::new(fold, binding.policy_root, self.ask.from.or(self.pruned).is_some());
            self.log = Some(log);
            self.refold = Some(refold);
            self.tell();
            self.agree(place, &record, &commit, &binding, evidence)?;
            return self.took(place, commit, step);
        };
        let before = match self.index.given(&author, ulid) {
            Some(entry) => given_before(entry.place(), evidence)?,
            None => Before::Nothing,
        };
        let binding = log.governance.binding.clone();
        // Whether the store held a program that nobody had bound yet is nowhere recorded but in what became of the op.
        let received = said.received;
        let before = match before {
            Before::Hidden => None,
            Before::Nothing => Some(None),
            Before::Given(given) => Some(Some(given)),
        };
        let commit = match before {
            None => log.trust_whole(sound, said, self.library),
            Some(before) if said.outcome == Outcome::Rejected(Code::GOVERNANCE_BROKEN) => {
                log.place(sound, before, &self.library.of_roots(&self.bound), received, &mut None)
            }
            Some(before) => log.place(sound, before, self.library, received, &mut self.gate),
        };
        let commit = commit.map_err(|no| refused("the op", &no))?;
        self.agree(place, &record, &commit, &binding, evidence)?;
        self.took(place, commit, step)
    }

    /// Whether a state that is gone on from stands for the op of a position.
    fn is_pruned(&self, position: u64) -> bool {
        self.pruned.is_some_and(|pruned| position <= pruned)
    }

    /// Tells those who look ahead what is bound.
    fn tell(&self) {
        let mut known = self.known.borrow_mut();
        known.order = self.refold.as_ref().map(Refold::order).unwrap_or_default();
        known.standing = self.log.as_ref().and_then(|log| log.standing(self.library));
    }

    /// The fold that is bound.
    fn fold(&self, binding: &Binding) -> Result<&'p Stored, Box<Divergence>> {
        let found = self.library.find(&binding.fold_root, ProgramKind::Fold, FOLD_EXPORTS);
        found.map_err(|no| refused("the fold", &no))
    }

    /// Tries again what a fold's certificate claims to have been tried. What can be derived was, when the program was
    /// read.
    fn certified(&mut self, program: &'p Stored) -> Result<(), Box<Divergence>> {
        let certificate = program.verified.program().merging.certificate;
        let Some(claim @ Certificate { grounds: Grounds::Tested { .. }, .. }) = certificate else { return Ok(()) };
        if !self.tried.insert(program.root) {
            return Ok(());
        }
        let verdict = law::examine(&program.verified);
        let found = verdict.ok().and_then(|found| Some((found.class?, found.grounds)));
        if found == Some((claim.class, claim.grounds)) {
            return Ok(());
        }
        let shown =
            |class: Class, grounds: Grounds| format!("{} {} {:?}", class.name(), grounds.name(), grounds.numbers());
        let what = format!("the certificate of {}", program_text(&program.root));
        let computed = found.map_or_else(|| "unlawful".into(), |(class, grounds)| shown(class, grounds));
        Err(differs(&what, shown(claim.class, claim.grounds), computed))
    }

    /// A closed epoch is anchored by a checkpoint that was met, and was right.
    fn closed(&mut self, checkpoint: &Hash) -> Result<(), Box<Divergence>> {
        if self.checkpoints.contains(checkpoint) {
            return Ok(());
        }
        Err(differs("a closed epoch's checkpoint", "nothing", data_text(checkpoint)))
    }

    /// Compares what is said of an op with what it comes to.
    fn agree(
        &self,
        place: u64,
        record: &[u8],
        commit: &Commit,
        binding: &Binding,
        evidence: &mut dyn Evidence,
    ) -> Result<(), Box<Divergence>> {
        if record != commit.bytes {
            let shown = |bytes: &[u8]| Record::decode(bytes).map_or_else(|no| no.to_string(), |record| show(&record));
            let found = differs("the commit record", shown(record), shown(&commit.bytes));
            return Err(Box::new(Divergence { rule: commit.record.rules.first().cloned(), ..*found }));
        }
        let columns = || Columns::of(commit, binding.fold_root, binding.policy_root);
        evidence.agrees(place, commit.record.position, &columns)
    }

    fn took(&mut self, place: u64, commit: Commit, step: Option<(Order, Step)>) -> Result<(), Stopped> {
        let Commit { op, record, .. } = commit;
        let is_admitted = record.outcome == Outcome::Admitted;
        let number = self.count(&op.op.author, op.op.ulid, op.id, place, is_admitted);
        if !is_admitted {
            return Ok(());
        }
        if op.op.is_governance() {
            self.bound.extend(named_roots(&op.signed.payload));
            let Some(binding) = self.log.as_ref().map(|log| log.governance.binding.clone()) else { return Ok(()) };
            if let Some(closed) = binding.closed {
                self.closed(&closed.checkpoint)?;
            }
            let program = self.fold(&binding)?;
            self.certified(program)?;
            if let Some(refold) = &mut self.refold {
                refold.bind(program, binding.policy_root);
            }
            self.tell();
            return Ok(());
        }
        if self.is_pruned(record.position) {
            // It is in the state that is gone on from.
            return Ok(());
        }
        let ulid = op.op.ulid;
        let input = crate::fold::Input { position: record.position, received: record.received, op };
        match &mut self.refold {
            Some(refold) if !self.is_hidden => {
                let document = |order| match step {
                    Some((made_for, step)) if made_for == order => Ok(step.document),
                    _ => Ok(Step::of(&input, order)?.document),
                };
                Ok(refold.take(number, ulid, &self.index, document)?)
            }
            _ => Ok(()),
        }
    }

    /// Counts an op; its number.
    pub(super) fn count(&mut self, author: &Hash, ulid: Ulid, op: Hash, place: u64, is_admitted: bool) -> u32 {
        let number = self.index.push(op, author, ulid, place);
        if is_admitted {
            self.inputs.put(number, &op, &self.index);
        }
        self.counts.ops += 1;
        self.extend();
        number
    }

    /// Notes whether the log came by the checkpoint that it must extend.
    fn extend(&mut self) {
        let (Some(known), Some(log)) = (&self.ask.extends, &self.log) else { return };
        if known.count == log.tree.count() {
            self.has_extended = known.stream == log.stream && known.log_head == log.tree.head();
        }
    }
}

/// Marks the place of an op of which parts are hidden or pruned: it can't be recalled.
pub(super) const HIDDEN: u64 = 1 << 63;

/// What an author gave under a ULID before.
enum Before {
    Nothing,
    Given(Hash),
    Hidden,
}

fn given_before(place: u64, recall: &mut dyn Evidence) -> Result<Before, Stopped> {
    if place & HIDDEN != 0 {
        return Ok(Before::Hidden);
    }
    let (_, signed) = recall.recall(place)?;
    Ok(Before::Given(signed.read_unsigned().sound()?.given))
}

pub(super) fn show(record: &Record) -> String {
    let code = record.outcome.code().map(|code| format!(" {}", code.name())).unwrap_or_default();
    let input = record.input.map_or_else(|| "no input".into(), |input| data_text(&input));
    format!(
        "op {} {}{code} by {:?}, {input}, received {}, under governance {}",
        record.position,
        record.outcome.name(),
        record.rules,
        record.received,
        record.governance
    )
}
