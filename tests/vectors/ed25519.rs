//! Ed25519: keys, signatures that are deterministic, and the one rule by which they verify.

use crate::folder::{File, Folder, from_hex, to_hex};
use crate::judge::Report;
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use kerai_store::op::signature::{SecretKey, verify_message};

pub fn run(folder: &Folder, report: &mut Report) {
    for file in folder.files() {
        match (file.extension(), serde_json::from_slice::<serde_json::Value>(&file.content)) {
            ("input", _) => signing(&file, report),
            ("json", Ok(serde_json::Value::Array(cases))) => edges(&file, &cases, report),
            ("json", Ok(content)) if content.get("testGroups").is_some() => groups(&file, &content, report),
            _ => report.note(format!("not run: {}", file.path)),
        }
    }
}

fn hex(value: &serde_json::Value, name: &str) -> Vec<u8> {
    value.get(name).and_then(serde_json::Value::as_str).and_then(from_hex).unwrap_or_default()
}

/// Lines of `secret‖public : public : message : signature‖message`: the key, the signature, and that it verifies.
fn signing(file: &File, report: &mut Report) {
    for (line, row) in file.text().lines().enumerate() {
        let cells: Vec<Vec<u8>> = row.split(':').filter_map(from_hex).collect();
        let [secret, public, message, signed, ..] = cells.as_slice() else {
            report.fail(&file.path, line + 1, "four cells", row);
            continue;
        };
        let Some(seed) = secret.first_chunk::<32>() else {
            report.fail(&file.path, line + 1, "a secret of 32 bytes", row);
            continue;
        };
        let key = SecretKey::from_seed(seed);
        let signature = key.sign_message(message);
        let expected = (to_hex(public), to_hex(signed), true);
        let whole = [signature.as_slice(), message].concat();
        let got = (to_hex(&key.public()), to_hex(&whole), verify_message(message, &key.public(), &signature));
        report.equal(&file.path, line + 1, &expected, &got);
    }
}

/// Whether the rule takes the signature; one of another length than 64 bytes is none.
fn accepts(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    match (key.try_into(), signature.try_into()) {
        (Ok(key), Ok(signature)) => verify_message(message, key, signature),
        _ => false,
    }
}

/// Groups of one key: each case says whether its signature is valid.
fn groups(file: &File, content: &serde_json::Value, report: &mut Report) {
    let list = |value: &serde_json::Value, name: &str| {
        value.get(name).and_then(serde_json::Value::as_array).cloned().unwrap_or_default()
    };
    for group in list(content, "testGroups") {
        let key = group.get("publicKey").map(|key| hex(key, "pk")).unwrap_or_default();
        for case in list(&group, "tests") {
            let name = case.get("tcId").map(ToString::to_string).unwrap_or_default();
            let is_valid = match case.get("result").and_then(serde_json::Value::as_str) {
                Some("valid") => true,
                Some("invalid") => false,
                other => {
                    report.fail(&file.path, name, "`valid` or `invalid`", format!("{other:?}"));
                    continue;
                }
            };
            let got = accepts(&key, &hex(&case, "msg"), &hex(&case, "sig"));
            report.equal(&file.path, name, &is_valid, &got);
        }
    }
}

/// Edge cases on which verifiers disagree. They carry no verdicts, so that each is judged by its content: what a lenient
/// verifier without cofactor takes, kerai takes too unless key or R is of small order or not in its one form.
fn edges(file: &File, cases: &[serde_json::Value], report: &mut Report) {
    for (number, case) in cases.iter().enumerate() {
        let (key, message, signature) = (hex(case, "pub_key"), hex(case, "message"), hex(case, "signature"));
        let (Ok(key), Ok(signature)) = (<[u8; 32]>::try_from(key), <[u8; 64]>::try_from(signature)) else {
            report.fail(&file.path, number, "a key and a signature", "other lengths");
            continue;
        };
        let (expected, mixed) = strict(&key, &message, &signature);
        report.equal(&file.path, number, &expected, &accepts(&key, &message, &signature));
        if expected && mixed {
            report.note(format!("accepted by rule `mixed-order`: case {number}, whose key is of mixed order"));
        }
    }
}

/// What the rule says of a signature, computed another way: by the lenient verifier, and points taken apart. Also whether
/// the key has a part of small order beside its main one.
fn strict(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> (bool, bool) {
    let first: [u8; 32] = std::array::from_fn(|place| signature.get(place).copied().unwrap_or_default());
    let point = |encoding: &[u8; 32]| {
        let point = VerifyingKey::from_bytes(encoding).ok()?;
        let is_canonical = point.to_edwards().compress().to_bytes() == *encoding;
        (is_canonical && !point.is_weak()).then_some(point)
    };
    let (Some(key), Some(_)) = (point(key), point(&first)) else { return (false, false) };
    let is_taken = key.verify(message, &Signature::from_bytes(signature)).is_ok();
    (is_taken, !key.to_edwards().is_torsion_free())
}
