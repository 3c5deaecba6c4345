//! Words as their users meet them: the command line, sessions, tables, the REPL on a terminal.

use crate::folder::{Folder, json};

#[test]
fn what_is_no_verb_is_words() {
    let folder = Folder::new("words");
    assert_eq!(folder.kerai(&["1", "2", "+"]), (Some(0), "3\n".to_owned(), String::new()));
    assert_eq!(folder.kerai(&["square: dup * ; 12 square"]).1, "144\n");
    assert_eq!(folder.kerai(&["kerai.infix", "1 + 2 * 3"]).1, "7\n");
    let (code, out, _) = folder.kerai(&["1", "0", "/", "--json"]);
    let shown = json(&out);
    assert_eq!((code, &shown["results"]), (Some(1), &serde_json::json!([1, 0])));
    assert_eq!(shown["error"]["code"], "DIVISION");
    assert_eq!(folder.kerai(&["biuld", "x"]).0, Some(2));
}

#[test]
fn a_session_keeps_its_stack() {
    let folder = Folder::new("session");
    let db = ["--db", "kerai.db", "--session", "s"];
    let run = |words: &str| folder.kerai(&[db[0], db[1], db[2], db[3], words]);
    assert_eq!(run("[1 2 3]").0, Some(0));
    assert_eq!(run("twice: 2 *").0, Some(0));
    assert_eq!(run("nothing_like_this").0, Some(1));
    assert_eq!(run("[twice] map").1, "[2,4,6]\n");
}

#[test]
fn tables_come_in_and_go_out() {
    let folder = Folder::new("tables");
    let text = "id,price,note\n1,1.50,\"a, \"\"b\"\"\"\n2,0.10,\n3,,\"\"\n";
    folder.write("in/prices.csv", text);
    let out = folder
        .kerai(&["--quiet", "\"in\" csv.import dup \"out\" csv.export \"prices\" table.select [price id] columns.pick"])
        .1;
    assert!(out.contains("1.50") && out.contains("decimal"), "{out}");
    assert_eq!(folder.read("out/prices.csv"), text);
    let out = folder
        .kerai(&["\"in/prices.csv\" csv.import drop \"SELECT note, price FROM prices WHERE id > 1\" sql csv.export"])
        .1;
    assert!(out.ends_with("note,price\n,0.10\n\"\",\n"), "{out}");
}

/// Every real table goes in and comes out with equal fields: quoting, empty and null, every digit.
#[test]
fn real_tables_come_back() {
    let Ok(vectors) = std::env::var("KERAI_VECTORS") else {
        eprintln!("left out: KERAI_VECTORS names no folder with real tables");
        return;
    };
    let folder = Folder::new("real");
    let from = std::path::Path::new(&vectors).join("csv-real");
    let words = format!("\"{}\" csv.import \"out\" csv.export", from.display());
    let (code, _, error) = folder.kerai(&["--quiet", &words]);
    assert_eq!(code, Some(0), "{error}");
    let mut count = 0;
    for entry in std::fs::read_dir(&from).expect("the vectors are there") {
        let path = entry.expect("the vectors can be listed").path();
        if path.extension().is_some_and(|ending| ending == "csv") {
            let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
            let read = |bytes: &[u8]| {
                let mut reader = kerai_words::csv::Reader::new(bytes);
                let mut records = Vec::new();
                while let Some(record) = reader.record(None).expect("a table is CSV") {
                    records.push(record);
                }
                records
            };
            let given = std::fs::read(&path).expect("a vector can be read");
            assert_eq!(read(&folder.bytes(&format!("out/{name}"))), read(&given), "{name}");
            count += 1;
        }
    }
    assert!(count > 0, "there are no tables in `{}`", from.display());
}

/// A terminal: what is typed goes in, what is shown comes out.
struct Terminal {
    process: std::process::Child,
    shown: std::sync::mpsc::Receiver<Vec<u8>>,
}

impl Terminal {
    /// A REPL in a folder of its own; nothing where the machine has no `script`, which makes the terminal.
    fn open(folder: &Folder) -> Option<Terminal> {
        use std::process::{Command, Stdio};
        let mut process = Command::new("script")
            .args(["-qec", env!("CARGO_BIN_EXE_kerai"), "/dev/null"])
            .current_dir(folder.path())
            .env("HOME", folder.path())
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .inspect_err(|fault| eprintln!("left out: `script`, which makes a terminal, can't be run: {fault}"))
            .ok()?;
        let mut out = process.stdout.take()?;
        let (sender, shown) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(count @ 1..) = std::io::Read::read(&mut out, &mut part) {
                if sender.send(part[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Some(Terminal { process, shown })
    }

    /// Types, and waits until something is shown.
    fn type_until(&mut self, keys: &str, wanted: &str) {
        let input = self.process.stdin.as_mut().expect("the terminal takes keys");
        std::io::Write::write_all(input, keys.as_bytes()).expect("the terminal takes keys");
        std::io::Write::flush(input).expect("the terminal takes keys");
        let mut seen = Vec::new();
        while !String::from_utf8_lossy(&seen).contains(wanted) {
            let part = self.shown.recv_timeout(std::time::Duration::from_secs(60));
            seen.extend(part.unwrap_or_else(|_| panic!("no `{wanted}` in {}", String::from_utf8_lossy(&seen))));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_repl_completes_remembers_and_recovers() {
    let folder = Folder::new("repl");
    let Some(mut terminal) = Terminal::open(&folder) else { return };
    terminal.type_until("", "kerai> ");
    terminal.type_until("[1 2\r", "[1 2");
    terminal.type_until("3]\r", "list  [1,2,3]");
    terminal.type_until("1 0 /\r", "division by zero");
    terminal.type_until("drop drop\r", "1  list  [1,2,3]");
    terminal.type_until("dept\t", "depth");
    terminal.type_until("\r", "number  1");
    // Nothing typed is lost, however far ahead of the answers.
    terminal.type_until("drop 20\r1 +\rdrop dept\t\r", "number  1");
    // Nobody says goodbye: the stack and the lines are there all the same.
    drop(terminal);
    let Some(mut terminal) = Terminal::open(&folder) else { return };
    terminal.type_until("", "list  [1,2,3]");
    terminal.type_until("\u{1b}[A", "depth");
    terminal.type_until("\u{15}12 dupp\r", "did you mean `dup`");
    terminal.type_until("dup *\r", "number  144");
}
