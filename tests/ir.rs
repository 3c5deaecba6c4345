//! Properties of the compiler from the IR on: on generated programs the evaluator and the machine agree, whatever is
//! written reads back, and a root depends on what a program does and not on how it is named and arranged.
//!
//! `KERAI_SEED` names another seed, `KERAI_LONG=1` asks for 10⁶ programs; the seed in use is printed.

use kerai_tests::differential::{Met, judge, with_room};
use kerai_tests::evaluator::FROM_THE_MACHINE;
use kerai_tests::planted::{OF_LUA, OF_PLATFORMS, OF_POLICIES, OF_THE_MACHINE, OF_WORDS};
use kerai_tests::property::{Random, Run};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Calls of a thousand that must be compared to their end: a generator whose programs mostly run out of gas tests little.
const LEAST_COMPARED: u64 = 800;

#[test]
fn the_evaluator_and_the_machine_agree() {
    with_room(|| {
        let run = Run::new("generated programs", 4_000, 1_000_000);
        let mut random = Random::new(run.seed);
        let mut met = Met::default();
        run.each(|_| {
            if let Err(fault) = judge(&mut random, run.seed, &mut met) {
                panic!("{fault}");
            }
        });
        println!("{met}");
        assert!(met.missing().is_empty(), "no program has {:?}", met.missing());
        assert!(met.compared() >= LEAST_COMPARED, "too few calls were seen to their end: {met}");
    });
}

/// What is taken from the machine can't be judged against it: the list stays short.
#[test]
fn the_evaluator_has_meanings_of_its_own() {
    let names: Vec<&str> = FROM_THE_MACHINE.iter().map(|builtin| builtin.name()).collect();
    assert_eq!(
        names,
        ["json.encode_canonical", "json.decode_strict", "emit_json_canonical", "rng.next", "lattice.hash"]
    );
}

/// The `planted` binary plants them; here they only must still fit.
#[test]
fn planted_bugs_fit_the_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for bug in OF_THE_MACHINE
        .iter()
        .chain(OF_LUA)
        .chain(OF_WORDS)
        .chain(OF_POLICIES)
        .chain(OF_PLATFORMS.iter().map(|one| &one.bug))
    {
        let source = fs::read_to_string(root.join(bug.file)).expect("a source");
        assert_eq!(source.matches(bug.old).count(), 1, "{}: `{}` in {}", bug.about, bug.old, bug.file);
        assert_ne!(bug.old, bug.new, "{}", bug.about);
    }
    for bugs in [OF_THE_MACHINE, OF_LUA, OF_WORDS, OF_POLICIES] {
        let names: BTreeSet<&str> = bugs.iter().map(|bug| bug.about).collect();
        assert!(bugs.len() >= 20 && names.len() == bugs.len());
    }
}
