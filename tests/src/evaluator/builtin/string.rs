//! `string` without patterns.

use super::{Given, part, string};
use crate::evaluator::operator::to_integer;
use crate::evaluator::{Evaluator, LONGEST, Outcome, Stop, Value};
use kerai_vm::bytecode::Builtin;
use kerai_vm::trap::TrapCode;

pub(super) fn call(evaluator: &mut Evaluator, builtin: Builtin, given: &Given) -> Outcome<Vec<Value>> {
    if builtin == Builtin::StringChar {
        let bytes: Outcome<Vec<u8>> = given.0.iter().map(byte).collect();
        return Ok(vec![string(bytes?)]);
    }
    let text = given.text(0)?;
    evaluator.burn(text.len() as u64 / 16)?;
    Ok(vec![match builtin {
        Builtin::StringLength => Value::integer(text.len() as i64),
        Builtin::StringPart => {
            let from =
                if given.value(1).is_nil() { return Err(TrapCode::KIND.into()) } else { given.position(1, 1)? };
            string(part(&text, from, given.position(2, -1)?))
        }
        Builtin::StringByte => {
            let from = given.position(1, 1)?;
            let found = part(&text, from, given.position(2, from)?);
            return Ok(found.iter().map(|&byte| Value::integer(byte.into())).collect());
        }
        Builtin::StringRepeat => return repeat(evaluator, &text, given),
        Builtin::StringReverse => string(text.iter().rev().copied().collect::<Vec<u8>>()),
        Builtin::StringUpper => string(text.to_ascii_uppercase()),
        _ => string(text.to_ascii_lowercase()),
    }])
}

fn byte(value: &Value) -> Outcome<u8> {
    u8::try_from(to_integer(value)?).map_err(|_| TrapCode::ARGUMENTS.into())
}

fn repeat(evaluator: &mut Evaluator, text: &[u8], given: &Given) -> Outcome<Vec<Value>> {
    let between = given.text_or_none(2)?;
    let times = if given.value(1).is_nil() { return Err(TrapCode::KIND.into()) } else { given.position(1, 0)? };
    if times <= 0 || text.len() + between.len() == 0 {
        return Ok(vec![string([])]);
    }
    if i128::from(times) * (text.len() + between.len()) as i128 > LONGEST as i128 {
        return Err(Stop::Unknown);
    }
    evaluator.burn(times.cast_unsigned())?;
    let mut out = text.to_vec();
    for _ in 1..times {
        out.extend_from_slice(&between);
        out.extend_from_slice(text);
    }
    Ok(vec![string(out)])
}
