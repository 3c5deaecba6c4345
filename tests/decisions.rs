//! Decisions of prepared policies: what they ask the host for, and when the machine decides instead.

use kerai_compiler::syntax::policy::check;
use kerai_golden::policy::indexed;
use kerai_vm::bytecode::{Program, Verified};
use kerai_vm::encoding::{Options, json};
use kerai_vm::execute::{Decider, Undecided};
use kerai_vm::value::Value;
use std::fmt::Write;

/// A rule a unit, each for a path of its own, one for the ends of paths, and one that denies.
fn policy(units: usize) -> Verified {
    let mut text = "rules:\n".to_owned();
    for unit in 0..units {
        let _ = writeln!(
            text,
            "    - {{ id: unit-{unit}, reason: own path, when: {{ intent: write, path: 'gatos/journal/unit-{unit}/**' }}, \
             allow_if: [\"caps includes 'journal:append'\", 'trust[actor].level >= 2'] }}"
        );
    }
    text.push_str(
        "    - { id: ends, when: { path: '**/shared' }, allow_if: \"actor in ['ann', remote, 'zoe'] or epoch + 1 > 5\" }\n",
    );
    text.push_str("    - { id: private, deny_if: \"labels contains 'private' and remote != 'internal'\" }\n");
    indexed(&check(&text).expect("a policy")).expect("it compiles")
}

const REQUESTS: &[&str] = &[
    r#"{"intent":"write","path":"gatos/journal/unit-0/a","actor":"ann","caps":["journal:append"],"labels":[],"remote":"internal","trust":{"ann":{"level":3}}}"#,
    r#"{"intent":"write","path":"gatos/journal/unit-7/a/b","actor":"somebody-with-a-long-name","caps":["journal:read","journal:append"],"labels":[],"trust":{"somebody-with-a-long-name":{"level":2.5}}}"#,
    r#"{"intent":"write","path":"gatos/journal/unit-7","actor":"bob","caps":[],"labels":["private"],"remote":"partner"}"#,
    r#"{"intent":"read","path":"a/shared","actor":"zoe","labels":["x"],"epoch":3}"#,
    r#"{"intent":"write","path":7,"actor":null,"caps":["journal:append",4]}"#,
    "{\"epoch\":9999999999999999999}",
    r#"{"intent":"write","path":"gatos/journal/unit-12","labels":[]}"#,
];

fn requests(decider: &mut Decider) -> Vec<Value> {
    let read = |text: &&str| json::decode(decider.heap(), text.as_bytes(), &Options::CANONICAL).expect("a request");
    REQUESTS.iter().map(read).collect()
}

#[test]
fn a_prepared_policy_asks_the_host_for_no_memory() {
    for units in [1, 10, 100, 1000] {
        let program = policy(units);
        let mut decider = Decider::new(&program);
        let requests = requests(&mut decider);
        let plainly: Vec<(bool, Vec<String>)> = requests
            .iter()
            .map(|&request| {
                decider.decide_plainly(request).map(|found| (found.is_allowed, found.ids())).expect("it answers")
            })
            .collect();
        decider.prepare();
        assert!(decider.is_prepared());
        let mark = decider.heap().mark();
        for (&request, expected) in requests.iter().zip(&plainly) {
            let found = decider.decide(request).expect("it answers");
            assert_eq!((found.is_allowed, found.ids()), *expected, "{units}");
            assert_eq!(found.id(), expected.1.first().map_or("", String::as_str));
            decider.heap().rewind(mark);
        }
        let mut allowed = 0;
        let counted = allocation_counter::measure(|| {
            for _ in 0..100 {
                for &request in &requests {
                    let found = decider.decide(request).expect("it answers");
                    allowed += usize::from(found.is_allowed && !found.id().is_empty() && !found.reason().is_empty());
                    decider.heap().rewind(mark);
                }
            }
        });
        assert_eq!(counted.count_total, 0, "{units} rules");
        assert_eq!(allowed, 100 * plainly.iter().filter(|found| found.0).count());
    }
}

/// What is asked often is prepared by itself, and answers as before.
#[test]
fn a_policy_that_is_asked_often_is_prepared() {
    let program = policy(10);
    let mut decider = Decider::new(&program);
    let requests = requests(&mut decider);
    let mut first = None;
    for _ in 0..200 {
        let mut found = Vec::new();
        for &request in &requests {
            found.push(decider.decide(request).map(|found| (found.is_allowed, found.ids())));
        }
        assert_eq!(*first.get_or_insert_with(|| found.clone()), found);
    }
    assert!(decider.is_prepared());
}

/// A program by hand, as its registers come.
fn by_hand(code: &str) -> Verified {
    let text = format!(
        "profile 1\nkind policy\nexport decide 0\nrule \"a\" \"why\"\nrule \"b\" \"why not\"\n\nfunction 0 parameters 1 registers 6\n{code}"
    );
    Program::from_text(&text).and_then(Program::verify).expect("it stands")
}

#[test]
fn what_is_not_understood_is_left_to_the_machine() {
    for (code, is_prepared) in [
        // The rules in a list that is made by hand.
        ("    constant r1 \"allow\"\n    constant r3 \"a\"\n    pack r2 r3 1\n    return r1 2\n", false),
        // A default that is allowed.
        ("    constant r1 \"allow\"\n    constant r3 \"default\"\n    pack r2 r3 1\n    return r1 2\n", true),
        // An answer that is none.
        ("    constant r1 \"maybe\"\n    constant r3 \"default\"\n    pack r2 r3 1\n    return r1 2\n", false),
        // A list without a rule in it.
        ("    constant r1 \"allow\"\n    call-builtin r2 0 1 list\n    return r1 2\n", true),
        // A loop.
        (
            "  @0:\n    get-field r1 r0 .x\n    if r1 @0\n    constant r1 \"deny\"\n    constant r3 \"default\"\n    pack r2 r3 1\n    return r1 2\n",
            false,
        ),
        // What is computed and not looked at.
        (
            "    get-field r1 r0 .x\n    get-field r2 r0 .x\n    call-builtin r1 2 1 total.contains\n    constant r1 \"deny\"\n    constant r3 \"default\"\n    pack r2 r3 1\n    return r1 2\n",
            false,
        ),
        // An order of what may have none.
        (
            "    get-field r1 r0 .x\n    constant r2 \"m\"\n    unless-at-most r1 r2 @3\n  @3:\n    constant r1 \"deny\"\n    constant r3 \"default\"\n    pack r2 r3 1\n    return r1 2\n",
            true,
        ),
    ] {
        let program = by_hand(code);
        let mut decider = Decider::new(&program);
        let texts = ["{}", r#"{"x":"a"}"#, r#"{"x":"z"}"#, r#"{"x":1}"#, r#"{"x":[1]}"#, "[]", "3", r#"{"x":null}"#];
        for text in texts.iter().filter(|text| is_prepared || !code.contains("@0") || !text.contains("\"x\"")) {
            let request = json::decode(decider.heap(), text.as_bytes(), &Options::CANONICAL).expect("a request");
            let answer = |found: Result<kerai_vm::execute::Decision, Undecided>| {
                found.map(|found| (found.is_allowed, found.ids())).map_err(|undecided| undecided.to_string())
            };
            let plainly = answer(decider.decide_plainly(request));
            decider.prepare();
            assert_eq!(decider.is_prepared(), is_prepared, "{code}");
            assert_eq!(answer(decider.decide(request)), plainly, "{code}{text}");
        }
    }
}
