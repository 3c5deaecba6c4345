//! Lua sources that nobody chose: mutated, random and deep ones. Reading ends, formatting changes no tree.

use kerai_compiler::syntax::lua::{check, format, lint, parse, show};
use kerai_compiler::{Code, Source, apply_fixes};
use kerai_tests::property::{Random, Run};
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

/// What must hold for every text.
fn judge(text: &str) {
    let parsed = parse(text);
    for diagnostic in &parsed.diagnostics {
        let written = text.get(diagnostic.span.start as usize..diagnostic.span.end as usize);
        assert!(written.is_some(), "{}: a place outside of the source or within a character", diagnostic.code.name());
    }
    let Ok(formatted) = format(text) else {
        assert!(!parsed.diagnostics.is_empty());
        return;
    };
    assert!(parsed.diagnostics.is_empty());
    let again = parse(&formatted);
    assert!(again.diagnostics.is_empty(), "{:?}\n{text}\n---\n{formatted}", again.diagnostics);
    assert_eq!(show(&again.chunk), show(&parsed.chunk), "\n{text}\n---\n{formatted}");
    assert_eq!(format(&formatted).as_ref(), Ok(&formatted), "\n{text}");
    assert_eq!(comments(&formatted), comments(text), "\n{text}\n---\n{formatted}");
    let hazards = lint(&parsed.chunk);
    assert_eq!(hazards.is_empty(), check(text).is_ok());
}

/// The letters of a text outside of which layout is free: what formatting may neither lose nor add.
fn comments(text: &str) -> String {
    // Separators may come and go: `;` between statements, `,` or `;` at the end of a table.
    text.trim_start_matches('\u{feff}')
        .chars()
        .filter(|point| !point.is_ascii_whitespace() && !matches!(point, '\u{b}' | ',' | ';'))
        .collect()
}

/// A source that has everything.
const SAMPLE: &str = r#"#!kerai
--!order commit
--[[ head ]] local a --[[ name ]] <const> = --[==[ value ]==] 1 -- trailing
local t = { 1, x = 2, ["y"] = 3; f = function(...) return ... end, -- f
  -- own
  [ [[long]] ] = 'str\'ing\n', { {}, {1} } }

function t.m.n:o(p, ...) -- parameters
  for i = 1, 10, 2 do if i == 3 then break end end
  for k, v in dpairs(t) do t[k] = v // 2 ^ -k .. "x" end
  while not a do a = -(-a) - -a; break end
  repeat local z = #t until z >= 0 and z ~= 1 or z <= 2 -- until
  goto done ::done::
  do local b, c = a & 1 | 2 ~ 3 << 4 >> 5, ~a end; (p)()
  return self:o(p, ...), t.f "s" { 1 } [[l]], 0x1F, 1e-3, .5, nil, true, false
end
local function g() if a then return end if a then elseif t then a() else t() end end
g( -- first
  a, function() g() end)
"#;

/// Pieces that syntax is made of.
const PIECES: &[&str] = &[
    "and",
    "break",
    "do",
    "else",
    "elseif",
    "end",
    "false",
    "for",
    "function",
    "goto",
    "if",
    "in",
    "local",
    "nil",
    "not",
    "or",
    "repeat",
    "return",
    "then",
    "true",
    "until",
    "while",
    "+",
    "-",
    "*",
    "/",
    "//",
    "%",
    "^",
    "#",
    "&",
    "~",
    "|",
    "<<",
    ">>",
    "==",
    "~=",
    "<=",
    ">=",
    "<",
    ">",
    "=",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "::",
    ";",
    ":",
    ",",
    ".",
    "..",
    "...",
    "a",
    "b",
    "1",
    "0x2",
    "3.5",
    "\"s\"",
    "'t'",
    "[[u]]",
    "[=[v]=]",
    "--c\n",
    "--[[d]]",
    "--[[e\n]]",
    "\n",
    "\n\n",
    " ",
    "--!rng\n",
    "\r\n",
    "\t",
    "\\",
    "\"",
    "'",
    "é",
    "\u{0}",
];

