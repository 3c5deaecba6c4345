//! Governance: what a stream binds, which keys its actors sign with, and what policies ask about, read from the rows
//! of the stream's governance fold.

use crate::bundle::Mark;
use crate::code::{Code, Refused};
use crate::document::{
    Hash, Reader, Writer, data_text, encode, hash_from_hex, integer, program_root, program_text, text_of, texts_of,
    to_hex,
};
use crate::fold::Rows;
use crate::limit;
use kerai_vm::encoding::{Options, cbor};
use kerai_vm::ulid::Ulid;
use kerai_vm::value::{Heap, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What is bound to the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    pub epoch: u64,
    pub fold_root: Hash,
    pub policy_root: Hash,
    pub governance_root: Hash,
    /// Milliseconds that a ULID may be ahead.
    pub ahead: u64,
    /// Other pairs of fold and policy root that ops may consent to: work that was done offline.
    pub accepts: Vec<(Hash, Hash)>,
    /// The bundle that the stream was last bound from.
    pub bundle: Option<Mark>,
    /// Where the epochs before this one were closed.
    pub closed: Option<Closed>,
}

/// The end of a closed epoch: its checkpoint, and the last ULID that it folded. No op goes behind that; where folding never
/// goes back there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed {
    pub checkpoint: Hash,
    pub ulid: Option<Ulid>,
}

/// A stream's governance at a position of its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Governance {
    /// The position of the last governance op that was admitted.
    pub position: u64,
    pub binding: Binding,
    actors: BTreeMap<String, BTreeSet<Hash>>,
    terms: BTreeMap<String, Terms>,
    revoked: BTreeSet<String>,
    /// Canonical CBOR of the maps that policies read.
    pub groups: Vec<u8>,
    pub grants: Vec<u8>,
    pub trust: Vec<u8>,
}

/// What a grant says of who holds it, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Terms {
    actor: Option<String>,
    /// From this time on, in milliseconds since 1970, it is worth nothing.
    expires: Option<u64>,
}

fn says_nothing(what: impl Into<String>) -> Refused {
    Refused::new(Code::GOVERNANCE_BROKEN, what)
}

impl Governance {
    /// Reads the rows of a governance fold.
    ///
    /// # Errors
    /// `GOVERNANCE_BROKEN` where they bind nothing, or a row is not in its form.
    pub fn of(rows: &Rows, position: u64) -> Result<Governance, Refused> {
        let mut sections = Sections::default();
        for (key, value) in rows {
            sections.row(key, value).ok_or_else(|| says_nothing("a row has no path and key of text"))?;
        }
        let epoch = sections.epoch.ok_or_else(|| says_nothing("the row `epoch` is missing"))?;
        let binding = sections.binding.as_deref().ok_or_else(|| says_nothing("the row `binding` is missing"))?;
        let mut table = |name: &str| {
            let entries = sections.tables.remove(name).unwrap_or_default();
            let map = sections.heap.map(&entries).unwrap_or(Value::NIL);
            encode(&sections.heap, map).map_err(|refusal| says_nothing(format!("`{name}`: {refusal}")))
        };
        let (groups, grants, trust) = (table("groups")?, table("grants")?, table("trust")?);
        let mut actors = BTreeMap::new();
        for (actor, keys) in sections.actors {
            let keys = keys.iter().map(|key| hash_from_hex(key)).collect::<Option<BTreeSet<Hash>>>();
            let keys = keys.ok_or_else(|| says_nothing(format!("the keys of `{actor}` are no keys")))?;
            actors.insert(actor, keys);
        }
        let binding = Binding::read(binding, epoch)?;
        let (terms, revoked) = (sections.terms, sections.revoked);
        Ok(Governance { position, binding, actors, terms, revoked, groups, grants, trust })
    }

    /// Whether any actor signs with the key.
    #[must_use]
    pub fn knows(&self, author: &Hash) -> bool {
        self.actors.values().any(|keys| keys.contains(author))
    }

