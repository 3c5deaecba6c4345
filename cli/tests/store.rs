//! The commands that use a store, as a user runs them: output, exit codes, files.

use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder of its own for a test, with a copy of the example in it.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let path = std::env::temp_dir().join(format!("kerai-cli-{}-{name}", std::process::id()));
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/stock");
        fs::create_dir_all(path.join("folds")).expect("a folder");
        for file in ["kerai.toml", "ops.jsonl", "folds/latest.asm"] {
            fs::copy(example.join(file), path.join(file)).expect("copied");
        }
        Place(path)
    }

    fn kerai(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_kerai")).args(arguments).current_dir(&self.0).output().expect("it runs")
    }

    /// What a command prints as JSON, a line each, and its exit code.
    fn json(&self, arguments: &[&str]) -> (Vec<Value>, Option<i32>) {
        let output = self.kerai(&[arguments, &["--json"]].concat());
        let text = String::from_utf8(output.stdout).expect("text");
        let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        (lines.collect(), output.status.code())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What can't be removed is the system's to clean up.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn field<'v>(line: Option<&'v Value>, name: &str) -> &'v Value {
    line.and_then(|line| line.get(name)).unwrap_or(&Value::Null)
}

#[test]
fn a_project_runs_and_runs_again() {
    let place = Place::new("run");
    let (first, code) = place.json(&["run", "."]);
    assert_eq!(code, Some(0));
    let [tally, state, verdict] = first.as_slice() else { panic!("three lines: {first:?}") };
    assert_eq!((&tally["appended"], &tally["denied"], &tally["duplicates"]), (&json!(5), &json!(1), &json!(0)));
    assert_eq!((&state["rows"], &state["count"]), (&json!(3), &json!(7)));
    assert_eq!((&verdict["ok"], &verdict["anchored"]), (&json!(true), &json!(false)));
    let (second, _) = place.json(&["run", "."]);
    assert_eq!(field(second.first(), "duplicates"), &json!(6));
    assert_eq!(field(second.get(1), "state_root"), &state["state_root"]);
    // State depends on the ops alone: not on time, salts or the place.
    let other = Place::new("other");
    assert_eq!(field(other.json(&["run", "."]).0.get(1), "state_root"), &state["state_root"]);
}

