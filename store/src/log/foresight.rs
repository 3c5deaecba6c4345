//! Judging ahead of the log: between two governance ops, what becomes of an op follows from itself, its place and its time,
//! but for what its author did before.

use super::{Outcome, Record};
use crate::code::Code;
use crate::document::{Hash, Together, hash};
use crate::gate::{Answer, Gate};
use crate::governance::Governance;
use crate::op::{Checked, Op, Plain, Resource};
use kerai_vm::bytecode::Verified;
use kerai_vm::encoding::root::Context;
use kerai_vm::ulid::Ulid;
use std::sync::Arc;

/// What ops of a stream are judged by, until governance changes.
#[derive(Debug, Clone)]
pub(crate) struct Standing<'p> {
    pub(crate) stream: Hash,
    pub(crate) governance: Arc<Governance>,
    pub(crate) policy: &'p Verified,
}

/// What becomes of an op if it comes at its position and time, and nothing before it stands in its way. Its record was
/// compared with what is said of it.
#[derive(Debug)]
pub(crate) struct Foresight {
    pub(crate) op: Hash,
    pub(crate) author: Hash,
    pub(crate) ulid: Ulid,
    pub(crate) sequence: u64,
    pub(crate) previous: Option<Hash>,
    pub(crate) position: u64,
    pub(crate) received: u64,
    pub(crate) is_admitted: bool,
    /// The hash of the record, as a leaf of the log's tree.
    pub(crate) leaf: Hash,
}

impl Standing<'_> {
    /// What becomes of an op at a position, where it is what is said, by a record whose hash is `leaf`; none where that can't
    /// be told, or it is not. Where the policy was asked, what it was asked joins what it was asked about others, and must
    /// have the hash that comes beside.
    pub(crate) fn foresee(
        &self,
        op: Plain<'_>,
        position: u64,
        (said, leaf): (&[u8], Hash),
        gate: &mut Gate<'_>,
        asked: &mut Together,
    ) -> Option<(Foresight, Option<Hash>)> {
        let Plain { id, op: body, .. } = op;
        let is_foreign = body.stream != Some(self.stream) || !self.governance.knows(&body.author);
        if body.is_governance() || is_foreign {
            return None;
        }
        let received = Record::time_in(said)?;
        let record = match fault_of(body, &self.governance, received) {
            Some(code) => rejected(position, *id, code, &self.governance, received),
            None => {
                let (input, mut answer) = (Record::input_in(said)?, Ok(None));
                asked.add(|out| answer = gate.ask(op, &self.governance, received, out));
                answered(position, *id, (answer.ok()?, input), &self.governance, received)
            }
        };
        let foresight = Foresight {
            op: *id,
            author: body.author,
            ulid: body.ulid,
            sequence: body.sequence,
            previous: body.previous,
            position,
            received,
            is_admitted: record.outcome == Outcome::Admitted,
            leaf,
        };
        (record.encode().ok()? == said).then_some((foresight, record.input))
    }
}

/// What keeps an op from being asked about, whatever its author gave before.
pub(super) fn fault_of(op: &Op, governance: &Governance, received: u64) -> Option<Code> {
    let binding = &governance.binding;
    if op.ulid.milliseconds() > received.saturating_add(binding.ahead) {
        Some(Code::CLOCK_SKEW)
    } else if op.resource.as_ref().is_some_and(|resource| Resource::parse(resource).is_none()) {
        Some(Code::BAD_PATH)
    } else if !governance.binds(&op.actor, &op.author) {
        Some(Code::ACTOR_UNBOUND)
    } else if !binding.takes(&op.fold_root, &op.policy_root)
        || (!op.is_governance() && binding.closed.is_some_and(|closed| Some(op.ulid) <= closed.ulid))
    {
        Some(Code::EPOCH_BROKEN)
    } else {
        op.caps.as_ref().and_then(|caps| governance.fault_of_caps(caps, &op.actor, received))
    }
}

/// The record of an op that the policy was not asked about.
pub(super) fn rejected(position: u64, op: Hash, code: Code, governance: &Governance, received: u64) -> Record {
    let (outcome, governance) = (Outcome::Rejected(code), governance.position);
    Record { position, op, outcome, rules: Vec::new(), input: None, received, governance }
}

/// The record of an op that the policy is asked about, as far as it is the policy's to decide.
pub(super) fn decided(
    position: u64,
    op: &Checked,
    governance: &Governance,
    received: u64,
    gate: &mut Gate<'_>,
) -> Record {
    let mut asked = Vec::new();
    let answer = match gate.ask(op.plain(), governance, received, &mut asked) {
        Ok(answer) => (answer, hash(Context::GateInput, &asked)),
        Err(_) => (None, [0; 32]),
    };
    answered(position, op.id, answer, governance, received)
}

/// The record of an op about which the policy gave an answer, or none, when it was asked what has this hash.
fn answered(
    position: u64,
    op: Hash,
    (answer, input): (Option<Answer>, Hash),
    governance: &Governance,
    received: u64,
) -> Record {
    let (outcome, rules) = match answer {
        Some(Answer { is_allowed: true, rules }) => (Outcome::Admitted, rules),
        Some(Answer { rules, .. }) => (Outcome::Denied, rules),
        None => (Outcome::Rejected(Code::POLICY_FAULT), Vec::new()),
    };
    Record { position, op, outcome, rules, input: Some(input), received, governance: governance.position }
}
