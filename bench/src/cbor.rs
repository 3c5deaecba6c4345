//! CBOR: decoding, checking and encoding beside ciborium, cbor4ii and minicbor.

use crate::events::{Documents, Events};
use crate::harness::{Contender, Outcome, Plan, Report, Role, Work, measure};
use crate::{hash, ours};
use cbor4ii::core::utils::{BufWriter, SliceReader};
use minicbor::data::Type;
use std::hint::black_box;

/// How many values are kept ready for encoding.
pub const HELD: usize = 100_000;

pub fn decode(events: &Events, plan: &Plan) -> Outcome<Report> {
    let documents = &events.cbor;
    ours::verify_cbor(documents)?;
    ours::verify_check(documents)?;
    verify_peers(documents)?;
    let (work, count) = (work(documents), documents.count() as u64);
    measure(
        unit(documents),
        plan.rounds,
        vec![
            Contender::new(Role::Ours, "kerai", work, count, ours::decode_cbor(documents)),
            Contender::new(Role::Peer, "ciborium", work, count, || {
                documents.tally(|bytes| ciborium_decode(bytes).map(black_box).is_some())
            }),
            Contender::new(Role::Peer, "cbor4ii", work, count, || {
                documents.tally(|bytes| cbor4ii_decode(bytes).map(black_box).is_some())
            }),
            hash::blake3_each(Role::Ceiling, documents),
        ],
    )
}

pub fn check(events: &Events, plan: &Plan) -> Outcome<Report> {
    let documents = &events.cbor;
    ours::verify_check(documents)?;
    verify_typed(documents)?;
    let (work, count) = (work(documents), documents.count() as u64);
    measure(
        unit(documents),
        plan.rounds,
        vec![
            Contender::new(Role::Ours, "kerai", work, count, ours::check_cbor(documents)),
            Contender::new(Role::Peer, "minicbor", work, count, || {
                documents.tally(|bytes| minicbor::decode::<Event>(bytes).map(black_box).is_ok())
            }),
            Contender::new(Role::Peer, "minicbor-skip", work, count, || {
                documents.tally(|bytes| minicbor::Decoder::new(bytes).skip().map(black_box).is_ok())
            }),
            hash::blake3_each(Role::Ceiling, documents),
        ],
    )
}

pub fn encode(events: &Events, plan: &Plan) -> Outcome<Report> {
    let documents = &events.cbor.first(HELD);
    ours::verify_cbor(documents)?;
    verify_peers(documents)?;
    let (work, bytes) = (work(documents), documents.bytes().len() as u64);
    let ciborium_values: Vec<ciborium::Value> = documents.each().filter_map(ciborium_decode).collect();
    let cbor4ii_values: Vec<cbor4ii::core::Value> = documents.each().filter_map(cbor4ii_decode).collect();
    let mut ciborium_out = Vec::with_capacity(1024);
    let mut cbor4ii_out = BufWriter::new(Vec::with_capacity(1024));
    measure(
        unit(documents),
        plan.rounds,
        vec![
            Contender::new(Role::Ours, "kerai", work, bytes, ours::encode_cbor(documents)?),
            Contender::new(Role::Peer, "ciborium", work, bytes, || {
                total(&ciborium_values, |value| {
                    ciborium_out.clear();
                    ciborium::into_writer(value, &mut ciborium_out).ok()?;
                    Some(black_box(&ciborium_out).len())
                })
            }),
            Contender::new(Role::Peer, "cbor4ii", work, bytes, || {
                total(&cbor4ii_values, |value| {
                    cbor4ii_out.clear();
                    cbor4ii_encode(value, &mut cbor4ii_out)?;
                    Some(black_box(&cbor4ii_out).buffer().len())
                })
            }),
            hash::blake3_each(Role::Ceiling, documents),
        ],
    )
}

/// The bytes that an encoder wrote for all values; a failure adds none, so the sum comes out wrong.
pub fn total<T>(values: &[T], encode: impl FnMut(&T) -> Option<usize>) -> u64 {
    values.iter().filter_map(encode).sum::<usize>() as u64
}

pub fn unit(documents: &Documents) -> String {
    format!("one event of {:.0} bytes", documents.mean_size())
}

pub fn work(documents: &Documents) -> Work {
    Work { units: documents.count(), bytes: documents.bytes().len() }
}

fn ciborium_decode(bytes: &[u8]) -> Option<ciborium::Value> {
    ciborium::from_reader(bytes).ok()
}

fn cbor4ii_decode(bytes: &[u8]) -> Option<cbor4ii::core::Value> {
    use cbor4ii::core::dec::Decode;
    cbor4ii::core::Value::decode(&mut SliceReader::new(bytes)).ok()
}

