//! The gate: what a policy program is asked about an op, and what it answers.
//!
//! The answer is read as all policies' are (`kerai_vm::execute::Decider`). Whatever else happens, a trap included, is
//! `POLICY_FAULT`, and the op is not admitted.

use crate::code::{Code, Refused};
use crate::document::{Form, Hash, hash};
use crate::governance::Governance;
use crate::limit::{self, length};
use crate::op::{Checked, Resource};
use kerai_vm::bytecode::Verified;
use kerai_vm::encoding::root::Context;
use kerai_vm::encoding::{Options, cbor};
use kerai_vm::execute::{Decider, NO_RULE};
use kerai_vm::refusal::Refusal;
use kerai_vm::value::{Heap, Value};

/// What is said of an answer with more rules than a record has room for.
const TOO_MANY: &str = "more rules decided than are recorded";

/// What a policy answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub is_allowed: bool,
    /// Ascending, each once.
    pub rules: Vec<String>,
    /// The hash of what the policy was asked.
    pub input: Hash,
}

/// A policy at work: one for many ops.
pub struct Gate<'p> {
    program: &'p Verified,
    decider: Decider<'p>,
}

/// What the policy could not decide, and what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecided {
    pub input: Hash,
    pub what: String,
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

    /// Asks the policy about an op.
    ///
    /// # Errors
    /// Where it does not answer as policies do.
    pub fn decide(&mut self, op: &Checked, governance: &Governance, received: u64) -> Result<Decision, Undecided> {
        let mark = self.decider.heap().mark();
        let (value, input) = input(self.decider.heap(), op, governance, received)
            .map_err(|refusal| Undecided { input: [0; 32], what: refusal.to_string() })?;
        let answer = match self.decider.decide(value) {
            Ok(decision) => Ok(Decision { is_allowed: decision.is_allowed, rules: decision.ids(), input }),
            Err(undecided) => Err(undecided.to_string()),
        };
        self.decider.heap().rewind(mark);
        let is_short = |decision: &Decision| decision.rules.len() <= length(limit::GATE_RULES);
        let answer = answer.and_then(|decision| if is_short(&decision) { Ok(decision) } else { Err(TOO_MANY.into()) });
        answer.map_err(|what| Undecided { input, what })
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
fn input(heap: &mut Heap, op: &Checked, governance: &Governance, received: u64) -> Result<(Value, Hash), Refusal> {
    let mut form = Form::new();
    let body = &op.op;
    let resource = body.resource.as_deref().and_then(Resource::parse);
    form.document_if("caps", body.caps.as_ref()).text_if("path", resource.map(|resource| resource.path));
    form.text("type", &body.kind).text("actor", &body.actor).integer("epoch", governance.binding.epoch);
    form.document("trust", &governance.trust).document("grants", &governance.grants);
    form.document("groups", &governance.groups).text("intent", &body.kind);
    form.document_if("labels", body.labels.as_ref()).text_if("remote", resource.map(|resource| resource.repo));
    form.document("payload", &op.signed.payload).text_if("resource", body.resource.as_deref());
    form.integer("received_ms", received);
    let bytes = form.finish()?;
    Ok((cbor::decode(heap, &bytes, &Options::CANONICAL)?, hash(Context::GateInput, &bytes)))
}

/// The refusal that an undecided policy comes to.
#[must_use]
pub fn fault(undecided: &Undecided) -> Refused {
    Refused::new(Code::POLICY_FAULT, undecided.what.clone())
}
