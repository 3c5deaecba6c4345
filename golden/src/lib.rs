//! The golden runner: reads case files, runs their stages, and compares or blesses what came out.
//!
//! Pure but for `files` and the seed's variable, and without dependencies but the compiler and the machine,
//! so that it runs on every target.

pub mod calls;
pub mod case;
pub mod compile;
pub mod export;
pub mod files;
pub mod folds;
pub mod freeze;
pub mod law;
pub mod policy;
pub mod shipped;
pub mod source;
pub mod stage;
pub mod verdict;

/// The seed of in-memory hashes where the environment names no other.
pub const MAP_SEED: u64 = 1;

/// The seed that `KERAI_MAP_SEED` names. No result may depend on it, which is why one can be chosen.
///
/// # Errors
/// Where the variable holds something else than a number.
pub fn map_seed() -> Result<u64, String> {
    match std::env::var("KERAI_MAP_SEED") {
        Ok(text) => text.parse().map_err(|_| format!("KERAI_MAP_SEED is `{text}`: give a number below 2^64")),
        Err(_) => Ok(MAP_SEED),
    }
}
