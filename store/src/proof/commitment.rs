//! Proofs by commitment: the hashes beside the way from what is claimed to a root that a signed checkpoint binds.

use super::{Claim, Prover, Statement, Verifier, Witness, form, tree};
use crate::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::code::{Code, Refused};
use crate::document::{Hash, Reader, Writer, hash};
use crate::log::{Outcome, Record, leaf};
use crate::pages::present;
use kerai_vm::encoding::map::{Proof, RowMap, row_key, row_value};
use kerai_vm::encoding::root::Context;
use kerai_vm::value::Value;

/// The kind `commitment`.
pub struct Commitment;

fn untrue(what: impl Into<String>) -> Refused {
    Refused::new(Code::CLAIM_FALSE, what)
}

fn shows_not(what: impl Into<String>) -> Refused {
    Refused::new(Code::PROOF_FALSE, what)
}

/// The way through a map, and the path through the log's tree, as far as the claim needs them.
#[derive(Default)]
struct Evidence {
    map: Option<Proof>,
    path: Option<Vec<Hash>>,
}

impl Prover for Commitment {
    fn prove(&self, claim: &Claim, witness: &Witness) -> Result<Vec<u8>, Refused> {
        let evidence = match claim {
            Claim::Checkpoint => Evidence::default(),
            Claim::Row { key, value } if witness.rows.get(key) != Some(value) => {
                return Err(untrue("there is no such row"));
            }
            Claim::Absent { key } if witness.rows.contains_key(key) => return Err(untrue("the row is there")),
            Claim::Row { key, .. } | Claim::Absent { key } => {
                let mut map = RowMap::default();
                witness.rows.iter().for_each(|(key, value)| map.put(row_key(key), row_value(value)));
                Evidence { map: Some(map.prove(&row_key(key))), path: None }
            }
            Claim::Op { record } => {
                let index = witness.records.iter().position(|other| other == record);
                let index = index.ok_or_else(|| untrue("the log has no such record"))?;
                let mut map = RowMap::default();
                witness.admitted.iter().for_each(|op| map.put(*op, present()));
                let op = Record::decode(record)?.op;
                Evidence { map: Some(map.prove(&op)), path: Some(tree::inclusion(&leaves(witness), index)) }
            }
            Claim::Consistent { earlier } => {
                let earlier = earlier.check()?;
                let count = usize::try_from(earlier.count).unwrap_or(usize::MAX);
                Evidence { map: None, path: Some(tree::consistency(&leaves(witness), count)) }
            }
        };
        encode(claim, &witness.checkpoint, &evidence)
    }
}

impl Verifier for Commitment {
    fn kind(&self) -> &'static str {
        "commitment"
    }

    fn check(&self, bytes: &[u8]) -> Result<Statement, Refused> {
        let reader = Reader::open(bytes).map_err(|refusal| form(refusal.to_string()))?;
        let mut reader = reader.ok_or_else(|| form("the proof is no map"))?;
        let read = read(&mut reader).map_err(|field| form(format!("the field `{field}`")))?;
        if !reader.is_spent() {
            return Err(form("a field that proofs don't have"));
        }
        let (claim, signed, evidence) = read;
        let checkpoint = signed.check().map_err(|refused| shows_not(refused.to_string()))?;
        shows(&claim, &checkpoint, &evidence)?;
        // One proof, one byte string: nothing in it can be changed, not even to what would be true as well.
        if encode(&claim, &signed, &evidence)? != bytes {
            return Err(shows_not("its seal"));
        }
        Ok(Statement { claim, signed, checkpoint })
    }
}

/// The leaves of the log's tree.
fn leaves(witness: &Witness) -> Vec<Hash> {
    witness.records.iter().map(|record| leaf(record)).collect()
}

fn shows(claim: &Claim, checkpoint: &Checkpoint, evidence: &Evidence) -> Result<(), Refused> {
    let map = || evidence.map.as_ref().ok_or_else(|| form("the field `others`"));
    let path = || evidence.path.as_deref().ok_or_else(|| form("the field `path`"));
    let (holds, what) = match claim {
        Claim::Checkpoint => (true, ""),
        Claim::Row { key, value } => {
            (map()?.shows(&checkpoint.state_root, &row_key(key), Some(&row_value(value))), "the row under state_root")
        }
        Claim::Absent { key } => {
            (map()?.shows(&checkpoint.state_root, &row_key(key), None), "the row's absence under state_root")
        }
        Claim::Op { record: bytes } => {
            let record = Record::decode(bytes).map_err(|_| form("the field `record`"))?;
            let value = (record.outcome == Outcome::Admitted).then(present);
            if !map()?.shows(&checkpoint.inputs_root, &record.op, value.as_ref()) {
                return Err(shows_not("the op under inputs_root"));
            }
            let index = record.position.checked_sub(1).ok_or_else(|| form("the field `record`"))?;
            let holds = tree::includes(&leaf(bytes), index, checkpoint.count, path()?, &checkpoint.log_head);
            (holds, "the record under log_head")
        }
        Claim::Consistent { earlier } => {
            let earlier = earlier.check().map_err(|refused| shows_not(refused.to_string()))?;
            if earlier.stream != checkpoint.stream {
                return Err(shows_not("the checkpoints are of two streams"));
            }
            let (before, after) = ((earlier.count, &earlier.log_head), (checkpoint.count, &checkpoint.log_head));
            (tree::continues(before, after, path()?), "that the log continues the earlier one")
        }
    };
    if holds { Ok(()) } else { Err(shows_not(what)) }
}

fn signed_value(writer: &mut Writer, signed: &SignedCheckpoint) -> Value {
    let (body, signature) = (writer.heap.bytes(&signed.body), writer.heap.bytes(&signed.signature));
    writer.heap.list(&[body, signature])
}

