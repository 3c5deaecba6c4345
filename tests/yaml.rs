//! YAML that nobody chose: mutated, random and deep. Reading ends soon, every place is one of the source, and what is
//! read at once is what the parser reads.

use kerai_compiler::Span;
use kerai_compiler::syntax::yaml::tree::{Kind, Node};
use kerai_compiler::syntax::yaml::{parse, read};
use kerai_tests::property::{Random, Run};
use std::time::{Duration, Instant};

/// What must hold for every text.
fn judge(text: &str) {
    let is_place = |span: Span| text.get(span.start as usize..span.end as usize).is_some();
    let outcome = read(text);
    assert_eq!(outcome, parse(text), "{text:?}");
    match outcome {
        Ok(node) => places(&node, &is_place),
        Err(refused) => {
            assert!(!refused.is_empty());
            for found in refused {
                assert!(is_place(found.span), "{}: a place outside of the source: {text:?}", found.code.name());
            }
        }
    }
}

fn places(node: &Node, is_place: &dyn Fn(Span) -> bool) {
    assert!(is_place(node.span), "{node:?}");
    match &node.kind {
        Kind::Scalar(_) => {}
        Kind::Sequence(items) => items.iter().for_each(|item| places(item, is_place)),
        Kind::Mapping(entries) => entries.iter().for_each(|entry| {
            assert!(is_place(entry.key.span), "{entry:?}");
            places(&entry.value, is_place);
        }),
    }
}

/// A document that has everything.
const SAMPLE: &str = "%YAML 1.2\n--- # é\nversion: 1\ninputs: [\"gatos/**\", 'it''s', a b]\nreducers:\n  - kind: map-join-lww # ö\n    \
    key: \"$.id\\u00e9\\x41\"\n    text: |+2\n        two\n\n      one\n    folded: >-\n      a\n      b\n  - {a: {b: [c, d: e]}, ? f : g, h}\n\
    - &x !!str \"y\n   z\"\n- *x\n? [k]\n: v\n<<: w\n...\n";

const PIECES: &[&str] = &[
    "- ", ": ", "? ", "[", "]", "{", "}", ",", "\n", "\n  ", "\t", " ", "\"", "'", "|", ">", "&a ", "*a", "!t ", "#",
    " #", "%", "---\n", "...\n", "é", "\u{feff}", "\r\n", "\r", "<<", "a", "0", "-", "\\", "@", "`", "|1-\n",
    "\u{2028}", "\u{85}", "日",
];

#[test]
fn texts_that_are_nearly_right_are_read_or_refused() {
    let run = Run::new("yaml mutated", 20_000, 2_000_000);
    let mut random = Random::new(run.seed);
    let places: Vec<usize> = SAMPLE.char_indices().map(|(place, _)| place).collect();
    run.each(|_| {
        let mut text = SAMPLE.to_owned();
        if random.below(2) == 0 {
            text = text.lines().skip(2).take(11).collect::<Vec<_>>().join("\n");
        }
        for _ in 0..=random.below(4) {
            let cut = |text: &str, place: usize| {
                (0..=place.min(text.len())).rev().find(|place| text.is_char_boundary(*place))
            };
            let from = cut(&text, *random.pick(&places)).unwrap_or(0);
            let to = cut(&text, from + random.below(8) as usize).unwrap_or(from).max(from);
            let piece = if random.below(3) == 0 { "" } else { *random.pick(PIECES) };
            text.replace_range(from..to, piece);
        }
        judge(&text);
    });
}

/// Values as they are mostly written, and some that are nearly so.
const VALUES: &[&str] = &[
    "a",
    "word",
    "two words",
    "caps includes 'x:y'",
    "\"quoted\"",
    "'single'",
    "\"a # b: c\"",
    "'it''s'",
    "\"\\n\"",
    "12",
    "-1",
    "1.50",
    "true",
    "no",
    "null",
    "~",
    "0x1f",
    "1:30",
    "a/b/**",
    "**/b",
    "a:b",
    "a: b",
    "a #c",
    "a#c",
    "$.id",
    "(a)",
    "/x",
    "_",
    "[]",
    "{}",
    "[a, b]",
    "[a b, 'c', \"d\"]",
    "{a: b, \"c\": d}",
    "{a: [b, {c: d}], e: f}",
    "[a, ]",
    "{a}",
    "[a: b]",
    "{a:b}",
    "{\"a\":b}",
    "[a,b]",
    "[ a ,  b ]",
    "{ a: b }",
    "[[]]",
    "[a: ]",
    "",
    "|",
    "a]",
    "a, b",
    "[a # b]",
    "[a: b, c]",
    "x-",
];
const KEYS: &[&str] =
    &["a", "b", "key", "two words", "\"q\"", "'s'", "1", "a-b", "<<", "x:y", "$", "true", "a ", "- a", "?"];
