//! What each instruction does: one function a row of the table, named as the operation.
#![expect(non_snake_case, reason = "the table names the functions as it names the operations")]

use super::arithmetic::{self, Binary};
use super::builtin;
use super::run::{Flow, Leave, Step, pack};
use crate::bytecode::{ALL_RESULTS, Builtin, Word};
use crate::meter::{self, Meter};
use crate::trap::TrapCode;
use crate::value::{Heap, TableFault, Value};
use core::cmp::Ordering;

impl From<TableFault> for TrapCode {
    fn from(fault: TableFault) -> TrapCode {
        match fault {
            TableFault::NotTable => TrapCode::KIND,
            TableFault::ReadOnly => TrapCode::READ_ONLY,
            TableFault::Kind | TableFault::Nan => TrapCode::KEY,
        }
    }
}

/// Whether a condition holds: everything but nil and false.
#[inline(always)]
fn is_true(value: Value) -> bool {
    !value.is_nil() && value.as_bool() != Some(false)
}

// Moving values.

#[inline(always)]
pub(super) fn Move(step: &mut Step, word: Word) -> Flow {
    step.set(word.a(), step.get(word.b()));
    Ok(())
}

#[inline(always)]
pub(super) fn Nil(step: &mut Step, word: Word) -> Flow {
    step.set(word.a(), Value::NIL);
    Ok(())
}

#[inline(always)]
pub(super) fn Bool(step: &mut Step, word: Word) -> Flow {
    step.set(word.a(), Value::bool(word.b() == 1));
    Ok(())
}

#[inline(always)]
pub(super) fn Integer(step: &mut Step, word: Word) -> Flow {
    step.set(word.a(), Value::integer(i64::from(word.wide().cast_signed())));
    Ok(())
}

#[inline(always)]
pub(super) fn Constant(step: &mut Step, word: Word) -> Flow {
    step.set(word.a(), step.constant(word.wide()));
    Ok(())
}

pub(super) fn Closure(step: &mut Step, word: Word) -> Flow {
    let keeps = step.window(word.b(), word.c())?;
    let closure = step.metered(|heap, meter| {
        meter.allocate(meter::CLOSURE + meter::VALUE * keeps.len() as u64)?;
        Ok(heap.closure(word.wide(), &keeps))
    })?;
    step.set(word.a(), closure);
    Ok(())
}

#[inline(always)]
pub(super) fn Capture(step: &mut Step, word: Word) -> Flow {
    let kept = step.heap.as_closure(step.closure).and_then(|(_, keeps)| keeps.get(word.wide() as usize).copied());
    step.set(word.a(), kept.unwrap_or(Value::NIL));
    Ok(())
}

// Going elsewhere.

#[inline(always)]
pub(super) fn Jump(step: &mut Step, word: Word) -> Flow {
    step.enter(word.wide() as usize)
}

#[inline(always)]
pub(super) fn If(step: &mut Step, word: Word) -> Flow {
    step.branch(is_true(step.get(word.a())), word)
}

#[inline(always)]
pub(super) fn Unless(step: &mut Step, word: Word) -> Flow {
    step.branch(!is_true(step.get(word.a())), word)
}

/// A comparison: how integers that fit a word compare, and how any two values do.
macro_rules! comparisons_of_values {
    ($($name:ident $quick:tt $full:expr;)+) => {
        $(#[inline(always)]
        fn $name(step: &mut Step, quick: (Option<i64>, Option<i64>), full: impl Fn(&Step) -> (Value, Value)) -> Result<bool, Leave> {
            if let (Some(a), Some(b)) = quick {
                return Ok(a $quick b);
            }
            let (a, b) = full(step);
            let compare: fn(&Heap, &mut Meter, Value, Value) -> Result<bool, TrapCode> = $full;
            step.metered(|heap, meter| compare(heap, meter, a, b))
        })+
    };
}

comparisons_of_values! {
    equal == arithmetic::equals;
    less < |heap, meter, a, b| Ok(arithmetic::compare(heap, meter, a, b)? == Some(Ordering::Less));
    at_most <= |heap, meter, a, b| Ok(arithmetic::compare(heap, meter, a, b)?.is_some_and(Ordering::is_le));
}

/// The small integer of a word, as a value.
#[inline(always)]
fn small(word: Word) -> Value {
    Value::integer(i64::from(word.small()))
}

