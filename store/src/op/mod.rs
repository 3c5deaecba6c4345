//! Operations: what an author signs, in one form.
//!
//! `body ──decode──▶ Op ──encode──▶ the same body`; [`SignedOp`] is a body with what travels beside it.

mod draft;
mod payload;
mod resource;
pub mod signature;

pub use draft::Draft;
pub(crate) use draft::given;
pub(crate) use payload::payload_roots;
pub(crate) use payload::{Fields, commitments_root};
pub use payload::{SALT, Salts, payload_root};
pub use resource::{Resource, is_segment};

use crate::code::{Code, Refused};
use crate::document::{Form, Hash, Reader, Scratch, from_hex, hash, to_hex};
use crate::limit::{self, length};
use kerai_vm::encoding::Options;
use kerai_vm::encoding::root::Context;
use kerai_vm::refusal::Refusal;
use kerai_vm::ulid::Ulid;
use kerai_vm::value::Kind;

/// The version of an op's body that this build writes, and the only one that it reads.
pub const VERSION: u64 = 1;

/// The type of the op that begins a stream; all types with its prefix are governance's.
pub const GENESIS: &str = "governance.genesis";

/// The type of the op that binds other programs.
pub const BIND: &str = "governance.bind";

/// The type of the op that replaces a key of an actor.
pub const ROTATE: &str = "governance.rotate";

const GOVERNANCE_PREFIX: &str = "governance.";

/// An op's body, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Op {
    /// The op id of the stream's genesis; none in genesis itself.
    pub stream: Option<Hash>,
    pub ulid: Ulid,
    /// The key that signs.
    pub author: Hash,
    pub actor: String,
    /// Gapless from 1, by stream and author.
    pub sequence: u64,
    /// The author's last op in the stream.
    pub previous: Option<Hash>,
    pub resource: Option<String>,
    pub kind: String,
    pub payload_root: Hash,
    /// Canonical CBOR of a list or map, as its author gave it; absent is not empty.
    pub caps: Option<Vec<u8>>,
    pub labels: Option<Vec<u8>>,
    pub fold_root: Hash,
    pub policy_root: Hash,
}

fn form(what: impl Into<String>) -> Refused {
    Refused::new(Code::OP_FORM, what)
}

fn unreadable(part: &str) -> impl Fn(Refusal) -> Refused {
    move |refusal| form(format!("the {part}: {refusal}"))
}

/// Whether a text can name an actor or a type: something that a person can read and a line can hold.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= length(limit::OP_NAME) && !text.chars().any(resource::is_control)
}

impl Op {
    /// The one body of the op.
    ///
    /// # Errors
    /// Where a text is not in its one form, or the body would be too large.
    pub fn encode(&self) -> Result<Vec<u8>, Refused> {
        let body = self.to_body()?;
        // What this build would not read it does not write.
        Op::decode(&body)?;
        Ok(body)
    }

    /// The one body of an op that was read from one.
    pub(crate) fn to_body(&self) -> Result<Vec<u8>, Refused> {
        let mut form = Form::new();
        form.integer("seq", self.sequence).document_if("caps", self.caps.as_ref());
        form.bytes_or_null("prev", self.previous.as_ref().map(<[u8; 32]>::as_slice)).text("type", &self.kind);
        form.bytes("ulid", &self.ulid.to_bytes()).text("actor", &self.actor).bytes("author", &self.author);
        form.document_if("labels", self.labels.as_ref());
        form.bytes_or_null("stream", self.stream.as_ref().map(<[u8; 32]>::as_slice)).integer("version", VERSION);
        form.text_if("resource", self.resource.as_deref()).bytes("fold_root", &self.fold_root);
        form.bytes("policy_root", &self.policy_root).bytes("payload_root", &self.payload_root);
        form.finish().map_err(unreadable("body"))
    }

    /// Reads a body; every other form of it is refused.
    ///
    /// # Errors
    /// `OP_SIZE`, or `OP_FORM` with the offset or the field at fault.
    pub fn decode(body: &[u8]) -> Result<Op, Refused> {
        if body.len() > length(limit::OP_BODY) {
            return Err(Refused::new(Code::OP_SIZE, format!("a body of {} bytes", body.len())));
        }
        let mut reader = Reader::open(body).map_err(unreadable("body"))?.ok_or_else(|| form("the body is no map"))?;
        let op = Op::read(&mut reader).map_err(|field| form(format!("the field `{field}`")))?;
        if !reader.is_spent() {
            return Err(form("a field that ops don't have"));
        }
        Ok(op)
    }