fn hashes(writer: &mut Writer, name: &str, hashes: &[Hash]) {
    writer.bytes(name, hashes.as_flattened());
}

/// `{version, claim, checkpoint: [body, signature], …, seal}`, where the seal is the hash of all other fields.
fn encode(claim: &Claim, checkpoint: &SignedCheckpoint, evidence: &Evidence) -> Result<Vec<u8>, Refused> {
    let unsealed = fields(claim, checkpoint, evidence).finish();
    let seal = hash(Context::Proof, &unsealed.map_err(|refusal| form(refusal.to_string()))?);
    let mut writer = fields(claim, checkpoint, evidence);
    writer.bytes("seal", &seal).finish().map_err(|refusal| form(refusal.to_string()))
}

/// All fields but the seal: those of the claim, and of what shows it.
fn fields(claim: &Claim, checkpoint: &SignedCheckpoint, evidence: &Evidence) -> Writer {
    let mut writer = Writer::new();
    let signed = signed_value(&mut writer, checkpoint);
    writer.integer("version", VERSION).text("claim", claim.name()).value("checkpoint", signed);
    match claim {
        Claim::Checkpoint => {}
        Claim::Row { key, value } => {
            writer.bytes("key", key).bytes("value", value);
        }
        Claim::Absent { key } => {
            writer.bytes("key", key);
        }
        Claim::Op { record } => {
            writer.bytes("record", record);
        }
        Claim::Consistent { earlier } => {
            let signed = signed_value(&mut writer, earlier);
            writer.value("earlier", signed);
        }
    }
    if let Some(map) = &evidence.map {
        hashes(&mut writer, "others", &map.others);
        // Where the claim says what stands at the end, the proof need not.
        if let (Some((key, value)), true) = (&map.end, names_no_end(claim)) {
            hashes(&mut writer, "end", &[*key, *value]);
        }
    }
    if let Some(path) = &evidence.path {
        hashes(&mut writer, "path", path);
    }
    writer
}

/// The version of the form of these proofs.
const VERSION: u64 = 1;

/// Whether something else than what is claimed, or nothing, stands where the way ends.
fn names_no_end(claim: &Claim) -> bool {
    match claim {
        Claim::Absent { .. } => true,
        Claim::Op { record } => Record::decode(record).is_ok_and(|record| record.outcome != Outcome::Admitted),
        Claim::Checkpoint | Claim::Row { .. } | Claim::Consistent { .. } => false,
    }
}

type Read = (Claim, SignedCheckpoint, Evidence);

/// Takes the fields, or names the first one that is missing or wrong.
fn read(reader: &mut Reader) -> Result<Read, &'static str> {
    if reader.integer("version") != Some(VERSION) {
        return Err("version");
    }
    reader.hash("seal").ok_or("seal")?;
    let checkpoint = signed(reader, "checkpoint")?;
    let name = reader.text("claim").ok_or("claim")?;
    let claim = match name.as_str() {
        "checkpoint" => Claim::Checkpoint,
        "row" => Claim::Row { key: reader.bytes("key").ok_or("key")?, value: reader.bytes("value").ok_or("value")? },
        "absent" => Claim::Absent { key: reader.bytes("key").ok_or("key")? },
        "op" => Claim::Op { record: reader.bytes("record").ok_or("record")? },
        "consistent" => Claim::Consistent { earlier: signed(reader, "earlier")? },
        _ => return Err("claim"),
    };
    let map = match &claim {
        Claim::Row { .. } | Claim::Absent { .. } | Claim::Op { .. } => {
            Some(Proof { others: taken(reader, "others")?, end: end(reader, &claim)? })
        }
        Claim::Checkpoint | Claim::Consistent { .. } => None,
    };
    let path = match &claim {
        Claim::Op { .. } | Claim::Consistent { .. } => Some(taken(reader, "path")?),
        Claim::Checkpoint | Claim::Row { .. } | Claim::Absent { .. } => None,
    };
    Ok((claim, checkpoint, Evidence { map, path }))
}

fn end(reader: &mut Reader, claim: &Claim) -> Result<Option<(Hash, Hash)>, &'static str> {
    match claim {
        Claim::Row { key, value } => Ok(Some((row_key(key), row_value(value)))),
        Claim::Op { record } if !names_no_end(claim) => {
            Ok(Record::decode(record).ok().map(|record| (record.op, present())))
        }
        Claim::Checkpoint | Claim::Absent { .. } | Claim::Op { .. } | Claim::Consistent { .. } => {
            reader.field("end").map(|end| pair(reader, end).ok_or("end")).transpose()
        }
    }
}

/// Two hashes side by side.
fn pair(reader: &Reader, value: Value) -> Option<(Hash, Hash)> {
    match reader.heap.as_bytes(value)?.as_chunks::<32>() {
        (&[key, value], []) => Some((key, value)),
        _ => None,
    }
}

fn taken(reader: &mut Reader, name: &'static str) -> Result<Vec<Hash>, &'static str> {
    let bytes = reader.bytes(name).ok_or(name)?;
    match bytes.as_chunks::<32>() {
        (hashes, []) => Ok(hashes.to_vec()),
        _ => Err(name),
    }
}

fn signed(reader: &mut Reader, name: &'static str) -> Result<SignedCheckpoint, &'static str> {
    let list = reader.field(name).ok_or(name)?;
    let Some(&[body, signature]) = reader.heap.items(list) else { return Err(name) };
    let (body, signature) = (reader.heap.as_bytes(body), reader.heap.as_bytes(signature));
    let body = body.ok_or(name)?.to_vec();
    let signature = signature.and_then(|bytes| bytes.try_into().ok()).ok_or(name)?;
    Ok(SignedCheckpoint { body, signature })
}
