//! The gate: what a policy program is asked about an op, and what it answers.
//!
//! The calling convention. A policy exports `decide(input)` and returns two values: `"allow"` or `"deny"`, and the list
//! of the ids of the rules that decided, each one of the program's own rules or `default`. The gate sorts the ids and
//! drops repeated ones. Whatever else happens, a trap included, is `POLICY_FAULT`, and the op is not admitted.

use crate::code::{Code, Refused};
use crate::document::{Form, Hash, hash, text_of, texts_of};
use crate::governance::Governance;
use crate::limit::{self, length};
use crate::op::{Checked, Resource};
use kerai_vm::bytecode::{Limits, Verified};
use kerai_vm::encoding::root::Context;
use kerai_vm::encoding::{Options, cbor};
use kerai_vm::execute::Machine;
use kerai_vm::refusal::Refusal;
use kerai_vm::value::{Heap, Value};

/// The rule that decides where no rule of the program does.
pub const DEFAULT_RULE: &str = "default";

/// What a policy answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub is_allowed: bool,
    /// Ascending, each once.
    pub rules: Vec<String>,
    /// The hash of what the policy was asked.
    pub input: Hash,
}

/// A policy at work: one machine for many ops.
pub struct Gate<'p> {
    program: &'p Verified,
    machine: Machine<'p>,
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
        // The seed can't be observed in any result.
        Gate { program, machine: Machine::new(program, 0, Limits::DEFAULT) }
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
        let mark = self.machine.heap().mark();
        let undecided = |input, what: String| Undecided { input, what };
        let (value, input) = input(self.machine.heap(), op, governance, received)
            .map_err(|refusal| undecided([0; 32], refusal.to_string()))?;
        let answer = match self.machine.call("decide", &[value]) {
            Some(Ok(results)) => self.read(&results).ok_or_else(|| undecided(input, "a wrong answer".into())),
            Some(Err(trap)) => Err(undecided(input, trap.to_string())),
            None => Err(undecided(input, "no export `decide`".into())),
        };
        self.machine.heap().rewind(mark);
        answer.map(|(is_allowed, rules)| Decision { is_allowed, rules, input })
    }

    fn read(&self, results: &[Value]) -> Option<(bool, Vec<String>)> {
        let &[decision, rules] = results else { return None };
        let heap = self.machine.values();
        let is_allowed = match text_of(heap, decision)?.as_str() {
            "allow" => true,
            "deny" => false,
            _ => return None,
        };
        let mut rules = texts_of(heap, rules)?;
        rules.sort_unstable();
        rules.dedup();
        let known = &self.program.program().rules;
        let is_known = |rule: &String| rule == DEFAULT_RULE || known.iter().any(|known| known.id == *rule);
        let is_answer = !rules.is_empty() && rules.len() <= length(limit::GATE_RULES) && rules.iter().all(is_known);
        is_answer.then_some((is_allowed, rules))
    }

    /// Why the least of the rules decided as it did, in the words of the policy.
    #[must_use]
    pub fn reason(program: &Verified, rules: &[String]) -> String {
        let Some(least) = rules.first() else { return String::new() };
        match program.program().rules.iter().find(|rule| rule.id == *least) {
            Some(rule) => rule.reason.clone(),
            None => "no rule allows it".into(),
        }
    }
}

/// What the policy is asked: the op's parts under the names of the standard schema, and governance's rows.
/// What the op lacks is missing here too.
fn input(heap: &mut Heap, op: &Checked, governance: &Governance, received: u64) -> Result<(Value, Hash), Refusal> {
    let mut form = Form::new();
    let body = &op.op;
    let resource = body.resource.as_deref().and_then(Resource::parse);
    let texts = [
        ("intent", Some(body.kind.as_str())),
        ("type", Some(&body.kind)),
        ("actor", Some(&body.actor)),
        ("resource", body.resource.as_deref()),
        ("path", resource.map(|resource| resource.path)),
        ("remote", resource.map(|resource| resource.repo)),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            form.text(name, text);
        }
    }
    form.integer("epoch", governance.binding.epoch).integer("received_ms", received);
    let documents = [
        ("payload", Some(&op.signed.payload)),
        ("caps", body.caps.as_ref()),
        ("labels", body.labels.as_ref()),
        ("groups", Some(&governance.groups)),
        ("grants", Some(&governance.grants)),
        ("trust", Some(&governance.trust)),
    ];
    for (name, document) in documents {
        if let Some(document) = document {
            form.document(name, document);
        }
    }
    let bytes = form.finish()?;
    Ok((cbor::decode(heap, &bytes, &Options::CANONICAL)?, hash(Context::GateInput, &bytes)))
}

/// The refusal that an undecided policy comes to.
#[must_use]
pub fn fault(undecided: &Undecided) -> Refused {
    Refused::new(Code::POLICY_FAULT, undecided.what.clone())
}
