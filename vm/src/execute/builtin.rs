//! What each built-in does.

use super::Outcome;
use super::arithmetic;
use crate::bytecode::Builtin;
use crate::encoding::{Options, cbor};
use crate::limit;
use crate::meter::{self, Meter};
use crate::number::{Fixed, Float, Number, parse_decimal};
use crate::trap::TrapCode;
use crate::value::{Heap, Kind, Value};
use std::collections::BTreeSet;

/// A row that was emitted: the canonical CBOR of its key, which is path and key, and of its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub key: Vec<u8>,
    pub value: Vec<u8>,
}

/// What a run has emitted.
#[derive(Default)]
pub(super) struct Output {
    pub(super) rows: Vec<Row>,
    keys: BTreeSet<Vec<u8>>,
}

pub(super) fn call(
    builtin: Builtin,
    heap: &mut Heap,
    meter: &mut Meter,
    output: &mut Output,
    arguments: &[Value],
) -> Outcome<Value> {
    meter.charge(builtin.cost())?;
    let argument = |place: usize| arguments.get(place).copied().unwrap_or(Value::NIL);
    let first = argument(0);
    match builtin {
        Builtin::Emit => emit(heap, meter, output, arguments),
        Builtin::Type => Ok(text(heap, type_name(heap.kind(first)))),
        Builtin::ToString => to_string(heap, meter, first),
        Builtin::ToNumber => to_number(heap, meter, first),
        Builtin::EmptyList => {
            meter.allocate(meter::TABLE)?;
            Ok(heap.new_list())
        }
        Builtin::Count => count(heap, first),
        Builtin::MathType => Ok(math_type(heap, first).map_or(Value::NIL, |name| text(heap, name))),
        Builtin::Floor => round(heap, meter, first, Number::floor, Float::floor, |fixed| Ok(fixed.floor())),
        Builtin::Ceiling => round(heap, meter, first, Number::ceiling, Float::ceiling, Fixed::ceiling),
        Builtin::Absolute => {
            round(heap, meter, first, |number| Ok(number.absolute()), Float::absolute, Fixed::absolute)
        }
        Builtin::SquareRoot => {
            let float = float(heap, first)?.as_float().ok_or(TrapCode::KIND)?;
            Ok(Value::float(float.square_root()))
        }
        Builtin::Decimal => decimal(heap, meter, first),
        Builtin::Float => float(heap, first),
        Builtin::Fixed => fixed(heap, meter, first),
        Builtin::StringLength => {
            let length = heap.as_string(&first).ok_or(TrapCode::KIND)?.len();
            Ok(Value::integer(i64::try_from(length).unwrap_or(i64::MAX)))
        }
        Builtin::StringPart => string_part(heap, meter, first, argument(1), argument(2)),
        Builtin::TableInsert => table_insert(heap, meter, arguments),
        Builtin::TableRemove => table_remove(heap, meter, first, argument(1)),
        Builtin::TableConcat => table_concat(heap, meter, first, argument(1)),
        Builtin::TableSort => table_sort(heap, meter, first),
    }
}

/// A short text that needs no counting.
fn text(heap: &mut Heap, text: &str) -> Value {
    heap.string(text.as_bytes())
}

/// A new string, counted, within the limit.
fn string(heap: &mut Heap, meter: &mut Meter, content: &[u8]) -> Outcome<Value> {
    if content.len() as u64 > limit::DATA_STRING.value {
        return Err(TrapCode::STRING);
    }
    meter.charge_bytes(content.len())?;
    meter.allocate(meter::STRING + content.len() as u64)?;
    Ok(heap.string(content))
}

/// The kind as Lua names it.
const fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Nil => "nil",
        Kind::Bool => "boolean",
        Kind::Number | Kind::Float | Kind::Fixed => "number",
        Kind::String => "string",
        Kind::Bytes => "bytes",
        Kind::List | Kind::Map | Kind::Set => "table",
        Kind::Function => "function",
    }
}