fn cbor4ii_encode(value: &cbor4ii::core::Value, out: &mut BufWriter) -> Option<()> {
    use cbor4ii::core::enc::Encode;
    value.encode(out).ok()
}

/// Both peers keep the order of keys, so what they decode must encode to the same bytes again.
fn verify_peers(documents: &Documents) -> Outcome<()> {
    let mut ciborium_out = Vec::new();
    let mut cbor4ii_out = BufWriter::new(Vec::new());
    for (index, bytes) in documents.each().enumerate() {
        ciborium_out.clear();
        let written = ciborium_decode(bytes).and_then(|value| ciborium::into_writer(&value, &mut ciborium_out).ok());
        if written.is_none() || ciborium_out != bytes {
            return Err(format!("ciborium changes event {index}"));
        }
        cbor4ii_out.clear();
        let written = cbor4ii_decode(bytes).and_then(|value| cbor4ii_encode(&value, &mut cbor4ii_out));
        if written.is_none() || cbor4ii_out.buffer() != bytes {
            return Err(format!("cbor4ii changes event {index}"));
        }
    }
    Ok(())
}

/// An event as a program would type it for speed: texts borrowed, nothing allocated.
struct Event<'a> {
    kind: &'a str,
    ulid: &'a str,
    payload: Payload<'a>,
}

struct Payload<'a> {
    id: &'a str,
    amount: Option<Amount>,
}

struct Amount {
    exponent: i8,
    mantissa: u64,
}

impl<'b, C> minicbor::Decode<'b, C> for Event<'b> {
    fn decode(decoder: &mut minicbor::Decoder<'b>, context: &mut C) -> Result<Self, minicbor::decode::Error> {
        let (mut kind, mut ulid, mut payload) = (None, None, None);
        for _ in 0..entries(decoder)? {
            match decoder.str()? {
                "type" => kind = Some(decoder.str()?),
                "ulid" => ulid = Some(decoder.str()?),
                "payload" => payload = Some(decoder.decode_with(context)?),
                _ => decoder.skip()?,
            }
        }
        match (kind, ulid, payload) {
            (Some(kind), Some(ulid), Some(payload)) => Ok(Event { kind, ulid, payload }),
            _ => Err(minicbor::decode::Error::message("an event without its fields")),
        }
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Payload<'b> {
    fn decode(decoder: &mut minicbor::Decoder<'b>, context: &mut C) -> Result<Self, minicbor::decode::Error> {
        let (mut id, mut amount) = (None, None);
        for _ in 0..entries(decoder)? {
            match decoder.str()? {
                "id" => id = Some(decoder.str()?),
                "amount" => amount = Some(decoder.decode_with(context)?),
                _ => decoder.skip()?,
            }
        }
        match id {
            Some(id) => Ok(Payload { id, amount }),
            None => Err(minicbor::decode::Error::message("a payload without its id")),
        }
    }
}

impl<'b, C> minicbor::Decode<'b, C> for Amount {
    fn decode(decoder: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        if decoder.datatype()? != Type::Tag {
            return Ok(Amount { exponent: 0, mantissa: decoder.u64()? });
        }
        let (tag, length) = (decoder.tag()?, decoder.array()?);
        if tag.as_u64() != 4 || length != Some(2) {
            return Err(minicbor::decode::Error::message("an amount is a decimal"));
        }
        Ok(Amount { exponent: decoder.i8()?, mantissa: decoder.u64()? })
    }
}

fn entries(decoder: &mut minicbor::Decoder) -> Result<u64, minicbor::decode::Error> {
    decoder.map()?.ok_or_else(|| minicbor::decode::Error::message("a map of indefinite length"))
}

/// The fields that minicbor reads are those that ciborium finds.
fn verify_typed(documents: &Documents) -> Outcome<()> {
    for (index, bytes) in documents.each().enumerate() {
        let same = (|| {
            let event: Event = minicbor::decode(bytes).ok()?;
            Some(typed_value(&event) == ciborium_decode(bytes)?)
        })();
        if same != Some(true) {
            return Err(format!("minicbor misreads event {index}"));
        }
    }
    Ok(())
}

fn typed_value(event: &Event) -> ciborium::Value {
    use ciborium::Value;
    let text = |text: &str| Value::Text(text.to_owned());
    let mut payload = vec![(text("id"), text(event.payload.id))];
    if let Some(Amount { exponent, mantissa }) = event.payload.amount {
        let amount = match exponent {
            0 => Value::from(mantissa),
            exponent => Value::Tag(4, Box::new(Value::Array(vec![Value::from(exponent), Value::from(mantissa)]))),
        };
        payload.push((text("amount"), amount));
    }
    Value::Map(vec![
        (text("type"), text(event.kind)),
        (text("ulid"), text(event.ulid)),
        (text("payload"), Value::Map(payload)),
    ])
}
