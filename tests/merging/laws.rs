//! Joins that nobody chose: right ones pass in their class, wrong ones are refuted by a small counterexample.

use super::{program, unproven};
use kerai_compiler::Language;
use kerai_tests::property::Random;
use kerai_vm::bytecode::{Class, Grounds};
use kerai_vm::law::{Law, Verdict, examine};

fn verdict(lift: &str, join: &str) -> Verdict {
    let text =
        format!("function lift(op)\n  {lift}\nend\nfunction join(a, b)\n  {join}\nend\nfunction finish(state)\nend\n");
    examine(&unproven(Language::Lua, &text)).unwrap_or_else(|refusal| panic!("{refusal}\n{text}"))
}

/// A part of a state: how it is lifted from a field, how two are joined, and what class that is.
fn right_part(random: &mut Random, field: &str) -> (String, String, Class) {
    let (a, b) = (format!("a.{field}"), format!("b.{field}"));
    let weight = 1 + random.below(9);
    let value = match random.below(3) {
        0 => format!("op.payload.{field}"),
        1 => format!("op.payload.{field} * {weight}"),
        _ => format!("op.payload.{field} + {weight}"),
    };
    match random.below(6) {
        0 => (value, format!("{a} + {b}"), Class::Monoid),
        1 => (value, format!("math.max({a}, {b})"), Class::Lattice),
        2 => (value, format!("math.min({a}, {b})"), Class::Lattice),
        3 => (format!("{value} > {weight}"), format!("{a} or {b}"), Class::Lattice),
        4 => (format!("{value} < {weight}"), format!("{a} and {b}"), Class::Lattice),
        _ => (format!("{{ [tostring({value})] = true }}"), format!("lattice.union({a}, {b})"), Class::Lattice),
    }
}

#[test]
fn right_joins_pass_in_their_class() {
    let mut random = Random::new(5);
    for number in 0..200 {
        let fields = ["x", "y", "z"].iter().take(1 + random.below(3) as usize);
        let parts: Vec<(&str, (String, String, Class))> =
            fields.map(|field| (*field, right_part(&mut random, field))).collect();
        let list = |pick: fn(&(String, String, Class)) -> &String| {
            parts.iter().map(|(field, part)| format!("{field} = {}", pick(part))).collect::<Vec<_>>().join(", ")
        };
        let class = match parts.iter().all(|(_, (_, _, class))| *class == Class::Lattice) {
            true => Class::Lattice,
            false => Class::Monoid,
        };
        let (lift, join) =
            (format!("return {{ {} }}", list(|part| &part.0)), format!("return {{ {} }}", list(|part| &part.1)));
        let found = verdict(&lift, &join);
        assert_eq!(found.class, Some(class), "{number}: {lift}\n{join}\n{found:?}");
    }
}

#[test]
fn wrong_joins_are_refuted_by_little() {
    let mut random = Random::new(6);
    let (mut longest, mut all) = (0, 0);
    for number in 0..1000 {
        let (one, other) = (1 + random.below(9), 2 + random.below(8));
        let (lift, join) = wrong(&mut random, one, other);
        let found = verdict(&lift, &join);
        assert_eq!(found.class, None, "{number}: {lift}\n{join}\n{found:?}");
        let Some(counterexample) = found.counterexample else { panic!("{number}: {join} without a counterexample") };
        assert_ne!(counterexample.law, Law::Lifts, "{join}");
        assert_ne!(counterexample.results[0], counterexample.results[1], "{join}");
        let operations: usize = counterexample.operations.iter().map(Vec::len).sum();
        assert!(operations <= 4, "{number}: {join}: {counterexample:?}");
        longest = longest.max(operations);
        all += operations;
    }
    assert!(longest >= 3, "some join is only not associative");
    println!("{all} operations in 1,000 counterexamples, at most {longest} in one");
    assert!(all <= 2400, "{all} operations in 1,000 counterexamples: they could be smaller");
}

/// A join that does not merge, where other joins of its kind do.
fn wrong(random: &mut Random, one: u64, other: u64) -> (String, String) {
    let number = "return op.payload.n".to_owned();
    let table = "return { n = op.payload.n, m = op.payload.m }".to_owned();
    match random.below(16) {
        0 => (number, format!("return a * {other} + b")),
        1 => (number, "return a - b".to_owned()),
        2 => (number, "return (a + b) / 2".to_owned()),
        3 => (number, format!("return a + b + (a > b and {one} or 0)")),
        4 => (number, "return a".to_owned()),
        5 => (number, "return b".to_owned()),
        6 => (number, format!("if a == {} then error(\"no\") end return math.max(a, b)", random.below(3))),
        7 => (number, format!("if a > {} and b > {one} then return nil + a end return a + b", random.below(4))),
        8 => (number, format!("return math.max(a, b) + {one}")),
        9 => (number, "return math.abs(a - b)".to_owned()),
        10 => (table, "if a.n >= b.n then return a end return b".to_owned()),
        11 => (table, "return { n = math.max(a.n, b.n), m = a.m }".to_owned()),
        12 => (table, format!("return {{ n = a.n + b.n, m = a.m * {other} + b.m }}")),
        13 => ("return { [\"k\"] = list(), n = op.payload.n }".to_owned(), "a.k[#a.k + 1] = b.n return a".to_owned()),
        14 => ("return { t = tostring(op.payload.n) }".to_owned(), "return { t = a.t .. b.t }".to_owned()),
        _ => (number, format!("if a + b > {} then return a + b - {one} end return a + b", 3 + random.below(9))),
    }
}

#[test]
fn lattices_of_the_table_keep_the_laws() {
    for (kind, text) in super::lattices::documents() {
        let found = examine(&program(Language::Yaml, &text)).unwrap_or_else(|refusal| panic!("{refusal}\n{text}"));
        assert_eq!((found.class, found.grounds), (Some(Class::Lattice), Grounds::Construction {}), "{kind}: {found:?}");
    }
}

#[test]
fn what_is_no_join_fold_has_no_laws() {
    let text =
        "function init()\n  return {}\nend\nfunction step(state, op)\n  return op\nend\nfunction finish(state)\nend\n";
    assert!(examine(&unproven(Language::Lua, text)).is_err());
}
