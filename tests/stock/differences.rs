//! The page of what differs from stock Lua: rendered from the table, its examples run on both.

use crate::oracle::Stock;
use kerai_golden::MAP_SEED;
use kerai_tests::differences::{DIFFERENCES, Difference};
use kerai_tests::lua::{self, Ending};
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

const PAGE: &str = "docs/lua-differences.md";

const HEAD: &str = "# What differs from stock Lua 5.4

This page is rendered from the table in `tests/src/differences.rs`; each example was run on stock Lua and on kerai.
The suites of stock Lua and generated programs are judged by the same table: where they and kerai part, one of these
differences has to explain it. A name after *refused* is a code that `kerai explain` says more of, and so is one after
*traps*.
";

/// What an example comes to on both.
fn outcomes(example: &str) -> (String, String) {
    let stock = Stock::new().values(example).map_or_else(|fault| fault, |values| values.join(", "));
    let kerai = match lua::run(example, MAP_SEED) {
        Ending::Gave(values) => {
            let plain = |value: &String| match value.strip_prefix("float(").and_then(|text| text.strip_suffix(')')) {
                Some(text) if text.contains('.') => text.to_owned(),
                Some(text) => format!("{text}.0"),
                None => value.clone(),
            };
            values.iter().map(plain).collect::<Vec<_>>().join(", ")
        }
        Ending::Refused(found) => format!("refused: {}", found.first().map_or("", |found| found.0)),
        Ending::Trapped(code, _) => format!("traps: {}", code.name()),
        Ending::Broken(fault) => panic!("{example}: {fault}"),
    };
    (stock, kerai)
}

fn section(difference: &Difference, hidden: &mut Vec<&str>) -> String {
    let Difference { name, stock, kerai, why, examples, .. } = difference;
    let mut text =
        format!("\n## {}{}\n\n", name.get(..1).unwrap_or_default().to_uppercase(), name.get(1..).unwrap_or_default());
    let _ = writeln!(text, "**Stock Lua:** {stock}\n\n**kerai:** {kerai}\n\n**Why:** {why}\n\n```lua");
    let mut is_seen = false;
    for example in *examples {
        let (stock, kerai) = outcomes(example);
        is_seen |= stock != kerai;
        let _ = writeln!(text, "{example}\n--> stock Lua: {stock}\n--> kerai: {kerai}");
    }
    if !is_seen {
        hidden.push(name);
    }
    text + "```\n"
}

#[test]
fn the_page_says_what_differs() {
    let (mut page, mut hidden) = (HEAD.to_owned(), Vec::new());
    DIFFERENCES.iter().for_each(|difference| page.push_str(&section(difference, &mut hidden)));
    assert!(hidden.is_empty(), "no example shows that {hidden:?}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(PAGE);
    if env::var("KERAI_BLESS").is_ok_and(|value| value == "1") {
        fs::write(&path, &page).expect("the page can be written");
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "{PAGE} is stale: run `KERAI_BLESS=1 cargo test -p kerai-tests --test stock` and review the diff"
    );
}
