//! How policies stand to each other: what is found without trying requests is what trying all of a small world finds.

use kerai_compiler::relate::{Asked, Difference, Relation, relate};
use kerai_compiler::syntax::policy::{check, tree::Policy};
use kerai_golden::policy::indexed;
use kerai_golden::policy::naive::{self, Datum};
use kerai_tests::property::{Random, Run};
use kerai_vm::bytecode::Verified;
use kerai_vm::encoding::{Options, json};
use kerai_vm::number::Number;
use kerai_vm::value::Heap;
use std::collections::BTreeMap;
use std::fmt::Write;

const INPUTS: &str = "inputs: { path: path, caps: [string], n: number, any: any }\nrules:\n";

/// Conditions over a world that is small enough to be tried whole.
const ATOMS: &[&str] = &[
    "path matches 'a/**'",
    "path matches 'a/*'",
    "path == 'a/b'",
    "caps includes 'x'",
    "caps contains 'y'",
    "n > 1",
    "n in [1, 2]",
    "any == 'a'",
    "any",
    "any includes 'x'",
    "has any",
    "has n",
    "path in ['a', 'c']",
    "any != 2",
];

fn text(text: &str) -> Datum {
    Datum::Text(text.to_owned())
}

fn number(value: i64) -> Datum {
    Datum::Number(Number::from_i64(value))
}

/// Every request of the world: whatever its conditions tell apart is there.
fn world() -> Vec<Datum> {
    let half = Number::from_i64(3).divide(Number::from_i64(2)).map_or(Datum::Nothing, Datum::Number);
    let list = |items: &[&str]| Datum::List(items.iter().map(|item| text(item)).collect());
    let odd =
        |items: &[&str]| Datum::List(items.iter().map(|item| text(item)).chain([Datum::List(Vec::new())]).collect());
    let lists = [list(&[]), list(&["x"]), list(&["y"]), list(&["x", "y"]), list(&["z"]), odd(&[]), odd(&["x"])];
    let more = [odd(&["y"]), odd(&["x", "y"]), Datum::Nothing];
    let caps: Vec<Datum> = lists.iter().chain(&more).cloned().collect();
    let paths = ["a", "a/b", "a/q", "a/b/c", "c", "q"].map(text).into_iter().chain([Datum::Nothing]);
    let numbers = [number(0), number(1), half, number(2), number(3), Datum::Nothing];
    let map = |key: &str| Datum::Map([(key.to_owned(), number(1))].into());
    let mut anything = vec![text("a"), text("b"), number(2), number(3), Datum::Bool(true), Datum::Bool(false)];
    anything.extend([map("x"), map("q"), list(&[]), list(&["x"]), list(&["q"]), odd(&["x"]), odd(&["q"])]);
    anything.extend([Datum::List(vec![number(1)]), Datum::Nothing]);
    let mut all = Vec::new();
    for path in paths {
        for caps in &caps {
            for n in &numbers {
                for any in &anything {
                    let entries = [("path", &path), ("caps", caps), ("n", n), ("any", any)];
                    let there = entries.into_iter().filter(|(_, datum)| **datum != Datum::Nothing);
                    all.push(Datum::Map(there.map(|(name, datum)| (name.to_owned(), datum.clone())).collect()));
                }
            }
        }
    }
    all
}

fn condition(random: &mut Random, depth: u64) -> String {
    match random.below(if depth == 0 { 1 } else { 5 }) {
        0 | 1 => (*random.pick(ATOMS)).to_owned(),
        2 => format!("not ({})", condition(random, depth - 1)),
        3 => format!("({} and {})", condition(random, depth - 1), condition(random, depth - 1)),
        _ => format!("({} or {})", condition(random, depth - 1), condition(random, depth - 1)),
    }
}

fn generated(random: &mut Random) -> String {
    let mut out = INPUTS.to_owned();
    for number in 0..=random.below(3) {
        let _ = writeln!(out, "    - id: r{number}");
        if random.below(2) == 0 {
            let _ = writeln!(out, "      when: [\"{}\"]", condition(random, 0));
        }
        let part = if random.below(4) == 0 { "deny_if" } else { "allow_if" };
        let _ = writeln!(out, "      {part}: [\"{}\"]", condition(random, 2));
    }
    out
}

