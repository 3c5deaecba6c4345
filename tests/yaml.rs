//! YAML that nobody chose: mutated, random and deep. Reading ends soon, and every place is one of the source.

use kerai_compiler::Span;
use kerai_compiler::syntax::yaml::read;
use kerai_compiler::syntax::yaml::tree::{Kind, Node};
use kerai_tests::property::{Random, Run};
use std::time::{Duration, Instant};

/// What must hold for every text.
fn judge(text: &str) {
    let is_place = |span: Span| text.get(span.start as usize..span.end as usize).is_some();
    match read(text) {
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
            let piece = if random.below(3) == 0 { "" } else { random.pick(PIECES) };
            text.replace_range(from..to, piece);
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
