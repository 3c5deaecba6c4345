//! What folds ask of operations.

use super::Given;
use crate::evaluator::{Evaluator, Outcome, ROW, Stop, Value, encode};
use kerai_golden::policy::naive;
use kerai_vm::encoding::root::{Context, Root};
use kerai_vm::trap::TrapCode;

pub(super) fn hash(evaluator: &Evaluator, given: &Given) -> Outcome<Value> {
    let mut content = vec![0x83];
    for part in given.0 {
        content.extend(encode(&evaluator.tables, part, ROW).ok_or(Stop::Trap(TrapCode::TEXT))?);
    }
    let root = Root::of_data(Context::Order, &content);
    Ok(Value::text(root.to_string().trim_start_matches("blake3:")))
}

pub(super) fn within(given: &Given) -> Outcome<Value> {
    let form = given.text(1)?;
    let Value::String(resource) = given.value(0) else { return Ok(Value::Bool(false)) };
    let path = resource.strip_prefix(b"gatos://").and_then(|rest| {
        let mut parts = rest.splitn(2, |&byte| byte == b'/');
        parts.next().filter(|repository| !repository.is_empty())?;
        parts.next().filter(|path| !path.is_empty())
    });
    let segments = |text| <[u8]>::split(text, |&byte| byte == b'/').collect::<Vec<_>>();
    Ok(Value::Bool(path.is_some_and(|path| naive::is_of_form(&segments(path), &segments(&form)))))
}