    /// Takes the fields, or names the first one that is missing or wrong.
    fn read(reader: &mut Reader) -> Result<Op, &'static str> {
        if reader.integer("version") != Some(VERSION) {
            return Err("version");
        }
        let stream = reader.hash_or_null("stream").ok_or("stream")?;
        let ulid = reader.bytes("ulid").and_then(|bytes| bytes.try_into().ok()).ok_or("ulid")?;
        let sequence = reader.integer("seq").filter(|&sequence| sequence > 0).ok_or("seq")?;
        let previous = reader.hash_or_null("prev").ok_or("prev")?;
        if previous.is_none() != (sequence == 1) {
            return Err("prev");
        }
        let kind = reader.text("type").filter(|kind| is_name(kind)).ok_or("type")?;
        if stream.is_none() != (kind == GENESIS) || (stream.is_none() && sequence != 1) {
            return Err("stream");
        }
        Ok(Op {
            stream,
            ulid: Ulid::from_bytes(ulid),
            author: reader.hash("author").ok_or("author")?,
            actor: reader.text("actor").filter(|actor| is_name(actor)).ok_or("actor")?,
            sequence,
            previous,
            resource: optional_text(reader)?,
            kind,
            payload_root: reader.hash("payload_root").ok_or("payload_root")?,
            caps: optional_table(reader, "caps")?,
            labels: optional_table(reader, "labels")?,
            fold_root: reader.hash("fold_root").ok_or("fold_root")?,
            policy_root: reader.hash("policy_root").ok_or("policy_root")?,
        })
    }

    /// Whether governance's fold gets it, and no other.
    #[must_use]
    pub fn is_governance(&self) -> bool {
        self.kind.starts_with(GOVERNANCE_PREFIX)
    }
}

fn optional_text(reader: &mut Reader) -> Result<Option<String>, &'static str> {
    match reader.field("resource") {
        None => Ok(None),
        Some(value) => crate::document::text_of(&reader.heap, value)
            .filter(|text| text.len() <= length(limit::OP_RESOURCE))
            .map(Some)
            .ok_or("resource"),
    }
}

fn optional_table(reader: &mut Reader, name: &'static str) -> Result<Option<Vec<u8>>, &'static str> {
    match reader.field(name) {
        None => Ok(None),
        Some(value) if matches!(reader.heap.kind(value), Kind::List | Kind::Map) => {
            crate::document::encode(&reader.heap, value).map(Some).map_err(|_| name)
        }
        Some(_) => Err(name),
    }
}

/// The id of a body: what is signed, and what others name it by.
#[must_use]
pub fn op_id(body: &[u8]) -> Hash {
    hash(Context::Op, body)
}

/// A body with what travels beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedOp {
    pub body: Vec<u8>,
    /// Canonical CBOR.
    pub payload: Vec<u8>,
    pub salts: Salts,
    pub signature: [u8; 64],
}

/// An op that is offered to a log, as far as it can be judged by itself.
#[derive(Debug, Clone)]
pub struct Offered {
    pub id: Hash,
    pub signed: SignedOp,
    /// What its body says, where it is in the form of ops.
    pub read: Result<Read, Refused>,
}

/// What an op's body says, and what is to be said of it.
#[derive(Debug, Clone)]
pub struct Read {
    pub op: Op,
    /// What is wrong with its signature or its payload.
    pub fault: Option<Refused>,
    /// The hash of what its author gave.
    pub given: Result<Hash, Refused>,
}

/// A signed op whose form, signature and payload were found right.
#[derive(Debug, Clone)]
pub struct Checked {
    pub id: Hash,
    pub op: Op,
    pub signed: SignedOp,
}

/// An op as policies and folds get it, wherever its parts lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plain<'o> {
    pub(crate) id: &'o Hash,
    pub(crate) op: &'o Op,
    pub(crate) payload: &'o [u8],
}

impl Checked {
    pub(crate) fn plain(&self) -> Plain<'_> {
        Plain { id: &self.id, op: &self.op, payload: &self.signed.payload }
    }
}

impl Plain<'_> {
    /// Whether what its author gave has a hash.
    pub(crate) fn can_be_given(&self) -> bool {
        draft::can_be_given(self.op, self.payload)
    }
}