struct Known {
    text: String,
    policy: Policy,
    program: Verified,
    /// Which requests of the world it allows.
    allows: Vec<bool>,
}

impl Known {
    const fn asked(&self) -> Asked<'_> {
        Asked { policy: &self.policy, program: &self.program }
    }
}

fn known(text: String, world: &[Datum]) -> Known {
    let policy = check(&text).unwrap_or_else(|found| panic!("{text}\n{found:?}"));
    let program = indexed(&policy).expect("it compiles");
    let allows = world.iter().map(|request| naive::decide(&policy, request).is_allowed).collect();
    Known { text, policy, program, allows }
}

fn related(first: &Known, second: &Known) -> Difference {
    relate(first.asked(), second.asked()).expect("they answer")
}

fn decides(known: &Known, request: &str) -> bool {
    let mut heap = Heap::new(0);
    let value = json::decode(&mut heap, request.as_bytes(), &Options::CANONICAL).expect("a witness is JSON");
    naive::decide(&known.policy, &Datum::of(&heap, value)).is_allowed
}

/// What is found must be what trying all finds, and a witness what it is said to be.
fn agreed(first: &Known, second: &Known) -> Relation {
    let found = related(first, second);
    let pairs = || first.allows.iter().zip(&second.allows);
    let lost = pairs().any(|(first, second)| *first && !*second);
    let gained = pairs().any(|(first, second)| !*first && *second);
    let expected = match (lost, gained) {
        (false, false) => Relation::Equal,
        (true, false) => Relation::Narrower,
        (false, true) => Relation::Wider,
        (true, true) => Relation::Incomparable,
    };
    let (one, other) = (&first.text, &second.text);
    assert_eq!(found.relation, expected, "{one}\n{other}\n{found:?}");
    for (witness, wanted) in [(&found.lost, (true, false)), (&found.gained, (false, true))] {
        if let Some(request) = witness {
            assert_eq!((decides(first, request), decides(second, request)), wanted, "{request}\n{one}\n{other}");
        }
    }
    found.relation
}

#[test]
fn all_pairs_of_a_small_world_relate_as_trying_all_requests_says() {
    let world = world();
    // Every atom under every use of it, and every two of them: all policies of one rule and two conditions.
    let run = Run::new("relations", 40, 400);
    let mut random = Random::new(run.seed);
    let mut texts: Vec<String> = Vec::new();
    for atom in ATOMS {
        texts.push(format!("{INPUTS}    - {{ id: a, allow_if: [\"{atom}\"] }}\n"));
        texts.push(format!("{INPUTS}    - {{ id: a, allow_if: [\"not ({atom})\"] }}\n"));
        texts.push(format!("{INPUTS}    - {{ id: a, allow_if: 'true', deny_if: [\"{atom}\"] }}\n"));
    }
    let mut policies: Vec<Known> = texts.into_iter().map(|text| known(text, &world)).collect();
    run.each(|_| policies.push(known(generated(&mut random), &world)));
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for first in &policies {
        for second in &policies {
            *counts.entry(agreed(first, second).name()).or_default() += 1;
        }
    }
    println!("{} pairs over {} requests: {counts:?}", policies.len() * policies.len(), world.len());
    assert!(counts.len() == 4, "every relation must be there: {counts:?}");
}

/// A thousand rules in one shape, one of them changed.
fn thousand(shape: fn(usize) -> String, place: usize, changed: &str) -> Known {
    let mut text =
        "rules:\n    - { id: private, deny_if: \"labels contains 'private' and remote != 'internal'\" }\n".to_owned();
    for number in 0..1000 {
        let _ = if number == place {
            writeln!(text, "    - {{ id: x, {changed} }}")
        } else {
            writeln!(text, "    - {{ {} }}", shape(number))
        };
    }
    known(text, &[])
}

/// Each rule for a place of its own, for a capability, for an actor, or for a level and an age.
const SHAPES: &[fn(usize) -> String] = &[
    |number| {
        format!(
            "id: r{number}, when: {{ intent: write, path: \"gatos/journal/part{number}/**\" }}, \
             allow_if: [\"caps includes 'journal:{number}'\", \"trust[actor].level >= 2\"]"
        )
    },
    |number| format!("id: r{number}, when: {{ intent: write }}, allow_if: \"caps includes 'c{number}'\""),
    |number| format!("id: r{number}, when: {{ actor: a{number} }}, allow_if: \"epoch > {number}\""),
    |number| {
        format!(
            "id: r{number}, when: {{ path: \"*/part{number}/**\" }}, allow_if: \"epoch == {number} and intent != 'i{number}'\""
        )
    },
];

