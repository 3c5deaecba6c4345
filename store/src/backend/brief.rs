//! Brief forms: what of an op's body and of its record does not follow from the rest of its row, from its stream and from
//! the programs that were bound.
//!
//! Bodies and records have one form each, so that the whole is made again byte for byte. A brief form is a list and a whole
//! one is a map: whatever can't be brief is kept whole, and a form that can't be read is taken as it stands.

use crate::document::{Hash, Scratch, encode, text_of, texts_of};
use crate::log::{Outcome, Record};
use crate::op::Op;
use kerai_vm::encoding::{Options, cbor, text};
use kerai_vm::ulid::Ulid;
use kerai_vm::value::{Heap, Value};

/// Parts of a brief body, and of a brief record.
const BODY: usize = 7;
const RECORD: usize = 5;

/// What brief forms begin with: the head of a list, where whole ones have that of a map.
const LISTS: std::ops::RangeInclusive<u8> = 0x80..=0x9f;

/// What is known of an op without its body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) stream: Hash,
    pub(super) author: Hash,
    pub(super) sequence: u64,
    pub(super) ulid: [u8; 16],
    pub(super) fold_root: Hash,
    pub(super) policy_root: Hash,
}

/// Puts the body of an op of a stream under what was bound, brief or whole.
pub(super) fn put_body(out: &mut Vec<u8>, op: &Op, whole: &[u8], roots: (&Hash, &Hash), stream: &Hash) {
    if op.stream.as_ref() != Some(stream) || (&op.fold_root, &op.policy_root) != roots {
        return out.extend_from_slice(whole);
    }
    cbor::write_list(out, BODY);
    match &op.previous {
        Some(previous) => cbor::write_bytes(out, previous),
        None => cbor::write_null(out),
    }
    cbor::write_bytes(out, &op.payload_root);
    cbor::write_text(out, op.kind.as_bytes());
    cbor::write_text(out, op.actor.as_bytes());
    match &op.resource {
        Some(resource) => cbor::write_text(out, resource.as_bytes()),
        None => cbor::write_null(out),
    }
    for document in [&op.caps, &op.labels] {
        match document {
            Some(document) => out.extend_from_slice(document),
            None => cbor::write_null(out),
        }
    }
}

/// Puts a record without its position and its op, brief or whole.
pub(super) fn put_record(out: &mut Vec<u8>, record: &Record, whole: &[u8]) {
    if record.rules.iter().any(|rule| text::check(rule.as_bytes()).is_err()) {
        return out.extend_from_slice(whole);
    }
    cbor::write_list(out, RECORD);
    match record.outcome.code() {
        Some(code) => cbor::write_text(out, code.name().as_bytes()),
        None => cbor::write_null(out),
    }
    cbor::write_list(out, record.rules.len());
    record.rules.iter().for_each(|rule| cbor::write_text(out, rule.as_bytes()));
    match &record.input {
        Some(input) => cbor::write_bytes(out, input),
        None => cbor::write_null(out),
    }
    cbor::write_integer(out, record.received);
    cbor::write_integer(out, record.governance);
}

fn is_brief(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(|head| LISTS.contains(head))
}

fn hash_of(heap: &Heap, value: Value) -> Option<Hash> {
    heap.as_bytes(value)?.try_into().ok()
}

/// A part that may be null.
fn maybe<T>(value: Value, read: impl FnOnce(Value) -> Option<T>) -> Option<Option<T>> {
    if value.is_nil() { Some(None) } else { read(value).map(Some) }
}

/// The op that a brief body is of; none where it is whole, or in no form.
fn brief_op(bytes: &[u8], known: &Known) -> Option<Op> {
    if !is_brief(bytes) {
        return None;
    }
    let heap = &mut Scratch::new();
    let list = cbor::decode(heap, bytes, &Options::CANONICAL).ok()?;
    let &[previous, payload_root, kind, actor, resource, caps, labels] = heap.items(list)? else { return None };
    Some(Op {
        stream: Some(known.stream),
        ulid: Ulid::from_bytes(known.ulid),
        author: known.author,
        actor: text_of(heap, actor)?,
        sequence: known.sequence,
        previous: maybe(previous, |previous| hash_of(heap, previous))?,
        resource: maybe(resource, |resource| text_of(heap, resource))?,
        kind: text_of(heap, kind)?,
        payload_root: hash_of(heap, payload_root)?,
        caps: maybe(caps, |caps| encode(heap, caps).ok())?,
        labels: maybe(labels, |labels| encode(heap, labels).ok())?,
        fold_root: known.fold_root,
        policy_root: known.policy_root,
    })
}

