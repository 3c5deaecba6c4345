//! JSON Patch as a fold: a patch is an operation, and one that does not apply leaves the document as it was.

use super::{event, program, rows, ulid};
use crate::folder::Folder;
use crate::judge::Report;
use crate::keep;
use kerai_compiler::Language;
use kerai_vm::bytecode::{Limits, Verified};
use kerai_vm::fold::Folding;
use serde_json::{Map, Value as Json, json};

pub fn run(folder: &Folder, report: &mut Report) {
    let fold = match program(Language::Lua, include_str!("patch.lua")) {
        Ok(fold) => fold,
        Err(why) => return report.fail("-", "-", "a fold", why),
    };
    for file in folder.files().iter().filter(|file| file.extension() == "json") {
        let Ok(Json::Array(cases)) = serde_json::from_str(&file.text()) else {
            report.fail(&file.path, "-", "a list of cases", "none");
            continue;
        };
        for (number, case) in cases.iter().enumerate().filter(|(_, case)| case.get("doc").is_some()) {
            if case.get("disabled").is_some_and(|disabled| disabled == true) {
                report.note("disabled cases, not run");
                continue;
            }
            // A case that says neither only asks for a patch that applies.
            let wanted = case.get("expected").or(case.get("error").map(|_| &case["doc"]));
            let operations = operations(&case["doc"], &case["patch"]);
            report.keep(&file.path, || keep::folded("lua", include_str!("patch.lua"), &operations));
            match patched(&fold, &operations) {
                Ok((document, applied)) => {
                    report.equal(&file.path, number, &case.get("error").is_none(), &applied);
                    if let Some(wanted) = wanted {
                        report.equal(&file.path, number, wanted, &document);
                    }
                }
                Err(why) => report.fail(&file.path, number, format!("{wanted:?}"), why),
            }
        }
    }
}

/// A document and then a patch of it as operations.
fn operations(document: &Json, patch: &Json) -> [String; 2] {
    let changes: Vec<Json> = patch.as_array().into_iter().flatten().map(boxed_value).collect();
    let payloads = [json!({ "document": boxed(document) }), json!({ "patch": changes })];
    [0, 1].map(|number| event(&ulid(number, number), &payloads[number as usize]))
}

/// The document after a patch, and whether it applied.
fn patched(fold: &Verified, operations: &[String]) -> Result<(Json, bool), String> {
    let mut folding = Folding::new(fold, 1, Limits::DEFAULT).map_err(|fault| format!("{fault:?}"))?;
    let mut applied = true;
    for operation in operations {
        folding.offer_json(operation.as_bytes()).map_err(|refusal| refusal.to_string())?;
        applied = !matches!(folding.step(), Some(Err(_)));
    }
    let rows = rows(&mut folding)?;
    let document = rows.get(&("document".to_owned(), String::new())).ok_or("no document")?;
    Ok((unboxed(document), applied))
}

/// A change whose value, if it has one, is in boxes.
fn boxed_value(change: &Json) -> Json {
    let mut change = change.clone();
    if let Some(value) = change.get("value").cloned() {
        change["value"] = boxed(&value);
    }
    change
}

/// A document in boxes: nil in a table is nothing, and an empty list is like an empty map, but a box says which it is.
fn boxed(value: &Json) -> Json {
    match value {
        Json::Array(items) => json!({ "list": items.iter().map(boxed).collect::<Vec<_>>() }),
        Json::Object(fields) => {
            let fields: Map<String, Json> = fields.iter().map(|(name, value)| (name.clone(), boxed(value))).collect();
            json!({ "map": fields })
        }
        Json::Null => json!({ "kind": "null" }),
        Json::Bool(_) | Json::Number(_) | Json::String(_) => json!({ "value": value }),
    }
}

fn unboxed(value: &Json) -> Json {
    if let Some(items) = value.get("list").and_then(Json::as_array) {
        return items.iter().map(unboxed).collect();
    }
    if let Some(fields) = value.get("map").and_then(Json::as_object) {
        return Json::Object(fields.iter().map(|(name, value)| (name.clone(), unboxed(value))).collect());
    }
    value.get("value").cloned().unwrap_or_default()
}
