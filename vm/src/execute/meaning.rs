//! What each instruction does: one function a row of the table, named as the operation.
//!
//! The usual cases stand here, inlined into the loop; whatever is longer is called `elsewhere`, as a function of its own.
#![expect(non_snake_case, reason = "the table names the functions as it names the operations")]

use super::Core;
use super::arithmetic::{self, Binary};
use super::elsewhere;
use super::step::{Flow, Leave, Mode, Step};
use crate::bytecode::{Builtin, Instruction};
use crate::meter;
use crate::number::{Float, raw};
use crate::trap::TrapCode;
use crate::value::{Value, Wrote};

// Moving values.

#[inline(always)]
pub(super) fn Move<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    step.set(word.a(), step.copy(word.b()));
    Ok(())
}

#[inline(always)]
pub(super) fn Nil<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    step.set(word.a(), Value::NIL);
    Ok(())
}

#[inline(always)]
pub(super) fn Bool<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    step.set(word.a(), Value::bool(word.b() == 1));
    Ok(())
}

#[inline(always)]
pub(super) fn Integer<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    step.set(word.a(), Value::integer(i64::from(word.wide().cast_signed())));
    Ok(())
}

#[inline(always)]
pub(super) fn Constant<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    step.set(word.a(), step.constant(word.wide()));
    Ok(())
}

#[inline(always)]
pub(super) fn Closure<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    step.outside(move |core, registers| elsewhere::closure(core, registers, word))?;
    Ok(())
}

#[inline(always)]
pub(super) fn Capture<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    // Its closure lies behind the registers.
    let kept = step.core.heap.kept(step.get(step.frame.ready.registers), word.wide());
    step.set(word.a(), kept);
    Ok(())
}

// Going elsewhere.

#[inline(always)]
pub(super) fn Jump<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    step.enter(word)
}

#[inline(always)]
pub(super) fn If<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    step.branch(step.get(word.a()).is_true(), word)
}

#[inline(always)]
pub(super) fn Unless<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    step.branch(!step.get(word.a()).is_true(), word)
}

/// A branch to where a loop goes on: if it is taken and another round follows, both are paid for and done as one.
#[inline(always)]
pub(super) fn UnlessAgain<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    if step.get(word.a()).is_true() {
        return step.branch(false, word);
    }
    let target = word.forward(step.rest.as_slice()).unwrap_or_default();
    let Some(again) = target.first() else { return Ok(()) };
    if let Some((next, limit)) = counted(step, again)
        && next <= limit
        && let Some(round) = again.back(&step.frame.ready.code)
        && step.pay(word.ahead)
    {
        step.rest = round.iter();
        count_to(step, again, next);
        return Ok(());
    }
    step.enter_rest(target.iter(), word.ahead - again.ahead)
}

/// A comparison: how integers that fit a word compare, how floats do, and how any two values do.
macro_rules! comparisons_of_values {
    ($($name:ident $quick:tt $float:path, $told:path, $elsewhere:path;)+) => {
        /// How two values compare that are integers which fit a word.
        mod integers {
            use crate::value::Value;

            $(#[inline(always)]
            pub(super) const fn $name(a: Value, b: Value) -> bool {
                a.body().cast_signed() $quick b.body().cast_signed()
            })+
        }

        $(#[inline(always)]
        fn $name<M: Mode>(step: &mut Step<M>, a: Value, b: Value) -> Result<bool, Leave> {
            if M::QUICK {
                if Value::are_integers(a, b) {
                    return Ok(integers::$name(a, b));
                }
                if Value::are_floats(a, b) {
                    return Ok($float(a.body(), b.body()));
                }
                if let Some(holds) = $told(a, b) {
                    return Ok(holds);
                }
            }
            Ok(step.outside(move |core, _| $elsewhere(core, a, b))?)
        })+
    };
}

comparisons_of_values! {
    equal == raw::equals, by_words, elsewhere::equal;
    less < raw::less, not_by_words, elsewhere::less;
    at_most <= raw::less_equal, not_by_words, elsewhere::at_most;
}

