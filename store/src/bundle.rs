//! Bundles: programs with their manifest in one canonical file, under one root, numbered and signed.
//!
//! The root covers the number and every program's path, kind and bytes; the signature covers the root. A stream remembers
//! the number of the bundle that it was bound from, so that it is never bound back to an older one.

use crate::code::{Code, Refused};
use crate::document::{Hash, Reader, Writer, hash, to_hex};
use crate::op::signature::{Domain, SecretKey, verify};
use crate::program::Stored;
use kerai_vm::bytecode::ProgramKind;
use kerai_vm::encoding::root::Context;

/// The version of a bundle's body.
const VERSION: u64 = 1;
/// The key of the file that holds the body, by which a bundle is known.
const BODY: &str = "kerai-bundle";

/// Programs that belong together.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// Counts up from 1: a later bundle has a greater one.
    pub number: u64,
    /// In the order of their paths.
    pub programs: Vec<Bundled>,
}

/// A program, and the path of its source below the folder that was built.
#[derive(Debug, Clone)]
pub struct Bundled {
    pub path: String,
    pub program: Stored,
}

/// A bundle as it was read, with its root and who signed it.
#[derive(Debug, Clone)]
pub struct Opened {
    pub bundle: Bundle,
    pub root: Hash,
    /// The key whose signature it bears, which has been checked.
    pub signer: Option<Hash>,
}

/// Which bundle a stream is bound from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub number: u64,
    pub root: Hash,
}

fn broken(what: impl Into<String>) -> Refused {
    Refused::new(Code::BUNDLE_BROKEN, what)
}

impl Bundle {
    /// The bytes of its file, and its root.
    ///
    /// # Errors
    /// `BUNDLE_BROKEN` where it is too large for a document.
    pub fn encode(&self, key: Option<&SecretKey>) -> Result<(Vec<u8>, Hash), Refused> {
        let body = self.body().map_err(|refusal| broken(refusal.to_string()))?;
        let root = hash(Context::Bundle, &body);
        let mut writer = Writer::new();
        writer.bytes(BODY, &body);
        if let Some(key) = key {
            writer.bytes("signer", &key.public()).bytes("signature", &key.sign(Domain::Bundle, &root));
        }
        Ok((writer.finish().map_err(|refusal| broken(refusal.to_string()))?, root))
    }

    fn body(&self) -> Result<Vec<u8>, kerai_vm::refusal::Refusal> {
        let mut writer = Writer::new();
        let mut programs = Vec::with_capacity(self.programs.len());
        for Bundled { path, program } in &self.programs {
            writer.text("path", path).text("kind", program.kind().name());
            writer.bytes("root", &program.root).bytes("program", &program.bytes);
            programs.push(writer.map());
        }
        let programs = writer.heap.list(&programs);
        writer.integer("version", VERSION).integer("number", self.number).value("programs", programs);
        writer.finish()
    }

    /// Whether bytes look like a bundle, sound or not.
    #[must_use]
    pub fn is_one(bytes: &[u8]) -> bool {
        Reader::open(bytes).ok().flatten().is_some_and(|mut reader| reader.bytes(BODY).is_some())
    }

    /// Reads a bundle's file, verifies every program and the signature where there is one.
    ///
    /// # Errors
    /// `BUNDLE_BROKEN`, `BUNDLE_SIGNATURE`, or `PROGRAM_KIND` where a program can't run.
    pub fn open(bytes: &[u8]) -> Result<Opened, Refused> {
        let reader = Reader::open(bytes).map_err(|refusal| broken(refusal.to_string()))?;
        let mut reader = reader.ok_or_else(|| broken("the file is no map"))?;
        let body = reader.bytes(BODY).ok_or_else(|| broken("the file holds no bundle"))?;
        let root = hash(Context::Bundle, &body);
        let signed = (reader.hash("signer"), reader.bytes("signature"));
        if !reader.is_spent() {
            return Err(broken("there is more in the file than a bundle and its signature"));
        }
        let signer = match signed {
            (None, None) => None,
            (Some(signer), Some(signature)) => {
                let wrong = || Refused::new(Code::BUNDLE_SIGNATURE, format!("of the key `{}`", to_hex(&signer)));
                let signature: [u8; 64] = signature.try_into().map_err(|_| wrong())?;
                if !verify(Domain::Bundle, &root, &signer, &signature) {
                    return Err(wrong());
                }
                Some(signer)
            }
            _ => return Err(broken("a signature without its key, or a key without its signature")),
        };
        Ok(Opened { bundle: read(&body)?, root, signer })
    }

