//! Roots: programs hash with SHA-256, data with BLAKE3 under one named context a use.

use blake3::IncrementCounter;
use blake3::hazmat::{self, ContextKey, HasherExt};
// Unstable: the version is pinned, and a test compares what it gives.
use blake3::platform::{self, Platform};
use core::fmt;
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

macro_rules! contexts {
    ($($(#[doc = $about:literal])+ $name:ident = $context:literal;)+) => {
        /// What is hashed; bytes hashed in one context never equal bytes hashed in another.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Context { $($(#[doc = $about])+ $name),+ }

        impl Context {
            pub const ALL: &[Context] = &[$(Context::$name),+];

            /// The string that BLAKE3 derives the key from.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Context::$name => $context),+ }
            }
        }
    };
}

contexts! {
    /// one document: canonical CBOR
    Data = "kerai v1 data";
    /// a snapshot of state
    Snapshot = "kerai v1 snapshot";
    /// where a row stands in the map of rows: canonical CBOR of path and key
    RowKey = "kerai v1 row-key";
    /// a row's value: canonical CBOR
    Value = "kerai v1 value";
    /// a leaf of the map of rows
    Leaf = "kerai v1 leaf";
    /// an inner node of the map of rows
    Node = "kerai v1 node";
    /// the results of all golden cases
    Golden = "kerai v1 golden";
    /// a program's random numbers: the seed and how much was drawn
    Random = "kerai v1 random";
    /// what a step draws random numbers from: op id, policy_root, fold_root
    Seed = "kerai v1 seed";
    /// an op's body: its op id
    Op = "kerai v1 op";
    /// the commitment to one field of a payload
    PayloadField = "kerai v1 payload field";
    /// the commitments to all fields of a payload
    Payload = "kerai v1 payload";
    /// what an op's author gave, whatever was filled in
    Given = "kerai v1 given";
    /// what a policy was asked
    GateInput = "kerai v1 gate input";
    /// a commit record, as a leaf of the log's tree
    LogLeaf = "kerai v1 log leaf";
    /// a node of the log's tree
    LogNode = "kerai v1 log node";
    /// the content by which ops of one ULID are ordered
    Order = "kerai v1 order";
    /// an event of a file: an op that nobody signed
    Event = "kerai v1 event";
    /// the events so far and the next one
    Events = "kerai v1 events";
    /// a checkpoint's body
    Checkpoint = "kerai v1 checkpoint";
    /// a bundle of programs with its manifest
    Bundle = "kerai v1 bundle";
    /// a proof by commitment, without this hash
    Proof = "kerai v1 proof";
    /// an evidence pack, up to its end
    Pack = "kerai v1 pack";
}

/// What BLAKE3 takes in at a time.
pub type Block = [u8; blake3::BLOCK_LEN];

/// The bytes of a whole block.
const BLOCK: u8 = blake3::BLOCK_LEN as u8;

/// BLAKE3's flags, as its specification numbers them.
mod flag {
    pub(super) const CHUNK_START: u8 = 1 << 0;
    pub(super) const CHUNK_END: u8 = 1 << 1;
    pub(super) const ROOT: u8 = 1 << 3;
    /// The input of a key that was derived from a context.
    pub(super) const DERIVED: u8 = 1 << 6;
}

impl Context {
    /// The key that BLAKE3 derives from the name, once: deriving it anew costs as much as hashing a small op.
    fn key(self) -> &'static ContextKey {
        static KEYS: [OnceLock<ContextKey>; Context::ALL.len()] = [const { OnceLock::new() }; Context::ALL.len()];
        let derive = || hazmat::hash_derive_key_context(self.name());
        #[expect(clippy::indexing_slicing, reason = "there is one place a context")]
        KEYS[self as usize].get_or_init(derive)
    }
}

/// A root: 32 bytes and how they were hashed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Root {
    Sha256([u8; 32]),
    Blake3([u8; 32]),
}

impl Root {
    /// The root of a program.
    #[must_use]
    pub fn of_program(bytes: &[u8]) -> Root {
        Root::Sha256(Sha256::digest(bytes).into())
    }

    /// The root of data.
    #[must_use]
    pub fn of_data(context: Context, bytes: &[u8]) -> Root {
        // Most data is short: its few blocks take less time than setting up what long data needs.
        if bytes.len() <= blake3::CHUNK_LEN {
            return Root::Blake3(of_chunk(context, bytes));
        }
        let mut hasher = blake3::Hasher::new_from_context_key(context.key());
        Root::Blake3(hasher.update(bytes).finalize().into())
    }

    /// What [`Root::of_data`] gives for each of many blocks: the processor hashes several of them at a time. One block is a
    /// whole input, so that its first and its last flags are those of the root.
    #[must_use]
    pub fn of_blocks(context: Context, blocks: &[Block]) -> Vec<[u8; 32]> {
        hash_together(context, &blocks.iter().collect::<Vec<_>>(), flag::CHUNK_END | flag::ROOT)
    }

    /// What [`Root::of_data`] gives for each of many texts. Of short ones the processor hashes several of a length at a
    /// time, all but their last blocks.
    #[must_use]
    pub fn of_each(context: Context, texts: &[&[u8]]) -> Vec<[u8; 32]> {
        let mut roots = vec![[0; 32]; texts.len()];
        let mut by_blocks: [Vec<usize>; BLOCKS] = Default::default();
        for (number, (text, root)) in texts.iter().zip(&mut roots).enumerate() {
            match by_blocks.get_mut(blocks_before_last(text)) {
                Some(numbers) => numbers.push(number),
                None => *root = *Root::of_data(context, text).bytes(),
            }
        }
        for (blocks, numbers) in by_blocks.iter().enumerate().filter(|(_, numbers)| !numbers.is_empty()) {
            let same: Vec<&[u8]> = numbers.iter().filter_map(|&number| texts.get(number).copied()).collect();
            for ((&number, text), state) in numbers.iter().zip(&same).zip(states_after(context, blocks, &same)) {
                if let Some(root) = roots.get_mut(number) {
                    *root = finished(state, text, blocks);
                }
            }
        }
        roots
    }

    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        match self {
            Root::Sha256(bytes) | Root::Blake3(bytes) => bytes,
        }
    }
}