fn math_type(heap: &Heap, value: Value) -> Option<&'static str> {
    match heap.kind(value) {
        Kind::Number => heap.as_number(value).map(|number| if number.is_integer() { "integer" } else { "decimal" }),
        Kind::Float => Some("float"),
        Kind::Fixed => Some("fixed"),
        Kind::Nil | Kind::Bool | Kind::String | Kind::Bytes | Kind::List | Kind::Map | Kind::Set | Kind::Function => {
            None
        }
    }
}

/// Appends a number's text; false where the value is none.
fn put_number(heap: &Heap, value: Value, out: &mut Vec<u8>) -> bool {
    if let Some(number) = heap.as_number(value) {
        number.write_text(out);
    } else if let Some(float) = value.as_float() {
        float.write_shortest(out);
    } else if let Some(fixed) = heap.as_fixed(value) {
        fixed.write_text(out);
    } else {
        return false;
    }
    true
}

fn to_string(heap: &mut Heap, meter: &mut Meter, value: Value) -> Outcome<Value> {
    if heap.as_string(&value).is_some() {
        return Ok(value);
    }
    let mut out = Vec::new();
    if !put_number(heap, value, &mut out) {
        out.extend_from_slice(match value.as_bool() {
            Some(true) => b"true",
            Some(false) => b"false",
            None => heap.kind(value).name().as_bytes(),
        });
    }
    string(heap, meter, &out)
}

fn to_number(heap: &mut Heap, meter: &mut Meter, value: Value) -> Outcome<Value> {
    let Some(content) = heap.as_string(&value) else {
        return Ok(if math_type(heap, value).is_some() { value } else { Value::NIL });
    };
    meter.charge_bytes(content.len())?;
    match parse_decimal(content) {
        Ok(number) => arithmetic::number(heap, meter, number),
        Err(_) => Ok(Value::NIL),
    }
}

fn count(heap: &Heap, value: Value) -> Outcome<Value> {
    let count = heap.count(value).ok_or(TrapCode::KIND)?;
    Ok(Value::integer(i64::try_from(count).unwrap_or(i64::MAX)))
}

fn round(
    heap: &mut Heap,
    meter: &mut Meter,
    value: Value,
    number: fn(Number) -> Result<Number, crate::number::NumberFault>,
    float: fn(Float) -> Float,
    fixed: fn(Fixed) -> Result<Fixed, crate::number::NumberFault>,
) -> Outcome<Value> {
    if let Some(exact) = heap.as_number(value) {
        return arithmetic::number(heap, meter, number(exact)?);
    }
    if let Some(operand) = heap.as_fixed(value) {
        return arithmetic::fixed(heap, meter, fixed(operand)?);
    }
    value.as_float().map(|operand| Value::float(float(operand))).ok_or(TrapCode::KIND)
}

fn decimal(heap: &mut Heap, meter: &mut Meter, value: Value) -> Outcome<Value> {
    if let Some(content) = heap.as_string(&value) {
        meter.charge_bytes(content.len())?;
        let number = parse_decimal(content)?;
        return arithmetic::number(heap, meter, number);
    }
    let number = match (value.as_float(), heap.as_fixed(value)) {
        (Some(float), _) => Number::from_float_bits(float.to_bits())?,
        (_, Some(fixed)) => fixed.to_number(),
        (None, None) => heap.as_number(value).ok_or(TrapCode::KIND)?,
    };
    arithmetic::number(heap, meter, number)
}

fn float(heap: &Heap, value: Value) -> Outcome<Value> {
    let bits = match (heap.as_number(value), heap.as_fixed(value)) {
        (Some(number), _) => number.to_float_bits(),
        (_, Some(fixed)) => fixed.to_float_bits(),
        (None, None) => value.as_float().ok_or(TrapCode::KIND)?.to_bits(),
    };
    Ok(Value::float(Float::from_bits(bits)))
}