/// The same project on a server, where `KERAI_TEST_PG` names one: the same state.
#[test]
fn a_project_runs_on_a_server() {
    let Ok(server) = std::env::var("KERAI_TEST_PG") else {
        println!("without PostgreSQL: KERAI_TEST_PG names no server");
        return;
    };
    let name = format!("kerai_cli_{}", std::process::id());
    let sql = |sql: &str| {
        let done = Command::new("psql").args([&server, "-c", sql]).output().expect("psql runs");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    sql(&format!("CREATE DATABASE {name}"));
    let (path, rest) = server.find('?').map_or((server.as_str(), ""), |at| server.split_at(at));
    let url = format!("{}/{name}{rest}", path.rsplit_once('/').expect("a database").0);
    let (place, file) = (Place::new("server"), Place::new("file"));
    let (lines, code) = place.json(&["run", ".", "--db", &url]);
    assert_eq!((lines.len(), code), (3, Some(0)), "{lines:?}");
    let (expected, _) = file.json(&["run", "."]);
    for root in ["fold_root", "policy_root", "state_root", "count", "rows"] {
        assert_eq!(field(lines.get(1), root), field(expected.get(1), root), "{root}");
    }
    assert!(!place.0.join(".kerai/kerai.db").exists(), "nothing is in a file");
    sql(&format!("DROP DATABASE {name}"));
}

/// An epoch is closed, and nothing goes behind its end.
#[test]
fn epochs_are_closed() {
    let place = Place::new("epoch");
    place.json(&["run", "."]);
    let (closed, code) = place.json(&["epoch", "new", "stock"]);
    assert_eq!((field(closed.first(), "epoch"), field(closed.first(), "count"), code), (&json!(2), &json!(7), Some(0)));
    let late =
        "{\"ulid\":\"00000000000000000000000001\",\"type\":\"stock.set\",\"payload\":{\"item\":\"fig\",\"count\":1}}\n";
    fs::write(place.0.join("late.jsonl"), late).expect("written");
    let (told, code) = place.json(&["append", "stock", "late.jsonl"]);
    assert_eq!((field(told.first(), "rejected"), code), (&json!(1), Some(0)));
    let (verified, code) = place.json(&["verify", "stock"]);
    assert_eq!((field(verified.first(), "ok"), code), (&json!(true), Some(0)));
}

/// What a pack holds of a closed epoch is given up; with the pack, everything is audited as before.
#[test]
fn closed_epochs_are_pruned() {
    let place = Place::new("prune");
    place.json(&["run", "."]);
    let prune = ["epoch", "prune", "stock", "--archive", "a.pack"];
    assert_eq!(place.kerai(&prune).status.code(), Some(2), "there is no such file");
    place.json(&["pack", "stock", "-o", "a.pack"]);
    let refused = place.kerai(&prune);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("EPOCH_OPEN") && said.contains("kerai epoch new"), "{said}");
    place.json(&["epoch", "new", "stock"]);
    fs::write(place.0.join("a.pack"), "no pack").expect("written");
    let refused = place.kerai(&prune);
    assert_eq!(refused.status.code(), Some(1), "it is no pack");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("ARCHIVE_WRONG"));
    place.json(&["pack", "stock", "-o", "a.pack"]);
    let (done, code) = place.json(&prune);
    let done = done.first();
    assert_eq!((field(done, "count"), field(done, "before"), code), (&json!(7), &json!(0), Some(0)));
    let (again, code) = place.json(&prune);
    assert_eq!((field(again.first(), "before"), code), (&json!(7), Some(0)));
    // Everything that was appended is a repeat, and the state goes on.
    let (ran, code) = place.json(&["append", "stock", "ops.jsonl"]);
    assert_eq!((field(ran.first(), "duplicates"), code), (&json!(6), Some(0)));
    let (state, _) = place.json(&["materialize", "stock"]);
    assert_eq!(field(state.first(), "rows"), &json!(3));
    let (verified, code) = place.json(&["verify", "stock"]);
    let verified = verified.first();
    assert_eq!((field(verified, "ok"), field(verified, "pruned"), code), (&json!(false), &json!(7), Some(1)));
    assert_eq!(field(verified, "first_divergence"), &Value::Null);
    let (verified, code) = place.json(&["verify", "stock", "--archive", "a.pack"]);
    assert_eq!((field(verified.first(), "ok"), code), (&json!(true), Some(0)));
    let text = String::from_utf8(place.kerai(&["verify", "stock"]).stdout).expect("text");
    assert!(text.contains("not replayed: the first 7 records were pruned"), "{text}");
    for gone in
        [&["stream", "ops", "stock"][..], &["materialize", "stock", "--at", "3"], &["trace", "3", "--in", "stock"]]
    {
        let refused = place.kerai(gone);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(said.contains("PRUNED") && refused.status.code() == Some(1), "{gone:?}: {said}");
    }
}

#[test]
fn step_by_step() {
    let place = Place::new("steps");
    let (created, code) = place.json(&["stream", "create", "stock"]);
    assert_eq!((field(created.first(), "epoch"), code), (&json!(1), Some(0)));
    let (answers, code) = place.json(&["append", "stock", "ops.jsonl", "--verbose"]);
    let denied = answers.iter().find(|line| line["outcome"] == "denied");
    assert_eq!(
        (field(denied, "code"), field(denied, "rule"), code),
        (&json!("POLICY_DENY"), &json!("default"), Some(0))
    );
    place.json(&["materialize", "stock"]);
    let signed = place.kerai(&["stream", "ops", "stock"]).stdout;
    fs::write(place.0.join("signed.jsonl"), signed).expect("written");
    let (again, code) = place.json(&["ingest", "stock", "signed.jsonl"]);
    assert_eq!((field(again.first(), "duplicates"), code), (&json!(6), Some(0)));
    let (listed, _) = place.json(&["stream", "list"]);
    let stream = field(listed.first(), "stream").as_str().unwrap_or_default().to_owned();
    let (verdict, code) = place.json(&["verify", "stock", "--trust", &stream]);
    assert_eq!((field(verdict.first(), "anchored"), code), (&json!(true), Some(0)));
    let (bound, code) = place.json(&["stream", "bind", "stock", "--policy", "std/owner-only"]);
    assert_eq!((field(bound.first(), "epoch"), code), (&json!(2), Some(0)));
}

