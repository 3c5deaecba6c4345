//! Order in the house, as ordinary tests: files, words, modules, manifests, and reference pages that match their tables.

use kerai_compiler::Code as Diagnosis;
use kerai_compiler::lower::merge::lattice::{COMPOUNDS, Lattice};
use kerai_compiler::syntax::policy::schema::{Kind, Schema};
use kerai_compiler::syntax::policy::tree::{Function, Operator, Rounding, UNITS};
use kerai_compiler::syntax::words::{host, library};
use kerai_golden::case::Case;
use kerai_golden::stage::{Role, STAGES};
use kerai_store::code::{Class, Code as Outcome};
use kerai_store::host::Point;
use kerai_vm::bytecode::{ANY, Builtin, Class as LawClass, Exit, Gives, Grounds, Op, Order, Purity, Role as Operand};
use kerai_vm::law::Law;
use kerai_vm::limit;
use kerai_vm::refusal::Code;
use kerai_vm::trap::TrapCode;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The longest file that is still read as one.
const LONGEST_FILE: usize = 800;

/// Files that may be longer, each with the reason.
const LONG_FILES: &[(&str, &str)] = &[
    ("Cargo.lock", "written by a tool"),
    ("bench/Cargo.lock", "written by a tool"),
    ("docs/reference/diagnostics.md", "rendered from a table, a section a code"),
];

/// Words that stand for unfinished work or name a machine. They are split here so that this file may be searched too.
const BANNED: &[&str] = &[
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
    concat!("db", "g!("),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
    concat!("/tm", "p/"),
];

/// Crates that do no I/O, each kept so by a `clippy.toml` of its own.
const PURE: &[&str] = &["vm", "compiler"];

/// A file of the tree: its path from the root, with slashes, and its text. Files that are no text are left out.
struct Source {
    path: String,
    text: String,
}

impl Source {
    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    walk(&root(), "", &mut found);
    assert!(found.iter().any(Source::is_rust), "no source found");
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("the tree can be read").flatten() {
        let name = entry.file_name().into_string().expect("names are text");
        let path = format!("{prefix}{name}");
        if entry.path().is_dir() {
            if !matches!(name.as_str(), "target" | ".git" | ".kerai") {
                walk(&entry.path(), &format!("{path}/"), found);
            }
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            found.push(Source { path, text });
        }
    }
}

/// Fails with all complaints at once.
fn expect_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn files_are_short() {
    let mut complaints = Vec::new();
    for source in sources() {
        let lines = source.text.lines().count();
        if lines > LONGEST_FILE && !LONG_FILES.iter().any(|exception| exception.0 == source.path) {
            complaints.push(format!("{} has {lines} lines: split it at {LONGEST_FILE}", source.path));
        }
    }
    expect_none(&complaints);
}

#[test]
fn no_banned_words() {
    let mut complaints = Vec::new();
    for source in sources() {
        for (number, line) in source.text.lines().enumerate() {
            for word in BANNED.iter().filter(|&&word| line.contains(word)) {
                complaints.push(format!("{}:{}: `{word}`", source.path, number + 1));
            }
        }
    }
    expect_none(&complaints);
}

#[test]
fn every_module_says_its_job() {
    let without = sources().into_iter().filter(|source| source.is_rust() && !source.text.starts_with("//! "));
    expect_none(&without.map(|source| format!("{} does not begin with `//! `", source.path)).collect::<Vec<_>>());
}

