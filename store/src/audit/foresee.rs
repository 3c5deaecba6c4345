//! Foreseeing what becomes of ops, many of them together: their short texts are hashed in several lanes at once.

use super::ahead::{Content, Given, Known};
use crate::document::{Hash, Together};
use crate::fold::write_document;
use crate::gate::Gate;
use crate::log::{Foresight, Standing};
use crate::op::{Op, Plain, payload_roots};
use crate::pack::{self, OpParts};
use kerai_vm::bytecode::Order;
use kerai_vm::encoding::root::{Context, Root};
use std::ops::Range;

/// Ops that are looked at together: so many that all lanes are used, and so few that they stay in the processor's cache.
pub(super) const TOGETHER: usize = 64;

/// The parts of what is none of these ops: there is no op of such a body.
const NOTHING: OpParts<'_> = OpParts { record: &[], body: &[], payload: &[], salts: &[], signature: [0; 64] };

/// What becomes of an op that is right by itself, what its fold gets, and the signature that is still to be looked at.
pub(super) type Foreknown = (Foresight, Range<usize>, [u8; 64]);

/// Who foresees, with the policy at work.
#[derive(Default)]
pub(super) struct Foreseer<'p> {
    gate: Option<Gate<'p>>,
    /// What the policy was asked.
    asked: Together,
}

impl<'p> Foreseer<'p> {
    /// What becomes of ops, whose folds' documents are appended; none where anything speaks against one.
    pub(super) fn foresee(
        &mut self,
        ops: &[Given],
        contents: &[u8],
        known: &Known<'p>,
        documents: &mut Vec<u8>,
    ) -> Vec<Option<Foreknown>> {
        let Some(standing) = &known.standing else { return ops.iter().map(|_| None).collect() };
        if self.gate.as_ref().is_none_or(|gate| !gate.is_of(standing.policy)) {
            self.gate = Some(Gate::new(standing.policy));
        }
        let parts_of = |given: &Given| match &given.content {
            Content::Packed(range) => pack::op_parts(contents.get(range.clone())?),
            Content::Open(_) => None,
        };
        let parts: Vec<OpParts<'_>> = ops.iter().map(|given| parts_of(given).unwrap_or(NOTHING)).collect();
        let ids = hash_each(Context::Op, parts.iter().map(|parts| parts.body));
        let leaves = hash_each(Context::LogLeaf, parts.iter().map(|parts| parts.record));
        let roots = payload_roots(parts.iter().map(|parts| (parts.payload, parts.salts)));
        let (mut foreseen, mut guessed) = (Vec::with_capacity(ops.len()), Vec::with_capacity(ops.len()));
        let each = ops.iter().zip(&parts).zip(ids.iter().zip(leaves)).zip(roots);
        for (number, (((given, parts), (id, leaf)), root)) in each.enumerate() {
            let before = self.asked.count();
            let one = root.and_then(|root| {
                let op = Op::decode(parts.body).ok().filter(|op| op.payload_root == root)?;
                let plain = Plain { id, op: &op, payload: parts.payload };
                self.foresee_one(plain, given.position, (parts.record, leaf), standing, known.order, documents)
            });
            match &one {
                Some((_, _, Some(input))) => guessed.push((number, *input)),
                Some(_) | None => self.asked.truncate(before),
            }
            foreseen.push(one.map(|(foresight, document, _)| (foresight, document, parts.signature)));
        }
        for ((number, input), computed) in guessed.into_iter().zip(self.asked.hash(Context::GateInput)) {
            if let Some(wrong) = foreseen.get_mut(number).filter(|_| input != computed) {
                *wrong = None;
            }
        }
        self.asked.truncate(0);
        foreseen
    }

    /// What becomes of an op whose payload has its root, its document, and what hash what the policy was asked must have.
    fn foresee_one(
        &mut self,
        op: Plain<'_>,
        position: u64,
        record: (&[u8], Hash),
        standing: &Standing<'p>,
        order: Order,
        documents: &mut Vec<u8>,
    ) -> Option<(Foresight, Range<usize>, Option<Hash>)> {
        if !op.can_be_given() {
            return None;
        }
        let gate = self.gate.as_mut()?;
        let (foresight, input) = standing.foresee(op, position, record, gate, &mut self.asked)?;
        let from = documents.len();
        if foresight.is_admitted {
            write_document(op, foresight.received, order, documents).ok()?;
        }
        Some((foresight, from..documents.len(), input))
    }
}

fn hash_each<'t>(context: Context, texts: impl Iterator<Item = &'t [u8]>) -> Vec<Hash> {
    Root::of_each(context, &texts.collect::<Vec<_>>())
}
