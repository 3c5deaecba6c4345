//! `kerai golden`: the same answers here, elsewhere, and from every later version.

use crate::folder::{Folder, json};

/// Cases of several kinds, few enough for a test.
const FEW: &str = "shipped/";

#[test]
fn the_cases_run_and_the_last_line_is_the_total() {
    let folder = Folder::new("golden-run");
    let (code, out, _) = folder.kerai(&["golden", "run", "--filter", FEW]);
    let last = out.lines().last().unwrap_or_default();
    assert_eq!(code, Some(0), "{out}");
    assert!(last.starts_with("golden: ") && last.contains(" passed, root blake3:"), "{last}");

    let (code, out, _) = folder.kerai(&["golden", "run", "--filter", FEW, "--json"]);
    let answer = json(&out);
    assert_eq!((code, &answer["failed"]), (Some(0), &0.into()));
    assert!(last.ends_with(answer["root"].as_str().unwrap_or("no root")), "{last}");

    let (code, _, errors) = folder.kerai(&["golden", "run", "--filter", "no such case"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("`no such case`"), "{errors}");
}

#[test]
fn a_case_that_fails_is_named() {
    let folder = Folder::new("golden-fail");
    folder.write("cases/wrong.txt", "# Wrong.\n-- json --\n[1]\n-- encoded --\n8102\n");
    folder.write("cases/none.txt", "no newline at the end");
    let (code, out, _) = folder.kerai(&["golden", "run", "--cases", "cases"]);
    assert_eq!(code, Some(1));
    assert!(out.contains("failed: wrong\n") && out.contains("+ 8101") && out.contains("failed: none\n"), "{out}");
    assert!(out.lines().last().is_some_and(|line| line.starts_with("golden: 2 cases, 0 passed, ")), "{out}");
}

#[test]
fn an_export_checks_itself_and_names_what_was_changed_in_it() {
    let folder = Folder::new("golden-export");
    let (code, out, _) = folder.kerai(&["golden", "export", "cases", "--filter", FEW, "--json"]);
    let (exported, root) = (json(&out)["cases"].clone(), json(&out)["root"].clone());
    assert_eq!(code, Some(0));
    let manifest: serde_json::Value = serde_json::from_str(&folder.read("cases/manifest.json")).expect("JSON");
    assert_eq!(manifest["root"], root);
    for case in manifest["cases"].as_array().expect("cases are a list") {
        for file in ["inputs", "expected"].iter().flat_map(|part| case[part].as_array().expect("files are a list")) {
            assert!(folder.has(&format!("cases/{}", file.as_str().expect("files are texts"))), "{file}");
        }
    }
    // Programs are given as bytes too, whatever their case asks for.
    assert!(folder.has("cases/expected/shipped/invoices/bytecode"));

    let check = |folder: &Folder| folder.kerai(&["golden", "check", "cases/expected", "--filter", FEW, "--json"]);
    let (code, out, _) = check(&folder);
    assert_eq!((code, &json(&out)["passed"], &json(&out)["root"]), (Some(0), &exported, &root));

    folder.write("cases/expected/shipped/invoices/rows", "something else\n");
    std::fs::remove_file(folder.path().join("cases/expected/shipped/stock/gas")).expect("it is there");
    let (code, out, _) = check(&folder);
    let answer = json(&out);
    assert_eq!((code, &answer["failed"]), (Some(1), &2.into()));
    assert_ne!(answer["root"], root);
    assert!(out.contains("`rows` differs") && out.contains("there is no `gas`"), "{out}");

    let (code, _, errors) = folder.kerai(&["golden", "export", "cases"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("not empty"), "{errors}");
}

#[test]
fn a_version_is_frozen_once() {
    let folder = Folder::new("golden-freeze");
    let (code, _, errors) = folder.kerai(&["golden", "freeze", "1.0.0"]);
    assert_eq!(code, Some(2), "there is no checkout here: {errors}");

    folder.write("golden/README.md", "cases");
    let freeze = ["golden", "freeze", "1.0.0", "--filter", FEW];
    let (code, _, errors) = folder.kerai(&freeze);
    assert_eq!(code, Some(0), "{errors}");
    let frozen = folder.read("golden/frozen/1.0.0/shipped/invoices.txt");
    assert!(
        frozen.contains("-- code --") && frozen.contains("-- rows --") && !frozen.contains("-- lua --"),
        "{frozen}"
    );
    let (code, out, _) = folder.kerai(&["golden", "run", "--cases", "golden"]);
    assert_eq!(code, Some(0), "{out}");

    let (code, _, errors) = folder.kerai(&freeze);
    assert_eq!(code, Some(2));
    assert!(errors.contains("never changes"), "{errors}");
    for name in ["", "../up", ".", "a b"] {
        assert_eq!(folder.kerai(&["golden", "freeze", name]).0, Some(2), "`{name}`");
    }
}
