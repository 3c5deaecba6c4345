//! The gate: what a policy program is asked about an op, and what it answers.
//!
//! The answer is read as all policies' are (`kerai_vm::execute::Decider`). Whatever else happens, a trap included, is
//! `POLICY_FAULT`, and the op is not admitted.

use crate::document::Form;
use crate::governance::Governance;
use crate::limit::{self, length};
use crate::op::{Plain, Resource};
use kerai_vm::bytecode::Verified;
use kerai_vm::encoding::{Options, cbor};
use kerai_vm::execute::{Decider, NO_RULE};
use kerai_vm::refusal::Refusal;
use kerai_vm::value::{Heap, Value};

/// What a policy answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) is_allowed: bool,
    /// Ascending, each once.
    pub(crate) rules: Vec<String>,
}

/// A policy at work: one for many ops.
pub struct Gate<'p> {
    program: &'p Verified,
    decider: Decider<'p>,
}

impl<'p> Gate<'p> {
    #[must_use]
    pub fn new(program: &'p Verified) -> Gate<'p> {
        Gate { program, decider: Decider::new(program) }
    }

    /// Whether this program is at work, and no other.
    #[must_use]
    pub fn is_of(&self, program: &Verified) -> bool {
        std::ptr::eq(self.program, program)
    }

    /// Asks the policy about an op; none where it does not answer as policies do. What it is asked is appended.
    ///
    /// # Errors
    /// Where there is no form of what it would be asked.
    pub(crate) fn ask(
        &mut self,
        op: Plain<'_>,
        governance: &Governance,
        received: u64,
        asked: &mut Vec<u8>,
    ) -> Result<Option<Answer>, Refusal> {
        let mark = self.decider.heap().mark();
        let value = input(self.decider.heap(), op, governance, received, asked)?;
        let decision = self.decider.decide(value).ok();
        let answer = decision.map(|decision| Answer { is_allowed: decision.is_allowed, rules: decision.ids() });
        self.decider.heap().rewind(mark);
        Ok(answer.filter(|answer| answer.rules.len() <= length(limit::GATE_RULES)))
    }

    /// Why the least of the rules decided as it did, in the words of the policy.
    #[must_use]
    pub fn reason(program: &Verified, rules: &[String]) -> String {
        let Some(least) = rules.first() else { return String::new() };
        match program.program().rules.iter().find(|rule| *rule.id == **least) {
            Some(rule) => rule.reason.to_string(),
            None => NO_RULE.into(),
        }
    }
}

/// What the policy is asked: the op's parts under the names of the standard schema, and governance's rows.
/// What the op lacks is missing here too.
fn input(
    heap: &mut Heap,
    op: Plain<'_>,
    governance: &Governance,
    received: u64,
    out: &mut Vec<u8>,
) -> Result<Value, Refusal> {
    let mut form = Form::new();
    let (body, begin) = (op.op, out.len());
    let resource = body.resource.as_deref().and_then(Resource::parse);
    form.document_if("caps", body.caps.as_ref()).text_if("path", resource.map(|resource| resource.path));
    form.text("type", &body.kind).text("actor", &body.actor).integer("epoch", governance.binding.epoch);
    form.document("trust", &governance.trust).document("grants", &governance.grants);
    form.document("groups", &governance.groups).text("intent", &body.kind);
    form.document_if("labels", body.labels.as_ref()).text_if("remote", resource.map(|resource| resource.repo));
    form.document("payload", op.payload).text_if("resource", body.resource.as_deref());
    form.integer("received_ms", received);
    form.finish_into(out)?;
    cbor::decode(heap, out.get(begin..).unwrap_or_default(), &Options::CANONICAL)
}
