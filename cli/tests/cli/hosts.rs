//! Host words as their users meet them: archives, files that are no tables, servers, projects, sessions side by side.

use crate::folder::{Folder, json, run};
use std::fmt::Write as _;

/// An archive of files that are stored as they are.
fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    packed(&files.iter().map(|&(name, bytes)| (name, bytes, bytes.len() as u32)).collect::<Vec<_>>())
}

/// The same where the directory says how long each file is.
fn packed(files: &[(&str, &[u8], u32)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for &(name, bytes, size) in files {
        let start = out.len() as u32;
        let mut about = vec![0; 8];
        about.extend(checksum(bytes).to_le_bytes());
        about.extend((bytes.len() as u32).to_le_bytes());
        about.extend(size.to_le_bytes());
        about.extend((name.len() as u16).to_le_bytes());
        about.extend([0, 0]);
        out.extend(b"PK\x03\x04\x14\0");
        out.extend(&about);
        out.extend(name.as_bytes());
        out.extend(bytes);
        directory.extend(b"PK\x01\x02\x14\0\x14\0");
        directory.extend(&about);
        directory.extend([0; 10]);
        directory.extend(start.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (start, count) = (out.len() as u32, files.len() as u16);
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count.to_le_bytes(), count.to_le_bytes()].concat());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 })
    })
}

#[test]
fn archives_come_in() {
    let folder = Folder::new("archive");
    let tables: &[(&str, &[u8])] =
        &[("a/teams.csv", b"id,name\n1,x\n"), ("note.txt", b"no table"), ("b.csv", b"k\n\"\"\n")];
    folder.write("all.zip", archive(tables));
    let (code, out, error) = folder.kerai(&["--quiet", "\"all.zip\" csv.import \"out\" csv.export"]);
    assert_eq!(
        (code, out.as_str()),
        (Some(0), "teams: 1 rows (id integer, name text)\nb: 1 rows (k text)\n"),
        "{error}"
    );
    assert_eq!(folder.read("out/teams.csv"), "id,name\n1,x\n");
    assert_eq!(folder.read("out/b.csv"), "k\n\"\"\n");
}

/// Each is refused with what is wrong; nothing is left, and the stack is as it was.
#[test]
fn hostile_archives_are_refused() {
    let folder = Folder::new("hostile");
    let table: &[u8] = b"id\n1\n";
    let mut broken = archive(&[("a.csv", table)]);
    broken.truncate(broken.len() - 30);
    let mut changed = archive(&[("a.csv", table)]);
    if let Some(byte) = changed.iter_mut().find(|byte| **byte == b'i') {
        *byte = b'j';
    }
    for (bytes, wanted) in [
        (archive(&[("../a.csv", table)]), "leads out of the archive"),
        (archive(&[("/etc/a.csv", table)]), "leads out of the archive"),
        (archive(&[("x\\..\\a.csv", table)]), "leads out of the archive"),
        (archive(&[("a.csv", table), ("b/A.csv", table)]), "two files"),
        (packed(&[("a.csv", table, u32::MAX - 1)]), "has more than"),
        (packed(&[("a.csv", table, 6)]), "size or checksum differ"),
        (changed, "size or checksum differ"),
        (broken, "no zip archive"),
        (archive(&[("a.txt", table)]), "no CSV file"),
        (archive(&[("kerai_item.csv", table)]), "can't be named"),
        (vec![b'P'; 100], "no zip archive"),
        (Vec::new(), "no zip archive"),
    ] {
        folder.write("bad.zip", bytes);
        let (code, out, error) = folder.kerai(&["7 \"bad.zip\" csv.import"]);
        assert_eq!((code, out.as_str()), (Some(1), "7\n\"bad.zip\"\n"), "{wanted}");
        assert!(error.contains(wanted), "{wanted}: {error}");
    }
}

