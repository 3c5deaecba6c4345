//! Foreseeing what becomes of ops, many of them together: their short texts are hashed in several lanes at once.

use super::ahead::{Content, Given, Known};
use crate::document::{Hash, Together};
use crate::fold::write_document;
use crate::gate::Gate;
use crate::log::{Foresight, Judged, Standing};
use crate::op::{Op, Plain, payload_roots};
use crate::pack::{self, OpParts};
use kerai_vm::encoding::root::{Context, Root};
use std::ops::Range;

/// Ops that are looked at together: so many that all lanes are used, and so few that they stay in the processor's cache.
pub(super) const TOGETHER: usize = 64;

/// The parts of what is none of these ops: there is no op of such a body.
const NOTHING: OpParts<'_> = OpParts { record: &[], body: &[], payload: &[], salts: &[], signature: [0; 64] };

/// What becomes of an op that is right by itself, what its fold gets, and the signature that is still to be looked at.
pub(super) type Foreknown = (Foresight, Range<usize>, [u8; 64]);

/// Who foresees, with the policy at work.
pub(super) struct Foreseer<'p> {
    gate: Option<Gate<'p>>,
}

impl<'p> Foreseer<'p> {
    pub(super) const fn new() -> Foreseer<'p> {
        Foreseer { gate: None }
    }

    /// What becomes of ops, whose folds' documents are appended; none where anything speaks against one.
    pub(super) fn foresee(
        &mut self,
        ops: &[Given],
        contents: &[u8],
        known: &Known<'p>,
        documents: &mut Vec<u8>,
    ) -> Vec<Option<Foreknown>> {
        let Some(standing) = &known.standing else { return ops.iter().map(|_| None).collect() };
        let parts_of = |given: &Given| match &given.content {
            Content::Packed(range) => pack::op_parts(contents.get(range.clone())?),
            Content::Open(..) => None,
        };
        let parts: Vec<OpParts<'_>> = ops.iter().map(|given| parts_of(given).unwrap_or(NOTHING)).collect();
        let ids = hash_each(Context::Op, parts.iter().map(|parts| parts.body));
        let leaves = hash_each(Context::LogLeaf, parts.iter().map(|parts| parts.record));
        let (judged, asked) = self.judge(standing, &parts, &ids);
        let asked = asked.hash(Context::GateInput);
        let mut foreseen = Vec::with_capacity(ops.len());
        for ((((given, parts), id), leaf), judged) in ops.iter().zip(&parts).zip(&ids).zip(leaves).zip(judged) {
            let foresee = |(op, judged): (Op, Judged)| {
                let plain = Plain { id, op: &op, payload: parts.payload };
                let foresight = standing.foresee(plain, judged, &asked, given.position, parts.record, leaf)?;
                let from = documents.len();
                if foresight.is_admitted {
                    write_document(plain, foresight.received, known.order, documents).ok()?;
                }
                Some((foresight, from..documents.len(), parts.signature))
            };
            foreseen.push(judged.and_then(foresee));
        }
        foreseen
    }

    /// What is decided about ops that are right by themselves, and what the policy was asked.
    fn judge(
        &mut self,
        standing: &Standing<'p>,
        parts: &[OpParts<'_>],
        ids: &[Hash],
    ) -> (Vec<Option<(Op, Judged)>>, Together) {
        let kept = self.gate.take().filter(|gate| gate.is_of(standing.policy));
        let gate = self.gate.insert(kept.unwrap_or_else(|| Gate::new(standing.policy)));
        let roots = payload_roots(parts.iter().map(|parts| (parts.payload, parts.salts)));
        let mut asked = Together::default();
        let judge = |((parts, id), root): ((&OpParts<'_>, &Hash), Option<Hash>)| {
            let (root, op) = (root?, Op::decode(parts.body).ok()?);
            let plain = Plain { id, op: &op, payload: parts.payload };
            let judged =
                if plain.is_right(&root) { standing.judge(plain, parts.record, gate, &mut asked) } else { None };
            judged.map(|judged| (op, judged))
        };
        (parts.iter().zip(ids).zip(roots).map(judge).collect(), asked)
    }
}

fn hash_each<'t>(context: Context, texts: impl Iterator<Item = &'t [u8]>) -> Vec<Hash> {
    Root::of_each(context, &texts.collect::<Vec<_>>())
}