fn fixed(heap: &mut Heap, meter: &mut Meter, value: Value) -> Outcome<Value> {
    let fixed = match (value.as_float(), heap.as_number(value)) {
        (Some(float), _) => Fixed::from_float_bits(float.to_bits())?,
        (_, Some(number)) => Fixed::from_number(number)?,
        (None, None) => return if heap.as_fixed(value).is_some() { Ok(value) } else { Err(TrapCode::KIND) },
    };
    arithmetic::fixed(heap, meter, fixed)
}

/// Strings and numbers, one after the other with a text between.
pub(super) fn join(heap: &mut Heap, meter: &mut Meter, parts: &[Value], between: &[u8]) -> Outcome<Value> {
    meter.charge_values(parts.len())?;
    let mut out = Vec::new();
    for (position, part) in parts.iter().enumerate() {
        if position > 0 {
            out.extend_from_slice(between);
        }
        if let Some(content) = heap.as_string(part) {
            out.extend_from_slice(content);
        } else if !put_number(heap, *part, &mut out) {
            return Err(TrapCode::KIND);
        }
        if out.len() as u64 > limit::DATA_STRING.value {
            return Err(TrapCode::STRING);
        }
    }
    string(heap, meter, &out)
}

/// A position in a string as Lua counts: from 1, or from the end where negative.
fn position(heap: &Heap, value: Value, length: i64) -> Outcome<i64> {
    let position = arithmetic::integer(heap, value)?;
    Ok(if position < 0 { position.saturating_add(length).saturating_add(1) } else { position })
}

fn string_part(heap: &mut Heap, meter: &mut Meter, value: Value, from: Value, to: Value) -> Outcome<Value> {
    let content = heap.as_string(&value).ok_or(TrapCode::KIND)?;
    let length = i64::try_from(content.len()).unwrap_or(i64::MAX);
    let first = position(heap, from, length)?.max(1);
    let last = if to.is_nil() { length } else { position(heap, to, length)?.min(length) };
    let range = usize::try_from(first - 1).unwrap_or_default()..usize::try_from(last).unwrap_or_default();
    let part = content.get(range).unwrap_or_default().to_vec();
    string(heap, meter, &part)
}

/// The length of a table. Where there are gaps it must be counted, which is charged.
pub(super) fn length(heap: &Heap, meter: &mut Meter, table: Value) -> Outcome<i64> {
    let length = heap.length(table).ok_or(TrapCode::KIND)?;
    if !heap.is_gapless(table) {
        meter.charge(length.cast_unsigned())?;
    }
    Ok(length)
}

pub(super) fn put(heap: &mut Heap, meter: &mut Meter, table: Value, position: i64, value: Value) -> Outcome<()> {
    if heap.set(table, Value::integer(position), value)? {
        meter.allocate(meter::ENTRY)?;
    }
    Ok(())
}

fn table_insert(heap: &mut Heap, meter: &mut Meter, arguments: &[Value]) -> Outcome<Value> {
    let (table, position, value) = match *arguments {
        [table, value] => (table, None, value),
        [table, position, value] => (table, Some(arithmetic::integer(heap, position)?), value),
        _ => return Err(TrapCode::ARGUMENTS),
    };
    let length = length(heap, meter, table)?;
    let position = position.unwrap_or(length + 1);
    if !(1..=length + 1).contains(&position) {
        return Err(TrapCode::ARGUMENTS);
    }
    meter.charge((length + 1 - position).cast_unsigned())?;
    for place in (position..=length).rev() {
        let moved = heap.get(table, Value::integer(place)).unwrap_or(Value::NIL);
        put(heap, meter, table, place + 1, moved)?;
    }
    put(heap, meter, table, position, value)?;
    Ok(Value::NIL)
}

