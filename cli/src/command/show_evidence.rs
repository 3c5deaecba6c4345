//! What `kerai show` says of evidence: packs, proofs, checkpoints, ops.

use crate::Global;
use crate::command::check_proof;
use crate::command::pack::record_json;
use crate::outcome::{Answer, Fault, Outcome};
use kerai_store::checkpoint::Checkpoint;
use kerai_store::code::Refused;
use kerai_store::document::{data_text, program_text, to_hex};
use kerai_store::materialize::row;
use kerai_store::op::{Offered, Op, Read, SignedOp, op_id};
use kerai_store::pack::{PackReader, Part};
use kerai_store::proof;
use kerai_vm::encoding::{Options, cbor, json};
use kerai_vm::value::Heap;
use serde_json::{Value, json};
use std::io::{self, BufReader, BufWriter, Write};

/// A document as JSON, where JSON can show it.
fn view(bytes: &[u8]) -> Value {
    let mut heap = Heap::new(0);
    let mut out = Vec::new();
    let shown = cbor::decode(&mut heap, bytes, &Options::CANONICAL)
        .and_then(|value| json::encode(&heap, value, &Options::CANONICAL, &mut out));
    match shown {
        Ok(()) => serde_json::from_slice(&out).unwrap_or_default(),
        Err(_) => Value::from(to_hex(bytes)),
    }
}

fn op_json(op: &Op, id: &[u8; 32]) -> Value {
    json!({
        "op": data_text(id),
        "stream": op.stream.map(|stream| data_text(&stream)),
        "ulid": op.ulid.to_string(),
        "author": to_hex(&op.author),
        "actor": op.actor,
        "seq": op.sequence,
        "prev": op.previous.map(|previous| data_text(&previous)),
        "resource": op.resource,
        "type": op.kind,
        "payload_root": data_text(&op.payload_root),
        "caps": op.caps.as_deref().map(view),
        "labels": op.labels.as_deref().map(view),
        "fold_root": program_text(&op.fold_root),
        "policy_root": program_text(&op.policy_root),
    })
}

/// What bytes are, where they are evidence: a proof, a checkpoint's body, an op's body or a signed op's line.
pub fn open(bytes: &[u8]) -> Option<Result<Value, Refused>> {
    if proof::is_proof(bytes) {
        return Some(proof::check(bytes).map(|shown| check_proof::to_json(&shown, None)));
    }
    if let Ok(signed) = SignedOp::from_line(bytes.trim_ascii_end()) {
        return Some(signed_op(signed));
    }
    if let Ok(op) = Op::decode(bytes) {
        let mut shown = op_json(&op, &op_id(bytes));
        kind(&mut shown, "op");
        return Some(Ok(shown));
    }
    let checkpoint = Checkpoint::decode(bytes).ok()?;
    let mut shown = check_proof::checkpoint_json(&checkpoint);
    kind(&mut shown, "checkpoint");
    Some(Ok(shown))
}

fn kind(shown: &mut Value, kind: &str) {
    if let Value::Object(fields) = shown {
        fields.insert("ok".into(), true.into());
        fields.insert("kind".into(), kind.into());
    }
}

fn signed_op(signed: SignedOp) -> Result<Value, Refused> {
    let payload = view(&signed.payload);
    let signature = to_hex(&signed.signature);
    let Offered { id, read, .. } = signed.read();
    let Read { op, fault, .. } = read?;
    let mut shown = op_json(&op, &id);
    if let Value::Object(fields) = &mut shown {
        fields.insert("payload".into(), payload);
        fields.insert("signature".into(), signature.into());
        fields.insert("verifies".into(), fault.is_none().into());
    }
    kind(&mut shown, "op");
    Ok(shown)
}

/// A pack's parts, a line each, as they stand in it. Nothing of it is checked but its form.
pub fn pack(from: impl io::Read, global: &Global) -> Outcome {
    let mut reader = PackReader::new(BufReader::with_capacity(1 << 16, from))?;
    let mut out = BufWriter::new(io::stdout().lock());
    while let Some((at, part)) = reader.read()? {
        let (name, shown) = part_json(&part);
        let line = if global.json {
            writeln!(out, "{}", json!({ "ok": true, "kind": "pack", "byte": at, "part": name, "content": shown }))
        } else {
            writeln!(out, "{at:>10} {name:<10} {shown}")
        };
        line.map_err(Fault::Write)?;
    }
    out.flush().map_err(Fault::Write)?;
    Ok(Answer::Yes)
}

fn part_json(part: &Part) -> (&'static str, Value) {
    let op = |body: &[u8]| Op::decode(body).map_or(Value::Null, |op| op_json(&op, &op_id(body)));
    match part {
        Part::Header(header) => {
            let stream = data_text(&header.stream);
            let (name, hidden, pruned) = (&header.name, &header.hidden, header.pruned);
            ("header", json!({ "stream": stream, "name": name, "hidden": hidden, "pruned": pruned }))
        }
        Part::Program(bytes) => {
            let root = kerai_vm::encoding::root::Root::of_program(bytes).to_string();
            ("program", json!({ "root": root, "bytes": bytes.len() }))
        }
        Part::Source(source) => ("source", json!({ "root": program_text(&source.root), "name": source.name })),
        Part::Op { record, signed } => {
            let shown =
                json!({ "record": record_json(record), "op": op(&signed.body), "payload": view(&signed.payload) });
            ("op", shown)
        }
        Part::HiddenOp { record, hidden } => {
            ("hidden op", json!({ "record": record_json(record), "op": op(&hidden.body) }))
        }
        Part::PrunedOp { record, left } => {
            ("pruned op", json!({ "record": record_json(record), "op": data_text(&left.op), "seq": left.sequence }))
        }
        Part::Checkpoint(signed) => {
            let shown =
                Checkpoint::decode(&signed.body).map_or(Value::Null, |found| check_proof::checkpoint_json(&found));
            ("checkpoint", shown)
        }
        Part::Snapshot(snapshot) => ("snapshot", json!({ "folded": snapshot.folded, "bytes": snapshot.bytes.len() })),
        Part::Row(key, value) => {
            let shown = row(key, Some(value)).projection;
            let name: Value = serde_json::from_str(&shown.name).unwrap_or_default();
            ("row", json!({ "path": shown.path, "key": name, "value": view(value) }))
        }
        Part::Proof(bytes) => match proof::check(bytes) {
            Ok(shown) => ("proof", check_proof::to_json(&shown, None)),
            Err(refused) => ("proof", json!({ "refused": refused.to_string() })),
        },
        Part::End(totals) => {
            let root = data_text(&totals.root);
            let (ops, checkpoints, rows) = (totals.ops, totals.checkpoints, totals.rows);
            ("end", json!({ "count": ops, "checkpoints": checkpoints, "rows": rows, "pack_root": root }))
        }
    }
}
