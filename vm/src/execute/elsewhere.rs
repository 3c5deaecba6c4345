//! The longer work of instructions, out of the loop's way: called with what it works on, never inlined.

use super::arithmetic::{self, Binary};
use super::library::{self, Results};
use super::step::{Flow, Leave, Mode, Registers, put, register, window, with_window};
use super::{Core, Outcome, sort};
use crate::bytecode::{ALL_RESULTS, Arguments, Builtin, Instruction};
use crate::meter::{self, Meter};
use crate::number::Float;
use crate::trap::TrapCode;
use crate::value::{Heap, TOGETHER, TableFault, Value};
use core::cmp::Ordering;

/// Keys that a loop goes through before what its rounds ask for is fetched ahead.
const FEWEST_WALKED: usize = 1 << 10;

/// Registers that are looked at for tables which such a loop asks: the parameters are among them.
const ASKED: usize = 4;

impl From<TableFault> for TrapCode {
    fn from(fault: TableFault) -> TrapCode {
        match fault {
            TableFault::NotTable => TrapCode::KIND,
            TableFault::ReadOnly => TrapCode::READ_ONLY,
            TableFault::Kind | TableFault::Nan => TrapCode::KEY,
        }
    }
}

#[inline(never)]
pub(super) fn closure(core: &mut Core, registers: &mut Registers, word: &Instruction) -> Outcome<()> {
    let keeps = window(registers, word.b(), word.c());
    core.meter.allocate(meter::CLOSURE + meter::VALUE * keeps.len() as u64)?;
    let closure = core.heap.closure(word.wide(), keeps);
    put(registers, word.a(), closure);
    Ok(())
}

// Comparing and counting.

#[inline(never)]
pub(super) fn equal(core: &mut Core, a: Value, b: Value) -> Outcome<bool> {
    if a.is_short_string() && b.is_short_string() {
        return Ok(a.is_same_words(b));
    }
    if let (Some(length), Some(other)) = (a.long_string_length(), b.long_string_length()) {
        if length != other {
            return Ok(false);
        }
        core.meter.charge_bytes(length)?;
        return Ok(a.is_same_words(b) || core.heap.is_same_key(a, b));
    }
    arithmetic::equals(&core.heap, &mut core.meter, a, b)
}

#[inline(never)]
pub(super) fn less(core: &mut Core, a: Value, b: Value) -> Outcome<bool> {
    Ok(arithmetic::compare(&core.heap, &mut core.meter, a, b)? == Some(Ordering::Less))
}

#[inline(never)]
pub(super) fn at_most(core: &mut Core, a: Value, b: Value) -> Outcome<bool> {
    Ok(arithmetic::compare(&core.heap, &mut core.meter, a, b)?.is_some_and(Ordering::is_le))
}

/// The counter, the limit and the step of a counting loop.
fn counting(registers: &Registers, word: &Instruction) -> [Value; 3] {
    [0, 1, 2].map(|place: u8| register(registers, word.a().wrapping_add(place)))
}

/// Whether a counter has not passed its limit, in the direction of the step.
fn goes_on(core: &mut Core, counter: Value, limit: Value, by: Value) -> Outcome<bool> {
    let is_downwards = less(core, by, Value::integer(0))?;
    if is_downwards { at_most(core, limit, counter) } else { at_most(core, counter, limit) }
}

/// Prepares counting; whether there is anything to count.
#[inline(never)]
pub(super) fn begin_counting(core: &mut Core, registers: &mut Registers, word: &Instruction) -> Outcome<bool> {
    let [counter, limit, by] = counting(registers, word);
    if equal(core, by, Value::integer(0))? {
        return Err(TrapCode::ARGUMENTS);
    }
    // A counter that meets a step by floats is a float from the first.
    let counter = if by.as_float().is_some() && counter.as_float().is_none() {
        Value::float(arithmetic::to_float(&core.heap, counter)?)
    } else {
        counter
    };
    let begins = goes_on(core, counter, limit, by)?;
    put(registers, word.a(), counter);
    put(registers, word.a().wrapping_add(3), counter);
    Ok(begins)
}