#[test]
fn what_is_no_table_is_refused_with_its_line() {
    let folder = Folder::new("notable");
    let long = format!("a\n{}\n", "x".repeat(9 << 20));
    let wide = format!("{}\n", (0..1001).fold(String::new(), |wide, at| wide + &format!("c{at},")));
    let row = format!("a\n{}\n", format!("{},", "x".repeat(1 << 20)).repeat(40));
    for (text, wanted) in [
        ("", "the file is empty"),
        ("a,b\n1\n", "x.csv:2: 1 fields, where the first line names 2 columns"),
        ("a,b\n1,2,3\n", "x.csv:2: 3 fields"),
        ("a\n\"1\n2\n", "x.csv:2: a quote is never closed"),
        ("a\n\"1\"2\n", "x.csv:2: something follows a closing quote"),
        ("a,A\n", "two columns are named `A`"),
        ("a\0\n1\n", "can hold"),
        (&long, "more than"),
        (&wide, "more than 1000 columns"),
        (&row, "more than"),
    ] {
        folder.write("x.csv", text);
        let (code, _, error) = folder.kerai(&["\"x.csv\" csv.import"]);
        assert_eq!(code, Some(1), "{wanted}");
        assert!(error.contains(wanted), "{wanted}: {error}");
    }
    folder.write("x.csv", b"a\n\xff\n");
    assert!(folder.kerai(&["\"x.csv\" csv.import"]).2.contains("x.csv:2: a field is not UTF-8"));
    // A letter that few expect is a letter all the same, and a column may have no name.
    folder.write("x.csv", ",b\na\0b,\\.\n");
    assert_eq!(folder.kerai(&["--quiet", "\"x.csv\" csv.import \"y.csv\" csv.export"]).0, Some(0));
    assert_eq!(folder.read("y.csv"), ",b\na\0b,\"\\.\"\n");
}

/// A database of a server, if there is one to be had.
fn server() -> Option<String> {
    Some(kerai_tests::server::the_server()?.url("postgres"))
}

/// The host, as people write it, of a server that has one.
fn host(server: &str) -> Option<&str> {
    let (_, rest) = server.split_once("://")?;
    let host = rest.split(['/', '?']).next()?;
    let host = host.rsplit('@').next()?;
    (!host.is_empty() && !server.contains("?host=")).then_some(host)
}

#[test]
fn a_server_is_asked() {
    let Some(server) = server() else { return };
    let folder = Folder::new("server");
    let ping = folder.kerai(&["--db", &server, "pg: postgres\npg ping"]);
    assert!(ping.0 == Some(0) && ping.1.starts_with("\"PostgreSQL "), "{ping:?}");
    assert_eq!(folder.kerai(&["--db", &server, "postgres.ping"]), ping);
    assert_eq!(folder.kerai(&[&format!("\"{server}\" postgres ping")]), ping);
    if let Some(host) = host(&server) {
        // The host alone lacks an account: the server answers all the same, by what it says to that.
        let (code, out, error) = folder.kerai(&[&format!("\"{host}\" postgres ping")]);
        assert!(code == Some(0) && out.starts_with("\"PostgreSQL "), "{out}{error}");
    }
    let words = "\"SELECT 1.50 AS price, 'a' AS name, null AS none, '' AS empty\" postgres query table.rows";
    let (_, out, error) = folder.kerai(&["--quiet", "--db", &server, words, "--json"]);
    assert_eq!(json(&out)["results"][0][0], serde_json::json!({"price": "1.50", "name": "a", "empty": ""}), "{error}");
    let (code, out, _) = folder.kerai(&["--db", &server, "5 \"SELEC\" postgres.query"]);
    assert_eq!((code, out.as_str()), (Some(1), "5\n\"SELEC\"\n"));
    let (code, out, error) = folder.kerai(&["5 \"postgres://nobody@127.0.0.1:1/none\" postgres ping"]);
    assert_eq!((code, out.lines().next()), (Some(1), Some("5")));
    assert!(error.contains("can't be reached"), "{error}");
    // Words that need no database need no server.
    let (code, out, error) = folder.kerai(&["--db", "postgres://nobody@127.0.0.1:1/none", "1 2 + \"SELECT 1\" sql"]);
    assert_eq!((code, out.as_str()), (Some(1), "3\n\"SELECT 1\"\n"));
    assert!(error.contains("can't be reached"), "{error}");
}

