//! What is ingested together has the log that it has one after the other, whatever comes between.

use crate::desk::{
    NOW, Numbers, Place, STREAM, all_told, draft, everywhere, host, key, run, sign, signers, stock, stocked,
};
use crate::faults::is_long;
use kerai_store::Store;
use kerai_store::backend::StoredOp;
use kerai_store::op::{Op, SignedOp};
use kerai_vm::ulid::Ulid;

/// Ops of a stream but its genesis: some denied, some late, some too far ahead, and one in the middle by which governance
/// changes. Their payloads are as large.
async fn given(size: usize) -> Vec<SignedOp> {
    let place = Place::new();
    let mut store = stocked(&place, host()).await;
    let much = "x".repeat(size);
    for part in 0..4 {
        let one = |number: u64| match number % 9 {
            4 => stock(2000 - number, "late", number),
            7 if part < 2 => draft(number, "\"actor\":\"guest\",\"payload\":{\"item\":\"apple\",\"count\":99}"),
            _ => draft(number, &format!("\"payload\":{{\"count\":{number},\"item\":\"fig\",\"much\":\"{much}\"}}")),
        };
        let drafts: Vec<_> = (part * 40 + 1..part * 40 + 41).map(one).collect();
        store.append(STREAM, &signers(), &drafts).await.expect("appended");
        if part == 1 {
            store.rotate(STREAM, "guest", key("guest"), &key("another").public()).await.expect("rotated");
        }
    }
    store.ops(STREAM).await.expect("ops").into_iter().skip(1).map(|op| op.signed).collect()
}

/// The same ops with others between: again, with another payload, in another's name, out of their place, or not signed.
fn disturbed(given: &[SignedOp], numbers: &mut Numbers) -> Vec<SignedOp> {
    let mut ops = Vec::new();
    for (number, op) in given.iter().enumerate() {
        let body = Op::decode(&op.body).expect("an op");
        let other = "{\"item\":\"plum\",\"count\":1}";
        match numbers.below(12) {
            0 => ops.extend(given.get(numbers.below(number as u64 + 1) as usize).cloned()),
            1 => ops.push(SignedOp { signature: [number as u8; 64], ..op.clone() }),
            2 => ops.push(sign(Op { sequence: body.sequence + 5, ..body }, other, &key("keeper"))),
            3 => ops.push(sign(Op { author: key("nobody").public(), ..body }, other, &key("nobody"))),
            4 => ops.push(SignedOp { payload: op.payload.iter().rev().copied().collect(), ..op.clone() }),
            5 => ops.push(sign(Op { stream: Some([7; 32]), ..body }, other, &key("keeper"))),
            _ => {}
        }
        ops.push(op.clone());
        if numbers.below(12) == 0 {
            let body = Op::decode(&op.body).expect("an op");
            ops.push(sign(Op { resource: Some("gatos://a/b".into()), ..body }, other, &key("keeper")));
        }
    }
    // The chain goes on behind the last one, too far ahead of its time and then with a ULID that was there.
    let last = given.last().expect("a last op");
    let body = Op::decode(&last.body).expect("an op");
    let ahead = Ulid::from_bytes((u128::from(NOW + 900_000) << 80).to_be_bytes());
    let id = kerai_store::op::op_id(&last.body);
    let far = Op { sequence: body.sequence + 1, previous: Some(id), ulid: ahead, ..body.clone() };
    let far = sign(far, "{\"item\":\"plum\",\"count\":1}", &key("keeper"));
    let id = kerai_store::op::op_id(&far.body);
    let twice = Op { sequence: body.sequence + 2, previous: Some(id), ..body };
    ops.extend([far, sign(twice, "{\"item\":\"plum\",\"count\":2}", &key("keeper"))]);
    ops
}

/// What became of the ops, one ingested after the other or as many at a time.
async fn told(place: &Place, ops: &[SignedOp], at_a_time: usize) -> (Vec<String>, Vec<StoredOp>, Store) {
    let mut store = stocked(place, host()).await;
    let mut answers = Vec::new();
    for ops in ops.chunks(at_a_time) {
        answers.extend(all_told(&store.ingest(STREAM, ops).await.expect("ingested")));
    }
    let stored = store.ops(STREAM).await.expect("ops");
    (answers, stored, store)
}

#[test]
fn what_comes_together_is_what_comes_one_by_one() {
    everywhere(|| {
        // Of so large ones several transactions are needed, of which each is read while the one before is committed.
        let sizes: &[usize] = if is_long() { &[10, 400_000] } else { &[10] };
        for (&size, seed) in
            sizes.iter().flat_map(|size| (1..if is_long() { 20 } else { 4 }).map(move |seed| (size, seed)))
        {
            run(async {
                let ops = disturbed(&given(size).await, &mut Numbers::from(seed));
                let (place, other) = (Place::new(), Place::new());
                let (answers, stored, mut store) = told(&place, &ops, ops.len()).await;
                let (expected, alone, mut slow) = told(&other, &ops, 1).await;
                assert!(answers == expected, "seed {seed}: {answers:?} where one after the other gives {expected:?}");
                assert!(stored == alone, "seed {seed}: the logs differ");
                for code in ["PROOF_INVALID", "CLOCK_SKEW", "POLICY_DENY", "DUP_COMMIT", "CHAIN_FORK", "duplicate"] {
                    assert!(answers.iter().any(|answer| answer.ends_with(code)), "seed {seed}: no {code}: {answers:?}");
                }
                assert_eq!(
                    store.refusals(STREAM).await.expect("refusals"),
                    slow.refusals(STREAM).await.expect("refusals")
                );
                let done = store.materialize(STREAM, &key("keeper")).await.expect("materialized");
                let expected = slow.materialize(STREAM, &key("keeper")).await.expect("materialized");
                assert_eq!(done, expected, "seed {seed}");
                assert_eq!(store.verify(STREAM, &[]).await.expect("verified").first_divergence, None, "seed {seed}");
            });
        }
    });
}
