//! What stands around the parts that come from the machine: JSON's codec, the hash behind random numbers. And rows.

use super::Given;
use crate::evaluator::{Evaluator, Form, Key, Outcome, ROW, Stop, Table, Value, encode};
use kerai_vm::encoding::root::{Context, Root};
use kerai_vm::encoding::{Options, cbor, json};
use kerai_vm::limit;
use kerai_vm::trap::TrapCode;
use kerai_vm::value::{Heap, Kind};

/// A document is a string, and so no longer than one.
const DOCUMENT: Options = Options { size: limit::DATA_STRING.value as usize, ..Options::CANONICAL };

/// What is passed to the machine's codec: beyond this it would take too long.
const VALUES: usize = 20_000;

pub(super) fn to_json(evaluator: &Evaluator, value: &Value) -> Outcome<Value> {
    let form = Form { is_normal: false, values: VALUES };
    let Some(bytes) = encode(&evaluator.tables, value, form) else {
        // What holds too much can't be told here from what can't be written.
        let is_small = evaluator.tables.iter().map(|table| table.entries.len()).sum::<usize>() < 100;
        return Err(if is_small { TrapCode::TEXT.into() } else { Stop::Unknown });
    };
    let mut heap = Heap::new(0);
    let value = cbor::decode(&mut heap, &bytes, &Options::SNAPSHOT).map_err(|_| Stop::Trap(TrapCode::TEXT))?;
    let mut out = Vec::new();
    json::encode(&heap, value, &DOCUMENT, &mut out).map_err(|_| Stop::Trap(TrapCode::TEXT))?;
    Ok(Value::String(out.into()))
}

pub(super) fn of_json(evaluator: &mut Evaluator, text: &[u8]) -> Outcome<Value> {
    let mut heap = Heap::new(0);
    let value = json::decode(&mut heap, text, &DOCUMENT).map_err(|_| Stop::Trap(TrapCode::DOCUMENT))?;
    Ok(taken(evaluator, &heap, value))
}

/// A value of the machine as one of the evaluator.
fn taken(evaluator: &mut Evaluator, heap: &Heap, value: kerai_vm::value::Value) -> Value {
    let table = match heap.kind(value) {
        Kind::Nil => return Value::Nil,
        Kind::Bool => return Value::Bool(value.as_bool() == Some(true)),
        Kind::Number => return heap.as_number(value).map_or(Value::Nil, Value::Number),
        Kind::Float => return value.as_float().map_or(Value::Nil, Value::Float),
        Kind::Fixed => return heap.as_fixed(value).map_or(Value::Nil, Value::Fixed),
        Kind::String => return Value::String(heap.as_string(&value).unwrap_or_default().into()),
        Kind::Bytes => return Value::Bytes(heap.as_bytes(value).unwrap_or_default().into()),
        Kind::Function => return Value::Nil,
        Kind::List => {
            let items = heap.items(value).unwrap_or_default();
            Table::list(items.iter().map(|&item| taken(evaluator, heap, item)).collect())
        }
        Kind::Set => {
            let members = heap.items(value).unwrap_or_default();
            let members: Vec<Value> = members.iter().map(|&member| taken(evaluator, heap, member)).collect();
            Table::set(members.iter().filter_map(Key::of))
        }
        Kind::Map => {
            let mut table = Table::default();
            for (key, value) in heap.entries(value).unwrap_or_default() {
                let (key, value) = (taken(evaluator, heap, key), taken(evaluator, heap, value));
                table.entries.extend(Key::of(&key).map(|key| (key, value)));
            }
            table
        }
    };
    evaluator.new_table(table)
}

fn put_row(evaluator: &mut Evaluator, path: &Value, key: &Value, value: &Value) -> Outcome<()> {
    let bytes = |value: &Value| encode(&evaluator.tables, value, ROW).ok_or(Stop::Trap(TrapCode::TEXT));
    let row_key = [vec![0x82], bytes(path)?, bytes(key)?].concat();
    let value = bytes(value)?;
    if !evaluator.row_keys.insert(row_key.clone()) {
        return Err(TrapCode::EMITTED_TWICE.into());
    }
    evaluator.rows.push((row_key, value));
    Ok(())
}

pub(super) fn emit(evaluator: &mut Evaluator, given: &Given) -> Outcome<Vec<Value>> {
    given.text(0)?;
    given.text(1)?;
    put_row(evaluator, &given.value(0), &given.value(1), &given.value(2))?;
    Ok(Vec::new())
}

pub(super) fn emit_document(evaluator: &mut Evaluator, given: &Given) -> Outcome<Vec<Value>> {
    given.text(0)?;
    let (path, value) = (given.value(0), given.value(1));
    let entries = match evaluator.table(&value) {
        Ok(table) if table.kind() == "map" => table.entries.clone(),
        _ => {
            put_row(evaluator, &path, &Value::text(""), &value)?;
            return Ok(Vec::new());
        }
    };
    for (key, value) in entries {
        let key = match key.to_value() {
            text @ Value::String(_) => text,
            other => to_json(evaluator, &other)?,
        };
        put_row(evaluator, &path, &key, &value)?;
    }
    Ok(Vec::new())
}

pub(super) fn new_random(evaluator: &mut Evaluator, given: &Given) -> Outcome<Vec<Value>> {
    given.text(0)?;
    Ok(vec![evaluator.new_table(Table::list(vec![given.value(0), Value::integer(0)]))])
}

pub(super) fn next_random(evaluator: &mut Evaluator, given: &Given) -> Outcome<Vec<Value>> {
    let state = given.value(0);
    let (low, high) = match given.0.len() {
        2 => (1, given.wanted_integer(1)?),
        _ => (given.wanted_integer(1)?, given.wanted_integer(2)?),
    };
    if low > high {
        return Err(TrapCode::ARGUMENTS.into());
    }
    let count = i128::from(high) - i128::from(low) + 1;
    let fair = (1_i128 << 64) / count * count;
    loop {
        evaluator.burn(4)?;
        let table = evaluator.table(&state)?;
        let (seed, taken) = (table.get(&Value::integer(1)), table.get(&Value::integer(2)));
        let taken = match taken {
            Value::Number(number) => number.to_i64().ok_or(TrapCode::KIND)?,
            _ => return Err(TrapCode::KIND.into()),
        };
        let Value::String(seed) = seed else { return Err(TrapCode::KIND.into()) };
        let block = Root::of_data(Context::Random, &[&taken.to_le_bytes()[..], &seed].concat());
        evaluator.put(&state, &Value::integer(2), Value::integer(taken.wrapping_add(1)))?;
        for word in block.bytes().as_chunks::<8>().0 {
            let word = i128::from(u64::from_le_bytes(*word));
            if word < fair {
                return Ok(vec![Value::integer((i128::from(low) + word % count) as i64)]);
            }
        }
    }
}