/// Whether two values are equal, where their words alone tell and comparing them costs nothing.
#[inline(always)]
const fn by_words(a: Value, b: Value) -> Option<bool> {
    if a.is_nil() || b.is_nil() {
        Some(a.is_nil() && b.is_nil())
    } else if a.is_short_string() && b.is_short_string() {
        Some(a.is_same_words(b))
    } else {
        None
    }
}

#[inline(always)]
const fn not_by_words(_: Value, _: Value) -> Option<bool> {
    None
}

/// The small integer of a word, as a value.
#[inline(always)]
fn small(word: &Instruction) -> Value {
    Value::integer(i64::from(word.small()))
}

macro_rules! comparing_branches {
    ($($name:ident $compare:ident $second:ident $wanted:literal;)+) => {
        $(#[inline(always)]
        pub(super) fn $name<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
            let (first, second) = (step.get(word.a()), comparing_branches!($second step word));
            // By itself, so that the usual comparison is a branch of the processor and no value.
            if M::QUICK && Value::are_integers(first, second) {
                return step.branch(integers::$compare(first, second) == $wanted, word);
            }
            let holds = $compare(step, first, second)?;
            step.branch(holds == $wanted, word)
        })+
    };
    (register $step:ident $word:ident) => { $step.get($word.b()) };
    (small $step:ident $word:ident) => { small($word) };
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

/// Branches that fork: what is behind them runs without a dispatch where they are not taken.
macro_rules! passed {
    ($($name:ident $compare:ident;)+) => {
        /// Whether a branch compares integers, and is not taken.
        pub(super) mod passed {
            use super::{Instruction, Mode, Step, Value, integers, small};

            $(#[inline(always)]
            pub(in super::super) fn $name<M: Mode>(step: &Step<M>, word: &Instruction) -> bool {
                let (first, second) = (step.get(word.a()), small(word));
                Value::are_integers(first, second) && integers::$compare(first, second)
            })+
        }
    };
}

passed! {
    UnlessLessInteger less;
    UnlessAtMostInteger at_most;
    UnlessEqualInteger equal;
}

#[inline(always)]
pub(super) fn Loop<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    // The quick way: upwards in integers.
    if M::QUICK
        && let Some([counter, limit, by, variable]) = step.four(word.a())
        && Value::are_integers(*counter, *limit)
        && let Some(1..) = by.as_i64()
    {
        *variable = *counter;
        let is_empty = counter.body().cast_signed() > limit.body().cast_signed();
        return step.branch(is_empty, word);
    }
    let begins = step.outside(move |core, registers| elsewhere::begin_counting(core, registers, word))?;
    step.branch(!begins, word)
}

/// What a loop counts on to and its limit, where it goes the quick way: upwards in integers.
#[inline(always)]
fn counted<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Option<(i64, i64)> {
    let [counter, limit, by, _] = step.four(word.a())?;
    if !Value::are_integers(*counter, *limit) {
        return None;
    }
    let by = by.as_i64().filter(|by| *by >= 1)?;
    Some((counter.body().cast_signed().checked_add(by)?, limit.body().cast_signed()))
}

#[inline(always)]
fn count_to<M: Mode>(step: &mut Step<M>, word: &Instruction, next: i64) {
    if let Some([counter, _, _, variable]) = step.four(word.a()) {
        *counter = Value::integer(next);
        *variable = Value::integer(next);
    }
}

/// Counts on; whether the limit is not passed.
#[inline(always)]
pub(super) fn counts_on<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Result<bool, Leave> {
    if M::QUICK
        && let Some((next, limit)) = counted(step, word)
    {
        count_to(step, word, next);
        return Ok(next <= limit);
    }
    Ok(step.outside(move |core, registers| elsewhere::count_on(core, registers, word))?)
}

#[inline(always)]
pub(super) fn Again<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    let goes_on = counts_on(step, word)?;
    step.branch_again(goes_on, word)
}

