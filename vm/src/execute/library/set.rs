//! Sets: values that never change. Adding and taking away give new ones.

use super::Call;
use crate::execute::Outcome;
use crate::meter;
use crate::trap::TrapCode;
use crate::value::{Heap, KeyFault, Kind, Value};
use core::cmp::Ordering;

impl From<KeyFault> for TrapCode {
    fn from(fault: KeyFault) -> TrapCode {
        match fault {
            KeyFault::Kind | KeyFault::Nan => TrapCode::KEY,
        }
    }
}

/// The members of a set, in order.
fn members_of(heap: &Heap, set: Value) -> Outcome<&[Value]> {
    if heap.kind(set) == Kind::Set { heap.items(set).ok_or(TrapCode::KIND) } else { Err(TrapCode::KIND) }
}

/// Pays for sorting members into a new set.
fn pay(call: &mut Call, members: &[Value]) -> Outcome<()> {
    let bytes: usize = members.iter().filter_map(|member| call.heap.as_string(member)).map(<[u8]>::len).sum();
    call.meter.charge_sort(members.len())?;
    call.meter.charge_sort(bytes / 16)?;
    call.meter.allocate(meter::TABLE + meter::VALUE * members.len() as u64)
}

pub(super) fn set(call: &mut Call) -> Outcome<Value> {
    let arguments = call.arguments;
    pay(call, arguments)?;
    Ok(call.heap.new_set(arguments)?)
}

pub(super) fn has(call: &mut Call) -> Outcome<Value> {
    let (set, member) = (call.argument(0), call.argument(1));
    let count = members_of(call.heap, set)?.len();
    let steps = u64::from(usize::BITS - count.leading_zeros()) + 1;
    let bytes = call.heap.as_string(&member).map_or(0, <[u8]>::len) as u64;
    call.meter.charge(steps * (1 + bytes / 16))?;
    Ok(Value::bool(call.heap.has_member(set, member)?))
}

pub(super) fn members(call: &mut Call) -> Outcome<Value> {
    let items = members_of(call.heap, call.argument(0))?;
    call.meter.charge_values(items.len())?;
    call.meter.allocate(meter::TABLE + meter::VALUE * items.len() as u64)?;
    let items = items.to_vec();
    Ok(call.heap.list(&items))
}

/// The members of a call's first set, and its other arguments as a set.
fn first_and_rest(call: &mut Call) -> Outcome<[Value; 2]> {
    let Some((&first, rest)) = call.arguments.split_first() else { return Err(TrapCode::ARGUMENTS) };
    members_of(call.heap, first)?;
    pay(call, rest)?;
    Ok([first, call.heap.new_set(rest)?])
}

pub(super) fn with(call: &mut Call) -> Outcome<Value> {
    let sets = first_and_rest(call)?;
    merged(call, sets, |_| true)
}

pub(super) fn without(call: &mut Call) -> Outcome<Value> {
    let sets = first_and_rest(call)?;
    merged(call, sets, |order| order == Ordering::Less)
}

pub(super) fn union(call: &mut Call) -> Outcome<Value> {
    let sets = [call.argument(0), call.argument(1)];
    merged(call, sets, |_| true)
}

pub(super) fn intersection(call: &mut Call) -> Outcome<Value> {
    let sets = [call.argument(0), call.argument(1)];
    merged(call, sets, |order| order == Ordering::Equal)
}

pub(super) fn difference(call: &mut Call) -> Outcome<Value> {
    let sets = [call.argument(0), call.argument(1)];
    merged(call, sets, |order| order == Ordering::Less)
}

/// The members of two sets that are wanted: less are those of the first alone, greater of the second alone.
fn merged(call: &mut Call, sets: [Value; 2], is_wanted: fn(Ordering) -> bool) -> Outcome<Value> {
    let (mut first, mut second) = (members_of(call.heap, sets[0])?, members_of(call.heap, sets[1])?);
    let count = first.len() + second.len();
    let bytes: usize =
        first.iter().chain(second).filter_map(|member| call.heap.as_string(member)).map(<[u8]>::len).sum();
    call.meter.charge_values(count)?;
    call.meter.charge_bytes(bytes)?;
    call.meter.allocate(meter::TABLE + meter::VALUE * count as u64)?;
    let mut kept = Vec::with_capacity(count);
    loop {
        let order = match (first.first(), second.first()) {
            (Some(&a), Some(&b)) => call.heap.order(a, b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => break,
        };
        let (member, from_first, from_second) = match order {
            Ordering::Less => (first.first(), 1, 0),
            Ordering::Equal => (first.first(), 1, 1),
            Ordering::Greater => (second.first(), 0, 1),
        };
        kept.extend(member.filter(|_| is_wanted(order)));
        first = first.get(from_first..).unwrap_or_default();
        second = second.get(from_second..).unwrap_or_default();
    }
    Ok(call.heap.sorted_set(&kept))
}