/// Counts on; whether the limit is not passed.
#[inline(never)]
pub(super) fn count_on(core: &mut Core, registers: &mut Registers, word: &Instruction) -> Outcome<bool> {
    let [counter, limit, by] = counting(registers, word);
    let next = match arithmetic::binary(&mut core.heap, &mut core.meter, Binary::Add, counter, by) {
        Ok(next) => next,
        // Past the range of numbers is past the limit. What the verifier counts as written is written.
        Err(TrapCode::RANGE) => {
            put(registers, word.a().wrapping_add(3), Value::NIL);
            return Ok(false);
        }
        Err(other) => return Err(other),
    };
    let goes_on = goes_on(core, next, limit, by)?;
    put(registers, word.a(), next);
    put(registers, word.a().wrapping_add(3), next);
    Ok(goes_on)
}

/// Does rounds of a loop that only puts one value at the positions that it counts, as long as each is usual, can be paid
/// for, and is followed by another: just what they do one by one. Whether it did any.
#[inline(never)]
pub(super) fn fill_items(
    core: &mut Core,
    registers: &mut Registers,
    (set, again): (&Instruction, &Instruction),
    value: Value,
    cost: u64,
) -> bool {
    let table = register(registers, set.a());
    let counted = registers.get_mut(usize::from(again.a())..).and_then(|rest| rest.first_chunk_mut::<4>());
    let Some([counter, limit, by, variable]) = counted else { return false };
    if set.b() != again.a().wrapping_add(3) || again.changes(set.a()) || value.is_nil() {
        return false;
    }
    let (Some(first @ 1..), Some(limit), Some(by @ 1..)) = (counter.as_i64(), limit.as_i64(), by.as_i64()) else {
        return false;
    };
    let followed = limit.saturating_sub(first) / by;
    if variable.as_i64() != Some(first) || followed <= 0 {
        return false;
    }
    let Core { heap, meter, .. } = core;
    let payable = if cost.saturating_mul(followed.cast_unsigned()) > meter.gas { meter.gas / cost } else { u64::MAX };
    let rounds = payable.min(followed.cast_unsigned());
    let mut done = heap.put_same(table, (first, by), rounds, value);
    if done == 0 && by == 1 {
        let room = heap.room_at(table, first).min(rounds);
        if meter.allocate(meter::ENTRY * room).is_ok() {
            done = room;
            heap.append_same(table, room, value);
        }
    }
    let next = first + by * done.cast_signed();
    meter.gas -= cost * done;
    (*counter, *variable) = (Value::integer(next), Value::integer(next));
    done > 0
}

/// Takes the next key that the table still has; whether there is one.
#[inline(never)]
pub(super) fn each(core: &mut Core, registers: &mut Registers, word: &Instruction) -> Outcome<bool> {
    let at = |place: u8| word.a().wrapping_add(place);
    let (keys, table) = (register(registers, word.a()), register(registers, word.b()));
    let mut position = register(registers, at(1)).as_i64().ok_or(TrapCode::KIND)?;
    loop {
        position = position.checked_add(1).ok_or(TrapCode::RANGE)?;
        let Some(key) = core.heap.get(keys, Value::integer(position)) else {
            // What the verifier counts as written is written.
            put(registers, at(2), Value::NIL);
            put(registers, at(3), Value::NIL);
            return Ok(false);
        };
        if position % TOGETHER as i64 == 1 {
            fetch_ahead(core, registers, keys, position);
        }
        if let Some(value) = core.heap.get(table, key) {
            put(registers, at(1), Value::integer(position));
            put(registers, at(2), key);
            put(registers, at(3), value);
            return Ok(true);
        }
        // The key went away since the keys were listed.
        core.meter.charge(1)?;
    }
}

/// Fetches what the next rounds of a loop over many keys will ask for. Whoever has tables before the keys of one asks those
/// for the same keys, most likely: the table that has them, and one that is compared or joined with it.
#[cold]
fn fetch_ahead(core: &Core, registers: &Registers, keys: Value, position: i64) {
    let first = usize::try_from(position - 1).unwrap_or(usize::MAX);
    let Some(keys) = core.heap.items(keys).filter(|keys| keys.len() >= FEWEST_WALKED) else { return };
    let next: Vec<Value> = keys.iter().skip(first).take(TOGETHER).copied().collect();
    registers.iter().take(ASKED).for_each(|&table| core.heap.fetch_entries_of(table, &next));
}

// Calling.