/// Rows go to the server by COPY and come back as they were.
#[test]
fn tables_lie_on_a_server() {
    let Some(server) = server() else { return };
    let folder = Folder::new("copy");
    // Names of a test's own: the server is everybody's.
    let name = format!("prices_{}", std::process::id());
    let mut text = "id,price,note,day,ok,,\"a \"\"b\"\"\"\n".to_owned();
    text.push_str(
        "1,1.50,\"a, \"\"b\"\"\",2024-02-29,true,-0.00,\\.\n2,0.10,,0001-01-01,false,1.0,\\N\n3,,\"\",,,2,\"x\ny\"\n",
    );
    for row in 4..3000 {
        let _ = writeln!(
            text,
            "{row},{}.25,{},,true,{},é",
            u64::MAX / row,
            if row % 2 == 0 { "" } else { "\"\"" },
            row % 7
        );
    }
    folder.write(&format!("in/{name}.csv"), &text);
    folder.write(&format!("in/{name}_one.csv"), "x\n\n\"\"\n\\.\nend\n");
    let db = ["--quiet", "--db", &server, "--session", "s"];
    let words = |words: &str| folder.kerai(&[db[0], db[1], db[2], db[3], db[4], words]);
    let (code, out, error) = words("\"in\" csv.import \"out\" csv.export");
    assert_eq!(code, Some(0), "{error}");
    assert!(out.contains("2999 rows (id integer, price decimal, note text, day date, ok bool,"), "{out}");
    let rows = |text: &[u8]| {
        let mut reader = kerai_words::csv::Reader::new(text);
        std::iter::from_fn(move || reader.record(Some(1)).expect("a table")).collect::<Vec<_>>()
    };
    for table in [format!("{name}.csv"), format!("{name}_one.csv")] {
        let [given, left] = ["in", "out"].map(|side| folder.bytes(&format!("{side}/{table}")));
        assert!(rows(&left) == rows(&given), "{table} came back as something else");
    }
    let query = format!("\"SELECT sum(id) AS s, count(note) AS n FROM {name} WHERE id < 4\" sql csv.export");
    assert_eq!(words(&query).1, "s,n\n6,2\n");
    assert_eq!(words(&format!("\"in\" csv.import \"{name}\" table.select [price id] columns.pick")).0, Some(0));
    // It is there in the next process too.
    assert!(words("dup table.rows 2 get").1.contains(r#"{"id":2,"price":"0.10"}"#));
    // What fails on the way leaves nothing.
    folder.write(&format!("bad/{name}_bad.csv"), "a\n\"nul \0\"\n");
    let (code, _, error) = words("clear \"bad\" csv.import");
    assert_eq!(code, Some(1), "{error}");
    assert_eq!(words(&format!("drop \"SELECT * FROM {name}_bad\" sql")).0, Some(1));
    for view in [name.clone(), format!("{name}_one")] {
        assert_eq!(words(&format!("clear \"DROP VIEW {view}\" sql")).0, Some(0));
    }
}

#[test]
fn projects_go_out_and_come_in() {
    let folder = Folder::new("project");
    assert_eq!(folder.kerai(&["init", "p"]).0, Some(0));
    folder.write("p/folds/count.lua", "function fold(events)\n  local n = 0\n  for _, e in dpairs(events) do\n    n = n + 1\n  end\n  emit(\"n\", \"\", n)\nend\n");
    let inside = folder.path().join("p");
    let (code, _, error) = run(&inside, &["square: dup *\n\"../p.json\" project.export"], "");
    assert_eq!(code, Some(0), "{error}");
    let page = folder.read("p.json");
    assert!(page.contains("square: dup *") && page.contains("folds/count.lua") && !page.contains("secret"), "{page}");
    assert_eq!(folder.kerai(&["\"p.json\" \"q\" project.import"]).0, Some(0));
    assert_eq!(folder.read("q/folds/count.lua"), folder.read("p/folds/count.lua"));
    assert_eq!(folder.read("q/words.kerai"), "square: dup *\n");
    assert!(folder.kerai(&["\"p.json\" \"q\" project.import"]).2.contains("is not empty"));
    let (code, out, error) = folder.kerai(&["\"q\" build", "--json"]);
    assert_eq!(code, Some(0), "{error}");
    let built = &json(&out)["results"][0];
    assert!(built.as_array().is_some_and(|built| built.len() >= 2), "{built}");
    assert!(built[0]["root"].as_str().is_some_and(|root| root.starts_with("sha256:")), "{built}");
    for (files, wanted) in [
        (r#"{"../x.lua": ""}"#, "outside of the project"),
        (r#"{"/etc/x.lua": ""}"#, "outside of the project"),
        (r#"{"a/../../x.lua": ""}"#, "outside of the project"),
        ("[]", "no exported project"),
    ] {
        folder.write("bad.json", format!("{{\"version\": 1, \"files\": {files}}}"));
        let (code, _, error) = folder.kerai(&["\"bad.json\" \"new\" project.import"]);
        assert!(code == Some(1) && error.contains(wanted), "{files}: {error}");
        assert!(!folder.has("new"), "{files}");
    }
    folder.write("bad.json", "{\"version\": 2, \"files\": {}}");
    assert!(folder.kerai(&["\"bad.json\" \"new\" project.import"]).2.contains("no exported project"));
}

#[test]
fn streams_are_verified_by_a_word() {
    let folder = Folder::new("verify");
    assert_eq!(folder.kerai(&["init", "p"]).0, Some(0));
    let inside = folder.path().join("p");
    let source = "function fold(events)\n  local n = 0\n  for _, e in dpairs(events) do\n    n = n + 1\n  end\n  emit(\"n\", \"\", n)\nend\n";
    folder.write("p/folds/count.lua", source);
    let (code, _, error) = run(&inside, &["stream", "create", "s", "--fold", "folds/count.lua"], "");
    assert_eq!(code, Some(0), "{error}");
    let (code, out, error) = run(&inside, &["\"s\" verify", "--json"], "");
    assert_eq!(code, Some(0), "{error}");
    assert_eq!(json(&out)["results"][0]["ok"], true, "{out}");
    let (code, out, error) = run(&inside, &["1 \"none\" verify"], "");
    assert_eq!((code, out.as_str()), (Some(1), "1\n\"none\"\n"), "{error}");
}

#[test]
fn words_explain_themselves() {
    let folder = Folder::new("help");
    assert_eq!(folder.kerai(&["help dup"]).1, "dup : a -- a a   the top item twice\n");
    assert_eq!(folder.kerai(&["square: dup * ; see square"]).1, "square : number -- number\nsquare: dup *\n");
    assert!(folder.kerai(&["see csv.import"]).1.contains("path -- dataset"));
    assert!(folder.kerai(&["pg: postgres ; help pg"]).1.contains("postgres.ping"));
    let all = folder.kerai(&["words"]).1;
    let mut names: Vec<&str> = all.split_whitespace().collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "{all}");
    assert!(["rot", "fold", "columns.pick", "workspace.save", "see"].iter().all(|name| names.contains(name)), "{all}");
    folder.write("a.kerai", "square: dup *\nboth: over over + rot rot -\nkerai.infix\nmean a b: (a + b) / 2\n");
    let (_, shown, _) = folder.kerai(&["show", "a.kerai"]);
    assert_eq!(
        shown,
        "square : number -- number\nboth : number number -- number number\nmean : number number -- number\n"
    );
    let (_, shown, _) = folder.kerai(&["show", "a.kerai", "--json"]);
    assert_eq!(json(&shown)["words"][0], serde_json::json!({"name": "square", "effect": "number -- number"}));
    folder.write("b.kerai", "f: 1 \"a\" + ;\n");
    let (code, _, error) = folder.kerai(&["show", "b.kerai"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("b.kerai:1:10") && error.contains("the stack here is `number text`"), "{error}");
    // The place of a mistake in a definition is the word, with the stack as it stood.
    let (_, out, _) = folder.kerai(&["7 f: 1 \"a\" +", "--json"]);
    assert_eq!(json(&out)["error"]["code"], "WORDS_NAME", "{out}");
    let (_, out, _) = folder.kerai(&["f: 1 \"a\" +", "--json"]);
    assert_eq!(json(&out)["error"]["column"], 10, "{out}");
    assert!(out.contains("the stack here is"), "{out}");
}

#[test]
fn sessions_are_side_by_side() {
    let folder = Folder::new("beside");
    folder.write("t.csv", (0..2000).fold("id,name\n".to_owned(), |text, row| text + &format!("{row},n{row}\n")));
    let words = |session: &str, words: &str| folder.kerai(&["--quiet", "--db", "k.db", "--session", session, words]);
    std::thread::scope(|scope| {
        for session in ["a", "b", "c"] {
            scope.spawn(move || {
                for round in 1..=3 {
                    let (code, _, error) =
                        words(session, &format!("drop_it: drop ; {round} \"t.csv\" csv.import drop_it"));
                    assert_eq!(code, Some(0), "{session} {round}: {error}");
                }
            });
        }
    });
    for session in ["a", "b", "c"] {
        assert_eq!(words(session, "depth").1, "1\n2\n3\n3\n");
    }
    assert_eq!(words("a", "clear workspace.list").1, "[\"a\",\"b\",\"c\"]\n");
    assert_eq!(words("a", "clear 5 \"copy\" workspace.save").0, Some(0));
    assert_eq!(words("copy", "depth").1, "5\n1\n");
    let (code, _, error) = words("a", "\"copy\" workspace.new");
    assert!(code == Some(1) && error.contains("already"), "{error}");
    assert_eq!(words("a", "drop \"copy\" workspace.load depth").1, "5\n1\n2\n");
}
