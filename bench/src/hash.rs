//! Hashing alone: the ceiling that stands beside the other figures.

use crate::cbor::{unit, work};
use crate::events::{Documents, Events};
use crate::harness::{Contender, Outcome, Plan, Report, Role, Work, measure};
use crate::ours;
use sha2::{Digest, Sha256};
use std::hint::black_box;

/// The context under which kerai hashes one document.
const CONTEXT: &str = "kerai v1 data";

pub fn ceiling(events: &Events, plan: &Plan) -> Outcome<Report> {
    let documents = &events.cbor;
    verify()?;
    let (work, count) = (work(documents), documents.count() as u64);
    let kibibytes = Work { units: work.bytes.div_ceil(1024), bytes: work.bytes };
    // Data is hashed in derive-key mode: here the key is derived once, and each event starts from it.
    let mut derived = blake3::Hasher::new_derive_key(CONTEXT);
    let contenders = vec![
        Contender::new(Role::Ours, "kerai", work, count, || documents.tally(|bytes| done(ours::data_root(bytes)))),
        blake3_each(Role::Peer, documents),
        Contender::new(Role::Peer, "blake3-derived-once", work, count, || {
            documents.tally(|bytes| done(derived.reset().update(bytes).finalize()))
        }),
        Contender::new(Role::Peer, "sha256", work, count, || documents.tally(|bytes| done(Sha256::digest(bytes)))),
        Contender::new(Role::Ceiling, "blake3-bulk", kibibytes, 1, || u64::from(done(blake3::hash(documents.bytes())))),
        Contender::new(Role::Ceiling, "sha256-bulk", kibibytes, 1, || {
            u64::from(done(Sha256::digest(documents.bytes())))
        }),
    ];
    measure(format!("{}, in bulk one KiB", unit(documents)), plan.rounds, contenders)
}

/// BLAKE3 over each event by itself, as the other reports show it too.
pub fn blake3_each(role: Role, documents: &Documents) -> Contender<'_> {
    let work = work(documents);
    Contender::new(role, "blake3", work, documents.count() as u64, move || {
        documents.tally(|bytes| done(blake3::hash(bytes)))
    })
}

/// A hash that the compiler must compute though nobody looks at it.
fn done<T>(hash: T) -> bool {
    black_box(hash);
    true
}

/// The published hashes of nothing and of `abc`, and the same derived key by all three ways.
fn verify() -> Outcome<()> {
    let blake3_empty = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
    let sha256_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let sha256: String = Sha256::digest(b"abc").iter().map(|byte| format!("{byte:02x}")).collect();
    let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
    let reset = hasher.update(b"first").reset().update(b"abc").finalize();
    let derived = blake3::derive_key(CONTEXT, b"abc");
    let published = blake3::hash(b"").to_hex().as_str() == blake3_empty && sha256 == sha256_abc;
    if published && *reset.as_bytes() == derived && ours::data_root(b"abc") == derived {
        Ok(())
    } else {
        Err("a hash differs from its published value".to_owned())
    }
}