    /// Whether the actor signs with the key.
    #[must_use]
    pub fn binds(&self, actor: &str, author: &Hash) -> bool {
        self.actors.get(actor).is_some_and(|keys| keys.contains(author))
    }

    /// What keeps an actor from what an op claims by its caps: a name there that is a grant's must be of one that lives
    /// at the time and is the actor's. Other names are the policy's to judge.
    #[must_use]
    pub fn fault_of_caps(&self, caps: &[u8], actor: &str, received: u64) -> Option<Code> {
        let mut heap = Heap::new(0);
        let caps = cbor::decode(&mut heap, caps, &Options::CANONICAL).ok()?;
        let names: Vec<Value> = match (heap.items(caps), heap.entries(caps)) {
            (Some(items), _) => items.to_vec(),
            (None, Some(entries)) => entries.into_iter().map(|entry| entry.0).collect(),
            (None, None) => Vec::new(),
        };
        let mut names = names.into_iter().filter_map(|name| text_of(&heap, name));
        names.find_map(|name| self.fault_of_cap(&name, actor, received))
    }

    fn fault_of_cap(&self, name: &str, actor: &str, received: u64) -> Option<Code> {
        if self.revoked.contains(name) {
            return Some(Code::CAP_REVOKED);
        }
        let terms = self.terms.get(name)?;
        if terms.expires.is_some_and(|expires| received >= expires) {
            Some(Code::CAP_EXPIRED)
        } else {
            terms.actor.as_ref().is_some_and(|holder| holder != actor).then_some(Code::CAP_FOREIGN)
        }
    }

    /// The actor who signs with the key, where it is one alone.
    #[must_use]
    pub fn actor_of(&self, author: &Hash) -> Option<&str> {
        let mut actors = self.actors.iter().filter(|(_, keys)| keys.contains(author)).map(|(actor, _)| actor.as_str());
        let first = actors.next();
        if actors.next().is_some() { None } else { first }
    }
}

impl Binding {
    fn read(document: &[u8], epoch: u64) -> Result<Binding, Refused> {
        let broken = |name: &str| says_nothing(format!("the binding's `{name}` is missing or no root"));
        let mut reader = Reader::open(document).ok().flatten().ok_or_else(|| says_nothing("the binding is no map"))?;
        let mut root =
            |name: &'static str| reader.text(name).as_deref().and_then(program_root).ok_or_else(|| broken(name));
        let (fold_root, policy_root) = (root("fold_root")?, root("policy_root")?);
        let governance_root = root("governance_root")?;
        let ahead = match reader.field("ahead_ms") {
            None => limit::LOG_AHEAD.value,
            Some(value) => {
                value.as_i64().and_then(|ahead| u64::try_from(ahead).ok()).ok_or_else(|| broken("ahead_ms"))?
            }
        };
        let accepts = match reader.field("accepts") {
            None => Vec::new(),
            Some(value) => accepted(&reader.heap, value).ok_or_else(|| broken("accepts"))?,
        };
        let bundle = match reader.field("bundle") {
            None => None,
            Some(value) => Some(marked(&reader.heap, value).ok_or_else(|| broken("bundle"))?),
        };
        let closed = match reader.field("closed") {
            None => None,
            Some(value) => Some(Closed::read(&reader.heap, value).ok_or_else(|| broken("closed"))?),
        };
        Ok(Binding { epoch, fold_root, policy_root, governance_root, ahead, accepts, bundle, closed })
    }

