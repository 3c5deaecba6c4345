//! The library: what each built-in does, a function a row of the table, a file a family.

mod build;
mod convert;
mod emit;
mod format;
mod json;
mod math;
mod operation;
mod order;
mod pattern;
mod random;
mod search;
mod set;
mod string;
mod table;
mod total;
mod utf8;
mod weigh;

use super::{Core, Outcome, arithmetic};
use crate::bytecode::{Builtin, each_builtin};
use crate::meter::Meter;
use crate::trap::TrapCode;
use crate::value::{Heap, Value};

pub use emit::Row;
pub(crate) use emit::{Deferred, Emission, Output, Place};
pub(super) use string::join;
pub(super) use table::{length, put};

/// A call under way: what a built-in works on.
pub(super) struct Call<'c> {
    pub(super) heap: &'c mut Heap,
    pub(super) meter: &'c mut Meter,
    pub(super) output: &'c mut Output,
    pub(super) arguments: &'c [Value],
    pub(super) results: &'c mut Results,
}

impl Call<'_> {
    /// An argument, nil where it was not given.
    fn argument(&self, place: usize) -> Value {
        self.arguments.get(place).copied().unwrap_or(Value::NIL)
    }

    /// An argument that is an integer, if it was given.
    fn integer(&self, place: usize) -> Outcome<Option<i64>> {
        let value = self.argument(place);
        if value.is_nil() { Ok(None) } else { arithmetic::integer(self.heap, value).map(Some) }
    }

    fn give(&mut self, value: Value) {
        self.results.push(value);
    }
}

/// How many results are kept without asking the host for memory.
const FEW: usize = 4;

/// What a built-in gives.
pub(super) struct Results {
    few: [Value; FEW],
    count: usize,
    /// All of them, where they are more than a few.
    many: Vec<Value>,
}

impl Results {
    pub(super) const fn new() -> Results {
        Results { few: [Value::NIL; FEW], count: 0, many: Vec::new() }
    }

    fn push(&mut self, value: Value) {
        match self.few.get_mut(self.count) {
            Some(place) => *place = value,
            None => {
                if self.many.is_empty() {
                    self.many.extend_from_slice(&self.few);
                }
                self.many.push(value);
            }
        }
        self.count += 1;
    }

    pub(super) fn values(&self) -> &[Value] {
        if self.many.is_empty() { self.few.get(..self.count).unwrap_or_default() } else { &self.many }
    }
}

macro_rules! dispatch {
    (($which:ident $call:ident) $([$builtin:ident $family:ident $function:ident $gives:ident])+) => {
        match $which { $(Builtin::$builtin => dispatch!($gives $call $family::$function)),+ }
    };
    (One $call:ident $meaning:path) => {{
        let value = $meaning($call)?;
        $call.give(value);
    }};
    ($gives:ident $call:ident $meaning:path) => {
        $meaning($call)?
    };
}

/// Runs a built-in.
pub(super) fn call(builtin: Builtin, call: &mut Call) -> Outcome<()> {
    if !builtin.takes(call.arguments.len()) {
        return Err(TrapCode::ARGUMENTS);
    }
    call.meter.charge(builtin.cost())?;
    each_builtin!(dispatch(builtin call));
    Ok(())
}

/// Runs a built-in that most programs ask often, where it gives one of its arguments or what is known beforehand.
#[inline]
pub(super) fn quickly(core: &mut Core, builtin: Builtin, arguments: &[Value]) -> Outcome<Option<Value>> {
    let Core { heap, meter, .. } = core;
    let result = match *arguments {
        [value] if builtin == Builtin::Type => {
            meter.charge(builtin.cost())?;
            convert::name_of(value)
        }
        [value] if builtin == Builtin::ToString && value.is_string() => {
            meter.charge(builtin.cost())?;
            value
        }
        [a, b] if builtin == Builtin::Compare => {
            meter.charge(builtin.cost())?;
            order::compared(heap, meter, a, b)?
        }
        _ => return Ok(None),
    };
    Ok(Some(result))
}

/// The bytes of a string; anything else is a trap: nothing is converted in silence.
fn text<'v>(heap: &'v Heap, value: &'v Value) -> Outcome<&'v [u8]> {
    heap.as_string(value).ok_or(TrapCode::KIND)
}

/// A length or a count as an integer.
fn integral(count: usize) -> Value {
    Value::integer(i64::try_from(count).unwrap_or(i64::MAX))
}

/// A position as Lua counts, from 1, or from the end where negative: before the first it is the first.
const fn from_start(position: i64, length: i64) -> i64 {
    match position {
        1.. => position,
        0 => 1,
        _ if position < -length => 1,
        _ => length + position + 1,
    }
}

/// A position as Lua counts that ends a range: at most the last, 0 for before the first.
const fn up_to(position: i64, length: i64) -> i64 {
    match position {
        _ if position > length => length,
        0.. => position,
        _ if position < -length => 0,
        _ => length + position + 1,
    }
}

/// The range of places from one position to another, as Lua counts them.
fn range(from: i64, to: i64, length: usize) -> core::ops::Range<usize> {
    let signed = i64::try_from(length).unwrap_or(i64::MAX);
    let start = usize::try_from(from_start(from, signed) - 1).unwrap_or(length);
    let end = usize::try_from(up_to(to, signed)).unwrap_or_default();
    if start < end { start..end } else { 0..0 }
}