#[test]
fn mutated_sources_are_read_or_refused() {
    let run = Run::new("mutated lua", 3_000, 300_000);
    let mut random = Random::new(run.seed);
    run.each(|_| {
        let mut points: Vec<char> = SAMPLE.chars().collect();
        for _ in 0..=random.below(4) {
            let at = random.below(points.len() as u64) as usize;
            match random.below(4) {
                0 => drop(points.drain(at..points.len().min(at + 1 + random.below(12) as usize))),
                1 => drop(points.splice(at..at, random.pick(PIECES).chars())),
                2 => {
                    let end = points.len().min(at + random.below(40) as usize);
                    let copy: Vec<char> = points.get(at..end).unwrap_or_default().to_vec();
                    let to = random.below(points.len() as u64) as usize;
                    drop(points.splice(to..to, copy));
                }
                _ => drop(points.splice(at..=at, random.pick(PIECES).chars())),
            }
            if points.is_empty() {
                break;
            }
        }
        judge(&points.into_iter().collect::<String>());
    });
}

#[test]
fn random_pieces_are_read_or_refused() {
    let run = Run::new("random pieces of lua", 5_000, 500_000);
    let mut random = Random::new(run.seed);
    run.each(|_| {
        let count = random.below(30);
        let separator = *random.pick(&["", " "]);
        let pieces: Vec<&str> = (0..count).map(|_| *random.pick(PIECES)).collect();
        judge(&pieces.join(separator));
    });
}

/// Programs made from the grammar down, so that most of what is judged is accepted.
struct Writer<'r> {
    random: &'r mut Random,
    text: String,
    fuel: u64,
}

impl Writer<'_> {
    /// Between two tokens: blanks, line ends or comments.
    fn gap(&mut self) {
        let gap = match self.random.below(24) {
            0 => "\n",
            1 => " --[[c]] ",
            2 => " -- c\n",
            3 => "\n\n\n-- own\n",
            4 => "\n--[[c\nd]]\n",
            5 => "\n--[[c]]--[[d]] ",
            6 => "--[==[c]==]\n",
            _ => " ",
        };
        self.text.push_str(gap);
    }

    fn put(&mut self, tokens: &str) {
        for token in tokens.split(' ') {
            self.text.push_str(token);
            self.gap();
        }
    }

    fn choice(&mut self, count: u64) -> u64 {
        if self.fuel == 0 {
            return 0;
        }
        self.fuel -= 1;
        self.random.below(count)
    }

    fn several(&mut self, part: fn(&mut Self), separator: &str) {
        part(self);
        while self.choice(3) == 1 {
            self.put(separator);
            part(self);
        }
    }

    fn name(&mut self) {
        let name = *self.random.pick(&["a", "b", "long_name_of_a_variable", "t", "another_name_that_is_quite_long"]);
        self.put(name);
    }

    fn names(&mut self) {
        self.several(Self::name, ",");
    }

    fn block(&mut self) {
        while self.choice(4) > 1 {
            self.statement();
            if self.random.below(4) == 0 {
                self.put(";");
            }
        }
        if self.choice(6) == 1 {
            self.put("return");
            if self.choice(3) > 0 {
                self.expressions();
            }
        }
    }

    fn statement(&mut self) {
        match self.choice(14) {
            0 => self.put("break"),
            1 => {
                self.several(Self::variable, ",");
                self.put("=");
                self.expressions();
            }
            2 | 3 => self.call(),
            4 => self.around("do", "end"),
            5 => {
                self.put("while");
                self.expression();
                self.around("do", "end");
            }
            6 => {
                self.around("repeat", "until");
                self.expression();
            }
            7 => {
                self.put("if");
                self.expression();
                self.put("then");
                self.block();
                while self.choice(3) == 1 {
                    self.put("elseif");
                    self.expression();
                    self.put("then");
                    self.block();
                }
                if self.choice(2) == 1 {
                    self.put("else");
                    self.block();
                }
                self.put("end");
            }
            8 => {
                self.put("for i = 1 ,");
                self.expression();
                self.around("do", "end");
            }
            9 => {
                self.put("for");
                self.names();
                self.put("in");
                self.expressions();
                self.around("do", "end");
            }
            10 => {
                self.put("function a . b : c");
                self.function();
            }
            11 => {
                self.put("local function f");
                self.function();
            }
            12 => {
                self.put("local");
                self.names();
                if self.choice(2) == 1 {
                    self.put("< const >");
                }
                if self.choice(3) > 0 {
                    self.put("=");
                    self.expressions();
                }
            }
            _ => self.put(":: l :: goto l"),
        }
    }

    fn around(&mut self, opener: &str, closer: &str) {
        self.put(opener);
        self.block();
        self.put(closer);
    }

    fn function(&mut self) {
        self.put("(");
        match self.choice(3) {
            0 => {}
            1 => self.put("..."),
            _ => {
                self.names();
                self.put(", ...");
            }
        }
        self.around(")", "end");
    }

    fn variable(&mut self) {
        match self.choice(3) {
            0 => self.name(),
            1 => {
                self.prefix();
                self.put(".");
                self.name();
            }
            _ => {
                self.prefix();
                self.put("[");
                self.expression();
                self.put("]");
            }
        }
    }

    fn prefix(&mut self) {
        match self.choice(4) {
            0 | 1 => self.variable(),
            2 => self.call(),
            _ => {
                self.put("(");
                self.expression();
                self.put(")");
            }
        }
    }

    fn call(&mut self) {
        self.prefix();
        if self.choice(4) == 1 {
            self.put(":");
            self.name();
        }
        match self.choice(4) {
            0 => self.put("( )"),
            1 => self.string(),
            2 => self.table(),
            _ => {
                self.put("(");
                self.expressions();
                self.put(")");
            }
        }
    }

    fn string(&mut self) {
        let string = *self.random.pick(&[
            "\"a\"",
            "'b'",
            "[[c]]",
            "[==[\nd]==]",
            "\"a\\\nb\"",
            "'a_rather_long_string_of_text'",
        ]);
        self.text.push_str(string);
        self.gap();
    }

    fn table(&mut self) {
        self.put("{");
        while self.choice(4) > 1 {
            match self.choice(3) {
                0 => self.expression(),
                1 => {
                    self.put("k =");
                    self.expression();
                }
                _ => {
                    self.put("[");
                    self.expression();
                    self.put("] =");
                    self.expression();
                }
            }
            let separator = *self.random.pick(&[",", ";"]);
            self.put(separator);
        }
        if self.choice(2) == 1 {
            self.put("1");
        }
        self.put("}");
    }

    fn expressions(&mut self) {
        self.several(Self::expression, ",");
    }

    fn expression(&mut self) {
        match self.choice(11) {
            0 | 1 => self.name(),
            2 => {
                let literal = *self.random.pick(&["nil", "true", "false", "1", "0x1F", "1.5e3", ".5", "3.", "..."]);
                self.put(literal);
            }
            3 => self.string(),
            4 => self.table(),
            5 => self.prefix(),
            6 => {
                self.put("function");
                self.function();
            }
            7 => {
                let operator = *self.random.pick(&["-", "not", "#", "~"]);
                self.put(operator);
                self.expression();
            }
            _ => {
                self.expression();
                let operator = *self.random.pick(&[
                    "or", "and", "<", ">", "<=", ">=", "~=", "==", "|", "~", "&", "<<", ">>", "..", "+", "-", "*", "/",
                    "//", "%", "^",
                ]);
                self.put(operator);
                self.expression();
            }
        }
    }
}

