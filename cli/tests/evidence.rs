//! The commands of auditors, as they use them: packs, proofs, differences, traces.

use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A project that was run, in a folder of its own.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let path = std::env::temp_dir().join(format!("kerai-evidence-{}-{name}", std::process::id()));
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/invoices");
        fs::create_dir_all(path.join("folds")).expect("a folder");
        for file in ["kerai.toml", "ops.jsonl", "folds/invoices.lua"] {
            fs::copy(example.join(file), path.join(file)).expect("copied");
        }
        let place = Place(path);
        assert!(place.kerai(&["run", "."]).status.success());
        place
    }

    fn kerai(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_kerai")).args(arguments).current_dir(&self.0).output().expect("it runs")
    }

    /// The same with bytes on standard input.
    fn kerai_with(&self, input: &[u8], arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kerai"));
        let piped = command.args(arguments).current_dir(&self.0).stdin(Stdio::piped());
        let mut child = piped.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
        // Whoever refuses early does not read all of it.
        let _ = child.stdin.take().expect("standard input").write_all(input);
        child.wait_with_output().expect("it ends")
    }

    /// The first line that a command prints as JSON, and its exit code.
    fn json(&self, arguments: &[&str]) -> (Value, Option<i32>) {
        let output = self.kerai(&[arguments, &["--json"]].concat());
        let text = String::from_utf8(output.stdout).expect("text");
        let line = text.lines().next().map(|line| serde_json::from_str(line).expect("JSON"));
        (line.unwrap_or_default(), output.status.code())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What can't be removed is the system's to clean up.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What stands at a pointer; null where nothing does.
fn at<'v>(value: &'v Value, pointer: &str) -> &'v Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

const PATH: &str = "state/finance/invoices.json";

#[test]
fn a_pack_is_checked_without_its_database() {
    let place = Place::new("pack");
    let (packed, code) = place.json(&["pack", "invoices", "-o", "i.pack", "--source", "folds/invoices.lua"]);
    assert_eq!((at(&packed, "/count"), at(&packed, "/rows"), code), (&json!(6), &json!(3), Some(0)));
    fs::remove_dir_all(place.file(".kerai")).expect("gone");
    let (verdict, code) = place.json(&["verify", "i.pack"]);
    assert_eq!(
        (at(&verdict, "/ok"), at(&verdict, "/anchored"), at(&verdict, "/replayed")),
        (&json!(true), &json!(false), &json!(true))
    );
    assert_eq!(
        (at(&verdict, "/checked/ops"), at(&verdict, "/first_divergence"), code),
        (&json!(6), &Value::Null, Some(0))
    );
    let (_, code) = place.json(&["unpack", "i.pack", "-o", "evidence"]);
    assert_eq!(code, Some(0));
    let lines = |name: &str| fs::read_to_string(place.file("evidence").join(name)).expect("a file").lines().count();
    assert_eq!(
        [lines("ops.jsonl"), lines("records.jsonl"), lines("rows.jsonl"), lines("checkpoints.jsonl")],
        [6, 6, 3, 1]
    );
    assert_eq!(place.json(&["unpack", "i.pack", "-o", "evidence"]).1, Some(2), "nothing is written over");
    // One bit of the last op's payload.
    let mut bytes = fs::read(place.file("i.pack")).expect("bytes");
    let place_of = bytes.windows(8).rposition(|window| window == b"2026-002").expect("it is there");
    if let Some(byte) = bytes.get_mut(place_of) {
        *byte ^= 1;
    }
    fs::write(place.file("bad.pack"), bytes).expect("written");
    let (verdict, code) = place.json(&["verify", "bad.pack"]);
    assert_eq!((at(&verdict, "/ok"), code), (&json!(false), Some(1)));
    assert_ne!(at(&verdict, "/first_divergence"), &Value::Null);
    assert_eq!(place.json(&["verify", "none.pack"]).1, Some(2), "no file");
}

#[test]
fn a_changed_row_is_named_with_the_line_that_wrote_it() {
    let place = Place::new("row");
    place.json(&["pack", "invoices", "-o", "i.pack", "--source", "folds/invoices.lua"]);
    let mut bytes = fs::read(place.file("i.pack")).expect("bytes");
    // The amount in the last part with it, which is the row's.
    let place_of = bytes.windows(6).rposition(|window| window == b"amount").expect("it is there");
    if let Some(byte) = bytes.get_mut(place_of + 6) {
        *byte ^= 1;
    }
    fs::write(place.file("bad.pack"), bytes).expect("written");
    let (verdict, _) = place.json(&["verify", "bad.pack"]);
    let found = at(&verdict, "/first_divergence");
    // The end of the file says too that it was changed; the row comes first.
    let computed = at(found, "/computed").as_str().unwrap_or_default();
    assert!(*at(found, "/key/path") == json!(PATH) || computed.contains("byte"), "{found}");
}