fn table_remove(heap: &mut Heap, meter: &mut Meter, table: Value, position: Value) -> Outcome<Value> {
    let length = length(heap, meter, table)?;
    let position = if position.is_nil() { length } else { arithmetic::integer(heap, position)? };
    if length == 0 && position == 0 {
        return Ok(Value::NIL);
    }
    if !(1..=length.saturating_add(1)).contains(&position) {
        return Err(TrapCode::ARGUMENTS);
    }
    meter.charge((length - position.min(length)).cast_unsigned())?;
    let removed = heap.get(table, Value::integer(position)).unwrap_or(Value::NIL);
    for place in position..length {
        let moved = heap.get(table, Value::integer(place + 1)).unwrap_or(Value::NIL);
        put(heap, meter, table, place, moved)?;
    }
    put(heap, meter, table, position.max(length), Value::NIL)?;
    Ok(removed)
}

fn table_concat(heap: &mut Heap, meter: &mut Meter, table: Value, between: Value) -> Outcome<Value> {
    let length = length(heap, meter, table)?;
    meter.charge(length.cast_unsigned())?;
    let parts: Vec<Value> =
        (1..=length).map(|place| heap.get(table, Value::integer(place)).unwrap_or(Value::NIL)).collect();
    let between = match heap.as_string(&between) {
        Some(content) => content.to_vec(),
        None if between.is_nil() => Vec::new(),
        None => return Err(TrapCode::KIND),
    };
    join(heap, meter, &parts, &between)
}

/// Sorts a list of numbers or a list of strings into canonical order, which is total: no two ways to sort can differ.
/// All is charged beforehand, because how often a library's sort compares is its own affair.
fn table_sort(heap: &mut Heap, meter: &mut Meter, table: Value) -> Outcome<Value> {
    let length = length(heap, meter, table)?;
    meter.charge_sort(usize::try_from(length).unwrap_or(usize::MAX))?;
    let mut items: Vec<Value> =
        (1..=length).map(|place| heap.get(table, Value::integer(place)).unwrap_or(Value::NIL)).collect();
    let texts: Vec<usize> = items.iter().filter_map(|item| heap.as_string(item)).map(<[u8]>::len).collect();
    if texts.is_empty() {
        let is_number = |item: &Value| math_type(heap, *item).is_some() && !item.as_float().is_some_and(Float::is_nan);
        if !items.iter().all(is_number) {
            return Err(TrapCode::KIND);
        }
    } else if texts.len() == items.len() {
        meter.charge_sort(texts.iter().sum::<usize>() / 16)?;
    } else {
        return Err(TrapCode::KIND);
    }
    items.sort_by(|&a, &b| heap.order(a, b));
    for (place, &item) in (1..).zip(&items) {
        put(heap, meter, table, place, item)?;
    }
    Ok(Value::NIL)
}

fn emit(heap: &mut Heap, meter: &mut Meter, output: &mut Output, arguments: &[Value]) -> Outcome<Value> {
    let [path, key, value] = *arguments else { return Err(TrapCode::ARGUMENTS) };
    if heap.as_string(&path).is_none() || heap.as_string(&key).is_none() {
        return Err(TrapCode::KIND);
    }
    let mut encode = |value: Value| -> Outcome<Vec<u8>> {
        let mut bytes = Vec::new();
        cbor::encode(heap, value, &Options::CANONICAL, &mut bytes).map_err(|_| TrapCode::TEXT)?;
        meter.charge_bytes(bytes.len())?;
        meter.emit(bytes.len() as u64)?;
        Ok(bytes)
    };
    let mut row_key = vec![0x82];
    row_key.extend(encode(path)?);
    row_key.extend(encode(key)?);
    let value = encode(value)?;
    if !output.keys.insert(row_key.clone()) {
        return Err(TrapCode::EMITTED_TWICE);
    }
    output.rows.push(Row { key: row_key, value });
    Ok(Value::NIL)
}