    /// The payload of a governance op that binds this.
    ///
    /// # Errors
    /// Never: roots and numbers have a canonical form.
    pub fn payload(&self) -> Result<Vec<u8>, Refused> {
        let mut writer = Writer::new();
        for (name, root) in self.roots() {
            writer.text(name, &program_text(root));
        }
        if self.ahead != limit::LOG_AHEAD.value {
            writer.integer("ahead_ms", self.ahead);
        }
        if !self.accepts.is_empty() {
            let mut pair = |(fold, policy): &(Hash, Hash)| {
                let roots = [fold, policy].map(|root| writer.heap.string(program_text(root).as_bytes()));
                writer.heap.list(&roots)
            };
            let pairs: Vec<Value> = self.accepts.iter().map(&mut pair).collect();
            let pairs = writer.heap.list(&pairs);
            writer.value("accepts", pairs);
        }
        if let Some(Mark { number, root }) = &self.bundle {
            let root = writer.heap.bytes(root);
            let mark = writer.heap.list(&[integer(*number), root]);
            writer.value("bundle", mark);
        }
        if let Some(Closed { checkpoint, ulid }) = &self.closed {
            let texts = [Some(data_text(checkpoint)), ulid.map(|ulid| ulid.to_string())];
            let texts: Vec<Value> =
                texts.into_iter().flatten().map(|text| writer.heap.string(text.as_bytes())).collect();
            let list = writer.heap.list(&texts);
            writer.value("closed", list);
        }
        writer.finish().map_err(|refusal| says_nothing(refusal.to_string()))
    }