#[test]
fn proofs_need_their_file_alone() {
    let place = Place::new("proofs");
    let key = place.json(&["check-proof", "none.proof"]);
    assert_eq!(key.1, Some(2), "no file");
    let cases: [(&[&str], &str); 5] = [
        (&["row", "invoices", PATH, "2026-001"], "row"),
        (&["absent", "invoices", PATH, "2026-009"], "absent"),
        (&["op", "invoices", "5"], "op"),
        (&["consistent", "invoices", "--from", "6"], "consistent"),
        (&["checkpoint", "invoices"], "checkpoint"),
    ];
    for (words, claim) in cases {
        let file = format!("{claim}.proof");
        let (_, code) = place.json(&[&["prove"], words, &["-o", &file]].concat());
        assert_eq!(code, Some(0), "{claim}");
        let (shown, code) = place.json(&["check-proof", &file]);
        assert_eq!(
            (at(&shown, "/claim"), at(&shown, "/anchored"), code),
            (&json!(claim), &json!(false), Some(0)),
            "{shown}"
        );
        let signer = at(&shown, "/checkpoint/signer").as_str().unwrap_or_default().to_owned();
        assert_eq!(at(&place.json(&["check-proof", &file, "--trust", &signer]).0, "/anchored"), &json!(true));
        assert_eq!(place.json(&["check-proof", &file, "--trust", &"0".repeat(64)]).1, Some(1));
    }
    assert_eq!(place.json(&["prove", "row", "invoices", PATH, "2026-009"]).1, Some(1), "there is none");
    assert_eq!(place.json(&["prove", "absent", "invoices", PATH, "2026-001"]).1, Some(1), "it is there");
    let (verdict, _) = place.json(&["verify", "invoices", "--extends", "checkpoint.proof"]);
    assert_eq!((at(&verdict, "/ok"), at(&verdict, "/anchored")), (&json!(true), &json!(true)));
    let mut bytes = fs::read(place.file("row.proof")).expect("bytes");
    if let Some(byte) = bytes.last_mut() {
        *byte ^= 1;
    }
    fs::write(place.file("row.proof"), bytes).expect("written");
    assert_eq!(place.json(&["check-proof", "row.proof"]).1, Some(1));
}

#[test]
fn what_is_redacted_is_never_ok() {
    let place = Place::new("redacted");
    let row = ["--row", PATH, "2026-001"];
    let words = [&["pack", "invoices", "-o", "r.pack", "--redact", "amount"][..], &row].concat();
    assert_eq!(place.json(&words).1, Some(0));
    let (verdict, code) = place.json(&["verify", "r.pack"]);
    assert_eq!((at(&verdict, "/ok"), at(&verdict, "/replayed"), code), (&json!(false), &json!(false), Some(1)));
    assert_eq!((at(&verdict, "/first_divergence"), at(&verdict, "/checked/proofs")), (&Value::Null, &json!(1)));
    assert_eq!(
        place.json(&["pack", "invoices", "-o", "n.pack", "--redact", "nothing"]).1,
        Some(1),
        "nothing is hidden"
    );
    assert!(!place.file("n.pack").exists() && !place.file("n.pack.part").exists(), "nothing is left behind");
}

