//! What folds ask of operations: where one stands in the order `ulid`, and whether it is addressed to them.

use super::weigh::Scale;
use super::{Call, build::Build, text};
use crate::encoding::root::{Context, Root};
use crate::encoding::{Options, cbor};
use crate::execute::Outcome;
use crate::glob;
use crate::limit;
use crate::trap::TrapCode;
use crate::value::Value;

/// How a resource begins; the repository follows, which no glob speaks of.
const SCHEME: &[u8] = b"gatos://";

/// Bytes that most operations don't pass: room for them is asked for once.
const USUAL: usize = 512;

/// The hash of type, resource and payload, by which operations with one ULID are ordered, in hexadecimal.
pub(super) fn hash(call: &mut Call) -> Outcome<Value> {
    let parts = [call.argument(0), call.argument(1), call.argument(2)];
    let bytes = limit::DATA_SIZE.value;
    let mut scale =
        Scale { heap: call.heap, meter: call.meter, bytes, too_long: TrapCode::STRING, too_deep: TrapCode::TEXT };
    parts.iter().try_for_each(|&part| scale.weigh(part))?;
    let mut content = Vec::with_capacity(USUAL);
    content.push(0x83);
    for part in parts {
        cbor::encode(call.heap, part, &Options::CANONICAL, &mut content).map_err(|_| TrapCode::TEXT)?;
    }
    call.meter.charge_bytes(content.len())?;
    let mut build = Build::new(call.heap, call.meter)?;
    let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' + half - 10 };
    let root = Root::of_data(Context::Order, &content);
    let mut digits = [0; 64];
    for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(root.bytes()) {
        *pair = [digit(byte >> 4), digit(byte & 15)];
    }
    if build.meter.affords(digits.len() as u64, digits.len() as u64) {
        build.push(&digits)?;
        return Ok(build.finish());
    }
    // Two digits cost no gas but at every sixteenth byte: where it ends is told apart by pairs.
    for pair in digits.as_chunks::<2>().0 {
        build.push(pair)?;
    }
    Ok(build.finish())
}

/// Whether a resource's namespace and path lie within a glob; what is no resource lies nowhere.
pub(super) fn within(call: &mut Call) -> Outcome<Value> {
    let (resource, form) = (call.argument(0), call.argument(1));
    let form = text(call.heap, &form)?;
    let resource = call.heap.as_string(&resource).unwrap_or_default();
    let path = resource.strip_prefix(SCHEME).and_then(|rest| {
        let end = rest.iter().position(|&byte| byte == b'/')?;
        rest.get(end + 1..).filter(|path| end > 0 && !path.is_empty())
    });
    let Some(path) = path else { return Ok(Value::bool(false)) };
    let segments = |text: &[u8]| 1 + text.iter().filter(|&&byte| byte == b'/').count() as u64;
    call.meter.charge_bytes(path.len() + form.len())?;
    call.meter.charge(segments(path).saturating_mul(segments(form)))?;
    Ok(Value::bool(glob::matches(path, form)))
}
