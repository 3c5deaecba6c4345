//! The built-ins, each as its row of the table says.

#![expect(clippy::wildcard_enum_match_arm, reason = "the arms name the kinds that something is done with, any other is refused alike")]

use super::operator::{put_text, to_integer, trap_of};
use super::value::numeric_order;
use super::{Evaluator, Outcome, ROW, Stop, Table, Value, encode};
use kerai_vm::bytecode::Builtin;
use kerai_vm::number::{Fixed, Float, Number, NumberFault, parse_decimal};
use kerai_vm::trap::TrapCode;
use std::cmp::Ordering;

/// Calls a built-in, which gives its results.
pub(super) fn call(evaluator: &mut Evaluator, builtin: Builtin, arguments: &[Value]) -> Outcome<Vec<Value>> {
    let (least, most) = builtin.arguments();
    if arguments.len() < usize::from(least) || arguments.len() > usize::from(most) {
        return Err(TrapCode::ARGUMENTS.into());
    }
    let argument = |place: usize| arguments.get(place).cloned().unwrap_or(Value::Nil);
    let [first, second, third] = [0, 1, 2].map(argument);
    let result = match builtin {
        Builtin::Emit => emit(evaluator, &first, &second, &third)?,
        Builtin::Type => Value::text(type_of(&first)),
        Builtin::ToString => to_string(evaluator, &first),
        Builtin::ToNumber => match &first {
            Value::String(text) => parse_decimal(text).map_or(Value::Nil, Value::Number),
            other if other.is_numeric() => first,
            _ => Value::Nil,
        },
        Builtin::EmptyList => evaluator.new_table(Table::list(Vec::new())),
        Builtin::Count => Value::integer(evaluator.table(&first)?.entries.len() as i64),
        Builtin::MathType => math_type(&first).map_or(Value::Nil, Value::text),
        Builtin::Floor => rounded(&first, Number::floor, Float::floor, |fixed| Ok(fixed.floor()))?,
        Builtin::Ceiling => rounded(&first, Number::ceiling, Float::ceiling, Fixed::ceiling)?,
        Builtin::Absolute => rounded(&first, |number| Ok(number.absolute()), Float::absolute, Fixed::absolute)?,
        Builtin::Decimal => Value::Number(decimal(&first)?),
        Builtin::Float => Value::Float(float(&first)?),
        Builtin::Fixed => Value::Fixed(fixed(&first)?),
        Builtin::StringLength => Value::integer(text(&first)?.len() as i64),
        Builtin::StringPart => string_part(text(&first)?, &second, &third)?,
        Builtin::TableInsert => insert(evaluator, &first, arguments)?,
        Builtin::TableRemove => remove(evaluator, &first, &second)?,
        Builtin::TableConcat => {
            let items = items(evaluator, &first)?;
            let between = if second.is_nil() { &[] } else { text(&second)? };
            evaluator.join(&items, between)?
        }
        Builtin::TableSort => sort(evaluator, &first)?,
    };
    Ok(vec![result])
}

fn text(value: &Value) -> Outcome<&[u8]> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(TrapCode::KIND.into()),
    }
}

fn of<T>(result: Result<T, NumberFault>) -> Outcome<T> {
    result.map_err(|fault| trap_of(fault).into())
}

fn emit(evaluator: &mut Evaluator, path: &Value, key: &Value, value: &Value) -> Outcome<Value> {
    text(path)?;
    text(key)?;
    let bytes = |value: &Value| encode(&evaluator.tables, value, ROW).ok_or(Stop::Trap(TrapCode::TEXT));
    let row_key = [vec![0x82], bytes(path)?, bytes(key)?].concat();
    let value = bytes(value)?;
    if !evaluator.row_keys.insert(row_key.clone()) {
        return Err(TrapCode::EMITTED_TWICE.into());
    }
    evaluator.rows.push((row_key, value));
    Ok(Value::Nil)
}

const fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Nil => "nil",
        Value::Bool(_) => "boolean",
        Value::Number(_) | Value::Float(_) | Value::Fixed(_) => "number",
        Value::String(_) => "string",
        Value::Bytes(_) => "bytes",
        Value::Table(_) => "table",
        Value::Function(_) | Value::Closure(_) => "function",
    }
}

fn math_type(value: &Value) -> Option<&'static str> {
    match value {
        Value::Number(number) if number.scale() == 0 => Some("integer"),
        Value::Number(_) => Some("decimal"),
        Value::Float(_) => Some("float"),
        Value::Fixed(_) => Some("fixed"),
        _ => None,
    }
}

fn to_string(evaluator: &Evaluator, value: &Value) -> Value {
    let mut out = Vec::new();
    match value {
        Value::Bool(truth) => Value::text(if *truth { "true" } else { "false" }),
        Value::Table(_) => Value::text(evaluator.table(value).map_or("", Table::kind)),
        _ => match put_text(value, &mut out) {
            Ok(()) => Value::String(out.into()),
            Err(_) => Value::text(type_of(value)),
        },
    }
}

fn rounded(
    value: &Value,
    number: fn(Number) -> Result<Number, NumberFault>,
    float: fn(Float) -> Float,
    fixed: fn(Fixed) -> Result<Fixed, NumberFault>,
) -> Outcome<Value> {
    match value {
        Value::Number(exact) => of(number(*exact)).map(Value::Number),
        Value::Float(operand) => Ok(Value::Float(float(*operand))),
        Value::Fixed(operand) => of(fixed(*operand)).map(Value::Fixed),
        _ => Err(TrapCode::KIND.into()),
    }
}