#[test]
fn differences_and_traces_name_what_changes() {
    let place = Place::new("diff");
    let text = fs::read_to_string(place.file("folds/invoices.lua")).expect("a source");
    fs::write(place.file("new.lua"), text.replace("\"approved\"", "\"done\"")).expect("written");
    let (found, code) = place.json(&["diff", "folds/invoices.lua", "new.lua", "--over", "invoices"]);
    let changes = at(&found, "/changes").as_array().cloned().unwrap_or_default();
    let changed: Vec<&Value> = changes.iter().map(|change| at(change, "/key")).collect();
    assert_eq!((changed, code), (vec![&json!("2026-001")], Some(1)));
    assert_eq!(changes.first().map(|change| at(change, "/after/status")), Some(&json!("done")));
    let same = place.json(&["diff", "folds/invoices.lua", "folds/invoices.lua", "--over", "invoices"]);
    assert_eq!((at(&same.0, "/equal"), same.1), (&json!(true), Some(0)));
    let (found, _) = place.json(&["diff", "invoices@3", "invoices"]);
    assert_eq!(at(&found, "/changes").as_array().map(Vec::len), Some(2));
    let (found, _) = place.json(&["diff", "folds/invoices.lua", "new.lua"]);
    assert_eq!((at(&found, "/equal"), at(&found, "/added").as_array().map(Vec::len)), (&json!(false), Some(1)));
    let (traced, code) = place.json(&["trace", "3", "--key", PATH, "2026-001"]);
    assert_eq!((at(&traced, "/op"), code), (&json!(3), Some(0)));
    let source = at(&traced, "/written/source").as_str().unwrap_or_default();
    assert!(source.contains("`step`") && source.contains("invoices.lua:"), "{source}");
    assert_eq!(at(&traced, "/rows").as_array().map(Vec::len), Some(1));
    assert_eq!(place.json(&["trace", "5"]).1, Some(1), "it was denied");
    assert_eq!(place.json(&["trace", "99"]).1, Some(2), "there is none");
    place.json(&["pack", "invoices", "-o", "i.pack"]);
    let (header, code) = place.json(&["show", "i.pack"]);
    assert_eq!((at(&header, "/part"), code), (&json!("header"), Some(0)));
    place.json(&["prove", "checkpoint", "invoices"]);
    assert_eq!(at(&place.json(&["show", "checkpoint.proof"]).0, "/kind"), &json!("proof"));
    let ops = place.kerai(&["stream", "ops", "invoices"]).stdout;
    let first = ops.split(|&byte| byte == b'\n').next().unwrap_or_default();
    fs::write(place.file("op.json"), first).expect("written");
    let (shown, _) = place.json(&["show", "op.json"]);
    assert_eq!((at(&shown, "/kind"), at(&shown, "/verifies")), (&json!("op"), &json!(true)));
}

#[test]
fn a_rollback_and_a_foreign_pack_are_refused() {
    let (place, other) = (Place::new("mine"), Place::new("theirs"));
    assert_eq!(place.json(&["pack", "invoices", "-o", "early.pack"]).1, Some(0));
    place.json(&["prove", "checkpoint", "invoices", "-o", "early.proof"]);
    let late = "{\"ulid\":\"01HZ0000000000000000000099\",\"type\":\"intent.exec.insert_invoice\",\
                \"resource\":\"gatos://r/journal/finance/x\",\"payload\":{\"id\":\"2026-009\",\"amount\":1}}\n";
    fs::write(place.file("late.jsonl"), late).expect("written");
    assert_eq!(place.json(&["append", "invoices", "late.jsonl"]).1, Some(0));
    assert_eq!(place.json(&["materialize", "invoices"]).1, Some(0));
    assert_eq!(place.json(&["pack", "invoices", "-o", "late.pack"]).1, Some(0));
    place.json(&["prove", "checkpoint", "invoices", "-o", "late.proof"]);
    let verdict = |words: &[&str]| {
        let (verdict, code) = place.json(&[&["verify"], words].concat());
        let computed = at(&verdict, "/first_divergence/computed").as_str().unwrap_or_default().to_owned();
        (at(&verdict, "/anchored") == &json!(true), computed, code)
    };
    for known in ["early.pack", "early.proof", "late.pack", "late.proof"] {
        assert_eq!(verdict(&["late.pack", "--extends", known]), (true, String::new(), Some(0)), "{known}");
        assert_eq!(verdict(&["invoices", "--extends", known]), (true, String::new(), Some(0)), "{known}");
    }
    for known in ["late.pack", "late.proof"] {
        let (is_anchored, computed, code) = verdict(&["early.pack", "--extends", known]);
        assert!(!is_anchored && computed.contains("rolled back") && code == Some(1), "{computed}");
    }
    // Somebody else's, made in the same way with keys of the same names: it agrees with itself.
    other.json(&["pack", "invoices", "-o", "theirs.pack"]);
    let theirs = other.file("theirs.pack").display().to_string();
    assert_eq!(verdict(&[&theirs]), (false, String::new(), Some(0)));
    let (is_anchored, computed, code) = verdict(&[&theirs, "--extends", "early.pack"]);
    assert!(!is_anchored && computed == "another stream" && code == Some(1), "{computed}");
    let stream =
        |pack: &str| at(&place.json(&["show", pack]).0, "/content/stream").as_str().unwrap_or_default().to_owned();
    let mine = stream("early.pack");
    assert_ne!(mine, stream(&theirs));
    assert_eq!(verdict(&["early.pack", "--trust", &mine]), (true, String::new(), Some(0)));
    let (is_anchored, computed, code) = verdict(&[&theirs, "--trust", &mine]);
    assert!(!is_anchored && computed.starts_with("neither") && code == Some(1), "{computed}");
}

