//! Words on programs that nobody chose: effects hold, the machine agrees with a naive stack, notations are one program.

use kerai_tests::differential::with_room;
use kerai_tests::property::{Random, Run};
use kerai_tests::words::{Met, judge, judge_notations};

#[test]
fn generated_programs_agree_with_a_naive_stack() {
    with_room(|| {
        let run = Run::new("programs of words", 3_000, 100_000);
        let (mut random, mut met) = (Random::new(run.seed), Met::default());
        let mut number = 0;
        run.each(|_| {
            number += 1;
            if let Err(fault) = judge(&mut random, run.seed, &mut met) {
                panic!("program {number} of seed {}\n{fault}", run.seed);
            }
        });
        println!("{met}");
        if number >= 2_000 {
            assert_eq!(met.missing(), Vec::<&str>::new(), "words that no program had");
            assert!(met.compared() > 900, "too few calls end: {met}");
            assert!(met.changed() > number / 20, "too few changed programs are accepted: {met}");
        }
    });
}

#[test]
fn notations_and_lua_are_one_program() {
    let run = Run::new("expressions in four notations", 2_000, 50_000);
    let mut random = Random::new(run.seed);
    run.each(|number| {
        if let Err(fault) = judge_notations(&mut random) {
            panic!("expression {number} of seed {}\n{fault}", run.seed);
        }
    });
}