// Rounds of loops that run in a circle: many at once, but for the last. Each tells whether it did any.

/// Where rounds have nothing to be done at once.
#[inline(always)]
pub(super) fn one_by_one<M: Mode>(_: &mut Step<M>, _: &Instruction) -> bool {
    true
}

/// A loop that only puts one value at the positions that it counts.
#[inline(always)]
pub(super) fn fill<M: Mode>(step: &mut Step<M>, set: &Instruction) -> bool {
    let Some(again) = step.rest.as_slice().first() else { return false };
    let cost = if M::METERED { u64::from(again.ahead) } else { 0 };
    let value = step.copy(set.c());
    let is_own = !again.changes(set.c());
    is_own && step.outside(move |core, registers| elsewhere::fill_items(core, registers, (set, again), value, cost))
}

/// As [`fill`], where each round makes the value anew.
#[inline(always)]
pub(super) fn fill_with_bool<M: Mode>(step: &mut Step<M>, bool: &Instruction) -> bool {
    let [set, again, ..] = step.rest.as_slice() else { return false };
    let cost = if M::METERED { u64::from(again.ahead) } else { 0 };
    let value = Value::bool(bool.b() == 1);
    let is_own = set.c() == bool.a() && set.a() != bool.a() && !again.changes(bool.a());
    is_own && step.outside(move |core, registers| elsewhere::fill_items(core, registers, (set, again), value, cost))
}

#[inline(always)]
pub(super) fn Each<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    let goes_on = step.outside(move |core, registers| elsewhere::each(core, registers, word))?;
    step.branch(goes_on, word)
}

// Calling.

/// The function of the closure in the register that a call names.
#[inline(always)]
fn callee<M: Mode>(step: &Step<M>, word: &Instruction) -> Result<u32, Leave> {
    step.core.heap.function_of(step.get(word.wide() as u8)).ok_or(Leave::Trap(TrapCode::KIND))
}

#[inline(always)]
pub(super) fn Call<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    Err(Leave::Call(callee(step, word)?))
}

#[inline(always)]
pub(super) fn Protect<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    Err(Leave::Protect(callee(step, word)?))
}

#[inline(always)]
pub(super) fn CallFunction<M: Mode>(_: &mut Step<M>, _: &Instruction) -> Flow {
    Err(Leave::CallFunction)
}

#[inline(always)]
pub(super) fn CallBuiltin<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    step.outside(move |core, registers| elsewhere::call_builtin(core, registers, word))
}

#[inline(always)]
pub(super) fn SquareRoot<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    // Where there is too little gas, the general way says so.
    if let Some(float) = step.get(word.a()).as_float()
        && let Some(left) = step.gas.checked_sub(Builtin::SquareRoot.cost())
    {
        step.gas = left;
        step.set(word.a(), Value::float(float.square_root()));
        return Ok(());
    }
    CallBuiltin(step, word)
}

#[inline(always)]
pub(super) fn Return<M: Mode>(_: &mut Step<M>, _: &Instruction) -> Flow {
    Err(Leave::Return)
}

#[inline(always)]
pub(super) fn CallOne<M: Mode>(_: &mut Step<M>, _: &Instruction) -> Flow {
    Err(Leave::CallOne)
}

#[inline(always)]
pub(super) fn ReturnOne<M: Mode>(_: &mut Step<M>, _: &Instruction) -> Flow {
    Err(Leave::ReturnOne)
}

#[inline(always)]
pub(super) fn Raise<M: Mode>(_: &mut Step<M>, _: &Instruction) -> Flow {
    Err(Leave::Raise)
}

// Computing.