fn decimal(value: &Value) -> Outcome<Number> {
    match value {
        Value::String(text) => of(parse_decimal(text)),
        Value::Number(number) => Ok(*number),
        Value::Float(float) => of(Number::from_float_bits(float.to_bits())),
        Value::Fixed(fixed) => Ok(fixed.to_number()),
        _ => Err(TrapCode::KIND.into()),
    }
}

fn float(value: &Value) -> Outcome<Float> {
    match value {
        Value::Number(number) => Ok(Float::from_bits(number.to_float_bits())),
        Value::Float(float) => Ok(*float),
        Value::Fixed(fixed) => Ok(Float::from_bits(fixed.to_float_bits())),
        _ => Err(TrapCode::KIND.into()),
    }
}

fn fixed(value: &Value) -> Outcome<Fixed> {
    match value {
        Value::Number(number) => of(Fixed::from_number(*number)),
        Value::Float(float) => of(Fixed::from_float_bits(float.to_bits())),
        Value::Fixed(fixed) => Ok(*fixed),
        _ => Err(TrapCode::KIND.into()),
    }
}

/// From one position to another, both counted from the end where negative; none is the last.
fn string_part(text: &[u8], from: &Value, to: &Value) -> Outcome<Value> {
    let length = text.len() as i128;
    let place = |value: &Value| -> Outcome<i128> {
        let position = i128::from(to_integer(value)?);
        Ok(if position < 0 { position + length + 1 } else { position })
    };
    let first = place(from)?.max(1);
    let last = if to.is_nil() { length } else { place(to)?.min(length) };
    let part = (1..).zip(text).filter(|(position, _)| (first..=last).contains(position)).map(|(_, byte)| *byte);
    Ok(Value::String(part.collect()))
}

/// The values at 1 to the length.
fn items(evaluator: &mut Evaluator, table: &Value) -> Outcome<Vec<Value>> {
    let length = evaluator.length(table)?;
    evaluator.burn(length.cast_unsigned())?;
    let table = evaluator.table(table)?;
    Ok((1..=length).map(|position| table.get(&Value::integer(position))).collect())
}

fn set_items(evaluator: &mut Evaluator, table: &Value, items: Vec<Value>) -> Outcome<()> {
    for (position, item) in (1..).zip(items) {
        evaluator.put(table, &Value::integer(position), item)?;
    }
    Ok(())
}

fn insert(evaluator: &mut Evaluator, table: &Value, arguments: &[Value]) -> Outcome<Value> {
    let (position, value) = match arguments {
        [_, value] => (None, value),
        [_, position, value] => (Some(to_integer(position)?), value),
        _ => return Err(TrapCode::ARGUMENTS.into()),
    };
    let mut items = items(evaluator, table)?;
    let end = items.len() as i64 + 1;
    let position = position.unwrap_or(end);
    if !(1..=end).contains(&position) {
        return Err(TrapCode::ARGUMENTS.into());
    }
    items.insert(usize::try_from(position - 1).unwrap_or(0), value.clone());
    // The place behind the last one first: moving goes downwards, so a table never becomes empty on the way.
    for (position, item) in (1..).zip(items).collect::<Vec<_>>().into_iter().rev() {
        evaluator.put(table, &Value::integer(position), item)?;
    }
    Ok(Value::Nil)
}

fn remove(evaluator: &mut Evaluator, table: &Value, position: &Value) -> Outcome<Value> {
    let mut items = items(evaluator, table)?;
    let length = items.len() as i64;
    let position = if position.is_nil() { length } else { to_integer(position)? };
    if length == 0 && position == 0 {
        return Ok(Value::Nil);
    }
    if !(1..=length + 1).contains(&position) {
        return Err(TrapCode::ARGUMENTS.into());
    }
    if position == length + 1 {
        let removed = evaluator.table(table)?.get(&Value::integer(position));
        evaluator.put(table, &Value::integer(position), Value::Nil)?;
        return Ok(removed);
    }
    let removed = items.remove(usize::try_from(position - 1).unwrap_or(0));
    set_items(evaluator, table, items)?;
    evaluator.put(table, &Value::integer(length), Value::Nil)?;
    Ok(removed)
}

/// Numbers by value, those of equal value by kind and sign; strings bytewise.
fn sort(evaluator: &mut Evaluator, table: &Value) -> Outcome<Value> {
    let mut items = items(evaluator, table)?;
    let is_text = |item: &Value| matches!(item, Value::String(_));
    let is_number = |item: &Value| item.is_numeric() && numeric_order(item, item).is_some();
    if items.iter().any(is_text) {
        if !items.iter().all(is_text) {
            return Err(TrapCode::KIND.into());
        }
    } else if !items.iter().all(is_number) {
        return Err(TrapCode::KIND.into());
    }
    let kind = |item: &Value| match item {
        Value::Float(float) if float.is_negative() => 1,
        Value::Float(_) => 2,
        Value::Fixed(_) => 3,
        _ => 0,
    };
    items.sort_by(|a, b| match (a, b) {
        (Value::String(a), Value::String(b)) => a.cmp(b),
        _ => numeric_order(a, b).unwrap_or(Ordering::Equal).then(kind(a).cmp(&kind(b))),
    });
    set_items(evaluator, table, items)?;
    Ok(Value::Nil)
}

