//! `kerai check`, `kerai fmt` and `kerai explain` as their users meet them: output, files and exit codes.

use crate::folder::{Folder, json, run};

const HAZARD: &str = "local t = {}\nfor k in pairs(t) do emit(\"p\", k, 1) end\n";

#[test]
fn a_diagnostic_shows_the_line_and_what_to_do() {
    let folder = Folder::new("shown");
    folder.write("fold.lua", HAZARD);
    let (code, out, error) = folder.kerai(&["check", "fold.lua"]);
    assert_eq!(code, Some(1));
    assert_eq!(out, "");
    let expected = "\
error[LUA_PAIRS]: `pairs` visits in no set order
 --> fold.lua:2:10
  |
2 | for k in pairs(t) do emit(\"p\", k, 1) end
  |          ^^^^^
  |
  = help: write `dpairs`, which visits sorted keys

fold.lua: 1 to be mended, 1 of them by `kerai check --fix`; `kerai explain CODE` says why
";
    assert_eq!(error, expected);
}

#[test]
fn notes_show_further_lines() {
    let folder = Folder::new("notes");
    folder.write("fold.lua", "local limit <const> = 1\n\n\n\nlimit = 2\n");
    let (_, _, error) = folder.kerai(&["check", "fold.lua"]);
    assert!(error.contains("--> fold.lua:5:1"), "{error}");
    assert!(error.contains("fold.lua:1:7") && error.contains("- it is declared here"), "{error}");
}

#[test]
fn json_gives_an_object_a_file() {
    let folder = Folder::new("json");
    folder.write("a/one.lua", HAZARD);
    folder.write("a/two.lua", "return 1\n");
    folder.write("a/notes.txt", "no source");
    let (code, out, error) = folder.kerai(&["check", "a", "--json"]);
    assert_eq!((code, error.as_str()), (Some(1), ""));
    let lines: Vec<serde_json::Value> = out.lines().map(json).collect();
    assert_eq!(lines.len(), 2);
    let one = lines.first().expect("there are two");
    assert_eq!(one["ok"], false);
    let found = &one["diagnostics"][0];
    assert_eq!((&found["code"], &found["line"], &found["column"]), (&"LUA_PAIRS".into(), &2.into(), &10.into()));
    assert_eq!(found["help"], "write `dpairs`, which visits sorted keys");
    assert!(found["path"].as_str().is_some_and(|path| path.ends_with("one.lua")));
    assert_eq!(lines.get(1).expect("there are two")["ok"], true);
}

#[test]
fn safe_changes_are_made() {
    let folder = Folder::new("fix");
    folder.write("fold.lua", HAZARD);
    let (code, out, _) = folder.kerai(&["check", "--fix", "fold.lua"]);
    assert_eq!((code, out.as_str()), (Some(0), "fold.lua: 1 fixed\nfold.lua: ok\n"));
    assert_eq!(folder.read("fold.lua"), HAZARD.replace("pairs", "dpairs"));
    folder.write("other.lua", format!("{HAZARD}print(1)\n"));
    let (code, _, error) = folder.kerai(&["check", "--fix", "other.lua"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("LUA_PRINT") && !error.contains("LUA_PAIRS"), "{error}");
    assert!(folder.read("other.lua").contains("dpairs"));
}

#[test]
fn formatting_writes_files_and_checking_writes_none() {
    let folder = Folder::new("fmt");
    let (source, formatted) = ("local  a=1 -- one\n\n\n\nreturn a", "local a = 1 -- one\n\nreturn a\n");
    folder.write("fold.lua", source);
    let (code, out, _) = folder.kerai(&["fmt", "--check", "fold.lua"]);
    assert_eq!(code, Some(1));
    assert!(out.starts_with("fold.lua: not formatted"), "{out}");
    assert_eq!(folder.read("fold.lua"), source);
    assert_eq!(folder.kerai(&["fmt", "fold.lua"]).0, Some(0));
    assert_eq!(folder.read("fold.lua"), formatted);
    assert_eq!(folder.kerai(&["fmt", "--check", "fold.lua"]), (Some(0), String::new(), String::new()));
    assert_eq!(run(folder.path(), &["fmt", "-"], source), (Some(0), formatted.to_owned(), String::new()));
    let (code, out, _) = folder.kerai(&["fmt", "--json", "fold.lua"]);
    assert_eq!((code, json(&out)["changed"].as_bool()), (Some(0), Some(false)));
}

#[test]
fn what_cannot_be_read_is_said() {
    let folder = Folder::new("unreadable");
    folder.write("bytes.lua", b"return \"\xff\"");
    folder.write("open.lua", "function f()\n");
    folder.write("fold.txt", "return 1");
    let (code, _, error) = folder.kerai(&["check", "bytes.lua"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("SOURCE_UTF8") && error.contains("bytes.lua:1:9"), "{error}");
    let (code, _, error) = folder.kerai(&["fmt", "open.lua"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("this `function` has no `end`"), "{error}");
    assert_eq!(folder.read("open.lua"), "function f()\n");
    for (arguments, hint) in
        [(["check", "no.lua"], "can't read `no.lua`"), (["check", "fold.txt"], "no known language")]
    {
        let (code, _, error) = folder.kerai(&arguments);
        assert_eq!(code, Some(2));
        assert!(error.contains(hint), "{error}");
    }
}

#[test]
fn every_diagnostic_is_explained() {
    let folder = Folder::new("explain");
    let (_, list, _) = folder.kerai(&["explain"]);
    for code in kerai_compiler::Code::ALL {
        assert!(list.lines().any(|line| line.split(' ').next() == Some(code.name())), "{}", code.name());
    }
    let (code, page, _) = folder.kerai(&["explain", "LUA_PAIRS"]);
    assert_eq!(code, Some(0));
    assert!(page.contains("canonical order") && page.contains("What to do: write `dpairs`"), "{page}");
}