/// An op that is right by its own word.
#[derive(Debug, Clone)]
pub struct Sound {
    pub op: Checked,
    /// The hash of what its author gave.
    pub given: Hash,
}

impl Offered {
    /// The op, if it is right by its own word.
    ///
    /// # Errors
    /// What is wrong with its form, its signature or its payload.
    pub fn sound(self) -> Result<Sound, Refused> {
        let Offered { id, signed, read } = self;
        let Read { op, fault, given } = read?;
        match fault {
            Some(fault) => Err(fault),
            None => Ok(Sound { op: Checked { id, op, signed }, given: given? }),
        }
    }
}

impl SignedOp {
    /// Signs an op, whose author must be the key's.
    ///
    /// # Errors
    /// As [`Op::encode`].
    pub fn sign(op: &Op, payload: Vec<u8>, salts: Salts, key: &signature::SecretKey) -> Result<SignedOp, Refused> {
        let body = op.encode()?;
        let signature = key.sign(signature::Domain::Op, &op_id(&body));
        Ok(SignedOp { body, payload, salts, signature })
    }

    /// Reads the op and checks its own word: its signature, and that the payload is the one that was signed. Nothing of
    /// it depends on a log, so that many can be read at once.
    #[must_use]
    pub fn read(self) -> Offered {
        self.read_by(|signed, op, id| signed.check(op, id))
    }

    /// As [`SignedOp::read`], but whoever signed is taken at their word.
    #[must_use]
    pub fn read_unsigned(self) -> Offered {
        self.read_by(|signed, op, _| signed.check_payload(op))
    }

    fn read_by(self, check: fn(&SignedOp, &Op, &Hash) -> Result<(), Refused>) -> Offered {
        let id = op_id(&self.body);
        let read = Op::decode(&self.body).map(|op| {
            let fault = check(&self, &op, &id).err();
            // Only of a payload that was found right.
            let given = fault.clone().map_or_else(|| draft::given(&op, &self.payload), Err);
            Read { op, fault, given }
        });
        Offered { id, read, signed: self }
    }

    /// # Errors
    /// `PROOF_INVALID`, `OP_SIZE`, `OP_FORM` or `PAYLOAD_ROOT`.
    fn check(&self, op: &Op, id: &Hash) -> Result<(), Refused> {
        if !signature::verify(signature::Domain::Op, id, &op.author, &self.signature) {
            return Err(Refused::new(Code::PROOF_INVALID, ""));
        }
        self.check_payload(op)
    }

    /// Checks that the payload is the one that was signed, by whomever.
    ///
    /// # Errors
    /// As [`SignedOp::check`], but for `PROOF_INVALID`.
    fn check_payload(&self, op: &Op) -> Result<(), Refused> {
        if payload_root(&self.payload, &self.salts)? != op.payload_root {
            return Err(Refused::new(Code::PAYLOAD_ROOT, ""));
        }
        Ok(())
    }

    /// The op as a line of JSON: four texts of hexadecimal digits.
    #[must_use]
    pub fn to_line(&self) -> String {
        let [body, payload, salts, signature] =
            [&self.body[..], &self.payload[..], self.salts.bytes(), &self.signature[..]].map(to_hex);
        format!("{{\"body\":\"{body}\",\"payload\":\"{payload}\",\"salts\":\"{salts}\",\"signature\":\"{signature}\"}}")
    }

    /// Reads a line of signed JSON.
    ///
    /// # Errors
    /// `OP_FORM` with what is wrong.
    pub fn from_line(line: &[u8]) -> Result<SignedOp, Refused> {
        let mut heap = Scratch::new();
        let map = kerai_vm::encoding::json::decode(&mut heap, line, &Options::CANONICAL).map_err(unreadable("line"))?;
        let mut reader = Reader::of(heap, map).ok_or_else(|| form("a line is an object"))?;
        let mut part = |name: &'static str| {
            let text = reader.text(name);
            text.and_then(|text| from_hex(&text))
                .ok_or_else(|| form(format!("`{name}` in hexadecimal digits is missing")))
        };
        let (body, payload, salts) = (part("body")?, part("payload")?, part("salts")?);
        let signature = part("signature")?.try_into().map_err(|_| form("a signature has 64 bytes"))?;
        if !reader.is_spent() {
            return Err(form("a line has `body`, `payload`, `salts` and `signature`, and nothing else"));
        }
        Ok(SignedOp { body, payload, salts: Salts::from_bytes(&salts)?, signature })
    }
}