#[test]
fn wrong_use_is_told_of() {
    let place = Place::new("wrong");
    let code = |arguments: &[&str]| place.kerai(arguments).status.code();
    assert_eq!(code(&["stream", "create", "other"]), Some(2), "no fold");
    assert_eq!(code(&["stream", "create", "other", "--fold", "ops.jsonl"]), Some(1), "no program");
    assert_eq!(code(&["verify", "none"]), Some(2), "no stream");
    assert_eq!(code(&["verify", "none", "--trust", "me"]), Some(2), "no key");
    assert_eq!(code(&["stream", "list", "--db", "mysql://x"]), Some(2), "no such database");
    assert_eq!(code(&["stream", "create", "stock"]), Some(0));
    assert_eq!(code(&["stream", "create", "stock"]), Some(2), "a second of the name");
    assert_eq!(code(&["append", "stock", "nothing.jsonl"]), Some(2), "no file");
    fs::write(place.0.join("bad.jsonl"), "{\"ulid\":\n").expect("written");
    assert_eq!(code(&["append", "stock", "bad.jsonl"]), Some(1), "a line that is no op");
    assert_eq!(code(&["keys", "new", "keys/a.key"]), Some(0));
    assert_eq!(code(&["keys", "new", "keys/a.key"]), Some(2), "keys are never written over");
    assert_eq!(code(&["init", "."]), Some(2), "a project is there");
    assert_eq!(code(&["init", "new"]), Some(0));
}

#[test]
fn keys_are_replaced() {
    let place = Place::new("rotate");
    let page = "actor = \"keeper\"\n[actors]\nkeeper = \"keeper.key\"\nguest = \"guest.key\"\n\
                [stream.stock]\nfold = \"folds/latest.asm\"\nops = \"ops.jsonl\"\n";
    fs::write(place.0.join("kerai.toml"), page).expect("written");
    for file in ["keeper.key", "guest.key"] {
        assert!(place.kerai(&["keys", "new", file]).status.success());
    }
    let (first, _) = place.json(&["run", "."]);
    let old = place.json(&["keys", "show", "guest.key"]).0;
    // An owner replaces its key, and one who may do nothing else does.
    for actor in ["keeper", "guest"] {
        let (rotated, code) = place.json(&["keys", "rotate", actor]);
        assert_eq!((field(rotated.first(), "ok"), code), (&json!(true), Some(0)), "{actor}");
    }
    let new = place.json(&["keys", "show", "guest.key"]).0;
    assert_ne!(field(old.first(), "public"), field(new.first(), "public"));
    // The same ops again are repeats, though another key signs.
    let (second, code) = place.json(&["run", "."]);
    assert_eq!((field(second.first(), "duplicates"), code), (&json!(6), Some(0)), "{second:?}");
    assert_eq!(field(first.get(1), "state_root"), field(second.get(1), "state_root"));
    assert_eq!(field(second.get(2), "ok"), &json!(true));
    // Where nothing is left to do, nothing is done to the stream.
    assert_eq!(place.json(&["keys", "rotate", "guest"]).1, Some(0));
    assert_eq!(place.json(&["keys", "rotate", "nobody"]).1, Some(2));
}