#[inline(never)]
pub(super) fn call_builtin(core: &mut Core, registers: &mut Registers, word: &Instruction) -> Flow {
    let builtin = Builtin::of(word.wide()).ok_or(TrapCode::KIND)?;
    if word.c() == 1
        && !Arguments::of(word.b()).is_spread
        && let Some(result) = library::quickly(core, builtin, window(registers, word.a(), word.b()))?
    {
        put(registers, word.a(), result);
        return Ok(());
    }
    let mut results = Results::new();
    let is_done = with_window(core, registers, (word.a(), word.b()), |core, arguments| {
        if Arguments::of(word.b()).is_spread {
            core.meter.charge_values(arguments.len())?;
        }
        if builtin == Builtin::TableSort && sort::has_comparator(arguments) {
            return Ok(false);
        }
        let Core { heap, meter, output, .. } = core;
        library::call(builtin, &mut library::Call { heap, meter, output, arguments, results: &mut results })?;
        Ok(true)
    })?;
    if !is_done {
        return Err(Leave::Sort);
    }
    match word.c() {
        ALL_RESULTS => {
            let list = pack(&mut core.heap, &mut core.meter, results.values())?;
            put(registers, word.a(), list);
        }
        wanted => {
            let values = results.values().iter().copied().chain(core::iter::repeat(Value::NIL));
            (0..wanted).zip(values).for_each(|(place, value)| put(registers, word.a().wrapping_add(place), value));
        }
    }
    Ok(())
}

/// A list of values that were packed.
pub(super) fn pack(heap: &mut Heap, meter: &mut Meter, values: &[Value]) -> Outcome<Value> {
    meter.charge_values(values.len())?;
    meter.allocate(meter::TABLE + meter::VALUE * values.len() as u64)?;
    Ok(heap.list(values))
}

// Computing.

#[inline(never)]
pub(super) fn binary<M: Mode>(
    core: &mut Core,
    registers: &mut Registers,
    word: &Instruction,
    operation: Binary,
) -> Outcome<()> {
    let (b, c) = (register(registers, word.b()), register(registers, word.c()));
    let quick = if M::QUICK { arithmetic::quickly(operation, b, c) } else { None };
    let value = match quick {
        Some(value) => value,
        None => arithmetic::binary(&mut core.heap, &mut core.meter, operation, b, c)?,
    };
    put(registers, word.a(), value);
    Ok(())
}

#[inline(never)]
pub(super) fn add_integer(core: &mut Core, registers: &mut Registers, word: &Instruction) -> Outcome<()> {
    let integer = Value::integer(i64::from(word.wide().cast_signed()));
    let b = register(registers, word.b());
    let value = arithmetic::binary(&mut core.heap, &mut core.meter, Binary::Add, b, integer)?;
    put(registers, word.a(), value);
    Ok(())
}

#[inline(never)]
pub(super) fn negate(core: &mut Core, registers: &mut Registers, word: &Instruction) -> Outcome<()> {
    let value = arithmetic::negate(&mut core.heap, &mut core.meter, register(registers, word.b()))?;
    put(registers, word.a(), value);
    Ok(())
}

/// Divides, or raises to a power, in floats.
#[inline(never)]
pub(super) fn in_floats(
    core: &mut Core,
    registers: &mut Registers,
    word: &Instruction,
    operation: fn(Float, Float) -> Float,
) -> Outcome<()> {
    let [b, c] = [word.b(), word.c()].map(|number| arithmetic::to_float(&core.heap, register(registers, number)));
    put(registers, word.a(), Value::float(operation(b?, c?)));
    Ok(())
}

#[inline(never)]
pub(super) fn join(core: &mut Core, registers: &mut Registers, word: &Instruction) -> Outcome<()> {
    let joined = with_window(core, registers, (word.b(), word.c()), |core, parts| {
        library::join(&mut core.heap, &mut core.meter, parts)
    })?;
    put(registers, word.a(), joined);
    Ok(())
}

// Tables.

