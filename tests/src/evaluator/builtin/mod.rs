//! The built-ins, each as its row of the table says, written for plainness: an argument is a value, a result is a value,
//! and what is long in the machine for speed or for what it costs is short here.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the arms name the kinds that something is done with, any other is refused alike"
)]

mod convert;
mod digits;
mod format;
mod host;
mod math;
mod operation;
mod order;
mod pattern;
mod search;
mod set;
mod string;
mod table;
mod total;
mod utf8;

pub(super) use convert::put_text;

use super::operator::{to_integer, trap_of};
use super::{Evaluator, Outcome, Value};
use kerai_vm::bytecode::Builtin;
use kerai_vm::number::NumberFault;
use kerai_vm::trap::TrapCode;

/// Built-ins with a part of their meaning from the machine, whose codec, hash and normalization are judged by vectors
/// and models of their own: only what stands around that part is compared here.
pub const FROM_THE_MACHINE: &[Builtin] =
    &[Builtin::JsonEncode, Builtin::JsonDecode, Builtin::EmitJson, Builtin::RandomNext, Builtin::OperationHash];

/// A call: what was given.
struct Given<'g>(&'g [Value]);

impl Given<'_> {
    /// An argument, nil where it was not given.
    fn value(&self, place: usize) -> Value {
        self.0.get(place).cloned().unwrap_or(Value::Nil)
    }

    fn text(&self, place: usize) -> Outcome<std::rc::Rc<[u8]>> {
        match self.0.get(place) {
            Some(Value::String(text)) => Ok(text.clone()),
            _ => Err(TrapCode::KIND.into()),
        }
    }

    /// A text, or none where there is nil.
    fn text_or_none(&self, place: usize) -> Outcome<std::rc::Rc<[u8]>> {
        if self.value(place).is_nil() { Ok([].into()) } else { self.text(place) }
    }

    fn integer(&self, place: usize) -> Outcome<Option<i64>> {
        match self.value(place) {
            Value::Nil => Ok(None),
            value => Ok(Some(to_integer(&value)?)),
        }
    }

    fn wanted_integer(&self, place: usize) -> Outcome<i64> {
        self.integer(place)?.ok_or(TrapCode::KIND.into())
    }

    /// A position, which as far as one can see may lie beyond 64 bits.
    fn position(&self, place: usize, default: i64) -> Outcome<i64> {
        match self.value(place) {
            Value::Nil => Ok(default),
            Value::Number(number) if number.scale() == 0 => {
                Ok(number.coefficient().clamp(i64::MIN.into(), i64::MAX.into()) as i64)
            }
            value => Ok(to_integer(&value)?),
        }
    }

    fn is_true(&self, place: usize) -> bool {
        self.value(place).is_true()
    }
}

/// Where a position lies in a text of a length, both counted from 1; negative from the end.
fn counted(position: i64, length: usize) -> i128 {
    let position = i128::from(position);
    if position < 0 { position + length as i128 + 1 } else { position }
}

/// The part of a text between two positions.
fn part(text: &[u8], from: i64, to: i64) -> &[u8] {
    let first = counted(from, text.len()).max(1);
    let last = counted(to, text.len()).min(text.len() as i128);
    if first > last { &[] } else { text.get(first as usize - 1..last as usize).unwrap_or_default() }
}

fn of<T>(result: Result<T, NumberFault>) -> Outcome<T> {
    result.map_err(|fault| trap_of(fault).into())
}

fn boolean(truth: bool) -> Vec<Value> {
    vec![Value::Bool(truth)]
}

fn string(bytes: impl AsRef<[u8]>) -> Value {
    Value::String(bytes.as_ref().into())
}