/// The blocks of a chunk.
const BLOCKS: usize = blake3::CHUNK_LEN / blake3::BLOCK_LEN;

/// What is known of a chunk of which some blocks were hashed.
type State = [u32; 8];

/// Hashes inputs of whole blocks from the beginning of a chunk, as many at a time as the processor can.
fn hash_together<const N: usize>(context: Context, inputs: &[&[u8; N]], end: u8) -> Vec<[u8; 32]> {
    let (mut out, key) = (vec![[0; 32]; inputs.len()], platform::words_from_le_bytes_32(context.key()));
    let (start, no) = (flag::CHUNK_START, IncrementCounter::No);
    Platform::detect().hash_many(inputs, &key, 0, no, flag::DERIVED, start, end, out.as_flattened_mut());
    out
}

/// The states of chunks after so many blocks, which all of them have.
fn states_after(context: Context, blocks: usize, texts: &[&[u8]]) -> Vec<State> {
    macro_rules! by_count {
        ($($count:literal)+) => {
            match blocks {
                $($count => {
                    let inputs: Vec<_> = texts.iter().filter_map(|text| text.first_chunk()).collect();
                    hash_together::<{ $count * blake3::BLOCK_LEN }>(context, &inputs, 0)
                })+
                _ => vec![*context.key(); texts.len()],
            }
        };
    }
    let states = by_count!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    states.iter().map(platform::words_from_le_bytes_32).collect()
}

/// The hash of at most a chunk, which is whole by itself.
fn of_chunk(context: Context, bytes: &[u8]) -> [u8; 32] {
    let (platform, mut state) = (Platform::detect(), platform::words_from_le_bytes_32(context.key()));
    let (blocks, mut start) = (blocks_before_last(bytes), flag::CHUNK_START);
    for block in bytes.as_chunks().0.iter().take(blocks) {
        platform.compress_in_place(&mut state, block, BLOCK, 0, flag::DERIVED | start);
        start = 0;
    }
    finished(state, bytes, blocks)
}

/// How many whole blocks come before the last one, which may be whole too.
const fn blocks_before_last(bytes: &[u8]) -> usize {
    bytes.len().saturating_sub(1) / blake3::BLOCK_LEN
}

/// The hash of at most a chunk that was hashed but for its last block, which is that of the root.
fn finished(mut state: State, bytes: &[u8], blocks: usize) -> [u8; 32] {
    let rest = bytes.get(blocks * blake3::BLOCK_LEN..).unwrap_or_default();
    let mut last: Block = [0; blake3::BLOCK_LEN];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let start = if blocks == 0 { flag::CHUNK_START } else { 0 };
    let flags = flag::DERIVED | start | flag::CHUNK_END | flag::ROOT;
    // What is left is a block at most.
    Platform::detect().compress_in_place(&mut state, &last, rest.len() as u8, 0, flags);
    platform::le_bytes_from_words_32(&state)
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Root::Sha256(_) => "sha256:",
            Root::Blake3(_) => "blake3:",
        })?;
        self.bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(length: usize) -> Vec<u8> {
        (0..length).map(|number| (number * 7) as u8).collect()
    }

    #[test]
    fn short_data_is_hashed_as_long_data() {
        for length in (0..=130).chain([191, 192, 193, 1023, 1024, 1025, 2048, 2049]) {
            let bytes = text(length);
            for &context in Context::ALL {
                assert_eq!(Root::of_data(context, &bytes).bytes(), &blake3::derive_key(context.name(), &bytes));
            }
        }
    }

    #[test]
    fn many_texts_are_hashed_as_each() {
        let texts: Vec<Vec<u8>> =
            (0..2200_usize).step_by(7).chain([64, 65, 128, 1023, 1024, 1025, 63, 64, 0, 64]).map(text).collect();
        for count in [0, 1, 2, 17, texts.len()] {
            let texts: Vec<&[u8]> = texts.iter().take(count).map(Vec::as_slice).collect();
            for &context in Context::ALL {
                let each: Vec<[u8; 32]> = texts.iter().map(|text| blake3::derive_key(context.name(), text)).collect();
                assert_eq!(Root::of_each(context, &texts), each);
            }
        }
        // Many of one length, so that all lanes are used.
        for length in 0..=1025 {
            let texts: Vec<Vec<u8>> = (0..21).map(|number| text(length + number).split_off(number)).collect();
            let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
            let each: Vec<[u8; 32]> = texts.iter().map(|text| *Root::of_data(Context::Op, text).bytes()).collect();
            assert_eq!(Root::of_each(Context::Op, &texts), each);
        }
    }

    #[test]
    fn many_blocks_are_hashed_as_each() {
        for count in [0, 1, 2, 7, 8, 15, 16, 17, 40] {
            let blocks: Vec<Block> = (0..count).map(|number| [number as u8; 64]).collect();
            for &context in Context::ALL {
                let each: Vec<[u8; 32]> = blocks.iter().map(|block| *Root::of_data(context, block).bytes()).collect();
                assert_eq!(Root::of_blocks(context, &blocks), each);
            }
        }
    }
}
