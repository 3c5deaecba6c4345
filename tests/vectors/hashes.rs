//! SHA-256, which programs hash with, and BLAKE3, which data hashes with.

use crate::folder::{File, Folder, from_hex, to_hex};
use crate::judge::Report;
use crate::keep;
use kerai_vm::encoding::root::{Context, Root};

pub fn run(folder: &Folder, report: &mut Report) {
    for file in folder.files() {
        match file.extension() {
            "rsp" | "txt" => sha_256(&file, report),
            "json" => match serde_json::from_slice::<serde_json::Value>(&file.content) {
                Ok(content) if content.get("context_string").is_some() => blake_3(&file, &content, report),
                _ => report.note(format!("not run, kerai has no such operation: {}", file.path)),
            },
            _ => report.note(format!("not run: {}", file.path)),
        }
    }
}

fn sha(message: &[u8]) -> Vec<u8> {
    Root::of_program(message).bytes().to_vec()
}

/// Lines of `Name = value`: messages with digests, or the checkpoints of a chain from a seed.
fn sha_256(file: &File, report: &mut Report) {
    let (mut bits, mut message, mut chain): (Option<usize>, Vec<u8>, Option<Vec<u8>>) = (None, Vec::new(), None);
    for (line, row) in file.text().lines().enumerate() {
        let Some((name, value)) = row.split_once('=') else { continue };
        let (name, value) = (name.trim().trim_start_matches('['), value.trim().trim_end_matches(']'));
        let bytes = || from_hex(value).unwrap_or_default();
        if matches!(name, "MD" | "MDi") {
            // The program that holds the message has a root by the same hash.
            report.keep_expression(&file.path, keep::EXACT, || Some(keep::text(&message)));
        }
        match (name, &chain) {
            ("L", _) if value != "32" => return report.note(format!("not run, no SHA-256: {}", file.path)),
            ("Len", _) => bits = value.parse().ok(),
            ("Msg" | "M", _) => message = bytes(),
            ("Seed", _) => chain = Some(bytes()),
            ("MDi", _) => report.equal(&file.path, line + 1, &value.to_lowercase(), &to_hex(&sha(&message))),
            ("MD", None) => {
                // A message of no bits is written as one zero byte.
                message.truncate(bits.map_or(usize::MAX, |bits| bits / 8));
                report.equal(&file.path, line + 1, &value.to_lowercase(), &to_hex(&sha(&message)));
            }
            ("MD", Some(seed)) => {
                let link = thousandth(seed);
                report.equal(&file.path, line + 1, &value.to_lowercase(), &to_hex(&link));
                chain = Some(link);
            }
            _ => {}
        }
    }
}

/// A byte string as CBOR, whose root is a hash of it.
fn byte_string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or_default();
    let head = match length {
        0..24 => vec![0x40 | length.to_be_bytes()[3]],
        24..256 => vec![0x58, length.to_be_bytes()[3]],
        256..65536 => [&[0x59], &length.to_be_bytes()[2..]].concat(),
        _ => [&[0x5a], length.to_be_bytes().as_slice()].concat(),
    };
    [head.as_slice(), bytes].concat()
}

/// The Monte Carlo test's inner loop: each message is the last three digests.
fn thousandth(seed: &[u8]) -> Vec<u8> {
    let mut last = [seed.to_vec(), seed.to_vec(), seed.to_vec()];
    for _ in 0..1000 {
        let digest = sha(&last.concat());
        last.rotate_left(1);
        if let Some(slot) = last.last_mut() {
            *slot = digest;
        }
    }
    last.last().cloned().unwrap_or_default()
}

/// The vectors' context is none of kerai's, so they check the crate, and each of kerai's contexts is then held to the crate.
fn blake_3(file: &File, content: &serde_json::Value, report: &mut Report) {
    let context = content.get("context_string").and_then(serde_json::Value::as_str).unwrap_or_default();
    let cases = content.get("cases").and_then(serde_json::Value::as_array);
    for case in cases.into_iter().flatten() {
        let length = case.get("input_len").and_then(serde_json::Value::as_u64).unwrap_or(0);
        let input: Vec<u8> = (0..length).map(|position| (position % 251).to_le_bytes()[0]).collect();
        report.keep(&file.path, || keep::document("cbor", &byte_string(&input)));
        let cell = |name: &str| case.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let extended = |hasher: &mut blake3::Hasher, length: usize| {
            let mut out = vec![0; length];
            hasher.update(&input).finalize_xof().fill(&mut out);
            to_hex(&out)
        };
        let hash = cell("hash");
        report.equal(
            &file.path,
            format!("hash of {length}"),
            &hash,
            &extended(&mut blake3::Hasher::new(), hash.len() / 2),
        );
        let derived = cell("derive_key");
        report.equal(
            &file.path,
            format!("derive_key of {length}"),
            &derived,
            &extended(&mut blake3::Hasher::new_derive_key(context), derived.len() / 2),
        );
        for &ours in Context::ALL {
            let name = format!("{} of {length}", ours.name());
            report.equal(
                &file.path,
                name,
                &to_hex(&blake3::derive_key(ours.name(), &input)),
                &to_hex(Root::of_data(ours, &input).bytes()),
            );
        }
        report.note("keyed_hash not run: kerai derives keys and never hashes with one");
    }
}