/// An operation: how two integers that fit a word give a third, how the bits of floats do, and which it is in general.
macro_rules! binary {
    ($($name:ident $integers:expr, $floats:expr;)+) => {
        $(#[inline(always)]
        pub(super) fn $name<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
            if M::QUICK {
                let integers: fn(i64, i64) -> Option<i64> = $integers;
                let floats: Option<fn(u64, u64) -> u64> = $floats;
                let (b, c) = (step.get(word.b()), step.get(word.c()));
                if Value::are_integers(b, c) {
                    if let Some(value) = integers(b.body().cast_signed(), c.body().cast_signed()) {
                        step.set(word.a(), Value::integer(value));
                        return Ok(());
                    }
                } else if let Some(floats) = floats && Value::are_floats(b, c) {
                    step.set(word.a(), Value::float_of_bits(floats(b.body(), c.body())));
                    return Ok(());
                }
            }
            step.outside(move |core, registers| elsewhere::binary::<M>(core, registers, word, Binary::$name))?;
            Ok(())
        })+
    };
}

binary! {
    Add i64::checked_add, Some(raw::add);
    Subtract i64::checked_sub, Some(raw::subtract);
    Multiply i64::checked_mul, Some(raw::multiply);
    Divide |b, c| if c != 0 && b.checked_rem(c) == Some(0) { b.checked_div(c) } else { None }, Some(raw::divide);
    FloorDivide |b, c| if c > 0 { Some(b.div_euclid(c)) } else { None }, None;
    Modulo |b, c| if c > 0 { Some(b.rem_euclid(c)) } else { None }, None;
    Power |_, _| None, None;
}

#[inline(always)]
pub(super) fn FloatDivide<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    let (b, c) = (step.get(word.b()), step.get(word.c()));
    if M::QUICK && b.is_float() && c.is_float() {
        step.set(word.a(), Value::float_of_bits(raw::divide(b.body(), c.body())));
        return Ok(());
    }
    step.outside(|core, registers| elsewhere::in_floats(core, registers, word, Float::divide))?;
    Ok(())
}

#[inline(always)]
pub(super) fn FloatPower<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    step.outside(|core, registers| elsewhere::in_floats(core, registers, word, Float::power))?;
    Ok(())
}

#[inline(always)]
pub(super) fn Negate<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    step.outside(move |core, registers| elsewhere::negate(core, registers, word))?;
    Ok(())
}

#[inline(always)]
pub(super) fn AddInteger<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    let integer = i64::from(word.wide().cast_signed());
    if M::QUICK
        && let Some(sum) = step.get(word.b()).as_i64().and_then(|b| b.checked_add(integer))
    {
        step.set(word.a(), Value::integer(sum));
        return Ok(());
    }
    step.outside(move |core, registers| elsewhere::add_integer(core, registers, word))?;
    Ok(())
}

macro_rules! bitwise {
    ($($name:ident $operation:expr;)+) => {
        $(#[inline(always)]
        pub(super) fn $name<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
            let operation: fn(i64, i64) -> i64 = $operation;
            let (b, c) = (step.get(word.b()), step.get(word.c()));
            let (b, c) = if M::QUICK && Value::are_integers(b, c) {
                (b.body().cast_signed(), c.body().cast_signed())
            } else {
                (arithmetic::integer(&step.core.heap, b)?, arithmetic::integer(&step.core.heap, c)?)
            };
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

#[inline(always)]
pub(super) fn Complement<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    let b = arithmetic::integer(&step.core.heap, step.get(word.b()))?;
    step.set(word.a(), Value::integer(!b));
    Ok(())
}

#[inline(always)]
pub(super) fn Not<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    step.set(word.a(), Value::bool(!step.get(word.b()).is_true()));
    Ok(())
}

macro_rules! comparisons {
    ($($name:ident $compare:ident;)+) => {
        $(#[inline(always)]
        pub(super) fn $name<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
            let holds = $compare(step, step.get(word.b()), step.get(word.c()))?;
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

#[inline(always)]
pub(super) fn Join<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    step.outside(move |core, registers| elsewhere::join(core, registers, word))?;
    Ok(())
}

// Tables.

#[inline(always)]
pub(super) fn Table<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    step.outside(move |core, registers| elsewhere::table(core, registers, word))?;
    Ok(())
}

#[inline(always)]
pub(super) fn Fill<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    step.outside(|core, registers| elsewhere::fill(core, registers, word))?;
    Ok(())
}

#[inline(always)]
pub(super) fn Pack<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    step.outside(|core, registers| elsewhere::pack_window(core, registers, word))?;
    Ok(())
}

