//! Networks: each case is asked of a policy with `in_cidr`.

use crate::folder::{File, Folder};
use crate::judge::{Expected, Outcome, Report};
use crate::keep;
use crate::rules::Case;
use kerai_compiler::explain::Examiner;
use kerai_compiler::syntax::policy::{check, tree::Policy};
use kerai_golden::policy::indexed;
use kerai_vm::address::Network;
use kerai_vm::bytecode::Verified;

const POLICY: &str = "id: within\nallow_if: payload.address in_cidr payload.network\n";

pub fn run(folder: &Folder, report: &mut Report) {
    let Ok(policy) = check(POLICY) else { return report.fail("-", "-", "a policy", "diagnostics") };
    let Ok(program) = indexed(&policy) else { return report.fail("-", "-", "a program", "diagnostics") };
    for file in folder.files() {
        match (file.extension(), file.text().lines().next().unwrap_or_default()) {
            ("tsv", header) if header.starts_with("cidr\taddr\texpect") => {
                contains(&file, &policy, &program, report);
            }
            ("tsv", header) if header.starts_with("text_json\t") => valid(&file, report),
            _ => report.note(format!("not run, kerai has no such operation: {}", file.path)),
        }
    }
}

fn contains(file: &File, policy: &Policy, program: &Verified, report: &mut Report) {
    let mut examiner = Examiner::new(policy, program);
    for (line, row) in file.text().lines().enumerate().skip(1) {
        let mut cells = row.split('\t');
        let (Some(network), Some(address), Some(wanted)) = (cells.next(), cells.next(), cells.next()) else { continue };
        let expected = match wanted {
            "error" => Expected::Refuses,
            truth => Expected::Gives(truth.as_bytes().to_vec()),
        };
        report.keep(&file.path, || {
            keep::decided(POLICY, &serde_json::json!({"payload": {"network": network, "address": address}}).to_string())
        });
        let outcome = ask(&mut examiner, network, address);
        let is_alone = !network.contains('/') && Network::parse(network.as_bytes()).is_some();
        let content = Case::Network { is_alone, equals: network == address, has_zone: network.contains('%') };
        report.judge(&file.path, line + 1, &content, &expected, &outcome);
    }
}

/// What the condition comes to: unknown is a refusal to say.
fn ask(examiner: &mut Examiner<'_>, network: &str, address: &str) -> Outcome {
    let heap = examiner.heap();
    let entries = [("network", network), ("address", address)]
        .map(|(name, text)| (heap.string(name.as_bytes()), heap.string(text.as_bytes())));
    let payload = heap.map(&entries);
    let name = heap.string(b"payload");
    let Ok(request) = payload.and_then(|payload| heap.map(&[(name, payload)])) else { return Outcome::Absent };
    match examiner.explain(request) {
        Ok(explanation) if explanation.is_allowed => Outcome::Gave(b"true".to_vec()),
        Ok(explanation) => match explanation.failing.first().map(|failing| failing.truth) {
            Some(Some(false)) => Outcome::Gave(b"false".to_vec()),
            Some(None) => Outcome::Refused("UNKNOWN"),
            other => Outcome::Broken(format!("{other:?}")),
        },
        Err(fault) => Outcome::Broken(fault.to_string()),
    }
}

/// What is an address or a network; bits behind the prefix are taken.
fn valid(file: &File, report: &mut Report) {
    for (line, row) in file.text().lines().enumerate().skip(1) {
        let cells: Vec<&str> = row.split('\t').collect();
        let [text, address, _, network] = cells.as_slice() else { continue };
        let Ok(text) = serde_json::from_str::<String>(text) else { continue };
        let is_valid = *address == "ok" || *network == "ok";
        let expected = if is_valid { Expected::Gives(b"valid".to_vec()) } else { Expected::Refuses };
        let outcome = match Network::parse(text.as_bytes()) {
            Some(_) => Outcome::Gave(b"valid".to_vec()),
            None => Outcome::Refused("UNKNOWN"),
        };
        let prefix = text.split_once('/').map(|(_, prefix)| prefix).unwrap_or_default();
        let is_loose = text.contains('%') || prefix.contains('.') || (prefix.len() > 1 && prefix.starts_with('0'));
        report.judge(&file.path, line + 1, &Case::NetworkText { is_loose }, &expected, &outcome);
    }
}
