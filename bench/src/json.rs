//! JSON: strict decoding and canonical encoding beside serde_json.

use crate::cbor::{HELD, total, unit, work};
use crate::events::{Documents, Events};
use crate::harness::{Contender, Outcome, Plan, Report, Role, measure};
use crate::ours;
use serde_json::Value;
use std::hint::black_box;

pub fn decode(events: &Events, plan: &Plan) -> Outcome<Report> {
    let documents = &events.json;
    ours::verify_json(documents)?;
    verify_peer(documents)?;
    let (work, count) = (work(documents), documents.count() as u64);
    measure(
        unit(documents),
        plan.rounds,
        vec![
            Contender::new(Role::Ours, "kerai", work, count, ours::decode_json(documents)),
            Contender::new(Role::Peer, "serde_json", work, count, || {
                documents.tally(|bytes| serde_decode(bytes).map(black_box).is_some())
            }),
        ],
    )
}

pub fn encode(events: &Events, plan: &Plan) -> Outcome<Report> {
    let documents = &events.json.first(HELD);
    ours::verify_json(documents)?;
    verify_peer(documents)?;
    let (work, bytes) = (work(documents), documents.bytes().len() as u64);
    let values: Vec<Value> = documents.each().filter_map(serde_decode).collect();
    let mut out = Vec::with_capacity(1024);
    measure(
        unit(documents),
        plan.rounds,
        vec![
            Contender::new(Role::Ours, "kerai", work, bytes, ours::encode_json(documents)?),
            Contender::new(Role::Peer, "serde_json", work, bytes, || {
                total(&values, |value| Some(black_box(serde_json::to_vec(value).ok()?).len()))
            }),
            // Ours writes into a buffer that is kept, so the peer may do so too.
            Contender::new(Role::Peer, "serde_json-kept-buffer", work, bytes, || {
                total(&values, |value| {
                    out.clear();
                    serde_json::to_writer(&mut out, value).ok()?;
                    Some(black_box(&out).len())
                })
            }),
        ],
    )
}

fn serde_decode(bytes: &[u8]) -> Option<Value> {
    serde_json::from_slice(bytes).ok()
}

/// Its maps are sorted and these numbers survive a float, so it must give the canonical bytes again.
fn verify_peer(documents: &Documents) -> Outcome<()> {
    for (index, bytes) in documents.each().enumerate() {
        let again = serde_decode(bytes).and_then(|value| serde_json::to_vec(&value).ok());
        if again.as_deref() != Some(bytes) {
            return Err(format!("serde_json changes event {index}"));
        }
    }
    Ok(())
}