#[test]
fn state_is_followed_and_shown_as_it_was() {
    let place = Place::new("follow");
    assert!(place.kerai(&["stream", "create", "stock"]).status.success());
    let mut command = Command::new(env!("CARGO_BIN_EXE_kerai"));
    let command = command.args(["materialize", "stock", "--follow", "--json"]).current_dir(&place.0);
    let mut follower = command.stdout(Stdio::piped()).spawn().expect("it runs");
    let lines = BufReader::new(follower.stdout.take().expect("its output")).lines();
    let mut lines = lines.map(|line| serde_json::from_str::<Value>(&line.expect("a line")).expect("JSON"));
    assert_eq!(field(lines.next().as_ref(), "count"), &json!(1));
    place.json(&["append", "stock", "ops.jsonl"]);
    let followed = lines.next();
    follower.kill().expect("ended");
    follower.wait().expect("gone");
    assert_eq!(field(followed.as_ref(), "count"), &json!(7));
    let (last, _) = place.json(&["materialize", "stock", "--at", "7"]);
    assert_eq!(field(last.first(), "state_root"), field(followed.as_ref(), "state_root"));
    assert_eq!(last.len(), 4, "the roots and three rows");
    let (first, code) = place.json(&["materialize", "stock", "--at", "2"]);
    assert_eq!((first.len(), code), (2, Some(0)), "one op was there, one row");
    assert_eq!(field(first.get(1), "path"), &json!("stock"));
    for count in ["0", "8"] {
        assert_eq!(place.kerai(&["materialize", "stock", "--at", count]).status.code(), Some(2), "{count}");
    }
}

#[test]
fn a_stream_is_bound_from_signed_bundles_and_never_back() {
    let place = Place::new("bundle");
    fs::create_dir_all(place.0.join("built")).expect("a folder");
    let rules = |text: &str| fs::write(place.0.join("built/own.rgs"), text).expect("written");
    let allows = "id: all\nreason: first\nallow_if: 'true'\n";
    rules(allows);
    assert_eq!(place.json(&["init", "keyed"]).1, Some(0));
    let key = "keyed/keys/owner.key";
    let text = fs::read_to_string(place.0.join("kerai.toml")).expect("read");
    fs::write(place.0.join("kerai.toml"), text.replace("keeper = \"test\"", "keeper = \"keyed/keys/owner.key\""))
        .expect("written");
    assert_eq!(place.json(&["stream", "create", "stock"]).1, Some(0));
    let build = |file: &str, more: &[&str]| place.json(&[&["build", "built", "--bundle", file], more].concat());
    let bind = |file: &str| {
        let output = place.kerai(&["stream", "bind", "stock", "--bundle", file]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (built, code) = build("one.bundle", &["--sign", key]);
    assert_eq!((field(built.first(), "number"), code), (&json!(1), Some(0)));
    assert_eq!(bind("one.bundle").0, Some(0), "{:?}", bind("one.bundle"));
    fs::copy(place.0.join("one.bundle"), place.0.join("two.bundle")).expect("copied");
    rules(&allows.replace("first", "second"));
    let (built, _) = build("two.bundle", &["--sign", key]);
    assert_eq!(field(built.first(), "number"), &json!(2));
    assert_eq!(bind("two.bundle").0, Some(0));
    let refused = |file: &str, code: &str| {
        let (exit, said) = bind(file);
        assert!(exit == Some(1) && said.contains(code), "{file}: {exit:?} {said}");
    };
    refused("one.bundle", "BUNDLE_OLD");
    build("bare.bundle", &["--number", "3"]);
    refused("bare.bundle", "BUNDLE_UNSIGNED");
    assert_eq!(place.json(&["keys", "new", "other.key"]).1, Some(0));
    build("other.bundle", &["--number", "3", "--sign", "other.key"]);
    refused("other.bundle", "BUNDLE_SIGNER");
    let mut bytes = fs::read(place.0.join("two.bundle")).expect("read");
    let middle = bytes.len() / 2;
    bytes.iter_mut().skip(middle).take(1).for_each(|byte| *byte ^= 1);
    fs::write(place.0.join("changed.bundle"), &bytes).expect("written");
    refused("changed.bundle", "BUNDLE_SIGNATURE");
    let (shown, _) = place.json(&["show", "two.bundle"]);
    assert_eq!(field(shown.first(), "bundle_root"), field(built.first(), "bundle_root"));
    assert_eq!(place.json(&["verify", "stock"]).1, Some(0));
}
