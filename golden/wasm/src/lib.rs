//! The compiler and the machine as WebAssembly, running golden cases that a host hands in.
//!
//! A host asks for room by `kerai_input`, writes there a case's name and text, and calls `kerai_case`; what failed is
//! then the output. After the last case `kerai_summary` makes the line that every platform must print alike.
//! The module imports nothing: what it computes can depend on nothing else.
#![expect(unsafe_code, reason = "an exported name is an unsafe attribute; there is no other unsafe code")]

use kerai_golden::MAP_SEED;
use kerai_golden::case::Case;
use kerai_golden::verdict::Tally;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the host and the module pass to each other, and what was counted so far.
struct Door {
    input: Vec<u8>,
    output: String,
    tally: Option<Tally>,
    seed: u64,
}

static DOOR: Mutex<Door> = Mutex::new(Door { input: Vec::new(), output: String::new(), tally: None, seed: MAP_SEED });

/// There is one thread, and a panic ends the module: the lock is never poisoned where it is asked for.
fn door() -> MutexGuard<'static, Door> {
    DOOR.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Room for an input of so many bytes, in place of the one before.
#[unsafe(no_mangle)]
pub extern "C" fn kerai_input(length: usize) -> *mut u8 {
    let mut door = door();
    door.input.clear();
    door.input.resize(length, 0);
    door.input.as_mut_ptr()
}

/// Begins anew with a seed of in-memory hashes.
#[unsafe(no_mangle)]
pub extern "C" fn kerai_seed(seed: u64) {
    let mut door = door();
    door.seed = seed;
    door.tally = None;
}

/// Runs the case whose name is the input's first bytes and whose text is the rest. 1 where it passes; where it does
/// not, the output says why.
#[unsafe(no_mangle)]
pub extern "C" fn kerai_case(name_length: usize) -> u32 {
    let mut door = door();
    let Door { input, output, tally, seed } = &mut *door;
    let (name, text) = input.split_at_checked(name_length).unwrap_or((input.as_slice(), &[]));
    let name = String::from_utf8_lossy(name);
    let case = str::from_utf8(text).map_err(|fault| fault.to_string()).and_then(Case::parse);
    let failure = tally.get_or_insert_default().judge(&name, case, *seed);
    let has_passed = failure.is_none();
    *output = failure.unwrap_or_default();
    u32::from(has_passed)
}

/// Makes the last line of a run the output. 1 where there were cases and all passed.
#[unsafe(no_mangle)]
pub extern "C" fn kerai_summary() -> u32 {
    let mut door = door();
    let Door { output, tally, .. } = &mut *door;
    let tally = tally.get_or_insert_default();
    *output = tally.summary();
    u32::from(tally.is_good())
}

/// Where the output begins, as UTF-8.
#[unsafe(no_mangle)]
pub extern "C" fn kerai_output() -> *const u8 {
    door().output.as_ptr()
}

/// How many bytes the output has.
#[unsafe(no_mangle)]
pub extern "C" fn kerai_output_length() -> usize {
    door().output.len()
}
