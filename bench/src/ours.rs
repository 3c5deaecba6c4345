//! kerai's side of every benchmark: the one place that knows its interface.

use crate::events::Documents;
use crate::harness::Outcome;
use kerai_vm::encoding::root::{Context, Root};
use kerai_vm::encoding::{Options, cbor, json};
use kerai_vm::refusal::Refusal;
use kerai_vm::value::{Heap, Value};
use std::hint::black_box;

/// The seed of the in-memory maps; any other gives the same results.
const SEED: u64 = 0x6b65_7261_6900_0001;

/// A pass that decodes every document and forgets it: rewinding the heap is part of the cost.
fn decode<'a, F>(documents: &'a Documents, decode: F) -> impl FnMut() -> u64 + 'a
where
    F: Fn(&mut Heap, &[u8]) -> Result<Value, Refusal> + 'a,
{
    let mut heap = Heap::new(SEED);
    move || {
        documents.tally(|bytes| {
            let mark = heap.mark();
            let decoded = decode(&mut heap, bytes).map(black_box).is_ok();
            heap.rewind(mark);
            decoded
        })
    }
}

pub fn decode_cbor(documents: &Documents) -> impl FnMut() -> u64 + '_ {
    let options = Options::default();
    decode(documents, move |heap, bytes| cbor::decode(heap, bytes, &options))
}

pub fn decode_json(documents: &Documents) -> impl FnMut() -> u64 + '_ {
    let options = Options::default();
    decode(documents, move |heap, bytes| json::decode(heap, bytes, &options))
}

pub fn check_cbor(documents: &Documents) -> impl FnMut() -> u64 + '_ {
    let options = Options::default();
    move || documents.tally(|bytes| cbor::check(bytes, &options).is_ok())
}

/// A pass that encodes values decoded beforehand, each into the same cleared buffer.
fn encode<'a, D, E>(documents: &Documents, decode: D, encode: E) -> Outcome<impl FnMut() -> u64 + 'a>
where
    D: Fn(&mut Heap, &[u8]) -> Result<Value, Refusal>,
    E: Fn(&Heap, Value, &mut Vec<u8>) -> Result<(), Refusal> + 'a,
{
    let mut heap = Heap::new(SEED);
    let values: Vec<Value> =
        documents.each().map(|bytes| decode(&mut heap, bytes)).collect::<Result<_, _>>().map_err(said)?;
    let mut out = Vec::with_capacity(1024);
    Ok(move || {
        let mut total = 0;
        for &value in &values {
            out.clear();
            if encode(&heap, value, &mut out).is_ok() {
                total += black_box(&out).len();
            }
        }
        total as u64
    })
}

pub fn encode_cbor(documents: &Documents) -> Outcome<impl FnMut() -> u64 + '_> {
    let options = Options::default();
    encode(
        documents,
        move |heap, bytes| cbor::decode(heap, bytes, &options),
        move |heap, value, out| cbor::encode(heap, value, &options, out),
    )
}

pub fn encode_json(documents: &Documents) -> Outcome<impl FnMut() -> u64 + '_> {
    let options = Options::default();
    encode(
        documents,
        move |heap, bytes| json::decode(heap, bytes, &options),
        move |heap, value, out| json::encode(heap, value, &options, out),
    )
}

/// Every event decodes, and encodes to the same bytes again.
pub fn verify_cbor(documents: &Documents) -> Outcome<()> {
    let options = Options::default();
    verify(documents, |heap, bytes, out| {
        let value = cbor::decode(heap, bytes, &options)?;
        cbor::encode(heap, value, &options, out)
    })
}

pub fn verify_json(documents: &Documents) -> Outcome<()> {
    let options = Options::default();
    verify(documents, |heap, bytes, out| {
        let value = json::decode(heap, bytes, &options)?;
        json::encode(heap, value, &options, out)
    })
}

fn verify<F>(documents: &Documents, mut again: F) -> Outcome<()>
where
    F: FnMut(&mut Heap, &[u8], &mut Vec<u8>) -> Result<(), Refusal>,
{
    let mut heap = Heap::new(SEED);
    let mut out = Vec::new();
    for (index, bytes) in documents.each().enumerate() {
        let mark = heap.mark();
        out.clear();
        again(&mut heap, bytes, &mut out).map_err(said)?;
        heap.rewind(mark);
        if out != bytes {
            return Err(format!("kerai changes event {index}"));
        }
    }
    Ok(())
}

/// Every event passes the check; with its keys out of order neither the check nor the decoder takes it.
pub fn verify_check(documents: &Documents) -> Outcome<()> {
    let options = Options::default();
    let mut heap = Heap::new(SEED);
    for (index, bytes) in documents.each().enumerate() {
        cbor::check(bytes, &options).map_err(said)?;
        let mut disordered = bytes.to_vec();
        // The key `type` becomes `zype`, which belongs behind `ulid`.
        if let Some(letter) = disordered.get_mut(2) {
            *letter = b'z';
        }
        if cbor::check(&disordered, &options).is_ok() || cbor::decode(&mut heap, &disordered, &options).is_ok() {
            return Err(format!("kerai takes event {index} with its keys out of order"));
        }
    }
    Ok(())
}

/// The root of one document.
pub fn data_root(bytes: &[u8]) -> [u8; 32] {
    *Root::of_data(Context::Data, bytes).bytes()
}

fn said(refusal: Refusal) -> String {
    format!("kerai refuses an event: {refusal}")
}
