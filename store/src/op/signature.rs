//! Signatures: Ed25519 by one written rule, one at a time.
//!
//! The rule. Let the signature be (R, S), the key A, the message M, L the order of the base point B. It verifies if and
//! only if (1) A and R are canonical encodings of points: y below the field's prime; (2) neither point is of small order;
//! (3) S is below L; (4) R = S·B − k·A with k = SHA-512(R ‖ A ‖ M) modulo L, without a cofactor. Signatures are never
//! verified in batches, so that there is no second answer.

use crate::document::Hash;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use std::cell::Cell;

/// What is signed: bytes signed in one domain are no signature in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    Op,
    Checkpoint,
    Bundle,
}

impl Domain {
    /// The tag before the hash, closed by a zero byte.
    const fn tag(self) -> &'static [u8] {
        match self {
            Domain::Op => b"kerai v1 op signature\0",
            Domain::Checkpoint => b"kerai v1 checkpoint signature\0",
            Domain::Bundle => b"kerai v1 bundle signature\0",
        }
    }

    fn message(self, hash: &Hash) -> Vec<u8> {
        [self.tag(), hash].concat()
    }
}

/// A key that signs. It is wiped when it goes, and shown nowhere.
pub struct SecretKey(SigningKey);

impl SecretKey {
    #[must_use]
    pub fn from_seed(seed: &Hash) -> SecretKey {
        SecretKey(SigningKey::from_bytes(seed))
    }

    pub(crate) fn seed(&self) -> Hash {
        self.0.to_bytes()
    }

    #[must_use]
    pub fn public(&self) -> Hash {
        self.0.verifying_key().to_bytes()
    }

    #[must_use]
    pub fn sign(&self, domain: Domain, hash: &Hash) -> [u8; 64] {
        self.sign_message(&domain.message(hash))
    }

    /// Signs bytes as they are; whatever the store signs has a domain.
    #[must_use]
    pub fn sign_message(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// Whether the signature is the key's over the hash, in this domain.
#[must_use]
pub fn verify(domain: Domain, hash: &Hash, key: &Hash, signature: &[u8; 64]) -> bool {
    verify_message(&domain.message(hash), key, signature)
}

/// The rule itself, over any message.
#[must_use]
pub fn verify_message(message: &[u8], key: &Hash, signature: &[u8; 64]) -> bool {
    let Some(point) = signature.first_chunk::<32>() else { return false };
    if !is_canonical(key) || !is_canonical(point) {
        return false;
    }
    let Some(key) = point_of(key) else { return false };
    key.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
}

thread_local! {
    /// The key that was asked for last: most ops in a row are one author's, and finding its point is a tenth of the work.
    static LAST: Cell<Option<VerifyingKey>> = const { Cell::new(None) };
}

/// The key as a point; none where it is no point's encoding.
fn point_of(key: &Hash) -> Option<VerifyingKey> {
    let last = LAST.get().filter(|last| last.as_bytes() == key);
    let found = last.or_else(|| VerifyingKey::from_bytes(key).ok());
    LAST.set(found);
    found
}

/// Whether a point's encoding has y below the prime 2^255 − 19. (The other encodings that are no one's, zero with a
/// sign, are of points of small order, which are refused as such.)
fn is_canonical(encoding: &Hash) -> bool {
    let mut least_first = encoding.iter().copied();
    let lowest = least_first.next().unwrap_or(0xff);
    let rest: Vec<u8> = least_first.collect();
    let Some((&highest, middle)) = rest.split_last() else { return false };
    highest & 0x7f != 0x7f || middle.iter().any(|&byte| byte != 0xff) || lowest < 0xed
}