/// Whether a manifest of the crates above names the file, or cargo finds it by its place.
fn is_crate_root(path: &str, all: &[Source]) -> bool {
    let named_by = |manifest: &Source| {
        let Some(folder) = manifest.path.strip_suffix("Cargo.toml") else { return false };
        path.strip_prefix(folder).is_some_and(|rest| manifest.text.contains(&format!("path = \"{rest}\"")))
    };
    let by_place = ["src/lib.rs", "src/main.rs", "build.rs"].iter().any(|&place| {
        path.strip_suffix(place)
            .is_some_and(|folder| all.iter().any(|other| other.path == format!("{folder}Cargo.toml")))
    });
    let is_test = path.split_once("/tests/").is_some_and(|(folder, name)| {
        let name = name.strip_suffix("/main.rs").unwrap_or(name);
        !name.contains('/') && all.iter().any(|other| other.path == format!("{folder}/Cargo.toml"))
    });
    by_place || is_test || path.contains("src/bin/") || all.iter().any(named_by)
}

/// The files that could declare the module a file is.
fn possible_parents(path: &str) -> Vec<String> {
    let (folder, _) = path.strip_suffix("/mod.rs").unwrap_or(path).rsplit_once('/').unwrap_or(("", path));
    let files = ["mod.rs", "lib.rs", "main.rs"].map(|file| format!("{folder}/{file}"));
    files.into_iter().chain([format!("{folder}.rs")]).collect()
}

#[test]
fn no_dead_files() {
    let all = sources();
    let mut complaints = Vec::new();
    for source in all.iter().filter(|source| source.is_rust() && !is_crate_root(&source.path, &all)) {
        let stem = source.path.trim_end_matches(".rs").trim_end_matches("/mod").rsplit('/').next().unwrap_or_default();
        let parents = possible_parents(&source.path);
        let declaration = format!("mod {stem};");
        let declares = |line: &str| {
            line.trim_start()
                .trim_start_matches("pub(crate) ")
                .trim_start_matches("pub(super) ")
                .trim_start_matches("pub ")
                .starts_with(&declaration)
        };
        if !all.iter().any(|other| parents.contains(&other.path) && other.text.lines().any(declares)) {
            complaints.push(format!("{} is no module of its crate: declare it or delete it", source.path));
        }
    }
    expect_none(&complaints);
}

/// The names in the workspace's list of members.
fn members() -> Vec<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("the workspace has a manifest");
    let list =
        manifest.split_once("members = [").and_then(|(_, rest)| rest.split_once(']')).expect("members are listed").0;
    list.split(',').map(|name| name.trim().trim_matches('"').to_owned()).filter(|name| !name.is_empty()).collect()
}

#[test]
fn every_crate_keeps_the_lints() {
    let mut complaints = Vec::new();
    for member in members() {
        let manifest = fs::read_to_string(root().join(&member).join("Cargo.toml")).expect("members have manifests");
        if !manifest.contains("[lints]\nworkspace = true\n") {
            complaints.push(format!("{member}/Cargo.toml does not say `[lints] workspace = true`"));
        }
    }
    expect_none(&complaints);
}

#[test]
fn pure_crates_are_kept_pure() {
    for member in members().iter().filter(|member| PURE.contains(&member.as_str())) {
        let page = fs::read_to_string(root().join(member).join("clippy.toml")).unwrap_or_default();
        for banned in [
            "std::fs::read",
            "std::env::var",
            "std::time::Instant::now",
            "std::thread::spawn",
            "std::collections::HashMap",
        ] {
            assert!(
                page.contains(&format!("path = \"{banned}\", reason = \"")),
                "{member}/clippy.toml does not ban {banned}"
            );
        }
    }
}

/// Whether a text holds a time of day, `12:34:56`.
fn has_time(text: &str) -> bool {
    let is_time = |window: &[u8]| {
        window
            .iter()
            .enumerate()
            .all(|(place, byte)| if place % 3 == 2 { *byte == b':' } else { byte.is_ascii_digit() })
    };
    text.as_bytes().windows(8).any(is_time)
}