    /// The programs of a kind, with their paths.
    pub fn of_kind(&self, kind: ProgramKind) -> impl Iterator<Item = &Bundled> {
        self.programs.iter().filter(move |bundled| bundled.program.kind() == kind)
    }
}

impl Opened {
    #[must_use]
    pub const fn mark(&self) -> Mark {
        Mark { number: self.bundle.number, root: self.root }
    }
}

impl Mark {
    /// Whether a stream that is bound from this bundle may be bound from another.
    ///
    /// # Errors
    /// `BUNDLE_OLD` where the other is older, or another one of the same number.
    pub fn gives_way(&self, other: &Mark) -> Result<(), Refused> {
        if other.number > self.number || other == self {
            return Ok(());
        }
        let what = format!("its number is {}, and the stream is bound from number {}", other.number, self.number);
        Err(Refused::new(Code::BUNDLE_OLD, what))
    }
}

fn read(body: &[u8]) -> Result<Bundle, Refused> {
    let form = || broken("the manifest is not in its form");
    let reader = Reader::open(body).map_err(|refusal| broken(refusal.to_string()))?;
    let mut reader = reader.ok_or_else(form)?;
    if reader.integer("version") != Some(VERSION) {
        return Err(broken("the bundle is of a version that is not known here"));
    }
    let number = reader.integer("number").ok_or_else(form)?;
    let list = reader.field("programs").ok_or_else(form)?;
    if !reader.is_spent() {
        return Err(form());
    }
    let mut programs: Vec<Bundled> = Vec::new();
    for item in reader.heap.items(list).map(<[_]>::to_vec).unwrap_or_default() {
        let mut entry = Reader::of(reader.heap, item).ok_or_else(form)?;
        let path = entry.text("path").ok_or_else(form)?;
        let kind = entry.text("kind").ok_or_else(form)?;
        let root = entry.hash("root").ok_or_else(form)?;
        let program = Stored::from_bytes(&entry.bytes("program").ok_or_else(form)?)?;
        if program.root != root || program.kind().name() != kind || !entry.is_spent() {
            return Err(broken(format!("`{path}` is not what the manifest says")));
        }
        if programs.last().is_some_and(|last| last.path >= path) {
            return Err(broken(format!("`{path}` is out of order")));
        }
        programs.push(Bundled { path, program });
        reader.heap = entry.heap;
    }
    Ok(Bundle { number, programs })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(number: u64) -> Bundle {
        let program = Stored::shipped("std/owner-only").expect("it ships");
        Bundle { number, programs: vec![Bundled { path: "policies/own.rgs".to_owned(), program }] }
    }

    #[test]
    fn a_bundle_is_read_as_it_was_written() {
        let key = SecretKey::from_seed(&[7; 32]);
        for signed in [None, Some(&key)] {
            let (bytes, root) = bundle(3).encode(signed).expect("it encodes");
            let opened = Bundle::open(&bytes).expect("it opens");
            assert!(Bundle::is_one(&bytes));
            assert_eq!((opened.root, opened.signer), (root, signed.map(SecretKey::public)));
            assert_eq!(opened.bundle.encode(signed).expect("it encodes"), (bytes, root));
        }
    }

    #[test]
    fn no_byte_of_a_signed_bundle_can_be_changed() {
        let key = SecretKey::from_seed(&[7; 32]);
        let (bytes, _) = bundle(3).encode(Some(&key)).expect("it encodes");
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            if let Some(byte) = changed.get_mut(place) {
                *byte ^= 1;
            }
            assert!(Bundle::open(&changed).is_err(), "byte {place}");
        }
    }

    #[test]
    fn only_a_later_bundle_or_the_same_takes_the_place_of_one() {
        let mark = |number, root| Mark { number, root: [root; 32] };
        assert!(mark(2, 1).gives_way(&mark(3, 2)).is_ok());
        assert!(mark(2, 1).gives_way(&mark(2, 1)).is_ok());
        assert!(mark(2, 1).gives_way(&mark(2, 2)).is_err());
        assert!(mark(2, 1).gives_way(&mark(1, 1)).is_err());
    }
}
