//! `kerai build`, `kerai eval`, `kerai exec` and `kerai run` on sources.

use crate::folder::{Folder, json, run};
use std::fmt::Write as _;

const COUNTS: &str = "-- Counts what every account was given.
function fold(events)
  local accounts, all = {}, {}
  for _, e in dpairs(events) do
    if e.type == \"broken\" then error(\"no\") end
    local account = accounts[e.payload.account] or { count = 0, sum = 0 }
    accounts[e.payload.account] = account
    all.last = account
    account.count = account.count + 1
    account.sum = account.sum + e.payload.amount
  end
  emit_json_canonical(\"accounts.json\", accounts)
  emit(\"last\", \"\", all.last or {})
end
";

/// So many events, one a millisecond.
fn events(count: usize) -> Vec<String> {
    let event = |number: usize| {
        let kind = if number % 7 == 5 { "broken" } else { "gift" };
        let payload = format!("{{\"account\":\"a{}\",\"amount\":{}.{}}}", number * number % 11, number, number % 10);
        format!("{{\"ulid\":\"01HF7YAT{number:02}0000000000000000\",\"type\":\"{kind}\",\"payload\":{payload}}}")
    };
    (0..count).map(event).collect()
}

fn lines(events: &[String]) -> String {
    events.iter().fold(String::new(), |mut text, event| {
        let _ = writeln!(text, "{event}");
        text
    })
}

#[test]
fn build_writes_program_root_and_map() {
    let folder = Folder::new("build");
    folder.write("a/counts.lua", COUNTS);

    let (code, out, error) = folder.kerai(&["build", "a"]);
    assert_eq!((code, error.as_str()), (Some(0), ""));
    let root = folder.read("a/counts.rgf.sha");
    assert_eq!(out, format!("a/counts.lua fold {} a/counts.rgf\n", root.trim()));
    let map = json(&folder.read("a/counts.rgf.map"));
    assert_eq!(map["source"], "a/counts.lua");
    assert_eq!(map["functions"].as_array().map(Vec::len), Some(3));

    let (code, out, _) = folder.kerai(&["build", "a/counts.lua", "-o", "out", "--json"]);
    let told = json(&out);
    assert_eq!((code, &told["root"], &told["kind"]), (Some(0), &root.trim().into(), &"fold".into()));
    let (again, built) = (folder.kerai(&["show", "out/counts.rgf"]).1, folder.kerai(&["show", "a/counts.rgf"]).1);
    assert_eq!(again.split_once('\n').map(|shown| shown.1), built.split_once('\n').map(|shown| shown.1));
}

#[test]
fn build_says_all_that_is_wrong_and_builds_the_rest() {
    let folder = Folder::new("build-wrong");
    folder.write("good.lua", "return 1\n");
    folder.write("wrong.lua", "function fold(events)\n  for _, e in dpairs(events) do break end\nend\n");
    let (code, out, error) = folder.kerai(&["build", "."]);
    assert_eq!(code, Some(1));
    assert!(out.contains("good.lua words sha256:"), "{out}");
    assert!(error.contains("FOLD_LEAVES") && error.contains("wrong.lua:2"), "{error}");
    assert!(!folder.has("wrong.rgf"));

    folder.write("good.ir", "(kind words)\n(export \"main\" @main.0)\n(function @main.0 ())\n");
    let (code, _, error) = folder.kerai(&["build", "good.lua", "good.ir"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("would both be written to `good.rgw`"), "{error}");
}

#[test]
fn the_ir_of_a_source_builds_to_the_same_program() {
    let folder = Folder::new("ir");
    folder.write("counts.lua", COUNTS);
    let (code, ir, _) = folder.kerai(&["build", "--ir", "counts.lua"]);
    assert_eq!(code, Some(0));
    folder.write("again/counts.ir", ir);
    let root = |path| json(&folder.kerai(&["build", path, "--json"]).1)["root"].clone();
    assert_eq!(root("again/counts.ir"), root("counts.lua"));
}

#[test]
fn eval_prints_what_is_returned() {
    let folder = Folder::new("eval");
    let eval = |text| folder.kerai(&["eval", "--quiet", "--lua", text]);
    assert_eq!(eval("return 0.1 + 0.2"), (Some(0), "0.3\n".into(), String::new()));
    assert_eq!(eval("return 1, 'two', {3, 4}, {b = nil, a = true}").1, "1\n\"two\"\n[3,4]\n{\"a\":true}\n");
    assert_eq!(eval("local x = 1").1, "");
    let told = json(&folder.kerai(&["eval", "--json", "--lua", "return 1, nil"]).1);
    assert_eq!(told["results"], serde_json::json!([1, null]));
    assert!(told["gas"].as_u64().is_some_and(|gas| gas > 0));
    assert_eq!(run(folder.path(), &["eval", "-", "--quiet"], "return ('ab'):rep(3)").1, "\"ababab\"\n");
    folder.write("double.lua", "local n = ...\nreturn n * 2\n");
    let doubled = run(folder.path(), &["eval", "double.lua", "--input", "-", "--quiet"], "21.5");
    assert_eq!(doubled, (Some(0), "43\n".into(), String::new()));
}

#[test]
fn eval_says_where_it_went_wrong() {
    let folder = Folder::new("eval-wrong");
    folder.write("trap.lua", "local t = nil\n\nreturn t.x\n");
    let (code, out, error) = folder.kerai(&["eval", "trap.lua"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(error.contains("KIND") && error.contains("in `main` at trap.lua:3:8"), "{error}");
    let (_, out, _) = folder.kerai(&["eval", "--json", "--lua", "error({why = 'so'})"]);
    assert_eq!(json(&out)["trap"]["raised"]["why"], "so");
    let (code, _, error) = folder.kerai(&["eval", "--lua", "while true do end", "--gas", "1000"]);
    assert!(code == Some(1) && error.contains("GAS"), "{error}");
    folder.write("counts.lua", COUNTS);
    let (code, _, error) = folder.kerai(&["eval", "counts.lua"]);
    assert!(code == Some(2) && error.contains("kerai run counts.lua OPS.jsonl"), "{error}");
    assert_eq!(folder.kerai(&["eval", "gone.lua"]).0, Some(2));
}

#[test]
fn a_map_tells_where_bytecode_trapped() {
    let folder = Folder::new("map");
    folder.write("trap.lua", "local function deep()\n  return nil + 1\nend\nreturn deep()\n");
    folder.kerai(&["build", "trap.lua"]);
    let (code, _, error) = folder.kerai(&["exec", "trap.rgw"]);
    assert!(code == Some(1) && error.contains("at trap.lua:2:"), "{error}");
    folder.write("trap.rgw.map", "{}");
    let (_, _, error) = folder.kerai(&["exec", "trap.rgw"]);
    assert!(error.contains("instruction"), "{error}");
}

#[test]
fn events_fold_in_their_order_however_they_stand() {
    let folder = Folder::new("order");
    folder.write("counts.lua", COUNTS);
    let mut events = events(30);
    folder.write("ordered.jsonl", lines(&events));
    events.reverse();
    events.extend_from_within(3..9);
    folder.write("shuffled.jsonl", lines(&events) + "\n\n");
    let fold = |file| json(&folder.kerai(&["run", "counts.lua", file, "--json"]).1);
    let (ordered, shuffled) = (fold("ordered.jsonl"), fold("shuffled.jsonl"));
    for key in ["fold_root", "state_root", "inputs_root", "gas", "count", "poisoned"] {
        assert_eq!(ordered[key], shuffled[key], "{key}");
    }
    assert_eq!((&ordered["count"], &ordered["poisoned"], &ordered["denied"]), (&30.into(), &4.into(), &0.into()));
    assert_eq!((&ordered["repeated"], &shuffled["repeated"]), (&0.into(), &6.into()));
    assert_eq!(ordered["poison"][0]["trap"]["code"], "RAISED");

    let (code, out, error) = folder.kerai(&["run", "counts.lua", "ordered.jsonl", "--rows"]);
    assert_eq!(code, Some(0));
    assert!(error.contains("ordered.jsonl:6: left no trace: RAISED") && error.contains("counts.lua:5"), "{error}");
    let rows: Vec<_> = out.lines().filter(|line| line.starts_with('{')).map(json).collect();
    assert_eq!(rows.len() as u64, ordered["rows"].as_u64().unwrap_or_default());
    assert_eq!(rows[0]["path"], "accounts.json");
}

#[test]
fn a_saved_fold_goes_on_as_if_it_had_never_stopped() {
    let folder = Folder::new("resume");
    folder.write("counts.lua", COUNTS);
    folder.kerai(&["build", "counts.lua"]);
    let events = events(24);
    let keys = ["state_root", "inputs_root", "gas", "count", "poisoned"];
    folder.write("all.jsonl", lines(&events));
    let whole = json(&folder.kerai(&["run", "counts.rgf", "all.jsonl", "--json", "--save", "whole"]).1);
    for cut in 0..=events.len() {
        folder.write("first.jsonl", lines(&events[..cut]));
        folder.write("rest.jsonl", lines(&events[cut.saturating_sub(1)..]));
        assert_eq!(folder.kerai(&["run", "counts.rgf", "first.jsonl", "--save", "half"]).0, Some(0));
        let resumed = ["run", "counts.lua", "rest.jsonl", "--resume", "half", "--save", "again", "--json"];
        let resumed = json(&folder.kerai(&resumed).1);
        for key in keys {
            assert_eq!(resumed[key], whole[key], "{key} after {cut}");
        }
        assert_eq!(folder.bytes("again"), folder.bytes("whole"), "after {cut}");
    }
}

#[test]
fn run_refuses_what_would_give_another_answer() {
    let folder = Folder::new("run-wrong");
    folder.write("counts.lua", COUNTS);
    let events = events(10);
    folder.write("late.jsonl", lines(&events[..5]));
    folder.write("first.jsonl", lines(&events[5..]));
    folder.kerai(&["run", "counts.lua", "first.jsonl", "--save", "state"]);
    let (code, _, error) = folder.kerai(&["run", "counts.lua", "late.jsonl", "--resume", "state"]);
    assert!(code == Some(2) && error.contains("late.jsonl:1") && error.contains("fold all events together"), "{error}");

    folder.write("other.lua", COUNTS.replace("count + 1", "count + 2"));
    let (code, _, error) = folder.kerai(&["run", "other.lua", "first.jsonl", "--resume", "state"]);
    assert!(code == Some(2) && error.contains("was saved by another fold"), "{error}");
    let mut bytes = folder.bytes("state");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    folder.write("state", bytes);
    let (code, _, error) = folder.kerai(&["run", "counts.lua", "first.jsonl", "--resume", "state"]);
    assert!(code == Some(2) && error.contains("is no saved fold"), "{error}");

    let cases = [
        ("{\"type\":\"t\",\"payload\":1}", "`ulid` is missing"),
        ("{\"ulid\":\"01HF7YAT000000000000000000\",\"payload\":1}", "`type` is missing"),
        ("{\"ulid\":\"01HF7YAT000000000000000000\",\"type\":\"t\"}", "`payload` is missing"),
        ("{\"ulid\":\"no\",\"type\":\"t\",\"payload\":1}", "`ulid`"),
        ("[1]", "`ulid` is missing"),
        ("{\"ulid\":", "DATA_"),
    ];
    for (line, message) in cases {
        folder.write("wrong.jsonl", format!("{}\n{line}\n", events[0]));
        let (code, out, error) = folder.kerai(&["run", "counts.lua", "wrong.jsonl"]);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{line}");
        assert!(error.contains("wrong.jsonl:2") && error.contains(message), "{error}");
    }
    folder.write("words.lua", "return 1\n");
    let (code, _, error) = folder.kerai(&["run", "words.lua", "first.jsonl"]);
    assert!(code == Some(1) && error.contains("PROGRAM_FOLD"), "{error}");
    assert_eq!(folder.kerai(&["run", "counts.lua"]).0, Some(2));
}

#[test]
fn a_project_folds_by_a_source() {
    let folder = Folder::new("project");
    assert_eq!(folder.kerai(&["init", "."]).0, Some(0));
    folder.write("folds/counts.lua", COUNTS);
    let created = folder.kerai(&["stream", "create", "counts", "--fold", "folds/counts.lua", "--json"]);
    assert_eq!(created.0, Some(0), "{}", created.2);
    folder.write("ops.jsonl", lines(&events(10)));
    assert_eq!(folder.kerai(&["append", "counts", "ops.jsonl"]).0, Some(0));
    let stream = json(&folder.kerai(&["materialize", "counts", "--json"]).1);
    let run = json(&folder.kerai(&["run", "folds/counts.lua", "ops.jsonl", "--json"]).1);
    assert_eq!(stream["state_root"], run["state_root"]);
    assert_eq!(stream["fold_root"], run["fold_root"]);
}

#[test]
fn who_stops_reading_has_heard_enough() {
    let folder = Folder::new("heard");
    let command = format!("{} explain | head -n 1; exit ${{PIPESTATUS[0]}}", env!("CARGO_BIN_EXE_kerai"));
    let output = std::process::Command::new("bash").args(["-c", &command]).current_dir(folder.path()).output();
    let output = output.expect("a shell runs");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    // Where standard output can't take any more, that is said.
    let command = format!("{} explain > /dev/full", env!("CARGO_BIN_EXE_kerai"));
    let output = std::process::Command::new("sh").args(["-c", &command]).output().expect("a shell runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && error.contains("can't be written"), "{output:?}");
}
