//! `json`: values to canonical text and back.

use super::build::Build;
use super::weigh::{Scale, charge_text};
use super::{Call, text};
use crate::encoding::{self, Options};
use crate::execute::Outcome;
use crate::limit;
use crate::meter;
use crate::refusal::Code;
use crate::trap::TrapCode;
use crate::value::Value;

const LONGEST: u64 = limit::DATA_STRING.value;

/// A text is a string, so it may be no longer than one.
const OPTIONS: Options = Options { size: LONGEST as usize, ..Options::CANONICAL };

pub(super) fn encode(call: &mut Call) -> Outcome<Value> {
    let value = call.argument(0);
    view(call, value)
}

/// The canonical text of a value.
pub(super) fn view(call: &mut Call, value: Value) -> Outcome<Value> {
    let mut scale = Scale {
        heap: call.heap,
        meter: call.meter,
        bytes: LONGEST,
        too_long: TrapCode::STRING,
        too_deep: TrapCode::TEXT,
    };
    scale.weigh(value)?;
    let mut out = Vec::new();
    encoding::json::encode(call.heap, value, &OPTIONS, &mut out)
        .map_err(|refusal| if refusal.code == Code::DATA_SIZE { TrapCode::STRING } else { TrapCode::TEXT })?;
    let mut build = Build::new(call.heap, call.meter)?;
    build.push(&out)?;
    Ok(build.finish())
}

pub(super) fn decode(call: &mut Call) -> Outcome<Value> {
    let value = call.argument(0);
    let content = text(call.heap, &value)?;
    charge_text(call.meter, content)?;
    // There is no table without its bracket, and no value without one or a comma before it.
    let count = |marks: &[u8]| content.iter().filter(|byte| marks.contains(byte)).count() as u64;
    let (tables, entries) = (count(b"[{"), count(b"[{,:"));
    call.meter.allocate(meter::TABLE * tables + meter::ENTRY * entries + meter::STRING + content.len() as u64)?;
    let content = content.to_vec();
    encoding::json::decode(call.heap, &content, &OPTIONS).map_err(|_| TrapCode::DOCUMENT)
}