    const fn roots(&self) -> [(&'static str, &Hash); 3] {
        [("fold_root", &self.fold_root), ("policy_root", &self.policy_root), ("governance_root", &self.governance_root)]
    }

    /// Whether an op that consents to these roots is the stream's.
    #[must_use]
    pub fn takes(&self, fold_root: &Hash, policy_root: &Hash) -> bool {
        let bound = (&self.fold_root, &self.policy_root);
        bound == (fold_root, policy_root)
            || self.accepts.iter().any(|pair| (&pair.0, &pair.1) == (fold_root, policy_root))
    }
}

/// A bundle's number and root.
fn marked(heap: &Heap, value: Value) -> Option<Mark> {
    let &[number, root] = heap.items(value)? else { return None };
    Some(Mark { number: u64::try_from(number.as_i64()?).ok()?, root: heap.as_bytes(root)?.try_into().ok()? })
}

impl Closed {
    /// A list of texts: the checkpoint's hash, and the ULID where there is one.
    fn read(heap: &Heap, value: Value) -> Option<Closed> {
        let texts = texts_of(heap, value)?;
        let (checkpoint, ulid) = match texts.as_slice() {
            [checkpoint] => (checkpoint, None),
            [checkpoint, ulid] => (checkpoint, Some(Ulid::parse(ulid.as_bytes()).ok()?)),
            _ => return None,
        };
        Some(Closed { checkpoint: hash_from_hex(checkpoint.strip_prefix("blake3:")?)?, ulid })
    }
}

/// Pairs of roots, each a list of two texts.
fn accepted(heap: &Heap, value: Value) -> Option<Vec<(Hash, Hash)>> {
    let pair = |&pair: &Value| {
        let roots = texts_of(heap, pair)?;
        let [fold, policy] = roots.as_slice() else { return None };
        Some((program_root(fold)?, program_root(policy)?))
    };
    heap.items(value)?.iter().map(pair).collect()
}

/// The rows by what they speak of.
struct Sections {
    heap: Heap,
    epoch: Option<u64>,
    binding: Option<Vec<u8>>,
    actors: BTreeMap<String, Vec<String>>,
    terms: BTreeMap<String, Terms>,
    revoked: BTreeSet<String>,
    tables: BTreeMap<&'static str, Vec<(Value, Value)>>,
}

impl Default for Sections {
    fn default() -> Sections {
        let (actors, terms, tables) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Sections { heap: Heap::new(0), epoch: None, binding: None, actors, terms, revoked: BTreeSet::new(), tables }
    }
}

/// The paths whose rows policies read as maps.
const TABLES: [&str; 3] = ["groups", "grants", "trust"];

impl Sections {
    fn row(&mut self, key: &[u8], bytes: &[u8]) -> Option<()> {
        let pair = cbor::decode(&mut self.heap, key, &Options::CANONICAL).ok()?;
        let value = cbor::decode(&mut self.heap, bytes, &Options::CANONICAL).ok()?;
        let &[path, name] = self.heap.items(pair)? else { return None };
        let path = self.heap.as_string(&path)?.to_vec();
        match path.as_slice() {
            b"epoch" => self.epoch = Some(u64::try_from(value.as_i64()?).ok()?),
            b"binding" => self.binding = Some(bytes.to_vec()),
            b"actors" => {
                let actor = text_of(&self.heap, name)?;
                self.actors.insert(actor, texts_of(&self.heap, value)?);
            }
            b"revoked" => {
                self.revoked.insert(text_of(&self.heap, name)?);
            }
            _ => {
                if path == b"grants" {
                    self.terms.insert(text_of(&self.heap, name)?, Terms::read(bytes)?);
                }
                if let Some(&table) = TABLES.iter().find(|table| table.as_bytes() == path) {
                    self.tables.entry(table).or_default().push((name, value));
                }
            }
        }
        Some(())
    }
}

impl Terms {
    /// Reads a grant; what is no map has no terms.
    fn read(grant: &[u8]) -> Option<Terms> {
        let Ok(Some(mut reader)) = Reader::open(grant) else { return Some(Terms::default()) };
        let actor = match reader.field("actor") {
            None => None,
            Some(actor) => Some(text_of(&reader.heap, actor)?),
        };
        let expires = match reader.field("expires_ms") {
            None => None,
            Some(expires) => Some(u64::try_from(expires.as_i64()?).ok()?),
        };
        Some(Terms { actor, expires })
    }
}

/// The payload of an op by which an actor replaces a key.
///
/// # Errors
/// Never where the actor has a canonical name.
pub fn rotation(actor: &str, previous: &Hash, key: &Hash) -> Result<Vec<u8>, Refused> {
    let mut writer = Writer::new();
    writer.text("actor", actor).text("prev", &to_hex(previous)).text("key", &to_hex(key));
    writer.finish().map_err(|refusal| says_nothing(refusal.to_string()))
}

/// What a genesis says of its stream.
#[derive(Debug, Clone)]
pub struct Genesis {
    pub name: String,
    pub fold_root: Hash,
    pub policy_root: Hash,
    pub governance_root: Hash,
    /// Actors with their keys.
    pub actors: BTreeMap<String, BTreeSet<Hash>>,
    /// The members of the group `owner`.
    pub owners: Vec<String>,
}

impl Genesis {
    /// The payload of the genesis op.
    ///
    /// # Errors
    /// Where a name has no canonical form.
    pub fn payload(&self) -> Result<Vec<u8>, Refused> {
        let mut writer = Writer::new();
        for (name, root) in [
            ("fold_root", &self.fold_root),
            ("policy_root", &self.policy_root),
            ("governance_root", &self.governance_root),
        ] {
            writer.text(name, &program_text(root));
        }
        let binding = writer.map();
        let mut entries = Vec::new();
        for (actor, keys) in &self.actors {
            let keys: Vec<Value> = keys.iter().map(|key| writer.heap.string(to_hex(key).as_bytes())).collect();
            entries.push((writer.heap.string(actor.as_bytes()), writer.heap.list(&keys)));
        }
        let actors = writer.heap.map(&entries).unwrap_or(Value::NIL);
        let owners: Vec<Value> = self.owners.iter().map(|owner| writer.heap.string(owner.as_bytes())).collect();
        let owners = (writer.heap.string(b"owner"), writer.heap.list(&owners));
        let groups = writer.heap.map(&[owners]).unwrap_or(Value::NIL);
        writer.text("name", &self.name).value("binding", binding).value("actors", actors).value("groups", groups);
        writer.finish().map_err(|refusal| says_nothing(refusal.to_string()))
    }
}

/// The governance fold that a genesis binds, which is the one that reads it.
///
/// # Errors
/// `GOVERNANCE_BROKEN` where it binds none.
pub(crate) fn genesis_root(payload: &[u8]) -> Result<Hash, Refused> {
    let missing = || says_nothing("the genesis binds no `governance_root`");
    let mut reader = Reader::open(payload).ok().flatten().ok_or_else(missing)?;
    let binding = reader.document("binding").ok_or_else(missing)?;
    let mut reader = Reader::open(&binding).ok().flatten().ok_or_else(missing)?;
    reader.text("governance_root").as_deref().and_then(program_root).ok_or_else(missing)
}
