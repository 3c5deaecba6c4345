//! Sets.

use super::{Given, boolean};
use crate::evaluator::{Evaluator, Key, Outcome, Table, Value};
use kerai_vm::bytecode::Builtin;
use kerai_vm::trap::TrapCode;
use std::collections::BTreeSet;

fn members(evaluator: &Evaluator, value: &Value) -> Outcome<BTreeSet<Key>> {
    let table = evaluator.table(value)?;
    if table.is_set { Ok(table.entries.keys().cloned().collect()) } else { Err(TrapCode::KIND.into()) }
}

fn keys(values: &[Value]) -> Outcome<BTreeSet<Key>> {
    values.iter().map(|value| Key::of(value).ok_or(TrapCode::KEY.into())).collect()
}

pub(super) fn call(evaluator: &mut Evaluator, builtin: Builtin, given: &Given) -> Outcome<Vec<Value>> {
    let first = || members(evaluator, &given.value(0));
    let rest = || keys(given.0.get(1..).unwrap_or_default());
    let second = || members(evaluator, &given.value(1));
    let set = match builtin {
        Builtin::NewSet => keys(given.0)?,
        Builtin::SetHas => {
            let members = first()?;
            return Ok(boolean(members.contains(&Key::of(&given.value(1)).ok_or(TrapCode::KEY)?)));
        }
        Builtin::SetMembers => {
            let items = first()?.iter().map(Key::to_value).collect();
            return Ok(vec![evaluator.new_table(Table::list(items))]);
        }
        Builtin::SetWith => &first()? | &rest()?,
        Builtin::SetWithout => &first()? - &rest()?,
        Builtin::SetUnion => &first()? | &second()?,
        Builtin::SetIntersection => &first()? & &second()?,
        _ => &first()? - &second()?,
    };
    Ok(vec![evaluator.new_table(Table::set(set))])
}