#[test]
fn generated_sources_keep_their_tree() {
    let run = Run::new("generated lua", 3_000, 300_000);
    let mut random = Random::new(run.seed);
    let mut accepted = 0_u64;
    let mut count = 0_u64;
    run.each(|_| {
        let fuel = 5 + random.below(200);
        let mut writer = Writer { random: &mut random, text: String::new(), fuel };
        writer.block();
        accepted += u64::from(parse(&writer.text).diagnostics.is_empty());
        count += 1;
        judge(&writer.text);
    });
    // A `return` in the middle, or a call before a parenthesis, is refused or read otherwise; most are not.
    assert!(accepted * 10 > count * 7, "{accepted} of {count} are accepted");
}

#[test]
fn random_bytes_are_read_or_refused() {
    let run = Run::new("random bytes as lua", 3_000, 300_000);
    let mut random = Random::new(run.seed);
    run.each(|_| {
        let bound = *random.pick(&[128, 256]);
        let bytes: Vec<u8> = (0..random.below(60)).map(|_| random.below(bound) as u8).collect();
        if let Ok(source) = Source::read(&bytes) {
            judge(source.text());
        }
    });
}

#[test]
fn what_is_long_or_deep_ends() {
    let repeat = |text: &str| text.repeat(100_000);
    let flat = [
        repeat("a = a + 1\n"),
        repeat("local function f(x) return x end\n"),
        format!("return {{{}}}", repeat("1, ")),
        format!("local a\nif a then\n{} end", repeat("elseif a then a = 1\n")),
        format!("a = f({}1)", repeat("2,")),
        repeat("-- comment\n"),
        repeat("--[[c]]"),
        format!("a = 1 {}", repeat("--[[c]]")),
        repeat(";"),
        repeat("::a::\n"),
    ];
    for text in flat {
        assert!(parse(&text).diagnostics.is_empty(), "{}", text.get(..60).unwrap_or_default());
        assert!(format(&text).is_ok());
    }
    let deep = [
        "(",
        "{",
        "[",
        "-",
        "not ",
        "a.",
        "a(",
        "a[",
        "f{",
        "{{",
        "a^",
        "a..",
        "a+",
        "function() ",
        "do ",
        "if a then ",
        "while a do ",
        "repeat ",
        "for i=1,2 do ",
        "if a then else ",
        "local function f() return ",
        "[[",
        "[=",
        "--[[",
        "\"",
        "\\",
        ")",
        "end ",
        "} ",
        "else ",
        "a ",
        "1 ",
        ":: ",
        "= ",
        "a = ",
        "f(function() ",
        "--!rng\n",
        "$",
        "é",
        "$\n",
        "0x",
    ];
    for unit in deep {
        let text = repeat(unit);
        for text in [text.clone(), format!("a = {text}"), format!("{text}1"), format!("return {text}")] {
            assert!(parse(&text).diagnostics.len() <= 501, "{unit}");
            assert!(lint(&parse(&text).chunk).len() <= 501, "{unit}");
        }
    }
}