/// Whether a text holds an absolute path, of Unix or of Windows.
fn has_path(text: &str) -> bool {
    ["/usr/", "/var/", "/etc/", "/opt/", "file://", ":\\"].iter().any(|mark| text.contains(mark))
        || text.contains(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn golden_outputs_know_no_host() {
    let mut complaints = Vec::new();
    for source in sources() {
        if !(source.path.starts_with("golden/") && source.path.ends_with(".txt")) {
            continue;
        }
        let case = Case::parse(&source.text).unwrap_or_else(|fault| panic!("{}: {fault}", source.path));
        for section in case.sections() {
            let is_output = |role: &Role| matches!(role, Role::Output { .. } | Role::Written(_) | Role::Diagnostic);
            let content = section.content();
            if STAGES.iter().any(|stage| stage.name == section.name() && is_output(&stage.role))
                && (has_time(&content) || has_path(&content))
            {
                complaints.push(format!("{}: section `{}` holds a path or a time", source.path, section.name()));
            }
        }
    }
    expect_none(&complaints);
}

/// The page of all limits.
fn limits_page() -> String {
    let mut page = "# Limits\n\nEvery depth, length and size has a limit with a name, under which errors speak of it. \
         A program or a flag may lower a limit, never raise it.\n\n| limit | value | what it bounds |\n|---|---:|---|\n"
        .to_owned();
    for limit in limit::ALL.iter().chain(kerai_compiler::limit::ALL).chain(kerai_store::limit::ALL) {
        let _ = writeln!(page, "| `{}` | {} | {} |", limit.name, limit.value, limit.about.trim());
    }
    page
}

fn code_page(code: Code) -> String {
    let mut page = format!("# {}\n\n**{}**\n\n{}\n", code.name(), code.summary(), code.explanation());
    let is_its = |limit: &&limit::Limit| limit.name.replace('.', "_").eq_ignore_ascii_case(code.name());
    if let Some(limit) = limit::ALL.iter().find(is_its) {
        let _ = writeln!(page, "\nThe limit is [`{}`](../limits.md), {}.", limit.name, limit.value);
    }
    page
}

fn codes_index() -> String {
    let mut page =
        "# Codes\n\nEvery refusal has a code that never changes its meaning. `kerai explain CODE` prints its page.\n\n\
         | code | what is wrong |\n|---|---|\n"
            .to_owned();
    for &code in Code::ALL {
        let _ = writeln!(page, "| [`{0}`]({0}.md) | {1} |", code.name(), code.summary());
    }
    page
}

/// The page of all that an author can be told.
fn diagnostics_page() -> String {
    let mut page =
        "# Diagnostics\n\nWhat an author is told when a source is refused. A code never changes its meaning; \
         `kerai explain CODE` prints its part of this page.\n\n| code | what is wrong |\n|---|---|\n"
            .to_owned();
    for code in Diagnosis::ALL {
        let _ = writeln!(page, "| [`{}`](#{}) | {} |", code.name(), code.name().to_lowercase(), cell(code.summary()));
    }
    for code in Diagnosis::ALL {
        let (name, summary, help, reason) = (code.name(), code.summary(), code.help(), code.page());
        let _ = write!(page, "\n## {name}\n\n**{summary}**\n\nWhat to do: {help}.\n\n{reason}\n");
    }
    page
}

/// What an operand's role is called on the page, how it is written in text, and what it is.
const fn operand_legend(role: Operand) -> (&'static str, &'static str, &'static str) {
    match role {
        Operand::Write => ("write", "`r1`", "a register that is written"),
        Operand::Read => ("read", "`r1`", "a register that is read"),
        Operand::Base => {
            ("window", "`r1`", "the first register of a window; what follows says how many are read and written")
        }
        Operand::Arguments => (
            "arguments",
            "`2`, `2...`",
            "how many registers of the window are read, at most 127; with `...` the last of them is a list whose items follow",
        ),
        Operand::Results => (
            "results",
            "`1`, `all`",
            "how many registers of the window are written; `all` puts the results into one list",
        ),
        Operand::Cursor => (
            "cursor",
            "`r1`",
            "the first of four registers: keys and position are read, position, key and value are written",
        ),
        Operand::Counter => (
            "counter",
            "`r1`",
            "the first of four registers: counter, limit and step are read, counter and variable are written",
        ),
        Operand::Flag => ("flag", "`true`, `false`", "true or false"),
        Operand::Small => ("small", "`-7`", "a signed 16-bit integer"),
        Operand::Integer => ("integer", "`-7`", "a signed 32-bit integer"),
        Operand::Constant => (
            "constant",
            "`\"text\"`, `12.5`, `float(0.1)`, `fixed(0.5)`, `bytes(00ff)`",
            "a constant; each stands once in the program's table, in the order of first use",
        ),
        Operand::Name => ("name", "`.amount`, `\"two words\"`", "a constant that is a string"),
        Operand::Function => ("function", "`0`", "a function of the program by its number"),
        Operand::Builtin => ("built-in", "`emit`", "a [built-in](builtins.md)"),
        Operand::Capture => ("capture", "`0`", "a value that the running function keeps"),
        Operand::Target => {
            ("target", "`@name`", "where to go on: `@name:` stands before an instruction of the same function")
        }
    }
}

/// All roles, in the order in which instructions first have them.
fn operand_roles() -> Vec<Operand> {
    let mut roles = Vec::new();
    for operand in Op::ALL.iter().flat_map(|op| op.information().operands) {
        if !roles.contains(&operand.role) {
            roles.push(operand.role);
        }
    }
    roles
}

/// Text as a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn instructions_page() -> String {
    let mut page = "# Instructions\n\nAn instruction is a word of 64 bits, lowest byte first: the operation's byte, three operands \
         of a byte each, a, b and c, and a wide one of 32 bits. Bits that an instruction does not use are zero. Its cost is gas; \
         a block is charged whole where it is entered, and work that depends on sizes is charged on top.\n\n\
         | byte | name | operands | cost | goes on | meaning |\n|---|---|---|---:|---|---|\n"
        .to_owned();
    for op in Op::ALL {
        let information = op.information();
        let operand = |operand: &kerai_vm::bytecode::Operand| {
            format!("{} {}", format!("{:?}", operand.place).to_lowercase(), operand_legend(operand.role).0)
        };
        let operands = information.operands.iter().map(operand).collect::<Vec<_>>().join(", ");
        let exit = match information.exit {
            Exit::Next => "next",
            Exit::Jump => "target",
            Exit::Branch => "next or target",
            Exit::Leave => "caller",
        };
        let (byte, name, cost, about) = (information.byte, information.name, information.cost, cell(information.about));
        let _ = writeln!(page, "| {byte:02x} | `{name}` | {operands} | {cost} | {exit} | {about} |");
    }
    page.push_str("\n## Operands\n\n| operand | in text | what it is |\n|---|---|---|\n");
    for role in operand_roles() {
        let (name, text, about) = operand_legend(role);
        let _ = writeln!(page, "| {name} | {text} | {about} |");
    }
    page
}

fn builtins_page() -> String {
    let mut page = "# Built-ins\n\nFunctions that every program can call. Their cost comes on top of the call's own, and work \
         that depends on sizes on top of that. A pure one depends on nothing but its arguments, one that reads looks into \
         tables, and one that acts makes or changes a table, or emits.\n\n\
         | number | name | arguments | results | effect | cost | meaning |\n|---:|---|---|---|---|---:|---|\n"
        .to_owned();
    for builtin in Builtin::ALL {
        let arguments = match builtin.arguments() {
            (least, ANY) => format!("{least} or more"),
            (least, most) if least == most => least.to_string(),
            (least, most) => format!("{least} to {most}"),
        };
        let results = match builtin.gives() {
            Gives::Nothing => "0",
            Gives::One => "1",
            Gives::Many => "many",
        };
        let effect = match builtin.purity() {
            Purity::Pure => "pure",
            Purity::Reads => "reads",
            Purity::Acts => "acts",
        };
        let (number, name, cost, about) = (builtin.number(), builtin.name(), builtin.cost(), cell(builtin.about()));
        let _ = writeln!(page, "| {number} | `{name}` | {arguments} | {results} | {effect} | {cost} | {about} |");
    }
    page
}

fn traps_page() -> String {
    let mut page = "# Traps\n\nHow a program ends that can't go on. A trap is a result: the same code, function and \
                    instruction everywhere. A protected call catches all but those that mean that a limit was passed.\n\n\
                    | code | meaning | can be caught |\n|---|---|---|\n"
        .to_owned();
    for code in TrapCode::ALL {
        let caught = if code.is_resource() { "no" } else { "yes" };
        let _ = writeln!(page, "| `{}` | {} | {caught} |", code.name(), cell(code.summary()));
    }
    page
}

fn outcomes_page() -> String {
    let mut page = "# Outcomes\n\nWhat becomes of an op that is not admitted, and why the store says no. A code never changes its \
                    meaning. `kerai explain CODE` prints what stands here.\n\n\
                    - **denied**, **rejected**: the op has a position in the log, for ever, and is not folded.\n\
                    - **refused**: it has none; it is counted, or kept as evidence of a fork.\n\
                    - **store**: no op is at fault.\n"
        .to_owned();
    for class in [Class::Denied, Class::Rejected, Class::Refused, Class::Store] {
        let _ = writeln!(page, "\n## {}\n\n| code | what is wrong | what to do |\n|---|---|---|", class.name());
        for code in Outcome::ALL.iter().filter(|code| code.class() == class) {
            let _ = writeln!(page, "| `{}` | {} | {} |", code.name(), cell(code.summary()), cell(code.explanation()));
        }
    }
    page.push_str("\n## Write points\n\nWhatever ends the process at one of these, the store resumes to the same bytes.\n\n| point | where |\n|---|---|\n");
    for point in Point::ALL {
        let _ = writeln!(page, "| `{}` | {} |", point.name(), point.about());
    }
    page
}

fn policy_page() -> String {
    let mut page = "# Policies\n\nA file `.rgs` is one rule, or several under `rules:`. A rule has `id`, `when`, \
                    `allow_if` (all must hold), `deny_if` (any suffices), `audit` and `reason`. Deny wins; what no rule \
                    decides is denied by `default`. A condition is true, false or unknown: what is missing, of another kind, out \
                    of range or divided by zero is unknown. Unknown is false in `allow_if` and true in `deny_if`; an unknown \
                    `when` does not apply a rule that allows, and does apply one that denies.\n\n\
                    `when` is a list of conditions, or a mapping from attributes to a value or a list of them; an attribute of \
                    the kind `path` takes forms, where `*` is one segment and `**` any number. `constants` is a mapping from names \
                    to scalars and lists of them. `inputs` declares the attributes: a word below, `[KIND]` for a list, \
                    `{\"*\": KIND}` for a map with any keys, `{name: KIND}` for these. Without it those of the last table hold.\n\n\
                    ## Conditions\n\nConditions are joined by `and`, `or`, `not` and parentheses. `has x` is true or unknown, \
                    never false. `has_cap x` is `caps includes x`, `before_epoch n` is `epoch < n`. Values are numbers, strings between \
                    `'` or `\"`, `true`, `false`, lists `[a, b]`, attributes, and what they hold: `a.b`, `a[key]`. Both sides of a \
                    comparison must be of one kind, else it is unknown.\n\n| operator | holds, or gives |\n|---|---|\n"
        .to_owned();
    for operator in Operator::ALL {
        let _ = writeln!(page, "| `{}` | {} |", operator.text(), cell(operator.about()));
    }
    page.push_str("\n| function | gives |\n|---|---|\n");
    for function in Function::ALL {
        let _ = writeln!(page, "| `{}(x)` | {} |", function.text(), cell(function.about()));
    }
    page.push_str("\n## Kinds\n\n| word | what is declared |\n|---|---|\n");
    for (word, kind) in Kind::WORDS {
        let _ = writeln!(page, "| `{word}` | {kind} |");
    }
    page.push_str("\n| attribute | kind |\n|---|---|\n");
    for (name, kind) in Schema::standard().attributes {
        let _ = writeln!(page, "| `{name}` | {kind} |");
    }
    page.push_str(
        "\n## Prices\n\nA file whose rules have `price` is a price list, asked by `kerai price`. A rule has `id`, `scope`, \
         `when`, `price`, `rounding` and `reason`. `scope` is the path of a subtree, without stars; the rule for the smallest \
         subtree says the price, of several the one with the least id whose `when` holds. What is unknown gives no price, and \
         there are no defaults, so nothing gets cheaper by leaving it out: an unknown `scope` or `when` ends the search, and \
         so does an unknown number, a negative quantity, or a sum below zero.\n\n`price` is a number, a mapping of terms, or \
         a list of them; their amounts are added up in order. Every number may be a text that computes it. A term may have a \
         `name`, and an `if` like `when`: where it is false the term is left out. Without `inputs` those of the table above \
         hold, and `nodes`, `queries`, `ops`.\n\n| term | amount |\n|---|---|\n",
    );
    for (unit, input) in UNITS {
        let _ = writeln!(page, "| `{unit}: N` | `N` for each of `{input}` |");
    }
    page.push_str(
        "| `base: N` | `N` |\n\
         | `units: { of: Q, each: N }` | `Q` times `N` |\n\
         | `tiers: { of: Q, tiers: [{ to: T, each: N }, …, { each: N }] }` | what of `Q` lies within each tier, times its `N` |\n\
         | `percent: N` | so many hundredths of the sum before it; less than zero it is a discount |\n\
         | `auction: { start, decrement, interval, floor, begin, now }` | `start` less `decrement` for each whole `interval` \
         from `begin` to `now`, at least `floor`; before `begin` it is `start` |\n\n\
         Amounts are exact decimals, rounded once at 18 places where they must be. The sum becomes whole credits by \
         `rounding`, which stands among the terms where it changes anything.\n\n| rounding | to |\n|---|---|\n",
    );
    for rounding in Rounding::ALL {
        let _ = writeln!(page, "| `{}` | {} |", rounding.text(), cell(rounding.about()));
    }
    page
}

fn lattices_page() -> String {
    let mut page = "# Merge folds\n\nA merge fold `.yaml` says by which lattice each part of a payload is merged: `version: 1`, `inputs` \
                    (globs over a resource's namespace and path, by default all), `reducers`, `emit`, and if wished `conflicts` \
                    (where what nothing covers is emitted, by default `governance/conflicts`), `order` and `key` (the \
                    fold is one for each value at that path). A reducer has `kind`, and `id`, `key`, `value`, `remove`, `adds`, \
                    `concurrent`, `fields` or `ignore` as its kind asks. Paths are JSONPath of \
                    names and indexes, with `[*]` at the end where many values are meant.\n\n\
                    ## Lattices\n\n| kind | keeps | takes |\n|---|---|---|\n"
        .to_owned();
    for lattice in Lattice::ALL {
        let _ =
            writeln!(page, "| `{}` | {} | {} |", lattice.name(), cell(lattice.about()), cell(lattice.takes().about()));
    }
    page.push_str("\n## Kinds that are made of others\n\n| kind | keeps |\n|---|---|\n");
    for (name, about) in COMPOUNDS {
        let _ = writeln!(page, "| `{name}` | {} |", cell(about));
    }
    page.push_str("\n## Orders\n\n`order:` in a merge fold, `--!order` in Lua. Merge folds, and folds of `lift` and `join`, are in the order `join` unless they say another; all others in the order `ulid`.\n\n| order | operations come in |\n|---|---|\n");
    for order in Order::ALL {
        let _ = writeln!(page, "| `{}` | {} |", order.name(), cell(order.about()));
    }
    page.push_str("\n## Laws\n\n`kerai laws FOLD` says of which class a fold's joins are, and by what that is known; else it shows the least states that break a law.\n\n| class | |\n|---|---|\n");
    for class in LawClass::ALL {
        let _ = writeln!(page, "| `{}` | {} |", class.name(), cell(class.about()));
    }
    page.push_str("\n| law | |\n|---|---|\n");
    for law in Law::ALL {
        let _ = writeln!(page, "| `{}` | {} |", law.name(), cell(law.about()));
    }
    page.push_str("\n| grounds | |\n|---|---|\n");
    for (name, about) in Grounds::ALL {
        let _ = writeln!(page, "| `{name}` | {} |", cell(about));
    }
    page
}

fn words_page() -> String {
    let mut page = "# Words\n\nWhat stands before `--` is taken from the stack, what stands behind it is left there, the top \
                    last. `[a -- b]` is a quotation with its own effect. [The guide](../words.md) says how sources are written.\n\n\
                    | word | effect | what it does |\n|---|---|---|\n"
        .to_owned();
    let row = |page: &mut String, name: &str, effect: &str, about: &str| {
        let _ = writeln!(page, "| `{name}` | `{effect}` | {} |", cell(about));
    };
    let words = library::names().filter_map(library::word);
    words.for_each(|word| row(&mut page, word.name, &word.effect, word.about));
    page.push_str(
        "\n## Host words\n\nThey have effects on the world: they run in a session and are part of no program. What stands in \
         parentheses may be absent.\n\n| word | effect | what it does |\n|---|---|---|\n",
    );
    host::ALL.iter().for_each(|word| row(&mut page, word.name, word.effect, word.about));
    page
}

/// The reference pages: path and text, rendered from the tables.
fn pages() -> Vec<(String, String)> {
    let mut pages = vec![
        ("docs/reference/limits.md".to_owned(), limits_page()),
        ("docs/reference/diagnostics.md".to_owned(), diagnostics_page()),
        ("docs/reference/instructions.md".to_owned(), instructions_page()),
        ("docs/reference/builtins.md".to_owned(), builtins_page()),
        ("docs/reference/traps.md".to_owned(), traps_page()),
        ("docs/reference/gas.md".to_owned(), kerai_tests::gas::page()),
        ("docs/reference/outcomes.md".to_owned(), outcomes_page()),
        ("docs/reference/policies.md".to_owned(), policy_page()),
        ("docs/reference/merge-folds.md".to_owned(), lattices_page()),
        ("docs/reference/words.md".to_owned(), words_page()),
        ("docs/reference/codes/README.md".to_owned(), codes_index()),
    ];
    pages.extend(Code::ALL.iter().map(|&code| (format!("docs/reference/codes/{}.md", code.name()), code_page(code))));
    pages
}

#[test]
fn reference_pages_match_their_tables() {
    let pages = pages();
    if env::var("KERAI_BLESS").is_ok_and(|value| value == "1") {
        for (path, text) in &pages {
            let path = root().join(path);
            fs::create_dir_all(path.parent().expect("pages lie in folders")).expect("the folder can be made");
            fs::write(path, text).expect("the page can be written");
        }
    }
    let hint = "run `KERAI_BLESS=1 cargo test -p kerai-tests --test tidy` and review the diff";
    let mut complaints = Vec::new();
    for (path, text) in &pages {
        if fs::read_to_string(root().join(path)).ok().as_ref() != Some(text) {
            complaints.push(format!("{path} is not what its table says: {hint}"));
        }
    }
    for source in sources().iter().filter(|source| source.path.starts_with("docs/reference/codes/")) {
        if !pages.iter().any(|page| page.0 == source.path) {
            complaints.push(format!("{} is the page of no code: delete it", source.path));
        }
    }
    expect_none(&complaints);
}