macro_rules! comparing_branches {
    ($($name:ident $compare:ident $second:ident $wanted:literal;)+) => {
        $(#[inline(always)]
        pub(super) fn $name(step: &mut Step, word: Word) -> Flow {
            let quick = (step.integer(word.a()), comparing_branches!(quick $second step word));
            let holds = $compare(step, quick, |step| (step.get(word.a()), comparing_branches!(full $second step word)))?;
            step.branch(holds == $wanted, word)
        })+
    };
    (quick register $step:ident $word:ident) => { $step.integer($word.b()) };
    (quick small $step:ident $word:ident) => { Some(i64::from($word.small())) };
    (full register $step:ident $word:ident) => { $step.get($word.b()) };
    (full small $step:ident $word:ident) => {{
        let _ = $step;
        small($word)
    }};
}

comparing_branches! {
    IfEqual equal register true;
    UnlessEqual equal register false;
    IfLess less register true;
    UnlessLess less register false;
    IfAtMost at_most register true;
    UnlessAtMost at_most register false;
    IfEqualInteger equal small true;
    UnlessEqualInteger equal small false;
    IfLessInteger less small true;
    UnlessLessInteger less small false;
    IfAtMostInteger at_most small true;
    UnlessAtMostInteger at_most small false;
}

/// Whether a counter has not passed its limit, in the direction of the step.
#[inline(always)]
fn goes_on(step: &mut Step, counter: Value, limit: Value, by: Value) -> Result<bool, Leave> {
    let zero = Value::integer(0);
    let is_downwards = less(step, (by.as_i64(), Some(0)), |_| (by, zero))?;
    let (low, high) = if is_downwards { (limit, counter) } else { (counter, limit) };
    at_most(step, (low.as_i64(), high.as_i64()), |_| (low, high))
}

pub(super) fn Loop(step: &mut Step, word: Word) -> Flow {
    let [counter, limit, by] = [0, 1, 2].map(|place: u8| step.get(word.a().wrapping_add(place)));
    if equal(step, (by.as_i64(), Some(0)), |_| (by, Value::integer(0)))? {
        return Err(Leave::Trap(TrapCode::ARGUMENTS));
    }
    let begins = goes_on(step, counter, limit, by)?;
    step.set(word.a().wrapping_add(3), counter);
    step.branch(!begins, word)
}

#[inline(always)]
pub(super) fn Again(step: &mut Step, word: Word) -> Flow {
    let [first, second, third] = [0, 1, 2].map(|place: u8| word.a().wrapping_add(place));
    // The quick way: upwards in integers.
    if let (Some(counter), Some(limit), Some(by)) = (step.integer(first), step.integer(second), step.integer(third))
        && by > 0
        && let Some(next) = counter.checked_add(by)
    {
        step.set(first, Value::integer(next));
        step.set(word.a().wrapping_add(3), Value::integer(next));
        return step.branch(next <= limit, word);
    }
    let (counter, limit, by) = (step.get(first), step.get(second), step.get(third));
    let next = match step.metered(|heap, meter| arithmetic::binary(heap, meter, Binary::Add, counter, by)) {
        Ok(next) => next,
        // Past the range of numbers is past the limit. What the verifier counts as written is written.
        Err(Leave::Trap(TrapCode::RANGE)) => {
            step.set(word.a().wrapping_add(3), Value::NIL);
            return step.branch(false, word);
        }
        Err(other) => return Err(other),
    };
    let goes_on = goes_on(step, next, limit, by)?;
    step.set(first, next);
    step.set(word.a().wrapping_add(3), next);
    step.branch(goes_on, word)
}

pub(super) fn Each(step: &mut Step, word: Word) -> Flow {
    let (keys, table) = (step.get(word.a()), step.get(word.b()));
    let mut position = step.get(word.a().wrapping_add(1)).as_i64().ok_or(TrapCode::KIND)?;
    loop {
        position = position.checked_add(1).ok_or(TrapCode::RANGE)?;
        let Some(key) = step.heap.get(keys, Value::integer(position)) else {
            // What the verifier counts as written is written.
            step.set(word.a().wrapping_add(2), Value::NIL);
            step.set(word.a().wrapping_add(3), Value::NIL);
            return step.branch(false, word);
        };
        if let Some(value) = step.heap.get(table, key) {
            step.set(word.a().wrapping_add(1), Value::integer(position));
            step.set(word.a().wrapping_add(2), key);
            step.set(word.a().wrapping_add(3), value);
            return step.branch(true, word);
        }
        // The key went away since the keys were listed.
        step.metered(|_, meter| meter.charge(1))?;
    }
}

// Calling.

fn callee(step: &Step, value: Value, is_protected: bool) -> Leave {
    match step.heap.as_closure(value) {
        Some((function, _)) => Leave::Call { function, closure: value, is_protected },
        None => Leave::Trap(TrapCode::KIND),
    }
}

