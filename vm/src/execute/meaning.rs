//! What each instruction does: one function a row of the table, named as the operation.
#![expect(non_snake_case, reason = "the table names the functions as it names the operations")]

use super::arithmetic::{self, Binary};
use super::builtin;
use super::run::{Flow, Leave, Step, pack};
use crate::bytecode::{ALL_RESULTS, Builtin, Instruction};
use crate::meter;
use crate::trap::TrapCode;
use crate::value::{TableFault, Value};
use core::cmp::Ordering;

impl From<TableFault> for TrapCode {
    fn from(fault: TableFault) -> TrapCode {
        match fault {
            TableFault::NotTable => TrapCode::KIND,
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
pub(super) fn Move(step: &mut Step, instruction: Instruction) -> Flow {
    step.set(instruction.a, step.get(instruction.b));
    Ok(())
}

#[inline(always)]
pub(super) fn Nil(step: &mut Step, instruction: Instruction) -> Flow {
    step.set(instruction.a, Value::NIL);
    Ok(())
}

#[inline(always)]
pub(super) fn Bool(step: &mut Step, instruction: Instruction) -> Flow {
    step.set(instruction.a, Value::bool(instruction.b == 1));
    Ok(())
}

#[inline(always)]
pub(super) fn Integer(step: &mut Step, instruction: Instruction) -> Flow {
    step.set(instruction.a, Value::integer(i64::from(instruction.wide.cast_signed())));
    Ok(())
}

#[inline(always)]
pub(super) fn Constant(step: &mut Step, instruction: Instruction) -> Flow {
    step.set(instruction.a, step.constant(instruction.wide));
    Ok(())
}

pub(super) fn Closure(step: &mut Step, instruction: Instruction) -> Flow {
    let keeps = step.window(instruction.b, instruction.c)?;
    let closure = step.metered(|heap, meter| {
        meter.allocate(meter::CLOSURE + meter::VALUE * keeps.len() as u64)?;
        Ok(heap.closure(instruction.wide, &keeps))
    })?;
    step.set(instruction.a, closure);
    Ok(())
}

#[inline(always)]
pub(super) fn Capture(step: &mut Step, instruction: Instruction) -> Flow {
    let kept = step.heap.as_closure(step.closure).and_then(|(_, keeps)| keeps.get(instruction.wide as usize).copied());
    step.set(instruction.a, kept.unwrap_or(Value::NIL));
    Ok(())
}

// Going elsewhere.

#[inline(always)]
pub(super) fn Jump(step: &mut Step, instruction: Instruction) -> Flow {
    step.enter(instruction.wide as usize)
}

#[inline(always)]
pub(super) fn If(step: &mut Step, instruction: Instruction) -> Flow {
    step.branch(is_true(step.get(instruction.a)), instruction)
}

#[inline(always)]
pub(super) fn Unless(step: &mut Step, instruction: Instruction) -> Flow {
    step.branch(!is_true(step.get(instruction.a)), instruction)
}

/// `a == b`, quick for integers.
#[inline(always)]
fn equal(step: &mut Step, a: Value, b: Value) -> Result<bool, Leave> {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => Ok(a == b),
        _ => step.metered(|heap, meter| arithmetic::equals(heap, meter, a, b)),
    }
}

/// `a < b`, quick for integers.
#[inline(always)]
fn less(step: &mut Step, a: Value, b: Value) -> Result<bool, Leave> {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => Ok(a < b),
        _ => Ok(step.metered(|heap, meter| arithmetic::compare(heap, meter, a, b))? == Some(Ordering::Less)),
    }
}

/// `a <= b`, quick for integers.
#[inline(always)]
fn at_most(step: &mut Step, a: Value, b: Value) -> Result<bool, Leave> {
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => Ok(a <= b),
        _ => {
            let order = step.metered(|heap, meter| arithmetic::compare(heap, meter, a, b))?;
            Ok(order.is_some_and(Ordering::is_le))
        }
    }
}

/// The small integer of a instruction, as a value.
#[inline(always)]
fn small(instruction: Instruction) -> Value {
    Value::integer(i64::from(instruction.small()))
}

macro_rules! comparing_branches {
    ($($name:ident $compare:ident $second:ident $wanted:literal;)+) => {
        $(#[inline(always)]
        pub(super) fn $name(step: &mut Step, instruction: Instruction) -> Flow {
            let second = comparing_branches!($second step instruction);
            let holds = $compare(step, step.get(instruction.a), second)?;
            step.branch(holds == $wanted, instruction)
        })+
    };
    (register $step:ident $instruction:ident) => { $step.get($instruction.b) };
    (small $step:ident $instruction:ident) => { small($instruction) };
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
    if less(step, by, Value::integer(0))? { at_most(step, limit, counter) } else { at_most(step, counter, limit) }
}

pub(super) fn Loop(step: &mut Step, instruction: Instruction) -> Flow {
    let [counter, limit, by] = [0, 1, 2].map(|place: u8| step.get(instruction.a.wrapping_add(place)));
    if equal(step, by, Value::integer(0))? {
        return Err(Leave::Trap(TrapCode::ARGUMENTS));
    }
    let begins = goes_on(step, counter, limit, by)?;
    step.set(instruction.a.wrapping_add(3), counter);
    step.branch(!begins, instruction)
}

