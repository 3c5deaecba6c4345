//! `kerai laws`, certificates and orders as a user meets them.

use crate::folder::{Folder, json};

const FINISH: &str = "function finish(state) emit(\"n\", \"\", state) end\n";

fn fold(join: &str) -> String {
    format!("function lift(op) return op.payload.n end\nfunction join(a, b) return {join} end\n{FINISH}")
}

#[test]
fn laws_say_the_class_and_how_it_is_known() {
    let folder = Folder::new("laws");
    folder.write("declared.yaml", "version: 1\nreducers: [{kind: lww}]\nemit: [{path: out}]\n");
    folder.write("most.lua", fold("math.max(a, b)"));
    folder.write("total.lua", fold("a + b"));
    folder.write("few.lua", format!("function lift(op) if op.payload.on then return 2 end return 1 end\nfunction join(a, b) if a > b then return a end return b end\n{FINISH}"));
    for (file, class, grounds, law) in [
        ("declared.yaml", "lattice", "construction", serde_json::Value::Null),
        ("few.lua", "lattice", "exhaustion", serde_json::Value::Null),
        ("most.lua", "lattice", "tested", serde_json::Value::Null),
        ("total.lua", "monoid", "tested", "idempotent".into()),
    ] {
        let (code, out, _) = folder.kerai(&["laws", file, "--json"]);
        let found = json(&out);
        assert_eq!((code, &found["lawful"]), (Some(0), &true.into()), "{file}: {out}");
        assert_eq!(
            (&found["class"], &found["grounds"], &found["law"]),
            (&class.into(), &grounds.into(), &law),
            "{file}"
        );
        // What is built says so too, and its bytecode is found to be the same.
        assert_eq!(folder.kerai(&["build", file]).0, Some(0), "{file}");
        let built = file.replace(".yaml", ".rgf").replace(".lua", ".rgf");
        let (_, shown, _) = folder.kerai(&["show", &built, "--json"]);
        assert_eq!((&json(&shown)["certificate"]["class"], &json(&shown)["order"]), (&class.into(), &"join".into()));
        assert_eq!(folder.kerai(&["laws", &built]).0, Some(0), "{file}");
    }
    let (code, out, _) = folder.kerai(&["laws", "total.lua"]);
    assert_eq!(code, Some(0));
    assert!(
        out.starts_with("monoid, by trial: 600 triples of states\n  does not hold: `join(a, a)` is `a`\n"),
        "{out}"
    );
}

#[test]
fn a_wrong_join_is_shown_by_the_least_that_breaks_it() {
    let folder = Folder::new("laws-wrong");
    folder.write("wrong.lua", fold("a - b"));
    let (code, out, _) = folder.kerai(&["laws", "wrong.lua", "--json"]);
    let found = json(&out);
    assert_eq!((code, &found["lawful"], &found["class"]), (Some(1), &false.into(), &serde_json::Value::Null));
    assert_eq!((&found["law"], &found["counterexample"]["law"]), (&"commutes".into(), &"commutes".into()));
    assert_eq!(found["counterexample"]["states"].as_array().map(Vec::len), Some(2));
    assert_eq!(found["counterexample"]["results"], serde_json::json!(["-1", "1"]));
    // It is not built: nothing wrong is ever merged by it.
    let (code, _, error) = folder.kerai(&["build", "wrong.lua"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("FOLD_LAW"), "{error}");
    // Whoever never joins may say so.
    folder.write("ordered.lua", format!("--!order ulid\n{}", fold("a - b")));
    assert_eq!(folder.kerai(&["build", "ordered.lua"]).0, Some(0));
    assert_eq!(folder.kerai(&["laws", "ordered.lua"]).0, Some(1));
}

#[test]
fn a_forged_certificate_is_refused_by_every_command() {
    let folder = Folder::new("laws-forged");
    folder.write("most.lua", fold("math.max(a, b)"));
    assert_eq!(folder.kerai(&["build", "most.lua"]).0, Some(0));
    let (_, text, _) = folder.kerai(&["show", "most.rgf"]);
    folder.write("ops.jsonl", "");
    for (number, claim) in
        ["certificate lattice construction", "certificate lattice exhaustion 2", ""].iter().enumerate()
    {
        let line = text.lines().find(|line| line.starts_with("certificate ")).expect("there is a certificate");
        let file = format!("forged-{number}.asm");
        folder.write(&file, text.replace(line, claim));
        for arguments in [vec!["asm", &file], vec!["laws", &file], vec!["run", &file, "ops.jsonl"]] {
            let (code, _, error) = folder.kerai(&arguments);
            assert_eq!(code, Some(1), "{arguments:?}");
            assert!(error.contains("PROGRAM_CERTIFICATE"), "{arguments:?}: {error}");
        }
    }
}

#[test]
fn a_fold_that_follows_the_log_takes_events_as_they_stand() {
    let folder = Folder::new("orders");
    let events = "{\"ulid\":\"01ARZ3NDEKTSV4RRFFQ69G5FB1\",\"type\":\"t\",\"payload\":1,\"received_ms\":5}\n\
                  {\"ulid\":\"01ARZ3NDEKTSV4RRFFQ69G5FB0\",\"type\":\"t\",\"payload\":2}\n";
    folder.write("ops.jsonl", events);
    let source = |order: &str| {
        let step = "function step(s, op) s[#s + 1] = { op.payload, op.received_ms } end";
        format!("{order}\nfunction init() return list() end\n{step}\nfunction finish(s) emit(\"x\", \"\", s) end\n")
    };
    for (order, value) in [("--!order commit", "[[1,5],[2,5]]"), ("--!order ulid", "[[2],[1]]"), ("", "[[2],[1]]")] {
        folder.write("fold.lua", source(order));
        let (code, out, error) = folder.kerai(&["run", "fold.lua", "ops.jsonl", "--rows", "--quiet"]);
        assert_eq!(code, Some(0), "{error}");
        assert!(out.contains(&format!("\"value\":{value}")), "{order}: {out}");
    }
}