const ENDS: &[&str] = &["", "", "", "", " ", " # said", "#said", "  "];

/// A block of lines, nearly always well formed.
fn block(random: &mut Random, indent: usize, depth: usize, out: &mut String) {
    let is_list = random.below(3) == 0;
    for item in 0..=random.below(3) {
        if random.below(8) == 0 {
            out.push_str(random.pick::<&str>(&["\n", "# a\n", "   # b\n", "  \n"]));
        }
        // An item's first entry stands behind the dash.
        if item > 0 || !out.ends_with("- ") {
            out.push_str(&" ".repeat(if random.below(60) == 0 { indent + 1 } else { indent }));
        }
        if is_list {
            out.push_str("- ");
        } else {
            let key = if random.below(4) > 0 { format!("k{item}") } else { (*random.pick(KEYS)).to_owned() };
            out.push_str(&key);
            out.push_str(if random.below(20) == 0 { ":" } else { ": " });
        }
        if depth > 0 && random.below(2) == 0 {
            let further = *random.pick(&[2, 4, 1]);
            if is_list && random.below(3) > 0 {
                block(random, indent + 2, depth - 1, out);
                continue;
            }
            out.push_str(random.pick::<&str>(ENDS));
            out.push('\n');
            let below = if !is_list && random.below(5) == 0 { indent } else { indent + further };
            block(random, below, depth - 1, out);
        } else {
            out.push_str(random.pick::<&str>(VALUES));
            out.push_str(random.pick::<&str>(ENDS));
            out.push('\n');
        }
    }
}

#[test]
fn what_is_read_at_once_is_what_the_parser_reads() {
    let run = Run::new("yaml plain", 40_000, 4_000_000);
    let mut random = Random::new(run.seed);
    run.each(|_| {
        let mut text = String::new();
        let (indent, depth) = (random.below(3) as usize, random.below(4) as usize);
        block(&mut random, if indent == 2 { 2 } else { 0 }, depth, &mut text);
        if random.below(3) == 0 {
            let place = random.below(text.len() as u64 + 1) as usize;
            let to = (place + random.below(3) as usize).min(text.len());
            let piece = if random.below(3) == 0 { "" } else { *random.pick(PIECES) };
            if text.is_char_boundary(place) && text.is_char_boundary(to) {
                text.replace_range(place..to, piece);
            }
        }
        judge(&text);
    });
}

#[test]
fn pieces_in_any_order_are_read_or_refused() {
    let run = Run::new("yaml random", 20_000, 2_000_000);
    let mut random = Random::new(run.seed);
    run.each(|_| {
        let count = random.below(24);
        let text: String = (0..count).map(|_| *random.pick(PIECES)).collect();
        judge(&text);
    });
}

#[test]
fn large_and_deep_texts_end_soon() {
    for (piece, count) in [
        ("[", 1 << 20),
        ("{", 1 << 20),
        ("- ", 1 << 19),
        ("? ", 1 << 19),
        ("{a: ", 1 << 18),
        ("a: [", 1 << 18),
        ("\"", 1 << 20),
        ("'", 1 << 20),
        ("a ", 1 << 19),
        ("a\n", 1 << 19),
        ("\n", 1 << 20),
        (" ", 1 << 20),
        ("#\n", 1 << 19),
        ("!", 1 << 20),
        ("a: |\n\n\n b\n", 1 << 16),
        ("é: &é *é\n", 1 << 16),
    ] {
        let start = Instant::now();
        judge(&piece.repeat(count));
        let spent = start.elapsed();
        assert!(spent < Duration::from_secs(20), "{count} times {piece:?} took {spent:?}");
    }
    let list: String = (0..100_000).map(|number| format!("- {{id: {number}, text: \"t{number}\"}}\n")).collect();
    assert_eq!(read(&list).map(|node| node.sequence().map(<[Node]>::len)), Ok(Some(100_000)));
}