/// The whole body, and the op where it is known from its brief form.
pub(super) fn body_of(bytes: Vec<u8>, known: &Known) -> (Vec<u8>, Option<Op>) {
    match brief_op(&bytes, known).and_then(|op| Some((op.to_body().ok()?, op))) {
        Some((body, op)) => (body, Some(op)),
        None => (bytes, None),
    }
}

fn brief_record(bytes: &[u8], position: u64, op: Hash) -> Option<Record> {
    if !is_brief(bytes) {
        return None;
    }
    let heap = &mut Scratch::new();
    let list = cbor::decode(heap, bytes, &Options::CANONICAL).ok()?;
    let &[code, rules, input, received, governance] = heap.items(list)? else { return None };
    let number = |value: Value| u64::try_from(value.as_i64()?).ok();
    let code = maybe(code, |code| text_of(heap, code))?;
    Some(Record {
        position,
        op,
        outcome: Outcome::of_code(code.as_deref())?,
        rules: texts_of(heap, rules)?,
        input: maybe(input, |input| hash_of(heap, input))?,
        received: number(received)?,
        governance: number(governance)?,
    })
}

/// The whole record of an op at a position, and when the log received it.
pub(super) fn record_of(bytes: Vec<u8>, position: u64, op: Hash) -> (Vec<u8>, u64) {
    match brief_record(&bytes, position, op).and_then(|record| Some((record.encode().ok()?, record.received))) {
        Some(whole) => whole,
        None => {
            let received = Record::decode(&bytes).map_or(0, |record| record.received);
            (bytes, received)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code::Code;

    fn op(number: u8) -> Op {
        let list = |number: u8| vec![0x82, 0x01, number % 24];
        Op {
            stream: Some([1; 32]),
            ulid: Ulid::from_bytes([number; 16]),
            author: [2; 32],
            actor: "keeper".into(),
            sequence: 2 + u64::from(number) * 77,
            previous: Some([number; 32]),
            resource: number.is_multiple_of(2).then(|| "gatos://acme/ledger/Reykjavík".into()),
            kind: "row.set".into(),
            payload_root: [number; 32],
            caps: number.is_multiple_of(3).then(|| list(number)),
            labels: number.is_multiple_of(5).then(|| list(number)),
            fold_root: [3; 32],
            policy_root: [4; 32],
        }
    }

    fn known(op: &Op) -> Known {
        let Op { author, sequence, .. } = *op;
        Known { stream: [1; 32], author, sequence, ulid: op.ulid.to_bytes(), fold_root: [3; 32], policy_root: [4; 32] }
    }

    #[test]
    fn a_body_comes_back() {
        for number in 0..60 {
            let mut one = op(number);
            let other = match number % 7 {
                // What is kept whole.
                5 => &mut one.fold_root,
                6 => &mut one.policy_root,
                _ => &mut [0; 32],
            };
            other[0] ^= 1;
            let (body, mut kept) = (one.encode().expect("a body"), Vec::new());
            put_body(&mut kept, &one, &body, (&[3; 32], &[4; 32]), &[1; 32]);
            assert_eq!(is_brief(&kept), number % 7 < 5);
            assert!(kept.len() * 2 < body.len() || !is_brief(&kept));
            let (again, read) = body_of(kept.clone(), &known(&one));
            assert_eq!((&again, read.is_none_or(|read| read == one)), (&body, true));
            // What is in no form is taken as it stands.
            kept.push(0);
            assert_eq!(body_of(kept.clone(), &known(&one)).0, kept);
        }
    }

    #[test]
    fn a_record_comes_back() {
        let outcomes = [Outcome::Admitted, Outcome::Denied, Outcome::Rejected(Code::BAD_PATH)];
        for (number, outcome) in (0_u64..).zip(outcomes.into_iter().cycle().take(9)) {
            let rules = (0..number).map(|rule| format!("rule-{rule}")).collect();
            let input = (number > 3).then_some([7; 32]);
            let (position, received, governance) = (number + 1, number << 40, 1);
            let record = Record { position, op: [9; 32], outcome, rules, input, received, governance };
            let (whole, mut kept) = (record.encode().expect("a record"), Vec::new());
            put_record(&mut kept, &record, &whole);
            assert_eq!(record_of(kept, position, [9; 32]), (whole.clone(), received));
            assert_eq!(record_of(whole.clone(), 5, [5; 32]), (whole, received));
        }
        for bytes in [&[][..], &[0x85], &[0x80], &[0xff; 9]] {
            assert_eq!(record_of(bytes.to_vec(), 1, [9; 32]), (bytes.to_vec(), 0));
        }
    }
}