/// Calls a built-in, which gives its results.
pub(super) fn call(evaluator: &mut Evaluator, builtin: Builtin, arguments: &[Value]) -> Outcome<Vec<Value>> {
    use Builtin as B;
    if !builtin.takes(arguments.len()) {
        return Err(TrapCode::ARGUMENTS.into());
    }
    let given = &Given(arguments);
    let one = |value: Value| Ok(vec![value]);
    match builtin {
        B::Type => one(Value::text(convert::type_of(&given.value(0)))),
        B::Kind => one(Value::text(convert::kind(evaluator, &given.value(0)))),
        B::ToString => one(convert::to_string(evaluator, &given.value(0))),
        B::ToNumber => convert::to_number(given, false).map(|value| vec![value]),
        B::ToNumberFloat => convert::to_number(given, true).map(|value| vec![value]),
        B::Decimal => one(Value::Number(convert::decimal(&given.value(0))?)),
        B::Float => one(Value::Float(convert::float(&given.value(0))?)),
        B::Fixed => one(Value::Fixed(convert::fixed(&given.value(0))?)),
        B::Count => one(Value::integer(evaluator.table(&given.value(0))?.entries.len() as i64)),
        B::Compare => one(Value::integer(order::compare(evaluator, &given.value(0), &given.value(1), 0)? as i64)),
        B::MathType | B::Floor | B::Ceiling | B::Absolute | B::Maximum | B::Minimum | B::Remainder | B::Parts => {
            math::call(builtin, given)
        }
        B::ToInteger | B::UnsignedLess | B::SquareRoot | B::Exponential | B::Logarithm | B::Sine | B::Cosine => {
            math::call(builtin, given)
        }
        B::Tangent | B::ArcSine | B::ArcCosine | B::ArcTangent | B::Degrees | B::Radians => math::call(builtin, given),
        B::StringLength | B::StringPart | B::StringByte | B::StringChar => string::call(evaluator, builtin, given),
        B::StringRepeat | B::StringReverse | B::StringUpper | B::StringLower => string::call(evaluator, builtin, given),
        B::StringFind => search::find(evaluator, given),
        B::StringMatch => search::captures(evaluator, given),
        B::NextMatch => search::next(evaluator, given, false),
        B::NextReplaced => search::next(evaluator, given, true),
        B::StringReplace => search::replace(evaluator, given),
        B::StringFormat => one(format::format(evaluator, given)?),
        B::Utf8Char | B::Utf8Codepoint | B::Utf8Length | B::Utf8Offset | B::Utf8Next => {
            utf8::call(evaluator, builtin, given)
        }
        B::TableInsert => table::insert(evaluator, given),
        B::TableRemove => table::remove(evaluator, given),
        B::TableConcat => table::concat(evaluator, given),
        B::TableSort => order::sort(evaluator, given),
        B::TablePack => table::pack(evaluator, given),
        B::TableUnpack => table::unpack(evaluator, given),
        B::TableMove => table::shift(evaluator, given),
        B::Values => table::values(evaluator, given),
        B::Sorted => order::sorted(evaluator, given),
        B::NewList => table::list(evaluator, given),
        B::NewSet | B::SetHas | B::SetMembers | B::SetWith | B::SetWithout => set::call(evaluator, builtin, given),
        B::SetUnion | B::SetIntersection | B::SetDifference => set::call(evaluator, builtin, given),
        B::JsonEncode => one(host::to_json(evaluator, &given.value(0))?),
        B::JsonDecode => one(host::of_json(evaluator, &given.text(0)?)?),
        B::Emit => host::emit(evaluator, given),
        B::EmitJson => host::emit_document(evaluator, given),
        B::RandomNew => host::new_random(evaluator, given),
        B::RandomNext => host::next_random(evaluator, given),
        B::TotalField | B::TotalOf | B::TotalEqual | B::TotalLess | B::TotalAtMost | B::TotalAdd | B::TotalSubtract => {
            one(total::call(evaluator, builtin, given))
        }
        B::TotalMultiply | B::TotalDivide | B::TotalFloorDivide | B::TotalModulo | B::TotalIncludes => {
            one(total::call(evaluator, builtin, given))
        }
        B::TotalContains | B::TotalItem | B::TotalStarts | B::TotalEnds | B::TotalMatches | B::TotalWithin => {
            one(total::call(evaluator, builtin, given))
        }
        B::TotalSize | B::TotalLower => one(total::call(evaluator, builtin, given)),
        B::OperationHash => one(operation::hash(evaluator, given)?),
        B::Within => one(operation::within(given)?),
    }
}