#[test]
fn a_thousand_rules_relate_to_a_thousand() {
    for (number, shape) in SHAPES.iter().enumerate() {
        let base = thousand(*shape, 1000, "");
        for (what, changed, expected) in [
            ("itself", None, Relation::Equal),
            ("one rule less", Some("allow_if: 'false'"), Relation::Narrower),
            (
                "one rule more that denies",
                Some("when: { intent: write, path: \"gatos/journal/part7/x\" }, deny_if: 'true'"),
                Relation::Narrower,
            ),
            (
                "one rule that asks less",
                Some("when: { path: \"gatos/journal/part500/**\" }, allow_if: 'trust[actor].level >= 2'"),
                if number == 0 { Relation::Wider } else { Relation::Incomparable },
            ),
        ] {
            let other = thousand(*shape, changed.map_or(1000, |_| 500), changed.unwrap_or_default());
            let found = related(&base, &other);
            assert_eq!(found.relation, expected, "shape {number}, {what}");
        }
    }
}

/// What conditions that relate attributes to each other, or compute, make of two rules: a request is found by aiming.
#[test]
fn conditions_that_are_not_understood_are_aimed_at() {
    let inputs = "inputs: { path: path, caps: [string], n: number, m: number, a: string, b: string, any: any, \
                  groups: { \"*\": [string] }, grants: { \"*\": { \"*\": bool } } }\nrules:\n";
    let of = |condition: &str| known(format!("{inputs}    - {{ id: a, allow_if: [\"{condition}\"] }}\n"), &[]);
    for (first, second, expected) in [
        ("groups.owner includes a", "groups.owner includes b", Relation::Incomparable),
        ("groups.owner includes a", "false", Relation::Narrower),
        ("caps includes a and n > 2", "caps includes a", Relation::Wider),
        ("a in caps", "not (a in caps)", Relation::Incomparable),
        ("grants[a] includes b", "grants[a] includes b or a == b", Relation::Wider),
        ("path starts_with 'a/b'", "true", Relation::Wider),
        ("a starts_with 'x'", "a ends_with 'y'", Relation::Incomparable),
        ("a contains 'x'", "false", Relation::Narrower),
        ("a in_cidr '10.0.0.0/8'", "not (a in_cidr '10.0.0.0/8')", Relation::Incomparable),
        ("a == b", "a != b", Relation::Incomparable),
        ("a < b", "b <= a", Relation::Incomparable),
        ("n + 1 < m", "false", Relation::Narrower),
        ("n * 2 == 10", "true", Relation::Wider),
        ("10 - n >= 3", "10 - n < 3", Relation::Incomparable),
        ("size(caps) > 3", "false", Relation::Narrower),
        ("lower(a) == 'x'", "false", Relation::Narrower),
        ("lower(a) == b", "true", Relation::Wider),
        ("any starts_with a", "false", Relation::Narrower),
        ("n == m and a == b", "n == m", Relation::Wider),
        ("n % 3 == 1", "false", Relation::Narrower),
    ] {
        let (first, second) = (of(first), of(second));
        let found = related(&first, &second);
        assert_eq!(found.relation, expected, "{}\n{}\n{found:?}", first.text, second.text);
        for (witness, wanted) in [(&found.lost, (true, false)), (&found.gained, (false, true))] {
            if let Some(request) = witness {
                assert_eq!((decides(&first, request), decides(&second, request)), wanted, "{request}");
            }
        }
    }
}

#[test]
fn the_templates_relate_to_each_other() {
    let texts = [
        include_str!("../policies/template/minimal.rgs"),
        include_str!("../policies/template/regulated.rgs"),
        include_str!("../policies/template/airgapped.rgs"),
    ];
    let templates = texts.map(|text| known(text.to_owned(), &[]));
    for (place, first) in templates.iter().enumerate() {
        for (other, second) in templates.iter().enumerate() {
            let expected = if place == other { Relation::Equal } else { Relation::Incomparable };
            let found = related(first, second);
            assert_eq!(found.relation, expected, "{found:?}\n{}\n{}", first.text, second.text);
        }
    }
}