#[inline(never)]
pub(super) fn table(core: &mut Core, registers: &mut Registers, word: &Instruction) -> Outcome<()> {
    if word.c() == 0 {
        core.meter.allocate(meter::TABLE)?;
        put(registers, word.a(), core.heap.new_table_with_room());
        return Ok(());
    }
    let table = with_window(core, registers, (word.b(), word.c()), |core, values| {
        core.meter.allocate(meter::TABLE)?;
        if !values.is_empty() && !values.iter().any(|value| value.is_nil()) {
            charge_filling(core, values)?;
            return Ok(core.heap.list(values));
        }
        // What is filled piece by piece has room for the first pieces.
        let table = core.heap.new_table_with_room();
        put_all(core, table, 1, values)?;
        Ok(table)
    })?;
    put(registers, word.a(), table);
    Ok(())
}

fn charge_filling(core: &mut Core, values: &[Value]) -> Outcome<()> {
    core.meter.charge_values(values.len())?;
    core.meter.allocate(meter::ENTRY * values.len() as u64)
}

/// Puts values into a table at a position and onwards, nil left out. Charged before it is done.
fn put_all(core: &mut Core, table: Value, first: i64, values: &[Value]) -> Outcome<()> {
    charge_filling(core, values)?;
    core.heap.count(table).ok_or(TrapCode::KIND)?;
    for (position, &value) in (first..).zip(values) {
        if !value.is_nil() {
            core.heap.set(table, Value::integer(position), value)?;
        }
    }
    Ok(())
}

#[inline(never)]
pub(super) fn fill(core: &mut Core, registers: &mut Registers, word: &Instruction) -> Outcome<()> {
    let (table, first) = (register(registers, word.a()), i64::from(word.wide().cast_signed()));
    with_window(core, registers, (word.b(), word.c()), |core, values| put_all(core, table, first, values))
}

#[inline(never)]
pub(super) fn pack_window(core: &mut Core, registers: &mut Registers, word: &Instruction) -> Outcome<()> {
    let list = with_window(core, registers, (word.b(), word.c()), |core, values| {
        pack(&mut core.heap, &mut core.meter, values)
    })?;
    put(registers, word.a(), list);
    Ok(())
}

/// The value at a key, nil where there is none.
#[inline(never)]
pub(super) fn get(core: &mut Core, registers: &mut Registers, to: u8, table: Value, key: Value) -> Outcome<()> {
    let value = match core.heap.get_again(table, key) {
        Some(value) => value,
        None if core.heap.count(table).is_some() => Value::NIL,
        None => return Err(TrapCode::KIND),
    };
    put(registers, to, value);
    Ok(())
}

#[inline(never)]
pub(super) fn set(core: &mut Core, table: Value, key: Value, value: Value) -> Outcome<()> {
    if core.heap.put_first(table, key, value) || core.heap.set(table, key, value)? {
        core.meter.allocate(meter::ENTRY)?;
    }
    Ok(())
}

#[inline(never)]
pub(super) fn get_field<M: Mode>(core: &mut Core, registers: &mut Registers, word: &Instruction) -> Outcome<()> {
    let (table, key) = (register(registers, word.b()), core.constant(word.wide()));
    if M::QUICK {
        core.remember(word, table, key);
    }
    get(core, registers, word.a(), table, key)
}

#[inline(never)]
pub(super) fn set_field<M: Mode>(core: &mut Core, registers: &mut Registers, word: &Instruction) -> Outcome<()> {
    let (table, value) = (register(registers, word.a()), register(registers, word.b()));
    let key = core.constant(word.wide());
    set(core, table, key, value)?;
    if M::QUICK {
        core.remember(word, table, key);
    }
    Ok(())
}

#[inline(never)]
pub(super) fn length(core: &mut Core, registers: &mut Registers, word: &Instruction) -> Outcome<()> {
    let b = register(registers, word.b());
    let length = match core.heap.as_string(&b) {
        Some(text) => i64::try_from(text.len()).unwrap_or(i64::MAX),
        None => library::length(&core.heap, &mut core.meter, b)?,
    };
    put(registers, word.a(), Value::integer(length));
    Ok(())
}

#[inline(never)]
pub(super) fn keys(core: &mut Core, registers: &mut Registers, word: &Instruction) -> Outcome<()> {
    let b = register(registers, word.b());
    let count = core.heap.count(b).ok_or(TrapCode::KIND)?;
    core.meter.charge_sort(count)?;
    core.meter.allocate(meter::TABLE + meter::VALUE * count as u64)?;
    let keys = core.heap.keys(b).ok_or(TrapCode::KIND)?;
    put(registers, word.a(), keys);
    Ok(())
}
