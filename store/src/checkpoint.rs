//! Checkpoints: what a stream was after so many records, signed.

use crate::code::{Code, Refused};
use crate::document::{Hash, Reader, Writer, hash, integer, to_hex};
use crate::governance::Binding;
use crate::log::{EMPTY, Head};
use crate::op::signature::{Domain, SecretKey, verify};
use kerai_vm::bytecode::PROFILE;
use kerai_vm::encoding::root::Context;
use kerai_vm::value::Value;
use std::collections::BTreeMap;

/// The version of a checkpoint's body.
const VERSION: u64 = 1;

/// What is bound together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The op id of the stream's genesis.
    pub stream: Hash,
    pub epoch: u64,
    /// How many records the log had.
    pub count: u64,
    /// The end of every author's chain.
    pub vector: BTreeMap<Hash, Head>,
    pub inputs_root: Hash,
    pub log_head: Hash,
    pub state_root: Hash,
    pub snapshot_root: Hash,
    pub fold_root: Hash,
    pub policy_root: Hash,
    pub governance_root: Hash,
    /// The profile of the engine that folded.
    pub profile: u64,
    /// The key that signs.
    pub signer: Hash,
}

/// A checkpoint's body with its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    pub body: Vec<u8>,
    pub signature: [u8; 64],
}

impl Checkpoint {
    /// A checkpoint of nothing yet, under what is bound.
    #[must_use]
    pub fn under(stream: Hash, binding: &Binding, signer: Hash) -> Checkpoint {
        let (epoch, profile) = (binding.epoch, u64::from(PROFILE));
        let Binding { fold_root, policy_root, governance_root, .. } = *binding;
        let (inputs_root, log_head, state_root, snapshot_root) = (EMPTY, EMPTY, EMPTY, EMPTY);
        let (count, vector) = (0, BTreeMap::new());
        Checkpoint {
            stream,
            epoch,
            count,
            vector,
            inputs_root,
            log_head,
            state_root,
            snapshot_root,
            fold_root,
            policy_root,
            governance_root,
            profile,
            signer,
        }
    }

    /// Each hash with its name, in the order in which they are compared.
    #[must_use]
    pub const fn roots(&self) -> [(&'static str, &Hash); 8] {
        [
            ("stream", &self.stream),
            ("log_head", &self.log_head),
            ("inputs_root", &self.inputs_root),
            ("fold_root", &self.fold_root),
            ("policy_root", &self.policy_root),
            ("governance_root", &self.governance_root),
            ("state_root", &self.state_root),
            ("snapshot_root", &self.snapshot_root),
        ]
    }

    /// The one body of the checkpoint.
    ///
    /// # Errors
    /// Never where the hashes are hashes; the encoder says so itself.
    pub fn encode(&self) -> Result<Vec<u8>, Refused> {
        let mut writer = Writer::new();
        let mut entries = Vec::new();
        for (author, head) in &self.vector {
            let op = writer.heap.bytes(&head.op);
            let key = writer.heap.string(to_hex(author).as_bytes());
            entries.push((key, writer.heap.list(&[integer(head.sequence), op])));
        }
        let vector = writer.heap.map(&entries).unwrap_or(Value::NIL);
        writer.integer("version", VERSION).integer("epoch", self.epoch).integer("count", self.count);
        writer.value("vector", vector).integer("profile", self.profile).bytes("signer", &self.signer);
        for (name, root) in self.roots() {
            writer.bytes(name, root);
        }
        writer.finish().map_err(|refusal| Refused::new(Code::LOG_DAMAGED, refusal.to_string()))
    }

    /// What others name it by.
    ///
    /// # Errors
    /// As [`Checkpoint::encode`].
    pub fn hash(&self) -> Result<Hash, Refused> {
        Ok(hash(Context::Checkpoint, &self.encode()?))
    }

    /// Reads a body.
    ///
    /// # Errors
    /// `LOG_DAMAGED` where it is none.
    pub fn decode(body: &[u8]) -> Result<Checkpoint, Refused> {
        let damaged = |what: String| Refused::new(Code::LOG_DAMAGED, what);
        let reader = Reader::open(body).map_err(|refusal| damaged(format!("a checkpoint: {refusal}")))?;
        reader.and_then(read).ok_or_else(|| damaged("a checkpoint is not in its form".into()))
    }

    /// Signs it; the signer must be the key's.
    ///
    /// # Errors
    /// As [`Checkpoint::encode`].
    pub fn sign(&self, key: &SecretKey) -> Result<SignedCheckpoint, Refused> {
        let body = self.encode()?;
        let signature = key.sign(Domain::Checkpoint, &hash(Context::Checkpoint, &body));
        Ok(SignedCheckpoint { body, signature })
    }
}

impl SignedCheckpoint {
    /// The checkpoint, where the signature is its signer's.
    ///
    /// # Errors
    /// `LOG_DAMAGED`, or `PROOF_INVALID`.
    pub fn check(&self) -> Result<Checkpoint, Refused> {
        let checkpoint = Checkpoint::decode(&self.body)?;
        let hash = hash(Context::Checkpoint, &self.body);
        if verify(Domain::Checkpoint, &hash, &checkpoint.signer, &self.signature) {
            Ok(checkpoint)
        } else {
            Err(Refused::new(Code::PROOF_INVALID, "the checkpoint's"))
        }
    }
}

fn read(mut reader: Reader) -> Option<Checkpoint> {
    if reader.integer("version")? != VERSION {
        return None;
    }
    let map = reader.field("vector")?;
    let mut vector = BTreeMap::new();
    for (author, head) in reader.heap.entries(map)? {
        let author = crate::document::hash_from_hex(&crate::document::text_of(&reader.heap, author)?)?;
        let &[sequence, op] = reader.heap.items(head)? else { return None };
        let sequence = u64::try_from(sequence.as_i64()?).ok()?;
        vector.insert(author, Head { sequence, op: reader.heap.as_bytes(op)?.try_into().ok()? });
    }
    let checkpoint = Checkpoint {
        stream: reader.hash("stream")?,
        epoch: reader.integer("epoch")?,
        count: reader.integer("count")?,
        vector,
        inputs_root: reader.hash("inputs_root")?,
        log_head: reader.hash("log_head")?,
        state_root: reader.hash("state_root")?,
        snapshot_root: reader.hash("snapshot_root")?,
        fold_root: reader.hash("fold_root")?,
        policy_root: reader.hash("policy_root")?,
        governance_root: reader.hash("governance_root")?,
        profile: reader.integer("profile")?,
        signer: reader.hash("signer")?,
    };
    reader.is_spent().then_some(checkpoint)
}
