//! `table`, and lists.

use super::{Given, string};
use crate::evaluator::builtin::put_text;
use crate::evaluator::{Evaluator, LONGEST, Outcome, Stop, Table, Value};
use kerai_vm::trap::TrapCode;

/// The values at 1 to the length.
pub(super) fn items(evaluator: &mut Evaluator, table: &Value) -> Outcome<Vec<Value>> {
    let length = evaluator.length(table)?;
    evaluator.burn(length.cast_unsigned())?;
    let table = evaluator.table(table)?;
    Ok((1..=length).map(|position| table.get(&Value::integer(position))).collect())
}

pub(super) fn put_items(evaluator: &mut Evaluator, table: &Value, items: Vec<Value>) -> Outcome<()> {
    for (position, item) in (1..).zip(items) {
        evaluator.put(table, &Value::integer(position), item)?;
    }
    Ok(())
}

pub(super) fn insert(evaluator: &mut Evaluator, given: &Given) -> Outcome<Vec<Value>> {
    let (position, value) = match given.0 {
        [_, value] => (None, value),
        // Nil is no position: it is no integer either.
        [_, Value::Nil, _] => return Err(TrapCode::KIND.into()),
        [_, _, value] => (given.integer(1)?, value),
        _ => return Err(TrapCode::ARGUMENTS.into()),
    };
    let table = given.value(0);
    let mut items = items(evaluator, &table)?;
    let end = items.len() as i64 + 1;
    let position = position.unwrap_or(end);
    if !(1..=end).contains(&position) {
        return Err(TrapCode::ARGUMENTS.into());
    }
    items.insert(position as usize - 1, value.clone());
    // The place behind the last one first: moving goes downwards, so a table never becomes empty on the way.
    for (position, item) in (1..).zip(items).collect::<Vec<_>>().into_iter().rev() {
        evaluator.put(&table, &Value::integer(position), item)?;
    }
    Ok(Vec::new())
}

pub(super) fn remove(evaluator: &mut Evaluator, given: &Given) -> Outcome<Vec<Value>> {
    let table = given.value(0);
    let mut items = items(evaluator, &table)?;
    let length = items.len() as i64;
    let position = given.integer(1)?.unwrap_or(length);
    if position != length && !(1..=length + 1).contains(&position) {
        return Err(TrapCode::ARGUMENTS.into());
    }
    let removed = evaluator.table(&table)?.get(&Value::integer(position));
    if (1..length).contains(&position) {
        items.remove(position as usize - 1);
        put_items(evaluator, &table, items)?;
    }
    evaluator.put(&table, &Value::integer(position.max(length)), Value::Nil)?;
    Ok(vec![removed])
}

pub(super) fn concat(evaluator: &mut Evaluator, given: &Given) -> Outcome<Vec<Value>> {
    let table = given.value(0);
    let from = given.integer(2)?.unwrap_or(1);
    let to = match given.integer(3)? {
        Some(to) => to,
        None => evaluator.length(&table)?,
    };
    let between = given.text_or_none(1)?;
    evaluator.length(&table)?;
    let mut out = Vec::new();
    for position in from..=to {
        evaluator.burn(1)?;
        put_text(&evaluator.table(&table)?.get(&Value::integer(position)), &mut out)?;
        if position < to {
            out.extend_from_slice(&between);
        }
        if out.len() > LONGEST {
            return Err(Stop::Unknown);
        }
    }
    Ok(vec![string(out)])
}

pub(super) fn pack(evaluator: &mut Evaluator, given: &Given) -> Outcome<Vec<Value>> {
    let table = evaluator.new_table(Table::default());
    put_items(evaluator, &table, given.0.to_vec())?;
    evaluator.put(&table, &Value::text("n"), Value::integer(given.0.len() as i64))?;
    Ok(vec![table])
}

pub(super) fn unpack(evaluator: &mut Evaluator, given: &Given) -> Outcome<Vec<Value>> {
    let table = given.value(0);
    let from = given.integer(1)?.unwrap_or(1);
    let to = match given.integer(2)? {
        Some(to) => to,
        None => evaluator.length(&table)?,
    };
    evaluator.length(&table)?;
    if from <= to {
        evaluator.burn(to.abs_diff(from).saturating_add(1))?;
    }
    let table = evaluator.table(&table)?;
    Ok((from..=to).map(|position| table.get(&Value::integer(position))).collect())
}

pub(super) fn shift(evaluator: &mut Evaluator, given: &Given) -> Outcome<Vec<Value>> {
    let source = given.value(0);
    let target = if given.value(4).is_nil() { source.clone() } else { given.value(4) };
    let (from, to, place) = (given.integer(1)?, given.integer(2)?, given.integer(3)?);
    let (Some(from), Some(to), Some(place)) = (from, to, place) else { return Err(TrapCode::KIND.into()) };
    evaluator.length(&source)?;
    evaluator.length(&target)?;
    if to < from {
        return Ok(vec![target]);
    }
    let further = to.checked_sub(from).ok_or(TrapCode::ARGUMENTS)?;
    place.checked_add(further).ok_or(TrapCode::ARGUMENTS)?;
    evaluator.burn(further.cast_unsigned().saturating_add(1))?;
    let values: Vec<Value> = {
        let source = evaluator.table(&source)?;
        (from..=to).map(|position| source.get(&Value::integer(position))).collect()
    };
    let mut moved: Vec<(i64, Value)> = (place..).zip(values).collect();
    // A table that becomes empty on the way is a list or a map by what went last, so the direction counts.
    if crate::evaluator::operator::equals(&source, &target) && place > from && place <= to {
        moved.reverse();
    }
    for (position, value) in moved {
        evaluator.put(&target, &Value::integer(position), value)?;
    }
    Ok(vec![target])
}

pub(super) fn values(evaluator: &mut Evaluator, given: &Given) -> Outcome<Vec<Value>> {
    let values = evaluator.map_mut(&given.value(0))?.entries.values().cloned().collect();
    Ok(vec![evaluator.new_table(Table::list(values))])
}

pub(super) fn list(evaluator: &mut Evaluator, given: &Given) -> Outcome<Vec<Value>> {
    if given.0.iter().any(Value::is_nil) {
        return Err(TrapCode::KIND.into());
    }
    Ok(vec![evaluator.new_table(Table::list(given.0.to_vec()))])
}