#[test]
fn a_pack_comes_by_a_pipe() {
    let place = Place::new("pipe");
    place.json(&["pack", "invoices", "-o", "i.pack"]);
    let bytes = fs::read(place.file("i.pack")).expect("bytes");
    let json = |output: &Output| -> Value {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().next().map(|line| serde_json::from_str(line).expect("JSON")).unwrap_or_default()
    };
    let verified = place.kerai_with(&bytes, &["verify", "-", "--json"]);
    assert_eq!((at(&json(&verified), "/ok"), verified.status.code()), (&json!(true), Some(0)));
    let cut = bytes.get(..bytes.len() / 2).unwrap_or_default();
    for wrong in [cut, b"", b"no pack"] {
        let refused = place.kerai_with(wrong, &["verify", "-", "--json"]);
        let said = json(&refused);
        let computed = at(&said, "/first_divergence/computed").as_str().unwrap_or_default();
        assert!(computed.contains("byte ") && refused.status.code() == Some(1), "{said}");
    }
    let shown = place.kerai_with(&bytes, &["show", "-", "--json"]);
    assert_eq!((at(&json(&shown), "/part"), shown.status.code()), (&json!("header"), Some(0)));
    let shown = place.kerai_with(b"{\"a\":1}", &["show", "-", "--json"]);
    assert_eq!((at(&json(&shown), "/kind"), shown.status.code()), (&json!("document"), Some(0)));
    let traced = place.kerai_with(&bytes, &["trace", "3", "--in", "-", "--json"]);
    assert_eq!((at(&json(&traced), "/op"), traced.status.code()), (&json!(3), Some(0)));
}

#[test]
fn a_closed_epoch_is_checked_in_a_pack() {
    let place = Place::new("epochs");
    let more = |number: u32| {
        let line = format!(
            "{{\"ulid\":\"01K000000000000000000000{number:02}\",\"type\":\"intent.exec.insert_invoice\",\
             \"payload\":{{\"id\":\"2026-1{number:02}\",\"amount\":{number}}}}}\n"
        );
        fs::write(place.file("more.jsonl"), line).expect("written");
        assert_eq!(place.json(&["append", "invoices", "more.jsonl"]).1, Some(0));
        assert_eq!(place.json(&["materialize", "invoices"]).1, Some(0));
    };
    for number in [71, 72] {
        assert_eq!(place.json(&["epoch", "new", "invoices"]).1, Some(0));
        more(number);
    }
    assert_eq!(place.json(&["pack", "invoices", "-o", "i.pack"]).1, Some(0));
    let (verdict, code) = place.json(&["verify", "i.pack"]);
    assert_eq!((at(&verdict, "/ok"), at(&verdict, "/checked/checkpoints"), code), (&json!(true), &json!(3), Some(0)));
}

#[test]
fn bundles_are_told_apart_by_program() {
    let place = Place::new("bundles");
    let rules = |reason: &str, condition: &str| format!("id: open\nreason: {reason}\nallow_if: \"{condition}\"\n");
    fs::create_dir_all(place.file("built/policies")).expect("a folder");
    fs::copy(place.file("folds/invoices.lua"), place.file("built/invoices.lua")).expect("copied");
    fs::write(place.file("built/policies/open.rgs"), rules("all may", "actor == 'clerk'")).expect("written");
    let build = |file: &str| place.json(&["build", "built", "--bundle", file]);
    let (built, code) = build("one.bundle");
    assert_eq!(code, Some(0), "{built}");
    assert_eq!(place.json(&["diff", "one.bundle", "one.bundle"]).1, Some(0));
    fs::write(place.file("built/policies/open.rgs"), rules("one may", "actor == 'guest'")).expect("written");
    fs::copy(place.file("folds/invoices.lua"), place.file("built/more.lua")).expect("copied");
    assert_eq!(build("two.bundle").1, Some(0));
    let (found, code) = place.json(&["diff", "one.bundle", "two.bundle"]);
    assert_eq!((at(&found, "/equal"), code), (&json!(false), Some(1)));
    let paths: Vec<&Value> =
        at(&found, "/programs").as_array().into_iter().flatten().map(|one| at(one, "/path")).collect();
    assert_eq!(paths, [&json!("more.lua"), &json!("policies/open.rgs")]);
    assert_eq!((at(&found, "/programs/0/before"), at(&found, "/programs/0/kind")), (&Value::Null, &json!("fold")));
    assert_eq!(at(&found, "/programs/1/rules"), &json!(["open"]));
    assert!(at(&found, "/programs/1/added").as_array().is_some_and(|lines| !lines.is_empty()), "{found}");
    assert_eq!(place.json(&["diff", "one.bundle", "folds/invoices.lua"]).1, Some(1), "a bundle and a program");
}