pub(super) fn Call(step: &mut Step, word: Word) -> Flow {
    Err(callee(step, step.get(word.wide() as u8), false))
}

pub(super) fn Protect(step: &mut Step, word: Word) -> Flow {
    Err(callee(step, step.get(word.wide() as u8), true))
}

#[inline(always)]
pub(super) fn CallFunction(_: &mut Step, word: Word) -> Flow {
    Err(Leave::Call { function: word.wide(), closure: Value::NIL, is_protected: false })
}

pub(super) fn CallBuiltin(step: &mut Step, word: Word) -> Flow {
    let arguments = step.window(word.a(), word.b())?;
    let builtin = Builtin::of(word.wide()).ok_or(TrapCode::KIND)?;
    let (least, most) = builtin.arguments();
    if arguments.len() < usize::from(least) || arguments.len() > usize::from(most) {
        return Err(Leave::Trap(TrapCode::ARGUMENTS));
    }
    let result = step.emitting(|heap, meter, output| builtin::call(builtin, heap, meter, output, &arguments))?;
    match word.c() {
        ALL_RESULTS => {
            let list = step.metered(|heap, meter| pack(heap, meter, &[result]))?;
            step.set(word.a(), list);
        }
        results => {
            let values = core::iter::once(result).chain(core::iter::repeat(Value::NIL));
            (0..results).zip(values).for_each(|(place, value)| step.set(word.a().wrapping_add(place), value));
        }
    }
    Ok(())
}

#[inline(always)]
pub(super) fn Return(_: &mut Step, _: Word) -> Flow {
    Err(Leave::Return)
}

pub(super) fn Raise(step: &mut Step, word: Word) -> Flow {
    Err(Leave::Raise(step.get(word.a())))
}

// Computing.

macro_rules! binary {
    ($($name:ident $quick:expr;)+) => {
        $(#[inline(always)]
        pub(super) fn $name(step: &mut Step, word: Word) -> Flow {
            let quick: fn(i64, i64) -> Option<i64> = $quick;
            if let (Some(b), Some(c)) = (step.integer(word.b()), step.integer(word.c()))
                && let Some(value) = quick(b, c)
            {
                step.set(word.a(), Value::integer(value));
                return Ok(());
            }
            let (b, c) = (step.get(word.b()), step.get(word.c()));
            let value = step.metered(|heap, meter| arithmetic::binary(heap, meter, Binary::$name, b, c))?;
            step.set(word.a(), value);
            Ok(())
        })+
    };
}

binary! {
    Add i64::checked_add;
    Subtract i64::checked_sub;
    Multiply i64::checked_mul;
    Divide |b, c| if c != 0 && b.checked_rem(c) == Some(0) { b.checked_div(c) } else { None };
    FloorDivide |b, c| if c > 0 { Some(b.div_euclid(c)) } else { None };
    Modulo |b, c| if c > 0 { Some(b.rem_euclid(c)) } else { None };
    Power |_, _| None;
}

pub(super) fn Negate(step: &mut Step, word: Word) -> Flow {
    let b = step.get(word.b());
    let value = step.metered(|heap, meter| arithmetic::negate(heap, meter, b))?;
    step.set(word.a(), value);
    Ok(())
}

#[inline(always)]
pub(super) fn AddInteger(step: &mut Step, word: Word) -> Flow {
    let integer = i64::from(word.wide().cast_signed());
    if let Some(sum) = step.integer(word.b()).and_then(|b| b.checked_add(integer)) {
        step.set(word.a(), Value::integer(sum));
        return Ok(());
    }
    let (b, integer) = (step.get(word.b()), Value::integer(integer));
    let value = step.metered(|heap, meter| arithmetic::binary(heap, meter, Binary::Add, b, integer))?;
    step.set(word.a(), value);
    Ok(())
}

macro_rules! bitwise {
    ($($name:ident $operation:expr;)+) => {
        $(#[inline(always)]
        pub(super) fn $name(step: &mut Step, word: Word) -> Flow {
            let operation: fn(i64, i64) -> i64 = $operation;
            let b = arithmetic::integer(step.heap, step.get(word.b()))?;
            let c = arithmetic::integer(step.heap, step.get(word.c()))?;
            step.set(word.a(), Value::integer(operation(b, c)));
            Ok(())
        })+
    };
}

bitwise! {
    And |b, c| b & c;
    Or |b, c| b | c;
    ExclusiveOr |b, c| b ^ c;
    ShiftLeft arithmetic::shift_left;
    ShiftRight |b, c| arithmetic::shift_left(b, c.saturating_neg());
}

