//! Random numbers by explicit seed: BLAKE3 in counter mode. The n-th block of 32 bytes is the hash, in a context of its
//! own, of n in eight bytes, lowest first, and the seed. A number takes a new block and the first of its four words,
//! lowest byte first, that lies below the greatest multiple of the range's size; where none does, the next block.

use super::{Call, text};
use crate::encoding::root::{Context, Root};
use crate::execute::{Outcome, arithmetic};
use crate::meter;
use crate::trap::TrapCode;
use crate::value::Value;

/// Where the state's list holds the seed, and how many blocks were taken.
const SEED: Value = Value::integer(1);
const TAKEN: Value = Value::integer(2);

pub(super) fn new(call: &mut Call) -> Outcome<Value> {
    let seed = call.argument(0);
    text(call.heap, &seed)?;
    call.meter.allocate(meter::TABLE + 2 * meter::VALUE)?;
    Ok(call.heap.list(&[seed, Value::integer(0)]))
}

pub(super) fn next(call: &mut Call) -> Outcome<Value> {
    let state = call.argument(0);
    let (low, high) = match *call.arguments {
        [_, high] => (1, arithmetic::integer(call.heap, high)?),
        [_, low, high] => (arithmetic::integer(call.heap, low)?, arithmetic::integer(call.heap, high)?),
        _ => return Err(TrapCode::ARGUMENTS),
    };
    if low > high {
        return Err(TrapCode::ARGUMENTS);
    }
    // One less than the number of values, so that all of them fit.
    let span = high.wrapping_sub(low).cast_unsigned();
    loop {
        let word = block(call, state)?.into_iter().find(|&word| is_fair(word, span));
        if let Some(word) = word {
            let offset = span.checked_add(1).map_or(word, |count| word % count);
            return Ok(Value::integer(low.wrapping_add(offset.cast_signed())));
        }
    }
}

/// Whether a word lies below the greatest multiple of `span` + 1 that 2^64 holds.
fn is_fair(word: u64, span: u64) -> bool {
    match span.checked_add(1) {
        None => true,
        Some(count) => {
            let left_over = (u64::MAX % count + 1) % count;
            word <= u64::MAX - left_over
        }
    }
}

/// The next block of a generator, which counts it.
fn block(call: &mut Call, state: Value) -> Outcome<[u64; 4]> {
    let seed = call.heap.get(state, SEED).ok_or(TrapCode::KIND)?;
    let taken = call.heap.get(state, TAKEN).and_then(Value::as_i64).ok_or(TrapCode::KIND)?;
    let content = text(call.heap, &seed)?;
    call.meter.charge(100 + content.len() as u64)?;
    let mut input = Vec::with_capacity(8 + content.len());
    input.extend_from_slice(&taken.to_le_bytes());
    input.extend_from_slice(content);
    let root = Root::of_data(Context::Random, &input);
    call.heap.set(state, TAKEN, Value::integer(taken.wrapping_add(1)))?;
    let (words, _) = root.bytes().as_chunks::<8>();
    let mut block = [0; 4];
    block.iter_mut().zip(words).for_each(|(to, from)| *to = u64::from_le_bytes(*from));
    Ok(block)
}