#[test]
fn fixes_are_made_once_and_leave_nothing_to_fix() {
    let mut text = "local t = {}\n".to_owned();
    for number in 0..700 {
        let _ = writeln!(text, "for k{number} in pairs(t) do emit('p', k{number}, pairs) end");
    }
    let mut fixed = 0;
    while let Err(diagnostics) = check(&text) {
        assert!(diagnostics.iter().all(|found| matches!(found.code, Code::LUA_PAIRS | Code::SOURCE_MISTAKES)));
        let (next, count) = apply_fixes(&text, &diagnostics);
        assert!(count > 0);
        (text, fixed) = (next, fixed + count);
    }
    assert_eq!(fixed, 1_400);
    assert!(!text.contains(" pairs"));
}

/// Sources of stock Lua's own tests that are not UTF-8: they test bytes.
const NOT_TEXT: &[&str] = &["lua-puc54/reduced/strings.lua", "lua-puc54/testes/strings.lua"];

#[test]
fn what_stock_lua_reads_is_read() {
    let Ok(folder) = env::var("KERAI_VECTORS") else { return };
    let mut count = 0;
    for name in ["lua-puc54/reduced", "lua-puc54/testes", "lua-piccolo/scripts"] {
        for entry in fs::read_dir(Path::new(&folder).join(name)).expect("the vectors are there").flatten() {
            let name = format!("{name}/{}", entry.file_name().to_string_lossy());
            if !name.ends_with(".lua") {
                continue;
            }
            let bytes = fs::read(entry.path()).expect("the file can be read");
            let latin: String;
            let text = match Source::read(&bytes) {
                Ok(source) => source.text().to_owned(),
                Err(refused) => {
                    assert!(
                        NOT_TEXT.contains(&&*name) && refused.code == Code::SOURCE_UTF8,
                        "{name}: {}",
                        refused.message
                    );
                    // Byte for byte as characters they are text, and everything else of them is read.
                    latin = bytes.iter().map(|&byte| char::from(byte)).collect();
                    latin
                }
            };
            let diagnostics = parse(&text).diagnostics;
            assert!(
                diagnostics.is_empty(),
                "{name}: {}",
                diagnostics.first().map(|found| found.describe(&text)).unwrap_or_default()
            );
            judge(&text);
            count += 1;
        }
    }
    for name in ["lua-puc54", "lua-gopher"] {
        let lines =
            fs::read_to_string(Path::new(&folder).join(name).join("assertions.jsonl")).expect("the vectors are there");
        for line in lines.lines() {
            let case: serde_json::Value = serde_json::from_str(line).expect("each line is JSON");
            let code = case.get("code").and_then(serde_json::Value::as_str).expect("each case has code");
            let diagnostics = parse(code).diagnostics;
            assert!(
                diagnostics.is_empty(),
                "{code}: {}",
                diagnostics.first().map(|found| found.describe(code)).unwrap_or_default()
            );
            judge(code);
            count += 1;
        }
    }
    println!("{count} sources are read, and formatted without a change of their tree");
    assert!(count > 500);
}
