//! Properties of the compiler from the IR on: on generated programs the evaluator and the machine agree, whatever is
//! written reads back, and a root depends on what a program does and not on how it is named and arranged.
//!
//! `KERAI_SEED` names another seed, `KERAI_LONG=1` asks for 10⁶ programs; the seed in use is printed.

use kerai_compiler::ir::Ir;
use kerai_tests::differential::{Call, Refused, calls, compile, fault};
use kerai_tests::generate;
use kerai_tests::property::{Random, Run};
use kerai_tests::shrink::shrink;
use kerai_vm::bytecode::{Builtin, Op, Program};
use std::collections::BTreeSet;

/// The stack of a thread that evaluates: 200 calls deep, in a build without optimization.
const STACK: usize = 1 << 30;

/// Runs a test with room for the evaluator's recursion.
fn with_room(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(test).expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Fails with the smallest program that is still wrong.
fn report(ir: &Ir, calls: &[Call], seed: u64) -> ! {
    let small = shrink(ir.clone(), |ir| fault(ir, calls, seed).is_some());
    let code = compile(&small).map(|compiled| compiled.program.to_text()).unwrap_or_default();
    panic!("{}\n{}\n{code}", fault(&small, calls, seed).unwrap_or_default(), small.to_text());
}

/// Operations and built-ins that were met.
#[derive(Default)]
struct Met {
    operations: BTreeSet<u8>,
    builtins: BTreeSet<u32>,
}

impl Met {
    fn meet(&mut self, program: &Program) {
        for word in program.functions.iter().flat_map(|function| &function.code) {
            self.operations.insert(word.byte());
            if word.op() == Some(Op::CallBuiltin) {
                self.builtins.insert(word.wide());
            }
        }
    }

    fn assert_all(&self) {
        let missing = Op::ALL.iter().filter(|op| !self.operations.contains(&(**op as u8)));
        let builtins = Builtin::ALL.iter().filter(|builtin| !self.builtins.contains(&builtin.number()));
        let names: Vec<&str> =
            missing.map(|op| op.information().name).chain(builtins.map(|builtin| builtin.name())).collect();
        assert!(names.is_empty(), "no program has {names:?}");
    }
}

#[test]
fn the_evaluator_and_the_machine_agree() {
    with_room(|| {
        let run = Run::new("generated programs", 5_000, 1_000_000);
        let mut random = Random::new(run.seed);
        let mut met = Met::default();
        run.each(|_| {
            let generated = generate::program(&mut random);
            let calls = calls(&mut random, &generated, 2);
            match compile(&generated.ir) {
                Ok(compiled) => met.meet(&compiled.program),
                Err(Refused::Check(fault)) => {
                    panic!("the program is not well formed: {fault}\n{}", generated.ir.to_text())
                }
                Err(Refused::TooLarge) => return,
                Err(Refused::Verifier(_)) => {}
            }
            if fault(&generated.ir, &calls, run.seed).is_some() {
                report(&generated.ir, &calls, run.seed);
            }
        });
        met.assert_all();
    });
}