pub(super) fn Complement(step: &mut Step, word: Word) -> Flow {
    let b = arithmetic::integer(step.heap, step.get(word.b()))?;
    step.set(word.a(), Value::integer(!b));
    Ok(())
}

#[inline(always)]
pub(super) fn Not(step: &mut Step, word: Word) -> Flow {
    step.set(word.a(), Value::bool(!is_true(step.get(word.b()))));
    Ok(())
}

macro_rules! comparisons {
    ($($name:ident $compare:ident;)+) => {
        $(#[inline(always)]
        pub(super) fn $name(step: &mut Step, word: Word) -> Flow {
            let quick = (step.integer(word.b()), step.integer(word.c()));
            let holds = $compare(step, quick, |step| (step.get(word.b()), step.get(word.c())))?;
            step.set(word.a(), Value::bool(holds));
            Ok(())
        })+
    };
}

comparisons! {
    Equal equal;
    Less less;
    AtMost at_most;
}

pub(super) fn Join(step: &mut Step, word: Word) -> Flow {
    let parts = step.window(word.b(), word.c())?;
    let joined = step.metered(|heap, meter| builtin::join(heap, meter, &parts, b""))?;
    step.set(word.a(), joined);
    Ok(())
}

// Tables.

pub(super) fn Table(step: &mut Step, word: Word) -> Flow {
    let values = step.window(word.b(), word.c())?;
    let table = step.metered(|heap, meter| {
        meter.charge_values(values.len())?;
        meter.allocate(meter::TABLE + meter::ENTRY * values.len() as u64)?;
        let table = heap.new_table();
        for (position, &value) in (1..).zip(&values) {
            heap.set(table, Value::integer(position), value)?;
        }
        Ok(table)
    })?;
    step.set(word.a(), table);
    Ok(())
}

/// The value at a key, nil where there is none.
#[inline(always)]
fn read(step: &Step, table: Value, key: Value) -> Result<Value, Leave> {
    match step.heap.get(table, key) {
        Some(value) => Ok(value),
        None if step.heap.count(table).is_some() => Ok(Value::NIL),
        None => Err(Leave::Trap(TrapCode::KIND)),
    }
}

#[inline(always)]
fn write(step: &mut Step, table: Value, key: Value, value: Value) -> Flow {
    step.metered(|heap, meter| {
        if heap.set(table, key, value)? {
            meter.allocate(meter::ENTRY)?;
        }
        Ok(())
    })
}

#[inline(always)]
pub(super) fn Get(step: &mut Step, word: Word) -> Flow {
    let value = read(step, step.get(word.b()), step.get(word.c()))?;
    step.set(word.a(), value);
    Ok(())
}

#[inline(always)]
pub(super) fn GetField(step: &mut Step, word: Word) -> Flow {
    let value = read(step, step.get(word.b()), step.constant(word.wide()))?;
    step.set(word.a(), value);
    Ok(())
}

#[inline(always)]
pub(super) fn GetItem(step: &mut Step, word: Word) -> Flow {
    let value = read(step, step.get(word.b()), Value::integer(i64::from(word.wide().cast_signed())))?;
    step.set(word.a(), value);
    Ok(())
}

#[inline(always)]
pub(super) fn Set(step: &mut Step, word: Word) -> Flow {
    write(step, step.get(word.a()), step.get(word.b()), step.get(word.c()))
}

#[inline(always)]
pub(super) fn SetField(step: &mut Step, word: Word) -> Flow {
    write(step, step.get(word.a()), step.constant(word.wide()), step.get(word.b()))
}

#[inline(always)]
pub(super) fn SetItem(step: &mut Step, word: Word) -> Flow {
    write(step, step.get(word.a()), Value::integer(i64::from(word.wide().cast_signed())), step.get(word.b()))
}

pub(super) fn Length(step: &mut Step, word: Word) -> Flow {
    let b = step.get(word.b());
    let length = match step.heap.as_string(&b) {
        Some(text) => i64::try_from(text.len()).unwrap_or(i64::MAX),
        None => step.metered(|heap, meter| builtin::length(heap, meter, b))?,
    };
    step.set(word.a(), Value::integer(length));
    Ok(())
}

pub(super) fn Keys(step: &mut Step, word: Word) -> Flow {
    let b = step.get(word.b());
    let keys = step.metered(|heap, meter| {
        let count = heap.count(b).ok_or(TrapCode::KIND)?;
        meter.charge_sort(count)?;
        meter.allocate(meter::TABLE + meter::VALUE * count as u64)?;
        heap.keys(b).ok_or(TrapCode::KIND)
    })?;
    step.set(word.a(), keys);
    Ok(())
}