#[inline(always)]
pub(super) fn Again(step: &mut Step, instruction: Instruction) -> Flow {
    let [counter, limit, by] = [0, 1, 2].map(|place: u8| step.get(instruction.a.wrapping_add(place)));
    let next = match (counter.as_i64(), by.as_i64()) {
        (Some(counter), Some(by)) => counter.checked_add(by).map(Value::integer),
        _ => None,
    };
    let next = match next {
        Some(next) => next,
        None => match step.metered(|heap, meter| arithmetic::binary(heap, meter, Binary::Add, counter, by)) {
            Ok(next) => next,
            // Past the range of numbers is past the limit. What the verifier counts as written is written.
            Err(Leave::Trap(TrapCode::RANGE)) => {
                step.set(instruction.a.wrapping_add(3), Value::NIL);
                return step.branch(false, instruction);
            }
            Err(other) => return Err(other),
        },
    };
    let goes_on = goes_on(step, next, limit, by)?;
    step.set(instruction.a, next);
    step.set(instruction.a.wrapping_add(3), next);
    step.branch(goes_on, instruction)
}

pub(super) fn Each(step: &mut Step, instruction: Instruction) -> Flow {
    let (keys, table) = (step.get(instruction.a), step.get(instruction.b));
    let mut position = step.get(instruction.a.wrapping_add(1)).as_i64().ok_or(TrapCode::KIND)?;
    loop {
        position = position.checked_add(1).ok_or(TrapCode::RANGE)?;
        let Some(key) = step.heap.get(keys, Value::integer(position)) else {
            // What the verifier counts as written is written.
            step.set(instruction.a.wrapping_add(2), Value::NIL);
            step.set(instruction.a.wrapping_add(3), Value::NIL);
            return step.branch(false, instruction);
        };
        if let Some(value) = step.heap.get(table, key) {
            step.set(instruction.a.wrapping_add(1), Value::integer(position));
            step.set(instruction.a.wrapping_add(2), key);
            step.set(instruction.a.wrapping_add(3), value);
            return step.branch(true, instruction);
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

pub(super) fn Call(step: &mut Step, instruction: Instruction) -> Flow {
    Err(callee(step, step.get(instruction.wide as u8), false))
}

pub(super) fn Protect(step: &mut Step, instruction: Instruction) -> Flow {
    Err(callee(step, step.get(instruction.wide as u8), true))
}

#[inline(always)]
pub(super) fn CallFunction(_: &mut Step, instruction: Instruction) -> Flow {
    Err(Leave::Call { function: instruction.wide, closure: Value::NIL, is_protected: false })
}

pub(super) fn CallBuiltin(step: &mut Step, instruction: Instruction) -> Flow {
    let arguments = step.window(instruction.a, instruction.b)?;
    let builtin = Builtin::of(instruction.wide).ok_or(TrapCode::KIND)?;
    let (least, most) = builtin.arguments();
    if arguments.len() < usize::from(least) || arguments.len() > usize::from(most) {
        return Err(Leave::Trap(TrapCode::ARGUMENTS));
    }
    let result = step.emitting(|heap, meter, output| builtin::call(builtin, heap, meter, output, &arguments))?;
    match instruction.c {
        ALL_RESULTS => {
            let list = step.metered(|heap, meter| pack(heap, meter, &[result]))?;
            step.set(instruction.a, list);
        }
        results => {
            let values = core::iter::once(result).chain(core::iter::repeat(Value::NIL));
            (0..results).zip(values).for_each(|(place, value)| step.set(instruction.a.wrapping_add(place), value));
        }
    }
    Ok(())
}

#[inline(always)]
pub(super) fn Return(_: &mut Step, _: Instruction) -> Flow {
    Err(Leave::Return)
}

pub(super) fn Raise(step: &mut Step, instruction: Instruction) -> Flow {
    Err(Leave::Raise(step.get(instruction.a)))
}

// Computing.

macro_rules! binary {
    ($($name:ident $quick:expr;)+) => {
        $(#[inline(always)]
        pub(super) fn $name(step: &mut Step, instruction: Instruction) -> Flow {
            let (b, c) = (step.get(instruction.b), step.get(instruction.c));
            let quick: fn(i64, i64) -> Option<i64> = $quick;
            let value = match (b.as_i64(), c.as_i64()) {
                (Some(b), Some(c)) => quick(b, c).map(Value::integer),
                _ => None,
            };
            let value = match value {
                Some(value) => value,
                None => step.metered(|heap, meter| arithmetic::binary(heap, meter, Binary::$name, b, c))?,
            };
            step.set(instruction.a, value);
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

pub(super) fn Negate(step: &mut Step, instruction: Instruction) -> Flow {
    let b = step.get(instruction.b);
    let value = step.metered(|heap, meter| arithmetic::negate(heap, meter, b))?;
    step.set(instruction.a, value);
    Ok(())
}

#[inline(always)]
pub(super) fn AddInteger(step: &mut Step, instruction: Instruction) -> Flow {
    let (b, integer) = (step.get(instruction.b), i64::from(instruction.wide.cast_signed()));
    let value = match b.as_i64().and_then(|b| b.checked_add(integer)) {
        Some(sum) => Value::integer(sum),
        None => step.metered(|heap, meter| arithmetic::binary(heap, meter, Binary::Add, b, Value::integer(integer)))?,
    };
    step.set(instruction.a, value);
    Ok(())
}

macro_rules! bitwise {
    ($($name:ident $operation:expr;)+) => {
        $(#[inline(always)]
        pub(super) fn $name(step: &mut Step, instruction: Instruction) -> Flow {
            let operation: fn(i64, i64) -> i64 = $operation;
            let b = arithmetic::integer(step.heap, step.get(instruction.b))?;
            let c = arithmetic::integer(step.heap, step.get(instruction.c))?;
            step.set(instruction.a, Value::integer(operation(b, c)));
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

pub(super) fn Complement(step: &mut Step, instruction: Instruction) -> Flow {
    let b = arithmetic::integer(step.heap, step.get(instruction.b))?;
    step.set(instruction.a, Value::integer(!b));
    Ok(())
}

#[inline(always)]
pub(super) fn Not(step: &mut Step, instruction: Instruction) -> Flow {
    step.set(instruction.a, Value::bool(!is_true(step.get(instruction.b))));
    Ok(())
}

macro_rules! comparisons {
    ($($name:ident $compare:ident;)+) => {
        $(#[inline(always)]
        pub(super) fn $name(step: &mut Step, instruction: Instruction) -> Flow {
            let holds = $compare(step, step.get(instruction.b), step.get(instruction.c))?;
            step.set(instruction.a, Value::bool(holds));
            Ok(())
        })+
    };
}

comparisons! {
    Equal equal;
    Less less;
    AtMost at_most;
}

pub(super) fn Join(step: &mut Step, instruction: Instruction) -> Flow {
    let parts = step.window(instruction.b, instruction.c)?;
    let joined = step.metered(|heap, meter| builtin::join(heap, meter, &parts, b""))?;
    step.set(instruction.a, joined);
    Ok(())
}

// Tables.

pub(super) fn Table(step: &mut Step, instruction: Instruction) -> Flow {
    let values = step.window(instruction.b, instruction.c)?;
    let table = step.metered(|heap, meter| {
        meter.charge_values(values.len())?;
        meter.allocate(meter::TABLE + meter::ENTRY * values.len() as u64)?;
        let table = heap.new_table();
        for (position, &value) in (1..).zip(&values) {
            heap.set(table, Value::integer(position), value)?;
        }
        Ok(table)
    })?;
    step.set(instruction.a, table);
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
pub(super) fn Get(step: &mut Step, instruction: Instruction) -> Flow {
    let value = read(step, step.get(instruction.b), step.get(instruction.c))?;
    step.set(instruction.a, value);
    Ok(())
}

#[inline(always)]
pub(super) fn GetField(step: &mut Step, instruction: Instruction) -> Flow {
    let value = read(step, step.get(instruction.b), step.constant(instruction.wide))?;
    step.set(instruction.a, value);
    Ok(())
}

#[inline(always)]
pub(super) fn GetItem(step: &mut Step, instruction: Instruction) -> Flow {
    let value = read(step, step.get(instruction.b), Value::integer(i64::from(instruction.wide.cast_signed())))?;
    step.set(instruction.a, value);
    Ok(())
}

#[inline(always)]
pub(super) fn Set(step: &mut Step, instruction: Instruction) -> Flow {
    write(step, step.get(instruction.a), step.get(instruction.b), step.get(instruction.c))
}

#[inline(always)]
pub(super) fn SetField(step: &mut Step, instruction: Instruction) -> Flow {
    write(step, step.get(instruction.a), step.constant(instruction.wide), step.get(instruction.b))
}

#[inline(always)]
pub(super) fn SetItem(step: &mut Step, instruction: Instruction) -> Flow {
    write(
        step,
        step.get(instruction.a),
        Value::integer(i64::from(instruction.wide.cast_signed())),
        step.get(instruction.b),
    )
}

pub(super) fn Length(step: &mut Step, instruction: Instruction) -> Flow {
    let b = step.get(instruction.b);
    let length = match step.heap.as_string(&b) {
        Some(text) => i64::try_from(text.len()).ok(),
        None => step.heap.length(b),
    };
    step.set(instruction.a, Value::integer(length.ok_or(TrapCode::KIND)?));
    Ok(())
}

pub(super) fn Keys(step: &mut Step, instruction: Instruction) -> Flow {
    let b = step.get(instruction.b);
    let keys = step.metered(|heap, meter| {
        let count = heap.count(b).ok_or(TrapCode::KIND)?;
        meter.charge_sort(count)?;
        meter.allocate(meter::TABLE + meter::VALUE * count as u64)?;
        heap.keys(b).ok_or(TrapCode::KIND)
    })?;
    step.set(instruction.a, keys);
    Ok(())
}