#[inline(always)]
pub(super) fn Get<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    let (table, key) = (step.get(word.b()), step.get(word.c()));
    if M::QUICK
        && let Some(position) = key.as_i64()
        && let Some(value) = step.core.heap.item(table, position)
    {
        step.set(word.a(), value);
        return Ok(());
    }
    step.outside(move |core, registers| elsewhere::get(core, registers, word.a(), table, key))?;
    Ok(())
}

#[inline(always)]
pub(super) fn GetField<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    let table = step.get(word.b());
    if M::QUICK
        && let Some(value) = step.core.heap.recall(table, step.remembered(word))
    {
        step.set(word.a(), value);
        return Ok(());
    }
    step.outside(move |core, registers| elsewhere::get_field::<M>(core, registers, word))?;
    Ok(())
}

#[inline(always)]
pub(super) fn GetItem<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    let (table, position) = (step.get(word.b()), i64::from(word.wide().cast_signed()));
    if M::QUICK
        && let Some(value) = step.core.heap.item(table, position)
    {
        step.set(word.a(), value);
        return Ok(());
    }
    step.outside(move |core, registers| elsewhere::get(core, registers, word.a(), table, Value::integer(position)))?;
    Ok(())
}

/// Puts a value at a position, if it has one or is the next; else false.
#[inline(always)]
fn put_item<M: Mode>(step: &mut Step<M>, table: Value, position: i64, value: Value) -> Result<bool, Leave> {
    if !M::QUICK || value.is_nil() {
        return Ok(false);
    }
    match step.core.heap.put_item(table, position, value) {
        Wrote::Replaced => Ok(true),
        Wrote::Added => step.core.meter.allocate(meter::ENTRY).map(|()| true).map_err(Leave::Trap),
        Wrote::Nothing => Ok(false),
    }
}

#[inline(always)]
pub(super) fn Set<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    let (table, key, value) = (step.get(word.a()), step.get(word.b()), step.copy(word.c()));
    if let Some(position) = key.as_i64()
        && put_item(step, table, position, value)?
    {
        return Ok(());
    }
    step.outside(move |core, _| elsewhere::set(core, table, key, value))?;
    Ok(())
}

#[inline(always)]
pub(super) fn SetField<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    let (table, value) = (step.get(word.a()), step.copy(word.b()));
    if M::QUICK && !value.is_nil() {
        let (place, Core { heap, constants, meter, .. }) = (step.remembered(word), &mut *step.core);
        let key = || constants.get(word.wide() as usize).copied().unwrap_or(Value::NIL);
        match heap.put_recalled(table, place, value, key) {
            Wrote::Replaced => return Ok(()),
            Wrote::Added => return meter.allocate(meter::ENTRY).map_err(Leave::Trap),
            Wrote::Nothing => {}
        }
    }
    step.outside(move |core, registers| elsewhere::set_field::<M>(core, registers, word))?;
    Ok(())
}

#[inline(always)]
pub(super) fn SetItem<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    let (table, value) = (step.get(word.a()), step.copy(word.b()));
    let position = i64::from(word.wide().cast_signed());
    if put_item(step, table, position, value)? {
        return Ok(());
    }
    step.outside(move |core, _| elsewhere::set(core, table, Value::integer(position), value))?;
    Ok(())
}

#[inline(always)]
pub(super) fn Length<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    step.outside(move |core, registers| elsewhere::length(core, registers, word))?;
    Ok(())
}

#[inline(always)]
pub(super) fn Keys<M: Mode>(step: &mut Step<M>, word: &Instruction) -> Flow {
    step.outside(move |core, registers| elsewhere::keys(core, registers, word))?;
    Ok(())
}
